"""Thresholds: all samples are in a chunk or shard, and none takes more than its budget."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import _budget
from skgru._budget import (
    chunks,
    chunks_of_pieces,
    may_be_held,
    predicts_on_threads,
    shards,
    steps_of_a_piece,
    trains_on_threads,
)


@pytest.mark.parametrize("numbers_per_step", [1, 100, 10_000])
def test_chunks_cover_all_and_are_bounded(numbers_per_step, monkeypatch):
    monkeypatch.setattr(_budget, "MAX_CHUNK_SEQUENCES", 7)
    monkeypatch.setattr(_budget, "_MAX_CHUNK_NUMBERS", 20_000)
    lengths = np.random.RandomState(0).randint(0, 60, 50)
    parts = list(chunks(lengths * numbers_per_step))
    assert sorted(np.concatenate(parts)) == list(range(50))
    for part in parts:
        held = len(part) * lengths[part].max() * numbers_per_step
        assert len(part) == 1 or (len(part) <= 7 and held <= 20_000)


def test_chunks_of_pieces_have_up_to_256_samples_of_like_sizes():
    sizes = np.random.RandomState(0).randint(0, 10**9, 600)  # of any size
    parts = list(chunks_of_pieces(sizes))
    assert [len(part) for part in parts] == [256, 256, 88]
    assert_array_equal(np.concatenate(parts), np.argsort(-sizes, kind="stable"))


def test_a_piece_has_at_least_one_step_and_no_more_numbers_than_are_allowed():
    assert steps_of_a_piece(256, 10**9) == 1
    for n_sequences, numbers_per_step in [(1, 1), (256, 64), (100, 333)]:
        n_steps = steps_of_a_piece(n_sequences, numbers_per_step)
        per_step = n_sequences * numbers_per_step
        assert n_steps * per_step <= 2**21 < (n_steps + 1) * per_step


@pytest.mark.parametrize(
    ("n", "n_units", "n_shards"),
    [(128, 127, 1), (127, 128, 1), (128, 128, 2), (300, 128, 4), (4000, 1024, 4), (1, 9000, 1)],
)
def test_shards_share_the_steps_and_hang_on_the_sizes_alone(n, n_units, n_shards):
    rng = np.random.RandomState(0)
    indices, lengths = rng.permutation(5000)[:n], rng.randint(1, 50, n)
    of = dict(zip(indices, lengths, strict=True))
    parts = shards(indices, lambda chosen: np.array([of[i] for i in chosen]), n_units)
    assert len(parts) == n_shards
    assert_array_equal(np.sort(np.concatenate(parts)), np.sort(indices))
    works = [sum(of[i] for i in part) for part in parts]
    assert max(works) - min(works) < 50  # by no more than one sequence
    for part in parts if n_shards > 1 else []:
        assert (np.diff([of[i] for i in part]) <= 0).all()


def test_threads_and_memory_have_thresholds():
    assert [trains_on_threads(n) for n in (127, 128)] == [False, True]
    assert [predicts_on_threads(n, 257) for n in (63, 64)] == [False, True]
    assert not predicts_on_threads(64, 256)  # one chunk
    assert may_be_held(2**26)
    assert not may_be_held(2**26 + 1)
