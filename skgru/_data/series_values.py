"""Columns of series as numbers, and what is no number refused, with the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any, NoReturn

import numpy as np

from skgru._compat import is_array
from skgru._data.arrays import as_array, is_missing, to_numbers
from skgru._data.labels import how_to_make_dates, look_like_dates
from skgru._data.times import is_time
from skgru._nn.batch import Values


def read_columns(
    where: str, names: Sequence[Any], columns: Sequence[Any], n: int, is_pandas: bool
) -> Values:
    """Return the columns of a table as an array (n_steps, n_features)."""
    arrays = [
        _read_cells(f"column {name!r} of {where}", column, name, is_pandas)
        for name, column in zip(names, columns, strict=True)
    ]
    for name, array in zip(names, arrays, strict=True):
        if array.ndim != 1:
            raise ValueError(
                f"Expected columns of numbers, got shape {array.shape} in column {name!r} of "
                f"{where}."
            )
    values = np.empty((n, len(arrays)), _float_type(arrays))
    for j, array in enumerate(arrays):
        values[:, j] = array
    return values


def read_values(where: str, series: Any) -> Values:
    """Return a series that is no table as an array (n_steps, n_features)."""
    values = _read_cells(where, series)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"Expected series of shape (n_steps,) or (n_steps, n_features), got {values.shape} for "
            f"{where}; several series are given as a list."
        )
    values = values.astype(_float_type([values]), copy=False)
    return values[:, np.newaxis] if values.ndim == 1 else values


def _float_type(arrays: Sequence[Values]) -> Any:
    is_single = len(arrays) > 0 and all(array.dtype == np.float32 for array in arrays)
    return np.float32 if is_single else np.float64


def _read_cells(where: str, cells: Any, name: Any = None, is_pandas: bool = False) -> Values:
    """Return a column or an array as numbers."""
    try:
        array = as_array(cells)
    except TypeError as error:
        raise ValueError(f"{str(error).rstrip('.')} as {where}.") from error
    what = _what_is_no_number(cells, array)
    if what == "text":
        _refuse_text(where, cells, array, name, is_pandas)
    if what is not None:
        raise ValueError(
            f"Expected numbers, got {what} in {where}.{_remedy(what, name, is_pandas)}"
        )
    try:
        return to_numbers(array, partial(_place, where))
    except TypeError as error:
        several = " Several series are given as a list of them."
        raise ValueError(f"{error}{several * any(map(is_series, array.flat))}") from error


def _place(where: str, index: tuple[int, ...]) -> str:
    """Return the place of a cell in words."""
    feature = f", feature {index[1]}" if len(index) == 2 else ""
    return f"step {index[0]} of {where}{feature}" if index else where


def _what_is_no_number(cells: Any, array: Values) -> str | None:
    """Return the kind of cells that are often found beside numbers but are none, else None."""
    kind = str(getattr(cells, "dtype", getattr(cells, "type", ""))).lower()
    if kind.startswith(("categor", "dictionary", "enum")):
        return "categories"
    if kind.startswith("extension"):  # of Arrow, such as periods
        return f"cells of type {kind}"
    if array.dtype.kind in "USTmM":
        return {"m": "durations", "M": "dates"}.get(array.dtype.kind, "text")
    types = set(map(type, array.flat)) if array.dtype == object else set()
    if any(issubclass(kind, str | bytes) for kind in types):
        return "text"
    times = [kind for kind in types if is_time(kind) and kind.__name__ != "NaTType"]
    if times:
        return "dates" if issubclass(times[0], date | np.datetime64) else "durations"
    return None


def _refuse_text(where: str, cells: Any, array: Values, name: Any, is_pandas: bool) -> NoReturn:
    """Refuse text: that of dates, of numbers, and any other, each with its remedy."""
    flat = array.astype(object).ravel()
    places = [i for i, cell in enumerate(flat) if isinstance(cell, str | bytes)]
    n_present = sum(not is_missing(cell) for cell in flat)
    texts = [flat[i] for i in places]
    if name is not None and len(texts) == n_present and look_like_dates(texts):
        index = f", or set_index({name!r}) makes it the index" if is_pandas else ""
        raise ValueError(
            f"Expected numbers, got text such as {texts[0]!r:.50} in {where}. If these are the "
            f"times of the steps, {how_to_make_dates(cells)}; then say so, time={name!r}{index}. "
            "Else drop it."
        )
    no_number = [i for i in places if not _is_number(flat[i])]
    has_numbers = len(no_number) < n_present
    if name is not None and not has_numbers:
        raise ValueError(
            f"Expected numbers, got text in {where}.{_remedy('text', name, is_pandas)}"
        )
    at = int((no_number or places)[0])
    place = _place(where, tuple(map(int, np.unravel_index(at, array.shape))))
    how = f" {_how_to_make_numbers(cells, bool(no_number))}" if has_numbers else ""
    told = "" if name is None else f" If it tells several series apart, say so, series={name!r}."
    raise ValueError(f"Expected numbers, got the text {flat[at]!r:.50} in {place}.{how}{told}")


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _how_to_make_numbers(cells: Any, has_others: bool) -> str:
    """Return what makes numbers of text, in words, and missing values of what is no number."""
    module = type(cells).__module__.partition(".")[0]
    if module == "polars":
        how, loosely = "cast(pl.Float64) of polars", "cast(pl.Float64, strict=False) of polars"
    elif module == "pyarrow" and not has_others:
        how = loosely = "cast('float64') of Arrow"
    else:
        how, loosely = "pandas.to_numeric", "pandas.to_numeric(…, errors='coerce')"
    if not has_others:
        return f"{how} makes numbers of text."
    return f"{loosely} makes numbers of text, and missing values of what is none."


def _remedy(what: str, name: Any, is_pandas: bool) -> str:
    """Return the remedy for a column of a table that holds no numbers."""
    if name is None:
        return ""
    if what in ("dates", "durations"):
        index = f", or set_index({name!r}) makes it the index" if is_pandas else ""
        return f" If these are the times of the steps, say so, time={name!r}{index}; else drop it."
    index = f", or set_index([{name!r}, <time>]) makes it name them" if is_pandas else ""
    return (
        f" If it tells several series apart, say so, series={name!r}{index}; else drop this "
        "column, or encode it as numbers."
    )


def is_series(one: Any) -> bool:
    """Whether an element of a list is a series, and no number."""
    if isinstance(one, str | bytes):
        return False
    return (isinstance(one, Iterable) or is_array(one)) and getattr(one, "ndim", 1) != 0
