"""Contributions by occlusion: the change of the output where a value is put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skgru._engine.explainer import Attributions, Explainer
from skgru._engine.readings import ranks_of
from skgru._nn.batch import Indices

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
        whole = {name: read.at(np.ones((N, 1))) for name, read in chunk.readings.items()}
        before = chunk.outputs(whole, 1)[:, 0]
        change = np.zeros((N, n_of_samples.max(initial=0)))
        for first in range(0, change.shape[1], chunk.n_at_once):
            n = min(chunk.n_at_once, change.shape[1] - first)
            without = {
                name: read.without(ranks[name] - first, n) for name, read in chunk.readings.items()
            }
            change[:, first : first + n] = before[:, None] - chunk.outputs(without, n)
            explainer.tick()
    for name, of_branch, starts, counts in places:
        samples = np.repeat(np.arange(N), counts)
        within = np.arange(len(samples)) - np.repeat(np.cumsum(counts) - counts, counts)
        explainer.values[name][of_branch] = change[samples, starts[samples] + within]
    explainer.n_done += N
