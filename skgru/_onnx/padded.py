"""Sequences in a graph: padded at their ends, and known by their lengths.

Letters, here and beside: N sequences, T steps of the longest one, D numbers of a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skgru._onnx.graph import Graph, Name


class Padded(NamedTuple):
    """Sequences of unequal length as one array; what lies beyond their ends is of no meaning.

    Attributes
    ----------
    values : str
        Of an array (N, T, D), or (N, T) of ids.
    lengths : str
        Of an array (N,).
    """

    values: Name
    lengths: Name


class PaddedSteps(NamedTuple):
    """The inputs of a stack at all steps.

    Attributes
    ----------
    x : str
        Of an array (T, N, D): zeros beyond the ends.
    gaps : str or None
        Of an array (T, N, n_gaps): times since features were last seen.
    lengths : str
        Of an array (N,).
    mask : str
        Of an array (T, N, 1): which steps the sequences have.
    """

    x: Name
    gaps: Name | None
    lengths: Name
    mask: Name


def mask_of(g: Graph, lengths: Name, n_steps: Name) -> Name:
    """Return which steps each sequence has, (N, T), given how many there are, (1,)."""
    return g.node("Less", g.unsqueeze(g.range(n_steps), 0), g.unsqueeze(lengths, 1))


def is_present(g: Graph, lengths: Name) -> Name:
    """Return which samples have a step, or a row, (N, 1)."""
    return g.node("Greater", g.unsqueeze(lengths, 1), g.constant(0, np.int64))


def at_least_one(g: Graph, x: Name, n_axes: int, padding: Any) -> Name:
    """Return an array of so many axes, with padding in each of them that has the length 0.

    Operators of ONNX Runtime are not made for sequences without a sample, or without a step.
    """
    n_more = g.cast(g.node("Equal", g.node("Shape", x), g.constant(0, np.int64)), np.int64)
    in_front = g.constant([0] * n_axes, np.int64)
    return g.node("Pad", x, g.concatenate([in_front, n_more], 0), g.constant(padding))


def steps_of(
    g: Graph, parts: list[Name], gaps: Name | None, lengths: Name, dtype: Any
) -> PaddedSteps:
    """Return the inputs of a stack, given columns (N, T, D) that lie side by side."""
    x = g.concatenate(parts)
    mask = g.unsqueeze(mask_of(g, lengths, g.size(x, 1)), 2)
    # (A product would not do: padding may be NaN.)
    x = g.where(mask, x, g.constant(0, dtype))
    if gaps is not None:
        gaps = g.transpose(gaps, 1, 0, 2)
    return PaddedSteps(g.transpose(x, 1, 0, 2), gaps, lengths, g.transpose(mask, 1, 0, 2))


def patched(g: Graph, x: Padded, patch_size: int, padding: Name) -> Padded:
    """Return patches of steps side by side, counted from the ends; see `skgru._data.steps.Steps`.

    Parameters
    ----------
    g : Graph
    x : Padded
    patch_size : int
    padding : str
        Of an array (D,): the steps that are missing in front of the first patch.
    """
    if patch_size == 1:
        return x
    k, more = g.constant([patch_size], np.int64), g.constant([patch_size - 1], np.int64)
    lengths = g.node("Div", g.node("Add", x.lengths, more), k)
    n_patches = g.node("Div", g.node("Add", g.size(x.values, 1), more), k)
    # The row of each step of a patch: negative in front of the sequence.
    shift = g.node("Sub", x.lengths, g.node("Mul", lengths, k))
    among = g.range(g.node("Mul", n_patches, k))
    rows = g.node("Add", g.unsqueeze(among, 0), g.unsqueeze(shift, 1))
    zero, last = (
        g.constant(0, np.int64),
        g.node("Sub", g.size(x.values, 1), g.constant([1], np.int64)),
    )
    taken = g.node("Min", g.node("Max", rows, zero), last)
    values = g.node("GatherND", x.values, g.unsqueeze(taken, 2), batch_dims=1)
    is_there = g.unsqueeze(g.node("Not", g.node("Less", rows, zero)), 2)
    values = g.where(is_there, values, padding)
    width = g.node("Mul", g.size(x.values, 2), k)
    # (Of no sequence at all, -1 could not be found out.)
    values = g.reshape(values, g.size(x.values, 0), n_patches, width)
    return Padded(values, lengths)
