"""SequenceVectorizer: kinds of documents, and what becomes a token of them."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from skgru.text import SequenceVectorizer
from tests.transformers.texts import DOCUMENTS, MATRIX, VOCABULARY, padded, shout, split_on_commas


def identity(tokens):
    return tokens


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


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize(
    ("container", "said"),
    [
        (pd.Series, r"at position 1. X.fillna\(''\) makes empty .*, X.dropna\(\) leaves them out"),
        (
            lambda documents: pd.Series(documents, ["a", "b", "c"], dtype="string"),
            r"at position 1, which is the row 'b'. X.fillna\(''\)",
        ),
        (
            lambda documents: pd.Series(["a cat", *documents])[1:],
            r"at position 1, which is the row 2. X.fillna\(''\)",
        ),
        (pl.Series, r"at position 1. X.fill_null\(''\) .*, X.drop_nulls\(\) leaves"),
        (pa.array, r"at position 1. X.fill_null\(''\) .*, X.drop_null\(\) leaves"),
        (lambda documents: pa.chunked_array([documents]), r"at position 1. X.fill_null\(''\)"),
        (list, "at position 1. '' in its place is an empty document; or leave it out"),
        (lambda documents: np.array(documents, object), "at position 1. '' in its place is"),
    ],
)
def test_missing_document_is_told_with_its_row_and_a_remedy(container, said, method):
    vectorizer = padded().fit(DOCUMENTS)
    with pytest.raises(TypeError, match=said):
        getattr(vectorizer, method)(container(["the cat", None, "sat"]))


def test_what_is_wrong_but_not_missing_has_no_remedy_for_missing_ones():
    with pytest.raises(TypeError, match=r"of type int at position 1, which is the row 'b'\.$"):
        padded().fit(pd.Series(["the cat", 3], ["a", "b"]))
    with pytest.raises(
        TypeError, match=r"document at position 1, .* 'b'\. Leave missing words out"
    ):
        padded().fit(pd.Series([["the", "cat"], ["sat", None]], ["a", "b"]))


# Scripts without spaces between words

REVIEWS = [
    "很快、好吃、味道足、量大",
    "没有送水没有送水没有送水",
    "菜味道很棒。送餐很及时。",
    "一如既往的好吃",
]
WITHOUT_SPACES = {
    "Chinese": REVIEWS,
    "Japanese": [
        "とても美味しいラーメンでした。",
        "この商品は届くのが遅くて、箱も壊れていました。",
    ],
    "Thai": ["อาหารอร่อยมากครับ บริการดี", "ร้านนี้ไม่อร่อยเลย รอนานมาก"],
}
WITH_SPACES = {
    "English": DOCUMENTS,
    "German": ["Die Donaudampfschifffahrtsgesellschaft zahlt ihren Angestellten wenig"],
    "Korean": ["음식이 정말 맛있어요 배달도 빨라요", "다음에도 주문할게요 감사합니다"],
    "split Chinese": ["没有 送水 没有 送水", "一如既往 的 好吃 味道 很棒 送餐 及时"],
    "split Japanese": ["とても 美味しい ラーメン でし た ありがとう ござい ます おいしい です"],
    "few Chinese words": ["the menu says 宫保鸡丁套餐 which is good and cheap", *DOCUMENTS],
    "katakana": ["コンピューター プログラミング キーボード"],
    "nothing": ["cat", "", "!"],
}


@pytest.mark.parametrize("documents", WITHOUT_SPACES.values(), ids=WITHOUT_SPACES)
@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2)])
def test_clauses_taken_for_words_are_told_once(documents, ngram_range):
    for method in ("fit", "fit_transform"):
        with pytest.warns(
            UserWarning, match=r"whole clauses.*analyzer='char'.*tokenizer"
        ) as caught:
            getattr(SequenceVectorizer(ngram_range=ngram_range), method)(documents)
        assert len(caught) == 1
        assert caught[0].filename == __file__


@pytest.mark.parametrize("documents", WITH_SPACES.values(), ids=WITH_SPACES)
def test_words_are_not_taken_for_clauses(documents):
    SequenceVectorizer().fit_transform(documents)


@pytest.mark.parametrize(
    "parameters",
    [
        {"analyzer": "char"},
        {"analyzer": list},
        {"tokenizer": list},
        {"token_pattern": r"(?u)\b\w+\b"},
    ],
)
def test_who_says_what_a_word_is_hears_nothing_of_clauses(parameters):
    SequenceVectorizer(**parameters).fit(REVIEWS)


def test_lists_of_words_are_no_clauses():
    SequenceVectorizer().fit([["没有送水", "没有送水"], ["味道不错"]])


def test_some_of_many_documents_are_looked_at():
    with pytest.warns(UserWarning, match="whole clauses"):
        SequenceVectorizer().fit(["the cat"] * 1000 + REVIEWS * 5000)


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


def test_texts_beside_lists_of_words_are_told():
    texts, words = ["The cat", "A Dog sat"], [["The", "cat"], ["A", "Dog", "sat"]]
    for fitted, others, said in ((texts, words, "lists of words"), (words, texts, "texts")):
        vectorizer = SequenceVectorizer().fit(fitted)
        vectorizer.transform(fitted)
        vectorizer.transform([])
        with pytest.warns(UserWarning, match=f"X holds {said}, but .* was fitted to"):
            vectorizer.transform(others)
    SequenceVectorizer().fit([*texts, *words]).transform(words)
    SequenceVectorizer(vocabulary=["cat"]).transform(words)
