"""Stacks of dense layers: those of a branch that reads rows of a table, and those above branches.

Letters: S rows, B sequences, D inputs, H width of the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.random import RandomState
from scipy import sparse

from skgru._nn.batch import Array, Batch
from skgru._nn.layers import Dense, DenseRun, Rectified
from skgru._nn.parameters import Parameters
from skgru._nn.part import (
    Arrays,
    OutputGradients,
    Outputs,
    Run,
    StackInputGradients,
)
from skgru._nn.recurrent import StackOutputs


class Masks(Protocol):
    """The dropout of the inputs of layers."""

    def of_inputs(self, x: Array) -> Array | None:
        """Return a mask of the shape of x, or None."""


class FeedForward:
    """Layers of rectified units; each reads the outputs of the one below.

    It keeps the contract of a part with the `Parameters` of the whole network; the `run` of its
    pass is the dropout of the inputs of each layer, or None.

    Parameters
    ----------
    n_inputs : int
    sizes : tuple of int
        Units of each layer, from the bottom up.
    prefix : str
        The start of the layers' names.
    """

    def __init__(self, n_inputs: int, sizes: Sequence[int], prefix: str) -> None:
        self.layers: dict[str, Dense] = {}
        for i, n_units in enumerate(sizes):
            self.layers[f"{prefix}hidden_{i}"] = Rectified(n_inputs, n_units)
            n_inputs = n_units
        self.n_outputs = n_inputs

    def forward(
        self, p: Parameters, x: Any, run: Masks | None
    ) -> tuple[Any, list[tuple[Array | None, Any]]]:
        """Return the outputs for the rows x (S, D), maybe a sparse matrix, and the caches."""
        caches = []
        for name, layer in self.layers.items():
            x, mask = drop(x, run)
            x, cache = layer.forward(p.section(name), x)
            caches.append((mask, cache))
        return x, caches

    def backward(
        self,
        p: Parameters,
        dy: Array | None,
        cache: Sequence[tuple[Array | None, Any]],
        g: Parameters,
        *,
        need_dx: bool = True,
        need_g: bool = True,
    ) -> Any:
        """Return the gradient of x (S, D), if asked for; write those of the parameters to g."""
        bottom = next(iter(self.layers), None)
        for (name, layer), (mask, of_layer) in zip(
            reversed(self.layers.items()), reversed(cache), strict=True
        ):
            assert dy is not None
            run = DenseRun(need_dx or name != bottom, need_g)
            dy = layer.backward(p.section(name), dy, of_layer, g.section(name), run)
            if dy is not None and mask is not None:
                dy *= mask
        return dy


class Wide(Dense):
    """An affine map to the raw outputs of the network, from zero on."""

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Start at zero."""
        for array in p.values():
            array[...] = 0.0


class RowStack:
    """The layers over rows of a table, in the place of a recurrent `Stack`.

    A row is the one step of its sequence, and a sequence without a step is no row.

    Parameters
    ----------
    n_inputs : int
    sizes : tuple of int
        Units of each hidden layer.
    prefix : str
        The start of the layers' names.
    n_raw : int or None
        The outputs of a linear layer above them; None = there is none.
    """

    def __init__(
        self, n_inputs: int, sizes: Sequence[int], prefix: str, n_raw: int | None = None
    ) -> None:
        self._rows = FeedForward(n_inputs, sizes, prefix)
        self.n_outputs = self._rows.n_outputs
        if n_raw is not None:
            self._rows.layers[f"{prefix}wide"] = Wide(self.n_outputs, n_raw)
            self.n_outputs = n_raw

    @property
    def layers(self) -> dict[str, Dense]:
        """The layers by their names."""
        return self._rows.layers

    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return about how many numbers a pass holds for each row."""
        return (2 if need_cache else 1) * sum(layer.n_outputs for layer in self.layers.values())

    def initial_states(self, n_sequences: int, dtype: np.dtype) -> list[Array]:
        """Return the states of the layers: they have none."""
        return []

    def forward(self, p: Parameters, x: Any, run: Run) -> tuple[StackOutputs, list[Any]]:
        """Run the layers over the rows x (S, D); return the result and the caches."""
        y, caches = self._rows.forward(p, x, run.dropout)
        last = np.zeros((run.batch.n_sequences, self.n_outputs), y.dtype)
        last[: len(y)] = y  # the sequences without a step are the last ones
        return StackOutputs(Outputs(y, last, last[:, :0]), []), caches

    def backward(
        self, p: Parameters, dy: OutputGradients, cache: Sequence[Any], g: Parameters, run: Run
    ) -> StackInputGradients:
        """Return the gradient of x (S, D), if asked for."""
        d_rows = _by_row(dy, run.batch)
        dx = self._rows.backward(p, d_rows, cache, g, need_dx=run.need_dx, need_g=run.need_g)
        return StackInputGradients(dx, None)


def _by_row(d: OutputGradients, batch: Batch) -> Array:
    """Return the gradient of each row's output, (S, H)."""
    of_last = None if d.dy_last is None else d.dy_last[: batch.n_rows]
    if d.dy is None:
        assert of_last is not None  # some output is read
        return of_last
    return d.dy if of_last is None else d.dy + of_last


def drop(x: Any, dropout: Masks | None) -> tuple[Any, Array | None]:
    """Return x without what dropout leaves out, and the mask, None if nothing is.

    Of a sparse matrix the numbers that it holds are left out, and there is no mask: no gradient
    goes through it.
    """
    if dropout is None:
        return x, None
    if sparse.issparse(x):
        mask = dropout.of_inputs(x.data)
        if mask is not None:
            x = x.copy()
            x.data *= mask
        return x, None
    mask = dropout.of_inputs(x)
    return (x, None) if mask is None else (x * mask, mask)
