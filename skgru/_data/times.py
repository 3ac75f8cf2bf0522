"""Dates and durations as numbers: seconds, of dates since 1970 in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import Where, is_missing, to_numbers

# From the coarsest on.
_UNITS = ("s", "ms", "us", "ns", "ps", "fs", "as")


def holds_times(column: NDArray[Any]) -> bool:
    """Whether any element of an array is a date or a duration."""
    if column.dtype != object:
        return column.dtype.kind in "mM"
    return any(map(is_time, set(map(type, column.flat))))


def is_time(kind: type) -> bool:
    """Whether a type is one of dates or durations."""
    return issubclass(kind, date | timedelta | np.datetime64 | np.timedelta64)


def has_zone(column: Any) -> bool | None:
    """Return whether the dates of a column have a time zone, None for anything but dates.

    Parameters
    ----------
    column : array-like
        Of NumPy, pandas, polars, Arrow or Python; the first cell that is not missing says so where
        the column has no type.
    """
    kind = getattr(column, "dtype", getattr(column, "type", None))
    kind = getattr(kind, "pyarrow_dtype", kind)
    if kind is not None and str(kind) != "object":
        is_date = str(kind).lower().startswith(("datetime", "date", "timestamp"))
        zone = getattr(kind, "tz", None) or getattr(kind, "time_zone", None)
        return zone is not None if is_date else None
    first = next((cell for cell in column if not is_missing(cell)), None)
    is_date = isinstance(first, date | np.datetime64)
    return getattr(first, "tzinfo", None) is not None if is_date else None


def to_times(cells: NDArray[Any]) -> NDArray[Any]:
    """Return an array of dates as np.datetime64, one of durations as np.timedelta64, exactly.

    Dates are in UTC; those without a time zone count as such. Missing cells are NaT. The unit is
    s, ms, us or finer: of an array of objects the coarsest that has the digits of all.

    Parameters
    ----------
    cells : ndarray

    Returns
    -------
    ndarray
        An array of anything else, or of dates beside durations or numbers, is returned as it is.

    Raises
    ------
    ValueError
        If no unit of 64 bits holds all cells, or a duration has no fixed length.
    """
    if cells.dtype.kind in "mM":
        return cast(cells, _unit_of(cells))
    if not holds_times(cells):
        return cells
    if set(map(type, cells.flat)) <= {date, datetime, type(None)} and all(
        getattr(cell, "tzinfo", None) is None for cell in cells.flat
    ):
        return cells.astype("M8[us]")  # the same as below, several times faster
    missing = np.fromiter(map(is_missing, cells.flat), bool, cells.size)
    present = [_to_numpy(cell) for cell in cells.flat[~missing]]
    dtypes = np.array([getattr(cell, "dtype", object) for cell in present], object)
    kinds = {np.dtype(dtype).kind for dtype in set(dtypes)}
    if not kinds <= {"M"} and not kinds <= {"m"}:
        return cells
    parts = {
        dtype: _in_coarsest_unit(np.array(_chosen(present, dtypes == dtype), dtype))
        for dtype in set(dtypes)
    }
    unit = finest_unit_of(*parts.values()) if parts else "s"
    times = np.full(cells.size, "NaT", f"{''.join(kinds) or 'M'}8[{unit}]")
    for dtype, part in parts.items():
        times[np.flatnonzero(~missing)[dtypes == dtype]] = cast(part, unit)
    return times.reshape(cells.shape)


def to_ticks(cells: NDArray[Any]) -> NDArray[Any]:
    """Return an array of dates or durations as np.timedelta64, exactly; any other as it is.

    Dates count from 1970. See `to_times`.
    """
    times = to_times(cells)
    return times.view(f"m8[{_unit_of(times)}]") if times.dtype.kind == "M" else times


def in_seconds(ticks: NDArray[Any]) -> NDArray[Any]:
    """Return np.timedelta64 as float64 in seconds, NaN for NaT; any other array as it is."""
    if ticks.dtype.kind != "m":
        return ticks
    unit = _unit_of(ticks)
    seconds = cast(ticks, unit).view(np.int64) / 1000 ** _UNITS.index(unit)
    return np.where(np.isnat(ticks), np.nan, seconds)


def to_keys(times: NDArray[Any]) -> list[Any]:
    """Return an array of dates or durations as a list of keys that hash the same in any unit.

    A key is a datetime or timedelta of Python, a np.datetime64 or np.timedelta64 where those have
    too few digits or years, and None for NaT.
    """
    rough = _in_unit(times, "us")
    is_held = _is_same(rough, times)
    keys: list[Any] = rough.tolist()
    for i, key in enumerate(keys):
        if key is not None and (isinstance(key, int) or not is_held[i]):
            keys[i] = _in_coarsest_unit(times[[i]])[0]
    return keys


def finest_unit_of(*arrays: NDArray[Any]) -> str:
    """Return the unit that has the digits of all arrays of dates or durations."""
    return max(map(_unit_of, arrays), key=_UNITS.index)


def cast(times: NDArray[Any], unit: str) -> NDArray[Any]:
    """Return an array of dates or durations in another unit, exactly.

    Raises
    ------
    ValueError
        If that unit has too few digits, or 64 bits are too few, which NumPy does not notice.
    """
    others = _in_unit(times, unit)
    is_lost = ~(_is_same(others, times) | np.isnat(times))
    if is_lost.any():
        raise ValueError(
            f"Expected dates or durations that 64 bits hold as whole numbers of the unit {unit!r}, "
            f"got {times[is_lost][0]}."
        )
    return others


def relative_times(stamps: NDArray[Any], where: Where) -> NDArray[Any]:
    """Return time stamps as numbers whose differences are exact.

    Dates and durations become seconds since the first stamp of their row; integers that a float64
    cannot hold, decimals and fractions count from there too. Any other number stays as it is.

    Parameters
    ----------
    stamps : ndarray of shape (n, T)
        A row for each sequence.
    where : str or callable
        Their name in the errors; see `to_numbers`.

    Returns
    -------
    ndarray of shape (n, T)
        Missing stamps are NaN.
    """
    ticks = to_ticks(stamps.ravel()).reshape(stamps.shape)
    if ticks.dtype.kind == "m":
        starts = ticks[:, :1]  # a sequence without one is refused where it has other steps
        starts = np.where(np.isnat(starts), starts.dtype.type(0, "s"), starts)
        exact = in_seconds(ticks - starts)
        rounded = in_seconds(ticks) - in_seconds(starts)
        return np.where(exact * rounded < 0, rounded, exact)  # 64 bits may not hold the difference
    numbers = to_numbers(stamps, where)
    with np.errstate(invalid="ignore"):
        sizes = np.abs(numbers.astype(np.float64))
        is_exact = numbers.dtype.kind in "fb" and stamps.dtype != object
        kinds = set(map(type, stamps.flat)) if stamps.dtype == object else ()
        is_finer = any(issubclass(kind, Decimal | Fraction) for kind in kinds)
        if is_exact or np.isinf(sizes).any() or not (is_finer or (sizes >= 2**53).any()):
            return numbers
    missing = np.array([is_missing(stamp) for stamp in stamps.flat]).reshape(stamps.shape)
    cells = [0 if is_missing(stamp) else _exact(stamp) for stamp in stamps.astype(object).flat]
    exact = np.array(cells, object).reshape(stamps.shape)
    return np.where(missing, np.nan, (exact - exact[:, :1]).astype(np.float64))


def _exact(number: Any) -> int | Fraction:
    """Return a number as one of Python that can be subtracted from any other without rounding."""
    if isinstance(number, Integral | np.bool_):
        return int(number)
    return Fraction(*number.as_integer_ratio())


def _in_coarsest_unit(times: NDArray[Any]) -> NDArray[Any]:
    """Return an array of dates or durations in the coarsest of the units that has its digits."""
    _unit_of(times)  # that of months has none
    units = (_in_unit(times, unit) for unit in _UNITS)
    return next(others for others in units if _is_same(others, times).all())


def _unit_of(times: NDArray[Any]) -> str:
    """Return the coarsest of the units of which that of an array is a whole number."""
    unit = np.datetime_data(times.dtype)[0]
    is_fixed = unit in ("W", "D", "h", "m", *_UNITS) or times.dtype.kind == "M"
    if not (is_fixed or np.isnat(times).all()):
        raise ValueError(
            f"Expected durations of a fixed length, got {times[~np.isnat(times)][0]!r}: give days "
            "or seconds."
        )
    return unit if unit in _UNITS else "s"


def _in_unit(times: NDArray[Any], unit: str) -> NDArray[Any]:
    """Return dates or durations in another unit, where they may have lost digits or wrapped."""
    kind = times.dtype.kind
    try:
        return times.astype(f"{kind}8[{unit}]", copy=False)
    except OverflowError:  # seconds and "as" are too far apart for NumPy
        return times.astype(f"{kind}8[us]").astype(f"{kind}8[{unit}]")


def _is_same(others: NDArray[Any], times: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether others, the times in another unit, are the same."""
    same: NDArray[np.bool_]
    try:
        same = others.astype(times.dtype, copy=False) == times
    except OverflowError:
        same = others.astype(f"{times.dtype.kind}8[us]").astype(times.dtype) == times
    return same


def _to_numpy(cell: Any) -> Any:
    """Return a date or a duration as NumPy's, anything else as it is."""
    if hasattr(cell, "to_datetime64"):  # of pandas, maybe with nanoseconds
        return cell.to_datetime64()
    if hasattr(cell, "to_timedelta64"):
        return cell.to_timedelta64()
    if isinstance(cell, datetime) and cell.utcoffset() is not None:
        # `astimezone` knows no dates beyond the years 1 and 9999.
        return np.datetime64(cell.replace(tzinfo=None)) - np.timedelta64(cell.utcoffset())
    if isinstance(cell, date):
        return np.datetime64(cell)
    if isinstance(cell, timedelta):
        days = cast(np.array([cell.days], "m8[D]"), "us")[0]
        return days + np.timedelta64(cell - timedelta(cell.days))
    return cell


def _chosen(cells: Iterable[Any], flags: Iterable[Any]) -> list[Any]:
    return [cell for cell, flag in zip(cells, flags, strict=True) if flag]
