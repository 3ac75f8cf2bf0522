"""A bag of tokens between a baseline and X, and what its tokens contribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from skgru._data.sequences import Sequences
from skgru._engine.bag_model import Bag
from skgru._engine.opinion_pool import LinearOutputs
from skgru._nn.batch import Array, Indices

# So many tokens of texts without one of theirs are read at once, beside those of one text.
_MOST_TOKENS = 1 << 20


class OfTokens(NamedTuple):
    """What tokens of some samples contribute.

    Attributes
    ----------
    name : str
        Of their branch.
    tokens : ndarray of shape (N,)
        Which tokens, among those of all samples.
    owners : ndarray of shape (N,)
        Which of the samples each is of.
    values : ndarray of shape (N,)
    """

    name: str
    tokens: Indices
    owners: Indices
    values: Array


class BagLine:
    """A bag on a straight line from that of a baseline to that of X.

    Parameters
    ----------
    bag : Bag
    start, end : mapping of str to Sequences
        The baseline and X, by the names of the branches; they have the same lengths.
    """

    def __init__(
        self, bag: Bag, start: Mapping[str, Sequences], end: Mapping[str, Sequences]
    ) -> None:
        self._bag = bag
        self._tokens_at_start, self._sequences = start, end
        self.at_start, self.at_end = bag.outputs(start), bag.outputs(end)
        of_start, of_end = bag.by_token(start), bag.by_token(end)
        self._by_token = {name: of_end[name] - of_start[name] for name in bag.tokens}

    @property
    def branches(self) -> list[str]:
        """The branches whose tokens are counted."""
        return list(self._by_token)

    def at(self, samples: Indices, shares: Array) -> LinearOutputs:
        """Return what it adds for samples at shares of their ways, (N, n copies)."""
        start, end = self.at_start.added[samples], self.at_end.added[samples]
        added = start[:, None] + shares[:, :, None] * (end - start)[:, None]
        return LinearOutputs(self.at_end.factor, added.reshape(-1, added.shape[2]))

    def weigh(self, samples: Indices, d_raw: Array) -> Iterator[OfTokens]:
        """Yield what the tokens of samples contribute, given the derivative by raw outputs (N, K).

        It is that of the whole line.
        """
        for name, by_token in self._by_token.items():
            sequences = self._sequences[name]
            tokens = sequences.rows_of(samples)
            owners = np.repeat(np.arange(len(samples)), sequences.lengths_of(samples))
            values = np.einsum("ik,ik->i", by_token[tokens], d_raw[owners])
            yield OfTokens(name, tokens, owners, values)

    def without(self, name: str, samples: Indices, tokens: Indices) -> Array:
        """Return what it adds for samples that have the start in place of a token.

        Parameters
        ----------
        name : str
        samples, tokens : ndarray of shape (N,)
            Each time the sample, and the token among those of all samples.

        Returns
        -------
        ndarray of shape (N, K)
        """
        own = self._sequences[name]
        added = np.empty((len(samples), self.at_end.added.shape[1]))
        stops = np.cumsum(own.lengths_of(samples))
        blocks = np.split(
            np.arange(len(samples)), np.flatnonzero(np.diff(stops // _MOST_TOKENS)) + 1
        )
        for block in blocks:
            some = samples[block]
            taken = {other: s.take(some) for other, s in self._sequences.items()}
            ids = taken[name].values.copy()
            places = taken[name].offsets[:-1] + tokens[block] - own.offsets[some]
            ids[places] = self._tokens_at_start[name].values[tokens[block]]
            added[block] = self._bag.outputs(taken | {name: taken[name]._replace(values=ids)}).added
        return added
