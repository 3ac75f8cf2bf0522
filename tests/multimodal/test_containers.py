"""X in each form: the same model; columns that are found by what names them, and are compared."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_selector

from skgru import TableBranch
from tests.containers import pa
from tests.datasets import NAMED_FRAMES, assert_same_model
from tests.multimodal.samples import (
    BY_INDEX,
    BY_NAME,
    ESTIMATORS,
    branches,
    classifier,
    columns,
    frame,
    lists,
    object_array,
    polars_frame,
    series_branch,
    small,
)

X, Y = frame()


def arrow_table():
    made = columns()[0]
    return pa.table(
        {name: lists(c) if name in BY_NAME["monitor"] else c for name, c in made.items()}
    )


FORMS = {
    "polars": lambda: (polars_frame(X), BY_NAME),
    "polars by index": lambda: (polars_frame(X), BY_INDEX),
    "object array": lambda: (object_array(X), BY_INDEX),
    "list of rows": lambda: ([list(row) for row in object_array(X)], BY_INDEX),
    "lists in lists": lambda: (
        [
            [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in row]
            for row in object_array(X)
        ],
        BY_INDEX,
    ),
    "tuple of rows": lambda: (tuple(map(tuple, object_array(X))), BY_INDEX),
    "another index": lambda: (X.set_axis(range(50, 74)), BY_NAME),
    "pandas category": lambda: (X.astype({"ward": "category"}), BY_NAME),
    "pandas string": lambda: (X.astype({"ward": "string", "note": "string"}), BY_NAME),
    "pandas nullable": lambda: (X.astype({"age": "Float64"}), BY_NAME),
    "polars category": lambda: (
        polars_frame(X).with_columns(pl.col("ward").cast(pl.Categorical)),
        BY_NAME,
    ),
}
FORMS["Arrow"] = lambda: (arrow_table(), BY_NAME)
FORMS["Arrow dictionary"] = lambda: (
    arrow_table().set_column(4, "ward", arrow_table()["ward"].dictionary_encode()),
    BY_NAME,
)


@pytest.fixture(scope="module")
def expected():
    return classifier().fit(X, Y)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_model(form, expected):
    given, where = FORMS[form]()
    model = classifier(branches(where)).fit(given, Y)
    assert_same_model(model, expected)
    assert_array_equal(model.predict_proba(given), expected.predict_proba(X))
    assert_array_equal(model.transform(given), expected.transform(X))
    assert model.n_features_in_ == 5


@pytest.mark.parametrize("library", ["pandas", *NAMED_FRAMES])
def test_names_of_columns_are_kept(library, expected):
    given = polars_frame(X) if library == "polars" else X
    model = classifier().fit(given, Y)
    assert_array_equal(model.feature_names_in_, ["note", "pulse", "pressure", "age", "ward"])


def test_an_array_has_no_names():
    assert not hasattr(classifier(branches(BY_INDEX)).fit(object_array(X), Y), "feature_names_in_")


def test_the_given_data_stay_as_they_are():
    before = [[np.copy(cell) for cell in X[name]] for name in X]
    classifier().fit(X, Y).predict(X)
    for name, cells in zip(X, before, strict=True):
        for cell, was in zip(X[name], cells, strict=True):
            assert_array_equal(cell, was)


LARGE = [2**60, 2**60 + 1, None]  # the same number as floats
LARGE_CATEGORIES = {
    "pandas": lambda cells: pd.Series(
        pd.Categorical.from_codes(
            [-1 if cell is None else LARGE.index(cell) for cell in cells], LARGE[:2]
        )
    ),
    "pandas nullable": lambda cells: pd.Series(cells, dtype="Int64").astype("category"),
}
LARGE_CATEGORIES["Arrow"] = lambda cells: pa.array(cells).dictionary_encode()


@pytest.mark.parametrize("library", LARGE_CATEGORIES)
def test_large_categories_beside_missing_ones_are_told_apart(library):
    column = LARGE_CATEGORIES[library](LARGE * 8)
    table = pa.table({"id": column}) if library == "Arrow" else pd.DataFrame({"id": column})
    given = [("patient", TableBranch(), ["id"])]
    model = classifier(given).fit(table, Y)
    categories = model.named_branches_["patient"].categories_["id"]
    assert_array_equal(categories, LARGE[:2], strict=True)


# Columns


WHERE = {
    "indices": [3, 4],
    "from the end": [-2, -1],
    "tuple of names": ("age", "ward"),
    "slice": slice(3, 5),
    "open slice": slice(3, None),
    "slice of names": slice("age", "ward"),
    "open slice of names": slice("age", None),
    "truth values": [False, False, False, True, True],
    "array of truth values": np.array([False, False, False, True, True]),
    "array of names": np.array(["age", "ward"]),
    "array of indices": np.array([3, 4]),
    "pandas Index": pd.Index(["age", "ward"]),
    "pandas Series": pd.Series(["age", "ward"]),
    "function of names": lambda X: ["age", "ward"],
    "function of indices": lambda X: [3, 4],
    "selector": make_column_selector("age|ward"),
}


@pytest.mark.parametrize("where", WHERE)
def test_columns_are_found_by_what_names_them(where, expected):
    model = classifier([*branches()[:2], ("patient", TableBranch(), WHERE[where])]).fit(X, Y)
    assert model.branches_[2][2] == (3, 4)
    assert_same_model(model, expected)


def test_columns_are_read_in_the_order_in_which_they_are_named():
    one = classifier([("patient", TableBranch(), ["age", "note", "ward"])]).fit(X, Y)
    other = classifier([("patient", TableBranch(), ["ward", "age", "note"])]).fit(X, Y)
    assert list(one.named_branches_["patient"].categories_) == ["note", "ward"]
    assert list(other.named_branches_["patient"].categories_) == ["ward", "note"]


def test_columns_that_no_branch_names_are_not_read(expected):
    more = X.assign(date=pd.Timestamp("2020-01-01"), thing=[{"a": 1}] * 24)
    assert_same_model(classifier().fit(more, Y), expected)


def test_branches_may_share_columns():
    given = [("a", series_branch(), ["pulse"]), ("b", series_branch(), ["pulse", "pressure"])]
    assert classifier(given).fit(X, Y).predict(X).shape == (24,)


# Other columns in later calls

OTHERS = {
    "another order": X[X.columns[::-1]],
    "another name": X.rename(columns={"age": "Age"}),
    "one more": X.assign(more=1),
    "one less": X.drop(columns="age"),
}
CALLS = {
    "predict": lambda model, Z: model.predict(Z),
    "score": lambda model, Z: model.score(Z, Y),
    "transform": lambda model, Z: model.transform(Z),
    "partial_fit": lambda model, Z: model.partial_fit(Z, Y),
    "X_val": lambda model, Z: model.fit(X, Y, X_val=Z, y_val=Y),
    "warm start": lambda model, Z: model.set_params(warm_start=True).fit(Z, Y),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_other_columns_are_refused(estimator_class, other, call):
    model = small(estimator_class, branches(names=["patient"])).fit(X, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        CALLS[call](model, OTHERS[other])
    assert_array_equal(model.feature_names_in_, X.columns)


def test_other_columns_are_refused_for_probabilities_too(expected):
    with pytest.raises(ValueError, match="feature names should match"):
        expected.predict_proba(OTHERS["another order"])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        expected.predict_proba(object_array(X))


@pytest.mark.parametrize("library", NAMED_FRAMES)
def test_a_frame_of_another_library_is_compared_too(library, expected):
    other = X if library == "pandas" else polars_frame(X)
    assert_array_equal(expected.predict_proba(other), expected.predict_proba(X))
    with pytest.raises(ValueError, match="must be in the same order"):
        expected.predict(other[list(X.columns[::-1])])


def test_another_number_of_columns_of_an_array_is_refused():
    model = classifier(branches(BY_INDEX, ["patient"])).fit(object_array(X), Y)
    with pytest.raises(ValueError, match="X has 4 features, but MultimodalGRUClassifier is exp"):
        model.predict(object_array(X)[:, :4])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (X["age"], "Expected 2D array, got 1D"),
        ([1.0, 2.0], "Expected 2D array, got 1D"),
        ("text", "got a string"),
        ({"age": [1.0]}, "got a dict"),
        (None, "got a NoneType"),
        (X.iloc[:0], "0 sample"),
        ([], "Expected 2D array"),
        (np.zeros((3, 5, 2)), "dim 3"),
        ([[1.0, 2.0], [3.0]], r"rows of the same number of cells, got rows of \[1, 2\] cells"),
    ],
)
def test_what_is_no_table_is_refused(given, message):
    model = classifier(branches(BY_INDEX, ["patient"]))
    for call in (lambda: model.fit(given, Y[:2]), lambda: fitted_to_array().predict(given)):
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def fitted_to_array():
    return classifier(branches(BY_INDEX, ["patient"])).fit(object_array(X), Y)
