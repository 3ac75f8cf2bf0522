"""Bags of tokens: which tokens and pairs of neighbours a text holds, weighted by tf-idf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skgru._data.ids import UNKNOWN
from skgru._data.sequences import Sequences
from skgru._nn.batch import Array, Indices
from skgru._saved import expect, expect_numbers, expect_sorted

# A pair of neighbours counts where so many texts hold it.
_MIN_TEXTS = 2
# The tokens of so many are weighed at once, or of one text.
_MOST_AT_ONCE = 1 << 20


class Occurrences(NamedTuple):
    """The places where known tokens and pairs of them stand.

    Attributes
    ----------
    texts : ndarray of shape (N,)
    columns : ndarray of shape (N,)
        Which token or pair each one is.
    places : ndarray of shape (N,)
        Where it stands among the tokens of all texts; of a pair, its first token.
    """

    texts: Indices
    columns: Indices
    places: Indices


class Weighed(NamedTuple):
    """The rows of the matrix of a bag, and what they are made of.

    Attributes
    ----------
    matrix : csr_matrix of shape (n, D)
    numbers : ndarray of shape (N,)
        Which of the numbers that the matrix holds each occurrence belongs to.
    counts : ndarray of shape (n held,)
        How many occurrences each of these numbers has.
    occurrences : Occurrences
    """

    matrix: Any
    numbers: Indices
    counts: Indices
    occurrences: Occurrences


@dataclass(frozen=True, eq=False)
class BagOfTokens:
    """The tokens and the pairs of neighbours that are counted, with their weights.

    A row of the matrix has for each of them (1 + log count) · idf, and the length 1.

    Parameters
    ----------
    token_ids : ndarray of shape (V,)
        Sorted; padding and the unknown token are not among them.
    pairs : ndarray of shape (P,)
        V · i + j for the tokens i and j of each pair, sorted.
    idf : ndarray of shape (V + P,)
        Of the tokens, then of the pairs: log((1 + n) / (1 + n texts with it)) + 1.
    """

    token_ids: NDArray[np.integer]
    pairs: NDArray[np.integer]
    idf: Array

    @classmethod
    def learn(cls, sequences: Sequences, weights: Array, most_pairs: int) -> BagOfTokens:
        """Return the bag that knows the tokens of some texts.

        Parameters
        ----------
        sequences : Sequences
        weights : ndarray of shape (n,)
            A text of weight two counts as two.
        most_pairs : int
            Of more pairs, the most frequent ones are counted.
        """
        ids = np.unique(sequences.values)
        token_ids = ids[ids > UNKNOWN].astype(np.int64)
        keys, first = _pairs_of(sequences, token_ids)
        pairs = np.unique(keys)
        texts = _text_of_token(sequences)[first]
        # However small weights are, each text is one at least.
        df = _n_texts(texts, np.searchsorted(pairs, keys), len(pairs), np.ceil(weights))
        often = np.flatnonzero(df >= _MIN_TEXTS)
        if len(often) > most_pairs:
            most = np.argsort(-df[often], kind="stable")[:most_pairs]
            often = np.sort(often[most])
        bag = cls(token_ids, pairs[often], np.empty(0))
        found = bag._occurrences(sequences)
        df = _n_texts(found.texts, found.columns, bag.n_columns, weights)
        return cls(token_ids, pairs[often], np.log((1 + weights.sum()) / (1 + df)) + 1)

    @property
    def n_columns(self) -> int:
        """D = V + P."""
        return len(self.token_ids) + len(self.pairs)

    @cached_property
    def state(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)

    def check_learned(self) -> None:
        """Refuse tokens and weights that no fit has left so.

        Raises
        ------
        DamagedError
        """
        expect_sorted(self.token_ids, "token_ids of the bag")
        expect_sorted(self.pairs, "pairs of the bag")
        V, ids, pairs = len(self.token_ids), self.token_ids, self.pairs
        expect((ids > UNKNOWN).all(), f"token_ids of the bag above {UNKNOWN}", ids)
        expect(((pairs >= 0) & (pairs < V * V)).all(), f"pairs of {V} tokens", pairs)
        expect_numbers(self.idf, "idf", (self.n_columns,), least=0)

    def matrix(self, sequences: Sequences) -> Any:
        """Return a sparse row (D,) of length 1 for each text; 0 for one of which none is known."""
        blocks = [self.weigh(block).matrix for block in _blocks_of(sequences)]
        return blocks[0] if len(blocks) == 1 else sparse.vstack(blocks, "csr")

    def weigh(self, sequences: Sequences) -> Weighed:
        """Return the same, and which occurrences the numbers are made of."""
        found = self._occurrences(sequences)
        n, D = sequences.n_sequences, self.n_columns
        cells, numbers, counts = np.unique(
            found.texts * D + found.columns, return_inverse=True, return_counts=True
        )
        rows, columns = np.divmod(cells, max(D, 1))
        values = (1 + np.log(counts)) * self.idf[columns]
        lengths = np.sqrt(np.bincount(rows, values**2, minlength=n))
        values /= lengths[rows]
        indptr = np.searchsorted(rows, np.arange(n + 1))
        matrix = sparse.csr_matrix((values, columns, indptr), shape=(n, D))
        return Weighed(matrix, numbers, counts, found)

    def by_token(self, sequences: Sequences, weights: Array) -> Array:
        """Return the share of each token in the product of the matrix with weights, (total, K).

        The occurrences of a token in a text share alike, and so do the two of a pair.

        Parameters
        ----------
        sequences : Sequences
        weights : ndarray of shape (D, K)
        """
        matrix, numbers, counts, found = self.weigh(sequences)
        of_occurrences = (matrix.data / counts)[numbers, None] * weights[found.columns]
        total: Array = np.zeros((len(sequences.values), weights.shape[1]))
        is_pair = found.columns >= len(self.token_ids)
        np.add.at(total, found.places[~is_pair], of_occurrences[~is_pair])
        for step in (0, 1):
            np.add.at(total, found.places[is_pair] + step, of_occurrences[is_pair] / 2)
        return total

    def _occurrences(self, sequences: Sequences) -> Occurrences:
        """Return the places of the tokens, and behind them those of the pairs."""
        rows = _rows_of(sequences.values, self.token_ids)
        tokens = np.flatnonzero(rows >= 0)
        keys, first = _pairs_of(sequences, self.token_ids)
        of_keys = _rows_of(keys, self.pairs)
        known = of_keys >= 0
        places = np.concatenate([tokens, first[known]])
        columns = np.concatenate([rows[tokens], len(self.token_ids) + of_keys[known]])
        return Occurrences(_text_of_token(sequences)[places], columns, places)


def _blocks_of(sequences: Sequences) -> Iterator[Sequences]:
    """Yield successive texts that may be weighed at once; at least one block."""
    offsets, first, n = sequences.offsets, 0, sequences.n_sequences
    while True:
        last = int(np.searchsorted(offsets, offsets[first] + _MOST_AT_ONCE, side="right")) - 1
        last = min(max(last, first + 1), n)
        values = sequences.values[offsets[first] : offsets[last]]
        yield Sequences(values, offsets[first : last + 1] - offsets[first])
        if last == n:
            return
        first = last


def _text_of_token(sequences: Sequences) -> Indices:
    return np.repeat(np.arange(sequences.n_sequences), sequences.lengths)


def _pairs_of(
    sequences: Sequences, token_ids: NDArray[np.integer]
) -> tuple[NDArray[np.int64], Indices]:
    """Return the keys of all pairs of neighbours that are known tokens, and where they begin."""
    rows = _rows_of(sequences.values, token_ids)
    has_next = np.ones(len(rows), bool)
    has_next[sequences.offsets[1:][sequences.lengths > 0] - 1] = False
    first = np.flatnonzero(has_next & (rows >= 0))
    first = first[rows[first + 1] >= 0]
    return rows[first] * len(token_ids) + rows[first + 1], first


def _rows_of(values: NDArray[np.integer], known: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the position of each value among the sorted `known` ones, -1 for others."""
    if not len(known):
        return np.full(len(values), -1, np.int64)
    rows = np.searchsorted(known, values).clip(max=len(known) - 1).astype(np.int64)
    rows[known[rows] != values] = -1
    return rows


def _n_texts(texts: Indices, columns: Indices, n_columns: int, weights: Array) -> Array:
    """Return in how many texts each column occurs, a text of weight two counted as two."""
    cells = np.unique(texts * max(n_columns, 1) + columns)
    rows, columns = np.divmod(cells, max(n_columns, 1))
    of_texts = weights[rows].astype(np.float64)
    df: Array = np.bincount(columns, of_texts, minlength=n_columns).astype(np.float64)
    return df
