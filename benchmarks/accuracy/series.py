"""What the rows of numeric series share: networks that vote, and the multi-layer perceptron."""

from functools import partial

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


def flatten(n_steps, X):
    """Return sequences as rows of a table: cut to `n_steps` steps, or filled up with zeros."""
    table = np.zeros((len(X), n_steps, np.shape(X[0])[1]))
    for row, x in zip(table, X, strict=True):
        row[: len(x)] = x[:n_steps]
    return table.reshape(len(X), -1)


def perceptron(seed, n_steps, regressor=False):
    """Return scikit-learn's multi-layer perceptron on all steps side by side, scaled."""
    estimator = MLPRegressor if regressor else MLPClassifier
    return make_pipeline(
        FunctionTransformer(partial(flatten, n_steps)),
        StandardScaler(),
        estimator(max_iter=1000, random_state=seed),
    )
