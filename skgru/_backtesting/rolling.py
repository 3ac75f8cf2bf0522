"""The fits of a backtest, and what each forecasts from its origins."""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skgru._backtesting.dataset import Dataset
from skgru._backtesting.result import Forecasts, join
from skgru._forecasting.ahead import forecast_ahead, quantile_ahead
from skgru._forecasting.baselines import fit_ridge, forecast_baselines
from skgru._forecasting.ensemble import training_windows
from skgru._forecasting.errors import seasonal_scale
from skgru._forecasting.fitted import FittedSeries
from skgru._forecasting.members import Ridge
from skgru._forecasting.tracks import last_steps, units_of
from skgru._forecasting.window import cut
from skgru._warnings import warn

# Numbers in the windows that are forecast at once.
_MAX_NUMBERS = 20_000_000


class Task(NamedTuple):
    """What is forecast from each origin.

    Attributes
    ----------
    n_steps : int
    coverage : float or None, of the bands
    baselines : list of str
    """

    n_steps: int
    coverage: float | None
    baselines: list[str]


class Round(NamedTuple):
    """The forecasts of one fit.

    Attributes
    ----------
    forecasts : Forecasts or None, where no series goes on from the origins
    seconds : float, of the fit
    window : int
    messages : list of (str, type), the warnings
    """

    forecasts: Forecasts | None
    seconds: float
    window: int
    messages: list[tuple[str, type]]


def run(forecaster, data, ends, task):
    """Fit to what is known at the first of some origins, and forecast from all of them.

    Parameters
    ----------
    forecaster : GRUForecaster, not fitted
    data : Dataset
    ends : ndarray of shape (n_origins, n_series), the steps that are known
    task : Task

    Returns
    -------
    Round
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _run(forecaster, data, ends, task)
    return result._replace(messages=[(str(one.message), one.category) for one in caught])


def _run(forecaster, data, ends, task):
    begun = [
        i
        for i, (one, end) in enumerate(zip(data.series, ends[0], strict=True))
        if np.isfinite(one.values[:end, data.targets]).any()
    ]
    known = data.cut(begun, ends[0][begun])
    start = perf_counter()
    forecaster = clone(forecaster).fit(*known)
    seconds = perf_counter() - start
    fitted, window = forecaster._fitted, forecaster.window_
    if task.coverage is not None and fitted.model.calibration is None:
        warn(
            f"Expected enough windows to calibrate bands, got {forecaster.n_windows_} in a fit: "
            "its forecasts have none (NaN). A larger initial has more; coverage=None asks for no "
            "bands."
        )
        task = task._replace(coverage=None)
    ridge = _fit_ridge(fitted, known, task.n_steps) if "ridge" in task.baselines else None
    scales = {
        (i, j): seasonal_scale(data.series[i].values[: ends[0][i], column], forecaster.season_)
        for i in begun
        for j, column in enumerate(data.targets)
    }
    fit = _Fit(data, fitted, ridge, scales, task)
    found = [fit.forecast(portion) for portion in _portions(data, ends, window)]
    return Round(join(found) if found else None, seconds, window, [])


def _fit_ridge(fitted, known, n_steps):
    """Return the ridge regression, fitted to what the forecaster was fitted to."""
    query = fitted.given(*known)
    shape = fitted.model.shape._replace(horizon=n_steps)
    longest = max(len(track.values) for track in query.tracks)
    if longest < shape.window + n_steps:
        raise ValueError(
            f"Expected initial to be at least {shape.window + n_steps} steps, a window of "
            f"{shape.window} and {n_steps} steps ahead, for the baseline 'ridge', got {longest}: "
            "give a larger one, or baselines without 'ridge'."
        )
    windows = training_windows(fitted.sources(query, n_steps), shape, check_random_state(0))
    return fit_ridge(windows, shape)


def _portions(data, ends, window):
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


class _Fit(NamedTuple):
    """One fit, and what is asked of it.

    Attributes
    ----------
    data : Dataset
    fitted : FittedSeries
    ridge : Ridge or None, the baseline
    scales : dict of (int, int) to float, of MASE, by series and target
    task : Task
    """

    data: Dataset
    fitted: FittedSeries
    ridge: Ridge | None
    scales: dict[Any, Any]
    task: Task

    def forecast(self, portion):
        """Return the forecasts from some origins of some series, list of (int, ndarray)."""
        n_steps, n_targets = self.task.n_steps, len(self.data.targets)
        query, of_tracks, origins = self._query(portion)
        sources = self.fitted.sources(query, n_steps)
        origins = [steps for steps in origins for _ in range(n_targets)]
        windows, forecast = forecast_ahead(self.fitted.model, sources, origins, n_steps)
        values = {"forecast": forecast.center}
        if self.task.baselines:
            shape = self.fitted.model.shape._replace(horizon=n_steps)
            plain = cut(sources, origins, shape)
            values |= forecast_baselines(self.task.baselines, plain, self.ridge)
        tracks, target = np.divmod(windows.owners, n_targets)
        series = of_tracks[tracks]
        starts = np.array([track.start for track in query.tracks])
        pairs = zip(series.tolist(), target.tolist(), strict=True)
        scale = np.array([self.scales.get(pair, np.nan) for pair in pairs])
        unit = np.concatenate(query.units)[windows.owners][:, np.newaxis]
        lower, upper = self._band(forecast, query.owners[windows.owners])
        values = {name: unit * one for name, one in values.items()}
        steps = windows.origins + starts[tracks]
        return Forecasts(series, target, steps, scale, unit * lower, unit * upper, values)

    def _query(self, portion):
        """Return what is asked, the series of each of its tracks and the origins of each."""
        n_steps, fitted = self.task.n_steps, self.fitted
        series = np.array([i for i, _ in portion])
        origins = [steps for _, steps in portion]
        lasts = np.array([steps[-1] for steps in origins])
        query = fitted.given(*self.data.cut(series, lasts + 1, n_steps))
        units = [
            # A series that was not in fit: as far as it is known at its first origin.
            unit if place >= 0 else units_of([track.until(steps[0])])[0]
            for place, unit, track, steps in zip(
                query.places, query.units, query.tracks, origins, strict=True
            )
        ]
        query = query._replace(units=units)
        shape = fitted.model.shape
        if n_steps == shape.horizon:
            return query, series, origins
        # Windows go beyond what is known, or read less of it: each origin has its own series.
        tracks = [
            track.until(step, n_steps, fitted.columns.known).tail(max(shape.window, shape.season))
            for track, steps in zip(query.tracks, origins, strict=True)
            for step in steps
        ]
        repeated = np.repeat(np.arange(len(series)), [len(steps) for steps in origins])
        query = query._replace(
            tracks=tracks,
            units=[units[k] for k in repeated],
            static=query.static[repeated],
            places=query.places[repeated],
        )
        return query, series[repeated], last_steps(tracks)

    def _band(self, forecast, owners):
        """Return the ends of the bands, NaN without."""
        coverage = self.task.coverage
        if coverage is None:
            return (np.full(forecast.center.shape, np.nan),) * 2
        ends = (1 - coverage) / 2, (1 + coverage) / 2
        return [quantile_ahead(self.fitted.model, forecast, owners, level) for level in ends]
