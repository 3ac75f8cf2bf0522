"""Random convolutions in a graph, and the linear layer above them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skgru._nn.convolution_stack import ConvolutionStack
from skgru._nn.convolutions import N_TAPS
from skgru._nn.parameters import Parameters
from skgru._onnx.graph import Graph, Name
from skgru._onnx.padded import PaddedSteps, is_present


def convolve(
    g: Graph, stack: ConvolutionStack, p: Parameters, steps: PaddedSteps, dtype: Any
) -> Name:
    """Return the raw outputs of the branch, (N, K): zeros for a sequence without a step.

    See `skgru._nn.convolutions.RandomConvolutions`.
    """
    kernels, own = stack.kernels, p.section(stack.kernels_name)
    x = g.transpose(steps.x, 1, 0, 2)  # (N, T, D), zeros beyond the ends
    mask = g.transpose(steps.mask, 1, 0, 2)
    n_steps = g.size(x, 1)
    zero = g.constant(0, dtype)
    at_least_one = g.node("Max", steps.lengths, g.constant(1, np.int64))
    n = g.cast(g.unsqueeze(at_least_one, 1), dtype)
    features = []
    for i, dilation in enumerate(kernels.dilations):
        room = dilation * (N_TAPS // 2)
        padded = g.node("Pad", x, g.constant([0, room, 0, 0, room, 0], np.int64), zero)
        starts = [g.constant([j * dilation], np.int64) for j in range(N_TAPS)]
        taps = [g.slice(padded, start, g.node("Add", start, n_steps), 1) for start in starts]
        c = g.node("MatMul", g.concatenate(taps), g.constant(own[f"weights_{i}"], dtype))
        half = g.constant(0.5, dtype)
        thresholds = own[f"thresholds_{i}"]
        for of_kernels in thresholds:
            z = g.node("Sub", c, g.constant(of_kernels, dtype))
            z = g.node("Tanh", g.node("Mul", z, half))
            total = g.reduce("Sum", g.where(mask, z, zero), 1)  # (N, K)
            means = g.node("Div", total, n)
            features.append(g.node("Mul", g.node("Add", means, g.constant(1, dtype)), half))
    found = g.node("Sub", g.concatenate(features), g.constant(own["center"], dtype))
    found = g.node("Div", found, g.constant(own["scale"], dtype))
    ((name, _),) = stack.layers.items()
    raw = g.dense(found, p.section(name), dtype)
    return g.where(is_present(g, steps.lengths), raw, zero)
