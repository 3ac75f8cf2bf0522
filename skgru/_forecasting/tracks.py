"""Series as a forecaster reads them: targets, covariates and times of each, on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._compat import is_array
from skgru._data.clock import Clock
from skgru._data.forms import is_sequence
from skgru._data.series import Panel, Series, match, open_panel, roles_in
from skgru._forecasting.calendar import calendar_features
from skgru._forecasting.window import Array, Indices, Source


class Columns(NamedTuple):
    """What the columns of y and X are.

    Attributes
    ----------
    y_names, x_names : list or None, where they have none
    n_y, n_x : int
    targets, beside : list of int, the columns of y: targets and covariates
    known : list of int, those of all covariates that are known in the future
    """

    y_names: list[Any] | None
    x_names: list[Any] | None
    n_y: int
    n_x: int
    targets: list[int]
    beside: list[int]
    known: list[int]

    @property
    def n_covariates(self) -> int:
        return len(self.beside) + self.n_x

    @property
    def target_names(self) -> list[Any] | None:
        """The names of the targets, None where they have none."""
        return None if self.y_names is None else [self.y_names[j] for j in self.targets]

    @property
    def covariate_names(self) -> list[Any]:
        """The names of the covariates; their numbers where they have none."""
        y_names = list(range(self.n_y)) if self.y_names is None else self.y_names
        x_names = list(range(self.n_x)) if self.x_names is None else self.x_names
        return [y_names[j] for j in self.beside] + x_names


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


def _extended(values: Array, n: int) -> Array:
    if n <= 0:
        return values
    return np.concatenate([values, np.full((n, *values.shape[1:]), np.nan)])


def columns_of_y_and_x(y: Panel, x: Panel | None, target: Any, known: Any) -> Columns:
    """Return what the columns of y and X are, by the parameters `target` and `known`."""
    n_y = y.series[0].values.shape[1]
    n_x = 0 if x is None else x.series[0].values.shape[1]
    y_names, x_names = y.names, None if x is None else x.names
    targets = list(range(n_y))
    if target is not None:
        names = list(range(n_y)) if y_names is None else y_names
        targets = [_find(name, names, n_y, "target") for name in _listed(target, names)]
    if len(set(targets)) < len(targets) or not targets:
        raise ValueError(f"target: expected one or several distinct columns of y, got {target!r}.")
    beside = [j for j in range(n_y) if j not in targets]
    columns = Columns(y_names, x_names, n_y, n_x, targets, beside, [])
    names = columns.covariate_names
    found = [_find(name, names, len(names), "known") for name in _listed(known, names)]
    if len(set(found)) < len(found):
        raise ValueError(f"known: expected distinct covariates, got {known!r}.")
    return columns._replace(known=found)


def _listed(value: Any, names: Sequence[Any]) -> list[Any]:
    """Return one name, or a list of them, as a list."""
    if isinstance(value, tuple) and value in names:
        return [value]
    return list(value) if is_sequence(value) or is_array(value) else [value]


def _find(name: Any, names: Sequence[Any], n: int, parameter: str) -> int:
    if name in names:
        return list(names).index(name)
    is_index = isinstance(name, Integral) and not isinstance(name, bool)
    if is_index and -n <= int(name) < n and not any(isinstance(other, Integral) for other in names):
        return int(name) % n
    what = "the columns of y" if parameter == "target" else "the covariates"
    raise ValueError(f"{parameter}: expected {what}, {list(names)}, got {name!r}.")


def open_y(y: Any, series: Any, time: Any) -> Panel:
    """Return y on the grids of its clocks."""
    return open_panel(y, series=series, time=time)


def open_x(X: Any, series: Any, time: Any) -> Panel:
    """Return covariates, which follow the clocks of y."""
    return open_panel(X, role="X", on_grid=False, **roles_in(X, series, time))


def check_columns(given: Panel, names: list[Any] | None, n: int) -> None:
    """Refuse other columns than those of `fit`."""
    n_given = given.series[0].values.shape[1]
    is_other = None not in (names, given.names) and given.names != names
    if is_other or n_given != n:
        expected = f"{n} columns" if names is None else f"the columns {names}"
        got = n_given if given.names is None or not is_other else given.names
        raise ValueError(f"Expected {expected} in {given.role}, as in fit, got {got}.")


def make_tracks(y: Panel, x: Panel | None, columns: Columns) -> list[Track]:
    """Return the series of y with their covariates, whose rows may go on beyond those of y."""
    if x is None:
        return [_track(series, None, 0, columns) for series in y.series]
    matched = match(y, x)
    return [
        _track(series, one.values, one.offset, columns)
        for series, one in zip(y.series, matched, strict=True)
    ]


def _track(series: Series, x: Any, offset: int, columns: Columns) -> Track:
    n = len(series.values)
    beside = series.values[:, columns.beside].astype(float)
    if x is None:
        covariates = np.concatenate([beside, np.full((n, columns.n_x), np.nan)], axis=1)
    else:
        n_all = max(n, offset + len(x))
        of_x = np.full((n_all, columns.n_x), np.nan)
        first = max(offset, 0)
        of_x[first : offset + len(x)] = x[first - offset :]
        covariates = np.concatenate([_extended(beside, n_all - n), of_x], axis=1)
    values = series.values[:, columns.targets].astype(float)
    return Track(series.key, values, covariates, series.clock, 0)


def add_future(tracks: Sequence[Track], stored: Panel, x: Panel, columns: Columns) -> list[Track]:
    """Return tracks with the rows of X that follow them.

    X has the columns known in the future, all columns of X in `fit`, or all covariates.
    """
    places = _places_of_future(x, columns)
    result = []
    for track, one in zip(tracks, match(stored, x, ahead=True), strict=True):
        first = one.offset - track.start  # in rows of the track
        skipped = max(len(track.values) - first, 0)  # rows of the past are known already
        rows = one.values[skipped:]
        longer = _extended(track.covariates, first + skipped + len(rows) - len(track.covariates))
        longer = longer.copy()
        for column, place in enumerate(places):
            longer[first + skipped : first + skipped + len(rows), place] = rows[:, column]
        result.append(track._replace(covariates=longer))
    return result


def _places_of_future(x: Panel, columns: Columns) -> list[int]:
    """Return the covariates that the columns of X are."""
    n = x.series[0].values.shape[1]
    if x.names is not None and (columns.x_names is not None or columns.y_names is not None):
        names = columns.covariate_names
        absent = [names[j] for j in columns.known if names[j] not in x.names]
        strange = [name for name in x.names if name not in names]
        if absent or strange:
            raise ValueError(
                f"Expected the columns {[names[j] for j in columns.known]} in X, the covariates "
                f"known in the future, got {x.names}."
            )
        return [names.index(name) for name in x.names]
    if n == len(columns.known):
        return columns.known
    if n == columns.n_x:
        return list(range(len(columns.beside), columns.n_covariates))
    raise ValueError(
        f"Expected {len(columns.known)} columns in X, those known in the future, got {n}."
    )


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
        past = longer.covariates
        for k in range(track.values.shape[1]):
            sources.append(Source(track.values[:, k] / unit[k], past, known, calendar, about))
    return sources


def units_of(tracks: Iterable[Track]) -> list[Array]:
    """Return the deviation of each target of each series, 1 of a constant one."""
    units = []
    for track in tracks:
        there = [column[~np.isnan(column)] for column in track.values.T]
        deviations = np.array([column.std() if len(column) else 0.0 for column in there])
        sizes = np.array([np.abs(column).max() if len(column) else 0.0 for column in there])
        units.append(np.where(deviations > 1e-10 * sizes, deviations, np.maximum(sizes, 1e-300)))
        units[-1][sizes == 0] = 1.0
    return units


def check_known(tracks: Sequence[Track], columns: Columns, n_steps: int) -> None:
    """Refuse forecasts of steps of which the covariates known in the future are not given."""
    for track in tracks:
        given = len(track.covariates) - len(track.values)
        if columns.known and given < n_steps:
            names = [columns.covariate_names[j] for j in columns.known]
            of = "" if track.key is None else f" of the series {track.key!r}"
            raise ValueError(
                f"Expected X with the covariates {names} for the {n_steps} steps to be forecast"
                f"{of}, got {given}."
            )


def last_steps(tracks: Sequence[Track]) -> list[Indices]:
    """Return the last step of each track."""
    return [np.array([len(track.values) - 1]) for track in tracks]
