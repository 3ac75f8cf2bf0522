"""Columns of pandas, polars, Arrow and NumPy: rows taken, cut into cells, and joined again.

The library that a column is of moves its cells, so that they stay what they are: dates with their
time zone, categories, nullable numbers. Each library is imported only where a table is of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from numbers import Real
from typing import Any

import numpy as np

from skgru._compat import names_of
from skgru._data.arrays import as_array, describe, exceeds_floats, is_missing
from skgru._data.columns import concatenate, to_objects
from skgru._data.forms import check_is_sequence, is_sequence
from skgru._data.selection import missing_cells
from skgru._nn.batch import Indices, Values


class Library(ABC):
    """A library of tables, and the operations on their columns.

    Attributes
    ----------
    module : str or None
        The module that it is imported from.
    """

    module: str | None = None

    def names_of(self, table: Any) -> list[Any]:
        """Return the names of the columns."""
        names = names_of(table)
        assert names is not None  # a table has them
        return names

    @abstractmethod
    def column(self, table: Any, name: Any) -> Any:
        """Return a column of a table, given its name."""

    def moves(self, column: Any) -> bool:
        """Whether the library can take cells of a column, and put them into lists."""
        return True

    @abstractmethod
    def make_column(self, cells: Values) -> Any:
        """Return an array as a column."""

    def as_column(self, cells: Any) -> Any:
        """Return an array as a column, and a column as it is."""
        return self.make_column(cells) if isinstance(cells, np.ndarray) else cells

    def adopt(self, column: Any) -> Any:
        """Return a column of any library as one of this; objects become the type that all have."""
        if library_of_column(column) is self:
            return column
        return self.make_column(np.ascontiguousarray(as_array(column)))

    @abstractmethod
    def factorize(self, column: Any) -> Indices:
        """Return codes of the cells, 0 to n_distinct - 1 and equal for equal ones; -1 = missing.

        Raises
        ------
        TypeError
            If the cells of a column of objects cannot be compared.
        """

    @abstractmethod
    def take(self, column: Any, rows: Indices) -> Any:
        """Return a column of the cells at some rows; at row -1 there is a missing one."""

    @abstractmethod
    def cut(self, column: Any, offsets: Indices) -> Any:
        """Return a column with a cell for each sequence of cells, which begin at offsets."""

    def holds_sequences(self, column: Any) -> bool:
        """Whether the cells of a column are sequences of cells."""
        return any(is_sequence(cell) for cell in islice(_present(column), 1))

    def holds_numbers(self, column: Any) -> bool:
        """Whether sequences are of plain numbers: the first one that is not empty says so."""
        said = (_is_of_numbers(sequence) for sequence in _present(column))
        return all(islice((of_numbers for of_numbers in said if of_numbers is not None), 1))

    def join(self, column: Any) -> tuple[Any, Indices]:
        """Return the cells of all sequences, as a column or an array, and how many each has.

        Raises
        ------
        ValueError
            If a cell is no sequence, or sequences have steps of unlike widths.
        """
        cells = list(column)
        for i, cell in enumerate(cells):
            check_is_sequence(i, cell)
        arrays = [as_array(cell) for cell in cells]
        lengths = _lengths(arrays)
        filled = np.flatnonzero(lengths).tolist() or [0]
        first = arrays[filled[0]]
        for i in filled:
            if arrays[i].shape[1:] != first.shape[1:]:
                raise ValueError(
                    "All sequences must have the same number of values at each step, but sequence "
                    f"{filled[0]} has shape {first.shape}, sequence {i} {arrays[i].shape}."
                )
        steps = concatenate([arrays[i].ravel() for i in filled])
        return steps.reshape(lengths.sum(), *first.shape[1:]), lengths

    @abstractmethod
    def frame(self, columns: Mapping[Any, Any], index: Any) -> Any:
        """Return columns as a table; `index` is its index where the library has one."""

    def labelled(self, column: Any, name: Any, index: Any) -> Any:
        """Return a column with its name and its index, where the library has those."""
        return column

    def index_of(self, table: Any) -> Any:
        """Return the index of a table, None where the library has none."""
        return None

    def index_from(self, column: Any, name: Any) -> Any:
        """Return a column as an index, None where the library has none."""
        return None


def _present(column: Any) -> Iterator[Any]:
    """Yield the cells of a column of objects that are not missing."""
    is_object = str(getattr(column, "dtype", "object")).lower() == "object"
    return (cell for cell in column if not is_missing(cell)) if is_object else iter(())


def _is_of_numbers(sequence: Any) -> bool | None:
    """Whether a sequence is of plain numbers; nullable ones of pandas have a type of their own.

    None is for a sequence that does not tell: it is empty, or objects that are all missing.
    """
    cells = as_array(sequence)
    if cells.dtype == object:  # which numbers may be in, too
        present = [cell for cell in cells.tolist() if not is_missing(cell)]
        cells = as_array(present)
    if not len(cells):
        return None
    return cells.dtype.kind in "biuf" and str(getattr(sequence, "dtype", "")) != "category"


def _refuse_missing(column: Any) -> None:
    """Refuse a column of lists, of polars or Arrow, of which any is missing."""
    missing = as_array(column.is_null())
    if missing.any():
        check_is_sequence(int(np.argmax(missing)), None)


def _lengths(sequences: Sequence[Any]) -> Indices:
    return np.fromiter(map(len, sequences), np.intp, len(sequences))


class Pandas(Library):
    """DataFrames of pandas; levels of the index count as columns."""

    module = "pandas"

    def names_of(self, table: Any) -> list[Any]:
        """Return the names of the columns; not those of the index."""
        return list(table.columns)

    def column(self, table: Any, name: Any) -> Any:
        """Return a column, or a level of the index as one."""
        import pandas as pd

        if isinstance(name, Level):
            return pd.Series(table.index.get_level_values(name.number))
        return table[name]

    def make_column(self, cells: Values) -> Any:
        """Return an array as a Series."""
        import pandas as pd

        return pd.Series(cells)

    def adopt(self, column: Any) -> Any:
        """Return a column of any library as a Series; texts remain objects."""
        if library_of_column(column) is self:
            return column
        series = _series(np.ascontiguousarray(as_array(column)), None)
        inferred = series.infer_objects()
        return inferred if inferred.dtype.kind in "biufmM" else series

    def factorize(self, column: Any) -> Indices:
        """Return the codes of the cells, by first appearance."""
        codes: Indices = column.factorize()[0]
        return codes

    def take(self, column: Any, rows: Indices) -> Any:
        """Return cells; whole numbers and truth values are nullable where some are missing."""
        import pandas as pd

        array = _array_of(column)
        if (rows >= 0).all():
            return _series(array.take(rows), column.name)
        array = pd.array(array) if array.dtype.kind in "iub" else array
        return _series(pd.api.extensions.take(array, rows, allow_fill=True), column.name)

    def cut(self, column: Any, offsets: Indices) -> Any:
        """Return a Series of arrays: NumPy's, or those of pandas where its type is pandas' own."""
        import pandas as pd

        array = _array_of(column)
        cells = np.empty(len(offsets) - 1, object)
        for i, (start, stop) in enumerate(pairwise(offsets.tolist())):
            cells[i] = array[start:stop]
        return pd.Series(cells)

    def holds_sequences(self, column: Any) -> bool:
        """Whether the cells of a column are lists of Arrow, or objects that are sequences."""
        return _is_list(column.dtype) or super().holds_sequences(column)

    def holds_numbers(self, column: Any) -> bool:
        """Whether the sequences of a column are of plain numbers."""
        if _is_list(column.dtype):
            return ARROW.holds_numbers(column.array.__arrow_array__())
        return super().holds_numbers(column)

    def join(self, column: Any) -> tuple[Any, Indices]:
        """Return the cells of all sequences."""
        import pandas as pd

        if _is_list(column.dtype):
            steps, lengths = ARROW.join(column.array.__arrow_array__())
            return pd.Series(steps, dtype=pd.ArrowDtype(steps.type)), lengths
        arrays = list(column)
        are_of_pandas = {isinstance(a, pd.api.extensions.ExtensionArray) for a in arrays}
        if are_of_pandas == {True}:
            filled = [array for array in arrays if len(array)] or arrays[:1]
            if len({array.dtype for array in filled}) == 1:
                steps = pd.Series(type(filled[0])._concat_same_type(filled))
            else:
                steps = pd.concat(list(map(pd.Series, filled)), ignore_index=True)
            return steps, _lengths(arrays)
        steps, lengths = super().join(column)
        return _series(steps, None) if steps.ndim == 1 else steps, lengths

    def frame(self, columns: Mapping[Any, Any], index: Any) -> Any:
        """Return columns as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(
            {name: _indexed(column, index) for name, column in columns.items()}, index=index
        )

    def labelled(self, column: Any, name: Any, index: Any) -> Any:
        """Return a Series with its name and its index."""
        return _indexed(column, index).rename(name)

    def index_of(self, table: Any) -> Any:
        """Return the index of a DataFrame."""
        return table.index

    def index_from(self, column: Any, name: Any) -> Any:
        """Return a Series as an index."""
        import pandas as pd

        index = pd.Index(column, name=name)
        # A RangeIndex would only seem to count.
        is_range = isinstance(index, pd.RangeIndex)
        return pd.Index(index.to_numpy(), name=name) if is_range else index


class Level:
    """A level of the index of a DataFrame, in the place of the name of a column.

    Parameters
    ----------
    number : int
    """

    def __init__(self, number: int) -> None:
        self.number = number


def _array_of(column: Any) -> Any:
    """Return a Series as an array: of NumPy, unless its type is pandas' own."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _series(array: Any, name: Any) -> Any:
    """Return an array as a Series; pandas would make texts and dates of objects."""
    import pandas as pd

    return pd.Series(array, name=name, dtype=object if array.dtype == object else None)


def _indexed(column: Any, index: Any) -> Any:
    return column if index is None else column.set_axis(index)


class Polars(Library):
    """DataFrames of polars."""

    module = "polars"

    def column(self, table: Any, name: Any) -> Any:
        """Return a column."""
        return table[name]

    def moves(self, column: Any) -> bool:
        """Whether a column is not one of objects of Python."""
        return str(column.dtype) != "Object"

    def make_column(self, cells: Values) -> Any:
        """Return an array as a Series; objects are read one by one."""
        import polars as pl

        return pl.Series(cells.tolist() if cells.dtype == object else cells)

    def adopt(self, column: Any) -> Any:
        """Return a column of any library as a Series; objects that are numbers become floats."""
        import polars as pl

        if str(getattr(column, "dtype", "")) != "object":
            return super().adopt(column)
        cells = [None if is_missing(cell) else cell for cell in column]
        are_numbers = all(cell is None or isinstance(cell, Real) for cell in cells)
        return pl.Series(cells, dtype=pl.Float64 if are_numbers else None, strict=not are_numbers)

    def factorize(self, column: Any) -> Indices:
        """Return the ranks of the cells."""
        if column.dtype.is_nested() or str(column.dtype) == "Object":
            return _factorize_objects(to_objects(column))
        if column.dtype.is_float():
            column = column.fill_nan(None)
        ranks: Indices = column.rank("dense").fill_null(0).to_numpy().astype(np.intp)
        return ranks - 1

    def take(self, column: Any, rows: Indices) -> Any:
        """Return cells; missing ones are null."""
        import polars as pl

        places = pl.Series(rows)
        return column.gather(places if (rows >= 0).all() else places.set(places < 0, None))

    def cut(self, column: Any, offsets: Indices) -> Any:
        """Return a Series of lists."""
        import polars as pl

        lengths = np.diff(offsets)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        sequences = pl.DataFrame([pl.Series("sequence", owners), column.alias("cell")])
        lists = sequences.group_by("sequence", maintain_order=True).agg("cell")["cell"]
        places = np.where(lengths > 0, np.cumsum(lengths > 0) - 1, -1)
        return self.take(lists, places).fill_null([])

    def holds_sequences(self, column: Any) -> bool:
        """Whether the cells of a column are lists, or objects that are sequences."""
        return _is_list(column.dtype) or super().holds_sequences(column)

    def holds_numbers(self, column: Any) -> bool:
        """Whether the lists of a column are of plain numbers."""
        if not _is_list(column.dtype):
            return super().holds_numbers(column)
        inner = column.dtype.inner
        while hasattr(inner, "inner"):  # steps of several features
            inner = inner.inner
        return bool(inner.is_numeric() or str(inner) in ("Boolean", "Null"))

    def join(self, column: Any) -> tuple[Any, Indices]:
        """Return the cells of all sequences."""
        if not _is_list(column.dtype):
            return super().join(column)
        _refuse_missing(column)
        lengths = column.list.len()
        return column.filter(lengths > 0).explode(), lengths.to_numpy().astype(np.intp)

    def frame(self, columns: Mapping[Any, Any], index: Any) -> Any:
        """Return columns as a DataFrame."""
        import polars as pl

        return pl.DataFrame([column.alias(str(name)) for name, column in columns.items()])

    def labelled(self, column: Any, name: Any, index: Any) -> Any:
        """Return a Series with its name."""
        return column.alias(str(name))


def _is_list(dtype: Any) -> bool:
    return str(dtype).lower().startswith(("list", "large_list"))


class Arrow(Library):
    """Tables of Arrow."""

    module = "pyarrow"

    def column(self, table: Any, name: Any) -> Any:
        """Return a column."""
        return table.column(name)

    def moves(self, column: Any) -> bool:
        """Whether a column is of none of the types, such as views, that Arrow lacks this for."""
        try:
            self.take(column, np.empty(0, np.intp))
        except NotImplementedError:
            return False
        return True

    def make_column(self, cells: Values) -> Any:
        """Return an array as an array of Arrow."""
        import pyarrow as pa

        return pa.array(cells.tolist() if cells.dtype.kind in "OU" else cells)

    def factorize(self, column: Any) -> Indices:
        """Return the codes of the cells."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = _combined(column)
        if pa.types.is_floating(column.type):  # in which -0.0 is 0.0
            column = pc.add(pc.if_else(pc.is_nan(column), None, column), 0.0)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type):
            return _factorize_objects(to_objects(column.to_pylist()))
        indices = column.dictionary_encode().indices
        codes: Indices = indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
        return codes

    def take(self, column: Any, rows: Indices) -> Any:
        """Return cells; missing ones are null."""
        import pyarrow as pa

        return column.take(pa.array(rows, mask=rows < 0))

    def cut(self, column: Any, offsets: Indices) -> Any:
        """Return an array of lists."""
        import pyarrow as pa

        kind = pa.ListArray if offsets[-1] < 2**31 else pa.LargeListArray
        dtype = pa.int32() if kind is pa.ListArray else pa.int64()
        return kind.from_arrays(pa.array(offsets, dtype), _combined(column))

    def holds_sequences(self, column: Any) -> bool:
        """Whether the cells of a column are lists."""
        return _is_list(column.type)

    def holds_numbers(self, column: Any) -> bool:
        """Whether the lists of a column are of plain numbers."""
        import pyarrow as pa

        kind, types = column.type, pa.types
        while types.is_nested(kind) and hasattr(kind, "value_type"):
            kind = kind.value_type
        tests = types.is_integer, types.is_floating, types.is_boolean, types.is_null
        return any(test(kind) for test in tests)

    def join(self, column: Any) -> tuple[Any, Indices]:
        """Return the cells of all sequences."""
        column = _combined(column)
        _refuse_missing(column)
        return column.flatten(), column.value_lengths().to_numpy().astype(np.intp)

    def frame(self, columns: Mapping[Any, Any], index: Any) -> Any:
        """Return columns as a table."""
        import pyarrow as pa

        return pa.table({str(name): column for name, column in columns.items()})


def _combined(column: Any) -> Any:
    """Return a column of Arrow as one array, in which there are no chunks."""
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


class Arrays(Library):
    """Dicts of arrays, structured arrays and tables that are arrays themselves."""

    def names_of(self, table: Any) -> list[Any]:
        """Return the names of the columns, or their indices."""
        names = names_of(table)
        return list(range(table.shape[1])) if names is None else names

    def column(self, table: Any, name: Any) -> Any:
        """Return a column as an array."""
        if names_of(table) is None:
            return as_array(table)[:, name]
        try:
            column = as_array(table[name])
        except TypeError as error:
            raise TypeError(f"Column {name!r}: {error}") from error
        if column.ndim != 1:
            raise ValueError(
                f"Expected a cell for each row in column {name!r}, got shape {column.shape}: make "
                "columns of its columns."
            )
        return column

    def make_column(self, cells: Values) -> Any:
        """Return the array."""
        return cells

    def factorize(self, column: Any) -> Indices:
        """Return the codes of the cells."""
        if column.dtype == object:
            return _factorize_objects(column)
        _, codes = np.unique(column, return_inverse=True)
        return np.where(missing_cells(column), -1, codes)

    def take(self, column: Any, rows: Indices) -> Any:
        """Return cells; missing ones are NaN, NaT or None, among which no number is rounded."""
        cells: Values = column[rows]
        absent = rows < 0
        if not absent.any():
            return cells
        if cells.dtype.kind == "f" or (cells.dtype.kind in "iu" and not exceeds_floats(cells)):
            return np.where(absent.reshape(-1, *[1] * (cells.ndim - 1)), np.nan, cells)
        if cells.dtype.kind in "mM":
            return np.where(absent, cells.dtype.type("NaT"), cells)
        cells = cells.astype(object)
        cells[absent] = None
        return cells

    def cut(self, column: Any, offsets: Indices) -> Any:
        """Return an object array of arrays."""
        cells = np.empty(len(offsets) - 1, object)
        for i, (start, stop) in enumerate(pairwise(offsets.tolist())):
            cells[i] = column[start:stop]
        return cells

    def frame(self, columns: Mapping[Any, Any], index: Any) -> Any:
        """Return columns side by side in an object array, of which each is a column."""
        n = len(next(iter(columns.values())))
        cells = np.empty((n, len(columns)), object)
        for j, column in enumerate(columns.values()):
            for i, cell in enumerate(column):
                cells[i, j] = cell
        return cells


def _factorize_objects(cells: Iterable[Any]) -> Indices:
    """Return the codes of objects; -1 = missing."""
    cells = list(cells)
    codes: dict[Any, int] = {}
    return np.fromiter(
        (-1 if is_missing(cell) else codes.setdefault(cell, len(codes)) for cell in cells),
        np.intp,
        len(cells),
    )


PANDAS, POLARS, ARROW, ARRAYS = Pandas(), Polars(), Arrow(), Arrays()
LIBRARIES: dict[str, Library] = {
    type(library).__name__: library for library in (PANDAS, POLARS, ARROW, ARRAYS)
}


def library_named(name: str) -> Library:
    """Return the library of a container of scikit-learn's `set_output`.

    Raises
    ------
    ValueError
        If there is no such container.
    """
    libraries: dict[str, Library] = {"pandas": PANDAS, "polars": POLARS}
    if name not in libraries:
        raise ValueError(
            f"Expected 'default', 'pandas' or 'polars' as transform of set_output, got {name!r}."
        )
    return libraries[name]


def library_of(table: Any) -> Library:
    """Return the library that a table is of.

    Raises
    ------
    TypeError
        If it is no table.
    """
    if isinstance(table, Mapping):
        return ARRAYS
    if isinstance(table, np.ndarray):
        if table.ndim == 2 or table.dtype.names is not None:
            return ARRAYS
    elif hasattr(type(table), "columns"):
        if hasattr(table, "iloc"):
            return PANDAS
        if hasattr(table, "get_columns"):
            return POLARS
        if hasattr(type(table), "column_names"):
            return ARROW
    raise TypeError(
        "Expected a table with one row per step, a DataFrame of pandas or polars, a table of "
        f"Arrow or a dict of arrays, got {describe(table)}."
    )


def library_of_column(column: Any) -> Library:
    """Return the library that a column is of: NumPy's, where it is none of the others."""
    if hasattr(type(column), "iloc"):
        return PANDAS
    if hasattr(type(column), "explode"):
        return POLARS
    return ARROW if hasattr(type(column), "to_pylist") else ARRAYS
