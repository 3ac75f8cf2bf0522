"""The recurrent cells: their equations, their gradients, and how they treat a batch."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skgru._nn.batch import Arena, Batch
from skgru._nn.cells import glorot_uniform, orthogonal, sigmoid_
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
from tests.kinds import KINDS, make_cell
from tests.parts import random_parameters, unwritten
from tests.passes import backward_cell, forward_cell

# Forward


@INITIALS
@LENGTHS
@KINDS
def test_forward_equals_the_naive_equations(kind, lengths, with_initial):
    cell, p, sequences, initial = problem(lengths, kind=kind, with_initial=with_initial)
    batch = Batch(np.array(lengths))
    states, final, _ = forward_cell(cell, p, naive.pack(sequences), batch, initial)

    before = np.zeros((len(lengths), cell.n_states)) if initial is None else initial
    expected = [NAIVE[kind](p, x, state) for x, state in zip(sequences, before, strict=True)]
    assert_array_equal(states[: len(lengths)], before[:, :H])
    assert_allclose(states[len(lengths) :], naive.pack(expected)[:, :H], rtol=0, atol=1e-10)
    last = [y[-1] if len(y) else state for y, state in zip(expected, before, strict=True)]
    assert_allclose(final, last, rtol=0, atol=1e-10)


@KINDS
def test_huge_inputs_give_no_warning_and_no_nan(kind):
    cell, p, _, initial = problem([4, 2], kind=kind)
    batch = Batch(np.array([4, 2]))
    x = np.where(np.random.RandomState(1).uniform(size=(6, D)) < 0.5, -1e4, 1e4)
    states, _, cache = forward_cell(cell, p, x, batch, initial)
    dx, d_initial, _ = backward_cell(
        cell, p, np.ones((6, H)), None, batch, cache, g := unwritten(cell)
    )
    for array in (states, dx, d_initial, *g.values()):
        assert np.isfinite(array).all()


@KINDS
def test_float32_stays_float32_and_close_to_float64(kind):
    lengths = [5, 3, 3, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    batch, x = Batch(np.array(lengths)), naive.pack(sequences)
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))

    results = {}
    for dtype in (np.float32, np.float64):
        q = {name: value.astype(dtype) for name, value in p.items()}
        g = {name: value.astype(dtype) for name, value in unwritten(cell).items()}
        states, final, cache = forward_cell(cell, q, x.astype(dtype), batch, initial.astype(dtype))
        dx, d_initial, _ = backward_cell(
            cell, q, d_states.astype(dtype), d_last.astype(dtype), batch, cache, g
        )
        results[dtype] = [states, final, dx, d_initial, *g.values()]
        assert all(array.dtype == dtype for array in results[dtype])
        assert all(array is None or array.dtype == dtype for array in cache)
    for single, double in zip(*results.values(), strict=True):
        assert_allclose(single, double, rtol=1e-4, atol=1e-4)


# Backward


def check_all_gradients(check_gradient, lengths, *, kind, of_states, of_last):
    """Check every derivative of a random projection of all states, the last states, or both."""
    cell, p, sequences, initial = problem(lengths, kind=kind)
    batch, x = Batch(np.array(lengths)), naive.pack(sequences)
    on_states, on_last = random_upstream(batch, np.random.RandomState(1))

    def loss():
        states, _, _ = forward_cell(cell, p, x, batch, initial)
        loss = 0.0
        if of_states:
            loss += np.sum(on_states * states[batch.n_sequences :])
        if of_last:
            loss += np.sum(on_last * batch.last(states))
        return loss

    g = unwritten(cell)
    _, _, cache = forward_cell(cell, p, x, batch, initial)
    dx, d_initial, _ = backward_cell(
        cell, p, on_states if of_states else None, on_last if of_last else None, batch, cache, g
    )
    for name in cell.shapes():
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, initial, d_initial, "initial")


@pytest.mark.parametrize("lengths", [[4, 2, 2, 1, 0], [3, 3], [1]], ids=str)
@pytest.mark.parametrize("loss_of", ["states", "last", "both"])
@KINDS
def test_gradients_equal_central_differences(check_gradient, kind, loss_of, lengths):
    check_all_gradients(
        check_gradient,
        lengths,
        kind=kind,
        of_states=loss_of in ("states", "both"),
        of_last=loss_of in ("last", "both"),
    )


@KINDS
def test_last_state_of_an_empty_sequence_passes_its_gradient_to_the_initial_state(kind):
    cell, p, sequences, initial = problem([2, 0, 0], kind=kind)
    batch = Batch(np.array([2, 0, 0]))
    _, _, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    d_last = np.random.RandomState(1).normal(size=(3, H))
    _, d_initial, _ = backward_cell(cell, p, None, d_last, batch, cache, unwritten(cell))
    assert_array_equal(d_initial[1:, :H], d_last[1:])
    assert_array_equal(d_initial[1:, H:], 0)


@KINDS
def test_only_empty_sequences_give_zero_parameter_gradients(kind):
    cell, p, sequences, initial = problem([0, 0], kind=kind)
    batch = Batch(np.array([0, 0]))
    states, final, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    assert_array_equal(states, initial[:, :H])
    assert_array_equal(final, initial)
    d_last = np.ones((2, H))
    dx, d_initial, _ = backward_cell(cell, p, None, d_last, batch, cache, g := unwritten(cell))
    assert dx.shape == (0, D)
    assert_array_equal(d_initial[:, :H], d_last)
    assert_array_equal(d_initial[:, H:], 0)
    for array in g.values():
        assert_array_equal(array, 0)


@KINDS
def test_no_gradient_in_gives_no_gradient_out(kind):
    cell, p, sequences, initial = problem([3, 1], kind=kind)
    batch = Batch(np.array([3, 1]))
    _, _, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    dx, d_initial, _ = backward_cell(cell, p, None, None, batch, cache, g := unwritten(cell))
    for array in (dx, d_initial, *g.values()):
        assert_array_equal(array, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@KINDS
def test_no_gradient_ends_in_denormal_numbers(kind, dtype):
    # Its way back over so many steps would lead through them, and take many times as long.
    lengths = {np.float32: [600, 500], np.float64: [4000, 3000]}[dtype]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    p = {name: (0.1 * value).astype(dtype) for name, value in p.items()}
    batch, x = Batch(np.array(lengths)), naive.pack(sequences).astype(dtype)
    _, _, cache = forward_cell(cell, p, x, batch, initial.astype(dtype))
    g = {name: value.astype(dtype) for name, value in unwritten(cell).items()}
    dx, d_initial, _ = backward_cell(cell, p, None, np.ones((2, H), dtype), batch, cache, g)
    assert (dx != 0).any()
    assert_array_equal(d_initial, 0)
    for array in (dx, cache.gates):
        assert not ((array != 0) & (np.abs(array) < np.finfo(dtype).tiny)).any()


@LENGTHS
@KINDS
def test_no_initial_state_is_one_of_zeros(kind, lengths):
    cell, p, sequences, _ = problem(lengths, kind=kind)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    results = []
    for initial in (None, np.zeros((len(lengths), cell.n_states))):
        states, final, cache = forward_cell(cell, p, x, batch, initial)
        d = backward_cell(cell, p, d_states, d_last, batch, cache, g := unwritten(cell))
        results.append((states, final, *d, *g.values()))
    for one, other in zip(*results, strict=True):
        assert_array_equal(one, other)


@KINDS
def test_forward_changes_none_of_its_arguments(kind):
    lengths = [3, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x = naive.pack(sequences)
    for array in (x, initial, *p.values()):
        array.flags.writeable = False
    states, final, _ = forward_cell(cell, p, x, Batch(np.array(lengths)), initial)
    assert not np.shares_memory(states, initial)
    assert not np.shares_memory(final, initial)


@KINDS
def test_backward_changes_none_of_its_arguments_but_the_cache(kind):
    lengths = [4, 2, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    for array in (d_states, d_last, x, initial, *p.values()):
        array.flags.writeable = False

    first, second = unwritten(cell), unwritten(cell)
    _, _, cache = forward_cell(cell, p, x, batch, initial)
    dx, d_initial, _ = backward_cell(cell, p, d_states, d_last, batch, cache, first)
    _, _, cache = forward_cell(cell, p, x, batch, initial)
    dx_2, d_initial_2, _ = backward_cell(cell, p, d_states, d_last, batch, cache, second)
    assert_array_equal(dx, dx_2)
    assert_array_equal(d_initial, d_initial_2)
    for name in cell.shapes():
        assert_array_equal(first[name], second[name])


@KINDS
def test_backward_replaces_the_gradients_that_it_finds(kind):
    cell, p, sequences, initial = problem([3, 2], kind=kind)
    batch = Batch(np.array([3, 2]))
    d_last = np.ones((2, H))
    fresh, used = unwritten(cell), random_parameters(cell, np.random.RandomState(2), 0.8)
    for g in (fresh, used):
        _, _, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
        backward_cell(cell, p, None, d_last, batch, cache, g)
    for name in cell.shapes():
        assert_array_equal(fresh[name], used[name])


@KINDS
def test_without_input_gradient_the_others_are_the_same(kind):
    lengths = [4, 2, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    batch = Batch(np.array(lengths))
    d_states, d_last = random_upstream(batch, np.random.RandomState(1))
    full, short = unwritten(cell), unwritten(cell)
    _, _, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    dx, d_initial, _ = backward_cell(cell, p, d_states, d_last, batch, cache, full)
    _, _, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    no_dx, d_initial_2, _ = backward_cell(
        cell, p, d_states, d_last, batch, cache, short, need_dx=False
    )
    assert dx.shape == (batch.n_rows, D)
    assert no_dx is None
    assert_array_equal(d_initial, d_initial_2)
    for name in cell.shapes():
        assert_array_equal(full[name], short[name])


# Any lengths


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    kind=st.sampled_from(list(CELLS)),
    seed=st.integers(0, 1000),
)
def test_each_sequence_alone_gives_the_same_as_in_a_batch(lengths, kind, seed):
    lengths = sorted(lengths, reverse=True)
    cell, p, sequences, initial = problem(lengths, kind=kind, seed=seed)
    batch = Batch(np.array(lengths))
    states, final, cache = forward_cell(cell, p, naive.pack(sequences), batch, initial)
    d_states, d_last = random_upstream(batch, np.random.RandomState(seed + 1))
    dx, d_initial, _ = backward_cell(cell, p, d_states, d_last, batch, cache, g := unwritten(cell))

    y_of = naive.unpack(states[batch.n_sequences :], lengths)
    dx_of, d_states_of = naive.unpack(dx, lengths), naive.unpack(d_states, lengths)
    total = {name: np.zeros(shape) for name, shape in cell.shapes().items()}
    for i, x in enumerate(sequences):
        alone, here = Batch(np.array([lengths[i]])), slice(i, i + 1)
        states_i, final_i, cache_i = forward_cell(cell, p, x, alone, initial[here])
        dx_i, d_initial_i, _ = backward_cell(
            cell, p, d_states_of[i], d_last[here], alone, cache_i, g_i := unwritten(cell)
        )
        assert_allclose(y_of[i], states_i[1:], rtol=0, atol=1e-12)
        assert_allclose(final[here], final_i, rtol=0, atol=1e-12)
        assert_allclose(dx_of[i], dx_i, rtol=1e-12, atol=1e-12)
        assert_allclose(d_initial[here], d_initial_i, rtol=1e-12, atol=1e-12)
        for name in total:
            total[name] += g_i[name]
    for name in total:
        assert_allclose(g[name], total[name], rtol=1e-11, atol=1e-11)


# Parts


def test_sigmoid_takes_half_the_argument_in_place():
    a = np.linspace(-400, 400, 801)
    expected = expit(a)
    a /= 2
    sigmoid_(a)
    assert_allclose(a, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_exact_at_the_ends_and_in_the_middle(dtype):
    a = np.array([-1e4, 0, 1e4], dtype)
    sigmoid_(a)
    assert a.dtype == dtype
    assert_array_equal(a, [0, 0.5, 1])


def test_glorot_draws_fill_their_interval():
    draws = glorot_uniform(np.random.RandomState(0), 100, 200)
    bound = np.sqrt(6 / 300)
    assert draws.shape == (100, 200)
    assert np.abs(draws).max() <= bound
    assert_allclose([draws.min(), draws.max()], [-bound, bound], rtol=0.01)
    assert_allclose(draws.var(), 2 / 300, rtol=0.05)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_orthogonal_draws_are_orthogonal(n):
    q = orthogonal(np.random.RandomState(0), n)
    assert_allclose(q.T @ q, np.eye(n), rtol=0, atol=1e-14)


def test_orthogonal_draws_are_uniform_over_the_group():
    rng = np.random.RandomState(0)
    traces = np.array([np.trace(orthogonal(rng, 3)) for _ in range(2000)])
    # The trace has mean 0 and variance 1 under Haar's measure on O(n) (Diaconis & Mallows 1986).
    assert abs(traces.mean()) < 4 / np.sqrt(2000)
    assert abs(traces.var() - 1) < 0.15


@KINDS
def test_initialize_draws_each_gate_for_itself(kind):
    cell = make_cell(kind, 30, 20)
    p = unwritten(cell)
    cell.initialize(p, np.random.RandomState(0))

    bound = np.sqrt(6 / (30 + 20))
    for block in naive.gates(p["input_weights"], cell.n_gates):
        assert np.abs(block).max() <= bound
        assert np.abs(block).max() > 0.95 * bound
    matrices = [name for name, array in p.items() if array.ndim == 2]
    assert matrices == ["input_weights", "recurrent_weights"][: 1 + cell.reads_state]
    recurrent = [naive.gates(p[name], cell.n_gates) for name in matrices[1:]]
    for block in itertools.chain(*recurrent):
        assert_allclose(block @ block.T, np.eye(20), rtol=0, atol=1e-13)
    for name in matrices:
        corners = {block[0, 0] for block in naive.gates(p[name], cell.n_gates)}
        assert len(corners) == cell.n_gates
    if kind == "lstm":
        forget_bias = naive.gates(p["bias"], 4)[2]
        assert_array_equal(forget_bias, 1)  # it starts by remembering
        forget_bias[:] = 0
    if kind == "mingru":
        update_bias = naive.gates(p["bias"], 2)[0]
        spans = 1 / expit(update_bias) - 1  # the state is a mean over about so many steps
        assert_allclose(spans, np.geomspace(1, 100, 20))
        update_bias[:] = 0
    for name, value in p.items():
        if value.ndim == 1:
            assert_array_equal(value, 0, err_msg=name)


@pytest.mark.parametrize(
    ("kind", "n_gates", "n_states"),
    [
        ("gru", 3, H),
        ("gru-reset_after", 3, H),
        ("lstm", 4, 2 * H),
        ("rnn", 1, H),
        ("mingru", 2, H),
    ],
)
def test_shapes_are_the_documented_ones(kind, n_gates, n_states):
    width = n_gates * H
    expected = {"input_weights": (D, width), "recurrent_weights": (H, width), "bias": (width,)}
    if kind == "gru-reset_after":
        expected["recurrent_bias"] = (H,)
    if kind == "mingru":
        del expected["recurrent_weights"]
    assert CELLS[kind].shapes() == expected
    assert CELLS[kind].n_states == n_states


# Blocks of steps and memory used again


@KINDS
@pytest.mark.parametrize("block_size", [1, 3 * H, 7 * H])
def test_blocks_of_steps_change_nothing(kind, block_size, monkeypatch):
    lengths = [9, 7, 7, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    rng = np.random.RandomState(1)
    d_states, d_last = random_upstream(batch, rng)
    decay = rng.uniform(size=(batch.n_rows, H))

    def run():
        g = unwritten(cell)
        states, final, cache = forward_cell(cell, p, x, batch, initial, decay=decay)
        states = states.copy()
        return (
            states,
            final,
            *backward_cell(cell, p, d_states, d_last, batch, cache, g),
            *g.values(),
        )

    assert len(batch.blocks(H)) == 1
    whole = run()
    monkeypatch.setattr("skgru._nn.batch._BLOCK_SIZE", block_size)
    assert len(batch.blocks(H)) > 2
    for one, other in zip(whole, run(), strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@KINDS
def test_an_arena_changes_nothing(kind):
    arena = Arena()
    for i, lengths in enumerate(
        [[5, 3, 1], [9, 9, 2, 0], [2, 1], [9, 9, 2, 0]]
    ):  # it grows, has room
        cell, p, sequences, further = decay_problem(lengths, kind=kind)
        if i % 2 == 0:
            further["decay"] = None
        x = naive.pack(sequences)
        results = []
        for batch in (Batch(np.array(lengths)), Batch(np.array(lengths), arena)):
            d_states, d_last = random_upstream(batch, np.random.RandomState(1))
            g = unwritten(cell)
            states, final, cache = forward_cell(cell, p, x, batch, **further)
            states, final = states.copy(), final.copy()
            *d, d_decay = backward_cell(cell, p, d_states, d_last, batch, cache, g)
            d_decay = np.zeros(0) if d_decay is None else d_decay
            results.append((states, final, *d, d_decay, *g.values()))
        for one, other in zip(*results, strict=True):
            assert_array_equal(one, other)


@KINDS
def test_without_a_cache_the_states_are_the_same(kind, monkeypatch):
    monkeypatch.setattr("skgru._nn.batch._BLOCK_SIZE", 7 * H)
    lengths = [9, 7, 7, 2, 0]
    cell, p, sequences, initial = problem(lengths, kind=kind)
    x, batch = naive.pack(sequences), Batch(np.array(lengths))
    decay = np.random.RandomState(1).uniform(size=(batch.n_rows, H))
    states, final, _ = forward_cell(cell, p, x, batch, initial, decay=decay)
    same, same_final, cache = forward_cell(
        cell, p, x, batch, initial, decay=decay, need_cache=False
    )
    assert cache is None
    assert_array_equal(same, states)
    assert_array_equal(same_final, final)


@pytest.mark.parametrize("decays", [False, True], ids=["whole", "decay"])
@KINDS
def test_a_cell_knows_how_many_numbers_it_holds_for_each_step(kind, decays):
    cell, p, (x,), _ = problem([1000], kind=kind, with_initial=False)
    decay = np.full((1000, H), 0.5) if decays else None
    _, _, cache = forward_cell(cell, p, x, Batch(np.array([1000])), decay=decay)
    # Not its own are the inputs, of which there are few, nor mask and decay.
    own = [
        array
        for name, array in cache._asdict().items()
        if name not in ("x", "mask", "decay") and array is not None
    ]
    before_each_step = cell.n_states  # made by the backward pass
    stated = cell.numbers_per_step(need_cache=True, decays=decays)
    held = sum(array.size for array in own) / 1000 + before_each_step
    assert held == pytest.approx(stated, rel=0.002)
    without = cell.numbers_per_step(need_cache=False, decays=decays)
    assert cell.n_states + decays * cell.n_units <= without < stated


@INITIALS
@KINDS
@pytest.mark.parametrize("n_steps", [0, 1, 9])
def test_a_sequence_alone_and_without_a_cache_has_the_same_states(kind, n_steps, with_initial):
    cell, p, sequences, initial = problem([n_steps], kind=kind, with_initial=with_initial)
    batch = Batch(np.array([n_steps]))
    with_cache = forward_cell(cell, p, sequences[0], batch, initial)
    without = forward_cell(cell, p, sequences[0], batch, initial, need_cache=False)
    for same, one in zip(without[:2], with_cache[:2], strict=True):
        assert same.shape == one.shape
        assert_allclose(same, one, rtol=0, atol=1e-14)
