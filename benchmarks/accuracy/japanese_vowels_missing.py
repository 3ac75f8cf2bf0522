"""Nine speakers told apart with values, or whole steps, removed at random.

    python benchmarks/accuracy/japanese_vowels_missing.py --data FOLDER [--seeds 5] [--jobs 1]
        [--rows ROW ...] [--models MODEL ...]

The data, and published accuracies with nothing removed, are those of `japanese_vowels.py`. From
training and test set alike are removed

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

Each seed removes other values and starts the network from other weights.
"""

from functools import partial

import japanese_vowels
import numpy as np
from filling import FILLERS, Filler
from rows import Split, Task, accuracy, main
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

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


def load(folder):
    """Return the data; the first column of a sequence is the number of the step."""
    X_train, y_train, X_test, y_test = japanese_vowels.load(folder)
    X_train, X_test = (
        [np.column_stack([np.arange(len(x)), x]) for x in X] for X in (X_train, X_test)
    )
    return Split(X_train, y_train, X_test, y_test)


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


def splits(remove, share, data, seed):
    """Return the one split that the data come with, less what is removed."""
    rng = np.random.default_rng(seed)
    X_train, X_test = (remove(X, share, rng) for X in (data.X_train, data.X_test))
    return [data._replace(X_train=X_train, X_test=X_test)]


# --- The network ---------------------------------------------------------------------------------


def network(seed, **settings):
    """Return the network that reads what is left as it is."""
    return GRUClassifier(**SETTINGS, **settings, random_state=seed)


def put_steps_back(X):
    """Return sequences with a row for every step from 0 to the last one; the new rows are NaN."""
    full = []
    for x in X:
        steps = x[:, 0].astype(int)
        full.append(np.full((steps[-1] + 1, x.shape[1]), np.nan))
        full[-1][:, 0] = np.arange(len(full[-1]))
        full[-1][steps] = x
    return full


def filled(seed, method):
    """Return the network behind what fills its input in."""
    return make_pipeline(FunctionTransformer(put_steps_back), Filler(method), network(seed))


def task(name, remove, share):
    """Return the row of what is removed, and how much of it."""
    return Task(
        name,
        "accuracy",
        load,
        partial(splits, remove, share),
        accuracy,
        models={
            "decay": partial(network, missing="decay", time_feature=0),
            "indicator": partial(network, missing="indicator", time_feature=0),
            **{method: partial(filled, method=method) for method in FILLERS},
        },
        baselines={},
    )


TASKS = (
    task("nothing", remove_values, 0),
    task("values-30", remove_values, 0.3),
    task("values-50", remove_values, 0.5),
    task("values-70", remove_values, 0.7),
    task("steps-30", remove_steps, 0.3),
    task("steps-50", remove_steps, 0.5),
    task("steps-70", remove_steps, 0.7),
)

if __name__ == "__main__":
    main(*TASKS)
