"""Inputs of rows of tables: numbers and categories side by side, and sparse rows."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skgru._nn.batch import Batch
from skgru._nn.part import Run, StackInputGradients
from skgru._nn.rows import Categories, Rows, SparseRows
from tests import naive
from tests.parts import random_parameters, unwritten

RUN = Run(Batch(np.array([1] * 4)))
NUMBERS = np.random.RandomState(0).normal(size=(4, 2))
CODES = np.array([[1, 2], [3, 0], [0, 4], [3, 2]])


def read(part, p, codes=CODES, numbers=NUMBERS):
    (x, gaps), cache = part.forward(p, Rows(numbers, codes), RUN)
    assert gaps is None
    return x, cache


@pytest.mark.parametrize(
    "categories",
    [((3, None), (4, None)), ((3, None), (4, 2)), ((3, 3), (4, 2)), ((3, 1), (4, None))],
    ids=str,
)
def test_rows_are_read_as_in_the_naive_equations(categories):
    part = Categories(2, categories)
    p = random_parameters(part, np.random.RandomState(1))
    x, _ = read(part, p)
    embedding = {f"embedding.{name}": array for name, array in p.items()}
    expected = [naive.row(embedding, *row, categories) for row in zip(NUMBERS, CODES, strict=True)]
    assert_array_equal(x, expected)
    assert x.shape == (4, part.n_outputs)


def test_categories_are_one_at_their_place_and_the_unknown_one_is_zero_everywhere():
    x, _ = read(Categories(0, [(3, None)]), {}, np.array([[1], [3], [0]]), np.zeros((3, 0)))
    assert_array_equal(x, [[1, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_vectors_are_looked_up_with_that_of_the_unknown_category_first():
    part = Categories(1, [(2, 3)])
    assert part.shapes() == {"weights_0": (3, 3)}
    weights = np.arange(9.0).reshape(3, 3)
    x, _ = read(part, {"weights_0": weights}, np.array([[2], [0]]), np.array([[7.0], [8.0]]))
    assert_array_equal(x, [[7, 6, 7, 8], [8, 0, 1, 2]])


def test_without_categories_the_numbers_are_read_as_they_are():
    part = Categories(2, ())
    assert part.shapes() == {}
    assert not part.needs_dx
    x, _ = read(part, {}, np.zeros((4, 0), np.intp))
    assert_array_equal(x, NUMBERS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_keep_the_type_of_their_numbers(dtype):
    part = Categories(2, [(3, None), (4, 2)])
    p = {name: np.ones(shape, dtype) for name, shape in part.shapes().items()}
    x, _ = read(part, p, numbers=NUMBERS.astype(dtype))
    assert x.dtype == dtype


def test_gradients_equal_central_differences(check_gradient):
    rng = np.random.RandomState(1)
    part = Categories(2, [(3, 2), (3, None), (4, 3)])
    assert part.needs_dx
    p, numbers = random_parameters(part, rng), NUMBERS.copy()
    codes = np.column_stack([CODES[:, 0], CODES[::-1, 0], CODES[:, 1]])
    projection = rng.normal(size=(4, part.n_outputs))
    _, cache = read(part, p, codes, numbers)

    def loss():
        return np.sum(projection * read(part, p, codes, numbers)[0])

    dx = part.backward(p, StackInputGradients(projection, None), cache, g := unwritten(part), RUN)
    assert set(p) == {"weights_0", "weights_2"}
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, numbers, dx[:, :2], "numbers")
    assert_array_equal(g["weights_0"][2], 0)  # no row has it


def test_without_vectors_no_gradient_of_the_inputs_is_needed():
    part = Categories(2, [(3, None)])
    assert not part.needs_dx
    assert part.backward({}, StackInputGradients(None, None), CODES, {}, RUN) is None


def test_vectors_start_at_about_unit_length_but_that_of_the_unknown_category_at_zero():
    part = Categories(0, [(500, 6), (3, None), (500, 24)])
    p = unwritten(part)
    part.initialize(p, np.random.RandomState(0))
    for weights in p.values():
        assert_array_equal(weights[0], 0)
        assert np.mean(np.sum(weights[1:] ** 2, axis=1)) == pytest.approx(1, abs=0.05)


def test_sparse_rows_are_read_as_they_are_and_hold_little():
    part = SparseRows(1000)
    matrix = sparse.random(5, 1000, density=0.01, format="csr", random_state=0)
    (x, gaps), _ = part.forward({}, matrix, RUN)
    assert x is matrix
    assert gaps is None
    assert part.n_outputs == 1000
    assert part.numbers_per_step < 10
    assert not part.needs_dx
