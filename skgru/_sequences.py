"""The one door: every form of X that users have becomes one container.

| X | read as |
| --- | --- |
| 2-D array or DataFrame (n, T · features_per_step) | n sequences of T steps, time-major |
| 3-D array (n, T, D) | n sequences of T steps of D features |
| list, tuple, object array or Series of (T_i, D) or (T_i,) arrays | n sequences of T_i steps |
| DataFrame of arrays, one column per feature | the same |

Trailing steps that are wholly NaN are padding; NaN elsewhere is a missing value. With tokens, zeros
at either end are padding.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skgru._times import holds_times, in_seconds, to_ticks


class Sequences(NamedTuple):
    """Sequences of unequal length, one after the other.

    Attributes
    ----------
    values : ndarray of shape (total steps, D), or (total steps,) for tokens
        The steps of all sequences.
    offsets : ndarray of shape (n + 1,)
        Sequence i is the rows ``offsets[i]:offsets[i + 1]``.
    """

    values: np.ndarray
    offsets: np.ndarray

    @property
    def n_sequences(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        return np.diff(self.offsets)

    def lengths_of(self, indices):
        """Return the lengths of the sequences at `indices`."""
        return self.offsets[indices + 1] - self.offsets[indices]

    def rows_of(self, indices):
        """Return the rows of the sequences at `indices`, in that order."""
        lengths = self.lengths_of(indices)
        offsets = offsets_of(lengths)
        return np.arange(offsets[-1]) + np.repeat(self.offsets[indices] - offsets[:-1], lengths)

    def take(self, indices):
        """Return the sequences at `indices`, in that order."""
        offsets = offsets_of(self.lengths_of(indices))
        return Sequences(self.values[self.rows_of(indices)], offsets)


def join_steps(sequences, n_joined, padding, rng=None):
    """Return the sequences with every `n_joined` consecutive steps joined into one.

    They are counted from the end; what is missing in front of the first step is `padding`. With
    `rng`, each sequence first gets 0 to `n_joined` − 1 more steps of it at its end, so joints fall
    elsewhere.

    Parameters
    ----------
    sequences : Sequences
    n_joined : int
    padding : ndarray of shape (D,), or 0 for tokens
    rng : RandomState or None, default=None

    Returns
    -------
    Sequences
        Values of shape (total joined steps, n_joined · D), or (total joined steps, n_joined) for
        tokens.
    """
    if n_joined == 1:
        return sequences
    values, lengths = sequences.values, sequences.lengths
    appended = np.zeros_like(lengths)
    if rng is not None:
        appended = np.where(lengths > 0, rng.randint(n_joined, size=len(lengths)), 0)
    offsets = offsets_of(-(-(lengths + appended) // n_joined))
    n_steps = offsets[-1] * n_joined
    joined = np.empty((n_steps, *values.shape[1:]), np.result_type(values, padding))
    joined[...] = padding
    shift = offsets[1:] * n_joined - appended - sequences.offsets[1:]
    joined[np.arange(len(values)) + np.repeat(shift, lengths)] = values
    width = n_joined * math.prod(values.shape[1:])
    return Sequences(joined.reshape(offsets[-1], width), offsets)


class ReadX(NamedTuple):
    """What was found in X.

    Attributes
    ----------
    sequences : Sequences
    n_columns : int or None
        Of a two-dimensional X.
    given_offsets : ndarray of shape (n + 1,)
        Offsets of the steps as they were given, padding included.
    kept : slice or ndarray of shape (total steps,)
        Which of the given steps are no padding.
    """

    sequences: Sequences
    n_columns: int | None
    given_offsets: np.ndarray
    kept: slice | np.ndarray


def offsets_of(lengths):
    """Return where each of the sequences starts, and after the last one, the total."""
    offsets = np.zeros(len(lengths) + 1, np.intp)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def read_numbers(X, *, features_per_step=1, allow_missing=False, time_feature=None, estimator=None):
    """Read numeric sequences.

    Parameters
    ----------
    X : any of the forms above
    features_per_step : int, default=1
        How many numbers make a step where X does not say: in 2-D X and in (T_i,) sequences.
    allow_missing : bool, default=False
        Whether NaN inside a sequence is taken, and stays what it is.
    time_feature : int, default=None
        Which feature holds time stamps, from the last one on if negative: datetimes become seconds
        (since 1970, UTC).
    estimator : estimator, default=None
        Named in scikit-learn's error messages.

    Returns
    -------
    ReadX

    Raises
    ------
    ValueError, TypeError
        If X is none of the forms, not numeric, infinite, or has a missing value inside a sequence
        that is not allowed.
    """
    steps, offsets, n_columns = _read(X, features_per_step, estimator, time_feature)
    sequences, kept = Sequences(steps, offsets), slice(None)
    if not _is_surely_finite(steps):
        _check_finite(steps, offsets)
        sequences, kept = _without_trailing_nan(steps, offsets)
        if not allow_missing:
            _check_complete(sequences)
    return ReadX(sequences, n_columns, offsets, kept)


def check_features(X, found, expected, estimator):
    """Refuse an X of other features than those that `estimator` was fitted to.

    Parameters
    ----------
    X : any of the forms above
    found, expected : tuple of (n_columns, n_features)
        Columns of a two-dimensional X, or None, and features of a step, None if there is no step;
        of this X, and in fit.
    estimator : estimator
        Named in the errors.

    Raises
    ------
    ValueError
        If they differ.
    """
    name = type(estimator).__name__
    # A list is a list of sequences: its rows may have any length, also where all are equal.
    is_list = isinstance(X, list | tuple)
    if not is_list and None not in (found[0], expected[0]) and found[0] != expected[0]:
        raise ValueError(
            f"X has {found[0]} features, but {name} is expecting {expected[0]} features as input. "
            "(Sequences of other lengths can be given as a list or a 3-D array.)"
        )
    if found[1] not in (None, expected[1]):
        raise ValueError(
            f"X has {found[1]} features per step, but {name} is expecting {expected[1]} features "
            "per step as input."
        )


def read_tokens(X, *, estimator=None):
    """Read sequences of token ids; the values are integers of shape (total steps,).

    Raises
    ------
    ValueError, TypeError
        As `read_numbers`, and if an id is negative, has a fraction, or is 0 inside a sequence.
    """
    steps, given_offsets, n_columns = _read(X, 1, estimator)
    offsets, kept = given_offsets, np.arange(given_offsets[-1])
    if steps.shape[1] != 1:
        raise ValueError(
            f"Token sequences have one id per step (embedding_dim is set), but X has "
            f"{steps.shape[1]} features per step."
        )
    if steps.dtype.kind == "f":
        _check_finite(steps, offsets)
        sequences, rows = _without_trailing_nan(steps, offsets)
        _check_complete(sequences)
        steps, offsets = sequences
        kept = kept[rows]
        _check_steps(steps, offsets, steps == np.floor(steps), "a whole number as token id")
    if steps.dtype.kind in "fu":
        _check_steps(steps, offsets, steps < 2**62, "a token id below 2**62")
    ids = steps[:, 0].astype(np.int64, copy=False)
    sequences, rows = _without_padding(ids, offsets)
    return ReadX(sequences, n_columns, given_offsets, kept[rows])


def read_step_targets(y, read):
    """Return the targets of all steps, (total steps,) or (total steps, K).

    Parameters
    ----------
    y : array of shape (n, T) or (n, T, K), or list, object array or Series of arrays
        Shape (T_i,) or (T_i, K), a target for each step of each sequence. Steps that are padding in
        X may have one or not.
    read : ReadX
        What was found in X.

    Raises
    ------
    ValueError
        If the numbers of sequences, steps or targets per step do not agree.
    """
    parts = [np.asarray(part) for part in (y if isinstance(y, np.ndarray) else list(y))]
    n = read.sequences.n_sequences
    if len(parts) != n:
        raise ValueError(f"y has targets for {len(parts)} sequences, but X has {n} sequences.")
    shapes = {part.shape[1:] for part in parts if part.ndim}
    if any(part.ndim not in (1, 2) for part in parts) or len(shapes) > 1:
        found = sorted({part.shape for part in parts}, key=str)[:3]
        raise ValueError(
            "With pooling=None, y holds an array of shape (n_steps,) or (n_steps, n_outputs) for "
            f"each sequence, the same n_outputs for all; got arrays of shapes {found}."
        )
    lengths = np.array([len(part) for part in parts])
    given = np.diff(read.given_offsets)
    if np.array_equal(lengths, given):
        return np.concatenate(parts)[read.kept]
    if np.array_equal(lengths, read.sequences.lengths):
        return np.concatenate(parts)
    i = np.flatnonzero(lengths != given)[0]
    raise ValueError(
        "With pooling=None, y has a target for each step: expected "
        f"{given[i]} targets for sequence {i}, got {lengths[i]}."
    )


# --- Forms of X --------------------------------------------------------------------------------


def _read(X, features_per_step, estimator, time_feature=None):
    """Return steps (total steps, D), offsets (n + 1,), and the columns of a 2-D X or None."""
    if isinstance(X, np.ma.MaskedArray):
        X = X.astype(float).filled(np.nan)
    elif is_frame(X):
        X = _frame_to_array(X, features_per_step, time_feature)
    elif not isinstance(X, np.ndarray) and not sparse.issparse(X):
        X = _series_or_list_to_array(X)
    if isinstance(X, np.ndarray) and X.dtype == object:
        has_dates = X.ndim == 3 and time_feature is not None
        if has_dates or (X.ndim == 1 and any(_is_sequence(x) for x in X)):
            return *_join(list(X), features_per_step, time_feature), None
        if X.ndim == 2 and X.size and _is_sequence(X[0, 0]):
            cells = [_stack_features(i, row, time_feature) for i, row in enumerate(X)]
            return *_join(cells, 1, time_feature), None
    if isinstance(X, np.ndarray) and X.ndim == 3:
        return *_read_3d(X, estimator), None
    X = _check_numeric(X, estimator)
    return *_cut(X, features_per_step), X.shape[1]


def _check_numeric(X, estimator, **options):
    if _is_text(X):
        raise ValueError(
            "Expected sequences of numbers or token ids, got strings: turn texts into token "
            "sequences first, with SequenceVectorizer."
        )
    shape = getattr(X, "shape", ())
    if shape == (0,):
        _raise_no_samples()
    if len(shape) > 3:
        raise ValueError(
            f"Found array with dim {len(shape)}, expected 2 (n_samples, n_columns) or 3 "
            "(n_samples, n_steps, n_features)."
        )
    X = check_array(X, ensure_all_finite=False, estimator=estimator, input_name="X", **options)
    if X.dtype.kind not in "biuf":
        raise ValueError(f"Input X has dtype {X.dtype}, expected numbers.")
    return X


def _is_text(X):
    """Whether X holds a string per sample."""
    if isinstance(X, str):
        return True
    one_dimensional = len(getattr(X, "shape", (0,))) == 1
    return one_dimensional and hasattr(X, "__iter__") and isinstance(next(iter(X), None), str)


def _raise_no_samples():
    raise ValueError("Found array with 0 sample(s) (X is empty) while a minimum of 1 is required.")


def _cut(X, features_per_step):
    """Cut the rows of a 2-D X into steps."""
    n, n_columns = X.shape
    if n_columns % features_per_step:
        raise ValueError(
            f"X has {n_columns} columns, expected a multiple of "
            f"features_per_step={features_per_step}."
        )
    n_steps = n_columns // features_per_step
    steps = np.ascontiguousarray(X).reshape(n * n_steps, features_per_step)
    return steps, np.arange(n + 1, dtype=np.intp) * n_steps


def _read_3d(X, estimator):
    """Read an array of n sequences × T steps × D features."""
    X = _check_numeric(X, estimator, ensure_2d=False, allow_nd=True)
    n, n_steps, n_features = X.shape
    if n_features == 0:
        raise ValueError(f"X of shape {X.shape} has 0 features per step, expected at least 1.")
    steps = np.ascontiguousarray(X).reshape(n * n_steps, n_features)
    return steps, np.arange(n + 1, dtype=np.intp) * n_steps


def _join(arrays, features_per_step, time_feature):
    """Join arrays of (T_i, D) or (T_i · features_per_step,), one per sequence."""
    arrays = [_one_sequence(i, a, features_per_step, time_feature) for i, a in enumerate(arrays)]
    offsets = offsets_of([len(a) for a in arrays])
    filled = [a for a in arrays if len(a)]
    if not filled:
        return np.empty((0, max((a.shape[1] for a in arrays), default=1))), offsets
    if len({a.shape[1] for a in filled}) > 1:
        widths = {i: a.shape[1] for i, a in enumerate(arrays) if len(a)}
        first, width = next(iter(widths.items()))
        i = next(i for i in widths if widths[i] != width)
        raise ValueError(
            f"All sequences must have the same number of features per step: expected {width} as in "
            f"sequence {first}, but sequence {i} has {widths[i]}."
        )
    return np.concatenate(filled), offsets


def _one_sequence(i, x, features_per_step, time_feature):
    """Check sequence i and return it as a (T, D) array."""
    if is_frame(x):
        return _stack_columns(i, _columns_of(x), time_feature)
    if isinstance(x, np.ma.MaskedArray):
        x = x.astype(float).filled(np.nan)
    try:
        array = np.asarray(x)
        if array.dtype == object and array.ndim == 1 and any(_is_sequence(step) for step in array):
            array = np.array([np.asarray(step) for step in array])
    except ValueError as error:
        raise ValueError(
            f"Sequence {i} is ragged itself, expected an array of shape (n_steps, n_features)."
        ) from error
    if array.ndim not in (1, 2):
        raise ValueError(
            f"Sequence {i} has shape {array.shape}, expected (n_steps, n_features) or (n_steps,)."
        )
    if array.size == 0:
        return np.empty((0, array.shape[1] if array.ndim == 2 else features_per_step))
    if array.ndim == 1:
        if len(array) % features_per_step:
            raise ValueError(
                f"Sequence {i} has {len(array)} values, expected a multiple of "
                f"features_per_step={features_per_step}."
            )
        array = array.reshape(-1, features_per_step)
    if array.dtype.kind not in "biuf" and _is_feature(time_feature, array.shape[1]):
        array = _with_seconds(array, time_feature)
    return _to_numbers(i, array)


def _to_numbers(i, array):
    """Return an array as numbers; refuse text, dates and complex numbers."""
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: sequence {i} of X has dtype {array.dtype}.")
    if array.dtype.kind == "O":
        try:
            return np.where(_is_na(array), np.nan, array).astype(float)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Sequence {i} of X, expected numbers: {error}") from error
    raise ValueError(f"Sequence {i} of X has dtype {array.dtype}, expected numbers.")


def _stack_features(i, row, time_feature):
    """Join the cells of one row of a frame of arrays, one per feature, to (T, D)."""
    columns = [np.asarray(cell) for cell in row]
    lengths = [c.shape[0] if c.ndim == 1 else None for c in columns]
    if None in lengths or len(set(lengths)) != 1:
        raise ValueError(
            f"The cells of a row must be 1-D arrays of the same length, but row {i} of X has "
            f"shapes {[c.shape for c in columns]}."
        )
    return _stack_columns(i, columns, time_feature)


def _stack_columns(i, columns, time_feature):
    """Join the features of sequence i, (T,) each, to (T, D)."""
    if _is_feature(time_feature, len(columns)):
        columns[time_feature] = _to_seconds(columns[time_feature])
    for j, column in enumerate(columns):
        if column.dtype.kind in "mM":
            raise ValueError(_unexpected_dates(f"feature {j} of sequence {i} of X", time_feature))
    array = np.column_stack(columns)
    return _to_numbers(i, array) if array.size else np.empty(array.shape)


def _columns_of(frame):
    """Return the columns of a DataFrame as arrays."""
    return [
        np.asarray(frame.iloc[:, j] if hasattr(frame, "iloc") else frame[:, j])
        for j in range(frame.shape[1])
    ]


def is_frame(X):
    """Whether X is a DataFrame."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def _is_sequence(x):
    """Whether an element of X is itself a sequence of steps."""
    if isinstance(x, str | bytes):
        return False
    return isinstance(x, list | tuple) or (hasattr(x, "__array__") and hasattr(x, "__len__"))


def _frame_to_array(X, features_per_step, time_feature):
    """Return a frame of sequences as an object array, one with dates as floats, others as is."""
    if len(X) == 0:
        return X
    columns = [X.iloc[:, j] if hasattr(X, "iloc") else X[:, j] for j in range(X.shape[1])]
    nested = [_is_sequence(next(iter(column))) for column in columns]
    if not any(nested):
        return _dates_to_seconds(X, features_per_step, time_feature)
    if not all(nested):
        raise ValueError(
            "Expected a DataFrame of numbers, or one whose columns all hold sequences, but only "
            f"{[name for name, is_nested in zip(X.columns, nested, strict=True) if is_nested]} do."
        )
    cells = np.empty(X.shape, dtype=object)
    for j, column in enumerate(columns):
        cells[:, j] = list(column)
    return cells


def _dates_to_seconds(X, features_per_step, time_feature):
    """Return a frame of which columns hold dates as an array, any other as it is."""
    columns = _columns_of(X)
    with_dates = [j for j, column in enumerate(columns) if holds_times(column)]
    for j in with_dates:
        is_time = _is_feature(time_feature, features_per_step)
        if not is_time or (j - time_feature) % features_per_step:
            raise ValueError(_unexpected_dates(f"column {X.columns[j]!r} of X", time_feature))
        columns[j] = _to_seconds(columns[j])
    return np.column_stack(columns) if with_dates else X


def _series_or_list_to_array(X):
    """Return lists, tuples and Series of sequences as an array, others as they are.

    The array is numeric if they are nested lists of equal lengths, and of object type otherwise.
    """
    if hasattr(X, "to_pylist"):  # pyarrow
        X = X.to_pylist()
    if not (hasattr(X, "__iter__") and hasattr(X, "__len__")):
        return X
    elements = list(X)
    if not elements:
        _raise_no_samples()
    if not any(_is_sequence(x) for x in elements):
        return X
    if all(isinstance(x, list | tuple) for x in elements):
        try:
            array = np.asarray(elements)
        except ValueError:  # unequal lengths
            pass
        else:
            if array.ndim in (2, 3) and array.size:
                return array
    array = np.empty(len(elements), dtype=object)
    for i, element in enumerate(elements):
        array[i] = element
    return array


# --- Time stamps -------------------------------------------------------------------------------


def time_feature_of(X, time_feature):
    """Return the index of the feature that holds time stamps, given its index or column's name.

    Raises
    ------
    ValueError
        If no column of X has that name.
    """
    if not isinstance(time_feature, str):
        return time_feature
    names = [str(name) for name in X.columns] if is_frame(X) else []
    if time_feature not in names:
        raise ValueError(
            f"Expected a DataFrame with a column time_feature={time_feature!r}, or the index of "
            f"a feature; the columns of X are {names}."
        )
    return names.index(time_feature)


def check_times(sequences, time_feature):
    """Refuse time stamps of sequences that are missing or decrease.

    Raises
    ------
    ValueError
        If there is one, or no such feature.
    """
    n_features = sequences.values.shape[1]
    if not _is_feature(time_feature, n_features):
        raise ValueError(
            f"Expected time_feature to be the index of a feature, at least {-n_features} and below "
            f"{n_features}, got {time_feature}."
        )
    times, offsets = sequences.values[:, time_feature], sequences.offsets
    if np.isnan(times).any():
        i, t = _locate(np.flatnonzero(np.isnan(times))[0], offsets)
        raise ValueError(
            f"Expected a time stamp at each step (time_feature={time_feature}), but it is missing "
            f"in sequence {i}, step {t}."
        )
    decreases = times[1:] < times[:-1]
    decreases[offsets[(offsets > 0) & (offsets < len(times))] - 1] = False  # another sequence
    if decreases.any():
        row = np.flatnonzero(decreases)[0] + 1
        i, t = _locate(row, offsets)
        raise ValueError(
            f"Expected time stamps that do not decrease (time_feature={time_feature}), but "
            f"{times[row]} comes after {times[row - 1]} in sequence {i}, step {t}."
        )


def _is_feature(index, n_features):
    return index is not None and -n_features <= index < n_features


def _to_seconds(column):
    """Return dates and durations as seconds, numbers as they are."""
    return in_seconds(to_ticks(column))


def _with_seconds(array, time_feature):
    """Return an array (T, D) with its time stamps that are dates as seconds."""
    if array.shape[1] == 1:
        return _to_seconds(array[:, 0])[:, None]
    if array.dtype == object:
        array = array.copy()
        array[:, time_feature] = _to_seconds(array[:, time_feature])
    return array


def _unexpected_dates(where, time_feature):
    return (
        f"Expected numbers, but {where} holds dates: only the feature of the time stamps may "
        f"(time_feature={time_feature})."
    )


def _is_na(array):
    """Return where an object array holds pandas' NA."""
    flags = [type(cell).__name__ == "NAType" for cell in array.flat]
    return np.array(flags, bool).reshape(array.shape)


# --- Padding -----------------------------------------------------------------------------------


def _locate(row, offsets):
    """Return the sequence and the step of a row."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])


def _check_steps(steps, offsets, good, expected):
    """Raise, naming the place, if any value is not good."""
    bad = np.flatnonzero(~good.all(axis=1))
    if len(bad):
        i, t = _locate(bad[0], offsets)
        raise ValueError(f"Expected {expected}, got {steps[bad[0], 0]} in sequence {i}, step {t}.")


def _is_surely_finite(steps):
    """Whether a sum says that no step is infinite or NaN: it needs no memory beside them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return steps.dtype.kind != "f" or bool(np.isfinite(steps.sum()))


def _check_finite(steps, offsets):
    """Refuse infinity; NaN is dealt with elsewhere."""
    if not np.isinf(steps).any():
        return
    row, feature = np.argwhere(np.isinf(steps))[0]
    i, t = _locate(row, offsets)
    raise ValueError(
        f"Input X contains infinity or a value too large for {steps.dtype!r}: expected finite "
        f"values, got {steps[row, feature]} in sequence {i}, step {t}, feature {feature}."
    )


def _without_trailing_nan(steps, offsets):
    """Drop trailing steps that are wholly NaN; return the sequences, and which rows are kept."""
    filled = np.flatnonzero(~np.isnan(steps).all(axis=1))
    kept = _kept(filled, offsets, from_start=True)
    return Sequences(steps[kept.rows], kept.offsets), kept.rows


def _check_complete(sequences):
    """Refuse missing values."""
    missing = np.isnan(sequences.values)
    if missing.any():
        row, feature = np.argwhere(missing)[0]
        i, t = _locate(row, sequences.offsets)
        raise ValueError(
            f"Input X contains NaN: sequence {i}, step {t}, feature {feature} is missing. Expected "
            "complete sequences: of tokens, or with missing='error'; missing='decay' and "
            "'indicator' take missing values."
        )


def _without_padding(ids, offsets):
    """Drop zeros at either end; refuse zeros inside and negative ids.

    Returns the sequences, and which rows are kept.
    """
    _check_steps(ids[:, None], offsets, (ids >= 0)[:, None], "token ids of at least 0")
    kept = _kept(np.flatnonzero(ids), offsets, from_start=False)
    sequences = Sequences(ids[kept.rows], kept.offsets)
    inner = np.flatnonzero(sequences.values == 0)
    if len(inner):
        i, t = _locate(inner[0], sequences.offsets)
        raise ValueError(
            f"Token id 0 is padding and stands only at the ends of a sequence, but sequence {i} "
            f"has it inside, {t} steps after its first token."
        )
    return sequences, kept.rows


class _Kept(NamedTuple):
    rows: slice | np.ndarray
    offsets: np.ndarray


def _kept(filled, offsets, *, from_start):
    """Return which rows remain up to the last filled row of each sequence.

    `filled` are the rows that are not padding, in order. The rows kept begin at the start of the
    sequence, or at its first filled row.
    """
    n = len(offsets) - 1
    counts = np.diff(np.searchsorted(filled, offsets))
    bounds = offsets_of(counts)
    some = counts > 0
    starts = offsets[:-1].copy()
    stops = offsets[:-1].copy()
    stops[some] = filled[bounds[1:][some] - 1] + 1
    if not from_start:
        starts[some] = filled[bounds[:-1][some]]
    lengths = stops - starts
    new_offsets = offsets_of(lengths)
    if new_offsets[n] == offsets[n]:
        return _Kept(slice(None), offsets)
    rows = np.arange(new_offsets[n]) + np.repeat(starts - new_offsets[:-1], lengths)
    return _Kept(rows, new_offsets)


# --- Tokens and the rows of an embedding -------------------------------------------------------

UNKNOWN = 1


def known_tokens(tokens):
    """Return the sorted ids that occur, the unknown token's, 1, always first."""
    return np.union1d(tokens, [UNKNOWN])


def embedding_rows(tokens, known):
    """Return each token's position among the sorted `known` ids.

    It is 0, the unknown's, for a token that is absent, and -1 for 0, the padding.
    """
    rows = np.searchsorted(known, tokens)
    rows[rows == len(known)] = 0
    rows[known[rows] != tokens] = 0
    rows[tokens == 0] = -1
    return rows
