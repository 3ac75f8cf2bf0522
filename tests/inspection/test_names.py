"""Features keep their names through transformers, and each word has its own contribution."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceAligner,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru.inspection import AttributionDisplay, attributions, permutation_importance
from tests.inspection.samples import SETTINGS, sequences

QUICK = SETTINGS | {"max_iter": 2}


# Features


def names_of(estimator, X, y):
    """Return the names in the picture; they are those of the importances."""
    (panel,) = AttributionDisplay.from_estimator(estimator, X).panels.values()
    assert permutation_importance(estimator, X, y, n_repeats=1).names == panel.features
    return panel.features


def test_features_have_the_names_that_a_transformer_gives_them():
    X = [pd.DataFrame(x, columns=["pulse", "pressure"]) for x in sequences()]
    y = np.arange(len(X)) % 2
    scaled = ColumnTransformer([("scaled", StandardScaler(), ["pressure", "pulse"])])
    for transformer, expected in (
        (StandardScaler(), ["pulse", "pressure"]),
        (scaled, ["scaled__pressure", "scaled__pulse"]),
    ):
        network = GRUClassifier(**QUICK)
        for estimator in (
            make_pipeline(PerTimestep(transformer), network),
            make_pipeline(make_pipeline(PerTimestep(transformer), "passthrough"), network),
        ):
            assert names_of(estimator.fit(X, y), X, y) == expected


def test_channels_of_events_are_names():
    events = pd.DataFrame({"time": [0.0, 1, 2], "channel": ["b", "a", "b"], "value": [1.0, 2, 3]})
    X, y = [events] * 8, np.arange(8) % 2
    aligner = SequenceAligner(with_time=False)
    names = names_of(make_pipeline(aligner, GRUClassifier(**QUICK)).fit(X, y), X, y)
    assert names == ["a", "b"]


def test_a_transformer_without_names_gives_none():
    X = np.random.RandomState(0).normal(size=(20, 4, 2))
    y = np.arange(20) % 2
    names = names_of(make_pipeline(FunctionTransformer(), GRUClassifier(**QUICK)).fit(X, y), X, y)
    assert names == ["x0", "x1"]
    # The columns are steps: their names are none of features.
    frame = pd.DataFrame(X[:, :, 0], columns=list("abcd"))
    estimator = make_pipeline(StandardScaler(), GRUClassifier(**QUICK)).fit(frame, y)
    assert names_of(estimator, frame, y) == ["x0"]


def test_columns_of_branches_have_the_names_of_their_transformers():
    X = pd.DataFrame({"age": np.arange(20.0), "ward": list("ab") * 10})
    X["pulse"] = list(np.random.RandomState(0).normal(size=(20, 3)))
    X["pressure"] = X["pulse"]
    y = np.arange(20) % 2
    encoded = ColumnTransformer(
        [("n", StandardScaler(), ["age"]), ("c", OneHotEncoder(sparse_output=False), ["ward"])]
    )
    branches = [
        ("monitor", SeriesBranch(PerTimestep(StandardScaler())), ["pulse", "pressure"]),
        ("patient", TableBranch(encoded), ["age", "ward"]),
        ("bag", TableBranch(OneHotEncoder()), ["ward"]),
    ]
    clf = MultimodalGRUClassifier(branches, **QUICK).fit(X, y)
    panels = AttributionDisplay.from_estimator(clf, X).panels
    assert panels["monitor"].features == ["pulse", "pressure"]
    found = [word.split(" = ")[0] for word in panels["patient"].words]
    assert found == ["n__age", "c__ward_a", "c__ward_b"]
    assert panels["bag"].words == ["ward_a = 1"]
    assert permutation_importance(clf, X, y, n_repeats=1).names == [
        *("monitor__pulse", "monitor__pressure"),
        *(f"patient__{name}" for name in found),
        "bag",
    ]


# Words

TEXTS = ["the good film", "a bad film indeed", "the plot was good", "bad"] * 6


@pytest.fixture(scope="module")
def network():
    """Return a network that is fitted to the ids of any vectorizer here."""
    ids = [np.arange(1, 12)] * 12
    return GRUClassifier(**QUICK, embedding_dim=3, pooling="mean").fit(ids, np.arange(12) % 2)


def shown(network, vectorizer, text, *before):
    """Return the words of a text in the picture, and their ids."""
    estimator = Pipeline([*before, ("v", vectorizer.fit(TEXTS)), ("g", network)])
    panel = AttributionDisplay.from_estimator(estimator, [text]).panels[""]
    (ids,) = estimator[:-1].transform([text])
    assert_array_equal(panel.values, attributions(estimator, [text])[0][ids > 0])
    return panel.words, ids[ids > 0].tolist()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["the", "zebra", "film", "was", "good"]),
        ({"stop_words": ["the", "was"]}, ["zebra", "film", "good"]),
        ({"min_df": 7}, ["the", "zebra", "film", "was", "good"]),
        ({"max_length": 3}, ["the", "zebra", "film"]),
        ({"max_length": 3, "truncating": "pre"}, ["film", "was", "good"]),
        ({"max_length": 9}, ["the", "zebra", "film", "was", "good"]),
        (
            {"ngram_range": (1, 2), "stop_words": ["the", "was"], "max_length": 4},
            ["zebra", "zebra film", "film", "film good"],
        ),
    ],
)
def test_words_are_those_that_the_network_reads(network, parameters, expected):
    vectorizer = SequenceVectorizer(**parameters)
    words, ids = shown(network, vectorizer, "The zebra film WAS good!")
    assert words == expected
    assert ids == [vectorizer.vocabulary_.get(word, 1) for word in expected]


def test_words_are_those_after_the_steps_before(network):
    backwards = FunctionTransformer(lambda X: [" ".join(x.split()[::-1]) for x in X])
    words, ids = shown(network, SequenceVectorizer(), "the zebra film", ("back", backwards))
    assert words == ["film", "zebra", "the"]
    assert ids[1] == 1


def test_words_are_those_of_the_one_column_that_is_transformed(network):
    columns = {"age": np.arange(24), "note": TEXTS}
    vectorizer = make_pipeline("passthrough", SequenceVectorizer())
    taken = ColumnTransformer([("ids", vectorizer, "note"), ("no", "drop", ["age"])])
    estimator = make_pipeline(taken.fit(pd.DataFrame(columns)), network)
    other = pd.DataFrame({"age": [1], "note": ["the zebra film"]})
    panel = AttributionDisplay.from_estimator(estimator, other).panels[""]
    assert panel.words == ["the", "zebra", "film"]


def test_words_of_a_branch_are_those_that_it_reads():
    X = pd.DataFrame({"note": TEXTS, "age": np.arange(24.0)})
    vectorizer = make_pipeline("passthrough", SequenceVectorizer(min_df=7, stop_words=["a"]))
    branches = [("note", TokenBranch(vectorizer), "note"), ("patient", TableBranch(), ["age"])]
    clf = MultimodalGRUClassifier(branches, **QUICK).fit(X, np.arange(24) % 2)
    other = pd.DataFrame({"note": ["a film of zebras", None], "age": [1.0, 2.0]})
    panels = AttributionDisplay.from_estimator(clf, other).panels
    assert panels["note"].words == ["film", "of", "zebras"]
    assert AttributionDisplay.from_estimator(clf, other, index=1).panels["note"].words == []


def test_x_is_transformed_once_for_a_picture(network):
    calls = []
    counted = FunctionTransformer(lambda X: calls.append(len(X)) or X)
    vectorizer = SequenceVectorizer().fit(TEXTS)
    vectorizer.transform, transform = (
        lambda X: calls.append("ids") or transform(X),
        vectorizer.transform,
    )
    estimator = make_pipeline(counted, vectorizer, network)
    AttributionDisplay.from_estimator(estimator, TEXTS, index=3)
    assert calls.count("ids") == 1
    assert set(calls) == {1, "ids"}
