"""The values that a fit begins with, and those that its calls hand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.random import RandomState

from skgru._data.forms import Opened
from skgru._data.inputs import Input
from skgru._data.training_set import TrainingSet
from skgru._defaults import (
    DataShape,
    Plan,
)
from skgru._engine.loss import Loss
from skgru._engine.model import Model
from skgru._engine.observers import History, Observer
from skgru._engine.solvers import OptimizerStates, Progress, Solution
from skgru._nn.batch import Array, Indices
from skgru._nn.dropout import FusionRates
from skgru._settings import Settings
from skgru._spec import FusionSpec

Map = Callable[..., Any]


class Given(NamedTuple):
    """Samples as they were given.

    Attributes
    ----------
    inputs : dict of Opened
        By the names of the branches.
    y, sample_weight : object
    rows : ndarray or None, default=None
        Which of the user's samples they are; None = all.
    groups : object, default=None
        Those of a group are not parted where some are held out.
    """

    inputs: dict[str, Opened]
    y: Any
    sample_weight: Any
    rows: Indices | None = None
    groups: Any = None


class Request(NamedTuple):
    """The request of a fit.

    Attributes
    ----------
    settings : Settings
        Of the training.
    branches : dict of Settings
        Of each branch, by its name.
    fusion : FusionSpec
    fusion_dropout : FusionRates
        Its `hidden` may be None, for the largest dropout of the branches.
    loss : Loss
        Before it has learned from y.
    training : Given
    validation : Given or None
    before : Model or None
        The model to go on with.
    history : History
        Of the calls before.
    optimizer_states : dict
        Of the calls before, by the name of the solver.
    rng : RandomState
    incremental : bool
        Whether to train one epoch of more to come.
    classes : array-like or None
        All classes that there may be.
    has_held_out : bool, default=False
        Whether the validation set was held out of the samples.
    observers : tuple of Observer, default=()
        Of the training, from outside.
    scorer : callable or None, default=None
        Returns the validation score, given the `Fitted` of now and the user's samples that are
        validated on, None = those of `validation`; None = the score of the loss, see `scoring`.
    progress : Progress or None, default=None
        Of the training to go on with.
    at_split : dict or None, default=None
        The state of `rng` before samples were held out; set by `fit` where that does it.
    identity : callable or None, default=None
        Returns what a training is recognized by when it is to go on; set by `fit`.
    """

    settings: Settings
    branches: dict[str, Settings]
    fusion: FusionSpec
    fusion_dropout: FusionRates
    loss: Loss
    training: Given
    validation: Given | None
    before: Model | None
    history: History
    optimizer_states: OptimizerStates
    rng: RandomState
    incremental: bool
    classes: Any
    has_held_out: bool = False
    observers: tuple[Observer, ...] = ()
    scorer: Callable[[Fitted, Indices | None], float] | None = None
    progress: Progress | None = None
    at_split: dict[str, Any] | None = None
    identity: Callable[[], Progress] | None = None


class Data(NamedTuple):
    """The result of `read`: samples, and the inputs and the loss that know them.

    Attributes
    ----------
    inputs : dict of Input
        By the names of the branches: they know the features.
    loss : Loss
        Bound to its targets.
    training : TrainingSet
    validation : TrainingSet or None
    shapes : dict of DataShape
        Of the training set, by the names of the branches.
    """

    inputs: dict[str, Input]
    loss: Loss
    training: TrainingSet
    validation: TrainingSet | None
    shapes: dict[str, DataShape]


class Planned(NamedTuple):
    """The decisions of `make_plan`.

    Attributes
    ----------
    plan : Plan
    training : TrainingSet
    validation : TrainingSet or None
        Given, or held out of the samples to train on.
    """

    plan: Plan
    training: TrainingSet
    validation: TrainingSet | None


class Trained(NamedTuple):
    """The result of `train`.

    Attributes
    ----------
    theta : ndarray
    history : History
    solution : Solution
    """

    theta: Array
    history: History
    solution: Solution


class Fitted(NamedTuple):
    """The result of a fit.

    Attributes
    ----------
    model : Model
    history : History
    outcome : {"converged", "max_iter", "stopped", "interrupted", "diverged"}
    optimizer_states : dict
        To go on from, by the name of the solver.
    auto_params : dict
        The values that "auto" stands for, by the names of the parameters.
    validates : bool
        Whether the validation score, rather than the loss, has ended the training.
    progress : Progress or None
        Of a training that has epochs to come.
    """

    model: Model
    history: History
    outcome: str
    optimizer_states: OptimizerStates
    auto_params: dict[str, Any]
    validates: bool
    progress: Progress | None
