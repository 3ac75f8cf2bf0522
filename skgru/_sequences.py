"""Sequences of unequal length as one container: what the code below the door sees."""

import math
from typing import NamedTuple

import numpy as np


class Sequences(NamedTuple):
    """Sequences of unequal length, one after the other.

    Attributes
    ----------
    values : ndarray of shape (total steps, D), or (total steps,) for tokens
        The steps of all sequences.
    offsets : ndarray of shape (n + 1,)
        Sequence i is the rows ``offsets[i]:offsets[i + 1]``.
    """

    values: np.ndarray
    offsets: np.ndarray

    @property
    def n_sequences(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        return np.diff(self.offsets)

    def lengths_of(self, indices):
        """Return the lengths of the sequences at `indices`."""
        return self.offsets[indices + 1] - self.offsets[indices]

    def rows_of(self, indices):
        """Return the rows of the sequences at `indices`, in that order."""
        lengths = self.lengths_of(indices)
        offsets = offsets_of(lengths)
        return np.arange(offsets[-1]) + np.repeat(self.offsets[indices] - offsets[:-1], lengths)

    def take(self, indices):
        """Return the sequences at `indices`, in that order."""
        offsets = offsets_of(self.lengths_of(indices))
        return Sequences(self.values[self.rows_of(indices)], offsets)


def join_steps(sequences, n_joined, padding, rng=None):
    """Return the sequences with every `n_joined` consecutive steps joined into one.

    They are counted from the end; what is missing in front of the first step is `padding`. With
    `rng`, each sequence first gets 0 to `n_joined` − 1 more steps of it at its end, so joints fall
    elsewhere.

    Parameters
    ----------
    sequences : Sequences
    n_joined : int
    padding : ndarray of shape (D,), or 0 for tokens
    rng : RandomState or None, default=None

    Returns
    -------
    Sequences
        Values of shape (total joined steps, n_joined · D), or (total joined steps, n_joined) for
        tokens.
    """
    if n_joined == 1:
        return sequences
    values, lengths = sequences.values, sequences.lengths
    appended = np.zeros_like(lengths)
    if rng is not None:
        appended = np.where(lengths > 0, rng.randint(n_joined, size=len(lengths)), 0)
    offsets = offsets_of(-(-(lengths + appended) // n_joined))
    n_steps = offsets[-1] * n_joined
    joined = np.empty((n_steps, *values.shape[1:]), np.result_type(values, padding))
    joined[...] = padding
    shift = offsets[1:] * n_joined - appended - sequences.offsets[1:]
    joined[np.arange(len(values)) + np.repeat(shift, lengths)] = values
    width = n_joined * math.prod(values.shape[1:])
    return Sequences(joined.reshape(offsets[-1], width), offsets)


def offsets_of(lengths):
    """Return where each of the sequences starts, and after the last one, the total."""
    offsets = np.zeros(len(lengths) + 1, np.intp)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def locate(row, offsets):
    """Return the sequence and the step of a row."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])


def kept_rows(filled, offsets, *, from_start):
    """Return which rows remain without padding, and the offsets of what remains.

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
