"""Planted evidence stands first, by every method; a network of shuffled targets shows none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRURegressor,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
)
from skgru.inspection import attributions

METHODS = ("integrated_gradients", "occlusion", "gradient")
SETTINGS = {"hidden_layer_sizes": 16, "learning_rate_init": 0.02, "dropout": 0, "patch_size": 1}
SETTINGS |= {"early_stopping": False, "random_state": 0}
N_SHOWN, N_SHUFFLED = 100, 8


def _amounts(shape, rng):
    return rng.choice([-1, 1], shape) * rng.uniform(1, 2, shape)


def word(n, rng):
    """One word among others tells the class."""
    words = rng.choice([f"w{i}" for i in range(20)], (n, 8))
    place, y = rng.randint(8, size=n), rng.randint(2, size=n)
    words[np.arange(n), place] = np.array(["awful", "lovely"])[y]
    return [" ".join(row) for row in words], y, place


def bump(n, rng):
    """Each channel has a bump; the height of the one in the second is the target."""
    X, heights = 0.1 * rng.normal(size=(n, 10, 3)), _amounts((n, 3), rng)
    steps = rng.randint(10, size=(n, 3))
    for j in range(3):
        X[np.arange(n), steps[:, j], j] += heights[:, j]
    return list(X), heights[:, 1], 3 * steps[:, 1] + 1


def event(n, rng):
    """Events of five kinds in any order, each with an amount; that of the second is the target."""
    kinds = np.array([rng.permutation(5) for _ in range(n)])
    amounts, place = _amounts((n, 5), rng), np.argmax(kinds == 1, axis=1)
    X = np.concatenate([np.eye(5)[kinds], amounts[:, :, None]], axis=2)
    return list(X), amounts[np.arange(n), place], place


def column(n, rng):
    """One of five columns is the target, beside a series."""
    table = rng.normal(size=(n, 5))
    X = pd.DataFrame(table, columns=list("abcde"))
    X["series"] = pd.Series(list(rng.normal(size=(n, 4))))
    return X, table[:, 2], np.full(n, 2)


# How samples are made, an estimator, the share of samples by chance, and how many to learn from
TASKS = {
    "word": (
        word,
        make_pipeline(
            SequenceVectorizer(),
            GRUClassifier(**SETTINGS, embedding_dim=8, pooling="mean", max_iter=15),
        ),
        1 / 8,
        800,
    ),
    "bump": (
        bump,
        GRURegressor(**SETTINGS | {"learning_rate_init": 0.04}, pooling="attention", max_iter=80),
        1 / 3,
        400,
    ),
    "event": (
        event,
        GRURegressor(**SETTINGS, pooling="attention", features_per_step=6, max_iter=60),
        1 / 5,
        400,
    ),
    "column": (
        column,
        MultimodalGRURegressor(
            [
                ("table", TableBranch(), list("abcde")),
                ("series", SeriesBranch(hidden_layer_sizes=4), ["series"]),
            ],
            learning_rate_init=0.02,
            max_iter=30,
            early_stopping=False,
            random_state=0,
        ),
        1 / 5,
        400,
    ),
}


def first_places(estimator, X, method):
    """Return the place of the largest contribution to each sample's output."""
    parts = attributions(estimator, X, method=method)
    if isinstance(parts, dict):
        series = [part.ravel() for part in parts["series"]]
        parts = [np.concatenate(both) for both in zip(parts["table"], series, strict=True)]
    if parts[0].shape == (5, 6):  # of an event, in any of its features
        parts = [np.abs(part).max(axis=1) for part in parts]
    return np.array([np.abs(part).argmax() for part in parts])


@pytest.mark.parametrize("name", TASKS)
def test_planted_evidence_stands_first(name):
    make, estimator, _, n = TASKS[name]
    estimator = clone(estimator).fit(*make(n, np.random.RandomState(0))[:2])
    X, y, place = make(N_SHOWN, np.random.RandomState(1))
    assert estimator.score(X, y) > 0.9
    for method in METHODS:
        assert np.mean(first_places(estimator, X, method) == place) >= 0.95, method


@pytest.mark.parametrize("name", TASKS)
def test_shuffled_targets_show_no_evidence(name):
    """One network may happen to prefer the place; many do not, beyond its share by chance."""
    make, estimator, chance, _ = TASKS[name]
    X, y, _ = make(60, np.random.RandomState(0))
    shown, _, place = make(30, np.random.RandomState(1))
    shares = {method: [] for method in METHODS}
    for seed in range(N_SHUFFLED):
        shuffled = clone(estimator).fit(X, np.random.RandomState(seed).permutation(y))
        for method, of_method in shares.items():
            of_method.append(np.mean(first_places(shuffled, shown, method) == place))
    deviation = np.sqrt(chance * (1 - chance) / N_SHUFFLED)
    for method, of_method in shares.items():
        assert np.mean(of_method) < chance + 2.5 * deviation, (method, of_method)
