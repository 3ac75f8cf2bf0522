"""Long sequences in pieces: the same outputs, and the gradient that truncation leaves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._batching import SequencePieces, make_batch
from skgru._nn.batch import Arena
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pieces import backward_pieces, forward_pieces
from skgru._sequences import Sequences, offsets_of
from tests import naive

D, K, V = 3, 2, 6
WIDTHS = (4, 3)
LENGTHS = [2, 7, 0, 5, 1, 3, 7]

FORMS = pytest.mark.parametrize(
    "form",
    [
        {"pooling": "last"},
        {"pooling": "mean"},
        {"pooling": "last", "reset_after": True, "output_gate": True},
        {"pooling": "mean", "reset_after": True, "output_gate": True},
        {"pooling": "mean", "tokens": True},
        {"pooling": "last", "tokens": True},
    ],
    ids=lambda form: "-".join(str(value) for value in form.values()),
)


def problem(lengths, *, tokens=False, **form):
    """Return a network, random parameters and sequences."""
    rng = np.random.RandomState(0)
    network = Network(D, WIDTHS, K, n_tokens=V if tokens else None, **form)
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    n_rows = sum(lengths)
    values = rng.randint(V, size=n_rows) if tokens else rng.normal(size=(n_rows, D))
    return network, p, Sequences(values, offsets_of(np.array(lengths)))


def cut(sequences, n_steps, indices=None):
    indices = np.arange(sequences.n_sequences) if indices is None else indices
    return SequencePieces(sequences, indices, n_steps, lambda x: x, Arena())


def whole(network, p, sequences, d_raw=None):
    """Return the raw outputs of whole sequences and, given d_raw, the full gradient."""
    x, batch, order = make_batch(sequences, np.arange(sequences.n_sequences))
    raw = np.empty((sequences.n_sequences, K))
    raw[order], cache = network.forward(p, x, batch)
    if d_raw is None:
        return raw
    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    network.backward(p, d_raw[order], batch, cache, g)
    return raw, g


# Cutting


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    n_steps=st.integers(1, 10),
    data=st.data(),
)
def test_the_pieces_of_a_sequence_are_its_steps_and_all_but_the_first_are_whole(
    lengths, n_steps, data
):
    offsets = offsets_of(np.array(lengths))
    sequences = Sequences(np.arange(offsets[-1])[:, None], offsets)
    indices = np.array(data.draw(st.permutations(range(len(lengths)))))
    pieces = cut(sequences, n_steps, indices)
    assert_array_equal(pieces.lengths, sequences.lengths[indices])
    found = [[] for _ in lengths]
    sizes = [[] for _ in lengths]
    for i in range(len(pieces)):
        x, batch, positions = pieces[i]
        assert len(positions) == batch.n_sequences
        for part, position in zip(naive.unpack(x, batch.lengths.tolist()), positions, strict=True):
            found[indices[position]] += part[:, 0].tolist()
            sizes[indices[position]].append(len(part))
    for i, steps in enumerate(found):
        assert steps == list(range(offsets[i], offsets[i + 1]))
        assert all(size == n_steps for size in sizes[i][1:])
        assert all(0 < size <= n_steps for size in sizes[i])


# Outputs


@FORMS
@pytest.mark.parametrize("n_steps", [1, 2, 3, 7, 20])
def test_outputs_are_those_of_whole_sequences(form, n_steps):
    network, p, sequences = problem(LENGTHS, **form)
    raw, _ = forward_pieces(network, p, cut(sequences, n_steps), need_cache=False)
    assert_allclose(raw, whole(network, p, sequences), rtol=0, atol=1e-12)


def test_without_a_single_step_the_head_reads_zeros():
    network, p, sequences = problem([0, 0])
    pieces = cut(sequences, 4)
    raw, cache = forward_pieces(network, p, pieces)
    assert_array_equal(raw, np.tile(p["head.bias"], (2, 1)))
    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    backward_pieces(network, p, np.ones((2, K)), pieces, cache, g)
    assert_array_equal(g["head.bias"], 2)
    assert np.count_nonzero(g.vector) == K


# Gradients


def naive_states(p, steps, form):
    """Return each layer's states (T + 1, H), from the initial one on, and the outputs (T, H)."""
    y = steps
    states = []
    for i, n_units in enumerate(WIDTHS):
        layer = naive.part_of(p, f"hidden_{i}")
        start = np.zeros((1, n_units))
        reset_after = form.get("reset_after", False)
        after = naive.gru(layer, y, start[0], reset_after=reset_after)
        states.append(np.vstack([start, after]))
        y = naive.hidden_layer(
            layer,
            y,
            start[0],
            reset_after=reset_after,
            output_gate=form.get("output_gate", False),
        )
    return states


def naive_truncated(p, sequence, form, n_steps, held):
    """Return the raw outputs (K,), where each piece starts from the states `held` there."""
    steps = sequence
    if form.get("tokens"):
        steps = np.array([p["embedding.weights"][token] for token in sequence])
    T = len(steps)
    first = T % n_steps or min(n_steps, T)
    starts = [0, *range(first, T, n_steps)] if T else []
    outputs = []
    for start, stop in zip(starts, [*starts[1:], T], strict=False):
        y = steps[start:stop]
        for i in range(len(WIDTHS)):
            y = naive.hidden_layer(
                naive.part_of(p, f"hidden_{i}"),
                y,
                held[i][start],
                reset_after=form.get("reset_after", False),
                output_gate=form.get("output_gate", False),
            )
        outputs.extend(y)
    pooled = np.zeros(WIDTHS[-1])
    if outputs:
        pooled = outputs[-1] if form["pooling"] == "last" else sum(outputs) / len(outputs)
    return pooled @ p["head.weights"] + p["head.bias"]


@FORMS
@pytest.mark.parametrize("n_steps", [2, 3])
def test_gradient_is_that_of_pieces_whose_first_states_are_held(check_gradient, form, n_steps):
    lengths = [7, 2, 0, 3, 4]
    network, p, sequences = problem(lengths, **form)
    parts = np.split(sequences.values, sequences.offsets[1:-1])
    held = []
    for part in parts:
        steps = p["embedding.weights"][part] if form.get("tokens") else part
        if len(part):
            held.append([states.copy() for states in naive_states(p, steps, form)])
        else:
            held.append(None)
    d_raw = np.random.RandomState(1).normal(size=(len(lengths), K))

    def loss():
        raw = [
            naive_truncated(p, part, form, n_steps, states)
            for part, states in zip(parts, held, strict=True)
        ]
        return np.sum(d_raw * raw)

    pieces = cut(sequences, n_steps)
    _, cache = forward_pieces(network, p, pieces)
    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    backward_pieces(network, p, d_raw, pieces, cache, g)
    for name in p:
        check_gradient(loss, p[name], g[name], name)


@FORMS
def test_gradient_of_one_piece_is_the_full_gradient(form):
    network, p, sequences = problem(LENGTHS, **form)
    d_raw = np.random.RandomState(1).normal(size=(len(LENGTHS), K))
    pieces = cut(sequences, max(LENGTHS))
    _, cache = forward_pieces(network, p, pieces)
    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    backward_pieces(network, p, d_raw, pieces, cache, g)
    _, full = whole(network, p, sequences, d_raw)
    assert_allclose(g.vector, full.vector, rtol=0, atol=1e-12)
