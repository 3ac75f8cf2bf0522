"""The gated recurrent unit: what its gates do."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._nn.batch import Batch
from tests import naive
from tests.cell_problems import (
    CELLS,
    D,
    H,
    problem,
)
from tests.kinds import GRU_KINDS
from tests.passes import forward_cell

RESETS = pytest.mark.parametrize("kind", GRU_KINDS)


@RESETS
def test_update_gate_weighs_the_candidate(kind):
    cell, p, sequences, initial = problem([3, 2], kind=kind)
    batch, x = Batch(np.array([3, 2])), naive.pack(sequences)

    p["bias"][:H] = -100  # z = 0: the state stays
    states, _, _ = forward_cell(cell, p, x, batch, initial)
    assert_allclose(batch.last(states), initial, rtol=0, atol=1e-15)

    p["bias"][:H] = 100  # z = 1: the state is the candidate
    p["recurrent_weights"][:, 2 * H :] = 0
    if "recurrent_bias" in cell.shapes():
        p["recurrent_bias"][:] = 0
    states, _, _ = forward_cell(cell, p, x, batch, initial)
    candidate = np.tanh(x @ p["input_weights"][:, 2 * H :] + p["bias"][2 * H :])
    assert_allclose(states[2:], candidate, rtol=0, atol=1e-15)


@RESETS
def test_closed_reset_gate_hides_the_state_and_the_recurrent_bias(kind):
    cell, p, sequences, initial = problem([1], kind=kind)
    p["bias"][:H], p["bias"][H : 2 * H] = 100, -100  # z = 1, r = 0
    x = naive.pack(sequences)
    states, _, _ = forward_cell(cell, p, x, Batch(np.array([1])), initial)
    candidate = np.tanh(x @ p["input_weights"][:, 2 * H :] + p["bias"][2 * H :])
    assert_allclose(states[1:], candidate, rtol=0, atol=1e-15)


@RESETS
def test_open_reset_gate_shows_the_state_and_the_recurrent_bias(kind):
    cell, p, sequences, initial = problem([1], kind=kind)
    p["bias"][: 2 * H] = 100  # z = r = 1
    x = naive.pack(sequences)
    states, _, _ = forward_cell(cell, p, x, Batch(np.array([1])), initial)
    argument = x @ p["input_weights"][:, 2 * H :] + p["bias"][2 * H :]
    argument += initial @ p["recurrent_weights"][:, 2 * H :]
    argument += p.get("recurrent_bias", 0)
    assert_allclose(states[1:], np.tanh(argument), rtol=0, atol=1e-15)


@RESETS
def test_without_weights_the_state_halves_at_each_step(kind):
    cell = CELLS[kind]
    p = {name: np.zeros(shape) for name, shape in cell.shapes().items()}
    initial = np.arange(1.0, 9.0).reshape(2, H)
    batch = Batch(np.array([3, 1]))
    states, _, _ = forward_cell(cell, p, np.ones((4, D)), batch, initial)
    assert_allclose(batch.last(states), [initial[0] / 8, initial[1] / 2], rtol=1e-15)
