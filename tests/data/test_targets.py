"""Targets and weights, of sequences and of steps: the same in any container, or refused by name."""

from collections import deque
from datetime import date, time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru.per_timestep import PerTimestep
from tests.containers import (
    CONTAINERS,
    MASKED,
    NAN,
    OUTER,
    TABLE,
    VALUES,
    WITH_MISSING,
    OnlyDlpack,
    Unreadable,
    Y,
    masked,
    objects,
    pa,
    with_missing,
)
from tests.datasets import ESTIMATORS, assert_same_model, ragged, small
from tests.entries import (
    ENTRIES_OF_Y,
    MISSING_TARGETS,
    SCORING,
    answers,
    assert_same_answers,
    fitted,
)

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
