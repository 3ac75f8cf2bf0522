"""Whatever holds numbers, they are the same numbers; what has no one meaning is refused by name.

Tables of containers, types and missing values for X, y, weights, targets of steps, tokens and time
stamps, each compared with plain lists of float64 arrays, at every entry.
"""

import copy
from array import array
from collections import UserList, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru.per_timestep import PerTimestep
from tests.data.test_forms import objects
from tests.datasets import (
    ESTIMATORS,
    NAMED_FRAMES,
    assert_same_model,
    output,
    ragged,
    read_numbers,
    read_tokens,
    small,
)

try:  # no requirement of the tests, and one may be installed that needs a newer NumPy
    import pyarrow as pa
except ImportError:
    pa = None

NAN = np.nan
MASKED = np.ma.masked


class OnlyArray:
    """An array of another library that NumPy converts."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


class OnlyDlpack:
    """An array of another library that hands over its memory; it knows its dimensions."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.ndim, self.shape = self.values.ndim, self.values.shape

    def __dlpack__(self, **options):
        return self.values.__dlpack__()

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Unreadable:
    """An array of another library that has an error of its own."""

    ndim, shape = 1, (3,)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it is on another device")


def masked(values):
    """Return an array with its NaN masked, and something else in their places."""
    values = np.asarray(values, float)
    return np.ma.masked_array(np.where(np.isnan(values), -7.0, values), mask=np.isnan(values))


def with_missing(values, missing):
    return [missing if v != v else v for v in np.asarray(values).tolist()]


# Each makes one sequence (T,) of a list of floats, which are small binary fractions.
CONTAINERS = {
    "array": np.array,
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values of a dict": lambda v: dict(enumerate(v)).values(),
    "array.array": lambda v: array("d", v),
    "memoryview": lambda v: memoryview(np.array(v)),
    "__array__": OnlyArray,
    "__dlpack__": OnlyDlpack,
    "steps of arrays": lambda v: [np.array([x]) for x in v],
    "steps of __array__": lambda v: [OnlyArray([x]) for x in v],
    "arrays of no dimension": lambda v: [np.array(x) for x in v],
    "object array": lambda v: np.array(v, object),
    "float32": lambda v: np.array(v, np.float32),
    "long double": lambda v: np.array(v, np.longdouble),
    "masked array": np.ma.array,
    "Decimal": lambda v: list(map(Decimal, v)),
    "Fraction": lambda v: list(map(Fraction, v)),
    "pandas Series": pd.Series,
    "pandas Series, nullable": lambda v: pd.Series(v, dtype="Float64"),
    "pandas Index": pd.Index,
    "pandas array": pd.array,
    "pandas frame": lambda v: pd.DataFrame({"a": v}),
    "pandas frame of Decimal": lambda v: pd.DataFrame({"a": objects(list(map(Decimal, v)))}),
    "pandas categories": lambda v: pd.DataFrame({"a": pd.Series(v).astype("category")}),
    "polars Series": pl.Series,
    "polars Decimal": lambda v: pl.Series(v).cast(pl.Decimal(10, 2)),
    "polars frame": lambda v: pl.DataFrame({"a": v}),
}
if pa:
    CONTAINERS |= {
        "Arrow": pa.array,
        "Arrow in chunks": lambda v: pa.chunked_array([v[:1], v[1:]]),
        "Arrow Decimal": lambda v: pa.array(list(map(Decimal, v)), pa.decimal128(10, 2)),
        "Arrow table": lambda v: pa.table({"a": v}),
        "Arrow batch": lambda v: pa.RecordBatch.from_pydict({"a": v}),
        "pandas Arrow Decimal": lambda v: pd.Series(
            list(map(Decimal, v)), dtype=pd.ArrowDtype(pa.decimal128(10, 2))
        ),
    }
# The same with NaN for a missing number.
WITH_MISSING = {
    "NaN": np.array,
    "None": lambda v: with_missing(v, None),
    "pandas' NA": lambda v: with_missing(v, pd.NA),
    "NaT": lambda v: with_missing(v, pd.NaT),
    "NaN of Decimal": lambda v: with_missing(v, Decimal("NaN")),
    "Decimal and None": lambda v: [None if x != x else Decimal(x) for x in v],
    "masked": masked,
    "masked column": lambda v: masked(v)[:, None],
    "masked integers of steps": lambda v: [np.ma.array([x], mask=[x != x]) for x in v],
    "masked constant": lambda v: with_missing(v, MASKED),
    "masked constant in lists": lambda v: [[x] for x in with_missing(v, MASKED)],
    "masked constant in an object array": lambda v: objects(with_missing(v, MASKED)),
    "masked objects": lambda v: masked(v).astype(object),
    "object array of None": lambda v: np.array(with_missing(v, None), object),
    "nullable": lambda v: pd.Series(with_missing(v, None), dtype="Float64"),
    "object frame": lambda v: pd.DataFrame({"a": objects(with_missing(v, None))}),
    "frame of masked constants": lambda v: pd.DataFrame({"a": objects(with_missing(v, MASKED))}),
    "polars": lambda v: pl.Series(with_missing(v, None), dtype=pl.Float64),
    "polars frame": lambda v: pl.DataFrame({"a": with_missing(v, None)}, schema={"a": pl.Float64}),
    "polars Decimal": lambda v: pl.Series(with_missing(v, None), dtype=pl.Float64).cast(
        pl.Decimal(10, 2)
    ),
}
if pa:
    WITH_MISSING |= {
        "Arrow": lambda v: pa.array(with_missing(v, None), pa.float64()),
        "Arrow table": lambda v: pa.table({"a": pa.array(with_missing(v, None), pa.float64())}),
        "pandas Arrow": lambda v: pd.Series(
            with_missing(v, None), dtype=pd.ArrowDtype(pa.float64())
        ),
    }
# Each makes an X of sequences.
OUTER = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values of a dict": lambda s: dict(enumerate(s)).values(),
    "object array": objects,
    "pandas Series": lambda s: pd.Series(objects(s)),
}
VALUES = [[1.5, -2.0, 3.0], [0.25], [4.0, 8.5, -0.5, 6.0], [2.0, 1.0]]
HOLES = [[1.5, NAN, 3.0], [0.25], [NAN, 8.5, NAN, 6.0], [2.0, 1.0]]
Y = [0, 1, 0, 1]


def reads(X, **options):
    """Return the numbers that are read, sequence by sequence."""
    sequences = read_numbers(X, allow_missing=True, **options).sequences
    values = sequences.values.astype(np.float64)
    return [values[a:b] for a, b in zip(sequences.offsets, sequences.offsets[1:], strict=False)]


def assert_reads(X, expected, **options):
    found = reads(X, **options)
    assert len(found) == len(expected)
    for x, numbers in zip(found, expected, strict=True):
        numbers = np.asarray(numbers, float)
        assert_array_equal(x, numbers.reshape(len(numbers), -1), strict=True)


def answers(X, y, w=None, estimator_class=GRUClassifier, **parameters):
    """Return what every entry makes of X, y and weights."""
    one, others = small(estimator_class, **parameters), small(estimator_class, **parameters)
    fitted = one.set_params(max_iter=1).fit(X, y, w, X_val=X, y_val=y, sample_weight_val=w)
    more = others.set_params(learning_rate="constant")
    first = {"classes": np.unique(Y)} if estimator_class is GRUClassifier else {}
    more.partial_fit(X, y, w, **first).partial_fit(X, y, w)
    return [
        *fitted.parameters_.values(),
        *more.parameters_.values(),
        fitted.validation_scores_,
        fitted.score(X, y, w),
        fitted.predict(X),
        output(fitted, X),
        fitted.transform(X),
        *fitted.transform_steps(X),
    ]


def assert_same_answers(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b, strict=True)


# X: numbers


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
if pa:
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
if pa:
    BOOLEANS["Arrow"] = lambda: pa.table({"a": [True, None], "b": [False, True]})
    BOOLEANS["pandas Arrow"] = lambda: pd.DataFrame(
        {"a": [True, None], "b": [False, True]}, dtype=pd.ArrowDtype(pa.bool_())
    )


@pytest.mark.parametrize("form", BOOLEANS)
def test_booleans_with_missing_ones(form):
    assert_reads(BOOLEANS[form](), [[1, 0], [NAN, 1]])


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_one_column_of_steps_of_several_features(library):
    cells = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])]
    column = objects(cells) if library is pd else [x.tolist() for x in cells]
    X = library.DataFrame({"a": column})
    assert_reads(X, cells)
    scaled = PerTimestep(StandardScaler()).fit_transform(X)
    for x, expected in zip(scaled, PerTimestep(StandardScaler()).fit_transform(cells), strict=True):
        assert_array_equal(x, expected)


@pytest.mark.skipif(pa is None, reason="needs pyarrow")
def test_tables_of_arrow_are_scaled_step_by_step():
    arrays = [np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[5.0, 6.0]])]
    expected = PerTimestep(StandardScaler()).fit_transform(arrays)
    tables = [pa.table({"a": x[:, 0], "b": x[:, 1]}) for x in arrays]
    nested = pa.table({"a": [x[:, 0].tolist() for x in arrays], "b": [x[:, 1] for x in arrays]})
    for X in (tables, nested):
        for x, numbers in zip(
            PerTimestep(StandardScaler()).fit_transform(X), expected, strict=True
        ):
            assert_array_equal(x, numbers)
    swapped = [tables[0], tables[1].select(["b", "a"])]
    with pytest.raises(ValueError, match=r"same columns in the same order: expected \['a', 'b'\]"):
        PerTimestep(StandardScaler()).fit(swapped)


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


# X: what is refused

LONG = "one row per step is made into one sequence per sample"
TABLE = pd.DataFrame({"id": [0, 0, 1], "a": [1.0, 2.0, 3.0]})
LEVELS = pd.MultiIndex.from_tuples([(0, 0), (0, 1), (1, 0)])
REFUSED = {
    "set": (lambda: {1.0, 2.0, 3.0}, TypeError, "got a set, whose order has nothing to do"),
    "frozenset": (lambda: frozenset([1, 2, 3]), TypeError, "got a frozenset, whose order"),
    "dict": (lambda: {"a": [1.0]}, TypeError, r"got a dict: a list of its values"),
    "set in a list": (lambda: [{1}, {2}, {3}], TypeError, "got a set as element 0"),
    "set beside a list": (lambda: [[1], {2}, [3]], TypeError, "Sequence 1: .*got a set"),
    "dict in a list": (lambda: [{}, {}, {}], TypeError, "got a dict as element 0"),
    "dict beside a list": (lambda: [[1], {"a": 1}, [3]], TypeError, "Sequence 1: .*got a dict"),
    "sets as steps": (lambda: [[{1}], [1], [2]], TypeError, r"got a set, \{1\}, in sequence 0"),
    "generator": (lambda: (x for x in VALUES), TypeError, r"got a generator: .*list\(\)"),
    "map": (lambda: map(list, VALUES), TypeError, r"got a map: .*list\(\)"),
    "generators": (lambda: [(x for x in v) for v in VALUES], TypeError, "a generator as element 0"),
    "group by of pandas": (lambda: TABLE.groupby("id"), TypeError, f"DataFrameGroupBy.*{LONG}"),
    "of a column": (lambda: TABLE.groupby("id")["a"], TypeError, f"SeriesGroupBy.*{LONG}"),
    "group by of polars": (
        lambda: pl.DataFrame({"id": [0, 0, 1]}).group_by("id"),
        TypeError,
        f"GroupBy.*{LONG}",
    ),
    "lazy frame": (lambda: pl.LazyFrame({"a": [1.0]}), TypeError, "got a LazyFrame: collect it"),
    "levels": (lambda: TABLE.set_index(LEVELS), ValueError, f"with a MultiIndex.*{LONG}"),
    "levels of a Series": (
        lambda: TABLE.set_index(LEVELS)["a"],
        ValueError,
        f"a Series of numbers with a MultiIndex.*{LONG}",
    ),
    "structured": (
        lambda: np.zeros((3, 2), [("a", float)]),
        ValueError,
        "structured .*structured_to_unstructured",
    ),
    "structured column": (
        lambda: np.zeros(3, [("a", float), ("b", int)]),
        ValueError,
        "structured .*structured_to_unstructured",
    ),
    "structured in a list": (
        lambda: [np.zeros(2, [("a", float)])] * 3,
        ValueError,
        "sequence 0.*structured_to_unstructured",
    ),
    "sparse": (lambda: sparse.csr_array(np.eye(3)), TypeError, "Sparse data was passed"),
    "sparse in a list": (
        lambda: [sparse.csr_array(np.eye(2))] * 3,
        TypeError,
        "Sequence 0: .*csr_array.*toarray",
    ),
    "one dimension": (
        lambda: np.arange(3.0),
        ValueError,
        r"one sequence of many steps is X.reshape\(1, -1\) .*many sequences of one step",
    ),
    "numbers": (lambda: [1.0, 2.0, 3.0], ValueError, r"one sequence of many steps .*or \[X\]"),
    "text": (lambda: "abc", ValueError, "got a string: .*SequenceVectorizer"),
    "bytes": (lambda: bytearray(b"abc"), ValueError, "got a string"),
    "texts in lists": (lambda: [["a"], ["b"], ["c"]], ValueError, "got the text 'a' in sequence 0"),
    "numbers as texts": (lambda: [["1"], ["2"], ["3"]], ValueError, "got the text '1'"),
    "masked texts": (
        lambda: np.ma.array([["a"], ["b"], ["c"]], mask=[[1], [0], [0]]),
        ValueError,
        "got the text 'b' in sequence 1",
    ),
    "masked complex": (
        lambda: np.ma.array([[1j], [2], [3]], mask=[[1], [0], [0]]),
        ValueError,
        "Complex data not supported",
    ),
    "masked dates": (
        lambda: np.ma.array([["2020"], ["2021"], ["2022"]], "M8[D]", mask=[[1], [0], [0]]),
        ValueError,
        "got dates .*sequence 0.*time_feature=None",
    ),
    "dates": (lambda: [[date(2020, 1, 1)]] * 3, ValueError, "got the date .*sequence 0, step 0"),
    "dates in a column": (
        lambda: pl.DataFrame({"a": [date(2020, 1, 1)] * 3}),
        ValueError,
        "got dates .*column 'a', row 0",
    ),
    "times": (lambda: [[time(1)]] * 3, TypeError, "got a time, .*sequence 0"),
    "complex cells": (lambda: [[1, None, 1j]] * 3, ValueError, "Complex data .*1j"),
    "an integer of 400 digits": (
        lambda: [[1], [10**400], [2]],
        ValueError,
        "sequence 1, step 0, .*too large for float64",
    ),
    "in a table": (
        lambda: pd.DataFrame({"a": objects([1, 2, 10**400])}),
        ValueError,
        "column 'a', row 2 of X is too large for float64",
    ),
    "a Decimal of 400 digits": (
        lambda: [[Decimal(10) ** 400]] * 3,
        ValueError,
        "contains infinity",
    ),
    "a Fraction of 400 digits": (lambda: [[Fraction(10**400)]] * 3, ValueError, "is too large for"),
    "signaling NaN": (lambda: [[Decimal("sNaN")]] * 3, ValueError, "sequence 0.*is no float64"),
    "objects": (lambda: [[object()]] * 3, TypeError, "got an object, <object.*sequence 0, step 0"),
    "unreadable": (
        Unreadable,
        TypeError,
        "Unreadable could not be read as an array of NumPy: it is",
    ),
    "unreadable sequences": (lambda: [Unreadable()] * 3, TypeError, "Sequence 0: Unreadable could"),
    "unreadable cells": (lambda: [[Unreadable()]] * 3, TypeError, "Unreadable could not be read"),
    "ragged steps": (lambda: [[[1, 2], [3]], [[1]], [[2]]], ValueError, "Sequence 0 is ragged"),
    "numbers beside steps": (
        lambda: [[[1, 2], 3], [[1]], [[2]]],
        (ValueError, TypeError),
        "uence 0",
    ),
    "no sequence": (lambda: [[1.0], None, [2.0]], ValueError, r"Sequence 1 is missing \(None\)"),
    "masked sequence": (lambda: [[1.0], MASKED, [2.0]], ValueError, "Sequence 1 is missing"),
    "NaN for a sequence": (lambda: [[1.0], NAN, [2.0]], ValueError, "Sequence 1 is missing"),
    "masked cells": (
        lambda: np.ma.array(objects([np.ones(2)] * 3), mask=[0, 1, 0]),
        ValueError,
        "Sequence 1 is missing",
    ),
    "None": (lambda: None, TypeError, "got a NoneType"),
    "number": (lambda: 5, TypeError, "got an int"),
    "type": (lambda: list, TypeError, "got a type"),
}
PLAIN = [np.array(v)[:, None] for v in VALUES[:3]]
FITTED = {name: None for name in ESTIMATORS}


def fitted(estimator_class):
    if FITTED[estimator_class] is None:
        FITTED[estimator_class] = small(estimator_class).fit(PLAIN, Y[:3])
    return FITTED[estimator_class]


X_ENTRIES = {
    "fit": lambda c, X: small(c).fit(X, Y[:3]),
    "partial_fit": lambda c, X: small(c).partial_fit(
        X, Y[:3], **({"classes": [0, 1]} if c is GRUClassifier else {})
    ),
    "continued": lambda c, X: (
        copy.deepcopy(fitted(c)).set_params(learning_rate="constant").partial_fit(X, Y[:3])
    ),
    "X_val": lambda c, X: small(c).fit(PLAIN, Y[:3], X_val=X, y_val=Y[:3]),
    "predict": lambda c, X: fitted(c).predict(X),
    "score": lambda c, X: fitted(c).score(X, Y[:3]),
    "transform": lambda c, X: fitted(c).transform(X),
    "transform_steps": lambda c, X: fitted(c).transform_steps(X),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
def test_what_has_no_one_meaning_is_refused_at_every_entry(kind):
    make, error, message = REFUSED[kind]
    for name, enter in X_ENTRIES.items():
        if kind == "None" and name == "X_val":
            continue  # there is none
        for estimator_class in ESTIMATORS if name == "fit" else ESTIMATORS[:1]:
            with pytest.raises(error, match=message):
                enter(estimator_class, make())
    if "date" not in kind:
        with pytest.raises(error, match=message):
            PerTimestep(StandardScaler()).fit(make())


def test_sequences_without_steps_are_predicted_and_not_trained_on():
    nothing = [[], np.empty((0, 1)), masked([NAN, NAN])]
    for name in ("fit", "partial_fit", "continued", "X_val"):
        with pytest.raises(ValueError, match="X has no step"):
            X_ENTRIES[name](GRUClassifier, nothing)
    model = fitted(GRUClassifier)
    alone = model.predict_proba([[]])
    assert_array_equal(model.predict_proba(nothing), alone.repeat(3, axis=0))
    assert 0 <= model.score(nothing, Y[:3]) <= 1
    assert [len(x) for x in model.transform_steps(nothing)] == [0, 0, 0]
    with pytest.raises(ValueError, match="X has no step"):
        PerTimestep(StandardScaler()).fit(nothing)
    steps = small(GRUClassifier, pooling=None).fit(
        PLAIN, [[0] * len(x) for x in PLAIN[:2]] + [[1] * 4]
    )
    with pytest.raises(ValueError, match="X has no step to score"):
        steps.score(nothing, [[], [], []])


@pytest.mark.parametrize("X", [[[[]], [[]], [[]]], [np.empty((1, 0))] * 3, [[]] * 3])
def test_no_token_at_all(X):
    model = small(GRUClassifier, embedding_dim=2)
    with pytest.raises(ValueError, match="X has no step"):
        model.fit(X, Y[:3])
    model.fit([[2, 3], [3], [2]], Y[:3])
    assert_array_equal(model.predict_proba(X), model.predict_proba([[]]).repeat(3, axis=0))


# X: names


def swap(frame):
    return frame[["b", "a"]] if not hasattr(frame, "select") else frame.select(["b", "a"])


def rename(frame):
    if hasattr(frame, "rename_columns"):
        return frame.rename_columns(["a", "c"])
    renaming = {"b": "c"}
    return frame.rename(columns=renaming) if hasattr(frame, "iloc") else frame.rename(renaming)


LIBRARIES = dict(NAMED_FRAMES)
if pa:
    LIBRARIES["pyarrow"] = pa


def of_frames(X, library):
    make = library.table if library is pa else library.DataFrame
    return [make({"a": x[:, 0], "b": x[:, 1]}) for x in X]


def nested(X, library):
    make = library.table if library is pa else library.DataFrame
    return make({name: [x[:, j].tolist() for x in X] for j, name in enumerate("ab")})


@pytest.mark.parametrize("spoil", [swap, rename])
@pytest.mark.parametrize("outer", [*OUTER, "nested"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_are_read_by_name(library, outer, spoil):
    X, y = ragged(6, n_features=2, shortest=2)
    library = LIBRARIES[library]
    if outer == "nested":
        good = nested(X, library)
        bad = spoil(good)
    else:
        good = OUTER[outer](of_frames(X, library))
        bad = OUTER[outer]([spoil(frame) for frame in of_frames(X, library)])
    make = {"max_iter": 1}
    model = small(GRUClassifier, **make).fit(good, y)
    assert_array_equal(model.feature_names_in_, np.array(["a", "b"], object))
    plain = small(GRUClassifier, **make).fit(X, y)
    assert_same_model(model, plain)
    assert_array_equal(model.predict_proba(good), plain.predict_proba(X))
    timed = small(GRUClassifier, time_feature="b", **make)
    assert_reads(good, X, time_feature=1)
    for enter in (
        lambda: model.predict(bad),
        lambda: model.predict_proba(bad),
        lambda: model.score(bad, y),
        lambda: model.transform(bad),
        lambda: model.transform_steps(bad),
        lambda: copy.deepcopy(model).set_params(learning_rate="constant").partial_fit(bad, y),
        lambda: small(GRUClassifier, **make).fit(good, y, X_val=bad, y_val=y),
    ):
        with pytest.raises(ValueError, match="feature names should match those that were passed"):
            enter()
    if spoil is rename:
        with pytest.raises(ValueError, match="Expected a column time_feature='b'"):
            timed.fit(bad, y)
    if outer == "nested":
        return
    mixed = OUTER[outer]([*list(good)[:3], *list(bad)[3:]])
    with pytest.raises(ValueError, match=r"same columns in the same order: .*sequence 3 has"):
        small(GRUClassifier).fit(mixed, y)
    with pytest.raises(ValueError, match=r"same columns in the same order: .*sequence 3 has"):
        model.predict(mixed)
    nameless = OUTER[outer]([*list(good)[:3], *X[3:]])
    with pytest.raises(TypeError, match="sequence 3: its features have no names"):
        small(GRUClassifier).fit(nameless, y)


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_time_feature_is_found_by_its_name(library, outer):
    X, y = ragged(6, n_features=2, shortest=2)
    for x in X:
        x[:, 1] = np.arange(len(x)) ** 2
    frames = OUTER[outer](of_frames(X, LIBRARIES[library]))
    model = small(GRUClassifier, time_feature="b").fit(frames, y)
    assert_same_model(model, small(GRUClassifier, time_feature=1).fit(X, y))
    front = OUTER[outer]([swap(frame) for frame in of_frames(X, LIBRARIES[library])])
    other = small(GRUClassifier, time_feature="b").fit(front, y)
    assert_same_model(other, small(GRUClassifier, time_feature=0).fit([x[:, ::-1] for x in X], y))


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
if pa:
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


# Time stamps

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
if pa:
    DATES |= {
        f"Arrow, {unit}": lambda unit=unit: pa.array(NAIVE, pa.timestamp(unit))
        for unit in ("s", "ms", "us", "ns")
    }
    DATES |= {
        "Arrow with a zone": lambda: pa.array(AWARE, pa.timestamp("us", "UTC")),
        "pandas Arrow": lambda: pd.Series(NAIVE, dtype=pd.ArrowDtype(pa.timestamp("us"))),
        "pandas Arrow, zone": lambda: pd.Series(
            AWARE, dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))
        ),
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
    elif pa and isinstance(stamps, pa.Array):
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
if pa:
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


# y

TARGETS = [1.5, -2.0, 0.25, 4.0]
NOT_FOR_Y = {  # of which a column is meant, or none can be made
    "steps of arrays",
    "steps of __array__",
    "pandas frame",
    "pandas frame of Decimal",
    "pandas categories",
    "polars frame",
    "Arrow table",
    "Arrow batch",
}
Y_CONTAINERS = {name: make for name, make in CONTAINERS.items() if name not in NOT_FOR_Y}


@pytest.mark.parametrize("container", Y_CONTAINERS)
def test_targets_and_weights_of_any_container(container):
    make = Y_CONTAINERS[container]
    X = [np.array(v)[:, None] for v in VALUES]
    weights = [0.5, 1.0, 2.0, 0.0]
    expected = answers(X, np.array(TARGETS), np.array(weights), GRURegressor)
    assert_same_answers(answers(X, make(TARGETS), make(weights), GRURegressor), expected)


@pytest.mark.parametrize("container", Y_CONTAINERS)
def test_labels_of_any_container(container):
    X = [np.array(v)[:, None] for v in VALUES]
    expected = small(GRUClassifier).fit(X, np.array(Y, float))
    y = Y_CONTAINERS[container](np.array(Y, float).tolist())
    model = small(GRUClassifier).fit(X, y)
    assert_same_model(model, expected)
    assert_array_equal(model.classes_, [0, 1])
    assert model.score(X, y) == expected.score(X, Y)


LABELS = {
    "texts": lambda: list("abab"),
    "texts of NumPy": lambda: np.array(list("abab")),
    "text objects": lambda: np.array(list("abab"), object),
    "masked": lambda: np.ma.array(list("abab"), mask=False),
    "pandas": lambda: pd.Series(list("abab")),
    "pandas categories": lambda: pd.Series(list("abab"), dtype="category"),
    "pandas strings": lambda: pd.Series(list("abab"), dtype="string"),
    "polars": lambda: pl.Series(list("abab")),
    "polars categories": lambda: pl.Series(list("abab"), dtype=pl.Categorical),
    "polars Enum": lambda: pl.Series(list("abab"), dtype=pl.Enum(["b", "a"])),
    "deque": lambda: deque("abab"),
}
if pa:
    LABELS["Arrow"] = lambda: pa.array(list("abab"))
    LABELS["Arrow dictionary"] = lambda: pa.array(list("abab")).dictionary_encode()


@pytest.mark.parametrize("form", LABELS)
def test_texts_are_labels(form):
    X = [np.array(v)[:, None] for v in VALUES]
    y = LABELS[form]()
    model = small(GRUClassifier).fit(X, y, X_val=X, y_val=y)
    assert_same_model(model, small(GRUClassifier).fit(X, Y, X_val=X, y_val=Y))
    assert model.classes_.tolist() == ["a", "b"]
    assert model.score(X, y) == np.mean(model.predict(X) == np.array(list("abab")))


@pytest.mark.parametrize(
    "form",
    [
        lambda: [True, False, True, False],
        lambda: pd.Series([True, False, True, False], dtype="boolean"),
        lambda: pl.Series([True, False, True, False]),
        lambda: np.ma.array([True, False, True, False], mask=False),
        lambda: np.array([True, False, True, False], object),
    ],
)
def test_booleans_are_labels(form):
    X = [np.array(v)[:, None] for v in VALUES]
    assert small(GRUClassifier).fit(X, form()).classes_.tolist() == [False, True]


MISSING_TARGETS = {
    name: make
    for name, make in WITH_MISSING.items()
    if not any(word in name for word in ("frame", "table", "column", "steps", "lists"))
}
SCORING = [[1.0, 2.0], [3.0], [1.0], [2.0, 2.0]]
ENTRIES_OF_Y = {
    "fit": lambda c, y: small(c).fit(SCORING, y),
    "partial_fit": lambda c, y: small(c).partial_fit(
        SCORING, y, **({"classes": [0, 1]} if c is GRUClassifier else {})
    ),
    "y_val": lambda c, y: small(c).fit(SCORING, Y, X_val=SCORING, y_val=y),
    "score": lambda c, y: fitted(c).score(SCORING, y),
}


@pytest.mark.parametrize("kind", MISSING_TARGETS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_missing_targets_are_refused(estimator_class, kind):
    for enter in ENTRIES_OF_Y.values():
        with pytest.raises(ValueError, match="Input y contains NaN"):
            enter(estimator_class, MISSING_TARGETS[kind]([0.0, 1.0, NAN, 1.0]))


@pytest.mark.parametrize(
    "y",
    [
        ["a", None, "b", "b"],
        ["a", NAN, "b", "b"],
        np.ma.array(list("abab"), mask=[0, 1, 0, 0]),
        pd.Series(["a", None, "b", "b"]),
        pd.Series(["a", None, "b", "b"], dtype="category"),
        pl.Series(["a", None, "b", "b"]),
        [True, None, False, True],
        pd.Series([True, None, False, True], dtype="boolean"),
        pl.Series([True, None, False, True]),
    ],
)
def test_missing_labels_are_refused(y):
    for name in ("fit", "score", "y_val"):
        with pytest.raises(ValueError, match="Input y contains NaN: target 1 of y is missing"):
            ENTRIES_OF_Y[name](GRUClassifier, y)


REFUSED_TARGETS = {
    "set": ({1, 2, 3, 4}, TypeError, "as y, got a set, whose order has nothing to do"),
    "dict": ({0: 1, 1: 2}, TypeError, "as y, got a dict: a list of its values"),
    "keys": ({0: 1}.keys(), TypeError, "as y, got a dict_keys, whose order"),
    "sets": ([{0}, {1}, {0}, {1}], TypeError, r"got a set, \{0\}, in target 0 of y"),
    "dicts": ([{}] * 4, TypeError, r"got a dict, \{\}, in target 0 of y"),
    "generator": ((v for v in Y), TypeError, r"as y, got a generator: .*list\(\)"),
    "text": ("0101", TypeError, "as y, got a string"),
    "number": (5, TypeError, "as y, got an int"),
    "array of no dimension": (np.array(1.0), TypeError, "as y, got one number"),
    "None": (None, ValueError, "requires y to be passed|y_val was not provided"),
    "group by": (TABLE.groupby("id"), TypeError, "as y, got a DataFrameGroupBy"),
    "lazy frame": (pl.LazyFrame({"a": [1]}), TypeError, "as y, got a LazyFrame: collect it"),
    "structured": (np.zeros(4, [("a", float)]), ValueError, "y.*structured_to_unstructured"),
    "ragged": ([[1], [2, 3], [4], [5]], ValueError, "y is ragged: .*need pooling=None"),
    "ragged tuples": ([(1,), (2, 3), (4,), (5,)], ValueError, "y is ragged: .*got a tuple"),
    "ragged Series": ([pd.Series(v) for v in VALUES], ValueError, "y is ragged: .*got a Series"),
    "numbers beside lists": ([1, [2], 3, 4], ValueError, "y is ragged: .*got a list as target 1"),
    "400 digits": ([1, 10**400, 2, 3], ValueError, "target 1 of y is too large for float64"),
    "complex": ([1j, 2, 3, 4], ValueError, "Complex data not supported"),
    "infinity": ([1.0, np.inf, 2.0, 3.0], ValueError, "Input y contains infinity"),
    "signaling NaN": ([Decimal("sNaN"), 1, 2, 3], ValueError, "target 0 of y is no float64"),
    "objects": ([object()] * 4, TypeError, "got an object, .*target 0 of y"),
    "dates": ([date(2020, 1, 1)] * 4, ValueError, "got the date .*target 0 of y"),
    "times": ([time(1)] * 4, TypeError, "got a time, .*target 0 of y"),
    "unreadable": (Unreadable(), TypeError, "Unreadable could not be read"),
    "short": ([0, 1], ValueError, "inconsistent numbers of samples"),
    "nothing": ([], ValueError, "0 sample"),
    "three dimensions": (np.ones((4, 1, 1)), ValueError, "Found array with dim 3"),
    "texts beside numbers": (["a", 1, "b", 2], (ValueError, TypeError), "'a'"),
}


@pytest.mark.parametrize("kind", REFUSED_TARGETS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize("entry", ENTRIES_OF_Y)
def test_targets_without_one_meaning_are_refused(entry, estimator_class, kind):
    y, error, message = REFUSED_TARGETS[kind]
    with pytest.raises(error, match=message):
        ENTRIES_OF_Y[entry](estimator_class, y)


@pytest.mark.parametrize("y", [list("abab"), np.array(list("abab")), pd.Series(list("abab"))])
@pytest.mark.parametrize("entry", ENTRIES_OF_Y)
def test_texts_are_no_numbers(entry, y):
    with pytest.raises(ValueError, match=r"Expected numbers, got .*text.* target 0 of y"):
        ENTRIES_OF_Y[entry](GRURegressor, y)
    if entry in ("y_val", "partial_fit"):
        with pytest.raises(ValueError, match=r"has classes not in `self.classes_`"):
            ENTRIES_OF_Y[entry](GRUClassifier, y)


def test_frames_of_targets_may_hold_decimals_and_share_names():
    X = [np.array(v)[:, None] for v in VALUES]
    y = np.array([[1.5, 2.0], [0.5, 1.0], [2.5, -1.0], [0.25, 4.0]])
    expected = small(GRURegressor).fit(X, y)
    forms = [
        pd.DataFrame(y, columns=["a", "a"]),
        pd.DataFrame({"a": objects(list(map(Decimal, y[:, 0]))), "b": y[:, 1]}),
        pl.DataFrame({"a": pl.Series(y[:, 0]).cast(pl.Decimal(10, 2)), "b": y[:, 1]}),
        np.ma.array(y, mask=False),
        memoryview(y),
    ]
    if pa:
        forms.append(pa.table({"a": y[:, 0], "b": y[:, 1]}))
    for form in forms:
        assert_same_model(small(GRURegressor).fit(X, form), expected)
        assert expected.score(X, form) == expected.score(X, y)


def test_large_targets_of_a_float32_network_are_predicted():
    X, _ = ragged(20)
    y = 1e39 * (1 + np.arange(20))
    model = small(GRURegressor, dtype="float32").fit(X, y)
    predicted = model.predict(X)
    assert np.isfinite(predicted).all()
    assert predicted.mean() == pytest.approx(y.mean(), rel=0.5)
    assert np.isfinite(model.score(X, y))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_targets_far_from_zero_keep_their_spread(dtype):
    X = [np.full((3, 1), v) for v in np.linspace(-1, 1, 40)]
    y = 1.7e9 + 10 * np.array([x[0, 0] for x in X])
    model = small(
        GRURegressor, dtype=dtype, max_iter=60, learning_rate_init=0.05, hidden_layer_sizes=8
    ).fit(X, y)
    assert model.score(X, y) > 0.9
    predicted = model.predict(X)
    assert len(np.unique(predicted)) > 30
    assert np.ptp(predicted) == pytest.approx(20, rel=0.3)


# Weights

REFUSED_WEIGHTS = {
    "set": ({1, 2, 3, 4}, TypeError, "as sample_weight, got a set"),
    "dict": ({0: 1, 1: 2}, TypeError, "as sample_weight, got a dict"),
    "sets": ([{1}, {2}, {3}, {4}], TypeError, "got a set, .*in sample_weight"),
    "generator": ((v for v in Y), TypeError, "as sample_weight, got a generator"),
    "text": ("1111", TypeError, "as sample_weight, got a string"),
    "texts": (list("1111"), ValueError, "got the text '1' in sample_weight"),
    "None": ([1, None, 1, 1], ValueError, "Input sample_weight contains NaN"),
    "NA": ([1, pd.NA, 1, 1], ValueError, "Input sample_weight contains NaN"),
    "NaN": ([1, NAN, 1, 1], ValueError, "Input sample_weight contains NaN"),
    "masked": (np.ma.array([1, 2, 3, 4], mask=[0, 1, 0, 0]), ValueError, "weight contains NaN"),
    "masked constant": ([1, MASKED, 1, 1], ValueError, "Input sample_weight contains NaN"),
    "null": (pl.Series([1, None, 1, 1]), ValueError, "Input sample_weight contains NaN"),
    "infinity": ([1, np.inf, 1, 1], ValueError, "Input sample_weight contains infinity"),
    "negative": ([1, -1, 1, 1], ValueError, "Negative values .*sample_weight"),
    "zeros": ([0] * 4, ValueError, "at least one non-zero number"),
    "short": ([1, 2], ValueError, "sample_weight"),
    "complex": ([1j, 1, 1, 1], ValueError, "Complex data .*sample_weight"),
    "dates": (np.array(["2020"] * 4, "M8[D]"), ValueError, "got dates .*sample_weight"),
    "400 digits": ([10**400, 1, 1, 1], ValueError, "in sample_weight is too large"),
    "sparse": (sparse.csr_array([[1, 2, 3, 4]]), TypeError, "csr_array: use its toarray"),
    "ragged": ([[1, 1], [1], [2], [1, 1]], ValueError, "weights of steps need pooling=None"),
    "columns": (np.ones((4, 2)), ValueError, "Sample weights must be 1D"),
}


@pytest.mark.parametrize("kind", REFUSED_WEIGHTS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_weights_without_one_meaning_are_refused(estimator_class, kind):
    w, error, message = REFUSED_WEIGHTS[kind]
    message = f"(?i){message}"
    first = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    validation = {"X_val": SCORING, "y_val": Y, "sample_weight_val": w}
    with pytest.raises(error, match=message):
        small(estimator_class).fit(SCORING, Y, w)
    with pytest.raises(error, match=message):
        small(estimator_class, learning_rate="constant").partial_fit(SCORING, Y, w, **first)
    with pytest.raises(error, match=message):
        small(estimator_class).fit(SCORING, Y, **validation)
    with pytest.raises(error, match=message):
        fitted(estimator_class).score(SCORING, Y, w)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_one_number_is_the_weight_of_all(estimator_class):
    model = small(estimator_class).fit(SCORING, Y, 2)
    assert_same_model(model, small(estimator_class).fit(SCORING, Y, np.full(4, 2.0)))
    assert model.score(SCORING, Y, 2.0) == pytest.approx(model.score(SCORING, Y))


# Targets and weights at every step

STEPS = [np.array(v)[:, None] for v in VALUES]
STEP_TARGETS = [[1.0, NAN, 0.0], [1.0], [NAN, 0.0, NAN, 1.0], [0.0, 1.0]]
NO_TARGET = {
    name: lambda make=make: [make(v) for v in STEP_TARGETS]
    for name, make in MISSING_TARGETS.items()
} | {
    "pandas Series": lambda: pd.Series([masked(v) for v in STEP_TARGETS]),
    "pandas frame": lambda: pd.DataFrame({"y": objects([np.array(v) for v in STEP_TARGETS])}),
    "polars lists": lambda: pl.Series([with_missing(v, None) for v in STEP_TARGETS]),
    "polars frame": lambda: pl.DataFrame({"y": [with_missing(v, None) for v in STEP_TARGETS]}),
}


def step_answers(y, w=None, estimator_class=GRUClassifier, X=STEPS):
    make = {"pooling": None, "max_iter": 1}
    model = small(estimator_class, **make).fit(X, y, w, X_val=X, y_val=y, sample_weight_val=w)
    first = {"classes": [0.0, 1.0]} if estimator_class is GRUClassifier else {}
    more = small(estimator_class, learning_rate="constant", **make)
    more.partial_fit(X, y, w, **first).partial_fit(X, y, w)
    return [
        *model.parameters_.values(),
        *more.parameters_.values(),
        model.validation_scores_,
        model.score(X, y, w),
    ]


@pytest.mark.parametrize("kind", NO_TARGET)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_steps_without_a_target(estimator_class, kind):
    expected = step_answers([np.array(v) for v in STEP_TARGETS], None, estimator_class)
    assert_same_answers(step_answers(NO_TARGET[kind](), None, estimator_class), expected)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_masked_tables_of_steps_and_targets(estimator_class):
    y = np.array([[1.0, NAN, 0.0], [NAN, 0.0, 1.0], [0.0, 1.0, NAN]])
    X = np.array([[1.0, 2.0, 3.0], [4.0, -1.0, NAN], [0.0, NAN, 2.0]])
    expected = step_answers(list(y), None, estimator_class, list(X))
    assert_same_answers(step_answers(masked(y), None, estimator_class, masked(X)), expected)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_step_of_weight_zero_is_one_without_a_target(estimator_class):
    filled = [np.nan_to_num(v, nan=1.0) for v in STEP_TARGETS]
    weights = [(~np.isnan(v)).astype(float) for v in STEP_TARGETS]
    expected = step_answers(STEP_TARGETS, None, estimator_class)
    for a, b in zip(step_answers(filled, weights, estimator_class), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize(
    "form", ["list", "tuple", "object array", "pandas Series", "polars", "masked"]
)
def test_weights_of_sequences_are_those_of_their_steps(form, estimator_class):
    weights = [2.0, 1.0, 0.0, 0.5]
    of_steps = [np.full(len(x), w) for x, w in zip(STEPS, weights, strict=True)]
    of_steps = {
        "list": lambda s: [list(w) for w in s],
        "polars": lambda s: pl.Series([list(w) for w in s]),
        "masked": lambda s: [np.ma.array(w, mask=False) for w in s],
    }.get(form, OUTER.get(form))(of_steps)
    expected = step_answers(STEP_TARGETS, weights, estimator_class)
    for a, b in zip(step_answers(STEP_TARGETS, of_steps, estimator_class), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_several_targets_at_every_step(estimator_class):
    pairs = [[None if v != v else [v, 1 - v] for v in part] for part in STEP_TARGETS]
    plain = [np.array([[NAN] * 2 if row is None else row for row in part]) for part in pairs]
    make = {"pooling": None, "max_iter": 1}
    expected = small(estimator_class, **make).fit(STEPS, plain)
    forms = {
        "None for a step": pairs,
        "None for each": [[[None] * 2 if row is None else row for row in part] for part in pairs],
        "masked": [masked(part) for part in plain],
        "pandas": [pd.DataFrame(part) for part in plain],
        "nullable": [pd.DataFrame(part).astype("Float64") for part in plain],
        "polars": [pl.DataFrame(part, orient="row", nan_to_null=True) for part in plain],
        "objects": objects(plain),
    }
    for y in forms.values():
        model = small(estimator_class, **make).fit(STEPS, y, X_val=STEPS, y_val=y)
        assert_same_model(model, expected)
        assert model.score(STEPS, y) == expected.score(STEPS, plain)
    plain[0][0, 1] = NAN
    with pytest.raises(ValueError, match="A step has all of its targets or none"):
        small(estimator_class, **make).fit(STEPS, plain)


REFUSED_PARTS = {
    "set": ({1}, TypeError, "as y, got a set"),
    "sets": (
        [{1, 2, 3}, {1}, {4, 5, 6, 7}, {8, 9}],
        ValueError,
        "y holds .*got a set for sequence 0",
    ),
    "dicts": ([{}] * 4, ValueError, "got a dict for sequence 0"),
    "generators": ([(v for v in part) for part in VALUES], ValueError, "got a generator for seq"),
    "None": ([None, *VALUES[1:]], ValueError, "got a NoneType for sequence 0"),
    "texts": (["abc", "d", "efgh", "ij"], ValueError, "got a string for sequence 0"),
    "numbers": ([1, 2, 3, 4], ValueError, "got an int for sequence 0"),
    "ragged": ([[[1, 2], [1], [1]], *VALUES[1:]], ValueError, "y of sequence 0: it is ragged"),
    "dates": (
        [np.array(["2020"] * 3, "M8[D]"), *VALUES[1:]],
        ValueError,
        "got the date .*in y",
    ),
    "structured": ([np.zeros(3, [("a", float)]), *VALUES[1:]], (ValueError, TypeError), "in y"),
    "sparse": ([sparse.csr_array(np.eye(3)), *VALUES[1:]], TypeError, "sequence 0: .*toarray"),
    "unreadable": ([Unreadable(), *VALUES[1:]], TypeError, "sequence 0: Unreadable could not"),
    "400 digits": ([[1, 10**400, 2], *VALUES[1:]], ValueError, "in y is too large for float64"),
    "signaling NaN": ([[1, Decimal("sNaN"), 2], *VALUES[1:]], ValueError, "in y is no float64"),
    "infinity": ([[1, np.inf, 2], *VALUES[1:]], ValueError, "Input y contains infinity"),
    "short": ([[1, 2], *VALUES[1:]], ValueError, "expected 3 targets for sequence 0, got 2"),
    "few": (VALUES[1:], ValueError, "targets for 3 sequences, but X has 4"),
    "unlabelled": ([[NAN] * len(v) for v in VALUES], ValueError, "y has no target at any step"),
    "None for all": ([[None] * len(v) for v in VALUES], ValueError, "y has no target at any step"),
    "masked": ([np.ma.masked_all(len(v)) for v in VALUES], ValueError, "y has no target at any"),
}


@pytest.mark.parametrize("kind", REFUSED_PARTS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_targets_of_steps_without_one_meaning_are_refused(estimator_class, kind):
    y, error, message = REFUSED_PARTS[kind]
    model = small(estimator_class, pooling=None)
    with pytest.raises(error, match=message):
        model.fit(STEPS, y)
    model.fit(STEPS, [[0] * 3, [1], [0] * 4, [1] * 2])
    with pytest.raises(error, match=message):
        small(estimator_class, pooling=None).fit(
            STEPS, [[0] * 3, [1], [0] * 4, [1] * 2], X_val=STEPS, y_val=y
        )
    if kind not in ("dates", "structured", "400 digits", "signaling NaN", "infinity"):
        with pytest.raises(error, match=message):
            model.score(STEPS, y)


def test_weights_of_steps_without_one_meaning_are_refused():
    y = [[0] * 3, [1], [0] * 4, [1] * 2]
    good = [np.ones(len(part)) for part in y]
    model = small(GRUClassifier, pooling=None).fit(STEPS, y, good)
    for w, error, message in [
        ([{1, 2, 3}, *good[1:]], ValueError, "sample_weight holds .*got a set for sequence 0"),
        ([[1, None, 1], *good[1:]], ValueError, "Input sample_weight contains NaN"),
        ([np.ma.array([1, 2, 3], mask=[0, 1, 0]), *good[1:]], ValueError, "weight contains NaN"),
        ([[1, MASKED, 1], *good[1:]], ValueError, "Input sample_weight contains NaN"),
        ([["a", "b", "c"], *good[1:]], ValueError, "got the text 'a' in sample_weight"),
        ([[1, -1, 1], *good[1:]], ValueError, "Negative values .*sample_weight"),
        ([0 * part for part in good], ValueError, "at least one non-zero number"),
        ([[1, 1], *good[1:]], ValueError, "expected 3 weights for sequence 0, got 2"),
        (good[1:], ValueError, "sample_weight.*3"),
    ]:
        with pytest.raises(error, match=message):
            small(GRUClassifier, pooling=None).fit(STEPS, y, w)
        with pytest.raises(error, match=message):
            model.score(STEPS, y, w)


def test_a_transformer_of_steps_is_not_fitted_on_those_without_a_target():
    labelled = np.concatenate([x[~np.isnan(v)] for x, v in zip(STEPS, STEP_TARGETS, strict=True)])
    for kind in ("NaN", "None", "pandas' NA", "masked", "masked constant", "polars"):
        y = [WITH_MISSING[kind](v) for v in STEP_TARGETS]
        scaler = PerTimestep(StandardScaler()).fit(STEPS, y).transformer_
        assert_array_equal(scaler.mean_, StandardScaler().fit(labelled).mean_)
    foreign = [OnlyDlpack(v) for v in STEP_TARGETS]
    assert_array_equal(
        PerTimestep(StandardScaler()).fit(STEPS, foreign).transformer_.mean_, scaler.mean_
    )
    with pytest.raises(ValueError, match="y has no target at any step"):
        PerTimestep(StandardScaler()).fit(STEPS, [[None] * len(v) for v in VALUES])


def test_integers_beside_durations_stay_integers():
    steps = [[np.timedelta64(60 * t, "s"), t] for t in range(3)]
    read = read_numbers([steps, steps[:2]], time_feature=0).sequences
    assert_array_equal(read.values, [[0, 0], [60, 1], [120, 2], [0, 0], [60, 1]])
    with pytest.raises(ValueError, match="got the duration"):
        read_numbers([[np.timedelta64(1, "s"), 0]], time_feature=0)
