"""Fusion: the outputs of branches, learned ones in place of absent ones, weights, hidden layers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.dropout import FusionDropout, FusionRates
from skgru._nn.fusion import Absence, Fusion, FusionInputs, Gate
from skgru._nn.parameters import Parameters, size_of
from skgru._spec import FusionSpec
from tests import naive
from tests.parts import random_parameters, unwritten

K = 2
WIDTHS = {"a": 3, "b": K, "c": 1}
# Of five samples: all, without each of the branches, and without any
PRESENT = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]], bool)
N = len(PRESENT)


# Absence


def absence():
    rng = np.random.RandomState(0)
    part = Absence(3)
    return part, random_parameters(part, rng), rng.normal(size=(N, 3)), PRESENT[:, 0]


def test_learned_numbers_stand_where_a_branch_is_absent():
    part, p, x, present = absence()
    y, _ = part.forward(p, (x, present))
    assert_array_equal(y[present], x[present])
    assert_array_equal(y[~present], [p["outputs"]] * 2)


def test_where_all_are_present_outputs_and_gradients_pass_as_they_are():
    part, p, x, present = absence()
    y, cache = part.forward(p, (x, np.ones_like(present)))
    assert y is x
    dx = part.backward(p, y, cache, g := unwritten(part))
    assert dx is y
    assert_array_equal(g["outputs"], 0)


def test_gradients_of_absence_equal_central_differences(check_gradient):
    part, p, x, present = absence()
    d = np.random.RandomState(1).normal(size=x.shape)
    _, cache = part.forward(p, (x, present))
    dx = part.backward(p, d, cache, g := unwritten(part))

    def loss():
        return np.sum(d * part.forward(p, (x, present))[0])

    check_gradient(loss, p["outputs"], g["outputs"], "outputs")
    check_gradient(loss, x, dx, "x")


# Gate


def gate():
    rng = np.random.RandomState(0)
    part = Gate(4, 3)
    return part, random_parameters(part, rng), rng.normal(size=(N, 4))


def test_weights_of_the_branches_that_a_sample_has_sum_to_one_and_the_others_are_zero():
    part, p, x = gate()
    weights, _ = part.forward(p, (x, PRESENT))
    assert_allclose(weights.sum(axis=1), [1, 1, 1, 1, 0], rtol=1e-14)
    assert_array_equal(weights > 0, PRESENT)


def test_weights_are_the_softmax_of_an_affine_map():
    part, p, x = gate()
    weights, _ = part.forward(p, (x, PRESENT))
    for x_i, present, found in zip(x, PRESENT, weights, strict=True):
        shares = present * np.exp(x_i @ p["weights"] + p["bias"])
        assert_allclose(found, shares / (shares.sum() or 1), rtol=1e-13)


def test_weights_start_equal():
    part, p, x = gate()
    part.initialize(p, np.random.RandomState(0))
    weights, _ = part.forward(p, (x, PRESENT))
    assert_allclose(weights, PRESENT / np.maximum(PRESENT.sum(axis=1, keepdims=True), 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_are_finite_however_large_the_scores(dtype):
    part, p, x = gate()
    p = {name: (1e6 * array).astype(dtype) for name, array in p.items()}
    weights, cache = part.forward(p, (x.astype(dtype), PRESENT))
    assert weights.dtype == dtype
    assert_array_equal(weights.max(axis=1), [1, 1, 1, 1, 0])
    dx = part.backward(p, weights, cache, unwritten(part, dtype))
    assert dx.dtype == dtype
    assert np.isfinite(dx).all()


def test_gradients_of_the_gate_equal_central_differences(check_gradient):
    part, p, x = gate()
    d = np.random.RandomState(1).normal(size=(N, 3))
    _, cache = part.forward(p, (x, PRESENT))
    dx = part.backward(p, d, cache, g := unwritten(part))

    def loss():
        return np.sum(d * part.forward(p, (x, PRESENT))[0])

    for name in p:
        check_gradient(loss, p[name], g[name], name)
    check_gradient(loss, x, dx, "x")


# The whole fusion


def problem(wide=(), **spec):
    """Return a fusion, random parameters and inputs; absent branches have outputs of zeros."""
    rng = np.random.RandomState(0)
    fusion = Fusion(WIDTHS, set(wide), FusionSpec(**spec), K)
    shapes = {
        f"{name}.{array}": shape
        for name, part in fusion.parts.items()
        for array, shape in part.shapes().items()
    }
    p = Parameters(shapes, rng.normal(size=size_of(shapes)))
    outputs = [
        rng.normal(size=(N, width)) * PRESENT[:, [j]] for j, width in enumerate(WIDTHS.values())
    ]
    return fusion, p, FusionInputs(outputs, PRESENT)


def naive_raw(p, inputs, wide=()):
    """Return the raw outputs; the parameters tell all but which branches are wide."""
    p = dict(p) | {f"{name}.wide.weights": None for name in wide}
    return [
        naive.fusion(
            p,
            {name: y[i] for name, y in zip(WIDTHS, inputs.outputs, strict=True)},
            [name for name, has in zip(WIDTHS, inputs.present[i], strict=True) if has],
        )
        for i in range(N)
    ]


KNOWS = pytest.mark.parametrize("knows_absence", [False, True], ids=["zeros", "absence"])
FUSIONS = pytest.mark.parametrize("fusion", ["concat", "gated"])
ABOVE = pytest.mark.parametrize("sizes", [(), (4,), (4, 3)], ids=str)
WIDE = pytest.mark.parametrize("wide", [(), ("b",)], ids=["deep", "wide"])


@KNOWS
@FUSIONS
@ABOVE
@WIDE
def test_raw_outputs_are_those_of_the_naive_equations(fusion, sizes, wide, knows_absence):
    whole, p, inputs = problem(
        wide, fusion=fusion, hidden_layer_sizes=sizes, knows_absence=knows_absence
    )
    raw, _ = whole.forward(p, inputs)
    assert_allclose(raw, naive_raw(p, inputs, wide), rtol=0, atol=1e-13)


@pytest.mark.parametrize("drops", [False, True])
@KNOWS
@FUSIONS
@ABOVE
@WIDE
def test_gradients_equal_central_differences(
    check_along_directions, fusion, sizes, wide, knows_absence, drops
):
    whole, p, inputs = problem(
        wide, fusion=fusion, hidden_layer_sizes=sizes, knows_absence=knows_absence
    )
    d_raw = np.random.RandomState(1).normal(size=(N, K))

    def run():
        return whole.forward(p, inputs, FusionDropout(FusionRates(0.3), (1,)) if drops else None)

    def loss():
        return np.sum(d_raw * run()[0])

    given = d_raw.copy()
    _, cache = run()
    g = Parameters(p.shapes, np.full_like(p.vector, np.nan))
    d_outputs = whole.backward(p, given, cache, g)
    assert_array_equal(given, d_raw)
    check_along_directions(loss, p.vector, g.vector, "parameters")
    for name, y, d in zip(WIDTHS, inputs.outputs, d_outputs, strict=True):
        check_along_directions(loss, y, d, name, n_directions=1)


@FUSIONS
def test_outputs_of_wide_branches_are_added_to_those_of_the_others(fusion):
    whole, p, inputs = problem(("b",), fusion=fusion)
    assert whole.head.n_inputs == 3 + 1
    for array in naive.part_of(p, "fusion.gate").values():
        array[...] = 0  # the weights stay equal
    a, b, c = inputs.outputs
    raw, _ = whole.forward(p, inputs)
    more, _ = whole.forward(p, FusionInputs([a, b + np.array([10, -10]), c], PRESENT))
    assert_allclose(more - raw, [[10, -10]] * N, rtol=1e-12)


@FUSIONS
@KNOWS
def test_above_wide_branches_alone_there_is_nothing_but_a_bias(fusion, knows_absence):
    spec = FusionSpec(fusion, (4,), knows_absence)
    whole = Fusion({"a": K, "b": K}, {"a", "b"}, spec, K)
    assert not whole.hidden.layers
    shapes = {
        f"{name}.{array}": shape
        for name, part in whole.parts.items()
        for array, shape in part.shapes().items()
    }
    p = Parameters(shapes, np.zeros(size_of(shapes)))
    p["head.bias"][...] = [0.5, -0.5]
    y = np.arange(2.0 * 3 * K).reshape(2, 3, K)
    inputs = FusionInputs(list(y), np.ones((3, 2), bool))
    raw, cache = whole.forward(p, inputs)
    assert_allclose(raw, y[0] + y[1] + [0.5, -0.5], rtol=1e-14)
    g = Parameters(p.shapes, np.full_like(p.vector, np.nan))
    d_raw = np.ones((3, K))
    for d in whole.backward(p, d_raw, cache, g):
        assert_array_equal(d, d_raw)
    assert_array_equal(g["head.bias"], [3, 3])
    assert np.isfinite(g.vector).all()


@FUSIONS
def test_at_the_start_a_gate_changes_nothing(fusion):
    whole, p, inputs = problem(fusion=fusion, hidden_layer_sizes=(4,), knows_absence=True)
    for array in naive.part_of(p, "fusion.gate").values():
        array[...] = 0
    concat = Fusion(WIDTHS, set(), FusionSpec("concat", (4,), True), K)
    same = {name: array for name, array in p.items() if "gate" not in name}
    vector = np.concatenate([array.ravel() for array in same.values()])
    plain = Parameters({name: array.shape for name, array in same.items()}, vector)
    expected, _ = concat.forward(plain, inputs)
    assert_allclose(whole.forward(p, inputs)[0], expected, rtol=0, atol=1e-13)


@KNOWS
@FUSIONS
def test_joined_are_the_outputs_as_they_are_and_behind_them_their_weights(fusion, knows_absence):
    whole, p, inputs = problem(("b",), fusion=fusion, knows_absence=knows_absence)
    found = whole.join(p, inputs)
    _, cache = whole.forward(p, inputs)
    assert found.shape == (N, whole.n_joined)
    for (name, columns), y in zip(whole.columns.items(), cache.outputs, strict=True):
        assert columns.stop - columns.start == WIDTHS[name]
        assert_array_equal(found[:, columns], y)
    if fusion == "gated":
        assert_array_equal(found[:, whole.n_features :], cache.gate.weights)
        assert_array_equal(found[:, whole.n_features :] > 0, PRESENT)
