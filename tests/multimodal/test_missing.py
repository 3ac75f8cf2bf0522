"""Cells that are missing, in any branch, at fit and at predict; padding and the company in X."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import TableBranch, TokenBranch
from tests.datasets import assert_same_model
from tests.multimodal.samples import (
    BY_NAME,
    branches,
    classifier,
    frame,
    lists,
    series_branch,
    with_cell,
    with_column,
    without,
)

X, Y = frame()
COLUMNS = {name: [where] if name == "note" else where for name, where in BY_NAME.items()}
MISSING = {"None": None, "NaN": np.nan, "NA": pd.NA, "NaT": pd.NaT}
FUSIONS = pytest.mark.parametrize("fusion", ["concat", "gated"])
EMPTY = np.empty(0)


def with_holes():
    """Return X in which each branch misses in some rows, and some columns in others."""
    Z = without(X, ["note"], rows=[0, 1])
    Z = without(Z, ["pulse", "pressure"], np.nan, rows=[2, 3])
    Z = without(Z, ["age", "ward"], pd.NA, rows=[4, 5])
    Z = without(Z, ["pulse"], rows=[6])
    Z = without(Z, ["pressure"], pd.NA, rows=[7])
    Z = without(Z, ["age"], rows=[8])
    Z = without(Z, ["ward"], np.nan, rows=[9])
    Z = without(Z, ["note"], "", rows=[10])
    return without(Z, ["pulse", "pressure"], EMPTY, rows=[11])


HOLES = with_holes()


@pytest.fixture(scope="module")
def models():
    return {fusion: classifier(fusion=fusion).fit(X, Y) for fusion in ("concat", "gated")}


@pytest.mark.parametrize("value", MISSING)
@pytest.mark.parametrize("names", [*COLUMNS.values(), ["pulse"]], ids=repr)
def test_each_missing_value_means_the_same(names, value, models):
    rows = [0, 3, 4]
    expected = without(X, names, None, rows=rows)
    given = without(X, names, MISSING[value], rows=rows)
    p = models["gated"].predict_proba(given)
    assert_array_equal(p, models["gated"].predict_proba(expected))
    differs = (p != models["gated"].predict_proba(X)).any(axis=1)
    assert_array_equal(np.flatnonzero(differs), rows)
    assert_same_model(classifier(max_iter=1).fit(given, Y), classifier(max_iter=1).fit(expected, Y))


@pytest.mark.parametrize("value", [EMPTY, [], np.empty(0, int), None], ids=repr)
def test_an_empty_sequence_is_a_missing_one(value, models):
    given = without(X, ["pulse", "pressure"], value, rows=[2])
    expected = without(X, ["pulse", "pressure"], rows=[2])
    assert_array_equal(
        models["concat"].predict_proba(given), models["concat"].predict_proba(expected)
    )


def test_a_number_that_was_never_seen_in_training_is_never_read():
    given = [("patient", TableBranch(), ["age", "ward"])]
    model = classifier(given).fit(X.assign(age=np.nan), Y)
    p = model.predict_proba(X.assign(age=np.nan))
    assert np.isfinite(p).all()
    assert_array_equal(model.predict_proba(X), p)


def test_a_text_without_words_is_a_missing_one(models):
    p = models["gated"].predict_proba(without(X, ["note"], rows=[2]))
    assert_array_equal(models["gated"].predict_proba(without(X, ["note"], "", rows=[2])), p)


@FUSIONS
@pytest.mark.parametrize("value", [None, np.nan, "float", "empty"])
@pytest.mark.parametrize("branch", COLUMNS)
def test_a_branch_may_miss_in_all_samples_to_predict(branch, value, fusion, models):
    model, names = models[fusion], COLUMNS[branch]
    if value == "empty":
        given = without(X, names, "" if branch == "note" else EMPTY)
        if branch == "patient":
            return
    elif value == "float":
        given = X.assign(**dict.fromkeys(names, np.nan))
    else:
        given = without(X, names, value)
    expected = [model.predict_proba(without(X, names, rows=[i]))[i] for i in range(3)]
    assert_array_equal(model.predict_proba(given)[:3], expected)
    assert model.transform(given).shape == model.transform(X).shape


def test_all_branches_may_miss(models):
    p = models["gated"].predict_proba(without(X, X.columns, rows=range(24)))
    assert np.isfinite(p).all()
    assert (p == p[0]).all()


@pytest.mark.parametrize("value", [None, np.nan, "empty"])
@pytest.mark.parametrize("branch", COLUMNS)
def test_a_branch_that_no_sample_to_train_on_has_is_refused(branch, value):
    if value == "empty" and branch != "monitor":
        return
    given = without(X, COLUMNS[branch], EMPTY if value == "empty" else value)
    message = f"Branch '{branch}': no sample to train on has it, .* set it to 'drop'"
    with pytest.raises(ValueError, match=message):
        classifier().fit(given, Y)
    model = classifier().set_params(**{branch: "drop"}).fit(given, Y)
    assert model.predict(given).shape == (24,)


@FUSIONS
def test_missing_cells_at_fit(fusion):
    model = classifier(fusion=fusion).fit(HOLES, Y)
    assert np.isfinite(model.predict_proba(HOLES)).all()
    assert np.isfinite(model.loss_curve_).all()
    assert any(values.any() for n, values in model.parameters_.items() if "absence" in n)


def test_polars_and_its_nulls():
    made = {name: HOLES[name].tolist() for name in ("note", "age", "ward")}
    made = {n: [None if pd.isna(c) else c for c in cells] for n, cells in made.items()}
    for name in ("pulse", "pressure"):
        made[name] = [None if np.ndim(c) == 0 else np.asarray(c).tolist() for c in HOLES[name]]
    given = pl.DataFrame({name: made[name] for name in X})
    model, expected = classifier().fit(given, Y), classifier().fit(HOLES, Y)
    assert_same_model(model, expected)
    assert_array_equal(model.predict_proba(given), expected.predict_proba(HOLES))
    nothing = given.with_columns(pl.lit(None).alias("note"), pl.lit(None).alias("age"))
    assert np.isfinite(model.predict_proba(nothing)).all()


@FUSIONS
def test_a_sample_alone_is_predicted_as_among_others(fusion):
    model = classifier(fusion=fusion).fit(HOLES, Y)
    p = model.predict_proba(HOLES)
    alone = np.vstack([model.predict_proba(HOLES.iloc[[i]]) for i in range(24)])
    assert_allclose(alone, p, atol=1e-6)
    order = np.random.default_rng(0).permutation(24)
    assert_allclose(model.predict_proba(HOLES.iloc[order]), p[order], atol=1e-6)


@pytest.mark.parametrize("n_more", [1, 5])
def test_padding_of_series_does_not_matter(n_more):
    padded = X.copy()
    for name in COLUMNS["monitor"]:
        padded[name] = [np.r_[x, np.full(n_more, np.nan)] for x in X[name]]
    model = classifier().fit(X, Y)
    assert_same_model(classifier().fit(padded, Y), model)
    assert_array_equal(model.predict_proba(padded), model.predict_proba(X))


def test_padding_of_tokens_does_not_matter():
    given = [("codes", token_branch(), "codes"), *branches(names=["patient"])]
    codes = [np.arange(2, 3 + i % 4) for i in range(24)]
    padded = [np.r_[c, [0] * (1 + i % 3)] for i, c in enumerate(codes)]
    model = classifier(given).fit(X.assign(codes=codes), Y)
    assert_same_model(classifier(given).fit(X.assign(codes=padded), Y), model)
    assert_array_equal(
        model.predict_proba(X.assign(codes=lists(padded))),
        model.predict_proba(X.assign(codes=codes)),
    )


def token_branch():
    return TokenBranch(embedding_dim=3, hidden_layer_sizes=3)


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, [], np.empty(0, int)], ids=repr)
def test_tokens_may_miss(value):
    given = [("codes", token_branch(), "codes"), *branches(names=["patient"])]
    Z = X.assign(codes=[np.arange(2, 3 + i % 4) for i in range(24)])
    model = classifier(given).fit(with_cell(Z, 1, "codes", value), Y)
    p = model.predict_proba(with_cell(Z, 5, "codes", value))
    assert_array_equal(model.predict_proba(with_column(Z, "codes", value))[5], p[5])


def test_a_feature_that_misses_in_a_row_is_missing_at_all_of_its_steps():
    given = without(X, ["pressure"], rows=[3])
    expected = with_cell(X, 3, "pressure", np.full(len(X["pulse"][3]), np.nan))
    model = classifier(branches(names=["monitor"])).fit(given, Y)
    assert_same_model(model, classifier(branches(names=["monitor"])).fit(expected, Y))
    assert model.named_branches_["monitor"].has_missing_


def test_the_time_may_miss_only_with_the_whole_series():
    Z = X.assign(time=[np.arange(len(x)) * 2.0 for x in X["pulse"]])
    given = [
        ("monitor", series_branch(time_feature="time"), ["time", "pulse"]),
        ("patient", TableBranch(), ["age"]),
    ]
    model = classifier(given).fit(Z, Y)
    assert model.predict(without(Z, ["time", "pulse"], rows=[2])).shape == (24,)
    assert model.predict(without(Z, ["pulse"], rows=[2])).shape == (24,)
    with pytest.raises(ValueError, match=r"'monitor': Expected a time stamp .* in sequence 2"):
        model.predict(without(Z, ["time"], rows=[2]))
