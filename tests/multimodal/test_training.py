"""Training as in the flat estimators: solvers, weights, losses, calls that go on or fail."""

import warnings
from collections import deque

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

from skgru import GRUClassifier, GRURegressor, TableBranch
from skgru._data.table import TableInput
from skgru._engine.objective import Objective
from tests.containers import OnlyArray
from tests.datasets import assert_same_model, output
from tests.multimodal.samples import (
    ESTIMATORS,
    branches,
    classifier,
    frame,
    regressor,
    series_branch,
    small,
    text_branch,
    with_cell,
)
from tests.training import RaiseAt, assert_unchanged

X, Y = frame(40)
NUMBERS = np.array([x.sum() for x in X["pulse"]])
TWO = ["monitor", "patient"]
FUSIONS = pytest.mark.parametrize("fusion", ["concat", "gated"])


def without_chance(names=("note", "monitor", "patient")):
    """Return branches that leave nothing out in training."""
    return [
        (name, branch.set_params(dropout=0), where) for name, branch, where in branches(names=names)
    ]


# Determinism


@FUSIONS
def test_the_same_seed_gives_the_same_model(fusion):
    parameters = {"fusion": fusion, "branch_dropout": 0.3, "dropout": 0.2}
    model = classifier(**parameters, n_jobs=1).fit(X, Y)
    assert_same_model(classifier(**parameters, n_jobs=2).fit(X, Y), model)
    other = classifier(**parameters, random_state=1).fit(X, Y)
    assert (other.predict_proba(X) != model.predict_proba(X)).any()


# Weights


@FUSIONS
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_weight_of_two_is_two_copies(solver, fusion):
    parameters = {"solver": solver, "fusion": fusion, "dtype": "float64", "max_iter": 4}
    if solver != "lbfgs":
        parameters["shuffle"] = False
    counts = np.arange(40) % 3
    counts[::5] = 0
    rows = np.repeat(np.arange(40), counts)
    assert len(rows) <= 32  # one batch
    weighted = classifier(without_chance(), **parameters).fit(X, Y, counts)
    copied = classifier(without_chance(), **parameters).fit(X.iloc[rows], Y[rows])
    assert_allclose(weighted.predict_proba(X), copied.predict_proba(X), atol=1e-10)
    plain = classifier(without_chance(), **parameters).fit(X, Y)
    assert np.abs(weighted.predict_proba(X) - plain.predict_proba(X)).max() > 1e-4


ONES = np.ones(40)


@pytest.mark.parametrize(
    "container",
    [
        lambda v: v,
        OnlyArray,
        deque,
        list,
        pd.Series,
        pl.Series,
        lambda v: dict(enumerate(v)).values(),
    ],
    ids=["array", "__array__", "deque", "list", "Series", "polars", "values of a dict"],
)
def test_targets_and_weights_in_each_container_can_be_held_out_of(container):
    expected = classifier(early_stopping=True).fit(X, Y, ONES)
    assert_same_model(
        classifier(early_stopping=True).fit(X, container(Y), container(ONES)), expected
    )


@pytest.mark.parametrize("early_stopping", [False, True])
def test_one_weight_for_all_samples(early_stopping):
    parameters = {"alpha": 0, "early_stopping": early_stopping}
    expected = classifier(**parameters).fit(X, Y, 2.0 * ONES)
    assert_same_model(classifier(**parameters).fit(X, Y, 2.0), expected)


def test_class_weight():
    parameters = {"solver": "lbfgs", "dtype": "float64"}
    weights = np.where(Y == 1, 3.0, 1.0)
    by_class = classifier(without_chance(), class_weight={0: 1, 1: 3}, **parameters).fit(X, Y)
    by_sample = classifier(without_chance(), **parameters).fit(X, Y, weights)
    rise = [m.predict_proba(X)[:, 1].mean() for m in (by_class, by_sample)]
    plain = classifier(without_chance(), **parameters).fit(X, Y).predict_proba(X)[:, 1].mean()
    assert min(rise) > plain
    balanced = classifier(class_weight="balanced").fit(X, Y)
    assert np.isfinite(balanced.loss_)


# Targets and losses


def test_several_labels():
    labels = np.c_[Y, 1 - Y, X["age"] > 40]
    model = classifier(max_iter=2, early_stopping=True).fit(X, labels)
    assert model.predict(X).shape == (40, 3)
    assert model.predict_proba(X).shape == (40, 3)
    assert 0 <= model.score(X, labels) <= 1


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [list, pd.Series, np.array], ids=["list", "Series", "array"])
def test_classes_of_texts(container, early_stopping):
    names = container(["yes" if label else "no" for label in Y])
    if container is pd.Series:
        names.index = range(100, 140)
    model = classifier(early_stopping=early_stopping).fit(X, names)
    expected = classifier(early_stopping=early_stopping).fit(X, Y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert_same_model(model, expected)
    assert_array_equal(model.predict(X) == "yes", expected.predict(X) == 1)


def test_several_numbers():
    numbers = np.c_[NUMBERS, X["age"]]
    model = regressor(max_iter=20, early_stopping=True).fit(X, numbers)
    assert model.predict(X).shape == (40, 2)
    assert model.score(X, numbers) > 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "absolute_error"},
        {"loss": "huber", "huber_delta": 1},
        {"loss": "quantile", "quantiles": [0.1, 0.9]},
        {"loss": "poisson"},
        {"loss": "gaussian"},
    ],
    ids=str,
)
def test_each_loss(parameters):
    y = np.abs(NUMBERS)
    model = regressor(fusion="gated", **parameters).fit(X, y)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert np.isfinite(model.score(X, y))
    predicted = model.predict(X)
    if parameters["loss"] == "quantile":
        assert (np.diff(predicted, axis=1) >= 0).all()
    if parameters["loss"] == "gaussian":
        mean, deviation = model.predict(X, return_std=True)
        assert_array_equal(mean, predicted)
        assert (deviation > 0).all()


# How the training ends


def test_early_stopping_goes_back_to_the_best_epoch():
    model = classifier(early_stopping=True, max_iter=12, n_iter_no_change=2).fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_given_validation_set_is_scored_as_score_does(estimator_class):
    model = small(estimator_class, max_iter=4, early_stopping=False, dtype="float64")
    model.fit(X[:30], Y[:30], X_val=X[30:], y_val=Y[30:], sample_weight_val=np.arange(10))
    score = model.score(X[30:], Y[30:], np.arange(10))
    assert model.validation_scores_[-1] == pytest.approx(score)


def test_truncated_back_propagation():
    model = classifier(branches(names=TWO), bptt_steps=2).fit(X, Y)
    assert model.auto_params_["monitor__bidirectional"] is False
    whole = classifier(branches(names=TWO)).set_params(monitor__bidirectional=False).fit(X, Y)
    assert (whole.predict_proba(X) != model.predict_proba(X)).any()


# Calls that go on


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_partial_fit(estimator_class):
    model = small(estimator_class, learning_rate="constant", fusion="gated")
    classes = {} if estimator_class is ESTIMATORS[1] else {"classes": [0, 1]}
    losses = [model.partial_fit(X, Y, **classes).loss_]
    losses += [model.partial_fit(X, Y).loss_ for _ in range(5)]
    assert losses[-1] < losses[0]
    assert model.t_ == 240
    mean = model.named_branches_["patient"].feature_mean_.copy()
    model.partial_fit(X[:3].assign(ward="new", note="never seen"), Y[:3])
    assert model.t_ == 243
    assert_array_equal(model.named_branches_["patient"].feature_mean_, mean)


def test_partial_fit_needs_the_classes_first():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier().partial_fit(X, Y)


def test_warm_start_goes_on_from_the_weights():
    model = classifier(branches(names=TWO), warm_start=True).fit(X, Y)
    first = model.loss_curve_[:]
    model.fit(X, Y)
    assert model.loss_curve_[: len(first)] == first
    assert model.loss_curve_[-1] < first[0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"monitor__cell": "lstm"}, r"expected monitor__cell=\('gru',\)"),
        ({"patient__hidden_layer_sizes": 3}, r"expected patient__hidden_layer_sizes=\(\)"),
        ({"patient__embedding_dim": 3}, "expected patient__embedding_dim='auto'"),
        ({"fusion": "gated"}, "expected fusion='concat'"),
        ({"hidden_layer_sizes": 5}, "expected hidden_layer_sizes"),
        ({"patient": "drop"}, r"got monitor \(SeriesBranch\), patient \(drop\)"),
        ({"patient": series_branch()}, r"got monitor \(SeriesBranch\), patient \(SeriesBranch\)"),
        ({"branches": branches()}, "expected monitor .*, got note"),
        (
            {"branches": [branches(names=TWO)[0], ("patient", TableBranch(), ["ward"])]},
            r"'patient': training can .* columns .* expected those at \[3, 4\], got \['ward'\]",
        ),
    ],
    ids=str,
)
def test_training_goes_on_only_with_the_same_network(parameters, message):
    model = classifier(branches(names=TWO), warm_start=True).fit(X, Y)
    p, fitted = model.predict_proba(X), model.branches_
    model.set_params(**parameters)
    for call in (model.fit, model.set_params(learning_rate="constant").partial_fit):
        with pytest.raises(ValueError, match=message):
            call(X, Y)
    assert model.branches_ is fitted
    assert_array_equal(model.predict_proba(X), p)


def test_training_goes_on_with_branches_in_another_order():
    model, other = (classifier(branches(names=TWO), warm_start=True).fit(X, Y) for _ in range(2))
    other.set_params(branches=branches(names=TWO)[::-1])
    assert_same_model(other.fit(X, Y), model.fit(X, Y))


# Calls that fail


FAILING = {
    "data": lambda model: model.fit(with_cell(X, 1, "age", "old"), Y),
    "other columns": lambda model: model.fit(X.rename(columns={"age": "Age"}), Y),
    "targets": lambda model: model.fit(X, np.zeros(40)),
    "a branch": lambda model: model.set_params(patient__scaling="?").fit(X, Y),
    "a validation set": lambda model: model.fit(X, Y, X_val=X[["age"]], y_val=Y),
    "partial_fit": lambda model: model.partial_fit(with_cell(X, 1, "age", "old"), Y),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(case):
    model = classifier(branches(names=TWO), learning_rate="constant").partial_fit(
        X, Y, None, [0, 1]
    )
    before, fitted = dict(vars(model)), model.branches_
    seen = [dict(vars(branch)) for branch in model.named_branches_.values()]
    with pytest.raises((ValueError, TypeError)):
        FAILING[case](model)
    assert model.branches_ is fitted
    assert_unchanged(model, before)
    assert [dict(vars(b)).keys() for b in model.named_branches_.values()] == [
        s.keys() for s in seen
    ]
    assert model.predict(X).shape == (40,)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_error_in_the_training_leaves_the_estimator_as_it_was(error, monkeypatch):
    model = classifier(branches(names=TWO)).fit(X, Y)
    before = dict(vars(model))
    monkeypatch.setattr(TableInput, "steps_of", RaiseAt(TableInput.steps_of, 1, error))
    with pytest.raises(error):
        model.fit(X[:20].assign(ward="Z"), Y[:20])
    assert_unchanged(model, before)


def test_an_interrupt_between_epochs_keeps_the_model(monkeypatch):
    model = classifier(branches(names=TWO), max_iter=10)
    monkeypatch.setattr(Objective, "at_batch", RaiseAt(Objective.at_batch, 6))
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, Y)
    assert model.n_iter_ < 10
    assert model.predict(X).shape == (40,)


# Warnings


def without_warnings(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call()


@FUSIONS
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_there_is_no_warning_by_default(estimator_class, fusion):
    model = estimator_class(branches(), fusion=fusion, max_iter=1)
    without_warnings(lambda: model.fit(X, Y))
    without_warnings(lambda: model.set_params(patient="drop", note="drop").fit(X, Y))


def words():
    return [("words", TableBranch(TfidfVectorizer()), "note")]


def wards():
    return [("ward", TableBranch(), ["ward"])]


def ages():
    return [("age", TableBranch(), ["age"])]


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (branches, {"note__reset_after": True, "note__cell": "lstm"}, "note__reset_after=True"),
        (branches, {"monitor__shift_patches": False}, "monitor__shift_patches=False"),
        (branches, {"monitor__features_per_step": 3}, r"monitor__features_per_step=3 \(the shape"),
        (branches, {"momentum": 0.3}, r"momentum=0.3 \(it is of solver='sgd'"),
        (
            branches,
            {"hidden_layer_sizes": (), "dropout": 0.2},
            r"dropout=0.2 \(there are no hidden",
        ),
        (wards, {"branch_dropout": 0.2}, r"branch_dropout=0.2 \(there is one branch"),
        (wards, {"bptt_steps": 5}, r"bptt_steps=5 \(no branch reads sequences"),
        (wards, {"ward__scaling": None}, r"ward__scaling=None \(no column holds numbers"),
        (ages, {"age__embedding_dim": 3}, r"age__embedding_dim=3 \(no column holds categories"),
        (words, {"words__scaling": None}, "words__scaling=None .a sparse matrix is not"),
    ],
)
def test_a_parameter_without_effect_is_named_with_its_branch(make, parameters, message):
    model = classifier(make()).set_params(**parameters)
    with pytest.warns(UserWarning, match=f"Parameters without effect: .*{message}") as record:
        model.fit(X, Y)
    assert [w.filename for w in record] == [__file__]


def test_parameters_with_an_effect_are_not_named():
    given = [*branches(), *wards()]
    parameters = {
        "patient__scaling": None,
        "patient__embedding_dim": 2,
        "ward__embedding_dim": None,
        "monitor__missing": "indicator",
        "note__token_dropout": 0.1,
        "branch_dropout": 0.1,
        "dropout": 0.1,
        "bptt_steps": 3,
        "patient__dropout": 0.1,
    }
    without_warnings(lambda: classifier(given).set_params(**parameters).fit(X, Y))


def test_no_chance_in_the_loss_of_lbfgs():
    with pytest.raises(ValueError, match="expected dropout and branch_dropout of 0"):
        classifier(solver="lbfgs", branch_dropout=0.1).fit(X, Y)
    model = classifier(solver="lbfgs").set_params(monitor__recurrent_dropout=0.1)
    with pytest.raises(ValueError, match=r"Branch 'monitor': .*expected dropout and recurrent_dr"):
        model.fit(X, Y)


# One branch


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"fusion": "gated"}], ids=str)
@pytest.mark.parametrize(
    ("several", "flat"), list(zip(ESTIMATORS, [GRUClassifier, GRURegressor], strict=True))
)
def test_one_series_is_the_flat_estimator(several, flat, options):
    shared = {"random_state": 0, "max_iter": 8}
    given = [("only", series_branch(), ["pulse", "pressure"])]
    y = Y if flat is GRUClassifier else NUMBERS
    one = several(given, hidden_layer_sizes=(), **shared | options).fit(X, y)
    other = {key: value for key, value in options.items() if key != "fusion"}
    alone = flat(3, n_convolutions=0, **shared | other).fit(X[["pulse", "pressure"]], y)
    if not options:
        assert_allclose(output(one, X), output(alone, X[["pulse", "pressure"]]), rtol=1e-6)
        assert one.loss_ == pytest.approx(alone.loss_)
    score = alone.score(X[["pulse", "pressure"]], y)
    assert one.score(X, y) == pytest.approx(score, abs=0.2)
    nested = {n.removeprefix("only__"): value for n, value in one.auto_params_.items()}
    expected = {n: v for n, v in alone.auto_params_.items() if n != "embedding_dim"}
    assert {n: nested[n] for n in expected} == expected
    assert "only__pooling" in one.auto_params_


def test_one_text_is_the_flat_estimator():
    given = [("note", text_branch(), "note")]
    shared = {"random_state": 0, "max_iter": 4}
    one = classifier(given, **shared | {"hidden_layer_sizes": ()}).fit(X, Y)
    ids = text_branch().transformer.fit_transform(X["note"])
    alone = GRUClassifier(3, embedding_dim=3, **shared).fit(ids, Y)
    assert_allclose(one.predict_proba(X), alone.predict_proba(ids), rtol=1e-6)
