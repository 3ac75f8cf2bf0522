"""Forms of X: each holds the same sequences in another way."""

import copy
from collections import deque

import numpy as np
import pandas as pd
import polars as pl

from tests.containers import (
    lists,
    objects,
    pa,
)
from tests.datasets import (
    pad,
)


def column(sequences):
    """Return (T_i, 1) sequences as (T_i,)."""
    return [sequence[:, 0] for sequence in sequences]


def features(sequences):
    """Return, for each feature, its name and the list of its values in each sequence."""
    n_features = sequences[0].shape[1]
    return {f"f{j}": [s[:, j] for s in sequences] for j in range(n_features)}


def pandas_of_arrays(sequences):
    return pd.DataFrame({name: objects(cells) for name, cells in features(sequences).items()})


def polars_of_lists(sequences):
    return pl.DataFrame({name: lists(cells) for name, cells in features(sequences).items()})


def array_of_cells(sequences):
    return pandas_of_arrays(sequences).to_numpy()


def wide(X, library):
    """Return a 3-D array as a frame with a column per number."""
    flat = X.reshape(len(X), -1)
    names = [f"c{j}" for j in range(flat.shape[1])]
    return library.DataFrame(dict(zip(names, flat.T, strict=True)))


def strided(X):
    """Return the same numbers as a view that is not contiguous."""
    return np.repeat(X, 2, axis=0)[::2]


# Forms that hold sequences of unequal length, of arrays of shape (T_i, D).
RAGGED_FORMS = {
    "list of arrays": list,
    "tuple of arrays": tuple,
    "deque of arrays": deque,
    "list of Fortran-ordered arrays": lambda s: [np.asfortranarray(x) for x in s],
    "list of strided arrays": lambda s: [strided(x) for x in s],
    "list of read-only arrays": lambda s: [np.frombuffer(x.tobytes()).reshape(x.shape) for x in s],
    "nested lists": lists,
    "tuple of nested lists": lambda s: tuple(lists(s)),
    "list of object arrays": lambda s: [x.astype(object) for x in s],
    "list of pandas frames": lambda s: [pd.DataFrame(x) for x in s],
    "list of polars frames": lambda s: [pl.DataFrame(x) for x in s],
    "object array of arrays": objects,
    "object array of lists": lambda s: objects(lists(s)),
    "pandas Series of arrays": lambda s: pd.Series(objects(s)),
    "pandas Series of lists": lambda s: pd.Series(objects(lists(s))),
    "pandas Series with another index": lambda s: pd.Series(objects(s), index=range(len(s), 0, -1)),
    "polars Series of nested lists": lambda s: pl.Series(lists(s)),
    "pandas frame of arrays": pandas_of_arrays,
    "polars frame of lists": polars_of_lists,
    "object array of cells": array_of_cells,
    "3-D array padded with NaN": lambda s: pad(s, 9, np.nan),
    "Fortran-ordered 3-D array padded with NaN": lambda s: np.asfortranarray(pad(s, 9, np.nan)),
    "nested lists padded with NaN": lambda s: pad(s, 9, np.nan).tolist(),
}
# The same for one feature: (T_i,) instead of (T_i, 1).
RAGGED_UNIVARIATE_FORMS = {
    "list of 1-D arrays": column,
    "lists of numbers": lambda s: lists(column(s)),
    "list of pandas Series": lambda s: [pd.Series(x) for x in column(s)],
    "list of polars Series": lambda s: [pl.Series(x) for x in column(s)],
    "object array of 1-D arrays": lambda s: objects(column(s)),
    "pandas Series of 1-D arrays": lambda s: pd.Series(objects(column(s))),
    "polars Series of lists": lambda s: pl.Series(lists(column(s))),
    "2-D array padded with NaN": lambda s: pad(column(s), 9, np.nan),
    "pandas frame padded with NaN": lambda s: pd.DataFrame(pad(column(s), 9, np.nan)),
    "polars frame padded with null": lambda s: pl.DataFrame(
        pad(column(s), 9, np.nan), orient="row", nan_to_null=True
    ),
}
RAGGED_UNIVARIATE_FORMS |= {
    "pyarrow array of lists": lambda s: pa.array(lists(column(s))),
    "pandas Series of pyarrow lists": lambda s: pd.Series(
        lists(column(s)), dtype=pd.ArrowDtype(pa.list_(pa.float64()))
    ),
}
# Forms for arrays of shape (n, T, D) that are cut into steps of D numbers by `features_per_step`.
FLAT_FORMS = {
    "2-D array": lambda X: X.reshape(len(X), -1),
    "Fortran-ordered 2-D array": lambda X: np.asfortranarray(X.reshape(len(X), -1)),
    "strided 2-D array": lambda X: strided(X.reshape(len(X), -1)),
    "2-D object array": lambda X: X.reshape(len(X), -1).astype(object),
    "lists": lambda X: X.reshape(len(X), -1).tolist(),
    "list of 1-D arrays": lambda X: list(X.reshape(len(X), -1)),
    "pandas frame": lambda X: wide(X, pd),
    "pandas frame of nullable numbers": lambda X: wide(X, pd).astype("Float64"),
    "polars frame": lambda X: wide(X, pl),
}
RECTANGLE_FORMS = {
    "3-D array": np.array,
    "Fortran-ordered 3-D array": np.asfortranarray,
    "strided 3-D array": strided,
    "3-D object array": lambda X: X.astype(object),
    "nested lists": np.ndarray.tolist,
    "nested tuples": lambda X: tuple(tuple(map(tuple, x)) for x in X.tolist()),
    "list of arrays": list,
    "polars frame of arrays": lambda X: pl.DataFrame(
        {name: np.array(cells) for name, cells in features(list(X)).items()}
    ),
}


def in_form(forms, name, sequences):
    return forms[name](copy.deepcopy(sequences))
