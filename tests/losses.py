"""All losses in their forms, with raw outputs and targets for them."""

import numpy as np
import pytest

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
