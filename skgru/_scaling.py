"""Scaling of features and targets inside the estimators, as plain arrays."""

import numpy as np
from sklearn.preprocessing import StandardScaler

_ROWS_AT_A_TIME = 65_536


def mean_and_scale(values, weights, name):
    """Return the weighted mean and standard deviation of each column, in float64.

    Columns that are constant, and those of an empty array, get the scale 1.

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
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(np.asarray(values, np.float64), sample_weight=weights)
    if not (np.isfinite(scaler.mean_).all() and np.isfinite(scaler.var_).all()):
        raise ValueError(f"The variance of {name} overflows: expected values below about 1e150.")
    return scaler.mean_, scaler.scale_


def scale_values(values, mean, scale, dtype):
    """Return (values − mean) / scale in `dtype`; computed in the wider type, rows at a time.

    Raises
    ------
    ValueError
        If a value is too large for `dtype`.
    """
    scaled = np.empty(values.shape, dtype)
    with np.errstate(over="ignore"):
        for start in range(0, len(values), _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            scaled[rows] = (values[rows] - mean) / scale
    if not np.isfinite(scaled).all():
        raise ValueError(
            f"Input X contains a value too large for {np.dtype(dtype).name} (after scaling); "
            'expected smaller values, or dtype="float64".'
        )
    return scaled
