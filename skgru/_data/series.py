"""The door for series: any container of one or many series, on the grids of their clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skgru._compat import columns_of, is_array, is_list, names_of
from skgru._data.arrays import as_array, check_not_deferred, describe
from skgru._data.clock import Clock
from skgru._data.containers import Entities, Form, Long, Many, One
from skgru._data.frequencies import Fixed, Listed
from skgru._data.groups import (
    LongTable,
    check_distinct,
    check_lengths,
    find_role,
    group_rows,
    shortened,
)
from skgru._data.labels import (
    Labels,
    check_ascending,
    is_text,
    no_labels,
    read_labels,
    say_stamp,
)
from skgru._data.libraries import Level, library_of
from skgru._data.panel import Panel, Series, fill_grid
from skgru._data.series_values import is_series, read_columns, read_values
from skgru._data.spacing import Irregular, find_step, place_all
from skgru._data.times import holds_times
from skgru._nn.batch import Indices, Values
from skgru._warnings import warn

_GROUPS = "a list of its groups, [group for _, group in groups]"
# Of a grid that would have more steps, and this many for each row, most would be made up.
_LARGEST_GRID, _LARGEST_GAPS = 10_000_000, 100


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
    found, gaps = [], []
    for one in opened:
        own, own_gaps = _on_clocks(one, _steps_of(one, on_grid, irregular))
        found += own
        gaps += own_gaps
    _warn_of_gaps(gaps)
    form = Many([one.form for one in opened], [len(one.keys) for one in opened])
    names = next((one.names for one in opened if one.names is not None), None)
    return Panel(found, names, form if is_list_of_them else opened[0].form, role)


def open_covariates(X: Any, role: str, series: Any, time: Any) -> Panel:
    """Return covariates, in any container, to be matched with the series that they belong to.

    Parameters
    ----------
    X : array-like, table, or list of such
    role : str
        The container in errors.
    series, time : hashable or None
        As of `open_panel`, where X has such columns: a calendar has no series, and an index of
        dates no column of times.
    """
    (container, *_), _ = _to_list(X, False)
    names = names_of(container) or []
    if names:
        names += list(getattr(getattr(container, "index", None), "names", None) or [])
    series, time = (name if name in names else None for name in (series, time))
    return open_panel(X, series=series, time=time, role=role, on_grid=False)


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


class _Gap(NamedTuple):
    """The steps that the labels of a series leave out: how many, and the first, in words.

    And the call that adds them, in words, where that is known.
    """

    n_steps: int
    first: str
    call: str


def _on_clocks(one: _Opened, steps: Sequence[Any]) -> tuple[list[Series], list[_Gap]]:
    """Return the series of a container on the grids of their clocks, and their gaps."""
    has_grid = one.labels[0].kind is not None and not isinstance(steps[0], Listed)
    all_places = place_all(one.labels, steps[0]) if has_grid else None
    found, gaps = [], []
    parts = zip(one.keys, one.rows, one.labels, steps, strict=True)
    for i, (key, rows, labels, step) in enumerate(parts):
        values = one.values if len(one.rows) == 1 and _counts(rows) else one.values[rows]
        clock = _clock(labels, step)
        places = np.arange(len(values))
        if len(values) and labels.kind is not None and not isinstance(step, Listed):
            where = one.name(i)
            places = clock.places(labels.stamps, where) if all_places is None else all_places[i]
            n_missing = int(places[-1]) + 1 - len(places)
            if n_missing:
                _check_gaps(where, n_missing, labels)
                values = fill_grid(values, places)
                first = int(places[np.argmax(np.diff(places) > 1)]) + 1
                stamp = clock.stamps(first, first + 1)[0]
                said = f"{say_stamp(stamp, labels.style)} of {where}"
                gaps.append(_Gap(n_missing, said, _call_that_adds_steps(one, labels, step)))
        found.append(Series(key, values, clock, places, rows))
    return found, gaps


def _warn_of_gaps(gaps: Sequence[_Gap]) -> None:
    if gaps:
        n_missing = sum(gap.n_steps for gap in gaps)
        several = f"in {len(gaps)} series, " if len(gaps) > 1 else ""
        warn(
            f"The times leave out {n_missing} {'steps' if n_missing > 1 else 'step'}, {several}the "
            f"first {gaps[0].first}: they count as missing values. Rows of NaN at these times say "
            f"so, too, and end this warning{gaps[0].call}."
        )


def _call_that_adds_steps(one: _Opened, labels: Labels, step: Any) -> str:
    """Return the call that adds rows of NaN where steps are left out, in words; maybe none."""
    library = labels.style.module
    if library == "polars":
        return ": upsample(…) of polars adds them"
    if library != "pandas" or labels.kind != "dates":
        return ": reindex(…) of pandas adds them" * (library == "pandas")
    with suppress(Exception):  # each zone's library has its own
        offset = step.offset(labels.style.to_local(labels.stamps[:1])[0])
        if isinstance(one.form, One) and offset is not None:
            return f": asfreq({offset.freqstr!r}) of pandas adds them"
    return ": asfreq(…) of pandas adds them, series by series"


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


def _to_list(y: Any, has_roles: bool) -> tuple[list[Any], bool]:
    """Return one or several containers as a list, and whether there are several."""
    check_not_deferred(y, _GROUPS)
    is_container = is_array(y) or not is_list(type(y)) or not isinstance(y, Sized)
    if is_container or (has_roles and hasattr(type(y), "columns")):
        return [y], False
    series = list(y)
    return (series, True) if any(map(is_series, series)) else ([series], False)


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
        values = read_values(where, container)
    else:
        values = read_columns(where, names, columns_of(container), len(container), is_pandas)
    everything = np.arange(len(values))
    if not is_pandas:
        labels = no_labels(len(values))
        return _Opened(One(container), names, values, [None], [everything], [labels], namer)
    index = container.index
    if not hasattr(index, "levels") or index.nlevels == 1:
        labels = read_labels(f"the index of {where}", index.get_level_values(0), is_index=True)
        alone = _Opened(One(container), names, values, [None], [everything], [labels], namer)
        return _checked(alone)
    labels = _read_last_level(where, index)
    entities, rows = _split_by_entity(where, index)
    keys = [None] if entities is None else list(entities)
    parts = [labels.at(those) for those in rows]
    form = One(container) if entities is None else Entities(container, entities)
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
    values = read_columns(where, names, cells, n, hasattr(table, "iloc"))
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
    return _checked(_Opened(Long(long, first_rows), names, values, keys, rows, parts, namer))


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
    is_period = str(last.dtype).startswith("period")
    labels = read_labels(place, last) if is_period or not is_text(as_array(last)) else None
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


def _is_time_level(level: Any) -> bool:
    return str(level.dtype).startswith("period") or holds_times(as_array(level))
