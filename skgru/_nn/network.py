"""The whole network: branches → their pooled outputs, side by side → dense head.

Its passes over sequences, whole or in pieces, are in `pieces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array
from skgru._nn.branch import Branch
from skgru._nn.dropout import Dropout
from skgru._nn.layers import Dense, DenseCache, Embedding
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.part import Part, Shapes
from skgru._nn.pooling import Pooling
from skgru._spec import NetworkSpec


class Network:
    """Branches and their wiring; the numbers live in `Parameters`.

    In the flat vector θ lie the matrices of the hidden layers of all branches, of the head, of the
    poolings and of the inputs; then their vectors, in the same order; then the embeddings. With
    several branches the name of a part begins with that of its branch.

    Parameters
    ----------
    spec : NetworkSpec

    Attributes
    ----------
    branches : dict of Branch
        By their names.
    head : Dense
    n_outputs : int
        K, the width of the head.
    n_units_of_widest : int
        Units of the widest hidden layer of any branch.
    reads_steps : bool
        Whether the head reads every step's outputs: there is one branch, without a pooling.
    shapes : dict of tuple of int
        Shape of each parameter by its name, in the order of θ.
    n_penalized : int
        ``θ[:n_penalized]`` is under the L2 penalty.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        several = len(spec.branches) > 1
        self.spec = spec
        self.branches = {
            name: Branch(branch, f"{name}." if several else "") for name, branch in spec.branches
        }
        if not 0 < len(self.branches) == len(spec.branches):
            names = [name for name, _ in spec.branches]
            raise ValueError(f"expected at least one branch, each with its own name, got {names}")
        branches = list(self.branches.values())
        without_pooling = [name for name, b in self.branches.items() if b.pooling is None]
        if several and without_pooling:
            raise ValueError(
                "expected a pooling in each of several branches, got None for "
                f"{', '.join(without_pooling)}"
            )
        self.reads_steps = bool(without_pooling)
        self.n_outputs = spec.n_outputs
        self.n_units_of_widest = max(branch.n_units_of_widest for branch in branches)
        self.head = Dense(sum(branch.n_outputs for branch in branches), spec.n_outputs)
        stops = list(accumulate(branch.n_outputs for branch in branches))
        self._columns = [slice(a, b) for a, b in zip([0, *stops[:-1]], stops, strict=True)]

        parts: dict[str, Part[Any] | Pooling] = {}
        embeddings: dict[str, Part[Any] | Pooling] = {}
        for branch in branches:
            parts |= branch.stack.layers
        parts["head"] = self.head
        for branch in branches:
            parts |= branch.pooling_parts
        for branch in branches:
            of_tokens = isinstance(branch.input, Embedding)
            (embeddings if of_tokens else parts).update(branch.input_parts)
        shapes = _shapes_of(parts)
        weights = {name: shape for name, shape in shapes.items() if len(shape) == 2}
        biases = {name: shape for name, shape in shapes.items() if len(shape) == 1}
        self.shapes = weights | biases | _shapes_of(embeddings)
        self.n_penalized = size_of(weights)
        self._parts = parts | embeddings

    @property
    def only_branch(self) -> Branch:
        """The branch of a network that has one."""
        (branch,) = self.branches.values()
        return branch

    def parameters(self, vector: Array) -> Parameters:
        """Return named views into a flat vector."""
        return Parameters(self.shapes, vector)

    def initialize(self, rng: RandomState, dtype: type[np.floating]) -> Array:
        """Draw a start vector θ; the draws do not depend on `dtype`."""
        theta = self.parameters(np.empty(size_of(self.shapes)))
        for name, part in self._parts.items():
            part.initialize(theta.section(name), rng)
        return theta.vector.astype(dtype)

    # --- The part above the poolings -------------------------------------------------------------

    def side_by_side(self, pooled: list[Array]) -> Array:
        """Return the inputs of the head, (N, n), given each branch's share of them."""
        return pooled[0] if len(pooled) == 1 else np.hstack(pooled)

    def by_branch(self, d: Array) -> dict[str, Array]:
        """Return the gradients of each branch's share of the head's inputs, given that of all."""
        return {
            name: d[:, columns] for name, columns in zip(self.branches, self._columns, strict=True)
        }

    def read(
        self, p: Parameters, pooled: Array, dropout: Dropout | None = None
    ) -> tuple[Array, DenseCache]:
        """Return the head's outputs (N, K) for its inputs, and the cache."""
        return self.head.forward(p.section("head"), pooled, dropout)

    def read_backward(self, p: Parameters, d_raw: Array, cache: DenseCache, g: Parameters) -> Array:
        """Return the gradient of the head's inputs; write those of its parameters to g."""
        return self.head.backward(p.section("head"), d_raw, cache, g.section("head"))


def _shapes_of(parts: Mapping[str, Part[Any] | Pooling]) -> Shapes:
    """Return the shapes of all parameters of some parts, by name."""
    return {
        f"{part}.{name}": shape
        for part, layer in parts.items()
        for name, shape in layer.shapes().items()
    }
