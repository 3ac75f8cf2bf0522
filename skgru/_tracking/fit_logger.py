"""The fits of networks, also inside of others, as they are told to a tracker."""

from __future__ import annotations

import math
import re
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from skgru._base import BaseNetwork
from skgru._callbacks import is_interrupted, numbers_of
from skgru._settings import plain
from skgru._tracking.tasks import fit_of, names_of_tasks, require_callbacks
from skgru._types import AnyEstimator

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"

# A value of more characters is cut: no server of MLflow's takes less.
_LONGEST = 500

# A pipeline and the network in it are one fit.
_TRANSPARENT = ("Pipeline",)


@dataclass
class Fit:
    """A fit that goes on.

    Attributes
    ----------
    place : object
        Where the tracker has it; it can be pickled.
    task : list of str
        The names of the tasks down to it.
    start : float
        In seconds.
    status : str
        That it has when it ends now.
    """

    place: Any
    task: list[str]
    start: float
    status: str = FAILED


class FitLogger(ABC):
    """Base of the callbacks that log fits.

    scikit-learn hands it on to the estimators inside of the one that it was set on. The outermost
    fit has a place of its own in the tracker; so has each fit of a search or a forecaster, below
    the one that it is part of. In processes there are copies, which know of the fits around.
    """

    # Of scikit-learn's protocol: to estimators inside of others at any depth.
    max_propagation_depth = None

    def __init__(self) -> None:
        require_callbacks(type(self).__name__)
        self._fits: dict[Any, Fit] = {}

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_fits": dict(self._fits)}

    # --- Given by a subclass: the tracker --------------------------------------------------------

    @abstractmethod
    def _open(self, title, parameters, goes_on):
        """Return the place of an outermost fit.

        Parameters
        ----------
        title : str
        parameters : dict
        goes_on : bool
            Whether it goes on with the training of an earlier fit.
        """

    @abstractmethod
    def _open_below(self, place, tasks, parameters):
        """Return the place of a fit that is part of another one, given its tasks' names there."""

    @abstractmethod
    def _log(self, place, step, numbers):
        """Log numbers by their names; `step` is the epoch they are of, or else the last one."""

    @abstractmethod
    def _close(self, place, status):
        """End what was opened."""

    def _close_below(self, place, status):  # noqa: B027 (nothing is open where files are)
        """End what has been opened below by processes that failed."""

    # --- The protocol of scikit-learn ------------------------------------------------------------

    def setup(self, estimator: AnyEstimator, context: Any) -> None:
        """Begin the outermost fit.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """
        goes_on = isinstance(estimator, BaseNetwork) and estimator.__sklearn_is_fitted__()
        goes_on = goes_on and (context.task_name == "partial_fit" or estimator.warm_start)
        place = self._open(type(estimator).__name__, parameters_of(estimator), goes_on)
        self._fits[_key(context)] = Fit(place, names_of_tasks(context), time.time())

    def on_fit_task_begin(self, estimator: AnyEstimator, context: Any) -> None:
        """Begin a fit that is part of another one.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """
        key = _key(context)
        if key not in self._fits:
            around = key[:-1]
            while around not in self._fits:
                around = around[:-1]
            tasks = key[len(around) :]
            place = self._open_below(self._fits[around].place, tasks, parameters_of(estimator))
            self._fits[key] = Fit(place, names_of_tasks(fit_of(context)), time.time())

    def on_fit_task_end(self, estimator: AnyEstimator, context: Any) -> None:
        """Log an epoch, or the end of a fit.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """
        key = _key(context)
        fit = self._fits[key]
        if numbers_of(context):
            step, numbers = numbers_of(context)
            self._log(fit.place, step, {k: v for k, v in numbers.items() if v is not None})
        elif fit_of(context) is context:
            if is_interrupted(context):
                fit.status = KILLED
            self._log(fit.place, None, _results_of(estimator))
            if names_of_tasks(context) == fit.task:
                self._log(fit.place, None, {"fit_seconds": time.time() - fit.start})
                if fit.status != KILLED:
                    fit.status = FINISHED
                if context.parent is not None:
                    self._close(self._fits.pop(key).place, fit.status)

    def teardown(self, estimator: AnyEstimator, context: Any) -> None:
        """End the outermost fit, by whatever it ended.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """
        key = _key(context)
        fit = self._fits.pop(key, None)
        if fit is None:  # `setup` has failed
            return
        # An error that is being handled where `fit` is called does not matter: the fit is finished.
        if fit.status == FAILED and isinstance(sys.exception(), KeyboardInterrupt):
            fit.status = KILLED
        # Parts that are still open have failed, also where a search has gone on without them.
        of_parts = KILLED if fit.status == KILLED else FAILED
        for part in sorted((k for k in [*self._fits] if k[0] == key[0]), key=len, reverse=True):
            self._close(self._fits.pop(part).place, of_parts)
        if not isinstance(estimator, BaseNetwork):
            self._close_below(fit.place, of_parts)
        self._close(fit.place, fit.status)


def _key(context):
    """Return what identifies a fit, and those around it as its beginnings."""
    names = names_of_tasks(fit_of(context), without=_TRANSPARENT)
    return (context.root_uuid, *names)


def _results_of(estimator):
    """Return what a fitted network or search has come to."""
    names = ["best_score_"]
    if isinstance(estimator, BaseNetwork):
        names = ["n_iter_", "best_loss_", "best_validation_score_"]
    values = {name.rstrip("_"): getattr(estimator, name, None) for name in names}
    return {name: float(value) for name, value in values.items() if value is not None}


def parameters_of(estimator):
    """Return the parameters of an estimator, and of those inside of it, for people to read.

    Finite numbers and truth values are themselves, all else is text. Of an estimator it is the name
    of the class, as its parameters follow by themselves.
    """
    return {name: _said(value) for name, value in estimator.get_params(deep=True).items()}


def _said(value):
    value = plain(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = type(value).__name__ if hasattr(value, "get_params") else str(value)
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
