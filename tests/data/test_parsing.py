"""Sequences without padding: what is dropped at their ends, and what they must not hold."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru.per_timestep import PerTimestep
from tests.containers import NAN, Y, masked, objects
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    output,
    pad,
    ragged,
    rectangle,
    small,
    token_sequences,
)
from tests.entries import PLAIN, X_ENTRIES, fitted
from tests.forms_of_x import RAGGED_FORMS


@pytest.mark.parametrize("scaling", ["standard", None])
def test_zero_is_a_value_wherever_it_stands(scaling):
    X, y = ragged(shortest=2)
    model = small(GRUClassifier, scaling=scaling).fit(X, y)
    base = np.array([[1.0], [2.0]])
    variants = [base, [[1], [2], [0]], [[0], [1], [2]], [[1], [0], [2]], [[1], [2], [0], [0]]]
    p = model.predict_proba([np.array(v, dtype=float) for v in variants])[:, 0]
    assert len(np.unique(p)) == len(variants)


def test_wholly_missing_steps_are_padding_only_at_the_end():
    X, y = ragged(n_features=2)
    model = small(GRUClassifier).fit(X, y)
    nan = np.full((1, 2), np.nan)
    padded = [np.concatenate([x, *[nan] * (i % 3)]) for i, x in enumerate(X)]
    assert_same_model(small(GRUClassifier).fit(padded, y), model)
    strict = small(GRUClassifier, missing="error").fit(padded, y)
    with pytest.raises(ValueError, match="contains NaN: sequence 0, step 0, feature 0"):
        strict.predict([np.concatenate([nan, X[0]])])


EMPTY_FORMS = {
    "list": [],
    "tuple": (),
    "array": np.array([]),
    "array of shape (0, 2)": np.empty((0, 2)),
    "NaN only": np.full((3, 2), np.nan),
    "integer array": np.array([], dtype=int),
    "pandas frame": pd.DataFrame(np.empty((0, 2))),
    "polars Series": pl.Series([], dtype=pl.Float64),
}


@pytest.mark.parametrize("form", EMPTY_FORMS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_empty_sequences_among_others(estimator_class, form):
    X, y = ragged(n_features=2)
    reference = small(estimator_class).fit([*X, np.empty((0, 2))], [*y, 1])
    of_nothing = output(reference, [np.empty((0, 2)), X[0]])[0]
    for position in (0, 5, len(X)):
        mixed = [*X[:position], EMPTY_FORMS[form], *X[position:]]
        p = output(reference, mixed)
        assert_array_equal(p[position], of_nothing)
        np.testing.assert_allclose(np.delete(p, position, axis=0), output(reference, X), atol=1e-6)
    assert_same_model(small(estimator_class).fit([*X, EMPTY_FORMS[form]], [*y, 1]), reference)


def test_empty_sequence_is_predicted_from_the_initial_state():
    X, y = ragged(n_features=2)
    model = small(GRURegressor, pooling="mean").fit(X, y)
    # A state of zeros leaves nothing of the head but its bias.
    bias = model.parameters_["head.bias"][0]
    expected = bias * model.target_scale_ + model.target_mean_
    np.testing.assert_allclose(model.predict([[], X[0]])[0], expected[0], rtol=1e-6)


@pytest.mark.parametrize("form", EMPTY_FORMS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_nothing_but_empty_sequences_to_predict(estimator_class, form):
    X, y = ragged(n_features=2)
    model = small(estimator_class).fit(X, y)
    expected = output(model, [[], X[0]])[:1].repeat(3, axis=0)
    assert_array_equal(output(model, [EMPTY_FORMS[form]] * 3), expected)


@pytest.mark.parametrize(
    "X",
    [
        pytest.param([[]] * 6, id="lists"),
        pytest.param(tuple([np.array([])] * 6), id="tuple of arrays"),
        pytest.param(objects([[]] * 6), id="object array"),
        pytest.param(pd.Series([[]] * 6), id="pandas Series"),
        pytest.param(pl.Series([[]] * 6, dtype=pl.List(pl.Float64)), id="polars Series"),
        pytest.param(pd.DataFrame({"a": [[]] * 6}), id="pandas frame"),
        pytest.param(
            pl.DataFrame({"a": pl.Series([[]] * 6, dtype=pl.List(pl.Int64))}), id="polars"
        ),
        pytest.param(np.full((6, 4), np.nan), id="2-D array of NaN"),
        pytest.param(np.full((6, 4, 1), np.nan), id="3-D array of NaN"),
        pytest.param(np.empty((6, 0, 1)), id="3-D array without steps"),
    ],
)
@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_training_on_nothing_but_empty_sequences(parameters, X):
    model = small(GRUClassifier, **parameters)
    with pytest.raises(ValueError, match="X has no step: all sequences to train on are empty"):
        model.fit(X, [0, 1, 0, 1, 1, 1])
    assert not hasattr(model, "n_features_in_")


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


def test_empty_token_sequences():
    X, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=3).fit([*X, []], [*y, 0])
    p = model.predict_proba([[], [0, 0], np.array([], dtype=int), X[0]])
    assert_array_equal(p[1:3], p[[0, 0]])
    assert_array_equal(model.predict_proba(np.zeros((2, 5), dtype=int)), p[:2])


@pytest.mark.parametrize("container", [list, lambda X: pad(X, 4, 0)], ids=["list", "matrix"])
@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ([2, 0, 3], "padding and stands only at the ends of a sequence, but sequence 1 has it"),
        ([2, -1], "Expected token ids of at least 0, got -1 in sequence 1, step 1"),
        ([-3], "Expected token ids of at least 0, got -3 in sequence 1, step 0"),
        ([2.0, 3.5], "Expected a whole number as token id, got 3.5 in sequence 1, step 1"),
        ([2.0, np.inf], "Expected a finite token id, got inf in sequence 1, step 1"),
        ([2.0, np.nan, 3.0], "contains NaN: sequence 1, step 1"),
        ([2.0, 1e30], "Expected a token id below 2**62, got 1e+30 in sequence 1, step 1"),
    ],
)
def test_bad_token_ids(sequence, message, container):
    X, y = token_sequences()
    bad = container([np.array([2, 3]), np.array(sequence), np.array([4])])
    with pytest.raises(ValueError, match=re.escape(message)):
        small(GRUClassifier, embedding_dim=3).fit(bad, [0, 1, 0])
    with pytest.raises(ValueError, match=re.escape(message)):
        small(GRUClassifier, embedding_dim=3).fit(X, y).predict(bad)


@pytest.mark.parametrize("wrong", [4, 6])
@pytest.mark.parametrize("library", [np, pd], ids=["array", "frame"])
def test_another_number_of_columns_than_in_fit(library, wrong):
    X, y = rectangle(n_steps=6)
    make = np.array if library is np else pd.DataFrame
    model = small(GRUClassifier).fit(make(X[:, :5, 0]), y)
    message = f"X has {wrong} features, but GRUClassifier is expecting 5 features as input"
    with pytest.raises(ValueError, match=message):
        model.predict(np.array(X[:, :wrong, 0]))
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X[:, :wrong, 0], y)
    with pytest.raises(ValueError, match=message):
        model.set_params(warm_start=True).fit(X[:, :wrong, 0], y)


@pytest.mark.parametrize("form", ["list of arrays", "3-D array padded with NaN", "nested lists"])
def test_another_number_of_features_per_step_than_in_fit(form):
    X, y = ragged(n_features=3)
    model = small(GRUClassifier).fit(ragged(n_features=2)[0], y)
    message = "X has 3 features per step, but GRUClassifier is expecting 2 features per step"
    with pytest.raises(ValueError, match=message):
        model.predict(RAGGED_FORMS[form](X))
