import itertools
import math
from array import array as buffer
from collections import deque
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skgru import GRURegressor
from skgru.windows import make_windows


def numbered(n_steps, n_features=1, start=0):
    """A series whose values tell their place: step · 10 + feature."""
    return np.add.outer(np.arange(start, start + n_steps) * 10.0, np.arange(n_features))


def naive_windows(series, window, horizons, targets=(0,), known=(), step=1):
    """Return X, y, series and last steps as lists, from (T, D) arrays, one number at a time."""
    found = []
    for i, values in enumerate(series):
        first = 0
        while first + window - 1 + max(horizons) < len(values):
            last = first + window - 1
            x = [
                [values[t + max(horizons) if d in known else t][d] for d in range(values.shape[1])]
                for t in range(first, last + 1)
            ]
            y = [values[last + h][d] for h in horizons for d in targets]
            if not any(math.isnan(target) for target in y):
                found.append((last, i, x, y))
            first += step
    found.sort(key=lambda found: found[:2])
    return tuple([part[k] for part in found] for k in (2, 3, 1, 0))


@given(
    lengths=st.lists(st.integers(0, 15), min_size=1, max_size=4),
    n_features=st.integers(1, 3),
    window=st.integers(1, 5),
    horizons=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    step=st.integers(1, 4),
    data=st.data(),
)
def test_against_a_transcription(lengths, n_features, window, horizons, step, data):
    shuffled = data.draw(st.permutations(range(n_features)))
    n_targets = data.draw(st.integers(1, n_features))
    targets, known = shuffled[:n_targets], shuffled[n_targets:][:1]
    rng = np.random.default_rng(len(lengths))
    series = [rng.normal(size=(length, n_features)) for length in lengths]
    for values in series:
        values[rng.random(values.shape) < 0.2] = np.nan
    expected_X, expected_y, *expected_origin = naive_windows(
        series, window, horizons, targets, known, step
    )
    settings = dict(target=targets, known=known, step=step, return_origin=True)
    if not expected_X:
        with pytest.raises(ValueError, match="No windows"):
            make_windows(series, window, horizons, **settings)
        return
    X, y, origin = make_windows(series, window, horizons, **settings)
    np.testing.assert_array_equal(X, expected_X)
    np.testing.assert_array_equal(y.reshape(len(y), -1), expected_y)
    np.testing.assert_array_equal(origin.series, expected_origin[0])
    np.testing.assert_array_equal(origin.last_step, expected_origin[1])


def test_targets_are_horizon_steps_after_the_last_step():
    X, y, origin = make_windows(numbered(10, 2), 3, 2, return_origin=True)
    assert X.shape == (6, 3, 2)
    np.testing.assert_array_equal(y, X[:, -1, 0] + 20)
    np.testing.assert_array_equal(origin.last_step, range(2, 8))
    np.testing.assert_array_equal(origin.series, 0)


def test_last_possible_window():
    X, y = make_windows([1, 2, 3], window=2)
    np.testing.assert_array_equal(X, [[[1], [2]]])
    np.testing.assert_array_equal(y, [3])


def test_targets_of_several_horizons_and_columns_are_horizon_major():
    _, y = make_windows(numbered(9, 3), 2, [3, 1], target=[2, 0])
    np.testing.assert_array_equal(y[0], [42, 40, 22, 20])
    assert y.shape == (5, 4)


def test_shape_of_y():
    series = numbered(9, 2)
    assert make_windows(series, 2, [1], target=[1])[1].ndim == 1
    assert make_windows(series, 2, range(1, 4))[1].shape == (5, 3)
    assert make_windows(series, 2, target=[0, 1])[1].shape == (7, 2)


def test_known_columns_are_shifted_by_the_longest_horizon():
    X, y = make_windows(numbered(9, 3), 2, [1, 3], known=[2, -2])
    np.testing.assert_array_equal(X[0], [[0, 31, 32], [10, 41, 42]])
    np.testing.assert_array_equal(y[0], [20, 40])
    np.testing.assert_array_equal(X[-1], [[40, 71, 72], [50, 81, 82]])


def test_nothing_of_another_series_is_in_a_window():
    series = [numbered(n, 2, start) for n, start in [(7, 0), (2, 100), (9, 200), (4, 300)]]
    X, y, origin = make_windows(series, 3, [1, 2], known=1, return_origin=True)
    steps = np.concatenate([X[:, :, 0], X[:, :, 1], y], axis=1) // 10
    np.testing.assert_array_equal(steps // 100, np.broadcast_to(origin.series[:, None], (8, 8)))
    assert set(origin.series) == {0, 2}  # the others are too short


def test_windows_with_a_missing_target_are_dropped():
    series = numbered(8, 2)
    series[4, 0] = np.nan
    X, y, origin = make_windows(series, 2, [1, 2], return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 4, 5])
    assert not np.isnan(y).any()
    assert np.isnan(X).any()


def test_missing_value_of_another_feature_drops_nothing():
    series = numbered(8, 2)
    series[4, 1] = np.nan
    assert len(make_windows(series, 2)[0]) == 6


def test_step():
    _, _, origin = make_windows(numbered(12), 3, step=4, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [2, 6, 10])


def test_order_by_step_number():
    _, _, origin = make_windows([np.arange(6), np.arange(4), np.arange(5)], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 1, 2, 2, 2, 3, 3, 4])
    np.testing.assert_array_equal(origin.series, [0, 1, 2, 0, 1, 2, 0, 2, 0])


DAYS = pd.date_range("2024-01-01", periods=20, freq="D")


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


def test_repeated_index_labels_are_allowed():
    series = pd.Series(np.arange(4.0), pd.Index([1, 1, 2, 2]))
    _, y, origin = make_windows(series, 1, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 2])
    np.testing.assert_array_equal(y, [1, 2, 3])


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
        (pd.DatetimeIndex([*DAYS[:3], pd.NaT]), "without missing labels, got one in step 3 of ser"),
        (pd.Index([1, 2, np.nan, 3]), "without missing labels, got one in step 2 of series 0"),
        (pd.Index([1, 2, pd.NA, 3], dtype="Int64"), "without missing labels, got one in step 2"),
        (pd.PeriodIndex(["2024", "NaT", "2025", "2026"], freq="Y"), "missing labels, got one"),
        (pd.Index([DAYS[0], None, DAYS[1], DAYS[2]], dtype=object), "missing labels, got one"),
        (pd.Index([*DAYS[:3], "2024-02-01"], dtype=object), "dates, durations, numbers or text: "),
        (pd.Index([1, 2, 3, DAYS[0]], dtype=object), "numbers or text: .*date.* in step 3"),
        (pd.interval_range(0, 4), r"numbers or text: .*Interval.*reset_index\(drop=True\)"),
        (pd.Index([1j, 2, 3, 4]), "numbers or text: Complex"),
        (pd.Index([pd.Timestamp(1), *[datetime(9999, 1, i) for i in (1, 2, 3)]], dtype=object),
         "64 bits"),
        (pd.Index([pd.Period("2024", "Y"), *pd.period_range("2024", periods=3, freq="D")],
                  dtype=object), "numbers or text: .*date"),
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
    far = pd.Series(np.arange(4.0), pd.DatetimeIndex(np.array(["9999-01-01"] * 4, "M8[s]")))
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
    panel = frame.set_index(pd.MultiIndex.from_arrays([entity_of, times]))
    results = []
    for series in (panel, [frame.iloc[chosen] for chosen in rows]):
        try:
            results.append(make_windows(series, window, known="v", return_origin=True))
        except ValueError as error:
            results.append(str(error))
    got, expected = results
    if isinstance(expected, str):
        assert got == expected
        return
    for part, expected_part in zip((*got[:2], *got[2]), (*expected[:2], *expected[2]), strict=True):
        np.testing.assert_array_equal(part, expected_part)


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
        with pytest.raises(ValueError, match="Expected indices of one kind"):
            make_windows([pd.Series(np.arange(4.0), index) for index in pair], 2)


FORMS = {
    "pandas": lambda values: pd.DataFrame(values, columns=["a", "b"]),
    "pandas nullable": lambda values: pd.DataFrame(values, columns=["a", "b"]).convert_dtypes(),
    "polars": lambda values: pl.DataFrame(values, schema=["a", "b"]),
    "pandas Arrow": lambda values: pd.DataFrame(values, columns=["a", "b"]).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "pandas objects": lambda values: pd.DataFrame(values, columns=["a", "b"], dtype=object),
    "pandas with pd.NA": lambda values: (
        pd.DataFrame(values, columns=["a", "b"]).astype(object).replace(np.nan, pd.NA)
    ),
    "pandas decimals": lambda values: pd.DataFrame(values, columns=["a", "b"]).map(Decimal),
    "pandas Arrow decimals": lambda values: pd.DataFrame(
        {
            name: pd.array(decimals(values[:, j]), dtype=pd.ArrowDtype(pa.decimal128(9, 2)))
            for j, name in enumerate("ab")
        }
    ),
    "polars decimals": lambda values: pl.DataFrame(
        {
            name: pl.Series(decimals(values[:, j]), dtype=pl.Decimal(9, 2))
            for j, name in enumerate("ab")
        }
    ),
    "polars nulls": lambda values: pl.DataFrame(values, schema=["a", "b"]).fill_nan(None),
    "Arrow table": lambda values: pa.table(dict(zip("ab", values.T.copy(), strict=True))),
    "Arrow batch": lambda values: pa.RecordBatch.from_pydict(
        {name: pa.array(values[:, j], from_pandas=True) for j, name in enumerate("ab")}
    ),
    "Arrow decimals": lambda values: pa.table(
        {name: pa.array(decimals(values[:, j]), pa.decimal128(9, 2)) for j, name in enumerate("ab")}
    ),
    "structured array": lambda values: pd.DataFrame(values, columns=["a", "b"]).to_records(
        index=False
    ),
}


def decimals(values):
    return [None if np.isnan(value) else Decimal(value) for value in values]


UNNAMED_FORMS = {
    "lists": lambda values: [list(row) for row in values],
    "objects": lambda values: values.astype(object),
    "decimals": lambda values: np.array([decimals(row) for row in values]),
    "fractions": lambda values: np.array(
        [[None if np.isnan(v) else Fraction(v) for v in row] for row in values]
    ),
    "masked array": lambda values: np.ma.array(
        np.nan_to_num(values, nan=999), mask=np.isnan(values)
    ),
    "masked integers": lambda values: np.ma.array(
        np.nan_to_num(values, nan=999).astype(int), mask=np.isnan(values)
    ),
    "objects with masked ones": lambda values: np.frompyfunc(
        lambda value: np.ma.masked if np.isnan(value) else value, 1, 1
    )(values),
    "masked objects": lambda values: np.ma.array(
        np.nan_to_num(values, nan=999).astype(object), mask=np.isnan(values)
    ),
    "dict of masked columns": lambda values: pd.DataFrame(
        {
            j: np.ma.array(np.nan_to_num(values[:, j], nan=999), mask=np.isnan(values[:, j]))
            for j in range(2)
        }
    ),
    "Fortran": np.asfortranarray,
    "float16": lambda values: values.astype(np.float16),
    "big-endian": lambda values: values.astype(">f8"),
    "longdouble": lambda values: values.astype(np.longdouble),
    "matrix": lambda values: np.ma.masked_invalid(values),
}


@pytest.mark.parametrize("form", UNNAMED_FORMS)
@pytest.mark.parametrize("several", [False, True])
def test_unnamed_forms(form, several):
    values = numbered(9, 2)
    values[2, 1] = values[4, 0] = np.nan
    series = UNNAMED_FORMS[form](values)
    if form == "lists":
        series = np.array(series)
    expected = make_windows([values, values[:6]] if several else values, 2, [1, 2], known=1)
    got = make_windows([series, series[:6]] if several else series, 2, [1, 2], known=1)
    for part, expected_part in zip(got, expected, strict=True):
        np.testing.assert_array_equal(part, expected_part)
        assert part.dtype == np.float64


@pytest.mark.parametrize(
    "series",
    [
        [1.0, None, 3, 4],
        [1, np.ma.masked, 3, 4],
        [1, pd.NA, 3, 4],
        [1, float("nan"), Decimal(3), Fraction(4)],
        [np.float16(1), np.float16(np.nan), np.float16(3), np.float16(4)],
        pd.Series([1, np.ma.masked, 3, 4], dtype=object),
        (np.array(1), np.array(np.nan), np.array(3), np.array(4)),
        np.ma.array([1, 0, 3, 4], mask=[0, 1, 0, 0]),
        np.ma.array([1, 0, 3, 4], mask=[0, 1, 0, 0], dtype=np.uint8),
        pd.Series([1, None, 3, 4], dtype="Int8"),
        pd.Series([1, None, 3, 4], dtype="Float32"),
        pd.Series([1, None, 3, 4], dtype="int64[pyarrow]"),
        pd.Series([1, None, 3, 4], dtype=object, name="columns", index=["columns", "a", "b", "c"]),
        pd.arrays.SparseArray([1, np.nan, 3, 4]),
        pl.Series([1, None, 3, 4]),
        pl.Series([Decimal(1), None, Decimal(3), Decimal(4)]),
        pa.array([1, None, 3, 4]),
        pa.chunked_array([[1, None], [3, 4]]),
        deque([1, None, 3, 4]),
        buffer("d", [1, math.nan, 3, 4]),
        memoryview(np.array([1, np.nan, 3, 4])),
    ],
)
@pytest.mark.parametrize(
    "several", [list, deque, lambda pair: dict(enumerate(pair)).values(), None]
)
def test_missing_values_of_one_dimensional_series(series, several):
    X, y = make_windows(several([series, series]) if several else series, 2)
    n = 2 if several else 1
    np.testing.assert_array_equal(X[::n, :, 0], [[1, np.nan], [np.nan, 3]])
    np.testing.assert_array_equal(y[::n], [3, 4])
    assert len(y) == 2 * n


@pytest.mark.parametrize(
    "make",
    [
        lambda flags: np.array(flags, dtype=object),
        lambda flags: pd.Series(flags, dtype="boolean"),
        lambda flags: pd.Series(flags, dtype="bool[pyarrow]"),
        lambda flags: pd.DataFrame({"a": pd.array(flags, dtype="boolean")}),
        pl.Series,
        lambda flags: pl.DataFrame({"a": flags}),
        pa.array,
        lambda flags: pa.table({"a": flags}),
        lambda flags: np.ma.array([flag or False for flag in flags], mask=[0, 0, 1, 0, 0]),
    ],
)
def test_flags_with_missing_ones_are_numbers(make):
    X, y = make_windows(make([True, False, None, True, False]), 3)
    np.testing.assert_array_equal(X[:, :, 0], [[1, 0, np.nan], [0, np.nan, 1]])
    np.testing.assert_array_equal(y, [1, 0])


def rows_of(table, n):
    return table.iloc[:n] if hasattr(table, "iloc") else table[:n]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("several", [False, True])
def test_names_of_columns(form, several):
    values = numbered(9, 2)
    values[2, 1] = np.nan
    given_series, series = FORMS[form](values), values
    if several:
        given_series, series = [given_series, rows_of(given_series, 6)], [values, values[:6]]
    expected = make_windows(series, 2, [1, 2], target=1, known=0)
    got = make_windows(given_series, 2, [1, 2], target="b", known=["a"])
    for part, expected_part in zip(got, expected, strict=True):
        np.testing.assert_array_equal(part, expected_part)
        assert part.dtype == np.float64


@pytest.mark.parametrize("form", [np.asarray, list, pd.Series, pl.Series])
@pytest.mark.parametrize("several", [False, True])
def test_forms_of_one_dimensional_series(form, several):
    numbers = [1, 2, 3, 4, 5]
    given_series = [form(numbers), form(numbers[:3])] if several else form(numbers)
    X, y = make_windows(given_series, 2)
    if several:
        np.testing.assert_array_equal(y, [3, 3, 4, 5])
    else:
        np.testing.assert_array_equal(X[:, :, 0], [[1, 2], [2, 3], [3, 4]])


def test_integer_names_are_positions():
    frame = pd.DataFrame(numbered(5, 2), columns=[1, 0])
    _, y = make_windows(frame, 2, target=1)
    np.testing.assert_array_equal(y, [21, 31, 41])


def test_polars_nulls_are_missing():
    X, _ = make_windows(pl.DataFrame({"a": [1, None, 3, 4]}), 2)
    np.testing.assert_array_equal(X[:, :, 0], [[1, np.nan], [np.nan, 3]])


def test_none_is_missing():
    X, y = make_windows([1.0, None, 3.0, 4.0], 2)
    np.testing.assert_array_equal(X[:, :, 0], [[1, np.nan], [np.nan, 3]])
    np.testing.assert_array_equal(y, [3, 4])


def test_dtype():
    single, double = numbered(5).astype(np.float32), numbered(5)
    assert [part.dtype for part in make_windows(single, 2)] == [np.float32, np.float32]
    assert make_windows([single, single], 2)[0].dtype == np.float32
    assert make_windows([single, double], 2)[0].dtype == np.float64
    assert make_windows(numbered(5).astype(np.int8), 2)[0].dtype == np.float64
    assert make_windows(numbered(5) > 20, 2)[1].dtype == np.float64


def test_series_are_not_modified_and_windows_are_copies():
    series = numbered(9, 2)
    before = series.copy()
    X, y = make_windows(series, 3, known=1)
    X[:], y[:] = -1, -1
    np.testing.assert_array_equal(series, before)
    X, _ = make_windows(series, 3)
    X[0] = -1
    assert (X[1:] >= 0).all()
    assert X.flags.c_contiguous


@pytest.mark.parametrize("n_series", [1, 3])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("horizon", [1, 2, 5, [1, 3], [2, 4]])
@pytest.mark.parametrize("with_gaps", [False, True])
def test_time_series_split_with_the_documented_gap(n_series, step, horizon, with_gaps):
    rng = np.random.default_rng(0)
    series = []
    for i in range(n_series):
        values = 100 * np.arange(60.0 - 7 * i) + i
        if with_gaps:
            values[rng.random(len(values)) < 0.1] = np.nan
        series.append(values)
    X, y, origin = make_windows(series, 4, horizon, step=step, return_origin=True)
    furthest = np.max(horizon)
    gap = n_series * math.ceil(furthest / step) - 1
    for train, test in TimeSeriesSplit(n_splits=3, gap=gap).split(X):
        assert (origin.last_step[train] + furthest).max() <= origin.last_step[test].min()
        assert not set(y[train].flat) & set(y[test].flat)


def test_a_smaller_gap_is_too_small():
    X, _, origin = make_windows(numbered(30), 4, 5, return_origin=True)
    train, test = next(TimeSeriesSplit(n_splits=3, gap=3).split(X))
    assert (origin.last_step[train] + 5).max() > origin.last_step[test].min()


def test_regressors_read_the_windows():
    series = np.sin(np.arange(300) / 5)
    X, y = make_windows(series, 12, 3)
    model = GRURegressor(8, max_iter=20, learning_rate="cosine", random_state=0)
    split = TimeSeriesSplit(n_splits=2, gap=2)
    assert cross_val_score(model, X, y, cv=split).min() > 0.8
    assert cross_val_score(Ridge(), X.reshape(len(X), -1), y, cv=split).min() > 0.8


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([1, 2, np.inf, 4], "got inf in step 2 of series 0, feature 0"),
        ([[1, 2, 3], [4, -np.inf, 5]], "got -inf in step 1 of series 1, feature 0"),
        (np.arange(5) * 1j, "Complex data not supported"),
        (np.array(list("12345")), "Expected numbers, got text in series 0"),
        (list("12345"), "Expected numbers, got text in series 0"),
        (np.array([1, "2", 3], dtype=object), "Expected numbers, got text in series 0"),
        (["12345", [1, 2]], "Expected an array or a list, got a string as series 0"),
        ([[1, 2, 3, 10**400]], "A number in step 3 of series 0 is too large"),
        ([1, 2, -(10**400)], "A number in step 2 of series 0 is too large"),
        ([[1.0, 2, 3], [1.0, 1j, 3]], "Complex data not supported: .*series 1"),
        (pd.DataFrame({"a": [1.0, 2], "b": [1j, 2]}), "Complex .*column 'b' of series 0"),
        (np.ma.array([1j, 2, 3], mask=[0, 1, 0]), "Complex data not supported"),
        (pl.Series([time(1), time(2)]), r"got a time, .* in step 0 of series 0: [^.]*\.$"),
        ([1, 2, [3], 4], "Expected an array or a list, got an int as series 0"),
        (
            pd.Series([[1, 2], [3]]).to_numpy(),
            "got a list.* in step 0 of series 0.*as a list of them",
        ),
        (pd.Series([np.arange(4), np.arange(5)]), "step 0 of series 0.*as a list of them"),
        (pl.Series([[1, 2], [3, 4]]), "step 0 of series 0.*as a list of them"),
        (pd.DataFrame({"a": [[1, 2], [3, 4]]}), "step 0 of column 'a' of series 0"),
        (
            {"a": np.arange(9), "b": np.arange(9)},
            r"got a dict: .*list\(series.values\(\)\).*DataFrame",
        ),
        ([{"a": 1}, {"a": 2}], "as series 0, got a dict"),
        ({1, 2, 3}, "Expected an array or a list, got a set as series 0"),
        ("text", "Expected an array or a list, got a string as series 0"),
        (None, "Expected an array or a list, got a NoneType as series 0"),
        ((i for i in range(9)), "Expected an array or a list, got a generator as series 0"),
        (
            pd.DataFrame({"id": [1, 1, 2], "a": [1, 2, 3]}).groupby("id"),
            r"got a DataFrameGroupBy: give a list of its groups, \[group for _, group in groups\]",
        ),
        ([pl.DataFrame({"id": [1]}).group_by("id")], "got a GroupBy: give a list of its groups"),
        (list(pd.DataFrame({"id": [1], "a": [1]}).groupby("id")), "series 0.*as a list of them"),
        (pl.DataFrame({"a": [1, 2]}).lazy(), r"got a LazyFrame: call its collect\(\)"),
        (np.zeros((2, 5, 1)), r"got \(2, 5, 1\) for series 0; several series are given as a list"),
        (3.0, "Expected an array or a list, got a float as series 0"),
        (np.zeros((5, 0)), "0 feature"),
        ([numbered(5, 2), numbered(5, 3)], "Expected 2 features as in series 0, got 3 in series 1"),
        (
            [pd.DataFrame(numbered(5, 2), columns=list(names)) for names in ["ab", "ba"]],
            r"Expected the columns \['a', 'b'\] as in series 0, got \['b', 'a'\] in series 1",
        ),
    ],
)
def test_unusable_series(series, message):
    with pytest.raises(ValueError, match=message):
        make_windows(series, 2)


@pytest.mark.parametrize("several", [False, True])
def test_sparse_series_are_refused(several):
    series = sparse.csr_array(np.eye(5))
    message = rf"Expected dense numbers, got a csr_array as series {int(several)}: .* toarray\(\)"
    with pytest.raises(ValueError, match=message):
        make_windows([np.eye(5), series] if several else series, 2)


DATED = {
    "datetime64": DAYS,
    "with a zone": DAYS.tz_localize("Asia/Tokyo"),
    "objects": DAYS.astype(object),
    "dates": DAYS.date,
    "periods": DAYS.to_period("D"),
    "durations": DAYS - DAYS[0],
    "text": DAYS.astype(str),
    "categories of text": pd.Categorical(DAYS.astype(str)),
    "categories of numbers": pd.Categorical(np.arange(20) % 3),
    "numbers and a text": [*range(19), "x"],
    "numbers and a date": [*range(19), DAYS[0]],
    "bytes": [b"1"] * 20,
}
LIBRARIES = {
    "pandas": pd.DataFrame,
    "polars": lambda table: pl.DataFrame(
        {name: pl.from_pandas(pd.Series(column)) for name, column in table.items()}
    ),
    "Arrow": lambda table: pa.table(
        {name: pa.array(pd.Series(column)) for name, column in table.items()}
    ),
    "pandas Arrow": lambda table: pd.DataFrame(table).astype(
        {"when": pd.ArrowDtype(pa.array(pd.Series(table["when"])).type)}
    ),
}


def frame_with(kind, library):
    """Return a table with such a column, None where the library knows none."""
    if library == "polars" and kind in ("periods", "categories of numbers"):
        return None  # it makes numbers of them
    try:
        return LIBRARIES[library]({"a": np.arange(20.0), "when": DATED[kind]})
    except (TypeError, ValueError, pa.ArrowException, pl.exceptions.PolarsError):
        return None


DATED_COLUMNS = [
    (kind, library)
    for kind in DATED
    for library in LIBRARIES
    if frame_with(kind, library) is not None
]


def test_most_libraries_know_columns_of_no_numbers():
    of = {library: {kind for kind, its in DATED_COLUMNS if its == library} for library in LIBRARIES}
    assert of["pandas"] == set(DATED)
    assert all(len(kinds) >= 3 for kinds in of.values())


@pytest.mark.parametrize(("kind", "library"), DATED_COLUMNS)
def test_columns_of_no_numbers_are_refused_by_name(kind, library):
    frame = frame_with(kind, library)
    good = LIBRARIES["Arrow"]({"a": np.arange(20.0), "when": np.arange(20)})
    for i, series in enumerate([frame, [good, frame]]):
        with pytest.raises(ValueError, match=rf"Expected numbers, got .*'when' of series {i}"):
            make_windows(series, 2)
    whole = pd.Series(DATED[kind]) if library == "pandas" else frame["when"]
    with pytest.raises(ValueError, match=r"Expected numbers, got .* series 1"):
        make_windows([np.arange(20), whole], 2)


def test_what_to_do_with_columns_of_no_numbers():
    frame = pd.DataFrame({"a": np.arange(20.0), "when": DAYS})
    with pytest.raises(ValueError, match=r"got dates .*: sort .*drop it.*; set_index\('when'\)"):
        make_windows(frame, 2)
    with pytest.raises(ValueError, match=r"sort by this column and drop it, .* as the hour\.$"):
        make_windows(pl.from_pandas(frame), 2)
    long = frame.assign(when=list("ab" * 10))
    with pytest.raises(ValueError, match=r"several series .* list of them; set_index\(\['when', "):
        make_windows(long, 2)
    with pytest.raises(ValueError, match=r"several series apart, give a list of them\.$"):
        make_windows(pl.from_pandas(long), 2)


@pytest.mark.parametrize("series", [[], [[], []], np.zeros((0, 2)), [1, 2, 3, 4], [[1, 2], [3]]])
def test_too_short(series):
    with pytest.raises(ValueError, match=r"expected a series of at least 5 steps .* got at most"):
        make_windows(series, 3, [1, 2])


def test_all_targets_missing():
    series = numbered(6, 2)
    series[:, 0] = np.nan
    with pytest.raises(ValueError, match="all 4 have a missing target"):
        make_windows(series, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(window=0), "The 'window' parameter"),
        (dict(window=2.5), "The 'window' parameter"),
        (dict(step=0), "The 'step' parameter"),
        (dict(horizon=0), "Expected distinct integers of 1 or more as horizon, got 0"),
        (dict(horizon="1"), "Expected distinct integers of 1 or more as horizon, got '1'"),
        (dict(horizon={1, 2}), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=iter([1, 2])), "Expected distinct integers of 1 or more as horizon"),
        (dict(return_origin="yes"), "The 'return_origin' parameter"),
        *itertools.product(
            [dict(horizon=h) for h in ([], [1, 0], [1, 1], [1.5], [[1, 2]])],
            ["Expected distinct integers of 1 or more as horizon"],
        ),
        (dict(target=2), r"target: expected one of the 2 columns \['a', 'b'\], got 2"),
        (dict(target=-3), "target: expected one of the 2 columns"),
        (dict(target="c"), r"target: expected one of the 2 columns \['a', 'b'\], got 'c'"),
        (dict(target=["a", 0]), "target: expected distinct columns"),
        (dict(target=True), "target: expected one of the 2 columns"),
        (dict(known=[False, True]), "known: expected one of the 2 columns"),
        (dict(known=np.array([False, True])), "known: expected one of the 2 columns"),
        (dict(target=1.0), "target: expected one of the 2 columns"),
        (dict(target=np.timedelta64(1)), "target: expected one of the 2 columns"),
        (dict(target=10**400), "target: expected one of the 2 columns"),
        (dict(horizon=10**400), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=[2**63, 1]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.array([2**63], np.uint64)), "Expected distinct integers of 1 or more"),
        (dict(horizon=np.array([1, -1], np.int8)), "Expected distinct integers of 1 or more"),
        (dict(horizon=[[1], [2, 3]]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.ma.array([1, 2], mask=[0, 1])), "Expected distinct integers of 1 or mor"),
        (dict(horizon=[Decimal(1)]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=[True]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon={1: 2}), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.timedelta64(1, "h")), "Expected distinct integers of 1 or more"),
        (dict(horizon=2**61), "expected a series of at least"),
        (dict(window=10**400), "expected a series of at least"),
        (dict(window=Decimal(2)), "The 'window' parameter"),
        (dict(step=Decimal(2)), "The 'step' parameter"),
        (dict(target=None), "target: expected one of the 2 columns"),
        (dict(target=[]), "Expected at least one target"),
        (dict(known=["b", "c"]), "known: expected one of the 2 columns"),
        (dict(target="b", known=[1]), "none that is known in advance"),
    ],
)
def test_unusable_parameters(parameters, message):
    frame = pd.DataFrame(numbered(9, 2), columns=["a", "b"])
    with pytest.raises(ValueError, match=message):
        make_windows(frame, **{"window": 2, **parameters})


SMALL = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize("dtype", SMALL)
def test_parameters_are_integers_of_any_type(dtype):
    series = numbered(400, 3)
    expected = make_windows(series, 100, [99, 3], target=2, known=[0, 1], step=120)
    parameters = [
        dict(window=dtype(100), horizon=np.array([99, 3], dtype), target=dtype(2),
             known=np.array([0, 1], dtype), step=dtype(120)),
        dict(window=dtype(100), horizon=[dtype(99), 3], target=[dtype(2)],
             known=[dtype(0), dtype(1)], step=120),
        dict(window=100, horizon=np.array([99, 3], dtype).astype(object), target=np.array(2, dtype),
             known=pd.Series([0, 1], dtype=dtype), step=120),
        dict(window=100, horizon=pl.Series([99, 3]), target=range(2, 3), known=pd.Index([0, 1]),
             step=120),
    ]  # fmt: skip
    for settings in parameters:
        for part, expected_part in zip(make_windows(series, **settings), expected, strict=True):
            np.testing.assert_array_equal(part, expected_part)
    one = make_windows(series, dtype(100), dtype(100))
    np.testing.assert_array_equal(one[1], series[199:, 0])


def test_larger_steps_than_the_series_make_one_window():
    for step in (400, 2**70, 10**400, np.uint64(2**64 - 1)):
        X, y = make_windows(numbered(300), 3, step=step)
        assert len(X) == len(y) == 1


def test_names_that_are_tuples():
    frame = pd.DataFrame(numbered(9, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    expected = make_windows(numbered(9, 2), 2, target=1, known=0)
    got = make_windows(frame, 2, target=("a", 2), known=[("a", 1)])
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_name_without_names():
    with pytest.raises(ValueError, match="target: expected one of the 2 columns , got 'a'"):
        make_windows(numbered(9, 2), 2, target="a")
