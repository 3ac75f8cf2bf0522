"""Windows relative to themselves: what a network reads where the level of series drifts.

The values of a window, and those that follow it, less the window's base (its last value, or the
mean of its last steps) and divided by its scale (its deviation). After reversible instance
normalization (Kim et al., 2022) and the last value that SegRNN takes off (Lin et al., 2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skgru._forecasting.window import Array, Windows, filled

# Shares of the windows' root mean square deviation, added in squares to each window's own: a flat
# window is no reason to blow up its noise.
_LEAST_DEVIATION = 0.1
_MAX_TYPICAL = 10.0  # times the median
# In deviations of the series: what is not above zero has this logarithm, and none is higher.
_LEAST_VALUE, _MAX_LOG = 1e-6, 50.0
# In units of a window: what is read of values is no further from zero, so that a value out of all
# proportion cannot overflow single precision.
_MAX_READ = 1e15
# What is learned, and what ridges read and say, lies no further from the range of the values that
# were learned from than by this share of it, and no further from the range of most of them than by
# so many times that: an outlier is learned as such, and not what it was.
_BEYOND_RANGE, _BEYOND_MOST = 0.5, 10.0
# Values, and the share of them, at each end that are not most of them; how many of them tell.
_FEW, _SHARE, _MAX_TO_LIMIT = 3, 0.01, 1_000


class Rule(NamedTuple):
    """What windows are relative to.

    Attributes
    ----------
    base_steps : int
        The base is the mean of so many last steps; of 0, it is zero.
    is_scaled : bool
        Whether values are divided by the window's deviation.
    is_log : bool
        Whether logarithms are taken first, of values that are all positive: where a season grows
        with the level.
    shows_level : bool
        Whether base and scale are features too: where series return to a level.
    """

    base_steps: int
    is_scaled: bool
    is_log: bool
    shows_level: bool

    @property
    def is_count(self) -> bool:
        """Whether values are taken as they are: counts, none of which is below zero."""
        return self.base_steps == 0


class Relative(NamedTuple):
    """Windows relative to themselves.

    Attributes
    ----------
    values : ndarray of shape (n_windows, window), without missing values, limited
    base, scale : ndarray of shape (n_windows, 1)
    unit : ndarray of shape (n_windows, 1), what one of the relative values is, at the base
    width : ndarray of shape (n_windows, 1)
        How far forecasts may be off, up to a factor: the deviation; of logarithms, the unit.
    is_log : bool
    """

    values: Array
    base: Array
    scale: Array
    unit: Array
    width: Array
    is_log: bool

    def of(self, values: Array) -> Array:
        """Return other values of the same windows relative to them."""
        return (_log(values, self.is_log) - self.base) / self.scale

    def absolute(self, values: Array) -> Array:
        """Return relative values as they were."""
        result = self.base + self.scale * values
        return np.exp(np.minimum(result, _MAX_LOG)) if self.is_log else result


def least_deviation(windows: Windows, rule: Rule) -> float:
    """Return what is added, in squares, to the deviation of each window."""
    deviations = _log(filled(windows.history), rule.is_log).std(axis=1)
    typical = float(np.sqrt(np.mean(np.square(deviations)))) if len(deviations) else 0.0
    median = float(np.median(deviations)) if len(deviations) else 0.0
    if median > 0:  # outliers make the mean, not the median
        typical = min(typical, _MAX_TYPICAL * median)
    return _LEAST_DEVIATION * typical if typical > 0 else 1.0


def relative(windows: Windows, rule: Rule, least: float) -> Relative:
    """Return windows relative to themselves, by a rule."""
    history = _log(filled(windows.history), rule.is_log)
    base = np.zeros((len(history), 1))
    if rule.base_steps:
        base = history[:, -rule.base_steps :].mean(axis=1, keepdims=True)
    deviation = np.hypot(history.std(axis=1, keepdims=True), least)
    scale = deviation if rule.is_scaled else np.ones_like(base)
    unit = scale * np.exp(np.minimum(base, _MAX_LOG)) if rule.is_log else scale
    width = unit if rule.is_log else deviation
    return Relative(limited((history - base) / scale), base, scale, unit, width, rule.is_log)


def limited(values: Array) -> Array:
    """Return values as they are read."""
    return np.clip(values, -_MAX_READ, _MAX_READ)


def limits_of(values: Array) -> tuple[Array, Array]:
    """Return the least and the largest value that each column is taken to have."""
    least, largest = values.min(axis=0), values.max(axis=0)
    beyond = _BEYOND_RANGE * (largest - least)
    some = values[:: -(-len(values) // _MAX_TO_LIMIT)]
    share = min(max(_FEW / len(some), _SHARE), 0.25)
    low, high = np.quantile(some, (share, 1 - share), axis=0)
    far = np.where(high > low, _BEYOND_MOST * (high - low), np.inf)
    return np.maximum(least - beyond, low - far), np.minimum(largest + beyond, high + far)


def _log(values: Array, is_log: bool) -> Array:
    return np.log(np.maximum(values, _LEAST_VALUE)) if is_log else values
