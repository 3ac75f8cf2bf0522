"""Epochs of a first-order optimizer, as a generator."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from skgru._engine.batches import Order
from skgru._engine.objective import Objective
from skgru._engine.observers import Observer, State
from skgru._nn.batch import Array, Indices
from skgru._nn.optimizers import Optimizer, clip_norm
from skgru._nn.schedules import Schedule


class Diverged(ArithmeticError):
    """The loss or the parameters are no longer finite."""


@dataclass
class Group:
    """Parameters that are updated together.

    Attributes
    ----------
    optimizer : Optimizer
        Of these parameters.
    indices : ndarray or None, default=None
        Where they lie in θ; None = all of it.
    first : int, default=0
        Updates before theirs begin.
    branch : str or None, default=None
        The branch that is silent before, if they are those of one.
    """

    optimizer: Optimizer
    indices: Indices | None = None
    first: int = 0
    branch: str | None = None

    def step(self, theta: Array, gradient: Array, rate: float) -> None:
        """Update them in place."""
        if self.indices is None:
            self.optimizer.step(theta, gradient, rate)
            return
        own = theta[self.indices]
        self.optimizer.step(own, gradient[self.indices], rate)
        theta[self.indices] = own


@dataclass
class Descent:
    """The updates: how each of them follows from a gradient.

    Attributes
    ----------
    groups : list of Group
        Of parameters: together all of them.
    schedule : Schedule
    max_grad_norm : float or None
    n_updates : int
        Updates done so far, of those that the schedule is spread over.
    n_planned : int
        As many as it is spread over.
    n_seen : int
        Sequences that the finished epochs have gone through.
    """

    groups: list[Group]
    schedule: Schedule
    max_grad_norm: float | None
    n_updates: int
    n_planned: int
    n_seen: int

    @property
    def silent(self) -> set[str]:
        """The branches whose updates have not begun."""
        return {g.branch for g in self.groups if g.branch and g.first > self.n_updates}

    def step(self, theta: Array, gradient: Array) -> float:
        """Update θ in place; return the learning rate of the first group.

        The schedule of each group is spread over the updates of its own.
        """
        rates = []
        if self.max_grad_norm is not None:
            clip_norm(gradient, self.max_grad_norm)
        for group in self.groups:
            if self.n_updates >= group.first:
                done, planned = self.n_updates - group.first, self.n_planned - group.first
                rate = self.schedule.rate((done + 0.5) / planned, self.n_seen)
                group.step(theta, gradient, rate)
                rates.append(rate)
        self.n_updates += 1
        return rates[0]


def epochs(
    objective: Objective,
    order: Order,
    descent: Descent,
    n_epochs: int,
    rng: RandomState,
    observers: Observer,
    n_done: int = 0,
) -> Generator[State, None, None]:
    """Train epoch by epoch; the θ of the objective changes in place.

    When the training ends, by whatever, a θ that is not finite is set back to that after the last
    whole epoch.

    Parameters
    ----------
    objective : Objective
    order : Order
        Of the sequences of an epoch.
    descent : Descent
    n_epochs : int
        As many as there are at most.
    rng : RandomState
        Moves the patches, draws the order, and the dropout.
    observers : Observer
        Hear of the start of each epoch, and of each update; of the end of an epoch, `run` tells.
    n_done : int, default=0
        As many of them were done before.

    Yields
    ------
    State
        After each epoch; the same object each time.

    Raises
    ------
    Diverged
        If the loss of an epoch, or θ after it, is not finite.
    """
    theta, n = objective.theta, objective.n_sequences
    last_finite = theta.copy()
    state = State(theta, n_epochs, order.n_batches(n), n)
    try:
        for state.epoch in range(n_done + 1, n_epochs + 1):
            total, state.score, state.validation_loss = 0.0, None, None
            observers.on_epoch_begin(state)
            objective.begin_epoch(rng)
            objective.silent = descent.silent
            for state.batch, indices in enumerate(order.batches(objective.lengths, rng), 1):
                state.loss, gradient = objective.at_batch(indices, rng)
                state.learning_rate = descent.step(theta, gradient)
                total += state.loss * len(indices)
                observers.on_batch(state)
            if not (np.isfinite(total) and np.isfinite(theta).all()):
                theta[:] = last_finite
                raise Diverged
            last_finite[:] = theta
            state.loss = total / n
            descent.n_seen += n
            yield state
    finally:
        if not np.isfinite(theta).all():
            theta[:] = last_finite


def run(states: Generator[State, None, None], observers: Observer) -> str:
    """Let observers hear of epochs until the last one, or until one of them ends the training.

    Returns
    -------
    outcome : {"converged", "max_iter", "stopped", "interrupted", "diverged"}
    """
    outcome = "max_iter"
    try:
        with closing(states):
            for state in states:
                if observers.on_epoch(state):
                    outcome = observers.outcome
                    break
    except KeyboardInterrupt:
        outcome = "interrupted"
    except Diverged:
        outcome = "diverged"
    observers.on_end(outcome)
    return outcome
