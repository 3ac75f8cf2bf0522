"""Backtests inside skforecast and mlforecast: the network beside gradient boosting.

    python benchmarks/forecasting_libraries.py --data FOLDER            # both, in both libraries
    python benchmarks/forecasting_libraries.py --data FOLDER --series temperature --seeds 0

The folder has `daily-min-temperatures.csv.gz` (3,650 days of Melbourne) and `etth2.csv.gz` (the
hourly oil temperature of a transformer, OT). Both regressors are given the same lags and the same
calendar, once as they are and once differenced by the library. They are fitted once, to all but the
last part of the series; there, a forecast of `horizon` steps, recursive, starts at each
`horizon`-th step. Each line: root mean squared error, mean absolute error, seconds in all.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from skgru import LagSelector, MultimodalGRURegressor, SeriesBranch, TableBranch


class Task(NamedTuple):
    """A series and how it is forecast."""

    file: str
    column: str
    freq: str
    period: float  # of the calendar, in steps
    n_lags: int
    horizon: int
    n_test: int


TASKS = {
    "temperature": Task("daily-min-temperatures.csv.gz", "Temp", "D", 365.25, 28, 7, 728),
    "oil": Task("etth2.csv.gz", "OT", "h", 24, 48, 24, 2880),
}


def series_of(folder, task):
    """Return the series, and its calendar as sine and cosine."""
    table = pd.read_csv(Path(folder) / task.file, parse_dates=[0], index_col=0)
    y = table[task.column].astype(float).asfreq(task.freq).interpolate().rename("y")
    phase = 2 * np.pi * np.arange(len(y)) / task.period
    calendar = pd.DataFrame({"sine": np.sin(phase), "cosine": np.cos(phase)}, index=y.index)
    return y, calendar


def network(task, seed):
    return MultimodalGRURegressor(
        [("lags", SeriesBranch(), LagSelector(task.n_lags))],
        remainder=TableBranch(),
        random_state=seed,
    )


def boosting(task, seed):
    return HistGradientBoostingRegressor(random_state=seed)


REGRESSORS = {"network": network, "boosting": boosting}


def in_skforecast(regressor, task, y, calendar, *, differences):
    """Return forecasts and truths of a backtest."""
    from skforecast.model_selection import TimeSeriesFold, backtesting_forecaster
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(
        regressor, lags=task.n_lags, differentiation=1 if differences else None
    )
    folds = TimeSeriesFold(
        steps=task.horizon,
        initial_train_size=len(y) - task.n_test,
        refit=False,
        differentiation=1 if differences else None,
        verbose=False,
    )
    _, predicted = backtesting_forecaster(
        forecaster,
        y=y,
        exog=calendar,
        cv=folds,
        metric="mean_squared_error",
        n_jobs=1,
        show_progress=False,
    )
    return predicted["pred"].to_numpy(), y[predicted.index].to_numpy()


def in_mlforecast(regressor, task, y, calendar, *, differences):
    """Return forecasts and truths of a backtest."""
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences

    forecaster = MLForecast(
        {"y_hat": regressor},
        freq=task.freq,
        lags=range(1, task.n_lags + 1),
        target_transforms=[Differences([1])] if differences else None,
    )
    table = calendar.assign(unique_id="series", ds=y.index, y=y)
    predicted = forecaster.cross_validation(
        table,
        n_windows=task.n_test // task.horizon,
        h=task.horizon,
        refit=False,
        static_features=[],
    )
    return predicted["y_hat"].to_numpy(), predicted["y"].to_numpy()


LIBRARIES = {"skforecast": in_skforecast, "mlforecast": in_mlforecast}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the series")
    parser.add_argument("--series", choices=TASKS, nargs="+", default=list(TASKS))
    parser.add_argument("--libraries", choices=LIBRARIES, nargs="+", default=list(LIBRARIES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # of the libraries
    print("series       library     differences  regressor  seed    RMSE     MAE  seconds")
    for name in options.series:
        task = TASKS[name]
        y, calendar = series_of(options.data, task)
        for library in options.libraries:
            for differences in (False, True):
                for kind, make in REGRESSORS.items():
                    for seed in options.seeds:
                        start = time.perf_counter()
                        regressor = make(task, seed)
                        predicted, truth = LIBRARIES[library](
                            regressor, task, y, calendar, differences=differences
                        )
                        error = predicted - truth
                        print(
                            f"{name:12s} {library:11s} {differences!s:12s} {kind:10s} {seed:4d} "
                            f"{np.sqrt(np.mean(error**2)):7.3f} {np.abs(error).mean():7.3f} "
                            f"{time.perf_counter() - start:8.1f}",
                            flush=True,
                        )


if __name__ == "__main__":
    main()
