"""The state of each feature at each step, where some are missing or come at times of their own.

For both directions of reading: the value last seen, and the time since then. It is found for some
steps of some sequences at a time, S in all; each of the B sequences has at least one of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skgru._nn.batch import Array, Indices

LONGEST_GAP = 1e6  # elapsed times end here, in units of their mean


class Seen(NamedTuple):
    """The value last seen of each feature of each sequence, and its time.

    Attributes
    ----------
    values, times : ndarray of shape (B, D)
    """

    values: Array
    times: Array


def step_times(
    values: NDArray[Any], numbers: Indices, time_feature: int | None
) -> NDArray[np.float64]:
    """Return the times of the steps, (S,): their stamps, if there are any, or their numbers."""
    times = numbers if time_feature is None else values[:, time_feature]
    return times.astype(np.float64)


def seen_before(
    times: Array,
    numbers: Indices,
    offsets: Indices,
    initial: Array,
    carried: tuple[Array, ...] | None = None,
) -> Seen:
    """Return the values seen in front of the first of the steps, and their times.

    Parameters
    ----------
    times, numbers : ndarray of shape (S,)
        The time of each step, and its number in its sequence.
    offsets : ndarray of shape (B + 1,)
        Where the steps of each sequence start.
    initial : ndarray of shape (D,)
        The values that count as seen in front of a sequence, at the time of its first step.
    carried : Seen, or tuple of its arrays, default=None
        The values last seen of the sequences that have begun before; None = there are none.
    """
    values, since = _seen_at_start(times, offsets, initial)
    if carried is None:
        return Seen(values, since)
    begins = numbers[offsets[:-1]][:, None] == 0
    carried_values, carried_times = carried
    return Seen(np.where(begins, values, carried_values), np.where(begins, since, carried_times))


def _seen_at_start(times: Array, offsets: Indices, initial: Array) -> Seen:
    """Return what counts as seen in front of sequences of which nothing was carried."""
    first = offsets[:-1]
    shape = len(first), len(initial)
    values = np.broadcast_to(initial, shape)
    return Seen(values, np.broadcast_to(times[first][:, None], shape))


def last_seen(
    values: Array, times: Array, offsets: Indices, before: Seen
) -> tuple[Array, Array, Seen]:
    """Return the value last seen of each feature at each step, and its age before the step.

    Parameters
    ----------
    values : ndarray of shape (S, D)
        NaN where a feature was not seen.
    times : ndarray of shape (S,)
    offsets : ndarray of shape (B + 1,)
    before : Seen
        The values last seen in front of the steps.

    Returns
    -------
    seen : ndarray of shape (S, D)
        The value at the step or the last one before.
    gaps : ndarray of shape (S, D)
        The time from when the feature was last seen before the step.
    after : Seen
        The values last seen up to the last of the steps.
    """
    first, last = offsets[:-1], offsets[1:] - 1
    # All by columns: a feature's steps lie side by side.
    columns = np.array(values.T, order="C")
    since = np.empty(columns.shape)
    since[...] = times
    is_seen = ~np.isnan(columns)
    # At the first step, the value seen before it stands for one that is not seen.
    known = is_seen[:, first]
    columns[:, first] = np.where(known, columns[:, first], before.values.T)
    since[:, first] = np.where(known, times[first], before.times.T)
    is_seen[:, first] = True
    # The positions of seen values grow from step to step: the last one is the largest so far.
    position = np.arange(columns.size).reshape(columns.shape)
    position *= is_seen
    np.maximum.accumulate(position, axis=1, out=position)
    seen, since = columns.take(position), since.take(position)
    gaps = np.empty(columns.shape)
    np.subtract(times[1:], since[:, :-1], out=gaps[:, 1:])
    gaps[:, first] = times[first] - before.times.T
    return seen.T, gaps.T, Seen(seen[:, last].T, since[:, last].T)


def next_seen(values: Array, times: Array, offsets: Indices, initial: Array) -> tuple[Array, Array]:
    """Return the same counted from the other end: the value next seen, and the time until then.

    The steps are all that the sequences have; `initial` (D,) counts as seen behind them.
    """
    values, times, offsets = values[::-1], -times[::-1], (offsets[-1] - offsets)[::-1]
    before = _seen_at_start(times, offsets, initial)
    seen, gaps, _ = last_seen(values, times, offsets, before)
    return seen[::-1], gaps[::-1]


def scaled_gaps(gaps: Array, scale: Array, dtype: DTypeLike) -> Array:
    """Return gaps in units of their mean, in `dtype`."""
    scaled = gaps / scale
    return np.minimum(scaled, LONGEST_GAP, out=scaled).astype(dtype)
