"""What is known of each feature at each step, where some are missing or come at times of their own.

For both directions of reading: the value last seen, and the time since then.
"""

import numpy as np

_LONGEST = 1e6  # elapsed times end here, in units of their mean


def step_times(sequences, time_feature):
    """Return the times of all steps, (total steps,): their stamps, if there are any, or numbers."""
    if time_feature is not None:
        return sequences.values[:, time_feature].astype(np.float64)
    return np.arange(len(sequences.values)) - _first_rows(sequences.offsets).astype(np.float64)


def last_seen(values, times, offsets, initial=None):
    """Return what was last seen of each feature at each step, and how long ago before it.

    Parameters
    ----------
    values : ndarray of shape (total steps, D)
        NaN where a feature was not seen.
    times : ndarray of shape (total steps,)
    offsets : ndarray of shape (n + 1,)
        Of the sequences.
    initial : ndarray of shape (D,), default=None
        What counts as seen where nothing was; None = 0.

    Returns
    -------
    seen : ndarray of shape (total steps, D)
        The value at the step or the last one before; `initial` where there is none.
    gaps : ndarray of shape (total steps, D)
        The time from when the feature was last seen before the step, or from the first step if it
        was not.
    """
    rows, first = np.arange(len(values)), _first_rows(offsets)
    columns = np.ascontiguousarray(values.T)  # faster than columns of rows
    seen, gaps = np.empty_like(columns), np.empty(columns.shape)
    initial = np.zeros(len(columns)) if initial is None else initial
    for column, start, column_seen, column_gaps in zip(columns, initial, seen, gaps, strict=True):
        last = np.maximum.accumulate(np.where(np.isnan(column), -1, rows))
        column_seen[:] = np.where(last >= first, column[last], start)
        before = np.concatenate([[-1], last[:-1]])[: len(last)]
        column_gaps[:] = times - times[np.maximum(before, first)]
    return seen.T, gaps.T


def next_seen(values, times, offsets):
    """Return the same counted from the other end: what is next seen, and how long until then."""
    seen, gaps = last_seen(values[::-1], -times[::-1], (offsets[-1] - offsets)[::-1])
    return seen[::-1], gaps[::-1]


def mean_gaps(sequences, times, weights):
    """Return the mean of each feature's gaps over all steps, (D,); 1 where it is 0.

    Parameters
    ----------
    sequences : Sequences
    times : ndarray of shape (total steps,)
    weights : ndarray of shape (total steps,)
    """
    if len(times) == 0:
        return np.ones(sequences.values.shape[1])
    _, gaps = last_seen(sequences.values, times, sequences.offsets)
    mean = weights @ gaps / weights.sum()
    return np.where(mean > 0, mean, 1.0)


def scaled_gaps(gaps, scale, dtype):
    """Return gaps in units of their mean, in `dtype`."""
    return np.minimum(gaps / scale, _LONGEST).astype(dtype)


def _first_rows(offsets):
    """Return, for each row, the first row of its sequence."""
    return np.repeat(offsets[:-1], np.diff(offsets))
