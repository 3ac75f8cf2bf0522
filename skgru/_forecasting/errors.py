"""Errors of forecasts: each one's, and their means over groups.

Means are sums by group, as there may be many thousand groups: steps ahead, series, origins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skgru._forecasting.window import Array, Indices


class Band(NamedTuple):
    """Bands around forecasts.

    Attributes
    ----------
    lower, upper : ndarray of shape (n,)
    coverage : float, the probability with which they are to hold the truth
    """

    lower: Array
    upper: Array
    coverage: float


def seasonal_scale(values: Array, season: int) -> float:
    """Return the mean absolute error of the seasonal naive forecast one season ahead.

    The scale of the mean absolute scaled error, MASE (Hyndman & Koehler, 2006). NaN where it is 0,
    and where no two known values are a season apart.

    Parameters
    ----------
    values : ndarray of shape (n_steps,), NaN where missing
    season : int
    """
    changes = np.abs(values[season:] - values[:-season])
    changes = changes[~np.isnan(changes)]
    scale = float(changes.mean()) if len(changes) else 0.0
    return scale if scale > 0 else np.nan


def pinball_loss(truth: Array, quantile: Array, level: float) -> Array:
    """Return the pinball loss of each forecast of a quantile, whose mean is scikit-learn's."""
    difference = truth - quantile
    loss: Array = np.maximum(level * difference, (level - 1) * difference)
    return loss


def mean_by_group(values: Array, groups: Indices, n_groups: int) -> Array:
    """Return the mean of the values of each group that are not NaN; NaN where there are none."""
    there = ~np.isnan(values)
    total = np.bincount(groups[there], values[there], n_groups)
    count = np.bincount(groups[there], minlength=n_groups)
    means = np.full(n_groups, np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def errors_by_group(
    truth: Array,
    forecast: Array,
    scale: Array,
    band: Band | None,
    groups: Indices,
    n_groups: int,
) -> dict[str, Array]:
    """Return the errors of the forecasts of each group, as arrays of shape (n_groups,) by name.

    Parameters
    ----------
    truth, forecast : ndarray of shape (n,)
        Where the truth is NaN, nothing counts.
    scale : ndarray of shape (n,)
        What absolute errors are divided by for MASE; NaN where there is none.
    band : Band or None
        Without one, its errors are NaN.
    groups : ndarray of int of shape (n,)
    n_groups : int
    """
    error = np.abs(truth - forecast)
    absent = np.full(len(truth), np.nan)
    pinball, is_inside, width = absent, absent, absent
    if band is not None:
        ends = (band.lower, (1 - band.coverage) / 2), (band.upper, (1 + band.coverage) / 2)
        pinball = np.mean([pinball_loss(truth, end, level) for end, level in ends], axis=0)
        inside = (band.lower <= truth) & (truth <= band.upper)
        unknown = np.isnan(truth + band.lower + band.upper)
        is_inside = np.where(unknown, np.nan, inside)
        width = np.where(unknown, np.nan, band.upper - band.lower)
    columns = {
        "MAE": error,
        "RMSE": np.square(error),
        "MASE": error / scale,
        "pinball": pinball,
        "coverage": is_inside,
        "width": width,
    }
    errors = {name: mean_by_group(column, groups, n_groups) for name, column in columns.items()}
    errors["RMSE"] = np.sqrt(errors["RMSE"])
    return errors
