"""Small data, small estimators and comparisons that several test modules share."""

import numpy as np
import pandas as pd
import polars as pl
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru._data.forms import open_form
from skgru._data.parsing import parse_numbers, parse_tokens

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


def objects(sequences):
    """Return a one-dimensional object array of the sequences."""
    array = np.empty(len(sequences), dtype=object)
    for i, sequence in enumerate(sequences):
        array[i] = sequence
    return array


def pad(sequences, n_steps, value):
    """Return sequences of (T_i, D) or (T_i,) arrays as one array, filled up with a value."""
    shape = (len(sequences), n_steps, *np.shape(sequences[0])[1:])
    padded = np.full(shape, value, dtype=np.result_type(value, *sequences))
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def output(estimator, X):
    """Return what the estimator computes for X: probabilities, or else the predictions."""
    return getattr(estimator, "predict_proba", estimator.predict)(X)


def assert_same_model(a, b):
    """Assert that all trainable arrays are equal bit for bit."""
    assert list(a.parameters_) == list(b.parameters_)
    for name, array in a.parameters_.items():
        assert array.dtype == b.parameters_[name].dtype
        np.testing.assert_array_equal(array, b.parameters_[name], err_msg=name, strict=True)


def copies(estimator):
    """Return the trainable arrays as they are now."""
    return {name: array.copy() for name, array in estimator.parameters_.items()}


def read_numbers(X, **options):
    """Return numeric X as `Parsed` sequences."""
    return parse_numbers(open_form(X), **options)


def read_tokens(X):
    """Return X of token ids as `Parsed` sequences."""
    return parse_tokens(open_form(X))


def flat(model):
    """Return all trainable numbers as one new vector."""
    return np.concatenate([array.ravel() for array in model.parameters_.values()])
