"""Rows of a table: opened, parsed, and as numbers and categories that the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from skgru._data.arrays import as_array, describe
from skgru._data.categories import (
    Column,
    are_missing,
    codes_of,
    kind_of,
    parse_cells,
    present_cells,
)
from skgru._data.forms import is_frame
from skgru._data.inputs import Input, Line, Origins, known
from skgru._data.parsing import Parsed
from skgru._data.scaling import (
    mean_and_scale,
    mean_and_weight,
    median_and_scale,
    scale_values,
    slopes_of_scaled,
)
from skgru._data.selection import Selected, Selection, take_columns
from skgru._data.sequences import Sequences, offsets_of
from skgru._data.step_weights import StepWeights
from skgru._data.steps import RowSteps
from skgru._nn.batch import Array
from skgru._nn.rows import Rows
from skgru._saved import expect, expect_array, expect_scales, expect_size, expect_sorted
from skgru._settings import Settings
from skgru._spec import FeedForwardSpec, InputSpec
from skgru._warnings import warn

_KINDS = {"number", "bool", "text", "category"}
# Of a column of more categories, each has a vector of its own.
_MAX_ONE_HOT = 10
# Of a column of texts in so many rows, a larger share of different ones are no categories.
_MANY_ROWS, _MOSTLY = 20, 0.9


class OpenedTable(NamedTuple):
    """A table without its container.

    Attributes
    ----------
    columns : list of Column
    matrix : sparse matrix of shape (n, n_features) or None
        In place of the columns.
    absent : ndarray of shape (n,)
        Which rows are not there.
    """

    columns: list[Column]
    matrix: Any
    absent: NDArray[np.bool_]


def open_table(selected: Selected) -> OpenedTable:
    """Return some columns of X as a table; rows of which all cells are missing are absent."""
    columns = [
        Column(cells, name, is_category)
        for cells, name, is_category in zip(
            selected.columns, selected.names, selected.are_categories, strict=True
        )
    ]
    return OpenedTable(columns, None, selected.are_missing)


def open_output(output: Any, present: NDArray[np.bool_]) -> OpenedTable:
    """Return the output of a transformer as a table.

    Parameters
    ----------
    output : DataFrame, array-like or sparse matrix of as many rows as are present
    present : ndarray of shape (n,)
        Which samples have a row.

    Raises
    ------
    ValueError
        If it is no table.
    """
    n_rows = np.count_nonzero(present)
    rows = np.zeros(len(present), np.intp)
    rows[present] = np.arange(n_rows)
    if sparse.issparse(output):
        matrix = sparse.csr_matrix(output)
        return OpenedTable([], matrix[rows] if n_rows < len(rows) else matrix, ~present)
    if not is_frame(output):
        output = as_array(output)
        output = output.reshape(-1, 1) if output.ndim == 1 else output
    if len(output.shape) != 2:
        raise ValueError(f"expected a table from the transformer, got {describe(output)}.")
    taken = take_columns(output, Selection(tuple(range(output.shape[1])), False))
    columns = [
        Column(cells[rows] if n_rows else np.full(len(rows), np.nan), name, is_category)
        for cells, name, is_category in zip(
            taken.columns, taken.names, taken.are_categories, strict=True
        )
    ]
    return OpenedTable(columns, None, ~present)


class Table:
    """Parsed rows of a table: columns of numbers and of categories, or a sparse matrix.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n,)
    matrix : sparse matrix or None
    """

    def __init__(self, columns: Sequence[NDArray[Any]], matrix: Any = None) -> None:
        self.columns = tuple(columns)
        self.matrix = matrix

    def __len__(self) -> int:
        return len(self.columns[0]) if self.matrix is None else int(self.matrix.shape[0])

    def __getitem__(self, rows: Any) -> Table:
        matrix = None if self.matrix is None else self.matrix[rows]
        return Table([column[rows] for column in self.columns], matrix)

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """The arrays that hold it."""
        matrix = None if self.matrix is None else self.matrix.tocsr()
        of_matrix = [] if matrix is None else [matrix.data, matrix.indices, matrix.indptr]
        return [*self.columns, *of_matrix]


@dataclass(frozen=True, eq=False)
class TableInput(Input):
    """An input of rows of a table: each is a sequence of one step, or of none if it is absent.

    Parameters
    ----------
    scaling : {"standard", "robust"} or None, default="standard"
        Of the numbers.
    embedding_dim_of_categories : int, "auto" or None, default="auto"
        As the parameter `embedding_dim` says it.
    names : tuple of str
        Of the columns.
    kinds : tuple of {"number", "bool", "text", "category"}
        Of the columns; "category" holds categories that are numbers.
    is_sparse : bool
    center, scale : ndarray of shape (n_numbers,), learned
    fill : ndarray of shape (n_numbers,), learned
        The replacement of missing numbers if there were none in training: the mean or median.
    may_miss : ndarray of shape (n_numbers,), learned
        Whether a number was missing in training: the network then reads where it is.
    categories : tuple of ndarray, learned
        Those of each categorical column.
    miss_category : tuple of bool, learned
        Whether a missing one was seen in training, which is a category then.
    """

    scaling: str | None = "standard"
    embedding_dim_of_categories: int | str | None = "auto"
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    is_sparse: bool = False
    center: Array | None = None
    scale: Array | None = None
    fill: Array | None = None
    may_miss: NDArray[np.bool_] | None = None
    categories: tuple[NDArray[Any], ...] | None = None
    miss_category: tuple[bool, ...] | None = None

    kind = "table"
    attribute_names = ("feature_mean_", "feature_scale_", "categories_")
    encoder_type = FeedForwardSpec

    # --- X ---------------------------------------------------------------------------------------

    @classmethod
    def takes(cls, opened: Any, settings: Settings) -> bool:
        """Return False: a table is an input of several, which says so."""
        return False

    @classmethod
    def of(cls, opened: OpenedTable, settings: Settings) -> TableInput:
        """Return the input that the parameters ask for, given the table it will learn from."""
        return cls(
            settings.estimator_name,
            scaling=settings.scaling,
            embedding_dim_of_categories=settings.embedding_dim,
            names=tuple(column.name for column in opened.columns),
            kinds=tuple(map(kind_of, opened.columns)),
            is_sparse=opened.matrix is not None,
        )

    def parse(self, opened: OpenedTable) -> Parsed:
        """Return the rows as sequences; refuse other columns than those that were learned from."""
        present = ~opened.absent
        if self.n_features is not None and not present.any():
            table, n_features = self._no_rows(), self.n_features
        elif self.is_sparse:
            table = self._parse_matrix(opened, present)
            n_features = table.matrix.shape[1]
        else:
            table = self._parse_columns(opened, present)
            n_features = len(self.names)
        self._check_width(n_features)
        sequences = Sequences(table, offsets_of(present.astype(np.intp)))  # type: ignore[arg-type]
        return Parsed(sequences, n_features, sequences.offsets, slice(None))

    def _no_rows(self) -> Table:
        if self.is_sparse:
            return Table((), sparse.csr_matrix((0, known(self.n_features))))
        return Table([np.empty(0, float if kind == "number" else object) for kind in self.kinds])

    def _parse_matrix(self, opened: OpenedTable, present: NDArray[np.bool_]) -> Table:
        matrix = opened.matrix
        if matrix is None:
            raise ValueError("expected a sparse matrix as in fit, got a table.")
        if matrix.dtype.kind not in "biuf":
            raise ValueError(f"expected a sparse matrix of numbers, got one of {matrix.dtype}.")
        if not np.isfinite(matrix.data.sum()) and not np.isfinite(matrix.data).all():
            raise ValueError("expected a sparse matrix of finite numbers, got NaN or infinity.")
        return Table((), matrix[np.flatnonzero(present)])

    def _parse_columns(self, opened: OpenedTable, present: NDArray[np.bool_]) -> Table:
        if opened.matrix is not None:
            raise ValueError("expected a table as in fit, got a sparse matrix.")
        self._check_width(len(opened.columns))
        columns = []
        for column, kind in zip(opened.columns, self.kinds, strict=True):
            cells = column.cells[present]
            columns.append(parse_cells(cells, kind, column.name))
        return Table(columns)

    def _check_width(self, n_features: int) -> None:
        expected = len(self.names) if self.n_features is None else self.n_features
        if (self.names or self.n_features is not None) and n_features != expected:
            raise ValueError(
                f"X has {n_features} features, but {self.estimator_name} is expecting {expected} "
                "features as input."
            )

    def meet(self, parsed: Parsed) -> TableInput:
        """Return the input with the columns of the table that it will learn from."""
        return replace(self, n_columns=parsed.n_columns, n_features=parsed.n_columns)

    # --- Learning --------------------------------------------------------------------------------

    def learn(
        self, sequences: Sequences, weights: NDArray[Any], encoder: FeedForwardSpec
    ) -> TableInput:
        """Return the input that has learned scales and categories; see `Input.learn`."""
        table: Table = sequences.values  # type: ignore[assignment]
        if self.is_sparse:
            return self
        of_rows = StepWeights(weights, sequences.offsets)
        numbers = self._numbers(table)
        may_miss: NDArray[np.bool_] = np.any(np.isnan(numbers), axis=0)
        center: Array = np.zeros(0)
        scale: Array = np.zeros(0)
        if not numbers.shape[1]:
            pass  # all columns hold categories
        elif self.scaling == "robust":
            center, scale = median_and_scale(numbers, of_rows)
        elif self.scaling == "standard":
            center, scale = mean_and_scale(numbers, of_rows, "X")
        else:
            center, _ = mean_and_weight(numbers, of_rows)
            scale = np.where(np.isnan(center), np.nan, 1.0)
        fill = center
        if self.scaling is None:
            center = np.where(may_miss, center, 0.0)  # so that the network's 0 is the mean
        labels = [column for column, is_number in self._by_kind(table) if not is_number]
        categories = tuple(np.unique(present_cells(column)) for column in labels)
        self._warn_of_texts(categories, len(table))
        return replace(
            self,
            center=center,
            scale=scale,
            fill=fill,
            may_miss=may_miss,
            categories=categories,
            miss_category=tuple(bool(are_missing(column).any()) for column in labels),
        )

    def _warn_of_texts(self, categories: tuple[NDArray[Any], ...], n_rows: int) -> None:
        """Warn of columns that hold another text in nearly each row."""
        kinds = zip(self.names, self.kinds, strict=True)
        columns = [(name, kind) for name, kind in kinds if kind != "number"]
        for (name, kind), of_column in zip(columns, categories, strict=True):
            if kind == "text" and n_rows >= _MANY_ROWS and len(of_column) > _MOSTLY * n_rows:
                warn(
                    f"Column {name!r} has {len(of_column)} categories in {n_rows} rows, of which "
                    "nearly none is seen twice: texts are read by a TokenBranch, or by a "
                    "TableBranch(TfidfVectorizer()); identifiers tell nothing of other rows."
                )

    def check_learned(self) -> None:
        """Refuse scales and categories that no fit has left so; see `Reader.check_learned`."""
        expect_size(self.n_features, "n_features")
        if self.is_sparse:
            return
        n, kinds = known(self.n_features), self.kinds
        are_known = len(kinds) == len(self.names) == n and {*kinds} <= _KINDS
        expect(are_known, f"the kinds of {n} columns", kinds)
        n_numbers = kinds.count("number")
        expect_scales(self.center, self.scale, self.fill, (n_numbers,))
        expect_array(self.may_miss, "may_miss", (n_numbers,), "b")
        for values, name in (
            (self.categories, "categories"),
            (self.miss_category, "miss_category"),
        ):
            is_each = isinstance(values, tuple | list) and len(values) == n - n_numbers
            expect(is_each, f"{name} of {n - n_numbers} columns", values)
        for of_column in known(self.categories):
            expect_sorted(of_column, "categories", kinds="")

    def differs(self, settings: Settings) -> tuple[str, Any, Any] | None:
        """Return the parameter that now asks for another input; see `Input.differs`."""
        then, now = self.embedding_dim_of_categories, settings.embedding_dim
        return None if then == now else ("embedding_dim", then, now)

    @property
    def attributes(self) -> dict[str, Any]:
        """The scale of each number, and the categories of the other columns by their names."""
        if self.is_sparse:
            return {}
        names = [n for n, kind in zip(self.names, self.kinds, strict=True) if kind != "number"]
        categories = dict(zip(names, known(self.categories), strict=True))
        values = self.center, self.scale, categories
        return dict(zip(self.attribute_names, values, strict=True))

    # --- The network's inputs --------------------------------------------------------------------

    @property
    def spec(self) -> InputSpec:
        """The network's inputs: numbers, where they miss, and categories."""
        if self.is_sparse:
            return InputSpec(known(self.n_features), is_sparse=True)
        may_miss = known(self.may_miss)
        widths = [
            len(categories) + misses
            for categories, misses in zip(
                known(self.categories), known(self.miss_category), strict=True
            )
        ]
        return InputSpec(
            len(may_miss) + int(may_miss.sum()),
            categories=tuple((n, self._dimensions(n)) for n in widths),
        )

    @property
    def embedding_dim(self) -> dict[str, int | None]:
        """The dimensions of the vectors of each categorical column, by its name; None = one-hot."""
        if self.is_sparse:
            return {}
        names = [n for n, kind in zip(self.names, self.kinds, strict=True) if kind != "number"]
        dimensions = [wanted for _, wanted in self.spec.categories]
        return dict(zip(names, dimensions, strict=True))

    def _dimensions(self, n: int) -> int | None:
        """Return the dimensions of the vectors of n categories; None = they are one-hot."""
        wanted = self.embedding_dim_of_categories
        if wanted != "auto":
            return wanted  # type: ignore[return-value]
        return None if n <= _MAX_ONE_HOT else min(32, round(1.6 * n**0.56))

    def steps_of(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> RowSteps:
        """Return the rows as the network reads them; see `Reader.steps_of`.

        Raises
        ------
        ValueError
            If a scaled number is too large for `dtype`.
        """
        table: Table = sequences.values  # type: ignore[assignment]
        dtype = np.dtype(dtype)
        if self.is_sparse:
            matrix = _cast(table.matrix, dtype)
            return RowSteps(sequences.offsets, lambda rows: matrix[rows])
        read = self._read_numbers(table, dtype)
        labels = [column for column, is_number in self._by_kind(table) if not is_number]
        known_categories = zip(
            labels, known(self.categories), known(self.miss_category), strict=True
        )
        codes = [codes_of(*of_column) for of_column in known_categories]
        coded = np.column_stack(codes) if codes else np.zeros((len(table), 0), np.intp)
        return RowSteps(sequences.offsets, lambda rows: Rows(read[rows], coded[rows]))

    # --- The values of X behind them -------------------------------------------------------------

    def origins(self, sequences: Sequences) -> Origins:
        """Return the column that each number comes from; see `Reader.origins`.

        That a number is missing is a value of its column. Of a sparse matrix the values are the
        numbers that it holds.
        """
        table: Table = sequences.values  # type: ignore[assignment]
        if self.is_sparse:
            matrix = _cast(table.matrix, np.dtype(np.float64))
            matrix.data = np.arange(1.0, len(matrix.data) + 1)
            steps = RowSteps(sequences.offsets, lambda rows: matrix[rows])
            return Origins(steps, matrix.indptr[sequences.offsets].astype(np.intp))
        is_number = np.array([kind == "number" for kind in self.kinds], bool)
        numbers = np.flatnonzero(is_number)
        columns = [numbers, numbers[known(self.may_miss)], np.flatnonzero(~is_number)]
        places, n = 1 + np.concatenate(columns), len(self.names)
        steps = RowSteps(sequences.offsets, lambda rows: rows[:, None] * n + places)
        return Origins(steps, sequences.offsets * n)

    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the rows from the mean and the missing category on; see `Reader.from_baseline`.

        A sparse matrix begins at 0.
        """
        table: Table = sequences.values  # type: ignore[assignment]
        start = self._baseline_table(baseline, len(table))
        others = Sequences(start, sequences.offsets)  # type: ignore[arg-type]
        return Line(self.steps_of(others, dtype), self.steps_of(sequences, dtype))

    def _baseline_table(self, baseline: Any, n_rows: int) -> Table:
        """Return a table of n equal rows."""
        if self.is_sparse:
            if baseline is not None and not (np.ndim(baseline) == 0 and baseline == 0):
                raise ValueError(
                    f"The baseline of a sparse matrix is 0: expected 0 or None, got {baseline!r}."
                )
            return Table((), sparse.csr_matrix((n_rows, known(self.n_features))))
        fill = iter(known(self.fill))
        cells: list[Any] = [next(fill) if kind == "number" else None for kind in self.kinds]
        if baseline is not None and np.ndim(baseline) == 0 and not isinstance(baseline, str):
            cells = [baseline if kind == "number" else None for kind in self.kinds]
        elif baseline is not None:
            if np.shape(baseline) != (len(cells),):
                raise ValueError(
                    "The baseline of a table does not fit: expected a number, for all columns of "
                    f"numbers, or {len(cells)} cells, one for each of the columns "
                    f"{list(self.names)}, got {baseline!r:.50}."
                )
            cells = list(baseline)
        columns = []
        for cell, kind, name in zip(cells, self.kinds, self.names, strict=True):
            of_column = np.empty(1, object)
            of_column[0] = cell
            columns.append(np.repeat(parse_cells(of_column, kind, name), n_rows))
        return Table(columns)

    def tangents(self, sequences: Sequences, line: Line, dtype: DTypeLike) -> Line:
        """Return the derivative of the scaled numbers; see `Reader.tangents`."""
        table: Table = sequences.values  # type: ignore[assignment]
        if self.is_sparse:
            matrix = _cast(table.matrix, np.dtype(dtype))
            matrix.data[...] = 1
            return line._replace(end=RowSteps(sequences.offsets, lambda rows: matrix[rows]))
        numbers = self._numbers(table)
        slopes = np.zeros((len(table), self.spec.n_inputs), dtype)
        if numbers.shape[1]:
            center, scale = known(self.center), known(self.scale)
            found = slopes_of_scaled(numbers, center, scale, clip=self.scaling == "robust")
            slopes[:, : numbers.shape[1]] = np.where(np.isnan(numbers), 0, np.nan_to_num(found))
        nothing = np.zeros_like(slopes)

        def instead(steps: RowSteps, numbers: Array) -> RowSteps:
            return RowSteps(
                sequences.offsets, lambda rows: Rows(numbers[rows], steps.take(rows).codes)
            )

        start, end = cast("RowSteps", line.start), cast("RowSteps", line.end)
        return Line(instead(start, nothing), instead(end, slopes))

    def _read_numbers(self, table: Table, dtype: np.dtype) -> Array:
        """Return scaled numbers, 0 where they miss, and beside them where they do."""
        numbers, may_miss = self._numbers(table), known(self.may_miss)
        if not numbers.shape[1]:
            return numbers.astype(dtype)
        np.copyto(numbers, known(self.fill), where=np.isnan(numbers) & ~may_miss)
        center, scale = known(self.center), known(self.scale)
        clip = self.scaling == "robust"
        scaled = scale_values(numbers, center, scale, dtype, clip=clip, in_place=True)
        missing = np.isnan(scaled)  # as all of a column are of which training had no value
        scaled[missing] = 0
        return np.hstack([scaled, missing[:, may_miss].astype(dtype)])

    def _by_kind(self, table: Table) -> list[tuple[NDArray[Any], bool]]:
        """Return the columns, and whether each holds numbers."""
        is_number = [kind == "number" for kind in self.kinds]
        return list(zip(table.columns, is_number, strict=True))

    def _numbers(self, table: Table) -> Array:
        """Return the columns of numbers, (n, n_numbers), in float64."""
        numbers = [column for column, is_number in self._by_kind(table) if is_number]
        if not numbers:
            return np.zeros((len(table), 0))
        return np.column_stack(numbers).astype(np.float64, copy=False)


def _cast(matrix: Any, dtype: np.dtype) -> Any:
    """Return a sparse matrix of finite numbers in another type."""
    with np.errstate(over="ignore"):
        cast = sparse.csr_matrix(matrix, dtype=dtype)
    if np.isinf(cast.data).any():
        raise ValueError(
            f"The sparse matrix contains a value too large for {dtype.name}; expected smaller "
            'values, or dtype="float64".'
        )
    return cast
