"""Inputs of token ids: parsed, and as rows of an embedding."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.utils import check_array

from skgru._compat import InvalidParameterError
from skgru._data.forms import Opened
from skgru._data.ids import UNKNOWN, embedding_rows, known_tokens
from skgru._data.inputs import Input, Line, Origins, StepReader, as_values, known
from skgru._data.parsing import Parsed, parse_nothing, parse_tokens
from skgru._data.sequences import Sequences
from skgru._data.steps import Steps
from skgru._data.word_vectors import SOURCES, find_vectors, has_words, is_source
from skgru._nn.batch import Indices
from skgru._nn.layers import EMBEDDING_BOUND
from skgru._saved import expect, expect_array, expect_size, expect_sorted
from skgru._settings import Settings
from skgru._spec import EncoderSpec, InputSpec
from skgru._warnings import warn

# Of an embedding of which nothing else is said.
EMBEDDING_DIM = 128
# A larger share of words without vectors is not meant.
_FEW = 0.5


@dataclass(frozen=True, eq=False)
class TokenInput(Input, StepReader):
    """An input of sequences of token ids.

    Parameters
    ----------
    embedding_dim : int, default=128
    freeze_embedding : bool, default=False
    matrix : ndarray of shape (V + 1, D) or None, default=None
        A vector for each id, of which that of 0 is not read; None = they are drawn.
    words : Words or None, default=None
        Word vectors, and the words that ids stand for, of which `learn` makes a matrix.
    token_ids : ndarray of shape (V,), learned
        The ids that have a row of the embedding, in the order of the rows.
    has_vector : ndarray of shape (V,) or None, learned
        Which of them have a row of the matrix, the others being drawn; None = all, or none.
    patch_size : int
        Of the network.
    further_ids : ndarray of shape (n,) or None, default=None
        Ids that have a row of the embedding too, whether X holds them or not.
    """

    embedding_dim: int = EMBEDDING_DIM
    freeze_embedding: bool = False
    matrix: NDArray[Any] | None = None
    words: Words | None = None
    token_ids: NDArray[np.integer] | None = None
    has_vector: NDArray[np.bool_] | None = None
    patch_size: int = 1
    further_ids: NDArray[np.integer] | None = None

    kind = "tokens"
    attribute_names = ("token_ids_", "has_vector_")
    not_kept = ("matrix", "words", "further_ids")

    # --- X ---------------------------------------------------------------------------------------

    @classmethod
    def takes(cls, opened: Opened, settings: Settings) -> bool:
        """Return whether X is marked as token ids, or the parameters ask for an embedding."""
        check_embedding(settings)
        if settings.is_auto("embedding_dim"):
            return settings.embedding_matrix is not None or opened.is_marked
        return settings.embedding_dim is not None

    @classmethod
    def of(cls, opened: Opened, settings: Settings) -> TokenInput:
        """Return the input that the parameters ask for, given the X that it will learn from."""
        if settings.get("time_feature") is not None:
            raise ValueError(
                "Token sequences have no time stamps: expected time_feature=None, or for numeric "
                f"input embedding_dim=None, got time_feature={settings.time_feature!r}."
            )
        if settings.get("pooling", "last") is None and opened.is_marked and opened.is_rectangle:
            raise ValueError(
                "With pooling=None each token has a prediction, but SequenceVectorizer with "
                "max_length cuts documents: expected max_length=None, which keeps all tokens."
            )
        embedding_dim = _wanted_dim(settings, EMBEDDING_DIM)
        assert embedding_dim is not None  # else X is parsed as numbers
        return cls(
            settings.estimator_name,
            embedding_dim=embedding_dim,
            freeze_embedding=settings.freeze_embedding,
            matrix=embedding_matrix_of(settings),
            words=_words_of(opened, settings),
        )

    def parse(self, opened: Opened) -> Parsed:
        """Return X as sequences; refuse other features than those that were learned from."""
        if opened.is_absent:
            return parse_nothing(opened.n_samples, np.empty(0, np.int64))
        parsed = parse_tokens(opened)
        self._check_features(opened, parsed)
        return parsed

    def meet(self, parsed: Parsed) -> TokenInput:
        """Return the input with the features of the X that it will learn from."""
        return replace(self, n_columns=parsed.n_columns, n_features=1)

    def expecting_more(self, opened: Opened) -> TokenInput:
        """Return the input that has a row for each word that X could hold, not only for its own."""
        ids = [id_ for vocabulary in opened.vocabularies for id_ in vocabulary.values()]
        return replace(self, further_ids=np.array(ids, np.int64))

    # --- Learning --------------------------------------------------------------------------------

    def learn(
        self, sequences: Sequences, weights: NDArray[Any], encoder: EncoderSpec
    ) -> TokenInput:
        """Return the input that knows the tokens; see `Input.learn`.

        Raises
        ------
        ValueError
            If a given matrix has no row for one of the tokens.
        """
        tokens = sequences.values
        learned = replace(self, patch_size=encoder.patch_size)
        if self.words is not None:
            return learned._with_vectors(self.words, sequences)
        if self.matrix is None:
            return replace(learned, token_ids=self._known(tokens))
        n_rows = len(self.matrix)
        if len(tokens) and tokens.max() >= n_rows:
            raise ValueError(
                f"embedding_matrix has {n_rows} rows, expected one for each token id, "
                f"but X holds the id {tokens.max()}."
            )
        return replace(learned, token_ids=np.arange(1, n_rows))

    def _known(self, tokens: NDArray[np.integer]) -> NDArray[np.integer]:
        """Return the ids that are known after these tokens."""
        ids = known_tokens(tokens).astype(np.int64)
        return ids if self.further_ids is None else np.union1d(ids, self.further_ids)

    def _with_vectors(self, words: Words, sequences: Sequences) -> TokenInput:
        """Return the input that knows the tokens of sequences, and all words that have a vector."""
        vocabulary = words.vocabulary
        found = find_vectors(words.vectors, vocabulary, "embedding_matrix")
        vectors = np.stack(list(found.values()))
        if words.n_dimensions not in (None, vectors.shape[1]):
            raise ValueError(
                f"embedding_matrix has vectors of {vectors.shape[1]} dimensions, expected "
                f"embedding_dim={words.n_dimensions}."
            )
        found_ids = np.array([vocabulary[word] for word in found])
        token_ids = np.union1d(self._known(sequences.values), found_ids)
        rows = np.searchsorted(token_ids, found_ids)
        matrix = np.zeros((1 + len(token_ids), vectors.shape[1]), np.float32)
        matrix[1 + rows] = vectors
        has_vector = np.zeros(len(token_ids), bool)
        has_vector[rows] = True
        _warn_of_few(words, found, sequences)
        return replace(
            self,
            embedding_dim=vectors.shape[1],
            matrix=matrix,
            words=None,
            token_ids=token_ids,
            has_vector=has_vector,
        )

    def check_learned(self) -> None:
        """Refuse tokens that no fit has left so; see `Reader.check_learned`."""
        expect_size(self.embedding_dim, "embedding_dim")
        expect_size(self.patch_size, "patch_size")
        expect_sorted(self.token_ids, "token_ids")
        ids = known(self.token_ids)
        is_first = len(ids) > 0 and ids[0] == UNKNOWN
        expect(is_first, f"token_ids to begin with the unknown token's, {UNKNOWN}", ids)
        if self.has_vector is not None:
            expect_array(self.has_vector, "has_vector", ids.shape, "b")

    def start_values(self, drawn: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the vectors of the given matrix, if there is one; see `Reader.start_values`.

        Those of tokens that have none are drawn as `Embedding` does it, and given the mean and the
        deviation of those that have one.
        """
        if self.matrix is None:
            return {}
        start, name = self.matrix[1:], "embedding.weights"
        if self.has_vector is not None:
            known = start[self.has_vector].astype(np.float64)
            standard = np.sqrt(3) / EMBEDDING_BOUND * drawn[name]  # of mean 0 and deviation 1
            others = known.mean(axis=0) + known.std(axis=0) * standard
            others[0] = 0  # of the unknown token
            start = np.where(self.has_vector[:, None], start, others)
        return {name: start}

    def with_settings(self, settings: Settings) -> TokenInput:
        """Return the input that freezes the embedding or not, as the parameters now say."""
        return replace(self, freeze_embedding=settings.freeze_embedding)

    def count_tokens(self, sequences: Sequences) -> int:
        """Return how many different tokens sequences hold, the unknown one included."""
        return len(known_tokens(sequences.values))

    @property
    def is_frozen(self) -> bool:
        """Whether their vectors stay as they are."""
        return self.freeze_embedding

    def differs(self, settings: Settings) -> tuple[str, Any, Any] | None:
        """Return the parameter that now asks for another input; see `Input.differs`."""
        wanted = _wanted_dim(settings, self.embedding_dim)
        if wanted != self.embedding_dim:
            return "embedding_dim", self.embedding_dim, wanted
        if settings.get("time_feature") is not None:
            return "time_feature", None, settings.time_feature
        return None

    @property
    def attributes(self) -> dict[str, Any]:
        """The tokens that are known, and which of them word vectors had."""
        known = {"token_ids_": self.token_ids}
        return known if self.has_vector is None else known | {"has_vector_": self.has_vector}

    # --- The network's inputs --------------------------------------------------------------------

    @property
    def spec(self) -> InputSpec:
        """The network's inputs: an embedding."""
        return InputSpec(
            self.embedding_dim,
            n_tokens=len(known(self.token_ids)),
            freeze_embedding=self.freeze_embedding,
        )

    def steps_of(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> Steps:
        """Return the steps of sequences as the network reads them; see `Reader.steps_of`."""
        prepare = partial(embedding_rows, known=known(self.token_ids))
        return Steps(sequences, prepare, patch_size=self.patch_size, moves_patches=moves_patches)

    # --- The same step by step -------------------------------------------------------------------

    def nothing_carried(self, n_sequences: int) -> tuple[NDArray[Any], ...]:
        """Return that nothing is carried; see `StepReader`."""
        return ()

    def padding_rows(self, n_sequences: int, patch_size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return the rows of padding; see `StepReader`."""
        return embedding_rows(np.zeros((n_sequences, patch_size), int), known(self.token_ids))

    def rows_of_step(
        self,
        values: NDArray[Any],
        numbers: Indices,
        before: tuple[NDArray[Any], ...],
        dtype: DTypeLike,
    ) -> tuple[NDArray[Any], tuple[NDArray[Any], ...]]:
        """Return the rows of the embedding; see `StepReader`."""
        return embedding_rows(values, known(self.token_ids)), before

    # --- The values of X behind them -------------------------------------------------------------

    def origins(self, sequences: Sequences) -> Origins:
        """Return which token each one is; see `Reader.origins`."""
        places = np.arange(1, len(sequences.values) + 1)
        steps = Steps(sequences._replace(values=places), patch_size=self.patch_size)
        return Origins(steps, sequences.offsets)

    def at_baseline(self, sequences: Sequences, baseline: Any) -> Sequences:
        """Return the tokens of the baseline in place of those of the samples."""
        ids = np.zeros(len(sequences.values), np.int64)
        if baseline is not None:
            ids[...] = _baseline_of(baseline, sequences)
        return sequences._replace(values=ids)

    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the samples from padding, whose vector is 0, on; see `Reader.from_baseline`."""
        others = self.at_baseline(sequences, baseline)

        def side_by_side(tokens: NDArray[Any]) -> NDArray[Any]:  # padding may be among them
            rows = embedding_rows(tokens, known(self.token_ids))
            return rows.reshape(len(tokens), self.patch_size)

        steps = Steps(others, side_by_side, patch_size=self.patch_size)
        return Line(steps, self.steps_of(sequences, dtype))

    def tangents(self, sequences: Sequences, line: Line, dtype: DTypeLike) -> Line:
        """Return the line from the baseline: of tokens there is no derivative."""
        return line


def _baseline_of(baseline: Any, sequences: Sequences) -> NDArray[np.integer]:
    """Return a baseline as an id, or the ids of all tokens, (total tokens,)."""
    lengths = np.unique(sequences.lengths)
    ids = as_values(baseline)
    if ids.dtype.kind not in "iu" or (ids < 0).any():
        raise ValueError(
            f"The baseline of tokens does not fit: expected token ids, or 0, got {baseline!r:.50}."
        )
    if ids.ndim == 0:
        return ids
    if len(lengths) == 1 and ids.shape == (lengths[0],):
        return np.tile(ids, sequences.n_sequences)
    low, high = lengths.min(), lengths.max()
    raise ValueError(
        "The baseline of tokens does not fit: expected a token id, or one for each token, if all "
        f"samples have as many (these have {low} to {high}), got shape {ids.shape}."
    )


def _wanted_dim(settings: Settings, otherwise: int) -> int | None:
    """Return the dimensions of the embedding that the parameters ask for."""
    matrix = embedding_matrix_of(settings)
    if matrix is not None:
        return int(matrix.shape[1])
    wanted: int | None = (
        settings.embedding_dim if not settings.is_auto("embedding_dim") else otherwise
    )
    return wanted


def embedding_matrix_of(settings: Settings) -> NDArray[Any] | None:
    """Return `embedding_matrix` as an array of a row per id; None if it is word vectors, or None.

    Raises
    ------
    ValueError
        If it is no matrix.
    """
    given = settings.embedding_matrix
    if given is None or has_words(given):
        return None
    matrix: NDArray[Any] = check_array(given, input_name="embedding_matrix", ensure_min_samples=2)
    return matrix


def check_embedding(settings: Settings) -> None:
    """Refuse an `embedding_matrix` that is none, or does not go with `embedding_dim`."""
    given = settings.embedding_matrix
    if given is None:
        return
    if has_words(given) and not is_source(given):
        raise InvalidParameterError(
            f"The 'embedding_matrix' parameter of {settings.estimator_name} must be an array-like, "
            f"None or word vectors: {SOURCES}. Got {given!r:.50} instead."
        )
    matrix = embedding_matrix_of(settings)
    if settings.embedding_dim is None:
        raise ValueError(
            "embedding_matrix embeds token ids, but embedding_dim=None has X read as numbers: "
            "expected embedding_dim='auto'."
        )
    if matrix is not None and settings.embedding_dim not in ("auto", matrix.shape[1]):
        raise ValueError(
            f"embedding_matrix of shape {matrix.shape} does not fit "
            f"embedding_dim={settings.embedding_dim}, expected {settings.embedding_dim} columns."
        )


# --- Word vectors ---------------------------------------------------------------------------------


class Words(NamedTuple):
    """Word vectors, and the words that need some.

    Attributes
    ----------
    vectors : object
        Any source of `find_vectors`.
    vocabulary : mapping of str to int
        Words and their ids.
    n_dimensions : int or None
        Of the vectors; None = any.
    """

    vectors: Any
    vocabulary: Mapping[str, int]
    n_dimensions: int | None


def _words_of(opened: Opened, settings: Settings) -> Words | None:
    """Return the word vectors that the parameters give, and the words of X; None without them."""
    vectors = settings.embedding_matrix
    if vectors is None or not has_words(vectors):
        return None
    if not opened.vocabularies:
        raise ValueError(
            "embedding_matrix has vectors of words, but X does not say which words its token ids "
            "stand for: expected what SequenceVectorizer returns, as it is, or as embedding_matrix "
            "a matrix by ids, which its embedding_matrix(vectors) returns."
        )
    vocabulary, *others = opened.vocabularies
    if any(other != vocabulary for other in others):
        raise ValueError(
            "X holds token ids of several vocabularies, in which an id stands for different words: "
            "expected the output of one SequenceVectorizer."
        )
    dim = settings.embedding_dim
    return Words(vectors, vocabulary, None if settings.is_auto("embedding_dim") else dim)


def _warn_of_few(words: Words, found: Collection[str], sequences: Sequences) -> None:
    """Warn if most words of the sequences have no vector; n-grams are not expected to have one."""
    single = {word: id_ for word, id_ in words.vocabulary.items() if " " not in word}
    ids, counts = np.unique(sequences.values, return_counts=True)
    n_seen = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    n_all = sum(n_seen.get(id_, 0) for id_ in single.values())
    lacking = [word for word in single if word not in found]
    n_lacking = sum(n_seen.get(single[word], 0) for word in lacking)
    if n_lacking > _FEW * n_all:
        named = ", ".join(f"{word!r:.50}" for word in lacking[:3])
        warn(
            f"embedding_matrix has vectors of {len(single) - len(lacking)} of the {len(single)} "
            f"words of the vocabulary, which are {1 - n_lacking / n_all:.0%} of the words of X; "
            f"none of {named}. They are drawn at random: are the vectors those of the language of "
            "the texts, and are these split into words in the same way?"
        )
