"""Forecast a series of hours two days ahead, with bands, and test it on its own past.

    python examples/forecasting.py [--picture forecast.png]

The series, made here, is the load of a grid: a daily and a weekly rhythm whose strength drifts, the
temperature, of which a forecast is known two days ahead, and noise that lasts for hours. A backtest
forecasts from every sixth hour of the last fifth, with a forecaster that was fitted to what came
before: beside it repeating the last value, the day before, and a ridge regression on the same
windows. Then the two days that follow are forecast.

The picture (extra `plot`: `pip install "skgru[plot]"`) has this forecast, its band, and what came.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skgru import ForecastDisplay, GRUForecaster, backtest

WINDOW, HORIZON, DAY = 96, 48, 24


def make_series(n_hours, seed=0):
    """Return load and temperature by the hour, and those of two days more."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=n_hours + HORIZON, freq="h", tz="Europe/Berlin")
    steps = np.arange(len(hours))
    strength = 10 + 3 * np.sin(2 * np.pi * steps / 1000)
    rhythm = strength * np.sin(2 * np.pi * hours.hour / DAY)
    rhythm = rhythm - 8 * np.asarray(hours.day_of_week >= 5)
    noise, weather = np.zeros((2, len(hours)))
    for t in range(1, len(hours)):
        noise[t] = 0.9 * noise[t - 1] + rng.normal()
        weather[t] = 0.98 * weather[t - 1] + 0.5 * rng.normal()
    temperature = pd.DataFrame({"temperature": 10 + weather}, hours)
    load = pd.Series(100 + rhythm + noise - 2 * weather, hours, name="load")
    return load, temperature


def draw(forecaster, temperature, load):
    """Return a picture of the last four days, and of the forecast beside what came."""
    display = ForecastDisplay.from_estimator(
        forecaster, X=temperature, coverage=0.9, actual=load, n_history=WINDOW
    )
    display.ax_.set_ylabel("load [MW]")
    return display.figure_


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=int, default=3000)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    load, temperature = make_series(options.hours)
    load, what_came = load[: options.hours], load[options.hours :]
    forecaster = GRUForecaster(
        WINDOW, HORIZON, known="temperature", max_iter=options.epochs or "auto", random_state=0
    )
    result = backtest(forecaster, load, temperature, step=6)
    print(result)
    errors = result.errors
    print(errors[errors["step"].isin([1, 24, 48])].round(3).to_string(index=False))

    forecaster.fit(load, temperature[: options.hours])
    future = temperature[options.hours :]
    bands = forecaster.predict_interval(X=future, coverage=0.8)
    print("\nThe next hours, and bands of 80 %:")
    print(bands.assign(load=forecaster.predict(X=future)).head(6).round(1))

    figure = draw(forecaster, future, what_came)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
