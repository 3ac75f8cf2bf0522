"""Dropout in the estimators: random by the seed alone, and in training only."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor
from tests.datasets import assert_same_model, output, ragged, small, token_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


RATES = [
    {"dropout": 0.4},
    {"recurrent_dropout": 0.4},
    {"dropout": 0.3, "recurrent_dropout": 0.3, "cell": "lstm", "bidirectional": True},
    {"dropout": 0.3, "recurrent_dropout": 0.3, "bptt_steps": 2, "cell": "rnn"},
]


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_training_is_random_by_seed_alone_and_prediction_is_not_random(rates):
    X, y = ragged(40)
    one, same, other = (
        small(GRURegressor, random_state=seed, **rates).fit(X, y) for seed in (0, 0, 1)
    )
    assert_same_model(one, same)
    assert one.loss_curve_ != other.loss_curve_
    assert_array_equal(one.predict(X), one.predict(X))
    without = small(GRURegressor).fit(X, y)
    assert one.loss_curve_ != without.loss_curve_


@pytest.mark.parametrize("rates", RATES[:2], ids=str)
def test_rates_of_zero_change_nothing(rates):
    X, y = ragged(40)
    assert_same_model(
        small(GRURegressor, **dict.fromkeys(rates, 0.0)).fit(X, y), small(GRURegressor).fit(X, y)
    )


def test_any_number_of_threads_gives_the_same_bits():
    X, y = ragged(150)
    options = {"hidden_layer_sizes": 128, "dropout": 0.2, "recurrent_dropout": 0.2}
    one, two = (small(GRURegressor, **options, batch_size=128, n_jobs=n).fit(X, y) for n in (1, 2))
    assert_same_model(one, two)


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_a_task_is_learned_with_dropout(rates):
    X, _ = ragged(300)
    y = np.array([x[-1, 0] for x in X])
    model = GRURegressor(24, max_iter=60, learning_rate_init=0.01, random_state=0, **rates).fit(
        X[:200], y[:200]
    )
    assert model.score(X[200:], y[200:]) > 0.75


def test_token_dropout_trains_the_unknown_word():
    X, y = token_sequences(60)
    options = {"embedding_dim": 3, "max_iter": 5}
    without = small(GRUClassifier, **options).fit(X, y)
    assert_array_equal(without.parameters_["embedding.weights"][0], 0)
    trained = small(GRUClassifier, token_dropout=0.2, **options).fit(X, y)
    assert trained.parameters_["embedding.weights"][0].all()
    assert np.isfinite(output(trained, [[99, 98]])).all()


@pytest.mark.parametrize("rates", [*RATES[:2], {"token_dropout": 0.1}], ids=str)
def test_lbfgs_refuses_chance(rates):
    X, y = ragged(20)
    with pytest.raises(ValueError, match=r"lbfgs.*dropout"):
        small(GRURegressor, solver="lbfgs", **rates).fit(X, y)


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout", "token_dropout"])
@pytest.mark.parametrize("value", [-0.1, 1.0, "half"])
def test_other_rates_are_refused(name, value):
    X, y = ragged(20)
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        small(GRURegressor, **{name: value}).fit(X, y)
