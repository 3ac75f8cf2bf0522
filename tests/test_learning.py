"""Tasks that a wrong gradient or a forgetful recurrence could not solve.

The thresholds lie well below what is reached and far above what is possible without the part of
the network that the task is about.
"""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from skgru import GRUClassifier, GRURegressor

CELLS = [
    {},
    {"reset_after": True},
    {"output_gate": True},
    {"reset_after": True, "output_gate": True},
]


def classifier(**parameters):
    return GRUClassifier(**SETTINGS | parameters)


def regressor(**parameters):
    return GRURegressor(**SETTINGS | parameters)


SETTINGS = {
    "hidden_layer_sizes": 16,
    "learning_rate": "cosine",
    "learning_rate_init": 0.02,
    "random_state": 0,
}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_remembers_the_first_value(cell):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 15))
    y = (X[:, 0] > 0).astype(int)
    model = classifier(max_iter=30, **cell).fit(X[:500], y[:500])
    assert model.score(X[500:], y[500:]) > 0.9


@pytest.mark.parametrize("cell", CELLS[1:3], ids=str)
def test_combines_two_marked_positions(cell):
    # The exclusive or of two bits, each at a marked step: no single step tells anything.
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, size=(800, 10))
    marks = np.zeros((800, 10))
    first, second = rng.integers(0, 5, size=800), rng.integers(5, 10, size=800)
    marks[np.arange(800), first] = marks[np.arange(800), second] = 1
    y = bits[np.arange(800), first] ^ bits[np.arange(800), second]
    X = np.stack([bits, marks], axis=2)
    model = classifier(max_iter=40, **cell).fit(X[:600], y[:600])
    assert model.score(X[600:], y[600:]) > 0.9


@pytest.mark.parametrize("cell", [CELLS[0], CELLS[3], {"hidden_layer_sizes": (8, 8)}], ids=str)
def test_learns_which_word_came_first(cell):
    # Both words are in each sequence: only their order tells the class.
    rng = np.random.default_rng(0)
    X, y = [], []
    for i in range(500):
        x = rng.integers(4, 10, size=rng.integers(4, 12))
        places = np.sort(rng.choice(len(x), size=2, replace=False))
        x[places] = [2, 3] if i % 2 else [3, 2]
        X.append(x)
        y.append("2 first" if i % 2 else "3 first")
    model = classifier(**{"embedding_dim": 4, "max_iter": 25} | cell).fit(X[:350], y[:350])
    assert model.score(X[350:], y[350:]) > 0.9


@pytest.mark.parametrize("cell", CELLS[:2], ids=str)
def test_adds_two_marked_numbers(cell):
    # The adding problem of Hochreiter & Schmidhuber (1997).
    rng = np.random.default_rng(0)
    values, marks = rng.random((1000, 20)), np.zeros((1000, 20))
    rows = np.arange(1000)
    first, second = rng.integers(0, 10, size=1000), rng.integers(10, 20, size=1000)
    marks[rows, first] = marks[rows, second] = 1
    y = 1000 * (values[rows, first] + values[rows, second])
    X = np.stack([values, marks], axis=2)
    model = regressor(max_iter=50, **cell).fit(X[:800], y[:800])
    assert model.score(X[800:], y[800:]) > 0.9


def test_counts_over_sequences_of_unequal_length():
    rng = np.random.default_rng(0)
    X = [rng.integers(0, 2, size=length) for length in rng.integers(1, 25, size=400)]
    y = np.array([x.sum() for x in X])
    model = regressor(max_iter=40).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.9
    mean = regressor(max_iter=40, pooling="mean").fit(X[:300], [x.mean() for x in X[:300]])
    assert mean.score(X[300:], [x.mean() for x in X[300:]]) > 0.9


def test_reads_digits_row_by_row():
    images, y = load_digits(return_X_y=True)
    X = images.reshape(-1, 8, 8)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = classifier(hidden_layer_sizes=48, max_iter=20, learning_rate_init=0.01)
    assert model.fit(X_train, y_train).score(X_test, y_test) >= 0.96
    flat = classifier(hidden_layer_sizes=48, max_iter=1, features_per_step=8)
    assert flat.fit(X_train.reshape(-1, 64), y_train).n_features_in_ == 64


def test_forecasts_several_steps_ahead():
    rng = np.random.default_rng(0)
    t = np.arange(900)
    series = 200 + 50 * np.sin(2 * np.pi * t / 25) + rng.normal(scale=5, size=len(t))
    windows = np.lib.stride_tricks.sliding_window_view(series, 35)
    X, Y = windows[:, :30], windows[:, 30:]
    model = regressor(max_iter=15).fit(X[:600], Y[:600])
    predicted = model.predict(X[640:])
    naive = np.repeat(X[640:, -1:], 5, axis=1)
    error, naive_error = (np.abs(p - Y[640:]).mean(axis=0) for p in (predicted, naive))
    assert (error < 0.8 * naive_error).all()
    assert error[4] < 0.25 * naive_error[4]
    assert r2_score(Y[640:], predicted) > 0.9


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_each_solver_learns(solver):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = (X[:, 0] * X[:, 5] > 0).astype(int)
    parameters = {"max_iter": 60, "solver": solver, "tol": 1e-3}
    parameters |= {"learning_rate_init": 0.2, "max_grad_norm": 5.0} if solver == "sgd" else {}
    model = classifier(**parameters).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.8
