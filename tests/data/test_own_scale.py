"""The scale of each sequence: means, deviations, and the steps beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data import own_scale as _own_scale
from skgru._data.numbers import learn_features
from skgru._data.own_scale import BesideScale, measure_of, own_scale
from skgru._data.sequences import Sequences, offsets_of
from tests.observations import observations

NAN = np.nan


def sequences_of(*columns):
    """Return sequences of one feature."""
    values = np.concatenate(columns)[:, None]
    return Sequences(values, offsets_of([len(column) for column in columns]))


def by_hand(sequences):
    """Return the means and deviations of sequences, by loops over their values."""
    means, deviations = [], []
    for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
        seen = [column[~np.isnan(column)] for column in sequences.values[start:stop].T]
        means.append([sum(x) / len(x) if len(x) else NAN for x in seen])
        deviations.append([np.std(x) if len(x) else NAN for x in seen])
    shape = sequences.n_sequences, sequences.values.shape[1]
    return np.reshape(means, shape), np.reshape(deviations, shape)


@given(observations(), st.sampled_from([1, 7, 1 << 17]))
def test_scales_are_those_of_the_values_that_a_sequence_has(observed, block_size):
    sequences, _ = observed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_own_scale, "_BLOCK_SIZE", block_size)
        own = own_scale(sequences)
    means, deviations = by_hand(sequences)
    assert_allclose(own.means, means, rtol=1e-12, atol=1e-15)
    assert_allclose(own.deviations, deviations, rtol=1e-12, atol=1e-15)
    for i in range(sequences.n_sequences):
        alone = own_scale(sequences.take(np.array([i])))
        assert_array_equal(alone.means[0], own.means[i])
        assert_array_equal(alone.deviations[0], own.deviations[i])


@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_any_type_of_numbers_has_scales_in_double_precision(dtype):
    sequences = sequences_of([1, 4, 4], [100, 120])
    own = own_scale(sequences._replace(values=sequences.values.astype(dtype)))
    assert_allclose(own.means[:, 0], [3, 110], rtol=1e-15)
    assert_allclose(own.deviations[:, 0], [np.sqrt(2), 10], rtol=1e-15)


def test_what_is_constant_but_for_rounding_has_no_deviation():
    constants = np.full(1000, 0.3)
    assert np.add.reduceat(constants[:, None], [0])[0, 0] / 1000 != 0.3
    sequences = sequences_of(constants, [7e300], np.array([1e9, 1e9 + 1]), [])
    own = own_scale(sequences)
    assert_array_equal(own.deviations[:, 0], [0, 0, 0.5, NAN])
    beside = BesideScale(sequences, np.array([[0.0], [1.0], [0.25]]), None)
    assert_array_equal(beside[:][:1001, 0], 0)
    # They are as quiet as the quietest that was learned from.
    assert_array_equal(beside.scales[:3, 1], np.log([0.25, 0.25, 0.5]))


@given(observations(), st.booleans())
def test_steps_stand_beside_the_scale_of_their_sequence(observed, has_stamps):
    sequences, _ = observed
    n_features = sequences.values.shape[1]
    stamps = n_features - 1 if has_stamps else None
    measure = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [0.3, 1e-9, 1e-9]])[:, :n_features]
    beside = BesideScale(sequences, measure, stamps)
    rows = beside[:]
    assert rows.shape == beside.shape == (len(beside), rows.shape[1])
    scaled = np.arange(n_features) != stamps
    means, deviations = by_hand(sequences)
    for i, (start, stop) in enumerate(
        zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    ):
        for row, values in zip(rows[start:stop], sequences.values[start:stop], strict=True):
            deviation = np.maximum(deviations[i], measure[2])
            z = np.where(deviations[i] > 1e-12, (values - means[i]) / deviation, values * 0)
            scales = [(means[i] - measure[0]) / measure[1], np.log(deviation / measure[1])]
            expected = np.concatenate(
                [np.where(scaled, z, values), *np.compress(scaled, scales, 1)]
            )
            assert_allclose(row, expected, atol=1e-9)
    # Rows are taken as those of an array are, also beyond its ends and for patches.
    if len(rows):
        wanted = np.arange(-2, len(rows) + 4).reshape(-1, 2) if len(rows) % 2 == 0 else np.arange(3)
        assert_array_equal(beside.take(wanted), rows.take(wanted, axis=0, mode="clip"))
        out = np.empty((2, rows.shape[1]))
        beside.take(np.array([0, 0]), axis=0, out=out, mode="clip")
        assert_array_equal(out, rows[[0, 0]])


def test_what_belongs_to_a_missing_value_is_that_of_the_value_last_seen():
    sequences = sequences_of([NAN, 1.0, NAN, 2.0], [NAN], [NAN, NAN, 3.0])
    beside = BesideScale(sequences, np.array([[0.0], [1.0], [1.0]]), None)
    numbers = beside.repeat(np.arange(8.0)[:, None])
    assert_array_equal(numbers[:, 0], np.arange(8))
    assert_array_equal(numbers[[0, 1, 2, 3, 5, 6, 7], 1], [1, 1, 1, 3, 7, 7, 7])
    assert_array_equal(numbers[:, 2], numbers[:, 1])


def test_the_measure_leaves_out_what_is_constant():
    values = np.array([[1.0, 5.0, NAN], [3.0, 5.0, NAN], [9.0, 7.0, NAN], [9.0, 7.0, NAN]])
    sequences = Sequences(values, np.array([0, 2, 4]))
    level, unit = np.array([5.5, 6.0, NAN]), np.array([3.6, 1.0, NAN])
    assert_array_equal(measure_of(sequences, level, unit), [level, unit, [1.0, 1.0, NAN]])


def normalized(n=30, n_steps=50, dtype=np.float64):
    """Return sequences of mean 0 and deviation 1, but for rounding."""
    X = np.random.default_rng(0).normal(size=(n, n_steps))
    X -= X.mean(axis=1, keepdims=True)
    X /= X.std(axis=1, keepdims=True)
    return sequences_of(*X.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rounding_is_not_scaled_up(dtype):
    sequences = normalized(dtype=dtype)
    weights = np.ones(sequences.n_sequences)
    learned = learn_features(sequences, weights, scaling="sequence", time_feature=None)
    rows = BesideScale(sequences, learned["measure"], None)[:]
    read = (rows - learned["center"]) / learned["scale"]
    assert_allclose(read[:, 0], sequences.values[:, 0], atol=1e-6)
    assert np.abs(read[:, 1:]).max() < 1e-5
    # What differs by more is scaled to a variance of 1.
    factors = np.repeat(np.exp(np.random.default_rng(1).normal(size=30)), 50)[:, None]
    loud = sequences._replace(values=factors * (5 * factors + sequences.values))
    learned = learn_features(loud, weights, scaling="sequence", time_feature=None)
    scales = BesideScale(loud, learned["measure"], None).scales
    read = (scales - learned["center"][1:]) / learned["scale"][1:]
    assert_allclose(read.mean(axis=0), 0, atol=1e-12)
    assert_allclose(read.std(axis=0), 1)


def chosen(sequences, weights=None, time_feature=None):
    """Return the scaling that "auto" stands for."""
    weights = np.ones(sequences.n_sequences) if weights is None else np.array(weights, float)
    learned = learn_features(sequences, weights, scaling="auto", time_feature=time_feature)
    same = learn_features(sequences, weights, scaling=learned["scaling"], time_feature=time_feature)
    assert learned.keys() == same.keys()
    for name, values in learned.items():
        assert_array_equal(values, same[name], strict=True)
    return learned["scaling"]


LOUD, SMALL = [1.0] * 8, [5e-5] * 2


def times(factors, time_feature=None):
    """Return the same sequence in two features, in several sizes."""
    x = np.array([-1.0, 1.0, 0.0, 2.0])
    values = np.concatenate([np.outer(x * factor, [1, 1]) for factor in factors])
    if time_feature is not None:
        values[:, time_feature] = np.tile([0.0, 1, 2, 3], len(factors)) + 5
    return Sequences(values, 4 * np.arange(len(factors) + 1))


@pytest.mark.parametrize(
    ("factors", "weights", "scaling"),
    [
        (LOUD, None, "standard"),
        ([1, 2, 4, 8], None, "standard"),
        (LOUD + SMALL, None, "sequence"),
        ([*LOUD, 2e-4, 2e-4], None, "standard"),
        ([1.0] * 40 + SMALL, None, "standard"),  # less than a tenth
        (LOUD + SMALL, [9] * 8 + [1] * 2, "standard"),
        ([1.0] * 40 + SMALL, [1] * 40 + [9] * 2, "sequence"),
        # What is constant, but for rounding, tells nothing of magnitudes.
        (LOUD + [0.0] * 8, None, "standard"),
        (LOUD + [1e-9] * 8, None, "standard"),
        ([0.0, 0.0], None, "standard"),
    ],
)
def test_sizes_that_span_orders_ask_for_scales_of_their_own(factors, weights, scaling):
    assert chosen(times(factors), weights) == scaling
    assert chosen(times(np.array(factors) * 1e5), weights) == scaling
    assert chosen(times(factors, time_feature=0), weights, time_feature=0) == scaling


def test_levels_that_differ_are_no_small_sizes():
    sequences = times(LOUD + SMALL)
    values = sequences.values.copy()
    values[32:] += [1, 0]  # the level of the small ones
    assert chosen(sequences._replace(values=values[:, [0]])) == "standard"
    assert chosen(sequences._replace(values=values[:, [1]])) == "sequence"


def test_a_feature_without_values_has_no_say():
    sequences = times(LOUD + SMALL)
    values = np.column_stack([sequences.values[:, 0], np.full(len(sequences.values), NAN)])
    assert chosen(sequences._replace(values=values)) == "sequence"
    values[:, 0] = NAN
    assert chosen(sequences._replace(values=values)) == "standard"
