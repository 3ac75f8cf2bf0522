"""The output of each sample that is explained, given the raw outputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._engine.loss import Loss
from skgru._engine.model import Model
from skgru._nn.batch import Array, Indices, Piece


class Chosen(NamedTuple):
    """The output of each sample that is explained: the sum over some rows of raw outputs.

    Attributes
    ----------
    outputs : ndarray of shape (n rows,)
        The index of an output of each row; a row is a sample, or without a pooling a step.
    weights : ndarray of shape (n rows,)
        1 where a row counts, else 0.
    samples : ndarray of shape (n rows,)
        Which sample a row belongs to.
    """

    outputs: Indices
    weights: Array
    samples: Indices


def choose(model: Model, raw: Array, offsets: Indices, target: Any) -> Chosen:
    """Return the output that is meant.

    Parameters
    ----------
    model : Model
    raw : ndarray of shape (n, K) or (total steps, K)
    offsets : ndarray of shape (n + 1,)
        Where the steps of each sample start, if it is the steps that have outputs.
    target : object
        The output, as `Loss.choose` takes it; of steps also (step, output). Without a step, all
        steps of a sample count.

    Raises
    ------
    ValueError
        If there is no such output or step.
    """
    if not model.per_step:
        n = len(raw)
        return Chosen(model.loss.choose(raw, target), np.ones(n), np.arange(n))
    lengths = np.diff(offsets)
    samples = np.repeat(np.arange(len(lengths)), lengths)
    weights = np.ones(len(raw))
    if isinstance(target, tuple) and len(target) == 2:
        step, target = target
        if not isinstance(step, int | np.integer) or isinstance(step, bool):
            raise ValueError(f"Expected (step, output) as target, the step an int, got {step!r}.")
        fewest = int(lengths.min())
        if not -fewest <= step < fewest:
            i = int(lengths.argmin())
            raise ValueError(
                f"Expected a step that all samples have as the first of target, got {step}, but "
                f"sample {i} has {fewest} steps: explain samples of other lengths one by one."
            )
        numbers = np.arange(len(raw)) - offsets[samples]
        weights = (numbers == (step if step >= 0 else lengths[samples] + step)).astype(float)
    return Chosen(model.loss.choose(raw, target), weights, samples)


class Explained:
    """The output of each sample that is explained.

    Parameters
    ----------
    loss : Loss
    chosen : Chosen
    n_samples : int
    """

    def __init__(self, loss: Loss, chosen: Chosen, n_samples: int) -> None:
        self._loss, self._chosen, self._n_samples = loss, chosen, n_samples

    def of_rows(self, raw: Array, rows: Indices) -> tuple[Array, Array]:
        """Return what some rows of raw outputs add to the output, and its derivative by them.

        Parameters
        ----------
        raw : ndarray of shape (n, K)
        rows : ndarray of shape (n,)
            Which of all rows each is.
        """
        values, d_raw = self._loss.output(raw.astype(np.float64), self._chosen.outputs[rows])
        weights = self._chosen.weights[rows]
        return values * weights, d_raw * weights[:, None]

    def of_samples(self, raw: Array) -> Array:
        """Return the output of each sample, given all raw outputs."""
        values, _ = self.of_rows(raw, np.arange(len(raw)))
        return sums_of(values, self._chosen.samples, self._n_samples)

    def units(self) -> Array:
        """Return what counts as much in the output of each sample."""
        units = np.zeros(self._n_samples)
        np.maximum.at(units, self._chosen.samples, self._loss.unit(self._chosen.outputs))
        return units


def of_copies(values: Array, piece: Piece | None, N: int, n: int) -> Array:
    """Return the output of n copies of each of N samples, (N, n), given what their rows add to it.

    `piece` is that of the steps, if it is they that have outputs.
    """
    if piece is None:
        return values.reshape(N, n)
    return sums_of(values, piece.sample_of_row(), N * n).reshape(N, n)


def sums_of(values: Array, groups: NDArray[np.integer], n: int) -> Array:
    """Return the sums of the values of each of n groups."""
    total = np.zeros(n)
    np.add.at(total, groups, values)
    return total
