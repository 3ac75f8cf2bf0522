"""Basic Motions: four activities of a smart watch's wearer; 40 recordings to train on, 40 to test.

    python benchmarks/accuracy/basic_motions.py --data FOLDER

FOLDER holds `BasicMotions.npz` (https://timeseriesclassification.com): 100 steps of 6 channels,
with the arrays values_train (40 · 100, 6), y_train (40,), and the same of the test. Published: 1.0
(fully convolutional and residual networks).
"""

from functools import partial

import numpy as np
import series
from rows import Task, accuracy, given_split, main


def load(folder):
    """Return training sequences and their labels, test sequences and theirs."""
    with np.load(folder / "BasicMotions.npz") as data:
        return tuple(
            array
            for part in ("train", "test")
            for array in (data[f"values_{part}"].reshape(-1, 100, 6), data[f"y_{part}"])
        )


TASK = Task(
    "BasicMotions",
    "accuracy",
    load,
    given_split,
    accuracy,
    models=series.networks(5, recurrent_dropout=0.2),
    baselines={"MLP": partial(series.perceptron, n_steps=100)},
)

if __name__ == "__main__":
    main(TASK)
