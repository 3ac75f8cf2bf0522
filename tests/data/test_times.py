"""Dates and durations of all kinds: exact differences, of arrays and in every form of X."""

from array import array
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier
from skgru._data.times import holds_times, in_seconds, relative_times, to_keys, to_ticks, to_times
from tests.containers import MASKED, NAN, OnlyDlpack, Y, objects, pa
from tests.datasets import assert_same_model, read_numbers, small

UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "7D", "15m", "25ns"]
EAST, WEST = timezone(timedelta(hours=9)), timezone(-timedelta(hours=9))


@pytest.mark.parametrize("unit", UNITS)
def test_dates_of_every_unit_become_the_same_seconds(unit):
    dates = np.array([0, 3, "NaT", -2], f"M8[{unit}]")
    second = {"ps": 1e-12, "fs": 1e-15, "as": 1e-18}.get(unit)
    expected = dates.astype("M8[ns]").astype(np.int64) / 1e9 if second is None else [0, 3, 0, -2]
    expected = np.where(np.isnat(dates), np.nan, expected) * (second or 1)
    for cells in (dates, dates.astype(dates.dtype.newbyteorder(">")), objects(dates)):
        assert holds_times(cells)
        np.testing.assert_allclose(in_seconds(to_ticks(cells)), expected, rtol=1e-15)
    if unit in ("Y", "M"):
        with pytest.raises(ValueError, match="durations of a fixed length, got"):
            to_ticks(np.array([1, 2], f"m8[{unit}]"))
    else:
        durations = dates - dates[0]
        np.testing.assert_allclose(in_seconds(to_ticks(durations)), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([pd.Timestamp(5), None, datetime(1970, 1, 1, 0, 0, 1)], "5 NaT 1000000000 ns"),
        ([pd.Timestamp(5, tz="Asia/Tokyo"), np.datetime64(1, "ps")], "5000 1 ps"),
        ([pd.Timestamp(0), datetime(9999, 1, 1), date(1, 1, 1)], "0 253370764800 -62135596800 s"),
        ([datetime(1, 1, 1, tzinfo=EAST), datetime(1, 1, 1)], "-62135629200 -62135596800 s"),
        ([datetime(9999, 12, 31, 23, tzinfo=WEST)], "253402329600 s"),
        ([datetime(1970, 1, 1, 9, 0, 0, 1, EAST), datetime(1970, 1, 1, tzinfo=UTC)], "1 0 us"),
        ([pd.NaT, None, np.nan, pd.NA, np.ma.masked], "NaT NaT NaT NaT NaT s"),
        ([timedelta(days=-1, microseconds=1), pd.Timedelta(3)], "-86399999999000 3 ns"),
        ([np.timedelta64(1, "as"), np.timedelta64(9, "s")], f"1 {9 * 10**18} as"),
        ([timedelta(10**8), np.timedelta64("NaT")], f"{864 * 10**10} NaT s"),
    ],
)  # fmt: skip
def test_objects_keep_all_digits(cells, expected):
    *numbers, unit = expected.split()
    ticks = to_ticks(objects(cells))
    assert ticks.dtype == np.dtype(f"m8[{unit}]")
    np.testing.assert_array_equal(ticks, np.array(numbers, f"m8[{unit}]"))


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2.5, None],
        ["2024-01-01", datetime(2024, 1, 1)],
        [datetime(2024, 1, 1), timedelta(1)],
        [pd.NaT, 1.5],
        [pd.NaT, np.float64(1.5)],
        [np.timedelta64(1, "s"), np.int64(1)],
    ],
)
def test_what_is_no_array_of_times_is_returned_as_it_is(cells):
    cells = objects(cells)
    assert to_times(cells) is to_ticks(cells) is cells


@pytest.mark.parametrize(
    "cells",
    [
        np.array([10**16], "M8[D]"),
        np.array([10**15], "m8[D]"),
        objects([pd.Timestamp(1), datetime(9999, 1, 1)]),
        objects([np.datetime64(1, "as"), datetime(2024, 1, 1)]),
        objects([timedelta.max]),
        objects([timedelta.min]),
        np.array([1], "m8"),
        objects([np.timedelta64(1, "Y")]),
        objects([np.timedelta64(1)]),
    ],
)
def test_times_that_fit_into_no_unit_are_refused(cells):
    with pytest.raises(ValueError, match=r"Expected (dates or )?durations .*, got"):
        to_ticks(cells)


def test_keys_are_equal_for_equal_times_only():
    day = [np.array([10**4], f"M8[{unit}]") for unit in ("D",)]
    day += [day[0].astype(f"M8[{unit}]") for unit in ("h", "s", "us", "ns")]
    assert {to_keys(one)[0] for one in day} == {datetime(1997, 5, 19)}
    fine = np.array([1000, 1001, 1002, "NaT"], "M8[ns]")
    keys = to_keys(fine)
    assert keys[0] == datetime(1970, 1, 1, 0, 0, 0, 1)
    assert keys[3] is None
    assert len(set(keys)) == 4
    assert keys == to_keys(fine.astype("M8[ps]"))
    assert list(map(hash, keys)) == list(map(hash, to_keys(fine.astype("M8[as]"))))
    far = np.array([10**13, 10**13 + 1], "M8[s]")
    assert len(set(to_keys(far))) == 2
    assert hash(to_keys(far)[0]) == hash(to_keys(np.array([10**16], "M8[ms]"))[0])
    assert to_keys(np.array([3, 4], "m8[h]")) == [timedelta(hours=3), timedelta(hours=4)]


def test_differences_that_64_bits_do_not_hold():
    ends = np.array([["1678-01-01", "2262-01-01"], ["2262-01-01", "1678-01-01"]], "M8[ns]")
    seconds = (ends[0, 1].astype("M8[s]") - ends[0, 0].astype("M8[s]")).astype(int)
    got = relative_times(ends, "the stamps")
    np.testing.assert_array_equal(got, [[0, seconds], [0, -seconds]])
    close = (1_700_000_000_000_000_000 + 100 * np.arange(6))[None].astype("M8[ns]")
    np.testing.assert_allclose(relative_times(close, "the stamps"), [np.arange(6) * 1e-7])


# In X

START = datetime(2024, 1, 1, 12)
SECONDS = [0, 60, 61, 3600]
NAIVE = [START + timedelta(seconds=s) for s in SECONDS]
AWARE = [stamp.replace(tzinfo=UTC) for stamp in NAIVE]
EPOCH = [int(stamp.timestamp()) for stamp in AWARE]
DATES = {
    "floats": lambda: np.array(EPOCH, float),
    "integers": lambda: np.array(EPOCH),
    "Python": lambda: NAIVE,
    "Python with a zone": lambda: AWARE,
    "Python objects": lambda: objects(NAIVE),
    "objects of NumPy": lambda: objects(list(np.array(NAIVE, "M8[s]"))),
    "objects of pandas": lambda: objects(list(map(pd.Timestamp, AWARE))),
    "of several kinds": lambda: objects(
        [NAIVE[0], np.datetime64(NAIVE[1]), pd.Timestamp(NAIVE[2]), AWARE[3]]
    ),
    "Decimal": lambda: list(map(Decimal, EPOCH)),
    "Fraction": lambda: list(map(Fraction, EPOCH)),
    "nullable integers": lambda: pd.Series(EPOCH, dtype="Int64"),
    "pandas": lambda: pd.Series(NAIVE),
    "pandas with a zone": lambda: pd.Series(AWARE).dt.tz_convert("Asia/Tokyo"),
    "index": lambda: pd.DatetimeIndex(NAIVE),
    "polars": lambda: pl.Series(NAIVE),
    "polars with a zone": lambda: pl.Series(AWARE),
    "durations": lambda: np.array(SECONDS, "m8[s]"),
    "durations of Python": lambda: [timedelta(seconds=s) for s in SECONDS],
    "durations of polars": lambda: pl.Series([timedelta(seconds=s) for s in SECONDS]),
    "masked": lambda: np.ma.array(np.array(NAIVE, "M8[s]"), mask=False),
} | {
    f"datetime64[{unit}]": lambda unit=unit: np.array(NAIVE, f"M8[{unit}]")
    for unit in ("s", "ms", "us", "ns")
}
DATES |= {
    f"Arrow, {unit}": lambda unit=unit: pa.array(NAIVE, pa.timestamp(unit))
    for unit in ("s", "ms", "us", "ns")
}
DATES |= {
    "Arrow with a zone": lambda: pa.array(AWARE, pa.timestamp("us", "UTC")),
    "pandas Arrow": lambda: pd.Series(NAIVE, dtype=pd.ArrowDtype(pa.timestamp("us"))),
    "pandas Arrow, zone": lambda: pd.Series(AWARE, dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
}


def differences(X, feature=0, **options):
    read = read_numbers(X, time_feature=feature, allow_missing=True, **options)
    return read.sequences.values[:, feature] - read.sequences.values[0, feature]


@pytest.mark.parametrize("form", DATES)
def test_dates_are_seconds(form):
    stamps = DATES[form]()
    assert_array_equal(differences([stamps]), SECONDS)
    if isinstance(stamps, pl.Series):
        frame = pl.DataFrame({"a": SECONDS, "when": stamps})
    elif isinstance(stamps, pa.Array):
        frame = pa.table({"a": SECONDS, "when": stamps})
    else:
        frame = pd.DataFrame({"a": SECONDS, "when": stamps})
    assert_array_equal(differences([frame], 1), SECONDS)
    cells = pd.DataFrame({"a": objects([np.array(SECONDS)]), "when": objects([stamps])})
    assert_array_equal(differences(cells, 1), SECONDS)


@pytest.mark.parametrize("form", DATES)
def test_dates_give_the_model_of_seconds(form):
    def of(stamps):
        return [stamps, stamps[:2], stamps[1:]]

    plain = [np.array(v, float)[:, None] for v in of(SECONDS)]
    expected = small(GRUClassifier, time_feature=0).fit(plain, Y[:3])
    model = small(GRUClassifier, time_feature=0).fit(of(DATES[form]()), Y[:3])
    assert_same_model(model, expected)
    assert_array_equal(model.predict_proba(of(DATES[form]())), expected.predict_proba(plain))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("rectangle", [False, True])
def test_masked_dates_are_missing_stamps(rectangle, unit):
    stamps = np.array(NAIVE, f"M8[{unit}]")
    inside = np.ma.array(stamps, mask=[0, 1, 0, 0])
    behind = np.ma.array(stamps, mask=[0, 0, 1, 1])
    X = np.ma.stack([inside, behind]) if rectangle else [inside, behind]
    read = read_numbers(X, time_feature=0, allow_missing=True).sequences
    assert_array_equal(read.values[:, 0], [0, NAN, 61, 3600, 0, 60])
    with pytest.raises(ValueError, match="missing in sequence 0, step 1"):
        small(GRUClassifier, time_feature=0).fit(X, [0, 1])


def test_a_sequence_whose_first_stamp_is_missing_is_refused():
    for stamps in (np.array(NAIVE, "M8[s]"), np.array(EPOCH) * 10**9, np.array(EPOCH, float)):
        X = [np.ma.array(stamps, mask=[1, 0, 0, 0]), stamps]
        with pytest.raises(ValueError, match="missing in sequence 0, step 0"):
            small(GRUClassifier, time_feature=0).fit(X, [0, 1])


@pytest.mark.parametrize(
    "cell", [time(1), "2024-01-01", 1j, object()], ids=lambda c: type(c).__name__
)
def test_what_is_no_stamp(cell):
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected numbers|complex data"):
        read_numbers([[cell, cell]], time_feature=0)
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected numbers|complex data"):
        read_numbers([[NAIVE[0], cell]], time_feature=0)


NANOSECONDS = np.array([0, 100, 300])
FINE = int(np.datetime64("2024-01-01", "ns").astype(int)) + NANOSECONDS
FINE_DATES = FINE.astype("M8[ns]")
# With what 100 nanoseconds are in what is read of the form.
FINE_FORMS = {
    "integers": (lambda: FINE, 1),
    "unsigned": (lambda: FINE.astype(np.uint64), 1),
    "Python's integers": (lambda: FINE.tolist(), 1),
    "and None": (lambda: [*FINE.tolist(), None], 1),
    "and masked": (lambda: [*FINE.tolist(), MASKED], 1),
    "objects of int64": (lambda: objects(list(FINE)), 1),
    "objects of uint64": (lambda: objects(list(FINE.astype(np.uint64))), 1),
    "Decimal": (lambda: list(map(Decimal, FINE.tolist())), 1),
    "Decimal seconds": (lambda: [Decimal(n) / 10**9 for n in FINE.tolist()], 1e-9),
    "Fraction of seconds": (lambda: [Fraction(n, 10**9) for n in FINE.tolist()], 1e-9),
    "Decimal beside Fraction": (
        lambda: [Decimal(int(FINE[0])), Fraction(int(FINE[1])), int(FINE[2])],
        1,
    ),
    "array.array": (lambda: array("q", FINE.tolist()), 1),
    "memoryview": (lambda: memoryview(FINE), 1),
    "__dlpack__": (lambda: OnlyDlpack(FINE), 1),
    "nullable": (lambda: pd.Series(FINE, dtype="Int64"), 1),
    "nullable and missing": (lambda: pd.Series([*FINE, None], dtype="Int64"), 1),
    "polars integers": (lambda: pl.Series(FINE), 1),
    "polars integers and null": (lambda: pl.Series([*FINE.tolist(), None]), 1),
    "masked integers": (lambda: np.ma.array([*FINE, 0], mask=[0, 0, 0, 1]), 1),
    "datetime64": (lambda: FINE_DATES, 1e-9),
    "masked dates": (lambda: np.ma.array([*FINE_DATES, FINE_DATES[0]], mask=[0, 0, 0, 1]), 1e-9),
    "durations": (lambda: FINE.astype("m8[ns]"), 1e-9),
    "objects of datetime64": (lambda: objects(list(FINE_DATES)), 1e-9),
    "objects of pandas": (lambda: objects([pd.Timestamp(n) for n in FINE.tolist()]), 1e-9),
    "list of pandas' and NaT": (lambda: [*map(pd.Timestamp, FINE.tolist()), pd.NaT], 1e-9),
    "objects with a zone": (
        lambda: objects([pd.Timestamp(n, tz="Asia/Tokyo") for n in FINE.tolist()]),
        1e-9,
    ),
    "objects of durations": (lambda: objects([pd.Timedelta(n) for n in FINE.tolist()]), 1e-9),
    "pandas": (lambda: pd.Series(FINE_DATES), 1e-9),
    "pandas with a zone": (lambda: pd.Series(FINE_DATES).dt.tz_localize("UTC"), 1e-9),
    "polars dates": (lambda: pl.Series(FINE_DATES), 1e-9),
}
FINE_FORMS |= {
    "Arrow integers": (lambda: pa.array(FINE), 1),
    "Arrow integers and null": (lambda: pa.array([*FINE.tolist(), None]), 1),
    "Arrow dates": (lambda: pa.array(FINE, pa.timestamp("ns")), 1e-9),
    "Arrow dates, null": (lambda: pa.array([*FINE.tolist(), None], pa.timestamp("ns")), 1e-9),
    "pandas Arrow": (
        lambda: pd.Series(FINE_DATES).astype(pd.ArrowDtype(pa.timestamp("ns"))),
        1e-9,
    ),
}


@pytest.mark.parametrize("form", FINE_FORMS)
def test_stamps_finer_than_floats_keep_their_differences(form):
    make, unit = FINE_FORMS[form]
    expected = NANOSECONDS * unit
    stamps = make()
    found = differences([stamps])
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    if not isinstance(stamps, np.ma.MaskedArray | OnlyDlpack | memoryview | array):
        column = list(stamps)[:3] if isinstance(stamps, list) else stamps[:3]
        frame = pd.DataFrame({"a": np.zeros(3), "when": column})
        np.testing.assert_allclose(differences([frame], 1), expected, rtol=1e-15)
        cells = pd.DataFrame({"a": objects([np.zeros(3)]), "when": objects([column])})
        np.testing.assert_allclose(differences(cells, 1), expected, rtol=1e-15)


@pytest.mark.parametrize("dates", [False, True])
def test_fine_stamps_of_a_table_beside_a_row_of_padding(dates):
    stamps = FINE_DATES if dates else FINE
    rows = np.ma.array([stamps, stamps], mask=[[0, 0, 0], [1, 1, 1]])
    unit = 1e-9 if dates else 1
    np.testing.assert_allclose(differences(rows), NANOSECONDS * unit, rtol=1e-15)
    columns = {f"t{j}": [stamps[j], None] for j in range(3)}
    columns = pd.DataFrame(columns, dtype="M8[ns]" if dates else "Int64")
    np.testing.assert_allclose(differences(columns), NANOSECONDS * unit, rtol=1e-15)


def test_a_unit_too_fine_for_other_stamps_is_not_used():
    ancient = [datetime(1, 1, 1), pd.Timestamp("2024-01-01T00:00:00.000001")]
    expected = (ancient[1].to_pydatetime() - ancient[0]) / timedelta(seconds=1)
    assert_array_equal(differences([objects(ancient)]), [0, expected])
