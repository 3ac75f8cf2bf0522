"""Dates and durations as numbers: seconds, of dates since 1970 in UTC."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Integral

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
        cells = np.fromiter((None if is_missing(cell) else cell for cell in cells), object)
        types = set(map(type, cells)) - {type(None)}
        if all(issubclass(kind, date | np.datetime64) for kind in types):
            if any(getattr(cell, "tzinfo", None) is not None for cell in cells):
                cells = np.fromiter(map(_to_naive, cells), dtype=object, count=len(cells))
            cells = _of_finest_unit(cells, np.datetime64)
        elif all(issubclass(kind, timedelta | np.timedelta64) for kind in types):
            cells = _of_finest_unit(cells, np.timedelta64)
    return cells - np.datetime64(0, "s") if cells.dtype.kind == "M" else cells


def in_seconds(ticks):
    """Return np.timedelta64 as float64 in seconds, NaN for NaT; any other array as it is."""
    return ticks / SECOND if ticks.dtype.kind == "m" else ticks


def _of_finest_unit(cells, kind):
    """Return objects as np.datetime64 or np.timedelta64, which Python's have microseconds of."""
    coarse = cells.astype(f"{kind.__name__}[us]")
    fine = np.array([kind("NaT") if cell is None else _to_numpy(cell, kind) for cell in cells])
    # A unit that one of them needs may be too fine for the range of another.
    is_right = (fine.astype(coarse.dtype) == coarse) | np.isnat(coarse)
    return fine if is_right.all() else coarse


def _to_numpy(cell, kind):
    if hasattr(cell, "asm8"):  # pandas' has nanoseconds
        return cell.asm8
    return kind(cell)


def _is_time(cell):
    return isinstance(cell, date | timedelta | np.datetime64 | np.timedelta64)


def _to_naive(time):
    """Return a datetime that has a time zone without it, in UTC."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        return time.astimezone(UTC).replace(tzinfo=None)
    return time


def relative_times(stamps, where):
    """Return time stamps as numbers whose differences are exact.

    Dates and durations become seconds since the first stamp of their row; integers that a float64
    cannot hold, decimals and fractions count from there too. Any other number stays what it is.

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
        starts = ticks[:, :1]  # a sequence without one is refused where it has other steps
        return in_seconds(ticks - np.where(np.isnat(starts), starts.dtype.type(0, "s"), starts))
    numbers = to_numbers(stamps, where)
    with np.errstate(invalid="ignore"):
        sizes = np.abs(numbers.astype(np.float64))
        is_exact = numbers.dtype.kind in "fb" and stamps.dtype != object
        kinds = set(map(type, stamps.flat)) if stamps.dtype == object else ()
        is_finer = any(issubclass(kind, Decimal | Fraction) for kind in kinds)
        if is_exact or np.isinf(sizes).any() or not (is_finer or (sizes >= 2**53).any()):
            return numbers
    missing = np.array([is_missing(stamp) for stamp in stamps.flat]).reshape(stamps.shape)
    exact = [0 if is_missing(stamp) else _exact(stamp) for stamp in stamps.astype(object).flat]
    exact = np.array(exact, object).reshape(stamps.shape)
    return np.where(missing, np.nan, (exact - exact[:, :1]).astype(np.float64))


def _exact(number):
    """Return a number as one of Python that can be subtracted from any other without rounding."""
    if isinstance(number, Integral | np.bool_):
        return int(number)
    return Fraction(*number.as_integer_ratio())
