"""Lags among the columns of a table, as the steps of a series: for libraries that forecast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._compat import names_of
from skgru._data.lagged import Lag, lag_of, longest_run
from skgru._types import ArrayLike, Lags

__all__ = ["LagSelector"]

_EXPECTED = (
    "Expected lags as a positive int, a list of ints that differ, or a dict of them by series"
)


class LagSelector:
    """Select the lags of a series among the columns of a table, the oldest first.

    Libraries that forecast with a regressor of scikit-learn (skforecast, mlforecast, sktime, darts)
    hand it a table with a row per sample, in which some columns are lags, the newest first in most
    of them, and others are not. A :class:`SeriesBranch` reads the columns that this callable
    returns as the steps of a series; with ``remainder=TableBranch()`` all others are read as static
    columns.

    Parameters
    ----------
    lags : int, iterable of int, or dict of str to these, default=None
        The lags that X has. An int stands for 1 to `lags`. Where the columns have no names, these
        are the lags of the first columns, in this order: give what the library was given, for
        skforecast ``24`` or ``[1, 2, 3, 24]``, and for the windows of sktime ``range(24, 0, -1)``.
        A dict has those of several series, whose columns lie one series after the other. Where
        columns have names, lags are known by them and `lags` may say which ones count. None: all
        that are known by their names.

    See Also
    --------
    MultimodalGRURegressor : The network of several branches.
    make_windows : Windows of series, for those who forecast without such a library.
    sklearn.compose.make_column_selector : Select columns by their types and names.

    Notes
    -----
    Names of lags are ``lag_1``, ``lag1``, ``y_lag_1``, ``temp_lag1``, ``y_target_lag-1`` and
    ``lag_1__y``: those of skforecast, mlforecast, sktime and darts. ``rolling_mean_lag1_window_3``
    is none, as it does not end with the lag.

    A recurrent network takes its steps as equally spaced. So the steps are the longest evenly
    spaced run of the lags: 1, 2, 3 of 1, 2, 3, 24, and 7, 14, 21 of 1, 7, 14, 21. Lags beside it
    belong into the table. Of two runs that are as long it is the one with the smaller spacing, then
    with the newer lags.

    The run is that of the series with the most lags. Other series that have all lags of the run are
    further features of its steps; the lags of others, again, belong into the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgru import LagSelector, MultimodalGRURegressor, SeriesBranch, TableBranch
    >>> X = pd.DataFrame([[4.0, 3.0, 2.0, 1.0, 20.5]])
    >>> X.columns = ["lag_1", "lag_2", "lag_3", "lag_24", "temperature"]
    >>> LagSelector()(X)
    [2, 1, 0]
    >>> LagSelector([1, 2, 3, 24])(X.to_numpy())
    [2, 1, 0]
    >>> network = MultimodalGRURegressor(
    ...     [("lags", SeriesBranch(), LagSelector())], remainder=TableBranch(), max_iter=1
    ... )
    >>> [columns for _, _, columns in network.fit(X, [5.0]).branches_]
    [(2, 1, 0), (3, 4)]

    Two features per step:

    >>> LagSelector({"y": 2, "temperature": 2})(X.to_numpy())
    array([[1, 3],
           [0, 2]])
    """

    def __init__(self, lags: Lags = None) -> None:
        self.lags = lags

    def __repr__(self) -> str:
        return f"LagSelector({'' if self.lags is None else repr(self.lags)})"

    def __call__(self, X: ArrayLike) -> list[int] | NDArray[np.intp]:
        """Return the columns of X that are lags, the oldest first.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        columns : list of int or ndarray of shape (n_steps, n_series)
            The indices of columns, step by step; the second where several series are read.

        Raises
        ------
        ValueError
            If X has none of the lags, its columns have no names and there is no `lags`, or a lag is
            negative or comes twice.
        TypeError
            If `lags` is none of what it may be.
        """
        names = names_of(X)
        said = None if self.lags is None else _as_dict(self.lags)
        if names is None:
            columns = self._by_position(said, X.shape[1])
        else:
            columns = self._by_name(said, names)
        (series, _), *_ = Counter(series for series, _ in columns).most_common(1)
        run = longest_run(lag for name, lag in columns if name == series)[::-1]
        chosen = [series]
        if len(run) > 1:  # a lag alone shows no series
            every = dict.fromkeys(name for name, _ in columns)
            chosen = [name for name in every if all((name, lag) in columns for lag in run)]
        steps = [[columns[Lag(name, lag)] for name in chosen] for lag in run]
        return np.array(steps) if len(chosen) > 1 else [index for (index,) in steps]

    def _by_position(self, said: dict[str, list[int]] | None, n_columns: int) -> dict[Lag, int]:
        """Return the indices of the lags of an array, by series and lag."""
        if said is None:
            raise ValueError(
                "The columns of X have no names by which lags would be known: expected lags, as "
                "they were given to the library that has made X, such as LagSelector(24)."
            )
        places = [Lag(series, lag) for series, lags in said.items() for lag in lags]
        if len(places) > n_columns:
            raise ValueError(f"X has {n_columns} columns, expected at least {len(places)} lags.")
        return {lag: index for index, lag in enumerate(places)}

    def _by_name(self, said: dict[str, list[int]] | None, names: list[Any]) -> dict[Lag, int]:
        """Return the indices of the lags of a table whose columns have names."""
        lags = [lag_of(name) for name in names]
        columns = {lag: index for index, lag in enumerate(lags) if lag is not None}
        missing: list[Any] = []
        if len(columns) < len(lags) - lags.count(None):
            raise ValueError(f"Two columns of X are the same lag of one series: {list(names)}.")
        if said is not None and not isinstance(self.lags, Mapping):
            (of_each,) = said.values()
            found = {lag for _, lag in columns}
            missing = [lag for lag in of_each if lag not in found]
            columns = {lag: index for lag, index in columns.items() if lag.lag in of_each}
        elif said is not None:
            wanted = [Lag(series, lag) for series, lags in said.items() for lag in lags]
            missing = [tuple(lag) for lag in wanted if lag not in columns]
            columns = {lag: columns[lag] for lag in wanted if lag in columns}
        if missing or not columns:
            what = f"the lags {missing}" if missing else "a lag, such as lag_1, lag1 or y_lag_1"
            raise ValueError(f"Expected X to have {what}, got the columns {list(names)}.")
        return columns


def _as_dict(lags: Any) -> dict[str, list[int]]:
    """Return lags as a dict of lists of them; those of one series are of the name ''."""
    if isinstance(lags, Mapping):
        if not lags:
            raise TypeError(f"{_EXPECTED}, got an empty one.")
        return {str(series): _as_list(of_one) for series, of_one in lags.items()}
    return {"": _as_list(lags)}


def _as_list(lags: Any) -> list[int]:
    if isinstance(lags, Integral) and not isinstance(lags, bool) and int(lags) > 0:
        return list(range(1, int(lags) + 1))
    are_several = isinstance(lags, Iterable) and not isinstance(lags, str)
    items: list[Any] = list(lags) if are_several else []
    if not items or not all(
        isinstance(lag, Integral) and not isinstance(lag, bool) for lag in items
    ):
        raise TypeError(f"{_EXPECTED}, got {lags!r:.50}.")
    if min(items) < 0:
        raise ValueError(
            f"{_EXPECTED}, got {min(items)}: a lag is how many steps ago, 1 for the -1 of darts."
        )
    if len(set(items)) < len(items):
        raise ValueError(f"{_EXPECTED}, got {items}.")
    return [int(lag) for lag in items]
