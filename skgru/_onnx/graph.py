"""Graphs of ONNX, node by node; the package onnx is imported when one is made, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# The operators are those of this version and of later ones; the file says that it needs this one.
OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
ML = "ai.onnx.ml"  # the domain of the operators for labels

# From this version on, the axes of all reductions are an input; before, an attribute.
_AXES_ARE_INPUTS = 18

Name = str  # of a value of the graph
# What a scan carries from step to step, and what it returns of each.
Body = Callable[["Graph", list[Name], list[Name]], tuple[list[Name], list[Name]]]


def import_onnx() -> Any:
    """Return the package onnx.

    Raises
    ------
    ImportError
        If there is none.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "Expected the package onnx to make a graph of an estimator, got none: "
            "pip install 'skgru[onnx]' installs it."
        ) from error
    return onnx


class Graph:
    """A graph that grows by a node at a time; values are known by their names.

    Parameters
    ----------
    opset : int, default=OPSET
        The version of the operators.
    prefix : str, default=""
        The start of all names.

    Attributes
    ----------
    nodes : list of NodeProto
    constants : list of TensorProto
    """

    def __init__(self, opset: int = OPSET, prefix: str = "") -> None:
        self._onnx = import_onnx()
        self._opset = opset
        self._prefix = prefix
        self._n_names = [0]
        self._known: dict[tuple[Any, ...], Name] = {}  # constants by what they hold
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def _inner(self) -> Graph:
        """Return a graph within this one, which has the same constants, and names that differ."""
        inner = Graph(self._opset, self._prefix)
        inner._n_names, inner._known = self._n_names, self._known
        inner.constants = self.constants
        return inner

    def _name(self, of: str) -> Name:
        self._n_names[0] += 1
        return f"{self._prefix}{of}.{self._n_names[0]}"  # no branch has a point in its name

    def type_of(self, dtype: Any) -> int:
        """Return the type of an element, as ONNX numbers them."""
        kind = np.dtype(dtype)
        if kind.kind in "UO":
            return int(self._onnx.TensorProto.STRING)
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(kind))

    # --- Nodes -----------------------------------------------------------------------------------

    def constant(self, value: Any, dtype: Any = None) -> Name:
        """Return a constant; the same one, if there is one that is equal already."""
        array = np.array(value, dtype, order="C")
        if array.dtype.kind == "U":
            array = array.astype(object)
        content = tuple(array.ravel()) if array.dtype == object else array.tobytes()
        key = (array.dtype.str, array.shape, content)
        if key not in self._known:
            self._known[key] = self._name("constant")
            tensor = self._onnx.numpy_helper.from_array(array, self._known[key])
            self.constants.append(tensor)
        return self._known[key]

    def nodes_of(
        self, kind: str, *inputs: Name, n_outputs: int, domain: str = "", **attributes: Any
    ) -> list[Name]:
        """Add a node of several outputs, and return them; an input "" is left out."""
        outputs = [self._name(kind) for _ in range(n_outputs)]
        node = self._onnx.helper.make_node(
            kind, list(inputs), outputs, name=self._name("node"), domain=domain, **attributes
        )
        self.nodes.append(node)
        return outputs

    def node(self, kind: str, *inputs: Name, domain: str = "", **attributes: Any) -> Name:
        """Add a node of one output, and return it."""
        return self.nodes_of(kind, *inputs, n_outputs=1, domain=domain, **attributes)[0]

    # --- Those that are needed often -------------------------------------------------------------

    def cast(self, x: Name, dtype: Any) -> Name:
        """Return x in another type."""
        return self.node("Cast", x, to=self.type_of(dtype))

    def where(self, condition: Name, x: Name, y: Name) -> Name:
        """Return x where the condition holds, else y."""
        return self.node("Where", condition, x, y)

    def reduce(self, kind: str, x: Name, axis: int, *, keepdims: bool = False) -> Name:
        """Return the "Sum", "Max" or "Min" along an axis."""
        if kind == "Sum" or self._opset >= _AXES_ARE_INPUTS:
            axes = self.constant([axis], np.int64)
            return self.node(f"Reduce{kind}", x, axes, keepdims=int(keepdims))
        return self.node(f"Reduce{kind}", x, axes=[axis], keepdims=int(keepdims))

    def transpose(self, x: Name, *order: int) -> Name:
        """Return x with its axes in another order."""
        return self.node("Transpose", x, perm=list(order))

    def unsqueeze(self, x: Name, *axes: int) -> Name:
        """Return x with axes of length 1 there."""
        return self.node("Unsqueeze", x, self.constant(axes, np.int64))

    def squeeze(self, x: Name, *axes: int) -> Name:
        """Return x without axes of length 1."""
        return self.node("Squeeze", x, self.constant(axes, np.int64))

    def concatenate(self, parts: Sequence[Name], axis: int = -1) -> Name:
        """Return arrays side by side."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=axis)

    def columns(self, x: Name, start: int, stop: int, axis: int = -1) -> Name:
        """Return some successive columns."""
        return self.slice(x, self.constant([start], np.int64), [stop], axis)

    def slice(self, x: Name, start: Name, stop: Any, axis: int) -> Name:
        """Return what lies from start, (1,), to stop along an axis."""
        end = stop if isinstance(stop, str) else self.constant(stop, np.int64)
        return self.node("Slice", x, start, end, self.constant([axis], np.int64))

    def take(self, x: Name, indices: Any, axis: int = -1) -> Name:
        """Return what lies at constant indices along an axis."""
        return self.node("Gather", x, self.constant(indices, np.int64), axis=axis)

    def size(self, x: Name, axis: int) -> Name:
        """Return the length of an axis, (1,)."""
        return self.take(self.node("Shape", x), [axis], axis=0)

    def reshape(self, x: Name, *shape: int | Name) -> Name:
        """Return x in another shape, of numbers or lengths of axes, (1,); -1 is the rest."""
        parts = [n if isinstance(n, str) else self.constant([n], np.int64) for n in shape]
        return self.node("Reshape", x, self.concatenate(parts, 0), allowzero=1)

    def expand(self, x: Name, like: Name) -> Name:
        """Return x as often as the shape of another array says."""
        return self.node("Expand", x, self.node("Shape", like))

    def range(self, n: Name) -> Name:
        """Return the numbers from 0 to n − 1, given n of shape (1,)."""
        zero, one = self.constant(0, np.int64), self.constant(1, np.int64)
        return self.node("Range", zero, self.squeeze(n, 0), one)

    def dense(self, x: Name, p: dict[str, Any], dtype: Any) -> Name:
        """Return x·W + b for the weights and the bias of a dense layer."""
        product = self.node("MatMul", x, self.constant(p["weights"], dtype))
        return self.node("Add", product, self.constant(p["bias"], dtype))

    # --- Graphs within the graph -----------------------------------------------------------------

    def scan(
        self,
        body: Body,
        states: Sequence[tuple[Name, Any]],
        inputs: Sequence[tuple[Name, Any]],
        outputs: Sequence[Any],
        *,
        from_end: bool = False,
    ) -> tuple[list[Name], list[Name]]:
        """Go along the first axis of arrays, step by step.

        Parameters
        ----------
        body : callable
            Given a graph, the states and the inputs at a step, returns the new states and the
            outputs.
        states : sequence of (name, dtype)
            Before the first step.
        inputs : sequence of (name, dtype)
            Arrays that have a row for each step.
        outputs : sequence of dtype
        from_end : bool, default=False
            Whether the last step is read first; the outputs lie as the steps do.

        Returns
        -------
        states : list of str
            After the last step.
        outputs : list of str
            Of all steps.
        """
        make_info = self._onnx.helper.make_tensor_value_info
        inner = self._inner()
        before = [inner._name("state") for _ in states]
        here = [inner._name("step") for _ in inputs]
        after, found = body(inner, before, here)
        taken = {*before, *here}

        def own(name: Name) -> Name:  # what a body returns as it came, or twice, is copied
            unique = inner.node("Identity", name) if name in taken else name
            taken.add(unique)
            return unique

        after, found = [own(name) for name in after], [own(name) for name in found]
        types = [self.type_of(dtype) for _, dtype in [*states, *inputs]]
        of_results = [*(self.type_of(d) for _, d in states), *map(self.type_of, outputs)]
        graph = self._onnx.helper.make_graph(
            inner.nodes,
            self._name("body"),
            [make_info(n, t, None) for n, t in zip([*before, *here], types, strict=True)],
            [make_info(n, t, None) for n, t in zip([*after, *found], of_results, strict=True)],
        )
        results = self.nodes_of(
            "Scan",
            *(name for name, _ in [*states, *inputs]),
            n_outputs=len(of_results),
            body=graph,
            num_scan_inputs=len(inputs),
            scan_input_directions=[int(from_end)] * len(inputs),
            scan_output_directions=[int(from_end)] * len(outputs),
        )
        return results[: len(states)], results[len(states) :]

    def choose(
        self,
        condition: Name,
        then: Callable[[Graph], Name],
        otherwise: Callable[[Graph], Name],
        dtype: Any,
    ) -> Name:
        """Return the result of one of two graphs, of which the other is not run."""
        graphs = {}
        for key, make in {"then_branch": then, "else_branch": otherwise}.items():
            inner = self._inner()
            result = inner.node("Identity", make(inner))
            info = self._onnx.helper.make_tensor_value_info(result, self.type_of(dtype), None)
            graphs[key] = self._onnx.helper.make_graph(inner.nodes, self._name(key), [], [info])
        return self.node("If", condition, **graphs)
