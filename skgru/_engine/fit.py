"""A fit, in five calls that hand values on: read, build, plan, train, publish."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from skgru._data.bag import BagOfTokens
from skgru._data.forms import Opened
from skgru._data.inputs import Input, Reader, known
from skgru._data.kinds import make_input
from skgru._data.numbers import NumberInput
from skgru._data.parsing import Parsed
from skgru._data.random_kernels import ConvolutionReader, round_convolutions
from skgru._data.targets import as_targets
from skgru._data.training_set import Samples, TrainingSet, check_same_steps, parse_samples
from skgru._defaults import (
    AUTO_PARAMETERS,
    MIN_TRIAL,
    MOST_TO_COMPARE,
    TRIAL_SHARE,
    DataShape,
    Plan,
    PlannedBranch,
    choose_convolutions,
    choose_encoder,
    choose_label_smoothing,
    choose_plan,
    has_bag,
    most_pairs,
    share_to_compare,
)
from skgru._engine.bag_model import Bag, fit_shares
from skgru._engine.loss import Loss
from skgru._engine.model import Model, naming, network_spec, parse_inputs
from skgru._engine.objective import Examples, Objective, Terms
from skgru._engine.observers import History, Observer, Validated
from skgru._engine.predict import run_network
from skgru._engine.solvers import SOLVERS, OptimizerStates, Progress, Session, Solution
from skgru._engine.unused import Decisions, unused_parameters
from skgru._nn.batch import Array, Batch, Indices, Values
from skgru._nn.chain import Chain, ChainInputs
from skgru._nn.dropout import DropoutRates, FusionRates
from skgru._nn.network import Network
from skgru._nn.part import Arrays
from skgru._options import check_convolutions, check_pieces, fill_auto, wanted_encoder
from skgru._settings import Settings
from skgru._spec import AnyEncoderSpec, FeedForwardSpec, FusionSpec, NetworkSpec
from skgru._warnings import warn

Map = Callable[..., Any]

# The parameters that may change while a training goes on: they change nothing of it, or the
# parameters of what they hold are compared one by one.
_FREE = ("n_jobs", "verbose", "warm_start", "branches", "remainder")

# The name of the branch of random convolutions beside the only one.
_CONVOLUTIONS = "convolutions"


class Given(NamedTuple):
    """Samples as they were given.

    Attributes
    ----------
    inputs : dict of Opened
        By the names of the branches.
    y, sample_weight : object
    rows : ndarray or None, default=None
        Which of the user's samples they are; None = all.
    groups : object, default=None
        Those of a group are not parted where some are held out.
    """

    inputs: dict[str, Opened]
    y: Any
    sample_weight: Any
    rows: Indices | None = None
    groups: Any = None


class Request(NamedTuple):
    """The request of a fit.

    Attributes
    ----------
    settings : Settings
        Of the training.
    branches : dict of Settings
        Of each branch, by its name.
    fusion : FusionSpec
    fusion_dropout : FusionRates
        Its `hidden` may be None, for the largest dropout of the branches.
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
    has_held_out : bool, default=False
        Whether the validation set was held out of the samples.
    observers : tuple of Observer, default=()
        Of the training, from outside.
    scorer : callable or None, default=None
        Returns the validation score, given the `Fitted` of now and the user's samples that are
        validated on, None = those of `validation`; None = the score of the loss, see `scoring`.
    progress : Progress or None, default=None
        Of the training to go on with.
    at_split : dict or None, default=None
        The state of `rng` before samples were held out; set by `fit` where that does it.
    identity : callable or None, default=None
        Returns what a training is recognized by when it is to go on; set by `fit`.
    """

    settings: Settings
    branches: dict[str, Settings]
    fusion: FusionSpec
    fusion_dropout: FusionRates
    loss: Loss
    training: Given
    validation: Given | None
    before: Model | None
    history: History
    optimizer_states: OptimizerStates
    rng: RandomState
    incremental: bool
    classes: Any
    has_held_out: bool = False
    observers: tuple[Observer, ...] = ()
    scorer: Callable[[Fitted, Indices | None], float] | None = None
    progress: Progress | None = None
    at_split: dict[str, Any] | None = None
    identity: Callable[[], Progress] | None = None


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
    outcome : {"converged", "max_iter", "stopped", "interrupted", "diverged"}
    optimizer_states : dict
        To go on from, by the name of the solver.
    auto_params : dict
        The values that "auto" stands for, by the names of the parameters.
    validates : bool
        Whether the validation score, rather than the loss, has ended the training.
    progress : Progress or None
        Of a training that has epochs to come.
    """

    model: Model
    history: History
    outcome: str
    optimizer_states: OptimizerStates
    auto_params: dict[str, Any]
    validates: bool
    progress: Progress | None


def fit(request: Request, map_: Map) -> Fitted:
    """Return the model that was asked for; `map_` runs the shards of batches, maybe on threads."""
    data = read(request)
    # Only a training that may go on later, or goes on, has it computed, once.
    request = request._replace(identity=cache(partial(_identity_of, request, data)))
    _check_progress(request)
    model = build(request, data)
    if request.validation is None and not request.incremental:
        request = request._replace(at_split=request.rng.get_state(legacy=False))
    planned = settle_late(request, model, make_plan(request, data, model), map_)
    model = add_bag(request, data, model, planned, map_)
    trained = train(request, model, planned, map_)
    return publish(request, model, planned.plan, trained)


def _identity_of(request: Request, data: Data) -> Progress:
    """Return the parameters, in words, and the samples that tell one training from another."""
    settings = request.settings
    parameters = settings.said()
    for name, branch in request.branches.items():
        if branch is not settings:
            parameters |= {f"{name}__{key}": value for key, value in branch.said().items()}
    samples = [part for part in (data.training, data.validation) if part is not None]
    return {
        "parameters": {name: value for name, value in parameters.items() if name not in _FREE},
        "n_samples": [part.n_sequences for part in samples],
        "checksums": [part.checksum for part in samples],
    }


def _check_progress(request: Request) -> None:
    """Refuse to go on with a training on other data, or by other parameters."""
    progress = request.progress
    if progress is None:
        return
    assert request.identity is not None
    identity = request.identity()
    before, now = progress["parameters"], identity["parameters"]
    names = [name for name in before if name in now and before[name] != now[name]]
    expected = [f"{name}={before[name]}" for name in names]
    got = [f"{name}={now[name]}" for name in names]
    if progress["n_samples"] != identity["n_samples"]:
        expected.append(f"{_count(progress['n_samples'])} samples")
        got.append(f"{_count(identity['n_samples'])} samples")
    elif progress["checksums"] != identity["checksums"]:
        expected.append("the samples, targets and weights that it began with")
        got.append("others")
    if expected:
        raise ValueError(
            f"This model is in the midst of a training, of which {progress['n_epochs']} epochs are "
            f"done and with which warm_start=True goes on: expected {' and '.join(expected)}, got "
            f"{' and '.join(got)}. Set warm_start=False to train anew."
        )


def _count(n_samples: list[int]) -> str:
    """Return numbers of samples, to train on and if there are any to validate on, in words."""
    return " and ".join(f"{n}{of}" for n, of in zip(n_samples, ("", " validation"), strict=False))


# --- Read -----------------------------------------------------------------------------------------


def read(request: Request) -> Data:
    """Return the samples, parsed and encoded, with the inputs and the loss that know them."""
    loss, given = request.loss, request.training
    if request.before is None:
        inputs, parsed = {}, {}
        for name, part in given.inputs.items():
            with naming(name):
                inputs[name], parsed[name] = make_input(part, request.branches[name])
        step_branches = _step_branches(request, inputs)
    else:
        _check_same_network(request.before, request)
        before = request.before.own_inputs
        inputs = {name: part.with_settings(request.branches[name]) for name, part in before.items()}
        parsed = parse_inputs(inputs, given.inputs)
        step_branches = request.before.network.step_branches
    if loss.has_chain and not step_branches:
        raise ValueError(
            "crf=True decides the tags of all steps of a sequence together: expected pooling=None, "
            "and y with a tag for each step; or crf=False."
        )
    samples = _samples_of(given, parsed, loss, step_branches)
    if request.before is None:
        y = None if step_branches else as_targets(given.y)
        for name, opened in given.inputs.items():
            with naming(name):
                inputs[name].warn_of_lags(opened, y if isinstance(y, np.ndarray) else None)
    for name, sequences in samples.sequences.items():
        if request.before is None and not len(sequences.values):
            raise ValueError(
                f"Branch {name!r}: no sample to train on has it, expected at least one: set it to "
                "'drop'."
            )
    if request.before is None:
        learned = loss.learn(samples.labels, samples.label_weights, request.classes)
    else:
        learned = request.before.loss.learned
    loss = loss.bind(learned)
    training, validation = samples.encoded(loss), None
    if request.validation is not None:
        validation = _read_validation(request.validation, inputs, loss, step_branches)
    return Data(inputs, loss, training, validation, _shapes_of(training, inputs, loss))


def _step_branches(request: Request, inputs: Mapping[str, Input]) -> tuple[str, ...]:
    """Return the branches whose steps have targets of their own."""
    encoders = {
        name: wanted_encoder(request.branches[name], part.encoder_type)
        for name, part in inputs.items()
    }
    found = tuple(name for name, encoder in encoders.items() if encoder.pooling is None)
    open_ones = [name for name, encoder in encoders.items() if encoder.pooling == "auto"]
    if found and open_ones:
        raise ValueError(
            f"pooling=None of branch {found[0]!r} has a target for each of its steps: expected "
            "pooling to be set in the other branches of sequences too, got 'auto' in "
            f"{', '.join(map(repr, open_ones))}. Set it to None where they have the same steps, "
            "else to what all steps are to share, such as 'last'."
        )
    return found


def _samples_of(
    given: Given, parsed: Mapping[str, Parsed], loss: Loss, step_branches: tuple[str, ...]
) -> Samples:
    """Return the sequences with their targets and weights."""
    check_same_steps(parsed, step_branches, given.rows)
    first = next(iter(step_branches), None)
    return parse_samples(
        parsed,
        given.y,
        given.sample_weight,
        loss,
        step_branch=first,
        has_chain=loss.has_chain,
        groups=given.groups,
    )


def _read_validation(
    given: Given, inputs: Mapping[str, Input], loss: Loss, step_branches: tuple[str, ...]
) -> TrainingSet:
    samples = _samples_of(given, parse_inputs(inputs, given.inputs), loss, step_branches)
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
            is_table=inputs[name].encoder_type is FeedForwardSpec,
            is_frozen=inputs[name].is_frozen,
            missing_share=inputs[name].missing_share(sequences),
        )
        for name, sequences in samples.sequences.items()
    }


def _check_same_network(before: Model, request: Request) -> None:
    """Refuse to go on with another network than the one that was fitted."""
    loss = request.loss
    differences: list[tuple[str, Any, Any]] = []
    for name, branch in before.own_spec.branches:
        settings, part = request.branches[name], before.own_inputs[name]
        prefix = f"{name}__" if name else ""
        wanted = wanted_encoder(settings, part.encoder_type)
        then, now = map(_as_parameters, (branch.encoder, fill_auto(wanted, branch.encoder)))
        found = [part.differs(settings)]
        found += [(n, then[n], now[n]) for n in then if then[n] != now[n]]
        asked, n_beside = settings.get("n_convolutions", 0), before.count_convolutions(name)
        if asked != "auto" and round_convolutions(asked) != n_beside:
            found.append(("n_convolutions", n_beside, asked))
        differences += [(prefix + n, a, b) for n, a, b in filter(None, found)]
        if (bag := settings.get("bag")) in (True, False) and part.kind == "tokens":
            differences += _differences_of_bag(before, name, prefix, wanted=bag)
    then, now = asdict(before.spec.fusion), asdict(request.fusion)
    differences += [(n, then[n], now[n]) for n in then if then[n] != now[n]]
    if loss.name != before.loss.name:
        differences.append(("loss", before.loss.name, loss.name))
    elif loss.options != before.loss.options:
        then, now = before.loss.options, loss.options
        differences += [(n, then[n], now[n]) for n in then if then[n] != now[n]]
    if differences:
        expected = ", ".join(f"{name}={fitted!r}" for name, fitted, _ in differences)
        got = ", ".join(f"{name}={asked!r}" for name, _, asked in differences)
        raise ValueError(
            "Training can go on only with the network that was fitted: expected "
            f"{expected}, but the parameters now ask for {got}."
        )


def _differences_of_bag(
    before: Model, name: str, prefix: str, *, wanted: bool
) -> list[tuple[str, Any, Any]]:
    """Return the parameter `bag` of a branch, as it was and is, if that asks for another model."""
    had = before.bag is not None and name in before.bag.tokens
    per_step = name in before.network.step_branches
    return [] if had == wanted or per_step else [(f"{prefix}bag", had, wanted)]


def _as_parameters(encoder: AnyEncoderSpec) -> dict[str, Any]:
    """Return the fields of an encoder by the names of the parameters."""
    return {"cell" if name == "cells" else name: v for name, v in asdict(encoder).items()}


# --- Build ----------------------------------------------------------------------------------------


def build(request: Request, data: Data) -> Model:
    """Return the model to train: its inputs have learned, and its parameters are drawn."""
    settings, before = request.settings, request.before
    if before is not None:
        encoders = {name: branch.encoder for name, branch in before.spec.branches}
        readers = before.inputs | data.inputs
        spec = network_spec(readers, encoders, data.loss, before.spec.fusion)
        model = Model(readers, spec, data.loss, before.theta, before.bag)
    else:
        model = _new_model(request, data)
    smoothing = settings.get("label_smoothing")
    if settings.is_auto("label_smoothing"):
        n_convolutions = sum(map(model.count_convolutions, model.own_inputs))
        smoothing = 0.0 if model.loss.has_chain else choose_label_smoothing(n_convolutions)
    if smoothing is not None:
        training = data.training
        weights = training.target_weights * training.loss_factors
        loss = model.loss.smoothed(smoothing, training.targets, weights)
        model = replace(model, loss=loss)
    if data.loss.is_strict:
        model = _with_transitions(model, data.training, anew=before is None)
    for _, branch in model.own_spec.branches:
        check_pieces(branch.encoder, settings.bptt_steps)
    return model


def _new_model(request: Request, data: Data) -> Model:
    settings = request.settings
    readers: dict[str, Reader] = {}
    encoders: dict[str, AnyEncoderSpec] = {}
    beside: dict[str, ConvolutionReader] = {}
    for name, part in data.inputs.items():
        wanted = wanted_encoder(request.branches[name], part.encoder_type)
        encoders[name] = choose_encoder(wanted, data.shapes[name], bptt_steps=settings.bptt_steps)
        sequences, weights = data.training.sequences[name], data.training.weights
        with naming(name):
            readers[name] = learned = part.learn(sequences, weights, encoders[name])
        n = _count_convolutions(request, data.shapes[name], name, learned, encoders[name])
        if n:
            assert isinstance(learned, NumberInput)
            made = ConvolutionReader.beside_numbers(learned, name, sequences, weights, n)
            beside[_CONVOLUTIONS] = made
    readers |= beside
    encoders |= {name: part.encoder for name, part in beside.items()}
    spec = network_spec(readers, encoders, data.loss, request.fusion)
    theta = Network(spec).initialize(request.rng, np.dtype(settings.dtype).type)
    model = Model(readers, spec, data.loss, theta)
    for name, branch in model.network.branches.items():
        prefix, parameters = branch.prefix, model.parameters
        own = [n.removeprefix(prefix) for n in parameters if n.startswith(prefix)]
        drawn = {parameter: parameters[prefix + parameter] for parameter in own}
        for parameter, values in readers[name].start_values(drawn).items():
            drawn[parameter][...] = values
    return model


def _count_convolutions(
    request: Request, shape: DataShape, name: str, part: Input, encoder: AnyEncoderSpec
) -> int:
    """Return how many features of random convolutions are to stand beside an input of numbers."""
    settings, bptt_steps = request.branches[name], request.settings.bptt_steps
    if not settings.is_auto("n_convolutions"):
        n: int = settings.get("n_convolutions", 0)
        if n:
            check_convolutions(part, encoder, bptt_steps)
        return n
    is_free = settings.is_auto("pooling")  # a pooling that was asked for is what the head reads
    if not (is_free and isinstance(part, NumberInput) and part.stamps is None):
        return 0
    return choose_convolutions(
        shape, encoder, bptt_steps=bptt_steps, incremental=request.incremental
    )


def _with_transitions(model: Model, training: TrainingSet, *, anew: bool) -> Model:
    """Return the model with a chain that permits the transitions of the training set."""
    model, chain = model.with_theta(model.theta.copy()), model.network.chain
    assert chain
    assert training.step_branch is not None
    offsets = training.sequences[training.step_branch].offsets
    known = training.target_weights > 0
    p = model.parameters.section("chain")
    chain.permit(p, training.targets, known, offsets, anew=anew)
    return model


# --- Plan -----------------------------------------------------------------------------------------


def make_plan(request: Request, data: Data, model: Model) -> Planned:
    """Decide how to train; hold out a part of the samples, if the plan needs one."""
    settings, training, validation = request.settings, data.training, data.validation
    is_stochastic = SOLVERS[settings.solver].is_stochastic

    def plan_of(shapes: Mapping[str, DataShape], *, validates: bool) -> Plan:
        branches = {
            name: PlannedBranch(request.branches[name], shapes[name], branch.encoder)
            for name, branch in model.own_spec.branches
        }
        return choose_plan(
            settings,
            branches,
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
        held_out = holds_out or request.has_held_out
        validates = validation is not None
        _warn_of_unused(request, data, model, plan, validates=validates, holds_out=held_out)
    return Planned(plan, training, validation)


def _warn_of_unused(
    request: Request, data: Data, model: Model, plan: Plan, *, validates: bool, holds_out: bool
) -> None:
    """Warn of parameters without effect, of the training and of each branch."""
    unused = []
    if request.settings not in request.branches.values():
        all_say = all(part.says_features for part in model.own_inputs.values())
        decided = Decisions(model.own_spec, plan, all_say, holds_out, validates)
        unused += unused_parameters(request.settings, decided)
    for name, branch in model.own_spec.branches:
        alone = NetworkSpec(((name, branch),), model.spec.n_outputs, chain=model.spec.chain)
        says_features = data.inputs[name].says_features
        decided = Decisions(alone, plan, says_features, holds_out, validates)
        settings = request.branches[name]
        prefix = "" if settings is request.settings else f"{name}__"
        unused += [prefix + said for said in unused_parameters(settings, decided)]
    if unused:
        warn(f"Parameters without effect: {', '.join(unused)}.")


def _hold_out(
    samples: TrainingSet, loss: Loss, settings: Settings, rng: RandomState
) -> tuple[TrainingSet, TrainingSet]:
    """Hold out a part for validation; return training and validation samples."""
    strata = None if samples.step_branch is not None else loss.strata(samples.targets)
    kept, held_out = split(samples.n_sequences, strata, settings, rng, samples.groups)
    return samples.take(kept), samples.take(held_out)


def split(
    n: int,
    strata: Values | None,
    settings: Settings,
    rng: RandomState,
    groups: Indices | None = None,
) -> tuple[Indices, Indices]:
    """Return which of n samples to train on, and which to validate on.

    Parameters
    ----------
    n : int
    strata : ndarray of shape (n,) or None
        What both parts keep the shares of.
    settings : Settings
    rng : RandomState
    groups : ndarray of int of shape (n,), default=None
        None of them is in both parts, and `strata` do not count then.

    Raises
    ------
    ValueError
        If one part is too small.
    """
    share = settings.validation_fraction
    if groups is not None:
        return _split_groups(groups, share, rng)
    if strata is not None and settings.is_auto("early_stopping"):
        _, sizes = np.unique(strata, return_counts=True)
        if sizes.min() < 2 or len(sizes) > share * n:
            strata = None  # some classes cannot be in both parts
    kept, held_out = train_test_split(
        np.arange(n), test_size=share, random_state=rng, stratify=strata
    )
    _check_held_out(held_out)
    return kept, held_out


def _split_groups(groups: Indices, share: float, rng: RandomState) -> tuple[Indices, Indices]:
    """Return which samples to train on, and which to validate on: a share of the groups."""
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "groups: expected at least 2 groups, of which one can be held out for validation, got "
            f"{n_groups}."
        )
    splitter = GroupShuffleSplit(1, test_size=share, random_state=rng)
    ((kept, held_out),) = splitter.split(groups, groups=groups)
    _check_held_out(held_out)
    return kept, held_out


def _check_held_out(held_out: Indices) -> None:
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            "your dataset."
        )


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
    trial = _Trial(request, model, training, TRIAL_SHARE)

    def loss_of(way: Plan) -> float:
        return _loss_on(trial.train(way, map_), trial.to_compare, map_)

    return planned._replace(plan=plan if loss_of(plan) <= loss_of(whole) else whole)


class _Trial:
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
        strata = None if training.step_branch is not None else model.loss.strata(training.targets)
        # Of "auto", strata that no split can keep are no reason to fail.
        quiet = request.settings.but(
            batch_size="auto", early_stopping="auto", validation_fraction=share
        )
        groups = training.groups
        if groups is not None and len(np.unique(groups)) < 2:
            groups = None
        rng = np.random.RandomState(self._seed)
        rows, held_out = split(training.n_sequences, strata, quiet, rng, groups)
        self.to_train, self.to_compare = training.take(rows), training.take(held_out)
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
    weights = samples.target_weights * samples.loss_factors
    mean = float(losses @ weights / weights.sum()) if weights.any() else np.inf
    return mean if np.isfinite(mean) else np.inf


# --- The bag beside the network -------------------------------------------------------------------


def add_bag(request: Request, data: Data, model: Model, planned: Planned, map_: Map) -> Model:
    """Return the model with a bag of tokens beside its network, fitted, if there is to be one.

    What its outputs and those of the network count is found by a trial: both are trained on some of
    the samples, and joined so that the loss on the others is lowest. A bag that was there before
    goes on learning, and counts what it did.
    """
    if request.progress:
        return model  # it has been fitted before the first epoch
    training, plan = planned.training, planned.plan
    weights = (training.target_weights * training.loss_factors).astype(np.float64)
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
    if not plan.incremental and (1 - share_to_compare(n)) * n >= MIN_TRIAL:
        bag = replace(bag, shares=_shares_by_trial(request, model, planned, empty, map_))
    return replace(model, bag=bag)


def _shares_by_trial(
    request: Request, model: Model, planned: Planned, empty: Bag, map_: Map
) -> tuple[float, float]:
    """Return the factors of network and bag that are best on samples that neither has seen."""
    n = planned.training.n_sequences
    trial = _Trial(request, model, planned.training, share_to_compare(n))
    some, others = trial.to_train, trial.to_compare
    n = others.n_sequences
    evenly = np.unique(np.linspace(0, n - 1, min(n, MOST_TO_COMPARE)).astype(np.intp))
    others = others.take(evenly)
    way = planned.plan
    is_stochastic = SOLVERS[request.settings.solver].is_stochastic
    if is_stochastic and not request.settings.is_auto("max_iter"):
        way = _with_as_many_updates(way, planned.training.n_sequences, some.n_sequences)
    trained = trial.train(way, map_, others if way.early_stopping else None)
    loss = model.loss.plain
    weights = (some.target_weights * some.loss_factors).astype(np.float64)
    bag = empty.fitted(some.sequences, some.targets, weights, loss)
    steps = trained.steps_of(others.sequences, trained.theta.dtype)
    raw = run_network(trained.network, trained.parameters, steps, map_)
    weights = others.target_weights * others.loss_factors
    return fit_shares(raw, bag.raw(others.sequences), others.targets, weights, loss)


def _with_as_many_updates(plan: Plan, n: int, n_of_trial: int) -> Plan:
    """Return the plan of so many epochs on fewer samples that there are as many updates.

    Where "auto" gives the epochs there are enough of them on fewer samples, too. With others the
    network of a trial might have hardly begun to learn, and seem to be less sure than it will be.
    """
    longer = math.ceil(n / plan.batch_size) / math.ceil(n_of_trial / plan.batch_size)
    return plan._replace(
        max_iter=math.ceil(longer * plan.max_iter),
        epochs={name: math.ceil(longer * n_epochs) for name, n_epochs in plan.epochs.items()},
    )


# --- Train ----------------------------------------------------------------------------------------


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
            training.target_weights * training.loss_factors,
            float(training.weights.mean()),
        ),
        (progress["theta"] if progress else model.theta).astype(plan.dtype),
        Terms(
            settings.alpha,
            settings.bptt_steps,
            tuple(
                _rates_of(request.branches[name], plan.dropout[name], part)
                if name in plan.dropout
                else DropoutRates()
                for name, part in model.inputs.items()
            ),
            _fusion_rates(request, plan),
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


def _rates_of(settings: Settings, dropout: float, part: Reader) -> DropoutRates:
    """Return what a branch leaves out; what it does not have draws no random numbers."""
    of_tokens = settings.get("token_dropout", 0.0) if part.spec.n_tokens is not None else 0.0
    return DropoutRates(dropout, settings.get("recurrent_dropout", 0.0), of_tokens)


def _fusion_rates(request: Request, plan: Plan) -> FusionRates:
    """Return the dropout above the branches, which may hang on that of the branches."""
    rates = request.fusion_dropout
    return rates if rates.hidden is not None else rates._replace(hidden=max(plan.dropout.values()))


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
    bag = model.bag_outputs(validation.sequences)
    loss, targets = model.loss, validation.targets
    weights = validation.target_weights * validation.loss_factors
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
            bag=bag,
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


# --- Publish --------------------------------------------------------------------------------------


def publish(request: Request, model: Model, plan: Plan, trained: Trained) -> Fitted:
    """Return the result of the fit, as an estimator keeps it."""
    chosen = {**plan._asdict(), "group_by_length": trained.solution.group_by_length}
    del chosen["epochs"]
    chosen["dropout"] = _fusion_rates(request, plan).hidden
    chosen |= {name: getattr(model.loss, name) for name in model.loss.of_fit}
    if plan.incremental:
        del chosen["max_iter"]  # one epoch is one epoch
    auto = _auto(request.settings, chosen)
    for name, branch in model.own_spec.branches:
        settings, part = request.branches[name], model.own_inputs[name]
        chosen = asdict(branch.encoder) | {
            "dropout": plan.dropout[name],
            "last_epochs": plan.epochs[name],
            "embedding_dim": part.embedding_dim,
            "n_convolutions": model.count_convolutions(name),
        }
        if isinstance(part, NumberInput):
            chosen["scaling"] = part.scaling
        if branch.input.n_tokens is not None:
            chosen["bag"] = model.bag is not None and name in model.bag.tokens
        of_branch = _auto(settings, chosen)
        if settings is request.settings:
            both = auto | of_branch
            auto = {n: both[n] for n in AUTO_PARAMETERS if n in both}
        else:
            auto |= {f"{name}__{n}": value for n, value in of_branch.items()}
    return Fitted(
        model.with_theta(trained.theta),
        trained.history,
        trained.solution.outcome,
        trained.solution.optimizer_states,
        auto,
        plan.early_stopping,
        trained.solution.progress,
    )


def _auto(settings: Settings, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that "auto" stands for."""
    return {
        name: chosen[name] for name in AUTO_PARAMETERS if name in chosen and settings.is_auto(name)
    }
