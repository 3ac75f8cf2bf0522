"""Each solver with each schedule and each loss of the tables: a new one takes part by itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._engine.losses import LOSSES
from skgru._engine.solvers import SOLVERS
from skgru._nn.schedules import SCHEDULES
from tests.datasets import flat, output, ragged
from tests.targets import estimator_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

EACH_LOSS = pytest.mark.parametrize("loss", LOSSES)
EACH_SOLVER = pytest.mark.parametrize("solver", SOLVERS)
PAIRS = [
    (name, schedule)
    for name, solver in SOLVERS.items()
    for schedule in (SCHEDULES if "learning_rate" in solver.parameters else [None])
]


def of_solver(solver, **parameters):
    """Return parameters, less those that the solver has not."""
    own = SOLVERS[solver].parameters
    others = {name for other in SOLVERS.values() for name in other.parameters} - {*own}
    return {"solver": solver} | {k: v for k, v in parameters.items() if k not in others}


@EACH_LOSS
@pytest.mark.parametrize(("solver", "schedule"), PAIRS)
def test_each_fits(solver, schedule, loss):
    X, y = ragged(20)
    parameters = of_solver(solver, learning_rate=schedule, learning_rate_init=0.02, batch_size=10)
    parameters["max_iter"] = 6
    model = estimator_of(loss, **parameters).fit(X, y)
    assert np.isfinite(flat(model)).all()
    assert np.isfinite(output(model, X)).all()
    assert np.isfinite(model.score(X, y))
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert hasattr(model, "partial_fit") == SOLVERS[solver].is_stochastic
    if SOLVERS[solver].is_stochastic:
        new = estimator_of(loss, **parameters)
        for _ in range(2):
            new.partial_fit(X, y, **({"classes": [0, 1]} if LOSSES[loss].has_classes else {}))
        assert np.isfinite(new.loss_)
        assert new.t_ == 40


@EACH_LOSS
@EACH_SOLVER
def test_weights_are_copies(solver, loss):
    X, y = ragged(20)
    counts = np.arange(20) % 3
    # One batch for all: 13 samples of a weight, or 20 copies.
    parameters = of_solver(solver, shuffle=False) | {"max_iter": 4, "dtype": "float64"}
    rows = np.repeat(np.arange(20), counts)
    copied = estimator_of(loss, **parameters).fit([X[i] for i in rows], y[rows])
    weighted = estimator_of(loss, **parameters).fit(X, y, sample_weight=counts)
    assert_allclose(weighted.loss_curve_, copied.loss_curve_, rtol=1e-8)
    assert_allclose(output(weighted, X), output(copied, X), rtol=1e-7)


@EACH_LOSS
@EACH_SOLVER
def test_training_in_two_calls_goes_on(solver, loss):
    X, y = ragged(20)
    model = estimator_of(loss, warm_start=True, **of_solver(solver)).fit(X, y)
    before = model.loss_curve_
    model.fit(X, y)
    assert model.loss_curve_[: len(before)] == before
    assert len(model.loss_curve_) > len(before)
