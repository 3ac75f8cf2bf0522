"""Values: missing ones, constant and short series, units."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.forecaster.cheap import HORIZON, WINDOW, cheap, days, wave

N = 64
Y = wave(N)


@pytest.fixture(scope="module")
def expected():
    return cheap().fit(Y).predict(5)


# Units


@pytest.mark.parametrize("factor", [2.0**30, 2.0**-30, 2.0**1000, 2.0**-700, 1e9, 1e-9, 3.0, -1.0])
def test_forecasts_have_the_unit_of_the_series(expected, factor):
    forecast = cheap().fit(factor * Y).predict(5)
    if np.log2(abs(factor)).is_integer() and factor > 0:
        assert_array_equal(forecast, factor * expected)
    else:  # the networks compute in single precision
        assert_allclose(forecast, factor * expected, atol=1e-6 * abs(factor))


def test_bands_have_the_unit_of_the_series():
    bands = cheap().fit(Y).predict_interval(5)
    assert_array_equal(cheap().fit(2.0**20 * Y).predict_interval(5), 2.0**20 * bands)


@pytest.mark.parametrize("shift", [0.5, -100.0, -1e6])
def test_forecasts_have_the_level_of_the_series(expected, shift):
    """Of series that are not positive: logarithms are no choice."""
    forecast = cheap().fit(Y + shift).predict(5)
    assert_allclose(forecast - shift, expected, atol=1e-6 * max(1, abs(shift)) ** 0.5)


def test_series_of_unlike_units_are_forecast_together():
    y = [1e9 * Y, 1e-9 * wave(N, 1)]
    large, small = cheap().fit(y).predict()
    assert 1e7 < np.abs(large).max() < 1e10
    assert 1e-11 < np.abs(small).max() < 1e-8


# Constant series


@pytest.mark.parametrize("value", [0.0, 5.0, -3e-7, 1e12])
def test_constant_series_stay_so(value):
    forecaster = cheap().fit(np.full(N, value))
    assert_allclose(forecaster.predict(5), value, rtol=1e-6)
    assert_allclose(forecaster.predict_interval(5), value, rtol=1e-6)


def test_a_constant_series_beside_others():
    first, second = cheap().fit([np.full(N, 5.0), Y]).predict()
    assert_allclose(first, 5, atol=0.5)
    assert np.isfinite(second).all()


def test_a_constant_stretch():
    y = np.concatenate([Y, np.full(20, Y[-1])])
    assert np.isfinite(cheap().fit(y).predict(9)).all()


# Missing values


def test_missing_values_count_as_the_value_before():
    y = Y.copy()
    y[[3, 20, 21]] = np.nan
    forecaster = cheap().fit(y)
    assert np.isfinite(forecaster.predict()).all()
    window, filled = Y[:20].copy(), Y[:20].copy()
    window[17], filled[17] = np.nan, Y[16]
    assert_array_equal(forecaster.predict(y=window), forecaster.predict(y=filled))
    for hole in ([0], [N - 1], range(N - 3, N), range(10, 30)):
        y = Y.copy()
        y[list(hole)] = np.nan
        assert np.isfinite(cheap().fit(y).predict()).all()


def test_missing_values_of_every_container():
    y = Y[:20].copy()
    y[[3, 18]] = np.nan
    forecast = cheap().fit(y).predict()
    masked = np.ma.masked_array(Y[:20], np.isnan(y))
    none = [None if np.isnan(value) else value for value in y]
    for other in (masked, none, pd.Series(y).astype("Float64")):
        assert_array_equal(cheap().fit(other).predict(), forecast)


def test_series_without_values():
    with pytest.raises(ValueError, match="Expected known values in y"):
        cheap().fit(np.full(N, np.nan))
    y = np.where(np.arange(N) % 4 == 0, Y, np.nan)
    with pytest.raises(ValueError, match=r"Expected windows of 6 steps .*of which 50% are known"):
        cheap().fit(y)


@pytest.mark.parametrize("form", ["list", "table"])
def test_a_series_without_values_beside_others(form):
    nothing = np.full(N, np.nan)
    y = [Y, nothing] if form == "list" else np.column_stack([Y, nothing])
    with pytest.warns(UserWarning, match="1 of . series lack all values of a target") as record:
        forecaster = cheap().fit(y)
    assert len(record) == 1
    forecast = np.transpose(forecaster.predict(5)) if form == "table" else forecaster.predict(5)
    assert np.isfinite(forecast[0]).all()
    assert np.isnan(forecast[1]).all()
    with pytest.warns(UserWarning, match="lack all values"):
        bands = cheap().fit(y).predict_interval()
    assert np.isnan(bands[1] if form == "list" else bands[:, 2:]).all()


def test_a_window_without_values():
    y = np.concatenate([Y, np.full(WINDOW, np.nan)])
    assert np.isnan(cheap(season=None).fit(y).predict()).all()


# Lengths


def test_the_shortest_series():
    needed = WINDOW + HORIZON + 1
    with pytest.raises(ValueError, match=rf"at least {needed} steps .*got at most {needed - 1}"):
        cheap().fit(Y[: needed - 1])
    forecaster = cheap().fit(Y[:needed])
    assert forecaster.n_windows_ == 2
    assert np.isfinite(forecaster.predict(8)).all()
    with pytest.raises(ValueError, match="enough windows to calibrate bands in fit, got 2"):
        forecaster.predict_interval()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 100}, "at least 104 steps .*window of 100, horizon of 3.*got at most 64"),
        ({"horizon": 100}, "at least 107 steps .*window of 6, horizon of 100"),
        ({"window": "auto", "season": 4, "horizon": 60}, "horizon of 60.*got at most 64"),
    ],
)
def test_windows_and_horizons_that_do_not_fit(parameters, message):
    with pytest.raises(ValueError, match=message):
        cheap(**parameters).fit(Y)


def test_the_length_that_is_asked_for_is_enough():
    # A window that is found in the data is longer, where the series is.
    for season in (None, 10):
        forecaster = cheap(window="auto", horizon=50, season=season)
        for n in (60, 66):
            with pytest.raises(
                ValueError, match=r"at least 67 steps \(window of 16, horizon of 50"
            ):
                forecaster.fit(wave(n))
        assert forecaster.fit(wave(67)).window_ == 16


def test_the_window_is_two_seasons():
    forecaster = cheap(window="auto", season=15).fit(wave(200))
    assert (forecaster.window_, forecaster.season_) == (30, 15)
    assert cheap(window="auto", season=None).fit(wave(200)).window_ == 24
    assert cheap(window="auto", season=15).fit(wave(80)).window_ == 20
    assert cheap(window="auto").fit(wave(20)).window_ == 5
    assert cheap(season="auto").fit(wave(200, period=8)).season_ == 8


def test_the_cycles_of_the_calendar():
    hourly = pd.Series(wave(24 * 16), pd.date_range("2024-01-01", periods=24 * 16, freq="h"))
    # Of many windows, the cycles that they see; of few, those that help.
    assert cheap(window=24).fit([hourly] * 15).calendar_ == ["day"]
    weekly = hourly + 5 * np.sin(2 * np.pi * np.arange(24 * 16) / 168)
    assert cheap().fit(weekly).calendar_ == ["week"]
    assert cheap().fit(hourly).calendar_ == []
    assert cheap(window=24, calendar=None).fit(weekly).calendar_ == []
    months = pd.date_range("2000-01-01", periods=120, freq="MS")
    noise = np.random.default_rng(0).normal(0, 2, 120)
    yearly = pd.Series(5 * np.sin(2 * np.pi * np.arange(120) / 12) + noise, months)
    forecaster = cheap(window=3, season=None).fit(yearly)
    assert forecaster.calendar_ == ["year"]
    assert np.isfinite(forecaster.score(np.arange(10.0)))  # whose dates are those that follow
    with pytest.raises(ValueError, match=r"Expected dates .* as the cycles \['year'\]"):
        forecaster.predict(y=yearly.to_numpy())
    with pytest.raises(ValueError, match="Expected dates of all series"):
        cheap(window=3).fit([yearly, yearly.to_numpy()])
    assert cheap(window=3, season=None).fit(yearly.to_numpy()).calendar_ == []


@pytest.mark.parametrize("n", [0, 1, WINDOW - 1, WINDOW + HORIZON - 1])
def test_a_short_series_beside_others(n):
    with pytest.warns(UserWarning, match="1 of 2 series have fewer than 9 steps .*number 1"):
        forecaster = cheap().fit([Y, Y[:n]])
    first, second = forecaster.predict()
    assert np.isfinite(first).all()
    assert np.isfinite(second).all() == (n > 0)


def test_other_series_have_a_window():
    forecaster = cheap().fit(Y)
    assert forecaster.predict(y=Y[:WINDOW]).shape == (HORIZON,)
    with pytest.raises(ValueError, match=r"at least 6 steps \(window\), got 5"):
        forecaster.predict(y=Y[: WINDOW - 1])


def test_dates_tell_what_the_window_does_not():
    """Weekends are low: of a window of two days, the calendar alone tells when they come."""
    index = days(140)
    y = pd.Series(np.where(index.day_of_week < 5, 1.0, 0.0), index)
    errors = [
        np.abs(cheap(window=2, horizon=7, season=None, calendar=calendar).fit(y).predict() - truth)
        for truth in [np.where(days(147)[140:].day_of_week < 5, 1.0, 0.0)]
        for calendar in ("auto", None)
    ]
    assert errors[0].mean() < 0.5 * errors[1].mean()


# Outliers


@pytest.mark.parametrize("outlier", [1e6, -1e9])
def test_an_outlier_is_no_forecast_many_times_its_size(outlier):
    y = np.sin(np.pi * np.arange(120) / 6) + np.random.default_rng(0).normal(size=120) / 9
    spoilt = y.copy()
    spoilt[-1] = outlier
    for forecaster in (cheap(window=24, horizon=3).fit(spoilt), cheap(window=24, horizon=3).fit(y)):
        assert np.abs(forecaster.predict(y=spoilt)).max() < 2 * abs(outlier)
    spoilt = y.copy()
    spoilt[60] = outlier
    assert np.abs(cheap(window=24, horizon=3).fit(spoilt).predict()).max() < 3


def test_counts_that_are_all_zero():
    forecaster = cheap(window=12, horizon=3, loss="poisson").fit(np.zeros(90))
    assert_array_equal(forecaster.predict(), 0)
    assert_array_equal(forecaster.predict_interval(3), 0)
    assert forecaster.networks_ == []
