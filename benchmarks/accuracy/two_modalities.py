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

In the third row the notes have 1,000 different words, not 12, so each is seldom seen. By default a
trial decides in how many epochs the note takes part; "last two epochs" is without it.
"""

from functools import partial

import numpy as np
import pandas as pd
from rows import Split, Task, main
from sklearn.base import clone

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


def make(n, seed, share_missing, n_words=None):
    """Return a table of n samples, and whether note and series of each agree."""
    rng = np.random.default_rng(seed)
    filler = FILLER if n_words is None else np.array([f"word{i}" for i in range(n_words)])
    is_loud, rises = rng.random((2, n)) < 0.5
    notes, loads = [], []
    for loud, up in zip(is_loud, rises, strict=True):
        words = list(rng.choice(filler, rng.integers(4, 12)))
        words.insert(rng.integers(len(words)), "loud" if loud else "quiet")
        notes.append(" ".join(words))
        n_steps = rng.integers(10, 30)
        loads.append(rng.normal(size=n_steps) + np.linspace(0, 2 if up else -2, n_steps))
    X = pd.DataFrame({"note": pd.Series(notes, dtype=object), "load": pd.Series(loads)})
    is_missing, is_note = rng.random(n) < share_missing, rng.random(n) < 0.5
    X.loc[is_missing & is_note, "note"] = None
    X.loc[is_missing & ~is_note, "load"] = None
    return X, is_loud == rises


def splits(share_missing, n_words, data, seed):
    train = make(1000, seed, share_missing, n_words)
    return [Split(*train, *make(2000, 1000 + seed, share_missing, n_words))]


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
    return lambda seed: clone(
        MultimodalGRUClassifier([BRANCHES[name] for name in names], random_state=seed)
    ).set_params(**settings)


MODELS = {
    "concat": network("note", "load"),
    "gated": network("note", "load", fusion="gated"),
    "concat, no hidden layer": network("note", "load", hidden_layer_sizes=()),
    "note alone": network("note"),
    "load alone": network("load"),
}
LATE = {
    "concat": network("note", "load"),
    "last two epochs": network("note", "load", note__last_epochs=2),
}
TASKS = [
    Task(
        name,
        "accuracy",
        lambda folder: None,
        partial(splits, share_missing, n_words),
        score,
        models=models,
        baselines={},
        needs_data=False,
        show=show,
    )
    for name, share_missing, n_words, models in (
        ("whole", 0.0, None, MODELS),
        ("one of two missing in half", 0.5, None, MODELS),
        ("1,000 words", 0.0, 1000, LATE),
    )
]

if __name__ == "__main__":
    main(*TASKS)
