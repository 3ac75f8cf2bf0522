"""Lags of series: columns known by their names, and tables that are known by their rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# lag_1, lag1, y_lag_1, temp_lag1, y_target_lag-1: of skforecast, mlforecast, sktime and darts.
_LAST = re.compile(r"(?:(?P<series>.+)_)?lag[ _-]?(?P<lag>\d+)", re.IGNORECASE)
# lag_0__y, and lag_1__lag_0__y where one was lagged again: of sktime.
_FIRST = re.compile(r"lag_(?P<lag>\d+)__(?P<series>.+)", re.IGNORECASE)

# How many rows show that a table is one of lags; fewer might be so by chance.
_FEWEST_ROWS, _MOST_ROWS = 20, 200


class Lag(NamedTuple):
    """A series and how many steps it is lagged."""

    series: str
    lag: int


def lag_of(name: Any) -> Lag | None:
    """Return what a column of that name is the lag of, None if it is none."""
    if not isinstance(name, str):
        return None
    if match := _FIRST.fullmatch(name):
        inner = lag_of(match["series"]) or Lag(match["series"], 0)
        return Lag(inner.series, inner.lag + int(match["lag"]))
    if match := _LAST.fullmatch(name):
        return Lag(match["series"] or "", int(match["lag"]))
    return None


def longest_run(lags: Iterable[int]) -> list[int]:
    """Return the longest evenly spaced run of lags, in rising order.

    Of two that are as long it is the one with the smaller spacing, and then with the smaller lags.
    """
    ordered = sorted(set(lags))
    best, start = ordered[:1], 0
    for i in range(1, len(ordered)):
        spacing = ordered[i] - ordered[i - 1]
        if i - start > 1 and spacing != ordered[i - 1] - ordered[i - 2]:
            start = i - 1
        run = ordered[start : i + 1]
        if len(run) > len(best) or (len(run) == len(best) and spacing < best[1] - best[0]):
            best = run
    return best


def fault_of_names(names: Sequence[Any], n_features: int) -> str | None:
    """Return what is wrong with reading columns as steps by their names, None if nothing is.

    Parameters
    ----------
    names : list
        Of the columns, as many as steps times features.
    n_features : int
        Of each step.
    """
    lags = [lag_of(name) for name in names]
    if sum(lag is not None for lag in lags) < 2:
        return None
    others = [name for name, lag in zip(names, lags, strict=True) if lag is None]
    if others:
        return f"the columns {_some(others)} beside the lags are read as further steps"
    known = [lag for lag in lags if lag is not None]
    of_steps = [known[i : i + n_features] for i in range(0, len(known), n_features)]
    if any(len({lag for _, lag in step}) > 1 for step in of_steps) or any(
        [series for series, _ in step] != [series for series, _ in of_steps[0]] for step in of_steps
    ):
        return f"lags of several series, {_some(names)}, are read as if they were of one"
    distances = [step[0].lag for step in of_steps]
    if distances != sorted(distances, reverse=True):
        return f"{_some(names)} are read in this order, as if the first was the oldest"
    return None


def fault_of_rows(
    cells: NDArray[Any] | Sequence[NDArray[Any]], names: Sequence[Any] | None, y: NDArray[Any]
) -> str | None:
    """Return what is wrong with reading columns as steps by the rows, None if nothing is.

    In a table of lags of one series, in order of time, each column holds what the one beside it
    held a row earlier: the one before it, if the newest lag comes first. The targets are what the
    newest lag holds some rows later.

    Parameters
    ----------
    cells : ndarray of shape (n, n_columns), or list of columns (n,)
        Of one feature per step.
    names : list or None
        Of the columns.
    y : ndarray of shape (n,)
        The targets.
    """
    columns = [cells] if isinstance(cells, np.ndarray) else cells
    if any(column.dtype.kind not in "fiu" for column in (*columns, y)):
        return None
    rows = np.column_stack([column[:_MOST_ROWS] for column in columns])
    n, n_columns = rows.shape
    if n < _FEWEST_ROWS or n_columns < 3:
        return None
    said = range(n_columns) if names is None else names
    newest_first = _are_equal(rows[1:, 1:], rows[:-1, :-1])
    oldest_first = _are_equal(rows[1:, :-1], rows[:-1, 1:])
    first, length = _longest(newest_first & ~oldest_first)
    if length >= 2 and _comes_later(y, rows[:, first]):
        return (
            f"columns {said[first]} to {said[first + length]} hold lags, the newest first, as the "
            "rows show (each holds what the one before it held a row earlier), and are read as if "
            "the first was the oldest"
        )
    first, length = _longest(oldest_first & ~newest_first)
    if 2 <= length < n_columns - 1 and _comes_later(y, rows[:, first + length]):
        return (
            f"columns {said[first]} to {said[first + length]} hold the lags of a series, as the "
            "rows show (each holds what the one after it held a row earlier), and the others are "
            "read as further steps"
        )
    return None


def _comes_later(y: NDArray[Any], column: NDArray[Any]) -> bool:
    """Whether a column holds y, all of it the same number of rows later."""
    starts = np.flatnonzero(column == y[0])
    return any(
        np.array_equal(column[start:], y[: len(column) - start])
        for start in starts[starts <= len(column) - _FEWEST_ROWS // 2]
    )


def _are_equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which columns of two tables are equal in all rows; NaN equals NaN."""
    equal: NDArray[np.bool_] = ((a == b) | ((a != a) & (b != b))).all(axis=0)
    return equal


def _longest(holds: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the start and the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, holds.astype(np.int8), 0]))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if not len(starts):
        return 0, 0
    i = int(np.argmax(lengths))
    return int(starts[i]), int(lengths[i])


def _some(names: Sequence[Any]) -> str:
    """Return names for an error, the first and the last of many."""
    said = [repr(name) for name in names]
    return ", ".join(said if len(said) <= 5 else [*said[:3], "...", said[-1]])
