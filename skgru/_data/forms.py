"""The one door: every form of X that users have is opened to sequences, and their names found.

| X | read as |
| --- | --- |
| 2-D array or DataFrame (n, T · features_per_step) | n sequences of T steps, time-major |
| 3-D array (n, T, D) | n sequences of T steps of D features |
| list, tuple, object array or Series of (T_i, D) or (T_i,) arrays | n sequences of T_i steps |
| list, tuple, object array or Series of DataFrames | the same, the columns are the features |
| DataFrame of arrays, one column per feature | the same |

`open_form` returns `Opened` sequences: a `Rectangle` or `Ragged` ones, which still hold the cells
as they came. A `Parser` makes numbers, token ids or time stamps of them; `parsing` drops padding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from skgru._compat import columns_of, is_array, is_grouped
from skgru._compat import names_of as column_names
from skgru._data.arrays import HOW_TO_UNSTRUCTURE, as_array, describe, is_missing, stack_lists
from skgru._data.ids import holds_tokens, vocabularies_of
from skgru._data.stacking import LONG_TABLE, Columns, Ragged, Rectangle

_TEXTS = (
    "Expected sequences of numbers or token ids, got strings: turn texts into token sequences "
    "first, with SequenceVectorizer"
)


class Opened(NamedTuple):
    """X without its container.

    Attributes
    ----------
    form : Rectangle or Ragged
        The cells of its sequences, as they came.
    named : DataFrame or None
        The frame that carries the names of the features.
    is_marked : bool
        Whether it is marked as token ids.
    is_list : bool
        Whether it is a list of sequences: those may have any length, also where all are equal.
    is_frame : bool
    present : ndarray of shape (n,) or None, default=None
        Which samples have a sequence, in the order of the samples; None = all.
    vocabularies : tuple of mappings of str to int, default=()
        Those whose ids the sequences say that they hold; equal ones may be among them.
    """

    form: Rectangle | Ragged
    named: Any
    is_marked: bool
    is_list: bool
    is_frame: bool
    present: NDArray[np.bool_] | None = None
    vocabularies: tuple[Mapping[str, int], ...] = ()

    @property
    def is_rectangle(self) -> bool:
        """Whether its container gives all sequences the same number of steps, padding included."""
        return isinstance(self.form, Rectangle) and not self.is_list

    @property
    def is_absent(self) -> bool:
        """Whether no sample has a sequence."""
        return self.present is not None and not self.present.any()

    @property
    def n_samples(self) -> int:
        """n, where it is said which samples have a sequence."""
        return 0 if self.present is None else len(self.present)

    @property
    def names(self) -> list[str] | None:
        """The names of the features as strings, None if they have none."""
        return None if self.named is None else [str(name) for name in _names_of_columns(self.named)]


def open_form(X: Any, estimator_name: str | None = None) -> Opened:
    """Return X as `Opened` sequences, whatever its cells are.

    Parameters
    ----------
    X : any of the forms
    estimator_name : str, default=None
        Of the estimator in scikit-learn's error messages.

    Raises
    ------
    ValueError, TypeError
        If X is none of the forms.
    """
    check_container(X)
    return Opened(
        _open(X, estimator_name),
        names_of(X),
        holds_tokens(X),
        isinstance(X, list | tuple),
        is_frame(X),
        vocabularies=vocabularies_of(X),
    )


def open_columns(columns: Columns, names: list[str], n_features: int | None = None) -> Opened:
    """Return the sequences in some columns of a table, in which cells may be missing.

    A sample of which all cells are missing has an empty sequence. Where only some are, those
    features are missing at all of its steps.

    Parameters
    ----------
    columns : list of ndarray of shape (n,)
        Of which each cell is a sequence of one feature, or of all if there is one; or a number.
    names : list of str
    n_features : int, default=None
        How many columns of numbers make a step, if that is known.
    """
    form: Rectangle | Ragged
    if any(map(holds_sequences, columns)):
        form = _open_cells(_without_missing_cells(columns, names), names)
    else:
        form = Rectangle(columns, len(columns), names, n_features)
    is_marked = any(map(holds_tokens, columns))
    vocabularies = tuple(chain.from_iterable(map(vocabularies_of, columns)))
    return Opened(form, dict.fromkeys(names), is_marked, False, False, vocabularies=vocabularies)


def open_nothing(present: NDArray[np.bool_]) -> Opened:
    """Return the sequences of samples of which none is present."""
    return Opened(Rectangle(np.empty((0, 1)), None, None), None, False, True, False, present)


def _without_missing_cells(columns: Columns, names: list[str]) -> Columns:
    """Return columns of sequences in which missing cells are empty, or NaN beside others."""
    if all(map(_are_arrays, columns)):
        return columns  # by far the most frequent case
    missing = np.array(
        [np.zeros(len(c), bool) if c.ndim > 1 else [is_missing(x) for x in c] for c in columns]
    )
    for name, column, of_column in zip(names, columns, missing, strict=True):
        for i in np.flatnonzero(~of_column):
            if not is_sequence(column[i]):
                raise ValueError(
                    f"Expected a sequence in each cell of column {name!r}, or a missing one, got "
                    f"{column[i]!r:.50} in row {i}."
                )
            if is_frame(column[i]):
                raise TypeError(
                    f"Expected an array in each cell of column {name!r}, got "
                    f"{describe(column[i])} in row {i}, whose names would be lost: make an array "
                    "of it, with its to_numpy(), or give a column for each feature."
                )
    if not missing.any():
        return columns
    filled = [_objects_of(column) for column in columns]
    first = next(cell for column in columns for cell in _first_sequence(column))
    empty = np.empty((0, *np.shape(first)[1:]))
    for j, i in np.argwhere(missing):
        others = np.flatnonzero(~missing[:, i])
        n_steps = len(columns[others[0]][i]) if len(others) else 0
        filled[j][i] = np.full(n_steps, np.nan) if n_steps else empty
    return filled


def _objects_of(column: NDArray[Any]) -> NDArray[np.object_]:
    objects = np.empty(len(column), object)
    for i, cell in enumerate(column):
        objects[i] = cell
    return objects


def _open(X: Any, estimator_name: str | None) -> Rectangle | Ragged:
    if is_frame(X):
        return _open_frame(X, estimator_name)
    if isinstance(X, np.ndarray) or not hasattr(X, "__len__"):
        X = as_array(X)
    shape = getattr(X, "shape", (0,))
    is_numpy = isinstance(X, np.ndarray)
    if is_numpy and X.dtype == object and X.ndim == 2 and X.size and is_sequence(X[0, 0]):
        return _open_cells(list(X.T), None)
    if len(shape) == 1 and not (is_numpy and X.dtype != object):
        return _open_list(X, estimator_name)
    return _open_array(as_array(X), estimator_name)


def check_container(X: Any) -> None:
    """Refuse containers that cannot hold n sequences in the order of n targets."""
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


def is_container(x: Any) -> bool:
    """Whether something holds elements in an order of its own."""
    if sparse.issparse(x):
        return True  # one kind of them is a mapping
    if isinstance(x, str | bytes | bytearray | Mapping | Set | type) or is_grouped(x):
        return False
    if is_array(x) or hasattr(x, "shape"):
        return True
    return hasattr(x, "__len__") and hasattr(x, "__iter__")


def hint_for(x: Any, other: str) -> str:
    """Return how to make a container of another object, for an error; `other` has an order too."""
    if is_grouped(x):
        return f". {LONG_TABLE}"
    if isinstance(x, Mapping):
        return ": a list of its values has an order, list(values()); a DataFrame has named columns"
    if isinstance(x, Set):
        return f", whose order has nothing to do with that of {other}"
    if hasattr(type(x), "collect"):
        return ": collect it first, with its collect()"
    if hasattr(x, "__iter__") and not isinstance(x, str | bytes | bytearray):
        return ": make a list of it first, with list()"
    return ""


def _open_array(X: NDArray[Any], estimator_name: str | None) -> Rectangle:
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
        return Rectangle(X, None, None)
    if X.ndim == 0 or X.size == 0:
        check_array(X, ensure_all_finite=False, estimator=estimator_name, input_name="X")  # says so
    return Rectangle(X, X.shape[1], None)


def _check_elements(elements: NDArray[Any]) -> None:
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


def _open_frame(X: Any, estimator_name: str | None) -> Rectangle | Ragged:
    """Open a DataFrame: one row is one sequence."""
    columns = arrays_of(X)
    if not columns or len(columns[0]) == 0:
        shape = (len(columns[0]) if columns else 0, len(columns))
        return _open_array(np.empty(shape), estimator_name)
    names = _names_of_columns(X)
    nested = [holds_sequences(column) for column in columns]
    if all(nested):
        return _open_cells(columns, names)
    if any(nested):
        chosen = [name for name, is_nested in zip(names, nested, strict=True) if is_nested]
        raise ValueError(
            "Expected a DataFrame of numbers, or one whose columns all hold sequences, but only "
            f"{chosen} do. Columns with one value for each sample are for a TableBranch of "
            "MultimodalGRUClassifier or MultimodalGRURegressor."
        )
    refuse_levels(X)
    return Rectangle(columns, len(columns), names)


def refuse_levels(X: Any) -> None:
    """Refuse a table or column of pandas whose index says that its rows are steps."""
    if getattr(getattr(X, "index", None), "nlevels", 1) > 1:
        levels = list(X.index.names)
        raise ValueError(
            f"X is a {type(X).__name__} of numbers with a MultiIndex (levels {levels}). "
            f"{LONG_TABLE}; levels of the index count as columns, make_sequences(X). If each row "
            "is a whole sequence, drop the index: X.reset_index(drop=True)."
        )


def _open_cells(columns: Columns, names: list[Any] | None) -> Ragged:
    """Open columns of which each cell is a sequence of one feature, or of all if there is one."""
    opened = [_open_column(column) for column in columns]
    if len(opened) == 1:
        # An array (n_steps,) in a cell is one feature, whatever features_per_step.
        return Ragged([x[:, None] if x.ndim == 1 else x for x in opened[0]], names)
    sequences = list(map(list, zip(*opened, strict=True)))
    for i, features in enumerate(sequences):
        shapes = [feature.shape for feature in features]
        if len(shapes[0]) != 1 or len(set(shapes)) > 1:
            raise ValueError(
                "The cells of a row must be 1-D arrays of the same length, but row "
                f"{i} of X has shapes {shapes}."
            )
    return Ragged(sequences, names)


def _open_column(column: NDArray[Any]) -> Columns:
    """Return the sequences in the cells of a column."""
    if _are_plain(column):
        return list(column)
    return [_open_sequence(i, cell) for i, cell in enumerate(column)]


def _are_plain(elements: Any) -> bool:
    """Whether elements are arrays of one or two dimensions that hold no objects."""
    return _are_arrays(elements) and all(x.dtype != object and 0 < x.ndim < 3 for x in elements)


def _open_list(X: Any, estimator_name: str | None) -> Rectangle | Ragged:
    """Open a list, tuple, object array, Series or column: one element is one sequence."""
    is_column = hasattr(X, "to_numpy") or isinstance(X, np.ndarray)
    elements: Any = as_array(X) if is_column else list(X)
    if len(elements) == 0:
        _raise_no_samples()
    if getattr(elements, "ndim", 1) > 1:
        return _open_array(elements, estimator_name)
    if _are_plain(elements):
        return Ragged(list(elements), None)  # by far the most frequent case
    if not any(map(is_sequence, elements)):
        refuse_levels(X)
        return _open_array(as_array(elements), estimator_name)
    frames = [i for i, x in enumerate(elements) if is_frame(x)]
    if frames:
        return _open_frames(elements, frames)
    if all(isinstance(x, list | tuple) for x in elements):
        rectangle = _nested_lists(elements)
        if rectangle is not None:
            return _open_array(rectangle, estimator_name)
    return Ragged([_open_sequence(i, x) for i, x in enumerate(elements)], None)


def _nested_lists(elements: Sequence[Any]) -> NDArray[Any] | None:
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


def _open_frames(elements: Sequence[Any], frames: list[int]) -> Ragged:
    """Open sequences that are DataFrames: they have the same columns in the same order."""
    first = frames[0]
    names = _names_of_columns(elements[first])
    has_names = any(isinstance(name, str) for name in names)
    sequences: list[NDArray[Any] | Columns] = []
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
    return Ragged(sequences, names)


def check_is_sequence(i: int, x: Any) -> None:
    """Refuse an element of X, sequence i, that is missing or has no elements itself."""
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


def _open_sequence(i: int, x: Any) -> NDArray[Any]:
    """Return sequence i as an array of shape (n_steps,) or (n_steps, n_features)."""
    check_is_sequence(i, x)
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


def _raise_no_samples() -> NoReturn:
    raise ValueError("Found array with 0 sample(s) (X is empty) while a minimum of 1 is required.")


# --- Kinds of containers ----------------------------------------------------------------------


def names_of(X: Any) -> Any:
    """Return the DataFrame that carries the names of X's features, None if they have no names.

    Of sequences that are DataFrames each, that is the first one. One column of arrays
    (n_steps, n_features) names no feature.
    """
    if is_frame(X):
        columns = arrays_of(X) if len(_names_of_columns(X)) == 1 else []
        holds_steps = any(np.ndim(c) == 2 for column in columns for c in _first_sequence(column))
        return None if holds_steps else X
    if isinstance(X, np.ndarray) and X.dtype != object:
        return None
    is_list = len(getattr(X, "shape", (0,))) == 1
    if not (is_list and hasattr(X, "__iter__") and hasattr(X, "__len__")):
        return None
    return None if _are_arrays(X) else next((x for x in X if is_frame(x)), None)


def _are_arrays(elements: Any) -> bool:
    """Whether elements are plain arrays of NumPy, without a mask or a mark."""
    return set(map(type, elements)) == {np.ndarray}


def is_frame(X: Any) -> bool:
    """Whether X is a DataFrame of pandas or polars, or a table of Arrow."""
    if isinstance(X, np.ndarray | list):
        return False
    kind = type(X)  # of X itself, any column might have that name
    has_names = hasattr(kind, "columns") and not hasattr(kind, "collect")
    return has_names and (hasattr(kind, "dtypes") or hasattr(kind, "column_names"))


def _names_of_columns(frame: Any) -> list[Any]:
    names = column_names(frame)
    assert names is not None  # a frame has them
    return names


def arrays_of(frame: Any) -> Columns:
    """Return the columns of a DataFrame as arrays."""
    return [as_array(column) for column in columns_of(frame)]


def is_sequence(x: Any) -> bool:
    """Whether an element of X is itself a sequence of steps."""
    if isinstance(x, str | bytes | np.ma.core.MaskedConstant | Mapping | Set):
        return False
    if isinstance(x, np.ndarray | np.generic):
        return x.ndim > 0
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        return getattr(x, "ndim", 1) > 0
    return hasattr(x, "__len__") and hasattr(x, "__iter__")


def holds_sequences(column: NDArray[Any]) -> bool:
    """Whether the cells of a column are sequences: the first one says so that is not missing."""
    return column.ndim > 1 or bool(_first_sequence(column))


def _first_sequence(column: NDArray[Any]) -> list[Any]:
    """Return the first cell that is not missing in a list, or an empty one if it is no sequence."""
    if column.dtype != object:
        return []
    first = next((cell for cell in column if not is_missing(cell)), None)
    return [first] if is_sequence(first) else []
