"""The factors of a network and a linear model beside it."""

import numpy as np
import pytest
from scipy.special import expit

from skgru._engine.class_losses import SigmoidLogLoss
from skgru._engine.opinion_pool import fit_shares


def test_shares_go_to_the_one_that_is_right():
    rng = np.random.RandomState(0)
    truth = rng.normal(size=(2000, 1))
    y = (rng.uniform(size=truth.shape) < expit(truth)).astype(float)
    noise, weights = rng.normal(size=truth.shape), np.ones(len(y))
    loss = SigmoidLogLoss(classes=np.arange(2))
    network, linear = fit_shares(noise, truth / 2, y, weights, loss, (0.5, 1.0))
    assert network < 0.15
    assert linear == pytest.approx(2, abs=0.3)
    network, linear = fit_shares(3 * truth, noise, y, weights, loss, (0.5, 1.0))
    assert network == pytest.approx(1 / 3, abs=0.05)
    assert linear < 0.15
