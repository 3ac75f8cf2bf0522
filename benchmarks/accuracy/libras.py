"""Libras: 15 signs of Brazilian sign language; 180 recordings to train on, 180 to test.

    python benchmarks/accuracy/libras.py --data FOLDER

FOLDER holds `libras.npz` (https://archive.ics.uci.edu/dataset/181): 45 steps of 2 coordinates of
the hand, with the arrays X_train (180, 45, 2), y_train (180,), and the same of the test. Published:
.780 (MLP), .964 (fully convolutional network).
"""

from functools import partial

import numpy as np
import series
from rows import Task, accuracy, given_split, main
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline


def load(folder):
    """Return training sequences and their labels, test sequences and theirs."""
    with np.load(folder / "libras.npz") as data:
        return tuple(data[name] for name in ("X_train", "y_train", "X_test", "y_test"))


def nearest_neighbour(seed):
    """Return the nearest neighbour of all coordinates."""
    return make_pipeline(series.flattener(45), KNeighborsClassifier(n_neighbors=1))


TASK = Task(
    "Libras",
    "accuracy",
    load,
    given_split,
    accuracy,
    models=series.networks(5, recurrent_dropout=0.2),
    baselines={"MLP": partial(series.perceptron, n_steps=45), "1-NN": nearest_neighbour},
)

if __name__ == "__main__":
    main(TASK)
