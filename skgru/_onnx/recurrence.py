"""Recurrent layers in a graph: by the operators of ONNX, or where these do not go, by a scan.

ONNX has operators for the cells in single precision, of states that do not decay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skgru._nn.cells import Cell
from skgru._nn.gru import GRU
from skgru._nn.lstm import LSTM
from skgru._nn.parameters import Parameters
from skgru._nn.part import Arrays
from skgru._nn.recurrent import Bidirectional, HiddenLayer, Stack
from skgru._nn.rnn import RNN
from skgru._onnx.graph import Graph, Name
from skgru._onnx.numbers_graph import exp_of_minus
from skgru._onnx.padded import PaddedSteps, is_present


class Encoded(NamedTuple):
    """The outputs of a layer.

    Attributes
    ----------
    y : str
        Of an array (T, N, H), at all steps; of finite numbers beyond the ends.
    last : str
        Of an array (N, H): at the last step, in the reverse direction at the first one; zeros for
        a sequence without a step.
    """

    y: Name
    last: Name


class CellInGraph(ABC):
    """How a kind of cell is said in ONNX.

    Attributes
    ----------
    operator : str or None
        The operator for all steps; None = there is none.
    order : tuple of int
        Which of our gates come first, second, ... in it.
    """

    operator: str | None = None
    order: tuple[int, ...] = ()

    def weights(self, cell: Any, p: Arrays) -> tuple[Any, Any, Any]:
        """Return the inputs W, R and B of the operator, for one direction."""
        H = cell.n_units
        of_recurrence = np.zeros_like(p["bias"])
        if "recurrent_bias" in p:
            of_recurrence[-H:] = p["recurrent_bias"]
        W, R = p["input_weights"].T, p["recurrent_weights"].T
        blocks = [self._in_order(x.reshape(len(self.order), H, -1)) for x in (W, R)]
        biases = [self._in_order(b.reshape(-1, H, 1)).ravel() for b in (p["bias"], of_recurrence)]
        return (*(x.reshape(-1, x.shape[-1]) for x in blocks), np.concatenate(biases))

    def _in_order(self, blocks: Any) -> Any:
        return blocks[list(self.order)]

    def attributes(self, cell: Any) -> dict[str, Any]:
        """Return further attributes of the operator."""
        return {}

    @abstractmethod
    def step(
        self, g: Graph, cell: Any, p: Arrays, states: list[Name], a: Name, dtype: Any
    ) -> list[Name]:
        """Return the states (N, H) after a step, the first of which is the output.

        Parameters
        ----------
        g : Graph
        cell : Cell
        p : dict of ndarray
        states : list of str
            Before it.
        a : str
            The share of the inputs, and of the bias, in the arguments of the gates, (N, G · H).
        dtype : dtype
        """

    def _recurrent(self, g: Graph, x: Name, U: Any, dtype: Any) -> Name:
        return g.node("MatMul", x, g.constant(U, dtype))


class GRUInGraph(CellInGraph):
    """A GRU: the update gate of the operator weighs the old state."""

    operator = "GRU"
    order = (0, 1, 2)

    def _in_order(self, blocks: Any) -> Any:
        signs = np.array([-1, 1, 1], blocks.dtype)[:, None, None]  # 1 − σ(a) = σ(−a)
        return super()._in_order(blocks) * signs

    def attributes(self, cell: GRU) -> dict[str, Any]:
        return {"linear_before_reset": int(cell.reset_after)}

    def step(
        self, g: Graph, cell: GRU, p: Arrays, states: list[Name], a: Name, dtype: Any
    ) -> list[Name]:
        (h,), H, U = states, cell.n_units, p["recurrent_weights"]
        of_gates = self._recurrent(g, h, U[:, : 2 * H], dtype)
        gates = g.node("Sigmoid", g.node("Add", g.columns(a, 0, 2 * H), of_gates))
        z, r = g.columns(gates, 0, H), g.columns(gates, H, 2 * H)
        if cell.reset_after:
            product = self._recurrent(g, h, U[:, 2 * H :], dtype)
            inner = g.node("Add", product, g.constant(p["recurrent_bias"], dtype))
            inner = g.node("Mul", r, inner)
        else:
            inner = self._recurrent(g, g.node("Mul", r, h), U[:, 2 * H :], dtype)
        c = g.node("Tanh", g.node("Add", g.columns(a, 2 * H, 3 * H), inner))
        return [g.node("Add", h, g.node("Mul", z, g.node("Sub", c, h)))]


class LSTMInGraph(CellInGraph):
    """An LSTM."""

    operator = "LSTM"
    order = (1, 0, 2, 3)  # i, o, f, c

    def step(
        self, g: Graph, cell: LSTM, p: Arrays, states: list[Name], a: Name, dtype: Any
    ) -> list[Name]:
        (h, c), H = states, cell.n_units
        a = g.node("Add", a, self._recurrent(g, h, p["recurrent_weights"], dtype))
        gates = g.node("Sigmoid", g.columns(a, 0, 3 * H))
        o, i, f = (g.columns(gates, j * H, (j + 1) * H) for j in range(3))
        u = g.node("Tanh", g.columns(a, 3 * H, 4 * H))
        c = g.node("Add", g.node("Mul", f, c), g.node("Mul", i, u))
        return [g.node("Mul", o, g.node("Tanh", c)), c]


class RNNInGraph(CellInGraph):
    """A simple cell."""

    operator = "RNN"
    order = (0,)

    def step(
        self, g: Graph, cell: RNN, p: Arrays, states: list[Name], a: Name, dtype: Any
    ) -> list[Name]:
        (h,) = states
        of_state = self._recurrent(g, h, p["recurrent_weights"], dtype)
        return [g.node("Tanh", g.node("Add", a, of_state))]


CELLS: dict[type[Cell], CellInGraph] = {GRU: GRUInGraph(), LSTM: LSTMInGraph(), RNN: RNNInGraph()}


def encode(g: Graph, stack: Stack, p: Parameters, steps: PaddedSteps, dtype: Any) -> Encoded:
    """Return the outputs of the top layer of a stack."""
    encoded = None
    for name, layer in stack.layers.items():
        encoded = _layer(g, layer, p.section(name), steps, dtype)
        steps = steps._replace(x=encoded.y)
    assert encoded is not None  # there is a layer
    return encoded


def _layer(g: Graph, layer: Any, p: Arrays, steps: PaddedSteps, dtype: Any) -> Encoded:
    """Return the outputs of a layer, of one direction or of two."""
    if not isinstance(layer, Bidirectional):
        return _run(g, [layer], [p], [steps], dtype)
    prefix = "reverse_"
    onward = {name: a for name, a in p.items() if not name.startswith(prefix)}
    reverse = {name.removeprefix(prefix): a for name, a in p.items() if name.startswith(prefix)}
    of_each = [steps, steps]
    if steps.gaps is not None and layer.onward.decay:  # those of the directions lie side by side
        gaps = _halves(g, steps.gaps, layer.onward.decay.n_features)
        inputs = [steps.x] * 2
        if layer.own_inputs:
            inputs = _halves(g, steps.x, layer.onward.cell.n_inputs)
        of_each = [steps._replace(x=x, gaps=d) for x, d in zip(inputs, gaps, strict=True)]
    return _run(g, [layer.onward, layer.reverse], [onward, reverse], of_each, dtype)


def _halves(g: Graph, x: Name, n: int) -> list[Name]:
    return [g.columns(x, 0, n), g.columns(x, n, 2 * n)]


def _run(
    g: Graph,
    layers: Sequence[HiddenLayer],
    parameters: Sequence[Arrays],
    steps: Sequence[PaddedSteps],
    dtype: Any,
) -> Encoded:
    """Return the outputs of a layer of each direction that there is, side by side."""
    has_operator = _in_graph(layers[0].cell).operator is not None
    if has_operator and dtype == np.float32 and steps[0].gaps is None:
        encoded = _by_operator(g, layers, parameters, steps[0], dtype)
    else:
        of_each = zip(layers, parameters, steps, strict=True)
        parts = [_by_scan(g, *of, dtype, from_end=bool(d)) for d, of in enumerate(of_each)]
        encoded = _side_by_side(g, parts)
    if not layers[0].gate:
        return encoded
    H, parts = layers[0].cell.n_units, []
    for d, of_layer in enumerate(zip(parameters, steps, strict=True)):
        h = g.columns(encoded.y, d * H, (d + 1) * H)
        parts.append(_gated(g, of_layer, h, dtype, from_end=bool(d)))
    return _side_by_side(g, parts)


def _side_by_side(g: Graph, parts: Sequence[Encoded]) -> Encoded:
    return Encoded(*(g.concatenate(of_directions) for of_directions in zip(*parts, strict=True)))


def _in_graph(cell: Cell) -> CellInGraph:
    """Return how a cell is said in ONNX.

    Raises
    ------
    ValueError
        If it is of no kind that is known here.
    """
    if type(cell) not in CELLS:
        raise ValueError(
            f"The cell {type(cell).__name__} has no graph of ONNX: expected one of "
            f"{', '.join(kind.__name__ for kind in CELLS)}."
        )
    return CELLS[type(cell)]


def _by_operator(
    g: Graph,
    layers: Sequence[HiddenLayer],
    parameters: Sequence[Arrays],
    steps: PaddedSteps,
    dtype: Any,
) -> Encoded:
    """Return the states of all steps, the directions side by side, by an operator of ONNX."""
    cell = layers[0].cell
    in_graph = _in_graph(cell)
    assert in_graph.operator is not None
    weights = zip(*(in_graph.weights(cell, p) for p in parameters), strict=True)
    y, last = g.nodes_of(
        in_graph.operator,
        steps.x,
        *(g.constant(np.stack(of_directions), dtype) for of_directions in weights),
        g.cast(steps.lengths, np.int32),
        n_outputs=2,
        hidden_size=cell.n_units,
        direction="forward" if len(layers) == 1 else "bidirectional",
        **in_graph.attributes(cell),
    )
    # (What RNN of some versions of ONNX Runtime returns of a sequence without a step is no zero.)
    last = g.where(is_present(g, steps.lengths), last, g.constant(0, dtype))
    if len(layers) == 1:
        return Encoded(g.squeeze(y, 1), g.squeeze(last, 0))
    # From (T, 2, N, H) and (2, N, H); 0 = a length that stays.
    y, last = g.transpose(y, 0, 2, 1, 3), g.transpose(last, 1, 0, 2)
    y = g.node("Reshape", y, g.constant([0, 0, 2 * cell.n_units]))
    return Encoded(y, g.node("Reshape", last, g.constant([0, 2 * cell.n_units])))


def _by_scan(
    g: Graph, layer: HiddenLayer, p: Arrays, steps: PaddedSteps, dtype: Any, *, from_end: bool
) -> Encoded:
    """Return the states of all steps of one direction, step by step."""
    cell = layer.cell
    in_graph, H = _in_graph(cell), cell.n_units
    dense = {"weights": p["input_weights"], "bias": p["bias"]}
    inputs: list[tuple[Name, Any]] = [
        (g.dense(steps.x, dense, dtype), dtype),
        (steps.mask, bool),
    ]
    if steps.gaps is not None:
        decay = {"weights": p["decay_weights"], "bias": p["decay_bias"]}
        inputs.append((exp_of_minus(g, g.dense(steps.gaps, decay, dtype)), dtype))
    n_states = cell.n_states // H
    shape = g.concatenate([g.size(steps.x, 1), g.constant([H], np.int64)], 0)
    nothing = g.node("Expand", g.constant(0, dtype), shape)

    def body(step: Graph, states: list[Name], inputs: list[Name]) -> tuple[list[Name], list[Name]]:
        a, mask, *decay = inputs
        left = [step.node("Mul", state, *decay) for state in states] if decay else states
        after = in_graph.step(step, cell, p, left, a, dtype)
        after = [step.where(mask, new, old) for new, old in zip(after, states, strict=True)]
        return after, [after[0]]

    states, (y,) = g.scan(body, [(nothing, dtype)] * n_states, inputs, [dtype], from_end=from_end)
    return Encoded(y, states[0])


def _gated(g: Graph, of_layer: Sequence[Any], h: Name, dtype: Any, *, from_end: bool) -> Encoded:
    """Return states behind an output gate; see `skgru._nn.layers.OutputGate`."""
    p, steps = of_layer
    of_input = {"weights": p["output_input_weights"], "bias": p["output_bias"]}
    of_state = g.node("MatMul", h, g.constant(p["output_state_weights"], dtype))
    o = g.node("Sigmoid", g.node("Add", g.dense(steps.x, of_input, dtype), of_state))
    y = g.node("Mul", o, g.node("Tanh", h))
    places = g.unsqueeze(g.range(g.size(y, 0)), 1)  # (T, 1)
    end = g.constant(0, np.int64)
    if not from_end:
        end = g.node("Sub", g.unsqueeze(steps.lengths, 0), g.constant(1, np.int64))
    is_last = g.unsqueeze(g.node("Equal", places, end), 2)  # (Of no step, y is 0.)
    last = g.reduce("Sum", g.where(is_last, y, g.constant(0, dtype)), 0)
    return Encoded(y, last)
