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
    MultimodalGRURegressor,
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


def test_ids_that_are_padded_in_front(rng):
    X = [rng.integers(1, 9, n) for n in rng.integers(0, 8, 30)]
    clf = GRUClassifier(**SMALL, embedding_dim=3, bag=True).fit(X, two_classes(X))
    padded = np.zeros((30, 12), int)
    for row, ids in zip(padded, X, strict=True):
        row[9 - len(ids) : 9] = ids
    assert_same(clf, X, {"X": padded, "lengths": np.full(30, 9)})
    assert_same(clf, X, {"X": padded, "lengths": np.full(30, 12)})


@pytest.mark.parametrize("step", [1, 3])
def test_ids_next_to_those_that_are_known(step, rng):
    X = [5 + step * rng.integers(0, 9, n) for n in rng.integers(1, 8, 30)]
    clf = GRUClassifier(**SMALL, embedding_dim=3, bag=True).fit(X, two_classes(X))
    known = np.unique(np.concatenate(X))
    others = [ids + by for ids in (known, known[:1], known[-1:]) for by in (-1, 0, 1)]
    assert_same(clf, [*others, np.array([1, 2**62 - 1])])


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


NOTHING = {
    **NUMBERS,
    "LSTM": {"cell": "lstm"},
    "RNN": {"cell": "rnn"},
    "output gate": {"output_gate": True},
    "time": {"time_feature": 0},
    "tokens": {"embedding_dim": 3, "bag": True},
    "patched tokens": {"embedding_dim": 3, "patch_size": 2, "dtype": "float64"},
    "steps": {"pooling": None},
    "steps in double": {"pooling": None, "dtype": "float64"},
    "tags": {"pooling": None, "crf": True},
}


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("options", NOTHING.values(), ids=NOTHING)
def test_no_sample_and_no_step(options, share, rng):
    X = series(rng, 30, missing=share)
    y = two_classes(X)
    if "embedding_dim" in options:
        X = [rng.integers(1, 9, len(x)) for x in X]
    if "time_feature" in options:
        X = [np.column_stack([np.arange(len(x)), x]) for x in X]
    has_steps = options.get("pooling", "last") is None
    if has_steps:
        y = [np.resize(["odd", "even"], len(x)) for x in X]
    clf = GRUClassifier(**SMALL | options).fit(X, y)
    model, shape = to_onnx(clf), X[0].shape[1:]
    dtype = np.int64 if "embedding_dim" in options else np.float64
    for n, n_steps in ((0, 6), (3, 0), (0, 0)):
        inputs = {"X": np.zeros((n, n_steps, *shape), dtype), "lengths": np.zeros(n, np.int64)}
        found = run(model, inputs)
        assert found["label"].shape[0] == found["probabilities"].shape[0] == n
        if n and not has_steps:
            assert_outputs(clf, found, predictions(clf, [X[0][:0]] * n))


@pytest.mark.parametrize("kind", ["numbers", "tokens"])
def test_no_row_of_a_table(kind, rng):
    X = rng.normal(size=(30, 10)) if kind == "numbers" else rng.integers(1, 9, (30, 10))
    options = {"embedding_dim": 3} if kind == "tokens" else {"features_per_step": 2}
    clf = GRUClassifier(**SMALL, **options).fit(X, two_classes(X))
    assert run(to_onnx(clf), {"X": X[:0]})["probabilities"].shape == (0, 2)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sequences_of_no_step_among_others(cell, bidirectional, rng):
    # Some versions of ONNX Runtime return of them what was in memory.
    lengths = [0, 3, 5, 0, 9, 1, 0] * 6
    X = [rng.normal(size=(n, 2)) for n in lengths]
    clf = GRUClassifier(**SMALL, cell=cell, bidirectional=bidirectional).fit(X, two_classes(X))
    model, inputs = to_onnx(clf), onnx_inputs(clf, X)
    (operator,) = (node for node in model.graph.node if node.op_type == cell.upper())
    readers = [node.op_type for node in model.graph.node if operator.output[1] in node.input]
    assert readers == ["Where"]
    assert_outputs(clf, run(model, inputs), predictions(clf, X))


@pytest.mark.parametrize("options", [{}, {"embedding_dim": 3}], ids=["numbers", "tokens"])
def test_lengths_that_no_sequence_has(options, rng):
    X = series(rng, 30)
    if options:
        X = [rng.integers(1, 9, len(x)) for x in X]
    clf = GRUClassifier(**SMALL, **options).fit(X, two_classes(X))
    model, inputs = to_onnx(clf), onnx_inputs(clf, X)
    found = run(model, inputs | {"lengths": inputs["lengths"] - 100})
    assert_outputs(clf, found, predictions(clf, [x[:0] for x in X]))
    padding = 1 if options else 0.5
    longest = [np.concatenate([x, np.full((14 - len(x), *x.shape[1:]), padding)]) for x in X]
    inputs = onnx_inputs(clf, longest)
    found = run(model, inputs | {"lengths": inputs["lengths"] + 100})
    assert_outputs(clf, found, predictions(clf, longest))


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


@pytest.mark.parametrize("options", [{}, {"dtype": "float64"}], ids=["single", "double"])
def test_values_whose_square_overflows(options, rng):
    X = series(rng, 30)
    clf = GRUClassifier(**SMALL, **options, scaling="robust").fit(X, two_classes(X))
    assert_same(clf, [np.full((4, 2), 1e300), np.full((3, 2), -1.7e308)])


def test_gaps_that_are_longer_than_the_longest_one_that_counts(rng):
    X = series(rng, 30, stamps=True, missing=0.3)
    clf = GRUClassifier(**SMALL, time_feature=0, missing="indicator").fit(X, two_classes(X))
    for x in X:
        x[len(x) // 2 :, 0] += 1e12
    assert_same(clf, X)


def test_constant_sequences_have_no_scale_of_their_rounding(rng):
    X = [1e-15 * rng.normal(size=(n, 2)) for n in range(2, 32)] + series(rng, 30)
    clf = GRUClassifier(**SMALL, scaling="sequence").fit(X, two_classes(X))
    assert_same(clf, [np.full((n, 2), 0.7) for n in range(1, 40)])


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


@pytest.mark.parametrize("grades", [[1, 2, 3], [0.0, 1.0], [0.5, 1.0], [10**16, 1]])
def test_numbers_that_are_categories(grades, rng):
    # With a missing one they are floats, without integers.
    X = pd.DataFrame({"grade": pd.Categorical(rng.choice(grades, 40)), "x": rng.normal(size=40)})
    gaps = X.copy()
    gaps.loc[::5, "grade"] = None
    for given, others in ((X, gaps), (gaps, X)):
        clf = MultimodalGRUClassifier([("row", TableBranch(), list(X))], random_state=0, **FIT)
        clf.fit(given, two_classes(X))
        assert_same(clf, given)
        assert_same(clf, others)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-3, 2**62, 2**63 - 1]),
        np.array([1, 2, 255], np.uint8),
        np.array([0, 5, 2**40], np.uint64),
        np.array([-1, 0, 1], np.int8),
        np.array([0.0, 1.0, 2.0], np.float32),
        np.array([True, False]),
        np.array([True, False], object),
        np.array([3, 1, 2], object),
        np.array(["", "ä", "ß"]),
        np.array(["a", "b"], object),
        np.array([np.str_("a"), np.str_("b")], object),
        pd.Series(["a", "b"], dtype="string"),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series([1, 2, 3], dtype="Int64"),
    ],
    ids=lambda labels: f"{labels.dtype}-{labels[0]}",
)
def test_classes_of_all_types(labels, rng):
    X = rng.normal(size=(30, 5))
    places = np.arange(30) % len(labels)
    y = labels.iloc[places] if isinstance(labels, pd.Series) else labels[places]
    clf = GRUClassifier(**SMALL).fit(X, y)
    found = run(to_onnx(clf), {"X": X})["label"]
    assert found.tolist() == clf.predict(X).tolist()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 2**63 + 5, 2**64 - 1], np.uint64),
        np.array(["2020-01-01", "2021-01-01"], "M8[D]"),
    ],
    ids=["uint64", "dates"],
)
def test_classes_that_have_no_type_are_refused(labels, rng):
    X = rng.normal(size=(30, 5))
    clf = GRUClassifier(**SMALL).fit(X, np.resize(labels, 30))
    with pytest.raises(
        ValueError, match=r"Expected classes that are texts, .* got (uint64|object)"
    ):
        to_onnx(clf)


def test_branches_whose_steps_have_outputs(rng):
    lengths = rng.integers(0, 7, 30)
    X = pd.DataFrame(
        {
            "a": [rng.normal(size=n) for n in lengths],
            "b": [rng.integers(1, 9, n) for n in lengths],
            "c": [None if i % 4 == 0 else float(i) for i in range(30)],
        }
    )
    y = [rng.normal(size=n) for n in lengths]
    branches = [
        ("a", SeriesBranch(pooling=None, missing="indicator"), "a"),
        ("b", TokenBranch(pooling=None, bidirectional=True), "b"),
        ("c", TableBranch(), ["c"]),
    ]
    for fusion in ("concat", "gated"):
        reg = MultimodalGRURegressor(branches, fusion=fusion, random_state=0, **FIT).fit(X, y)
        assert_same(reg, X)
        dims = {
            value.name: value.type.tensor_type.shape.dim[1].dim_param
            for value in to_onnx(reg).graph.input
            if value.name in "ab"
        }
        assert dims == {"a": "n_steps", "b": "n_steps"}


def test_bags_of_two_branches(rng):
    X = pd.DataFrame({name: [rng.integers(1, 9, n) for n in range(40)] for name in "ab"})
    branches = [(name, TokenBranch(bag=True, embedding_dim=2), name) for name in X]
    clf = MultimodalGRUClassifier(branches, random_state=0, **FIT).fit(X, two_classes(X))
    assert_same(clf, X)


def test_tags_of_which_no_path_is_permitted(rng):
    X = [rng.normal(size=(3, 2)) for _ in range(30)]
    clf = GRUClassifier(**SMALL, pooling=None, crf="strict").fit(X, [["a", "c", "b"]] * 30)
    assert_same(clf, [rng.normal(size=(n, 2)) for n in (1, 2, 3, 4, 5)])


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


@pytest.mark.parametrize("name", ["label", "probabilities"])
def test_a_branch_with_the_name_of_an_output_is_refused(name, rng):
    X = rng.normal(size=(30, 4))
    branches = [(name, SeriesBranch(), [0, 1, 2]), ("row", TableBranch(), [3])]
    clf = MultimodalGRUClassifier(branches, random_state=0, **FIT).fit(X, two_classes(X))
    with pytest.raises(ValueError, match=f"an output {name!r}, and a branch of that name"):
        to_onnx(clf)


@pytest.mark.parametrize("name", ["X", "lengths", "constant_1", "Shape_2", "n_samples", "ü/1"])
def test_branches_may_have_any_other_name(name, rng):
    X = rng.normal(size=(30, 4))
    branches = [(name, SeriesBranch(), [0, 1, 2]), ("variable", TableBranch(), [3])]
    clf = MultimodalGRUClassifier(branches, random_state=0, **FIT).fit(X, two_classes(X))
    assert_same(clf, X)


def test_a_category_that_stands_for_a_missing_one_is_refused(rng):
    X = pd.DataFrame({"kind": rng.choice(["", "a"], 30), "x": rng.normal(size=30)})
    clf = MultimodalGRUClassifier([("row", TableBranch(), list(X))], random_state=0, **FIT)
    clf.fit(X, two_classes(X))
    with pytest.raises(ValueError, match="Column 'kind' holds the category ''"):
        to_onnx(clf)


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
