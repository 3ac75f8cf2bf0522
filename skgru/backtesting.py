"""backtest: forecasts from many origins of the past, and their errors."""

import warnings
from collections.abc import Mapping
from datetime import datetime
from numbers import Integral, Real
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skgru._compat import Interval, is_array, validate_params
from skgru._data.clock import Clock, Fixed, Style, read_labels, say_stamp
from skgru._data.groups import shortened
from skgru._data.libraries import ARRAYS, library_of_column
from skgru._data.series import Panel, Series
from skgru._data.times import cast, finest_unit_of
from skgru._forecasting.ahead import forecast_ahead, quantile_ahead
from skgru._forecasting.baselines import BASELINES, fit_ridge, forecast_baselines
from skgru._forecasting.ensemble import training_windows
from skgru._forecasting.errors import Band, errors_by_group, seasonal_scale
from skgru._forecasting.static import StaticColumns
from skgru._forecasting.tracks import (
    columns_of_y_and_x,
    last_steps,
    make_sources,
    make_tracks,
    open_x,
    open_y,
    units_of,
)
from skgru._forecasting.window import Shape, cut
from skgru._settings import plain
from skgru._warnings import warn
from skgru.forecasting import GRUForecaster, steps_to_fit

__all__ = ["Backtest", "backtest"]

# Numbers in the windows that are forecast at once.
_MAX_NUMBERS = 20_000_000
# Origins in a picture, if none are named.
_MAX_IN_PICTURE = 4
_ERRORS = "MAE", "RMSE", "MASE", "pinball", "coverage", "width"


@validate_params(
    {
        "forecaster": [GRUForecaster],
        "y": "no_validation",  # opened by the forecaster's doors
        "X": "no_validation",
        "static": "no_validation",
        "n": [Interval(Integral, 1, None, closed="left"), None],
        "initial": "no_validation",  # checked in _n_initial
        "step": [Interval(Integral, 1, None, closed="left"), None],
        "refit": ["boolean", Interval(Integral, 1, None, closed="left")],
        "coverage": [Interval(Real, 0, 1, closed="neither"), None],
        "baselines": ["boolean", str, "array-like"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def backtest(
    forecaster,
    y,
    X=None,
    static=None,
    *,
    n=None,
    initial=0.8,
    step=None,
    refit=False,
    coverage=0.9,
    baselines=True,
    n_jobs=None,
    verbose=0,
):
    """Forecast from many origins of the past, and compare with what came.

    From each origin, a step of the series, the `n` steps that follow are forecast with what was
    known then. The errors are those of all origins, at each step ahead, beside those of simple
    forecasts of the same steps.

    Parameters
    ----------
    forecaster : GRUForecaster
        Clones of it are fitted; it stays as it is.

    y : array-like, table, or list of such
        One or many series, as of :meth:`GRUForecaster.fit`.

    X : array-like, table, or list of such, default=None
        Covariates, with the rows of y. Those that are `known` in the future are read for the n
        steps that follow each origin, the others until the origin.

    static : table with a row for each series, default=None
        What is known once of each series.

    n : int, default=None
        The number of steps to forecast from each origin; None = the forecaster's horizon.

    initial : int, float or label, default=0.8
        What comes before the first forecast: a number of steps, a share of them in (0, 1), or the
        label of the last one, such as a date. Of a date in words, and of a period, all
        of it counts: "2024-06" is June to its end.

    step : int, default=None
        The number of steps from one origin to the next; None = n, so that no forecasts overlap.

    refit : bool or int, default=False
        Whether a model is fitted at each origin, to all that is known there; an int, at the first
        of so many origins each. False: one model, fitted at the first origin, reads what is known
        at the later ones.

    coverage : float or None, default=0.9
        The probability of the bands, in (0, 1). None: no bands.

    baselines : bool, str or list of str, default=True
        The simple forecasts: 'persistence', the last value; 'seasonal_naive', the values a season
        before; 'ridge', a ridge regression of the n steps on the window, its covariates and what is
        known of those steps. True: all of them.

    n_jobs : int or None, default=None
        The number of fits at once, as of :func:`joblib.Parallel`. Results do not depend on it.

    verbose : int, default=0
        The verbosity of :func:`joblib.Parallel`.

    Returns
    -------
    result : Backtest
        Forecasts and errors.

    Raises
    ------
    ValueError, TypeError
        As of :meth:`GRUForecaster.fit`; or if `initial` is too short to fit, or fewer than n steps
        follow it.

    See Also
    --------
    GRUForecaster : The future of series.
    sklearn.model_selection.TimeSeriesSplit : Cross-validation in the order of time.

    Notes
    -----
    **No forecast sees what came after its origin.** A model is fitted to what is known at its
    first origin alone: scales, season, calibration and the ridge regression too. Without refits it
    reads later values, but its bands stay as wide as they were calibrated.

    **Origins.** The first has `initial` steps up to and including it; the last is n steps before
    the end. Where all series have labels, origins are moments, the same for all; without labels,
    series are taken to begin at one time. A series is forecast from the origins where it has as
    many steps as the window, until its last step.

    **Errors.** MAE and RMSE are the mean absolute and the root mean squared error, in the units of
    the target. MASE [1]_ is the mean of the absolute errors, each divided by a scale: the mean
    absolute error of the seasonal naive forecast, one season ahead, in the part of the series that
    the model was fitted to. Where this scale is 0, and for series that began after the fit, it is
    NaN, and left out of means over several series. `pinball` is the mean pinball loss of the two
    ends of the band, `coverage` the share of values within it, and `width` its mean width; they are
    NaN for baselines, which have no band. Missing values count nowhere.

    Of several targets, which may have unlike units, each has its own errors, and MASE and coverage
    alone can be taken over all of them.

    References
    ----------
    .. [1] Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy.
       International Journal of Forecasting 22.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skgru import GRUForecaster, backtest
    >>> hours = pd.date_range("2024-01-01", periods=480, freq="h")
    >>> noise = np.random.default_rng(0).normal(size=480)
    >>> load = 20 + 5 * np.sin(2 * np.pi * hours.hour / 24) + noise
    >>> y = pd.Series(load, hours, name="load")
    >>> forecaster = GRUForecaster(window=48, horizon=12, max_iter=5, random_state=0)
    >>> result = backtest(forecaster, y, initial="2024-01-15", step=1, coverage=0.8)
    >>> result
    Backtest: 109 origins, 12 steps ahead, fitted once
                       MAE   RMSE    MASE  pinball  coverage  width
    GRUForecaster   0.8...
    persistence       4.35   5.26   4.001
    seasonal_naive   1.166   1.46   1.072
    ridge           0.8...
    >>> errors = result.errors.query("model == 'persistence'")
    >>> errors[["model", "step", "MAE"]].iloc[[0, -1]].round(1)
              model  step  MAE
    12  persistence     1  1.4
    23  persistence    12  6.4
    """
    forecaster = clone(forecaster)
    forecaster._validate_params()
    data = _open(forecaster, y, X, static)
    axis = _Axis.of(data.series)
    n = forecaster.horizon if n is None else n
    n, coverage = int(n), plain(coverage)
    first = _n_initial(initial, axis) - 1
    _check_first(forecaster, data, axis, first, n, initial)
    origins = np.arange(first, axis.n_steps - n, n if step is None else int(step))
    ends = axis.ends(origins)
    size = {False: len(origins), True: 1}.get(plain(refit), refit)
    blocks = [ends[start : start + size] for start in range(0, len(origins), size)]
    names = _names_of_baselines(baselines)
    parts = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_run)(forecaster, data, block, n, coverage, names) for block in blocks
    )
    for message, category in dict.fromkeys(one for part in parts for one in part.messages):
        warn(message, category)
    if all(part.forecasts is None for part in parts):
        raise ValueError(
            "Expected a series with as many steps before an origin as the window has, and some "
            f"after it, got none of {len(data.series)}."
        )
    return Backtest(forecaster, data, axis.labels(origins), n, coverage, parts)


# --- The result ----------------------------------------------------------------------------------


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

    def __init__(self, forecaster, data, origins, n_steps, coverage, parts):
        self.origins, self.n_steps, self.coverage = origins, n_steps, coverage
        self.fit_times = np.array([part.seconds for part in parts])
        self._data = data
        self._window = max(part.window for part in parts)
        joined = _joined([part.forecasts for part in parts if part.forecasts is not None])
        order = np.lexsort((joined.origin, joined.target, joined.series))
        self._of = joined.take(order)
        self.models = [type(forecaster).__name__, *list(joined.values)[1:]]
        self._truth = _ahead(data, self._of, n_steps)

    def __repr__(self):
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
    def errors(self):
        """The errors at each step ahead: a row for each model, target and step."""
        return self.errors_by(*["target"] * (len(self._data.targets) > 1), "step")

    @property
    def summary(self):
        """The errors over all steps ahead: a row for each model and target."""
        return self.errors_by(*["target"] * (len(self._data.targets) > 1))

    def errors_by(self, *by):
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
        return self._table(self._errors(list(dict.fromkeys(by))))

    @property
    def forecasts(self):
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
            columns["series"] = self._keys(self._of.series[rows])
        if len(self._data.targets) > 1:
            columns["target"] = self._names(self._of.target[rows])
        columns["origin"] = self._data.labels(self._of.series[rows], self._of.origin[rows])
        columns["step"] = steps
        columns["time"] = self._data.labels(self._of.series[rows], self._of.origin[rows] + steps)
        columns["truth"] = self._truth.ravel()
        columns["forecast"] = self._of.values["forecast"].ravel()
        if self.coverage is not None:
            columns["lower"], columns["upper"] = self._of.lower.ravel(), self._of.upper.ravel()
        columns |= {name: self._of.values[name].ravel() for name in self.models[1:]}
        return self._table(columns)

    def plot(self, ax=None, *, origins=None, series=None, target=None, n_history=None):
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
            If there is no such series, target or origin.
        """
        try:
            import matplotlib.pyplot as plt
            from matplotlib.dates import ConciseDateFormatter
        except ImportError as error:
            raise ImportError(
                "Expected matplotlib for plot(), got none: pip install 'skgru[plot]' installs it."
            ) from error
        i = self._place(series, self._data.keys, "series", int(self._of.series[0]))
        names = self._data.target_names
        j = self._place(target, self._data.targets if names is None else names, "target", 0)
        rows = self._rows_to_draw(
            np.flatnonzero((self._of.series == i) & (self._of.target == j)), origins
        )
        n_history = self._window if n_history is None else plain(n_history)
        if isinstance(n_history, bool) or not isinstance(n_history, Integral) or n_history < 0:
            raise ValueError(f"Expected a number of steps as n_history, got {n_history!r}.")
        values = self._data.series[i].values[:, self._data.targets[j]]
        first, last = int(self._of.origin[rows].min()), int(self._of.origin[rows].max())
        drawn = np.arange(max(first + 1 - n_history, 0), min(last + 1 + self.n_steps, len(values)))
        at = self._data.places_in_picture(i, last + 1 + self.n_steps)
        if ax is None:
            _, ax = plt.subplots(figsize=(10, 4), layout="constrained")
        ax.plot(at[drawn], values[drawn], color="0.25", linewidth=1, label="what came")
        if at.dtype.kind == "M":  # dates in full overlap where a month begins
            dates = ax.xaxis.get_major_locator()
            ax.xaxis.set_major_formatter(ConciseDateFormatter(dates))
        color = ax.plot([], label="forecast")[0].get_color()
        band = {"color": color, "alpha": 0.2, "linewidth": 0}
        if self.coverage is not None:
            ax.fill_between([], [], [], label=f"{100 * self.coverage:g} % band", **band)
        for row in rows:
            origin = int(self._of.origin[row])
            ahead = at[origin : origin + 1 + self.n_steps]
            lines = [self._of.values["forecast"], self._of.lower, self._of.upper]
            # From the last known value on, so that a single step is a line, too.
            center, lower, upper = (np.r_[values[origin], line[row]] for line in lines)
            ax.plot(ahead, center, color=color)
            ax.fill_between(ahead, lower, upper, **band)
            ax.axvline(at[origin], color="0.6", linewidth=0.8, linestyle=":")
        if len(self._data.series) > 1:
            ax.set_title(str(self._data.keys[i]), loc="right")
        if names is not None:
            ax.set_ylabel(str(names[j]))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
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
            if self._of.origin[row] + self.n_steps <= self._of.origin[chosen[-1]]:
                chosen.append(row)
        return np.array(chosen[:_MAX_IN_PICTURE][::-1])

    def _place(self, name, names, what, default):
        """Return the place of a series or a target."""
        if name is None:
            return default
        if name not in names:
            raise ValueError(f"{what}: expected one of {shortened(names)}, got {name!r}.")
        place = list(names).index(name)
        if what == "series" and not (self._of.series == place).any():
            raise ValueError(f"Expected a series with forecasts, got none of {name!r}.")
        return place

    def _errors(self, by):
        """Return the errors of each model in groups, as arrays by name."""
        n_windows, n_steps = self._truth.shape
        codes = {
            "series": self._of.series[:, np.newaxis],
            "target": self._of.target[:, np.newaxis],
            "origin": self._moments[1][:, np.newaxis],
            "step": np.arange(n_steps)[np.newaxis],
        }
        groups = np.zeros((n_windows, n_steps), np.intp)
        for name in by:
            groups = groups * (codes[name].max() + 1) + codes[name]
        _, where, groups = np.unique(groups, return_index=True, return_inverse=True)
        groups, n_groups = groups.ravel(), len(where)
        rows, steps = where // n_steps, where % n_steps
        labels = {
            "series": lambda: self._keys(self._of.series[rows]),
            "target": lambda: self._names(self._of.target[rows]),
            "origin": lambda: self._data.labels(self._of.series[rows], self._of.origin[rows]),
            "step": lambda: steps + 1,
        }
        truth = self._truth.ravel()
        scale = np.repeat(self._of.scale, n_steps)
        band = None
        if self.coverage is not None:
            band = Band(self._of.lower.ravel(), self._of.upper.ravel(), self.coverage)
        found = [
            errors_by_group(truth, forecast.ravel(), scale, None if k else band, groups, n_groups)
            for k, forecast in enumerate(self._of.values.values())
        ]
        columns = {"model": np.repeat(np.array(self.models, dtype=object), n_groups)}
        library = self._data.library
        for name in by:
            column = labels[name]()
            columns[name] = library.take(
                library.make_column(column) if isinstance(column, np.ndarray) else column,
                np.tile(np.arange(n_groups), len(found)),
            )
        columns |= {name: np.concatenate([one[name] for one in found]) for name in _ERRORS}
        if len(self._data.targets) > 1 and "target" not in by:
            for name in ("MAE", "RMSE", "pinball", "width"):
                columns[name] = np.full(len(columns[name]), np.nan)
        return columns

    @property
    def _moments(self):
        """The distinct origins, and which of them each window's is."""
        stamps = self._data.stamps(self._of.series, self._of.origin)
        return np.unique(stamps, return_inverse=True)

    def _keys(self, places):
        return _objects(self._data.keys)[places]

    def _names(self, places):
        names = self._data.target_names
        return _objects(self._data.targets if names is None else names)[places]

    def _table(self, columns):
        """Return columns as a table of the library of y."""
        library = self._data.library
        if library is ARRAYS:
            return columns
        made = {
            name: library.make_column(column) if isinstance(column, np.ndarray) else column
            for name, column in columns.items()
        }
        return library.frame(made, None)


def _objects(cells):
    array = np.empty(len(cells), object)
    array[:] = cells
    are_numbers = all(isinstance(cell, int) for cell in cells)
    return array.astype(np.intp) if are_numbers else array


def _ahead(data, of, n_steps):
    """Return what came after the origins of forecasts, NaN beyond the ends of series."""
    truth = np.full((len(of.series), n_steps), np.nan)
    steps = of.origin[:, np.newaxis] + np.arange(1, n_steps + 1)
    for i in np.unique(of.series):
        rows, columns = np.nonzero((of.series == i)[:, np.newaxis] & (steps < data.n_steps(i)))
        values = data.series[i].values[:, data.targets]
        truth[rows, columns] = values[steps[rows, columns], of.target[rows]]
    return truth


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


# --- The series ----------------------------------------------------------------------------------


class _Data(NamedTuple):
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
    beside: list | None
    x_names: list | None
    static: dict | None
    keys: list
    targets: list
    target_names: list | None
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
                x.append(Series(one.key, values, _COUNT, rows, rows))
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
        clock = self.series[series[0]].clock
        return _wrap(clock, self.stamps(series, steps))

    def places_in_picture(self, i, n):
        """Return where the first steps of a series lie on the axis of time."""
        times = self.series[i].clock.local_times(0, n)
        if times is not None:
            return times
        stamps = self._stamps_of(i, n)
        return np.arange(n) if stamps.dtype.kind == "m" else stamps


# The clock of rows that stand in their order.
_COUNT = Clock(0, Fixed(1), Style(), None)


def _wrap(clock, stamps):
    """Return stamps, which need not be equally spaced, as labels of the clock's library."""
    is_plain = clock.kind in (None, "numbers")
    return stamps if is_plain else clock.style.wrap(stamps, clock.step)


def _open(forecaster, y, X, static):
    """Return y, X and static, opened as the forecaster opens them."""
    panel = open_y(y, forecaster.series, forecaster.time)
    of_x = None if X is None else open_x(X, forecaster.series, forecaster.time)
    columns = columns_of_y_and_x(panel, of_x, forecaster.target, forecaster.known)
    beside = None
    if of_x is not None:
        tracks = make_tracks(panel, of_x, columns)
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
    return _Data(
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


class _Axis(NamedTuple):
    """The times of all series, one after another.

    Attributes
    ----------
    stamps : ndarray of shape (n_steps,)
    of_series : list of ndarray, the stamps of the steps of each series
    clock : Clock, of the first series; its labels are those of the axis
    """

    stamps: np.ndarray
    of_series: list
    clock: Clock

    @classmethod
    def of(cls, series):
        """Return the axis of series: their stamps, or the numbers of their steps without such."""
        kinds = {one.clock.kind for one in series}
        if len(kinds) > 1:
            raise ValueError(f"Expected labels of one kind in all series of y, got {kinds}.")
        lengths = [len(one.values) for one in series]
        if None in kinds:
            return cls(np.arange(max(lengths)), [np.arange(n) for n in lengths], series[0].clock)
        parts = [one.clock.stamps(0, len(one.values)) for one in series]
        if parts[0].dtype.kind in "mM":
            unit = finest_unit_of(*parts)
            parts = [cast(part, unit) for part in parts]
        return cls(np.unique(np.concatenate(parts)), parts, series[0].clock)

    @property
    def n_steps(self):
        return len(self.stamps)

    def ends(self, origins):
        """Return how many steps of each series are known at origins, (n_origins, n_series)."""
        known = [np.searchsorted(one, self.stamps[origins], side="right") for one in self.of_series]
        return np.stack(known, axis=1)

    def labels(self, origins):
        """Return the labels of origins."""
        return _wrap(self.clock, self.stamps[origins])


def _n_initial(initial, axis):
    """Return the number of steps before the first forecast."""
    value = plain(initial)
    if isinstance(value, bool) or value is None:
        raise ValueError(f"initial: expected a number of steps, a share or a label, got {value!r}.")
    if isinstance(value, float):
        if not 0 < value < 1:
            raise ValueError(f"initial: expected a share between 0 and 1, got {value!r}.")
        return int(np.floor(value * axis.n_steps + 1e-9))
    # A timedelta64 is an integer for NumPy, too.
    if isinstance(value, Integral) and not isinstance(value, np.timedelta64):
        return int(value)
    return _n_until(value, axis)


def _n_until(label, axis):
    """Return the number of steps until a label, its own included."""
    clock = axis.clock
    if not clock.has_dates and clock.kind != "durations":
        raise ValueError(
            f"initial: expected a number of steps or a share, as y has no dates, got {label!r}."
        )
    side = "right"
    if isinstance(label, str) and clock.has_dates:
        try:
            # All of a date in words, as in slices of pandas.
            stamps = np.array([np.datetime64(label) + 1]).astype("M8[us]")
        except ValueError as error:
            raise ValueError(f"initial: expected a date as 2024-06-30, got {label!r}.") from error
        stamps, side = clock.style.to_utc(stamps), "left"
    else:
        if hasattr(label, "to_timestamp"):  # a period, all of which counts
            label = label.to_timestamp(how="end")
        read = read_labels("initial", [label])
        is_date = read.kind == "dates"
        if is_date != clock.has_dates or read.kind == "numbers":
            kind = "durations" if clock.kind == "durations" else "dates"
            raise ValueError(f"initial: expected one of the {kind} of y, got {label!r}.")
        if getattr(label, "tzinfo", None) is not None and clock.style.zone is None:
            raise ValueError(
                f"initial: expected a date without a time zone, as y has none, got {label!r}."
            )
        is_local = isinstance(label, np.datetime64) or (
            isinstance(label, datetime) and label.tzinfo is None
        )
        stamps = clock.style.to_utc(read.stamps) if is_date and is_local else read.stamps
    unit = finest_unit_of(axis.stamps, stamps)
    n = int(np.searchsorted(cast(axis.stamps, unit), cast(stamps, unit)[0], side=side))
    if n == 0:
        first = say_stamp(axis.stamps[0], clock.style)
        raise ValueError(f"initial: expected a label of y, which begins at {first}, got {label!r}.")
    return n


def _check_first(forecaster, data, axis, first, n, initial):
    """Refuse a first origin with too little before it, or after it."""
    if axis.n_steps - first - 1 < n:
        raise ValueError(
            f"Expected at least {n} steps of y after the first origin, those to be forecast, got "
            f"{max(axis.n_steps - first - 1, 0)} of {axis.n_steps}: take initial={initial!r} "
            "smaller."
        )
    ends = axis.ends(np.array([first]))[0] if first >= 0 else np.zeros(1)
    longest = int(max(ends))
    is_found = forecaster.window == "auto"
    shape = Shape(1 if is_found else int(forecaster.window), int(forecaster.horizon), 1)
    if is_found and longest:
        panel, of_x, _ = data.cut(np.flatnonzero(ends), ends[ends > 0])
        columns = columns_of_y_and_x(panel, of_x, forecaster.target, forecaster.known)
        shape = forecaster._shape(make_tracks(panel, of_x, columns))
    if longest <= shape.window + shape.horizon:
        least = steps_to_fit(shape, is_found)
        raise ValueError(
            f"Expected initial to be at least {least} steps (window of "
            f"{least - shape.horizon - 1}, horizon of {shape.horizon}, and one more), got "
            f"{longest} of {axis.n_steps} with initial={initial!r}."
        )


def _names_of_baselines(baselines):
    """Return the names of the baselines."""
    if isinstance(plain(baselines), bool):
        return list(BASELINES) if baselines else []
    names = [baselines] if isinstance(baselines, str) else [plain(name) for name in baselines]
    for name in names:
        if name not in BASELINES:
            raise ValueError(f"baselines: expected some of {BASELINES}, got {name!r}.")
    return list(dict.fromkeys(names))


# --- The forecasts -------------------------------------------------------------------------------


class _Forecasts(NamedTuple):
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
    values: dict

    def take(self, rows):
        """Return some of them."""
        *columns, values = self
        values = {name: one[rows] for name, one in values.items()}
        return _Forecasts(*(column[rows] for column in columns), values)


def _joined(parts):
    """Return forecasts one after another."""
    columns = zip(*(part[:-1] for part in parts), strict=True)
    values = {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values}
    return _Forecasts(*map(np.concatenate, columns), values)


class _Part(NamedTuple):
    """The forecasts of one fit: None where no series goes on from its origins.

    Attributes
    ----------
    forecasts : _Forecasts or None
    seconds : float, of the fit
    window : int
    messages : list of (str, type), the warnings
    """

    forecasts: Any
    seconds: float
    window: int
    messages: list


def _run(forecaster, data, ends, n, coverage, baselines):
    """Fit to what is known at the first of some origins, and forecast from all of them.

    Parameters
    ----------
    forecaster : GRUForecaster, not fitted
    data : _Data
    ends : ndarray of shape (n_origins, n_series), the steps that are known
    n : int
    coverage : float or None
    baselines : list of str
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        part = _forecast(forecaster, data, ends, n, coverage, baselines)
    return part._replace(messages=[(str(one.message), one.category) for one in caught])


def _forecast(forecaster, data, ends, n, coverage, baselines):
    begun = [
        i
        for i, (one, end) in enumerate(zip(data.series, ends[0], strict=True))
        if np.isfinite(one.values[:end, data.targets]).any()
    ]
    known = data.cut(begun, ends[0][begun])
    start = perf_counter()
    fitted = clone(forecaster).fit(*known)
    seconds = perf_counter() - start
    if coverage is not None and fitted._model.calibration is None:
        warn(
            f"Expected enough windows to calibrate bands, got {fitted.n_windows_} in a fit: its "
            "forecasts have none (NaN). A larger initial has more; coverage=None asks for no bands."
        )
        coverage = None
    ridge = None
    if "ridge" in baselines:
        ridge = _fit_ridge(fitted, known, n)
    scales = {
        (i, j): seasonal_scale(data.series[i].values[: ends[0][i], column], fitted.season_)
        for i in begun
        for j, column in enumerate(data.targets)
    }
    found = [
        _ask(fitted, data, some, n, coverage, baselines, ridge, scales)
        for some in _questions(data, ends, fitted.window_)
    ]
    return _Part(_joined(found) if found else None, seconds, fitted.window_, [])


def _questions(data, ends, window):
    """Yield series and the steps that are their origins, in portions that fit into memory."""
    portion, size = [], 0
    for i, one in enumerate(data.series):
        last = ends[:, i]
        origins = np.unique(last[(last >= window) & (last < data.n_steps(i))]) - 1
        if not len(origins):
            continue
        portion.append((i, origins))
        n_columns = one.values.shape[1] + (0 if data.beside is None else data.beside[i].shape[1])
        size += len(origins) * window * n_columns * len(data.targets)
        if size > _MAX_NUMBERS:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _ask(fitted, data, portion, n, coverage, baselines, ridge, scales):
    """Return the forecasts from some origins of some series."""
    which = [i for i, _ in portion]
    lasts = np.array([origins[-1] for _, origins in portion])
    state = fitted._given(*data.cut(which, lasts + 1, n), n)
    units = [
        # A series that was not in fit: as far as it is known at its first origin.
        unit if place >= 0 else units_of([track._replace(values=track.values[: origins[0] + 1])])[0]
        for place, unit, track, (_, origins) in zip(
            state.places, state.units, state.tracks, portion, strict=True
        )
    ]
    state = state._replace(units=units)
    of_tracks, origins = np.array(which), [origins for _, origins in portion]
    if n != fitted.horizon:
        # Windows go beyond what is known, or read less of it: each origin has its own series.
        copies = [len(steps) for steps in origins]
        keep = max(fitted.window_, fitted.season_)
        tracks = [
            _until(track, step, n, fitted._columns.known).tail(keep)
            for track, steps in zip(state.tracks, origins, strict=True)
            for step in steps
        ]
        repeated = np.repeat(np.arange(len(which)), copies)
        state = state._replace(
            tracks=tracks,
            units=[units[k] for k in repeated],
            static=state.static[repeated],
            places=state.places[repeated],
        )
        of_tracks, origins = of_tracks[repeated], last_steps(tracks)
    n_targets = len(data.targets)
    sources = _sources(fitted, state, n)
    origins = [steps for steps in origins for _ in range(n_targets)]
    windows, forecast = forecast_ahead(fitted._model, sources, origins, n)
    scale = np.concatenate(state.units)[windows.owners][:, np.newaxis]
    tracks = windows.owners // n_targets
    found = {"forecast": forecast.center * scale}
    if baselines:
        plain_windows = cut(sources, origins, fitted._model.shape._replace(horizon=n))
        simple = forecast_baselines(baselines, plain_windows, ridge)
        found |= {name: values * scale for name, values in simple.items()}
    lower = upper = np.full(forecast.center.shape, np.nan)
    if coverage is not None:
        owners = state.owners[windows.owners]
        lower, upper = (
            scale * quantile_ahead(fitted._model, forecast, owners, level)
            for level in ((1 - coverage) / 2, (1 + coverage) / 2)
        )
    starts = np.array([track.start for track in state.tracks])
    series, target = of_tracks[tracks], windows.owners % n_targets
    pairs = zip(series.tolist(), target.tolist(), strict=True)
    scale_of_errors = np.array([scales.get(pair, np.nan) for pair in pairs])
    origins = windows.origins + starts[tracks]
    return _Forecasts(series, target, origins, scale_of_errors, lower, upper, found)


def _sources(fitted, state, n):
    return make_sources(state.tracks, state.units, state.static, fitted._columns, fitted._cycles, n)


def _until(track, origin, n, known):
    """Return a track that ends at an origin, with what is known of the n steps that follow."""
    covariates = track.covariates[: origin + 1 + n].copy()
    is_unknown = np.ones(covariates.shape[1], bool)
    is_unknown[known] = False
    covariates[origin + 1 :, is_unknown] = np.nan
    return track._replace(values=track.values[: origin + 1], covariates=covariates)


def _fit_ridge(fitted, known, n):
    """Return the ridge regression, fitted to what the forecaster was fitted to."""
    state = fitted._given(*known, n)
    shape = fitted._model.shape._replace(horizon=n)
    longest = max(len(track.values) for track in state.tracks)
    if longest < shape.window + n:
        raise ValueError(
            f"Expected initial to be at least {shape.window + n} steps, a window of {shape.window} "
            f"and {n} steps ahead, for the baseline 'ridge', got {longest}: give a larger one, or "
            "baselines without 'ridge'."
        )
    windows = training_windows(_sources(fitted, state, n), shape, check_random_state(0))
    return fit_ridge(windows, shape)
