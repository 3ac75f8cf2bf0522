"""Cheap forecasters and short series that the tests of GRUForecaster share."""

import numpy as np
import pandas as pd

from skgru import GRUForecaster

WINDOW, HORIZON = 6, 3


def cheap(**parameters):
    """Return a forecaster that fits in a tenth of a second."""
    defaults = {"window": WINDOW, "horizon": HORIZON, "hidden_layer_sizes": 4, "random_state": 0}
    if parameters.get("solver") != "lbfgs":
        defaults["max_iter"] = 1
    return GRUForecaster(**defaults | parameters)


def wave(n=48, seed=0, period=8, level=0.0):
    """Return a noisy wave."""
    noise = np.random.default_rng(seed).normal(size=n)
    return level + np.sin(2 * np.pi * np.arange(n) / period) + 0.1 * noise


def days(n, start="2024-01-01"):
    return pd.date_range(start, periods=n, freq="D")


def long_table(n=20, keys=("b", "a", "c"), level=5.0):
    """Return a long table of series, each some levels above the one before."""
    return pd.DataFrame(
        {
            "shop": np.repeat(keys, n),
            "day": list(days(n)) * len(keys),
            "sales": np.concatenate([wave(n, i, level=level * i) for i in range(len(keys))]),
        }
    )


def numbers(forecast):
    """Return the forecasts of any container, without its labels, as one array."""
    if isinstance(forecast, list):
        return np.concatenate([numbers(part) for part in forecast])
    if isinstance(forecast, dict) or getattr(getattr(forecast, "dtype", None), "names", None):
        forecast = pd.DataFrame(forecast)
    if hasattr(forecast, "to_pandas"):
        forecast = forecast.to_pandas()
    if hasattr(forecast, "select_dtypes"):
        forecast = forecast.select_dtypes("float")
    return np.asarray(forecast, dtype=float).ravel()
