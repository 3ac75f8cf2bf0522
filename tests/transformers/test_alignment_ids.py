"""SequenceAligner: ids that stay apart, and those that are refused."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skgru.alignment import SequenceAligner
from tests.transformers.events import EVENTS, assert_same, at

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
