"""A linear model of random convolutions: its fit, its outputs.

It is fitted apart from the network, and joined to it as `opinion_pool` does. When the network is
trained, it becomes the branch of convolutions beside it, see `convolutions_apart`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import RidgeCV

from skgru._data.random_kernels import ConvolutionReader, features_of
from skgru._data.sequences import Sequences
from skgru._engine.loss import Loss
from skgru._engine.opinion_pool import LinearOutputs
from skgru._nn.batch import Array, Values
from skgru._nn.convolutions import RandomConvolutions
from skgru._nn.part import Arrays

# Of the L2 penalty, chosen by the error that leaves one out.
_PENALTIES = np.logspace(-3, 4, 15)


@dataclass(frozen=True, eq=False)
class ConvolutionModel:
    """A linear model of the random convolutions of a branch.

    Parameters
    ----------
    name : str
        Of the branch that it becomes.
    reader : ConvolutionReader
        What reads the X beside which it stands.
    kernels : dict of ndarray
        The numbers of the kernels, by their names.
    weights : ndarray of shape (F, K)
    bias : ndarray of shape (K,)
    factor : float, default=1
        Of the raw outputs of the network that those of this model are added to.
    """

    name: str
    reader: ConvolutionReader
    kernels: Arrays
    weights: Array
    bias: Array
    factor: float = 1.0

    def fitted(
        self, samples: Mapping[str, Sequences], targets: Values, weights: Array, loss: Loss
    ) -> ConvolutionModel:
        """Return the model that is fitted to samples: by ridge regression of their targets.

        Of few series that is better than by the loss itself, as Dempster et al. (2021) found, too.

        Parameters
        ----------
        samples : mapping of str to Sequences
            By the names of the inputs.
        targets : ndarray
            Encoded.
        weights : ndarray of shape (n,)
        loss : Loss
        """
        counts = (weights > 0) & (samples[self.reader.beside].lengths > 0)
        wanted = loss.linear_targets(targets)
        if not counts.any():
            return self
        ridge = RidgeCV(_PENALTIES).fit(
            self._features(samples)[counts], wanted[counts], sample_weight=weights[counts]
        )
        W = np.reshape(ridge.coef_, (-1, len(self.weights))).T
        b = np.broadcast_to(ridge.intercept_, W.shape[1])
        return replace(self, weights=W, bias=b)

    def scaled(self, shares: tuple[float, float]) -> ConvolutionModel:
        """Return the model with the factor of the network, and its own in its weights."""
        factor, own = shares
        dtype = self.kernels["scale"].dtype
        W, b = ((own * array).astype(dtype) for array in (self.weights, self.bias))
        return replace(self, weights=W, bias=b, factor=factor)

    def raw(self, samples: Mapping[str, Sequences]) -> Array:
        """Return its raw outputs (n, K); zeros without a step."""
        raw: Array = self._features(samples) @ self.weights + self.bias
        raw[samples[self.reader.beside].lengths == 0] = 0
        return raw

    def outputs(self, samples: Mapping[str, Sequences]) -> LinearOutputs:
        """Return what is joined to the raw outputs of the network."""
        return LinearOutputs(self.factor, self.raw(samples))

    def _features(self, samples: Mapping[str, Sequences]) -> Array:
        """Return the features of samples, (n, F), in double precision; zeros without a step."""
        sequences, encoder = samples[self.reader.beside], self.reader.encoder
        part = RandomConvolutions(
            self.reader.numbers.n_inputs, encoder.dilations, encoder.n_thresholds
        )
        steps = self.reader.steps_of(sequences, self.kernels["scale"].dtype)
        features = np.zeros((sequences.n_sequences, part.n_outputs))
        features[steps.lengths > 0] = features_of(part, self.kernels, steps)
        return features
