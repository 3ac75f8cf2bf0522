"""SequenceVectorizer: ids, the width and padding of their rows, their type, and the way back."""

import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer

from skgru.text import SequenceVectorizer
from tests.transformers.texts import DOCUMENTS, MATRIX, VOCABULARY, padded

# Ids and padding


def test_ids_follow_falling_frequency_then_the_alphabet():
    vectorizer = padded().fit(DOCUMENTS)
    assert vectorizer.vocabulary_ == VOCABULARY
    assert list(vectorizer.vocabulary_) == sorted(VOCABULARY, key=VOCABULARY.get)


def test_frequency_counts_tokens_not_documents():
    vectorizer = padded().fit(["zz zz zz", "aa bb", "aa"])
    assert vectorizer.vocabulary_ == {"zz": 2, "aa": 3, "bb": 4}


def test_ids_are_plain_integers():
    for parameters in ({}, {"max_features": 2}, {"vocabulary": {"cat": np.int64(5)}}):
        vectorizer = padded(**parameters).fit(DOCUMENTS)
        assert {type(id_) for id_ in vectorizer.vocabulary_.values()} == {int}
        assert type(vectorizer.max_length_) is int


def test_fit_transform_gives_rows_of_ids_with_trailing_zeros():
    X = padded().fit_transform(DOCUMENTS)
    assert isinstance(X, np.ndarray)
    assert X.dtype == np.int32
    np.testing.assert_array_equal(X, MATRIX)


def test_fit_then_transform_equals_fit_transform():
    vectorizer = SequenceVectorizer(min_df=2, max_length=0.5, truncating="pre")
    X = vectorizer.fit_transform(DOCUMENTS)
    np.testing.assert_array_equal(clone(vectorizer).fit(DOCUMENTS).transform(DOCUMENTS), X)


def test_fit_transform_analyzes_each_document_once():
    seen = []

    def analyzer(document):
        seen.append(document)
        return document.split()

    padded(analyzer=analyzer).fit_transform(DOCUMENTS)
    assert seen == DOCUMENTS


def test_unseen_words_are_unknown():
    X = padded().fit(DOCUMENTS).transform(["the bird sat"])
    np.testing.assert_array_equal(X, [[3, 1, 4, 0, 0, 0]])


def test_document_of_unknown_words_only():
    X = padded().fit(DOCUMENTS).transform(["quite unheard of"])
    np.testing.assert_array_equal(X, [[1, 1, 1, 0, 0, 0]])


@pytest.mark.parametrize("document", ["", "   ", "?!", "a"])
def test_document_without_tokens_is_a_row_of_zeros(document):
    vectorizer = padded()
    assert not vectorizer.fit_transform([*DOCUMENTS, document])[-1].any()
    assert not vectorizer.transform([document]).any()


def test_no_documents_to_transform():
    assert padded().fit(DOCUMENTS).transform([]).shape == (0, 6)


def test_counts_agree_with_count_vectorizer():
    counter = CountVectorizer().fit(DOCUMENTS)
    vectorizer = padded()
    rows = vectorizer.inverse_transform(vectorizer.fit_transform(DOCUMENTS))
    names = counter.get_feature_names_out()
    for row, counts in zip(rows, counter.transform(DOCUMENTS).toarray(), strict=True):
        assert Counter(row) == {name: n for name, n in zip(names, counts, strict=True) if n}


# Width


def test_width_is_fixed_in_fit():
    vectorizer = padded().fit(["aa bb", "aa"])
    assert vectorizer.max_length_ == 2
    np.testing.assert_array_equal(vectorizer.transform(["aa", "bb aa bb aa"]), [[2, 0], [3, 2]])


def test_by_default_nothing_is_cut_and_nothing_padded():
    vectorizer = SequenceVectorizer().fit(["word"] * 999 + ["word word word"])
    assert vectorizer.max_length_ is None
    X = vectorizer.transform(["word " * 7, "", "word"])
    assert X.shape == (3, 1)
    assert [ids.tolist() for ids in X] == [[2] * 7, [], [2]]
    assert X[0].dtype == np.int32
    assert vectorizer.get_feature_names_out().tolist() == ["tokens"]


def test_one_long_document_costs_what_it_holds():
    documents = ["word"] * 5000 + ["word " * 200_000]
    tracemalloc.start()
    X = SequenceVectorizer().fit_transform(documents)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(map(len, X)) == 205_000
    assert peak < 50e6  # a matrix would take 4 GB


@pytest.mark.parametrize(
    ("truncating", "expected"),
    [("post", [[2, 3], [2, 0], [0, 0]]), ("pre", [[4, 5], [2, 0], [0, 0]])],
)
def test_truncating(truncating, expected):
    vectorizer = padded(vocabulary=["aa", "bb", "cc", "dd"], max_length=2, truncating=truncating)
    X = vectorizer.fit_transform(["aa bb cc dd", "aa", ""])
    np.testing.assert_array_equal(X, expected)


def test_drops_the_end_by_default():
    X = SequenceVectorizer(vocabulary=["aa", "bb"], max_length=1).fit_transform(["aa bb"])
    np.testing.assert_array_equal(X, [[2]])


def test_integer_max_length_may_exceed_the_documents():
    vectorizer = SequenceVectorizer(max_length=np.int64(8))
    assert vectorizer.fit_transform(DOCUMENTS).shape == (4, 8)
    assert vectorizer.max_length_ == 8
    assert type(vectorizer.max_length_) is int


@pytest.mark.parametrize(
    ("quantile", "expected"), [(0.05, 1), (0.5, 10), (0.51, 11), (0.95, 19), (1.0, 20)]
)
def test_float_max_length_is_the_width_for_this_share_of_the_documents(quantile, expected):
    documents = [" ".join(["word"] * n) for n in range(1, 21)]
    assert SequenceVectorizer(max_length=quantile).fit(documents).max_length_ == expected


def test_quantile_is_a_length_that_occurs():
    documents = ["word"] * 95 + ["word " * 50] * 5
    assert SequenceVectorizer(max_length=0.95).fit(documents).max_length_ == 1
    assert SequenceVectorizer(max_length=0.96).fit(documents).max_length_ == 50


def test_integer_one_and_float_one_differ():
    assert SequenceVectorizer(max_length=1).fit(DOCUMENTS).max_length_ == 1
    assert SequenceVectorizer(max_length=1.0).fit(DOCUMENTS).max_length_ == 6


@pytest.mark.parametrize("max_length", [0.5, 1.0])
def test_width_is_at_least_one(max_length):
    vectorizer = SequenceVectorizer(vocabulary=["cat"], max_length=max_length)
    np.testing.assert_array_equal(vectorizer.fit_transform(["", ""]), [[0], [0]])
    assert vectorizer.max_length_ == 1


def test_words_outside_the_vocabulary_count_for_the_width_and_stop_words_do_not():
    documents = ["the cat sat on the mat", "cat"]
    assert padded(min_df=2).fit(documents).max_length_ == 6
    assert padded(stop_words=["the", "on"]).fit(documents).max_length_ == 3


# Without fit


@pytest.mark.parametrize("max_length", [None, 4])
def test_a_given_vocabulary_needs_no_fit(max_length):
    vectorizer = SequenceVectorizer(vocabulary=["cat", "sat"], max_length=max_length)
    fitted = clone(vectorizer).fit([])
    X = vectorizer.transform(["sat the cat"])
    assert vectorizer.inverse_transform(X) == [["sat", "<unk>", "cat"]]
    assert [x.tolist() for x in X] == [x.tolist() for x in fitted.transform(["sat the cat"])]
    assert clone(vectorizer).inverse_transform(X) == [["sat", "<unk>", "cat"]]
    names = clone(vectorizer).get_feature_names_out()
    assert names.tolist() == fitted.get_feature_names_out().tolist()
    assert clone(vectorizer).embedding_matrix({"cat": [1.0]}).shape == (4, 1)


def test_a_share_of_documents_needs_fit():
    with pytest.raises(NotFittedError):
        SequenceVectorizer(vocabulary=["cat"], max_length=0.5).transform(["cat"])


def test_truncating_nothing_warns():
    with pytest.warns(UserWarning, match="'truncating' will not be used since 'max_length' is"):
        SequenceVectorizer(truncating="pre").fit(DOCUMENTS)


# Inverse


def test_inverse_transform():
    vectorizer = padded().fit(DOCUMENTS)
    X = vectorizer.transform(["the bird sat", "", "zzz"])
    assert vectorizer.inverse_transform(X) == [["the", "<unk>", "sat"], [], ["<unk>"]]


def test_inverse_transform_of_other_ids():
    vectorizer = padded(vocabulary=["cat"]).fit(DOCUMENTS)
    assert vectorizer.inverse_transform([[2, 99, -1], [0, 2, 0]]) == [
        ["cat", "<unk>", "<unk>"],
        ["cat"],
    ]


def test_inverse_transform_of_no_rows():
    assert padded().fit(DOCUMENTS).inverse_transform(np.zeros((0, 6), int)) == []


@pytest.mark.parametrize("X", [[[2.0, 3.0]], [[2.5]]])
def test_inverse_transform_needs_integers(X):
    vectorizer = padded().fit(DOCUMENTS)
    with pytest.raises(ValueError, match=r"Expected integer token ids, got .* float64"):
        vectorizer.inverse_transform(X)


def test_inverse_transform_needs_rows():
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        padded().fit(DOCUMENTS).inverse_transform([2, 3])


words = st.text("abcdé我", min_size=2, max_size=4)
texts = st.lists(st.lists(words, max_size=8).map(" ".join), max_size=6)


@settings(derandomize=True, max_examples=50, deadline=None, database=None)
@given(
    training=texts,
    documents=texts,
    width=st.integers(1, 10),
    truncating=st.sampled_from(["pre", "post"]),
)
def test_inverse_of_transform_is_the_truncated_document(training, documents, width, truncating):
    vectorizer = SequenceVectorizer(max_length=width, truncating=truncating)
    vectorizer.fit([*training, "always there"])
    X = vectorizer.transform(documents)
    assert X.shape == (len(documents), width)
    if not documents:
        return
    analyze = vectorizer.build_analyzer()
    for tokens, document in zip(vectorizer.inverse_transform(X), documents, strict=True):
        kept = analyze(document)
        kept = kept[-width:] if truncating == "pre" else kept[:width]
        assert tokens == [w if w in vectorizer.vocabulary_ else "<unk>" for w in kept]


# Output


def test_feature_names():
    vectorizer = SequenceVectorizer(max_length=3).fit(DOCUMENTS)
    names = vectorizer.get_feature_names_out()
    assert names.dtype == object
    assert names.tolist() == ["token_0", "token_1", "token_2"]
    assert vectorizer.get_feature_names_out(["text"]).tolist() == names.tolist()


@pytest.mark.parametrize(("library", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output(library, frame):
    vectorizer = padded().set_output(transform=library)
    fitted = vectorizer.fit_transform(DOCUMENTS)
    for X in (fitted, vectorizer.transform(DOCUMENTS)):
        assert isinstance(X, frame)
        assert list(X.columns) == [f"token_{i}" for i in range(6)]
        assert X.to_numpy().dtype == np.int32
        np.testing.assert_array_equal(X.to_numpy(), MATRIX)
    assert vectorizer.inverse_transform(fitted)[0] == ["the", "cat", "sat"]


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.int64, "int64", np.dtype("uint16"), int]
)
def test_integer_dtypes(dtype):
    vectorizer = padded(dtype=dtype)
    X = vectorizer.fit_transform(DOCUMENTS)
    assert X.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(X, MATRIX)
    assert vectorizer.transform([]).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", [float, bool, object, "U5", complex])
def test_other_dtypes(dtype):
    with pytest.raises(ValueError, match="dtype must be an integer type"):
        padded(dtype=dtype).fit(DOCUMENTS)


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_dtype_too_small_for_the_ids(method):
    vocabulary = {"cat": 127, "mat": 128}
    vectorizer = padded(vocabulary=vocabulary, dtype=np.int8)
    with pytest.raises(ValueError, match=r"dtype int8 .* up to 127, .* vocabulary is 128"):
        getattr(vectorizer, method)(DOCUMENTS)
    X = vectorizer.set_params(dtype=np.uint8).fit_transform(["mat cat"])
    np.testing.assert_array_equal(X, [[128, 127]])


def test_dtype_that_just_holds_the_ids():
    X = padded(vocabulary={"cat": 127}, dtype=np.int8).fit_transform(["cat"])
    np.testing.assert_array_equal(X, [[127]])


def test_dtype_made_too_small_after_fit():
    vectorizer = padded(vocabulary={"cat": 300}).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="dtype int8 holds ids up to 127"):
        vectorizer.set_params(dtype=np.int8).transform(DOCUMENTS)
