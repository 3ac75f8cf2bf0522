"""What all losses have in common: gradients against differences, precision, forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from skgru._engine.number_losses import AbsoluteError, GaussianLoss, PoissonDeviance, SquaredError
from tests.losses import EXACT, LOSS, SOFTMAX, B, HuberOfOne, K, ThreeQuantiles, problem


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


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("knows_shares", [False, True])
def test_the_lowest_loss_of_smoothed_targets_is_that_of_these(n_classes, smoothing, knows_shares):
    rng = np.random.RandomState(0)
    learned = {"classes": np.arange(n_classes), "is_multilabel": False}
    chain = SoftmaxLogLoss(smoothing, crf=True).bind(learned)
    assert chain.lowest == 0  # its targets are as they are
    y, weights = np.arange(5 * n_classes) % n_classes, rng.rand(5 * n_classes)
    if not knows_shares:
        weights[:] = 1
    softmax = SoftmaxLogLoss(smoothing, **learned)
    shares = np.full(n_classes, 1 / n_classes)
    if knows_shares:
        softmax = softmax.smoothed(smoothing, y, weights)
        shares = np.array([weights[y == k].sum() for k in range(n_classes)]) / weights.sum()
    targets = (1 - smoothing) * np.eye(n_classes)[y] + smoothing * shares
    losses, d_raw = softmax.loss_and_gradient(np.log(np.maximum(targets, 1e-300)), y)
    assert_allclose(losses @ weights / weights.sum(), softmax.lowest, atol=1e-12)
    assert_allclose(d_raw, 0, atol=1e-12)

    Y = (np.arange(5 * n_classes)[:, None] % np.arange(2, n_classes + 2) == 0).astype(float)
    if not knows_shares:
        Y = np.vstack([Y, 1 - Y])
        weights = np.ones(len(Y))
    labels = SigmoidLogLoss(smoothing, **learned | {"is_multilabel": True})
    shares = np.full(n_classes, 0.5)
    if knows_shares:
        labels = labels.smoothed(smoothing, Y, weights)
        shares = weights @ Y / weights.sum()
    p = ((1 - smoothing) * Y + smoothing * shares).clip(1e-300, 1 - 1e-16)
    losses, d_raw = labels.loss_and_gradient(np.log(p) - np.log1p(-p), Y)
    assert_allclose(losses @ weights / weights.sum(), labels.lowest, atol=1e-12)
    assert_allclose(d_raw, 0, atol=1e-12)


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
