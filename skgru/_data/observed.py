"""The state of each feature at each step, where some are missing or come at times of their own.

For both directions of reading: the value last seen, and the time since then. It is found for some
steps of some sequences at a time, S in all; each of the B sequences has at least one of them.
"""

from typing import NamedTuple

import numpy as np

_LONGEST = 1e6  # elapsed times end here, in units of their mean


class Seen(NamedTuple):
    """The value last seen of each feature of each sequence, and its time.

    Attributes
    ----------
    values, times : ndarray of shape (B, D)
    """

    values: np.ndarray
    times: np.ndarray


def step_times(values, numbers, time_feature):
    """Return the times of the steps, (S,): their stamps, if there are any, or their numbers."""
    times = numbers if time_feature is None else values[:, time_feature]
    return times.astype(np.float64)


def seen_before(times, numbers, offsets, initial, carried=None):
    """Return the values seen in front of the first of the steps, and their times.

    Parameters
    ----------
    times, numbers : ndarray of shape (S,)
        The time of each step, and its number in its sequence.
    offsets : ndarray of shape (B + 1,)
        Where the steps of each sequence start.
    initial : ndarray of shape (D,)
        The values that count as seen in front of a sequence, at the time of its first step.
    carried : Seen, default=None
        The values last seen of the sequences that have begun before; None = there are none.
    """
    first = offsets[:-1]
    shape = len(first), len(initial)
    values = np.broadcast_to(initial, shape)
    since = np.broadcast_to(times[first][:, None], shape)
    if carried is None:
        return Seen(values, since)
    begins = numbers[first][:, None] == 0
    return Seen(np.where(begins, values, carried.values), np.where(begins, since, carried.times))


def last_seen(values, times, offsets, before):
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


def next_seen(values, times, offsets, initial):
    """Return the same counted from the other end: the value next seen, and the time until then.

    The steps are all that the sequences have; `initial` (D,) counts as seen behind them.
    """
    values, times, offsets = values[::-1], -times[::-1], (offsets[-1] - offsets)[::-1]
    before = seen_before(times, None, offsets, initial)
    seen, gaps, _ = last_seen(values, times, offsets, before)
    return seen[::-1], gaps[::-1]


def scaled_gaps(gaps, scale, dtype):
    """Return gaps in units of their mean, in `dtype`."""
    scaled = gaps / scale
    return np.minimum(scaled, _LONGEST, out=scaled).astype(dtype)
