"""`bptt_steps`: truncated back-propagation in the estimators."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor
from tests.datasets import output, ragged, small, token_sequences
from tests.processes import PEAK, read_from_python

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pieces_as_long_as_the_sequences_change_nothing(solver, pooling):
    X, y = ragged(30)
    longest = max(len(x) for x in X)
    models = [
        small(GRURegressor, solver=solver, pooling=pooling, bptt_steps=n).fit(X, y)
        for n in (None, longest, longest + 1)
    ]
    for model in models[1:]:
        assert model.loss_curve_ == models[0].loss_curve_
        assert_array_equal(output(model, X), output(models[0], X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_truncated_training_is_another_one_and_starts_from_the_same_loss(solver, pooling):
    X, y = ragged(30)
    full, cut = (
        small(GRURegressor, solver=solver, pooling=pooling, bptt_steps=n).fit(X, y)
        for n in (None, 2)
    )
    # The outputs do not depend on the cuts: so neither does the loss before the first update.
    if solver != "lbfgs":
        assert cut.loss_curve_[0] == pytest.approx(full.loss_curve_[0], rel=1e-5)
    assert cut.loss_ != full.loss_
    assert cut.loss_curve_[-1] < cut.loss_curve_[0]


def test_tokens_and_threads():
    X, y = token_sequences(150)
    options = {"hidden_layer_sizes": 128, "embedding_dim": 4, "bptt_steps": 2, "batch_size": 128}
    one, two = (small(GRUClassifier, **options, n_jobs=n).fit(X, y) for n in (1, 2))
    assert_array_equal(output(one, X), output(two, X))


def test_what_lies_inside_the_reach_of_the_gradient_is_learned():
    # The sign of the only peak, 15 steps before the end at most, is asked for.
    rng = np.random.default_rng(0)
    X = rng.normal(0, 0.1, (200, 300, 1))
    y = rng.integers(0, 2, 200)
    X[np.arange(200), rng.integers(286, 300, 200), 0] = 4.0 * (2 * y - 1)
    model = GRUClassifier(
        8, bptt_steps=20, max_iter=40, learning_rate_init=0.02, random_state=0
    ).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.95


def test_the_state_is_carried_over_the_cuts():
    # A mark at the start is of use only through the states that the cuts carry on: a gradient that
    # reaches over 4 steps cannot make them, but one that did not read them could not pass them.
    X = np.zeros((60, 12, 1))
    y = np.arange(60) % 2
    X[:, 0, 0] = 2.0 * y - 1
    model = GRUClassifier(
        8, bptt_steps=4, max_iter=80, learning_rate_init=0.02, pooling="mean", random_state=0
    ).fit(X, y)
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("value", [0, -1, 1.5, "all"])
def test_other_values_are_refused(value):
    X, y = ragged(30)
    with pytest.raises(ValueError, match="'bptt_steps' parameter"):
        GRURegressor(bptt_steps=value).fit(X, y)


MEASURE = """
import json, sys
import numpy as np
from skgru import GRUClassifier

n_steps, bptt_steps, pooling = json.loads(sys.argv[1])
X = np.random.default_rng(0).standard_normal((8, n_steps, 1), dtype=np.float32)
model = GRUClassifier(
    32, max_iter=1, bptt_steps=bptt_steps, pooling=pooling, learning_rate="cosine", random_state=0
)
model.fit(X[:, :20], np.arange(8) % 2)
before = peak()
model.fit(X, np.arange(8) % 2)
print(json.dumps([peak() - before, model.loss_]))
"""


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_fifty_thousand_steps_train_in_little_memory(pooling):
    extra, loss = read_from_python(PEAK + MEASURE, [50_000, 200, pooling])
    assert np.isfinite(loss)
    assert extra < 30e6  # the full gradient takes more than 300 MB
