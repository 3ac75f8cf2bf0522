"""X in random containers: the numbers that plain lists give, or an error of our own."""

import copy
from collections import deque
from datetime import UTC, datetime, timedelta
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

from skgru.per_timestep import PerTimestep
from tests.containers import MASKED, OnlyArray, Unreadable, objects, pa
from tests.datasets import read_numbers, read_tokens
from tests.random_containers import (
    CELLS,
    FAULTS,
    FRAMES,
    MISSING,
    NUMBERS,
    OF_FLOATS,
    OF_OBJECTS,
    OUTER,
    as_objects,
    assert_our_error,
    contained,
    sequences,
)


def read_as_lists(X, **options):
    read = read_numbers(X, allow_missing=True, **options)
    return read.sequences.values.astype(float), read.sequences.offsets, read.given_offsets


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
