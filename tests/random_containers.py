"""Containers, cells and faults that Hypothesis draws from, and what an error of ours is.

It draws sequences, how they and their cells are contained, of which type they are and what is
missing, and with it at most one fault. Without a fault, what is read is what lists of float64
arrays give, bit for bit; with one, it is refused with ValueError or TypeError in our own words.
"""

import re
from collections import UserList, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from scipy import sparse

from tests.containers import MASKED, OnlyArray, OnlyDlpack, Unreadable, masked, objects, pa

# What NumPy, Python and pandas say, where we should have.
FOREIGN = re.compile(
    r"inhomogeneous|setting an array element|truth value|could not be broadcast|not supported "
    r"between|ambiguous|could not convert|float\(\)|int\(\)|has no attribute|has no len|is not "
    r"iterable|subscriptable|unhashable|promoted|Cannot (cast|convert|interpret)|"
    r"unsupported operand|must have the same shape|invalid literal|cannot reshape|need at least one"
)

# --- One cell: its number, or None where it is missing, as an object ---------------------------

CELLS = {
    "float": float,
    "float64": np.float64,
    "float32": np.float32,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "array of no dimension": np.array,
    "mixed": lambda v: int(v) if v == int(v) else v,
}
MISSING = {
    "None": None,
    "NaN": float("nan"),
    "NaN of NumPy": np.float32("nan"),
    "NaN of Decimal": Decimal("NaN"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "masked": MASKED,
}
FAULTS = {
    "text": "1.5",
    "bytes": b"1",
    "complex": 1j,
    "date": date(2024, 1, 1),
    "datetime": datetime(2024, 1, 1, tzinfo=UTC),
    "datetime64": np.datetime64("2024-01-01"),
    "duration": timedelta(1),
    "timedelta64": np.timedelta64(1, "s"),
    "object": object(),
    "type": float,
    "dict": {"a": 1.0},
    "set": {1.0},
    "400 digits": 10**400,
    "negative, 400 digits": -(10**400),
    "Fraction of 400 digits": Fraction(10**400),
    "Decimal of 400 digits": Decimal(10) ** 400,
    "signaling NaN": Decimal("sNaN"),
    "infinity": float("inf"),
    "infinity of Decimal": Decimal("-inf"),
    "infinity of float32": np.float32("inf"),
    "sparse": sparse.csr_array(np.eye(2)),
    "unreadable": Unreadable(),
    "structured": np.zeros((), [("a", float)])[()],
    "generator": (x for x in ()),
}


def as_objects(values, cell, missing):
    """Return an array of the shape of `values`, of Python's objects; NaN is the missing cell."""
    cells = [missing if v != v else cell(v) for v in values.ravel().tolist()]
    return objects(cells).reshape(values.shape)


def nested_lists(array):
    """Return an array of objects as lists, whatever the objects are."""
    if array.ndim == 1:
        return [array[i] for i in range(len(array))]
    return [nested_lists(row) for row in array]


def columns(array):
    return {f"f{j}": [array[t, j] for t in range(len(array))] for j in range(array.shape[1])}


OF_OBJECTS = {
    "lists": nested_lists,
    "tuples": lambda a: tuple(map(tuple, nested_lists(a))),
    "deque": lambda a: deque(map(deque, nested_lists(a))),
    "UserList": lambda a: UserList(map(UserList, nested_lists(a))),
    "values": lambda a: dict(enumerate(nested_lists(a))).values(),
    "object array": lambda a: a,
    "arrays of objects": list,
    "Fortran's order": np.asfortranarray,
    "OnlyArray": OnlyArray,
    "masked object array": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    "pandas": lambda a: pd.DataFrame({k: objects(v) for k, v in columns(a).items()}, dtype=object),
}
OF_FLOATS = {
    "array": lambda v: v,
    "masked": masked,
    "masked steps": lambda v: list(masked(v)),
    "strided": lambda v: np.repeat(v, 2, axis=0)[::2],
    "OnlyDlpack": lambda v: OnlyDlpack(v.copy()),
    "memoryview": lambda v: memoryview(np.ascontiguousarray(v)),
    "big-endian": lambda v: v.astype(">f8"),
    "pandas": pd.DataFrame,
    "nullable": lambda v: pd.DataFrame(v).astype("Float64"),
    "polars": lambda v: pl.DataFrame(
        {k: pl.Series(np.array(c), nan_to_null=True) for k, c in columns(v).items()}
    ),
    "polars Decimal": lambda v: pl.DataFrame(
        {
            k: pl.Series(np.array(c), nan_to_null=True).cast(pl.Decimal(20, 3))
            for k, c in columns(v).items()
        }
    ),
}
OF_FLOATS["Arrow"] = lambda v: pa.table(
    {
        k: pa.array([None if x != x else float(x) for x in c], pa.float64())
        for k, c in columns(v).items()
    }
)
FRAMES = {"pandas", "nullable", "polars", "polars Decimal", "Arrow"}
# Of several sequences.
OUTER = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values": lambda s: dict(enumerate(s)).values(),
    "object array": objects,
    "Series": lambda s: pd.Series(objects(s), dtype=object),
}
NUMBERS = st.integers(-64, 64).map(lambda i: i / 8)


@st.composite
def sequences(draw, n_features=None, with_missing=True, shortest=0):
    """Return 1 to 4 sequences (T, D) of small binary fractions, some of them NaN."""
    n_features = n_features or draw(st.integers(1, 3))
    cell = NUMBERS | st.just(float("nan")) if with_missing else NUMBERS
    made = []
    for n_steps in draw(st.lists(st.integers(shortest, 4), min_size=1, max_size=4)):
        row = st.lists(cell, min_size=n_features, max_size=n_features)
        x = draw(st.lists(row, min_size=n_steps, max_size=n_steps))
        made.append(np.array(x, float).reshape(n_steps, n_features))
    return made


@st.composite
def contained(draw, x, frames=True):
    """Return a sequence in a container that says the same."""
    kinds = [k for k in (*OF_OBJECTS, *OF_FLOATS) if frames or k not in FRAMES]
    kind = draw(st.sampled_from(kinds))
    if kind in OF_FLOATS and (kind not in OF_OBJECTS or draw(st.booleans())):
        return OF_FLOATS[kind](x)
    cell = CELLS[draw(st.sampled_from(sorted(CELLS)))]
    missing = MISSING[draw(st.sampled_from(sorted(MISSING)))]
    return OF_OBJECTS[kind](as_objects(x, cell, missing))


def assert_our_error(call):
    """Assert that a call is refused in our own words; return these."""
    try:
        result = call()
    except (ValueError, TypeError) as error:
        message = str(error)
        assert not FOREIGN.search(message), message
        assert len(message) > 15, message
        return message
    raise AssertionError(f"not refused: {result!r}")
