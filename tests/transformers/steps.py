"""Transformers and comparisons that the tests of PerTimestep share."""

from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin


def assert_same_sequences(output, expected, **tolerance):
    assert type(output) is list
    assert len(output) == len(expected)
    for sequence, other in zip(output, expected, strict=True):
        assert sequence.shape == other.shape
        assert_allclose(sequence, other, **tolerance)


class Recording(TransformerMixin, BaseEstimator):
    """Keeps what it is given to fit, and returns what `output` makes of the steps."""

    def __init__(self, output=None):
        self.output = output

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        return self

    def transform(self, X):
        return X if self.output is None else self.output(X)
