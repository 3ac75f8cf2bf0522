"""GRURegressor as the regressor inside libraries that forecast with a table of lags.

They need the extra `forecasting` and run only when they are named: `pytest tests/forecasting`.
"""

import numpy as np
import pandas as pd
import pytest

from skgru import GRURegressor

N_LAGS, N_AHEAD = 12, 6


def network():
    return GRURegressor(
        hidden_layer_sizes=16,
        max_iter=60,
        learning_rate="cosine",
        learning_rate_init=0.01,
        random_state=0,
    )


@pytest.fixture
def series():
    """A wave on a level far from zero, by the hour."""
    steps = np.arange(240)
    values = 500 + 20 * np.sin(2 * np.pi * steps / 12)
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=240, freq="h"), name="y")


def check(forecast, truth):
    """Check that the forecast is nearer to the truth than the wave is high."""
    assert np.shape(forecast) == (N_AHEAD,)
    assert np.sqrt(np.mean(np.square(np.asarray(forecast) - np.asarray(truth)))) < 4


# sktime announces a change of its own default each time that a forecaster is fitted.
@pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")
@pytest.mark.parametrize("strategy", ["recursive", "direct", "multioutput"])
def test_sktime(series, strategy):
    from sktime.forecasting.compose import make_reduction

    forecaster = make_reduction(network(), window_length=N_LAGS, strategy=strategy)
    ahead = np.arange(1, N_AHEAD + 1)
    forecaster.fit(series[:-N_AHEAD], fh=ahead)
    check(forecaster.predict(), series[-N_AHEAD:])


def test_skforecast(series):
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(network(), lags=N_LAGS)
    forecaster.fit(series[:-N_AHEAD])
    check(forecaster.predict(N_AHEAD), series[-N_AHEAD:])


def test_mlforecast(series):
    from mlforecast import MLForecast

    table = pd.DataFrame({"unique_id": "wave", "ds": series.index, "y": series.to_numpy()})
    # The oldest lag first, since a network reads the columns in order.
    forecaster = MLForecast({"gru": network()}, freq="h", lags=range(N_LAGS, 0, -1))
    forecaster.fit(table[:-N_AHEAD])
    check(forecaster.predict(N_AHEAD)["gru"], series[-N_AHEAD:])
