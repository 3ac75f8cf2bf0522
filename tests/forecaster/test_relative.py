"""Windows relative to themselves, and back."""

import numpy as np
import pytest

from skgru._forecasting.relative import Rule, least_deviation, limits_of, relative
from skgru._forecasting.window import Shape, Source, cut

EMPTY = np.zeros((60, 0))


def make_windows(values):
    source = Source(np.asarray(values, dtype=float), EMPTY, EMPTY, EMPTY, np.zeros(0))
    return cut([source], [np.arange(5, len(values) - 3)], Shape(6, 3, 1))


VALUES = np.exp(np.cumsum(np.random.default_rng(0).normal(size=50) / 5)) + 1


@pytest.mark.parametrize("base_steps", [0, 1, 4])
@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("is_log", [False, True])
def test_the_formula(base_steps, is_scaled, is_log):
    windows = make_windows(VALUES)
    rule = Rule(base_steps, is_scaled, is_log, False)
    least = least_deviation(windows, rule)
    rel = relative(windows, rule, least)
    ahead = rel.of(windows.ahead)
    typical = np.sqrt(np.mean([np.var(np.log(h) if is_log else h) for h in windows.history]))
    assert least == pytest.approx(0.1 * typical)
    for i, (history, future) in enumerate(zip(windows.history, windows.ahead, strict=True)):
        h, f = (np.log(history), np.log(future)) if is_log else (history, future)
        base = np.mean(h[-base_steps:]) if base_steps else 0.0
        scale = np.sqrt(np.var(h) + least**2) if is_scaled else 1.0
        np.testing.assert_allclose(rel.values[i], (h - base) / scale)
        np.testing.assert_allclose(ahead[i], (f - base) / scale)
        unit = scale * (np.exp(base) if is_log else 1)
        assert rel.unit[i, 0] == pytest.approx(unit)
        deviation = np.sqrt(np.var(h) + least**2)
        assert rel.width[i, 0] == pytest.approx(unit if is_log else deviation)
    np.testing.assert_allclose(rel.absolute(ahead), windows.ahead)


def test_values_out_of_all_proportion_are_read_as_large():
    values = VALUES.copy()
    values[20] = -1e50
    windows = make_windows(values)
    rel = relative(windows, Rule(1, False, False, False), 0.1)
    assert np.abs(rel.values).max() == 1e15
    # What is read is limited, what is forecast is not.
    np.testing.assert_allclose(rel.absolute(rel.of(windows.ahead)), windows.ahead, atol=1e38)


def test_level_and_unit_of_a_series_do_not_matter():
    rule = Rule(1, True, False, False)
    one, other = make_windows(VALUES), make_windows(1e4 + 300 * VALUES)
    values = [relative(w, rule, least_deviation(w, rule)).values for w in (one, other)]
    np.testing.assert_allclose(*values, atol=1e-9)


def test_flat_windows_stay_finite():
    windows = make_windows(np.full(50, 3.0))
    for is_log in (False, True):
        rule = Rule(1, True, is_log, True)
        rel = relative(windows, rule, least_deviation(windows, rule))
        np.testing.assert_array_equal(rel.values, 0)
        np.testing.assert_allclose(rel.absolute(rel.of(windows.ahead)), 3)


def test_missing_steps_are_filled_and_a_far_logarithm_stays_finite():
    values = VALUES.copy()
    values[[5, 20, 21]] = np.nan
    rel = relative(make_windows(values), Rule(1, True, True, False), 0.1)
    assert np.isfinite(rel.values).all()
    assert np.isfinite(rel.absolute(np.full((len(rel.values), 3), 1e9))).all()


def test_limits_leave_room_beyond_the_range_but_not_for_an_outlier():
    values = np.column_stack([np.linspace(0, 1, 200), np.zeros(200), np.arange(200.0) > 197])
    values[100, :2] = 1e9
    (low, zero, no), (high, most, yes) = limits_of(values)
    # Most of the first column lies in (0.01, 0.99), give or take.
    assert -10 < low < -9
    assert 10 < high < 11
    assert (zero, most) == (-0.5e9, 1.5e9)  # nothing tells how far the others may be
    assert (no, yes) == (-0.5, 1.5)


def test_an_outlier_is_not_what_windows_deviate_by():
    values = VALUES.copy()
    expected = least_deviation(make_windows(values), Rule(1, True, False, False))
    values[20] = 1e9
    least = least_deviation(make_windows(values), Rule(1, True, False, False))
    assert least < 20 * expected
