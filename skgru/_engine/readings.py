"""What a network reads of some samples between a baseline and X, and the values behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skgru._data.inputs import Line, Origins
from skgru._data.steps import StepsOfSamples
from skgru._nn.batch import Arena, Array, Indices, Piece
from skgru._nn.branch import Branch
from skgru._nn.parameters import Parameters
from skgru._nn.part import StackInputs
from skgru._nn.pieces import OnePiece, Pieces


class Readings(NamedTuple):
    """What some samples read in a branch, along the line.

    Attributes
    ----------
    start, end : ndarray of shape (S, C), or sparse matrix
        Inputs of the stack.
    gaps : ndarray or None
        Those of the stack, all along the line.
    factor : ndarray of shape (S, C), or (n held,) of a sparse matrix
        What a derivative is multiplied by.
    places : ndarray of the same shape
        1 + the place of the value, among those of all samples, that a number comes from; 0 = none.
    piece : Piece
    lengths : ndarray of shape (N,)
    arena : Arena
    """

    start: Any
    end: Any
    gaps: Array | None
    factor: Array
    places: Indices
    piece: Piece
    lengths: NDArray[np.integer]
    arena: Arena

    @property
    def is_sparse(self) -> bool:
        return bool(sparse.issparse(self.end))

    def samples_of_places(self) -> NDArray[np.integer]:
        """Return which of the samples each of `places` belongs to, in its shape."""
        rows = self.piece.sample_of_row()
        if self.is_sparse:
            return np.repeat(rows, np.diff(self.end.indptr))
        return np.broadcast_to(rows[:, None], self.places.shape)

    def at(self, shares: Array) -> OnePiece:
        """Return copies of the samples at shares of their ways, (N, n copies)."""
        P = shares.shape[1]
        shares = shares.astype(self.end.dtype)
        if self.is_sparse:  # it starts at 0
            x, numbers, copies = self._copies_of_sparse(P)
            x.data = self.end.data[numbers] * shares[self.samples_of_places()[numbers], copies]
            return self._copies(x, P)
        way = self.end - self.start
        x = way[:, None] * shares[self.piece.sample_of_row()][:, :, None]
        x += self.start[:, None]
        return self._copies(x.reshape(-1, way.shape[1]), P)

    def without(self, ranks: Indices, n: int) -> OnePiece:
        """Return n copies, the i-th of which has the start in place of numbers of rank i."""
        if self.is_sparse:
            x, numbers, copies = self._copies_of_sparse(n)
            x.data = np.where(ranks[numbers] == copies, 0, self.end.data[numbers])
            return self._copies(x, n)
        x = np.repeat(self.end[:, None], n, axis=1)
        rows, columns = np.nonzero((ranks >= 0) & (ranks < n))
        x[rows, ranks[rows, columns], columns] = self.start[rows, columns]
        return self._copies(x.reshape(-1, x.shape[2]), n)

    def weigh(self, dx: Any, weights: Array) -> Array:
        """Return the sum of the copies' derivatives, times their weights and the factor."""
        P = len(weights)
        if self.is_sparse:
            _, numbers, copies = self._copies_of_sparse(P)
            n_held = len(self.end.data)
            total = np.bincount(numbers, dx.data * weights[copies], minlength=n_held)
        else:
            S, C = self.factor.shape
            total = np.matmul(weights.astype(dx.dtype), dx.reshape(S, P, C))
        return total * self.factor

    def _copies(self, x: Any, n: int) -> OnePiece:
        gaps = None if self.gaps is None else np.repeat(self.gaps, n, axis=0)
        return OnePiece(
            StackInputs(x, gaps), self.piece.repeated(n, self.arena), np.repeat(self.lengths, n)
        )

    def _copies_of_sparse(self, n: int) -> tuple[Any, Indices, Indices]:
        """Return n copies of each row; of each number, which it is, and in which copy."""
        x, S = self.end, self.end.shape[0]
        numbered = sparse.csr_matrix((np.arange(len(x.data)), x.indices, x.indptr), x.shape)
        rows = np.repeat(np.arange(S), n)
        numbers = numbered[rows].data
        copies = np.repeat(np.tile(np.arange(n), S), np.diff(x.indptr)[rows])
        return x[rows], numbers, copies


def read_line(
    branch: Branch,
    p: Parameters,
    line: Line,
    factor: Line,
    origins: Origins,
    indices: Indices,
    arena: Arena,
) -> Readings:
    """Return what some samples read in a branch, whole; `arena` is for copies of them."""

    def read(steps: StepsOfSamples) -> tuple[StackInputs, Pieces]:
        own = steps.pieces(indices, None, Arena())
        x, piece = own[0]
        return branch.read(p, x, piece.batch), own

    end, whole = read(line.end)
    start, _ = read(line.start)
    first, last = start, end
    if factor is not line:
        first, _ = read(factor.start)
        last, _ = read(factor.end)
    x, piece = origins.steps.pieces(indices, None, Arena())[0]
    if sparse.issparse(end.x):
        factor_of_held, places = np.asarray(last.x.data), x.data.astype(np.intp)
        return Readings(start.x, end.x, None, factor_of_held, places, piece, whole.lengths, arena)
    columns = branch.input.value_columns
    x = x[:, None] if x.ndim == 1 else x
    moves = last.x - first.x
    are_values = (columns >= 0) & ((moves != 0) | (end.x != start.x))
    places = np.where(are_values, x[:, columns], 0).astype(np.intp)
    return Readings(start.x, end.x, end.gaps, moves, places, piece, whole.lengths, arena)


def ranks_of(
    readings: Sequence[Readings], before: Indices
) -> tuple[list[Indices], Indices, Indices]:
    """Return the ranks of numbers among the values of their samples, from `before` on.

    The readings are of the same X: numbers that come from one value have one rank. Those that are
    the same at both ends have rank -1. Also returned are the places of the values by sample and
    rank, and how many each of the samples has.
    """
    n = len(before)
    counted = [_that_change(read) & (read.places > 0) for read in readings]
    each = zip(readings, counted, strict=True)
    samples = np.concatenate([read.samples_of_places()[is_counted] for read, is_counted in each])
    each = zip(readings, counted, strict=True)
    found = np.concatenate([read.places[is_counted] for read, is_counted in each])
    places, inverse = np.unique(found, return_inverse=True)
    of_places = np.empty(len(places), np.intp)
    of_places[inverse] = samples
    order = np.argsort(of_places, kind="stable")
    counts = np.bincount(of_places, minlength=n)
    rank_of_places = np.empty(len(places), np.intp)
    rank_of_places[order] = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    rank_of_places += before[of_places]
    ranks: list[Indices] = []
    start = 0
    for read, is_counted in zip(readings, counted, strict=True):
        stop = start + int(np.count_nonzero(is_counted))
        of_read: Indices = np.full(read.places.shape, -1)
        of_read[is_counted] = rank_of_places[inverse[start:stop]]
        ranks.append(of_read)
        start = stop
    return ranks, places[order], counts


def _that_change(read: Readings) -> NDArray[np.bool_]:
    """Return which numbers are not the same at both ends."""
    changes: NDArray[np.bool_] = read.end.data != 0 if read.is_sparse else read.end != read.start
    return changes
