"""backtest: forecasts from many origins of the past, and their errors."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skgru._backtesting.dataset import open_dataset
from skgru._backtesting.origins import TimeAxis, check_first, n_initial
from skgru._backtesting.result import Backtest
from skgru._backtesting.rolling import Task, run
from skgru._compat import Interval, validate_params
from skgru._forecasting.baselines import BASELINES
from skgru._settings import plain
from skgru._types import ArrayLike, Table
from skgru._warnings import warn
from skgru.forecasting import GRUForecaster

__all__ = ["Backtest", "backtest"]


@validate_params(
    {
        "forecaster": [GRUForecaster],
        "y": "no_validation",  # opened by the forecaster's doors
        "X": "no_validation",
        "static": "no_validation",
        "n": [Interval(Integral, 1, None, closed="left"), None],
        "initial": "no_validation",  # checked in n_initial
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
    forecaster: GRUForecaster,
    y: ArrayLike,
    X: ArrayLike | None = None,
    static: Table | None = None,
    *,
    n: int | None = None,
    initial: Any = 0.8,
    step: int | None = None,
    refit: bool | int = False,
    coverage: float | None = 0.9,
    baselines: bool | str | Sequence[str] = True,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Backtest:
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
    data = open_dataset(forecaster, y, X, static)
    axis = TimeAxis.of(data.series)
    n_steps = int(forecaster.horizon if n is None else n)
    first = n_initial(initial, axis) - 1
    check_first(forecaster, data, axis, first, n_steps, initial)
    origins = np.arange(first, axis.n_steps - n_steps, n_steps if step is None else int(step))
    ends = axis.ends(origins)
    size = {False: len(origins), True: 1}.get(plain(refit), refit)
    blocks = [ends[start : start + size] for start in range(0, len(origins), size)]
    task = Task(n_steps, plain(coverage), _names_of_baselines(baselines))
    parts = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(run)(forecaster, data, block, task) for block in blocks
    )
    for message, category in dict.fromkeys(one for part in parts for one in part.messages):
        warn(message, category)
    if all(part.forecasts is None for part in parts):
        raise ValueError(
            "Expected a series with as many steps before an origin as the window has, and some "
            f"after it, got none of {len(data.series)}."
        )
    name = type(forecaster).__name__
    return Backtest(name, data, axis.labels(origins), n_steps, task.coverage, parts)


def _names_of_baselines(baselines: Any) -> list[str]:
    """Return the names of the baselines."""
    if isinstance(plain(baselines), bool):
        return list(BASELINES) if baselines else []
    names = [baselines] if isinstance(baselines, str) else [plain(name) for name in baselines]
    for name in names:
        if name not in BASELINES:
            raise ValueError(f"baselines: expected some of {BASELINES}, got {name!r}.")
    return list(dict.fromkeys(names))
