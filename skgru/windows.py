"""Cut series into windows, each with the values that follow it: forecasting as regression."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, validate_params

__all__ = ["WindowOrigin", "make_windows"]


class WindowOrigin(NamedTuple):
    """Where windows come from.

    Attributes
    ----------
    series : ndarray of shape (n_windows,)
        The place of each window's series in the list, 0 if there is only one.
    last_step : ndarray of shape (n_windows,)
        The index label of each window's last step or, without an index, its number in the series.
        Labels with a time zone are in UTC.
    """

    series: np.ndarray
    last_step: np.ndarray


@validate_params(
    {
        "series": "no_validation",  # read in _read
        "window": [Interval(Integral, 1, None, closed="left")],
        "horizon": [Interval(Integral, 1, None, closed="left"), "array-like"],
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
        One series: an array, a pandas or polars DataFrame or Series, or a list of numbers. Or a
        list or tuple of several, of any lengths but of the same features. Their steps count as
        equally spaced, whatever a pandas index says; missing values are NaN.

    window : int
        The number of steps of each window.

    horizon : int or array-like of int, default=1
        How many steps after the last step of the window the target is. Several of them make several
        targets: ``range(1, 25)`` for the next 24 steps.

    target : int, str or list of such, default=0
        The feature or features to be predicted. An int is the position of a column, anything else
        the name of a column of a DataFrame.

    known : int, str or list of such, default=()
        Features whose future is known when the forecast is made, such as the calendar or the
        weather forecast. They are shifted by the longest horizon: the last step of the window holds
        their value at the step furthest ahead, the step before it the value one step earlier, and
        so on.

    step : int, default=1
        How many steps after a window the next one of the same series starts.

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
        If a series is not numeric, infinite, of other features than the first, or its index is not
        ascending; if a target is also `known`; or if there is no window at all.

    See Also
    --------
    GRURegressor : Regression on sequences.
    SequenceAligner : Align events, one row per measurement, to sequences.
    sklearn.model_selection.TimeSeriesSplit : Cross-validation in the order of time.

    Notes
    -----
    No window spans two series, and none with a missing target is returned. Steps are rows: where an
    index leaves out times, put rows of NaN there first (``DataFrame.asfreq`` of pandas).

    The windows are in order of their last step: by its index label if all series are pandas objects
    with an index of datetimes, durations or numbers other than the default one, else by its number
    in the series; where it is the same, in order of the series. So
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

    furthest = horizons.max()
    lengths = np.array([len(one.values) for one in series])
    last_steps = [np.arange(window - 1, length - furthest, step) for length in lengths]
    series_of = np.repeat(np.arange(len(series)), [len(steps) for steps in last_steps])
    last_step = np.concatenate(last_steps)
    rows = (np.cumsum(lengths) - lengths)[series_of] + last_step
    if not len(rows):
        raise ValueError(
            f"No windows: expected a series of at least {window + furthest} steps (window and "
            f"longest horizon), got at most {lengths.max()}."
        )
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
    """

    values: np.ndarray
    names: list | None
    labels: np.ndarray | None


def _read(series):
    """Return the series as a list, checked to have the same features."""
    if not isinstance(series, list | tuple) or not any(hasattr(one, "__len__") for one in series):
        series = [series]
    series = [_read_one(i, one) for i, one in enumerate(series)]
    first = series[0]
    for i, one in enumerate(series):
        if one.values.shape[1] != first.values.shape[1]:
            raise ValueError(
                f"Expected {first.values.shape[1]} features as in series 0, got "
                f"{one.values.shape[1]} in series {i}."
            )
        if None not in (one.names, first.names) and one.names != first.names:
            raise ValueError(
                f"Expected the columns {first.names} as in series 0, got {one.names} in series {i}."
            )
    return series


def _read_one(i, series):
    """Check series i."""
    cells = series.to_numpy() if hasattr(series, "to_numpy") else np.asarray(series)
    is_text = cells.dtype == object and any(isinstance(cell, str | bytes) for cell in cells.flat)
    if is_text or cells.dtype.kind not in "biufcO":
        kind = "text" if is_text else f"dtype {cells.dtype}"
        raise ValueError(f"Expected series of numbers, got {kind} in series {i}.")
    if cells.ndim not in (1, 2):
        raise ValueError(
            f"Expected series of shape (n_steps,) or (n_steps, n_features), got {cells.shape} for "
            f"series {i}; several series are given as a list."
        )
    try:
        values = check_array(
            series,
            dtype=[np.float64, np.float32],
            ensure_2d=False,
            ensure_all_finite=False,
            ensure_min_samples=0,
            input_name=f"series {i}",
        )
    except TypeError as error:
        raise ValueError(f"Expected series of numbers, in series {i}: {error}") from error
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"Expected finite or missing values, got {values[row, column]} in step {row} of series "
            f"{i}, feature {column}."
        )
    names = list(series.columns) if hasattr(series, "columns") else None
    return _Series(values, names, _read_labels(i, series))


def _read_labels(i, series):
    """Return the ascending index of series i, None if it has none but the default one."""
    if not hasattr(series, "iloc"):
        return None
    index = series.index
    is_default = getattr(index, "start", None) == 0 and index.step == 1
    if is_default or index.dtype.kind not in "iufmM":
        return None
    if not index.is_monotonic_increasing:
        raise ValueError(f"Expected an ascending index, got an unsorted one in series {i}.")
    return (index if getattr(index, "tz", None) is None else index.tz_convert(None)).to_numpy()


def _labels(series):
    """Return the index of all steps, None unless all series have one."""
    labels = [one.labels for one in series]
    if any(label is None for label in labels):
        return None
    kinds = {"number" if label.dtype.kind not in "mM" else str(label.dtype)[:8] for label in labels}
    if len(kinds) > 1:
        raise ValueError(f"Expected indices of one kind, got {sorted(kinds)}.")
    return np.concatenate(labels)


def _check_horizons(horizon):
    """Return the horizons as an array."""
    horizons = np.atleast_1d(horizon)
    if (
        horizons.ndim != 1
        or horizons.dtype.kind not in "iu"
        or not len(horizons)
        or horizons.min() < 1
        or len(set(horizons.tolist())) < len(horizons)
    ):
        raise ValueError(f"Expected distinct integers of 1 or more as horizon, got {horizon!r}.")
    return horizons.astype(np.intp)


def _find_columns(columns, names, n_features, parameter):
    """Return the positions of the columns that a parameter names."""
    columns = list(columns) if isinstance(columns, list | tuple | np.ndarray) else [columns]
    found = []
    for column in columns:
        if isinstance(column, Integral) and -n_features <= column < n_features:
            found.append(int(column) % n_features)
        elif not isinstance(column, Integral) and names.count(column) == 1:
            found.append(names.index(column))
        else:
            raise ValueError(
                f"{parameter}: expected one of the {n_features} columns {names or ''}, got "
                f"{column!r}."
            )
    if len(set(found)) < len(found):
        raise ValueError(f"{parameter}: expected distinct columns, got {columns}.")
    return found
