"""A forecasting model: fitted members, their weights and their calibration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skgru._forecasting.conformal import Calibration, calibrate
from skgru._forecasting.members import (
    Fold,
    Ridge,
    choose_ridge,
    mean_squared_error,
    persistence,
    seasonal_naive,
)
from skgru._forecasting.network import MANY_WINDOWS, Forecast, Network
from skgru._forecasting.relative import Rule
from skgru._forecasting.windows import Array, Shape, Source, Windows, cut, earlier_and_later

# Limits of what is cut for a fit: windows, and numbers in them.
_MAX_WINDOWS, _MAX_NUMBERS = 100_000, 60_000_000
# Where the windows to judge by begin, as shares of the windows in order of time.
_CUTS = 0.4, 0.6, 0.8, 1.0
# Windows that judge a rule, of each fold.
_MAX_JUDGES = 2_000
# Fewer windows than these are no fold to fit to.
_MIN_FOLD = 8
# A rule other than the first has to lower the squared error by this share, with each thing it does.
_MIN_GAIN = 0.05
# Weights of the members are their squared errors to the power of minus this.
_SHARPNESS = 4
# Windows with a smaller share of their values are left out.
_MIN_PRESENT = 0.5


class Member(NamedTuple):
    """A member of a fitted model: 'persistence', 'seasonal_naive', a Ridge or networks."""

    name: str
    weight: float
    fitted: Any


class Model(NamedTuple):
    """A fitted model.

    Attributes
    ----------
    shape : Shape
    rule : Rule
    members : list of Member, those of a weight above zero
    calibration : Calibration or None, where there were too few windows
    n_windows : int, those that were learned from
    """

    shape: Shape
    rule: Rule
    members: list[Member]
    calibration: Calibration | None
    n_windows: int

    @property
    def networks(self) -> list[Network]:
        """The fitted networks."""
        return [
            network
            for member in self.members
            if isinstance(member.fitted, list)
            for network in member.fitted
        ]

    def forecast(self, windows: Windows) -> Forecast:
        """Return the forecasts for windows."""
        return _combine(
            [(member.weight, _forecast(member.fitted, windows)) for member in self.members]
        )


def _combine(parts: Sequence[tuple[float, Forecast]]) -> Forecast:
    total = sum(weight for weight, _ in parts)
    center = sum(weight / total * part.center for weight, part in parts)
    *_, (_, network) = parts  # the widths are those of the networks
    return Forecast(np.asarray(center), network.below, network.above)


def _forecast(fitted: Any, windows: Windows) -> Forecast:
    """Return the forecast of one member; the widths of all but networks are 1."""
    if isinstance(fitted, list):
        return _mean([network.forecast(windows) for network in fitted])
    center = fitted.predict(windows) if isinstance(fitted, Ridge) else fitted(windows)
    return Forecast(center, np.ones_like(center), np.ones_like(center))


def _mean(forecasts: Sequence[Forecast]) -> Forecast:
    return Forecast(*(np.mean(part, axis=0) for part in zip(*forecasts, strict=True)))


def fit_model(
    sources: Sequence[Source], shape: Shape, options: Mapping[str, Any], rng: Any
) -> Model:
    """Fit the members, weigh them by later windows and calibrate their mean.

    Parameters
    ----------
    sources : list of Source
    shape : Shape
    options : mapping of str to the parameters of the regressor
    rng : RandomState
    """
    windows = training_windows(sources, shape, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=2)
    folds = list(_folds(windows))
    is_large = len(windows.history) >= MANY_WINDOWS
    is_positive = not any(np.any(source.values <= 0) for source in sources)
    rules = _rules(options, is_positive)
    few = _few(windows)
    judged = choose_ridge(few, list(_folds(few)), rules, shape.season)
    rule = _choose_rule(rules, [error for error, _ in judged])
    fitting = _Fitting(
        shape, rule, options, seeds, [] if is_large else [ridge for _, ridge in judged]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the fit to all windows tells the same
        held_out = [fitting.judge(windows, fold) for fold in (folds[-1:] if is_large else folds)]
    errors = (
        np.mean(
            [
                [mean_squared_error(f.center, later.ahead) for f in forecasts]
                for later, forecasts in held_out
            ],
            axis=0,
        )
        if held_out
        else np.ones(len(fitting.names))
    )
    weights = _weights(errors)
    combined = [
        (later, _combine(list(zip(weights, forecasts, strict=True))))
        for later, forecasts in held_out
    ]
    calibration = calibrate(combined[-1:]) or calibrate(combined)
    members = [
        Member(name, weight, fitted)
        for name, weight, fitted in zip(fitting.names, weights, fitting.fit(windows), strict=True)
    ]
    return Model(shape, rule, members, calibration, len(windows.history))


class _Fitting(NamedTuple):
    """What is fitted, to any windows."""

    shape: Shape
    rule: Rule
    options: Mapping[str, Any]
    seeds: Any
    ridges: list[Ridge]

    @property
    def names(self) -> list[str]:
        naive = ["persistence", "seasonal_naive"] if self.shape.season > 1 else ["persistence"]
        return [
            *(naive if self.ridges else []),
            *(f"ridge{i}" for i in range(len(self.ridges))),
            "networks",
        ]

    def fit(self, windows: Windows) -> list[Any]:
        naive = [persistence, seasonal_naive] if self.shape.season > 1 else [persistence]
        fitted: list[Any] = [*(naive if self.ridges else [])]
        for ridge in self.ridges:
            fitted.append(Ridge(ridge.rule, ridge.season, ridge.penalty).fit(windows))
        bases = 1, min(self.shape.season, self.shape.horizon)
        networks = [
            Network(
                self.rule._replace(base_steps=base) if self.rule.base_steps else self.rule,
                self.shape.season,
                {**self.options, "random_state": int(seed)},
            ).fit(windows)
            for base, seed in zip(bases, self.seeds, strict=True)
        ]
        return [*fitted, networks]

    def judge(self, windows: Windows, fold: Fold) -> tuple[Windows, list[Forecast]]:
        """Return later windows, and the forecasts of each member fitted to earlier ones."""
        later = windows.take(fold.later)
        return later, [_forecast(fitted, later) for fitted in self.fit(windows.take(fold.earlier))]


def training_windows(sources: Sequence[Source], shape: Shape, rng: Any) -> Windows:
    """Return the windows whose steps ahead are known; a part of them where there are very many."""
    ends = [np.arange(shape.window - 1, len(s.values) - shape.horizon) for s in sources]
    n = sum(map(len, ends))
    numbers = shape.window * (1 + sources[0].covariates.shape[1]) + 2 * shape.horizon
    limit = min(_MAX_WINDOWS, max(_MAX_NUMBERS // numbers, 1))
    if n > limit:
        chosen = np.sort(rng.choice(n, limit, replace=False))
        bounds = np.cumsum([0, *map(len, ends)])
        ends = [
            steps[chosen[(chosen >= start) & (chosen < stop)] - start]
            for steps, start, stop in zip(ends, bounds[:-1], bounds[1:], strict=True)
        ]
    windows = cut(sources, ends, shape)
    present = [np.mean(~np.isnan(part), axis=1) for part in (windows.history, windows.ahead)]
    windows = windows.take(np.minimum(*present) >= _MIN_PRESENT)
    if not len(windows.history):
        raise ValueError(
            f"Expected windows of {shape.window} steps (window), and {shape.horizon} that follow "
            f"(horizon), of which {_MIN_PRESENT:.0%} are known, got none: there are too many "
            "missing values."
        )
    return windows


def _few(windows: Windows) -> Windows:
    step = -(-len(windows.history) // (5 * _MAX_JUDGES))
    return windows.take(slice(None, None, step))


def _folds(windows: Windows) -> Iterator[Fold]:
    """Yield parts of the windows with earlier ones, none of whose steps ahead reaches into them."""
    for start, stop in pairwise(_CUTS):
        earlier, later = earlier_and_later(windows, start, stop)
        if len(earlier) >= _MIN_FOLD and len(later):
            yield Fold(earlier, later[:: -(-len(later) // _MAX_JUDGES)])


def _rules(options: Mapping[str, Any], is_positive: bool) -> list[Rule]:
    """Return the rules that windows may follow, the one to prefer first."""
    if options["loss"] == "poisson":
        return [Rule(0, False, False, True)]
    kinds = [(True, False), (False, False)]
    if is_positive:
        kinds.append((False, True))
    return [Rule(1, *kind, level) for level in (False, True) for kind in kinds]


def _choose_rule(rules: Sequence[Rule], errors: Sequence[float]) -> Rule:
    """Return the rule of the least error; one that does other than the first has to gain by it."""
    first = rules[0]
    asked = [
        error * (1 + _MIN_GAIN) ** sum(a != b for a, b in zip(rule, first, strict=True))
        for rule, error in zip(rules, errors, strict=True)
    ]
    return rules[int(np.argmin(asked))]


def _weights(errors: Array) -> Array:
    floor = max(float(errors.min()), 1e-12)
    weights = (np.maximum(errors, 1e-12) / floor) ** -_SHARPNESS
    return np.asarray(weights / weights.sum())
