"""Small data, small estimators and comparisons that several test modules share."""

from collections import UserList, deque

import numpy as np
import pandas as pd
import polars as pl
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor

try:  # no requirement of the tests, and one may be installed that needs a newer NumPy
    import pyarrow
except ImportError:
    pyarrow = None

ESTIMATORS = [GRUClassifier, GRURegressor]

# One direction over all steps, of which the last one tells; nothing is left out.
PLAIN = {
    "bidirectional": False,
    "pooling": "last",
    "patch_size": 1,
    "dropout": 0,
}

# The libraries whose frames have names that scikit-learn reads: polars 2 has no longer the protocol
# by which scikit-learn 1.6 asks for them.
NAMED_FRAMES = {
    library.__name__: library
    for library in (pd, pl)
    if hasattr(StandardScaler().fit(library.DataFrame({"a": [1.0]})), "feature_names_in_")
}


def small(estimator_class, **parameters):
    """Return a small estimator that fits in milliseconds and does not warn at `max_iter`.

    Its network is a plain one, whatever the data.
    """
    defaults = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    if parameters.get("solver") != "lbfgs":
        defaults["learning_rate_init"] = 0.005
        if parameters.get("patch_size", 1) != 1:
            defaults["shift_patches"] = False
    return estimator_class(**defaults | PLAIN | parameters)


def rectangle(n=24, n_steps=5, n_features=1, seed=0):
    """Return X of shape (n, n_steps, n_features) and the classes, 0 or 1, of its sequences."""
    X = np.random.default_rng(seed).normal(size=(n, n_steps, n_features))
    return X, (X.sum(axis=(1, 2)) > 0).astype(int)


def ragged(n=24, n_features=1, longest=7, shortest=1, seed=0):
    """Return a list of n sequences of unequal length, and their classes, 0 or 1."""
    rng = np.random.default_rng(seed)
    lengths = shortest + np.arange(n) % (longest - shortest + 1)
    X = [rng.normal(size=(length, n_features)) for length in lengths]
    return X, np.array([int(x.sum() > 0) for x in X])


def token_sequences(n=24, n_tokens=8, longest=7, seed=0):
    """Return a list of n sequences of the ids 2, 3, ..., and whether the id 2 is in them."""
    rng = np.random.default_rng(seed)
    X = [rng.integers(2, n_tokens, size=1 + i % longest) for i in range(n)]
    return X, np.array([int(2 in x) for x in X])


def pad(sequences, n_steps, value):
    """Return sequences of (T_i, D) or (T_i,) arrays as one array, filled up with a value."""
    shape = (len(sequences), n_steps, *np.shape(sequences[0])[1:])
    padded = np.full(shape, value, dtype=np.result_type(value, *sequences))
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def with_nan(X, share=0.3, seed=1, but=None):
    """Return copies of arrays with values missing, in the feature `but` none."""
    rng = np.random.default_rng(seed)
    holed = [np.where(rng.random(x.shape) < share, np.nan, x) for x in X]
    if but is not None:
        for with_holes, x in zip(holed, X, strict=True):
            with_holes[:, but] = x[:, but]
    return holed


def observed_sequence(n_steps, n_features, rng, share_missing=0.5):
    """Return values (T, D), NaN where nothing was seen, and the times of the steps."""
    x = rng.normal(size=(n_steps, n_features))
    x[rng.uniform(size=x.shape) < share_missing] = np.nan
    return x, np.cumsum(rng.uniform(0.2, 2, n_steps))


def random_parameters(layer, rng):
    """Return parameters of a layer, or of what has shapes like one."""
    return {name: rng.normal(size=shape) for name, shape in layer.shapes().items()}


def unwritten(layer, dtype=np.float64):
    """Return a place for gradients in which no number is missing unnoticed."""
    return {name: np.full(shape, np.nan, dtype) for name, shape in layer.shapes().items()}


# The same in other containers


def objects(cells):
    """Return a one-dimensional object array of the cells, whatever they are."""
    array = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


def masked(values):
    """Return an array with its NaN masked, and something else in their places."""
    values = np.asarray(values, float)
    return np.ma.masked_array(np.where(np.isnan(values), -7.0, values), mask=np.isnan(values))


def cells_by_name(sequences):
    """Return, for each feature, its name and the list of its values in each sequence."""
    n_features = sequences[0].shape[1]
    return {f"f{j}": [s[:, j] for s in sequences] for j in range(n_features)}


def numbers_by_name(X):
    """Return, for each number of a sequence of a 3-D array, a name and its column."""
    return {f"c{j}": column for j, column in enumerate(X.reshape(len(X), -1).T)}


OUTER = {  # each makes one container of sequences, or of whatever else there is one of for each
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values of a dict": lambda cells: dict(enumerate(cells)).values(),
    "object array": objects,
    "pandas Series": lambda cells: pd.Series(objects(cells), dtype=object),
}


# Comparisons


def output(estimator, X):
    """Return what the estimator computes for X: probabilities, or else the predictions."""
    return getattr(estimator, "predict_proba", estimator.predict)(X)


def assert_same_model(a, b):
    """Assert that all trainable arrays are equal bit for bit."""
    assert list(a.parameters_) == list(b.parameters_)
    for name, array in a.parameters_.items():
        assert array.dtype == b.parameters_[name].dtype
        assert_array_equal(array, b.parameters_[name], err_msg=name, strict=True)


def assert_same_arrays(found, expected):
    """Assert that arrays are equal bit for bit, one after the other."""
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b, strict=True)


def assert_same_sequences(found, expected, **tolerance):
    """Assert that a list of arrays holds the sequences that are expected."""
    assert type(found) is list
    assert len(found) == len(expected)
    for sequence, other in zip(found, expected, strict=True):
        assert sequence.shape == np.shape(other)
        assert_allclose(sequence, other, **tolerance)


def copies(estimator):
    """Return the trainable arrays as they are now."""
    return {name: array.copy() for name, array in estimator.parameters_.items()}
