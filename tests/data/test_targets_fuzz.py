"""y and weights in random containers: what plain lists give, or an error of our own."""

from collections import UserList, deque

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor
from tests.containers import objects
from tests.datasets import small
from tests.random_containers import (
    CELLS,
    FAULTS,
    MISSING,
    OF_FLOATS,
    OUTER,
    as_objects,
    assert_our_error,
)

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
