"""What is no X is refused, in words that name what is wrong and where."""

from datetime import date, time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep
from tests.containers import MASKED, NAN, TABLE, VALUES, Unreadable, objects
from tests.datasets import ESTIMATORS, small
from tests.entries import X_ENTRIES
from tests.forms_of_x import pandas_of_arrays, wide

LONG = "one row per step is made into one row per sample .*make_sequences"
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
        "got dates .*sequence 0.*say so, time_feature=0",
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
    # Lists of texts are for the transformer to read, or to refuse.
    if "date" not in kind and kind not in ("texts in lists", "numbers as texts"):
        with pytest.raises(error, match=message):
            PerTimestep(StandardScaler()).fit(make())


NUMBERS = np.arange(24.0).reshape(4, 3, 2)


def with_value(value, dtype=float):
    """Return NUMBERS with another value in sequence 2, step 1, feature 0."""
    X = NUMBERS.astype(dtype)
    X[2, 1, 0] = value
    return X


BAD_X = [
    (
        with_value(np.inf),
        ValueError,
        "contains infinity .* got inf in sequence 2, step 1, feature 0",
    ),
    (with_value(-np.inf), ValueError, "expected finite values, got -inf in sequence 2, step 1"),
    (list(with_value(np.inf)), ValueError, "expected finite values, got inf in sequence 2, step 1"),
    (
        with_value(np.inf)[:, :, 0],
        ValueError,
        "expected finite values, got inf in sequence 2, step 1",
    ),
    (with_value(np.inf, "float32"), ValueError, "got inf in sequence 2, step 1, feature 0"),
    (pandas_of_arrays(list(with_value(np.inf))), ValueError, "got inf in sequence 2, step 1"),
    (with_value(np.nan), ValueError, "contains NaN: sequence 2, step 1, feature 0 is missing"),
    (
        np.where(np.arange(24).reshape(4, 3, 2) == 17, np.nan, NUMBERS),
        ValueError,
        "contains NaN: sequence 2, step 2, feature 1 is missing",  # of the last step, not all
    ),
    (list(with_value(np.nan)), ValueError, "NaN: sequence 2, step 1, feature 0 .*missing='decay'"),
    (with_value(np.nan)[:, :, 0], ValueError, "NaN: sequence 2, step 1, feature 0"),
    (wide(with_value(np.nan), pd), ValueError, "NaN: sequence 2, step 2, feature 0"),
    (with_value(1j, complex), ValueError, "Complex data not supported"),
    (with_value(1j, complex)[:, :, 0], ValueError, "Complex data not supported"),
    (
        [*NUMBERS[:2], NUMBERS[2] + 1j, NUMBERS[3]],
        ValueError,
        "Complex .*: sequence 2, step 0, feature 0 of X",
    ),
    (NUMBERS.astype(str), ValueError, "got strings: .*SequenceVectorizer.*X.astype"),
    (NUMBERS[:, :, 0].astype(str), ValueError, "numbers written as text"),
    (
        [*NUMBERS[:2], np.array(["a", "b"]), NUMBERS[3]],
        ValueError,
        "got text of dtype <U1 in sequence 2",
    ),
    ([[1], [2.0], ["x", 3], [4]], ValueError, "got the text 'x' in sequence 2, step 0"),
    (
        objects([[1], [2], [{}], [4]]),
        TypeError,
        "Expected numbers, got a dict, {}, in sequence 2, step 0",
    ),
    (["hello there", "bye", "so long", "ciao"], ValueError, "(?i)string|SequenceVectorizer"),
    (pd.Series(["hello there", "bye", "so", "ciao"]), ValueError, "(?i)string|SequenceVec"),
    (
        pd.DataFrame({"a": list("abcd")}),
        ValueError,
        "Expected numbers, got the text 'a' in column 'a', row 0 of X",
    ),
    (
        [np.array(["2020-01-01"] * 2, "M8[D]")] * 4,
        ValueError,
        "Expected numbers, got dates .datetime64.*sequence 0.*say so, time_feature=",
    ),
    (
        NUMBERS.astype("M8[D]"),
        (ValueError, TypeError),
        "(?i)expected numbers|not supported|numeric",
    ),
    (NUMBERS[:, :, 0].astype("M8[D]"), (ValueError, TypeError), "(?i)expected numbers|numeric"),
    (
        [*NUMBERS[:3], np.zeros((3, 4))],
        ValueError,
        "expected 2 as in sequence 0, but sequence 3 has 4",
    ),
    (
        [[], *NUMBERS[:2], np.zeros(3)],
        ValueError,
        "expected 2 as in sequence 1, but sequence 3 has 1",
    ),
    (
        [*NUMBERS[:3], [[1, 2], [3]]],
        ValueError,
        "Sequence 3 is ragged itself, expected an array of",
    ),
    (
        [*NUMBERS[:3], 5.0],
        ValueError,
        r"Sequence 3 is a float, 5.0, expected an array of shape \(n_steps, n_features\)",
    ),
    ([*NUMBERS[:3], None], ValueError, r"Sequence 3 is missing \(None\): expected an array"),
    ([*NUMBERS[:3], NUMBERS], ValueError, r"Sequence 3 has shape \(4, 3, 2\), expected"),
    (NUMBERS[None], ValueError, "Found array with dim 4"),
    (NUMBERS[0, :, 0], ValueError, "Expected 2D array, got 1D array instead"),
    ([1.0, 2.0, 3.0, 4.0], ValueError, "Expected 2D array, got 1D array instead"),
    (np.float64(3), ValueError, "Expected 2D array, got scalar array instead"),
    (
        np.empty((4, 3, 0)),
        ValueError,
        r"shape \(4, 3, 0\) has 0 features per step, expected at least",
    ),
    (np.empty((4, 0)), ValueError, "0 feature"),
    (sparse.csr_array(NUMBERS[:, :, 0]), TypeError, "Sparse data was passed"),
    (pd.DataFrame({"a": [[1], [2], [3], [4]], "b": 1.0}), ValueError, r"only \['a'\] do"),
    (
        pd.DataFrame({"a": [[1], [2], [3], [4]], "b": [[1], [2], [3, 3], [4]]}),
        ValueError,
        r"same length, but row 2 of X has shapes \[\(1,\), \(2,\)\]",
    ),
]


@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*case, id=case[2]) for case in BAD_X]
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_bad_x(estimator_class, X, error, message):
    model = small(estimator_class, missing="error")
    with pytest.raises(error, match=message):
        model.fit(X, [0, 1, 0, 1])
    assert not hasattr(model, "parameters_")


@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*case, id=case[2]) for case in BAD_X]
)
@pytest.mark.filterwarnings("ignore:X has feature names, but:UserWarning")
def test_bad_x_to_predict(X, error, message):
    model = small(GRUClassifier, missing="error").fit(NUMBERS, [0, 1, 0, 1])
    with pytest.raises(error, match=message):
        model.predict(X)


EMPTY_X = {
    "list": [],
    "tuple": (),
    "2-D array": np.empty((0, 3)),
    "3-D array": np.empty((0, 3, 2)),
    "object array": np.empty(0, dtype=object),
    "pandas Series": pd.Series([], dtype=object),
    "polars Series": pl.Series([], dtype=pl.List(pl.Float64)),
    "pandas frame": pd.DataFrame({"a": []}),
    "polars frame": pl.DataFrame({"a": []}),
}


@pytest.mark.parametrize("form", EMPTY_X)
@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_no_sequences(parameters, form):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        small(GRUClassifier, **parameters).fit(EMPTY_X[form], [])


@pytest.mark.parametrize("X", [{"a": [1.0, 2.0]}, (x for x in [[1.0], [2.0]]), None, "text"])
def test_no_array_at_all(X):
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected|got"):
        small(GRUClassifier).fit(X, [0, 1])


def test_dates_are_no_token_ids():
    X = np.array([["2020-01-01", "2020-01-02"]] * 4, dtype="M8[D]")
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected|numeric|not supported"):
        small(GRUClassifier, embedding_dim=2).fit(X, [0, 1, 0, 1])


def test_too_many_dimensions():
    with pytest.raises(ValueError, match=r"Found array with dim 4, expected 2 .* or 3"):
        small(GRUClassifier).fit(np.zeros((4, 3, 2, 1)), [0, 1, 0, 1])
