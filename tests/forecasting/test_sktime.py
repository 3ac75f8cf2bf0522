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


@pytest.fixture
def beside(frame):
    """A forecaster that was fitted with two covariates, and their values of all months."""
    x = frame[["price"]].assign(count=np.arange(70.0))
    forecaster = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL))
    return forecaster.fit(frame["y"][:60], x[:60]), x


def test_rows_and_columns_of_x_are_known_by_their_names(beside):
    forecaster, x = beside
    expected = forecaster.predict([1, 2, 4], X=x[60:64])
    for given in (x[60:64][["count", "price"]], x, x[58:], x[60:].assign(more=1.0)):
        pd.testing.assert_series_equal(forecaster.predict([1, 2, 4], X=given), expected)


def test_x_that_lacks_rows_or_columns(beside):
    forecaster, x = beside
    with pytest.raises(ValueError, match="steps of the horizon, got none for 2020-03"):
        forecaster.predict([1, 3], X=x[60:62])
    with pytest.raises(ValueError, match="got none for 2020-01"):
        forecaster.predict([1, 3], X=x[:60])
    with pytest.raises(ValueError, match=r"\['price', 'count'\] in X, as in fit, got \['price'\]"):
        forecaster.predict([1, 3], X=x[["price"]])
    alone = SktimeForecaster(forecaster.forecaster).fit(x["price"][:60])
    with pytest.raises(ValueError, match="Expected no X"):
        alone.predict([1], X=x[60:])


def test_arrays_are_counted(frame):
    forecaster = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL))
    y, x = frame["y"].to_numpy(), frame[["price"]].to_numpy()
    forecaster.fit(y[:60], x[:60])
    every = forecaster.predict([1, 2, 3], X=x[60:63])
    np.testing.assert_array_equal(forecaster.predict([1, 2, 3], X=x[60:]), every)
    expected = GRUForecaster(window=12, horizon=6, known=0, **SMALL).fit(y[:60], x[:60])
    np.testing.assert_array_equal(every[:, 0], expected.predict(3, X=x[60:63]))


def test_what_was_observed_since_is_read(frame):
    y, x = frame["y"], frame[["price"]]
    inside = GRUForecaster(window=12, horizon=6, known="price", **SMALL).fit(y[:50], x[:50])
    outside = SktimeForecaster(GRUForecaster(window=12, horizon=6, **SMALL)).fit(y[:50], x[:50])
    outside.update(y[48:60], x[48:60], update_params=False)
    expected = inside.predict(3, y=y[:60], X=x[:63])
    found = outside.predict([1, 2, 3], X=x[60:])
    pd.testing.assert_series_equal(found, expected, check_freq=False)
    outside.update(y[60:64], x[60:64])  # and fitted to
    expected = GRUForecaster(window=12, horizon=6, known="price", **SMALL).fit(y[:64], x[:64])
    found = outside.predict([1, 2], X=x[64:])
    pd.testing.assert_series_equal(found, expected.predict(2, X=x[64:66]), check_freq=False)


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
