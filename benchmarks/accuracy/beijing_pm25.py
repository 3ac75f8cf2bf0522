"""Fine dust in Beijing 6 or 24 hours ahead: hourly, with holes, weather and a wind direction.

    python benchmarks/accuracy/beijing_pm25.py --data FOLDER [--seeds 1] [--jobs 1]
        [--rows ROW ...] [--models MODEL ...]

The data are "Beijing PM2.5" of the UCI repository (https://archive.ics.uci.edu/dataset/381), five
years of hourly measurements; FOLDER holds its one CSV file, gzipped, as `beijing_pm25.csv.gz`,
with the columns No, year, month, day, hour, pm2.5, DEWP, TEMP, PRES, cbwd, Iws, Is, Ir, and NA
where PM2.5 is missing (5 % of the hours, in runs of up to 155).

A window is what is known at one hour: PM2.5, the weather, the wind direction (one-hot) and the
season and hour of the day, over the last 48 hours. The target is PM2.5 so many hours later;
windows whose target was not measured are left out. The targets of the last year are the test; on
those of the year before was chosen what has to be chosen (alpha of ridge),
then all models are fitted on all years before the test. Scores are the root mean squared and the
mean absolute error in µg/m³ over the same test windows.

    persistence  the last value that was measured
    daily        the value 24 hours before the target, or, where that is missing, on the days before
    ridge        linear regression on the whole window; what is missing is filled with the value
                 before and told by an indicator; the target is the change from the last value;
                 alpha is chosen on the year before the test
    forecaster   GRUForecaster with its defaults and windows of 48 hours: the calendar is read from
                 the dates, weather and wind until now are covariates; of its 6 or 24 hours ahead
                 the last is scored. What is missing, it fills with the value before
"""

from functools import partial

import numpy as np
import pandas as pd
from filling import fill_forward
from numpy.lib.stride_tricks import sliding_window_view
from rows import Split, Task, main, read_csv
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from skgru import GRUForecaster

ALPHAS = 10.0 ** np.arange(-2, 7)
VALIDATION, TEST = 2013, 2014  # years of the targets
DAY, WINDOW = 24, 48  # hours
N_MEASURED = 11  # features before those of the calendar


def load(folder):
    """Return features (n_hours, n_features), the first of them PM2.5, and the year of each hour."""
    rows = read_csv(folder / "beijing_pm25.csv.gz")

    def column(name):
        return np.array([row[name] if row[name] != "NA" else "nan" for row in rows]).astype(float)

    measured = [column(name) for name in ("pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")]
    wind = np.array([row["cbwd"] for row in rows])
    directions = [wind == direction for direction in np.unique(wind)]
    hour = 2 * np.pi * column("hour") / DAY
    season = 2 * np.pi * (column("month") - 1 + column("day") / 31) / 12
    clock = [f(angle) for angle in (hour, season) for f in (np.sin, np.cos)]
    return np.column_stack([*measured, *directions, *clock]), column("year").astype(int)


class Windows:
    """What is known at the hours `now`; the targets lie `horizon` hours later."""

    def __init__(self, features, year, now, horizon):
        self.features, self.year, self.now, self.horizon = features, year, now, horizon
        self.filled = fill_forward(features)
        self.last = self.filled[now, 0]

    def take(self, is_taken):
        """Return some of the windows."""
        return Windows(self.features, self.year, self.now[is_taken], self.horizon)

    def year_of_target(self):
        """Return the year of each target."""
        return self.year[self.now + self.horizon]

    def steps(self, table=None):
        """Return windows (n, WINDOW, n_features), by default of the features with their holes."""
        table = self.features if table is None else table
        windows = sliding_window_view(table, WINDOW, axis=0)
        return windows[self.now - WINDOW + 1].swapaxes(1, 2)


def splits(horizon, data, seed):
    """Return one split: the windows whose target is of the last year are the test."""
    features, year = data
    now = np.arange(WINDOW - 1, len(features) - horizon)
    y = features[now + horizon, 0]
    X = Windows(features, year, now, horizon)
    is_usable = np.isfinite(y) & np.isfinite(X.last)
    X, y = X.take(is_usable), y[is_usable]
    is_train, is_test = X.year_of_target() < TEST, X.year_of_target() == TEST
    return [Split(X.take(is_train), y[is_train], X.take(is_test), y[is_test])]


# --- Models --------------------------------------------------------------------------------------


class Persistence:
    """Answers the last value that was measured."""

    def __init__(self, seed):
        pass

    def fit(self, X, y):
        """Learn nothing."""

    def predict(self, X):
        """Return the last values."""
        return X.last


class Daily(Persistence):
    """Answers the value measured last at the target's hour of the day, up to a week before now."""

    def predict(self, X):
        """Return these values; where there are none, the last ones."""
        days = -(-X.horizon // DAY) + np.arange(7)
        earlier = (X.now + X.horizon)[:, None] - DAY * days
        values = np.where(earlier >= 0, X.features[np.maximum(earlier, 0), 0], np.nan)
        values = np.concatenate([values, X.last[:, None]], axis=1)
        return values[np.arange(len(values)), np.isfinite(values).argmax(axis=1)]


class RidgeOnWindows:
    """Ridge regression of the change from the last value on the whole window."""

    def __init__(self, seed):
        pass

    def fit(self, X, y):
        """Choose alpha on the year before the test, then fit to all."""
        self.has_holes_ = np.isnan(X.features).any(axis=0)
        self.mean_ = np.nanmean(X.features, axis=0)
        rows, change = self._rows(X), y - X.last
        is_validation = X.year_of_target() == VALIDATION
        self.scale_ = rows[~is_validation].std(axis=0)
        self.scale_[self.scale_ == 0] = 1
        rows /= self.scale_
        train = rows[~is_validation], change[~is_validation]
        validation, target = rows[is_validation], change[is_validation]
        errors = [
            root_mean_squared_error(target, self._ridge(alpha).fit(*train).predict(validation))
            for alpha in ALPHAS
        ]
        self.model_ = self._ridge(ALPHAS[np.argmin(errors)]).fit(rows, change)

    def predict(self, X):
        """Return the last value and the change."""
        return X.last + self.model_.predict(self._rows(X) / self.scale_)

    def _rows(self, X):
        """Return windows as rows: filled in, and which values were."""
        filled = np.where(np.isnan(X.filled), self.mean_, X.filled)
        indicators = np.isnan(X.features)[:, self.has_holes_]
        return X.steps(np.concatenate([filled, indicators], axis=1)).reshape(len(X.now), -1)

    @staticmethod
    def _ridge(alpha):
        return Ridge(alpha, solver="cholesky")


class Forecaster:
    """Forecasts all hours up to the horizon; answers the last of them."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y):
        """Fit to the hours before the test."""
        n_hours = int(np.argmax(X.year == TEST))
        self.model_ = GRUForecaster(
            WINDOW, X.horizon, target=0, calendar="auto", random_state=self.seed
        ).fit(self._frame(X)[:n_hours])

    def predict(self, X):
        """Return the forecasts from each of the hours `now`."""
        frame = self._frame(X)
        pasts = (frame[now - WINDOW + 1 : now + 1] for now in X.now)
        return np.array([self.model_.predict(y=past).iloc[-1, 0] for past in pasts])

    @staticmethod
    def _frame(X):
        hours = pd.date_range("2010-01-01", periods=len(X.features), freq="h")
        return pd.DataFrame(X.features[:, :N_MEASURED], hours)


def score(model, split):
    """Return root mean squared and mean absolute error."""
    predicted = model.predict(split.X_test)
    return (
        root_mean_squared_error(split.y_test, predicted),
        mean_absolute_error(split.y_test, predicted),
    )


TASKS = [
    Task(
        f"{horizon} hours",
        "RMSE, MAE, µg/m³",
        load,
        partial(splits, horizon),
        score,
        models={"forecaster": Forecaster},
        baselines={"persistence": Persistence, "daily": Daily, "ridge": RidgeOnWindows},
        n_seeds=1,
    )
    for horizon in (6, 24)
]

if __name__ == "__main__":
    main(*TASKS)
