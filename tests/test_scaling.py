"""The scaling inside the estimators, against scikit-learn's `StandardScaler`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgru import _scaling
from skgru._scaling import mean_and_scale, scale_values


@pytest.mark.parametrize("n", [1, 2, 7, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.bool_])
def test_mean_and_scale_are_those_of_standard_scaler(n, dtype, monkeypatch):
    monkeypatch.setattr(_scaling, "_BLOCK_SIZE", 28)
    rng = np.random.default_rng(n)
    values = (rng.normal(3.0, 10.0, (n, 4)) * [1, 1e3, 1, 1]).astype(dtype)
    weights = rng.uniform(0.5, 2.0, n)
    scaler = StandardScaler().fit(values.astype(np.float64), sample_weight=weights)
    mean, scale = mean_and_scale(values, weights, "X")
    assert_allclose(mean, scaler.mean_, rtol=1e-12)
    assert_allclose(scale, scaler.scale_, rtol=1e-10)
    assert_allclose(
        scale_values(values, mean, scale, np.float64),
        scaler.transform(values.astype(np.float64)),
        atol=1e-10,
    )


def test_columns_constant_but_for_rounding_get_the_scale_one():
    values = np.full((1000, 3), [0.1, 1e8 + 0.1, 0.0])
    mean, scale = mean_and_scale(values, np.ones(1000), "X")
    assert_allclose(mean, values[0], rtol=1e-12)
    assert_array_equal(scale, 1.0)


def test_a_mean_far_from_zero_costs_no_digits():
    values = 1e8 + np.array([[-1.0], [1.0]] * 500)
    _, scale = mean_and_scale(values, np.ones(1000), "X")
    assert_allclose(scale, 1.0, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_values_are_written_over_only_if_asked_and_of_the_same_type(dtype):
    values = np.arange(12).reshape(6, 2).astype(dtype)
    before = values.copy()
    expected = scale_values(values, [1.0, 2.0], [2.0, 4.0], np.float32)
    assert_array_equal(values, before)
    scaled = scale_values(values, [1.0, 2.0], [2.0, 4.0], np.float32, in_place=True)
    assert scaled.dtype == np.float32
    assert_array_equal(scaled, expected)
    assert (scaled is values) == (dtype is np.float32)
    if dtype is not np.float32:
        assert_array_equal(values, before)
