"""JSB Chorales: which notes sound next; 229 chorales to train on, 77 to test.

    python benchmarks/accuracy/jsb_chorales.py --data FOLDER

FOLDER holds `JSB_Chorales.npz` (Boulanger-Lewandowski et al. 2012): for train, valid and test the
arrays `…_bits` (all steps, 11), whose bits are the 88 keys, and `…_offset`, where each chorale
begins. The network has a target at every step: the keys of the next one. The score is the negative
log likelihood of the 88 keys of a step, averaged over all steps, in nats. The perceptron reads the
step before only. Published: 8.43 (GRU), 8.45 (LSTM), 8.91 (simple network; Bai et al. 2018).
"""

import numpy as np
from rows import Split, Task, given_split, main
from sklearn.neural_network import MLPClassifier

from skgru import GRUClassifier


def load(folder):
    """Return the keys of all steps but the last of each chorale, and of all but the first."""
    with np.load(folder / "JSB_Chorales.npz") as data:
        chorales = [
            np.split(
                np.unpackbits(data[f"{part}_bits"], axis=1)[:, :88].astype(int),
                data[f"{part}_offset"][1:-1],
            )
            for part in ("train", "test")
        ]
    return Split(
        *(
            [keys[:-1] if is_input else keys[1:] for keys in part]
            for part in chorales
            for is_input in (True, False)
        )
    )


def negative_log_likelihood(model, split):
    """Return it per step, in nats."""
    p = np.concatenate(list(model.predict_proba(split.X_test)))
    y = np.concatenate(split.y_test)
    p = np.clip(p.astype(float), 1e-7, 1 - 1e-7)
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / len(y))


class LastStep:
    """A perceptron that reads the last step only."""

    def __init__(self, seed):
        self.model = MLPClassifier(max_iter=100, early_stopping=True, random_state=seed)

    def fit(self, X, y):
        """Fit to all steps, each for itself."""
        self.model.fit(np.concatenate(X), np.concatenate(y))
        return self

    def predict_proba(self, X):
        """Return the probabilities of each chorale's steps."""
        return [self.model.predict_proba(x) for x in X]


TASK = Task(
    "JSB Chorales",
    "NLL per step",
    load,
    given_split,
    negative_log_likelihood,
    models={
        "defaults": lambda seed: GRUClassifier(pooling=None, random_state=seed),
        "tuned": lambda seed: GRUClassifier(
            200,
            pooling=None,
            scaling=None,
            dropout=0,
            recurrent_dropout=0.3,
            batch_size=16,
            max_iter=80,
            learning_rate_init=0.003,
            weight_decay=0,
            random_state=seed,
        ),
    },
    baselines={"MLP on the last step": LastStep},
)

if __name__ == "__main__":
    main(TASK)
