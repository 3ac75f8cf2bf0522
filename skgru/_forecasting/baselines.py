"""Forecasts to compare others with, on the same windows."""

from __future__ import annotations

from collections.abc import Sequence

from skgru._forecasting.members import Fold, Ridge, choose_ridge, persistence, seasonal_naive
from skgru._forecasting.relative import Rule
from skgru._forecasting.window import Array, Shape, Windows, earlier_and_later

BASELINES = ("persistence", "seasonal_naive", "ridge")
# A linear model of the window and what is known beside it; it is shrunk towards the last value.
_RULE = Rule(base_steps=1, is_scaled=False, is_log=False, shows_level=True)
# The share of the windows, the last ones of each series, that choose the penalty.
_SHARE = 0.2


def fit_ridge(windows: Windows, shape: Shape) -> Ridge:
    """Return the ridge regression whose penalty is best for the last windows, fitted to all."""
    earlier, later = earlier_and_later(windows, 1 - _SHARE, 1)
    folds = [Fold(earlier, later)] if len(earlier) and len(later) else []
    ((_, ridge),) = choose_ridge(windows, folds, [_RULE], shape.season)
    return ridge.fit(windows)


def forecast_baselines(
    names: Sequence[str], windows: Windows, ridge: Ridge | None
) -> dict[str, Array]:
    """Return the forecasts of some baselines for windows, by name."""
    made = {"persistence": persistence, "seasonal_naive": seasonal_naive}
    if ridge is not None:
        made["ridge"] = ridge.predict
    return {name: made[name](windows) for name in names}
