"""The contract of losses, each with all that depends on it: targets, predictions, the score.

Raw outputs are those of the network's head before the activation: (B, K), or (B, K · P) where a
loss wants P numbers for each of the K targets, those of a target side by side. A loss gives the
loss of each sample, (B,), and its derivative with respect to the raw outputs.

A loss also knows its y: which y it takes (`check`), what it learns of it (`learn`, `bind`), how it
is encoded (`encode`), the prediction (`predict`) and the score.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from skgru._data.arrays import NameOf
from skgru._nn.batch import Array, Indices, Values
from skgru._settings import Settings


class Encoded(NamedTuple):
    """Targets as a loss wants them.

    Attributes
    ----------
    targets : ndarray of shape (n, K), or (n,) for indices of classes
    factors : ndarray of shape (n,)
        Further factors of the loss: the class weights.
    """

    targets: Values
    factors: Array


@dataclass(frozen=True, eq=False)
class Loss(ABC):
    """A loss: immutable, before and after it has learned from y."""

    name: ClassVar[str]
    out_activation: ClassVar[str]
    has_classes: ClassVar[bool] = False
    parameters: ClassVar[tuple[str, ...]] = ()  # those of the estimators that it has
    of_fit: ClassVar[tuple[str, ...]] = ()  # of these, those that a later fit may change
    learns: ClassVar[tuple[str, ...]]  # the fields that `bind` sets

    # --- The loss itself -------------------------------------------------------------------------

    @property
    def n_raw(self) -> int:
        """P, the raw outputs for each target."""
        return 1

    @property
    def lowest(self) -> float:
        """The mean loss of the training samples without any error: none is below it."""
        return 0.0

    @abstractmethod
    def activate(self, raw: Array) -> Array:
        """Return the estimates, (B, K), or (B, K, P) where several numbers make one."""

    @abstractmethod
    def loss_and_gradient(self, raw: Array, y: Any) -> tuple[Array, Array]:
        """Return each sample's loss (B,) and its derivative (B, K · P), given encoded targets."""

    @property
    def plain(self) -> Loss:
        """The loss of the targets as they are, if this one is that of others made of them."""
        return self

    # --- Its targets -----------------------------------------------------------------------------

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """K, once it has learned from y."""

    @property
    def has_chain(self) -> bool:
        """Whether the targets of a sequence's steps make a chain."""
        return False

    @property
    def is_strict(self) -> bool:
        """Whether what a chain has not seen in training is forbidden."""
        return False

    @property
    def options(self) -> dict[str, Any]:
        """Its parameters that no later fit may change."""
        return {name: getattr(self, name) for name in self.parameters if name not in self.of_fit}

    @property
    def learned(self) -> dict[str, Any]:
        """The values learned from y, as `bind` takes them."""
        return {name: getattr(self, name) for name in self.learns}

    @property
    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """The values learned from y, as fitted attributes of an estimator."""

    @abstractmethod
    def check(self, y: Any, where: NameOf) -> Values:
        """Return y as an array of one or two dimensions; refuse a y that the loss does not take.

        Parameters
        ----------
        y : array-like or sparse matrix
        where : callable
            Returns the name of a target in errors, given its index in y.
        """

    @abstractmethod
    def learn(self, y: Values, weights: Array, classes: Any = None) -> dict[str, Any]:
        """Return the values learned from y, as `bind` takes them.

        Parameters
        ----------
        y : ndarray
            As `check` returns it.
        weights : ndarray of shape (n,)
        classes : array-like, default=None
            All classes that there may be; None = those of y.
        """

    def bind(self, learned: Mapping[str, Any]) -> Loss:
        """Return the loss with the values learned from y."""
        return replace(self, **learned)

    @abstractmethod
    def check_learned(self) -> None:
        """Refuse learned values that no fit has left so: those of a damaged file.

        Raises
        ------
        DamagedError
        """

    def smoothed(self, label_smoothing: float, targets: Values, weights: Array) -> Loss:
        """Return the loss of targets that are moved towards their mean; of numbers, itself.

        Parameters
        ----------
        label_smoothing : float
            How far.
        targets : ndarray of shape (n,) or (n, K)
            Encoded.
        weights : ndarray of shape (n,)
        """
        return self

    @abstractmethod
    def encode(self, y: Values, weights: Array) -> Encoded:
        """Return y as targets, and the factors of the samples' losses."""

    @abstractmethod
    def linear_targets(self, targets: Values) -> Array:
        """Return the raw outputs (n, K · P) that a linear model is fitted to by least squares."""

    def strata(self, targets: Values) -> Values | None:
        """Return the groups, (n,), that a validation split keeps the shares of, or None."""
        return None

    # --- One of its outputs, to be explained ------------------------------------------------------

    @abstractmethod
    def choose(self, raw: Array, target: Any) -> Indices:
        """Return the index of the output that is meant, for each row of raw outputs, (B,).

        Parameters
        ----------
        raw : ndarray of shape (B, K · P)
        target : object
            The output, as the user says it; None = the one that there is, or that is predicted.

        Raises
        ------
        ValueError
            If there is none, or None is not enough to say which.
        """

    @abstractmethod
    def output(self, raw: Array, index: Indices) -> tuple[Array, Array]:
        """Return the outputs of some indices, (B,), and their derivative (B, K · P).

        Those of numbers are in the unit of y, those of classes the raw outputs.
        """

    @abstractmethod
    def unit(self, index: Indices) -> Array:
        """Return what counts as much in these outputs, (B,): the scale of y, or 1."""

    # --- Predictions and their score -------------------------------------------------------------

    @abstractmethod
    def predict(self, raw: Array, dtype: Any) -> Values:
        """Return the predictions, in the unit of y, of raw outputs (B, K · P).

        `dtype` is the type of the network's parameters; raw outputs are float64.
        """

    def decide(self, raw: Array) -> Values:
        """Return the decision for each row of raw outputs, as `score` takes it.

        It is finite where the raw outputs are.
        """
        return raw

    @abstractmethod
    def score(self, decisions: Values, targets: Values, weights: Array | None) -> float:
        """Return the score of all decisions, given the encoded targets."""


def make_loss(kind: type[Loss], settings: Settings) -> Loss:
    """Return the loss of the parameters, which has not learned from y.

    Raises
    ------
    ValueError
        If a parameter is not one of the loss's, with a hint at the value that was meant.
    """
    try:
        return kind(**settings.chosen(kind.parameters))
    except ValueError as error:
        hints = "".join(map(settings.hint_at, kind.parameters))
        raise ValueError(f"{error}{hints}") from None
