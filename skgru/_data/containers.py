"""Containers of series: how they looked, to give back other values in such a container."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skgru._compat import names_of
from skgru._data.arrays import as_array
from skgru._data.clock import Clock
from skgru._data.groups import LongTable
from skgru._data.libraries import LIBRARIES, Arrays, Level, Library, Pandas, library_of_column
from skgru._data.plain import library_named, of_plain, to_plain
from skgru._nn.batch import Indices, Values


class Given(NamedTuple):
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

    def joined_labels(self) -> Any:
        """Return the labels of all parts, one after another."""
        return self.clocks[0].style.join(self.labels())

    def named(self, name: Any = None) -> list[Any]:
        """Return names for all columns of values, given that of the series, if it has one.

        Of one series without a name they are the endings alone.
        """
        is_nameless = name is None or name == ""
        n_names = self.n_values // len(self.endings or [""])
        names = self.names
        if names is None:
            base = "y" if is_nameless else name
            names = [base] if n_names == 1 else [f"{base}_{j}" for j in range(n_names)]
        if self.endings is None:
            return names
        if self.names is None and is_nameless and n_names == 1:
            return self.endings
        return [f"{name}_{ending}" for name in names for ending in self.endings]

    def only(self, start: int, stop: int) -> Given:
        """Return some of the series."""
        some = slice(start, stop)
        parts, clocks, starts = self.parts[some], self.clocks[some], self.starts[some]
        return self._replace(parts=parts, clocks=clocks, starts=starts)


class Form(ABC):
    """How a container of series looks."""

    @abstractmethod
    def give_back(self, given: Given) -> Any:
        """Return values in such a container."""

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        values = {name: _plain(value) for name, value in vars(self).items()}
        return {"kind": type(self).__name__, **values}


def _plain(value: Any) -> Any:
    return {"library": type(value).__name__} if isinstance(value, Library) else to_plain(value)


def _of_plain(value: Any) -> Any:
    if not (isinstance(value, dict) and "library" in value):
        return of_plain(value)
    library = LIBRARIES[value["library"]]
    if library.module is not None:
        library_named(library.module)
    return library


def form_of_state(state: Mapping[str, Any]) -> Form:
    """Return the form of a `state`.

    Raises
    ------
    ImportError
        If its library is not installed.
    """
    kind = {one.__name__: one for one in (One, Entities, Long, Many)}[state["kind"]]
    form = kind.__new__(kind)
    if kind is Many:
        forms = [form_of_state(one) for one in state["forms"]]
        vars(form).update(forms=forms, ends=state["ends"])
    else:
        values = {name: value for name, value in state.items() if name != "kind"}
        vars(form).update({name: _of_plain(value) for name, value in values.items()})
    return form


class One(Form):
    """One series that is a container of its own.

    Parameters
    ----------
    container : array, list, Series, DataFrame, column or table of Arrow
    """

    def __init__(self, container: Any) -> None:
        self.is_column = names_of(container) is None and _is_one_dimensional(container)
        self.name = getattr(container, "name", None) if self.is_column else None
        self.is_structured = isinstance(container, np.ndarray) and container.dtype.names is not None
        self.library = library_of_column(container)
        is_frame = isinstance(self.library, Pandas) and not self.is_column
        self.columns = container.columns if is_frame else None

    def give_back(self, given: Given) -> Any:
        """Return values in such a container."""
        (part,) = given.parts
        is_column = self.is_column and given.is_column
        cells = part[:, 0] if is_column else part
        name = self.name if given.names is None else given.names[0]
        names = given.named(self.name)
        if isinstance(self.library, Pandas):
            import pandas as pd

            (index,) = given.labels()
            if is_column:
                return pd.Series(cells, index, name=name)
            return pd.DataFrame(cells, index, columns=_columns_like(self.columns, names))
        columns = dict(zip(map(str, names), part.T, strict=True))
        if isinstance(self.library, Arrays):
            return _structured(columns) if self.is_structured else cells.copy()
        if is_column:
            return self.library.labelled(self.library.make_column(cells), name or "", None)
        return self.library.frame(
            {name: self.library.make_column(cells) for name, cells in columns.items()}, None
        )


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


class Entities(Form):
    """A Series or DataFrame of pandas whose index has entities, and times in its last level."""

    def __init__(self, container: Any, entities: Any) -> None:
        self.is_column = names_of(container) is None
        self.name = container.name if self.is_column else None
        self.columns = getattr(container, "columns", None)
        self.entities, self.names = entities, list(container.index.names)

    def give_back(self, given: Given) -> Any:
        """Return values in such a container."""
        import pandas as pd

        repeated = self.entities.repeat(given.lengths)
        levels = [repeated.get_level_values(k) for k in range(repeated.nlevels)]
        levels.append(given.joined_labels())
        index = pd.MultiIndex.from_arrays(levels, names=self.names)
        values = np.concatenate(given.parts)
        if self.is_column and given.is_column:
            name = self.name if given.names is None else given.names[0]
            return pd.Series(values[:, 0], index, name=name)
        names = given.named(self.name)
        return pd.DataFrame(values, index, columns=_columns_like(self.columns, names))


class Long(Form):
    """A table with a column of times, and maybe one that says which series a row is of."""

    def __init__(self, long: LongTable, first_rows: Indices) -> None:
        self.library = long.library
        self.entities = (
            None if long.sample is None else self.library.take(long.column(long.sample), first_rows)
        )
        given = {"sample": long.sample, "time": long.time}
        roles = {role: own for role, own in given.items() if own is not None}
        # The names of the levels of the index and of the columns of samples and times, in order.
        levels = {role: own for role, own in roles.items() if isinstance(own, Level)}
        self.levels = {role: long.name_of(level, "") for role, level in levels.items()}
        columns = {own: role for role, own in reversed(roles.items()) if role not in levels}
        self.columns = {columns[name]: name for name in long.names if name in columns}
        table = long.table
        self.is_mapping = isinstance(table, Mapping)
        self.is_structured = isinstance(table, np.ndarray) and table.dtype.names is not None

    def give_back(self, given: Given) -> Any:
        """Return values in such a table."""
        index = [self._cells(role, given) for role in self.levels]
        columns = {name: self._cells(role, given) for role, name in self.columns.items()}
        values = np.concatenate(given.parts)
        columns |= dict(zip(given.named(), values.T, strict=True))
        if isinstance(self.library, Arrays):
            if self.is_mapping:
                return columns
            return _structured(columns) if self.is_structured else _side_by_side(columns)
        if not isinstance(self.library, Pandas):
            return self.library.frame(
                {name: self.library.as_column(cells) for name, cells in columns.items()}, None
            )
        import pandas as pd

        names = [name or None for name in self.levels.values()]
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

    def _cells(self, role: str, given: Given) -> Any:
        """Return the samples, or the times, of all rows."""
        if role == "time":
            return given.joined_labels()
        rows = np.repeat(np.arange(len(given.parts)), given.lengths)
        return self.library.take(self.entities, rows)


def _side_by_side(columns: Mapping[Any, Any]) -> Values:
    arrays = [as_array(column) for column in columns.values()]
    are_numbers = all(array.dtype.kind in "biuf" for array in arrays)
    return np.column_stack(arrays if are_numbers else [array.astype(object) for array in arrays])


class Many(Form):
    """A list of containers."""

    def __init__(self, forms: list[Form], counts: list[int]) -> None:
        self.forms, self.ends = forms, np.cumsum(counts).tolist()

    def give_back(self, given: Given) -> list[Any]:
        """Return a list of such containers."""
        starts = [0, *self.ends]
        spans = zip(self.forms, starts, self.ends, strict=False)
        return [form.give_back(given.only(start, stop)) for form, start, stop in spans]

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        forms = [form.state for form in self.forms]
        return {"kind": "Many", "forms": forms, "ends": self.ends}
