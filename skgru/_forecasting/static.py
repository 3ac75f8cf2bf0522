"""Static columns: what is known once of each series, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from skgru._compat import columns_of, names_of
from skgru._data.arrays import as_array, describe, is_missing
from skgru._data.forms import is_frame
from skgru._data.plain import of_plain, to_plain
from skgru._data.times import is_time
from skgru._forecasting.window import Array


class StaticColumns:
    """A table with a row for each series, as numbers: categories become columns of 0 and 1.

    A missing category, and one that `fit` has not seen, is none of them.

    Parameters
    ----------
    series : hashable or None
        The column of the table that says which series a row is of; None = the index of pandas, or
        the order of the rows.
    """

    def __init__(self, series: Any) -> None:
        self.series = series

    def fit(self, table: Any, keys: Sequence[Any]) -> StaticColumns:
        """Learn the columns and their categories from the rows of the series."""
        columns, rows = self.open(table, keys)
        self.names_ = list(columns)
        self.categories_ = {
            name: _categories(cells[rows])
            for name, cells in columns.items()
            if not _are_numbers(name, cells)
        }
        return self

    def transform(self, table: Any, keys: Sequence[Any]) -> Array:
        """Return the numbers of the series, (n_series, n_features); NaN where missing."""
        columns, rows = self.open(table, keys)
        if list(columns) != self.names_:
            raise ValueError(
                f"Expected the columns {self.names_} of static, as in fit, got {list(columns)}."
            )
        parts: list[Array] = []
        for name, cells in columns.items():
            found = cells[rows]
            is_category = name in self.categories_
            if _are_numbers(name, cells) == is_category:
                kinds = "categories", "numbers"
                raise ValueError(
                    f"Expected {kinds[not is_category]} in column {name!r} of static, as in fit, "
                    f"got {kinds[is_category]}."
                )
            if is_category:
                parts += [
                    np.array([not is_missing(cell) and cell == category for cell in found], float)[
                        :, np.newaxis
                    ]
                    for category in self.categories_[name]
                ]
            else:
                parts.append(found.astype(float)[:, np.newaxis])
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(rows), 0))

    @property
    def state(self) -> dict[str, Any]:
        """What was learned as plain values."""
        return {name: to_plain(value) for name, value in vars(self).items()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> StaticColumns:
        """Return the columns of a `state`."""
        values = {name: of_plain(value) for name, value in state.items()}
        columns = cls(values.pop("series"))
        vars(columns).update(values)
        return columns

    def open(self, table: Any, keys: Sequence[Any]) -> tuple[dict[Any, Any], list[int]]:
        """Return the columns as arrays, and the row of each series."""
        names = names_of(table)
        if not is_frame(table) and names is None:
            array = as_array(table)
            if array.ndim != 2:
                raise ValueError(
                    f"Expected static as a table with a row for each series, got {describe(table)}."
                )
            names, cells = list(range(array.shape[1])), list(map(_numbers_or_cells, array.T))
        else:
            cells = [_numbers_or_cells(as_array(column)) for column in columns_of(table)]
        columns = dict(zip(names or [], cells, strict=True))
        labels = None
        if self.series is not None and self.series in columns:
            labels = list(columns.pop(self.series))
        elif keys[0] is not None and _has_index(table, keys):
            labels = list(table.index)
        n_rows = len(next(iter(columns.values()))) if columns else 0
        if labels is None or keys[0] is None:
            if n_rows != len(keys):
                raise ValueError(
                    f"Expected a row of static for each of the {len(keys)} series, got {n_rows}."
                )
            return columns, list(range(n_rows))
        place = {label: row for row, label in enumerate(labels)}
        absent = [key for key in keys if key not in place]
        if absent or len(place) < len(labels):
            what = f"none of {absent[0]!r}" if absent else "several rows of one series"
            raise ValueError(f"Expected one row of static for each series, got {what}.")
        return columns, [place[key] for key in keys]


def _has_index(table: Any, keys: Sequence[Any]) -> bool:
    """Whether a table of pandas has labels: others than the numbers of rows, or these as keys."""
    if not hasattr(table, "iloc"):
        return False
    return type(table.index).__name__ != "RangeIndex" or all(key in table.index for key in keys)


def _numbers_or_cells(cells: Any) -> Any:
    """Return cells of objects that are all numbers, or missing, as floats."""
    if cells.dtype != object:
        return cells
    if all(is_missing(cell) or isinstance(cell, Number) for cell in cells):
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    return cells


def _are_numbers(name: Any, cells: Any) -> bool:
    """Whether a column holds numbers, else categories."""
    kind = cells.dtype.kind
    if kind in "mMc" or any(map(is_time, _types(cells))):
        what = "complex numbers" if kind == "c" else "dates or durations"
        raise ValueError(
            f"Expected numbers or categories in column {name!r} of static, got {what}: "
            "encode them as numbers, or drop the column."
        )
    if kind == "f" and np.isinf(cells).any():
        raise ValueError(f"Expected finite or missing numbers in column {name!r} of static.")
    return kind in "biuf"


def _types(cells: Any) -> set[type]:
    """Return the types of the objects that are not missing."""
    return (
        {type(cell) for cell in cells if not is_missing(cell)} if cells.dtype == object else set()
    )


def _categories(cells: Any) -> list[Any]:
    return list(dict.fromkeys(cell for cell in cells if not is_missing(cell)))
