"""Columns of events, one row for each, as arrays: their cells, numbers and times."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from skgru._compat import is_array, is_list
from skgru._data.arrays import NameOf, as_array, describe, to_numbers
from skgru._data.times import in_seconds, to_ticks
from skgru._nn.batch import Array, Indices, Values


def columns_of_rows(X: Any) -> list[Values]:
    """Return the four columns of rows of sample, time, channel and value."""
    expected = (
        "Expected X to be a DataFrame, a dict or an array of shape (n_events, 4) with the columns "
        "sample, time, channel and value, got "
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
            if n_cells != 4:
                raise ValueError(f"{expected}{n_cells} cells in row {i}.")
        return [to_objects(column) for column in zip(*rows, strict=True)] or [to_objects([])] * 4
    X = as_array(X)
    if X.shape == (0,):
        X = X.reshape(0, 4)
    if X.ndim != 2 or X.shape[1] != 4:
        raise ValueError(f"{expected}shape {X.shape}.")
    if X.dtype.kind in "US":
        raise ValueError(
            f"Expected X to be an array of numbers or objects, got dtype {X.dtype}, in which "
            "times and values are strings too. Make it with dtype=object."
        )
    return [to_column(column, "X") for column in X.T]


def to_column(cells: Any, name: str) -> Values:
    """Return cells as a one-dimensional array."""
    if not is_array(cells):
        if not is_list(type(cells)):
            raise ValueError(f"Expected an array or a list as {name}, got {describe(cells)}.")
        # As an array, strings would swallow the numbers beside them, and tuples become rows.
        return to_objects(cells)
    if getattr(getattr(cells, "dt", None), "tz", None) is not None:
        cells = cells.dt.tz_convert(None)  # pandas makes an object of each time with a zone
    try:
        column = as_array(cells)
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


def parse_values(cells: Values, rows: Indices, name: Any) -> Array:
    """Return values as float64, missing ones as NaN."""
    try:
        return to_numbers(cells, _rows_named(rows)).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected a number (one-hot encode a categorical channel into channels of its own) in "
            f"column {name!r}: {error}"
        ) from error


def _rows_named(rows: Indices) -> NameOf:
    """Return a function that names the row of the cell at an index."""
    return lambda index: f"row {rows[index[0]]}" if len(rows) else "its cells"


def parse_times(cells: Values, rows: Indices, name: Any) -> Values:
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
                    f"Expected times that are exact in column {name!r}, got {cells[i]} in row "
                    f"{rows[i]}: beyond 2**53, whole numbers stand neither beside fractions nor "
                    "beyond 64 bits."
                )
    return ticks


def check_finite(numbers: Values, cells: Values, rows: Indices, name: Any) -> None:
    """Raise at the first of the numbers, made of cells, that is not finite."""
    finite = np.isfinite(numbers)
    if not finite.all():
        i = np.argmin(finite)
        raise ValueError(
            f"Expected finite numbers in column {name!r}, got {cells[i]} in row {rows[i]}."
        )
