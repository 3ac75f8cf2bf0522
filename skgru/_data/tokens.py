"""Inputs of token ids: parsed, and as rows of an embedding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.utils import check_array

from skgru._data.forms import Opened
from skgru._data.ids import embedding_rows, known_tokens
from skgru._data.inputs import Input, Line, Origins, as_values, known
from skgru._data.parsing import Parsed, parse_nothing, parse_tokens
from skgru._data.sequences import Sequences
from skgru._data.steps import Steps
from skgru._settings import Settings
from skgru._spec import EncoderSpec, InputSpec

# Of an embedding of which nothing else is said.
EMBEDDING_DIM = 128


@dataclass(frozen=True, eq=False)
class TokenInput(Input):
    """An input of sequences of token ids.

    Parameters
    ----------
    embedding_dim : int, default=128
    freeze_embedding : bool, default=False
    matrix : ndarray of shape (V + 1, D) or None, default=None
        A vector for each id, of which that of 0 is not read; None = they are drawn.
    token_ids : ndarray of shape (V,), learned
        The ids that have a row of the embedding, in the order of the rows.
    patch_size : int
        Of the network.
    """

    embedding_dim: int = EMBEDDING_DIM
    freeze_embedding: bool = False
    matrix: NDArray[Any] | None = None
    token_ids: NDArray[np.integer] | None = None
    patch_size: int = 1

    kind = "tokens"
    attribute_names = ("token_ids_",)
    not_kept = ("matrix",)

    # --- X ---------------------------------------------------------------------------------------

    @classmethod
    def takes(cls, opened: Opened, settings: Settings) -> bool:
        """Return whether X is marked as token ids, or the parameters ask for an embedding."""
        has_matrix = embedding_matrix_of(settings) is not None
        if settings.is_auto("embedding_dim"):
            return has_matrix or opened.is_marked
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
        if self.matrix is None:
            token_ids = known_tokens(tokens)
        else:
            n_rows = len(self.matrix)
            if len(tokens) and tokens.max() >= n_rows:
                raise ValueError(
                    f"embedding_matrix has {n_rows} rows, expected one for each token id, "
                    f"but X holds the id {tokens.max()}."
                )
            token_ids = np.arange(1, n_rows)
        return replace(self, token_ids=token_ids, patch_size=encoder.patch_size)

    @property
    def start_values(self) -> dict[str, NDArray[Any]]:
        """The vectors of the given matrix, if there is one."""
        return {} if self.matrix is None else {"embedding.weights": self.matrix[1:]}

    def with_settings(self, settings: Settings) -> TokenInput:
        """Return the input that freezes the embedding or not, as the parameters now say."""
        return replace(self, freeze_embedding=settings.freeze_embedding)

    def count_tokens(self, sequences: Sequences) -> int:
        """Return how many different tokens sequences hold, the unknown one included."""
        return len(known_tokens(sequences.values))

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
        """The tokens that are known."""
        return {"token_ids_": self.token_ids}

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

    # --- The values of X behind them -------------------------------------------------------------

    def origins(self, sequences: Sequences) -> Origins:
        """Return which token each one is; see `Reader.origins`."""
        places = np.arange(1, len(sequences.values) + 1)
        steps = Steps(sequences._replace(values=places), patch_size=self.patch_size)
        return Origins(steps, sequences.offsets)

    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the samples from padding, whose vector is 0, on; see `Reader.from_baseline`."""
        start = np.zeros_like(sequences.values)
        if baseline is not None:
            start[...] = _baseline_of(baseline, sequences)

        def side_by_side(tokens: NDArray[Any]) -> NDArray[Any]:  # padding may be among them
            rows = embedding_rows(tokens, known(self.token_ids))
            return rows.reshape(len(tokens), self.patch_size)

        others = sequences._replace(values=start)
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
    """Return `embedding_matrix` as an array of a row per id, or None.

    Raises
    ------
    ValueError
        If it is no matrix, or does not go with `embedding_dim`.
    """
    if settings.embedding_matrix is None:
        return None
    matrix: NDArray[Any] = check_array(
        settings.embedding_matrix, input_name="embedding_matrix", ensure_min_samples=2
    )
    if settings.embedding_dim is None:
        raise ValueError(
            "embedding_matrix embeds token ids, but embedding_dim=None has X read as numbers: "
            "expected embedding_dim='auto'."
        )
    if settings.embedding_dim not in ("auto", matrix.shape[1]):
        raise ValueError(
            f"embedding_matrix of shape {matrix.shape} does not fit "
            f"embedding_dim={settings.embedding_dim}, expected {settings.embedding_dim} columns."
        )
    return matrix
