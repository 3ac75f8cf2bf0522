"""Thresholds of memory and of threads: how much is held at a time, and where threads gain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]

# Where all sequences are gone through, at most so many sequences and numbers are held at a time.
MAX_CHUNK_SEQUENCES = 256
_MAX_CHUNK_NUMBERS = 1 << 22
_MAX_PIECE_NUMBERS = 1 << 21

# Arrays made of the training data are held, if they take at most so many bytes.
_MUCH = 1 << 26

# Training cuts a batch into shards of at least so many numbers per step.
_SHARD_SIZE = 8192
_MIN_SHARDED_UNITS = 128
_MAX_SHARDS = 4
_MIN_PREDICTING_UNITS = 64  # from so many units on, threads gain


def may_be_held(n_bytes: int) -> bool:
    """Whether so many bytes may be held beside the training data."""
    return n_bytes <= _MUCH


def trains_on_threads(n_units: int) -> bool:
    """Whether threads may share the batches of a network whose widest layer has so many units."""
    return n_units >= _MIN_SHARDED_UNITS


def predicts_on_threads(n_units: int, n_sequences: int) -> bool:
    """Whether threads may share so many sequences, given the units of the widest layer."""
    return n_units >= _MIN_PREDICTING_UNITS and n_sequences > MAX_CHUNK_SEQUENCES


def steps_of_a_piece(n_sequences: int, numbers_per_step: int) -> int:
    """Return how many steps of so many sequences are predicted at once, at least one."""
    return max(_MAX_PIECE_NUMBERS // (n_sequences * numbers_per_step), 1)


def chunks_of_pieces(sizes: Indices) -> Iterator[Indices]:
    """Yield index arrays that cover all samples, those of similar size together.

    A chunk has at most 256 samples, of any size: pieces of them are read, see `steps_of_a_piece`.
    """
    order = np.argsort(-sizes, kind="stable")
    for start in range(0, len(order), MAX_CHUNK_SEQUENCES):
        yield order[start : start + MAX_CHUNK_SEQUENCES]


def copies_at_once(n_numbers: int) -> int:
    """Return how many copies of samples are run at once, at least one, given their numbers."""
    return max(_MAX_CHUNK_NUMBERS // max(n_numbers, 1), 1)


def chunks_of_copies(sizes: Indices, n_copies: int) -> Iterator[Indices]:
    """Yield index arrays that cover all samples, those of similar size together.

    A chunk has as many samples as may be run at once with so many copies of each, at least one.
    """
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        n = copies_at_once(int(sizes[order[start]]) * n_copies)
        yield order[start : start + n]
        start += n


def chunks(sizes: Indices) -> Iterator[Indices]:
    """Yield index arrays that cover all samples, those of similar size together.

    A chunk has at most 256 samples, fewer where they would take more than a fixed budget of memory,
    and at least one.

    Parameters
    ----------
    sizes : ndarray of shape (n,)
        As many numbers as a pass holds for each sample.
    """
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        n_held = _MAX_CHUNK_NUMBERS // max(int(sizes[order[start]]), 1)
        stop = start + max(1, min(MAX_CHUNK_SEQUENCES, n_held))
        yield order[start:stop]
        start = stop


def shards(
    indices: Indices, lengths_of: Callable[[Indices], Indices], n_units: int
) -> list[Indices]:
    """Cut a batch into parts that threads can work on, of about equal work.

    Their number depends on the sizes alone, never on the number of threads: so neither do sums
    over the shards. Below 128 units, or 128 sequences of 128, threads would wait for each other
    longer than they work.

    Parameters
    ----------
    indices : ndarray of shape (B,)
        Of the samples.
    lengths_of : callable
        Returns the steps of the samples at some indices.
    n_units : int
        Units of the widest layer.

    Returns
    -------
    list of ndarray
    """
    n_shards = min(_MAX_SHARDS, len(indices) * n_units // _SHARD_SIZE)
    if n_units < _MIN_SHARDED_UNITS or n_shards < 2:
        return [indices]
    by_length = indices[np.argsort(-lengths_of(indices), kind="stable")]
    return [by_length[i::n_shards] for i in range(n_shards)]
