"""How honest probabilities are: log-loss, calibration error, the temperature that would suit them.

Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks".
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_N_BINS = 15
_LEAST = 1e-15  # of a probability, as in scikit-learn's log_loss
_BOUNDS = np.log(0.05), np.log(20)


class Honesty(NamedTuple):
    """What test samples say of probabilities.

    Attributes
    ----------
    log_loss : float
        Mean negative logarithm of the true class's probability.
    calibration_error : float
        How far the highest probabilities are from the share that is right, in bins of equal width.
    temperature : float
        The number by which to divide their logarithms for the lowest log-loss: above 1, the
        probabilities are too sure.
    """

    log_loss: float
    calibration_error: float
    temperature: float


def honesty(probabilities, classes):
    """Return the `Honesty` of probabilities (n, n_classes), given the columns (n,) of the truth."""
    logs = np.log(np.clip(probabilities, _LEAST, 1))
    return Honesty(
        _log_loss(logs, classes),
        _calibration_error(probabilities, classes),
        _best_temperature(logs, classes),
    )


def _log_loss(logs, classes):
    return -logs[np.arange(len(classes)), classes].mean()


def _calibration_error(probabilities, classes):
    highest = probabilities.max(axis=1)
    off = (probabilities.argmax(axis=1) == classes) - highest
    bins = np.minimum((highest * _N_BINS).astype(int), _N_BINS - 1)
    return np.abs(np.bincount(bins, off, minlength=_N_BINS)).sum() / len(classes)


def _best_temperature(logs, classes):
    def loss(log_temperature):
        return _log_loss(log_softmax(logs / np.exp(log_temperature), axis=1), classes)

    return np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x)
