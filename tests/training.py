"""What tests of the training share: gradient descent, an explosion, errors at a given call."""

import copy

import numpy as np

from skgru import GRUClassifier
from tests.datasets import (
    flat,
    ragged,
    small,
)

# Plain gradient descent, each step of which is the learning rate times the gradient.
DESCENT = {
    "solver": "sgd",
    "momentum": 0,
    "alpha": 0,
    "max_grad_norm": None,
    "dtype": "float64",
    "shuffle": False,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
}


EXPLOSION = {
    "solver": "sgd",
    "learning_rate": "constant",
    "learning_rate_init": 1e30,
    "max_grad_norm": None,
    "batch_size": 8,
}


def step_of(model, X, y):
    """Return by how much one more epoch changes the parameters; the model stays as it is."""
    changed = copy.deepcopy(model)
    return flat(changed.partial_fit(X, y)) - flat(model)


def started(estimator_class, X, y, **parameters):
    """Return a model after one epoch of gradient descent."""
    model = small(estimator_class, **DESCENT | parameters)
    classes = {"classes": np.unique(y)} if estimator_class is GRUClassifier else {}
    return model.partial_fit(X, y, **classes)


class RaiseAt:
    """A method that raises an error at its n-th call and before that does what it did."""

    def __init__(self, method, n, error=KeyboardInterrupt):
        self.method, self.n, self.error, self.n_calls = method, n, error, 0

    def __get__(self, instance, owner):
        def call(*args, **kwargs):
            self.n_calls += 1
            if self.n_calls == self.n:
                raise self.error
            return self.method(instance, *args, **kwargs)

        return call


def validation_data():
    X, y = ragged(n=60, seed=3)
    return X[:30], y[:30], X[30:], y[30:]


def state_of(model):
    return copy.deepcopy(vars(model))


def assert_unchanged(model, state):
    assert list(vars(model)) == list(state)
    for name, value in state.items():
        np.testing.assert_equal(vars(model)[name], value, err_msg=name)
