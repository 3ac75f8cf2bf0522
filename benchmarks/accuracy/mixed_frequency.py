"""Two channels sampled at different rates, aligned: is the bill above the median?

    python benchmarks/accuracy/mixed_frequency.py [--seeds 5] [--jobs 1] [--rows ROW ...]
        [--models MODEL ...]

The data are made here. A household's load is read every hour, with one reading in ten lost; the
price of a day is told once, at midnight. The label says whether the bill of four days, the sum of
the days' load times price, is above the median bill. Load and price vary alike and independently of
each other, mostly from day to day. So either alone, even if known exactly, tells less than three
quarters of the labels, and all load times all price nine tenths: for the rest, the load of each day
has to meet the day's price, told up to 23 hours before.

SequenceAligner puts both on the union of their times: a row an hour, the price NaN in all but one
of 24. The same network (SETTINGS, missing="decay") learns from both channels or from one alone, on
three quarters of the households, and is tested on the others. Each seed makes other data and starts
from other weights. Beside the network stand the exact sums, of all households.
"""

from functools import partial

import numpy as np
from rows import Task, accuracy, main, split_at
from series import Sample, sequences, summaries
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

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
N_SAMPLES = 2000
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


def splits(channels, data, seed):
    """Return the one split of the data that the seed makes."""
    readings, y, sums = make_data(N_SAMPLES, seed)
    pairs = zip(align(readings, CHANNELS[channels]), sums[channels], strict=True)
    train, test = train_test_split(np.arange(N_SAMPLES), stratify=y, random_state=seed)
    return [split_at([Sample(*pair) for pair in pairs], y, train, test)]


def network(seed):
    """Return the network, which reads the sequences."""
    settings = SETTINGS | {"missing": "decay", "time_feature": 0, "random_state": seed}
    return make_pipeline(FunctionTransformer(sequences), GRUClassifier(**settings))


class ExactSum:
    """Says whether the exact sum is above its median; learns nothing, so all households count."""

    def __init__(self, seed):
        pass

    def fit(self, X, y):
        """Keep the households, to count them too."""
        self.X_, self.y_ = X, y

    def score(self, X, y):
        """Return the accuracy on these households and on those seen before."""
        sums = summaries([*self.X_, *X])
        return np.mean((sums > np.median(sums)) == np.concatenate([self.y_, y]))


TASKS = [
    Task(
        channels,
        "accuracy",
        lambda folder: None,  # each seed makes its own data
        partial(splits, channels),
        accuracy,
        models={"network": network},
        baselines={"exact sum": ExactSum},
        needs_data=False,
    )
    for channels in CHANNELS
]

if __name__ == "__main__":
    main(*TASKS)
