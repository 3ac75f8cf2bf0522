"""to_keras and from_keras: the same predictions as Keras' models, there and back.

On PyTorch, Keras multiplies matrices in single precision, whatever the type of the layer.
"""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer
from skgru.interop import from_keras, to_keras
from tests.parity.configurations import random_fit, said
from tests.parity.test_torch_weights import run_examples

POOLINGS = ["last", "mean", "max", "attention", None, ("last", "mean", "max", "attention")]
LOSSES = ["squared_error", "huber", "poisson", "absolute_error"]
CHAINS = ("last", "mean", "max", None)
PADDING = -1.0
TOLERANCE = 1e-4


def outputs_of(model, x):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(x)))


def results(estimator, X):
    """Return what an estimator predicts as the model returns it."""
    if isinstance(estimator, GRURegressor):
        return estimator.predict(X)
    p = estimator.predict_proba(X)
    if estimator.n_outputs_ > 1:
        return p
    if estimator.pooling is None:
        return np.array([p_i[:, 1:] for p_i in p], object)
    return p[:, 1:]


def assert_same(estimator, model, X, x):
    ours, theirs = results(estimator, X), outputs_of(model, x)
    if estimator.pooling is None:
        ours = np.concatenate(list(ours))
        theirs = np.concatenate([y_i[: len(x_i)] for x_i, y_i in zip(X, theirs, strict=True)])
    assert theirs.dtype == estimator.dtype
    assert_allclose(ours.reshape(theirs.shape), theirs, rtol=TOLERANCE, atol=TOLERANCE)


def said_beside(estimator):
    """Return what `from_keras` needs to be told beside the weights of layers."""
    options = {"pooling": estimator.pooling, "freeze_embedding": estimator.freeze_embedding}
    if estimator.get_params()["embedding_dim"] == "auto":
        options = {"pooling": estimator.pooling}
        if estimator.scaling is not None:
            options |= {n: getattr(estimator, f"{n}_") for n in ("feature_mean", "feature_scale")}
    if isinstance(estimator, GRURegressor):
        options |= {n: getattr(estimator, f"{n}_") for n in ("target_mean", "target_scale")}
        return options | {"loss": estimator.loss}
    is_multilabel = estimator.out_activation_ == "logistic" and estimator.n_outputs_ > 1
    return options | ({"multilabel": True} if is_multilabel else {"classes": estimator.classes_})


@pytest.mark.parametrize("seed", range(60))
def test_the_model_predicts_the_same_and_comes_back_bit_by_bit(seed):
    estimator, X, y, padded = random_fit(
        seed, poolings=POOLINGS, losses=LOSSES, scalings=("standard", None)
    )
    try:
        has_tokens = padded.ndim == 2
        model = to_keras(estimator, mask_value=None if has_tokens else PADDING)
        assert_same(estimator, model, X, np.where(np.isnan(padded), PADDING, padded))
        if not has_tokens:
            alike = np.array([x for x in X if len(x) == len(X[0])])
            assert_same(estimator, to_keras(estimator), alike, alike)

        beside = said_beside(estimator)
        weights = [layer.get_weights() for layer in model.layers]
        again = [from_keras(weights, **beside)]
        if estimator.pooling in CHAINS and (has_tokens or estimator.pooling != "max"):
            names = ("classes", "multilabel", "freeze_embedding")
            of_classes = {n: beside[n] for n in names if n in beside}
            if estimator.pooling == "max":
                with pytest.raises(ValueError, match="no chain of layers"):
                    from_keras(model, **of_classes)
            else:
                again.append(from_keras(model, **of_classes))
        for back in again:
            for name, array in estimator.parameters_.items():
                assert_array_equal(back.parameters_[name], array)
            # (Keras squares a deviation, and takes the root of that.)
            for a, b in zip(results(back, X), results(estimator, X), strict=True):
                assert_array_equal(a, b)
        back.set_params(random_state=0).partial_fit(X, y)
        assert back.t_ == len(X)
        assert not np.array_equal(back.parameters_["head.bias"], estimator.parameters_["head.bias"])
    except Exception as error:
        error.add_note(str(said(estimator)))
        raise


L = keras.layers
CELLS = {
    "gru": lambda **options: L.GRU(4, **options),
    "gru before": lambda **options: L.GRU(4, reset_after=False, **options),
    "gru without biases": lambda **options: L.GRU(4, use_bias=False, **options),
    "lstm": lambda **options: L.LSTM(4, unit_forget_bias=False, **options),
    "rnn": lambda **options: L.SimpleRNN(4, **options),
}


@pytest.mark.parametrize("has_tokens", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", list(CELLS))
def test_a_model_of_keras_becomes_an_estimator(cell, bidirectional, has_tokens):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)

    def recurrent(**options):
        layer = CELLS[cell](dropout=0.2, **options)
        return L.Bidirectional(layer) if bidirectional else layer

    below = [L.Embedding(9, 3, mask_zero=True)] if has_tokens else [L.Masking(PADDING)]
    model = keras.Sequential(
        [
            keras.Input((None,) if has_tokens else (None, 2)),
            *below,
            recurrent(return_sequences=True),
            L.Dropout(0.4),
            recurrent(),
            L.Dense(3),
            L.Softmax(),
        ]
    )
    for layer in model.layers:
        layer.set_weights([rng.normal(0, 0.6, w.shape) for w in layer.get_weights()])
    X = [rng.integers(1, 9, n) if has_tokens else rng.normal(size=(n, 2)) for n in (6, 3, 1)]
    padded = np.full((3, 6, *X[0].shape[1:]), 0 if has_tokens else PADDING)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    clf = from_keras(model, classes=["c", "a", "b"])
    p = outputs_of(model, padded)[:, [1, 2, 0]]
    assert_allclose(clf.predict_proba(X), p, rtol=0, atol=1e-5)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_one_output_of_two_classes_and_labels(activation):
    X = np.random.default_rng(0).normal(size=(5, 4, 2))
    for n_outputs, options in ((1, {"classes": ["no", "yes"]}), (3, {"multilabel": True})):
        model = keras.Sequential([keras.Input((None, 2)), L.GRU(4), L.Dense(n_outputs, activation)])
        y = outputs_of(model, X.astype(np.float32))
        p = y if activation else 1 / (1 + np.exp(-y))
        found = from_keras(model, **options).predict_proba(X)
        assert_allclose(found[:, -n_outputs:], p, rtol=0, atol=1e-5)


def test_scales_of_a_model():
    X = np.random.default_rng(0).normal(5, 3, size=(50, 4, 2)).astype(np.float32)
    adapted = L.Normalization()
    adapted.adapt(X)
    for first in (adapted, L.Rescaling([0.5, 0.25], [1.0, 2.0]), L.Rescaling(0.5)):
        below = [keras.Input((None, 2)), first, L.GRU(4), L.Dense(1, "exponential")]
        model = keras.Sequential([*below, L.Rescaling(3.0, 1.0)])
        reg = from_keras(model)
        assert reg.loss == "poisson"
        assert_allclose(reg.predict(X), outputs_of(model, X)[:, 0], rtol=1e-5)
    with pytest.raises(ValueError, match="feature_mean: the model itself says it"):
        from_keras(model, feature_mean=0.0)


def test_a_functional_chain_and_steps():
    X = np.random.default_rng(0).normal(size=(5, 4, 2)).astype(np.float32)
    inputs = keras.Input((None, 2))
    y = L.LSTM(4, return_sequences=True)(inputs)
    model = keras.Model(inputs, L.TimeDistributed(L.Dense(2))(y))
    assert_allclose(from_keras(model).predict(X), outputs_of(model, X), rtol=0, atol=1e-5)
    both = keras.Model(inputs, L.Dense(1)(L.Concatenate()([L.GRU(3)(inputs), L.GRU(3)(inputs)])))
    with pytest.raises(ValueError, match="no chain of layers: expected a Sequential"):
        from_keras(both)


def sequential(*layers, n_features=2):
    return keras.Sequential([keras.Input((6, n_features)), *layers])


def ids(*layers):
    return keras.Sequential([keras.Input((None,)), *layers])


REFUSED = {
    "activation": (sequential(L.GRU(4, activation="relu"), L.Dense(1)), "activation='tanh', got"),
    "recurrent activation": (
        sequential(L.LSTM(4, recurrent_activation="hard_sigmoid"), L.Dense(1)),
        "recurrent_activation='sigmoid', got 'hard_sigmoid'",
    ),
    "backwards": (sequential(L.GRU(4, go_backwards=True), L.Dense(1)), "go_backwards=False"),
    "stateful": (
        keras.Sequential([keras.Input((6, 2), batch_size=1), L.GRU(4, stateful=True), L.Dense(1)]),
        "stateful=False",
    ),
    "sum": (
        sequential(L.Bidirectional(L.GRU(4), merge_mode="sum"), L.Dense(1)),
        "merge_mode='concat', got 'sum'",
    ),
    "other backward layer": (
        sequential(
            L.Bidirectional(L.GRU(4), backward_layer=L.LSTM(4, go_backwards=True)), L.Dense(1)
        ),
        "expected a GRU, LSTM or SimpleRNN inside",
    ),
    "other backward units": (
        sequential(
            L.Bidirectional(L.GRU(4), backward_layer=L.GRU(3, go_backwards=True)), L.Dense(1)
        ),
        "the same shapes in both directions",
    ),
    "convolution": (sequential(L.Conv1D(4, 2), L.GRU(4), L.Dense(1)), "is of type Conv1D"),
    "generic RNN": (sequential(L.RNN(L.GRUCell(4)), L.Dense(1)), "is of type RNN"),
    "hidden Dense": (
        sequential(L.GRU(4), L.Dense(3, activation="relu"), L.Dense(1)),
        "expected the activation linear, softmax, sigmoid or exponential, got 'relu'",
    ),
    "two Dense": (sequential(L.GRU(4), L.Dense(3), L.Dense(1)), "one Dense layer, got"),
    "two activations": (
        sequential(L.GRU(4), L.Dense(3, activation="softmax"), L.Softmax()),
        "expected one activation, got softmax",
    ),
    "Dense below": (sequential(L.Dense(3), L.GRU(4), L.Dense(1)), "the recurrent layers before it"),
    "no Dense": (sequential(L.GRU(4)), "Expected at least one GRU, .* Dense ones: none"),
    "softmax of numbers": (
        sequential(L.GRU(4), L.Dense(2, activation="softmax")),
        "outputs of numbers .* got 'softmax'",
    ),
    "two normalizations": (
        sequential(L.Rescaling(2.0), L.Rescaling(2.0), L.GRU(4), L.Dense(1)),
        "expected one Normalization or Rescaling, got two",
    ),
    "rescaling between": (
        sequential(L.GRU(4), L.Rescaling(2.0), L.Dense(1)),
        "before the recurrent layers, or after Dense",
    ),
    "inverted": (
        sequential(L.Normalization(mean=[0.0] * 2, variance=[1.0] * 2, invert=True), L.GRU(4)),
        "invert=False",
    ),
    "zeros that are tokens": (
        ids(L.Embedding(9, 3), L.GRU(4), L.Dense(1)),
        "row 0 of the embedding is that of a token: expected mask_zero=True",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_refused_of_a_model(case):
    model, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        from_keras(model)


def test_the_maximum_over_padding_is_refused():
    layers = [L.Embedding(9, 3, mask_zero=True), L.GRU(4, return_sequences=True)]
    with pytest.warns(UserWarning, match="does not support masking"):  # of Keras itself
        model = ids(*layers, L.GlobalMaxPooling1D(), L.Dense(1))
    with pytest.raises(ValueError, match="reads padding as if it were steps"):
        from_keras(model)


def test_activations_that_are_not_those_of_the_classes():
    model = sequential(L.GRU(4), L.Dense(3, activation="sigmoid"))
    with pytest.raises(ValueError, match="outputs of classes need the activation softmax"):
        from_keras(model, classes=["a", "b", "c"])
    model = sequential(L.GRU(4), L.Dense(3, activation="softmax"))
    with pytest.raises(ValueError, match=r"outputs of labels, .* need the activation sigmoid"):
        from_keras(model, multilabel=True)
    with pytest.raises(ValueError, match="loss='poisson' does not go with"):
        from_keras(sequential(L.GRU(4), L.Dense(1)), loss="poisson")
    with pytest.raises(ValueError, match="pooling: the model itself says 'last'"):
        from_keras(sequential(L.GRU(4), L.Dense(1)), pooling="mean")


def test_padding_in_front_and_empty_sequences():
    texts = ["good plot", "bad", "the good the bad the plot", "bad bad plot good"] * 5
    documents = SequenceVectorizer().fit_transform(texts)
    clf = GRUClassifier(embedding_dim=4, bag=False, pooling=("last", "mean", "max"), max_iter=1)
    clf.fit(documents, ["yes", "no", "no", "yes"] * 5)
    rows = np.array([[0, 2, 3, 0], [0, 0, 5, 3], [0, 0, 0, 0], [4, 0, 0, 0]])
    some = [np.array(row, int) for row in ([2, 3], [5, 3], [], [4])]
    p = outputs_of(to_keras(clf), rows)
    assert_allclose(clf.predict_proba(some)[:, 1:], p, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_the_last_state_beside_other_poolings(cell, bidirectional):
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    options = {"cell": cell, "bidirectional": bidirectional, "pooling": ("mean", "last")}
    reg = GRURegressor((3, 4), **options, max_iter=1, random_state=0).fit(X, X[:, 0, 0])
    y = outputs_of(to_keras(reg), X.astype(np.float32))
    assert_allclose(reg.predict(X), y[:, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_frozen_embedding_is_not_trained(is_frozen):
    X = np.random.default_rng(0).integers(1, 9, size=(20, 5))
    reg = GRURegressor(3, embedding_dim=2, bag=False, freeze_embedding=is_frozen, pooling="last")
    model = to_keras(reg.set_params(max_iter=1).fit(X, X[:, 0]))
    assert model.layers[0].trainable == (not is_frozen)


@pytest.mark.parametrize("pooling", ["last", ("last", "mean", "max", "attention")])
def test_the_model_is_saved_and_trained(pooling, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(5, 2, size=(60, 8, 2)).astype(np.float32)
    y = (X[:, :, 0].mean(axis=1) > 5).astype(int)
    clf = GRUClassifier(8, max_iter=1, n_convolutions=0, pooling=pooling, random_state=0)
    model = to_keras(clf.fit(X, y), mask_value=-100.0)
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(outputs_of(restored, X), outputs_of(model, X), rtol=0, atol=1e-6)
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    model.fit(X, y, epochs=30, verbose=0, shuffle=False)
    weights = [layer.get_weights() for layer in model.layers]
    scales = {"feature_mean": clf.feature_mean_, "feature_scale": clf.feature_scale_}
    trained = from_keras(weights, classes=[0, 1], pooling=pooling, **scales)
    assert trained.score(X, y) > 0.95 > clf.score(X, y)


def test_the_example_of_to_keras():
    run_examples(to_keras, {})
