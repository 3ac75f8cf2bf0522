"""LagSelector: lags among the columns of a table, as the steps of a branch."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer

from skgru import GRURegressor, LagSelector, MultimodalGRURegressor, SeriesBranch, TableBranch

RNG = np.random.default_rng(0)
SKFORECAST = ["lag_1", "lag_2", "lag_3", "lag_24", "roll_mean_3", "temp"]
MLFORECAST = ["temp", "lag1", "lag2", "lag24", "rolling_mean_lag1_window_size3", "hour"]
SKTIME = ["lag_0__y", "lag_1__y", "lag_0__temp", "lag_1__temp"]


def table(names, n=30):
    return pd.DataFrame(RNG.normal(size=(n, len(names))), columns=names)


def as_arrow(X):
    return pa.table(dict(X.items()))


@pytest.mark.parametrize("make", [lambda X: X, pl.DataFrame, as_arrow])
@pytest.mark.parametrize(
    ("names", "lags", "columns"),
    [
        (SKFORECAST, None, [2, 1, 0]),
        (SKFORECAST, [1, 2], [1, 0]),
        (SKFORECAST, 2, [1, 0]),
        (SKFORECAST, [24], [3]),
        (MLFORECAST, None, [2, 1]),
        (["lag3", "lag2", "lag1"], None, [0, 1, 2]),
        (["lag_2", "lag_10", "lag_6"], None, [1, 2, 0]),
        (SKTIME, None, [[1, 3], [0, 2]]),
        (SKTIME, {"temp": [0, 1]}, [3, 2]),
        (["a_lag_1", "a_lag_2", "a_lag_12", "b_lag_1", "b_lag_2"], None, [[1, 4], [0, 3]]),
        (["lag1", "lag2", "lag3", "expanding_mean_lag1"], None, [2, 1, 0]),
        (["lag1", "expanding_mean_lag1", "hour"], None, [0]),
        (["b_lag_1", "a_lag_1", "a_lag_2"], None, [2, 1]),
    ],
)
def test_lags_by_their_names(make, names, lags, columns):
    selected = LagSelector(lags)(make(table(names)))
    assert_array_equal(selected, columns)
    assert isinstance(selected, list) == (np.ndim(columns) == 1)


@pytest.mark.parametrize(
    ("lags", "columns"),
    [
        (3, [2, 1, 0]),
        (range(3, 0, -1), [0, 1, 2]),
        (np.array([1, 2, 24]), [1, 0]),
        ([24, 3, 2, 1], [1, 2, 3]),
        ({"y": 2, "temp": 2}, [[1, 3], [0, 2]]),
        ({"y": range(2, 0, -1), "temp": range(2, 0, -1)}, [[0, 2], [1, 3]]),
        ({"y": [1, 2, 12], "temp": 1}, [1, 0]),
    ],
)
def test_lags_by_their_places(lags, columns):
    assert_array_equal(LagSelector(lags)(np.zeros((2, 5))), columns)


@pytest.mark.parametrize(
    ("X", "lags", "error", "message"),
    [
        (np.zeros((2, 3)), None, ValueError, "have no names .* such as LagSelector(24)"),
        (np.zeros((2, 3)), 4, ValueError, "X has 3 columns, expected at least 4 lags"),
        (table(["hour"]), None, ValueError, "Expected X to have a lag, such as lag_1, .* ['hour']"),
        (table(["lag_1", "lag_2"]), 3, ValueError, "Expected X to have the lags [3], got the col"),
        (table(SKTIME), {"z": 1}, ValueError, "the lags [('z', 1)]"),
        (table(["lag_1", "lag1"]), None, ValueError, "Two columns of X are the same lag"),
        (table(SKTIME), 0, TypeError, "got 0"),
        (table(SKTIME), True, TypeError, "got True"),
        (table(SKTIME), "lag_1", TypeError, "got 'lag_1'"),
        (table(SKTIME), [1.5], TypeError, "got [1.5]"),
        (table(SKTIME), [True, 2], TypeError, "got [True, 2]"),
        (np.zeros((2, 3)), [-3, -2, -1], ValueError, "got -3: a lag is how many steps ago"),
        (table(SKTIME), {}, TypeError, "got an empty one"),
        (table(SKTIME), [1, 1], ValueError, "a list of ints that differ, .* got [1, 1]"),
    ],
)
def test_what_is_refused(X, lags, error, message):
    with pytest.raises(error, match=re.escape(message).replace(r"\.\*", ".*")):
        LagSelector(lags)(X)


def network(selector, **parameters):
    return MultimodalGRURegressor(
        [("lags", SeriesBranch(hidden_layer_sizes=4), selector)],
        remainder=TableBranch(),
        max_iter=3,
        random_state=0,
        **parameters,
    )


def test_the_network_reads_the_same_whatever_the_order_of_the_columns():
    X, y = table(SKFORECAST), RNG.normal(size=30)
    reordered = X[["lag_3", "lag_24", "lag_1", "roll_mean_3", "lag_2", "temp"]]
    said = network([2, 1, 0]).fit(X.to_numpy(), y).predict(X.to_numpy())
    for selector, columns in {
        LagSelector(): X,
        LagSelector([1, 2, 3, 24]): X.to_numpy(),
        LagSelector([1, 2, 3]): reordered,
    }.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = clone(network(selector)).fit(columns, y)
        assert_array_equal(model.predict(columns), said)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(columns), said)


def test_several_series_are_features_of_a_step():
    X, y = table(SKTIME), RNG.normal(size=30)
    steps = X[["lag_1__y", "lag_1__temp", "lag_0__y", "lag_0__temp"]].to_numpy()
    branch = SeriesBranch(hidden_layer_sizes=4, features_per_step=2)
    said = clone(network(slice(None))).set_params(lags=branch).fit(steps, y).predict(steps)
    model = network(LagSelector()).fit(X, y)
    assert_array_equal(model.predict(X), said)
    assert len(model.named_branches_.lags.feature_mean_) == 2
    nullable = X.astype("Float64")
    assert_array_equal(network(LagSelector()).fit(nullable, y).predict(nullable), said)


def test_a_row_of_lags_is_a_sample_whatever_its_index_says():
    X, y = table(SKTIME), RNG.normal(size=30)
    panel = X.set_index(pd.MultiIndex.from_product([["a", "b"], range(15)], names=["id", "time"]))
    model = network(LagSelector()).fit(panel, y)
    assert_array_equal(model.predict(panel), network(LagSelector()).fit(X, y).predict(X))
    renamed = panel.set_axis(["a", "b", "c", "d"], axis=1)
    with pytest.raises(ValueError, match="MultiIndex"):
        network([0, 1]).fit(renamed, y)


def test_lags_for_an_estimator_of_one_sequence():
    X, y = table(["lag_1", "lag_2", "lag_3"]), RNG.normal(size=30)
    oldest_first = make_column_transformer(("passthrough", LagSelector()))
    assert_array_equal(oldest_first.fit_transform(X), X.to_numpy()[:, ::-1])
    GRURegressor(4, max_iter=1).fit(oldest_first.fit_transform(X), y)


def test_its_name():
    assert repr(LagSelector()) == "LagSelector()"
    assert repr(LagSelector([1, 24])) == "LagSelector([1, 24])"
