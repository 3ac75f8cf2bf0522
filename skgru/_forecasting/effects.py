"""Linear effects of covariates whose future is known, the same at all steps ahead.

A regression of the changes of series on the changes of covariates, as of a regression whose errors
follow a process of their own (Pankratz, 1991): what they explain is taken off the series, and put
back on the forecasts. Windows need not learn for each step ahead what holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import RidgeCV

from skgru._forecasting.window import Array, Source, Windows

_PENALTIES = np.logspace(-3, 3, 13)
# Fewer changes per covariate than these tell nothing.
_MIN_CHANGES = 10
# Of more, so many are drawn, evenly.
_MAX_CHANGES = 200_000
# Changes of a covariate that are smaller than this share of it are the rounding of its numbers.
_ROUNDING = 1e-10


def find_effects(sources: Sequence[Source]) -> Array:
    """Return the effect of one unit of each covariate known in the future, on all sources."""
    n_known = sources[0].known.shape[1]
    none = np.zeros(n_known)
    if not n_known:
        return none
    parts = [_changes(source) for source in sources]
    of_values = np.concatenate([values for values, _ in parts])
    of_known = np.concatenate([known for _, known in parts])
    if len(of_values) < _MIN_CHANGES * n_known:
        return none
    step = -(-len(of_values) // _MAX_CHANGES)
    of_values, of_known = of_values[::step], of_known[::step]
    scale = of_known.std(axis=0)
    sizes = [np.fmax.reduce(np.abs(source.known), axis=0, initial=0.0) for source in sources]
    varies = scale > _ROUNDING * np.max(sizes, axis=0)
    if not varies.any():
        return none
    ridge = RidgeCV(_PENALTIES).fit(of_known[:, varies] / scale[varies], of_values)
    none[varies] = ridge.coef_ / scale[varies]
    return none


def _changes(source: Source) -> tuple[Array, Array]:
    """Return the changes from step to step of values and covariates that are known on both."""
    known = np.diff(source.known[: len(source.values)], axis=0)
    values = np.diff(source.values)
    there = ~np.isnan(values) & ~np.isnan(known).any(axis=1)
    return values[there], known[there]


def without_effects(sources: Sequence[Source], effects: Array) -> list[Source]:
    """Return the sources less the effects of their covariates; missing ones have none."""
    if not effects.any():
        return list(sources)
    return [
        source._replace(
            values=source.values - np.nan_to_num(source.known[: len(source.values)]) @ effects
        )
        for source in sources
    ]


def effects_ahead(windows: Windows, effects: Array) -> Array:
    """Return the effects at the steps ahead of windows, (n_windows, horizon)."""
    return np.nan_to_num(windows.known) @ effects
