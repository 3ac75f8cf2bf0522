"""Forecasting: two days ahead, with bands, and tested on the past
===============================================================

The series, made here, is the load of a grid: a daily and a weekly rhythm whose strength drifts, the
temperature, of which a forecast is known two days ahead, and noise that lasts for hours.

A backtest forecasts from every sixth hour of the last fifth, with a forecaster that was fitted to
what came before: beside it repeating the last value, the day before, and a ridge regression on the
same windows. Then the two days that follow are forecast.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skgru import ForecastDisplay, GRUForecaster, backtest

# %%
# The load and the temperature by the hour, and those of two days more.

N_HOURS, HORIZON, WINDOW = 2600, 48, 96


def make_series(n_hours, seed=0):
    """Return load and temperature by the hour."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=n_hours, freq="h", tz="Europe/Berlin")
    steps = np.arange(n_hours)
    strength = 10 + 3 * np.sin(2 * np.pi * steps / 1000)
    rhythm = strength * np.sin(2 * np.pi * hours.hour / 24)
    rhythm = rhythm - 8 * np.asarray(hours.day_of_week >= 5)
    noise, weather = np.zeros((2, n_hours))
    for t in range(1, n_hours):
        noise[t] = 0.9 * noise[t - 1] + rng.normal()
        weather[t] = 0.98 * weather[t - 1] + 0.5 * rng.normal()
    temperature = pd.DataFrame({"temperature": 10 + weather}, hours)
    load = pd.Series(100 + rhythm + noise - 2 * weather, hours, name="load")
    return load, temperature


load, temperature = make_series(N_HOURS + HORIZON)
past, what_came = load[:N_HOURS], load[N_HOURS:]
print(past.tail(3).round(1))

# %%
# The backtest fits a clone of the forecaster to the first four fifths. The load is forecast with
# the ``known`` temperature of the hours ahead. MASE is the error in units of that of repeating the
# day before; ``coverage`` is the share of values within the bands, which are meant to hold 90 %.

forecaster = GRUForecaster(WINDOW, HORIZON, known="temperature", random_state=0)
result = backtest(forecaster, past, temperature[:N_HOURS], step=6)
print(result)

# %%
# The error by the hours ahead. What the last hours tell is soon forgotten, as the noise lasts for
# some ten hours; from then on, the rhythm and the temperature are what can be known. A linear
# forecast on the same windows is as good here, since this series is a sum of what it reads.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, errors in result.errors.groupby("model", sort=False):
    ax.plot(errors["step"], errors["MAE"], "--" if name == "ridge" else "-", label=name)
ax.set(xlabel="time ahead [h]", ylabel="mean absolute error [MW]", xticks=range(0, 49, 6))
ax.set_ylim(bottom=0)
figure.legend(loc="outside upper center", ncols=4)
plt.show()

# %%
# Four of the forecasts of the backtest, each of two days, with their bands, over what came.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
result.plot(ax)
ax.set_ylabel("load [MW]")
plt.show()

# %%
# Then the forecaster is fitted to all that is known, and forecasts the two days that follow, given
# the forecast of their temperature.

forecaster.fit(past, temperature[:N_HOURS])
future = temperature[N_HOURS:]
bands = forecaster.predict_interval(X=future, coverage=0.8)
print("The next hours, and bands of 80 %:")
print(bands.assign(load=forecaster.predict(X=future)).head(6).round(1))

# %%
# The last four days, the forecast with a band of 90 %, and what came.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ForecastDisplay.from_estimator(forecaster, X=future, actual=what_came, ax=ax)
ax.set_ylabel("load [MW]")
plt.show()
