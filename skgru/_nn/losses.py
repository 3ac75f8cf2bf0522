"""Losses, each fused with the output activation that belongs to it.

Raw outputs are the values of the network's head before the activation: (B, K), or (B, K · P) where
a loss wants P numbers for each of the K targets, those of a target side by side. A loss gives the
loss of each sample, (B,), and its derivative with respect to the raw outputs.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax, xlogy

from skgru._nn.batch import Array


class Loss(Protocol):
    """What the training needs of a loss."""

    out_activation: str
    n_raw: int  # P
    lowest: float  # no loss is below it

    def activate(self, raw: Array) -> Array:
        """Return the prediction, (B, K), or (B, K, P) where several numbers make it."""

    def loss_and_gradient(self, raw: Array, y: Any) -> tuple[Array, Array]:
        """Return each sample's loss (B,) and its derivative (B, K · P).

        The targets y are numbers (B, K), or of a loss of classes their indices (B,).
        """


def softplus(a: Array) -> Array:
    """Return log(1 + exp(a)); its derivative is σ(a)."""
    return np.logaddexp(0, a)


class SoftmaxLogLoss:
    """Multinomial log-loss, −log p of the true class; y is its index, (B,).

    With label smoothing ε (Szegedy et al. 2016), the true class has the share 1 − ε of a target,
    and all K classes have ε / K each.
    """

    out_activation = "softmax"
    n_raw = 1
    lowest = 0.0

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def activate(self, raw: Array) -> Array:
        """Return the class probabilities (B, K)."""
        p: Array = softmax(raw, axis=1)
        return p

    def loss_and_gradient(self, raw: Array, y: NDArray[np.integer]) -> tuple[Array, Array]:
        """Return the loss −Σ t log p (B,) and p − t (B, K), where t are the classes' shares."""
        epsilon = self.label_smoothing
        true = np.arange(len(y)), y
        shifted = raw - raw.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        p[true] -= 1 - epsilon
        expected = (1 - epsilon) * shifted[true]
        if epsilon:
            p -= epsilon / raw.shape[1]
            expected += epsilon * shifted.mean(axis=1)
        return np.log(total[:, 0]) - expected, p


class SigmoidLogLoss:
    """Binary log-loss, summed over K independent labels; y is 0 or 1, (B, K).

    With label smoothing ε, y becomes (1 − ε) y + ε / 2.
    """

    out_activation = "logistic"
    n_raw = 1
    lowest = 0.0

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def activate(self, raw: Array) -> Array:
        """Return the probability of each label (B, K)."""
        p: Array = expit(raw)
        return p

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return Σ log(1 + exp(raw)) − y·raw (B,) and p − y (B, K)."""
        if self.label_smoothing:
            y = (1 - self.label_smoothing) * y + self.label_smoothing / 2
        return (np.logaddexp(0, raw) - y * raw).sum(axis=1), expit(raw) - y


class SquaredError:
    """Half the squared error, averaged over the K outputs."""

    out_activation = "identity"
    n_raw = 1
    lowest = 0.0

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
    n_raw = 1
    lowest = 0.0

    def activate(self, raw: Array) -> Array:
        """Return the expected counts μ = exp(raw)."""
        return np.exp(raw)

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of y log(y / μ) − y + μ (B,), and (μ − y) / K (B, K)."""
        mu = np.exp(raw)
        loss = (xlogy(y, y) - y * raw - y + mu).mean(axis=1)
        return loss, (mu - y) / y.shape[1]


class AbsoluteError:
    """The absolute error, averaged over the K outputs: the prediction is a median."""

    out_activation = "identity"
    n_raw = 1
    lowest = 0.0

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean over the outputs of |raw − y| (B,), and sign(raw − y) / K (B, K)."""
        error = raw - y
        return np.abs(error).mean(axis=1), np.sign(error) / y.shape[1]


class Huber:
    """Huber's loss (1964), averaged over the K outputs: squared up to an error of δ, then linear.

    Parameters
    ----------
    delta : float
        In units of y.
    """

    out_activation = "identity"
    n_raw = 1
    lowest = 0.0

    def __init__(self, delta: float) -> None:
        self.delta = delta

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of ½ e² or δ(|e| − ½ δ), (B,), and clip(e, −δ, δ) / K, (B, K)."""
        error = raw - y
        clipped = np.clip(error, -self.delta, self.delta)
        loss = (clipped * (error - 0.5 * clipped)).mean(axis=1)
        return loss, clipped / y.shape[1]


class PinballLoss:
    """The pinball loss of Q quantiles that do not cross, averaged over quantiles and outputs.

    Koenker & Bassett (1978), "Regression quantiles". The first quantile is a raw output, and each
    next one lies higher by the softplus of another.

    Parameters
    ----------
    quantiles : sequence of float
        In (0, 1), increasing.
    """

    out_activation = "identity"
    lowest = 0.0

    def __init__(self, quantiles: tuple[float, ...]) -> None:
        self.quantiles = quantiles
        self.n_raw = len(quantiles)

    def activate(self, raw: Array) -> Array:
        """Return the quantiles (B, K, Q)."""
        values = raw.reshape(len(raw), raw.shape[1] // self.n_raw, self.n_raw).copy()
        values[..., 1:] = softplus(values[..., 1:])
        quantiles: Array = np.cumsum(values, axis=-1)
        return quantiles

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of max(q e, (q − 1) e) with e = y − ŷ, (B,), and its derivative."""
        q = np.asarray(self.quantiles, raw.dtype)
        error = y[..., None] - self.activate(raw)
        loss = np.maximum(q * error, (q - 1) * error).mean(axis=(1, 2))
        d_quantiles = np.where(error > 0, -q, np.where(error < 0, 1 - q, 0))
        d_quantiles /= raw.shape[1]
        # A raw output moves its own quantile and all above it.
        d_raw = np.cumsum(d_quantiles[..., ::-1], axis=-1)[..., ::-1].reshape(raw.shape)
        steps = raw.reshape(error.shape)[..., 1:]
        d_raw.reshape(error.shape)[..., 1:] *= expit(steps)
        return loss, d_raw.astype(raw.dtype, copy=False)


class GaussianLoss:
    """The negative log-likelihood of a normal distribution, averaged over the K outputs.

    Nix & Weigend (1994), "Estimating the mean and variance of the target probability distribution".
    Of the two raw outputs for each target, one is the mean and the softplus of the other the
    standard deviation, with a floor of a thousandth.
    """

    out_activation = "identity"
    n_raw = 2
    lowest = -math.inf
    _FLOOR = 1e-3

    def activate(self, raw: Array) -> Array:
        """Return the means and the standard deviations, (B, K, 2)."""
        values = raw.reshape(len(raw), raw.shape[1] // 2, 2).copy()
        values[..., 1] = softplus(values[..., 1]) + self._FLOOR
        return values

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of log s + ½ ((y − m) / s)² + ½ log 2π, (B,), and its derivative."""
        mean, deviation = np.moveaxis(self.activate(raw), -1, 0)
        error = (mean - y) / deviation
        loss = np.log(deviation) + 0.5 * np.square(error) + 0.5 * math.log(2 * math.pi)
        d_raw = np.empty_like(raw).reshape(*y.shape, 2)
        d_raw[..., 0] = error / deviation
        d_raw[..., 1] = (1 - np.square(error)) / deviation
        d_raw[..., 1] *= expit(raw.reshape(d_raw.shape)[..., 1])
        d_raw /= y.shape[1]
        return loss.mean(axis=1), d_raw.reshape(raw.shape)
