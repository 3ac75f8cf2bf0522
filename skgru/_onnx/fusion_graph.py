"""The way from the outputs of the branches to the raw outputs of the network, in a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skgru._nn.fusion import Fusion
from skgru._nn.parameters import Parameters
from skgru._onnx.graph import Graph, Name
from skgru._spec import FusionSpec

# As in `predict`: the head adds in double precision.
DTYPE = np.float64


def fuse(
    g: Graph,
    fusion: Fusion,
    spec: FusionSpec,
    p: Parameters,
    outputs: Mapping[str, Name],
    present: Mapping[str, Name],
    wide: set[str],
) -> Name:
    """Return the raw outputs in float64, (…, K).

    Parameters
    ----------
    g : Graph
    fusion : Fusion
    spec : FusionSpec
    p : Parameters
    outputs : mapping of str to str
        Those of each branch, (…, n), in float64.
    present : mapping of str to str
        Which samples have the branch, (…, 1).
    wide : set of str
        The branches whose outputs are raw outputs.
    """
    read = dict(outputs)
    if spec.knows_absence:
        for name, y in read.items():
            instead = g.constant(p[f"{name}.absence.outputs"], DTYPE)
            read[name] = g.where(present[name], y, instead)
    if spec.fusion == "gated":
        read = _times_weights(g, p, read, present)
    below = g.concatenate([y for name, y in read.items() if name not in wide] or [""])
    if below:
        y = below
        for name in fusion.hidden.layers:
            y = g.node("Relu", g.dense(y, p.section(name), DTYPE))
        if fusion.hidden.layers:
            below = g.concatenate([below, y])
        raw = g.dense(below, p.section("head"), DTYPE)
    else:
        raw = g.constant(p["head.bias"], DTYPE)
    for name in wide:
        raw = g.node("Add", raw, read[name])
    return raw


def _times_weights(
    g: Graph, p: Parameters, outputs: Mapping[str, Name], present: Mapping[str, Name]
) -> dict[str, Name]:
    """Return the outputs of the branches times their weights; see `skgru._nn.fusion.Gate`."""
    is_there = g.concatenate(list(present.values()))  # (…, C)
    scores = g.dense(g.concatenate(list(outputs.values())), p.section("fusion.gate"), DTYPE)
    scores = g.where(is_there, scores, g.constant(-np.inf))
    weights = g.node("Softmax", scores, axis=-1)  # NaN of a sample without any branch
    n_present = g.reduce("Sum", g.cast(is_there, DTYPE), -1, keepdims=True)
    factors = g.where(is_there, g.node("Mul", weights, n_present), g.constant(1.0))
    return {
        name: g.node("Mul", y, g.columns(factors, j, j + 1))
        for j, (name, y) in enumerate(outputs.items())
    }


def as_double(g: Graph, x: Name, dtype: Any) -> Name:
    """Return outputs of branches in the type of the head."""
    return x if np.dtype(dtype) == DTYPE else g.cast(x, DTYPE)
