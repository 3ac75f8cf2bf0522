"""Dropout of inputs, states and tokens: masks as promised, gradients right."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps, make_batch
from skgru._nn.batch import Arena
from skgru._nn.dropout import Dropout, DropoutRates, FusionDropout, FusionRates
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pieces import loss_and_gradient
from tests import kinds
from tests.passes import backward, dropout_of, forward, make_network, only

SOME = DropoutRates(inputs=0.3, states=0.4, tokens=0.3)


# Masks


def test_masks_have_the_rate_and_the_mean_one():
    dropout = Dropout(SOME, (1,), 500)
    mask = dropout.of_inputs(np.zeros((2000, 50), np.float32))
    assert mask.dtype == np.float32
    assert_allclose(np.unique(mask), [0, 1 / 0.7], rtol=1e-6)
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.01)
    mask = dropout.of_states(0, 200, np.dtype(np.float64))
    assert mask.shape == (500, 200)
    assert_allclose(np.unique(mask), [0, 1 / 0.6], rtol=1e-6)
    assert np.mean(mask == 0) == pytest.approx(0.4, abs=0.01)
    tokens = np.arange(1, 20_001)
    left = dropout.of_tokens(tokens)
    assert np.mean(left == 0) == pytest.approx(0.3, abs=0.015)
    assert_array_equal(left[left > 0], tokens[left > 0])
    assert_array_equal(dropout.of_tokens(np.full(100, -1)), -1)


def test_a_rate_of_zero_has_no_mask():
    dropout = Dropout(DropoutRates(), (1,), 5)
    assert dropout.of_inputs(np.zeros((2, 3))) is None
    assert dropout.of_states(0, 3, np.dtype(float)) is None
    tokens = np.arange(5)
    assert dropout.of_tokens(tokens) is tokens


def test_masks_depend_on_seed_layer_and_piece_and_states_stay_masked_over_the_pieces():
    x = np.zeros((50, 20))

    def masks(seed, piece, positions=slice(None)):
        dropout = Dropout(SOME, (seed,), 10, piece, positions)
        first = dropout.of_inputs(x)
        states = [dropout.of_states(layer, 20, x.dtype) for layer in (0, 1)]
        return first, dropout.of_inputs(x), *states

    for a, b in zip(masks(1, 0), masks(1, 0), strict=True):
        assert_array_equal(a, b)
    a, b = masks(1, 0), masks(2, 0)
    assert all((m != n).any() for m, n in zip(a, b, strict=True))
    assert (a[0] != a[1]).any()
    assert (a[2] != a[3]).any()
    positions = np.array([7, 2, 0])
    later = masks(1, 3, positions)
    assert (later[0] != a[0]).any()
    assert_array_equal(later[2], a[2][positions])
    assert_array_equal(later[3], a[3][positions])


# Branches


def some_present(n=3000, n_branches=4):
    """Return which branches each sample has; some have none."""
    return np.random.default_rng(0).random((n, n_branches)) < 0.6


def stay_of(present, rate, seed=(1,)):
    return FusionDropout(FusionRates(branches=rate), seed).of_branches(present)


def test_the_share_of_the_branches_is_left_out_where_enough_remain():
    present = np.ones((4000, 6), bool)
    stay = stay_of(present, 0.3)
    # All six were left out of so few that it does not show.
    assert_allclose(stay.mean(axis=0), 0.7, atol=0.03)


@pytest.mark.parametrize("rate", [0.3, 0.9, 0.999])
def test_of_the_branches_that_a_sample_has_one_stays_and_none_comes_back(rate):
    present = some_present()
    stay = stay_of(present, rate)
    assert not (stay & ~present).any()
    assert_array_equal(stay.any(axis=1), present.any(axis=1))
    assert (stay != present).any()
    assert not present.any(axis=1).all()


def test_the_branch_that_stays_alone_is_any_of_them():
    stay = stay_of(np.ones((4000, 4), bool), 0.999)
    assert_allclose(stay.mean(axis=0), 0.25, atol=0.04)


def test_branches_are_left_out_by_seed_and_anew_at_each_call():
    present = some_present()
    assert_array_equal(stay_of(present, 0.3), stay_of(present, 0.3))
    assert (stay_of(present, 0.3, (2,)) != stay_of(present, 0.3)).any()
    dropout = FusionDropout(FusionRates(branches=0.3), (1,))
    assert (dropout.of_branches(present) != dropout.of_branches(present)).any()


def test_without_a_rate_all_branches_and_outputs_stay():
    dropout, present = FusionDropout(FusionRates(), (1,)), some_present()
    assert dropout.of_branches(present) is present
    assert dropout.of_inputs(np.ones((3, 2))) is None


def test_which_branches_stay_does_not_hang_on_the_layers_above():
    present, x = some_present(), np.zeros((50, 4))
    dropout = FusionDropout(FusionRates(hidden=0.4, branches=0.3), (1,))
    mask = dropout.of_inputs(x)
    assert np.mean(mask == 0) == pytest.approx(0.4, abs=0.1)
    assert_array_equal(dropout.of_branches(present), stay_of(present, 0.3))
    assert_array_equal(mask, FusionDropout(FusionRates(hidden=0.4), (1,)).of_inputs(x))


# Gradients


@pytest.mark.parametrize("kind", [*kinds.FORMS, "mixed"])
@pytest.mark.parametrize("form", [{}, {"output_gate": True}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize("pooling", ["last", ("mean", "max"), None], ids=str)
def test_gradients_with_masks_equal_central_differences(
    check_gradient, check_along_directions, kind, form, pooling
):
    """Of each kind, one form is looked at number by number, the others array by array."""
    number_by_number = form == {} and pooling == ("mean", "max")
    check = check_gradient if number_by_number else check_along_directions
    form = form | kinds.cells_of(kind, 2)
    rng = np.random.RandomState(0)
    network = make_network(3, (4, 3), 2, n_tokens=6, pooling=pooling, **form)
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    lengths = np.array([4, 0, 3, 1])
    sequences = Sequences(rng.randint(6, size=8), offsets_of(lengths))
    x, batch, _, _ = make_batch(Steps(sequences), np.arange(4))
    d_raw = rng.normal(size=(8 if pooling is None else 4, 2))

    def run():
        return forward(network, p, x, batch, dropout=dropout_of(network, SOME, (3,), 4))

    g = Parameters(network.shapes, np.full_like(p.vector, np.nan))
    _, passed = run()
    backward(network, p, d_raw, passed, g)
    for name in p:
        if g[name].any():  # a mask may have left out all that an array does
            check(lambda: np.sum(d_raw * run()[0]), p[name], g[name], name)


@pytest.mark.parametrize("pooling", ["last", "mean", None])
def test_in_one_piece_the_masked_gradient_is_that_of_the_whole(pooling):
    rng = np.random.RandomState(0)
    network = make_network(3, (4,), 2, pooling=pooling)
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    lengths = np.array([4, 3, 1])  # longest first: a mask's rows are then the sequences'
    sequences = Sequences(rng.normal(size=(8, 3)), offsets_of(lengths))
    x, batch, _, rows = make_batch(Steps(sequences), np.arange(3))
    d_raw = rng.normal(size=(8 if pooling is None else 3, 2))
    dropout = dropout_of(network, DropoutRates(inputs=0.3, states=0.4), (3,), 3)
    raw, passed = forward(network, p, x, batch, dropout=dropout)
    whole, pieces = (Parameters(network.shapes, np.full_like(p.vector, np.nan)) for _ in range(2))
    backward(network, p, d_raw if pooling else d_raw[rows], passed, whole)

    def loss_of(raw_of_piece, piece):
        d = d_raw if piece is None else d_raw[piece.rows]
        return float(np.sum(d * raw_of_piece)), d

    own = SequencePieces(Steps(sequences), np.arange(3), 4, Arena())
    loss = loss_and_gradient(network, p, only(network, own), loss_of, pieces, dropout)
    assert loss == pytest.approx(np.sum((d_raw if pooling else d_raw[rows]) * raw))
    assert_allclose(pieces.vector, whole.vector, rtol=0, atol=1e-12)
