"""What the scripts on missing values share: ways to fill sequences in before the fit."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def fill_mean(x, mean):
    """Return x with NaN replaced by the mean of its column."""
    return np.where(np.isnan(x), mean, x)


def fill_forward(x, mean=np.nan):
    """Return x with NaN replaced by the value before in its column, if there is none by `mean`."""
    latest = np.where(np.isnan(x), 0, np.arange(len(x))[:, None])
    return fill_mean(np.take_along_axis(x, np.maximum.accumulate(latest), axis=0), mean)


def fill_linear(x, mean):
    """Interpolate each column; its first and last value are repeated towards the ends."""
    filled = fill_mean(x, mean)
    steps = np.arange(len(x))
    for column in range(x.shape[1]):
        is_known = np.isfinite(x[:, column])
        if is_known.any():
            filled[:, column] = np.interp(steps, steps[is_known], x[is_known, column])
    return filled


FILLERS = {"mean": fill_mean, "forward": fill_forward, "linear": fill_linear}


class Filler(TransformerMixin, BaseEstimator):
    """Fills sequences in; the means are those of the sequences that `fit` sees."""

    def __init__(self, method):
        self.method = method

    def fit(self, X, y=None):
        """Learn the means."""
        self.mean_ = np.nanmean(np.concatenate(X), axis=0)
        return self

    def transform(self, X):
        """Return the sequences without NaN."""
        return [FILLERS[self.method](x, self.mean_) for x in X]
