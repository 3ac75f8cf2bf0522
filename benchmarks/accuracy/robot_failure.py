"""Robot failures: what went wrong after a failed movement; five problems of 47 to 164 recordings.

    python benchmarks/accuracy/robot_failure.py --data FOLDER

FOLDER holds `robot_failure.npz` (https://archive.ics.uci.edu/dataset/138): 15 steps of 6 forces
and torques, with the arrays LP1_X (88, 15, 6) and LP1_y (88,) to LP5_X and LP5_y. The score of a
seed is the mean over the five problems of the accuracy in a stratified 5-fold cross-validation,
with folds of its own. Published (MLSTM-FCN, single splits): .86, .83, .80, .92, .66.
"""

import warnings
from functools import partial

import numpy as np
import series
from rows import Task, accuracy, main, split_at
from sklearn.model_selection import StratifiedKFold


def load(folder):
    """Return X and y of each problem."""
    with np.load(folder / "robot_failure.npz") as data:
        return [(data[f"LP{i}_X"], data[f"LP{i}_y"]) for i in range(1, 6)]


def splits(data, seed):
    """Return the five folds of each problem, one after the other."""
    found = []
    for X, y in data:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # classes of fewer than five recordings
            warnings.simplefilter("ignore", UserWarning)
            pairs = list(folds.split(X, y))
        found += [split_at(X, y, train, test) for train, test in pairs]
    return found


TASK = Task(
    "robot failures",
    "accuracy, mean of LP1 to LP5",
    load,
    splits,
    accuracy,
    models=series.networks(3),
    baselines={"MLP": partial(series.perceptron, n_steps=15)},
)

if __name__ == "__main__":
    main(TASK)
