"""Whatever holds numbers or ids, they are the same: each container against plain lists."""

from array import array
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor
from skgru._data.arrays import MISSING_ID, as_array, describe, exceeds_floats, to_ids, to_numbers
from tests.containers import (
    CONTAINERS,
    HOLES,
    MASKED,
    NAN,
    OUTER,
    VALUES,
    WITH_MISSING,
    OnlyArray,
    OnlyDlpack,
    Y,
    assert_reads,
    masked,
    objects,
    pa,
    with_missing,
)
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    output,
    read_tokens,
    rectangle,
    small,
)
from tests.entries import answers, assert_same_answers


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("outer", ["list", "object array"])
def test_numbers_of_any_container(outer, container):
    if "frame" in container or "table" in container or "batch" in container:
        outer = "list"  # a Series is made of frames below
    X = OUTER[outer]([CONTAINERS[container](v) for v in VALUES])
    assert_reads(X, VALUES)


@pytest.mark.parametrize("container", ["list", "masked array", "__dlpack__", "pandas frame"])
@pytest.mark.parametrize("outer", OUTER)
def test_containers_of_containers(outer, container):
    assert_reads(OUTER[outer]([CONTAINERS[container](v) for v in VALUES]), VALUES)


@pytest.mark.parametrize("kind", WITH_MISSING)
@pytest.mark.parametrize("outer", ["list", "object array"])
def test_missing_numbers_of_any_container(outer, kind):
    assert_reads(OUTER[outer]([WITH_MISSING[kind](v) for v in HOLES]), HOLES)


EVERY_ENTRY = {
    "masked arrays": [masked(v) for v in HOLES],
    "masked constants": [with_missing(v, MASKED) for v in HOLES],
    "masked cells": pd.DataFrame({"a": objects([masked(v) for v in HOLES])}),
    "Decimal": [[None if x != x else Decimal(x) for x in v] for v in HOLES],
    "NA": [with_missing(v, pd.NA) for v in HOLES],
    "polars": [pl.Series(with_missing(v, None), dtype=pl.Float64) for v in HOLES],
    "polars lists": pl.Series([with_missing(v, None) for v in HOLES]),
    "__dlpack__": [OnlyDlpack(v) for v in HOLES],
}


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize("form", EVERY_ENTRY)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_every_entry_reads_the_same(form, estimator_class):
    X = EVERY_ENTRY[form]
    plain = [np.array(v)[:, None] for v in HOLES]
    found = answers(X, Y, estimator_class=estimator_class)
    assert_same_answers(found, answers(plain, Y, estimator_class=estimator_class))


RECTANGLE = np.array([[1.5, NAN, 3.0, 4.0], [0.5, 1.0, NAN, 2.0], [NAN, 2.0, 1.0, 0.25]])
RECTANGLES = {
    "masked": masked,
    "masked, three dimensions": lambda a: masked(a).reshape(3, 2, 2),
    "masked objects": lambda a: masked(a).astype(object),
    "lists of masked constants": lambda a: [with_missing(row, MASKED) for row in a],
    "lists of steps of masked constants": lambda a: [
        np.reshape(objects(with_missing(row, MASKED)), (2, 2)).tolist() for row in a
    ],
    "list of masked matrices": lambda a: list(masked(a).reshape(3, 2, 2)),
    "lists of lists of masked steps": lambda a: [list(x) for x in masked(a).reshape(3, 2, 2)],
    "view of memory": lambda a: memoryview(a),
    "view of memory, three dimensions": lambda a: memoryview(a.reshape(3, 2, 2)),
    "__array__": OnlyArray,
    "__dlpack__": OnlyDlpack,
    "pandas": pd.DataFrame,
    "pandas objects": lambda a: pd.DataFrame(a).astype(object),
    "pandas nullable": lambda a: pd.DataFrame(a).astype("Float64"),
    "polars": lambda a: pl.DataFrame(a, orient="row", nan_to_null=True),
    "polars Decimal": lambda a: pl.DataFrame(a, orient="row", nan_to_null=True).cast(
        pl.Decimal(10, 2)
    ),
    "list of lists of None": lambda a: [with_missing(row, None) for row in a],
}
RECTANGLES["Arrow table"] = lambda a: pa.table(
    [pa.array(with_missing(c, None), pa.float64()) for c in a.T], names=list("abcd")
)


@pytest.mark.parametrize("form", RECTANGLES)
def test_rectangles(form):
    expected = list(RECTANGLE.reshape(3, 2, 2))
    assert_reads(RECTANGLES[form](RECTANGLE), expected, features_per_step=2)


BOOLEANS = {
    "pandas boolean": lambda: pd.DataFrame(
        {"a": [True, None], "b": [False, True]}, dtype="boolean"
    ),
    "pandas objects": lambda: pd.DataFrame({"a": [True, None], "b": [False, True]}),
    "polars": lambda: pl.DataFrame({"a": [True, None], "b": [False, True]}),
    "masked": lambda: np.ma.array([[True, False], [True, True]], mask=[[0, 0], [1, 0]]),
    "lists": lambda: [[True, False], [None, True]],
    "lists of masked": lambda: [[True, False], [MASKED, True]],
}
BOOLEANS["Arrow"] = lambda: pa.table({"a": [True, None], "b": [False, True]})
BOOLEANS["pandas Arrow"] = lambda: pd.DataFrame(
    {"a": [True, None], "b": [False, True]}, dtype=pd.ArrowDtype(pa.bool_())
)


@pytest.mark.parametrize("form", BOOLEANS)
def test_booleans_with_missing_ones(form):
    assert_reads(BOOLEANS[form](), [[1, 0], [NAN, 1]])


def snapshot(X):
    """Return everything that X holds, the masked numbers too."""
    if isinstance(X, np.ma.MaskedArray):
        return [X.data.tolist(), np.ma.getmaskarray(X).tolist()]
    return [X.to_numpy(float, copy=True).tolist(), X.dtypes.tolist()]


@pytest.mark.parametrize("form", ["masked", "masked, three dimensions", "pandas", "pandas objects"])
def test_x_is_left_as_it_is(form):
    X = RECTANGLES[form](RECTANGLE.copy())
    before = snapshot(X)
    y = np.ma.array([1.0, 2.0, 4.0], mask=False)
    small(GRURegressor, features_per_step=2).fit(X, y, X_val=X, y_val=y).predict(X)
    assert repr(snapshot(X)) == repr(before)  # NaN is not itself


# Tokens

BASE = 2**53
IDS = [[BASE, BASE + 1], [BASE + 2], [BASE + 1, BASE, BASE + 3]]
TOKENS = {
    name: CONTAINERS[name]
    for name in ("list", "deque", "UserList", "object array", "pandas Series", "pandas Index")
} | {
    "int64": np.array,
    "uint64": lambda v: np.array(v, np.uint64),
    "column": lambda v: np.array(v)[:, None],
    "objects of int64": lambda v: objects(list(np.array(v))),
    "array.array": lambda v: array("q", v),
    "memoryview": lambda v: memoryview(np.array(v)),
    "__array__": OnlyArray,
    "__dlpack__": OnlyDlpack,
    "Decimal": lambda v: list(map(Decimal, v)),
    "nullable": lambda v: pd.Series(v, dtype="Int64"),
    "nullable and missing": lambda v: pd.Series([*v, None], dtype="Int64"),
    "polars": pl.Series,
    "polars and missing": lambda v: pl.Series([*v, None]),
    "None behind": lambda v: [*v, None],
    "NaN behind": lambda v: [*v, NAN],
    "NA behind": lambda v: [*v, pd.NA],
    "masked behind": lambda v: [*v, MASKED],
    "masked": lambda v: np.ma.array([*v, 5], mask=[0] * len(v) + [1]),
    "masked object": lambda v: objects([*v, MASKED]),
    "pandas frame": lambda v: pd.DataFrame({"a": v}),
    "polars frame": lambda v: pl.DataFrame({"a": v}),
    "frame and missing": lambda v: pl.DataFrame({"a": [*v, None]}),
}
TOKENS |= {
    "Arrow": pa.array,
    "Arrow and missing": lambda v: pa.array([*v, None]),
    "Arrow table": lambda v: pa.table({"a": [*v, None]}),
    "pandas Arrow": lambda v: pd.Series([*v, None], dtype=pd.ArrowDtype(pa.int64())),
}


@pytest.mark.parametrize("form", TOKENS)
def test_ids_never_merge(form):
    sequences = read_tokens([TOKENS[form](v) for v in IDS]).sequences
    assert_array_equal(sequences.values, np.concatenate(IDS), strict=True)
    assert_array_equal(sequences.offsets, [0, 2, 3, 6])


@pytest.mark.parametrize(
    ("wide", "container"),
    [(False, pl.Series), (False, pd.Series), (True, pd.DataFrame), (True, np.array)],
)
def test_ids_of_tables_never_merge(wide, container):
    padded = np.array([[*v, *[0] * (3 - len(v))] for v in IDS])
    X = container(padded) if wide else container(IDS)
    assert_array_equal(read_tokens(X).sequences.values, np.concatenate(IDS))
    if wide:
        holes = np.ma.array(padded, mask=padded == 0)
        assert_array_equal(read_tokens(holes).sequences.values, np.concatenate(IDS))


@pytest.mark.parametrize(
    "hole", [None, NAN, pd.NA, MASKED, pd.NaT, Decimal("NaN")], ids=lambda h: type(h).__name__
)
def test_a_missing_id_inside_is_refused(hole):
    with pytest.raises(ValueError, match="NaN: sequence 1, step 1"):
        read_tokens([[2, 3], [2, hole, 4], [3]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_numbers_of_any_type_are_the_numbers_they_are(n_dimensions, dtype):
    X, y = rectangle()
    X = (X > 0).astype(dtype) if dtype == "bool" else np.abs(4 * X).astype(dtype)
    X = X[:, :, 0] if n_dimensions == 2 else X
    reference = small(GRUClassifier).fit(X.astype(float), y)
    assert_same_model(small(GRUClassifier).fit(X, y), reference)
    assert_same_model(small(GRUClassifier).fit(list(X), y), reference)
    assert_array_equal(output(reference, X), output(reference, X.astype(float)))


def test_masked_values_are_missing():
    X, y = rectangle()
    masked = np.ma.masked_array(X, mask=np.zeros(X.shape, bool))
    assert_same_model(small(GRUClassifier).fit(masked, y), small(GRUClassifier).fit(X, y))
    masked[2, 1, 0] = np.ma.masked
    with_nan = X.copy()
    with_nan[2, 1, 0] = np.nan
    assert_same_model(small(GRUClassifier).fit(masked, y), small(GRUClassifier).fit(with_nan, y))


def test_an_unsigned_id_too_large_for_a_signed_one():
    X = np.array([[2, 3], [2**63, 3]], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"below 2\*\*62, got 9223372036854775808 in sequence 1"):
        small(GRUClassifier, embedding_dim=2).fit(X, [0, 1])


@pytest.mark.parametrize(
    "form", ["lists", "int64", "objects", "uint64", "Int64", "polars", "masked"]
)
def test_ids_beyond_the_integers_of_a_float_stay_apart(form):
    base = 2**53
    ids = [[base, base + 1], [base + 2], [base + 1, base]]
    forms = {
        "lists": ids,
        "int64": [np.array(x) for x in ids],
        "objects": [np.array(x, object) for x in ids],
        "uint64": [np.array(ids[0], np.uint64), np.array(ids[1]), np.array(ids[2])],
        "Int64": [pd.Series([*x, None], dtype="Int64") for x in ids],
        "polars": [pl.Series([*x, None]) for x in ids],
        "masked": [np.ma.array([*x, 5], mask=[0] * len(x) + [1]) for x in ids],
    }
    model = small(GRUClassifier, embedding_dim=3).fit(forms[form], [0, 1, 0])
    assert model.token_ids_.tolist() == [1, base, base + 1, base + 2]


# Cells alone


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2], np.array([1, 2])),
        ([True, False], np.array([True, False])),
        ([True, 2], np.array([1, 2])),
        ([1, None], np.array([1, NAN])),
        ([2**63, 1], np.array([2**63, 1], np.uint64)),
        ([-1, 2**63], np.array([-1.0, 2.0**63])),
        ([Decimal("0.5"), 2], np.array([0.5, 2.0])),
        (np.array([1, 2], np.int8), np.array([1, 2], np.int8)),
        (np.array([1, 2], np.float32), np.array([1, 2], np.float32)),
        (np.array([1, 2], np.longdouble), np.array([1.0, 2.0])),
        (np.ma.array([1, 2], mask=[0, 1]), np.array([1, NAN])),
    ],
)
def test_cells_have_the_type_that_holds_them_all(cells, expected):
    assert_array_equal(to_numbers(as_array(cells), "X"), expected, strict=True)


def test_masked_integers_beyond_those_of_a_float_stay_integers():
    cells = as_array(np.ma.array([2**53 + 1, 5], mask=[0, 1]))
    assert cells.tolist() == [2**53 + 1, None]
    assert_array_equal(to_ids(cells, "X"), [2**53 + 1, MISSING_ID], strict=True)
    assert as_array(np.ma.array([2**52, 5], mask=[0, 1])).dtype == np.float64


@pytest.mark.parametrize(
    ("numbers", "exceeds"),
    [([2**53], True), ([2**53 - 1], False), ([-(2**53)], True), ([0.5], False), ([], False)],
)
def test_integers_from_2_to_the_53_on_may_not_be_floats(numbers, exceeds):
    assert exceeds_floats(np.array(numbers)) == exceeds


def test_an_error_names_the_cell_in_the_words_that_it_is_given():
    cells = as_array([[1.0, 2.0], [3.0, "x"]])
    with pytest.raises(ValueError, match=r"got the text 'x' in the cell \(1, 1\)"):
        to_numbers(cells, lambda index: f"the cell {index}")
    with pytest.raises(ValueError, match=r"got 2\.5 in here"):
        to_ids(np.array([1, 2.5]), "here")


def test_things_are_described_in_words():
    things = [np.ones((2, 3)), "a", b"a", {}, 1, object()]
    expected = ["an array of shape (2, 3)", "a string", "bytes", "a dict", "an int", "an object"]
    assert list(map(describe, things)) == expected
