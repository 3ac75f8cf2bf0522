"""GRUForecaster as a forecaster of sktime. It needs sktime: the extra ``forecasting``."""

import numpy as np
from sklearn.base import clone

from skgru.forecasting import GRUForecaster

try:
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
    The rows of X are told by their index. Of steps that X leaves out, such as those between the
    steps of the horizon, it lies on the line between its neighbours.

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

    def __init__(self, forecaster=None):
        self.forecaster = forecaster
        super().__init__()

    def _fit(self, y, X, fh):
        """Fit to a series, or a frame of which each column is one."""
        forecaster = GRUForecaster() if self.forecaster is None else clone(self.forecaster)
        if X is not None:
            forecaster.set_params(known=list(X.columns))
        self.forecaster_ = forecaster.fit(y, X)
        return self

    def _predict(self, fh, X):
        """Forecast the steps of `fh`, as a Series or DataFrame with their index."""
        steps = fh.to_relative(self.cutoff).to_numpy().astype(int)
        n_steps = int(steps.max())
        future = None
        if X is not None:
            # The rows of `fh`, which may leave out steps, or any others, of the past too.
            of_rows = ForecastingHorizon(X.index, is_relative=False, freq=fh.freq)
            places = of_rows.to_relative(self.cutoff).to_numpy().astype(int)
            every = np.arange(1, n_steps + 1)
            future = np.column_stack([np.interp(every, places, X[name]) for name in X.columns])
        forecast = self.forecaster_.predict(n_steps, X=future).iloc[steps - 1]
        forecast.index = fh.to_absolute_index(self.cutoff)
        return forecast

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameters for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            Not used.

        Returns
        -------
        params : list of dict
        """
        small = {"hidden_layer_sizes": 4, "max_iter": 1, "random_state": 0}
        return [
            {"forecaster": GRUForecaster(window=3, horizon=2, **small)},
            {"forecaster": GRUForecaster(window=4, horizon=1, cell="lstm", **small)},
        ]
