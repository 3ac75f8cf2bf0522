"""Columns of a table: numbers, or categories and their codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import TextError, TimesError, is_missing, to_numbers
from skgru._data.forms import holds_sequences
from skgru._nn.batch import Array


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    cells : ndarray of shape (n,)
        As `as_array` returns them.
    name : str
        Of it in errors.
    is_category : bool
        Whether its container says that it holds categories, of whatever type.
    """

    cells: NDArray[Any]
    name: str
    is_category: bool = False


def kind_of(column: Column) -> str:
    """Return which kind of cells a column holds."""
    cells = column.cells
    if holds_sequences(cells):
        raise ValueError(
            f"Expected a number or a category in each cell of column {column.name!r}, got "
            "sequences: a SeriesBranch reads them, or of token ids a TokenBranch."
        )
    if cells.dtype == object:
        types = {type(cell) for cell in cells if not is_missing(cell)}
        are_text = bool(types) and any(
            all(issubclass(kind, text) for kind in types) for text in (str, bytes)
        )
        are_bool = bool(types) and types <= {bool, np.bool_}
    else:
        are_text, are_bool = cells.dtype.kind in "UST", cells.dtype.kind == "b"
    if are_text:
        return "text"
    if are_bool:
        return "bool"
    return "category" if column.is_category else "number"


def parse_cells(cells: NDArray[Any], kind: str, name: str) -> NDArray[Any]:
    """Return cells of a kind: numbers in float64, missing ones NaN, or objects, missing ones None.

    Raises
    ------
    ValueError, TypeError
        If one is of another kind.
    """
    return _PARSERS[kind](cells, name)


def _numbers_of(cells: NDArray[Any], name: str) -> Array:
    """Return numbers in float64, missing ones as NaN."""
    try:
        numbers = _to_numbers(cells, name).astype(np.float64)
    except TextError as error:
        raise ValueError(
            f"{error} Of a column of categories, all cells are texts (or missing)."
        ) from error
    if np.isinf(numbers).any():
        value = numbers[np.isinf(numbers)][0]
        raise ValueError(
            f"Input X contains infinity: expected finite numbers in column {name!r}, got {value}."
        )
    return numbers


def _to_numbers(cells: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the same as `to_numbers`; of dates and durations the error says what to do."""
    try:
        return to_numbers(cells, f"column {name!r}")
    except TimesError as error:
        raise TimesError(
            f"{error} Make numbers of them, such as the days since a date, or categories of their "
            "parts, such as the weekday."
        ) from error


def _texts_of(cells: NDArray[Any], name: str) -> NDArray[Any]:
    """Return texts as objects, missing ones as None."""
    objects = _objects(cells)
    for cell in objects:
        if cell is not None and not isinstance(cell, str | bytes):
            raise ValueError(
                f"Expected texts in column {name!r}, as in fit, got {cell!r:.50}, a "
                f"{type(cell).__name__}."
            )
    return objects


def _bools_of(cells: NDArray[Any], name: str) -> NDArray[Any]:
    """Return truth values as objects, missing ones as None."""
    objects = _objects(cells)
    for cell in objects:
        if cell is not None and not isinstance(cell, bool | np.bool_):
            raise ValueError(
                f"Expected True and False in column {name!r}, as in fit, got {cell!r:.50}."
            )
    return objects


def _categories_of(cells: NDArray[Any], name: str) -> NDArray[Any]:
    """Return categories that are numbers as objects, missing ones as None."""
    try:
        return _objects(_to_numbers(cells, name))
    except TimesError:
        raise
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{error} Categories are texts, or truth values, or numbers: make texts of others, "
            "such as with astype(str)."
        ) from error


_PARSERS = {
    "number": _numbers_of,
    "text": _texts_of,
    "bool": _bools_of,
    "category": _categories_of,
}


def _objects(cells: NDArray[Any]) -> NDArray[np.object_]:
    """Return cells as Python's objects, missing ones as None."""
    objects = np.empty(len(cells), object)
    for i, cell in enumerate(cells.tolist()):  # one may be an array
        objects[i] = None if is_missing(cell) else cell
    return objects


def are_missing(column: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([cell is None for cell in column], bool)


def present_cells(column: NDArray[np.object_]) -> NDArray[Any]:
    """Return the cells that are there, in their own type."""
    return np.array([cell for cell in column if cell is not None] or [""][:0])


def codes_of(
    column: NDArray[np.object_], categories: NDArray[Any], misses: bool
) -> NDArray[np.intp]:
    """Return the numbers of categories from 1 on, a missing one last if it is one; 0 = unknown."""
    numbers = {category: i for i, category in enumerate(categories.tolist(), 1)}
    if misses:
        numbers[None] = len(categories) + 1
    return np.array([numbers.get(cell, 0) for cell in column], np.intp)
