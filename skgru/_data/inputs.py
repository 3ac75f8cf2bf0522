"""The contracts of a network's inputs, from X to its batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skgru._data.arrays import as_array
from skgru._data.forms import Opened
from skgru._data.parsing import Parsed, check_features
from skgru._data.sequences import Sequences
from skgru._data.steps import StepsOfSamples
from skgru._nn.batch import Indices
from skgru._settings import Settings
from skgru._spec import AnyEncoderSpec, EncoderSpec, InputSpec

_T = TypeVar("_T")


def as_values(baseline: Any) -> NDArray[Any]:
    """Return a baseline, a number or an array-like, as an array."""
    return np.asarray(baseline if np.ndim(baseline) == 0 else as_array(baseline))


class Origins(NamedTuple):
    """Where the numbers that a network reads come from: the values of X, sample by sample.

    Attributes
    ----------
    steps : StepsOfSamples
        In the layout of `Input.steps_of`: 1 + the place of each number's value among all values of
        X; 0 where there is none. What is no value, a mask or a time, has any number.
    bounds : ndarray of shape (n + 1,)
        Where the values of each sample start.
    """

    steps: StepsOfSamples
    bounds: Indices


class Line(NamedTuple):
    """Two readings of the same samples, between which the network's inputs lie on a line."""

    start: StepsOfSamples
    end: StepsOfSamples


def known(learned: _T | None) -> _T:
    """Return a field of an input, which is None until it has learned."""
    assert learned is not None
    return learned


@dataclass(frozen=True, eq=False)
class Reader(ABC):
    """What a branch of the network reads of parsed sequences."""

    kind: ClassVar[str]
    not_kept: ClassVar[tuple[str, ...]] = ()  # fields of no use once it has learned
    encoder_type: ClassVar[type[AnyEncoderSpec]] = EncoderSpec  # of the layers above it

    # --- The network's inputs --------------------------------------------------------------------

    @property
    @abstractmethod
    def spec(self) -> InputSpec:
        """The network's inputs, once it has learned from training data."""

    @abstractmethod
    def steps_of(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> StepsOfSamples:
        """Return the steps of sequences as the network reads them.

        Parameters
        ----------
        sequences : Sequences
        dtype : dtype
            Of numbers.
        may_hold : bool
            Whether observed values may be held, for steps that are read many times.
        moves_patches : bool
            Whether each epoch patches the steps elsewhere.
        """

    def start_values(self, drawn: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return parameters of the branch that start elsewhere, by their names.

        Parameters
        ----------
        drawn : mapping of str to ndarray
            All of its parameters by their names, drawn at random.
        """
        return {}

    # --- The values of X behind them -------------------------------------------------------------

    @abstractmethod
    def origins(self, sequences: Sequences) -> Origins:
        """Return where the numbers that the network reads come from."""

    @abstractmethod
    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the samples without what their values tell, and as they are.

        Parameters
        ----------
        sequences : Sequences
        baseline : number, array-like or None
            The values at the start; None = those that tell nothing. What is missing in a sample,
            and its times, are the same at the start.
        dtype : dtype
            Of numbers.

        Raises
        ------
        ValueError, TypeError
            If the baseline does not have the shape of the samples.
        """

    @abstractmethod
    def tangents(self, sequences: Sequences, line: Line, dtype: DTypeLike) -> Line:
        """Return a line whose direction is the derivative of the inputs by the values of X.

        What has no derivative, as tokens, has the direction of `line`, that from the baseline.
        """

    # --- As plain values -------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Its fields, and which kind it is: plain values, which any pickle may hold."""
        names = [field.name for field in fields(self) if field.name not in self.not_kept]
        return {"kind": self.kind} | {name: getattr(self, name) for name in names}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the input of a `state`, without its kind."""
        return cls(**state)

    @abstractmethod
    def check_learned(self) -> None:
        """Refuse learned values that no fit has left so: those of a damaged file.

        Raises
        ------
        DamagedError
        """


class StepReader(ABC):
    """An input whose sequences may come step by step, without their ends."""

    @abstractmethod
    def nothing_carried(self, n_sequences: int) -> tuple[NDArray[Any], ...]:
        """Return what is carried from step to step, of sequences that have not begun, (n, …)."""

    @abstractmethod
    def padding_rows(self, n_sequences: int, patch_size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return the rows of padding in front of sequences, (n, patch_size, …)."""

    @abstractmethod
    def rows_of_step(
        self,
        values: NDArray[Any],
        numbers: Indices,
        before: tuple[NDArray[Any], ...],
        dtype: DTypeLike,
    ) -> tuple[NDArray[Any], tuple[NDArray[Any], ...]]:
        """Return the network's inputs at one step of each of m sequences, and what is carried on.

        Parameters
        ----------
        values : ndarray of shape (m, D), or (m,) for tokens
        numbers : ndarray of shape (m,)
            Of the steps, in their sequences.
        before : tuple of ndarray
            What was carried there.
        dtype : dtype
            Of numbers.
        """


@dataclass(frozen=True, eq=False)
class Input(Reader):
    """An input of the samples: immutable, before and after it has learned from training data.

    It has an X of its own.

    Parameters
    ----------
    estimator_name : str
        Of the estimator in error messages.
    n_columns : int or None
        Columns of the X that was learned from, if it had two dimensions.
    n_features : int or None
        Features of a step of it; None = nothing was learned.
    """

    attribute_names: ClassVar[tuple[str, ...]]  # of the fitted attributes of an estimator

    estimator_name: str = "The estimator"
    n_columns: int | None = None
    n_features: int | None = None

    # --- X ---------------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def takes(cls, opened: Any, settings: Settings) -> bool:
        """Return whether X is read as this kind, unless a later one of the table takes it."""

    @classmethod
    @abstractmethod
    def of(cls, opened: Any, settings: Settings) -> Input:
        """Return the input that the parameters ask for, given the X that it will learn from."""

    @abstractmethod
    def parse(self, opened: Any) -> Parsed:
        """Return X as sequences; refuse other features than those that were learned from."""

    def _check_features(self, opened: Opened, parsed: Parsed) -> None:
        if self.n_features is None:
            return
        values = parsed.sequences.values
        n_features = 1 if values.ndim == 1 else values.shape[1]
        check_features(
            (parsed.n_columns, n_features if len(values) else None),
            (self.n_columns, self.n_features),
            is_list=opened.is_list,
            estimator_name=self.estimator_name,
        )

    @abstractmethod
    def meet(self, parsed: Parsed) -> Input:
        """Return the input with the features of the X that it will learn from."""

    def expecting_more(self, opened: Any) -> Input:
        """Return the input for a training that further calls go on with, given the first X."""
        return self

    def warn_of_lags(self, opened: Opened, y: NDArray[Any] | None) -> None:
        """Warn of an X whose columns are lags, if they are not read as such.

        Parameters
        ----------
        opened : Opened
        y : ndarray of shape (n,) or (n, n_targets), or None
            Targets of the samples, if each has one.
        """

    @property
    def n_features_in(self) -> int:
        """The columns of X, or if it has none, the features of a step."""
        return known(self.n_features) if self.n_columns is None else self.n_columns

    # --- Learning --------------------------------------------------------------------------------

    @abstractmethod
    def learn(self, sequences: Sequences, weights: NDArray[Any], encoder: Any) -> Input:
        """Return the input that has learned from training data, for the branch's encoder.

        Parameters
        ----------
        sequences : Sequences
        weights : ndarray of shape (n,)
        encoder : EncoderSpec or FeedForwardSpec
        """

    @abstractmethod
    def differs(self, settings: Settings) -> tuple[str, Any, Any] | None:
        """Return the parameter that now asks for another input: its name, value then, and now."""

    def with_settings(self, settings: Settings) -> Input:
        """Return the input with the parameters that a later fit may change."""
        return self

    def count_tokens(self, sequences: Sequences) -> int | None:
        """Return how many different tokens sequences hold; None = numbers."""
        return None

    def missing_share(self, sequences: Sequences) -> float:
        """Return the share of the numbers of sequences that are missing."""
        return 0.0

    @property
    def is_frozen(self) -> bool:
        """Whether tokens have vectors that stay as they are."""
        return False

    @property
    def says_features(self) -> bool:
        """Whether X itself says how many features a step has."""
        return False

    @property
    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """The learned values, as fitted attributes of an estimator."""

    @property
    @abstractmethod
    def embedding_dim(self) -> Any:
        """The dimensions of the embedding; None = numbers. Of a table, a dict of its columns."""
