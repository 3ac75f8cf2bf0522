"""Events in the forms that users have them: one table, or a table for each sample.

A table for each sample stands in the cells of a column, so that its rows are samples. Here the
tables become one, and the types of its columns are decided then, not cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from skgru._compat import columns_of, fields_of, is_array, names_of
from skgru._data.arrays import as_array, check_not_deferred, is_missing
from skgru._data.columns import columns_of_rows, concatenate, to_column, to_objects
from skgru._data.forms import is_frame, is_sequence
from skgru._nn.batch import Indices, Values

_STEPS = "A table with a row per step, and a column for each channel, is for make_sequences."
_NAMES = ("sample", "time", "channel", "value")


def columns_of_events(X: Any, names: Sequence[Any], what: str = "X") -> list[Values]:
    """Return the columns of one table of events, as arrays of one length.

    Parameters
    ----------
    X : DataFrame, dict of arrays, or array-like of shape (n_events, n_columns)
    names : list
        Of the columns of sample (or without it), time, channel and value.
    what : str
        X in errors.

    Raises
    ------
    ValueError
        If it has not these columns, or they are no columns.
    """
    found = names_of(X)
    roles = _NAMES[-len(names) :]
    if found is None:
        return columns_of_rows(X, roles, what)
    if not set(names) <= set(found):
        index = [name for name in getattr(getattr(X, "index", None), "names", []) if name]
        call = "X.reset_index()" if what == "X" else "reset_index()"
        raise ValueError(
            f"Expected {what} to have the columns {names}, got {found}. The parameters "
            f"{', '.join(roles[:-1])} and {roles[-1]} name the columns."
            + f" Its index, {index}, becomes columns by {call}." * bool(index)
            + f" {_STEPS}" * (what == "X")
        )
    columns = [to_column(X[name], f"column {name!r}") for name in names]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"Expected columns of one length in {what}, got lengths {lengths}.")
    return columns


# --- A cell for each sample ----------------------------------------------------------------------


def cells_of(X: Any, names: Sequence[Any]) -> list[Any] | None:
    """Return the cells of X if each holds the events of a sample, None if it is one table.

    The first cell decides that is neither missing nor empty: it is a table, or its first two
    elements are rows. If there is none, no sample has events.

    Parameters
    ----------
    X : any
    names : list
        Of the columns of sample, time, channel and value.
    """
    cells = _list_of_cells(X)
    if not cells:
        return None
    for cell in cells:
        holds_events = _holds_events(cell)
        if holds_events is not None:
            return cells if holds_events else None
    found = names_of(X)
    is_column_of_events = found is not None and found[0] in names
    return None if is_column_of_events else cells


def _list_of_cells(X: Any) -> list[Any] | None:
    """Return the cells of a column as a list, None if X is no column."""
    if isinstance(X, list | tuple):
        return list(X)
    found = names_of(X)
    if found is not None:
        is_column = len(found) == 1 and not isinstance(X, Mapping | np.ndarray)
        return _list_of_cells(columns_of(X)[0]) if is_column else None
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    if not is_array(X) or len(getattr(X, "shape", (0,))) != 1:
        return None
    if isinstance(X, np.ndarray):
        return list(as_array(X)) if X.dtype.kind in "Of" else None
    fields = fields_of(X)
    if fields is not None:
        names, rows = list(fields.columns), zip(*columns_of(fields), strict=True)
        return [
            None if is_null else dict(zip(names, row, strict=True))
            for is_null, row in zip(X.is_null(), rows, strict=True)
        ]
    cells: list[Any] = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    return cells


def _holds_events(cell: Any) -> bool | None:
    """Whether an element of X is a table or rows of events; None if it is missing or empty."""
    if is_missing(cell):
        return None
    if isinstance(cell, Mapping):
        return any(map(is_sequence, cell.values())) if cell else None
    if is_frame(cell) or (isinstance(cell, np.ndarray) and cell.dtype.names):
        return True
    if not is_sequence(cell) or not hasattr(cell, "__len__"):
        return False
    # An event of one table is a row itself: its second element, the time, has none.
    return all(map(_is_row, islice(cell, 2))) if len(cell) else None


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) or is_sequence(row)


def join_cells(cells: Sequence[Any], names: Sequence[Any]) -> tuple[Indices, list[Values]]:
    """Return how many events each sample has, and the columns of all events.

    Parameters
    ----------
    cells : list
    names : list
        Of the columns of time, channel and value.

    Raises
    ------
    ValueError
        At the first cell that holds no events: its sample is named.
    """
    lengths = np.zeros(len(cells), np.intp)
    tables = []
    for i, cell in enumerate(cells):
        try:
            columns = _open_cell(cell, names)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Sample {i}: {error}") from error
        if columns and len(columns[0]):
            lengths[i] = len(columns[0])
            tables.append(columns)
    if not tables:
        return lengths, [to_objects([])] * len(names)
    return lengths, [concatenate(columns) for columns in zip(*tables, strict=True)]


def _open_cell(cell: Any, names: Sequence[Any]) -> list[Values]:
    """Return the columns of the events of a sample, none if it has no events."""
    if is_missing(cell):
        return []
    what = "the events"
    check_not_deferred(cell, "its events")
    fields = fields_of(cell)
    if fields is not None:
        cell = fields
    if is_frame(cell) or isinstance(cell, Mapping):
        is_empty = not cell if isinstance(cell, Mapping) else cell.shape == (0, 0)
        return [] if is_empty else columns_of_events(cell, names, what)
    if is_array(cell):
        cell = as_array(cell)
        if cell.ndim == 1 and cell.dtype == object:
            cell = cell.tolist()
    if isinstance(cell, list | tuple) and any(isinstance(row, Mapping) for row in cell):
        return _columns_of_mappings(cell, names)
    if is_sequence(cell) and hasattr(cell, "__len__") and not len(cell):
        return []
    return columns_of_events(cell, names, what)


def _columns_of_mappings(rows: Sequence[Any], names: Sequence[Any]) -> list[Values]:
    """Return the columns of events that are a dict each."""
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping) or not set(names) <= set(row):
            got = list(row) if isinstance(row, Mapping) else repr(row)
            raise ValueError(f"Expected a dict with {names} for each event, got {got} in row {i}.")
    return [to_objects(row[name] for row in rows) for name in names]
