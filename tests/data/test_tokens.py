"""The first text pipeline that everybody writes, and the mark that makes it work."""

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import resample, shuffle

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer
from skgru._data.ids import holds_tokens
from tests.datasets import assert_same_model, small, token_sequences

GOOD, BAD = ["lovely", "great", "fine"], ["dull", "poor", "bland"]
FILLERS = ["film", "plot", "music", "and", "the", "with", "scene"]


def reviews(n=80):
    """Return texts of 1 to 12 words, one of which says whether they are good."""
    rng = np.random.default_rng(1)
    texts, labels = [], []
    for i in range(n):
        words = rng.choice(FILLERS, rng.integers(0, 12)).tolist()
        words.insert(rng.integers(len(words) + 1), str(rng.choice(GOOD if i % 2 else BAD)))
        texts.append(" ".join(words))
        labels.append("good" if i % 2 else "bad")
    return texts, labels


TEXTS, LABELS = reviews()
WIDTHS = pytest.mark.parametrize("max_length", [None, 12], ids=["ragged", "matrix"])


@WIDTHS
def test_the_first_text_pipeline_reads_words(max_length):
    vectorizer = SequenceVectorizer(max_length=max_length)
    model = make_pipeline(vectorizer, GRUClassifier(8, max_iter=30, random_state=0))
    model.fit(TEXTS[:60], LABELS[:60])
    assert model.score(TEXTS[60:], LABELS[60:]) == 1.0
    assert model[-1].auto_params_["embedding_dim"] == 128
    assert model[-1].parameters_["embedding.weights"].shape == (14, 128)


@WIDTHS
@pytest.mark.parametrize("estimator_class", [GRUClassifier, GRURegressor])
def test_auto_is_the_same_network_as_a_number(estimator_class, max_length):
    X = SequenceVectorizer(max_length=max_length).fit_transform(TEXTS)
    y = np.arange(len(TEXTS)) % 2
    assert_same_model(
        small(estimator_class, embedding_dim="auto").fit(X, y),
        small(estimator_class, embedding_dim=128).fit(X, y),
    )


class Stacked(TransformerMixin, BaseEstimator):
    """Hands X on through a list, as transformers of one's own may."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return list(X)


def through_buffer(X):
    buffer = io.BytesIO()
    joblib.dump(X, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


TRANSPORTS = {
    "slice": lambda X: X[::2],
    "indices": lambda X: X[[3, 1, 2]],
    "mask": lambda X: X[np.arange(len(X)) % 3 == 0],
    "train_test_split": lambda X: train_test_split(X, random_state=0)[0],
    "shuffle": lambda X: shuffle(X, random_state=0),
    "resample": lambda X: resample(X, n_samples=9, random_state=0),
    "pickle": lambda X: pickle.loads(pickle.dumps(X)),
    "joblib": through_buffer,
    "deepcopy": copy.deepcopy,
    "copy": lambda X: X.copy(),
    "concatenate": lambda X: np.concatenate([X[:5], X[9:]]),
    "vstack": lambda X: np.vstack([X[:5], X[9:]]),
    "list": list,
    "tuple": tuple,
    "Series": lambda X: pd.Series(list(X)),
    "parallel": lambda X: joblib.Parallel(2)(joblib.delayed(copy.copy)(x) for x in [X])[0],
}


@WIDTHS
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_mark_survives(transport, max_length):
    X = SequenceVectorizer(max_length=max_length).fit_transform(TEXTS)
    carried = TRANSPORTS[transport](X)
    assert holds_tokens(carried)
    model = small(GRUClassifier, embedding_dim="auto").fit(X, LABELS)
    plain = small(GRUClassifier, embedding_dim=128).fit(X, LABELS)
    assert_array_equal(model.predict_proba(carried), plain.predict_proba(carried))


@pytest.mark.parametrize(
    "transport",
    [np.asarray, pd.DataFrame, lambda X: np.array(X, dtype=object, subok=False)],
    ids=["asarray", "pandas", "array"],
)
def test_a_column_of_tokens_keeps_its_mark_in_any_table(transport):
    X = SequenceVectorizer().fit_transform(TEXTS)
    assert holds_tokens(transport(X))
    model = small(GRUClassifier, embedding_dim="auto").fit(transport(X), LABELS)
    assert_same_model(model, small(GRUClassifier, embedding_dim=128).fit(X, LABELS))


@pytest.mark.parametrize(
    "lose", [np.asarray, pd.DataFrame, lambda X: X.tolist()], ids=["array", "frame", "lists"]
)
def test_a_lost_mark_warns_with_the_remedy(lose):
    X = lose(SequenceVectorizer(max_length=12).fit_transform(TEXTS))
    with pytest.warns(UserWarning, match="integers padded with zeros.*embedding_dim=128") as told:
        small(GRUClassifier, embedding_dim="auto").fit(X, LABELS)
    assert [warning.filename for warning in told] == [__file__]
    for embedding_dim in (None, 128):
        small(GRUClassifier, embedding_dim=embedding_dim).fit(X, LABELS)  # says what it is


def test_none_reads_numbers_even_of_tokens():
    X = SequenceVectorizer(max_length=12).fit_transform(TEXTS)
    model = small(GRUClassifier, embedding_dim=None).fit(X, LABELS)
    assert "embedding.weights" not in model.parameters_
    assert_same_model(model, small(GRUClassifier, embedding_dim=None).fit(np.asarray(X), LABELS))


def test_fitted_to_numbers_tokens_are_refused():
    X = SequenceVectorizer(max_length=12).fit_transform(TEXTS)
    numbers = np.asarray(X) + 0.5
    model = small(GRUClassifier, embedding_dim="auto").fit(numbers, LABELS)
    with pytest.raises(ValueError, match="X holds token ids, but GRUClassifier was fitted to num"):
        model.predict(X)
    with pytest.raises(ValueError, match="X holds token ids"):
        model.partial_fit(X, LABELS)


def test_fitted_to_tokens_plain_ids_are_tokens():
    X = SequenceVectorizer().fit_transform(TEXTS)
    model = small(GRUClassifier, embedding_dim="auto").fit(X, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = model.predict_proba([ids.tolist() for ids in X])
        assert_array_equal(p, model.predict_proba(X))
        model.set_params(max_iter=9).partial_fit([np.asarray(ids) for ids in X], LABELS)


@WIDTHS
def test_cross_validation_and_search(max_length):
    pipeline = make_pipeline(
        SequenceVectorizer(max_length=max_length), GRUClassifier(8, max_iter=12, random_state=0)
    )
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2).mean() > 0.9
    X = clone(pipeline[0]).fit_transform(TEXTS)
    network = GRUClassifier(8, max_iter=12, random_state=0)
    assert cross_val_score(network, X, LABELS, cv=2, n_jobs=2).mean() > 0.9
    predicted = cross_val_predict(network, X, LABELS, cv=2)
    assert np.mean(predicted == np.array(LABELS)) > 0.9
    search = GridSearchCV(network, {"embedding_dim": ["auto", 4]}, cv=2).fit(X, LABELS)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_column_transformer(output):
    table = pd.DataFrame({"text": TEXTS, "id": range(len(TEXTS))})
    columns = make_column_transformer((SequenceVectorizer(), "text")).set_output(transform=output)
    model = make_pipeline(columns, GRUClassifier(8, max_iter=20, random_state=0))
    assert model.fit(table, LABELS).score(table, LABELS) == 1.0
    assert model[-1].auto_params_["embedding_dim"] == 128


def test_set_output_of_polars():
    vectorizer = SequenceVectorizer().set_output(transform="polars")
    X = vectorizer.fit_transform(TEXTS)
    assert isinstance(X, pl.DataFrame)
    assert X.columns == ["tokens"]
    assert vectorizer.inverse_transform(X)[0] == TEXTS[0].split()
    model = small(GRUClassifier, embedding_dim="auto").fit(X, LABELS)
    assert model.auto_params_["embedding_dim"] == 128


def test_through_a_transformer_of_ones_own():
    model = make_pipeline(
        SequenceVectorizer(), Stacked(), GRUClassifier(8, max_iter=20, random_state=0)
    )
    assert model.fit(TEXTS, LABELS).score(TEXTS, LABELS) == 1.0


def test_texts_longer_than_any_in_fit_are_read_whole():
    tagger = make_pipeline(
        SequenceVectorizer(), GRUClassifier(8, pooling=None, max_iter=5, random_state=0)
    )
    tags = [["X" if word in GOOD + BAD else "o" for word in text.split()] for text in TEXTS]
    tagger.fit(TEXTS, tags)
    long = " ".join(FILLERS * 5)
    assert [len(p) for p in tagger.predict([long, "dull", ""])] == [35, 1, 0]


def test_the_door_says_tokens_have_no_time_stamps():
    X = SequenceVectorizer().fit_transform(TEXTS)
    with pytest.raises(ValueError, match="Token sequences have no time stamps"):
        GRUClassifier(time_feature=0).fit(X, LABELS)


def test_an_unseen_id_counts_as_the_unknown_token():
    X, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=3).fit([3 * x for x in X], y)
    expected = model.predict_proba([[6, 1, 9], [1]])
    for unseen in (2, 5, 7, 10**6, 2**61):
        assert_array_equal(model.predict_proba([[6, unseen, 9], [unseen]]), expected)


def test_huge_ids_cost_no_more_than_small_ones():
    X, y = token_sequences()
    reference = small(GRUClassifier, embedding_dim=3).fit(X, y)
    huge = small(GRUClassifier, embedding_dim=3).fit([x + 2**60 for x in X], y)
    assert_same_model(huge, reference)
    assert_array_equal(huge.token_ids_[1:], reference.token_ids_[1:] + 2**60)


def test_the_unknown_token_can_be_trained():
    X, y = token_sequences()
    X = [np.where(x == 2, 1, x) for x in X]
    model = small(GRUClassifier, embedding_dim=3, max_iter=30, learning_rate_init=0.05).fit(X, y)
    assert_array_equal(model.token_ids_, [1, 3, 4, 5, 6, 7])
    assert model.predict([[99]]) == [1]  # unseen, like the id 1 that marks the class
