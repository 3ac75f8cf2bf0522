"""L-BFGS: what it depends on, when it stops, and what an interrupt leaves."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier, GRURegressor
from skgru._engine.objective import Objective
from tests.datasets import (
    assert_same_model,
    ragged,
    rectangle,
    small,
)
from tests.training import RaiseAt


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
