"""The tasks that the defaults were chosen on: training parts only, cross-validated."""

import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

sys.path.append(str(Path(__file__).parents[1] / "accuracy"))  # where the same files are read

import adding
import basic_motions
import beijing_pm25
import japanese_vowels
import libras
import robot_failure
import texts
import turbofan
from rows import split_at


class Task(NamedTuple):
    """A task.

    Attributes
    ----------
    X : list or ndarray
        Sequences, or texts.
    y : ndarray of shape (n,)
    analyzer : {"word", "char"} or None
        How texts are cut into tokens; None = numbers.
    splits : list of (train, test)
        Index arrays.
    is_regression : bool
    """

    X: object
    y: np.ndarray
    analyzer: str | None
    splits: list
    is_regression: bool

    def split(self, fold):
        """Return what one fold fits to and is scored on."""
        return split_at(self.X, self.y, *self.splits[fold])


# --- Texts ---------------------------------------------------------------------------------------


def _texts(path, analyzer="word", n_train=None, n_splits=3):
    """Return the training part of a file of texts, with splits that hold a fifth out.

    A file that is not split has all.
    """
    X, y, parts = texts.read(path)
    if "train" in parts:
        X, y, *_ = texts.read_split(path)
    size = {"test_size": 0.2} if n_train is None else {"train_size": n_train, "test_size": 1000}
    splitter = StratifiedShuffleSplit(n_splits, random_state=0, **size)
    return Task(X, y, analyzer, list(splitter.split(y, y)), False)


# --- Series --------------------------------------------------------------------------------------


def _series(X, y):
    """Return labelled series with five stratified folds, fewer where a class is smaller."""
    smallest = np.unique(y, return_counts=True)[1].min()
    folds = StratifiedKFold(max(2, min(5, smallest)), shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return Task(X, y, None, list(folds.split(y, y)), False)


def _turbofan(folder):
    """Return all windows of 30 cycles; whole engines are held out."""
    engines = turbofan.read_engines(folder, "train")
    X, y = turbofan.to_windows(engines, [turbofan.cycles_left(x) for x in engines])
    engine = np.repeat(np.arange(len(engines)), [len(x) - turbofan.WINDOW + 1 for x in engines])
    splits = GroupShuffleSplit(2, test_size=0.2, random_state=0).split(X, y, engine)
    return Task(X, y, None, list(splits), True)


def _fine_dust(folder, horizon=24):
    """Return windows of 48 hours, the targets of the fourth of five years held out."""
    (split,) = beijing_pm25.splits(horizon, beijing_pm25.load(folder), 0)
    year, X = (
        split.X_train.year_of_target(),
        np.ascontiguousarray(split.X_train.steps(), np.float32),
    )
    is_held_out = year == beijing_pm25.VALIDATION
    splits = [(np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out))]
    return Task(X, split.y_train, None, splits, True)


def read_ts(path):
    """Return the series (n_steps, n_channels) of a file in .ts format, and the targets as text."""
    X, y = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and line[0] not in "#@":
                *channels, target = line.strip().split(":")
                X.append(np.array([channel.split(",") for channel in channels], float).T)
                y.append(target)
    return X, np.array(y)


def archive_task(path):
    """Return a training file of the UCR archive, in .ts format, as a task."""
    return _series(*read_ts(path))


# --- Series that are made here -------------------------------------------------------------------


def _first(n_train, n_test):
    """Return a split: the first samples to train on, those behind them to test."""
    return np.arange(n_train), np.arange(n_train, n_train + n_test)


def _adding(n_train=9000, n_test=1000):
    X, y = adding.make_adding(n_train + n_test, seed=5)
    return Task(X, y, None, [_first(n_train, n_test)], True)


def _made(make_one, n, n_steps, n_classes=3):
    """Return n series of so many steps with mean 0 and variance 1."""
    rng = np.random.default_rng(7)
    y = np.arange(n) % n_classes
    X = np.array([make_one(label, n_steps, rng) for label in y])
    return _series((X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True), y)


def _bump(label, n_steps, rng):
    """Return noise with a cylinder, a bell or a funnel somewhere (Saito 1994)."""
    start = rng.integers(n_steps // 8, n_steps // 3)
    stop = start + rng.integers(n_steps // 4, n_steps // 2)
    t = np.arange(n_steps)
    shape = [np.ones(n_steps), (t - start) / (stop - start), (stop - t) / (stop - start)][label]
    is_inside = (t >= start) & (t < stop)
    return (6 + rng.normal()) * is_inside * shape + rng.normal(size=n_steps)


def _order(label, n_steps, rng):
    """Return noise with a sharp bump and its mirror image; the class is which comes first."""
    width = n_steps // 20
    bump = 3 * np.sign(np.arange(width) - width // 2 + 0.5)
    x = rng.normal(size=n_steps)
    first, second = np.sort(rng.choice(n_steps - width, 2, replace=False))
    if second - first < width:
        first, second = n_steps // 8, n_steps // 2
    for start, sign in zip((first, second), [(1, -1), (-1, 1)][label], strict=True):
        x[start : start + width] += sign * bump
    return x


def _frequency(label, n_steps, rng):
    """Return a noisy sine of 6, 7.5 or 9 periods, about, in any phase."""
    periods = [6, 7.5, 9][label] * (1 + rng.normal(0, 0.03))
    phase = np.arange(n_steps) / n_steps * periods + rng.random()
    return np.sin(2 * np.pi * phase) + rng.normal(0, 0.5, n_steps)


def _outline(label, n_steps, rng):
    """Return a smooth outline that differs in where it has a dent, as those of leaves do."""
    angle = 2 * np.pi * np.arange(n_steps) / n_steps + rng.normal(0, 0.15)
    x = np.sin(angle) + 0.5 * np.sin(2 * angle + 0.3)
    x += 0.2 * rng.normal() * np.sin(3 * angle + 6 * rng.random())
    dent = [1.5, 2.2, 4.0][label] + rng.normal(0, 0.1)
    x += 0.5 * np.exp(-np.square((angle - dent) / 0.15)) * (1 + 0.2 * rng.normal())
    drift = 0.08 * np.cumsum(rng.normal(0, 0.1, n_steps))
    return x + drift + rng.normal(0, 0.03, n_steps)


def make_orders(n, seed):
    """Return n sequences, and which of five orders their bumps have.

    They have 30 steps of 4 features, noise with a bump in three of the features.
    """
    rng = np.random.default_rng(seed)
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]])
    y = rng.integers(len(orders), size=n)
    X = rng.standard_normal((n, 30, 4)).astype(np.float32)
    steps = np.sort(rng.permuted(np.tile(np.arange(30), (n, 1)), axis=1)[:, :3], axis=1)
    X[np.arange(n)[:, None], steps, orders[y]] += 4.5
    return X, y


def _orders(n_train=40_000, n_test=5000):
    return Task(*make_orders(n_train + n_test, 0), None, [_first(n_train, n_test)], False)


# Series of any size.


def _any_size(rng):
    return 10 ** rng.uniform(-6, 0)


def _sized(make_one, n=200, n_classes=4):
    """Return n series as they are made."""
    rng = np.random.default_rng(7)
    y = np.arange(n) % n_classes
    return _series([make_one(label, rng)[:, None] for label in y], y)


def _pitch(label, rng):
    """Return a noisy sine whose frequency is the class."""
    x = np.sin([0.2, 0.26, 0.34, 0.44][label] * np.arange(40) + rng.uniform(0, 6))
    return _any_size(rng) * (x + rng.normal(0, 0.5, 40))


def _pitches(n_train=20_000, n_test=4000):
    rng = np.random.default_rng(7)
    y = np.arange(n_train + n_test) % 4
    X = np.array([_pitch(label, rng) for label in y])[:, :, None]
    return Task(X, y, None, [_first(n_train, n_test)], False)


def _growth(label, rng):
    """Return counts that grow, shrink, have a peak or a dip: their level is as large as they."""
    t = np.linspace(-1, 1, 50)
    x = [0.5 * t, -0.5 * t, np.exp(-np.square(2.5 * t)), -0.5 * np.exp(-np.square(2.5 * t))][label]
    return _any_size(rng) * (1 + x) * np.exp(rng.normal(0, 0.15, 50))


def _loudness(label, rng):
    """Return noise whose size is the class, in steps of one and a half orders."""
    return 10 ** (1.5 * label + rng.normal(0, 0.5)) * rng.normal(size=40)


def _event(label, rng):
    """Return faint noise, in which there is nothing, or an event of three kinds."""
    x, start = 1e-5 * rng.normal(size=60), rng.integers(5, 40)
    if label:
        wave = np.sin([0.5, 0.8, 1.1][label - 1] * np.arange(12))
        x[start : start + 12] += rng.uniform(0.5, 2) * wave
    return x


def _level(label, rng):
    """Return noise of any size around a level that is the class."""
    return label + rng.normal(0, 0.3) + 10 ** rng.uniform(-6, -1) * rng.normal(size=40)


def _sales(n=400, n_steps=24):
    """Return weekly cycles of any size, and the next value of each as its target."""
    rng = np.random.default_rng(7)
    cycle = np.sin(2 * np.pi * np.arange(n_steps + 1) / 7 + rng.uniform(0, 6, (n, 1)))
    noise = rng.normal(0, 0.3, (n, n_steps + 1))
    X = np.array([_any_size(rng) for _ in range(n)])[:, None] * (2 + cycle + noise)
    X /= X[:, -1].std()
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    return Task(list(X[:, :-1, None]), X[:, -1], None, splits, True)


TASKS = {  # name: what returns it, given the folder of the data
    "TREC": lambda folder: _texts(folder / "trec.csv.gz"),
    "SST-2": lambda folder: _texts(folder / "sst2.csv.gz", n_splits=2),
    "CR": lambda folder: _texts(folder / "cr.csv.gz"),
    "waimai": lambda folder: _texts(folder / "waimai_10k.csv.gz", "char", n_splits=2),
    "TREC, letters": lambda folder: _texts(folder / "trec.csv.gz", "char", n_splits=1),
    "CR, letters": lambda folder: _texts(folder / "cr.csv.gz", "char", n_splits=1),
    "TREC, 300": lambda folder: _texts(folder / "trec.csv.gz", n_train=300),
    "CR, 300": lambda folder: _texts(folder / "cr.csv.gz", n_train=300),
    "JapaneseVowels": lambda folder: _series(*japanese_vowels.load(folder)[:2]),
    "BasicMotions": lambda folder: _series(*basic_motions.load(folder)[:2]),
    "Libras": lambda folder: _series(*libras.load(folder)[:2]),
    "LP1": lambda folder: _series(*robot_failure.load(folder)[0]),
    "LP2": lambda folder: _series(*robot_failure.load(folder)[1]),
    "LP3": lambda folder: _series(*robot_failure.load(folder)[2]),
    "LP4": lambda folder: _series(*robot_failure.load(folder)[3]),
    "LP5": lambda folder: _series(*robot_failure.load(folder)[4]),
    "C-MAPSS": _turbofan,
    "adding": lambda folder: _adding(),
    "adding, 20,000": lambda folder: _adding(20_000),
    "fine dust": _fine_dust,
    "pitch, 20,000": lambda folder: _pitches(),
    "bump": lambda folder: _made(_bump, 36, 128),
    "order": lambda folder: _made(_order, 40, 400, n_classes=2),
    "orders": lambda folder: _orders(),
    "frequency": lambda folder: _made(_frequency, 60, 300),
    "outline": lambda folder: _made(_outline, 60, 250),
    **{
        name: lambda folder, make_one=make_one: _sized(make_one)
        for name, make_one in {
            "pitch": _pitch,
            "growth": _growth,
            "loudness": _loudness,
            "event": _event,
            "level": _level,
        }.items()
    },
    "sales": lambda folder: _sales(),
}
