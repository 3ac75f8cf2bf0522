"""Pooling: what the head reads of all steps' outputs, of whole sequences and piece by piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps
from skgru._nn.batch import Arena, Batch, Piece
from skgru._nn.part import Outputs
from skgru._nn.pooling import make_pooling
from tests import naive
from tests.parts import random_parameters, unwritten

H = 4
POOLINGS = pytest.mark.parametrize(
    "names",
    ["last", "mean", "max", "attention", ("last", "mean", "max"), ("attention", "last")],
    ids=lambda names: names if isinstance(names, str) else "+".join(names),
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=6).map(lambda n: sorted(n)[::-1])


def problem(names, lengths, seed=0):
    """Return a pooling, random parameters, and outputs (T, H) and gradient of each sequence."""
    rng = np.random.RandomState(seed)
    pooling = make_pooling(names, H)
    p = random_parameters(pooling, rng)
    sequences = [rng.normal(size=(n, H)) for n in lengths]
    return pooling, p, sequences, rng.normal(size=(len(lengths), pooling.n_outputs))


def outputs_of(y, batch):
    last = np.zeros((batch.n_sequences, H), y.dtype)
    rows = batch.last_steps()
    last[: len(rows)] = y[rows]
    return Outputs(y, last, last)


def pool(pooling, p, y, batch):
    """Return the result for the rows y (S, H), and its account."""
    account = pooling.open(batch.lengths, y.dtype)
    pooling.read(p, account, outputs_of(y, batch), Piece.whole(batch))
    return pooling.result(account), account


def gradient_of_rows(gradients, batch, dtype=np.float64):
    """Return (S, H): both gradients of the outputs, added up."""
    dy = np.zeros((batch.n_rows, H), dtype)
    if gradients.dy is not None:
        dy += gradients.dy
    if gradients.dy_last is not None:
        rows = batch.last_steps()
        dy[rows] += gradients.dy_last[: len(rows)]
    return dy


def pool_and_back(pooling, p, y, batch, d):
    """Return the result, the gradient of the rows y (S, H), and those of the parameters."""
    result, account = pool(pooling, p, y, batch)
    g = unwritten(pooling, y.dtype)
    gradients = pooling.backward(p, d, account, outputs_of(y, batch), Piece.whole(batch), g)
    return result, gradient_of_rows(gradients, batch, y.dtype), g


def pool_and_back_in_pieces(pooling, p, sequences, d, n_steps):
    """Return the same of sequences in pieces; the gradient of the outputs for each sequence."""
    lengths = np.array([len(y) for y in sequences])
    values = Sequences(np.concatenate(sequences), offsets_of(lengths))
    pieces = SequencePieces(Steps(values, np.copy), np.arange(len(lengths)), n_steps, Arena())
    account = pooling.open(lengths, values.values.dtype)
    for i in range(len(pieces)):
        y, piece = pieces[i]
        pooling.read(p, account, outputs_of(y, piece.batch), piece)
    result = pooling.result(account)

    dy_of = [np.zeros((0, H)) for _ in lengths]
    total = {name: np.zeros(shape) for name, shape in pooling.shapes().items()}
    for i in range(len(pieces)):
        y, piece = pieces[i]
        g = unwritten(pooling)
        gradients = pooling.backward(p, d, account, outputs_of(y, piece.batch), piece, g)
        dy = naive.unpack(gradient_of_rows(gradients, piece.batch), piece.batch.lengths)
        for position, dy_i in zip(piece.positions, dy, strict=True):
            dy_of[position] = np.vstack([dy_of[position], dy_i])
        for name in total:
            total[name] += g[name]
    return result, dy_of, total


@POOLINGS
@given(LENGTHS, st.integers(0, 1000))
def test_result_equals_the_naive_equations_and_is_zero_without_steps(names, lengths, seed):
    pooling, p, sequences, _ = problem(names, lengths, seed)
    result, _ = pool(pooling, p, naive.pack(sequences), Batch(np.array(lengths)))
    expected = [naive.pool(p, y, names, n_onward=H) for y in sequences]
    assert result.shape == (len(lengths), pooling.n_outputs)
    assert_allclose(result, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("lengths", [[4, 2, 2, 1, 0], [3, 3]], ids=str)
@POOLINGS
def test_gradients_equal_central_differences(check_gradient, names, lengths):
    pooling, p, sequences, d = problem(names, lengths)
    y, batch = naive.pack(sequences), Batch(np.array(lengths))
    _, dy, g = pool_and_back(pooling, p, y, batch, d)

    def loss():
        return np.sum(d * pool(pooling, p, y, batch)[0])

    check_gradient(loss, y, dy, "y")
    for name in p:
        check_gradient(loss, p[name], g[name], name)


@POOLINGS
@given(LENGTHS, st.integers(1, 7), st.integers(0, 1000), st.booleans())
def test_pieces_give_the_same_as_whole_sequences(names, lengths, n_steps, seed, ties):
    pooling, p, sequences, d = problem(names, lengths, seed)
    if ties:
        sequences = [y.round() for y in sequences]
    batch = Batch(np.array(lengths))
    result, dy, g = pool_and_back(pooling, p, naive.pack(sequences), batch, d)
    same, dy_of, total = pool_and_back_in_pieces(pooling, p, sequences, d, n_steps)
    assert_allclose(same, result, rtol=0, atol=1e-12)
    assert_allclose(naive.pack(dy_of), dy, rtol=0, atol=1e-12)
    for name in g:
        assert_allclose(total[name], g[name], rtol=0, atol=1e-12)


@POOLINGS
def test_arguments_stay_as_they_are(names):
    pooling, p, sequences, d = problem(names, [4, 2, 0])
    y, batch = naive.pack(sequences), Batch(np.array([4, 2, 0]))
    for array in (y, d, *p.values()):
        array.flags.writeable = False
    pool_and_back(pooling, p, y, batch, d)


@POOLINGS
def test_an_output_that_is_no_number_is_not_hidden(names):
    """As np.mean and np.max do, so that a network that has diverged cannot go unnoticed."""
    pooling, p, sequences, _ = problem(names, [4, 2])
    sequences[0][2:] = np.nan
    result, _ = pool(pooling, p, naive.pack(sequences), Batch(np.array([4, 2])))
    assert np.isnan(result[0]).all()
    assert np.isfinite(result[1]).all()


@DTYPES
@POOLINGS
def test_the_type_stays(names, dtype):
    pooling, p, sequences, d = problem(names, [4, 2, 0])
    p = {name: array.astype(dtype) for name, array in p.items()}
    y, batch = naive.pack(sequences).astype(dtype), Batch(np.array([4, 2, 0]))
    result, account = pool(pooling, p, y, batch)
    g = {name: np.zeros_like(array) for name, array in p.items()}
    gradients = pooling.backward(
        p, d.astype(dtype), account, outputs_of(y, batch), Piece.whole(batch), g
    )
    assert result.dtype == dtype
    assert all(gradient.dtype == dtype for gradient in gradients if gradient is not None)


def test_joined_poolings_stand_in_the_order_of_their_names():
    y, batch = np.array([[1.0, 5], [3, 2], [2, 2]]), Batch(np.array([3]))
    pooling = make_pooling(("max", "last", "mean"), 2)
    account = pooling.open(batch.lengths, y.dtype)
    pooling.read({}, account, Outputs(y, y[-1:], y[-1:]), Piece.whole(batch))
    assert pooling.n_outputs == 6
    assert_array_equal(pooling.result(account), [[3, 5, 2, 2, 2, 3]])


@pytest.mark.parametrize(
    ("names", "last_only"),
    [("last", True), ("mean", False), (("last", "max"), False), (("last",), True)],
    ids=str,
)
def test_only_the_last_pooling_reads_the_last_piece_only(names, last_only):
    assert make_pooling(names, H).reads_last_piece_only == last_only


# Mean


@given(LENGTHS)
def test_mean_gradient_gives_each_step_its_share(lengths):
    pooling, _, sequences, d = problem("mean", lengths)
    _, dy, _ = pool_and_back(pooling, {}, naive.pack(sequences), Batch(np.array(lengths)), d)
    expected = naive.pack(
        [np.tile(d_i / max(n, 1), (n, 1)) for n, d_i in zip(lengths, d, strict=True)]
    )
    assert_allclose(dy, expected, rtol=1e-14)


# Max


@given(LENGTHS, st.integers(1, 7), st.integers(0, 1000))
def test_gradient_of_equal_largest_outputs_goes_to_the_first_alone(lengths, n_steps, seed):
    rng = np.random.RandomState(seed)
    sequences = [rng.randint(-1, 2, (n, H)).astype(float) for n in lengths]
    pooling = make_pooling("max", H)
    d = rng.normal(size=(len(lengths), H))
    expected = [np.zeros((n, H)) for n in lengths]
    for y, d_i, dy in zip(sequences, d, expected, strict=True):
        for unit in range(H if len(y) else 0):
            dy[y[:, unit].tolist().index(max(y[:, unit])), unit] = d_i[unit]
    _, dy, _ = pool_and_back(pooling, {}, naive.pack(sequences), Batch(np.array(lengths)), d)
    assert_array_equal(dy, naive.pack(expected))
    _, dy_of, _ = pool_and_back_in_pieces(pooling, {}, sequences, d, n_steps)
    assert_array_equal(naive.pack(dy_of), naive.pack(expected))


# Attention


def test_attention_to_nothing_is_the_mean():
    pooling, p, sequences, _ = problem("attention", [4, 2, 0])
    p["attention_score"][:] = 0
    batch = Batch(np.array([4, 2, 0]))
    result, _ = pool(pooling, p, naive.pack(sequences), batch)
    expected = [naive.pool({}, y, "mean", n_onward=H) for y in sequences]
    assert_allclose(result, expected, rtol=0, atol=1e-15)


@DTYPES
@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_huge_scores_choose_one_step_without_overflow(n_steps, dtype):
    """The scores rise in the first sequence and fall in the second, by 1000 at each step."""
    pooling = make_pooling("attention", H)
    p = {
        "attention_weights": np.eye(H, dtype=dtype),
        "attention_bias": np.zeros(H, dtype),
        "attention_score": np.full(H, 1e5, dtype),
    }
    rising = np.repeat(np.linspace(-0.01, 0.01, 5)[:, None], H, axis=1)
    sequences = [rising.astype(dtype), rising[::-1].astype(dtype)]
    d = np.ones((2, H), dtype)
    result, dy_of, g = pool_and_back_in_pieces(pooling, p, sequences, d, n_steps)
    assert_allclose(result, [rising[-1], rising[-1]], rtol=1e-6)
    assert_allclose(dy_of, [[[0] * H] * 4 + [[1] * H], [[1] * H] + [[0] * H] * 4], atol=1e-6)
    for array in g.values():
        assert_allclose(array, 0, atol=1e-6)


def test_attention_starts_with_glorot_weights_and_no_bias():
    pooling = make_pooling("attention", 40)
    p = unwritten(pooling)
    assert {name: value.shape for name, value in p.items()} == {
        "attention_weights": (40, 40),
        "attention_bias": (40,),
        "attention_score": (40,),
    }
    pooling.initialize(p, np.random.RandomState(0))
    for name, n_out in (("attention_weights", 40), ("attention_score", 1)):
        bound = np.sqrt(6 / (40 + n_out))
        assert 0.9 * bound < np.abs(p[name]).max() <= bound
    assert_array_equal(p["attention_bias"], 0)
