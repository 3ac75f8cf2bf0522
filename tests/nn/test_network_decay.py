"""The whole network where values are missing: its inputs and states decay as documented."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from skgru._nn.dropout import DropoutRates
from skgru._nn.parameters import size_of
from tests import naive
from tests.kinds import KINDS, cells_of
from tests.network_problems import (
    ALL_POOLINGS,
    DIRECTIONS,
    FORMS,
    GATES,
    KINDS_AND_MIXED,
    RAGGED,
    WIDTHS,
    D,
    K,
    build,
    problem,
    random_vector,
    unwritten_vector,
)
from tests.passes import backward, dropout_of, forward

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
    p = random_vector(network.shapes, rng)
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
    g = unwritten_vector(network.shapes)
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
        g = unwritten_vector(network.shapes)
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
        dropout = dropout_of(network, DropoutRates(inputs=0.3, states=0.4), (3,), 4)
        return forward(network, p, x, batch, dropout=dropout)

    g = unwritten_vector(network.shapes)
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
    of_plain = unwritten_vector(plain.shapes)
    dx = backward(plain, q, d_raw, cache, of_plain, need_dx=True)
    raw, cache = forward(network, p, columns, batch)
    g = unwritten_vector(network.shapes)
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
    g = unwritten_vector(network.shapes)
    dx = backward(network, p, d_raw, cache, g, need_dx=True)
    dx_of = naive.unpack(dx, lengths)
    total = np.zeros_like(g.vector)
    for i, x_i in enumerate(naive.unpack(x, lengths)):
        alone, g_i = Batch(np.array([len(x_i)])), unwritten_vector(network.shapes)
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
        g = unwritten_vector(network.shapes)
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
    g = unwritten_vector(network.shapes)
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
