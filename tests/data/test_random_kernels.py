"""The input of random convolutions: dilations, kernels, thresholds, and its state."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri

from skgru._data.kinds import reader_of_state
from skgru._data.numbers import NumberInput
from skgru._data.random_kernels import ConvolutionReader, choose_dilations, features_of
from skgru._data.sequences import Sequences, offsets_of
from skgru._nn.convolutions import N_KERNELS, N_TAPS, PATTERNS, RandomConvolutions
from skgru._spec import EncoderSpec

LENGTHS = np.array([12, 30, 0, 21])


def learned(values, lengths=LENGTHS, weights=None, n_features=5 * N_KERNELS, **parameters):
    """Return the sequences, and the input that has learned from them."""
    sequences = Sequences(values, offsets_of(lengths))
    weights = np.ones(len(lengths)) if weights is None else weights
    numbers = NumberInput(n_features=values.shape[1], **parameters)
    numbers = numbers.learn(sequences, weights, EncoderSpec((4,), ("gru",)))
    return sequences, ConvolutionReader.beside_numbers(numbers, "", sequences, weights, n_features)


def part_of(found):
    """Return the part of the network that reads it."""
    return RandomConvolutions(
        found.spec.n_inputs, found.encoder.dilations, found.encoder.n_thresholds
    )


@pytest.mark.parametrize("n_steps", [1, 5, 9, 24, 100, 1500, 1e6])
@pytest.mark.parametrize("n_features", [1, N_KERNELS, 1932, 10_000])
def test_kernels_are_no_longer_than_sequences_and_features_as_many_as_wanted(n_steps, n_features):
    spec = choose_dilations(n_steps, n_features)
    assert sorted(set(spec.dilations)) == list(spec.dilations)
    assert spec.dilations[0] == 1
    assert (N_TAPS - 1) * spec.dilations[-1] <= max(n_steps, N_TAPS - 1)
    assert min(spec.n_thresholds) >= 1
    assert sum(spec.n_thresholds) == max(1, n_features // N_KERNELS)


def test_kernels_read_some_channels_by_patterns_of_their_own():
    values = np.random.RandomState(0).normal(size=(63, 5))
    _, found = learned(values)
    weights = found.start["weights_0"].reshape(N_TAPS, 5, N_KERNELS)
    reads = (weights != 0).all(axis=0)
    assert_array_equal(reads, (weights != 0).any(axis=0))
    counts = reads.sum(axis=0)
    assert counts.min() >= 1
    assert len(set(counts)) > 2
    for k, pattern in enumerate(PATTERNS):
        taps = weights[:, reads[:, k].argmax(), k]
        assert_allclose(taps.sum(), 0, atol=1e-10)
        assert set(np.flatnonzero(taps > 0)) == set(pattern)


def test_no_kernel_reads_the_scale_of_a_sequence():
    values = np.random.RandomState(0).normal(size=(63, 2))
    sequences, found = learned(values, scaling="sequence")
    assert found.spec.n_inputs == 6
    of_values, of_scales = np.split(
        found.start["weights_0"].reshape(N_TAPS, 6, N_KERNELS), [2], axis=1
    )
    assert of_values.any(axis=(0, 1)).all()
    assert not of_scales.any()
    factors = np.repeat([1e3, 1e-2, 1, 7], LENGTHS)[:, None]
    others, same = learned(factors * (values + factors), scaling="sequence")
    for name, expected in found.start.items():
        assert_allclose(same.start[name], expected, rtol=2e-3, atol=2e-3)
    p = found.start
    features = features_of(part_of(found), p, found.steps_of(sequences, np.float64))
    of_others = features_of(part_of(found), p, same.steps_of(others, np.float64))
    assert_allclose(of_others, features, atol=1e-6)


def test_thresholds_are_spread_by_mean_and_deviation_of_the_convolution():
    rng = np.random.RandomState(1)
    sequences, found = learned(rng.normal(3, 2, (630, 1)), lengths=10 * LENGTHS)
    x = (sequences.values - sequences.values.mean()) / sequences.values.std()
    k, dilation = 17, found.encoder.dilations[1]
    taps = np.where(np.isin(np.arange(N_TAPS), PATTERNS[k]), 2, -1)
    convolved = []
    for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
        padded = np.pad(x[start:stop, 0], 4 * dilation)
        for t in range(stop - start):
            convolved.append(taps @ padded[t : t + 8 * dilation + 1 : dilation])
    mean, deviation = np.mean(convolved), np.std(convolved)
    assert dilation > 1
    weights = found.start["weights_1"][:, k]
    assert_allclose(weights, taps / (0.1 * deviation), rtol=1e-3)  # three digits
    number = N_KERNELS * found.encoder.n_thresholds[0] + k + 1
    quantile = number * (np.sqrt(5) - 1) / 2 % 1
    expected = (mean + deviation * ndtri(quantile)) / (0.1 * deviation)
    assert_allclose(found.start["thresholds_1"][0, k], expected, rtol=1e-3, atol=0.01)


def test_features_of_training_are_in_units_of_their_deviations():
    values = np.random.RandomState(2).normal(size=(63, 2))
    sequences, found = learned(values)
    features = features_of(part_of(found), found.start, found.steps_of(sequences, float))
    assert features.shape == (3, 5 * N_KERNELS)  # one sequence has no step
    scale, shares = found.start["scale"], features * found.start["scale"] + found.start["center"]
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert_allclose(found.start["center"], shares.mean(axis=0), rtol=0, atol=5.01e-4)
    units = np.sqrt(5 * N_KERNELS) / 10
    assert_allclose(scale, (shares.std(axis=0) + 0.02) * units, rtol=1e-3)


def test_a_sample_without_weight_counts_for_nothing_and_a_heavy_one_for_two():
    rng = np.random.RandomState(3)
    values = rng.normal(size=(63, 2))
    _, weighted = learned(values, weights=np.array([1.0, 0, 0, 2]))
    kept = np.r_[values[:12], values[42:], values[42:]]
    _, copied = learned(kept, lengths=np.array([12, 21, 21]))
    assert weighted.encoder == copied.encoder
    for name, array in copied.start.items():
        assert_allclose(weighted.start[name], array, rtol=1e-7, atol=1e-9, err_msg=name)


def test_constant_series_and_huge_ones_make_finite_kernels():
    huge = 1e100 * np.random.RandomState(5).normal(size=(63, 2))
    for values in (np.full((63, 1), 4.0), huge, np.zeros((63, 1))):
        sequences, found = learned(values)
        for array in found.start.values():
            assert np.isfinite(array).all()
        features = features_of(part_of(found), found.start, found.steps_of(sequences, np.float32))
        assert np.isfinite(features).all()


def test_its_state_makes_it_again_without_the_start():
    values = np.random.RandomState(4).normal(size=(63, 2))
    sequences, found = learned(values)
    again = reader_of_state(found.state)
    assert again.state.keys() == found.state.keys()
    assert again.start is None
    assert (again.encoder, again.beside) == (found.encoder, "")
    assert_array_equal(again.numbers.center, found.numbers.center)
    features = features_of(part_of(found), found.start, again.steps_of(sequences, float))
    assert len(features) == 3


def test_of_many_steps_they_are_learned_in_single_precision(monkeypatch):
    values = np.random.RandomState(6).normal(size=(63, 2))
    _, exact = learned(values)
    monkeypatch.setattr("skgru._data.random_kernels._STEPS_IN_DOUBLE", 62)
    _, rounded = learned(values)
    for name, array in exact.start.items():
        assert_allclose(rounded.start[name], array, rtol=2e-3, atol=2e-2, err_msg=name)
