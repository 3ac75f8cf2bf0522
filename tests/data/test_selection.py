"""Columns of X: which ones a branch means, and what it is given of them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_selector

from skgru._data.selection import Selection, missing_cells, select, take_columns

COLUMNS = {"a": [1.0, 2.0], "b": ["u", None], "c": [True, False], "d": [3, 4]}


def as_objects(columns):
    return np.array(list(columns.values()), object).T


def as_arrow(columns):
    return pa.table(columns)


CONTAINERS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "Arrow": as_arrow,
    "objects": as_objects,
}
EACH = pytest.mark.parametrize("make", CONTAINERS.values(), ids=list(CONTAINERS))
NAMED = pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, as_arrow])


@EACH
@pytest.mark.parametrize(
    ("columns", "indices"),
    [
        ([0, 2], (0, 2)),
        ([2, 0], (2, 0)),
        ((-1, 1), (3, 1)),
        (np.array([0, -2]), (0, 2)),
        (slice(1, 3), (1, 2)),
        (slice(None), (0, 1, 2, 3)),
        (slice(-2, None), (2, 3)),
        (slice(None, None, 2), (0, 2)),
        ([True, False, False, True], (0, 3)),
        (np.array([False, True, True, False]), (1, 2)),
        (pd.Series([False, True, True, False]), (1, 2)),
        ([False] * 4, ()),
        ([], ()),
        (range(1, 3), (1, 2)),
    ],
    ids=repr,
)
def test_columns_by_their_places(make, columns, indices):
    assert select(make(COLUMNS), columns) == Selection(indices, False)


@EACH
def test_a_row_for_each_step(make):
    grid = np.array([[2, 3], [0, 1]])
    assert select(make(COLUMNS), grid) == Selection((2, 3, 0, 1), False, 2)
    assert select(make(COLUMNS), lambda X: grid[:, :1]) == Selection((2, 0), False, 1)
    with pytest.raises(ValueError, match="expected each column once"):
        select(make(COLUMNS), grid[[0, 0]])


@EACH
@pytest.mark.parametrize("index", [1, -3, np.int64(1), np.int8(-3)])
def test_an_index_means_a_column_by_itself(make, index):
    assert select(make(COLUMNS), index) == Selection((1,), True)


@NAMED
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("b", Selection((1,), True)),
        (np.str_("b"), Selection((1,), True)),
        (["b"], Selection((1,), False)),
        (["d", "a"], Selection((3, 0), False)),
        (["d", 0], Selection((3, 0), False)),
        (pd.Index(["d", "a"]), Selection((3, 0), False)),
        (np.array(["d", "a"]), Selection((3, 0), False)),
        (slice("b", "c"), Selection((1, 2), False)),
        (slice("b", None), Selection((1, 2, 3), False)),
        (slice(None, "b"), Selection((0, 1), False)),
        (slice("a", "d", 2), Selection((0, 2), False)),
        (slice("b", 3), Selection((1, 2), False)),
        (slice("c", "b"), Selection((), False)),
    ],
    ids=repr,
)
def test_columns_by_their_names(make, columns, expected):
    assert select(make(COLUMNS), columns) == expected


@NAMED
def test_a_function_of_X_says_which_columns(make):
    X = make(COLUMNS)
    assert select(X, lambda given: [given.shape[1] - 1]) == Selection((3,), False)
    assert select(X, lambda given: "c") == Selection((2,), True)
    assert select(X, lambda given: slice("a", "b")) == Selection((0, 1), False)
    assert select(X, lambda given: (name for name in "da")) == Selection((3, 0), False)


def test_a_selector_of_scikit_learn_chooses_columns_by_their_types():
    X = pd.DataFrame(COLUMNS)
    assert select(X, make_column_selector(dtype_include="number")).indices == (0, 3)
    assert select(X, make_column_selector(pattern="[bc]")).indices == (1, 2)


@pytest.mark.parametrize("columns", [["a", "a"], [0, -4], ["a", 0]])
def test_a_column_is_taken_once(columns):
    with pytest.raises(ValueError, match="expected each column once, got"):
        select(pd.DataFrame(COLUMNS), columns)


def test_a_name_that_several_columns_have_is_refused_but_not_their_indices():
    X = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="X has 2 columns of the name 'a'"):
        select(X, "a")
    assert select(X, [0, 2]).indices == (0, 2)
    selected = take_columns(X, select(X, [0, 2]))
    assert [column.tolist() for column in selected.columns] == [[1.0], [3.0]]


@NAMED
def test_an_unknown_name_is_refused_with_those_that_there_are(make):
    for columns in ("e", ["a", "e"], slice("a", "e")):
        with pytest.raises(
            ValueError, match=r"no column 'e'; its columns are \['a', 'b', 'c', 'd'"
        ):
            select(make(COLUMNS), columns)


def test_names_are_refused_where_columns_have_none():
    with pytest.raises(ValueError, match="columns of X have no names, got 'a': give a DataFrame"):
        select(as_objects(COLUMNS), "a")


@EACH
@pytest.mark.parametrize("index", [4, -5])
def test_an_index_beyond_the_columns_is_refused(make, index):
    for columns in (index, [0, index]):
        with pytest.raises(ValueError, match=f"X has 4 columns, .* got {index}"):
            select(make(COLUMNS), columns)


@pytest.mark.parametrize("n", [3, 5])
def test_there_is_a_truth_value_for_each_column(n):
    with pytest.raises(ValueError, match=f"expected 4 truth values, .* got {n}"):
        select(pd.DataFrame(COLUMNS), [True] * n)


@pytest.mark.parametrize(
    "columns",
    [None, 1.0, True, b"a", {"a": 1}, {"a"}, [1.0], [None], [True, 0], [["a"]], np.array([1.5])],
    ids=repr,
)
def test_what_means_no_columns_is_refused(columns):
    with pytest.raises(TypeError, match="expected columns as a name, an index, a slice"):
        select(pd.DataFrame(COLUMNS), columns)


# What is taken


@EACH
def test_taken_are_the_cells_and_their_names(make):
    X = make(COLUMNS)
    taken = take_columns(X, Selection((3, 1), False))
    numbers, texts = taken.columns
    assert_array_equal(numbers, [3, 4])
    assert texts[0] == "u"
    assert_array_equal(missing_cells(texts), [False, True])
    assert taken.names == (["3", "1"] if make is as_objects else ["d", "b"])
    assert taken.are_categories == [False, False]
    assert tuple(taken.container.shape) == (2, 2)
    assert type(taken.container) is type(X)


@EACH
def test_a_column_by_itself_has_one_dimension(make):
    taken = take_columns(make(COLUMNS), Selection((0,), True))
    assert len(taken.container) == 2
    assert np.ndim(taken.container) == 1
    assert [cells.tolist() for cells in taken.columns] == [[1.0, 2.0]]


def test_names_that_are_numbers_are_said_as_text():
    X = pd.DataFrame([[1.0, 2.0]], columns=[10, 20])
    assert take_columns(X, Selection((1,), False)).names == ["20"]


def test_containers_say_which_columns_hold_categories():
    texts, numbers = ["u", "v"], pd.Categorical([1, 2])
    frames = [
        pd.DataFrame({"a": pd.Categorical(texts), "b": numbers, "c": texts, "d": [1, 2]}),
        pl.DataFrame(
            {
                "a": pl.Series(texts, dtype=pl.Categorical),
                "b": pl.Series(texts, dtype=pl.Enum(texts)),
                "c": texts,
                "d": [1, 2],
            }
        ),
        pa.table(
            {
                "a": pa.array(texts).dictionary_encode(),
                "b": pa.array([1, 2]).dictionary_encode(),
                "c": texts,
                "d": [1, 2],
            }
        ),
    ]
    for frame in frames:
        taken = take_columns(frame, Selection((0, 1, 2, 3), False))
        assert taken.are_categories == [True, True, False, False]


@pytest.mark.parametrize(
    "cells",
    [
        np.array([np.nan, 1.0]),
        np.array([None, "u"], object),
        np.array([pd.NA, 1], object),
        np.array([np.nan, "u"], object),
        np.array(["NaT", "2020-01-01"], "datetime64[D]"),
        np.array(["NaT", 1], "timedelta64[D]"),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_cells_miss_in_any_form(cells):
    assert_array_equal(missing_cells(cells), [True, False])


@pytest.mark.parametrize(
    "cells",
    [np.array([0, 1]), np.array([False, True]), np.array(["", "u"]), np.zeros((2, 3)) * np.nan],
)
def test_cells_that_cannot_miss_do_not(cells):
    assert_array_equal(missing_cells(cells), [False, False])


@EACH
def test_a_row_misses_if_all_of_its_cells_do(make):
    columns = {"a": [None, 1.0, None], "b": [None, None, "u"], "c": [1, 2, 3]}
    X = make(columns)
    assert_array_equal(take_columns(X, Selection((0, 1), False)).are_missing, [True, False, False])
    assert_array_equal(take_columns(X, Selection((0,), True)).are_missing, [True, False, True])
    assert_array_equal(take_columns(X, Selection((0, 2), False)).are_missing, [False] * 3)
