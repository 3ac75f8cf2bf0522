"""C-MAPSS FD001: how many cycles a turbofan engine has left; 100 engines to train on, 100 to test.

    python benchmarks/accuracy/turbofan.py --data FOLDER

FOLDER holds `cmapss_train_FD001.csv.gz` and `cmapss_test_FD001.csv.gz`, with a row for each cycle:
the engine's number, the cycle, 3 settings and 21 sensors; and `cmapss_RUL_FD001.csv.gz`, the cycles
left after the last row of each test engine
(https://data.nasa.gov/dataset/c-mapss-aircraft-engine-simulator-data). Targets are capped at 125.

The defaults read windows of the last 30 cycles, as do ridge regression and the perceptron; the
tuned networks read all cycles of an engine and have a target at each. "one branch" is the
multimodal network on the windows, "with a colour" the same beside a static column that tells
nothing. Published: 18.5 (convolutional network), 16.1 (LSTM), best 11.0.
"""

import zlib
from functools import partial

import numpy as np
import pandas as pd
import series
from rows import Split, Task, main
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgru import GRURegressor, MultimodalGRURegressor, SeriesBranch, TableBranch

WINDOW = 30
CAP = 125


def read(path):
    """Return the table of a file."""
    return np.loadtxt(path, delimiter=",", skiprows=1)


def read_engines(folder, part):
    """Return settings and sensors of each engine of "train" or "test": a row is a cycle."""
    table = read(folder / f"cmapss_{part}_FD001.csv.gz")
    return [table[table[:, 0] == unit, 2:] for unit in np.unique(table[:, 0])]


def cycles_left(x):
    """Return the target of each cycle of an engine that is followed to its end."""
    return np.minimum(CAP, np.arange(len(x))[::-1]).astype(float)


def to_windows(X, y):
    """Return each window of each engine, and the cycles left at its end."""
    windows = [x[end - WINDOW : end] for x in X for end in range(WINDOW, len(x) + 1)]
    return np.array(windows), np.concatenate([left[WINDOW - 1 :] for left in y])


def load(folder):
    """Return sensors and cycles left of the training engines, at each cycle, and of the test.

    Of the test engines only the last cycle has a target.
    """
    train, test = (read_engines(folder, part) for part in ("train", "test"))
    varies = np.concatenate(train).std(axis=0) > 1e-6
    left = read(folder / "cmapss_RUL_FD001.csv.gz")
    return Split(
        [x[:, varies] for x in train],
        [cycles_left(x) for x in train],
        [x[:, varies] for x in test],
        np.minimum(CAP, left.reshape(len(test), -1)[:, -1]),
    )


def splits(data, seed):
    """Return the one split that the data come with."""
    return [data]


class OnWindows:
    """A regressor of windows: fitted to all of the training engines, asked for the last one."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        """Fit to each window of each engine."""
        self.model.fit(*to_windows(X, y))
        return self

    def predict(self, X):
        """Predict from the last window; of a shorter engine the first row is repeated."""
        rows = [np.maximum(np.arange(len(x) - WINDOW, len(x)), 0) for x in X]
        return self.model.predict(np.array([x[r] for x, r in zip(X, rows, strict=True)]))


def table_of_windows(n_colours, X):
    """Return a table with a row for each window, and a colour beside it that tells nothing.

    It is drawn by the window's last reading, so that the same window has the same colour always.
    """
    seeds = [zlib.crc32(np.ascontiguousarray(x[-1]).tobytes()) for x in X]
    colours = [f"colour {seed % n_colours}" for seed in seeds] if n_colours else [""] * len(X)
    return pd.DataFrame({"window": pd.Series(list(X), dtype=object), "colour": colours})


def branches(seed, n_colours):
    """Return the network of the windows with its defaults, and of the colours if there are any."""
    chosen = [("windows", SeriesBranch(), "window")]
    if n_colours:
        chosen.append(("engine", TableBranch(), ["colour"]))
    return OnWindows(
        make_pipeline(
            FunctionTransformer(partial(table_of_windows, n_colours)),
            MultimodalGRURegressor(chosen, random_state=seed),
        )
    )


class AtEachCycle:
    """Networks with a target at each cycle, asked for the last one, whose answers are averaged."""

    def __init__(self, models):
        self.models = models

    def fit(self, X, y):
        """Fit each to all cycles."""
        for model in self.models:
            model.fit(X, y)
        return self

    def predict(self, X):
        """Predict the last cycle of each engine."""
        return np.mean([[left[-1] for left in model.predict(X)] for model in self.models], axis=0)


def score(model, split):
    """Return the root mean squared error; predictions are capped too."""
    predicted = np.clip(model.predict(split.X_test), 0, CAP)
    return root_mean_squared_error(split.y_test, predicted)


def vote_at_each_cycle(seed, n_networks=3):
    """Return networks that differ by their seeds."""
    return AtEachCycle(
        [
            GRURegressor(
                (64, 32),
                pooling=None,
                recurrent_dropout=0.2,
                dropout=0,
                batch_size=10,
                max_iter=60,
                learning_rate_init=0.003,
                weight_decay=0,
                random_state=n_networks * seed + i,
            )
            for i in range(n_networks)
        ]
    )


def ridge(seed):
    """Return ridge regression on the window, scaled."""
    return OnWindows(make_pipeline(series.flattener(WINDOW), StandardScaler(), Ridge(10)))


TASK = Task(
    "C-MAPSS FD001",
    "RMSE, cycles",
    load,
    splits,
    score,
    models={
        "defaults": lambda seed: OnWindows(GRURegressor(random_state=seed)),
        "tuned": vote_at_each_cycle,
        "one branch": partial(branches, n_colours=0),
        "with a colour": partial(branches, n_colours=4),
    },
    baselines={
        "ridge": ridge,
        "MLP": lambda seed: OnWindows(series.perceptron(seed, WINDOW, regressor=True)),
    },
)

if __name__ == "__main__":
    main(TASK)
