"""make_windows: forms and types of series, names of columns, and series that are refused."""

import math
from array import array as buffer
from collections import deque
from datetime import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skgru.windows import make_windows
from tests.transformers.series import DAYS, numbered

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


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([1, 2, np.inf, 4], "got inf in step 2 of series 0, feature 0"),
        ([[1, 2, 3], [4, -np.inf, 5]], "got -inf in step 1 of series 1, feature 0"),
        (np.arange(5) * 1j, "Complex data not supported"),
        (
            np.array(list("12345")),
            "got the text '1' in step 0 of series 0. pandas.to_numeric makes",
        ),
        (list("12345"), "Expected numbers, got the text '1' in step 0 of series 0"),
        (
            np.array([1, "2", 3], dtype=object),
            "Expected numbers, got the text '2' in step 1 of series 0",
        ),
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
    with pytest.raises(ValueError, match=r"got dates .* time='when', or set_index\('when'\)"):
        make_windows(frame, 2)
    with pytest.raises(ValueError, match=r"say so, time='when'; else drop it\.$"):
        make_windows(pl.from_pandas(frame), 2)
    long = frame.assign(when=list("ab" * 10))
    with pytest.raises(ValueError, match=r"several .* series='when', or set_index\(\['when', "):
        make_windows(long, 2)
    with pytest.raises(ValueError, match=r"several series apart, say so, series='when'; else"):
        make_windows(pl.from_pandas(long), 2)


def test_names_that_are_tuples():
    frame = pd.DataFrame(numbered(9, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    expected = make_windows(numbered(9, 2), 2, target=1, known=0)
    got = make_windows(frame, 2, target=("a", 2), known=[("a", 1)])
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_name_without_names():
    with pytest.raises(ValueError, match="target: expected one of the 2 columns , got 'a'"):
        make_windows(numbered(9, 2), 2, target="a")
