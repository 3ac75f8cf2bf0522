"""Columns of events, one row for each, as arrays: their cells, numbers and times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from skgru._compat import as_plain, is_array, is_list
from skgru._data.arrays import NameOf, as_array, describe, to_numbers
from skgru._data.times import cast, finest_unit_of, in_seconds, to_ticks
from skgru._nn.batch import Array, Indices, Values


@dataclass(frozen=True)
class Rows:
    """Some rows of events, and their names in errors.

    Parameters
    ----------
    numbers : ndarray of int
        Where they stand among all events.
    starts : ndarray of int or None, default=None
        If each sample has a table of events of its own: the number of its first event.
    """

    numbers: Indices
    starts: Indices | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, chosen: Any) -> Rows:
        return replace(self, numbers=self.numbers[chosen])

    def name(self, i: Any) -> str:
        """Return where row i stands in X."""
        row = self.numbers[i]
        if self.starts is None:
            return f"row {row}"
        sample = np.searchsorted(self.starts, row, side="right") - 1
        return f"row {row - self.starts[sample]} of sample {sample}"


def columns_of_rows(X: Any, names: Sequence[str], what: str = "X") -> list[Values]:
    """Return the columns of rows of sample, time, channel and value, or of some of these.

    Parameters
    ----------
    X : array-like of shape (n_events, n_columns)
    names : list of str
        The columns, in errors.
    what : str
        X in errors.
    """
    n_columns = len(names)
    expected = (
        f"Expected {what} to be a DataFrame, a dict or an array of shape (n_events, {n_columns}) "
        f"with the columns {', '.join(names[:-1])} and {names[-1]}, got "
    )
    if not is_array(X):
        if not is_list(type(X)):
            raise ValueError(f"{expected}{describe(X)}.")
        rows = list(X)
        if not all(map(is_list, set(map(type, rows)))):
            i = next(i for i, row in enumerate(rows) if not is_list(type(row)))
            raise ValueError(f"{expected}{describe(rows[i])} as row {i}.")
        rows = list(map(tuple, rows))
        for i, n_cells in enumerate(map(len, rows)):
            if n_cells != n_columns:
                raise ValueError(f"{expected}{n_cells} cells in row {i}.")
        columns = [to_objects(column) for column in zip(*rows, strict=True)]
        return columns or [to_objects([])] * n_columns
    X = as_array(X)
    if X.shape == (0,):
        X = X.reshape(0, n_columns)
    if X.ndim != 2 or X.shape[1] != n_columns:
        raise ValueError(f"{expected}shape {X.shape}.")
    if X.dtype.kind in "US":
        raise ValueError(
            f"Expected {what} to be an array of numbers or objects, got dtype {X.dtype}, in which "
            "times and values are strings too. Make it with dtype=object."
        )
    return [to_column(column, what) for column in X.T]


def to_column(cells: Any, name: str) -> Values:
    """Return cells as a one-dimensional array."""
    if not is_array(cells):
        if not is_list(type(cells)):
            raise ValueError(f"Expected an array or a list as {name}, got {describe(cells)}.")
        # As an array, strings would swallow the numbers beside them, and tuples become rows.
        return to_objects(cells)
    try:
        column = as_array(as_plain(cells))
    except TypeError as error:
        raise ValueError(f"Expected an array or a list as {name}: {error}") from error
    if column.ndim != 1:
        raise ValueError(f"Expected one-dimensional columns in X, got shape {column.shape}.")
    return column if column.dtype.kind in "biufcmM" else to_objects(column.tolist())


def to_objects(cells: Iterable[Any]) -> Values:
    """Return cells as an array of objects; masked ones are None."""
    cells = list(cells)
    if type(np.ma.masked) in set(map(type, cells)):
        cells = [None if cell is np.ma.masked else cell for cell in cells]
    return np.fromiter(cells, object, len(cells))


def concatenate(columns: Sequence[Values]) -> Values:
    """Return columns as one, in which every cell is what it was."""
    dtypes = {column.dtype for column in columns}
    kinds = {dtype.kind for dtype in dtypes}
    if len(dtypes) == 1 or kinds in ({"f"}, {"U"}, {"S"}):
        return np.concatenate(columns)
    if kinds <= {"i", "u"} and np.result_type(*dtypes).kind in "iu":
        return np.concatenate(columns)
    if kinds in ({"M"}, {"m"}):
        try:
            unit = finest_unit_of(*(np.empty(0, dtype) for dtype in dtypes))
            return np.concatenate([cast(column, unit) for column in columns])
        except ValueError:  # 64 bits hold them in no unit, or they have none: for others to say
            pass
    # Neither integers beside fractions nor dates beside those of Python have a type in common.
    objects = [list(c) if c.dtype.kind in "mM" else c.tolist() for c in columns]
    return to_objects(cell for cells in objects for cell in cells)


def parse_values(cells: Values, rows: Rows, name: Any) -> Array:
    """Return values as float64, missing ones as NaN."""
    try:
        return to_numbers(cells, _rows_named(rows)).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected a number (one-hot encode a categorical channel into channels of its own) in "
            f"column {name!r}: {error}"
        ) from error


def _rows_named(rows: Rows) -> NameOf:
    """Return a function that names the row of the cell at an index."""
    return lambda index: rows.name(index[0]) if len(rows) else "its cells"


def parse_times(cells: Values, rows: Rows, name: Any) -> Values:
    """Return times as timedelta64 since the epoch, as float64 or as integers, exactly."""
    try:
        ticks = to_ticks(cells)
        if ticks.dtype.kind != "m":
            ticks = to_numbers(cells, _rows_named(rows))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected a number, a datetime or a duration in column {name!r} (pandas.to_datetime "
            f"makes datetimes of text): {error}"
        ) from error
    check_finite(in_seconds(ticks), cells, rows, name)
    if ticks.dtype.kind in "bf":
        ticks = ticks.astype(np.float64)
    if cells.dtype == object and ticks.dtype.kind == "f":
        for i in np.flatnonzero(np.abs(ticks) >= 2**53):
            if isinstance(cells[i], Integral) and int(ticks[i]) != cells[i]:
                raise ValueError(
                    f"Expected times that are exact in column {name!r}, got {cells[i]} in "
                    f"{rows.name(i)}: beyond 2**53, whole numbers stand neither beside fractions "
                    "nor beyond 64 bits."
                )
    return ticks


def check_finite(numbers: Values, cells: Values, rows: Rows, name: Any) -> None:
    """Raise at the first of the numbers, made of cells, that is not finite."""
    finite = np.isfinite(numbers)
    if not finite.all():
        i = np.argmin(finite)
        raise ValueError(
            f"Expected finite numbers in column {name!r}, got {cells[i]} in {rows.name(i)}."
        )
