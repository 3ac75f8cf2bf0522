"""The labels of forecasts go on from those of the series."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._forecasting.calendar import calendar_features
from tests.forecaster.cheap import cheap, days, numbers, wave

N = 20  # too few for folds: all members count alike
Y = wave(N)


@pytest.mark.parametrize(
    ("freq", "has_freq"),
    [
        ("MS", True),
        ("ME", False),
        ("QE", False),
        ("YE", True),
        ("B", False),
        ("BME", True),
        ("W-WED", True),
        ("15min", False),
        ("D", False),
    ],
)
def test_dates_go_on_by_the_calendar(freq, has_freq):
    index = pd.date_range("2020-01-01", periods=N + 4, freq=freq, name="when")
    past = index[:N] if has_freq else pd.DatetimeIndex(index[:N].to_numpy(), name="when")
    forecast = cheap().fit(pd.Series(Y, past)).predict(4)
    pd.testing.assert_index_equal(forecast.index, index[N:])
    assert forecast.index.freq == index.freq


@pytest.mark.parametrize(
    ("zone", "start", "freq"),
    [
        ("Europe/Berlin", "2024-03-29 11:00", "h"),  # an hour is left out in the forecast
        ("Europe/Berlin", "2024-10-25 11:00", "h"),  # an hour comes twice
        ("Europe/Berlin", "2024-02-20", "D"),
        ("America/New_York", "2024-09-25", "D"),
    ],
)
def test_clocks_that_are_set_forward_and_back(zone, start, freq):
    index = pd.date_range(start, periods=N + 4, freq=freq, tz=zone)
    forecast = cheap().fit(pd.Series(Y, index[:N])).predict(4)
    pd.testing.assert_index_equal(forecast.index, index[N:])
    assert str(forecast.index.tz) == zone


@pytest.mark.parametrize("freq", ["M", "Q", "D", "h"])
def test_periods(freq):
    index = pd.period_range("2020-01", periods=N + 4, freq=freq)
    forecast = cheap().fit(pd.Series(Y, index[:N])).predict(4)
    pd.testing.assert_index_equal(forecast.index, index[N:])


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(np.arange(1960, 1960 + 2 * N + 8, 2), name="year"),
        pd.Index(np.arange(N + 4) / 4),
        pd.RangeIndex(N + 4),
        pd.RangeIndex(7, 7 + 3 * N + 12, 3),
        pd.timedelta_range("1s", periods=N + 4, freq="s"),
    ],
    ids=["years", "quarters", "count", "range", "durations"],
)
def test_numbers_and_durations(index):
    forecast = cheap().fit(pd.Series(Y, index[:N])).predict(4)
    assert forecast.index.equals(index[N:])
    assert (type(forecast.index), forecast.index.dtype) == (type(index), index.dtype)


def test_labels_beyond_their_type():
    small = pd.Series(Y, pd.Index(np.arange(256 - N, 256, dtype=np.uint8)))
    assert cheap().fit(small).predict(3).index.tolist() == [256, 257, 258]
    last = pd.date_range(end="2262-03-31", periods=N, freq="ME", unit="ns")
    forecaster = cheap().fit(pd.Series(Y, last))
    with pytest.raises(ValueError, match=rf"64 bits hold .* for step {N} of .* as_unit"):
        forecaster.predict(2)
    forecast = cheap().fit(pd.Series(Y, last.as_unit("us"))).predict(2)
    assert forecast.index[-1] == pd.Timestamp("2262-05-31")


@pytest.mark.parametrize("text", ["row {}", "shop 2024 {}", "{:04}", "a-{}"])
def test_text_is_no_label(text):
    forecast = cheap().fit(pd.Series(Y, [text.format(i) for i in range(N)])).predict(2)
    assert forecast.index.tolist() == [N, N + 1]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y %H:%M", "%b %d, %Y"])
@pytest.mark.parametrize("dtype", [object, "category"])
def test_dates_in_words_are_told(form, dtype):
    index = pd.Index(days(N).strftime(form), dtype=dtype)
    with pytest.warns(UserWarning, match="in the index of y is taken for no dates.*to_datetime"):
        cheap().fit(pd.Series(Y, index))


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ms", "Europe/Berlin"), pl.Int32])
def test_a_column_of_times_of_polars(kind):
    first = datetime.datetime(2024, 3, 1)
    if kind == pl.Int32:
        times = pl.Series("t", range(N + 4), dtype=kind)
    elif kind == pl.Date:
        times = pl.date_range(first, first + datetime.timedelta(N + 3), "1d", eager=True).alias("t")
    else:
        last = first + datetime.timedelta(hours=N + 3)
        times = pl.datetime_range(
            first, last, "1h", time_unit="ms", time_zone="Europe/Berlin", eager=True
        ).alias("t")
    table = pl.DataFrame({"t": times[:N], "y": Y})
    forecast = cheap(time="t").fit(table).predict(4)
    assert forecast.schema == table.schema
    assert forecast["t"].equals(times[N:])


def test_the_type_of_values_is_not_that_of_forecasts():
    whole = np.round(10 * Y).astype(int)
    for y in (whole, whole.astype("int8"), whole.astype("float32"), pd.array(whole, "Int16")):
        assert numbers(cheap().fit(pd.Series(y)).predict()).dtype == float
    assert cheap().fit(whole.astype("float32")).predict().dtype == float
    integers, floats = cheap().fit(whole).predict(), cheap().fit(whole.astype(float)).predict()
    assert_array_equal(integers, floats)


def test_other_series_go_on_from_their_own_labels():
    forecaster = cheap().fit(pd.Series(Y, days(N), name="load"))
    later = pd.Series(Y[:20], days(20, "2030-06-01"), name="other")
    forecast = forecaster.predict(2, y=later)
    assert forecast.name == "other"
    assert forecast.index.tolist() == days(22, "2030-06-01")[20:].tolist()


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (days(N)[::-1], r"unsorted .*sort_index\(\)"),
        (days(N)[[0, 0, *range(1, N - 1)]], "2024-01-01 twice or more"),
        (days(N) + pd.to_timedelta(np.arange(N) ** 2, unit="min"), "equally spaced"),
        ([pd.NaT, *days(N - 1)], "missing labels"),
    ],
    ids=["unsorted", "twice", "irregular", "missing"],
)
def test_labels_of_no_grid_are_refused(index, message):
    with pytest.raises(ValueError, match=message):
        cheap().fit(pd.Series(Y, index))


def test_steps_that_are_left_out_are_missing_values():
    gaps = pd.Series(Y, days(N)).drop(days(N)[[5, 12, 13]])
    with pytest.warns(
        UserWarning, match=r"leave out 3 steps, the first 2024-01-06 .*asfreq\('D'\)"
    ):
        forecast = cheap().fit(gaps).predict()
    pd.testing.assert_series_equal(forecast, cheap().fit(gaps.asfreq("D")).predict())


def test_places_in_the_cycles_of_the_calendar():
    times = np.array(["2024-01-01T00:00", "2024-01-01T06:00", "2024-07-01T12:30"], "M8[s]")
    cycles = ["hour", "day", "week", "year"]
    features = calendar_features(times, cycles, 3)
    places = np.arctan2(features[:, :4], features[:, 4:]) / (2 * np.pi) % 1
    quarter = 1 / 28  # of a day, in a week: both days are Mondays
    half_year = (31 + 29 + 31 + 30 + 31 + 30 + 12.5 / 24) / 366
    expected = [[0, 0, 0, 0], [0, 1 / 4, quarter, 0.25 / 366]]
    expected.append([1 / 2, 12.5 / 24, 12.5 / 24 / 7, half_year])
    assert_allclose(places, expected, atol=1e-12)
    assert np.isnan(calendar_features(None, cycles, 3)).all()


def test_series_of_unlike_steps_are_told():
    hourly = pd.Series(wave(N), pd.date_range("2024-05-01", periods=N, freq="h"))
    with pytest.warns(UserWarning, match="steps of 86400 seconds, .* some of 3600 seconds"):
        forecaster = cheap().fit([pd.Series(Y, days(N)), hourly])
    with pytest.warns(UserWarning, match="steps of 86400 seconds, .* some of 3600 seconds"):
        forecaster.predict(y=hourly)
    cheap().fit(
        [pd.Series(Y, pd.date_range(start, periods=N, freq="SME")) for start in ("2020", "2021")]
    )
