"""The steps that a network reads, made batch by batch: joined, observed, and prepared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru import _budget
from skgru._data.numbers import NumberInput
from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps, make_batch
from skgru._nn.batch import Arena
from tests import naive

D = 2


def joined(x, patch_size, padding, n_appended=0):
    """Return the steps of one sequence joined from the end on, with as many more at its end."""
    n_missing = -(len(x) + n_appended) % patch_size
    front, behind = (np.full((n, *x.shape[1:]), padding) for n in (n_missing, n_appended))
    return np.concatenate([front, x, behind]).reshape(-1, patch_size * (x.ndim == 1 or x.shape[1]))


def parts(x, batch):
    return naive.unpack(x, batch.lengths.tolist())


LENGTHS = st.lists(st.integers(0, 7), min_size=1, max_size=6)


@given(LENGTHS, st.integers(2, 4), st.booleans(), st.integers(0, 99))
def test_steps_are_joined_from_the_end_on(lengths, patch_size, tokens, seed):
    rng = np.random.RandomState(seed)
    values = rng.randint(1, 9, sum(lengths)) if tokens else rng.normal(size=(sum(lengths), D))
    padding = 0 if tokens else np.array([5.0, 6.0])
    steps = Steps(Sequences(values, offsets_of(lengths)), patch_size=patch_size, padding=padding)
    indices = rng.permutation(len(lengths))
    sequences = np.split(values, np.cumsum(lengths)[:-1])
    n_appended = np.zeros(len(lengths), int)
    for given_steps in (steps, steps.with_patches_moved(np.random.RandomState(seed))):
        x, batch, order, rows = make_batch(given_steps, indices, Arena())
        assert_array_equal(given_steps.lengths[order], batch.lengths)
        assert x.dtype == values.dtype
        for i, part, of_rows in zip(order, parts(x, batch), parts(rows, batch), strict=True):
            assert_array_equal(part, joined(sequences[i], patch_size, padding, n_appended[i]))
            assert_array_equal(of_rows, given_steps.offsets[i] + np.arange(len(part)))
        drawn = np.random.RandomState(seed).randint(patch_size, size=len(lengths))
        n_appended = np.where(np.array(lengths) > 0, drawn, 0)


def numeric_inputs(missing, *, has_missing, time_feature, patch_size, bidirectional=False):
    return NumberInput(
        n_features=D,
        missing=missing,
        stamps=time_feature,
        center=np.array([0.5, 0.0]),
        scale=np.array([2.0, 0.7]),
        fill=np.array([0.5, -0.25]),
        gap_scale=np.array([1.5, 0.7]),
        has_missing=has_missing,
        is_bidirectional=bidirectional,
        patch_size=patch_size,
    )


@given(
    lengths=LENGTHS,
    n_steps=st.integers(1, 3),
    missing=st.sampled_from(["decay", "indicator"]),
    has_missing=st.booleans(),
    has_stamps=st.booleans(),
    patch_size=st.integers(1, 3),
    moved=st.booleans(),
    seed=st.integers(0, 99),
)
def test_pieces_read_what_whole_sequences_do(
    lengths, n_steps, missing, has_missing, has_stamps, patch_size, moved, seed
):
    rng = np.random.RandomState(seed)
    values = rng.normal(size=(sum(lengths), D))
    values[rng.uniform(size=values.shape) < 0.5] = np.nan
    if has_stamps:
        values[:, 1] = np.cumsum(rng.uniform(size=len(values)))
    inputs = numeric_inputs(
        missing,
        has_missing=has_missing,
        time_feature=1 if has_stamps else None,
        patch_size=patch_size,
    )
    steps = inputs.steps_of(Sequences(values, offsets_of(lengths)), "float32")
    if moved and patch_size > 1:
        steps = steps.with_patches_moved(rng)
    indices = rng.permutation(len(lengths))
    x, _, _, rows = make_batch(steps, indices)
    whole = np.full((steps.offsets[-1], x.shape[1]), np.nan, x.dtype)
    whole[rows] = x
    pieces = SequencePieces(steps, indices, n_steps, Arena())
    for i in [*range(len(pieces)), *range(len(pieces)), len(pieces) - 1][: 3 * len(pieces)]:
        x, piece = pieces[i]
        assert_array_equal(x, whole[piece.rows])
        assert x.dtype == np.float32
    assert np.isfinite(whole).all()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("missing", ["decay", "indicator"])
@pytest.mark.parametrize("has_missing", [False, True])
def test_a_sequence_is_read_alike_in_any_company(has_missing, missing, bidirectional):
    rng = np.random.RandomState(0)
    lengths = np.array([5, 0, 9, 1, 4])
    values = rng.normal(size=(lengths.sum(), D))
    values[rng.uniform(size=values.shape) < 0.4] = np.nan
    before = values.copy()
    values.flags.writeable = False
    inputs = numeric_inputs(
        missing,
        has_missing=has_missing,
        time_feature=None,
        patch_size=2,
        bidirectional=bidirectional,
    )
    steps = inputs.steps_of(Sequences(values, offsets_of(lengths)), "float64")
    x, batch, order, _ = make_batch(steps, np.arange(5))
    for i, part in zip(order, parts(x, batch), strict=True):
        alone, *_ = make_batch(steps, np.array([i]))
        assert_array_equal(alone, part)
    assert_array_equal(values, before)


@given(
    lengths=LENGTHS,
    missing=st.sampled_from(["decay", "indicator"]),
    has_missing=st.booleans(),
    bidirectional=st.booleans(),
    patch_size=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_what_is_held_is_what_is_found_out_anew(
    lengths, missing, has_missing, bidirectional, patch_size, seed
):
    rng = np.random.RandomState(seed)
    values = rng.normal(size=(sum(lengths), D))
    values[rng.uniform(size=values.shape) < 0.5] = np.nan
    values[:, 1] = np.cumsum(rng.uniform(size=len(values)))
    inputs = numeric_inputs(
        missing,
        has_missing=has_missing,
        time_feature=1,
        patch_size=patch_size,
        bidirectional=bidirectional,
    )
    sequences = Sequences(values, offsets_of(lengths))
    held, anew = (inputs.steps_of(sequences, "float32", may_hold=often) for often in (True, False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_budget, "_MUCH", -1)
        too_much = inputs.steps_of(sequences, "float32", may_hold=True)
    for moved in (False, True):
        batches = []
        for steps in (held, anew, too_much):
            if moved and patch_size > 1:
                steps = steps.with_patches_moved(np.random.RandomState(seed))
            batches.append(make_batch(steps, np.arange(len(lengths))))
        for batch in batches[1:]:
            assert_array_equal(batch.x, batches[0].x)
            assert_array_equal(batch.rows, batches[0].rows)


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=9), data=st.data())
def test_a_batch_is_a_copy_of_its_sequences(lengths, data):
    offsets = offsets_of(np.array(lengths))
    values = np.arange(2.0 * offsets[-1]).reshape(-1, 2)
    indices = np.array(data.draw(st.permutations(range(len(lengths)))))
    for arena in (None, Arena()):
        x, batch, order, rows = make_batch(Steps(Sequences(values, offsets)), indices, arena)
        assert_array_equal(x, values[rows])
        assert sorted(order) == sorted(indices)
        assert_array_equal(batch.lengths, np.array(lengths)[order])
        assert not np.shares_memory(x, values)
        for part, i in zip(naive.unpack(x, batch.lengths.tolist()), order, strict=True):
            assert_array_equal(part, values[offsets[i] : offsets[i + 1]])
