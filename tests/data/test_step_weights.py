"""Weights of samples as those of their steps: what an array of them would give."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data.scaling import mean_and_scale, mean_and_weight, median_and_scale
from skgru._data.sequences import offsets_of
from skgru._data.step_weights import StepWeights

LENGTHS = [[3, 0, 2, 1], [0, 0, 4], [5], [2, 0, 0], [0], []]


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_they_are_those_of_an_array(lengths):
    weights = np.random.default_rng(0).uniform(size=len(lengths))
    expected = np.repeat(weights, lengths)
    of_steps = StepWeights(weights, offsets_of(lengths))
    n = len(expected)
    assert len(of_steps) == n
    assert_allclose(of_steps.sum(), expected.sum(), rtol=1e-15)
    for start in range(n + 1):
        for stop in range(start, n + 2):
            assert_array_equal(of_steps[start:stop], expected[start:stop], strict=True)
    rows = np.random.default_rng(1).permutation(n)
    assert_array_equal(of_steps[rows], expected[rows], strict=True)
    assert_array_equal(of_steps[:], expected, strict=True)


@pytest.mark.parametrize("statistic", [mean_and_weight, mean_and_scale, median_and_scale])
def test_statistics_take_them_for_an_array(statistic):
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 60, 2000)
    values = rng.normal(size=(lengths.sum(), 2))
    values[rng.random(values.shape) < 0.1] = np.nan
    weights = rng.uniform(size=len(lengths))
    name = ("X",) if statistic is mean_and_scale else ()
    found = statistic(values, StepWeights(weights, offsets_of(lengths)), *name)
    expected = statistic(values, np.repeat(weights, lengths), *name)
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-13)
