"""The recurrent stack: hidden layers one above the other, in one direction or in both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch, Indices
from skgru._nn.cells import Cell
from skgru._nn.gru import GRU
from skgru._nn.layers import GateInputs, OutputGate
from skgru._nn.lstm import LSTM
from skgru._nn.mingru import MinGRU
from skgru._nn.missing import StateDecay
from skgru._nn.parameters import Parameters
from skgru._nn.part import (
    Arrays,
    LayerRun,
    OutputGradients,
    Outputs,
    Part,
    Run,
    Shapes,
    StackInputGradients,
)
from skgru._nn.rnn import RNN
from skgru._spec import EncoderSpec

CELLS: dict[str, type[Cell]] = {
    "gru": GRU,
    "lstm": LSTM,
    "rnn": RNN,
    "mingru": MinGRU,
}


# Of a layer that reads each sequence from its start, and of one that reads it from its end.
DIRECTIONS = ("forward", "reverse")


class LayerGates(NamedTuple):
    """How far a layer had its gates open at each row's step, and what was left of its states.

    Attributes
    ----------
    gates : dict of ndarray of shape (S, H)
        From 0, shut, to 1, open; by their names.
    decay : ndarray of shape (S, H) or None
        The share of the state that was left before the step; None = all of it.
    """

    gates: dict[str, Array]
    decay: Array | None


class LayerGradients(NamedTuple):
    """Gradients of a layer's inputs, initial states and gaps."""

    dx: Array | None  # (S, D), if asked for
    d_initial: Array  # (B, n_states)
    d_gaps: Array | None  # (S, n_gaps), if there are any and it is asked for


class Layer(Part[LayerRun]):
    """A layer of the stack."""

    n_outputs: int
    n_states: int

    @abstractmethod
    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return about how many numbers a pass holds for each step of a sequence."""

    @abstractmethod
    def gates_of(self, cache: Any) -> list[LayerGates]:
        """Return the gates of each of its `DIRECTIONS`, given the cache of a forward pass.

        A backward pass with that cache writes over them.
        """


class LayerCache(NamedTuple):
    """The cache of `HiddenLayer`'s forward pass, for `backward`: the parts' caches."""

    cell: Any
    gate: Any
    decay: Any


class HiddenLayer(Layer):
    """A cell and, if asked for, the output gate behind it and the decay of its states.

    Parameters
    ----------
    cell : Cell
    output_gate : bool, default=False
    n_gaps : int or None, default=None
        Of how many features the times since they were last seen make the states decay; None =
        they do not.
    """

    def __init__(self, cell: Cell, *, output_gate: bool = False, n_gaps: int | None = None) -> None:
        self.cell = cell
        self.decay = None if n_gaps is None else StateDecay(n_gaps, cell.n_units)
        self.n_outputs = cell.n_units
        self.n_states = cell.n_states
        self.gate = OutputGate(cell.n_inputs, cell.n_units) if output_gate else None

    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return the numbers of the cell, and beside them the gradients of the outputs.

        If states decay, there are the decay, and its gradient or the gaps that it is made of.
        Without a cache, there are the gated outputs.
        """
        n = int(need_cache or self.gate is not None)
        if self.decay:
            n += 2
        of_cell = self.cell.numbers_per_step(need_cache=need_cache, decays=self.decay is not None)
        return of_cell + n * self.n_outputs

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        shapes = self.cell.shapes()
        for part in (self.gate, self.decay):
            shapes |= part.shapes() if part else {}
        return shapes

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values."""
        self.cell.initialize(p, rng)
        for part in (self.gate, self.decay):
            if part:
                part.initialize(p, rng)

    def forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[Outputs, LayerCache]:
        """Return the outputs for the inputs x (S, D), and the cache."""
        gate_cache = decay_cache = None
        if self.decay and run.gaps is not None:
            decay, decay_cache = self.decay.forward(p, run.gaps, run)
            run = run._replace(decay=decay)
        (states, final), cell_cache = self.cell.forward(p, x, run)
        y = states[run.batch.n_sequences :]
        last = final[:, : self.n_outputs]
        if self.gate:
            y, gate_cache = self.gate.forward(p, GateInputs(x, y), run)
            last = np.zeros_like(last)  # also of a sequence without a step
            rows = run.batch.last_steps()
            last[: len(rows)] = y[rows]
        return Outputs(y, last, final), LayerCache(cell_cache, gate_cache, decay_cache)

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: LayerCache, g: Arrays, run: LayerRun
    ) -> LayerGradients:
        """Return the gradients of x (S, D), of the initial state (B, n_states) and of the gaps."""
        dx_gate = d_gaps = None
        if self.gate:
            d = self._by_row(dy, cache.cell.states.dtype, run.batch)
            dx_gate, dh = self.gate.backward(p, d, cache.gate, g, run)
            dy = OutputGradients(dh, None)
        dx, d_initial, d_decay = self.cell.backward(p, dy, cache.cell, g, run)
        if dx is not None and dx_gate is not None:
            dx += dx_gate
        if self.decay and d_decay is not None:
            d_gaps = self.decay.backward(p, d_decay, cache.decay, g, run)
        return LayerGradients(dx, d_initial, d_gaps)

    def gates_of(self, cache: LayerCache) -> list[LayerGates]:
        """Return those of the cell, and the output gate behind it."""
        gates = self.cell.gates_of(cache.cell)
        if self.gate:
            gates["output"] = cache.gate.o
        return [LayerGates(gates, None if cache.decay is None else cache.decay[1])]

    def _by_row(self, d: OutputGradients, dtype: np.dtype, batch: Batch) -> Array:
        """Return the gradient of each row's output, (S, H), that of last outputs included."""
        shape = batch.n_rows, self.n_outputs
        dy = np.zeros(shape, dtype) if d.dy is None else d.dy.copy()
        if d.dy_last is not None:
            rows = batch.last_steps()
            dy[rows] += d.dy_last[: len(rows)]
        return dy


class BothCache(NamedTuple):
    """The cache of `Bidirectional`'s forward pass, for `backward`."""

    rows: Indices  # (S,): see `Batch.reversed_rows`
    onward: LayerCache
    reverse: LayerCache


class Bidirectional(Layer):
    """Two layers, one of which reads each sequence from its end; their outputs side by side.

    Schuster & Paliwal (1997), "Bidirectional recurrent neural networks". The names of the second
    layer's parameters begin with ``reverse_``.

    Parameters
    ----------
    onward, reverse : HiddenLayer
    own_inputs : bool, default=False
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

    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return the numbers of both layers."""
        layers = (self.onward, self.reverse)
        return sum(layer.numbers_per_step(need_cache=need_cache) for layer in layers)

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        reverse = {f"reverse_{name}": shape for name, shape in self.reverse.shapes().items()}
        return self.onward.shapes() | reverse

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values."""
        self.onward.initialize(p, rng)
        self.reverse.initialize(_of_reverse(p), rng)

    def forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[Outputs, BothCache]:
        """Return the outputs for the inputs x (S, D), and the cache."""
        rows = run.batch.reversed_rows()
        run_a, run_b = self._runs(run, rows)
        xa, xb = np.hsplit(x, 2) if self.own_inputs else (x, x)
        a, a_cache = self.onward.forward(p, xa, run_a)
        b, b_cache = self.reverse.forward(_of_reverse(p), xb[rows], run_b)
        outputs = Outputs(
            np.hstack([a.y, b.y[rows]]),
            np.hstack([a.last, b.last]),
            np.hstack([a.final, b.final]),
        )
        return outputs, BothCache(rows, a_cache, b_cache)

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: BothCache, g: Arrays, run: LayerRun
    ) -> LayerGradients:
        """Return the gradients of x, of the initial state and of the gaps."""
        rows = cache.rows
        da, db = _halves(dy.dy, self.onward.n_outputs)
        da_last, db_last = _halves(dy.dy_last, self.onward.n_outputs)
        db = None if db is None else db[rows]
        a = self.onward.backward(p, OutputGradients(da, da_last), cache.onward, g, run)
        b = self.reverse.backward(
            _of_reverse(p), OutputGradients(db, db_last), cache.reverse, _of_reverse(g), run
        )
        dx, d_gaps = a.dx, a.d_gaps
        if dx is not None and b.dx is not None:
            if self.own_inputs:
                dx = np.hstack([dx, b.dx[rows]])
            else:
                dx += b.dx[rows]
        if d_gaps is not None and b.d_gaps is not None:
            d_gaps = np.hstack([d_gaps, b.d_gaps[rows]])
        return LayerGradients(dx, np.hstack([a.d_initial, b.d_initial]), d_gaps)

    def gates_of(self, cache: BothCache) -> list[LayerGates]:
        """Return those of both layers, each in the row of its step."""
        (a,), (b,) = self.onward.gates_of(cache.onward), self.reverse.gates_of(cache.reverse)
        gates = {name: gate[cache.rows] for name, gate in b.gates.items()}
        return [a, LayerGates(gates, None if b.decay is None else b.decay[cache.rows])]

    def _runs(self, run: LayerRun, rows: Indices) -> tuple[LayerRun, LayerRun]:
        """Return the runs of the two layers' forward passes, with their halves of the arrays."""
        start_a, start_b = _halves(run.initial, self.onward.n_states)
        mask_a, mask_b = _halves(run.mask, self.onward.n_outputs)
        gaps_a, gaps_b = (None, None) if run.gaps is None else np.hsplit(run.gaps, 2)
        gaps_b = None if gaps_b is None else gaps_b[rows]
        return (
            LayerRun(run.batch, start_a, mask_a, gaps_a, need_cache=run.need_cache),
            LayerRun(run.batch, start_b, mask_b, gaps_b, need_cache=run.need_cache),
        )


def _halves(array: Array | None, n: int) -> tuple[Array | None, Array | None]:
    """Return the first n columns, and the others."""
    return (None, None) if array is None else (array[:, :n], array[:, n:])


def _of_reverse(p: Arrays) -> Arrays:
    """Return the arrays of the reverse layer, by the names that it knows."""
    prefix = "reverse_"
    return {name[len(prefix) :]: a for name, a in p.items() if name.startswith(prefix)}


class StackOutputs(NamedTuple):
    """The result of the stack.

    Attributes
    ----------
    outputs : Outputs
        Those of the top layer.
    finals : list of ndarray of shape (B, n_states)
        Each layer's state after a sequence's last step.
    """

    outputs: Outputs
    finals: list[Array]


class Stack:
    """Hidden layers; each reads the outputs of the one below.

    It keeps the contract of a part with the `Parameters` of the whole network.

    Parameters
    ----------
    n_inputs : int
    spec : EncoderSpec
    n_gaps : int or None, default=None
        Of how many features the times since they were last seen make the states decay. If there
        are any, each direction has inputs of its own, `n_inputs` each, side by side.
    prefix : str, default=""
        The start of the layers' names.
    """

    def __init__(
        self, n_inputs: int, spec: EncoderSpec, n_gaps: int | None = None, prefix: str = ""
    ) -> None:
        self.layers: dict[str, Layer] = {}
        kinds = zip(spec.cells, spec.hidden_layer_sizes, strict=True)
        for i, (kind, n_units) in enumerate(kinds):
            onward = _hidden_layer(CELLS[kind], n_inputs, n_units, spec, n_gaps)
            layer: Layer = onward
            if spec.bidirectional:
                reverse = _hidden_layer(CELLS[kind], n_inputs, n_units, spec, n_gaps)
                own_inputs = i == 0 and n_gaps is not None
                layer = Bidirectional(onward, reverse, own_inputs=own_inputs)
            self.layers[f"{prefix}hidden_{i}"] = layer
            n_inputs = layer.n_outputs
        self.n_outputs = n_inputs

    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return about how many numbers a pass holds for each step of a sequence."""
        return sum(layer.numbers_per_step(need_cache=need_cache) for layer in self.layers.values())

    def initial_states(self, n_sequences: int, dtype: np.dtype) -> list[Array]:
        """Return each layer's state before the first step, (B, n_states): zeros."""
        return [np.zeros((n_sequences, layer.n_states), dtype) for layer in self.layers.values()]

    def forward(self, p: Parameters, x: Array, run: Run) -> tuple[StackOutputs, list[Any]]:
        """Run the layers over the inputs x (S, D); return the result and the caches."""
        finals, caches = [], []
        y = x
        for i, (name, layer) in enumerate(self.layers.items()):
            y_mask = mask = None
            if run.dropout:
                y_mask = run.dropout.of_inputs(y)
                y = y if y_mask is None else y * y_mask
                mask = run.dropout.of_states(i, layer.n_outputs, y.dtype)
            initial = run.states[i] if run.states else None
            own = LayerRun(run.batch, initial, mask, run.gaps, need_cache=run.need_cache)
            outputs, cache = layer.forward(p.section(name), y, own)
            y = outputs.y
            finals.append(outputs.final)
            caches.append((y_mask, cache))
        return StackOutputs(outputs, finals), caches

    def gates_of(self, caches: Sequence[Any]) -> list[list[LayerGates]]:
        """Return the gates of each layer, and of each direction of it."""
        layers = zip(self.layers.values(), caches, strict=True)
        return [layer.gates_of(cache) for layer, (_, cache) in layers]

    def backward(
        self, p: Parameters, dy: OutputGradients, cache: Sequence[Any], g: Parameters, run: Run
    ) -> StackInputGradients:
        """Return the gradients of x (S, D) and of the gaps."""
        bottom = next(iter(self.layers))
        dx = d_gaps = None
        for (name, layer), (y_mask, layer_cache) in zip(
            reversed(self.layers.items()), reversed(cache), strict=True
        ):
            need_dx = run.need_dx or name != bottom
            own = LayerRun(
                run.batch, need_dx=need_dx, need_d_gaps=run.need_d_gaps, need_g=run.need_g
            )
            dx, _, d_layer_gaps = layer.backward(
                p.section(name), dy, layer_cache, g.section(name), own
            )
            if dx is not None and y_mask is not None:
                dx *= y_mask
            if d_layer_gaps is not None:
                d_gaps = d_layer_gaps if d_gaps is None else d_gaps + d_layer_gaps
            dy = OutputGradients(dx, None)
        return StackInputGradients(dx, d_gaps)


def _hidden_layer(
    cell: type[Cell], n_inputs: int, n_units: int, spec: EncoderSpec, n_gaps: int | None
) -> HiddenLayer:
    """Return a layer of one direction."""
    has_gate = spec.output_gate and cell.may_have_output_gate
    return HiddenLayer(cell.make(n_inputs, n_units, spec), output_gate=has_gate, n_gaps=n_gaps)
