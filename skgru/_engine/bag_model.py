"""A linear model of bags of tokens beside the network: its fit, its outputs.

Both are fitted apart, and joined as `opinion_pool` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from skgru._data.bag import BagOfTokens
from skgru._data.sequences import Sequences
from skgru._engine.loss import Loss
from skgru._engine.opinion_pool import EQUAL_SHARES, LinearOutputs
from skgru._nn.batch import Array, Values
from skgru._saved import expect, expect_numbers

# The L2 penalty of a weight: that of a logistic regression of scikit-learn with C=10.
_PENALTY = 0.1
# The bias is free, but not where all samples are of one class.
_PENALTY_OF_BIAS = 1e-3
# The second derivative of the log-loss is at most this.
_CURVATURE = 0.25
_MAX_ITER, _N_CORRECTIONS, _TOL = 100, 5, 1e-5


@dataclass(frozen=True, eq=False)
class Bag:
    """A linear model of the bags of tokens of some branches.

    Parameters
    ----------
    tokens : dict of BagOfTokens
        By the names of the branches.
    weights : ndarray of shape (D, K)
        Of the columns of all branches, side by side.
    bias : ndarray of shape (K,)
    firmness : ndarray of shape (D + 1,)
        How firmly the weights of each column, and behind them the bias, hold against what later
        samples say.
    shares : tuple of float
        The factors of the raw outputs of the network and of this model.
    """

    tokens: dict[str, BagOfTokens]
    weights: Array
    bias: Array
    firmness: Array
    shares: tuple[float, float] = EQUAL_SHARES

    @classmethod
    def empty(cls, tokens: Mapping[str, BagOfTokens], n_outputs: int) -> Bag:
        """Return the model that has seen no sample."""
        D = sum(bag.n_columns for bag in tokens.values())
        return cls(
            dict(tokens),
            np.zeros((D, n_outputs)),
            np.zeros(n_outputs),
            np.append(np.full(D, _PENALTY), _PENALTY_OF_BIAS),
        )

    @property
    def size(self) -> int:
        """How many weights there are."""
        return self.weights.size + self.bias.size

    @property
    def state(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "tokens": {name: bag.state for name, bag in self.tokens.items()},
            "weights": self.weights,
            "bias": self.bias,
            "firmness": self.firmness,
            "shares": self.shares,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Bag:
        """Return the model of a `state`."""
        tokens = {name: BagOfTokens(**bag) for name, bag in state["tokens"].items()}
        return cls(**{**state, "tokens": tokens, "shares": tuple(state["shares"])})

    def check_learned(self, n_outputs: int) -> None:
        """Refuse what no fit has left so, for a network of so many raw outputs.

        Raises
        ------
        DamagedError
        """
        for bag in self.tokens.values():
            bag.check_learned()
        D = sum(bag.n_columns for bag in self.tokens.values())
        expect_numbers(self.weights, "weights of the bag", (D, n_outputs))
        expect_numbers(self.bias, "bias of the bag", (n_outputs,))
        expect_numbers(self.firmness, "firmness of the bag", (D + 1,), least=0)
        expect(
            len(self.shares) == 2 and np.isfinite(self.shares).all(),
            "shares of network and bag to be finite",
            self.shares,
        )

    def fitted(
        self, samples: Mapping[str, Sequences], targets: Values, weights: Array, loss: Loss
    ) -> Bag:
        """Return the model that has learned from samples, beside those that it has seen.

        It has the lowest sum of ``Σ weight · loss`` and ``½ · Σ firmness · (change of a weight)²``.
        What is learned is firmer afterwards: a Laplace approximation by the diagonal (Chapelle & Li
        2011, "An empirical evaluation of Thompson sampling").

        Parameters
        ----------
        samples : mapping of str to Sequences
            By the names of the branches.
        targets : ndarray
            Encoded.
        weights : ndarray of shape (n,)
        loss : Loss
            Of the targets as they are.
        """
        matrix = self.matrix(samples)
        value = fit_objective(self, matrix, targets, weights, loss)
        start = np.concatenate([self.weights.ravel(), self.bias])
        options = {"maxiter": _MAX_ITER, "maxcor": _N_CORRECTIONS, "gtol": _TOL, "ftol": _TOL}
        found = minimize(value, start, jac=True, method="L-BFGS-B", options=options).x
        if not np.isfinite(found).all():
            return self
        W, b = _split(found, self.weights.shape)
        squares = sparse.csr_matrix((matrix.data**2, matrix.indices, matrix.indptr), matrix.shape)
        seen = np.append(squares.T @ weights, weights.sum())
        firmness = self.firmness + _CURVATURE * seen
        return replace(self, weights=W, bias=b, firmness=firmness)

    def matrix(self, samples: Mapping[str, Sequences]) -> Any:
        """Return the bags of samples, of all branches side by side, (n, D)."""
        matrices = [bag.matrix(samples[name]) for name, bag in self.tokens.items()]
        return matrices[0] if len(matrices) == 1 else sparse.hstack(matrices, "csr")

    def raw(self, samples: Mapping[str, Sequences]) -> Array:
        """Return its raw outputs (n, K), not times its share."""
        raw: Array = self.matrix(samples) @ self.weights + self.bias
        return raw

    def outputs(self, samples: Mapping[str, Sequences]) -> LinearOutputs:
        """Return what is joined to the raw outputs of the network."""
        of_network, own = self.shares
        return LinearOutputs(of_network, own * self.raw(samples))

    def by_token(self, samples: Mapping[str, Sequences]) -> dict[str, Array]:
        """Return what each token adds to the raw outputs, (total tokens, K), times the share.

        By the names of the branches; with the bias, those of a sample sum to its raw outputs.
        """
        own, start, found = self.shares[1], 0, {}
        for name, bag in self.tokens.items():
            weights = self.weights[start : start + bag.n_columns]
            found[name] = own * bag.by_token(samples[name], weights)
            start += bag.n_columns
        return found


def fit_objective(
    bag: Bag, matrix: Any, targets: Values, weights: Array, loss: Loss
) -> Callable[[Array], tuple[float, Array]]:
    """Return the function that `Bag.fitted` minimizes: the value and its gradient, (D · K + K,).

    Both are divided by the sum of the weights.
    """
    total = float(weights.sum())
    transposed = matrix.T.tocsr()

    def value(vector: Array) -> tuple[float, Array]:
        W, b = _split(vector, bag.weights.shape)
        losses, d_raw = loss.loss_and_gradient(matrix @ W + b, targets)
        d_raw = d_raw * weights[:, None]
        change = np.vstack([W - bag.weights, b - bag.bias])
        pull = bag.firmness[:, None] * change
        penalty = 0.5 * float((pull * change).sum())
        gradient = np.vstack([transposed @ d_raw, d_raw.sum(axis=0)]) + pull
        return (float(losses @ weights) + penalty) / total, gradient.ravel() / total

    return value


def _split(vector: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return weights and bias."""
    D, K = shape
    return vector[: D * K].reshape(D, K), vector[D * K :]
