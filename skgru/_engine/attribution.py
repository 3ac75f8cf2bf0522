"""Attributions: how much each value of X contributes to an output of the network.

The inputs of the stacks move on a straight line from those of a baseline to those of X: between
them, tokens and categories are vectors, and numbers are scaled. What the inputs of the stack
contribute is added up by the values of X that they come from, see `Reader.origins`. A bag of tokens
beside the network moves on a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from skgru._budget import predicts_on_threads
from skgru._data.inputs import Line, Origins
from skgru._data.parsing import Parsed
from skgru._data.tokens import TokenInput
from skgru._engine.bag_line import BagLine
from skgru._engine.explainer import Attributions, Explainer, Tick
from skgru._engine.gradients import differentiate, integrate
from skgru._engine.model import Model, naming
from skgru._engine.occlusion import occlude
from skgru._engine.threads import on_threads


def attribute(
    model: Model,
    parsed: Mapping[str, Parsed],
    baseline: Mapping[str, Any],
    target: Any,
    *,
    method: str,
    n_steps: int | None,
    tol: float,
    batch_size: int | None,
    n_jobs: int | None,
    tick: Tick,
) -> Attributions:
    """Return the contributions of the values of X to an output.

    Parameters
    ----------
    model : Model
    parsed : mapping of str to Parsed
        The samples, by the names of the inputs.
    baseline : mapping of str to object
        Of each input; see `Reader.from_baseline`.
    target : object
        See `choose`.
    method : {"integrated_gradients", "gradient", "occlusion"}
    n_steps : int or None
        Points on the line; None = as many as a sample needs.
    tol : float
        The error of the sum of a sample, as a share of the change of the output.
    batch_size : int or None
        How many samples are run at a time; None = as many as memory is for.
    n_jobs : int or None
        Threads, where the samples are many and the network is wide.
    tick : callable
        Is told again and again how many samples are done.
    """
    lines: dict[str, Line] = {}
    origins: dict[str, Origins] = {}
    dtype = model.theta.dtype
    factors = lines if method != "gradient" else {}
    for name, part in model.inputs.items():
        source = model.source_of(name)
        sequences = parsed[source].sequences
        with naming(source):
            lines[name] = part.from_baseline(sequences, baseline.get(source), dtype)
            origins[name] = part.origins(sequences)
        if method == "gradient":
            factors[name] = part.tangents(sequences, lines[name], dtype)
    bag = _bag_line(model, parsed, baseline)
    explainer = Explainer(model, lines, factors, origins, target, tick, bag)
    run: dict[str, Callable[..., Attributions]] = {
        "integrated_gradients": partial(integrate, explainer, n_steps=n_steps, tol=tol),
        "gradient": partial(differentiate, explainer),
        "occlusion": partial(occlude, explainer),
    }
    shares = predicts_on_threads(model.network.n_units_of_widest, explainer.n_samples)
    found = on_threads(n_jobs if shares else 1, partial(run[method], batch_size=batch_size))
    for name, part in model.beside.items():  # the same values of X
        found.values[part.beside] += found.values.pop(name)
        del found.origins[name]
    return found


def _bag_line(
    model: Model, parsed: Mapping[str, Parsed], baseline: Mapping[str, Any]
) -> BagLine | None:
    """Return the line of the bag beside the network, if there is one."""
    if model.bag is None:
        return None
    start, end = {}, {}
    for name in model.bag.tokens:
        part = model.inputs[name]
        assert isinstance(part, TokenInput)
        end[name] = parsed[name].sequences
        start[name] = part.at_baseline(end[name], baseline.get(name))
    return BagLine(model.bag, start, end)
