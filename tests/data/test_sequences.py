"""Sequences one after the other: their rows, and what is left of them without padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru._data.sequences import (
    Sequences,
    are_wholly_nan,
    kept_rows,
    locate,
    offsets_of,
    rows_kept,
)

LENGTHS = st.lists(st.integers(0, 5), max_size=6)


@given(LENGTHS, st.data())
def test_rows_are_found_by_sequence_and_taken_in_any_order(lengths, data):
    offsets = offsets_of(lengths)
    assert_array_equal(offsets, [sum(lengths[:i]) for i in range(len(lengths) + 1)])
    sequences = Sequences(np.arange(offsets[-1]) + 100, offsets)
    assert sequences.n_sequences == len(lengths)
    assert_array_equal(sequences.lengths, lengths)
    parts = np.split(sequences.values, offsets[1:-1]) if lengths else []
    numbers = st.integers(0, len(lengths) - 1)
    chosen = data.draw(st.lists(numbers, max_size=5)) if lengths else []
    indices = np.array(chosen, np.intp)
    assert_array_equal(sequences.lengths_of(indices), [lengths[i] for i in chosen])
    expected = [row for i in chosen for row in parts[i]]
    assert_array_equal(sequences.rows_of(indices) + 100, expected)
    taken = sequences.take(indices)
    assert_array_equal(taken.values, expected)
    assert_array_equal(taken.lengths, [lengths[i] for i in chosen])
    rows = [(i, t) for i, length in enumerate(lengths) for t in range(length)]
    assert [locate(row, offsets) for row in range(offsets[-1])] == rows


@pytest.mark.parametrize("most_at_once", [1, 4, 1 << 18])
@pytest.mark.parametrize("from_start", [False, True])
@given(st.lists(st.lists(st.booleans(), max_size=5), max_size=5))
def test_kept_are_the_rows_up_to_the_last_filled_one(most_at_once, from_start, filled):
    flags = np.array([flag for part in filled for flag in part], bool)
    offsets = offsets_of([len(part) for part in filled])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skgru._data.sequences._MOST_AT_ONCE", most_at_once)
        rows, new_offsets = kept_rows(flags, offsets, from_start=from_start)
    expected, lengths = [], []
    for part, start in zip(filled, offsets, strict=False):
        places = [t for t, flag in enumerate(part) if flag]
        kept = range(0 if from_start else places[0], places[-1] + 1) if places else []
        expected += [start + t for t in kept]
        lengths.append(len(kept))
    assert_array_equal(np.arange(len(flags))[rows], expected)
    assert_array_equal(np.diff(new_offsets), lengths)
    # What has no padding is not copied.
    assert isinstance(rows, slice) == (len(expected) == len(flags))


@pytest.mark.parametrize("most_at_once", [1, 4, 1 << 18])
@pytest.mark.parametrize("shape", [(0, 2), (9, 2), (9,)])
def test_rows_are_looked_through_some_at_a_time(most_at_once, shape, monkeypatch):
    monkeypatch.setattr("skgru._data.sequences._MOST_AT_ONCE", most_at_once)
    rng = np.random.default_rng(0)
    values = np.where(rng.random(shape) < 0.6, np.nan, 1 + rng.random(shape))
    kept = rng.random(len(values)) < 0.5
    assert_array_equal(rows_kept(values, kept), values[kept], strict=True)
    assert rows_kept(values, slice(None)).base is values
    if len(shape) == 2:
        assert_array_equal(are_wholly_nan(values), np.isnan(values).all(axis=1), strict=True)
