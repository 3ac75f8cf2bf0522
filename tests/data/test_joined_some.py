"""Sequences that are parsed one by one are joined some at a time: the same as all at once."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skgru._data import stacking
from skgru._data.stacking import Parser, Ragged

TYPES = ("float32", "float64", "int8", "int64", "uint64", "bool", object)


def columns(rng, n_steps, n_features):
    """Return the columns of one sequence, each of a type of its own."""
    numbers = rng.integers(0, 2, (n_features, n_steps))
    return [column.astype(TYPES[rng.integers(len(TYPES))]) for column in numbers]


def stacked(sequences):
    return Ragged(sequences, None).stack(Parser(1, None))


@pytest.mark.parametrize("seed", range(20))
def test_steps_do_not_depend_on_how_many_are_joined_at_a_time(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    sequences = [columns(rng, n, 3) for n in rng.integers(0, 4, 9)]
    steps, offsets = stacked(sequences)
    for at_a_time in (1, 2, 5):
        monkeypatch.setattr(stacking, "_MOST_WAITING", at_a_time)
        other_steps, other_offsets = stacked(sequences)
        assert other_steps.dtype == steps.dtype
        assert_array_equal(other_steps, steps)
        assert_array_equal(other_offsets, offsets)


@pytest.mark.parametrize("at_a_time", [1, 2, 5])
def test_the_sequence_of_another_width_is_named(at_a_time, monkeypatch):
    monkeypatch.setattr(stacking, "_MOST_WAITING", at_a_time)
    rng = np.random.default_rng(0)
    sequences = [columns(rng, n, width) for n, width in [(0, 3), (2, 2), (3, 2), (1, 2), (2, 3)]]
    with pytest.raises(ValueError, match="expected 2 as in sequence 1, but sequence 4 has 3"):
        stacked(sequences)
    frame = pd.DataFrame({"a": [np.ones(3), np.ones(2)], "b": [np.ones(3), np.ones(2)]})
    assert stacked([[*row] for row in frame.itertuples(index=False)])[0].shape == (5, 2)
