"""from_keras, given the weights of layers: predictions by Keras' equations, refusals."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax

from skgru import GRUClassifier, GRURegressor
from skgru.interop import from_keras, to_keras
from tests.interop.references import keras_states, last_output

D, H = 3, 4
BLOCKS = {"before": 3, "after": 3, "lstm": 4, "rnn": 1}
LENGTHS = [5, 1, 3, 8]


def arrays_of_layer(rng, form, n_inputs=D, n_units=H):
    """Return kernel, recurrent kernel and bias."""
    n = BLOCKS[form] * n_units
    shapes = [(n_inputs, n), (n_units, n), (2, n) if form == "after" else (n,)]
    return [rng.normal(0, 0.7, shape) for shape in shapes]


def random_layers(rng, form, depth=1, n_directions=1):
    widths = [D] + (depth - 1) * [n_directions * H]
    return [[arrays_of_layer(rng, form, n) for _ in range(n_directions)] for n in widths]


def as_weights(layers):
    """Return the weights of layers as Keras' have them: those of Bidirectional are six."""
    return [[array for arrays in directions for array in arrays] for directions in layers]


def random_dense(rng, n_outputs, n_pooled=H):
    return [rng.normal(size=(n_pooled, n_outputs)), rng.normal(size=n_outputs)]


def raw_of(X, layers, dense):
    pooled = np.array([last_output(keras_states, x, layers) for x in X])
    return pooled @ dense[0] + dense[1]


def random_network(form="after", n_outputs=1):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    layers, dense = random_layers(rng, form), random_dense(rng, n_outputs)
    return X, [*as_weights(layers), dense], raw_of(X, layers, dense)


@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("form", list(BLOCKS))
def test_it_predicts_what_the_equations_say(form, depth, n_directions):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    layers = random_layers(rng, form, depth, n_directions)
    dense = random_dense(rng, 2, n_directions * H)
    reg = from_keras([*as_weights(layers), [], dense])  # a layer between them has no weights
    assert isinstance(reg, GRURegressor)
    assert_allclose(reg.predict(X), raw_of(X, layers, dense), rtol=0, atol=1e-12)
    assert reg.get_params()["reset_after"] == (form == "after")


def test_classes_and_labels():
    X, weights, raw = random_network(n_outputs=3)
    clf = from_keras(weights, classes=["c", "a", "b"])
    assert isinstance(clf, GRUClassifier)
    assert_allclose(clf.predict_proba(X), softmax(raw, axis=1)[:, [1, 2, 0]], atol=1e-12)
    labels = from_keras(weights, multilabel=True)
    assert_allclose(labels.predict_proba(X), expit(raw), atol=1e-12)


def test_an_embedding_whose_first_row_is_padding():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, D))
    layers, dense = random_layers(rng, "lstm"), random_dense(rng, 1)
    reg = from_keras([[rows], *as_weights(layers), dense])
    ids = [[1, 2, 5], [4], [3, 3, 2, 1]]
    expected = raw_of([rows[i] for i in ids], layers, dense)[:, 0]
    assert_allclose(reg.predict(ids), expected, atol=1e-12)


@pytest.mark.parametrize("reset_after", [False, True])
def test_a_gru_without_biases(reset_after):
    rng = np.random.default_rng(0)
    form = "after" if reset_after else "before"
    layers, (weights, _) = random_layers(rng, form), random_dense(rng, 1)
    layers[0][0][2][...] = 0
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    without = [layers[0][0][:2], [weights]]
    expected = raw_of(X, layers, [weights, np.zeros(1)])[:, 0]
    assert_allclose(from_keras(without, reset_after=reset_after).predict(X), expected, atol=1e-12)
    with pytest.raises(ValueError, match="does not say where its reset gate acts"):
        from_keras(without)


def test_the_training_goes_on():
    X, weights, _ = random_network("before")
    reg = from_keras(weights, random_state=0)
    before = reg.predict(X)
    after = reg.partial_fit(X, [1.0, 2.0, 3.0, 4.0]).predict(X)
    assert 0 < np.abs(after - before).max() < 0.5


GRU = [np.zeros((D, 12)), np.zeros((H, 12)), np.zeros((2, 12))]
DENSE = [np.zeros((H, 2)), np.zeros(2)]
REFUSED = {
    "no model": (3, {}, "Expected a model of Keras, or a list of the weights"),
    "one list of all": ([*GRU, *DENSE], {}, r"layer 0: expected a list of arrays for each layer"),
    "no recurrence": ([DENSE], {}, "got 0 recurrent layers"),
    "two Dense layers": (
        [GRU, DENSE, [np.zeros((2, 1))]],
        {},
        "of layer 1, The weights of layer 2",
    ),
    "a batch normalization": ([GRU, [np.zeros(H)] * 4, DENSE], {}, r"layer 1 .* \(4,\), \(4,\)"),
    "a convolution": ([[np.zeros((3, D, H)), np.zeros(H)], GRU, DENSE], {}, "layer 0 are those of"),
    "other blocks": ([[GRU[0][:, :8], GRU[1][:, :8]], DENSE], {}, "3 blocks of columns for a GRU"),
    "another bias": ([[*GRU[:2], np.zeros(5)], DENSE], {}, r"bias of shape \(5,\)"),
    "both forms": (
        [GRU, [np.zeros((H, 12)), np.zeros((H, 12)), np.zeros(12)], DENSE],
        {},
        "reset gate after the product, or all before",
    ),
    "other directions": (
        [[*GRU, np.zeros((2, 12)), *GRU[1:]], [np.zeros((8, 2)), np.zeros(2)]],
        {},
        "the same shapes in both directions",
    ),
    "another pooling": ([GRU, DENSE], {"pooling": ("last", "mean")}, "reads 4 numbers, but with"),
    "an embedding of other dimensions": ([[np.zeros((9, 7))], GRU, DENSE], {}, "of 7 dimensions"),
    "ids of numbers": ([GRU, DENSE], {"token_ids": [1]}, "no embedding, expected None"),
    "NaN": ([GRU, [DENSE[0], np.full(2, np.nan)]], {}, r"layer 1 \(bias\) holds NaN"),
    "another form": ([GRU, DENSE], {"reset_after": False}, "reset_after: the network itself says"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_refused(case):
    network, options, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        from_keras(network, **options)


def test_to_keras_names_the_extra(monkeypatch):
    _, weights, _ = random_network()
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ImportError, match=r"skgru\[keras\]"):
        to_keras(from_keras(weights))


def test_weights_are_copied():
    _, weights, _ = random_network()
    reg = from_keras(weights)
    reg.parameters_["head.weights"][...] = 0
    assert_array_equal(weights[-1][0] != 0, True)
