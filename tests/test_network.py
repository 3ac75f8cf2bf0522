"""The whole network and its recurrent stack: layers wired as documented, all gradients right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from skgru._nn.losses import PoissonDeviance, SigmoidLogLoss, SoftmaxLogLoss, SquaredError
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.recurrent import HiddenLayer, Stack
from tests import naive

D, K, V = 3, 2, 6
WIDTHS = (3, 4, 2)  # of the first, second and third hidden layer
RAGGED = [5, 3, 3, 1, 0]

RESETS = pytest.mark.parametrize("reset_after", [False, True], ids=["before", "after"])
GATES = pytest.mark.parametrize("output_gate", [False, True], ids=["open", "gate"])
DEPTHS = pytest.mark.parametrize("depth", [1, 2, 3])
POOLINGS = pytest.mark.parametrize("pooling", ["last", "mean"])
INPUTS = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
LENGTHS = pytest.mark.parametrize("lengths", [RAGGED, [3, 3, 3], [0, 0]], ids=str)
FORMS = {
    "reset_after": st.booleans(),
    "output_gate": st.booleans(),
    "pooling": st.sampled_from(["last", "mean"]),
    "tokens": st.booleans(),
    "depth": st.integers(1, 2),
}


def build(*, depth=2, tokens=False, n_outputs=K, **form):
    return Network(D, WIDTHS[:depth], n_outputs, n_tokens=V if tokens else None, **form)


def random_parameters(shapes, rng):
    return Parameters(shapes, rng.normal(0, 0.7, size_of(shapes)))


def unwritten(shapes):
    """Return a place for gradients in which no number is missing unnoticed."""
    return Parameters(shapes, np.full(size_of(shapes), np.nan))


def random_sequences(lengths, tokens, rng):
    if tokens:
        return [rng.randint(V, size=n) for n in lengths]
    return [rng.normal(size=(n, D)) for n in lengths]


def problem(lengths, *, tokens=False, seed=0, **form):
    """Return a network, random parameters, sequences, their rows and layout."""
    rng = np.random.RandomState(seed)
    network = build(tokens=tokens, **form)
    p = random_parameters(network.shapes, rng)
    sequences = random_sequences(lengths, tokens, rng)
    return network, p, sequences, naive.pack(sequences), Batch(np.array(lengths))


# Forward


@LENGTHS
@INPUTS
@POOLINGS
@DEPTHS
@GATES
@RESETS
def test_forward_equals_the_naive_equations(
    reset_after, output_gate, depth, pooling, tokens, lengths
):
    form = {"reset_after": reset_after, "output_gate": output_gate, "pooling": pooling}
    network, p, sequences, x, batch = problem(lengths, tokens=tokens, depth=depth, **form)
    raw, _ = network.forward(p, x, batch)
    expected = [naive.network(dict(p), sequence, depth=depth, **form) for sequence in sequences]
    assert raw.shape == (len(lengths), K)
    assert_allclose(raw, expected, rtol=0, atol=1e-10)


@POOLINGS
@GATES
def test_an_empty_sequence_gives_the_bias_of_the_head(pooling, output_gate):
    network, p, _, x, batch = problem([3, 0, 0], pooling=pooling, output_gate=output_gate)
    raw, _ = network.forward(p, x, batch)
    assert_array_equal(raw[1:], [p["head.bias"]] * 2)


def test_no_sequence_at_all_gives_no_output():
    network, p, *_ = problem([1])
    raw, _ = network.forward(p, np.zeros((0, D)), Batch(np.zeros(0, np.intp)))
    assert raw.shape == (0, K)


def layer_problem(lengths, *, reset_after, output_gate):
    rng = np.random.RandomState(0)
    layer = HiddenLayer(D, 4, reset_after=reset_after, output_gate=output_gate)
    p = {name: rng.normal(0, 0.8, shape) for name, shape in layer.shapes().items()}
    sequences = random_sequences(lengths, False, rng)
    return layer, p, sequences, rng.normal(size=(len(lengths), 4)), Batch(np.array(lengths))


@LENGTHS
@GATES
@RESETS
def test_hidden_layer_from_an_initial_state_equals_the_naive_equations(
    reset_after, output_gate, lengths
):
    form = {"reset_after": reset_after, "output_gate": output_gate}
    layer, p, sequences, initial, batch = layer_problem(lengths, **form)
    y, final, _ = layer.forward(p, naive.pack(sequences), batch, initial)
    expected = [
        naive.hidden_layer(p, x, h, **form) for x, h in zip(sequences, initial, strict=True)
    ]
    assert_allclose(y[len(lengths) :], naive.pack(expected), rtol=0, atol=1e-10)
    for last, y_i in zip(batch.last(y), expected, strict=True):
        if len(y_i):
            assert_allclose(last, y_i[-1], rtol=0, atol=1e-10)
    for state, x, h in zip(final, sequences, initial, strict=True):
        states = naive.gru(p, x, h, reset_after=reset_after)
        assert_allclose(state, states[-1] if len(x) else h, rtol=0, atol=1e-10)


# Gradients


@pytest.mark.parametrize("loss_of", ["outputs", "last", "both"])
@GATES
@RESETS
def test_hidden_layer_gradients_equal_central_differences(
    check_gradient, reset_after, output_gate, loss_of
):
    layer, p, sequences, initial, batch = layer_problem(
        [4, 2, 2, 1, 0], reset_after=reset_after, output_gate=output_gate
    )
    x = naive.pack(sequences)
    rng = np.random.RandomState(1)
    on_outputs = rng.normal(size=(batch.n_rows, 4)) if loss_of != "last" else None
    on_last = rng.normal(size=(batch.n_sequences, 4)) if loss_of != "outputs" else None

    def loss():
        y, _, _ = layer.forward(p, x, batch, initial)
        loss = 0.0
        if on_outputs is not None:
            loss += np.sum(on_outputs * y[batch.n_sequences :])
        if on_last is not None:
            loss += np.sum(on_last * batch.last(y))
        return loss

    g = {name: np.full(shape, np.nan) for name, shape in layer.shapes().items()}
    _, _, cache = layer.forward(p, x, batch, initial)
    dx, d_initial = layer.backward(p, on_outputs, on_last, batch, cache, g)
    for name in layer.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, initial, d_initial, "initial")


@DEPTHS
@GATES
@RESETS
def test_stack_gradients_of_all_outputs_and_the_last_equal_central_differences(
    check_gradient, reset_after, output_gate, depth
):
    rng = np.random.RandomState(0)
    stack = Stack(D, WIDTHS[:depth], reset_after=reset_after, output_gate=output_gate)
    shapes = {
        f"{part}.{name}": shape
        for part, layer in stack.layers.items()
        for name, shape in layer.shapes().items()
    }
    p, g = random_parameters(shapes, rng), unwritten(shapes)
    lengths = [3, 2, 2, 0]
    batch, x = Batch(np.array(lengths)), naive.pack(random_sequences(lengths, False, rng))
    on_outputs = rng.normal(size=(batch.n_rows, WIDTHS[depth - 1]))
    on_last = rng.normal(size=(batch.n_sequences, WIDTHS[depth - 1]))

    def loss():
        y, _, _ = stack.forward(p, x, batch)
        return np.sum(on_outputs * y[batch.n_sequences :]) + np.sum(on_last * batch.last(y))

    _, _, caches = stack.forward(p, x, batch)
    dx = stack.backward(p, on_outputs, on_last, batch, caches, g)
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


def check_network_gradients(check_gradient, network, p, x, batch, tokens, sample_loss, d_raw_of):
    def loss():
        raw, _ = network.forward(p, x, batch)
        return np.sum(sample_loss(raw))

    g = unwritten(network.shapes)
    raw, cache = network.forward(p, x, batch)
    dx = network.backward(p, d_raw_of(raw), batch, cache, g, need_dx=True)
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    if not tokens:
        check_gradient(loss, x, dx, "x")


@INPUTS
@POOLINGS
@DEPTHS
@GATES
@RESETS
def test_gradients_of_a_projection_equal_central_differences(
    check_gradient, reset_after, output_gate, depth, pooling, tokens
):
    form = {"reset_after": reset_after, "output_gate": output_gate, "pooling": pooling}
    network, p, _, x, batch = problem([3, 2, 2, 0], tokens=tokens, depth=depth, **form)
    projection = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    check_network_gradients(
        check_gradient,
        network,
        p,
        x,
        batch,
        tokens,
        lambda raw: projection * raw,
        lambda raw: projection,
    )


@INPUTS
@POOLINGS
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (SoftmaxLogLoss(), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]),
        (SigmoidLogLoss(), [[1, 0], [0, 0], [1, 1], [0, 1]]),
        (SquaredError(), [[0.5, -2], [1, 0], [0, 3], [-1, -1]]),
        (PoissonDeviance(), [[0, 1], [2, 0], [1, 5], [3, 3]]),
    ],
    ids=["softmax", "sigmoid", "squared", "poisson"],
)
def test_gradients_of_each_loss_equal_central_differences(check_gradient, loss, y, pooling, tokens):
    y = np.array(y, float)
    network, p, _, x, batch = problem(
        [4, 3, 3, 1], tokens=tokens, depth=1, pooling=pooling, n_outputs=y.shape[1]
    )
    check_network_gradients(
        check_gradient,
        network,
        p,
        x,
        batch,
        tokens,
        lambda raw: loss.loss_and_gradient(raw, y)[0],
        lambda raw: loss.loss_and_gradient(raw, y)[1],
    )


def test_with_an_embedding_the_input_gradient_is_that_of_its_vectors(check_gradient):
    """The same network without the embedding, fed with the vectors, has the same gradient."""
    network, p, _, tokens, batch = problem(RAGGED, tokens=True)
    _, cache = network.forward(p, tokens, batch)
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    dx = network.backward(p, d_raw, batch, cache, unwritten(network.shapes), need_dx=True)

    plain = build(tokens=False)
    q = Parameters(plain.shapes, p.vector[: size_of(plain.shapes)])
    vectors = p["embedding.weights"][tokens]
    check_gradient(
        lambda: np.sum(d_raw * plain.forward(q, vectors, batch)[0]), vectors, dx, "vectors"
    )


@POOLINGS
@INPUTS
def test_only_empty_sequences_have_a_gradient_in_the_head_s_bias_alone(tokens, pooling):
    network, p, _, x, batch = problem([0, 0], tokens=tokens, pooling=pooling)
    _, cache = network.forward(p, x, batch)
    g = unwritten(network.shapes)
    network.backward(p, np.array([[1.0, 2], [3, 4]]), batch, cache, g)
    for name, gradient in g.items():
        assert_array_equal(gradient, [4, 6] if name == "head.bias" else 0, err_msg=name)


# Arguments and caches stay as they are


@INPUTS
@POOLINGS
@GATES
@RESETS
def test_backward_changes_none_of_its_arguments_but_the_cache(
    reset_after, output_gate, pooling, tokens
):
    network, p, _, x, batch = problem(
        RAGGED, tokens=tokens, reset_after=reset_after, output_gate=output_gate, pooling=pooling
    )
    x.flags.writeable = p.vector.flags.writeable = False
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    d_raw.flags.writeable = False
    first, second = unwritten(network.shapes), unwritten(network.shapes)
    _, cache = network.forward(p, x, batch)
    dx = network.backward(p, d_raw, batch, cache, first, need_dx=True)
    _, cache = network.forward(p, x, batch)
    dx_2 = network.backward(p, d_raw, batch, cache, second, need_dx=True)
    assert_array_equal(first.vector, second.vector)
    assert_array_equal(dx, dx_2)


@INPUTS
@POOLINGS
@GATES
@RESETS
def test_without_input_gradient_the_parameters_have_the_same(
    reset_after, output_gate, pooling, tokens
):
    network, p, _, x, batch = problem(
        RAGGED, tokens=tokens, reset_after=reset_after, output_gate=output_gate, pooling=pooling
    )
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    full, short = unwritten(network.shapes), unwritten(network.shapes)
    _, cache = network.forward(p, x, batch)
    dx = network.backward(p, d_raw, batch, cache, full, need_dx=True)
    _, cache = network.forward(p, x, batch)
    no_dx = network.backward(p, d_raw, batch, cache, short)
    assert dx.shape == (batch.n_rows, D)
    assert no_dx is None or tokens
    assert_array_equal(full.vector, short.vector)


@INPUTS
@POOLINGS
@GATES
@RESETS
def test_float32_stays_float32_and_close_to_float64(reset_after, output_gate, pooling, tokens):
    network, p, _, x, batch = problem(
        RAGGED, tokens=tokens, reset_after=reset_after, output_gate=output_gate, pooling=pooling
    )
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    results = {}
    for dtype in (np.float32, np.float64):
        q = network.parameters(p.vector.astype(dtype))
        g = network.parameters(np.zeros_like(q.vector))
        raw, cache = network.forward(q, x if tokens else x.astype(dtype), batch)
        dx = network.backward(q, d_raw.astype(dtype), batch, cache, g, need_dx=True)
        results[dtype] = [raw, dx, g.vector]
        assert all(array.dtype == dtype for array in results[dtype])
    for single, double in zip(*results.values(), strict=True):
        assert_allclose(single, double, rtol=1e-4, atol=1e-4)


# Any lengths


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    **FORMS,
)
def test_each_sequence_alone_gives_the_same_as_in_a_batch(lengths, seed, **form):
    lengths = sorted(lengths, reverse=True)
    network, p, sequences, x, batch = problem(lengths, seed=seed, **form)
    raw, _ = network.forward(p, x, batch)
    for raw_i, sequence in zip(raw, sequences, strict=True):
        alone, _ = network.forward(p, sequence, Batch(np.array([len(sequence)])))
        assert_allclose(raw_i, alone[0], rtol=0, atol=1e-12)


@given(
    lengths=st.lists(st.integers(0, 3), min_size=2, max_size=6),
    data=st.data(),
    **FORMS,
)
def test_order_of_the_sequences_does_not_matter(lengths, data, **form):
    """Neither the outputs nor the gradient depend on which of equal length comes first."""
    lengths = sorted(lengths, reverse=True)
    network, p, sequences, x, batch = problem(lengths, **form)
    order = data.draw(st.permutations(range(len(lengths))))
    order = sorted(order, key=lambda i: -lengths[i])
    d_raw = np.random.RandomState(1).normal(size=(len(lengths), K))

    raw, cache = network.forward(p, x, batch)
    network.backward(p, d_raw, batch, cache, g := unwritten(network.shapes))
    raw_2, cache = network.forward(p, naive.pack([sequences[i] for i in order]), batch)
    network.backward(p, d_raw[order], batch, cache, g_2 := unwritten(network.shapes))
    assert_allclose(raw_2, raw[order], rtol=0, atol=1e-12)
    assert_allclose(g_2.vector, g.vector, rtol=1e-12, atol=1e-12)


# Parameters


@DEPTHS
@INPUTS
@GATES
@RESETS
def test_parameters_are_named_and_shaped_as_documented(reset_after, output_gate, tokens, depth):
    network = build(depth=depth, tokens=tokens, reset_after=reset_after, output_gate=output_gate)
    expected = {"head.weights": (WIDTHS[depth - 1], K), "head.bias": (K,)}
    for i, (n_in, n) in enumerate(zip((D, *WIDTHS), WIDTHS[:depth], strict=False)):
        layer = {
            "input_weights": (n_in, 3 * n),
            "recurrent_weights": (n, 3 * n),
            "bias": (3 * n,),
        }
        if reset_after:
            layer["recurrent_bias"] = (n,)
        if output_gate:
            layer["output_input_weights"] = (n_in, n)
            layer["output_state_weights"] = (n, n)
            layer["output_bias"] = (n,)
        expected |= {f"hidden_{i}.{name}": shape for name, shape in layer.items()}
    if tokens:
        expected["embedding.weights"] = (V, D)
    assert dict(network.shapes) == expected
    assert network.parameters(np.zeros(size_of(expected))).vector.shape == (size_of(expected),)


@DEPTHS
@INPUTS
@GATES
@RESETS
def test_the_penalty_is_on_all_matrices_but_the_embedding(reset_after, output_gate, tokens, depth):
    network = build(depth=depth, tokens=tokens, reset_after=reset_after, output_gate=output_gate)
    penalized = np.arange(size_of(network.shapes)) < network.n_penalized
    for name, part in network.parameters(penalized).items():
        is_matrix = "weights" in name and name != "embedding.weights"
        assert_array_equal(part, is_matrix, err_msg=name)


@INPUTS
@GATES
@RESETS
def test_initialize_gives_the_same_in_both_types_up_to_rounding(reset_after, output_gate, tokens):
    network = build(tokens=tokens, reset_after=reset_after, output_gate=output_gate)
    single = network.initialize(np.random.RandomState(3), np.float32)
    double = network.initialize(np.random.RandomState(3), np.float64)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert single.shape == double.shape == (size_of(network.shapes),)
    assert_array_equal(single, double.astype(np.float32))


@INPUTS
def test_initialize_is_the_same_for_the_same_seed_only(tokens):
    network = build(tokens=tokens, output_gate=True)
    one, same, other = (
        network.initialize(np.random.RandomState(seed), np.float64) for seed in (3, 3, 4)
    )
    assert_array_equal(one, same)
    for name, part in network.parameters(one == other).items():
        if "weights" in name:  # but for the unknown token's vector, zero in both
            assert not part[1:].any(), name


@INPUTS
@GATES
@RESETS
def test_initial_recurrent_blocks_are_orthogonal_and_biases_zero(reset_after, output_gate, tokens):
    network = build(tokens=tokens, depth=3, reset_after=reset_after, output_gate=output_gate)
    theta = network.initialize(np.random.RandomState(0), np.float64)
    for name, part in network.parameters(theta).items():
        if "bias" in name:
            assert_array_equal(part, 0, err_msg=name)
        elif "recurrent_weights" in name:
            for block in naive.gates(part):
                assert_allclose(block.T @ block, np.eye(len(block)), rtol=0, atol=1e-14)
        else:
            assert part[1:].all(), name


def test_initialize_leaves_the_random_state_where_it_does_not_depend_on_the_type():
    network = build(tokens=True)
    after = []
    for dtype in (np.float32, np.float64):
        rng = np.random.RandomState(0)
        network.initialize(rng, dtype)
        after.append(rng.uniform())
    assert after[0] == after[1]
