"""The solvers and their schedules, set up by the parameters, and the batches of an epoch."""

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier, GRURegressor
from skgru._engine.objective import Objective
from tests.datasets import ESTIMATORS, assert_same_model, flat, ragged, rectangle, small
from tests.training import DESCENT, started, step_of


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam", "learning_rate_init": 0.02},
        {"solver": "sgd", "learning_rate_init": 0.2},
        {"solver": "sgd", "learning_rate_init": 0.2, "nesterovs_momentum": False},
        {"solver": "lbfgs"},
    ],
    ids=str,
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_each_solver_lowers_the_loss(estimator_class, parameters):
    X, y = ragged(n=40)
    model = small(estimator_class, max_iter=40, **parameters).fit(X, y)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    assert model.score(X, y) > 0.5 + 0.3 * (estimator_class is GRUClassifier)


@pytest.mark.parametrize(
    "change",
    [
        {"solver": "sgd"},
        {"learning_rate_init": 0.01},
        {"beta_1": 0.5},
        {"beta_2": 0.5},
        {"epsilon": 0.1},
        {"alpha": 10.0},
        {"batch_size": 7},
        {"shuffle": False},
        {"max_grad_norm": 0.01, "solver": "sgd"},
        {"max_grad_norm": None, "solver": "sgd", "learning_rate_init": 1.0},
        {"solver": "sgd", "momentum": 0.5},
        {"solver": "sgd", "nesterovs_momentum": False},
        {"solver": "lbfgs"},
        {"learning_rate": "constant"},
        {"learning_rate": "invscaling"},
        {"learning_rate": "invscaling", "power_t": 0.1},
        {"warmup_fraction": 0.5},
        {"reset_after": True},
        {"output_gate": True},
        {"pooling": "mean"},
        {"scaling": None},
        {"hidden_layer_sizes": (4, 4)},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Maximum iterations:sklearn.exceptions.ConvergenceWarning")
def test_each_parameter_has_an_effect(change):
    X, y = ragged(n=40)
    if "solver" in change:
        base = small(GRUClassifier, solver=change["solver"], max_iter=5)
        if len(change) == 1:
            base = small(GRUClassifier, max_iter=5)
    else:
        base = small(GRUClassifier, max_iter=5)
    p = base.fit(X, y).predict_proba(X)
    changed = small(GRUClassifier, **{"max_iter": 5} | change).fit(X, y)
    assert np.abs(changed.predict_proba(X) - p).max() > 1e-5


# Batches


def test_one_batch_for_all_where_it_fits_and_32_otherwise():
    X, y = rectangle(n=32)
    same = [small(GRUClassifier, batch_size=size).fit(X, y) for size in ("auto", 32)]
    assert_same_model(*same)
    X, y = rectangle(n=70)
    same = [small(GRUClassifier, batch_size=size).fit(X, y) for size in ("auto", 32)]
    assert_same_model(*same)
    assert np.abs(flat(same[0]) - flat(small(GRUClassifier, batch_size=35).fit(X, y))).max() > 1e-4


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_too_large_a_batch_is_clipped_with_a_warning(method):
    X, y = rectangle(n=20)
    model = small(GRURegressor, batch_size=21)
    with pytest.warns(UserWarning, match="batch_size=21 is larger than the 20 .*clipped") as record:
        getattr(model, method)(X, y)
    assert [warning.filename for warning in record] == [__file__]
    exact = small(GRURegressor, batch_size=20)
    assert_same_model(model, getattr(exact, method)(X, y))


def test_without_shuffling_the_batches_are_taken_in_order():
    X, y = rectangle(n=20)
    model = small(GRURegressor, **DESCENT | {"batch_size": 5, "max_iter": 1, "scaling": None})
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    by_hand = small(GRURegressor, **DESCENT | {"batch_size": 5, "scaling": None})
    # The scale of y is that of the first call: give it all at the first call, at a rate of nothing.
    by_hand.set_params(learning_rate_init=1e-300).partial_fit(X, y)
    by_hand.set_params(learning_rate_init=DESCENT["learning_rate_init"])
    for start in range(0, 20, 5):
        by_hand.partial_fit(X[start : start + 5], y[start : start + 5])
    assert_allclose(flat(model), flat(by_hand), rtol=1e-10)


@pytest.mark.parametrize(
    ("group_by_length", "told", "grouped"),
    [("auto", False, True), ("auto", True, False), (True, True, True), (False, False, False)],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sequences_are_grouped_by_length_unless_it_tells_of_the_targets(
    group_by_length, told, grouped, monkeypatch
):
    X, _ = ragged(200, longest=40)
    lengths = np.array([len(x) for x in X])
    y = lengths > 20 if told else np.arange(200) % 2
    longest = []
    loss = Objective.at_batch

    def at_batch(self, indices, rng):
        longest.append(lengths[indices].max())
        return loss(self, indices, rng)

    monkeypatch.setattr(Objective, "at_batch", at_batch)
    small(GRUClassifier, max_iter=1, batch_size=10, group_by_length=group_by_length).fit(X, y)
    assert len(longest) == 20
    # Batches at random have nearly all a sequence of more than 30 steps.
    assert (min(longest) < 20) == grouped


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_target_that_is_the_length_is_learned():
    X = [np.ones((n, 1)) for n in np.random.RandomState(0).randint(1, 25, 300)]
    y = np.array([len(x) for x in X], float)
    model = GRURegressor(16, max_iter=30, learning_rate_init=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.98


# Schedules


def rates(model, X, y, n_epochs):
    """Return the learning rate of each of the next epochs, as a share of `learning_rate_init`.

    It is measured: the step of each epoch relative to the one at a constant rate.
    """
    shares = []
    for _ in range(n_epochs):
        step = step_of(model, X, y)
        constant = step_of(copy.deepcopy(model).set_params(learning_rate="constant"), X, y)
        shares.append(step @ constant / (constant @ constant))
        assert_allclose(step, shares[-1] * constant, rtol=1e-6, atol=1e-12)
        model.partial_fit(X, y)
    return shares


def test_the_constant_rate():
    X, y = rectangle()
    model = started(GRURegressor, X, y)
    half = copy.deepcopy(model).set_params(learning_rate_init=0.05)
    assert_allclose(step_of(half, X, y), step_of(model, X, y) / 2, rtol=1e-9)
    assert_allclose(rates(model, X, y, 3), 1)


@pytest.mark.parametrize("power_t", [0.5, 1.0])
def test_inverse_scaling(power_t):
    X, y = rectangle(n=24)
    model = started(GRURegressor, X, y, learning_rate="invscaling", power_t=power_t)
    t = 24 * np.arange(1, 5)
    assert_allclose(rates(model, X, y, 4), 1 / (t + 1) ** power_t)


@pytest.mark.parametrize("warmup", [0.0, 0.3])
def test_cosine_with_warmup(warmup):
    X, y = rectangle()
    parameters = {"learning_rate": "cosine", "warmup_fraction": warmup, "max_iter": 10}
    model = started(GRURegressor, X, y, **parameters)
    progress = (np.arange(1, 10) + 0.5) / 10
    after = (progress - warmup) / (1 - warmup)
    expected = np.where(
        progress < warmup, progress / max(warmup, 1e-9), 0.5 * (1 + np.cos(math.pi * after))
    )
    assert_allclose(rates(model, X, y, 9), expected, rtol=1e-6)


def test_cosine_is_spread_over_the_updates_of_max_iter_epochs():
    X, y = rectangle(n=20)
    parameters = DESCENT | {"learning_rate": "cosine", "max_iter": 4, "batch_size": 10}
    model = small(GRURegressor, **parameters).fit(X, y)
    steps = small(GRURegressor, **parameters)
    for _ in range(4):
        steps.partial_fit(X, y)
    assert_same_model(model, steps)


def test_a_schedule_that_has_ended_says_so_to_partial_fit():
    X, y = ragged()
    model = small(GRURegressor, learning_rate="cosine", max_iter=2).fit(X, y)
    before = flat(model)
    with pytest.warns(UserWarning, match="come down to zero after max_iter=2 epochs") as record:
        model.partial_fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    assert_array_equal(flat(model), before)
