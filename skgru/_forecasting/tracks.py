"""Series as a forecaster reads them: targets, covariates and times of each, on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._data.clock import Clock
from skgru._data.matching import Matched, match
from skgru._data.panel import Panel, Series
from skgru._data.series import open_covariates, open_panel
from skgru._forecasting.calendar import calendar_features
from skgru._forecasting.roles import Columns, check_columns, places_of_future
from skgru._forecasting.window import Array, Indices, Source
from skgru._warnings import warn


class Track(NamedTuple):
    """One series, from some step of its clock on.

    Attributes
    ----------
    key : hashable or None
    values : ndarray of shape (n_steps, n_targets)
    covariates : ndarray of shape (n_steps + n_ahead, n_covariates), n_ahead steps of the future
    clock : Clock
    start : int, the step of the first row
    """

    key: Any
    values: Array
    covariates: Array
    clock: Clock
    start: int

    @property
    def end(self) -> int:
        """The step of the clock after the last value."""
        return self.start + len(self.values)

    def tail(self, n_steps: int) -> Track:
        """Return the last steps alone."""
        drop = max(len(self.values) - n_steps, 0)
        return self._replace(
            values=self.values[drop:].copy(),
            covariates=self.covariates[drop:].copy(),
            start=self.start + drop,
        )

    def with_future(self, n_steps: int) -> Track:
        """Return itself with covariates for so many steps of the future, missing where unknown."""
        lacking = len(self.values) + n_steps - len(self.covariates)
        return self._replace(covariates=_extended(self.covariates, lacking))

    def until(self, origin: int, n_ahead: int = 0, known: Sequence[int] = ()) -> Track:
        """Return what is known at a step: of those ahead, `n_ahead` of the covariates `known`."""
        covariates = self.covariates[: origin + 1 + n_ahead].copy()
        is_unknown = np.ones(covariates.shape[1], bool)
        is_unknown[list(known)] = False
        covariates[origin + 1 :, is_unknown] = np.nan
        return self._replace(values=self.values[: origin + 1], covariates=covariates)

    def followed_by(self, later: Track, gap: int) -> Track:
        """Return itself with what follows, after some steps of which nothing is known."""
        n = len(self.values)
        lost = np.full((gap, self.values.shape[1]), np.nan)
        past = self.with_future(gap).covariates[: n + gap]
        return self._replace(
            values=np.concatenate([self.values, lost, later.values]),
            covariates=np.concatenate([past, later.covariates]),
        )


def _extended(values: Array, n: int) -> Array:
    if n <= 0:
        return values
    return np.concatenate([values, np.full((n, *values.shape[1:]), np.nan)])


def open_y(y: Any, series: Any, time: Any) -> Panel:
    """Return y on the grids of its clocks."""
    return open_panel(y, series=series, time=time)


def open_x(X: Any, series: Any, time: Any, role: str = "X") -> Panel:
    """Return covariates, which follow the clocks of y; a Series is the column of its name."""
    if isinstance(X, Panel):
        return X
    panel = open_covariates(X, role, series, time)
    name = getattr(panel.form, "name", None)
    if panel.names is None and name not in (None, ""):
        panel = replace(panel, names=[name])
    return panel


def make_tracks(
    y: Panel, x: Panel | None, columns: Columns, places: Sequence[int] | None = None
) -> list[Track]:
    """Return the series of y with their covariates, whose rows may go on beyond those of y.

    Parameters
    ----------
    y, x : Panel
    columns : Columns
    places : list of int or None, default=None
        The covariates that the columns of X are; None = those of X in `fit`. Of covariates that y
        has, X says the future.
    """
    if x is None:
        return [_track(series, None, columns) for series in y.series]
    matched = match(y, x)
    _check_rows(y, x, matched)
    return [
        _track(series, one, columns, places) for series, one in zip(y.series, matched, strict=True)
    ]


def _track(
    series: Series, x: Matched | None, columns: Columns, places: Sequence[int] | None = None
) -> Track:
    n = len(series.values)
    values = series.values[:, columns.targets].astype(float)
    covariates = np.full((n, columns.n_covariates), np.nan)
    covariates[:, : len(columns.beside)] = series.values[:, columns.beside]
    track = Track(series.key, values, covariates, series.clock, 0)
    if x is None:
        return track
    if places is None:
        places = range(len(columns.beside), columns.n_covariates)
    return _with_rows(track, x, places, [n if j < len(columns.beside) else 0 for j in places])


def _with_rows(track: Track, x: Matched, places: Sequence[int], starts: Sequence[int]) -> Track:
    """Return a track with the rows of X, of each column from some step of it on."""
    begin = x.offset - track.start
    end = begin + len(x.values)
    covariates = _extended(track.covariates, end - len(track.covariates)).copy()
    for column, (place, start) in enumerate(zip(places, starts, strict=True)):
        first = min(max(begin, start, 0), max(end, 0))
        covariates[first : max(end, 0), place] = x.values[max(first - begin, 0) :, column]
    return track._replace(covariates=covariates)


def _check_rows(y: Panel, x: Panel, matched: Sequence[Matched]) -> None:
    """Refuse X without rows for the steps of y; warn where it begins later or ends earlier."""
    lacking = []
    for series, one in zip(y.series, matched, strict=True):
        n, begin, end = len(series.values), one.offset, one.offset + len(one.values)
        n_lacking = min(max(begin, 0), n) + max(n - max(end, 0), 0)
        has_labels = None not in (series.clock.kind, x.series[0].clock.kind)
        if n_lacking and (n_lacking >= n or not has_labels):
            got = "none" if n_lacking >= n else str(n - n_lacking)
            raise ValueError(
                f"Expected rows of X for the {n} steps of y{said_of(series.key)}, got {got}."
            )
        if n_lacking:
            lacking.append((n_lacking, series.key))
    if lacking:
        n_lacking, key = lacking[0]
        several = f", of {len(lacking)} series" if len(lacking) > 1 else ""
        warn(
            f"X has no rows for the first or last steps of y, {n_lacking}{said_of(key)}{several}: "
            "they count as missing values."
        )


def said_of(key: Any) -> str:
    """Return which series it is, in words; of one without a key none."""
    return "" if key is None else f" of the series {key!r}"


def tracks_of(y: Panel, x: Panel | None, columns: Columns) -> list[Track]:
    """Return other series than those of `fit` with their covariates.

    X has the columns of X in `fit`, or beside them covariates of y that are known in the future; if
    it had none in `fit`, those for the steps that follow alone.
    """
    check_columns(y, columns.y_names, columns.n_y)
    if x is None:
        if columns.n_x:
            raise ValueError(
                f"Expected X with {columns.n_x} covariates for y, as in fit, got None."
            )
        return make_tracks(y, None, columns)
    if columns.n_x == 0 and columns.known:
        return add_future(make_tracks(y, None, columns), y, x, columns)
    names, of_x = columns.covariate_names, columns.x_names
    if of_x is None or x.names is None or not set(of_x) < set(x.names) <= set(names):
        check_columns(x, columns.x_names, columns.n_x)
        return make_tracks(y, x, columns)
    return make_tracks(y, x, columns, [names.index(name) for name in x.names])


def add_future(
    tracks: Sequence[Track], stored: Panel, x: Panel, columns: Columns, n_steps: int | None = None
) -> list[Track]:
    """Return tracks with the rows of X that follow them; those of the past are known already.

    X has the columns known in the future, all columns of X in `fit`, or all covariates. Of n_steps
    of the future, rows without labels are refused that are as many as those of the past.
    """
    places = places_of_future(x, columns)
    matched = match(stored, x, ahead=True)
    has_labels = x.series[0].clock.kind is not None
    for series, one in zip(stored.series, matched, strict=True):
        n_rows = len(one.values)
        if n_steps is None or has_labels or n_rows < max(n_steps + 1, len(series.values)):
            continue
        raise ValueError(
            f"Expected X for the {n_steps} steps to be forecast{said_of(series.key)}, got {n_rows} "
            "rows without labels, as many as those of y or more: give those of these steps alone."
        )
    return [
        _with_rows(track, one, places, [len(track.values)] * len(places))
        for track, one in zip(tracks, matched, strict=True)
    ]


def make_sources(
    tracks: Sequence[Track],
    units: Sequence[Array],
    static: Array,
    columns: Columns,
    cycles: Sequence[str],
    n_ahead: int,
) -> list[Source]:
    """Return a source for each target of each series, in this order.

    Parameters
    ----------
    tracks : list of Track
    units : list of ndarray of shape (n_targets,), what the values of each series are divided by
    static : ndarray of shape (n_series, n_static)
    columns : Columns
    cycles : list of str, of the calendar
    n_ahead : int, steps of the future that are asked for
    """
    sources = []
    for track, unit, about in zip(tracks, units, static, strict=True):
        longer = track.with_future(n_ahead)
        n_steps = len(longer.covariates)
        times: NDArray[Any] | None = None
        if len(cycles):
            times = track.clock.local_times(track.start, track.start + n_steps)
        calendar = calendar_features(times, cycles, n_steps)
        known = longer.covariates[:, columns.known]
        for k in range(track.values.shape[1]):
            values = track.values[:, k] / unit[k]
            sources.append(
                Source(values, longer.covariates, known, calendar, about, tuple(columns.known))
            )
    return sources


def units_of(tracks: Iterable[Track]) -> list[Array]:
    """Return the deviation of each target of each series, 1 of a constant one."""
    units = []
    for track in tracks:
        there = [column[~np.isnan(column)] for column in track.values.T]
        sizes = np.array([np.abs(column).max() if len(column) else 0.0 for column in there])
        deviations = np.array([_deviation(*one) for one in zip(there, sizes, strict=True)])
        units.append(np.where(deviations > 1e-10 * sizes, deviations, np.maximum(sizes, 1e-300)))
        units[-1][sizes == 0] = 1.0
    return units


def _deviation(values: Array, size: float) -> float:
    """Return the standard deviation of values up to some size, whose squares may not be finite."""
    if not len(values):
        return 0.0
    _, exponent = np.frexp(size)
    return float(np.ldexp(np.ldexp(values, -exponent).std(), exponent))


def seconds_of(tracks: Iterable[Track]) -> float | None:
    """Return the length of a step, None without dates or where there is no step."""
    return next((track.clock.seconds for track in tracks if len(track.values) > 1), None)


def last_steps(tracks: Sequence[Track]) -> list[Indices]:
    """Return the last step of each track."""
    return [np.array([len(track.values) - 1]) for track in tracks]
