"""Training samples: sequences with their targets and weights."""

from typing import NamedTuple

import numpy as np

from skgru._data.sequences import Sequences


class Samples(NamedTuple):
    """Sequences that the network can read, with their targets and weights.

    Attributes
    ----------
    sequences : Sequences
    weights : ndarray of shape (n,)
        The sequences' weights, none of them zero.
    targets : ndarray of shape (N, K), or (N,) for indices of classes
        N is n, or with a target at each step the total number of steps.
    target_weights : ndarray of shape (N,)
        The sample weights of the targets; those of steps without a target are zero.
    loss_factors : ndarray of shape (N,)
        What else the loss is multiplied by: the class weights.
    per_step : bool
        Whether there is a target at each step.
    """

    sequences: Sequences
    weights: np.ndarray
    targets: np.ndarray
    target_weights: np.ndarray
    loss_factors: np.ndarray
    per_step: bool

    def take(self, indices):
        """Return the samples at `indices`, in that order."""
        rows = self.sequences.rows_of(indices) if self.per_step else indices
        return Samples(
            self.sequences.take(indices),
            self.weights[indices],
            self.targets[rows],
            self.target_weights[rows],
            self.loss_factors[rows],
            self.per_step,
        )
