"""The parameters that tell of the network, checked and in one form."""

from __future__ import annotations

from dataclasses import asdict, replace
from numbers import Integral

from skgru._data.inputs import Input
from skgru._data.numbers import NumberInput
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._settings import Settings, plain
from skgru._spec import AnyEncoderSpec, EncoderSpec, FeedForwardSpec


def check_options(settings: Settings, *, is_stochastic: bool) -> None:
    """Refuse options that do not go together."""
    rates = ("dropout", "recurrent_dropout", "token_dropout", "branch_dropout")
    if not is_stochastic and any(settings.get(rate, 0) not in ("auto", 0) for rate in rates):
        *some, last = [rate for rate in rates if settings.get(rate) is not None]
        names = f"{', '.join(some)} and {last}" if some else last
        raise ValueError(
            f"solver={settings.get('solver', 'lbfgs')!r} needs a loss free of chance: expected "
            f"{names} of 0, or solver='adam' or 'sgd'."
        )
    if settings.get("crf", False) and settings.bptt_steps is not None:
        raise ValueError(
            "crf=True decides the tags of a whole sequence together, which bptt_steps cuts into "
            f"pieces: expected bptt_steps=None or crf=False, got bptt_steps={settings.bptt_steps}."
        )
    if settings.get("pooling", "auto") is None and settings.patch_size not in ("auto", 1):
        raise ValueError(
            "pooling=None reads every step, but patch_size joins steps: expected patch_size=1, "
            f"got {settings.patch_size}."
        )


def check_pieces(encoder: AnyEncoderSpec, bptt_steps: int | None) -> None:
    """Refuse to cut sequences that are read in both directions."""
    if encoder.bidirectional and bptt_steps is not None:
        raise ValueError(
            "bptt_steps cuts sequences into pieces, which bidirectional=True cannot read from "
            "their ends: expected bptt_steps=None or bidirectional=False."
        )


def check_convolutions(part: Input, encoder: AnyEncoderSpec, bptt_steps: int | None) -> None:
    """Refuse random convolutions of what is no series of numbers, whole, at equal steps."""
    fault = None
    if not isinstance(part, NumberInput):
        fault = f"{part.kind}"
    elif part.stamps is not None:
        fault = "a time_feature, by which steps have no equal length"
    elif encoder.pooling is None:
        fault = "pooling=None, by which each step is read for itself"
    elif bptt_steps is not None:
        fault = f"bptt_steps={bptt_steps}, which cuts sequences into pieces"
    if fault:
        raise ValueError(
            "n_convolutions are features of whole series of numbers: expected n_convolutions=0 or "
            f"'auto' with {fault}."
        )


def hidden_sizes(settings: Settings) -> tuple[int, ...]:
    """Return `hidden_layer_sizes` as a tuple of ints."""
    sizes = settings.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    may_be_none = "cell" not in settings  # without a recurrence there need be no layer
    are_sizes = all(isinstance(size, Integral) and int(size) > 0 for size in sizes)
    if not are_sizes or not (sizes or may_be_none):
        how_many = "integers" if may_be_none else "at least one integer"
        raise ValueError(
            f"hidden_layer_sizes must be {how_many}, each > 0, got {sizes}."
            f"{settings.hint_at('hidden_layer_sizes')}"
        )
    return tuple(int(size) for size in sizes)


def _cells(settings: Settings) -> tuple[str, ...]:
    """Return `cell` as a tuple with one name for each hidden layer."""
    n_layers = len(hidden_sizes(settings))
    if isinstance(settings.cell, str):
        return (settings.cell,) * n_layers
    cells = tuple(map(plain, settings.cell))
    if len(cells) != n_layers or not all(cell in CELLS for cell in cells):
        raise ValueError(
            f"cell must be one of {sorted(CELLS)}, or one of them for each of the {n_layers} "
            f"hidden layers, got {settings.cell!r}.{settings.hint_at('cell')}"
        )
    return cells


def _poolings(settings: Settings) -> str | tuple[str, ...] | None:
    """Return `pooling` as a name, a tuple of names, "auto" or None."""
    if settings.pooling is None or isinstance(settings.pooling, str):
        return settings.pooling
    poolings = tuple(map(plain, settings.pooling))
    is_known = all(pooling in POOLINGS for pooling in poolings)
    if not poolings or not is_known or len(set(poolings)) < len(poolings):
        raise ValueError(
            f"pooling must be 'auto', one of {sorted(POOLINGS)}, or several different ones of "
            f"them, got {settings.pooling!r}.{settings.hint_at('pooling')}"
        )
    return poolings


def wanted_encoder(settings: Settings, kind: type[AnyEncoderSpec]) -> AnyEncoderSpec:
    """Return the encoder that the parameters ask for, whatever the data: some say "auto"."""
    if kind is FeedForwardSpec:
        return FeedForwardSpec(hidden_sizes(settings))
    return EncoderSpec(
        hidden_layer_sizes=hidden_sizes(settings),
        cells=_cells(settings),
        reset_after=settings.reset_after,
        output_gate=settings.output_gate,
        bidirectional=settings.bidirectional,
        pooling=_poolings(settings),
        patch_size=settings.patch_size,
    )


def fill_auto(wanted: AnyEncoderSpec, chosen: AnyEncoderSpec) -> AnyEncoderSpec:
    """Return the encoder that is wanted, with the values chosen where it says "auto"."""
    values = {name: value for name, value in asdict(wanted).items() if value == "auto"}
    return replace(wanted, **{name: getattr(chosen, name) for name in values})
