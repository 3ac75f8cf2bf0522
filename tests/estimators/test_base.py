"""What both estimators have in common: fitted attributes, warnings, what stays as it is."""

import copy
from types import NoneType

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgru import GRUClassifier, GRURegressor
from tests.datasets import ESTIMATORS, ragged, rectangle, small, token_sequences
from tests.training import assert_unchanged, state_of

# Fitted attributes


@pytest.mark.parametrize(
    "parameters", [{}, {"early_stopping": True}, {"solver": "sgd"}, {"solver": "lbfgs"}], ids=str
)
@pytest.mark.parametrize(
    ("estimator_class", "mlp_class"), [(GRUClassifier, MLPClassifier), (GRURegressor, MLPRegressor)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fitted_attributes_of_the_multi_layer_perceptron(estimator_class, mlp_class, parameters):
    X, y = rectangle(n=40)
    settings = {"hidden_layer_sizes": (4, 3), "max_iter": 5, "random_state": 0, **parameters}
    gru = estimator_class(**settings).fit(X[:, :, 0], y)
    mlp = mlp_class(**settings).fit(X[:, :, 0], y)
    public = {name for name in vars(mlp) if name.endswith("_") and not name.startswith("_")}
    assert {"n_iter_", "t_", "loss_", "n_layers_", "n_outputs_", "out_activation_"} < public
    for name in public - {"coefs_", "intercepts_"}:
        kinds = (int, float, list, str, np.ndarray, NoneType)
        kind = next(kind for kind in kinds if isinstance(getattr(mlp, name), kind | np.integer))
        assert isinstance(getattr(gru, name), kind), name
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "n_iter_"):
        if name != "n_iter_" or "solver" not in parameters:
            assert getattr(gru, name) == getattr(mlp, name), name
    if parameters != {"solver": "lbfgs"}:
        assert gru.t_ == mlp.t_
        assert len(gru.loss_curve_) == len(mlp.loss_curve_)
        assert (gru.validation_scores_ is None) == (mlp.validation_scores_ is None)
        assert gru.loss_ == gru.loss_curve_[-1]
    if gru.validation_scores_ is not None:
        assert len(gru.validation_scores_) == len(mlp.validation_scores_) == gru.n_iter_


@pytest.mark.parametrize(
    ("estimator_class", "y", "n_outputs", "activation"),
    [
        (GRUClassifier, np.arange(24) % 2, 1, "logistic"),
        (GRUClassifier, np.arange(24) % 3, 3, "softmax"),
        (GRUClassifier, np.eye(3, dtype=int)[np.arange(24) % 3], 3, "logistic"),
        (GRURegressor, np.arange(24.0), 1, "identity"),
        (GRURegressor, np.arange(48.0).reshape(24, 2), 2, "identity"),
    ],
)
def test_outputs(estimator_class, y, n_outputs, activation):
    X, _ = rectangle()
    model = small(estimator_class, hidden_layer_sizes=(3, 2, 2)).fit(X, y)
    mlp_class = {GRUClassifier: MLPClassifier, GRURegressor: MLPRegressor}[estimator_class]
    with pytest.warns(ConvergenceWarning):
        mlp = mlp_class(hidden_layer_sizes=(3, 2, 2), max_iter=1).fit(X[:, :, 0], y)
    for a in (model, mlp):
        assert (a.n_layers_, a.n_outputs_, a.out_activation_) == (5, n_outputs, activation)


# What stays as it is


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_fit_and_predict_leave_the_parameters_alone(estimator_class):
    X, y = token_sequences()
    matrix = np.random.default_rng(0).normal(size=(8, 3)).tolist()
    model = small(estimator_class, hidden_layer_sizes=[4, 3], embedding_matrix=matrix)
    before, deep = model.get_params(), copy.deepcopy(model.get_params())
    classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    model.partial_fit(X, y, **classes).fit(X, y).score(X, y)
    after = model.get_params()
    assert all(after[name] is value for name, value in before.items())
    assert after == deep


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_predicting_sets_no_attribute(estimator_class):
    X, y = ragged()
    model = small(estimator_class).fit(X, y)
    state = state_of(model)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            getattr(model, method)(X)
    model.score(X, y)
    assert model.parameters_
    assert_unchanged(model, state)


# What is said


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_not_fitted(estimator_class):
    model = small(estimator_class)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            with pytest.raises(NotFittedError, match=f"This {estimator_class.__name__} instance"):
                getattr(model, method)([[1.0]])
    with pytest.raises(AttributeError, match="parameters_"):
        model.parameters_  # noqa: B018


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_lbfgs_has_no_partial_fit(estimator_class):
    model = small(estimator_class, solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as info:
        model.partial_fit  # noqa: B018
    assert "lbfgs is not stochastic" in str(info.value.__cause__)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_warns_when_max_iter_is_reached(estimator_class):
    X, y = rectangle()
    model = small(estimator_class, learning_rate="constant", max_iter=2)
    message = r"Maximum iterations \(2\) reached and the optimization hasn't converged"
    with pytest.warns(ConvergenceWarning, match=message) as record:
        model.fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    model.partial_fit(X, y)  # where any warning is an error
