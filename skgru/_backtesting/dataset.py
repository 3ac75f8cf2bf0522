"""The series of a backtest with what is known beside them, of which any first steps are taken."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skgru._compat import is_array
from skgru._data.clock import Clock
from skgru._data.frequencies import Fixed
from skgru._data.labels import Style
from skgru._data.libraries import ARRAYS, Arrays, library_of_column
from skgru._data.panel import Panel, Series
from skgru._data.times import cast, finest_unit_of
from skgru._forecasting.static import StaticColumns
from skgru._forecasting.tracks import make_tracks

# The clock of rows that stand in their order.
_ROWS = Clock(0, Fixed(1), Style(), None)


class Dataset(NamedTuple):
    """Series with what is known beside them, of which any first steps can be taken.

    Attributes
    ----------
    panel : Panel, of no series: names and form of y
    series : list of Series
    beside : list of ndarray of shape (n_steps_i + n_ahead_i, n_x) or None, the covariates of X
    x_names : list or None
    static : dict of arrays or None, a cell for each series
    keys : list
    targets : list of int, columns of y
    target_names : list or None
    library : Library, of the tables to be returned
    """

    panel: Panel
    series: list[Series]
    beside: list[Any] | None
    x_names: list[Any] | None
    static: dict[str, Any] | None
    keys: list[Any]
    targets: list[int]
    target_names: list[Any] | None
    library: Any

    def cut(self, which, lengths, n_ahead=0):
        """Return y, X and static of the first steps of some series, for `fit`.

        Of X there are n_ahead more steps, and of y, whose columns may be covariates.
        """
        y, x = [], []
        for i, n in zip(which, lengths, strict=True):
            one = self.series[i]
            values = one.values[: n + n_ahead]
            rows = np.arange(len(values))
            y.append(one._replace(values=values, places=rows, rows=rows))
            if self.beside is not None:
                values = self.beside[i][: n + n_ahead]
                rows = np.arange(len(values))
                x.append(Series(one.key, values, _ROWS, rows, rows))
        panel = Panel(y, self.panel.names, self.panel.form, "y")
        of_x = Panel(x, self.x_names, self.panel.form, "X") if x else None
        static = self.static
        if static is not None:
            static = {name: cells[which] for name, cells in static.items()}
        return panel, of_x, static

    def n_steps(self, i):
        """Return the number of steps of a series."""
        return len(self.series[i].values)

    def stamps(self, series, steps):
        """Return the stamps of steps of series, which may lie in the future."""
        parts = {
            i: self._stamps_of(i, int(steps[series == i].max()) + 1) for i in np.unique(series)
        }
        unit = None
        if all(part.dtype.kind in "mM" for part in parts.values()):
            unit = finest_unit_of(*parts.values())
        result = None
        for i, stamps in parts.items():
            stamps = stamps if unit is None else cast(stamps, unit)
            if result is None:
                result = np.empty(len(steps), stamps.dtype)
            of = series == i
            result[of] = stamps[steps[of]]
        return result

    def _stamps_of(self, i, n):
        clock = self.series[i].clock
        return np.arange(n) if clock.kind is None else clock.stamps(0, n)

    def labels(self, series, steps):
        """Return the labels of steps of series, in the library of y."""
        return self.series[series[0]].clock.wrap(self.stamps(series, steps))

    def keys_of(self, places):
        """Return the identifiers of series, given their places."""
        return _cells(self.keys)[places]

    def names_of(self, places):
        """Return the names of targets, given their places; of an array the numbers of columns."""
        return _cells(self.targets if self.target_names is None else self.target_names)[places]

    def ahead(self, of, n_steps):
        """Return what came after the origins of forecasts, NaN beyond the ends of series."""
        truth = np.full((len(of.series), n_steps), np.nan)
        steps = of.origin[:, np.newaxis] + np.arange(1, n_steps + 1)
        for i in np.unique(of.series):
            rows, columns = np.nonzero((of.series == i)[:, np.newaxis] & (steps < self.n_steps(i)))
            values = self.series[i].values[:, self.targets]
            truth[rows, columns] = values[steps[rows, columns], of.target[rows]]
        return truth

    def table(self, columns):
        """Return columns as a table of the library of y."""
        if isinstance(self.library, Arrays):
            return columns
        made = {name: self.library.as_column(column) for name, column in columns.items()}
        return self.library.frame(made, None)


def open_dataset(forecaster, y, X, static):
    """Return y, X and static, opened as the forecaster opens them."""
    panel, of_x, columns = forecaster._open(y, X)
    tracks = make_tracks(panel, of_x, columns)
    forecaster._check_values(tracks, columns)
    beside = None
    if of_x is not None:
        beside = [track.covariates[:, len(columns.beside) :] for track in tracks]
    keys = [one.key for one in panel.series]
    if static is not None:
        cells, rows = StaticColumns(forecaster.series).open(static, keys)
        static = {name: column[rows] for name, column in cells.items()}
    # The series of a list are known by their numbers, as some may not have begun at an origin.
    if None in keys and len(keys) > 1:
        keys = list(range(len(keys)))
    series = [one._replace(key=key) for one, key in zip(panel.series, keys, strict=True)]
    library = library_of_column(y)
    if library is ARRAYS and not is_array(y) and not isinstance(y, Mapping):
        library = library_of_column(next(iter(y)))
    names = columns.target_names
    name = getattr(panel.form, "name", None)
    if names is None and name is not None:
        names = [name]
    return Dataset(
        Panel([], panel.names, panel.form, "y"),
        series,
        beside,
        columns.x_names,
        static,
        keys,
        columns.targets,
        names,
        library,
    )


def _cells(cells):
    """Return cells as an array: of integers, if all are, else of objects."""
    array = np.empty(len(cells), object)
    array[:] = cells
    are_numbers = all(isinstance(cell, int) for cell in cells)
    return array.astype(np.intp) if are_numbers else array
