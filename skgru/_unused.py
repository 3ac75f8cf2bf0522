"""Parameters that have no effect in a fit, with the other parameters as they are."""

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from skgru._defaults import Plan
from skgru._engine.solvers import patience
from skgru._parameters import PlainParameters, plain


class Fit(NamedTuple):
    """What is decided when the training begins.

    Attributes
    ----------
    given : PlainParameters
    structure : dict
        The network's, without "auto".
    plan : Plan
    reads_tokens : bool
    says_features : bool
        Whether X itself says how many features a step has.
    holds_out : bool
        Whether a part of the training data is held out for validation.
    incremental : bool
        Whether this is `partial_fit`.
    """

    given: PlainParameters
    structure: dict[str, Any]
    plan: Plan
    reads_tokens: bool
    says_features: bool
    holds_out: bool
    incremental: bool

    def patience(self, n_iter_no_change):
        """Return how many epochs in a row may bring no gain, at most all."""
        n_epochs = patience(n_iter_no_change, self.given.learning_rate, self.plan)
        return min(n_epochs, self.plan.max_iter)


class Rule(NamedTuple):
    """When parameters have no effect.

    Attributes
    ----------
    names : tuple of str
    holds : callable
        Takes the `Fit`, and a parameter's value and default; returns whether it has no effect.
    reason : str
    """

    names: tuple[str, ...]
    holds: Callable[[Fit, Any, Any], bool]
    reason: str


_OF_UPDATES = (
    "batch_size",
    "learning_rate",
    "learning_rate_init",
    "power_t",
    "warmup_fraction",
    "shuffle",
    "shift_patches",
    "validation_fraction",
    "n_iter_no_change",
    "max_grad_norm",
)
_OF_ADAM = ("beta_1", "beta_2", "epsilon", "weight_decay")
_OF_SGD = ("momentum", "nesterovs_momentum")
# When `fit` ends. An epoch of `partial_fit` has no use for them, which is no mistake of theirs.
_OF_THE_END = ("n_iter_no_change", "tol", "validation_fraction")

# The first rule of a parameter that holds is the one that is said. There is none for a bound that
# these data do not reach, nor for False where that is what "auto" would be.
_RULES = [
    Rule(_OF_UPDATES, lambda fit, *_: fit.given.solver == "lbfgs", "solver='lbfgs'"),
    Rule(
        ("early_stopping", "group_by_length"),
        lambda fit, value, *_: fit.given.solver == "lbfgs" and value,
        "solver='lbfgs'",
    ),
    Rule(_OF_ADAM, lambda fit, *_: fit.given.solver != "adam", "it is of solver='adam'"),
    Rule(_OF_SGD, lambda fit, *_: fit.given.solver != "sgd", "it is of solver='sgd'"),
    Rule(("nesterovs_momentum",), lambda fit, *_: fit.given.momentum == 0, "momentum=0"),
    Rule(("max_fun",), lambda fit, *_: fit.given.solver != "lbfgs", "it is of 'lbfgs'"),
    Rule(
        ("power_t",),
        lambda fit, *_: fit.given.learning_rate != "invscaling",
        "it is of learning_rate='invscaling'",
    ),
    Rule(
        ("warmup_fraction",),
        lambda fit, *_: fit.given.learning_rate != "cosine",
        "it is of learning_rate='cosine'",
    ),
    Rule(
        ("warmup_fraction",),
        lambda fit, *_: fit.incremental and fit.given.max_iter == "auto",
        "without a max_iter partial_fit stays at the first learning rate",
    ),
    Rule(
        ("n_iter_no_change",),
        lambda fit, value, default: fit.plan.max_iter <= value < default,
        "there are no more epochs",
    ),
    Rule(
        ("n_iter_no_change",),
        lambda fit, value, default: (
            fit.patience(value) == fit.patience(default) < fit.plan.max_iter
        ),
        "early stopping waits a fifth of max_iter",
    ),
    Rule(
        ("tol",),
        lambda fit, *_: (
            fit.given.solver != "lbfgs"
            and fit.patience(fit.given.n_iter_no_change) == fit.plan.max_iter
        ),
        "there are no more epochs than n_iter_no_change",
    ),
    Rule(
        ("validation_fraction",),
        lambda fit, value, *_: value > 0 and not fit.holds_out,
        "nothing is held out",
    ),
    Rule(
        ("group_by_length",),
        lambda fit, value, *_: value and not fit.given.shuffle,
        "shuffle=False",
    ),
    Rule(
        ("reset_after",),
        lambda fit, *_: "gru" not in fit.structure["cells"],
        "only cell='gru' has a reset gate",
    ),
    Rule(
        ("output_gate",),
        lambda fit, *_: set(fit.structure["cells"]) == {"lstm"},
        "cell='lstm' has one of its own",
    ),
    Rule(
        ("shift_patches",),
        lambda fit, *_: fit.structure["patch_size"] == 1,
        "there are no patches",
    ),
    Rule(
        ("scaling", "missing", "features_per_step"),
        lambda fit, *_: fit.reads_tokens,
        "X holds tokens",
    ),
    Rule(
        ("freeze_embedding", "token_dropout"),
        lambda fit, *_: not fit.reads_tokens,
        "X does not hold tokens",
    ),
    Rule(("features_per_step",), lambda fit, *_: fit.says_features, "the shape of X says it"),
    Rule(
        ("quantiles",),
        lambda fit, *_: fit.given.loss != "quantile",
        "it is of loss='quantile'",
    ),
    Rule(("huber_delta",), lambda fit, *_: fit.given.loss != "huber", "it is of 'huber'"),
]


def warn_of_unused(estimator, fit, *, stacklevel):
    """Warn of all parameters that are not at their default and have no effect.

    Parameters
    ----------
    estimator : BaseGRU
    fit : Fit
    stacklevel : int
        As `warnings.warn` has it, from the caller on.
    """
    unused = []
    # What a subclass sets by itself is none of its user's choice.
    for name, parameter in signature(type(estimator).__init__).parameters.items():
        rules = [rule for rule in _RULES if name in rule.names]
        if not rules or (fit.incremental and name in _OF_THE_END):
            continue
        value, default = plain(getattr(estimator, name)), parameter.default
        if np.ndim(value) == 0 and value == default:
            continue
        reason = next((rule.reason for rule in rules if rule.holds(fit, value, default)), None)
        if reason:
            unused.append(f"{name}={value!r} ({reason})")
    if unused:
        message = f"Parameters without effect: {', '.join(unused)}."
        warnings.warn(message, stacklevel=stacklevel + 1)
