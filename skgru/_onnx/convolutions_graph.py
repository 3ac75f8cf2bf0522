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
    x = g.transpose(steps.x, 1, 2, 0)  # (N, D, T), zeros beyond the ends
    mask = g.cast(g.transpose(steps.mask, 1, 0, 2), dtype)  # (N, T, 1)
    half, one, zero = (g.constant(number, dtype) for number in (0.5, 1, 0))
    at_least_one = g.node("Max", steps.lengths, g.constant(1, np.int64))
    n = g.cast(g.unsqueeze(at_least_one, 1), dtype)
    features = []
    for i, dilation in enumerate(kernels.dilations):
        # σ(z) = (1 + tanh(z / 2)) / 2
        c = _convolved(g, x, 0.5 * own[f"weights_{i}"], dilation, dtype)  # (N, K, T)
        for thresholds in 0.5 * own[f"thresholds_{i}"]:
            z = g.node("Tanh", g.node("Sub", c, g.constant(thresholds[:, None], dtype)))
            total = g.squeeze(g.node("MatMul", z, mask), 2)  # (N, K)
            features.append(g.node("Mul", g.node("Add", g.node("Div", total, n), one), half))
    found = g.node("Sub", g.concatenate(features), g.constant(own["center"], dtype))
    found = g.node("Div", found, g.constant(own["scale"], dtype))
    ((name, _),) = stack.layers.items()
    raw = g.dense(found, p.section(name), dtype)
    return g.where(is_present(g, steps.lengths), raw, zero)


def _convolved(g: Graph, x: Name, weights: Any, dilation: int, dtype: Any) -> Name:
    """Return convolutions (N, K, T) of steps (N, D, T), with weights (taps · D, K)."""
    n_channels, room = len(weights) // N_TAPS, dilation * (N_TAPS // 2)
    if np.dtype(dtype) == np.float32:
        by_kernel = weights.reshape(N_TAPS, n_channels, -1).transpose(2, 1, 0)
        kernels = g.constant(by_kernel, dtype)
        return g.node("Conv", x, kernels, dilations=[dilation], pads=[room, room])
    # ONNX Runtime has Conv in single precision alone.
    pads = g.constant([0, 0, room, 0, 0, room], np.int64)
    padded, n_steps = g.node("Pad", x, pads, g.constant(0, dtype)), g.size(x, 2)
    starts = [g.constant([j * dilation], np.int64) for j in range(N_TAPS)]
    taps = [g.slice(padded, start, g.node("Add", start, n_steps), 2) for start in starts]
    return g.node("MatMul", g.constant(weights.T, dtype), g.concatenate(taps, 1))
