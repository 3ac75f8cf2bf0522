"""Inputs of numbers: parsed, scaled, and with the times since missing values were last seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skgru._budget import MAX_CHUNK_SEQUENCES, may_be_held
from skgru._data.arrays import to_numbers
from skgru._data.forms import Opened
from skgru._data.ids import look_like_ids
from skgru._data.inputs import Input, Line, Origins, StepReader, as_values, known
from skgru._data.lagged import fault_of_names, fault_of_rows
from skgru._data.observed import last_seen, next_seen, scaled_gaps, seen_before, step_times
from skgru._data.own_scale import (
    BesideScale,
    center_and_scale_of_scales,
    measure_of,
    small_magnitude,
)
from skgru._data.parsing import Parsed, check_times, index_of_stamps, parse_nothing, parse_numbers
from skgru._data.scaling import (
    contains_nan,
    count_nan,
    mean_and_scale,
    mean_and_weight,
    median_and_scale,
    scale_values,
    slopes_of_scaled,
)
from skgru._data.sequences import Sequences
from skgru._data.stacking import CHANNELS_FIRST, Rectangle
from skgru._data.step_weights import StepWeights
from skgru._data.steps import Carried, SequencePieces, Steps
from skgru._nn.batch import Arena, Array, Indices
from skgru._saved import expect, expect_array, expect_numbers, expect_scales, expect_size
from skgru._settings import Settings
from skgru._spec import EncoderSpec, InputSpec
from skgru._warnings import warn

# So many numbers are looked through at a time for the mean gaps.
_MAX_GAPS = 1 << 17

# Of the deviation of all values: where a tenth of the sequences is smaller than that, "auto" scales
# each sequence by itself.
_SMALL = 1e-4


@dataclass(frozen=True, eq=False)
class NumberInput(Input, StepReader):
    """An input of numeric sequences.

    Parameters
    ----------
    features_per_step : int, default=1
        How many numbers make a step where X does not say.
    scaling : {"standard", "robust", "sequence", "auto"} or None, default="standard"
        Once it has learned, not "auto".
    missing : {"decay", "indicator", "error"}, default="decay"
    time_feature : int, str or None, default=None
        As it was given.
    embeds_marked : bool, default=False
        Whether an X that is marked as token ids would have been embedded.
    stamps : int or None
        Index of the feature that holds time stamps.
    center, scale : ndarray of shape (C,), learned
        Of each column that is read: of the features, or with "sequence" of those of `BesideScale`.
        NaN if the training data have no value of it, and it is never read.
    fill : ndarray of shape (C,), learned
        The replacement of missing values if there were none in training, and of those in front of
        the first step.
    gap_scale : ndarray of shape (C,), learned
        Mean time since each column was last seen.
    measure : ndarray of shape (3, D) or None, learned
        With "sequence", what the scales of sequences are measured by, see `measure_of`.
    has_missing : bool, learned
        Whether values were missing in training.
    is_bidirectional : bool
        Of the network, as is the next.
    patch_size : int
    """

    features_per_step: int = 1
    scaling: str | None = "standard"
    missing: str = "decay"
    time_feature: int | str | None = None
    embeds_marked: bool = False
    stamps: int | None = None
    center: Array | None = None
    scale: Array | None = None
    fill: Array | None = None
    gap_scale: Array | None = None
    measure: Array | None = None
    has_missing: bool = False
    is_bidirectional: bool = False
    patch_size: int = 1

    kind = "numbers"
    attribute_names = ("feature_mean_", "feature_scale_", "gap_scale_", "has_missing_")
    embedding_dim = None

    # --- X ---------------------------------------------------------------------------------------

    @classmethod
    def takes(cls, opened: Opened, settings: Settings) -> bool:
        """Return True: all that is nothing else holds numbers."""
        return True

    @classmethod
    def of(cls, opened: Opened, settings: Settings) -> NumberInput:
        """Return the input that the parameters ask for, given the X that it will learn from."""
        if settings.time_feature is None:
            _warn_of_channels_first(opened, settings.features_per_step)
        return cls(
            settings.estimator_name,
            features_per_step=settings.features_per_step,
            scaling=settings.scaling,
            missing=settings.missing,
            time_feature=settings.time_feature,
            embeds_marked=settings.is_auto("embedding_dim"),
            stamps=index_of_stamps(opened, settings.time_feature),
        )

    def parse(self, opened: Opened) -> Parsed:
        """Return X as sequences; refuse other features than those that were learned from."""
        if self.n_features is not None and self.embeds_marked and opened.is_marked:
            raise ValueError(
                f"X holds token ids, but {self.estimator_name} was fitted to numbers: fit it to "
                "what SequenceVectorizer returns too, or set embedding_dim."
            )
        if self.n_features is not None and opened.is_absent:
            return parse_nothing(opened.n_samples, np.empty((0, self.n_features)))
        parsed = parse_numbers(
            opened,
            features_per_step=self.features_per_step,
            allow_missing=self.missing != "error",
            time_feature=self.stamps,
        )
        self._check_features(opened, parsed)
        sequences = parsed.sequences
        if self.n_features is not None and len(sequences.values) == 0:
            nothing = Sequences(np.empty((0, self.n_features)), sequences.offsets)
            return parsed._replace(sequences=nothing)
        if self.stamps is not None:
            name = self.time_feature if isinstance(self.time_feature, str) else None
            check_times(sequences, self.stamps, name)
        return parsed

    def meet(self, parsed: Parsed) -> NumberInput:
        """Return the input with the features of the X that it will learn from."""
        if self.embeds_marked:
            _warn_of_lost_tokens(parsed)
        n_features = parsed.sequences.values.shape[1]
        stamps = None if self.stamps is None else self.stamps % n_features
        return replace(self, n_columns=parsed.n_columns, n_features=n_features, stamps=stamps)

    def warn_of_lags(self, opened: Opened, y: NDArray[Any] | None) -> None:
        """Warn of lags that are not read as such, by the names of the columns or by the rows."""
        form = opened.form
        if not isinstance(form, Rectangle) or form.n_columns is None or self.stamps is not None:
            return
        n_features = form.n_features or self.features_per_step
        fault = fault_of_names(form.names or [], n_features)
        if fault is None and n_features == 1 and y is not None and y.shape[0] and y.size:
            fault = fault_of_rows(form.cells, form.names, y.reshape(len(y), -1)[:, 0])
        if fault is not None:
            warn(
                f"X is read as a step per column, but {fault}. The oldest lag first, and other "
                "columns as a table: MultimodalGRURegressor([('lags', SeriesBranch(), "
                "LagSelector())], remainder=TableBranch()). Where columns have no names, "
                "LagSelector(lags) says which lags they are."
            )

    # --- Learning --------------------------------------------------------------------------------

    def check_learned(self) -> None:
        """Refuse scales that no fit has left so; see `Reader.check_learned`."""
        expect_size(self.n_features, "n_features")
        expect_size(self.patch_size, "patch_size")
        D = known(self.n_features)
        has_stamps = self.stamps is not None
        if has_stamps:
            expect_size(self.stamps, "stamps", 0)
            expect(self.stamps in range(D), f"stamps to be one of {D} features", self.stamps)
        C = D
        if self._has_own_scales:
            C += 2 * (D - has_stamps)
            expect_array(self.measure, "measure", (3, D))
        else:
            expect(self.measure is None, "no measure without scales of sequences", self.measure)
        seen = expect_scales(self.center, self.scale, self.fill, (C,))
        expect_numbers(self.gap_scale, "gap_scale", (C,), least=0)
        if self.measure is not None:
            is_finite = np.isfinite(self.measure[:, seen[:D]]).all()
            expect(is_finite, "measure to be known of the features that are", "NaN or infinity")

    def missing_share(self, sequences: Sequences) -> float:
        """Return the share of the values that are missing; time stamps, which never are, apart."""
        values = sequences.values
        n_features = values.shape[1] - (self.stamps is not None)
        return float(count_nan(values) / max(len(values) * n_features, 1))

    def learn(
        self, sequences: Sequences, weights: NDArray[Any], encoder: EncoderSpec
    ) -> NumberInput:
        """Return the input that has learned scales and gaps; see `Input.learn`.

        Raises
        ------
        ValueError
            If values are so large that the scale overflows.
        """
        scaling = self.scaling
        if scaling == "auto" and encoder.pooling is None:
            scaling = "standard"  # the scale of a sequence would tell a step of those after it
        learned = learn_features(sequences, weights, scaling=scaling, time_feature=self.stamps)
        return replace(
            self,
            **learned,
            is_bidirectional=encoder.bidirectional,
            patch_size=encoder.patch_size,
        )

    def differs(self, settings: Settings) -> tuple[str, Any, Any] | None:
        """Return the parameter that now asks for another input; see `Input.differs`."""
        if settings.get("embedding_matrix") is not None:
            return "embedding_matrix", None, settings.embedding_matrix
        if settings.get("embedding_dim") not in ("auto", None):
            return "embedding_dim", None, settings.embedding_dim
        for name in ("missing", "time_feature"):
            if getattr(self, name) != getattr(settings, name):
                return name, getattr(self, name), getattr(settings, name)
        asked = settings.scaling
        if not settings.is_auto("scaling") and (asked == "sequence") != self._has_own_scales:
            return "scaling", self.scaling, asked  # the network has other inputs
        return None

    @property
    def says_features(self) -> bool:
        """Whether X itself says how many features a step has."""
        return self.n_columns is None and self.n_features != self.features_per_step

    @property
    def attributes(self) -> dict[str, Any]:
        """The scale of each feature, of the gaps, and whether values were missing."""
        center, scale = self.center, self.scale
        if self._has_own_scales:
            center, scale, _ = known(self.measure)
        gap_scale = known(self.gap_scale)[: self.n_features]
        values = center, scale, gap_scale, self.has_missing
        return dict(zip(self.attribute_names, values, strict=True))

    # --- The network's inputs --------------------------------------------------------------------

    @property
    def are_observed(self) -> bool:
        """Whether the network reads more of the sequences than their values."""
        return self.has_missing or self.stamps is not None

    @property
    def n_inputs(self) -> int:
        """How many features a step of the network has, before steps are patched."""
        with_indicators = self.has_missing and self.missing == "indicator"
        return self._n_columns_read * (3 if with_indicators else 1)

    @property
    def _n_columns_read(self) -> int:
        """C, the features of a step, and with "sequence" the scale beside them."""
        return len(known(self.center))

    @property
    def _has_own_scales(self) -> bool:
        return self.scaling == "sequence"

    @property
    def spec(self) -> InputSpec:
        """The network's inputs: they and its states decay, if more is read than the values."""
        decay = self.are_observed and self.missing == "decay"
        return InputSpec(self.n_inputs, decay=decay, reads_mask=self.has_missing)

    @property
    def _n_observed(self) -> int:
        """How many columns `_observe` returns."""
        if self.missing == "indicator":
            return self.n_inputs
        return (5 if self.is_bidirectional else 3) * self._n_columns_read

    def steps_of(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> Steps:
        """Return the steps of sequences as the network reads them; see `Reader.steps_of`.

        Where other steps have a say in the inputs of one, these are made anew whenever it is
        read; with `may_hold`, once for all, unless that took too much memory.

        Raises
        ------
        ValueError
            If a scaled value is too large for `dtype`: at once, or when it is read.
        """
        read = self._read(sequences)
        return self._steps(read, dtype, may_hold=may_hold, moves_patches=moves_patches)

    def _read(self, sequences: Sequences) -> Sequences:
        """Return the columns that are read, (total steps, C): the values, or more beside them."""
        if not self._has_own_scales:
            return sequences
        return BesideScale(sequences, known(self.measure), self.stamps).sequences

    def _steps(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> Steps:
        """Return the steps of sequences of the columns that are read; see `steps_of`."""
        dtype = np.dtype(dtype)
        if self.are_observed:
            observe = partial(self._observe, dtype=dtype)
            steps = Steps(
                sequences,
                patch_size=self.patch_size,
                padding=np.zeros(1, dtype),
                observe=observe,
                moves_patches=moves_patches,
            )
            n_bytes = len(sequences.values) * self._n_observed * dtype.itemsize
            if may_hold and may_be_held(n_bytes):
                return steps.held()
            return steps
        prepare = partial(
            scale_values,
            center=np.tile(known(self.center), self.patch_size),
            scale=np.tile(known(self.scale), self.patch_size),
            dtype=dtype,
            clip=self._clips,
            in_place=True,
        )
        return Steps(
            sequences,
            prepare,
            patch_size=self.patch_size,
            padding=self.fill,
            observe=self._fill if _contains_nan(sequences) else None,
            moves_patches=moves_patches,
        )

    # --- The same step by step -------------------------------------------------------------------

    def nothing_carried(self, n_sequences: int) -> tuple[NDArray[Any], ...]:
        """Return the values last seen and their times; see `StepReader`."""
        shape = n_sequences, self._n_columns_read
        return np.zeros(shape), np.zeros(shape)

    def padding_rows(self, n_sequences: int, patch_size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return the rows of padding; see `StepReader`."""
        row = np.zeros(self._n_observed, dtype)
        if not self.are_observed:
            row = self._scaled(known(self.fill)[None].copy(), dtype)[0]
        return np.tile(row, (n_sequences, patch_size, 1))

    def rows_of_step(
        self,
        values: NDArray[Any],
        numbers: Indices,
        before: tuple[NDArray[Any], ...],
        dtype: DTypeLike,
    ) -> tuple[NDArray[Any], tuple[NDArray[Any], ...]]:
        """Return the scaled values, or what is observed of them; see `StepReader`."""
        values = values.astype(np.float64)  # a copy
        offsets = np.arange(len(values) + 1)
        if self.are_observed:
            return self._observe(values, numbers, offsets, before, dtype=np.dtype(dtype))
        if contains_nan(values):
            values, after = self._fill(values, numbers, offsets, before)
            before = after or before
        else:
            before = values.copy(), np.repeat(numbers[:, None], values.shape[1], axis=1)
        return self._scaled(values, dtype), before

    def _scaled(self, values: Array, dtype: DTypeLike) -> Array:
        """Return scaled values in the place of values."""
        center, scale = known(self.center), known(self.scale)
        return scale_values(values, center, scale, np.dtype(dtype), clip=self._clips, in_place=True)

    # --- The values of X behind them -------------------------------------------------------------

    def origins(self, sequences: Sequences) -> Origins:
        """Return where the numbers come from; see `Reader.origins`.

        A value last seen comes from the step at which it was seen, the scale of a sequence at each
        step from the value there, or if that is missing, the one last seen.
        """
        values = sequences.values
        places = np.arange(1.0, values.size + 1).reshape(values.shape)
        read = self._read(sequences)
        if isinstance(read.values, BesideScale):
            places = read.values.repeat(places)
        steps = self._instead(read, places, np.float64)
        return Origins(steps, sequences.offsets * values.shape[1])

    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the samples from the mean of training on, or the median; see `Input`."""
        read = self._read(sequences)
        columns = read.values[:]
        start = np.empty(columns.shape)
        if baseline is None:
            start[...] = known(self.fill)
        else:
            given = np.empty(sequences.values.shape)
            given[...] = _baseline_of(baseline, sequences)
            given[np.isnan(sequences.values)] = np.nan
            start[...] = self._read(sequences._replace(values=given)).values[:]
        start[np.isnan(columns)] = np.nan
        if self.stamps is not None:
            start[:, self.stamps] = columns[:, self.stamps]
        return Line(self._steps(read._replace(values=start), dtype), self._steps(read, dtype))

    def tangents(self, sequences: Sequences, line: Line, dtype: DTypeLike) -> Line:
        """Return the derivative of the scaled values; see `Reader.tangents`.

        The scale of a sequence counts as given: values are not derived through it.
        """
        read = self._read(sequences)
        if isinstance(read.values, BesideScale):
            slopes = read.values.slopes()
        else:
            slopes = slopes_of_scaled(
                sequences.values, known(self.center), known(self.scale), clip=self._clips
            )
        nothing = np.zeros_like(slopes)
        return Line(self._instead(read, nothing, dtype), self._instead(read, slopes, dtype))

    def _instead(self, read: Sequences, numbers: Array, dtype: DTypeLike) -> Steps:
        """Return the steps with other numbers in place of the values, which are not scaled.

        Where no value was seen there is 0. Masks and times are those of the sequences.

        Parameters
        ----------
        read : Sequences
            Those of `_read`.
        numbers : ndarray of shape (total steps, C)
        dtype : dtype
        """
        columns = read.values[:]
        n_columns = numbers.shape[1]
        plain = replace(
            self,
            scaling=None,
            center=np.zeros(n_columns),
            scale=np.ones(n_columns),
            fill=np.zeros(n_columns),
        )
        numbers[np.isnan(columns) | np.isnan(known(self.center))] = np.nan
        if self.stamps is not None:
            numbers[:, self.stamps] = columns[:, self.stamps]
        return plain.steps_of(read._replace(values=numbers), dtype)

    @property
    def _clips(self) -> bool:
        return self.scaling == "robust"

    # The `observe` of `Steps`.

    def _fill(
        self, values: NDArray[Any], numbers: Indices, offsets: Indices, before: Carried | None
    ) -> tuple[NDArray[Any], Carried | None]:
        """Return steps without missing values; training has had none."""
        fill = known(self.fill)
        values = values.astype(np.float64, copy=False)  # the scale of the values may be a small one
        if self.missing == "decay":
            times = step_times(values, numbers, None)
            seen = seen_before(times, numbers, offsets, fill, before)
            values, _, before = last_seen(values, times, offsets, seen)
        else:
            np.copyto(values, fill, where=np.isnan(values), casting="same_kind")
        return values, before

    def _observe(
        self,
        values: NDArray[Any],
        numbers: Indices,
        offsets: Indices,
        before: Carried | None,
        *,
        dtype: np.dtype,
    ) -> tuple[NDArray[Any], Carried]:
        """Return the network's inputs at each step, (S, n columns).

        With "decay" as the columns of `_nn.missing.ObservedInputs`, else in `n_inputs` columns.
        """
        center, scale, gap_scale = known(self.center), known(self.scale), known(self.gap_scale)
        times = step_times(values, numbers, self.stamps)
        if self.stamps is not None:
            values[:, self.stamps] = 0  # the stamps themselves are not read
        values = scale_values(values, center, scale, dtype, clip=self._clips, in_place=True)
        is_seen = ~np.isnan(values)
        never = np.zeros(values.shape[1])
        begin = seen_before(times, numbers, offsets, never, before)
        last, since, after = last_seen(values, times, offsets, begin)
        directions = [(last, since)]
        if self.is_bidirectional and self.missing == "decay":
            directions.append(next_seen(values, times, offsets, never))
        if self.stamps is not None:  # the time between steps takes the place of the stamps
            j = self.stamps
            for found, elapsed in directions:
                found[:, j] = np.log1p(elapsed[:, j] / gap_scale[j])
        seen = [found for found, _ in directions]
        gaps = [scaled_gaps(elapsed, gap_scale, dtype) for _, elapsed in directions]
        if self.missing == "decay":
            return np.hstack([is_seen.astype(dtype), *seen, *gaps]), after
        seen[0][~is_seen] = 0
        if not self.has_missing:
            return seen[0], after
        return np.hstack([seen[0], is_seen.astype(dtype), np.log1p(gaps[0])]), after


def _baseline_of(baseline: Any, sequences: Sequences) -> Array:
    """Return a baseline as an array that stands for all steps, (D,) or (total steps, D)."""
    n_features, lengths = sequences.values.shape[1], np.unique(sequences.lengths)
    numbers: Array = to_numbers(as_values(baseline), "baseline").astype(float)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"baseline holds NaN or infinity: expected finite numbers, got {baseline}."
        )
    if numbers.ndim == 1 and n_features == 1 and len(numbers) > 1:
        numbers = numbers[:, None]
    if numbers.shape in ((), (n_features,)):
        return np.broadcast_to(numbers, (n_features,))
    if len(lengths) == 1 and numbers.shape == (lengths[0], n_features):
        return np.tile(numbers, (sequences.n_sequences, 1))
    raise ValueError(
        f"The baseline does not fit: expected a number, {n_features} numbers, one for each "
        f"feature, or an array of shape (n_steps, {n_features}), if all samples have n_steps (they "
        f"have {_range_of(lengths)}), got shape {numbers.shape}."
    )


def _range_of(lengths: Indices) -> str:
    low, high = lengths.min(), lengths.max()
    return f"{high}" if len(lengths) == 1 else f"{low} to {high}"


def learn_features(
    sequences: Sequences,
    weights: NDArray[Any],
    *,
    scaling: str | None,
    time_feature: int | None,
) -> dict[str, Any]:
    """Return the scales of the features, and whether values are missing.

    Parameters
    ----------
    sequences : Sequences
    weights : ndarray of shape (n,)
    scaling : {"standard", "robust", "sequence", "auto"} or None
    time_feature : int or None

    Returns
    -------
    dict
        Fields of `NumberInput`: scaling, which is not "auto"; center, scale, fill, gap_scale, each
        (C,); measure and has_missing.

    Raises
    ------
    ValueError
        If values are so large that the scale overflows.
    """
    values = sequences.values  # time stamps among them are not scaled
    of_steps = StepWeights(weights, sequences.offsets)
    has_missing = contains_nan(values)
    measure = None
    if scaling == "robust":
        center, scale = median_and_scale(values, of_steps, ignored=time_feature)
    elif scaling is not None:
        center, scale = mean_and_scale(values, of_steps, "X", ignored=time_feature)
    else:
        center, _ = mean_and_weight(values, of_steps, ignored=time_feature)
        scale = np.where(np.isnan(center), np.nan, 1.0)
    if scaling == "auto":
        # Where magnitudes span orders, the largest make the deviation of all values, in units of
        # which the small ones are all zero.
        scaled = np.arange(len(scale)) != time_feature
        size = small_magnitude(sequences, weights, scale, scaled)
        scaling = "sequence" if size < _SMALL else "standard"
    if scaling == "sequence":
        measure = measure_of(sequences, center, scale)
        own = BesideScale(sequences, measure, time_feature)
        sequences = own.sequences
        of_values = np.where(np.isnan(center), np.nan, [[0.0], [1.0]])
        of_scales = center_and_scale_of_scales(own.scales, weights)
        center, scale = np.hstack([of_values, of_scales])
    fill = center.copy()
    if scaling is None and not has_missing:
        center[:] = 0  # where values were missing, their mean has to be the network's 0
    gap_scale: Array = np.ones(len(center))
    if has_missing or time_feature is not None:
        gap_scale = mean_gaps(sequences, of_steps, time_feature)
    if time_feature is not None:
        center[time_feature], scale[time_feature] = 0.0, gap_scale[time_feature]
        if measure is not None:
            measure[:, time_feature] = 0.0, gap_scale[time_feature], 0.0
    return {
        "scaling": scaling,
        "center": center,
        "scale": scale,
        "fill": fill,
        "gap_scale": gap_scale,
        "measure": measure,
        "has_missing": has_missing,
    }


def mean_gaps(sequences: Sequences, weights: StepWeights, time_feature: int | None) -> Array:
    """Return the mean of the gaps of each feature over all steps, (D,); 1 where it is 0.

    Parameters
    ----------
    sequences : Sequences
    weights : StepWeights
    time_feature : int or None
    """
    n_features = sequences.values.shape[1]
    never = np.zeros(n_features)

    def gaps_of(
        values: NDArray[Any], numbers: Indices, offsets: Indices, before: Carried | None
    ) -> tuple[NDArray[Any], Carried]:
        times = step_times(values, numbers, time_feature)
        seen = seen_before(times, numbers, offsets, never, before)
        _, gaps, after = last_seen(values, times, offsets, seen)
        return gaps, after

    steps, arena = Steps(sequences, observe=gaps_of), Arena()
    n_steps = max(1, _MAX_GAPS // (MAX_CHUNK_SEQUENCES * n_features))
    total = np.zeros(n_features)
    for start in range(0, sequences.n_sequences, MAX_CHUNK_SEQUENCES):
        indices = np.arange(start, min(start + MAX_CHUNK_SEQUENCES, sequences.n_sequences))
        pieces = SequencePieces(steps, indices, n_steps, arena)
        for gaps, piece in (pieces[i] for i in range(len(pieces))):
            assert piece.rows is not None  # as `SequencePieces` makes them
            total += weights[piece.rows] @ gaps
    mean = total / weights.sum() if len(weights) else total
    return np.where(mean > 0, mean, 1.0)


def _contains_nan(sequences: Sequences) -> bool:
    """Whether any value is missing; that of a sequence without values is, too."""
    values = sequences.values
    return values.contains_nan() if isinstance(values, BesideScale) else contains_nan(values)


def _warn_of_channels_first(opened: Opened, features_per_step: int) -> None:
    """Warn of arrays of one length that have more features than steps, if nothing says so."""
    form = opened.form
    if isinstance(form, Rectangle):
        shapes = {np.shape(form.cells)[1:]} if form.n_columns is None else set()
        example = "np.transpose(X, (0, 2, 1))"
    else:
        are_arrays = form.names is None and len(form.sequences) > 1
        shapes = {getattr(x, "shape", ()) for x in form.sequences} if are_arrays else set()
        example = "[x.T for x in X]"
    (shape, *others) = shapes or {()}
    if len(shape) != 2 or others:
        return
    n_steps, n_features = shape
    if 0 < n_steps < n_features != features_per_step:
        warn(
            f"X has {n_features} features at each of {n_steps} steps: expected arrays of shape "
            f"(n_steps, n_features). {CHANNELS_FIRST}, {example}. If X is as it should be, "
            f"features_per_step={n_features} says so; so do names of the features, in a DataFrame "
            "or a list of them, and a time_feature."
        )


def _warn_of_lost_tokens(parsed: Parsed) -> None:
    """Warn of a table that is parsed as numbers and looks like token ids."""
    values, n_columns = parsed.sequences.values, parsed.n_columns
    if n_columns is None or n_columns * (len(parsed.given_offsets) - 1) != len(values):
        return
    if values.dtype.kind in "iu" and look_like_ids(values.reshape(-1, n_columns)):
        warn(
            "X is read as numbers, but it holds integers padded with zeros, as token ids are. "
            "embedding_dim='auto' embeds what SequenceVectorizer returns as it is; np.asarray "
            "and DataFrames take away what tells ids from numbers. Set embedding_dim=128 to "
            "have X read as token ids, or embedding_dim=None if it holds numbers."
        )
