"""The door for series: any container of one or many series, on the grids of their clocks.

What came in is a `Panel`: its series as arrays, a row for each step, and its form, in which
predictions are given back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skgru._compat import columns_of, is_array, is_list, names_of
from skgru._data.arrays import as_array, check_not_deferred, describe, to_numbers
from skgru._data.clock import (
    Clock,
    Fixed,
    Irregular,
    Labels,
    Listed,
    check_ascending,
    check_zones,
    find_step,
    no_labels,
    place_all,
    read_labels,
    say_stamp,
)
from skgru._data.groups import (
    LongTable,
    check_distinct,
    check_lengths,
    find_role,
    group_rows,
    shortened,
)
from skgru._data.libraries import ARRAYS, PANDAS, Level, library_of
from skgru._data.times import holds_times, is_time
from skgru._nn.batch import Indices, Values
from skgru._warnings import warn

_GROUPS = "a list of its groups, [group for _, group in groups]"
# Of a grid that would have more steps, and this many for each row, most would be made up.
_LARGEST_GRID, _LARGEST_GAPS = 10_000_000, 100


class Series(NamedTuple):
    """One series on its grid.

    Attributes
    ----------
    key : hashable or None
        The entity, of a panel.
    values : ndarray of shape (n_steps, n_columns)
        Missing ones, and all of the steps that the index leaves out, are NaN.
    clock : Clock
    places : ndarray of shape (n_rows,)
        The step of each row that was given, ascending.
    rows : ndarray of shape (n_rows,)
        Where those stand in their container.
    """

    key: Any
    values: Values
    clock: Clock
    places: Indices
    rows: Indices


@dataclass(frozen=True)
class Panel:
    """Series, and how their container looked.

    Parameters
    ----------
    series : list of Series
    names : list or None
        Of the columns of values.
    form : Form
    role : str
        The container in errors.
    """

    series: list[Series]
    names: list[Any] | None
    form: Form
    role: str

    def give_back(
        self,
        parts: Sequence[Values],
        starts: Sequence[int],
        names: Sequence[Any] | None = None,
        endings: Sequence[str] | None = None,
    ) -> Any:
        """Return values in the form in which the series came.

        Parameters
        ----------
        parts : list of ndarray of shape (n_i, n_values)
            Of each series.
        starts : list of int
            The step of the first row of each, which may lie in the future.
        names : list or None, default=None
            Of the columns; None = those of the series, where there are as many.
        endings : list of str or None, default=None
            Of the names, where there are several values for each column: ``<name>_<ending>``.

        Returns
        -------
        array, Series, DataFrame, table of Arrow, dict of arrays, or list of such
            One-dimensional if the series were and there is one value in each row.
        """
        n_each = 1 if endings is None else len(endings)
        parts = [part[:, np.newaxis] if part.ndim == 1 else part for part in map(np.asarray, parts)]
        n_values = parts[0].shape[1] // n_each if parts else 1
        if names is None and self.names is not None and len(self.names) == n_values:
            names = self.names
        clocks = [one.clock for one in self.series]
        given = _Given(parts, clocks, list(starts), _listed(names), _listed(endings))
        return self.form.give_back(given)


def _listed(names: Sequence[Any] | None) -> list[Any] | None:
    return None if names is None else list(names)


# --- The forms -----------------------------------------------------------------------------------


class _Given(NamedTuple):
    """Values to be given back: of each series a part, its clock and the step of its first row."""

    parts: list[Values]
    clocks: list[Clock]
    starts: list[int]
    names: list[Any] | None
    endings: list[str] | None

    @property
    def n_values(self) -> int:
        return int(self.parts[0].shape[1])

    @property
    def is_column(self) -> bool:
        """Whether one value is given back in each row, and no more were asked for."""
        return self.n_values == 1 and self.endings is None

    @property
    def lengths(self) -> list[int]:
        return [len(part) for part in self.parts]

    def labels(self) -> list[Any]:
        """Return the labels of each part."""
        starts = zip(self.clocks, self.starts, self.lengths, strict=True)
        return [clock.labels(start, start + n) for clock, start, n in starts]

    def named(self, default: str = "y") -> list[Any]:
        """Return names for all columns of values; of one without a name, the endings alone."""
        n_names = self.n_values // len(self.endings or [""])
        names = self.names
        if names is None:
            names = [default] if n_names == 1 else [f"{default}_{j}" for j in range(n_names)]
        if self.endings is None:
            return names
        if self.names is None and default == "y" and n_names == 1:
            return self.endings
        return [f"{name}_{ending}" for name in names for ending in self.endings]

    def only(self, start: int, stop: int) -> _Given:
        """Return some of the series."""
        some = slice(start, stop)
        parts, clocks, starts = self.parts[some], self.clocks[some], self.starts[some]
        return self._replace(parts=parts, clocks=clocks, starts=starts)


class Form(ABC):
    """How a container of series looks."""

    @abstractmethod
    def give_back(self, given: _Given) -> Any:
        """Return values in such a container."""


class _One(Form):
    """One series that is a container of its own.

    Parameters
    ----------
    container : array, list, Series, DataFrame, column or table of Arrow
    """

    def __init__(self, container: Any) -> None:
        self.is_column = names_of(container) is None and _is_one_dimensional(container)
        self.name = getattr(container, "name", None) if self.is_column else None
        self.columns = getattr(container, "columns", None)
        self.is_structured = isinstance(container, np.ndarray) and container.dtype.names is not None
        self.library = "NumPy"
        kind = type(container)
        if hasattr(kind, "iloc"):
            self.library = "pandas"
        elif hasattr(kind, "get_columns") or hasattr(kind, "explode"):
            self.library = "polars"
        elif hasattr(kind, "column_names") or hasattr(kind, "to_pylist"):
            self.library = "Arrow"

    def give_back(self, given: _Given) -> Any:
        """Return values in such a container."""
        (part,) = given.parts
        is_column = self.is_column and given.is_column
        cells = part[:, 0] if is_column else part
        name = self.name if given.names is None else given.names[0]
        names = given.named() if self.name in (None, "") else given.named(self.name)
        if self.library == "pandas":
            import pandas as pd

            (index,) = given.labels()
            if is_column:
                return pd.Series(cells, index, name=name)
            return pd.DataFrame(cells, index, columns=_columns_like(self.columns, names))
        columns = dict(zip(map(str, names), part.T, strict=True))
        if self.library == "polars":
            import polars as pl

            return pl.Series(name or "", cells) if is_column else pl.DataFrame(columns)
        if self.library == "Arrow":
            import pyarrow as pa

            return pa.array(cells) if is_column else pa.table(columns)
        return _structured(columns) if self.is_structured else cells.copy()


def _columns_like(columns: Any, names: list[Any]) -> Any:
    """Return names as the columns of pandas that they are, which may have levels and a name."""
    known = [] if columns is None else list(columns)
    if not all(name in known for name in names):
        return names
    return columns[[known.index(name) for name in names]]


def _is_one_dimensional(container: Any) -> bool:
    ndim = getattr(container, "ndim", None)
    return ndim == 1 if isinstance(ndim, int) else as_array(container).ndim == 1


def _structured(columns: Mapping[str, Any]) -> Values:
    columns = {name: as_array(column) for name, column in columns.items()}
    n = len(next(iter(columns.values())))
    array = np.empty(n, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array


class _Entities(Form):
    """A Series or DataFrame of pandas whose index has entities, and times in its last level."""

    def __init__(self, container: Any, entities: Any) -> None:
        self.is_column = names_of(container) is None
        self.name = container.name if self.is_column else None
        self.columns = getattr(container, "columns", None)
        self.entities, self.names = entities, list(container.index.names)

    def give_back(self, given: _Given) -> Any:
        """Return values in such a container."""
        import pandas as pd

        repeated = self.entities.repeat(given.lengths)
        levels = [repeated.get_level_values(k) for k in range(repeated.nlevels)]
        levels.append(_joined(given.labels()))
        index = pd.MultiIndex.from_arrays(levels, names=self.names)
        values = np.concatenate(given.parts)
        if self.is_column and given.is_column:
            name = self.name if given.names is None else given.names[0]
            return pd.Series(values[:, 0], index, name=name)
        names = given.named() if self.name is None else given.named(self.name)
        return pd.DataFrame(values, index, columns=_columns_like(self.columns, names))


class _Long(Form):
    """A table with a column of times, and maybe one that says which series a row is of."""

    def __init__(self, long: LongTable, first_rows: Indices) -> None:
        library = long.library
        self.library, self.sample, self.time = library, long.sample, long.time
        self.names = {
            role: long.name_of(role, "") for role in (long.sample, long.time) if role is not None
        }
        self.entities = (
            None if long.sample is None else library.take(long.column(long.sample), first_rows)
        )
        order = [name for name in long.names if name in (long.sample, long.time)]
        levels = [role for role in (long.sample, long.time) if isinstance(role, Level)]
        self.roles = [*levels, *order]
        table = long.table
        self.is_mapping = isinstance(table, Mapping)
        self.is_structured = isinstance(table, np.ndarray) and table.dtype.names is not None

    def give_back(self, given: _Given) -> Any:
        """Return values in such a table."""
        columns: dict[Any, Any] = {}
        index: list[Any] = []
        for role in self.roles:
            if role is self.sample or (not isinstance(role, Level) and role == self.sample):
                rows = np.repeat(np.arange(len(given.parts)), given.lengths)
                cells = self.library.take(self.entities, rows)
            else:
                cells = _joined(given.labels())
            if isinstance(role, Level):
                index.append(cells)
            else:
                columns[self.names[role]] = cells
        values = np.concatenate(given.parts)
        columns |= dict(zip(given.named(), values.T, strict=True))
        if self.library is ARRAYS:
            if self.is_mapping:
                return columns
            return _structured(columns) if self.is_structured else _side_by_side(columns)
        if self.library is not PANDAS:
            return self.library.frame(
                {name: _column(self.library, cells) for name, cells in columns.items()}, None
            )
        import pandas as pd

        names = [self.names[role] or None for role in self.roles if isinstance(role, Level)]
        labels = None
        if len(index) == 1:
            labels = pd.Index(index[0], name=names[0])
        elif index:
            labels = pd.MultiIndex.from_arrays(index, names=names)
        cells = {
            name: column if isinstance(column, np.ndarray) else getattr(column, "array", column)
            for name, column in columns.items()
        }
        return pd.DataFrame(cells, index=labels)


def _column(library: Any, cells: Any) -> Any:
    return library.make_column(cells) if isinstance(cells, np.ndarray) else cells


def _side_by_side(columns: Mapping[Any, Any]) -> Values:
    arrays = [as_array(column) for column in columns.values()]
    are_numbers = all(array.dtype.kind in "biuf" for array in arrays)
    return np.column_stack(arrays if are_numbers else [array.astype(object) for array in arrays])


def _joined(labels: list[Any]) -> Any:
    """Return labels of one library one after another."""
    first, *others = labels
    if not others:
        return first
    if hasattr(type(first), "get_level_values"):
        return first.append(others)
    if hasattr(type(first), "explode"):
        import polars as pl

        return pl.concat(labels)
    if hasattr(type(first), "to_pylist"):
        import pyarrow as pa

        return pa.concat_arrays(labels)
    return np.concatenate(labels)


class _Many(Form):
    """A list of containers."""

    def __init__(self, forms: list[Form], counts: list[int]) -> None:
        self.forms, self.ends = forms, np.cumsum(counts).tolist()

    def give_back(self, given: _Given) -> list[Any]:
        """Return a list of such containers."""
        starts = [0, *self.ends]
        spans = zip(self.forms, starts, self.ends, strict=False)
        return [form.give_back(given.only(start, stop)) for form, start, stop in spans]


# --- The door ------------------------------------------------------------------------------------


class _Opened(NamedTuple):
    """A container, taken apart: of each series its key, rows and labels; the values of all rows."""

    form: Form
    names: list[Any] | None
    values: Values
    keys: list[Any]
    rows: list[Indices]
    labels: list[Labels]
    namer: _Namer

    @property
    def where(self) -> str:
        return self.namer()

    def name(self, i: int) -> str:
        """Return the name of series i in errors."""
        return self.namer(i, self.keys[i], len(self.keys) == 1)


def open_panel(
    y: Any,
    *,
    series: Any = None,
    time: Any = None,
    role: str = "y",
    on_grid: bool = True,
    irregular: str = "error",
) -> Panel:
    """Return one or many series, in any container, on the grids of their clocks.

    Parameters
    ----------
    y : array-like, column, table, list of such, or Panel
        One series: an array of shape (n_steps,) or (n_steps, n_columns), a list of numbers, a
        Series or a DataFrame, a column or a table of Arrow. Or many: a list of them; an object of
        pandas with a MultiIndex whose last level is the time; a long table, with `series`. A panel
        is opened already.
    series : hashable or None, default=None
        The column, or level of the index, that says which series a row is of.
    time : hashable or None, default=None
        The column, or level of the index, of times. The rows of such a table may be in any order.
    role : str, default="y"
        The container in errors.
    on_grid : bool, default=True
        Whether steps that an index leaves out are filled with NaN, and told in a warning. If not,
        rows stay as they are, on a clock that knows their times only: for `match`.
    irregular : {"error", "count"}, default="error"
        What to do where stamps are not equally spaced: raise an error, or warn and count each row
        as a step.

    Returns
    -------
    Panel

    Raises
    ------
    ValueError, TypeError
        If values are no numbers or infinite, series have unlike columns, or labels are missing,
        repeated, unsorted, of no kind of time or not equally spaced.
    """
    if isinstance(y, Panel):
        return y
    containers, is_list_of_them = _to_list(y, series is not None or time is not None)
    opened: list[_Opened] = []
    n_before = 0
    for container in containers:
        opened.append(_open(_Namer(role, n_before, is_list_of_them), container, series, time))
        n_before += len(opened[-1].keys)
    _check_alike(opened)
    gaps: list[str] = []
    n_missing = 0
    found: list[Series] = []
    for one in opened:
        steps = _steps_of(one, on_grid, irregular)
        has_labels = one.labels[0].kind is not None and not isinstance(steps[0], Listed)
        all_places = place_all(one.labels, steps[0]) if has_labels else None
        parts = zip(one.keys, one.rows, one.labels, steps, strict=True)
        for i, (key, rows, labels, step) in enumerate(parts):
            values = one.values if len(one.rows) == 1 and _counts(rows) else one.values[rows]
            clock = _clock(labels, step)
            places = np.arange(len(values))
            if not isinstance(step, Listed) and labels.kind is not None and len(values):
                if all_places is not None:
                    places = all_places[i]
                else:
                    places = clock.places(labels.stamps, one.name(i))
                n = int(places[-1]) + 1 - len(places)
                if n:
                    where = one.name(i)
                    _check_gaps(where, n, labels)
                    values = _on_grid(values, places)
                    first = int(np.flatnonzero(np.diff(places) > 1)[0])
                    stamp = clock.stamps(int(places[first]) + 1, int(places[first]) + 2)[0]
                    gaps.append(f"{say_stamp(stamp, labels.style)} of {where}")
                    n_missing += n
            found.append(Series(key, values, clock, places, rows))
    if gaps:
        several = f"in {len(gaps)} series, " if len(gaps) > 1 else ""
        warn(
            f"The times leave out {n_missing} {'steps' if n_missing > 1 else 'step'}, {several}the "
            f"first {gaps[0]}: they count as missing values."
        )
    form = _Many([one.form for one in opened], [len(one.keys) for one in opened])
    names = next((one.names for one in opened if one.names is not None), None)
    return Panel(found, names, form if is_list_of_them else opened[0].form, role)


@dataclass(frozen=True)
class _Namer:
    """The names of a container and its series in errors.

    Parameters
    ----------
    role : str
    n_before : int
        The series of the containers before it.
    is_one_of_several : bool
    """

    role: str
    n_before: int
    is_one_of_several: bool

    def __call__(self, i: int = 0, key: Any = None, is_alone: bool = True) -> str:
        """Return the name of series i of the container."""
        number = self.n_before + i
        entity = "" if key is None else f", which is {key!r}"
        if self.role == "series":
            return f"series {number}{entity}"
        is_numbered = self.is_one_of_several or not is_alone
        return f"series {number} of {self.role}{entity}" if is_numbered else f"{self.role}{entity}"


def _counts(rows: Indices) -> bool:
    """Whether rows are in their order."""
    return bool((rows == np.arange(len(rows))).all())


def _check_alike(opened: Sequence[_Opened]) -> None:
    """Refuse containers of unlike columns."""
    first = opened[0]
    for one in opened:
        n, n_first = one.values.shape[1], first.values.shape[1]
        if n != n_first:
            raise ValueError(
                f"Expected {n_first} features as in {first.where}, got {n} in {one.where}."
            )
        if None not in (one.names, first.names) and one.names != first.names:
            raise ValueError(
                f"Expected the columns {first.names} as in {first.where}, got {one.names} in "
                f"{one.where}."
            )


def _steps_of(one: _Opened, on_grid: bool, irregular: str) -> list[Any]:
    """Return the step of each series of a container, which is the same unless it is none."""
    listed = [Listed(labels.stamps) for labels in one.labels]
    if one.labels[0].kind is None:
        return [Fixed(1)] * len(listed)
    if not on_grid:
        return listed
    step = find_step(one.labels)
    if isinstance(step, Irregular):
        message = step.tell(one.labels[step.series], one.name(step.series))
        if irregular == "error":
            raise ValueError(f"{message}.")
        warn(f"{message}. Each row counts as a step.")
    if isinstance(step, Irregular | Listed):
        return listed
    return [step if len(labels.stamps) else Listed(labels.stamps) for labels in one.labels]


def _clock(labels: Labels, step: Any) -> Clock:
    first = (labels.stamps if len(labels.stamps) else np.zeros(1, labels.stamps.dtype))[0]
    return Clock(first, step, labels.style, labels.kind)


def _check_gaps(where: str, n: int, labels: Labels) -> None:
    if n > max(_LARGEST_GRID, _LARGEST_GAPS * len(labels.stamps)):
        raise ValueError(
            f"Expected about equally spaced stamps in {where}, got {len(labels.stamps)} between "
            f"which {n} of the most frequent step are left out: resample(…) of pandas brings them "
            "to larger steps."
        )


def _on_grid(values: Values, places: Indices) -> Values:
    filled = np.full((int(places[-1]) + 1, values.shape[1]), np.nan, values.dtype)
    filled[places] = values
    return filled


def _to_list(y: Any, has_roles: bool) -> tuple[list[Any], bool]:
    """Return one or several containers as a list, and whether there are several."""
    check_not_deferred(y, _GROUPS)
    is_container = is_array(y) or not is_list(type(y)) or not isinstance(y, Sized)
    if is_container or (has_roles and hasattr(type(y), "columns")):
        return [y], False
    series = list(y)
    return (series, True) if any(map(_is_series, series)) else ([series], False)


def _is_series(one: Any) -> bool:
    """Whether an element of a list is a series, and no number."""
    if isinstance(one, str | bytes):
        return False
    return (isinstance(one, Iterable) or is_array(one)) and getattr(one, "ndim", 1) != 0


def _open(namer: _Namer, container: Any, series: Any, time: Any) -> _Opened:
    """Return a container, taken apart."""
    where = namer()
    check_not_deferred(container, _GROUPS)
    if series is not None or time is not None:
        opened = _open_long(namer, container, series, time)
    elif isinstance(container, Mapping):
        raise ValueError(
            f"Expected an array, a DataFrame or a list of numbers as {where}, got "
            f"{describe(container)}: give several series as a list, list(series.values()), and "
            "columns as a DataFrame; or name the columns of a long table, series=… and time=…."
        )
    else:
        opened = _open_plain(namer, container)
    values = opened.values
    if values.shape[1] == 0:
        raise ValueError(f"Expected at least 1 feature, got 0 features in {where}.")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"Expected finite or missing values, got {values[row, column]} in step {row} of "
            f"{where}, feature {column}."
        )
    return opened


def _open_plain(namer: _Namer, container: Any) -> _Opened:
    """Return a container without columns of series and times."""
    where = namer()
    if hasattr(container, "toarray") and not is_array(container):
        raise ValueError(
            f"Expected dense numbers, got {describe(container)} as {where}: give its toarray()."
        )
    names = names_of(container)
    is_pandas = hasattr(container, "iloc")
    if names is None:
        values = _read_values(where, container)
    else:
        values = _read_columns(where, names, columns_of(container), len(container), is_pandas)
    everything = np.arange(len(values))
    if not is_pandas:
        labels = no_labels(len(values))
        return _Opened(_One(container), names, values, [None], [everything], [labels], namer)
    index = container.index
    if not hasattr(index, "levels") or index.nlevels == 1:
        labels = read_labels(f"the index of {where}", index.get_level_values(0), is_index=True)
        alone = _Opened(_One(container), names, values, [None], [everything], [labels], namer)
        return _checked(alone)
    labels = _read_last_level(where, index)
    entities, rows = _split_by_entity(where, index)
    keys = [None] if entities is None else list(entities)
    parts = [labels.at(those) for those in rows]
    form = _One(container) if entities is None else _Entities(container, entities)
    return _checked(_Opened(form, names, values, keys, rows, parts, namer))


def _checked(one: _Opened) -> _Opened:
    """Return a container whose labels are checked."""
    for i, labels in enumerate(one.labels):
        check_ascending(labels, one.name(i))
    return one


def _open_long(namer: _Namer, table: Any, series: Any, time: Any) -> _Opened:
    """Return a table with columns, or levels of the index, of series and times."""
    where = namer()
    library = library_of(table)
    if isinstance(table, Mapping):
        check_lengths(table)
    long = LongTable(table, library, None, None)
    check_distinct(long.names, where)
    index = library.index_of(table)
    named = [name for name in getattr(index, "names", []) if name is not None]
    hint = f"The levels of its index are {named}." if named else ""
    sample = None if series is None else find_role(long, series, "series", where, hint)
    of_time = None if time is None else find_role(long, time, "time", where, hint)
    levels = [] if index is None else list(range(index.nlevels))
    others = [k for k in levels if k != getattr(sample, "number", None)]
    if of_time is None and len(others) == 1:
        level = index.get_level_values(others[0])
        labels = read_labels(f"the index of {where}", level, is_index=True)
        of_time = None if labels.kind is None else Level(others[0])
        if labels.kind == "numbers" and not isinstance(sample, Level):
            of_time = None  # which count the rows of the table
    long = long._replace(sample=sample, time=of_time)
    used = [role for role in (sample, of_time) if not isinstance(role, Level)]
    names = [name for name in long.names if name not in used]
    if not names:
        raise ValueError(
            f"Expected a column of values in {where}, got none beside {series!r} and {time!r}: the "
            f"columns are {shortened(long.names)}."
        )
    cells = [library.column(table, name) for name in names]
    n = len(cells[0])
    values = _read_columns(where, names, cells, n, hasattr(table, "iloc"))
    if sample is None:
        keys, owners = [None], np.zeros(n, np.intp)
    else:
        groups = group_rows(long._replace(time=None))
        keys, owners = groups.samples, groups.owners
    rows_of_all = np.argsort(owners, kind="stable")
    style = no_labels(n)
    if of_time is not None:
        name = long.name_of(of_time, "time")
        # In a dict, columns of any library may be.
        cells = table[name] if isinstance(table, Mapping) else library.column(table, of_time)
        style = read_labels(f"column {name!r} of {where}", cells)
        rows_of_all = np.lexsort((style.stamps, owners))
    ends = np.cumsum(np.bincount(owners, minlength=len(keys)))[:-1]
    rows = np.split(rows_of_all, ends)
    parts = [style.at(those) if of_time is not None else no_labels(len(those)) for those in rows]
    first_rows = np.array([those[0] if len(those) else -1 for those in rows], np.intp)
    return _checked(_Opened(_Long(long, first_rows), names, values, keys, rows, parts, namer))


def _split_by_entity(where: str, index: Any) -> tuple[Any, list[Indices]]:
    """Return the entities of a MultiIndex, in order of first appearance, and the rows of each."""
    if any((np.asarray(codes) < 0).any() for codes in index.codes):
        raise ValueError(f"Expected an index without missing labels, got some in {where}.")
    if len(index) == 0:
        return None, [np.arange(0)]
    entity_of, entities = index.droplevel(-1).factorize()
    rows = np.argsort(entity_of, kind="stable")
    return entities, np.split(rows, np.cumsum(np.bincount(entity_of))[:-1])


def _read_last_level(where: str, index: Any) -> Labels:
    """Return the last level of a MultiIndex, which are times or numbers."""
    place = f"the last level of the index of {where}"
    last = index.get_level_values(-1)
    is_text = holds_text(last)
    labels = None if is_text else read_labels(place, last)
    is_misplaced = (
        labels is not None
        and labels.kind == "numbers"
        and any(map(_is_time_level, index.levels[:-1]))
    )
    if labels is None or is_misplaced:
        raise ValueError(
            f"Expected times or numbers in {place}, and what tells the series apart in those "
            f"before, got the levels {list(index.names)}: reorder_levels brings them in that order."
        )
    return labels


def holds_text(labels: Any) -> bool:
    """Whether an index of pandas is one of text."""
    if str(labels.dtype).startswith("period"):
        return False
    array = as_array(labels)
    types = set(map(type, array.flat)) if array.dtype == object else set()
    is_text = any(issubclass(kind, str | bytes) for kind in types)
    return array.dtype.kind in "bUST" or (is_text and not any(map(is_time, types)))


def _is_time_level(level: Any) -> bool:
    return str(level.dtype).startswith("period") or holds_times(as_array(level))


# --- Values --------------------------------------------------------------------------------------


def _read_columns(
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


def _read_values(where: str, series: Any) -> Values:
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
    if what is not None:
        raise ValueError(
            f"Expected numbers, got {what} in {where}.{_remedy(what, name, is_pandas)}"
        )
    try:
        return to_numbers(array, partial(_place, where))
    except TypeError as error:
        several = " Several series are given as a list of them."
        raise ValueError(f"{error}{several * any(map(_is_series, array.flat))}") from error


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


# --- Covariates ----------------------------------------------------------------------------------


class Matched(NamedTuple):
    """Covariates of a series, on its clock.

    Attributes
    ----------
    values : ndarray of shape (n_steps, n_columns)
        Steps without a row are NaN.
    offset : int
        The step of the series that the first row is of.
    """

    values: Values
    offset: int


def roles_in(container: Any, series: Any, time: Any) -> dict[str, Any]:
    """Return which of the columns of series and times covariates have, as options of `open_panel`.

    A calendar has no series, and an index of dates no column of times.
    """
    container, _ = _to_list(container, False)
    names = names_of(container[0])
    if names is None:
        return {}
    names += list(getattr(getattr(container[0], "index", None), "names", None) or [])
    roles = {"series": series, "time": time}
    return {role: name for role, name in roles.items() if name is not None and name in names}


def match(y: Panel, x: Panel, *, ahead: bool = False) -> list[Matched]:
    """Return for each series of y the rows of x, on the clock of y.

    Rows belong together by the entity, where both have entities, and by the stamps, where both have
    stamps; else by their order. One x with stamps and without entities belongs to all series. An
    x without either, with as many rows as the table of y, has the same rows.

    Parameters
    ----------
    y : Panel
    x : Panel
        Opened with ``on_grid=False``, so that its stamps need no step of their own.
    ahead : bool, default=False
        Whether rows that have no stamps, or y none, follow those of y; if not, they are the same
        rows, and those beyond them follow.

    Raises
    ------
    ValueError
        If an entity is missing, a stamp lies off the clock of y, or rows cannot be told to belong.
    """
    keys = [one.key for one in y.series]
    x_keys = [one.key for one in x.series]
    n_rows = sum(len(one.rows) for one in y.series)
    has_keys = None not in keys and None not in x_keys
    if has_keys:
        partners = _by_key(y, x)
    elif len(x.series) == 1 and (len(y.series) == 1 or _are_both_dated(y, x)):
        partners = x.series * len(y.series)
    elif not (ahead or isinstance(y.form, _Many)) and _counts_rows(x, n_rows):
        return [_of_rows(one, x.series[0]) for one in y.series]
    elif len(x.series) == len(y.series):
        partners = x.series
    else:
        raise ValueError(
            f"Expected {x.role} for {len(y.series)} series, one of each in the same order, or rows "
            f"with the entities of {y.role}, or one with dates for all, got {len(x.series)} series "
            f"of {len(x.series[0].values)} rows."
        )
    return [
        _match_one(one, other, y, x, ahead) for one, other in zip(y.series, partners, strict=True)
    ]


def _counts_rows(x: Panel, n_rows: int) -> bool:
    return len(x.series) == 1 and len(x.series[0].values) == n_rows


def _are_both_dated(y: Panel, x: Panel) -> bool:
    return x.series[0].clock.has_dates and y.series[0].clock.has_dates


def _by_key(y: Panel, x: Panel) -> list[Series]:
    series = {one.key: one for one in x.series}
    for one in y.series:
        if one.key not in series:
            raise ValueError(
                f"Expected rows of each series of {y.role} in {x.role}, got none of {one.key!r}."
            )
    return [series[one.key] for one in y.series]


def _of_rows(one: Series, x: Series) -> Matched:
    """Return the rows of x that stand where the rows of a series stand in their container."""
    values = np.full((len(one.values), x.values.shape[1]), np.nan, x.values.dtype)
    values[one.places] = x.values[one.rows]
    return Matched(values, 0)


def _match_one(one: Series, x: Series, y_panel: Panel, x_panel: Panel, ahead: bool) -> Matched:
    clock, other = one.clock, x.clock
    where = x_panel.role if x.key is None else f"{x_panel.role}, of which {x.key!r}"
    given, n_rows = x.values[x.places], len(one.places)
    continues = _continue_count(clock, other)
    if ahead and None in (clock.kind, other.kind) and not continues:
        return Matched(given, len(one.values))
    counts = other.kind == "numbers" and clock.has_dates and len(given) == n_rows and not ahead
    if continues:
        places = other.stamps(0, len(x.values))[x.places].astype(np.intp)
    elif counts or None in (
        clock.kind,
        other.kind,
    ):  # rows beyond those of the series are its future
        future = np.arange(max(0, len(given) - n_rows)) + len(one.values)
        places = np.concatenate([one.places, future])[: len(given)]
    elif other.kind == clock.kind or (clock.has_dates and other.has_dates):
        check_zones(other, clock, where, y_panel.role)
        stamps = other.stamps(0, len(x.values))[x.places]
        places = clock.places(stamps, f"the times of {where}")
    else:
        raise ValueError(
            f"Expected {clock.kind} as the index of {where}, as {y_panel.role} has, got "
            f"{other.kind}: set_index(…) of pandas makes the dates the index."
        )
    if not len(places):
        return Matched(given, 0)
    offset = int(places[0])
    if len(places) == int(places[-1]) + 1 - offset:
        return Matched(given, offset)
    return Matched(_on_grid(given, places - offset), offset)


def _continue_count(clock: Clock, other: Clock) -> bool:
    """Whether labels are counted as those of a series with the default index are, from later on."""
    is_count = clock.kind is None and getattr(clock.style, "is_range", False)
    return is_count and other.kind == "numbers" and getattr(other.style, "is_range", False)
