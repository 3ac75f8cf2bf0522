"""Fusion: from the outputs of the branches to the raw outputs of the network.

The outputs of the branches lie side by side, or with a gate each times a weight that is made of all
of them (after Arevalo et al. 2017, "Gated multimodal units for information fusion"). Above them are
hidden layers, if there are any, and the head, which reads the branches and the hidden layers.

Letters: N rows (samples, or their steps), C branches, D outputs of all of them, K raw outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array
from skgru._nn.dropout import FusionDropout
from skgru._nn.feedforward import FeedForward, drop
from skgru._nn.layers import Dense
from skgru._nn.parameters import Parameters
from skgru._nn.part import Arrays, Part, Shapes
from skgru._spec import FusionSpec

Present = NDArray[np.bool_]


class FusionInputs(NamedTuple):
    """The inputs of the fusion.

    Attributes
    ----------
    outputs : list of ndarray of shape (N, n_outputs)
        Those of each branch.
    present : ndarray of shape (N, C)
        Which branches each sample has.
    """

    outputs: list[Array]
    present: Present


class Absence(Part[None]):
    """Learned numbers in the place of the outputs of a branch that a sample does not have."""

    def __init__(self, n_outputs: int) -> None:
        self._n_outputs = n_outputs

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {"outputs": (self._n_outputs,)}

    def forward(
        self, p: Arrays, x: tuple[Array, Present], run: None = None
    ) -> tuple[Array, Present]:
        """Return the outputs (N, D), given them and which are present, (N,); and the cache."""
        outputs, present = x
        if present.all():
            return outputs, present
        return np.where(present[:, None], outputs, p["outputs"].astype(outputs.dtype)), present

    def backward(self, p: Arrays, dy: Array, cache: Present, g: Arrays, run: None = None) -> Array:
        """Return the gradient of the outputs (N, D); write those of the parameters to g."""
        if cache.all():
            g["outputs"][...] = 0
            return dy
        g["outputs"][...] = dy[~cache].sum(axis=0)
        return dy * cache[:, None]


class GateCache(NamedTuple):
    """The cache of `Gate`'s forward pass, for `backward`."""

    x: Array  # (N, D)
    weights: Array  # (N, C)


class Gate(Part[None]):
    """A weight for each branch of each sample: softmax(x·W + b) over those that it has.

    All start equal.

    Parameters
    ----------
    n_inputs, n_branches : int
        D and C.
    """

    def __init__(self, n_inputs: int, n_branches: int) -> None:
        self._dense = Dense(n_inputs, n_branches)

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return self._dense.shapes()

    def forward(
        self, p: Arrays, x: tuple[Array, Present], run: None = None
    ) -> tuple[Array, GateCache]:
        """Return the weights (N, C), given the outputs (N, D) and which branches are present."""
        inputs, present = x
        scores, _ = self._dense.forward(p, inputs)
        scores[~present] = -np.inf
        largest = scores.max(axis=1, keepdims=True)
        weights = np.exp(scores - np.where(np.isneginf(largest), 0, largest))
        total = weights.sum(axis=1, keepdims=True)
        weights /= np.where(total == 0, 1, total)  # of a sample without any branch all are 0
        return weights, GateCache(inputs, weights)

    def backward(
        self, p: Arrays, dy: Array, cache: GateCache, g: Arrays, run: None = None
    ) -> Array:
        """Return the gradient of the outputs (N, D); write those of the parameters to g."""
        weights = cache.weights
        d_scores = weights * (dy - (weights * dy).sum(axis=1, keepdims=True))
        dx: Array = self._dense.backward(p, d_scores, cache.x, g)
        return dx


class FusionCache(NamedTuple):
    """The cache of `Fusion`'s forward pass, for `backward`."""

    present: Present
    absent: list[Present]
    outputs: list[Array]
    gate: GateCache | None
    hidden: Any
    hidden_mask: Array | None
    head: Any


class Fusion:
    """Parts and their wiring, from the outputs of the branches on.

    It keeps the contract of a part with the `Parameters` of the whole network.

    Parameters
    ----------
    widths : mapping of str to int
        The outputs of each branch.
    wide : collection of str
        The branches whose outputs are raw outputs.
    spec : FusionSpec
    n_outputs : int
        K.

    Attributes
    ----------
    head : Dense
    hidden : FeedForward
    parts : dict of Part
        By their names.
    n_features : int
        D.
    columns : dict of slice
        Of each branch among the D outputs.
    """

    def __init__(
        self, widths: Mapping[str, int], wide: set[str], spec: FusionSpec, n_outputs: int
    ) -> None:
        self._names = tuple(widths)
        self._is_wide = [name in wide for name in widths]
        stops = list(accumulate(widths.values()))
        bounds = zip(widths, [0, *stops[:-1]], stops, strict=True)
        self.columns = {name: slice(start, stop) for name, start, stop in bounds}
        self.n_features = stops[-1]
        n_read = sum(n for name, n in widths.items() if name not in wide)
        sizes = spec.hidden_layer_sizes if n_read else ()
        self.hidden = FeedForward(n_read, sizes, "fusion.")
        n_hidden = self.hidden.n_outputs if self.hidden.layers else 0
        self._n_read = n_read
        self.head = Dense(n_read + n_hidden, n_outputs)
        self._absence = [Absence(n) for n in widths.values()] if spec.knows_absence else []
        self._gate = Gate(self.n_features, len(widths)) if spec.fusion == "gated" else None
        self.parts: dict[str, Part[Any]] = {**self.hidden.layers, "head": self.head}
        if self._gate:
            self.parts["fusion.gate"] = self._gate
        for name, part in zip(self._names, self._absence, strict=False):
            self.parts[f"{name}.absence"] = part

    def silence(self, p: Parameters, name: str) -> None:
        """Set the weights to zero that read the outputs of a branch, which has not been trained."""
        columns = self.columns[name]
        if self._gate:
            p["fusion.gate.weights"][columns] = 0
        j = self._names.index(name)
        if self._is_wide[j]:
            return  # its outputs are zeros by themselves
        before = zip(self.columns.values(), self._is_wide, strict=True)
        n_before = sum(c.stop - c.start for c, is_wide in list(before)[:j] if not is_wide)
        rows = slice(n_before, n_before + columns.stop - columns.start)
        p["head.weights"][rows] = 0
        for layer in list(self.hidden.layers)[:1]:
            p[f"{layer}.weights"][rows] = 0

    @property
    def n_joined(self) -> int:
        """How many columns `join` returns."""
        return self.n_features + (len(self._names) if self._gate else 0)

    def join(self, p: Parameters, x: FusionInputs) -> Array:
        """Return the outputs of all branches side by side (N, D), and behind them their weights.

        The outputs are not times their weights, of which there are some only with a gate.
        """
        outputs, _ = self._fill(p, x)
        joined = _side_by_side(outputs)
        if not self._gate:
            return joined
        weights, _ = self._weigh(p, outputs, x.present)
        return np.hstack([joined, weights])

    def forward(
        self, p: Parameters, x: FusionInputs, run: FusionDropout | None = None
    ) -> tuple[Array, FusionCache]:
        """Return the raw outputs (N, K) and the cache."""
        present = x.present
        outputs, absent = self._fill(p, x)
        read, gate = outputs, None
        if self._gate:
            weights, gate = self._weigh(p, outputs, present)
            factors = _factors(weights, present)
            read = [y * factors[:, [j]] for j, y in enumerate(outputs)]
        deep = _side_by_side(
            [y for y, is_wide in zip(read, self._is_wide, strict=True) if not is_wide]
            or [read[0][:, :0]]
        )
        hidden = hidden_mask = None
        below = deep
        if self.hidden.layers:
            y, hidden = self.hidden.forward(p, deep, None)
            y, hidden_mask = drop(y, run)
            below = np.hstack([deep, y])
        raw, head = self.head.forward(p.section("head"), below)
        for y, is_wide in zip(read, self._is_wide, strict=True):
            if is_wide:
                raw += y
        return raw, FusionCache(present, absent, outputs, gate, hidden, hidden_mask, head)

    def backward(
        self, p: Parameters, d_raw: Array, cache: FusionCache, g: Parameters
    ) -> list[Array]:
        """Return the gradients of the branches' outputs; write those of the parameters to g."""
        d_below = self.head.backward(p.section("head"), d_raw, cache.head, g.section("head"))
        assert d_below is not None
        d_deep = d_below
        if self.hidden.layers:
            d_deep, dy = d_below[:, : self._n_read], d_below[:, self._n_read :]
            if cache.hidden_mask is not None:
                dy = dy * cache.hidden_mask
            d_hidden = self.hidden.backward(p, dy, cache.hidden, g)
            assert d_hidden is not None
            d_deep = d_deep + d_hidden
        d_read, start = [], 0
        for y, is_wide in zip(cache.outputs, self._is_wide, strict=True):
            if is_wide:
                d_read.append(d_raw)
            else:
                d_read.append(d_deep[:, start : start + y.shape[1]])
                start += y.shape[1]
        d_outputs = d_read
        if self._gate:
            assert cache.gate is not None
            factors = _factors(cache.gate.weights, cache.present)
            by_branch = [(d * y).sum(axis=1) for d, y in zip(d_read, cache.outputs, strict=True)]
            d_weights = _d_weights(np.column_stack(by_branch), cache.present)
            section, g_section = p.section("fusion.gate"), g.section("fusion.gate")
            d_joined = self._gate.backward(section, d_weights, cache.gate, g_section)
            d_outputs = [
                d * factors[:, [j]] + d_joined[:, columns]
                for j, (d, columns) in enumerate(zip(d_read, self.columns.values(), strict=True))
            ]
        if not self._absence:
            return d_outputs
        return [
            part.backward(p.section(f"{name}.absence"), d, absent, g.section(f"{name}.absence"))
            for name, part, d, absent in zip(
                self._names, self._absence, d_outputs, cache.absent, strict=True
            )
        ]

    def _fill(self, p: Parameters, x: FusionInputs) -> tuple[list[Array], list[Present]]:
        """Return the outputs of each branch, with those of absent ones, and `Absence`'s caches."""
        if not self._absence:
            return x.outputs, []
        filled = [
            part.forward(p.section(f"{name}.absence"), (y, x.present[:, j]))
            for j, (name, part, y) in enumerate(
                zip(self._names, self._absence, x.outputs, strict=True)
            )
        ]
        return [y for y, _ in filled], [cache for _, cache in filled]

    def _weigh(
        self, p: Parameters, outputs: list[Array], present: Present
    ) -> tuple[Array, GateCache]:
        assert self._gate is not None
        return self._gate.forward(p.section("fusion.gate"), (_side_by_side(outputs), present))


def _factors(weights: Array, present: Present) -> Array:
    """Return the factors of the branches' outputs (N, C): 1 where all weights are equal.

    The numbers in the place of an absent branch are read as they are.
    """
    n_present = present.sum(axis=1, keepdims=True, dtype=weights.dtype)
    return np.where(present, weights * n_present, weights.dtype.type(1))


def _d_weights(d_factors: Array, present: Present) -> Array:
    """Return the gradient of the weights, given that of their factors."""
    n_present = present.sum(axis=1, keepdims=True, dtype=d_factors.dtype)
    return np.where(present, d_factors * n_present, d_factors.dtype.type(0))


def _side_by_side(outputs: list[Array]) -> Array:
    return outputs[0] if len(outputs) == 1 else np.hstack(outputs)
