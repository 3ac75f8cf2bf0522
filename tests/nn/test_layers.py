"""The layers around the recurrence, one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skgru._nn.batch import Batch
from skgru._nn.dropout import Dropout, DropoutRates
from skgru._nn.layers import Dense, DenseRun, Embedding, GateInputs, OutputGate, Rectified
from skgru._nn.part import LayerRun, Run, StackInputGradients
from tests.parts import random_parameters, unwritten

V, D, H, K, S, B = 7, 3, 4, 2, 6, 5
BATCH = Batch(np.array([S]))  # these layers do not look at it
RUN = LayerRun(BATCH)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


# Embedding


def embed(layer, p, tokens):
    (x, gaps), cache = layer.forward(p, tokens, Run(BATCH))
    assert gaps is None
    return x, cache


def embed_backward(layer, dx, cache, g):
    return layer.backward({}, StackInputGradients(dx, None), cache, g, Run(BATCH))


def test_embedding_looks_tokens_up():
    layer = Embedding(V, D)
    assert layer.shapes() == {"weights": (V, D)}
    weights = np.random.RandomState(0).normal(size=(V, D))
    x, _ = embed(layer, {"weights": weights}, np.array([6, 0, 3, 3]))
    assert_array_equal(x, [weights[6], weights[0], weights[3], weights[3]])


@pytest.mark.parametrize("integer", [np.int32, np.int64, np.intp])
def test_embedding_gradient_adds_up_over_the_places_of_a_token(integer):
    rng = np.random.RandomState(0)
    layer = Embedding(V, D)
    tokens = np.array([6, 0, 3, 3, 0, 3, 2], integer)
    p = random_parameters(layer, rng)
    dx = rng.normal(size=(len(tokens), D))
    for array in (tokens, dx):
        array.flags.writeable = False
    _, cache = embed(layer, p, tokens)

    expected = np.zeros((V, D))
    for token, row in zip(tokens, dx, strict=True):
        expected[token] += row
    for _ in range(2):
        embed_backward(layer, dx, cache, g := unwritten(layer))
        assert_allclose(g["weights"], expected, rtol=1e-14, atol=1e-15)


@DTYPES
def test_embedding_of_no_token_has_no_gradient(dtype):
    layer = Embedding(V, D)
    x, cache = embed(layer, {"weights": np.ones((V, D), dtype)}, np.zeros(0, np.intp))
    assert x.shape == (0, D)
    embed_backward(layer, x, cache, g := unwritten(layer, dtype))
    assert_array_equal(g["weights"], 0)


@DTYPES
def test_embedding_keeps_its_type(dtype):
    layer = Embedding(V, D)
    x, cache = embed(layer, {"weights": np.ones((V, D), dtype)}, np.array([1, 2, 2]))
    assert x.dtype == dtype
    embed_backward(layer, x, cache, g := unwritten(layer, dtype))
    assert_array_equal(g["weights"][:4, 0], [0, 1, 2, 0])


def test_embedding_starts_small_and_with_nothing_for_the_unknown_token():
    layer = Embedding(50, 20)
    p = unwritten(layer)
    layer.initialize(p, np.random.RandomState(0))
    assert_array_equal(p["weights"][0], 0)
    assert (p["weights"][1:] != 0).all()
    assert 0.0499 < p["weights"].max() <= 0.05
    assert -0.05 <= p["weights"].min() < -0.0499


# Output gate


def gate_problem():
    rng = np.random.RandomState(0)
    layer = OutputGate(D, H)
    return layer, random_parameters(layer, rng), rng.normal(size=(S, D)), rng.normal(size=(S, H))


def test_output_gate_equals_its_equations():
    layer, p, x, h = gate_problem()
    y, _ = layer.forward(p, GateInputs(x, h), RUN)
    for x_t, h_t, y_t in zip(x, h, y, strict=True):
        a = p["output_bias"].copy()
        for i in range(D):
            a += x_t[i] * p["output_input_weights"][i]
        for i in range(H):
            a += h_t[i] * p["output_state_weights"][i]
        assert_allclose(y_t, np.tanh(h_t) / (1 + np.exp(-a)), rtol=0, atol=1e-15)


def test_output_gate_opens_and_closes():
    layer, p, x, h = gate_problem()
    p["output_bias"][:] = 1000
    assert_allclose(layer.forward(p, GateInputs(x, h), RUN)[0], np.tanh(h), rtol=1e-15)
    p["output_bias"][:] = -1000
    assert_array_equal(layer.forward(p, GateInputs(x, h), RUN)[0], 0)


def test_output_gate_gradients_equal_central_differences(check_gradient):
    layer, p, x, h = gate_problem()
    projection = np.random.RandomState(1).normal(size=(S, H))
    _, cache = layer.forward(p, GateInputs(x, h), RUN)
    dx, dh = layer.backward(p, projection, cache, g := unwritten(layer), RUN)

    def loss():
        return np.sum(projection * layer.forward(p, GateInputs(x, h), RUN)[0])

    for name in layer.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, h, dh, "h")


def test_output_gate_changes_none_of_its_arguments_so_backward_twice_gives_the_same():
    layer, p, x, h = gate_problem()
    dy = np.ones((S, H))
    for array in (x, h, dy, *p.values()):
        array.flags.writeable = False
    _, cache = layer.forward(p, GateInputs(x, h), RUN)
    for array in (*cache.inputs, cache.o, cache.tanh_h):
        array.flags.writeable = False
    first = layer.backward(p, dy, cache, g := unwritten(layer), RUN)
    second = layer.backward(p, dy, cache, g_2 := unwritten(layer), RUN)
    for a, b in zip((*first, *g.values()), (*second, *g_2.values()), strict=True):
        assert_array_equal(a, b)


@DTYPES
def test_output_gate_keeps_its_type(dtype):
    layer, p, x, h = gate_problem()
    p = {name: value.astype(dtype) for name, value in p.items()}
    y, cache = layer.forward(p, GateInputs(x.astype(dtype), h.astype(dtype)), RUN)
    dx, dh = layer.backward(p, y, cache, unwritten(layer, dtype), RUN)
    assert y.dtype == dx.dtype == dh.dtype == dtype


def test_output_gate_starts_with_glorot_weights_and_no_bias():
    layer = OutputGate(20, 40)
    p = unwritten(layer)
    assert {name: value.shape for name, value in p.items()} == {
        "output_input_weights": (20, 40),
        "output_state_weights": (40, 40),
        "output_bias": (40,),
    }
    layer.initialize(p, np.random.RandomState(0))
    for name, n_in in (("output_input_weights", 20), ("output_state_weights", 40)):
        bound = np.sqrt(6 / (n_in + 40))
        assert 0.98 * bound < np.abs(p[name]).max() <= bound
    assert_array_equal(p["output_bias"], 0)


# Dense


def dense_problem():
    rng = np.random.RandomState(0)
    layer = Dense(H, K)
    return layer, random_parameters(layer, rng), rng.normal(size=(B, H))


def test_dense_is_an_affine_map():
    layer, p, x = dense_problem()
    assert layer.shapes() == {"weights": (H, K), "bias": (K,)}
    y, _ = layer.forward(p, x)
    for i in range(B):
        for k in range(K):
            expected = sum(x[i, j] * p["weights"][j, k] for j in range(H)) + p["bias"][k]
            assert_allclose(y[i, k], expected, rtol=1e-13)


def test_dense_gradients_equal_central_differences(check_gradient):
    layer, p, x = dense_problem()
    projection = np.random.RandomState(1).normal(size=(B, K))
    for array in (x, projection, *p.values()):
        array.flags.writeable = False
    _, cache = layer.forward(p, x)
    dx = layer.backward(p, projection, cache, g := unwritten(layer))
    for array in (x, *p.values()):
        array.flags.writeable = True

    def loss():
        return np.sum(projection * layer.forward(p, x)[0])

    check_gradient(loss, p["weights"], g["weights"], "weights")
    check_gradient(loss, p["bias"], g["bias"], "bias")
    check_gradient(loss, x, dx, "x")


def test_dense_starts_with_glorot_weights_and_no_bias():
    layer = Dense(40, 20)
    p = unwritten(layer)
    layer.initialize(p, np.random.RandomState(0))
    bound = np.sqrt(6 / 60)
    assert 0.98 * bound < np.abs(p["weights"]).max() <= bound
    assert_array_equal(p["bias"], 0)


SPARSE = pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
LAYERS = pytest.mark.parametrize("kind", [Dense, Rectified])


@SPARSE
@LAYERS
def test_sparse_rows_give_what_the_same_rows_give_when_they_are_dense(kind, make):
    _, p, x = dense_problem()
    x[x < 0] = 0
    layer, dy = kind(H, K), np.random.RandomState(1).normal(size=(B, K))
    results = []
    for rows in (x, make(x)):
        y, cache = layer.forward(p, rows)
        dx = layer.backward(p, dy, cache, g := unwritten(layer))
        assert type(y) is np.ndarray
        dx = dx.toarray() if sparse.issparse(dx) else np.where(x == 0, 0, dx)  # what x holds
        results.append((y, dx, *g.values()))
    for dense, of_sparse in zip(*results, strict=True):
        assert_allclose(of_sparse, dense, rtol=0, atol=1e-14)


@LAYERS
def test_the_gradient_of_the_inputs_is_computed_only_if_asked_for(kind):
    _, p, x = dense_problem()
    layer = kind(H, K)
    y, cache = layer.forward(p, x)
    layer.backward(p, y, cache, g := unwritten(layer))
    dx = layer.backward(p, y, cache, g_2 := unwritten(layer), DenseRun(need_dx=False))
    assert dx is None
    for name in g:
        assert_array_equal(g[name], g_2[name])


def test_rectified_units_are_those_of_a_dense_layer_but_none_is_below_zero():
    dense, p, x = dense_problem()
    affine, _ = dense.forward(p, x)
    y, _ = Rectified(H, K).forward(p, x)
    assert (affine < 0).any()
    assert_array_equal(y, np.where(affine > 0, affine, 0))


def test_rectified_gradients_equal_central_differences(check_gradient):
    _, p, x = dense_problem()
    layer, d = Rectified(H, K), np.random.RandomState(1).normal(size=(B, K))
    _, cache = layer.forward(p, x)
    dx = layer.backward(p, d, cache, g := unwritten(layer))

    def loss():
        return np.sum(d * layer.forward(p, x)[0])

    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


def test_tokens_side_by_side_have_their_vectors_side_by_side_and_padding_none(check_gradient):
    rng = np.random.RandomState(0)
    layer = Embedding(5, 3)
    weights, projection = rng.normal(size=(5, 3)), rng.normal(size=(3, 6))
    tokens = np.array([[-1, 2], [4, 2], [0, -1]])
    x, cache = embed(layer, {"weights": weights}, tokens)
    nothing = np.zeros(3)
    expected = [[nothing, weights[2]], [weights[4], weights[2]], [weights[0], nothing]]
    assert_array_equal(x, np.reshape(expected, (3, 6)))
    g = {"weights": np.full((5, 3), np.nan)}
    embed_backward(layer, projection, cache, g)
    check_gradient(
        lambda: np.sum(projection * embed(layer, {"weights": weights}, tokens)[0]),
        weights,
        g["weights"],
        "weights",
    )
    assert_array_equal(g["weights"][[1, 3]], 0)


def test_frozen_vectors_have_no_gradient_but_pass_it_on():
    layer = Embedding(V, D, is_frozen=True)
    assert not layer.needs_dx
    _, cache = embed(layer, {"weights": np.ones((V, D))}, np.array([1, 2]))
    dx = np.ones((2, D))
    g = unwritten(layer)
    assert embed_backward(layer, dx, cache, g) is dx
    assert_array_equal(g["weights"], 0)


def test_left_out_tokens_are_the_unknown_one():
    layer = Embedding(V, D)
    p = {"weights": np.arange(1.0, V * D + 1).reshape(V, D)}
    dropout = Dropout(DropoutRates(tokens=0.5), (0,), 1)
    (x, _), cache = layer.forward(p, np.full(40, 3), Run(BATCH, dropout))
    assert set(cache) == {0, 3}
    assert_array_equal(x, p["weights"][cache])
