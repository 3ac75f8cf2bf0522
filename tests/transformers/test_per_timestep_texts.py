"""PerTimestep on sequences of texts, such as the words of sentences, and on sparse outputs."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru import PerTimestep, SeriesBranch, TableBranch
from tests.containers import objects
from tests.multimodal.samples import classifier
from tests.transformers.steps import Recording, assert_same_sequences

WORDS = [["The", "film", "is", "unwatchable"], ["Watch", "it"], [], ["film"]]
HASHING = HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=32)
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "tuples": lambda words: [tuple(x) for x in words],
    "arrays": lambda words: [np.array(x, str) for x in words],
    "object array": lambda words: pd.Series(words).to_numpy(),
    "Series": pd.Series,
    "Series of polars": lambda words: pl.Series(words, dtype=pl.List(pl.String)),
    "frame": lambda words: pd.DataFrame({"tokens": words}),
    "frame of polars": lambda words: pl.DataFrame({"tokens": words}),
    "table of Arrow": lambda words: pa.table({"tokens": words}),
}


def by_hand(transformer, words):
    return [transformer.transform(x).toarray() if x else np.empty((0, 32)) for x in words]


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=list(CONTAINERS))
def test_each_word_has_a_row_of_its_characters(container):
    X = container(WORDS)
    output = PerTimestep(HASHING).fit_transform(X)
    assert_same_sequences(output, by_hand(HASHING, WORDS))
    assert_array_equal(output[0][1], output[3][0])  # the same word
    fitted = PerTimestep(HASHING).fit(container([["another"]]))
    assert_same_sequences(fitted.transform(X), output)


@pytest.mark.parametrize(
    ("transformer", "shape"),
    [
        (HASHING, (7,)),
        (make_pipeline(CountVectorizer(), TruncatedSVD(2)), (7,)),
        (Recording(), (7, 1)),
        (OneHotEncoder(), (7, 1)),
    ],
)
def test_texts_for_what_reads_texts_and_a_table_for_all_others(transformer, shape, monkeypatch):
    given = []

    def fit(self, X, y=None, **_):
        given.append(np.shape(X))
        return fit.original(self, X, y)

    first = type(transformer[0] if hasattr(transformer, "steps") else transformer)
    name = "fit_transform" if "fit_transform" in vars(first) else "fit"
    fit.original = getattr(first, name)
    monkeypatch.setattr(first, name, fit)
    PerTimestep(transformer).fit_transform(WORDS)
    assert given == [shape]


def test_categories_at_each_step():
    encoder = PerTimestep(OneHotEncoder(handle_unknown="ignore"))
    output = encoder.fit_transform([["noun", "verb"], ["verb"]])
    assert_same_sequences(output, [np.eye(2), np.eye(2)[1:]])
    assert_same_sequences(encoder.transform([["noun", "adverb"]]), [np.array([[1.0, 0], [0, 0]])])
    assert_array_equal(encoder.get_feature_names_out(), ["x0_noun", "x0_verb"])
    assert encoder.n_features_in_ == 1


def test_words_that_miss_at_the_end_are_padding():
    output = PerTimestep(HASHING).fit_transform([["a", "b", None, np.nan], ["c"]])
    assert_array_equal(np.isnan(output[0]).all(axis=1), [False, False, True, True])
    assert_same_sequences([output[0][:2], output[1]], by_hand(HASHING, [["a", "b"], ["c"]]))


def test_each_word_has_its_target():
    recording = Recording(lambda X: np.ones((len(X), 1)))
    fitted = PerTimestep(recording).fit(WORDS, [[0, 1, None, 1], [1, 0], [], [1]])
    assert_array_equal(fitted.transformer_.y_, [0, 1, 1, 1, 0, 1])
    assert_array_equal(
        fitted.transformer_.X_.ravel(), ["The", "film", "unwatchable", "Watch", "it", "film"]
    )


@pytest.mark.parametrize(
    ("X", "kind", "message"),
    [
        (
            [["a", "b"], ["c", None, "d"]],
            TypeError,
            "a text at each step, got None in sequence 1, step 1",
        ),
        ([["a", 3]], TypeError, "a text at each step, got 3 in sequence 0, step 1"),
        ([["a"], "b"], ValueError, "Sequence 1 is a string, 'b', expected a list of texts"),
        ([["a"], None], ValueError, "Sequence 1 is a NoneType, None, expected a list of texts"),
        (["a film", "it"], ValueError, "got strings: turn texts into token sequences first"),
        ([[]], ValueError, "X has no step to fit the transformer on"),
    ],
)
def test_what_is_no_sequence_of_texts(X, kind, message):
    with pytest.raises(kind, match=message):
        PerTimestep(HASHING).fit(X)


def test_a_sparse_output_of_many_columns_is_refused():
    message = "HashingVectorizer returned a sparse matrix of 1,048,576 columns, .* at most 10,000"
    with pytest.raises(ValueError, match=message):
        PerTimestep(HashingVectorizer()).fit(WORDS)
    output = PerTimestep(HashingVectorizer(n_features=10_000, dtype=np.float32)).fit_transform(
        WORDS
    )
    assert output[0].shape == (4, 10_000)
    assert output[0].dtype == np.float32


def test_a_word_without_any_feature_is_read_as_zeros_and_is_not_missing():
    X = pd.DataFrame({"tokens": [["!", "good"], ["bad", "!"], ["good", "bad", "?"]], "n": 1.0})
    words = PerTimestep(TfidfVectorizer())  # of which "!" is none
    assert not words.fit_transform(X["tokens"])[1][1].any()
    given = [
        ("words", SeriesBranch(words, pooling=None, hidden_layer_sizes=2), "tokens"),
        ("table", TableBranch(), ["n"]),
    ]
    model = classifier(given).fit(X, [[0, 1], [0, 0], [1, 0, 0]])
    assert [len(part) for part in model.predict(X)] == [2, 2, 3]
    assert not model.named_branches_["words"].has_missing_


def test_dicts_of_features():
    words = [
        [{"word": "Rome", "is_title": True}, {"word": "is", "is_title": False}],
        [{"word": "is"}],
    ]
    for X in (words, pd.Series(words), objects(words)):
        found = PerTimestep(DictVectorizer(sparse=False)).fit(words).transform(X)
        assert [x.tolist() for x in found] == [[[1, 1, 0], [0, 0, 1]], [[0, 0, 1]]]
    [hashed] = PerTimestep(FeatureHasher(8)).fit_transform(words[:1])
    assert hashed.shape == (2, 8)
    with pytest.raises(
        TypeError, match="Expected a dict at each step, got 1 in sequence 0, step 1"
    ):
        PerTimestep(DictVectorizer()).fit([[{"a": 1}, 1]])
    with pytest.raises(TypeError, match="got a dict"):
        PerTimestep(StandardScaler()).fit(words)


def test_dicts_in_the_cells_of_a_table():
    words = [[{"a": 1.0}, {"b": 2.0}], [{"a": 3.0}]]
    found = PerTimestep(DictVectorizer(sparse=False)).fit_transform(pd.DataFrame({"w": words}))
    assert [x.tolist() for x in found] == [[[1, 0], [0, 2]], [[3, 0]]]
    with pytest.raises(TypeError, match=r"Expected a dict at each step, got 1\.0 in sequence 0"):
        PerTimestep(DictVectorizer()).fit([np.ones((2, 1))])
