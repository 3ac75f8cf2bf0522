"""What must not change a prediction or a model: padding, company, order, weights, the process."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier
from skgru._engine.objective import Objective
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    copies,
    flat,
    output,
    pad,
    ragged,
    rectangle,
    small,
    token_sequences,
)
from tests.kinds import NAMES
from tests.processes import json_of

CONFIGURATIONS = [
    {},
    {"reset_after": True, "pooling": "mean"},
    {"output_gate": True, "hidden_layer_sizes": (5, 4)},
    {"dtype": "float64", "scaling": None},
    *({"cell": cell, "pooling": ("last", "max")} for cell in NAMES[1:]),  # the first is the default
    {"cell": ("rnn", "gru"), "hidden_layer_sizes": (5, 4), "pooling": "attention"},
    {"bidirectional": True, "pooling": ("mean", "attention")},
    {"patch_size": 3, "bidirectional": True, "cell": "lstm"},
]


def fitted(estimator_class, X, y, **parameters):
    """Return a model whose outputs differ clearly from sequence to sequence."""
    defaults = {"hidden_layer_sizes": 8, "max_iter": 15, "learning_rate_init": 0.05}
    return small(estimator_class, **defaults | parameters).fit(X, y)


# Predictions: padding, company, order


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_padding_and_company_do_not_matter(estimator_class, n_features, parameters):
    X, _ = ragged(n=40, n_features=n_features)
    X.append(np.empty((0, n_features)))
    y = np.array([len(x) + x.sum() for x in X]) / 10
    if estimator_class is GRUClassifier:
        y = np.digitize(y, [0.3, 0.5])
    model = fitted(estimator_class, X, y, **parameters)
    together = output(model, X)
    assert np.ptp(together, axis=0).max() > 0.1
    others = {
        "alone": np.concatenate([output(model, [x]) for x in X]),
        "in pairs": np.concatenate([output(model, X[i : i + 2]) for i in range(0, len(X), 2)]),
        "NaN-padded": output(model, pad(X, 8, np.nan)),
        "1,000 further steps": output(model, pad(X, 1007, np.nan)),
        "padded alone": np.concatenate([output(model, pad([x], 1007, np.nan)) for x in X]),
        "twice over": output(model, [*X, *X])[len(X) :],
    }
    for name, p in others.items():
        assert_allclose(p, together, rtol=0, atol=1e-6, err_msg=name)
    assert_array_equal(model.predict(pad(X, 1007, np.nan)), model.predict(X))


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_classes_are_exactly_equal_however_the_sequences_come(parameters):
    X, y = ragged(n=40)
    model = fitted(GRUClassifier, X, y, **parameters)
    together = model.predict(X)
    assert len(np.unique(together)) == 2
    assert_array_equal(np.concatenate([model.predict([x]) for x in X]), together)
    assert_array_equal(model.predict(pad(X, 8, np.nan)), together)
    assert_array_equal(model.predict(pad(X, 1007, np.nan)), together)


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_padding_of_tokens_does_not_matter(parameters):
    X, y = token_sequences(n=40)
    X, y = [*X, np.array([], dtype=int)], [*y, 0]
    parameters = {name: value for name, value in parameters.items() if name != "scaling"}
    model = fitted(GRUClassifier, X, y, embedding_dim=3, **parameters)
    together, classes = model.predict_proba(X), model.predict(X)
    assert np.ptp(together[:, 0]) > 0.1
    behind = pad(X, 1007, 0)
    in_front = pad([x[::-1] for x in X], 1007, 0)[:, ::-1]
    others = {
        "alone": np.concatenate([model.predict_proba([x]) for x in X]),
        "zeros behind": model.predict_proba(behind),
        "zeros in front": model.predict_proba(in_front),
        "padded alone": np.concatenate([model.predict_proba(x[None]) for x in behind]),
        "NaN behind": model.predict_proba(pad(X, 8, np.nan)),
    }
    for name, p in others.items():
        assert_allclose(p, together, rtol=0, atol=1e-6, err_msg=name)
    assert_array_equal(model.predict(behind), classes)
    assert_array_equal(model.predict(in_front), classes)
    assert_array_equal(np.concatenate([model.predict([x]) for x in X]), classes)


def test_more_sequences_than_fit_in_one_chunk():
    X, y = ragged(n=700, longest=9)
    model = fitted(GRUClassifier, X[:40], y[:40])
    one_by_one = np.concatenate([model.predict_proba([x]) for x in X])
    assert_allclose(model.predict_proba(X), one_by_one, rtol=0, atol=1e-6)
    assert_array_equal(model.predict(X), one_by_one.argmax(axis=1))


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_order_of_the_sequences_does_not_matter(estimator_class):
    X, y = ragged(n=40)
    model = fitted(estimator_class, X, y)
    order = np.random.default_rng(1).permutation(len(X))
    shuffled = output(model, [X[i] for i in order])
    assert_allclose(shuffled, output(model, X)[order], rtol=0, atol=1e-6)


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8),
    extra=st.integers(0, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_any_lengths(lengths, extra, seed):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    model = MODEL_FOR_ANY_LENGTHS
    alone = np.concatenate([model.predict_proba([x, np.ones((1, 2))])[:1] for x in X])
    padded = pad([*X, np.ones((7, 2))], 7 + extra, np.nan)
    assert_allclose(model.predict_proba([*X, np.ones((7, 2))])[:-1], alone, rtol=0, atol=1e-6)
    assert_allclose(model.predict_proba(padded)[:-1], alone, rtol=0, atol=1e-6)


MODEL_FOR_ANY_LENGTHS = fitted(
    GRUClassifier, *ragged(n=30, n_features=2), output_gate=True, hidden_layer_sizes=(4, 4)
)


# Training: padding, weights, class weights


@given(lengths=st.lists(st.integers(0, 5), min_size=4, max_size=8), extra=st.integers(0, 4))
@settings(max_examples=15)
def test_padding_does_not_matter_in_training(lengths, extra):
    rng = np.random.default_rng(len(lengths))
    X = [rng.normal(size=(length, 2)) for length in [*lengths, 2]]
    y = np.arange(len(X)) % 2
    model = small(GRUClassifier).fit(X, y)
    assert_same_model(small(GRUClassifier).fit(pad(X, 5 + extra, np.nan), y), model)


# Precise enough for the comparisons below; with one batch for all and its order fixed.
PRECISE = {"dtype": "float64", "batch_size": 400, "shuffle": False, "max_iter": 10}


@pytest.mark.filterwarnings("ignore:batch_size=400:UserWarning")
@pytest.mark.parametrize("parameters", [{"scaling": None}, {}, {"alpha": 1.0}, {"solver": "sgd"}])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_weight_of_two_is_the_same_as_two_copies(estimator_class, parameters):
    X, y = ragged(n=20)
    y = y if estimator_class is GRUClassifier else np.array([x.sum() for x in X])
    counts = np.arange(20) % 4
    repeated = np.repeat(np.arange(20), counts)
    weighted = small(estimator_class, **PRECISE | parameters).fit(X, y, sample_weight=counts)
    copied = small(estimator_class, **PRECISE | parameters).fit(
        [X[i] for i in repeated], y[repeated]
    )
    assert_allclose(output(weighted, X), output(copied, X), rtol=1e-9)
    assert_allclose(weighted.loss_curve_, copied.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_weight_of_zero_leaves_a_sample_out(estimator_class, parameters):
    X, y = token_sequences() if parameters else ragged()
    weights = (np.arange(len(X)) % 3 > 0).astype(float)
    X[0], y[0] = np.array([77]) if parameters else np.array([[1e6]]), 5  # of no weight
    kept = np.flatnonzero(weights)
    without = small(estimator_class, **parameters).fit([X[i] for i in kept], y[kept])
    with_zeros = small(estimator_class, **parameters).fit(X, y, sample_weight=weights)
    assert_same_model(with_zeros, without)
    assert_array_equal(output(with_zeros, X), output(without, X))


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_only_the_ratios_of_the_weights_matter_without_a_penalty(estimator_class):
    X, y = ragged()
    weights = 1.0 + np.arange(len(X)) % 3
    a = small(estimator_class, **PRECISE | {"batch_size": 8, "alpha": 0}).fit(X, y, weights)
    b = small(estimator_class, **PRECISE | {"batch_size": 8, "alpha": 0}).fit(X, y, weights / 1024)
    assert_allclose(output(a, X), output(b, X), rtol=1e-9)
    c = small(estimator_class, **PRECISE | {"batch_size": 8, "alpha": 0}).fit(X, y)
    assert np.abs(output(a, X) - output(c, X)).max() > 1e-4


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [-5, 5, 7]])
def test_class_weights_are_sample_weights(labels):
    X, positions = ragged(n=30)
    positions = positions if len(labels) == 2 else np.arange(30) % 3
    y = np.array(labels)[positions]
    of_class = np.array([3.0, 0.5, 1.0])[: len(labels)]
    parameters = PRECISE | {"batch_size": 8, "alpha": 0, "scaling": None}
    class_weight = dict(zip(labels, of_class.tolist(), strict=True))
    a = small(GRUClassifier, **parameters, class_weight=class_weight).fit(X, y)
    b = small(GRUClassifier, **parameters).fit(X, y, sample_weight=of_class[positions])
    assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-9)
    both = small(GRUClassifier, **parameters, class_weight=class_weight)
    both.fit(X, y, sample_weight=1.0 + np.arange(30) % 2)
    product = of_class[positions] * (1.0 + np.arange(30) % 2)
    c = small(GRUClassifier, **parameters).fit(X, y, sample_weight=product)
    assert_allclose(both.predict_proba(X), c.predict_proba(X), rtol=1e-9)


def test_balanced_class_weights_are_the_ones_of_scikit_learn():
    X, _ = ragged(n=30)
    y = np.repeat([0, 1, 2], [20, 7, 3])
    parameters = PRECISE | {"batch_size": 8}
    balanced = small(GRUClassifier, **parameters, class_weight="balanced").fit(X, y)
    by_hand = {0: 30 / 3 / 20, 1: 30 / 3 / 7, 2: 30 / 3 / 3}
    as_dict = small(GRUClassifier, **parameters, class_weight=by_hand).fit(X, y)
    assert_allclose(balanced.predict_proba(X), as_dict.predict_proba(X), rtol=1e-9)


@pytest.mark.filterwarnings("ignore:batch_size=400:UserWarning")
def test_balanced_class_weights_count_samples_by_their_weight():
    X, _ = ragged(n=12)
    y = np.repeat([0, 1], [8, 4])
    counts = 1 + np.arange(12) % 3
    repeated = np.repeat(np.arange(12), counts)
    weighted = small(GRUClassifier, **PRECISE, class_weight="balanced").fit(X, y, counts)
    copied = small(GRUClassifier, **PRECISE, class_weight="balanced")
    copied.fit([X[i] for i in repeated], y[repeated])
    assert_allclose(weighted.predict_proba(X), copied.predict_proba(X), rtol=1e-9)


# Chance


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_same_random_state_gives_the_same_model(estimator_class, parameters):
    X, y = ragged(n=40)
    a = small(estimator_class, max_iter=20, **parameters).fit(X, y)
    b = small(estimator_class, max_iter=20, **parameters).fit(X, y)
    assert_same_model(a, b)
    assert_same_model(a.fit(X, y), b)
    state = np.random.RandomState(0)
    assert_same_model(a.set_params(random_state=state).fit(X, y), b)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_another_random_state_gives_another_model(estimator_class):
    X, y = ragged()
    a = small(estimator_class, random_state=0).fit(X, y)
    b = small(estimator_class, random_state=1).fit(X, y)
    assert np.abs(output(a, X) - output(b, X)).max() > 1e-3
    state = np.random.RandomState(0)
    first, second = (small(estimator_class, random_state=state).fit(X, y) for _ in range(2))
    assert np.abs(output(first, X) - output(second, X)).max() > 1e-3


def test_the_global_random_state_is_used_only_without_one():
    # Here random_state=None is meant: it stands for NumPy's global generator.
    X, y = rectangle()
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.get_state()[1].copy()  # noqa: NPY002
    small(GRUClassifier, random_state=0).fit(X, y)
    assert_array_equal(np.random.get_state()[1], expected)  # noqa: NPY002
    a = small(GRUClassifier, random_state=None).fit(X, y)
    np.random.seed(3)  # noqa: NPY002
    assert_same_model(a, small(GRUClassifier, random_state=None).fit(X, y))


# Enough steps and units for the linear algebra library to use several threads if it may.
FIT_AND_PRINT_HASHES = """
import hashlib, json, sys
import numpy as np
from skgru import GRUClassifier, GRURegressor

rng = np.random.default_rng(0)
X = [rng.normal(size=(40 + i % 40, 3)) for i in range(128)]
y = np.array([x[:5].sum() for x in X])
weights = 0.5 + rng.random(128)
X_long = rng.normal(size=(2000, 100, 3))

def hash_of(model):
    arrays = [*model.parameters_.values(), model.feature_mean_, model.feature_scale_]
    return hashlib.sha256(b"".join(a.tobytes() for a in [*arrays, model.predict(X)])).hexdigest()

settings = dict(max_iter=1, learning_rate="cosine", random_state=0, batch_size=128)
wide, narrow = settings | dict(hidden_layer_sizes=48), settings | dict(hidden_layer_sizes=1)
print(json.dumps({
    "classifier": hash_of(GRUClassifier(**wide).fit(X, y > 0, weights)),
    "lbfgs": hash_of(GRURegressor(**wide, solver="lbfgs").fit(X, y, weights)),
    "early stopping": hash_of(GRURegressor(**wide, early_stopping=True).fit(X, y)),
    "many steps": hash_of(GRURegressor(**narrow).fit(X_long, X_long[:, 0, 0])),
}))
"""


def hashes_of_another_process(n_threads):
    names = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    environment = dict.fromkeys(names, str(n_threads))
    return json_of(FIT_AND_PRINT_HASHES, flags=["-W", "ignore"], environment=environment)


def test_two_processes_give_bit_equal_models_whatever_the_number_of_threads():
    with_one, with_two = (hashes_of_another_process(n_threads) for n_threads in (1, 2))
    assert len(set(with_one.values())) == len(with_one)
    assert with_two == with_one


# Small training sets in double precision


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize("seed", range(3))
def test_weights_are_copies_by_default_where_all_samples_make_one_batch(estimator_class, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(14, 25)), np.arange(14) % 3
    counts = rng.integers(0, 4, size=14).clip(max=2)
    parameters = {"hidden_layer_sizes": 8, "random_state": 0, "max_iter": 200}
    weighted = estimator_class(**parameters).fit(X, y, sample_weight=counts)
    copied = estimator_class(**parameters).fit(X.repeat(counts, axis=0), y.repeat(counts))
    assert weighted.parameters_["head.weights"].dtype == np.float32
    np.testing.assert_allclose(output(weighted, X), output(copied, X), rtol=1e-7)


@pytest.mark.parametrize(
    ("shape", "parameters", "computes_in"),
    [
        ((10, 100), {}, np.float64),
        ((10, 101), {}, np.float32),
        ((10, 101), {"hidden_layer_sizes": 63}, np.float64),
        ((10, 51), {"hidden_layer_sizes": (64, 64)}, np.float32),
        ((10, 50), {"hidden_layer_sizes": (64, 64)}, np.float64),
        ((32, 5), {}, np.float64),
        ((33, 5), {}, np.float32),
        ((33, 5), {"batch_size": 33}, np.float64),
        ((33, 5), {"solver": "lbfgs"}, np.float64),
        ((10, 5), {"batch_size": 9}, np.float32),
        ((10, 5), {"batch_size": 9, "dtype": "float64"}, np.float64),
    ],
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_which_training_sets_are_small(
    estimator_class, shape, parameters, computes_in, monkeypatch
):
    types = []

    def observe(self, *arguments, **options):
        types.append(arguments[3].dtype)
        original(self, *arguments, **options)

    original = Objective.__init__
    monkeypatch.setattr(Objective, "__init__", observe)
    X, y = np.random.default_rng(0).normal(size=shape), np.arange(shape[0]) % 2
    parameters = {"hidden_layer_sizes": 64} | parameters
    model = small(estimator_class, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert types.pop() == computes_in
    assert flat(model).dtype == parameters.get("dtype", "float32")
    # An epoch at a time, there may be more samples in the next one.
    if "solver" not in parameters:
        model = small(estimator_class, **parameters)
        for _ in range(2):
            classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
            model.partial_fit(X, y, **classes)
            assert types.pop() == parameters.get("dtype", "float32")
            state = model._state["optimizers"]["adam"]["m"]
            assert state.dtype == parameters.get("dtype", "float32")


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_small_training_sets_that_go_on_stay_small(estimator_class):
    X, y = np.random.default_rng(0).normal(size=(10, 5)), np.arange(10) % 2
    model = small(estimator_class, warm_start=True).fit(X, y)
    before = copies(model)
    model.fit(X, y)
    assert flat(model).dtype == np.float32
    assert any((before[name] != array).any() for name, array in model.parameters_.items())
    model.set_params(learning_rate="constant").partial_fit(X, y)  # after fits in double precision
    assert flat(model).dtype == np.float32
