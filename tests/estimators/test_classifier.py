"""What is particular to the classifier: labels, probabilities, class weights, embeddings."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils import get_tags

from skgru import GRUClassifier
from tests.datasets import assert_same_model, ragged, rectangle, small, token_sequences

# Labels

LABELS = {
    "integers": np.array([0, 1]),
    "negative integers": np.array([-7, 3]),
    "uint8": np.array([1, 200], dtype="uint8"),
    "strings": np.array(["no", "yes"]),
    "long strings last": np.array(["a", "zebras"]),
    "objects": np.array(["no", "yes"], dtype=object),
    "booleans": np.array([False, True]),
    "whole floats": np.array([1.0, 2.0]),
}


@pytest.mark.parametrize("container", [np.array, list, pd.Series])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(labels, container):
    X, y = ragged(n=40)
    reference = small(GRUClassifier, max_iter=15, learning_rate_init=0.05).fit(X, y)
    model = small(GRUClassifier, max_iter=15, learning_rate_init=0.05).fit(X, container(labels[y]))
    assert_same_model(model, reference)
    assert_array_equal(model.classes_, labels)
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    assert_array_equal(predicted, labels[reference.predict(X)])
    assert model.score(X, container(labels[y])) == reference.score(X, y) > 0.8


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(["no", "yes"] * 12, dtype="category"),
        pd.Series(["no", "yes"] * 12, dtype="string"),
        pd.Series(["no", "yes"] * 12, index=range(24, 0, -1)),
        pd.Series(pd.Categorical(["no", "yes"] * 12, categories=["yes", "no", "never"])),
        pl.Series(["no", "yes"] * 12),
    ],
    ids=["category", "string", "index", "unused category", "polars"],
)
def test_labels_in_a_series(y):
    X, _ = rectangle()
    model = small(GRUClassifier).fit(X, y)
    assert_array_equal(model.classes_, ["no", "yes"])
    assert_same_model(model, small(GRUClassifier).fit(X, np.arange(24) % 2))
    assert model.score(X, y) == np.mean(model.predict(X) == np.array(["no", "yes"] * 12))


@pytest.mark.parametrize(("dtype", "kind"), [("Int64", np.int64), ("boolean", np.bool_)])
def test_nullable_labels_stay_what_they_are(dtype, kind):
    X, y = rectangle()
    model = small(GRUClassifier).fit(X, pd.Series(y, dtype=dtype))
    assert_array_equal(model.classes_, np.array([0, 1], kind), strict=True)


def test_a_column_of_labels_is_raveled_with_a_warning():
    X, y = rectangle()
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = small(GRUClassifier).fit(X, y[:, None])
    assert_array_equal(model.predict(X), small(GRUClassifier).fit(X, y).predict(X))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0] * 24, ValueError, "at least 2 classes, but y holds only one class: .*0"),
        (["a"] * 24, ValueError, "at least 2 classes, but y holds only one class: .*'a'"),
        ([0, 1] * 11, ValueError, r"inconsistent numbers of samples: \[24, 22\]"),
        ([0.5, 1.5] * 12, ValueError, "Unknown label type: continuous"),
        ([0.0, np.nan] * 12, ValueError, "contains NaN"),
        ([0.0, np.inf] * 12, ValueError, "contains infinity"),
        (np.array(["a", np.nan] * 12, dtype=object), ValueError, "NaN"),
        (pd.Series([1, None] * 12, dtype="Int64"), ValueError, "NaN"),
        (
            np.arange(72).reshape(24, 3) % 4,
            ValueError,
            r"y should be a 1d array, got an array of shape \(24, 3\)",
        ),
        (np.zeros((24, 2, 2)), ValueError, "Found array with dim 3"),
        (None, ValueError, "requires y to be passed, but the target y is None"),
        ([], ValueError, "0 sample"),
        ([1j, 2j] * 12, ValueError, "Complex data not supported"),
        ([0, 1] * 12 + [[1, 2]], ValueError, "y is ragged: .*a list as target 24"),
    ],
)
def test_bad_labels(y, error, message):
    X, _ = rectangle()
    with pytest.raises(error, match=message):
        small(GRUClassifier).fit(X, y)


def test_one_class_left_by_the_weights():
    X, y = rectangle()
    with pytest.raises(ValueError, match="at least 2 classes, but y holds only one class: "):
        small(GRUClassifier).fit(X, y, sample_weight=(y == 1).astype(float))
    three = np.where(np.arange(24) % 3 == 2, 2, y)
    model = small(GRUClassifier).fit(X, three, sample_weight=(three < 2).astype(float))
    assert_array_equal(model.classes_, [0, 1])


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1.0, 2.0], r"(?i)sample_weight.shape == \(2,\), expected \(24,\)"),
        (np.ones((24, 2)), "(?i)sample weights must be 1D"),
        ([-1.0] + [1.0] * 23, "(?i)negative values in data passed to `sample_weight`"),
        ([np.nan] * 24, "(?i)sample_weight contains NaN"),
        ([np.inf] * 24, "(?i)sample_weight contains infinity"),
        ([0.0] * 24, "(?i)at least one non-zero"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_sample_weights(method, sample_weight, message):
    X, y = rectangle()
    options = {"classes": [0, 1]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=message):
        getattr(small(GRUClassifier), method)(X, y, sample_weight=sample_weight, **options)


# Probabilities


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_and_predictions_agree(dtype, n_classes):
    X, _ = ragged(n=60)
    y = 10 - np.arange(60) % n_classes
    model = small(GRUClassifier, dtype=dtype, max_iter=10, learning_rate_init=0.1).fit(X, y)
    p, log_p = model.predict_proba(X), model.predict_log_proba(X)
    assert p.shape == log_p.shape == (60, n_classes)
    assert p.dtype == log_p.dtype == dtype
    assert all(array.dtype == dtype for array in model.parameters_.values())
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert_allclose(p.sum(axis=1), 1, rtol=tolerance)
    assert (p >= 0).all()
    assert_allclose(log_p, np.log(p), rtol=tolerance, atol=tolerance)
    assert_array_equal(model.classes_, np.sort(np.unique(y)))
    assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
    assert len(np.unique(model.predict(X))) > 1
    assert model.score(X, y) == accuracy_score(y, model.predict(X))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_probabilities_are_finite_where_the_probability_is_zero(n_classes):
    X, _ = rectangle(n=30)
    model = small(GRUClassifier).fit(X, np.arange(30) % n_classes)
    bias = model.parameters_["head.bias"]
    bias[:] = 500.0 if n_classes == 2 else [500.0, 0.0, 0.0]
    p, log_p = model.predict_proba(X), model.predict_log_proba(X)
    assert (p == 0).any()
    assert np.isfinite(log_p).all()
    assert_allclose(log_p.min(axis=1), -500, atol=10)
    multilabel = small(GRUClassifier).fit(X, np.eye(2, dtype=int)[np.arange(30) % 2])
    multilabel.parameters_["head.bias"][:] = [-500.0, 500.0]
    log_p = multilabel.predict_log_proba(X)
    assert_allclose(log_p, np.tile([-500.0, 0.0], (30, 1)), atol=10)
    assert_array_equal(multilabel.predict_proba(X).round(), np.tile([0, 1], (30, 1)))


def test_probabilities_are_those_of_the_classes_in_their_order():
    X = np.repeat([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    y = np.repeat(["c", "a", "b"], 10)
    model = small(GRUClassifier, solver="lbfgs", max_iter=50).fit(X, y)
    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert_array_equal(model.predict_proba([[-1.0, -1], [0, 0], [1, 1]]).argmax(axis=1), [2, 0, 1])
    assert log_loss(y, model.predict_proba(X)) < 0.1


# Several labels


def multilabel_data(n=40):
    X, _ = ragged(n=n, longest=6)
    return X, np.array([[x[-1, 0] > 0, x[-1, 0] < 0.5, x[-1, 0] > 5] for x in X]).astype(int)


@pytest.mark.parametrize(
    "form",
    [
        np.array,
        np.ndarray.tolist,
        lambda Y: Y.astype(bool),
        lambda Y: Y.astype(float),
        sparse.csr_matrix,
        sparse.csr_array,
        sparse.csc_array,
        sparse.coo_array,
        pd.DataFrame,
        pl.DataFrame,
    ],
    ids=["array", "lists", "bool", "float", "csr_matrix", "csr", "csc", "coo", "pandas", "polars"],
)
def test_several_labels(form):
    X, Y = multilabel_data()
    reference = small(GRUClassifier, solver="lbfgs", max_iter=50).fit(X, Y)
    model = small(GRUClassifier, solver="lbfgs", max_iter=50).fit(X, form(Y))
    assert_same_model(model, reference)
    p, predicted = model.predict_proba(X), model.predict(X)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert p.shape == predicted.shape == (40, 3)
    assert_array_equal(predicted, (p > 0.5).astype(int))
    assert predicted.dtype == int
    assert (p[:, 2] < 0.1).all()  # a label that never occurs
    assert model.score(X, Y) == (predicted == Y).all(axis=1).mean() > 0.8
    assert_allclose(model.predict_log_proba(X), np.log(p), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("values", [(0, 2), (1, 2), (-1, 1)])
def test_labels_other_than_zero_and_one(values):
    X, Y = multilabel_data()
    with pytest.raises(ValueError, match="0 and 1"):
        small(GRUClassifier).fit(X, np.array(values)[Y])


def test_a_label_is_predicted_from_a_probability_of_one_half_on():
    X, Y = multilabel_data()
    model = small(GRUClassifier).fit(X, Y)
    model.parameters_["head.weights"][:] = 0
    model.parameters_["head.bias"][:] = [-0.02, 0.02, 1.0]
    assert_allclose(model.predict_proba(X[:1]), [[0.495, 0.505, 0.731]], atol=1e-3)
    assert_array_equal(model.predict(X[:2]), [[0, 1, 1], [0, 1, 1]])


def test_one_label_column_of_a_matrix_with_only_one_sample():
    X, _ = rectangle(n=3)
    model = small(GRUClassifier).fit(X, [[1, 0], [0, 1], [1, 1]])
    assert model.predict(X[:1]).shape == (1, 2)


def test_tags_announce_several_labels():
    tags = get_tags(GRUClassifier())
    assert tags.classifier_tags.multi_label
    assert tags.classifier_tags.multi_class
    assert tags.target_tags.required


# Class weights (tests/estimators/test_invariance.py: they are sample weights)


def test_class_weights_move_the_predictions():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90, 10])
    X = rng.normal(size=(100, 3)) + 0.5 * y[:, None]
    share = {}
    for class_weight in (None, "balanced", {0: 1e-3, 1: 1.0}):
        model = small(GRUClassifier, max_iter=30, class_weight=class_weight).fit(X, y)
        share[str(class_weight)] = model.predict(X).mean()
    assert share["None"] < 0.15 < share["balanced"] < 0.85 < share[str({0: 1e-3, 1: 1.0})]


def test_class_weights_of_several_labels():
    X, Y = multilabel_data()
    weights = [{0: 1.0, 1: 5.0}, {0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0}]
    parameters = {"max_iter": 10, "alpha": 0, "scaling": None, "dtype": "float64"}
    model = small(GRUClassifier, class_weight=weights, **parameters).fit(X, Y)
    by_sample = small(GRUClassifier, **parameters).fit(X, Y, sample_weight=1.0 + 4 * Y[:, 0])
    assert_allclose(model.predict_proba(X), by_sample.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("class_weight", ["other", 3, {"a": 1.0}, [{0: 1.0, 1: 1.0}]])
def test_bad_class_weights(class_weight):
    X, y = rectangle()
    with pytest.raises(ValueError, match="class_weight"):
        small(GRUClassifier, class_weight=class_weight).fit(X, y)


# The layout of the parameters


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("output_gate", [False, True])
@pytest.mark.parametrize("tokens", [False, True])
def test_layout_of_the_parameters(tokens, output_gate, reset_after):
    X, y = token_sequences() if tokens else ragged(n_features=2)
    model = small(
        GRUClassifier,
        hidden_layer_sizes=(5, 4),
        output_gate=output_gate,
        reset_after=reset_after,
        embedding_dim=3 if tokens else None,
    )
    model.fit(X, y)
    expected = {"head.weights": (4, 1), "head.bias": (1,)}
    for i, (n_inputs, n_units) in enumerate([(3 if tokens else 2, 5), (5, 4)]):
        expected |= {
            f"hidden_{i}.input_weights": (n_inputs, 3 * n_units),
            f"hidden_{i}.recurrent_weights": (n_units, 3 * n_units),
            f"hidden_{i}.bias": (3 * n_units,),
        }
        if reset_after:
            expected[f"hidden_{i}.recurrent_bias"] = (n_units,)
        if output_gate:
            expected |= {
                f"hidden_{i}.output_input_weights": (n_inputs, n_units),
                f"hidden_{i}.output_state_weights": (n_units, n_units),
                f"hidden_{i}.output_bias": (n_units,),
            }
    if tokens:
        expected["embedding.weights"] = (7, 3)
    assert type(model.parameters_) is dict
    assert {name: array.shape for name, array in model.parameters_.items()} == expected
    for name in expected:
        before = model.predict_proba(X)
        model.parameters_[name][...] += 0.5
        assert np.abs(model.predict_proba(X) - before).max() > 1e-4, name


def test_the_parameters_are_those_of_the_equations():
    X, y = rectangle(n_features=2)
    model = small(GRUClassifier, dtype="float64", max_iter=10, learning_rate_init=0.1).fit(X, y)
    W, U, b = (
        model.parameters_[f"hidden_0.{n}"] for n in ("input_weights", "recurrent_weights", "bias")
    )

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    for sequence in X[:3]:
        h = np.zeros(4)
        for x in (sequence - model.feature_mean_) / model.feature_scale_:
            of_x = x @ W + b
            z = sigmoid(of_x[:4] + h @ U[:, :4])
            r = sigmoid(of_x[4:8] + h @ U[:, 4:8])
            c = np.tanh(of_x[8:] + (r * h) @ U[:, 8:])
            h = (1 - z) * h + z * c
        p = sigmoid(h @ model.parameters_["head.weights"] + model.parameters_["head.bias"])[0]
        assert_allclose(model.predict_proba([sequence])[0], [1 - p, p], rtol=1e-10)


# Embeddings


MATRIX = np.random.default_rng(0).normal(size=(9, 3))


@pytest.mark.parametrize("form", [np.array, np.ndarray.tolist, np.asfortranarray, pd.DataFrame])
@pytest.mark.parametrize("embedding_dim", ["auto", 3])
def test_embedding_matrix_gives_the_first_vectors(embedding_dim, form):
    X, y = token_sequences()
    parameters = {"learning_rate_init": 1e-30, "max_iter": 1, "dtype": "float64"}
    model = small(
        GRUClassifier, embedding_matrix=form(MATRIX), embedding_dim=embedding_dim, **parameters
    )
    model.fit(X, y)
    assert_array_equal(model.token_ids_, np.arange(1, 9))
    assert_array_equal(model.parameters_["embedding.weights"], MATRIX[1:])
    trained = small(GRUClassifier, embedding_matrix=form(MATRIX), max_iter=5).fit(X, y)
    changed = np.abs(trained.parameters_["embedding.weights"] - MATRIX[1:]).max(axis=1) > 1e-4
    assert_array_equal(changed, np.isin(np.arange(1, 9), np.concatenate(X)))


def test_each_id_has_its_own_row_of_the_embedding_matrix():
    X, y = token_sequences()
    matrix = np.zeros((9, 3))
    matrix[8], matrix[1] = 5.0, -5.0
    model = small(GRUClassifier, embedding_matrix=matrix, learning_rate_init=1e-30).fit(X, y)
    p = model.predict_proba([[7], [8], [1], [9], [10**9], [6]])[:, 0]
    assert p[0] == p[5]
    assert len(np.unique(p[:3])) == 3
    assert_array_equal(p[3:5], p[[2, 2]])  # beyond the matrix: unknown


def test_the_embedding_matrix_is_left_as_it_is():
    X, y = token_sequences()
    matrix = MATRIX.copy()
    matrix.flags.writeable = False
    small(GRUClassifier, embedding_matrix=matrix, dtype="float64").fit(X, y)
    assert_array_equal(matrix, MATRIX)


@pytest.mark.parametrize(
    ("matrix", "embedding_dim", "message"),
    [
        (MATRIX, 4, r"of shape \(9, 3\) does not fit embedding_dim=4, expected 4 columns"),
        (MATRIX, None, "embedding_dim=None has X read as numbers"),
        (MATRIX[:7], "auto", "has 7 rows, expected one for each token id, but X holds the id 7"),
        (MATRIX[:1], "auto", "1 sample.* minimum of 2"),
        (MATRIX[0], "auto", "Expected 2D array, got 1D array instead"),
        (np.full((9, 3), np.nan), "auto", "embedding_matrix contains NaN"),
        ([["a"] * 3] * 9, "auto", "bytes/strings|could not convert"),
        (
            3.0,
            "auto",
            "'embedding_matrix' parameter of GRUClassifier must be an array-like, None or",
        ),
    ],
)
def test_bad_embedding_matrix(matrix, embedding_dim, message):
    X, y = token_sequences()
    with pytest.raises(ValueError, match=message):
        small(GRUClassifier, embedding_matrix=matrix, embedding_dim=embedding_dim).fit(X, y)


def test_a_wider_embedding_is_no_numeric_input():
    X, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=5).fit(X, y)
    assert model.parameters_["hidden_0.input_weights"].shape == (5, 12)
    assert not hasattr(model, "feature_mean_")
    assert model.n_features_in_ == 1


# Scaling


def test_scaling():
    X, y = ragged(n_features=2)
    X = [x * [100, 1e-3] + [5e4, 7] for x in X]
    model = small(GRUClassifier).fit(X, y)
    steps = np.concatenate(X)
    assert_allclose(model.feature_mean_, steps.mean(axis=0), rtol=1e-10)
    assert_allclose(model.feature_scale_, steps.std(axis=0), rtol=1e-10)
    by_hand = [(x - steps.mean(axis=0)) / steps.std(axis=0) for x in X]
    unscaled = small(GRUClassifier, scaling=None).fit(by_hand, y)
    assert_allclose(model.predict_proba(X), unscaled.predict_proba(by_hand), atol=1e-5)
    assert_array_equal(unscaled.feature_mean_, [0, 0])
    assert_array_equal(unscaled.feature_scale_, [1, 1])


def test_scaling_is_by_feature_over_the_steps_of_all_sequences():
    X = np.array([[1.0, 3.0], [3.0, 5.0]])
    model = small(GRUClassifier).fit(X, [0, 1], sample_weight=[3.0, 1.0])
    assert_allclose(model.feature_mean_, [(3 * 1 + 3 * 3 + 3 + 5) / 8])
    flat = small(GRUClassifier, features_per_step=2).fit(X, [0, 1])
    assert_allclose(flat.feature_mean_, [2, 4])
    assert_allclose(flat.feature_scale_, [1, 1])


def test_a_constant_feature():
    X, y = rectangle(n_features=2)
    X[:, :, 1] = 1234.5
    model = small(GRUClassifier).fit(X, y)
    assert_allclose(model.feature_scale_[1], 1)
    assert np.isfinite(model.predict_proba(X)).all()
    X[:, :, 1] += 1  # seen as one unit away
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_time_stamps_are_learned(dtype):
    # Seconds since 1970: in float32 two of them within two minutes are the same number.
    rng = np.random.default_rng(0)
    X = 1.7e9 + rng.integers(0, 100, size=(80, 4))
    y = (X[:, -1] - 1.7e9 > 50).astype(int)
    assert len(np.unique(X.astype("float32"))) < 3
    model = small(GRUClassifier, hidden_layer_sizes=8, max_iter=60, learning_rate_init=0.05)
    assert model.fit(X.astype(dtype), y).score(X.astype(dtype), y) > 0.95
    assert model.fit(list(X.astype(dtype)), y).score(X, y) > 0.95


def test_a_frozen_embedding_keeps_its_vectors():
    X, y = token_sequences(60)
    matrix = np.random.default_rng(0).normal(size=(8, 3))
    options = {"embedding_matrix": matrix, "weight_decay": 0.1, "max_iter": 20, "bptt_steps": 3}
    frozen = small(GRUClassifier, freeze_embedding=True, **options).fit(X, y)
    tuned = small(GRUClassifier, **options).fit(X, y)
    assert_array_equal(frozen.parameters_["embedding.weights"], matrix[1:].astype(np.float32))
    assert (tuned.parameters_["embedding.weights"][2:] != matrix[3:].astype(np.float32)).all()
    assert frozen.loss_curve_[-1] < frozen.loss_curve_[0]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_an_embedding_that_is_frozen_later_stands_still(solver):
    X, y = token_sequences(60)
    model = small(GRUClassifier, embedding_dim=3, solver=solver, max_iter=20)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    before = model.parameters_["embedding.weights"].copy()
    model.set_params(freeze_embedding=True).partial_fit(X, y)
    assert_array_equal(model.parameters_["embedding.weights"], before)
    model.set_params(freeze_embedding=False).partial_fit(X, y)
    assert (model.parameters_["embedding.weights"] != before).any(axis=1)[1:].all()
