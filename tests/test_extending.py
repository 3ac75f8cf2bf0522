"""The parts that docs/extending.md adds: they are put into the tables, checked and trained."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor
from skgru._data.kinds import INPUTS
from skgru._engine.losses import LOSSES
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._nn.batch import Batch
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru.inspection import GateDisplay
from tests import naive
from tests.datasets import PLAIN
from tests.part_checks import check_pooling, check_training_loss
from tests.passes import backward_cell, forward_cell
from tests.test_docs import python_blocks

PAGE = "docs/extending.md"


@pytest.fixture(scope="module")
def page():
    """Return what the code of the page defines; the naive equations stand in their module."""
    namespace = {name: getattr(naive, name) for name in ("np", "gates", "sigmoid")}
    for block in python_blocks(PAGE):
        exec(compile(block, PAGE, "exec"), namespace)
    return namespace


@pytest.fixture
def mgu(page, monkeypatch):
    monkeypatch.setitem(CELLS, "mgu", page["MGU"])
    return page["MGU"]


@pytest.fixture
def log_cosh(page, monkeypatch):
    for table in (NUMBER_LOSSES, LOSSES):
        monkeypatch.setitem(table, page["LogCosh"].name, page["LogCosh"])
    return page["LogCosh"]()


@pytest.fixture
def root_mean_square(page, monkeypatch):
    monkeypatch.setitem(POOLINGS, "rms", page["RootMeanSquarePooling"])
    return page["RootMeanSquarePooling"]


@pytest.fixture
def counts(page, monkeypatch):
    monkeypatch.setitem(INPUTS, page["CountInput"].kind, page["CountInput"])
    return page["CountInput"]


def trained(estimator_class, X, y, **parameters):
    """Return a fitted estimator that makes it no easier than the task is."""
    settings = {"hidden_layer_sizes": 12, "max_iter": 20, "learning_rate_init": 0.02}
    return estimator_class(**PLAIN | settings | parameters, random_state=0).fit(X, y)


def ragged(n, rng, n_features=2, longest=6):
    return [rng.normal(size=(1 + i % longest, n_features)) for i in range(n)]


# A cell


def cell_problem(cell):
    """Return parameters, sequences of the lengths, and all that a pass may be given beside them."""
    rng = np.random.RandomState(0)
    lengths = [5, 3, 3, 1, 0]
    batch = Batch(np.array(lengths))
    p = {name: rng.normal(0, 0.8, shape) for name, shape in cell.shapes().items()}
    sequences = [rng.normal(size=(n, cell.n_inputs)) for n in lengths]
    further = {
        "initial": rng.normal(size=(len(lengths), cell.n_states)),
        "mask": rng.uniform(0.5, 2, (len(lengths), cell.n_units)),
        "decay": rng.uniform(0.2, 1, (batch.n_rows, cell.n_units)),
    }
    return batch, p, sequences, further


def test_the_cell_equals_its_naive_equations(mgu, page):
    batch, p, sequences, further = cell_problem(mgu(3, 4))
    x, initial, decay = naive.pack(sequences), further["initial"], further["decay"]
    states, final, _ = forward_cell(mgu(3, 4), p, x, batch, initial, decay=decay)
    steps = naive.unpack(states[batch.n_sequences :], batch.lengths)
    decays = naive.unpack(decay, batch.lengths)
    for i, x_i in enumerate(sequences):
        expected = page["mgu"](p, x_i, initial[i], decay=decays[i])
        assert_allclose(steps[i], expected, rtol=0, atol=1e-12)
        assert_allclose(final[i], [initial[i], *expected][-1], rtol=0, atol=1e-12)


def test_the_cells_gradient(mgu, check_gradient):
    cell = mgu(3, 4)
    batch, p, sequences, further = cell_problem(cell)
    x, rng = naive.pack(sequences), np.random.RandomState(1)
    d_states = rng.normal(size=(batch.n_rows, 4))
    d_last = rng.normal(size=(batch.n_sequences, 4))

    def loss():
        states, final, _ = forward_cell(cell, p, x, batch, **further)
        return np.sum(states[batch.n_sequences :] * d_states) + np.sum(final * d_last)

    _, _, cache = forward_cell(cell, p, x, batch, **further)
    g = {name: np.full(array.shape, np.nan) for name, array in p.items()}
    dx, d_initial, d_decay = backward_cell(cell, p, d_states, d_last, batch, cache, g)
    for name, array in p.items():
        check_gradient(loss, array, g[name], name)
    check_gradient(loss, x, dx, "x")
    check_gradient(loss, further["initial"], d_initial, "initial")
    check_gradient(loss, further["decay"], d_decay, "decay")


def test_the_cell_in_a_network(mgu, check_along_directions):
    rng = np.random.RandomState(0)
    X, y = ragged(8, rng), np.arange(8) % 3
    X[0][0, 0] = np.nan  # states decay
    model = GRUClassifier((3, 2), cell=("mgu", "mgu"), bidirectional=True, max_iter=1).fit(X, y)
    check_training_loss(model, X, y, check_along_directions)
    same = pickle.loads(pickle.dumps(model))
    assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    display = GateDisplay.from_estimator(model, X, layer=1, direction="reverse")
    assert display.gates["update"].shape == (len(X[0]), 2)


def test_the_cell_learns_to_remember(mgu):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 10))
    y = (X[:, 0] > 0).astype(int)
    assert trained(GRUClassifier, X[:400], y[:400], cell="mgu").score(X[400:], y[400:]) > 0.93


def test_a_cell_that_is_in_no_table_is_refused():
    with pytest.raises(ValueError, match="cell"):
        GRUClassifier(cell="mgu").fit(np.ones((4, 2)), [0, 1, 0, 1])


# A loss


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_loss_and_its_gradient(log_cosh, check_gradient, n_outputs):
    rng = np.random.RandomState(0)
    raw, y = rng.normal(0, 3, (2, 6, n_outputs))
    losses, gradient = log_cosh.loss_and_gradient(raw, y)
    assert_allclose(losses, np.log(np.cosh(raw - y)).mean(axis=1), rtol=1e-12)
    check_gradient(lambda: log_cosh.loss_and_gradient(raw, y)[0].sum(), raw, gradient, "raw")
    far, _ = log_cosh.loss_and_gradient(raw + 1e4, y)
    assert_allclose(far, (raw + 1e4 - y).mean(axis=1) - np.log(2), rtol=1e-12)


def test_the_loss_learns(log_cosh, check_along_directions):
    X = np.random.default_rng(0).normal(size=(700, 8))
    y = X[:, 0] + X[:, -1]
    model = trained(GRURegressor, X[:400], y[:400], loss="log_cosh")
    assert model.score(X[400:], y[400:]) > 0.9
    small = GRURegressor(2, loss="log_cosh", max_iter=1).fit(X[:9], y[:9])
    check_training_loss(small, X[:9], y[:9], check_along_directions)


# A pooling


@pytest.mark.parametrize("n_steps", [2, 9])
def test_the_pooling_and_its_gradient_piece_by_piece(root_mean_square, check_gradient, n_steps):
    sequences, results = check_pooling(root_mean_square, n_steps, check_gradient)
    expected = [
        np.sqrt(np.mean(y**2, axis=0)) if len(y) else np.zeros(y.shape[1]) for y in sequences
    ]
    assert_allclose(results, expected, rtol=1e-12)


def test_the_pooling_learns(root_mean_square, check_along_directions):
    # Whether two neighbours somewhere have the same sign: no step alone tells anything.
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(800, 1))
    X = signs * (-1.0) ** np.arange(8)
    y = rng.integers(0, 2, size=800)
    turns = rng.integers(1, 8, size=800)
    for x, is_turned, turn in zip(X, y, turns, strict=True):
        x[turn:] *= -1 if is_turned else 1
    model = trained(GRUClassifier, X[:500], y[:500], pooling="rms", max_iter=30, label_smoothing=0)
    assert model.score(X[500:], y[500:]) > 0.95
    small = GRUClassifier(2, pooling=("last", "rms"), max_iter=1).fit(X[:9], y[:9])
    check_training_loss(small, X[:9], y[:9], check_along_directions)


# An input


def counted(n, seed=0):
    """Return frames of counts over several powers of ten, told apart by their ratio."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, size=n)
    levels = 10 ** rng.uniform(0.5, 5, size=(n, 1, 1))
    ratios = np.where(y, 1.6, 1 / 1.6)[:, None, None] ** np.array([0.5, -0.5])
    X = [rng.poisson(of_one) for of_one in levels * ratios * np.ones((n, 5, 2))]
    return [pd.DataFrame(x[: 2 + i % 4], columns=["n_in", "n_out"]) for i, x in enumerate(X)], y


def test_the_input_learns_from_logarithms(counts, check_along_directions):
    X, y = counted(500)
    model = trained(GRUClassifier, X[:300], y[:300], pooling="mean")
    assert model.score(X[300:], y[300:]) > 0.95
    plain = [x.rename(columns=lambda name: name[2:]) for x in X]  # read as numbers
    assert trained(GRUClassifier, plain[:300], y[:300]).score(plain[300:], y[300:]) < 0.9
    small = GRUClassifier(2, max_iter=1).fit(X[:9], y[:9])
    check_training_loss(small, X[:9], y[:9], check_along_directions)


def test_the_input_is_chosen_kept_and_refuses(counts):
    X, y = counted(20)
    before = [x.copy() for x in X]
    model = GRUClassifier(3, max_iter=1).fit(X, y)
    (kept,) = model._fitted_model().inputs.values()
    assert type(kept) is counts
    steps = np.log1p(np.concatenate(X))
    assert_allclose(model.feature_mean_, np.mean(steps, axis=0), rtol=1e-12)
    same = pickle.loads(pickle.dumps(model))
    assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    for x, copy in zip(X, before, strict=True):
        pd.testing.assert_frame_equal(x, copy)
    X[3].iloc[0, 1] = -1
    with pytest.raises(ValueError, match="expected no negative number, got -1"):
        model.predict(X)
