"""Samples of a text, a series and static columns, and small networks that read them."""

import numpy as np
import pandas as pd
import polars as pl

from skgru import (
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)

ESTIMATORS = [MultimodalGRUClassifier, MultimodalGRURegressor]
TEXTS = ["a good film", "a bad film", "so bad", "good", "what a film"]
BY_INDEX = {"note": 0, "monitor": [1, 2], "patient": [3, 4]}
BY_NAME = {"note": "note", "monitor": ["pulse", "pressure"], "patient": ["age", "ward"]}
SERIES = ["pulse", "pressure"]


def columns(n=24, seed=0):
    """Return the columns of n samples as lists, and whether the pulse is positive at its end."""
    rng = np.random.default_rng(seed)
    pulse = [rng.normal(size=2 + i % 4) for i in range(n)]
    made = {
        "note": [TEXTS[i % 5] for i in range(n)],
        "pulse": pulse,
        "pressure": [rng.normal(size=len(x)) for x in pulse],
        "age": [20.0 + i * 7 % 50 for i in range(n)],
        "ward": ["ABC"[i % 3] for i in range(n)],
    }
    return made, np.array([int(x[-1] > 0) for x in pulse])


def frame(n=24, seed=0):
    """Return the same as a DataFrame of pandas."""
    made, y = columns(n, seed)
    return pd.DataFrame(made), y


def polars_frame(X):
    """Return a DataFrame of pandas as one of polars."""
    return pl.DataFrame({c: X[c].tolist() if c not in SERIES else lists(X[c]) for c in X})


def lists(column):
    """Return a column of arrays as a list of lists."""
    return [np.asarray(cell).tolist() for cell in column]


def object_array(X):
    """Return a DataFrame of pandas as an array of objects, (n, n_columns)."""
    array = np.empty(X.shape, object)
    for j, name in enumerate(X):
        for i, cell in enumerate(X[name]):
            array[i, j] = cell
    return array


def with_cell(X, i, column, value):
    """Return a copy of a DataFrame with another value in a cell."""
    cells = np.empty(len(X), object)
    for row, cell in enumerate(X[column]):
        cells[row] = value if row == i else cell
    return X.assign(**{column: pd.Series(cells, index=X.index, dtype=object)})


def with_column(X, column, value):
    """Return a copy of a DataFrame with the same value in each cell of a column."""
    cells = np.empty(len(X), object)
    for row in range(len(X)):
        cells[row] = value
    return X.assign(**{column: pd.Series(cells, index=X.index, dtype=object)})


def without(X, names, value=None, rows=None):
    """Return a copy of a DataFrame without some columns' cells, in all rows or some."""
    for name in names:
        if rows is None:
            X = with_column(X, name, value)
        for i in [] if rows is None else rows:
            X = with_cell(X, i, name, value)
    return X


def series_branch(**parameters):
    return SeriesBranch(**{"hidden_layer_sizes": 3} | parameters)


def text_branch(**parameters):
    defaults = {"transformer": SequenceVectorizer(), "embedding_dim": 3, "hidden_layer_sizes": 3}
    return TokenBranch(**defaults | parameters)


def branches(where=BY_NAME, names=("note", "monitor", "patient")):
    """Return a branch of each kind, or only some of them."""
    made = {"note": text_branch(), "monitor": series_branch(), "patient": TableBranch()}
    return [(name, made[name], where[name]) for name in names]


def small(estimator_class, given=None, **parameters):
    """Return an estimator of few units and epochs; of three branches, unless others are given."""
    defaults = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    return estimator_class(branches() if given is None else given, **defaults | parameters)


def classifier(given=None, **parameters):
    return small(MultimodalGRUClassifier, given, **parameters)


def regressor(given=None, **parameters):
    return small(MultimodalGRURegressor, given, **parameters)
