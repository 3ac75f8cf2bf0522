"""Labels, types, indices and offsets come back from plain values as they were."""

import enum
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import skops.io
from dateutil import tz as dateutil_zones

from skgru._data.plain import of_plain, to_plain
from tests.saving.test_forecasters import assert_same, assert_same_index, others_than_plain

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = pd.date_range("2024-10-27", periods=5, freq="h", tz="Europe/Berlin", name="when")
OFFSETS = [
    *(pd.offsets.Hour(6), pd.offsets.Minute(15), pd.offsets.Day(2), pd.offsets.Nano(3)),
    *(pd.offsets.Week(weekday=2), pd.offsets.Week(), pd.offsets.BDay(2)),
    *(pd.offsets.MonthEnd(), pd.offsets.MonthEnd(normalize=True), pd.offsets.BMonthBegin(2)),
    *(pd.offsets.QuarterBegin(startingMonth=2), pd.offsets.BQuarterEnd(startingMonth=3)),
    *(pd.offsets.YearEnd(month=6), pd.offsets.SemiMonthBegin(day_of_month=3)),
    *(pd.offsets.WeekOfMonth(week=2, weekday=4), pd.offsets.LastWeekOfMonth(weekday=4)),
    *(pd.offsets.FY5253(weekday=2), pd.offsets.Easter(), pd.offsets.BusinessHour(start="08:00")),
    pd.offsets.CustomBusinessDay(holidays=["2024-05-01"], weekmask="Mon Tue Wed"),
    pd.offsets.CustomBusinessMonthEnd(holidays=["2024-05-31"]),
    *(pd.DateOffset(months=2, days=1), pd.DateOffset(hours=5)),
]
VALUES = [
    *(None, True, 1, 2**70, 1.5, float("inf"), "a", b"\x00x"),
    *((), (1, ("a", np.int64(3))), [1, [2]], {1: "x", (2,): None}, slice(2, 8)),
    *(date(2020, 1, 2), time(1, 2, 3, 4), timedelta(-1, 2, 3)),
    *(datetime(2020, 1, 2, 3, 4, 5, 6), datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)),
    *(UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=2), "EET"), BERLIN),
    *(Decimal("1.50"), Fraction(1, 3), UUID(int=7)),
    *(np.int8(3), np.uint64(2**63), np.float16(0.1), np.float32(0.1), np.bool_(True)),
    *(np.str_("abc"), np.datetime64("2020-01-01T03", "h"), np.timedelta64(3, "ns")),
    *(np.datetime64("2020-01-01", "D").astype(">M8[s]"), np.dtype("<f4"), np.dtype(object)),
    *(np.array(["a", 1, None, (2,)], object), np.array(["a", "bc"]), np.arange(3.0)),
    *(pd.NaT, pd.NA, pd.Timedelta("90s"), pd.Period("2020Q3"), pd.Interval(0, 1.5, "left")),
    *(pd.Timestamp("2020-01-01 01:02:03.123456789"), HOURS[2], HOURS[3]),
    *OFFSETS,
    *(pd.DatetimeTZDtype("us", "Asia/Tokyo"), pd.PeriodDtype("W-SUN"), pd.Int64Dtype()),
    *(pd.StringDtype("python"), pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    *(pd.CategoricalDtype(["a"]), pd.IntervalDtype("float64", "left")),
    *(pl.Datetime("us", "Europe/Berlin"), pl.Duration("ms"), pl.Decimal(10, 2), pl.Enum(["z"])),
    *(pa.timestamp("ms", "Europe/Berlin"), pa.date32(), pa.dictionary(pa.int8(), pa.string())),
]
INDICES = [
    pd.RangeIndex(2, 10, 3, name="r"),
    pd.Index([1, 2], name=("x", 1)),
    pd.Index(["a", "b"]),
    pd.Index(["a", 1, pd.NaT], dtype=object),
    HOURS,
    HOURS.as_unit("s"),
    pd.date_range("2020", periods=3, freq=pd.offsets.MonthEnd()),
    pd.DatetimeIndex(["2020-01-01", "NaT"]),
    pd.period_range("2020", periods=3, freq="Q-NOV"),
    pd.timedelta_range("1h", periods=3),
    pd.interval_range(0, 3),
    pd.CategoricalIndex(["a", "b", "a"], categories=["b", "a", "c"], ordered=True),
    pd.CategoricalIndex([HOURS[0], None]),
    pd.Index([1, None], dtype="Int8"),
    pd.Index([1.5, None], dtype="Float32"),
    pd.Index([True, None], dtype="boolean"),
    pd.Index(["a", None], dtype="string[python]"),
    pd.Index(["a", None], dtype="string[pyarrow]"),
    pd.Index([1, 2], dtype=pd.ArrowDtype(pa.int64())),
    pd.MultiIndex.from_product([["a", "b"], HOURS], names=["x", None]),
]
COLUMNS = [
    pd.Series(["a", "b"], name="q"),
    pd.Series(HOURS),
    pd.Series([1, 2], dtype="int8"),
    pl.Series("q", ["a", None]),
    pl.Series("q", ["a", "b", "a"], dtype=pl.Categorical),
    pl.Series("q", ["a", "b"], dtype=pl.Enum(["b", "a"])),
    pl.Series("t", [date(2020, 1, 1)]),
    pl.Series("t", [datetime(2020, 1, 1)]).dt.replace_time_zone("Asia/Tokyo"),
    pa.array([1, None]),
    pa.array(["x", "a", "b", "a"])[1:],
    pa.chunked_array([["a"], ["b", "c"]]),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([], pa.duration("s")),
]


def through_a_file(value):
    """Return a value, made plain, through a file that has nothing to trust."""
    plain = to_plain(value)
    assert list(others_than_plain(plain)) == []
    data = skops.io.dumps(plain)
    assert skops.io.get_untrusted_types(data=data) == []
    return of_plain(skops.io.loads(data))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value(value):
    found = through_a_file(value)
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert_same(found, value)
        return
    assert found is value or found == value
    if isinstance(value, np.generic):
        assert found.dtype == value.dtype
    assert repr(found) == repr(value)
    for name in ("unit", "fold", "value", "tzinfo", "ordered"):
        assert getattr(found, name, None) == getattr(value, name, None)


@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index.dtype))
def test_an_index(index):
    found = through_a_file(index)
    assert type(found) is type(index)
    assert_same_index(found, index)
    assert getattr(found, "freq", None) == getattr(index, "freq", None)
    for level, expected in zip(
        getattr(found, "levels", []), getattr(index, "levels", []), strict=True
    ):
        assert_same_index(level, expected)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{type(column)}")
def test_a_column(column):
    if isinstance(column, pa.Array | pa.ChunkedArray):
        found = through_a_file(column)
        assert type(found) is type(column)
        assert found.type == column.type
        assert found.equals(column)
    else:
        assert_same(through_a_file(column), column)


class Kind(enum.Enum):
    A = 1


@pytest.mark.parametrize(
    "value",
    [
        dateutil_zones.gettz("Europe/Berlin"),
        Kind.A,
        Kind,
        np.array([(1, 2.0)], [("a", int), ("b", float)]),
        pd.SparseDtype("float64"),
        np.complex64(1j),
    ],
    ids=repr,
)
def test_what_cannot_be_said_stays_as_it_is(value):
    plain = to_plain(value)
    assert plain["kind"] == "object"
    assert of_plain(plain) is value


def test_an_offset_that_would_come_back_as_another_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(pd.offsets, "Hour", pd.offsets.Minute)
    hour = pd.tseries.frequencies.to_offset("h")
    assert to_plain(hour) == {"kind": "object", "of": hour}
