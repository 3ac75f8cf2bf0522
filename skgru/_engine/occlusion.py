"""Contributions by occlusion: the change of the output where a value is put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skgru._engine.explainer import Attributions, Chunk, Explainer
from skgru._engine.readings import ranks_of
from skgru._nn.batch import Array, Indices

# So many copies of a sample are reckoned with where chunks are chosen.
_COPIES = 8


def occlude(
    explainer: Explainer, map_: Callable[..., Any] = map, *, batch_size: int | None = None
) -> Attributions:
    """Return the change of the output where one value after the other is put in place of X's.

    Those are the values of the baseline; see `attribute`.
    """

    def run(indices: Indices) -> None:
        _occlude_some(explainer, indices[explainer.longest_first(indices)])

    every = np.arange(explainer.n_samples)
    for _ in map_(run, explainer.chunks(every, _COPIES, batch_size)):
        pass
    return explainer.result(explainer.at_end, np.zeros(explainer.n_samples), 0, 1)


def _occlude_some(explainer: Explainer, indices: Indices) -> None:
    """Set the values of a chunk to the change of the output without each of them."""
    N = len(indices)
    with explainer.chunk(indices) as chunk:
        # The values of a sample that may change something, of all branches, have ranks.
        ranks: dict[str, Indices] = {}
        places, n_of_samples = [], np.zeros(N, np.intp)
        for name, names in explainer.readers.items():
            reads = [chunk.readings[reader] for reader in names]
            found, of_branch, counts = ranks_of(reads, n_of_samples)
            ranks |= zip(names, found, strict=True)
            places.append((name, of_branch, n_of_samples.copy(), counts))
            n_of_samples += counts
        one = np.ones((N, 1))
        whole = {name: read.at(one) for name, read in chunk.readings.items()}
        of_bag = chunk.bag.at(chunk.indices, one) if chunk.bag else None
        before = chunk.outputs(whole, 1, of_bag)[:, 0]
        change = np.zeros((N, n_of_samples.max(initial=0)))
        without_each = _without_each(chunk, places, change.shape) if chunk.bag else None
        for first in range(0, change.shape[1], chunk.n_at_once):
            n = min(chunk.n_at_once, change.shape[1] - first)
            without = {
                name: read.without(ranks[name] - first, n) for name, read in chunk.readings.items()
            }
            if of_bag and without_each is not None:
                added = without_each[:, first : first + n].reshape(-1, without_each.shape[2])
                of_bag = of_bag._replace(added=added)
            change[:, first : first + n] = before[:, None] - chunk.outputs(without, n, of_bag)
            explainer.tick()
    for name, of_branch, starts, counts in places:
        samples, ranks_of_branch = _by_rank(starts, counts)
        explainer.values[name][of_branch] = change[samples, ranks_of_branch]
    explainer.n_done += N


def _by_rank(starts: Indices, counts: Indices) -> tuple[Indices, Indices]:
    """Return the sample and the rank of each value of a branch, given the first and the number."""
    samples = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(samples)) - np.repeat(np.cumsum(counts) - counts, counts)
    return samples, starts[samples] + within


def _without_each(
    chunk: Chunk, places: list[tuple[str, Indices, Indices, Indices]], shape: tuple[int, ...]
) -> Array:
    """Return what the bag adds without the value of each rank, (N, n ranks, K)."""
    assert chunk.bag
    whole = chunk.bag.at_end.added[chunk.indices]
    added = np.repeat(whole[:, None], shape[1], axis=1)
    for name, of_branch, starts, counts in places:
        if name in chunk.bag.branches:
            samples, ranks = _by_rank(starts, counts)
            found = chunk.bag.without(name, chunk.indices[samples], of_branch - 1)
            added[samples, ranks] = found
    return added
