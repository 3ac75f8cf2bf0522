"""A fit, in five calls that hand values on: read, build, plan, train, publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from sklearn.model_selection import train_test_split

from skgru._data.forms import Opened
from skgru._data.inputs import Input, known
from skgru._data.kinds import make_input
from skgru._data.training_set import TrainingSet, parse_samples
from skgru._defaults import AUTO_PARAMETERS, DataShape, Plan, choose_encoder, choose_plan
from skgru._engine.loss import Loss
from skgru._engine.model import Model, network_spec
from skgru._engine.objective import Examples, Objective, Terms
from skgru._engine.observers import History
from skgru._engine.predict import run_network
from skgru._engine.solvers import SOLVERS, OptimizerStates, Session, Solution
from skgru._engine.unused import Decisions, warn_of_unused
from skgru._nn.batch import Array
from skgru._nn.dropout import DropoutRates
from skgru._nn.network import Network
from skgru._options import check_pieces, fill_auto, wanted_encoder
from skgru._settings import Settings

Map = Callable[..., Any]


class Given(NamedTuple):
    """Samples as they were given.

    Attributes
    ----------
    inputs : dict of Opened
        By the names of the branches.
    y, sample_weight : object
    """

    inputs: dict[str, Opened]
    y: Any
    sample_weight: Any


class Request(NamedTuple):
    """The request of a fit.

    Attributes
    ----------
    settings : Settings
    loss : Loss
        Before it has learned from y.
    training : Given
    validation : Given or None
    before : Model or None
        The model to go on with.
    history : History
        Of the calls before.
    optimizer_states : dict
        Of the calls before, by the name of the solver.
    rng : RandomState
    incremental : bool
        Whether to train one epoch of more to come.
    classes : array-like or None
        All classes that there may be.
    """

    settings: Settings
    loss: Loss
    training: Given
    validation: Given | None
    before: Model | None
    history: History
    optimizer_states: OptimizerStates
    rng: RandomState
    incremental: bool
    classes: Any


class Data(NamedTuple):
    """The result of `read`: samples, and the inputs and the loss that know them.

    Attributes
    ----------
    inputs : dict of Input
        By the names of the branches: they know the features.
    loss : Loss
        Bound to its targets.
    training : TrainingSet
    validation : TrainingSet or None
    shapes : dict of DataShape
        Of the training set, by the names of the branches.
    """

    inputs: dict[str, Input]
    loss: Loss
    training: TrainingSet
    validation: TrainingSet | None
    shapes: dict[str, DataShape]


class Planned(NamedTuple):
    """The decisions of `make_plan`.

    Attributes
    ----------
    plan : Plan
    training : TrainingSet
    validation : TrainingSet or None
        Given, or held out of the samples to train on.
    """

    plan: Plan
    training: TrainingSet
    validation: TrainingSet | None


class Trained(NamedTuple):
    """The result of `train`.

    Attributes
    ----------
    theta : ndarray
    history : History
    solution : Solution
    """

    theta: Array
    history: History
    solution: Solution


class Fitted(NamedTuple):
    """The result of a fit.

    Attributes
    ----------
    model : Model
    history : History
    outcome : {"converged", "max_iter", "interrupted", "diverged"}
    optimizer_states : dict
        To go on from, by the name of the solver.
    auto_params : dict
        The values that "auto" stands for, by the names of the parameters.
    validates : bool
        Whether the validation score, rather than the loss, has ended the training.
    """

    model: Model
    history: History
    outcome: str
    optimizer_states: OptimizerStates
    auto_params: dict[str, Any]
    validates: bool


def fit(request: Request, map_: Map) -> Fitted:
    """Return the model that was asked for; `map_` runs the shards of batches, maybe on threads."""
    data = read(request)
    model = build(request, data)
    planned = make_plan(request, data, model)
    trained = train(request, model, planned, map_)
    return publish(request, model, planned.plan, trained)


# --- Read -----------------------------------------------------------------------------------------


def read(request: Request) -> Data:
    """Return the samples, parsed and encoded, with the inputs and the loss that know them."""
    settings, loss, given = request.settings, request.loss, request.training
    if request.before is None:
        met = {name: make_input(part, settings) for name, part in given.inputs.items()}
        inputs = {name: part for name, (part, _) in met.items()}
        parsed = {name: part for name, (_, part) in met.items()}
        per_step = settings.pooling is None
    else:
        _check_same_network(request.before, settings, loss)
        before = request.before.inputs
        inputs = {name: part.with_settings(settings) for name, part in before.items()}
        parsed = {name: inputs[name].parse(part) for name, part in given.inputs.items()}
        per_step = request.before.per_step
    samples = parse_samples(parsed, given.y, given.sample_weight, loss, per_step=per_step)
    if request.before is None:
        learned = loss.learn(samples.labels, samples.label_weights, request.classes)
    else:
        learned = request.before.loss.learned
    loss = loss.bind(learned)
    training, validation = samples.encoded(loss), None
    if request.validation is not None:
        validation = _read_validation(request.validation, inputs, loss, per_step)
    return Data(inputs, loss, training, validation, _shapes_of(training, inputs, loss))


def _read_validation(
    given: Given, inputs: Mapping[str, Input], loss: Loss, per_step: bool
) -> TrainingSet:
    parsed = {name: inputs[name].parse(part) for name, part in given.inputs.items()}
    samples = parse_samples(parsed, given.y, given.sample_weight, loss, per_step=per_step)
    if len(samples.weights) < 2:
        raise ValueError(
            "The validation set is too small: expected at least 2 sequences with a weight, "
            f"got {len(samples.weights)}."
        )
    return samples.encoded(loss)


def _shapes_of(
    samples: TrainingSet, inputs: Mapping[str, Input], loss: Loss
) -> dict[str, DataShape]:
    """Return the shape of the samples in each branch, by which settings are chosen."""
    return {
        name: DataShape(
            samples.n_sequences,
            np.average(sequences.lengths, weights=samples.weights),
            n_features=known(inputs[name].n_features),
            n_tokens=inputs[name].count_tokens(sequences),
            has_classes=loss.has_classes,
        )
        for name, sequences in samples.sequences.items()
    }


def _check_same_network(before: Model, settings: Settings, loss: Loss) -> None:
    """Refuse to go on with another network than the one that was fitted."""
    differences = [part.differs(settings) for part in before.inputs.values()]
    wanted = wanted_encoder(settings)
    for _, branch in before.spec.branches:
        then, now = asdict(branch.encoder), asdict(fill_auto(wanted, branch.encoder))
        differences += [(n, then[n], now[n]) for n in then if then[n] != now[n]]
    if loss.name != before.loss.name:
        differences.append(("loss", before.loss.name, loss.name))
    elif loss.options != before.loss.options:
        then, now = before.loss.options, loss.options
        differences += [(n, then[n], now[n]) for n in then if then[n] != now[n]]
    found = [difference for difference in differences if difference]
    if found:
        expected = ", ".join(f"{name}={fitted!r}" for name, fitted, _ in found)
        got = ", ".join(f"{name}={asked!r}" for name, _, asked in found)
        raise ValueError(
            "Training can go on only with the network that was fitted: expected "
            f"{expected}, but the parameters now ask for {got}."
        )


# --- Build ----------------------------------------------------------------------------------------


def build(request: Request, data: Data) -> Model:
    """Return the model to train: its inputs have learned, and its parameters are drawn."""
    settings, before = request.settings, request.before
    if before is not None:
        encoders = {name: branch.encoder for name, branch in before.spec.branches}
        spec = network_spec(data.inputs, encoders, data.loss)
        model = Model(data.inputs, spec, data.loss, before.theta)
    else:
        model = _new_model(request, data)
    for _, branch in model.spec.branches:
        check_pieces(branch.encoder, settings.bptt_steps)
    return model


def _new_model(request: Request, data: Data) -> Model:
    settings = request.settings
    wanted, encoders, inputs = wanted_encoder(settings), {}, {}
    for name, part in data.inputs.items():
        encoders[name] = choose_encoder(wanted, data.shapes[name], bptt_steps=settings.bptt_steps)
        sequences, weights = data.training.sequences[name], data.training.weights
        inputs[name] = part.learn(sequences, weights, encoders[name])
    spec = network_spec(inputs, encoders, data.loss)
    theta = Network(spec).initialize(request.rng, np.dtype(settings.dtype).type)
    model = Model(inputs, spec, data.loss, theta)
    for name, branch in model.network.branches.items():
        for parameter, values in inputs[name].start_values.items():
            model.parameters[branch.prefix + parameter][...] = values
    return model


# --- Plan -----------------------------------------------------------------------------------------


def make_plan(request: Request, data: Data, model: Model) -> Planned:
    """Decide how to train; hold out a part of the samples, if the plan needs one."""
    settings, training, validation = request.settings, data.training, data.validation
    is_stochastic = SOLVERS[settings.solver].is_stochastic
    first = next(iter(data.inputs))

    def plan_of(shapes: Mapping[str, DataShape], *, validates: bool) -> Plan:
        return choose_plan(
            settings,
            shapes[first],
            is_stochastic=is_stochastic,
            validates=validates,
            incremental=request.incremental,
        )

    plan = plan_of(data.shapes, validates=validation is not None)
    holds_out = plan.early_stopping and validation is None and is_stochastic
    if holds_out:
        training, validation = _hold_out(training, data.loss, settings, request.rng)
        plan = plan_of(_shapes_of(training, data.inputs, data.loss), validates=True)
    if request.before is None or not request.incremental:
        says_features = data.inputs[first].says_features
        warn_of_unused(settings, Decisions(model.spec, plan, says_features, holds_out))
    return Planned(plan, training, validation)


def _hold_out(
    samples: TrainingSet, loss: Loss, settings: Settings, rng: RandomState
) -> tuple[TrainingSet, TrainingSet]:
    """Hold out a part for validation; return training and validation samples."""
    n, share = samples.n_sequences, settings.validation_fraction
    strata = None if samples.per_step else loss.strata(samples.targets)
    if strata is not None and settings.is_auto("early_stopping"):
        _, sizes = np.unique(strata, return_counts=True)
        if sizes.min() < 2 or len(sizes) > share * n:
            strata = None  # some classes cannot be in both parts
    kept, held_out = train_test_split(
        np.arange(n), test_size=share, random_state=rng, stratify=strata
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            "your dataset."
        )
    return samples.take(kept), samples.take(held_out)


# --- Train ----------------------------------------------------------------------------------------


def train(request: Request, model: Model, planned: Planned, map_: Map) -> Trained:
    """Return the trained parameters, and the history that goes on from the request's."""
    settings, (plan, training, validation) = request.settings, planned
    objective = Objective(
        model.network,
        model.loss,
        Examples(
            model.steps_of(
                training.sequences,
                plan.dtype,
                may_hold=True,
                moves_patches=settings.shift_patches,
            ),
            training.targets,
            training.target_weights * training.loss_factors,
            float(training.weights.mean()),
        ),
        model.theta.astype(plan.dtype),
        Terms(
            settings.alpha,
            settings.bptt_steps,
            DropoutRates(plan.dropout, settings.recurrent_dropout, settings.token_dropout),
        ),
        map_,
    )
    validate = None
    if validation is not None:
        validate = _validate(model, objective, validation, map_)
    history = request.history
    session = Session(settings, plan, history, validate, request.optimizer_states, request.rng)
    with np.errstate(over="ignore", invalid="ignore"):
        solution = SOLVERS[settings.solver].solve(objective, session)
    return Trained(objective.theta.astype(settings.dtype), history, solution)


def _validate(
    model: Model, objective: Objective, validation: TrainingSet, map_: Map
) -> Callable[[], float]:
    """Return the function that scores the objective's parameters on the validation set."""
    steps = model.steps_of(validation.sequences, objective.theta.dtype, may_hold=True)
    loss = model.loss

    def validate() -> float:
        decisions = run_network(model.network, objective.parameters, steps, map_, then=loss.decide)
        if not np.isfinite(decisions).all():
            return np.nan
        return loss.score(decisions, validation.targets, validation.target_weights)

    return validate


# --- Publish --------------------------------------------------------------------------------------


def publish(request: Request, model: Model, plan: Plan, trained: Trained) -> Fitted:
    """Return the result of the fit, as an estimator keeps it."""
    name, branch = model.spec.branches[0]
    chosen = {
        **asdict(branch.encoder),
        **plan._asdict(),
        "embedding_dim": model.inputs[name].embedding_dim,
        "group_by_length": trained.solution.group_by_length,
    }
    if plan.incremental:
        del chosen["max_iter"]  # one epoch is one epoch
    return Fitted(
        model.with_theta(trained.theta),
        trained.history,
        trained.solution.outcome,
        trained.solution.optimizer_states,
        {n: chosen[n] for n in AUTO_PARAMETERS if n in chosen and request.settings.is_auto(n)},
        plan.early_stopping,
    )
