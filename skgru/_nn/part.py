"""The contract of the network's parts, and the shared arguments of a pass through them.

A part holds equations, and no numbers: its parameters p come as an argument, by the names that
`shapes` gives. Its forward pass returns the result, and a cache for the backward pass, which takes
the gradient of the result and that cache. Arguments common to a whole pass, or to all parts of a
layer, come as the `run`. Where a result has several arrays, they are a NamedTuple, and so are
their gradients.

Letters: S rows (all steps of all sequences), B sequences, D inputs, H width of the outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from numpy.random import RandomState

from skgru._nn.batch import Array, Batch, Indices
from skgru._nn.dropout import Dropout

Arrays = dict[str, Array]  # by their names
Shapes = dict[str, tuple[int, ...]]


class Run(NamedTuple):
    """The shared arguments of a pass of a batch through a branch.

    Attributes
    ----------
    batch : Batch
    dropout : Dropout or None, default=None
        The dropout, in training.
    states : sequence of ndarray of shape (B, n_states), or None, default=None
        Each layer's state before the first step; None = zeros.
    gaps : ndarray of shape (S, n_gaps) or None, default=None
        Times since each feature was last seen, of each direction side by side: they make the states
        of all layers decay.
    need_cache : bool, default=True
        Whether a backward pass will follow; without, less memory is held.
    need_dx, need_d_gaps : bool, default=True
        Whether the backward pass is to return the gradients of the inputs and of the gaps.
    need_g : bool, default=True
        Whether it is to write those of the parameters; without, layers write none.
    """

    batch: Batch
    dropout: Dropout | None = None
    states: Sequence[Array] | None = None
    gaps: Array | None = None
    need_cache: bool = True
    need_dx: bool = True
    need_d_gaps: bool = True
    need_g: bool = True


class LayerRun(NamedTuple):
    """The shared arguments of a pass of a batch through the parts of one layer.

    Attributes
    ----------
    batch : Batch
    initial : ndarray of shape (B, n_states) or None, default=None
        State before the first step; None = 0.
    mask : ndarray of shape (B, H) or None, default=None
        The factors of h_{t-1} wherever weights follow (dropout); None = 1.
    gaps : ndarray of shape (S, n_gaps) or None, default=None
        Times since each feature was last seen, of which the decay is made.
    decay : ndarray of shape (S, H) or None, default=None
        The factors of the whole state before each step (missing values); None = 1.
    need_cache, need_dx, need_d_gaps, need_g : bool, default=True
        As in `Run`.
    """

    batch: Batch
    initial: Array | None = None
    mask: Array | None = None
    gaps: Array | None = None
    decay: Array | None = None
    need_cache: bool = True
    need_dx: bool = True
    need_d_gaps: bool = True
    need_g: bool = True


class StackInputs(NamedTuple):
    """The inputs of the stack."""

    x: Array  # (S, D)
    gaps: Array | None  # (S, n_gaps)


class StackInputGradients(NamedTuple):
    """Gradients of the inputs of the stack, if asked for."""

    dx: Array | None  # (S, D)
    d_gaps: Array | None  # (S, n_gaps)


class Outputs(NamedTuple):
    """The outputs of a layer or of the stack.

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


class OutputGradients(NamedTuple):
    """Gradients of outputs, of which `dy_last` comes on top of `dy`; None = 0."""

    dy: Array | None  # (S, H)
    dy_last: Array | None  # (B, H)


R = TypeVar("R")  # the run


class Part(ABC, Generic[R]):
    """Equations with parameters: forward, and beside it backward."""

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: zeros, where a part has nothing better."""
        for array in p.values():
            array[...] = 0.0

    @abstractmethod
    def forward(self, p: Arrays, x: Any, run: R) -> tuple[Any, Any]:
        """Return the result for the inputs x, and the cache."""

    @abstractmethod
    def backward(self, p: Arrays, dy: Any, cache: Any, g: Arrays, run: R) -> Any:
        """Return the gradient of x, given that of the result; write the parameters' to g.

        `run` is that of the forward pass, but for the gradients that it asks for.
        """


class InputPart(Part[Run]):
    """The lowest part of a branch: it makes `StackInputs` of the branch's own inputs.

    Attributes
    ----------
    name : str
        Under which its parameters are found.
    is_embedding : bool
        Whether its parameters are vectors of tokens or categories, which are under no penalty.
    n_outputs : int
        D, how many inputs each direction of the stack has at a step.
    n_gaps : int or None
        Of how many features there are times since they were last seen; None = no time is counted.
    needs_dx : bool
        Whether its parameters' gradients need that of its result.
    numbers_per_step : int
        About how many numbers a pass without a cache holds for each step.
    """

    name: ClassVar[str] = "inputs"
    is_embedding: ClassVar[bool] = False
    n_outputs: int
    n_gaps: int | None = None
    needs_dx: bool = False
    numbers_per_step: int

    @property
    @abstractmethod
    def value_columns(self) -> Indices:
        """Which column of its own inputs each number of its result is the value of; -1 = none.

        Two inputs that differ in values alone make results between which all is a straight line.
        """

    def decay_of(self, cache: Any) -> Array | None:
        """Return the share that is left of each value, of each direction side by side, (S, n).

        Parameters
        ----------
        cache
            That of the forward pass.

        Returns
        -------
        ndarray or None
            1 where a value was seen; None = values do not decay.
        """
        return None
