"""make_windows: windows, targets and forms of series."""

import math
from array import array as buffer
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skgru import GRURegressor
from skgru.windows import make_windows
from tests.transformers.series import numbered


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
