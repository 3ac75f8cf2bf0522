"""What of the graphs of ONNX needs no package onnx; tests/parity runs them."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import FunctionTransformer

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRURegressor,
    SequenceVectorizer,
    TableBranch,
)
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._onnx import outputs, pooling_graph, recurrence
from skgru.interop import onnx_inputs, register_skl2onnx, to_onnx

FIT = {"max_iter": 1, "random_state": 0, "early_stopping": False}
NAN = np.nan


@pytest.mark.parametrize(
    ("package", "extra", "act"),
    [
        ("onnx", "onnx", lambda: to_onnx(GRURegressor(2, **FIT).fit([[1.0], [2.0]], [1, 2]))),
        ("skl2onnx", "skl2onnx", register_skl2onnx),
    ],
)
def test_what_needs_a_package_names_its_extra(package, extra, act, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"skgru\[{extra}\]"):
        act()


def test_all_cells_poolings_and_losses_are_known():
    assert {*recurrence.CELLS} == {*CELLS.values()}
    assert {*pooling_graph.POOLINGS} == {*POOLINGS.values()}
    assert {*outputs.ESTIMATES} == {*NUMBER_LOSSES.values()}


def test_sequences_are_padded_with_nan():
    X = [np.array([[1.0, 2.0]]), np.array([[3.0, NAN], [5.0, 6.0]]), np.empty((0, 2))]
    reg = GRURegressor(2, **FIT).fit(X, [1, 2, 3])
    inputs = onnx_inputs(reg, X)
    nothing = [NAN, NAN]
    expected = [[[1, 2], nothing], [[3, NAN], [5, 6]], [nothing, nothing]]
    assert_array_equal(inputs["X"], expected)
    assert_array_equal(inputs["lengths"], [1, 2, 0])
    assert (inputs["X"].dtype, inputs["lengths"].dtype) == (np.float64, np.int64)


def test_there_may_be_no_step():
    reg = GRURegressor(2, **FIT).fit([[[1.0]], [[2.0], [3.0]]], [1, 2])
    assert onnx_inputs(reg, [np.empty((0, 1))])["X"].shape == (1, 0, 1)


def test_ids_are_padded_with_zeros():
    texts = ["a b a", "b", "a a"]
    tokens = SequenceVectorizer(token_pattern=r"\w").fit(texts)
    reg = GRURegressor(2, **FIT).fit(tokens.transform(texts), [1, 2, 3])
    inputs = onnx_inputs(reg, tokens.transform(["b a", "never b"]))
    assert inputs["X"].dtype == np.int64
    assert_array_equal(inputs["X"][0, :2] > 0, [True, True])
    assert_array_equal(inputs["lengths"], [2, 6])


def test_rows_of_a_table_stay_rows():
    X = np.array([[1.0, 2.0, NAN], [4.0, 5.0, 6.0]])
    reg = GRURegressor(2, **FIT).fit(X, [1, 2])
    assert_array_equal(onnx_inputs(reg, X)["X"], X)
    assert [*onnx_inputs(reg, X)] == ["X"]
    assert_array_equal(onnx_inputs(reg, [[1.0]])["X"], [[1, NAN, NAN]])


def test_tables_are_numbers_and_texts():
    X = pd.DataFrame({"size": [1.5, NAN, NAN], "kind": ["a", "b", None], "old": [True, None, None]})
    reg = MultimodalGRURegressor([("row", TableBranch(), list(X))], **FIT).fit(X[:2], [1.0, 2.0])
    inputs = onnx_inputs(reg, X)
    assert_array_equal(inputs["row"], [[1.5], [NAN], [NAN]])
    assert inputs["row__categories"].tolist() == [["a", "True"], ["b", ""], ["", ""]]


def test_whole_numbers_are_texts_without_a_point():
    X = pd.DataFrame({"grade": pd.Categorical([1, 2, 1]), "share": pd.Categorical([0.5, 1, 1])})
    reg = MultimodalGRURegressor([("row", TableBranch(), list(X))], **FIT).fit(X, [1.0, 2.0, 3.0])
    X.loc[2, "grade"] = None
    assert onnx_inputs(reg, X)["row__categories"].tolist() == [["1", "0.5"], ["2", "1"], ["", "1"]]


def test_an_empty_text_is_refused_that_stands_for_a_missing_category():
    X = pd.DataFrame({"kind": ["a", "b", None]})
    reg = MultimodalGRURegressor([("row", TableBranch(), ["kind"])], **FIT).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="Branch 'row': Column 'kind' holds the category ''"):
        onnx_inputs(reg, pd.DataFrame({"kind": ["a", ""]}))


def test_a_row_without_a_value_of_a_sample_that_is_there_is_refused():
    X = pd.DataFrame({"a": [1.0, NAN, 2.0], "b": [1.0, 2.0, 3.0]})
    first = FunctionTransformer(lambda X: X[["a"]])
    reg = MultimodalGRURegressor([("row", TableBranch(first), ["a", "b"])], **FIT).fit(X, [1, 2, 3])
    assert_array_equal(onnx_inputs(reg, X[:1])["row"], [[1.0]])
    with pytest.raises(ValueError, match="Branch 'row': The transformer returned no value"):
        onnx_inputs(reg, X)


def test_what_an_estimator_refuses_is_refused():
    clf = GRUClassifier(2, **FIT).fit([[[1.0]], [[2.0], [3.0]]], [0, 1])
    with pytest.raises(ValueError, match="infinity"):
        onnx_inputs(clf, [[[np.inf]]])
    with pytest.raises(ValueError, match="1 features per step"):
        onnx_inputs(clf, [np.zeros((2, 3))])
