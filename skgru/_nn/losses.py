"""Losses, each fused with the output activation that belongs to it.

Raw outputs are (B, K), the values of the network's head before the activation. A loss gives the
loss of each sample, (B,), and its derivative with respect to the raw outputs, (B, K).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import expit, softmax, xlogy

from skgru._nn.batch import Array


class Loss(Protocol):
    """What the training needs of a loss."""

    out_activation: str

    def activate(self, raw: Array) -> Array:
        """Return the prediction (B, K)."""

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return each sample's loss (B,) and its derivative (B, K)."""


class SoftmaxLogLoss:
    """Multinomial log-loss, −log p of the true class; y is one-hot (B, K)."""

    out_activation = "softmax"

    def activate(self, raw: Array) -> Array:
        """Return the class probabilities (B, K)."""
        p: Array = softmax(raw, axis=1)
        return p

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return −Σ y log p (B,) and p − y (B, K)."""
        shifted = raw - raw.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        loss = np.log(total[:, 0]) - (y * shifted).sum(axis=1)
        p -= y
        return loss, p


class SigmoidLogLoss:
    """Binary log-loss, summed over K independent labels; y is 0 or 1, (B, K)."""

    out_activation = "logistic"

    def activate(self, raw: Array) -> Array:
        """Return the probability of each label (B, K)."""
        p: Array = expit(raw)
        return p

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return Σ log(1 + exp(raw)) − y·raw (B,) and p − y (B, K)."""
        return (np.logaddexp(0, raw) - y * raw).sum(axis=1), expit(raw) - y


class SquaredError:
    """Half the squared error, averaged over the K outputs."""

    out_activation = "identity"

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean over the outputs of ½ (raw − y)² (B,), and (raw − y) / K (B, K)."""
        error = raw - y
        return 0.5 * np.square(error).mean(axis=1), error / y.shape[1]


class PoissonDeviance:
    """Half the Poisson deviance with a logarithmic link, averaged over the K outputs; y ≥ 0."""

    out_activation = "exp"

    def activate(self, raw: Array) -> Array:
        """Return the expected counts μ = exp(raw)."""
        return np.exp(raw)

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of y log(y / μ) − y + μ (B,), and (μ − y) / K (B, K)."""
        mu = np.exp(raw)
        loss = (xlogy(y, y) - y * raw - y + mu).mean(axis=1)
        return loss, (mu - y) / y.shape[1]
