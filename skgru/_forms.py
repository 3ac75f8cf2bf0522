"""The one door: every form of X that users have becomes one container.

| X | read as |
| --- | --- |
| 2-D array or DataFrame (n, T · features_per_step) | n sequences of T steps, time-major |
| 3-D array (n, T, D) | n sequences of T steps of D features |
| list, tuple, object array or Series of (T_i, D) or (T_i,) arrays | n sequences of T_i steps |
| list, tuple, object array or Series of DataFrames | the same, the columns are the features |
| DataFrame of arrays, one column per feature | the same |

Trailing steps that are wholly NaN are padding; NaN elsewhere is a missing value. With tokens, zeros
at either end are padding.

X is opened once (`_open`) to a `_Rectangle` or to `_Ragged` sequences, which still hold the cells
as they came; what these are, numbers, token ids or time stamps, a `_Reader` then decides.
"""

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skgru._cells import (
    HOW_TO_UNSTRUCTURE,
    MISSING_ID,
    TextError,
    TimesError,
    as_array,
    describe,
    is_missing,
    stack_lists,
    to_ids,
    to_numbers,
)
from skgru._sequences import Sequences, kept_rows, locate, offsets_of
from skgru._tables import columns_of
from skgru._tables import names_of as column_names
from skgru._times import relative_times

_LONG_TABLE = (
    "A table with one row per step is made into one sequence per sample first, such as "
    "[group[columns].to_numpy() for _, group in table.groupby('id')]"
)

_TEXTS = (
    "Expected sequences of numbers or token ids, got strings: turn texts into token sequences "
    "first, with SequenceVectorizer"
)


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
        Which feature holds time stamps, from the last one on if negative: dates and durations
        become seconds since the sequence's first step.
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
    form = _open(X, estimator)
    steps, offsets = form.stack(_Reader(features_per_step, time_feature))
    sequences, kept = Sequences(steps, offsets), slice(None)
    if not _is_surely_finite(steps):
        _check_finite(steps, offsets)
        sequences, kept = _without_trailing_nan(steps, offsets)
        if not allow_missing:
            _check_complete(sequences)
    return ReadX(sequences, form.n_columns, offsets, kept)


def read_tokens(X, *, estimator=None):
    """Read sequences of token ids; the values are integers of shape (total steps,).

    Raises
    ------
    ValueError, TypeError
        As `read_numbers`, and if an id is negative, has a fraction, or is 0 inside a sequence.
    """
    form = _open(X, estimator)
    steps, given_offsets = form.stack(_Reader(1, None, ids=True))
    ids, offsets, kept = steps[:, 0], given_offsets, np.arange(len(steps))
    missing = ids == MISSING_ID
    if missing.any():
        kept, offsets = kept_rows(np.flatnonzero(~missing), offsets, from_start=True)
        kept = np.arange(len(steps))[kept]
        _check_complete(Sequences(np.where(missing, np.nan, 0.0)[kept, None], offsets))
    sequences, rows = _without_padding(ids[kept], offsets)
    return ReadX(sequences, form.n_columns, given_offsets, kept[rows])


def names_of(X):
    """Return what carries the names of X's features: a DataFrame, None if they have no names.

    Of sequences that are DataFrames each, that is the first one. One column of arrays
    (n_steps, n_features) names no feature.
    """
    if is_frame(X):
        columns = arrays_of(X) if len(column_names(X)) == 1 else []
        holds_steps = any(np.ndim(c) == 2 for column in columns for c in _first_sequence(column))
        return None if holds_steps else X
    if isinstance(X, np.ndarray) and X.dtype != object:
        return None
    is_list = len(getattr(X, "shape", (0,))) == 1
    if not (is_list and hasattr(X, "__iter__") and hasattr(X, "__len__")):
        return None
    return next((x for x in X if is_frame(x)), None)


def time_feature_of(X, time_feature):
    """Return the index of the feature that holds time stamps, given its index or column's name.

    Raises
    ------
    ValueError
        If no column of X has that name.
    """
    if not isinstance(time_feature, str):
        return None if time_feature is None else int(time_feature)
    frame = names_of(X)
    if frame is None:
        raise ValueError(
            f"Expected a column time_feature={time_feature!r}, but the features of X have no "
            "names: give a DataFrame or a list of DataFrames, or the index of the feature."
        )
    names = [str(name) for name in column_names(frame)]
    if time_feature not in names:
        raise ValueError(
            f"Expected a column time_feature={time_feature!r}, or the index of a feature; the "
            f"columns of X are {names}."
        )
    return names.index(time_feature)


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
        i, t = locate(np.flatnonzero(np.isnan(times))[0], offsets)
        raise ValueError(
            f"Expected a time stamp at each step (time_feature={time_feature}), but it is missing "
            f"in sequence {i}, step {t}."
        )
    decreases = times[1:] < times[:-1]
    decreases[offsets[(offsets > 0) & (offsets < len(times))] - 1] = False  # another sequence
    if decreases.any():
        row = np.flatnonzero(decreases)[0] + 1
        i, t = locate(row, offsets)
        raise ValueError(
            f"Expected time stamps that do not decrease (time_feature={time_feature}), but "
            f"{times[row]} comes after {times[row - 1]} in sequence {i}, step {t}."
        )


# --- Opening X ---------------------------------------------------------------------------------


def _open(X, estimator):
    """Return X as a `_Rectangle` or as `_Ragged` sequences, whatever its cells are."""
    check_container(X)
    if is_frame(X):
        return _open_frame(X, estimator)
    if isinstance(X, np.ndarray) or not hasattr(X, "__len__"):
        X = as_array(X)
    shape = getattr(X, "shape", (0,))
    is_array = isinstance(X, np.ndarray)
    if is_array and X.dtype == object and X.ndim == 2 and X.size and is_sequence(X[0, 0]):
        return _open_cells(list(X.T), None)
    if len(shape) == 1 and not (is_array and X.dtype != object):
        return _open_list(X, estimator)
    return _open_array(as_array(X), estimator)


def check_container(X):
    """Refuse what cannot be n sequences in the order of n targets."""
    expected = "Expected an array, a DataFrame or a list of sequences as X"
    if sparse.issparse(X):
        check_array(X, input_name="X")  # says so
    if isinstance(X, str | bytes | bytearray):
        raise ValueError(
            f"{expected}, got a string: give a list of texts to SequenceVectorizer, and what it "
            "makes of them to the network."
        )
    if not is_container(X):
        raise TypeError(f"{expected}, got {describe(X)}{hint_for(X, 'y')}.")


def is_container(x):
    """Whether something holds elements in an order of its own."""
    if sparse.issparse(x):
        return True  # one kind of them is a mapping
    is_other = isinstance(x, str | bytes | bytearray | Mapping | Set | type)
    if is_other or type(x).__name__.endswith("GroupBy"):
        return False
    if any(hasattr(x, name) for name in ("__array__", "__dlpack__", "to_numpy", "shape")):
        return True
    return hasattr(x, "__len__") and hasattr(x, "__iter__")


def hint_for(x, other):
    """Return how to make a container of what is none, for an error; `other` has an order too."""
    if type(x).__name__.endswith("GroupBy"):
        return f". {_LONG_TABLE}"
    if isinstance(x, Mapping):
        return ": a list of its values has an order, list(values()); a DataFrame has named columns"
    if isinstance(x, Set):
        return f", whose order has nothing to do with that of {other}"
    if hasattr(type(x), "collect"):
        return ": collect it first, with its collect()"
    if hasattr(x, "__iter__") and not isinstance(x, str | bytes | bytearray):
        return ": make a list of it first, with list()"
    return ""


def _open_array(X, estimator):
    """Open an array of NumPy that holds one cell in each place."""
    if X.ndim == 1 and X.dtype == object:
        _check_elements(X)
    if X.dtype.kind == "V":
        raise ValueError(
            f"Expected an array of numbers, got a structured one of dtype {X.dtype}. "
            f"{HOW_TO_UNSTRUCTURE}"
        )
    if X.ndim == 1 and X.dtype.kind not in "UST":
        if len(X) == 0:
            _raise_no_samples()
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X has shape {X.shape}, but each sample is a "
            "sequence. Reshape your data: one sequence of many steps is X.reshape(1, -1) or [X], "
            "many sequences of one step are X.reshape(-1, 1)."
        )
    if X.dtype.kind in "UST":
        raise ValueError(f"{_TEXTS}, and numbers written as text into numbers, X.astype(float).")
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}, expected 2 (n_samples, n_columns) or 3 "
            "(n_samples, n_steps, n_features)."
        )
    if X.ndim == 3:
        if len(X) == 0:
            _raise_no_samples()
        if X.shape[2] == 0:
            raise ValueError(f"X of shape {X.shape} has 0 features per step, expected at least 1.")
        return _Rectangle(X, None, None)
    if X.ndim == 0 or X.size == 0:
        check_array(X, ensure_all_finite=False, estimator=estimator, input_name="X")  # says so
    return _Rectangle(X, X.shape[1], None)


def _check_elements(elements):
    """Refuse by name elements of which none is a sequence, unless they are numbers."""
    for i, element in enumerate(elements):
        if isinstance(element, str | bytes):
            raise ValueError(f"{_TEXTS}.")
        if isinstance(element, Mapping | Set) or (
            hasattr(element, "__iter__") and not isinstance(element, np.ndarray | np.generic)
        ):
            raise TypeError(
                f"Expected a list of arrays or DataFrames, got {describe(element)} as element {i}."
            )


def _open_frame(X, estimator):
    """Open a DataFrame: one row is one sequence."""
    columns = arrays_of(X)
    if not columns or len(columns[0]) == 0:
        shape = (len(columns[0]) if columns else 0, len(columns))
        return _open_array(np.empty(shape), estimator)
    names = column_names(X)
    nested = [holds_sequences(column) for column in columns]
    if all(nested):
        return _open_cells(columns, names)
    if any(nested):
        chosen = [name for name, is_nested in zip(names, nested, strict=True) if is_nested]
        raise ValueError(
            "Expected a DataFrame of numbers, or one whose columns all hold sequences, but only "
            f"{chosen} do."
        )
    _refuse_levels(X)
    return _Rectangle(columns, len(columns), names)


def _refuse_levels(X):
    """Refuse a long table or column of pandas: its rows are steps."""
    if getattr(getattr(X, "index", None), "nlevels", 1) > 1:
        levels = list(X.index.names)
        raise ValueError(
            f"X is a {type(X).__name__} of numbers with a MultiIndex (levels {levels}). "
            f"{_LONG_TABLE}; with the index, groupby(level=0). If each row is a whole sequence, "
            "drop the index: X.reset_index(drop=True)."
        )


def _open_cells(columns, names):
    """Open columns of which each cell is a sequence of one feature, or of all if there is one."""
    columns = [[_open_sequence(i, cell) for i, cell in enumerate(column)] for column in columns]
    if len(columns) == 1:
        # An array (n_steps,) in a cell is one feature, whatever features_per_step.
        return _Ragged([x[:, None] if x.ndim == 1 else x for x in columns[0]], names)
    sequences = list(map(list, zip(*columns, strict=True)))
    for i, features in enumerate(sequences):
        shapes = [feature.shape for feature in features]
        if len(shapes[0]) != 1 or len(set(shapes)) > 1:
            raise ValueError(
                "The cells of a row must be 1-D arrays of the same length, but row "
                f"{i} of X has shapes {shapes}."
            )
    return _Ragged(sequences, names)


def _open_list(X, estimator):
    """Open a list, tuple, object array, Series or column: one element is one sequence."""
    is_column = hasattr(X, "to_numpy") or isinstance(X, np.ndarray)
    elements = as_array(X) if is_column else list(X)
    if len(elements) == 0:
        _raise_no_samples()
    if getattr(elements, "ndim", 1) > 1:
        return _open_array(elements, estimator)
    if not any(map(is_sequence, elements)):
        _refuse_levels(X)
        return _open_array(as_array(elements), estimator)
    frames = [i for i, x in enumerate(elements) if is_frame(x)]
    if frames:
        return _open_frames(elements, frames)
    if all(isinstance(x, list | tuple) for x in elements):
        rectangle = _nested_lists(elements)
        if rectangle is not None:
            return _open_array(rectangle, estimator)
    return _Ragged([_open_sequence(i, x) for i, x in enumerate(elements)], None)


def _nested_lists(elements):
    """Return lists of equal lengths as an array, None if they are none or hold no numbers."""
    if any(hasattr(step, "mask") for x in elements for step in x):
        return None
    array = stack_lists(elements)
    if array is None:
        return None
    is_exact = array.dtype.kind in "biu" or (
        array.dtype.kind == "f" and not (np.abs(array) >= 2**53).any()
    )
    return array if array.ndim in (2, 3) and array.size and is_exact else None


def _open_frames(elements, frames):
    """Open sequences that are DataFrames: they have the same columns in the same order."""
    first = frames[0]
    names = column_names(elements[first])
    has_names = any(isinstance(name, str) for name in names)
    sequences = []
    for i, x in enumerate(elements):
        if not is_frame(x):
            sequences.append(_open_sequence(i, x))
            if has_names and len(sequences[i]):
                raise TypeError(
                    f"Expected all sequences to be DataFrames, as sequence {first} is, got "
                    f"{describe(x)} as sequence {i}: its features have no names."
                )
        elif column_names(x) != names:
            raise ValueError(
                "All sequences must have the same columns in the same order: expected "
                f"{names} as in sequence {first}, but sequence {i} has {column_names(x)}."
            )
        else:
            sequences.append(arrays_of(x))
    return _Ragged(sequences, names)


def _open_sequence(i, x):
    """Return sequence i as an array of shape (n_steps,) or (n_steps, n_features)."""
    if isinstance(x, np.ndarray) and x.dtype != object and x.ndim in (1, 2):
        return as_array(x)  # by far the most frequent case
    if is_missing(x):
        raise ValueError(
            f"Sequence {i} is missing ({x!r}): expected an array; a sequence without steps is an "
            "empty one."
        )
    if not is_sequence(x) and not isinstance(x, Mapping | Set):
        raise ValueError(
            f"Sequence {i} is {describe(x)}, {x!r:.50}, expected an array of shape "
            "(n_steps, n_features) or (n_steps,)."
        )
    try:
        array = as_array(x)
        if array.dtype == object and array.ndim == 1 and any(map(is_sequence, array)):
            array = np.stack([as_array(step) for step in array])
    except ValueError as error:
        raise ValueError(
            f"Sequence {i} is ragged itself, expected an array of shape (n_steps, n_features)."
        ) from error
    except TypeError as error:
        raise TypeError(f"Sequence {i}: {error}") from error
    if array.ndim not in (1, 2):
        raise ValueError(
            f"Sequence {i} has shape {array.shape}, expected (n_steps, n_features) or (n_steps,)."
        )
    return array


def _raise_no_samples():
    raise ValueError("Found array with 0 sample(s) (X is empty) while a minimum of 1 is required.")


# --- DataFrames --------------------------------------------------------------------------------


def is_frame(X):
    """Whether X is a DataFrame of pandas or polars, or a table of Arrow."""
    if isinstance(X, np.ndarray | list):
        return False
    kind = type(X)  # of X itself, any column might have that name
    has_names = hasattr(kind, "columns") and not hasattr(kind, "collect")
    return has_names and (hasattr(kind, "dtypes") or hasattr(kind, "column_names"))


def arrays_of(frame):
    """Return the columns of a DataFrame as arrays."""
    return [as_array(column) for column in columns_of(frame)]


def is_sequence(x):
    """Whether an element of X is itself a sequence of steps."""
    if isinstance(x, str | bytes | np.ma.core.MaskedConstant | Mapping | Set):
        return False
    if isinstance(x, np.ndarray | np.generic):
        return x.ndim > 0
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        return getattr(x, "ndim", 1) > 0
    return hasattr(x, "__len__") and hasattr(x, "__iter__")


def holds_sequences(column):
    """Whether the cells of a column are sequences: the first one says so that is not missing."""
    if column.ndim > 1:
        return True
    if column.dtype != object:
        return False
    return bool(_first_sequence(column))


def _first_sequence(column):
    """Return the first cell that is not missing in a list, or an empty one if it is no sequence."""
    if column.dtype != object:
        return []
    first = next((cell for cell in column if not is_missing(cell)), None)
    return [first] if is_sequence(first) else []


# --- What was opened ---------------------------------------------------------------------------


class _Rectangle(NamedTuple):
    """Sequences of equal length.

    Attributes
    ----------
    cells : ndarray of shape (n, T, D) or (n, T · D), or a list of T · D columns (n,)
    n_columns : int or None
        T · D where the cells are those of a table.
    names : list or None
        Of the columns.
    """

    cells: Any
    n_columns: int | None
    names: list | None

    def stack(self, reader):
        """Return the steps (total steps, D) and the offsets of the sequences."""
        if self.n_columns is None:
            steps = reader.features(self.cells, self._where)
        else:
            steps = self._stack_table(reader)
        n, n_steps, n_features = steps.shape
        steps = np.ascontiguousarray(steps).reshape(n * n_steps, n_features)
        return steps, np.arange(n + 1, dtype=np.intp) * n_steps

    def _stack_table(self, reader):
        n_features = reader.features_per_step
        if self.n_columns % n_features:
            raise ValueError(
                f"X has {self.n_columns} columns, expected a multiple of "
                f"features_per_step={n_features}."
            )
        n_steps = self.n_columns // n_features
        if isinstance(self.cells, np.ndarray):
            cells = self.cells.reshape(len(self.cells), n_steps, n_features)
            return reader.features(cells, self._where)
        is_time = [reader.is_time(c % n_features, n_features) for c in range(self.n_columns)]
        try:
            columns = [
                column if of_time else reader.cells(column, self._where_column(c))
                for c, (column, of_time) in enumerate(zip(self.cells, is_time, strict=True))
            ]
        except (TextError, TimesError) as error:
            raise ValueError(f"{error} Each row of X is one sequence. {_LONG_TABLE}.") from error
        for j in range(n_features):
            if reader.is_time(j, n_features):
                stamps = reader.stamps(columns[j::n_features], self._where)
                columns[j::n_features] = list(stamps.T)
        return join_columns(columns).reshape(-1, n_steps, n_features)

    def _where(self, index):
        i, t, j = (*index, 0, 0)[:3]
        return f"sequence {i}, step {t}, feature {j} of X"

    def _where_column(self, c):
        return lambda index: f"column {self.names[c]!r}, row {index[0]} of X"


class _Ragged(NamedTuple):
    """Sequences of any length.

    Attributes
    ----------
    sequences : list
        Of each one an array (T_i, D) or (T_i · features_per_step,), or a list of D columns (T_i,).
    names : list or None
        Of the features.
    """

    sequences: list
    names: list | None
    n_columns: None = None

    def stack(self, reader):
        """Return the steps (total steps, D) and the offsets of the sequences."""
        arrays = [self._in_steps(i, x, reader) for i, x in enumerate(self.sequences)]
        # Cells that are numbers already are read all at once, and others of each sequence alone.
        at_once = reader.reads_at_once([a for a in arrays if isinstance(a, list) or len(a)])
        if not at_once:
            arrays = [self._read_one(i, a, reader) for i, a in enumerate(arrays)]
        offsets = offsets_of([len(a) for a in arrays])
        filled = [a for a in arrays if len(a)]
        if not filled:
            return reader.nothing(max(a.shape[1] for a in arrays)), offsets
        if len({a.shape[1] for a in filled}) > 1:
            widths = {i: a.shape[1] for i, a in enumerate(arrays) if len(a)}
            first, width = next(iter(widths.items()))
            i = next(i for i in widths if widths[i] != width)
            raise ValueError(
                "All sequences must have the same number of features per step: expected "
                f"{width} as in sequence {first}, but sequence {i} has {widths[i]}."
            )
        steps = _concatenate(filled)
        if at_once:

            def where(index):
                i, t = locate(index[1], offsets)
                return f"sequence {i}, step {t}, feature {index[2]} of X"

            steps = reader.features(steps[None], where)[0]
        return steps, offsets

    def _in_steps(self, i, x, reader):
        """Return sequence i with its steps as rows, unless it is a list of columns."""
        if isinstance(x, list) or x.ndim == 2:
            return x
        if len(x) % reader.features_per_step:
            raise ValueError(
                f"Sequence {i} has {len(x)} values, expected a multiple of "
                f"features_per_step={reader.features_per_step}."
            )
        return x.reshape(-1, reader.features_per_step)

    def _read_one(self, i, x, reader):
        """Return sequence i as an array (T, D) of what the reader makes of its cells."""
        if isinstance(x, list):
            return self._stack_columns(i, x, reader)
        if x.size == 0:
            return reader.nothing(x.shape[1])

        def where(index):
            return f"sequence {i}, step {index[1]}, feature {index[2]} of X"

        return reader.features(x[None], where)[0]

    def _stack_columns(self, i, columns, reader):
        if not columns or len(columns[0]) == 0:
            return reader.nothing(len(columns))
        reader.check_width(len(columns))
        read = []
        for j, column in enumerate(columns):
            name = f"feature {j}" if self.names is None else f"column {self.names[j]!r}"

            def where(index, name=name):
                return f"sequence {i}, step {index[-1]}, {name} of X"

            if column.ndim > 1:
                raise ValueError(
                    f"Expected a number in each cell of the frames, got arrays in {where((0,))}."
                )
            if reader.is_time(j, len(columns)):
                read.append(relative_times(column[None], where)[0])
            else:
                read.append(reader.cells(column, where))
        return join_columns(read)


class _Reader(NamedTuple):
    """What the cells of X are taken for.

    Attributes
    ----------
    features_per_step : int
    time_feature : int or None
    ids : bool
        Whether they are token ids.
    """

    features_per_step: int
    time_feature: int | None
    ids: bool = False

    def reads_at_once(self, arrays):
        """Whether arrays side by side are read as each of them alone: numbers of like types."""
        if any(isinstance(array, list) for array in arrays):
            return False  # of columns, which have types of their own
        dtypes = {array.dtype for array in arrays}
        # Of stamps that are no floats each sequence's first one counts; and beside floats ids would
        # become floats.
        kinds = "f" if self.time_feature is not None else "biu" if self.ids else "fbiu"
        return all(dtype.kind in kinds and dtype.itemsize <= 8 for dtype in dtypes)

    def check_width(self, n_features):
        """Refuse several token ids in one step."""
        if self.ids and n_features != 1:
            raise ValueError(
                "Token sequences have one id per step (embedding_dim or embedding_matrix says that "
                f"these are some), but X has {n_features} features per step."
            )

    def is_time(self, j, n_features):
        """Whether feature j of a step is the one of the time stamps."""
        return _is_feature(self.time_feature, n_features) and self.time_feature % n_features == j

    def cells(self, array, where):
        """Return cells that are no time stamps."""
        try:
            return to_ids(array, where) if self.ids else to_numbers(array, where)
        except TimesError as error:
            raise TimesError(
                f"{error} Only the feature of the time stamps may hold them "
                f"(time_feature={self.time_feature})."
            ) from error
        except TextError as error:
            raise TextError(
                f"{error} Words become token ids with SequenceVectorizer, categories numbers with "
                "PerTimestep and an encoder."
            ) from error

    def stamps(self, columns, where):
        """Return the stamps of T steps of n sequences, (n, T), given T columns (n,)."""
        return relative_times(np.stack(columns, axis=1), where)

    def features(self, cells, where):
        """Return cells (n, T, D) as what they are."""
        n_features = cells.shape[2]
        self.check_width(n_features)
        # Floats are what they are; only of others are time stamps something else than numbers.
        if cells.dtype.kind == "f" or not _is_feature(self.time_feature, n_features):
            return self.cells(cells, where)
        columns = []
        for j in range(n_features):

            def where_feature(index, j=j):
                return where((*index, j))

            read = relative_times if self.is_time(j, n_features) else self.cells
            columns.append(read(cells[:, :, j], where_feature))
        return join_columns(columns)

    def nothing(self, n_features):
        """Return what is read of a sequence without steps."""
        return np.empty((0, 1), np.int64) if self.ids else np.empty((0, n_features))


def join_columns(columns):
    """Stack columns side by side on a new last axis; integers stay integers where they can."""
    if len({column.dtype for column in columns}) > 1:
        columns = _of_one_type(columns)
    return np.stack(columns, axis=-1)


def _concatenate(arrays):
    if len({array.dtype for array in arrays}) > 1:
        arrays = _of_one_type(arrays)
    return np.concatenate(arrays)


def _of_one_type(arrays):
    """Return arrays of integers as int64 if they fit, any others as they are."""
    kinds = {array.dtype.kind for array in arrays}
    fits = "i" in kinds and kinds <= set("biu")
    if fits and all(array.max(initial=0) <= np.iinfo(np.int64).max for array in arrays):
        return [array.astype(np.int64) for array in arrays]
    return arrays


def _is_feature(index, n_features):
    return index is not None and -n_features <= index < n_features


# --- Padding and missing values ----------------------------------------------------------------


def _is_surely_finite(steps):
    """Whether a sum says that no step is infinite or NaN: it needs no memory beside them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return steps.dtype.kind != "f" or bool(np.isfinite(steps.sum()))


def _check_finite(steps, offsets):
    """Refuse infinity; NaN is dealt with elsewhere."""
    if not np.isinf(steps).any():
        return
    row, feature = np.argwhere(np.isinf(steps))[0]
    i, t = locate(row, offsets)
    raise ValueError(
        f"Input X contains infinity or a value too large for {steps.dtype!r}: expected finite "
        f"values, got {steps[row, feature]} in sequence {i}, step {t}, feature {feature}."
    )


def _without_trailing_nan(steps, offsets):
    """Drop trailing steps that are wholly NaN; return the sequences, and which rows are kept."""
    filled = np.flatnonzero(~np.isnan(steps).all(axis=1))
    kept, offsets = kept_rows(filled, offsets, from_start=True)
    return Sequences(steps[kept], offsets), kept


def _check_complete(sequences):
    """Refuse missing values."""
    missing = np.isnan(sequences.values)
    if missing.any():
        row, feature = np.argwhere(missing)[0]
        i, t = locate(row, sequences.offsets)
        raise ValueError(
            f"Input X contains NaN: sequence {i}, step {t}, feature {feature} is missing. Expected "
            "complete sequences: of tokens, or with missing='error'; missing='decay' and "
            "'indicator' take missing values."
        )


def _without_padding(ids, offsets):
    """Drop zeros at either end; refuse zeros inside.

    Returns the sequences, and which rows are kept.
    """
    kept, offsets = kept_rows(np.flatnonzero(ids), offsets, from_start=False)
    sequences = Sequences(ids[kept], offsets)
    inner = np.flatnonzero(sequences.values == 0)
    if len(inner):
        i, t = locate(inner[0], offsets)
        raise ValueError(
            f"Token id 0 is padding and stands only at the ends of a sequence, but sequence {i} "
            f"has it inside, {t} steps after its first token."
        )
    return sequences, kept
