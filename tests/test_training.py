"""Solvers, schedules, stopping, continuing, interruption and failure of the training."""

import copy
import math
import re
from types import NoneType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from skgru import GRUClassifier, GRURegressor
from skgru._nn.optimizers import Adam
from skgru._training import Objective
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    copies,
    output,
    ragged,
    rectangle,
    small,
    token_sequences,
)
from tests.processes import blas_threads

# Plain gradient descent, each step of which is the learning rate times the gradient.
DESCENT = {
    "solver": "sgd",
    "momentum": 0,
    "alpha": 0,
    "max_grad_norm": None,
    "dtype": "float64",
    "shuffle": False,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
}


def flat(model):
    """Return all trainable numbers as one new vector."""
    return np.concatenate([array.ravel() for array in model.parameters_.values()])


def step_of(model, X, y):
    """Return by how much one more epoch changes the parameters; the model stays as it is."""
    changed = copy.deepcopy(model)
    return flat(changed.partial_fit(X, y)) - flat(model)


def started(estimator_class, X, y, **parameters):
    """Return a model after one epoch of gradient descent."""
    model = small(estimator_class, **DESCENT | parameters)
    classes = {"classes": np.unique(y)} if estimator_class is GRUClassifier else {}
    return model.partial_fit(X, y, **classes)


class RaiseAt:
    """A method that raises an error at its n-th call and before that does what it did."""

    def __init__(self, method, n, error=KeyboardInterrupt):
        self.method, self.n, self.error, self.n_calls = method, n, error, 0

    def __get__(self, instance, owner):
        def call(*args, **kwargs):
            self.n_calls += 1
            if self.n_calls == self.n:
                raise self.error
            return self.method(instance, *args, **kwargs)

        return call


# Solvers and what governs them


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


def test_lbfgs_knows_no_chance_but_the_first_weights():
    X, y = rectangle()
    base = small(GRUClassifier, solver="lbfgs", max_iter=10)
    p = base.fit(X, y).predict_proba(X)
    for change in ({"shuffle": False}, {"learning_rate_init": 1.0}, {"batch_size": 5}):
        with pytest.warns(UserWarning, match="without effect"):
            base.set_params(**change).fit(X, y)
        assert_array_equal(base.predict_proba(X), p)


def test_lbfgs_stops_at_a_flat_gradient_or_at_its_limits():
    X, y = rectangle()
    model = small(GRURegressor, solver="lbfgs", max_iter=500, tol=1e-2).fit(X, y)
    assert 1 < model.n_iter_ < 500
    sooner = small(GRURegressor, solver="lbfgs", max_iter=500, tol=1e-1).fit(X, y)
    assert sooner.n_iter_ < model.n_iter_
    for limit in ({"max_iter": 2}, {"max_iter": 500, "max_fun": 3}):
        with pytest.warns(ConvergenceWarning, match="solver='lbfgs'"):
            model = GRURegressor(4, random_state=0, solver="lbfgs", tol=0, **limit).fit(X, y)
        assert model.n_iter_ <= 3


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


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_norm_of_the_gradient_is_bounded(estimator_class):
    X, y = rectangle()
    model = started(estimator_class, X, y)
    free = step_of(model, X, y)
    norm = np.linalg.norm(free)
    for bound in (0.01, 1e-3):
        assert bound * 0.1 < norm
        bounded = step_of(model.set_params(max_grad_norm=bound), X, y)
        assert_allclose(np.linalg.norm(bounded), bound * 0.1, rtol=1e-9)
        assert_allclose(bounded / np.linalg.norm(bounded), free / norm, atol=1e-9)
    assert_allclose(step_of(model.set_params(max_grad_norm=1e3), X, y), free, rtol=1e-12)


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_the_penalty_is_on_the_weight_matrices_alone(weight):
    X, y = token_sequences()
    model = started(GRUClassifier, X, y, embedding_dim=3, output_gate=True, reset_after=True)
    weights = np.full(len(X), weight)

    def step(alpha):
        changed = copy.deepcopy(model).set_params(alpha=alpha).partial_fit(X, y, weights)
        return {name: a - model.parameters_[name] for name, a in changed.parameters_.items()}

    plain, penalized = step(0), step(5.0)
    names = list(model.parameters_)
    assert sum("weights" in name for name in names) == 6
    for name in names:
        is_penalized = "weights" in name and name != "embedding.weights"
        strength = 0.1 * 5.0 / (len(X) * weight) if is_penalized else 0
        expected = plain[name] - strength * model.parameters_[name]
        assert_allclose(penalized[name], expected, rtol=1e-9, atol=1e-15, err_msg=name)


def test_a_large_alpha_shrinks_the_weights():
    X, y = rectangle(n=40)
    norms = [
        np.linalg.norm(
            small(GRUClassifier, alpha=alpha, solver="lbfgs", max_iter=50)
            .fit(X, y)
            .parameters_["hidden_0.recurrent_weights"]
        )
        for alpha in (1e-4, 1.0, 100.0)
    ]
    assert norms[0] > 1.5 * norms[1] > 10 * norms[2]


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


def epochs_of(estimator_class, mlp_class, X, y, **parameters):
    """Return how many epochs the estimator and the multi-layer perceptron train."""
    shared = {"random_state": 0, "max_iter": 2000, "learning_rate_init": 0.001, **parameters}
    gru = small(estimator_class, **{"learning_rate": "constant"} | shared).fit(X, y)
    mlp = mlp_class(hidden_layer_sizes=4, **shared).fit(X[:, :, 0], y)
    assert len(gru.loss_curve_) == gru.n_iter_
    return gru.n_iter_, mlp.n_iter_


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"tol": 10.0, "n_iter_no_change": 3}, 5),
        ({"tol": 10.0, "n_iter_no_change": 1, "solver": "sgd"}, 3),
        ({"tol": 10.0, "n_iter_no_change": 4, "early_stopping": True}, 6),
        # From 0.001 five divisions until the rate is at most 1e-6, after 1 + 3 epochs, then 3 each.
        (
            {"tol": 10.0, "n_iter_no_change": 2, "solver": "sgd", "learning_rate": "adaptive"},
            1 + 3 * 6,
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("estimator_class", "mlp_class"), [(GRUClassifier, MLPClassifier), (GRURegressor, MLPRegressor)]
)
def test_patience_is_that_of_the_multi_layer_perceptron(
    estimator_class, mlp_class, parameters, expected
):
    X, y = rectangle(n=40)
    assert epochs_of(estimator_class, mlp_class, X, y, **parameters) == (expected, expected)


def test_infinite_patience():
    X, y = rectangle()
    model = small(GRUClassifier, tol=10.0, n_iter_no_change=np.inf, max_iter=30)
    with pytest.warns(UserWarning, match=r"tol=10\.0 \(there are no more epochs than n_iter"):
        model.fit(X, y)
    assert model.n_iter_ == 30


def test_an_improvement_of_less_than_tol_is_none():
    X, y = rectangle()
    # At such a rate the loss falls in each epoch, by very little.
    parameters = {"learning_rate": "constant", "learning_rate_init": 1e-6, "n_iter_no_change": 2}
    parameters |= {"dtype": "float64", "max_iter": 20}
    with pytest.warns(ConvergenceWarning):
        model = small(GRUClassifier, tol=0, **parameters).fit(X, y)
    assert (np.diff(model.loss_curve_) < 0).all()
    assert small(GRUClassifier, tol=1e-3, **parameters).fit(X, y).n_iter_ == 4


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_warns_when_max_iter_is_reached(estimator_class):
    X, y = rectangle()
    model = small(estimator_class, learning_rate="constant", max_iter=2)
    message = r"Maximum iterations \(2\) reached and the optimization hasn't converged"
    with pytest.warns(ConvergenceWarning, match=message) as record:
        model.fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    model.partial_fit(X, y)  # where any warning is an error


# Validation and early stopping


def validation_data():
    X, y = ragged(n=60, seed=3)
    return X[:30], y[:30], X[30:], y[30:]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_early_stopping_gives_the_weights_of_the_best_score(estimator_class, weighted):
    X, y, X_val, y_val = validation_data()
    weights = 1.0 + np.arange(30) % 4 if weighted else None
    model = small(
        estimator_class,
        early_stopping=True,
        learning_rate="constant",
        learning_rate_init=0.1,
        n_iter_no_change=5,
        max_iter=100,
    )
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    scores = model.validation_scores_
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ < 100
    assert scores[-1] < max(scores), "the last weights are the best: nothing is tested"
    assert_allclose(model.best_validation_score_, max(scores))
    assert_allclose(model.score(X_val, y_val, weights), max(scores), rtol=1e-5)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_early_stopping_with_a_part_of_the_training_data(estimator_class):
    X, y = ragged(n=60)
    parameters = {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "learning_rate": "constant",
        "learning_rate_init": 0.1,
        "n_iter_no_change": 5,
    }
    model = small(estimator_class, max_iter=100, **parameters).fit(X, y)
    assert model.t_ == model.n_iter_ * 42
    scores = model.validation_scores_
    best = int(np.flatnonzero(scores == np.max(scores))[-1])  # of equal ones the last
    assert best < model.n_iter_ - 1
    with pytest.warns(ConvergenceWarning):
        until_then = small(estimator_class, max_iter=best + 1, **parameters).fit(X, y)
    assert until_then.validation_scores_ == model.validation_scores_[: best + 1]
    assert_same_model(model, until_then)


def test_the_held_out_part_is_stratified():
    # Equal sequences all get the same prediction, whose accuracy is the share of that class.
    X, y = np.zeros((60, 3)), np.repeat([0, 1, 2], [48, 6, 6])
    for seed in range(5):
        model = small(
            GRUClassifier, early_stopping=True, validation_fraction=0.5, random_state=seed
        )
        assert set(model.fit(X, y).validation_scores_) <= {0.8, 0.1}


def test_too_small_a_validation_set():
    X, y = ragged(n=15)
    with pytest.raises(ValueError, match=r"validation set is too small. Increase 'validation_fra"):
        small(GRURegressor, early_stopping=True, validation_fraction=0.05).fit(X, y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_validation_data_alone_only_keep_the_scores(estimator_class, solver):
    X, y, X_val, y_val = validation_data()
    parameters = {"solver": solver, "max_iter": 8, "dtype": "float64", "early_stopping": False}
    plain = small(estimator_class, **parameters).fit(X, y)
    watched = small(estimator_class, **parameters)
    watched.fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_model(watched, plain)
    assert watched.loss_curve_ == plain.loss_curve_
    assert len(watched.validation_scores_) == watched.n_iter_
    assert_allclose(watched.validation_scores_[-1], watched.score(X_val, y_val))
    assert_allclose(watched.best_validation_score_, max(watched.validation_scores_))
    assert watched.best_loss_ == plain.best_loss_ == min(plain.loss_curve_)
    assert plain.validation_scores_ is None
    assert plain.best_validation_score_ is None


def test_validation_data_may_come_in_another_form():
    X, y, X_val, y_val = validation_data()
    a = small(GRUClassifier).fit(X, y, X_val=X_val, y_val=y_val)
    as_lists = [x.tolist() for x in X_val]
    b = small(GRUClassifier).fit(X, y, X_val=as_lists, y_val=y_val.tolist())
    assert a.validation_scores_ == b.validation_scores_


def test_the_scores_of_several_targets_and_labels_are_those_of_score():
    X, _, X_val, _ = validation_data()
    Y, Y_val = (np.array([[x.sum(), x[0, 0]] for x in A]) for A in (X, X_val))
    model = small(GRURegressor, max_iter=10).fit(
        X, Y * [1, 1000], X_val=X_val, y_val=Y_val * [1, 1000]
    )
    assert_allclose(model.validation_scores_[-1], model.score(X_val, Y_val * [1, 1000]), rtol=1e-5)
    assert_allclose(
        model.validation_scores_[-1], r2_score(Y_val, model.predict(X_val) / [1, 1000]), rtol=1e-5
    )
    model = small(GRUClassifier, max_iter=10).fit(X, Y > 0, X_val=X_val, y_val=Y_val > 0)
    assert_allclose(model.validation_scores_[-1], model.score(X_val, Y_val > 0))
    assert 0 < model.validation_scores_[-1] < 1


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": "X"}, "X_val is provided, but y_val was not provided"),
        ({"y_val": "y"}, "y_val is provided, but X_val was not provided"),
        ({"X_val": "X", "y_val": [0, 1]}, "inconsistent numbers of samples"),
        ({"X_val": [np.zeros((2, 3))] * 2, "y_val": [0, 1]}, "X has 3 features per step"),
        ({"X_val": [[[np.inf]]] * 2, "y_val": [0, 1]}, "infinity"),
        ({"X_val": "X", "y_val": [7] * 24}, r"classes not in `self.classes_`"),
        ({"X_val": "X", "y_val": [np.nan] * 24}, "NaN"),
        ({"X_val": "X", "y_val": "y", "sample_weight_val": [1, 2]}, "(?i)sample_weight.shape"),
        ({"X_val": "X", "y_val": "y", "sample_weight_val": [-1.0] * 24}, "(?i)negative values"),
    ],
)
def test_bad_validation_data(validation, message):
    X, y = ragged()
    given = {"X": X, "y": y}
    validation = {k: given[v] if isinstance(v, str) else v for k, v in validation.items()}
    model = small(GRUClassifier)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **validation)
    with pytest.raises(NotFittedError):
        model.predict(X)


# partial_fit


@pytest.mark.parametrize("parameters", [{}, {"solver": "sgd"}, {"learning_rate": "invscaling"}])
@pytest.mark.filterwarnings("ignore:Maximum iterations:sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_is_an_epoch_of_fit(parameters):
    X, y = ragged(n=40)
    parameters = {"learning_rate": "constant", "batch_size": 16, **parameters}
    once = small(GRURegressor, max_iter=1, **parameters).fit(X, y)
    assert_same_model(small(GRURegressor, **parameters).partial_fit(X, y), once)
    # In several calls, the optimizer goes on from its state.
    thrice = small(GRURegressor, max_iter=3, shuffle=False, **parameters).fit(X, y)
    calls = small(GRURegressor, shuffle=False, **parameters)
    for i in range(3):
        assert calls.partial_fit(X, y) is calls
        assert (calls.n_iter_, calls.t_, len(calls.loss_curve_)) == (1, 40 * (i + 1), i + 1)
    assert_same_model(calls, thrice)
    assert calls.loss_curve_ == thrice.loss_curve_
    assert calls.best_loss_ == thrice.best_loss_


def test_partial_fit_goes_on_from_fit():
    X, y = ragged(n=40)
    model = small(GRUClassifier, **DESCENT)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y).partial_fit(X, y)
    with pytest.warns(ConvergenceWarning):
        longer = small(GRUClassifier, **DESCENT | {"max_iter": 4}).fit(X, y)
    assert_same_model(model, longer)


def test_partial_fit_keeps_what_the_first_call_learned():
    X, y = ragged()
    model = small(GRURegressor).partial_fit(X, y)
    mean, scale = model.feature_mean_.copy(), model.target_scale_.copy()
    model.partial_fit([1000 * x for x in X], 1000 * y)
    assert_array_equal(model.feature_mean_, mean)
    assert_array_equal(model.target_scale_, scale)
    tokens, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=2).partial_fit(tokens, y, classes=[0, 1])
    model.partial_fit([x + 100 for x in tokens], y)
    assert model.token_ids_.max() == 7


def test_classes_of_partial_fit():
    X, y = ragged()
    model = small(GRUClassifier)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(X, y)
    model.partial_fit(X[:1], y[:1], classes=[0, 1, 5])
    assert_array_equal(model.classes_, [0, 1, 5])
    assert model.predict_proba(X).shape == (24, 3)
    model.partial_fit(X, y).partial_fit(X, y, classes=[5, 1, 0])
    before = copies(model)
    with pytest.raises(ValueError, match=r"classes=\[0, 1\]. is not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`.*'y' has \[0 1 7\]"):
        model.partial_fit(X, np.where(np.arange(24) == 3, 7, y))
    for name, array in before.items():
        assert_array_equal(model.parameters_[name], array)


def test_partial_fit_of_one_class_after_fit_of_two():
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y).set_params(learning_rate="constant")
    assert_array_equal(model.partial_fit(X[:3], [1, 1, 1]).classes_, [0, 1])


def test_partial_fit_multilabel():
    X, y = ragged()
    Y = np.column_stack([y, 1 - y, y])
    model = small(GRUClassifier).partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    assert model.predict(X).shape == (24, 3)
    with pytest.raises(ValueError, match="2 labels, expected 3"):
        model.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match="several labels"):
        model.partial_fit(X, y)


def test_partial_fit_of_another_number_of_targets():
    X, y = ragged()
    model = small(GRURegressor).partial_fit(X, y)
    with pytest.raises(ValueError, match="y has 2 outputs, expected 1"):
        model.partial_fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_lbfgs_has_no_partial_fit(estimator_class):
    model = small(estimator_class, solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as info:
        model.partial_fit  # noqa: B018
    assert "lbfgs is not stochastic" in str(info.value.__cause__)


def test_what_partial_fit_cannot_do():
    X, y = ragged()
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        small(GRURegressor, early_stopping=True).partial_fit(X, y)
    with pytest.raises(
        ValueError, match="class_weight='balanced' is not supported for partial_fit"
    ):
        small(GRUClassifier, class_weight="balanced").partial_fit(X, y, classes=[0, 1])


def test_the_solver_may_change_between_calls_of_partial_fit():
    X, y = ragged()
    model = small(GRURegressor, solver="adam").partial_fit(X, y)
    for solver in ("sgd", "adam"):
        before = flat(model)
        model.set_params(solver=solver).partial_fit(X, y)
        assert np.abs(flat(model) - before).max() > 0


# warm_start


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.filterwarnings("ignore:Maximum iterations:sklearn.exceptions.ConvergenceWarning")
def test_warm_start_goes_on(estimator_class):
    X, y = ragged(n=40)
    once = small(estimator_class, **DESCENT | {"max_iter": 5}).fit(X, y)
    twice = small(estimator_class, **DESCENT | {"max_iter": 2}, warm_start=True).fit(X, y)
    assert twice.set_params(max_iter=3).fit(X, y) is twice
    assert_same_model(once, twice)
    assert twice.loss_curve_ == once.loss_curve_
    assert (once.n_iter_, twice.n_iter_) == (5, 3)
    assert once.t_ == twice.t_ == 5 * 40


def test_without_warm_start_nothing_is_left_of_the_previous_fit():
    X, y = ragged()
    tokens, token_y = token_sequences()
    once = small(GRUClassifier).fit(X, y)
    again = small(GRUClassifier, embedding_dim=3, early_stopping=True, hidden_layer_sizes=(3, 2))
    again.fit(tokens, token_y + 5)
    again.set_params(embedding_dim=None, early_stopping=False, hidden_layer_sizes=4).fit(X, y)
    assert_same_model(again, once)
    assert {name for name in vars(again) if name.endswith("_")} == {
        name for name in vars(once) if name.endswith("_")
    }
    assert again.loss_curve_ == once.loss_curve_


def test_warm_start_keeps_the_scaling():
    X, y = ragged()
    model = small(GRURegressor, warm_start=True).fit(X, y)
    mean = model.feature_mean_.copy()
    assert_array_equal(model.fit([x + 5 for x in X], y + 5).feature_mean_, mean)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": 5},
        {"hidden_layer_sizes": (4, 4)},
        {"reset_after": True},
        {"output_gate": True},
        {"pooling": "mean"},
        {"embedding_dim": 7},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_goes_on_only_with_the_network_that_was_fitted(method, change):
    X, y = token_sequences()
    model = small(GRUClassifier, warm_start=True, embedding_dim=3).fit(X, y)
    before, p = copies(model), model.predict_proba(X)
    with pytest.raises(ValueError, match="only with the network that was fitted: expected"):
        getattr(model.set_params(**change), method)(X, y)
    for name, array in before.items():
        assert_array_equal(model.parameters_[name], array)
    assert_array_equal(model.predict_proba(X), p)


def test_warm_start_from_numbers_to_tokens():
    X, y = token_sequences()
    model = small(GRUClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"embedding_dim|network that was fitted"):
        model.set_params(embedding_dim=3).fit(X, y)


def test_warm_start_with_another_loss():
    X, y = ragged()
    model = small(GRURegressor, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"loss|network that was fitted"):
        model.set_params(loss="poisson").fit(X, y)


def test_warm_start_with_other_classes():
    X, y = ragged()
    model = small(GRUClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`"):
        model.fit(X, y + 1)


# What is printed


LINE = r"Epoch {}/3  loss \d\.\d{{6}}{}  time left \d+:\d\d"


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("validated", [False, True])
def test_verbose(capsys, validated, solver):
    X, y = ragged()
    validation = {"X_val": X, "y_val": y} if validated else {}
    parameters = {"solver": solver, "verbose": True, "max_iter": 3}
    if solver == "lbfgs":
        with pytest.warns(ConvergenceWarning):
            model = GRUClassifier(4, random_state=0, **parameters).fit(X, y, **validation)
    else:
        model = small(GRUClassifier, **parameters).fit(X, y, **validation)
    lines = capsys.readouterr().out.splitlines()
    score = r"  validation score \d\.\d{4}" if validated else ""
    assert len(lines) == 3
    for i, line in enumerate(lines):
        assert re.fullmatch(LINE.format(i + 1, score), line)
        assert f"loss {model.loss_curve_[i]:.6f}" in line
        assert not validated or f"score {model.validation_scores_[i]:.4f}" in line
    assert lines[-1].endswith("time left 0:00")


def test_the_time_left_is_that_of_the_epochs_left(capsys, monkeypatch):
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    X, y = ragged()
    small(GRUClassifier, verbose=True, max_iter=4).fit(X, y)
    left = [line.split("time left ")[1] for line in capsys.readouterr().out.splitlines()]
    assert left == ["2:30", "1:40", "0:50", "0:00"]


def test_silent_by_default(capsys):
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y)
    model.set_params(learning_rate="constant").partial_fit(X, y).predict(X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# Interruption


@pytest.mark.parametrize("at_update", [1, 2, 3, 8], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_an_interrupt_leaves_a_usable_model_and_a_warning(monkeypatch, estimator_class, at_update):
    X, y = ragged(n=30)
    model = small(estimator_class, batch_size=10, max_iter=20)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, at_update))
    with pytest.warns(UserWarning, match="Training interrupted by user") as record:
        assert model.fit(X, y) is model
    assert [warning.filename for warning in record] == [__file__]
    assert model.n_iter_ == len(model.loss_curve_) == (at_update - 1) // 3
    assert model.t_ == 30 * model.n_iter_
    assert np.isfinite(output(model, X)).all()
    monkeypatch.undo()
    assert model.partial_fit(X, y).loss_ < np.inf


def test_an_interrupt_keeps_the_updates_so_far(monkeypatch):
    X, y = ragged(n=30)
    parameters = {"learning_rate": "constant", "shuffle": False, "batch_size": 10}
    model = small(GRURegressor, max_iter=20, **parameters)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 7))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    monkeypatch.undo()
    with pytest.warns(ConvergenceWarning):
        expected = small(GRURegressor, max_iter=2, **parameters).fit(X, y)
    assert_same_model(model, expected)


def test_an_interrupt_of_early_stopping_restores_the_best_weights(monkeypatch):
    X, y, X_val, y_val = validation_data()
    parameters = {"learning_rate_init": 0.1, "max_iter": 50, "n_iter_no_change": 50}
    model = small(GRUClassifier, early_stopping=True, **parameters)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 20))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ == 19
    assert model.score(X_val, y_val) == model.best_validation_score_ > model.validation_scores_[0]
    assert model.best_validation_score_ > model.validation_scores_[-1]


def test_an_interrupt_of_partial_fit(monkeypatch):
    X, y = ragged(n=30)
    model = small(GRURegressor, batch_size=10).partial_fit(X, y)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2))
    with pytest.warns(UserWarning, match="Training interrupted by user") as record:
        model.partial_fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    assert np.isfinite(model.partial_fit(X, y).predict(X)).all()


@pytest.mark.parametrize("at_evaluation", [1, 6])
def test_an_interrupt_of_lbfgs(monkeypatch, at_evaluation):
    X, y = ragged(n=30)
    model = small(GRUClassifier, solver="lbfgs", max_iter=50)
    monkeypatch.setattr(Objective, "at_all", RaiseAt(Objective.at_all, at_evaluation))
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) < at_evaluation
    assert np.isfinite(model.predict_proba(X)).all()
    monkeypatch.undo()
    if at_evaluation > 1:  # the weights are those of the last whole iteration
        expected = small(GRUClassifier, solver="lbfgs", max_iter=model.n_iter_).fit(X, y)
        assert_same_model(model, expected)


class InterruptsReading(list):
    def __iter__(self):
        raise KeyboardInterrupt


def test_an_interrupt_while_reading_changes_nothing():
    X, y = ragged()
    model = small(GRUClassifier)
    with pytest.raises(KeyboardInterrupt):
        model.fit(InterruptsReading(X), y)
    assert not hasattr(model, "n_features_in_")
    state = state_of(model.fit(X, y))
    with pytest.raises(KeyboardInterrupt):
        model.fit(InterruptsReading(X), y)
    assert_unchanged(model, state)


# Failure


def state_of(model):
    return copy.deepcopy(vars(model))


def assert_unchanged(model, state):
    assert list(vars(model)) == list(state)
    for name, value in state.items():
        np.testing.assert_equal(vars(model)[name], value, err_msg=name)


BAD_FITS = [
    {"X": [[np.inf]] * 24},
    {"X": [[1.0, np.inf, 1.0]] * 24},
    {"X": [["a"]] * 24},
    {"X": []},
    {"X": np.zeros((24, 5, 2, 2))},
    {"y": None},
    {"y": [0, 1]},
    {"y": [np.nan] * 24},
    {"y": np.zeros((24, 2, 2))},
    {"sample_weight": [1.0, 2.0]},
    {"sample_weight": [-1.0] * 24},
    {"sample_weight": [0.0] * 24},
    {"sample_weight": [np.nan] * 24},
]


@pytest.mark.parametrize("bad", [*BAD_FITS, {"X_val": [[1.0]]}], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_failed_fit_leaves_the_model_as_it_was(estimator_class, bad):
    X, y = rectangle()
    model = small(estimator_class).fit(X, y)
    state, before = state_of(model), output(model, X)
    with pytest.raises((ValueError, TypeError)):
        model.fit(**{"X": X, "y": y} | bad)
    assert_unchanged(model, state)
    assert_array_equal(output(model, X), before)
    unfitted = small(estimator_class)
    with pytest.raises((ValueError, TypeError)):
        unfitted.fit(**{"X": X, "y": y} | bad)
    assert_unchanged(unfitted, vars(small(estimator_class)))


@pytest.mark.parametrize("bad", BAD_FITS, ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_failed_partial_fit_leaves_the_model_as_it_was(estimator_class, bad):
    X, y = rectangle()
    classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    model = small(estimator_class).partial_fit(X, y, **classes)
    state = state_of(model)
    with pytest.raises((ValueError, TypeError)):
        model.partial_fit(**{"X": X, "y": y} | bad)
    assert_unchanged(model, state)
    unfitted = small(estimator_class)
    with pytest.raises((ValueError, TypeError)):
        unfitted.partial_fit(**{"X": X, "y": y} | bad, **classes)
    assert_unchanged(unfitted, vars(small(estimator_class)))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_error_in_the_middle_of_the_training_leaves_the_model_as_it_was(monkeypatch, method):
    X, y = rectangle(n=30)
    model = small(GRURegressor, warm_start=True, batch_size=10).partial_fit(X, y)
    state = state_of(model)
    at_update = {"fit": 5, "partial_fit": 2}[method]
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, at_update, MemoryError))
    with pytest.raises(MemoryError):
        getattr(model, method)(X, y)
    assert_unchanged(model, state)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (4, 0)},
        {"hidden_layer_sizes": [2.5]},
        {"features_per_step": 3},
        {"early_stopping": True, "validation_fraction": 0.01},
    ],
    ids=str,
)
def test_parameters_that_fit_refuses_leave_the_model_as_it_was(parameters):
    X, y = rectangle()
    model = small(GRURegressor).fit(X[:, :, 0], y)
    model.set_params(**parameters)
    state = state_of(model)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes|features_per_step|too small"):
        model.fit(X[:, :, 0], y)
    assert_unchanged(model, state)


EXPLOSION = {
    "solver": "sgd",
    "learning_rate": "constant",
    "learning_rate_init": 1e30,
    "max_grad_norm": None,
    "batch_size": 8,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_loss_that_is_not_finite(estimator_class, dtype):
    X, y = rectangle()
    rate = {"learning_rate_init": 1e200} if dtype == "float64" else {}
    model = small(estimator_class, **EXPLOSION | rate, dtype=dtype)
    with pytest.raises(ValueError, match="loss is no longer finite") as info:
        model.fit(X, y)
    for cause in ("learning_rate_init=1e+", "scaling='standard'", "max_grad_norm=None"):
        assert cause in str(info.value)
    assert np.isfinite(flat(model)).all()
    assert np.isfinite(output(model, X)).all()
    # No epoch was finished: the weights are the first ones.
    start = small(estimator_class, learning_rate_init=1e-30, max_iter=1, dtype=dtype).fit(X, y)
    assert_allclose(flat(model), flat(start), rtol=0, atol=1e-29)
    assert (model.n_iter_, model.t_, model.loss_curve_) == (0, 0, [])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_weights_go_back_to_those_of_the_last_finite_epoch(method):
    X, y = rectangle()
    model = small(GRURegressor, warm_start=True, max_iter=5, solver="sgd").fit(X, y)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match="loss is no longer finite"):
        getattr(model.set_params(**EXPLOSION), method)(X, y)
    assert_same_model(model, before)
    assert model.loss_curve_ == before.loss_curve_
    assert_array_equal(model.predict(X), before.predict(X))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_can_go_on_after_a_loss_that_was_not_finite(solver):
    X, y = rectangle()
    model = small(GRURegressor, **EXPLOSION | {"solver": solver, "learning_rate_init": 0.01})
    model.partial_fit(X, y)
    with pytest.raises(ValueError, match="loss is no longer finite"):
        model.set_params(learning_rate_init=1e38).partial_fit(X, y)
    model.set_params(learning_rate_init=0.01)
    losses = [model.partial_fit(X, y).loss_ for _ in range(3)]
    assert losses[2] < losses[0]


# Fitted attributes


@pytest.mark.parametrize(
    "parameters", [{}, {"early_stopping": True}, {"solver": "sgd"}, {"solver": "lbfgs"}], ids=str
)
@pytest.mark.parametrize(
    ("estimator_class", "mlp_class"), [(GRUClassifier, MLPClassifier), (GRURegressor, MLPRegressor)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fitted_attributes_of_the_multi_layer_perceptron(estimator_class, mlp_class, parameters):
    X, y = rectangle(n=40)
    settings = {"hidden_layer_sizes": (4, 3), "max_iter": 5, "random_state": 0, **parameters}
    gru = estimator_class(**settings).fit(X[:, :, 0], y)
    mlp = mlp_class(**settings).fit(X[:, :, 0], y)
    public = {name for name in vars(mlp) if name.endswith("_") and not name.startswith("_")}
    assert {"n_iter_", "t_", "loss_", "n_layers_", "n_outputs_", "out_activation_"} < public
    for name in public - {"coefs_", "intercepts_"}:
        kinds = (int, float, list, str, np.ndarray, NoneType)
        kind = next(kind for kind in kinds if isinstance(getattr(mlp, name), kind | np.integer))
        assert isinstance(getattr(gru, name), kind), name
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "n_iter_"):
        if name != "n_iter_" or "solver" not in parameters:
            assert getattr(gru, name) == getattr(mlp, name), name
    if parameters != {"solver": "lbfgs"}:
        assert gru.t_ == mlp.t_
        assert len(gru.loss_curve_) == len(mlp.loss_curve_)
        assert (gru.validation_scores_ is None) == (mlp.validation_scores_ is None)
        assert gru.loss_ == gru.loss_curve_[-1]
    if gru.validation_scores_ is not None:
        assert len(gru.validation_scores_) == len(mlp.validation_scores_) == gru.n_iter_


@pytest.mark.parametrize(
    ("estimator_class", "y", "n_outputs", "activation"),
    [
        (GRUClassifier, np.arange(24) % 2, 1, "logistic"),
        (GRUClassifier, np.arange(24) % 3, 3, "softmax"),
        (GRUClassifier, np.eye(3, dtype=int)[np.arange(24) % 3], 3, "logistic"),
        (GRURegressor, np.arange(24.0), 1, "identity"),
        (GRURegressor, np.arange(48.0).reshape(24, 2), 2, "identity"),
    ],
)
def test_outputs(estimator_class, y, n_outputs, activation):
    X, _ = rectangle()
    model = small(estimator_class, hidden_layer_sizes=(3, 2, 2)).fit(X, y)
    mlp_class = {GRUClassifier: MLPClassifier, GRURegressor: MLPRegressor}[estimator_class]
    with pytest.warns(ConvergenceWarning):
        mlp = mlp_class(hidden_layer_sizes=(3, 2, 2), max_iter=1).fit(X[:, :, 0], y)
    for a in (model, mlp):
        assert (a.n_layers_, a.n_outputs_, a.out_activation_) == (5, n_outputs, activation)


def test_the_loss_is_the_mean_of_the_log_loss_over_the_epoch():
    X, y = rectangle(n=30)
    parameters = {"learning_rate_init": 1e-12, "alpha": 0, "batch_size": 7, "max_iter": 1}
    model = small(GRUClassifier, **parameters).fit(X, y)
    p = model.predict_proba(X)[np.arange(30), y]
    assert_allclose(model.loss_, -np.log(p).mean(), rtol=1e-5)
    regressor = small(GRURegressor, **parameters).fit(X, 100.0 * y)
    error = (regressor.predict(X) - 100 * y) / regressor.target_scale_
    assert_allclose(regressor.loss_, 0.5 * np.square(error).mean(), rtol=1e-5)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_fit_and_predict_leave_the_parameters_alone(estimator_class):
    X, y = token_sequences()
    matrix = np.random.default_rng(0).normal(size=(8, 3)).tolist()
    model = small(estimator_class, hidden_layer_sizes=[4, 3], embedding_matrix=matrix)
    before, deep = model.get_params(), copy.deepcopy(model.get_params())
    classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    model.partial_fit(X, y, **classes).fit(X, y).score(X, y)
    after = model.get_params()
    assert all(after[name] is value for name, value in before.items())
    assert after == deep


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_predicting_sets_no_attribute(estimator_class):
    X, y = ragged()
    model = small(estimator_class).fit(X, y)
    state = state_of(model)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            getattr(model, method)(X)
    model.score(X, y)
    assert model.parameters_
    assert_unchanged(model, state)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_not_fitted(estimator_class):
    model = small(estimator_class)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            with pytest.raises(NotFittedError, match=f"This {estimator_class.__name__} instance"):
                getattr(model, method)([[1.0]])
    with pytest.raises(AttributeError, match="parameters_"):
        model.parameters_  # noqa: B018


# Threads of the linear algebra


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_linear_algebra_gets_its_threads_back(monkeypatch, estimator_class):
    X, y = rectangle()
    seen = []

    def step(self, theta, gradient, rate):
        seen.append(blas_threads())

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        assert set(before) == {2}
        model = small(estimator_class).fit(X, y)
        assert blas_threads() == before
        output(model, X)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="no longer finite"):
            small(estimator_class, **EXPLOSION).fit(X, y)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="infinity"):
            model.fit([[np.inf]] * 24, y)
        assert blas_threads() == before
        monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2, RuntimeError))
        with pytest.raises(RuntimeError):
            model.fit(X, y)
        assert blas_threads() == before
        monkeypatch.setattr(Adam, "step", step)
        model.fit(X, y)
        assert {n for counts in seen for n in counts} == {1}


def test_a_schedule_that_has_ended_says_so_to_partial_fit():
    X, y = ragged()
    model = small(GRURegressor, learning_rate="cosine", max_iter=2).fit(X, y)
    before = flat(model)
    with pytest.warns(UserWarning, match="come down to zero after max_iter=2 epochs") as record:
        model.partial_fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    assert_array_equal(flat(model), before)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_validation_set_of_one_sequence_is_too_small(estimator_class):
    X, y = ragged()
    with pytest.raises(ValueError, match=r"set is too small: expected at least 2 .* 1"):
        small(estimator_class).fit(X, y, X_val=X[:1], y_val=y[:1])


def test_weights_of_a_validation_set_that_is_not_there():
    X, y = ragged()
    with pytest.raises(ValueError, match="sample_weight_val is provided, but X_val and y_val"):
        small(GRURegressor).fit(X, y, sample_weight_val=[1.0])


def test_class_weights_that_leave_no_sample():
    X, y = ragged()
    with pytest.raises(ValueError, match="class_weight leaves no sample"):
        small(GRUClassifier, class_weight={0: 0, 1: 0}).fit(X, y)


# Batches of similar lengths


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
