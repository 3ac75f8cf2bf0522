"""What names and dates the values of series, as plain values: labels, types, indices, offsets.

Plain values are None, truth values, numbers, texts, arrays of NumPy without objects, and lists and
dicts of such: what a file may hold that nobody has to trust. Anything else becomes a dict of its
`kind` and of what it is made `of`. What is of no kind that is known here stays as it is, and is of
the kind "object": a pickle holds it all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from io import BytesIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

_PLAIN = bool, int, float, str
# Kinds of NumPy's types of at most 64 bits whose scalars are said exactly by Python's.
_SAID = "biuf"
# A kind and what a value of it is made of; None where it cannot be said.
Told = tuple[str, Any] | None


def to_plain(value: Any) -> Any:
    """Return a label, a type, an index, an offset, an array, or a container of them, in plain."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcmMUS":
        return np.asarray(value)
    tell = _TELLERS.get(type(value).__module__.partition(".")[0])
    kind, of = (tell and tell(value)) or ("object", value)
    return {"kind": kind, "of": of}


def of_plain(value: Any) -> Any:
    """Return what `to_plain` has made plain.

    Raises
    ------
    ImportError
        If it is of a library that is not installed.
    """
    return _READERS[value["kind"]](value["of"]) if isinstance(value, dict) else value


def _all_plain(values: Any) -> list[Any]:
    return [to_plain(value) for value in values]


def _all_of_plain(values: Any) -> list[Any]:
    return [of_plain(value) for value in values]


def library_named(name: str) -> Any:
    """Return the module of a library that a value which was saved is of.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Expected {name}, which the series or the labels were of that this was fitted to, got "
            f"none: pip install {name} installs it."
        ) from error


# --- Python ---------------------------------------------------------------------------------------


def _tell_python(value: Any) -> Told:
    tell = _PYTHON.get(type(value))
    return None if tell is None else (type(value).__name__, tell(value))


def _tell_datetime(value: datetime) -> list[Any]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, to_plain(value.tzinfo)]


def _tell_time(value: time) -> list[Any]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, to_plain(value.tzinfo)]


def _read_moment(kind: Any) -> Callable[[Any], Any]:
    def read(of: Any) -> Any:
        moment, fold, zone = of
        return kind.fromisoformat(moment).replace(fold=fold, tzinfo=of_plain(zone))

    return read


def _tell_zone(value: timezone) -> list[Any]:
    name, offset = value.tzname(None), value.utcoffset(None)
    return [to_plain(offset), None if timezone(offset).tzname(None) == name else name]


def _read_zone(of: Any) -> timezone:
    offset, name = of_plain(of[0]), of[1]
    return timezone(offset) if name is None else timezone(offset, name)


_PYTHON: dict[type, Callable[[Any], Any]] = {
    tuple: _all_plain,
    list: _all_plain,
    dict: lambda value: [_all_plain(pair) for pair in value.items()],
    slice: lambda value: _all_plain((value.start, value.stop, value.step)),
    bytes: lambda value: np.frombuffer(value, np.uint8),
    date: date.isoformat,
    datetime: _tell_datetime,
    time: _tell_time,
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    timezone: _tell_zone,
    Decimal: str,
    Fraction: lambda value: [value.numerator, value.denominator],
    UUID: str,
}


def _tell_zoneinfo(value: Any) -> Told:
    return None if value.key is None else ("ZoneInfo", value.key)


def _tell_pytz(value: Any) -> Told:
    if value.zone is not None:
        return "pytz", value.zone
    return "pytz.FixedOffset", round(value.utcoffset(None) / timedelta(minutes=1))


# --- NumPy ----------------------------------------------------------------------------------------


def _tell_numpy(value: Any) -> Told:
    if isinstance(value, np.generic):
        return _tell_scalar(value)
    if isinstance(value, np.dtype) and value.names is None and value.kind != "T":
        return "dtype", value.str
    if type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind == "O":
        return "objects", _all_plain(value)
    return None


def _tell_scalar(value: Any) -> Told:
    if value.dtype.kind in "mM":
        return "scalar", [value.dtype.str, int(value.astype(np.int64))]
    if value.dtype.kind == "U" or (value.dtype.kind in _SAID and value.dtype.itemsize <= 8):
        return "scalar", [value.dtype.str, value.item()]
    return None


def _read_scalar(of: Any) -> Any:
    dtype, content = np.dtype(of[0]), of[1]
    if dtype.kind in "mM":
        return np.array(content, np.int64).view(dtype.newbyteorder("="))[()]
    return np.array(content, dtype)[()]


def _read_objects(of: Any) -> Any:
    objects = np.empty(len(of), object)
    for i, value in enumerate(of):
        objects[i] = of_plain(value)
    return objects


# --- pandas ---------------------------------------------------------------------------------------


def _tell_pandas(value: Any) -> Told:
    pd = library_named("pandas")

    if value is pd.NaT or value is pd.NA:
        return f"pandas.{'NaT' if value is pd.NaT else 'NA'}", None
    kinds: dict[Any, Callable[[], Any]] = {
        pd.Timestamp: lambda: _all_plain((value.to_numpy(), value.tz)),
        pd.Timedelta: lambda: to_plain(value.to_numpy()),
        pd.Period: lambda: [value.ordinal, to_plain(value.freq)],
        pd.Interval: lambda: [to_plain(value.left), to_plain(value.right), value.closed],
        pd.RangeIndex: lambda: _all_plain((value.start, value.stop, value.step, value.name)),
        pd.MultiIndex: lambda: [
            _all_plain(value.levels),
            [np.asarray(codes) for codes in value.codes],
            _all_plain(value.names),
        ],
        pd.Index: lambda: _all_plain((_cells(value), value.name, getattr(value, "freq", None))),
        pd.Series: lambda: _all_plain((_cells(value), value.name)),
    }
    for kind, tell in kinds.items():
        if isinstance(value, kind):
            return f"pandas.{kind.__name__}", tell()
    if isinstance(value, pd.offsets.BaseOffset):
        return _sayable("pandas.offset", _tell_offset(value), value)
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        told = _tell_extension(pd.Series([], dtype=value).array)
        return told and _sayable("pandas.dtype", {"kind": told[0], "of": told[1]}, value)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return _tell_extension(value)
    return None


def _sayable(kind: str, of: Any, value: Any) -> Told:
    """Return what a value is made of, if it comes back from it."""
    try:
        again = _READERS[kind](of)
        is_same = type(again) is type(value) and again == value
    except Exception:  # of parameters that are private to their class
        return None
    return (kind, of) if is_same else None


def _cells(column: Any) -> Any:
    """Return the cells of an index or a Series: an array of NumPy, or one of pandas."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _tell_offset(value: Any) -> list[Any]:
    # The calendar of an offset of business days is made of its holidays.
    kwds = [[name, to_plain(kwd)] for name, kwd in value.kwds.items() if name != "calendar"]
    return [type(value).__name__, value.n, value.normalize, kwds]


def _read_offset(of: Any) -> Any:
    pd = library_named("pandas")
    name, n, normalize, kwds = of
    offset = getattr(pd.offsets, name)
    if not (isinstance(offset, type) and issubclass(offset, pd.offsets.BaseOffset)):
        raise TypeError(f"Expected an offset of pandas, got {name}.")
    return offset(n, normalize, **{key: of_plain(kwd) for key, kwd in kwds})


def _tell_extension(array: Any) -> Told:
    """Return what an array of one of pandas' own types is made of."""
    pd = library_named("pandas")

    dtype = array.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        utc = pd.DatetimeIndex(array).tz_convert(None).to_numpy()
        return "pandas.zoned", [utc, to_plain(dtype.tz)]
    if isinstance(dtype, pd.PeriodDtype):
        return "pandas.periods", [pd.PeriodIndex(array).asi8, to_plain(dtype.freq)]
    if isinstance(dtype, pd.CategoricalDtype):
        return "pandas.categories", [array.codes, to_plain(dtype.categories), dtype.ordered]
    if isinstance(dtype, pd.IntervalDtype):
        return "pandas.intervals", [to_plain(array.left), to_plain(array.right), dtype.closed]
    if isinstance(dtype, pd.StringDtype):
        texts = [None if cell is dtype.na_value or pd.isna(cell) else str(cell) for cell in array]
        return "pandas.texts", [texts, dtype.storage, dtype.na_value is pd.NA]
    if isinstance(dtype, pd.ArrowDtype):
        return "pandas.arrow", to_plain(array.__arrow_array__())
    if isinstance(getattr(dtype, "numpy_dtype", None), np.dtype):  # numbers beside a mask
        missing = array.isna()
        filled = array.to_numpy(dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return "pandas.masked", [filled, missing, dtype.name]
    return None


def _read_zoned(of: Any) -> Any:
    pd = library_named("pandas")
    return pd.DatetimeIndex(of[0]).tz_localize("UTC").tz_convert(of_plain(of[1])).array


def _read_periods(of: Any) -> Any:
    pd = library_named("pandas")
    return pd.arrays.PeriodArray(np.array(of[0]), dtype=pd.PeriodDtype(of_plain(of[1])))


def _read_categories(of: Any) -> Any:
    pd = library_named("pandas")
    codes, categories, ordered = of
    return pd.Categorical.from_codes(
        codes, dtype=pd.CategoricalDtype(of_plain(categories), ordered)
    )


def _read_intervals(of: Any) -> Any:
    left, right, closed = of
    return library_named("pandas").arrays.IntervalArray.from_arrays(
        of_plain(left), of_plain(right), closed
    )


def _read_texts(of: Any) -> Any:
    pd = library_named("pandas")
    texts, storage, is_nullable = of
    dtype = pd.StringDtype(storage) if is_nullable else pd.StringDtype(storage, na_value=np.nan)
    return pd.array(texts, dtype=dtype)


def _read_masked(of: Any) -> Any:
    pd = library_named("pandas")
    filled, missing, name = of
    array = pd.array(filled, dtype=name)
    array[np.asarray(missing)] = pd.NA
    return array


def _read_timestamp(of: Any) -> Any:
    stamp, zone = library_named("pandas").Timestamp(of_plain(of[0])), of_plain(of[1])
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


def _read_range(of: Any) -> Any:
    start, stop, step, name = of
    return library_named("pandas").RangeIndex(start, stop, step, name=of_plain(name))


def _read_levels(of: Any) -> Any:
    levels, codes, names = of
    levels, names = _all_of_plain(levels), _all_of_plain(names)
    return library_named("pandas").MultiIndex(levels, codes, names=names)


def _read_index(of: Any) -> Any:
    cells, name, freq = _all_of_plain(of)
    index = library_named("pandas").Index(cells, dtype=cells.dtype, name=name)
    if freq is not None and getattr(index, "freq", freq) is None:
        index.freq = freq
    return index


def _read_series(of: Any) -> Any:
    cells, name = _all_of_plain(of)
    return library_named("pandas").Series(cells, dtype=cells.dtype, name=name)


# --- polars and Arrow: in the format of Arrow for messages between processes ----------------------


def _tell_polars(value: Any) -> Told:
    pl = library_named("polars")

    if isinstance(value, pl.Series):
        target = BytesIO()
        pl.DataFrame([value]).write_ipc(target)
        of = np.frombuffer(target.getvalue(), np.uint8)
        return ("polars.Series", of) if _read_polars(of).dtype == value.dtype else None
    if isinstance(value, pl.DataType | type):
        column = _tell_polars(pl.Series("", [], value))
        return column and ("polars.dtype", column[1])
    return None


def _read_polars(of: Any) -> Any:
    return library_named("polars").read_ipc(BytesIO(of.tobytes())).to_series()


def _tell_arrow(value: Any) -> Told:
    pa = library_named("pyarrow")

    if isinstance(value, pa.DataType):
        of = np.frombuffer(pa.schema([("", value)]).serialize(), np.uint8)
        return ("pyarrow.type", of) if _read_arrow_type(of) == value else None
    if isinstance(value, pa.Array | pa.ChunkedArray):
        target = pa.BufferOutputStream()
        table = pa.table({"": value})
        with pa.ipc.new_stream(target, table.schema) as writer:
            writer.write_table(table)
        told = [np.frombuffer(target.getvalue(), np.uint8), isinstance(value, pa.ChunkedArray)]
        return ("pyarrow.column", told) if _read_arrow(told).type == value.type else None
    return None


def _read_arrow_type(of: Any) -> Any:
    pa = library_named("pyarrow")
    return pa.ipc.read_schema(pa.py_buffer(of.tobytes())).field(0).type


def _read_arrow(of: Any) -> Any:
    pa = library_named("pyarrow")
    content, is_chunked = of
    table = pa.ipc.open_stream(pa.py_buffer(content.tobytes())).read_all()
    table.validate(full=True)
    return table.column(0) if is_chunked else table.column(0).combine_chunks()


# --- All of them ----------------------------------------------------------------------------------

_TELLERS: dict[str, Callable[[Any], Told]] = {
    **dict.fromkeys(("builtins", "datetime", "decimal", "fractions", "uuid"), _tell_python),
    "_decimal": _tell_python,
    "zoneinfo": _tell_zoneinfo,
    "pytz": _tell_pytz,
    "numpy": _tell_numpy,
    "pandas": _tell_pandas,
    "polars": _tell_polars,
    "pyarrow": _tell_arrow,
}

_READERS: dict[str, Callable[[Any], Any]] = {
    "object": lambda of: of,
    "tuple": lambda of: tuple(_all_of_plain(of)),
    "list": _all_of_plain,
    "dict": lambda of: dict(map(_all_of_plain, of)),
    "slice": lambda of: slice(*_all_of_plain(of)),
    "bytes": lambda of: of.tobytes(),
    "date": date.fromisoformat,
    "datetime": _read_moment(datetime),
    "time": _read_moment(time),
    "timedelta": lambda of: timedelta(*of),
    "timezone": _read_zone,
    "ZoneInfo": ZoneInfo,
    "Decimal": Decimal,
    "Fraction": lambda of: Fraction(*of),
    "UUID": UUID,
    "pytz": lambda of: library_named("pytz").timezone(of),
    "pytz.FixedOffset": lambda of: library_named("pytz").FixedOffset(of),
    "scalar": _read_scalar,
    "dtype": np.dtype,
    "objects": _read_objects,
    "pandas.NaT": lambda of: library_named("pandas").NaT,
    "pandas.NA": lambda of: library_named("pandas").NA,
    "pandas.Timestamp": _read_timestamp,
    "pandas.Timedelta": lambda of: library_named("pandas").Timedelta(of_plain(of)),
    "pandas.Period": lambda of: library_named("pandas").Period(ordinal=of[0], freq=of_plain(of[1])),
    "pandas.Interval": lambda of: library_named("pandas").Interval(*_all_of_plain(of)),
    "pandas.RangeIndex": _read_range,
    "pandas.MultiIndex": _read_levels,
    "pandas.Index": _read_index,
    "pandas.Series": _read_series,
    "pandas.offset": _read_offset,
    "pandas.dtype": lambda of: of_plain(of).dtype,
    "pandas.zoned": _read_zoned,
    "pandas.periods": _read_periods,
    "pandas.categories": _read_categories,
    "pandas.intervals": _read_intervals,
    "pandas.texts": _read_texts,
    "pandas.arrow": lambda of: library_named("pandas").arrays.ArrowExtensionArray(of_plain(of)),
    "pandas.masked": _read_masked,
    "polars.Series": _read_polars,
    "polars.dtype": lambda of: _read_polars(of).dtype,
    "pyarrow.column": _read_arrow,
    "pyarrow.type": _read_arrow_type,
}
