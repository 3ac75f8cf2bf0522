"""The members of a forecast: persistence, seasonal naive, ridge on the window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from skgru._forecasting.relative import Relative, Rule, least_deviation, relative
from skgru._forecasting.window import Array, Indices, Windows, between, filled

# Of the standardized features, per window.
_PENALTIES = np.logspace(-4, 1, 11)


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
        parts.append(rel.of(seasonal_naive(windows)))
    if rule.shows_level:
        parts.append(rel.base)
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
    penalty : float
        Strength of the penalty per window, of standardized features.
    """

    def __init__(self, rule: Rule, season: int, penalty: float) -> None:
        self.rule = rule
        self.season = season
        self.penalty = penalty

    def fit(self, windows: Windows) -> Ridge:
        self.least_ = least_deviation(windows, self.rule)
        features, targets, _ = self._equations(windows)
        self.mean_, self.scale_ = _moments(features)
        self.target_mean_ = targets.mean(axis=0)
        standardized = (features - self.mean_) / self.scale_
        values, vectors = np.linalg.eigh(standardized.T @ standardized)
        moments = vectors.T @ (standardized.T @ (targets - self.target_mean_))
        shrunk = np.maximum(values, 0) + self.penalty * len(features)
        self.coef_ = vectors @ (moments / shrunk[:, np.newaxis])
        return self

    def predict(self, windows: Windows) -> Array:
        features, rel = _features(windows, self.rule, self.season, self.least_)
        standardized = (features - self.mean_) / self.scale_
        return rel.absolute(standardized @ self.coef_ + self.target_mean_)

    def _equations(self, windows: Windows) -> tuple[Array, Array, Relative]:
        features, rel = _features(windows, self.rule, self.season, self.least_)
        return features, rel.of(between(windows.ahead, filled(windows.history)[:, -1])), rel


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
    return [_best_penalty(windows, folds, rule, season) for rule in rules]


def _best_penalty(
    windows: Windows, folds: Sequence[Fold], rule: Rule, season: int
) -> tuple[Array, Ridge]:
    errors = np.zeros((len(folds), len(_PENALTIES)))
    for i, fold in enumerate(folds):
        earlier, later = windows.take(fold.earlier), windows.take(fold.later)
        for k, forecast in enumerate(_path(earlier, later, rule, season)):
            errors[i, k] = mean_squared_error(forecast, later.ahead)
    best = int(np.argmin(errors.sum(axis=0)))
    return errors[:, best], Ridge(rule, season, float(_PENALTIES[best]))


def _path(earlier: Windows, later: Windows, rule: Rule, season: int) -> Iterator[Array]:
    """Yield the forecasts for later windows with each penalty, with one decomposition."""
    ridge = Ridge(rule, season, 1.0).fit(earlier)
    features, targets, _ = ridge._equations(earlier)
    standardized = (features - ridge.mean_) / ridge.scale_
    values, vectors = np.linalg.eigh(standardized.T @ standardized)
    moments = vectors.T @ (standardized.T @ (targets - ridge.target_mean_))
    to_judge, rel = _features(later, rule, season, ridge.least_)
    rotated = (to_judge - ridge.mean_) / ridge.scale_ @ vectors
    for penalty in _PENALTIES:
        shrunk = np.maximum(values, 0) + penalty * len(features)
        yield rel.absolute(rotated / shrunk @ moments + ridge.target_mean_)


def mean_squared_error(forecast: Array, truth: Array) -> float:
    """Return the mean squared error over the values that are known."""
    return float(np.nanmean(np.square(forecast - truth)))
