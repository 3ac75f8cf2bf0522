"""What was last seen of each feature, and how long ago, against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data import numbers as _inputs
from skgru._data.numbers import mean_gaps
from skgru._data.observed import last_seen, next_seen, scaled_gaps, seen_before, step_times
from skgru._data.sequences import Sequences, offsets_of


@st.composite
def observations(draw):
    """Return sequences with missing values, and times of their steps that do not decrease."""
    lengths = draw(st.lists(st.integers(0, 6), max_size=5))
    n_features = draw(st.integers(1, 3))
    share = draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.normal(size=(sum(lengths), n_features))
    values[rng.random(values.shape) < share] = np.nan
    # Quarters: sums and differences are exact, and some are zero.
    steps = [rng.integers(0, 4, length) / 4 for length in lengths]
    times = np.concatenate([np.zeros(0), *[rng.integers(-99, 99) + s.cumsum() for s in steps]])
    return Sequences(values, offsets_of(lengths)), times


def naive_last_seen(x, times):
    """Return the same as `last_seen` for one sequence x (T, D)."""
    seen, gaps = np.zeros(x.shape), np.zeros(x.shape)
    for d in range(x.shape[1]):
        value, since = 0.0, None
        for t in range(len(x)):
            gaps[t, d] = times[t] - (times[0] if since is None else since)
            if not np.isnan(x[t, d]):
                value, since = x[t, d], times[t]
            seen[t, d] = value
    return seen, gaps


def seen_of_whole(values, times, offsets):
    """Return what was last seen in whole sequences, and the gaps."""
    offsets = np.unique(offsets)  # without those that are empty
    before = seen_before(times, None, offsets, np.zeros(values.shape[1]))
    return last_seen(values, times, offsets, before)[:2]


def each(sequences, times):
    for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
        yield sequences.values[start:stop], times[start:stop]


@given(observations())
def test_last_seen_is_what_a_loop_finds(observed):
    sequences, times = observed
    seen, gaps = seen_of_whole(sequences.values, times, sequences.offsets)
    assert seen.shape == gaps.shape == sequences.values.shape
    expected = [naive_last_seen(x, t) for x, t in each(sequences, times)]
    empty = np.zeros((0, sequences.values.shape[1]))
    assert_array_equal(seen, np.concatenate([empty, *[e[0] for e in expected]]))
    assert_array_equal(gaps, np.concatenate([empty, *[e[1] for e in expected]]))


@given(observations())
def test_next_seen_is_what_a_loop_from_the_end_finds(observed):
    sequences, times = observed
    never = np.zeros(sequences.values.shape[1])
    seen, gaps = next_seen(sequences.values, times, np.unique(sequences.offsets), never)
    expected = [naive_last_seen(x[::-1], -t[::-1]) for x, t in each(sequences, times)]
    empty = np.zeros((0, sequences.values.shape[1]))
    assert_array_equal(seen, np.concatenate([empty, *[e[0][::-1] for e in expected]]))
    assert_array_equal(gaps, np.concatenate([empty, *[e[1][::-1] for e in expected]]))
    assert (gaps >= 0).all()


@given(observations(), st.integers(0, 99), st.booleans())
def test_mean_gaps_are_the_weighted_means_of_all_steps(observed, seed, has_stamps):
    sequences, times = with_times(*observed, has_stamps)
    weights = np.random.default_rng(seed).integers(1, 4, len(times)).astype(float)
    n_features = sequences.values.shape[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_inputs, "_MAX_GAPS", 256 * n_features * (1 + seed % 3))
        means = mean_gaps(sequences, weights, 0 if has_stamps else None)
    assert means.shape == (n_features,)
    for d in range(n_features):
        total = count = 0.0
        row = 0
        for x, t in each(sequences, times):
            for gap in naive_last_seen(x, t)[1][:, d]:
                total += weights[row] * gap
                count += weights[row]
                row += 1
        assert_allclose(means[d], total / count if total else 1.0, rtol=1e-12)


def with_times(sequences, times, has_stamps):
    """Return the sequences with their times as first feature, or the numbers of their steps."""
    if has_stamps:
        values = np.column_stack([times, sequences.values[:, 1:]])
        return Sequences(values, sequences.offsets), times
    return sequences, np.concatenate([[], *map(np.arange, sequences.lengths)])


@given(observations(), st.booleans())
def test_a_weight_is_a_repetition_in_the_mean_gaps(observed, has_stamps):
    sequences, _ = with_times(*observed, has_stamps)
    time_feature = 0 if has_stamps else None
    counts = np.arange(sequences.n_sequences) % 3 + 1
    repeated = np.repeat(np.arange(sequences.n_sequences), counts)
    a = mean_gaps(sequences, np.repeat(counts, sequences.lengths).astype(float), time_feature)
    copies = sequences.take(repeated)
    b = mean_gaps(copies, np.ones(len(copies.values)), time_feature)
    assert_allclose(a, b, rtol=1e-12)


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
