"""The solvers, set up by the parameters: Adam, stochastic gradient descent, L-BFGS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._defaults import Plan
from skgru._engine import lbfgs
from skgru._engine.batches import Order, variance_explained_by_length
from skgru._engine.epochs import Descent, Group, epochs, run
from skgru._engine.objective import Objective
from skgru._engine.observers import (
    BestWeights,
    History,
    Observer,
    Observers,
    Patience,
    State,
    Validated,
    Validation,
)
from skgru._nn.batch import Array, Indices
from skgru._nn.optimizers import OPTIMIZERS
from skgru._nn.schedules import SCHEDULES, Constant
from skgru._settings import Settings
from skgru._warnings import warn

# Of the targets' variance, where group_by_length="auto".
_MAX_EXPLAINED_BY_LENGTH = 0.05
# Of the epochs of a planned schedule, early stopping waits at least this share for a better score:
# the scores at the high rates in their midst say little of the end.
_PATIENCE_OF_PLANNED = 0.2

OptimizerStates = dict[str, dict[str, Array]]  # by the name of the solver
# A training between two epochs as plain values, from which it goes on as if it had not ended.
Progress = dict[str, Any]


class Session(NamedTuple):
    """One call's training.

    Attributes
    ----------
    settings : Settings
    plan : Plan
    history : History
        So far, over all calls; it goes on.
    validate : callable or None
        Returns the validation loss and score at the current parameters.
    optimizer_states : dict
        Of the calls before, by the name of the solver.
    rng : RandomState
    observers : tuple of Observer
        From outside.
    fitted : callable
        Given θ and a solution, returns the `Fitted` of a training that ends so, without an array
        of the training.
    progress : Progress or None
        Of the training to go on with; None = it is a new one.
    """

    settings: Settings
    plan: Plan
    history: History
    validate: Callable[[], Validated] | None
    optimizer_states: OptimizerStates
    rng: RandomState
    observers: tuple[Observer, ...]
    fitted: Callable[[Array, Solution], Any]
    progress: Progress | None


class Solution(NamedTuple):
    """The result of a solver, beside the parameters and the history.

    Attributes
    ----------
    outcome : {"converged", "max_iter", "stopped", "interrupted", "diverged"}
        "max_iter" too of one that goes on.
    optimizer_states : dict
        To go on from, by the name of the solver.
    group_by_length : bool
        Whether batches held sequences of similar length.
    progress : Progress or None, default=None
        Of a training that has epochs to come.
    """

    outcome: str
    optimizer_states: OptimizerStates
    group_by_length: bool
    progress: Progress | None = None


class Solver(ABC):
    """A way to find the parameters of the network."""

    is_stochastic: ClassVar[bool]
    parameters: tuple[str, ...]  # of the estimators, that not every solver has

    @abstractmethod
    def solve(self, objective: Objective, session: Session) -> Solution:
        """Change the θ of the objective, and the history, in place."""


# Those of the updates and of the epochs that they make up.
_OF_UPDATES = (
    "batch_size",
    "learning_rate",
    "learning_rate_init",
    "power_t",
    "warmup_fraction",
    "shuffle",
    "shift_patches",
    "validation_fraction",
    "n_iter_no_change",
    "max_grad_norm",
    "early_stopping",
    "group_by_length",
)


class FirstOrder(Solver):
    """Epochs of updates by an optimizer.

    Parameters
    ----------
    name : str
        Of the optimizer.
    """

    is_stochastic = True

    def __init__(self, name: str) -> None:
        self._name = name
        self._optimizer = OPTIMIZERS[name]
        self.parameters = (*_OF_UPDATES, *self._optimizer.parameters)

    def solve(self, objective: Objective, session: Session) -> Solution:
        """Train as many epochs as are planned, or one of them."""
        settings, plan, history = session.settings, session.plan, session.history
        n = objective.n_sequences
        order = Order(
            _clip_batch_size(settings, plan.batch_size, n),
            settings.shuffle,
            _groups_by_length(settings, objective),
        )
        progress, n_batches = session.progress, order.n_batches(n)
        history.n_iter = progress["n_epochs"] if progress else 0
        n_done = len(history.loss_curve) if plan.incremental else history.n_iter
        groups = self._make_groups(objective, session, n_batches)
        schedule = _make_schedule(settings, plan, n_done)
        vars(schedule).update(progress["schedule"] if progress else {})
        descent = Descent(
            groups,
            schedule,
            settings.max_grad_norm,
            n_updates=n_batches * n_done,
            n_planned=n_batches * plan.max_iter,
            n_seen=history.t,
        )
        patience = Patience(
            _gains(objective, session, descent, order.batch_size),
            patience_of(settings.n_iter_no_change, settings, plan),
            descent.schedule.stalled,
        )
        best = BestWeights(history, objective.theta) if plan.early_stopping else None
        observers = _observers(session, [patience, best] if best else [patience])
        n_epochs = 1 if plan.incremental else plan.max_iter
        if progress:
            patience.n_without_gain = progress["n_without_gain"]
            if best and progress["best"] is not None:
                best.go_on(progress["best"])

        def now() -> Any:
            states = [_copied(group.optimizer.state) for group in groups]
            kept, progress = {}, None
            if plan.incremental:
                kept = {self._name: states[0]}
            elif (
                history.n_iter < n_epochs
                and descent.n_updates == n_batches * history.n_iter  # between two epochs
                and not patience.is_over
            ):
                progress = {
                    "solver": self._name,
                    "theta": objective.theta.copy(),
                    "optimizers": states,
                    "schedule": {name: getattr(schedule, name) for name in schedule.changing},
                    "n_epochs": history.n_iter,
                    "n_without_gain": patience.n_without_gain,
                    "best": best.best.copy() if best and history.n_iter else None,
                    "rng": session.rng.get_state(legacy=False),
                }
            theta = best.best if best else objective.theta
            solution = Solution("max_iter", kept, order.group_by_length, progress)
            return session.fitted(theta, solution)

        observers.on_begin(n_epochs, n_batches, now)
        n_done = 0 if plan.incremental else history.n_iter
        states = epochs(objective, order, descent, n_epochs, session.rng, observers, n_done)
        outcome = run(states, observers)
        for name in objective.silent:  # interrupted, or no longer finite, before it joined
            objective.network.fusion.silence(objective.parameters, name)
        kept = session.optimizer_states
        if not plan.incremental:
            kept = {}
        elif outcome != "diverged":
            (group,) = groups
            kept = {self._name: group.optimizer.state}
        return Solution(outcome, kept, order.group_by_length)

    def _make_groups(self, objective: Objective, session: Session, n_batches: int) -> list[Group]:
        """Return the parameters in groups: all, or those of late branches by themselves.

        An epoch of more to come goes on where its optimizer stopped.
        """
        plan, network, theta = session.plan, objective.network, objective.theta
        states: list[Any] = [None] * (1 + len(plan.late_branches))
        if plan.incremental and self._name in session.optimizer_states:
            states = [_copied(session.optimizer_states[self._name])]
        if session.progress:
            states = [_copied(state) for state in session.progress["optimizers"]]
        late = {name: network.indices_of(name) for name in plan.late_branches}
        if not late:
            optimizer = self._make_optimizer(
                theta, network.n_penalized, session, states[0], network.n_moving
            )
            return [Group(optimizer)]

        def group(indices: Indices, state: Any, first: int = 0, branch: str | None = None) -> Group:
            n_decayed = int(np.count_nonzero(indices < network.n_penalized))
            optimizer = self._make_optimizer(theta[indices], n_decayed, session, state)
            return Group(optimizer, indices, first, branch)

        rest = np.setdiff1d(np.arange(len(theta)), np.concatenate(list(late.values())))
        groups = [group(rest, states[0])]
        for (name, indices), state in zip(late.items(), states[1:], strict=True):
            first = n_batches * (plan.max_iter - plan.epochs[name])
            groups.append(group(indices, state, first, name))
        return groups

    def _make_optimizer(
        self,
        theta: Array,
        n_decayed: int,
        session: Session,
        state: dict[str, Array] | None = None,
        n_moving: int | None = None,
    ) -> Any:
        parameters = session.settings.chosen(self._optimizer.parameters)
        return self._optimizer(
            theta, **parameters, n_decayed=n_decayed, n_moving=n_moving, state=state
        )


class LBFGS(Solver):
    """SciPy's L-BFGS-B."""

    is_stochastic = False
    parameters = ("max_fun",)

    def solve(self, objective: Objective, session: Session) -> Solution:
        """Train on all samples at once."""
        settings, max_iter = session.settings, session.plan.max_iter
        session.history.n_iter = 0
        observers = _observers(session, [])
        observers.on_begin(
            max_iter, 1, lambda: session.fitted(objective.theta, Solution("max_iter", {}, False))
        )
        outcome = lbfgs.minimize(
            objective,
            observers,
            max_iter=max_iter,
            max_fun=settings.max_fun,
            tol=settings.tol,
        )
        return Solution(outcome, {}, False)


SOLVERS: dict[str, Solver] = {
    "adam": FirstOrder("adam"),
    "sgd": FirstOrder("sgd"),
    "lbfgs": LBFGS(),
}


def _copied(state: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in state.items()}


def _observers(session: Session, ending: Sequence[Observer]) -> Observers:
    """Return all observers: those of the end hear of an epoch before the history does."""
    observers = list(ending)
    if session.validate:
        observers.insert(0, Validation(session.validate))
    observers.append(session.history)
    return Observers([*observers, *session.observers])


def _gains(
    objective: Objective, session: Session, descent: Descent, batch_size: int
) -> Callable[[State], bool]:
    """Return the function that says whether an epoch gains at least `tol`."""
    history = session.history
    tol: float = session.settings.tol
    if session.plan.early_stopping:

        def improves(state: State) -> bool:
            assert state.score is not None  # `Validation` hears of an epoch first
            return state.score >= history.best_validation_score + tol

        return improves
    if descent.schedule.ends_training:
        # The last epochs gain most: go on while there is any loss, or a branch has yet to join.
        return lambda state: (
            bool(objective.silent) or state.loss > objective.lowest(batch_size) + tol
        )
    return lambda state: state.loss <= history.best_loss - tol


def patience_of(n_iter_no_change: float, settings: Settings, plan: Plan) -> float:
    """Return how many epochs in a row may bring no gain."""
    if not (plan.early_stopping and SCHEDULES[settings.learning_rate].ends_training):
        return n_iter_no_change
    return max(n_iter_no_change, _PATIENCE_OF_PLANNED * plan.max_iter)


def _make_schedule(settings: Settings, plan: Plan, n_done: int) -> Constant:
    """Return the schedule; a planned one over `max_iter` epochs, of which some are done."""
    schedule = SCHEDULES[settings.learning_rate]
    if schedule.ends_training and plan.incremental:
        if settings.is_auto("max_iter"):
            schedule = Constant
        elif n_done >= plan.max_iter:
            warn(
                f"learning_rate={settings.learning_rate!r} has come down to zero after "
                f"max_iter={plan.max_iter} epochs: this call of partial_fit changes no weight of "
                "the network."
            )
    return schedule(settings.learning_rate_init, **settings.chosen(schedule.parameters))


def _clip_batch_size(settings: Settings, batch_size: int, n_sequences: int) -> int:
    if batch_size > n_sequences and not settings.is_auto("batch_size"):
        warn(
            f"batch_size={batch_size} is larger than the {n_sequences} samples to train on. It is "
            "going to be clipped."
        )
    return min(batch_size, n_sequences)


def _groups_by_length(settings: Settings, objective: Objective) -> bool:
    """Return whether batches hold sequences of similar length.

    If length told of the targets, such batches would hold similar targets too, and training
    would follow one group of them after the other.
    """
    if not settings.is_auto("group_by_length"):
        return bool(settings.group_by_length)
    lengths = objective.lengths
    of_steps = objective.steps_with_targets
    if of_steps is not None:  # each of these has a target, or none and no weight
        lengths = np.repeat(lengths, of_steps)
    counts = np.flatnonzero(objective.weights)
    explained = variance_explained_by_length(lengths[counts], objective.targets[counts])
    return explained < _MAX_EXPLAINED_BY_LENGTH
