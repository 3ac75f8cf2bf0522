"""The clock of a series: which step is found, and labels of the future, in every library."""

import subprocess
import sys
import warnings
from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru._data.clock import Clock
from skgru._data.labels import Style, read_labels
from skgru._data.spacing import Irregular, find_step

BERLIN = "Europe/Berlin"
ALIASES = [
    "D", "3D", "h", "15min", "7s", "B", "W-WED", "2W-SUN", "MS", "2MS", "ME", "QS-FEB", "QE-NOV",
    "YS", "YE", "YE-FEB", "BME", "BQS-JAN", "SME", "SMS", "WOM-3FRI",
]  # fmt: skip


def clock_of(labels):
    read = read_labels("y", labels)
    step = find_step([read])
    assert not isinstance(step, Irregular), step.tell(read, "y")
    return Clock(read.stamps[0], step, read.style, read.kind)


def positions(clock, labels):
    return clock.places(read_labels("labels", labels).stamps)


def dates(alias, n=40, zone=None, start="2019-12-30"):
    return pd.date_range(start, periods=n, freq=alias, tz=zone, name="when")


def without_freq(index):
    index = index.copy()
    index.freq = None
    return index


@pytest.mark.parametrize("zone", [None, BERLIN])
@pytest.mark.parametrize("alias", ALIASES)
def test_labels_go_on_as_pandas_would(alias, zone):
    every = dates(alias, zone=zone)
    for index in (every[:30], without_freq(every[:30])):
        clock = clock_of(index)
        pd.testing.assert_index_equal(clock.labels(30, 40), every[30:], exact="equiv")
        pd.testing.assert_index_equal(clock.labels(0, 30), every[:30])
        np.testing.assert_array_equal(positions(clock, every[[35, 0, 7]]), [35, 0, 7])
        assert clock.labels(30, 40).freq is not None
    backwards = positions(clock_of(every[10:]), every[:5])
    np.testing.assert_array_equal(backwards, range(-10, -5))


@pytest.mark.parametrize(
    "alias", ["D", "3D", "h", "15min", "B", "W-WED", "MS", "ME", "QS-FEB", "QE", "YS", "YE", "BME",
              "BQS-JAN", "SME"],
)  # fmt: skip
@pytest.mark.parametrize("zone", [None, BERLIN])
def test_a_step_is_found_where_labels_are_left_out(alias, zone):
    every = dates(alias, zone=zone)
    clock = clock_of(every[:30].delete([3, 4, 11]))
    assert list(clock.labels(0, 40)) == list(every)
    np.testing.assert_array_equal(positions(clock, every[[2, 5, 39]]), [2, 5, 39])


def test_nominal_seconds():
    expected = {"D": 86400, "h": 3600, "B": 86400 * 7 / 5, "W-WED": 604800, "MS": 2629746}
    expected |= {"ME": 2629746, "QS-FEB": 3 * 2629746, "YE": 12 * 2629746, "BME": 2629746}
    for alias, seconds in expected.items():
        assert clock_of(dates(alias, zone=BERLIN)).seconds == seconds
    assert clock_of(pd.period_range("2024-02", periods=3, freq="M")).seconds == 2629746
    assert clock_of(np.arange(5)).seconds is None


def test_hours_of_a_zone_run_on_where_its_clock_is_set():
    for start in ("2024-03-30 20:00", "2024-10-26 20:00"):
        every = pd.date_range(start, periods=20, freq="h", tz=BERLIN)
        clock = clock_of(without_freq(every[:4]))
        assert list(clock.labels(4, 20)) == list(every[4:])
        hours = clock.local_times(0, 20)
        assert len(set(hours)) == (20 if "-03-" in start else 19)


def test_days_of_a_zone_are_those_of_its_calendar():
    for start in ("2024-03-29", "2024-10-25"):
        every = pd.date_range(start, periods=6, freq="D", tz=BERLIN)
        labels = clock_of(without_freq(every[:2])).labels(0, 6)
        assert list(labels) == list(every)
        assert set(labels.hour) == {0}
        assert len(set(np.diff(labels.tz_convert("UTC")))) == 2  # one day has 23 or 25 hours


@pytest.mark.parametrize("library", ["pandas", "polars", "Arrow"])
def test_a_time_that_the_clock_leaves_out_is_the_next_one(library):
    index = pd.date_range("2024-03-27 02:30", periods=3, freq="D", tz=BERLIN)
    labels = {"pandas": index, "polars": pl.Series(index), "Arrow": pa.array(index)}[library]
    clock = clock_of(labels)
    future = clock.labels(3, 7)
    np.testing.assert_array_equal(positions(clock, future), range(3, 7))
    local = clock.local_times(3, 7)
    # 02:30 of 31 March does not exist.
    assert [str(time)[5:16] for time in local] == [
        "03-30T02:30", "03-31T03:00", "04-01T02:30", "04-02T02:30",
    ]  # fmt: skip


def test_a_time_that_comes_twice_is_the_first_one():
    index = pd.date_range("2024-10-24 02:30", periods=3, freq="D", tz=BERLIN)
    for labels in (index, pl.Series(index), pa.array(index)):
        stamps = clock_of(labels).stamps(3, 4)
        assert stamps[0] == np.datetime64("2024-10-27T00:30")


def test_labels_stay_in_their_library():
    stamps = np.arange("2024-01", "2024-05", dtype="M8[M]").astype("M8[D]")
    expected = [date(2024, 5, 1), date(2024, 6, 1)]
    future = clock_of(stamps).labels(4, 6)
    assert isinstance(future, np.ndarray)
    assert future.astype("M8[D]").tolist() == expected
    future = clock_of(pl.Series("d", stamps)).labels(4, 6)
    assert future.dtype == pl.Date
    assert future.to_list() == expected
    future = clock_of(pa.array(stamps)).labels(4, 6)
    assert future.type == pa.date32()
    assert future.to_pylist() == expected
    zoned = pl.Series(stamps).cast(pl.Datetime("ms")).dt.replace_time_zone(BERLIN)
    future = clock_of(zoned).labels(4, 6)
    assert future.dtype == zoned.dtype
    assert future.dt.replace_time_zone(None).to_list() == [
        datetime(2024, 5, 1),
        datetime(2024, 6, 1),
    ]
    assert clock_of(zoned.to_arrow()).labels(4, 6).type == zoned.to_arrow().type
    assert clock_of([date(2024, 1, 1), date(2024, 2, 1)]).labels(2, 3).tolist()[0] == datetime(
        2024, 3, 1
    )
    arrow = pd.Index(
        pd.array(dates("D", zone=BERLIN), dtype=f"timestamp[us, tz={BERLIN}][pyarrow]")
    )
    assert clock_of(arrow).labels(40, 42).dtype == arrow.dtype


@pytest.mark.parametrize("freq", ["M", "2M", "Q-NOV", "Y", "W", "D", "h"])
def test_periods(freq):
    every = pd.period_range("2023-12", periods=12, freq=freq, name="p")
    clock = clock_of(every[:8].delete(3))
    pd.testing.assert_index_equal(clock.labels(0, 12), every)
    np.testing.assert_array_equal(positions(clock, every[[9, 2]]), [9, 2])
    assert clock.local_times(9, 10)[0] == every[9].start_time.to_datetime64()
    if freq == "M":
        np.testing.assert_array_equal(positions(clock_of(every[4:]), every[:2]), [-4, -3])


def test_numbers_and_durations():
    for index, expected in [
        (pd.RangeIndex(5, 30, 5, name="r"), pd.RangeIndex(30, 40, 5, name="r")),
        (pd.Index([0, 2, 6]), pd.Index([8, 10])),
        (pd.Index([0.1, 0.2, 0.3, 0.5]), pd.Index([0.6, 0.7])),
        (
            pd.timedelta_range("1h", periods=3, freq="2h"),
            pd.timedelta_range("7h", periods=2, freq="2h"),
        ),
    ]:
        clock = clock_of(index)
        n = positions(clock, index)[-1] + 1
        labels = clock.labels(n, n + 2)
        assert type(labels) is type(expected)
        np.testing.assert_allclose(
            labels.to_numpy().astype(float), expected.to_numpy().astype(float)
        )
        np.testing.assert_array_equal(positions(clock, labels), [n, n + 1])
        assert clock.local_times(0, 2) is None


@pytest.mark.parametrize(
    ("index", "alias"),
    [
        (["2024-01-31", "2024-02-29"], "ME"),
        (["2019-02-28", "2020-02-29", "2021-02-28", "2023-02-28"], "YE-FEB"),
        (["2024-01-01", "2024-02-01"], "MS"),
        (["2024-01-01", "2024-04-01", "2025-01-01"], "3MS"),
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], "D"),
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"], "B"),
        (["2024-01-05", "2024-01-12", "2024-01-26"], "W-FRI"),
    ],
)
def test_the_coarsest_step_is_found(index, alias):
    index = pd.DatetimeIndex(index)
    expected = pd.date_range(index[0], periods=12, freq=alias)
    assert list(clock_of(index).labels(0, 12)) == list(expected)


@given(
    step=st.integers(1, 10**9),
    start=st.integers(-(10**15), 10**15),
    gaps=st.lists(st.integers(1, 5), min_size=1, max_size=20),
    unit=st.sampled_from(["numbers", "M8[s]", "M8[us]", "m8[ns]"]),
)
def test_equal_steps_with_gaps(step, start, gaps, unit):
    gaps = [1, 1, *[gap for k in gaps for gap in (1, k)]]  # most are single steps
    places = np.concatenate([[0], np.cumsum(gaps)])
    stamps = start + step * places
    labels = stamps if unit == "numbers" else stamps.astype(unit)
    if unit == "M8[s]":
        labels = (start // 10**6 + places * (step // 10**3 + 1)).astype(unit)
    clock = clock_of(labels)
    np.testing.assert_array_equal(positions(clock, labels), places)
    np.testing.assert_array_equal(clock.stamps(0, int(places[-1]) + 1)[places], labels)


def test_irregular_stamps_and_the_first_of_them():
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04 05:00"])
    read = read_labels("y", index)
    odd = find_step([read])
    assert (odd.series, odd.place) == (0, 3)
    message = odd.tell(read, "y")
    assert "most are 1 day apart, got 2024-01-04 05:00 after 2024-01-03" in message
    assert "asfreq" in message


def test_labels_off_the_grid():
    clock = clock_of(dates("D", 5, BERLIN))
    with pytest.raises(ValueError, match="got 2020-01-05 13:00 in row 1, near 2020-01-05"):
        positions(clock, dates("D", 9, BERLIN)[[4, 6]] + pd.Timedelta("13h") * np.array([0, 1]))
    weekend = clock_of(dates("B", 10)).places
    with pytest.raises(ValueError, match="got 2020-01-04 in row 0, near 2020-01-03"):
        weekend(np.array(["2020-01-04"], "M8[s]"))


def test_a_single_stamp_has_a_step_if_its_index_has():
    with pytest.raises(ValueError, match="a single stamp tells no step"):
        clock_of(pd.DatetimeIndex(["2024-01-01"])).labels(1, 2)
    assert clock_of(dates("MS", 1)).labels(1, 2)[0] == pd.Timestamp("2020-02-01")
    assert clock_of(pd.DatetimeIndex(["2024-01-01"])).seconds is None


def test_series_of_a_panel_have_one_step():
    index = dates("MS", 6)
    parts = [read_labels("y", part) for part in (index[[0, 2]], index, index[[4]])]
    clock = Clock(parts[0].stamps[0], find_step(parts), parts[0].style, "dates")
    np.testing.assert_array_equal(positions(clock, index[[0, 2]]), [0, 2])


def test_polars_needs_no_pandas():
    code = (
        "import sys; sys.modules['pandas'] = None; sys.modules['pyarrow'] = None\n"
        "import polars as pl, numpy as np; from datetime import date\n"
        "from skgru._data.series import open_panel\n"
        "d = pl.date_range(date(2024, 1, 31), date(2024, 6, 30), '1mo', eager=True)\n"
        "t = pl.DataFrame({'d': d, 'v': [1, 2, 3, 4, 5, 6]})\n"
        "p = open_panel(t, time='d')\n"
        "print(p.give_back([np.ones((2, 1))], [6])['d'].to_list())\n"
        "z = t.with_columns(d=pl.col('d').cast(pl.Datetime).dt.replace_time_zone('Asia/Tokyo'))\n"
        "p = open_panel(z, time='d')\n"
        "print(p.give_back([np.ones((1, 1))], [6])['d'].dt.day().to_list())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split("\n")[:2] == [
        "[datetime.date(2024, 7, 31), datetime.date(2024, 8, 31)]", "[31]",
    ], run.stderr  # fmt: skip


def test_no_warning_of_pandas_is_heard():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for alias in ALIASES:
            clock_of(without_freq(dates(alias))).labels(40, 42)


def test_a_style_of_numpy_has_no_zone():
    times = np.array(["2024-01-01"], "M8[s]")
    assert Style().to_local(times) is times
