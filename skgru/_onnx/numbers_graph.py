"""Inputs of numbers in a graph: padding found, scaled, and what is known of missing values.

The same as `skgru._data.numbers`, with all sequences side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skgru._data.inputs import known
from skgru._data.numbers import NumberInput
from skgru._data.observed import LONGEST_GAP
from skgru._data.scaling import CLIP, LARGEST
from skgru._nn.missing import ObservedInputs
from skgru._nn.part import Arrays, InputPart
from skgru._onnx.graph import Graph, Name
from skgru._onnx.padded import Padded, PaddedSteps, mask_of, patched, steps_of


def trim_numbers(g: Graph, X: Name, lengths: Name | None) -> Padded:
    """Return sequences without the steps at their ends that are wholly NaN.

    Parameters
    ----------
    g : Graph
    X : str
        Of an array (N, T, D) in float64.
    lengths : str or None
        Of an array (N,); None = all have T steps.
    """
    n_steps = g.range(g.size(X, 1))  # (T,)
    is_missing = g.cast(g.node("IsNaN", X), np.int32)
    has_value = g.node("Equal", g.reduce("Min", is_missing, 2), g.constant(0, np.int32))  # (N, T)
    if lengths is not None:
        given = g.node("Less", g.unsqueeze(n_steps, 0), g.unsqueeze(lengths, 1))
        has_value = g.node("And", has_value, given)
    one, zero = g.constant(1, np.int64), g.constant(0, np.int64)
    ends = g.where(has_value, g.unsqueeze(g.node("Add", n_steps, one), 0), zero)
    return Padded(X, g.reduce("Max", ends, 1))


def read_numbers(
    g: Graph, given: Padded, reader: NumberInput, part: InputPart, p: Arrays, dtype: Any
) -> PaddedSteps:
    """Return the inputs of a stack.

    Parameters
    ----------
    g : Graph
    given : Padded
        As `trim_numbers` returns it.
    reader : NumberInput
    part : InputPart
        The lowest part of the branch.
    p : dict of ndarray
        Its parameters.
    dtype : dtype
        Of the network.
    """
    if reader.scaling == "sequence":
        given = _beside_scale(g, given, reader)
    numbers = _Numbers(g, given, reader, np.dtype(dtype))
    if isinstance(part, ObservedInputs):
        return _observed_inputs(g, numbers, part, p)
    is_observed = reader.are_observed
    columns = numbers.with_indicators() if is_observed else numbers.scaled(numbers.filled())
    ((padding,),) = reader.padding_rows(1, 1, dtype)
    read = patched(g, Padded(columns, given.lengths), reader.patch_size, g.constant(padding, dtype))
    return steps_of(g, [read.values], None, read.lengths, dtype)


def _beside_scale(g: Graph, given: Padded, reader: NumberInput) -> Padded:
    """Return sequences in units of their own scale, and that scale beside them.

    See `skgru._data.own_scale`.
    """
    level, unit, least = (g.constant(row, np.float64) for row in known(reader.measure))
    n_features = len(known(reader.measure)[0])
    has_scale = np.arange(n_features) != reader.stamps
    zero, X = g.constant(0.0), given.values
    mask = g.unsqueeze(mask_of(g, given.lengths, g.size(X, 1)), 2)
    is_seen = g.node("And", g.node("Not", g.node("IsNaN", X)), mask)

    def mean(values: Name) -> Name:
        total = g.reduce("Sum", g.where(is_seen, values, zero), 1, keepdims=True)
        return g.node("Div", total, counts)

    counts = g.reduce("Sum", g.cast(is_seen, np.float64), 1, keepdims=True)  # (N, 1, D)
    means = mean(X)
    deviation = g.node("Sub", X, means)
    variances = mean(g.node("Mul", deviation, deviation))
    # As in `own_scale`: what is constant but for rounding.
    error = g.node("Mul", counts, g.constant(np.finfo(np.float64).eps))
    of_mean = g.node("Mul", error, means)
    bound = g.node("Add", g.node("Mul", error, variances), g.node("Mul", of_mean, of_mean))
    is_constant = g.node("Not", g.node("Greater", variances, bound))
    own = g.where(is_constant, zero, g.node("Sqrt", variances))
    at_least = g.where(g.node("Less", own, least), g.expand(least, own), own)
    divisors = g.where(g.node("Equal", own, zero), g.constant(np.inf), at_least)
    centers = g.where(g.constant(has_scale), means, zero)
    divisors = g.where(g.constant(has_scale), divisors, g.constant(1.0))
    scaled = g.node("Div", g.node("Sub", X, centers), divisors)
    # Of a feature without any value there is no scale: it is missing.
    nothing = g.node("Equal", counts, zero)
    found = []
    for numbers in (
        g.node("Div", g.node("Sub", means, level), unit),
        g.node("Log", g.node("Div", at_least, unit)),
    ):
        of_sequence = g.where(nothing, g.constant(np.nan), numbers)
        of_sequence = g.take(of_sequence, np.flatnonzero(has_scale), 2)
        shape = g.concatenate(
            [g.take(g.node("Shape", X), [0, 1], 0), g.constant([has_scale.sum()], np.int64)], 0
        )
        found.append(g.node("Expand", of_sequence, shape))
    return Padded(g.concatenate([scaled, *found]), given.lengths)


@dataclass(frozen=True)
class _Numbers:
    """Columns that are read, (N, T, C), in float64."""

    g: Graph
    given: Padded
    reader: NumberInput
    dtype: np.dtype

    def scaled(self, values: Name) -> Name:
        """Return (values − center) / scale in the type of the network; see `scale_values`."""
        g, reader = self.g, self.reader
        center, scale = known(reader.center), known(reader.scale)
        z = scaled(g, values, center, scale, clips=reader.scaling == "robust")
        return g.cast(z, self.dtype)

    def filled(self) -> Name:
        """Return the columns without missing values, of which training had none, (N, T, C)."""
        g, values = self.g, self.given.values
        fill = g.constant(known(self.reader.fill), np.float64)
        if self.reader.missing != "decay":
            return g.where(g.node("IsNaN", values), fill, values)
        mask = g.unsqueeze(self._mask(), 2)
        is_missing = g.node("And", g.node("IsNaN", values), mask)
        n_missing = g.node("ReduceSum", g.cast(is_missing, np.int64), keepdims=0)

        def last_seen(inner: Graph) -> Name:
            by_step = inner.transpose(values, 1, 0, 2)

            def body(
                step: Graph, states: list[Name], inputs: list[Name]
            ) -> tuple[list[Name], list[Name]]:
                (last,), (value,) = states, inputs
                found = step.where(step.node("IsNaN", value), last, value)
                return [found], [found]

            first = inner.expand(fill, inner.squeeze(inner.columns(by_step, 0, 1, 0), 0))
            _, (found,) = inner.scan(
                body, [(first, np.float64)], [(by_step, np.float64)], [np.float64]
            )
            return inner.transpose(found, 1, 0, 2)

        is_any = g.node("Greater", n_missing, g.constant(0, np.int64))
        return g.choose(is_any, last_seen, lambda inner: values, np.float64)

    def observed(self, *, from_end: bool = False) -> tuple[Name, Name, Name]:
        """Return what is known of each feature at each step, all (T, N, C).

        Returns
        -------
        values : str
            The scaled values last seen, or next seen.
        is_seen : str
        gaps : str
            The times since then, in units of their mean, in the type of the network.
        """
        g, reader, real = self.g, self.reader, self.dtype
        values, j = self.given.values, reader.stamps
        is_stamp = np.arange(len(known(reader.center))) == j
        if j is None:
            numbers = g.cast(g.range(g.size(values, 1)), np.float64)  # (T,)
            shape = [g.size(values, 1), g.size(values, 0), g.constant([1], np.int64)]
            times = g.node("Expand", g.unsqueeze(numbers, 1, 2), g.concatenate(shape, 0))
        else:
            times = g.transpose(g.take(values, [j], 2), 1, 0, 2)
        z = g.transpose(self.scaled(values), 1, 0, 2)
        mask = g.transpose(g.unsqueeze(self._mask(), 2), 1, 0, 2)  # (T, N, 1)
        is_seen = g.node("And", g.node("Not", g.node("IsNaN", z)), mask)
        begin = g.squeeze(g.columns(times, 0, 1, 0), 0)  # (N, 1)
        if from_end:
            times = g.node("Neg", times)
            begin = self._at_end(times, mask)
        never = g.squeeze(g.columns(z, 0, 1, 0), 0)
        never = g.node("Mul", g.cast(g.node("IsNaN", never), real), g.constant(0, real))  # (N, C)
        since = g.node("Add", begin, g.cast(never, np.float64))

        def body(
            step: Graph, states: list[Name], inputs: list[Name]
        ) -> tuple[list[Name], list[Name]]:
            (last, since), (value, seen, time) = states, inputs
            gap = step.node("Sub", time, since)
            last = step.where(seen, value, last)
            since = step.where(seen, time, since)
            return [last, since], [last, gap]

        _, (found, gaps) = g.scan(
            body,
            [(never, real), (since, np.float64)],
            [(z, real), (is_seen, bool), (times, np.float64)],
            [real, np.float64],
            from_end=from_end,
        )
        gaps = g.node("Div", gaps, g.constant(known(reader.gap_scale), np.float64))
        if j is not None:  # the time between steps takes the place of the stamps
            log = g.node("Log", g.node("Add", gaps, g.constant(1.0)))
            found = g.where(g.constant(is_stamp), g.cast(log, real), found)
        gaps = g.cast(g.node("Min", gaps, g.constant(LONGEST_GAP)), real)
        return found, is_seen, gaps

    def with_indicators(self) -> Name:
        """Return the values, whether they were seen and how long ago, (N, T, n)."""
        g = self.g
        found, is_seen, gaps = self.observed()
        columns = [g.where(is_seen, found, g.constant(0, self.dtype))]
        if self.reader.has_missing:
            log = g.node("Log", g.node("Add", gaps, g.constant(1, self.dtype)))
            columns += [g.cast(is_seen, self.dtype), log]
        return g.transpose(g.concatenate(columns), 1, 0, 2)

    def _mask(self) -> Name:
        return mask_of(self.g, self.given.lengths, self.g.size(self.given.values, 1))

    def _at_end(self, times: Name, mask: Name) -> Name:
        """Return the times of the last steps, (N, 1), given those of all, (T, N, 1)."""
        # Times only fall from here: the least is the last one. (Of no step, infinity is not read.)
        g = self.g
        return g.reduce("Min", g.where(mask, times, g.constant(np.inf)), 0)


def _observed_inputs(g: Graph, numbers: _Numbers, part: ObservedInputs, p: Arrays) -> PaddedSteps:
    """Return the inputs of the recurrence where values decay; see `ObservedInputs`."""
    reader, real, lengths = numbers.reader, numbers.dtype, numbers.given.lengths

    def of_patches(x: Name) -> Padded:
        by_sequence = Padded(g.transpose(x, 1, 0, 2), lengths)
        return patched(g, by_sequence, reader.patch_size, g.constant(0, real))

    columns, gaps, n = [], [], part.n_features
    for d in range(part.n_directions):
        found, is_seen, elapsed = numbers.observed(from_end=d == 1)
        values, gap = of_patches(found).values, of_patches(elapsed).values
        mask, of_mask = of_patches(g.cast(is_seen, real))
        gaps.append(gap)
        if not part.reads_mask:
            columns.append(values)
            continue
        own = slice(d * n, (d + 1) * n)
        weights, bias = p["decay_weights"][own], p["decay_bias"][own]
        decay = g.node("Add", g.node("Mul", gap, g.constant(weights, real)), g.constant(bias, real))
        decay = exp_of_minus(g, decay)
        rest = g.node("Sub", g.constant(1, real), mask)
        share = g.node("Add", g.node("Mul", decay, rest), mask)
        columns += [g.node("Mul", share, values), mask]
    return steps_of(g, columns, g.concatenate(gaps), of_mask, real)


def scaled(g: Graph, values: Name, center: Any, scale: Any, *, clips: bool) -> Name:
    """Return (values − center) / scale in float64, with `clips` between −3 and 3.

    See `skgru._data.scaling.scale_values`.
    """
    z = g.node("Sub", values, g.constant(center, np.float64))
    z = g.node("Div", z, g.constant(scale, np.float64))
    if not clips:
        return z
    z = g.node("Clip", z, g.constant(-LARGEST), g.constant(LARGEST))
    share = g.node("Div", z, g.constant(CLIP))
    root = g.node("Sqrt", g.node("Add", g.node("Mul", share, share), g.constant(1.0)))
    return g.node("Div", z, root)


def exp_of_minus(g: Graph, a: Name) -> Name:
    """Return exp(−max(0, a))."""
    return g.node("Exp", g.node("Neg", g.node("Relu", a)))
