"""Graphs of networks, run by ONNX Runtime, predict what the networks predict."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRUForecaster,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru._engine.number_losses import SquaredError
from skgru._nn.gru import GRU
from skgru._nn.pooling import MeanPooling
from skgru._onnx import outputs, pooling_graph, recurrence
from skgru.interop import onnx_inputs, to_onnx
from tests.parity.exported import CASES, FIT, MAKERS, series
from tests.parity.onnx_runs import assert_outputs, assert_same, predictions, run

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, **FIT}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def two_classes(X):
    """Return a class for each sample."""
    return np.where(np.arange(len(X)) % 2, "odd", "even")


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_any_network_is_the_same_in_onnx_runtime(kind, seed):
    estimator, X, y, new = MAKERS[kind](np.random.default_rng([seed, len(kind)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
        for samples in (new, X[:1], X):
            assert_same(estimator, samples)


# --- Lengths and padding --------------------------------------------------------------------------

NUMBERS = {
    "plain": {},
    "own scale": {"scaling": "sequence"},
    "filled": {"missing": "indicator"},
    "both directions": {"bidirectional": True, "pooling": ("last", "mean", "max", "attention")},
    "convolutions": {"n_convolutions": 84},
    "patches": {"patch_size": 3},
    "double": {"dtype": "float64"},
}


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("options", NUMBERS.values(), ids=NUMBERS)
def test_what_lies_beyond_the_lengths_has_no_say(options, share, rng):
    X = series(rng, 30, missing=share)
    clf = GRUClassifier(**SMALL | options).fit(X, two_classes(X))
    model, inputs = to_onnx(clf), onnx_inputs(clf, X)
    expected = predictions(clf, X)
    is_padding = np.arange(inputs["X"].shape[1]) >= inputs["lengths"][:, None]
    for garbage in (0.0, 1e300, np.inf, np.nan):
        inputs["X"][is_padding] = garbage
        assert_outputs(clf, run(model, inputs), expected)
    longer = np.full((30, 40, 2), 7.0)
    longer[:, : inputs["X"].shape[1]] = inputs["X"]
    assert_outputs(clf, run(model, inputs | {"X": longer}), expected)


def test_what_lies_beyond_the_lengths_has_no_say_for_tokens(rng):
    X = [rng.integers(1, 9, rng.integers(0, 8)) for _ in range(30)]
    clf = GRUClassifier(**SMALL, embedding_dim=3, bag=True).fit(X, two_classes(X))
    model, inputs = to_onnx(clf), onnx_inputs(clf, X)
    is_padding = np.arange(inputs["X"].shape[1]) >= inputs["lengths"][:, None]
    for garbage in (0, 3, 10**12, -5):
        inputs["X"][is_padding] = garbage
        assert_outputs(clf, run(model, inputs), predictions(clf, X))


@pytest.mark.parametrize("options", [{}, {"embedding_dim": 3}], ids=["numbers", "tokens"])
def test_without_lengths_sequences_end_where_padding_begins(options, rng):
    X = series(rng, 30)
    if options:
        X = [rng.integers(1, 9, len(x)) for x in X]
    clf = GRUClassifier(**SMALL, **options).fit(X, two_classes(X))
    inputs = onnx_inputs(clf, X, lengths=False)
    assert inputs.keys() == {"X"}
    model = to_onnx(clf, lengths=False)
    assert [value.name for value in model.graph.input] == ["X"]
    assert_outputs(clf, run(model, inputs), predictions(clf, X))


def test_rows_of_a_table_are_taken_as_they_are(rng):
    X = rng.normal(size=(30, 10))
    X[:5, 6:] = np.nan  # padding
    clf = GRUClassifier(**SMALL).fit(X, two_classes(X))
    assert_same(clf, X, {"X": X})


def test_sequences_of_no_step_alone(rng):
    X = series(rng, 30, missing=0.2)
    clf = GRUClassifier(**SMALL, bidirectional=True).fit(X, two_classes(X))
    nothing = [np.empty((0, 2))] * 3
    assert_same(clf, nothing)
    assert_same(clf, [np.full((4, 2), np.nan), X[0]])


@pytest.mark.parametrize("n_steps", [1, 2, 50])
def test_other_lengths_than_in_training(n_steps, rng):
    X = series(rng, 30)
    clf = GRUClassifier(**SMALL).fit(X, two_classes(X))
    assert_same(clf, rng.normal(size=(1, n_steps, 2)))


# --- Forms of X and y -----------------------------------------------------------------------------


def test_times_that_are_dates(rng):
    frames = []
    for x in series(rng, 30, stamps=True):
        stamps = pd.Timestamp("2024-03-01") + pd.to_timedelta(x[:, 0] - x[:1, 0].sum(), "s")
        frames.append(pd.DataFrame({"when": stamps, "a": x[:, 1], "b": x[:, 2]}))
    clf = GRUClassifier(**SMALL, time_feature="when").fit(frames, two_classes(frames))
    assert_same(clf, frames)


def test_texts_by_their_ids(rng):
    words = np.array(["good", "bad", "the", "plot", "was", "never"])
    texts = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(60)]
    pipeline = make_pipeline(SequenceVectorizer(), GRUClassifier(**SMALL))
    pipeline.fit(texts, two_classes(texts))
    vectorizer, clf = pipeline[0], pipeline[-1]
    assert_same(clf, vectorizer.transform([*texts, "unheard of", ""]))


def test_series_whose_convolutions_are_fitted_apart(rng):
    X = rng.normal(size=(120, 30))
    y = two_classes(X)
    X[y == "odd", 10:16] += 2
    clf = GRUClassifier(random_state=0, max_iter=10).fit(X, y)
    assert clf.auto_params_["n_convolutions"] > 0
    assert_same(clf, X)


def test_features_of_a_transformer_of_a_branch(rng):
    X = pd.DataFrame({"note": rng.choice(["a fine day", "rain", "some rain"], 40)})
    X["level"] = rng.normal(size=40)
    X.loc[::7, "note"] = None
    branches = [("note", TableBranch(TfidfVectorizer()), "note"), ("row", TableBranch(), ["level"])]
    clf = MultimodalGRUClassifier(branches, fusion="gated", random_state=0, **FIT)
    assert_same(clf.fit(X, two_classes(X)), X)


def test_categories_of_all_types(rng):
    n = 60
    X = pd.DataFrame(
        {
            "text": rng.choice(["a", "b", "c"], n),
            "truth": pd.array(rng.choice([True, False], n), "boolean"),
            "grade": pd.Categorical(rng.integers(1, 4, n)),
            "share": pd.Categorical(rng.choice([0.5, 1.0, 2.25], n)),
            "number": rng.normal(size=n),
        }
    )
    for j, name in enumerate(X.columns):
        X.loc[j::9, name] = None
    clf = MultimodalGRUClassifier([("row", TableBranch(), list(X))], random_state=0, **FIT)
    clf.fit(X, two_classes(X))
    assert_same(clf, X)
    others = X[:3].assign(text=["z", None, "a"])
    assert_same(clf, others)


def test_the_network_of_a_search(rng):
    X = series(rng, 30)
    search = GridSearchCV(GRUClassifier(**SMALL), {"cell": ["lstm"]}, cv=2)
    search.fit(X, two_classes(X))
    found = run(to_onnx(search), onnx_inputs(search, X))
    assert_outputs(search.best_estimator_, found, predictions(search, X))


# --- The model ------------------------------------------------------------------------------------


def test_inputs_and_outputs_have_names_types_and_shapes(rng):
    X = series(rng, 30)
    model = to_onnx(GRUClassifier(**SMALL).fit(X, two_classes(X)))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    inputs = [(v.name, v.type, v.shape) for v in session.get_inputs()]
    assert inputs == [
        ("X", "tensor(double)", ["n_samples", "n_steps", 2]),
        ("lengths", "tensor(int64)", ["n_samples"]),
    ]
    outputs = [(v.name, v.type, v.shape) for v in session.get_outputs()]
    assert outputs == [
        ("label", "tensor(string)", ["n_samples"]),
        ("probabilities", "tensor(float)", ["n_samples", 2]),
    ]


def test_inputs_of_branches_have_their_names(rng):
    X = np.empty((30, 4), object)
    X[:, 0] = [*map(list, rng.normal(size=(30, 5)))]
    X[:, 1] = [*map(list, rng.integers(1, 5, (30, 3)))]
    X[:, 2], X[:, 3] = rng.normal(size=30), rng.choice(["x", "y"], 30)
    branches = [("a", SeriesBranch(), 0), ("b", TokenBranch(), 1), ("c", TableBranch(), [2, 3])]
    clf = MultimodalGRUClassifier(branches, random_state=0, **FIT).fit(X, two_classes(X))
    expected = ["a", "a__lengths", "b", "b__lengths", "c", "c__categories"]
    assert [value.name for value in to_onnx(clf).graph.input] == expected
    assert [*onnx_inputs(clf, X)] == ["a__lengths", "a", "b__lengths", "b", "c", "c__categories"]


def test_the_same_network_makes_the_same_file(rng):
    X = series(rng, 30, missing=0.3)
    clf = GRUClassifier(**SMALL).fit(X, two_classes(X))
    assert to_onnx(clf).SerializeToString() == to_onnx(clf).SerializeToString()


def test_a_file_that_was_cut_is_refused(rng, tmp_path):
    X = series(rng, 30)
    content = to_onnx(GRUClassifier(**SMALL).fit(X, two_classes(X))).SerializeToString()
    path = tmp_path / "cut.onnx"
    for share in (0.3, 0.7, 0.99):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(Exception, match=r"protobuf|parsing|Protobuf|decode|Error"):
            onnx.checker.check_model(onnx.load(path), full_check=True)


# --- Refusals -------------------------------------------------------------------------------------


def test_what_is_no_fitted_network_is_refused(rng):
    X = series(rng, 30)
    with pytest.raises(NotFittedError):
        to_onnx(GRUClassifier())
    with pytest.raises(TypeError, match="Expected a GRUClassifier"):
        to_onnx(TfidfVectorizer())
    forecaster = GRUForecaster(2, max_iter=1)
    forecaster.fit(np.sin(np.arange(80.0)))
    with pytest.raises(TypeError, match="Its networks are in networks_"):
        to_onnx(forecaster)
    with pytest.raises(ValueError, match="2 features per step"):
        onnx_inputs(GRURegressor(**SMALL).fit(X, np.arange(30.0)), [np.zeros((3, 5))])


def test_a_pipeline_is_refused_with_what_to_do():
    texts = ["good plot", "bad plot", "good", "bad"] * 5
    pipeline = make_pipeline(SequenceVectorizer(), GRUClassifier(**SMALL))
    pipeline.fit(texts, two_classes(texts))
    with pytest.raises(ValueError, match="pipeline with SequenceVectorizer before it"):
        to_onnx(pipeline)


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        (recurrence.CELLS, GRU, "The cell GRU has no graph of ONNX"),
        (pooling_graph.POOLINGS, MeanPooling, "MeanPooling has no graph of ONNX"),
        (outputs.ESTIMATES, SquaredError, "The loss 'squared_error' has no graph of ONNX"),
    ],
)
def test_a_part_that_is_not_known_is_refused_by_name(table, kind, message, monkeypatch):
    monkeypatch.delitem(table, kind)
    reg = GRURegressor(pooling="mean", **SMALL).fit(np.eye(9), np.arange(9.0))
    with pytest.raises(ValueError, match=message):
        to_onnx(reg)
