"""All losses of numbers and all poolings that there are: a new one takes part by itself."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import r2_score

from skgru import GRUClassifier, GRURegressor
from skgru._engine.losses import LOSSES
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._nn.pooling import POOLINGS
from tests.datasets import PLAIN
from tests.part_checks import check_pooling, check_training_loss

LOSS = pytest.mark.parametrize("loss", NUMBER_LOSSES)
POOLING = pytest.mark.parametrize("pooling", POOLINGS)


def ragged(n, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(1 + i % 6, 2)) for i in range(n)]


def trained(estimator_class, X, y, **parameters):
    settings = {"hidden_layer_sizes": 12, "max_iter": 25, "learning_rate_init": 0.02}
    return estimator_class(**PLAIN | settings | parameters, random_state=0).fit(X, y)


def assert_same_alone_and_pickled(model, X):
    together = model.predict(X)
    alone = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
    assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), together)


@LOSS
def test_a_loss_is_found_by_its_name(loss):
    assert NUMBER_LOSSES[loss].name == loss
    assert LOSSES[loss] is NUMBER_LOSSES[loss]


@LOSS
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_gradient_of_a_loss(loss, n_outputs, check_along_directions):
    X, y = ragged(8), np.random.default_rng(1).uniform(1, 9, size=(8, n_outputs))
    model = GRURegressor(3, loss=loss, max_iter=1, random_state=0)
    model.fit(X, y if n_outputs > 1 else y[:, 0])
    check_training_loss(model, X, y, check_along_directions)
    assert_same_alone_and_pickled(model, X)


@LOSS
def test_a_loss_learns(loss):
    X = np.random.default_rng(0).normal(size=(700, 6))
    y = np.exp(0.5 * (X[:, 0] + X[:, -1]))
    model = trained(GRURegressor, X[:400], y[:400], loss=loss)
    assert r2_score(y[400:], model.predict(X[400:])) > 0.7


@POOLING
@pytest.mark.parametrize("n_steps", [1, 2, 9])
def test_gradient_of_a_pooling_in_pieces(pooling, n_steps, check_gradient):
    sequences, results = check_pooling(POOLINGS[pooling], n_steps, check_gradient)
    _, whole = check_pooling(POOLINGS[pooling], 99, check_gradient)
    assert_allclose(results, whole, rtol=1e-12, atol=1e-12)
    assert not results[[len(y) == 0 for y in sequences]].any()


@POOLING
def test_gradient_of_a_network_with_a_pooling(pooling, check_along_directions):
    X, y = ragged(8), np.arange(8) % 3
    model = GRUClassifier(3, pooling=pooling, max_iter=1, random_state=0).fit(X, y)
    check_training_loss(model, X, y, check_along_directions)
    assert_same_alone_and_pickled(model, X)


@POOLING
def test_a_network_with_a_pooling_learns(pooling):
    # Whether two neighbours somewhere have the same sign: no step alone tells anything.
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], size=(800, 1)) * (-1.0) ** np.arange(8)
    y = rng.integers(0, 2, size=800)
    for x, has_pair, start in zip(X, y, rng.integers(1, 8, size=800), strict=True):
        x[start:] *= -1 if has_pair else 1
    model = trained(GRUClassifier, X[:500], y[:500], pooling=pooling)
    assert model.score(X[500:], y[500:]) > 0.9
