"""SequenceAligner: datetimes, durations and grids of time."""

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgru import alignment
from skgru.alignment import SequenceAligner
from tests.transformers.events import DATETIMES, EVENTS, align, assert_same, at

# --- Times and grids ---------------------------------------------------------------------------

START = 1_704_067_200.0  # 2024-01-01 00:00 UTC


@pytest.mark.parametrize("kind", DATETIMES)
def test_datetimes_become_seconds(kind):
    times = DATETIMES[kind]
    assert_same(align(at(times)), [[[START, 1], [START + 5400.5, 2]]])
    hours = [[START, 1], [START + 3600, 2]]
    for freq in ("1h", "60min", timedelta(hours=1), np.timedelta64(1, "h"), pd.Timedelta("1h")):
        assert_same(align(at(times), freq=freq), [hours])
    assert_same(align(at(times), freq=3600), [hours])
    rows = np.array(list(zip("ss", times, "aa", [1, 2], strict=True)), dtype=object)
    assert_same(align(rows, freq="1h"), [hours])


def test_datetimes_of_pyarrow():
    times = DATETIMES["pandas, zone"]
    for kind in ("timestamp[us, tz=Europe/Berlin][pyarrow]", "timestamp[ms, tz=UTC][pyarrow]"):
        assert_same(align(at(times.astype(kind))), [[[START, 1], [START + 5400.5, 2]]])


@pytest.mark.parametrize(
    "times",
    [
        pd.to_timedelta(["0s", "90min"]),
        np.array([0, 90], dtype="timedelta64[m]"),
        [timedelta(0), timedelta(minutes=90)],
        np.array([np.timedelta64(0, "s"), pd.Timedelta("90min")], dtype=object),
        pl.Series([timedelta(0), timedelta(minutes=90)]),
    ],
)
def test_durations_become_seconds(times):
    assert_same(align(at(times)), [[[0, 1], [5400, 2]]])
    assert_same(align(at(times), freq="1h"), [[[0, 1], [3600, 2]]])


@pytest.mark.parametrize("freq", ["1D", "1h", "1ms"])
def test_bins_of_datetimes_are_exact(freq):
    width = pd.Timedelta(freq)
    noon = pd.Timestamp("2024-03-01 12:00")
    for time in (noon - pd.Timedelta("1us"), noon, noon + pd.Timedelta("1us")):
        X = at(pd.Series([time, time]))
        expected = time.floor(width).value / 1e9
        assert align(X, freq=freq)[0][:, 0].tolist() == [expected]


def test_bins_are_counted_from_zero_with_empty_ones_between():
    events = [("s", -2.5, "a", 1), ("s", 0.9, "a", 2), ("s", 1.0, "a", 3), ("t", 7.2, "a", 4)]
    expected = [[-3, 1], [-2, np.nan], [-1, np.nan], [0, 2], [1, 3]]
    assert_same(align(events, freq=1), [expected, [[7, 4]]])
    counts = [[-3, 1], [-2, 0], [-1, 0], [0, 1], [1, 1]]
    assert_same(align(events, freq=1, aggregate="count"), [counts, [[7, 1]]])


@pytest.mark.parametrize("freq", [0.1, 0.01, 1 / 3, 0.7, 1e-5, 1e6])
def test_rounding_costs_no_bin(freq):
    n = np.arange(-1000, 1000)
    for times in (n * freq, n / (1 / freq), np.cumsum(np.full(2000, freq)) - 1001 * freq):
        X = {"sample": 0 * n, "time": times, "channel": 0 * n, "value": n}
        np.testing.assert_array_equal(align(X, freq=freq)[0][:, 1], n)


@pytest.mark.parametrize("freq", [0.1, 0.7, 1e-3, 60.0])
def test_rounding_costs_no_bin_far_from_zero(freq):
    n = np.arange(-1000, 1000)
    times = (n + round(START / freq)) * freq
    for shaken in (np.nextafter(times, 0), times, np.nextafter(times, np.inf)):
        X = {"sample": 0 * n, "time": shaken, "channel": 0 * n, "value": n}
        np.testing.assert_array_equal(align(X, freq=freq)[0], np.column_stack([times, n]))


def test_time_shortly_before_a_bin_stays_out_of_it():
    events = [("s", 1 - 1e-6, "a", 1)]
    assert_same(align(events, freq=1), [[[0, 1]]])
    late = [("s", START - 1e-4, "a", 1)]
    assert_same(align(late, freq=3600.0), [[[START - 3600, 1]]])


@pytest.mark.parametrize("freq", [1e-8, 1e-300, 5e-324])
def test_too_large_a_grid(freq):
    aligner = SequenceAligner(freq=freq).fit(EVENTS)
    with pytest.raises(ValueError, match=r"freq=.* makes a grid of .* numbers, expected at most"):
        aligner.transform(EVENTS)


def test_largest_grid(monkeypatch):
    events = [("s", 0, "a", 1), ("s", 2, "b", 1), ("t", 0, "a", 1)]  # 4 steps, 3 columns
    monkeypatch.setattr(alignment, "_LARGEST_GRID", 12)
    assert [len(sequence) for sequence in align(events, freq=1)] == [3, 1]
    monkeypatch.setattr(alignment, "_LARGEST_GRID", 11)
    with pytest.raises(ValueError, match="freq=1 makes a grid of 12 numbers, expected at most 11"):
        align(events, freq=1)


def test_too_large_a_grid_of_datetimes():
    times = pd.to_datetime(["1990-01-01", "2020-01-01"])
    with pytest.raises(ValueError, match=r"freq='1us' makes a grid of"):
        align(at(times), freq="1us")
    assert len(align(at(times), freq="30D")[0]) == 366


def test_distant_single_time_makes_a_small_grid():
    assert_same(align([("s", 1e300, "a", 1)], freq=1), [[[1e300, 1]]])


def test_datetimes_of_distant_years():
    times = np.array(["9999-12-31", "9999-12-31"], dtype="datetime64[s]")
    seconds = (datetime(9999, 12, 31) - datetime(1970, 1, 1)).total_seconds()
    assert_same(align(at(times), freq=timedelta(days=1), aggregate="sum"), [[[seconds, 3]]])


@pytest.mark.parametrize(
    ("freq", "message"),
    [
        (0, "freq: expected a number above 0 that float64 holds"),
        (-1.0, "freq: expected a number above 0 that float64 holds"),
        (np.inf, "freq: expected a number above 0 that float64 holds"),
        (np.nan, "freq: expected a number above 0 that float64 holds"),
        ([1], "The 'freq' parameter"),
        ("often", "freq: expected a fixed duration above 0, got 'often'"),
        ("0h", "freq: expected a fixed duration above 0, got '0h'"),
        ("NaT", "freq: expected a fixed duration above 0, got 'NaT'"),
        (timedelta(-1), "freq: expected a fixed duration above 0"),
        (np.timedelta64(-1, "s"), "freq: expected a fixed duration above 0"),
        (np.timedelta64(1, "M"), "freq: expected a fixed duration above 0"),
        (np.timedelta64("NaT", "s"), "freq: expected a fixed duration above 0"),
        (timedelta.max, "freq: expected a fixed duration above 0"),
        ("100000000000000D", "freq: expected a fixed duration above 0"),
        pytest.param(10**400, "freq: expected a number .* holds, got 1000", id="large"),
        pytest.param(Fraction(1, 10**400), "freq: expected a number above 0", id="small"),
        (Decimal(1), "The 'freq' parameter"),
        (1j, "The 'freq' parameter"),
    ],
)
def test_unusable_freq(freq, message):
    times = pd.to_datetime(["2024-01-01", "2024-01-02"])
    with pytest.raises(ValueError, match=message):
        SequenceAligner(freq=freq).fit(at(times))


@pytest.mark.parametrize("freq", ["1h", timedelta(1), np.timedelta64(1, "s")])
def test_duration_as_freq_without_events(freq):
    aligner = SequenceAligner(channels=["a"], freq=freq).fit([])
    assert aligner.transform([]) == []
    assert_same(aligner.transform([], samples=["s"]), [np.empty((0, 2))])


@pytest.mark.parametrize(
    "freq",
    [
        2, 2.0, *(dtype(2) for dtype in (np.uint8, np.int8, np.int16, np.uint64, np.float16)),
        np.float32(2), np.longdouble(2), Fraction(4, 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [[0, 399], [0.0, 399.5], pd.to_datetime([0, 399], unit="s")])
def test_freq_of_any_type_of_numbers(freq, times):
    (sequence,) = align(at(times), freq=freq)
    np.testing.assert_array_equal(sequence[:, 0], np.arange(200) * 2)


@pytest.mark.parametrize("freq", ["1h", timedelta(1), np.timedelta64(1, "s")])
def test_duration_as_freq_of_numeric_times(freq):
    with pytest.raises(ValueError, match="freq: expected a number, as the times are numbers"):
        SequenceAligner(freq=freq).fit(EVENTS)


def test_freq_as_a_string_without_pandas():
    code = """
import sys
sys.modules["pandas"] = None
import numpy as np
from skgru.alignment import SequenceAligner
times = np.array(["2024-01-01T00", "2024-01-01T01"], dtype="datetime64[h]")
X = {"sample": [1, 1], "time": times, "channel": [1, 1], "value": [1, 2]}
assert len(SequenceAligner(freq=np.timedelta64(1, "h")).fit_transform(X)[0]) == 2
try:
    SequenceAligner(freq="1h").fit(X)
except ImportError as error:
    assert "freq='1h' needs pandas" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
