"""Fitted estimators of random configurations, to be compared with networks of other libraries."""

import numpy as np

from skgru import GRUClassifier, GRURegressor

N, T = 30, 9
TARGETS = ["two classes", "classes", "labels", "number", "numbers"]
LOSSES = ["squared_error", "huber", "poisson", "quantile", "gaussian"]


def random_fit(seed, *, poolings, losses=LOSSES, scalings=("standard", "robust", None)):
    """Return an estimator fitted to random samples, all weights of which are drawn anew.

    Parameters
    ----------
    seed : int
    poolings, losses, scalings : sequence
        What to choose from.

    Returns
    -------
    estimator : GRUClassifier or GRURegressor
    X : list of ndarray
        Sequences of unequal length, or of ids.
    y : ndarray
    padded : ndarray of shape (N, T, D) or (N, T)
        The same with NaN, or 0, at the end.
    """
    rng = np.random.default_rng(seed)

    def one_of(values):
        return values[rng.integers(len(values))]

    has_tokens, target = one_of([False, True]), one_of(TARGETS)
    depth, pooling = one_of([1, 2, 3]), one_of(poolings)
    lengths = rng.integers(1, T + 1, size=N)
    lengths[0] = T
    if has_tokens:
        X = [rng.integers(1, 12, size=n) for n in lengths]
        padded = np.zeros((N, T), int)
    else:
        X = [rng.normal(5, 3, size=(n, 2)) for n in lengths]
        padded = np.full((N, T, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    options = {
        "hidden_layer_sizes": tuple(one_of([[4] * depth, [5, 3, 4][:depth]])),
        "cell": one_of(["gru", "lstm", "rnn", tuple(["gru", "lstm", "rnn"][:depth])]),
        "bidirectional": one_of([False, True]),
        "pooling": pooling,
        "dtype": one_of(["float32", "float64"]),
        "random_state": 0,
        "max_iter": 1,
        "verbose": 0,
    }
    if "gru" in options["cell"]:
        options["reset_after"] = one_of([False, True])
    if has_tokens:
        options |= {"embedding_dim": 3, "bag": False, "freeze_embedding": one_of([False, True])}
    else:
        options |= {"scaling": one_of(scalings), "n_convolutions": 0}
    if target in ("number", "numbers"):
        loss = one_of(losses)
        options |= {"loss": loss} | ({"quantiles": (0.1, 0.5, 0.9)} if loss == "quantile" else {})
        estimator = GRURegressor(**options)
    else:
        estimator = GRUClassifier(**options)

    def targets(n):
        if target == "two classes":
            return np.where(np.arange(n) % 2, "yes", "no")
        if target == "classes":
            return np.arange(n) % 3 * 10
        if target == "labels":
            return np.arange(n)[:, None] // [1, 2, 3, 4] % 2
        return rng.gamma(2, 100, size=n if target == "number" else (n, 2))

    if pooling is None:
        y = targets(sum(lengths))
        parts = np.split(y, np.cumsum(lengths)[:-1])
        y = np.empty(N, object)
        y[:] = parts
    else:
        y = targets(N)
    estimator.fit(X, y)
    # One epoch leaves weights near those that it begins with, and biases near 0.
    for array in estimator.parameters_.values():
        array[...] = rng.normal(0, 0.6, size=array.shape)
    return estimator, X, y, padded


def said(estimator):
    """Return a configuration in words, for a failure to tell of it."""
    values = estimator.get_params()
    default = type(estimator)().get_params()
    return {n: v for n, v in values.items() if repr(v) != repr(default[n])}
