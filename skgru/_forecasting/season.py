"""The season of series: the number of steps after which they resemble themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Fewer cycles than these cannot be told from a trend that turns.
_MIN_CYCLES = 4
# Least autocorrelation at the season, of the series without its trend and of its changes: white
# noise and random walks stay below both. At the seasons of the calendar less is asked.
_MIN_LEVEL, _MIN_CHANGES, _MIN_OF_CALENDAR = 0.5, 0.3, 0.1
# Standard deviations of the autocorrelation of noise that a peak is above zero.
_MIN_DEVIATIONS = 3.0
# A shorter season is preferred whose autocorrelation is at least this share of the highest.
_SHARE = 0.9
# A peak lies so near to a season of the calendar, as a share of it, to count as that one.
_BESIDE = 0.05
# Least share of the series that agree on a season.
_MIN_AGREEMENT = 0.25
# Quantiles: values further from these than they are from each other are outliers.
_MOST = 0.01, 0.99
# So many series, and so many of their last steps, tell the season.
_MAX_SERIES, _MAX_STEPS = 50, 20_000


def find_season(series: Sequence[Array], of_calendar: Sequence[int] = ()) -> int:
    """Return the season of series, in steps; 1 if they have none.

    It is a peak of the autocorrelation, of a series without its linear trend or of its changes
    from step to step, whichever is higher; and of several series the season that most of those
    have that have one.

    Parameters
    ----------
    series : list of ndarray of shape (n_steps_i,)
        Missing values are NaN.

    of_calendar : sequence of int, default=()
        The seasons that the calendar suggests, such as 24 for hours.
    """
    longest = sorted(series, key=len, reverse=True)[:_MAX_SERIES]
    found = Counter(_season_of(_fill(values[-_MAX_STEPS:]), of_calendar) for values in longest)
    seasons = [(n, season) for season, n in found.items() if season > 1]
    n, season = max(seasons, default=(0, 1), key=lambda pair: (pair[0], -pair[1]))
    return season if n >= _MIN_AGREEMENT * len(longest) else 1


def _season_of(values: Array, of_calendar: Sequence[int]) -> int:
    """Return the season of one series without missing values, 1 if it has none."""
    n_lags = len(values) // _MIN_CYCLES
    if n_lags < 2:
        return 1
    _, exponent = np.frexp(np.abs(values).max())
    values = np.ldexp(values, -exponent)  # the squares of huge and of tiny values are no numbers
    low, high = np.quantile(values, _MOST)
    if high > low:  # one outlier would hide any season
        values = np.clip(values, low - (high - low), high + (high - low))
    noise = _MIN_DEVIATIONS / np.sqrt(len(values))
    level = _autocorrelation(_without_trend(values), n_lags)
    changes = _autocorrelation(np.diff(values), n_lags)
    height, season = max(
        _peak(level, max(_MIN_LEVEL, noise)), _peak(changes, max(_MIN_CHANGES, noise))
    )
    if height > 0:
        # A peak found a little beside a season of the calendar is that season.
        near = [m for m in of_calendar if abs(m - season) <= _BESIDE * m]
        return min(near, key=lambda m: abs(m - season), default=season)
    least = max(_MIN_OF_CALENDAR, noise)
    for season in of_calendar:
        if 1 < season < n_lags and any(_is_peak(c, season, least) for c in (level, changes)):
            return season
    return 1


def _is_peak(correlation: Array, lag: int, least: float) -> bool:
    """Whether the autocorrelation at a lag is higher than at those around it, and high enough."""
    around = np.r_[correlation[lag - max(lag // 4, 1) : lag], correlation[lag + 1 : lag + 2]]
    return bool(correlation[lag] >= least and correlation[lag] > around.max())


def _fill(values: Array) -> Array:
    """Return a series whose missing values are those between their neighbours."""
    present = np.isfinite(values)
    if present.all() or not present.any():
        return np.nan_to_num(values)
    steps = np.arange(len(values))
    return np.asarray(np.interp(steps, steps[present], values[present]))


def _without_trend(values: Array) -> Array:
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    centered = values - values.mean()
    return np.asarray(centered - steps * (steps @ centered) / max(steps @ steps, 1.0))


def _autocorrelation(values: Array, n_lags: int) -> Array:
    """Return the autocorrelation at the lags 0 to n_lags, zeros for a series without variance."""
    centered = values - values.mean()
    power = centered @ centered
    if power <= 1e-12 * max(float(values @ values), 1e-300):
        return np.zeros(n_lags + 1)
    spectrum = np.fft.rfft(centered, 2 * len(centered))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: n_lags + 1] / power
    # The sum at a lag has fewer terms: their mean is compared.
    scaled: Array = correlation * len(centered) / (len(centered) - np.arange(n_lags + 1))
    return scaled


def _peak(correlation: Array, least: float) -> tuple[float, int]:
    """Return height and lag of the first peak that is about as high as the highest, or (0, 1)."""
    inner = correlation[1:-1]
    is_peak = (inner > correlation[:-2]) & (inner >= correlation[2:])
    lags = np.flatnonzero(is_peak) + 1
    # What falls slowly from lag 0 peaks by chance on its way down: a season comes after a valley.
    valley = np.minimum.accumulate(correlation)[lags]
    lags = lags[(lags > 1) & (correlation[lags] - valley >= least / 2)]
    if not len(lags) or correlation[lags].max() < least:
        return 0.0, 1
    highest = correlation[lags].max()
    first = lags[correlation[lags] >= _SHARE * highest][0]
    # Ripples of noise around a broad peak: the highest near the first that is high enough.
    near = lags[(lags >= first) & (lags <= first + first // 4)]
    return float(highest), int(near[np.argmax(correlation[near])])
