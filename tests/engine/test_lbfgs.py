"""L-BFGS: what it depends on, when it stops, and what an interrupt leaves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier, GRURegressor
from skgru._engine.lbfgs import minimize
from skgru._engine.objective import Objective
from tests.datasets import assert_same_model, ragged, rectangle, small
from tests.training import Bowl, RaiseAt, Recorder, raises


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


# Iterations as epochs


class Slope(Bowl):
    """Σ (θ − c)⁴: L-BFGS needs several iterations."""

    def at_batch(self, indices, rng):
        distance = self.theta[0] - self.centers[indices]
        return np.power(distance, 4).sum() + self.extra, np.array([4 * np.power(distance, 3).sum()])


LIMITS = {"max_iter": 50, "max_fun": 1000, "tol": 1e-6}


def test_an_iteration_is_an_epoch_of_one_batch_for_observers():
    slope, recorder = Slope([1.0, 2.0, 3.0], start=10.0), Recorder()
    assert minimize(slope, recorder, **LIMITS) == "converged"
    assert_allclose(slope.theta, 2, atol=1e-3)
    evaluations, iterations = recorder.all_of("batch"), recorder.all_of("epoch")
    assert len(evaluations) >= len(iterations) > 2
    assert {batch for _, batch, _ in evaluations} == {1}
    assert [epoch for epoch, _ in iterations] == list(range(1, len(iterations) + 1))
    assert (np.diff([loss for _, loss in iterations]) < 0).all()
    # An iteration comes after the evaluations that it took, and its loss is one of theirs.
    of_evaluations = set()
    for what, *_, loss in recorder.heard[:-1]:
        if what == "batch":
            of_evaluations.add(loss)
        else:
            assert loss in of_evaluations
    assert recorder.heard[-1] == ("end", "converged")


@pytest.mark.parametrize("limit", [{"max_iter": 2}, {"max_fun": 3}])
def test_limits_of_iterations_and_evaluations(limit):
    slope, recorder = Slope([1.0, 2.0, 3.0], start=10.0), Recorder()
    assert minimize(slope, recorder, **LIMITS | limit) == "max_iter"
    assert 1 <= len(recorder.thetas) <= 3
    assert_array_equal(slope.theta, recorder.thetas[-1])
    assert recorder.heard[-1] == ("end", "max_iter")


def test_an_observer_may_end_it_after_an_iteration():
    slope, recorder = Slope([1.0, 2.0, 3.0], start=10.0), Recorder(ends_at=3)
    assert minimize(slope, recorder, **LIMITS) == "converged"
    assert [epoch for epoch, _ in recorder.all_of("epoch")] == [1, 2, 3]
    assert_array_equal(slope.theta, recorder.thetas[-1])
    assert recorder.heard[-1] == ("end", "converged")


def test_a_start_at_the_minimum_is_an_epoch():
    bowl, recorder = Bowl([2.0, 4.0], start=3.0), Recorder()
    assert minimize(bowl, recorder, **LIMITS) == "converged"
    assert recorder.all_of("epoch") == [(1, 0.5)]
    assert_array_equal(bowl.theta, [3])


@pytest.mark.parametrize(
    ("outcome", "spoil"),
    [
        ("interrupted", lambda slope: raises(KeyboardInterrupt)),
        ("diverged", lambda slope: lambda: slope.centers.fill(np.nan)),
        ("diverged", lambda slope: lambda: setattr(slope, "extra", np.inf)),
        ("diverged", lambda slope: lambda: setattr(slope, "extra", -np.inf)),
    ],
)
def test_theta_goes_back_to_the_last_iteration(outcome, spoil):
    start = Slope([1.0, 2.0, 3.0], start=10.0).theta
    for at_evaluation in (1, 4):
        slope = Slope([1.0, 2.0, 3.0], start=10.0)
        recorder = Recorder(on={at_evaluation: spoil(slope)})
        with np.errstate(invalid="ignore"):
            assert minimize(slope, recorder, **LIMITS) == outcome
        if at_evaluation > 1:
            assert recorder.thetas
        assert_array_equal(slope.theta, [start, *recorder.thetas][-1])
        assert np.isfinite([loss for _, loss in recorder.all_of("epoch")]).all()
        assert recorder.heard[-1] == ("end", outcome)


def test_other_errors_pass_through():
    with pytest.raises(MemoryError):
        minimize(Bowl([1.0], start=5.0), Recorder(on={2: raises(MemoryError)}), **LIMITS)
