"""What the network reads of numeric sequences: scaled, with what is missing and how long since."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skgru._observed import last_seen, mean_gaps, next_seen, scaled_gaps, step_times
from skgru._scaling import (
    contains_nan,
    mean_and_scale,
    mean_and_weight,
    median_and_scale,
    scale_values,
)
from skgru._sequences import Sequences, join_steps


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

    def read(self, sequences, dtype):
        """Return the function that makes the steps of the network, and the one to prepare a batch.

        Parameters
        ----------
        sequences : Sequences
        dtype : dtype
            Of the network's inputs.

        Returns
        -------
        join : callable
            ``join()`` returns what is read of the sequences, in patches, as `Sequences`;
            ``join(rng)`` with the joints of the patches anywhere.
        prepare : callable
            Takes the values of a batch's steps (S, n columns), which it may write over, and returns
            the network's inputs.

        Raises
        ------
        ValueError
            If a scaled value is too large for `dtype`.
        """
        if self.are_observed:
            observed = Sequences(self._observe(sequences, np.dtype(dtype)), sequences.offsets)
            padding = np.zeros(1, dtype)
            return partial(join_steps, observed, self.patch_size, padding), lambda values: values
        n_joined = self.patch_size
        prepare = partial(
            scale_values,
            center=np.tile(self.center, n_joined),
            scale=np.tile(self.scale, n_joined),
            dtype=dtype,
            clip=self.clip,
            in_place=True,
        )
        return partial(join_steps, self._fill(sequences), n_joined, self.fill), prepare

    def _fill(self, sequences):
        """Return the sequences without missing values; training has had none."""
        if not contains_nan(sequences.values):
            return sequences
        values, offsets = sequences
        if self.missing == "decay":
            filled, _ = last_seen(values, step_times(sequences, None), offsets, self.fill)
        else:
            filled = np.where(np.isnan(values), self.fill.astype(values.dtype), values)
        return Sequences(filled, offsets)

    def _observe(self, sequences, dtype):
        """Return what is read of each step, (total steps, n columns).

        With "decay" that is what `_nn.missing.ObservedInputs` reads, else `n_inputs` columns.
        """
        times, offsets = step_times(sequences, self.time_feature), sequences.offsets
        values = _without_stamps(sequences.values, self.time_feature)
        values = scale_values(values, self.center, self.scale, dtype, clip=self.clip)
        is_seen = ~np.isnan(values)
        directions = [last_seen(values, times, offsets)]
        if self.bidirectional and self.missing == "decay":
            directions.append(next_seen(values, times, offsets))
        seen = [self._with_gap(seen, gaps) for seen, gaps in directions]
        gaps = [scaled_gaps(gaps, self.gap_scale, dtype) for _, gaps in directions]
        if self.missing == "decay":
            return np.hstack([is_seen.astype(dtype), *seen, *gaps])
        values = np.where(is_seen, seen[0], dtype.type(0))
        if not self.has_missing:
            return values
        return np.hstack([values, is_seen.astype(dtype), np.log1p(gaps[0])])

    def _with_gap(self, values, gaps):
        """Return the values with the time stamps' feature replaced: by the time between steps."""
        j = self.time_feature
        if j is not None:
            values[:, j] = np.log1p(gaps[:, j] / self.gap_scale[j])
        return values


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
    n_features = values.shape[1]
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
    gap_scale = np.ones(n_features)
    if has_missing or time_feature is not None:
        gap_scale = mean_gaps(sequences, step_times(sequences, time_feature), weights)
    if time_feature is not None:
        center[time_feature], scale[time_feature] = 0.0, gap_scale[time_feature]
    return center, scale, fill, gap_scale, has_missing


def _without_stamps(values, time_feature):
    """Return the values with zeros in place of the time stamps, which are not scaled."""
    if time_feature is None:
        return values
    values = values.copy()
    values[:, time_feature] = 0
    return values
