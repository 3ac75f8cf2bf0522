"""A linear model of bags of tokens in a graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skgru._data.bag import BagOfTokens
from skgru._engine.bag_model import Bag
from skgru._nn.batch import Array
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
        The ids of each branch, of one sample at least.
    raw : str
        The outputs of the network.
    """
    of_network, own = bag.shares
    total, start = g.constant(own * bag.bias, np.float64), 0
    for name, tokens in bag.tokens.items():
        weights = own * bag.weights[start : start + tokens.n_columns]
        total = g.node("Add", total, _product(g, tokens, given[name], weights))
        start += tokens.n_columns
    of_bag = g.slice(total, g.constant([0], np.int64), g.size(raw, 0), 0)
    return g.node("Add", g.node("Mul", raw, g.constant(of_network, np.float64)), of_bag)


def _product(g: Graph, bag: BagOfTokens, given: Padded, weights: Array) -> Name:
    """Return the product of the rows of a bag with weights (D, K), (N, K).

    A row holds (1 + log count) · idf of each token and pair, and has the length 1; see
    `BagOfTokens`. It is never made: there may be very many pairs. Each occurrence has a share.
    """
    places = _places(g, bag, given)  # (N, L)
    counts = _counts(g, places)
    one, nothing = g.constant(1.0), np.zeros((1, weights.shape[1]))  # of what is not known
    idf = g.node("Gather", g.constant(np.append(bag.idf, 0.0)), places, axis=0)
    weight = g.node("Mul", g.node("Add", g.node("Log", counts), one), idf)
    share = g.node("Div", weight, counts)
    length = g.node("Sqrt", g.reduce("Sum", g.node("Mul", weight, share), 1, keepdims=True))
    share = g.node("Div", share, g.where(g.node("Equal", length, g.constant(0.0)), one, length))
    of_places = g.node("Gather", g.constant(np.vstack([weights, nothing])), places, axis=0)
    return g.squeeze(g.node("MatMul", g.unsqueeze(share, 1), of_places), 1)


def _places(g: Graph, bag: BagOfTokens, given: Padded) -> Name:
    """Return the column of each token, and behind them of each pair; D of what is not known."""
    V, D = len(bag.token_ids), bag.n_columns
    n_steps = g.size(given.values, 1)
    mask = mask_of(g, given.lengths, n_steps)
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
    smallest_first, _ = g.nodes_of(
        "TopK", places, g.size(places, 1), n_outputs=2, axis=1, largest=0, sorted=1
    )
    return smallest_first


def _counts(g: Graph, sorted_places: Name) -> Name:
    """Return how often each one of sorted numbers (N, L) stands in its row, in float64."""
    zero, one = g.constant([0], np.int64), g.constant([1], np.int64)
    n = g.size(sorted_places, 1)
    before = g.slice(sorted_places, zero, g.node("Sub", n, one), 1)
    is_same = g.node("Equal", before, g.slice(sorted_places, one, n, 1))
    steps = g.cast(g.node("Not", is_same), np.int64)
    first = g.columns(g.node("Mul", sorted_places, zero), 0, 1, 1)
    group = g.node("CumSum", g.concatenate([first, steps], 1), g.constant(1, np.int64))
    ones = g.expand(g.constant([[1.0]]), group)
    nothing = g.expand(g.constant([[0.0]]), group)
    totals = g.node("ScatterElements", nothing, group, ones, axis=1, reduction="add")
    return g.node("GatherElements", totals, group, axis=1)
