"""A fitted network as a feature extractor: `transform`, its names, and every step's outputs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, GRURegressor
from tests.datasets import ESTIMATORS, ragged, rectangle, small, token_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FORMS = [
    ({}, 4),
    ({"cell": "lstm", "bidirectional": True}, 8),
    ({"pooling": ("last", "max", "attention")}, 12),
    ({"hidden_layer_sizes": (4, 3), "pooling": "mean"}, 3),
]


@pytest.mark.parametrize(("form", "width"), FORMS, ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_head_reads_what_transform_returns(estimator_class, form, width):
    X, y = ragged(30)
    model = small(estimator_class, **form).fit(X, y)
    features = model.transform(X)
    assert features.shape == (30, width)
    assert features.dtype == np.float32
    raw = features @ model.parameters_["head.weights"] + model.parameters_["head.bias"]
    if estimator_class is GRUClassifier:
        assert_allclose(model.predict_proba(X)[:, 1], expit(raw[:, 0]), rtol=1e-5)
    else:
        y = raw[:, 0] * model.target_scale_ + model.target_mean_
        assert_allclose(model.predict(X), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("form", "width"), FORMS[:2] + FORMS[3:], ids=str)
def test_the_steps_are_what_the_pooling_reads(form, width):
    X, y = ragged(30)
    model = small(GRURegressor, **form).fit(X, y)
    steps = model.transform_steps(X)
    assert steps.dtype == object
    assert [part.shape for part in steps] == [(len(x), width) for x in X]
    features = model.transform(X)
    for part, feature in zip(steps, features, strict=True):
        if form.get("pooling") == "mean":
            expected = part.mean(axis=0)
        elif form.get("bidirectional"):
            expected = np.concatenate([part[-1, :4], part[0, 4:]])
        else:
            expected = part[-1]
        assert_allclose(feature, expected, rtol=1e-5, atol=1e-6)


def test_steps_of_equal_lengths_are_one_array_and_empty_sequences_have_none():
    X, y = rectangle(20)
    model = small(GRURegressor).fit(X, y)
    assert model.transform_steps(X).shape == (20, 5, 4)
    parts = model.transform_steps([X[0], X[1][:0], X[2][:2]])
    assert [part.shape for part in parts] == [(5, 4), (0, 4), (2, 4)]
    assert_array_equal(model.transform([X[1][:0]]), 0)


def test_names_and_output_containers():
    X, y = ragged(20)
    model = small(GRUClassifier, pooling=("last", "mean")).fit(X, y)
    names = [f"gruclassifier{i}" for i in range(8)]
    assert model.get_feature_names_out().tolist() == names
    frame = clone(model).set_output(transform="pandas").fit(X, y).transform(X)
    assert frame.columns.tolist() == names
    assert_array_equal(frame.to_numpy(), model.transform(X))


def test_in_a_pipeline():
    X, y = token_sequences(80)
    network = small(GRUClassifier, embedding_dim=4, max_iter=30, learning_rate_init=0.05)
    model = make_pipeline(network, LogisticRegression()).fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) > 0.9


@pytest.mark.parametrize("method", ["transform", "transform_steps"])
def test_not_before_the_fit(method):
    with pytest.raises(NotFittedError):
        getattr(GRUClassifier(), method)([[1.0]])
