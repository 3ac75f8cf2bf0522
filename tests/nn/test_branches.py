"""Networks of several branches: each reads an input of its own, and the head reads all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps, make_batch
from skgru._nn.batch import Arena, Piece
from skgru._nn.dropout import DropoutRates, DropoutSource, FusionRates, NetworkDropout
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pieces import OnePiece, backward, forward, loss_and_gradient
from skgru._spec import NetworkSpec
from tests import naive
from tests.passes import branch_spec, dropout_of, raw_without_cache

D, K, V = 3, 2, 6
# Steps of the samples' sequences: no sample is longest in both, some have none in one or in both.
LENGTHS = {"note": [3, 0, 5, 2, 0], "vitals": [2, 4, 0, 7, 0]}
FORMS = {
    "note": {
        "n_inputs": 2,
        "sizes": (2,),
        "cells": ("gru",),
        "n_tokens": V,
        "bidirectional": True,
        "pooling": ("last", "mean"),
    },
    "vitals": {
        "n_inputs": D,
        "sizes": (3, 2),
        "cells": ("lstm", "gru"),
        "output_gate": True,
        "pooling": "attention",
    },
}
# How many steps a piece of "vitals" has; None = it comes whole
CUTS = pytest.mark.parametrize("n_steps", [None, 3, 2, 1])
ORDERS = pytest.mark.parametrize("first", ["note", "vitals"])
SEED = 1  # no two largest outputs are so close that the checks would exchange them
SOME = DropoutRates(inputs=0.3, states=0.4, tokens=0.3)


def forms(first="note", pooling="attention"):
    """Return the branches' forms in order."""
    chosen = FORMS | {"vitals": FORMS["vitals"] | {"pooling": pooling}}
    return {name: chosen[name] for name in sorted(chosen, key=lambda name: name != first)}


def build(chosen):
    branches = tuple((name, branch_spec(**form)) for name, form in chosen.items())
    return Network(NetworkSpec(branches, K))


def problem(chosen=None, lengths=LENGTHS, seed=0):
    """Return a network, random parameters and sequences of each branch."""
    rng = np.random.RandomState(seed)
    network = build(chosen or forms())
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    n_rows = {name: sum(of_branch) for name, of_branch in lengths.items()}
    values = {
        "note": rng.randint(V, size=n_rows["note"]),
        "vitals": rng.normal(size=(n_rows["vitals"], D)),
    }
    sequences = {
        name: Sequences(values[name], offsets_of(np.array(lengths[name])))
        for name in network.branches
    }
    return network, p, sequences


def pieces_of(sequences, indices=None, n_steps=None):
    """Return the pieces of each branch; those of "vitals" have `n_steps`."""
    n = next(iter(sequences.values())).n_sequences
    indices = np.arange(n) if indices is None else indices
    pieces = {}
    for name, own in sequences.items():
        if name == "vitals" and n_steps:
            pieces[name] = SequencePieces(Steps(own), indices, n_steps, Arena())
            continue
        x, batch, _, rows = make_batch(Steps(own), indices, Arena())
        order = np.argsort(-own.lengths[indices], kind="stable")
        pieces[name] = OnePiece(x, Piece(batch, order, True, rows), own.lengths[indices])
    return pieces


def unwritten(network):
    """Return a place for gradients in which no number is missing unnoticed."""
    return Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))


def projection(n):
    return np.random.RandomState(1).normal(size=(n, K))


def gradient(network, p, pieces, d_raw, dropout=None):
    """Return the loss that is the raw outputs' projection on d_raw, and its gradient."""

    def loss_of(raw, piece):
        assert piece is None
        return float(np.sum(d_raw * raw)), d_raw

    g = unwritten(network)
    return loss_and_gradient(network, p, pieces, loss_of, g, dropout), g


def steps_of(p, sequences, name):
    """Return the parameters of a branch and the steps of each of its sequences."""
    own = naive.part_of(p, name)
    parts = np.split(sequences[name].values, sequences[name].offsets[1:-1])
    width = len(own["hidden_0.input_weights"])
    return own, [naive.inputs(own, part).reshape(len(part), width) for part in parts]


def of_stack(form):
    return {name: form[name] for name in ("cells", "output_gate", "bidirectional") if name in form}


def naive_outputs(p, sequences, chosen):
    """Return the top layer's outputs of each sample, by branch."""
    outputs = {}
    for name, form in chosen.items():
        own, steps = steps_of(p, sequences, name)
        outputs[name] = [naive.stack(own, x, **of_stack(form))[0] for x in steps]
    return outputs


def naive_raw(p, outputs, chosen):
    n = len(next(iter(outputs.values())))
    return np.array(
        [
            naive.network_of_branches(p, {name: y[i] for name, y in outputs.items()}, chosen)
            for i in range(n)
        ]
    )


# Outputs


@pytest.mark.parametrize("pooling", ["last", "max", ("attention", "mean")], ids=str)
@ORDERS
@CUTS
def test_outputs_are_those_of_the_naive_equations(n_steps, first, pooling):
    chosen = forms(first, pooling)
    network, p, sequences = problem(chosen)
    expected = naive_raw(p, naive_outputs(p, sequences, chosen), chosen)
    pieces = pieces_of(sequences, n_steps=n_steps)
    for need_cache in (True, False):
        passed = forward(network, p, pieces, need_cache=need_cache)
        assert_allclose(passed.raw, expected, rtol=0, atol=1e-10)
    ((_, raw),) = raw_without_cache(network, p, pieces)
    assert_allclose(raw, expected, rtol=0, atol=1e-10)


@CUTS
def test_each_sample_alone_gives_the_same_as_in_a_batch(n_steps):
    network, p, sequences = problem()
    d_raw = projection(5)
    together = forward(network, p, pieces_of(sequences, n_steps=n_steps)).raw
    _, g = gradient(network, p, pieces_of(sequences, n_steps=n_steps), d_raw)
    total = np.zeros_like(g.vector)
    for i in range(5):
        alone = pieces_of(sequences, np.array([i]), n_steps)
        assert_allclose(forward(network, p, alone).raw[0], together[i], rtol=0, atol=1e-12)
        total += gradient(network, p, alone, d_raw[[i]])[1].vector
    assert_allclose(g.vector, total, rtol=1e-11, atol=1e-11)


@given(
    lengths=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), min_size=1, max_size=5),
    n_steps=st.sampled_from([None, 1, 3]),
    data=st.data(),
)
def test_the_order_of_the_samples_does_not_matter(lengths, n_steps, data):
    notes, vitals = zip(*lengths, strict=True)
    network, p, sequences = problem(lengths={"note": list(notes), "vitals": list(vitals)})
    order = np.array(data.draw(st.permutations(range(len(lengths)))))
    d_raw = projection(len(lengths))
    pieces, others = (
        pieces_of(sequences, indices, n_steps) for indices in (np.arange(len(order)), order)
    )
    assert_allclose(
        forward(network, p, others).raw, forward(network, p, pieces).raw[order], atol=1e-12
    )
    _, g = gradient(network, p, pieces, d_raw)
    _, g_2 = gradient(network, p, others, d_raw[order])
    assert_allclose(g.vector, g_2.vector, rtol=1e-11, atol=1e-11)


def test_samples_in_the_order_of_the_first_branch_s_batch_give_the_same():
    network, p, sequences = problem()
    order = np.argsort(-sequences["note"].lengths, kind="stable")
    pieces = pieces_of(sequences, order)
    x, piece = pieces["note"][0]
    in_order = pieces | {"note": OnePiece(x, Piece.whole(piece.batch))}
    d_raw = projection(5)
    loss, g = gradient(network, p, pieces, d_raw)
    loss_2, g_2 = gradient(network, p, in_order, d_raw)
    assert loss == loss_2
    assert_array_equal(g.vector, g_2.vector)


def test_without_a_single_step_the_head_reads_zeros():
    network, p, sequences = problem(lengths={"note": [0, 0], "vitals": [0, 0]})
    for n_steps in (None, 2):
        pieces = pieces_of(sequences, n_steps=n_steps)
        assert_array_equal(forward(network, p, pieces).raw, [p["head.bias"]] * 2)
        _, g = gradient(network, p, pieces, np.array([[1.0, 2], [3, 4]]))
        for name, array in g.items():
            assert_array_equal(array, [4, 6] if name == "head.bias" else 0, err_msg=name)


# Gradients


@pytest.mark.parametrize("pooling", ["attention", ("last", "max")], ids=str)
@ORDERS
def test_gradients_equal_central_differences(check_gradient, first, pooling):
    network, p, sequences = problem(forms(first, pooling), seed=SEED)
    pieces, d_raw = pieces_of(sequences), projection(5)
    passed = forward(network, p, pieces)
    g = unwritten(network)
    dx = backward(network, p, d_raw, passed, g, need_dx=True)

    def loss():
        return np.sum(d_raw * forward(network, p, pieces).raw)

    for name in p:
        check_gradient(loss, p[name], g[name], name)
    x, _ = pieces["vitals"][0]
    check_gradient(loss, x, dx["vitals"], "x")
    assert dx["note"].shape == (10, 2)


@ORDERS
def test_gradients_with_dropout_equal_central_differences(check_gradient, first):
    network, p, sequences = problem(forms(first))
    pieces, d_raw, dropout = pieces_of(sequences), projection(5), dropout_of(network, SOME, (3,), 5)
    loss, g = gradient(network, p, pieces, d_raw, dropout)
    assert loss != np.sum(d_raw * forward(network, p, pieces).raw)
    for name in p:
        if g[name].any():  # a mask may have left out all that an array does
            check_gradient(
                lambda: np.sum(d_raw * forward(network, p, pieces, dropout).raw),
                p[name],
                g[name],
                name,
            )


def truncated_problem(n_steps, first, pooling):
    """Return parameters, the naive loss with the first states of pieces held, and its gradient."""
    chosen = forms(first, pooling)
    network, p, sequences = problem(chosen, seed=SEED)
    d_raw = projection(5)
    _, g = gradient(network, p, pieces_of(sequences, n_steps=n_steps), d_raw)
    form = of_stack(chosen["vitals"])
    own, steps = steps_of(p, sequences, "vitals")
    held = [naive.stack(own, x, **form)[1] for x in steps]

    def loss():
        outputs = naive_outputs(p, sequences, chosen)
        outputs["vitals"] = [
            naive.outputs_truncated(naive.part_of(p, "vitals"), x, n_steps, states, **form)
            for x, states in zip(steps, held, strict=True)
        ]
        return np.sum(d_raw * naive_raw(p, outputs, chosen))

    return p, loss, g


@pytest.mark.parametrize("pooling", ["attention", "last", ("max", "mean")], ids=str)
@pytest.mark.parametrize("n_steps", [1, 2, 3])
@ORDERS
def test_gradient_is_that_of_pieces_whose_first_states_are_held(
    check_along_directions, first, n_steps, pooling
):
    p, loss, g = truncated_problem(n_steps, first, pooling)
    check_along_directions(loss, p.vector, g.vector, "parameters")


@pytest.mark.parametrize("pooling", ["attention", ("last", "mean")], ids=str)
@CUTS
def test_gradients_of_pieces_with_dropout_equal_central_differences(
    check_along_directions, n_steps, pooling
):
    """No state of "vitals" tells of steps before, so that a cut leaves nothing out."""
    form = FORMS["vitals"] | {"cells": ("rnn", "rnn"), "pooling": pooling}
    network, p, sequences = problem(FORMS | {"vitals": form})
    for name in p:
        if name.startswith("vitals") and name.endswith("recurrent_weights"):
            p[name][...] = 0
    pieces, d_raw = pieces_of(sequences, n_steps=n_steps), projection(5)
    dropout = dropout_of(network, SOME, (3,), 5)
    _, g = gradient(network, p, pieces, d_raw, dropout)
    for name in p:
        if g[name].any() and not name.endswith("recurrent_weights"):
            check_along_directions(
                lambda: np.sum(d_raw * forward(network, p, pieces, dropout).raw),
                p[name],
                g[name],
                name,
                n_directions=1,
            )


@CUTS
def test_in_pieces_too_a_pass_with_dropout_can_be_had_again(n_steps):
    network, p, sequences = problem()
    pieces, d_raw = pieces_of(sequences, n_steps=n_steps), projection(5)
    results = [
        gradient(network, p, pieces, d_raw, dropout_of(network, SOME, (seed,), 5))
        for seed in (3, 3, 4)
    ]
    assert results[0][0] == results[1][0] != results[2][0]
    assert_array_equal(results[0][1].vector, results[1][1].vector)


def test_each_branch_leaves_out_parts_of_its_own():
    source = NetworkDropout((SOME,) * 3, FusionRates(), (3,), 50)
    x = np.zeros((50, 20))
    masks = []
    for i in range(3):
        dropout = source.of_branch(i).of_piece(0)
        masks.append((dropout.of_inputs(x), dropout.of_states(0, 20, x.dtype)))
    plain = DropoutSource(SOME, (3,), 50).of_piece(0)
    assert_array_equal(masks[0][0], plain.of_inputs(x))  # the first has those of an only branch
    assert_array_equal(masks[0][1], plain.of_states(0, 20, x.dtype))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        for a, b in zip(masks[one], masks[other], strict=True):
            assert 0.3 < np.mean((a == 0) != (b == 0)) < 0.6  # as if drawn apart


# The network's parts


@ORDERS
def test_parameters_are_named_and_laid_out_as_documented(first):
    network = build(forms(first))
    names = list(network.shapes)
    assert names[-1] == "note.embedding.weights"
    assert network.shapes["head.weights"] == (2 * 4 + 2, K)
    first_layer = "note.hidden_0.input_weights"
    assert names[0] == (first_layer if first == "note" else "vitals.hidden_0.input_weights")
    weights = [name for name in names if len(network.shapes[name]) == 2][:-1]
    assert names[: len(weights)] == weights
    parts = list(dict.fromkeys(name.rpartition(".")[0] for name in weights))
    note, vitals = ["note.hidden_0"], ["vitals.hidden_0", "vitals.hidden_1"]
    layers = note + vitals if first == "note" else vitals + note
    assert parts == [*layers, "head", "vitals.pooling"]
    assert network.n_penalized == sum(np.prod(network.shapes[name]) for name in weights)


def test_of_a_branch_the_parameters_are_those_of_a_network_of_its_own():
    network = build(forms())
    shapes = {}
    for name, form in FORMS.items():
        alone = build({name: form}).shapes
        shapes |= {f"{name}.{part}": s for part, s in alone.items() if not part.startswith("head")}
    assert shapes == {name: s for name, s in network.shapes.items() if not name.startswith("head")}


def test_initialize_draws_anew_for_each_branch_whatever_the_type():
    chosen = {"one": FORMS["vitals"], "two": FORMS["vitals"]}
    network = build(chosen)
    single, double = (
        network.initialize(np.random.RandomState(0), dtype) for dtype in (np.float32, np.float64)
    )
    assert_array_equal(single, double.astype(np.float32))
    p = network.parameters(double)
    for name, array in p.items():
        if name.startswith("one.") and "weights" in name:
            assert (array != p["two" + name[3:]]).all(), name


def test_branches_without_a_pooling_are_those_whose_steps_the_head_reads():
    steps = FORMS["vitals"] | {"pooling": None}
    assert build(FORMS).step_branches == ()
    assert build(FORMS).step_branch is None
    for chosen in ({"vitals": steps}, FORMS | {"vitals": steps}):
        network = build(chosen)
        assert network.reads_steps
        assert network.step_branch == "vitals"
        assert network.step_branches == ("vitals",)
    two = build({"note": FORMS["note"] | {"pooling": None}, "vitals": steps})
    assert two.step_branches == ("note", "vitals")
    assert two.step_branch == "note"


@pytest.mark.parametrize("names", [(), ("note", "note")])
def test_names_of_branches_are_needed_and_different(names):
    spec = branch_spec(**FORMS["note"])
    with pytest.raises(ValueError, match="at least one branch, each with its own name"):
        Network(NetworkSpec(tuple((name, spec) for name in names), K))


def test_a_spec_knows_its_branches_by_name_and_cannot_be_changed():
    spec = build(forms()).spec
    assert spec == build(forms()).spec
    assert hash(spec) == hash(build(forms()).spec)
    assert list(spec.by_name) == ["note", "vitals"]
    assert spec.by_name["note"].input.n_tokens == V
    with pytest.raises(AttributeError):
        spec.n_outputs = 3


@pytest.mark.parametrize(
    ("frozen", "n_last"),
    [((False, False), 0), ((True, False), 0), ((False, True), 12), ((True, True), 27)],
)
def test_what_is_frozen_at_the_end_of_theta_does_not_move(frozen, n_last):
    branches = tuple(
        (name, branch_spec(3, (4,), n_tokens=n_tokens, freeze_embedding=is_frozen))
        for name, n_tokens, is_frozen in zip("ab", (5, 4), frozen, strict=True)
    )
    network = Network(NetworkSpec(branches, 2))
    assert network.n_moving == size_of(network.shapes) - n_last
    assert list(network.shapes)[-2:] == ["a.embedding.weights", "b.embedding.weights"]
