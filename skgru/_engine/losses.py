"""All losses by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skgru._engine.class_losses import CLASS_LOSSES
from skgru._engine.loss import Loss
from skgru._engine.number_losses import NUMBER_LOSSES

LOSSES: dict[str, type[Loss]] = {**CLASS_LOSSES, **NUMBER_LOSSES}


def state_of(loss: Loss) -> dict[str, Any]:
    """Return a loss that has learned from y as plain values."""
    return {"name": loss.name, "options": loss.options, "learned": loss.learned}


def loss_of_state(state: Mapping[str, Any]) -> Loss:
    """Return the loss of a state."""
    return LOSSES[state["name"]](**state["options"]).bind(state["learned"])
