"""Stacks of dense layers over rows of tables, and what dropout leaves of their inputs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skgru._nn.batch import Batch
from skgru._nn.dropout import Dropout, DropoutRates
from skgru._nn.feedforward import FeedForward, RowStack, Wide, drop
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.part import OutputGradients, Run
from tests import naive

D, K = 3, 2
BATCH = Batch(np.array([1, 1, 1, 1, 0, 0]))  # four samples have a row
SIZES = pytest.mark.parametrize("sizes", [(), (4,), (4, 2)], ids=str)
AS = pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csr_array])


def parameters_of(layers, rng):
    shapes = {
        f"{name}.{array}": shape
        for name, layer in layers.items()
        for array, shape in layer.shapes().items()
    }
    return Parameters(shapes, rng.normal(size=size_of(shapes)))


def unwritten(p):
    return Parameters(p.shapes, np.full_like(p.vector, np.nan))


def dropout(seed=0, rate=0.4):
    return Dropout(DropoutRates(inputs=rate), (seed,), BATCH.n_sequences)


def feed_forward(sizes):
    rng = np.random.RandomState(0)
    layers = FeedForward(D, sizes, "a.")
    return layers, parameters_of(layers.layers, rng), rng.normal(size=(4, D))


# FeedForward


@SIZES
@AS
def test_outputs_are_those_of_the_naive_equations(sizes, make):
    layers, p, x = feed_forward(sizes)
    assert list(layers.layers) == [f"a.hidden_{i}" for i in range(len(sizes))]
    assert layers.n_outputs == [D, *sizes][-1]
    y, _ = layers.forward(p, make(x), None)
    y = y.toarray() if sparse.issparse(y) else y
    expected = [naive.rectified_layers(naive.part_of(p, "a"), row) for row in x]
    assert_allclose(y, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("drops", [False, True])
@SIZES
def test_gradients_equal_central_differences(check_gradient, sizes, drops):
    layers, p, x = feed_forward(sizes)
    d = np.random.RandomState(1).normal(size=(4, layers.n_outputs))

    def run():
        return layers.forward(p, x, dropout() if drops else None)

    y, caches = run()
    if drops and sizes:
        assert (y != layers.forward(p, x, None)[0]).any()
    given = d.copy()
    dx = layers.backward(p, given, caches, g := unwritten(p))
    assert_array_equal(given, d)
    for name in p:
        check_gradient(lambda: np.sum(d * run()[0]), p[name], g[name], name)
    check_gradient(lambda: np.sum(d * run()[0]), x, dx, "x")


@pytest.mark.parametrize("drops", [False, True])
def test_gradients_over_sparse_rows_are_those_over_the_same_rows_when_dense(drops):
    layers, p, x = feed_forward((4, 2))
    x[np.random.RandomState(2).uniform(size=x.shape) < 0.5] = 0
    d = np.ones((4, 2))
    _, caches = layers.forward(p, sparse.csr_matrix(x), dropout() if drops else None)
    layers.backward(p, d, caches, g := unwritten(p), need_dx=False)
    if drops:
        left, _ = drop(sparse.csr_matrix(x), masks := dropout())
        _, bottom = layers.layers["a.hidden_0"].forward(p.section("a.hidden_0"), left.toarray())
        y, mask = drop(bottom.y, masks)
        _, top = layers.layers["a.hidden_1"].forward(p.section("a.hidden_1"), y)
        caches = [(None, bottom), (mask, top)]
    else:
        _, caches = layers.forward(p, x, None)
    layers.backward(p, d, caches, expected := unwritten(p))
    assert_allclose(g.vector, expected.vector, rtol=0, atol=1e-13)


@SIZES
def test_the_gradient_of_the_inputs_is_returned_only_if_asked_for(sizes):
    layers, p, x = feed_forward(sizes)
    _, caches = layers.forward(p, x, None)
    d = np.ones((4, layers.n_outputs))
    layers.backward(p, d, caches, g := unwritten(p))
    dx = layers.backward(p, d, caches, g_2 := unwritten(p), need_dx=False)
    assert_array_equal(g.vector, g_2.vector)
    assert dx is (None if sizes else d)


# Dropout


def test_without_dropout_nothing_is_left_out_and_nothing_copied():
    x = np.ones((3, 2))
    for none in (None, dropout(rate=0.0)):
        assert drop(x, none)[0] is x
        assert drop(x, none)[1] is None


def test_what_is_left_of_an_array_is_it_times_the_mask():
    x = np.random.RandomState(0).normal(size=(50, 20))
    y, mask = drop(x, dropout())
    assert_array_equal(y, x * mask)
    assert_array_equal(mask, dropout().of_inputs(x))
    assert np.mean(mask == 0) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_of_a_sparse_matrix_only_numbers_that_it_holds_are_left_out(make):
    x = make(sparse.random(50, 40, density=0.3, random_state=0))
    before = x.copy()
    y, mask = drop(x, dropout())
    assert mask is None
    assert (x != before).nnz == 0
    ratio = y.data / x.data
    assert_allclose(np.unique(ratio.round(12)), [0, 1 / 0.6], rtol=1e-10)
    assert np.mean(ratio == 0) == pytest.approx(0.4, abs=0.05)


# Wide


def test_a_wide_layer_starts_at_zero():
    layer = Wide(D, K)
    p = {name: np.full(shape, np.nan) for name, shape in layer.shapes().items()}
    assert set(p) == {"weights", "bias"}
    layer.initialize(p, np.random.RandomState(0))
    for array in p.values():
        assert_array_equal(array, 0)


# RowStack


def row_stack(sizes, n_raw=None):
    rng = np.random.RandomState(0)
    stack = RowStack(D, sizes, "a.", n_raw)
    return stack, parameters_of(stack.layers, rng), rng.normal(size=(4, D))


@pytest.mark.parametrize("n_raw", [None, K])
@SIZES
def test_a_row_has_its_outputs_and_a_sample_without_one_has_zeros(sizes, n_raw):
    stack, p, x = row_stack(sizes, n_raw)
    (outputs, finals), _ = stack.forward(p, x, Run(BATCH))
    expected = [naive.outputs_of_row(naive.part_of(p, "a"), row) for row in x]
    assert stack.n_outputs == (n_raw or [D, *sizes][-1])
    assert_allclose(outputs.y, expected, rtol=0, atol=1e-13)
    assert_array_equal(outputs.last[:4], outputs.y)
    assert_array_equal(outputs.last[4:], np.zeros((2, stack.n_outputs)))
    assert finals == stack.initial_states(6, x.dtype) == []


def test_without_a_single_row_there_are_zeros_and_no_gradient():
    stack, p, _ = row_stack((4,))
    run = Run(Batch(np.array([0, 0])))
    (outputs, _), caches = stack.forward(p, np.zeros((0, D)), run)
    assert_array_equal(outputs.last, np.zeros((2, 4)))
    stack.backward(p, OutputGradients(None, np.ones((2, 4))), caches, g := unwritten(p), run)
    assert_array_equal(g.vector, 0)


@pytest.mark.parametrize("reads", ["rows", "last", "both"])
def test_gradients_reach_rows_however_their_outputs_are_read(check_gradient, reads):
    stack, p, x = row_stack((4,), K)
    rng = np.random.RandomState(1)
    dy = None if reads == "last" else rng.normal(size=(4, K))
    d_last = None if reads == "rows" else rng.normal(size=(6, K))
    run = Run(BATCH, dropout())
    (_, _), caches = stack.forward(p, x, run)
    dx, d_gaps = stack.backward(p, OutputGradients(dy, d_last), caches, g := unwritten(p), run)
    assert d_gaps is None

    def loss():
        (outputs, _), _ = stack.forward(p, x, Run(BATCH, dropout()))
        of_rows = 0 if dy is None else np.sum(dy * outputs.y)
        return of_rows + (0 if d_last is None else np.sum(d_last * outputs.last))

    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


def test_a_pass_holds_the_outputs_of_all_layers_with_a_cache_twice():
    stack, *_ = row_stack((4, 2), K)
    assert stack.numbers_per_step(need_cache=False) == 4 + 2 + K
    assert stack.numbers_per_step(need_cache=True) == 2 * (4 + 2 + K)
