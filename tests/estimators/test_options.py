"""Options of the network in the estimators: what is accepted, what is refused, and how."""

import re

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skgru import GRUClassifier, GRURegressor
from tests.datasets import ragged, small
from tests.kinds import NAMES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(**parameters):
    X, y = ragged(20)
    return small(GRURegressor, **parameters).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell": "elman"}, "'cell' parameter of GRURegressor must be a str among"),
        ({"cell": ("gru", "lstm")}, "one of them for each of the 1 hidden layers"),
        ({"cell": ("gru",), "hidden_layer_sizes": (4, 3)}, "for each of the 2 hidden layers"),
        ({"cell": ("elman",)}, re.escape(f"cell must be one of {sorted(NAMES)}")),
        ({"pooling": "sum"}, "'pooling' parameter of GRURegressor must be a str among"),
        ({"pooling": ("last", "sum")}, "pooling must be 'auto', one of"),
        ({"pooling": ()}, "pooling must be 'auto', one of"),
        ({"pooling": ("last", "last")}, "several different ones"),
        ({"bidirectional": 2}, "'bidirectional' parameter"),
        ({"patch_size": 0}, "'patch_size' parameter"),
        ({"bidirectional": True, "bptt_steps": 5}, "bptt_steps=None or bidirectional=False"),
        ({"weight_decay": -1}, "'weight_decay' parameter"),
        ({"loss": "quantile", "quantiles": (0.5, 0.1)}, "increasing numbers in"),
        ({"loss": "quantile", "quantiles": (0.0, 0.5)}, "increasing numbers in"),
        ({"loss": "quantile", "quantiles": ()}, "increasing numbers in"),
        ({"quantiles": 1.0}, "'quantiles' parameter"),
        ({"huber_delta": 0.0}, "'huber_delta' parameter"),
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        fit(**parameters)


def test_smoothing_of_one_is_refused():
    X, y = ragged(20)
    with pytest.raises(ValueError, match="'label_smoothing' parameter"):
        small(GRUClassifier, label_smoothing=1.0).fit(X, y)


def test_a_list_is_as_good_as_a_tuple():
    a = fit(hidden_layer_sizes=[4, 3], cell=["gru", "rnn"], pooling=["last", "max"])
    b = fit(hidden_layer_sizes=(4, 3), cell=("gru", "rnn"), pooling=("last", "max"))
    assert a.loss_curve_ == b.loss_curve_


@pytest.mark.parametrize("change", [{"cell": "rnn"}, {"pooling": "max"}, {"bidirectional": True}])
def test_training_goes_on_only_with_the_same_network(change):
    X, y = ragged(20)
    model = fit(warm_start=True)
    with pytest.raises(ValueError, match="only with the network that was fitted"):
        model.set_params(**change).fit(X, y)


def test_the_arrays_are_those_that_are_documented():
    model = fit(cell="lstm", bidirectional=True, pooling=("last", "attention"))
    shapes = {name: array.shape for name, array in model.parameters_.items()}
    assert shapes == {
        "hidden_0.input_weights": (1, 16),
        "hidden_0.recurrent_weights": (4, 16),
        "hidden_0.bias": (16,),
        "hidden_0.reverse_input_weights": (1, 16),
        "hidden_0.reverse_recurrent_weights": (4, 16),
        "hidden_0.reverse_bias": (16,),
        "pooling.attention_weights": (8, 8),
        "pooling.attention_bias": (8,),
        "pooling.attention_score": (8,),
        "head.weights": (16, 1),
        "head.bias": (1,),
    }


def test_every_option_is_reachable_in_a_grid_search():
    X, y = ragged(24)
    grid = {
        "cell": ["lstm", "rnn"],
        "pooling": [("last", "max"), "attention"],
        "bidirectional": [True, False],
        "dropout": [0.0, 0.2],
        "patch_size": [1, 2],
    }
    search = GridSearchCV(small(GRUClassifier, max_iter=1), grid, cv=2, error_score="raise")
    search.fit(X, y)
    assert len(search.cv_results_["params"]) == 32


def test_quantiles_of_several_targets():
    X, _ = ragged(30, n_features=2)
    y = np.array([x.sum(axis=0) for x in X])
    model = small(GRURegressor, loss="quantile", quantiles=[0.2, 0.8]).fit(X, y)
    assert model.predict(X).shape == (30, 2, 2)
    assert np.isfinite(model.score(X, y))
    assert small(GRURegressor, loss="quantile").fit(X, y).predict(X).shape == (30, 2)
    model = small(GRURegressor, loss="gaussian").fit(X, y)
    mean, deviation = model.predict(X, return_std=True)
    assert mean.shape == deviation.shape == (30, 2)
    with pytest.raises(ValueError, match="needs loss='gaussian', got 'squared_error'"):
        fit().predict(X, return_std=True)
