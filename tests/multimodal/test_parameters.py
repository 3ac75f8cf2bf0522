"""Parameters of the branches as parameters of the estimator; copies of it."""

import copy
import inspect
import pickle
import re

import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import OneHotEncoder

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from tests.datasets import assert_same_model, output
from tests.multimodal.samples import (
    ESTIMATORS,
    branches,
    classifier,
    frame,
    series_branch,
    small,
    text_branch,
)

X, Y = frame()
BRANCHES = [TokenBranch, SeriesBranch, TableBranch]


def test_get_params_has_those_of_the_branches():
    model = classifier()
    params = model.get_params()
    assert params["note"] is model.branches[0][1]
    assert params["note__embedding_dim"] == 3
    assert params["note__transformer__min_df"] == 1
    assert params["monitor__cell"] == "gru"
    assert params["patient__scaling"] == "robust"
    shallow = model.get_params(deep=False)
    assert set(shallow) == set(inspect.signature(MultimodalGRUClassifier).parameters)


def test_set_params_reaches_each_branch():
    model = classifier()
    note = model.branches[0][1]
    assert model.set_params(note__embedding_dim=5, note__transformer__min_df=2, alpha=1) is model
    assert (note.embedding_dim, note.transformer.min_df, model.alpha) == (5, 2, 1)
    other = TableBranch(scaling=None)
    model.set_params(patient=other, patient__dropout=0.1)
    assert model.branches[2] == ("patient", other, ["age", "ward"])
    assert other.dropout == 0.1
    model.set_params(note="drop")
    assert [branch for _, branch, _ in model.branches[:1]] == ["drop"]
    model.set_params(branches=branches(names=["monitor"]), monitor__cell="rnn")
    assert model.get_params()["monitor__cell"] == "rnn"


def test_branches_that_are_dropped_are_as_if_they_were_not_there():
    dropped = classifier(fusion="gated").set_params(note="drop").fit(X, Y)
    alone = classifier(branches(names=["monitor", "patient"]), fusion="gated").fit(X, Y)
    assert_same_model(dropped, alone)
    assert dropped.branches_[0][1:] == ("drop", ())
    assert list(dropped.named_branches_) == ["monitor", "patient"]
    assert list(dropped.output_indices_) == ["monitor", "patient", "gate"]
    assert dropped.get_feature_names_out()[-2:].tolist() == ["gate_monitor", "gate_patient"]


def test_the_columns_of_a_dropped_branch_are_not_looked_at():
    model = classifier([("gone", "drop", ["no", "such"]), *branches(names=["patient"])])
    assert model.fit(X, Y).predict(X).shape == (24,)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_fit_leaves_the_given_branches_as_they_are(estimator_class):
    given = branches()
    model = small(estimator_class, given)
    before = [(name, branch, dict(vars(branch)), where) for name, branch, where in given]
    model.fit(X, Y).predict(X)
    assert model.branches is given
    for (name, branch, state, where), now in zip(before, model.branches, strict=True):
        assert now == (name, branch, where)
        assert vars(branch) == state
        assert branch is not model.named_branches_[name]
    assert not hasattr(given[0][1].transformer, "vocabulary_")


def test_clone_and_set_params_do_not_touch_the_original():
    model = classifier().fit(X, Y)
    cloned = clone(model).set_params(note__embedding_dim=7, note__transformer__min_df=2)
    assert model.branches[0][1].embedding_dim == 3
    assert model.branches[0][1].transformer.min_df == 1
    with pytest.raises(NotFittedError):
        cloned.predict(X)
    assert_same_model(clone(model).fit(X, Y), model)


def test_repr():
    branch = series_branch(cell="lstm")
    assert repr(branch) == "SeriesBranch(cell='lstm', hidden_layer_sizes=3)"
    model = MultimodalGRUClassifier([("a", TableBranch(), ["age"])], fusion="gated")
    shown = "MultimodalGRUClassifier(branches=[('a', TableBranch(), ['age'])], fusion='gated')"
    assert re.sub(r"\s+", " ", repr(model)) == shown
    assert "MultimodalGRUClassifier" in model.fit(X, Y)._repr_html_()


def test_kinds():
    assert is_classifier(MultimodalGRUClassifier([]))
    assert is_regressor(MultimodalGRURegressor([]))


# The same parameters as those of the flat estimators, and documented


@pytest.mark.parametrize(
    ("several", "flat"),
    [(MultimodalGRUClassifier, GRUClassifier), (MultimodalGRURegressor, GRURegressor)],
)
def test_parameters_of_the_flat_estimator(several, flat):
    of_branches = {name for kind in BRANCHES[:2] for name in inspect.signature(kind).parameters}
    parameters = {kind: inspect.signature(kind).parameters for kind in (several, flat)}
    own = {"branches", "fusion", "branch_dropout", "remainder"}
    of_one = {"n_convolutions"}  # they stand beside the only branch
    assert set(parameters[flat]) - of_one <= set(parameters[several]) | of_branches
    assert set(parameters[several]) - set(parameters[flat]) == own
    shared = [n for n in parameters[flat] if n in parameters[several] and n != "dropout"]
    assert [name for name in parameters[several] if name in shared] == shared
    differ = {n for n in shared if parameters[several][n].default != parameters[flat][n].default}
    assert not differ


@pytest.mark.parametrize("kind", [*ESTIMATORS, *BRANCHES])
def test_each_parameter_is_constrained_and_documented(kind):
    names = set(inspect.signature(kind).parameters)
    assert set(kind._parameter_constraints) == names
    parameters = inspect.getdoc(kind).split("Attributes\n-")[0]
    assert set(re.findall(r"^(\w+) : ", parameters, flags=re.MULTILINE)) == names


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_each_fitted_attribute_is_documented(estimator_class):
    model = small(estimator_class).fit(X, Y)
    fitted = [model, *model.named_branches_.values()]
    for each in fitted:
        attributes = inspect.getdoc(type(each)).split("Attributes\n-")[1].split("See Also\n-")[0]
        lines = re.findall(r"^([\w, ]+) : ", attributes, flags=re.MULTILINE)
        documented = {name for line in lines for name in line.split(", ")}
        assert {name for name in vars(each) if name.endswith("_")} <= documented
        assert documented - {"transformer_", "has_vector_"} <= {
            n for n in documented if hasattr(each, n)
        }


def test_fitted_attributes_of_the_branches():
    named = classifier().fit(X, Y).named_branches_
    assert set(named.note.transformer_.vocabulary_) >= {"film", "good", "bad"}
    assert named.note.token_ids_[0] == 1
    assert named.monitor.feature_mean_.shape == (2,)
    assert named.patient.feature_mean_ == pytest.approx(np.percentile(X["age"], 50, method="lower"))
    assert named.patient.categories_["ward"].tolist() == ["A", "B", "C"]
    model = classifier().fit(X, Y)
    assert model.auto_params_["note__dropout"] == 0.3
    assert model.auto_params_["monitor__pooling"] == ("last", "mean", "max")
    assert model.auto_params_["patient__embedding_dim"] == {"ward": None}  # one-hot
    many = X.assign(ward=[f"ward {i % 12}" for i in range(24)])
    model = classifier().fit(many, Y)
    width = model.parameters_["patient.embedding.weights_0"].shape[1]
    assert model.auto_params_["patient__embedding_dim"] == {"ward": width}
    assert model.n_layers_ == 4


# Searches


def test_grid_search_over_branches_and_fusion():
    grid = {
        "patient": ["drop", TableBranch()],
        "monitor__hidden_layer_sizes": [2, 3],
        "fusion": ["concat", "gated"],
    }
    base = classifier(branches(names=["monitor", "patient"]), max_iter=1)
    search = GridSearchCV(base, grid, cv=2, error_score="raise", n_jobs=2).fit(X, Y)
    alone = GridSearchCV(base, grid, cv=2, error_score="raise").fit(X, Y)
    assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert_same_model(search.best_estimator_, alone.best_estimator_)
    assert search.best_estimator_.fusion == search.best_params_["fusion"]


def test_grid_search_over_the_transformer_of_a_branch():
    grid = {"note__transformer__max_features": [1, None], "note__embedding_dim": [2, 3]}
    search = GridSearchCV(classifier(max_iter=1), grid, cv=2, error_score="raise").fit(X, Y)
    note = search.best_estimator_.named_branches_["note"]
    n = search.best_params_["note__transformer__max_features"]
    assert len(note.transformer_.vocabulary_) == (n or 6)
    width = search.best_estimator_.parameters_["note.embedding.weights"].shape[1]
    assert width == search.best_params_["note__embedding_dim"]


# Copies


def through_pickle(model, tmp_path):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode="r")


def through_skops(model, tmp_path):
    skops.io.dump(model, tmp_path / "model.skops")
    # No type of the model needs to be trusted beyond the classes that its user has named.
    untrusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    branches = [branch for branch in model.get_params().values() if type(branch) in BRANCHES]
    named = [model, *branches, *(branch.transformer for branch in branches)]
    modules = {f"{type(each).__module__}.{type(each).__name__}" for each in named}
    assert set(untrusted) == {name for name in modules if name.startswith("skgru")}
    return skops.io.load(tmp_path / "model.skops", trusted=untrusted)


def through_deepcopy(model, tmp_path):
    return copy.deepcopy(model)


WIDE = [
    ("words", TableBranch(TfidfVectorizer()), "note"),
    ("ward", TableBranch(OneHotEncoder(handle_unknown="ignore")), ["ward"]),
    ("patient", TableBranch(hidden_layer_sizes=2), ["age", "ward"]),
]


@pytest.mark.parametrize(
    "copied", [through_pickle, through_joblib, through_skops, through_deepcopy]
)
@pytest.mark.parametrize("given", [None, WIDE], ids=["each kind", "wide"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_copies_predict_the_same(tmp_path, estimator_class, given, copied):
    fusion = "concat" if given else "gated"
    model = small(estimator_class, given, fusion=fusion, max_iter=1).fit(X, Y)
    again = copied(model, tmp_path)
    assert_same_model(again, model)
    assert_array_equal(output(again, X), output(model, X))
    assert list(again.get_params()) == list(model.get_params())
    assert set(vars(again)) == set(vars(model))
    assert repr(again.branches_) == repr(model.branches_)
    for each in (model, again):
        each.set_params(learning_rate="constant").partial_fit(X, Y)
    assert_same_model(again, model)


def test_a_pickle_holds_each_weight_once():
    given = [("note", text_branch(embedding_dim=64, hidden_layer_sizes=64), "note")]
    model = classifier(given, max_iter=1).fit(X, Y)
    n_weights = sum(array.size for array in model.parameters_.values())
    assert len(pickle.dumps(model)) < 4 * n_weights + 20_000


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    model = classifier(branches(names=["monitor", "patient"]), fusion="gated")
    features = model.set_output(transform=library).fit(X, Y).transform(X)
    assert type(features).__module__.split(".")[0] == library
    names = list(features.columns)
    assert names == model.get_feature_names_out().tolist()
    assert names[0] == "monitor_0"
    assert names[-2:] == ["gate_monitor", "gate_patient"]
    assert_array_equal(np.asarray(features), model.set_output(transform="default").transform(X))
