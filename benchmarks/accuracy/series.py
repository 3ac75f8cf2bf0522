"""What the rows of numeric series share: networks that vote, a perceptron, samples of two forms."""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import VotingClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgru import GRUClassifier


def vote(seed, n_networks, **settings):
    """Return networks that differ by their seeds, whose probabilities are averaged."""
    members = [
        (f"{i}", GRUClassifier(random_state=n_networks * seed + i, **settings))
        for i in range(n_networks)
    ]
    return VotingClassifier(members, voting="soft")


def networks(n_networks, **settings):
    """Return the default classifier, and so many with these settings that vote: "tuned"."""
    return {
        "defaults": lambda seed: GRUClassifier(random_state=seed),
        "tuned": partial(vote, n_networks=n_networks, **settings),
    }


class Sample(NamedTuple):
    """A sequence, and what models that read no sequences are told of it instead."""

    sequence: np.ndarray
    summary: object


def sequences(X):
    """Return the sequences of samples."""
    return [x.sequence for x in X]


def summaries(X):
    """Return the summaries of samples, as the rows of an array."""
    return np.array([x.summary for x in X])


def flatten(n_steps, X):
    """Return sequences as rows of a table: cut to `n_steps` steps, or filled up with zeros."""
    table = np.zeros((len(X), n_steps, np.shape(X[0])[1]))
    for row, x in zip(table, X, strict=True):
        row[: len(x)] = x[:n_steps]
    return table.reshape(len(X), -1)


def flattener(n_steps):
    """Return the transformer that flattens."""
    return FunctionTransformer(partial(flatten, n_steps))


def perceptron(seed, n_steps, regressor=False):
    """Return scikit-learn's multi-layer perceptron on all steps side by side, scaled."""
    estimator = MLPRegressor if regressor else MLPClassifier
    return make_pipeline(
        flattener(n_steps),
        StandardScaler(),
        estimator(max_iter=1000, random_state=seed),
    )
