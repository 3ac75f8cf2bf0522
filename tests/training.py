"""What tests of the training share: gradient descent, an explosion, errors at a given call."""

import copy

import numpy as np

from skgru import GRUClassifier
from skgru._engine.observers import Observer
from tests.datasets import flat, ragged, small

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


# An objective that is known by heart, and an observer that remembers


class Bowl:
    """The mean of ½ (θ − c)² over a few sequences, each with a c of its own, plus `extra`.

    Parameters
    ----------
    centers : array-like of shape (n,)
    start : float, default=0.0
        θ, of one number.
    """

    def __init__(self, centers, start=0.0):
        self.centers = np.array(centers, float)
        self.theta = np.array([start])
        self.extra = 0.0
        self.n_sequences = len(self.centers)
        self.lengths = np.ones(self.n_sequences, np.intp)

    def begin_epoch(self, rng):
        pass

    def at_batch(self, indices, rng):
        distance = self.theta[0] - self.centers[indices]
        return 0.5 * np.square(distance).mean() + self.extra, np.array([distance.mean()])

    def at_all(self):
        return self.at_batch(slice(None), None)


class Recorder(Observer):
    """Remembers all that it hears.

    Parameters
    ----------
    ends_at : int, default=0
        The epoch after which it ends the training.
    on : mapping, default={}
        By the number of the update: a function to call after it.
    """

    def __init__(self, ends_at=0, on=()):
        self.ends_at, self.on = ends_at, dict(on)
        self.heard, self.thetas = [], []

    def on_batch(self, state):
        self.heard.append(("batch", state.epoch, state.batch, state.loss))
        n_updates = sum(what == "batch" for what, *_ in self.heard)
        self.on.get(n_updates, lambda: None)()

    def on_epoch(self, state):
        self.heard.append(("epoch", state.epoch, state.loss))
        self.thetas.append(state.theta.copy())
        return state.epoch == self.ends_at

    def on_end(self, outcome):
        self.heard.append(("end", outcome))

    def all_of(self, what):
        return [event[1:] for event in self.heard if event[0] == what]


def raises(error):
    """Return a function that raises an error."""

    def call():
        raise error

    return call
