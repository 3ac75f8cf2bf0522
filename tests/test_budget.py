"""Chunks and shards: all samples are in one, and none takes more than its budget."""

import numpy as np
import pytest

from skgru import _budget
from skgru._budget import chunks


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
