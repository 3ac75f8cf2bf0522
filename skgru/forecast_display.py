"""The picture of a forecast: the last steps before it, its band, and what came."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skgru._data.matching import match
from skgru._data.panel import Panel
from skgru._forecasting.checks import TooShortError
from skgru._forecasting.picture import (
    ax_or_new,
    check_coverage,
    check_n_history,
    draw_ahead,
    finish,
    name_of_band,
    place_of,
    time_name_of,
    times_to_draw,
)
from skgru._forecasting.tracks import open_x, open_y, said_of
from skgru._pictures import draw_line
from skgru._types import ArrayLike, Axes, Column, Table
from skgru._unwrapping import best_of, said_type
from skgru.forecasting import GRUForecaster

__all__ = ["ForecastDisplay"]


class ForecastDisplay:
    """The last steps of a series, the forecast of those that follow, its band, and what came.

    It is made by `from_estimator` or `from_predictions`; its parameters become attributes.

    Parameters
    ----------
    history : array-like of shape (n_history,)
        The values before the forecast, in the units of the series; missing ones are NaN.
    forecast : array-like of shape (n_steps,)
        The forecast.
    lower, upper : array-like of shape (n_steps,), default=None
        The ends of its band; None = none.
    actual : array-like of shape (n_steps,), default=None
        What came, NaN where it is not known; None = it is not.
    coverage : float, default=None
        The probability of the band, for the legend.
    times : array-like of shape (n_history + n_steps,), default=None
        Dates or numbers of all steps; None = steps are counted from 0, the first of the forecast.
    time_name, target_name, series_name : str, default=None
        What is written at the axes and above them; None = nothing.

    Attributes
    ----------
    ax_ : Axes of matplotlib
    figure_ : Figure of matplotlib
    lines_ : list of Line2D of matplotlib
        That of the history, that of the forecast, and, if it is known, that of what came. The last
        two begin at the last known value of the history.
    band_ : PolyCollection of matplotlib or None
        Between the ends of the band.

    See Also
    --------
    Backtest.plot : Forecasts from several moments of the past.
    GRUForecaster.predict_interval : The bands, and what they promise.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import ForecastDisplay, GRUForecaster
    >>> y = np.sin(np.arange(120) / 3) + np.random.RandomState(0).normal(0, 0.1, 120)
    >>> forecaster = GRUForecaster(12, 6, max_iter=2, random_state=0).fit(y[:100])
    >>> display = ForecastDisplay.from_estimator(forecaster, coverage=0.8, actual=y[100:106])
    >>> [text.get_text() for text in display.ax_.get_legend().texts]
    ['history', 'forecast', '80 % band', 'what came']
    """

    def __init__(
        self,
        history: ArrayLike,
        forecast: ArrayLike,
        *,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        actual: ArrayLike | None = None,
        coverage: float | None = None,
        times: ArrayLike | None = None,
        time_name: str | None = None,
        target_name: str | None = None,
        series_name: str | None = None,
    ) -> None:
        self.history = history
        self.forecast = forecast
        self.lower = lower
        self.upper = upper
        self.actual = actual
        self.coverage = coverage
        self.times = times
        self.time_name = time_name
        self.target_name = target_name
        self.series_name = series_name

    @classmethod
    def from_estimator(
        cls,
        forecaster: GRUForecaster,
        n: int | None = None,
        *,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        static: Table | None = None,
        coverage: float | None = 0.9,
        actual: ArrayLike | None = None,
        series: Column | None = None,
        target: Column | None = None,
        n_history: int | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what a fitted forecaster predicts of one series.

        Parameters
        ----------
        forecaster : GRUForecaster
            A fitted one, or a search for one, whose best estimator is taken.
        n : int, default=None
            The number of steps to forecast; None = `horizon` of the forecaster.
        X, y, static : default=None
            As of :meth:`GRUForecaster.predict`.
        coverage : float or None, default=0.9
            The probability of the band, in (0, 1). None: no band.
        actual : array-like or table, default=None
            What came, in the form of y: with its labels, of which those that are forecast are
            drawn, or without any, from the first step of the forecast on. It has the columns of y,
            or the targets alone. None: that is not known.
        series : hashable, default=None
            The series; of a list its number. None: the first.
        target : hashable, default=None
            The target; of an array the number of its column. None: the first.
        n_history : int, default=None
            The number of steps to draw before the forecast; None: as many as the window has. Of the
            series of `fit`, forecasters keep no more than they read: the window, or a season if it
            is longer. For more, give `y`.
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of the line of the forecast, as `Axes.plot` of matplotlib has them.

        Returns
        -------
        display : ForecastDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            As of :meth:`GRUForecaster.predict_interval`; if there is no such series or target, if
            `actual` has nothing of the steps that are forecast, or if more history is asked for
            than there is.
        ImportError
            If there is no matplotlib.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from skgru import ForecastDisplay, GRUForecaster
        >>> days = pd.date_range("2024-01-01", periods=90)
        >>> waves = np.sin(2 * np.pi * np.arange(90) / 7)[:, np.newaxis] * [1, 3]
        >>> sold = pd.DataFrame(waves, days, columns=["bread", "cake"])
        >>> forecaster = GRUForecaster(14, 7, max_iter=2, random_state=0).fit(sold[:83])
        >>> display = ForecastDisplay.from_estimator(forecaster, target="cake", actual=sold)
        >>> display.forecast.shape, display.target_name
        ((7,), 'cake')
        """
        forecaster = best_of(forecaster)
        if not isinstance(forecaster, GRUForecaster):
            raise TypeError(
                "Expected a GRUForecaster, or a fitted search for one, got "
                f"{said_type(forecaster)}."
            )
        check_is_fitted(forecaster)
        check_coverage(coverage)
        columns = forecaster._fitted.columns
        try:
            query, n_steps = forecaster._query(n, X, y, static)
        except TooShortError as error:
            raise ValueError(
                f"{error} Give more of y: n_history={error.n_steps} draws the last steps of it "
                "alone."
            ) from error
        keys = [track.key for track in query.tracks]
        if None in keys and len(keys) > 1:  # the series of a list are known by their numbers
            keys = list(range(len(keys)))
        names = _names_of_targets(columns, query.panel.form)
        i = 0 if series is None else place_of(series, keys, "series")
        j = 0 if target is None else place_of(target, names or columns.targets, "target")
        if actual is not None:
            panel = _open_actual(actual, forecaster, query.panel, i)
            actual = _values_ahead(panel, query.only(i), n_steps, columns, j)

        query = query.only(i)
        forecast = forecaster._forecast(query, n_steps)
        (center,) = query.by_track(forecast[-1].center)
        lower = upper = None
        if coverage is not None:
            levels = (1 - coverage) / 2, (1 + coverage) / 2
            found = forecaster._quantiles_by_track(levels, *forecast)
            lower, upper = (of_track[:, j] for (of_track,) in found)
        (track,) = query.tracks
        n_history = _n_to_draw(forecaster.window_ if n_history is None else n_history, track)
        return cls(
            track.values[len(track.values) - n_history :, j],
            center[:, j],
            lower=lower,
            upper=upper,
            actual=actual,
            coverage=coverage,
            times=times_to_draw(track.clock, track.end - n_history, track.end + n_steps),
            time_name=time_name_of(track.clock),
            target_name=None if names is None else names[j],
            series_name=keys[i] if len(keys) > 1 else None,
        ).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        history: ArrayLike,
        forecast: ArrayLike,
        bands: ArrayLike | None = None,
        *,
        actual: ArrayLike | None = None,
        coverage: float | None = None,
        time: Column | None = None,
        n_history: int | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a forecast that has been made before, of one series, by any forecaster.

        Parameters
        ----------
        history : array-like or table
            The series before the forecast, with its labels, if it has some: one column of values.
        forecast : array-like or table
            What follows: one column, in rows of the labels that follow those of `history`, or
            without labels.
        bands : array-like or table, default=None
            The lower and the upper end of the band, two columns, with the rows of `forecast`.
        actual : array-like or table, default=None
            What came: one column; with labels, of which those that are forecast are drawn.
        coverage : float, default=None
            The probability of the band, for the legend.
        time : hashable, default=None
            The column of the times, where they are not in the index.
        n_history : int, default=None
            The number of steps of `history` to draw; None = all.
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of the line of the forecast, as `Axes.plot` of matplotlib has them.

        Returns
        -------
        display : ForecastDisplay

        Raises
        ------
        TypeError, ValueError
            If there are several series or columns, if the forecast does not follow the history, or
            if `coverage` is no probability.
        ImportError
            If there is no matplotlib.

        Examples
        --------
        >>> import numpy as np
        >>> from skgru import ForecastDisplay
        >>> bands = np.array([[5, 7], [5, 9]])
        >>> display = ForecastDisplay.from_predictions([3, 4, 5], [6, 7], bands)
        >>> display.lines_[1].get_ydata()
        array([5., 6., 7.])
        """
        check_coverage(coverage)
        panel = replace(open_y(history, None, time), role="history")
        past = _only_series(panel, 1, "history")
        n = len(past.values)

        def ahead(given: Any, what: str, n_columns: int = 1) -> Any:
            opened = open_x(given, None, time, role=what)
            _only_series(opened, n_columns, what)
            return match(panel, opened, ahead=True)[0]

        values, offset = ahead(forecast, "forecast")
        if offset != n:
            raise ValueError(
                f"Expected a forecast of the steps that follow the {n} of history, got one that "
                f"begins at step {offset}."
            )
        n_steps = len(values)
        lower = upper = came = None
        if bands is not None:
            # A list of pairs is no list of series here.
            bands = np.asarray(bands) if isinstance(bands, list) else bands
            ends, offset = ahead(bands, "bands", 2)
            if offset != n or len(ends) != n_steps:
                raise ValueError(
                    f"Expected bands with the {n_steps} rows of the forecast, got {len(ends)}"
                    f"{'' if offset == n else ' of other steps'}."
                )
            lower, upper = ends.T
        if actual is not None:
            came = _on_steps(ahead(actual, "actual"), n, n_steps)[:, 0]
        n_history = n if n_history is None else min(check_n_history(n_history), n)
        name = getattr(panel.form, "name", None) if panel.names is None else panel.names[0]
        return cls(
            past.values[n - n_history :, 0],
            values[:, 0],
            lower=lower,
            upper=upper,
            actual=came,
            coverage=coverage,
            times=times_to_draw(past.clock, n - n_history, n + n_steps),
            time_name=time_name_of(past.clock),
            target_name=name,
        ).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the forecast.

        Parameters
        ----------
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of the line of the forecast, as `Axes.plot` of matplotlib has them; the band has its
            colour, and the legend its label.

        Returns
        -------
        display : ForecastDisplay
            Itself.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        """
        ax = self.ax_ = ax_or_new(ax, "ForecastDisplay")
        self.figure_ = ax.figure
        history, forecast = (np.asarray(values, float) for values in (self.history, self.forecast))
        n = len(history)
        time_name, times = self.time_name or "", self.times
        if times is None:
            time_name, times = self.time_name or "step", np.arange(-n, len(forecast))
        times = np.asarray(times)
        band = None
        if self.lower is not None:
            band = np.asarray(self.lower, float), np.asarray(self.upper, float)
        style = {"label": "forecast", "zorder": 3} | kwargs
        # What came stands out; what was known before is paler.
        before = draw_line(ax, history, times[:n], alpha=0.6, label="history")
        line, self.band_ = draw_ahead(ax, times, history, forecast, band, **style)
        self.lines_ = [before, line]
        labels = {"history": before} if n else {}
        labels[line.get_label()] = line
        if self.band_ is not None:
            labels[name_of_band(self.coverage)] = self.band_
        if self.actual is not None:
            start = np.flatnonzero(np.isfinite(history))[-1:]
            values = np.r_[history[start], np.asarray(self.actual, float)]
            shown = times[np.r_[start, n : len(times)]]
            came = draw_line(ax, values, shown, label="what came")
            self.lines_.append(came)
            labels["what came"] = came
        finish(
            ax,
            times,
            labels,
            time_name=time_name,
            target_name=self.target_name,
            series_name=self.series_name,
        )
        return self


def _names_of_targets(columns: Any, form: Any) -> list[Any]:
    """Return the names of the targets, None where they have none."""
    name = getattr(form, "name", None)
    return columns.target_names if columns.target_names or name is None else [name]


def _n_to_draw(n_history: int | None, track: Any) -> int:
    """Return how many steps of a track are drawn."""
    n_history = check_n_history(n_history)
    if n_history > len(track.values) and track.start > 0:
        raise ValueError(
            f"Expected n_history of at most {len(track.values)}, the steps that the forecaster "
            f"keeps of the series of fit, got {n_history}: give y for more."
        )
    return min(n_history, len(track.values))


def _open_actual(actual: Any, forecaster: GRUForecaster, stored: Any, i: int) -> Panel:
    """Return what came of one of the stored series, or of several that are told apart."""
    panel = open_x(actual, forecaster.series, forecaster.time, role="actual")
    if len(panel.series) == len(stored.series) and panel.series[0].key is None:
        return replace(panel, series=[panel.series[i]])
    return panel


def _values_ahead(actual: Any, query: Any, n_steps: int, columns: Any, j: int) -> NDArray[Any]:
    """Return what came of a target in the steps that are forecast."""
    (track,) = query.tracks
    n_given = actual.series[0].values.shape[1]
    names, targets = columns.target_names, columns.targets
    if actual.names is not None and names is not None and names[j] in actual.names:
        column = actual.names.index(names[j])
    elif n_given in (columns.n_y, len(targets)) and None in (actual.names, names):
        column = targets[j] if n_given == columns.n_y else j
    else:
        raise ValueError(
            f"Expected actual with the {columns.n_y} columns of y, or the {len(targets)} of the "
            f"targets alone, got {n_given if actual.names is None else actual.names}."
        )
    (stored,) = query.panel.series
    n_rows, has_labels = len(actual.series[0].values), actual.series[0].clock.kind is not None
    if not has_labels and n_rows >= max(n_steps + 1, len(stored.values)):
        raise ValueError(
            f"Expected actual for the {n_steps} steps that are forecast{said_of(track.key)}, got "
            f"{n_rows} rows without labels, as many as those of y or more: give those of these "
            "steps alone."
        )
    (matched,) = match(query.panel, actual, ahead=True)
    return _on_steps(matched, track.end, n_steps)[:, column]


def _on_steps(matched: Any, start: int, n_steps: int) -> NDArray[Any]:
    """Return rows at the steps that are forecast, of which some have to be there."""
    values = np.full((n_steps, matched.values.shape[1]), np.nan)
    end = matched.offset + len(matched.values)
    first, stop = max(matched.offset, start), min(end, start + n_steps)
    if first >= stop:
        raise ValueError(
            f"Expected actual to have some of the {n_steps} steps that are forecast, got "
            f"{len(matched.values)} rows of others."
        )
    rows = slice(first - matched.offset, stop - matched.offset)
    values[first - start : stop - start] = matched.values[rows]
    return values


def _only_series(panel: Panel, n_columns: int, what: str) -> Any:
    """Return the series of a panel, which has no other, and so many columns."""
    found = [one.values.shape[1] for one in panel.series]
    if found != [n_columns]:
        columns = "one column" if n_columns == 1 else f"{n_columns} columns"
        raise ValueError(
            f"Expected {what} of one series, {columns}, got {len(found)} series of "
            f"{found[0]} columns: choose one."
        )
    return panel.series[0]
