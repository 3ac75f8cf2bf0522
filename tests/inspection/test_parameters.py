"""The parameters of attributions: refused where they do not fit, warnings, lines of progress."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import GRUClassifier, GRUForecaster, GRURegressor
from skgru._inspection import attributions as module
from skgru.inspection import attributions, permutation_importance
from tests.inspection.samples import regressor, sequences

X = sequences()


@pytest.fixture(scope="module")
def estimator():
    return regressor(X, pooling="mean")


def test_an_estimator_that_is_not_fitted_is_refused():
    for given in (GRURegressor(), make_pipeline(FunctionTransformer(), GRUClassifier())):
        with pytest.raises(NotFittedError):
            attributions(given, X)


def test_another_estimator_is_refused(estimator):
    search = GridSearchCV(estimator, {"alpha": [0]}, cv=2, refit=False)
    with pytest.raises(NotFittedError, match="This GridSearchCV instance is not fitted yet"):
        attributions(search, X)
    search.cv_results_ = {}
    for given, message in (
        (LogisticRegression(), "ends with one.* got Logistic"),
        (make_pipeline(LogisticRegression()), "ends with one.* got Logistic"),
        (make_pipeline(estimator, "passthrough"), "got 'passthrough'"),
        (GRURegressor, "got the class GRURegressor. Make an object of it"),
        (search, "got GridSearchCV. It has no best estimator: fit it with refit=True"),
        (GRUForecaster(), None),
    ):
        given = vars(given).update(networks_=[]) or given if message is None else given
        with pytest.raises(TypeError, match=message or "got GRUForecaster. Its networks are in"):
            attributions(given, X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "shap"}, r"one of \['integrated_gradients', 'occlusion', 'gradient'\], got"),
        ({"n_steps": 0}, "n_steps to be 'auto' or an int above 0, got 0"),
        ({"n_steps": "many"}, "n_steps to be 'auto' or an int above 0, got 'many'"),
        ({"n_steps": 10**6}, "n_steps to be at most 10000, got 1000000"),
        ({"tol": 0}, "tol to be a number above 0, got 0"),
        ({"batch_size": 1.5}, "batch_size to be None or an int above 0, got 1.5"),
    ],
)
def test_values_that_a_parameter_does_not_have_are_refused(estimator, parameters, message):
    with pytest.raises(ValueError, match=message):
        attributions(estimator, X, **parameters)


def test_other_features_are_refused_as_in_predict(estimator):
    with pytest.raises(ValueError, match="X has 3 features per step"):
        attributions(estimator, [np.zeros((4, 3))])


def test_points_that_are_too_few_are_told_of(estimator):
    with pytest.warns(UserWarning, match=r"do not sum .* tol=1e-06 .* with 2 points on the line"):
        attributions(estimator, X, n_steps=2, tol=1e-6)


def test_the_line_is_halved_until_the_sums_are_as_exact_as_asked_for(estimator):
    kinky = regressor(X, pooling="max", hidden_layer_sizes=20)
    for given in (estimator, kinky):
        start = np.array([given.feature_mean_])
        change = given.predict(X) - [given.predict([start.repeat(len(x), 0)])[0] for x in X]
        for tol in (0.1, 1e-2, 1e-3):
            sums = [part.sum() for part in attributions(given, X, tol=tol)]
            allowed = tol * np.maximum(np.abs(change), 0.1 * given.target_scale_)
            assert (np.abs(sums - change) <= allowed).all()


def test_batches_and_threads_do_not_matter(estimator):
    for method in ("integrated_gradients", "occlusion", "gradient"):
        expected = np.concatenate(attributions(estimator, X, method=method))
        for batch_size in (1, 4, 100):
            found = attributions(estimator, X, method=method, batch_size=batch_size)
            np.testing.assert_allclose(np.concatenate(found), expected, rtol=0, atol=1e-9)
    wide = GRURegressor(64, max_iter=1, n_jobs=2, dtype="float64", random_state=0)
    many = sequences(300)
    wide.fit(many, np.arange(300.0))
    for method in ("integrated_gradients", "occlusion", "gradient"):
        both = [
            np.concatenate(attributions(wide.set_params(n_jobs=n), many, method=method))
            for n in (1, 2)
        ]
        np.testing.assert_array_equal(*both)


def test_long_sequences_are_run_point_by_point(estimator, monkeypatch):
    expected = {m: attributions(estimator, X[4:5], method=m) for m in module._METHODS}
    monkeypatch.setattr("skgru._budget._MAX_CHUNK_NUMBERS", 1)
    for method, parts in expected.items():
        (found,) = attributions(estimator, X[4:5], method=method)
        np.testing.assert_allclose(found, parts[0], rtol=0, atol=1e-9)


def test_x_and_the_estimator_stay_as_they_are(estimator):
    before = [x.copy() for x in X], estimator._state["theta"].copy()
    for method in module._METHODS:
        attributions(estimator, X, method=method)
    for x, same in zip(X, before[0], strict=True):
        np.testing.assert_array_equal(x, same)
    np.testing.assert_array_equal(estimator._state["theta"], before[1])


def test_lines_tell_how_many_samples_are_done(estimator, monkeypatch, capsys):
    attributions(estimator, X)
    assert capsys.readouterr().out == ""
    attributions(estimator, X, verbose=True)
    assert capsys.readouterr().out.startswith("attributions: 30/30 samples  0.")
    clock = iter(range(0, 100_000, 3))  # three seconds between looks
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    for method in module._METHODS:
        attributions(estimator, X, method=method, verbose=True, batch_size=5)
        lines = capsys.readouterr().out.splitlines()
        seconds = [float(line.split()[-2]) for line in lines]
        assert np.diff([0, *seconds]).max() <= 10
        done = [int(line.split()[1].split("/")[0]) for line in lines]
        assert done == sorted(done)
        assert done[-1] == 30
        assert len(set(done)) > 2


def test_a_search_is_its_best_estimator():
    y = np.arange(len(X))
    network = make_pipeline(GRURegressor(4, max_iter=2, random_state=0))
    search = GridSearchCV(network, {"gruregressor__alpha": [0.0, 0.1]}, cv=2).fit(X, y)
    best = search.best_estimator_
    for of_search, of_best in zip(attributions(search, X), attributions(best, X), strict=True):
        assert_array_equal(of_search, of_best)
    found, expected = (permutation_importance(e, X, y, random_state=0) for e in (search, best))
    assert_array_equal(found.importances, expected.importances)
