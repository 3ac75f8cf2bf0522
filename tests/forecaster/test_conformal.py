"""Bands by the errors of forecasts for later windows."""

import numpy as np
import pytest

from skgru._forecasting.conformal import calibrate
from skgru._forecasting.networks import Forecast
from skgru._forecasting.window import Shape, Source, cut

EMPTY = np.zeros((2_000, 0))


def make_held_out(values, owners=(0,), width=1.0):
    """Return windows of the values of each owner, and forecasts of zero."""
    sources = [Source(np.asarray(values), EMPTY, EMPTY, EMPTY, np.zeros(0)) for _ in owners]
    windows = cut(sources, [np.arange(len(values) - 2)] * len(owners), Shape(1, 2, 1))
    center = np.zeros_like(windows.ahead)
    return windows, Forecast(center, center + width, center + width)


def test_quantiles_are_the_errors_of_their_rank():
    values = np.random.default_rng(0).normal(size=51)
    windows, forecast = make_held_out(values)
    calibration = calibrate([(windows, forecast)])
    errors = np.sort(windows.ahead, axis=0)  # 49 of each step: ranks are 50 times the level
    for level, place in ((0.11, 4), (0.89, 44), (0.02, 0), (0.98, 48), (0.001, 0), (0.999, 48)):
        bound = calibration.quantile(forecast, windows.owners, level, 2)
        np.testing.assert_allclose(bound[7], errors[place])
    np.testing.assert_array_equal(calibration.quantile(forecast, windows.owners, 0.5, 2), 0)


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_bands_cover_what_they_promise(coverage):
    draws = np.random.default_rng(1).gamma(1.0, size=4_000)
    calibration = calibrate([make_held_out(draws[:2_000])])
    windows, forecast = make_held_out(draws[2_000:])
    low, high = (
        calibration.quantile(forecast, windows.owners, level, 2)
        for level in ((1 - coverage) / 2, (1 + coverage) / 2)
    )
    inside = np.mean((windows.ahead >= low) & (windows.ahead <= high))
    assert inside == pytest.approx(coverage, abs=0.03)


def test_bands_are_as_wide_as_the_forecast_says():
    windows, forecast = make_held_out(np.random.default_rng(0).normal(size=60), width=4.0)
    calibration = calibrate([(windows, forecast)])
    wide = forecast._replace(above=3 * forecast.above)
    for level, ratio in ((0.9, 3.0), (0.1, 1.0)):
        one, other = (calibration.quantile(f, windows.owners, level, 2) for f in (forecast, wide))
        np.testing.assert_allclose(other, ratio * one)


def test_a_source_that_errs_more_has_wider_bands():
    draws = np.random.default_rng(0).normal(size=400)
    small, large = make_held_out(draws), make_held_out(5 * draws)
    large = (large[0]._replace(owners=large[0].owners + 1), large[1])
    calibration = calibrate([small, large])
    n, share = 398, np.array([1, 25]) / 13
    for owner in (0, 1):
        expected = np.sqrt((n * share[owner] + 30) / (n + 30))
        assert calibration.factors[owner] == pytest.approx(expected, rel=1e-6)
    # A source that was not seen has the mean's.
    new = calibration.quantile(small[1], np.full(398, 9), 0.9, 2)
    old = calibration.quantile(small[1], small[0].owners, 0.9, 2)
    np.testing.assert_allclose(old, calibration.factors[0] * new)


def test_missing_values_are_no_errors_and_steps_beyond_are_as_the_last():
    values = np.random.default_rng(0).normal(size=80)
    holes = values.copy()
    holes[::7] = np.nan
    windows, forecast = make_held_out(holes)
    calibration = calibrate([(windows, forecast)])
    errors = np.sort(windows.ahead[:, 1][~np.isnan(windows.ahead[:, 1])])
    far = Forecast(*(np.ones((1, 5)) * part[:1, :1] for part in forecast))
    bound = calibration.quantile(far, np.array([0]), 0.9, 5)
    place = int(np.ceil(0.9 * (len(errors) + 1))) - 1
    np.testing.assert_allclose(bound[0, 1:], errors[place])


def test_few_errors_are_no_calibration():
    assert calibrate([]) is None
    assert calibrate([make_held_out(np.arange(21.0))]) is None
    assert calibrate([make_held_out(np.arange(22.0))]) is not None
