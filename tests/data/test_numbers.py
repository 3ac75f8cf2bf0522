"""Inputs of numbers: what they learn of the times since values were last seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skgru._data import numbers as _numbers
from skgru._data.numbers import mean_gaps
from skgru._data.sequences import Sequences
from tests.observations import each, naive_last_seen, observations


@given(observations(), st.integers(0, 99), st.booleans())
def test_mean_gaps_are_the_weighted_means_of_all_steps(observed, seed, has_stamps):
    sequences, times = with_times(*observed, has_stamps)
    weights = np.random.default_rng(seed).integers(1, 4, len(times)).astype(float)
    n_features = sequences.values.shape[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_numbers, "_MAX_GAPS", 256 * n_features * (1 + seed % 3))
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
