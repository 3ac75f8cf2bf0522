"""Dates and durations as numbers: seconds, of dates since 1970 in UTC."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from skgru._cells import is_missing, to_numbers

SECOND = np.timedelta64(1, "s")


def holds_times(column):
    """Whether any element of an array is a date or a duration."""
    return column.dtype.kind in "mM" or (column.dtype == object and any(map(_is_time, column)))


def to_ticks(cells):
    """Return an array of dates or durations as np.timedelta64, any other as it is.

    Dates count from 1970; those without a time zone are UTC.
    """
    if cells.dtype == object and len(cells) and any(map(_is_time, cells)):
        cells = np.fromiter((None if _is_missing(cell) else cell for cell in cells), object)
        types = set(map(type, cells)) - {type(None)}
        if all(issubclass(kind, date | np.datetime64) for kind in types):
            if any(getattr(cell, "tzinfo", None) is not None for cell in cells):
                cells = np.fromiter(map(_to_naive, cells), dtype=object, count=len(cells))
            cells = cells.astype("datetime64[us]")
        elif all(issubclass(kind, timedelta | np.timedelta64) for kind in types):
            cells = cells.astype("timedelta64[us]")
    return cells - np.datetime64(0, "s") if cells.dtype.kind == "M" else cells


def in_seconds(ticks):
    """Return np.timedelta64 as float64 in seconds, NaN for NaT; any other array as it is."""
    return ticks / SECOND if ticks.dtype.kind == "m" else ticks


def _is_time(cell):
    return isinstance(cell, date | timedelta | np.datetime64 | np.timedelta64)


def _is_missing(cell):
    """Whether a cell is None, NaN, NaT or pandas' NA."""
    return type(cell).__name__ in ("NoneType", "NaTType", "NAType") or cell != cell


def _to_naive(time):
    """Return a datetime that has a time zone without it, in UTC."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        return time.astimezone(UTC).replace(tzinfo=None)
    return time


def relative_times(stamps, where):
    """Return time stamps as numbers whose differences are exact.

    Dates and durations become seconds since the first stamp of their row, and so do integers that a
    float64 cannot hold; any other number stays what it is.

    Parameters
    ----------
    stamps : ndarray of shape (n, T)
        A row for each sequence.
    where : str or callable
        What they are, for the errors; see `to_numbers`.

    Returns
    -------
    ndarray of shape (n, T)
        Missing stamps are NaN.
    """
    ticks = to_ticks(stamps.ravel()).reshape(stamps.shape)
    if ticks.dtype.kind == "m":
        return in_seconds(ticks - ticks[:, :1])
    numbers = to_numbers(stamps, where)
    with np.errstate(invalid="ignore"):
        is_exact = numbers.dtype.kind in "fb" and stamps.dtype != object
        if is_exact or not (np.abs(numbers.astype(np.float64)) >= 2**53).any():
            return numbers
    missing = np.array([is_missing(stamp) for stamp in stamps.flat]).reshape(stamps.shape)
    if missing[:, :1].any():
        return numbers  # what has no start is refused
    exact = np.where(missing, 0, stamps.astype(object))
    return np.where(missing, np.nan, (exact - exact[:, :1]).astype(np.float64))
