"""The estimators inside scikit-learn: copies, searches, ensembles, pipelines, routing."""

import copy
import inspect
import pickle
import re

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context, set_config
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer
from tests.datasets import (
    ESTIMATORS,
    NAMED_FRAMES,
    assert_same_model,
    output,
    pad,
    ragged,
    rectangle,
    small,
    token_sequences,
)

TEXTS = ["a good film", "bad", "good", "a very bad film", "good good film", "so bad it is bad"] * 4
SENTIMENTS = ["good" in text for text in TEXTS]


def text_pipeline(**parameters):
    defaults = {"embedding_dim": 3, "max_iter": 12, "learning_rate_init": 0.1}
    return make_pipeline(SequenceVectorizer(), small(GRUClassifier, **defaults | parameters))


# Copies


def through_pickle(model, tmp_path):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


def through_memory_map(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode="r")


def through_skops(model, tmp_path):
    skops.io.dump(model, tmp_path / "model.skops")
    # No type of the model needs to be trusted beyond its own class.
    untrusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    assert untrusted == [f"{type(model).__module__}.{type(model).__name__}"]
    return skops.io.load(tmp_path / "model.skops", trusted=untrusted)


def through_deepcopy(model, tmp_path):
    return copy.deepcopy(model)


COPIES = [through_pickle, through_joblib, through_memory_map, through_skops, through_deepcopy]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hidden_layer_sizes": (3, 2), "reset_after": True, "output_gate": True},
        {"embedding_dim": 3, "early_stopping": True},
        {"embedding_matrix": np.eye(9)},
        {"dtype": "float64", "random_state": np.random.RandomState(3)},
        {
            "hidden_layer_sizes": (3, 2),
            "cell": ("lstm", "rnn"),
            "bidirectional": True,
            "pooling": ("last", "attention"),
            "dropout": 0.2,
        },
    ],
    ids=["default", "stack", "tokens", "embedding matrix", "float64", "cells"],
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_copies_predict_the_same(tmp_path, estimator_class, parameters, copied):
    is_tokens = any(name.startswith("embedding") for name in parameters)
    X, y = token_sequences() if is_tokens else ragged()
    model = small(estimator_class, **parameters).fit(X, y)
    again = copied(model, tmp_path)
    assert type(again) is type(model)
    assert_same_model(again, model)
    assert_array_equal(output(again, X), output(model, X))
    assert list(again.get_params()) == list(model.get_params())
    assert {n for n in vars(again) if n.endswith("_")} == {
        n for n in vars(model) if n.endswith("_")
    }
    assert again.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("copied", COPIES)
def test_copies_can_train_on(tmp_path, copied):
    X, y = pd.DataFrame(rectangle()[0][:, :, 0]).add_prefix("t"), rectangle()[1]
    model = small(GRUClassifier).partial_fit(X, np.array(["no", "yes"])[y], classes=["no", "yes"])
    again = copied(model, tmp_path)
    assert_array_equal(again.feature_names_in_, model.feature_names_in_)
    for each in (model, again):
        each.partial_fit(X, np.array(["no", "yes"])[y])
    assert_same_model(again, model)


def test_a_deep_copy_is_independent():
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y)
    p = model.predict_proba(X)
    copy.deepcopy(model).parameters_["head.bias"][:] = 9
    assert_array_equal(model.predict_proba(X), p)


def test_a_fitted_text_pipeline_survives_pickling():
    pipeline = text_pipeline().fit(TEXTS, SENTIMENTS)
    again = pickle.loads(pickle.dumps(pipeline))
    assert_array_equal(again.predict_proba(TEXTS), pipeline.predict_proba(TEXTS))


def test_a_pickle_holds_each_weight_once():
    X, y = ragged()
    model = small(GRUClassifier, hidden_layer_sizes=64).fit(X, y)
    n_weights = sum(array.size for array in model.parameters_.values())
    assert len(pickle.dumps(model)) < 4 * n_weights + 10_000


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_clone(estimator_class):
    X, y = token_sequences()
    matrix = np.eye(9)
    model = small(estimator_class, embedding_matrix=matrix, hidden_layer_sizes=[3, 2]).fit(X, y)
    cloned = clone(model)
    assert cloned.hidden_layer_sizes == [3, 2]
    assert_array_equal(cloned.embedding_matrix, matrix)
    with pytest.raises(NotFittedError):
        cloned.predict(X)
    assert not hasattr(cloned, "parameters_")
    assert_same_model(cloned.fit(X, y), model)


# Parameters and how they are shown


@pytest.mark.parametrize(
    ("estimator_class", "mlp_class"), [(GRUClassifier, MLPClassifier), (GRURegressor, MLPRegressor)]
)
def test_parameters_of_the_multi_layer_perceptron(estimator_class, mlp_class):
    ours, theirs = estimator_class().get_params(), mlp_class().get_params()
    shared = set(theirs) - {"activation"}
    assert shared <= set(ours)
    # A recurrent network wants other sizes, batches and rates, and needs no more than these.
    other = {"hidden_layer_sizes", "batch_size", "learning_rate", "learning_rate_init"}
    other |= {"max_iter", "early_stopping"}
    assert {name for name in shared if ours[name] != theirs[name]} <= other
    # In the same order too; its regressor begins with the loss.
    ordered = [list(inspect.signature(each).parameters) for each in (estimator_class, mlp_class)]
    ours, theirs = ([n for n in names if n in shared - {"loss"}] for names in ordered)
    assert ours == theirs


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_each_parameter_is_constrained_and_documented(estimator_class):
    names = set(estimator_class().get_params())
    assert set(estimator_class._parameter_constraints) == names
    parameters = inspect.getdoc(estimator_class).split("Attributes\n-")[0]
    assert set(re.findall(r"^(\w+) : ", parameters, flags=re.MULTILINE)) == names


@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_each_fitted_attribute_is_documented(estimator_class, parameters):
    X, y = token_sequences()
    model = small(estimator_class, **parameters).fit(X, y)
    attributes = inspect.getdoc(estimator_class).split("Attributes\n-")[1].split("See Also\n-")[0]
    lines = re.findall(r"^([\w, ]+) : ", attributes, flags=re.MULTILINE)
    documented = {name for line in lines for name in line.split(", ")}
    assert {name for name in vars(model) if name.endswith("_")} <= documented
    of_numbers = {"feature_mean_", "feature_scale_", "gap_scale_", "has_missing_"}
    of_another_kind = {"feature_names_in_", "token_ids_", "has_vector_", *of_numbers}
    assert all(hasattr(model, name) for name in documented - of_another_kind)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_get_and_set_params(estimator_class):
    model = estimator_class()
    for name, value in estimator_class(hidden_layer_sizes=(3,), alpha=1).get_params().items():
        assert model.set_params(**{name: value}) is model
        assert model.get_params()[name] is value
    with pytest.raises(ValueError, match="Invalid parameter 'units' for estimator"):
        model.set_params(units=3)
    with pytest.raises(TypeError):
        estimator_class((3,), "adam")  # all but the first are keywords


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_repr(estimator_class):
    X, y = ragged()
    model = estimator_class(hidden_layer_sizes=4, max_iter=2, learning_rate="cosine", alpha=0)
    assert repr(model) == f"{estimator_class.__name__}(alpha=0, hidden_layer_sizes=4, max_iter=2)"
    for html in (model._repr_html_(), model.fit(X, y)._repr_html_()):
        assert estimator_class.__name__ in html
        assert "hidden_layer_sizes" in html
    assert "Not fitted" not in model._repr_html_()


def test_kinds():
    assert is_classifier(GRUClassifier())
    assert not is_classifier(GRURegressor())
    assert is_regressor(GRURegressor())
    assert not is_regressor(GRUClassifier())


# Cross-validation and searches


FORMS = {
    "2-D": lambda X: pad([x[:, 0] for x in X], 7, np.nan),
    "3-D": lambda X: pad(X, 7, np.nan),
    "list": list,
    "nested lists": lambda X: [x.tolist() for x in X],
    "object array": lambda X: pd.Series(X).to_numpy(),
    "pandas Series": pd.Series,
    "polars Series": lambda X: pl.Series([x[:, 0].tolist() for x in X]),
    "pandas frame of arrays": lambda X: pd.DataFrame({"a": [x[:, 0] for x in X]}),
    "polars frame of lists": lambda X: pl.DataFrame({"a": [x[:, 0].tolist() for x in X]}),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_goes_through_cross_validation(form):
    X, y = ragged(n=40)
    model = small(GRUClassifier, max_iter=20, learning_rate_init=0.05)
    expected = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    p = cross_val_predict(model, FORMS[form](X), y, cv=3, method="predict_proba")
    assert_allclose(p, expected, atol=1e-6)
    assert (p.argmax(axis=1) == y).mean() > 0.7
    train, test = train_test_split(FORMS[form](X), random_state=0)
    assert model.fit(train, y[:30]).predict(test).shape == (10,)


def test_cross_val_score_of_ragged_lists_in_two_processes():
    X, y = ragged(n=40)
    model = small(GRUClassifier, max_iter=10)
    alone = cross_val_score(model, X, y, cv=3)
    assert_array_equal(cross_val_score(model, X, y, cv=3, n_jobs=2), alone)
    pipeline = text_pipeline()
    alone = cross_val_score(pipeline, TEXTS, SENTIMENTS, cv=3)
    assert_array_equal(cross_val_score(pipeline, TEXTS, SENTIMENTS, cv=3, n_jobs=2), alone)
    assert alone.mean() > 0.9


def test_grid_search_over_vectorizer_and_network():
    grid = {
        "sequencevectorizer__max_features": [1, None],
        "gruclassifier__hidden_layer_sizes": [(4,), (3, 2)],
    }
    search = GridSearchCV(text_pipeline(), grid, cv=2, error_score="raise").fit(TEXTS, SENTIMENTS)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.9
    max_features = search.best_params_["sequencevectorizer__max_features"]
    assert len(search.best_estimator_[0].vocabulary_) == (max_features or 7)
    assert search.predict(["good film", "so bad"]).tolist() == [True, False]
    n_hidden = len(search.best_params_["gruclassifier__hidden_layer_sizes"])
    assert search.best_estimator_[-1].n_layers_ == n_hidden + 2


def test_search_over_parameters_of_the_regressor():
    X, _ = ragged(n=30)
    y = np.array([x.sum() for x in X])
    grid = {"pooling": ["last", "mean"], "solver": ["adam", "lbfgs"], "scaling": ["standard", None]}
    search = RandomizedSearchCV(
        GRURegressor(hidden_layer_sizes=4, max_iter=200, random_state=0),
        grid,
        n_iter=4,
        cv=2,
        random_state=0,
        error_score="raise",
        n_jobs=2,
    )
    assert np.isfinite(search.fit(X, y).best_score_)


def test_curves():
    X, y = ragged(n=40)
    sizes, train, test = learning_curve(
        small(GRUClassifier), X, y, cv=2, train_sizes=[0.5, 1.0], error_score="raise"
    )
    assert sizes.tolist() == [10, 20]
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()
    scores, _ = validation_curve(
        small(GRUClassifier), X, y, param_name="hidden_layer_sizes", param_range=[2, 5], cv=2
    )
    assert scores.shape == (2, 2)
    result = cross_validate(
        small(GRUClassifier), X, y, cv=2, scoring=["roc_auc", "neg_log_loss"], error_score="raise"
    )
    assert np.isfinite(result["test_roc_auc"]).all()


# Ensembles and wrappers


@pytest.mark.parametrize("form", ["2-D", "3-D", "list", "pandas Series"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda e: VotingClassifier(
            [("a", e), ("b", clone(e).set_params(random_state=1))], voting="soft"
        ),
        lambda e: StackingClassifier([("a", e)], LogisticRegression(), cv=2),
        lambda e: CalibratedClassifierCV(e, cv=2),
        OneVsRestClassifier,
        lambda e: TunedThresholdClassifierCV(e, cv=2),
    ],
    ids=["Voting", "Stacking", "Calibrated", "OneVsRest", "TunedThreshold"],
)
def test_classifier_inside_others(wrap, form):
    X, y = ragged(n=40)
    wrapped = wrap(small(GRUClassifier, max_iter=20, learning_rate_init=0.05))
    labels = np.array(["no", "yes"])[y]
    wrapped.fit(FORMS[form](X), labels)
    assert wrapped.score(FORMS[form](X), labels) > 0.8
    assert_allclose(wrapped.predict_proba(FORMS[form](X)).sum(axis=1), 1, rtol=1e-5)


def test_several_classes_one_against_the_rest():
    X, _ = ragged(n=60)
    y = np.digitize([x[-1, 0] for x in X], [-0.5, 0.5])
    model = OneVsRestClassifier(
        small(GRUClassifier, max_iter=30, learning_rate_init=0.05), n_jobs=2
    )
    assert model.fit(X, y).score(X, y) > 0.8


def test_bagging_of_a_matrix():
    X, y = rectangle(n=60)
    model = BaggingClassifier(
        small(GRUClassifier, max_iter=15, learning_rate_init=0.05), n_estimators=3, random_state=0
    )
    assert model.fit(X[:, :, 0], y).score(X[:, :, 0], y) > 0.8


@pytest.mark.parametrize("form", ["2-D", "list"])
def test_regressor_inside_others(form):
    X, _ = ragged(n=40)
    Y = np.array([[x.sum(), 1000 * x[-1, 0]] for x in X])
    base = small(GRURegressor, max_iter=30, learning_rate_init=0.05)
    model = MultiOutputRegressor(base, n_jobs=2).fit(FORMS[form](X), Y)
    assert model.score(FORMS[form](X), Y) > 0.5
    positive = np.exp(Y[:, 0] / 5)
    logarithm = TransformedTargetRegressor(base, func=np.log, inverse_func=np.exp)
    logarithm.fit(FORMS[form](X), positive)
    assert logarithm.score(FORMS[form](X), positive) > 0.5


def test_permutation_importance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X[:, 2] > 0).astype(int)
    model = small(GRUClassifier, max_iter=20, learning_rate_init=0.05).fit(X, y)
    importances = permutation_importance(model, X, y, n_repeats=3, random_state=0).importances_mean
    assert importances.argmax() == 2


# Pipelines


def test_pipeline_of_numbers():
    X, y = rectangle(n=40)
    flat = X[:, :, 0]
    pipeline = make_pipeline(StandardScaler(), small(GRUClassifier, scaling=None)).fit(flat, y)
    scaled = StandardScaler().fit_transform(flat)
    assert_same_model(pipeline[-1], small(GRUClassifier, scaling=None).fit(scaled, y))
    differences = FunctionTransformer(lambda X: [np.diff(x, axis=0) for x in X])
    model = make_pipeline(differences, small(GRUClassifier)).fit(list(X), y)
    assert model.predict(list(X)).shape == (40,)


@pytest.mark.parametrize("library", NAMED_FRAMES)
def test_pipeline_that_hands_over_frames(library):
    X, y = rectangle(n=40)
    pipeline = make_pipeline(StandardScaler(), small(GRUClassifier)).set_output(transform=library)
    pipeline.fit(X[:, :, 0], y)
    assert_array_equal(pipeline[-1].feature_names_in_, ["x0", "x1", "x2", "x3", "x4"])
    pipeline.predict(X[:, :, 0])  # where a warning about names is an error
    with config_context(transform_output=library):
        texts = text_pipeline().fit(TEXTS, SENTIMENTS)
        assert texts.score(TEXTS, SENTIMENTS) > 0.9
        assert_array_equal(texts[-1].feature_names_in_, ["tokens"])
    assert_same_model(texts[-1], text_pipeline().fit(TEXTS, SENTIMENTS)[-1])


def test_text_column_of_a_frame():
    frame = pd.DataFrame({"n": range(24), "text": TEXTS})
    columns = ColumnTransformer([("text", SequenceVectorizer(), "text")])
    model = make_pipeline(columns, text_pipeline()[-1]).fit(frame, SENTIMENTS)
    plain = text_pipeline().fit(TEXTS, SENTIMENTS)
    assert_same_model(model[-1], plain[-1])
    assert model.score(frame, SENTIMENTS) > 0.9
    assert cross_val_score(model, frame, SENTIMENTS, cv=2, error_score="raise").mean() > 0.9


def test_word_vectors_from_the_vectorizer():
    vectorizer = SequenceVectorizer().fit(TEXTS)
    vectors = {"good": [5.0, 0.0], "bad": [-5.0, 0.0], "great": [5.0, 0.0]}
    matrix = vectorizer.embedding_matrix(vectors, random_state=0)
    model = small(GRUClassifier, embedding_matrix=matrix, max_iter=30, learning_rate_init=0.1)
    X = vectorizer.transform(TEXTS)
    assert model.fit(X, SENTIMENTS).score(X, SENTIMENTS) > 0.9
    assert len(model.token_ids_) == len(matrix) - 1


# Metadata


@pytest.fixture
def metadata_routing():
    set_config(enable_metadata_routing=True)
    yield
    set_config(enable_metadata_routing=False)


@pytest.mark.usefixtures("metadata_routing")
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_sample_weights_are_routed(estimator_class):
    X, y = rectangle(n=40)
    X = X[:, :, 0]
    weights = 1.0 + np.arange(40) % 5
    base = small(estimator_class).set_fit_request(sample_weight=True)
    base.set_score_request(sample_weight=True)
    pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), base)
    pipeline.fit(X, y, sample_weight=weights)
    scaled = StandardScaler().fit_transform(X)
    assert_same_model(pipeline[-1], small(estimator_class).fit(scaled, y, sample_weight=weights))
    search = GridSearchCV(base, {"hidden_layer_sizes": [3]}, cv=2, error_score="raise")
    search.fit(X, y, sample_weight=weights)
    expected = small(estimator_class, hidden_layer_sizes=3).fit(X, y, sample_weight=weights)
    assert_same_model(search.best_estimator_, expected)
    folds = [(np.arange(20), np.arange(20, 40))]
    by_hand = small(estimator_class).fit(X[:20], y[:20], sample_weight=weights[:20])
    result = cross_validate(base, X, y, cv=folds, params={"sample_weight": weights})
    assert_allclose(result["test_score"], by_hand.score(X[20:], y[20:], weights[20:]), rtol=1e-6)


def test_sample_weights_through_a_pipeline_without_routing():
    weights = 1.0 + np.arange(24) % 5
    pipeline = text_pipeline().fit(TEXTS, SENTIMENTS, gruclassifier__sample_weight=weights)
    X = SequenceVectorizer().fit_transform(TEXTS)
    assert_same_model(pipeline[-1], text_pipeline()[-1].fit(X, SENTIMENTS, sample_weight=weights))


def test_validation_data_through_a_pipeline():
    vectorizer = SequenceVectorizer().fit(TEXTS)
    pipeline = text_pipeline().fit(
        TEXTS,
        SENTIMENTS,
        gruclassifier__X_val=vectorizer.transform(TEXTS[:6]),
        gruclassifier__y_val=SENTIMENTS[:6],
    )
    assert len(pipeline[-1].validation_scores_) == 12
    assert pipeline[-1].validation_scores_[-1] == pipeline.score(TEXTS[:6], SENTIMENTS[:6])
