"""The active-prefix layout, against loops over steps and sequences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru._nn.batch import Arena, Batch
from tests.naive import rows_of

LENGTHS = st.lists(st.integers(0, 8), max_size=7).map(lambda n: sorted(n, reverse=True))


def batch_of(lengths):
    return Batch(np.array(lengths, np.intp))


def labelled_states(batch):
    """Return states that name what they follow: (sequence, steps done)."""
    initial = np.array([[i, 0] for i in range(batch.n_sequences)], float).reshape(-1, 2)
    states = batch.allocate_states(initial, 2, np.dtype(np.float64))
    states[batch.n_sequences :] = [(i, t + 1) for t, i in rows_of(batch.lengths)] or 0
    return states


def test_layout_of_an_example():
    batch = batch_of([4, 2, 2, 1, 0])
    assert batch.n_sequences == 5
    assert batch.n_steps == 4
    assert batch.n_rows == 9
    assert batch.active == [4, 3, 1, 1]
    assert batch.starts == [0, 4, 7, 8, 9]
    assert not batch.uniform
    assert_array_equal(batch.sequence_of_row(), [0, 1, 2, 3, 0, 1, 2, 0, 0])
    assert_array_equal(batch.step_of_row(), [0, 0, 0, 0, 1, 1, 1, 2, 3])
    assert_array_equal(batch.last_steps(), [8, 5, 6, 3])
    assert_array_equal(batch.reversed_rows(), [8, 5, 6, 3, 7, 1, 2, 4, 0])


@given(LENGTHS)
def test_rows_are_time_major_and_hold_no_padding(lengths):
    batch, rows = batch_of(lengths), rows_of(lengths)
    assert batch.n_sequences == len(lengths)
    assert batch.n_steps == max(lengths, default=0)
    assert batch.n_rows == len(rows) == sum(lengths)
    assert batch.step_of_row().tolist() == [t for t, _ in rows]
    assert batch.sequence_of_row().tolist() == [i for _, i in rows]


@given(LENGTHS)
def test_active_and_starts_count_the_sequences_that_still_run(lengths):
    batch = batch_of(lengths)
    assert batch.active == [sum(n > t for n in lengths) for t in range(batch.n_steps)]
    assert batch.starts == [sum(batch.active[:t]) for t in range(batch.n_steps + 1)]
    assert all(type(n) is int for n in batch.active + batch.starts)


@given(LENGTHS)
def test_uniform_says_whether_all_lengths_are_the_same(lengths):
    assert batch_of(lengths).uniform is (len(set(lengths)) <= 1)


@given(LENGTHS)
def test_previous_is_the_state_before_each_row(lengths):
    batch = batch_of(lengths)
    expected = np.array([(i, t) for t, i in rows_of(lengths)], float).reshape(-1, 2)
    assert_array_equal(batch.previous(labelled_states(batch)), expected)


@given(LENGTHS)
def test_last_is_the_state_after_all_steps_and_the_initial_one_if_there_are_none(lengths):
    batch = batch_of(lengths)
    states = labelled_states(batch)
    expected = np.array(list(enumerate(lengths)), float).reshape(-1, 2)
    assert_array_equal(batch.last(states), expected)


@given(LENGTHS)
def test_last_steps_are_those_of_the_sequences_that_have_one(lengths):
    expected = [(n - 1, i) for i, n in enumerate(lengths) if n]
    assert [rows_of(lengths)[row] for row in batch_of(lengths).last_steps()] == expected


@given(LENGTHS)
def test_reversed_rows_turn_each_sequence_round(lengths):
    rows = batch_of(lengths).reversed_rows()
    found = [rows_of(lengths)[row] for row in rows]
    assert found == [(lengths[i] - 1 - t, i) for t, i in rows_of(lengths)]
    assert_array_equal(rows[rows], np.arange(len(rows)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_states_start_with_the_initial_ones_or_zero(dtype):
    batch = batch_of([3, 1])
    zero = batch.allocate_states(None, 5, np.dtype(dtype))
    assert zero.shape == (2 + 4, 5)
    assert zero.dtype == dtype
    assert_array_equal(zero[:2], 0)

    initial = np.arange(10.0).reshape(2, 5)
    states = batch.allocate_states(initial, 5, np.dtype(dtype))
    assert states.dtype == dtype
    assert_array_equal(states[:2], initial)
    assert not np.shares_memory(states, initial)


@pytest.mark.parametrize("lengths", [[1, 2], [3, 1, 2], [0, 1], [[2, 1]]], ids=str)
def test_lengths_that_increase_or_are_no_vector_are_refused(lengths):
    with pytest.raises(ValueError, match="never increase"):
        Batch(np.array(lengths))


# Blocks and memory


def test_blocks_cover_every_step_once_and_in_order(monkeypatch):
    monkeypatch.setattr("skgru._nn.batch._BLOCK_SIZE", 40)
    batch = Batch(np.array([8, 8, 5, 5, 1]))
    blocks = batch.blocks(10)
    assert [t for steps, _ in blocks for t in steps] == list(range(8))
    assert [r for _, rows in blocks for r in range(rows.start, rows.stop)] == list(range(27))
    assert [(steps.start, steps.stop) for steps, _ in blocks] == [
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 7), (7, 8),
    ]  # fmt: skip
    assert Batch(np.array([0, 0])).blocks(10) == []


@pytest.mark.parametrize("lengths", [[4, 4, 4], [5, 3, 3, 1, 0], [0, 0], []], ids=str)
@pytest.mark.parametrize("leading", [(), (2,)])
def test_rows_by_step_are_views_of_the_rows_of_each(lengths, leading, monkeypatch):
    monkeypatch.setattr("skgru._nn.batch._BLOCK_SIZE", 12)
    batch = batch_of(lengths)
    all_rows = np.arange(np.prod(leading, dtype=int) * batch.n_rows * 2.0)
    all_rows = all_rows.reshape(*leading, batch.n_rows, 2)
    for steps, rows in batch.blocks(2):
        # The same rows, alone in an array of a block's size.
        block = all_rows[..., rows, :].copy()
        for array, where in ((all_rows, rows), (block, slice(0, rows.stop - rows.start))):
            views = batch.by_step(array, steps, where)
            assert len(views) == len(steps)
            for t, view in zip(steps, views, strict=True):
                expected = all_rows[..., batch.starts[t] : batch.starts[t + 1], :]
                assert_array_equal(view, expected, strict=True)
                assert np.shares_memory(view, array)
            assert_array_equal(views[::-1][0], views[-1])
    largest = max((rows.stop - rows.start for _, rows in batch.blocks(2)), default=0)
    assert batch.most_rows(2) == largest


def test_an_arena_hands_out_arrays_that_do_not_overlap():
    arena = Arena()
    for _ in range(2):  # first without memory, then with
        arena.clear()
        arrays = [arena.empty((3, 5), np.dtype("f4")), arena.empty((7,), np.dtype("f8"))]
        assert [(a.shape, a.dtype.name) for a in arrays] == [
            ((3, 5), "float32"),
            ((7,), "float64"),
        ]
        assert not np.shares_memory(*arrays)
    before = arrays
    arena.clear()
    assert np.shares_memory(before[0], arena.empty((3, 5), np.dtype("f4")))


def test_an_arena_grows_to_the_largest_batch():
    arena = Arena()
    Batch(np.array([2]), arena).empty((10,), np.dtype("f8"))
    large = Batch(np.array([2]), arena).empty((1000,), np.dtype("f8"))
    large[:] = 1.0
    again = Batch(np.array([2]), arena).empty((500,), np.dtype("f8"))
    assert np.shares_memory(again, large)
