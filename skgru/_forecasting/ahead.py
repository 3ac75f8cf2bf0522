"""Forecasts of any number of steps ahead: beyond the horizon by feeding forecasts back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skgru._forecasting.effects import effects_ahead, without_effects
from skgru._forecasting.ensemble import Ensemble
from skgru._forecasting.networks import Forecast
from skgru._forecasting.window import Array, Indices, Source, Windows, cut


def forecast_ahead(
    model: Ensemble, sources: Sequence[Source], origins: Sequence[Indices], n_steps: int
) -> tuple[Windows, Forecast]:
    """Return the windows that end at some steps of each source, and forecasts of what follows.

    Beyond the horizon of the model, forecasts take the place of values. How far those may be from
    the truth grows with the square root of the steps ahead, as in a random walk.

    Parameters
    ----------
    model : Ensemble
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
    bare = without_effects([model.bounds.limit(source) for source in sources], model.effects)
    windows = cut(bare, origins, model.shape)
    parts = [model.forecast(windows)]
    effects = [effects_ahead(windows, model.effects)]
    if n_steps > horizon:
        # Each origin for itself, as what follows it is made up.
        alone = [
            source.until(origin)
            for source, steps in zip(bare, origins, strict=True)
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
            further = cut(alone, ends, model.shape)
            parts.append(model.forecast(further))
            effects.append(effects_ahead(further, model.effects))
    center, below, above = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    center[np.isnan(windows.history).all(axis=1)] = np.nan  # nothing is known to forecast from
    center = _possible(model, center + np.concatenate(effects, axis=1))
    forecast = Forecast(center, below, above)
    windows = windows._replace(ahead=windows.ahead + effects[0])
    return windows, Forecast(*(part[:, :n_steps] for part in forecast))


def quantile_ahead(model: Ensemble, forecast: Forecast, owners: Indices, level: float) -> Array:
    """Return a quantile of what may follow, beyond the horizon of a random walk's growth."""
    assert model.calibration is not None  # the estimator has checked it
    n_steps = forecast.center.shape[1]
    growth = np.sqrt(np.maximum((np.arange(n_steps) + 1) / model.shape.horizon, 1))
    wider = Forecast(forecast.center, forecast.below * growth, forecast.above * growth)
    return _possible(model, model.calibration.quantile(wider, owners, level, n_steps))


def _possible(model: Ensemble, values: Array) -> Array:
    """Return forecasts of counts that are none below zero."""
    return np.maximum(values, 0) if model.rule.is_count else values
