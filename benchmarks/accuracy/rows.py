"""What all scripts of this folder share: a row is one task, with networks and baselines measured.

A script gives `TASK`, a `Task`, or several; `run_row` measures one; `main` is the script's command
line.
"""

import argparse
import csv
import gzip
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from probabilities import honesty
from results import add_results
from sklearn.exceptions import ConvergenceWarning


class Split(NamedTuple):
    """What is fitted to and what is scored on."""

    X_train: object
    y_train: object
    X_test: object
    y_test: object


def format_scores(scores):
    """Return the mean and the standard deviation over the seeds, in four digits, of each measure.

    `scores` has the shape (n_seeds, n_splits, n_measures).
    """
    cells = []
    for of_seeds in scores.mean(axis=1).T:
        mean, deviation = of_seeds.mean(), of_seeds.std()
        form = ".1e" if mean < 0.1 else ".3f" if mean < 1.5 else ".2f"
        is_spread = len(of_seeds) > 1
        cells.append(f"{mean:{form}} ± {deviation:{form}}" if is_spread else f"{mean:{form}}")
    return ", ".join(cells)


class Task(NamedTuple):
    """One row of a table.

    Attributes
    ----------
    name : str
    metric : str
        What the score is called; if there are several, what all are.
    load : callable
        ``load(folder)`` returns the data.
    splits : callable
        ``splits(data, seed)`` returns the splits whose mean score is the seed's score.
    score : callable
        ``score(model, split)`` returns the score of a fitted model, or a tuple of several.
    models : dict of str to callable
        The networks: ``models[name](seed)`` returns an unfitted model. In the table of the defaults
        all rows have "defaults" and "tuned"; the tuned settings were chosen on training data.
    baselines : dict of str to callable
        The other models, in the same form.
    n_seeds : int
        How many seeds there are if the command does not say.
    needs_data : bool
        Whether there is a file to read, rather than data that the script makes.
    show : callable
        ``show(scores)`` returns scores (n_seeds, n_splits, n_measures) as text.
    """

    name: str
    metric: str
    load: Callable
    splits: Callable
    score: Callable
    models: dict
    baselines: dict
    n_seeds: int = 5
    needs_data: bool = True
    show: Callable = format_scores


class Result(NamedTuple):
    """What a model reached.

    Attributes
    ----------
    scores : ndarray of shape (n_seeds, n_splits, n_measures)
    seconds : float
        Of the processor, for a fit, on average.
    honesty : ndarray of shape (n_seeds, 3) or None
        Of its probabilities, the `Honesty`, over the test samples of all splits; None = it has
        none.
    """

    scores: np.ndarray
    seconds: float
    honesty: np.ndarray | None = None


def read_csv(path):
    """Return the rows of a CSV file, gzipped or not, as dicts of text."""
    csv.field_size_limit(2**31 - 1)  # some texts are longer than the default allows
    open_file = gzip.open if path.suffix == ".gz" else open
    with open_file(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def show_honesty(result):
    """Return log-loss, calibration error and best temperature as text, if there are any."""
    if result.honesty is None:
        return ""
    loss, error, _ = result.honesty.mean(axis=0)
    temperature = np.exp(np.log(result.honesty[:, 2]).mean())
    return f"log-loss {loss:.3f}, calibration error {error:.3f}, temperature {temperature:.2f}"


def accuracy(model, split):
    """Return the share of the test samples whose class is right."""
    return model.score(split.X_test, split.y_test)


def take(X, indices):
    """Return the samples at `indices` of an array or a list."""
    return [X[i] for i in indices] if isinstance(X, list) else X[indices]


def split_at(X, y, train, test):
    """Return the samples at the indices `train` and `test` as a `Split`."""
    return Split(take(X, train), y[train], take(X, test), y[test])


def cross_validation(make_splitter):
    """Return ``splits(data, seed)`` for data (X, y): the folds of a splitter made for the seed."""

    def splits(data, seed):
        X, y = data
        return [
            split_at(X, y, train, test)
            for train, test in make_splitter(seed).split(np.zeros(len(y)), y)
        ]

    return splits


def given_split(data, seed):
    """Return the one split that the data come with."""
    return [Split(*data)]


def _measure(task, make_model, data, seed):
    """Return the `Result` of a seed, whose arrays have no axis of seeds."""
    scores, seconds, predictions = [], [], []
    for split in task.splits(data, seed):
        model = make_model(seed)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
            model.fit(split.X_train, split.y_train)
        seconds.append(time.process_time() - start)
        scores.append(np.atleast_1d(task.score(model, split)))
        if task.score is accuracy and hasattr(model, "predict_proba"):
            predictions.append(_predict(model, split))
    honest = _honesty(predictions) if predictions else None
    return Result(np.array(scores), np.mean(seconds), honest)


def _predict(model, split):
    """Return the probabilities of the test samples, and the columns of their classes.

    A class that the training part lacks has a column of zeros.
    """
    classes = np.union1d(model.classes_, split.y_test)
    found = np.zeros((len(split.y_test), len(classes)))
    found[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(split.X_test)
    return found, np.searchsorted(classes, split.y_test)


def _honesty(predictions):
    """Return the `Honesty` of the predictions of several splits, which may differ in classes."""
    n_columns = max(found.shape[1] for found, _ in predictions)
    padded = [np.pad(found, ((0, 0), (0, n_columns - found.shape[1]))) for found, _ in predictions]
    return honesty(np.vstack(padded), np.concatenate([columns for _, columns in predictions]))


def run_row(task, folder, *, n_seeds=5, n_jobs=1, only=None):
    """Measure the models of a task; return ``{name: Result}``, networks first."""
    data = task.load(folder)
    models = {**task.models, **task.baselines}
    names = [name for name in models if only is None or name in only]
    measured = iter(
        Parallel(n_jobs=n_jobs)(
            delayed(_measure)(task, models[name], data, seed)
            for name in names
            for seed in range(n_seeds)
        )
    )
    results = {}
    for name in names:
        scores, seconds, honest = zip(*(next(measured) for _ in range(n_seeds)), strict=True)
        honest = None if honest[0] is None else np.array(honest)
        results[name] = Result(np.array(scores), np.mean(seconds), honest)
    return results


def print_results(task, results, path=None):
    """Print what `run_row` returns, and add it to a file of results, if there is one."""
    if path:
        add_results(path, task, results)
    n_seeds = len(next(iter(results.values())).scores)
    seeds = "one seed" if n_seeds == 1 else f"mean ± sd of {n_seeds} seeds"
    print(f"{task.name}: {task.metric}, {seeds}; processor seconds of a fit")
    for name, result in results.items():
        scores, honest = task.show(result.scores), show_honesty(result)
        print(f"  {name:28s} {scores:20s} {result.seconds:7.1f}  {honest}", flush=True)


def make_parser(description, *, needs_data=True, n_seeds=5, rows=()):
    """Return a parser of what all commands of this folder know: data, seeds, jobs and rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=needs_data, metavar="FOLDER", type=Path)
    parser.add_argument("--seeds", type=int, default=n_seeds, help="how many (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="fits at the same time")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where results are added")
    if rows:
        parser.add_argument("--rows", nargs="+", choices=rows, default=rows, metavar="ROW")
    return parser


def main(*tasks, argv=None):
    """Measure a script's rows and print them."""
    task_of = {task.name: task for task in tasks}
    first = tasks[0]
    parser = make_parser(
        f"{', '.join(task_of)}: {first.metric}",
        needs_data=first.needs_data,
        n_seeds=first.n_seeds,
        rows=list(task_of) if len(tasks) > 1 else (),
    )
    names = [name for task in tasks for name in (*task.models, *task.baselines)]
    parser.add_argument("--models", nargs="+", choices=list(dict.fromkeys(names)), metavar="MODEL")
    options = parser.parse_args(argv)
    for name in getattr(options, "rows", task_of):
        task = task_of[name]
        results = run_row(
            task, options.data, n_seeds=options.seeds, n_jobs=options.jobs, only=options.models
        )
        print_results(task, results, options.csv)
