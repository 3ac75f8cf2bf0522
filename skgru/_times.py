"""Dates and durations as numbers: seconds, of dates since 1970 in UTC."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

SECOND = np.timedelta64(1, "s")


def holds_times(column):
    """Whether the first element of a column is a date or a duration."""
    return isinstance(next(iter(column), None), date | timedelta | np.datetime64 | np.timedelta64)


def to_ticks(cells):
    """Return an array of dates or durations as np.timedelta64, any other as it is.

    Dates count from 1970; those without a time zone are UTC.
    """
    if cells.dtype == object:
        types = set(map(type, cells)) - {type(None)}
        if types and all(issubclass(kind, date | np.datetime64) for kind in types):
            if any(getattr(cell, "tzinfo", None) is not None for cell in cells):
                cells = np.fromiter(map(_to_naive, cells), dtype=object, count=len(cells))
            cells = cells.astype("datetime64[us]")
        elif types and all(issubclass(kind, timedelta | np.timedelta64) for kind in types):
            cells = cells.astype("timedelta64[us]")
    return cells - np.datetime64(0, "s") if cells.dtype.kind == "M" else cells


def in_seconds(ticks):
    """Return np.timedelta64 as float64 in seconds, NaN for NaT; any other array as it is."""
    return ticks / SECOND if ticks.dtype.kind == "m" else ticks


def _to_naive(time):
    """Return a datetime that has a time zone without it, in UTC."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        return time.astimezone(UTC).replace(tzinfo=None)
    return time
