"""Forecast a series several steps ahead with one regressor that has several outputs.

    python examples/forecasting.py

The series, made here, is hourly: a daily and a weekly rhythm whose strength drifts, and noise that
lasts for hours. It is cut into windows of two days; the targets are the next 12 hours, as changes
from the window's last value. The last fifth of the series is the test: no window of the training
part reaches into it. Beside the network: repeating the last value, and repeating the day before.
"""

import argparse

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.metrics import root_mean_squared_error

from skgru import GRURegressor

WINDOW, HORIZON, DAY = 48, 12, 24


def make_series(n_hours, seed=0):
    """Return an hourly series of shape (n_hours,)."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n_hours)
    strength = 10 + 3 * np.sin(2 * np.pi * hours / 1000)
    rhythm = strength * np.sin(2 * np.pi * hours / DAY) + 4 * np.sin(2 * np.pi * hours / (7 * DAY))
    noise = np.zeros(n_hours)
    for t in range(1, n_hours):
        noise[t] = 0.8 * noise[t - 1] + rng.normal()
    return 100 + rhythm + noise


def cut(series):
    """Return windows (n, WINDOW) and the values that follow them (n, HORIZON)."""
    both = sliding_window_view(series, WINDOW + HORIZON)
    return both[:, :WINDOW], both[:, WINDOW:]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args(argv)

    series = make_series(options.hours)
    split = options.hours * 4 // 5
    X_train, y_train = cut(series[:split])
    X_test, y_test = cut(series[split:])

    model = GRURegressor(hidden_layer_sizes=32, max_iter=options.epochs, random_state=0).fit(
        X_train, y_train - X_train[:, -1:]
    )
    forecasts = {
        "GRU": X_test[:, -1:] + model.predict(X_test),
        "last value": np.repeat(X_test[:, -1:], HORIZON, axis=1),
        "a day before": X_test[:, WINDOW - DAY : WINDOW - DAY + HORIZON],
    }
    print(f"{len(X_train)} windows to train on, {len(X_test)} to test")
    print(f"\n{'RMSE':14s}  1 hour  6 hours  12 hours     mean")
    for name, forecast in forecasts.items():
        errors = root_mean_squared_error(y_test, forecast, multioutput="raw_values")
        print(
            f"{name:14s} {errors[0]:7.2f} {errors[5]:8.2f} {errors[11]:9.2f} {errors.mean():8.2f}"
        )


if __name__ == "__main__":
    main()
