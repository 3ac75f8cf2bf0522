"""The kinds of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skgru._data.forms import Opened
from skgru._data.inputs import Input
from skgru._data.numbers import NumberInput
from skgru._data.parsing import Parsed
from skgru._data.tokens import TokenInput, embedding_matrix_of
from skgru._settings import Settings

INPUTS: dict[str, type[Input]] = {kind.kind: kind for kind in (NumberInput, TokenInput)}


def make_input(opened: Opened, settings: Settings) -> tuple[Input, Parsed]:
    """Return the input that the parameters ask for, and the X that it will learn from, parsed."""
    has_matrix = embedding_matrix_of(settings) is not None
    if settings.is_auto("embedding_dim"):
        embeds = has_matrix or opened.is_marked
    else:
        embeds = settings.embedding_dim is not None
    kind = TokenInput if embeds else NumberInput
    draft = kind.of(opened, settings)
    parsed = draft.parse(opened)
    return draft.meet(parsed), parsed


def input_of_state(state: Mapping[str, Any]) -> Input:
    """Return the input of a `state`."""
    values = dict(state)
    return INPUTS[values.pop("kind")](**values)
