"""Trials on a part of the samples, which settle what no rule of shape can."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, Self

import numpy as np

from skgru._data.bag import BagOfTokens
from skgru._data.inputs import known
from skgru._data.sequences import Sequences
from skgru._data.training_set import TrainingSet
from skgru._defaults import (
    EPOCHS_OF_CONVOLUTIONS_TRIAL,
    MIN_TRIAL,
    MOST_TO_COMPARE,
    SHARE_OF_CONVOLUTIONS_TRIAL,
    TRIAL_SHARE,
    Plan,
    PlannedBranch,
    has_bag,
    most_pairs,
    share_to_compare,
)
from skgru._engine.bag_model import Bag
from skgru._engine.holding_out import hold_out
from skgru._engine.loss import Loss
from skgru._engine.model import Model
from skgru._engine.observers import History
from skgru._engine.opinion_pool import fit_shares
from skgru._engine.predict import run_network
from skgru._engine.request import Data, Map, Planned, Request
from skgru._engine.solvers import SOLVERS
from skgru._engine.training import train
from skgru._nn.batch import Array, Values

# The factors of network and linear model with which the search for them begins: a bag's raw outputs
# are log-odds, those of convolutions targets of −1 and 1.
_OF_BAG, _OF_CONVOLUTIONS = (0.5, 1.0), (0.5, 2.0)


def settle_late(request: Request, model: Model, planned: Planned, map_: Map) -> Planned:
    """Decide whether branches that may be late by default are late, by a trial.

    Both ways are trained on four fifths of the samples; that with the lower loss on the others is
    taken. With too few samples for that, no branch is late by default.
    """
    plan, training = planned.plan, planned.training
    branches = request.branches
    if request.progress:
        return planned._replace(plan=plan._replace(epochs=request.progress["epochs"]))
    open_ones = [name for name in plan.late_branches if branches[name].is_auto("last_epochs")]
    if not open_ones:
        return planned
    whole = plan._replace(epochs=plan.epochs | dict.fromkeys(open_ones, plan.max_iter))
    if training.n_sequences * TRIAL_SHARE < MIN_TRIAL:
        return planned._replace(plan=whole)
    trial = Trial(request, model, training, TRIAL_SHARE)

    def loss_of(way: Plan) -> float:
        return _loss_on(trial.train(way, map_), trial.to_compare, map_)

    return planned._replace(plan=plan if loss_of(plan) <= loss_of(whole) else whole)


def add_bag(request: Request, data: Data, model: Model, planned: Planned, map_: Map) -> Model:
    """Return the model with a bag of tokens beside its network, fitted, if there is to be one.

    What its outputs and those of the network count is found by a trial: both are trained on some of
    the samples, and joined so that the loss on the others is lowest. A bag that was there before
    goes on learning, and counts what it did.
    """
    if request.progress:
        return model  # it has been fitted before the first epoch
    training, plan = planned.training, planned.plan
    weights = training.loss_weights.astype(np.float64)
    if request.before is not None:
        if model.bag is None:
            return model
        bag = model.bag.fitted(training.sequences, training.targets, weights, model.loss.plain)
        return replace(model, bag=bag)
    n_outputs = model.network.n_outputs
    names = [
        name
        for name, branch in model.own_spec.branches
        if has_bag(
            PlannedBranch(request.branches[name], data.shapes[name], branch.encoder),
            n_outputs=n_outputs,
            is_alone=len(model.own_spec.branches) == 1,
            incremental=request.incremental,
        )
    ]
    if not names or model.per_step:
        return model
    tokens = {}
    for name in names:
        most = most_pairs(known(data.shapes[name].n_tokens), n_outputs)
        tokens[name] = BagOfTokens.learn(training.sequences[name], training.weights, most)
    empty = Bag.empty(tokens, n_outputs)
    bag = empty.fitted(training.sequences, training.targets, weights, model.loss.plain)
    n = training.n_sequences
    to_compare = share_to_compare(n)
    if not plan.incremental and (1 - to_compare) * n >= MIN_TRIAL:
        shares = _shares_by_trial(request, model, planned, empty, to_compare, _OF_BAG, map_)
        bag = replace(bag, shares=shares)
    return replace(model, bag=bag)


def fit_convolutions(request: Request, model: Model, planned: Planned, map_: Map) -> Model:
    """Return the model with its random convolutions fitted, if they are fitted apart.

    What they and the network count is found by a trial, as for a bag. They learn once: later
    trainings are the network's.
    """
    empty = model.convolutions
    if empty is None or request.before is not None:
        return model
    training = planned.training
    weights = training.loss_weights.astype(np.float64)
    fitted = empty.fitted(training.sequences, training.targets, weights, model.loss.plain)
    plain = replace(model, convolutions=None)
    shares = _shares_by_trial(
        request,
        plain,
        planned,
        empty,
        SHARE_OF_CONVOLUTIONS_TRIAL,
        _OF_CONVOLUTIONS,
        map_,
        epochs=EPOCHS_OF_CONVOLUTIONS_TRIAL,
    )
    return replace(model, convolutions=fitted.scaled(shares))


class LinearModel(Protocol):
    """A linear model that may stand beside the network."""

    def fitted(
        self, samples: Mapping[str, Sequences], targets: Values, weights: Array, loss: Loss
    ) -> Self:
        """Return the model that has learned from samples."""

    def raw(self, samples: Mapping[str, Sequences]) -> Array:
        """Return its raw outputs (n, K)."""


def _shares_by_trial(
    request: Request,
    model: Model,
    planned: Planned,
    empty: LinearModel,
    to_compare: float,
    first: tuple[float, float],
    map_: Map,
    *,
    epochs: float = 1.0,
) -> tuple[float, float]:
    """Return the factors of network and linear model that are best on samples new to both.

    Parameters
    ----------
    request : Request
    model : Model
        With the network, without the linear model.
    planned : Planned
    empty : LinearModel
        The linear model, before it has learned.
    to_compare : float
        The share of the samples that are new.
    first : tuple of float
        See `fit_shares`.
    map_ : callable
    epochs : float, default=1.0
        The share of the epochs that the network is trained for, where "auto" gives them.
    """
    trial = Trial(request, model, planned.training, to_compare)
    some, others = trial.to_train, trial.to_compare
    n = others.n_sequences
    evenly = np.unique(np.linspace(0, n - 1, min(n, MOST_TO_COMPARE)).astype(np.intp))
    others = others.take(evenly)
    way = planned.plan
    is_stochastic = SOLVERS[request.settings.solver].is_stochastic
    if is_stochastic and not request.settings.is_auto("max_iter"):
        way = _with_as_many_updates(way, planned.training.n_sequences, some.n_sequences)
    elif is_stochastic:
        way = _times_as_long(way, epochs)
    trained = trial.train(way, map_, others if way.early_stopping else None)
    loss = model.loss.plain
    weights = some.loss_weights.astype(np.float64)
    linear = empty.fitted(some.sequences, some.targets, weights, loss)
    steps = trained.steps_of(others.sequences, trained.theta.dtype)
    raw = run_network(trained.network, trained.parameters, steps, map_)
    of_linear = linear.raw(others.sequences)
    return fit_shares(raw, of_linear, others.targets, others.loss_weights, loss, first)


def _with_as_many_updates(plan: Plan, n: int, n_of_trial: int) -> Plan:
    """Return the plan of so many epochs on fewer samples that there are as many updates.

    Where "auto" gives the epochs there are enough of them on fewer samples, too. With others the
    network of a trial might have hardly begun to learn, and seem to be less sure than it will be.
    """
    longer = math.ceil(n / plan.batch_size) / math.ceil(n_of_trial / plan.batch_size)
    return _times_as_long(plan, longer)


def _times_as_long(plan: Plan, factor: float) -> Plan:
    """Return the plan of so many times as many epochs."""
    return plan._replace(
        max_iter=math.ceil(factor * plan.max_iter),
        epochs={name: math.ceil(factor * n_epochs) for name, n_epochs in plan.epochs.items()},
    )


class Trial:
    """A training on a part of the samples, to be compared on the others.

    Parameters
    ----------
    request : Request
    model : Model
        To start from.
    training : TrainingSet
    share : float
        Of the samples, those that are compared on.
    """

    def __init__(self, request: Request, model: Model, training: TrainingSet, share: float) -> None:
        self._seed = int(request.rng.randint(2**31 - 1))
        self._model = model
        # Of "auto", strata that no split can keep are no reason to fail.
        quiet = request.settings.but(
            batch_size="auto", early_stopping="auto", validation_fraction=share
        )
        if training.groups is not None and len(np.unique(training.groups)) < 2:
            training = training._replace(groups=None)
        rng = np.random.RandomState(self._seed)
        self.to_train, self.to_compare = hold_out(training, model.loss, quiet, rng)
        self._request = request._replace(
            settings=quiet, optimizer_states={}, observers=(), scorer=None
        )

    def train(self, way: Plan, map_: Map, validation: TrainingSet | None = None) -> Model:
        """Return the model that is trained that way, if need be validated."""
        rng = np.random.RandomState(self._seed)
        request = self._request._replace(rng=rng, history=History())
        trained = train(request, self._model, Planned(way, self.to_train, validation), map_)
        if trained.solution.outcome == "interrupted":
            raise KeyboardInterrupt
        return self._model.with_theta(trained.theta)


def _loss_on(model: Model, samples: TrainingSet, map_: Map) -> float:
    """Return the mean loss of a model on samples."""
    steps = model.steps_of(samples.sequences, model.theta.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        raw = run_network(model.network, model.parameters, steps, map_)
        losses, _ = model.loss.loss_and_gradient(raw, samples.targets)
    weights = samples.loss_weights
    mean = float(losses @ weights / weights.sum()) if weights.any() else np.inf
    return mean if np.isfinite(mean) else np.inf
