"""A forecasting model: fitted members, their weights and their calibration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import pairwise
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from skgru._forecasting.conformal import Calibration, calibrate
from skgru._forecasting.effects import find_effects, without_effects
from skgru._forecasting.members import (
    TINY,
    Fold,
    Ridge,
    choose_ridge,
    choose_short_ridge,
    mean_squared_error,
    persistence,
    seasonal_naive,
)
from skgru._forecasting.networks import Forecast, WindowNetwork, Within
from skgru._forecasting.relative import Rule
from skgru._forecasting.window import (
    MANY_WINDOWS,
    Array,
    Bounds,
    Indices,
    Shape,
    Source,
    Windows,
    cut,
    earlier_and_later,
    filled,
)
from skgru._saved import expect, expect_array, expect_numbers, expect_size

# Limits of what is cut for a fit: windows, and numbers in them.
_MAX_WINDOWS, _MAX_NUMBERS = 100_000, 60_000_000
# Where the windows to judge by begin, as shares of the windows in order of time.
_CUTS = 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0
# Windows that judge, of each fold; windows that choose rules and penalties.
_MAX_JUDGES, _MAX_TO_CHOOSE = 2_000, 10_000
# So many folds, the last ones, judge the networks and calibrate: of few and of many windows.
_LATE_FOLDS = 4, 2
# Windows at which networks count half of what their errors say: judged by few, the member of the
# most freedom is the likeliest to be chosen by chance.
_HALF_TRUST = 500
# Fewer windows than these are no fold to fit to.
_MIN_FOLD = 8
# A rule other than the first has to lower the squared error by this share, with each thing that it
# does, in the geometric mean of the folds: where one of them is of another regime, its errors are
# many times those of the others and speak for it alone.
_MIN_GAIN = 0.1
# Levels return where no more of their variance than this lies between so many stretches of time.
# What was learned of them then holds later, and showing them has not to gain as much.
_MAX_BETWEEN, _STRETCHES = 0.1, 6
# And a cycle of the calendar by this share.
_MIN_GAIN_OF_CYCLE = 0.05
# Weights of the members are their squared errors to the power of minus this.
_SHARPNESS = 4
# Windows with a smaller share of their values are left out.
_MIN_PRESENT = 0.5
# The name of the member that is networks, and those that learn nothing.
NETWORKS = "networks"
_NAIVE = {member.__name__: member for member in (persistence, seasonal_naive)}


class Member(NamedTuple):
    """A member of a fitted model: 'persistence', 'seasonal_naive', a Ridge or networks."""

    name: str
    weight: float
    fitted: Any

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        fitted = None
        if self.name == NETWORKS:
            fitted = [network.state for network in self.fitted]
        elif self.name not in _NAIVE:
            fitted = self.fitted.state
        return {"name": self.name, "weight": float(self.weight), "fitted": fitted}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Member:
        """Return the member of a `state`."""
        name, fitted = state["name"], state["fitted"]
        if name == NETWORKS:
            fitted = [WindowNetwork.of_state(network) for network in fitted]
        else:
            fitted = _NAIVE[name] if name in _NAIVE else Ridge.of_state(fitted)
        return cls(name, np.float64(state["weight"]), fitted)


class Ensemble(NamedTuple):
    """A fitted model.

    Attributes
    ----------
    shape : Shape
    rule : Rule
    members : list of Member, those of a weight above zero
    calibration : Calibration or None, where there were too few windows
    shift : ndarray of shape (horizon,)
        What one quantile that is asked for, as the loss, lies above the mean of the members, in
        widths: ridges know no quantiles.
    n_windows : int, those that were learned from
    bounds : Bounds, of the covariates
    effects : ndarray of shape (n_known,), those of one unit of the covariates known in the future
    cycles : list of int, which of the cycles of the calendar the windows have to have
    """

    shape: Shape
    rule: Rule
    members: list[Member]
    calibration: Calibration | None
    shift: Array
    n_windows: int
    bounds: Bounds
    effects: Array
    cycles: list[int]

    @property
    def networks(self) -> list[WindowNetwork]:
        """The fitted networks."""
        (networks,) = (member.fitted for member in self.members if member.name == NETWORKS)
        return list(networks)

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        return {
            **self._asdict(),
            "shape": self.shape._asdict(),
            "rule": self.rule._asdict(),
            "members": [member.state for member in self.members],
            "calibration": self.calibration and self.calibration._asdict(),
            "bounds": self.bounds._asdict(),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Ensemble:
        """Return the model of a `state`."""
        calibration = state["calibration"]
        parts = {
            "shape": Shape(**state["shape"]),
            "rule": Rule(**state["rule"]),
            "members": [Member.of_state(member) for member in state["members"]],
            "calibration": calibration and Calibration(**calibration),
            "bounds": Bounds(**state["bounds"]),
        }
        return cls(**{**state, **parts})

    def check_learned(self, n_known: int, n_covariates: int) -> None:
        """Refuse values that no fit has left so.

        Raises
        ------
        DamagedError
        """
        for name, value in self.shape._asdict().items():
            expect_size(value, name)
        names = [member.name for member in self.members]
        expect(names[-1:] == [NETWORKS], "networks as the last member", repr(names))
        weights = np.array([member.weight for member in self.members])
        expect_numbers(weights, "weights of the members", weights.shape, least=0)
        for member in self.members:
            if isinstance(member.fitted, Ridge):
                member.fitted.check_learned(self.shape.horizon)
        expect(self.networks, "at least one network", "none")
        expect_numbers(self.shift, "shift", (self.shape.horizon,))
        expect_numbers(self.effects, "effects", (n_known,))
        for name, n in (("covariates", n_covariates), ("known", n_known)):
            expect_array(getattr(self.bounds, name), f"bounds of {name}", (2, n))
        if self.calibration is not None:
            errors = self.calibration.errors
            expect_array(errors, "errors", (len(errors), self.shape.horizon))

    def forecast(self, windows: Windows) -> Forecast:
        """Return the forecasts for windows of sources without the effects of covariates."""
        forecast = _combine(
            [(member.weight, _forecast(member.fitted, windows)) for member in self.members]
        )
        return forecast._replace(center=forecast.center + self.shift * forecast.above)


def _combine(parts: Sequence[tuple[float, Any]]) -> Forecast:
    total = sum(weight for weight, _ in parts)
    center = sum(weight / total * part.center for weight, part in parts)
    networks = parts[-1][1]  # the widths are theirs
    return Forecast(np.asarray(center), networks.below, networks.above)


def _forecast(fitted: Any, windows: Windows) -> Forecast:
    """Return the forecast of one member; the widths of all but networks are 1."""
    if isinstance(fitted, list):
        return _mean([network.forecast(windows) for network in fitted])
    center = fitted.predict(windows) if isinstance(fitted, Ridge) else fitted(windows)
    return Forecast(center, np.ones_like(center), np.ones_like(center))


def _mean(forecasts: Sequence[Forecast]) -> Forecast:
    return Forecast(*(np.mean(part, axis=0) for part in zip(*forecasts, strict=True)))


def fit_model(
    sources: Sequence[Source],
    shape: Shape,
    options: Mapping[str, Any],
    rng: Any,
    lengths: Sequence[float] = (),
    within: Within = nullcontext,
) -> Ensemble:
    """Fit the members, weigh them by later windows and calibrate their mean.

    Parameters
    ----------
    sources : list of Source
    shape : Shape
    options : mapping of str to the parameters of the regressor
    rng : RandomState
    lengths : sequence of float, the steps of each cycle of the calendar
    within : callable, the context that the regressor of a network is fitted in
    """
    bounds = Bounds.of(sources)
    is_count = options["loss"] == "poisson"  # without effects, it could be less than nothing
    effects = np.zeros(sources[0].known.shape[1]) if is_count else find_effects(sources)
    sources = without_effects(sources, effects)
    windows = training_windows(sources, shape, rng)
    few = windows.take(slice(None, None, _stride(len(windows.history), _MAX_TO_CHOOSE, shape)))
    folds, few_folds = (list(_folds(part, shape)) for part in (windows, few))
    is_large = len(windows.history) >= MANY_WINDOWS
    cycles = _choose_cycles(few, few_folds, shape, lengths, is_large)
    columns = _columns_of_cycles(cycles, windows)
    windows, few = (w._replace(calendar=w.calendar[:, columns]) for w in (windows, few))
    rules = _rules(options, not any(np.any(source.values <= 0) for source in sources))
    judged = choose_ridge(few, few_folds, rules, shape.season)
    rule = _choose_rule(rules, [error for error, _ in judged], levels_return(windows))
    seeds = rng.randint(np.iinfo(np.int32).max, size=3)
    if is_large:
        fitting, folds = _Fitting(shape, rule, options, seeds, [], within), folds[-_LATE_FOLDS[1] :]
    else:
        judged += choose_short_ridge(few, few_folds, rules, shape.season)
        simple = _simple(shape, [ridge for _, ridge in judged])
        fitting = _Fitting(shape, rule, options, seeds, simple, within)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the fit to all windows tells the same
        held_out = fitting.judge(windows, folds)
    weights = fitting.weights(held_out, len(windows.history))
    combined = [
        (later, _combine(list(zip(weights, forecasts, strict=True))))
        for later, forecasts in held_out
        if forecasts[-1]
    ]
    fitted = [*fitting.fit_simple(windows), fitting.fit_networks(windows)]
    members = [
        Member(*parts) for parts in zip(fitting.names, weights, fitted, strict=True) if parts[1] > 0
    ]
    n_windows, calibration = len(windows.history), calibrate(combined)
    shift, levels = np.zeros(shape.horizon), np.ravel(options["quantiles"])
    if options["loss"] == "quantile" and len(levels) == 1 and levels[0] != 0.5 and calibration:
        calibration, shift = calibration.around(float(levels[0]))
    return Ensemble(shape, rule, members, calibration, shift, n_windows, bounds, effects, cycles)


def _choose_cycles(
    windows: Windows,
    folds: Sequence[Fold],
    shape: Shape,
    lengths: Sequence[float],
    is_large: bool,
) -> list[int]:
    """Return which cycles of the calendar are read.

    What a window has seen, it tells by itself where windows are few. A longer cycle has to lower
    the errors of later windows: else a network learns by heart what happened on some days.
    """
    is_seen = [n_steps <= shape.window for n_steps in lengths]
    kept = [cycle for cycle in range(len(lengths)) if is_large and is_seen[cycle]]
    if not folds or all(is_seen):
        return kept
    least = _log_error(windows, folds, shape.season, kept)
    for cycle in range(len(lengths)):
        if not is_seen[cycle]:
            error = _log_error(windows, folds, shape.season, [*kept, cycle])
            if error <= least - np.log1p(_MIN_GAIN_OF_CYCLE):
                kept, least = [*kept, cycle], error
    return sorted(kept)


def _log_error(
    windows: Windows, folds: Sequence[Fold], season: int, cycles: Sequence[int]
) -> float:
    columns = _columns_of_cycles(cycles, windows)
    fewer = windows._replace(calendar=windows.calendar[:, columns])
    ((errors, _),) = choose_ridge(fewer, folds, [Rule(1, True, False, False)], season)
    return float(np.log(np.maximum(errors, TINY)).mean())


def _columns_of_cycles(cycles: Sequence[int], windows: Windows) -> list[int]:
    """Return the columns of the sines and cosines of some cycles."""
    n_cycles = windows.calendar.shape[1] // 2
    return [*cycles, *(n_cycles + cycle for cycle in cycles)]


def _simple(shape: Shape, ridges: Sequence[Ridge]) -> list[Any]:
    """Return the members that are no networks, ridges not fitted."""
    naive = [persistence, seasonal_naive] if shape.season > 1 else [persistence]
    return [*naive, *ridges]


class _Fitting(NamedTuple):
    """What is fitted, to any windows."""

    shape: Shape
    rule: Rule
    options: Mapping[str, Any]
    seeds: Any
    simple: list[Any]
    within: Within = nullcontext

    @property
    def names(self) -> list[str]:
        simple = [
            f"ridge{i}" if isinstance(member, Ridge) else member.__name__
            for i, member in enumerate(self.simple)
        ]
        return [*simple, NETWORKS]

    def fit_simple(self, windows: Windows) -> list[Any]:
        return [
            member.copy().fit(windows) if isinstance(member, Ridge) else member
            for member in self.simple
        ]

    def fit_networks(self, windows: Windows) -> list[WindowNetwork]:
        (window, horizon, season), rule = self.shape, self.rule
        bases = list(dict.fromkeys((1, min(season, horizon), min(window, horizon))))
        if len(bases) == 1:
            bases *= 2  # the mean of two networks is better than either
        # One of them without the scale: how wide a window swings may be chance.
        rules = [
            rule._replace(base_steps=base, is_scaled=rule.is_scaled and i > 0)
            if rule.base_steps
            else rule
            for i, base in enumerate(bases)
        ]
        return [
            WindowNetwork(rule, season, {**self.options, "random_state": int(seed)}).fit(
                windows, self.within
            )
            for rule, seed in zip(rules, self.seeds, strict=False)
        ]

    def judge(
        self, windows: Windows, folds: Sequence[Fold]
    ) -> list[tuple[Windows, list[Forecast | None]]]:
        """Return later windows, and the forecasts of members that were fitted to earlier ones.

        Networks take the longest: they are fitted once, and judged in the last folds only.
        """
        judged: list[tuple[Windows, list[Forecast | None]]] = []
        networks = None
        for i, fold in enumerate(folds):
            earlier, later = windows.take(fold.earlier), windows.take(fold.later)
            if networks is None and i >= len(folds) - _LATE_FOLDS[0]:
                networks = self.fit_networks(earlier)
            forecasts = [_forecast(fitted, later) for fitted in self.fit_simple(earlier)]
            judged.append((later, [*forecasts, _forecast(networks, later) if networks else None]))
        return judged

    def weights(
        self, held_out: Sequence[tuple[Windows, list[Forecast | None]]], n_windows: int
    ) -> Array:
        """Return the weights of the members: the mean of those that were no worse weighs most."""
        if not self.simple:
            return np.ones(1)
        if not held_out:  # nothing tells which to trust: those do that learn nothing
            weights = np.array([0.0 if isinstance(m, Ridge) else 1.0 for m in self.simple] + [1.0])
            weights[-1] = n_windows / (n_windows + _HALF_TRUST)
            return np.asarray(weights / weights.sum())
        errors = np.array(
            [
                [mean_squared_error(f.center, later.ahead) if f else np.nan for f in forecasts]
                for later, forecasts in held_out
            ]
        )
        # Relative to the others in the same fold: folds differ in what can be foreseen in them.
        logs = np.log(np.maximum(errors, TINY))
        mean = np.nanmean(logs - logs[:, :-1].mean(axis=1, keepdims=True), axis=0)
        weights = np.exp(-_SHARPNESS * (mean - mean.min()))
        weights[-1] *= n_windows / (n_windows + _HALF_TRUST)
        return np.asarray(weights / weights.sum())


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


def _stride(n: int, most: int, shape: Shape) -> int:
    """Return every how many-th of n windows to take, so that they see all parts of a season."""
    stride = max(-(-n // most), 1)
    while gcd(stride, shape.season) > 1:
        stride += 1
    return stride


def _folds(windows: Windows, shape: Shape) -> Iterator[Fold]:
    """Yield parts of the windows with earlier ones, none of whose steps ahead reaches into them."""
    for start, stop in pairwise(_CUTS):
        earlier, later = earlier_and_later(windows, start, stop)
        if len(earlier) >= _MIN_FOLD and len(later):
            later = later[:: _stride(len(later), _MAX_JUDGES, shape)]
            yield Fold(earlier, later)


def _rules(options: Mapping[str, Any], is_positive: bool) -> list[Rule]:
    """Return the rules that windows may follow, the one to prefer first."""
    if options["loss"] == "poisson":
        return [Rule(0, False, False, True)]
    kinds = [(True, False), (False, False)]
    if is_positive:
        kinds.append((False, True))
    return [Rule(1, *kind, level) for level in (False, True) for kind in kinds]


def levels_return(windows: Windows) -> bool:
    """Return whether the levels of windows, their means, hardly differ between stretches of time.

    They do in series that drift, and in those shorter than a few of their own ups and downs.
    """
    levels = filled(windows.history).mean(axis=1)
    owners = np.unique(windows.owners, return_inverse=True)[1]
    n = int(owners.max()) + 1
    first, last = np.full(n, np.iinfo(int).max), np.zeros(n, int)
    np.minimum.at(first, owners, windows.origins)
    np.maximum.at(last, owners, windows.origins)
    share = (windows.origins - first[owners]) / (last - first + 1)[owners]
    stretches = owners * _STRETCHES + np.floor(share * _STRETCHES).astype(int)
    around = levels - _means(levels, owners)[owners]
    between = _means(around, stretches)[stretches]
    return bool(np.square(between).sum() < _MAX_BETWEEN * np.square(around).sum())


def _means(values: Array, groups: Indices) -> Array:
    """Return the mean of each group; 0 of those that are empty."""
    counts = np.bincount(groups)
    return np.bincount(groups, values) / np.maximum(counts, 1)


def _choose_rule(rules: Sequence[Rule], errors: Sequence[Array], level_returns: bool) -> Rule:
    """Return the rule of the least error; one that does other than the first has to gain by it."""
    first = rules[0]
    gains = np.log1p([0.0, _MIN_GAIN, _MIN_GAIN, 0.0 if level_returns else _MIN_GAIN])
    asked = [
        float(np.log(np.maximum(error, TINY)).mean() + gains @ np.not_equal(rule, first))
        if len(error)
        else 0.0
        for rule, error in zip(rules, errors, strict=True)
    ]
    return rules[int(np.argmin(asked))]
