"""What a fitted network consists of: layers, shapes, parameters, what "auto" chose, memory."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable
from html import escape
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skgru._engine.model import parse_inputs
from skgru._engine.solvers import SOLVERS
from skgru._spec import ConvolutionSpec, FeedForwardSpec
from skgru._types import AnyEstimator, ArrayLike
from skgru._unwrapping import network_and_inputs

_WIDTH = 88
_CELLS = {"gru": "GRU", "lstm": "LSTM", "rnn": "simple", "mingru": "minGRU"}
# Of an update there are θ and its gradient, and what the optimizer keeps of each parameter.
_KEPT = {"adam": 2, "sgd": 1}


class Layer(NamedTuple):
    """A layer of a network.

    Attributes
    ----------
    name : str
        With which the names of its parameters begin, in `parameters_`; those of "bag", a linear
        model beside the network, are not there.
    kind : str
    shape : str
        Of its output, for one sample.
    n_parameters : int
    """

    name: str
    kind: str
    shape: str
    n_parameters: int


class Summary:
    """What a fitted network consists of; what `summary` returns.

    ``print(found)`` has it as text, a notebook shows it as a table.

    Attributes
    ----------
    title : str
        The name of the estimator.
    layers : list of Layer
        Named tuples of name, kind, shape (for one sample) and n_parameters, from the inputs on.
    n_parameters : int
        Those that are trained, of all layers.
    auto_params : dict
        What "auto" stood for in training.
    bytes_per_step : dict of str to int
        About how many bytes an update takes for each step of each of its sequences, in each branch.
        An estimator of one sequence has one branch, ``""``.
    update_bytes : int or None
        About how many bytes an update takes that has the longest sequences of X, with parameters,
        gradient and optimizer; the data themselves are not counted. None without X, without
        updates, as of ``solver="lbfgs"``, or if `batch_size` has been set to "auto" since.
    """

    def __init__(
        self,
        title: str,
        layers: list[Layer],
        n_parameters: int,
        auto_params: dict[str, Any],
        bytes_per_step: dict[str, int],
        update_bytes: int | None,
    ) -> None:
        self.title = title
        self.layers = layers
        self.n_parameters = n_parameters
        self.auto_params = auto_params
        self.bytes_per_step = bytes_per_step
        self.update_bytes = update_bytes

    def _memory(self) -> str:
        """Return the memory of an update, in words."""
        if self.update_bytes is not None:
            return f"memory of an update: about {_size(self.update_bytes)}, with the longest of X"
        several = [
            f"{name} {_size(n)}" if name else _size(n) for name, n in self.bytes_per_step.items()
        ]
        return f"memory of an update: about {', '.join(several)} for each step of a sequence"

    def _rows(self) -> list[tuple[str, ...]]:
        last = Layer("", "", "total", self.n_parameters)
        return [(*layer[:3], f"{layer.n_parameters:,}") for layer in [*self.layers, last]]

    def _auto(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.auto_params.items())

    def __str__(self) -> str:
        rows = [("layer", "kind", "output", "parameters"), *self._rows()]
        widths = [max(len(row[j]) for row in rows) for j in range(4)]
        lines = [
            "  ".join([*map(str.ljust, row[:3], widths), row[3].rjust(widths[3])]) for row in rows
        ]
        rule = "-" * len(lines[0])
        auto = textwrap.wrap(f'"auto" chose {self._auto()}', _WIDTH) if self.auto_params else []
        body = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
        return "\n".join([self.title, *body, *auto, self._memory()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left, right = 'style="text-align:left"', 'style="text-align:right"'
        head = f"<th {left}>layer</th><th {left}>kind</th><th {left}>output</th>"
        rows = [f"<tr>{head}<th {right}>parameters</th></tr>"]
        for *texts, number in self._rows():
            cells = "".join(f"<td {left}>{escape(text)}</td>" for text in texts)
            rows.append(f"<tr>{cells}<td {right}>{number}</td></tr>")
        auto = f'<div>"auto" chose {escape(self._auto())}</div>' if self.auto_params else ""
        return (
            f"<div><b>{escape(self.title)}</b></div><table>{''.join(rows)}</table>{auto}"
            f"<div>{escape(self._memory())}</div>"
        )


def summary(estimator: AnyEstimator, X: ArrayLike | None = None) -> Summary:
    """Return what a fitted network consists of.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier`, `GRURegressor`, `MultimodalGRUClassifier` or
        `MultimodalGRURegressor`, a `Pipeline` that ends with one, or a search, whose best estimator
        is taken.
    X : array-like, default=None
        Samples, in any form that `predict` takes: then the memory of an update is that for the
        longest of them. None = it is said for each step.

    Returns
    -------
    summary : Summary
        Layers, shapes, parameters, what "auto" chose, and the memory of an update, as attributes,
        text and HTML.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor, summary
    >>> X = np.random.RandomState(0).normal(size=(100, 20, 3))
    >>> reg = GRURegressor(16, pooling="mean", batch_size=10, max_iter=5, random_state=0)
    >>> found = summary(reg.fit(X, X[:, 4, 1]))
    >>> for layer in found.layers:
    ...     print(*layer, sep=" | ")
    inputs | numbers | (n_steps, 3) | 0
    hidden_0 | GRU | (n_steps, 16) | 960
    pooling | mean | (16,) | 0
    head | dense | (1,) | 17
    >>> found.n_parameters
    977
    """
    network, X = network_and_inputs(estimator, X)
    model = network._fitted_model()
    itemsize = model.theta.itemsize
    bytes_per_step = {
        name: -(-branch.numbers_per_step * itemsize // branch.patch_size)
        for name, branch in model.network.branches.items()
        if name in model.own_inputs
    }
    # (Those of an earlier version have none.)
    auto_params = dict(getattr(network, "auto_params_", {}))
    batch_size: Any = auto_params.get("batch_size", network.batch_size)
    update_bytes = None
    if X is not None:
        network._validate_params()  # which may have been set since
        parsed = parse_inputs(model.own_inputs, network._open(X))
    if X is not None and SOLVERS[network.solver].is_stochastic and batch_size != "auto":
        of_parameters = (2 + _KEPT[network.solver]) * model.theta.nbytes
        update_bytes = of_parameters + sum(
            branch.numbers_per_step
            * itemsize
            * _most_steps(branch, parsed[name], batch_size, network)
            for name, branch in model.network.branches.items()
            if name in model.own_inputs  # what stands beside them has been computed before
        )
    return Summary(
        type(network).__name__,
        _layers(model.network) + _layers_beside(model.bag),
        model.theta.size + (model.bag.size if model.bag else 0),
        auto_params,
        bytes_per_step,
        update_bytes,
    )


def _most_steps(branch: Any, parsed: Any, batch_size: int, network: Any) -> int:
    """Return how many steps a branch reads in an update at most: those of the longest sequences."""
    lengths = -(-np.sort(parsed.sequences.lengths)[::-1][:batch_size] // branch.patch_size)
    bptt_steps = getattr(network, "bptt_steps", None)
    return int(lengths.sum() if bptt_steps is None else np.minimum(lengths, bptt_steps).sum())


def _layers(network: Any) -> list[Layer]:
    """Return all layers, from the inputs on."""
    counts: Counter[str] = Counter()
    for name, shape in network.shapes.items():
        counts[name.rpartition(".")[0]] += prod(shape)
    layers = []

    def add(name: str, kind: str, shape: str) -> None:
        layers.append(Layer(name, kind, shape, counts[name]))

    for branch in network.branches.values():
        _add_branch(add, branch)
    for name in sorted(network.fusion.parts, key=_place_in_fusion):
        width = network.shapes[
            next(key for key in network.shapes if key.rpartition(".")[0] == name)
        ]
        add(name, _kind_of_fusion(name), f"({width[-1]},)")
    if network.chain is not None:
        add("chain", "tags of a sequence", f"(n_steps, {network.n_outputs})")
    return layers


def _layers_beside(bag: Any) -> list[Layer]:
    """Return the linear model of bags of tokens, if there is one."""
    if bag is None:
        return []
    n_columns, n_outputs = bag.weights.shape
    kind = f"linear, of tf-idf of {n_columns} tokens and pairs"
    return [Layer("bag", kind, f"({n_outputs},)", bag.size)]


def _place_in_fusion(name: str) -> tuple[bool, ...]:
    """Return a key that sorts the parts above the branches, from the bottom up."""
    return name == "head", not name.endswith(".absence"), not name.endswith(".gate")


def _kind_of_fusion(name: str) -> str:
    if name.endswith(".absence"):
        return "in place of an absent branch"
    return "weights of the branches" if name.endswith(".gate") else "dense"


def _add_branch(add: Callable[[str, str, str], None], branch: Any) -> None:
    """Add the layers of a branch."""
    spec, encoder = branch.spec.input, branch.spec.encoder
    if isinstance(encoder, ConvolutionSpec):
        kernels = branch.stack.kernels
        add(branch.stack.kernels_name, "random convolutions", f"({kernels.n_outputs},)")
        for name in branch.stack.layers:
            add(name, "dense", f"({branch.n_outputs},)")
        return
    is_row = isinstance(encoder, FeedForwardSpec)
    steps = "n_steps" if branch.patch_size == 1 else f"n_steps / {branch.patch_size}"

    def shape(width: int) -> str:
        return f"({width},)" if is_row else f"({steps}, {width})"

    name = branch.prefix + branch.input.name
    if spec.n_tokens is not None:
        kind, width = f"embedding of {spec.n_tokens} tokens", spec.n_inputs
    elif spec.is_sparse:
        kind, width = "sparse numbers", spec.n_inputs
    elif is_row:
        kind = f"numbers: {spec.n_inputs}, categories: {len(spec.categories)}"
        width = branch.input.n_outputs
    else:
        kind, width = "numbers, decaying" if spec.decay else "numbers", spec.n_inputs
    add(name, kind, shape(width * branch.patch_size))
    n_directions = 2 if branch.bidirectional else 1
    for k, layer in enumerate(branch.stack.layers):
        if is_row:
            sizes = encoder.hidden_layer_sizes
            add(layer, "dense", shape(sizes[k] if k < len(sizes) else branch.stack.n_outputs))
            continue
        kind = _CELLS.get(encoder.cells[k], encoder.cells[k])
        both = ", both directions" if branch.bidirectional else ""
        add(layer, f"{kind}{both}", shape(encoder.hidden_layer_sizes[k] * n_directions))
    if not is_row and branch.pooling is not None:
        pooling = encoder.pooling
        kind = pooling if isinstance(pooling, str) else ", ".join(pooling)
        add(f"{branch.prefix}pooling", kind, f"({branch.n_outputs},)")


def _size(n_bytes: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} GB"
