"""GRUForecaster as a forecaster of sktime. It needs sktime: the extra ``forecasting``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from skgru.forecasting import GRUForecaster

try:
    import pandas as pd
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as error:
    raise ImportError(
        "skgru.sktime needs sktime: install it, or the extra of skgru that has it, "
        "pip install 'skgru[forecasting]'."
    ) from error

__all__ = ["SktimeForecaster"]


class SktimeForecaster(BaseForecaster):
    """A `GRUForecaster` with the interface of sktime's forecasters.

    Parameters
    ----------
    forecaster : GRUForecaster or None, default=None
        The forecaster; None is one with its defaults. Its `horizon` may be shorter than what is
        forecast, which then is fed back. As everywhere in sktime, all columns of X are known in the
        future; `target`, `known`, `series` and `time` stay at their defaults.

    Attributes
    ----------
    forecaster_ : GRUForecaster
        The fitted forecaster.

    Notes
    -----
    Rows of X belong to the steps of the same labels; rows that are counted from 0, as of an array,
    are those of the horizon, or of all steps up to its last. Of steps that it leaves out, X lies on
    the line between its neighbours. `update` without `update_params` lets the same network read
    what was observed since.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from skgru import GRUForecaster
    >>> from skgru.sktime import SktimeForecaster
    >>> y = load_airline()
    >>> forecaster = SktimeForecaster(GRUForecaster(window=24, horizon=12, random_state=0))
    >>> forecaster.fit(y[:-12], fh=range(1, 13)).predict().shape
    (12,)
    """

    _tags = {
        "authors": "skgru",
        "maintainers": "skgru",
        "python_dependencies": "skgru",
        "y_inner_mtype": ["pd.Series", "pd.DataFrame"],
        "X_inner_mtype": "pd.DataFrame",
        "scitype:y": "both",
        "capability:exogenous": True,
        "capability:insample": False,
        "capability:missing_values": True,
        "capability:pred_int": False,
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": True,
        "enforce_index_type": None,
    }

    def __init__(self, forecaster: GRUForecaster | None = None) -> None:
        self.forecaster = forecaster
        super().__init__()

    def _fit(self, y, X, fh):
        """Fit to a series, or a frame of which each column is one."""
        forecaster = GRUForecaster() if self.forecaster is None else clone(self.forecaster)
        if X is not None:
            forecaster.set_params(known=list(X.columns))
        self.forecaster_ = forecaster.fit(y, X)
        self._cur_y, self._cur_X, self._is_later = y, X, False
        return self

    def _update(self, y, X=None, update_params=True):
        """Append what was observed since, and fit to all of it, or let the network read it."""
        self._cur_y, self._cur_X = _appended(self._cur_y, y), _appended(self._cur_X, X)
        self._is_later = True
        return self._fit(self._cur_y, self._cur_X, self._fh) if update_params else self

    def _predict(self, fh, X):
        """Forecast the steps of `fh`, as a Series or DataFrame with their index."""
        steps = fh.to_relative(self.cutoff).to_numpy().astype(int)
        n_steps = int(steps.max())
        future = None if X is None else self._future(fh, X, steps)
        if self._is_later:
            beside = _appended(self._cur_X, future)
            forecast = self.forecaster_.predict(n_steps, y=self._cur_y, X=beside)
        else:
            forecast = self.forecaster_.predict(n_steps, X=future)
        forecast = forecast.iloc[steps - 1]
        forecast.index = fh.to_absolute_index(self.cutoff)
        return forecast

    def _future(self, fh, X, steps):
        """Return the columns of X in `fit`, a row for each step up to the last one of `fh`."""
        names = list(self.forecaster_.known)
        if not names:
            raise ValueError("Expected no X, as fit was given none.")
        lacking = [name for name in names if name not in X.columns]
        if lacking:
            raise ValueError(
                f"Expected the columns {names} in X, as in fit, got {list(X.columns)}."
            )
        every = np.arange(1, steps.max() + 1)
        labels = ForecastingHorizon(every, freq=fh.freq).to_absolute_index(self.cutoff)
        places = labels.get_indexer(X.index)
        is_counted = isinstance(X.index, pd.RangeIndex) and X.index.start == 0
        if is_counted and (places < 0).all():
            places = steps - 1 if len(X) == len(steps) else np.arange(len(X))
        ahead = (places >= 0) & (places < len(every))
        given = places[ahead]
        missing = np.setdiff1d(steps - 1, given)
        if len(missing):
            raise ValueError(
                f"Expected X for the {len(steps)} steps of the horizon, got none for "
                f"{labels[missing[0]]}."
            )
        columns = [np.interp(every - 1, given, X[name].to_numpy()[ahead]) for name in names]
        return pd.DataFrame(dict(zip(names, columns, strict=True)), labels)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            Not used.

        Returns
        -------
        params : list of dict
        """
        small: dict[str, Any] = {"hidden_layer_sizes": 4, "max_iter": 1, "random_state": 0}
        return [
            {"forecaster": GRUForecaster(window=3, horizon=2, **small)},
            {"forecaster": GRUForecaster(window=4, horizon=1, cell="lstm", **small)},
        ]


def _appended(before, later):
    """Return observations with later ones, which count where both have some."""
    if before is None or later is None:
        return before
    rows = pd.concat([before, later])
    return rows[~rows.index.duplicated(keep="last")]
