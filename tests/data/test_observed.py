"""What was last seen of each feature, and how long ago, against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_array_equal

from skgru._data.numbers import mean_gaps
from skgru._data.observed import last_seen, next_seen, scaled_gaps, seen_before, step_times
from tests import naive
from tests.observations import each, observations


def seen_of_whole(values, times, offsets):
    """Return what was last seen in whole sequences, and the gaps."""
    offsets = np.unique(offsets)  # without those that are empty
    before = seen_before(times, None, offsets, np.zeros(values.shape[1]))
    return last_seen(values, times, offsets, before)[:2]


@given(observations())
def test_last_seen_is_what_a_loop_finds(observed):
    sequences, times = observed
    seen, gaps = seen_of_whole(sequences.values, times, sequences.offsets)
    assert seen.shape == gaps.shape == sequences.values.shape
    expected = [naive.seen(x, t) for x, t in each(sequences, times)]
    empty = np.zeros((0, sequences.values.shape[1]))
    assert_array_equal(seen, np.concatenate([empty, *[e[1] for e in expected]]))
    assert_array_equal(gaps, np.concatenate([empty, *[e[2] for e in expected]]))


@given(observations())
def test_next_seen_is_what_a_loop_from_the_end_finds(observed):
    sequences, times = observed
    never = np.zeros(sequences.values.shape[1])
    seen, gaps = next_seen(sequences.values, times, np.unique(sequences.offsets), never)
    expected = [naive.seen_from_the_end(x, t) for x, t in each(sequences, times)]
    empty = np.zeros((0, sequences.values.shape[1]))
    assert_array_equal(seen, np.concatenate([empty, *[e[1] for e in expected]]))
    assert_array_equal(gaps, np.concatenate([empty, *[e[2] for e in expected]]))
    assert (gaps >= 0).all()


@given(observations())
def test_nothing_is_written_to(observed):
    sequences, times = observed
    for array in (sequences.values, sequences.offsets, times):
        array.flags.writeable = False
    seen_of_whole(sequences.values, times, sequences.offsets)
    never = np.zeros(sequences.values.shape[1])
    next_seen(sequences.values, times, np.unique(sequences.offsets), never)
    mean_gaps(sequences, np.ones(len(times)), None)


def test_a_sequence_knows_nothing_of_the_one_before():
    values = np.array([[1.0], [2.0], [np.nan], [3.0], [np.nan]])
    times = np.array([10.0, 11.0, 0.0, 5.0, 7.0])
    seen, gaps = seen_of_whole(values, times, np.array([0, 2, 5]))
    assert_array_equal(seen[:, 0], [1, 2, 0, 3, 3])
    assert_array_equal(gaps[:, 0], [0, 1, 0, 5, 2])
    seen, gaps = next_seen(values, times, np.array([0, 2, 5]), np.zeros(1))
    assert_array_equal(seen[:, 0], [1, 2, 3, 3, 0])
    assert_array_equal(gaps[:, 0], [1, 0, 5, 2, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_values_is_kept_and_times_are_precise(dtype):
    values = np.array([[1.5], [np.nan], [2.5]], dtype)
    times = 1.7e9 + np.array([0.0, 0.25, 0.5])
    seen, gaps = seen_of_whole(values, times, np.array([0, 3]))
    assert seen.dtype == dtype
    assert_array_equal(gaps[:, 0], [0, 0.25, 0.5])
    assert scaled_gaps(gaps, np.array([0.25]), dtype).dtype == dtype


def test_times_are_the_numbers_of_the_steps_or_their_stamps():
    values, numbers = np.array([[3, 7], [4, 9], [5, 2]]), np.array([0, 1, 0])
    assert_array_equal(step_times(values, numbers, None), [0.0, 1.0, 0.0])
    stamps = step_times(values, numbers, 1)
    assert_array_equal(stamps, [7.0, 9.0, 2.0])
    assert stamps.dtype == np.float64


def test_scaled_gaps_are_finite_however_long_they_are():
    gaps = scaled_gaps(np.array([[0.0, 3.0], [1e290, 1e9]]), np.array([1e-9, 1.5]), "float32")
    assert np.isfinite(gaps).all()
    assert_array_equal(gaps[0], [0, 2])
    assert gaps[1, 0] == gaps[1].max() >= 1e6
