"""Two channels sampled at different rates, aligned: is the bill above the median?

    python benchmarks/accuracy/mixed_frequency.py [--samples 2000] [--seeds 5] [--jobs 1]
        [--channels CHANNELS ...] [--epochs N]

The data are made here. A household's load is read every hour, with one reading in ten lost; the
price of a day is told once, at midnight. The label says whether the bill of four days, the sum of
the days' load times price, is above the median bill. Load and price vary alike and independently of
each other, mostly from day to day. So either alone, even if known exactly, tells less than three
quarters of the labels, and all load times all price nine tenths: for the rest, the load of each day
has to meet the day's price, told up to 23 hours before.

SequenceAligner puts both on the union of their times: a row an hour, the price NaN in all but one
of 24. The same network (SETTINGS, missing="decay") learns from both channels or from one alone, on
three quarters of the households, and is tested on the others. Printed is the accuracy, mean ±
standard deviation over the seeds, each of which makes other data and starts from other weights;
beside it that of the exact sums.
"""

import argparse
import time
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skgru import GRUClassifier, SequenceAligner

SETTINGS = {
    "hidden_layer_sizes": 32,
    "batch_size": 32,
    "max_iter": 20,
    "n_iter_no_change": np.inf,
    "learning_rate": "cosine",
    "learning_rate_init": 0.01,
    "bidirectional": False,
    "pooling": "last",
    "patch_size": 1,
    "dropout": 0,
    "weight_decay": 0,
}
CHANNELS = {"both": ("load", "price"), "load": ("load",), "price": ("price",)}
N_DAYS, DAY = 4, 24
LOST = 0.1  # share of the readings
BETWEEN, WITHIN, HOURLY = 0.2, 0.8, 0.3  # deviations of logarithms: households, days, hours


def make_data(n_samples, seed):
    """Return the readings of each channel as columns, the labels, and exact sums to judge by."""
    rng = np.random.default_rng(seed)

    def levels():
        between = BETWEEN * rng.standard_normal((n_samples, 1))
        return np.exp(between + WITHIN * rng.standard_normal((n_samples, N_DAYS)))

    price = levels()
    load = np.repeat(levels(), DAY, axis=1)
    load *= np.exp(HOURLY * rng.standard_normal(load.shape))
    of_day = load.reshape(n_samples, N_DAYS, DAY).sum(axis=2)
    bill = (of_day * price).sum(axis=1)
    sums = {"load": of_day.sum(axis=1), "price": price.sum(axis=1)}
    sums["both"] = sums["load"] * sums["price"]

    readings = {"load": to_columns(load, 1), "price": to_columns(price, DAY)}
    is_kept = rng.random(load.size) >= LOST
    readings["load"] = {name: column[is_kept] for name, column in readings["load"].items()}
    return readings, bill > np.median(bill), sums


def to_columns(values, hours):
    """Return a long table of values (n_samples, n_times) that lie so many hours apart."""
    sample, position = np.indices(values.shape)
    return {"sample": sample.ravel(), "time": position.ravel() * hours, "value": values.ravel()}


def align(readings, channels):
    """Return a sequence (n_times, 1 + n_channels) of each household: the time, the channels."""
    parts = [readings[channel] for channel in channels]
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    table["channel"] = np.repeat(channels, [len(part["time"]) for part in parts])
    return SequenceAligner().fit_transform(table)


def measure(channels, n_samples, seed, epochs):
    """Return the accuracies of the network and of the exact sum, and the seconds of the network."""
    readings, y, sums = make_data(n_samples, seed)
    X = align(readings, CHANNELS[channels])
    train, test = train_test_split(np.arange(n_samples), stratify=y, random_state=seed)
    settings = SETTINGS | {"missing": "decay", "time_feature": 0, "random_state": seed}
    if epochs is not None:
        settings["max_iter"] = epochs
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        network = GRUClassifier(**settings).fit([X[i] for i in train], y[train])
    accuracy = network.score([X[i] for i in test], y[test])
    seconds = time.perf_counter() - start
    sums = sums[channels]
    return accuracy, np.mean((sums > np.median(sums)) == y), seconds


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument(
        "--channels", nargs="+", choices=CHANNELS, default=list(CHANNELS), metavar="CHANNELS"
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="fits at the same time")
    parser.add_argument("--epochs", type=int, default=None)
    options = parser.parse_args(argv)

    print(f"{'channels':10s}        network   exact sum   seconds")
    for channels in options.channels:
        results = Parallel(n_jobs=options.jobs)(
            delayed(measure)(channels, options.samples, seed, options.epochs)
            for seed in range(options.seeds)
        )
        accuracy, of_sum, seconds = np.array(results).T
        print(
            f"{channels:10s}{accuracy.mean():7.3f} ± {accuracy.std():.3f} {of_sum.mean():11.3f} "
            f"{seconds.mean():9.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
