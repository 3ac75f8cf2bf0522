"""The recurrent cells where their states decay: equations, gradients, batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from tests import naive
from tests.cell_problems import (
    CELLS,
    INITIALS,
    LENGTHS,
    NAIVE,
    D,
    H,
    decay_problem,
    problem,
    random_upstream,
)
from tests.kinds import KINDS
from tests.parts import unwritten
from tests.passes import backward_cell, forward_cell


@INITIALS
@LENGTHS
@KINDS
def test_forward_with_decay_equals_the_naive_equations(kind, lengths, with_initial):
    cell, p, sequences, further = decay_problem(lengths, kind=kind, with_initial=with_initial)
    batch, initial = Batch(np.array(lengths)), further["initial"]
    before = np.zeros((len(lengths), cell.n_states)) if initial is None else initial
    decay_of = naive.unpack(further["decay"], lengths)
    expected = [
        NAIVE[kind](p, x, state, decay=decay)
        for x, state, decay in zip(sequences, before, decay_of, strict=True)
    ]
    last = [y[-1] if len(y) else state for y, state in zip(expected, before, strict=True)]
    for need_cache in (True, False):
        states, final, _ = forward_cell(
            cell, p, naive.pack(sequences), batch, **further, need_cache=need_cache
        )
        assert_array_equal(states[: len(lengths)], before[:, :H])
        assert_allclose(states[len(lengths) :], naive.pack(expected)[:, :H], rtol=0, atol=1e-10)
        assert_allclose(final, last, rtol=0, atol=1e-10)


@KINDS
def test_where_nothing_is_left_of_the_state_each_step_is_a_first_one(kind):
    lengths = [4, 2, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x = naive.pack(sequences)
    states, _, _ = forward_cell(
        cell, p, x, Batch(np.array(lengths)), initial, decay=np.zeros((8, H))
    )
    alone, _, _ = forward_cell(cell, p, x, Batch(np.ones(8, np.intp)))
    assert_allclose(states[4:], alone[8:], rtol=0, atol=1e-15)


@LENGTHS
@KINDS
def test_a_decay_that_leaves_all_changes_nothing(kind, lengths):
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    results = []
    for decay in (None, np.ones((len(x), H))):
        states, final, cache = forward_cell(cell, p, x, batch, initial, decay=decay)
        dx, d_initial, d_decay = backward_cell(
            cell, p, d_states, d_last, batch, cache, g := unwritten(cell)
        )
        assert (d_decay is None) == (decay is None)
        results.append((states, final, dx, d_initial, *g.values()))
    for one, other in zip(*results, strict=True):
        assert_allclose(one, other, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("loss_of", ["states", "last", "both"])
@pytest.mark.parametrize("lengths", [[4, 2, 2, 1, 0], [3, 3]], ids=str)
@KINDS
def test_gradients_with_decay_equal_central_differences(
    check_gradient, kind, lengths, loss_of, masked
):
    cell, p, sequences, further = decay_problem(lengths, kind=kind, masked=masked)
    batch, x = Batch(np.array(lengths)), naive.pack(sequences)
    on_states, on_last = random_upstream(batch, np.random.RandomState(1))
    if loss_of == "states":
        on_last = None
    if loss_of == "last":
        on_states = None

    def loss():
        states, _, _ = forward_cell(cell, p, x, batch, **further)
        loss = 0.0
        if on_states is not None:
            loss += np.sum(on_states * states[batch.n_sequences :])
        if on_last is not None:
            loss += np.sum(on_last * batch.last(states))
        return loss

    g = unwritten(cell)
    _, _, cache = forward_cell(cell, p, x, batch, **further)
    dx, d_initial, d_decay = backward_cell(cell, p, on_states, on_last, batch, cache, g)
    for name in cell.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, further["initial"], d_initial, "initial")
    check_gradient(loss, further["decay"], d_decay, "decay")


@KINDS
def test_only_empty_sequences_have_no_decay(kind):
    cell, p, _, initial = problem([0, 0], kind=kind)
    batch = Batch(np.array([0, 0]))
    states, final, cache = forward_cell(
        cell, p, np.zeros((0, D)), batch, initial, decay=np.zeros((0, H))
    )
    assert_array_equal(states, initial[:, :H])
    assert_array_equal(final, initial)
    _, d_initial, d_decay = backward_cell(
        cell, p, None, np.ones((2, H)), batch, cache, g := unwritten(cell)
    )
    assert d_decay.shape == (0, H)
    assert_array_equal(d_initial[:, :H], 1)
    assert_array_equal(d_initial[:, H:], 0)
    for array in g.values():
        assert_array_equal(array, 0)


@KINDS
def test_passes_with_decay_change_none_of_their_arguments(kind):
    lengths = [4, 2, 2, 0]
    cell, p, sequences, further = decay_problem(lengths, kind=kind, masked=True)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    for array in (d_states, d_last, x, *further.values(), *p.values()):
        array.flags.writeable = False
    results = []
    for need_dx in (True, True, False):
        _, _, cache = forward_cell(cell, p, x, batch, **further)
        dx, *d = backward_cell(
            cell, p, d_states, d_last, batch, cache, g := unwritten(cell), need_dx=need_dx
        )
        assert (dx is not None) == need_dx
        assert not any(np.shares_memory(d[1], array) for array in further.values())
        results.append((*d, *g.values()))
    for arrays in zip(*results, strict=True):
        assert_array_equal(arrays[0], arrays[1])
        assert_array_equal(arrays[0], arrays[2])


@KINDS
def test_float32_with_decay_stays_float32_and_close_to_float64(kind):
    lengths = [5, 3, 3, 0]
    cell, p, sequences, further = decay_problem(lengths, kind=kind, masked=True)
    batch, x = Batch(np.array(lengths)), naive.pack(sequences)
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    results = {}
    for dtype in (np.float32, np.float64):
        q = {name: value.astype(dtype) for name, value in p.items()}
        g = {name: value.astype(dtype) for name, value in unwritten(cell).items()}
        cast = {name: value.astype(dtype) for name, value in further.items()}
        states, final, cache = forward_cell(cell, q, x.astype(dtype), batch, **cast)
        d = backward_cell(cell, q, d_states.astype(dtype), d_last.astype(dtype), batch, cache, g)
        results[dtype] = [states, final, *d, *g.values()]
        assert all(array.dtype == dtype for array in [*results[dtype], *cache])
    for single, double in zip(*results.values(), strict=True):
        assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    kind=st.sampled_from(list(CELLS)),
    masked=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_each_sequence_alone_decays_as_in_a_batch(lengths, kind, masked, seed):
    lengths = sorted(lengths, reverse=True)
    cell, p, sequences, further = decay_problem(lengths, kind=kind, masked=masked, seed=seed)
    batch = Batch(np.array(lengths))
    states, final, cache = forward_cell(cell, p, naive.pack(sequences), batch, **further)
    d_states, d_last = random_upstream(batch, np.random.RandomState(seed + 1))
    d = backward_cell(cell, p, d_states, d_last, batch, cache, g := unwritten(cell))

    by_row = [states[batch.n_sequences :], d[0], d[2], further["decay"], d_states]
    y_of, dx_of, d_decay_of, decay_of, d_states_of = (naive.unpack(a, lengths) for a in by_row)
    total = {name: np.zeros(shape) for name, shape in cell.shapes().items()}
    for i, x in enumerate(sequences):
        alone, here = Batch(np.array([lengths[i]])), slice(i, i + 1)
        own = further | {"initial": further["initial"][here], "decay": decay_of[i]}
        if masked:
            own["mask"] = further["mask"][here]
        states_i, final_i, cache_i = forward_cell(cell, p, x, alone, **own)
        dx, d_initial, d_decay = backward_cell(
            cell, p, d_states_of[i], d_last[here], alone, cache_i, g_i := unwritten(cell)
        )
        assert_allclose(y_of[i], states_i[1:], rtol=0, atol=1e-12)
        assert_allclose(final[here], final_i, rtol=0, atol=1e-12)
        assert_allclose(dx_of[i], dx, rtol=1e-12, atol=1e-12)
        assert_allclose(d[1][here], d_initial, rtol=1e-12, atol=1e-12)
        assert_allclose(d_decay_of[i], d_decay, rtol=1e-12, atol=1e-12)
        for name in total:
            total[name] += g_i[name]
    for name in total:
        assert_allclose(g[name], total[name], rtol=1e-11, atol=1e-11)
