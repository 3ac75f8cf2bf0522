"""Opened sequences to steps: their cells are parsed, and all steps are stacked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import NameOf, TextError, TimesError, Where, to_ids, to_numbers
from skgru._data.sequences import locate, offsets_of
from skgru._data.times import is_time, relative_times
from skgru._nn.batch import Indices

LONG_TABLE = (
    "A table with one row per step is made into one row per sample first, by "
    "skgru.make_sequences(table, sample='id', time='time')"
)
CHANNELS_FIRST = (
    "Arrays with the channels first, as aeon, sktime and tsai hold them, have to be transposed"
)

Columns = list[NDArray[Any]]

_MOST_WAITING = 4096  # arrays that are joined at a time


class Rectangle(NamedTuple):
    """Sequences of equal length.

    Attributes
    ----------
    cells : ndarray of shape (n, T, D) or (n, T · D), or a list of T · D columns (n,)
    n_columns : int or None
        T · D where the cells are those of a table.
    names : list or None
        Of the columns.
    n_features : int or None, default=None
        D, where it is known of columns, else the parser says it.
    """

    cells: NDArray[Any] | Columns
    n_columns: int | None
    names: list[Any] | None
    n_features: int | None = None

    def stack(self, parser: Parser) -> tuple[NDArray[Any], Indices]:
        """Return the steps (total steps, D) and the offsets of the sequences."""
        if isinstance(self.cells, list):
            steps = self._stack_columns(self.cells, parser)
        else:
            cells = self.cells
            if self.n_columns is not None:
                shape = _shape_of_row(self.n_columns, parser.features_per_step)
                cells = cells.reshape(len(cells), *shape)
            steps = parser.features(cells, self._where)
        n, n_steps, n_features = steps.shape
        steps = np.ascontiguousarray(steps).reshape(n * n_steps, n_features)
        return steps, np.arange(n + 1, dtype=np.intp) * n_steps

    def _stack_columns(self, cells: Columns, parser: Parser) -> NDArray[Any]:
        n_features = self.n_features or parser.features_per_step
        n_steps, n_features = _shape_of_row(len(cells), n_features)
        is_time = [parser.is_time(c % n_features, n_features) for c in range(len(cells))]
        try:
            columns = [
                column if of_time else parser.cells(column, self._where_column(c))
                for c, (column, of_time) in enumerate(zip(cells, is_time, strict=True))
            ]
        except (TextError, TimesError) as error:
            raise ValueError(f"{error} Each row of X is one sequence. {LONG_TABLE}.") from error
        for j in range(n_features):
            if parser.is_time(j, n_features):
                stamps = parser.stamps(columns[j::n_features], self._where)
                columns[j::n_features] = list(stamps.T)
        return concatenate_columns(columns).reshape(-1, n_steps, n_features)

    def _where(self, index: tuple[int, ...]) -> str:
        i, t, j = index if len(index) == 3 else (*index, 0)  # stamps have no features
        return f"sequence {i}, step {t}, feature {j} of X"

    def _where_column(self, c: int) -> NameOf:
        assert self.names is not None  # columns have names
        name = self.names[c]
        return lambda index: f"column {name!r}, row {index[0]} of X"


def _shape_of_row(n_columns: int, n_features: int) -> tuple[int, int]:
    """Return how many steps a row of a table has, and how many features each of them."""
    if n_columns % n_features:
        raise ValueError(
            f"X has {n_columns} columns, expected a multiple of features_per_step={n_features}."
        )
    return n_columns // n_features, n_features


class Ragged(NamedTuple):
    """Sequences of any length.

    Attributes
    ----------
    sequences : list
        Of each one an array (T_i, D) or (T_i · features_per_step,), or a list of D columns (T_i,).
    names : list or None
        Of the features.
    """

    sequences: Sequence[NDArray[Any] | Columns]
    names: list[Any] | None
    n_columns: None = None

    def stack(self, parser: Parser) -> tuple[NDArray[Any], Indices]:
        """Return the steps (total steps, D) and the offsets of the sequences."""
        arrays: list[Any] = [self._in_steps(i, x, parser) for i, x in enumerate(self.sequences)]
        # Cells that are numbers already are parsed all at once, and others of each sequence alone.
        at_once = parser.parses_at_once([a for a in arrays if isinstance(a, list) or len(a)])
        if at_once:
            offsets = offsets_of([len(a) for a in arrays])
            widths = [a.shape[1] for a in arrays]
            filled = [a for a in arrays if len(a)]
        else:
            parsed = (self._parse_one(i, a, parser) for i, a in enumerate(arrays))
            filled, offsets, widths = _join_some(parsed)
        if not filled:
            return parser.nothing(max(widths)), offsets
        if len({a.shape[1] for a in filled}) > 1:
            present = np.flatnonzero(np.diff(offsets)).tolist()
            first = present[0]
            i = next(i for i in present if widths[i] != widths[first])
            hint = ""
            if len({*np.diff(offsets)[present].tolist()}) == 1:
                hint = f" {CHANNELS_FIRST}, [x.T for x in X]."
            raise ValueError(
                "All sequences must have the same number of features per step: expected "
                f"{widths[first]} as in sequence {first}, but sequence {i} has {widths[i]}.{hint}"
            )
        steps = _concatenate(filled)
        if at_once:

            def where(index: tuple[int, ...]) -> str:
                i, t = locate(index[1], offsets)
                return f"sequence {i}, step {t}, feature {index[2]} of X"

            steps = parser.features(steps[None], where)[0]
        return steps, offsets

    def _in_steps(
        self, i: int, x: NDArray[Any] | Columns, parser: Parser
    ) -> NDArray[Any] | Columns:
        """Return sequence i with its steps as rows, unless it is a list of columns."""
        if isinstance(x, list) or x.ndim == 2:
            return x
        if len(x) % parser.features_per_step:
            raise ValueError(
                f"Sequence {i} has {len(x)} values, expected a multiple of "
                f"features_per_step={parser.features_per_step}."
            )
        return x.reshape(-1, parser.features_per_step)

    def _parse_one(self, i: int, x: NDArray[Any] | Columns, parser: Parser) -> NDArray[Any]:
        """Return sequence i as an array (T, D) of its parsed cells."""
        if isinstance(x, list):
            return self._stack_columns(i, x, parser)
        if x.size == 0:
            return parser.nothing(x.shape[1])

        def where(index: tuple[int, ...]) -> str:
            return f"sequence {i}, step {index[1]}, feature {index[2]} of X"

        steps: NDArray[Any] = parser.features(x[None], where)[0]
        return steps

    def _stack_columns(self, i: int, columns: Columns, parser: Parser) -> NDArray[Any]:
        if not columns or len(columns[0]) == 0:
            return parser.nothing(len(columns))
        parser.check_width(len(columns))
        read = []
        for j, column in enumerate(columns):
            name = f"feature {j}" if self.names is None else f"column {self.names[j]!r}"

            def where(index: tuple[int, ...], name: str = name) -> str:
                return f"sequence {i}, step {index[-1]}, {name} of X"

            if column.ndim > 1:
                raise ValueError(
                    f"Expected a number in each cell of the frames, got arrays in {where((0,))}."
                )
            if parser.is_time(j, len(columns)):
                read.append(relative_times(column[None], where)[0])
            else:
                read.append(parser.cells(column, where, j if self.names is None else self.names[j]))
        return concatenate_columns(read)


class Parser(NamedTuple):
    """The parser of the cells of X.

    Attributes
    ----------
    features_per_step : int
    time_feature : int or None
    ids : bool
        Whether they are token ids.
    """

    features_per_step: int
    time_feature: int | None
    ids: bool = False

    def parses_at_once(self, arrays: list[Any]) -> bool:
        """Whether arrays side by side are parsed as each of them alone: numbers of like types."""
        if any(isinstance(array, list) for array in arrays):
            return False  # of columns, which have types of their own
        dtypes = {array.dtype for array in arrays}
        # Of stamps that are no floats each sequence's first one counts; and beside floats ids would
        # become floats.
        kinds = "f" if self.time_feature is not None else "biu" if self.ids else "fbiu"
        return all(dtype.kind in kinds and dtype.itemsize <= 8 for dtype in dtypes)

    def check_width(self, n_features: int) -> None:
        """Refuse several token ids in one step."""
        if self.ids and n_features != 1:
            raise ValueError(
                "Token sequences have one id per step (embedding_dim or embedding_matrix says that "
                f"these are some), but X has {n_features} features per step."
            )

    def is_time(self, j: int, n_features: int) -> bool:
        """Whether feature j of a step is the one of the time stamps."""
        return is_feature(self.time_feature, n_features) and self.time_feature % n_features == j

    def cells(self, array: NDArray[Any], where: Where, feature: Any = None) -> NDArray[Any]:
        """Return cells that are no time stamps; `feature` is theirs, an index or a name."""
        try:
            return to_ids(array, where) if self.ids else to_numbers(array, where)
        except TimesError as error:
            if feature is None and array.ndim == 3:
                feature = _first_feature_of_times(array)
            remedy = f" (time_feature={self.time_feature})."
            if isinstance(feature, str | int) and not self.ids and self.time_feature is None:
                remedy = f": if these are some, say so, time_feature={feature!r}."
            raise TimesError(
                f"{error} Only the feature of the time stamps may hold them{remedy}"
            ) from error
        except TextError as error:
            raise TextError(
                f"{error} Words become token ids with SequenceVectorizer, categories numbers with "
                "PerTimestep and an encoder."
            ) from error

    def stamps(self, columns: Columns, where: Where) -> NDArray[Any]:
        """Return the stamps of T steps of n sequences, (n, T), given T columns (n,)."""
        return relative_times(np.stack(columns, axis=1), where)

    def features(self, cells: NDArray[Any], where: NameOf) -> NDArray[Any]:
        """Return the parsed cells (n, T, D), time stamps among them."""
        n_features = cells.shape[2]
        self.check_width(n_features)
        # Floats are numbers already; only of others are time stamps something else than numbers.
        if cells.dtype.kind == "f" or not is_feature(self.time_feature, n_features):
            return self.cells(cells, where)
        columns = []
        for j in range(n_features):

            def where_feature(index: tuple[int, ...], j: int = j) -> str:
                return where((*index, j))

            read = relative_times if self.is_time(j, n_features) else self.cells
            columns.append(read(cells[:, :, j], where_feature))
        return concatenate_columns(columns)

    def nothing(self, n_features: int) -> NDArray[Any]:
        """Return the parsed steps of a sequence without any."""
        return np.empty((0, 1), np.int64) if self.ids else np.empty((0, n_features))


def _first_feature_of_times(cells: NDArray[Any]) -> int | None:
    """Return the feature of the first of cells (n, T, D) that is a time; None without any."""
    if cells.dtype != object:
        return 0
    places = (i for i, cell in enumerate(cells.flat) if is_time(type(cell)))
    first = next(places, None)
    return None if first is None else first % cells.shape[2]


def concatenate_columns(columns: Columns) -> NDArray[Any]:
    """Stack columns (...,) side by side to (..., D); integers stay integers where they can."""
    if len({column.dtype for column in columns}) > 1:
        columns = _of_one_type(columns)
    return np.stack(columns, axis=-1)


def _join_some(arrays: Iterable[NDArray[Any]]) -> tuple[Columns, Indices, list[int]]:
    """Return arrays (T_i, D_i) one after the other, offsets and widths; some of a width as one.

    There are as many arrays as sequences: the memory that each takes beside its numbers adds up.
    """
    joined: Columns = []
    waiting: Columns = []
    lengths, widths = [], []
    for array in arrays:
        lengths.append(len(array))
        widths.append(array.shape[1])
        if not len(array):
            continue
        if waiting and (len(waiting) == _MOST_WAITING or waiting[0].shape[1] != array.shape[1]):
            joined.append(_concatenate(waiting))
            waiting = []
        waiting.append(array)
    if waiting:
        joined.append(_concatenate(waiting))
    return joined, offsets_of(lengths), widths


def _concatenate(arrays: Columns) -> NDArray[Any]:
    if len({array.dtype for array in arrays}) > 1:
        arrays = _of_one_type(arrays)
    return np.concatenate(arrays)


def _of_one_type(arrays: Columns) -> Columns:
    """Return arrays of integers as int64 if they fit, any others as they are."""
    kinds = {array.dtype.kind for array in arrays}
    fits = "i" in kinds and kinds <= set("biu")
    if fits and all(array.max(initial=0) <= np.iinfo(np.int64).max for array in arrays):
        return [array.astype(np.int64) for array in arrays]
    return arrays


def is_feature(index: int | None, n_features: int) -> TypeGuard[int]:
    """Whether an index, from the last feature on if negative, is that of one of the features."""
    return index is not None and -n_features <= index < n_features
