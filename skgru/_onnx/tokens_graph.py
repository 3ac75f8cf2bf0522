"""Inputs of token ids in a graph: padding found at both ends, and the vectors of the tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._data.inputs import known
from skgru._data.tokens import TokenInput
from skgru._nn.part import Arrays
from skgru._onnx.graph import ML, Graph, Name
from skgru._onnx.padded import Padded, PaddedSteps, patched, steps_of


def trim_tokens(g: Graph, X: Name, lengths: Name | None) -> Padded:
    """Return the ids without zeros at either end.

    Parameters
    ----------
    g : Graph
    X : str
        Of an array (N, T) of int64.
    lengths : str or None
        Of an array (N,); None = all have T steps.
    """
    zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
    n_steps = g.size(X, 1)
    places = g.unsqueeze(g.range(n_steps), 0)  # (1, T)
    is_token = g.node("Not", g.node("Equal", X, zero))
    if lengths is not None:
        is_token = g.node("And", is_token, g.node("Less", places, g.unsqueeze(lengths, 1)))
    last = g.node("Sub", n_steps, one)
    first = g.reduce("Min", g.where(is_token, places, last), 1, keepdims=True)  # (N, 1)
    behind = g.where(is_token, g.node("Add", places, one), zero)
    found = g.node("Sub", g.reduce("Max", behind, 1), g.squeeze(first, 1))
    shifted = g.node("Min", g.node("Add", places, first), last)
    values = g.node("GatherElements", X, shifted, axis=1)
    return Padded(values, g.node("Max", found, zero))


def read_tokens(g: Graph, given: Padded, reader: TokenInput, p: Arrays, dtype: Any) -> PaddedSteps:
    """Return the vectors of tokens as the inputs of a stack."""
    ids = known(reader.token_ids)
    rows = positions(g, given.values, ids, 0)
    vectors = g.node("Gather", g.constant(p["weights"], dtype), rows, axis=0)
    read = patched(g, Padded(vectors, given.lengths), reader.patch_size, g.constant(0, dtype))
    return steps_of(g, [read.values], None, read.lengths, dtype)


def positions(g: Graph, values: Name, known_values: NDArray[Any], otherwise: int) -> Name:
    """Return the position of each id, or other integer, among those that are known."""
    n = len(known_values)
    if not n:
        return g.node("Add", g.node("Mul", values, g.constant(0)), g.constant(otherwise))
    if known_values[0] >= 0 and known_values[-1] - known_values[0] == n - 1:  # one after the other
        place = g.node("Sub", values, g.constant(known_values[0], np.int64))
        is_above = g.node("Less", place, g.constant(0, np.int64))
        is_below = g.node("Greater", place, g.constant(n - 1, np.int64))
        is_unknown = g.node("Or", is_above, is_below)
        return g.where(is_unknown, g.constant(otherwise, np.int64), place)
    return g.node(
        "LabelEncoder",
        values,
        domain=ML,
        keys_int64s=known_values.tolist(),
        values_int64s=list(range(n)),
        default_int64=otherwise,
    )
