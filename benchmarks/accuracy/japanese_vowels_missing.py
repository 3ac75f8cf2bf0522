"""Nine speakers told apart with values, or whole steps, removed at random.

    python benchmarks/accuracy/japanese_vowels_missing.py --data FOLDER [--seeds 5] [--jobs 1]
        [--methods METHOD ...] [--damages DAMAGE ...] [--epochs N]

"Japanese Vowels" (https://archive.ics.uci.edu/dataset/128): two vowels uttered by nine men, as 7
to 29 steps of 12 coefficients; 270 utterances to train on, 370 to test. FOLDER holds them as
`JapaneseVowels.npz` with the arrays values_train (all steps, 12), lengths_train (270,), the number
of steps of each utterance, y_train (270,), the speakers, and the same of the test. Published
accuracies, nothing removed: .976 (an MLP) to .993 (a fully convolutional network).

From training and test set alike are removed

    values  the given share of all values, each on its own
    steps   the given share of each utterance's steps, whole; the first column of all sequences, the
            number of the step in the utterance, tells which are left

and the same network (SETTINGS) gets what is left, in one of these ways:

    decay      as it is, with missing="decay" and time_feature=0: it learns how a value fades with
               its age, and how its state fades with the time between two steps
    indicator  as it is, with missing="indicator"; of steps, it gets those left and their numbers
    mean       values are replaced by their mean over the training set; steps are put back in
    forward    values are replaced by the value before, if none by the mean; steps are put back in
    linear     values are interpolated within the utterance; steps are put back in

Each seed removes other values and starts the network from other weights. Printed is the accuracy on
the test set, mean ± standard deviation over the seeds.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier

SETTINGS = {
    "hidden_layer_sizes": 64,
    "batch_size": 16,
    "max_iter": 60,
    "n_iter_no_change": np.inf,
    "learning_rate": "cosine",
    "learning_rate_init": 0.005,
    "bidirectional": False,
    "pooling": "last",
    "patch_size": 1,
    "dropout": 0.2,
    "weight_decay": 0,
}
DAMAGES = {  # name: what is removed, and how much of it
    "nothing": ("values", 0),
    "values-30": ("values", 0.3),
    "values-50": ("values", 0.5),
    "values-70": ("values", 0.7),
    "steps-30": ("steps", 0.3),
    "steps-50": ("steps", 0.5),
    "steps-70": ("steps", 0.7),
}
METHODS = ("decay", "indicator", "mean", "forward", "linear")


def load(folder):
    """Return training sequences and their labels, test sequences and theirs.

    The first column of a sequence is the number of the step.
    """
    with np.load(Path(folder) / "JapaneseVowels.npz") as data:
        sets = []
        for part in ("train", "test"):
            ends = np.cumsum(data[f"lengths_{part}"])[:-1]
            values = np.split(data[f"values_{part}"].astype(float), ends)
            sets += [[np.column_stack([np.arange(len(x)), x]) for x in values], data[f"y_{part}"]]
    return sets


# --- Removing ------------------------------------------------------------------------------------


def remove_values(X, share, rng):
    """Replace a share of the values by NaN, each with the same probability."""
    damaged = [x.copy() for x in X]
    for x in damaged:
        x[:, 1:][rng.random(x[:, 1:].shape) < share] = np.nan
    return damaged


def remove_steps(X, share, rng):
    """Remove a share of each sequence's steps, but not all of them."""
    kept = (rng.permutation(len(x))[: max(1, round((1 - share) * len(x)))] for x in X)
    return [x[np.sort(steps)] for x, steps in zip(X, kept, strict=True)]


# --- Filling in ----------------------------------------------------------------------------------


def put_steps_back(x):
    """Return x with a row for every step from 0 to its last one; the new rows are NaN."""
    steps = x[:, 0].astype(int)
    full = np.full((steps[-1] + 1, x.shape[1]), np.nan)
    full[:, 0] = np.arange(len(full))
    full[steps] = x
    return full


def fill_mean(x, mean):
    return np.where(np.isnan(x), mean, x)


def fill_forward(x, mean):
    latest = np.where(np.isnan(x), 0, np.arange(len(x))[:, None])
    return fill_mean(np.take_along_axis(x, np.maximum.accumulate(latest), axis=0), mean)


def fill_linear(x, mean):
    """Interpolate each column; its first and last value are repeated towards the ends."""
    filled = fill_mean(x, mean)
    steps = np.arange(len(x))
    for column in range(x.shape[1]):
        is_known = np.isfinite(x[:, column])
        if is_known.any():
            filled[:, column] = np.interp(steps, steps[is_known], x[is_known, column])
    return filled


FILLERS = {"mean": fill_mean, "forward": fill_forward, "linear": fill_linear}


# --- Training and testing ------------------------------------------------------------------------


def make_network(seed, epochs, **settings):
    settings = SETTINGS | settings | {"random_state": seed}
    if epochs is not None:
        settings["max_iter"] = epochs
    return GRUClassifier(**settings)


def measure(sets, damage, method, seed, epochs):
    """Return the accuracy on the test set and the seconds of fit and prediction."""
    X_train, y_train, X_test, y_test = sets
    kind, share = DAMAGES[damage]
    remove = remove_values if kind == "values" else remove_steps
    rng = np.random.default_rng(seed)
    X_train, X_test = remove(X_train, share, rng), remove(X_test, share, rng)

    start = time.perf_counter()
    if method in FILLERS:
        mean = np.nanmean(np.concatenate(X_train), axis=0)
        fill = FILLERS[method]
        X_train, X_test = ([fill(put_steps_back(x), mean) for x in X] for X in (X_train, X_test))
        network = make_network(seed, epochs)
    else:
        network = make_network(seed, epochs, missing=method, time_feature=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        network.fit(X_train, y_train)
    accuracy = network.score(X_test, y_test)
    return accuracy, time.perf_counter() - start


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    parser.add_argument(
        "--damages", nargs="+", choices=DAMAGES, default=list(DAMAGES), metavar="DAMAGE"
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="fits at the same time")
    parser.add_argument("--epochs", type=int, default=None)
    options = parser.parse_args(argv)

    sets = load(options.data)
    print(f"accuracy on the test set, mean ± sd of {options.seeds} seeds; seconds a fit")
    print(f"{'removed':12s}{''.join(f'{method:>16s}' for method in options.methods)}   seconds")
    for damage in options.damages:
        results = Parallel(n_jobs=options.jobs)(
            delayed(measure)(sets, damage, method, seed, options.epochs)
            for method in options.methods
            for seed in range(options.seeds)
        )
        results = np.reshape(results, (len(options.methods), options.seeds, 2))
        cells = "".join(
            f"{accuracy.mean():8.3f} ± {accuracy.std():.3f}" for accuracy in results[:, :, 0]
        )
        print(f"{damage:12s}{cells} {results[:, :, 1].mean():9.1f}", flush=True)


if __name__ == "__main__":
    main()
