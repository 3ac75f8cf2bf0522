"""The default estimators on data sets that no default was chosen on.

    python benchmarks/defaults/unseen.py FOLDER ... [--seeds 3] [--settings JSON]

Each FOLDER is a set of the UCR archive (https://timeseriesclassification.com) in .ts format, with
the files NAME_TRAIN.ts and NAME_TEST.ts, where NAME is the folder's name. Targets that are numbers
with a fraction make it a regression. Printed are the accuracy on the test part, of a regression the
root mean squared error, of the network (mean and standard deviation over the seeds, and seconds a
fit) and of what reads all steps side by side.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tasks import read_ts

from skgru import GRUClassifier, GRURegressor

CLASSIFIERS = {
    "1-NN": KNeighborsClassifier(1),
    "logistic regression": LogisticRegression(max_iter=1000),
    "MLP": MLPClassifier(max_iter=1000, random_state=0),
}
REGRESSORS = {
    "ridge": RidgeCV(np.logspace(-3, 5, 20)),
    "MLP": MLPRegressor(max_iter=1000, random_state=0),
}


def flatten(X, n_steps):
    """Return series as rows of a table, cut to `n_steps` steps or filled up with zeros."""
    table = np.zeros((len(X), n_steps, X[0].shape[1]))
    for row, x in zip(table, X, strict=True):
        row[: len(x)] = x[:n_steps]
    return table.reshape(len(X), -1)


def score(model, X, y):
    """Return the accuracy, of numbers the root mean squared error."""
    if y.dtype.kind == "f":
        return float(np.sqrt(np.mean(np.square(model.predict(X) - y))))
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
        model = make_pipeline(StandardScaler(), model).fit(flatten(X_train, n_steps), y_train)
        printed += f"; {label} {score(model, flatten(X_test, n_steps), y_test):.3f}"
    print(printed, flush=True)


def main(argv=None):
    """Measure each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--settings", type=json.loads, default={}, help="other than the defaults")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    for folder in options.folders:
        measure(folder, options.seeds, options.settings)


if __name__ == "__main__":
    main()
