"""The recurrent stack: hidden layers one above the other, in one direction or in both."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch
from skgru._nn.cells import Cell
from skgru._nn.dropout import Dropout
from skgru._nn.gru import GRU
from skgru._nn.layers import OutputGate
from skgru._nn.lstm import LSTM
from skgru._nn.missing import StateDecay
from skgru._nn.parameters import Parameters
from skgru._nn.rnn import RNN


class Outputs(NamedTuple):
    """What a layer, or the stack, has read from its inputs.

    Attributes
    ----------
    y : ndarray of shape (S, H)
        The output of each row's step.
    last : ndarray of shape (B, H)
        The output of each sequence's last step, in the reverse direction its first one.
    final : ndarray of shape (B, n_states)
        The state to go on from.
    """

    y: Array
    last: Array
    final: Array


class Layer(Protocol):
    """What the stack needs of a layer."""

    n_outputs: int
    n_states: int

    def shapes(self) -> dict[str, tuple[int, ...]]: ...

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None: ...

    def forward(
        self,
        p: dict[str, Array],
        x: Array,
        batch: Batch,
        initial: Array | None = None,
        *,
        mask: Array | None = None,
        gaps: Array | None = None,
        need_cache: bool = True,
    ) -> tuple[Outputs, Any]: ...

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
        need_d_gaps: bool = True,
    ) -> tuple[Array | None, Array, Array | None]: ...


CELLS: dict[str, type[GRU] | type[LSTM] | type[RNN]] = {"gru": GRU, "lstm": LSTM, "rnn": RNN}


class HiddenLayer:
    """A cell and, if asked for, the output gate behind it and the decay of its states.

    Parameters
    ----------
    cell : Cell
    output_gate : bool
    n_gaps : int or None
        Of how many features the times since they were last seen make the states decay; None =
        they do not.
    """

    def __init__(self, cell: Cell, *, output_gate: bool = False, n_gaps: int | None = None) -> None:
        self.cell = cell
        self.decay = None if n_gaps is None else StateDecay(n_gaps, cell.n_units)
        self.n_outputs = cell.n_units
        self.n_states = cell.n_states
        self.gate = OutputGate(cell.n_inputs, cell.n_units) if output_gate else None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        shapes = self.cell.shapes()
        for part in (self.gate, self.decay):
            shapes |= part.shapes() if part else {}
        return shapes

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw start values."""
        self.cell.initialize(p, rng)
        for part in (self.gate, self.decay):
            if part:
                part.initialize(p, rng)

    def forward(
        self,
        p: dict[str, Array],
        x: Array,
        batch: Batch,
        initial: Array | None = None,
        *,
        mask: Array | None = None,
        gaps: Array | None = None,
        need_cache: bool = True,
    ) -> tuple[Outputs, Any]:
        """Return the outputs for the inputs x (S, D), and the cache.

        `mask` (B, n_outputs) is what the cell's products read of the states is multiplied by,
        `gaps` (S, n_gaps) what makes the states decay.
        """
        decay = decay_cache = None
        if self.decay and gaps is not None:
            decay, decay_cache = self.decay.forward(p, gaps, batch)
        states, final, cell_cache = self.cell.forward(
            p, x, batch, initial, mask=mask, decay=decay, need_cache=need_cache
        )
        h = states[batch.n_sequences :]
        if self.gate is None:
            return Outputs(h, final[:, : self.n_outputs], final), (cell_cache, None, decay_cache)
        y, gate_cache = self.gate.forward(p, x, h)
        last = np.zeros_like(final[:, : self.n_outputs])  # also of a sequence without a step
        rows = batch.last_steps()
        last[: len(rows)] = y[rows]
        return Outputs(y, last, final), (cell_cache, gate_cache, decay_cache)

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
        need_d_gaps: bool = True,
    ) -> tuple[Array | None, Array, Array | None]:
        """Return the gradients of x (S, D), of the initial state (B, n_states) and of the gaps.

        The gradient of the outputs is `dy` (S, H), by row, plus `dy_last` (B, H), of each
        sequence's last output; None = 0.
        """
        cell_cache, gate_cache, decay_cache = cache
        dx_gate = d_gaps = None
        if self.gate:
            shape = batch.n_rows, self.n_outputs
            dy = np.zeros(shape, cell_cache.states.dtype) if dy is None else dy.copy()
            if dy_last is not None:
                rows = batch.last_steps()
                dy[rows] += dy_last[: len(rows)]
            dx_gate, dy = self.gate.backward(p, dy, gate_cache, g)
            dy_last = None
        dx, d_initial, d_decay = self.cell.backward(
            p, dy, dy_last, batch, cell_cache, g, need_dx=need_dx
        )
        if dx is not None and dx_gate is not None:
            dx += dx_gate
        if self.decay and d_decay is not None:
            d_gaps = self.decay.backward(p, d_decay, decay_cache, g, need_d_gaps=need_d_gaps)
        return dx, d_initial, d_gaps


class Bidirectional:
    """Two layers, one of which reads each sequence from its end; their outputs side by side.

    Schuster & Paliwal (1997), "Bidirectional recurrent neural networks". The names of the second
    layer's parameters begin with ``reverse_``.

    Parameters
    ----------
    onward, reverse : HiddenLayer
    own_inputs : bool
        Whether x holds inputs of each layer, side by side; if not, both read the same. Their gaps
        always lie side by side.
    """

    def __init__(
        self, onward: HiddenLayer, reverse: HiddenLayer, *, own_inputs: bool = False
    ) -> None:
        self.onward, self.reverse = onward, reverse
        self.own_inputs = own_inputs
        self.n_outputs = onward.n_outputs + reverse.n_outputs
        self.n_states = onward.n_states + reverse.n_states

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        reverse = {f"reverse_{name}": shape for name, shape in self.reverse.shapes().items()}
        return self.onward.shapes() | reverse

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw start values."""
        self.onward.initialize(p, rng)
        self.reverse.initialize(_of_reverse(p), rng)

    def forward(
        self,
        p: dict[str, Array],
        x: Array,
        batch: Batch,
        initial: Array | None = None,
        *,
        mask: Array | None = None,
        gaps: Array | None = None,
        need_cache: bool = True,
    ) -> tuple[Outputs, Any]:
        """Return the outputs for the inputs x (S, D), and the cache, as in `HiddenLayer`."""
        starts = _halves(initial, self.onward.n_states)
        masks = _halves(mask, self.onward.n_outputs)
        rows = batch.reversed_rows()
        xa, xb = np.hsplit(x, 2) if self.own_inputs else (x, x)
        gaps_a, gaps_b = (None, None) if gaps is None else np.hsplit(gaps, 2)
        a, a_cache = self.onward.forward(
            p, xa, batch, starts[0], mask=masks[0], gaps=gaps_a, need_cache=need_cache
        )
        b, b_cache = self.reverse.forward(
            _of_reverse(p),
            xb[rows],
            batch,
            starts[1],
            mask=masks[1],
            gaps=None if gaps_b is None else gaps_b[rows],
            need_cache=need_cache,
        )
        outputs = Outputs(
            np.hstack([a.y, b.y[rows]]),
            np.hstack([a.last, b.last]),
            np.hstack([a.final, b.final]),
        )
        return outputs, (rows, a_cache, b_cache)

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
        need_d_gaps: bool = True,
    ) -> tuple[Array | None, Array, Array | None]:
        """Return the gradients of x, of the initial state and of the gaps, as in `HiddenLayer`."""
        rows, a_cache, b_cache = cache
        da, db = _halves(dy, self.onward.n_outputs)
        da_last, db_last = _halves(dy_last, self.onward.n_outputs)
        db = None if db is None else db[rows]
        dx, d_initial, d_gaps = self.onward.backward(
            p, da, da_last, batch, a_cache, g, need_dx=need_dx, need_d_gaps=need_d_gaps
        )
        dx_reverse, d_initial_reverse, d_gaps_reverse = self.reverse.backward(
            _of_reverse(p),
            db,
            db_last,
            batch,
            b_cache,
            _of_reverse(g),
            need_dx=need_dx,
            need_d_gaps=need_d_gaps,
        )
        if dx is not None and dx_reverse is not None:
            if self.own_inputs:
                dx = np.hstack([dx, dx_reverse[rows]])
            else:
                dx += dx_reverse[rows]
        if d_gaps is not None and d_gaps_reverse is not None:
            d_gaps = np.hstack([d_gaps, d_gaps_reverse[rows]])
        return dx, np.hstack([d_initial, d_initial_reverse]), d_gaps


def _halves(array: Array | None, n: int) -> tuple[Array | None, Array | None]:
    """Return the first n columns, and the others."""
    return (None, None) if array is None else (array[:, :n], array[:, n:])


def _of_reverse(p: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays of the reverse layer, by the names that it knows."""
    prefix = "reverse_"
    return {name[len(prefix) :]: a for name, a in p.items() if name.startswith(prefix)}


class Stack:
    """Hidden layers; each reads the outputs of the one below.

    Parameters
    ----------
    n_inputs : int
    hidden_layer_sizes : tuple of int
        Units of each layer, from the bottom up; of each direction.
    cells : tuple of {"gru", "lstm", "rnn"}
        Of each layer.
    reset_after, output_gate : bool
        Form of the cells; an LSTM has neither.
    bidirectional : bool
    n_gaps : int or None
        Of how many features the times since they were last seen make the states decay. If there
        are any, each direction has inputs of its own, `n_inputs` each, side by side.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: tuple[int, ...],
        cells: tuple[str, ...] | None = None,
        *,
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool = False,
        n_gaps: int | None = None,
    ) -> None:
        def hidden_layer(kind: str, n_inputs: int, n_units: int) -> HiddenLayer:
            form = {"reset_after": reset_after} if kind == "gru" else {}
            cell = CELLS[kind](n_inputs, n_units, **form)
            has_gate = output_gate and kind != "lstm"
            return HiddenLayer(cell, output_gate=has_gate, n_gaps=n_gaps)

        self.layers: dict[str, Layer] = {}
        kinds = cells or ("gru",) * len(hidden_layer_sizes)
        for i, (kind, n_units) in enumerate(zip(kinds, hidden_layer_sizes, strict=True)):
            onward = hidden_layer(kind, n_inputs, n_units)
            layer: Layer = onward
            if bidirectional:
                reverse = hidden_layer(kind, n_inputs, n_units)
                own_inputs = i == 0 and n_gaps is not None
                layer = Bidirectional(onward, reverse, own_inputs=own_inputs)
            self.layers[f"hidden_{i}"] = layer
            n_inputs = layer.n_outputs
        self.n_outputs = n_inputs

    def initial_states(self, n_sequences: int, dtype: np.dtype) -> list[Array]:
        """Return each layer's state before the first step, (B, n_states): zeros."""
        return [np.zeros((n_sequences, layer.n_states), dtype) for layer in self.layers.values()]

    def forward(
        self,
        p: Parameters,
        x: Array,
        batch: Batch,
        initial: list[Array] | None = None,
        *,
        gaps: Array | None = None,
        dropout: Dropout | None = None,
        need_cache: bool = True,
    ) -> tuple[Outputs, list[Array], list[Any]]:
        """Run the layers over the inputs x (S, D), from each layer's initial state on.

        `gaps` (S, n_gaps), of each direction side by side, make the states of all layers decay.

        Returns
        -------
        outputs : Outputs
            Those of the top layer.
        finals : list of ndarray of shape (B, n_states)
            Each layer's state after a sequence's last step.
        caches : list
        """
        finals, caches = [], []
        y = x
        for i, (name, layer) in enumerate(self.layers.items()):
            y_mask = mask = None
            if dropout:
                y_mask = dropout.of_inputs(y)
                y = y if y_mask is None else y * y_mask
                mask = dropout.of_states(i, layer.n_outputs, y.dtype)
            outputs, cache = layer.forward(
                p.section(name),
                y,
                batch,
                initial[i] if initial else None,
                mask=mask,
                gaps=gaps,
                need_cache=need_cache,
            )
            y = outputs.y
            finals.append(outputs.final)
            caches.append((y_mask, cache))
        return outputs, finals, caches

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
        need_d_gaps: bool = True,
    ) -> tuple[Array | None, Array | None]:
        """Return the gradients of x (S, D) and of the gaps.

        `dy` and `dy_last` are as in `HiddenLayer.backward`.
        """
        bottom = next(iter(self.layers))
        d_gaps = None
        for (name, layer), (y_mask, cache) in zip(
            reversed(self.layers.items()), reversed(caches), strict=True
        ):
            dy, _, d_layer_gaps = layer.backward(
                p.section(name),
                dy,
                dy_last,
                batch,
                cache,
                g.section(name),
                need_dx=need_dx or name != bottom,
                need_d_gaps=need_d_gaps,
            )
            dy_last = None
            if dy is not None and y_mask is not None:
                dy *= y_mask
            if d_layer_gaps is not None:
                d_gaps = d_layer_gaps if d_gaps is None else d_gaps + d_layer_gaps
        return dy, d_gaps
