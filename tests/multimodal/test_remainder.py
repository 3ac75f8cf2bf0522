"""The branch of the columns that no other one names."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skgru import SeriesBranch, TableBranch
from skgru._compat import InvalidParameterError
from tests.multimodal.samples import ESTIMATORS, SERIES, frame

X, Y = frame()
REST = X.drop(columns="note")


def network(estimator_class, **parameters):
    branches = [("monitor", SeriesBranch(hidden_layer_sizes=4), SERIES)]
    return estimator_class(branches, max_iter=3, random_state=0, **parameters)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_it_reads_what_a_branch_of_its_name_would(estimator_class):
    said = network(estimator_class)
    said.branches += [("rest", TableBranch(), ["age", "ward"])]
    model = network(estimator_class, remainder=TableBranch()).fit(REST, Y)
    assert [(name, columns) for name, _, columns in model.branches_] == [
        ("monitor", (0, 1)),
        ("remainder", (2, 3)),
    ]
    assert_array_equal(model.predict(REST), said.fit(REST, Y).predict(REST))
    assert list(model.named_branches_.remainder.categories_) == ["ward"]
    assert [*model.output_indices_] == ["monitor", "remainder"]


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_it_is_left_out_where_no_column_is_left(estimator_class):
    series = X[SERIES]
    model = network(estimator_class, remainder=TableBranch()).fit(series, Y)
    assert model.branches_[1][2] == ()
    assert [*model.named_branches_] == ["monitor"]
    alone = network(estimator_class).fit(series, Y)
    assert_array_equal(model.predict(series), alone.predict(series))
    warm = model.set_params(warm_start=True).fit(series, Y)
    assert warm.branches_[1][2] == ()


def test_columns_of_a_dropped_branch_are_not_among_them():
    branches = [("monitor", SeriesBranch(), SERIES), ("patient", "drop", ["age"])]
    model = ESTIMATORS[0](branches, remainder=TableBranch(), max_iter=1).fit(REST, Y)
    assert model.branches_[2][2] == (3,)


def test_its_parameters():
    model = network(ESTIMATORS[0], remainder=TableBranch())
    model.set_params(remainder__hidden_layer_sizes=(3,))
    assert clone(model).get_params()["remainder__hidden_layer_sizes"] == (3,)
    of_rest = model.fit(REST, Y).output_indices_["remainder"]
    assert of_rest.stop - of_rest.start == 3
    with pytest.raises(InvalidParameterError, match="Branch 'remainder': The 'scaling' parameter"):
        model.set_params(remainder__scaling="no").fit(REST, Y)


def test_training_goes_on_with_the_same_remainder_only():
    model = network(ESTIMATORS[0], remainder=TableBranch(), warm_start=True).fit(REST, Y)
    assert len(model.fit(REST, Y).loss_curve_) > 3
    with pytest.raises(ValueError, match=r"expected .*remainder \(TableBranch\), got monitor"):
        model.set_params(remainder="drop").fit(REST, Y)
    assert np.isfinite(model.predict_proba(REST)).all()
