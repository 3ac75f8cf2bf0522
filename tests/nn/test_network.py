"""The whole network and its recurrent stack: layers wired as documented, all gradients right."""

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
from skgru._nn.dropout import DropoutRates, DropoutSource
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.part import OutputGradients, Run
from skgru._nn.recurrent import CELLS
from tests import kinds, naive
from tests.kinds import CELL_NAMES, GRU_KINDS, KINDS, cells_of
from tests.passes import (
    backward,
    backward_layer,
    forward,
    forward_layer,
    make_network,
    make_stack,
)

D, K, V = 3, 2, 6
WIDTHS = (3, 4, 2)  # of the first, second and third hidden layer
RAGGED = [5, 3, 3, 1, 0]

ALL_POOLINGS = ["last", "mean", "max", "attention", ("last", "mean", "max"), ("attention", "last")]
# What a test goes through on its own: pooling, None for outputs at every step, and tokens.
VARIANTS = list(product([*ALL_POOLINGS, None], [False, True]))

KINDS_AND_MIXED = pytest.mark.parametrize("kind", [*kinds.FORMS, "mixed"])
RESETS = pytest.mark.parametrize("kind", GRU_KINDS)
GATES = pytest.mark.parametrize("output_gate", [False, True], ids=["open", "gate"])
DIRECTIONS = pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
DEPTHS = pytest.mark.parametrize("depth", [1, 2, 3])
POOLINGS = pytest.mark.parametrize("pooling", ALL_POOLINGS, ids=str)
INPUTS = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
LENGTHS = pytest.mark.parametrize("lengths", [RAGGED, [3, 3, 3], [0, 0]], ids=str)
FORMS = {
    "kind": st.sampled_from([*kinds.FORMS, "mixed"]),
    "output_gate": st.booleans(),
    "bidirectional": st.booleans(),
    "pooling": st.sampled_from(ALL_POOLINGS),
    "tokens": st.booleans(),
    "depth": st.integers(1, 2),
}


def build(*, kind="gru", depth=2, tokens=False, n_outputs=K, **form):
    n_tokens = V if tokens else None
    return make_network(
        D, WIDTHS[:depth], n_outputs, n_tokens=n_tokens, **cells_of(kind, depth), **form
    )


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


def layer_problem(lengths, *, kind, **form):
    """Return a layer with random parameters, sequences and initial states for it."""
    rng = np.random.RandomState(0)
    layer = make_stack(D, (4,), **cells_of(kind, 1), **form).layers["hidden_0"]
    p = {name: rng.normal(0, 0.8, shape) for name, shape in layer.shapes().items()}
    sequences = random_sequences(lengths, False, rng)
    initial = rng.normal(size=(len(lengths), layer.n_states))
    return layer, p, sequences, initial, Batch(np.array(lengths))


@LENGTHS
@DIRECTIONS
@GATES
@KINDS
def test_layer_from_an_initial_state_equals_the_naive_equations(
    kind, output_gate, bidirectional, lengths
):
    layer, p, sequences, initial, batch = layer_problem(
        lengths, kind=kind, output_gate=output_gate, bidirectional=bidirectional
    )
    outputs, _ = forward_layer(layer, p, naive.pack(sequences), batch, initial)

    read = naive.both_directions if bidirectional else naive.hidden_layer
    name, options = kinds.FORMS[kind]
    expected = [
        read(
            name,
            p,
            x,
            state,
            output_gate=output_gate,
            **options,
        )
        for x, state in zip(sequences, initial, strict=True)
    ]
    y = naive.pack([y_i for y_i, _ in expected])
    assert outputs.y.shape[1] == layer.n_outputs == (8 if bidirectional else 4)
    assert_allclose(outputs.y, y, rtol=0, atol=1e-10)
    for i, (y_i, states) in enumerate(expected):
        if len(y_i):
            last = naive.pool({}, y_i, "last", n_onward=4)
            assert_allclose(outputs.last[i], last, rtol=0, atol=1e-10)
        final = states[-1] if len(y_i) else initial[i]
        assert_allclose(outputs.final[i], final, rtol=0, atol=1e-10)


# Gradients


@pytest.mark.parametrize("loss_of", ["outputs", "last", "both"])
@DIRECTIONS
@GATES
@KINDS
def test_layer_gradients_equal_central_differences(
    check_gradient, kind, output_gate, bidirectional, loss_of
):
    layer, p, sequences, initial, batch = layer_problem(
        [4, 2, 2, 1, 0], kind=kind, output_gate=output_gate, bidirectional=bidirectional
    )
    x = naive.pack(sequences)
    rng = np.random.RandomState(1)
    H = layer.n_outputs
    on_outputs = rng.normal(size=(batch.n_rows, H)) if loss_of != "last" else None
    on_last = rng.normal(size=(batch.n_sequences, H)) if loss_of != "outputs" else None

    def loss():
        outputs, _ = forward_layer(layer, p, x, batch, initial)
        loss = 0.0
        if on_outputs is not None:
            loss += np.sum(on_outputs * outputs.y)
        if on_last is not None:
            loss += np.sum(on_last * outputs.last)
        return loss

    g = {name: np.full(shape, np.nan) for name, shape in layer.shapes().items()}
    _, cache = forward_layer(layer, p, x, batch, initial)
    dx, d_initial, _ = backward_layer(layer, p, on_outputs, on_last, batch, cache, g)
    for name in layer.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, initial, d_initial, "initial")


@DEPTHS
@GATES
@KINDS
def test_stack_gradients_of_all_outputs_and_the_last_equal_central_differences(
    check_gradient, kind, output_gate, depth
):
    rng = np.random.RandomState(0)
    stack = make_stack(D, WIDTHS[:depth], **cells_of(kind, depth), output_gate=output_gate)
    shapes = {
        f"{part}.{name}": shape
        for part, layer in stack.layers.items()
        for name, shape in layer.shapes().items()
    }
    p, g = random_parameters(shapes, rng), unwritten(shapes)
    lengths = [3, 2, 2, 0]
    batch, x = Batch(np.array(lengths)), naive.pack(random_sequences(lengths, False, rng))
    on_outputs = rng.normal(size=(batch.n_rows, stack.n_outputs))
    on_last = rng.normal(size=(batch.n_sequences, stack.n_outputs))

    def loss():
        (outputs, _), _ = stack.forward(p, x, Run(batch))
        return np.sum(on_outputs * outputs.y) + np.sum(on_last * outputs.last)

    _, caches = stack.forward(p, x, Run(batch))
    dx, _ = stack.backward(p, OutputGradients(on_outputs, on_last), caches, g, Run(batch))
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


def check_network_gradients(check_gradient, network, p, x, batch, tokens, sample_loss, d_raw_of):
    def loss():
        raw, _ = forward(network, p, x, batch)
        return np.sum(sample_loss(raw))

    g = unwritten(network.shapes)
    raw, cache = forward(network, p, x, batch)
    dx = backward(network, p, d_raw_of(raw), cache, g, need_dx=True)
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    if not tokens:
        check_gradient(loss, x, dx, "x")


@INPUTS
@pytest.mark.parametrize("pooling", ["last", "mean"])
@DEPTHS
@GATES
@RESETS
def test_gradients_of_a_projection_equal_central_differences(
    check_gradient, kind, output_gate, depth, pooling, tokens
):
    form = {"kind": kind, "output_gate": output_gate, "pooling": pooling}
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
        g = unwritten(network.shapes)
        dx = backward(network, p, projection, cache, g, need_dx=True)

        def loss(network=network, p=p, x=x, batch=batch, projection=projection):
            return np.sum(projection * forward(network, p, x, batch)[0])

        case = f"with {pooling}, tokens={tokens}"
        check_along_directions(loss, p.vector, g.vector, f"parameters {case}")
        if not tokens:
            check_along_directions(loss, x, dx, f"x {case}")


@INPUTS
@POOLINGS
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (SoftmaxLogLoss(), [0, 1, 2, 1]),
        (SigmoidLogLoss(), [[1, 0], [0, 0], [1, 1], [0, 1]]),
        (SquaredError(), [[0.5, -2], [1, 0], [0, 3], [-1, -1]]),
        (PoissonDeviance(), [[0, 1], [2, 0], [1, 5], [3, 3]]),
        # far from where these have a kink
        (AbsoluteError(), [[12, -12], [15, 9], [-9, 9], [-15, -12]]),
        (Huber(6.0), [[0.5, -0.5], [12, 0], [-0.5, 12], [-12, 0.5]]),
        (PinballLoss((0.1, 0.5, 0.9)), [[50, -50], [70, 40], [-30, 30], [-60, -50]]),
        (GaussianLoss(), [[0.5, -2], [1, 0], [0, 3], [-1, -1]]),
        (SoftmaxLogLoss(0.2), [0, 1, 2, 1]),
    ],
    ids=[
        *("softmax", "sigmoid", "squared", "poisson"),
        *("absolute", "huber", "pinball", "gaussian", "smoothed"),
    ],
)
def test_gradients_of_each_loss_equal_central_differences(check_gradient, loss, y, pooling, tokens):
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
    p = random_parameters(network.shapes, rng)
    lengths = np.array([4, 2, 1, 0])
    tokens = rng.randint(V, size=(lengths.sum(), 2))
    tokens[[0, 2], 0] = -1  # two sequences have an odd number of tokens
    batch = Batch(lengths)
    raw, cache = forward(network, p, tokens, batch)
    projection = rng.normal(size=raw.shape)
    g = unwritten(network.shapes)
    backward(network, p, projection, cache, g)
    check_along_directions(
        lambda: np.sum(projection * forward(network, p, tokens, batch)[0]), p.vector, g.vector, "p"
    )


def test_with_an_embedding_the_input_gradient_is_that_of_its_vectors(check_gradient):
    """The same network without the embedding, fed with the vectors, has the same gradient."""
    network, p, _, tokens, batch = problem(RAGGED, tokens=True)
    _, cache = forward(network, p, tokens, batch)
    d_raw = np.random.RandomState(1).normal(size=(batch.n_sequences, K))
    dx = backward(network, p, d_raw, cache, unwritten(network.shapes), need_dx=True)

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
    g = unwritten(network.shapes)
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
        first, second = unwritten(network.shapes), unwritten(network.shapes)
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
        full, short = unwritten(network.shapes), unwritten(network.shapes)
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
    backward(network, p, d_raw, cache, g := unwritten(network.shapes))
    raw_2, cache = forward(network, p, naive.pack([sequences[i] for i in order]), batch)
    backward(network, p, d_raw[order], cache, g_2 := unwritten(network.shapes))
    assert_allclose(raw_2, raw[order], rtol=0, atol=1e-12)
    assert_allclose(g_2.vector, g.vector, rtol=1e-12, atol=1e-12)


# Missing values


# How a network with decay reads its steps: patch_size and reads_mask
READINGS = [(1, True), (3, True), (1, False), (2, False)]
# Each pooling with half of them
SOME_VARIANTS = [
    (pooling, *reading)
    for i, pooling in enumerate([*ALL_POOLINGS, None])
    for reading in (READINGS[i % 2], READINGS[2 + (i // 2) % 2])
]
READ = pytest.mark.parametrize(
    ("patch_size", "reads_mask"),
    READINGS,
    ids=[f"{n}-{'mask' if reads_mask else 'values'}" for n, reads_mask in READINGS],
)


def raw_sequences(lengths, rng):
    """Return the values (T, D) of sequences, NaN where nothing was seen, and the times."""
    sequences = []
    for n in lengths:
        x = rng.normal(size=(n, D))
        x[rng.uniform(size=x.shape) < 0.5] = np.nan
        sequences.append((x, np.cumsum(rng.uniform(0.2, 2, n))))
    return sequences


def decay_problem(lengths, *, patch_size=1, reads_mask=True, bidirectional=False, seed=0, **form):
    """Return a problem's network with decay, its parameters, values and times, rows and layout.

    No derivative of the decay is at its kink.
    """
    rng = np.random.RandomState(seed)
    network = build(
        decay=True,
        patch_size=patch_size,
        reads_mask=reads_mask,
        bidirectional=bidirectional,
        **form,
    )
    p = random_parameters(network.shapes, rng)
    sequences = raw_sequences([n * patch_size for n in lengths], rng)
    seen = [naive.seen_by_each(*s, bidirectional=bidirectional) for s in sequences]
    gaps = naive.pack([naive.all_gaps(directions, patch_size) for directions in seen])
    naive.leave_the_kink(p, gaps, rng)
    x = naive.pack([naive.columns(directions, patch_size) for directions in seen])
    return network, p, sequences, x, Batch(np.array(lengths))


@pytest.mark.parametrize("depth", [1, 2])
@DIRECTIONS
@GATES
@KINDS_AND_MIXED
def test_forward_with_decay_equals_the_naive_equations(kind, output_gate, bidirectional, depth):
    for pooling, (patch_size, reads_mask) in product([*ALL_POOLINGS, None], READINGS):
        form = {"output_gate": output_gate, "bidirectional": bidirectional, "pooling": pooling}
        form |= {"patch_size": patch_size, "reads_mask": reads_mask}
        network, p, sequences, x, batch = decay_problem(
            [3, 2, 2, 0], kind=kind, depth=depth, **form
        )
        expected = [
            naive.network_with_decay(dict(p), *sequence, **cells_of(kind, depth), **form)
            for sequence in sequences
        ]
        if pooling is None:
            expected = naive.pack(expected)
        for need_cache in (True, False):
            raw, _ = forward(network, p, x, batch, need_cache=need_cache)
            assert raw.shape == (len(expected), K)
            case = f"{pooling}, {patch_size}, {reads_mask}, need_cache={need_cache}"
            assert_allclose(raw, expected, rtol=0, atol=1e-10, err_msg=case)


@READ
@DIRECTIONS
@KINDS_AND_MIXED
def test_three_layers_on_sequences_of_any_length_decay_as_in_the_naive_equations(
    kind, bidirectional, patch_size, reads_mask
):
    form = {"bidirectional": bidirectional, "pooling": ("last", "mean")}
    form |= {"patch_size": patch_size, "reads_mask": reads_mask}
    for lengths in (RAGGED, [3, 3, 3], [0, 0], [9]):
        network, p, sequences, x, batch = decay_problem(lengths, kind=kind, depth=3, **form)
        expected = [
            naive.network_with_decay(dict(p), *sequence, **cells_of(kind, 3), **form)
            for sequence in sequences
        ]
        for need_cache in (True, False):
            raw, _ = forward(network, p, x, batch, need_cache=need_cache)
            assert_allclose(raw, expected, rtol=0, atol=1e-10, err_msg=str(lengths))


@pytest.mark.parametrize("inputs", ["onward", "both", "own"])
@GATES
@KINDS
def test_layer_gradients_with_gaps_equal_central_differences(
    check_gradient, kind, output_gate, inputs
):
    """Two directions read the same inputs, or each its own."""
    rng = np.random.RandomState(0)
    form = {"output_gate": output_gate, "bidirectional": inputs != "onward", "n_gaps": 2}
    stack = make_stack(D, (2, 3), **cells_of(kind, 2), **form)
    layer = stack.layers["hidden_1" if inputs == "both" else "hidden_0"]
    n_inputs = {"onward": D, "both": 4, "own": 2 * D}[inputs]
    p = {name: rng.normal(0, 0.8, shape) for name, shape in layer.shapes().items()}
    lengths = [4, 2, 2, 0]
    batch = Batch(np.array(lengths))
    x = rng.normal(size=(batch.n_rows, n_inputs))
    gaps = rng.uniform(0, 2, size=(batch.n_rows, 2 if inputs == "onward" else 4))
    naive.leave_the_kink(p, gaps, rng)
    initial = rng.normal(size=(len(lengths), layer.n_states))
    on_outputs = rng.normal(size=(batch.n_rows, layer.n_outputs))
    on_last = rng.normal(size=(batch.n_sequences, layer.n_outputs))

    def loss():
        outputs, _ = forward_layer(layer, p, x, batch, initial, gaps=gaps)
        return np.sum(on_outputs * outputs.y) + np.sum(on_last * outputs.last)

    g = {name: np.full(shape, np.nan) for name, shape in layer.shapes().items()}
    _, cache = forward_layer(layer, p, x, batch, initial, gaps=gaps)
    dx, d_initial, d_gaps = backward_layer(layer, p, on_outputs, on_last, batch, cache, g)
    for name in layer.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, initial, d_initial, "initial")
    check_gradient(loss, gaps, d_gaps, "gaps")


@DIRECTIONS
@KINDS_AND_MIXED
def test_gradients_of_the_decay_and_of_inputs_equal_central_differences(
    check_gradient, kind, bidirectional
):
    network, p, _, x, batch = decay_problem([5, 3, 0], kind=kind, bidirectional=bidirectional)
    projection = np.random.RandomState(1).normal(size=(3, K))

    def loss():
        return np.sum(projection * forward(network, p, x, batch)[0])

    _, cache = forward(network, p, x, batch)
    g = unwritten(network.shapes)
    dx = backward(network, p, projection, cache, g, need_dx=True)
    names = [name for name in p if "decay" in name]
    assert len(names) == (10 if bidirectional else 6)
    for name in names:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


@pytest.mark.parametrize("depth", [1, 2])
@DIRECTIONS
@GATES
@KINDS_AND_MIXED
def test_gradients_with_decay_along_random_directions_equal_central_differences(
    check_along_directions, kind, output_gate, bidirectional, depth
):
    form = {"output_gate": output_gate, "bidirectional": bidirectional}
    for pooling, patch_size, reads_mask in SOME_VARIANTS:
        network, p, _, x, batch = decay_problem(
            [3, 2, 2, 0],
            kind=kind,
            depth=depth,
            pooling=pooling,
            patch_size=patch_size,
            reads_mask=reads_mask,
            **form,
        )
        raw, cache = forward(network, p, x, batch)
        projection = np.random.RandomState(1).normal(size=raw.shape)
        g = unwritten(network.shapes)
        dx = backward(network, p, projection, cache, g, need_dx=True)

        def loss(network=network, p=p, x=x, batch=batch, projection=projection):
            return np.sum(projection * forward(network, p, x, batch)[0])

        case = f"with {pooling}, patch_size={patch_size}, reads_mask={reads_mask}"
        check_along_directions(loss, p.vector, g.vector, f"parameters {case}", n_directions=1)
        check_along_directions(loss, x, dx, f"x {case}", n_directions=1)


@READ
@DIRECTIONS
@KINDS_AND_MIXED
def test_gradients_with_decay_and_dropout_equal_central_differences(
    check_along_directions, kind, bidirectional, patch_size, reads_mask
):
    network, p, _, x, batch = decay_problem(
        [4, 2, 1, 0],
        kind=kind,
        bidirectional=bidirectional,
        patch_size=patch_size,
        reads_mask=reads_mask,
        pooling="mean",
    )
    projection = np.random.RandomState(1).normal(size=(4, K))

    def run():
        dropout = DropoutSource(DropoutRates(inputs=0.3, states=0.4), (3,), 4)
        return forward(network, p, x, batch, dropout=dropout)

    g = unwritten(network.shapes)
    _, cache = run()
    dx = backward(network, p, projection, cache, g, need_dx=True)
    check_along_directions(lambda: np.sum(projection * run()[0]), p.vector, g.vector, "p")
    check_along_directions(lambda: np.sum(projection * run()[0]), x, dx, "x")


@DIRECTIONS
@GATES
@KINDS
def test_where_all_was_seen_and_no_state_decays_the_network_is_a_plain_one(
    kind, output_gate, bidirectional
):
    form = {"kind": kind, "output_gate": output_gate, "bidirectional": bidirectional}
    plain, q, sequences, x, batch = problem(RAGGED, **form)
    network = build(decay=True, **form)
    p = network.parameters(np.zeros(size_of(network.shapes)))
    for name, value in p.items():
        value[...] = q[name] if name in q else -1 if name.endswith("decay_bias") else 0
    seen = [
        naive.seen_by_each(part, np.arange(len(part)), bidirectional=bidirectional)
        for part in sequences
    ]
    columns = naive.pack([naive.columns(directions) for directions in seen])
    d_raw = np.random.RandomState(1).normal(size=(len(RAGGED), K))
    expected, cache = forward(plain, q, x, batch)
    of_plain = unwritten(plain.shapes)
    dx = backward(plain, q, d_raw, cache, of_plain, need_dx=True)
    raw, cache = forward(network, p, columns, batch)
    g = unwritten(network.shapes)
    d_columns = backward(network, p, d_raw, cache, g, need_dx=True)
    assert_allclose(raw, expected, rtol=0, atol=1e-14)
    n_directions = 2 if bidirectional else 1
    by_kind = np.split(d_columns, 1 + 2 * n_directions, axis=1)
    assert_array_equal(by_kind[0], 0)
    assert_allclose(sum(by_kind[1 : 1 + n_directions]), dx, rtol=0, atol=1e-13)
    assert_array_equal(by_kind[1 + n_directions :], 0)
    for name, gradient in g.items():
        assert_allclose(gradient, of_plain.get(name, 0), rtol=0, atol=1e-13, err_msg=name)


@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    reading=st.sampled_from(READINGS),
    seed=st.integers(0, 1000),
    **{name: values for name, values in FORMS.items() if name != "tokens"},
)
def test_each_sequence_alone_decays_as_in_a_batch(lengths, reading, seed, **form):
    lengths = sorted(lengths, reverse=True)
    patch_size, reads_mask = reading
    network, p, _, x, batch = decay_problem(
        lengths, patch_size=patch_size, reads_mask=reads_mask, seed=seed, **form
    )
    d_raw = np.random.RandomState(1).normal(size=(len(lengths), K))
    raw, cache = forward(network, p, x, batch)
    g = unwritten(network.shapes)
    dx = backward(network, p, d_raw, cache, g, need_dx=True)
    dx_of = naive.unpack(dx, lengths)
    total = np.zeros_like(g.vector)
    for i, x_i in enumerate(naive.unpack(x, lengths)):
        alone, g_i = Batch(np.array([len(x_i)])), unwritten(network.shapes)
        raw_i, cache = forward(network, p, x_i, alone)
        dx_i = backward(network, p, d_raw[i : i + 1], cache, g_i, need_dx=True)
        assert_allclose(raw[i], raw_i[0], rtol=0, atol=1e-12)
        assert_allclose(dx_of[i], dx_i, rtol=0, atol=1e-12)
        total += g_i.vector
    assert_allclose(g.vector, total, rtol=1e-11, atol=1e-11)


@READ
@DIRECTIONS
@KINDS_AND_MIXED
def test_with_decay_no_argument_changes_and_the_input_gradient_is_extra(
    kind, bidirectional, patch_size, reads_mask
):
    network, p, _, x, batch = decay_problem(
        RAGGED, kind=kind, bidirectional=bidirectional, patch_size=patch_size, reads_mask=reads_mask
    )
    d_raw = np.random.RandomState(1).normal(size=(len(RAGGED), K))
    for array in (x, p.vector, d_raw):
        array.flags.writeable = False
    gradients = []
    for need_dx in (True, True, False):
        _, cache = forward(network, p, x, batch)
        g = unwritten(network.shapes)
        dx = backward(network, p, d_raw, cache, g, need_dx=need_dx)
        if need_dx:
            assert dx.shape == x.shape
        gradients.append(g.vector)
    assert_array_equal(gradients[0], gradients[1])
    assert_array_equal(gradients[0], gradients[2])


@READ
@DIRECTIONS
@KINDS_AND_MIXED
def test_float32_with_decay_stays_float32_and_close_to_float64(
    kind, bidirectional, patch_size, reads_mask
):
    network, p, _, x, batch = decay_problem(
        RAGGED, kind=kind, bidirectional=bidirectional, patch_size=patch_size, reads_mask=reads_mask
    )
    d_raw = np.random.RandomState(1).normal(size=(len(RAGGED), K))
    results = {}
    for dtype in (np.float32, np.float64):
        q = network.parameters(p.vector.astype(dtype))
        g = network.parameters(np.zeros_like(q.vector))
        raw, cache = forward(network, q, x.astype(dtype), batch)
        dx = backward(network, q, d_raw.astype(dtype), cache, g, need_dx=True)
        results[dtype] = [raw, dx, g.vector]
        assert all(array.dtype == dtype for array in results[dtype])
    for single, double in zip(*results.values(), strict=True):
        assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@READ
@DIRECTIONS
def test_only_empty_sequences_have_no_gradient_in_the_decay(bidirectional, patch_size, reads_mask):
    network, p, _, x, batch = decay_problem(
        [0, 0], bidirectional=bidirectional, patch_size=patch_size, reads_mask=reads_mask
    )
    raw, cache = forward(network, p, x, batch)
    assert_array_equal(raw, [p["head.bias"]] * 2)
    g = unwritten(network.shapes)
    dx = backward(network, p, np.array([[1.0, 2], [3, 4]]), cache, g, need_dx=True)
    assert dx.shape == x.shape
    for name, gradient in g.items():
        assert_array_equal(gradient, [4, 6] if name == "head.bias" else 0, err_msg=name)


@READ
@DIRECTIONS
@GATES
@KINDS
def test_parameters_of_the_decay_are_named_and_penalized_as_documented(
    kind, output_gate, bidirectional, patch_size, reads_mask
):
    """Each layer and direction has its own; the inputs' are one weight for each feature."""
    form = {"kind": kind, "output_gate": output_gate, "bidirectional": bidirectional}
    network = build(decay=True, patch_size=patch_size, reads_mask=reads_mask, **form)
    n_features = patch_size * D
    n_directions = 2 if bidirectional else 1
    expected = {}
    for i, direction in product(range(2), ["", "reverse_"][:n_directions]):
        expected[f"hidden_{i}.{direction}decay_weights"] = (n_features, WIDTHS[i])
        expected[f"hidden_{i}.{direction}decay_bias"] = (WIDTHS[i],)
    if reads_mask:
        expected["inputs.decay_weights"] = (n_directions * n_features,)
        expected["inputs.decay_bias"] = (n_directions * n_features,)
    plain = build(**form).shapes
    assert {name: shape for name, shape in network.shapes.items() if name not in plain} == expected
    for name, shape in plain.items():
        if name.startswith("hidden_0.") and name.endswith("input_weights"):
            shape = ((2 if reads_mask else 1) * n_features, shape[1])  # of the values, of the mask
        assert network.shapes[name] == shape
    penalized = np.arange(size_of(network.shapes)) < network.n_penalized
    for name, part in network.parameters(penalized).items():
        assert_array_equal(part, part.ndim == 2, err_msg=name)


@READ
@DIRECTIONS
def test_the_decay_starts_the_same_in_both_types_and_anew_in_each_layer(
    bidirectional, patch_size, reads_mask
):
    network = build(
        decay=True, bidirectional=bidirectional, patch_size=patch_size, reads_mask=reads_mask
    )
    single = network.initialize(np.random.RandomState(3), np.float32)
    double = network.initialize(np.random.RandomState(3), np.float64)
    assert_array_equal(single, double.astype(np.float32))
    p = network.parameters(double)
    weights = [
        part for name, part in p.items() if name.endswith("decay_weights") and part.ndim == 2
    ]
    assert len(weights) == (4 if bidirectional else 2)
    assert len({part[0, 0] for part in weights}) == len(weights)
    for part in weights:
        assert 0 < np.abs(part).max() <= 1 / (patch_size * D)
    for name, part in p.items():
        if name.endswith("decay_bias"):
            assert_array_equal(part, 0)


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
