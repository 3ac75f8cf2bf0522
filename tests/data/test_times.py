"""Dates and durations of all kinds as whole numbers of one unit."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from skgru._data.times import holds_times, in_seconds, relative_times, to_keys, to_ticks, to_times

UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "7D", "15m", "25ns"]
EAST, WEST = timezone(timedelta(hours=9)), timezone(-timedelta(hours=9))


def objects(*cells):
    array = np.empty(len(cells), object)
    array[:] = cells
    return array


@pytest.mark.parametrize("unit", UNITS)
def test_dates_of_every_unit_become_the_same_seconds(unit):
    dates = np.array([0, 3, "NaT", -2], f"M8[{unit}]")
    second = {"ps": 1e-12, "fs": 1e-15, "as": 1e-18}.get(unit)
    expected = dates.astype("M8[ns]").astype(np.int64) / 1e9 if second is None else [0, 3, 0, -2]
    expected = np.where(np.isnat(dates), np.nan, expected) * (second or 1)
    for cells in (dates, dates.astype(dates.dtype.newbyteorder(">")), objects(*dates)):
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
    ticks = to_ticks(objects(*cells))
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
    cells = objects(*cells)
    assert to_times(cells) is to_ticks(cells) is cells


@pytest.mark.parametrize(
    "cells",
    [
        np.array([10**16], "M8[D]"),
        np.array([10**15], "m8[D]"),
        objects(pd.Timestamp(1), datetime(9999, 1, 1)),
        objects(np.datetime64(1, "as"), datetime(2024, 1, 1)),
        objects(timedelta.max),
        objects(timedelta.min),
        np.array([1], "m8"),
        objects(np.timedelta64(1, "Y")),
        objects(np.timedelta64(1)),
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
