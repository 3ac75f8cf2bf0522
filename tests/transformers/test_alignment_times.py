"""SequenceAligner: times of all kinds, and grids of them."""

import math
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru import alignment
from skgru.alignment import SequenceAligner
from tests.transformers.events import (
    DATETIMES,
    EVENTS,
    FORMS,
    align,
    assert_same,
    at,
    columns,
    naive_alignment,
)

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


# --- Exact times -------------------------------------------------------------------------------

TICKS = 1_700_000_000_000_000_000 + 100 * np.arange(6)  # ns, which float64 counts in steps of 256

FINE_TIMES = {
    "datetime64[ns]": TICKS.astype("M8[ns]"),
    "datetime64[100ns]": (TICKS // 100).astype("M8[100ns]"),
    "datetime64[ps]": (TICKS % 10**9 * 1000).astype("M8[ps]"),
    "datetime64[as]": (TICKS % 10**9 * 10**9).astype("M8[as]"),
    "timedelta64[ns]": TICKS.astype("m8[ns]"),
    "big-endian": TICKS.astype(">M8[ns]"),
    "pandas": pd.Series(TICKS.astype("M8[ns]")),
    "pandas, zone": pd.Series(TICKS.astype("M8[ns]")).dt.tz_localize("Asia/Tokyo"),
    "pandas, Arrow": pd.Series(TICKS.astype("M8[ns]")).astype("timestamp[ns, tz=UTC][pyarrow]"),
    "pandas durations": pd.Series(TICKS.astype("m8[ns]")),
    "Timestamps": [pd.Timestamp(tick) for tick in TICKS],
    "Timestamps, zone": [pd.Timestamp(tick, tz="Asia/Tokyo") for tick in TICKS],
    "Timedeltas": [pd.Timedelta(tick) for tick in TICKS],
    "datetime64 objects": list(TICKS.astype("M8[ns]")),
    "objects of two units": [*TICKS[:-1].astype("M8[ns]"), datetime(2024, 1, 1)],
    "objects of all kinds": [
        date(2020, 1, 1),
        datetime(2023, 1, 1, tzinfo=UTC),
        *TICKS[:2].astype("M8[ns]"),
        pd.Timestamp(TICKS[2], tz="Europe/Berlin"),
        np.datetime64("2024-01-01", "D"),
    ],
    "polars": pl.Series(TICKS).cast(pl.Datetime("ns")),
    "polars, zone": pl.Series(TICKS).cast(pl.Datetime("ns", "Asia/Tokyo")),
    "polars durations": pl.Series(TICKS).cast(pl.Duration("ns")),
    "Arrow": pa.array(TICKS).cast(pa.timestamp("ns")),
    "Arrow chunks, zone": pa.chunked_array([pa.array(TICKS).cast(pa.timestamp("ns", "UTC"))]),
    "masked": np.ma.array(TICKS.astype("M8[ns]"), mask=False),
    "int64": TICKS,
    "uint64": TICKS.astype(np.uint64) + np.uint64(2**63),
    "ints": TICKS.tolist(),
    "large ints": [2**63 - 3 + i for i in range(6)],
    "pandas ints": pd.Series(TICKS, dtype="Int64"),
    "polars ints": pl.Series(TICKS),
    "negative ints": -TICKS[::-1],
}


@pytest.mark.parametrize("kind", FINE_TIMES)
@pytest.mark.parametrize("as_rows", [False, True])
def test_times_closer_than_a_float_tells_are_steps_of_their_own(kind, as_rows):
    times = FINE_TIMES[kind]
    if as_rows and kind.startswith(("polars", "Arrow")):  # which cut them to microseconds
        times = pd.Series(times.to_numpy())
    X = {"sample": ["s"] * 6, "time": times, "channel": ["a"] * 6, "value": range(6)}
    if as_rows:
        X = list(zip(*[list(column) for column in X.values()], strict=True))
        X = X[::-1]
    (sequence,) = align(X)
    np.testing.assert_array_equal(sequence[:, 1], range(6))
    assert (np.diff(sequence[:, 0]) >= 0).all()


@pytest.mark.parametrize(
    ("times", "freq", "expected"),
    [
        (TICKS.astype("M8[ns]"), "100ns", [1, 1, 1, 1, 1, 1]),
        (TICKS.astype("M8[ns]"), np.timedelta64(200, "ns"), [2, 2, 2]),
        ([pd.Timestamp(tick) for tick in TICKS], "200ns", [2, 2, 2]),
        (TICKS, 200, [2, 2, 2]),
        (TICKS, np.float32(200), [2, 2, 2]),
        (TICKS.astype(np.uint64), np.uint8(200), [2, 2, 2]),
        (np.iinfo(np.int64).min + np.arange(6), 3, [2, 3, 1]),
        (np.iinfo(np.uint64).max - np.arange(6).astype(np.uint64), 3, [2, 3, 1]),
    ],
)
def test_bins_of_times_closer_than_a_float_tells(times, freq, expected):
    X = {"sample": ["s"] * 6, "time": times, "channel": ["a"] * 6, "value": range(6)}
    (sequence,) = align(X, freq=freq, aggregate="count")
    assert sequence[:, 1].tolist() == expected


def test_the_whole_range_of_times_is_no_overflow():
    ends = np.array([np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max])
    for times, freq in [(ends, 10**18), (ends.astype("m8[ns]"), np.timedelta64(10**18, "ns"))]:
        (sequence,) = align(at(times), freq=freq)
        np.testing.assert_array_equal(np.isfinite(sequence[:, 1]), [True, *[False] * 18, True])
        with pytest.raises(ValueError, match="makes a grid of"):
            align(at(times), freq=freq // 10**18)
    assert [len(sequence) for sequence in align(at(ends))] == [2]


@pytest.mark.parametrize("freq", ["1D", timedelta(days=1), np.timedelta64(1, "D"), 86400])
@pytest.mark.parametrize(
    "times",
    [
        np.array(["9999-12-30", "9999-12-31"], dtype="M8[us]"),
        [datetime(9999, 12, 30), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1)))],
        [date(1, 1, 1), datetime(1, 1, 2)],
        [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), pd.Timestamp("0001-01-02")],
        [pd.Timestamp("2024-01-01"), date(2024, 1, 2)],
    ],
)
def test_bins_of_distant_years(times, freq):
    (sequence,) = align(at(times), freq=freq)
    np.testing.assert_array_equal(np.diff(sequence[:, 0]), 86400)
    np.testing.assert_array_equal(sequence[[0, -1], 1], [1, 2])
    assert len(sequence) in (2, 3)  # 3 where a time zone puts one of them into another day


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([pd.Timestamp(1), datetime(9999, 1, 1)], "64 bits hold as whole numbers of the unit 'ns'"),
        ([timedelta.max, timedelta(0)], "64 bits"),
        (np.array([10**16, 1], dtype="M8[D]"), "64 bits"),
        (np.array([1, 2], dtype="m8[M]"), "durations of a fixed length"),
        (np.array([1, 2], dtype="m8"), "durations of a fixed length"),
        ([np.timedelta64(1, "Y"), np.timedelta64(1, "D")], "durations of a fixed length"),
        ([2**60 + 1, 0.5], rf"exact in column 'time', got {2**60 + 1} in row 0"),
        ([1, 2**70 + 1], rf"exact in column 'time', got {2**70 + 1} in row 1"),
        ([10**400, 1], "row 0 is too large for float64"),
        ([1.5, -(10**400)], "row 1 is too large for float64"),
        ([Decimal("Infinity"), 1], "Expected finite numbers"),
        ([Decimal("NaN"), 1], "Expected finite numbers in column 'time', got NaN in row 0"),
        ([Decimal("sNaN"), datetime(2024, 1, 1)], "Expected numbers, got the date .* in row 1"),
        (pd.period_range("2024-01", periods=2, freq="M"), "Expected a number, a datetime or"),
        (
            np.ma.array([0, 1], mask=[0, 1]),
            "Expected finite numbers in column 'time', got .* row 1",
        ),
        ([0, np.ma.masked], "Expected finite numbers in column 'time', got .* in row 1"),
        (np.ma.array(["2024", "2025"], dtype="M8[s]", mask=[1, 0]), "got NaT in row 0"),
    ],
)
def test_times_that_no_type_holds(times, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(at(times))


@given(
    events=st.lists(
        st.tuples(
            st.integers(2**62, 2**62 + 3),
            st.integers(-(2**63) + 1, -(2**63) + 4) | st.integers(2**63 - 4, 2**63 - 1),
            st.integers(2**53, 2**53 + 2),
            st.sampled_from([math.nan, 1.0, 2.0, 3.0]),
        ),
        min_size=1,
        max_size=40,
    ),
    form=st.sampled_from(
        ["list of tuples", "dict of lists", "pandas", "pandas nullable", "pandas Arrow",
         "polars", "Arrow table", "structured array", "object array", "dates"]
    ),
)  # fmt: skip
def test_large_numbers_against_a_transcription(events, form):
    channels = sorted({event[2] for event in events})
    expected = naive_alignment(events, channels, "sum")
    table = columns(events)
    X = (
        table | {"time": np.array(table["time"], "M8[ns]")}
        if form == "dates"
        else FORMS[form](events)
    )
    got = SequenceAligner(channels=channels, aggregate="sum").fit_transform(X)
    assert [len(sequence) for sequence in got] == [len(sequence) for sequence in expected]
    for sequence, expected_sequence in zip(got, expected, strict=True):
        np.testing.assert_array_equal(sequence[:, 1:], expected_sequence[:, 1:])
