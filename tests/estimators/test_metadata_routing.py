"""Metadata routing of scikit-learn: weights, groups and validation sets reach who asked for them.

Each test routes something through a pipeline, a search or an ensemble, and compares the networks
inside with ones that were fitted by hand.
"""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    PerTimestep,
    SeriesBranch,
    TableBranch,
)
from tests.datasets import ESTIMATORS, assert_same_model, output, ragged, small

N, N_VAL = 48, 18
X, Y = ragged(N)
WEIGHTS = 1.0 + np.arange(N) % 5
GROUPS = np.arange(N) // 3 % 8
X_VAL, Y_VAL = ragged(N_VAL, seed=1)
WEIGHTS_VAL = 1.0 + np.arange(N_VAL) % 3
VALIDATION = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": WEIGHTS_VAL}
TABLE = pd.DataFrame({"x": X, "a": np.arange(N) % 7.0, "b": np.arange(N) % 3.0})
TABLE_VAL = pd.DataFrame({"x": X_VAL, "a": np.arange(N_VAL) % 7.0, "b": np.arange(N_VAL) % 3.0})


@pytest.fixture(autouse=True)
def metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def of_sequences(estimator_class, **parameters):
    # It stops early, so that a part is held out, by groups if there are any.
    return small(estimator_class, **{"early_stopping": True, "max_iter": 4} | parameters)


def of_tables(estimator_class, **parameters):
    branches = [
        ("series", SeriesBranch(hidden_layer_sizes=3), "x"),
        ("table", TableBranch(), ["a", "b"]),
    ]
    defaults = {"hidden_layer_sizes": 3, "early_stopping": True, "max_iter": 4, "random_state": 0}
    return estimator_class(branches, **defaults | parameters)


MODELS = {
    "GRUClassifier": (lambda: of_sequences(GRUClassifier), X, X_VAL),
    "GRURegressor": (lambda: of_sequences(GRURegressor), X, X_VAL),
    "MultimodalGRUClassifier": (lambda: of_tables(MultimodalGRUClassifier), TABLE, TABLE_VAL),
    "MultimodalGRURegressor": (lambda: of_tables(MultimodalGRURegressor), TABLE, TABLE_VAL),
}
EACH_MODEL = pytest.mark.parametrize(("make", "X", "X_val"), MODELS.values(), ids=MODELS)


def asking(model, *names, scores=False):
    """Return the model, whose fit asks for metadata, and whose score for weights if it `scores`."""
    model.set_fit_request(**dict.fromkeys(names, True))
    return model.set_score_request(sample_weight=True) if scores else model


def rows(X, indices):
    return X.iloc[indices] if hasattr(X, "iloc") else [X[i] for i in indices]


# --- Pipelines -----------------------------------------------------------------------------------


@EACH_MODEL
def test_all_metadata_through_a_pipeline(make, X, X_val):
    validation = VALIDATION | {"X_val": X_val}
    pipeline = make_pipeline(asking(make(), "sample_weight", *validation, scores=True))
    pipeline.fit(X, Y, sample_weight=WEIGHTS, **validation)
    expected = make().fit(X, Y, sample_weight=WEIGHTS, **validation)
    assert_same_model(pipeline[-1], expected)
    assert pipeline[-1].validation_scores_ == expected.validation_scores_
    score = pipeline.score(X, Y, sample_weight=WEIGHTS)
    assert score == expected.score(X, Y, WEIGHTS) != expected.score(X, Y)


@EACH_MODEL
def test_groups_through_a_pipeline(make, X, X_val):
    pipeline = make_pipeline(asking(make(), "groups")).fit(X, Y, groups=GROUPS)
    expected = make().fit(X, Y, groups=GROUPS)
    assert_same_model(pipeline[-1], expected)
    assert expected.validation_scores_ != make().fit(X, Y).validation_scores_


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_validation_set_is_transformed_on_its_way_through_a_pipeline(estimator_class):
    scaler = PerTimestep(StandardScaler().set_fit_request(sample_weight=True))
    model = asking(of_sequences(estimator_class), "sample_weight", *VALIDATION)
    pipeline = Pipeline([("scale", scaler), ("network", model)], transform_input=["X_val"])
    pipeline.fit(X, Y, sample_weight=WEIGHTS, **VALIDATION)
    steps, step_weights = np.concatenate(X), np.repeat(WEIGHTS, list(map(len, X)))
    scaled = StandardScaler().fit(steps, sample_weight=step_weights)
    validation = VALIDATION | {"X_val": list(map(scaled.transform, X_VAL))}
    expected = of_sequences(estimator_class)
    expected.fit(list(map(scaled.transform, X)), Y, sample_weight=WEIGHTS, **validation)
    assert_same_model(pipeline[-1], expected)
    assert pipeline[-1].validation_scores_ == expected.validation_scores_


def test_names_of_ones_own():
    model = small(GRUClassifier).set_fit_request(sample_weight="cost", X_val="later", y_val="then")
    pipeline = make_pipeline(model).fit(X, Y, cost=WEIGHTS, later=X_VAL, then=Y_VAL)
    expected = small(GRUClassifier).fit(X, Y, WEIGHTS, X_val=X_VAL, y_val=Y_VAL)
    assert_same_model(pipeline[-1], expected)
    assert pipeline[-1].validation_scores_ == expected.validation_scores_


@EACH_MODEL
@pytest.mark.parametrize("name", ["sample_weight", "groups", "X_val"])
def test_what_nobody_has_decided_on_is_refused(make, X, X_val, name):
    given = {"sample_weight": WEIGHTS, "groups": GROUPS, "X_val": X_val}
    with pytest.raises(UnsetMetadataPassedError, match=name):
        make_pipeline(make()).fit(X, Y, **{name: given[name]})


# --- Cross-validation and searches ---------------------------------------------------------------


@EACH_MODEL
def test_groups_reach_the_splitter_and_the_fit(make, X, X_val):
    model = asking(make(), "sample_weight", "groups", scores=True)
    given = {"sample_weight": WEIGHTS, "groups": GROUPS}
    cv = GroupKFold(3)
    result = cross_validate(model, X, Y, cv=cv, params=given, return_estimator=True)
    folds = list(cv.split(X, Y, GROUPS))
    for (train, test), score, fitted in zip(
        folds, result["test_score"], result["estimator"], strict=True
    ):
        expected = make().fit(rows(X, train), Y[train], WEIGHTS[train], groups=GROUPS[train])
        assert_same_model(fitted, expected)
        assert score == expected.score(rows(X, test), Y[test], WEIGHTS[test])
    predicted = cross_val_predict(model, X, Y, cv=cv, params=given)
    for (_, test), fitted in zip(folds, result["estimator"], strict=True):
        assert_allclose(predicted[test], fitted.predict(rows(X, test)), rtol=1e-5)


@EACH_MODEL
@pytest.mark.parametrize("fit_asks", [False, True])
def test_search_with_groups_and_a_validation_set(make, X, X_val, fit_asks):
    model = asking(make(), "sample_weight", *VALIDATION, scores=True)
    model.set_fit_request(groups=fit_asks)
    search = GridSearchCV(
        model, {"hidden_layer_sizes": [2, 4]}, cv=GroupKFold(3), error_score="raise"
    )
    validation = VALIDATION | {"X_val": X_val}
    search.fit(X, Y, sample_weight=WEIGHTS, groups=GROUPS, **validation)
    expected = make().set_params(**search.best_params_)
    expected.fit(X, Y, WEIGHTS, groups=GROUPS if fit_asks else None, **validation)
    assert_same_model(search.best_estimator_, expected)
    assert search.best_estimator_.validation_scores_ == expected.validation_scores_
    assert search.score(X, Y, sample_weight=WEIGHTS) == expected.score(X, Y, WEIGHTS)
    train, test = next(GroupKFold(3).split(X, Y, GROUPS))
    of_fold = make().set_params(hidden_layer_sizes=2)
    of_fold.fit(rows(X, train), Y[train], WEIGHTS[train], **validation)
    score = of_fold.score(rows(X, test), Y[test], WEIGHTS[test])
    assert search.cv_results_["split0_test_score"][0] == score


def test_search_over_a_pipeline_in_two_processes():
    # (The scorer asks by itself: before scikit-learn 1.7 a search overlooks what the last step of
    # a pipeline asks for.)
    scoring = get_scorer("accuracy").set_score_request(sample_weight=True)
    model = asking(of_sequences(GRUClassifier), "sample_weight", *VALIDATION)
    steps = [("scale", PerTimestep(StandardScaler())), ("network", model)]
    steps[0][1].transformer.set_fit_request(sample_weight=False)
    pipeline = Pipeline(steps, transform_input=["X_val"])
    grid = {"network__hidden_layer_sizes": [2, 4]}
    given = {"sample_weight": WEIGHTS, "groups": GROUPS, **VALIDATION}
    searches = [
        GridSearchCV(
            pipeline.set_params(network=clone(model).set_fit_request(groups=True)),
            grid,
            scoring=scoring,
            cv=GroupKFold(3),
            n_jobs=n_jobs,
            error_score="raise",
        ).fit(X, Y, **given)
        for n_jobs in (1, 2)
    ]
    for key in ("split0_test_score", "split1_test_score", "split2_test_score"):
        assert_array_equal(*(search.cv_results_[key] for search in searches))
    train, test = next(GroupKFold(3).split(X, Y, GROUPS))
    scaled = PerTimestep(StandardScaler()).fit(rows(X, train))
    by_hand = of_sequences(GRUClassifier, hidden_layer_sizes=2).fit(
        scaled.transform(rows(X, train)),
        Y[train],
        WEIGHTS[train],
        groups=GROUPS[train],
        **VALIDATION | {"X_val": scaled.transform(X_VAL)},
    )
    score = by_hand.score(scaled.transform(rows(X, test)), Y[test], WEIGHTS[test])
    assert searches[0].cv_results_["split0_test_score"][0] == score


def test_a_validation_set_as_large_as_x_is_cut_as_x_is():
    # scikit-learn takes whatever has as many elements as X for metadata of its samples.
    model = asking(small(GRUClassifier), "X_val", "y_val")
    (X_as_long, y_as_long), folds = ragged(N, seed=2), [(np.arange(20), np.arange(20, N))]
    given = {"X_val": X_as_long, "y_val": y_as_long}
    result = cross_validate(model, X, Y, cv=folds, params=given, return_estimator=True)
    by_hand = small(GRUClassifier).fit(X[:20], Y[:20], X_val=X_as_long[:20], y_val=y_as_long[:20])
    assert result["estimator"][0].validation_scores_ == by_hand.validation_scores_


# --- Ensembles and wrappers ----------------------------------------------------------------------

FLAT = np.random.default_rng(3).normal(size=(N, 5))
OF_FLAT = {"X_val": FLAT[:9], "y_val": Y[:9]}


@pytest.mark.parametrize(
    ("estimator_class", "ensemble_class"),
    [(GRUClassifier, VotingClassifier), (GRURegressor, VotingRegressor)],
)
def test_voting(estimator_class, ensemble_class):
    models = [
        (f"{seed}", asking(of_sequences(estimator_class, random_state=seed), *VALIDATION, "groups"))
        for seed in (0, 1)
    ]
    models[1][1].set_fit_request(sample_weight=True)
    models[0][1].set_fit_request(sample_weight=False)
    ensemble = ensemble_class(models)
    ensemble.fit(X, Y, sample_weight=WEIGHTS, groups=GROUPS, **VALIDATION)
    for seed, weights in ((0, None), (1, WEIGHTS)):
        by_hand = of_sequences(estimator_class, random_state=seed)
        by_hand.fit(X, Y, weights, groups=GROUPS, **VALIDATION)
        assert_same_model(ensemble.estimators_[seed], by_hand)
        assert ensemble.estimators_[seed].validation_scores_ == by_hand.validation_scores_


@pytest.mark.parametrize(
    ("estimator_class", "ensemble_class", "final"),
    [
        (GRUClassifier, StackingClassifier, LogisticRegression()),
        (GRURegressor, StackingRegressor, Ridge()),
    ],
)
def test_stacking(estimator_class, ensemble_class, final):
    model = asking(small(estimator_class), "sample_weight")
    final = asking(final, "sample_weight")
    folds = [(np.arange(0, N, 2), np.arange(1, N, 2)), (np.arange(1, N, 2), np.arange(0, N, 2))]
    ensemble = ensemble_class([("network", model)], final, cv=folds)
    ensemble.fit(X, Y, sample_weight=WEIGHTS)
    by_hand = small(estimator_class).fit(X, Y, WEIGHTS)
    assert_same_model(ensemble.estimators_[0], by_hand)
    inputs = np.empty((N, 1))
    for train, test in folds:
        of_fold = small(estimator_class).fit(rows(X, train), Y[train], WEIGHTS[train])
        inputs[test, 0] = output(of_fold, rows(X, test)).reshape(len(test), -1)[:, -1]
    expected = clone(final).fit(inputs, Y, sample_weight=WEIGHTS)
    assert_allclose(ensemble.final_estimator_.coef_, expected.coef_, rtol=1e-4)


@pytest.mark.parametrize(
    ("estimator_class", "ensemble_class"),
    [(GRUClassifier, BaggingClassifier), (GRURegressor, BaggingRegressor)],
)
@pytest.mark.parametrize("asks_for_weights", [False, True])
def test_bagging(estimator_class, ensemble_class, asks_for_weights):
    model = asking(of_sequences(estimator_class), "groups", "X_val", "y_val")
    model.set_fit_request(sample_weight=asks_for_weights)
    ensemble = ensemble_class(model, n_estimators=2, random_state=0)
    ensemble.fit(FLAT, Y, groups=GROUPS, **OF_FLAT)
    for fitted, drawn in zip(ensemble.estimators_, ensemble.estimators_samples_, strict=True):
        by_hand = clone(fitted)
        if asks_for_weights:  # how often each sample was drawn
            counts = np.bincount(drawn, minlength=N)
            by_hand.fit(FLAT, Y, counts, groups=GROUPS, **OF_FLAT)
        else:
            by_hand.fit(FLAT[drawn], Y[drawn], groups=GROUPS[drawn], **OF_FLAT)
        assert_same_model(fitted, by_hand)
        assert fitted.validation_scores_ == by_hand.validation_scores_


def test_calibration():
    model = asking(of_sequences(GRUClassifier), "sample_weight", "groups", *VALIDATION)
    # (Before scikit-learn 1.8 the weights need the precision of the predictions.)
    weights = WEIGHTS.astype(np.float32)
    calibrated = CalibratedClassifierCV(model, cv=GroupKFold(3))
    calibrated.fit(X, Y, sample_weight=weights, groups=GROUPS, **VALIDATION)
    folds = GroupKFold(3).split(X, Y, GROUPS)
    for (train, _), fitted in zip(folds, calibrated.calibrated_classifiers_, strict=True):
        by_hand = of_sequences(GRUClassifier)
        by_hand.fit(rows(X, train), Y[train], weights[train], groups=GROUPS[train], **VALIDATION)
        assert_same_model(fitted.estimator, by_hand)


@pytest.mark.parametrize(
    ("estimator_class", "wrapper_class"),
    [(GRUClassifier, MultiOutputClassifier), (GRURegressor, MultiOutputRegressor)],
)
def test_one_network_for_each_output(estimator_class, wrapper_class):
    outputs = np.column_stack([Y, np.arange(N) % 2])
    model = asking(of_sequences(estimator_class), "sample_weight", "groups")
    wrapper = wrapper_class(model).fit(X, outputs, sample_weight=WEIGHTS, groups=GROUPS)
    for fitted, y in zip(wrapper.estimators_, outputs.T, strict=True):
        by_hand = of_sequences(estimator_class).fit(X, y, WEIGHTS, groups=GROUPS)
        assert_same_model(fitted, by_hand)


def test_one_against_the_rest():
    classes = np.arange(N) % 3
    model = asking(of_sequences(GRUClassifier), "sample_weight", "groups")
    wrapper = OneVsRestClassifier(model).fit(X, classes, sample_weight=WEIGHTS, groups=GROUPS)
    for c, fitted in enumerate(wrapper.estimators_):
        by_hand = of_sequences(GRUClassifier).fit(X, classes == c, WEIGHTS, groups=GROUPS)
        assert_same_model(fitted, by_hand)


def test_transformed_targets():
    y = np.exp(Y + 0.1 * np.arange(N))
    model = asking(of_sequences(GRURegressor), "sample_weight", "groups")
    wrapper = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp)
    wrapper.fit(X, y, sample_weight=WEIGHTS, groups=GROUPS)
    by_hand = of_sequences(GRURegressor).fit(X, np.log(y), WEIGHTS, groups=GROUPS)
    assert_same_model(wrapper.regressor_, by_hand)


# --- partial_fit ---------------------------------------------------------------------------------


def test_partial_fit_of_a_network_for_each_output():
    outputs = np.column_stack([Y, np.arange(N) % 2])
    model = small(GRUClassifier).set_partial_fit_request(sample_weight=True)
    wrapper = MultiOutputClassifier(model)
    for part in (slice(0, 24), slice(24, N)):
        wrapper.partial_fit(
            X[part], outputs[part], classes=[[0, 1], [0, 1]], sample_weight=WEIGHTS[part]
        )
    for fitted, y in zip(wrapper.estimators_, outputs.T, strict=True):
        by_hand = small(GRUClassifier)
        for part in (slice(0, 24), slice(24, N)):
            by_hand.partial_fit(X[part], y[part], WEIGHTS[part], classes=[0, 1])
        assert_same_model(fitted, by_hand)


def test_partial_fit_asks_for_classes_by_any_name():
    model = small(GRUClassifier).set_partial_fit_request(classes="labels", sample_weight=True)
    requests = model.get_metadata_routing().partial_fit.requests
    assert requests == {"classes": "labels", "sample_weight": True}


# --- Scorers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", ["loss", None, "balanced_accuracy"])
def test_the_score_of_validation_needs_no_request(scoring):
    def fit():
        model = of_sequences(GRUClassifier, scoring=scoring)
        return model.fit(X, Y, WEIGHTS, **VALIDATION).validation_scores_

    routed = fit()
    with sklearn.config_context(enable_metadata_routing=False):
        assert fit() == routed


# --- Transformers around and inside --------------------------------------------------------------


class Recorder(TransformerMixin, BaseEstimator):
    """Keeps what its fit was given beside X."""

    def fit(self, X, y=None, sample_weight=None, groups=None):
        self.given_ = {"sample_weight": sample_weight, "groups": groups}
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_metadata_of_each_step(method):
    asks = Recorder().set_fit_request(sample_weight=True, groups="patients")
    per_step = PerTimestep(asks)
    getattr(per_step, method)(X, Y, sample_weight=WEIGHTS, patients=GROUPS)
    lengths = list(map(len, X))
    given = per_step.transformer_.given_
    assert_array_equal(given["sample_weight"], np.repeat(WEIGHTS, lengths))
    assert_array_equal(given["groups"], np.repeat(GROUPS, lengths))
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        PerTimestep(Recorder()).fit(X, Y, sample_weight=WEIGHTS)
    with pytest.raises(TypeError, match="nothing"):
        per_step.fit(X, Y, nothing=WEIGHTS)


def test_metadata_of_steps_that_have_a_target():
    targets = [np.where(np.arange(len(x)) % 2, np.nan, 1.0) for x in X]
    asks = Recorder().set_fit_request(sample_weight=True, groups=True)
    of_steps = [np.arange(len(x)) + 1.0 for x in X]
    given = PerTimestep(asks).fit(X, targets, sample_weight=of_steps, groups=GROUPS)
    given = given.transformer_.given_
    has_target = ~np.isnan(np.concatenate(targets))
    assert_array_equal(given["sample_weight"], np.concatenate(of_steps)[has_target])
    assert_array_equal(given["groups"], np.repeat(GROUPS, list(map(len, X)))[has_target])


def test_metadata_of_another_length_are_refused():
    per_step = PerTimestep(Recorder().set_fit_request(sample_weight=True, groups=True))
    with pytest.raises(ValueError, match="sample_weight"):
        per_step.fit(X, Y, sample_weight=WEIGHTS[1:])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        per_step.fit(X, Y, groups=GROUPS[1:])


def test_metadata_of_each_step_without_routing():
    with sklearn.config_context(enable_metadata_routing=False):
        pipeline = make_pipeline(PerTimestep(StandardScaler()), small(GRUClassifier))
        pipeline.fit(X, Y, pertimestep__sample_weight=WEIGHTS)
        weights = np.repeat(WEIGHTS, list(map(len, X)))
        expected = StandardScaler().fit(np.concatenate(X), sample_weight=weights)
        assert_allclose(pipeline[0].transformer_.mean_, expected.mean_)


@pytest.mark.parametrize("estimator_class", [MultimodalGRUClassifier, MultimodalGRURegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_transformers_of_branches_get_what_they_ask_for(estimator_class, method):
    table = TABLE.assign(a=np.where(np.arange(N) % 4, TABLE["a"], np.nan)).astype({"a": object})
    table.loc[table["a"].isna(), "a"] = None
    weights = np.where(np.arange(N) < 4, 0.0, WEIGHTS)  # a weight of zero is no sample
    model = estimator_class(
        [
            ("series", SeriesBranch(PerTimestep(Recorder()), hidden_layer_sizes=3), ["x"]),
            ("table", TableBranch(Recorder()), ["a"]),
        ],
        remainder=TableBranch(Recorder()),
        max_iter=2,
        learning_rate_init=0.01,
        random_state=0,
    )
    asked = {"sample_weight": True, "groups": True} if method == "fit" else {"sample_weight": True}
    model.branches[0][1].transformer.transformer.set_fit_request(**asked)
    model.branches[1][1].transformer.set_fit_request(**asked)
    model.remainder.transformer.set_fit_request(**dict.fromkeys(asked, False))
    given = {"sample_weight": weights} | ({"groups": GROUPS} if "groups" in asked else {})
    if method == "partial_fit" and estimator_class is MultimodalGRUClassifier:
        given["classes"] = [0, 1]
    getattr(model, method)(table, Y, **given)
    branches = model.named_branches_
    kept = np.flatnonzero(weights)
    steps = np.repeat(kept, [len(X[i]) for i in kept])
    present = kept[kept % 4 != 0]
    for recorder, samples in (
        (branches["series"].transformer_.transformer_, steps),
        (branches["table"].transformer_, present),
    ):
        assert_array_equal(recorder.given_["sample_weight"], WEIGHTS[samples])
        expected = GROUPS[samples] if method == "fit" else None
        assert_array_equal(recorder.given_["groups"], expected)
    nothing = {"sample_weight": None, "groups": None}
    assert branches["remainder"].transformer_.given_ == nothing


def test_a_transformer_of_a_branch_that_has_not_decided_is_named():
    model = MultimodalGRUClassifier([("table", TableBranch(StandardScaler()), ["a", "b"])])
    with pytest.raises(UnsetMetadataPassedError, match=r"StandardScaler\.fit"):
        model.fit(TABLE, Y, sample_weight=WEIGHTS)
    model.branches[0][1].transformer.set_fit_request(sample_weight=True)
    model.set_params(max_iter=2, random_state=0).fit(TABLE, Y, sample_weight=WEIGHTS)
    expected = StandardScaler().fit(TABLE[["a", "b"]], sample_weight=WEIGHTS).mean_
    assert_allclose(model.named_branches_["table"].transformer_.mean_, expected)


def test_without_routing_transformers_of_branches_get_nothing():
    with sklearn.config_context(enable_metadata_routing=False):
        model = MultimodalGRUClassifier(
            [("table", TableBranch(Recorder()), ["a", "b"])], max_iter=2, random_state=0
        ).fit(TABLE, Y, sample_weight=WEIGHTS)
    nothing = {"sample_weight": None, "groups": None}
    assert model.named_branches_["table"].transformer_.given_ == nothing
