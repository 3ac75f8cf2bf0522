"""Fits of networks of several branches, one that reads tokens and one that reads numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier
from skgru._data.forms import open_form
from skgru._data.ids import as_tokens
from skgru._engine.fit import fit
from skgru._engine.model import Model
from skgru._engine.observers import History
from skgru._engine.predict import predict
from skgru._engine.request import Given, Request
from skgru._nn.dropout import FusionRates
from skgru._spec import FusionSpec
from tests.datasets import small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = ["note", "series"]


def as_note(sequences):
    """Return sequences of ids, marked as tokens."""
    offsets = np.cumsum([0, *map(len, sequences)])
    return as_tokens(np.concatenate([*sequences, np.empty(0, int)]).astype(int), offsets)


def samples(n=150, seed=0):
    """Return notes, series and the classes of the pairs.

    There are two kinds of notes and two of series, told at their ends, and a class for each pair
    of kinds: one who knows a note or a series alone is right about every other time.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, (2, n))
    notes = [np.append(rng.integers(4, 7, rng.integers(0, 4)), 2 + kind) for kind in kinds[0]]
    series = [
        np.vstack([rng.normal(size=(rng.integers(0, 4), 2)), [2 * kind - 1, rng.normal()]])
        for kind in kinds[1]
    ]
    return notes, series, 2 * kinds[0] + kinds[1]


def opened(notes, series):
    return {"note": open_form(as_note(notes)), "series": open_form(series)}


def fitted(inputs, y, sample_weight=None, **parameters):
    """Return what `fit` leaves for these inputs."""
    if parameters.get("solver") != "lbfgs":
        parameters = {"learning_rate_init": 0.05} | parameters
    estimator = small(GRUClassifier, **{"hidden_layer_sizes": 6, "max_iter": 20} | parameters)
    settings = estimator._settings
    request = Request(
        settings,
        dict.fromkeys(inputs, settings),
        FusionSpec(),
        FusionRates(),
        estimator._make_loss(settings),
        Given(inputs, y, sample_weight),
        validation=None,
        before=None,
        history=History(),
        optimizer_states={},
        rng=np.random.RandomState(0),
        incremental=False,
        classes=None,
    )
    return fit(request, map)


def raw_outputs(model, inputs):
    return predict(model, inputs, 1).values


def accuracy(model, inputs, y):
    return np.mean(predict(model, inputs, 1, then=model.predictions).values == y)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"bptt_steps": 2},
        {"bidirectional": True, "pooling": ("last", "max"), "cell": "lstm"},
        {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 40},
        {"solver": "lbfgs"},
    ],
    ids=str,
)
def test_two_branches_learn_what_neither_could_alone(parameters):
    *X, y = samples()
    *X_test, y_test = samples(100, seed=1)
    both, to_predict = opened(*X), opened(*X_test)
    result = fitted(both, y, **parameters)
    assert accuracy(result.model, to_predict, y_test) > 0.95
    assert bool(result.history.validation_scores) == ("early_stopping" in parameters)
    for name in NAMES:
        alone = fitted({name: both[name]}, y, **parameters).model
        assert accuracy(alone, {name: to_predict[name]}, y_test) < 0.7


def test_parameters_have_the_name_of_their_branch_in_front():
    *X, y = samples(20)
    model = fitted(opened(*X), y, max_iter=1).model
    of_branches = {name for name in model.parameters if not name.startswith("head.")}
    assert {name.partition(".")[0] for name in of_branches} == set(NAMES)
    parts = ["input_weights", "recurrent_weights", "bias"]
    expected = {f"{branch}.hidden_0.{part}" for branch in NAMES for part in parts}
    assert of_branches == expected | {"note.embedding.weights"}
    assert model.parameters["head.weights"].shape == (12, 4)


@pytest.mark.parametrize("parameters", [{}, {"bptt_steps": 2}], ids=str)
def test_a_sample_alone_is_predicted_as_in_the_batch(parameters):
    notes, series, y = samples(40)
    notes[3], series[5] = np.empty(0, int), np.empty((0, 2))
    inputs = opened(notes, series)
    model = fitted(inputs, y, max_iter=3, **parameters).model
    together = raw_outputs(model, inputs)
    for i in range(len(y)):
        alone = raw_outputs(model, opened(notes[i : i + 1], series[i : i + 1]))
        assert_allclose(alone, together[i : i + 1], rtol=0, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(y))
    shuffled = raw_outputs(model, opened([notes[i] for i in order], [series[i] for i in order]))
    assert_allclose(shuffled, together[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_weight_of_zero_leaves_a_sample_out_of_both_branches(solver):
    notes, series, y = samples(40)
    notes[0], series[0], y[0] = np.array([77, 78]), np.full((9, 2), 1e6), 9
    notes[7] = np.array([79])
    weights = np.ones(40)
    weights[[0, 7, 20]] = 0
    kept = np.flatnonzero(weights)
    with_zeros = fitted(opened(notes, series), y, weights, solver=solver, max_iter=3)
    of_kept = opened([notes[i] for i in kept], [series[i] for i in kept])
    without = fitted(of_kept, y[kept], solver=solver, max_iter=3)
    assert_array_equal(with_zeros.model.theta, without.model.theta)
    assert with_zeros.history.loss_curve == without.history.loss_curve
    for name in NAMES:
        learned, expected = (f.model.inputs[name].attributes for f in (with_zeros, without))
        np.testing.assert_equal(learned, expected)


def test_given_vectors_are_those_of_the_branches_that_read_tokens():
    notes, _, y = samples(30)
    matrix = np.random.default_rng(0).normal(size=(7, 3))
    inputs = {"note": open_form(as_note(notes)), "title": open_form(as_note(notes[::-1]))}
    model = fitted(inputs, y, embedding_matrix=matrix, freeze_embedding=True, max_iter=2).model
    for name in inputs:
        vectors = model.parameters[f"{name}.embedding.weights"]
        assert_array_equal(vectors, matrix[1:].astype(np.float32))
        assert not np.shares_memory(vectors, matrix)


def test_a_model_of_two_branches_is_made_anew_of_its_state():
    *X, y = samples(30)
    inputs = opened(*X)
    model = fitted(inputs, y, max_iter=2).model
    again = Model.of_state(model.state)
    assert list(again.inputs) == NAMES
    assert_array_equal(raw_outputs(again, inputs), raw_outputs(model, inputs))
