"""Parameters that have no effect in a fit, with the other parameters as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from skgru._defaults import Plan
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._engine.solvers import SOLVERS, patience_of
from skgru._nn.cells import Cell
from skgru._nn.recurrent import CELLS
from skgru._nn.schedules import SCHEDULES
from skgru._settings import Settings
from skgru._spec import EncoderSpec, FeedForwardSpec, InputSpec, NetworkSpec


class Decisions(NamedTuple):
    """The decisions at the start of the training.

    Attributes
    ----------
    spec : NetworkSpec
    plan : Plan
    says_features : bool
        Whether X itself says how many features a step has.
    holds_out : bool
        Whether a part of the training data is held out for validation.
    validates : bool
        Whether there is a validation set, held out or given.
    """

    spec: NetworkSpec
    plan: Plan
    says_features: bool
    holds_out: bool
    validates: bool

    @property
    def encoders(self) -> list[EncoderSpec]:
        """Those of all branches that read sequences."""
        encoders = [branch.encoder for _, branch in self.spec.branches]
        return [encoder for encoder in encoders if isinstance(encoder, EncoderSpec)]

    @property
    def cells(self) -> list[type[Cell]]:
        """Those of all layers of all branches."""
        return [CELLS[name] for encoder in self.encoders for name in encoder.cells]

    @property
    def table(self) -> InputSpec | None:
        """The input of the only branch, if that reads a table."""
        (_, branch), *others = self.spec.branches
        is_table = isinstance(branch.encoder, FeedForwardSpec) and not others
        return branch.input if is_table else None

    @property
    def reads_tokens(self) -> bool:
        """Whether all branches read tokens."""
        return all(branch.input.n_tokens is not None for _, branch in self.spec.branches)

    @property
    def reads_numbers(self) -> bool:
        """Whether all branches read numbers."""
        return all(branch.input.n_tokens is None for _, branch in self.spec.branches)


class Fit(NamedTuple):
    """A fit, as the rules see it."""

    given: Settings
    decided: Decisions

    def patience(self, n_iter_no_change: float) -> float:
        """Return how many epochs in a row may bring no gain, at most all."""
        plan = self.decided.plan
        return min(patience_of(n_iter_no_change, self.given, plan), plan.max_iter)

    @property
    def is_stochastic(self) -> bool:
        """Whether the solver takes the samples in batches."""
        return SOLVERS[self.given.solver].is_stochastic


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


# Parameters that choose one of several parts, each of which has parameters of its own.
_CHOICES: dict[str, Mapping[str, Any]] = {
    "solver": SOLVERS,
    "learning_rate": SCHEDULES,
    "loss": NUMBER_LOSSES,
}
# When `fit` ends. An epoch of `partial_fit` has no use for them, which is no mistake of theirs.
_OF_THE_END = ("n_iter_no_change", "scoring", "tol", "validation_fraction")
# Where they are False.
_ASK_FOR_NOTHING = ("early_stopping", "group_by_length")


def _named(has: Callable[[type[Cell]], bool]) -> str:
    """Return the cells that have something, as a parameter says it."""
    return " or ".join(f"cell={name!r}" for name, cell in CELLS.items() if has(cell))


def _of_cells(option: str) -> Rule:
    """Return the rule of an option that some cells have."""
    return Rule(
        (option,),
        lambda fit, *_: not any(option in cell.options for cell in fit.decided.cells),
        f"only {_named(lambda cell: option in cell.options)} has it",
    )


# The first rule of a parameter that holds is the one that is said. There is none for a bound that
# these data do not reach, nor for False where "auto" would be the same.
_RULES = [
    Rule(("nesterovs_momentum",), lambda fit, *_: fit.given.momentum == 0, "momentum=0"),
    Rule(
        ("warmup_fraction",),
        lambda fit, *_: fit.decided.plan.incremental and fit.given.max_iter == "auto",
        "without a max_iter partial_fit stays at the first learning rate",
    ),
    Rule(
        ("n_iter_no_change",),
        lambda fit, value, default: fit.decided.plan.max_iter <= value < default,
        "there are no more epochs",
    ),
    Rule(
        ("n_iter_no_change",),
        lambda fit, value, default: (
            fit.patience(value) == fit.patience(default) < fit.decided.plan.max_iter
        ),
        "early stopping waits a fifth of max_iter",
    ),
    Rule(
        ("tol",),
        lambda fit, *_: (
            fit.is_stochastic
            and fit.patience(fit.given.n_iter_no_change) == fit.decided.plan.max_iter
        ),
        "there are no more epochs than n_iter_no_change",
    ),
    Rule(
        ("validation_fraction",),
        lambda fit, value, *_: value > 0 and not fit.decided.holds_out,
        "nothing is held out",
    ),
    Rule(
        ("scoring",),
        lambda fit, *_: not fit.decided.validates,
        "there is no validation set",
    ),
    Rule(
        ("group_by_length",),
        lambda fit, value, *_: value and not fit.given.shuffle,
        "shuffle=False",
    ),
    *(_of_cells(name) for name in sorted({n for cell in CELLS.values() for n in cell.options})),
    Rule(
        ("output_gate",),
        lambda fit, *_: not any(cell.may_have_output_gate for cell in fit.decided.cells),
        f"{_named(lambda cell: not cell.may_have_output_gate)} has one of its own",
    ),
    Rule(
        ("recurrent_dropout",),
        lambda fit, value, *_: value != 0 and not any(c.reads_state for c in fit.decided.cells),
        f"no gate of {_named(lambda cell: not cell.reads_state)} reads the state",
    ),
    Rule(
        ("shift_patches",),
        lambda fit, *_: all(encoder.patch_size == 1 for encoder in fit.decided.encoders),
        "there are no patches",
    ),
    Rule(
        ("scaling", "missing", "features_per_step"),
        lambda fit, *_: fit.decided.reads_tokens,
        "X holds tokens",
    ),
    Rule(
        ("freeze_embedding", "token_dropout"),
        lambda fit, *_: fit.decided.reads_numbers,
        "X does not hold tokens",
    ),
    Rule(
        ("bag",),
        lambda fit, value, *_: value and fit.decided.reads_numbers,
        "X does not hold tokens",
    ),
    Rule(
        ("bag",),
        lambda fit, value, *_: value and any(e.pooling is None for e in fit.decided.encoders),
        "each step has a target",
    ),
    Rule(
        ("last_epochs",),
        lambda fit, value, *_: (
            value is not None
            and value < fit.decided.plan.max_iter
            and not fit.decided.plan.late_branches
        ),
        "all branches take part in all epochs: it needs learning_rate='cosine' without early "
        "stopping, and a branch that takes part longer",
    ),
    Rule(
        ("embedding_dim",),
        lambda fit, *_: fit.decided.table is not None and not fit.decided.table.categories,
        "no column holds categories",
    ),
    Rule(
        ("scaling",),
        lambda fit, *_: fit.decided.table is not None and fit.decided.table.is_sparse,
        "a sparse matrix is not scaled",
    ),
    Rule(
        ("scaling",),
        lambda fit, *_: fit.decided.table is not None and fit.decided.table.n_inputs == 0,
        "no column holds numbers",
    ),
    Rule(
        ("dropout",),
        lambda fit, value, *_: (
            fit.given.get("fusion") is not None
            and value != 0
            and not fit.decided.spec.fusion.hidden_layer_sizes
        ),
        "there are no hidden layers above the branches",
    ),
    Rule(
        ("branch_dropout",),
        lambda fit, *_: len(fit.decided.spec.branches) == 1,
        "there is one branch",
    ),
    Rule(
        ("bptt_steps",),
        lambda fit, *_: not fit.decided.encoders,
        "no branch reads sequences",
    ),
    Rule(
        ("label_smoothing", "class_weight"),
        lambda fit, *_: fit.decided.spec.chain,
        "with crf=True the loss is that of whole sequences",
    ),
    Rule(
        ("features_per_step",), lambda fit, *_: fit.decided.says_features, "the shape of X says it"
    ),
]


def unused_parameters(settings: Settings, decided: Decisions) -> list[str]:
    """Return all parameters that are not at their default and have no effect, each with the reason.

    Parameters
    ----------
    settings : Settings
    decided : Decisions
    """
    fit = Fit(settings, decided)
    unused = []
    # A parameter that a subclass sets by itself is none of its user's choice: it has no default.
    for name, default in settings.defaults.items():
        value = settings.get(name, default)
        if np.ndim(value) == 0 and value == default:
            continue
        if decided.plan.incremental and name in _OF_THE_END:
            continue
        reason = _reason(name, value, default, fit)
        if reason:
            unused.append(f"{name}={value!r} ({reason})")
    return unused


def _reason(name: str, value: Any, default: Any, fit: Fit) -> str | None:
    """Return why a parameter has no effect, None if it has one."""
    for choice, parts in _CHOICES.items():
        owners = [key for key, part in parts.items() if name in part.parameters]
        chosen = fit.given.get(choice)
        if not owners or chosen not in parts or chosen in owners:
            continue
        if value is False and name in _ASK_FOR_NOTHING:
            continue
        return f"it is of {choice}={owners[0]!r}" if len(owners) == 1 else f"{choice}={chosen!r}"
    rules = (rule for rule in _RULES if name in rule.names)
    return next((rule.reason for rule in rules if rule.holds(fit, value, default)), None)
