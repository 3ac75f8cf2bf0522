"""The face to scikit-learn: parameters, copies, searches, failures."""

import copy
import io
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_score,
)

from skgru import GRUForecaster
from skgru._engine.objective import Objective
from tests.forecaster.cheap import cheap, days, long_table, numbers, wave

N = 60
Y = wave(N)


def test_parameters():
    forecaster = cheap(horizon=2)
    assert forecaster.get_params()["horizon"] == 2
    assert forecaster.set_params(window=9, loss="gaussian").window == 9
    assert clone(forecaster).get_params() == forecaster.get_params()
    assert repr(GRUForecaster(24, 12, known=["price"])) == (
        "GRUForecaster(horizon=12, known=['price'], window=24)"
    )
    assert "GRUForecaster" in forecaster._repr_html_()
    with pytest.raises(TypeError, match="Did you mean 'horizon'"):
        GRUForecaster(horizn=3)
    with pytest.raises(ValueError, match="Did you mean 'horizon'"):
        forecaster.set_params(horizn=3)


@pytest.mark.parametrize(
    "parameters",
    [
        {"window": 0},
        {"window": "automatic"},
        {"horizon": 0},
        {"horizon": 1.5},
        {"season": 0},
        {"calendar": True},
        {"loss": "mse"},
        {"pooling": None},
        {"early_stopping": "auto"},
    ],
)
def test_values_of_parameters_are_checked(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The {name!r} parameter of GRUForecaster"):
        cheap(**parameters).fit(Y)


def test_numbers_of_numpy():
    given = {"window": np.int64(6), "horizon": np.int8(3), "season": np.uint8(4)}
    forecaster = cheap(**given, alpha=np.float32(0.5))
    expected = cheap(season=4, alpha=0.5).fit(Y).predict()
    assert_array_equal(forecaster.fit(Y).predict(), expected)
    assert_array_equal(forecaster.predict(np.int16(2)), expected[:2])


def test_nothing_before_fit():
    for call in ("predict", "predict_interval", "predict_quantiles"):
        with pytest.raises(NotFittedError):
            getattr(cheap(), call)()
    with pytest.raises(NotFittedError):
        cheap().score(Y)


def test_the_same_seed_is_the_same_model():
    first = cheap().fit(Y)
    expected = first.predict()
    assert_array_equal(first.fit(Y).predict(), expected)
    assert_array_equal(clone(first).fit(Y).predict(), expected)
    assert (cheap(random_state=1).fit(Y).predict() != expected).any()
    rng = np.random.RandomState(0)
    of_rng = [cheap(random_state=rng).fit(Y).predict() for _ in range(2)]
    assert_array_equal(of_rng[0], expected)
    assert (of_rng[1] != expected).any()


def test_copies():
    y = pd.Series(Y, days(N, "2024-03-01").tz_localize("Europe/Berlin"), name="load")
    forecaster = cheap().fit(y)
    expected = forecaster.predict_interval(5)
    file = io.BytesIO()
    joblib.dump(forecaster, file)
    file.seek(0)
    copies = [pickle.loads(pickle.dumps(forecaster)), copy.deepcopy(forecaster), joblib.load(file)]
    through_skops = skops.io.dumps(forecaster)
    trusted = skops.io.get_untrusted_types(data=through_skops)
    for one in [*copies, skops.io.loads(through_skops, trusted=trusted)]:
        pd.testing.assert_frame_equal(one.predict_interval(5), expected)
    panel = cheap(series="shop", time="day").fit(pl.from_pandas(long_table()))
    assert pickle.loads(pickle.dumps(panel)).predict().equals(panel.predict())
    indexed = cheap(series="shop").fit(long_table().set_index("day"))
    restored = pickle.loads(pickle.dumps(indexed)).predict()
    pd.testing.assert_frame_equal(restored, indexed.predict())
    columns = cheap(series="shop", time="day").fit(long_table().to_dict("series"))
    assert list(pickle.loads(pickle.dumps(columns)).predict()) == ["shop", "day", "sales"]


def test_a_pickle_does_not_grow_with_the_series():
    sizes = []
    for n in (20, 60):
        X = np.random.default_rng(0).normal(size=(n, 40))
        sizes.append(len(pickle.dumps(cheap(season=8).fit(wave(n), X))))
    assert sizes[1] < sizes[0] + 10_000  # rows of X would be 12,800; errors of bands are less


def test_what_is_given_stays_as_it_was():
    y, X = pd.Series(Y, days(N)), pd.DataFrame({"a": wave(N + 3, 1)}, days(N + 3))
    before = y.copy(), X.copy()
    forecaster = cheap(known="a").fit(y, X[:N])
    forecast = forecaster.predict(X=X[N:])
    forecaster.predict(y=y, X=X)
    pd.testing.assert_series_equal(y, before[0])
    pd.testing.assert_frame_equal(X, before[1])
    # Nor does the forecaster look at them again.
    y[:], X[:N] = 0, 0
    pd.testing.assert_series_equal(forecaster.predict(X=X[N:]), forecast)


def test_predictions_do_not_change_the_forecaster():
    frame = pd.DataFrame({"y": Y, "x": wave(N, 1)}, days(N))
    forecaster = cheap(target="y").fit(frame)
    before = pickle.dumps(forecaster)
    forecaster.predict(9)
    forecaster.predict_interval(y=frame[:30])
    forecaster.score(frame.shift(N, freq="D")[:9])
    assert pickle.dumps(forecaster) == before


class Interrupting:
    """An objective that is interrupted after some batches."""

    def __init__(self, n_batches, error):
        self.n_left, self.error = n_batches, error

    def patch(self, monkeypatch):
        original = Objective.at_batch

        def at_batch(objective, *args, **kwargs):
            self.n_left -= 1
            if self.n_left < 0:
                raise self.error
            return original(objective, *args, **kwargs)

        monkeypatch.setattr(Objective, "at_batch", at_batch)


@pytest.mark.parametrize("n_batches", [0, 5])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_fit_that_does_not_end_leaves_all_as_it_was(monkeypatch, n_batches, error):
    fitted, fresh = cheap().fit(Y), cheap()
    expected, names = fitted.predict(), set(vars(fitted))
    fitted.set_params(horizon=2)
    with monkeypatch.context() as context:
        for forecaster in (fitted, fresh):
            Interrupting(n_batches, error).patch(context)
            with pytest.raises(error):
                forecaster.fit(10 * Y)
    assert set(vars(fitted)) == names
    assert_array_equal(fitted.predict(), expected)
    with pytest.raises(NotFittedError):
        fresh.predict()


def test_a_fit_that_is_refused_leaves_all_as_it_was():
    forecaster = cheap().fit(Y)
    expected = forecaster.predict()
    for y in (Y[:5], np.full(N, np.inf)):
        with pytest.raises(ValueError, match="Expected"):
            forecaster.fit(y)
    assert_array_equal(forecaster.predict(), expected)


def test_parameters_that_are_set_after_fit_wait_for_the_next():
    table = long_table()
    forecaster = cheap(series="shop", time="day").fit(table)
    expected = forecaster.predict()
    forecaster.set_params(horizon=1, window=3, season=2)
    pd.testing.assert_frame_equal(forecaster.predict(), expected)
    pd.testing.assert_frame_equal(forecaster.predict(y=table), expected)


# Searches

SERIES = {
    "array": Y,
    "list": Y.tolist(),
    "series": pd.Series(Y, days(N), name="load"),
    "frame": pd.DataFrame({"a": Y, "b": wave(N, 1)}, days(N)),
    "polars": pl.Series("load", Y),
    "polars frame": pl.DataFrame({"a": Y, "b": wave(N, 1)}),
}
SPLIT = TimeSeriesSplit(2, test_size=5)


@pytest.mark.parametrize("form", SERIES)
def test_scores_of_a_cross_validation_are_rolling_forecasts(form):
    y = SERIES[form]
    scores = cross_val_score(cheap(season=8), y, cv=SPLIT, error_score="raise")
    values = np.asarray(y)
    by_hand = [cheap(season=8).fit(values[:t]).score(values[t : t + 5]) for t in (50, 55)]
    if form not in ("series", "frame"):  # which have dates
        assert_array_equal(scores, by_hand)
    assert scores.shape == (2,)
    assert scores.min() > 0.3


def test_searches():
    grid = {"window": [1, 8], "hidden_layer_sizes": [(3,)]}
    search = GridSearchCV(cheap(season=8), grid, cv=SPLIT, error_score="raise", n_jobs=2).fit(Y)
    assert search.best_params_ == {"window": 8, "hidden_layer_sizes": (3,)}
    assert search.best_estimator_.predict(2).shape == (2,)
    options = {"loss": ["huber", "squared_error"], "learning_rate_init": [1e-3, 1e-2]}
    search = RandomizedSearchCV(
        cheap(season=8), options, n_iter=2, cv=SPLIT, random_state=0, error_score="raise"
    ).fit(SERIES["series"])
    assert search.best_estimator_.predict(2).index.tolist() == days(N + 2)[N:].tolist()


def test_covariates_in_a_cross_validation():
    """scikit-learn calls what comes first X: y is given first, and X second."""
    y, X = pd.Series(Y, days(N)), pd.DataFrame({"a": wave(N, 1)}, days(N))
    scores = cross_val_score(cheap(season=8), y, X, cv=SPLIT, error_score="raise")
    assert scores[0] == cheap(season=8).fit(y[:50], X[:50]).score(y[50:55], X[50:55])


def test_scores_of_a_panel():
    table = long_table()
    is_past = table["day"] < "2024-01-16"
    forecaster = cheap(series="shop", time="day").fit(table[is_past])
    score = forecaster.score(table[~is_past])
    alone = [forecaster.score(table[~is_past & (table["shop"] == key)]) for key in "bac"]
    assert score == pytest.approx(np.mean(alone))
    with pytest.raises(ValueError, match="another of the series 'new'"):
        forecaster.score(long_table(keys=("new",)))
    assert len(numbers(forecaster.predict())) == 9


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (np.arange(N, N + 4), "Expected dates as labels of y, as in fit, got numbers"),
        (
            days(N + 8)[N::2],
            "Expected y at every step that follows the series of fit, got a longer",
        ),
        (days(N + 4)[N - 2 : -2], "got 2 steps of theirs"),
    ],
)
def test_a_score_needs_the_steps_that_follow(index, message):
    forecaster = cheap(season=8).fit(pd.Series(Y, days(N)))
    with pytest.raises(ValueError, match=message):
        forecaster.score(pd.Series(wave(4), index))
