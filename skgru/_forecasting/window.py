"""Windows of series, and what is known and asked of the steps that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# From so many windows on, there are many to learn from.
MANY_WINDOWS = 5_000
_MIN_WINDOW, _MAX_WINDOW = 24, 192
# Seasons of a window, and how often it fits into the longest series at least, where windows are few
# and where they are many.
_SEASONS, _MIN_TIMES = (2, 4), (4, 3)


class Source(NamedTuple):
    """One target of one series, and what is known beside it.

    Attributes
    ----------
    values : ndarray of shape (n_steps,), in units of the series' deviation, NaN where missing
    covariates : ndarray of shape (n_steps + n_ahead, n_covariates)
    known : ndarray of shape (n_steps + n_ahead, n_known), the covariates known in the future
    calendar : ndarray of shape (n_steps + n_ahead, n_calendar), features of the times
    static : ndarray of shape (n_static,)
    places_of_known : tuple of int, default=()
        Which of the covariates are those known in the future.
    """

    values: Array
    covariates: Array
    known: Array
    calendar: Array
    static: Array
    places_of_known: tuple[int, ...] = ()

    def until(self, origin: int) -> Source:
        """Return what is known at a step."""
        covariates = np.full_like(self.covariates, np.nan)
        covariates[: origin + 1] = self.covariates[: origin + 1]
        places = list(self.places_of_known)
        covariates[:, places] = self.covariates[:, places]
        return self._replace(values=self.values[: origin + 1], covariates=covariates)


class Bounds(NamedTuple):
    """Between which covariates count as they are; beyond, as the nearest.

    Attributes
    ----------
    covariates, known : ndarray of shape (2, n_columns), the least and the largest of each
    """

    covariates: Array
    known: Array

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Bounds:
        """Return bounds beyond the range that covariates had, by as much as that is wide."""
        return cls(
            _widened([source.covariates for source in sources]),
            _widened([source.known for source in sources]),
        )

    def limit(self, source: Source) -> Source:
        """Return a source with its covariates inside the bounds."""
        return source._replace(
            covariates=np.clip(source.covariates, *self.covariates),
            known=np.clip(source.known, *self.known),
        )


def _widened(parts: Sequence[Array]) -> Array:
    least = np.min([np.fmin.reduce(part, axis=0, initial=np.inf) for part in parts], axis=0)
    largest = np.max([np.fmax.reduce(part, axis=0, initial=-np.inf) for part in parts], axis=0)
    is_unknown = largest < least
    least[is_unknown], largest[is_unknown] = -np.inf, np.inf
    return np.stack([least - (largest - least), largest + (largest - least)])


class Shape(NamedTuple):
    """What windows are made of.

    Attributes
    ----------
    window : int, the steps of a window
    horizon : int, the steps that follow it
    season : int, 1 if there is none
    """

    window: int
    horizon: int
    season: int


class Windows(NamedTuple):
    """Windows, and what belongs to each.

    Attributes
    ----------
    history : ndarray of shape (n_windows, window), NaN where missing
    covariates : ndarray of shape (n_windows, window, n_covariates)
    known : ndarray of shape (n_windows, horizon, n_known), of the steps ahead
    season_ago : ndarray of shape (n_windows, horizon), the values whole seasons before those steps
    calendar : ndarray of shape (n_windows, n_calendar), of the first step ahead
    static : ndarray of shape (n_windows, n_static)
    ahead : ndarray of shape (n_windows, horizon), the values to be forecast, NaN where unknown
    owners : ndarray of shape (n_windows,), the indices of the sources
    origins : ndarray of shape (n_windows,), the last step of each window in its source
    """

    history: Array
    covariates: Array
    known: Array
    season_ago: Array
    calendar: Array
    static: Array
    ahead: Array
    owners: Indices
    origins: Indices

    def take(self, which: Indices | NDArray[np.bool_] | slice) -> Windows:
        """Return some of the windows."""
        parts: list[Any] = [part[which] for part in self]
        return Windows(*parts)


def find_window(lengths: Sequence[int], season: int, horizon: int) -> int:
    """Return the steps of a window, given those of the series.

    Two seasons, or four where there are many windows; and what is asked ahead is looked back on.
    But series are seen in several windows.
    """

    def found(seasons: int, n_times: int) -> int:
        wanted = max(_MIN_WINDOW, seasons * season, horizon)
        return max(min(wanted, _MAX_WINDOW, max(lengths) // n_times), 1)

    longer = found(_SEASONS[1], _MIN_TIMES[1])
    n_windows = sum(max(n_steps - longer - horizon, 0) for n_steps in lengths)
    return longer if n_windows >= MANY_WINDOWS else found(_SEASONS[0], _MIN_TIMES[0])


def steps_to_fit(shape: Shape, finds_window: bool) -> int:
    """Return how many steps a series needs for a fit; a window that is found grows with it."""
    least = shape.window + shape.horizon + 1
    if not finds_window:
        return least
    h = shape.horizon
    return next(n for n in count(least) if n > find_window([n], shape.season, h) + h)


def cut(sources: Sequence[Source], origins: Sequence[Indices], shape: Shape) -> Windows:
    """Return the windows that end at some steps of each source.

    Steps before the first and after the last of a source are missing. Nothing after a window's last
    step is read but `ahead`, and of the future what is known in it.
    """
    parts = [
        _cut_one(i, source, steps, shape)
        for i, (source, steps) in enumerate(zip(sources, origins, strict=True))
    ]
    return Windows(*map(np.concatenate, zip(*parts, strict=True)))


def last_steps(windows: Windows, n_steps: int) -> Windows:
    """Return windows of their last steps only."""
    return windows._replace(
        history=windows.history[:, -n_steps:], covariates=windows.covariates[:, -n_steps:]
    )


def _cut_one(owner: int, source: Source, origins: Indices, shape: Shape) -> Windows:
    past = origins[:, np.newaxis] + np.arange(1 - shape.window, 1)
    steps = np.arange(1, shape.horizon + 1)
    ahead = origins[:, np.newaxis] + steps
    back = steps - shape.season * -(-steps // shape.season)  # 0 or less: no later than the window
    n = len(origins)
    return Windows(
        _rows(source.values, past),
        _rows(source.covariates, past),
        _rows(source.known, ahead),
        _rows(source.values, origins[:, np.newaxis] + back),
        _rows(source.calendar, origins + 1),
        np.broadcast_to(source.static, (n, len(source.static))),
        _rows(source.values, ahead),
        np.full(n, owner),
        origins,
    )


def _rows(values: Array, steps: Indices) -> Array:
    """Return the rows of some steps, missing where there are none."""
    is_there = (steps >= 0) & (steps < len(values))
    if is_there.all():
        return values[steps]
    rows = np.full((*steps.shape, *values.shape[1:]), np.nan)
    rows[is_there] = values[steps[is_there]]
    return rows


def earlier_and_later(windows: Windows, start: float, stop: float) -> tuple[Indices, Indices]:
    """Return the windows of a span of time, and those before it that know nothing of it.

    Parameters
    ----------
    windows : Windows
    start, stop : float
        The span, as shares of the windows of each source in order of time.

    Returns
    -------
    earlier, later : ndarray of int
        No step ahead of the earlier ones is a step ahead of the later ones of the source.
    """
    horizon = windows.ahead.shape[1]
    first = np.empty(len(windows.origins))
    n_steps = np.empty_like(first)
    for owner in np.unique(windows.owners):
        own = windows.owners == owner
        first[own] = windows.origins[own].min()
        n_steps[own] = windows.origins[own].max() + 1 - first[own]
    begin, end = np.floor(first + start * n_steps), np.floor(first + stop * n_steps)
    is_later = (windows.origins >= begin) & (windows.origins < end)
    return np.flatnonzero(windows.origins + horizon <= begin), np.flatnonzero(is_later)


def filled(values: Array) -> Array:
    """Return rows in which a missing value is the one before it, else the one after it, else 0."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    steps = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(missing, -1, steps), axis=1)
    after = np.minimum.accumulate(np.where(missing, len(steps), steps)[:, ::-1], axis=1)[:, ::-1]
    source = np.where(last >= 0, last, np.where(after < len(steps), after, 0))
    return np.nan_to_num(np.take_along_axis(values, source, axis=1))


def between(values: Array, before: Array) -> Array:
    """Return rows in which missing values lie on the line between their neighbours.

    Those before the first one lie between it and `before`, those after the last are equal to it.

    Parameters
    ----------
    values : ndarray of shape (n, n_steps)
    before : ndarray of shape (n,), the value one step before the first
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    result = values.copy()
    steps = np.arange(values.shape[1])
    for i in np.flatnonzero(missing.any(axis=1)):
        there = ~missing[i]
        result[i] = np.interp(steps, np.r_[-1, steps[there]], np.r_[before[i], values[i, there]])
    return result
