"""Sequences with time stamps, and small networks that read them."""

import numpy as np
import pandas as pd

from skgru import GRUClassifier
from tests.datasets import objects, small

NAN = np.nan
STAMP = 1  # the feature that holds the time stamps, in the middle of the others
MODES = ["decay", "indicator", "error"]


def stamped(n=24, longest=7, shortest=2, seed=0):
    """Return ragged sequences of a value, a time stamp in seconds and a value, and their classes.

    The stamps are whole seconds of this century.
    """
    rng = np.random.default_rng(seed)
    X = []
    for i in range(n):
        n_steps = shortest + i % (longest - shortest + 1)
        x = rng.normal(size=(n_steps, 3))
        x[:, STAMP] = rng.integers(1.6e9, 1.7e9) + rng.integers(0, 5000, n_steps).cumsum()
        X.append(x)
    return X, np.array([int(x[:, 0].sum() > 0) for x in X])


def with_holes(X, seed=1):
    """Return copies with values missing, but no time stamp."""
    rng = np.random.default_rng(seed)
    X = [x.copy() for x in X]
    for x in X:
        for d in (0, 2):
            x[rng.random(len(x)) < 0.3, d] = NAN
    return X


def with_stamps(X, change):
    """Return copies with other time stamps."""
    X = [x.copy() for x in X]
    for x in X:
        x[:, STAMP] = change(x[:, STAMP])
    return X


def nested(X, library, dates=lambda stamps: stamps):
    """Return a frame of arrays, the time stamps in the column "time"."""
    columns = {name: [x[:, d] for x in X] for d, name in enumerate(["a", "time", "b"])}
    columns["time"] = [dates(stamps) for stamps in columns["time"]]
    if library is pd:
        columns = {name: objects(cells) for name, cells in columns.items()}
    return library.DataFrame(columns)


def fitted(X, y, estimator_class=GRUClassifier, **parameters):
    defaults = {"hidden_layer_sizes": 6, "max_iter": 8}
    if parameters.get("solver") != "lbfgs":
        defaults["learning_rate_init"] = 0.05
    return small(estimator_class, **defaults | {"time_feature": STAMP} | parameters).fit(X, y)
