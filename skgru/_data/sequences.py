"""Sequences of unequal length as one container: the form of X below the door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Indices

_MOST_AT_ONCE = 1 << 18  # steps that are looked through at a time


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
    filled: NDArray[np.bool_], offsets: Indices, *, from_start: bool
) -> tuple[slice | NDArray[np.bool_], Indices]:
    """Return the rows that remain without padding, and their offsets.

    Parameters
    ----------
    filled : ndarray of bool of shape (total steps,)
        Which rows are not padding.
    offsets : ndarray of shape (n + 1,)
    from_start : bool
        Whether the rows kept begin at the start of the sequence, or at its first filled row; they
        end with its last filled row.

    Returns
    -------
    rows : slice or ndarray of bool of shape (total steps,)
    offsets : ndarray of shape (n + 1,)
    """
    starts, stops = offsets[:-1].copy(), offsets[:-1].copy()
    for some in _some_at_a_time(offsets):
        first = offsets[some.start]
        rows = first + np.flatnonzero(filled[first : offsets[some.stop]])
        bounds = np.searchsorted(rows, offsets[some.start : some.stop + 1])
        has_any = np.flatnonzero(np.diff(bounds))
        stops[some][has_any] = rows[bounds[has_any + 1] - 1] + 1
        if not from_start:
            starts[some][has_any] = rows[bounds[has_any]]
    new_offsets = offsets_of(stops - starts)
    if new_offsets[-1] == offsets[-1]:
        return slice(None), offsets
    edges = np.zeros(len(filled) + 1, np.int8)
    np.add.at(edges, starts, 1)
    np.subtract.at(edges, stops, 1)
    return np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_), new_offsets


def rows_kept(values: NDArray[Any], kept: slice | NDArray[np.bool_]) -> NDArray[Any]:
    """Return the rows of values that are kept; see `kept_rows`.

    A mask of two-dimensional values is to NumPy an array of row numbers: here, of some rows at a
    time.
    """
    if isinstance(kept, slice):
        return values[kept]
    found = np.empty((int(np.count_nonzero(kept)), *values.shape[1:]), values.dtype)
    n = 0
    for start in range(0, len(values), _MOST_AT_ONCE):
        rows = values[start : start + _MOST_AT_ONCE][kept[start : start + _MOST_AT_ONCE]]
        found[n : n + len(rows)] = rows
        n += len(rows)
    return found


def are_wholly_nan(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of values (n, D) hold nothing but NaN, (n,)."""
    found = np.empty(len(values), bool)
    for start in range(0, len(values), _MOST_AT_ONCE):
        rows = slice(start, start + _MOST_AT_ONCE)
        np.isnan(values[rows]).all(axis=1, out=found[rows])
    return found


def _some_at_a_time(offsets: Indices) -> Iterator[slice]:
    """Yield which sequences to go through at a time: one at least."""
    n = len(offsets) - 1
    start = 0
    while start < n:
        stop = int(np.searchsorted(offsets, offsets[start] + _MOST_AT_ONCE, side="right")) - 1
        stop = min(max(stop, start + 1), n)
        yield slice(start, stop)
        start = stop
