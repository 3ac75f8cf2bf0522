"""Transformers inside branches: which rows they are fitted to and given, and what they may be."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skgru import PerTimestep, TableBranch
from tests.containers import pa
from tests.datasets import assert_same_model
from tests.multimodal.samples import (
    branches,
    classifier,
    columns,
    frame,
    object_array,
    polars_frame,
    regressor,
    series_branch,
    text_branch,
    without,
)

X, Y = frame(40)
ROWS = np.arange(40.0)
NUMBERED = X.assign(age=ROWS)


class Spy(TransformerMixin, BaseEstimator):
    """Remembers the numbers, and the targets, that it is fitted to and given."""

    def __init__(self, heard=None):
        self.heard = heard

    def __sklearn_clone__(self):
        return Spy(self.heard)  # they share a memory

    def fit(self, X, y=None):
        self.heard.append(("fit", np.ravel(X).tolist(), None if y is None else list(y)))
        self.n_ = len(X)
        return self

    def fit_transform(self, X, y=None):
        return np.asarray(self.fit(X, y).n_ * np.asarray(X, float))

    def transform(self, X):
        self.heard.append(("transform", np.ravel(X).tolist()))
        return self.n_ * np.asarray(X, float)


def spied(**parameters):
    """Return a classifier with a spy in a branch, and what the spy hears."""
    heard = []
    spy = Spy(heard)
    given = [("age", TableBranch(spy), ["age"]), *branches(names=["monitor"])]
    return classifier(given, **parameters), heard


def test_it_is_fitted_once_to_all_samples_and_gets_their_targets():
    model, heard = spied()
    model.fit(NUMBERED, Y)
    assert heard == [("fit", ROWS.tolist(), Y.tolist())]
    spy = model.branches[0][1].transformer
    assert not hasattr(spy, "n_")
    assert model.named_branches_["age"].transformer_.n_ == 40
    model.predict(NUMBERED[:3])
    assert heard[1:] == [("transform", [0.0, 1.0, 2.0])]


@pytest.mark.parametrize("y", [Y, Y * 0.5, np.c_[Y, 1 - Y]], ids=["classes", "numbers", "labels"])
def test_what_is_held_out_to_stop_early_is_not_seen(y):
    heard = []
    given = [("age", TableBranch(Spy(heard)), ["age"]), *branches(names=["monitor"])]
    make = regressor if y.dtype == float else classifier
    model = make(given, early_stopping=True, validation_fraction=0.2).fit(NUMBERED, y)
    (_, trained, targets), (_, held_out) = heard
    assert (len(trained), len(held_out)) == (32, 8)
    assert sorted(trained + held_out) == ROWS.tolist()
    assert_array_equal(targets, y[np.array(trained, int)])
    assert model.named_branches_["age"].transformer_.n_ == 32
    assert model.t_ == 32 * model.n_iter_


@pytest.mark.parametrize("random_state", range(4))
def test_what_is_held_out_has_all_classes_in_their_shares(random_state):
    model, heard = spied(early_stopping=True, validation_fraction=0.2, random_state=random_state)
    model.set_params(max_iter=1).fit(NUMBERED, ROWS % 2)
    assert np.sum(np.array(heard[1][1]) % 2) == 4


def test_what_is_learned_of_the_input_is_that_of_the_same_part():
    model, heard = spied(early_stopping=True)
    model.set_params(age__transformer=None).fit(NUMBERED, Y)
    spy, heard = spied(early_stopping=True)
    spy.fit(NUMBERED, Y)
    trained = np.array(heard[0][1], int)
    median = np.percentile(trained, 50, method="lower")
    assert model.named_branches_["age"].feature_mean_ == pytest.approx(median)
    steps = np.concatenate([X["pulse"][i] for i in trained])
    mean = model.named_branches_["monitor"].feature_mean_[0]
    assert mean == pytest.approx(steps.mean())


@pytest.mark.parametrize("early_stopping", [False, True])
def test_samples_of_no_weight_are_not_seen(early_stopping):
    model, heard = spied(early_stopping=early_stopping)
    weights = np.arange(40) % 2
    model.fit(NUMBERED, Y, weights)
    seen = [row for _, rows, *_ in heard for row in rows]
    assert sorted(seen) == ROWS[weights == 1].tolist()
    other, _ = spied(early_stopping=early_stopping)
    assert_same_model(other.fit(NUMBERED[weights == 1], Y[weights == 1]), model)


def test_samples_whose_steps_have_no_weight_are_not_seen():
    heard = []
    given = [
        ("age", TableBranch(Spy(heard)), ["age"]),
        ("monitor", series_branch(pooling=None), ["pulse"]),
    ]
    y = [np.ones(len(x)) for x in X["pulse"]]
    weights = [np.arange(len(x)) * (i % 2) for i, x in enumerate(X["pulse"])]
    regressor(given, early_stopping=True).fit(NUMBERED, y, weights)
    seen = [row for _, rows, *_ in heard for row in rows]
    assert sorted(seen) == ROWS[1::2].tolist()


def test_a_validation_set_goes_through_transform():
    model, heard = spied()
    model.fit(NUMBERED[:30], Y[:30], X_val=NUMBERED[30:], y_val=Y[30:])
    assert [what for what, *_ in heard] == ["fit", "transform"]
    assert heard[0][1] == ROWS[:30].tolist()
    assert heard[1][1] == ROWS[30:].tolist()


def test_samples_without_the_branch_are_not_seen():
    model, heard = spied()
    given = without(NUMBERED, ["age"], rows=[0, 7, 39])
    kept = np.delete(np.arange(40), [0, 7, 39])
    model.fit(given, Y)
    assert heard == [("fit", ROWS[kept].tolist(), Y[kept].tolist())]
    p = model.predict_proba(given)
    assert heard[1:] == [("transform", ROWS[kept].tolist())]
    model.predict_proba(without(NUMBERED, ["age"]))
    assert len(heard) == 2
    assert_array_equal(model.predict_proba(given[:1]), p[:1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_training_that_goes_on_keeps_it():
    model, heard = spied(learning_rate="constant")
    model.partial_fit(NUMBERED, Y, classes=[0, 1]).partial_fit(NUMBERED[:5], Y[:5])
    assert [what for what, *_ in heard] == ["fit", "transform"]
    kept = model.named_branches_["age"].transformer_
    assert kept.n_ == 40
    model.set_params(warm_start=True, early_stopping=True).fit(NUMBERED[:30], Y[:30])
    assert [what for what, *_ in heard[2:]] == ["transform", "transform"]
    assert model.named_branches_["age"].transformer_ is kept
    model.set_params(warm_start=False, early_stopping=False).fit(NUMBERED[:30], Y[:30])
    assert model.named_branches_["age"].transformer_.n_ == 30
    assert kept.n_ == 40


def test_one_without_fit_transform():
    class Doubled(BaseEstimator):
        def fit(self, X, y):
            self.y_ = y
            return self

        def transform(self, X):
            return 2 * np.asarray(X, float)

    given = [("age", TableBranch(Doubled()), ["age"]), *branches(names=["monitor"])]
    model = classifier(given).fit(X, Y)
    assert_array_equal(model.named_branches_["age"].transformer_.y_, Y)


# Kinds of transformers

KINDS = {
    "numbers": ("x", TableBranch(StandardScaler()), ["age"]),
    "one-hot": ("x", TableBranch(OneHotEncoder()), ["ward"]),
    "dense one-hot": ("x", TableBranch(OneHotEncoder(sparse_output=False)), ["ward"]),
    "words": ("x", TableBranch(TfidfVectorizer()), "note"),
    "deep words": ("x", TableBranch(TfidfVectorizer(), hidden_layer_sizes=3), "note"),
    "principal words": ("x", TableBranch(make_pipeline(TfidfVectorizer(), PCA(2))), "note"),
    "supervised": ("x", TableBranch(make_pipeline(TfidfVectorizer(), SelectKBest(k=2))), "note"),
    "tokens": ("x", text_branch(), "note"),
    "steps": ("x", series_branch(transformer=PerTimestep(StandardScaler())), ["pulse", "pressure"]),
    "function of series": (
        "x",
        series_branch(transformer=FunctionTransformer(lambda c: [x[::-1] for x in c])),
        "pulse",
    ),
    "lists": ("x", TableBranch(FunctionTransformer(lambda c: [[len(t)] for t in c])), "note"),
    "numbers of texts": ("x", TableBranch(FunctionTransformer(lambda c: c.str.len())), "note"),
    "texts": ("x", TableBranch(FunctionTransformer(lambda c: c + "!")), ["ward"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_transformer(kind):
    *_, where = KINDS[kind]
    given = [KINDS[kind], *branches(names=["monitor"])]
    model = classifier(given, early_stopping=True).fit(X, Y)
    p = model.predict_proba(X)
    names = [where] if isinstance(where, str) else where
    one = without(X, names, rows=[3])
    assert_array_equal(np.delete(model.predict_proba(one), 3, 0), np.delete(p, 3, 0))
    nothing = model.predict_proba(without(X, names))
    assert_array_equal(nothing[3], model.predict_proba(one)[3])
    assert np.isfinite(nothing).all()
    fitted_to_one = classifier(given).fit(one, Y)
    assert np.isfinite(fitted_to_one.predict_proba(one)).all()
    with config_context(transform_output="pandas"):
        assert_same_model(classifier(given, early_stopping=True).fit(X, Y), model)
        assert_array_equal(model.predict_proba(X), p)
        assert isinstance(model.transform(X), pd.DataFrame)


def test_a_sparse_matrix_is_a_wide_part_beside_the_network():
    given = [KINDS["words"], *branches(names=["monitor"])]
    model = classifier(given).fit(X, Y)
    assert model.parameters_["x.wide.weights"].shape[0] == 5
    assert "x.hidden_0.weights" not in model.parameters_
    deep = classifier([KINDS["deep words"], *branches(names=["monitor"])]).fit(X, Y)
    assert deep.parameters_["x.hidden_0.weights"].shape == (5, 3)
    assert "x.wide.weights" not in deep.parameters_


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_that_a_transformer_returns(library):
    given = [("age", TableBranch(StandardScaler()), ["age"])]
    model = classifier(given).fit(X, Y)
    given = [("age", TableBranch(StandardScaler().set_output(transform=library)), ["age"])]
    named = classifier(given).fit(X, Y)
    assert_same_model(named, model)
    assert_array_equal(named.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("form", ["polars", "array", "Arrow"])
def test_transformers_are_given_columns_of_each_form(form):
    given = [
        KINDS["words"],
        ("ward", TableBranch(OneHotEncoder()), ["ward"]),
        ("n", text_branch(), "note"),
    ]
    expected = classifier(given).fit(X, Y)
    Z = polars_frame(X)
    if form == "array":
        Z = object_array(X)
        given = [(n, b, {"note": 0}.get(w if n != "ward" else "", [4])) for n, b, w in given]
    elif form == "Arrow":
        made = columns(40)[0]
        Z = pa.table({name: made[name] for name in ("note", "age", "ward")})
    model = classifier(given).fit(Z, Y)
    assert_same_model(model, expected)
    assert_array_equal(model.predict_proba(Z), expected.predict_proba(X))


# What is not understood


@pytest.mark.parametrize(
    ("function", "got"),
    [
        (lambda c: c[:36], "got 36"),
        (lambda c: np.asarray(c).tolist()[:36], "got 36"),
        (lambda c: None, "got a NoneType"),
        (lambda c: 3, "got an int"),
    ],
    ids=["frame", "list", "None", "number"],
)
@pytest.mark.parametrize("make", [TableBranch, series_branch], ids=["table", "series"])
def test_another_number_of_rows_is_refused(make, function, got):
    branch = make(transformer=FunctionTransformer(function))
    column = ["age"] if make is TableBranch else "pulse"
    given = [("x", branch, column), *branches(names=["patient"])]
    with pytest.raises(ValueError, match=f"Branch 'x': expected 40 rows from Function.* {got}"):
        classifier(given).fit(X, Y)
    calls = []

    def later(c):
        calls.append(c)
        return c if len(calls) == 1 else function(c)

    branch.set_params(transformer=FunctionTransformer(later))
    model = classifier(given).fit(X, Y)
    with pytest.raises(ValueError, match=f"Branch 'x': expected 40 rows from Function.* {got}"):
        model.predict(X)


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, AttributeError])
def test_an_error_of_a_transformer_names_the_branch(error):
    def fail(c):
        raise error("it fails")

    given = [("x", TableBranch(FunctionTransformer(fail)), ["age"]), *branches(names=["monitor"])]
    with pytest.raises(error, match="it fails") as raised:
        classifier(given).fit(X, Y)
    said = [str(raised.value), *getattr(raised.value, "__notes__", [])]
    assert any("ranch 'x'" in line for line in said)


def test_polars_as_the_output_of_transformers():
    given = [("age", TableBranch(StandardScaler()), ["age"]), *branches(names=["monitor"])]
    model = classifier(given).fit(X, Y)
    with config_context(transform_output="polars"):
        again = classifier(given).fit(X, Y)
        assert isinstance(again.transform(X), pl.DataFrame)
    assert_same_model(again, model)


@pytest.mark.parametrize(
    ("then", "now"),
    [(None, StandardScaler()), (StandardScaler(), None), (StandardScaler(), PCA())],
    ids=str,
)
def test_training_goes_on_only_with_the_same_kind_of_transformer(then, now):
    given = [("age", TableBranch(then), ["age"]), *branches(names=["monitor"])]
    model = classifier(given, warm_start=True).fit(X, Y)
    p, fitted = model.predict_proba(X), model.branches_
    model.set_params(age__transformer=now)
    for call in (model.fit, model.set_params(learning_rate="constant").partial_fit):
        with pytest.raises(ValueError, match=r"'age': training .* transformer .* expected .*, got"):
            call(X, Y)
    assert model.branches_ is fitted
    assert_array_equal(model.predict_proba(X), p)
