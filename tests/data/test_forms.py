"""Every form of X that is read, that it is left alone, and what is refused with which words."""

import copy
import re
import warnings
from collections import deque

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.utils import get_tags

from skgru import GRUClassifier, GRURegressor
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

try:  # no requirement of the tests, and one may be installed that needs a newer NumPy
    import pyarrow
except ImportError:
    pyarrow = None


def objects(sequences):
    """Return a one-dimensional object array of the sequences."""
    array = np.empty(len(sequences), dtype=object)
    for i, sequence in enumerate(sequences):
        array[i] = sequence
    return array


def lists(sequences):
    return [np.asarray(sequence).tolist() for sequence in sequences]


def column(sequences):
    """Return (T_i, 1) sequences as (T_i,)."""
    return [sequence[:, 0] for sequence in sequences]


def features(sequences):
    """Return, for each feature, its name and the list of its values in each sequence."""
    n_features = sequences[0].shape[1]
    return {f"f{j}": [s[:, j] for s in sequences] for j in range(n_features)}


def pandas_of_arrays(sequences):
    return pd.DataFrame({name: objects(cells) for name, cells in features(sequences).items()})


def polars_of_lists(sequences):
    return pl.DataFrame({name: lists(cells) for name, cells in features(sequences).items()})


def array_of_cells(sequences):
    return pandas_of_arrays(sequences).to_numpy()


def wide(X, library):
    """Return a 3-D array as a frame with a column per number."""
    flat = X.reshape(len(X), -1)
    names = [f"c{j}" for j in range(flat.shape[1])]
    return library.DataFrame(dict(zip(names, flat.T, strict=True)))


def strided(X):
    """Return the same numbers as a view that is not contiguous."""
    return np.repeat(X, 2, axis=0)[::2]


# Forms that hold sequences of unequal length, of arrays of shape (T_i, D).
RAGGED_FORMS = {
    "list of arrays": list,
    "tuple of arrays": tuple,
    "deque of arrays": deque,
    "list of Fortran-ordered arrays": lambda s: [np.asfortranarray(x) for x in s],
    "list of strided arrays": lambda s: [strided(x) for x in s],
    "list of read-only arrays": lambda s: [np.frombuffer(x.tobytes()).reshape(x.shape) for x in s],
    "nested lists": lists,
    "tuple of nested lists": lambda s: tuple(lists(s)),
    "list of object arrays": lambda s: [x.astype(object) for x in s],
    "list of pandas frames": lambda s: [pd.DataFrame(x) for x in s],
    "list of polars frames": lambda s: [pl.DataFrame(x) for x in s],
    "object array of arrays": objects,
    "object array of lists": lambda s: objects(lists(s)),
    "pandas Series of arrays": lambda s: pd.Series(objects(s)),
    "pandas Series of lists": lambda s: pd.Series(objects(lists(s))),
    "pandas Series with another index": lambda s: pd.Series(objects(s), index=range(len(s), 0, -1)),
    "polars Series of nested lists": lambda s: pl.Series(lists(s)),
    "pandas frame of arrays": pandas_of_arrays,
    "polars frame of lists": polars_of_lists,
    "object array of cells": array_of_cells,
    "3-D array padded with NaN": lambda s: pad(s, 9, np.nan),
    "Fortran-ordered 3-D array padded with NaN": lambda s: np.asfortranarray(pad(s, 9, np.nan)),
    "nested lists padded with NaN": lambda s: pad(s, 9, np.nan).tolist(),
}
# The same for one feature: (T_i,) instead of (T_i, 1).
RAGGED_UNIVARIATE_FORMS = {
    "list of 1-D arrays": column,
    "lists of numbers": lambda s: lists(column(s)),
    "list of pandas Series": lambda s: [pd.Series(x) for x in column(s)],
    "list of polars Series": lambda s: [pl.Series(x) for x in column(s)],
    "object array of 1-D arrays": lambda s: objects(column(s)),
    "pandas Series of 1-D arrays": lambda s: pd.Series(objects(column(s))),
    "polars Series of lists": lambda s: pl.Series(lists(column(s))),
    "2-D array padded with NaN": lambda s: pad(column(s), 9, np.nan),
    "pandas frame padded with NaN": lambda s: pd.DataFrame(pad(column(s), 9, np.nan)),
    "polars frame padded with null": lambda s: pl.DataFrame(
        pad(column(s), 9, np.nan), orient="row", nan_to_null=True
    ),
}
if pyarrow:
    RAGGED_UNIVARIATE_FORMS |= {
        "pyarrow array of lists": lambda s: pyarrow.array(lists(column(s))),
        "pandas Series of pyarrow lists": lambda s: pd.Series(
            lists(column(s)), dtype=pd.ArrowDtype(pyarrow.list_(pyarrow.float64()))
        ),
    }
# Forms for arrays of shape (n, T, D) that are cut into steps of D numbers by `features_per_step`.
FLAT_FORMS = {
    "2-D array": lambda X: X.reshape(len(X), -1),
    "Fortran-ordered 2-D array": lambda X: np.asfortranarray(X.reshape(len(X), -1)),
    "strided 2-D array": lambda X: strided(X.reshape(len(X), -1)),
    "2-D object array": lambda X: X.reshape(len(X), -1).astype(object),
    "lists": lambda X: X.reshape(len(X), -1).tolist(),
    "list of 1-D arrays": lambda X: list(X.reshape(len(X), -1)),
    "pandas frame": lambda X: wide(X, pd),
    "pandas frame of nullable numbers": lambda X: wide(X, pd).astype("Float64"),
    "polars frame": lambda X: wide(X, pl),
}
RECTANGLE_FORMS = {
    "3-D array": np.array,
    "Fortran-ordered 3-D array": np.asfortranarray,
    "strided 3-D array": strided,
    "3-D object array": lambda X: X.astype(object),
    "nested lists": np.ndarray.tolist,
    "nested tuples": lambda X: tuple(tuple(map(tuple, x)) for x in X.tolist()),
    "list of arrays": list,
    "polars frame of arrays": lambda X: pl.DataFrame(
        {name: np.array(cells) for name, cells in features(list(X)).items()}
    ),
}


def in_form(forms, name, sequences):
    return forms[name](copy.deepcopy(sequences))


@pytest.mark.parametrize("form", RAGGED_FORMS)
@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_ragged_forms_give_bit_equal_models(estimator_class, n_features, form):
    X, y = ragged(n_features=n_features)
    reference = small(estimator_class).fit(X, y)
    same_X = in_form(RAGGED_FORMS, form, X)
    same = small(estimator_class).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


@pytest.mark.parametrize("form", RAGGED_UNIVARIATE_FORMS)
def test_ragged_forms_of_one_feature_give_bit_equal_models(form):
    X, y = ragged()
    reference = small(GRUClassifier).fit(X, y)
    same_X = in_form(RAGGED_UNIVARIATE_FORMS, form, X)
    same = small(GRUClassifier).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


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


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_numbers_of_any_type_are_the_numbers_they_are(n_dimensions, dtype):
    X, y = rectangle()
    X = (X > 0).astype(dtype) if dtype == "bool" else np.abs(4 * X).astype(dtype)
    X = X[:, :, 0] if n_dimensions == 2 else X
    reference = small(GRUClassifier).fit(X.astype(float), y)
    assert_same_model(small(GRUClassifier).fit(X, y), reference)
    assert_same_model(small(GRUClassifier).fit(list(X), y), reference)
    assert_array_equal(output(reference, X), output(reference, X.astype(float)))


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


# Zeros, NaN and empty sequences in numeric input


@pytest.mark.parametrize("scaling", ["standard", None])
def test_zero_is_a_value_wherever_it_stands(scaling):
    X, y = ragged(shortest=2)
    model = small(GRUClassifier, scaling=scaling).fit(X, y)
    base = np.array([[1.0], [2.0]])
    variants = [base, [[1], [2], [0]], [[0], [1], [2]], [[1], [0], [2]], [[1], [2], [0], [0]]]
    p = model.predict_proba([np.array(v, dtype=float) for v in variants])[:, 0]
    assert len(np.unique(p)) == len(variants)


def test_wholly_missing_steps_are_padding_only_at_the_end():
    X, y = ragged(n_features=2)
    model = small(GRUClassifier).fit(X, y)
    nan = np.full((1, 2), np.nan)
    padded = [np.concatenate([x, *[nan] * (i % 3)]) for i, x in enumerate(X)]
    assert_same_model(small(GRUClassifier).fit(padded, y), model)
    strict = small(GRUClassifier, missing="error").fit(padded, y)
    with pytest.raises(ValueError, match="contains NaN: sequence 0, step 0, feature 0"):
        strict.predict([np.concatenate([nan, X[0]])])


EMPTY_FORMS = {
    "list": [],
    "tuple": (),
    "array": np.array([]),
    "array of shape (0, 2)": np.empty((0, 2)),
    "NaN only": np.full((3, 2), np.nan),
    "integer array": np.array([], dtype=int),
    "pandas frame": pd.DataFrame(np.empty((0, 2))),
    "polars Series": pl.Series([], dtype=pl.Float64),
}


@pytest.mark.parametrize("form", EMPTY_FORMS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_empty_sequences_among_others(estimator_class, form):
    X, y = ragged(n_features=2)
    reference = small(estimator_class).fit([*X, np.empty((0, 2))], [*y, 1])
    of_nothing = output(reference, [np.empty((0, 2)), X[0]])[0]
    for position in (0, 5, len(X)):
        mixed = [*X[:position], EMPTY_FORMS[form], *X[position:]]
        p = output(reference, mixed)
        assert_array_equal(p[position], of_nothing)
        np.testing.assert_allclose(np.delete(p, position, axis=0), output(reference, X), atol=1e-6)
    assert_same_model(small(estimator_class).fit([*X, EMPTY_FORMS[form]], [*y, 1]), reference)


def test_empty_sequence_is_predicted_from_the_initial_state():
    X, y = ragged(n_features=2)
    model = small(GRURegressor, pooling="mean").fit(X, y)
    # A state of zeros leaves nothing of the head but its bias.
    bias = model.parameters_["head.bias"][0]
    expected = bias * model.target_scale_ + model.target_mean_
    np.testing.assert_allclose(model.predict([[], X[0]])[0], expected[0], rtol=1e-6)


@pytest.mark.parametrize("form", EMPTY_FORMS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_nothing_but_empty_sequences_to_predict(estimator_class, form):
    X, y = ragged(n_features=2)
    model = small(estimator_class).fit(X, y)
    expected = output(model, [[], X[0]])[:1].repeat(3, axis=0)
    assert_array_equal(output(model, [EMPTY_FORMS[form]] * 3), expected)


@pytest.mark.parametrize(
    "X",
    [
        pytest.param([[]] * 6, id="lists"),
        pytest.param(tuple([np.array([])] * 6), id="tuple of arrays"),
        pytest.param(objects([[]] * 6), id="object array"),
        pytest.param(pd.Series([[]] * 6), id="pandas Series"),
        pytest.param(pl.Series([[]] * 6, dtype=pl.List(pl.Float64)), id="polars Series"),
        pytest.param(pd.DataFrame({"a": [[]] * 6}), id="pandas frame"),
        pytest.param(
            pl.DataFrame({"a": pl.Series([[]] * 6, dtype=pl.List(pl.Int64))}), id="polars"
        ),
        pytest.param(np.full((6, 4), np.nan), id="2-D array of NaN"),
        pytest.param(np.full((6, 4, 1), np.nan), id="3-D array of NaN"),
        pytest.param(np.empty((6, 0, 1)), id="3-D array without steps"),
    ],
)
@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_training_on_nothing_but_empty_sequences(parameters, X):
    model = small(GRUClassifier, **parameters)
    with pytest.raises(ValueError, match="X has no step: all sequences to train on are empty"):
        model.fit(X, [0, 1, 0, 1, 1, 1])
    assert not hasattr(model, "n_features_in_")


# Tokens

TOKEN_FORMS = {
    "list of arrays": list,
    "lists": lists,
    "tuple of tuples": lambda s: tuple(map(tuple, lists(s))),
    "list of (T, 1) arrays": lambda s: [x[:, None] for x in s],
    "list of uint8 arrays": lambda s: [x.astype("uint8") for x in s],
    "list of whole floats": lambda s: [x.astype(float) for x in s],
    "object array": objects,
    "pandas Series": lambda s: pd.Series(objects(s)),
    "polars Series": lambda s: pl.Series(lists(s)),
    "pandas frame of arrays": lambda s: pd.DataFrame({"ids": objects(s)}),
    "polars frame of lists": lambda s: pl.DataFrame({"ids": lists(s)}),
    "zeros behind": lambda s: pad(s, 9, 0),
    "zeros in front": lambda s: pad([x[::-1] for x in s], 9, 0)[:, ::-1],
    "zeros at both ends": lambda s: np.pad(pad(s, 7, 0), ((0, 0), (2, 0))),
    "lists with zeros behind": lambda s: pad(s, 9, 0).tolist(),
    "ragged with a zero at each end": lambda s: [np.array([0, *x, 0]) for x in s],
    "int8 matrix": lambda s: pad(s, 9, 0).astype("int8"),
    "float32 matrix": lambda s: pad(s, 9, 0).astype("float32"),
    "Fortran-ordered matrix": lambda s: np.asfortranarray(pad(s, 9, 0)),
    "object matrix": lambda s: pad(s, 9, 0).astype(object),
    "NaN behind": lambda s: pad(s, 9, np.nan),
    "zeros, then NaN behind": lambda s: pad([np.array([*x, 0, 0]) for x in s], 11, np.nan),
    "3-D array": lambda s: pad(s, 9, 0)[:, :, None],
    "pandas frame": lambda s: pd.DataFrame(pad(s, 9, 0)),
    "polars frame": lambda s: pl.DataFrame(pad(s, 9, 0), orient="row"),
}


@pytest.mark.parametrize("form", TOKEN_FORMS)
def test_token_forms_give_bit_equal_models(form):
    X, y = token_sequences()
    reference = small(GRUClassifier, embedding_dim=3).fit(X, y)
    same_X = in_form(TOKEN_FORMS, form, X)
    same = small(GRUClassifier, embedding_dim=3).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(same.token_ids_, [1, 2, 3, 4, 5, 6, 7])
    assert_array_equal(output(same, same_X), output(reference, X))


def test_an_unseen_id_counts_as_the_unknown_token():
    X, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=3).fit([3 * x for x in X], y)
    expected = model.predict_proba([[6, 1, 9], [1]])
    for unseen in (2, 5, 7, 10**6, 2**61):
        assert_array_equal(model.predict_proba([[6, unseen, 9], [unseen]]), expected)


def test_huge_ids_cost_no_more_than_small_ones():
    X, y = token_sequences()
    reference = small(GRUClassifier, embedding_dim=3).fit(X, y)
    huge = small(GRUClassifier, embedding_dim=3).fit([x + 2**60 for x in X], y)
    assert_same_model(huge, reference)
    assert_array_equal(huge.token_ids_[1:], reference.token_ids_[1:] + 2**60)


def test_the_unknown_token_can_be_trained():
    X, y = token_sequences()
    X = [np.where(x == 2, 1, x) for x in X]
    model = small(GRUClassifier, embedding_dim=3, max_iter=30, learning_rate_init=0.05).fit(X, y)
    assert_array_equal(model.token_ids_, [1, 3, 4, 5, 6, 7])
    assert model.predict([[99]]) == [1]  # unseen, like the id 1 that marks the class


def test_empty_token_sequences():
    X, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=3).fit([*X, []], [*y, 0])
    p = model.predict_proba([[], [0, 0], np.array([], dtype=int), X[0]])
    assert_array_equal(p[1:3], p[[0, 0]])
    assert_array_equal(model.predict_proba(np.zeros((2, 5), dtype=int)), p[:2])


@pytest.mark.parametrize("container", [list, lambda X: pad(X, 4, 0)], ids=["list", "matrix"])
@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ([2, 0, 3], "padding and stands only at the ends of a sequence, but sequence 1 has it"),
        ([2, -1], "Expected token ids of at least 0, got -1 in sequence 1, step 1"),
        ([-3], "Expected token ids of at least 0, got -3 in sequence 1, step 0"),
        ([2.0, 3.5], "Expected a whole number as token id, got 3.5 in sequence 1, step 1"),
        ([2.0, np.inf], "Expected a finite token id, got inf in sequence 1, step 1"),
        ([2.0, np.nan, 3.0], "contains NaN: sequence 1, step 1"),
        ([2.0, 1e30], "Expected a token id below 2**62, got 1e+30 in sequence 1, step 1"),
    ],
)
def test_bad_token_ids(sequence, message, container):
    X, y = token_sequences()
    bad = container([np.array([2, 3]), np.array(sequence), np.array([4])])
    with pytest.raises(ValueError, match=re.escape(message)):
        small(GRUClassifier, embedding_dim=3).fit(bad, [0, 1, 0])
    with pytest.raises(ValueError, match=re.escape(message)):
        small(GRUClassifier, embedding_dim=3).fit(X, y).predict(bad)


def test_tokens_have_one_id_per_step():
    X, y = rectangle(n_features=2)
    with pytest.raises(ValueError, match=r"one id per step .* X has 2 features per step"):
        small(GRUClassifier, embedding_dim=3).fit(X, y)


# X is left as it is


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: rectangle()[0][:, :, 0], id="2-D"),
        pytest.param(lambda: rectangle()[0], id="3-D"),
        pytest.param(lambda: pad(ragged()[0], 9, np.nan), id="NaN-padded"),
        pytest.param(lambda: rectangle()[0].astype("float32"), id="float32"),
    ],
)
def test_x_is_never_modified_and_may_be_read_only(estimator_class, make):
    X, y = make(), rectangle()[1]
    X.flags.writeable = y.flags.writeable = False
    weights = np.ones(len(X))
    weights.flags.writeable = False
    before = X.copy()
    model = small(estimator_class, max_iter=1).fit(X, y, weights, X_val=X, y_val=y)
    output(model.set_params(learning_rate="constant").partial_fit(X, y, weights), X)
    model.score(X, y)
    assert_array_equal(X, before)


@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_the_sequences_of_a_list_are_never_modified(parameters):
    X, y = token_sequences() if parameters else ragged()
    before = copy.deepcopy(X)
    output(small(GRUClassifier, **parameters).fit(X, y), X)
    for x, x_before in zip(X, before, strict=True):
        assert_array_equal(x, x_before, strict=True)


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_memory_mapped_x(tmp_path, n_dimensions):
    X, y = rectangle()
    X = X[:, :, 0] if n_dimensions == 2 else X
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = small(GRUClassifier).fit(mapped, y)
    assert_same_model(model, small(GRUClassifier).fit(X, y))
    assert_array_equal(output(model, mapped), output(model, X))


# Features: their number and their names


@pytest.mark.parametrize("library", NAMED_FRAMES.values(), ids=NAMED_FRAMES)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_feature_names_of_a_wide_frame(estimator_class, library):
    X, y = rectangle()
    frame = wide(X, library)
    model = small(estimator_class).fit(frame, y)
    assert_array_equal(model.feature_names_in_, np.array(["c0", "c1", "c2", "c3", "c4"], object))
    assert model.n_features_in_ == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output(model, frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but"):
        output(model, X[:, :, 0])
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        output(model, frame[["c1", "c0", "c2", "c3", "c4"]])
    model.fit(X[:, :, 0], y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but"):
        output(model, frame)


@pytest.mark.parametrize("library", NAMED_FRAMES)
def test_feature_names_of_a_frame_of_sequences(library):
    frame_of = {"pandas": pandas_of_arrays, "polars": polars_of_lists}[library]
    X, y = ragged(n_features=2)
    model = small(GRUClassifier).fit(frame_of(X), y)
    assert_array_equal(model.feature_names_in_, np.array(["f0", "f1"], object))
    assert model.n_features_in_ == 2
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        model.predict(frame_of(X)[["f1", "f0"]])


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


@pytest.mark.parametrize("wrong", [4, 6])
@pytest.mark.parametrize("library", [np, pd], ids=["array", "frame"])
def test_another_number_of_columns_than_in_fit(library, wrong):
    X, y = rectangle(n_steps=6)
    make = np.array if library is np else pd.DataFrame
    model = small(GRUClassifier).fit(make(X[:, :5, 0]), y)
    message = f"X has {wrong} features, but GRUClassifier is expecting 5 features as input"
    with pytest.raises(ValueError, match=message):
        model.predict(np.array(X[:, :wrong, 0]))
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X[:, :wrong, 0], y)
    with pytest.raises(ValueError, match=message):
        model.set_params(warm_start=True).fit(X[:, :wrong, 0], y)


@pytest.mark.parametrize("form", ["list of arrays", "3-D array padded with NaN", "nested lists"])
def test_another_number_of_features_per_step_than_in_fit(form):
    X, y = ragged(n_features=3)
    model = small(GRUClassifier).fit(ragged(n_features=2)[0], y)
    message = "X has 3 features per step, but GRUClassifier is expecting 2 features per step"
    with pytest.raises(ValueError, match=message):
        model.predict(RAGGED_FORMS[form](X))


@pytest.mark.parametrize("X", [np.zeros((4, 5)), [np.zeros(4)] * 3 + [np.zeros(5)]])
def test_numbers_that_cannot_be_cut_into_steps(X):
    message = r"5 (columns|values), expected a multiple of features_per_step=2"
    with pytest.raises(ValueError, match=message):
        small(GRUClassifier, features_per_step=2).fit(X, [0, 1, 0, 1])


# What is refused

NUMBERS = np.arange(24.0).reshape(4, 3, 2)


def with_value(value, dtype=float):
    """Return NUMBERS with another value in sequence 2, step 1, feature 0."""
    X = NUMBERS.astype(dtype)
    X[2, 1, 0] = value
    return X


BAD_X = [
    (
        with_value(np.inf),
        ValueError,
        "contains infinity .* got inf in sequence 2, step 1, feature 0",
    ),
    (with_value(-np.inf), ValueError, "expected finite values, got -inf in sequence 2, step 1"),
    (list(with_value(np.inf)), ValueError, "expected finite values, got inf in sequence 2, step 1"),
    (
        with_value(np.inf)[:, :, 0],
        ValueError,
        "expected finite values, got inf in sequence 2, step 1",
    ),
    (with_value(np.inf, "float32"), ValueError, "got inf in sequence 2, step 1, feature 0"),
    (pandas_of_arrays(list(with_value(np.inf))), ValueError, "got inf in sequence 2, step 1"),
    (with_value(np.nan), ValueError, "contains NaN: sequence 2, step 1, feature 0 is missing"),
    (
        np.where(np.arange(24).reshape(4, 3, 2) == 17, np.nan, NUMBERS),
        ValueError,
        "contains NaN: sequence 2, step 2, feature 1 is missing",  # of the last step, not all
    ),
    (list(with_value(np.nan)), ValueError, "NaN: sequence 2, step 1, feature 0 .*missing='decay'"),
    (with_value(np.nan)[:, :, 0], ValueError, "NaN: sequence 2, step 1, feature 0"),
    (wide(with_value(np.nan), pd), ValueError, "NaN: sequence 2, step 2, feature 0"),
    (with_value(1j, complex), ValueError, "Complex data not supported"),
    (with_value(1j, complex)[:, :, 0], ValueError, "Complex data not supported"),
    (
        [*NUMBERS[:2], NUMBERS[2] + 1j, NUMBERS[3]],
        ValueError,
        "Complex .*: sequence 2, step 0, feature 0 of X",
    ),
    (NUMBERS.astype(str), ValueError, "got strings: .*SequenceVectorizer.*X.astype"),
    (NUMBERS[:, :, 0].astype(str), ValueError, "numbers written as text"),
    (
        [*NUMBERS[:2], np.array(["a", "b"]), NUMBERS[3]],
        ValueError,
        "got text of dtype <U1 in sequence 2",
    ),
    ([[1], [2.0], ["x", 3], [4]], ValueError, "got the text 'x' in sequence 2, step 0"),
    (
        objects([[1], [2], [{}], [4]]),
        TypeError,
        "Expected numbers, got a dict, {}, in sequence 2, step 0",
    ),
    (["hello there", "bye", "so long", "ciao"], ValueError, "(?i)string|SequenceVectorizer"),
    (pd.Series(["hello there", "bye", "so", "ciao"]), ValueError, "(?i)string|SequenceVec"),
    (
        pd.DataFrame({"a": list("abcd")}),
        ValueError,
        "Expected numbers, got the text 'a' in column 'a', row 0 of X",
    ),
    (
        [np.array(["2020-01-01"] * 2, "M8[D]")] * 4,
        ValueError,
        "Expected numbers, got dates .datetime64.*sequence 0.*time_feature=None",
    ),
    (
        NUMBERS.astype("M8[D]"),
        (ValueError, TypeError),
        "(?i)expected numbers|not supported|numeric",
    ),
    (NUMBERS[:, :, 0].astype("M8[D]"), (ValueError, TypeError), "(?i)expected numbers|numeric"),
    (
        [*NUMBERS[:3], np.zeros((3, 4))],
        ValueError,
        "expected 2 as in sequence 0, but sequence 3 has 4",
    ),
    (
        [[], *NUMBERS[:2], np.zeros(3)],
        ValueError,
        "expected 2 as in sequence 1, but sequence 3 has 1",
    ),
    (
        [*NUMBERS[:3], [[1, 2], [3]]],
        ValueError,
        "Sequence 3 is ragged itself, expected an array of",
    ),
    (
        [*NUMBERS[:3], 5.0],
        ValueError,
        r"Sequence 3 is a float, 5.0, expected an array of shape \(n_steps, n_features\)",
    ),
    ([*NUMBERS[:3], None], ValueError, r"Sequence 3 is missing \(None\): expected an array"),
    ([*NUMBERS[:3], NUMBERS], ValueError, r"Sequence 3 has shape \(4, 3, 2\), expected"),
    (NUMBERS[None], ValueError, "Found array with dim 4"),
    (NUMBERS[0, :, 0], ValueError, "Expected 2D array, got 1D array instead"),
    ([1.0, 2.0, 3.0, 4.0], ValueError, "Expected 2D array, got 1D array instead"),
    (np.float64(3), ValueError, "Expected 2D array, got scalar array instead"),
    (
        np.empty((4, 3, 0)),
        ValueError,
        r"shape \(4, 3, 0\) has 0 features per step, expected at least",
    ),
    (np.empty((4, 0)), ValueError, "0 feature"),
    (sparse.csr_array(NUMBERS[:, :, 0]), TypeError, "Sparse data was passed"),
    (pd.DataFrame({"a": [[1], [2], [3], [4]], "b": 1.0}), ValueError, r"only \['a'\] do"),
    (
        pd.DataFrame({"a": [[1], [2], [3], [4]], "b": [[1], [2], [3, 3], [4]]}),
        ValueError,
        r"same length, but row 2 of X has shapes \[\(1,\), \(2,\)\]",
    ),
]


@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*case, id=case[2]) for case in BAD_X]
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_bad_x(estimator_class, X, error, message):
    model = small(estimator_class, missing="error")
    with pytest.raises(error, match=message):
        model.fit(X, [0, 1, 0, 1])
    assert not hasattr(model, "parameters_")


@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*case, id=case[2]) for case in BAD_X]
)
@pytest.mark.filterwarnings("ignore:X has feature names, but:UserWarning")
def test_bad_x_to_predict(X, error, message):
    model = small(GRUClassifier, missing="error").fit(NUMBERS, [0, 1, 0, 1])
    with pytest.raises(error, match=message):
        model.predict(X)


EMPTY_X = {
    "list": [],
    "tuple": (),
    "2-D array": np.empty((0, 3)),
    "3-D array": np.empty((0, 3, 2)),
    "object array": np.empty(0, dtype=object),
    "pandas Series": pd.Series([], dtype=object),
    "polars Series": pl.Series([], dtype=pl.List(pl.Float64)),
    "pandas frame": pd.DataFrame({"a": []}),
    "polars frame": pl.DataFrame({"a": []}),
}


@pytest.mark.parametrize("form", EMPTY_X)
@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_no_sequences(parameters, form):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        small(GRUClassifier, **parameters).fit(EMPTY_X[form], [])


@pytest.mark.parametrize("X", [{"a": [1.0, 2.0]}, (x for x in [[1.0], [2.0]]), None, "text"])
def test_no_array_at_all(X):
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected|got"):
        small(GRUClassifier).fit(X, [0, 1])


def test_dates_are_no_token_ids():
    X = np.array([["2020-01-01", "2020-01-02"]] * 4, dtype="M8[D]")
    with pytest.raises((ValueError, TypeError), match=r"(?i)expected|numeric|not supported"):
        small(GRUClassifier, embedding_dim=2).fit(X, [0, 1, 0, 1])


def test_values_too_large_for_the_type_that_is_computed():
    X, y = rectangle(40)
    X[3, 2, 0] = 1e39
    with pytest.raises(ValueError, match=r'too large for float32 .* or dtype="float64"'):
        small(GRUClassifier, scaling=None).fit(X, y)
    small(GRUClassifier, scaling=None, dtype="float64").fit(X, y)


@pytest.mark.parametrize("magnitude", [1e156, 1e200])
def test_values_whose_variance_overflows(magnitude):
    X, y = rectangle()
    with pytest.raises(ValueError, match="variance of X overflows: expected values below about"):
        small(GRUClassifier, dtype="float64").fit(magnitude * X, y)
    with pytest.raises(ValueError, match="variance of y overflows: expected values below about"):
        small(GRURegressor, dtype="float64").fit(X, magnitude * X[:, 0, 0])


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_three_dimensions_are_announced(estimator_class):
    assert get_tags(estimator_class()).input_tags.three_d_array


def test_masked_values_are_missing():
    X, y = rectangle()
    masked = np.ma.masked_array(X, mask=np.zeros(X.shape, bool))
    assert_same_model(small(GRUClassifier).fit(masked, y), small(GRUClassifier).fit(X, y))
    masked[2, 1, 0] = np.ma.masked
    with_nan = X.copy()
    with_nan[2, 1, 0] = np.nan
    assert_same_model(small(GRUClassifier).fit(masked, y), small(GRUClassifier).fit(with_nan, y))


def test_too_many_dimensions():
    with pytest.raises(ValueError, match=r"Found array with dim 4, expected 2 .* or 3"):
        small(GRUClassifier).fit(np.zeros((4, 3, 2, 1)), [0, 1, 0, 1])


def test_an_unsigned_id_too_large_for_a_signed_one():
    X = np.array([[2, 3], [2**63, 3]], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"below 2\*\*62, got 9223372036854775808 in sequence 1"):
        small(GRUClassifier, embedding_dim=2).fit(X, [0, 1])
