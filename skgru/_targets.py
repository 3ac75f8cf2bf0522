"""What y and the weights of samples hold, whatever their container; targets at every step."""

from collections.abc import Mapping, Set

import numpy as np
from scipy import sparse
from sklearn.utils.validation import _check_sample_weight

from skgru._cells import as_array, describe, is_missing, to_numbers
from skgru._forms import is_frame, join_columns


def as_targets(y):
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
        names = getattr(y, "column_names", y.columns)
        columns = [as_array(y[name]) for name in names] if len(set(names)) == len(names) else None
        return as_array(y) if columns is None else join_columns(columns)
    array = as_array(y)
    if array.dtype == object and array.ndim == 1:
        i = next((i for i, cell in enumerate(array) if isinstance(cell, list | np.ndarray)), None)
        if i is not None:
            raise ValueError(
                f"y is ragged: expected one target for each sequence, got {describe(array[i])} as "
                f"target {i}. Targets at every step need pooling=None."
            )
    return array


def as_weights(sample_weight):
    """Return sample weights, of sequences or ragged ones of steps, without their container."""
    if sample_weight is None or np.isscalar(sample_weight):
        return sample_weight
    _refuse_what_has_no_order(sample_weight, "sample_weight")
    weights = as_array(sample_weight)
    is_ragged = weights.dtype == object and any(np.ndim(w) > 0 for w in weights.flat)
    return weights if is_ragged else to_numbers(weights, "sample_weight")


def _refuse_what_has_no_order(values, name):
    if isinstance(values, Set | Mapping):
        raise TypeError(
            f"Expected an array or a list as {name}, got {describe(values)}, whose order has "
            "nothing to do with X's."
        )


def are_step_targets(y, read):
    """Whether y holds a target for each step of X, rather than one or several for each sequence."""
    if sparse.issparse(y) or is_frame(y):
        return False
    _refuse_what_has_no_order(y, "y")
    opened = y if isinstance(y, list | tuple) else as_array(y)
    if len(opened) != read.sequences.n_sequences:
        return False
    lengths = np.array([_length(part) for part in opened])
    given = np.diff(read.given_offsets)
    return np.array_equal(lengths, given) or np.array_equal(lengths, read.sequences.lengths)


def _length(part):
    """Return how many targets a part of y holds, -1 if it is one."""
    return -1 if isinstance(part, str | bytes) or not np.iterable(part) else len(part)


def read_step_targets(y, read, name="y"):
    """Return the targets of all steps, (total steps,) or (total steps, K).

    Parameters
    ----------
    y : array of shape (n, T) or (n, T, K), or list, object array or Series of arrays
        Shape (T_i,) or (T_i, K), a target for each step of each sequence. Steps that are padding in
        X may have one or not.
    read : ReadX
        What was found in X.
    name : str, default="y"
        Of y in the errors.

    Raises
    ------
    ValueError, TypeError
        If the numbers of sequences, steps or targets per step do not agree.
    """
    _refuse_what_has_no_order(y, name)
    opened = y if isinstance(y, list | tuple) else as_array(y)
    parts = [as_array(part) if np.ndim(part) or not np.isscalar(part) else part for part in opened]
    parts = [np.asarray(part) for part in parts]
    n = read.sequences.n_sequences
    if len(parts) != n:
        raise ValueError(f"{name} has targets for {len(parts)} sequences, but X has {n} sequences.")
    shapes = {part.shape[1:] for part in parts if part.ndim}
    if any(part.ndim not in (1, 2) for part in parts) or len(shapes) > 1:
        found = sorted({part.shape for part in parts}, key=str)[:3]
        raise ValueError(
            f"With pooling=None, {name} holds an array of shape (n_steps,) or (n_steps, n_outputs) "
            f"for each sequence, the same n_outputs for all; got arrays of shapes {found}."
        )
    lengths = np.array([len(part) for part in parts])
    given = np.diff(read.given_offsets)
    if np.array_equal(lengths, given):
        return _concatenate(parts)[read.kept]
    if np.array_equal(lengths, read.sequences.lengths):
        return _concatenate(parts)
    i = np.flatnonzero(lengths != given)[0]
    raise ValueError(
        f"With pooling=None, {name} has a target for each step: expected "
        f"{given[i]} targets for sequence {i}, got {lengths[i]}."
    )


def _concatenate(parts):
    """Join the targets of all sequences; texts and numbers side by side stay what they are."""
    filled = [part for part in parts if len(part)] or parts
    if len({part.dtype.kind in "UST" for part in filled}) > 1:
        filled = [part.astype(object) for part in filled]
    return np.concatenate(filled)


def read_step_weights(sample_weight, read):
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
    weights = to_numbers(read_step_targets(sample_weight, read, "sample_weight"), "sample_weight")
    return check_weights(weights, len(sequences.values))


def weights_of_sequences(sample_weight, step_weights, sequences):
    """Return the weights of sequences, (n,): 0 if those of all its steps are, else as given or 1.

    Parameters
    ----------
    sample_weight : as `as_weights` returns it
    step_weights : ndarray of shape (total steps,)
    sequences : Sequences
    """
    lengths = sequences.lengths
    weights = np.zeros(len(lengths))
    weights[np.repeat(np.arange(len(lengths)), lengths)[step_weights > 0]] = 1.0
    if sample_weight is None or _are_of_steps(sample_weight):
        return weights
    return weights * sample_weight


def _are_of_steps(sample_weight):
    """Whether weights are those of steps, an array for each sequence."""
    is_array = isinstance(sample_weight, np.ndarray)
    return is_array and (sample_weight.dtype == object or sample_weight.ndim > 1)


def check_weights(sample_weight, n):
    """Return n weights in float64, 1 each where none are given."""
    return _check_sample_weight(
        sample_weight, np.empty(n), dtype=np.float64, ensure_non_negative=True
    )


def has_target(y):
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
        If only some of the K targets of a step are missing.
    """
    if y.dtype == object:
        missing = np.fromiter(map(is_missing, y.flat), bool, y.size).reshape(y.shape)
    elif y.dtype.kind == "f":
        missing = np.isnan(y)
    else:
        return np.ones(len(y), bool)
    if y.ndim == 1:
        return ~missing
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        row = np.flatnonzero(missing.any(axis=1) != missing.all(axis=1))[0]
        raise ValueError(
            f"A step has all of its targets or none, but some are missing: {y[row]}, the targets "
            f"of row {row} of all steps."
        )
    return ~missing.any(axis=1)


def without_missing(y, present):
    """Return the targets that are present, in the type that they have without the missing ones."""
    y = y[present]
    return as_array(y.tolist()) if y.dtype == object else y
