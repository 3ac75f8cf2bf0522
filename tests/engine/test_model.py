"""A fitted model as plain values, and made anew of them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor
from skgru._engine.losses import LOSSES
from skgru._engine.model import Model
from tests.datasets import ragged, rectangle, small, token_sequences
from tests.targets import estimator_of

PLAIN_TYPES = (str, int, float, bool, type(None))


def assert_plain(value, path="state"):
    """Assert that nothing but plain values is in a state: of exactly these types."""
    if type(value) is dict:
        for key, part in value.items():
            assert type(key) is str, path
            assert_plain(part, f"{path}[{key!r}]")
    elif type(value) in (tuple, list):
        for i, part in enumerate(value):
            assert_plain(part, f"{path}[{i}]")
    elif type(value) is np.ndarray:
        assert value.dtype.kind in "biufUO", path
        if value.dtype.kind == "O":
            assert_plain(value.ravel().tolist(), path)
    else:
        assert type(value) in PLAIN_TYPES, f"{path}: {type(value)}"


def with_holes():
    X, y = ragged(n_features=2)
    for x in X[1::2]:
        x[0, 1] = np.nan
    return X, y


def numpy_labels():
    X, y = rectangle()
    return X, np.array(["no", "yes"])[y]


def object_labels():
    X, y = rectangle()
    return X, np.array(["no", "yes"], object)[y]


def steps():
    X, _ = ragged()
    return X, [(x[:, 0] > 0).astype(int) for x in X]


CASES = {
    "numbers": (rectangle, {}),
    "labels": (numpy_labels, {}),
    "labels that are objects": (object_labels, {}),
    "tokens": (token_sequences, {"embedding_dim": 3}),
    "a matrix": (token_sequences, {"embedding_matrix": np.eye(8)}),
    "holes": (with_holes, {"bidirectional": True}),
    "indicators": (with_holes, {"missing": "indicator", "scaling": "robust"}),
    "steps": (steps, {"pooling": None}),
    "patches": (ragged, {"patch_size": 2, "pooling": ["last", "max"], "cell": ("lstm",)}),
    "numbers of NumPy": (
        rectangle,
        {
            "hidden_layer_sizes": np.array([3, 2]),
            "alpha": np.float32(1e-4),
            "patch_size": np.int8(1),
            "reset_after": np.bool_(True),
            "features_per_step": np.int64(1),
        },
    ),
}


def assert_same_again(model, opened_X):
    """Assert that the state is plain and makes a model that predicts alike."""
    first = model._fitted_model()
    assert_plain(first.state)
    again = Model.of_state(first.state)
    assert again.spec == first.spec
    assert list(again.parameters) == list(first.parameters)
    for name, array in first.parameters.items():
        assert_array_equal(again.parameters[name], array)
    assert_plain(again.state)
    np.testing.assert_equal(again.state, first.state)
    runs = [model._run(m, opened_X, then=m.predictions).values for m in (first, again)]
    assert_array_equal(*runs)


@pytest.mark.parametrize("name", CASES)
def test_the_state_is_plain_and_makes_the_same_model(name):
    make, parameters = CASES[name]
    X, y = make()
    assert_same_again(small(GRUClassifier, max_iter=1, **parameters).fit(X, y), X)
    if "labels" not in name:
        assert_same_again(small(GRURegressor, max_iter=1, **parameters).fit(X, y), X)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_targets", [1, 3])
def test_each_loss_comes_back(loss, n_targets):
    X, _ = rectangle()
    y = np.arange(len(X) * n_targets).reshape(len(X), n_targets) % 2
    model = estimator_of(loss, max_iter=1).fit(X, y if n_targets > 1 else y[:, 0])
    assert_same_again(model, X)
    before = model._fitted_model().loss
    after = Model.of_state(model._fitted_model().state).loss
    assert type(after) is type(before)
    assert after.options == before.options
    np.testing.assert_equal(after.learned, before.learned)


@pytest.mark.parametrize(
    ("estimator_class", "parameters"),
    [
        (GRURegressor, {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}),
        (GRURegressor, {"loss": "huber", "huber_delta": 0.5}),
        (
            GRUClassifier,
            {"label_smoothing": 0.1, "class_weight": {0: 2.0, 1: 1.0}, "crf": False},
        ),
    ],
)
def test_what_a_later_fit_may_not_change_of_a_loss_is_kept(estimator_class, parameters):
    X, y = rectangle()
    model = small(estimator_class, max_iter=1, **parameters).fit(X, y)
    assert_same_again(model, X)
    loss = model._fitted_model().loss
    own = {name: value for name, value in parameters.items() if name != "loss"}
    assert loss.options == {n: value for n, value in own.items() if n not in loss.of_fit}


def test_a_model_with_other_parameters_leaves_the_first_one():
    X, y = rectangle()
    model = small(GRURegressor, max_iter=1).fit(X, y)._fitted_model()
    other = model.with_theta(model.theta + 1)
    assert_array_equal(other.theta, model.theta + 1)
    assert other.network.shapes == model.network.shapes
    assert_array_equal(other.parameters["head.bias"], model.parameters["head.bias"] + 1)
    assert np.shares_memory(other.parameters["head.bias"], other.theta)
