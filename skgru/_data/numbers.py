"""What the network reads of numeric sequences: scaled, with what is missing and how long since."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skgru._data.observed import Seen, last_seen, next_seen, scaled_gaps, seen_before, step_times
from skgru._data.scaling import (
    contains_nan,
    mean_and_scale,
    mean_and_weight,
    median_and_scale,
    scale_values,
)
from skgru._data.steps import MAX_CHUNK_SEQUENCES, SequencePieces, Steps
from skgru._nn.batch import Arena

# What is read of the steps of the training data is held, if it takes at most so many bytes, or so
# many for each byte of the values.
_MUCH, _MUCH_PER_BYTE = 1 << 26, 3
# So many numbers are looked through at a time for the mean gaps.
_MAX_GAPS = 1 << 17


class NumericInputs(NamedTuple):
    """How numeric sequences become the network's inputs.

    Attributes
    ----------
    center, scale : ndarray of shape (D,)
        Of each feature; NaN if the training data have no value of it, and it is never read.
    fill : ndarray of shape (D,)
        What is put in the place of missing values if there were none in training, and in front of
        the first step.
    gap_scale : ndarray of shape (D,)
        Mean time since each feature was last seen.
    has_missing : bool
        Whether values were missing in training.
    clip : bool
        Whether scaled values are clipped.
    missing : {"decay", "indicator", "error"}
    time_feature : int or None
    bidirectional : bool
    patch_size : int
    """

    center: np.ndarray
    scale: np.ndarray
    fill: np.ndarray
    gap_scale: np.ndarray
    has_missing: bool
    clip: bool
    missing: str
    time_feature: int | None
    bidirectional: bool
    patch_size: int

    @property
    def are_observed(self):
        """Whether the network reads more of the sequences than their values."""
        return self.has_missing or self.time_feature is not None

    @property
    def decay(self):
        """Whether inputs and states of the network decay."""
        return self.are_observed and self.missing == "decay"

    @property
    def n_inputs(self):
        """How many features a step of the network has, before steps are joined to patches."""
        n_features = len(self.center)
        with_indicators = self.has_missing and self.missing == "indicator"
        return n_features * (3 if with_indicators else 1)

    @property
    def _n_observed(self):
        """How many columns `_observe` returns."""
        if self.missing == "indicator":
            return self.n_inputs
        return (5 if self.bidirectional else 3) * len(self.center)

    def steps_of(self, sequences, dtype, *, read_often=False):
        """Return the steps of the network, with inputs of the type `dtype`, as `Steps`.

        Where other steps have a say in what is read of one, that is found out anew whenever it is
        read; if it is `read_often`, once for all, unless that took too much memory.

        Raises
        ------
        ValueError
            If a scaled value is too large for `dtype`: at once, or when it is read.
        """
        dtype = np.dtype(dtype)
        if self.are_observed:
            observe = partial(self._observe, dtype=dtype)
            padding = np.zeros(1, dtype)
            steps = Steps(sequences, n_joined=self.patch_size, padding=padding, observe=observe)
            n_bytes = len(sequences.values) * self._n_observed * dtype.itemsize
            if read_often and n_bytes <= max(_MUCH, _MUCH_PER_BYTE * sequences.values.nbytes):
                return steps.observed_once()
            return steps
        prepare = partial(
            scale_values,
            center=np.tile(self.center, self.patch_size),
            scale=np.tile(self.scale, self.patch_size),
            dtype=dtype,
            clip=self.clip,
            in_place=True,
        )
        return Steps(
            sequences,
            prepare,
            n_joined=self.patch_size,
            padding=self.fill,
            observe=self._fill if contains_nan(sequences.values) else None,
        )

    # What `Steps` calls observe.

    def _fill(self, values, numbers, offsets, before):
        """Return steps without missing values; training has had none."""
        if self.missing == "decay":
            times = step_times(values, numbers, None)
            before = seen_before(times, numbers, offsets, self.fill, before and Seen(*before))
            values, _, before = last_seen(values, times, offsets, before)
        else:
            np.copyto(values, self.fill, where=np.isnan(values), casting="same_kind")
        return values, before

    def _observe(self, values, numbers, offsets, before, *, dtype):
        """Return what is read of each step, (S, n columns).

        With "decay" that is what `_nn.missing.ObservedInputs` reads, else `n_inputs` columns.
        """
        times = step_times(values, numbers, self.time_feature)
        if self.time_feature is not None:
            values[:, self.time_feature] = 0  # the stamps themselves are not read
        values = scale_values(values, self.center, self.scale, dtype, clip=self.clip, in_place=True)
        is_seen = ~np.isnan(values)
        never = np.zeros(values.shape[1])
        before = seen_before(times, numbers, offsets, never, before and Seen(*before))
        *onward, after = last_seen(values, times, offsets, before)
        directions = [onward]
        if self.bidirectional and self.missing == "decay":
            directions.append(next_seen(values, times, offsets, never))
        if self.time_feature is not None:  # the time between steps takes the place of the stamps
            j = self.time_feature
            for seen, gaps in directions:
                seen[:, j] = np.log1p(gaps[:, j] / self.gap_scale[j])
        seen = [seen for seen, _ in directions]
        gaps = [scaled_gaps(gaps, self.gap_scale, dtype) for _, gaps in directions]
        if self.missing == "decay":
            return np.hstack([is_seen.astype(dtype), *seen, *gaps]), after
        seen[0][~is_seen] = 0
        if not self.has_missing:
            return seen[0], after
        return np.hstack([seen[0], is_seen.astype(dtype), np.log1p(gaps[0])]), after


def learn_inputs(sequences, weights, *, scaling, time_feature):
    """Return center, scale, fill and gap_scale of the features, and whether values are missing.

    Parameters
    ----------
    sequences : Sequences
    weights : ndarray of shape (n,)
    scaling : {"standard", "robust"} or None
    time_feature : int or None

    Returns
    -------
    center, scale, fill, gap_scale : ndarray of shape (D,)
        As the attributes of `NumericInputs`.
    has_missing : bool

    Raises
    ------
    ValueError
        If values are so large that the scale overflows.
    """
    values = _without_stamps(sequences.values, time_feature)
    weights = np.repeat(weights, sequences.lengths)
    has_missing = contains_nan(values)
    if scaling == "robust":
        center, scale = median_and_scale(values, weights)
    elif scaling == "standard":
        center, scale = mean_and_scale(values, weights, "X")
    else:
        center, _ = mean_and_weight(values, weights)
        scale = np.where(np.isnan(center), np.nan, 1.0)
    fill = center.copy()
    if scaling is None and not has_missing:
        center[:] = 0  # where values were missing, their mean has to be what the network reads as 0
    gap_scale = np.ones(values.shape[1])
    if has_missing or time_feature is not None:
        gap_scale = mean_gaps(sequences, weights, time_feature)
    if time_feature is not None:
        center[time_feature], scale[time_feature] = 0.0, gap_scale[time_feature]
    return center, scale, fill, gap_scale, has_missing


def mean_gaps(sequences, weights, time_feature):
    """Return the mean of the gaps of each feature over all steps, (D,); 1 where it is 0.

    Parameters
    ----------
    sequences : Sequences
    weights : ndarray of shape (total steps,)
    time_feature : int or None
    """
    n_features = sequences.values.shape[1]
    never = np.zeros(n_features)

    def gaps_of(values, numbers, offsets, before):
        times = step_times(values, numbers, time_feature)
        before = seen_before(times, numbers, offsets, never, before and Seen(*before))
        _, gaps, after = last_seen(values, times, offsets, before)
        return gaps, after

    steps, arena = Steps(sequences, observe=gaps_of), Arena()
    n_steps = max(1, _MAX_GAPS // (MAX_CHUNK_SEQUENCES * n_features))
    total = np.zeros(n_features)
    for start in range(0, sequences.n_sequences, MAX_CHUNK_SEQUENCES):
        indices = np.arange(start, min(start + MAX_CHUNK_SEQUENCES, sequences.n_sequences))
        pieces = SequencePieces(steps, indices, n_steps, arena)
        for gaps, piece in (pieces[i] for i in range(len(pieces))):
            total += weights[piece.rows] @ gaps
    mean = total / weights.sum() if len(weights) else total
    return np.where(mean > 0, mean, 1.0)


def _without_stamps(values, time_feature):
    """Return the values with zeros in place of the time stamps, which are not scaled."""
    if time_feature is None:
        return values
    values = values.copy()
    values[:, time_feature] = 0
    return values
