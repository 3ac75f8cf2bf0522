"""Five hundred series of their own levels and seasons: one network against a ridge for each.

    python benchmarks/accuracy/panel.py [--series 500] [--steps 180] [--seeds 3]

The series are made here, some by month and some by quarter of their cycle: levels over three orders
of magnitude, trends up and down, a season of 12 steps whose shape is one of a few that many series
share and whose strength grows with the level, and noise that lasts. The last 12 steps are the test.
Printed is the mean absolute scaled error (MASE, each series in units of the seasonal naive error of
its own past), and the seconds of fit and forecast. Beside the network: the season before, and for
each series a ridge regression of its own on windows of 24 steps, whose penalty is chosen by
cross-validation.
"""

import argparse
import time

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import RidgeCV

from skgru import GRUForecaster

SEASON, WINDOW = 12, 24


def make_panel(n_series, n_steps, seed=0):
    """Return series as a Series with the index (series, month)."""
    rng = np.random.default_rng(seed)
    steps = np.arange(n_steps)
    shapes = rng.normal(size=(6, SEASON))
    shapes -= shapes.mean(axis=1, keepdims=True)
    parts = {}
    months = pd.date_range("2005-01-01", periods=n_steps, freq="MS")
    for i in range(n_series):
        level = 10 ** rng.uniform(1, 4)
        trend = 1 + rng.normal(0, 0.3) * steps / n_steps
        season = 1 + rng.uniform(0.02, 0.2) * shapes[rng.integers(6), steps % SEASON]
        noise = np.zeros(n_steps)
        shocks = rng.normal(0, rng.uniform(0.01, 0.05), n_steps)
        for t in range(1, n_steps):
            noise[t] = 0.7 * noise[t - 1] + shocks[t]
        parts[f"s{i:03d}"] = pd.Series(level * trend * season * (1 + noise), months)
    return pd.concat(parts, names=["series", "month"]).rename("y")


def ridges(values):
    """Return the forecast of one series by a ridge regression of its own."""
    both = sliding_window_view(values, WINDOW + SEASON)
    changes = both - both[:, WINDOW - 1 : WINDOW]
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(changes[:, :WINDOW], changes[:, WINDOW:])
    window = values[-WINDOW:]
    return ridge.predict([window - window[-1]])[0] + window[-1]


def main(argv=None):
    """Print the errors and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--steps", type=int, default=180)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(argv)
    y = make_panel(options.series, options.steps)
    values = y.to_numpy().reshape(options.series, options.steps)
    past, truth = values[:, :-SEASON], values[:, -SEASON:]
    scale = np.abs(past[:, SEASON:] - past[:, :-SEASON]).mean(axis=1, keepdims=True)

    def show(name, forecasts, seconds):
        error = np.mean(np.abs(forecasts - truth) / scale)
        print(f"{name:24s} MASE {error:.4f}  {seconds:6.1f} s", flush=True)

    show("season before", past[:, -SEASON:], 0)
    start = time.perf_counter()
    show("ridge, one per series", np.array(list(map(ridges, past))), time.perf_counter() - start)
    is_past = y.index.get_level_values("month") < y.index.get_level_values("month")[-SEASON]
    for seed in range(options.seeds):
        start = time.perf_counter()
        forecaster = GRUForecaster(horizon=SEASON, random_state=seed).fit(y[is_past])
        forecasts = forecaster.predict().to_numpy().reshape(options.series, SEASON)
        show(f"GRUForecaster, seed {seed}", forecasts, time.perf_counter() - start)


if __name__ == "__main__":
    main()
