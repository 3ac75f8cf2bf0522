"""Transformers of steps, and sequences, for the tests of PerTimestep."""

import numpy as np
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep


def name_of(transformer):
    return type(transformer).__name__


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


def latent_signal(n=80, n_variables=1000):
    """Return sequences of many variables that few latent ones move, and the classes."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, n_variables))
    latent = [rng.normal(size=(n_steps, 3)) for n_steps in rng.integers(4, 9, size=n)]
    y = np.array([z[:, 0].sum() > 0 for z in latent])
    noise = (0.5 * rng.normal(size=(len(z), n_variables)) for z in latent)
    return [z @ mixing + e for z, e in zip(latent, noise, strict=True)], y


def reducing_pipeline():
    return make_pipeline(
        PerTimestep(make_pipeline(StandardScaler(), PCA(n_components=3, random_state=0))),
        GRUClassifier(
            hidden_layer_sizes=8,
            learning_rate_init=0.03,
            max_iter=40,
            dropout=0,
            random_state=0,
        ),
    )
