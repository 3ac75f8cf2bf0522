"""The rows of a long table, one for each step, by sample and in order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from skgru._data.arrays import check_not_deferred, describe, is_missing
from skgru._data.columns import Rows, parse_times, to_column
from skgru._data.forms import is_frame, is_sequence
from skgru._data.keys import check_types_of_keys, distinct_keys, number_keys
from skgru._data.libraries import Level, Library, library_of
from skgru._data.times import has_zone
from skgru._nn.batch import Indices, Values

EVENTS = (
    "A table with a row per value, with columns of sample, time, channel and value, is for "
    "SequenceAligner."
)


class LongTable(NamedTuple):
    """A long table, and which of its columns say whose step a row is, and when.

    Attributes
    ----------
    table : DataFrame, table of Arrow, dict of arrays or ndarray
    library : Library
    sample : hashable or Level
    time : hashable, Level or None
        None = the rows are in order of time.
    """

    table: Any
    library: Library
    sample: Any
    time: Any

    @property
    def names(self) -> list[Any]:
        """The names of the columns."""
        return self.library.names_of(self.table)

    def column(self, name: Any) -> Any:
        """Return a column, of a type whose cells the library can move."""
        column = self.library.column(self.table, name)
        if not self.library.moves(column):
            kind = getattr(column, "dtype", getattr(column, "type", None))
            raise TypeError(
                f"Expected columns whose cells can be put into lists, but column {name!r} has type "
                f"{kind}: cast it, or leave it out."
            )
        return column

    def name_of(self, role: Any, default: str) -> Any:
        """Return the name of the column of samples or of times; that of a level may be missing."""
        if not isinstance(role, Level):
            return role
        name = self.table.index.names[role.number]
        return default if name is None else name


def open_long_table(table: Any, sample: Any, time: Any) -> LongTable:
    """Return a long table.

    Parameters
    ----------
    table : DataFrame of pandas or polars, table of Arrow, dict of arrays, ndarray
    sample : hashable or None
        The column, or the level of the index, of samples; None = the first level of a MultiIndex.
    time : hashable or None
        The same of times; None = the other level of a MultiIndex, or an index of dates or
        durations; if there is neither, the rows are in order of time.

    Raises
    ------
    ValueError, TypeError
        If it is no table, or has no such column.
    """
    check_not_deferred(table, "the table that was grouped, with sample='…'")
    library = library_of(table)
    long = LongTable(table, library, sample, time)
    if isinstance(table, Mapping):
        check_lengths(table)
    check_distinct(long.names, "table")
    index = library.index_of(table)
    levels = [] if index is None else list(index.names)
    if sample is None and len(levels) < 2:
        raise ValueError(
            "Expected sample, the name of the column that says which sample a row belongs to; the "
            f"columns of table are {shortened(long.names)}."
        )
    if len(levels) > 2:
        raise ValueError(
            f"Expected an index of samples and times at most, got the levels {levels}: make "
            "columns of them, table.reset_index()."
        )
    of_sample = Level(0) if sample is None else find_role(long, sample, "sample")
    of_time = None if time is None else find_role(long, time, "time")
    if time is None:
        others = [k for k in range(len(levels)) if k != getattr(of_sample, "number", None)]
        is_other_level = len(levels) == 2 and isinstance(of_sample, Level)
        if others and (is_other_level or (len(levels) == 1 and index.dtype.kind in "mM")):
            of_time = Level(others[0])
    return long._replace(sample=of_sample, time=of_time)


def check_lengths(columns: Mapping[Any, Any]) -> None:
    """Refuse columns of unlike lengths."""
    lengths = {name: len(cells) for name, cells in columns.items() if is_sequence(cells)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected columns of one length in table, got the lengths {lengths}.")


def check_distinct(names: Sequence[Any], parameter: str) -> None:
    """Refuse names of columns of which one comes twice."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(
                f"Expected each column in {parameter} once, got {name!r} {count} times."
            )


def find_role(
    long: LongTable, name: Any, parameter: str, where: str = "table", hint: str = EVENTS
) -> Any:
    """Return the name of a column, or the level of the index that has that name."""
    index = long.library.index_of(long.table)
    levels = [] if index is None else list(index.names)
    is_one = isinstance(name, tuple) and name in [*long.names, *levels]
    if is_sequence(name) and not is_one:
        got = repr(name) if isinstance(name, list | tuple) else describe(name)
        raise ValueError(
            f"Expected the name of one column as {parameter}, got {got}. Make one column of "
            "several, such as table.groupby([…]).ngroup() of pandas."
        )
    if name not in long.names and name in levels:
        return Level(levels.index(name))
    find_columns(long, [name], parameter, where, hint)
    return name


def find_columns(
    long: LongTable,
    names: Sequence[Any],
    parameter: str,
    where: str = "table",
    hint: str = EVENTS,
) -> None:
    """Refuse names of columns that a table does not have; the hint is for those unlike any."""
    known = long.names
    for name in names:
        if name not in known:
            close = get_close_matches(str(name), map(str, known), n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else hint
            raise ValueError(
                f"Expected {parameter} to name columns of {where}, which are {shortened(known)}, "
                f"got {name!r}. {remedy}".rstrip()
            )


def shortened(names: Sequence[Any]) -> str:
    """Return names for an error, the first of many."""
    shown = repr(list(names[:20]))
    return shown if len(names) <= 20 else f"{shown[:-1]}, …] ({len(names)} in all)"


class Groups(NamedTuple):
    """The rows of samples.

    Attributes
    ----------
    samples : list
        Their identifiers.
    order : ndarray of shape (n_grouped_rows,)
        The rows of all samples side by side, those of a sample by time.
    offsets : ndarray of shape (n_samples + 1,)
        Where each sample's begin in `order`.
    owners : ndarray of shape (n_rows,)
        The sample of each row of the table, -1 where it is not among the samples.
    first_rows : ndarray of shape (n_samples,)
        The row of each sample's first step, -1 where it has none.
    """

    samples: list[Any]
    order: Indices
    offsets: Indices
    owners: Indices
    first_rows: Indices

    @property
    def lengths(self) -> Indices:
        """How many rows each sample has, (n_samples,)."""
        lengths: Indices = np.diff(self.offsets)
        return lengths

    def name(self, i: Any) -> str:
        """Return the name of sample i in errors."""
        return f"sample {self.samples[i]!r}"


def group_rows(long: LongTable, samples: Any = None) -> Groups:
    """Return the rows of each sample, by time; those of one time stay in their order.

    Parameters
    ----------
    long : LongTable
    samples : array-like or None, default=None
        The samples, in this order; None = all, in order of their first row.

    Raises
    ------
    ValueError
        If a sample or a time is missing, or `samples` are not those of the table.
    """
    found, owners = _samples_of(long)
    if samples is not None:
        if is_frame(samples):
            raise ValueError(
                "Expected an array-like of samples, got a DataFrame: those of X are X.index."
            )
        asked = distinct_keys(samples, "samples")
        _check_zones(samples, long)
        check_types_of_keys(asked, found, "samples", long.name_of(long.sample, "sample"))
        place = {key: i for i, key in enumerate(asked)}
        owners = np.array([place.get(key, -1) for key in found], np.intp)[owners]
        found = asked
    times = None if long.time is None else _times_of(long)
    lengths = np.bincount(owners[owners >= 0], minlength=len(found))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    order = _order(owners, times)[len(owners) - offsets[-1] :]
    first_rows = np.full(len(found), -1, np.intp)
    filled = lengths > 0
    first_rows[filled] = order[offsets[:-1][filled]]
    return Groups(found, order, offsets, owners, first_rows)


def _check_zones(samples: Any, long: LongTable) -> None:
    """Refuse dates with a time zone beside dates without: they would be read as those of UTC."""
    are_zoned, column_is_zoned = has_zone(samples), has_zone(long.column(long.sample))
    if None not in (are_zoned, column_is_zoned) and are_zoned != column_is_zoned:
        name = long.name_of(long.sample, "sample")
        said = "with a time zone", "without a time zone"
        raise ValueError(
            f"Expected samples {said[not column_is_zoned]}, as the dates of column {name!r} are, "
            f"got dates {said[not are_zoned]}: tz_localize of pandas gives dates a zone."
        )


def _order(owners: Indices, times: Values | None) -> Indices:
    """Return the rows by sample and time, those of no sample first."""
    later = owners[1:] - owners[:-1]
    is_sorted = later >= 0
    if times is not None and is_sorted.all():
        is_sorted &= (times[1:] >= times[:-1]) | (later > 0)
    if is_sorted.all():
        return np.arange(len(owners))
    order: Indices
    order = np.argsort(owners, kind="stable") if times is None else np.lexsort((times, owners))
    return order


def _samples_of(long: LongTable) -> tuple[list[Any], Indices]:
    """Return the samples in order of their first row, and the place of each row's among them."""
    name = long.name_of(long.sample, "sample")
    column = long.column(long.sample)
    try:
        codes = long.library.factorize(column)
    except TypeError as error:
        raise ValueError(
            f"Expected a text, a number or a date in every row of {name!r}: {error}."
        ) from error
    if len(codes) == 0:
        raise ValueError("Expected a table with at least one row, got none.")
    if (codes < 0).any():
        raise ValueError(
            f"Expected a sample in every row of {name!r}, got a missing one in row "
            f"{np.argmin(codes)}, {np.count_nonzero(codes < 0)} in all: fill them in, or leave "
            "those rows out."
        )
    codes, first_rows = _by_first_row(codes)
    distinct = to_column(long.library.take(column, first_rows), name)
    # Cells of several types can be one identifier: a date of Python and one of pandas.
    samples, places = number_keys(distinct, Rows(first_rows), name)
    return samples, places[codes]


def _by_first_row(codes: Indices) -> tuple[Indices, Indices]:
    """Return codes in order of first appearance, and the first row of each."""
    first_rows = np.empty(codes.max() + 1, np.intp)
    first_rows[codes[::-1]] = np.arange(len(codes))[::-1]  # of several rows the last one stays
    by_row = np.argsort(first_rows)
    places = np.empty_like(by_row)
    places[by_row] = np.arange(len(by_row))
    return places[codes], first_rows[by_row]


def _times_of(long: LongTable) -> Values:
    """Return the times of all rows as numbers that can be compared exactly."""
    name = long.name_of(long.time, "time")
    cells = to_column(long.column(long.time), f"column {name!r}")
    times = parse_times(cells, Rows(np.arange(len(cells))), name)
    return times.view(np.int64) if times.dtype.kind == "m" else times


def check_constant(long: LongTable, groups: Groups, name: Any, hint: str) -> None:
    """Refuse a column that has several values in a sample; a missing one is a value."""
    column = long.column(name)
    try:
        codes = long.library.factorize(column)
    except TypeError as error:
        raise ValueError(f"Expected cells of column {name!r} to compare: {error}.") from error
    firsts = np.append(codes[groups.first_rows], 0)[groups.owners]
    differs = (codes != firsts) & (groups.owners >= 0)
    if differs.any():
        row = int(np.argmax(differs))
        sample = groups.owners[row]
        first = groups.first_rows[sample]
        cells = to_column(long.library.take(column, np.array([first, row])), f"column {name!r}")
        values = [None if is_missing(cell) else cell for cell in cells.tolist()]
        raise ValueError(
            f"Expected one value of {name!r} for each sample, but {groups.name(sample)} has "
            f"{values[0]!r} in row {first} and {values[1]!r} in row {row}. {hint}"
        )
