"""Parameters without effect are said, once a fit, and none that has one."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier, GRURegressor
from skgru._engine.unused import _CHOICES, _RULES
from tests.datasets import ESTIMATORS, assert_same_model, output, ragged, rectangle, token_sequences

ALL_ESTIMATORS = pytest.mark.parametrize("estimator_class", ESTIMATORS)


@pytest.fixture(autouse=True)
def no_convergence_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def made(estimator_class, **parameters):
    return estimator_class(
        **{"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0} | parameters
    )


def unused_in(fit, *arguments, **options):
    """Return what is said to have no effect, as a list of names."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(*arguments, **options)
    messages = [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]
    if not messages:
        return []
    (message,) = messages
    start, _, rest = message.partition(": ")
    assert start == "Parameters without effect"
    return [item.partition("=")[0] for item in rest.split("), ")]


NUMBERS = rectangle(24, n_steps=6)
WIDE = NUMBERS[0].reshape(24, 6), NUMBERS[1]
TOKENS = token_sequences()
LBFGS = {"solver": "lbfgs"}
SGD = {"solver": "sgd"}
IN_TOKENS = {"embedding_dim": 2}

# Parameter, a value, the other parameters, X and y.
UNUSED = [
    *[
        (name, value, LBFGS, WIDE)
        for name, value in {
            "batch_size": 5, "learning_rate": "constant", "learning_rate_init": 0.1,
            "power_t": 0.3, "warmup_fraction": 0.2, "shuffle": False, "momentum": 0.5,
            "nesterovs_momentum": False, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-7,
            "weight_decay": 0.2, "max_grad_norm": 2.0, "n_iter_no_change": 3,
            "validation_fraction": 0.2, "early_stopping": True, "group_by_length": True,
        }.items()
    ],
    ("shift_patches", False, LBFGS | {"patch_size": 2}, WIDE),
    *[(name, 0.5, SGD, WIDE) for name in ("beta_1", "beta_2", "epsilon", "weight_decay")],
    ("momentum", 0.5, {}, WIDE),
    ("nesterovs_momentum", False, {}, WIDE),
    ("nesterovs_momentum", False, SGD | {"momentum": 0}, WIDE),
    ("max_fun", 10, {}, WIDE),
    ("power_t", 0.3, {}, WIDE),
    ("warmup_fraction", 0.3, {"learning_rate": "constant"}, WIDE),
    ("n_iter_no_change", 5, {"max_iter": 3}, WIDE),
    ("n_iter_no_change", 2, {"max_iter": 60, "early_stopping": True}, WIDE),
    ("n_iter_no_change", 11, {"max_iter": 60, "early_stopping": True}, WIDE),
    ("tol", 0.1, {"max_iter": 10}, WIDE),
    ("tol", 0.1, {"max_iter": 12, "n_iter_no_change": 12}, WIDE),
    ("validation_fraction", 0.2, {}, WIDE),
    ("scoring", "loss", {}, WIDE),
    ("validation_fraction", 0.2, {"early_stopping": False}, WIDE),
    ("group_by_length", True, {"shuffle": False}, ragged()),
    ("reset_after", True, {"cell": "lstm"}, WIDE),
    ("reset_after", True, {"cell": ("lstm", "rnn"), "hidden_layer_sizes": (3, 2)}, WIDE),
    ("output_gate", True, {"cell": "lstm"}, WIDE),
    ("recurrent_dropout", 0.3, {"cell": "mingru"}, WIDE),
    ("shift_patches", False, {}, WIDE),
    ("scaling", None, IN_TOKENS, TOKENS),
    ("missing", "error", IN_TOKENS, TOKENS),
    ("features_per_step", 2, IN_TOKENS, TOKENS),
    ("freeze_embedding", True, {}, WIDE),
    ("token_dropout", 0.2, {}, WIDE),
    ("bag", True, {}, WIDE),
    ("features_per_step", 2, {}, NUMBERS),
    ("features_per_step", 2, {}, (list(NUMBERS[0]), NUMBERS[1])),
]  # fmt: skip

USED = [
    ("batch_size", 5, {}, WIDE),
    ("learning_rate", "constant", {}, WIDE),
    ("learning_rate_init", 0.1, {}, WIDE),
    ("power_t", 0.3, {"learning_rate": "invscaling"}, WIDE),
    ("warmup_fraction", 0.3, {}, WIDE),
    ("shuffle", False, {"batch_size": 5}, WIDE),
    ("momentum", 0.5, SGD, WIDE),
    ("nesterovs_momentum", False, SGD, WIDE),
    ("beta_1", 0.5, {}, WIDE),
    ("beta_2", 0.5, {}, WIDE),
    ("epsilon", 0.5, {}, WIDE),
    ("weight_decay", 0.5, {}, WIDE),
    ("max_grad_norm", 0.01, {}, WIDE),
    ("max_fun", 3, LBFGS | {"max_iter": 20}, WIDE),
    ("tol", 10.0, LBFGS, WIDE),
    ("tol", 10.0, {"max_iter": 12}, WIDE),
    ("n_iter_no_change", 1, {"max_iter": 4, "tol": 10.0}, WIDE),
    ("n_iter_no_change", 30, {"max_iter": 20, "tol": 10.0}, WIDE),
    ("n_iter_no_change", np.inf, {"max_iter": 20, "tol": 10.0}, WIDE),
    ("n_iter_no_change", 2, {"max_iter": 8, "early_stopping": True, "tol": 10.0}, WIDE),
    ("validation_fraction", 0.3, {"early_stopping": True}, WIDE),
    ("group_by_length", True, {"batch_size": 5}, ragged()),
    ("reset_after", True, {}, WIDE),
    ("reset_after", True, {"cell": ("lstm", "gru"), "hidden_layer_sizes": (3, 2)}, WIDE),
    ("output_gate", True, {"cell": "rnn"}, WIDE),
    ("output_gate", True, {"cell": "mingru"}, WIDE),
    ("recurrent_dropout", 0.3, {"cell": ("mingru", "gru"), "hidden_layer_sizes": (3, 2)}, WIDE),
    ("output_gate", True, {"cell": ("lstm", "rnn"), "hidden_layer_sizes": (3, 2)}, WIDE),
    ("shift_patches", False, {"patch_size": 2}, WIDE),
    ("shift_patches", False, IN_TOKENS | {"patch_size": 2}, TOKENS),
    ("scaling", None, {}, WIDE),
    ("freeze_embedding", True, IN_TOKENS, TOKENS),
    ("token_dropout", 0.2, IN_TOKENS, TOKENS),
    ("bag", True, IN_TOKENS, TOKENS),
    ("features_per_step", 2, {}, WIDE),
    ("features_per_step", 2, {}, (list(WIDE[0]), WIDE[1])),
]


@ALL_ESTIMATORS
@pytest.mark.parametrize(("name", "value", "others", "data"), UNUSED)
def test_without_effect(estimator_class, name, value, others, data):
    X, y = data
    plain = made(estimator_class, **others)
    model = made(estimator_class, **others | {name: value})
    assert name in unused_in(model.fit, X, y)
    expected = unused_in(plain.fit, X, y)
    assert name not in expected
    # It is true.
    assert_same_model(model, plain)
    np.testing.assert_array_equal(output(model, X), output(plain, X))
    assert model.loss_curve_ == plain.loss_curve_


@ALL_ESTIMATORS
@pytest.mark.parametrize(("name", "value", "others", "data"), USED)
def test_with_effect(estimator_class, name, value, others, data):
    X, y = data
    model = made(estimator_class, **others | {name: value})
    assert name not in unused_in(model.fit, X, y)
    plain = made(estimator_class, **others)
    unused_in(plain.fit, X, y)
    assert len(model.loss_curve_) != len(plain.loss_curve_) or (
        (output(model, X) != output(plain, X)).any()
    )


def test_every_parameter_of_the_table_is_tested():
    names = {name for rule in _RULES for name in rule.names}
    for parts in _CHOICES.values():
        names.update(name for part in parts.values() for name in part.parameters)
    # Of tables and of what lies above branches, which tests/multimodal has.
    of_several = {"branch_dropout", "dropout", "embedding_dim", "bptt_steps", "last_epochs"}
    # Those of classes are in tests/estimators/test_crf.py.
    of_classes, of_numbers = {"label_smoothing", "class_weight"}, {"quantiles", "huber_delta"}
    assert names - of_classes - of_numbers - of_several == {row[0] for row in UNUSED}
    assert names - {"branch_dropout", "last_epochs"} - of_classes <= set(
        inspect.signature(GRURegressor).parameters
    )


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "gaussian"])
def test_options_of_other_losses(loss):
    X, y = WIDE
    model = made(GRURegressor, loss=loss, quantiles=[0.2, 0.8], huber_delta=2.0)
    assert unused_in(model.fit, X, y) == ["quantiles", "huber_delta"]
    assert unused_in(made(GRURegressor, loss="quantile", quantiles=[0.2, 0.8]).fit, X, y) == []
    assert unused_in(made(GRURegressor, loss="huber", huber_delta=2.0).fit, X, y) == []
    assert unused_in(made(GRURegressor, loss="huber", quantiles=0.2).fit, X, y) == ["quantiles"]


@ALL_ESTIMATORS
def test_a_validation_set_that_is_given(estimator_class):
    X, y = WIDE
    model = made(estimator_class, early_stopping=True, validation_fraction=0.3)
    assert unused_in(model.fit, X, y) == []
    assert unused_in(model.fit, X, y, X_val=X, y_val=y) == ["validation_fraction"]


@ALL_ESTIMATORS
def test_all_in_one_warning_where_fit_is_called(estimator_class):
    X, y = WIDE
    model = made(estimator_class, cell="lstm", reset_after=True, power_t=0.3, momentum=0.5)
    message = (
        r"^Parameters without effect: power_t=0.3 \(it is of learning_rate='invscaling'\), "
        r"momentum=0.5 \(it is of solver='sgd'\), "
        r"reset_after=True \(only cell='gru' has it\)\.$"
    )
    for _ in range(2):
        with pytest.warns(UserWarning, match=message) as caught:
            model.fit(X, y)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert caught[0].category is UserWarning
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = clone(model)
        with pytest.raises(UserWarning, match="without effect"):
            again.fit(X, y)
        assert not hasattr(again, "parameters_")


@ALL_ESTIMATORS
def test_defaults_as_numbers_of_numpy(estimator_class):
    X, y = WIDE
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(estimator_class).parameters.items()
        if name not in ("hidden_layer_sizes", "max_iter", "random_state")
    }
    types = {bool: np.bool_, int: np.int64, float: np.float64, str: np.str_}
    given = {name: types.get(type(value), lambda v: v)(value) for name, value in defaults.items()}
    assert unused_in(made(estimator_class, **given).fit, X, y) == []
    assert unused_in(made(estimator_class, **given | LBFGS).fit, X, y) == []
    assert unused_in(made(estimator_class, momentum=np.float32(0.5)).fit, X, y) == ["momentum"]


@ALL_ESTIMATORS
def test_what_auto_would_be_is_no_mistake(estimator_class):
    X, y = WIDE
    off = {"early_stopping": False, "group_by_length": False, "dropout": 0.0}
    assert unused_in(made(estimator_class, n_iter_no_change=np.inf).fit, X, y) == []
    assert unused_in(made(estimator_class, solver="lbfgs", **off).fit, X, y) == []
    assert unused_in(made(estimator_class, shuffle=False, **off).fit, X, y) == []


@ALL_ESTIMATORS
def test_partial_fit_says_it_in_its_first_call(estimator_class):
    X, y = WIDE
    classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    model = made(estimator_class, power_t=0.2, cell="rnn", reset_after=True)
    assert unused_in(model.partial_fit, X, y, **classes) == ["power_t", "reset_after"]
    assert unused_in(model.partial_fit, X, y) == []
    # They are of fit.
    end = {"tol": 0.1, "n_iter_no_change": 2, "validation_fraction": 0.2, "max_iter": 3}
    model = made(estimator_class, learning_rate="constant", **end)
    assert unused_in(model.partial_fit, X, y, **classes) == []
    auto = made(estimator_class, max_iter="auto", warmup_fraction=0.2)
    assert unused_in(auto.partial_fit, X, y, **classes) == ["warmup_fraction"]
    assert unused_in(made(estimator_class, warmup_fraction=0.2).partial_fit, X, y, **classes) == []


class LSTM(GRUClassifier):
    """A subclass of a user's, whose choices are its own."""

    def __init__(self, hidden_layer_sizes=3, *, power_t=0.3, random_state=None):
        super().__init__(
            hidden_layer_sizes, power_t=power_t, cell="lstm", reset_after=True, max_iter=2
        )
        self.random_state = random_state


def test_a_subclass_has_defaults_of_its_own():
    X, y = WIDE
    assert unused_in(LSTM().fit, X, y) == []
    assert unused_in(LSTM(power_t=0.5).fit, X, y) == ["power_t"]
