"""Labels of rows: read from an index or a column of any library, and made again for other rows.

Inside, labels are stamps: dates of NumPy in UTC (of a period its start), durations or numbers. A
`Style` is how they look in the library that they came from.
"""

from __future__ import annotations

import re
import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from skgru._data.arrays import TextError, TimesError, as_array, describe, to_numbers
from skgru._data.frequencies import PeriodStep, Step
from skgru._data.plain import library_named, of_plain, to_plain
from skgru._data.times import cast, has_zone, is_time, to_times
from skgru._nn.batch import Values
from skgru._warnings import warn

# What errors about unequal steps advise.
RESAMPLE = (
    "resample(…).mean() of pandas brings stamps to equal steps, asfreq(…) adds those that are left "
    "out"
)


# --- Styles --------------------------------------------------------------------------------------


class Style:
    """How labels look: here, arrays of NumPy."""

    zone: Any = None
    module: str | None = None  # of its library
    _parameters: tuple[str, ...] = ()

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as labels."""
        return stamps

    def join(self, parts: Sequence[Any]) -> Any:
        """Return labels one after another."""
        return np.concatenate(parts)

    def to_local(self, stamps: Values) -> Values:
        """Return dates in UTC as those of the zone."""
        return stamps

    def to_utc(self, times: Values) -> Values:
        """Return dates of the zone in UTC: of two the first, of none the next that there is."""
        return times

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        parameters = {name: to_plain(getattr(self, name)) for name in self._parameters}
        return {"kind": type(self).__name__, **parameters}


class Zoned(Style):
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


class PandasStyle(Zoned):
    """An index of pandas.

    Parameters
    ----------
    name : hashable
    dtype : dtype
    zone : tzinfo, str or None
    is_range : bool
        Whether it counts.
    """

    module = "pandas"
    _parameters = "name", "dtype", "zone", "is_range"

    def __init__(self, name: Any, dtype: Any, zone: Any, is_range: bool) -> None:
        self.name, self.dtype, self.zone, self.is_range = name, dtype, zone, is_range

    @classmethod
    def of(cls, index: Any, zone: Any = None) -> PandasStyle:
        """Return the style of an index."""
        return cls(index.name, index.dtype, zone, type(index).__name__ == "RangeIndex")

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

    def join(self, parts: Sequence[Any]) -> Any:
        """Return indices one after another."""
        return parts[0].append(list(parts[1:])) if len(parts) > 1 else parts[0]

    def _local(self, stamps: Values) -> Any:
        import pandas as pd

        return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(self.zone).tz_localize(None)

    def _utc(self, times: Values) -> Any:
        import pandas as pd

        zoned = pd.DatetimeIndex(times).tz_localize(
            self.zone, ambiguous=np.ones(len(times), bool), nonexistent="shift_forward"
        )
        return zoned.tz_convert(None)


class PolarsStyle(Zoned):
    """A column of polars.

    Parameters
    ----------
    dtype : DataType
    """

    module = "polars"
    _parameters = ("dtype",)

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.zone = dtype, getattr(dtype, "time_zone", None)

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as a Series."""
        import polars as pl

        column = self._series(stamps)
        if self.zone is not None:
            column = column.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone)
        return column if self.dtype == pl.String else column.cast(self.dtype)

    def join(self, parts: Sequence[Any]) -> Any:
        """Return Series one after another."""
        import polars as pl

        return pl.concat(parts)

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


class ArrowStyle(Zoned):
    """A column of Arrow.

    Parameters
    ----------
    type : DataType
    """

    module = "pyarrow"
    _parameters = ("type",)

    def __init__(self, type: Any) -> None:
        self.type, self.zone = type, getattr(type, "tz", None)

    def wrap(self, stamps: Values, step: Step) -> Any:
        """Return stamps as an array."""
        import pyarrow as pa

        if self.zone is not None:
            return pa.array(stamps).cast(pa.timestamp(self.type.unit)).cast(self.type)
        return pa.array(stamps).cast(self.type)

    def join(self, parts: Sequence[Any]) -> Any:
        """Return arrays one after another."""
        import pyarrow as pa

        return pa.concat_arrays(parts)

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


_STYLES: dict[str, type[Style]] = {
    kind.__name__: kind for kind in (Style, PandasStyle, PolarsStyle, ArrowStyle)
}


def style_of_state(state: Mapping[str, Any]) -> Style:
    """Return the style of a `state`.

    Raises
    ------
    ImportError
        If its library is not installed.
    """
    style = _STYLES[state["kind"]]
    if style.module is not None:
        library_named(style.module)
    return style(**{name: of_plain(value) for name, value in state.items() if name != "kind"})


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
        style = PandasStyle(index.name, index.dtype, None, is_range=True)
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
        style = PolarsStyle(labels.dtype)
    elif hasattr(type(labels), "to_pylist"):
        style = ArrowStyle(labels.type)
    stamps = _to_stamps(where, labels, labels)
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
        return Labels(stamps, str(index.dtype), PandasStyle.of(index), index.freq)
    zone = getattr(index, "tz", None)
    if zone is None and hasattr(index.dtype, "pyarrow_dtype"):
        zone = getattr(index.dtype.pyarrow_dtype, "tz", None)
    if zone is None and index.dtype == object and has_zone(index):
        zone = "UTC"
    cells = index if getattr(index, "tz", None) is None else index.tz_convert(None)
    array = as_array(cells)
    if is_index and is_text(array):
        if len(array) and look_like_dates(array):
            warn(
                f"Text such as {array[0]!r} in {where} is taken for no dates, and rows are "
                "counted: pandas.to_datetime makes dates of it."
            )
        return no_labels(len(index), index)
    stamps = _to_stamps(where, array, labels)
    style, freq = PandasStyle.of(index, zone), getattr(index, "freq", None)
    return Labels(stamps, _kind_of(stamps), style, freq)


def is_text(array: Values) -> bool:
    """Whether labels, of no type or of one that is none of time, are text."""
    types = set(map(type, array.flat)) if array.dtype == object else set()
    has_text = any(issubclass(kind, str | bytes) for kind in types)
    return array.dtype.kind in "bUST" or (has_text and not any(map(is_time, types)))


def look_like_dates(text: Sequence[Any] | Values) -> bool:
    """Whether the first and the last of some texts, as of a file of CSV, can be read as dates."""
    ends = [text[0], text[-1]]
    # pandas reads many a word or number as a date: one that is meant has numbers, and apart.
    if not all(isinstance(end, str) and re.search(r"\d\D+\d|\dQ|Q\d", end) for end in ends):
        return False
    with suppress(Exception), warnings.catch_warnings():
        import pandas as pd

        warnings.simplefilter("ignore")
        return all(pd.notna(pd.to_datetime(end)) for end in ends)
    return False


def how_to_make_dates(cells: Any) -> str:
    """Return what makes dates of a column of text, in words."""
    if hasattr(type(cells), "explode") and not hasattr(type(cells), "iloc"):
        how = "str.to_datetime() of polars"
    elif hasattr(type(cells), "to_pylist"):
        how = "cast('timestamp[s]') of Arrow"
    else:
        how = "pandas.to_datetime"
    return f"{how} makes dates of text"


def _kind_of(stamps: Values) -> str:
    return {"M": "dates", "m": "durations"}.get(stamps.dtype.kind, "numbers")


def _to_stamps(where: str, labels: Any, given: Any) -> Values:
    """Return labels as dates, durations or numbers of NumPy; errors have the remedy of `given`."""
    try:
        stamps = to_times(as_array(labels))
        if stamps.ndim != 1:
            raise ValueError(f"Expected one label for each step, got {describe(stamps)}.")
        if stamps.dtype.kind in "US":
            stamps = stamps.astype(object)  # whose first cell is told
        if stamps.dtype.kind not in "mM":
            stamps = to_numbers(stamps, lambda index: f"row {index[0]}")
    except (TypeError, ValueError) as error:
        said, what = str(error), "Expected numbers, "
        said = f", {said.removeprefix(what)}" if said.startswith(what) else f": {said}"
        kinds = "dates, durations or numbers" + ", of one kind" * isinstance(error, TimesError)
        remedies = [how_to_make_dates(given)] if isinstance(error, TextError) else []
        if hasattr(type(given), "get_level_values"):
            remedies.append("reset_index(drop=True) leaves an index out")
        remedy = f" {', '.join(remedies)}." if remedies else ""
        raise ValueError(f"Expected {where} to hold {kinds}{said}{remedy}") from error
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


# --- In words and checked -------------------------------------------------------------------------


def say_stamp(stamp: Any, style: Style) -> str:
    """Return a stamp in words: a date by the clock on the wall, no longer than it has to be."""
    if not isinstance(stamp, np.datetime64):
        return str(stamp)
    stamp = style.to_local(np.array([stamp]))[0]
    for unit in ("D", "m", "s"):
        if stamp.astype(f"M8[{unit}]") == stamp:
            return str(stamp.astype(f"M8[{unit}]")).replace("T", " ")
    return str(stamp).replace("T", " ")


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
