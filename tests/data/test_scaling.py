"""The scaling inside the estimators, against scikit-learn's scalers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import RobustScaler, StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru._data import scaling as _scaling
from skgru._data.scaling import contains_nan, mean_and_scale, median_and_scale, scale_values
from tests.datasets import rectangle, small


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


# Missing values


def with_nan(values, share=0.3, seed=1):
    """Return a copy with missing values, the last column wholly missing."""
    values = values.copy()
    values[np.random.default_rng(seed).random(values.shape) < share] = np.nan
    values[:, -1] = np.nan
    return values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_and_scale_with_missing_values_are_those_of_standard_scaler(dtype, monkeypatch):
    monkeypatch.setattr(_scaling, "_BLOCK_SIZE", 28)
    rng = np.random.default_rng(0)
    values = with_nan(rng.normal(3.0, 10.0, (50, 4))).astype(dtype)
    weights = rng.uniform(0.5, 2.0, 50)
    scaler = StandardScaler().fit(values[:, :3].astype(np.float64), sample_weight=weights)
    mean, scale = mean_and_scale(values, weights, "X")
    assert_allclose(mean[:3], scaler.mean_, rtol=1e-12)
    assert_allclose(scale[:3], scaler.scale_, rtol=1e-10)
    assert_array_equal(np.isnan([mean, scale]), [[False, False, False, True]] * 2)
    scaled = scale_values(values, mean, scale, np.float64)
    assert_array_equal(np.isnan(scaled), np.isnan(values))
    assert_allclose(scaled[:, :3], scaler.transform(values[:, :3].astype(np.float64)), atol=1e-10)


@pytest.mark.parametrize("learn", [lambda v, w: mean_and_scale(v, w, "X"), median_and_scale])
def test_missing_values_count_for_nothing(learn):
    values = np.random.default_rng(0).normal(size=(40, 1))
    weights = 1.0 + np.arange(40) % 3
    rows = np.flatnonzero(np.arange(40) % 4)
    with_holes = np.full_like(values, np.nan)
    with_holes[rows] = values[rows]
    assert_allclose(learn(with_holes, weights), learn(values[rows], weights[rows]), rtol=1e-12)


@pytest.mark.parametrize("learn", [lambda v, w: mean_and_scale(v, w, "X"), median_and_scale])
def test_constant_missing_and_absent_columns(learn):
    values = np.array([[7.0, np.nan, np.nan], [7.0, np.nan, -2.0], [np.nan, np.nan, np.nan]])
    center, scale = learn(values, np.ones(3))
    assert_array_equal(center, [7.0, np.nan, -2.0])
    assert_array_equal(scale, [1.0, np.nan, 1.0])
    center, scale = learn(np.empty((0, 2)), np.ones(0))
    assert_array_equal(center, 0)
    assert_array_equal(scale, 1)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1e308, 1e308], [-1e308, -1e308, 0.0]])
def test_a_sum_that_overflows_is_no_missing_value(values):
    values = np.array(values)
    assert not contains_nan(values)
    assert contains_nan(np.append(values, np.nan))
    assert not contains_nan(np.array([2**62, 2**62, 2**62]))


# Robust scaling


@pytest.mark.parametrize("n", [1, 5, 9, 101])  # where no quantile lies between two values
def test_median_and_scale_are_those_of_robust_scaler(n):
    values = np.random.default_rng(n).normal(3.0, 10.0, (n, 3))
    scaler = RobustScaler().fit(values)
    median, scale = median_and_scale(values, np.ones(n))
    assert_allclose(median, scaler.center_, rtol=1e-12)
    assert_allclose(scale, scaler.scale_, rtol=1e-12)


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(1, 5)), min_size=1, max_size=30),
    st.integers(0, 3),
)
def test_a_weight_is_a_repetition_in_the_quantiles(column, n_missing):
    values, counts = np.array([*column, *[(0, 3)] * n_missing], float).T
    values[len(column) :] = np.nan
    repeated = np.repeat(values, counts.astype(int))
    seen = repeated[~np.isnan(repeated)]

    def quantile(q):
        return np.quantile(seen, q, method="inverted_cdf")

    ranges = [quantile(1 - q) - quantile(q) for q in (0.25, 0.1, 0.05, 0.01, 0)]
    expected = quantile(0.5), next((width for width in ranges if width), 1.0)
    weighted = median_and_scale(values[:, None], counts)
    assert_array_equal(np.ravel(weighted), expected)
    copied = median_and_scale(repeated[:, None], np.ones(len(repeated)))
    assert_array_equal(copied, weighted)
    eighths = median_and_scale(values[:, None], counts / 8)  # only ratios matter
    assert_array_equal(eighths, weighted)


def test_where_the_quartiles_are_equal_a_wider_range_is_the_scale():
    spikes = np.zeros((1000, 5))
    spikes[::5, 0] = 8.0  # 80 % zeros
    spikes[::5, 1] = np.arange(200)
    spikes[::20, 2] = -6.0
    spikes[3, 3] = 1e9
    median, scale = median_and_scale(spikes, np.ones(1000))
    assert_array_equal(median, 0)
    assert scale[0] == 8
    assert 90 <= scale[1] <= 110
    assert_array_equal(scale[2:], [6, 1e9, 1])
    scaled = scale_values(spikes, median, scale, np.float32, clip=True)
    assert (np.abs(scaled) < 3).all()
    assert scaled[:, 1].std() > 0.3


def test_median_and_scale_do_not_depend_on_few_outliers():
    clean = np.random.default_rng(0).normal(size=(1000, 1))
    spoiled = clean.copy()
    spoiled[::100] = 1e300
    a, b = median_and_scale(clean, np.ones(1000)), median_and_scale(spoiled, np.ones(1000))
    assert_allclose(a, b, atol=0.1)


def test_the_clip_is_smooth_odd_and_bounded():
    z = np.concatenate([np.linspace(-1e3, 1e3, 20001), [-1e300, 1e300]])[:, None]
    clipped = scale_values(z, [0.0], [1.0], np.float64, clip=True)
    assert_allclose(clipped[:-2], z[:-2] / np.sqrt(1 + (z[:-2] / 3) ** 2), rtol=1e-12)
    assert_array_equal(clipped[-2:, 0], [-3.0, 3.0])
    assert (np.diff(clipped[:-2, 0]) > 0).all()
    near_zero = np.abs(z) < 0.1
    assert_allclose(clipped[near_zero], z[near_zero], rtol=1e-3)
    as_floats = scale_values(z, [0.0], [1.0], np.float32, clip=True)
    assert as_floats.dtype == np.float32
    assert_allclose(as_floats, clipped, rtol=1e-6)
    assert_array_equal(scale_values(z * np.nan, [0.0], [1.0], np.float64, clip=True), np.nan)


def test_the_clip_in_place_is_the_same():
    values = np.random.default_rng(0).standard_t(1, (50, 3)).astype(np.float32)
    expected = scale_values(values, 0.5, 2.0, np.float32, clip=True)
    scaled = scale_values(values, 0.5, 2.0, np.float32, clip=True, in_place=True)
    assert scaled is values
    assert_array_equal(scaled, expected)


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_an_outlier_whose_multiple_of_the_scale_overflows_is_clipped(value):
    values = 1e-9 * np.arange(100.0)[:, None]
    values[3] = value
    median, scale = median_and_scale(values, np.ones(100))
    scaled = scale_values(values, median, scale, np.float32, clip=True)
    assert_allclose(scaled[3], 3 * np.sign(value))


def test_a_range_that_overflows_is_refused():
    values = 1.7e308 * np.where(np.arange(101) % 2, 1.0, -1.0)[:, None]  # a range of 3.4e308
    with pytest.raises(ValueError, match="range of feature 0 of X overflows: expected values"):
        median_and_scale(values, np.ones(101))


def test_a_scaled_value_that_overflows_is_clipped():
    values = np.array([[1e300], [-1e300]])
    assert_array_equal(scale_values(values, 0.0, 1e-12, np.float32, clip=True), [[3], [-3]])


def test_values_too_large_for_the_type_that_is_computed():
    X, y = rectangle(40)
    X[3, 2, 0] = 1e39
    with pytest.raises(ValueError, match=r'too large for float32 .* or dtype="float64"'):
        small(GRUClassifier, scaling=None).fit(X, y)
    small(GRUClassifier, scaling=None, dtype="float64").fit(X, y)


@pytest.mark.parametrize("magnitude", [1e156, 1e200])
def test_values_whose_variance_overflows(magnitude):
    X, y = rectangle()
    with pytest.raises(ValueError, match="variance of X overflows: expected values below about"):
        small(GRUClassifier, dtype="float64").fit(magnitude * X, y)
    with pytest.raises(ValueError, match="variance of y overflows: expected values below about"):
        small(GRURegressor, dtype="float64").fit(X, magnitude * X[:, 0, 0])
