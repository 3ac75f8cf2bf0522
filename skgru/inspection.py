"""Explanations of what a fitted network predicts."""

from skgru._inspection.attribution_display import AttributionDisplay
from skgru._inspection.attributions import attributions
from skgru._inspection.gate_display import GateDisplay
from skgru._inspection.importance import permutation_importance

__all__ = ["AttributionDisplay", "GateDisplay", "attributions", "permutation_importance"]
