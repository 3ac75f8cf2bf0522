"""Sequences of unequal length as one container: the form of X below the door."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Indices


class Sequences(NamedTuple):
    """Sequences of unequal length, one after the other.

    Attributes
    ----------
    values : ndarray of shape (total steps, D), or (total steps,) for tokens
        The steps of all sequences.
    offsets : ndarray of shape (n + 1,)
        Sequence i is the rows ``offsets[i]:offsets[i + 1]``.
    """

    values: NDArray[Any]
    offsets: Indices

    @property
    def n_sequences(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Indices:
        return np.diff(self.offsets)

    def lengths_of(self, indices: Indices) -> Indices:
        """Return the lengths of the sequences at `indices`."""
        return self.offsets[indices + 1] - self.offsets[indices]

    def rows_of(self, indices: Indices) -> Indices:
        """Return the rows of the sequences at `indices`, in that order."""
        lengths = self.lengths_of(indices)
        offsets = offsets_of(lengths)
        return np.arange(offsets[-1]) + np.repeat(self.offsets[indices] - offsets[:-1], lengths)

    def take(self, indices: Indices) -> Sequences:
        """Return the sequences at `indices`, in that order."""
        offsets = offsets_of(self.lengths_of(indices))
        return Sequences(self.values[self.rows_of(indices)], offsets)


def offsets_of(lengths: Indices | list[int]) -> Indices:
    """Return where each of the sequences starts, and after the last one, the total."""
    offsets = np.zeros(len(lengths) + 1, np.intp)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def locate(row: int | np.integer, offsets: Indices) -> tuple[int, int]:
    """Return the sequence and the step of a row."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])


def kept_rows(
    filled: Indices, offsets: Indices, *, from_start: bool
) -> tuple[slice | Indices, Indices]:
    """Return the rows that remain without padding, and their offsets.

    Parameters
    ----------
    filled : ndarray of int
        The rows that are not padding, in order.
    offsets : ndarray of shape (n + 1,)
    from_start : bool
        Whether the rows kept begin at the start of the sequence, or at its first filled row; they
        end with its last filled row.

    Returns
    -------
    rows : slice or ndarray
    offsets : ndarray of shape (n + 1,)
    """
    n = len(offsets) - 1
    counts = np.diff(np.searchsorted(filled, offsets))
    bounds = offsets_of(counts)
    some = counts > 0
    starts = offsets[:-1].copy()
    stops = offsets[:-1].copy()
    stops[some] = filled[bounds[1:][some] - 1] + 1
    if not from_start:
        starts[some] = filled[bounds[:-1][some]]
    lengths = stops - starts
    new_offsets = offsets_of(lengths)
    if new_offsets[n] == offsets[n]:
        return slice(None), offsets
    rows = np.arange(new_offsets[n]) + np.repeat(starts - new_offsets[:-1], lengths)
    return rows, new_offsets
