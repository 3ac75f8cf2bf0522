"""Waimai: whether a Chinese review of a delivery service is positive; 11,987 reviews, 5 folds.

    python benchmarks/accuracy/waimai.py --data FOLDER

FOLDER holds `waimai_10k.csv.gz`, with the columns label and text
(https://github.com/SophonPlus/ChineseNlpCorpus). The tokens are characters. Each seed makes other
folds.
"""

import numpy as np
import texts
from rows import Task, accuracy, cross_validation, main
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import StratifiedKFold

from skgru import GRUClassifier, SequenceVectorizer

# What the networks that vote read: characters, pairs of neighbours, both.
VIEWS = (
    {"ngram_range": (1, 1)},
    *2 * [{"ngram_range": (2, 2), "min_df": 2}],
    *3 * [{"ngram_range": (1, 2), "min_df": 5}],
)


class LargeStart(ClassifierMixin, BaseEstimator):
    """A network on n-grams of characters, whose vectors start ten times as large as by default."""

    def __init__(self, ngram_range, min_df=1, random_state=None):
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.random_state = random_state

    def fit(self, X, y):
        """Fit vectorizer and network."""
        self.vectorizer_ = SequenceVectorizer(
            analyzer="char", ngram_range=self.ngram_range, min_df=self.min_df
        )
        tokens = self.vectorizer_.fit_transform(X)
        n_ids = max(self.vectorizer_.vocabulary_.values()) + 1
        start = np.random.default_rng(self.random_state).normal(0, 0.3, size=(n_ids, 128))
        self.network_ = GRUClassifier(
            embedding_matrix=start, bag=False, random_state=self.random_state
        )
        self.network_.fit(tokens, y)
        self.classes_ = self.network_.classes_
        return self

    def predict_proba(self, X):
        """Return the probabilities of the classes."""
        return self.network_.predict_proba(self.vectorizer_.transform(X))


def vote(seed):
    """Return the networks, whose probabilities are averaged."""
    members = [
        (f"{i}", LargeStart(**view, random_state=len(VIEWS) * seed + i))
        for i, view in enumerate(VIEWS)
    ]
    return VotingClassifier(members, voting="soft")


TASK = Task(
    "waimai, 5-fold",
    "accuracy",
    lambda folder: texts.read(folder / "waimai_10k.csv.gz")[:2],
    cross_validation(lambda seed: StratifiedKFold(5, shuffle=True, random_state=seed)),
    accuracy,
    models={
        "defaults": lambda seed: texts.network(seed, {"analyzer": "char"}),
        "tuned": vote,
    },
    baselines={"bag of characters, pairs": lambda seed: texts.bag_of_words("char", (1, 2))},
)

if __name__ == "__main__":
    main(TASK)
