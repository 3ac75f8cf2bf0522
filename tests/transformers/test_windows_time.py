"""make_windows: steps of time, long tables, and the last windows, whose future is not known yet."""

import itertools
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru import make_windows
from tests.transformers.series import DAYS, numbered


def parts_of(result):
    """The arrays of a result, those of its origin too."""
    return [part for one in result for part in (one if isinstance(one, tuple) else (one,))]


def assert_same(got, expected):
    for part, other in zip(parts_of(got), parts_of(expected), strict=True):
        np.testing.assert_array_equal(part, other)


# --- Last windows --------------------------------------------------------------------------------


def test_last_windows_end_with_the_series():
    series = [numbered(9, 2), numbered(3, 2, 100), numbered(5, 2, 200)]
    expected = make_windows([series[0]], 3, 4)
    X, y, X_last, origin = make_windows(series, 3, 4, return_last=True, return_origin=True)
    assert_same((X, y), expected)  # the others are too short for a target
    np.testing.assert_array_equal(X_last, [one[-3:] for one in series])
    np.testing.assert_array_equal(origin.last_step, [2, 3, 4])
    assert X_last.dtype == np.float64
    X_last[:] = -1
    assert series[0].min() >= 0


def test_a_series_as_long_as_the_window_has_a_last_one_alone():
    X, y, X_last = make_windows(numbered(3, 2), 3, 4, return_last=True)
    assert X.shape == (0, 3, 2)
    assert y.shape == (0, 4)
    np.testing.assert_array_equal(X_last, [numbered(3, 2)])
    with pytest.raises(
        ValueError, match="No last window: series 1 has 2 steps, expected at least 3"
    ):
        make_windows([numbered(9), numbered(2)], 3, return_last=True)


N, HORIZON = 8, 3
FUTURE = numbered(HORIZON, 3, N)[:, [2, 0]]
FRAME = pd.DataFrame(numbered(N, 3), DAYS[:N], columns=["a", "b", "c"])
ARROW = pa.table({"c": FUTURE[:, 0], "a": FUTURE[:, 1]})


@pytest.mark.parametrize("window", [2, 3, 7])
@pytest.mark.parametrize(
    ("data", "future"),
    [
        (numbered(N, 3), FUTURE),
        (FRAME, pd.DataFrame(FUTURE, DAYS[N : N + HORIZON], columns=["c", "a"])),
        (FRAME, pd.DataFrame(FUTURE[:, ::-1], columns=["a", "c"])),
        (FRAME, pd.DataFrame(numbered(20, 3), DAYS, columns=["a", "b", "c"])),
        (FRAME, ARROW),
        (pa.Table.from_pandas(FRAME, preserve_index=False), ARROW),
        (pl.from_pandas(FRAME), pl.from_arrow(ARROW)),
        ([FRAME], [FUTURE]),
    ],
)
def test_last_windows_hold_the_known_future(window, data, future):
    columns = ["c", "a"] if isinstance(data, pd.DataFrame | pl.DataFrame | pa.Table) else [2, 0]
    columns = ["c", "a"] if isinstance(data, list) else columns
    X, _, X_last = make_windows(data, window, HORIZON, target=1, known=columns, future=future,
                                return_last=True)  # fmt: skip
    everything, _ = make_windows(numbered(N + HORIZON, 3), window, HORIZON, target=1, known=[2, 0])
    np.testing.assert_array_equal(X, everything[: len(X)])
    np.testing.assert_array_equal(X_last[0], everything[-1])


def panel():
    return pd.concat({"b": FRAME, "a": FRAME[2:6] + 1000}, names=["store", "date"])


def test_futures_of_a_panel_are_matched_by_entity_and_date():
    calendar = pd.Series(np.arange(20.0), DAYS, name="c")
    data = panel().assign(c=panel().index.get_level_values(-1).map(calendar))
    settings = {"known": "c", "return_last": True}
    _, _, of_calendar = make_windows(data, 4, 2, future=calendar, **settings)
    np.testing.assert_array_equal(of_calendar[:, :, 2], [[6, 7, 8, 9], [4, 5, 6, 7]])
    rows = pd.concat({"a": calendar[6:8], "b": calendar[8:10]}, names=["store", "date"])
    for future in (rows, rows[::-1].sort_index(level=1)):
        assert_same((make_windows(data, 4, 2, future=future, **settings)[2],), (of_calendar,))
    long, of_long = data.reset_index(), rows.reset_index()
    for table, ahead in [(long, of_long), (pl.from_pandas(long), pl.from_pandas(of_long))]:
        got = make_windows(table, 4, 2, future=ahead, series="store", time="date", **settings)
        np.testing.assert_array_equal(got[2], of_calendar)
        for one in (
            calendar,
            calendar.rename_axis("date"),
            calendar.rename_axis("date").reset_index(),
        ):  # of no store
            got = make_windows(table, 4, 2, future=one, series="store", time="date", **settings)
            np.testing.assert_array_equal(got[2], of_calendar)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(future=None), r"Expected future, a table of \['a', 'c'\] for the 3 steps that fol"),
        (dict(future=FUTURE[:2]), "Expected the 3 steps that follow series 0 in future, got 2 of"),
        (dict(future=FUTURE[:, :1]), "Expected the 2 columns of known in future"),
        (dict(future=ARROW.select(["a"])), "future: expected one of the 1 columns .*got 'c'"),
        (dict(future=pd.DataFrame(FUTURE, DAYS[9:12], columns=["c", "a"])), "2 of.* step 2 on"),
        (dict(future=pd.DataFrame(FUTURE, DAYS[8:11].tz_localize("UTC"), columns=["c", "a"])),
         "dates of no time zone in future, as in series, got dates of the time zone UTC: tz_loca"),
        (dict(future=pd.DataFrame(FUTURE, DAYS[8:11] + pd.Timedelta("1h"), columns=["c", "a"])),
         "the times of future on the steps of the series, .* got 2024-01-09 01:00"),
        (dict(future=ARROW, return_last=False), "Expected future with return_last=True"),
        (dict(future=ARROW, known=()), "Expected future with .* features that are known only"),
    ],
)  # fmt: skip
def test_unusable_futures(settings, message):
    with pytest.raises(ValueError, match=message):
        make_windows(
            FRAME, 2, 3, **{"target": "b", "known": ["a", "c"], "return_last": True, **settings}
        )


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    window=st.integers(1, 4),
    horizon=st.integers(1, 3),
    known=st.booleans(),
    data=st.data(),
)
def test_windows_know_nothing_of_what_comes_after(lengths, window, horizon, known, data):
    lengths = [max(length, window) for length in lengths]
    series = [numbered(n, 3, 100 * i) for i, n in enumerate(lengths)]
    ahead = [numbered(horizon, 3, 100 * i + n)[:, 1:2] for i, n in enumerate(lengths)]
    settings = {"known": [1] if known else [], "future": ahead if known else None,
                "return_last": True, "return_origin": True}  # fmt: skip
    X, _, X_last, origin = make_windows(series, window, horizon, **settings)
    i = data.draw(st.integers(0, len(series) - 1))
    step = data.draw(st.integers(0, lengths[i] - 1))
    planted = [one.copy() for one in series]
    planted[i][step:, [0, 2]] = 1e9
    planted[i][step + horizon if known else step :, 1] = 1e9
    planted_X, _, planted_last, _ = make_windows(planted, window, horizon, **settings)
    is_before = (origin.series != i) | (origin.last_step < step)
    np.testing.assert_array_equal(planted_X[is_before], X[is_before])
    assert (planted_X[~is_before][:, -1, 0] == 1e9).all()
    others = np.arange(len(series)) != i
    np.testing.assert_array_equal(planted_last[others], X_last[others])


# --- Time ----------------------------------------------------------------------------------------


LIBRARIES = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "Arrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "dict": lambda table: {name: table[name].to_numpy() for name in table},
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("shuffled", [False, True])
def test_long_tables(library, shuffled):
    frame = panel()
    table = frame.reset_index()
    if shuffled:
        rows = np.random.default_rng(0).permutation(len(table))
        table = table.iloc[[0, *rows[rows > 0]]]  # the first store stays the first
    table = LIBRARIES[library](table)
    settings = dict(target="a", known="b", return_origin=True)
    got = make_windows(table, 2, 2, series="store", time="date", **settings)
    assert_same(got, make_windows(frame, 2, 2, **settings))
    by_position = make_windows(
        table, 2, 2, series="store", time="date", known=1, return_origin=True
    )
    assert_same(by_position, got)


def test_left_out_steps_are_missing_and_told():
    series = pd.Series(np.arange(9.0), DAYS[:9])
    with pytest.warns(
        UserWarning, match="leave out 2 steps, the first 2024-01-04 of series 0"
    ) as w:
        X, y, origin = make_windows(series.drop(DAYS[[3, 6]]), 2, return_origin=True)
    assert [one.filename for one in w] == [__file__]
    np.testing.assert_array_equal(y, [2, 4, 5, 7, 8])
    np.testing.assert_array_equal(X[:, 1, 0], [1, np.nan, 4, np.nan, 7])
    np.testing.assert_array_equal(origin.last_step, DAYS[[1, 3, 4, 6, 7]].to_numpy())


@pytest.mark.parametrize(
    ("every", "n_left_out"),
    [
        (pd.date_range("2024-03-30 20:00", periods=12, freq="h", tz="Europe/Berlin"), 0),
        (pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin"), 0),
        (pd.date_range("2024-10-24", periods=12, freq="D", tz="Europe/Berlin"), 0),
        (pd.date_range("2024-03-28", periods=12, freq="D", tz="Europe/Berlin"), 0),
        # A clock without a zone, set forward.
        (pd.date_range("2024-03-31 00:00", periods=12, freq="h").delete(2), 1),
        (pd.date_range("2023-12-31", periods=12, freq="ME"), 0),
        (pd.date_range("2019-12-31", periods=12, freq="QE"), 0),
        (pd.date_range("2016-02-29", periods=12, freq="YE-FEB"), 0),
        (pd.bdate_range("2023-12-18", periods=12).drop(["2023-12-25", "2023-12-26"]), 2),
        (pd.period_range("2023-12", periods=12, freq="M").delete([1, 5]), 2),
        (pd.period_range("2020Q3", periods=12, freq="Q"), 0),
    ],
)
def test_calendars(every, n_left_out, recwarn):
    index = every.copy()
    if isinstance(index, pd.DatetimeIndex):
        index.freq = None
    values = np.arange(float(len(index)))
    X, _, origin = make_windows(pd.Series(values, index), 3, return_origin=True)
    assert len(recwarn) == (n_left_out > 0)
    X_alone = make_windows(values, 3)[0]
    if n_left_out:
        said = str(recwarn[0].message)
        assert f"leave out {n_left_out} step" in said
        call = re.search(r"asfreq\('(.*)'\) of pandas adds them", said)
        if call is None:
            assert "reindex(…) of pandas adds them" in said
            full = pd.period_range(index[0], index[-1], freq=index.freq)
            filled = pd.Series(values, index).reindex(full)
        else:
            filled = pd.Series(values, index).asfreq(call[1])
        np.testing.assert_array_equal(make_windows(filled, 3)[0], X)
        assert len(recwarn) == 1
        assert np.isnan(X).any()
    else:
        np.testing.assert_array_equal(X, X_alone)
        stamps = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
        stamps = stamps.tz_convert(None) if stamps.tz is not None else stamps
        np.testing.assert_array_equal(origin.last_step, stamps[2:-1].to_numpy())


def test_hours_that_come_twice_are_refused():
    zoned = pd.date_range("2024-10-27 00:00", periods=6, freq="h", tz="Europe/Berlin")
    naive = pd.Series(np.arange(6.0), zoned.tz_localize(None))
    with pytest.raises(
        ValueError, match=r"got 2024-10-27 02:00 twice .*tz_localize\(<zone>, ambig"
    ):
        make_windows(naive, 2)
    naive.index = naive.index.tz_localize("Europe/Berlin", ambiguous="infer")
    assert len(make_windows(naive, 2)[0]) == 4


def test_irregular_rows_count_as_steps_with_a_warning():
    index = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-07 05:00"],
                           format="ISO8601")  # fmt: skip
    with pytest.warns(UserWarning, match=r"got 2024-01-07 05:00 after .*Each row counts as a step"):
        X, y, X_last, origin = make_windows(
            pd.Series(np.arange(4.0), index), 2, return_last=True, return_origin=True
        )
    np.testing.assert_array_equal(y, [2, 3])
    np.testing.assert_array_equal(X_last[0, :, 0], [2, 3])
    np.testing.assert_array_equal(origin.last_step, index[1:3].to_numpy())
    assert len(X) == 2


def test_text_that_tells_series_apart_has_a_remedy():
    with pytest.raises(ValueError, match=r"text in column 'store' of series 0.*series='store'"):
        make_windows(panel().reset_index(), 2)


def test_entities_of_unlike_starts_are_in_order_of_time():
    stores = {
        name: pd.Series(np.arange(5.0), DAYS[k : k + 5])
        for name, k in zip("ab", (3, 0), strict=True)
    }
    data = pd.concat(stores)
    _, _, origin = make_windows(data, 2, return_origin=True)
    assert (np.diff(origin.last_step) >= np.timedelta64(0)).all()
    for i, j in itertools.combinations(range(len(origin.series)), 2):
        assert origin.last_step[i] < origin.last_step[j] or origin.series[i] < origin.series[j]
