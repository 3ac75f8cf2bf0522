"""Random convolutions against a transcription of their equation, and their gradients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from skgru._nn.convolutions import N_KERNELS, N_TAPS, PATTERNS, RandomConvolutions
from skgru._nn.part import Run

LENGTHS = np.array([9, 9, 5, 1, 0])
INPUTS = pytest.mark.parametrize("n_inputs", [1, 3])


def make_part(n_inputs, rng, dilations=(1, 2, 7), n_thresholds=(2, 1, 3)):
    """Return a part, and random numbers for it."""
    part = RandomConvolutions(n_inputs, dilations, n_thresholds)
    p = {name: rng.normal(size=shape) for name, shape in part.shapes().items()}
    p["scale"] = rng.uniform(0.5, 2, p["scale"].shape)
    return part, p


def naive_features(p, x, dilations):
    """Return the features of one sequence (T, D), step by step."""
    T, D = x.shape
    features = []
    for i, dilation in enumerate(dilations):
        weights = p[f"weights_{i}"].reshape(N_TAPS, D, N_KERNELS)
        convolved = np.zeros((T, N_KERNELS))
        for t in range(T):
            for j in range(N_TAPS):
                s = t + (j - 4) * dilation
                if 0 <= s < T:
                    convolved[t] += x[s] @ weights[j]
        for thresholds in p[f"thresholds_{i}"]:
            shares = 1 / (1 + np.exp(-(convolved - thresholds)))
            features.append(shares.mean(axis=0))
    return (np.concatenate(features) - p["center"]) / p["scale"]


def layout(sequences):
    """Return sequences, longest first, as a batch and its rows."""
    batch = Batch(np.array([len(x) for x in sequences]))
    x = np.empty((batch.n_rows, sequences[0].shape[1]))
    x[...] = [
        sequences[b][t] for b, t in zip(batch.sequence_of_row(), batch.step_of_row(), strict=True)
    ]
    return x, batch


def test_each_kernel_has_three_heavy_taps_and_no_sum():
    assert len(set(PATTERNS)) == N_KERNELS == 84
    assert {len(pattern) for pattern in PATTERNS} == {3}


@INPUTS
def test_features_are_those_of_the_equation(n_inputs):
    rng = np.random.RandomState(0)
    part, p = make_part(n_inputs, rng)
    sequences = [rng.normal(size=(n, n_inputs)) for n in LENGTHS]
    x, batch = layout(sequences)
    y, _ = part.forward(p, x, Run(batch))
    assert y.shape == (len(LENGTHS), part.n_outputs) == (5, 6 * N_KERNELS)
    for i, sequence in enumerate(sequences[:-1]):
        assert_allclose(y[i], naive_features(p, sequence, part.dilations), rtol=1e-10, atol=1e-12)
    assert_array_equal(y[-1], 0)  # without a step


@INPUTS
def test_gradients_equal_central_differences(n_inputs, check_gradient):
    rng = np.random.RandomState(1)
    part, p = make_part(n_inputs, rng)
    x, batch = layout([rng.normal(size=(n, n_inputs)) for n in LENGTHS])
    d = rng.normal(size=(len(LENGTHS), part.n_outputs))
    _, cache = part.forward(p, x, Run(batch))
    g = {name: np.full(array.shape, np.nan) for name, array in p.items()}
    dx = part.backward(p, d, cache, g, Run(batch))
    check_gradient(lambda: np.sum(part.forward(p, x, Run(batch))[0] * d), x, dx, "x")
    assert all(not array.any() for array in g.values())  # nothing of it is trained
    assert part.backward(p, d, cache, g, Run(batch, need_dx=False)) is None


@pytest.mark.parametrize("block_size", [1, 1 << 11, 1 << 18])
def test_in_blocks_of_any_size_they_are_the_same(block_size, monkeypatch):
    monkeypatch.setattr("skgru._nn.convolutions._BLOCK_SIZE", block_size)
    rng = np.random.RandomState(2)
    part, p = make_part(2, rng)
    sequences = [rng.normal(size=(n, 2)) for n in (30, 12, 12, 4)]
    together, _ = part.forward(p, *_with_run(*layout(sequences)))
    for sequence, found in zip(sequences, together, strict=True):
        alone, _ = part.forward(p, *_with_run(*layout([sequence])))
        assert_allclose(alone[0], found, rtol=1e-12, atol=1e-12)


def _with_run(x, batch):
    return x, Run(batch)


def test_single_precision_stays_single():
    rng = np.random.RandomState(3)
    part, p = make_part(2, rng)
    x, batch = layout([rng.normal(size=(n, 2)) for n in LENGTHS])
    exact, _ = part.forward(p, x, Run(batch))
    p = {name: array.astype(np.float32) for name, array in p.items()}
    y, cache = part.forward(p, x.astype(np.float32), Run(batch))
    assert y.dtype == np.float32
    g = {name: np.empty_like(array) for name, array in p.items()}
    assert part.backward(p, y, cache, g, Run(batch)).dtype == np.float32
    assert_allclose(y, exact, rtol=0, atol=1e-4)
