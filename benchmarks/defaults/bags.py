"""What a bag of tokens beside the network is worth: texts told by it, and by linear models.

    python benchmarks/defaults/bags.py --data FOLDER [--tasks NAME[:SIZE] ...] [--seeds 2]
        [--models NAME ...] [--characters NAME ...]

FOLDER holds a file NAME.csv or NAME.csv.gz for each task, with the columns `text` and `label`; of
those with a column `split` the rows of "dev" and "test" are not read. SIZE of the texts, drawn at
random, are trained on; without it, four fifths. Of the others at most 1,000 are predicted. The
texts of --characters are read as characters. "order" and "motif" are made: words of a few letters,
whose order tells the class.

Printed are accuracy, log-loss, the temperature that the raw outputs would have to be divided by for
the lowest log-loss, and seconds of the processor a fit; and the difference of accuracy to the best
linear model with its standard error, by sample.
"""

import argparse
import csv
import gzip
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skgru import GRUClassifier, SequenceVectorizer

sys.path.append(str(Path(__file__).parents[1] / "accuracy"))

from probabilities import honesty

MOST_TO_PREDICT = 1000
LINEAR = ("logistic", "SVM")
MODELS = {
    "no bag": lambda kind, seed: _network(kind, seed, bag=False),
    "auto": lambda kind, seed: _network(kind, seed),
    "bag": lambda kind, seed: _network(kind, seed, bag=True),
    "logistic": lambda kind, _: _linear(kind, LogisticRegression(C=10, max_iter=1000)),
    "SVM": lambda kind, _: _linear(kind, LinearSVC()),
}


def _network(kind, seed, **parameters):
    classifier = GRUClassifier(random_state=seed, **parameters)
    return make_pipeline(SequenceVectorizer(analyzer=kind), classifier)


def _linear(kind, classifier):
    return make_pipeline(TfidfVectorizer(analyzer=kind, ngram_range=(1, 2)), classifier)


def make_texts(name, n=2000):
    """Return made texts of letters, and their classes."""
    rng = np.random.RandomState(0)
    X, y = [], np.arange(n) % 2
    for label in y:
        text = rng.choice(list("cdefghijklmnopqrst" if name == "order" else "acgt"), 40)
        places = np.sort(rng.choice(35, 2, replace=False))
        if name == "order":  # which one of two letters comes first
            text[places] = list("ab")[:: 1 if label else -1]
        elif label:  # whether there are five letters in a row
            text[places[0] : places[0] + 5] = list("gataa")
        X.append("".join(text))
    return np.array(X, object), y.astype(str)


def read_texts(folder, name):
    """Return the texts of a file, each once, and their classes."""
    path = folder / f"{name}.csv"
    opened = path.open(encoding="utf-8") if path.exists() else None
    csv.field_size_limit(1 << 24)
    with opened or gzip.open(f"{path}.gz", "rt", encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row.get("split") not in ("dev", "test")]
    labels = {row["text"]: row["label"] for row in rows}
    return np.array(list(labels), object), np.array(list(labels.values()))


def split(y, size, seed):
    """Return which texts to train on, and which to predict; classes of a few texts are left out."""
    classes, counts = np.unique(y, return_counts=True)
    rows = np.flatnonzero(np.isin(y, classes[counts >= 4]))
    splitter = StratifiedShuffleSplit if size > 2 * len(classes) else ShuffleSplit
    n_test = min(MOST_TO_PREDICT, len(rows) - size)
    ((train, test),) = splitter(1, train_size=size, test_size=n_test, random_state=seed).split(
        rows, y[rows]
    )
    return rows[train], rows[test]


def measure(make, X, y, rows, seed):
    """Return which predictions are right, log-loss, best temperature, seconds a fit."""
    train, test = rows
    model = make(seed)
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[train], y[train])
    seconds = time.process_time() - begin
    is_right = model.predict(X[test]) == y[test]
    if not hasattr(model, "predict_proba"):
        return is_right, np.nan, np.nan, seconds
    p = model.predict_proba(X[test]).astype(float)
    of_p = honesty(p, np.searchsorted(model.classes_, y[test]))
    return is_right, of_p.log_loss, of_p.temperature, seconds


def main(argv=None):
    """Fit all models to all tasks and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["cr", "order", "motif"])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--characters", nargs="*", default=["waimai_10k"])
    parser.add_argument("--seeds", type=int, default=2, help="parts of each task")
    options = parser.parse_args(argv)
    for task in options.tasks:
        name, _, size = task.partition(":")
        is_made = name in ("order", "motif")
        X, y = make_texts(name) if is_made else read_texts(options.data, name)
        kind = "char" if is_made or name in options.characters else "word"
        found = {}
        for model in options.models:
            of_seeds = []
            for seed in range(options.seeds):
                rows = split(y, int(size or 0.8 * len(y)), seed)
                of_seeds.append(measure(partial(MODELS[model], kind), X, y, rows, seed))
            found[model] = np.concatenate([one[0] for one in of_seeds]).astype(float)
            rest = np.mean([one[1:] for one in of_seeds], axis=0)
            print(
                f"{task:16s} {model:9s} {found[model].mean():.3f}  {rest[0]:6.3f} "
                f"(T {rest[1]:4.2f}) {rest[2]:6.1f} s",
                flush=True,
            )
        linear = [found[model] for model in LINEAR if model in found]
        if linear and "auto" in found:
            off = found["auto"] - max(linear, key=np.mean)
            error = off.std() / len(off) ** 0.5
            print(f"{task:16s} auto - best linear {off.mean():+.3f} ± {error:.3f}", flush=True)


if __name__ == "__main__":
    main()
