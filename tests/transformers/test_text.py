"""SequenceVectorizer: ids, padding and width, output, and as a transformer of scikit-learn."""

import copy
import pickle
import tracemalloc
from collections import Counter

import joblib
import numpy as np
import pandas as pd
import polars as pl
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
from tests.transformers.texts import (
    DOCUMENTS,
    MATRIX,
    VECTORS,
    VOCABULARY,
    padded,
    shout,
    split_on_commas,
)


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


def test_ids_follow_falling_frequency_then_the_alphabet():
    vectorizer = padded().fit(DOCUMENTS)
    assert vectorizer.vocabulary_ == VOCABULARY
    assert list(vectorizer.vocabulary_) == sorted(VOCABULARY, key=VOCABULARY.get)


def test_frequency_counts_tokens_not_documents():
    vectorizer = padded().fit(["zz zz zz", "aa bb", "aa"])
    assert vectorizer.vocabulary_ == {"zz": 2, "aa": 3, "bb": 4}


def test_ids_are_plain_integers():
    for parameters in ({}, {"max_features": 2}, {"vocabulary": {"cat": np.int64(5)}}):
        vectorizer = padded(**parameters).fit(DOCUMENTS)
        assert {type(id_) for id_ in vectorizer.vocabulary_.values()} == {int}
        assert type(vectorizer.max_length_) is int


def test_fit_transform_gives_rows_of_ids_with_trailing_zeros():
    X = padded().fit_transform(DOCUMENTS)
    assert isinstance(X, np.ndarray)
    assert X.dtype == np.int32
    np.testing.assert_array_equal(X, MATRIX)


def test_fit_then_transform_equals_fit_transform():
    vectorizer = SequenceVectorizer(min_df=2, max_length=0.5, truncating="pre")
    X = vectorizer.fit_transform(DOCUMENTS)
    np.testing.assert_array_equal(clone(vectorizer).fit(DOCUMENTS).transform(DOCUMENTS), X)


def test_fit_transform_analyzes_each_document_once():
    seen = []

    def analyzer(document):
        seen.append(document)
        return document.split()

    padded(analyzer=analyzer).fit_transform(DOCUMENTS)
    assert seen == DOCUMENTS


def test_unseen_words_are_unknown():
    X = padded().fit(DOCUMENTS).transform(["the bird sat"])
    np.testing.assert_array_equal(X, [[3, 1, 4, 0, 0, 0]])


def test_document_of_unknown_words_only():
    X = padded().fit(DOCUMENTS).transform(["quite unheard of"])
    np.testing.assert_array_equal(X, [[1, 1, 1, 0, 0, 0]])


@pytest.mark.parametrize("document", ["", "   ", "?!", "a"])
def test_document_without_tokens_is_a_row_of_zeros(document):
    vectorizer = padded()
    assert not vectorizer.fit_transform([*DOCUMENTS, document])[-1].any()
    assert not vectorizer.transform([document]).any()


def test_no_documents_to_transform():
    assert padded().fit(DOCUMENTS).transform([]).shape == (0, 6)


def test_counts_agree_with_count_vectorizer():
    counter = CountVectorizer().fit(DOCUMENTS)
    vectorizer = padded()
    rows = vectorizer.inverse_transform(vectorizer.fit_transform(DOCUMENTS))
    names = counter.get_feature_names_out()
    for row, counts in zip(rows, counter.transform(DOCUMENTS).toarray(), strict=True):
        assert Counter(row) == {name: n for name, n in zip(names, counts, strict=True) if n}


def test_width_is_fixed_in_fit():
    vectorizer = padded().fit(["aa bb", "aa"])
    assert vectorizer.max_length_ == 2
    np.testing.assert_array_equal(vectorizer.transform(["aa", "bb aa bb aa"]), [[2, 0], [3, 2]])


def test_by_default_nothing_is_cut_and_nothing_padded():
    vectorizer = SequenceVectorizer().fit(["word"] * 999 + ["word word word"])
    assert vectorizer.max_length_ is None
    X = vectorizer.transform(["word " * 7, "", "word"])
    assert X.shape == (3, 1)
    assert [ids.tolist() for ids in X] == [[2] * 7, [], [2]]
    assert X[0].dtype == np.int32
    assert vectorizer.get_feature_names_out().tolist() == ["tokens"]


def test_one_long_document_costs_what_it_holds():
    documents = ["word"] * 5000 + ["word " * 200_000]
    tracemalloc.start()
    X = SequenceVectorizer().fit_transform(documents)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(map(len, X)) == 205_000
    assert peak < 50e6  # a matrix would take 4 GB


@pytest.mark.parametrize(
    ("truncating", "expected"),
    [("post", [[2, 3], [2, 0], [0, 0]]), ("pre", [[4, 5], [2, 0], [0, 0]])],
)
def test_truncating(truncating, expected):
    vectorizer = padded(vocabulary=["aa", "bb", "cc", "dd"], max_length=2, truncating=truncating)
    X = vectorizer.fit_transform(["aa bb cc dd", "aa", ""])
    np.testing.assert_array_equal(X, expected)


def test_drops_the_end_by_default():
    X = SequenceVectorizer(vocabulary=["aa", "bb"], max_length=1).fit_transform(["aa bb"])
    np.testing.assert_array_equal(X, [[2]])


def test_integer_max_length_may_exceed_the_documents():
    vectorizer = SequenceVectorizer(max_length=np.int64(8))
    assert vectorizer.fit_transform(DOCUMENTS).shape == (4, 8)
    assert vectorizer.max_length_ == 8
    assert type(vectorizer.max_length_) is int


@pytest.mark.parametrize(
    ("quantile", "expected"), [(0.05, 1), (0.5, 10), (0.51, 11), (0.95, 19), (1.0, 20)]
)
def test_float_max_length_is_the_width_for_this_share_of_the_documents(quantile, expected):
    documents = [" ".join(["word"] * n) for n in range(1, 21)]
    assert SequenceVectorizer(max_length=quantile).fit(documents).max_length_ == expected


def test_quantile_is_a_length_that_occurs():
    documents = ["word"] * 95 + ["word " * 50] * 5
    assert SequenceVectorizer(max_length=0.95).fit(documents).max_length_ == 1
    assert SequenceVectorizer(max_length=0.96).fit(documents).max_length_ == 50


def test_integer_one_and_float_one_differ():
    assert SequenceVectorizer(max_length=1).fit(DOCUMENTS).max_length_ == 1
    assert SequenceVectorizer(max_length=1.0).fit(DOCUMENTS).max_length_ == 6


@pytest.mark.parametrize("max_length", [0.5, 1.0])
def test_width_is_at_least_one(max_length):
    vectorizer = SequenceVectorizer(vocabulary=["cat"], max_length=max_length)
    np.testing.assert_array_equal(vectorizer.fit_transform(["", ""]), [[0], [0]])
    assert vectorizer.max_length_ == 1


def test_words_outside_the_vocabulary_count_for_the_width_and_stop_words_do_not():
    documents = ["the cat sat on the mat", "cat"]
    assert padded(min_df=2).fit(documents).max_length_ == 6
    assert padded(stop_words=["the", "on"]).fit(documents).max_length_ == 3


def test_feature_names():
    vectorizer = SequenceVectorizer(max_length=3).fit(DOCUMENTS)
    names = vectorizer.get_feature_names_out()
    assert names.dtype == object
    assert names.tolist() == ["token_0", "token_1", "token_2"]
    assert vectorizer.get_feature_names_out(["text"]).tolist() == names.tolist()


@pytest.mark.parametrize(("library", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output(library, frame):
    vectorizer = padded().set_output(transform=library)
    fitted = vectorizer.fit_transform(DOCUMENTS)
    for X in (fitted, vectorizer.transform(DOCUMENTS)):
        assert isinstance(X, frame)
        assert list(X.columns) == [f"token_{i}" for i in range(6)]
        assert X.to_numpy().dtype == np.int32
        np.testing.assert_array_equal(X.to_numpy(), MATRIX)
    assert vectorizer.inverse_transform(fitted)[0] == ["the", "cat", "sat"]


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.int64, "int64", np.dtype("uint16"), int]
)
def test_integer_dtypes(dtype):
    vectorizer = padded(dtype=dtype)
    X = vectorizer.fit_transform(DOCUMENTS)
    assert X.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(X, MATRIX)
    assert vectorizer.transform([]).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", [float, bool, object, "U5", complex])
def test_other_dtypes(dtype):
    with pytest.raises(ValueError, match="dtype must be an integer type"):
        padded(dtype=dtype).fit(DOCUMENTS)


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_dtype_too_small_for_the_ids(method):
    vocabulary = {"cat": 127, "mat": 128}
    vectorizer = padded(vocabulary=vocabulary, dtype=np.int8)
    with pytest.raises(ValueError, match=r"dtype int8 .* up to 127, .* vocabulary is 128"):
        getattr(vectorizer, method)(DOCUMENTS)
    X = vectorizer.set_params(dtype=np.uint8).fit_transform(["mat cat"])
    np.testing.assert_array_equal(X, [[128, 127]])


def test_dtype_that_just_holds_the_ids():
    X = padded(vocabulary={"cat": 127}, dtype=np.int8).fit_transform(["cat"])
    np.testing.assert_array_equal(X, [[127]])


def test_dtype_made_too_small_after_fit():
    vectorizer = padded(vocabulary={"cat": 300}).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="dtype int8 holds ids up to 127"):
        vectorizer.set_params(dtype=np.int8).transform(DOCUMENTS)


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
    assert vars(vectorizer).keys() - before.keys() == {"vocabulary_", "max_length_"}


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
