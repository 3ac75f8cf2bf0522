"""Small networks for the tests of explanations, and their raw outputs."""

import numpy as np

from skgru import GRUClassifier, GRURegressor

SETTINGS = {"hidden_layer_sizes": 5, "max_iter": 30, "learning_rate_init": 0.03, "dropout": 0}
SETTINGS |= {"early_stopping": False, "alpha": 0, "dtype": "float64", "random_state": 0}


def sequences(n=30, *, holes=False, clock=False, seed=0):
    """Return sequences of 1 to 5 steps of two features."""
    rng = np.random.RandomState(seed)
    X = [3 + 2 * rng.normal(size=(1 + i % 5, 2)) for i in range(n)]
    for x in X:
        if holes:
            x[rng.uniform(size=x.shape) < 0.4] = np.nan
            x[-1, 1] = 1.0  # no padding
        if clock:
            x[:, 0] = np.cumsum(rng.uniform(0.5, 2, len(x)))
    return X


def regressor(X, y=None, **parameters):
    """Return a small network in double precision, of weights that are not small."""
    y = np.random.RandomState(1).normal(size=len(X)) if y is None else y
    return GRURegressor(**SETTINGS | parameters).fit(X, y)


def classifier(X, y, **parameters):
    return GRUClassifier(**SETTINGS | parameters).fit(X, y)


def raw_of(estimator, X):
    """Return the raw outputs, of samples or of all steps."""
    return estimator._run(estimator._fitted_model(), X).values
