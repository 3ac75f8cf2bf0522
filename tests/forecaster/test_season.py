"""The season of series, and none where there is none."""

import numpy as np
import pytest

from skgru._forecasting.season import find_season

STEPS = np.arange(240)


def seasonal(season, noise=0.3, seed=0):
    draws = np.random.default_rng(seed).normal(size=len(STEPS))
    return np.sin(2 * np.pi * STEPS / season) + noise * draws


@pytest.mark.parametrize("season", [7, 12, 24])
def test_a_season_is_found_beside_trend_and_noise(season):
    assert find_season([seasonal(season) + 0.05 * STEPS]) == season


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_random_walks_have_none(seed):
    noise = np.random.default_rng(seed).normal(size=300)
    assert find_season([noise]) == 1
    assert find_season([np.cumsum(noise)]) == 1


@pytest.mark.parametrize("values", [[], [2.0], [1.0] * 60, np.arange(60.0), [np.nan] * 30])
def test_what_cannot_tell_a_season_has_none(values):
    assert find_season([np.asarray(values, dtype=float)]) == 1


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e300])
def test_the_size_of_values_tells_nothing(size):
    assert find_season([seasonal(12) * size]) == 12


def test_missing_values_lie_between_their_neighbours():
    values = seasonal(12, noise=0.1)
    values[np.random.default_rng(1).choice(240, 50, replace=False)] = np.nan
    assert find_season([values]) == 12


def test_the_season_of_most_series_is_that_of_all():
    assert find_season([seasonal(12, seed=i) for i in range(4)] + [seasonal(7)]) == 12
    walks = [np.cumsum(np.random.default_rng(i).normal(size=240)) for i in range(9)]
    assert find_season([*walks, seasonal(12)]) == 1


def test_of_a_season_of_the_calendar_less_is_asked():
    weak = seasonal(12, noise=1.1, seed=3)
    assert find_season([weak]) == 1
    assert find_season([weak], of_calendar=[12]) == 12
    noise = np.random.default_rng(2).normal(size=240)
    assert find_season([noise], of_calendar=[12]) == 1


def test_an_outlier_hides_no_season():
    values = np.sin(np.pi * np.arange(240) / 6) + np.random.default_rng(0).normal(size=240) / 9
    assert find_season([values]) == 12
    values[100] = 1e6
    assert find_season([values]) == 12
