"""Pooling in a graph: from the outputs of all steps to one row for each sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from skgru._nn.part import Arrays
from skgru._nn.pooling import (
    AttentionPooling,
    LastPooling,
    MaxPooling,
    MeanPooling,
    Pooling,
    PoolingsSideBySide,
)
from skgru._onnx.graph import Graph, Name
from skgru._onnx.padded import PaddedSteps
from skgru._onnx.recurrence import Encoded


def pool(
    g: Graph, pooling: Pooling, p: Arrays, encoded: Encoded, steps: PaddedSteps, dtype: Any
) -> Name:
    """Return the pooled outputs, (N, n_outputs): zeros for a sequence without a step.

    Raises
    ------
    ValueError
        If the pooling is of no kind that is known here.
    """
    if isinstance(pooling, PoolingsSideBySide):
        return g.concatenate([pool(g, part, p, encoded, steps, dtype) for part in pooling.parts])
    if type(pooling) not in POOLINGS:
        raise ValueError(
            f"{type(pooling).__name__} has no graph of ONNX: expected one of "
            f"{', '.join(kind.__name__ for kind in POOLINGS)}."
        )
    return POOLINGS[type(pooling)](g, p, encoded, steps, dtype)


def _last(g: Graph, p: Arrays, encoded: Encoded, steps: PaddedSteps, dtype: Any) -> Name:
    return encoded.last


def _mean(g: Graph, p: Arrays, encoded: Encoded, steps: PaddedSteps, dtype: Any) -> Name:
    total = g.reduce("Sum", g.node("Mul", encoded.y, g.cast(steps.mask, dtype)), 0)
    n_steps = g.node("Max", steps.lengths, g.constant(1, np.int64))
    return g.node("Div", total, g.unsqueeze(g.cast(n_steps, dtype), 1))


def _max(g: Graph, p: Arrays, encoded: Encoded, steps: PaddedSteps, dtype: Any) -> Name:
    zero, lowest = g.constant(0, dtype), g.constant(-np.inf, dtype)
    beyond = g.where(steps.mask, zero, lowest)  # (T, N, 1)
    largest = g.reduce("Max", g.node("Add", encoded.y, beyond), 0)
    return g.where(g.node("IsInf", largest), zero, largest)


def _attention(g: Graph, p: Arrays, encoded: Encoded, steps: PaddedSteps, dtype: Any) -> Name:
    zero, one = g.constant(0, dtype), g.constant(1, dtype)
    dense = {"weights": p["attention_weights"], "bias": p["attention_bias"]}
    hidden = g.node("Tanh", g.dense(encoded.y, dense, dtype))
    score = g.node("MatMul", hidden, g.constant(p["attention_score"][:, None], dtype))
    score = g.where(steps.mask, score, g.constant(-np.inf, dtype))  # (T, N, 1)
    largest = g.reduce("Max", score, 0, keepdims=True)
    largest = g.where(g.node("IsInf", largest), zero, largest)
    weight = g.node("Exp", g.node("Sub", score, largest))
    total = g.reduce("Sum", weight, 0)
    weighted = g.reduce("Sum", g.node("Mul", weight, encoded.y), 0)
    return g.node("Div", weighted, g.where(g.node("Equal", total, zero), one, total))


POOLINGS = {
    LastPooling: _last,
    MeanPooling: _mean,
    MaxPooling: _max,
    AttentionPooling: _attention,
}
