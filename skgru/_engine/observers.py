"""Observers of the training: its history, its end, the best weights.

An observer hears of the start, of every epoch and batch, and of the end; it may end the training
after an epoch. Some come from outside, with the request of a fit: they hear last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from skgru._nn.batch import Array


@dataclass
class State:
    """The state of the training, as observers are told it.

    Attributes
    ----------
    theta : ndarray
        The parameters, which the training goes on to change.
    n_epochs : int
        As many epochs as there will be at most.
    n_batches : int
        Batches of an epoch.
    epoch : int
        The epoch that runs or has just ended, from 1 on.
    batch : int
        The batch of it that has just ended, from 1 on.
    loss : float
        Of the batch; after an epoch, the mean over its sequences.
    n_sequences : int
        As many sequences as an epoch goes through.
    score : float or None
        The validation score after the epoch.
    validation_loss : float or None
        The validation loss after the epoch.
    learning_rate : float or None
        Of the last update; None where there is none.
    n_trained : int
        As many epochs as have ended, over all calls.
    """

    theta: Array
    n_epochs: int
    n_batches: int
    n_sequences: int
    epoch: int = 0
    batch: int = 0
    loss: float = np.nan
    score: float | None = None
    validation_loss: float | None = None
    learning_rate: float | None = None
    n_trained: int = 0


Now = Callable[[], Any]


class Observer:
    """An observer that does nothing: observers override the events that they care for.

    Attributes
    ----------
    outcome : str
        That of a training that it ends.
    """

    outcome: str = "converged"

    def on_begin(self, n_epochs: int, n_batches: int, now: Now) -> None:
        """Hear of the start.

        Parameters
        ----------
        n_epochs : int
            As many epochs as there will be at most.
        n_batches : int
            Batches of an epoch.
        now : callable
            Returns, at any time of the training, the `Fitted` of a fit that ended there. It shares
            no array with the training, which goes on untouched.
        """

    def on_epoch_begin(self, state: State) -> None:
        """Hear of the start of an epoch."""

    def on_batch(self, state: State) -> None:
        """Hear of an update."""

    def on_epoch(self, state: State) -> bool:
        """Hear of an epoch; return whether the training is to end."""
        return False

    def on_end(self, outcome: str) -> None:
        """Hear of the end: "converged", "max_iter", "stopped", "interrupted" or "diverged"."""


class Observers(Observer):
    """Several observers, which hear of everything in their order.

    Parameters
    ----------
    observers : iterable of Observer
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)
        # Most do not care for batches, of which there are many.
        self._of_batches = [observer for observer in self._observers if _hears_of_batches(observer)]
        self.outcome = Observer.outcome

    def on_begin(self, n_epochs: int, n_batches: int, now: Now) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.on_begin(n_epochs, n_batches, now)

    def on_epoch_begin(self, state: State) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.on_epoch_begin(state)

    def on_batch(self, state: State) -> None:
        """Tell those that hear of batches."""
        for observer in self._of_batches:
            observer.on_batch(state)

    def on_epoch(self, state: State) -> bool:
        """Tell all; return whether any ends the training: the outcome is the first one's."""
        ending = [observer for observer in self._observers if observer.on_epoch(state)]
        if ending:
            self.outcome = ending[0].outcome
        return bool(ending)

    def on_end(self, outcome: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.on_end(outcome)


def _hears_of_batches(observer: Observer) -> bool:
    return type(observer).on_batch is not Observer.on_batch


@dataclass
class History(Observer):
    """The history of the training; the estimators show it as fitted attributes.

    Attributes
    ----------
    n_iter : int
        Finished epochs (L-BFGS: iterations) of the latest call.
    t : int
        Sequences gone through, over all calls.
    loss : float
        Training loss of the last epoch.
    loss_curve, validation_scores, validation_losses : list of float
        One entry per epoch, over all calls.
    best_loss, best_validation_score : float
    """

    n_iter: int = 0
    t: int = 0
    loss: float = np.inf
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_validation_score: float = -np.inf

    def copy(self) -> History:
        """Return the history so far, which stays as it is when this one goes on."""
        return replace(
            self,
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            validation_losses=list(self.validation_losses),
        )

    def on_epoch(self, state: State) -> bool:
        """Record the epoch; tell those that hear of it next how many there were."""
        self.n_iter = state.epoch
        self.t += state.n_sequences
        self.loss = state.loss
        self.loss_curve.append(state.loss)
        state.n_trained = len(self.loss_curve)
        self.best_loss = min(state.loss, self.best_loss)
        if state.validation_loss is not None:
            self.validation_losses.append(state.validation_loss)
        if state.score is not None:
            self.validation_scores.append(state.score)
            if state.score >= self.best_validation_score:
                self.best_validation_score = state.score
        return False


class Validated(NamedTuple):
    """The loss and the score of the validation set."""

    loss: float
    score: float


class Validation(Observer):
    """Evaluates the validation set after each epoch, for those that hear of it next.

    Parameters
    ----------
    validate : callable
        Returns loss and score at the current parameters.
    """

    def __init__(self, validate: Callable[[], Validated]) -> None:
        self._validate = validate

    def on_epoch(self, state: State) -> bool:
        """Add loss and score to the state."""
        state.validation_loss, state.score = self._validate()
        return False


class BestWeights(Observer):
    """Keeps the weights of the best validation score, of equal ones the last, and restores them.

    Parameters
    ----------
    history : History
        Of the epochs before, also of earlier calls: it hears of an epoch later.
    theta : ndarray
        The parameters that the training changes.
    """

    def __init__(self, history: History, theta: Array) -> None:
        self._history = history
        self._theta = theta
        self._best = theta.copy()
        self._has_epoch = False

    def go_on(self, best: Array) -> None:
        """Go on with the best weights of the epochs before."""
        self._best[:] = best
        self._has_epoch = True

    @property
    def best(self) -> Array:
        """The weights that a training has that ends now."""
        return self._best if self._has_epoch else self._theta

    def on_epoch(self, state: State) -> bool:
        """Keep the weights, if no score so far is better.

        A score that is NaN is better than none only: else a training without a number would end
        with the weights that it began with.
        """
        self._has_epoch = True
        best = self._history.best_validation_score
        if state.score is not None and (state.score >= best or best == -np.inf):
            self._best[:] = state.theta
        return False

    def on_end(self, outcome: str) -> None:
        """Restore the best weights; after a loss that was not finite, leave them."""
        if outcome != "diverged":
            self._theta[:] = self.best


class Patience(Observer):
    """Ends the training that no longer gains.

    Parameters
    ----------
    gains : callable
        Given the state after an epoch, returns whether that epoch has gained. It is asked before
        the history hears of the epoch.
    n_iter_no_change : float
        As many epochs in a row may bring no gain.
    stalled : callable
        Called when patience has run out; returns whether the training is to end, or else patience
        starts anew.

    Attributes
    ----------
    n_without_gain : int
        Epochs in a row so far.
    is_over : bool
        Whether it has ended the training.
    """

    def __init__(
        self,
        gains: Callable[[State], bool],
        n_iter_no_change: float,
        stalled: Callable[[], bool],
    ) -> None:
        self._gains = gains
        self._n_iter_no_change = n_iter_no_change
        self._stalled = stalled
        self.n_without_gain = 0
        self.is_over = False

    def on_epoch(self, state: State) -> bool:
        """Count the epoch; return whether patience has run out for good."""
        self.n_without_gain = 0 if self._gains(state) else self.n_without_gain + 1
        if self.n_without_gain <= self._n_iter_no_change:
            return False
        self.n_without_gain = 0
        self.is_over = self._stalled()
        return self.is_over
