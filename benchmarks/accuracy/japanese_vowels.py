"""Japanese Vowels: which of nine men speaks; 270 utterances to train on, 370 to test.

    python benchmarks/accuracy/japanese_vowels.py --data FOLDER

FOLDER holds `JapaneseVowels.npz` (https://archive.ics.uci.edu/dataset/128): 7 to 29 steps of 12
coefficients, with the arrays values_train (all steps, 12), lengths_train (270,), the number of
steps of each utterance, y_train (270,), and the same of the test. Published: .976 (MLP), .993
(fully convolutional network).
"""

from functools import partial

import numpy as np
import series
from rows import Task, accuracy, given_split, main


def load(folder):
    """Return training sequences and their labels, test sequences and theirs."""
    with np.load(folder / "JapaneseVowels.npz") as data:
        data_of = dict(data)
    X_train, X_test = (
        np.split(data_of[f"values_{part}"], np.cumsum(data_of[f"lengths_{part}"])[:-1])
        for part in ("train", "test")
    )
    return X_train, data_of["y_train"], X_test, data_of["y_test"]


TASK = Task(
    "Japanese Vowels",
    "accuracy",
    load,
    given_split,
    accuracy,
    models=series.networks(3, recurrent_dropout=0.2),
    baselines={"MLP": partial(series.perceptron, n_steps=29)},
)

if __name__ == "__main__":
    main(TASK)
