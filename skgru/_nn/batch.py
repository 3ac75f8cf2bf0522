"""Which rows of a batch belong to which step: the active-prefix layout.

The steps of all sequences of a batch lie as rows of one matrix, time-major, and the sequences are
sorted by length, longest first. So step t of the sequences that still run is one contiguous slice
of ``active[t]`` rows, and the sequences that run at step t + 1 are its first rows. Padding never
exists, so nothing needs a mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Indices = NDArray[np.intp]
Values = NDArray[Any]

_BLOCK_SIZE = 65_536  # numbers: with the arrays beside it, a share of the second-level cache


class Arena:
    """Memory for the arrays of one batch after another.

    Arrays as large as a batch's are costly to make: the system hands out their memory page by
    page. So an arena keeps it. All arrays are given back at once, by `clear`; the next batch, which
    asks for much the same arrays in the same order, gets them again.
    """

    def __init__(self) -> None:
        self._buffers: list[NDArray[np.uint8]] = []
        self._n_used = 0

    def clear(self) -> None:
        """Give back all arrays; their memory will be written over."""
        self._n_used = 0

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Return an array like NumPy's `empty`."""
        i = self._n_used
        self._n_used += 1
        n_bytes = math.prod(shape) * dtype.itemsize
        if i == len(self._buffers):
            self._buffers.append(np.empty(n_bytes, np.uint8))
        elif len(self._buffers[i]) < n_bytes:
            self._buffers[i] = np.empty(n_bytes, np.uint8)
        return self._buffers[i][:n_bytes].view(dtype).reshape(shape)


class ArenaPool:
    """Arenas for batches that threads work on at the same time: as many as there are threads.

    Parameters
    ----------
    names : iterable of str
        Of the branches: the batches of each have an arena of their own.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._free: list[dict[str, Arena]] = []

    @contextmanager
    def lend(self) -> Iterator[dict[str, Arena]]:
        """Lend an arena for each branch that no one else uses."""
        try:
            arenas = self._free.pop()
        except IndexError:
            arenas = {name: Arena() for name in self._names}
        try:
            yield arenas
        finally:
            self._free.append(arenas)


class Batch:
    """The layout of sequences of given lengths.

    Parameters
    ----------
    lengths : ndarray of shape (B,)
        Number of steps of each sequence, never increasing. Zero is allowed.
    arena : Arena, default=None
        Where large arrays lie; it is cleared. None = each in memory of its own.

    Attributes
    ----------
    n_sequences, n_steps, n_rows : int
        B, the longest length T, and the total number of steps S.
    active : list of int, length T
        How many sequences run at each step.
    starts : list of int, length T + 1
        Step t is the rows ``starts[t]:starts[t + 1]``.
    uniform : bool
        Whether all sequences have the same length.
    """

    def __init__(self, lengths: NDArray[np.integer], arena: Arena | None = None) -> None:
        if lengths.ndim != 1 or np.any(lengths[1:] > lengths[:-1]):
            raise ValueError("expected lengths that never increase, one per sequence")
        self.lengths = lengths
        self.n_sequences = len(lengths)
        self.n_steps = int(lengths[0]) if len(lengths) else 0
        self.uniform = self.n_sequences == 0 or bool(lengths[-1] == lengths[0])
        finished = np.searchsorted(lengths[::-1], np.arange(self.n_steps), side="right")
        active = self.n_sequences - finished
        self.active: list[int] = active.tolist()
        self.starts: list[int] = [0, *np.cumsum(active).tolist()]
        self.n_rows = self.starts[-1]
        self._arena = arena
        if arena:
            arena.clear()

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Return an array that is used no longer than the batch."""
        return self._arena.empty(shape, dtype) if self._arena else np.empty(shape, dtype)

    def repeated(self, n: int, arena: Arena | None = None) -> Batch:
        """Return the layout in which each sequence, and so each row, stands n times in a row."""
        return Batch(np.repeat(self.lengths, n), arena)

    def blocks(self, n_units: int) -> list[tuple[range, slice]]:
        """Return successive runs of steps, each with its rows, that fit into a processor's cache.

        A block has at least one step, and about `_BLOCK_SIZE` numbers of `n_units` per row.
        """
        blocks = []
        first = 0
        for t in range(1, self.n_steps + 1):
            is_full = (self.starts[t] - self.starts[first]) * n_units >= _BLOCK_SIZE
            if is_full or t == self.n_steps:
                blocks.append((range(first, t), slice(self.starts[first], self.starts[t])))
                first = t
        return blocks

    def most_rows(self, n_units: int) -> int:
        """Return how many rows the largest of the blocks has."""
        return max((rows.stop - rows.start for _, rows in self.blocks(n_units)), default=0)

    def by_step(self, array: Array, steps: range, rows: slice) -> Sequence[Array]:
        """Return some rows of an array, (n, H) or (G, n, H), as one view for each of their steps.

        Parameters
        ----------
        array : ndarray of shape (n, H) or (G, n, H)
        steps : range
            Successive ones.
        rows : slice
            Where they lie in the array.
        """
        if self.uniform:  # several times as quick as to slice
            shape = len(steps), self.n_sequences, array.shape[-1]
            if array.ndim == 2:
                return cast(Sequence[Array], array[rows].reshape(shape))
            views = array[:, rows].reshape(len(array), *shape).swapaxes(0, 1)
            return cast(Sequence[Array], views)
        first = rows.start - self.starts[steps.start]
        bounds = [first + self.starts[t] for t in range(steps.start, steps.stop + 1)]
        if array.ndim == 2:
            return [array[start:stop] for start, stop in pairwise(bounds)]
        return [array[:, start:stop] for start, stop in pairwise(bounds)]

    def sequence_of_row(self) -> Indices:
        """Return, for each of the S rows, the position of its sequence in the batch."""
        step_start = np.repeat(np.asarray(self.starts[:-1], np.intp), self.active)
        return np.arange(self.n_rows) - step_start

    def step_of_row(self) -> Indices:
        """Return, for each of the S rows, its step."""
        return np.repeat(np.arange(self.n_steps), self.active)

    # A layer keeps its states as B rows of initial states followed by the S rows of all steps.

    def allocate_states(self, initial: Array | None, n_units: int, dtype: np.dtype) -> Array:
        """Return a (B + S, H) array whose first B rows are the initial states (default 0)."""
        states = self.empty((self.n_sequences + self.n_rows, n_units), dtype)
        states[: self.n_sequences] = 0 if initial is None else initial
        return states

    def previous(self, states: Array) -> Array:
        """Return (S, H): for each row, the state before its step."""
        if self.uniform:
            return states[: self.n_rows]
        # Before step t, states lie where step t - 1 wrote them, before step 0 in front of all.
        starts = [0, *(self.n_sequences + start for start in self.starts[:-2])]
        rows = np.repeat(starts[: self.n_steps], self.active)
        return states[rows + self.sequence_of_row()]

    def last(self, states: Array) -> Array:
        """Return (B, H): the state after each sequence's last step, the initial one if none."""
        if self.uniform:
            return states[self.n_rows :]
        starts = np.asarray([0, *(self.n_sequences + s for s in self.starts[:-1])], np.intp)
        last: Array = states[starts[self.lengths] + np.arange(self.n_sequences)]
        return last

    def last_steps(self) -> Indices:
        """Return the row of each sequence's last step, for those that have one: the first ones."""
        n = self.active[0] if self.active else 0
        rows: Indices = np.asarray(self.starts, np.intp)[self.lengths[:n] - 1] + np.arange(n)
        return rows

    def reversed_rows(self) -> Indices:
        """Return (S,): for each row, that of the step as far from its sequence's other end."""
        sequence = self.sequence_of_row()
        step = self.lengths[sequence] - 1 - self.step_of_row()
        rows: Indices = np.asarray(self.starts, np.intp)[step] + sequence
        return rows


class Piece(NamedTuple):
    """Which steps of which sequences a batch holds.

    Attributes
    ----------
    batch : Batch
    positions : ndarray of shape (B,) or slice
        Which of the N sequences.
    is_last : bool
        Whether the steps are the sequences' last ones.
    rows : ndarray of shape (S,), optional
        Where each step lies among all steps of all sequences.
    """

    batch: Batch
    positions: NDArray[np.integer] | slice
    is_last: bool
    rows: NDArray[np.integer] | None = None

    def sample_of_row(self) -> NDArray[np.integer]:
        """Return, for each of the S rows, which of the N sequences its step belongs to."""
        sequence = self.batch.sequence_of_row()
        if isinstance(self.positions, slice):
            return sequence
        samples: NDArray[np.integer] = self.positions[sequence]
        return samples

    def repeated(self, n: int, arena: Arena | None = None) -> Piece:
        """Return the piece of n copies of each sequence, one behind the other; without `rows`."""
        positions = self.positions
        if not isinstance(positions, slice):
            positions = (positions[:, None] * n + np.arange(n)).ravel()
        return Piece(self.batch.repeated(n, arena), positions, self.is_last)

    @classmethod
    def whole(cls, batch: Batch) -> Piece:
        """Return the piece that is all steps of all sequences."""
        return cls(batch, slice(None), True)
