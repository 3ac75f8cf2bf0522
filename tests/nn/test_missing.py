"""The layers for missing values, one by one: how inputs and states decay, and all gradients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Arena, Batch
from skgru._nn.missing import ObservedInputs, StateDecay
from skgru._nn.part import LayerRun, Run, StackInputGradients
from tests import naive
from tests.parts import random_parameters, unwritten

D, H, S = 3, 4, 6
KINK = 0.02  # derivatives are checked where the arguments of max(0, ·) are at least so far from 0
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
DIRECTIONS = pytest.mark.parametrize("n_directions", [1, 2], ids=["onward", "both"])
PATCHES = pytest.mark.parametrize("patch_size", [1, 3])
MASKS = pytest.mark.parametrize("reads_mask", [False, True], ids=["values", "mask"])


def raw_sequence(n_steps, rng, share_missing=0.5):
    """Return values (T, D), NaN where nothing was seen, and the times of the steps."""
    x = rng.normal(size=(n_steps, D))
    x[rng.uniform(size=x.shape) < share_missing] = np.nan
    return x, np.cumsum(rng.uniform(0.2, 2, n_steps))


# What the tests hold the layers to: m, the values last seen and δ of a sequence


def test_time_counts_from_the_step_at_which_a_feature_was_last_seen():
    """The example of Che et al., figure 2, with a third feature that is never seen."""
    x = np.array(
        [
            [47, np.nan, np.nan],
            [49, 15, np.nan],
            [np.nan, 14, np.nan],
            [40, np.nan, np.nan],
            [np.nan, np.nan, np.nan],
            [43, np.nan, np.nan],
            [55, 15, np.nan],
        ]
    )
    times = np.array([0, 0.1, 0.6, 1.6, 2.2, 2.5, 3.1])
    mask, values, gaps = naive.seen(x, times)
    assert_array_equal(mask[:, :2].T, [[1, 1, 0, 1, 0, 1, 1], [0, 1, 1, 0, 0, 0, 1]])
    expected = [[0, 0.1, 0.5, 1.5, 0.6, 0.9, 0.6], [0, 0.1, 0.5, 1.0, 1.6, 1.9, 2.5], times]
    assert_allclose(gaps.T, expected, rtol=0, atol=1e-15)
    assert_array_equal(
        values.T, [[47, 49, 49, 40, 40, 43, 55], [0, 15, 14, 14, 14, 14, 15], np.zeros(7)]
    )

    same, values, gaps = naive.seen_from_the_end(x, times)
    assert_array_equal(same, mask)
    expected = [[0.1, 1.5, 1.0, 0.9, 0.3, 0.6, 0], [0.1, 0.5, 2.5, 1.5, 0.9, 0.6, 0], 3.1 - times]
    assert_allclose(gaps.T, expected, rtol=0, atol=1e-15)
    assert_array_equal(
        values.T, [[47, 49, 40, 40, 43, 43, 55], [15, 15, 14, 15, 15, 15, 15], np.zeros(7)]
    )


# Decay of states

RUN = LayerRun(Batch(np.array([0])))  # the way back does not look at the batch


def state_problem(seed=0):
    """Return a layer, random parameters and δ, both sides of the kink in view but not the kink."""
    rng = np.random.RandomState(seed)
    layer = StateDecay(D, H)
    p = random_parameters(layer, rng)
    gaps = rng.uniform(0, 3, size=(S, D))
    naive.leave_the_kink(p, gaps, rng, KINK)
    return layer, p, gaps, Batch(np.array([S]))


def test_what_is_left_of_states_is_as_in_the_naive_equation():
    layer, p, gaps, batch = state_problem()
    decay, _ = layer.forward(p, gaps, LayerRun(batch))
    a = gaps @ p["decay_weights"] + p["decay_bias"]
    assert (a > 0).any()
    assert (a < 0).any()
    for t, d in np.ndindex(S, H):
        expected = np.exp(-max(0, sum(gaps[t] * p["decay_weights"][:, d]) + p["decay_bias"][d]))
        assert decay[t, d] == pytest.approx(expected, rel=1e-14)
    assert_array_equal(decay[a < 0], 1)
    assert ((decay > 0) & (decay <= 1)).all()


def test_gradients_of_state_decay_equal_central_differences(check_gradient):
    layer, p, gaps, batch = state_problem()
    upstream = np.random.RandomState(1).normal(size=(S, H))

    def loss():
        return np.sum(upstream * layer.forward(p, gaps, LayerRun(batch))[0])

    _, cache = layer.forward(p, gaps, LayerRun(batch))
    d_gaps = layer.backward(p, upstream, cache, g := unwritten(layer), RUN)
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, gaps, d_gaps, "gaps")


@pytest.mark.parametrize("bias", [0.0, -0.5, -1e30])
def test_states_that_do_not_decay_have_no_gradient(bias):
    """Nor have they at the kink itself."""
    layer = StateDecay(D, H)
    p = {"decay_weights": np.zeros((D, H)), "decay_bias": np.full(H, bias)}
    gaps = np.ones((S, D))
    decay, cache = layer.forward(p, gaps, LayerRun(Batch(np.array([S]))))
    assert_array_equal(decay, 1)
    d_gaps = layer.backward(p, np.ones((S, H)), cache, g := unwritten(layer), RUN)
    for array in (d_gaps, *g.values()):
        assert_array_equal(array, 0)


@DTYPES
def test_nothing_is_left_of_states_after_a_huge_time(dtype):
    """And there is no warning, no NaN."""
    layer = StateDecay(D, H)
    p = {"decay_weights": np.ones((D, H), dtype), "decay_bias": np.zeros(H, dtype)}
    gaps = np.full((S, D), 1e30, dtype)
    decay, cache = layer.forward(p, gaps, LayerRun(Batch(np.array([S]))))
    d_gaps = layer.backward(p, np.ones((S, H), dtype), cache, g := unwritten(layer, dtype), RUN)
    for array in (decay, d_gaps, *g.values()):
        assert array.dtype == dtype
        assert_array_equal(array, 0)


def test_of_no_step_state_decay_has_no_gradient():
    layer, p, _, _ = state_problem()
    decay, cache = layer.forward(p, np.zeros((0, D)), LayerRun(Batch(np.array([0]))))
    assert decay.shape == (0, H)
    d_gaps = layer.backward(p, decay, cache, g := unwritten(layer), RUN)
    assert d_gaps.shape == (0, D)
    for array in g.values():
        assert_array_equal(array, 0)


def test_state_decay_changes_none_of_its_arguments_and_can_go_back_twice():
    layer, p, gaps, batch = state_problem()
    upstream = np.random.RandomState(1).normal(size=(S, H))
    for array in (gaps, upstream, *p.values()):
        array.flags.writeable = False
    _, cache = layer.forward(p, gaps, LayerRun(batch))
    for array in cache:
        array.flags.writeable = False
    first, second = unwritten(layer), unwritten(layer)
    assert_array_equal(
        layer.backward(p, upstream, cache, first, RUN),
        layer.backward(p, upstream, cache, second, RUN),
    )
    for name in p:
        assert_array_equal(first[name], second[name])


def test_state_decay_in_an_arena_is_the_same():
    layer, p, gaps, batch = state_problem()
    expected, _ = layer.forward(p, gaps, LayerRun(batch))
    decay, _ = layer.forward(p, gaps, LayerRun(Batch(np.array([S]), Arena())))
    assert_array_equal(decay, expected)


def test_at_first_about_half_of_the_states_decay():
    layer = StateDecay(20, 500)
    assert layer.shapes() == {"decay_weights": (20, 500), "decay_bias": (500,)}
    p = unwritten(layer)
    layer.initialize(p, np.random.RandomState(0))
    assert_array_equal(p["decay_bias"], 0)
    largest = np.abs(p["decay_weights"]).max()
    assert 0.99 / 20 < largest <= 1 / 20
    decay, _ = layer.forward(p, np.ones((1, 20)), LayerRun(Batch(np.array([1]))))
    assert 0.4 < np.mean(decay < 1) < 0.6


# Inputs


def read(layer, p, x):
    """Return the columns that are read, the times, and the cache."""
    (y, gaps), cache = layer.forward(p, x, Run(RUN.batch))
    return y, gaps, cache


def backward(layer, p, dy, d_gaps, cache, g):
    return layer.backward(p, StackInputGradients(dy, d_gaps), cache, g, Run(RUN.batch))


def observed_problem(n_directions, patch_size, reads_mask, seed=0):
    """Return a layer, random parameters, two sequences as each direction sees them, and columns."""
    rng = np.random.RandomState(seed)
    layer = ObservedInputs(
        D, patch_size=patch_size, n_directions=n_directions, reads_mask=reads_mask
    )
    p = random_parameters(layer, rng)
    sequences = [
        naive.seen_by_each(*raw_sequence(n * patch_size, rng), bidirectional=n_directions == 2)
        for n in (4, 2)
    ]
    x = naive.pack([naive.columns(directions, patch_size) for directions in sequences])
    gaps = naive.pack([naive.all_gaps(directions, patch_size) for directions in sequences])
    naive.leave_the_kink(p, gaps, rng, KINK)
    return layer, p, sequences, x, gaps


def as_real_numbers(x, rng):
    """Return columns that no sequence has: the mask, too, is any numbers; none is 0."""
    return rng.uniform(0.1, 2, x.shape) * rng.choice([-1, 1], x.shape)


def gaps_in(layer, x, patch_size):
    """Return which of the columns are δ, as rows of the network read them."""
    by_step = x.reshape(len(x), patch_size, -1)
    n = layer.n_directions
    by_direction = [by_step[:, :, (1 + n + i) * D : (2 + n + i) * D] for i in range(n)]
    return np.hstack([gaps.reshape(len(x), -1) for gaps in by_direction])


@MASKS
@PATCHES
@DIRECTIONS
def test_inputs_are_those_of_the_naive_equations(n_directions, patch_size, reads_mask):
    layer, p, sequences, x, gaps = observed_problem(n_directions, patch_size, reads_mask)
    assert x.shape == (6, layer.n_columns)
    y, found, _ = read(layer, p, x)
    assert_array_equal(found, gaps)
    assert layer.n_features == patch_size * D
    assert found.shape[1] == n_directions * layer.n_features

    named = {f"inputs.{name}": value for name, value in p.items()}
    expected = []
    for directions in sequences:
        columns, _ = naive.observed_inputs(
            named, directions, patch_size=patch_size, reads_mask=reads_mask
        )
        expected.append(np.hstack(columns) if n_directions == 2 else columns)
    assert y.shape == (6, n_directions * layer.n_outputs)
    assert_allclose(y, naive.pack(expected), rtol=1e-14)


@MASKS
@PATCHES
@DIRECTIONS
def test_gradients_of_inputs_equal_central_differences(
    check_gradient, n_directions, patch_size, reads_mask
):
    """Of columns of sequences, and of any numbers in their place."""
    for real in (False, True):
        layer, p, _, x, gaps = observed_problem(n_directions, patch_size, reads_mask)
        rng = np.random.RandomState(1)
        if real:
            x = as_real_numbers(x, rng)
            gaps = gaps_in(layer, x, patch_size)
            naive.leave_the_kink(p, gaps, rng, KINK)
        on_y = rng.normal(size=(len(x), n_directions * layer.n_outputs))
        on_gaps = rng.normal(size=gaps.shape)

        def loss(layer=layer, p=p, x=x, on_y=on_y, on_gaps=on_gaps):
            y, gaps, _ = read(layer, p, x)
            return np.sum(on_y * y) + np.sum(on_gaps * gaps)

        _, _, cache = read(layer, p, x)
        dx = backward(layer, p, on_y, on_gaps, cache, g := unwritten(layer))
        for name in p:
            check_gradient(loss, p[name], g[name], f"{name}, real={real}")
        check_gradient(loss, x, dx, f"x, real={real}")


@PATCHES
@DIRECTIONS
def test_what_was_seen_is_read_as_it_is_and_its_parameters_have_no_gradient(
    n_directions, patch_size
):
    rng = np.random.RandomState(0)
    layer, p, _, _, _ = observed_problem(n_directions, patch_size, True)
    x, times = raw_sequence(4 * patch_size, rng, share_missing=0)
    directions = naive.seen_by_each(x, times, bidirectional=n_directions == 2)
    y, gaps, cache = read(layer, p, naive.columns(directions, patch_size))
    values = naive.patches(x, patch_size)
    expected = np.hstack([values, np.ones_like(values)] * n_directions)
    assert_array_equal(y, expected)
    dy = rng.normal(size=y.shape)
    backward(layer, p, dy, np.zeros_like(gaps), cache, g := unwritten(layer))
    for array in g.values():
        assert_array_equal(array, 0)


@DIRECTIONS
def test_long_unseen_features_have_the_mean(n_directions):
    layer = ObservedInputs(D, patch_size=1, n_directions=n_directions, reads_mask=True)
    p = {name: np.ones(shape) for name, shape in layer.shapes().items()}
    n = n_directions * D
    x = np.hstack([np.zeros((2, D)), np.full((2, n), 7.0), np.full((2, n), 1e30)])
    y, _, cache = read(layer, p, x)
    assert_array_equal(y, 0)
    dx = backward(layer, p, np.ones_like(y), x[:, -n:], cache, unwritten(layer))
    assert np.isfinite(dx).all()


@DIRECTIONS
def test_a_feature_that_does_not_decay_keeps_its_value_last_seen(n_directions):
    """Nor has its decay a gradient, be it at the kink or beyond."""
    layer = ObservedInputs(D, patch_size=1, n_directions=n_directions, reads_mask=True)
    rng = np.random.RandomState(0)
    directions = naive.seen_by_each(*raw_sequence(6, rng), bidirectional=n_directions == 2)
    x = naive.columns(directions)
    for bias in (0.0, -1.0):
        p = {"decay_weights": np.zeros(n_directions * D), "decay_bias": np.zeros(n_directions * D)}
        p["decay_bias"] += bias
        y, gaps, cache = read(layer, p, x)
        expected = np.hstack([np.hstack([values, mask]) for mask, values, _ in directions])
        assert_array_equal(y, expected)
        on_gaps = rng.normal(size=gaps.shape)
        dx = backward(layer, p, np.ones_like(y), on_gaps, cache, g := unwritten(layer))
        assert_array_equal(dx[:, -n_directions * D :], on_gaps)
        for array in g.values():
            assert_array_equal(array, 0)


@PATCHES
@DIRECTIONS
def test_without_a_mask_to_read_there_are_no_parameters(n_directions, patch_size):
    layer = ObservedInputs(D, patch_size=patch_size, n_directions=n_directions, reads_mask=False)
    assert layer.shapes() == {}
    assert layer.n_outputs == patch_size * D
    layer = ObservedInputs(D, patch_size=patch_size, n_directions=n_directions, reads_mask=True)
    n = n_directions * patch_size * D
    assert layer.shapes() == {"decay_weights": (n,), "decay_bias": (n,)}
    assert layer.n_outputs == 2 * patch_size * D
    layer.initialize(p := unwritten(layer), np.random.RandomState(0))
    assert_array_equal(p["decay_bias"], 0)
    assert_allclose(np.exp(-1.4 * p["decay_weights"]), 0.5, rtol=0.01)


@MASKS
@PATCHES
@DIRECTIONS
def test_inputs_change_none_of_their_arguments_and_can_go_back_twice(
    n_directions, patch_size, reads_mask
):
    layer, p, _, x, gaps = observed_problem(n_directions, patch_size, reads_mask)
    rng = np.random.RandomState(1)
    dy = rng.normal(size=(len(x), n_directions * layer.n_outputs))
    d_gaps = rng.normal(size=gaps.shape)
    for array in (x, dy, d_gaps, *p.values()):
        array.flags.writeable = False
    _, _, cache = read(layer, p, x)
    first, second = unwritten(layer), unwritten(layer)
    dx = backward(layer, p, dy, d_gaps, cache, first)
    assert_array_equal(backward(layer, p, dy, d_gaps, cache, second), dx)
    for name in p:
        assert_array_equal(first[name], second[name])


@DTYPES
@MASKS
@PATCHES
@DIRECTIONS
def test_inputs_keep_their_type(n_directions, patch_size, reads_mask, dtype):
    layer, p, _, x, gaps = observed_problem(n_directions, patch_size, reads_mask)
    q = {name: value.astype(dtype) for name, value in p.items()}
    y, found, cache = read(layer, q, x.astype(dtype))
    dx = backward(
        layer, q, np.ones_like(y), np.ones_like(found), cache, g := unwritten(layer, dtype)
    )
    assert all(array.dtype == dtype for array in (y, found, dx, *g.values()))
    expected, _, _ = read(layer, p, x)
    assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert_allclose(found, gaps, rtol=1e-6)


@MASKS
@PATCHES
@DIRECTIONS
def test_of_no_step_inputs_have_no_gradient(n_directions, patch_size, reads_mask):
    layer, p, *_ = observed_problem(n_directions, patch_size, reads_mask)
    y, gaps, cache = read(layer, p, np.zeros((0, layer.n_columns)))
    assert y.shape == (0, n_directions * layer.n_outputs)
    assert gaps.shape == (0, n_directions * layer.n_features)
    dx = backward(layer, p, y, gaps, cache, g := unwritten(layer))
    assert dx.shape == (0, layer.n_columns)
    for array in g.values():
        assert_array_equal(array, 0)
