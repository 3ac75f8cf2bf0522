"""What the rows of texts share: reading the files, the networks, the bag of words."""

import numpy as np
from rows import Split, accuracy, read_csv
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer


def read(path):
    """Return texts, labels and parts (such as "train", or "") of a CSV file."""
    rows = read_csv(path)
    labels = np.array([row["label"] for row in rows])
    return [row["text"] for row in rows], labels, np.array([row.get("split", "") for row in rows])


def read_split(path):
    """Return the training and the test part of a file as a `Split`."""
    texts, labels, parts = read(path)
    is_train, is_test = parts == "train", parts == "test"
    return Split(
        [text for text, taken in zip(texts, is_train, strict=True) if taken],
        labels[is_train],
        [text for text, taken in zip(texts, is_test, strict=True) if taken],
        labels[is_test],
    )


def network(seed, vectorizer=None, **settings):
    """Return vectorizer and network: with no settings, the defaults."""
    return make_pipeline(
        SequenceVectorizer(**(vectorizer or {})), GRUClassifier(random_state=seed, **settings)
    )


def beginnings(text):
    """Return the first five letters of each word: those of one stem are one token."""
    return [word[:5] for word in text.lower().split()]


WORDS = {"token_pattern": r"\S+"}
BEGINNINGS = {"analyzer": beginnings}
WORDS_AND_PAIRS = WORDS | {"ngram_range": (1, 2), "min_df": 2}


def vote(seed, vectorizers, **settings):
    """Return networks, one for each way to make tokens, whose probabilities are averaged.

    They have no bags of tokens beside them: their views differ enough.
    """
    members = [
        (f"{i}", network(len(vectorizers) * seed + i, vectorizer, bag=False, **settings))
        for i, vectorizer in enumerate(vectorizers)
    ]
    return VotingClassifier(members, voting="soft")


def vote_of_six(seed):
    """Return two networks on words, two on their beginnings, two on words and pairs of words."""
    return vote(seed, 2 * [WORDS, BEGINNINGS, WORDS_AND_PAIRS])


def bag_of_words(analyzer="word", ngram_range=(1, 1)):
    """Return logistic regression on tf-idf."""
    return make_pipeline(
        TfidfVectorizer(analyzer=analyzer, ngram_range=ngram_range, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )


ENGLISH = {  # what the rows of English texts give their `Task`
    "score": accuracy,
    "models": {"defaults": network, "tuned": vote_of_six},
    "baselines": {"bag of words": lambda seed: bag_of_words(ngram_range=(1, 2))},
}
