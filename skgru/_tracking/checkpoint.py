"""Checkpoints: the best and the last state of a training as files."""

from __future__ import annotations

import os
from copy import copy
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib
import numpy as np

from skgru._base import BaseNetwork
from skgru._callbacks import is_interrupted
from skgru._tracking.tasks import names_of_tasks, require_callbacks
from skgru._types import AnyEstimator


class Checkpoint:
    """Saves the best and the last state of a training, from which it goes on.

    It is a callback of scikit-learn 1.9: ``model.set_callbacks(Checkpoint("folder"))``. During a
    fit, two files appear in the folder, as whole files always:

    - ``last.joblib``: the estimator after the last epoch, in the midst of its training. Loaded, it
      predicts; and with ``warm_start=True``, the same data and the same parameters `fit` finishes
      the training, bit for bit as if it had never been interrupted. Other data are refused, and
      so are other parameters but `n_jobs` and `verbose`. (With 'lbfgs' `fit` starts a new training
      from the weights.) Once the training has ended, the file holds the fitted estimator; one that
      Ctrl-C has ended can go on.
    - ``best.joblib``: the fitted estimator of the epoch with the best validation score, without a
      validation set with the lowest training loss.

    After calls of `partial_fit`, the next ones go on from ``last.joblib`` in the same way.

    Parameters
    ----------
    folder : str or path-like
        It is made if it does not exist. A fit inside another one, such as of a search, has a folder
        of its own below it, which is named by its task.

    every : int, default=1
        After how many epochs ``last.joblib`` is saved.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9.
    ValueError
        If `every` is no number of epochs.

    Notes
    -----
    Callbacks are not saved: set them anew. As with any pickle, load only files that you trust.

    Examples
    --------
    >>> import joblib, numpy as np
    >>> from skgru import GRUClassifier
    >>> from skgru.callbacks import Checkpoint  # doctest: +SKIP
    >>> X = np.random.default_rng(0).normal(size=(40, 10))
    >>> y = X.sum(axis=1) > 0
    >>> clf = GRUClassifier(8, warm_start=True, random_state=0)
    >>> clf.set_callbacks(Checkpoint("checkpoints")).fit(X, y)  # doctest: +SKIP
    >>> # Was that interrupted? Then elsewhere, later:
    >>> clf = joblib.load("checkpoints/last.joblib").fit(X, y)  # doctest: +SKIP
    """

    def __init__(self, folder: str | PathLike[str], every: int = 1) -> None:
        require_callbacks("Checkpoint")
        if not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every: expected a whole number of epochs, 1 or more, got {every!r}.")
        # Processes that work for this one may have another working directory.
        self.folder: Path = Path(folder).absolute()
        self.every: int = every

    def setup(self, estimator: AnyEstimator, context: Any) -> None:
        """Refuse an estimator that is no network of skgru; make the folder.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """
        if not isinstance(estimator, BaseNetwork):
            raise TypeError(
                "Checkpoint saves the networks of skgru: expected one of its estimators, got "
                f"{type(estimator).__name__}. In a pipeline or a search, set it on the network."
            )
        # Where that cannot be, it is known before the first epoch.
        self.folder.mkdir(parents=True, exist_ok=True)

    def teardown(self, estimator: AnyEstimator, context: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """

    def on_fit_task_begin(self, estimator: AnyEstimator, context: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.
        """

    def on_fit_task_end(
        self, estimator: AnyEstimator, context: Any, *, fitted_estimator: AnyEstimator | None = None
    ) -> None:
        """Save the state after an epoch, and after the whole fit.

        Parameters
        ----------
        estimator, context : object
            As scikit-learn hands them over.

        fitted_estimator : estimator, default=None
            The fitted copy.
        """
        if fitted_estimator is None:  # of a part of an epoch
            return
        if context.task_name != "epoch":  # the whole fit
            if not is_interrupted(context):
                self._save(fitted_estimator, context, "last")
            return
        n = fitted_estimator.n_iter_
        if n % self.every == 0:
            self._save(fitted_estimator, context.parent, "last")
        losses = fitted_estimator.loss_curve_
        scores = fitted_estimator.validation_scores_ or [-loss for loss in losses]
        # As of early stopping: of equal ones the last, and no NaN that a number stands beside.
        best = np.fmax.reduce(scores[-n:])
        if np.isnan(best) or scores[-1] >= best:
            self._save(fitted_estimator._without_progress(), context.parent, "best")

    def _save(self, fitted, context, name):
        """Save a fitted estimator, without what belongs to the fit that goes on."""
        saved = copy(fitted)
        for key in [key for key in vars(saved) if "callback" in key]:
            delattr(saved, key)
        folder = self.folder.joinpath(*names_of_tasks(context))
        folder.mkdir(parents=True, exist_ok=True)
        # Renamed when it is complete: an interrupt leaves the file of before.
        part = folder / f".{name}.{uuid4().hex}"
        try:
            joblib.dump(saved, part)
            os.replace(part, folder / f"{name}.joblib")
        finally:
            part.unlink(missing_ok=True)
