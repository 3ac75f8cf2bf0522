"""The training loss: its mean, its penalty, and how far its gradient reaches, `bptt_steps`."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor
from skgru._engine.solvers import SOLVERS
from tests.datasets import output, ragged, rectangle, small, token_sequences
from tests.training import started


def test_the_loss_is_the_mean_of_the_log_loss_over_the_epoch():
    X, y = rectangle(n=30)
    parameters = {"learning_rate_init": 1e-12, "alpha": 0, "batch_size": 7, "max_iter": 1}
    model = small(GRUClassifier, label_smoothing=0, **parameters).fit(X, y)
    p = model.predict_proba(X)[np.arange(30), y]
    assert_allclose(model.loss_, -np.log(p).mean(), rtol=1e-5)
    regressor = small(GRURegressor, **parameters).fit(X, 100.0 * y)
    error = (regressor.predict(X) - 100 * y) / regressor.target_scale_
    assert_allclose(regressor.loss_, 0.5 * np.square(error).mean(), rtol=1e-5)


# The penalty


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


# Truncation


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pieces_as_long_as_the_sequences_change_nothing(solver, pooling):
    X, y = ragged(30)
    longest = max(len(x) for x in X)
    models = [
        small(GRURegressor, solver=solver, pooling=pooling, bptt_steps=n).fit(X, y)
        for n in (None, longest, longest + 1)
    ]
    for model in models[1:]:
        assert model.loss_curve_ == models[0].loss_curve_
        assert_array_equal(output(model, X), output(models[0], X))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_truncated_training_is_another_one_and_starts_from_the_same_loss(solver, pooling):
    X, y = ragged(30)
    full, cut = (
        small(GRURegressor, solver=solver, pooling=pooling, bptt_steps=n).fit(X, y)
        for n in (None, 2)
    )
    # The outputs do not depend on the cuts: so neither does the loss before the first update.
    if SOLVERS[solver].is_stochastic:
        assert cut.loss_curve_[0] == pytest.approx(full.loss_curve_[0], rel=1e-5)
    assert cut.loss_ != full.loss_
    assert cut.loss_curve_[-1] < cut.loss_curve_[0]


def test_tokens_and_threads():
    X, y = token_sequences(150)
    options = {"hidden_layer_sizes": 128, "embedding_dim": 4, "bptt_steps": 2, "batch_size": 128}
    one, two = (small(GRUClassifier, **options, n_jobs=n).fit(X, y) for n in (1, 2))
    assert_array_equal(output(one, X), output(two, X))


def test_what_lies_inside_the_reach_of_the_gradient_is_learned():
    # The sign of the only peak, 15 steps before the end at most, is asked for.
    rng = np.random.default_rng(0)
    X = rng.normal(0, 0.1, (200, 300, 1))
    y = rng.integers(0, 2, 200)
    X[np.arange(200), rng.integers(286, 300, 200), 0] = 4.0 * (2 * y - 1)
    model = GRUClassifier(
        8, bptt_steps=20, max_iter=40, learning_rate_init=0.02, random_state=0
    ).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.95


def test_the_state_is_carried_over_the_cuts():
    # A mark at the start is of use only through the states that the cuts carry on: a gradient that
    # reaches over 4 steps cannot make them, but one that did not read them could not pass them.
    X = np.zeros((60, 12, 1))
    y = np.arange(60) % 2
    X[:, 0, 0] = 2.0 * y - 1
    model = GRUClassifier(
        8, bptt_steps=4, max_iter=80, learning_rate_init=0.02, pooling="mean", random_state=0
    ).fit(X, y)
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("value", [0, -1, 1.5, "all"])
def test_other_values_are_refused(value):
    X, y = ragged(30)
    with pytest.raises(ValueError, match="'bptt_steps' parameter"):
        GRURegressor(bptt_steps=value).fit(X, y)
