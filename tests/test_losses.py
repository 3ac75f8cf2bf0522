"""Losses against their textbook formulas, and their gradients against differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from scipy.stats import norm
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from skgru._engine.number_losses import (
    AbsoluteError,
    GaussianLoss,
    Huber,
    PinballLoss,
    PoissonDeviance,
    SquaredError,
)


class SmoothedSoftmax(SoftmaxLogLoss):
    def __init__(self):
        super().__init__(label_smoothing=0.2)


class SmoothedSigmoid(SigmoidLogLoss):
    def __init__(self):
        super().__init__(label_smoothing=0.2)


class HuberOfOne(Huber):
    def __init__(self):
        super().__init__(huber_delta=1.0)


class ThreeQuantiles(PinballLoss):
    def __init__(self):
        super().__init__((0.1, 0.5, 0.9))


SOFTMAX = (SoftmaxLogLoss, SmoothedSoftmax)
SIGMOID = (SigmoidLogLoss, SmoothedSigmoid)
EXACT = [SoftmaxLogLoss, SigmoidLogLoss, SquaredError, PoissonDeviance, AbsoluteError, HuberOfOne]
LOSSES = [*EXACT, SmoothedSoftmax, SmoothedSigmoid, ThreeQuantiles, GaussianLoss]
LOSS = pytest.mark.parametrize("loss_class", LOSSES)
B, K = 6, 3


def targets(loss_class, rng, n_outputs=K):
    if loss_class in SOFTMAX:
        return rng.randint(n_outputs, size=B)  # classes by their indices
    if loss_class in SIGMOID:
        return rng.randint(2, size=(B, n_outputs)).astype(float)
    if loss_class is PoissonDeviance:
        return rng.poisson(1.0, (B, n_outputs)).astype(float)
    return rng.normal(size=(B, n_outputs))


def problem(loss_class, n_outputs=K, seed=0):
    rng = np.random.RandomState(seed)
    loss = loss_class()
    raw = rng.normal(0, 2, (B, n_outputs * loss.n_raw))
    return loss, raw, targets(loss_class, rng, n_outputs)


# Values


def test_softmax_loss_is_minus_the_log_probability_of_the_true_class():
    loss, raw, y = problem(SoftmaxLogLoss)
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(loss.activate(raw), p, rtol=1e-13)
    assert_allclose(values, [-np.log(p[i, k]) for i, k in enumerate(y)], rtol=1e-12)
    assert_allclose(gradient, p - np.eye(K)[y], rtol=0, atol=1e-14)
    assert_allclose(values.mean(), log_loss(y, p, labels=range(K)), rtol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_sigmoid_loss_is_the_log_loss_summed_over_the_labels(n_outputs):
    loss, raw, y = problem(SigmoidLogLoss, n_outputs)
    p = 1 / (1 + np.exp(-raw))
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(loss.activate(raw), p, rtol=1e-13)
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1)
    assert_allclose(values, expected, rtol=1e-11)
    assert_allclose(gradient, p - y, rtol=0, atol=1e-14)
    by_label = [log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in range(n_outputs)]
    assert_allclose(values.mean(), sum(by_label), rtol=1e-11)


def test_sigmoid_loss_of_one_label_is_the_softmax_loss_of_two_classes():
    loss, raw, y = problem(SigmoidLogLoss, 1)
    classes = y[:, 0].astype(int)
    two, _ = SoftmaxLogLoss().loss_and_gradient(np.hstack([0 * raw, raw]), classes)
    one, _ = loss.loss_and_gradient(raw, y)
    assert_allclose(one, two, rtol=1e-12)


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


def test_the_deviation_has_a_floor():
    loss = GaussianLoss()
    raw, y = np.array([[0.0, -1e4]]), np.array([[0.5]])
    assert_allclose(loss.activate(raw), [[[0, 1e-3]]], rtol=1e-12)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("epsilon", [0.1, 0.5])
def test_smoothed_labels_are_moved_towards_equal_probabilities(epsilon):
    _, raw, y = problem(SoftmaxLogLoss)
    values, gradient = SoftmaxLogLoss(epsilon).loss_and_gradient(raw, y)
    moved, p = (1 - epsilon) * np.eye(K)[y] + epsilon / K, softmax(raw, axis=1)
    assert_allclose(values, -(moved * np.log(p)).sum(axis=1), rtol=1e-12)
    assert_allclose(gradient, p - moved, rtol=0, atol=1e-14)
    _, raw, y = problem(SigmoidLogLoss)
    smoothed = SigmoidLogLoss(epsilon).loss_and_gradient(raw, y)
    moved = SigmoidLogLoss().loss_and_gradient(raw, (1 - epsilon) * y + epsilon / 2)
    for a, b in zip(smoothed, moved, strict=True):
        assert_allclose(a, b, rtol=1e-13)


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


@pytest.mark.parametrize("loss_class", EXACT)
def test_perfect_predictions_cost_nothing(loss_class):
    loss, raw, y = problem(loss_class)
    if loss_class in (SoftmaxLogLoss, SigmoidLogLoss):
        raw = 1000 * (2 * (np.eye(K)[y] if loss_class is SoftmaxLogLoss else y) - 1)
    elif loss_class is PoissonDeviance:
        y = np.exp(raw)
    else:
        y = raw.copy()
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(values, 0, atol=1e-12)
    assert_allclose(gradient, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("loss_class", "name"),
    [
        (SoftmaxLogLoss, "softmax"),
        (SigmoidLogLoss, "logistic"),
        (SquaredError, "identity"),
        (PoissonDeviance, "exp"),
        (AbsoluteError, "identity"),
        (HuberOfOne, "identity"),
        (ThreeQuantiles, "identity"),
        (GaussianLoss, "identity"),
    ],
)
def test_output_activation_is_named(loss_class, name):
    assert loss_class().out_activation == name


# Gradients


@pytest.mark.parametrize("n_outputs", [1, 3])
@LOSS
def test_gradient_equals_central_differences(check_gradient, loss_class, n_outputs):
    if loss_class in SOFTMAX and n_outputs == 1:
        n_outputs = 2
    loss, raw, y = problem(loss_class, n_outputs)
    weights = np.random.RandomState(1).uniform(0.5, 2, B)
    _, gradient = loss.loss_and_gradient(raw, y)
    check_gradient(
        lambda: weights @ loss.loss_and_gradient(raw, y)[0],
        raw,
        weights[:, None] * gradient,
        loss_class.__name__,
    )


@LOSS
def test_arguments_are_left_as_they_are(loss_class):
    loss, raw, y = problem(loss_class)
    raw.flags.writeable = y.flags.writeable = False
    _, gradient = loss.loss_and_gradient(raw, y)
    loss.activate(raw)
    gradient *= 2  # training scales it in place


# Extremes: pytest turns each warning into an error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_stable(dtype):
    loss = SoftmaxLogLoss()
    raw = np.array([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4]], dtype)
    y = np.arange(3)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(values, [0, 2e4, np.log(3)], rtol=1e-6)
    assert_allclose(gradient, [[0, 0, 0], [1, -1, 0], [1 / 3, 1 / 3, -2 / 3]], rtol=1e-6)
    assert_allclose(loss.activate(raw), [[1, 0, 0], [1, 0, 0], [1 / 3] * 3], rtol=1e-6)


def test_softmax_of_a_sample_does_not_suffer_from_the_size_of_another():
    loss = SoftmaxLogLoss()
    raw, y = np.array([[1e4, 1e4], [-1e4, -1e4]]), np.array([0, 1])
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(values, np.log(2), rtol=1e-12)
    assert_allclose(gradient, [[-0.5, 0.5], [0.5, -0.5]], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_stable(dtype):
    loss = SigmoidLogLoss()
    raw = np.array([[1e4], [1e4], [-1e4], [-1e4], [0]], dtype)
    y = np.array([[1], [0], [1], [0], [1]], dtype)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert_allclose(values, [0, 1e4, 1e4, 0, np.log(2)], rtol=1e-6)
    assert_allclose(gradient, [[0], [1], [-1], [0], [-0.5]], rtol=1e-6)
    assert_allclose(loss.activate(raw), [[1], [1], [0], [0], [0.5]], rtol=1e-6)


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


@LOSS
def test_float32_stays_float32_and_close_to_float64(loss_class):
    loss, raw, y = problem(loss_class)
    single = [loss.activate(raw.astype(np.float32))]
    of_single = y if loss_class in SOFTMAX else y.astype(np.float32)
    single += loss.loss_and_gradient(raw.astype(np.float32), of_single)
    double = [loss.activate(raw), *loss.loss_and_gradient(raw, y)]
    for a, b in zip(single, double, strict=True):
        assert a.dtype == np.float32
        assert b.dtype == np.float64
        assert a.shape == b.shape
        assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@LOSS
def test_each_sample_has_its_loss_and_each_output_its_derivative(loss_class):
    loss, raw, y = problem(loss_class)
    values, gradient = loss.loss_and_gradient(raw, y)
    assert values.shape == (B,)
    assert gradient.shape == raw.shape == (B, K * loss.n_raw)
    assert loss.activate(raw).shape == ((B, K) if loss.n_raw == 1 else (B, K, loss.n_raw))
    for i in range(B):
        value, row = loss.loss_and_gradient(raw[i : i + 1], y[i : i + 1])
        assert_allclose(value[0], values[i], rtol=1e-13)
        assert_allclose(row[0], gradient[i], rtol=1e-13)


@LOSS
def test_of_no_sample_there_is_no_loss(loss_class):
    loss, raw, y = problem(loss_class)
    values, gradient = loss.loss_and_gradient(raw[:0], y[:0])
    assert values.shape == (0,)
    assert gradient.shape == raw[:0].shape
    assert loss.activate(raw[:0]).shape == loss.activate(raw)[:0].shape


def test_sigmoid_activation_is_scipys_expit():
    raw = np.linspace(-50, 50, 101)[:, None]
    assert_array_equal(SigmoidLogLoss().activate(raw), expit(raw))
