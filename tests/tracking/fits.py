"""Fits that are logged, and callbacks that disturb them."""

from tests.datasets import small
from tests.training import validation_data

# One epoch is trained as the next one, and some are better than others.
STEADY = {"learning_rate": "constant", "learning_rate_init": 0.05, "max_iter": 4}


def fit_with_validation(model):
    """Fit a classifier, with a validation set of its own."""
    X, y, X_val, y_val = validation_data()
    return model.fit(X, y, X_val=X_val, y_val=y_val)


def steady(estimator_class, **parameters):
    return small(estimator_class, **STEADY | parameters)


class RaiseAfter:
    """A callback that raises an error after some epoch of a fit."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == self.epoch - 1:
            raise self.error
