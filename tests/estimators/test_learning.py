"""Tasks that a wrong gradient or a forgetful recurrence could not solve.

The thresholds lie well below what is reached and far above what is possible without the part of
the network that the task is about.
"""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from skgru import GRUClassifier, GRURegressor
from skgru._engine.solvers import SOLVERS
from tests.datasets import PLAIN, small
from tests.kinds import CELL_NAMES

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
    **PLAIN,
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_each_solver_learns(solver):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = (X[:, 0] * X[:, 5] > 0).astype(int)
    parameters = {"max_iter": 60, "solver": solver, "tol": 1e-3}
    parameters |= {
        "adam": {"learning_rate_init": 0.02},
        "sgd": {"learning_rate_init": 0.2, "max_grad_norm": 5.0},
    }.get(solver, {})
    model = small(GRUClassifier, hidden_layer_sizes=16, **parameters).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.8


def spread_by_the_last_step(n, seed):
    """Return X, y, and the mean and the standard deviation that y was drawn with."""
    X = np.random.default_rng(seed).normal(size=(n, 6, 1))
    mean = 500 + 100 * X[:, -2:, 0].sum(axis=1)
    deviation = 100 * np.exp(0.8 * X[:, -1, 0])
    return X, np.random.default_rng(seed + 1).normal(mean, deviation), mean, deviation


@CELL_NAMES
def test_quantiles_cover_what_they_say(cell):
    X, y, *_ = spread_by_the_last_step(8000, 0)
    X_test, y_test, *_ = spread_by_the_last_step(8000, 10)
    # A gate of minGRU sees one step: to add up the last two and no other ones takes it many units
    # and a long training.
    is_minimal = cell == "mingru"
    model = regressor(
        hidden_layer_sizes=16 if is_minimal else 8,
        cell=cell,
        loss="quantile",
        quantiles=[0.1, 0.5, 0.9],
        max_iter=30 if is_minimal else 10,
        batch_size=100,
        learning_rate_init=0.01,
    ).fit(X, y)
    predicted = model.predict(X_test)
    assert (np.diff(predicted, axis=1) > 0).all()
    covered = (y_test[:, None] <= predicted).mean(axis=0)
    assert np.abs(covered - [0.1, 0.5, 0.9]).max() < 0.02
    # With one spread for all, at most 0.22.
    assert model.score(X_test, y_test) > (0.27 if is_minimal else 0.33)
    width = predicted[:, 2] - predicted[:, 0]
    correlation = np.corrcoef(width, np.exp(0.8 * X_test[:, -1, 0]))[0, 1]
    assert correlation > (0.85 if is_minimal else 0.9)


def test_gaussian_loss_finds_mean_and_spread():
    X, y, *_ = spread_by_the_last_step(6000, 0)
    X_test, y_test, mean, deviation = spread_by_the_last_step(2000, 10)
    model = regressor(
        hidden_layer_sizes=8,
        loss="gaussian",
        max_iter=12,
        batch_size=100,
        learning_rate_init=0.01,
    ).fit(X, y)
    predicted, spread = model.predict(X_test, return_std=True)
    assert_array_equal(predicted, model.predict(X_test))
    assert np.corrcoef(predicted, mean)[0, 1] > 0.97
    assert np.abs(np.log(spread / deviation)).mean() < 0.15
    assert ((y_test - predicted) / spread).std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_outliers_in_y_do_not_carry_robust_losses_away(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    truth = 10 * X[:, -1]
    y = truth.copy()
    y[rng.choice(500, 40, replace=False)] += 300
    errors = {
        name: np.abs(
            regressor(loss=name, max_iter=25, **({"huber_delta": 0.1} if name == "huber" else {}))
            .fit(X[:500], y[:500])
            .predict(X[500:])
            - truth[500:]
        ).mean()
        for name in ("squared_error", loss)
    }
    assert errors[loss] < 0.35 * errors["squared_error"]


@pytest.mark.parametrize("k", [2, 3])
def test_patches_are_steps_joined_from_the_end(k):
    rng = np.random.default_rng(0)
    X = [rng.normal(3, 2, size=(length, 2)) for length in rng.integers(1, 12, 300)]
    y = np.array([x[-1, 0] for x in X])
    model = regressor(patch_size=k, shift_patches=False, max_iter=15).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9
    # What is missing in front is the mean: so is what is joined by hand.
    by_hand = [
        np.vstack([np.tile(model.feature_mean_, (-len(x) % k, 1)), x]).reshape(-1, 2 * k) for x in X
    ]
    joined = regressor(max_iter=1).fit(by_hand, y)
    joined.feature_mean_[...] = np.tile(model.feature_mean_, k)
    joined.feature_scale_[...] = np.tile(model.feature_scale_, k)
    joined.target_mean_[...], joined.target_scale_[...] = model.target_mean_, model.target_scale_
    for name, array in model.parameters_.items():
        joined.parameters_[name][...] = array
    np.testing.assert_allclose(joined.predict(by_hand), model.predict(X), rtol=1e-4, atol=1e-4)


def test_weight_decay_shrinks_the_weights_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = X.sum(axis=1)
    free, decayed = (
        regressor(max_iter=20, alpha=0, weight_decay=decay).fit(X, y) for decay in (0.0, 2.0)
    )
    norms = [
        sum(
            np.square(m.parameters_[f"hidden_0.{name}"]).sum()
            for name in ("input_weights", "recurrent_weights")
        )
        for m in (free, decayed)
    ]
    assert norms[1] < 0.9 * norms[0]
