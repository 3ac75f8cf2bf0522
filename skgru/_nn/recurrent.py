"""The recurrent stack: hidden layers one above the other.

A layer's outputs are (B + S, H) like a cell's states: first what stands before any step, then the
output of each row's step. So `Batch.last` reads the last output, also of an empty sequence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch
from skgru._nn.cells import GRU
from skgru._nn.layers import OutputGate
from skgru._nn.parameters import Parameters


class HiddenLayer:
    """A cell and, if asked for, the output gate behind it."""

    def __init__(
        self, n_inputs: int, n_units: int, *, reset_after: bool = False, output_gate: bool = False
    ) -> None:
        self.n_units = n_units
        self.cell = GRU(n_inputs, n_units, reset_after=reset_after)
        self.gate = OutputGate(n_inputs, n_units) if output_gate else None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        return self.cell.shapes() | (self.gate.shapes() if self.gate else {})

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw start values."""
        self.cell.initialize(p, rng)
        if self.gate:
            self.gate.initialize(p, rng)

    def forward(
        self,
        p: dict[str, Array],
        x: Array,
        batch: Batch,
        initial: Array | None = None,
        *,
        need_cache: bool = True,
    ) -> tuple[Array, Array, Any]:
        """Return the outputs (B + S, H) for the inputs x (S, D), the last state, and the cache."""
        states, cell_cache = self.cell.forward(p, x, batch, initial, need_cache=need_cache)
        final = batch.last(states)
        if self.gate is None:
            return states, final, (cell_cache, None)
        y = np.zeros_like(states)
        y[batch.n_sequences :], gate_cache = self.gate.forward(p, x, states[batch.n_sequences :])
        return y, final, (cell_cache, gate_cache)

    def backward(
        self,
        p: dict[str, Array],
        dy: Array | None,
        dy_last: Array | None,
        batch: Batch,
        cache: Any,
        g: dict[str, Array],
        *,
        need_dx: bool = True,
    ) -> tuple[Array | None, Array]:
        """Return the gradients of x (S, D) and of the initial state (B, H).

        The gradient of the outputs is `dy` (S, H), by row, plus `dy_last` (B, H), of each
        sequence's last output; None = 0.
        """
        cell_cache, gate_cache = cache
        if self.gate is None:
            return self.cell.backward(p, dy, dy_last, batch, cell_cache, g, need_dx=need_dx)
        dy_all = np.zeros((batch.n_sequences + batch.n_rows, self.n_units), cell_cache.states.dtype)
        if dy is not None:
            dy_all[batch.n_sequences :] = dy
        if dy_last is not None:
            dy_all[batch.last_rows()] += dy_last
        dx_gate, dh = self.gate.backward(p, dy_all[batch.n_sequences :], gate_cache, g)
        dx, d_initial = self.cell.backward(p, dh, None, batch, cell_cache, g, need_dx=need_dx)
        if dx is not None:
            dx += dx_gate
        return dx, d_initial


class Stack:
    """Hidden layers; each reads the outputs of the one below."""

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: tuple[int, ...],
        *,
        reset_after: bool = False,
        output_gate: bool = False,
    ) -> None:
        widths = (n_inputs, *hidden_layer_sizes)
        self.layers = {
            f"hidden_{i}": HiddenLayer(
                widths[i], widths[i + 1], reset_after=reset_after, output_gate=output_gate
            )
            for i in range(len(hidden_layer_sizes))
        }
        self.n_outputs = widths[-1]

    def initial_states(self, n_sequences: int, dtype: np.dtype) -> list[Array]:
        """Return each layer's state before the first step, (B, H): zeros."""
        return [np.zeros((n_sequences, layer.n_units), dtype) for layer in self.layers.values()]

    def forward(
        self,
        p: Parameters,
        x: Array,
        batch: Batch,
        initial: list[Array] | None = None,
        *,
        need_cache: bool = True,
    ) -> tuple[Array, list[Array], list[Any]]:
        """Run the layers over the inputs x (S, D), from each layer's initial state (B, H) on.

        Returns
        -------
        outputs : ndarray of shape (B + S, H)
            Those of the top layer.
        final : list of ndarray of shape (B, H)
            Each layer's state after a sequence's last step.
        caches : list
        """
        final, caches = [], []
        y = x
        for i, (name, layer) in enumerate(self.layers.items()):
            outputs, state, cache = layer.forward(
                p.section(name), y, batch, initial[i] if initial else None, need_cache=need_cache
            )
            y = outputs[batch.n_sequences :]
            final.append(state)
            caches.append(cache)
        return outputs, final, caches

    def backward(
        self,
        p: Parameters,
        dy: Array | None,
        dy_last: Array | None,
        batch: Batch,
        caches: list[Any],
        g: Parameters,
        *,
        need_dx: bool = True,
    ) -> Array | None:
        """Return the gradient of x (S, D); `dy` and `dy_last` as in `HiddenLayer.backward`."""
        bottom = next(iter(self.layers))
        for (name, layer), cache in zip(
            reversed(self.layers.items()), reversed(caches), strict=True
        ):
            dy, _ = layer.backward(
                p.section(name),
                dy,
                dy_last,
                batch,
                cache,
                g.section(name),
                need_dx=need_dx or name != bottom,
            )
            dy_last = None
        return dy
