"""Forecasts of any number of steps ahead: beyond the horizon by feeding forecasts back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skgru._forecasting.model import Model
from skgru._forecasting.network import Forecast
from skgru._forecasting.windows import Array, Indices, Source, Windows, cut


def forecast_ahead(
    model: Model, sources: Sequence[Source], origins: Sequence[Indices], n_steps: int
) -> tuple[Windows, Forecast]:
    """Return the windows that end at some steps of each source, and forecasts of what follows.

    Beyond the horizon of the model, forecasts take the place of values. How far those may be from
    the truth grows with the square root of the steps ahead, as in a random walk.

    Parameters
    ----------
    model : Model
    sources : list of Source, with what is known of `n_steps` steps after each origin
    origins : list of ndarray of int
    n_steps : int

    Returns
    -------
    windows : Windows
        One for each origin of each source, in this order.
    forecast : Forecast
        Of arrays of shape (n_windows, n_steps).
    """
    horizon = model.shape.horizon
    windows = cut(sources, origins, model.shape)
    parts = [model.forecast(windows)]
    is_empty = np.isnan(windows.history).all(axis=1)
    if n_steps > horizon:
        # Each origin for itself, as what follows it is made up.
        alone = [
            source.until(origin)
            for source, steps in zip(sources, origins, strict=True)
            for origin in steps
        ]
        ends = [np.array([origin]) for steps in origins for origin in steps]
        while horizon * len(parts) < n_steps:
            centers = parts[-1].center
            alone = [
                source._replace(values=np.concatenate([source.values, center]))
                for source, center in zip(alone, centers, strict=True)
            ]
            ends = [end + horizon for end in ends]
            parts.append(model.forecast(cut(alone, ends, model.shape)))
    joined = Forecast(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))
    joined.center[is_empty] = np.nan  # nothing is known to forecast from
    return windows, Forecast(*(part[:, :n_steps] for part in joined))


def quantile_ahead(model: Model, forecast: Forecast, owners: Indices, level: float) -> Array:
    """Return a quantile of what may follow, beyond the horizon of a random walk's growth."""
    assert model.calibration is not None  # the estimator has checked it
    n_steps = forecast.center.shape[1]
    growth = np.sqrt(np.maximum((np.arange(n_steps) + 1) / model.shape.horizon, 1))
    wider = Forecast(forecast.center, forecast.below * growth, forecast.above * growth)
    return model.calibration.quantile(wider, owners, level, n_steps)
