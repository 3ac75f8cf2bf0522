"""The simple recurrent cell: what its equation says of single cases."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from tests import naive
from tests.cell_problems import CELLS, D, H, problem
from tests.passes import forward_cell


def test_without_recurrent_weights_a_step_knows_nothing_of_the_others():
    cell, p, sequences, initial = problem([4, 2, 0], kind="rnn")
    p["recurrent_weights"][:] = 0
    x = naive.pack(sequences)
    states, final, _ = forward_cell(cell, p, x, Batch(np.array([4, 2, 0])), initial)
    assert_allclose(states[3:], np.tanh(x @ p["input_weights"] + p["bias"]), rtol=0, atol=1e-15)
    assert_array_equal(final[2], initial[2])


def test_without_input_weights_the_state_goes_on_through_its_weights():
    cell = CELLS["rnn"]
    p = {name: np.zeros(shape) for name, shape in cell.shapes().items()}
    p["recurrent_weights"][:] = np.roll(np.eye(H), 1, axis=1)  # each unit reads its neighbour
    initial = np.arange(1.0, H + 1)[None] / 10
    _, final, _ = forward_cell(cell, p, np.ones((3, D)), Batch(np.array([3])), initial)
    expected = np.tanh(np.tanh(np.tanh(np.roll(initial, 3, axis=1))))
    assert_allclose(final, expected, rtol=1e-14)
