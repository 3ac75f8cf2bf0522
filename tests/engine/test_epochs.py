"""Epochs of a first-order optimizer: bounded gradients, interrupts, losses that are not finite."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRURegressor
from skgru._nn.optimizers import Adam
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    flat,
    output,
    ragged,
    rectangle,
    small,
)
from tests.training import (
    EXPLOSION,
    RaiseAt,
    started,
    step_of,
)


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


# Interrupts


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


def test_an_interrupt_of_partial_fit(monkeypatch):
    X, y = ragged(n=30)
    model = small(GRURegressor, batch_size=10).partial_fit(X, y)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2))
    with pytest.warns(UserWarning, match="Training interrupted by user") as record:
        model.partial_fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    assert np.isfinite(model.partial_fit(X, y).predict(X)).all()


# Losses that are not finite


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
