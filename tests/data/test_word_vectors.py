"""Word vectors of any source, and those of some words."""

import copy
import pickle
from types import MappingProxyType, SimpleNamespace
from zlib import crc32

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from skgru import GRUClassifier, WordVectors, read_word_vectors
from skgru._data.word_vectors import find_vectors, has_words

ROWS = {"cat": [1.0, 10.0], "Paris": [3.0, -1.0], "NATO": [0.5, 0.25], "mat": [2.0, 8.0]}
MATRIX = np.array(list(ROWS.values()), np.float32)


class OnlyLookup:
    """Word vectors with nothing but `in` and []."""

    def __init__(self, vectors=ROWS):
        self._vectors = vectors

    def __contains__(self, word):
        return word in self._vectors

    def __getitem__(self, word):
        return np.array(self._vectors[word])


class Vocab(OnlyLookup):
    """A vocab as that of spaCy: what stands in it need not have a vector."""

    def __contains__(self, word):
        return True

    def __getitem__(self, word):
        return object()

    def has_vector(self, word):
        return word in self._vectors

    def get_vector(self, word):
        return np.array(self._vectors[word])


class Hashes:
    """The store of strings of spaCy, which has a hash of any word."""

    def __getitem__(self, word):
        return crc32(word.encode())


class Hashed:
    """A table as that of spaCy, which knows words by their hashes."""

    strings = Hashes()
    key2row = {crc32(word.encode()): row for row, word in enumerate(ROWS)}

    def __contains__(self, key):
        return key in self.key2row

    def __getitem__(self, key):
        return MATRIX[self.key2row[key]]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "vectors.txt"
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in ROWS.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


SOURCES = {
    "dict": ROWS,
    "mapping": MappingProxyType(ROWS),
    "word vectors": WordVectors(ROWS, MATRIX),
    "lookup": OnlyLookup(),
    "a model with wv": SimpleNamespace(wv=OnlyLookup()),
    "vocab": Vocab(),
    "a model with vocab": SimpleNamespace(vocab=Vocab()),
    "hashes": Hashed(),
    "series": pd.Series({word: np.array(row) for word, row in ROWS.items()}),
    "frame": pd.DataFrame.from_dict(ROWS, orient="index"),
    # Its columns may have any names.
    "frame of names": pd.DataFrame.from_dict(ROWS, orient="index", columns=["wv", "vocab"]),
}
EACH_SOURCE = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@EACH_SOURCE
def test_every_source_has_the_same_vectors(source):
    assert has_words(source)
    found = find_vectors(source, ["mat", "dog", "cat"], "vectors")
    assert list(found) == ["mat", "cat"]
    for word, vector in found.items():
        assert vector.dtype == np.float32
        assert_array_equal(vector, ROWS[word])
    read = read_word_vectors(source, ["mat", "dog", "cat"])
    assert read.words == ("mat", "cat")
    assert_array_equal(read.matrix, MATRIX[[3, 0]])


def test_a_file_is_a_source(path):
    for source in (path, str(path)):
        assert has_words(source)
        found = find_vectors(source, ["mat", "dog", "cat"], "vectors")
        assert {word: vector.tolist() for word, vector in found.items()} == {
            word: ROWS[word] for word in ("mat", "cat")
        }
        assert read_word_vectors(source).words == tuple(ROWS)
        assert_array_equal(read_word_vectors(source, limit=2).matrix, MATRIX[:2])


@pytest.mark.parametrize("kind", ["file", *SOURCES])
def test_words_are_looked_for_in_other_cases(kind, path):
    source = {**SOURCES, "file": path}[kind]
    found = find_vectors(source, ["CAT", "paris", "nato", "mAt"], "vectors")
    assert_array_equal(list(found.values()), MATRIX)
    assert list(found) == ["CAT", "paris", "nato", "mAt"]
    assert read_word_vectors(source, ["CAT", "paris"]).words == ("cat", "Paris")


def test_a_word_comes_before_its_other_forms_and_lower_case_before_capitals(tmp_path):
    rows = {"US": [1.0], "us": [2.0], "May": [3.0], "MAY": [4.0], "the": [5.0], "The": [6.0]}
    path = tmp_path / "vectors.txt"
    lines = [f"{word} {row[0]}\n" for word, row in rows.items()]
    path.write_text("".join(lines), encoding="utf-8")
    for source in (rows, path):
        found = find_vectors(source, ["US", "us", "Us", "may", "THE"], "vectors")
        assert [float(v) for (v,) in found.values()] == [1, 2, 2, 3, 5]


# --- WordVectors ----------------------------------------------------------------------------------


def test_word_vectors_are_arrays_that_cannot_be_changed():
    given = MATRIX.copy()
    vectors = WordVectors(iter(ROWS), given)
    given[0] = 99
    assert vectors.words == tuple(vectors) == tuple(ROWS)
    assert_array_equal(vectors.matrix, MATRIX)
    assert_array_equal(vectors["NATO"], MATRIX[2])
    assert "NATO" in vectors
    assert "nato" not in vectors
    with pytest.raises(ValueError, match="read-only"):
        vectors["NATO"][0] = 1
    with pytest.raises(KeyError, match="dog"):
        vectors["dog"]


def test_clones_and_copies_have_the_same_word_vectors_in_common():
    vectors = WordVectors(ROWS, MATRIX)
    assert clone(GRUClassifier(embedding_matrix=vectors)).embedding_matrix is vectors
    assert copy.deepcopy([vectors])[0] is vectors
    grid = list(ParameterGrid({"embedding_matrix": [None, vectors]}))
    assert grid[1]["embedding_matrix"] is vectors


def test_pickles_of_word_vectors(tmp_path):
    joblib.dump(WordVectors(ROWS, MATRIX), tmp_path / "vectors.joblib")
    for again in (
        pickle.loads(pickle.dumps(WordVectors(ROWS, MATRIX))),
        joblib.load(tmp_path / "vectors.joblib"),
    ):
        assert again.words == tuple(ROWS)
        assert_array_equal(again.matrix, MATRIX)
        assert_array_equal(again["Paris"], MATRIX[1])
        assert not again.matrix.flags.writeable


def test_many_words_have_a_short_name():
    vectors = WordVectors(map(str, range(20_000)), np.zeros((20_000, 3)))
    assert repr(vectors) == "WordVectors(20,000 words, 3 dimensions)"
    assert (
        str(GRUClassifier(embedding_matrix=vectors)) == f"GRUClassifier(embedding_matrix={vectors})"
    )


@pytest.mark.parametrize(
    ("words", "matrix", "error", "message"),
    [
        (["a", 2], [[1.0], [2.0]], TypeError, "Expected strings as words, got 2, an int"),
        (["a", "b"], [[1.0]], ValueError, r"got 2 words and shape \(1, 1\)"),
        (["a"], [1.0], ValueError, r"got 1 words and shape \(1,\)"),
        ([], np.zeros((0, 3)), ValueError, r"got 0 words and shape \(0, 3\)"),
        (["a", "b", "a"], np.eye(3), ValueError, "Expected each word once, got 'a' more than once"),
        (["a", "b"], [[1.0], [np.nan]], ValueError, "must be finite, got NaN or infinity for 'b'"),
    ],
)
def test_what_are_no_word_vectors(words, matrix, error, message):
    with pytest.raises(error, match=message):
        WordVectors(words, matrix)


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [3, object(), None, lambda word: [1.0]])
def test_what_is_no_source(source):
    expected = r"Expected the path of a file .*, a mapping .*, or WordVectors, got an? \w+"
    for read in (find_vectors, read_word_vectors):
        with pytest.raises(TypeError, match=expected):
            read(source, ["cat"], **({"name": "vectors"} if read is find_vectors else {}))


@pytest.mark.parametrize("matrix", [MATRIX, MATRIX.tolist(), tuple(MATRIX), pd.DataFrame(MATRIX)])
def test_a_matrix_is_no_source_of_words(matrix):
    assert not has_words(matrix)
    assert not has_words(pl.DataFrame(MATRIX))


def test_no_word_in_common(path):
    with pytest.raises(
        ValueError, match=r"^vectors has none of the words .*, such as 'dog', 'cow'\.$"
    ):
        find_vectors(ROWS, ["dog", "cow"], "vectors")
    expected = (
        "has none of the words of the vocabulary, such as 'dog'.*; it begins with 'cat', 'Paris'"
    )
    with pytest.raises(ValueError, match=rf"vectors, .*vectors\.txt, {expected}"):
        find_vectors(path, ["dog", "cow"], "vectors")
    with pytest.raises(ValueError, match=rf"vectors\.txt {expected}"):
        read_word_vectors(path, ["dog"])
    with pytest.raises(ValueError, match="source has none of the words of the vocabulary"):
        read_word_vectors(ROWS, ["dog"])


def test_all_words_are_read_of_what_says_them():
    assert read_word_vectors(ROWS).words == tuple(ROWS)
    assert read_word_vectors(ROWS, limit=2).words == ("cat", "Paris")
    ordered = OnlyLookup()
    ordered.index_to_key = [*ROWS]
    assert_array_equal(read_word_vectors(ordered).matrix, MATRIX)
    for source in (OnlyLookup(), Vocab(), Hashed()):
        with pytest.raises(TypeError, match="does not say which words it has: expected words"):
            read_word_vectors(source)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([], "must hold numbers, got an empty one for 'mat'"),
        ("abc", "must be arrays of numbers, got 'abc' for 'mat'"),
        ([[1.0], [1.0, 2.0]], r"must be arrays of numbers, got \[\[1.0\], .* for 'mat'"),
        (None, "must be .* for 'mat'"),
    ],
)
def test_a_vector_that_is_none_is_named(vector, message):
    with pytest.raises(ValueError, match=f"^Word vectors {message}"):
        read_word_vectors(ROWS | {"mat": vector}, ["mat"])


@pytest.mark.parametrize(
    ("words", "limit", "error", "message"),
    [
        (None, 0, ValueError, "limit: expected a number of words, at least 1, or None, got 0"),
        (["cat"], -1, ValueError, "limit: expected a number of words, .*, got -1"),
        ([], None, ValueError, "words: expected at least one word"),
        (["cat", 1], None, TypeError, "Expected strings as words, got 1, an int"),
    ],
)
def test_words_that_cannot_be_read(words, limit, error, message, path):
    for source in (ROWS, path):
        with pytest.raises(error, match=message):
            read_word_vectors(source, words, limit=limit)


def test_a_string_is_no_list_of_words():
    with pytest.raises(TypeError, match="Expected an iterable of words, got the string 'cat'"):
        read_word_vectors(ROWS, "cat")
