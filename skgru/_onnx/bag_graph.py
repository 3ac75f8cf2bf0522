"""A linear model of bags of tokens in a graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skgru._data.bag import BagOfTokens
from skgru._engine.bag_model import Bag
from skgru._onnx.graph import Graph, Name
from skgru._onnx.padded import Padded, mask_of
from skgru._onnx.tokens_graph import positions


def join_bag(g: Graph, bag: Bag, given: Mapping[str, Padded], raw: Name) -> Name:
    """Return the raw outputs of a network and of a bag together, (N, K), in float64.

    Parameters
    ----------
    g : Graph
    bag : Bag
    given : mapping of str to Padded
        The ids of each branch.
    raw : str
        The outputs of the network.
    """
    of_network, own = bag.shares
    rows = [_row(g, tokens, given[name]) for name, tokens in bag.tokens.items()]
    dense = {"weights": own * bag.weights, "bias": own * bag.bias}
    of_bag = g.dense(g.concatenate(rows), dense, np.float64)
    return g.node("Add", g.node("Mul", raw, g.constant(of_network, np.float64)), of_bag)


def _row(g: Graph, bag: BagOfTokens, given: Padded) -> Name:
    """Return (1 + log count) · idf of tokens and pairs, of length 1, (N, D); see `BagOfTokens`."""
    V, D = len(bag.token_ids), bag.n_columns
    n_steps = g.size(given.values, 1)
    mask = mask_of(g, given.lengths, n_steps)
    # Column D is that of all that is not known.
    outside, unknown = g.constant(D, np.int64), g.constant(-1, np.int64)
    found = g.where(mask, positions(g, given.values, bag.token_ids, -1), unknown)
    is_known = g.node("Greater", found, unknown)
    columns = [g.where(is_known, found, outside)]
    if len(bag.pairs):
        one = g.constant([1], np.int64)
        before = g.slice(found, g.constant([0], np.int64), g.node("Sub", n_steps, one), 1)
        after = g.slice(found, one, n_steps, 1)
        both = g.node("And", g.node("Greater", before, unknown), g.node("Greater", after, unknown))
        keys = g.node("Add", g.node("Mul", before, g.constant(V, np.int64)), after)
        pairs = positions(g, g.where(both, keys, unknown), bag.pairs, D - V)
        columns.append(g.node("Add", pairs, g.constant(V, np.int64)))
    places = g.concatenate(columns, 1)
    shape = g.concatenate([g.size(places, 0), g.constant([D + 1], np.int64)], 0)
    nothing = g.node("Expand", g.constant(0.0), shape)
    ones = g.expand(g.constant([[1.0]]), places)
    counts = g.node("ScatterElements", nothing, places, ones, axis=1, reduction="add")
    counts = g.columns(counts, 0, D, 1)
    one, zero = g.constant(1.0), g.constant(0.0)
    weight = g.node("Add", g.node("Log", g.node("Max", counts, one)), one)
    weight = g.node("Mul", weight, g.constant(bag.idf, np.float64))
    weight = g.where(g.node("Greater", counts, zero), weight, zero)
    length = g.node("Sqrt", g.reduce("Sum", g.node("Mul", weight, weight), 1, keepdims=True))
    return g.node("Div", weight, g.where(g.node("Equal", length, zero), one, length))
