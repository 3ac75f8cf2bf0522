"""The whole network: branches → fusion of their pooled outputs → dense head.

Its passes over sequences, whole or in pieces, are in `pieces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Indices
from skgru._nn.branch import Branch
from skgru._nn.chain import Chain
from skgru._nn.fusion import Fusion
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.part import Part, Shapes
from skgru._nn.pooling import Pooling
from skgru._spec import FusionSpec, NetworkSpec


class Network:
    """Branches and their wiring; the numbers live in `Parameters`.

    In the flat vector θ lie the matrices of the hidden layers of all branches, of the fusion and
    the head, of the poolings and of the inputs; then their vectors, in the same order; then the
    chain and the embeddings. With several branches, or a fusion that does more than to lay outputs
    side by side, the name of a part begins with that of its branch, if it has one.

    Parameters
    ----------
    spec : NetworkSpec

    Attributes
    ----------
    branches : dict of Branch
        By their names.
    fusion : Fusion
    n_outputs : int
        K, the width of the head.
    n_units_of_widest : int
        Units of the widest hidden layer of any branch.
    step_branches : tuple of str
        The branches every step of which the head reads: they have no pooling.
    chain : Chain or None
        Its part above the raw outputs, if the tags of a sequence's steps are decided together.
    shapes : dict of tuple of int
        Shape of each parameter by its name, in the order of θ.
    n_penalized : int
        ``θ[:n_penalized]`` is under the L2 penalty.
    n_moving : int
        What follows ``θ[:n_moving]`` is frozen.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        is_plain = len(spec.branches) == 1 and spec.fusion == FusionSpec()
        self.spec = spec
        self.branches = {
            name: Branch(branch, f"{name}." if name and not is_plain else "", spec.n_outputs)
            for name, branch in spec.branches
        }
        if not 0 < len(self.branches) == len(spec.branches):
            names = [name for name, _ in spec.branches]
            raise ValueError(f"expected at least one branch, each with its own name, got {names}")
        branches = list(self.branches.values())
        self.step_branches = tuple(n for n, b in self.branches.items() if b.pooling is None)
        self.n_outputs = spec.n_outputs
        self.n_units_of_widest = max(branch.n_units_of_widest for branch in branches)
        widths = {name: branch.n_outputs for name, branch in self.branches.items()}
        wide = {name for name, branch in spec.branches if branch.is_wide}
        self.fusion = Fusion(widths, wide, spec.fusion, spec.n_outputs)
        self.chain = Chain(spec.n_outputs) if spec.chain else None

        parts: dict[str, Part[Any] | Pooling] = {}
        free: dict[str, Part[Any] | Pooling] = {}  # of the penalty
        for branch in branches:
            parts |= branch.stack.layers
        parts |= self.fusion.parts
        if self.chain:
            free["chain"] = self.chain
        for branch in branches:
            parts |= branch.pooling_parts
            free |= branch.fixed_parts
        for branch in branches:
            (free if branch.input.is_embedding else parts).update(branch.input_parts)
        shapes = _shapes_of(parts)
        weights = {name: shape for name, shape in shapes.items() if len(shape) == 2}
        biases = {name: shape for name, shape in shapes.items() if len(shape) == 1}
        self.shapes = weights | biases | _shapes_of(free)
        self.n_penalized = size_of(weights)
        self._parts = parts | free
        self.n_moving = size_of(self.shapes) - size_of(self._last_frozen())

    def _last_frozen(self) -> Shapes:
        """Return the shapes of the frozen parameters that nothing but others of them follows."""
        frozen = {
            f"{branch.prefix}{branch.input.name}"
            for branch in self.branches.values()
            if branch.spec.input.freeze_embedding
        }
        names = reversed(self.shapes)
        last = takewhile(lambda name: name.rpartition(".")[0] in frozen, names)
        return {name: self.shapes[name] for name in last}

    @property
    def reads_steps(self) -> bool:
        """Whether the head reads every step's outputs of a branch."""
        return bool(self.step_branches)

    @property
    def step_branch(self) -> str | None:
        """The first of `step_branches`, whose steps speak for those of all; None = no branch."""
        return next(iter(self.step_branches), None)

    @property
    def only_branch(self) -> Branch:
        """The branch of a network that has one."""
        (branch,) = self.branches.values()
        return branch

    def above_inputs(self) -> Network:
        """Return the same network without its input parts, which has the same parameters.

        Its branches are given what `Branch.read` returns.
        """
        above = copy(self)
        above.branches = {name: branch.above_input() for name, branch in self.branches.items()}
        return above

    def parameters(self, vector: Array) -> Parameters:
        """Return named views into a flat vector."""
        return Parameters(self.shapes, vector)

    def indices_of(self, name: str) -> Indices:
        """Return where the parameters of a branch lie in θ, in order; not what is above it."""
        places = self.parameters(np.arange(size_of(self.shapes), dtype=np.float64))
        branch = self.branches[name]
        own = {
            *branch.stack.layers,
            *branch.pooling_parts,
            *branch.input_parts,
            *branch.fixed_parts,
        }
        found = [places[n].ravel() for n in self.shapes if n.rpartition(".")[0] in own]
        indices: Indices = np.sort(np.concatenate([np.empty(0), *found])).astype(np.intp)
        return indices

    def initialize(self, rng: RandomState, dtype: type[np.floating]) -> Array:
        """Draw a start vector θ; the draws do not depend on `dtype`."""
        theta = self.parameters(np.empty(size_of(self.shapes)))
        for name, part in self._parts.items():
            part.initialize(theta.section(name), rng)
        return theta.vector.astype(dtype)


def _shapes_of(parts: Mapping[str, Part[Any] | Pooling]) -> Shapes:
    """Return the shapes of all parameters of some parts, by name."""
    return {
        f"{part}.{name}": shape
        for part, layer in parts.items()
        for name, shape in layer.shapes().items()
    }
