"""Word vectors of gensim and spaCy, as they are, and the files that gensim writes and reads."""

import numpy as np
import pytest
import spacy
from gensim.models import FastText, KeyedVectors, Word2Vec
from numpy.testing import assert_array_equal
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from skgru import GRUClassifier, SequenceVectorizer, read_word_vectors

WORDS = ["the", "Paris", "naïve", "猫", "film", "plot", "e-mail"]
MATRIX = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
TEXTS = ["the film in paris", "the naïve plot"] * 10
LABELS = [0, 1] * 10


def keyed_vectors():
    vectors = KeyedVectors(5)
    vectors.add_vectors(WORDS, MATRIX)
    return vectors


def fitted_rows(source):
    """Return the rows of an embedding after a fit, by their words."""
    vectorizer = SequenceVectorizer()
    X = vectorizer.fit_transform(TEXTS)
    model = GRUClassifier(
        4, embedding_matrix=source, freeze_embedding=True, max_iter=2, random_state=0
    ).fit(X, LABELS)
    weights = model.parameters_["embedding.weights"]
    rows = dict(zip(model.token_ids_.tolist(), weights, strict=True))
    return {word: rows[id_] for word, id_ in vectorizer.vocabulary_.items()}


def assert_vectors(source):
    rows = fitted_rows(source)
    for word, expected in (("the", 0), ("paris", 1), ("naïve", 2), ("film", 4), ("plot", 5)):
        assert_array_equal(rows[word], MATRIX[expected])


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_files_of_gensim(binary, ending, tmp_path):
    path = str(tmp_path / f"vectors{ending}")
    keyed_vectors().save_word2vec_format(path, binary=binary)
    loaded = KeyedVectors.load_word2vec_format(path, binary=binary)
    read = read_word_vectors(path)
    assert list(read.words) == loaded.index_to_key == WORDS
    assert_array_equal(read.matrix, loaded.vectors)
    assert_vectors(path)


def test_files_without_header(tmp_path):
    path = str(tmp_path / "vectors")
    keyed_vectors().save_word2vec_format(path, write_header=False)
    assert list(read_word_vectors(path).words) == WORDS
    assert_vectors(path)


def test_keyed_vectors_and_models_of_gensim():
    vectors = keyed_vectors()
    assert_vectors(vectors)
    assert read_word_vectors(vectors, limit=3).words == tuple(WORDS[:3])
    model = Word2Vec(vector_size=5, min_count=1)
    model.wv = vectors
    assert_vectors(model)


def test_models_of_gensim_that_make_vectors_of_any_word():
    sentences = [text.split() for text in TEXTS]
    model = FastText(sentences, vector_size=5, min_count=1, bucket=50, epochs=1, workers=1)
    lacking = SequenceVectorizer().fit(["filmed"]).vocabulary_
    read = read_word_vectors(model, lacking)
    assert_array_equal(read["filmed"], model.wv["filmed"])


@pytest.mark.parametrize("form", ["model", "vocab", "vectors"])
def test_tables_of_spacy(form):
    nlp = spacy.blank("en")
    for word, row in zip(WORDS, MATRIX, strict=True):
        nlp.vocab.set_vector(word, row)
    source = {"model": nlp, "vocab": nlp.vocab, "vectors": nlp.vocab.vectors}[form]
    assert_vectors(source)
    assert read_word_vectors(source, ["the", "lacking", "Paris"]).words == ("the", "Paris")


def test_words_of_spacy_may_share_a_row():
    nlp = spacy.blank("en")
    for word, row in zip(WORDS, MATRIX, strict=True):
        nlp.vocab.set_vector(word, row)
    vectors = nlp.vocab.vectors
    row_of_film = vectors.key2row[nlp.vocab.strings["film"]]
    vectors.add(nlp.vocab.strings.add("movie"), row=row_of_film)
    assert_array_equal(read_word_vectors(nlp, ["movie"])["movie"], MATRIX[4])


def test_a_vocab_of_spacy_without_vectors_has_none_of_the_words():
    for source in (Vocab(), Vectors(shape=(0, 5), strings=Vocab().strings)):
        with pytest.raises(ValueError, match="has none of the words of the vocabulary"):
            fitted_rows(source)
