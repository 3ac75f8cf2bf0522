"""How sequences become batches: each one once, similar lengths together, and at random."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru._engine import batches as _batches
from skgru._engine.batches import Order, variance_explained_by_length


def epoch(lengths, batch_size, seed=0, **how):
    rng = np.random.RandomState(seed)
    return [b.tolist() for b in Order(batch_size, **how).batches(np.array(lengths), rng)]


def joined(batches):
    return [i for batch in batches for i in batch]


@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=60),
    batch_size=st.integers(1, 9),
    shuffle=st.booleans(),
    group_by_length=st.booleans(),
)
def test_an_epoch_has_each_sequence_once_in_batches_of_the_asked_size(
    lengths, batch_size, shuffle, group_by_length
):
    batches = epoch(lengths, batch_size, shuffle=shuffle, group_by_length=group_by_length)
    assert sorted(joined(batches)) == list(range(len(lengths)))
    sizes = sorted(len(batch) for batch in batches)
    assert len(batches) == -(-len(lengths) // batch_size)
    assert sizes[1:] == [batch_size] * (len(batches) - 1)


def test_without_shuffling_sequences_come_as_they_are():
    lengths = [3, 9, 1, 1, 7]
    for group in (False, True):
        assert epoch(lengths, 2, shuffle=False, group_by_length=group) == [[0, 1], [2, 3], [4]]


def test_sequences_of_one_length_come_in_the_order_of_the_permutation():
    order = np.random.RandomState(0).permutation(10).tolist()
    assert joined(epoch([4] * 10, 3, group_by_length=True)) == order


def test_in_a_window_batches_hold_similar_lengths_in_random_order(monkeypatch):
    monkeypatch.setattr(_batches, "_BATCHES_PER_STRETCH", 5)
    lengths = np.random.RandomState(1).permutation(100)
    batches = epoch(lengths, 4, group_by_length=True)
    assert len(batches) == 25
    in_order = 0
    for first in range(0, 25, 5):
        window = [lengths[batch] for batch in batches[first : first + 5]]
        spans = sorted((min(batch), max(batch)) for batch in window)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
        in_order += spans == [(min(batch), max(batch)) for batch in window]
    assert in_order < 5
    windows = [set(joined(batches[first : first + 5])) for first in range(0, 25, 5)]
    drawn = np.random.RandomState(0).permutation(100)[:20].tolist()
    assert windows[0] == set(drawn)


def test_epochs_and_seeds_differ():
    rng = np.random.RandomState(0)
    lengths = np.arange(40) // 4
    first, second = ([b.tolist() for b in Order(4).batches(lengths, rng)] for _ in range(2))
    assert first != second
    assert epoch(lengths, 4, seed=1) != epoch(lengths, 4, seed=2)
    assert epoch(lengths, 4, seed=1) == epoch(lengths, 4, seed=1)


def test_variance_explained_by_length():
    rng = np.random.RandomState(0)
    lengths = rng.randint(5, 100, 2000)
    noise = rng.normal(size=(2000, 1))
    assert abs(variance_explained_by_length(lengths, noise)) < 0.02
    assert variance_explained_by_length(lengths, lengths[:, None] * 7.0) > 0.95
    half = (lengths - lengths.mean()) / lengths.std()
    assert 0.4 < variance_explained_by_length(lengths, half[:, None] + noise) < 0.6
    classes = np.eye(3)[np.minimum(lengths // 33, 2)]
    assert variance_explained_by_length(lengths, classes) > 0.8
    assert abs(variance_explained_by_length(lengths, rng.permutation(classes))) < 0.02
    assert variance_explained_by_length(lengths, np.ones((2000, 1))) == 0
    assert variance_explained_by_length(lengths, np.ones(2000, int)) == 0
    # By chance alone, 16 groups of 8 would explain 12 %.
    few = [
        variance_explained_by_length(lengths[:128], rng.normal(size=(128, 1))) for _ in range(50)
    ]
    assert abs(np.mean(few)) < 0.02
    assert variance_explained_by_length(lengths[:15], noise[:15]) == 1


@pytest.mark.parametrize("n_classes", [2, 3, 40])
def test_of_classes_by_index_length_explains_as_much_as_of_their_indicators(n_classes):
    rng = np.random.RandomState(0)
    lengths = rng.randint(5, 100, 500)
    for classes in (lengths * n_classes // 100, rng.randint(n_classes, size=500)):
        by_index = variance_explained_by_length(lengths, classes)
        assert by_index == pytest.approx(
            variance_explained_by_length(lengths, np.eye(n_classes)[classes]), abs=1e-12
        )
