import copy
import pickle
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Mapping

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils import estimator_checks, get_tags

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


def padded(**parameters):
    """Return a vectorizer whose output is a matrix as wide as the longest training document."""
    return SequenceVectorizer(**{"max_length": 1.0} | parameters)


def split_on_commas(document):
    return document.split(",")


def shout(document):
    return document.upper()


def identity(tokens):
    return tokens


class OnlyLookup:
    """Word vectors with nothing but `in` and [], the common ground of mappings."""

    def __init__(self, vectors):
        self._vectors = vectors

    def __contains__(self, word):
        return word in self._vectors

    def __getitem__(self, word):
        return self._vectors[word]


def test_check_estimator():
    # scikit-learn has no data for its checks of estimators of text, and says so.
    with pytest.warns(SkipTestWarning, match="Can't test estimator SequenceVectorizer"):
        estimator_checks.check_estimator(padded())


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_estimators_unfitted,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_param_validation,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_transformers_unfitted,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_scikit_learn_checks_that_need_no_documents(check):
    check("SequenceVectorizer", padded())


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


# Tokenization


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii"},
        {"strip_accents": shout},
        {"token_pattern": r"\w+"},
        {"token_pattern": r"(\w)\w+"},
        {"tokenizer": split_on_commas, "token_pattern": None},
        {"preprocessor": shout},
        {"analyzer": "char"},
        {"analyzer": split_on_commas},
        {"stop_words": ["the"]},
    ],
)
def test_analyzer_is_that_of_count_vectorizer(parameters):
    document = "The CAFÉ, the café: a Ca\u0301t,  x"
    expected = CountVectorizer(**parameters).build_analyzer()(document)
    assert padded(**parameters).build_analyzer()(document) == expected
    vectorizer = padded(**parameters)
    X = vectorizer.fit_transform([document])
    assert vectorizer.inverse_transform(X) == [expected]


def test_chinese_characters():
    vectorizer = padded(analyzer="char")
    X = vectorizer.fit_transform(["我爱你", "我们"])
    assert vectorizer.vocabulary_["我"] == 2
    assert X.shape == (2, 3)
    assert vectorizer.inverse_transform(X) == [["我", "爱", "你"], ["我", "们"]]
    assert vectorizer.inverse_transform(vectorizer.transform(["他爱我"])) == [["<unk>", "爱", "我"]]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"ngram_range": (1, 2)}, ["not", "not so", "so", "so good", "good"]),
        ({"ngram_range": (2, 2)}, ["not so", "so good"]),
        ({"ngram_range": (1, 2), "stop_words": ["so"]}, ["not", "not good", "good"]),
        ({"ngram_range": (4, 5)}, []),
        (
            {"ngram_range": (11, 12), "analyzer": "char"},
            ["not so good", "not so good!", "ot so good!"],
        ),
    ],
)
def test_ngrams_stand_in_the_order_of_their_beginnings(parameters, expected):
    vectorizer = padded(**parameters)
    assert vectorizer.build_analyzer()("Not so good!") == expected


@pytest.mark.parametrize("analyzer", ["word", "char"])
@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 3), (2, 3)])
def test_ngrams_are_those_of_count_vectorizer(analyzer, ngram_range):
    parameters = {"analyzer": analyzer, "ngram_range": ngram_range}
    vectorizer = padded(**parameters).fit(DOCUMENTS)
    assert set(vectorizer.vocabulary_) == set(
        CountVectorizer(**parameters).fit(DOCUMENTS).vocabulary_
    )


def test_rare_ngrams_become_unknown():
    vectorizer = padded(ngram_range=(1, 2), min_df=2)
    X = vectorizer.fit_transform(["not good", "not good", "not bad", "bad"])
    assert vectorizer.inverse_transform(X)[2] == ["not", "<unk>", "bad"]


def test_ngrams_of_a_tokenizer_that_is_a_generator_function():
    def tokenizer(document):
        yield from document.split()

    vectorizer = padded(tokenizer=tokenizer, token_pattern=None, ngram_range=(1, 2))
    assert vectorizer.build_analyzer()("a b") == ["a", "a b", "b"]


@pytest.mark.parametrize("ngram_range", [(2, 1), (0, 1), (1,), (1, 2, 3), (1.0, 2), (1, "2", 3)])
def test_invalid_ngram_range(ngram_range):
    with pytest.raises(ValueError, match="ngram_range must be a pair of integers"):
        padded(ngram_range=ngram_range).fit(DOCUMENTS)


def test_analyzer_may_be_a_generator_function():
    def analyzer(document):
        yield from document.split()

    X = padded(analyzer=analyzer, vocabulary=["aa", "bb"]).fit_transform(["bb aa"])
    np.testing.assert_array_equal(X, [[3, 2]])


@pytest.mark.parametrize(
    "parameters",
    [
        {"analyzer": identity},
        {"preprocessor": identity, "tokenizer": identity, "token_pattern": None},
    ],
)
def test_tokenized_documents(parameters):
    X = padded(**parameters).fit_transform([["New York", "is"], ("is",), []])
    np.testing.assert_array_equal(X, [[3, 2], [2, 0], [0, 0]])


def test_tokens_need_not_be_strings():
    vectorizer = padded(analyzer=identity)
    X = vectorizer.fit_transform([[("run", "VERB"), ("run", "NOUN")], [("run", "VERB")]])
    np.testing.assert_array_equal(X, [[2, 3], [2, 0]])
    assert vectorizer.inverse_transform(X)[1] == [("run", "VERB")]


def test_documents_as_bytes():
    documents = [document.encode("latin-1") for document in ["un café noir", "café"]]
    vectorizer = padded(encoding="latin-1").fit(documents)
    assert vectorizer.vocabulary_["café"] == 2
    with pytest.raises(UnicodeDecodeError):
        padded().fit(documents)
    assert "caf" in padded(decode_error="ignore").fit(documents).vocabulary_


@pytest.mark.parametrize(
    ("parameters", "unused"),
    [
        ({"analyzer": "char", "stop_words": ["the"]}, "stop_words"),
        ({"analyzer": "char", "token_pattern": r"\w"}, "token_pattern"),
        ({"analyzer": "char", "tokenizer": split_on_commas}, "tokenizer"),
        ({"analyzer": split_on_commas, "preprocessor": shout}, "preprocessor"),
        ({"analyzer": split_on_commas, "strip_accents": "ascii"}, "strip_accents"),
        ({"analyzer": split_on_commas, "ngram_range": (1, 2)}, "ngram_range"),
        ({"tokenizer": split_on_commas, "token_pattern": r"\w"}, "token_pattern"),
    ],
)
def test_warns_of_parameters_without_effect(parameters, unused):
    with pytest.warns(UserWarning, match=f"The parameter '{unused}' will not be used"):
        padded(**parameters).fit(DOCUMENTS)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"analyzer": "char"},
        {"analyzer": split_on_commas},
        {"tokenizer": split_on_commas},
        {"stop_words": "english"},
        {"analyzer": "char", "ngram_range": (1, 2)},
    ],
)
def test_does_not_warn_otherwise(parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        padded(**parameters).fit(DOCUMENTS).transform(DOCUMENTS)


# Documents


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        iter,
        np.array,
        lambda documents: np.array(documents, dtype=object),
        lambda documents: (document for document in documents),
        pd.Series,
        lambda documents: pd.Series(documents, index=[7, 7, 1, 0], dtype=object),
        lambda documents: pd.Series(documents, dtype="string"),
        lambda documents: pd.Series(documents, dtype="category"),
        pl.Series,
    ],
)
def test_containers_of_documents(container):
    vectorizer = padded()
    np.testing.assert_array_equal(vectorizer.fit_transform(container(DOCUMENTS)), MATRIX)
    assert vectorizer.vocabulary_ == VOCABULARY
    np.testing.assert_array_equal(vectorizer.transform(container(DOCUMENTS)), MATRIX)


@pytest.mark.parametrize("document", ["the cat", b"the cat"])
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_single_string(method, document):
    vectorizer = padded().fit(DOCUMENTS)
    with pytest.raises(
        ValueError, match="Iterable over raw text documents expected, string object"
    ):
        getattr(vectorizer, method)(document)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_data_frame_instead_of_a_column(method, frame):
    vectorizer = padded().fit(DOCUMENTS)
    with pytest.raises(ValueError, match=r"DataFrame of shape \(4, 1\) received; pass a single"):
        getattr(vectorizer, method)(frame({"text": DOCUMENTS}))


@pytest.mark.parametrize(
    "document", [None, np.nan, float("nan"), pd.NA, 3, 2.5, {"the": 1}, {"the"}]
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_document_that_is_not_a_string(method, document):
    vectorizer = padded().fit(DOCUMENTS)
    name = type(document).__name__
    with pytest.raises(
        TypeError, match=f"to be a string or a list .*got .* of type {name} at position 2"
    ):
        getattr(vectorizer, method)(["the cat", "sat", document, "on"])


@pytest.mark.parametrize("document", [None, np.nan, pd.NA, 3])
def test_missing_document_with_a_callable_analyzer(document):
    with pytest.raises(TypeError, match="at position 1"):
        padded(analyzer=identity).fit([["cat"], document])


@pytest.mark.parametrize("series", [pd.Series(["cat", None]), pl.Series(["cat", None])])
def test_missing_document_in_a_series(series):
    with pytest.raises(TypeError, match="at position 1"):
        padded().fit(series)


# Documents that are tokenized already

TOKENIZED = [d.split() for d in ["the cat sat", "the cat sat on the mat", "a cat", "dogs bark"]]


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        lambda d: [tuple(tokens) for tokens in d],
        lambda d: [np.array(tokens) for tokens in d],
        lambda d: [np.array(tokens, object) for tokens in d],
        pd.Series,
        pl.Series,
        pa.array,
    ],
    ids=["list", "tuple", "tuples", "arrays", "object arrays", "pandas", "polars", "arrow"],
)
def test_lists_of_strings_are_tokens_as_they_are(container):
    vectorizer = SequenceVectorizer()
    X = vectorizer.fit_transform(container(TOKENIZED))
    assert vectorizer.vocabulary_ == {
        "cat": 2, "the": 3, "sat": 4, "a": 5, "bark": 6, "dogs": 7, "mat": 8, "on": 9
    }  # fmt: skip
    assert vectorizer.inverse_transform(X) == TOKENIZED
    assert vectorizer.inverse_transform(vectorizer.transform([["The", "a", "zz"]])) == [
        ["<unk>", "a", "<unk>"]
    ]


def test_stop_words_and_ngrams_of_tokenized_documents():
    vectorizer = SequenceVectorizer(stop_words=["on", "the"], ngram_range=(1, 2))
    X = vectorizer.fit_transform([["New York", "on", "air"], "air on air"])
    assert vectorizer.inverse_transform(X) == [
        ["New York", "New York air", "air"],
        ["air", "air air", "air"],
    ]


@pytest.mark.parametrize("token", [3, None, b"cat", ["cat"], 2.5])
def test_a_token_that_is_no_string(token):
    with pytest.raises(TypeError, match=r"as a token of the document at position 1"):
        SequenceVectorizer().fit([["the"], ["cat", token]])


@pytest.mark.parametrize("documents", [{"a cat", "dogs"}, {"a": "cat"}, frozenset(["a cat"])])
def test_documents_without_order(documents):
    with pytest.raises(TypeError, match="whose order has nothing to do with y's"):
        SequenceVectorizer().fit(documents)


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


# Word vectors

VECTORS = {"cat": [1.0, 10.0], "mat": [3.0, 10.0], "zebra": [99.0, 99.0]}


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


# The scikit-learn way


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("analyzer", "char_wb"),
        ("tokenizer", "split"),
        ("token_pattern", 1),
        ("preprocessor", "lower"),
        ("lowercase", "yes"),
        ("strip_accents", "latin"),
        ("stop_words", "french"),
        ("encoding", None),
        ("decode_error", "raise"),
        ("min_df", 0),
        ("min_df", 1.5),
        ("max_df", -1),
        ("max_df", "all"),
        ("max_features", 0),
        ("vocabulary", 7),
        ("max_length", 0),
        ("max_length", 0.0),
        ("max_length", 1.5),
        ("max_length", "longest"),
        ("truncating", "middle"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_parameters_are_validated(method, name, value):
    vectorizer = padded(**{name: value})
    message = f"The '{name}' parameter of SequenceVectorizer must be"
    with pytest.raises(ValueError, match=message):
        getattr(vectorizer, method)(DOCUMENTS)


def test_shared_parameters_have_the_defaults_of_count_vectorizer():
    parameters = padded().get_params()
    shared = CountVectorizer().get_params().keys() & parameters.keys()
    assert parameters.keys() - shared == {"max_length", "truncating"}
    for name in shared - {"dtype"}:
        assert parameters[name] == CountVectorizer().get_params()[name]
    assert parameters["dtype"] is np.int32


def test_parameters_are_keyword_only():
    with pytest.raises(TypeError):
        padded("word")


@pytest.mark.parametrize(
    "use",
    [
        lambda vectorizer: vectorizer.transform(DOCUMENTS),
        lambda vectorizer: vectorizer.inverse_transform(MATRIX),
        lambda vectorizer: vectorizer.get_feature_names_out(),
        lambda vectorizer: vectorizer.embedding_matrix(VECTORS),
    ],
)
@pytest.mark.parametrize("vocabulary", [None, ["cat"]])
def test_not_fitted(vocabulary, use):
    with pytest.raises(NotFittedError):
        use(padded(vocabulary=vocabulary))


def test_failed_fit_leaves_nothing_fitted():
    vectorizer = padded(dtype=float)
    with pytest.raises(ValueError, match="dtype"):
        vectorizer.fit(DOCUMENTS)
    assert [name for name in vars(vectorizer) if name.endswith("_")] == []


def test_fit_returns_self_and_changes_no_parameter():
    vocabulary = {"cat": np.int64(2), "on": 4}
    parameters = {
        "analyzer": split_on_commas,
        "vocabulary": vocabulary,
        "max_length": 0.5,
        "dtype": "int64",
    }
    vectorizer = padded(**parameters)
    before = copy.copy(vectorizer.get_params())
    assert vectorizer.fit(DOCUMENTS, y=[0, 1, 0, 1]) is vectorizer
    after = vectorizer.get_params()
    assert all(after[name] is before[name] for name in before)
    assert vocabulary == {"cat": 2, "on": 4}
    assert vars(vectorizer).keys() - before.keys() == {"vocabulary_", "max_length_"}


def test_refit_forgets_the_previous_fit():
    vectorizer = padded().fit(DOCUMENTS).fit(["new words"])
    assert vectorizer.vocabulary_ == {"new": 2, "words": 3}
    assert vectorizer.max_length_ == 2


def test_clone_is_unfitted_with_equal_parameters():
    vectorizer = SequenceVectorizer(max_length=0.9, stop_words=["the"]).fit(DOCUMENTS)
    copied = clone(vectorizer)
    assert copied.get_params() == vectorizer.get_params()
    assert not hasattr(copied, "vocabulary_")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"analyzer": split_on_commas},
        {"tokenizer": split_on_commas, "token_pattern": None},
        {"preprocessor": shout},
        {"strip_accents": "unicode", "stop_words": "english"},
    ],
)
def test_pickle_round_trip(parameters):
    vectorizer = padded(**parameters)
    X = vectorizer.fit_transform(DOCUMENTS)
    loaded = pickle.loads(pickle.dumps(vectorizer))
    np.testing.assert_array_equal(loaded.transform(DOCUMENTS), X)
    assert loaded.inverse_transform(X) == vectorizer.inverse_transform(X)


def test_joblib_round_trip(tmp_path):
    vectorizer = padded(analyzer=split_on_commas).fit(DOCUMENTS)
    joblib.dump(vectorizer, tmp_path / "vectorizer.joblib")
    loaded = joblib.load(tmp_path / "vectorizer.joblib")
    assert joblib.hash(loaded) == joblib.hash(vectorizer)


def test_tags():
    tags = get_tags(padded())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == []


REVIEWS = ["good film", "great plot", "good cast", "bad film", "awful plot", "bad cast"] * 4
LABELS = [1, 1, 1, 0, 0, 0] * 4


def classifier():
    return make_pipeline(padded(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression())


def test_pipeline():
    model = classifier().fit(REVIEWS, LABELS)
    assert model.score(REVIEWS, LABELS) == 1.0
    assert model.predict(["good unheard of thing"]) == [1]
    names = model[:-1].get_feature_names_out()
    assert "token_0_2" in names


def test_pipeline_with_a_function_transformer():
    pipeline = make_pipeline(padded(), FunctionTransformer(np.sign))
    np.testing.assert_array_equal(pipeline.fit_transform(DOCUMENTS), MATRIX > 0)


def test_cross_validation_with_words_unseen_in_training():
    documents = [f"{review} unique{i}" for i, review in enumerate(REVIEWS)]
    predicted = cross_val_predict(classifier(), documents, LABELS, cv=3)
    np.testing.assert_array_equal(predicted, LABELS)


def test_grid_search():
    grid = {
        "sequencevectorizer__max_length": [1, 0.5, 1.0],
        "sequencevectorizer__max_features": [1, None],
        "sequencevectorizer__analyzer": ["word", split_on_commas],
    }
    search = GridSearchCV(classifier(), grid, cv=2, error_score="raise").fit(REVIEWS, LABELS)
    assert search.best_score_ == 1.0
    assert len(search.cv_results_["params"]) == 12


def test_column_transformer():
    table = pd.DataFrame({"text": DOCUMENTS, "other": ["x", "y", "x", "y"]})
    columns = ColumnTransformer(
        [
            ("text", padded(), "text"),
            ("other", padded(analyzer="char"), "other"),
        ]
    ).set_output(transform="pandas")
    X = columns.fit_transform(table)
    assert list(X.columns) == [*(f"text__token_{i}" for i in range(6)), "other__token_0"]
    np.testing.assert_array_equal(X, np.column_stack([MATRIX, [2, 3, 2, 3]]))
