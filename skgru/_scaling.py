"""Scaling of features and targets inside the estimators, as plain arrays."""

import numpy as np

_BLOCK_SIZE = 32_768  # numbers, in float64 a share of the second-level cache


def mean_and_scale(values, weights, name):
    """Return the weighted mean and standard deviation of each column, in float64.

    They are those of scikit-learn's `StandardScaler`, found without a copy of the values: two
    passes, a block of rows at a time. Columns that are constant but for rounding, and those of an
    empty array, get the scale 1.

    Parameters
    ----------
    values : ndarray of shape (n, D)
    weights : ndarray of shape (n,)
    name : str
        What to call the values in the error.

    Raises
    ------
    ValueError
        If the values are so large that their variance overflows.
    """
    n_columns = values.shape[1]
    if len(values) == 0:
        return np.zeros(n_columns), np.ones(n_columns)
    total = weights.sum()
    mean, variance = np.zeros(n_columns), np.zeros(n_columns)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _blocks_of_rows(values):
            mean += weights[rows] @ values[rows].astype(np.float64, copy=False)
        mean /= total
        for rows in _blocks_of_rows(values):
            deviation = values[rows] - mean
            variance += weights[rows] @ np.square(deviation, out=deviation)
        variance /= total
        # The rounding of a sum of n equal numbers, as in scikit-learn.
        error = len(values) * np.finfo(np.float64).eps
        is_constant = variance <= error * variance + np.square(error * mean)
    if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
        raise ValueError(f"The variance of {name} overflows: expected values below about 1e150.")
    return mean, np.where(is_constant, 1.0, np.sqrt(variance))


def scale_values(values, mean, scale, dtype, *, in_place=False):
    """Return (values − mean) / scale in `dtype`; computed in the wider type, a block at a time.

    With `in_place`, the values are written over if they have that type.

    Raises
    ------
    ValueError
        If a value is too large for `dtype`.
    """
    in_place = in_place and values.dtype == dtype
    scaled = values if in_place else np.empty(values.shape, dtype)
    with np.errstate(over="ignore"):
        for rows in _blocks_of_rows(values):
            scaled[rows] = (values[rows] - mean) / scale
    if not np.isfinite(scaled).all():
        raise ValueError(
            f"Input X contains a value too large for {np.dtype(dtype).name} (after scaling); "
            'expected smaller values, or dtype="float64".'
        )
    return scaled


def _blocks_of_rows(values):
    """Yield slices that cover all rows."""
    n_rows = max(1, _BLOCK_SIZE // values.shape[1])
    for start in range(0, len(values), n_rows):
        yield slice(start, start + n_rows)
