"""The result of a backtest: forecasts from many origins, and their errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from skgru._backtesting.dataset import Dataset
from skgru._forecasting.errors import Band, errors_by_group
from skgru._forecasting.picture import (
    ax_or_new,
    check_n_history,
    draw_ahead,
    finish,
    name_of_band,
    place_of,
    time_name_of,
    times_to_draw,
)
from skgru._pictures import draw_line
from skgru._types import Axes, Column, Table

# Origins in a picture, if none are named.
_MAX_IN_PICTURE = 4
_ERRORS = "MAE", "RMSE", "MASE", "pinball", "coverage", "width"


class Forecasts(NamedTuple):
    """Forecasts of targets of series from their origins.

    Attributes
    ----------
    series, target, origin : ndarray of int of shape (n_windows,)
        Origins are steps of the series.
    scale : ndarray of shape (n_windows,), of MASE
    lower, upper : ndarray of shape (n_windows, n_steps), NaN without bands
    values : dict of str to ndarray of shape (n_windows, n_steps)
        Those of the forecaster, "forecast", and of the baselines.
    """

    series: np.ndarray
    target: np.ndarray
    origin: np.ndarray
    scale: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    values: dict[str, np.ndarray]

    def take(self, rows):
        """Return some of them."""
        *columns, values = self
        values = {name: one[rows] for name, one in values.items()}
        return Forecasts(*(column[rows] for column in columns), values)


def join(parts):
    """Return forecasts one after another."""
    columns = zip(*(part[:-1] for part in parts), strict=True)
    values = {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values}
    return Forecasts(*map(np.concatenate, columns), values)


class Backtest:
    """Forecasts from many origins of the past, and their errors; what `backtest` returns.

    Tables are of the library of y, pandas, polars or Arrow; else, as ``cv_results_`` of
    scikit-learn's searches, dicts of arrays, of which ``pandas.DataFrame`` makes a table.

    Attributes
    ----------
    origins : Index, Series or array of shape (n_origins,)
        The labels of the origins, their numbers where the series have none.

    n_steps : int
        The steps ahead.

    coverage : float or None
        The probability of the bands.

    models : list of str
        The names of the forecaster and of the baselines.

    fit_times : ndarray of shape (n_fits,)
        The seconds of each fit.

    See Also
    --------
    backtest : Its parameters, and the meaning of the errors.
    """

    def __init__(
        self,
        name: str,
        data: Dataset,
        origins: Any,
        n_steps: int,
        coverage: float | None,
        parts: Sequence[Any],
    ) -> None:
        self.origins, self.n_steps, self.coverage = origins, n_steps, coverage
        self.fit_times = np.array([part.seconds for part in parts])
        self._data = data
        self._window = max(part.window for part in parts)
        joined = join([part.forecasts for part in parts if part.forecasts is not None])
        order = np.lexsort((joined.origin, joined.target, joined.series))
        self._raw = joined.take(order)
        self.models = [name, *list(joined.values)[1:]]
        self._truth = data.ahead(self._raw, n_steps)

    def __repr__(self) -> str:
        n_fits = len(self.fit_times)
        title = (
            f"Backtest: {len(self.origins)} {'origins' if len(self.origins) > 1 else 'origin'}, "
            f"{self.n_steps} {'steps' if self.n_steps > 1 else 'step'} ahead, fitted "
            f"{'once' if n_fits == 1 else f'{n_fits} times'}"
        )
        table = self._errors([])
        models = table.pop("model")
        columns = [name for name in table if not np.isnan(table[name]).all()]
        digits = [[_short(table[name][i]) for name in columns] for i in range(len(models))]
        return "\n".join([title, *_in_columns(["", *columns], models, digits)])

    @property
    def errors(self) -> Table:
        """The errors at each step ahead: a row for each model, target and step."""
        return self.errors_by(*self._by_target, "step")

    @property
    def summary(self) -> Table:
        """The errors over all steps ahead: a row for each model and target."""
        return self.errors_by(*self._by_target)

    @property
    def _by_target(self) -> tuple[Literal["target"], ...]:
        """The group of a target, if there are several."""
        return ("target",) if len(self._data.targets) > 1 else ()

    def errors_by(self, *by: Literal["series", "target", "origin", "step"]) -> Table:
        """Return the errors of each model in groups of forecasts.

        Parameters
        ----------
        *by : {'series', 'target', 'origin', 'step'}
            What makes the groups; nothing: all forecasts are one.

        Returns
        -------
        errors : table
            The columns 'model', those of `by`, 'MAE', 'RMSE', 'MASE', 'pinball', 'coverage' and
            'width'. Over several targets MAE, RMSE, pinball and width are NaN.

        Raises
        ------
        ValueError
            If there is no such group.
        """
        for name in by:
            if name not in ("series", "target", "origin", "step"):
                raise ValueError(
                    f"Expected 'series', 'target', 'origin' or 'step' to group by, got {name!r}."
                )
        return self._data.table(self._errors(list(dict.fromkeys(by))))

    @property
    def forecasts(self) -> Table:
        """All forecasts: a row for each series, target, origin and step ahead.

        The columns are 'series' and 'target', where there are several; 'origin', the label of the
        last step that was known, 'step', the number of steps ahead, and 'time', the label there;
        'truth'; 'forecast', with 'lower' and 'upper', the band; and the baselines.
        """
        shape = self._truth.shape
        every = np.arange(len(self._truth))
        rows = np.repeat(every, shape[1])
        steps = np.tile(np.arange(1, shape[1] + 1), shape[0])
        columns = {}
        if len(self._data.series) > 1:
            columns["series"] = self._data.keys_of(self._raw.series[rows])
        if len(self._data.targets) > 1:
            columns["target"] = self._data.names_of(self._raw.target[rows])
        columns["origin"] = self._data.labels(self._raw.series[rows], self._raw.origin[rows])
        columns["step"] = steps
        columns["time"] = self._data.labels(self._raw.series[rows], self._raw.origin[rows] + steps)
        columns["truth"] = self._truth.ravel()
        columns["forecast"] = self._raw.values["forecast"].ravel()
        if self.coverage is not None:
            columns["lower"], columns["upper"] = self._raw.lower.ravel(), self._raw.upper.ravel()
        columns |= {name: self._raw.values[name].ravel() for name in self.models[1:]}
        return self._data.table(columns)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        origins: int | Sequence[int] | None = None,
        series: Column | None = None,
        target: Column | None = None,
        n_history: int | None = None,
    ) -> Axes:
        """Draw a series, forecasts with their bands, and what came.

        Parameters
        ----------
        ax : Axes of matplotlib, default=None
            The axes to draw in; None: new ones.

        origins : int or list of int, default=None
            The numbers of the origins whose forecasts are drawn, -1 is the last. None: the last
            ones whose forecasts do not overlap, at most four.

        series : hashable, default=None
            The series; of a list its number. None: the first that has forecasts.

        target : hashable, default=None
            The target; of an array the number of its column. None: the first.

        n_history : int, default=None
            The number of steps to draw before the first of these origins. None: as many as the
            window has.

        Returns
        -------
        ax : Axes of matplotlib
            The axes.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        ValueError
            If there is no such series, target or origin, or n_history is no number of steps.
        """
        i = self._place(series, self._data.keys, "series", int(self._raw.series[0]))
        names = self._data.target_names
        j = self._place(target, self._data.targets if names is None else names, "target", 0)
        rows = self._rows_to_draw(
            np.flatnonzero((self._raw.series == i) & (self._raw.target == j)), origins
        )
        n_history = self._window if n_history is None else check_n_history(n_history)
        ax = ax_or_new(ax, "Backtest.plot()")
        clock, values = self._data.series[i].clock, self._data.series[i].values
        values = values[:, self._data.targets[j]]
        first, last = int(self._raw.origin[rows].min()), int(self._raw.origin[rows].max())
        start, stop = max(first + 1 - n_history, 0), last + 1 + self.n_steps
        times = times_to_draw(clock, 0, stop)
        drawn = slice(start, stop)
        labels = {"what came": draw_line(ax, values[drawn], times[: len(values)][drawn])}
        color = None
        for row in rows:
            origin = int(self._raw.origin[row])
            known = slice(min(start, origin), origin + 1)
            line, band = draw_ahead(
                ax,
                times[known.start : origin + 1 + self.n_steps],
                values[known],
                self._raw.values["forecast"][row],
                None if self.coverage is None else (self._raw.lower[row], self._raw.upper[row]),
                color=color,
            )
            color = line.get_color()
        labels["forecast"] = line
        if band is not None:
            labels[name_of_band(self.coverage)] = band
        finish(
            ax,
            times,
            labels,
            time_name=time_name_of(clock),
            target_name=None if names is None else names[j],
            series_name=self._data.keys[i] if len(self._data.series) > 1 else None,
        )
        return ax

    def _rows_to_draw(self, rows, origins):
        """Return the forecasts from some origins."""
        if origins is not None:
            numbers = np.atleast_1d(origins)
            if numbers.dtype.kind not in "iu" or not len(numbers):
                raise ValueError(f"Expected integers as origins, got {origins!r}.")
            if (numbers < -len(rows)).any() or (numbers >= len(rows)).any():
                raise ValueError(
                    f"Expected origins from {-len(rows)} to {len(rows) - 1}, those of the series, "
                    f"got {origins!r}."
                )
            return rows[numbers]
        chosen = [rows[-1]]
        for row in rows[::-1]:
            if self._raw.origin[row] + self.n_steps <= self._raw.origin[chosen[-1]]:
                chosen.append(row)
        return np.array(chosen[:_MAX_IN_PICTURE][::-1])

    def _place(self, name, names, what, default):
        """Return the place of a series or a target."""
        if name is None:
            return default
        place = place_of(name, names, what)
        if what == "series" and not (self._raw.series == place).any():
            raise ValueError(f"Expected a series with forecasts, got none of {name!r}.")
        return place

    def _errors(self, by):
        """Return the errors of each model in groups, as arrays by name."""
        groups, first = self._groups(by)
        n_groups, n_steps = len(first), self.n_steps
        truth = self._truth.ravel()
        scale = np.repeat(self._raw.scale, n_steps)
        band = None
        if self.coverage is not None:
            band = Band(self._raw.lower.ravel(), self._raw.upper.ravel(), self.coverage)
        found = [
            errors_by_group(truth, forecast.ravel(), scale, None if k else band, groups, n_groups)
            for k, forecast in enumerate(self._raw.values.values())
        ]
        columns = {"model": np.repeat(np.array(self.models, dtype=object), n_groups)}
        rows, steps = first // n_steps, first % n_steps
        series, origin = self._raw.series[rows], self._raw.origin[rows]
        labels = {
            "series": lambda: self._data.keys_of(series),
            "target": lambda: self._data.names_of(self._raw.target[rows]),
            "origin": lambda: self._data.labels(series, origin),
            "step": lambda: steps + 1,
        }
        library, every = self._data.library, np.tile(np.arange(n_groups), len(found))
        columns |= {name: library.take(library.as_column(labels[name]()), every) for name in by}
        columns |= {name: np.concatenate([one[name] for one in found]) for name in _ERRORS}
        if len(self._data.targets) > 1 and "target" not in by:
            for name in ("MAE", "RMSE", "pinball", "width"):
                columns[name] = np.full(len(columns[name]), np.nan)
        return columns

    def _groups(self, by):
        """Return the group of each forecast of each step, and the place of the first of each."""
        codes = {
            "series": lambda: self._raw.series[:, np.newaxis],
            "target": lambda: self._raw.target[:, np.newaxis],
            "origin": lambda: self._moments()[:, np.newaxis],
            "step": lambda: np.arange(self.n_steps)[np.newaxis],
        }
        groups = np.zeros(self._truth.shape, np.intp)
        for name in by:
            code = codes[name]()
            groups = groups * (code.max() + 1) + code
        _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
        return groups.ravel(), first

    def _moments(self):
        """Return the number of the moment of each window's origin, which series share."""
        stamps = self._data.stamps(self._raw.series, self._raw.origin)
        return np.unique(stamps, return_inverse=True)[1]


def _short(number):
    return "" if np.isnan(number) else f"{number:.4g}"


def _in_columns(names, models, cells):
    """Return the lines of a table of text."""
    rows = [names, *([model, *row] for model, row in zip(models, cells, strict=True))]
    widths = [max(len(row[j]) for row in rows) for j in range(len(names))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    return [line.rstrip() for line in lines]
