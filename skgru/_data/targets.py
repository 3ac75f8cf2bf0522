"""The contents of y and of the weights of samples in any container; targets at every step."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skgru._compat import check_sample_weight
from skgru._data.arrays import NameOf, as_array, describe, exceeds_floats, is_missing, to_numbers
from skgru._data.forms import (
    arrays_of,
    hint_for,
    holds_sequences,
    is_container,
    is_frame,
    is_sequence,
)
from skgru._data.parsing import Parsed
from skgru._data.sequences import Sequences
from skgru._data.stacking import concatenate_columns
from skgru._nn.batch import Array, Indices


def as_targets(y: Any) -> Any:
    """Return y as an array, or as the sparse matrix that it is; missing values stay missing.

    Raises
    ------
    TypeError, ValueError
        If its container has no order, or it is ragged.
    """
    if y is None or sparse.issparse(y):
        return y
    _refuse_what_has_no_order(y, "y")
    if is_frame(y):
        return concatenate_columns(arrays_of(y) or [np.empty(len(y))])
    array = as_array(y)
    if array.dtype == object and array.ndim == 1:
        i = next((i for i, cell in enumerate(array) if is_sequence(cell)), None)
        if i is not None:
            raise ValueError(
                f"y is ragged: expected one target for each sequence, got {describe(array[i])} as "
                f"target {i}. Targets at every step need pooling=None."
            )
    if isinstance(y, list | tuple) and array.size and all(isinstance(t, str) for t in array.flat):
        return array.astype(str)  # as NumPy has them, and scikit-learn
    return array


def as_weights(sample_weight: Any) -> Any:
    """Return sample weights, of sequences or ragged ones of steps, without their container."""
    if sample_weight is None or isinstance(sample_weight, Real):
        return sample_weight
    _refuse_what_has_no_order(sample_weight, "sample_weight")
    weights = as_array(sample_weight)
    is_ragged = weights.dtype == object and any(map(is_sequence, weights.flat))
    return weights if is_ragged else to_numbers(weights, "sample_weight")


def _refuse_what_has_no_order(values: Any, name: str) -> None:
    if not is_container(values):
        hint = hint_for(values, "X")
        raise TypeError(f"Expected an array or a list as {name}, got {describe(values)}{hint}.")
    if getattr(values, "ndim", 1) == 0:
        raise TypeError(f"Expected an array or a list as {name}, got one number, {values}.")


def to_labels(y: NDArray[Any], where: NameOf) -> NDArray[Any]:
    """Return class labels as an array whose elements can be compared: all texts, or all numbers.

    Raises
    ------
    TypeError, ValueError
        If one is missing or neither, or there are both.
    """
    if y.dtype.kind == "V":
        return to_numbers(y, where)  # says so
    if y.dtype != object:
        return y
    missing = next((i for i in np.ndindex(y.shape) if is_missing(y[i])), None)
    if missing is not None:
        raise ValueError(f"Input y contains NaN: {where(missing)} is missing ({y[missing]!r}).")
    texts = [label for label in y.flat if isinstance(label, str | bytes)]
    if len(texts) == y.size:
        return y
    if texts:
        other = next(label for label in y.flat if not isinstance(label, str | bytes))
        raise TypeError(
            "Expected class labels that are all texts or all numbers, got "
            f"{texts[0]!r:.50} beside {other!r:.50} in y."
        )
    numbers = to_numbers(y, where)
    are_whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    if numbers.dtype.kind == "f" and are_whole and exceeds_floats(numbers):
        # Whole numbers beside floats that a float64 would round: as the integers that they are.
        y = np.array([int(label) for label in y.flat], object).reshape(y.shape)
        return to_numbers(y, where)
    return numbers


def kind_of_labels(labels: NDArray[Any]) -> str:
    """Return which labels these can be compared with: the kind of NumPy, any text "U"."""
    kind = labels.dtype.kind
    return "U" if kind in "OST" else "f" if kind in "biuc" else kind


def are_step_targets(y: Any, read: Parsed) -> bool:
    """Whether y holds a target for each step of X, rather than one or several for each sequence."""
    _refuse_what_has_no_order(y, "y")
    y = _column_of_parts(y)
    if sparse.issparse(y) or is_frame(y):
        return False
    opened = y if isinstance(y, list | tuple) else as_array(y)
    if len(opened) != read.sequences.n_sequences:
        return False
    lengths = np.array([_length(part) for part in opened])
    given = np.diff(read.given_offsets)
    return np.array_equal(lengths, given) or np.array_equal(lengths, read.sequences.lengths)


def parts_of(y: Any, name: str) -> Sequence[Any]:
    """Return y without its container: the targets of the steps of each sequence, as they came.

    Raises
    ------
    TypeError
        If its container has no order.
    """
    _refuse_what_has_no_order(y, name)
    y = _column_of_parts(y)
    return y if isinstance(y, list | tuple) else list(as_array(y))


def _column_of_parts(y: Any) -> Any:
    """Return the column of a DataFrame that has only one, of arrays; any other y as it is."""
    columns = arrays_of(y) if is_frame(y) else []
    return columns[0] if len(columns) == 1 and holds_sequences(columns[0]) else y


def _length(part: Any) -> int:
    """Return how many targets a part of y holds, -1 if it is one."""
    return len(as_array(part)) if is_sequence(part) else -1


def parse_step_targets(y: Any, read: Parsed, name: str = "y") -> NDArray[Any]:
    """Return the targets of all steps, (total steps,) or (total steps, K).

    Parameters
    ----------
    y : array of shape (n, T) or (n, T, K), or list, object array, Series or column of arrays
        Shape (T_i,) or (T_i, K), a target for each step of each sequence. Steps that are padding in
        X may have one or not.
    read : Parsed
        X as sequences.
    name : str, default="y"
        Of y in the errors.

    Raises
    ------
    ValueError, TypeError
        If the numbers of sequences, steps or targets per step do not agree.
    """
    parts = parts_of(y, name)
    n = read.sequences.n_sequences
    what = "weight" if name == "sample_weight" else "target"
    if len(parts) != n:
        raise ValueError(f"{name} has {what}s for {len(parts)} sequences, but X has {n} sequences.")
    parts = [_open_part(part, i, name) for i, part in enumerate(parts)]
    if len({part.shape[1:] for part in parts}) > 1:
        found = sorted({part.shape for part in parts}, key=str)[:3]
        raise ValueError(f"{_expected_parts(name)} got arrays of shapes {found}.")
    lengths = np.array([len(part) for part in parts])
    given = np.diff(read.given_offsets)
    if np.array_equal(lengths, given):
        return _concatenate(parts)[read.kept]
    if np.array_equal(lengths, read.sequences.lengths):
        return _concatenate(parts)
    i = np.flatnonzero(lengths != given)[0]
    are_tokens = read.sequences.values.ndim == 1
    hint = (
        " Where X was texts, SequenceVectorizer has split them by its token_pattern: give lists of "
        "the words that have targets."
    )
    raise ValueError(
        f"With pooling=None, {name} has a {what} for each step: expected "
        f"{given[i]} {what}s for sequence {i}, got {lengths[i]}.{hint * are_tokens}"
    )


def _open_part(part: Any, i: int, name: str) -> NDArray[Any]:
    """Return the targets of sequence i as an array (n_steps,) or (n_steps, n_outputs)."""
    if not is_sequence(part):
        raise ValueError(f"{_expected_parts(name)} got {describe(part)} for sequence {i}.")
    try:
        array = as_array(part)
        if array.dtype == object and array.ndim == 1:
            array = _stack_rows(array)
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} of sequence {i}: {error}") from error
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{_expected_parts(name)} got one of shape {array.shape} for sequence {i}."
        )
    return array


def _expected_parts(name: str) -> str:
    return (
        f"With pooling=None, {name} holds an array of shape (n_steps,) or (n_steps, n_outputs) for "
        "each sequence, the same n_outputs for all;"
    )


def _stack_rows(rows: NDArray[np.object_]) -> NDArray[Any]:
    """Return rows, of which some may be missing as a whole, as one array; numbers as they are."""
    widths = {len(as_array(row)) for row in rows if is_sequence(row)}
    if not widths:
        return rows
    if len(widths) > 1:
        raise ValueError(f"it is ragged itself, with {sorted(widths)} targets at its steps.")
    missing = np.full(widths.pop(), None)
    return np.stack([missing if is_missing(row) else as_array(row) for row in rows])


def _concatenate(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join the targets of all sequences; those of several kinds stay as they are."""
    filled = [part for part in parts if len(part)] or parts
    are_mixed = len({kind_of_labels(part) for part in filled if part.dtype != object}) > 1
    # Beside floats, which missing ones among them have to be, large integers would be rounded.
    has_floats = any(part.dtype.kind == "f" for part in filled)
    large = (part.dtype.kind in "iu" and exceeds_floats(part) for part in filled)
    if are_mixed or (has_floats and any(large)):
        filled = [part.astype(object) for part in filled]
    return np.concatenate(filled)


def parse_step_weights(sample_weight: Any, read: Parsed) -> Array:
    """Return the weight of each step, (total steps,), given those of sequences or of steps.

    Raises
    ------
    ValueError, TypeError
        If they do not fit X, or a weight is missing or negative.
    """
    sequences = read.sequences
    if not _are_of_steps(sample_weight):
        weights = check_weights(sample_weight, sequences.n_sequences)
        return np.repeat(weights, sequences.lengths)
    weights = to_numbers(parse_step_targets(sample_weight, read, "sample_weight"), "sample_weight")
    return check_weights(weights, int(sequences.lengths.sum()))


def weights_of_sequences(sample_weight: Any, step_weights: Array, sequences: Sequences) -> Array:
    """Return the weights of sequences, (n,): as given, or else the mean of those of their steps.

    Steps of weight 0 do not count; a sequence that has no others has weight 0.

    Parameters
    ----------
    sample_weight : as `as_weights` returns it
    step_weights : ndarray of shape (total steps,)
    sequences : Sequences
    """
    n = sequences.n_sequences
    counted = np.flatnonzero(step_weights)
    owners = np.repeat(np.arange(n), sequences.lengths)[counted]
    counts = np.bincount(owners, minlength=n)
    if sample_weight is None or _are_of_steps(sample_weight):
        return np.bincount(owners, step_weights[counted], minlength=n) / np.maximum(counts, 1)
    return np.where(counts > 0, sample_weight, 0.0)


def _are_of_steps(sample_weight: Any) -> bool:
    """Whether weights are those of steps, an array for each sequence."""
    is_array = isinstance(sample_weight, np.ndarray)
    return is_array and (sample_weight.dtype == object or sample_weight.ndim > 1)


def check_weights(sample_weight: Any, n: int) -> Array:
    """Return n weights in float64, 1 each where none are given."""
    if _are_of_steps(sample_weight) and sample_weight.dtype == object:
        raise ValueError(
            "sample_weight holds arrays, the weights of steps: expected one weight for each "
            "sequence. Weights of steps need pooling=None."
        )
    weights: Array = check_sample_weight(
        sample_weight, np.empty(n), dtype=np.float64, ensure_non_negative=True
    )
    return weights


def parse_groups(groups: Any, n: int) -> Indices | None:
    """Return the groups of n samples as numbers from 0 on, (n,), or None where none are given.

    Raises
    ------
    TypeError, ValueError
        If there is not one group for each sample.
    """
    if groups is None:
        return None
    _refuse_what_has_no_order(groups, "groups")
    labels = as_array(groups)
    if labels.shape != (n,):
        raise ValueError(
            f"groups: expected one for each of the {n} samples of X, an array of shape ({n},), got "
            f"shape {labels.shape}."
        )
    codes: dict[Any, int] = {}
    for i, label in enumerate(labels.tolist()):
        if is_missing(label):
            raise ValueError(
                f"groups: expected the group of each sample, got {label} as group {i}."
            )
        try:
            codes.setdefault(label, len(codes))
        except TypeError:
            raise TypeError(
                f"groups: expected labels such as numbers or texts, got {describe(label)} as group "
                f"{i}."
            ) from None
    return np.array([codes[label] for label in labels.tolist()], np.intp)


def refuse_no_weight(weights: Array) -> None:
    """Refuse weights of which none is above zero."""
    if len(weights) and not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")


def refuse_unequal_weights(weights: Array, sequences: Sequences) -> None:
    """Refuse weights of steps, (total steps,), that differ within a sequence, zeros aside."""
    owners = np.repeat(np.arange(sequences.n_sequences), sequences.lengths)
    largest = np.zeros(sequences.n_sequences)
    np.maximum.at(largest, owners, weights)
    differ = np.flatnonzero((weights > 0) & (weights < largest[owners]))
    if len(differ):
        i = owners[differ[0]]
        raise ValueError(
            "With crf=True all steps of a sequence have the same weight, or 0, which leaves their "
            f"targets out: got {weights[differ[0]]} and {largest[i]} in sequence {i}."
        )


def has_target(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which steps have a target: one that is None or NaN is none.

    Parameters
    ----------
    y : ndarray of shape (total steps,) or (total steps, K)

    Returns
    -------
    ndarray of bool of shape (total steps,)

    Raises
    ------
    ValueError
        If only some of the K targets of a step are missing, or all targets of all steps.
    """
    if y.dtype == object:
        missing = np.fromiter(map(is_missing, y.flat), bool, y.size).reshape(y.shape)
    elif y.dtype.kind == "f":
        missing = np.isnan(y)
    else:
        return np.ones(len(y), bool)
    if len(y) and missing.all():
        raise ValueError(
            "y has no target at any step: expected at least one that is not missing (None or NaN)."
        )
    if y.ndim == 1:
        return ~missing
    n_missing = np.count_nonzero(missing, axis=1)
    has_some = (n_missing > 0) & (n_missing < y.shape[1])
    if has_some.any():
        row = np.flatnonzero(has_some)[0]
        raise ValueError(
            f"A step has all of its targets or none, but some are missing: {y[row]}, the targets "
            f"of row {row} of all steps."
        )
    has_all: NDArray[np.bool_] = n_missing == 0
    return has_all


def without_missing(y: NDArray[Any], present: NDArray[Any]) -> NDArray[Any]:
    """Return the targets that are present, in the type that they have without the missing ones."""
    y = y[present]
    return as_array(y.tolist()) if y.dtype == object else y
