"""Parameters given as NumPy's numbers and truths make the same model as Python's, bit for bit."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor, PerTimestep, SequenceVectorizer
from skgru._settings import plain as plain_number
from tests.datasets import ESTIMATORS, assert_same_model, output, small

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # fit and partial_fit are given the same parameters.
    pytest.mark.filterwarnings("ignore:Parameters without effect"),
]

INTEGERS = [np.int8, np.int16, np.uint64]
COUNTS = [*INTEGERS, np.uint8]
REALS = [np.float32, np.float64]
TRUTHS = [np.bool_]

# What a small integer cannot count: many sequences, and long ones.
SEQUENCES = {"many": (300, 6), "long": (8, 300), "few": (8, 10)}

# Parameter, its value as Python's, the types of NumPy, what else is set, and the data.
TABLE = [
    ("hidden_layer_sizes", 100, COUNTS, {}, "stamps"),
    ("batch_size", 7, COUNTS, {}, "many"),
    ("max_iter", 3, COUNTS, {"batch_size": 3}, "many"),
    ("max_iter", 3, COUNTS, {"solver": "lbfgs"}, "many"),
    ("random_state", 3, COUNTS, {"warm_start": True}, "long"),
    ("n_iter_no_change", 1, COUNTS, {"tol": 10.0}, "few"),
    ("max_fun", 3, COUNTS, {"solver": "lbfgs"}, "few"),
    ("embedding_dim", 100, COUNTS, {}, "tokens"),
    ("features_per_step", 3, COUNTS, {}, "many"),
    ("features_per_step", 2, COUNTS, {}, "long"),
    ("patch_size", 7, COUNTS, {"shift_patches": True}, "long"),
    ("n_convolutions", 85, COUNTS, {"hidden_layer_sizes": 2}, "few"),
    ("time_feature", -1, [np.int8, np.int16], {"features_per_step": 2}, "stamps"),
    ("time_feature", 1, COUNTS, {"features_per_step": 2}, "stamps"),
    ("bptt_steps", 7, COUNTS, {}, "long"),
    ("n_jobs", -1, [np.int8, np.int16], {}, "many"),
    ("verbose", 0, COUNTS, {}, "few"),
    ("alpha", 0.3, REALS, {}, "few"),
    ("alpha", 1, COUNTS, {}, "few"),
    ("learning_rate_init", 0.3, REALS, {}, "few"),
    ("learning_rate_init", 1, COUNTS, {}, "few"),
    ("power_t", 0.3, REALS, {"learning_rate": "invscaling"}, "few"),
    ("power_t", 2, COUNTS, {"learning_rate": "invscaling"}, "many"),
    ("tol", 0.3, REALS, {"solver": "lbfgs"}, "few"),
    ("tol", 1, COUNTS, {"early_stopping": True}, "many"),
    ("momentum", 0.3, REALS, {"solver": "sgd"}, "few"),
    ("momentum", 1, COUNTS, {"solver": "sgd"}, "few"),
    ("validation_fraction", 0.3, REALS, {"early_stopping": True}, "many"),
    ("beta_1", 0.3, REALS, {}, "few"),
    ("beta_1", 0, COUNTS, {}, "few"),
    ("beta_2", 0.3, REALS, {}, "few"),
    ("beta_2", 0, COUNTS, {}, "few"),
    ("epsilon", 0.3, REALS, {}, "few"),
    ("epsilon", 1, COUNTS, {}, "few"),
    ("warmup_fraction", 0.3, REALS, {}, "many"),
    ("warmup_fraction", 0, COUNTS, {}, "many"),
    ("dropout", 0.3, REALS, {}, "few"),
    ("recurrent_dropout", 0.3, REALS, {}, "few"),
    ("token_dropout", 0.3, REALS, {"embedding_dim": 2}, "tokens"),
    ("bag", True, TRUTHS, {"embedding_dim": 2}, "tokens"),
    ("weight_decay", 0.3, REALS, {}, "few"),
    ("weight_decay", 1, COUNTS, {}, "few"),
    ("max_grad_norm", 0.01, REALS, {}, "few"),
    ("max_grad_norm", 1, COUNTS, {"solver": "sgd"}, "few"),
    ("shuffle", False, TRUTHS, {}, "many"),
    ("warm_start", True, TRUTHS, {}, "many"),
    ("nesterovs_momentum", False, TRUTHS, {"solver": "sgd"}, "few"),
    ("early_stopping", True, TRUTHS, {}, "many"),
    ("reset_after", True, TRUTHS, {}, "few"),
    ("output_gate", True, TRUTHS, {}, "few"),
    ("bidirectional", True, TRUTHS, {}, "few"),
    ("freeze_embedding", True, TRUTHS, {"embedding_dim": 2}, "tokens"),
    ("shift_patches", True, TRUTHS, {"patch_size": 7}, "long"),
    ("group_by_length", True, TRUTHS, {"embedding_dim": 2}, "tokens"),
    ("verbose", True, TRUTHS, {}, "few"),
]  # fmt: skip
TABLE_OF_ONE = [
    (GRUClassifier, "label_smoothing", 0.3, REALS, {}, "few"),
    (GRUClassifier, "class_weight", {0: 0.3, 1: 0.7}, REALS, {}, "few"),
    (GRUClassifier, "crf", True, TRUTHS, {"pooling": None}, "tags"),
    (GRURegressor, "quantiles", 0.3, REALS, {"loss": "quantile"}, "few"),
    (GRURegressor, "quantiles", (0.3, 0.7), REALS, {"loss": "quantile"}, "few"),
    (GRURegressor, "huber_delta", 0.3, REALS, {"loss": "huber"}, "few"),
    (GRURegressor, "huber_delta", 1, COUNTS, {"loss": "huber"}, "few"),
]
CASES = [(cls, *row) for cls in ESTIMATORS for row in TABLE] + TABLE_OF_ONE


@cache
def read(name):
    """Return X and y."""
    rng = np.random.default_rng(0)
    if name == "tokens":
        X = [rng.integers(2, 300, size=1 + i % 7) for i in range(40)]
        return X, np.arange(40) % 2
    X = rng.normal(size=SEQUENCES.get(name, (8, 40)))
    if name == "tags":
        return X, (X > 0).astype(int)
    if name == "stamps":
        X[:, 1::2] = np.arange(20)
    return X, (X[:, -2] > 0).astype(int)


def converted(value, numpy_type):
    if isinstance(value, dict):
        return {key: numpy_type(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(numpy_type(item) for item in value)
    return numpy_type(value)


def plain(value):
    """Return what Python's number is equal to it: 0.3 is another number in single precision."""
    if isinstance(value, dict):
        return {key: item.item() for key, item in value.items()}
    return tuple(item.item() for item in value) if isinstance(value, tuple) else value.item()


def trained(estimator_class, data, method, **parameters):
    """Return a model after two calls; with `warm_start` the second goes on."""
    X, y = read(data)
    model = small(estimator_class, **parameters)
    is_first = method == "partial_fit" and hasattr(model, "predict_proba")
    classes = {"classes": [0, 1]} if is_first else {}
    for _ in range(2):
        getattr(model, method)(X, y, **classes)
    return model


@pytest.mark.parametrize(
    ("estimator_class", "name", "value", "types", "options", "data"),
    CASES,
    ids=lambda value: (
        "numpy" if isinstance(value, list) else getattr(value, "__name__", str(value))
    ),
)
def test_the_same_model(estimator_class, name, value, types, options, data):
    X, _ = read(data)
    methods = ["fit", "partial_fit"]
    if {**options, name: value}.keys() & {"early_stopping", "solver"}:
        methods = ["fit"]
    for method in methods:
        models = {}  # by what stands for the number in Python
        for numpy_type in types:
            given = converted(value, numpy_type)
            expected = plain(given)
            if str(expected) not in models:
                parameters = options | {name: expected}
                models[str(expected)] = trained(estimator_class, data, method, **parameters)
            expected = models[str(expected)]
            model = trained(estimator_class, data, method, **options | {name: given})
            assert_same_model(model, expected)
            assert model.loss_curve_ == expected.loss_curve_
            assert model.n_iter_ == expected.n_iter_
            assert_array_equal(output(model, X), output(expected, X))


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_every_parameter_that_may_be_a_number_is_in_the_table(estimator_class):
    listed = {name for cls, name, *_ in CASES if cls is estimator_class}
    no_numbers = {
        "solver", "learning_rate", "cell", "pooling", "embedding_matrix", "scaling", "missing",
        "dtype", "loss", "scoring",
    }  # fmt: skip
    assert listed == set(estimator_class().get_params()) - no_numbers


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_arrays_of_sizes_and_names(estimator_class):
    X, y = read("long")
    given = {
        "hidden_layer_sizes": np.array([100, 3], np.uint8),
        "cell": np.array(["gru", "rnn"]),
        "pooling": np.array(["last", "max"]),
    }
    model = small(estimator_class, **given).fit(X, y)
    lists = {"hidden_layer_sizes": (100, 3), "cell": ("gru", "rnn"), "pooling": ("last", "max")}
    assert_same_model(model, small(estimator_class, **given | lists).fit(X, y))
    (encoder,) = model._state["encoders"].values()
    assert all(type(name) is str for name in encoder["cells"] + encoder["pooling"])


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_parameters_stay_as_they_were_given(estimator_class):
    X, y = read("long")
    alpha = np.float32(0.3)
    assert small(estimator_class, alpha=alpha).fit(X, y).alpha is alpha


@pytest.mark.parametrize(
    ("name", "value", "types"),
    [
        ("min_df", 2, COUNTS),
        ("min_df", 0.3, REALS),
        ("max_df", 250, [np.int16, np.uint64, np.uint8]),
        ("max_df", 0.7, REALS),
        ("max_features", 2, COUNTS),
        ("max_length", 2, COUNTS),
        ("max_length", 0.7, REALS),
        ("ngram_range", (1, 2), COUNTS),
        ("vocabulary", {"no": 2, "yes": 7}, COUNTS),
        ("lowercase", False, TRUTHS),
    ],
)
def test_the_same_ids(name, value, types):
    documents = ["no yes", "Yes no no maybe", "no", "yes no perhaps so", "so so Yes"] * 60
    for numpy_type in types:
        given = converted(value, numpy_type)
        a, b = (SequenceVectorizer(**{name: v}).fit(documents) for v in (given, plain(given)))
        assert a.vocabulary_ == b.vocabulary_
        assert type(a.max_length_) is type(b.max_length_)
        ids = zip(a.transform(documents), b.transform(documents), strict=True)
        assert all(np.array_equal(*pair) for pair in ids)


@pytest.mark.parametrize("numpy_type", COUNTS)
def test_the_same_steps(numpy_type):
    X, _ = read("long")
    a, b = (
        PerTimestep(StandardScaler(), features_per_step=number).fit(X)
        for number in (numpy_type(2), 2)
    )
    assert_array_equal(a.transform(X), b.transform(X))
    assert_array_equal(a.get_feature_names_out(), b.get_feature_names_out())


def test_what_becomes_a_number_of_python():
    table = [
        (np.uint8(3), 3), (np.uint64(2**63), 2**63), (np.float16(0.5), 0.5), (np.True_, True),
        (np.longdouble(0.5), 0.5), (np.str_("gru"), "gru"), (None, None), ("gru", "gru"),
    ]  # fmt: skip
    for given, expected in table:
        found = plain_number(given)
        assert found == expected
        assert type(found) is type(expected)
    # A duration is no number of anything, though NumPy counts it among the integers.
    for unit in ("s", "ns"):
        duration = np.timedelta64(3, unit)
        assert plain_number(duration) is duration
