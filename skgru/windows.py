"""Cut series into windows, each with the values that follow it: forecasting as regression."""

from __future__ import annotations

import operator
from collections.abc import Sequence, Sized
from numbers import Integral
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skgru._compat import Interval, is_array, is_list, validate_params
from skgru._data.matching import match
from skgru._data.panel import stamps_of
from skgru._data.series import open_covariates, open_panel
from skgru._types import ArrayLike, Column, Columns

__all__ = ["WindowOrigin", "make_windows"]


class WindowOrigin(NamedTuple):
    """The origin of windows.

    Attributes
    ----------
    series : ndarray of shape (n_windows,)
        The place of each window's series in the list, 0 if there is only one. The entities of a
        MultiIndex, or of a column, count as so many series, in order of first appearance.
    last_step : ndarray of shape (n_windows,)
        The label of each window's last step or, without labels, its number in the series. Labels
        with a time zone are in UTC; of a period it is the start.
    """

    series: np.ndarray
    last_step: np.ndarray


@overload
def make_windows(
    data: ArrayLike,
    window: int,
    horizon: int | Sequence[int] | NDArray[np.integer[Any]] = ...,
    *,
    target: Columns = ...,
    known: Columns = ...,
    series: Column | None = ...,
    time: Column | None = ...,
    step: int = ...,
    future: ArrayLike | None = ...,
    return_last: Literal[False] = ...,
    return_origin: Literal[False] = ...,
) -> tuple[NDArray[Any], NDArray[Any]]: ...


@overload
def make_windows(
    data: ArrayLike,
    window: int,
    horizon: int | Sequence[int] | NDArray[np.integer[Any]] = ...,
    *,
    target: Columns = ...,
    known: Columns = ...,
    series: Column | None = ...,
    time: Column | None = ...,
    step: int = ...,
    future: ArrayLike | None = ...,
    return_last: bool = ...,
    return_origin: bool = ...,
) -> tuple[Any, ...]: ...


@validate_params(
    {
        "data": "no_validation",  # read in open_panel
        "window": [Interval(Integral, 1, None, closed="left")],
        "horizon": "no_validation",  # checked in _check_horizons
        "target": "no_validation",  # looked up in _find_columns
        "known": "no_validation",
        "series": "no_validation",  # looked up in open_panel
        "time": "no_validation",
        "step": [Interval(Integral, 1, None, closed="left")],
        "future": "no_validation",
        "return_last": ["boolean"],
        "return_origin": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_windows(
    data: ArrayLike,
    window: int,
    horizon: int | Sequence[int] | NDArray[np.integer[Any]] = 1,
    *,
    target: Columns = 0,
    known: Columns = (),
    series: Column | None = None,
    time: Column | None = None,
    step: int = 1,
    future: ArrayLike | None = None,
    return_last: bool = False,
    return_origin: bool = False,
) -> tuple[Any, ...]:
    """Cut one or many series into windows and the values to be predicted from them.

    Parameters
    ----------
    data : array-like of shape (n_steps,) or (n_steps, n_features), table, or list of such
        One series: an array, a DataFrame or Series of pandas or polars, an Arrow table, or a list
        of numbers. Or a list or tuple of several, of any lengths but of the same features. Or many
        in one container: an object of pandas with a MultiIndex, whose last level is the time and
        whose levels before it name the series; or a long table, with `series`.

        Values are numbers; missing ones are NaN, None, null, pd.NA or masked.

    window : int
        The number of steps of each window.

    horizon : int or array-like of int, default=1
        What is to be predicted: an int is the number of steps that follow the window, 24 for the
        next 24. A list names single ones by their distance from the last step of the window:
        ``[24]`` is the 24th alone.

    target : int, str or list of such, default=0
        The feature or features to be predicted. An int is the position of a column, not counting
        those of `series` and `time`; anything else is the name of a column.

    known : int, str or list of such, default=()
        Features whose future is known when the forecast is made, such as the calendar or the
        weather forecast. They are shifted by the longest horizon: the last step of the window holds
        their value at the step furthest ahead, the step before it the value one step earlier, and
        so on.

    series : str or other hashable, default=None
        Of a long table (pandas, polars, Arrow, dict of arrays), the column that says which series a
        row is of.

    time : str or other hashable, default=None
        The column of times: dates, periods, durations or numbers. The rows of such a table may be
        in any order. None takes the index, where there is one of times; else the rows of a series
        are in their order.

    step : int, default=1
        The number of steps from the start of a window to that of the next one of the same series.

    future : array-like of shape (max(horizon), n_known), table, or list of such, default=None
        With `return_last`, the features of `known` for the steps that follow each series: a column
        for each, by its name or in the order of `known`, for one or many series in any of
        the containers of `data`. Rows with labels are matched by them; one table of dates, such as
        a calendar, serves all series.

    return_last : bool, default=False
        Whether to return also the last window of each series, whose future is not known yet.

    return_origin : bool, default=False
        Whether to return also where each window comes from.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_features)
        The windows, in float32 if all series are, else in float64. Missing values stay NaN.

    y : ndarray of shape (n_windows,) or (n_windows, n_horizons * n_targets)
        The targets: one-dimensional if there is one horizon and one target, else all targets of the
        first horizon, then all of the second, and so on.

    X_last : ndarray of shape (n_series, window, n_features)
        The last window of each series. Only if `return_last` is True.

    origin : WindowOrigin
        The series and the last step of each window of X. Only if `return_origin` is True.

    Raises
    ------
    ValueError
        If a series is not numeric (a column of dates, text or categories is named), infinite, of
        other features than the first; if its labels are not ascending, come twice, are missing or
        of another kind than those of the first; if a target is also `known`; if there is no window
        at all, or no last one; or if `future` does not cover the steps that follow a series.

    Warns
    -----
    UserWarning
        If labels leave out steps, which are filled with missing values; or if they are not equally
        spaced, so that each row counts as a step.

    See Also
    --------
    GRURegressor : Regression on sequences.
    SequenceAligner : Align events, one row per measurement, to sequences.
    make_sequences : Sequences of a table with a row for each step of each sample.
    sklearn.model_selection.TimeSeriesSplit : Cross-validation in the order of time.

    Notes
    -----
    No window spans two series, and none with a missing target is returned.

    Steps are equally spaced in time. Where labels leave out some, such as the holidays among
    business days, these are steps of missing values, and a warning says how many. The step is the
    frequency of the index, or the most frequent difference of labels: days, weeks, months, quarters
    and years, from their start or their end, business days and anything shorter are recognized.
    Days and longer steps are those of the time zone's own calendar, 23 or 25 hours long where its
    clock is set. Labels that no step leads to, such as those of events, count as they stand, with a
    warning.

    The windows are in order of their last step: by its label if all series have dates, periods,
    durations or numbers, other than the default index of pandas, else by its number in the series;
    where it is the same, in order of the series. An index of text is none: turn dates that are text
    into dates (``pandas.to_datetime``). So :class:`~sklearn.model_selection.TimeSeriesSplit` works,
    for many series as for one. With ``gap = n_series * ceil(max(horizon) / step) - 1`` windows left
    out between training and test windows (``max(horizon) - 1`` for one series and ``step=1``), all
    targets of the training windows lie no later than the last step of the first test window: they
    are known when the first forecast is made, and, as all targets of the test windows come later,
    no value is a target of both. For several series this takes a common clock and, if `step` is not
    1, a common start.

    ``X.reshape(len(X), -1)`` are the same windows as a table for any regressor of scikit-learn, and
    for `GRURegressor` with ``features_per_step=n_features``.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import make_windows
    >>> X, y, X_last = make_windows(np.arange(6.0), window=3, return_last=True)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> y
    array([3., 4., 5.])
    >>> X_last[:, :, 0]
    array([[3., 4., 5.]])

    The next two values of feature 0, from its past and from a feature 1 that is known in advance:

    >>> data = np.column_stack([np.arange(6), np.arange(10, 16)])
    >>> X, y = make_windows(data, window=2, horizon=2, known=1)
    >>> X[0]
    array([[ 0., 12.],
           [ 1., 13.]])
    >>> y
    array([[2., 3.],
           [3., 4.],
           [4., 5.]])
    """
    window, step = operator.index(window), operator.index(step)  # NumPy's small ones overflow
    panel = open_panel(data, series=series, time=time, role="series", irregular="count")
    parts = [one.values for one in panel.series]
    values = np.concatenate(parts)
    names = panel.names or []
    horizons = _check_horizons(horizon)
    targets = _find_columns(target, names, values.shape[1], "target")
    columns = _find_columns(known, names, values.shape[1], "known")
    if not targets or set(targets) & set(columns):
        raise ValueError(
            "Expected at least one target, and none that is known in advance, got the columns "
            f"{targets} as target and {columns} as known."
        )

    furthest = horizons[-1] if isinstance(horizons, range) else max(horizons)
    if future is not None and not (return_last and columns):
        raise ValueError(
            "Expected future with return_last=True and features that are known only, got "
            f"return_last={return_last} and the columns {columns} as known."
        )
    last = _last_windows(panel, window) if return_last else None
    if last is not None and columns:
        ahead = _read_future(panel, furthest, columns, future, series, time)
        for x, one, rows in zip(last, panel.series, ahead, strict=True):
            x[:, columns] = np.concatenate([one.values[:, columns], rows])[-window:]
    lengths = [len(part) for part in parts]
    if max(lengths) < window + furthest and not return_last:
        raise ValueError(
            f"No windows: expected a series of at least {window + furthest} steps (window and "
            f"longest horizon), got at most {max(lengths)}."
        )
    step = min(step, max(lengths))
    last_steps = [np.arange(window - 1, length - furthest, step) for length in lengths]
    series_of = np.repeat(np.arange(len(parts)), [len(steps) for steps in last_steps])
    last_step = np.concatenate(last_steps)
    rows = (np.cumsum(lengths) - lengths)[series_of] + last_step
    y = values[:, targets][np.add.outer(rows, horizons)]
    y = y.reshape(len(rows), len(horizons) * len(targets))
    complete = np.flatnonzero(~np.isnan(y).any(axis=1))
    if not len(complete) and not return_last:
        raise ValueError(f"No windows: all {len(y)} have a missing target, expected some without.")

    stamps = stamps_of(panel.series, "data")
    if stamps is not None:
        last_step = np.concatenate(stamps)[rows]
    order = complete[np.argsort(last_step[complete], kind="stable")]
    # Rows that would get the known features of the next series are in no window.
    values[:-furthest, columns] = values[furthest:, columns]
    windows = sliding_window_view(values, (window, values.shape[1]))[:, 0]
    X, y = windows[rows[order] - window + 1], y[order]
    y = y[:, 0] if y.shape[1] == 1 else y
    origin = WindowOrigin(series_of[order], last_step[order]) if return_origin else None
    return (X, y, *(part for part in (last, origin) if part is not None))


# --- Last windows --------------------------------------------------------------------------------


def _last_windows(panel: Any, window: int) -> NDArray[Any]:
    """Return the last window of each series, (n_series, window, n_features)."""
    for i, one in enumerate(panel.series):
        if len(one.values) < window:
            name = f"series {i}" if one.key is None else f"series {i}, which is {one.key!r},"
            raise ValueError(
                f"No last window: {name} has {len(one.values)} steps, expected at least {window}, "
                "the window."
            )
    return np.stack([one.values[-window:] for one in panel.series])


def _read_future(
    panel: Any,
    furthest: int,
    known: list[int],
    future: ArrayLike | None,
    series: Column | None,
    time: Column | None,
) -> list[NDArray[Any]]:
    """Return of each series the known features of the steps that follow, (furthest, n_known)."""
    names = [panel.names[j] for j in known] if panel.names is not None else known
    if future is None:
        raise ValueError(
            f"Expected future, a table of {names} for the {furthest} steps that follow each "
            "series, as these features are known: the last windows hold them."
        )
    given = open_covariates(future, "future", series, time)
    n_columns = given.series[0].values.shape[1]
    columns = list(range(n_columns))
    if given.names is not None and panel.names is not None:
        columns = _find_columns(names, given.names, n_columns, "future")
    elif n_columns != len(known):
        raise ValueError(
            f"Expected the {len(known)} columns of known in future, {names}, got {n_columns}."
        )
    found = []
    for i, (one, rows) in enumerate(
        zip(panel.series, match(panel, given, ahead=True), strict=True)
    ):
        n = len(one.values)
        end = min(rows.offset + len(rows.values), n + furthest)
        n_given = max(0, end - max(rows.offset, n))
        if n_given < furthest:
            raise ValueError(
                f"Expected the {furthest} steps that follow series {i} in future, got "
                f"{n_given} of them, from step {max(1, rows.offset - n + 1)} on."
            )
        start = n - rows.offset
        found.append(rows.values[start : start + furthest, columns])
    return found


# --- Parameters --------------------------------------------------------------------------------


def _check_horizons(horizon: Any) -> Sequence[int]:
    """Return the horizons; an int is the number of them."""
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
    is_number = horizons[0] is horizon or getattr(horizon, "ndim", 1) == 0
    return range(1, int(horizon) + 1) if is_number else list(map(int, horizons))


def _find_columns(columns: Any, names: list[Any], n_features: int, parameter: str) -> list[int]:
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


def _elements(value: Any) -> list[Any]:
    """Return the elements of a list or an array as a list, anything else as its only one."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return [value[()]]
    is_list_of_them = (is_array(value) or is_list(type(value))) and isinstance(value, Sized)
    return list(value) if is_list_of_them and not np.isscalar(value) else [value]


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.timedelta64)
