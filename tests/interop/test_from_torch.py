"""from_torch, given dicts of arrays: predictions by PyTorch's equations, training, refusals."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import clone

from skgru import GRUClassifier, GRURegressor
from skgru.interop import from_torch, to_torch
from tests.interop.references import last_output, torch_states

D, H = 3, 4
BLOCKS = {"gru": 3, "lstm": 4, "rnn": 1}
LENGTHS = [5, 1, 3, 8]


def arrays_of_layer(rng, cell, n_inputs=D, n_units=H):
    """Return weight_ih, weight_hh, bias_ih and bias_hh."""
    n = BLOCKS[cell] * n_units
    return [rng.normal(0, 0.7, shape) for shape in [(n, n_inputs), (n, n_units), (n,), (n,)]]


def random_layers(rng, cell, depth=1, n_directions=1, n_inputs=D):
    widths = [n_inputs] + (depth - 1) * [n_directions * H]
    return [[arrays_of_layer(rng, cell, n) for _ in range(n_directions)] for n in widths]


def state_of(layers, prefix="rnn."):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {
        f"{prefix}{name}_l{i}{suffix}": array
        for i, directions in enumerate(layers)
        for suffix, arrays in zip(("", "_reverse"), directions, strict=False)
        for name, array in zip(names, arrays, strict=True)
    }


def random_head(rng, n_outputs, n_pooled=H):
    return {
        "fc.weight": rng.normal(size=(n_outputs, n_pooled)),
        "fc.bias": rng.normal(size=n_outputs),
    }


def raw_of(X, layers, head):
    pooled = np.array([last_output(torch_states, x, layers) for x in X])
    return pooled @ head["fc.weight"].T + head["fc.bias"]


def random_network(cell="gru", n_outputs=1, seed=0):
    """Return sequences, a state dict and the raw outputs."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    layers, head = random_layers(rng, cell), random_head(rng, n_outputs)
    return X, state_of(layers) | head, raw_of(X, layers, head)


# --- Predictions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", list(BLOCKS))
def test_it_predicts_what_the_equations_say(cell, depth, n_directions, dtype):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    layers = random_layers(rng, cell, depth, n_directions)
    head = random_head(rng, 2, n_directions * H)
    state = {n: a.astype(dtype) for n, a in (state_of(layers) | head).items()}
    reg = from_torch(state)
    assert isinstance(reg, GRURegressor)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    assert_allclose(reg.predict(X), raw_of(X, layers, head), rtol=0, atol=tolerance)
    said = reg.get_params()
    assert said["dtype"] == dtype
    assert said["cell"] == cell
    assert said["hidden_layer_sizes"] == (H,) * depth
    assert said["bidirectional"] == (n_directions == 2)


def test_means_and_scales_of_features_and_targets():
    X, state, _ = random_network(n_outputs=2)
    mean, scale = np.array([1.0, -2.0, 3.0]), np.array([0.5, 2.0, 4.0])
    scaled = from_torch(state).predict([(x - mean) / scale for x in X])
    reg = from_torch(
        state,
        feature_mean=mean,
        feature_scale=scale,
        target_mean=[5.0, 6.0],
        target_scale=[10.0, 0.1],
    )
    assert reg.scaling == "standard"
    assert_array_equal(reg.feature_mean_, mean)
    assert_allclose(reg.predict(X), scaled * [10.0, 0.1] + [5.0, 6.0], rtol=0, atol=1e-12)


def test_one_target_has_one_dimension():
    X, state, raw = random_network()
    assert_allclose(from_torch(state, target_mean=3.0).predict(X), raw[:, 0] + 3, atol=1e-12)


def test_classes_are_in_the_order_of_the_outputs():
    X, state, raw = random_network(n_outputs=3)
    clf = from_torch(state, classes=["middle", "low", "high"])
    assert isinstance(clf, GRUClassifier)
    assert_array_equal(clf.classes_, ["high", "low", "middle"])
    p = softmax(raw, axis=1)
    assert_allclose(clf.predict_proba(X), p[:, [2, 1, 0]], rtol=0, atol=1e-12)
    expected = np.array(["middle", "low", "high"])[raw.argmax(axis=1)]
    assert_array_equal(clf.predict(X), expected)


@pytest.mark.parametrize("classes", [["no", "yes"], ["yes", "no"]], ids=str)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_two_classes_have_one_output_or_two(n_outputs, classes):
    X, state, raw = random_network(n_outputs=n_outputs)
    clf = from_torch(state, classes=classes)
    p = expit(raw[:, 0]) if n_outputs == 1 else softmax(raw, axis=1)[:, 1]
    of_second = clf.predict_proba(X)[:, list(clf.classes_).index(classes[1])]
    assert_allclose(of_second, p, rtol=0, atol=1e-12)


def test_labels():
    X, state, raw = random_network(n_outputs=3)
    clf = from_torch(state, multilabel=True)
    assert_allclose(clf.predict_proba(X), expit(raw), rtol=0, atol=1e-12)
    assert_array_equal(clf.predict(X), raw > 0)


def test_outputs_of_every_step():
    X, state, raw = random_network(n_outputs=2)
    y = from_torch(state, pooling=None).predict(X)
    assert [len(steps) for steps in y] == LENGTHS
    assert_allclose([steps[-1] for steps in y], raw, rtol=0, atol=1e-12)


def test_a_loss_with_a_link():
    X, state, raw = random_network()
    reg = from_torch(state, loss="poisson", target_scale=7.0)
    assert_allclose(reg.predict(X), 7 * np.exp(raw[:, 0]), rtol=1e-12)
    _, state, raw = random_network(n_outputs=2)
    mean, std = from_torch(state, loss="gaussian").predict(X, return_std=True)
    assert_allclose(mean, raw[:, 0], atol=1e-12)
    assert_allclose(std, np.logaddexp(0, raw[:, 1]) + 1e-3, atol=1e-12)


# --- The parts of a state dict --------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "gru.", "module.encoder.rnn."])
def test_any_prefix_is_one(prefix):
    rng = np.random.default_rng(0)
    layers, head = random_layers(rng, "gru", depth=2), random_head(rng, 1)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    reg = from_torch(head | state_of(layers, prefix))
    assert_allclose(reg.predict(X), raw_of(X, layers, head)[:, 0], atol=1e-12)


def test_modules_are_stacked_by_their_numbers_and_may_differ():
    rng = np.random.default_rng(0)
    below = [[arrays_of_layer(rng, "lstm", D, H)]]
    above = [[arrays_of_layer(rng, "gru", H, 6)]]
    head = random_head(rng, 1, 6)
    state = state_of(above, "rnn10.") | head | state_of(below, "rnn9.")
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    reg = from_torch(state)
    assert_allclose(reg.predict(X), raw_of(X, below + above, head)[:, 0], atol=1e-12)
    assert (reg.cell, reg.hidden_layer_sizes) == (("lstm", "gru"), (H, 6))


def test_without_biases():
    rng = np.random.default_rng(0)
    layers, head = random_layers(rng, "gru"), random_head(rng, 1)
    state = {n: a for n, a in (state_of(layers) | head).items() if "bias" not in n}
    layers[0][0][2:] = np.zeros((2, 3 * H))
    head["fc.bias"] = np.zeros(1)
    X = [rng.normal(size=(n, D)) for n in LENGTHS]
    assert_allclose(from_torch(state).predict(X), raw_of(X, layers, head)[:, 0], atol=1e-12)


class TensorLike:
    """An array that is reached as a tensor's is."""

    def __init__(self, array):
        self.dtype, self._array = array.dtype, array

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._array


def test_tensors_and_half_precision():
    X, state, raw = random_network()
    half = {name: TensorLike(array.astype(np.float16)) for name, array in state.items()}
    reg = from_torch(half)
    assert reg.dtype == "float32"
    assert_allclose(reg.predict(X), raw[:, 0], rtol=0, atol=0.02)
    exact = from_torch({n: a.astype(np.float16).astype(float) for n, a in state.items()})
    assert_allclose(reg.predict(X), exact.predict(X), rtol=0, atol=1e-5)


# --- Tokens ---------------------------------------------------------------------------------------


def token_network(n_rows, *, has_padding=True):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n_rows, D))
    rows[0] *= not has_padding
    layers, head = random_layers(rng, "gru"), random_head(rng, 1)
    state = {"emb.weight": rows} | state_of(layers) | head

    def expected(ids):
        return raw_of([rows[i] for i in ids], layers, head)[:, 0]

    return state, expected


def test_the_rows_of_an_embedding_are_numbered_by_ids():
    state, expected = token_network(6)
    reg = from_torch(state)
    ids = [[1, 2, 5], [4], [3, 3, 2, 1]]
    assert_allclose(reg.predict(ids), expected(ids), atol=1e-12)
    assert_allclose(reg.predict([[0, 1, 2, 0]]), expected([[1, 2]]), atol=1e-12)
    assert_array_equal(reg.token_ids_, [1, 2, 3, 4, 5])
    assert_allclose(reg.predict([[9, 2]]), expected([[1, 2]]), atol=1e-12)  # unknown: as id 1
    assert reg.get_params()["embedding_dim"] == D


def test_token_ids_say_which_rows_are_meant():
    state, expected = token_network(4, has_padding=False)
    with pytest.raises(
        ValueError, match=r"Id 0 is padding, but row 0 .* such as np.arange\(1, 5\)"
    ):
        from_torch(state)
    assert_allclose(
        from_torch(state, token_ids=np.arange(1, 5)).predict([[1, 4], [2]]),
        expected([[0, 3], [1]]),
        atol=1e-12,
    )
    reg = from_torch(state, token_ids=[30, 0, 20, 10])
    assert_array_equal(reg.token_ids_, [1, 10, 20, 30])
    assert_allclose(reg.predict([[10, 30, 20]]), expected([[3, 0, 2]]), atol=1e-12)
    assert_array_equal(reg.parameters_["embedding.weights"][0], 0)  # nothing is known of id 1


@pytest.mark.parametrize(
    ("token_ids", "message"),
    [
        ([1, 2, 3], "an id for each of the 4 rows"),
        ([1.0, 2.0, 3.0, 4.0], "an id for each of the 4 rows"),
        ([1, 2, 2, 3], "different ids, none of them negative"),
        ([-1, 1, 2, 3], "different ids, none of them negative"),
    ],
)
def test_token_ids_that_are_none(token_ids, message):
    state, _ = token_network(4)
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(state, token_ids=token_ids)


def test_an_embedding_without_a_telling_name_is_found_by_its_columns():
    state, expected = token_network(6)
    state["words.weight"] = state.pop("emb.weight")
    assert_allclose(from_torch(state).predict([[1, 2]]), expected([[1, 2]]), atol=1e-12)


# --- The estimator --------------------------------------------------------------------------------


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    X = [rng.normal(size=(3 + i % 4, D)) for i in range(40)]
    return X, np.array(["low", "high"])[[int(x[:, 0].mean() > 0) for x in X]]


def test_the_training_goes_on(data):
    X, y = data
    _, state, _ = random_network(n_outputs=2)
    clf = from_torch(state, classes=["low", "high"], random_state=0, warm_start=True)
    assert (clf.n_iter_, clf.t_, clf.loss_curve_) == (0, 0, [])
    before = clf.predict_proba(X)
    one_more = clone(clf)  # not fitted
    clf.partial_fit(X, y)
    assert clf.t_ == 40
    after_one = clf.predict_proba(X)
    assert 0 < np.abs(after_one - before).max() < 0.5
    clf.fit(X, y)
    assert clf.score(X, y) > 0.9
    one_more.set_params(max_iter=2).fit(X, y)
    assert {n: a.shape for n, a in one_more.parameters_.items()} == {
        n: a.shape for n, a in clf.parameters_.items()
    }


def test_a_small_step_goes_down_the_loss_of_the_network_that_was_given(data):
    X, y = data
    _, state, _ = random_network(n_outputs=2)

    def loss(clf):
        p = clf.predict_proba(X)
        return -np.log(p[np.arange(len(y)), np.searchsorted(clf.classes_, y)]).mean()

    options = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1e-3, "batch_size": 40}
    options |= {"learning_rate": "constant", "label_smoothing": 0.0, "alpha": 0.0}
    clf = from_torch(state, classes=["low", "high"], dropout=0, weight_decay=0, **options)
    before = loss(clf)
    clf.partial_fit(X, y)
    assert_allclose(clf.loss_, before, rtol=1e-9)  # of the weights that it began with
    assert before - 0.01 < loss(clf) < before


def test_pickles_are_the_same(data):
    X, _ = data
    _, state, _ = random_network(n_outputs=2)
    clf = from_torch(state, classes=["low", "high"])
    restored = pickle.loads(pickle.dumps(clf))
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))


def test_the_arrays_that_were_given_are_not_shared(data):
    X, y = data
    _, state, _ = random_network(n_outputs=2)
    before = {name: array.copy() for name, array in state.items()}
    from_torch(state, classes=["low", "high"], random_state=0).partial_fit(X, y)
    for name, array in state.items():
        assert_array_equal(array, before[name])


def test_missing_values_are_refused_unless_it_is_said_what_they_are():
    X, state, _ = random_network()
    X[0][2, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        from_torch(state).predict(X)
    X[1] = X[0].copy()
    X[1][2, 1] = X[1][1, 1]  # the value last seen
    y = from_torch(state, missing="decay").predict(X)
    assert y[0] == y[1]


# --- What is refused ------------------------------------------------------------------------------


def changed(**arrays):
    """Return a state dict with other arrays; those that are None are left out."""
    _, state, _ = random_network(n_outputs=2)
    arrays = {name.replace("__", "."): array for name, array in arrays.items()}
    return {n: a for n, a in (state | arrays).items() if a is not None}


ZEROS = np.zeros
REFUSED = {
    "no mapping": (3, {}, "Expected a state dict of PyTorch, .* got an int"),
    "no recurrence": (
        {"fc.weight": ZEROS((1, 3)), "fc.bias": ZEROS(1)},
        {},
        "Expected the weights of a torch.nn.GRU.* got 'fc.weight', 'fc.bias'",
    ),
    "no head": (
        changed(fc__weight=None, fc__bias=None),
        {},
        "Expected one linear head .* got none",
    ),
    "two heads": (
        changed(other__weight=ZEROS((2, H)), other__bias=ZEROS(2)),
        {},
        r"one linear head .* fc.weight of shape \(2, 4\), other.weight of shape \(2, 4\)",
    ),
    "projection": (
        changed(rnn__weight_hr_l0=ZEROS((2, H))),
        {},
        "rnn.weight_hr_l0 is a projection .* expected proj_size=0",
    ),
    "a normalization": (
        changed(norm__weight=ZEROS(H), norm__bias=ZEROS(H)),
        {},
        r"parts that skgru does not have: norm.weight of shape \(4,\), norm.bias",
    ),
    "a convolution": (
        changed(conv__weight=ZEROS((H, D, 3)), conv__bias=ZEROS(H)),
        {},
        r"parts that skgru does not have: conv.weight of shape \(4, 3, 3\)",
    ),
    "a single tensor": (changed(temperature=ZEROS(())), {}, "does not have: temperature of shape"),
    "a layer is missing": (
        changed(rnn__weight_ih_l2=ZEROS((3 * H, H)), rnn__weight_hh_l2=ZEROS((3 * H, H))),
        {},
        r"rnn\.: expected layers 0, 1, …, got the weights of \[0, 2\]",
    ),
    "half of a layer": (changed(rnn__weight_hh_l0=None), {}, "matrices weight_ih and weight_hh"),
    "only the reverse": (
        {f"{n}_reverse" if "rnn" in n else n: a for n, a in changed().items()},
        {},
        "expected the weights of the forward direction too",
    ),
    "another number of blocks": (
        changed(rnn__weight_hh_l0=ZEROS((2 * H, H))),
        {},
        r"3 blocks of rows for a GRU.* weight_hh of shape \(8, 4\)",
    ),
    "other rows": (changed(rnn__weight_ih_l0=ZEROS((8, D))), {}, "weight_ih of shape"),
    "a bias of another length": (
        changed(rnn__bias_hh_l0=ZEROS(5)),
        {},
        r"biases of shape \(12,\), got \(12,\) and \(5,\)",
    ),
    "one direction in a layer above": (
        changed(rnn__weight_ih_l0_reverse=ZEROS((12, D)), rnn__weight_hh_l0_reverse=ZEROS((12, H)))
        | {"rnn.weight_ih_l1": ZEROS((12, 2 * H)), "rnn.weight_hh_l1": ZEROS((12, H))},
        {},
        "in one direction or all in both, got .*l0: 2, .*l1: 1",
    ),
    "a layer that does not fit": (
        changed(rnn__weight_ih_l1=ZEROS((12, 7)), rnn__weight_hh_l1=ZEROS((12, H))),
        {},
        "rnn.weight_ih_l1 reads 7 numbers of a step, expected 4",
    ),
    "modules without an order": (
        changed() | {"below.weight_ih_l0": ZEROS((12, D)), "below.weight_hh_l0": ZEROS((12, H))},
        {},
        "order of several recurrent modules is not said.* 'rnn.', 'below.'",
    ),
    "an embedding of other dimensions": (
        changed(emb__weight=ZEROS((9, 7))),
        {},
        "vectors of 7 dimensions, but rnn.weight_ih_l0 reads 3",
    ),
    "two embeddings": (
        changed(emb__weight=ZEROS((9, D)), embedding__weight=ZEROS((9, D))),
        {},
        "at most one embedding, got 'emb', 'embedding'",
    ),
    "NaN": (changed(fc__bias=np.full(2, np.nan)), {}, "fc.bias holds NaN"),
    "texts": (changed(fc__bias=np.array(["a", "b"])), {}, "fc.bias: expected an array of numbers"),
    "another pooling": (
        changed(),
        {"pooling": ("last", "mean")},
        r"The head fc reads 4 numbers, but with pooling=\('last', 'mean'\) it has 8",
    ),
    "no pooling": (changed(), {"pooling": "median"}, "pooling: expected one of 'last', .*'median'"),
    "any pooling": (changed(), {"pooling": "auto"}, "pooling: expected one of .* got 'auto'"),
    "a chain": (changed(), {"classes": ["a", "b"], "crf": True}, "crf: the network itself says"),
    "other vectors": (
        changed(emb__weight=np.eye(4, D, -1)),
        {"embedding_matrix": np.eye(4, D)},
        "embedding_matrix: the network itself says None",
    ),
    "convolutions": (changed(), {"n_convolutions": 84}, "n_convolutions: the network itself says"),
    "stamps": (changed(), {"time_feature": 0}, "time_feature: the network itself says None"),
    "attention without weights": (
        changed(),
        {"pooling": "attention"},
        r"expected attention.hidden.weight of shape \(4, 4\), got none",
    ),
    "too few classes": (changed(), {"classes": ["a"]}, "at least two classes"),
    "classes twice": (changed(), {"classes": ["a", "a"]}, "at least two classes"),
    "too many classes": (
        changed(),
        {"classes": ["a", "b", "c"]},
        "The head has 2 outputs, expected 3 for 3 classes; .* multilabel=True",
    ),
    "names of labels": (
        changed(),
        {"classes": ["a", "b"], "multilabel": True},
        "labels, which are numbered: expected classes=None",
    ),
    "targets of classes": (
        changed(),
        {"classes": ["a", "b"], "target_mean": 1.0},
        "target_mean and target_scale are of numbers",
    ),
    "an odd number of outputs": (
        changed(fc__weight=ZEROS((3, H)), fc__bias=ZEROS(3)),
        {"loss": "gaussian"},
        "The head has 3 outputs, .* a multiple of 2",
    ),
    "a mean of too many features": (
        changed(),
        {"feature_mean": [0.0, 0.0]},
        "feature_mean: expected 3 finite numbers",
    ),
    "a scale of 0": (changed(), {"feature_scale": 0.0}, "feature_scale: expected numbers above 0"),
    "a scaling by other data": (changed(), {"scaling": "standard"}, "scaling: expected None"),
    "a scaling of its own": (
        changed(),
        {"scaling": "sequence", "feature_mean": 0.0},
        "scaling: expected 'standard' or 'robust' with feature_mean",
    ),
    "scales of tokens": (
        changed(emb__weight=np.eye(4, D, -1)),
        {"feature_mean": 0.0},
        "tokens have none",
    ),
    "ids of numbers": (changed(), {"token_ids": [1]}, "no embedding, expected None"),
    "another cell": (changed(), {"cell": "lstm"}, "cell: the network itself says 'gru'"),
    "another size": (changed(), {"hidden_layer_sizes": 8}, r"network itself says \(4,\)"),
    "no parameter": (changed(), {"learning_rte": 1}, "learning_rate"),
    "no value of it": (changed(), {"alpha": -1}, "alpha"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_refused(case):
    network, options, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(network, **options)


def test_to_torch_names_the_extra(monkeypatch):
    _, state, _ = random_network()
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "skgru._interop.torch_network", raising=False)
    with pytest.raises(ImportError, match=r"skgru\[torch\]"):
        to_torch(from_torch(state))
