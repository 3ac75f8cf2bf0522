"""Persistence, the seasonal naive forecast, and ridge regression on windows."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as PlainRidge

from skgru._forecasting import members
from skgru._forecasting.members import (
    Fold,
    Ridge,
    choose_ridge,
    choose_short_ridge,
    mean_squared_error,
    persistence,
    seasonal_naive,
)
from skgru._forecasting.relative import Rule
from skgru._forecasting.window import Shape, Source, cut

SHAPE = Shape(window=16, horizon=3, season=4)
CHANGES, LEVELS = Rule(1, False, False, False), Rule(1, True, False, True)


def make_windows(values, shape=SHAPE, n_ahead=0):
    n = len(values)
    draws = np.random.default_rng(5).normal
    source = Source(
        np.asarray(values, dtype=float),
        draws(size=(n + n_ahead, 1)),
        draws(size=(n + n_ahead, 1)),
        draws(size=(n + n_ahead, 2)),
        np.array([1.0]),
    )
    return cut([source], [np.arange(shape.window - 1, n - shape.horizon)], shape)


VALUES = 5 + np.cumsum(np.random.default_rng(0).normal(size=150))


def test_naive_forecasts():
    values = VALUES.copy()
    values[[40, 60]] = np.nan
    windows = make_windows(values)
    last, ago = persistence(windows), seasonal_naive(windows)
    for i, end in enumerate(windows.origins):
        before = values[: end + 1]
        expected = before[~np.isnan(before)][-1]
        assert (last[i] == expected).all()
        for h in range(3):
            value = values[end + h - 3]
            assert ago[i, h] == (expected if np.isnan(value) else value)


@pytest.mark.parametrize("penalty", [1e-3, 1.0])
def test_ridge_is_that_of_scikit_learn_on_standardized_windows(penalty):
    windows = make_windows(VALUES)
    forecast = Ridge(CHANGES, 4, 16, penalty).fit(windows).predict(windows)
    last = windows.history[:, -1:]
    parts = [windows.history - last, windows.covariates[:, :, 0], windows.calendar]
    features = np.concatenate([*parts, windows.known.reshape(len(last), -1)], axis=1)
    scale = features.std(axis=0)
    scale[scale < 1e-9] = np.inf
    standardized = (features - features.mean(axis=0)) / scale
    plain = PlainRidge(alpha=penalty * len(last)).fit(standardized, windows.ahead - last)
    np.testing.assert_allclose(forecast, last + plain.predict(standardized), rtol=1e-6)


@pytest.mark.parametrize("rule", [CHANGES, LEVELS, Rule(4, True, True, True)])
@pytest.mark.parametrize("n_steps", [16, 2])
def test_forecasts_along_the_path_are_those_of_fits(rule, n_steps):
    windows = make_windows(np.exp(VALUES / 20))
    earlier, later = windows.take(slice(80)), windows.take(slice(90, None))
    path = list(Ridge(rule, 4, n_steps, 1.0).path(earlier, later))
    for k in (5, 12, 20):
        ridge = Ridge(rule, 4, n_steps, float(members._PENALTIES[k])).fit(earlier)
        np.testing.assert_allclose(path[k], ridge.predict(later), rtol=1e-6)


def test_a_forecast_reads_nothing_of_what_it_forecasts():
    windows = make_windows(VALUES)
    ridge = Ridge(LEVELS, 4, 16, 0.1).fit(windows.take(slice(60)))
    later = windows.take(slice(90, None))
    planted = later._replace(ahead=np.full_like(later.ahead, 1e9))
    np.testing.assert_array_equal(ridge.predict(later), ridge.predict(planted))
    assert np.isfinite(Ridge(LEVELS, 4, 16, 0.1).fit(windows).coef_).all()


def test_a_short_ridge_reads_the_last_steps_and_what_was_a_season_before():
    # Nothing but the season tells what follows.
    pattern = np.random.default_rng(1).normal(size=8)
    values = np.tile(pattern, 20) + 0.01 * np.random.default_rng(2).normal(size=160)
    shape = Shape(16, 3, 8)
    windows = make_windows(values, shape)
    folds = [Fold(np.arange(80), np.arange(90, 140))]
    rules = [Rule(1, True, False, False), CHANGES]
    ((errors, ridge),) = choose_short_ridge(windows, folds, rules, 8)
    assert ridge.rule == CHANGES
    assert ridge.n_steps == 2
    assert errors[0] < 1e-3
    assert ridge.fit(windows).predict(windows).shape == (len(windows.history), 3)
    assert choose_short_ridge(make_windows(values, Shape(2, 3, 8)), folds, rules, 8) == []


def test_the_penalty_is_the_one_of_least_error_on_later_windows():
    windows = make_windows(VALUES)
    folds = [Fold(np.arange(30), np.arange(33, 53)), Fold(np.arange(90), np.arange(93, 118))]
    ((errors, ridge),) = choose_ridge(windows, folds, [CHANGES], 4)
    table = np.array(
        [
            [
                mean_squared_error(
                    Ridge(CHANGES, 4, 16, penalty)
                    .fit(windows.take(fold.earlier))
                    .predict(windows.take(fold.later)),
                    windows.take(fold.later).ahead,
                )
                for penalty in members._PENALTIES
            ]
            for fold in folds
        ]
    )
    best = int(np.argmin(np.log(table[0]) + 2 * np.log(table[1])))
    assert best != int(np.argmin(np.log(table).sum(axis=0)))  # the later fold counts twice
    assert ridge.penalty == members._PENALTIES[best]
    np.testing.assert_allclose(errors, table[:, best], rtol=1e-6)


def test_errors_are_those_of_known_values():
    truth = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert mean_squared_error(np.zeros((2, 2)), truth) == pytest.approx(26 / 3)


def test_missing_values_leave_fits_finite():
    values = VALUES.copy()
    values[np.random.default_rng(3).choice(150, 30, replace=False)] = np.nan
    windows = make_windows(values)
    assert np.isfinite(Ridge(LEVELS, 4, 16, 0.1).fit(windows).predict(windows)).all()
