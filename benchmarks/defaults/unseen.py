"""The default estimators on data sets that no default was chosen on.

    python benchmarks/defaults/unseen.py SET ... [--seeds 3] [--settings JSON] [--train 300]

Each SET is the folder of a set of the UCR archive (https://timeseriesclassification.com) in .ts
format, with the files NAME_TRAIN.ts and NAME_TEST.ts, where NAME is the folder's name. Targets that
are numbers with a fraction make it a regression. Or SET is a CSV file with the columns text and
label: each seed trains on --train texts, drawn at random, and tests on up to 1,000 others.

Printed are the accuracy on the test part, of a regression the root mean squared error, of the
network (mean and standard deviation over the seeds, and seconds a fit) and of what reads all steps
side by side, of texts the bag of words and pairs.
"""

import argparse
import json
import sys
import time
import warnings
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

import series
import texts
from rows import split_at

CLASSIFIERS = {
    "1-NN": KNeighborsClassifier(1),
    "logistic regression": LogisticRegression(max_iter=1000),
    "MLP": MLPClassifier(max_iter=1000, random_state=0),
}
REGRESSORS = {
    "ridge": RidgeCV(np.logspace(-3, 5, 20)),
    "MLP": MLPRegressor(max_iter=1000, random_state=0),
}


def score(model, X, y):
    """Return the accuracy, of numbers the root mean squared error."""
    if y.dtype.kind == "f":
        return root_mean_squared_error(y, model.predict(X))
    return model.score(X, y)


def measure(folder, n_seeds, settings):
    """Print what the models reach on one set."""
    name = folder.name
    (X_train, y_train), (X_test, y_test) = (
        read_ts(folder / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")
    )
    is_regression = any("." in target for target in y_train)
    if is_regression:
        y_train, y_test = y_train.astype(float), y_test.astype(float)
    scores = []
    start = time.perf_counter()
    for seed in range(n_seeds):
        network = (GRURegressor if is_regression else GRUClassifier)(random_state=seed, **settings)
        scores.append(score(network.fit(X_train, y_train), X_test, y_test))
    seconds = (time.perf_counter() - start) / n_seeds

    n_steps = max(map(len, X_train))
    printed = f"{name}: {np.mean(scores):.3f} ± {np.std(scores):.3f}, {seconds:.1f} s"
    for label, model in (REGRESSORS if is_regression else CLASSIFIERS).items():
        model = make_pipeline(series.flattener(n_steps), StandardScaler(), model)
        printed += f"; {label} {score(model.fit(X_train, y_train), X_test, y_test):.3f}"
    print(printed, flush=True)


def measure_texts(path, n_seeds, settings, n_train):
    """Print what the models reach on a file of texts."""
    X, y, _ = texts.read(path)
    splitter = StratifiedShuffleSplit(
        n_seeds, train_size=n_train, test_size=min(1000, len(y) - n_train), random_state=0
    )
    scores, scores_of_bag, seconds = [], [], 0
    for seed, fold in enumerate(splitter.split(y, y)):
        X_train, y_train, X_test, y_test = split_at(X, y, *fold)
        model = texts.network(seed, **settings)
        start = time.perf_counter()
        model.fit(X_train, y_train)
        seconds += (time.perf_counter() - start) / n_seeds
        scores.append(score(model, X_test, y_test))
        bag = texts.bag_of_words(ngram_range=(1, 2)).fit(X_train, y_train)
        scores_of_bag.append(score(bag, X_test, y_test))
    print(
        f"{path.stem}: {np.mean(scores):.3f} ± {np.std(scores):.3f}, {seconds:.1f} s; "
        f"bag of words {np.mean(scores_of_bag):.3f} ± {np.std(scores_of_bag):.3f}",
        flush=True,
    )


def main(argv=None):
    """Measure each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--settings", type=json.loads, default={}, help="other than the defaults")
    parser.add_argument("--train", type=int, default=300, help="how many texts")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    for path in options.sets:
        if path.is_dir():
            measure(path, options.seeds, options.settings)
        else:
            measure_texts(path, options.seeds, options.settings, options.train)


if __name__ == "__main__":
    main()
