"""The network as the regressor inside libraries that forecast with a table of lags.

They need the extra `forecasting` and run only when they are named: `pytest tests/forecasting`.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skgru import GRURegressor, LagSelector, MultimodalGRURegressor, SeriesBranch, TableBranch

N_LAGS, N_AHEAD = 12, 6
OLDEST_FIRST = range(N_LAGS, 0, -1)
# What the network reads of a table of lags, the newest first, and columns beside.
READ = [("lags", (*range(N_LAGS - 1, -1, -1),)), ("remainder", (N_LAGS,))]
SETTINGS = dict(max_iter=100, learning_rate_init=0.02, random_state=0)

# sktime announces a change of its own default each time that a forecaster is fitted.
SKTIME = pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")


def network(lags=None):
    """Return the one way that is right in every library."""
    branch = SeriesBranch(hidden_layer_sizes=16)
    return MultimodalGRURegressor(
        [("lags", branch, LagSelector(lags))],
        remainder=TableBranch(),
        hidden_layer_sizes=16,
        **SETTINGS,
    )


def flat():
    return GRURegressor(hidden_layer_sizes=16, **SETTINGS)


def columns_of(model):
    """Return the columns of each branch of a fitted network."""
    return [(name, columns) for name, _, columns in model.branches_]


HOURS = pd.date_range("2024-01-01", periods=240, freq="h")
WAVE = 20 * np.sin(2 * np.pi * np.arange(240) / 12)
OPEN = pd.DataFrame({"open": np.random.default_rng(0).integers(0, 2, 240)}, index=HOURS)
# A wave on a level far from zero; the same, but raised while a shop is open; and one that climbs.
PLAIN = pd.Series(500 + WAVE, index=HOURS, name="y")
RAISED = PLAIN + 30 * OPEN["open"]
CLIMBING = RAISED + 2 * np.arange(240)


def past(values):
    return values[:-N_AHEAD]


def future(values):
    return values[-N_AHEAD:]


def check(forecast, series, error=6):
    """Check that the forecast is nearer to the truth than the wave is high."""
    assert np.shape(forecast) == (N_AHEAD,)
    truth = np.asarray(future(series))
    assert np.sqrt(np.mean(np.square(np.asarray(forecast) - truth))) < error


# --- skforecast -----------------------------------------------------------------------------------


def test_skforecast():
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(network(N_LAGS), lags=N_LAGS)
    forecaster.fit(past(RAISED), exog=past(OPEN))
    assert columns_of(forecaster.estimator) == READ
    check(forecaster.predict(N_AHEAD, exog=future(OPEN)), RAISED)


def test_skforecast_without_other_columns():
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(network(N_LAGS), lags=N_LAGS)
    forecaster.fit(past(PLAIN))
    check(forecaster.predict(N_AHEAD), PLAIN)


def test_skforecast_of_what_drifts():
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(
        network([1, 2, 3, 12]),
        lags=[1, 2, 3, 12],
        window_features=RollingFeatures(["mean"], window_sizes=12),
        differentiation=1,
    )
    forecaster.fit(past(CLIMBING), exog=past(OPEN))
    assert columns_of(forecaster.estimator) == [("lags", (2, 1, 0)), ("remainder", (3, 4, 5))]
    check(forecaster.predict(N_AHEAD, exog=future(OPEN)), CLIMBING, 12)


def test_skforecast_direct():
    from skforecast.direct import ForecasterDirect

    forecaster = ForecasterDirect(network(N_LAGS), lags=N_LAGS, steps=N_AHEAD)
    forecaster.fit(past(RAISED), exog=past(OPEN))
    check(forecaster.predict(exog=future(OPEN)), RAISED)


def test_skforecast_of_many_series():
    from skforecast.recursive import ForecasterRecursiveMultiSeries

    series = {"a": PLAIN, "b": PLAIN + 10}
    forecaster = ForecasterRecursiveMultiSeries(network(N_LAGS), lags=N_LAGS, encoding="onehot")
    forecaster.fit({name: past(values) for name, values in series.items()})
    assert columns_of(forecaster.estimator)[0] == READ[0]
    forecast = forecaster.predict(N_AHEAD)
    for name in series:
        check(forecast.loc[forecast["level"] == name, "pred"], series[name])


def test_skforecast_of_several_series_that_tell_of_each_other():
    from skforecast.direct import ForecasterDirectMultiVariate

    series = pd.DataFrame({"a": PLAIN, "b": PLAIN.shift(-1, fill_value=500)})
    forecaster = ForecasterDirectMultiVariate(
        network({"a": N_LAGS, "b": N_LAGS}), level="a", lags=N_LAGS, steps=N_AHEAD
    )
    forecaster.fit(past(series))
    steps = [(N_LAGS - 1 - i, 2 * N_LAGS - 1 - i) for i in range(N_LAGS)]
    (first, *_) = forecaster.estimators_.values()
    assert columns_of(first)[0][1] == tuple(np.ravel(steps))
    check(forecaster.predict()["pred"], PLAIN)


def test_skforecast_is_no_place_for_the_network_of_one_sequence():
    from skforecast.recursive import ForecasterRecursive

    forecaster = ForecasterRecursive(flat(), lags=N_LAGS)
    with pytest.warns(UserWarning, match="columns 0 to 11 hold lags, the newest first"):
        forecaster.fit(past(PLAIN))
    with pytest.warns(UserWarning, match="columns 0 to 11 hold lags, the newest first"):
        forecaster.fit(past(RAISED), exog=past(OPEN))


# --- mlforecast -----------------------------------------------------------------------------------


def long_table(series):
    return pd.DataFrame({"unique_id": "wave", "ds": HOURS, "y": series.to_numpy()})


def test_mlforecast():
    from mlforecast import MLForecast

    table = long_table(RAISED).assign(open=OPEN["open"].to_numpy())
    forecaster = MLForecast({"gru": network()}, freq="h", lags=range(1, N_LAGS + 1))
    forecaster.fit(past(table), static_features=[])
    fitted = forecaster.models_["gru"]
    assert columns_of(fitted) == [("lags", (*range(N_LAGS, 0, -1),)), ("remainder", (0,))]
    forecast = forecaster.predict(N_AHEAD, X_df=future(table).drop(columns="y"))
    check(forecast["gru"], RAISED)


def test_mlforecast_of_what_drifts():
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMean, RollingMean
    from mlforecast.target_transforms import Differences

    forecaster = MLForecast(
        {"gru": network()},
        freq="h",
        lags=[1, 2, 3, 12],
        lag_transforms={1: [RollingMean(12), ExpandingMean()]},
        date_features=["hour"],
        target_transforms=[Differences([1])],
    )
    forecaster.fit(past(long_table(PLAIN + 2 * np.arange(240))))
    assert [len(columns) for _, columns in columns_of(forecaster.models_["gru"])] == [3, 4]
    check(forecaster.predict(N_AHEAD)["gru"], PLAIN + 2 * np.arange(240), 12)


def test_mlforecast_in_polars():
    import polars as pl
    from mlforecast import MLForecast

    forecaster = MLForecast({"gru": network()}, freq="1h", lags=range(1, N_LAGS + 1))
    forecaster.fit(pl.from_pandas(past(long_table(PLAIN))))
    check(forecaster.predict(N_AHEAD)["gru"].to_numpy(), PLAIN)


def test_mlforecast_is_no_place_for_the_network_of_one_sequence():
    from mlforecast import MLForecast

    forecaster = MLForecast({"gru": flat()}, freq="h", lags=range(1, N_LAGS + 1))
    with pytest.warns(UserWarning, match=r"'lag1', 'lag2', 'lag3', \.\.\., 'lag12' are read in"):
        forecaster.fit(past(long_table(PLAIN)))


# --- sktime ---------------------------------------------------------------------------------------

AHEAD = np.arange(1, N_AHEAD + 1)


@SKTIME
@pytest.mark.parametrize("strategy", ["recursive", "direct", "multioutput"])
def test_sktime_hands_windows_the_oldest_first(strategy):
    from sktime.forecasting.compose import make_reduction

    for regressor in (flat(), network(OLDEST_FIRST)):
        forecaster = make_reduction(regressor, window_length=N_LAGS, strategy=strategy)
        forecaster.fit(past(PLAIN), fh=AHEAD)
        check(forecaster.predict(), PLAIN)


@SKTIME
@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_sktime_with_a_series_beside(strategy):
    from sktime.forecasting.compose import make_reduction

    # It hands the past of each series; a calendar of the next hour is the past of the one before.
    known = OPEN.shift(-1, fill_value=0)
    lags = {"y": OLDEST_FIRST, "open": OLDEST_FIRST}
    forecaster = make_reduction(network(lags), window_length=N_LAGS, strategy=strategy)
    forecaster.fit(past(RAISED), X=past(known), fh=AHEAD[:1])
    (forecast,) = forecaster.predict(X=future(known)[:1])
    assert abs(forecast - future(RAISED).iloc[0]) < 6
    wrong = make_reduction(flat(), window_length=N_LAGS, strategy=strategy)
    with pytest.warns(UserWarning, match="the others are read as further steps"):
        wrong.fit(past(RAISED), X=past(known), fh=AHEAD[:1])


@SKTIME
def test_sktime_of_a_panel():
    from sktime.forecasting.compose import make_reduction

    series = pd.concat({"a": PLAIN.to_frame(), "b": PLAIN.to_frame() + 10}, names=["id", "time"])
    is_past = series.index.get_level_values("time") < HOURS[-N_AHEAD]
    forecaster = make_reduction(
        network(), window_length=N_LAGS, strategy="recursive", pooling="global"
    )
    forecaster.fit(series[is_past], fh=AHEAD)
    assert columns_of(forecaster.estimator_) == [READ[0], ("remainder", ())]
    check(forecaster.predict().loc["b", "y"], PLAIN + 10)


# --- darts ----------------------------------------------------------------------------------------


def darts_series(values):
    from darts import TimeSeries

    return TimeSeries.from_dataframe(pd.DataFrame(values).astype(float))


def test_darts_hands_windows_the_oldest_first():
    from darts.models import SKLearnModel

    for regressor in (flat(), network(OLDEST_FIRST)):
        forecaster = SKLearnModel(lags=N_LAGS, model=clone(regressor))
        forecaster.fit(darts_series(past(PLAIN)))
        check(forecaster.predict(N_AHEAD).values()[:, 0], PLAIN)


def test_darts_with_a_known_future():
    from darts.models import SKLearnModel

    forecaster = SKLearnModel(lags=N_LAGS, lags_future_covariates=[0], model=network(OLDEST_FIRST))
    forecaster.fit(darts_series(past(RAISED)), future_covariates=darts_series(OPEN))
    forecast = forecaster.predict(N_AHEAD, future_covariates=darts_series(OPEN))
    check(forecast.values()[:, 0], RAISED)


def test_no_library_makes_the_right_way_warn():
    from skforecast.recursive import ForecasterRecursive

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ForecasterRecursive(network(N_LAGS), lags=N_LAGS).fit(past(PLAIN))
