"""The losses of numbers against their textbook formulas, and at extremes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skgru._engine.number_losses import (
    AbsoluteError,
    GaussianLoss,
    Huber,
    PoissonDeviance,
    SquaredError,
)
from tests.losses import B, ThreeQuantiles, problem


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_squared_loss_is_half_the_mean_squared_error(n_outputs):
    loss, raw, y = problem(SquaredError, n_outputs)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_array_equal(loss.activate(raw), raw)
    for i in range(B):
        assert_allclose(values[i], sum((raw[i] - y[i]) ** 2) / 2 / n_outputs, rtol=1e-13)
    assert_allclose(gradient, (raw - y) / n_outputs, rtol=1e-13)
    assert_allclose(values.mean(), mean_squared_error(y, raw) / 2, rtol=1e-13)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_absolute_error(n_outputs):
    loss, raw, y = problem(AbsoluteError, n_outputs)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_array_equal(loss.activate(raw), raw)
    assert_allclose(values.mean(), mean_absolute_error(y, raw), rtol=1e-13)
    assert_allclose(gradient, np.where(raw > y, 1, -1) / n_outputs, rtol=1e-13)


@pytest.mark.parametrize("delta", [0.5, 1.35])
def test_huber_is_squared_up_to_delta_and_linear_beyond(delta):
    loss, raw, y = Huber(delta), np.array([[0.3], [5.0], [-0.4], [-7.0]]), np.zeros((4, 1))
    values, gradient = loss.loss_and_gradient(raw, y)
    linear = [delta * (abs(e) - delta / 2) for e in raw[:, 0]]
    assert_allclose(values, [0.045, linear[1], 0.08, linear[3]], rtol=1e-13)
    assert_allclose(gradient[:, 0], [0.3, delta, -0.4, -delta], rtol=1e-13)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_pinball_loss_is_that_of_scikit_learn_and_quantiles_never_cross(n_outputs):
    loss, raw, y = problem(ThreeQuantiles, n_outputs)
    predicted = loss.activate(raw)
    assert predicted.shape == (B, n_outputs, 3)
    assert (np.diff(predicted, axis=-1) > 0).all()
    values, _ = loss.loss_and_gradient(raw, y)
    each = [mean_pinball_loss(y, predicted[..., i], alpha=q) for i, q in enumerate(loss.quantiles)]
    assert_allclose(values.mean(), np.mean(each), rtol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_gaussian_loss_is_the_negative_log_density(n_outputs):
    loss, raw, y = problem(GaussianLoss, n_outputs)
    mean, deviation = np.moveaxis(loss.activate(raw), -1, 0)
    assert (deviation > 0).all()
    values, _ = loss.loss_and_gradient(raw, y)
    assert_allclose(values, -norm.logpdf(y, mean, deviation).mean(axis=1), rtol=1e-11)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_poisson_loss_is_half_the_mean_deviance(n_outputs):
    loss, raw, y = problem(PoissonDeviance, n_outputs)
    mu = np.exp(raw)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(loss.activate(raw), mu, rtol=1e-14)
    for i in range(B):
        terms = [b - a + (a * np.log(a / b) if a else 0) for a, b in zip(y[i], mu[i], strict=True)]
        assert_allclose(values[i], sum(terms) / n_outputs, rtol=1e-11)
    assert_allclose(gradient, (mu - y) / n_outputs, rtol=1e-12)
    by_output = [mean_poisson_deviance(y[:, k], mu[:, k]) for k in range(n_outputs)]
    assert_allclose(values.mean(), np.mean(by_output) / 2, rtol=1e-11)


# Extremes: pytest turns each warning into an error


def test_the_deviation_has_a_floor():
    loss = GaussianLoss()
    raw, y = np.array([[0.0, -1e4]]), np.array([[0.5]])
    assert_allclose(loss.activate(raw), [[[0, 1e-3]]], rtol=1e-12)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squared_error_of_large_outputs_is_exact(dtype):
    values, gradient = SquaredError().loss_and_gradient(
        np.array([[1e4, -1e4]], dtype), np.array([[0, 0]], dtype)
    )
    assert_allclose(values, [0.5e8], rtol=1e-6)
    assert_allclose(gradient, [[5e3, -5e3]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_poisson_is_stable_where_the_expected_count_vanishes(dtype):
    loss = PoissonDeviance()
    raw, y = np.array([[-1e4], [-1e4]], dtype), np.array([[0], [1]], dtype)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(values, [0, 1e4 - 1], rtol=1e-6)
    assert_allclose(gradient, [[0], [-1]], rtol=1e-6)
    assert_array_equal(loss.activate(raw), 0)
