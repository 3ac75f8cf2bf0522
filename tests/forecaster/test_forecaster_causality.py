"""A forecast knows nothing of what comes after its origin, and feeds itself back."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.forecaster.cheap import HORIZON, WINDOW, cheap, days, numbers, wave

N = 60
Y = wave(N)
COVARIATES = np.random.default_rng(3).normal(size=(N + 9, 2))
CHANGED = np.where(np.arange(N) < 40, Y, 1e3)


@pytest.fixture(scope="module")
def plain():
    return cheap().fit(Y)


def test_fewer_steps_are_the_first_of_all(plain):
    assert_array_equal(plain.predict(1), plain.predict()[:1])
    assert_array_equal(plain.predict(7)[:2], plain.predict(2))


@pytest.mark.parametrize("parameters", [{}, {"season": None}, {"season": 8}, {"season": 20}])
def test_beyond_the_horizon_forecasts_are_fed_back(parameters):
    forecaster = cheap(**parameters).fit(Y)
    longer = Y
    for _ in range(3):
        longer = np.concatenate([longer, forecaster.predict(y=longer)])
    assert_allclose(forecaster.predict(8), longer[N : N + 8], rtol=1e-12)


def test_dates_and_known_covariates_are_fed_forward():
    index = days(N + 9)
    y, X = pd.Series(Y, index[:N]), pd.DataFrame(COVARIATES, index, columns=["price", "wind"])
    forecaster = cheap(known="price").fit(y, X[:N])
    forecast = forecaster.predict(9, X=X[["price"]][N:])
    longer, beside = y, X.copy()
    beside.loc[index[N:], "wind"] = np.nan
    for k in range(3):
        n_known = N + HORIZON * (k + 1)
        longer = pd.concat([longer, forecaster.predict(y=longer, X=beside[:n_known])])
    assert_allclose(forecast, longer[N:], rtol=1e-9)


def test_what_is_not_known_is_not_peeked_at_beyond_the_horizon():
    """X may hold all columns for the future, of which `known` says what is read."""
    index = days(N + 9)
    y, X = pd.Series(Y, index[:N]), pd.DataFrame(COVARIATES, index, columns=["price", "wind"])
    forecaster = cheap(known="price").fit(y, X)
    expected = forecaster.predict(9)
    changed = X.copy()
    changed.loc[index[N:], "wind"] = 1e3
    assert_array_equal(forecaster.predict(9, X=changed), expected)
    assert_array_equal(cheap(known="price").fit(y, changed).predict(9), expected)
    assert_allclose(forecaster.predict(9, y=y, X=changed), expected, rtol=1e-12)


@pytest.mark.parametrize("t", [WINDOW, 25, 40])
def test_what_comes_later_does_not_change_forecasts(plain, t):
    assert_array_equal(plain.predict(5, y=CHANGED[:t]), plain.predict(5, y=Y[:t]))


def test_the_window_alone_is_read():
    forecaster = cheap(season=None).fit(Y)
    far = Y.copy()
    far[: N - WINDOW] = 77.0
    assert_array_equal(forecaster.predict(y=far), forecaster.predict())
    far[N - WINDOW] += 1
    assert (forecaster.predict(y=far) != forecaster.predict()).all()


def test_forecasts_of_the_past_are_those_that_a_score_sees():
    """Each step before what is known is an origin, with what was known there."""
    forecaster = cheap(horizon=1).fit(Y[:40])
    found = [forecaster.predict(y=Y[:t])[0] for t in range(40, N)]
    errors = Y[40:] - found
    expected = 1 - np.mean(errors**2) / np.var(Y[40:])
    assert forecaster.score(Y[40:]) == pytest.approx(expected)


def test_a_score_takes_all_steps_ahead_that_are_known():
    forecaster = cheap().fit(Y[:40])
    y = Y[40:45]
    found = [forecaster.predict(y=Y[:t]) for t in range(40, 45)]
    truth = np.concatenate([y[i : i + HORIZON] for i in range(5)])
    forecasts = np.concatenate([part[: 5 - i] for i, part in enumerate(found)])
    # R² over the steps ahead, of which the last origins know fewer.
    expected = 1 - np.sum((truth - forecasts) ** 2) / np.sum((truth - truth.mean()) ** 2)
    assert forecaster.score(y) == pytest.approx(expected)


def test_scores_of_a_panel_are_those_of_its_series():
    frame = pd.DataFrame({"a": Y, "b": 100 * wave(N, 1)}, days(N))
    forecaster = cheap().fit(frame[:40])
    assert forecaster.score(frame[40:]) > 0.5
    shifted = frame[40:].assign(b=frame["b"][40:] + 1e4)
    assert forecaster.score(shifted) < forecaster.score(frame[40:])


def test_what_is_scored_follows_the_series():
    y = pd.Series(Y, days(N))
    forecaster = cheap().fit(y[:40])
    with pytest.raises(ValueError, match="got 5 steps of theirs"):
        forecaster.score(y[35:50])
    with_missing = y[40:].where(np.arange(N - 40) >= 4)
    assert forecaster.score(y[44:]) == forecaster.score(with_missing)
    with pytest.raises(ValueError, match="at least two known values"):
        forecaster.score(y[40:] * np.nan)


def test_units_and_rules_are_learned_from_what_was_known():
    """A forecaster for y[:40] is the same whatever comes after."""
    assert_array_equal(cheap().fit(Y[:40]).predict(), cheap().fit(CHANGED[:40]).predict())


def test_bands_of_the_past_are_those_of_then():
    frame = pd.DataFrame({"a": Y, "b": 3 * wave(N, 2)})
    forecaster = cheap().fit(frame)
    changed = frame.copy()
    changed[40:] = 1e3
    bands = [numbers(forecaster.predict_interval(5, y=of[:40])) for of in (frame, changed)]
    assert_array_equal(*bands)
