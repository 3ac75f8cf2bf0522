"""Forecasts of single series, one step and a season ahead, beside what costs nothing.

    python benchmarks/accuracy/forecasts.py --data FOLDER [--seeds 3] [--rows ROW ...]

FOLDER holds the series, gzipped CSV files: airline-passengers.csv.gz (144 months),
monthly-sunspots.csv.gz (2,820 months), daily-min-temperatures.csv.gz (3,650 days),
beijing_pm25.csv.gz (43,824 hours, 5 % of them missing) and etth2.csv.gz (17,420 hours, the oil
temperature OT). `walk` is a random walk of 1,000 steps, made here.

The last fifth of each series is the test: from each of its steps, forecasts of what follows are
made by a forecaster with its defaults that was fitted to the first four fifths. Printed is the root
mean squared error; the coverage of the bands of 90 %; the seconds of a fit. Beside it:

    persistence  the last value
    season       the value a season before, with the season that the field takes for the series
    ridge        ridge regression on windows as long as the forecaster's; the better one, on the
                 test, of one on values and one on changes from the last value
"""

import argparse
import csv
import gzip
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import Ridge

from skgru import GRUForecaster


def read(path, column, dates):
    """Return a column of a CSV file as a Series with dates."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = [row[column] for row in rows]
    values = np.array([value if value not in ("", "NA") else "nan" for value in values], float)
    return pd.Series(values, dates(rows), name=column)


def _stamps(column, freq):
    def dates(rows):
        first = rows[0][column]
        return pd.date_range(first, periods=len(rows), freq=freq)

    return dates


def _hours(rows):
    return pd.date_range("2010-01-01", periods=len(rows), freq="h")


def walk(_):
    """Return a random walk."""
    return pd.Series(np.random.default_rng(0).normal(size=1000).cumsum(), name="walk")


SERIES = {
    "airline": (
        lambda f: read(f / "airline-passengers.csv.gz", "Passengers", _stamps("Month", "MS")),
        12,
    ),
    "sunspots": (
        lambda f: read(f / "monthly-sunspots.csv.gz", "Sunspots", _stamps("Month", "MS")),
        132,
    ),
    "temperatures": (
        lambda f: read(f / "daily-min-temperatures.csv.gz", "Temp", _stamps("Date", "D")),
        365,
    ),
    "pm25": (lambda f: read(f / "beijing_pm25.csv.gz", "pm2.5", _hours), 24),
    "oil": (lambda f: read(f / "etth2.csv.gz", "OT", _stamps("date", "h")), 24),
    "walk": (walk, 8),
}


def rmse(forecasts, truths):
    """Return the root mean squared error over what was measured."""
    return float(np.sqrt(np.nanmean(np.square(np.asarray(forecasts) - truths))))


def baselines(y, n_train, horizon, season, window):
    """Yield the name and the error of each baseline."""
    filled = y.ffill().bfill().to_numpy()
    ends = np.arange(n_train - 1, len(y) - horizon)
    truths = y.to_numpy()[ends[:, None] + np.arange(1, horizon + 1)]
    last = filled[ends][:, None]
    yield "persistence", rmse(last, truths)
    steps = np.arange(1, horizon + 1)
    back = steps - season * -(-steps // season)
    yield "season", rmse(filled[ends[:, None] + back], truths)
    both = sliding_window_view(filled, window + horizon)
    found = []
    for is_change in (False, True):
        rows = both - is_change * both[:, window - 1 : window]
        train = rows[: n_train - window - horizon + 1]
        ridge = Ridge().fit(train[:, :window], train[:, window:])
        test = rows[ends - window + 1]
        ahead = ridge.predict(test[:, :window]).reshape(len(ends), -1)
        found.append(rmse(ahead + is_change * last, truths))
    yield "ridge", min(found)


def forecast(forecaster, y, n_train, horizon):
    """Return forecasts and bands from each step of the test."""
    keep = max(forecaster.window_, forecaster.season_)
    ends = range(n_train, len(y) - horizon + 1)
    pasts = [y[max(end - keep, 0) : end] for end in ends]
    centers = np.array([forecaster.predict(y=past) for past in pasts])
    bands = np.array([forecaster.predict_interval(y=past) for past in pasts])
    return centers, bands[..., 0], bands[..., 1]


def main(argv=None):
    """Print the errors of each series at both horizons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", choices=SERIES, default=list(SERIES))
    options = parser.parse_args(argv)
    for name in options.rows:
        load, season = SERIES[name]
        y = load(options.data)
        n_train = len(y) - len(y) // 5
        for horizon in (1, season):
            errors, covered, seconds = [], [], []
            for seed in range(options.seeds):
                start = time.perf_counter()
                forecaster = GRUForecaster(horizon=horizon, random_state=seed).fit(y[:n_train])
                seconds.append(time.perf_counter() - start)
                ends = np.arange(n_train, len(y) - horizon + 1)
                truths = y.to_numpy()[ends[:, None] + np.arange(horizon)]
                center, lower, upper = forecast(forecaster, y, n_train, horizon)
                errors.append(rmse(center, truths))
                known = ~np.isnan(truths)
                covered.append(np.mean(((lower <= truths) & (truths <= upper))[known]))
            beside = dict(baselines(y, n_train, horizon, season, forecaster.window_))
            shown = ", ".join(f"{each} {error:.4g}" for each, error in beside.items())
            ratio = np.mean(errors) / min(beside.values())
            print(
                f"{name:12s} {horizon:3d} ahead: {np.mean(errors):.4g} ± {np.std(errors):.2g} "
                f"({ratio:.3f} of the best of {shown}); covered {np.mean(covered):.3f}; "
                f"{np.mean(seconds):.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
