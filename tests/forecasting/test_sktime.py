"""GRUForecaster as a forecaster of sktime."""

import numpy as np
import pandas as pd
import pytest

from skgru import GRUForecaster
from skgru.sktime import SktimeForecaster

# sktime announces changes of its own.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning:sktime")

SMALL = {"hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    months = pd.period_range("2015-01", periods=70, freq="M")
    price = rng.normal(size=70)
    y = 50 + np.arange(70) + 5 * price + rng.normal(0, 0.1, 70)
    return pd.DataFrame({"y": y, "price": price}, months)


@pytest.mark.filterwarnings("ignore")
def test_it_passes_the_checks_of_sktime():
    from sktime.utils.estimator_checks import check_estimator

    results = check_estimator(SktimeForecaster, raise_exceptions=True, verbose=False)
    assert len(results) > 500
    assert set(results.values()) == {"PASSED"}


def test_it_forecasts_as_the_forecaster_inside(frame):
    from sktime.forecasting.base import ForecastingHorizon

    inside = GRUForecaster(window=12, horizon=6, known="price", **SMALL)
    expected = inside.fit(frame["y"][:60], frame[["price"]]).predict(10)
    outside = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL))
    outside.fit(frame["y"][:60], frame[["price"]][:60])
    horizon = ForecastingHorizon(frame.index[60:], is_relative=False)
    found = outside.predict(horizon, X=frame[["price"]][60:])
    pd.testing.assert_series_equal(found, expected, check_freq=False)


def test_steps_may_be_left_out_of_what_is_asked(frame):
    forecaster = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL))
    forecaster.fit(frame["y"][:60])
    every = forecaster.predict(range(1, 9))
    some = forecaster.predict([2, 5, 8])
    pd.testing.assert_series_equal(some, every.iloc[[1, 4, 7]], check_freq=False)


@pytest.mark.parametrize("kind", ["periods", "dates", "numbers"])
def test_the_rows_of_covariates_are_told_by_their_index(frame, kind):
    index = {"periods": frame.index, "dates": frame.index.to_timestamp(), "numbers": range(5, 75)}
    frame.index = pd.Index(index[kind])
    y, X = frame["y"], frame[["price"]]
    forecaster = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL)).fit(y[:60], X[:60])
    expected = forecaster.predict([1, 5, 6], X=X[60:66])
    for rows in (slice(60, 70), slice(None)):
        found = forecaster.predict([1, 5, 6], X=X[rows])
        pd.testing.assert_series_equal(found, expected)
