"""Losses of numbers."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from scipy.special import expit, xlogy
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils import check_array, column_or_1d

from skgru._data.arrays import NameOf, to_numbers
from skgru._data.scaling import mean_and_scale
from skgru._engine.loss import Encoded, Loss
from skgru._nn.batch import Array, Indices, Values
from skgru._saved import expect, expect_numbers


def softplus(a: Array) -> Array:
    """Return log(1 + exp(a)); its derivative is σ(a)."""
    return np.logaddexp(0, a)


def _index_among(target: Any, n: int, what: str) -> int:
    """Return the index of one of n outputs or quantiles; None = the only one."""
    if target is None and n == 1:
        return 0
    is_index = isinstance(target, Integral) and not isinstance(target, bool)
    if not is_index or not 0 <= target < n:
        known = "0" if n == 1 else f"0 to {n - 1}"
        raise ValueError(f"Expected an index as target, of the {what}: {known}, got {target!r}.")
    return int(target)


@dataclass(frozen=True, eq=False)
class NumberLoss(Loss):
    """A loss of numbers, which are scaled: their unit does not matter.

    Parameters
    ----------
    mean, scale : ndarray of shape (K,), learned
        Of y.
    is_one_dimensional : bool, learned
        Whether y is of shape (n,).
    """

    _: KW_ONLY
    mean: Array | None = None
    scale: Array | None = None
    is_one_dimensional: bool = False

    out_activation = "identity"
    learns = ("mean", "scale", "is_one_dimensional")

    @property
    def n_outputs(self) -> int:
        """The number of targets of a sample."""
        return len(self._scaling[0])

    @property
    def attributes(self) -> dict[str, Any]:
        """The mean and the scale of the targets."""
        return {"target_mean_": self.mean, "target_scale_": self.scale}

    @property
    def _scaling(self) -> tuple[Array, Array]:
        assert self.mean is not None
        assert self.scale is not None
        return self.mean, self.scale

    def linear_targets(self, targets: Values) -> Array:
        """Return the scaled targets, in the place of the first raw output of each; else zeros."""
        raw = np.zeros((*targets.shape, self.n_raw))
        raw[..., 0] = targets
        return raw.reshape(len(raw), -1)

    def check(self, y: Any, where: NameOf) -> Values:
        """Return numbers, (n,) or (n, K)."""
        if not sparse.issparse(y):
            y = to_numbers(y, where)
        y = check_array(y, ensure_2d=False, input_name="y").astype(np.float64, copy=False)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self.check_values(y)
        numbers: Values = y
        return numbers

    def check_values(self, y: Array) -> None:
        """Refuse numbers that the loss does not take."""

    def learn(self, y: Values, weights: Array, classes: Any = None) -> dict[str, Any]:
        """Return the mean and the scale of y, and whether it has one dimension."""
        mean, scale = self.mean_and_scale(y.reshape(len(y), -1), weights)
        return {"mean": mean, "scale": scale, "is_one_dimensional": y.ndim == 1}

    def check_learned(self) -> None:
        """Refuse means and scales that no fit has left so; see `Loss.check_learned`."""
        mean: Any = self.mean
        shape = (np.size(mean),)
        expect(shape[0] > 0, "a mean of y", mean)
        expect_numbers(mean, "the mean of y", shape)
        expect_numbers(self.scale, "the scale of y", shape, least=0)
        is_one = self.is_one_dimensional
        expect(not is_one or shape == (1,), "one mean of one target", self.mean)

    def mean_and_scale(self, y: Array, weights: Array) -> tuple[Array, Array]:
        """Return the mean and the scale (K,) of y (n, K): that of scaled targets is 0 and 1."""
        return mean_and_scale(y, weights, "y")

    def encode(self, y: Values, weights: Array) -> Encoded:
        """Return scaled targets (n, K)."""
        mean, scale = self._scaling
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != len(mean):
            raise ValueError(
                f"y has {columns.shape[1]} outputs, expected {len(mean)} as in the first fit."
            )
        return Encoded((columns - mean) / scale, np.ones(len(y)))

    def predict(self, raw: Array, dtype: Any) -> Values:
        """Return the estimates in the unit of y, (B,) or (B, K); several of each have an axis."""
        return self.in_unit_of_y(self.estimate(raw))

    @property
    def has_std(self) -> bool:
        """Whether the loss estimates standard deviations: `predict_std` returns them."""
        return hasattr(self, "predict_std")

    def in_unit_of_y(self, estimates: Array) -> Values:
        """Return estimates (B, K) or (B, K, P) of scaled targets in the unit of y.

        In double precision, whatever the network's: y may be beyond the range of float32, or its
        mean so far from zero that its deviations would be rounded away.
        """
        mean, scale = self._scaling
        if estimates.ndim == 3:  # several numbers for each target
            mean, scale = mean[:, None], scale[:, None]
        y: Values = estimates * scale + mean
        return y[:, 0] if self.is_one_dimensional else y

    def estimate(self, raw: Array) -> Array:
        """Return the estimates of the scaled targets, (B, K), or several of each, (B, K, P)."""
        return self.activate(raw)

    def choose(self, raw: Array, target: Any) -> Indices:
        """Return the index of an output; None = the only one."""
        return np.full(len(raw), _index_among(target, self.n_outputs, "output"))

    def output(self, raw: Array, index: Indices) -> tuple[Array, Array]:
        """Return estimates in the unit of y, and their derivative."""
        estimates = self.in_unit_of_y(self.estimate(raw)).reshape(len(raw), -1)
        rows = np.arange(len(raw))
        return estimates[rows, index], self.slopes(raw, index) * self.unit(index)[:, None]

    def slopes(self, raw: Array, index: Indices) -> Array:
        """Return the derivative of the estimates of some indices, (B, K · P).

        This one is that of estimates which are the raw outputs themselves.
        """
        slopes: Array = np.zeros_like(raw)
        slopes[np.arange(len(raw)), index] = 1
        return slopes

    def unit(self, index: Indices) -> Array:
        """Return the scale of y."""
        _, scale = self._scaling
        return scale[index]

    def score(self, decisions: Values, targets: Values, weights: Array | None) -> float:
        """Return R²."""
        return float(r2_score(targets, self.estimate(decisions), sample_weight=weights))


@dataclass(frozen=True, eq=False)
class SquaredError(NumberLoss):
    """Half the squared error, averaged over the K outputs."""

    name = "squared_error"

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean over the outputs of ½ (raw − y)² (B,), and (raw − y) / K (B, K)."""
        error = raw - y
        return 0.5 * np.square(error).mean(axis=1), error / y.shape[1]


@dataclass(frozen=True, eq=False)
class PoissonDeviance(NumberLoss):
    """Half the Poisson deviance with a logarithmic link, averaged over the K outputs; y ≥ 0."""

    name = "poisson"
    out_activation = "exp"

    def activate(self, raw: Array) -> Array:
        """Return the expected counts μ = exp(raw)."""
        return np.exp(raw)

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of y log(y / μ) − y + μ (B,), and (μ − y) / K (B, K)."""
        mu = np.exp(raw)
        loss = (xlogy(y, y) - y * raw - y + mu).mean(axis=1)
        return loss, (mu - y) / y.shape[1]

    def linear_targets(self, targets: Values) -> Array:
        """Return log μ to first order around the mean, where μ = 1."""
        return targets - 1.0

    def slopes(self, raw: Array, index: Indices) -> Array:
        """Return the derivative of μ."""
        return super().slopes(raw, index) * np.exp(raw)

    def check_values(self, y: Array) -> None:
        """Refuse negative numbers, and zeros alone."""
        if (y < 0).any() or y.sum() <= 0:
            raise ValueError(
                f"loss='poisson' expects non-negative y with a positive sum, got values from "
                f"{y.min()} to {y.max()}."
            )

    def mean_and_scale(self, y: Array, weights: Array) -> tuple[Array, Array]:
        """Return zeros and the mean of y: its logarithm is near 0 then."""
        scale: Array = np.average(y, axis=0, weights=weights)
        scale[scale == 0] = 1.0
        return np.zeros(y.shape[1]), scale


@dataclass(frozen=True, eq=False)
class AbsoluteError(NumberLoss):
    """The absolute error, averaged over the K outputs: the prediction is a median."""

    name = "absolute_error"

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean over the outputs of |raw − y| (B,), and sign(raw − y) / K (B, K)."""
        error = raw - y
        return np.abs(error).mean(axis=1), np.sign(error) / y.shape[1]


@dataclass(frozen=True, eq=False)
class Huber(NumberLoss):
    """Huber's loss (1964), averaged over the K outputs: squared up to an error of δ, then linear.

    Parameters
    ----------
    huber_delta : float
        δ, in units of scaled targets.
    """

    name = "huber"

    huber_delta: float = 1.35

    parameters = ("huber_delta",)

    def activate(self, raw: Array) -> Array:
        """Return the raw outputs."""
        return raw

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return the mean of ½ e² or δ(|e| − ½ δ), (B,), and clip(e, −δ, δ) / K, (B, K)."""
        error = raw - y
        clipped = np.clip(error, -self.huber_delta, self.huber_delta)
        loss = (clipped * (error - 0.5 * clipped)).mean(axis=1)
        return loss, clipped / y.shape[1]


@dataclass(frozen=True, eq=False)
class PinballLoss(NumberLoss):
    """The pinball loss of Q quantiles that do not cross, averaged over quantiles and outputs.

    Koenker & Bassett (1978), "Regression quantiles". The first quantile is a raw output, and each
    next one lies higher by the softplus of another.

    Parameters
    ----------
    quantiles : float or sequence of float
        In (0, 1), increasing.
    """

    name = "quantile"

    quantiles: tuple[float, ...] = (0.5,)

    parameters = ("quantiles",)

    def __post_init__(self) -> None:
        quantiles = np.atleast_1d(np.asarray(self.quantiles, float))
        is_increasing = quantiles.ndim == 1 and len(quantiles) and (np.diff(quantiles) > 0).all()
        if not is_increasing or quantiles[0] <= 0 or quantiles[-1] >= 1:
            raise ValueError(
                f"quantiles must be increasing numbers in (0, 1), got {self.quantiles!r}."
            )
        object.__setattr__(self, "quantiles", tuple(quantiles.tolist()))  # also a single number

    @property
    def n_raw(self) -> int:
        """Q."""
        return len(self.quantiles)

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

    def choose(self, raw: Array, target: Any) -> Indices:
        """Return the index of a quantile, among those of all outputs.

        Of one output a target is the index of the quantile, of several (output, quantile).
        """
        n, Q = self.n_outputs, self.n_raw
        said = f"quantile {dict(enumerate(self.quantiles))}"
        if n > 1 and isinstance(target, tuple) and len(target) == 2:
            output, quantile = target
        elif n > 1 and Q > 1:
            raise ValueError(
                f"Expected (output, quantile) as target, the indices of one of {n} outputs and of "
                f"the {said}, got {target!r}."
            )
        else:
            output, quantile = (target, None) if n > 1 else (None, target)
        index = _index_among(output, n, "output") * Q + _index_among(quantile, Q, said)
        return np.full(len(raw), index)

    def slopes(self, raw: Array, index: Indices) -> Array:
        """Return the derivative of quantiles, each of which lies above those before."""
        first, columns = index - index % self.n_raw, np.arange(raw.shape[1])
        is_part = (columns >= first[:, None]) & (columns <= index[:, None])
        slopes: Array = np.where(columns % self.n_raw > 0, expit(raw), 1) * is_part
        return slopes

    def unit(self, index: Indices) -> Array:
        """Return the scale of y."""
        return super().unit(index // self.n_raw)

    def predict(self, raw: Array, dtype: Any) -> Values:
        """Return the quantiles in the unit of y; a single one has no axis."""
        y = super().predict(raw, dtype)
        return y[..., 0] if self.n_raw == 1 else y

    def score(self, decisions: Values, targets: Values, weights: Array | None) -> float:
        """Return the mean of D² of the quantiles' pinball losses."""
        predicted = self.activate(decisions)
        scores = [
            d2_pinball_score(targets, predicted[..., i], alpha=q, sample_weight=weights)
            for i, q in enumerate(self.quantiles)
        ]
        return float(np.mean(scores))


@dataclass(frozen=True, eq=False)
class GaussianLoss(NumberLoss):
    """The negative log-likelihood of a normal distribution, averaged over the K outputs.

    Nix & Weigend (1994), "Estimating the mean and variance of the target probability distribution".
    Of the two raw outputs for each target, one is the mean and the softplus of the other the
    standard deviation, with a floor of a thousandth.
    """

    name = "gaussian"

    @property
    def lowest(self) -> float:
        """None: the density has no bound."""
        return -math.inf

    FLOOR: ClassVar[float] = 1e-3

    @property
    def n_raw(self) -> int:
        """A mean and a deviation."""
        return 2

    def activate(self, raw: Array) -> Array:
        """Return the means and the standard deviations, (B, K, 2)."""
        values = raw.reshape(len(raw), raw.shape[1] // 2, 2).copy()
        values[..., 1] = softplus(values[..., 1]) + self.FLOOR
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

    def estimate(self, raw: Array) -> Array:
        """Return the means, (B, K)."""
        return self.activate(raw)[..., 0]

    def slopes(self, raw: Array, index: Indices) -> Array:
        """Return the derivative of the means."""
        return super().slopes(raw, 2 * index)

    def predict_std(self, raw: Array) -> Values:
        """Return the standard deviations in the unit of y, (B,) or (B, K)."""
        _, scale = self._scaling
        deviations: Values = self.activate(raw)[..., 1] * scale
        return deviations[:, 0] if self.is_one_dimensional else deviations


NUMBER_LOSSES: dict[str, type[NumberLoss]] = {
    loss.name: loss
    for loss in (
        SquaredError,
        AbsoluteError,
        Huber,
        PinballLoss,
        PoissonDeviance,
        GaussianLoss,
    )
}
