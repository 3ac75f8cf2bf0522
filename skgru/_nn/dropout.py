"""Dropout: parts of the network that are left out at random while it trains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array


class DropoutRates(NamedTuple):
    """Which share of each kind is left out.

    Attributes
    ----------
    inputs : float
        Of the inputs of each hidden layer and of the head, anew at every step (Srivastava et al.
        2014).
    states : float
        Of the states that a cell's products read: the same units at all steps of a sequence (Gal &
        Ghahramani 2016).
    tokens : float
        Of the tokens, which the unknown token replaces (Iyyer et al. 2015, "word dropout").
    """

    inputs: float = 0.0
    states: float = 0.0
    tokens: float = 0.0


class Dropout:
    """The masks for one pass over some sequences.

    A mask is 0 for numbers left out and 1 / (1 − rate) for the others. The same seed and piece
    give the same masks, in the order in which they are asked for.

    Parameters
    ----------
    rates : DropoutRates
    seed : sequence of int
    n_sequences : int
        N, of all pieces.
    piece : int, default=0
        Which piece of the sequences this is.
    positions : ndarray of shape (B,) or slice, default=slice(None)
        Which of the N sequences it holds.
    """

    def __init__(
        self,
        rates: DropoutRates,
        seed: tuple[int, ...],
        n_sequences: int,
        piece: int = 0,
        positions: NDArray[np.integer] | slice = slice(None),
    ) -> None:
        self._rates = rates
        self._seed = seed
        self._n_sequences = n_sequences
        self._positions = positions
        self._rng = np.random.default_rng([*seed, 0, piece])

    def of_inputs(self, x: Array) -> Array | None:
        """Return a mask of the shape of x, or None."""
        return _mask(self._rng, x.shape, self._rates.inputs, x.dtype)

    def of_states(self, layer: int, n_units: int, dtype: np.dtype) -> Array | None:
        """Return a mask (B, n_units) for the states of a layer, or None."""
        rng = np.random.default_rng([*self._seed, 1, layer])
        mask = _mask(rng, (self._n_sequences, n_units), self._rates.states, dtype)
        return None if mask is None else mask[self._positions]

    def of_tokens(self, tokens: NDArray[np.integer]) -> NDArray[np.integer]:
        """Return the tokens, some of them 0, the row of the unknown one; padding stays."""
        if not self._rates.tokens:
            return tokens
        is_left_out = self._rng.random(tokens.shape) < self._rates.tokens
        return np.where(is_left_out & (tokens >= 0), 0, tokens)


class DropoutSource(NamedTuple):
    """Where the dropout of all passes of a branch over N samples comes from.

    Attributes
    ----------
    rates : DropoutRates
    seed : tuple of int
    n_samples : int
        N.
    """

    rates: DropoutRates
    seed: tuple[int, ...]
    n_samples: int

    def of_piece(self, i: int, positions: NDArray[np.integer] | slice = slice(None)) -> Dropout:
        """Return the dropout of the i-th piece, which holds the samples at `positions`."""
        return Dropout(self.rates, self.seed, self.n_samples, i, positions)


class FusionRates(NamedTuple):
    """Which share is left out where the branches meet.

    Attributes
    ----------
    hidden : float or None
        Of the outputs of the hidden layers above the branches; None = not yet decided.
    branches : float
        Of the branches of a sample: all outputs of one, as if the sample did not have it. Of a
        network without `FusionSpec.knows_absence` only the weights of a gate tell of that.
    """

    hidden: float | None = 0.0
    branches: float = 0.0


class FusionDropout:
    """The masks for one pass above the branches.

    Parameters
    ----------
    rates : FusionRates
    seed : sequence of int
    """

    def __init__(self, rates: FusionRates, seed: tuple[int, ...]) -> None:
        self._rates = rates
        self._of_hidden = np.random.default_rng([*seed, 3])
        self._of_branches = np.random.default_rng([*seed, 4])

    def of_inputs(self, x: Array) -> Array | None:
        """Return a mask of the shape of x, the outputs of a hidden layer, or None."""
        return _mask(self._of_hidden, x.shape, self._rates.hidden or 0.0, x.dtype)

    def of_branches(self, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which branches of each sample stay (N, B), of those that are present.

        Of those, one stays at least.
        """
        if not self._rates.branches:
            return present
        drawn = self._of_branches.random(present.shape)
        drawn[~present] = -1
        stay = drawn >= self._rates.branches
        none = np.flatnonzero(present.any(axis=1) & ~stay.any(axis=1))
        stay[none, drawn[none].argmax(axis=1)] = True
        return stay


class NetworkDropout(NamedTuple):
    """Where the dropout of all passes of the network over N samples comes from.

    Attributes
    ----------
    rates : tuple of DropoutRates
        Of each branch.
    fusion : FusionRates
    seed : tuple of int
    n_samples : int
        N.
    """

    rates: tuple[DropoutRates, ...]
    fusion: FusionRates
    seed: tuple[int, ...]
    n_samples: int

    def of_branch(self, index: int) -> DropoutSource:
        """Return the source of a branch, by its number: each has draws of its own."""
        seed = self.seed if index == 0 else (*self.seed, 2, index)
        return DropoutSource(self.rates[index], seed, self.n_samples)

    def of_fusion(self) -> FusionDropout:
        """Return the dropout above the branches."""
        return FusionDropout(self.fusion, self.seed)


def _mask(
    rng: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: np.dtype
) -> Array | None:
    if not rate:
        return None
    is_kept = rng.random(shape, np.float32) >= rate
    mask: Array = np.multiply(is_kept, 1 / dtype.type(1 - rate), dtype=dtype)
    return mask
