"""Documents, their ids and functions of them, for the tests of SequenceVectorizer."""

import numpy as np

from skgru.text import SequenceVectorizer

DOCUMENTS = ["the cat sat", "the cat sat on the mat", "a cat", "dogs bark"]
VOCABULARY = {"cat": 2, "the": 3, "sat": 4, "bark": 5, "dogs": 6, "mat": 7, "on": 8}
MATRIX = np.array(
    [
        [3, 2, 4, 0, 0, 0],
        [3, 2, 4, 8, 3, 7],
        [2, 0, 0, 0, 0, 0],
        [6, 5, 0, 0, 0, 0],
    ]
)
VECTORS = {"cat": [1.0, 10.0], "mat": [3.0, 10.0], "zebra": [99.0, 99.0]}


def padded(**parameters):
    """Return a vectorizer whose output is a matrix as wide as the longest training document."""
    return SequenceVectorizer(**{"max_length": 1.0} | parameters)


def split_on_commas(document):
    return document.split(",")


def shout(document):
    return document.upper()
