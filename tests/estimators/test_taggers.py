"""Token lists in, tag lists out: taggers in pipelines, splits, searches and cross-validation."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    TableBranch,
    TokenBranch,
)

TAGS = {"Rome": "B-LOC", "Bob": "B-PER", "Smith": "I-PER"}


def sentences(n=24):
    rng = np.random.default_rng(0)
    words = [*["the", "cat", "sat", "on", "a", "mat", "in", "with", "today"], *TAGS]
    X = [rng.choice(words, n_words).tolist() for n_words in rng.integers(1, 8, n)]
    return X, [[TAGS.get(word, "O") for word in x] for x in X]


def objects(cells):
    column = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        column[i] = cell
    return column


FORMS = {
    "list of lists": list,
    "tuple of tuples": lambda cells: tuple(map(tuple, cells)),
    "list of arrays": lambda cells: [np.array(cell) for cell in cells],
    "object array of lists": objects,
    "object array of arrays": lambda cells: objects([np.array(cell) for cell in cells]),
    "Series of lists": pd.Series,
    "Series of arrays": lambda cells: pd.Series([np.array(cell) for cell in cells]),
    "Series of polars": pl.Series,
    "array of Arrow": pa.array,
}


def tagger(**parameters):
    settings = {"hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0} | parameters
    return make_pipeline(SequenceVectorizer(), GRUClassifier(pooling=None, **settings))


GRID = {"gruclassifier__hidden_layer_sizes": [2, 3]}
ENTRIES = {
    "cross_val_score": lambda m, X, y: cross_val_score(m, X, y, cv=3, error_score="raise"),
    "cross_val_predict": lambda m, X, y: np.concatenate(list(cross_val_predict(m, X, y, cv=3))),
    "cross_validate": lambda m, X, y: cross_validate(
        m, X, y, cv=KFold(2), error_score="raise", return_train_score=True
    )["train_score"],
    "grid": lambda m, X, y: np.concatenate(
        list(GridSearchCV(m, GRID, cv=2, error_score="raise").fit(X, y).predict(X))
    ),
    "randomized": lambda m, X, y: [
        RandomizedSearchCV(m, GRID, n_iter=2, cv=2, random_state=0, error_score="raise")
        .fit(X, y)
        .score(X, y)
    ],
    "halving": lambda m, X, y: [
        HalvingGridSearchCV(m, GRID, cv=2, min_resources=10, random_state=0, error_score="raise")
        .fit(X, y)
        .best_score_
    ],
    "learning_curve": lambda m, X, y: learning_curve(
        m, X, y, cv=2, train_sizes=[6, 12], error_score="raise"
    )[2],
    "validation_curve": lambda m, X, y: validation_curve(
        m, X, y, param_name="gruclassifier__alpha", param_range=[0, 1], cv=2, error_score="raise"
    )[1],
    "split": lambda m, X, y: np.concatenate(list(_fit_on_a_part(m, X, y))),
}


def _fit_on_a_part(model, X, y):
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    model.fit(X, y)
    assert 0 <= model.score(X_test, y_test) <= 1
    return model.predict(X_test)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_words_and_tags(form):
    X, y = sentences()
    make = FORMS[form]
    for entry in (ENTRIES["cross_val_score"], ENTRIES["split"]):
        np.testing.assert_array_equal(entry(tagger(), make(X), make(y)), entry(tagger(), X, y))


@pytest.mark.parametrize("entry", ENTRIES)
def test_lists_of_tags_pass_every_entry(entry):
    X, y = sentences()
    of_lists = np.asarray(ENTRIES[entry](tagger(), X, y))
    of_objects = ENTRIES[entry](tagger(), objects(X), objects(list(map(np.array, y))))
    np.testing.assert_array_equal(of_lists, of_objects)
    assert of_lists.dtype.kind in "UO" or ((of_lists >= 0) & (of_lists <= 1)).all()


def test_as_many_tags_as_words():
    X, y = sentences()
    model = tagger().fit(X, y)
    cases = {
        "equal lengths": [["Rome", "the"], ["Bob", "cat"]],
        "one": [["Bob", "Smith", "sat"]],
        "empty": [[], ["Rome"], []],
        "unknown": [["Zoë", "", " ", "1", "the"], ["?"]],
    }
    for texts in cases.values():
        tags = model.predict(texts)
        assert tags.shape == (len(texts),)
        assert [len(of_text) for of_text in tags] == [len(text) for text in texts]
        proba = model.predict_proba(texts)
        assert [p.shape for p in proba] == [(len(text), 4) for text in texts]
    # Cross-validation lays folds side by side, of which one may have texts of one length only.
    X = [["the", "Rome"]] * 6 + [["Rome"], ["Bob", "Smith", "sat"]] * 3
    y = [["O", "B-LOC"]] * 6 + [["B-LOC"], ["B-PER", "I-PER", "O"]] * 3
    assert list(map(len, cross_val_predict(tagger(), X, y, cv=2))) == list(map(len, X))


def test_a_rectangle_has_a_rectangle_of_tags():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 5, 2)), rng.integers(0, 2, (12, 5))
    model = GRUClassifier(2, pooling=None, max_iter=2).fit(X, y)
    assert model.predict(X).shape == (12, 5)
    assert model.predict(list(X)).shape == (12,)
    assert model.transform_steps(X).shape == (12, 5, 2)
    assert [h.shape for h in model.transform_steps(list(X))] == [(5, 2)] * 12


def test_what_scikit_learn_is_told():
    assert is_classifier(GRUClassifier())
    assert not is_classifier(GRUClassifier(pooling=None))
    assert is_regressor(GRURegressor(pooling=None))
    branches = [("words", TokenBranch(pooling=None), "w"), ("table", TableBranch(), ["a"])]
    assert not is_classifier(MultimodalGRUClassifier(branches))
    assert is_classifier(MultimodalGRUClassifier([("words", TokenBranch(), "w")]))
    assert is_classifier(MultimodalGRUClassifier(None))


def test_scorers_of_tag_lists():
    def share_of_persons(y_true, y_pred):
        assert list(map(len, y_true)) == list(map(len, y_pred))
        return np.mean([tag == "B-PER" for tags in y_pred for tag in tags])

    X, y = sentences()
    scoring = make_scorer(share_of_persons)
    scores = cross_val_score(tagger(), X, y, cv=3, scoring=scoring, error_score="raise")
    assert scores.shape == (3,)


def test_words_that_the_vectorizer_would_drop_are_told():
    X, y = sentences()
    with pytest.raises(ValueError, match="has split them by its token_pattern"):
        tagger().fit([" ".join(x) for x in X], y)
    model = make_pipeline(SequenceVectorizer(max_length=3), GRUClassifier(pooling=None))
    with pytest.raises(ValueError, match="expected max_length=None, which keeps all tokens"):
        model.fit(X, y)
