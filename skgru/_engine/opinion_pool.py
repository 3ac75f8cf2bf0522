"""A network and a linear model, fitted apart, whose raw outputs are added, each times a factor.

That is a logarithmic opinion pool (Genest & Zidek 1986, "Combining probability distributions"). The
factors are those with the lowest loss on samples that neither has seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from skgru._engine.loss import Loss
from skgru._nn.batch import Array, Values

# Factors of network and linear model, where no trial can find them.
EQUAL_SHARES = (0.5, 0.5)
# The network of a trial has fewer samples, and may be less sure than the fitted one, which a factor
# above one would make too sure.
_BOUNDS_OF_LOGS = ((-6.0, 0.0), (-6.0, 3.0))


class LinearOutputs(NamedTuple):
    """The part of the raw outputs that is not the network's: ``factor · raw + added``.

    Attributes
    ----------
    factor : float
        Of the raw outputs of the network.
    added : ndarray of shape (n, K)
    """

    factor: float
    added: Array

    def join(self, raw: Array, rows: Any) -> Array:
        """Return the raw outputs of both, for the samples at `rows`."""
        joined: Array = self.factor * raw + self.added[rows]
        return joined


def fit_shares(
    of_network: Array,
    of_linear: Array,
    targets: Values,
    weights: Array,
    loss: Loss,
    first: tuple[float, float],
) -> tuple[float, float]:
    """Return the factors of raw outputs with the lowest loss on samples that are new to both.

    Their logarithms are held by a penalty that weighs as much as one sample.

    Parameters
    ----------
    of_network, of_linear : ndarray of shape (n, K)
        Raw outputs.
    targets : ndarray
    weights : ndarray of shape (n,)
    loss : Loss
    first : tuple of float
        Where the search begins, and towards which the factors are drawn.
    """
    total = float(weights.sum())
    start = np.log(first)

    def value(logs: Array) -> tuple[float, Array]:
        shares = np.exp(logs)
        losses, d_raw = loss.loss_and_gradient(
            shares[0] * of_network + shares[1] * of_linear, targets
        )
        d_raw = d_raw * weights[:, None]
        gradient = shares * [(d_raw * of_network).sum(), (d_raw * of_linear).sum()]
        off = logs - start
        return (float(losses @ weights) + 0.5 * float(off @ off)) / total, (gradient + off) / total

    found = minimize(value, start, jac=True, method="L-BFGS-B", bounds=_BOUNDS_OF_LOGS)
    network, linear = np.exp(found.x)
    return float(network), float(linear)
