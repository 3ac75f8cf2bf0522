"""Columns of X: which ones are meant, and those that are taken."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._compat import columns_of, names_of, take
from skgru._data.arrays import as_array, describe, is_missing

_EXPECTED = (
    "expected columns as a name, an index, a slice, a list of names, of indices or of truth "
    "values, or a callable that returns one of them for X"
)


class Selection(NamedTuple):
    """Some columns of X.

    Attributes
    ----------
    indices : tuple of int
    is_one : bool
        Whether one column is meant by itself, rather than a table of columns.
    n_features : int or None, default=None
        How many columns make a step, where the selection says it.
    """

    indices: tuple[int, ...]
    is_one: bool
    n_features: int | None = None


class Selected(NamedTuple):
    """The columns of a selection.

    Attributes
    ----------
    X : DataFrame or ndarray
        The table that they are of.
    selection : Selection
    columns : list of ndarray of shape (n,)
        Their cells.
    names : list of str
        Of the columns, in errors too.
    are_categories : list of bool
        Whether their containers say that they hold categories.
    """

    X: Any
    selection: Selection
    columns: list[NDArray[Any]]
    names: list[str]
    are_categories: list[bool]

    @property
    def container(self) -> Any:
        """The columns as a transformer is given them: a table, or one column by itself."""
        indices, is_one, _ = self.selection
        if is_one and hasattr(type(self.X), "column_names"):
            # The cells of a column of Arrow are objects of its own, which no transformer reads.
            return self.columns[0]
        return take(self.X, indices[0] if is_one else list(indices), axis=1)

    @property
    def are_missing(self) -> NDArray[np.bool_]:
        """Which rows have no cell that is not missing, (n,)."""
        missing: NDArray[np.bool_] = np.all([missing_cells(c) for c in self.columns], axis=0)
        return missing


def missing_cells(cells: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which cells of a column are missing, (n,)."""
    if cells.ndim > 1 or cells.dtype.kind in "biuUSV":
        return np.zeros(len(cells), bool)
    missing: NDArray[np.bool_]
    if cells.dtype.kind == "f":
        missing = np.isnan(cells)
        return missing
    if cells.dtype.kind in "mM":
        missing = np.isnat(cells)
        return missing
    return np.fromiter(map(is_missing, cells), bool, len(cells))


def select(X: Any, columns: Any) -> Selection:
    """Return which columns of X are meant.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_columns)
    columns : str, int, slice, list, ndarray or callable
        An array of indices may have a row for each step and a column for each feature of it.

    Raises
    ------
    ValueError, TypeError
        If they are none of these, or X has no such column.
    """
    if callable(columns):
        columns = columns(X)
    n_features = None
    if isinstance(columns, np.ndarray) and columns.ndim == 2:
        columns, n_features = columns.ravel(), columns.shape[1]
    names, n = names_of(X), X.shape[1]
    if isinstance(columns, str | Integral) and not isinstance(columns, bool | np.bool_):
        return Selection((_index_of(columns, names, n),), True)
    if isinstance(columns, slice):
        return Selection(_of_slice(columns, names, n), False)
    if not isinstance(columns, Iterable) or isinstance(columns, bytes | dict | set):
        raise TypeError(f"{_EXPECTED}, got {describe(columns)}.")
    items = list(as_array(columns).tolist() if hasattr(columns, "dtype") else columns)
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        if len(items) != n:
            raise ValueError(f"expected {n} truth values, one for each column, got {len(items)}.")
        return Selection(tuple(np.flatnonzero(items).tolist()), False)
    if not all(isinstance(i, str | Integral) and not isinstance(i, bool | np.bool_) for i in items):
        raise TypeError(f"{_EXPECTED}, got {columns!r}.")
    indices = tuple(_index_of(item, names, n) for item in items)
    if len(set(indices)) < len(indices):
        raise ValueError(f"expected each column once, got {columns!r}.")
    return Selection(indices, False, n_features)


def _index_of(column: str | Integral, names: list[Any] | None, n: int) -> int:
    """Return the index of a column, given its name or its index."""
    if isinstance(column, str):
        if names is None:
            raise ValueError(
                f"expected indices of columns, as the columns of X have no names, got {column!r}: "
                "give a DataFrame."
            )
        if column not in names:
            raise ValueError(f"X has no column {column!r}; its columns are {names}.")
        if names.count(column) > 1:
            raise ValueError(f"X has {names.count(column)} columns of the name {column!r}.")
        return names.index(column)
    index = int(column)
    if not -n <= index < n:
        raise ValueError(f"X has {n} columns, expected an index below that, got {index}.")
    return index % n


def _of_slice(columns: slice, names: list[Any] | None, n: int) -> tuple[int, ...]:
    """Return the indices of a slice; of names, its end is included, as in pandas."""
    start, stop = columns.start, columns.stop
    if isinstance(start, str):
        start = _index_of(start, names, n)
    if isinstance(stop, str):
        stop = _index_of(stop, names, n) + 1
    return tuple(range(*slice(start, stop, columns.step).indices(n)))


def take_columns(X: Any, selection: Selection) -> Selected:
    """Return the columns of a selection."""
    names, columns = names_of(X), columns_of(X)
    chosen = [columns[j] for j in selection.indices]
    cells = [as_array(column) for column in chosen]
    return Selected(
        X,
        selection,
        cells,
        [str(j if names is None else names[j]) for j in selection.indices],
        [_holds_categories(column) for column in chosen],
    )


def _holds_categories(column: Any) -> bool:
    """Whether a column is one of categories, for pandas, polars or Arrow."""
    kind = str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    return kind.startswith(("category", "categorical", "enum", "dictionary"))
