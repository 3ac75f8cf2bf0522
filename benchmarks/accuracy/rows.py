"""What the scripts of the table share: a row is one task, with networks and baselines measured.

A script gives `TASK`, a `Task`; `run_row` measures it; `main` is the script's command line.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning


class Split(NamedTuple):
    """What is fitted to and what is scored on."""

    X_train: object
    y_train: object
    X_test: object
    y_test: object


class Task(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    name : str
    metric : str
    load : callable
        ``load(folder)`` returns the data.
    splits : callable
        ``splits(data, seed)`` returns the splits whose mean score is the seed's score.
    score : callable
        ``score(model, split)`` returns the score of a fitted model.
    models : dict of str to callable
        The networks: ``models[name](seed)`` returns an unfitted model. All have "defaults" and
        "tuned"; the tuned settings were chosen on training data.
    baselines : dict of str to callable
        The other models, in the same form.
    """

    name: str
    metric: str
    load: Callable
    splits: Callable
    score: Callable
    models: dict
    baselines: dict


class Result(NamedTuple):
    """Scores of a model, one for each seed, and the seconds of a fit, on average."""

    scores: np.ndarray
    seconds: float


def accuracy(model, split):
    """Return the share of the test samples whose class is right."""
    return model.score(split.X_test, split.y_test)


def root_mean_squared_error(model, split):
    """Return the root of the mean squared error on the test samples."""
    return float(np.sqrt(np.mean(np.square(model.predict(split.X_test) - split.y_test))))


def take(X, indices):
    """Return the samples at `indices` of an array or a list."""
    return [X[i] for i in indices] if isinstance(X, list) else X[indices]


def cross_validation(make_splitter):
    """Return ``splits(data, seed)`` for data (X, y): the folds of a splitter made for the seed."""

    def splits(data, seed):
        X, y = data
        return [
            Split(take(X, train), y[train], take(X, test), y[test])
            for train, test in make_splitter(seed).split(np.zeros(len(y)), y)
        ]

    return splits


def given_split(data, seed):
    """Return the one split that the data come with."""
    return [Split(*data)]


def _measure(task, make_model, data, seed):
    """Return the score of one seed, and the seconds of a fit, on average."""
    scores, seconds = [], []
    for split in task.splits(data, seed):
        model = make_model(seed)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(split.X_train, split.y_train)
        seconds.append(time.perf_counter() - start)
        scores.append(task.score(model, split))
    return np.mean(scores), np.mean(seconds)


def run_row(task, folder, *, n_seeds=5, n_jobs=1, only=None):
    """Measure the models of a task; return ``{name: Result}``, networks first."""
    data = task.load(Path(folder) if folder is not None else None)
    models = {**task.models, **task.baselines}
    names = [name for name in models if only is None or name in only]
    results = Parallel(n_jobs=n_jobs)(
        delayed(_measure)(task, models[name], data, seed)
        for name in names
        for seed in range(n_seeds)
    )
    results = np.reshape(results, (len(names), n_seeds, 2))
    return {
        name: Result(scores, seconds.mean())
        for name, (scores, seconds) in zip(names, np.moveaxis(results, 2, 1), strict=True)
    }


def format_score(result):
    """Return the mean and the standard deviation over the seeds, in four digits."""
    mean, deviation = result.scores.mean(), result.scores.std()
    if mean < 0.1:
        return f"{mean:.1e} ± {deviation:.1e}"
    digits = 3 if mean < 1.5 else 2
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def main(task, argv=None):
    """Measure one row and print it."""
    parser = argparse.ArgumentParser(description=f"{task.name}: {task.metric}")
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="fits at the same time")
    parser.add_argument("--models", nargs="+", default=None, metavar="MODEL")
    options = parser.parse_args(argv)
    results = run_row(
        task, options.data, n_seeds=options.seeds, n_jobs=options.jobs, only=options.models
    )
    print(f"{task.name}: {task.metric}, mean ± sd of {options.seeds} seeds; seconds a fit")
    for name, result in results.items():
        print(f"  {name:28s} {format_score(result):20s} {result.seconds:7.1f}")
