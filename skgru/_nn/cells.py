"""The base of the recurrent cells: start values, the layout of the gates, input products.

Letters, here and in the cells: S rows (all steps of all sequences), B sequences, D inputs, H units,
G gates; ``x`` (S, D) inputs, ``h`` states, ``W`` input weights, ``U`` recurrent weights, ``b``
biases, ``d`` before a name the derivative of the loss with respect to it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch
from skgru._nn.part import Arrays, LayerRun, OutputGradients, Part, Shapes
from skgru._spec import EncoderSpec

# An array as the operand of a small array costs half the time of a Python number.
_HALF = {np.dtype(t): np.array(0.5, t) for t in (np.float32, np.float64)}


def sigmoid_(a: Array) -> None:
    """Replace ``a``, which holds *half* the argument of σ, by σ(2a) = ½ + ½ tanh(a).

    The ½ is folded into the weights; tanh is vectorised and cannot overflow.
    """
    half = _HALF[a.dtype]
    np.tanh(a, a)
    np.multiply(a, half, a)
    np.add(a, half, a)


_STEPS_BETWEEN_LOOKS = 16
# Far above the denormal numbers, and far below any gradient that matters.
_VANISHED = {np.dtype(t): 1e13 * float(np.finfo(t).tiny) for t in (np.float32, np.float64)}


def drop_vanished_(d: Array, t: int) -> None:
    """Set vanished numbers of d (B, H), a gradient on its way back, to zero at step t.

    It would soon be denormal, and processors calculate with denormal numbers many times slower. To
    look at some steps is enough: between them it does not fall so far.
    """
    if t % _STEPS_BETWEEN_LOOKS == 0:
        d[np.abs(d) < _VANISHED[d.dtype]] = 0.0


def glorot_uniform(rng: RandomState, n_in: int, n_out: int) -> Array:
    """Draw an (n_in, n_out) matrix (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_in, n_out))


def orthogonal(rng: RandomState, n: int) -> Array:
    """Draw an (n, n) orthogonal matrix, uniform over the group (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


class Weights(NamedTuple):
    """A cell's weights by gate, the arguments of σ halved for `sigmoid_`."""

    Wb: Array  # (G, D + 1, H): input weights, and the bias as their last row
    U: Array  # (G, H, H)


class Block(NamedTuple):
    """A run of steps whose gates are computed at a time."""

    steps: range
    rows: slice  # of the batch
    kept: slice  # of the arrays for gates, in which only one block lies if there is no cache


class CellOutputs(NamedTuple):
    """The result of a cell.

    Attributes
    ----------
    states : ndarray of shape (B + S, H)
        Initial h, then h after each row's step.
    final : ndarray of shape (B, n_states)
        State after each sequence's last step.
    """

    states: Array
    final: Array


class CellGradients(NamedTuple):
    """Gradients of a cell's inputs, initial states and decay."""

    dx: Array | None  # (S, D), if asked for
    d_initial: Array  # (B, n_states)
    d_decay: Array | None  # (S, H), if there was a decay


class Cell(Part[LayerRun]):
    """A recurrent cell: its equations over an active-prefix batch, forward and backward.

    The gates of all rows lie as (G, S, H), those with a σ first. The state that a sequence carries
    from step to step has `n_states` numbers, of which the first H are the output h.

    Constants of a kind of cell:

    Attributes
    ----------
    n_gates : int
        G.
    sigmoid_gates : tuple of str
        The names of the gates that have a σ, in their order.
    options : tuple of str
        Fields of `EncoderSpec` that its constructor takes, all of them bool.
    may_have_output_gate : bool
        Whether `layers.OutputGate` may stand behind it.
    reads_state : bool
        Whether weights follow a state: dropout of the state has an effect.
    has_fast_path_alone : bool
        Whether it has a `_forward_alone`.
    n_states_per_unit : int
        How many numbers of a unit are carried from step to step.
    n_kept_per_unit : int
        How many numbers of a unit its cache holds of each step beside states and gates.
    """

    n_gates: ClassVar[int]
    sigmoid_gates: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ()
    may_have_output_gate: ClassVar[bool] = True
    reads_state: ClassVar[bool] = True
    has_fast_path_alone: ClassVar[bool] = False
    n_states_per_unit: ClassVar[int] = 1
    n_kept_per_unit: ClassVar[int] = 0

    def __init__(self, n_inputs: int, n_units: int) -> None:
        self.n_inputs = n_inputs
        self.n_units = n_units
        self.n_states = self.n_states_per_unit * n_units

    @classmethod
    def make(cls, n_inputs: int, n_units: int, spec: EncoderSpec) -> Self:
        """Return a cell of the form that a spec asks for."""
        return cls(n_inputs, n_units, **{name: getattr(spec, name) for name in cls.options})

    def numbers_per_step(self, *, need_cache: bool, decays: bool) -> int:
        """Return about how many numbers a pass holds for each step of a sequence.

        Without a cache these are the states, beside them a copy of the outputs where the state is
        no more than they, and if states decay, h as it is left. For a backward pass there are the
        states, those before each step, those that have decayed, and the cache's other arrays.
        """
        if not need_cache:
            return (max(self.n_states_per_unit, 2) + decays) * self.n_units
        n = self.n_states_per_unit * (3 if decays else 2)
        return (n + self.n_gates + self.n_kept_per_unit) * self.n_units

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes; columns are the gates in turn."""
        D, H, G = self.n_inputs, self.n_units, self.n_gates
        return {"input_weights": (D, G * H), "recurrent_weights": (H, G * H), "bias": (G * H,)}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: Glorot input weights, orthogonal recurrent ones, zero biases."""
        D, H, G = self.n_inputs, self.n_units, self.n_gates
        p["input_weights"][...] = np.hstack([glorot_uniform(rng, D, H) for _ in range(G)])
        p["recurrent_weights"][...] = np.hstack([orthogonal(rng, H) for _ in range(G)])
        p["bias"][...] = 0.0

    def forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[CellOutputs, Any]:
        """Run the recurrence over all sequences.

        Parameters
        ----------
        p : dict of ndarray
            Parameters, as `shapes` lists them.
        x : ndarray of shape (S, D)
            Inputs, in the layout of the batch.
        run : LayerRun
            Without a cache, only a block of steps' gates is held at a time.

        Returns
        -------
        outputs : CellOutputs
        cache : NamedTuple or None
            None if none is needed.
        """
        is_alone = run.batch.n_sequences == 1 and run.mask is None and run.decay is None
        if self.has_fast_path_alone and is_alone and not run.need_cache:
            return self._forward_alone(p, x, run), None
        return self._forward(p, x, run)

    @abstractmethod
    def _forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[CellOutputs, Any]:
        """Run the recurrence over any batch; see `forward`."""

    def _forward_alone(self, p: Arrays, x: Array, run: LayerRun) -> CellOutputs:
        """Do the same for a single sequence, without mask, decay and cache."""
        raise NotImplementedError

    @abstractmethod
    def backward(
        self, p: Arrays, dy: OutputGradients, cache: Any, g: Arrays, run: LayerRun
    ) -> CellGradients:
        """Propagate the loss gradient back through all steps.

        Parameters
        ----------
        p : dict of ndarray
            Parameters, as in `forward`.
        dy : OutputGradients
            Gradients of h after each row's step, (S, H), and of each sequence's last h, (B, H).
        cache
            That of the forward pass; it can be used once.
        g : dict of ndarray
            Where the gradients of the parameters are written.
        run : LayerRun
            Its mask and decay are read from the cache.

        Returns
        -------
        CellGradients
        """

    def gates_of(self, cache: Any) -> dict[str, Array]:
        """Return the gates that have a σ, (S, H), by their names.

        Parameters
        ----------
        cache
            That of the forward pass, which has gone through no backward pass.
        """
        return dict(zip(self.sigmoid_gates, cache.gates, strict=False))

    # --- Common to the cells' passes --------------------------------------------------------------

    def _by_gate(self, weights: Array) -> Array:
        """Return an (n, G · H) matrix as a view of shape (G, n, H), a matrix for each gate."""
        return weights.reshape(len(weights), self.n_gates, -1).transpose(1, 0, 2)

    def _weights(self, p: dict[str, Array]) -> Weights:
        """Return the weights for the forward pass."""
        return Weights(self._input_weights(p), self._halved(p["recurrent_weights"]))

    def _input_weights(self, p: dict[str, Array]) -> Array:
        """Return the input weights for the forward pass, and the bias as their last row."""
        return self._halved(np.vstack([p["input_weights"], p["bias"]]))

    def _halved(self, weights: Array) -> Array:
        """Return weights by gate, (G, n, H), those of the arguments of σ halved; see `sigmoid_`."""
        half = np.ones((self.n_gates, 1, 1), weights.dtype)
        half[: len(self.sigmoid_gates)] = 0.5
        by_gate: Array = np.multiply(self._by_gate(weights), half, order="C")
        return by_gate

    def _gate_arrays(self, batch: Batch, dtype: np.dtype, need_cache: bool) -> tuple[Array, Array]:
        """Return arrays for inputs with ones, (n, D + 1), and for gates, (G, n, H).

        n is S if there is to be a cache, else the number of rows of the largest block.
        """
        n = batch.n_rows if need_cache else batch.most_rows(self.n_units)
        x1 = batch.empty((n, self.n_inputs + 1), dtype)
        x1[:, -1] = 1
        return x1, batch.empty((self.n_gates, n, self.n_units), dtype)

    def _blocks(
        self, x: Array, batch: Batch, Wb: Array, x1: Array, gates: Array
    ) -> Iterator[Block]:
        """Yield blocks of steps, the inputs' share of their gates' arguments in place."""
        has_all = len(x1) == batch.n_rows
        for steps, rows in batch.blocks(self.n_units):
            kept = rows if has_all else slice(0, rows.stop - rows.start)
            x1[kept, :-1] = x[rows]
            np.matmul(x1[kept], Wb, out=gates[:, kept])
            yield Block(steps, rows, kept)

    def _recurrent_inputs(self, h: Array, mask: Array | None, batch: Batch) -> Array:
        """Return the recurrent weights' inputs: the states before each step, masked, (S, H)."""
        return h if mask is None else h * mask[batch.sequence_of_row()]

    def _decayed_states(self, decay: Array | None, batch: Batch, dtype: np.dtype) -> Array:
        """Return room for the decayed states before each step, (S, H); none without decay."""
        return batch.empty((0 if decay is None else batch.n_rows, self.n_units), dtype)

    def _input_gradients(
        self, p: dict[str, Array], x1: Array, d_gates: Array, g: dict[str, Array], run: LayerRun
    ) -> Array | None:
        """Write the gradients of input weights and bias; return that of the inputs; if needed."""
        if run.need_g:
            d_Wb = np.matmul(x1.T, d_gates)  # (G, D + 1, H)
            self._by_gate(g["input_weights"])[...] = d_Wb[:, :-1]
            g["bias"].reshape(self.n_gates, -1)[...] = d_Wb[:, -1]
        if not run.need_dx:
            return None
        W = self._by_gate(p["input_weights"])
        dx: Array = d_gates[0] @ W[0].T
        for d_gate, W_gate in zip(d_gates[1:], W[1:], strict=True):
            dx += d_gate @ W_gate.T
        return dx
