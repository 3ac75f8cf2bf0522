"""The adding problem: the sum of two marked numbers among 600 (Hochreiter and Schmidhuber 1997).

    python benchmarks/accuracy/adding.py

The data are made here. A step holds a number from 0 to 1 and a mark, which is 1 at two steps, one
in each half. Always answering 1 has a mean squared error of .1667. Published, T = 600: 5.3e-5
(GRU), .164 (LSTM), .177 (simple network; Bai et al. 2018).
"""

from functools import partial

import numpy as np
import series
from rows import Task, given_split, main
from sklearn.metrics import mean_squared_error

from skgru import GRURegressor

N_STEPS = 600
N_TRAIN, N_TEST = 20_000, 1_000


def make_adding(n, seed):
    """Return n sequences (n, 600, 2) and the sums of their marked numbers."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, N_STEPS, 2), np.float32)
    X[:, :, 0] = rng.random((n, N_STEPS))
    half = N_STEPS // 2
    for marked in (rng.integers(0, half, n), rng.integers(half, N_STEPS, n)):
        X[np.arange(n), marked, 1] = 1
    return X, (X[:, :, 0] * X[:, :, 1]).sum(axis=1)


def load(folder):
    """Return training sequences and their sums, test sequences and theirs."""
    return *make_adding(N_TRAIN, 0), *make_adding(N_TEST, 1)


def score(model, split):
    """Return the mean squared error on the test sequences."""
    return mean_squared_error(split.y_test, model.predict(split.X_test))


TASK = Task(
    f"adding, T = {N_STEPS}",
    "MSE",
    load,
    given_split,
    score,
    models={
        "defaults": lambda seed: GRURegressor(random_state=seed),
        "tuned": lambda seed: GRURegressor(
            pooling="last",
            patch_size=1,
            batch_size=64,
            max_iter=10,
            learning_rate_init=0.003,
            weight_decay=0,
            early_stopping=False,
            random_state=seed,
        ),
    },
    baselines={"MLP": partial(series.perceptron, n_steps=N_STEPS, regressor=True)},
    needs_data=False,
)

if __name__ == "__main__":
    main(TASK)
