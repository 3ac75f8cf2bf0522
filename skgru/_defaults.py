"""The values that "auto" stands for, by the shape of the training data.

docs/defaults.md gives the reason for each; benchmarks/defaults measures it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from skgru._options import fill_auto, hidden_sizes
from skgru._settings import Settings
from skgru._spec import EncoderSpec

# A series of more steps is read in patches that leave about so many.
_STEPS_IN_PATCHES = 40

# At least so many epochs, and at least so many updates.
_EPOCHS, _UPDATES = 4, 1000
# The same where tokens are rare, seen fewer times each on average: they are soon learned by heart.
_EPOCHS_OF_RARE_TOKENS, _UPDATES_OF_RARE_TOKENS = 2, 200
_MANY_TIMES = 100

_MAX_ITER_OF_ALL_AT_ONCE = 200
_BATCH_SIZE = 32
_MIN_SEQUENCES_TO_HOLD_OUT = 10_000

# One batch of at most so many steps times units is trained in double precision, which takes seconds
# even so: single precision rounds the sums over a weight of two and over two copies differently,
# and a thousand updates make that grow.
_MAX_STEPS_IN_DOUBLE = 1000 * 64

# Of the inputs of a layer: what one of many channels says, others say too; one or two have no
# substitute.
_DROPOUT_OF_CHANNELS, _MANY_CHANNELS = 0.2, 3
_DROPOUT_OF_TOKENS = 0.3

# Those that may be "auto".
AUTO_PARAMETERS = (
    "batch_size",
    "max_iter",
    "early_stopping",
    "embedding_dim",
    "bidirectional",
    "pooling",
    "patch_size",
    "dropout",
    "group_by_length",
)


class DataShape(NamedTuple):
    """The shape of training data.

    Attributes
    ----------
    n_sequences : int
    n_steps : float
        Of a sequence, on average.
    n_features : int
        Of a step.
    n_tokens : int or None
        How many different tokens there are; None = numeric input.
    has_classes : bool
        Whether the targets are classes.
    """

    n_sequences: int
    n_steps: float
    n_features: int
    n_tokens: int | None
    has_classes: bool

    @property
    def has_rare_tokens(self) -> bool:
        """Whether a token is seen only a few times, on average."""
        if self.n_tokens is None:
            return False
        return self.n_sequences * self.n_steps < _MANY_TIMES * self.n_tokens


class Plan(NamedTuple):
    """How a network is trained; see the estimators' parameters of the same names.

    `dtype` is that of the computation; the weights are kept in the parameter's. `incremental` says
    whether this is one epoch of more to come.
    """

    batch_size: int
    max_iter: int
    early_stopping: bool
    dropout: float
    dtype: str
    incremental: bool


def choose_encoder(wanted: EncoderSpec, shape: DataShape, *, bptt_steps: int | None) -> EncoderSpec:
    """Return the encoder that is wanted, with the values that "auto" stands for.

    Parameters
    ----------
    wanted : EncoderSpec
        As `wanted_encoder` returns it.
    shape : DataShape
    bptt_steps : int or None
    """
    reads_all_steps = wanted.pooling is not None and bptt_steps is None
    patch_size = 1
    if reads_all_steps and shape.n_tokens is None:
        patch_size = max(1, round(shape.n_steps / _STEPS_IN_PATCHES))
    chosen = replace(
        wanted,
        bidirectional=reads_all_steps and shape.has_classes,
        pooling=_pooling(shape, is_long=patch_size > 1),
        patch_size=patch_size,
    )
    return fill_auto(wanted, chosen)


def _pooling(shape: DataShape, is_long: bool) -> str | tuple[str, ...]:
    if shape.n_tokens is not None:
        return "max"
    if shape.has_classes or is_long:
        return "last", "mean", "max"
    return "last"  # the end of a window tells most of what follows


def choose_plan(
    settings: Settings,
    shape: DataShape,
    *,
    is_stochastic: bool,
    validates: bool,
    incremental: bool,
) -> Plan:
    """Return the plan of training on data of that shape.

    Parameters
    ----------
    settings : Settings
    shape : DataShape
    is_stochastic : bool
        Whether the solver takes the samples in batches.
    validates : bool
        Whether a validation set is given.
    incremental : bool
        Whether this is one epoch of more to come.
    """
    batch_size = settings.batch_size
    if batch_size == "auto":
        batch_size = min(_BATCH_SIZE, shape.n_sequences)
    max_iter = settings.max_iter
    if max_iter == "auto":
        max_iter = _epochs(shape, batch_size) if is_stochastic else _MAX_ITER_OF_ALL_AT_ONCE
    early_stopping = settings.early_stopping
    if early_stopping == "auto":
        is_large = shape.n_sequences >= _MIN_SEQUENCES_TO_HOLD_OUT
        may_hold_out = is_large and settings.validation_fraction > 0
        early_stopping = is_stochastic and not incremental and (validates or may_hold_out)
    dropout = settings.dropout
    if dropout == "auto":
        dropout = _dropout(shape) if is_stochastic else 0.0
    dtype = settings.dtype
    is_one_batch = shape.n_sequences <= batch_size and not incremental
    n_unit_steps = shape.n_sequences * shape.n_steps * sum(hidden_sizes(settings))
    is_small = n_unit_steps <= _MAX_STEPS_IN_DOUBLE
    if not is_stochastic or (is_one_batch and is_small):
        dtype = "float64"
    return Plan(batch_size, max_iter, bool(early_stopping), dropout, dtype, incremental)


def _epochs(shape: DataShape, batch_size: int) -> int:
    """Return how many epochs are at least enough, and make at least enough updates."""
    epochs, updates = _EPOCHS, _UPDATES
    if shape.has_rare_tokens:
        epochs, updates = _EPOCHS_OF_RARE_TOKENS, _UPDATES_OF_RARE_TOKENS
    updates_per_epoch = math.ceil(shape.n_sequences / batch_size)
    return max(epochs, math.ceil(updates / updates_per_epoch))


def _dropout(shape: DataShape) -> float:
    if shape.n_tokens is not None:
        return _DROPOUT_OF_TOKENS
    return _DROPOUT_OF_CHANNELS if shape.n_features >= _MANY_CHANNELS else 0.0
