"""A label that two modalities tell together, and neither of them alone.

    python benchmarks/accuracy/two_modalities.py

The data, made here, are 1,000 samples to train on and 2,000 to test, each with a note of 5 to 12
words, one of which is "loud" or "quiet", and a series of 10 to 29 noisy steps that rises or falls.
The class is whether the two agree: a note or a series by itself tells nothing of it.

In the second row one of the two, note or series, is missing in half of the samples, in training and
in the test. There nobody can do better than chance, so the best accuracy is

    (share of whole samples) · 1 + (share of the others) · 1/2

and the second score is what is missing of that: best less reached, on the same test samples, where
the guesses of the others count as half right. The networks have their defaults.
"""

from functools import partial

import numpy as np
import pandas as pd
from rows import Split, Task, main

from skgru import (
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TokenBranch,
)

FILLER = np.array(["the", "pump", "was", "seen", "on", "a", "round", "this", "week", "by", "us"])
BRANCHES = {
    "note": ("note", TokenBranch(SequenceVectorizer()), "note"),
    "load": ("load", SeriesBranch(), "load"),
}


def make(n, seed, share_missing):
    """Return a table of n samples, and whether note and series of each agree."""
    rng = np.random.default_rng(seed)
    is_loud, rises = rng.random((2, n)) < 0.5
    notes, loads = [], []
    for loud, up in zip(is_loud, rises, strict=True):
        words = list(rng.choice(FILLER, rng.integers(4, 12)))
        words.insert(rng.integers(len(words)), "loud" if loud else "quiet")
        notes.append(" ".join(words))
        n_steps = rng.integers(10, 30)
        loads.append(rng.normal(size=n_steps) + np.linspace(0, 2 if up else -2, n_steps))
    X = pd.DataFrame({"note": pd.Series(notes, dtype=object), "load": pd.Series(loads)})
    is_missing, is_note = rng.random(n) < share_missing, rng.random(n) < 0.5
    X.loc[is_missing & is_note, "note"] = None
    X.loc[is_missing & ~is_note, "load"] = None
    return X, is_loud == rises


def splits(share_missing, data, seed):
    train, test = make(1000, seed, share_missing), make(2000, 1000 + seed, share_missing)
    return [Split(*train, *test)]


def score(model, split):
    """Return the accuracy, and how much less it is than the best, on the whole samples."""
    is_right = model.predict(split.X_test) == split.y_test
    is_whole = split.X_test.notna().all(axis=1).to_numpy()
    best = is_whole.mean() + (~is_whole).mean() / 2
    reached = is_right[is_whole].sum() / len(is_right) + (~is_whole).mean() / 2
    return is_right.mean(), best - reached


def show(scores):
    accuracy, lacking = scores[:, 0].T
    return f"{accuracy.mean():.3f} ± {accuracy.std():.3f}, {lacking.mean():.3f} less than the best"


def network(*names, **settings):
    return lambda seed: MultimodalGRUClassifier(
        [BRANCHES[name] for name in names], random_state=seed, **settings
    )


MODELS = {
    "concat": network("note", "load"),
    "gated": network("note", "load", fusion="gated"),
    "concat, no hidden layer": network("note", "load", hidden_layer_sizes=()),
    "note alone": network("note"),
    "load alone": network("load"),
}
TASKS = [
    Task(
        name,
        "accuracy",
        lambda folder: None,
        partial(splits, share_missing),
        score,
        models=MODELS,
        baselines={},
        needs_data=False,
        show=show,
    )
    for name, share_missing in (("whole", 0.0), ("one of two missing in half", 0.5))
]

if __name__ == "__main__":
    main(*TASKS)
