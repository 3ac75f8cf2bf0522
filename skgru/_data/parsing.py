"""X as sequences of numbers or of token ids, without padding.

Trailing steps that are wholly NaN are padding; NaN elsewhere is a missing value. With tokens, zeros
at either end are padding. `forms` lists the forms of X.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import MISSING_ID
from skgru._data.forms import Opened
from skgru._data.scaling import contains_nan
from skgru._data.sequences import (
    Sequences,
    are_wholly_nan,
    kept_rows,
    locate,
    offsets_of,
    rows_kept,
)
from skgru._data.stacking import LONG_TABLE, Parser, is_feature
from skgru._nn.batch import Indices

_MOST_AT_ONCE = 1 << 18  # steps that are looked through at a time


class Parsed(NamedTuple):
    """X as sequences.

    Attributes
    ----------
    sequences : Sequences
    n_columns : int or None
        Of a two-dimensional X.
    given_offsets : ndarray of shape (n + 1,)
        Offsets of the steps as they were given, padding included.
    kept : slice or ndarray of bool of shape (total steps given,)
        Which of the given steps are no padding.
    is_frame : bool
        Whether X is a DataFrame.
    """

    sequences: Sequences
    n_columns: int | None
    given_offsets: Indices
    kept: slice | NDArray[np.bool_]
    is_frame: bool = False

    def among(self, present: NDArray[np.bool_] | None) -> Parsed:
        """Return the sequences with empty ones between them, for the samples that have none.

        `present` says which samples have one, (n,); None = all.
        """
        if present is None or present.all():
            return self
        lengths, given = np.zeros((2, len(present)), np.intp)
        lengths[present] = self.sequences.lengths
        given[present] = np.diff(self.given_offsets)
        sequences = self.sequences._replace(offsets=offsets_of(lengths))
        return self._replace(sequences=sequences, given_offsets=offsets_of(given))


def parse_nothing(n: int, values: NDArray[Any]) -> Parsed:
    """Return n empty sequences; `values` is an array without a row, as others have it."""
    offsets = np.zeros(n + 1, np.intp)
    return Parsed(Sequences(values, offsets), None, offsets, slice(None))


def parse_numbers(
    opened: Opened,
    *,
    features_per_step: int = 1,
    allow_missing: bool = False,
    time_feature: int | None = None,
) -> Parsed:
    """Parse numeric sequences.

    Parameters
    ----------
    opened : Opened
    features_per_step : int, default=1
        How many numbers make a step where X does not say: in 2-D X and in (T_i,) sequences.
    allow_missing : bool, default=False
        Whether NaN inside a sequence is taken, and stays as it is.
    time_feature : int, default=None
        Which feature holds time stamps, from the last one on if negative: dates and durations
        become seconds since the sequence's first step.

    Returns
    -------
    Parsed

    Raises
    ------
    ValueError, TypeError
        If X is not numeric, infinite, or has a missing value inside a sequence that is not allowed.
    """
    form = opened.form
    steps, offsets = form.stack(Parser(features_per_step, time_feature))
    sequences = Sequences(steps, offsets)
    kept: slice | NDArray[np.bool_] = slice(None)
    if not _is_surely_finite(steps):
        _check_finite(steps, offsets)
        sequences, kept = _without_trailing_nan(steps, offsets)
        if not allow_missing:
            _check_complete(sequences)
    parsed = Parsed(sequences, form.n_columns, offsets, kept, opened.is_frame)
    return parsed.among(opened.present)


def parse_tokens(opened: Opened) -> Parsed:
    """Parse sequences of token ids; the values are integers of shape (total steps,).

    Raises
    ------
    ValueError, TypeError
        As `parse_numbers`, and if an id is negative, has a fraction, or is 0 inside a sequence.
    """
    form = opened.form
    steps, given_offsets = form.stack(Parser(1, None, ids=True))
    ids, offsets = steps[:, 0], given_offsets
    kept: slice | NDArray[np.bool_] = slice(None)
    if len(ids) and ids.min() <= 0:  # else nothing is padding, and nothing is missing
        missing = ids == MISSING_ID
        if missing.any():
            kept, offsets = kept_rows(~missing, offsets, from_start=True)
            _check_complete(Sequences(np.where(missing, np.nan, 0.0)[kept, None], offsets))
        sequences, rows = _without_padding(ids[kept], offsets)
        if isinstance(kept, slice):
            kept = rows
        elif not isinstance(rows, slice):
            present, kept = kept, kept.copy()
            kept[present] = rows
    else:
        sequences = Sequences(ids, offsets)
    parsed = Parsed(sequences, form.n_columns, given_offsets, kept, opened.is_frame)
    return parsed.among(opened.present)


def index_of_stamps(opened: Opened, time_feature: int | str | None) -> int | None:
    """Return the index of the feature that holds time stamps, given its index or column's name.

    Raises
    ------
    ValueError
        If no column of X has that name.
    """
    if not isinstance(time_feature, str):
        return None if time_feature is None else int(time_feature)
    names = opened.names
    if names is None:
        raise ValueError(
            f"Expected a column time_feature={time_feature!r}, but the features of X have no "
            "names: give a DataFrame or a list of DataFrames, or the index of the feature (0 of "
            "what SequenceAligner returns). Arrays that a step before returns, such as "
            "PerTimestep, have none: set_output(transform='pandas') of it, or of the pipeline, "
            "keeps them."
        )
    if time_feature not in names:
        # ColumnTransformer puts the name of its part before that of the column.
        meant = [name for name in names if name.endswith(f"__{time_feature}")]
        hint = f" Did you mean {meant[0]!r}?" if len(meant) == 1 else ""
        raise ValueError(
            f"Expected a column time_feature={time_feature!r}, or the index of a feature; the "
            f"columns of X are {names}.{hint}"
        )
    return names.index(time_feature)


def check_features(
    found: tuple[int | None, int | None],
    expected: tuple[int | None, int | None],
    *,
    is_list: bool,
    estimator_name: str,
) -> None:
    """Refuse an X of other features than those of the X that was learned from.

    Parameters
    ----------
    found, expected : tuple of (n_columns, n_features)
        Columns of a two-dimensional X, or None, and features of a step, None if there is no step;
        of this X, and in fit.
    is_list : bool
        Whether X is a list of sequences, whose rows may have any length.
    estimator_name : str

    Raises
    ------
    ValueError
        If they differ.
    """
    if not is_list and None not in (found[0], expected[0]) and found[0] != expected[0]:
        raise ValueError(
            f"X has {found[0]} features, but {estimator_name} is expecting {expected[0]} features "
            "as input. (Sequences of other lengths can be given as a list or a 3-D array.)"
        )
    if found[1] not in (None, expected[1]):
        # A table of numbers, where there were sequences, may be one with a row per step.
        hint = "" if is_list or found[0] is None or expected[0] is not None else f" {LONG_TABLE}."
        raise ValueError(
            f"X has {found[1]} features per step, but {estimator_name} is expecting "
            f"{expected[1]} features per step as input.{hint}"
        )


def check_times(sequences: Sequences, time_feature: int, name: str | None = None) -> None:
    """Refuse time stamps of sequences that are missing or decrease.

    Parameters
    ----------
    sequences : Sequences
    time_feature : int
    name : str, default=None
        Of that feature, if the user has named it.

    Raises
    ------
    ValueError
        If there is one, or no such feature.
    """
    n_features = sequences.values.shape[1]
    if not is_feature(time_feature, n_features):
        raise ValueError(
            f"Expected time_feature to be the index of a feature, at least {-n_features} and below "
            f"{n_features}, got {time_feature}."
        )
    said = repr(time_feature if name is None else name)
    times, offsets = sequences.values[:, time_feature], sequences.offsets
    if np.isnan(times).any():
        i, t = locate(np.flatnonzero(np.isnan(times))[0], offsets)
        raise ValueError(
            f"Expected a time stamp at each step (time_feature={said}), but it is missing "
            f"in sequence {i}, step {t}."
        )
    decreases = times[1:] < times[:-1]
    decreases[offsets[(offsets > 0) & (offsets < len(times))] - 1] = False  # another sequence
    if decreases.any():
        row = np.flatnonzero(decreases)[0] + 1
        i, t = locate(row, offsets)
        raise ValueError(
            f"Expected time stamps that do not decrease (time_feature={said}), but "
            f"{times[row]} comes after {times[row - 1]} in sequence {i}, step {t}."
        )


# --- Padding and missing values ---------------------------------------------------------------


def _is_surely_finite(steps: NDArray[Any]) -> bool:
    """Whether a sum says that no step is infinite or NaN: it needs no memory beside them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return steps.dtype.kind != "f" or bool(np.isfinite(steps.sum()))


def _check_finite(steps: NDArray[Any], offsets: Indices) -> None:
    """Refuse infinity; NaN is dealt with elsewhere."""
    some = range(0, len(steps), _MOST_AT_ONCE)
    if not any(np.isinf(steps[start : start + _MOST_AT_ONCE]).any() for start in some):
        return
    row, feature = np.argwhere(np.isinf(steps))[0]
    i, t = locate(row, offsets)
    raise ValueError(
        f"Input X contains infinity or a value too large for {steps.dtype!r}: expected finite "
        f"values, got {steps[row, feature]} in sequence {i}, step {t}, feature {feature}."
    )


def _without_trailing_nan(
    steps: NDArray[Any], offsets: Indices
) -> tuple[Sequences, slice | NDArray[np.bool_]]:
    """Drop trailing steps that are wholly NaN; return the sequences, and which rows are kept."""
    kept, offsets = kept_rows(~are_wholly_nan(steps), offsets, from_start=True)
    return Sequences(rows_kept(steps, kept), offsets), kept


def _check_complete(sequences: Sequences) -> None:
    """Refuse missing values."""
    if contains_nan(sequences.values):
        row, feature = np.argwhere(np.isnan(sequences.values))[0]
        i, t = locate(row, sequences.offsets)
        raise ValueError(
            f"Input X contains NaN: sequence {i}, step {t}, feature {feature} is missing. Expected "
            "complete sequences: of tokens, or with missing='error'; missing='decay' and "
            "'indicator' take missing values."
        )


def _without_padding(
    ids: NDArray[np.integer], offsets: Indices
) -> tuple[Sequences, slice | NDArray[np.bool_]]:
    """Drop zeros at either end; refuse zeros inside.

    Returns the sequences, and which rows are kept.
    """
    kept, offsets = kept_rows(ids != 0, offsets, from_start=False)
    sequences = Sequences(ids[kept], offsets)
    inner = np.flatnonzero(sequences.values == 0)
    if len(inner):
        i, t = locate(inner[0], offsets)
        raise ValueError(
            f"Token id 0 is padding and stands only at the ends of a sequence, but sequence {i} "
            f"has it inside, {t} steps after its first token."
        )
    return sequences, kept
