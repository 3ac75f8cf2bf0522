"""The steps that a network reads: patched, observed and prepared batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.random import RandomState

from skgru._budget import chunks
from skgru._data.sequences import Sequences, offsets_of
from skgru._nn.batch import Arena, Batch, Indices, Piece, Values
from skgru._nn.pieces import OnePiece, Pieces

Carried = tuple[Values, ...]  # a row for each sequence
Observe = Callable[[Values, Indices, Indices, Carried | None], tuple[Values, Carried | None]]

_NUMBERS_PER_VALUE = 16  # while values are observed


class StepsOfSamples(Protocol):
    """The steps of n samples, as the training and the prediction use them.

    Attributes
    ----------
    offsets : ndarray of shape (n + 1,)
        Where the steps of each sample start.
    """

    offsets: Indices

    @property
    def n_sequences(self) -> int:
        """n, the number of samples."""

    @property
    def lengths(self) -> Indices:
        """The steps of each sample, (n,)."""

    def lengths_of(self, indices: Indices) -> Indices:
        """Return the steps of the samples at `indices`."""

    def of_epoch(self, rng: RandomState) -> StepsOfSamples:
        """Return the steps for another epoch."""

    def pieces(self, indices: Indices, n_steps: int | None, arena: Arena) -> Pieces:
        """Return samples cut into pieces of `n_steps`; None = one piece, of whole sequences."""


class Gathered(NamedTuple):
    """Some steps of some sequences as a batch.

    Attributes
    ----------
    x : ndarray of shape (S, n columns), or (S,) or (S, patch_size) for tokens
        The network's inputs, in the layout of `batch`.
    batch : Batch
    order : ndarray of shape (B,)
        Which sequences, in the order of the batch: longest first, ties as they came.
    rows : ndarray of shape (S,)
        Where each step lies among all steps of all sequences.
    """

    x: Values
    batch: Batch
    order: Indices
    rows: Indices


class Steps:
    """The steps that a network reads: those of the sequences, or patches of them.

    Patches are counted from the end; steps missing in front of the first one are padding. They are
    made batch by batch: nothing as large as the sequences is held beside them.

    Parameters
    ----------
    sequences : Sequences
    prepare : callable, default=None
        Makes the network's inputs of the values of some steps, which it may write over; None = they
        are the inputs.
    patch_size : int, default=1
    padding : ndarray of shape (n columns,), or number, default=0
    observe : callable, default=None
        Returns the observed values, in which other steps have a say, to be read instead; None = the
        values are read. ``observe(values, numbers, offsets, before)`` takes S successive steps of B
        sequences, one sequence after the other, each with at least one: their values, which it may
        write over, the number of each step in its sequence, where each sequence starts, (B + 1,),
        and the tuple from the call for the steps before. It returns an array (S, n columns),
        and a tuple of arrays with a row for each sequence, for the steps that follow.
    n_appended : ndarray of shape (n,), default=None
        How many steps of padding follow each sequence; None = none.
    moves_patches : bool, default=False
        Whether each epoch patches the steps elsewhere.
    """

    def __init__(
        self,
        sequences: Sequences,
        prepare: Callable[[Values], Values] | None = None,
        *,
        patch_size: int = 1,
        padding: Any = 0,
        observe: Observe | None = None,
        n_appended: Indices | None = None,
        moves_patches: bool = False,
    ) -> None:
        self._sequences = sequences
        self._prepare = prepare
        self._patch_size = patch_size
        self._padding = padding
        self._observe = observe
        self._moves_patches = moves_patches and patch_size > 1
        # Patches are counted from here.
        self._ends = sequences.offsets[1:]
        self.offsets = sequences.offsets
        if n_appended is not None:
            self._ends = self._ends + n_appended
        if patch_size > 1:
            self.offsets = offsets_of(-(-(self._ends - sequences.offsets[:-1]) // patch_size))

    @property
    def n_sequences(self) -> int:
        """n, the number of sequences."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Indices:
        """The steps of each sequence, (n,)."""
        return np.diff(self.offsets)

    def lengths_of(self, indices: Indices) -> Indices:
        """Return the steps of the sequences at `indices`."""
        lengths: Indices = self.offsets[indices + 1] - self.offsets[indices]
        return lengths

    def of_epoch(self, rng: RandomState) -> Steps:
        """Return the same steps for another epoch: patched elsewhere, if their patches move."""
        return self.with_patches_moved(rng) if self._moves_patches else self

    def with_patches_moved(self, rng: RandomState) -> Steps:
        """Return the same steps patched elsewhere, at random for each sequence."""
        lengths = self._sequences.lengths
        drawn = rng.randint(self._patch_size, size=len(lengths))
        return Steps(
            self._sequences,
            self._prepare,
            patch_size=self._patch_size,
            padding=self._padding,
            observe=self._observe,
            n_appended=np.where(lengths > 0, drawn, 0),
            moves_patches=self._moves_patches,
        )

    def held(self) -> Steps:
        """Return the same steps, which hold from now on the observed values of all sequences."""
        plain = Steps(self._sequences, observe=self._observe)
        values = self._sequences.values
        observed: Values | None = None
        for indices in chunks(plain.lengths * (_NUMBERS_PER_VALUE * values.shape[1])):
            x, _, _, rows = make_batch(plain, indices)
            if observed is None:
                observed = np.empty((len(values), x.shape[1]), x.dtype)
            observed[rows] = x
        assert observed is not None  # there are sequences
        return Steps(
            Sequences(observed, self._sequences.offsets),
            self._prepare,
            patch_size=self._patch_size,
            padding=self._padding,
            moves_patches=self._moves_patches,
        )

    def pieces(self, indices: Indices, n_steps: int | None, arena: Arena) -> Pieces:
        """Return sequences cut into pieces of `n_steps`; None = one piece, of whole sequences.

        The arrays of one piece after the other lie in the arena.
        """
        if n_steps is not None:
            return SequencePieces(self, indices, n_steps, arena)
        lengths = self.lengths_of(indices)
        x, batch, order, rows = self.gather(indices, np.zeros_like(lengths), lengths, arena)[0]
        in_order = bool((order[1:] > order[:-1]).all())
        positions = slice(None) if in_order else order
        return OnePiece(x, Piece(batch, positions, True, rows), lengths)

    def gather(
        self,
        indices: Indices,
        starts: Indices,
        lengths: Indices,
        arena: Arena | None = None,
        before: Carried | None = None,
    ) -> tuple[Gathered, Carried | None]:
        """Gather the steps ``starts[i]`` to ``starts[i] + lengths[i]`` of the sequences.

        Parameters
        ----------
        indices, starts, lengths : ndarray of shape (B,)
        arena : Arena, default=None
            Where the network's arrays will lie; those of an earlier batch are lost.
        before : tuple of ndarray, default=None
            The tuple from `observe` for the steps before, of these sequences.

        Returns
        -------
        Gathered
            `order` says which of the B sequences.
        after : tuple of ndarray or None
            The tuple from `observe` for the steps that follow.
        """
        order = np.argsort(-lengths, kind="stable")
        batch = Batch(lengths[order], arena)
        sequence, step = order[batch.sequence_of_row()], batch.step_of_row()
        rows = (self.offsets[indices] + starts)[sequence] + step
        k = self._patch_size
        values, offsets = self._sequences
        # The rows of the values that the steps begin and end with, and within which there are any.
        begin = self._ends[indices] - (self.lengths_of(indices) - starts) * k
        low, high = offsets[indices], offsets[indices + 1]
        after = None
        if self._observe:
            first = low
            low, high = np.maximum(low, begin), np.minimum(high, begin + lengths * k)
            taken_offsets = offsets_of(high - low)
            taken = np.arange(taken_offsets[-1]) + np.repeat(low - taken_offsets[:-1], high - low)
            numbers = taken - np.repeat(first, high - low)
            values, after = self._observe(values[taken], numbers, np.unique(taken_offsets), before)
            begin = begin - low + taken_offsets[:-1]
            low, high = taken_offsets[:-1], taken_offsets[1:]
        x = self._take(values, begin[sequence] + step * k, low[sequence], high[sequence], batch)
        if self._prepare:
            x = self._prepare(x)
        return Gathered(x, batch, order, rows), after

    def _take(
        self, values: Values, rows: Indices, low: Indices, high: Indices, batch: Batch
    ) -> Values:
        """Return the patches that begin at `rows`; where they reach beyond low to high, padding."""
        k = self._patch_size
        if k == 1:
            x = batch.empty((len(rows), *values.shape[1:]), values.dtype)
            values.take(rows, axis=0, out=x, mode="clip")  # none is clipped; "raise" has a buffer
            return x
        taken = rows[:, None] + np.arange(k)
        is_padding = taken < low[:, None]
        is_padding |= taken >= high[:, None]
        dtype = np.result_type(values.dtype, self._padding)
        x = batch.empty((*taken.shape, *values.shape[1:]), dtype)
        x[...] = values.take(taken, axis=0, mode="clip")
        x[is_padding] = self._padding
        return x.reshape(len(x), k * math.prod(values.shape[1:]))


class RowSteps:
    """Rows of a table as `StepsOfSamples`: one for each sample that is present.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,)
        Where the row of each sample lies.
    take : callable
        Returns the network's inputs, given the indices of some rows.
    """

    def __init__(self, offsets: Indices, take: Callable[[Indices], Any]) -> None:
        self.offsets = offsets
        self.take = take

    @property
    def n_sequences(self) -> int:
        """n, the number of samples."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Indices:
        """1 for each sample that is present, 0 for the others, (n,)."""
        return np.diff(self.offsets)

    def lengths_of(self, indices: Indices) -> Indices:
        """Return the same for the samples at `indices`."""
        lengths: Indices = self.offsets[indices + 1] - self.offsets[indices]
        return lengths

    def of_epoch(self, rng: RandomState) -> RowSteps:
        """Return the same rows."""
        return self

    def pieces(self, indices: Indices, n_steps: int | None, arena: Arena) -> Pieces:
        """Return the rows of some samples, in one piece."""
        lengths = self.lengths_of(indices)
        order = np.argsort(-lengths, kind="stable")
        batch = Batch(lengths[order], arena)
        rows = self.offsets[indices][order[: batch.n_rows]]
        positions = slice(None) if batch.uniform else order
        return OnePiece(self.take(rows), Piece(batch, positions, True, rows), lengths)


def make_batch(steps: Steps, indices: Indices, arena: Arena | None = None) -> Gathered:
    """Gather all steps of the sequences at `indices`.

    Parameters
    ----------
    steps : Steps
    indices : ndarray of shape (B,)
    arena : Arena, default=None
        Where the network's arrays will lie; those of an earlier batch are lost.

    Returns
    -------
    Gathered
    """
    lengths = steps.lengths_of(indices)
    gathered, _ = steps.gather(indices, np.zeros_like(lengths), lengths, arena)
    return gathered._replace(order=indices[gathered.order])


class SequencePieces:
    """Some sequences, cut into pieces of `n_steps`: the `Pieces` that `_nn.pieces` runs.

    Steps are counted from the end: the last piece of a sequence is whole, and its first one takes
    the rest. So the gradient of a last output always reaches back over `n_steps`.

    Parameters
    ----------
    steps : Steps
    indices : ndarray of shape (B,)
        Which sequences.
    n_steps : int
    arena : Arena
        Where the network's arrays will lie; those of an earlier piece are lost.
    """

    def __init__(self, steps: Steps, indices: Indices, n_steps: int, arena: Arena) -> None:
        self.lengths = steps.lengths_of(indices)
        self._steps = steps
        self._indices = indices
        self._n_steps = n_steps
        self._arena = arena
        # Of each piece, the tuple from `observe` before it, of all sequences.
        self._before: list[Carried | None] = [None]

    def __len__(self) -> int:
        return -(-int(self.lengths.max(initial=0)) // self._n_steps)

    def __getitem__(self, i: int) -> tuple[Values, Piece]:
        n_left = (len(self) - 1 - i) * self._n_steps  # steps after this piece
        lengths = np.clip(self.lengths - n_left, 0, self._n_steps)
        positions = np.flatnonzero(lengths)
        lengths = lengths[positions]
        starts = self.lengths[positions] - n_left - lengths
        before = self._before[i]
        if before is not None:
            before = tuple(array[positions] for array in before)
        gathered, after = self._steps.gather(
            self._indices[positions], starts, lengths, self._arena, before
        )
        if i + 1 == len(self._before):
            self._before.append(after and tuple(self._of_all(array, positions) for array in after))
        x, batch, order, rows = gathered
        return x, Piece(batch, positions[order], n_left == 0, rows)

    def _of_all(self, array: Values, positions: Indices) -> Values:
        """Return an array with a row for each sequence, given those at some positions."""
        result = np.zeros((len(self.lengths), *array.shape[1:]), array.dtype)
        result[positions] = array
        return result
