"""The kinds of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skgru._data.forms import Opened
from skgru._data.inputs import Input, Reader
from skgru._data.numbers import NumberInput
from skgru._data.parsing import Parsed
from skgru._data.random_kernels import ConvolutionReader
from skgru._data.table import TableInput
from skgru._data.tokens import TokenInput
from skgru._settings import Settings

# The last one that takes an X is its kind.
INPUTS: dict[str, type[Input]] = {kind.kind: kind for kind in (TableInput, NumberInput, TokenInput)}


def make_input(opened: Opened, settings: Settings) -> tuple[Input, Parsed]:
    """Return the input that the parameters ask for, and the X that it will learn from, parsed."""
    if settings.input_kind is None:
        kind = [kind for kind in INPUTS.values() if kind.takes(opened, settings)][-1]
    else:
        kind = INPUTS[settings.input_kind]
    draft = kind.of(opened, settings)
    parsed = draft.parse(opened)
    return draft.meet(parsed), parsed


def reader_of_state(state: Mapping[str, Any]) -> Reader:
    """Return the input, or what stands beside one, of a `state`."""
    values = dict(state)
    readers: dict[str, type[Reader]] = {**INPUTS, ConvolutionReader.kind: ConvolutionReader}
    return readers[values.pop("kind")].of_state(values)
