"""Sequences with their targets and weights, to train a network on or to validate it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import NameOf
from skgru._data.parsing import Parsed
from skgru._data.sequences import Sequences
from skgru._data.stacking import LONG_TABLE
from skgru._data.table import Table
from skgru._data.targets import (
    as_targets,
    as_weights,
    check_weights,
    has_target,
    parse_groups,
    parse_step_targets,
    parse_step_weights,
    refuse_no_weight,
    refuse_unequal_weights,
    weights_of_sequences,
    without_missing,
)
from skgru._nn.batch import Array, Indices, Values

# So many numbers are copied at once for a checksum.
_MOST_AT_ONCE = 1 << 20


class Targets(Protocol):
    """The part of a loss that checks y."""

    def check(self, y: Any, where: NameOf) -> Values:
        """Return y as an array of one or two dimensions, if the loss takes it."""

    def encode(self, y: Values, weights: Array) -> tuple[Values, Array]:
        """Return encoded targets, and the factors of the samples' losses."""


class Samples(NamedTuple):
    """Sequences with targets and weights, checked and not yet encoded.

    Attributes
    ----------
    sequences : dict of Sequences
        By the names of the inputs; those of each input in the same order.
    weights : ndarray of shape (n,)
        The sequences' weights, none of them zero.
    target_weights : ndarray of shape (N,)
        The weights of the targets; those of steps without a target are zero.
    present : ndarray or slice
        Which targets there are.
    labels : ndarray
        These targets, as the loss takes them.
    step_branch : str or None
        The input each step of which has a target of its own; None = each sample has one.
    rows : ndarray of shape (n,)
        Which of the samples that were parsed they are.
    groups : ndarray of int of shape (n,) or None
        Those of a group stay together.
    """

    sequences: dict[str, Sequences]
    weights: Array
    target_weights: Array
    present: slice | Indices
    labels: Values
    step_branch: str | None
    rows: Indices
    groups: Indices | None

    @property
    def label_weights(self) -> Array:
        """The weights of the targets that there are."""
        weights: Array = self.target_weights[self.present]
        return weights

    def encoded(self, targets: Targets) -> TrainingSet:
        """Return the samples with encoded targets.

        Raises
        ------
        ValueError
            If the class weights leave no sample.
        """
        encoded, factors = targets.encode(self.labels, self.label_weights)
        if not factors.any():
            raise ValueError(
                "class_weight leaves no sample to train on: expected a weight above 0 for at least "
                "one class of y."
            )
        n = len(self.target_weights)
        return TrainingSet(
            self.sequences,
            self.weights,
            _spread(encoded, self.present, n),
            self.target_weights,
            _spread(factors, self.present, n),
            self.step_branch,
            self.rows,
            self.groups,
        )


class TrainingSet(NamedTuple):
    """Samples to train on, or to validate on.

    Attributes
    ----------
    sequences : dict of Sequences
        By the names of the inputs; those of each input in the same order.
    weights : ndarray of shape (n,)
        The sequences' weights, none of them zero.
    targets : ndarray of shape (N, K), or (N,) for indices of classes
        N is n, or with a target at each step the total number of steps.
    target_weights : ndarray of shape (N,)
        The sample weights of the targets; those of steps without a target are zero.
    loss_factors : ndarray of shape (N,)
        Further factors of the loss: the class weights.
    step_branch : str or None
        The input each step of which has a target of its own; None = each sample has one.
    rows : ndarray of shape (n,)
        Which of the samples that were parsed they are.
    groups : ndarray of int of shape (n,) or None
        Those of a group stay together.
    """

    sequences: dict[str, Sequences]
    weights: Array
    targets: Values
    target_weights: Array
    loss_factors: Array
    step_branch: str | None
    rows: Indices
    groups: Indices | None

    @property
    def loss_weights(self) -> Array:
        """The weight of the loss of each target, (N,)."""
        weights: Array = self.target_weights * self.loss_factors
        return weights

    @property
    def n_sequences(self) -> int:
        """n, the number of samples."""
        return len(self.weights)

    @property
    def checksum(self) -> int:
        """A number that other samples have with a chance of one in four billion."""
        parts = []
        for values, offsets in self.sequences.values():
            parts += [*(values.arrays if isinstance(values, Table) else [values]), offsets]
        parts += [self.weights, self.targets, self.target_weights, self.loss_factors]
        if self.groups is not None:
            parts.append(self.groups)
        pieces = chain.from_iterable(map(_bytes_of, parts))
        return reduce(lambda found, piece: crc32(piece, found), pieces, 0)

    def take(self, indices: Indices) -> TrainingSet:
        """Return the samples at `indices`, in that order."""
        rows = _rows_of(self.sequences, indices, self.step_branch)
        return TrainingSet(
            {name: sequences.take(indices) for name, sequences in self.sequences.items()},
            self.weights[indices],
            self.targets[rows],
            self.target_weights[rows],
            self.loss_factors[rows],
            self.step_branch,
            self.rows[indices],
            None if self.groups is None else self.groups[indices],
        )


def parse_samples(
    parsed: Mapping[str, Parsed],
    y: Any,
    sample_weight: Any,
    targets: Targets,
    *,
    step_branch: str | None,
    has_chain: bool = False,
    groups: Any = None,
) -> Samples:
    """Return sequences, targets and weights that go together; those of weight 0 are left out.

    Parameters
    ----------
    parsed : mapping of str to Parsed
        The sequences of each input.
    y, sample_weight : array-like
        Of sequences, or of steps.
    targets : Targets
        Of the loss.
    step_branch : str or None
        The input each step of which has a target of its own; None = each sample has one.
    has_chain : bool, default=False
        Whether the targets of a sequence's steps make a chain, which has one weight.
    groups : array-like of shape (n,), default=None
        Those of a group stay together.

    Raises
    ------
    ValueError, TypeError
        If the numbers of sequences, targets and weights do not agree, or nothing is left.
    """
    (first, *_) = parsed.values()
    n = first.sequences.n_sequences
    sample_weight = as_weights(sample_weight)
    if step_branch is not None:
        own = parsed[step_branch]
        y = parse_step_targets(y, own)
        target_weights = np.where(has_target(y), parse_step_weights(sample_weight, own), 0.0)
        weights = weights_of_sequences(sample_weight, target_weights, own.sequences)
        if has_chain:
            refuse_unequal_weights(target_weights, own.sequences)
    else:
        y = targets.check(as_targets(y), name_of_target)
        for part in parsed.values():
            _check_lengths(part, len(y))
        target_weights = weights = check_weights(sample_weight, n)
    refuse_no_weight(target_weights)
    sequences = {name: part.sequences for name, part in parsed.items()}
    groups, kept = parse_groups(groups, n), np.arange(n)
    if not weights.all():  # a weight of zero is the same as no sample
        kept = np.flatnonzero(weights)
        rows = _rows_of(sequences, kept, step_branch)
        sequences = {name: part.take(kept) for name, part in sequences.items()}
        weights, y, target_weights = weights[kept], y[rows], target_weights[rows]
        groups = None if groups is None else groups[kept]
    if not any(len(part.values) for part in sequences.values()):
        raise ValueError(
            "X has no step: all sequences to train on are empty or padding, expected at least "
            "one with a step."
        )
    if step_branch is None:
        return Samples(
            sequences, weights, target_weights, slice(None), y, step_branch, kept, groups
        )
    present = np.flatnonzero(target_weights)
    # Of the targets of steps, only those that are present are checked.
    labels = targets.check(without_missing(y, present), name_of_step_target)
    return Samples(sequences, weights, target_weights, present, labels, step_branch, kept, groups)


def check_same_steps(
    parsed: Mapping[str, Parsed], step_branches: Sequence[str], samples: Indices | None = None
) -> None:
    """Refuse inputs whose steps share their targets, but differ in number.

    Parameters
    ----------
    parsed : mapping of str to Parsed
        The sequences of each input.
    step_branches : sequence of str
        The inputs each step of which has a target of its own.
    samples : ndarray of shape (n,), default=None
        The numbers of the samples in errors; None = 0, 1, ...

    Raises
    ------
    ValueError
        If a sample has another number of steps in one of them than in another.
    """
    if len(step_branches) < 2:
        return
    first, *others = step_branches
    lengths = parsed[first].sequences.lengths
    for name in others:
        found = parsed[name].sequences.lengths
        differ = np.flatnonzero(found != lengths)
        if len(differ):
            i = differ[0]
            raise ValueError(
                "Branches with pooling=None share the targets of their steps: expected the same "
                f"number of steps in each of them, got {lengths[i]} in branch {first!r} and "
                f"{found[i]} in branch {name!r} of sample {i if samples is None else samples[i]} "
                f"({len(differ)} of {len(found)} samples differ; trailing steps that are wholly "
                "missing are none). A branch of other steps needs a pooling."
            )


def name_of_target(index: tuple[int, ...]) -> str:
    """Return the name of a target in errors, given its index in y."""
    return f"target {index[0]} of y"


def name_of_step_target(index: tuple[int, ...]) -> str:
    """Return the name of a step's target in errors: without those that miss, its index is lost."""
    return "y"


def _bytes_of(values: NDArray[Any]) -> Iterator[Any]:
    """Yield values as bytes, the same for equal ones and for all NaN; objects as text."""
    if values.dtype == object:
        yield "\0".join(map(str, values.flat)).encode(errors="surrogatepass")
        return
    flat = np.ascontiguousarray(values).reshape(-1)
    for start in range(0, len(flat), _MOST_AT_ONCE):
        part = flat[start : start + _MOST_AT_ONCE]
        if part.dtype.kind == "f":
            part = part + 0  # of -0.0, too, it is 0.0
            part[np.isnan(part)] = np.nan
        yield part.view(np.uint8)


def _rows_of(
    sequences: Mapping[str, Sequences], indices: Indices, step_branch: str | None
) -> Indices:
    """Return the rows of the targets of some samples."""
    return indices if step_branch is None else sequences[step_branch].rows_of(indices)


def _check_lengths(parsed: Parsed, n_targets: int) -> None:
    """Refuse another number of targets than of sequences."""
    n_sequences = parsed.sequences.n_sequences
    if n_sequences == n_targets:
        return
    hint = ""
    if n_targets < n_sequences and parsed.is_frame:
        hint = f" Each row of a DataFrame is one sequence. {LONG_TABLE}."
    raise ValueError(
        "Found input variables with inconsistent numbers of samples: "
        f"[{n_sequences}, {n_targets}] (sequences of X, targets of y).{hint}"
    )


def _spread(values: Values, rows: slice | Indices, n: int) -> Values:
    """Return values in their rows of n, and zeros elsewhere."""
    if len(values) == n:
        return values
    spread = np.zeros((n, *values.shape[1:]), values.dtype)
    spread[rows] = values
    return spread
