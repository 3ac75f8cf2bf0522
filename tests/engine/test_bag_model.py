"""The linear model beside the network: its gradient, its optimum, what it keeps, its share."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skgru._data.bag import BagOfTokens
from skgru._data.sequences import Sequences, offsets_of
from skgru._engine.bag_model import Bag, fit_objective
from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from skgru._engine.number_losses import SquaredError

RNG = np.random.RandomState(0)
N = 40
SAMPLES = {
    "a": Sequences(RNG.randint(1, 12, 5 * N), offsets_of([5] * N)),
    "b": Sequences(RNG.randint(0, 6, 3 * N), offsets_of([3] * N)),
}
WEIGHTS = RNG.uniform(0.5, 2, N)
LOSSES = {
    "two classes": (
        SigmoidLogLoss(classes=np.arange(2)),
        RNG.randint(2, size=(N, 1)).astype(float),
    ),
    "three classes": (SoftmaxLogLoss(classes=np.arange(3)), RNG.randint(3, size=N)),
    "numbers": (SquaredError(), RNG.normal(size=(N, 2))),
}


def empty(n_outputs, names=("a", "b")):
    tokens = {name: BagOfTokens.learn(SAMPLES[name], np.ones(N), 1000) for name in names}
    return Bag.empty(tokens, n_outputs)


@pytest.mark.parametrize(("loss", "y"), LOSSES.values(), ids=LOSSES)
def test_gradient(loss, y):
    K = {"SoftmaxLogLoss": 3, "SquaredError": 2}.get(type(loss).__name__, 1)
    bag = empty(K).fitted(SAMPLES, y, WEIGHTS, loss)  # so that firmness and weights differ
    value = fit_objective(bag, bag.matrix(SAMPLES), y, WEIGHTS, loss)
    at = np.random.RandomState(1).normal(size=bag.size)
    error = check_grad(lambda v: value(v)[0], lambda v: value(v)[1], at)
    assert error < 1e-6 * np.linalg.norm(value(at)[1]) + 1e-7


def test_the_optimum_is_that_of_logistic_regression():
    loss, y = LOSSES["two classes"]
    start = empty(1)
    matrix = start.matrix(SAMPLES)
    bag = start.fitted(SAMPLES, y, WEIGHTS, loss)
    peer = LogisticRegression(C=10, tol=1e-8, max_iter=1000).fit(matrix, y[:, 0], WEIGHTS)
    value = fit_objective(start, matrix, y, WEIGHTS, loss)
    of_bag, of_peer = (
        value(np.append(W, b))[0]
        for W, b in [(bag.weights, bag.bias), (peer.coef_, peer.intercept_)]
    )
    assert of_bag == pytest.approx(of_peer, rel=1e-3)
    assert value(np.zeros(bag.size))[0] > 1.5 * of_peer


def test_what_was_learned_holds_against_later_samples():
    loss, y = LOSSES["two classes"]
    bag = empty(1).fitted(SAMPLES, y, WEIGHTS, loss)
    few = {name: s.take(np.arange(3)) for name, s in SAMPLES.items()}
    later = bag.fitted(few, 1 - y[:3], WEIGHTS[:3], loss)
    anew = empty(1).fitted(few, 1 - y[:3], WEIGHTS[:3], loss)
    old, new, alone = (expit(m.raw(SAMPLES)) for m in (bag, later, anew))
    assert 0 < np.abs(new - old).mean() < 0.5 * np.abs(alone - old).mean()
    assert (later.firmness >= bag.firmness).all()


def test_a_weight_of_two_is_two_copies():
    loss, y = LOSSES["three classes"]
    weights, rows = np.ones(N), np.append(np.arange(N), [4, 7])
    weights[[4, 7]] = 2
    copies = {name: s.take(rows) for name, s in SAMPLES.items()}

    def fitted(samples, targets, weights):
        tokens = {name: BagOfTokens.learn(s, weights, 1000) for name, s in samples.items()}
        return Bag.empty(tokens, 3).fitted(samples, targets, weights, loss)

    weighted, copied = fitted(SAMPLES, y, weights), fitted(copies, y[rows], np.ones(N + 2))
    assert_allclose(weighted.raw(SAMPLES), copied.raw(SAMPLES), rtol=1e-4, atol=1e-5)
    assert_allclose(weighted.firmness, copied.firmness)
    plain = fitted(SAMPLES, y, np.ones(N))
    assert np.abs(plain.raw(SAMPLES) - copied.raw(SAMPLES)).max() > 0.1


def test_outputs_by_token_sum_to_the_raw_outputs():
    loss, y = LOSSES["three classes"]
    bag = empty(3).fitted(SAMPLES, y, WEIGHTS, loss)
    by_token = bag.by_token(SAMPLES)
    total = by_token["a"].reshape(N, 5, 3).sum(axis=1) + by_token["b"].reshape(N, 3, 3).sum(axis=1)
    outputs = bag.outputs(SAMPLES)
    assert_allclose(total + bag.shares[1] * bag.bias, outputs.added, atol=1e-12)
    assert_allclose(outputs.join(np.ones((N, 3)), slice(None)), outputs.added + bag.shares[0])


def test_state_makes_the_same_model():
    loss, y = LOSSES["two classes"]
    bag = empty(1).fitted(SAMPLES, y, WEIGHTS, loss)
    assert_allclose(Bag.of_state(bag.state).outputs(SAMPLES).added, bag.outputs(SAMPLES).added)
