"""Why the defaults are what they are: one setting changed at a time, cross-validated.

    python benchmarks/defaults/study.py --data FOLDER [--questions NAME ...] [--tasks NAME ...]
        [--settings NAME ...] [--ts FILE ...] [--seeds 1] [--jobs 1]

FOLDER holds the files of benchmarks/accuracy, of which only the training parts are read, or made
series (see tasks.py); --ts adds training files of the UCR archive in .ts format. Each question
changes one parameter of the default estimator; networks of texts have no bag of tokens beside them,
which bags.py is about. Printed are accuracy and log-loss, of regressions
the root mean squared error, averaged over the folds and over --seeds fits of each, and seconds a
fit. The seeds are the same for all settings.
"""

import argparse
import time
import warnings
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import log_loss, root_mean_squared_error
from tasks import TASKS, archive_task

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer, _defaults
from skgru._engine import solvers
from skgru._engine.batches import Order
from skgru._engine.epochs import Descent, epochs
from skgru._nn.gru import GRU
from skgru._nn.schedules import Cosine

TEXTS = ("TREC", "SST-2", "CR", "waimai")
FEW_TEXTS = ("TREC, 300", "CR, 300")
CHANNELS = ("JapaneseVowels", "Libras", "LP1", "LP4", "LP5")
LONG = ("bump", "order", "frequency", "outline")
SIZES = ("pitch", "growth", "loudness", "event", "level", "sales")


def start_uniform(layer, p, rng):
    """Draw all parameters from a uniform distribution of width 2 / sqrt(units), as PyTorch does."""
    bound = layer.n_units**-0.5
    for name in layer.shapes():
        p[name][...] = rng.uniform(-bound, bound, p[name].shape)


def start_with_bias(bias):
    """Return what draws the parameters as ever, but starts the update gates at a bias.

    Below 0 the layer keeps more of the state before, above 0 it takes more of the new one.
    """
    initialize = GRU.initialize

    def start(layer, p, rng):
        initialize(layer, p, rng)
        p["bias"][: layer.n_units] = bias

    return start


def starting(start):
    """Return what lets layers draw their parameters by the function."""
    return partial(patch.object, GRU, "initialize", start)


@contextmanager
def averaging(share):
    """Let trainings end at the mean of the parameters over the last share of their updates.

    Polyak & Juditsky (1992), "Acceleration of stochastic approximation by averaging".
    """
    step = Descent.step

    def step_and_average(descent, theta, gradient):
        rate = step(descent, theta, gradient)
        n = descent.n_updates - int((1 - share) * descent.n_planned)
        if n == 1:
            descent.mean = theta.astype(float)
        elif n > 1:
            descent.mean += (theta - descent.mean) / n
        if descent.n_updates == descent.n_planned:
            theta[:] = descent.mean
        return rate

    with patch.object(Descent, "step", step_and_average):
        yield


@contextmanager
def growing_batches(*shares):
    """Let batches double after each of these shares of the epochs, at a rate that stays.

    Smith et al. (2018), "Don't decay the learning rate, increase the batch size",
    arXiv 1711.00489. After a tenth of the updates of the schedule, as ever, the rate is whole.
    """

    def with_growing(objective, order, descent, n_epochs, rng, observers, n_done=0):
        sizes = [
            order.batch_size * 2 ** sum(epoch >= share * n_epochs for share in shares)
            for epoch in range(n_done, n_epochs)
        ]
        n = objective.n_sequences
        descent.n_planned = sum(-(-n // size) for size in sizes)
        coming = iter(sizes)

        class Growing(Order):
            def batches(self, lengths, rng):
                return self._replace(batch_size=next(coming)).whole(lengths, rng)

            def whole(self, lengths, rng):
                return super().batches(lengths, rng)

        return epochs(objective, Growing(*order), descent, n_epochs, rng, observers, n_done)

    rate = Cosine.rate
    with (
        patch.object(solvers, "epochs", with_growing),
        patch.object(Cosine, "rate", lambda self, done, n: rate(self, min(done, 0.1), n)),
    ):
        yield


PLAIN = {"n_convolutions": 0}  # a recurrence by itself
CONSTANT = {"learning_rate": "constant", "n_iter_no_change": np.inf}
TWO_LAYERS = {"hidden_layer_sizes": (64, 64), **PLAIN}

QUESTIONS = {  # name: tasks, and the settings to compare
    "cells": (
        ("TREC", "SST-2", "CR", *CHANNELS, *LONG, "C-MAPSS", *SIZES),
        {
            "gru": PLAIN,
            "gru, two layers": TWO_LAYERS,
            "mingru": {"cell": "mingru", **PLAIN},
            "mingru, two layers": {"cell": "mingru", **TWO_LAYERS},
        },
    ),
    "directions": (
        (*TEXTS[:3:2], *CHANNELS, "C-MAPSS"),
        {
            "defaults": {},
            "one": {"bidirectional": False},
            "one, last": {"bidirectional": False, "pooling": "last"},
            "both, last": {"bidirectional": True, "pooling": "last"},
            "both, max": {"bidirectional": True, "pooling": "max"},
            "both, mean, max": {"bidirectional": True, "pooling": ("mean", "max")},
        },
    ),
    "patches": (
        LONG,
        {
            "defaults": {},
            "joints stay": {"shift_patches": False},
            **{f"{k} steps": {"patch_size": k} for k in (1, 3, 5, 10, 20)},
        },
    ),
    "convolutions": (
        (*CHANNELS, *LONG),
        {
            "defaults": {},
            "0": {"n_convolutions": 0},
            "1932": {"n_convolutions": 1932},
            "together": {
                "n_convolutions": 1932,
                "within": partial(patch.object, _defaults, "_MOST_TO_FIT_APART", 0),
            },
        },
    ),
    "label smoothing": (
        (*TEXTS, *FEW_TEXTS, *CHANNELS, *LONG),
        {
            "defaults": {},
            **{str(share): {"label_smoothing": share} for share in (0, 0.02, 0.05, 0.1)},
        },
    ),
    "dropout": (
        (*CHANNELS, *LONG, "C-MAPSS", "adding"),
        {"defaults": {}, **{str(rate): {"dropout": rate} for rate in (0, 0.2, 0.4)}},
    ),
    "learning rate": (
        (*TEXTS[:3:2], *CHANNELS, *LONG),
        {
            "defaults": {},
            **{str(rate): {"learning_rate_init": rate} for rate in (0.002, 0.005, 0.02)},
        },
    ),
    "updates": (
        (*CHANNELS, *LONG),
        {"defaults": {}, **{f"{n} updates": {"updates": n} for n in (300, 500, 2000)}},
    ),
    "fewer updates": (
        ("JapaneseVowels", "Libras", "LP1", "LP5", "bump", "outline"),
        {
            "defaults": {},
            "500": {"updates": 500},
            "500, .02": {"updates": 500, "learning_rate_init": 0.02},
            "500, .03": {"updates": 500, "learning_rate_init": 0.03},
            "500, averaged": {"updates": 500, "within": partial(averaging, 0.25), **CONSTANT},
            "batches grow": {"within": partial(growing_batches, 0.5, 0.75, 0.875)},
        },
    ),
    "epochs of many sequences": (
        ("C-MAPSS", "fine dust", "orders", "pitch, 20,000", "adding, 20,000"),
        {
            "defaults": {},
            "3 epochs": {"max_iter": 3},
            "4 epochs": {"max_iter": 4},
            "64": {"batch_size": 64},
            "64, .02": {"batch_size": 64, "learning_rate_init": 0.02},
            "128, .02": {"batch_size": 128, "learning_rate_init": 0.02},
            "averaged": {"within": partial(averaging, 0.25), **CONSTANT},
            "batches grow": {"within": partial(growing_batches, 0.25, 0.5, 0.75)},
        },
    ),
    "epochs on texts": (
        (*TEXTS, *FEW_TEXTS),
        {"defaults": {}, **{f"{n} updates": {"updates": n} for n in (100, 400, 1000)}},
    ),
    "epochs on letters": (
        ("TREC, letters", "CR, letters"),
        {"defaults": {}, **{f"{n} epochs": {"max_iter": n} for n in (4, 10)}},
    ),
    "batch size": (
        CHANNELS,
        {"defaults": {}, **{str(size): {"batch_size": size} for size in (8, 16, 64)}},
    ),
    "weight decay": (
        (*TEXTS[:3:2], *CHANNELS, *LONG, "C-MAPSS", "adding"),
        {"defaults": {}, **{str(rate): {"weight_decay": rate} for rate in (0, 0.01, 1)}},
    ),
    "units": (
        (*TEXTS[:3:2], *CHANNELS),
        {"defaults": {}, **{str(n): {"hidden_layer_sizes": n} for n in (32, 128)}},
    ),
    "initialization": (
        ("CR", *CHANNELS, *LONG, "adding"),
        {
            "defaults": {},
            "uniform": {"within": starting(start_uniform)},
            "bias -1": {"within": starting(start_with_bias(-1))},
            "bias 1": {"within": starting(start_with_bias(1))},
        },
    ),
    "early stopping": (
        ("CR", "waimai", *CHANNELS, "C-MAPSS", "adding"),
        {"defaults": {}, **{str(stops): {"early_stopping": stops} for stops in (True, False)}},
    ),
    "clipping": (
        (*TEXTS[:3:2], *CHANNELS, *LONG, "C-MAPSS", "adding"),
        {"defaults": {}, **{str(norm): {"max_grad_norm": norm} for norm in (None, 0.25, 5)}},
    ),
    "scaling": (
        (*CHANNELS, "C-MAPSS", *SIZES),
        {
            "defaults": {},
            **{
                str(kind): {"scaling": kind}
                for kind in (None, "standard", "robust", "sequence", "auto")
            },
        },
    ),
    "schedule": (
        (*TEXTS[:3:2], *CHANNELS),
        {"defaults": {}, "constant": CONSTANT},
    ),
}


def measure(task, settings, fold, seed):
    """Return score, log-loss (NaN for a regression) and seconds of a fit."""
    X_train, y_train, X_test, y_test = task.split(fold)
    settings = dict(settings)
    if task.analyzer is not None:
        vectorizer = SequenceVectorizer(analyzer=task.analyzer).fit(X_train)
        X_train, X_test = vectorizer.transform(X_train), vectorizer.transform(X_test)
        settings |= {"embedding_dim": 128, "bag": False}
    if "updates" in settings:
        settings["max_iter"] = int(np.ceil(settings.pop("updates") / np.ceil(len(y_train) / 32)))
    within = settings.pop("within", nullcontext)
    model = (GRURegressor if task.is_regression else GRUClassifier)(random_state=seed, **settings)
    begin = time.perf_counter()
    with warnings.catch_warnings(), within():
        warnings.simplefilter("ignore")
        model.fit(X_train, y_train)
    seconds = time.perf_counter() - begin
    if task.is_regression:
        return root_mean_squared_error(y_test, model.predict(X_test)), np.nan, seconds
    p = model.predict_proba(X_test).astype(float)
    right = np.mean(model.classes_[p.argmax(axis=1)] == y_test)
    p = np.clip(p, 1e-6, 1)
    p /= p.sum(axis=1, keepdims=True)
    return right, log_loss(y_test, p, labels=model.classes_), seconds


def main(argv=None):
    """Ask the questions and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER", type=Path)
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=None)
    parser.add_argument("--settings", nargs="+", default=None)
    parser.add_argument("--ts", nargs="+", default=(), metavar="FILE", type=Path)
    parser.add_argument("--seeds", type=int, default=1, help="fits of each fold")
    parser.add_argument("--jobs", type=int, default=1, help="fits at the same time")
    options = parser.parse_args(argv)

    archive = {path.stem: archive_task(path) for path in options.ts}
    for question in options.questions:
        names, settings = QUESTIONS[question]
        print(f"{question}: score, log-loss, seconds a fit")
        for name in (*(options.tasks or names), *archive):
            task = archive[name] if name in archive else TASKS[name](options.data)
            for setting, parameters in settings.items():
                if options.settings and setting not in options.settings:
                    continue
                n_folds = len(task.splits)
                results = Parallel(n_jobs=options.jobs)(
                    delayed(measure)(task, parameters, seed % n_folds, seed)
                    for seed in range(n_folds * options.seeds)
                )
                score, loss, seconds = np.mean(results, axis=0)
                print(
                    f"  {name:16s} {setting:14s} {score:8.4f} {loss:8.4f} {seconds:7.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
