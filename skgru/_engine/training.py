"""The training of a network: its objective, its solver, its validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skgru._data.inputs import Reader
from skgru._data.training_set import TrainingSet
from skgru._defaults import Plan
from skgru._engine.model import Model
from skgru._engine.objective import Examples, Objective, Terms
from skgru._engine.observers import Validated
from skgru._engine.predict import run_network
from skgru._engine.publishing import fusion_rates, publish
from skgru._engine.request import Fitted, Map, Planned, Request, Trained
from skgru._engine.solvers import SOLVERS, Session, Solution
from skgru._nn.batch import Array, Batch, Values
from skgru._nn.chain import Chain, ChainInputs
from skgru._nn.dropout import DropoutRates
from skgru._nn.part import Arrays
from skgru._settings import Settings


def train(request: Request, model: Model, planned: Planned, map_: Map) -> Trained:
    """Return the trained parameters, and the history that goes on from the request's."""
    settings, (plan, training, validation) = request.settings, planned
    progress = request.progress
    objective = Objective(
        model.network,
        model.loss,
        Examples(
            model.steps_of(
                training.sequences,
                plan.dtype,
                may_hold=True,
                moves_patches={
                    name: part.get("shift_patches", False)
                    for name, part in request.branches.items()
                },
            ),
            training.targets,
            training.loss_weights,
            float(training.weights.mean()),
        ),
        (progress["theta"] if progress else model.theta).astype(plan.dtype),
        Terms(
            settings.alpha,
            settings.bptt_steps,
            tuple(
                _rates_of(name, request.branches[name], plan, part)
                if name in plan.dropout
                else DropoutRates()
                for name, part in model.inputs.items()
            ),
            fusion_rates(request, plan),
        ),
        map_,
    )
    history = request.history

    def fitted(theta: Array, solution: Solution) -> Fitted:
        theta = theta.astype(settings.dtype)  # a copy
        if solution.progress:
            of_fit = {
                "epochs": plan.epochs,
                "at_split": request.at_split,
            }
            of_fit |= request.identity() if request.identity else {}
            solution = solution._replace(progress=solution.progress | of_fit)
        for name in objective.silent:
            model.network.fusion.silence(model.network.parameters(theta), name)
        return publish(request, model, plan, Trained(theta, history.copy(), solution))

    validate = None
    if validation is not None:
        score = _scorer(request, validation, objective, fitted)
        validate = _validate(model, objective, validation, map_, score)
    session = Session(
        settings,
        plan,
        history,
        validate,
        request.optimizer_states,
        request.rng,
        request.observers,
        fitted,
        progress,
    )
    if progress:
        request.rng.set_state(progress["rng"])
    with np.errstate(over="ignore", invalid="ignore"):
        solution = SOLVERS[settings.solver].solve(objective, session)
    return Trained(objective.theta.astype(settings.dtype), history, solution)


def _rates_of(name: str, settings: Settings, plan: Plan, part: Reader) -> DropoutRates:
    """Return what a branch leaves out; what it does not have draws no random numbers."""
    of_tokens = settings.get("token_dropout", 0.0) if part.spec.n_tokens is not None else 0.0
    return DropoutRates(plan.dropout[name], plan.recurrent_dropout[name], of_tokens)


def _scorer(
    request: Request,
    validation: TrainingSet,
    objective: Objective,
    fitted: Callable[[Array, Solution], Fitted],
) -> Callable[[float, Values], float] | None:
    """Return the function of a loss and of decisions that scores them; None = the loss's own."""
    if request.settings.get("scoring") == "loss":
        return lambda loss, decisions: -loss
    scorer, rows = request.scorer, None
    if scorer is None:
        return None
    if request.validation is None or request.has_held_out:
        rows, given = validation.rows, request.validation or request.training
        rows = rows if given.rows is None else given.rows[rows]

    def score(loss: float, decisions: Values) -> float:
        return scorer(fitted(objective.theta, Solution("max_iter", {}, False)), rows)

    return score


def _validate(
    model: Model,
    objective: Objective,
    validation: TrainingSet,
    map_: Map,
    score: Callable[[float, Values], float] | None,
) -> Callable[[], Validated]:
    """Return the function that evaluates the objective's parameters on the validation set.

    Loss and score come of the same pass. `score` takes the loss and decisions of no meaning.
    """
    steps = model.steps_of(validation.sequences, objective.theta.dtype, may_hold=True)
    linear = model.linear_outputs(validation.sequences)
    loss, targets = model.loss, validation.targets
    weights = validation.loss_weights
    shares = weights / (weights.sum() or np.nan)
    losses = np.zeros(len(shares))  # with a chain of sequences, in the places of some of the steps

    def note(raw: Array, rows: Any, batch: Batch | None) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # as in training; a thread has its own
            if batch is None:
                losses[rows] = loss.loss_and_gradient(raw, targets[rows])[0] * shares[rows]
                return
            chain = model.network.chain
            assert chain
            x = ChainInputs(raw, targets[rows], shares[rows])
            of_sequences, _ = chain.forward(objective.parameters.section("chain"), x, batch)
            losses[rows[: len(of_sequences)]] = of_sequences[: len(rows)]

    def as_they_are(chain: Chain, p: Arrays, raw: Array, batch: Batch) -> Array:
        return raw

    def validate() -> Validated:
        decisions = run_network(
            model.network,
            objective.parameters,
            steps,
            map_,
            then=_nothing if score else loss.decide,
            of_chain=as_they_are if score else Chain.best_paths,
            silent=objective.silent,
            seen=note,
            linear=linear,
        )
        value = float(losses.sum())
        if score:
            found = score(value, decisions)
        elif not np.isfinite(decisions).all():
            found = np.nan
        else:
            found = loss.score(decisions, targets, validation.target_weights)
        return Validated(value, found)

    return validate


def _nothing(raw: Array) -> Values:
    """Return no number of each row."""
    return raw[:, :0]
