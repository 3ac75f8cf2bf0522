"""The losses of classes and labels against their textbook formulas, and at extremes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from tests.losses import K, problem


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


def test_sigmoid_activation_is_scipys_expit():
    raw = np.linspace(-50, 50, 101)[:, None]
    assert_array_equal(SigmoidLogLoss().activate(raw), expit(raw))


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
