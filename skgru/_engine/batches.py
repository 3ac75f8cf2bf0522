"""The order of the sequences in an epoch: batches, maybe of similar lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skgru._nn.batch import Indices

# Batches that share their sequences out by length.
_BATCHES_PER_STRETCH = 16


class Order(NamedTuple):
    """How the batches of an epoch are made of the sequences.

    Attributes
    ----------
    batch_size : int
    shuffle : bool
        If not, the batches hold the sequences as they come.
    group_by_length : bool
        Whether shuffled sequences are taken in stretches of 16 batches: in a stretch, those of
        similar length share a batch, and the batches come in random order. So few steps are spent
        on a batch's longest sequences alone.
    """

    batch_size: int
    shuffle: bool = True
    group_by_length: bool = False

    def n_batches(self, n: int) -> int:
        """Return the number of batches of n sequences."""
        return -(-n // self.batch_size)

    def batches(self, lengths: Indices, rng: RandomState) -> Iterator[Indices]:
        """Yield the batches of an epoch, as index arrays, given the lengths (n,)."""
        n = len(lengths)
        indices = rng.permutation(n) if self.shuffle else np.arange(n)
        if not (self.shuffle and self.group_by_length) or lengths.min() == lengths.max():
            yield from (indices[batch] for batch in gen_batches(n, self.batch_size))
            return
        for stretch in gen_batches(n, _BATCHES_PER_STRETCH * self.batch_size):
            by_length = indices[stretch]
            by_length = by_length[np.argsort(-lengths[by_length], kind="stable")]
            batches = [by_length[batch] for batch in gen_batches(len(by_length), self.batch_size)]
            for i in rng.permutation(len(batches)):
                yield batches[i]


def variance_explained_by_length(lengths: Indices, targets: NDArray[Any]) -> float:
    """Return which share of the targets' variance lies between groups of similar length.

    It is Kelley's ε², the correlation ratio less its value by chance; about 0 if length tells
    nothing of the targets, 1 if it tells all.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
    targets : ndarray of shape (n, K), or (n,) for indices of classes
        A class counts as a target that is 1 or 0.

    Returns
    -------
    float
        1 if there are fewer than 16 sequences, too few to say.

    References
    ----------
    T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21(9), 1935.
    """
    n = len(lengths)
    n_groups = min(_BATCHES_PER_STRETCH, n // 8)
    if n_groups < 2:
        return 1.0
    groups = np.array_split(np.argsort(lengths, kind="stable"), n_groups)
    if targets.ndim == 1:
        shares = np.bincount(targets) / n
        total = n * (1 - shares @ shares)
        deviations = (
            np.bincount(targets[g], minlength=len(shares)) / len(g) - shares for g in groups
        )
    else:
        mean = targets.mean(axis=0)
        total = np.square(targets - mean).sum()
        deviations = ((targets[g] - mean).mean(axis=0) for g in groups)
    if total == 0:
        return 0.0
    between = sum(len(g) * np.square(d).sum() for g, d in zip(groups, deviations, strict=True))
    by_chance = (n_groups - 1) * (total - between) / (n - n_groups)
    return float((between - by_chance) / total)
