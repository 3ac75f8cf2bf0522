"""Long tables, one row for each step, to sequences, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._compat import names_of
from skgru._data.arrays import as_array, describe, exceeds_floats
from skgru._data.forms import check_is_sequence, is_frame, is_sequence
from skgru._data.groups import (
    EVENTS,
    check_constant,
    check_distinct,
    find_columns,
    group_rows,
    open_long_table,
    shortened,
)
from skgru._data.libraries import ARRAYS, library_of, library_of_column
from skgru._data.stacking import concatenate_columns
from skgru._types import ArrayLike, Column, Columns, Table

__all__ = ["make_rows", "make_sequences"]


def make_sequences(
    table: Table,
    sample: Column | None = None,
    time: Column | None = None,
    columns: Columns | None = None,
    target: Columns | None = None,
    *,
    static: Columns | None = None,
    per_step: bool = False,
    samples: ArrayLike | None = None,
    with_time: bool = True,
) -> Any:
    """Make sequences of a long table, one row for each step.

    The rows of each sample, in order of time, become one row: each cell of it holds the sequence of
    one column. What is known once of a sample, such as an age, stands beside the sequences as it
    is.

    Parameters
    ----------
    table : DataFrame, table of Arrow, dict of arrays, or ndarray of shape (n_rows, n_columns)
        A row for each step of each sample, in any order: a DataFrame of pandas or polars, a table
        of Arrow, a structured array, a dict of columns, or an array whose columns are named by
        their indices.

    sample : str or other hashable, default=None
        The name of the column that says which sample a row belongs to, or of a level of the index.
        Samples are texts, numbers or dates. None is the first level of a MultiIndex.

    time : str or other hashable, default=None
        The name of the column of times, or of a level of the index: numbers, dates or durations.
        None is the other level of a MultiIndex, or an index of dates or durations; where there is
        neither, the rows of each sample stay in their order.

    columns : list of str or other hashables, default=None
        The columns that become sequences. None takes all that have no other use.

    target : str or other hashable, or a list of them, default=None
        The column, or columns, of y.

    static : list of str or other hashables, default=None
        The columns that have one value for each sample. They become columns of single values,
        behind the sequences.

    per_step : bool, default=False
        Whether y has a target for each step, as ``pooling=None`` wants it, or one for each sample,
        which then has to be the same in all of its rows.

    samples : array-like of shape (n_samples,), default=None
        The samples to return, in this order. One without rows has empty sequences, and missing
        values in the columns of `static`; rows of other samples are left out. None returns all
        samples in order of their first row.

    with_time : bool, default=True
        Whether the first column of X holds the times, for ``time_feature``.

    Returns
    -------
    X : DataFrame, table of Arrow, or ndarray of shape (n_samples, n_columns)
        A row for each sample, in the container of `table`: the sequence of the times, those of
        `columns`, then the values of `static`, under their names. Of pandas, cells are arrays, and
        the index holds the samples; of polars and Arrow they are lists. Of dicts and arrays it is
        an object array.

    y : Series, DataFrame or array, with n_samples elements
        The targets, if `target` is given: one for each sample, or with `per_step` an array of
        shape (n_steps_i,) or (n_steps_i, n_targets) for each.

    Raises
    ------
    ValueError, TypeError
        If `table` is no table, or has not the columns or one of them twice; if its columns are of
        unlike lengths, or of a type that cannot be put into lists; if a sample or a time is
        missing; if times are no numbers, dates or durations; if a column of `static`, or one of
        `target` without `per_step`, has several values in a sample.

    See Also
    --------
    make_rows : The way back: values of samples or of steps to the rows of the table.
    SequenceAligner : Sequences of events: a table with a row for each value of a channel.
    make_windows : Cut long series into windows and the values that follow them.

    Notes
    -----
    Nothing is converted: categories, texts, dates with a time zone and nullable numbers stay what
    they are. Networks read numbers and times; `PerTimestep` makes numbers of texts and categories.

    Rows of equal times stay in their order, as steps of their own. The order of all other rows of a
    sample does not matter.

    Split, and cross-validate, the sequences; rows of a long table that are split at random tear
    samples apart.

    It takes time in proportion to the number of rows where they are sorted, and the time of a sort
    where not. Beside the table it needs memory for a copy of it and three numbers for each row.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgru import GRUClassifier, make_sequences
    >>> table = pd.DataFrame(
    ...     {
    ...         "run": ["a", "a", "b", "a", "b"],
    ...         "hour": [0, 1, 0, 3, 2],
    ...         "heat": [20.0, 21.5, 30.0, 25.0, 29.0],
    ...         "machine": ["press", "press", "lathe", "press", "lathe"],
    ...         "failed": [True, True, False, True, False],
    ...     }
    ... )
    >>> X, y = make_sequences(table, "run", "hour", target="failed", static=["machine"])
    >>> X
              hour                heat machine
    run
    a    [0, 1, 3]  [20.0, 21.5, 25.0]   press
    b       [0, 2]        [30.0, 29.0]   lathe
    >>> y
    run
    a     True
    b    False
    Name: failed, dtype: bool
    >>> X, y = make_sequences(table, "run", "hour", ["heat"], "failed")
    >>> clf = GRUClassifier(4, time_feature="hour", max_iter=5, random_state=0).fit(X, y)
    >>> clf.predict(X).shape
    (2,)
    """
    long = open_long_table(table, sample, time)
    features = None if columns is None else _list_of(columns, "columns", long)
    statics = [] if static is None else _list_of(static, "static", long)
    targets = [] if target is None else _list_of(target, "target", long)
    if features is None:
        used = [long.sample, long.time, *statics, *targets]
        features = [name for name in long.names if name not in used]
    times = [long.time] if with_time and long.time is not None else []
    features = [name for name in features if name not in times]
    if not times and not features:
        raise ValueError(
            "Expected a column to make sequences of, got none: the columns are "
            f"{shortened(long.names)}. "
            f"{EVENTS}"
        )
    names = [*(long.name_of(time, "time") for time in times), *features, *statics]
    check_distinct(names, "X (the times, columns and static)")

    groups = group_rows(long, samples)
    for name in statics:
        check_constant(long, groups, name, "Columns that change belong in `columns`.")
    library = long.library
    index = _index(long, groups, samples)
    cells = [_sequences(long, groups, name) for name in [*times, *features]]
    cells += [library.take(long.column(name), groups.first_rows) for name in statics]
    X = library.frame(dict(zip(names, cells, strict=True)), index)
    if not targets:
        return X
    if per_step and is_sequence(target):
        return X, _side_by_side(long, groups, targets, index)
    if per_step:
        return X, library.labelled(_sequences(long, groups, target), target, index)
    for name in targets:
        check_constant(long, groups, name, "With per_step=True y has a target for each step.")
    _check_have_rows(groups)
    of_targets = [library.take(long.column(name), groups.first_rows) for name in targets]
    if not is_sequence(target):
        return X, library.labelled(of_targets[0], target, index)
    return X, library.frame(dict(zip(targets, of_targets, strict=True)), index)


def make_rows(
    values: ArrayLike,
    table: Table,
    sample: Column | None = None,
    time: Column | None = None,
    *,
    samples: ArrayLike | None = None,
    name: str | Sequence[str] | None = None,
) -> Any:
    """Bring values of samples, or of their steps, to the rows of the table that they came from.

    Parameters
    ----------
    values : array-like with n_samples elements, or DataFrame
        Values of samples, (n_samples,) or (n_samples, n_values), which all rows of a sample get:
        classes, probabilities. Or of their steps: an array of shape (n_steps_i,) or (n_steps_i,
        n_values) for each sample, such as the predictions of a network with ``pooling=None``. Or a
        DataFrame of columns of either kind, such as what `make_sequences` returns.

    table, sample, time
        As for `make_sequences`.

    samples : array-like of shape (n_samples,), default=None
        The samples that the values belong to, in their order; rows of others have missing values.
        None is all samples in order of their first row or, where `values` is of pandas with an
        index that does not just count, the samples in that index.

    name : str or list of str, default=None
        The name of the result, or the names of its columns. None is that of `values` or, if they
        have none, "prediction", with a number behind it where there are several.

    Returns
    -------
    rows : Series or array with n_rows elements, or DataFrame with n_rows rows
        The values in the order of the rows of `table`, in its container and with its index; a
        DataFrame, or table of Arrow, where there are several columns. Of a dict or an array it is
        an array, or a dict of them.

    Raises
    ------
    ValueError, TypeError
        As `make_sequences`, and if there are not as many values as samples, or steps.

    See Also
    --------
    make_sequences : The way there.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skgru import make_rows, make_sequences
    >>> table = pd.DataFrame({"run": ["a", "b", "a"], "hour": [1, 0, 0], "heat": [2.0, 3.0, 1.0]})
    >>> X = make_sequences(table, "run", "hour")
    >>> make_rows(["fails", "lasts"], table, "run", "hour").tolist()
    ['fails', 'lasts', 'fails']
    >>> make_rows([np.array([0.1, 0.2]), np.array([0.9])], table, "run", "hour")
    0    0.2
    1    0.9
    2    0.1
    Name: prediction, dtype: float64
    >>> make_rows(X, table, "run", "hour").equals(table[["hour", "heat"]])
    True
    """
    long = open_long_table(table, sample, time)
    if samples is None:
        samples = _samples_of_index(values)
    groups = group_rows(long, samples)
    if not (groups.first_rows >= 0).any():
        raise ValueError(
            f"Expected values of samples of the table, but none of {groups.samples[:3]} is among "
            f"its {long.name_of(long.sample, 'sample')}s."
        )
    places = np.full(len(groups.owners), -1, np.intp)
    places[groups.order] = np.arange(len(groups.order))
    keys, rows = [], []
    given = _given_columns(values, groups)
    for label, column in given.columns.items():
        own = library_of_column(column)
        n = len(column)
        if n != len(groups.samples):
            raise ValueError(
                f"Expected values of {len(groups.samples)} samples, one for each in the table, got "
                f"{n}: samples=… says which samples they are of."
            )
        at = groups.owners
        if own.holds_sequences(column):
            column, lengths = own.join(column)
            _check_lengths(lengths, groups)
            at = places
        for key, part in _parts(label, column):
            if library_of_column(part) is not long.library:
                part = long.library.make_column(as_array(part))
            keys.append(key)
            rows.append(long.library.take(part, at))
    names = _names_of_result(name, keys, given)
    check_distinct(names, "name")
    index = long.library.index_of(table)
    if len(rows) == 1 and not given.is_table:
        return long.library.labelled(rows[0], names[0], index)
    columns = dict(zip(names, rows, strict=True))
    if long.library is ARRAYS:
        return columns
    return long.library.frame(columns, index)


def _list_of(names: Any, parameter: str, long: Any) -> list[Any]:
    """Return a parameter that names columns as a list; refuse names of no column."""
    names = list(names) if is_sequence(names) else [names]
    names = [name.item() if isinstance(name, np.generic) else name for name in names]
    find_columns(long, names, parameter, hint=_hint_at_another_table(long, names, parameter))
    check_distinct(names, parameter)
    return names


def _hint_at_another_table(long: Any, names: Sequence[Any], parameter: str) -> str:
    """Return how what is known once of a sample is taken from a table of its own, in words."""
    if parameter not in ("target", "static"):
        return EVENTS
    is_target = parameter == "target"
    what = "the targets are" if is_target else "these are"
    if long.library.index_of(long.table) is None:
        order = "a row for each sample, in the order of X's"
        return f"If {what} in another table, leave {parameter} out and take {order}."
    sample = long.name_of(long.sample, "sample")
    of_samples = f"other.set_index({sample!r})"
    wanted = repr(names[0] if len(names) == 1 else list(names))
    how = f"y = {of_samples}.loc[X.index, {wanted}]" if is_target else f"X.join({of_samples})"
    return f"If {what} in another table, leave {parameter} out: {how}."


def _sequences(long: Any, groups: Any, name: Any) -> Any:
    library = long.library
    return library.cut(library.take(long.column(name), groups.order), groups.offsets)


def _index(long: Any, groups: Any, samples: ArrayLike | None) -> Any:
    """Return the index of X, with the samples in the type that they have in the table."""
    library, name = long.library, long.name_of(long.sample, "sample")
    if samples is None or (groups.first_rows >= 0).all():
        return library.index_from(library.take(long.column(long.sample), groups.first_rows), name)
    return library.index_from(samples, name)


def _check_have_rows(groups: Any) -> None:
    if (groups.first_rows < 0).any():
        raise ValueError(
            f"Expected a row of each sample to find its target in, got none of "
            f"{groups.name(np.argmin(groups.first_rows))}: leave the target out and give y of your "
            "own, in the order of samples."
        )


def _side_by_side(long: Any, groups: Any, names: list[Any], index: Any) -> Any:
    """Return the targets of all steps, several at each, as an array for each sample."""
    library = long.library
    columns = [as_array(library.take(long.column(name), groups.order)) for name in names]
    are_numbers = all(column.dtype.kind in "biuf" for column in columns)
    if not are_numbers or _rounds(columns):
        columns = [column.astype(object) for column in columns]
    cells = ARRAYS.cut(concatenate_columns(columns), groups.offsets)
    return cells if index is None else library.labelled(library.make_column(cells), None, index)


def _rounds(columns: list[Any]) -> bool:
    """Whether numbers in one array would become floats that cannot hold all of them."""
    if np.result_type(*columns).kind != "f":
        return False
    return any(column.dtype.kind in "iu" and exceeds_floats(column) for column in columns)


# --- The way back --------------------------------------------------------------------------------


class _Given(NamedTuple):
    """Values, as columns with an element for each sample.

    Attributes
    ----------
    columns : dict
        By their names, or numbers.
    is_table : bool
        Whether they came as a table.
    are_named : bool
    """

    columns: dict[Any, Any]
    is_table: bool
    are_named: bool


def _samples_of_index(values: Any) -> Any:
    """Return the samples in the index of a Series or DataFrame of pandas, if it has any."""
    index: Any = getattr(values, "index", None) if hasattr(type(values), "iloc") else None
    is_range = type(index).__name__ == "RangeIndex"
    counts = is_range and index.name is None and (index == np.arange(len(index))).all()
    return None if index is None or counts else index


def _given_columns(values: Any, groups: Any) -> _Given:
    if is_frame(values):
        library = library_of(values)
        return _Given(
            {name: library.column(values, name) for name in library.names_of(values)}, True, True
        )
    if not is_sequence(values) or names_of(values) is not None:
        raise TypeError(
            f"Expected an array, a list, a Series or a DataFrame as values, got {describe(values)}."
        )
    if isinstance(values, list | tuple):
        values = _column_of(values)
    elif library_of_column(values) is ARRAYS:
        values = as_array(values)
    if not isinstance(values, np.ndarray):
        name = getattr(values, "name", None)
        has_name = isinstance(name, str) and bool(name)
        return _Given({name if has_name else 0: values}, False, has_name)
    if values.ndim == 3:
        return _Given({0: _column_of(list(values))}, False, False)
    if values.ndim < 2:
        return _Given({0: values}, False, False)
    n_values = values.shape[1]
    is_table = values.dtype == object and any(map(is_sequence, values[:1].flat))
    if n_values > 1 and not is_table and (groups.lengths == n_values).all():
        raise ValueError(
            f"Expected values of samples or of steps, got an array of shape {values.shape}, which "
            f"may be either, as all samples have {n_values} rows: list(values) is of steps, a "
            "DataFrame of samples."
        )
    columns = [_column_of(list(column)) if is_table else column for column in values.T]
    return _Given(dict(enumerate(columns)), is_table, False)


def _column_of(cells: Sequence[Any]) -> NDArray[Any]:
    """Return a list as an array; of sequences, with an array in each cell."""
    if not any(map(is_sequence, cells)):
        return as_array(list(cells))
    column = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        check_is_sequence(i, cell)
        column[i] = as_array(cell)
    return column


def _check_lengths(lengths: Any, groups: Any) -> None:
    differs = lengths != groups.lengths
    if differs.any():
        i = np.argmax(differs)
        raise ValueError(
            f"Expected a value for each of the {groups.lengths[i]} rows of {groups.name(i)}, got "
            f"{lengths[i]}. (Last steps of which all features are missing are padding, and have no "
            "prediction: with the times among the features there are none.)"
        )


def _parts(label: Any, column: NDArray[Any]) -> list[Any]:
    """Return a column of rows, or each of the columns of one of several numbers in a row."""
    if isinstance(column, np.ndarray) and column.ndim == 2:
        return [(f"{label}_{k}", column[:, k]) for k in range(column.shape[1])]
    return [(label, column)]


def _names_of_result(name: Any, keys: Any, given: _Given) -> list[Any]:
    """Return the names of the columns of the result."""
    n = len(keys)
    if name is not None:
        names = list(name) if is_sequence(name) else [name]
        if len(names) != n:
            raise ValueError(f"Expected {n} names in name, got {len(names)}.")
        return names
    if given.are_named or given.is_table:
        return keys
    return ["prediction"] if n == 1 else [f"prediction_{j}" for j in range(n)]
