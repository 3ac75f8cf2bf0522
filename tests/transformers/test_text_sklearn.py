"""SequenceVectorizer as an estimator of scikit-learn: its checks, parameters and pipelines."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils import estimator_checks, get_tags

from skgru.text import SequenceVectorizer
from tests.transformers.texts import DOCUMENTS, MATRIX, VECTORS, padded, shout, split_on_commas


def test_check_estimator():
    # scikit-learn has no data for its checks of estimators of text, and says so.
    with pytest.warns(SkipTestWarning, match="Can't test estimator SequenceVectorizer"):
        estimator_checks.check_estimator(padded())


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_estimators_unfitted,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_param_validation,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_transformers_unfitted,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_scikit_learn_checks_that_need_no_documents(check):
    check("SequenceVectorizer", padded())


# The scikit-learn way


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("analyzer", "char_wb"),
        ("tokenizer", "split"),
        ("token_pattern", 1),
        ("preprocessor", "lower"),
        ("lowercase", "yes"),
        ("strip_accents", "latin"),
        ("stop_words", "french"),
        ("encoding", None),
        ("decode_error", "raise"),
        ("min_df", 0),
        ("min_df", 1.5),
        ("max_df", -1),
        ("max_df", "all"),
        ("max_features", 0),
        ("vocabulary", 7),
        ("max_length", 0),
        ("max_length", 0.0),
        ("max_length", 1.5),
        ("max_length", "longest"),
        ("truncating", "middle"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_parameters_are_validated(method, name, value):
    vectorizer = padded(**{name: value})
    message = f"The '{name}' parameter of SequenceVectorizer must be"
    with pytest.raises(ValueError, match=message):
        getattr(vectorizer, method)(DOCUMENTS)


def test_shared_parameters_have_the_defaults_of_count_vectorizer():
    parameters = padded().get_params()
    shared = CountVectorizer().get_params().keys() & parameters.keys()
    assert parameters.keys() - shared == {"max_length", "truncating"}
    for name in shared - {"dtype"}:
        assert parameters[name] == CountVectorizer().get_params()[name]
    assert parameters["dtype"] is np.int32


def test_parameters_are_keyword_only():
    with pytest.raises(TypeError):
        padded("word")


@pytest.mark.parametrize(
    "use",
    [
        lambda vectorizer: vectorizer.transform(DOCUMENTS),
        lambda vectorizer: vectorizer.inverse_transform(MATRIX),
        lambda vectorizer: vectorizer.get_feature_names_out(),
        lambda vectorizer: vectorizer.embedding_matrix(VECTORS),
    ],
)
@pytest.mark.parametrize("vocabulary", [None, ["cat"]])
def test_not_fitted(vocabulary, use):
    with pytest.raises(NotFittedError):
        use(padded(vocabulary=vocabulary))


def test_failed_fit_leaves_nothing_fitted():
    vectorizer = padded(dtype=float)
    with pytest.raises(ValueError, match="dtype"):
        vectorizer.fit(DOCUMENTS)
    assert [name for name in vars(vectorizer) if name.endswith("_")] == []


def test_fit_returns_self_and_changes_no_parameter():
    vocabulary = {"cat": np.int64(2), "on": 4}
    parameters = {
        "analyzer": split_on_commas,
        "vocabulary": vocabulary,
        "max_length": 0.5,
        "dtype": "int64",
    }
    vectorizer = padded(**parameters)
    before = copy.copy(vectorizer.get_params())
    assert vectorizer.fit(DOCUMENTS, y=[0, 1, 0, 1]) is vectorizer
    after = vectorizer.get_params()
    assert all(after[name] is before[name] for name in before)
    assert vocabulary == {"cat": 2, "on": 4}
    public = {name for name in vars(vectorizer).keys() - before.keys() if name[0] != "_"}
    assert public == {"vocabulary_", "max_length_"}


def test_refit_forgets_the_previous_fit():
    vectorizer = padded().fit(DOCUMENTS).fit(["new words"])
    assert vectorizer.vocabulary_ == {"new": 2, "words": 3}
    assert vectorizer.max_length_ == 2


def test_clone_is_unfitted_with_equal_parameters():
    vectorizer = SequenceVectorizer(max_length=0.9, stop_words=["the"]).fit(DOCUMENTS)
    copied = clone(vectorizer)
    assert copied.get_params() == vectorizer.get_params()
    assert not hasattr(copied, "vocabulary_")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"analyzer": split_on_commas},
        {"tokenizer": split_on_commas, "token_pattern": None},
        {"preprocessor": shout},
        {"strip_accents": "unicode", "stop_words": "english"},
    ],
)
def test_pickle_round_trip(parameters):
    vectorizer = padded(**parameters)
    X = vectorizer.fit_transform(DOCUMENTS)
    loaded = pickle.loads(pickle.dumps(vectorizer))
    np.testing.assert_array_equal(loaded.transform(DOCUMENTS), X)
    assert loaded.inverse_transform(X) == vectorizer.inverse_transform(X)


def test_joblib_round_trip(tmp_path):
    vectorizer = padded(analyzer=split_on_commas).fit(DOCUMENTS)
    joblib.dump(vectorizer, tmp_path / "vectorizer.joblib")
    loaded = joblib.load(tmp_path / "vectorizer.joblib")
    assert joblib.hash(loaded) == joblib.hash(vectorizer)


def test_tags():
    tags = get_tags(padded())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == []


REVIEWS = ["good film", "great plot", "good cast", "bad film", "awful plot", "bad cast"] * 4

LABELS = [1, 1, 1, 0, 0, 0] * 4


def classifier():
    return make_pipeline(padded(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression())


def test_pipeline():
    model = classifier().fit(REVIEWS, LABELS)
    assert model.score(REVIEWS, LABELS) == 1.0
    assert model.predict(["good unheard of thing"]) == [1]
    names = model[:-1].get_feature_names_out()
    assert "token_0_2" in names


def test_pipeline_with_a_function_transformer():
    pipeline = make_pipeline(padded(), FunctionTransformer(np.sign))
    np.testing.assert_array_equal(pipeline.fit_transform(DOCUMENTS), MATRIX > 0)


def test_cross_validation_with_words_unseen_in_training():
    documents = [f"{review} unique{i}" for i, review in enumerate(REVIEWS)]
    predicted = cross_val_predict(classifier(), documents, LABELS, cv=3)
    np.testing.assert_array_equal(predicted, LABELS)


def test_grid_search():
    grid = {
        "sequencevectorizer__max_length": [1, 0.5, 1.0],
        "sequencevectorizer__max_features": [1, None],
        "sequencevectorizer__analyzer": ["word", split_on_commas],
    }
    search = GridSearchCV(classifier(), grid, cv=2, error_score="raise").fit(REVIEWS, LABELS)
    assert search.best_score_ == 1.0
    assert len(search.cv_results_["params"]) == 12


def test_column_transformer():
    table = pd.DataFrame({"text": DOCUMENTS, "other": ["x", "y", "x", "y"]})
    columns = ColumnTransformer(
        [
            ("text", padded(), "text"),
            ("other", padded(analyzer="char"), "other"),
        ]
    ).set_output(transform="pandas")
    X = columns.fit_transform(table)
    assert list(X.columns) == [*(f"text__token_{i}" for i in range(6)), "other__token_0"]
    np.testing.assert_array_equal(X, np.column_stack([MATRIX, [2, 3, 2, 3]]))
