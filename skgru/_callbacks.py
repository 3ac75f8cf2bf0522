"""The callbacks of scikit-learn 1.9: a training as tasks.

A fit is a task, each of its epochs one below it and, where an epoch has many batches, each
hundredth of it one below that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

from skgru._compat import has_callbacks
from skgru._engine.observers import Observer

# An epoch of more batches has tasks below it, so many of them. The work of a callback is thereby
# bounded for each epoch, as are the contexts, which scikit-learn keeps until the end of the fit.
_MAX_PARTS = 100

# (A method that is decorated keeps its types.)
_Fit = TypeVar("_Fit", bound=Callable[..., Any])


class Tasks(Observer):
    """Tells the callbacks of an estimator of its training.

    Whatever a callback raises ends the fit. One that asks for the end after a part of an epoch has
    it at the end of that epoch.

    Parameters
    ----------
    estimator : estimator
        In training.
    context : CallbackContext
        Of the whole fit.
    data : dict
        `X`, `y` and `metadata` as the user gave them: handed on, never looked at.
    attributes_of : callable
        Given a `Fitted`, returns the attributes of the estimator that it would have then.
    """

    outcome = "stopped"

    def __init__(self, estimator, context, data, attributes_of):
        self._told = {"estimator": estimator, **data}
        self._context = context
        self._attributes_of = attributes_of
        self._n_batches = self._n_parts = 0
        self._epoch = self._part = None
        self._is_to_stop = False

    def on_begin(self, n_epochs, n_batches, now):
        """Begin the fit, whose epochs are known now."""
        self._now = now
        self._n_batches = n_batches
        self._n_parts = _MAX_PARTS if n_batches > _MAX_PARTS else 0
        self._context.max_subtasks = n_epochs
        self._context.call_on_fit_task_begin(**self._told)

    def on_epoch_begin(self, state):
        """Begin the epoch, and its first part, if it has any."""
        self._epoch = self._context.subcontext("epoch", max_subtasks=self._n_parts)
        self._epoch.call_on_fit_task_begin(**self._told)
        if self._n_parts:
            self._begin_part()

    def on_batch(self, state):
        """End a part of an epoch with its last batch, and begin the next one."""
        done = state.batch * self._n_parts // self._n_batches
        if done > (state.batch - 1) * self._n_parts // self._n_batches:
            # Without a fitted copy: a monitor would score all of X each time.
            self._is_to_stop |= self._part.call_on_fit_task_end(**self._told)
            if done < self._n_parts:
                self._begin_part()

    def on_epoch(self, state):
        """End the epoch; return whether a callback asks for the end of the training."""
        self._epoch.epoch_numbers = (
            state.n_trained,
            {
                "loss": state.loss,
                "validation_loss": state.validation_loss,
                "validation_score": state.score,
                "learning_rate": state.learning_rate,
            },
        )
        self._is_to_stop |= self._epoch.call_on_fit_task_end(
            **self._told, reconstruction_attributes=lambda: self._attributes_of(self._now())
        )
        return self._is_to_stop

    def on_end(self, outcome):
        """Keep how the training ended."""
        self._context.outcome = outcome

    def end(self):
        """End the fit, once the estimator has its fitted attributes."""
        self._context.call_on_fit_task_end(**self._told, reconstruction_attributes={})

    def _begin_part(self):
        self._part = self._epoch.subcontext("batches")
        self._part.call_on_fit_task_begin(**self._told)


def tasks_of(estimator, context, data, attributes_of):
    """Return the tasks of a fit as `Tasks`, or None where no callback is set.

    See `Tasks` for the parameters.
    """
    return Tasks(estimator, context, data, attributes_of) if has_callbacks(estimator) else None


def numbers_of(context):
    """Return what a task that ends has come to, if it is an epoch of a network; else None.

    Nothing is copied for it, as would be for a fitted copy.

    Returns
    -------
    n_trained : int
        As many epochs as have ended, over all calls.
    numbers : dict
        By their names; None for what there is none of.
    """
    return getattr(context, "epoch_numbers", None)


def is_interrupted(context):
    """Whether a task is a fit of a network whose training a KeyboardInterrupt has ended."""
    return getattr(context, "outcome", None) == "interrupted"


def title_of(name, context):
    """Return the name of an estimator, with the task of another one that its fit is, if any."""
    if context is None or not context.source_task_name:
        return name
    around = context.source_estimator_name
    around = "" if around == name else f"{around} "
    return f"{name} ({around}{context.source_task_name} {context.task_id})"


def begin_context(estimator, task_name):
    """Return the context of a fit, or None before scikit-learn 1.9; sets the callbacks up.

    It is to be made outside any block that gives the estimator its attributes back: by those
    `fit_context` knows what it has to tear down in the end.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return estimator._init_callback_context(task_name=task_name, max_subtasks=None)


def as_one_task(fit: _Fit) -> _Fit:
    """Decorate `fit` or `fit_transform`: callbacks are told where it begins and ends.

    So it is with an estimator that has nothing to tell in between, as a transformer in front of a
    network: scikit-learn would warn of one that knows no callbacks. Before scikit-learn 1.9,
    nothing is done. It stands below `fit_context`, which tears the callbacks down.
    """

    @wraps(fit)
    def fit_as_task(self: Any, X: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "_init_callback_context"):
            return fit(self, X, y, *args, **kwargs)
        context = self._init_callback_context()
        told = {"estimator": self, "X": X, "y": y}
        context.call_on_fit_task_begin(**told)
        result = fit(self, X, y, *args, **kwargs)
        context.call_on_fit_task_end(**told, reconstruction_attributes={})
        return result

    return cast(_Fit, fit_as_task)


@contextmanager
def part_of(context, estimator, task_name, sub_estimator):
    """Make the fits of an estimator in this block a task of another one's fit.

    Parameters
    ----------
    context : CallbackContext or None
        Of the fit that it is a part of.
    estimator : estimator
        Whose fit that is.
    task_name : str
    sub_estimator : estimator
    """
    if context is None:
        yield
        return
    task = context.subcontext(task_name)
    with task.propagate_callback_context(sub_estimator):
        task.call_on_fit_task_begin(estimator=estimator)
        yield
        task.call_on_fit_task_end(estimator=estimator)
