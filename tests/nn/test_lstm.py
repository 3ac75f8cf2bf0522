"""Long short-term memory: what its gates do."""

import numpy as np
from numpy.testing import assert_allclose

from skgru._nn.batch import Batch
from tests import naive
from tests.cell_problems import (
    H,
    problem,
)
from tests.passes import forward_cell


def test_lstm_forgets_and_writes_as_its_gates_say():
    cell, p, sequences, initial = problem([3, 2], kind="lstm")
    batch, x = Batch(np.array([3, 2])), naive.pack(sequences)
    o, i, f, u = naive.gates(p["bias"], 4)
    naive.gates(p["recurrent_weights"], 4)[3][:] = 0
    candidate = np.tanh(x @ naive.gates(p["input_weights"], 4)[3] + u)

    o[:], i[:], f[:] = 100, -100, 100  # the memory stays, and is shown
    _, final, _ = forward_cell(cell, p, x, batch, initial)
    assert_allclose(final[:, H:], initial[:, H:], rtol=0, atol=1e-15)
    assert_allclose(final[:, :H], np.tanh(initial[:, H:]), rtol=0, atol=1e-15)

    o[:], i[:], f[:] = 100, 100, -100  # the memory is the candidate
    states, _, _ = forward_cell(cell, p, x, batch, initial)
    assert_allclose(states[2:], np.tanh(candidate), rtol=0, atol=1e-15)

    o[:], i[:], f[:] = -100, 100, 100  # nothing is shown, but the memory grows
    states, final, _ = forward_cell(cell, p, x, batch, initial)
    assert_allclose(states[2:], 0, atol=1e-15)
    total = [sum(u_i) for u_i in naive.unpack(candidate, [3, 2])]
    assert_allclose(final[:, H:], initial[:, H:] + total, rtol=0, atol=1e-14)
