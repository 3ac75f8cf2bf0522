"""The mark of token ids: it survives what carries X, and tells ids from numbers."""

import numpy as np
import pytest

from skgru import GRUClassifier, SequenceVectorizer
from skgru._data.ids import Tokens, look_like_ids
from tests.datasets import small

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "table",
    [
        RNG.integers(0, 5, size=(40, 6)),
        RNG.integers(0, 2, size=(40, 6)),
        RNG.integers(1, 9, size=(40, 6)),
        -RNG.integers(0, 5, size=(40, 6)),
        np.triu(np.ones((40, 6), int), 2),
        RNG.integers(0, 5, size=(40, 1)),
        np.zeros((40, 6), int),
    ],
)
def test_other_integers_are_numbers_without_a_word(table):
    assert not look_like_ids(table)
    small(GRUClassifier, embedding_dim="auto").fit(table, ["bad", "good"] * 20)


def test_padding_on_either_side_looks_like_ids():
    post = np.array([[3, 2, 0], [4, 2, 3]])
    assert look_like_ids(post)
    assert look_like_ids(post[:, ::-1])
    assert not look_like_ids(np.array([[3, 0, 0], [0, 2, 3]]))
    assert not look_like_ids(np.array([[3, 0, 2], [4, 2, 3]]))


def test_arithmetic_makes_plain_arrays():
    X = SequenceVectorizer(max_length=3).fit_transform(["a cat", "the cat sat"])
    for result in (X + 1, X > 0, np.sqrt(X)):
        assert type(result) is np.ndarray
    assert isinstance(X[0], Tokens)
    assert X.max() == 4
