"""The members of a forecast: persistence, seasonal naive, ridge on the window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skgru._forecasting.relative import (
    Relative,
    Rule,
    least_deviation,
    limited,
    limits_of,
    relative,
)
from skgru._forecasting.window import Array, Indices, Windows, between, filled, last_steps
from skgru._saved import expect, expect_array, expect_numbers

# Of the standardized features, per window.
_PENALTIES = np.logspace(-8, 2, 21)
# Of the steps of a window, those of a ridge that reads the last ones only.
_SHORT, _MIN_SHORT = 8, 2
# Static columns of fewer series than this for each of them tell the series apart, and no more.
_SERIES_OF_STATIC = 3
# The penalty where there are too few windows to choose one.
_NO_FOLDS = 0.1
# What a fitted ridge has of its limits.
_LIMITS = "feature_limits_", "target_limits_"
# Squared errors below this are none.
TINY = 1e-12


def persistence(windows: Windows) -> Array:
    """Return the last value of each window for all steps ahead."""
    last = filled(windows.history)[:, -1:]
    return np.repeat(last, windows.ahead.shape[1], axis=1)


def seasonal_naive(windows: Windows) -> Array:
    """Return the values whole seasons before the steps ahead; the last one where there is none."""
    return np.where(np.isnan(windows.season_ago), persistence(windows), windows.season_ago)


def context(windows: Windows, rel: Relative, rule: Rule, season: int) -> Array:
    """Return what is known beside a window, as features (n_windows, n_features)."""
    n = len(windows.history)
    parts = [windows.calendar, windows.static, windows.known.reshape(n, -1)]
    if season > windows.history.shape[1]:
        parts.append(limited(rel.of(seasonal_naive(windows))))
    if rule.shows_level:
        parts.append(limited(rel.base))
        if rule.is_scaled:
            parts.append(np.log(rel.scale))
    return np.concatenate(parts, axis=1)


class Fold(NamedTuple):
    """Windows to fit to, and later ones to judge by.

    Attributes
    ----------
    earlier, later : ndarray of int, the indices of windows
    """

    earlier: Indices
    later: Indices


class Ridge:
    """Ridge regression of the steps ahead on the window and what is known beside it.

    Parameters
    ----------
    rule : Rule
    season : int
    n_steps : int
        So many last steps of the window are read. Where they are less than a season, what was a
        season before the steps ahead is a feature.
    penalty : float
        Strength of the penalty per window, of standardized features.
    """

    def __init__(self, rule: Rule, season: int, n_steps: int, penalty: float) -> None:
        self.rule = rule
        self.season = season
        self.n_steps = n_steps
        self.penalty = penalty

    def copy(self) -> Ridge:
        """Return the same, not fitted."""
        return Ridge(self.rule, self.season, self.n_steps, self.penalty)

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        limits = {name: list(getattr(self, name)) for name in _LIMITS}
        return {**vars(self), "rule": self.rule._asdict(), **limits}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Ridge:
        """Return the fitted ridge of a `state`."""
        values = {**state, "rule": Rule(**state["rule"])}
        ridge = cls(*(values.pop(name) for name in ("rule", "season", "n_steps", "penalty")))
        vars(ridge).update(values | {name: tuple(values[name]) for name in _LIMITS})
        return ridge

    def check_learned(self, horizon: int) -> None:
        """Refuse values that no fit has left so.

        Raises
        ------
        DamagedError
        """
        n = len(self.coef_)
        expect_numbers(self.coef_, "coefficients of a ridge", (n, horizon))
        expect_numbers(self.mean_, "means of a ridge's features", (n,))
        expect_array(self.scale_, "scales of a ridge's features", (n,))
        expect((self.scale_ > 0).all(), "scales of a ridge's features above 0", "others")
        expect_numbers(self.target_mean_, "means of a ridge's targets", (horizon,))
        for name, shape in zip(_LIMITS, ((n,), (horizon,)), strict=True):
            for limit in getattr(self, name):
                expect_array(limit, "limits of a ridge", shape)

    def fit(self, windows: Windows) -> Ridge:
        """Fit; outliers among the features and among the steps ahead count as far as the limits."""
        vectors, values, moments = self._decompose(windows)
        self.coef_ = vectors @ (moments / (values + self.penalty)[:, np.newaxis])
        return self

    def predict(self, windows: Windows) -> Array:
        standardized, rel = self._standardized(windows)
        return self._absolute(standardized @ self.coef_, rel)

    def path(self, earlier: Windows, later: Windows) -> Iterator[Array]:
        """Yield the forecasts for later windows with each penalty."""
        vectors, values, moments = self._decompose(earlier)
        standardized, rel = self._standardized(later)
        rotated = standardized @ vectors
        for penalty in _PENALTIES:
            yield self._absolute(rotated / (values + penalty) @ moments, rel)

    def _decompose(self, windows: Windows) -> tuple[Array, Array, Array]:
        """Return directions of the features, their variances and covariances with the targets."""
        n_series, n_static = len(np.unique(windows.owners)), windows.static.shape[1]
        self.has_static_ = n_series >= _SERIES_OF_STATIC * n_static
        windows = self._seen(windows)
        self.least_ = least_deviation(windows, self.rule)
        features, rel = _features(windows, self.rule, self.season, self.least_)
        targets = rel.of(between(windows.ahead, filled(windows.history)[:, -1]))
        self.feature_limits_, self.target_limits_ = limits_of(features), limits_of(targets)
        features = np.clip(features, *self.feature_limits_)
        targets = np.clip(targets, *self.target_limits_)
        self.mean_, self.scale_ = _moments(features)
        self.target_mean_ = targets.mean(axis=0)
        standardized = (features - self.mean_) / self.scale_
        n = len(features)
        values, vectors = np.linalg.eigh(standardized.T @ standardized / n)
        moments = vectors.T @ (standardized.T @ (targets - self.target_mean_)) / n
        return vectors, np.maximum(values, 0), moments

    def _standardized(self, windows: Windows) -> tuple[Array, Relative]:
        features, rel = _features(self._seen(windows), self.rule, self.season, self.least_)
        return (np.clip(features, *self.feature_limits_) - self.mean_) / self.scale_, rel

    def _seen(self, windows: Windows) -> Windows:
        """Return windows with as much of them as is read."""
        windows = last_steps(windows, self.n_steps)
        return windows if self.has_static_ else windows._replace(static=windows.static[:, :0])

    def _absolute(self, deviations: Array, rel: Relative) -> Array:
        """Return forecasts from their deviations from the mean target."""
        return rel.absolute(np.clip(deviations + self.target_mean_, *self.target_limits_))


def _features(windows: Windows, rule: Rule, season: int, least: float) -> tuple[Array, Relative]:
    rel = relative(windows, rule, least)
    beside = [filled(windows.covariates[:, :, j]) for j in range(windows.covariates.shape[2])]
    features = [rel.values, *beside, np.nan_to_num(context(windows, rel, rule, season))]
    return np.concatenate(features, axis=1), rel


def _moments(features: Array) -> tuple[Array, Array]:
    mean, scale = features.mean(axis=0), features.std(axis=0)
    return mean, np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1.0), scale, np.inf)


def choose_ridge(
    windows: Windows, folds: Sequence[Fold], rules: Sequence[Rule], season: int
) -> list[tuple[Array, Ridge]]:
    """Return for each rule the ridge of the best penalty, and its mean squared error in each fold.

    The later windows of each fold judge.
    """
    n_steps = windows.history.shape[1]
    return [_best_penalty(windows, folds, rule, season, n_steps) for rule in rules]


def choose_short_ridge(
    windows: Windows, folds: Sequence[Fold], rules: Sequence[Rule], season: int
) -> list[tuple[Array, Ridge]]:
    """Return the same of ridges that read the last steps only, for the rules without a scale.

    They have few coefficients, and hold where windows are few; a few steps have no deviation.
    """
    n_steps = max(windows.history.shape[1] // _SHORT, _MIN_SHORT)
    if n_steps >= windows.history.shape[1]:
        return []
    unscaled = [rule for rule in rules if not rule.is_scaled]
    return [_best_penalty(windows, folds, rule, season, n_steps) for rule in unscaled]


def _best_penalty(
    windows: Windows, folds: Sequence[Fold], rule: Rule, season: int, n_steps: int
) -> tuple[Array, Ridge]:
    ridge = Ridge(rule, season, n_steps, 1.0)
    errors = np.zeros((len(folds), len(_PENALTIES)))
    for i, fold in enumerate(folds):
        earlier, later = windows.take(fold.earlier), windows.take(fold.later)
        for k, forecast in enumerate(ridge.path(earlier, later)):
            errors[i, k] = mean_squared_error(forecast, later.ahead)
    if not len(folds):
        return errors[:, 0], Ridge(rule, season, n_steps, _NO_FOLDS)
    # Later folds, with more windows to fit to, say more of a fit to all.
    best = int(np.argmin(np.arange(1, len(folds) + 1) @ np.log(np.maximum(errors, TINY))))
    return errors[:, best], Ridge(rule, season, n_steps, float(_PENALTIES[best]))


def mean_squared_error(forecast: Array, truth: Array) -> float:
    """Return the mean squared error over the values that are known."""
    return float(np.nanmean(np.square(forecast - truth)))
