"""Importance by permutation, held against scores of samples that are permuted by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRURegressor,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
)
from skgru.inspection import permutation_importance
from tests.inspection.samples import SETTINGS, regressor, sequences
from tests.inspection.test_inputs import branches, multimodal, samples, texts


def first_order(n, seed=0):
    """Return the first permutation that is drawn."""
    return np.random.RandomState(seed).permutation(n)


def stretched(X, order):
    """Return other samples, each stretched to the length of the one in its place."""
    other = []
    for x, i in zip(X, order, strict=True):
        steps = ((np.arange(len(x)) + 0.5) / len(x) * len(X[i])).astype(int)
        other.append(X[i][steps])
    return other


@pytest.fixture(scope="module")
def rectangle():
    X = np.random.RandomState(0).normal(size=(60, 4, 2))
    y = X[:, 3, 1] + 0.1 * X[:, 0, 0]
    return regressor(X, y), X, y


def test_a_feature_has_the_values_of_another_sample(rectangle):
    estimator, X, y = rectangle
    result = permutation_importance(estimator, X, y, n_repeats=3, random_state=0)
    assert result.names == ["x0", "x1"]
    assert result.importances.shape == (2, 3)
    other = X.copy()
    other[:, :, 0] = X[first_order(60), :, 0]
    expected = estimator.score(X, y) - estimator.score(other, y)
    assert_allclose(result.importances[0, 0], expected, atol=1e-12)
    assert_allclose(result.importances_mean, result.importances.mean(axis=1))
    assert_allclose(result.importances_std, result.importances.std(axis=1))
    assert result.importances_mean[1] > 5 * abs(result.importances_mean[0])


def test_a_span_has_the_steps_of_another_sample(rectangle):
    estimator, X, y = rectangle
    how = {"of": "spans", "n_spans": 2, "n_repeats": 1, "random_state": 0}
    result = permutation_importance(estimator, X, y, **how)
    assert result.names == ["0%-50%", "50%-100%"]
    other = X.copy()
    other[:, :2] = X[first_order(60), :2]
    expected = estimator.score(X, y) - estimator.score(other, y)
    assert_allclose(result.importances[0, 0], expected, atol=1e-12)
    assert result.importances[1, 0] > 0.5 > abs(result.importances[0, 0])


def test_spans_have_names_of_their_own_however_many(rectangle):
    estimator, X, y = rectangle
    how = {"of": "spans", "n_repeats": 1, "random_state": 0}
    result = permutation_importance(estimator, X, y, n_spans=150, **how)
    assert len(set(result.names)) == len(result.importances) == 150
    assert result.names[:2] == ["0.0%-0.7%", "0.7%-1.3%"]


def test_features_of_one_name_are_each_permuted():
    names = ["a", "a"]
    X = np.random.RandomState(0).normal(size=(20, 3, 2))
    twice = FunctionTransformer(feature_names_out=lambda transformer, given: names)
    estimator = make_pipeline(twice, regressor(X, X[:, 2, 1], max_iter=2))
    result = permutation_importance(estimator, X, X[:, 2, 1], n_repeats=1)
    assert result.names == names
    assert result.importances.shape == (2, 1)


def test_weights_are_those_of_the_score(rectangle):
    estimator, X, y = rectangle
    weights = np.arange(60) % 2
    how = {"n_repeats": 1, "random_state": 0}
    result = permutation_importance(estimator, X, y, sample_weight=weights, **how)
    other = X.copy()
    other[:, :, 0] = X[first_order(60), :, 0]
    before, after = (estimator.score(given, y, weights) for given in (X, other))
    assert_allclose(result.importances[0, 0], before - after, atol=1e-12)


def test_another_sample_is_stretched_to_the_length():
    X = [np.arange(n, dtype=float)[:, None] + 10 * n for n in (2, 4, 3, 2)]
    estimator = regressor(X, [1.0, 2, 3, 4])
    y, order = [1.0, 2, 3, 4], first_order(4)
    result = permutation_importance(estimator, X, y, n_repeats=1, random_state=0)
    other = stretched(X, order)
    expected = estimator.score(X, y) - estimator.score(other, y)
    assert_allclose(result.importances[0, 0], expected, atol=1e-12)


def test_scores_of_all_kinds_and_threads_and_pipelines(rectangle):
    estimator, X, y = rectangle
    how = {"n_repeats": 2, "random_state": 0}
    of_string = permutation_importance(estimator, X, y, scoring="neg_mean_absolute_error", **how)

    def of_callable(estimator, X, y):
        return -mean_absolute_error(y, estimator.predict(X))

    expected = permutation_importance(estimator, X, y, scoring=of_callable, n_jobs=2, **how)
    assert_array_equal(of_string.importances, expected.importances)
    X = texts()
    y = ["good" in x for x in X]
    settings = SETTINGS | {"embedding_dim": 3, "pooling": "mean"}
    pipeline = make_pipeline(SequenceVectorizer(), GRUClassifier(**settings)).fit(X, y)
    result = permutation_importance(pipeline, X, y, scoring="roc_auc", **how)
    assert result.names == ["tokens"]
    assert result.importances_mean[0] > 0.2


def test_columns_of_tables_and_features_of_branches():
    X, y = samples()
    y = y + np.array([x[-1] for x in X["pulse"]])
    estimator = multimodal(X, y)
    result = permutation_importance(estimator, X, y, n_repeats=1, random_state=0)
    table = ["patient__age", "patient__ward", "patient__weight", "patient__street"]
    assert result.names == ["note", "monitor__pulse", *table, "bag", "bag2"]
    draws = np.random.RandomState(0)
    orders = {name: draws.permutation(len(X)) for name in result.names}
    for name in ("age", "ward", "weight"):
        other = X.copy()
        other[name] = X[name].to_numpy()[orders[f"patient__{name}"]]
        expected = estimator.score(X, y) - estimator.score(other, y)
        found = result.importances[result.names.index(f"patient__{name}"), 0]
        assert_allclose(found, expected, atol=1e-12)


def test_a_branch_of_another_sample_has_its_own_length_and_absence():
    X, y = samples()
    X.loc[3, "note"] = None
    estimator = multimodal(X, y, branches()[:2])
    how = {"of": "branches", "n_repeats": 1, "random_state": 0}
    result = permutation_importance(estimator, X, y, **how)
    assert result.names == ["note", "monitor"]
    other = X.copy()
    other["note"] = X["note"].to_numpy()[first_order(len(X))]
    expected = estimator.score(X, y) - estimator.score(other, y)
    assert_allclose(result.importances[0, 0], expected, atol=1e-12)
    # Of features, those of the samples that have them.
    assert np.isfinite(permutation_importance(estimator, X, y, n_repeats=1).importances).all()


def test_steps_with_targets_keep_their_number():
    X = sequences()
    y = [np.cumsum(x[:, 1]) for x in X]
    estimator = regressor(X, y, pooling=None)
    how = {"n_repeats": 2, "random_state": 0}
    result = permutation_importance(estimator, X, y, **how)
    assert result.importances_mean[1] > result.importances_mean[0]
    frame = pd.DataFrame({"x": pd.Series([x[:, 1] for x in X]), "static": np.arange(30.0)})
    given = [
        ("s", SeriesBranch(hidden_layer_sizes=4, pooling=None), ["x"]),
        ("t", TableBranch(), ["static"]),
    ]
    several = MultimodalGRURegressor(given, **SETTINGS).fit(frame, y)
    result = permutation_importance(several, frame, y, of="branches", **how)
    assert result.importances_mean[0] > 5 * abs(result.importances_mean[1])
    other = frame.assign(x=pd.Series(stretched(list(frame["x"]), first_order(30))))
    expected = several.score(frame, y) - several.score(other, y)
    assert_allclose(result.importances[0, 0], expected, atol=1e-12)


def test_predictions_of_steps_have_the_form_of_x():
    X = np.random.RandomState(0).normal(size=(20, 4, 2))
    y = (X[:, :, 1] > 0).astype(int)
    estimator = GRUClassifier(**SETTINGS, pooling=None).fit(X, y)
    how = {"n_repeats": 1, "random_state": 0, "scoring": "accuracy"}
    result = permutation_importance(estimator, X, y, **how)
    other = X.copy()
    other[:, :, 0] = X[first_order(20), :, 0]
    before, after = ((estimator.predict(given) == y).all(axis=1).mean() for given in (X, other))
    assert result.importances[0, 0] == before - after


def test_times_stay_as_they_are_in_spans():
    X = sequences(clock=True)
    estimator = regressor(X, [x[-1, 1] for x in X], time_feature=0)
    y = [x[-1, 1] for x in X]
    result = permutation_importance(estimator, X, y, of="spans", n_spans=2, random_state=0)
    assert result.importances_mean[1] > result.importances_mean[0]


def test_names_of_features_are_those_of_the_frames():
    X = [pd.DataFrame(x, columns=["pulse", "pressure"]) for x in sequences()]
    estimator = regressor(X, np.arange(30.0), max_iter=2)
    assert permutation_importance(estimator, X, np.arange(30.0)).names == ["pulse", "pressure"]


def test_what_does_not_fit_is_refused(rectangle):
    estimator, X, y = rectangle
    for how, message in (
        ({"of": "rows"}, r"of to be one of \['features', 'branches', 'spans'\], got 'rows'"),
        ({"of": "branches"}, "GRURegressor has no branches: expected of='features'"),
        ({"n_repeats": 0}, "n_repeats to be an int above 0, got 0"),
        ({"of": "spans", "n_spans": 1.5}, "n_spans to be an int above 0, got 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            permutation_importance(estimator, X, y, **how)
    with pytest.raises(NotFittedError):
        permutation_importance(GRURegressor(), X, y)
    with pytest.raises(TypeError, match=r"scoring to be one score, .* got \['r2'\]"):
        permutation_importance(estimator, X, y, scoring=["r2"])
    X, y = samples()
    with pytest.raises(ValueError, match="No branch reads sequences"):
        permutation_importance(multimodal(X, y, branches()[2:3], max_iter=2), X, y, of="spans")
