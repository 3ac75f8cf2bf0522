"""Inputs of numbers: the scales that they learn, and the times since values were last seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data import numbers as _numbers
from skgru._data.numbers import NumberInput, learn_features, mean_gaps
from skgru._data.sequences import Sequences
from skgru._data.steps import make_batch
from tests import naive
from tests.observations import each, observations


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
            for gap in naive.seen(x, t)[2][:, d]:
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


STEPS = Sequences(np.array([[0.0, 2.0], [3.0, 4.0], [5.0, 9.0]]), np.array([0, 2, 3]))


def learn(sequences=STEPS, weights=(1.0, 1.0), *, scaling="standard", time_feature=None):
    return learn_features(sequences, np.array(weights), scaling=scaling, time_feature=time_feature)


def test_each_step_of_a_sequence_has_its_weight_in_the_scales():
    learned = learn(weights=(1.0, 2.0))
    repeated = np.array([[0.0, 2], [3, 4], [5, 9], [5, 9]])
    assert_allclose(learned["center"], repeated.mean(axis=0), rtol=1e-15)
    assert_allclose(learned["scale"], repeated.std(axis=0), rtol=1e-15)
    assert_array_equal(learned["fill"], learned["center"])
    assert not learned["has_missing"]
    assert_array_equal(learned["gap_scale"], 1)  # no time is counted


def test_without_scaling_missing_values_alone_have_the_mean_taken_off():
    assert_array_equal(learn(scaling=None)["center"], 0)
    assert_array_equal(learn(scaling=None)["scale"], 1)
    assert_allclose(learn(scaling=None)["fill"], [8 / 3, 5], rtol=1e-15)
    values = STEPS.values.copy()
    values[1, 1] = np.nan
    learned = learn(STEPS._replace(values=values), scaling=None)
    assert learned["has_missing"]
    assert_allclose(learned["center"], [8 / 3, 5.5], rtol=1e-15)
    # 0 and 1 step since the features were last seen, and 0 in the sequence of one step
    assert_allclose(learned["gap_scale"], [1 / 3, 1 / 3], rtol=1e-15)


@pytest.mark.parametrize("scaling", ["standard", "robust", None])
def test_stamps_have_the_mean_time_as_their_scale_and_are_left_as_they_are(scaling):
    values = STEPS.values * 2
    learned = learn(STEPS._replace(values=values), scaling=scaling, time_feature=0)
    assert_array_equal(values, STEPS.values * 2)
    assert learned["center"][0] == 0
    assert learned["scale"][0] == learned["gap_scale"][0] == 2.0  # 6 at one step, 0 at two


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("missing", ["decay", "indicator"])
@pytest.mark.parametrize("has_missing", [False, True])
def test_the_spec_is_of_what_the_network_reads(has_missing, missing, bidirectional):
    learned = learn() | {"has_missing": has_missing}
    part = NumberInput(n_features=2, missing=missing, is_bidirectional=bidirectional, **learned)
    steps = part.steps_of(STEPS, "float64")
    read = make_batch(steps, np.arange(2)).x
    decay = has_missing and missing == "decay"
    assert part.are_observed == has_missing
    assert (part.spec.decay, part.spec.reads_mask) == (decay, has_missing)
    assert part.spec.n_inputs == (6 if has_missing and not decay else 2)
    # With decay: the mask, and of each direction what was last seen, and when.
    n_columns = (5 if bidirectional else 3) * 2 if decay else part.spec.n_inputs
    assert read.shape == (3, n_columns)
