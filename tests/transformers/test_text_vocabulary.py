"""SequenceVectorizer: the choice of words, given vocabularies, and word vectors."""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from skgru.text import SequenceVectorizer
from tests.transformers.texts import (
    DOCUMENTS,
    MATRIX,
    VECTORS,
    VOCABULARY,
    padded,
    shout,
    split_on_commas,
)


class OnlyLookup:
    """Word vectors with nothing but `in` and [], the common ground of mappings."""

    def __init__(self, vectors):
        self._vectors = vectors

    def __contains__(self, word):
        return word in self._vectors

    def __getitem__(self, word):
        return self._vectors[word]


# Vocabulary


def test_stop_words_disappear():
    vectorizer = padded(stop_words=["the", "on"])
    X = vectorizer.fit_transform(["the cat on the mat"])
    assert vectorizer.inverse_transform(X) == [["cat", "mat"]]


def test_english_stop_words():
    assert set(padded(stop_words="english").fit(DOCUMENTS).vocabulary_) == {
        "cat",
        "sat",
        "mat",
        "dogs",
        "bark",
    }


@pytest.mark.parametrize(
    "parameters", [{"min_df": 2}, {"min_df": 0.5}, {"max_df": 2}, {"max_df": 0.5}]
)
def test_words_dropped_by_document_frequency_become_unknown(parameters):
    selected = set(CountVectorizer(**parameters).fit(DOCUMENTS).vocabulary_)
    vectorizer = padded(**parameters)
    X = vectorizer.fit_transform(DOCUMENTS)
    assert set(vectorizer.vocabulary_) == selected
    assert 0 < len(selected) < len(VOCABULARY)
    words = ["the", "cat", "sat", "on", "the", "mat"]
    expected = [word if word in selected else "<unk>" for word in words]
    assert vectorizer.inverse_transform(X)[1] == expected


def test_max_features_keeps_the_most_frequent_words():
    vectorizer = padded(max_features=2)
    X = vectorizer.fit_transform(DOCUMENTS)
    assert vectorizer.vocabulary_ == {"cat": 2, "the": 3}
    np.testing.assert_array_equal(X[1], [3, 2, 1, 1, 3, 1])


def test_max_features_breaks_ties_alphabetically():
    words = [f"word{i:03d}" for i in range(300)]
    vectorizer = padded(max_features=100).fit([" ".join(reversed(words))])
    assert list(vectorizer.vocabulary_) == words[:100]


def test_max_features_larger_than_the_vocabulary():
    assert padded(max_features=100).fit(DOCUMENTS).vocabulary_ == VOCABULARY


@pytest.mark.parametrize("documents", [[], ["", "?"], ["a b"]])
def test_empty_vocabulary(documents):
    with pytest.raises(ValueError, match="empty vocabulary; perhaps the documents only contain"):
        padded().fit(documents)


def test_selection_that_leaves_nothing():
    with pytest.raises(ValueError, match="After pruning, no terms remain"):
        padded(min_df=4).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="max_df corresponds to < documents than min_df"):
        padded(min_df=3, max_df=2).fit(DOCUMENTS)


@pytest.mark.parametrize("terms", [["on", "cat"], ("on", "cat"), np.array(["on", "cat"])])
def test_given_terms_are_numbered_in_their_order(terms):
    vectorizer = padded(vocabulary=terms)
    X = vectorizer.fit_transform(["cat on mat"])
    assert vectorizer.vocabulary_ == {"on": 2, "cat": 3}
    assert vectorizer.max_length_ == 3
    np.testing.assert_array_equal(X, [[3, 2, 1]])


def test_keys_of_a_dict_are_numbered_in_their_order():
    vectorizer = padded(vocabulary={"on": 0, "cat": 1}.keys()).fit(["cat"])
    assert vectorizer.vocabulary_ == {"on": 2, "cat": 3}


@pytest.mark.parametrize("kind", [set, frozenset])
def test_given_set_is_numbered_alphabetically(kind):
    terms = [f"word{i:02d}" for i in range(50)]
    vectorizer = padded(vocabulary=kind(terms)).fit(DOCUMENTS)
    assert list(vectorizer.vocabulary_) == terms


def test_vocabulary_of_another_vectorizer():
    first = padded().fit(DOCUMENTS)
    second = padded(vocabulary=first.vocabulary_).fit(["the cat sat on the mat"])
    assert second.vocabulary_ == VOCABULARY
    assert second.vocabulary_ is not first.vocabulary_
    np.testing.assert_array_equal(second.transform(DOCUMENTS), MATRIX)


def test_given_ids_may_have_gaps():
    vectorizer = padded(vocabulary={"cat": 9, "mat": 4})
    np.testing.assert_array_equal(vectorizer.fit_transform(["mat cat on"]), [[4, 9, 1]])


def test_given_vocabulary_is_not_selected_from():
    vectorizer = padded(vocabulary=["zebra", "cat"], min_df=4, max_df=0.1, max_features=1).fit(
        DOCUMENTS
    )
    assert vectorizer.vocabulary_ == {"zebra": 2, "cat": 3}


def test_duplicate_terms():
    with pytest.raises(ValueError, match="Duplicate term in vocabulary: 'cat'"):
        padded(vocabulary=["cat", "mat", "cat"]).fit(DOCUMENTS)


@pytest.mark.parametrize("id_", [0, 1, -3, 2.0, "2", None, True])
def test_reserved_and_invalid_ids(id_):
    message = f"distinct integers of 2 or more .*got {id_!r} for 'cat'"
    with pytest.raises(ValueError, match=message):
        padded(vocabulary={"mat": 7, "cat": id_}).fit(DOCUMENTS)


def test_repeated_ids():
    with pytest.raises(ValueError, match="got 5 for both 'mat' and 'cat'"):
        padded(vocabulary={"mat": 5, "cat": 5}).fit(DOCUMENTS)


@pytest.mark.parametrize("vocabulary", [[], {}, set()])
def test_empty_given_vocabulary(vocabulary):
    with pytest.raises(ValueError, match="empty vocabulary passed to fit"):
        padded(vocabulary=vocabulary).fit(DOCUMENTS)


def test_given_vocabulary_without_training_documents():
    with pytest.raises(ValueError, match="At least one document is required"):
        padded(vocabulary=["cat"]).fit([])
    assert SequenceVectorizer(vocabulary=["cat"], max_length=3).fit([]).max_length_ == 3


def test_warns_of_capitals_in_a_given_vocabulary():
    with pytest.warns(UserWarning, match="Upper case characters found in vocabulary"):
        padded(vocabulary=["Cat"]).fit(DOCUMENTS)


@pytest.mark.parametrize(
    "parameters",
    [{"lowercase": False}, {"preprocessor": shout}, {"analyzer": split_on_commas}],
)
def test_capitals_in_a_given_vocabulary_that_can_match(parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        padded(vocabulary=["CAT"], **parameters).fit(DOCUMENTS)


# Word vectors


def test_embedding_matrix():
    vectorizer = padded(vocabulary=["mat", "cat"]).fit(DOCUMENTS)
    matrix = vectorizer.embedding_matrix(VECTORS)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [[0, 0], [0, 0], [3, 10], [1, 10]])


@pytest.mark.parametrize("kind", [OnlyLookup, pd.Series])
def test_embedding_matrix_needs_only_lookup(kind):
    assert not isinstance(kind(VECTORS), Mapping)
    vectorizer = padded(vocabulary=["mat", "cat"]).fit(DOCUMENTS)
    matrix = vectorizer.embedding_matrix(kind(VECTORS))
    np.testing.assert_array_equal(matrix, vectorizer.embedding_matrix(VECTORS))


def test_embedding_matrix_has_rows_up_to_the_largest_id():
    vectorizer = padded(vocabulary={"cat": 5, "mat": 3}).fit(DOCUMENTS)
    matrix = vectorizer.embedding_matrix(VECTORS)
    np.testing.assert_array_equal(matrix, [[0, 0], [0, 0], [0, 0], [3, 10], [0, 0], [1, 10]])


def test_words_without_a_vector_are_drawn_like_the_vectors_found():
    lacking = [f"word{i}" for i in range(2000)]
    vectorizer = padded(vocabulary=["cat", "mat", *lacking]).fit(DOCUMENTS)
    matrix = vectorizer.embedding_matrix(VECTORS, random_state=0)
    drawn = matrix[4:]
    np.testing.assert_allclose(drawn.mean(axis=0), [2.0, 10.0], atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), [1.0, 0.0], atol=0.05)
    assert len(np.unique(drawn[:, 0])) > 1900
    assert not matrix[:2].any()


def test_embedding_matrix_random_state():
    vectorizer = padded().fit(DOCUMENTS)
    first = vectorizer.embedding_matrix(VECTORS, random_state=0)
    np.testing.assert_array_equal(vectorizer.embedding_matrix(VECTORS, random_state=0), first)
    generator = np.random.RandomState(0)
    np.testing.assert_array_equal(
        vectorizer.embedding_matrix(VECTORS, random_state=generator), first
    )
    assert (vectorizer.embedding_matrix(VECTORS, random_state=1) != first).any()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "vectors has none of the words of the vocabulary"),
        ({"zebra": [1.0]}, "vectors has none of the words of the vocabulary"),
        ({"cat": [1.0], "mat": [1.0, 2.0]}, "got 1 for 'cat' and 2 for 'mat'"),
        ({"cat": [[1.0]]}, r"one-dimensional, got shape \(1, 1\) for 'cat'"),
        ({"cat": 1.0}, r"one-dimensional, got shape \(\) for 'cat'"),
        ({"cat": [1.0], "mat": [np.nan]}, "finite, got NaN or infinity for 'mat'"),
        ({"cat": [np.inf]}, "finite, got NaN or infinity for 'cat'"),
    ],
)
def test_unusable_word_vectors(vectors, message):
    vectorizer = padded().fit(DOCUMENTS)
    with pytest.raises(ValueError, match=message):
        vectorizer.embedding_matrix(vectors)
