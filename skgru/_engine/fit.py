"""A fit, in five calls that hand values on: read, build, plan, train, publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache, partial
from typing import Any

import numpy as np

from skgru._data.inputs import Input, Reader, known
from skgru._data.kinds import make_input
from skgru._data.numbers import NumberInput
from skgru._data.parsing import Parsed
from skgru._data.random_kernels import ConvolutionReader, may_hold_features, round_convolutions
from skgru._data.targets import as_targets
from skgru._data.training_set import Samples, TrainingSet, check_same_steps, parse_samples
from skgru._defaults import (
    DataShape,
    Plan,
    PlannedBranch,
    choose_convolutions,
    choose_encoder,
    choose_label_smoothing,
    choose_plan,
    fits_convolutions_apart,
)
from skgru._engine.convolutions_apart import parted
from skgru._engine.holding_out import hold_out
from skgru._engine.loss import Loss
from skgru._engine.model import Model, naming, network_spec, parse_inputs
from skgru._engine.publishing import publish
from skgru._engine.request import Data, Fitted, Given, Map, Planned, Request
from skgru._engine.solvers import SOLVERS, Progress
from skgru._engine.training import train
from skgru._engine.trials import add_bag, fit_convolutions, settle_late
from skgru._engine.unused import Decisions, unused_parameters
from skgru._nn.network import Network
from skgru._options import check_convolutions, check_pieces, fill_auto, wanted_encoder
from skgru._spec import AnyEncoderSpec, FeedForwardSpec, NetworkSpec
from skgru._warnings import warn

# The parameters that may change while a training goes on: they change nothing of it, or the
# parameters of what they hold are compared one by one.
_FREE = ("n_jobs", "verbose", "warm_start", "branches", "remainder")

# The name of the branch of random convolutions beside the only one.
_CONVOLUTIONS = "convolutions"


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
    model = fit_convolutions(request, model, planned, map_)
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
                if request.incremental:
                    inputs[name] = inputs[name].expecting_more(part)
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
    for name in _convolutions_apart(request, model, data.training.n_sequences):
        model = parted(model, name)
    smoothing = settings.get("label_smoothing")
    if settings.is_auto("label_smoothing"):
        smoothing = choose_label_smoothing(trains_convolutions=model.trains_convolutions)
        if model.loss.has_chain:
            smoothing = 0.0
    if smoothing is not None:
        training = data.training
        weights = training.loss_weights
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


def _convolutions_apart(request: Request, model: Model, n_sequences: int) -> list[str]:
    """Return the branches of convolutions that are fitted apart from the network, or have been."""
    if request.before is not None:
        return [name for name, part in model.beside.items() if part.factor is not None]
    itemsize = np.dtype(np.float64).itemsize
    return [
        name
        for name, part in model.beside.items()
        if fits_convolutions_apart(n_sequences, incremental=request.incremental)
        and may_hold_features(n_sequences, part.n_convolutions, itemsize)
    ]


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
        training, validation = hold_out(training, data.loss, settings, request.rng)
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
