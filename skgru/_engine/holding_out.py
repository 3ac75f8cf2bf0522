"""Samples that are held out of the training, for validation or for a trial."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from skgru._data.training_set import TrainingSet
from skgru._engine.loss import Loss
from skgru._nn.batch import Indices, Values
from skgru._settings import Settings


def hold_out(
    samples: TrainingSet, loss: Loss, settings: Settings, rng: RandomState
) -> tuple[TrainingSet, TrainingSet]:
    """Hold out a part for validation; return training and validation samples."""
    strata = None if samples.step_branch is not None else loss.strata(samples.targets)
    kept, held_out = split(samples.n_sequences, strata, settings, rng, samples.groups)
    return samples.take(kept), samples.take(held_out)


def split(
    n: int,
    strata: Values | None,
    settings: Settings,
    rng: RandomState,
    groups: Indices | None = None,
) -> tuple[Indices, Indices]:
    """Return which of n samples to train on, and which to validate on.

    Parameters
    ----------
    n : int
    strata : ndarray of shape (n,) or None
        What both parts keep the shares of.
    settings : Settings
    rng : RandomState
    groups : ndarray of int of shape (n,), default=None
        None of them is in both parts, and `strata` do not count then.

    Raises
    ------
    ValueError
        If one part is too small.
    """
    share = settings.validation_fraction
    if groups is not None:
        return _split_groups(groups, share, rng)
    if strata is not None and settings.is_auto("early_stopping"):
        _, sizes = np.unique(strata, return_counts=True)
        if sizes.min() < 2 or len(sizes) > share * n:
            strata = None  # some classes cannot be in both parts
    kept, held_out = train_test_split(
        np.arange(n), test_size=share, random_state=rng, stratify=strata
    )
    _check_held_out(held_out)
    return kept, held_out


def _split_groups(groups: Indices, share: float, rng: RandomState) -> tuple[Indices, Indices]:
    """Return which samples to train on, and which to validate on: a share of the groups."""
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "groups: expected at least 2 groups, of which one can be held out for validation, got "
            f"{n_groups}."
        )
    splitter = GroupShuffleSplit(1, test_size=share, random_state=rng)
    ((kept, held_out),) = splitter.split(groups, groups=groups)
    _check_held_out(held_out)
    return kept, held_out


def _check_held_out(held_out: Indices) -> None:
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            "your dataset."
        )
