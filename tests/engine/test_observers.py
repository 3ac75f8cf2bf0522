"""The observers of the training: patience, validation, best weights, history, report."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgru import GRUClassifier, GRURegressor
from skgru._nn.optimizers import Adam
from tests.datasets import ESTIMATORS, assert_same_model, ragged, rectangle, small
from tests.training import RaiseAt, validation_data

# Patience


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


# Validation and the best weights


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


# The report


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
