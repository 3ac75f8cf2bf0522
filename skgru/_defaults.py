"""The values that "auto" stands for, by the shape of the training data.

docs/defaults.md gives the reason for each; benchmarks/defaults measures it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from skgru._nn.schedules import SCHEDULES
from skgru._options import fill_auto
from skgru._settings import Settings
from skgru._spec import AnyEncoderSpec, EncoderSpec

# A series of more steps is read in patches that leave about so many.
_STEPS_IN_PATCHES = 40

# At least so many epochs, and at least so many updates; fewer where tokens are rare, seen fewer
# times each on average: they are soon learned by heart.
_EPOCHS = 2
_UPDATES, _UPDATES_OF_RARE_TOKENS = 1000, 200
_MANY_TIMES = 100
# Where they are seen fewer times still, a network may know each text by some word of its own after
# the second epoch. Alone it may; beside other branches it would drown what these have to say. So
# the branch joins for as many of the last epochs only, if a trial does not speak for all: on a
# share of the samples, at least so many.
_SELDOM, _EPOCHS_OF_SELDOM_TOKENS = 25, 2
TRIAL_SHARE, MIN_TRIAL = 0.2, 10
# Letters are seen so many times each and more: words have to be spelled out, which takes as many
# epochs, while these make no more updates.
_VERY_OFTEN, _EPOCHS_OF_LETTERS, _MOST_UPDATES_OF_LETTERS = 500, 10, 3000

# In a trial, network and bag are trained on this share of the samples, since it costs time; of few
# on more, as many samples as tell something or half of all. Two factors are told well by so many.
_SHARE_OF_BAGS_TRIAL, _ENOUGH_FOR_BAGS_TRIAL, MOST_TO_COMPARE = 0.25, 100, 1000
# A bag has so many weights at most, of which its fit holds some fifteen copies: fewer pairs are
# counted then, or by default there is none.
_MIN_FOR_BAG, _MOST_PAIRS, _MOST_WEIGHTS_OF_BAG = 50, 50_000, 2_000_000

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
# Of a great many channels of which a step tells few, most are guesses from the few: a network that
# leaves out half of them, and half of what it remembers, learns less of them by heart.
_DROPOUT_OF_SPARSE_CHANNELS, _A_GREAT_MANY_CHANNELS, _MOSTLY_MISSING = 0.5, 20, 0.5
_DROPOUT_OF_TOKENS = 0.3
_DROPOUT_OF_TABLES = 0.0

# Features of random convolutions, where sequences are twice as long as a kernel at least, so few
# that shapes are hard to learn from them, and have so few steps in all that it takes seconds.
_CONVOLUTIONS, _STEPS_OF_TWO_KERNELS = 1932, 18
_FEW_SEQUENCES, _FEW_STEPS = 4000, 250_000

# Of so many series, convolutions are fitted apart, and a trial says what they count beside the
# network, after so many of its epochs on two thirds of the series. Of fewer it says little, of more
# the fit takes longer than the training; then both are trained together.
_ENOUGH_TO_FIT_APART, _MOST_TO_FIT_APART = 100, 2000
SHARE_OF_CONVOLUTIONS_TRIAL, EPOCHS_OF_CONVOLUTIONS_TRIAL = 1 / 3, 0.5

# Networks grow surer than they should be. With random convolutions they are less sure of unseen
# samples by themselves; and a bound on how sure they may be leaves the recurrence less to learn.
_SMOOTHING, _SMOOTHING_WITH_CONVOLUTIONS = 0.05, 0.02

# Those that may be "auto".
AUTO_PARAMETERS = (
    "batch_size",
    "max_iter",
    "early_stopping",
    "embedding_dim",
    "scaling",
    "bidirectional",
    "pooling",
    "patch_size",
    "n_convolutions",
    "dropout",
    "recurrent_dropout",
    "label_smoothing",
    "group_by_length",
    "last_epochs",
    "bag",
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
    is_table : bool, default=False
        Whether the sequences are rows of a table.
    is_frozen : bool, default=False
        Whether the vectors of tokens stay as they are.
    missing_share : float, default=0.0
        Of the numbers of a sequence.
    """

    n_sequences: int
    n_steps: float
    n_features: int
    n_tokens: int | None
    has_classes: bool
    is_table: bool = False
    is_frozen: bool = False
    missing_share: float = 0.0

    @property
    def has_rare_tokens(self) -> bool:
        """Whether a token is seen only a few times, on average."""
        return self._sees_tokens_less_than(_MANY_TIMES)

    @property
    def has_letters(self) -> bool:
        """Whether a token is seen as many times as letters are, on average."""
        return self.n_tokens is not None and (
            self.n_sequences * self.n_steps >= _VERY_OFTEN * self.n_tokens
        )

    @property
    def may_be_learned_by_heart(self) -> bool:
        """Whether tokens are seen so few times that they may tell whole sequences from others."""
        return self._sees_tokens_less_than(_SELDOM)

    @property
    def is_vocabulary(self) -> bool:
        """Whether there are as many different tokens as there are words, not letters."""
        return self.n_tokens is not None and (
            self.n_sequences * self.n_steps < _MANY_TIMES * self.n_tokens
        )

    @property
    def is_sparse(self) -> bool:
        """Whether there are a great many channels of which a step tells few."""
        has_many = self.n_tokens is None and self.n_features >= _A_GREAT_MANY_CHANNELS
        return has_many and not self.is_table and self.missing_share >= _MOSTLY_MISSING

    def _sees_tokens_less_than(self, n_times: int) -> bool:
        """Return whether a token is seen fewer times, on average, and its vector learns of it."""
        if self.n_tokens is None or self.is_frozen:
            return False
        return self.n_sequences * self.n_steps < n_times * self.n_tokens


class Plan(NamedTuple):
    """How a network is trained; see the estimators' parameters of the same names.

    `epochs` says in how many of the last epochs each branch takes part, `dropout` and
    `recurrent_dropout` are those of each branch. `dtype` is that of the computation; the weights
    are kept in the parameter's. `incremental` says whether this is one epoch of more to come.
    """

    batch_size: int
    max_iter: int
    early_stopping: bool
    epochs: dict[str, int]
    dropout: dict[str, float]
    recurrent_dropout: dict[str, float]
    dtype: str
    incremental: bool

    @property
    def late_branches(self) -> list[str]:
        """The branches that are silent in the first epochs."""
        return [name for name, n in self.epochs.items() if n < self.max_iter]


class PlannedBranch(NamedTuple):
    """A branch, as the plan sees it.

    Attributes
    ----------
    settings : Settings
    shape : DataShape
    encoder : EncoderSpec or FeedForwardSpec
    """

    settings: Settings
    shape: DataShape
    encoder: AnyEncoderSpec


def choose_encoder(
    wanted: AnyEncoderSpec, shape: DataShape, *, bptt_steps: int | None
) -> AnyEncoderSpec:
    """Return the encoder that is wanted, with the values that "auto" stands for.

    Parameters
    ----------
    wanted : EncoderSpec or FeedForwardSpec
        As `wanted_encoder` returns it.
    shape : DataShape
    bptt_steps : int or None
    """
    if not isinstance(wanted, EncoderSpec):
        return wanted
    reads_all_steps = wanted.pooling is not None and bptt_steps is None
    patch_size = 1
    if reads_all_steps and shape.n_tokens is None:
        patch_size = max(1, round(shape.n_steps / _STEPS_IN_PATCHES))
    chosen = replace(
        wanted,
        bidirectional=reads_all_steps and shape.has_classes and not shape.is_sparse,
        pooling=_pooling(shape, is_long=patch_size > 1),
        patch_size=patch_size,
    )
    return fill_auto(wanted, chosen)


def choose_convolutions(
    shape: DataShape, encoder: AnyEncoderSpec, *, bptt_steps: int | None, incremental: bool
) -> int:
    """Return how many features of random convolutions stand beside a branch.

    Parameters
    ----------
    shape : DataShape
    encoder : EncoderSpec or FeedForwardSpec
    bptt_steps : int or None
    incremental : bool
        Whether this is one epoch of more to come.
    """
    reads_series = isinstance(encoder, EncoderSpec) and shape.n_tokens is None
    reads_whole = encoder.pooling is not None and bptt_steps is None and not incremental
    if not (reads_series and reads_whole and shape.has_classes):
        return 0
    is_long = shape.n_steps >= _STEPS_OF_TWO_KERNELS
    are_few = (
        shape.n_sequences <= _FEW_SEQUENCES and shape.n_sequences * shape.n_steps <= _FEW_STEPS
    )
    return _CONVOLUTIONS if is_long and are_few else 0


def fits_convolutions_apart(n_sequences: int, *, incremental: bool) -> bool:
    """Return whether random convolutions are fitted apart from the network, to so many series.

    With `incremental` the training begins with one epoch of more to come.
    """
    return _ENOUGH_TO_FIT_APART <= n_sequences <= _MOST_TO_FIT_APART and not incremental


def choose_label_smoothing(*, trains_convolutions: bool) -> float:
    """Return how much the targets of classes are smoothed.

    Parameters
    ----------
    trains_convolutions : bool
        Whether random convolutions are a part of the network that is trained.
    """
    return _SMOOTHING_WITH_CONVOLUTIONS if trains_convolutions else _SMOOTHING


def _pooling(shape: DataShape, is_long: bool) -> str | tuple[str, ...]:
    if shape.n_tokens is not None:
        return "max"
    if shape.has_classes or is_long:
        return "last", "mean", "max"
    return "last"  # the end of a window tells most of what follows


def stops_early(
    settings: Settings, n: int, *, is_stochastic: bool, validates: bool, incremental: bool
) -> bool:
    """Return whether the training on n samples stops early; see `choose_plan`."""
    if not settings.is_auto("early_stopping"):
        return bool(settings.early_stopping)
    may_hold_out = n >= _MIN_SEQUENCES_TO_HOLD_OUT and settings.validation_fraction > 0
    return is_stochastic and not incremental and (validates or may_hold_out)


def choose_plan(
    settings: Settings,
    branches: Mapping[str, PlannedBranch],
    *,
    is_stochastic: bool,
    validates: bool,
    incremental: bool,
) -> Plan:
    """Return the plan of training on data of that shape.

    Parameters
    ----------
    settings : Settings
        Of the training.
    branches : mapping of str to PlannedBranch
        By their names.
    is_stochastic : bool
        Whether the solver takes the samples in batches.
    validates : bool
        Whether a validation set is given.
    incremental : bool
        Whether this is one epoch of more to come.
    """
    shapes = [branch.shape for branch in branches.values()]
    n_sequences = shapes[0].n_sequences
    batch_size = settings.batch_size
    if batch_size == "auto":
        batch_size = min(_BATCH_SIZE, n_sequences)
    max_iter = settings.max_iter
    if max_iter == "auto":
        max_iter = _MAX_ITER_OF_ALL_AT_ONCE
        if is_stochastic:
            max_iter = _epochs_of_all(branches, batch_size)
    early_stopping = stops_early(
        settings,
        n_sequences,
        is_stochastic=is_stochastic,
        validates=validates,
        incremental=incremental,
    )
    epochs = dict.fromkeys(branches, max_iter)
    may_be_late = is_stochastic and SCHEDULES[settings.learning_rate].ends_training
    if may_be_late and not early_stopping and not incremental:
        epochs = _epochs_of_each(branches, max_iter, is_free=settings.is_auto("max_iter"))
    dropout, recurrent_dropout = (
        {
            name: _rate(
                name_of_rate, branch.settings, of_shape(branch.shape) if is_stochastic else 0
            )
            for name, branch in branches.items()
        }
        for name_of_rate, of_shape in (
            ("dropout", _dropout),
            ("recurrent_dropout", _recurrent_dropout),
        )
    )
    dtype = settings.dtype
    is_one_batch = n_sequences <= batch_size and not incremental
    n_unit_steps = n_sequences * sum(
        branch.shape.n_steps * sum(branch.encoder.hidden_layer_sizes)
        for branch in branches.values()
    )
    is_small = n_unit_steps <= _MAX_STEPS_IN_DOUBLE
    if not is_stochastic or (is_one_batch and is_small):
        dtype = "float64"
    return Plan(
        batch_size,
        max_iter,
        early_stopping,
        epochs,
        dropout,
        recurrent_dropout,
        dtype,
        incremental,
    )


def _epochs_of_all(branches: Mapping[str, PlannedBranch], batch_size: int) -> int:
    """Return as many epochs as the branch needs that needs most, if there is one but late ones."""
    lasting = [
        branch.shape for branch in branches.values() if not branch.shape.may_be_learned_by_heart
    ]
    shapes = lasting or [branch.shape for branch in branches.values()]
    return max(_epochs(shape, batch_size) for shape in shapes)


def _epochs_of_each(
    branches: Mapping[str, PlannedBranch], max_iter: int, *, is_free: bool
) -> dict[str, int]:
    """Return in how many of the last epochs each branch takes part; one at least in all.

    `is_free` says whether `max_iter` was ours to choose: else the branches have it, too.
    """
    are_seldom = {name: branch.shape.may_be_learned_by_heart for name, branch in branches.items()}
    epochs = {}
    for name, branch in branches.items():
        wanted = branch.settings.get("last_epochs")
        if branch.settings.is_auto("last_epochs"):
            is_late = is_free and are_seldom[name] and not all(are_seldom.values())
            wanted = _EPOCHS_OF_SELDOM_TOKENS if is_late else None
        if branch.encoder.pooling is None:
            wanted = None  # its steps have the targets
        epochs[name] = max_iter if wanted is None else min(wanted, max_iter)
    lacking = max_iter - max(epochs.values())
    return {name: n + lacking for name, n in epochs.items()}


def has_bag(branch: PlannedBranch, *, n_outputs: int, is_alone: bool, incremental: bool) -> bool:
    """Return whether the tokens of a branch are also read as a bag, beside the network.

    Where tokens are seldom, as words are, single ones tell more than their order. A small alphabet
    may tell by the order alone, of which a trial on few samples may know nothing.

    Parameters
    ----------
    branch : PlannedBranch
    n_outputs : int
        Raw outputs of the network.
    is_alone : bool
        Whether it is the only one.
    incremental : bool
        Whether the training begins with one epoch of more to come.
    """
    settings, shape, encoder = branch
    if shape.n_tokens is None or encoder.pooling is None:
        return False
    if not settings.is_auto("bag"):
        return bool(settings.bag)
    is_enough = shape.n_sequences >= _MIN_FOR_BAG
    is_small = shape.n_tokens * n_outputs <= _MOST_WEIGHTS_OF_BAG
    tells = shape.has_classes and shape.is_vocabulary and is_enough
    return is_alone and not incremental and tells and is_small


def share_to_compare(n_samples: int) -> float:
    """Return on which share of the samples a trial of network and bag is compared."""
    to_train = max(_SHARE_OF_BAGS_TRIAL, min(_ENOUGH_FOR_BAGS_TRIAL / n_samples, 0.5))
    return 1 - to_train


def most_pairs(n_tokens: int, n_outputs: int) -> int:
    """Return how many pairs of tokens a bag may count."""
    return max(min(_MOST_PAIRS, _MOST_WEIGHTS_OF_BAG // n_outputs - n_tokens), 0)


def _rate(name: str, settings: Settings, by_shape: float) -> float:
    """Return how much is left out in a branch, by the parameter of that name."""
    return float(by_shape if settings.is_auto(name) else settings.get(name, 0.0))


def _epochs(shape: DataShape, batch_size: int) -> int:
    """Return how many epochs are at least enough, and make at least enough updates."""
    epochs = _EPOCHS
    updates = _UPDATES_OF_RARE_TOKENS if shape.has_rare_tokens else _UPDATES
    updates_per_epoch = math.ceil(shape.n_sequences / batch_size)
    if shape.has_letters:
        most = _MOST_UPDATES_OF_LETTERS // updates_per_epoch
        epochs = max(epochs, min(_EPOCHS_OF_LETTERS, most))
    return max(epochs, math.ceil(updates / updates_per_epoch))


def _dropout(shape: DataShape) -> float:
    if shape.n_tokens is not None:
        return _DROPOUT_OF_TOKENS
    if shape.is_table:
        return _DROPOUT_OF_TABLES
    if shape.is_sparse:
        return _DROPOUT_OF_SPARSE_CHANNELS
    return _DROPOUT_OF_CHANNELS if shape.n_features >= _MANY_CHANNELS else 0.0


def _recurrent_dropout(shape: DataShape) -> float:
    return _DROPOUT_OF_SPARSE_CHANNELS if shape.is_sparse else 0.0
