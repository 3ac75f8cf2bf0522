"""Containers of one sequence and of several, and what is read of them."""

from array import array
from collections import UserList, deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.testing import assert_array_equal

from tests.datasets import read_numbers


def objects(sequences):
    """Return a one-dimensional object array of the sequences."""
    array = np.empty(len(sequences), dtype=object)
    for i, sequence in enumerate(sequences):
        array[i] = sequence
    return array


def lists(sequences):
    return [np.asarray(sequence).tolist() for sequence in sequences]


NAN = np.nan
MASKED = np.ma.masked


class OnlyArray:
    """An array of another library that NumPy converts."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


class OnlyDlpack:
    """An array of another library that hands over its memory; it knows its dimensions."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.ndim, self.shape = self.values.ndim, self.values.shape

    def __dlpack__(self, **options):
        return self.values.__dlpack__()

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Unreadable:
    """An array of another library that has an error of its own."""

    ndim, shape = 1, (3,)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it is on another device")


def masked(values):
    """Return an array with its NaN masked, and something else in their places."""
    values = np.asarray(values, float)
    return np.ma.masked_array(np.where(np.isnan(values), -7.0, values), mask=np.isnan(values))


def with_missing(values, missing):
    return [missing if v != v else v for v in np.asarray(values).tolist()]


# Each makes one sequence (T,) of a list of floats, which are small binary fractions.
CONTAINERS = {
    "array": np.array,
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values of a dict": lambda v: dict(enumerate(v)).values(),
    "array.array": lambda v: array("d", v),
    "memoryview": lambda v: memoryview(np.array(v)),
    "__array__": OnlyArray,
    "__dlpack__": OnlyDlpack,
    "steps of arrays": lambda v: [np.array([x]) for x in v],
    "steps of __array__": lambda v: [OnlyArray([x]) for x in v],
    "arrays of no dimension": lambda v: [np.array(x) for x in v],
    "object array": lambda v: np.array(v, object),
    "float32": lambda v: np.array(v, np.float32),
    "long double": lambda v: np.array(v, np.longdouble),
    "masked array": np.ma.array,
    "Decimal": lambda v: list(map(Decimal, v)),
    "Fraction": lambda v: list(map(Fraction, v)),
    "pandas Series": pd.Series,
    "pandas Series, nullable": lambda v: pd.Series(v, dtype="Float64"),
    "pandas Index": pd.Index,
    "pandas array": pd.array,
    "pandas frame": lambda v: pd.DataFrame({"a": v}),
    "pandas frame of Decimal": lambda v: pd.DataFrame({"a": objects(list(map(Decimal, v)))}),
    "pandas categories": lambda v: pd.DataFrame({"a": pd.Series(v).astype("category")}),
    "polars Series": pl.Series,
    "polars Decimal": lambda v: pl.Series(v).cast(pl.Decimal(10, 2)),
    "polars frame": lambda v: pl.DataFrame({"a": v}),
}
CONTAINERS |= {
    "Arrow": pa.array,
    "Arrow in chunks": lambda v: pa.chunked_array([v[:1], v[1:]]),
    "Arrow Decimal": lambda v: pa.array(list(map(Decimal, v)), pa.decimal128(10, 2)),
    "Arrow table": lambda v: pa.table({"a": v}),
    "Arrow batch": lambda v: pa.RecordBatch.from_pydict({"a": v}),
    "pandas Arrow Decimal": lambda v: pd.Series(
        list(map(Decimal, v)), dtype=pd.ArrowDtype(pa.decimal128(10, 2))
    ),
}
# The same with NaN for a missing number.
WITH_MISSING = {
    "NaN": np.array,
    "None": lambda v: with_missing(v, None),
    "pandas' NA": lambda v: with_missing(v, pd.NA),
    "NaT": lambda v: with_missing(v, pd.NaT),
    "NaN of Decimal": lambda v: with_missing(v, Decimal("NaN")),
    "Decimal and None": lambda v: [None if x != x else Decimal(x) for x in v],
    "masked": masked,
    "masked column": lambda v: masked(v)[:, None],
    "masked integers of steps": lambda v: [np.ma.array([x], mask=[x != x]) for x in v],
    "masked constant": lambda v: with_missing(v, MASKED),
    "masked constant in lists": lambda v: [[x] for x in with_missing(v, MASKED)],
    "masked constant in an object array": lambda v: objects(with_missing(v, MASKED)),
    "masked objects": lambda v: masked(v).astype(object),
    "object array of None": lambda v: np.array(with_missing(v, None), object),
    "nullable": lambda v: pd.Series(with_missing(v, None), dtype="Float64"),
    "object frame": lambda v: pd.DataFrame({"a": objects(with_missing(v, None))}),
    "frame of masked constants": lambda v: pd.DataFrame({"a": objects(with_missing(v, MASKED))}),
    "polars": lambda v: pl.Series(with_missing(v, None), dtype=pl.Float64),
    "polars frame": lambda v: pl.DataFrame({"a": with_missing(v, None)}, schema={"a": pl.Float64}),
    "polars Decimal": lambda v: pl.Series(with_missing(v, None), dtype=pl.Float64).cast(
        pl.Decimal(10, 2)
    ),
}
WITH_MISSING |= {
    "Arrow": lambda v: pa.array(with_missing(v, None), pa.float64()),
    "Arrow table": lambda v: pa.table({"a": pa.array(with_missing(v, None), pa.float64())}),
    "Arrow categories": lambda v: pa.chunked_array(
        [pa.array(with_missing(v, None), pa.float64()).dictionary_encode()]
    ),
    "pandas Arrow": lambda v: pd.Series(with_missing(v, None), dtype=pd.ArrowDtype(pa.float64())),
}
# Each makes an X of sequences.
OUTER = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values of a dict": lambda s: dict(enumerate(s)).values(),
    "object array": objects,
    "pandas Series": lambda s: pd.Series(objects(s)),
}
VALUES = [[1.5, -2.0, 3.0], [0.25], [4.0, 8.5, -0.5, 6.0], [2.0, 1.0]]
HOLES = [[1.5, NAN, 3.0], [0.25], [NAN, 8.5, NAN, 6.0], [2.0, 1.0]]
Y = [0, 1, 0, 1]
TABLE = pd.DataFrame({"id": [0, 0, 1], "a": [1.0, 2.0, 3.0]})


def reads(X, **options):
    """Return the numbers that are read, sequence by sequence."""
    sequences = read_numbers(X, allow_missing=True, **options).sequences
    values = sequences.values.astype(np.float64)
    return [values[a:b] for a, b in zip(sequences.offsets, sequences.offsets[1:], strict=False)]


def assert_reads(X, expected, **options):
    found = reads(X, **options)
    assert len(found) == len(expected)
    for x, numbers in zip(found, expected, strict=True):
        numbers = np.asarray(numbers, float)
        assert_array_equal(x, numbers.reshape(len(numbers), -1), strict=True)
