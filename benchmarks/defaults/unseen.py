"""The default estimators on data sets that no default was chosen on.

    OMP_NUM_THREADS=1 python benchmarks/defaults/unseen.py SET ... [--seeds 3] [--settings JSON]
        [--train 300] [--models MODEL ...] [--csv FILE]

Each SET is the folder of a set of the UCR archive (https://timeseriesclassification.com) in .ts
format, with the files NAME_TRAIN.ts and NAME_TEST.ts, where NAME is the folder's name. Targets that
are numbers with a fraction make it a regression. Or SET is a CSV file with the columns text and
label: each seed trains on --train texts, drawn at random, and tests on up to 1,000 others.

Printed are the accuracy on the test part, of a regression the root mean squared error, of the
network and of what reads all steps side by side, of texts the bag of words and pairs; beside them
MiniRocket, if the package aeon is there, gradient boosting, and of texts a linear support vector
machine.
"""

import argparse
import json
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tasks import read_ts

from skgru import GRUClassifier, GRURegressor

sys.path.append(str(Path(__file__).parents[1] / "accuracy"))  # as in tasks

import rivals
import series
import texts
from rows import Task, accuracy, given_split, print_results, run_row, split_at


def network(seed, is_regression, settings):
    """Return the estimator of series."""
    return (GRURegressor if is_regression else GRUClassifier)(random_state=seed, **settings)


def nearest_neighbour(seed):
    """Return the nearest neighbour."""
    return KNeighborsClassifier(1)


def logistic_regression(seed):
    """Return logistic regression."""
    return LogisticRegression(max_iter=1000)


def ridge(seed):
    """Return ridge regression, its penalty chosen by leaving one out."""
    return RidgeCV(np.logspace(-3, 5, 20))


def perceptron(seed, is_regression):
    """Return the multi-layer perceptron."""
    return (MLPRegressor if is_regression else MLPClassifier)(max_iter=1000, random_state=seed)


def of_table(make_model, n_steps, seed):
    """Return a model that reads all steps side by side, scaled."""
    return make_pipeline(series.flattener(n_steps), StandardScaler(), make_model(seed))


def error(model, split):
    """Return the root mean squared error."""
    return root_mean_squared_error(split.y_test, model.predict(split.X_test))


def task_of_series(folder, settings):
    """Return the task of a set of the archive."""
    name = folder.name
    (X_train, y_train), (X_test, y_test) = (
        read_ts(folder / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")
    )
    is_regression = any("." in target for target in y_train)
    if is_regression:
        y_train, y_test = y_train.astype(float), y_test.astype(float)
    n_steps = max(map(len, X_train))
    tables = {"MLP": partial(perceptron, is_regression=is_regression)}
    if is_regression:
        tables |= {"ridge": ridge}
    else:
        tables |= {"1-NN": nearest_neighbour, "logistic regression": logistic_regression}
    baselines = {label: partial(of_table, make, n_steps) for label, make in tables.items()}
    return Task(
        name,
        "root mean squared error" if is_regression else "accuracy",
        lambda _: (X_train, y_train, X_test, y_test),
        given_split,
        error if is_regression else accuracy,
        {"defaults": partial(network, is_regression=is_regression, settings=settings)},
        baselines if is_regression else baselines | rivals.of_series(n_steps),
    )


def task_of_texts(path, settings, n_train):
    """Return the task of a file of texts."""
    X, y, _ = texts.read(path)
    n_test = min(1000, len(y) - n_train)

    def splits(_, seed):
        splitter = StratifiedShuffleSplit(
            1, train_size=n_train, test_size=n_test, random_state=seed
        )
        return [split_at(X, y, *next(splitter.split(y, y)))]

    return Task(
        f"{path.stem}, {n_train} texts",
        "accuracy",
        lambda _: None,
        splits,
        accuracy,
        {"defaults": partial(texts.network, **settings)},
        {
            "bag of words": lambda seed: texts.bag_of_words(ngram_range=(1, 2)),
            "linear SVM": rivals.linear_svm,
        },
    )


def main(argv=None):
    """Measure each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--settings", type=json.loads, default={}, help="other than the defaults")
    parser.add_argument("--train", type=int, default=300, help="how many texts")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="some of those that are there")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where results are added")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    for path in options.sets:
        if path.is_dir():
            task = task_of_series(path, options.settings)
        else:
            task = task_of_texts(path, options.settings, options.train)
        results = run_row(task, None, n_seeds=options.seeds, only=options.models)
        print_results(task, results, options.csv)


if __name__ == "__main__":
    main()
