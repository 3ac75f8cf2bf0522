"""make_windows: the order of windows by an index, and series as entities of a MultiIndex."""

import itertools
import warnings
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from skgru.windows import make_windows
from tests.transformers.series import DAYS, numbered


@pytest.mark.parametrize("index", [DAYS, DAYS - DAYS[0], pd.Index(np.arange(20) * 0.5)])
def test_order_by_index(index):
    late = pd.Series(np.arange(5.0), index[10:15])
    early = pd.Series(np.arange(5.0), index[:5])
    overlapping = pd.Series(np.arange(5.0), index[3:8])
    _, _, origin = make_windows([late, early, overlapping], 2, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 1, 1, 2, 2, 2, 0, 0, 0])
    assert (origin.last_step == index[[1, 2, 3, 4, 5, 6, 11, 12, 13]]).all()


def test_order_by_index_with_time_zones():
    noon_in_tokyo = pd.date_range("2024-01-02 12:00", periods=3, freq="D", tz="Asia/Tokyo")
    noon_in_utc = pd.date_range("2024-01-02 12:00", periods=3, freq="D", tz="UTC")
    frames = [pd.DataFrame({"a": np.arange(3.0)}, index) for index in [noon_in_utc, noon_in_tokyo]]
    _, _, origin = make_windows(frames, 1, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 0, 1, 0])
    assert origin.last_step[0] == np.datetime64("2024-01-02T03:00")


@pytest.mark.parametrize(
    "other",
    [
        pd.Series(np.arange(4.0)),
        np.arange(4.0),
        pl.Series(np.arange(4.0)),
        pd.Series(np.arange(4.0), list("dcba")),
    ],
)
def test_order_by_step_number_if_not_all_have_an_index(other):
    dated = pd.Series(np.arange(4.0), DAYS[:4])
    _, _, origin = make_windows([dated, other], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 2, 2])
    np.testing.assert_array_equal(origin.series, [0, 1, 0, 1])


def test_range_index_that_does_not_start_at_zero_is_an_index():
    whole = pd.Series(np.arange(20.0))
    _, _, origin = make_windows([whole[10:14], whole[5:9]], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [6, 7, 11, 12])


def test_repeated_index_labels_are_refused():
    series = pd.Series(np.arange(4.0), pd.Index([1, 2, 2, 3]))
    with pytest.raises(ValueError, match="got 2 twice or more in series 1: aggregate"):
        make_windows([series[:2], series], 1)


INDICES = {
    "datetimes": DAYS,
    "milliseconds": DAYS.as_unit("ms"),
    "with a zone": DAYS.tz_localize("Asia/Tokyo"),
    "objects": DAYS.astype(object),
    "dates": pd.Index(DAYS.date, dtype=object),
    "Python's datetimes": pd.Index(DAYS.to_pydatetime(), dtype=object),
    "objects with a zone": pd.Index([day.tz_localize("Asia/Tokyo") for day in DAYS], dtype=object),
    "mixed zones": pd.Index(
        [
            day.tz_localize("UTC").tz_convert(["Asia/Tokyo", "UTC"][i % 2])
            for i, day in enumerate(DAYS)
        ],
        dtype=object,
    ),
    "naive and aware": pd.Index(
        [day.tz_localize("UTC") if i % 2 else day for i, day in enumerate(DAYS)], dtype=object
    ),
    "datetime64 objects": pd.Index(list(DAYS.to_numpy().astype("M8[D]")), dtype=object),
    "dates and datetimes": pd.Index(
        [day if i % 2 else day.date() for i, day in enumerate(DAYS)], dtype=object
    ),
    "periods": DAYS.to_period("D"),
    "months": pd.period_range("2024-01", periods=20, freq="M"),
    "periods as objects": pd.Index(list(DAYS.to_period("D")), dtype=object),
    "durations": DAYS - DAYS[0],
    "Python's durations": pd.Index(list((DAYS - DAYS[0]).to_pytimedelta()), dtype=object),
    "categories": pd.CategoricalIndex(DAYS),
    "Arrow": pd.Index(pd.array(DAYS, dtype="timestamp[us][pyarrow]")),
    "Arrow with a zone": pd.Index(
        pd.array(DAYS.tz_localize("UTC"), dtype="timestamp[us, tz=Asia/Tokyo][pyarrow]")
    ),
    "Arrow dates": pd.Index(pd.array(list(DAYS.date), dtype=pd.ArrowDtype(pa.date32()))),
    "integers": pd.Index(np.arange(5, 25)),
    "nullable integers": pd.Index(pd.array(np.arange(5, 25), dtype="Int64")),
    "Arrow integers": pd.Index(pd.array(np.arange(5, 25), dtype="int64[pyarrow]")),
    "unsigned integers": pd.Index(np.arange(5, 25, dtype=np.uint8)),
    "integers as objects": pd.Index(range(5, 25), dtype=object),
    "floats": pd.Index(np.arange(20) / 2),
    "decimals": pd.Index([Decimal(i) / 10 for i in range(20)]),
    "one level": pd.MultiIndex.from_arrays([DAYS]),
}


@pytest.mark.parametrize("kind", INDICES)
def test_kinds_of_index(kind):
    index = INDICES[kind]
    late, early = (pd.Series(np.arange(5.0), index[rows]) for rows in [range(9, 14), range(2, 7)])
    _, _, origin = make_windows([late, early], 2, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 1, 1, 0, 0, 0])
    assert origin.last_step.dtype.kind in "Mmiuf"
    assert (np.diff(origin.last_step) > np.zeros(1, np.diff(origin.last_step).dtype)).all()
    with pytest.raises(
        ValueError, match=r"Expected an ascending index, got an unsorted .* series 1"
    ):
        make_windows([late, early.iloc[::-1]], 2)
    # A list of them in a panel with the entity in the first level.
    if index.nlevels == 1:
        panel = pd.concat({"b": late, "a": early})
        _, _, same = make_windows(panel, 2, return_origin=True)
        np.testing.assert_array_equal(same.series, origin.series)
        np.testing.assert_array_equal(same.last_step, origin.last_step)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (pd.DatetimeIndex([*DAYS[:3], pd.NaT]), "the index of series 0 without .*row 3"),
        (pd.Index([1, 2, np.nan, 3]), "without missing labels, got one in row 2"),
        (pd.Index([1, 2, pd.NA, 3], dtype="Int64"), "without missing labels, got one in row 2"),
        (pd.PeriodIndex(["2024", "NaT", "2025", "2026"], freq="Y"), "missing labels, got one"),
        (pd.Index([DAYS[0], None, DAYS[1], DAYS[2]], dtype=object), "missing labels, got one"),
        (pd.Index([*DAYS[:3], "2024-02-01"], dtype=object), "dates, durations or numbers, "),
        (pd.Index([1, 2, 3, DAYS[0]], dtype=object), "numbers, of one kind, .*date.* in row 3"),
        (pd.interval_range(0, 4), r"numbers, got .*Interval.*reset_index\(drop=True\)"),
        (pd.Index([1j, 2, 3, 4]), "durations or numbers: Complex"),
        (pd.Index([pd.Timestamp(1), *[datetime(9999, 1, i) for i in (1, 2, 3)]], dtype=object),
         "64 bits"),
        (pd.Index([pd.Period("2024", "Y"), *pd.period_range("2024", periods=3, freq="D")],
                  dtype=object), "numbers, of one kind, .*date"),
    ],
)  # fmt: skip
def test_unusable_index(index, message):
    with pytest.raises(ValueError, match=message):
        make_windows(pd.Series(np.arange(4.0), index), 2)


def test_texts_as_index_count_as_none():
    for dtype in (object, "string", "category", "string[pyarrow]"):
        series = pd.Series(np.arange(4.0), pd.Index(list("dbca"), dtype=dtype))
        _, _, origin = make_windows(series, 2, return_origin=True)
        np.testing.assert_array_equal(origin.last_step, [1, 2])


def test_labels_in_unlike_units_are_compared_exactly():
    fine = pd.DatetimeIndex(np.arange(4) + 1_700_000_000_000_000_001, dtype="datetime64[ns]")
    coarse = pd.DatetimeIndex(np.arange(4) + 1_700_000_000, dtype="datetime64[s]")
    series = [pd.Series(np.arange(4.0), index) for index in (fine, coarse)]
    _, _, origin = make_windows(series, 1, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 0, 0, 0, 1, 1])
    years = [f"{year}-01-01" for year in range(9990, 9994)]
    far = pd.Series(np.arange(4.0), pd.DatetimeIndex(np.array(years, "M8[s]")))
    with pytest.raises(ValueError, match="64 bits"):
        make_windows([series[0], far], 1)


def test_no_window_of_a_panel_is_trained_on_before_its_time():
    months = pd.period_range("2020-01", periods=30, freq="M")
    series = {
        name: pd.Series(np.arange(30.0 - 3 * i), months[3 * i :]) for i, name in enumerate("ba")
    }
    X, _, origin = make_windows(pd.concat(series), 4, 2, return_origin=True)
    for train, test in TimeSeriesSplit(n_splits=3, gap=2 * 2 - 1).split(X):
        last_targets = origin.last_step[train].astype("M8[M]") + np.timedelta64(2, "M")
        assert last_targets.max() <= origin.last_step[test].astype("M8[M]").min()


def panel():
    """A panel of three entities and its series."""
    series = {
        name: pd.DataFrame(numbered(9 - 2 * i, 2, 100 * i), DAYS[i : 9 - i], columns=["u", "v"])
        for i, name in enumerate("cab")
    }
    return pd.concat(series, names=["entity", "time"]), series


@pytest.mark.parametrize("order", ["by entity", "by time", "interleaved"])
@pytest.mark.parametrize("levels", [["entity"], ["entity", "kind"]])
def test_entities_of_a_multi_index_are_series(order, levels):
    frame, series = panel()
    rng = np.random.default_rng(0)
    if order == "by time":
        frame = frame.sort_index(level="time", kind="stable", sort_remaining=False)
    if order == "interleaved":
        frame = frame.iloc[rng.permutation(len(frame))].sort_index(level="time", kind="stable")
    if len(levels) > 1:
        frame = frame.assign(kind=1).set_index("kind", append=True)
        frame = frame.reorder_levels(["entity", "kind", "time"])
    names = frame.index.get_level_values("entity").unique()
    expected = make_windows([series[name] for name in names], 2, [1, 2], known="v",
                            return_origin=True)  # fmt: skip
    got = make_windows(frame, 2, [1, 2], known="v", return_origin=True)
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])
    np.testing.assert_array_equal(got[2].series, expected[2].series)
    np.testing.assert_array_equal(got[2].last_step, expected[2].last_step)
    steps = np.concatenate([got[0][:, :, 0], got[0][:, :, 1], got[1]], axis=1)
    assert (np.ptp(steps // 1000, axis=1) == 0).all()  # no window spans two entities
    entities = frame.index.droplevel(-1).unique()
    assert len(entities) == 3
    alone = make_windows(frame["u"], 2, return_origin=True)
    assert set(alone[2].series) == {0, 1, 2}


@given(
    entity_of=st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    window=st.integers(1, 3),
    index=st.sampled_from(["numbers", "dates", "periods", "objects"]),
)
def test_panels_of_any_order_against_a_list_of_series(entity_of, window, index):
    n = len(entity_of)
    times = pd.date_range("2024-01-01", periods=n, freq="D")
    times = {
        "numbers": pd.Index(np.arange(n)),
        "dates": times,
        "periods": times.to_period("D"),
        "objects": pd.Index(times.date, dtype=object),
    }[index]
    frame = pd.DataFrame({"u": np.arange(float(n)), "v": np.arange(float(n)) * 2}, times)
    rows = [np.flatnonzero(np.array(entity_of) == name) for name in dict.fromkeys(entity_of)]
    # On the grid of the most frequent difference, if that leads to all rows.
    steps = np.concatenate([np.diff(those) for those in rows])
    step = np.bincount(steps).argmax() if len(steps) else 1
    is_regular = not (steps % step).any() or index == "periods"
    step = 1 if index == "periods" else step
    series, labels = [], []
    for those in rows:
        labels.append(np.arange(those[0], those[-1] + 1, step) if is_regular else those)
        series.append(np.full((len(labels[-1]), 2), np.nan))
        series[-1][np.isin(labels[-1], those)] = frame.to_numpy()[those]
    panel = frame.set_index(pd.MultiIndex.from_arrays([entity_of, times]))
    results = []
    for data in (panel, series):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                results.append(make_windows(data, window, known="v" if data is panel else 1,
                                            return_origin=True))  # fmt: skip
        except ValueError as error:
            results.append(str(error))
    got, expected = results
    if isinstance(expected, str):
        assert got == expected
        return
    X, y, origin = expected
    last = np.array([labels[i][k] for i, k in zip(*origin, strict=True)])
    order = np.lexsort((origin.series, last))
    np.testing.assert_array_equal(got[0], X[order])
    np.testing.assert_array_equal(got[1], y[order])
    np.testing.assert_array_equal(got[2].series, origin.series[order])
    stamps = pd.DatetimeIndex(got[2].last_step) if index != "numbers" else got[2].last_step
    days = (stamps - pd.Timestamp("2024-01-01")).days if index != "numbers" else stamps
    np.testing.assert_array_equal(days, last[order])


def test_a_list_of_panels_counts_all_entities():
    frame, series = panel()
    _, _, origin = make_windows([frame, series["a"], frame], 2, return_origin=True)
    assert set(origin.series) == set(range(7))
    for empty in (frame.iloc[:0], [frame.iloc[:0]] * 2):
        with pytest.raises(ValueError, match=r"at least 3 steps .* got at most 0"):
            make_windows(empty, 2)
    _, _, origin = make_windows([frame.iloc[:0], frame], 2, return_origin=True)
    assert set(origin.series) == {1, 2, 3}
    short = frame.groupby(level=0).head(3)
    with pytest.raises(ValueError, match=r"at least 6 steps .* got at most 3"):
        make_windows([short, short], 5)


def test_unsorted_times_of_an_entity_are_refused():
    frame, _ = panel()
    order = [*range(9), 10, 9, *range(11, len(frame))]
    with pytest.raises(ValueError, match=r"unsorted one in series 1, which is 'a': .*sort_index"):
        make_windows(frame.iloc[order], 2)
    with pytest.raises(ValueError, match=r"unsorted one in series 2, which is 'a'"):
        make_windows([np.zeros((3, 2)), frame.iloc[order]], 2)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            pd.MultiIndex.from_arrays([DAYS[:4], list("aabb")]),
            "last level of the index of series 0",
        ),
        (pd.MultiIndex.from_arrays([DAYS[:4], [1, 1, 2, 2]]), r"reorder_levels brings"),
        (
            pd.MultiIndex.from_arrays([DAYS[:4].to_period("D"), [1, 1, 2, 2]]),
            "reorder_levels brings",
        ),
        (pd.MultiIndex.from_arrays([DAYS[:4].date, [1, 1, 2, 2]]), r"reorder_levels brings"),
        (pd.MultiIndex.from_arrays([list("aabb"), list("cdcd")]), r"got the levels \[None, None\]"),
        (pd.MultiIndex.from_arrays([["a", None, "b", "b"], DAYS[:4]]), "without missing labels"),
        (pd.MultiIndex.from_arrays([list("aabb"), [*DAYS[:3], pd.NaT]]), "without missing labels"),
    ],
)
def test_unusable_multi_index(index, message):
    with pytest.raises(ValueError, match=message):
        make_windows(pd.Series(np.arange(4.0), index), 1)


@pytest.mark.parametrize("index", [DAYS[:4][::-1], pd.Index([0, 2, 1, 3]), pd.RangeIndex(4, 0, -1)])
def test_unsorted_index_is_refused(index):
    good = pd.Series(np.arange(4.0))
    with pytest.raises(ValueError, match=r"Expected an ascending index, got .* in series 1"):
        make_windows([good, pd.Series(np.arange(4.0), index)], 2)


def test_indices_of_different_kinds_are_refused():
    indices = [
        DAYS[:4], pd.Index([1, 2, 3, 4]), DAYS[:4] - DAYS[0], DAYS[:4].to_period("D"),
        pd.period_range("2024-01", periods=4, freq="M"),
    ]  # fmt: skip
    for pair in itertools.permutations(indices, 2):
        with pytest.raises(ValueError, match="Expected labels of one kind"):
            make_windows([pd.Series(np.arange(4.0), index) for index in pair], 2)
