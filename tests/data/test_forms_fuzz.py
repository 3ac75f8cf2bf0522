"""The door under random containers: the numbers that plain lists give, or an error of our own.

Hypothesis draws sequences, how they and their cells are contained, of which type they are and what
is missing, and with it at most one fault. Without a fault, what is read is what lists of float64
arrays give, bit for bit; with one, it is refused with ValueError or TypeError in our own words.
"""

import copy
import re
from collections import UserList, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru.per_timestep import PerTimestep
from tests.data.test_forms import objects
from tests.data.test_targets import OnlyArray, OnlyDlpack, Unreadable
from tests.datasets import read_numbers, read_tokens, small

try:
    import pyarrow as pa
except ImportError:
    pa = None

MASKED = np.ma.masked
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


# --- Containers of one sequence: of objects (T, D), or of the floats themselves ----------------


def masked(values):
    return np.ma.masked_array(np.nan_to_num(values, nan=-3.0), mask=np.isnan(values))


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
if pa:
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


def read_as_lists(X, **options):
    read = read_numbers(X, allow_missing=True, **options)
    return read.sequences.values.astype(float), read.sequences.offsets, read.given_offsets


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


@given(data=st.data(), X=sequences(), outer=st.sampled_from(sorted(OUTER)))
def test_any_container_reads_as_plain_arrays(data, X, outer):
    assume(X[0].shape[1] == 1 or any(map(len, X)))
    frames = data.draw(st.booleans())
    if frames:  # all of them are frames, or none is
        kind = data.draw(st.sampled_from(sorted(FRAMES & set(OF_FLOATS))))
        forms = [OF_FLOATS[kind](x) for x in X]
    else:
        forms = [data.draw(contained(x, frames=False)) for x in X]
    found = read_as_lists(OUTER[outer](forms))
    for a, b in zip(found, read_as_lists(X), strict=True):
        assert_array_equal(a, b, strict=True)


@given(data=st.data(), n=st.integers(1, 3), n_steps=st.integers(1, 3), n_features=st.integers(1, 2))
def test_any_rectangle_reads_as_plain_arrays(data, n, n_steps, n_features):
    cells = st.lists(
        NUMBERS | st.just(float("nan")),
        min_size=n * n_steps * n_features,
        max_size=n * n_steps * n_features,
    )
    X = np.array(data.draw(cells), float).reshape(n, n_steps * n_features)
    flat = data.draw(st.booleans())
    form = data.draw(contained(X, frames=True)) if flat else None
    if not flat:
        kinds = ["lists", "object array", "array", "masked", "OnlyDlpack", "OnlyArray"]
        kind = data.draw(st.sampled_from(kinds))
        cube = X.reshape(n, n_steps, n_features)
        cell = CELLS[data.draw(st.sampled_from(sorted(CELLS)))]
        missing = MISSING[data.draw(st.sampled_from(sorted(MISSING)))]
        make = OF_OBJECTS[kind] if kind in OF_OBJECTS else OF_FLOATS[kind]
        form = make(as_objects(cube, cell, missing) if kind in OF_OBJECTS else cube)
    found = read_as_lists(form, features_per_step=n_features)
    expected = read_as_lists(list(X.reshape(n, n_steps, n_features)))
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b, strict=True)


@given(
    data=st.data(),
    X=sequences(n_features=2, shortest=1),
    outer=st.sampled_from(sorted(OUTER)),
    kind=st.sampled_from(sorted(OF_OBJECTS)),
    cell=st.sampled_from(sorted(CELLS)),
    fault=st.sampled_from(sorted(FAULTS)),
    tokens=st.booleans(),
)
def test_a_faulty_cell_is_refused(data, X, outer, kind, cell, fault, tokens):
    forms = [as_objects(np.nan_to_num(x), CELLS[cell], None) for x in X]
    if tokens:
        forms = [np.abs(x[:, :1]).astype(int).astype(object) + 1 for x in map(np.nan_to_num, X)]
    i = data.draw(st.integers(0, len(X) - 1))
    t = data.draw(st.integers(0, len(X[i]) - 1))
    forms[i][t, -1] = FAULTS[fault]
    others = [OF_OBJECTS[kind](x) for x in forms]
    call = read_tokens if tokens else read_numbers
    message = assert_our_error(lambda: call(OUTER[outer](others)))
    assert str(i) in message


WHOLE_FAULTS = {
    "None": None,
    "NaN": float("nan"),
    "masked": MASKED,
    "number": 3.0,
    "text": "abc",
    "dict": {"a": [1.0]},
    "set": {1.0, 2.0},
    "generator": (x for x in [[1.0]]),
    "object": object(),
    "sparse": sparse.csr_array(np.eye(2)),
    "structured": np.zeros(2, [("a", float), ("b", float)]),
    "ragged": [[1.0, 2.0], [3.0]],
    "four dimensions": np.zeros((2, 2, 1, 1)),
    "three dimensions": np.zeros((2, 2, 2)),
    "dates": np.array(["2024-01-01"] * 2, "M8[D]"),
    "texts": np.array(["a", "b"]),
    "other width": np.zeros((2, 5)),
    "unreadable": Unreadable(),
    "lazy": pl.LazyFrame({"a": [1.0]}),
    "group by": pd.DataFrame({"a": [1.0]}).groupby("a"),
}


@given(
    data=st.data(),
    X=sequences(n_features=2, shortest=1),
    outer=st.sampled_from(sorted(OUTER)),
    fault=st.sampled_from(sorted(WHOLE_FAULTS)),
    tokens=st.booleans(),
)
def test_a_faulty_sequence_is_refused(data, X, outer, fault, tokens):
    X = [np.nan_to_num(x, nan=1.0) for x in X]
    X.append(np.ones((2, 2)))
    forms = [x if tokens else data.draw(contained(x, frames=False)) for x in X]
    if tokens:
        forms = [np.abs(x[:, :1]).astype(int) + 1 for x in X]
    forms.insert(data.draw(st.integers(0, len(forms) - 1)), WHOLE_FAULTS[fault])
    call = read_tokens if tokens else read_numbers
    assert_our_error(lambda: call(OUTER[outer](forms)))


# --- Tokens --------------------------------------------------------------------------------------

IDS = st.integers(1, 9) | st.integers(2**53, 2**53 + 4) | st.integers(2**62 - 3, 2**62 - 1)
OF_IDS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "int64": lambda v: np.array(v, np.int64),
    "uint64": lambda v: np.array(v, np.uint64),
    "objects": lambda v: np.array(v, object),
    "objects of int64": lambda v: objects([np.int64(i) for i in v]),
    "objects of uint64": lambda v: objects([np.uint64(i) for i in v]),
    "column": lambda v: np.array(v, np.int64)[:, None],
    "lists of lists": lambda v: [[i] for i in v],
    "arrays of no dimension": lambda v: [np.array(i) for i in v],
    "Decimal": lambda v: list(map(Decimal, v)),
    "masked": lambda v: np.ma.array([*v, 7], np.int64, mask=[False] * len(v) + [True]),
    "None behind": lambda v: [*v, None],
    "NaN behind": lambda v: [*v, float("nan")],
    "masked constant behind": lambda v: [*v, MASKED],
    "NA behind": lambda v: objects([*v, pd.NA]),
    "zeros": lambda v: [0, *v, 0, 0],
    "pandas": lambda v: pd.Series(v, dtype="int64"),
    "nullable": lambda v: pd.Series([*v, None], dtype="Int64"),
    "pandas objects": lambda v: pd.Series([*v, None], dtype=object),
    "polars": lambda v: pl.Series([*v, None], dtype=pl.Int64),
    "polars unsigned": lambda v: pl.Series(v, dtype=pl.UInt64),
    "OnlyArray": lambda v: OnlyArray(np.array(v, np.int64)),
}
if pa:
    OF_IDS["Arrow"] = lambda v: pa.array([*v, None], pa.int64())


@given(
    data=st.data(),
    ids=st.lists(st.lists(IDS, max_size=4), min_size=1, max_size=4),
    outer=st.sampled_from(sorted(OUTER)),
)
def test_any_container_of_ids_reads_as_plain_lists(data, ids, outer):
    forms = [OF_IDS[data.draw(st.sampled_from(sorted(OF_IDS)))](v) for v in ids]
    found = read_tokens(OUTER[outer](forms)).sequences
    expected = np.array([i for v in ids for i in v], np.int64)
    assert_array_equal(found.values, expected, strict=True)
    assert_array_equal(found.lengths, list(map(len, ids)))


# --- Time stamps ---------------------------------------------------------------------------------

EPOCH = datetime(2024, 3, 1)
STAMPS = st.lists(st.integers(0, 10**9), min_size=1, max_size=4).map(sorted)


def from_epoch(ticks):
    return [EPOCH + timedelta(microseconds=t) for t in ticks]


OF_STAMPS = {
    "microseconds": lambda t: np.array(from_epoch(t), "M8[us]"),
    "nanoseconds": lambda t: np.array(from_epoch(t), "M8[ns]"),
    "Python": from_epoch,
    "aware": lambda t: [stamp.replace(tzinfo=UTC) for stamp in from_epoch(t)],
    "objects": lambda t: objects(from_epoch(t)),
    "objects of NumPy": lambda t: objects(list(np.array(from_epoch(t), "M8[ns]"))),
    "Timestamps": lambda t: objects(list(map(pd.Timestamp, from_epoch(t)))),
    "Timestamps and NaT": lambda t: [*map(pd.Timestamp, from_epoch(t)), pd.NaT],
    "and None": lambda t: [*from_epoch(t), None],
    "and masked": lambda t: [*from_epoch(t), MASKED],
    "masked": lambda t: np.ma.array(
        [*from_epoch(t), EPOCH], "M8[us]", mask=[False] * len(t) + [True]
    ),
    "durations": lambda t: np.array(t, "m8[us]"),
    "pandas": lambda t: pd.Series(from_epoch(t)),
    "pandas aware": lambda t: pd.Series(from_epoch(t)).dt.tz_localize("UTC"),
    "polars": lambda t: pl.Series(from_epoch(t)),
    "Fraction": lambda t: [Fraction(i, 10**6) + 1_700_000_000 for i in t],
    "Decimal": lambda t: [Decimal(i) / 10**6 + 1_700_000_000 for i in t],
}
if pa:
    OF_STAMPS["Arrow"] = lambda t: pa.array([*from_epoch(t), None], pa.timestamp("us"))


@given(data=st.data(), ticks=st.lists(STAMPS, min_size=1, max_size=3))
def test_any_container_of_stamps_keeps_their_differences(data, ticks):
    forms = [OF_STAMPS[data.draw(st.sampled_from(sorted(OF_STAMPS)))](t) for t in ticks]
    read = read_numbers(forms, time_feature=0, allow_missing=True).sequences
    assert_array_equal(read.lengths, list(map(len, ticks)))
    for t, a, b in zip(ticks, read.offsets, read.offsets[1:], strict=False):
        found = read.values[a:b, 0] - read.values[a, 0]
        np.testing.assert_allclose(found, (np.array(t) - t[0]) / 1e6, rtol=1e-15)


@given(
    data=st.data(),
    ticks=STAMPS,
    fault=st.sampled_from(sorted(set(FAULTS) - {"date", "datetime", "datetime64"})),
    dates=st.booleans(),
)
def test_a_faulty_stamp_is_refused(data, ticks, fault, dates):
    cells = objects(from_epoch(ticks) if dates else ticks)
    cells[data.draw(st.integers(0, len(ticks) - 1))] = FAULTS[fault]
    assume(len(set(map(type, cells))) > 1 or fault not in ("duration", "timedelta64"))
    X = data.draw(st.sampled_from([[cells], [cells[:, None]], [list(cells)], objects([cells])]))
    assert_our_error(lambda: read_numbers(X, time_feature=0))


# --- y and weights -------------------------------------------------------------------------------

X4 = [
    np.array([[1.0], [2.0]]),
    np.array([[0.5]]),
    np.array([[-1.0], [0.0], [2.0]]),
    np.array([[3.0]]),
]
LENGTHS = [len(x) for x in X4]
ONE = {"max_iter": 1}
FITTED = {c: small(c, **ONE).fit(X4, [0, 1, 0, 1]) for c in (GRUClassifier, GRURegressor)}
ENTRIES = {
    "fit": lambda c, y, w: small(c, **ONE).fit(X4, y, w),
    "partial_fit": lambda c, y, w: small(c, learning_rate="constant").partial_fit(
        X4, y, w, **({"classes": [0, 1]} if c is GRUClassifier else {})
    ),
    "validation": lambda c, y, w: small(c, **ONE).fit(
        X4, [0, 1, 0, 1], X_val=X4, y_val=y, sample_weight_val=w
    ),
    "score": lambda c, y, w: FITTED[c].score(X4, y, w),
}
OF_ROWS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "values": lambda v: dict(enumerate(v)).values(),
    "objects": objects,
    "masked objects": lambda v: np.ma.array(objects(v), mask=[False] * len(v)),
    "Series": lambda v: pd.Series(objects(v), dtype=object),
}
ESTIMATOR = st.sampled_from([GRUClassifier, GRURegressor])


def result(entry, c, y, w):
    """Return what tells of the model or the score."""
    found = ENTRIES[entry](c, y, w)
    if entry == "score":
        return [np.float64(found)]
    validated = found.validation_scores_ or []
    return [*found.parameters_.values(), np.array(validated)]


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b, strict=True)


@given(
    c=ESTIMATOR,
    entry=st.sampled_from(sorted(ENTRIES)),
    container=st.sampled_from(sorted(OF_ROWS)),
    cell=st.sampled_from(sorted(CELLS)),
    of_weights=st.sampled_from(sorted(OF_ROWS)),
    weights=st.lists(st.integers(0, 8), min_size=4, max_size=4) | st.none(),
    missing=st.none() | st.sampled_from(sorted(MISSING)),
)
def test_any_y_and_weights(c, entry, container, cell, of_weights, weights, missing):
    assume(weights is None or (sum(weights[::2]) and sum(weights[1::2])))
    y = [0.0, 1.0, 0.0, 1.0]
    form = [CELLS[cell](v) for v in y]
    w = None if weights is None else OF_ROWS[of_weights]([CELLS[cell](v / 8) for v in weights])
    if missing:
        form[2] = MISSING[missing]
        message = assert_our_error(lambda: result(entry, c, OF_ROWS[container](form), w))
        assert "Input y contains NaN" in message
        return
    plain = None if weights is None else np.array(weights) / 8
    assert_same(result(entry, c, OF_ROWS[container](form), w), result(entry, c, np.array(y), plain))


@given(
    c=ESTIMATOR,
    entry=st.sampled_from(sorted(ENTRIES)),
    container=st.sampled_from(sorted(OF_ROWS)),
    cell=st.sampled_from(sorted(CELLS)),
    fault=st.sampled_from(sorted(FAULTS)),
    in_weights=st.booleans(),
    position=st.integers(0, 3),
)
def test_a_faulty_target_or_weight_is_refused(
    c, entry, container, cell, fault, in_weights, position
):
    form = [CELLS[cell](v) for v in (0.0, 1.0, 0.0, 1.0)]
    form[position] = FAULTS[fault]
    form = OF_ROWS[container](form)
    y, w = ([0, 1, 0, 1], form) if in_weights else (form, None)
    assert_our_error(lambda: result(entry, c, y, w))


# --- Targets at every step -----------------------------------------------------------------------

STEP_FITTED = {
    c: small(c, pooling=None, **ONE).fit(X4, [[0, 1], [1], [0, 1, 0], [1]])
    for c in (GRUClassifier, GRURegressor)
}
STEP_ENTRIES = {
    "fit": lambda c, y, w: small(c, pooling=None, **ONE).fit(X4, y, w),
    "validation": lambda c, y, w: small(c, pooling=None, **ONE).fit(
        X4, [[0, 1], [1], [0, 1, 0], [1]], X_val=X4, y_val=y, sample_weight_val=w
    ),
    "score": lambda c, y, w: STEP_FITTED[c].score(X4, y, w),
}


def step_result(entry, c, y, w=None):
    found = STEP_ENTRIES[entry](c, y, w)
    return [np.float64(found)] if entry == "score" else list(found.parameters_.values())


LABELS = st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=7, max_size=7)


@given(data=st.data(), c=ESTIMATOR, entry=st.sampled_from(sorted(STEP_ENTRIES)), labels=LABELS)
def test_any_targets_of_steps(data, c, entry, labels):
    assume({0.0, 1.0} <= set(labels))
    y = np.split(np.array(labels), np.cumsum(LENGTHS)[:-1])
    assume(sum((~np.isnan(part)).any() for part in y) >= 2)  # a validation set is no smaller
    forms = []
    for part in y:
        if data.draw(st.booleans()):
            kinds = ["array", "masked", "OnlyDlpack", "memoryview", "big-endian"]
            forms.append(OF_FLOATS[data.draw(st.sampled_from(kinds))](part))
            continue
        cell = CELLS[data.draw(st.sampled_from(sorted(CELLS)))]
        missing = MISSING[data.draw(st.sampled_from(sorted(MISSING)))]
        rows = list(as_objects(part, cell, missing))
        forms.append(OF_ROWS[data.draw(st.sampled_from(sorted(OF_ROWS)))](rows))
    outer = OUTER[data.draw(st.sampled_from(sorted(OUTER)))]
    assert_same(step_result(entry, c, outer(forms)), step_result(entry, c, y))


@given(
    data=st.data(),
    c=ESTIMATOR,
    entry=st.sampled_from(sorted(STEP_ENTRIES)),
    container=st.sampled_from(sorted(OF_ROWS)),
    outer=st.sampled_from(sorted(OUTER)),
    fault=st.sampled_from(sorted(FAULTS)),
    in_weights=st.booleans(),
)
def test_a_faulty_target_or_weight_of_a_step_is_refused(
    data, c, entry, container, outer, fault, in_weights
):
    parts = [[0, 1], [1], [0, 1, 0], [1]]
    i = data.draw(st.integers(0, 3))
    parts[i][data.draw(st.integers(0, len(parts[i]) - 1))] = FAULTS[fault]
    form = OUTER[outer]([OF_ROWS[container](part) for part in parts])
    y, w = ([[0, 1], [1], [0, 1, 0], [1]], form) if in_weights else (form, None)
    assert_our_error(lambda: step_result(entry, c, y, w))


# --- Transformers of steps -----------------------------------------------------------------------


@given(data=st.data(), X=sequences(shortest=1), outer=st.sampled_from(sorted(OUTER)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of columns without any number
def test_any_container_is_scaled_as_plain_arrays(data, X, outer):
    assume(any((~np.isnan(x)).any() for x in X))
    forms = [data.draw(contained(x, frames=False)) for x in X]
    found = PerTimestep(StandardScaler()).fit_transform(OUTER[outer](forms))
    for a, b in zip(found, PerTimestep(StandardScaler()).fit_transform(X), strict=True):
        # Floats of single precision are scaled in it.
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@given(
    X=sequences(n_features=2, shortest=1),
    outer=st.sampled_from(sorted(OUTER)),
    kind=st.sampled_from(sorted(OF_OBJECTS)),
    fault=st.sampled_from(sorted(FAULTS)),
)
def test_a_faulty_cell_is_not_scaled(X, outer, kind, fault):
    forms = [as_objects(np.nan_to_num(x), float, None) for x in X]
    forms[-1][-1, -1] = FAULTS[fault]
    if kind == "pandas":
        return  # frames are the transformer's
    forms = OUTER[outer]([OF_OBJECTS[kind](x) for x in forms])
    assert_our_error(lambda: PerTimestep(StandardScaler()).fit(forms))


# --- Nothing is changed --------------------------------------------------------------------------


@given(data=st.data(), X=sequences())
def test_nothing_that_is_read_is_changed(data, X):
    forms = []
    for x in X:
        kind = data.draw(st.sampled_from(["lists", "object array", "array", "masked", "pandas"]))
        objects_of = as_objects(x, float, MISSING[data.draw(st.sampled_from(sorted(MISSING)))])
        forms.append(OF_OBJECTS[kind](objects_of) if kind in OF_OBJECTS else OF_FLOATS[kind](x))
    if any(isinstance(x, pd.DataFrame) for x in forms):
        forms = [x for x in forms if isinstance(x, pd.DataFrame)]
    before = repr(copy.deepcopy(forms))
    read_numbers(forms, allow_missing=True)
    assert repr(forms) == before
