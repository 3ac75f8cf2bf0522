"""Training and prediction need little memory beside their input, however much of it there is."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from tests.processes import PEAK, json_of

pytestmark = pytest.mark.skipif(
    find_spec("resource") is None, reason="Windows does not tell the peak in this way"
)

# Each case has a process of its own, since the peak of a process never falls. It is measured when
# a model has been trained and has predicted once: what the libraries need for themselves is not
# counted.
MEASURE = (
    PEAK
    + """
import numpy as np
from skgru import GRUClassifier

what, n, n_steps, dtype, form, n_units = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
X = np.empty((n, n_steps), dtype)
for row in X:  # one by one: making X leaves no other array of its size
    row[:] = rng.standard_normal(n_steps, dtype=np.float32)
if form == "NaN-padded":
    X[::2, n_steps // 2 :] = np.nan
if form == "with holes":
    for row in X:
        row[:-1][rng.random(n_steps - 1) < 0.3] = np.nan
if form == "3-D":
    X = X[:, :, None]
if form == "list":
    X = [row[: n_steps - i % 7] for i, row in enumerate(X)]
model = GRUClassifier(n_units, max_iter=1, learning_rate="cosine", random_state=0)
X_short = [x[:20] for x in X[:16]]
model.fit(X_short, np.arange(16) % 2).predict_proba(X_short)
before = peak()
if what == "fit":
    p = model.set_params(batch_size=1000, early_stopping=False).fit(X, np.arange(n) % 2)
    extra = peak() - before
    p = p.predict_proba(X)
else:
    p = model.predict_proba(X)
    extra = peak() - before
print(json.dumps([extra, len(p), bool(np.isfinite(p).all()), len(np.unique(p[:, 0]))]))
"""
)


def extra_memory(n, n_steps, dtype, form, n_units, what="predict"):
    """Return how many bytes a prediction or a fit needed beside its input."""
    extra, n_predicted, is_finite, n_different = json_of(
        MEASURE, json.dumps([what, n, n_steps, dtype, form, n_units])
    )
    assert n_predicted == n
    assert is_finite
    assert n_different > n / 2
    return extra


@pytest.mark.parametrize(
    ("dtype", "form", "n_units"),
    [
        ("float32", "2-D", 16),
        # What becomes of the input does not depend on the network: a small one is quick.
        ("float64", "2-D", 4),
        ("float64", "3-D", 4),
        ("float32", "list", 4),
        ("float32", "NaN-padded", 4),
        ("float32", "with holes", 4),
    ],
)
def test_many_sequences(dtype, form, n_units):
    # The states of all at once would take more: what is too much grows with the sequences.
    assert extra_memory(10_000, 100, dtype, form, n_units) < 60e6


def test_a_fit_to_sequences_with_holes_needs_little_more_than_one_without():
    # Of all at once, what is read of them (values, masks and gaps of both directions) would take
    # 100 MB, and several times that on the way there.
    with_holes, without = (
        extra_memory(50_000, 100, "float32", form, 4, "fit") for form in ("with holes", "3-D")
    )
    assert with_holes < without + 40e6


def test_a_few_very_long_sequences():
    # All at once, their states and gates would take 200 MB.
    assert extra_memory(16, 5_000, "float32", "3-D", 128) < 150e6


MEASURE_CLASSES = (
    PEAK
    + """
import numpy as np
from skgru import GRUClassifier

n = 10_000
X, y = np.random.default_rng(0).normal(size=(n, 3)), np.arange(n) // 2
model = GRUClassifier(2, max_iter=1, batch_size=100, bidirectional=False, pooling="last",
    random_state=0, label_smoothing=0.1)
model.fit(X[:200], y[:200], X_val=X[:4], y_val=y[:4]).score(X[:200], y[:200])
before = peak()
model.fit(X, y, X_val=X, y_val=y)
model.score(X, y)
print(json.dumps([peak() - before, model.n_outputs_]))
"""
)


def test_many_classes():
    # A number for each sequence and class would take 200 MB in single precision.
    extra, n_classes = json_of(MEASURE_CLASSES)
    assert n_classes == 5000
    assert extra < 150e6


MEASURE_PIECES = (
    PEAK
    + """
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
)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_twenty_thousand_steps_train_in_little_memory(pooling):
    extra, loss = json_of(MEASURE_PIECES, json.dumps([20_000, 200, pooling]))
    assert np.isfinite(loss)
    assert extra < 12e6  # the full gradient takes more than 120 MB
