"""SequenceAligner: times and ids that a float64 cannot hold stay apart."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru.alignment import SequenceAligner
from tests.transformers.events import (
    EVENTS,
    FORMS,
    NAMES,
    align,
    assert_same,
    at,
    columns,
    naive_alignment,
)

# --- Exact times and ids -----------------------------------------------------------------------

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


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="an older polars")
@pytest.mark.parametrize("column", NAMES)
def test_columns_that_numpy_does_not_know_are_refused_by_name(column):
    X = {**at([0, 1]), column: pl.Series([1, 2], dtype=pl.Int128)}
    with pytest.raises(ValueError, match=f"column '{column}'.* could not be read as an array"):
        SequenceAligner().fit(X)


LARGE = 2**60


LARGE_IDS = {
    "int64": np.array([LARGE, LARGE + 1]),
    "uint64": np.array([2**63, 2**63 + 1], dtype=np.uint64),
    "ints": [LARGE, LARGE + 1],
    "ints beyond int64": [2**63 + 1, 1, 2**63],
    "int64 and uint64": [np.int64(LARGE), np.uint64(2**63), np.uint64(2**63 + 1)],
    "ints and a fraction": [LARGE, LARGE + 1, 1.5],
    "ints and a text": [LARGE, LARGE + 1, "1"],
    "huge ints": [2**100, 2**100 + 1],
    "tuples": [(LARGE, 1), (LARGE + 1, 1)],
    "objects": np.array([LARGE, LARGE + 1, 2.5], dtype=object),
    "pandas": pd.Series([LARGE, LARGE + 1]),
    "pandas unsigned": pd.Series([2**63, 2**63 + 1], dtype="uint64"),
    "pandas nullable": pd.Series([LARGE, LARGE + 1], dtype="Int64"),
    "pandas Arrow": pd.Series([LARGE, LARGE + 1], dtype="int64[pyarrow]"),
    "pandas categories": pd.Series([LARGE, LARGE + 1], dtype="category"),
    "polars": pl.Series([LARGE, LARGE + 1]),
    "polars unsigned": pl.Series([2**63, 2**63 + 1], dtype=pl.UInt64),
    "Arrow": pa.array([LARGE, LARGE + 1]),
    "datetime64[ns]": np.array([1000, 1001], dtype="M8[ns]"),
    "datetime64 objects": [np.datetime64(1000, "ns"), np.datetime64(1001, "ns")],
    "Timestamps": [pd.Timestamp(1000), pd.Timestamp(1001)],
    "Timestamps with a zone": pd.Series(pd.to_datetime([1000, 1001], utc=True)),
    "polars dates": pl.Series([1000, 1001]).cast(pl.Datetime("ns")),
    "durations": np.array([1000, 1001], dtype="m8[ns]"),
    "years": np.array([10**6, 10**6 + 1], dtype="M8[Y]"),
}


@pytest.mark.parametrize("column", ["sample", "channel"])
@pytest.mark.parametrize("kind", LARGE_IDS)
def test_ids_that_a_float_or_a_microsecond_does_not_tell_apart_stay_apart(column, kind):
    ids = LARGE_IDS[kind]
    n = len(ids)
    other = {"sample": "channel", "channel": "sample"}[column]
    X = {column: ids, other: ["x"] * n, "time": [0] * n, "value": range(n)}
    if column == "sample":
        aligner = SequenceAligner()
        assert_same(aligner.fit_transform(X), [[[0, i]] for i in range(n)])
        for samples in (aligner.samples_, ids):
            assert_same(aligner.transform(X, samples), [[[0, i]] for i in range(n)])
        assert_same(aligner.transform(X, aligner.samples_[[1]]), [[[0, 1]]])
    else:
        aligner = SequenceAligner(channels=ids)
        assert_same(aligner.fit_transform(X), [[[0, *range(n)]]])
        X["time"] = range(n)
        got = SequenceAligner(channels=aligner.channels_).fit_transform(X)[0][:, 1:]
        np.testing.assert_array_equal(np.isfinite(got), np.eye(n, dtype=bool))


def test_ids_are_the_same_wherever_they_come_from():
    days = {
        "dates": [date(2024, 1, 2), date(2024, 1, 1)],
        "datetimes": [datetime(2024, 1, 2), datetime(2024, 1, 1)],
        "with a zone": [
            datetime(2024, 1, d, 9, tzinfo=timezone(timedelta(hours=9))) for d in (2, 1)
        ],
        "datetime64 objects": [np.datetime64("2024-01-02"), np.datetime64("2024-01-01", "ns")],
        "NumPy": np.array(["2024-01-02", "2024-01-01"], dtype="M8[D]"),
        "pandas": pd.Series(pd.to_datetime(["2024-01-02", "2024-01-01"])),
        "pandas, zone": pd.to_datetime(["2024-01-02", "2024-01-01"]).tz_localize("UTC"),
        "polars": pl.Series([date(2024, 1, 2), date(2024, 1, 1)]),
        "Arrow": pa.array([date(2024, 1, 2), date(2024, 1, 1)]),
    }
    for ids in days.values():
        X = {"sample": ids, "time": [0, 1], "channel": ids, "value": [5, 6]}
        aligner = SequenceAligner().fit(X)
        for others in days.values():
            assert_same(aligner.transform(X, others), [[[0, np.nan, 5]], [[1, 6, np.nan]]])
            same = SequenceAligner(channels=others).fit({**X, "channel": others})
            assert_same(same.transform(X), [[[0, 5, np.nan]], [[1, np.nan, 6]]])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            np.array([2.0**53, 1.0]),
            r"only below 2\*\*53.*got 9007199254740992.0 as {} in row 0",
        ),
        ([1, 2.0**60], r"floats only below 2\*\*53.* as {} in row 1"),
        (np.array([1, 2**24], dtype=np.float32), r"below 2\*\*24.* as {} in row 1"),
        ([1.0, np.inf], "got inf as {} in row 1"),
        ([[1], [2]], "Expected a hashable {} in every row, got a list in row 0"),
        (
            [1, np.array(2)],
            "Expected a hashable {} in every row, got an array .* in row 1",
        ),
        ([1, (2, [3])], "Expected a hashable {} in every row, got a tuple in row 1"),
        ([1, np.ma.masked], "Expected a {} in every row, got None in row 1"),
        (np.ma.array([1, 2], mask=[0, 1]), "Expected a {} in every row, got (None|nan) in row 1"),
        (np.ma.array(["a", "b"], mask=[0, 1]), "Expected a {} in every row, got None in row 1"),
        (pd.Series([1, None], dtype="Int64"), "Expected a {} in every row, got .* in row 1"),
        (pd.Series(["a", None], dtype="category"), "Expected a {} in every row, got .* in row 1"),
        ([pd.NA, 1], "Expected a {} in every row, got <NA> in row 0"),
        ([1, pd.NaT], "Expected a {} in every row, got NaT in row 1"),
        ([1, Decimal("sNaN")], "Expected a hashable {} in every row, got a Decimal in row 1"),
        ([Decimal("NaN"), 1], "Expected a {} in every row, got .* in row 0"),
        ("ab", "Expected an array or a list as column '{}', got a string"),
        ({1, 2}, "Expected an array or a list as column '{}', got a set"),
        ({1: 2, 3: 4}, "Expected an array or a list as column '{}', got a dict"),
        (7, "Expected an array or a list as column '{}', got an int"),
    ],
)
@pytest.mark.parametrize("column", ["sample", "channel"])
def test_unusable_ids(ids, message, column):
    X = {"sample": [1, 2], "time": [0, 1], "channel": [1, 2], "value": [5, 6], column: ids}
    with pytest.raises(ValueError, match=message.replace("{}", column)):
        SequenceAligner().fit(X)


IDS = {
    "ints": [1, 2],
    "floats": [1.5, 2.0],
    "texts": ["1", "2"],
    "bytes": [b"1", b"2"],
    "datetimes": [datetime(2024, 1, 1), datetime(2024, 1, 2)],
    "durations": [timedelta(1), timedelta(2)],
    "tuples of texts": [("1", "x"), ("2", "x")],
    "tuples of ints": [(1, "x"), (2, "x")],
}


@pytest.mark.parametrize("asked", IDS)
@pytest.mark.parametrize("kind", IDS)
def test_ids_of_another_type_than_the_events_are_refused(kind, asked):
    X = {"sample": IDS[kind], "time": [0, 0], "channel": IDS[kind], "value": [3, 4]}
    aligner = SequenceAligner().fit(X)
    if kind == asked or {kind, asked} == {"ints", "floats"}:
        assert len(aligner.transform(X, IDS[asked])) == 2
        return
    for samples in (IDS[asked], [*IDS[kind], IDS[asked][0]], pd.Series(IDS[asked], dtype=object)):
        with pytest.raises(ValueError, match=r"Expected samples of the type .* 'sample'.*Convert"):
            aligner.transform(X, samples)
        with pytest.raises(ValueError, match=r"Expected samples of the type .* 'sample'.*Convert"):
            aligner.fit_transform(X, samples=samples)
    for handle in ("error", "ignore"):
        settings = dict(handle_unknown=handle)
        with pytest.raises(ValueError, match=r"Expected channels of the type .* 'channel'.*Conver"):
            SequenceAligner(channels=IDS[asked], **settings).fit(X)
        with pytest.raises(ValueError, match=r"Expected channels of the type .* 'channel'.*Conver"):
            aligner.set_params(**settings).transform({**X, "channel": IDS[asked]})


def test_unknown_samples_of_the_right_type_are_empty():
    aligner = SequenceAligner().fit(EVENTS)
    assert_same(aligner.transform(EVENTS, ["zoe", np.str_("yan")]), [np.empty((0, 3))] * 2)
    numbers = at([0, 1]) | {"sample": np.array([1, 2], np.uint8)}
    aligner = SequenceAligner().fit(numbers)
    for known in ([1, 2], [1.0, 2.0], [True, Decimal(2)], np.array([1, 2], np.float32)):
        assert [len(sequence) for sequence in aligner.transform(numbers, known)] == [1, 1]
    assert [len(sequence) for sequence in aligner.transform(numbers, [7, 8.5])] == [0, 0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (7, "as samples, got an int"),
        ({"ann", "bob"}, "as samples, got a set"),
        ({"ann": 1}, "as samples, got a dict"),
        (pd.DataFrame({"a": ["ann"]}), r"Expected one-dimensional"),
        ([["ann"]], "Expected hashable samples, got a list"),
        ([2.0**53], r"floats only below 2\*\*53"),
        ([np.ma.masked], "Expected distinct samples, got None"),
        ([pd.NA], "Expected distinct samples, got <NA>"),
    ],
)
def test_unusable_samples(samples, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(EVENTS).transform(EVENTS, samples)
