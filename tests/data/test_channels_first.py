"""Arrays with the channels first are told, and tables that belong elsewhere are sent there."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgru import (
    GRUClassifier,
    make_sequences,
)
from tests.containers import lists, objects, pa
from tests.datasets import ESTIMATORS, small
from tests.forms_of_x import pandas_of_arrays

WIDE = np.random.default_rng(0).normal(size=(6, 3, 7))  # 3 steps of 7 features, or 7 of 3 channels
Y = [0, 1, 0, 1, 0, 1]
TRANSPOSE = r"X has 7 features at each of 3 steps: .*aeon, sktime and tsai .*{}"
OF_LISTS = r"\[x.T for x in X\]"
OF_ARRAYS = r"np.transpose\(X, \(0, 2, 1\)\)"
SAID = {
    "array": (WIDE, OF_ARRAYS),
    "float32": (WIDE.astype("f4"), OF_ARRAYS),
    "list": (list(WIDE), OF_LISTS),
    "tuple": (tuple(WIDE), OF_LISTS),
    "lists": (lists(WIDE), OF_ARRAYS),
    "objects": (objects(WIDE), OF_LISTS),
    "Series": (pd.Series(list(WIDE)), OF_LISTS),
}


@pytest.mark.parametrize(("X", "example"), SAID.values(), ids=SAID)
def test_more_features_than_steps_are_told_once_in_fit(X, example):
    for estimator_class in ESTIMATORS:
        with pytest.warns(UserWarning, match=TRANSPOSE.format(example)) as caught:
            model = small(estimator_class).fit(X, Y)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict(X)
            model.score(X, Y)


def test_further_fits():
    model = small(GRUClassifier, learning_rate="constant")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.partial_fit(WIDE, Y, classes=[0, 1])
        assert len(caught) == 1
        model.partial_fit(WIDE, Y)
        assert len(caught) == 1
        small(GRUClassifier, early_stopping=True).fit(WIDE, Y, X_val=WIDE, y_val=Y)
        assert len(caught) == 2


UNSAID = {
    "more steps": WIDE.transpose(0, 2, 1),
    "as many": WIDE[:, :, :3],
    "list of more steps": list(WIDE.transpose(0, 2, 1)),
    "unequal lengths": [*WIDE[:5], WIDE[5, :2]],
    "two dimensions": WIDE[:, 0],
    "one feature": WIDE[:, :, :1],
    "frames": [pd.DataFrame(x) for x in WIDE],
    "frames of polars": [pl.DataFrame(x) for x in WIDE],
    "a column": pd.DataFrame({"a": list(WIDE)}),
    "cells": pandas_of_arrays(list(WIDE)),
    "columns of steps": pl.DataFrame({f"f{j}": WIDE[:, :, j].tolist() for j in range(7)}),
}


@pytest.mark.parametrize("X", UNSAID.values(), ids=UNSAID)
def test_all_other_x_is_left_alone(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for estimator_class in ESTIMATORS:
            small(estimator_class).fit(X, Y).predict(X)


def test_parameters_say_where_the_features_are():
    stamped = WIDE.copy()
    stamped[:, :, 0] = np.arange(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(GRUClassifier, time_feature=0).fit(stamped, Y)
        small(GRUClassifier, features_per_step=7).fit(WIDE, Y)
    with pytest.warns(UserWarning, match="features_per_step=7 says so"):
        small(GRUClassifier).fit(WIDE, Y)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_channels_of_unequal_lengths(n_channels):
    X = [np.ones((n_channels, 4)), np.ones((n_channels, 6)), np.ones((n_channels, 4))]
    for given in (X, objects(X), lists(X)):
        message = rf"but sequence 1 has 6. Arrays with the channels first, .*transposed, {OF_LISTS}"
        with pytest.raises(ValueError, match=message):
            small(GRUClassifier).fit(given, [0, 1, 0])
    ragged = [np.ones((n_channels, 4)), np.ones((n_channels + 1, 6))]
    with pytest.raises(ValueError, match=r"but sequence 1 has 6\.$"):
        small(GRUClassifier).fit(ragged, [0, 1])


# --- Long tables ---------------------------------------------------------------------------------

LONG = pd.DataFrame(
    {"run": [0, 0, 1], "hour": [0, 1, 0], "heat": [1.0, 2.0, 3.0], "age": [4.0] * 3}
)
SENT = r"make_sequences\(table, sample='id', time='time'\)"


@pytest.mark.parametrize(
    "X",
    [
        LONG.groupby("run"),
        LONG.groupby("run")["heat"],
        pl.from_pandas(LONG).group_by("run"),
        LONG.set_index(["run", "hour"]),
        LONG.set_index(["run", "hour"])["heat"],
    ],
    ids=["GroupBy", "SeriesGroupBy", "GroupBy of polars", "MultiIndex", "Series of a MultiIndex"],
)
def test_long_tables_are_sent_to_make_sequences(X):
    for estimator_class in ESTIMATORS:
        with pytest.raises((ValueError, TypeError), match=SENT):
            small(estimator_class).fit(X, [0, 1, 0])


def test_a_table_of_steps_with_a_target_for_each_sample_is_sent_there():
    for table in (LONG, pl.from_pandas(LONG)):
        with pytest.raises(ValueError, match=SENT):
            small(GRUClassifier).fit(table, [0, 1])


@pytest.mark.parametrize("library", ["pandas", "polars", "Arrow"])
def test_columns_beside_sequences_are_sent_to_a_branch(library):
    table = {
        "pandas": LONG,
        "polars": pl.from_pandas(LONG),
        "Arrow": pa.Table.from_pandas(LONG, preserve_index=False),
    }[library]
    X = make_sequences(table, "run", "hour", static=["age"])
    for estimator_class in ESTIMATORS:
        message = (
            r"only \['hour', 'heat'\] do\. Columns with one value .* TableBranch of Multimodal"
        )
        with pytest.raises(ValueError, match=message):
            small(estimator_class).fit(X, [0, 1])
