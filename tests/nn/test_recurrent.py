"""The recurrent stack and its layers, in one direction and in both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._nn.batch import Batch
from skgru._nn.part import OutputGradients, Run
from tests import kinds, naive
from tests.kinds import KINDS, cells_of
from tests.network_problems import (
    DEPTHS,
    DIRECTIONS,
    GATES,
    LENGTHS,
    WIDTHS,
    D,
    random_sequences,
    random_vector,
    unwritten_vector,
)
from tests.parts import random_parameters, unwritten
from tests.passes import backward_layer, forward_layer, make_stack


def layer_problem(lengths, *, kind, **form):
    """Return a layer with random parameters, sequences and initial states for it."""
    rng = np.random.RandomState(0)
    layer = make_stack(D, (4,), **cells_of(kind, 1), **form).layers["hidden_0"]
    p = random_parameters(layer, rng, 0.8)
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


def test_a_cell_without_naive_equations_fails_and_says_what_to_do():
    assert set(kinds.NAMES) == set(naive.CELLS)
    with pytest.raises(NotImplementedError, match=r"no equations of the cell 'min'.*its CELLS"):
        naive.cell("min")


# Gradients


@pytest.mark.parametrize("loss_of", ["outputs", "last", "both"])
@DIRECTIONS
@GATES
@KINDS
def test_layer_gradients_equal_central_differences(
    check_gradient, check_along_directions, kind, output_gate, bidirectional, loss_of
):
    """With a loss of both kinds of outputs, number by number; with one of them, array by array."""
    check = check_gradient if loss_of == "both" else check_along_directions
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

    g = unwritten(layer)
    _, cache = forward_layer(layer, p, x, batch, initial)
    dx, d_initial, _ = backward_layer(layer, p, on_outputs, on_last, batch, cache, g)
    for name in layer.shapes():
        check(loss, p[name], g[name], name)
    check(loss, x, dx, "x")
    check(loss, initial, d_initial, "initial")


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
    p, g = random_vector(shapes, rng), unwritten_vector(shapes)
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
    p = random_parameters(layer, rng, 0.8)
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

    g = unwritten(layer)
    _, cache = forward_layer(layer, p, x, batch, initial, gaps=gaps)
    dx, d_initial, d_gaps = backward_layer(layer, p, on_outputs, on_last, batch, cache, g)
    for name in layer.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, initial, d_initial, "initial")
    check_gradient(loss, gaps, d_gaps, "gaps")
