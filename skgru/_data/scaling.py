"""Scaling of features and targets inside the estimators, as plain arrays.

NaN is a missing value: it counts for nothing and stays NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skgru._data.step_weights import StepWeights
from skgru._nn.batch import Array

_BLOCK_SIZE = 32_768  # numbers, in float64 a share of the second-level cache
CLIP = 3.0
LARGEST = 1e150

# From which quantile to which: the first range that is not empty is the scale.
_RANGES = ((0.25, 0.75), (0.1, 0.9), (0.05, 0.95), (0.01, 0.99), (0.0, 1.0))


def mean_and_scale(
    values: NDArray[Any], weights: Array | StepWeights, name: str, *, ignored: int | None = None
) -> tuple[Array, Array]:
    """Return the weighted mean and standard deviation of each column, in float64.

    They are those of scikit-learn's `StandardScaler`, found without a copy of the values: two
    passes, a block of rows at a time. Columns that are constant but for rounding, and those of an
    empty array, get the scale 1. A column that is wholly missing has mean and scale NaN.

    Parameters
    ----------
    values : ndarray of shape (n, D)
    weights : ndarray of shape (n,) or StepWeights
    name : str
        The name of the values in the error.
    ignored : int, default=None
        The index of a column that counts as one of zeros.

    Raises
    ------
    ValueError
        If the values are so large that their variance overflows.
    """
    n_columns = values.shape[1]
    if len(values) == 0:
        return np.zeros(n_columns), np.ones(n_columns)
    mean, total = mean_and_weight(values, weights, ignored=ignored)
    variance = np.zeros(n_columns)
    has_missing = contains_nan(values)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _blocks_of_rows(values):
            deviation = values[rows] - mean
            if ignored is not None:
                deviation[:, ignored] = 0
            if has_missing:
                deviation[np.isnan(deviation)] = 0
            variance += weights[rows] @ np.square(deviation, out=deviation)
        variance /= total
        # The rounding of a sum of n equal numbers, as in scikit-learn.
        error = len(values) * np.finfo(np.float64).eps
        is_constant = variance <= error * variance + np.square(error * mean)
    if not (np.isfinite(mean) & np.isfinite(variance) | (total == 0)).all():
        raise ValueError(f"The variance of {name} overflows: expected values below about 1e150.")
    return mean, np.where(is_constant, 1.0, np.sqrt(variance))


def mean_and_weight(
    values: NDArray[Any], weights: Array | StepWeights, *, ignored: int | None = None
) -> tuple[Array, Array | np.floating]:
    """Return the weighted mean of each column, in float64, and the weight of its values.

    A column without any value has mean NaN and weight 0, one of an empty array mean 0.

    Parameters
    ----------
    values : ndarray of shape (n, D)
    weights : ndarray of shape (n,) or StepWeights
    ignored : int, default=None
        The index of a column that counts as one of zeros.
    """
    has_missing = contains_nan(values)
    total: Any = weights.sum()
    mean = np.zeros(values.shape[1])
    if len(values) == 0:
        return mean, total
    with np.errstate(over="ignore", invalid="ignore"):
        if has_missing:
            total = sum(weights[rows] @ ~np.isnan(values[rows]) for rows in _blocks_of_rows(values))
        for rows in _blocks_of_rows(values):
            block = values[rows].astype(np.float64, copy=ignored is not None)
            if ignored is not None:
                block[:, ignored] = 0
            mean += weights[rows] @ (np.nan_to_num(block) if has_missing else block)
        return mean / total, total


def median_and_scale(
    values: NDArray[Any], weights: Array | StepWeights, *, ignored: int | None = None
) -> tuple[Array, Array]:
    """Return the weighted median and interquartile range of each column, in float64.

    Where the quartiles are equal, a wider range of quantiles is taken; a constant column gets the
    scale 1, a wholly missing one median and scale NaN.

    Parameters
    ----------
    values : ndarray of shape (n, D)
    weights : ndarray of shape (n,) or StepWeights
    ignored : int, default=None
        The index of a column that counts as one of zeros.

    Raises
    ------
    ValueError
        If the values are so large that their range overflows.
    """
    n_columns = values.shape[1]
    if len(values) == 0:
        return np.zeros(n_columns), np.ones(n_columns)
    median, scale = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    for j in range(n_columns):
        if j == ignored:
            median[j], scale[j] = 0.0, 1.0
            continue
        seen = np.flatnonzero(~np.isnan(values[:, j]))
        column = values[seen, j].astype(np.float64)
        if len(column) == 0:
            continue
        order = np.argsort(column, kind="stable")
        column, share = column[order], np.cumsum(weights[seen][order])
        share /= share[-1]

        def quantile(q: float, column: Array = column, share: Array = share) -> np.floating:
            value: np.floating = column[min(int(np.searchsorted(share, q)), len(column) - 1)]
            return value

        median[j] = quantile(0.5)
        with np.errstate(over="ignore"):
            ranges = (quantile(high) - quantile(low) for low, high in _RANGES)
            scale[j] = next((width for width in ranges if width > 0), 1.0)
        if np.isinf(scale[j]):
            raise ValueError(
                f"The range of feature {j} of X overflows: expected values below about 1e300."
            )
    return median, scale


def scale_values(
    values: NDArray[Any],
    center: Array,
    scale: Array,
    dtype: DTypeLike,
    *,
    clip: bool = False,
    in_place: bool = False,
) -> Array:
    """Return (values − center) / scale in `dtype`; computed in the wider type, a block at a time.

    With `clip`, a result z becomes z / √(1 + (z / 3)²), which lies between -3 and 3. With
    `in_place`, the values are written over if they have that type.

    Raises
    ------
    ValueError
        If a value is too large for `dtype`.

    References
    ----------
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024: robust scaling and the smooth clip.
    """
    in_place = in_place and values.dtype == dtype
    scaled = values if in_place else np.empty(values.shape, dtype)
    with np.errstate(over="ignore"):
        for rows in _blocks_of_rows(values):
            z = (values[rows] - center) / scale
            if clip:
                np.clip(z, -LARGEST, LARGEST, out=z)  # of which the square is finite
                z /= np.sqrt(1 + np.square(z / CLIP))
            scaled[rows] = z
    if np.isinf(scaled).any():
        raise ValueError(
            f"Input X contains a value too large for {np.dtype(dtype).name} (after scaling); "
            'expected smaller values, or dtype="float64".'
        )
    return scaled


def slopes_of_scaled(
    values: NDArray[Any], center: Array, scale: Array, *, clip: bool = False
) -> Array:
    """Return the derivative of `scale_values` by each value, in float64."""
    slopes: Array = np.broadcast_to(1 / scale, values.shape).copy()
    if clip:
        z = np.clip((values - center) / scale, -LARGEST, LARGEST)
        slopes *= (1 + np.square(z / CLIP)) ** -1.5
    return slopes


def contains_nan(values: NDArray[Any]) -> bool:
    """Whether any value is NaN; without infinities, a sum says so."""
    with np.errstate(over="ignore", invalid="ignore"):
        surely_not = values.dtype.kind != "f" or np.isfinite(values.sum())
    if surely_not:
        return False
    n = max(1, _BLOCK_SIZE // max(1, values[:1].size))
    return any(np.isnan(values[i : i + n]).any() for i in range(0, len(values), n))


def count_nan(values: NDArray[Any]) -> int:
    """Return how many values are NaN."""
    if not contains_nan(values):
        return 0
    return sum(int(np.isnan(values[rows]).sum()) for rows in _blocks_of_rows(values))


def _blocks_of_rows(values: NDArray[Any]) -> Iterator[slice]:
    """Yield slices that cover all rows."""
    n_rows = max(1, _BLOCK_SIZE // values.shape[1])
    for start in range(0, len(values), n_rows):
        yield slice(start, start + n_rows)
