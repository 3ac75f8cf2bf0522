"""Each input is explained in its own shape: forms of X, tokens, tables, branches, pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru.inspection import attributions
from tests.forms_of_x import RAGGED_FORMS
from tests.inspection.samples import SETTINGS, classifier, raw_of, regressor, sequences

METHODS = ("integrated_gradients", "occlusion", "gradient")


# Forms of X


@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_every_form_of_x_has_the_same_contributions(form):
    X = sequences(10)
    given = RAGGED_FORMS[form](X)
    expected = attributions(regressor(X, max_iter=2), X)
    found = attributions(regressor(given, max_iter=2), given)
    assert type(found) is list
    for x, one, other in zip(X, expected, found, strict=True):
        assert_allclose(other[: len(x)], one, atol=1e-12)
        assert (other[len(x) :] == 0).all()
        assert len(other) == (9 if "padded" in form else len(x))


def test_columns_of_a_table_are_steps():
    X = np.random.RandomState(0).normal(size=(12, 6))
    for given in (X, pd.DataFrame(X).add_prefix("c"), pl.DataFrame(X)):
        estimator = regressor(given, X[:, 2], max_iter=2)
        parts = attributions(estimator, given)
        assert [part.shape for part in parts] == [(6, 1)] * 12
    estimator = regressor(X, X[:, 2], max_iter=2, features_per_step=2)
    assert attributions(estimator, X)[0].shape == (3, 2)


def test_an_empty_sequence_contributes_nothing():
    X = sequences(10)
    estimator = regressor(X, max_iter=2)
    first, second = attributions(estimator, [np.empty((0, 2)), X[3]])
    assert first.shape == (0, 2)
    assert_array_equal(second, attributions(estimator, [X[3]])[0])


def test_single_precision_is_as_complete():
    X = sequences()
    estimator = regressor(X, dtype="float32", pooling="mean")
    start = [np.broadcast_to(estimator.feature_mean_, x.shape) for x in X]
    sums = [part.sum() for part in attributions(estimator, X)]
    change = estimator.predict(X) - estimator.predict(start)
    assert_allclose(sums, change, rtol=0.011, atol=1e-3)


# The baseline


def test_the_baseline_may_be_a_number_or_features_or_a_sequence():
    X = np.random.RandomState(0).normal(size=(20, 4, 2))
    estimator = regressor(X, X[:, 1, 0])
    sequence = np.random.RandomState(1).normal(size=(4, 2))
    for baseline in (0.5, [0.5, -1.0], sequence):
        start = np.broadcast_to(baseline, (4, 2))
        sums = [part.sum() for part in attributions(estimator, X[:5], baseline=baseline, tol=1e-3)]
        change = estimator.predict(X[:5]) - estimator.predict([start])
        assert_allclose(sums, change, rtol=2e-3, atol=1e-3)
        (without,) = attributions(estimator, X[:1], method="occlusion", baseline=baseline)
        other = X[0].copy()
        other[2, 1] = start[2, 1]
        assert_allclose(without[2, 1], -np.diff(estimator.predict([X[0], other]))[0], atol=1e-9)


def test_the_baseline_of_one_feature_may_be_a_row_of_steps():
    X = np.random.RandomState(0).normal(size=(20, 4))
    estimator = regressor(X, X[:, 1])
    one, other = (attributions(estimator, X, baseline=b) for b in (X[0], X[0][:, None]))
    assert_array_equal(one, other)
    assert_array_equal(one[0], np.zeros((4, 1)))


def test_a_baseline_of_another_shape_is_refused():
    X = sequences()
    estimator = regressor(X, max_iter=2)
    for baseline, shape in (([1, 2, 3], r"\(3,\)"), (np.zeros((3, 2)), r"\(3, 2\)")):
        expected = rf"2 numbers, one for each feature, or an .* have 1 to 5\), got shape {shape}"
        with pytest.raises(ValueError, match=expected):
            attributions(estimator, X, baseline=baseline)
    with pytest.raises(ValueError, match="NaN or infinity: expected finite numbers"):
        attributions(estimator, X, baseline=np.nan)
    with pytest.raises((ValueError, TypeError), match="baseline"):
        attributions(estimator, X, baseline="mean")


# Tokens

WORDS = ["bad", "good", "the", "film", "what"]


def texts(n=60, seed=0):
    rng = np.random.RandomState(seed)
    return [" ".join(rng.choice(WORDS, 1 + i % 5)) for i in range(n)]


def text_classifier(**parameters):
    X = texts()
    steps = SequenceVectorizer(min_df=1), GRUClassifier(**SETTINGS | parameters, embedding_dim=3)
    return make_pipeline(*steps).fit(X, ["good" in x for x in X])


@pytest.mark.parametrize("options", [{"pooling": "mean"}, {"patch_size": 2, "pooling": "last"}])
def test_a_text_has_a_contribution_of_each_token(options):
    estimator = text_classifier(**options)
    X = texts()[10:15]
    ids = estimator[:-1].transform(X)
    parts = {m: attributions(estimator, X, method=m, target=True) for m in METHODS}
    for method in METHODS:
        assert [part.shape for part in parts[method]] == [(len(x.split()),) for x in X]
        alone = attributions(estimator[-1], ids, method=method, target=True)
        assert_allclose(np.concatenate(alone), np.concatenate(parts[method]), atol=1e-12)
    # An id as the baseline can be predicted, too.
    other = int(ids[4][0])
    starts = [np.full(len(x), other) for x in ids]
    change = raw_of(estimator[-1], ids)[:, 0] - raw_of(estimator[-1], starts)[:, 0]
    how = {"target": True, "baseline": other, "tol": 1e-3}
    sums = [part.sum() for part in attributions(estimator, X, **how)]
    assert_allclose(sums, change, rtol=2e-3, atol=1e-3)
    without = attributions(estimator, X, method="occlusion", **how)[3]
    for t in range(len(without)):
        changed = np.array(ids[3])
        changed[t] = other
        raw = raw_of(estimator[-1], [ids[3], changed])[:, 0]
        assert_allclose(without[t], raw[0] - raw[1], atol=1e-9)


def test_padding_is_where_tokens_begin():
    """Its vector is zero, so the output there is that of a network whose embedding is zero."""
    estimator = text_classifier(pooling="mean", bag=False)
    X = texts()[10:15]
    ids = estimator[:-1].transform(X)
    raw = raw_of(estimator[-1], ids)[:, 0]
    sums = [part.sum() for part in attributions(estimator, X, target=True, tol=1e-3)]
    state = estimator[-1]._state
    theta = state["theta"].copy()
    estimator[-1]._fitted_model().network.parameters(state["theta"])["embedding.weights"][...] = 0
    at_zero = raw_of(estimator[-1], ids)[:, 0]
    state["theta"][...] = theta
    assert_allclose(sums, raw - at_zero, rtol=2e-3, atol=1e-3)


def test_padded_tokens_contribute_at_their_places():
    ids = np.array([[2, 3, 4, 0], [3, 2, 0, 0], [4, 4, 3, 2]] * 8)
    for given in (ids, ids[:, ::-1]):
        estimator = classifier(given, np.arange(24) % 3 == 0, embedding_dim=3, max_iter=2)
        parts = attributions(estimator, given)
        assert_array_equal(np.array(parts) != 0, given != 0)


def test_a_baseline_that_is_no_token_is_refused():
    estimator = text_classifier(max_iter=2)
    for baseline in (0.5, -1, "bad"):
        with pytest.raises(ValueError, match="expected token ids, or 0, got"):
            attributions(estimator, texts(), baseline=baseline)
    with pytest.raises(ValueError, match=r"these have 1 to 5\), got shape \(3,\)"):
        attributions(estimator, texts(), baseline=[2, 3, 4])


# Several inputs


def samples(n=40, seed=0):
    rng = np.random.RandomState(seed)
    pulse = [3 + rng.normal(size=2 + i % 4) for i in range(n)]
    X = pd.DataFrame(
        {
            "age": 20.0 + np.arange(n) * 7 % 50,
            "note": texts(n),
            "ward": [("A", "B", "C", None)[i % 4] for i in range(n)],
            "pulse": pd.Series(pulse),
            "weight": np.where(np.arange(n) % 5 == 0, np.nan, 50 + rng.normal(size=n)),
            "street": [f"s{i % 13}" for i in range(n)],
            "words": texts(n, seed=1),
        }
    )
    return X, rng.normal(size=n)


def branches(**of_table):
    return [
        ("note", TokenBranch(SequenceVectorizer(), embedding_dim=3, hidden_layer_sizes=3), "note"),
        ("monitor", SeriesBranch(hidden_layer_sizes=3), ["pulse"]),
        ("patient", TableBranch(**of_table), ["age", "ward", "weight", "street"]),
        ("bag", TableBranch(CountVectorizer(), hidden_layer_sizes=()), "words"),
        ("bag2", TableBranch(CountVectorizer(), hidden_layer_sizes=3), "words"),
    ]


def multimodal(X, y, given=None, **parameters):
    settings = SETTINGS | {"hidden_layer_sizes": 4} | parameters
    return MultimodalGRURegressor(given or branches(), **settings).fit(X, y)


def with_cell(X, i, column, value):
    X = X.copy()
    cells = X[column].astype(object).tolist()
    cells[i] = value
    return X.assign(**{column: pd.Series(cells, dtype=object)})


@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_every_branch_has_contributions_in_its_own_shape(fusion):
    X, y = samples()
    estimator = multimodal(X, y, fusion=fusion)
    shown = X[:8].reset_index(drop=True)
    for method in METHODS:
        parts = attributions(estimator, shown, method=method)
        assert list(parts) == ["note", "monitor", "patient", "bag", "bag2"]
        assert [part.shape for part in parts["note"]] == [(len(x.split()),) for x in shown["note"]]
        assert [part.shape for part in parts["monitor"]] == [(len(x), 1) for x in shown["pulse"]]
        assert parts["patient"].shape == (8, 4)
        counts = estimator.named_branches_["bag"].transformer_.transform(shown["words"])
        for name in ("bag", "bag2"):
            assert sparse.issparse(parts[name])
            assert_array_equal(parts[name].toarray() != 0, counts.toarray() != 0)


@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_the_contributions_of_all_branches_sum_to_the_change_of_the_output(fusion):
    X, y = samples()
    scaling = {"concat": "standard", "gated": "robust"}[fusion]
    given = branches(scaling=scaling)[1:3]  # of which the baseline can be predicted
    estimator = multimodal(X, y, given, fusion=fusion)
    parts = attributions(estimator, X, tol=5e-3)
    table, series = estimator.named_branches_["patient"], estimator.named_branches_["monitor"]
    age, weight = table.feature_mean_
    start = X.assign(weight=weight, age=age, ward=None, street=None)
    start["pulse"] = pd.Series([np.full(len(x), series.feature_mean_[0]) for x in X["pulse"]])
    sums = parts["patient"].sum(axis=1) + [part.sum() for part in parts["monitor"]]
    change = estimator.predict(X) - estimator.predict(start)
    assert np.abs(change).max() > 0.1
    assert_allclose(sums, change, rtol=6e-3, atol=1e-3)
    without = attributions(estimator, X[:8], method="occlusion")
    cells = {"age": age, "ward": None, "weight": weight, "street": None}
    for i in (0, 1, 3):  # of which the first lacks a weight, the last a ward
        for j, (column, value) in enumerate(cells.items()):
            other = estimator.predict(with_cell(X[:8], i, column, value))[i]
            expected = estimator.predict(X[:8])[i] - other
            assert_allclose(without["patient"][i, j], expected, atol=1e-9)
    derivatives = attributions(estimator, X, method="gradient")["patient"]
    assert_array_equal(derivatives[:, 2] == 0, X["weight"].isna())
    slope = derivatives[1, 0]
    high, low = (
        estimator.predict(X[1:2].assign(age=X["age"][1] + step))[0] for step in (1e-3, -1e-3)
    )
    assert_allclose(slope, (high - low) / 2e-3, rtol=1e-4)


def test_transformed_columns_of_a_sparse_table_are_occluded_one_by_one():
    X, y = samples()
    estimator = multimodal(X, y, branches()[1:])
    without = attributions(estimator, X[:4], method="occlusion")
    for name in ("bag", "bag2"):
        words = estimator.named_branches_[name].transformer_.get_feature_names_out()
        text = X["words"][3].split()
        for j in without[name][3].indices:
            others = X[:4].copy()
            # Both branches read the text: the other one's share has to stay.
            others.loc[3, "words"] = " ".join(word for word in text if word != words[j])
            both = estimator.predict(X[:4])[3] - estimator.predict(others)[3]
            shares = [without[other].toarray()[3, j] for other in ("bag", "bag2")]
            assert_allclose(sum(shares), both, rtol=0.3, atol=0.05)


def test_a_branch_that_a_sample_is_without_contributes_nothing():
    X, y = samples()
    X = with_cell(X, 3, "note", None)
    X = with_cell(X, 4, "pulse", None)
    for column in ("weight", "ward", "age", "street"):
        X = with_cell(X, 5, column, None)
    X["weight"], X["age"] = X["weight"].astype(float), X["age"].astype(float)
    X = with_cell(X, 6, "words", None)
    estimator = multimodal(X, y)
    for method in METHODS:
        parts = attributions(estimator, X, method=method)
        assert len(parts["note"][3]) == 0
        assert len(parts["monitor"][4]) == 0
        assert_array_equal(parts["patient"][5], 0)
        assert parts["bag"].shape[0] == parts["bag2"].shape[0] == len(X)
        assert_array_equal(parts["bag"].toarray()[6], 0)
        alone = attributions(estimator, X[5:6], method=method)
        assert_allclose(alone["note"][0], parts["note"][5], atol=1e-9)


def test_steps_of_a_branch_are_explained():
    X, _ = samples()
    X = X.drop(columns="words")
    given = [
        ("monitor", SeriesBranch(hidden_layer_sizes=3, pooling=None), ["pulse"]),
        ("patient", TableBranch(), ["age", "ward"]),
    ]
    estimator = multimodal(X, [np.cumsum(x) for x in X["pulse"]], given)
    for method in METHODS:
        parts = attributions(estimator, X[:6], target=(1, 0), method=method)
        assert parts["patient"].shape == (6, 2)
    parts = attributions(estimator, X[:6], target=(1, 0), tol=5e-3)
    start = X[:6].assign(age=estimator.named_branches_["patient"].feature_mean_[0], ward=None)
    mean = estimator.named_branches_["monitor"].feature_mean_[0]
    start["pulse"] = pd.Series([np.full(len(x), mean) for x in X["pulse"][:6]])
    at = [np.array([p[1] for p in estimator.predict(x)]) for x in (X[:6], start)]
    sums = parts["patient"].sum(axis=1) + [part.sum() for part in parts["monitor"]]
    assert_allclose(sums, at[0] - at[1], rtol=6e-3, atol=1e-3)


def test_each_branch_may_have_a_baseline():
    X, y = samples()
    estimator = multimodal(X, y, branches()[1:3], max_iter=3)
    cells = [30.0, "B", 40.0, "s3"]
    parts = attributions(estimator, X, baseline={"monitor": 1.0, "patient": cells}, tol=1e-3)
    start = X.assign(weight=40.0, ward="B", age=30.0, street="s3")
    start["pulse"] = pd.Series([np.ones(len(x)) for x in X["pulse"]])
    sums = parts["patient"].sum(axis=1) + [part.sum() for part in parts["monitor"]]
    change = estimator.predict(X) - estimator.predict(start)
    assert_allclose(sums, change, rtol=2e-3, atol=1e-3)
    for baseline, expected in (
        (0.0, r"a dict by the names of branches, of \['monitor', 'patient'\], got 0.0"),
        ({"note": 0.0}, "a dict by the names of branches"),
        (
            {"patient": [1.0, "B"]},
            r"Branch 'patient': .* 4 cells, one for each of the columns \['a",
        ),
        ({"monitor": [1.0, 2.0]}, "Branch 'monitor': The baseline does not fit"),
    ):
        with pytest.raises(ValueError, match=expected):
            attributions(estimator, X, baseline=baseline)
    estimator = multimodal(X, y, branches()[3:], max_iter=3)
    with pytest.raises(ValueError, match="Branch 'bag': The baseline of a sparse matrix is 0"):
        attributions(estimator, X, baseline={"bag": 1.0})


def test_a_classifier_of_several_inputs_is_explained():
    X, y = samples()
    estimator = MultimodalGRUClassifier(branches()[:3], **SETTINGS).fit(X, y > 0)
    one = attributions(estimator, X, target=True)
    other = attributions(estimator, X, target=False)
    assert_allclose(one["patient"], -other["patient"], atol=1e-12)


# Pipelines


def test_a_pipeline_transforms_x_first():
    X = np.random.RandomState(0).normal(size=(30, 5, 2))
    twice = FunctionTransformer(lambda x: 2 * x)
    estimator = regressor(2 * X, X[:, 1, 0])
    pipeline = make_pipeline(twice, estimator)
    assert_array_equal(attributions(pipeline, X), attributions(estimator, 2 * X))
