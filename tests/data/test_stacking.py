"""Tables and flat sequences cut into steps; cells of several types side by side."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier
from skgru._data.stacking import concatenate_columns, is_feature
from skgru.per_timestep import PerTimestep
from tests.containers import assert_reads, lists, objects, pa
from tests.datasets import assert_same_model, output, ragged, read_numbers, rectangle, small
from tests.forms_of_x import FLAT_FORMS, RECTANGLE_FORMS, in_form


@pytest.mark.parametrize("form", FLAT_FORMS)
@pytest.mark.parametrize("n_features", [1, 2])
def test_flat_forms_give_bit_equal_models(n_features, form):
    X, y = rectangle(n_features=n_features)
    reference = small(GRUClassifier, features_per_step=n_features).fit(X, y)
    same_X = in_form(FLAT_FORMS, form, X)
    same = small(GRUClassifier, features_per_step=n_features).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


@pytest.mark.parametrize("form", RECTANGLE_FORMS)
def test_three_dimensional_forms_give_bit_equal_models(form):
    X, y = rectangle(n_features=3)
    reference = small(GRUClassifier).fit([x for x in X], y)
    same_X = in_form(RECTANGLE_FORMS, form, X)
    same = small(GRUClassifier).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


def test_time_comes_before_the_features_in_a_flat_x():
    X, y = rectangle(n_features=2)
    model = small(GRUClassifier, features_per_step=2).fit(X.reshape(len(X), -1), y)
    expected = [X[:, :, 0].mean(), X[:, :, 1].mean()]
    np.testing.assert_allclose(model.feature_mean_, expected, rtol=1e-12, atol=1e-12)
    columns = [f"t{t}{name}" for t in range(5) for name in "ab"]
    frame = pd.DataFrame(X.reshape(len(X), -1), columns=columns)
    assert_array_equal(output(model, X), output(model.fit(frame, y), frame))


def test_features_per_step_cuts_one_dimensional_sequences():
    X, y = ragged(n_features=2)
    reference = small(GRUClassifier).fit(X, y)
    flat = [x.ravel() for x in X]
    assert_same_model(small(GRUClassifier, features_per_step=2).fit(flat, y), reference)
    assert_same_model(small(GRUClassifier, features_per_step=2).fit(lists(flat), y), reference)


@pytest.mark.parametrize("X", [np.zeros((4, 5)), [np.zeros(4)] * 3 + [np.zeros(5)]])
def test_numbers_that_cannot_be_cut_into_steps(X):
    message = r"5 (columns|values), expected a multiple of features_per_step=2"
    with pytest.raises(ValueError, match=message):
        small(GRUClassifier, features_per_step=2).fit(X, [0, 1, 0, 1])


def test_tokens_have_one_id_per_step():
    X, y = rectangle(n_features=2)
    with pytest.raises(ValueError, match=r"one id per step .* X has 2 features per step"):
        small(GRUClassifier, embedding_dim=3).fit(X, y)


@pytest.mark.parametrize(
    ("form", "n_features"),
    [("2-D array", 10), ("lists", 10), ("pandas frame", 10), ("list of 1-D arrays", 2)],
)
def test_n_features_in_counts_columns_or_features_per_step(form, n_features):
    X, y = rectangle(n_features=2)
    model = small(GRUClassifier, features_per_step=2).fit(FLAT_FORMS[form](X), y)
    assert model.n_features_in_ == n_features
    assert small(GRUClassifier).fit(X, y).n_features_in_ == 2


def test_fitted_on_a_matrix_other_lengths_come_as_a_list_or_in_three_dimensions():
    X, y = rectangle()
    model = small(GRUClassifier).fit(X[:, :, 0], y)
    for n_steps in (2, 5):
        expected = model.predict_proba(X[:, :n_steps])
        assert_array_equal(model.predict_proba(lists(X[:, :n_steps, 0])), expected)
        assert_array_equal(model.predict_proba(list(X[:, :n_steps, 0])), expected)


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_one_column_of_steps_of_several_features(library):
    cells = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])]
    column = objects(cells) if library is pd else [x.tolist() for x in cells]
    X = library.DataFrame({"a": column})
    assert_reads(X, cells)
    scaled = PerTimestep(StandardScaler()).fit_transform(X)
    for x, expected in zip(scaled, PerTimestep(StandardScaler()).fit_transform(cells), strict=True):
        assert_array_equal(x, expected)


def test_tables_of_arrow_are_scaled_step_by_step():
    arrays = [np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[5.0, 6.0]])]
    expected = PerTimestep(StandardScaler()).fit_transform(arrays)
    tables = [pa.table({"a": x[:, 0], "b": x[:, 1]}) for x in arrays]
    nested = pa.table({"a": [x[:, 0].tolist() for x in arrays], "b": [x[:, 1] for x in arrays]})
    for X in (tables, nested):
        for x, numbers in zip(
            PerTimestep(StandardScaler()).fit_transform(X), expected, strict=True
        ):
            assert_array_equal(x, numbers)
    swapped = [tables[0], tables[1].select(["b", "a"])]
    with pytest.raises(ValueError, match=r"same columns in the same order: expected \['a', 'b'\]"):
        PerTimestep(StandardScaler()).fit(swapped)


def test_integers_beside_durations_stay_integers():
    steps = [[np.timedelta64(60 * t, "s"), t] for t in range(3)]
    read = read_numbers([steps, steps[:2]], time_feature=0).sequences
    assert_array_equal(read.values, [[0, 0], [60, 1], [120, 2], [0, 0], [60, 1]])
    with pytest.raises(ValueError, match="got the duration"):
        read_numbers([[np.timedelta64(1, "s"), 0]], time_feature=0)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["int8", "int64"], "int64"),
        (["bool", "int64"], "int64"),
        (["uint64", "int64"], "int64"),  # not float64, which would round them
        (["int64", "float32"], "float64"),
        (["float32", "float32"], "float32"),
        (["bool", "bool"], "bool"),
    ],
)
def test_integers_side_by_side_stay_integers(dtypes, expected):
    columns = [np.array([0, 1], dtype) for dtype in dtypes]
    assert_array_equal(
        concatenate_columns(columns), np.array([[0, 0], [1, 1]], expected), strict=True
    )


def test_unsigned_integers_that_no_signed_ones_hold_become_floats():
    columns = [np.array([2**63], np.uint64), np.array([-1])]
    assert_array_equal(concatenate_columns(columns), [[2.0**63, -1.0]], strict=True)


@pytest.mark.parametrize(
    ("index", "found"), [(0, True), (2, True), (3, False), (-3, True), (-4, False), (None, False)]
)
def test_features_are_counted_from_either_end(index, found):
    assert is_feature(index, 3) == found
