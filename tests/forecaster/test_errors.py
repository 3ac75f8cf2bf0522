"""Errors of forecasts, against plain formulas and scikit-learn's metrics."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error

from skgru._forecasting.errors import (
    Band,
    errors_by_group,
    mean_by_group,
    pinball_loss,
    seasonal_scale,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("season", [1, 4])
def test_the_scale_is_the_error_of_the_seasonal_naive_forecast(season):
    values = RNG.normal(size=30)
    values[[7, 20]] = np.nan
    errors = [abs(values[t] - values[t - season]) for t in range(season, 30)]
    expected = np.mean([error for error in errors if not np.isnan(error)])
    assert seasonal_scale(values, season) == pytest.approx(expected)


@pytest.mark.parametrize("values", [np.tile([1.0, 2.0, 3.0], 5), np.arange(3.0), np.empty(0)])
def test_there_is_no_scale_where_it_would_be_zero_or_of_no_values(values):
    assert np.isnan(seasonal_scale(values, 3))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95])
def test_the_mean_pinball_loss_is_that_of_sklearn(level):
    truth, quantile = RNG.normal(size=(2, 50))
    expected = mean_pinball_loss(truth, quantile, alpha=level)
    assert pinball_loss(truth, quantile, level).mean() == pytest.approx(expected)


def test_means_leave_missing_values_out():
    means = mean_by_group(np.array([1, np.nan, 3, np.nan, 5]), np.array([0, 0, 0, 1, 3]), 4)
    np.testing.assert_array_equal(means, [2, np.nan, np.nan, 5])


def test_the_errors_of_groups_are_those_of_sklearn():
    n, coverage = 200, 0.8
    truth, forecast = RNG.normal(size=(2, n))
    scale = RNG.uniform(1, 2, n)
    lower, upper = forecast - RNG.uniform(0, 2, n), forecast + RNG.uniform(0, 2, n)
    truth[::7] = np.nan
    scale[::5] = np.nan
    groups = RNG.integers(3, size=n)
    errors = errors_by_group(truth, forecast, scale, Band(lower, upper, coverage), groups, 4)
    assert all(np.isnan(column[3]) for column in errors.values())  # which has no forecasts
    for group in range(3):
        of = (groups == group) & ~np.isnan(truth)
        y, f = truth[of], forecast[of]
        scaled = of & ~np.isnan(scale)
        expected = {
            "MAE": mean_absolute_error(y, f),
            "RMSE": root_mean_squared_error(y, f),
            "MASE": np.mean(np.abs(truth - forecast)[scaled] / scale[scaled]),
            "pinball": (
                mean_pinball_loss(y, lower[of], alpha=0.1)
                + mean_pinball_loss(y, upper[of], alpha=0.9)
            )
            / 2,
            "coverage": np.mean((lower[of] <= y) & (y <= upper[of])),
            "width": np.mean(upper[of] - lower[of]),
        }
        assert list(errors) == list(expected)
        assert {name: column[group] for name, column in errors.items()} == pytest.approx(expected)


def test_without_bands_their_errors_are_missing():
    zeros = np.zeros(2)
    errors = errors_by_group(zeros, zeros + 1, zeros + 2, None, np.zeros(2, int), 1)
    assert errors["MASE"] == [0.5]
    assert all(np.isnan(errors[name]) for name in ("pinball", "coverage", "width"))
