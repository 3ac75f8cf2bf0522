"""A chain of tags in a graph: the likeliest path, and the probability of each tag.

See `skgru._nn.chain.Chain`; here all sums are logarithms.
"""

from __future__ import annotations

import numpy as np

from skgru._nn.chain import LARGEST_RANGE
from skgru._nn.part import Arrays
from skgru._onnx.graph import Graph, Name

_DTYPE = np.float64


def best_paths(g: Graph, p: Arrays, raw: Name, lengths: Name) -> Name:
    """Return the tags of each sequence's likeliest path, (T, N).

    Parameters
    ----------
    g : Graph
    p : dict of ndarray
        The parameters of the chain.
    raw : str
        The scores of the tags, (T, N, K), in float64.
    lengths : str
        Of an array (N,).
    """
    transitions = g.constant(p["transitions"], _DTYPE)
    is_first, is_last = _ends(g, raw, lengths)

    def forth(g: Graph, states: list[Name], inputs: list[Name]) -> tuple[list[Name], list[Name]]:
        (best,), (scores, first) = states, inputs
        onward = g.reduce("Max", g.node("Add", g.unsqueeze(best, 2), transitions), 1)
        before = g.where(first, g.constant(p["start"], _DTYPE), onward)
        best = g.node("Add", scores, before)
        return [best], [best]

    nothing = _nothing(g, raw)
    scan_inputs = [(raw, _DTYPE), (is_first, bool)]
    _, (best,) = g.scan(forth, [(nothing, _DTYPE)], scan_inputs, [_DTYPE])

    def back(g: Graph, states: list[Name], inputs: list[Name]) -> tuple[list[Name], list[Name]]:
        (following,), (scores, last) = states, inputs
        to_next = g.node("Gather", g.constant(p["transitions"].T, _DTYPE), following, axis=0)
        onward = g.where(last, g.constant(p["end"], _DTYPE), to_next)
        tag = g.node("ArgMax", g.node("Add", scores, onward), axis=1, keepdims=0)
        return [tag], [tag]

    first_tag = g.cast(g.squeeze(g.columns(nothing, 0, 1), 1), np.int64)
    scan_inputs = [(best, _DTYPE), (is_last, bool)]
    states = [(first_tag, np.int64)]
    _, (tags,) = g.scan(back, states, scan_inputs, [np.int64], from_end=True)
    return tags


def log_marginals(g: Graph, p: Arrays, raw: Name, lengths: Name) -> Name:
    """Return the logarithms of each step's probabilities of tags, up to a constant, (T, N, K)."""
    scores = p["transitions"].astype(_DTYPE)
    transitions = g.constant(np.maximum(scores, scores.max() - LARGEST_RANGE))
    is_first, is_last = _ends(g, raw, lengths)

    def forth(g: Graph, states: list[Name], inputs: list[Name]) -> tuple[list[Name], list[Name]]:
        (total,), (scores, first) = states, inputs
        onward = _log_sum(g, g.node("Add", g.unsqueeze(total, 2), transitions), 1)
        before = g.where(first, g.constant(p["start"], _DTYPE), onward)
        total = g.node("Add", scores, before)
        return [total], [total]

    def back(g: Graph, states: list[Name], inputs: list[Name]) -> tuple[list[Name], list[Name]]:
        (following,), (scores, last) = states, inputs
        onward = _log_sum(g, g.node("Add", transitions, g.unsqueeze(following, 1)), 2)
        total = g.where(last, g.constant(p["end"], _DTYPE), onward)
        return [g.node("Add", total, scores)], [total]

    state = [(_nothing(g, raw), _DTYPE)]
    _, (up_to,) = g.scan(forth, state, [(raw, _DTYPE), (is_first, bool)], [_DTYPE])
    _, (behind,) = g.scan(back, state, [(raw, _DTYPE), (is_last, bool)], [_DTYPE], from_end=True)
    return g.node("Add", up_to, behind)


def _ends(g: Graph, raw: Name, lengths: Name) -> tuple[Name, Name]:
    """Return which steps are the first and the last ones, (T, 1, 1) and (T, N, 1)."""
    places = g.unsqueeze(g.range(g.size(raw, 0)), 1)  # (T, 1)
    is_first = g.node("Equal", places, g.constant(0, np.int64))
    last = g.node("Sub", g.unsqueeze(lengths, 0), g.constant(1, np.int64))
    return g.unsqueeze(is_first, 2), g.unsqueeze(g.node("Equal", places, last), 2)


def _nothing(g: Graph, raw: Name) -> Name:
    """Return zeros (N, K)."""
    shape = g.concatenate([g.size(raw, 1), g.size(raw, 2)], 0)
    return g.node("Expand", g.constant(0, _DTYPE), shape)


def _log_sum(g: Graph, x: Name, axis: int) -> Name:
    """Return log Σ exp along an axis."""
    largest = g.reduce("Max", x, axis, keepdims=True)
    total = g.reduce("Sum", g.node("Exp", g.node("Sub", x, largest)), axis)
    return g.node("Add", g.node("Log", total), g.squeeze(largest, axis))
