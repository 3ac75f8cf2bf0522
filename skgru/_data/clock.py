"""The equally spaced times of a series: its steps found, and labels for any step, the future too.

A `Clock` has a first time, a `Step` from each time to the next, and a `Style`, how labels look in
the library that they came from. Inside, labels are stamps: dates of NumPy in UTC (of a period its
start), durations or numbers. Steps of days, months and business days go by the local calendar,
those of hours and shorter ones, and numbers, by equal differences.
"""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skgru._data.arrays import as_array, describe, to_numbers
from skgru._data.times import cast, finest_unit_of, has_zone, is_time, to_times
from skgru._nn.batch import Indices, Values
from skgru._warnings import warn

_DAY = np.timedelta64(1, "D")
_MONTH_SECONDS = 2_629_746.0  # a twelfth of 365.2425 days
_N_NOMINAL = 120  # steps; of months ten years, of business days 24 weeks

_RESAMPLE = (
    "resample(…).mean() of pandas brings stamps to equal steps, asfreq(…) adds those that are left "
    "out"
)


# --- Steps ---------------------------------------------------------------------------------------


class Step(ABC):
    """The way from each time of a series to the next.

    Attributes
    ----------
    is_local : bool
        Whether it goes by the local calendar, else by UTC.
    """

    is_local = False

    @abstractmethod
    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places, counted from `first` at place 0."""

    @abstractmethod
    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, or the last before them, and whether each lies on the grid.

        `first`, which may be one for each of the times, and `times` have one type.
        """

    def seconds(self, first: Any) -> float:
        """Return the nominal length of a step of dates."""
        ends = self.times(first, np.array([0, _N_NOMINAL]))
        seconds = float((ends[1] - ends[0]) / np.timedelta64(1, "s")) / _N_NOMINAL
        n_months = round(seconds / _MONTH_SECONDS)
        is_of_months = n_months > 0 and abs(seconds / (n_months * _MONTH_SECONDS) - 1) < 1e-3
        return n_months * _MONTH_SECONDS if is_of_months else seconds

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas, None where there is none."""
        return None


@dataclass(frozen=True)
class Fixed(Step):
    """Steps of equal differences.

    Parameters
    ----------
    delta : timedelta64, int or float
    is_local : bool, default=False
        Whether days are those of the calendar, of 23 to 25 hours.
    """

    delta: Any
    is_local: bool = False

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        times: Values = first + places * self.delta
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        ratios = (times - first) / self.delta if times.dtype.kind == "f" else None
        if ratios is None:
            since, delta = times - first, self.delta
            places = (since // delta).astype(np.intp)
            return places, since == places * delta
        places = np.round(ratios).astype(np.intp)
        digits = 4 * np.spacing(np.abs(times).max(initial=0)) / self.delta
        return places, np.abs(ratios - places) <= 1e-6 + digits

    def seconds(self, first: Any) -> float:
        """Return the length of a step."""
        return float(self.delta / np.timedelta64(1, "s"))

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        import pandas as pd

        if self.delta % _DAY:
            return pd.tseries.frequencies.to_offset(pd.Timedelta(self.delta))
        n_days = int(self.delta // _DAY)
        if n_days % 7 or first != first.astype("M8[D]"):
            return pd.offsets.Day(n_days)
        return pd.offsets.Week(
            n_days // 7, weekday=int((first.astype("M8[D]").astype(int) + 3) % 7)
        )


@dataclass(frozen=True)
class Months(Step):
    """Steps of whole months: a quarter has three, a year twelve.

    Parameters
    ----------
    n : int
    from_end : bool
        Whether times keep their distance to the end of the month, else to its start.
    given : DateOffset or None, default=None
        The offset of pandas that it stands for.
    """

    n: int
    from_end: bool
    given: Any = None
    is_local = True

    def _month(self, times: Any) -> Any:
        """Return the month on whose start the times depend."""
        return times.astype("M8[M]") + np.timedelta64(int(self.from_end), "M")

    def rest(self, times: Any) -> Any:
        """Return the distance of times to the start, or the end, of their month."""
        return times - self._month(times).astype(times.dtype)

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        months = self._month(first) + self.n * places.astype("m8[M]")
        times: Values = months.astype(first.dtype) + self.rest(first)
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        n_months = (self._month(times) - self._month(first)).astype(np.intp)
        is_on_grid = (n_months % self.n == 0) & (self.rest(times) == self.rest(first))
        return n_months // self.n, is_on_grid

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        if self.given is not None:
            return self.given
        import pandas as pd

        month, where = (
            int(first.astype("M8[M]").astype(int) % 12) + 1,
            "End" if self.from_end else "Begin",
        )
        if not (self.from_end or first.astype("M8[D]") == first.astype("M8[M]")):
            return None
        if self.n % 12 == 0:
            return getattr(pd.offsets, f"Year{where}")(self.n // 12, month=month)
        if self.n % 3 == 0:
            make, start = getattr(pd.offsets, f"Quarter{where}"), 10 if self.from_end else 1
            return make(self.n // 3, startingMonth=(month - 1) % 3 + start)
        return getattr(pd.offsets, f"Month{where}")(self.n)


@dataclass(frozen=True)
class BusinessDays(Step):
    """Steps of days, Monday to Friday.

    Parameters
    ----------
    n : int
    """

    n: int
    is_local = True

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        day = first.astype("M8[D]")
        days = np.busday_offset(day, self.n * places)
        times: Values = days.astype(first.dtype) + (first - day)
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        day, days = first.astype("M8[D]"), times.astype("M8[D]")
        n_days = np.busday_count(day, days)
        is_on_grid = np.is_busday(days) & (times - days == first - day) & (n_days % self.n == 0)
        return n_days // self.n, is_on_grid

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        import pandas as pd

        return pd.offsets.BusinessDay(self.n)


class _Ranged(Step):
    """Steps whose times a library makes, in a row."""

    @abstractmethod
    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times at places from `start`, of 0 or less, to `stop`, of 1 or more."""

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        if not len(places):
            return np.asarray([first])[:0]
        start, stop = min(int(places.min()), 0), max(int(places.max()), 0) + 1
        return self.times_from(first, start, stop)[places - start]

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        if np.ndim(first):  # of several series, if they have one grid
            places, is_on_grid = self.places(first.min(), times)
            firsts, are_on_grid = self.places(first.min(), first)
            return places - firsts, is_on_grid & are_on_grid
        start, stop = 0, max(len(times), 1)
        grid = self.times_from(first, start, stop)
        while len(times) and grid[-1] < times.max():
            stop = 2 * stop
            grid = self.times_from(first, start, stop)
        while len(times) and grid[0] > times.min():
            start = 2 * start - 1
            grid = self.times_from(first, start, stop)
        places = np.searchsorted(grid, times, side="right") - 1
        return places + start, grid[places] == times


@dataclass(frozen=True)
class Offset(_Ranged):
    """Steps of any offset of pandas.

    Parameters
    ----------
    given : DateOffset
    """

    given: Any
    is_local = True

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times of a range."""
        import pandas as pd

        later = pd.date_range(first, periods=stop, freq=self.given).to_numpy()
        if start == 0:
            times: Values = later
            return times
        earlier = pd.date_range(end=first, periods=1 - start, freq=self.given).to_numpy()
        return np.concatenate([earlier[:-1], later])

    def offset(self, first: Any) -> Any:
        """Return the offset."""
        return self.given


@dataclass(frozen=True)
class PeriodStep(_Ranged):
    """Steps of periods of pandas.

    Parameters
    ----------
    freq : DateOffset
    """

    freq: Any

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the starts of a range of periods."""
        import pandas as pd

        period = pd.Period(first, self.freq) + start
        periods = pd.period_range(period, periods=stop - start, freq=self.freq)
        starts: Values = periods.to_timestamp(how="start").to_numpy()
        return starts


@dataclass(frozen=True)
class Listed(_Ranged):
    """Times without a step: a single one, or as irregular as they come.

    Parameters
    ----------
    stamps : ndarray
    """

    stamps: Values

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times that there are."""
        if start < 0 or stop > len(self.stamps):
            n = len(self.stamps)
            why = "a single stamp tells no step" if n == 1 else "its stamps are not equally spaced"
            raise ValueError(
                f"No label for step {start if start < 0 else stop - 1} of a series of {n}: {why}. "
                "asfreq(…) of pandas gives an index its frequency."
            )
        return self.stamps

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each is one of those."""
        places = np.searchsorted(self.stamps, times, side="right") - 1
        return places, self.stamps[places] == times


# --- Styles --------------------------------------------------------------------------------------


class Style:
    """How labels look: here, arrays of NumPy."""

    zone: Any = None

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as labels."""
        return stamps

    def to_local(self, stamps: Values) -> Values:
        """Return dates in UTC as those of the zone."""
        return stamps

    def to_utc(self, times: Values) -> Values:
        """Return dates of the zone in UTC: of two the first, of none the next that there is."""
        return times


class _Zoned(Style):
    """Labels of a library that knows zones."""

    @abstractmethod
    def _local(self, stamps: Values) -> Any:
        """Return dates in UTC as those of the zone."""

    @abstractmethod
    def _utc(self, times: Values) -> Any:
        """Return dates of the zone in UTC."""

    def to_local(self, stamps: Values) -> Values:
        """Return dates in UTC as those of the zone."""
        return self._convert(stamps, self._local)

    def to_utc(self, times: Values) -> Values:
        """Return dates of the zone in UTC."""
        return self._convert(times, self._utc)

    def _convert(self, times: Values, convert: Callable[[Values], Values]) -> Values:
        if self.zone is None or times.dtype.kind != "M" or not len(times):
            return times
        return as_array(convert(times)).astype(times.dtype)


class PandasStyle(_Zoned):
    """An index of pandas.

    Parameters
    ----------
    index : Index
        One that looks so.
    zone : tzinfo or None, default=None
    """

    def __init__(self, index: Any, zone: Any = None) -> None:
        self.name, self.zone = index.name, zone
        self.is_range = type(index).__name__ == "RangeIndex"
        self.dtype = index.dtype

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as an index."""
        import pandas as pd

        if self.is_range:
            delta = int(getattr(step, "delta", 1))
            start = int(stamps[0]) if len(stamps) else 0
            return pd.RangeIndex(start, start + delta * len(stamps), delta, name=self.name)
        if isinstance(step, PeriodStep):
            return pd.PeriodIndex(pd.DatetimeIndex(stamps), freq=step.freq, name=self.name)
        index = pd.Index(stamps, name=self.name)
        if self.zone is not None:
            index = index.tz_localize("UTC").tz_convert(self.zone)
        if str(self.dtype) not in ("object", "category", "str", "string"):
            typed = index.astype(self.dtype)
            # Small integers wrap around: counts beyond them stay in 64 bits.
            index = typed if index.dtype.kind not in "iu" or (typed == index).all() else index
        if isinstance(index, pd.DatetimeIndex) and len(index):
            first = self.to_local(stamps[:1])[0]
            with suppress(Exception):  # each zone's library has its own; labels are right without
                index.freq = step.offset(first)
        return index

    def _local(self, stamps: Values) -> Any:
        import pandas as pd

        return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(self.zone).tz_localize(None)

    def _utc(self, times: Values) -> Any:
        import pandas as pd

        zoned = pd.DatetimeIndex(times).tz_localize(
            self.zone, ambiguous=np.ones(len(times), bool), nonexistent="shift_forward"
        )
        return zoned.tz_convert(None)


class PolarsStyle(_Zoned):
    """A column of polars.

    Parameters
    ----------
    column : Series
        One that looks so.
    """

    def __init__(self, column: Any) -> None:
        self.dtype, self.zone = column.dtype, getattr(column.dtype, "time_zone", None)

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as a Series."""
        import polars as pl

        column = self._series(stamps)
        if self.zone is not None:
            column = column.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone)
        return column if self.dtype == pl.String else column.cast(self.dtype)

    def _series(self, stamps: Values) -> Any:
        import polars as pl

        unit = "us" if stamps.dtype.kind in "mM" and stamps.dtype.str.endswith("[s]") else None
        return pl.Series(stamps if unit is None else cast(stamps, unit))

    def _local(self, stamps: Values) -> Any:
        column = self._series(stamps).dt.replace_time_zone("UTC")
        return column.dt.convert_time_zone(self.zone).dt.replace_time_zone(None)

    def _utc(self, times: Values) -> Any:
        column, options = self._series(times), {"ambiguous": "earliest", "non_existent": "null"}
        zoned = column.dt.replace_time_zone(self.zone, **options)
        for _ in range(24):  # clocks are set forward by minutes to hours, of a day at most
            if not zoned.null_count():
                break
            column = column.dt.offset_by("30m").dt.truncate("30m").zip_with(zoned.is_null(), column)
            zoned = column.dt.replace_time_zone(self.zone, **options)
        return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


class ArrowStyle(_Zoned):
    """A column of Arrow.

    Parameters
    ----------
    column : Array or ChunkedArray
        One that looks so.
    """

    def __init__(self, column: Any) -> None:
        self.type, self.zone = column.type, getattr(column.type, "tz", None)

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as an array."""
        import pyarrow as pa

        if self.zone is not None:
            return pa.array(stamps).cast(pa.timestamp(self.type.unit)).cast(self.type)
        return pa.array(stamps).cast(self.type)

    def _local(self, stamps: Values) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        unit = pa.array(stamps).type.unit
        return pc.local_timestamp(pa.array(stamps).cast(pa.timestamp(unit, self.zone)))

    def _utc(self, times: Values) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        zoned = pc.assume_timezone(
            pa.array(times), self.zone, ambiguous="earliest", nonexistent="latest"
        )
        return zoned.cast(pa.timestamp(zoned.type.unit))


# --- Labels --------------------------------------------------------------------------------------


class Labels(NamedTuple):
    """Labels of rows.

    Attributes
    ----------
    stamps : ndarray of shape (n,)
        Dates in UTC, durations or numbers; of a period its start. Without labels, 0 to n - 1.
    kind : str or None
        "dates", "durations", "numbers", or the type of periods; None = there are no labels.
    style : Style
    freq : DateOffset or None
        Of an index of pandas, if it has one.
    """

    stamps: Values
    kind: str | None
    style: Style
    freq: Any

    def at(self, rows: Any) -> Labels:
        """Return the labels of some rows."""
        return self._replace(stamps=self.stamps[rows])


def no_labels(n: int, index: Any = None) -> Labels:
    """Return the labels of n rows without any; `index` is that of pandas, which may be of text."""
    style = Style()
    if index is not None:
        style = PandasStyle(index)
        style.is_range = True
    return Labels(np.arange(n), None, style, None)


def read_labels(where: str, labels: Any, is_index: bool = False) -> Labels:
    """Return the labels of rows, in any library.

    Parameters
    ----------
    where : str
        Their place in errors.
    labels : Index of pandas, or a column of pandas, polars, Arrow or NumPy, or a list
    is_index : bool, default=False
        Whether they are the index of a container: the default one, and one of text, is none then.

    Raises
    ------
    ValueError
        If they are no dates, durations or numbers, or one is missing.
    """
    if hasattr(type(labels), "iloc") or hasattr(type(labels), "get_level_values"):
        return _read_pandas(where, labels, is_index)
    style: Style = Style()
    if hasattr(type(labels), "explode"):
        style = PolarsStyle(labels)
    elif hasattr(type(labels), "to_pylist"):
        style = ArrowStyle(labels)
    stamps = _to_stamps(where, labels)
    return Labels(stamps, _kind_of(stamps), style, None)


def _read_pandas(where: str, labels: Any, is_index: bool) -> Labels:
    """Return the labels of an index or a Series of pandas."""
    import pandas as pd

    index = labels if isinstance(labels, pd.Index) else pd.Index(labels)
    if is_index and getattr(index, "start", None) == 0 and index.step == 1:
        return no_labels(len(index), index)
    if str(index.dtype) == "category":
        index = index.astype(index.categories.dtype)
    if index.dtype == object:
        index = index.infer_objects()
    if str(index.dtype).startswith("period"):
        stamps = index.to_timestamp(how="start").to_numpy()
        _check_present(where, stamps)
        return Labels(stamps, str(index.dtype), PandasStyle(index), index.freq)
    zone = getattr(index, "tz", None)
    if zone is None and hasattr(index.dtype, "pyarrow_dtype"):
        zone = getattr(index.dtype.pyarrow_dtype, "tz", None)
    if zone is None and index.dtype == object and has_zone(index):
        zone = "UTC"
    cells = index if getattr(index, "tz", None) is None else index.tz_convert(None)
    array = as_array(cells)
    if is_index and _is_text(array):
        if len(array) and _looks_like_dates(array):
            warn(
                f"Text such as {array[0]!r} in {where} is taken for no dates, and rows are "
                "counted: pandas.to_datetime makes dates of it."
            )
        return no_labels(len(index), index)
    stamps = _to_stamps(where, array)
    return Labels(stamps, _kind_of(stamps), PandasStyle(index, zone), getattr(index, "freq", None))


def _is_text(array: Values) -> bool:
    types = set(map(type, array.flat)) if array.dtype == object else set()
    is_text = any(issubclass(kind, str | bytes) for kind in types)
    return array.dtype.kind in "bUST" or (is_text and not any(map(is_time, types)))


def _looks_like_dates(text: Values) -> bool:
    """Whether the first and the last of some texts, as of a file of CSV, can be read as dates."""
    import pandas as pd

    ends = [text[0], text[-1]]
    # pandas reads many a word or number as a date: one that is meant has numbers, and apart.
    if not all(isinstance(end, str) and re.search(r"\d\D+\d|\dQ|Q\d", end) for end in ends):
        return False
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return all(pd.notna(pd.to_datetime(end)) for end in ends)
    return False


def _kind_of(stamps: Values) -> str:
    return {"M": "dates", "m": "durations"}.get(stamps.dtype.kind, "numbers")


def _to_stamps(where: str, labels: Any) -> Values:
    """Return labels as dates, durations or numbers of NumPy."""
    try:
        stamps = to_times(as_array(labels))
        if stamps.ndim != 1:
            raise ValueError(f"Expected one label for each step, got {describe(stamps)}.")
        if stamps.dtype.kind not in "mM":
            stamps = to_numbers(stamps, lambda index: f"row {index[0]} of {where}")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {where} to hold dates, durations or numbers: {error} pandas.to_datetime "
            "makes dates of text, reset_index(drop=True) leaves an index out."
        ) from error
    if stamps.dtype.kind in "bu" and stamps.dtype.itemsize < 8:
        stamps = stamps.astype(np.int64)
    _check_present(where, stamps)
    return stamps


def _check_present(where: str, stamps: Values) -> None:
    missing = np.isnat(stamps) if stamps.dtype.kind in "mM" else np.isnan(stamps)
    if missing.any():
        raise ValueError(
            f"Expected {where} without missing labels, got one in row {np.argmax(missing)}."
        )


# --- Clock ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """The times of the steps of a series.

    Parameters
    ----------
    first : datetime64, timedelta64, int or float
        The stamp of step 0.
    step : Step
    style : Style
    kind : str or None
        See `Labels`.
    """

    first: Any
    step: Step
    style: Style
    kind: str | None

    @property
    def has_dates(self) -> bool:
        """Whether steps have dates, or periods."""
        return self.kind not in (None, "durations", "numbers")

    @property
    def seconds(self) -> float | None:
        """The nominal length of a step in seconds: of a month 2629746. None without dates."""
        is_listed = isinstance(self.step, Listed)
        return None if is_listed or not self.has_dates else self.step.seconds(self._first)

    def labels(self, start: int, stop: int) -> Any:
        """Return the labels of steps, which may lie before the first or in the future."""
        return self.style.wrap(self.stamps(start, stop), self.step)

    def stamps(self, start: int, stop: int) -> Values:
        """Return the labels of steps as dates in UTC, durations or numbers of NumPy."""
        return self._at(np.arange(start, stop))

    def local_times(self, start: int, stop: int) -> Values | None:
        """Return the dates of steps by the clock on the wall, as datetime64[s]; None without."""
        if not self.has_dates:
            return None
        return self.style.to_local(self.stamps(start, stop)).astype("M8[s]")

    def positions(self, labels: Any, where: str = "labels") -> Indices:
        """Return the steps that labels stand for.

        Raises
        ------
        ValueError
            If they are of another kind, or a label is none of this clock's.
        """
        read = read_labels(where, labels)
        if self.kind is not None and read.kind != self.kind:
            raise ValueError(f"Expected {self.kind} as {where}, got {read.kind}.")
        return self.places(read.stamps, where)

    def places(self, stamps: Values, where: str = "labels") -> Indices:
        """Return the steps that stamps stand for; see `positions`."""
        places, is_on_grid = self._find(stamps)
        if not is_on_grid.all():
            i = int(np.argmin(is_on_grid))
            say = partial(say_stamp, style=self.style)
            near = (
                "" if isinstance(self.step, Listed) else f", near {say(self._at(places[[i]])[0])}"
            )
            raise ValueError(
                f"Expected {where} on the steps of the series, which begins at {say(self.first)}, "
                f"got {say(stamps[i])} in row {i}{near}: bring both to the same steps; {_RESAMPLE}."
            )
        return places

    @property
    def _first(self) -> Any:
        """The time of step 0, by the calendar that the step goes by."""
        first = np.asarray([self.first])
        return (self.style.to_local(first) if self.step.is_local else first)[0]

    def _at(self, places: Indices) -> Values:
        times = self.step.times(self._first, places)
        wraps = (times < self._first) != (places < 0)
        if wraps.any():
            raise ValueError(
                f"Expected labels that 64 bits hold in their unit, got none for step "
                f"{places[np.argmax(wraps)]} of a series that begins at "
                f'{say_stamp(self.first, self.style)}: as_unit("us") of pandas holds later dates.'
            )
        return self.style.to_utc(times) if self.step.is_local else times

    def _find(self, stamps: Values) -> tuple[Indices, Values]:
        first = np.asarray([self._first])
        times = self.style.to_local(stamps) if self.step.is_local else stamps
        if times.dtype.kind in "mM":
            unit = finest_unit_of(first, times)
            first, times = cast(first, unit), cast(times, unit)
        places, is_on_grid = self.step.places(first[0], times)
        if self.step.is_local and self.style.zone is not None and not is_on_grid.all():
            # A time that a clock set forward leaves out has been moved to one that there is.
            others = np.flatnonzero(~is_on_grid)
            is_on_grid[others] = self._at(places[others]) == stamps[others]
        return places, is_on_grid


def check_zones(clock: Clock, other: Clock, where: str, of: str) -> None:
    """Refuse dates with a time zone where another container's have none, or the other way round.

    Parameters
    ----------
    clock, other : Clock
        Of the container, and of the one that it belongs to.
    where, of : str
        Their names in errors.
    """
    can_have_one = all(isinstance(one.style, _Zoned) and one.has_dates for one in (clock, other))
    if can_have_one and (clock.style.zone is None) != (other.style.zone is None):
        wanted, got = (
            f"the time zone {one.style.zone}" if one.style.zone else "no time zone"
            for one in (other, clock)
        )
        raise ValueError(
            f"Expected dates of {wanted} in {where}, as in {of}, got dates of {got}: tz_localize, "
            "or tz_convert(<zone>) and tz_localize(None), of pandas make them alike."
        )


class Irregular(NamedTuple):
    """Stamps that no step leads to.

    Attributes
    ----------
    series : int
        The series of the first of them.
    place : int
        Its place there.
    step : timedelta64, int or float
        The most frequent difference.
    """

    series: int
    place: int
    step: Any

    def tell(self, labels: Labels, where: str) -> str:
        """Return what is irregular, and the remedy."""
        stamps = labels.stamps[self.place - 1 : self.place + 1]
        before, odd = (say_stamp(stamp, labels.style) for stamp in stamps)
        step = _in_words(self.step) if self.step.dtype.kind == "m" else self.step
        return (
            f"Expected equally spaced stamps in {where}, where most are {step} apart, got {odd} "
            f"after {before}: {_RESAMPLE}"
        )


def say_stamp(stamp: Any, style: Style) -> str:
    """Return a stamp in words: a date by the clock on the wall, no longer than it has to be."""
    if not isinstance(stamp, np.datetime64):
        return str(stamp)
    stamp = style.to_local(np.array([stamp]))[0]
    for unit in ("D", "m", "s"):
        if stamp.astype(f"M8[{unit}]") == stamp:
            return str(stamp.astype(f"M8[{unit}]")).replace("T", " ")
    return str(stamp).replace("T", " ")


def _in_words(step: Any) -> str:
    units = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
    for name, seconds in units.items():
        n = step / np.timedelta64(seconds, "s")
        if n == int(n):
            return f"{int(n)} {name if n != 1 else name[:-1]}"
    return str(step)


class _Pool(NamedTuple):
    """The times of several series, one after another.

    Attributes
    ----------
    times : ndarray of shape (n,)
    starts : ndarray of shape (n_series,)
        Where each series begins.
    """

    times: Values
    starts: Indices

    @classmethod
    def of(cls, series: Sequence[Values]) -> _Pool:
        """Return the pool of series, none of which is empty."""
        lengths = np.fromiter(map(len, series), np.intp, len(series))
        times = series[0] if len(series) == 1 else np.concatenate(series)
        return cls(times, np.cumsum(lengths) - lengths)

    @property
    def firsts(self) -> Values:
        """The first time of each series."""
        firsts: Values = self.times[self.starts]
        return firsts

    def differences(self, of_times: Values) -> Values:
        """Return the differences within each series of something that there is of each time."""
        return np.delete(np.diff(of_times), self.starts[1:] - 1)

    def places(self, step: Step) -> tuple[Indices, Values]:
        """Return the places of all times, each counted from the first of its series."""
        firsts = self.firsts
        if len(firsts) == 1:
            return step.places(firsts[0], self.times)
        lengths = np.diff(np.append(self.starts, len(self.times)))
        return step.places(np.repeat(firsts, lengths), self.times)

    def fits(self, step: Step) -> bool:
        """Whether all times lie on the grid of a step."""
        return bool(self.places(step)[1].all())


def find_step(series: Sequence[Labels]) -> Step | Irregular:
    """Return the step that the labels of series have in common.

    The step is the most frequent one if all labels lie on its grid, which may have gaps. Of months,
    business days and equal differences it is the coarsest that fits.

    Parameters
    ----------
    series : list of Labels
        Of each series, ascending and distinct, of one style.

    Returns
    -------
    Step, or what is irregular
    """
    first = series[0]
    stamps = [labels.stamps for labels in series if len(labels.stamps)]
    if first.kind is None:
        return Fixed(1)
    if first.kind.startswith("period"):
        return PeriodStep(first.freq)
    if first.kind == "dates" and first.freq is not None:
        return _step_of_offset(first.freq)
    if all(len(one) < 2 for one in stamps):
        return Listed(stamps[0][:1] if stamps else first.stamps)
    pool = _Pool.of(stamps)
    local = pool._replace(times=first.style.to_local(pool.times))
    step: Step | None = None
    if first.kind == "dates":
        step = next(_calendar_steps(local, first.style), None)
    step = step or _fixed_step(pool)
    if step is None and first.kind == "dates" and isinstance(first.style, PandasStyle):
        step = _offset_of_pandas(local)
    return step or _first_odd(series, pool)


def place_all(series: Sequence[Labels], step: Step) -> list[Indices] | None:
    """Return the steps that the labels of series stand for, None if one may lie off its grid."""
    stamps = [labels.stamps for labels in series]
    if not all(map(len, stamps)):
        return None
    pool = _Pool.of(stamps)
    if step.is_local:
        pool = pool._replace(times=series[0].style.to_local(pool.times))
    if pool.times.dtype.kind in "mM":
        # Durations are of no finer unit than times, as they are differences of these.
        pool = pool._replace(times=cast(pool.times, finest_unit_of(pool.times)))
    places, is_on_grid = pool.places(step)
    return np.split(places, pool.starts[1:]) if is_on_grid.all() else None


def _step_of_offset(freq: Any) -> Step:
    """Return the step of the frequency of an index."""
    import pandas as pd

    if isinstance(freq, pd.offsets.Day):  # whole days are those of the calendar
        return Fixed(np.timedelta64(freq.n, "D"), is_local=True)
    if isinstance(freq, pd.tseries.offsets.Tick):
        return Fixed(_coarse(pd.Timedelta(freq).to_timedelta64()))
    n_months = {"Month": 1, "Quarter": 3, "Year": 12}
    for name, n in n_months.items():
        for where in ("Begin", "End"):
            if type(freq) is getattr(pd.offsets, f"{name}{where}"):  # faster than those of pandas
                return Months(n * freq.n, where == "End", freq)
    return Offset(freq)


def _coarse(delta: Any) -> Any:
    """Return a duration in seconds if it is a whole number of them."""
    seconds = delta.astype("m8[s]")
    return seconds if seconds == delta else delta


def _most_frequent(differences: Values) -> Any:
    """Return the most frequent of differences, of several the smallest."""
    if (differences == differences[0]).all():
        return differences[0]
    if differences.dtype.kind == "f":
        differences = np.round(differences, int(9 - np.floor(np.log10(np.abs(differences).max()))))
    distinct, counts = np.unique(differences, return_counts=True)
    return distinct[np.argmax(counts)]


def _calendar_steps(pool: _Pool, style: Style) -> Iterator[Step]:
    """Yield the steps of the calendar on whose grids local times lie, the coarsest first."""
    head = pool.times[: min(9, *pool.starts[1:2].tolist(), len(pool.times))]
    for from_end in (True, False):
        month = Months(1, from_end)
        rests = month.rest(pool.firsts)
        is_possible = ((rests >= -_DAY) & (rests < 28 * _DAY)).all()
        # Most series fail at their first times already.
        if is_possible and (month.rest(head) == rests[0]).all():
            n = int(_most_frequent(pool.differences(pool.times.astype("M8[M]").astype(int))))
            if n > 0 and pool.fits(Months(n, from_end)):
                yield Months(n, from_end)
    seconds = _most_frequent(pool.differences(pool.times))
    if seconds % _DAY:
        return
    n_days = int(seconds // _DAY)
    if n_days < 5 and np.is_busday(head.astype("M8[D]")).all():
        days = pool.times.astype("M8[D]")
        if np.is_busday(days).all():
            counts = pool.differences(np.busday_count(days[0], days))
            n = int(_most_frequent(counts))
            spans_weekend = (counts != pool.differences(days).astype(int)).any()
            if 0 < n < 5 and spans_weekend and pool.fits(BusinessDays(n)):
                yield BusinessDays(n)
    if style.zone is not None:
        days_of_zone = Fixed(np.timedelta64(n_days, "D"), is_local=True)
        if pool.fits(days_of_zone):
            yield days_of_zone


def _fixed_step(pool: _Pool) -> Step | None:
    delta = _most_frequent(pool.differences(pool.times))
    step = Fixed(_coarse(delta) if delta.dtype.kind == "m" else delta.item())
    return step if pool.fits(step) else None


def _offset_of_pandas(pool: _Pool) -> Step | None:
    """Return the offset of pandas on whose grid local times lie, the coarsest."""
    import pandas as pd

    firsts = pd.DatetimeIndex(np.unique(pool.firsts))
    offsets, month = [], int(firsts[0].month)
    for where in ("End", "Begin"):
        offsets += [
            getattr(pd.offsets, f"BYear{where}")(month=month),
            getattr(pd.offsets, f"BQuarter{where}")(startingMonth=(month - 1) % 3 + 1),
            getattr(pd.offsets, f"BMonth{where}")(),
            getattr(pd.offsets, f"SemiMonth{where}")(),
        ]
    times = pd.DatetimeIndex(np.unique(pool.times))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3 announces another type of what it infers
        inferred = pd.infer_freq(times) if len(times) > 2 else None
    if inferred is not None:
        offsets.insert(0, pd.tseries.frequencies.to_offset(inferred))
    are_on = (offset for offset in offsets if all(map(offset.is_on_offset, firsts)))
    return next(filter(pool.fits, map(Offset, are_on)), None)


def _first_odd(series: Sequence[Labels], pool: _Pool) -> Irregular:
    step = _most_frequent(pool.differences(pool.times))
    for i, labels in enumerate(series):
        ratios = np.diff(labels.stamps) / step
        is_odd = np.abs(ratios - np.round(ratios)) > 1e-6
        if is_odd.any():
            return Irregular(i, int(np.argmax(is_odd)) + 1, step)
    # Small odds, of numbers, that add up.
    i = next(i for i, labels in enumerate(series) if len(labels.stamps) > 1)
    return Irregular(i, len(series[i].stamps) - 1, step)


def check_ascending(labels: Labels, where: str) -> None:
    """Refuse labels that are not sorted, or of which one comes twice.

    Raises
    ------
    ValueError
    """
    stamps = labels.stamps
    if len(stamps) < 2 or labels.kind is None:
        return
    is_later = stamps[1:] > stamps[:-1]
    if is_later.all():
        return
    if (stamps[1:] < stamps[:-1]).any():
        raise ValueError(
            f"Expected an ascending index, got an unsorted one in {where}: call its sort_index()."
        )
    place = int(np.argmin(is_later))
    hint = ""
    if labels.kind == "dates" and labels.style.zone is None:
        hint = (
            " Where a clock was set back, so that an hour came twice, a time zone tells the hours "
            'apart: tz_localize(<zone>, ambiguous="infer") of pandas.'
        )
    raise ValueError(
        f"Expected each stamp once, got {say_stamp(stamps[place], labels.style)} twice or "
        f"more in {where}: aggregate such "
        "rows, with groupby(…).mean(), or drop all but one; several series in one table are told "
        f"apart by series=….{hint}"
    )
