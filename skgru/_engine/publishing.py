"""The result of a fit, as an estimator keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from skgru._data.numbers import NumberInput
from skgru._defaults import (
    AUTO_PARAMETERS,
    Plan,
)
from skgru._engine.convolutions_apart import joined
from skgru._engine.model import Model
from skgru._engine.request import Fitted, Request, Trained
from skgru._nn.dropout import FusionRates
from skgru._settings import Settings


def publish(request: Request, model: Model, plan: Plan, trained: Trained) -> Fitted:
    """Return the result of the fit, as an estimator keeps it."""
    model = joined(model.with_theta(trained.theta))
    chosen = {**plan._asdict(), "group_by_length": trained.solution.group_by_length}
    del chosen["epochs"]
    chosen["dropout"] = fusion_rates(request, plan).hidden
    chosen |= {name: getattr(model.loss, name) for name in model.loss.of_fit}
    if plan.incremental:
        del chosen["max_iter"]  # one epoch is one epoch
    auto = _auto(request.settings, chosen)
    for name, branch in model.own_spec.branches:
        settings, part = request.branches[name], model.own_inputs[name]
        chosen = asdict(branch.encoder) | {
            "dropout": plan.dropout[name],
            "recurrent_dropout": plan.recurrent_dropout[name],
            "last_epochs": plan.epochs[name],
            "embedding_dim": part.embedding_dim,
            "n_convolutions": model.count_convolutions(name),
        }
        if isinstance(part, NumberInput):
            chosen["scaling"] = part.scaling
        if branch.input.n_tokens is not None:
            chosen["bag"] = model.bag is not None and name in model.bag.tokens
        of_branch = _auto(settings, chosen)
        if settings is request.settings:
            both = auto | of_branch
            auto = {n: both[n] for n in AUTO_PARAMETERS if n in both}
        else:
            auto |= {f"{name}__{n}": value for n, value in of_branch.items()}
    return Fitted(
        model,
        trained.history,
        trained.solution.outcome,
        trained.solution.optimizer_states,
        auto,
        plan.early_stopping,
        trained.solution.progress,
    )


def fusion_rates(request: Request, plan: Plan) -> FusionRates:
    """Return the dropout above the branches, which may hang on that of the branches."""
    rates = request.fusion_dropout
    return rates if rates.hidden is not None else rates._replace(hidden=max(plan.dropout.values()))


def _auto(settings: Settings, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that "auto" stands for."""
    return {
        name: chosen[name] for name in AUTO_PARAMETERS if name in chosen and settings.is_auto(name)
    }
