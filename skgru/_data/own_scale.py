"""The scale of each sequence: its own mean and deviation, beside which its values are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from skgru._data.scaling import contains_nan, mean_and_scale
from skgru._data.sequences import Sequences
from skgru._nn.batch import Array, Indices

# Own means, in units of the deviation of all values, and logarithms of own deviations that differ
# by less are not scaled up: where the sequences have come scaled, these differences are of rounding
# or of how it was done, and with a variance of 1 they would drown the values.
_LEAST_DIFFERENCE = 0.1

_BLOCK_SIZE = 1 << 17  # numbers that are looked through at a time
_MOST_SCALES = 1 << 20  # scales, one a sequence and feature, that are held at a time


class OwnScale(NamedTuple):
    """The mean and the deviation of each sequence, over the values that it has.

    Attributes
    ----------
    means, deviations : ndarray of shape (n, D)
        NaN where a sequence has no value of a feature. A sequence that is constant but for rounding
        has the deviation 0.
    """

    means: Array
    deviations: Array


def own_scale(sequences: Sequences, features: slice = slice(None)) -> OwnScale:
    """Return the mean and the deviation of some of D features of each sequence, in float64.

    Parameters
    ----------
    sequences : Sequences
    features : slice, default=all
        Of the D; both arrays have a column for each, (n, D').
    """
    shape = sequences.n_sequences, len(range(sequences.values.shape[1])[features])
    means, variances = np.full(shape, np.nan), np.full(shape, np.nan)
    rounding = np.finfo(np.float64).eps
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for chosen in _some_at_a_time(sequences):
            lengths = sequences.lengths_of(chosen)
            first, starts = sequences.offsets[chosen[0]], sequences.offsets[chosen]
            rows = slice(first, starts[-1] + lengths[-1])
            values = sequences.values[rows, features].astype(np.float64)
            starts = starts - first
            is_missing = np.isnan(values)
            counts = np.add.reduceat(~is_missing, starts, axis=0, dtype=np.intp)
            values[is_missing] = 0
            means[chosen] = np.add.reduceat(values, starts, axis=0) / counts
            values -= np.repeat(means[chosen], lengths, axis=0)
            values[is_missing] = 0
            found = np.add.reduceat(np.square(values, out=values), starts, axis=0) / counts
            # As in `mean_and_scale`: the rounding of a sum of equal numbers.
            error = counts * rounding
            is_constant = found <= error * found + np.square(error * means[chosen])
            variances[chosen] = np.where(is_constant, 0, found)
        return OwnScale(means, np.sqrt(variances, variances))


def _some_features(sequences: Sequences) -> Iterator[slice]:
    """Yield which features to go through at a time: one at least."""
    at_once = max(1, _MOST_SCALES // max(1, sequences.n_sequences))
    for start in range(0, sequences.values.shape[1], at_once):
        yield slice(start, start + at_once)


def _some_at_a_time(sequences: Sequences) -> Iterator[Indices]:
    """Yield the sequences that have a step, some at a time."""
    present = np.flatnonzero(sequences.lengths)
    n_steps = max(1, _BLOCK_SIZE // sequences.values.shape[1])
    blocks = sequences.offsets[present] // n_steps
    bounds = np.flatnonzero(np.diff(blocks)) + 1
    yield from (chosen for chosen in np.split(present, bounds) if len(chosen))


class BesideScale:
    """The steps of sequences in units of their own scale, and that scale beside them.

    As the `values` of `Sequences`, in float64, of which rows are made whenever they are taken: so
    nothing as large as the sequences is held.

    Parameters
    ----------
    sequences : Sequences
        D features of a step.
    measure : ndarray of shape (3, D)
        See `measure_of`.
    stamps : int or None
        The feature that holds time stamps: it stays as it is, and has no scale.

    Attributes
    ----------
    scaled : ndarray of bool of shape (D,)
        Which features have a scale, D' of them.
    divisors : ndarray of shape (n, D)
        The values of each sequence are divided by them; infinity where they are constant.
    scales : ndarray of shape (n, 2 · D')
        The scale of each sequence: its means and the logarithms of its deviations.
    shape : tuple of int
        (total steps, D + 2 · D'): the values, then the means, then the logarithms.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, sequences: Sequences, measure: Array, stamps: int | None) -> None:
        level, unit, least = measure
        self._values, self._offsets = sequences
        own = own_scale(sequences)
        self.scaled = np.ones(len(level), bool)
        if stamps is not None:
            self.scaled[stamps] = False
        n_scaled = np.count_nonzero(self.scaled)
        self.scales = np.empty((len(own.means), 2 * n_scaled))
        with np.errstate(over="ignore", invalid="ignore"):
            self.scales[:, :n_scaled] = ((own.means - level) / unit)[:, self.scaled]
            self.divisors = np.maximum(own.deviations, least)
            self.scales[:, n_scaled:] = np.log(self.divisors / unit)[:, self.scaled]
        self.divisors[own.deviations == 0] = np.inf
        self.divisors[:, ~self.scaled] = 1
        self._centers = own.means
        self._centers[:, ~self.scaled] = 0
        self.shape = len(self._values), len(level) + self.scales.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Indices) -> Array:
        return self.take(np.arange(len(self))[rows] if isinstance(rows, slice) else rows)

    @property
    def nbytes(self) -> int:
        """How many bytes the values take from which the rows are made."""
        return int(self._values.nbytes)

    @property
    def sequences(self) -> Sequences:
        """The sequences with these steps."""
        return Sequences(cast("NDArray[Any]", self), self._offsets)

    def take(
        self, rows: Indices, axis: int = 0, out: Array | None = None, mode: str = "clip"
    ) -> Array:
        """Return some rows, as `ndarray.take` does along the first axis."""
        n_features = self.divisors.shape[1]
        found = np.empty((*rows.shape, self.shape[1])) if out is None else out
        rows = np.clip(rows, 0, len(self) - 1)
        sequence = self.sequence_of(rows)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._values[rows] - self._centers[sequence]
            np.divide(values, self.divisors[sequence], out=found[..., :n_features])
        found[..., n_features:] = self.scales[sequence]
        return found

    def sequence_of(self, rows: Indices) -> Indices:
        """Return which sequence each row belongs to."""
        return np.searchsorted(self._offsets, rows, side="right") - 1

    def contains_nan(self) -> bool:
        """Whether any value is missing."""
        return contains_nan(self._values)

    def slopes(self) -> Array:
        """Return the derivative of all columns by the values, whose scale counts as given."""
        of_rows = self.sequence_of(np.arange(len(self)))
        nothing = np.zeros((len(self), self.scales.shape[1]))
        return np.hstack([1 / self.divisors[of_rows], nothing])

    def repeat(self, numbers: Array) -> Array:
        """Return numbers (S, D) that belong to the values, and again to their scale: all columns.

        What belongs to the scale of a value that is missing is that of the value last seen, in
        front of the first one that of the first.
        """
        rows = _seen_rows(~np.isnan(self._values), self._offsets)
        nearby = np.take_along_axis(numbers, rows, axis=0)[:, self.scaled]
        return np.hstack([numbers, nearby, nearby])


def _seen_rows(is_seen: NDArray[np.bool_], offsets: Indices) -> Indices:
    """Return the row of the value last seen at each step, or of the first one seen after it."""
    n = len(is_seen)
    rows = np.arange(n)[:, None]
    before = np.maximum.accumulate(np.where(is_seen, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(is_seen, rows, n - 1)[::-1], axis=0)[::-1]
    starts = np.repeat(offsets[:-1], np.diff(offsets))[:, None]
    return np.where(before >= starts, before, after)


def measure_of(sequences: Sequences, level: Array, unit: Array) -> Array:
    """Return what the scales of sequences are measured by: the level, the unit, the least.

    Parameters
    ----------
    sequences : Sequences
        To train on.
    level, unit : ndarray of shape (D,)
        Mean and deviation of all their values.

    Returns
    -------
    measure : ndarray of shape (3, D)
        The last is the least deviation of a sequence that is not constant: one that varies less is
        read as if it varied so much.
    """
    least = np.empty(len(unit))
    for features in _some_features(sequences):
        deviations = own_scale(sequences, features).deviations
        least[features] = np.min(deviations, axis=0, where=deviations > 0, initial=np.inf)
    return np.stack([level, unit, np.where(np.isinf(least), unit, least)])


def center_and_scale_of_scales(scales: Array, weights: Array) -> tuple[Array, Array]:
    """Return by what the scales of sequences are scaled: their means and deviations.

    Parameters
    ----------
    scales : ndarray of shape (n, 2 · D')
        That of `BesideScale`.
    weights : ndarray of shape (n,)
    """
    center, scale = mean_and_scale(scales, weights, "X")
    return center, np.maximum(scale, _LEAST_DIFFERENCE)


def small_magnitude(
    sequences: Sequences, weights: Array, unit: Array, scaled: NDArray[np.bool_]
) -> float:
    """Return the magnitude of small sequences: a tenth of them is smaller.

    Magnitude is the root of the mean of the squares of the values, in units of the deviation of all
    values. So a sequence that hardly varies, but at a level that tells, is not small.

    Parameters
    ----------
    sequences : Sequences
    weights : ndarray of shape (n,)
    unit : ndarray of shape (D,)
        The deviation of all values.
    scaled : ndarray of bool of shape (D,)
        Which features count.

    Returns
    -------
    magnitude : float
        The tenth percentile over the sequences; those that are constant, but for rounding in single
        precision, do not count. Of several features the median; infinity if there are none that
        vary within a sequence.
    """
    found: list[float] = []
    for features in _some_features(sequences):
        found += _small_magnitudes(sequences, features, weights, unit[features], scaled[features])
    return float(np.median(found)) if found else np.inf


def _small_magnitudes(
    sequences: Sequences, features: slice, weights: Array, unit: Array, scaled: NDArray[np.bool_]
) -> list[float]:
    """Return the magnitude of small sequences in each of some features that vary."""
    means, deviations = own_scale(sequences, features)
    for array in (means, deviations):
        np.divide(array, unit, array)
    magnitudes = np.hypot(means, deviations, means)  # in their place: there is a row a sequence
    varies = deviations > np.finfo(np.float32).eps * np.maximum(1, magnitudes)
    found = []
    for j in np.flatnonzero(scaled & varies.any(axis=0)):
        of_feature, weight = magnitudes[varies[:, j], j], weights[varies[:, j]]
        order = np.argsort(of_feature, kind="stable")
        cumulated = np.cumsum(weight[order])
        found.append(of_feature[order][np.searchsorted(cumulated, 0.1 * cumulated[-1])])
    return found
