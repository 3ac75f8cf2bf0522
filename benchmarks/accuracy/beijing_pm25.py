"""Fine dust in Beijing 6 or 24 hours ahead: hourly, with holes, weather and a wind direction.

    python benchmarks/accuracy/beijing_pm25.py --data FOLDER [--horizon 6 24] [--hours 48]
        [--models MODEL ...] [--stride 1] [--seed 0] [--epochs N]

The data are "Beijing PM2.5" of the UCI repository (https://archive.ics.uci.edu/dataset/381), five
years of hourly measurements; FOLDER holds its one CSV file, gzipped, as `beijing_pm25.csv.gz`,
with the columns No, year, month, day, hour, pm2.5, DEWP, TEMP, PRES, cbwd, Iws, Is, Ir, and NA
where PM2.5 is missing (5 % of the hours, in runs of up to 155).

A window is what is known at one hour: PM2.5, the weather, the wind direction (one-hot) and the
season and hour of the day, over the last `--hours` hours. The target is PM2.5 so many hours later;
windows whose target was not measured are left out. The targets of the last year are the test; on
those of the year before was chosen what has to be chosen (alpha of ridge; the networks' SETTINGS),
then all models are fitted on all years before the test. Scores are the root mean squared and the
mean absolute error in µg/m³ over the same test windows.

    persistence  the last value that was measured
    daily        the value 24 hours before the target, or, where that is missing, on the days before
    ridge        linear regression on the whole window; what is missing is filled with the value
                 before and told by an indicator; the target is the change from the last value;
                 alpha is chosen on the year before the test
    decay        GRURegressor with missing="decay", which learns how a value fades with its age; the
                 target is again the change from the last value
    indicator    the same with missing="indicator": what is missing is told beside the value
"""

import argparse
import csv
import gzip
import time
import warnings
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from skgru import GRURegressor

SETTINGS = {
    "hidden_layer_sizes": 64,
    "batch_size": 128,
    "max_iter": 5,
    "early_stopping": False,
    "n_iter_no_change": np.inf,
    "learning_rate": "cosine",
    "learning_rate_init": 0.003,
    "bidirectional": False,
    "pooling": "last",
    "patch_size": 1,
    "dropout": 0,
    "recurrent_dropout": 0.4,
    "weight_decay": 0.01,
}
ALPHAS = 10.0 ** np.arange(-2, 7)
VALIDATION, TEST = 2013, 2014  # years of the targets
DAY = 24


def load(folder):
    """Return features (n_hours, n_features), the first of them PM2.5, and the year of each hour."""
    with gzip.open(
        Path(folder) / "beijing_pm25.csv.gz", "rt", encoding="ascii", newline=""
    ) as file:
        rows = list(csv.DictReader(file))

    def column(name):
        return np.array([row[name] if row[name] != "NA" else "nan" for row in rows]).astype(float)

    measured = [column(name) for name in ("pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")]
    wind = np.array([row["cbwd"] for row in rows])
    directions = [wind == direction for direction in np.unique(wind)]
    hour = 2 * np.pi * column("hour") / DAY
    season = 2 * np.pi * (column("month") - 1 + column("day") / 31) / 12
    clock = [f(angle) for angle in (hour, season) for f in (np.sin, np.cos)]
    return np.column_stack([*measured, *directions, *clock]), column("year").astype(int)


def forward_fill(x):
    """Return x with NaN replaced by the value before in its column, if there is one."""
    latest = np.where(np.isnan(x), 0, np.arange(len(x))[:, None])
    return np.take_along_axis(x, np.maximum.accumulate(latest), axis=0)


class Task:
    """Windows that end at the hours `now`, and the targets `horizon` hours later."""

    def __init__(self, features, year, n_hours, horizon, stride):
        self.features, self.n_hours, self.horizon = features, n_hours, horizon
        target_hour = np.arange(n_hours - 1 + horizon, len(features))
        pm25, filled = features[:, 0], forward_fill(features)
        is_usable = np.isfinite(pm25[target_hour]) & np.isfinite(filled[target_hour - horizon, 0])
        target_hour = target_hour[is_usable]
        self.now = target_hour - horizon
        self.y = pm25[target_hour]
        self.last = filled[self.now, 0]
        self.filled = filled

        of_year = year[target_hour]
        self.fit = np.flatnonzero(of_year < VALIDATION)[::stride]
        self.validation = np.flatnonzero(of_year == VALIDATION)
        self.test = np.flatnonzero(of_year == TEST)

    def windows(self, part, table=None):
        """Return windows (n, n_hours, n_features), by default of the features with their holes."""
        table = self.features if table is None else table
        windows = sliding_window_view(table, self.n_hours, axis=0)
        return windows[self.now[part] - self.n_hours + 1].swapaxes(1, 2)

    def change(self, part):
        return self.y[part] - self.last[part]

    def error(self, part, predicted):
        """Return root mean squared and mean absolute error of predictions of the target."""
        y = self.y[part]
        return root_mean_squared_error(y, predicted), mean_absolute_error(y, predicted)


def predict_persistence(task, part):
    return task.last[part]


def predict_daily(task, part):
    """Return the values measured last at the targets' hours of the day, up to a week before now."""
    target_hour = task.now[part] + task.horizon
    days = -(-task.horizon // DAY) + np.arange(7)
    earlier = target_hour[:, None] - DAY * days
    values = np.where(earlier >= 0, task.features[np.maximum(earlier, 0), 0], np.nan)
    values = np.concatenate([values, task.last[part][:, None]], axis=1)
    return values[np.arange(len(values)), np.isfinite(values).argmax(axis=1)]


def predict_ridge(task, part):
    """Return the predictions of ridge regression, and which alpha was chosen."""
    is_missing = np.isnan(task.features)
    indicators = is_missing[:, is_missing.any(axis=0)]
    filled = np.where(np.isnan(task.filled), np.nanmean(task.features, axis=0), task.filled)
    table = np.concatenate([filled, indicators], axis=1)

    def rows(part):
        return task.windows(part, table).reshape(len(part), -1)

    X, X_validation, X_part = rows(task.fit), rows(task.validation), rows(part)
    scale = X.std(axis=0)
    scale[scale == 0] = 1
    X, X_validation, X_part = (Z / scale for Z in (X, X_validation, X_part))
    y, y_validation = task.change(task.fit), task.change(task.validation)
    errors = [
        root_mean_squared_error(y_validation, fit_ridge(alpha, X, y).predict(X_validation))
        for alpha in ALPHAS
    ]
    alpha = ALPHAS[np.argmin(errors)]
    X, y = np.concatenate([X, X_validation]), np.concatenate([y, y_validation])
    return task.last[part] + fit_ridge(alpha, X, y).predict(X_part), f"alpha {alpha:g}"


def fit_ridge(alpha, X, y):
    return Ridge(alpha, solver="cholesky").fit(X, y)


def predict_network(task, part, missing, seed, epochs):
    """Return the predictions of a network."""
    settings = SETTINGS | {"missing": missing, "random_state": seed}
    if epochs is not None:
        settings["max_iter"] = epochs
    training = np.concatenate([task.fit, task.validation])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        model = GRURegressor(**settings).fit(task.windows(training), task.change(training))
    return task.last[part] + model.predict(task.windows(part))


BASELINES = {"persistence": predict_persistence, "daily": predict_daily, "ridge": predict_ridge}
NETWORKS = ("decay", "indicator")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER")
    choices = [*BASELINES, *NETWORKS]
    parser.add_argument("--horizon", nargs="+", type=int, default=[6, 24], metavar="HOURS")
    parser.add_argument("--hours", type=int, default=48, help="in a window")
    parser.add_argument("--models", nargs="+", choices=choices, default=choices, metavar="MODEL")
    parser.add_argument("--stride", type=int, default=1, help="train on every so many-th window")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=None, help="of the networks, at most")
    options = parser.parse_args(argv)

    features, year = load(options.data)
    for horizon in options.horizon:
        task = Task(features, year, options.hours, horizon, options.stride)
        print(
            f"{horizon} hours ahead: {len(task.fit)} windows of {options.hours} hours to fit, "
            f"{len(task.validation)} to validate, {len(task.test)} to test"
        )
        for name in options.models:
            start = time.perf_counter()
            if name in BASELINES:
                predicted = BASELINES[name](task, task.test)
            else:
                predicted = predict_network(task, task.test, name, options.seed, options.epochs)
            predicted, note = predicted if isinstance(predicted, tuple) else (predicted, "")
            seconds = time.perf_counter() - start
            rmse, mae = task.error(task.test, predicted)
            print(
                f"  {name:12s} RMSE {rmse:6.2f}   MAE {mae:6.2f} {seconds:6.0f} s   {note}",
                flush=True,
            )


if __name__ == "__main__":
    main()
