"""Gradients of the inputs of the stacks: a network above its input parts, without those of θ."""

from itertools import cycle, product

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skgru._nn.batch import Batch, Piece
from skgru._nn.feedforward import FeedForward
from skgru._nn.layers import Embedding, Given, Numbers
from skgru._nn.missing import ObservedInputs
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.part import Run, StackInputs
from skgru._nn.pieces import OnePiece, backward, forward
from skgru._nn.rows import Categories, Rows, SparseRows
from skgru._spec import BranchSpec, FeedForwardSpec, FusionSpec, InputSpec, NetworkSpec
from tests.kinds import FORMS, cells_of
from tests.network_problems import random_vector
from tests.parts import random_parameters
from tests.passes import branch_spec

LENGTHS = np.array([4, 3, 3, 1, 0])
D, K, V = 3, 2, 6

# Each cell with and without a gate, each pooling, each input part, one and two directions
CASES = [
    {"kind": kind, "output_gate": gate, "pooling": pooling, "bidirectional": both, **reading}
    for (kind, gate), pooling, both, reading in zip(
        product(FORMS, [False, True]),
        cycle(
            [
                "last",
                "mean",
                "max",
                "attention",
                None,
                ("mean", "last"),
                "last",
                ("attention", "max"),
            ]
        ),
        cycle([False, True]),
        cycle(
            [
                {},
                {"decay": True, "reads_mask": True},
                {"n_tokens": V},
                {"decay": True, "reads_mask": True, "patch_size": 2},
                {"decay": True},
                {"n_tokens": V, "patch_size": 2},
                {"decay": True, "reads_mask": True},
                {"patch_size": 2},
            ]
        ),
        strict=False,
    )
]


def inputs_of(part, rng):
    """Return random inputs of a part, for all rows."""
    S = LENGTHS.sum()
    if isinstance(part, Embedding):
        k = part.n_outputs // part.n_dimensions
        return rng.randint(-1, V, size=(S, k)) if k > 1 else rng.randint(V, size=S)
    if isinstance(part, ObservedInputs):
        x = rng.uniform(0.2, 2, (S, part.n_columns))
        n = part.n_features // part._by_step[0]
        columns = x.reshape(S, *part._by_step)
        columns[:, :, 0, :n] = rng.uniform(size=columns[:, :, 0, :n].shape) < 0.5
        return x
    return rng.normal(size=(S, part.n_outputs))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_of_the_stacks_inputs_equal_central_differences(check_gradient, case):
    form = dict(case)
    cells = cells_of(form.pop("kind"), 2)
    network = Network(NetworkSpec((("a", branch_spec(D, (3, 2), **cells, **form)),), K))
    rng = np.random.RandomState(0)
    p, batch = random_vector(network.shapes, rng), Batch(LENGTHS)
    branch, above = network.branches["a"], network.above_inputs()
    x = inputs_of(branch.input, rng)
    read = branch.read(p, x, batch)

    def run(network, x):
        pieces = {"a": OnePiece(x, Piece.whole(batch))}
        return forward(network, p, pieces)

    passed = run(above, read)
    assert_array_equal(passed.raw, run(network, x).raw)
    projection = rng.normal(size=passed.raw.shape)
    g = Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))
    (dx,) = backward(above, p, projection, passed, g, need_dx=True, need_g=False).values()
    check_gradient(lambda: np.sum(projection * run(above, read).raw), read.x, dx, "x")
    # None of the recurrent layers was asked for its gradients.
    assert all(np.isnan(g[name]).all() for name in g if name.startswith("hidden"))
    g_all = Parameters(network.shapes, np.empty_like(p.vector))
    (same,) = backward(above, p, projection, run(above, read), g_all, need_dx=True).values()
    assert_array_equal(dx, same)


def test_gradients_of_several_branches_equal_central_differences(check_gradient):
    """A sequence, a row with categories and a sparse row, above them a gate and a hidden layer."""
    rows = InputSpec(2, categories=((3, None), (4, 2)))
    spec = NetworkSpec(
        (
            ("series", branch_spec(D, (3,), pooling=("last", "max"))),
            ("table", BranchSpec(rows, FeedForwardSpec((4,)))),
            ("words", BranchSpec(InputSpec(5, is_sparse=True), FeedForwardSpec((3,)))),
            ("wide", BranchSpec(InputSpec(4, is_sparse=True), FeedForwardSpec())),
        ),
        K,
        FusionSpec("gated", (3,), knows_absence=True),
    )
    network, rng = Network(spec), np.random.RandomState(1)
    p = random_vector(network.shapes, rng)
    n = len(LENGTHS)
    batches = {"series": Batch(LENGTHS), "table": Batch(np.array([1, 1, 1, 0, 0]))}
    batches |= {"words": Batch(np.array([1] * n)), "wide": Batch(np.array([1, 1, 1, 1, 0]))}
    order = {"table": [3, 1, 0, 2, 4], "wide": [4, 0, 1, 2, 3]}
    given = {
        "series": rng.normal(size=(LENGTHS.sum(), D)),
        "table": Rows(rng.normal(size=(3, 2)), np.array([[1, 2], [3, 0], [0, 4]])),
        "words": sparse.random(n, 5, 0.5, "csr", random_state=rng),
        "wide": sparse.random(4, 4, 0.5, "csr", random_state=rng),
    }
    pieces, above = {}, network.above_inputs()
    for name, branch in network.branches.items():
        positions = np.array(order[name]) if name in order else slice(None)
        piece = Piece(batches[name], positions, True)
        lengths = np.zeros(n, int)
        lengths[positions] = batches[name].lengths
        pieces[name] = OnePiece(branch.read(p, given[name], batches[name]), piece, lengths)
    passed = forward(above, p, pieces)
    projection = rng.normal(size=passed.raw.shape)
    g = Parameters(network.shapes, np.empty_like(p.vector))
    dx = backward(above, p, projection, passed, g, need_dx=True, need_g=False)
    for name, of_branch in dx.items():
        x = pieces[name][0][0].x
        array, gradient = (x.data, of_branch.data) if sparse.issparse(x) else (x, of_branch)
        assert not sparse.issparse(x) or np.array_equal(x.indices, of_branch.indices)
        check_gradient(
            lambda: np.sum(projection * forward(above, p, pieces).raw), array, gradient, name
        )


def test_copies_of_sequences_give_copies_of_results():
    network = Network(NetworkSpec((("a", branch_spec(D, (3,), pooling="max")),), K))
    rng = np.random.RandomState(0)
    p, x = random_vector(network.shapes, rng), rng.normal(size=(LENGTHS.sum(), D))
    piece = Piece(Batch(LENGTHS), np.array([2, 0, 1, 4, 3]), True)
    lengths = LENGTHS[np.argsort(piece.positions)]
    raw = forward(network, p, {"a": OnePiece(x, piece, lengths)}).raw
    own = OnePiece(np.repeat(x, 3, axis=0), piece.repeated(3), np.repeat(lengths, 3))
    assert_array_equal(forward(network, p, {"a": own}).raw, np.repeat(raw, 3, axis=0))


PARTS = [
    Numbers(3),
    Embedding(V, 2),
    Embedding(V, 2, patch_size=3),
    *(
        ObservedInputs(2, patch_size=k, n_directions=n, reads_mask=mask)
        for k, n, mask in product([1, 2], [1, 2], [False, True])
    ),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{type(part).__name__}-{part.n_outputs}")
def test_value_columns_are_those_that_a_result_hangs_on(part):
    rng, batch = np.random.RandomState(0), Batch(LENGTHS)
    p, x = random_parameters(part, rng), inputs_of(part, rng)
    columns = part.value_columns

    def read(x):
        return part.forward(p, x, Run(batch))[0].x

    before = read(x)
    assert columns.shape == (before.shape[1],)
    for j in np.unique(columns[columns >= 0]):
        other = x.reshape(len(x), -1).copy()
        other[:, j] = (other[:, j] + 1) % V if isinstance(part, Embedding) else other[:, j] + 1
        changed = (read(other.reshape(x.shape)) != before).any(axis=0)
        assert_array_equal(changed, columns == j)


def test_value_columns_of_rows_are_the_numbers_and_then_the_categories():
    part = Categories(2, ((3, None), (4, 2)))
    assert_array_equal(part.value_columns, [0, 1, 2, 2, 2, 3, 3])
    assert_array_equal(SparseRows(3).value_columns, [0, 1, 2])


def test_what_is_given_is_read_as_it_is():
    x = StackInputs(np.ones((2, 3)), np.ones((2, 1)))
    part = Given(ObservedInputs(1, patch_size=1, n_directions=2, reads_mask=True))
    read, cache = part.forward({}, x, Run(Batch(np.array([2]))))
    assert read is x
    assert cache is None
    assert (part.n_outputs, part.n_gaps) == (2, 1)
    assert_array_equal(part.value_columns, [0, 1])


def test_dense_layers_write_no_gradient_of_theirs_unless_asked_for():
    layers, rng = FeedForward(3, (4, 2), ""), np.random.RandomState(0)
    shapes = {f"{n}.{k}": s for n, part in layers.layers.items() for k, s in part.shapes().items()}
    p, g = random_vector(shapes, rng), Parameters(shapes, np.full(size_of(shapes), np.nan))
    y, cache = layers.forward(p, rng.normal(size=(5, 3)), None)
    dx = layers.backward(p, np.ones_like(y), cache, g, need_g=False)
    assert np.isnan(g.vector).all()
    assert_array_equal(dx, layers.backward(p, np.ones_like(y), cache, g))
