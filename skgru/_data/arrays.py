"""Cells of any container as an array of NumPy; their type is decided here, once.

`as_array` opens a container and changes no cell but missing ones; `to_numbers` and `to_ids` decide
on the type of the cells, and refuse all others by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from numbers import Number, Real
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from skgru._compat import is_grouped

# The name of a cell in errors, given its index; or of all cells.
NameOf = Callable[[tuple[int, ...]], str]
Where = str | NameOf

# Beyond these, not every integer is a float64.
_EXACT = 2**53
# The replacement of a missing id in `to_ids`.
MISSING_ID = np.iinfo(np.int64).min
# No token id reaches this.
_LARGEST_ID = 2**62

HOW_TO_UNSTRUCTURE = "Fields become columns with numpy.lib.recfunctions.structured_to_unstructured."


class TextError(ValueError):
    """Cells that are no numbers but text."""


class TimesError(ValueError):
    """Cells that are no numbers but dates or durations."""


_T = TypeVar("_T")

_NAMES_OF_MISSING = ("NoneType", "NAType", "NaTType", "MaskedConstant")


def as_array(cells: Any) -> NDArray[Any]:
    """Return a container's cells as an array, without a cast that could lose any of them.

    Missing cells become NaN among numbers, NaT among dates and durations, and elsewhere stay as
    they are: None, NaN or pandas' NA; masked ones become None there.

    Parameters
    ----------
    cells : array-like
        An array of NumPy, masked or not, a column of pandas, polars or Arrow, anything with
        `__array__` or `__dlpack__`, a buffer, or any sized iterable of Python but a set, a mapping
        or a string.

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if isinstance(cells, np.ma.MaskedArray):
        return _without_mask(cells)
    if isinstance(cells, np.ndarray | np.generic):
        return np.asarray(cells)
    if hasattr(cells, "as_py"):  # a cell of Arrow, such as a list
        cells = cells.as_py()
    if hasattr(type(cells), "toarray"):
        raise TypeError(f"Expected a dense array, got {describe(cells)}: use its toarray().")
    if isinstance(cells, str | bytes | bytearray | Set | Mapping):
        raise TypeError(f"Expected an array or a list, got {describe(cells)}.")
    if hasattr(cells, "to_numpy"):
        return _open_column(cells)
    if hasattr(cells, "__array__"):
        return _open_foreign(cells, np.asarray)
    if hasattr(cells, "__dlpack__"):
        return _open_foreign(cells, np.from_dlpack)
    # A view of several dimensions cannot be iterated over.
    is_buffer = isinstance(cells, memoryview)
    if hasattr(cells, "__len__") and hasattr(cells, "__iter__") and not is_buffer:
        return _open_list(list(cells))
    try:
        return np.asarray(memoryview(cells))
    except TypeError:
        raise TypeError(f"Expected an array or a list, got {describe(cells)}.") from None


def _without_mask(cells: np.ma.MaskedArray) -> NDArray[Any]:
    """Return a masked array as an array with its masked cells missing."""
    if cells is np.ma.masked:
        return np.array(None, object)
    mask, data = np.ma.getmaskarray(cells), np.asarray(cells.data)
    if data.dtype.kind == "V" or not mask.any():
        return data
    if data.dtype.kind in "biu":
        if data.dtype.kind != "b" and exceeds_floats(data[~mask]):
            return _with_none(data, mask)
        data = data.astype(np.float64)
    if data.dtype.kind in "fc":
        return np.where(mask, data.dtype.type(np.nan), data)
    if data.dtype.kind in "mM":
        return np.where(mask, data.dtype.type("NaT", np.datetime_data(data.dtype)[0]), data)
    return _with_none(data, mask)


def _with_none(data: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.object_]:
    cells = data.astype(object)
    cells[mask] = None
    return cells


def exceeds_floats(numbers: NDArray[Any]) -> bool:
    """Whether any of the numbers may be an integer that a float64 cannot hold."""
    # As Python's numbers, since 2**53 overflows float16.
    return bool(len(numbers)) and max(numbers.max().item(), -numbers.min().item()) >= _EXACT


def _open_column(cells: Any) -> NDArray[Any]:
    """Return a column of pandas, polars or Arrow as an array."""
    if str(getattr(cells, "type", "")).startswith("dictionary"):
        # Of chunks, Arrow would return a missing cell as a category that it is not.
        cells = cells.cast(cells.type.value_type)
    try:
        array = _open_foreign(cells, lambda cells: cells.to_numpy())
    except (ValueError, TypeError):
        if not hasattr(cells, "type"):
            raise
        array = cells.to_numpy(zero_copy_only=False)  # Arrow has to be allowed to copy
    kind = str(getattr(cells, "dtype", getattr(cells, "type", "")))
    if kind.lower().startswith("struct"):
        return _objects(list(cells))
    if isinstance(array, np.ma.MaskedArray):
        return _without_mask(array)
    array = np.asarray(array)
    # Integers with missing ones among them have become floats.
    may_be_integers = "int" in kind.lower() or kind == "category"
    were_integers = may_be_integers and array.dtype == np.float64
    if were_integers and exceeds_floats(array[np.isfinite(array)]):
        return _objects(cells.to_pylist() if hasattr(cells, "to_pylist") else list(cells))
    return array


def _open_foreign(cells: Any, convert: Callable[[Any], _T]) -> _T:
    try:
        return convert(cells)
    except (TypeError, ValueError):
        raise
    except Exception as error:  # each library has its own
        raise TypeError(
            f"{type(cells).__name__} could not be read as an array of NumPy: {error}"
        ) from error


def _open_list(cells: list[Any]) -> NDArray[Any]:
    """Return a list as an array: of numbers if all cells are, else of objects."""
    # NumPy would drop masks, and make texts of the numbers beside a text.
    cells = [_without_its_mask(cell) for cell in cells]
    if any(isinstance(cell, str | bytes) for cell in cells):
        return _objects(cells)
    array = stack_lists(cells)
    if array is None:
        return _objects(cells)
    if array.dtype.kind in "US":
        return np.asarray(cells, object)
    if array.dtype.kind == "f" and exceeds_floats(array[np.isfinite(array)]):
        return np.asarray(cells, object)  # integers may have been rounded
    return array


def stack_lists(cells: Any) -> NDArray[Any] | None:
    """Return nested lists as the array that NumPy makes of them, None if it makes none.

    It has dropped the masks of masked arrays in them, not the constant `masked`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of masked among numbers
        try:
            array = np.asarray(cells)
        except Exception:  # unequal lengths; or a cell of another library, with errors of its own
            return None
    # Integers beside durations have become durations.
    return None if array.dtype.kind == "m" else array


def _without_its_mask(cell: Any) -> Any:
    if cell is np.ma.masked:
        return None
    return as_array(cell) if isinstance(cell, np.ma.MaskedArray) else cell


def _objects(cells: Sequence[Any]) -> NDArray[np.object_]:
    array = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN, NaT, pandas' NA or NumPy's masked."""
    if isinstance(cell, Decimal):
        return cell.is_qnan()  # a signaling one cannot be compared
    is_number = isinstance(cell, Number | np.datetime64)
    return type(cell).__name__ in _NAMES_OF_MISSING or (is_number and cell != cell)


def to_numbers(array: NDArray[Any], where: Where) -> NDArray[Any]:
    """Return an array of numbers: floats, integers or Booleans; missing cells become NaN.

    Parameters
    ----------
    array : ndarray
        As `as_array` returns it.
    where : str or callable
        The name of the array in the errors: "feature 1 of sequence 0"; or a function of the index
        (a tuple) of a cell that returns it.

    Raises
    ------
    TypeError, ValueError
        If a cell is no number: complex, a text, a date, a duration or another object.
    """
    kind = array.dtype.kind
    if kind in "biu":
        return array
    if kind == "f":
        return array.astype(np.float64) if array.dtype.itemsize > 8 else array
    first = (0,) * array.ndim
    if kind == "c":
        raise ValueError(f"Complex data not supported: {_say(where, first)} is of {array.dtype}.")
    if kind in "mM":
        what = "dates" if kind == "M" else "durations"
        raise TimesError(f"Expected numbers, got {what} ({array.dtype}) in {_say(where, first)}.")
    if kind != "O":
        what, error = ("text", TextError) if kind in "UST" else ("cells", ValueError)
        hint = " " + HOW_TO_UNSTRUCTURE if kind == "V" else ""
        raise error(
            f"Expected numbers, got {what} of dtype {array.dtype} in {_say(where, first)}.{hint}"
        )
    return _objects_to_numbers(array, where)


def _objects_to_numbers(array: NDArray[np.object_], where: Where) -> NDArray[Any]:
    types = set(map(type, array.flat))
    if any(issubclass(kind, np.ndarray) for kind in types):  # arrays of one number
        cells = [
            as_array(cell).item() if isinstance(cell, np.ndarray) and cell.ndim == 0 else cell
            for cell in array.flat
        ]
        array = _objects(cells).reshape(array.shape)
        types = set(map(type, array.flat))
    refused = tuple(kind for kind in types if not (_is_number(kind) or _may_miss(kind)))
    if refused:
        i = next(i for i, cell in enumerate(array.flat) if type(cell) in refused)
        _refuse(array.flat[i], _say(where, np.unravel_index(i, array.shape)))
    missing = {kind for kind in types if _may_miss(kind)}
    if missing:
        flags = np.fromiter((type(cell) in missing for cell in array.flat), bool, array.size)
        array = np.where(flags.reshape(array.shape), np.nan, array)
    try:
        if types and all(issubclass(kind, int | np.integer) for kind in types - {bool, np.bool_}):
            if types <= {bool, np.bool_}:
                return array.astype(bool)
            return _integers(array)
        return array.astype(np.float64)
    except (OverflowError, ValueError) as error:  # the latter of a signaling NaN
        i = next(i for i, cell in enumerate(array.flat) if not _is_float(cell))
        place = _say(where, np.unravel_index(i, array.shape))
        reason = "too large for" if isinstance(error, OverflowError) else "no"
        raise ValueError(f"A number in {place} is {reason} float64.") from error


def _integers(array: NDArray[np.object_]) -> NDArray[Any]:
    """Return objects that are integers as int64 or uint64 if those hold all, else as float64."""
    low, high = int(array.min()), int(array.max())
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return array.astype(dtype)
    return array.astype(np.float64)


def _is_float(cell: Any) -> bool:
    try:
        float(cell)
    except (OverflowError, ValueError):
        return False
    return True


def _is_number(kind: type) -> bool:
    """Whether a type is one of real numbers; a duration of NumPy is an integer to Python."""
    return issubclass(kind, Real | Decimal | np.bool_) and not issubclass(kind, np.timedelta64)


def _may_miss(kind: type) -> bool:
    return kind.__name__ in _NAMES_OF_MISSING


def _refuse(cell: Any, place: str) -> NoReturn:
    """Raise the error that names the kind of the cell, of an object in Python's words too."""
    if isinstance(cell, str | bytes):
        raise TextError(f"Expected numbers, got the text {cell!r:.50} in {place}.")
    if isinstance(cell, complex):
        raise ValueError(f"Complex data not supported: {place} holds {cell!r}.")
    if hasattr(cell, "year") or isinstance(cell, np.datetime64):
        raise TimesError(f"Expected numbers, got the date {cell!r:.80} in {place}.")
    if hasattr(cell, "total_seconds") or isinstance(cell, np.timedelta64):
        raise TimesError(f"Expected numbers, got the duration {cell!r:.80} in {place}.")
    reason = "argument must be a string or a real number"  # Python's words, which users search for
    raise TypeError(f"Expected numbers, got {describe(cell)}, {cell!r:.50}, in {place}: {reason}.")


def _say(where: Where, index: Iterable[Any]) -> str:
    return where(tuple(int(i) for i in index)) if callable(where) else where


def to_ids(array: NDArray[Any], where: Where) -> NDArray[np.integer]:
    """Return an array of integers, exactly; missing cells become `MISSING_ID`.

    Arrays of int32 and int64 are returned themselves, if no id is wrong; others become int64.

    Parameters
    ----------
    array, where
        As for `to_numbers`.

    Raises
    ------
    TypeError, ValueError
        If a cell is no whole number below 2**62.
    """
    numbers = to_numbers(array, where)
    if numbers.dtype.kind in "bi" and (
        not numbers.size or (numbers.min() >= 0 and numbers.max() < _LARGEST_ID)
    ):
        # Nearly always; no array of flags.
        kept = numbers.dtype if numbers.dtype in (np.int32, np.int64) else np.int64
        return numbers.astype(kept, copy=False)
    exact = numbers
    if numbers.dtype.kind == "f":
        numbers = numbers.astype(np.float64, copy=False)
        # Of objects the integers themselves, if missing ones have made floats of them.
        exact = array if array.dtype == object else numbers
    missing = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros((), bool)
    given = np.where(missing, 0, exact) if missing.any() else exact
    for expected, good in (
        ("a finite token id", ~np.isinf(numbers)),
        ("a token id below 2**62", given < _LARGEST_ID),
        ("token ids of at least 0", numbers >= 0),
        ("a whole number as token id", numbers == np.floor(numbers)),
    ):
        accepted = good | missing
        if not accepted.all():
            index = tuple(np.argwhere(~accepted)[0])
            raise ValueError(f"Expected {expected}, got {exact[index]} in {_say(where, index)}.")
    if not missing.any():
        return exact.astype(np.int64)
    ids = np.full(numbers.shape, MISSING_ID)
    ids[~missing] = exact[~missing].astype(np.int64)
    return ids


def check_not_deferred(table: Any, instead_of_groups: str) -> None:
    """Refuse the result of `groupby`, with the remedy, and a LazyFrame.

    Raises
    ------
    ValueError
        If it is one of these.
    """
    if is_grouped(table):
        raise ValueError(f"Expected data, got {describe(table)}: give {instead_of_groups}.")
    if type(table).__name__ == "LazyFrame":
        raise ValueError("Expected data, got a LazyFrame: call its collect().")


def describe(thing: Any) -> str:
    """Return the kind of something, for an error: "a dict", "an array of shape (2, 3)"."""
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape}"
    name = type(thing).__name__
    if name in ("str", "bytes"):
        return "a string" if name == "str" else "bytes"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
