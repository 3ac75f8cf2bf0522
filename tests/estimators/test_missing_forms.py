"""Missing values in every form of X: the same model, refusals, scikit-learn's own checks."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import estimator_checks, get_tags

from skgru import GRUClassifier, GRURegressor
from tests.checks import id_of, name_of, run_check
from tests.datasets import assert_same_model, objects, pad, ragged, rectangle, small
from tests.holes import ALL_ESTIMATORS, MISSING, copies_of, ragged_with_holes, with_holes

# Every form of X


def nested(X):
    return {f"f{j}": [x[:, j] for x in X] for j in range(X.shape[2])}


def flat(X):
    columns = X.reshape(len(X), -1).T
    return {f"c{j}": column for j, column in enumerate(columns)}


def with_none(array):
    """Return nested lists with None where the array has NaN."""
    return np.where(np.isnan(array), None, array).tolist()


def masked(array):
    """Return the array with numbers under its mask instead of NaN."""
    return np.ma.masked_array(np.nan_to_num(array, nan=77.0), mask=np.isnan(array))


def nullable(columns):
    """Return a pandas DataFrame of a type with pd.NA."""
    return pd.DataFrame({name: pd.array(with_none(c), "Float64") for name, c in columns.items()})


def frame_of_step(x, make):
    return make({f"f{j}": column for j, column in enumerate(x.T)})


FORMS = {
    "3-D": lambda X: X,
    "2-D": lambda X: X.reshape(len(X), -1),
    "list": list,
    "tuple": tuple,
    "list of flat arrays": lambda X: [x.ravel() for x in X],
    "object array": objects,
    "Series of arrays": lambda X: pd.Series(list(X)),
    "nested lists": lambda X: X.tolist(),
    "nested lists with None": with_none,
    "flat lists with None": lambda X: with_none(X.reshape(len(X), -1)),
    "object array of None": lambda X: np.array(with_none(X), dtype=object),
    "list of object arrays": lambda X: [np.array(with_none(x), dtype=object) for x in X],
    "masked 3-D": masked,
    "masked 2-D": lambda X: masked(X.reshape(len(X), -1)),
    "list of masked arrays": lambda X: [masked(x) for x in X],
    "wide pandas": lambda X: pd.DataFrame(flat(X)),
    "wide nullable pandas": lambda X: nullable(flat(X)),
    "wide pandas of objects": lambda X: pd.DataFrame(flat(X)).astype(object),
    "wide polars": lambda X: pl.DataFrame(flat(X)),
    "wide polars with null": lambda X: pl.DataFrame(flat(X)).fill_nan(None),
    "nested pandas": lambda X: pd.DataFrame({k: objects(v) for k, v in nested(X).items()}),
    "nested pandas with None": lambda X: pd.DataFrame(
        {k: [with_none(cell) for cell in v] for k, v in nested(X).items()}
    ),
    "nested polars": lambda X: pl.DataFrame(
        {k: [c.tolist() for c in v] for k, v in nested(X).items()}
    ),
    "nested polars with null": lambda X: pl.DataFrame(
        {k: [with_none(c) for c in v] for k, v in nested(X).items()}
    ),
    "list of pandas": lambda X: [frame_of_step(x, pd.DataFrame) for x in X],
    "list of nullable pandas": lambda X: [frame_of_step(x, nullable) for x in X],
    "list of polars": lambda X: [frame_of_step(x, pl.DataFrame) for x in X],
    "list of polars with null": lambda X: [
        frame_of_step(x, pl.DataFrame).fill_nan(None) for x in X
    ],
}


@pytest.mark.parametrize("form", FORMS)
@MISSING
def test_every_form_gives_the_same_model_bit_by_bit(missing, form):
    X, y = rectangle(n_features=2)
    X = with_holes(X)
    parameters = {"missing": missing, "features_per_step": 2}
    expected = small(GRUClassifier, **parameters).fit(X, y)
    given = FORMS[form](X)
    model = small(GRUClassifier, **parameters).fit(given, y)
    assert model.has_missing_
    assert_same_model(model, expected)
    assert_array_equal(model.gap_scale_, expected.gap_scale_)
    assert_array_equal(model.predict_proba(given), expected.predict_proba(X))
    # If training saw none, NaN in a prediction is filled in each form alike.
    complete = np.nan_to_num(X)
    expected = small(GRUClassifier, **parameters).fit(complete, y)
    model = small(GRUClassifier, **parameters).fit(FORMS[form](complete), y)
    assert_array_equal(model.predict_proba(given), expected.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_missing_values_of_narrow_types(dtype):
    X, y = ragged_with_holes()
    X = [x.astype(dtype) for x in X]
    wide = small(GRUClassifier).fit([x.astype(float) for x in X], y)
    model = small(GRUClassifier).fit(X, y)
    assert model.has_missing_
    assert_allclose(model.predict_proba(X), wide.predict_proba(X), rtol=0, atol=1e-3)


@MISSING
def test_what_is_filled_is_no_narrow_number(missing):
    # A small deviation beside a large mean, which float32 would round.
    rng = np.random.default_rng(0)
    X = (1e6 + rng.normal(size=(30, 6, 2))).astype(np.float32)
    model = small(GRUClassifier, missing=missing).fit(X, np.arange(30) % 2)
    X[:, :2, 0] = np.nan
    assert_array_equal(model.predict_proba(X), model.predict_proba(X.astype(np.float64)))


@MISSING
def test_x_stays_as_it_is_and_may_be_read_only(missing):
    X, y = rectangle(n_features=2)
    X = with_holes(X)
    for given in (X, X.reshape(len(X), -1), X.astype(np.float32)):
        before = given.copy()
        given.flags.writeable = False
        model = small(GRUClassifier, missing=missing, features_per_step=2).fit(given, y)
        model.predict(given)
        small(GRUClassifier, features_per_step=2).fit(np.nan_to_num(given), y).predict(given)
        assert_array_equal(given, before)
    X, y = ragged_with_holes()
    before = copies_of(X)
    for x in X:
        x.flags.writeable = False
    model = small(GRUClassifier, missing=missing, bidirectional=True).fit(X, y)
    model.predict(X)
    model.fit([np.nan_to_num(x) for x in X], y).predict(X)
    for x, x_before in zip(X, before, strict=True):
        assert_array_equal(x, x_before)
    frame = pd.DataFrame(flat(with_holes(rectangle()[0])))
    frame_before = frame.copy()
    small(GRUClassifier, missing=missing).fit(frame, y).predict(frame)
    pd.testing.assert_frame_equal(frame, frame_before)


# Refusals and tags


@pytest.mark.parametrize("form", ["3-D", "list", "masked 3-D", "nested pandas", "wide polars"])
def test_nan_is_refused_where_it_has_to_be_with_its_place(form):
    X, y = rectangle(n_features=2)
    complete = X.copy()
    X[4, 2, 1] = np.nan
    X[5, 1, 0] = np.nan
    given, complete = FORMS[form](X), FORMS[form](complete)
    place = re.escape("sequence 4, step 2, feature 1 is missing")
    model = small(GRUClassifier, missing="error", features_per_step=2)
    with pytest.raises(ValueError, match=place):
        model.fit(given, y)
    assert not hasattr(model, "classes_")
    with pytest.raises(ValueError, match=place):
        model.partial_fit(given, y, classes=[0, 1])
    with pytest.raises(ValueError, match=place):
        model.fit(complete, y, X_val=given, y_val=y)
    model.fit(complete, y)
    for method in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(ValueError, match=place):
            method(given)


def test_padding_is_not_refused():
    X, y = ragged(n_features=2)
    model = small(GRUClassifier, missing="error").fit(X, y)
    assert_same_model(small(GRUClassifier, missing="error").fit(pad(X, 9, np.nan), y), model)


@ALL_ESTIMATORS
def test_the_tag_says_whether_nan_is_taken(estimator_class):
    for missing in ("decay", "indicator", "error"):
        tags = get_tags(estimator_class(missing=missing))
        assert tags.input_tags.allow_nan == (missing != "error")
        tags = get_tags(estimator_class(missing=missing, embedding_dim=3))
        assert not tags.input_tags.allow_nan
    assert not get_tags(estimator_class(embedding_matrix=np.eye(3))).input_tags.allow_nan


@pytest.mark.parametrize("missing", ["decay", "indicator", "error"])
def test_a_missing_token_is_refused(missing):
    X = [np.array([2.0, np.nan, 3.0]), np.array([2.0, 3.0])]
    with pytest.raises(ValueError, match=re.escape("sequence 0, step 1")):
        small(GRUClassifier, embedding_dim=2, missing=missing).fit(X, [0, 1])


@pytest.mark.parametrize("parameters", [{"missing": "drop"}, {"missing": None}, {"scaling": "max"}])
def test_unknown_names_are_refused(parameters):
    X, y = ragged()
    with pytest.raises(ValueError, match=f"The '{next(iter(parameters))}' parameter"):
        small(GRUClassifier, **parameters).fit(X, y)


# scikit-learn's own checks


def checks_to_run(missing):
    """Return the pairs of estimator and check."""
    options = {"missing": missing, "hidden_layer_sizes": 8, "learning_rate_init": 0.03}
    estimators = [GRUClassifier(max_iter=20, **options), GRURegressor(max_iter=60, **options)]
    return [pair for e in estimators for pair in estimator_checks.estimator_checks_generator(e)]


# Those of missing="error" are run in `test_outliers.py`, together with robust scaling.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "check"), checks_to_run("indicator"), ids=id_of)
def test_check_of_scikit_learn(estimator, check):
    run_check(estimator, check)


def test_infinity_is_checked_too_where_nan_is_refused():
    decay, indicator, error = (
        {name_of(check) for _, check in checks_to_run(m)} for m in ("decay", "indicator", "error")
    )
    assert decay == indicator == error - {"check_estimators_nan_inf"} != error
    X, y = ragged_with_holes()
    X[3][0, 1] = -np.inf
    for missing in ("decay", "indicator"):
        with pytest.raises(ValueError, match=r"infinity.*sequence 3, step 0, feature 1"):
            small(GRUClassifier, missing=missing).fit(X, y)
