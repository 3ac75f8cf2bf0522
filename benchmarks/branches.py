"""What several branches cost: beside the flat estimator, and beside each other.

    python benchmarks/branches.py [--rounds 7]

Timed are `fit` (four epochs) and `predict` of `MultimodalGRUClassifier`, with the settings that the
flat estimator has by default for the same data, in medians of alternating rounds in one process:

    one branch      a series, or a text, over `GRUClassifier` on the same sequences; with hidden
                    layers above the branch, as by default, and without
    two branches    a series and a text, over the sum of the two by themselves
    with a table    a series beside five static columns, over the series by itself
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)

TRAINING = {"max_iter": 4, "random_state": 0, "n_jobs": 1}
STATIC = [f"static{i}" for i in range(5)]


def make_data(n, seed=0):
    """Return a table of series, texts and static columns, their token ids, and classes."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{i}" for i in range(2000)])
    series = [rng.normal(size=(rng.integers(20, 61), 6)) for _ in range(n)]
    texts = [" ".join(rng.choice(words, rng.integers(10, 41))) for _ in range(n)]
    table = pd.DataFrame(rng.normal(size=(n, len(STATIC))), columns=STATIC)
    table["series"] = pd.Series(series, dtype=object)
    ids = SequenceVectorizer().fit_transform(texts)
    table["text"] = pd.Series([ids[i] for i in range(n)], dtype=object)
    return table, rng.integers(0, 3, n)


BRANCHES = {
    "series": ("series", SeriesBranch(), "series"),
    "text": ("text", TokenBranch(), "text"),
    "table": ("table", TableBranch(), STATIC),
}


def network(*names, **settings):
    return MultimodalGRUClassifier([BRANCHES[n] for n in names], **TRAINING, **settings)


def seconds(model, X, y):
    """Return the seconds of a fit and of a prediction."""
    start = time.perf_counter()
    model.fit(X, y)
    middle = time.perf_counter()
    model.predict(X)
    return np.array([middle - start, time.perf_counter() - middle])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    X, y = make_data(options.samples)
    flat = {"series": list(X["series"]), "text": list(X["text"])}
    models = {
        # (A branch of several has no random convolutions and no bag beside it.)
        "flat series": (GRUClassifier(**TRAINING, n_convolutions=0), flat["series"]),
        "flat text": (GRUClassifier(**TRAINING, embedding_dim=128, bag=False), flat["text"]),
        "series": (network("series"), X),
        "series, no layer above": (network("series", hidden_layer_sizes=()), X),
        "text": (network("text"), X),
        "text, no layer above": (network("text", hidden_layer_sizes=()), X),
        "series and text": (network("series", "text"), X),
        "series and table": (network("series", "table"), X),
    }
    ratios = {
        "one branch, series": (["series"], ["flat series"]),
        "one branch, series, no layer above": (["series, no layer above"], ["flat series"]),
        "one branch, text": (["text"], ["flat text"]),
        "one branch, text, no layer above": (["text, no layer above"], ["flat text"]),
        "two branches": (["series and text"], ["series", "text"]),
        "two branches, over the flat ones": (["series and text"], ["flat series", "flat text"]),
        "with a table": (["series and table"], ["series"]),
    }
    rounds = []
    for _ in range(options.rounds):
        rounds.append({name: seconds(*model, y) for name, model in models.items()})
    print(f"{'':36s}   fit predict   (ratios, medians of {options.rounds} rounds)")
    for name, (above, below) in ratios.items():
        of_rounds = [sum(r[n] for n in above) / sum(r[n] for n in below) for r in rounds]
        fit, predict = (statistics.median(values) for values in zip(*of_rounds, strict=True))
        print(f"{name:36s}  {fit:.2f}    {predict:.2f}", flush=True)


if __name__ == "__main__":
    main()
