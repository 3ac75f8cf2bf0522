"""The validation set: its loss, and the scores that end the training."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.metrics import accuracy_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import GRUClassifier, GRURegressor
from skgru._compat import take
from skgru._engine import training as engine
from skgru._engine.number_losses import NUMBER_LOSSES
from tests.datasets import ESTIMATORS, assert_same_model, ragged, rectangle, small
from tests.multimodal import samples
from tests.training import validation_data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# All samples in each update, and nothing but their loss.
WHOLE = {"batch_size": 1000, "alpha": 0, "dtype": "float64", "max_iter": 4, "dropout": 0}
WHOLE |= {"learning_rate": "constant", "learning_rate_init": 0.05, "early_stopping": False}
IGNORE_CLIPPED = pytest.mark.filterwarnings("ignore:batch_size=1000 is larger")


def steps_of(X, kind):
    """Return a target for each step, some of which have none."""
    rng = np.random.default_rng(1)
    y = [rng.integers(0, 3, size=len(x)).astype(float) for x in X]
    for of_steps in y[::3]:
        of_steps[0] = np.nan
    return y if kind is float else [[None if np.isnan(v) else int(v) for v in s] for s in y]


X, Y = ragged(n=24)
WEIGHTS = 1.0 + np.arange(24) % 3
CASES = {
    "two classes": (GRUClassifier, {}, Y, {}),
    "three classes": (GRUClassifier, {}, np.arange(24) % 3, {}),
    "labels": (GRUClassifier, {}, np.stack([Y, 1 - Y, Y], axis=1), {}),
    "class weights": (GRUClassifier, {"class_weight": {0: 1, 1: 5}}, Y, {"sample_weight": WEIGHTS}),
    "steps": (GRUClassifier, {"pooling": None}, steps_of(X, int), {}),
    "numbers of steps": (GRURegressor, {"pooling": None}, steps_of(X, float), {}),
    "tags": (GRUClassifier, {"pooling": None, "crf": True}, steps_of(X, int), {}),
    "weighted tags": (
        GRUClassifier,
        {"pooling": None, "crf": True},
        steps_of(X, int),
        {"sample_weight": WEIGHTS},
    ),
    **{loss: (GRURegressor, {"loss": loss}, 1.0 + Y, {}) for loss in NUMBER_LOSSES},
    "weights": (GRURegressor, {}, 1.0 + Y, {"sample_weight": WEIGHTS}),
}


@IGNORE_CLIPPED
@pytest.mark.parametrize("case", CASES)
def test_the_loss_of_the_training_set_is_that_of_the_next_epoch(case):
    estimator_class, parameters, y, weights = CASES[case]
    validation = {"X_val": X, "y_val": y, "sample_weight_val": weights.get("sample_weight")}
    model = small(estimator_class, **WHOLE | parameters).fit(X, y, **weights, **validation)
    assert len(model.validation_loss_curve_) == 4
    assert_allclose(model.validation_loss_curve_[:-1], model.loss_curve_[1:], rtol=1e-9)
    assert len(set(model.loss_curve_)) == 4


@IGNORE_CLIPPED
def test_the_same_with_several_inputs():
    table, y = samples.frame()
    parameters = {name: value for name, value in WHOLE.items() if name != "max_iter"}
    model = samples.classifier(**parameters)
    for _, branch, _ in model.branches:
        branch.set_params(dropout=0)
    model.fit(table, y, X_val=table, y_val=y)
    assert_allclose(model.validation_loss_curve_[:-1], model.loss_curve_[1:], rtol=1e-9)


def test_neither_dropout_nor_penalty_are_in_it():
    X, y, X_val, y_val = validation_data()
    frozen = {"learning_rate_init": 1e-30, "weight_decay": 0, "dtype": "float64"}
    frozen |= {"label_smoothing": 0}
    plain = small(GRUClassifier, **frozen).fit(X, y, X_val=X_val, y_val=y_val)
    other = small(GRUClassifier, **frozen | {"dropout": 0.5, "alpha": 100.0})
    other.fit(X, y, X_val=X_val, y_val=y_val)
    assert_array_equal(other.validation_loss_curve_, plain.validation_loss_curve_)
    assert_allclose(plain.validation_loss_curve_, log_loss(y_val, plain.predict_proba(X_val)))
    assert other.loss_ > 2 * plain.loss_


def test_without_a_validation_set_there_is_none():
    assert small(GRURegressor).fit(X, Y).validation_loss_curve_ is None


@pytest.mark.parametrize("scoring", [None, "loss"])
def test_loss_and_score_come_of_one_pass(monkeypatch, scoring):
    passes, run_network = [], engine.run_network

    def spy(*args, **kwargs):
        passes.append(kwargs["then"])
        return run_network(*args, **kwargs)

    monkeypatch.setattr(engine, "run_network", spy)
    small(GRUClassifier, scoring=scoring).fit(X, Y, X_val=X, y_val=Y)
    assert len(passes) == 3


def test_the_curve_goes_on_with_the_training():
    model = small(GRUClassifier, warm_start=True).fit(X, Y, X_val=X, y_val=Y)
    first = model.validation_loss_curve_
    model.fit(X, Y, X_val=X, y_val=Y)
    assert model.validation_loss_curve_[:3] == first
    assert len(first) == 3
    assert len(model.validation_loss_curve_) == 6


def test_scores_of_another_kind_are_not_compared_with_those_before():
    model = small(GRUClassifier, warm_start=True, early_stopping=True, label_smoothing=0)
    before = model.fit(X, Y, X_val=X, y_val=Y).best_validation_score_
    model.set_params(scoring="loss").fit(X, Y, X_val=X, y_val=Y)
    best = -min(model.validation_loss_curve_[3:])
    assert model.best_validation_score_ == best < 0 < before
    assert_allclose(log_loss(Y, model.predict_proba(X)), -best, rtol=1e-6)


def high(model, X, y):
    return 2 * model.score(X, y)


def low(model, X, y):
    return model.score(X, y) - 5


def scorer_of(offset):
    return lambda model, X, y: model.score(X, y) + offset


@pytest.mark.parametrize(
    ("before", "now", "compare"),
    [
        (high, low, False),
        (low, low, True),
        (scorer_of(0), scorer_of(-5), False),
        (get_scorer("accuracy"), get_scorer("neg_log_loss"), False),
        (get_scorer("accuracy"), make_scorer(accuracy_score), True),
    ],
)
def test_scores_of_two_scorers_are_not_compared(before, now, compare):
    model = small(GRUClassifier, warm_start=True, early_stopping=True, scoring=before)
    model.fit(X, Y, X_val=X, y_val=Y)
    model.set_params(scoring=now).fit(X, Y, X_val=X, y_val=Y)
    scores = model.validation_scores_
    assert model.best_validation_score_ == max(scores[0 if compare else 3 :])


# Scores

STOPS = {"early_stopping": True, "learning_rate": "constant", "learning_rate_init": 0.1}
STOPS |= {"n_iter_no_change": 5, "max_iter": 60}


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_early_stopping_by_the_loss(estimator_class):
    X, y, X_val, y_val = validation_data()
    model = small(estimator_class, scoring="loss", **STOPS)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    losses = model.validation_loss_curve_
    assert model.validation_scores_ == [-loss for loss in losses]
    assert model.best_validation_score_ == -min(losses)
    best = int(np.argmin(losses))
    assert 0 < best < model.n_iter_ - 1 < 59
    until = small(estimator_class, scoring="loss", **STOPS | {"max_iter": best + 1})
    until.fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_model(model, until)


@pytest.mark.parametrize(
    ("estimator_class", "scoring"),
    [
        (GRUClassifier, "neg_log_loss"),
        (GRURegressor, make_scorer(lambda y, p: -np.abs(y - p).max())),
        (GRURegressor, lambda model, X, y: -float(np.abs(model.predict(X) - y).max())),
    ],
    ids=["name", "scorer", "function"],
)
def test_early_stopping_by_a_scorer(estimator_class, scoring):
    X, y, X_val, y_val = validation_data()
    model = small(estimator_class, scoring=scoring, **STOPS)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    assert max(model.validation_scores_) > model.validation_scores_[-1]
    assert_allclose(scorer(model, X_val, y_val), max(model.validation_scores_), rtol=1e-6)
    for epoch in (1, 3):
        until = small(
            estimator_class, learning_rate="constant", learning_rate_init=0.1, max_iter=epoch
        )
        until.fit(X, y)
        assert_allclose(scorer(until, X_val, y_val), model.validation_scores_[epoch - 1])


def test_a_scorer_has_the_weights_of_the_validation_set():
    X, y, X_val, y_val = validation_data()
    weights = np.linspace(0, 1, 30)
    model = small(GRUClassifier, scoring="neg_log_loss").fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights
    )
    expected = -log_loss(y_val, model.predict_proba(X_val), sample_weight=weights)
    assert model.early_stopping == "auto"
    assert_allclose(max(model.validation_scores_), expected)


class Seen:
    """A scorer that keeps what it is given."""

    def __init__(self):
        self.seen = []

    def __call__(self, model, X, y, sample_weight=None):
        self.seen.append((X, y, sample_weight))
        return model.score(X, y, sample_weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_scorer_has_the_samples_that_were_held_out(weighted):
    X, y = ragged(n=40)
    weights = np.arange(40) % 4 + 0.5 * (np.arange(40) % 2) if weighted else None  # some are zero
    scorer = Seen()
    parameters = {"early_stopping": True, "validation_fraction": 0.25}
    plain = small(GRUClassifier, **parameters).fit(X, y, weights)
    model = small(GRUClassifier, scoring=scorer, **parameters).fit(X, y, weights)
    assert_allclose(model.validation_scores_, plain.validation_scores_)
    assert_same_model(model, plain)
    seen_X, seen_y, seen_weights = scorer.seen[0]
    rows = [next(i for i, x in enumerate(X) if x is row) for row in seen_X]
    assert_array_equal(y[rows], seen_y)
    if weighted:
        assert len(rows) == -(-np.count_nonzero(weights) // 4)
        assert_array_equal(weights[rows], seen_weights)
        assert np.all(seen_weights > 0)
    else:
        assert len(rows) == 10
        assert seen_weights is None


@pytest.mark.parametrize("given", ["held out", "weighted", "validation"])
def test_a_scorer_has_them_of_several_inputs(given):
    table, y = samples.frame(n=40)
    weights = np.arange(40) % 4 if given == "weighted" else None
    validation = {"X_val": table[:8], "y_val": y[:8]} if given == "validation" else {}
    scorer = Seen()
    parameters = {"early_stopping": True}
    if not validation:
        parameters["validation_fraction"] = 0.25
    plain = samples.classifier(**parameters).fit(table, y, weights, **validation)
    model = samples.classifier(scoring=scorer, **parameters)
    model.fit(table, y, weights, **validation)
    assert_same_model(model, plain)
    assert_allclose(model.validation_scores_, plain.validation_scores_)
    seen_X, seen_y, _ = scorer.seen[0]
    assert take(table, seen_X.index).equals(seen_X)
    assert_array_equal(y[seen_X.index], seen_y)


def test_scores_that_are_none():
    with pytest.raises(ValueError, match=r"The 'scoring' parameter .* 'accuracy'"):
        small(GRUClassifier, scoring="acuracy").fit(X, Y, X_val=X, y_val=Y)
    with pytest.warns(UserWarning, match="scoring='accuracy' .there is no validation set"):
        small(GRUClassifier, scoring="accuracy").fit(X, Y)


def test_scores_that_are_no_numbers():
    for found, said in ((None, "a NoneType: None"), (np.ones(2), r"an array of shape \(2,\)")):
        model = small(GRUClassifier, scoring=lambda *_, found=found: found)
        with pytest.raises(ValueError, match=f"scoring: expected a number .*, got {said}"):
            model.fit(X, Y, X_val=X, y_val=Y)
    options = {"early_stopping": True, "max_iter": 2, "validation_fraction": 0.25}
    model = small(GRUClassifier, scoring=lambda *_: np.nan, **options)
    with pytest.warns(UserWarning, match="not a number in any epoch .scoring='<function .*lambda>"):
        model.fit(X, Y)
    assert_same_model(model, small(GRUClassifier, scoring=lambda *_: 1.0, **options).fit(X, Y))


# Groups


GROUPS = np.repeat(list("abcdefgh"), 5)


def held_out(model, X, y, **options):
    """Return the samples that are held out."""
    scorer = Seen()
    model.set_params(scoring=scorer, early_stopping=True, validation_fraction=0.25)
    model.fit(X, y, **options)
    found = scorer.seen[0][0]
    if isinstance(found, pd.DataFrame):
        return list(found.index)
    return [next(i for i, x in enumerate(X) if x is row) for row in found]


def in_both_parts(out, weights=None):
    """Return the groups that are both trained on and held out."""
    weights = np.ones(len(GROUPS)) if weights is None else weights
    trained = np.setdiff1d(np.flatnonzero(weights), out)
    return set(GROUPS[out]) & set(GROUPS[trained])


@pytest.mark.parametrize("form", [np.array, list, pd.Series, lambda g: [ord(c) for c in g]])
def test_no_group_is_in_both_parts(form):
    X, y = ragged(n=40)
    for seed in range(3):
        model = small(GRUClassifier, random_state=seed)
        out = held_out(model, X, y, groups=form(GROUPS))
        assert len(out) == 10
        assert not in_both_parts(out)
        assert model.t_ == 30 * model.n_iter_
    # Without them it is otherwise.
    out = held_out(small(GRUClassifier), X, y)
    assert in_both_parts(out)


def test_groups_of_samples_of_which_some_have_no_weight():
    X, y = ragged(n=40)
    weights = (np.arange(40) % 5 > 0) * 1.0
    out = held_out(small(GRUClassifier), X, y, groups=GROUPS, sample_weight=weights)
    assert len(out) == 8
    assert not in_both_parts(out, weights)


def test_groups_of_several_inputs():
    table, y = samples.frame(n=40)
    weights = (np.arange(40) % 5 > 0) * 1.0
    for options in ({}, {"sample_weight": weights}):
        out = held_out(samples.classifier(), table, y, groups=GROUPS, **options)
        assert len(out) == (8 if options else 10)
        assert not in_both_parts(out, options.get("sample_weight"))


@pytest.mark.parametrize(
    ("groups", "error", "said"),
    [
        (GROUPS[:-1], ValueError, r"for each of the 40 samples of X, .* got shape \(39,\)"),
        (GROUPS[:, None], ValueError, r"got shape \(40, 1\)"),
        ([*GROUPS[:-1], None], ValueError, "got None as group 39"),
        ([*range(39), np.nan], ValueError, "got nan as group 39"),
        ([[1]] * 39 + [[1, 2]], (TypeError, ValueError), "group"),
        ("a" * 40, TypeError, "as groups"),
        (set(GROUPS), TypeError, "as groups"),
        (np.zeros(40), ValueError, "at least 2 groups"),
        (np.arange(40) == 0, ValueError, "too small|at least"),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_groups_that_are_none(groups, error, said, several):
    X, y = samples.frame(n=40) if several else ragged(n=40)
    model = samples.classifier() if several else small(GRUClassifier)
    model.set_params(early_stopping=True, random_state=1)
    with pytest.raises(error, match=said):
        model.fit(X, y, groups=groups)
    assert not hasattr(model, "classes_")


def test_groups_where_nothing_is_held_out():
    plain = small(GRUClassifier).fit(X, Y)
    assert_same_model(small(GRUClassifier).fit(X, Y, groups=np.arange(24)), plain)
    with pytest.raises(ValueError, match="one for each of the 24"):
        small(GRUClassifier).fit(X, Y, groups=[1])


def test_groups_are_routed():
    X, y = rectangle(n=40)
    given = []

    class Spy(GRUClassifier):
        def fit(self, X, y, sample_weight=None, *, groups=None):
            given.append(groups)
            return super().fit(X, y, sample_weight, groups=groups)

    with config_context(enable_metadata_routing=True):
        model = small(Spy, early_stopping=True, validation_fraction=0.5)
        pipeline = make_pipeline(FunctionTransformer(), model.set_fit_request(groups=True))
        search = GridSearchCV(pipeline, {"spy__alpha": [0]}, cv=GroupKFold(2), error_score="raise")
        search.fit(X, y, groups=GROUPS)
    assert [len(groups) for groups in given] == [20, 20, 40]
    assert not set(given[0]) & set(given[1])
    assert set(given[2]) == set(GROUPS)
