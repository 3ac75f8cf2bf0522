"""Bands around forecasts, calibrated by the errors of later windows (split conformal prediction).

The errors, each divided by the width that the forecast gives to its side, of windows that the model
was not fitted to; their quantiles, with the correction for a finite number of them, are how far the
truth is from a forecast (Vovk et al., 2005; Lei et al., 2018). A quantile for each step ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skgru._forecasting.networks import Forecast
from skgru._forecasting.window import Array, Indices, Windows

# Fewer errors at a step ahead tell nothing of its quantiles.
_MIN_ERRORS = 20
_MAX_ERRORS = 2_000
# Errors of one source that outweigh those of all by half.
_HALF = 30.0


class Calibration(NamedTuple):
    """Errors of forecasts.

    Attributes
    ----------
    errors : ndarray of shape (n_errors, horizon)
        In widths of the forecast, sorted, NaN last.
    factors : dict of int to float
        How much larger than those of all the errors of a source are.
    level : float, default=0.5
        The quantile that forecasts are.
    """

    errors: Array
    factors: dict[int, float]
    level: float = 0.5

    def quantile(self, forecast: Forecast, owners: Indices, level: float, horizon: int) -> Array:
        """Return the quantile of some level of the steps ahead."""
        error = self._error(level)[np.minimum(np.arange(horizon), self.errors.shape[1] - 1)]
        if level == self.level:
            error = np.zeros_like(error)
        factor = np.array([self.factors.get(int(owner), 1.0) for owner in owners])[:, np.newaxis]
        side = np.where(error < 0, forecast.below, forecast.above)
        return np.asarray(forecast.center + factor * error * side)

    def around(self, level: float) -> tuple[Calibration, Array]:
        """Return itself around the quantile of some level, and that, in widths, at each step."""
        error = self._error(level)
        return self._replace(errors=self.errors - error, level=level), error

    def _error(self, level: float) -> Array:
        """Return the quantile of the errors at each step ahead of the horizon."""
        count = np.sum(~np.isnan(self.errors), axis=0)
        # The k-th least of n errors is the quantile k / (n + 1): from both ends outwards.
        rank = np.ceil if level > 0.5 else np.floor
        place = np.clip(rank(level * (count + 1)).astype(int) - 1, 0, np.maximum(count - 1, 0))
        return np.asarray(np.take_along_axis(self.errors, place[np.newaxis], axis=0)[0])


def calibrate(held_out: Sequence[tuple[Windows, Forecast]]) -> Calibration | None:
    """Return the calibration by forecasts for windows that the model was not fitted to."""
    if not held_out:
        return None
    errors = np.concatenate([_errors(windows, forecast) for windows, forecast in held_out])
    owners = np.concatenate([windows.owners for windows, _ in held_out])
    if np.sum(~np.isnan(errors), axis=0).min() < _MIN_ERRORS:
        return None
    total = float(np.nanmean(np.square(errors)))
    factors = {}
    if total > 0:
        for owner in np.unique(owners):
            own = errors[owners == owner]
            n = float(len(own))
            share = np.nanmean(np.square(own)) / total if np.isfinite(own).any() else 1.0
            factors[int(owner)] = float(np.sqrt((n * share + _HALF) / (n + _HALF)))
    errors = errors / np.array([factors.get(int(owner), 1.0) for owner in owners])[:, np.newaxis]
    step = -(-len(errors) // _MAX_ERRORS)
    return Calibration(np.sort(errors[::step], axis=0), factors)


def _errors(windows: Windows, forecast: Forecast) -> Array:
    error = windows.ahead - forecast.center
    return np.asarray(error / np.where(error < 0, forecast.below, forecast.above))
