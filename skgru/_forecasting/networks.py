"""The networks of a forecast: recurrent over the window, beside them what is known of the future.

All steps ahead are outputs of one head, and each step of the recurrence is a segment of the window,
as in SegRNN (Lin et al., 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from skgru._data.plain import of_plain, to_plain
from skgru._forecasting.members import context
from skgru._forecasting.relative import Relative, Rule, least_deviation, limits_of, relative
from skgru._forecasting.window import (
    MANY_WINDOWS,
    Array,
    Indices,
    Windows,
    between,
    earlier_and_later,
    filled,
)
from skgru._settings import Settings
from skgru.branches import SeriesBranch, TableBranch
from skgru.multimodal import MultimodalGRURegressor

# Given a regressor, returns the context that it is fitted in.
Within = Callable[[Any], AbstractContextManager[Any]]
WINDOW = "window"  # the branch that reads the window
# Windows of an update, where they are few and where they are many.
_BATCH_SIZES = 32, 128
# Least epochs and updates of a fit.
_MIN_EPOCHS, MIN_UPDATES = 4, 300
# Steps of the recurrence over a window; whole seasons where it has so many of them, so long ones.
_SEGMENTS, _MIN_SEASONS, _LONG_SEASON = 8, 4, 24
_DROPOUT = 0.2


class Forecast(NamedTuple):
    """Forecasts, and how far each may be from the truth.

    Attributes
    ----------
    center : ndarray of shape (n_windows, horizon)
    below, above : ndarray of shape (n_windows, horizon)
        Positive widths, in units of the values; their size counts only relative to each other.
    """

    center: Array
    below: Array
    above: Array


class WindowNetwork:
    """A network that forecasts relative to its windows.

    Parameters
    ----------
    rule : Rule
    season : int
    options : mapping of str to the parameters of the regressor and of its branch
        And `user_defaults`, if there are any, the defaults of those that the user has changed.
    """

    def __init__(self, rule: Rule, season: int, options: Mapping[str, Any]) -> None:
        self.rule = rule
        self.season = season
        self.options = options

    def fit(self, windows: Windows, within: Within = nullcontext) -> WindowNetwork:
        """Fit; counts of which none is above zero are forecast as zero, without a regressor."""
        self.regressor_ = None
        if self.rule.is_count and not np.any(windows.ahead > 0):
            return self
        self.least_ = least_deviation(windows, self.rule)
        rel = relative(windows, self.rule, self.least_)
        beside = context(windows, rel, self.rule, self.season)
        self.is_known_ = np.flatnonzero(~np.isnan(beside).all(axis=0))
        table, rel, n_features = self._table(windows)
        targets = rel.of(between(windows.ahead, filled(windows.history)[:, -1]))
        targets = np.clip(targets, *limits_of(targets))
        targets = targets if targets.shape[1] > 1 else targets.ravel()
        kept, validation = _hold_out(windows, self.options)
        n_steps = windows.history.shape[1] * n_features
        self.regressor_ = make_regressor(
            self.options, len(kept), windows.history.shape[1], n_features, self.season
        )
        branches = [(WINDOW, self.regressor_.branches[0][1], slice(0, n_steps))]
        if table.shape[1] > n_steps:
            branch = TableBranch(scaling="standard", dropout=0.0)
            branches.append(("beside", branch, slice(n_steps, table.shape[1])))
        self.regressor_.set_params(branches=branches)
        if len(validation):  # the regressor, which is given windows to validate on, needs no share
            self.regressor_.user_defaults.pop("validation_fraction", None)
        held_out = {"X_val": table[validation], "y_val": targets[validation]}
        with within(self.regressor_):
            self.regressor_.fit(table[kept], targets[kept], **(held_out if len(validation) else {}))
        return self

    def forecast(self, windows: Windows) -> Forecast:
        """Return the forecasts for some windows."""
        if self.regressor_ is None:
            zeros = np.zeros(windows.ahead.shape)
            return Forecast(zeros, zeros + 1, zeros + 1)
        table, rel, _ = self._table(windows)
        shape = len(table), windows.ahead.shape[1]
        if self.options["loss"] == "gaussian":
            center, deviation = self.regressor_.predict(table, return_std=True)
            width = rel.unit * deviation.reshape(shape)
            return Forecast(rel.absolute(center.reshape(shape)), width, width)
        raw = self.regressor_.predict(table)
        levels = np.atleast_1d(self.options["quantiles"])
        if self.options["loss"] != "quantile" or len(levels) == 1:
            width = np.broadcast_to(rel.width, shape)
            return Forecast(rel.absolute(raw.reshape(shape)), width, width)
        quantiles = rel.absolute(raw.reshape(shape[0], -1).reshape(*shape, -1).transpose(2, 0, 1))
        return _between_quantiles(quantiles, levels, 1e-3 * rel.width)

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        regressor = self.regressor_ and self.regressor_.state
        return {
            "rule": self.rule._asdict(),
            "season": self.season,
            "options": {name: to_plain(value) for name, value in self.options.items()},
            "regressor": regressor,
            "least": getattr(self, "least_", None),
            "is_known": getattr(self, "is_known_", None),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> WindowNetwork:
        """Return the fitted network of a `state`."""
        options = {name: of_plain(value) for name, value in state["options"].items()}
        network = cls(Rule(**state["rule"]), state["season"], options)
        regressor = state["regressor"]
        network.regressor_ = regressor and WindowRegressor.of_state(regressor)
        network.least_, network.is_known_ = state["least"], state["is_known"]
        return network

    def _table(self, windows: Windows) -> tuple[Array, Relative, int]:
        """Return the windows as a table: their steps, then what is known beside them."""
        rel = relative(windows, self.rule, self.least_)
        steps = np.concatenate([rel.values[:, :, np.newaxis], windows.covariates], axis=2)
        # Nothing is learned of what was never known in fit.
        beside = context(windows, rel, self.rule, self.season)[:, self.is_known_]
        table = np.concatenate([steps.reshape(len(steps), -1), beside], axis=1)
        return table, rel, steps.shape[2]


def _between_quantiles(quantiles: Array, levels: Array, least: Array) -> Forecast:
    """Return the median and the distances to the outer quantiles, (n_levels, n, horizon)."""
    after = int(np.clip(np.searchsorted(levels, 0.5), 1, len(levels) - 1))
    share = np.clip((0.5 - levels[after - 1]) / (levels[after] - levels[after - 1]), 0, 1)
    center = quantiles[after - 1] + share * (quantiles[after] - quantiles[after - 1])
    below, above = center - quantiles[0], quantiles[-1] - center
    return Forecast(center, np.maximum(below, least), np.maximum(above, least))


class WindowRegressor(MultimodalGRURegressor):
    """The regressor of a forecaster, which speaks to the user of that.

    Most parameters are no choice of the user's: of those without effect, the others are told.

    Attributes
    ----------
    user_defaults : mapping of str to object
        The defaults of the parameters that the user can set, where these have other values.
    """

    user_defaults: Mapping[str, Any] = MappingProxyType({})

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        return {
            name: value if name == "_state" else _plain(name, value)
            for name, value in vars(self).items()
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> WindowRegressor:
        """Return the fitted regressor of a `state`.

        Raises
        ------
        DamagedError
            If no fit has left it so.
        """
        regressor = cls.__new__(cls)
        for name, value in state.items():
            setattr(regressor, name, value if name == "_state" else _of_plain(name, value))
        regressor._check_saved(is_of_now=True)
        return regressor

    @property
    def _settings(self) -> Settings:
        return self._told(super()._settings)

    def _branch_settings(self, settings: Settings) -> dict[str, Settings]:
        of_branches = super()._branch_settings(settings)
        return {name: self._told(of_branch) for name, of_branch in of_branches.items()}

    def _told(self, settings: Settings) -> Settings:
        changed = settings.defaults.keys() & self.user_defaults.keys()
        settings.defaults = {name: self.user_defaults[name] for name in sorted(changed)}
        return settings

    @property
    def _name_of_fit(self) -> str:
        return "GRUForecaster"

    def _tell(self, outcome: str, settings: Settings, incremental: bool) -> None:
        if outcome == "interrupted":  # which ends the whole fit, not this network's alone
            raise KeyboardInterrupt
        super()._tell(outcome, settings, incremental)


_BRANCHES = {"series": SeriesBranch, "table": TableBranch}
_NAMES_OF_BRANCHES = "branches", "branches_"  # as they were given, and as they were fitted


def _plain(name: str, value: Any) -> Any:
    """Return an attribute of a regressor as plain values."""
    if name not in _NAMES_OF_BRANCHES:
        return to_plain(value)
    kinds = {kind: name for name, kind in _BRANCHES.items()}
    return [
        [branch_name, kinds[type(branch)], to_plain(vars(branch)), to_plain(columns)]
        for branch_name, branch, columns in value
    ]


def _of_plain(name: str, value: Any) -> Any:
    """Return the attribute of a regressor of plain values."""
    if name not in _NAMES_OF_BRANCHES:
        return of_plain(value)
    branches = []
    for branch_name, kind, attributes, columns in value:
        branch = _BRANCHES[kind]()
        vars(branch).update(of_plain(attributes))
        branches.append((branch_name, branch, of_plain(columns)))
    return branches


def _hold_out(windows: Windows, options: Mapping[str, Any]) -> tuple[Indices, Indices]:
    """Return the windows to train on, and the last ones, which tell when to stop; may be none.

    Raises
    ------
    ValueError
        If there are too few.
    """
    n = len(windows.origins)
    if not options["early_stopping"] or options["solver"] == "lbfgs":
        return np.arange(n), np.arange(0)
    kept, held_out = earlier_and_later(windows, 1 - options["validation_fraction"], 1)
    if len(held_out) < 2 or not len(kept):
        raise ValueError(
            "early_stopping=True: expected at least two windows to hold out, and some that end "
            f"before those by the horizon, got {len(held_out)} and {len(kept)} of {n}: give longer "
            "series, a smaller window or horizon, or another validation_fraction."
        )
    return kept, held_out


def make_regressor(
    options: Mapping[str, Any], n_windows: int, window: int, n_features: int, season: int
) -> Any:
    """Return a regressor with one branch, not fitted, without options that are 'auto'."""
    options = dict(options)
    user_defaults = dict(options.pop("user_defaults", {}))
    is_stochastic = options["solver"] != "lbfgs"
    if options["batch_size"] == "auto" and is_stochastic:
        options["batch_size"] = min(_BATCH_SIZES[n_windows >= MANY_WINDOWS], n_windows)
    if options["max_iter"] == "auto" and is_stochastic:
        updates = -(-n_windows // options["batch_size"])
        options["max_iter"] = max(_MIN_EPOCHS, -(-MIN_UPDATES // updates))
    if options["dropout"] == "auto":
        options["dropout"] = _DROPOUT if is_stochastic else 0.0
    if options["patch_size"] == "auto":
        is_seasonal = season >= _LONG_SEASON and window >= _MIN_SEASONS * season
        options["patch_size"] = season if is_seasonal else max(1, round(window / _SEGMENTS))
    branch = {name: options.pop(name) for name in BRANCH_OPTIONS}
    series = SeriesBranch(features_per_step=n_features, **branch)
    regressor = WindowRegressor([(WINDOW, series, slice(None))], hidden_layer_sizes=(), **options)
    regressor.user_defaults = user_defaults
    return regressor


BRANCH_OPTIONS = (
    "hidden_layer_sizes",
    "cell",
    "reset_after",
    "output_gate",
    "bidirectional",
    "pooling",
    "patch_size",
    "shift_patches",
    "dropout",
    "recurrent_dropout",
    "scaling",
    "missing",
)
