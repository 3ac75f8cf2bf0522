"""The chain of tags: against all paths one by one, its gradients, its limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._engine.class_losses import SoftmaxLogLoss
from skgru._nn.batch import Batch, Piece
from skgru._nn.chain import Chain, ChainInputs
from skgru._nn.network import Network
from skgru._nn.pieces import OnePiece, loss_and_gradient
from skgru._spec import NetworkSpec
from tests import naive
from tests.network_problems import random_vector, unwritten_vector
from tests.parts import random_parameters, unwritten
from tests.passes import branch_spec

K = 3
RAGGED = [4, 3, 3, 1, 0]
LENGTHS = pytest.mark.parametrize("lengths", [RAGGED, [3, 3], [1, 1], [0, 0], []], ids=str)


def chain_problem(lengths, *, scale=1.0, known=0.6, seed=0):
    """Return a chain, random parameters, inputs of which only some steps have a tag, the layout."""
    rng = np.random.RandomState(seed)
    chain, batch = Chain(K), Batch(np.array(lengths, int))
    of_sequences = rng.uniform(0.5, 2, size=len(lengths))
    weights = of_sequences[batch.sequence_of_row()] * (rng.uniform(size=batch.n_rows) < known)
    raw = rng.normal(0, scale, size=(batch.n_rows, K))
    x = ChainInputs(raw, rng.randint(K, size=batch.n_rows), weights)
    return chain, random_parameters(chain, rng, scale), x, batch


def sequences(batch):
    """Yield the rows of each sequence, in the order of its steps."""
    for i in range(batch.n_sequences):
        yield np.flatnonzero(batch.sequence_of_row() == i)


def probabilities(log):
    p = np.exp(log - log.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@LENGTHS
@pytest.mark.parametrize("scale", [1.0, 60.0])
@pytest.mark.parametrize("known", [0.6, 1.0], ids=["some", "all"])
def test_losses_paths_and_probabilities_are_those_of_all_paths(lengths, scale, known):
    chain, p, x, batch = chain_problem(lengths, scale=scale, known=known)
    losses, _ = chain.forward(p, x, batch)
    paths = chain.best_paths(p, x.raw, batch)
    marginals = probabilities(chain.log_marginals(p, x.raw, batch))
    assert losses.shape == (len(lengths),)
    assert paths.shape == marginals.shape == x.raw.shape
    for loss, rows in zip(losses, sequences(batch), strict=True):
        weights = x.weights[rows]
        tags = [k if w else None for k, w in zip(x.tags[rows], weights, strict=True)]
        expected, path, of_steps = naive.chain(p, x.raw[rows], tags)
        assert_allclose(loss, weights.max(initial=0) * expected, rtol=1e-12, atol=1e-11)
        assert_array_equal(paths[rows], np.eye(K)[list(path)].reshape(-1, K))
        assert_allclose(marginals[rows], of_steps, rtol=0, atol=1e-11)


@pytest.mark.parametrize("lengths", [RAGGED, [3, 3]], ids=str)
@pytest.mark.parametrize("known", [0.6, 1.0], ids=["some", "all"])
def test_gradients_equal_central_differences(check_gradient, lengths, known):
    chain, p, x, batch = chain_problem(lengths, known=known)
    dy, g = np.random.RandomState(1).normal(size=len(lengths)), unwritten(chain)
    _, cache = chain.forward(p, x, batch)
    d_raw = chain.backward(p, dy, cache, g, batch)

    def loss():
        return chain.forward(p, x, batch)[0] @ dy

    check_gradient(loss, x.raw, d_raw, "raw outputs")
    for name, array in p.items():
        check_gradient(loss, array, g[name], name)


@pytest.mark.parametrize("silent", [(), ("other",)], ids=["both", "one is silent"])
def test_gradients_through_the_network(check_gradient, silent):
    rng = np.random.RandomState(0)
    steps = branch_spec(2, (3,), pooling=None, bidirectional=True)
    other = branch_spec(2, (2,), pooling="last")
    network = Network(NetworkSpec((("steps", steps), ("other", other)), K, chain=True))
    p, g = random_vector(network.shapes, rng), unwritten_vector(network.shapes)
    chain, _, inputs, batch = chain_problem(RAGGED)
    own = {
        name: OnePiece(rng.normal(size=(batch.n_rows, 2)), Piece.whole(batch))
        for name in network.branches
    }

    def loss_of(raw, piece):
        section = p.section("chain")
        losses, cache = chain.forward(section, inputs._replace(raw=raw), piece.batch)
        d_raw = chain.backward(section, np.ones(len(losses)), cache, g.section("chain"), batch)
        return losses.sum(), d_raw

    def loss():
        return loss_and_gradient(network, p, own, loss_of, g, silent=silent)

    loss()
    gradient = {name: array.copy() for name, array in g.items()}
    assert list(p)[-3:] == ["chain.transitions", "chain.start", "chain.end"]
    for name, array in p.items():
        if not name.startswith(silent):
            check_gradient(loss, array, gradient[name], name)


def test_without_learned_scores_steps_are_on_their_own():
    chain, p, x, batch = chain_problem(RAGGED, known=1.0)
    p = {name: np.zeros_like(array) for name, array in p.items()}
    raw, g = x.raw.astype(np.float32), unwritten(chain)
    of_steps, d_raw = SoftmaxLogLoss().loss_and_gradient(x.raw, x.tags)
    losses, cache = chain.forward(p, x._replace(raw=raw), batch)
    found = chain.backward(p, np.ones(len(losses)), cache, g, batch)
    assert losses.sum() == pytest.approx(of_steps @ x.weights, rel=1e-6)
    assert_allclose(found, d_raw * x.weights[:, None], atol=1e-6)
    assert found.dtype == np.float32
    assert_array_equal(chain.best_paths(p, raw, batch).argmax(axis=1), raw.argmax(axis=1))


@pytest.mark.parametrize("method", [Chain.best_paths, Chain.log_marginals])
def test_alone_is_as_in_a_batch(method):
    chain, p, x, batch = chain_problem([6, 5, 5, 2, 1])
    together = method(chain, p, x.raw, batch)
    for rows in sequences(batch):
        alone = method(chain, p, x.raw[rows], Batch(np.array([len(rows)])))
        assert_allclose(alone, together[rows], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e30])
def test_scores_of_any_size_overflow_nowhere(scale):
    chain, p, x, batch = chain_problem(RAGGED, scale=scale)
    g = unwritten(chain)
    with np.errstate(all="raise", under="ignore"):
        losses, cache = chain.forward(p, x, batch)
        d_raw = chain.backward(p, np.ones(len(losses)), cache, g, batch)
        marginals = chain.log_marginals(p, x.raw, batch)
        paths = chain.best_paths(p, x.raw, batch)
    for array in (losses, d_raw, marginals, *g.values()):
        assert np.isfinite(array).all()
    for rows in sequences(batch):
        _, path, _ = naive.chain(p, x.raw[rows], [None] * len(rows))
        assert_array_equal(paths[rows], np.eye(K)[list(path)].reshape(-1, K))


def test_long_sequences_lose_no_digits():
    n = 5_000
    chain, batch = Chain(2), Batch(np.array([n]))
    p = {"transitions": np.array([[2.0, -1], [-1, 2]]), "start": np.zeros(2), "end": np.zeros(2)}
    x = ChainInputs(np.zeros((n, 2)), np.zeros(n, int), np.ones(n))
    (loss,), _ = chain.forward(p, x, batch)
    expected = np.log(2) + (n - 1) * np.logaddexp(2, -1) - (n - 1) * 2
    assert loss == pytest.approx(expected, rel=1e-12)
    marginals = probabilities(chain.log_marginals(p, x.raw, batch))
    assert_allclose(marginals, 0.5, rtol=1e-9)


def test_raw_outputs_that_are_not_finite_are_seen():
    chain, p, x, batch = chain_problem(RAGGED)
    x.raw[4] = np.nan
    with np.errstate(invalid="ignore"):
        losses, _ = chain.forward(p, x, batch)
        paths = chain.best_paths(p, x.raw, batch)
    (spoiled,) = np.flatnonzero(np.isnan(losses))
    assert spoiled == batch.sequence_of_row()[4]
    assert np.isnan(paths[4]).all()


def forbidden(sequences, n_tags=3):
    """Return which transitions, first and last tags are forbidden; -1 is a tag that misses."""
    chain = Chain(n_tags)
    p = {name: np.zeros(shape) for name, shape in chain.shapes().items()}
    tags = np.concatenate(sequences)
    offsets = np.cumsum([0, *map(len, sequences)])
    chain.permit(p, np.maximum(tags, 0), tags >= 0, offsets, anew=True)
    return {name: scores < -1e3 for name, scores in p.items()}


def test_missing_tags_permit_no_more_than_they_need():
    complete = [[0, 1, 2], [0, 0, 1, 2]]
    expected = forbidden(complete)
    assert_array_equal(expected["transitions"], [[0, 0, 1], [1, 1, 0], [1, 1, 1]])
    assert_array_equal(expected["start"], [0, 1, 1])
    assert_array_equal(expected["end"], [1, 1, 0])
    # Paths of transitions that occur lead through these.
    for missing in ([-1, -1, 2], [-1, 0, -1, -1], [0, -1, 2], [-1, -1, -1]):
        found = forbidden([*complete, missing])
        assert all((found[name] == expected[name]).all() for name in expected)
    # None leads through this one: what is beside its gap may be anything, and nothing else.
    found = forbidden([*complete, [0, 1, -1, 1, 2]])
    assert_array_equal(found["transitions"], [[0, 0, 1], [0, 0, 0], [1, 0, 1]])
    assert_array_equal(found["start"], expected["start"])
    assert_array_equal(found["end"], expected["end"])
