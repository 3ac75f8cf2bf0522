"""The mark of token ids: it survives what carries X, and tells ids from numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, SequenceVectorizer
from skgru._data.ids import (
    Tokens,
    as_tokens,
    embedding_rows,
    holds_tokens,
    known_tokens,
    look_like_ids,
)
from tests.containers import objects
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


def test_a_column_has_the_ids_of_one_text_in_each_cell():
    ids = np.array([4, 2, 9, 3])
    column = as_tokens(ids, np.array([0, 2, 2, 4]))
    assert column.shape == (3, 1)
    texts = [column[i] for i in range(3)]
    for text, expected in zip(texts, ([4, 2], [], [9, 3]), strict=True):
        assert type(text) is Tokens
        assert_array_equal(text, expected)
    assert_array_equal(column[1:][1], [9, 3])  # of a slice, too
    assert type(column[:, 0]) is Tokens
    assert type(ids) is np.ndarray


@pytest.mark.parametrize(
    ("X", "holds"),
    [
        (np.array([[2, 3]]), False),
        (np.array([[2, 3]]).view(Tokens), True),
        ([np.array([2]), np.array([3]).view(Tokens)], True),
        ([np.array([2]), np.array([3])], False),
        (objects([np.array([2]), np.array([3]).view(Tokens)]), True),
        (pd.DataFrame({"a": [np.array([2]).view(Tokens)]}), True),
        (pd.DataFrame({"a": [np.array([2]).view(Tokens)], "b": [1]}), False),
        (pd.Series([np.array([2]).view(Tokens)]), True),
        (pd.Series([1.0]), False),
        (pl.DataFrame({"a": pl.Series([np.array([2]).view(Tokens)], dtype=pl.Object)}), True),
        ("texts", False),
        (None, False),
    ],
)
def test_one_marked_sequence_marks_x(X, holds):
    assert holds_tokens(X) == holds


def test_ids_are_rows_the_unknown_ones_the_first_and_padding_none():
    known = known_tokens(np.array([7, 3, 3, 10**9]))
    assert_array_equal(known, [1, 3, 7, 10**9])
    tokens = np.array([1, 3, 7, 10**9, 2, 8, 10**10, 0])
    assert_array_equal(embedding_rows(tokens, known), [0, 1, 2, 3, 0, 0, 0, -1])
    assert_array_equal(known_tokens(np.zeros(0, int)), [1])


@pytest.mark.parametrize("most_flags", [0, 2, 1 << 24], ids=["sorted", "the first ids", "flags"])
@pytest.mark.parametrize("largest", [3, 50, 10**12])
def test_ids_that_occur_are_found_by_flags_or_a_part_at_a_time(most_flags, largest, monkeypatch):
    monkeypatch.setattr("skgru._data.ids._MOST_FLAGS", most_flags)
    monkeypatch.setattr("skgru._data.ids._MOST_AT_ONCE", 7)
    tokens = np.random.default_rng(0).integers(1, largest, 200)
    known = known_tokens(tokens)
    assert_array_equal(known, np.union1d(tokens, [1]), strict=True)
