"""Long sequences in pieces: the same outputs, and the gradient that truncation leaves."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps, make_batch
from skgru._nn.batch import Arena
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pieces import loss_and_gradient
from tests import kinds, naive
from tests.passes import backward, forward, make_network, only, raw_without_cache

D, K, V = 3, 2, 6
WIDTHS = (4, 3)
LENGTHS = [2, 7, 0, 5, 1, 3, 7]

# Whose gradients are looked at number by number, and in pieces of how many steps
FORMS = pytest.mark.parametrize(
    ("form", "n_steps"),
    [
        ({"pooling": "last"}, 2),
        ({"pooling": "mean"}, 3),
        ({"pooling": "last", "reset_after": True, "output_gate": True}, 3),
        ({"pooling": "mean", "reset_after": True, "output_gate": True}, 2),
        ({"pooling": "mean", "tokens": True}, 2),
        ({"pooling": "last", "tokens": True}, 3),
        ({"pooling": "mean", "decay": True, "reads_mask": True}, 3),
        ({"pooling": "last", "decay": True, "reads_mask": True, "cells": ("lstm", "gru")}, 2),
    ],
    ids=lambda value: (
        "-".join(n if on is True else str(on) for n, on in value.items())
        if isinstance(value, dict)
        else str(value)
    ),
)
CELLS = pytest.mark.parametrize(
    "cells",
    [
        kinds.cells_of(kind, 2) | {"output_gate": gate}
        for kind, gate in [*product([*kinds.FORMS, "mixed"], [False, True])]
    ],
    ids=lambda form: "-".join(str(value) for value in form.values()),
)
# What the sequences hold: numbers, tokens, or numbers of which some are missing
INPUTS = [{}, {"tokens": True}, {"decay": True, "reads_mask": True}, {"decay": True}]
POOLINGS = pytest.mark.parametrize(
    "pooling",
    ["last", "mean", "max", "attention", ("last", "mean"), ("attention", "max"), None],
    ids=str,
)


def problem(lengths, *, tokens=False, widths=WIDTHS, **form):
    """Return a network, random parameters and sequences."""
    rng = np.random.RandomState(0)
    network = make_network(D, widths, K, n_tokens=V if tokens else None, **form)
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    n_rows = sum(lengths)
    values = rng.randint(V, size=n_rows) if tokens else rng.normal(size=(n_rows, D))
    if form.get("decay"):
        values[rng.uniform(size=values.shape) < 0.5] = np.nan
        parts = np.split(values, np.cumsum(lengths[:-1], dtype=int))
        seen = [
            naive.seen_by_each(
                part,
                np.cumsum(rng.uniform(0.2, 2, len(part))),
                bidirectional=form.get("bidirectional", False),
            )
            for part in parts
        ]
        values = np.concatenate([naive.columns(directions) for directions in seen])
        gaps = np.concatenate([naive.all_gaps(directions) for directions in seen])
        naive.leave_the_kink(p, gaps, rng)
    return network, p, Sequences(values, offsets_of(np.array(lengths)))


def cut(sequences, n_steps, indices=None):
    indices = np.arange(sequences.n_sequences) if indices is None else indices
    return SequencePieces(Steps(sequences), indices, n_steps, Arena())


def shape_of_raw(network, sequences):
    """Return (B, K), or without a pooling (total steps, K)."""
    return len(sequences.values) if network.reads_steps else sequences.n_sequences, K


def whole(network, p, sequences, d_raw=None):
    """Return the raw outputs of whole sequences and, given d_raw, the full gradient."""
    x, batch, order, rows = make_batch(Steps(sequences), np.arange(sequences.n_sequences))
    places = rows if network.reads_steps else order
    raw = np.full(shape_of_raw(network, sequences), np.nan)
    raw[places], cache = forward(network, p, x, batch)
    if d_raw is None:
        return raw
    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    backward(network, p, d_raw[places], cache, g)
    return raw, g


def raw_in_pieces(network, p, sequences, n_steps):
    """Return the raw outputs of sequences in pieces."""
    pieces = cut(sequences, n_steps)
    raw = np.full(shape_of_raw(network, sequences), np.nan)
    for piece, outputs in raw_without_cache(network, p, only(network, pieces)):
        raw[slice(None) if piece is None else piece.rows] = outputs
    return raw


def gradient_in_pieces(network, p, sequences, n_steps, d_raw):
    """Return the truncated gradient of the projection of the raw outputs on d_raw."""

    def loss_of(raw, piece):
        d_here = d_raw if piece is None else d_raw[piece.rows]
        return np.sum(d_here * raw), d_here

    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    loss = loss_and_gradient(network, p, only(network, cut(sequences, n_steps)), loss_of, g)
    raw = raw_in_pieces(network, p, sequences, n_steps)
    assert_allclose(loss, np.sum(d_raw * raw), rtol=1e-12)
    return g


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
        x, (batch, positions, is_last, rows) = pieces[i]
        assert len(positions) == batch.n_sequences
        assert is_last == (i == len(pieces) - 1)
        assert_array_equal(x, sequences.values[rows])
        for part, position in zip(naive.unpack(x, batch.lengths.tolist()), positions, strict=True):
            found[indices[position]] += part[:, 0].tolist()
            sizes[indices[position]].append(len(part))
    for i, steps in enumerate(found):
        assert steps == list(range(offsets[i], offsets[i + 1]))
        assert all(size == n_steps for size in sizes[i][1:])
        assert all(0 < size <= n_steps for size in sizes[i])


# Outputs


@POOLINGS
@CELLS
def test_outputs_are_those_of_whole_sequences(cells, pooling):
    for inputs in INPUTS:
        network, p, sequences = problem(LENGTHS, pooling=pooling, **inputs, **cells)
        expected = whole(network, p, sequences)
        for n_steps in (1, 2, 3, 7, 20):
            raw = raw_in_pieces(network, p, sequences, n_steps)
            case = f"{inputs}, n_steps={n_steps}"
            assert_allclose(raw, expected, rtol=0, atol=1e-12, err_msg=case)


@POOLINGS
def test_both_directions_read_the_sequences_in_one_piece(pooling):
    for inputs in INPUTS:
        network, p, sequences = problem(LENGTHS, pooling=pooling, bidirectional=True, **inputs)
        raw = raw_in_pieces(network, p, sequences, max(LENGTHS))
        expected = whole(network, p, sequences)
        assert_allclose(raw, expected, rtol=0, atol=1e-12, err_msg=str(inputs))


@pytest.mark.parametrize(
    "pooling", ["last", "mean", "max", "attention", ("attention", "last")], ids=str
)
def test_without_a_single_step_the_head_reads_zeros(pooling):
    network, p, sequences = problem([0, 0], pooling=pooling)
    raw = raw_in_pieces(network, p, sequences, 4)
    assert_array_equal(raw, np.tile(p["head.bias"], (2, 1)))
    g = gradient_in_pieces(network, p, sequences, 4, np.ones((2, K)))
    assert_array_equal(g["head.bias"], 2)
    assert np.count_nonzero(g.vector) == K


# Gradients


def naive_truncated(p, sequence, n_steps, held, *, pooling, **form):
    """Return the raw outputs, where each piece starts from the states `held` there."""
    y = naive.outputs_truncated(p, sequence, n_steps, held, **form)
    return naive.head(p, y, pooling=pooling)


def truncated_problem(
    lengths,
    n_steps,
    *,
    pooling,
    cells=("gru", "gru"),
    tokens=False,
    decay=False,
    reads_mask=False,
    **form,
):
    """Return a problem's parameters, its naive loss with the first states of pieces held, and g."""
    inputs = {"tokens": tokens, "decay": decay, "reads_mask": reads_mask}
    network, p, sequences = problem(lengths, cells=cells, pooling=pooling, **inputs, **form)
    parts = np.split(sequences.values, sequences.offsets[1:-1])
    held = []
    for part in parts:
        steps, gaps = naive.steps_of(p, part)
        held.append(naive.stack(p, steps, gaps=gaps, cells=cells, **form)[1])
    d_raw = np.random.RandomState(1).normal(size=shape_of_raw(network, sequences))

    def loss():
        raw = [
            naive_truncated(p, part, n_steps, states, pooling=pooling, cells=cells, **form)
            for part, states in zip(parts, held, strict=True)
        ]
        return np.sum(d_raw * (np.concatenate(raw) if pooling is None else raw))

    return p, loss, gradient_in_pieces(network, p, sequences, n_steps, d_raw)


@FORMS
def test_gradient_is_that_of_pieces_whose_first_states_are_held(check_gradient, form, n_steps):
    p, loss, g = truncated_problem([5, 2, 0, 4], n_steps, **form)
    for name in p:
        check_gradient(loss, p[name], g[name], name)


@POOLINGS
@CELLS
def test_gradient_is_that_of_pieces_along_random_directions(check_along_directions, cells, pooling):
    decay = {"decay": True, "reads_mask": True}
    for n_steps, inputs in ((1, {}), (2, {}), (3, {}), (2, decay), (3, {"decay": True})):
        p, loss, g = truncated_problem([7, 2, 0, 3, 4], n_steps, pooling=pooling, **inputs, **cells)
        case = f"parameters, {inputs}, n_steps={n_steps}"
        check_along_directions(loss, p.vector, g.vector, case, n_directions=1 if inputs else 2)


@POOLINGS
@CELLS
def test_gradient_of_one_piece_is_the_full_gradient(cells, pooling):
    for inputs in INPUTS:
        network, p, sequences = problem(LENGTHS, pooling=pooling, **inputs, **cells)
        shape = shape_of_raw(network, sequences)
        d_raw = np.random.RandomState(1).normal(size=shape)
        g = gradient_in_pieces(network, p, sequences, max(LENGTHS), d_raw)
        _, full = whole(network, p, sequences, d_raw)
        assert_allclose(g.vector, full.vector, rtol=0, atol=1e-12)


@CELLS
def test_largest_outputs_of_a_sequence_alone_in_its_piece_have_a_gradient(cells):
    """Rounding may differ between the two runs of a piece, but not where the gradient goes."""
    network, p, sequences = problem([40], widths=(7, 7), pooling="max", **cells)
    d_raw = np.array([[1.0, 2]])
    g = gradient_in_pieces(network, p, sequences, 40, d_raw)
    _, full = whole(network, p, sequences, d_raw)
    assert_allclose(g.vector, full.vector, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_of_equal_largest_outputs_only_the_first_has_a_gradient(n_steps):
    """All steps give the same output. What the first has read is all that matters."""
    network, p, _ = problem([], cells=("rnn",), widths=(3,), pooling="max")
    # Numbers that are added without rounding
    p["hidden_0.input_weights"][...] = np.arange(-4, 5).reshape(3, 3) / 8
    p["hidden_0.recurrent_weights"][...] = 0
    p["hidden_0.bias"][...] = 0.5
    d_raw = np.array([[1.0, 2]])
    gradients = []
    for length in (1, 5):
        sequences = Sequences(np.ones((length, D)), offsets_of(np.array([length])))
        gradients.append(gradient_in_pieces(network, p, sequences, n_steps, d_raw))
    one, five = gradients
    assert one["hidden_0.input_weights"].all()
    assert_allclose(five.vector, one.vector, rtol=0, atol=1e-15)
