"""Errors about parameters say what was probably meant."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skgru import GRUClassifier, GRURegressor, PerTimestep, SequenceAligner, SequenceVectorizer
from skgru._hints import _MEANT, _NAMES, _NOTES, _NOTES_ON_NAMES, hint_at_value
from skgru.metrics import _SCHEME
from tests.datasets import ESTIMATORS, rectangle

PUBLIC = [*ESTIMATORS, PerTimestep, SequenceAligner, SequenceVectorizer]


def error_of(estimator_class, **parameters):
    X, y = rectangle()
    with pytest.raises(ValueError, match=r"parameter|must be|expected") as caught:
        estimator_class(**parameters).fit(X, y)
    return caught.value


@pytest.mark.parametrize(
    ("parameters", "meant"),
    [
        # Other spellings
        ({"cell": "GRU"}, "cell='gru'"),
        ({"cell": "LSTM"}, "cell='lstm'"),
        ({"pooling": "Max"}, "pooling='max'"),
        ({"solver": "L-BFGS"}, "solver='lbfgs'"),
        ({"solver": "L-BFGS-B"}, "solver='lbfgs'"),
        ({"solver": "adan"}, "solver='adam'"),
        ({"loss": "squared error"}, "loss='squared_error'"),
        ({"loss": "absolut_error"}, "loss='absolute_error'"),
        ({"scaling": "Robust"}, "scaling='robust'"),
        ({"bidirectional": "Auto"}, "bidirectional='auto'"),
        ({"bidirectional": "true"}, "bidirectional=True"),
        ({"scaling": "none"}, "scaling=None"),
        # Other words
        ({"pooling": "avg"}, "pooling='mean'"),
        ({"pooling": "all"}, "pooling=None"),
        ({"cell": "SimpleRNN"}, "cell='rnn'"),
        ({"cell": "BiLSTM"}, "cell='lstm', bidirectional=True"),
        ({"loss": "mse"}, "loss='squared_error'"),
        ({"loss": "L2"}, "loss='squared_error'"),
        ({"loss": "mae"}, "loss='absolute_error'"),
        ({"loss": "pinball"}, "loss='quantile'"),
        ({"solver": "rmsprop"}, "solver='adam'"),
        ({"solver": "AdamW"}, "solver='adam', weight_decay=0.1"),
        ({"learning_rate": "plateau"}, "learning_rate='adaptive'"),
        ({"learning_rate": "step"}, "learning_rate='adaptive'"),
        ({"learning_rate": "OneCycle"}, "learning_rate='cosine'"),
        ({"scaling": "standardize"}, "scaling='standard'"),
        ({"scaling": "z-score"}, "scaling='standard'"),
        ({"scaling": True}, "scaling='standard'"),
        ({"scaling": False}, "scaling=None"),
        ({"missing": "ffill"}, "missing='decay'"),
        ({"dtype": np.float32}, "dtype='float32'"),
        ({"dtype": np.dtype("float64")}, "dtype='float64'"),
        ({"dtype": float}, "dtype='float64'"),
        # Numbers
        ({"hidden_layer_sizes": 64.0}, "hidden_layer_sizes=64"),
        ({"hidden_layer_sizes": np.float32(64)}, "hidden_layer_sizes=64"),
        ({"hidden_layer_sizes": "64"}, "hidden_layer_sizes=64"),
        ({"max_iter": 100.0}, "max_iter=100"),
        ({"max_iter": None}, "max_iter='auto'"),
        ({"random_state": 0.0}, "random_state=0"),
        ({"dropout": 50}, "dropout=0.5"),
        ({"validation_fraction": 20}, "validation_fraction=0.2"),
        ({"alpha": "0.5"}, "alpha=0.5"),
        ({"shuffle": 1}, "shuffle=True"),
        ({"patch_size": 0}, "patch_size=1"),
        ({"max_grad_norm": 0}, "max_grad_norm=None"),
        ({"n_iter_no_change": None}, "n_iter_no_change=inf"),
        ({"n_jobs": "all"}, "n_jobs=-1"),
        # Another parameter
        ({"learning_rate": 0.01}, "learning_rate_init=0.01"),
        ({"learning_rate": "adam"}, "solver='adam'"),
        ({"solver": "cosine"}, "learning_rate='cosine'"),
        ({"cell": 64}, "hidden_layer_sizes=64"),
        ({"early_stopping": 10}, "n_iter_no_change=10"),
        ({"early_stopping": 0.2}, "validation_fraction=0.2"),
    ],
    ids=str,
)
def test_values(parameters, meant):
    error = error_of(GRURegressor, **parameters)
    assert type(error) is InvalidParameterError
    (name,) = parameters
    text, _, hint = str(error).partition(" instead.")
    assert text.startswith(f"The '{name}' parameter of GRURegressor must be ")
    assert hint == f" Did you mean {meant}?"


@pytest.mark.parametrize(
    ("parameters", "meant"),
    [
        ({"cell": ("GRU", "lstm"), "hidden_layer_sizes": (4, 3)}, "cell=('gru', 'lstm')"),
        ({"cell": np.array(["LSTM"])}, "cell=('lstm',)"),
        ({"pooling": ["last", "avg"]}, "pooling=('last', 'mean')"),
        ({"hidden_layer_sizes": (64.0, 32)}, "hidden_layer_sizes=(64, 32)"),
        ({"hidden_layer_sizes": np.array([64.0])}, "hidden_layer_sizes=(64,)"),
        ({"loss": "quantile", "quantiles": (10, 50, 90)}, "quantiles=(0.1, 0.5, 0.9)"),
    ],
    ids=str,
)
def test_values_of_a_sequence(parameters, meant):
    assert str(error_of(GRURegressor, **parameters)).endswith(f". Did you mean {meant}?")


@pytest.mark.parametrize(
    "parameters",
    [
        {"cell": ("gru", "bilstm"), "hidden_layer_sizes": (4, 3)},
        {"cell": ("gru", "lstm")},
        {"cell": 1j},
        {"pooling": ("last", "last")},
        {"pooling": ()},
        {"hidden_layer_sizes": 0},
        {"hidden_layer_sizes": (4, [3, 2])},
        {"hidden_layer_sizes": (np.zeros(2), 3)},
        {"alpha": -1},
        {"alpha": np.nan},
        {"dropout": 1.0},
        {"momentum": 1.5},
        {"scaling": "something else"},
        {"solver": ""},
        {"class_weight": "heavy"},
    ],
    ids=str,
)
def test_no_hint_where_there_is_nothing_to_guess(parameters):
    estimator_class = GRUClassifier if "class_weight" in parameters else GRURegressor
    assert "Did you mean" not in str(error_of(estimator_class, **parameters))


@pytest.mark.parametrize(
    ("parameters", "note"),
    [
        ({"scaling": "minmax"}, "Put PerTimestep(MinMaxScaler()) in front"),
        ({"n_jobs": "cuda"}, "skgru computes on the processor"),
        ({"dtype": "float16"}, "Expected at least single precision."),
    ],
    ids=str,
)
def test_what_there_is_not(parameters, note):
    assert f" instead. {note}" in str(error_of(GRUClassifier, **parameters))


@pytest.mark.parametrize(
    ("estimator", "X", "meant"),
    [
        (SequenceVectorizer(analyzer="words"), ["a b"], "analyzer='word'"),
        (SequenceVectorizer(truncating="left"), ["a b"], "truncating='pre'"),
        (SequenceVectorizer(max_features=100.0), ["a b"], "max_features=100"),
        (SequenceAligner(aggregate="average"), None, "aggregate='mean'"),
        (SequenceAligner(handle_unknown="Ignore"), None, "handle_unknown='ignore'"),
        (PerTimestep(StandardScaler(), features_per_step=2.0), [[1, 2]], "features_per_step=2"),
        (GRUClassifier(class_weight=True), [[1, 2]], "class_weight='balanced'"),
    ],
    ids=str,
)
def test_all_estimators(estimator, X, meant):
    with pytest.raises(InvalidParameterError, match=rf"instead\. Did you mean {meant}\?$"):
        estimator.fit(X, [0])


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("learning_rat", "Did you mean 'learning_rate'?"),
        ("hiddenLayerSizes", "Did you mean 'hidden_layer_sizes'?"),
        ("epochs", "Did you mean 'max_iter'?"),
        ("units", "Did you mean 'hidden_layer_sizes'?"),
        ("lr", "Did you mean 'learning_rate_init'?"),
        ("patience", "Did you mean 'n_iter_no_change'?"),
        ("device", "skgru computes on the processor"),
        ("loss", "The classifier minimizes the log-loss."),
    ],
)
def test_names(name, hint):
    with pytest.raises(TypeError) as caught:
        GRUClassifier(**{name: 1})
    start = f"GRUClassifier.__init__() got an unexpected keyword argument '{name}'. "
    assert str(caught.value).startswith(start + hint)
    for model in (GRUClassifier(), make_pipeline(GRUClassifier())):
        key = name if isinstance(model, GRUClassifier) else f"gruclassifier__{name}"
        with pytest.raises(ValueError, match=f"^Invalid parameter '{name}' for") as caught:
            model.set_params(**{key: 1})
        assert f"]. {hint}" in str(caught.value)


def test_names_without_a_hint():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'xyzzy'\.$"):
        GRUClassifier(xyzzy=1)
    with pytest.raises(ValueError, match=r"Valid parameters are: .*\]\.$"):
        GRUClassifier().set_params(xyzzy=1)
    with pytest.raises(TypeError, match="positional argument"):
        GRUClassifier(4, 5)


def test_names_of_what_is_inside():
    per_step = PerTimestep(StandardScaler())
    assert per_step.set_params(transformer__with_mean=False).transformer.with_mean is False
    with pytest.raises(ValueError, match="Invalid parameter 'with_men' for estimator StandardS"):
        per_step.set_params(transformer__with_men=False)
    with pytest.raises(ValueError, match=r"Did you mean 'transformer'\?"):
        per_step.set_params(transfomer__with_mean=False)


class Small(GRUClassifier):
    """A subclass of a user's."""

    def __init__(self, units=4, **others):
        super().__init__(units, **others)
        self.units = units


def test_subclasses_have_names_of_their_own():
    assert Small(units=3).hidden_layer_sizes == 3
    with pytest.raises(TypeError, match=r"Small.__init__\(\) got .* 'epochs'. Did you mean 'max"):
        Small(epochs=3)


@pytest.mark.parametrize("estimator_class", PUBLIC)
def test_constructors_show_their_parameters(estimator_class):
    parameters = inspect.signature(estimator_class).parameters
    assert len(parameters) > 1
    assert not {"args", "kwargs"} & set(parameters)
    if estimator_class is not PerTimestep:
        assert sorted(parameters) == sorted(estimator_class().get_params(deep=False))
        assert repr(clone(estimator_class())) == f"{estimator_class.__name__}()"


# --- The tables ----------------------------------------------------------------------------------


def test_every_entry_leads_somewhere():
    constraints = {"scheme": _SCHEME}
    for estimator_class in reversed(PUBLIC):  # dtype is the networks', not the vectorizer's
        constraints |= estimator_class._parameter_constraints
    for name, words in _MEANT.items():
        for key in words:
            assert key == key.casefold()
            assert key.isalnum()
            assert hint_at_value(name, key, constraints), f"{name}={key}"
    assert _NOTES.keys() <= constraints.keys()
    names = {name for cls in PUBLIC for name in inspect.signature(cls).parameters}
    assert set(_NAMES.values()) <= names
    assert not set(_NAMES) & names
    assert not set(_NOTES_ON_NAMES) & set(_NAMES)
