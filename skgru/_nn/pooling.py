"""Pooling: from the outputs of all steps to the inputs of the head.

A pooling reads the steps piece by piece and keeps an account of those before, so
long sequences need not be held at once. Its backward pass may take the pieces one by one too, in
the same order.

Letters: S rows, B sequences of a batch, N sequences in all, H width of the outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skgru._nn.batch import Array, Batch, Indices, Piece
from skgru._nn.cells import glorot_uniform
from skgru._nn.part import Arrays, OutputGradients, Outputs, Shapes

Account = dict[str, Any]  # arrays with a row for each of the N sequences, by their names


class Pooling(ABC):
    """One way of pooling."""

    reads_last_piece_only = False

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.n_outputs = n_inputs

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: zeros, where a pooling has nothing better."""
        for array in p.values():
            array[...] = 0.0

    @abstractmethod
    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        """Return the account of N sequences, of which no step is read yet."""

    @abstractmethod
    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        """Read a piece's outputs into the account."""

    def lengthen(self, account: Account, positions: Indices, lengths: Indices) -> None:
        """Let sequences have other lengths than they were opened with."""
        return

    @abstractmethod
    def result(self, account: Account) -> Array:
        """Return the pooled outputs, (N, n_outputs): zeros for a sequence without a step."""

    @abstractmethod
    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        """Return the gradients of a piece's outputs, given that of the result, (N, n_outputs).

        Those of the parameters are written to g.
        """


class LastPooling(Pooling):
    """The output of the last step; in the reverse direction, of the first one."""

    reads_last_piece_only = True

    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        return {"last": np.zeros((len(lengths), self.n_inputs), dtype)}

    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        account["last"][piece.positions] = outputs.last

    def result(self, account: Account) -> Array:
        last: Array = account["last"]
        return last

    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        return OutputGradients(None, d[piece.positions] if piece.is_last else None)


class MeanPooling(Pooling):
    """The mean over the steps."""

    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        return {
            "total": np.zeros((len(lengths), self.n_inputs), dtype),
            "n_steps": np.maximum(lengths, 1).astype(dtype)[:, None],
        }

    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        account["total"][piece.positions] += sum_over_steps(outputs.y, piece.batch)

    def lengthen(self, account: Account, positions: Indices, lengths: Indices) -> None:
        account["n_steps"][positions] = lengths[:, None]

    def result(self, account: Account) -> Array:
        mean: Array = account["total"] / account["n_steps"]
        return mean

    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        share = (d / account["n_steps"])[piece.positions]
        return OutputGradients(share[piece.batch.sequence_of_row()], None)


class MaxPooling(Pooling):
    """The largest output of any step, for each unit; the gradient goes to the first of equals."""

    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        shape = len(lengths), self.n_inputs
        return {
            "largest": np.full(shape, -np.inf, dtype),
            "step": np.full(shape, -1),  # of the largest output
            "n_read": np.zeros((len(lengths), 1), np.intp),
            "n_back": np.zeros((len(lengths), 1), np.intp),  # steps that backward has seen
        }

    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        batch, positions = piece.batch, piece.positions
        largest, step = account["largest"][positions], account["step"][positions]
        first = account["n_read"][positions]
        for t, (n, start) in enumerate(zip(batch.active, batch.starts, strict=False)):
            y = outputs.y[start : start + n]
            is_larger = (y > largest[:n]) | np.isnan(y)  # NaN stays to be seen
            np.copyto(largest[:n], y, where=is_larger)
            np.copyto(step[:n], first[:n] + t, where=is_larger)
        account["largest"][positions], account["step"][positions] = largest, step
        account["n_read"][positions] += batch.lengths[:, None]

    def result(self, account: Account) -> Array:
        largest: Array = account["largest"]
        return np.where(np.isneginf(largest), 0, largest)

    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        batch, positions = piece.batch, piece.positions
        step = account["step"][positions] - account["n_back"][positions]  # in this piece
        d = d[positions]
        dy = np.empty_like(outputs.y)
        for t, (n, start) in enumerate(zip(batch.active, batch.starts, strict=False)):
            np.multiply(d[:n], step[:n] == t, out=dy[start : start + n])
        account["n_back"][positions] += batch.lengths[:, None]
        return OutputGradients(dy, None)


class AttentionPooling(Pooling):
    """A mean over the steps with learned weights (Yang et al. 2016).

    ::

        s_t = v·tanh(W·y_t + b)
        a_t = exp(s_t) / Σ exp(s)
        result = Σ a_t y_t
    """

    def shapes(self) -> Shapes:
        H = self.n_inputs
        return {"attention_weights": (H, H), "attention_bias": (H,), "attention_score": (H,)}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        H = self.n_inputs
        p["attention_weights"][...] = glorot_uniform(rng, H, H)
        p["attention_bias"][...] = 0.0
        p["attention_score"][...] = glorot_uniform(rng, H, 1)[:, 0]

    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        return {
            "largest": np.full((len(lengths), 1), -np.inf, dtype),  # score
            "total": np.zeros((len(lengths), 1), dtype),  # of exp(score − largest)
            "weighted": np.zeros((len(lengths), self.n_inputs), dtype),  # the same, times y
        }

    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        batch, positions = piece.batch, piece.positions
        y = outputs.y
        score = (self._hidden(p, y) @ p["attention_score"])[:, None]  # (S, 1)
        before = account["largest"][positions]
        largest = before.copy()
        for n, start in zip(batch.active, batch.starts, strict=False):
            np.maximum(largest[:n], score[start : start + n], out=largest[:n])
        # The sums so far count from the new largest score on.
        shrink = np.exp(before - np.where(np.isneginf(largest), 0, largest))
        weight = np.exp(score - largest[batch.sequence_of_row()])
        account["largest"][positions] = largest
        for name, terms in {"total": weight, "weighted": weight * y}.items():
            kept = account[name][positions] * shrink
            account[name][positions] = kept + sum_over_steps(terms, batch)

    def result(self, account: Account) -> Array:
        total = account["total"]
        mean: Array = account["weighted"] / np.where(total == 0, 1, total)
        return mean

    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        batch, positions = piece.batch, piece.positions
        y, v, W = outputs.y, p["attention_score"], p["attention_weights"]
        sequence = batch.sequence_of_row()
        u = self._hidden(p, y)
        weight = np.exp((u @ v)[:, None] - account["largest"][positions][sequence])
        weight /= account["total"][positions][sequence]
        d_row = d[positions][sequence]
        deviation = y - self.result(account)[positions][sequence]
        d_score = weight * (d_row * deviation).sum(axis=1, keepdims=True)  # (S, 1)
        dy = weight * d_row
        g["attention_score"][...] = u.T @ d_score[:, 0]
        du = d_score * v
        du *= 1 - np.square(u)
        g["attention_weights"][...] = y.T @ du
        g["attention_bias"][...] = du.sum(axis=0)
        dy += du @ W.T
        return OutputGradients(dy, None)

    def _hidden(self, p: Arrays, y: Array) -> Array:
        u = y @ p["attention_weights"]
        u += p["attention_bias"]
        hidden: Array = np.tanh(u, out=u)
        return hidden


class PoolingsSideBySide(Pooling):
    """Several poolings side by side."""

    def __init__(self, parts: list[Pooling]) -> None:
        self.parts = parts
        self.n_inputs = parts[0].n_inputs
        self.n_outputs = sum(part.n_outputs for part in parts)
        self.reads_last_piece_only = all(part.reads_last_piece_only for part in parts)

    def shapes(self) -> Shapes:
        return {name: shape for part in self.parts for name, shape in part.shapes().items()}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        for part in self.parts:
            part.initialize(p, rng)

    def open(self, lengths: NDArray[np.integer], dtype: np.dtype) -> Account:
        return {str(i): part.open(lengths, dtype) for i, part in enumerate(self.parts)}

    def read(self, p: Arrays, account: Account, outputs: Outputs, piece: Piece) -> None:
        for i, part in enumerate(self.parts):
            part.read(p, account[str(i)], outputs, piece)

    def lengthen(self, account: Account, positions: Indices, lengths: Indices) -> None:
        for i, part in enumerate(self.parts):
            part.lengthen(account[str(i)], positions, lengths)

    def result(self, account: Account) -> Array:
        return np.hstack([part.result(account[str(i)]) for i, part in enumerate(self.parts)])

    def backward(
        self, p: Arrays, d: Array, account: Account, outputs: Outputs, piece: Piece, g: Arrays
    ) -> OutputGradients:
        dy = dy_last = None
        start = 0
        for i, part in enumerate(self.parts):
            d_part = d[:, start : start + part.n_outputs]
            start += part.n_outputs
            of_part = part.backward(p, d_part, account[str(i)], outputs, piece, g)
            if of_part.dy is not None:
                dy = of_part.dy if dy is None else dy + of_part.dy
            if of_part.dy_last is not None:
                dy_last = of_part.dy_last if dy_last is None else dy_last + of_part.dy_last
        return OutputGradients(dy, dy_last)


POOLINGS: dict[str, Callable[[int], Pooling]] = {
    "last": LastPooling,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}


def make_pooling(names: str | tuple[str, ...], n_inputs: int) -> Pooling:
    """Return the pooling of that name, or several side by side."""
    if isinstance(names, str):
        return POOLINGS[names](n_inputs)
    return PoolingsSideBySide([POOLINGS[name](n_inputs) for name in names])


def sum_over_steps(y: Array, batch: Batch) -> Array:
    """Return the sums of the rows (S, H) over each sequence's steps, (B, H)."""
    total = np.zeros((batch.n_sequences, y.shape[1]), y.dtype)
    for n, start in zip(batch.active, batch.starts, strict=False):
        total[:n] += y[start : start + n]
    return total
