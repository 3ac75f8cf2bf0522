"""A grid search with one process and with two.

    python benchmarks/grid_search.py [--rounds 3]

GridSearchCV tries 8 settings on two folds of 300 sequences of 60 steps and 6 features, by turns
with n_jobs=1, which stays in this process, and with n_jobs=2. A search with n_jobs=2 goes first and
is not timed: it starts joblib's workers, which then stay, and imports skgru in them. A thread
beside each fit notes how many threads BLAS has meanwhile.
"""

import argparse
import statistics
import threading
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info
from workers import PLAIN

from skgru import GRUClassifier

GRID = {"hidden_layer_sizes": [24, 32, 48, 64], "learning_rate_init": [0.002, 0.01]}


class WatchedClassifier(GRUClassifier):
    """Notes how many threads BLAS has a moment after the fit has begun."""

    def fit(self, X, y):
        watch = threading.Timer(0.1, self._note_threads)
        watch.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
            super().fit(X, y)
        watch.join()
        return self

    def _note_threads(self):
        pools = threadpool_info()
        self.blas_threads_ = max(p["num_threads"] for p in pools if p["user_api"] == "blas")


def score(model, X, y):
    return {"accuracy": model.score(X, y), "threads": model.blas_threads_}


def search(X, y, n_epochs, n_jobs):
    """Return the seconds of a search, and the most threads that BLAS had in a fit."""
    plain = PLAIN | {"dropout": 0}
    model = WatchedClassifier(max_iter=n_epochs, n_iter_no_change=np.inf, random_state=0, **plain)
    grid = GridSearchCV(model, GRID, scoring=score, refit=False, cv=2, n_jobs=n_jobs)
    start = time.perf_counter()
    grid.fit(X, y)
    seconds = time.perf_counter() - start
    return seconds, max(grid.cv_results_[f"split{i}_test_threads"].max() for i in range(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=50)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 60, 6)).astype(np.float32)
    y = (X[:, -10:].mean(axis=(1, 2)) > 0).astype(int)

    search(X, y, options.epochs, n_jobs=2)
    rounds = [
        [search(X, y, options.epochs, n_jobs) for n_jobs in (1, 2)] for _ in range(options.rounds)
    ]
    print(f"medians of {options.rounds} rounds")
    for n_jobs, column in enumerate(zip(*rounds, strict=True), start=1):
        seconds, threads = zip(*column, strict=True)
        print(
            f"n_jobs={n_jobs}   {statistics.median(seconds):6.2f} s   "
            f"threads of BLAS in a fit: {max(threads):.0f}"
        )
    ratio = statistics.median(one[0] / two[0] for one, two in rounds)
    print(f"n_jobs=1 / n_jobs=2   {ratio:.2f}")


if __name__ == "__main__":
    main()
