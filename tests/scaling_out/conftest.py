"""Models and data that the engines share, each small enough for workers that start in seconds."""

import numpy as np
import pyarrow as pa
import pytest

from skgru import GRUClassifier


def make_table(n=200, seed=0):
    """Return a table of Arrow with two series of unequal length for each row, and the classes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 12, size=n)
    pulse = [rng.standard_normal(length) for length in lengths]
    pressure = [rng.standard_normal(length) for length in lengths]
    y = np.array(["up" if x.sum() > 0 else "down" for x in pulse])
    return pa.table({"pulse": pulse, "pressure": pressure}), y


@pytest.fixture(scope="session")
def table():
    return make_table()


@pytest.fixture(scope="session")
def model(table):
    X, y = table
    settings = {"max_iter": 5, "learning_rate_init": 0.02, "n_convolutions": 0, "random_state": 0}
    return GRUClassifier(8, **settings).fit(X, y)
