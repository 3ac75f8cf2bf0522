"""The training loss as a function of the parameters, with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skgru._budget import chunks, shards
from skgru._data.steps import StepsOfSamples
from skgru._engine.loss import Loss
from skgru._nn.batch import ArenaPool, Array, Indices, Piece
from skgru._nn.chain import ChainInputs
from skgru._nn.dropout import DropoutRates, FusionRates, NetworkDropout
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.pieces import loss_and_gradient


class Examples(NamedTuple):
    """The samples that the loss is averaged over.

    Attributes
    ----------
    steps : dict of Steps
        Of the sequences of each branch.
    targets : ndarray of shape (n, K) or (n,), or of all steps without a pooling
        As the loss wants them: numbers, or indices of classes.
    weights : ndarray of shape (n,) or (total steps,)
        Weight of each sample's loss; only ratios matter. A sample is a sequence, or without a
        pooling a step.
    samples_per_sequence : float
        The mean sample weight, as the number of samples that a sequence stands for: it makes a
        weight of two the same as two copies.
    """

    steps: dict[str, StepsOfSamples]
    targets: NDArray[Any]
    weights: Array
    samples_per_sequence: float = 1.0


class Terms(NamedTuple):
    """The terms of the objective beside the loss.

    Attributes
    ----------
    alpha : float
        Strength of the L2 penalty.
    bptt_steps : int or None
        Over how many steps the gradient reaches back; None = all.
    dropout : tuple of DropoutRates
        Of each branch; empty = none.
    fusion_dropout : FusionRates
    """

    alpha: float = 0.0
    bptt_steps: int | None = None
    dropout: tuple[DropoutRates, ...] = ()
    fusion_dropout: FusionRates = FusionRates()


class Objective:
    """The training loss as a function of θ.

    It is the weighted mean of the samples' losses, plus ½ · alpha · ‖weight matrices‖² divided by
    the number of samples, as in scikit-learn's multi-layer perceptron.

    Parameters
    ----------
    network : Network
    loss : Loss
    examples : Examples
    theta : ndarray
        Where to evaluate; changed in place by the optimizers.
    terms : Terms
    map_ : callable, default=map
        Runs the shards of a batch, maybe on threads.

    Attributes
    ----------
    silent : collection of str
        Branches that are not run: their outputs are zeros. None at the start.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        examples: Examples,
        theta: Array,
        terms: Terms,
        map_: Callable[..., Any] = map,
    ) -> None:
        self.network = network
        self.loss = loss
        self.parameters = network.parameters(theta)
        targets, weights = examples.targets, examples.weights
        is_index = targets.dtype.kind == "i"
        self.targets = targets if is_index else targets.astype(theta.dtype, copy=False)
        self.weights = (weights / weights.mean()).astype(theta.dtype)
        self._steps = examples.steps
        self._samples_per_sequence = examples.samples_per_sequence
        (first, *_) = examples.steps.values()
        self.n_sequences = first.n_sequences
        self._targets_per_sequence = len(targets) / self.n_sequences
        self._terms = terms
        self._has_dropout = any(map(any, (*terms.dropout, terms.fusion_dropout)))
        self._map = map_
        self.silent: Collection[str] = ()
        self._arenas = ArenaPool(examples.steps)
        self._gradients = [self._new_gradients()]  # of each shard; their sum comes to the first

    @property
    def theta(self) -> Array:
        """The parameters, (P,)."""
        return self.parameters.vector

    @property
    def lengths(self) -> Indices:
        """The steps of each sample, of all branches, as they are patched in this epoch, (n,)."""
        return _total([steps.lengths for steps in self._steps.values()])

    @property
    def steps_with_targets(self) -> Indices | None:
        """How many steps of each sample have a target of their own, (n,), if steps have one."""
        name = self.network.step_branch
        return None if name is None else self._steps[name].lengths

    def begin_epoch(self, rng: RandomState) -> None:
        """Patch the steps elsewhere, if their patches move."""
        self._steps = {name: steps.of_epoch(rng) for name, steps in self._steps.items()}

    def at_batch(self, indices: Indices, rng: RandomState) -> tuple[float, Array]:
        """Return the loss over some sequences and its gradient, which the next call reuses.

        `rng` draws the dropout.
        """
        seed = int(rng.randint(2**31 - 1)) if self._has_dropout else None
        value = self._data_loss(indices, len(indices), seed)
        gradient = self._gradient
        value += self._add_penalty(gradient, len(indices))
        return value, gradient

    def at_all(self) -> tuple[float, Array]:
        """Return the loss over all sequences and its gradient."""
        value = 0.0
        total = np.zeros_like(self.theta)
        for indices in chunks(_total([self._sizes(name) for name in self._steps])):
            value += self._data_loss(indices, self.n_sequences)
            total += self._gradient
        value += self._add_penalty(total, self.n_sequences)
        return value, total

    def lowest(self, n: int) -> float:
        """Return the loss of a batch of n sequences without any error."""
        return self.loss.lowest + self._penalty(n)[0]

    def _lengths_of(self, indices: Indices) -> Indices:
        """Return the steps of some samples, of all branches."""
        return _total([steps.lengths_of(indices) for steps in self._steps.values()])

    def _sizes(self, name: str) -> Indices:
        """Return how many numbers a pass holds for each sample in a branch, (n,)."""
        lengths = self._steps[name].lengths
        if self._terms.bptt_steps:
            lengths = np.minimum(lengths, self._terms.bptt_steps)
        sizes: Indices = lengths * self.network.branches[name].numbers_per_step
        return sizes

    @property
    def _gradient(self) -> Array:
        return self._gradients[0].vector

    def _new_gradients(self) -> Parameters:
        return self.network.parameters(np.empty_like(self.theta))

    def _data_loss(self, indices: Indices, n: int, seed: int | None = None) -> float:
        """Return the weighted losses of some sequences, divided by n; leave their gradient."""
        parts = shards(indices, self._lengths_of, self.network.n_units_of_widest)
        while len(self._gradients) < len(parts):
            self._gradients.append(self._new_gradients())
        n_targets = n * self._targets_per_sequence
        seeds = [None if seed is None else (seed, i) for i in range(len(parts))]
        losses = list(
            self._map(self._shard_loss, parts, [n_targets] * len(parts), seeds, self._gradients)
        )
        for gradients in self._gradients[1 : len(parts)]:
            self._gradient[...] += gradients.vector
        return float(sum(losses))

    def _shard_loss(
        self, indices: Indices, n: float, seed: tuple[int, ...] | None, gradients: Parameters
    ) -> float:
        """Return the loss of one shard, and write its gradient."""
        n_steps = self._terms.bptt_steps
        lengths = [steps.lengths_of(indices) for steps in self._steps.values()]
        if n_steps is None or max(of_branch.max() for of_branch in lengths) <= n_steps:
            # In the order of the first branch's batch, so that nothing has to be sorted back.
            n_steps = None
            indices = indices[np.argsort(-lengths[0], kind="stable")]

        def loss_of(raw: Array, piece: Piece | None) -> tuple[float, Array]:
            if self.network.chain and piece:
                return self._loss_of_chain(raw, piece, n, gradients)
            return self._loss_of(raw, indices if piece is None else piece.rows, n)

        dropout = None
        if seed is not None:
            terms = self._terms
            dropout = NetworkDropout(terms.dropout, terms.fusion_dropout, seed, len(indices))
        # NumPy's reaction to an overflow is a setting of each thread.
        with self._arenas.lend() as arenas, np.errstate(over="ignore", invalid="ignore"):
            pieces = {
                name: steps.pieces(indices, n_steps, arenas[name])
                for name, steps in self._steps.items()
            }
            return loss_and_gradient(
                self.network, self.parameters, pieces, loss_of, gradients, dropout, self.silent
            )

    def _loss_of(self, raw: Array, indices: Any, n: float) -> tuple[float, Array]:
        """Return the weighted losses of raw outputs, divided by n, and their gradient.

        `indices` says which sequences, or without a pooling which steps, the outputs belong to.
        """
        losses, d_raw = self.loss.loss_and_gradient(raw, self.targets[indices])
        weights = self.weights[indices] / n
        d_raw *= weights[:, None]
        return float(losses @ weights), d_raw

    def _loss_of_chain(
        self, raw: Array, piece: Piece, n: float, gradients: Parameters
    ) -> tuple[float, Array]:
        """Return the weighted losses of whole sequences, divided by n, and their gradient.

        Those of the parameters of the chain are written.
        """
        chain, batch = self.network.chain, piece.batch
        assert chain
        p, g = self.parameters.section("chain"), gradients.section("chain")
        x = ChainInputs(raw, self.targets[piece.rows], self.weights[piece.rows] / n)
        losses, cache = chain.forward(p, x, batch)
        d_raw = chain.backward(p, np.ones(batch.n_sequences), cache, g, batch)
        return float(losses.sum()), d_raw

    def _add_penalty(self, gradient: Array, n: int) -> float:
        """Return the L2 penalty and add its derivative to the gradient."""
        penalty, derivative = self._penalty(n)
        gradient[: self.network.n_penalized] += derivative
        return penalty

    def _penalty(self, n: int) -> tuple[float, Array | float]:
        """Return the L2 penalty and its derivative with respect to the weights."""
        alpha = self._terms.alpha
        if not alpha:
            return 0.0, 0.0
        weights = self.theta[: self.network.n_penalized]
        strength = alpha / (n * self._samples_per_sequence)
        return 0.5 * strength * float(weights @ weights), strength * weights


def _total(arrays: list[Indices]) -> Indices:
    """Return the sum of the branches' arrays."""
    return reduce(np.add, arrays)
