"""Compare the cells on one task: the error of each, its size and its time.

    python examples/cells_compared.py [--picture cells.png]

The adding problem (Hochreiter & Schmidhuber 1997): each step has a random number and a mark; two
steps of each sequence are marked, and the sum of their numbers is asked for at the end. To answer,
a network must hold a number over many steps. Always answering 1 has a mean squared error of 1/6.

The picture, for which the extra `plot` is needed (`pip install "skgru[plot]"`), shows how fast
each of them learns: those without gates fall behind at once.
"""

import argparse
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import mean_squared_error

from skgru import GRURegressor, LossCurveDisplay

MODELS = {
    "GRU": {"cell": "gru"},
    "GRU, reset after": {"cell": "gru", "reset_after": True},
    "LSTM": {"cell": "lstm"},
    "RNN": {"cell": "rnn"},
    "GRU on RNN": {"cell": ("rnn", "gru")},
    "LSTM on GRU": {"cell": ("gru", "lstm")},
}


def adding_problem(n_sequences, n_steps, seed):
    """Return X (n, T, 2) and y (n,)."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n_sequences, n_steps, 2), np.float32)
    X[..., 0] = rng.random((n_sequences, n_steps))
    half = n_steps // 2
    for marks in (rng.integers(0, half, n_sequences), rng.integers(half, n_steps, n_sequences)):
        X[np.arange(n_sequences), marks, 1] = 1
    return X, (X[..., 0] * X[..., 1]).sum(axis=1)


def draw(models):
    """Return a picture of the losses."""
    figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    LossCurveDisplay.from_estimators(models, ax=ax)
    ax.set_yscale("log")
    ax.set_ylabel("loss in training (half the squared error, in variances of y)")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    X, y = adding_problem(options.sequences, options.steps, seed=0)
    X_test, y_test = adding_problem(1000, options.steps, seed=1)
    models = {}
    print(f"{'':18s} units  parameters  seconds  test error")
    for name, cells in MODELS.items():
        sizes = (32,) if isinstance(cells["cell"], str) else (24, 24)
        model = models[name] = GRURegressor(
            hidden_layer_sizes=sizes,
            max_iter=options.epochs,
            learning_rate_init=0.005,
            bidirectional=False,
            pooling="last",
            patch_size=1,
            random_state=0,
            **cells,
        )
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        error = mean_squared_error(y_test, model.predict(X_test))
        n_parameters = sum(array.size for array in model.parameters_.values())
        units = "+".join(map(str, sizes))
        print(f"{name:18s} {units:5s} {n_parameters:11d} {seconds:8.1f} {error:11.5f}", flush=True)

    figure = draw(models)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
