"""Keys: the identifiers of samples and channels, equal wherever they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from skgru._data.arrays import as_array, describe, is_missing
from skgru._data.columns import Rows, to_column, to_objects
from skgru._data.times import is_time, to_keys, to_times
from skgru._nn.batch import Indices, Values


def keys_of(column: Values) -> list[Any]:
    """Return a column as a list of keys that hash the same wherever they come from."""
    if column.dtype.kind in "mM":
        return to_keys(to_times(column))
    ids: list[Any] = column.tolist()
    if any(map(is_time, set(map(type, ids)))):
        times = {cell for cell in ids if is_time(type(cell)) and not is_missing(cell)}
        keys = {time: to_keys(to_times(to_objects([time])))[0] for time in times}
        ids = [keys.get(cell, cell) if is_time(type(cell)) else cell for cell in ids]
    return ids


def keys_as_array(ids: Sequence[Any]) -> Values:
    """Return ids as an array, of numbers if all are."""
    are_numbers = all(isinstance(key, int | float) for key in ids)
    return as_array(ids) if ids and are_numbers else to_objects(ids)


def number_keys(column: Values, rows: Rows, name: Any) -> tuple[list[Any], Indices]:
    """Return the distinct ids in order of first appearance, and the place of each in that list."""
    ids = keys_of(column)
    try:
        place = {key: place for place, key in enumerate(dict.fromkeys(ids))}
    except TypeError as error:
        i = next(i for i, key in enumerate(ids) if not _is_hashable(key))
        raise ValueError(
            f"Expected a hashable {name} in every row, got {describe(ids[i])} in {rows.name(i)}."
        ) from error
    places = np.fromiter(map(place.__getitem__, ids), dtype=np.intp, count=len(ids))
    for key in place:
        if is_missing(key) or _may_be_rounded(key, column.dtype):
            row = rows.name(np.flatnonzero(places == place[key])[0])
            if is_missing(key):
                raise ValueError(f"Expected a {name} in every row, got {key!r} in {row}.")
            raise ValueError(f"{_rounded(key, column.dtype)} as {name} in {row}.")
    return list(place), places


def distinct_keys(ids: Any, name: str) -> list[Any]:
    """Return the ids of the parameter `name` as a list, checked to have each once."""
    if isinstance(ids, str):
        raise ValueError(f"Expected an array-like of {name}, got the string {ids!r}.")
    column = to_column(ids, name)
    ids = keys_of(column)
    for key in ids:
        if not _is_hashable(key):
            raise ValueError(f"Expected hashable {name}, got {describe(key)}.")
    counts = Counter(ids)
    for key, count in counts.items():
        if is_missing(key) or count > 1:
            raise ValueError(f"Expected distinct {name}, got {key!r} {count} times.")
        if _may_be_rounded(key, column.dtype):
            raise ValueError(f"{_rounded(key, column.dtype)} in {name}.")
    return list(counts)


def _is_hashable(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _may_be_rounded(key: Any, dtype: np.dtype) -> bool:
    """Whether a key is a float so large that several whole numbers may have become it."""
    return isinstance(key, float) and abs(key) >= 2.0 ** (_digits(dtype) + 1)


def _digits(dtype: np.dtype) -> int:
    return np.finfo(dtype).nmant if dtype.kind == "f" else 52


def _rounded(key: Any, dtype: np.dtype) -> str:
    """Return the error of a key that may have been rounded."""
    return (
        f"Expected integers or strings as ids, and floats only below 2**{_digits(dtype) + 1}, as "
        f"unlike ids beyond may have become equal, got {key!r}"
    )


def check_types_of_keys(asked: Sequence[Any], found: Sequence[Any], name: str, column: Any) -> None:
    """Refuse ids that no key found in a column can equal, as their types differ."""
    types = {type_of_key(key): key for key in found}
    equal = set(asked).intersection(found)
    for key in asked if found else ():
        if key not in equal and type_of_key(key) not in types:
            example = next(iter(types.values()))
            raise ValueError(
                f"Expected {name} of the type of those in column {column!r}, such as "
                f"{example!r} of type {type(example).__name__}, got {key!r} of type "
                f"{type(key).__name__}, which equals none of them. Convert {name} or the column."
            )


def type_of_key(key: Any) -> Any:
    """Return the type that ids must share to be equal."""
    if isinstance(key, tuple):
        return tuple(map(type_of_key, key))
    if is_time(type(key)):
        return date if isinstance(key, date | np.datetime64) else timedelta
    for kind in (str, bytes):
        if isinstance(key, kind):
            return kind
    return Real if isinstance(key, Real | Decimal | np.bool_) else type(key)
