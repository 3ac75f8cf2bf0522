"""The whole network: parts wired as documented, all gradients right."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from skgru._engine.number_losses import (
    AbsoluteError,
    GaussianLoss,
    Huber,
    PinballLoss,
    PoissonDeviance,
    SquaredError,
)
from skgru._nn.batch import Batch
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.recurrent import CELLS
from tests import kinds, naive
from tests.kinds import CELL_NAMES, GRU_KINDS, KINDS, cells_of
from tests.network_problems import (
    ALL_POOLINGS,
    DEPTHS,
    DIRECTIONS,
    FORMS,
    GATES,
    INPUTS,
    KINDS_AND_MIXED,
    POOLINGS,
    RAGGED,
    VARIANTS,
    WIDTHS,
    D,
    K,
    V,
    build,
    problem,
    random_vector,
    unwritten_vector,
)
from tests.passes import backward, forward, make_network

RESETS = pytest.mark.parametrize("kind", GRU_KINDS)


# Forward


@DEPTHS
@DIRECTIONS
@GATES
@KINDS_AND_MIXED
def test_forward_equals_the_naive_equations(kind, output_gate, bidirectional, depth):
    for (pooling, tokens), lengths in product(VARIANTS, [RAGGED, [3, 3, 3], [0, 0]]):
        form = {"output_gate": output_gate, "bidirectional": bidirectional, "pooling": pooling}
        network, p, sequences, x, batch = problem(
            lengths, kind=kind, tokens=tokens, depth=depth, **form
        )
        expected = [
            naive.network(dict(p), sequence, **cells_of(kind, depth), **form)
            for sequence in sequences
        ]
        if pooling is None:
            expected = naive.pack(expected)
        for need_cache in (True, False):
            raw, _ = forward(network, p, x, batch, need_cache=need_cache)
            assert raw.shape == (len(expected), K)
            case = f"{pooling}, tokens={tokens}, {lengths}, need_cache={need_cache}"
            assert_allclose(raw, expected, rtol=0, atol=1e-10, err_msg=case)


@POOLINGS
@DIRECTIONS
@GATES
def test_an_empty_sequence_gives_the_bias_of_the_head(pooling, output_gate, bidirectional):
    network, p, _, x, batch = problem(
        [3, 0, 0], pooling=pooling, output_gate=output_gate, bidirectional=bidirectional
    )
    raw, _ = forward(network, p, x, batch)
    assert_array_equal(raw[1:], [p["head.bias"]] * 2)


@POOLINGS
@DIRECTIONS
def test_no_sequence_at_all_gives_no_output(bidirectional, pooling):
    network, p, *_ = problem([1], bidirectional=bidirectional, pooling=pooling)
    raw, _ = forward(network, p, np.zeros((0, D)), Batch(np.zeros(0, np.intp)))
    assert raw.shape == (0, K)


# Gradients


def check_network_gradients(check_gradient, network, p, x, batch, tokens, sample_loss, d_raw_of):
    def loss():
        raw, _ = forward(network, p, x, batch)
        return np.sum(sample_loss(raw))

    g = unwritten_vector(network.shapes)
    raw, cache = forward(network, p, x, batch)
    dx = backward(network, p, d_raw_of(raw), cache, g, need_dx=True)
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    if not tokens:
        check_gradient(loss, x, dx, "x")


@INPUTS
@pytest.mark.parametrize("depth", [1, 3])
@GATES
@RESETS
def test_gradients_of_a_projection_equal_central_differences(
    check_gradient, kind, output_gate, depth, tokens
):
    """Each pooling alone is looked at beside the losses, two layers along directions."""
    form = {"kind": kind, "output_gate": output_gate, "pooling": ("last", "mean")}
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


@pytest.mark.parametrize("depth", [1, 2])
@DIRECTIONS
@GATES
@KINDS_AND_MIXED
def test_gradients_along_random_directions_equal_central_differences(
    check_along_directions, kind, output_gate, bidirectional, depth
):
    """All forms of the network. The tests of its parts look at each number of the gradient."""
    form = {"output_gate": output_gate, "bidirectional": bidirectional}
    for pooling, tokens in VARIANTS:
        network, p, _, x, batch = problem(
            [3, 2, 2, 0], kind=kind, depth=depth, tokens=tokens, pooling=pooling, **form
        )
        raw, cache = forward(network, p, x, batch)
        projection = np.random.RandomState(1).normal(size=raw.shape)
        g = unwritten_vector(network.shapes)
        dx = backward(network, p, projection, cache, g, need_dx=True)

        def loss(network=network, p=p, x=x, batch=batch, projection=projection):
            return np.sum(projection * forward(network, p, x, batch)[0])

        case = f"with {pooling}, tokens={tokens}"
        check_along_directions(loss, p.vector, g.vector, f"parameters {case}")
        if not tokens:
            check_along_directions(loss, x, dx, f"x {case}")


# Losses, and targets for four sequences
LOSSES = {
    "softmax": (SoftmaxLogLoss(), [0, 1, 2, 1]),
    "sigmoid": (SigmoidLogLoss(), [[1, 0], [0, 0], [1, 1], [0, 1]]),
    "squared": (SquaredError(), [[0.5, -2], [1, 0], [0, 3], [-1, -1]]),
    "poisson": (PoissonDeviance(), [[0, 1], [2, 0], [1, 5], [3, 3]]),
    # far from where these have a kink
    "absolute": (AbsoluteError(), [[12, -12], [15, 9], [-9, 9], [-15, -12]]),
    "huber": (Huber(6.0), [[0.5, -0.5], [12, 0], [-0.5, 12], [-12, 0.5]]),
    "pinball": (PinballLoss((0.1, 0.5, 0.9)), [[50, -50], [70, 40], [-30, 30], [-60, -50]]),
    "gaussian": (GaussianLoss(), [[0.5, -2], [1, 0], [0, 3], [-1, -1]]),
    "smoothed": (SoftmaxLogLoss(0.2), [0, 1, 2, 1]),
}


@INPUTS
@pytest.mark.parametrize("number", range(len(LOSSES)), ids=list(LOSSES))
def test_gradients_of_each_loss_equal_central_differences(check_gradient, number, tokens):
    """Each loss, and each pooling, with both kinds of input."""
    loss, y = list(LOSSES.values())[number]
    pooling = ALL_POOLINGS[(number + 3 * tokens) % len(ALL_POOLINGS)]
    y = np.array(y)
    n_outputs = 3 if y.ndim == 1 else y.shape[1] * loss.n_raw
    network, p, _, x, batch = problem(
        [4, 3, 3, 1], tokens=tokens, depth=1, pooling=pooling, n_outputs=n_outputs
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


@pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
@CELL_NAMES
@pytest.mark.parametrize("pooling", ["last", ("mean", "max", "attention"), None], ids=str)
def test_gradients_of_patches_of_tokens_along_directions(
    check_along_directions, cell, bidirectional, pooling
):
    rng = np.random.RandomState(0)
    form = {"cells": (cell, cell), "bidirectional": bidirectional, "pooling": pooling}
    network = make_network(D, (4, 3), K, n_tokens=V, patch_size=2, **form)
    p = random_vector(network.shapes, rng)
    lengths = np.array([4, 2, 1, 0])
    tokens = rng.randint(V, size=(lengths.sum(), 2))
    tokens[[0, 2], 0] = -1  # two sequences have an odd number of tokens
    batch = Batch(lengths)
    raw, cache = forward(network, p, tokens, batch)
    projection = rng.normal(size=raw.shape)
    g = unwritten_vector(network.shapes)
    backward(network, p, projection, cache, g)
    check_along_directions(
        lambda: np.sum(projection * forward(network, p, tokens, batch)[0]), p.vector, g.vector, "p"
    )


def test_with_an_embedding_the_input_gradient_is_that_of_its_vectors(check_gradient):
    """The same network without the embedding, fed with the vectors, has the same gradient."""
    network, p, _, tokens, batch = problem(RAGGED, tokens=True)
    _, cache = forward(network, p, tokens, batch)
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    dx = backward(network, p, d_raw, cache, unwritten_vector(network.shapes), need_dx=True)

    plain = build(tokens=False)
    q = Parameters(plain.shapes, p.vector[: size_of(plain.shapes)])
    vectors = p["embedding.weights"][tokens]
    check_gradient(
        lambda: np.sum(d_raw * forward(plain, q, vectors, batch)[0]), vectors, dx, "vectors"
    )


@POOLINGS
@DIRECTIONS
@INPUTS
def test_only_empty_sequences_have_a_gradient_in_the_head_s_bias_alone(
    tokens, bidirectional, pooling
):
    network, p, _, x, batch = problem(
        [0, 0], tokens=tokens, pooling=pooling, bidirectional=bidirectional
    )
    _, cache = forward(network, p, x, batch)
    g = unwritten_vector(network.shapes)
    backward(network, p, np.array([[1.0, 2], [3, 4]]), cache, g)
    for name, gradient in g.items():
        assert_array_equal(gradient, [4, 6] if name == "head.bias" else 0, err_msg=name)


# Arguments and caches stay as they are


def variants(kind, output_gate, bidirectional):
    """Yield a problem, and a gradient of its outputs, for each pooling and kind of input."""
    for pooling, tokens in VARIANTS:
        network, p, _, x, batch = problem(
            RAGGED,
            tokens=tokens,
            kind=kind,
            output_gate=output_gate,
            bidirectional=bidirectional,
            pooling=pooling,
        )
        n_outputs = batch.n_rows if pooling is None else batch.n_sequences
        yield network, p, x, batch, np.random.RandomState(1).normal(size=(n_outputs, K))


@DIRECTIONS
@GATES
@KINDS
def test_backward_changes_none_of_its_arguments_but_the_cache(kind, output_gate, bidirectional):
    for network, p, x, batch, d_raw in variants(kind, output_gate, bidirectional):
        for array in (x, p.vector, d_raw):
            array.flags.writeable = False
        first, second = unwritten_vector(network.shapes), unwritten_vector(network.shapes)
        _, cache = forward(network, p, x, batch)
        dx = backward(network, p, d_raw, cache, first, need_dx=True)
        _, cache = forward(network, p, x, batch)
        dx_2 = backward(network, p, d_raw, cache, second, need_dx=True)
        assert_array_equal(first.vector, second.vector)
        assert_array_equal(dx, dx_2)


@DIRECTIONS
@GATES
@KINDS
def test_without_input_gradient_the_parameters_have_the_same(kind, output_gate, bidirectional):
    for network, p, x, batch, d_raw in variants(kind, output_gate, bidirectional):
        full, short = unwritten_vector(network.shapes), unwritten_vector(network.shapes)
        _, cache = forward(network, p, x, batch)
        dx = backward(network, p, d_raw, cache, full, need_dx=True)
        _, cache = forward(network, p, x, batch)
        no_dx = backward(network, p, d_raw, cache, short)
        assert dx.shape == (batch.n_rows, D)
        assert no_dx is None or network.only_branch.input_parts
        assert_array_equal(full.vector, short.vector)


@DIRECTIONS
@GATES
@KINDS
def test_float32_stays_float32_and_close_to_float64(kind, output_gate, bidirectional):
    for network, p, x, batch, d_raw in variants(kind, output_gate, bidirectional):
        results = {}
        for dtype in (np.float32, np.float64):
            q = network.parameters(p.vector.astype(dtype))
            g = network.parameters(np.zeros_like(q.vector))
            x_cast = x if network.only_branch.input_parts else x.astype(dtype)
            raw, cache = forward(network, q, x_cast, batch)
            dx = backward(network, q, d_raw.astype(dtype), cache, g, need_dx=True)
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
    raw, _ = forward(network, p, x, batch)
    for raw_i, sequence in zip(raw, sequences, strict=True):
        alone, _ = forward(network, p, sequence, Batch(np.array([len(sequence)])))
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

    raw, cache = forward(network, p, x, batch)
    backward(network, p, d_raw, cache, g := unwritten_vector(network.shapes))
    raw_2, cache = forward(network, p, naive.pack([sequences[i] for i in order]), batch)
    backward(network, p, d_raw[order], cache, g_2 := unwritten_vector(network.shapes))
    assert_allclose(raw_2, raw[order], rtol=0, atol=1e-12)
    assert_allclose(g_2.vector, g.vector, rtol=1e-12, atol=1e-12)


# Parameters


@DEPTHS
@DIRECTIONS
@GATES
@KINDS
def test_parameters_are_named_and_shaped_as_documented(kind, output_gate, bidirectional, depth):
    name, options = kinds.FORMS[kind]
    n_directions = 2 if bidirectional else 1
    n_read = n_directions * WIDTHS[depth - 1]
    shared = {"head.bias": (K,)}
    n_in = D
    for i, n in enumerate(WIDTHS[:depth]):
        layer = CELLS[name](n_in, n, **options).shapes()
        if output_gate and CELLS[name].may_have_output_gate:
            layer["output_input_weights"] = (n_in, n)
            layer["output_state_weights"] = (n, n)
            layer["output_bias"] = (n,)
        shared |= {f"hidden_{i}.{array}": shape for array, shape in layer.items()}
        if bidirectional:
            shared |= {f"hidden_{i}.reverse_{array}": shape for array, shape in layer.items()}
        n_in = n_directions * n
    of_attention = {
        "pooling.attention_weights": (n_read, n_read),
        "pooling.attention_bias": (n_read,),
        "pooling.attention_score": (n_read,),
    }
    for pooling, tokens in VARIANTS:
        network = build(
            kind=kind,
            depth=depth,
            tokens=tokens,
            output_gate=output_gate,
            bidirectional=bidirectional,
            pooling=pooling,
        )
        n_parts = len(pooling) if isinstance(pooling, tuple) else 1
        expected = shared | {"head.weights": (n_parts * n_read, K)}
        if pooling is not None and "attention" in pooling:
            expected |= of_attention
        if tokens:
            expected["embedding.weights"] = (V, D)
        assert dict(network.shapes) == expected
        size = size_of(expected)
        assert network.parameters(np.zeros(size)).vector.shape == (size,)


def test_each_layer_has_the_cell_that_is_named_for_it():
    mixed = make_network(D, WIDTHS, K, cells=("gru", "rnn", "lstm")).shapes
    widths = [mixed[f"hidden_{i}.bias"][0] for i in range(3)]
    assert widths == [3 * WIDTHS[0], WIDTHS[1], 4 * WIDTHS[2]]


@DIRECTIONS
@GATES
@KINDS
def test_the_penalty_is_on_all_matrices_but_the_embedding(kind, output_gate, bidirectional):
    for (pooling, tokens), depth in product(VARIANTS, [1, 2, 3]):
        network = build(
            kind=kind,
            depth=depth,
            tokens=tokens,
            output_gate=output_gate,
            bidirectional=bidirectional,
            pooling=pooling,
        )
        penalized = np.arange(size_of(network.shapes)) < network.n_penalized
        for name, part in network.parameters(penalized).items():
            is_matrix = "weights" in name and name != "embedding.weights"
            assert_array_equal(part, is_matrix, err_msg=name)


@INPUTS
@DIRECTIONS
@GATES
@KINDS
def test_initialize_gives_the_same_in_both_types_up_to_rounding(
    kind, output_gate, bidirectional, tokens
):
    network = build(
        tokens=tokens,
        kind=kind,
        output_gate=output_gate,
        bidirectional=bidirectional,
        pooling="attention",
    )
    single = network.initialize(np.random.RandomState(3), np.float32)
    double = network.initialize(np.random.RandomState(3), np.float64)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert single.shape == double.shape == (size_of(network.shapes),)
    assert_array_equal(single, double.astype(np.float32))


@INPUTS
def test_initialize_is_the_same_for_the_same_seed_only(tokens):
    network = build(tokens=tokens, output_gate=True, bidirectional=True, pooling="attention")
    one, same, other = (
        network.initialize(np.random.RandomState(seed), np.float64) for seed in (3, 3, 4)
    )
    assert_array_equal(one, same)
    for name, part in network.parameters(one == other).items():
        if "weights" in name or "score" in name:  # but for the unknown token's vector, zero in both
            assert not part[1:].any(), name


@INPUTS
@DIRECTIONS
@GATES
@KINDS
def test_initial_recurrent_blocks_are_orthogonal_and_biases_zero(
    kind, output_gate, bidirectional, tokens
):
    network = build(
        tokens=tokens,
        kind=kind,
        depth=3,
        output_gate=output_gate,
        bidirectional=bidirectional,
        pooling="attention",
    )
    theta = network.initialize(np.random.RandomState(0), np.float64)
    for name, part in network.parameters(theta).items():
        if "bias" in name:
            part = part.copy()
            if kind == "lstm" and name.startswith("hidden"):
                forget_bias = naive.gates(part, 4)[2]
                assert_array_equal(forget_bias, 1, err_msg=name)
                forget_bias[:] = 0
            if kind == "mingru" and name.startswith("hidden") and "output_bias" not in name:
                update_bias = naive.gates(part, 2)[0]
                assert_allclose(update_bias, -np.linspace(0, np.log(100), len(update_bias)))
                update_bias[:] = 0
            assert_array_equal(part, 0, err_msg=name)
        elif "recurrent_weights" in name:
            for block in naive.gates(part, part.shape[1] // part.shape[0]):
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
