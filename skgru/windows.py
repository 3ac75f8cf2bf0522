"""Cut series into windows, each with the values that follow it: forecasting as regression."""

import operator
from collections.abc import Iterable, Mapping, Sized
from datetime import date
from functools import partial
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skgru._compat import Interval, columns_of, is_array, is_list, names_of, validate_params
from skgru._data.arrays import as_array, check_not_deferred, describe, to_numbers
from skgru._data.times import cast, finest_unit_of, holds_times, is_time, to_times

__all__ = ["WindowOrigin", "make_windows"]

_GROUPS = "a list of its groups, [group for _, group in groups]"


class WindowOrigin(NamedTuple):
    """The origin of windows.

    Attributes
    ----------
    series : ndarray of shape (n_windows,)
        The place of each window's series in the list, 0 if there is only one. The entities of a
        MultiIndex count as so many series: of one frame they are ``index.droplevel(-1).unique()``.
    last_step : ndarray of shape (n_windows,)
        The index label of each window's last step or, without an index, its number in the series.
        Labels with a time zone are in UTC; of a period it is the start.
    """

    series: np.ndarray
    last_step: np.ndarray


@validate_params(
    {
        "series": "no_validation",  # read in _read
        "window": [Interval(Integral, 1, None, closed="left")],
        "horizon": "no_validation",  # checked in _check_horizons
        "target": "no_validation",  # looked up in _find_columns
        "known": "no_validation",
        "step": [Interval(Integral, 1, None, closed="left")],
        "return_origin": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_windows(series, window, horizon=1, *, target=0, known=(), step=1, return_origin=False):
    """Cut one or many series into windows and the values to be predicted from them.

    Parameters
    ----------
    series : array-like of shape (n_steps,) or (n_steps, n_features), or list of such
        One series: an array, a DataFrame or Series of pandas or polars, an Arrow table, or a list
        of numbers. Or a list or tuple of several, of any lengths but of the same features. In a
        pandas object with a MultiIndex, the last level is the time, and the levels before it name
        the series: each entity is one, in order of first appearance.

        The steps count as equally spaced, whatever an index says. Values are numbers; missing ones
        are NaN, None, null, pd.NA or masked.

    window : int
        The number of steps of each window.

    horizon : int or array-like of int, default=1
        The number of steps from the last step of the window to the target. Several of them make
        several targets: ``range(1, 25)`` for the next 24 steps.

    target : int, str or list of such, default=0
        The feature or features to be predicted. An int is the position of a column, anything else
        the name of a column of a DataFrame or table.

    known : int, str or list of such, default=()
        Features whose future is known when the forecast is made, such as the calendar or the
        weather forecast. They are shifted by the longest horizon: the last step of the window holds
        their value at the step furthest ahead, the step before it the value one step earlier, and
        so on.

    step : int, default=1
        The number of steps from the start of a window to that of the next one of the same series.

    return_origin : bool, default=False
        Whether to return also where each window comes from.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_features)
        The windows, in float32 if all series are, else in float64. Missing values stay NaN.

    y : ndarray of shape (n_windows,) or (n_windows, n_horizons * n_targets)
        The targets: one-dimensional if there is one horizon and one target, else all targets of the
        first horizon, then all of the second, and so on.

    origin : WindowOrigin
        The series and the last step of each window. Only if `return_origin` is True.

    Raises
    ------
    ValueError
        If a series is not numeric (a column of dates, text or categories is named), infinite, of
        other features than the first, or its index is not ascending, misses labels or is of another
        kind than that of the first; if a target is also `known`; or if there is no window at all.

    See Also
    --------
    GRURegressor : Regression on sequences.
    SequenceAligner : Align events, one row per measurement, to sequences.
    make_sequences : Sequences of a table with a row for each step of each sample.
    sklearn.model_selection.TimeSeriesSplit : Cross-validation in the order of time.

    Notes
    -----
    No window spans two series, and none with a missing target is returned. Steps are rows: where an
    index leaves out times, put rows of NaN there first (``DataFrame.asfreq`` of pandas).

    The windows are in order of their last step: by its index label if all series are pandas objects
    with an index of datetimes, periods, durations or numbers other than the default one, else by
    its number in the series; where it is the same, in order of the series. An index of text is
    none: turn dates that are text into dates (``pandas.to_datetime``). So
    :class:`~sklearn.model_selection.TimeSeriesSplit` works, for many series as for one. With
    ``gap = n_series * ceil(max(horizon) / step) - 1`` windows left out between training and test
    windows (``max(horizon) - 1`` for one series and ``step=1``), all targets of the training
    windows lie no later than the last step of the first test window: they are known when the first
    forecast is made, and, as all targets of the test windows come later, no value is a target of
    both. For several series this takes a common clock and, if `step` is not 1, a common start.

    ``X.reshape(len(X), -1)`` are the same windows as a table for any regressor of scikit-learn, and
    for `GRURegressor` with ``features_per_step=n_features``.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import make_windows
    >>> X, y = make_windows(np.arange(6.0), window=3)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> y
    array([3., 4., 5.])

    The next two values of feature 0, from its past and from a feature 1 that is known in advance:

    >>> series = np.column_stack([np.arange(6), np.arange(10, 16)])
    >>> X, y = make_windows(series, window=2, horizon=[1, 2], known=1)
    >>> X[0]
    array([[ 0., 12.],
           [ 1., 13.]])
    >>> y
    array([[2., 3.],
           [3., 4.],
           [4., 5.]])
    """
    window, step = operator.index(window), operator.index(step)  # NumPy's small ones overflow
    series = _read(series)
    values = np.concatenate([one.values for one in series])
    names = next((one.names for one in series if one.names is not None), [])
    horizons = _check_horizons(horizon)
    targets = _find_columns(target, names, values.shape[1], "target")
    known = _find_columns(known, names, values.shape[1], "known")
    if not targets or set(targets) & set(known):
        raise ValueError(
            "Expected at least one target, and none that is known in advance, got the columns "
            f"{targets} as target and {known} as known."
        )

    furthest = int(horizons.max())
    lengths = [len(one.values) for one in series]
    if max(lengths) < window + furthest:
        raise ValueError(
            f"No windows: expected a series of at least {window + furthest} steps (window and "
            f"longest horizon), got at most {max(lengths)}."
        )
    step = min(step, max(lengths))
    last_steps = [np.arange(window - 1, length - furthest, step) for length in lengths]
    series_of = np.repeat(np.arange(len(series)), [len(steps) for steps in last_steps])
    last_step = np.concatenate(last_steps)
    rows = (np.cumsum(lengths) - lengths)[series_of] + last_step
    y = values[:, targets][np.add.outer(rows, horizons)].reshape(len(rows), -1)
    complete = np.flatnonzero(~np.isnan(y).any(axis=1))
    if not len(complete):
        raise ValueError(f"No windows: all {len(y)} have a missing target, expected some without.")

    labels = _labels(series)
    if labels is not None:
        last_step = labels[rows]
    order = complete[np.argsort(last_step[complete], kind="stable")]
    # Rows that would get the known features of the next series are in no window.
    values[:-furthest, known] = values[furthest:, known]
    windows = sliding_window_view(values, (window, values.shape[1]))[:, 0]
    X, y = windows[rows[order] - window + 1], y[order]
    y = y[:, 0] if y.shape[1] == 1 else y
    return (X, y, WindowOrigin(series_of[order], last_step[order])) if return_origin else (X, y)


class _Series(NamedTuple):
    """One series.

    Attributes
    ----------
    values : ndarray of shape (n_steps, n_features)
    names : list of the names of the columns, or None
    labels : ndarray of shape (n_steps,), the ascending index, or None
    kind : str, the kind of the labels, or None
    """

    values: np.ndarray
    names: list | None
    labels: np.ndarray | None
    kind: str | None


# --- Series ------------------------------------------------------------------------------------


def _read(series):
    """Return the series as a list, checked to have the same features."""
    found = []
    for one in _to_list(series):
        found += _parse_one(len(found), one)
    first = found[0]
    for i, one in enumerate(found):
        if one.values.shape[1] != first.values.shape[1]:
            raise ValueError(
                f"Expected {first.values.shape[1]} features as in series 0, got "
                f"{one.values.shape[1]} in series {i}."
            )
        if None not in (one.names, first.names) and one.names != first.names:
            raise ValueError(
                f"Expected the columns {first.names} as in series 0, got {one.names} in series {i}."
            )
    return found


def _to_list(series):
    """Return one or several series as a list."""
    check_not_deferred(series, _GROUPS)
    if is_array(series) or not is_list(type(series)) or not isinstance(series, Sized):
        return [series]
    series = list(series)
    return series if any(map(_is_series, series)) else [series]


def _is_series(one):
    """Whether an element of a list is a series, and no number."""
    if isinstance(one, str | bytes):
        return False
    return (isinstance(one, Iterable) or is_array(one)) and getattr(one, "ndim", 1) != 0


def _parse_one(i, series):
    """Return series i as a list, of each entity that its index names."""
    check_not_deferred(series, _GROUPS)
    if isinstance(series, Mapping):
        raise ValueError(
            f"Expected an array, a DataFrame or a list of numbers as series {i}, got "
            f"{describe(series)}: give several series as a list, list(series.values()), and "
            "columns as a DataFrame."
        )
    if hasattr(series, "toarray") and not is_array(series):
        raise ValueError(
            f"Expected dense numbers, got {describe(series)} as series {i}: give its toarray()."
        )
    names = names_of(series)
    values = _read_values(i, series) if names is None else _read_columns(i, series, names)
    if values.shape[1] == 0:
        raise ValueError(f"Expected at least 1 feature, got 0 features in series {i}.")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"Expected finite or missing values, got {values[row, column]} in step {row} of series "
            f"{i}, feature {column}."
        )
    if not hasattr(series, "iloc"):  # not of pandas
        return [_Series(values, names, None, None)]
    if not hasattr(series.index, "levels") or series.index.nlevels == 1:
        labels, kind = _read_labels(f"series {i}", series.index.get_level_values(0))
        _check_ascending(f"series {i}", labels)
        return [_Series(values, names, labels, kind)]
    labels, kind = _read_last_level(i, series.index)
    parts = _split_by_entity(i, series.index)
    for k, (entity, rows) in enumerate(parts):
        _check_ascending(f"series {i + k}, which is {entity!r}", labels[rows])
    return [_Series(values[rows], names, labels[rows], kind) for _, rows in parts]


def _read_columns(i, series, names):
    """Return the columns of a table as an array (n_steps, n_features)."""
    columns = [
        _read_cells(f"column {name!r} of series {i}", column, name, hasattr(series, "iloc"))
        for name, column in zip(names, columns_of(series), strict=True)
    ]
    for name, column in zip(names, columns, strict=True):
        if column.ndim != 1:
            raise ValueError(
                f"Expected columns of numbers, got shape {column.shape} in column {name!r} of "
                f"series {i}."
            )
    values = np.empty((len(series), len(columns)), _float_type(columns))
    for j, column in enumerate(columns):
        values[:, j] = column
    return values


def _read_values(i, series):
    """Return a series that is no table as an array (n_steps, n_features)."""
    values = _read_cells(f"series {i}", series)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"Expected series of shape (n_steps,) or (n_steps, n_features), got {values.shape} for "
            f"series {i}; several series are given as a list."
        )
    values = values.astype(_float_type([values]), copy=False)
    return values[:, np.newaxis] if values.ndim == 1 else values


def _float_type(arrays):
    is_single = arrays and all(array.dtype == np.float32 for array in arrays)
    return np.float32 if is_single else np.float64


def _read_cells(where, cells, name=None, is_pandas=False):
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


def _place(where, index):
    """Return the place of a cell in words."""
    feature = f", feature {index[1]}" if len(index) == 2 else ""
    return f"step {index[0]} of {where}{feature}" if index else where


def _what_is_no_number(cells, array):
    """Return the kind of cells that are often found beside numbers but are none, else None."""
    kind = str(getattr(cells, "dtype", getattr(cells, "type", ""))).lower()
    if kind.startswith(("categor", "dictionary", "enum")):
        return "categories"
    if kind.startswith("extension"):  # of Arrow, such as periods
        return f"cells of type {kind}"
    if array.dtype.kind in "USTmM":
        return {"m": "durations", "M": "dates"}.get(array.dtype.kind, "text")
    types = set(map(type, array.flat)) if array.dtype == object else ()
    if any(issubclass(kind, str | bytes) for kind in types):
        return "text"
    times = [kind for kind in types if is_time(kind) and kind.__name__ != "NaTType"]
    if times:
        return "dates" if issubclass(times[0], date | np.datetime64) else "durations"
    return None


def _remedy(what, name, is_pandas):
    """Return the remedy for a column of a table that holds no numbers."""
    if name is None:
        return ""
    if what in ("dates", "durations"):
        index = f"; set_index({name!r}) makes it the index" if is_pandas else ""
        return (
            " Steps are rows, in their order: sort by this column and drop it, or make features of "
            f"it, such as the hour{index}."
        )
    index = f"; set_index([{name!r}, <time>]) makes it name them" if is_pandas else ""
    return (
        " Drop this column, or encode it as numbers. If it tells several series apart, give a list "
        f"of them{index}."
    )


# --- Index -------------------------------------------------------------------------------------


def _split_by_entity(i, index):
    """Return of a MultiIndex, for each entity in order of first appearance, it and its rows."""
    if any((np.asarray(codes) < 0).any() for codes in index.codes):
        raise ValueError(f"Expected an index without missing labels, got some in series {i}.")
    if len(index) == 0:
        return [(None, np.arange(0))]
    entity_of, entities = index.droplevel(-1).factorize()
    rows = np.argsort(entity_of, kind="stable")
    ends = np.cumsum(np.bincount(entity_of))
    return list(zip(entities, np.split(rows, ends[:-1]), strict=True))


def _read_last_level(i, index):
    """Return the last level of a MultiIndex, which are times or numbers, and their kind."""
    where = f"the last level of the index of series {i}"
    labels, kind = _read_labels(where, index.get_level_values(-1), is_whole=False)
    is_misplaced = kind == "numbers" and any(map(_is_time_level, index.levels[:-1]))
    if labels is None or is_misplaced:
        raise ValueError(
            f"Expected times or numbers in {where}, and what tells the series apart in those "
            f"before, got the levels {list(index.names)}: reorder_levels brings them in that order."
        )
    return labels, kind


def _is_time_level(level):
    return str(level.dtype).startswith("period") or holds_times(as_array(level))


def _read_labels(where, index, is_whole=True):
    """Return an index as an array and its kind, both None for one of text or the default one."""
    if is_whole and getattr(index, "start", None) == 0 and index.step == 1:
        return None, None
    if index.dtype == object and any(type(label).__name__ == "Period" for label in index):
        index = index.infer_objects()
    if str(index.dtype).startswith("period"):
        kind = str(index.dtype)
        labels = index.to_timestamp(how="start").to_numpy()
    else:
        if getattr(index, "tz", None) is not None:
            index = index.tz_convert(None)
        labels = as_array(index)
        types = set(map(type, labels.flat)) if labels.dtype == object else ()
        is_text = any(issubclass(kind, str | bytes) for kind in types)
        if labels.dtype.kind in "bUST" or (is_text and not any(map(is_time, types))):
            return None, None
        labels = to_times(labels)
        if labels.dtype.kind not in "mM":
            labels = _to_numbers(where, labels)
        kind = {"M": "dates", "m": "durations"}.get(labels.dtype.kind, "numbers")
    missing = np.isnat(labels) if labels.dtype.kind in "mM" else np.isnan(labels)
    if missing.any():
        raise ValueError(
            f"Expected an index without missing labels, got one in step {np.argmax(missing)} of "
            f"{where}."
        )
    return labels, kind


def _to_numbers(where, labels):
    try:
        return to_numbers(labels, lambda index: f"step {index[0]} of {where}")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected an index of dates, durations, numbers or text: {error} "
            "reset_index(drop=True) leaves the index out."
        ) from error


def _check_ascending(where, labels):
    if labels is not None and (labels[1:] < labels[:-1]).any():
        raise ValueError(
            f"Expected an ascending index, got an unsorted one in {where}: call its sort_index()."
        )


def _labels(series):
    """Return the index of all steps, None unless all series have one."""
    labels = [one.labels for one in series]
    if any(label is None for label in labels):
        return None
    kinds = {one.kind for one in series}
    if len(kinds) > 1:
        raise ValueError(f"Expected indices of one kind, got {sorted(kinds)}.")
    if labels[0].dtype.kind in "mM":
        unit = finest_unit_of(*labels)
        labels = [cast(label, unit) for label in labels]
    return np.concatenate(labels)


# --- Parameters --------------------------------------------------------------------------------


def _check_horizons(horizon):
    """Return the horizons as an array."""
    horizons = _elements(horizon)
    # 2**62 steps are more than there are, and fit into 64 bits.
    if (
        not horizons
        or not all(map(_is_integer, horizons))
        or not 1 <= min(horizons) <= max(horizons) <= 2**62
        or len(set(horizons)) < len(horizons)
    ):
        raise ValueError(
            f"Expected distinct integers of 1 or more as horizon, got {horizon!r:.80}."
        )
    return np.array(list(map(int, horizons)))


def _find_columns(columns, names, n_features, parameter):
    """Return the positions of the columns that a parameter names."""
    is_name = isinstance(columns, tuple) and columns in names
    columns = [columns] if is_name else _elements(columns)
    found = []
    for column in columns:
        if _is_integer(column) and -n_features <= column < n_features:
            found.append(int(column) % n_features)
        elif not isinstance(column, Integral | np.bool_) and names.count(column) == 1:
            found.append(names.index(column))
        else:
            raise ValueError(
                f"{parameter}: expected one of the {n_features} columns {names or ''}, got "
                f"{column!r:.80}."
            )
    if len(set(found)) < len(found):
        raise ValueError(f"{parameter}: expected distinct columns, got {columns}.")
    return found


def _elements(value):
    """Return the elements of a list or an array as a list, anything else as its only one."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return [value[()]]
    is_list_of_them = (is_array(value) or is_list(type(value))) and isinstance(value, Sized)
    return list(value) if is_list_of_them and not np.isscalar(value) else [value]


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool | np.timedelta64)
