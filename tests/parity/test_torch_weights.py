"""to_torch and from_torch: the same predictions as PyTorch's modules, there and back."""

import copy
import doctest
import io
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer
from skgru.interop import from_torch, to_torch
from tests.parity.configurations import random_fit, said

POOLINGS = ["last", "mean", "max", "attention", None, ("last", "mean", "max", "attention")]
SEEDS = range(60)


def results(estimator, X):
    """Return what an estimator predicts as the module returns it: arrays (n, ...) of each."""
    if isinstance(estimator, GRUClassifier):
        return [estimator.predict_proba(X)]
    if estimator.loss == "gaussian":
        return list(estimator.predict(X, return_std=True))
    return [estimator.predict(X)]


def results_of_module(estimator, module, x, lengths=None):
    with torch.no_grad():
        if isinstance(estimator, GRUClassifier):
            return [module.predict_proba(x, lengths).numpy()]
        y = module(x, lengths)
        return [part.numpy() for part in (y if isinstance(y, tuple) else (y,))]


def assert_same(estimator, module, X, x, lengths=None):
    tolerance = 1e-12 if estimator.dtype == "float64" else 1e-4
    ours, theirs = results(estimator, X), results_of_module(estimator, module, x, lengths)
    for a, b in zip(ours, theirs, strict=True):
        assert b.dtype == estimator.dtype
        if estimator.pooling is None:
            b = np.concatenate([y_i[: len(x_i)] for x_i, y_i in zip(X, b, strict=True)])
            a = np.concatenate(list(a))
        assert_allclose(a.reshape(b.shape), b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_module_predicts_the_same_and_comes_back_bit_by_bit(seed):
    estimator, X, y, padded = random_fit(seed, poolings=POOLINGS)
    try:
        module = to_torch(estimator)
        x = torch.tensor(padded)
        assert_same(estimator, module, X, x)
        assert_same(estimator, module, X, x.nan_to_num(7.0), torch.tensor([len(s) for s in X]))

        back = from_torch(module)
        by_state = from_torch(module.state_dict(), **module.settings)
        for again in (back, by_state):
            assert type(again) is type(estimator)
            assert again.freeze_embedding == estimator.freeze_embedding
            for name, array in estimator.parameters_.items():
                assert_array_equal(again.parameters_[name], array)
            for ours, theirs in zip(results(again, X), results(estimator, X), strict=True):
                for a, b in zip(ours, theirs, strict=True):
                    assert_array_equal(a, b)
        back.set_params(random_state=0).partial_fit(X, y)
        assert back.t_ == len(X)
        assert not np.array_equal(back.parameters_["head.bias"], estimator.parameters_["head.bias"])
    except Exception as error:
        error.add_note(str(said(estimator)))
        raise


class Net(torch.nn.Module):
    """A network as users of PyTorch write it."""

    def __init__(self, cell, n_outputs, *, n_tokens=None, depth=2, bidirectional=True):
        super().__init__()
        self.embed = None if n_tokens is None else torch.nn.Embedding(n_tokens, 3, padding_idx=0)
        options = {"batch_first": True, "bidirectional": bidirectional, "dropout": 0.3}
        self.encoder = getattr(torch.nn, cell)(3, 5, depth, **options)
        self.dropout = torch.nn.Dropout(0.5)
        self.fc = torch.nn.Linear(10 if bidirectional else 5, n_outputs)

    def forward(self, x, lengths):
        if self.embed is not None:
            x = self.embed(x)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        _, state = self.encoder(packed)
        h = state[0] if isinstance(state, tuple) else state
        n_directions = 2 if self.encoder.bidirectional else 1
        return self.fc(self.dropout(torch.cat(list(h[-n_directions:]), dim=-1)))


@pytest.mark.parametrize("n_outputs", [1, 2, 3])
@pytest.mark.parametrize("n_tokens", [None, 9])
@pytest.mark.parametrize("cell", ["GRU", "LSTM", "RNN"])
def test_a_network_of_torch_becomes_an_estimator(cell, n_tokens, n_outputs):
    torch.manual_seed(0)
    net = Net(cell, n_outputs, n_tokens=n_tokens).double().eval()
    lengths = torch.tensor([6, 2, 4, 1])
    x = torch.randint(1, 9, (4, 6)) if n_tokens else torch.randn(4, 6, 3, dtype=torch.float64)
    with torch.no_grad():
        logits = net(x, lengths)
    X = [x_i[:n].numpy() for x_i, n in zip(x, lengths, strict=True)]
    for given in (net, net.state_dict()):
        reg = from_torch(given)
        assert_allclose(reg.predict(X).reshape(4, -1), logits, rtol=0, atol=1e-12)
        clf = from_torch(given, classes=list(range(max(n_outputs, 2))))
        p = torch.sigmoid(logits) if n_outputs == 1 else torch.softmax(logits, 1)
        assert_allclose(clf.predict_proba(X)[:, -1], p[:, -1], rtol=0, atol=1e-12)


def test_the_parts_load_into_plain_modules():
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, size=(30, 5))
    options = {"hidden_layer_sizes": (4, 4), "bidirectional": True, "pooling": "last"}
    reg = GRURegressor(**options, reset_after=True, embedding_dim=3, bag=False, max_iter=1)
    state = to_torch(reg.fit(X, X.sum(axis=1))).state_dict()

    def load(module, name):
        part = {n.removeprefix(name): t for n, t in state.items() if n.startswith(name)}
        module.load_state_dict(part)
        return module

    embedding = load(torch.nn.Embedding(9, 3, padding_idx=0), "embedding.")
    gru = load(torch.nn.GRU(3, 4, 2, bidirectional=True, batch_first=True), "rnn.")
    head = load(torch.nn.Linear(8, 1), "head.")
    with torch.no_grad():
        _, h = gru(embedding(torch.tensor(X)))
        y = head(torch.cat([h[-2], h[-1]], dim=1))[:, 0]
    expected = reg.target_mean_ + reg.target_scale_ * y.numpy()
    assert_allclose(reg.predict(X), expected, rtol=1e-5)


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_frozen_embedding_stays_one(is_frozen):
    X = np.random.default_rng(0).integers(1, 9, size=(20, 5))
    reg = GRURegressor(3, embedding_dim=2, bag=False, freeze_embedding=is_frozen, max_iter=1)
    module = to_torch(reg.fit(X, X[:, 0]))
    trained = [name for name, p in module.named_parameters() if p.requires_grad]
    assert ("embedding.weight" in trained) == (not is_frozen)
    assert "head.weight" in trained


def test_the_network_in_a_pipeline_and_in_a_search():
    texts = ["good plot", "bad", "the good the bad the plot", "bad bad plot good"] * 5
    y = ["yes", "no", "no", "yes"] * 5
    clf = GRUClassifier(3, embedding_dim=2, bag=False, pooling="last", max_iter=1, dtype="float64")
    pipeline = make_pipeline(SequenceVectorizer(), clf)
    search = GridSearchCV(pipeline, {"gruclassifier__random_state": [1]}, cv=2).fit(texts, y)
    ids = search.best_estimator_[0].transform(texts[:4])
    x = torch.nn.utils.rnn.pad_sequence([torch.tensor(i) for i in ids], batch_first=True)
    p = to_torch(search).predict_proba(x).detach()
    assert_allclose(search.predict_proba(texts[:4]), p, rtol=0, atol=1e-12)


def test_a_gru_with_the_reset_before_does_not_load_into_torchs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 5, 2))
    module = to_torch(GRURegressor(4, bidirectional=False, max_iter=1).fit(X, X[:, -1, 0]))
    with pytest.raises(RuntimeError, match=r"Missing key.*bias_ih_l0"):
        torch.nn.GRU(2, 4).load_state_dict(module.rnn.state_dict())


@pytest.mark.parametrize("reset_after", [False, True])
def test_the_module_has_the_gradient_of_the_estimator(reset_after):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(2 + i % 4, 2)) for i in range(12)]
    y = rng.normal(size=12)
    options = {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 1.0}
    options |= {"momentum": 0, "alpha": 0, "max_grad_norm": None}
    options |= {"dropout": 0, "dtype": "float64", "batch_size": 12}
    reg = GRURegressor((4, 3), reset_after=reset_after, random_state=0, **options)
    reg.partial_fit(X, y)
    module, before = to_torch(reg), copy.deepcopy(reg.parameters_)
    padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(x) for x in X], batch_first=True)
    predicted = module(padded, torch.tensor([len(x) for x in X]))[:, 0]
    scaled = (predicted - torch.tensor(y)) / torch.tensor(reg.target_scale_)
    (scaled.square().mean() / 2).backward()
    # A step of our own against a step by the gradient of PyTorch.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter -= parameter.grad
    theirs = from_torch(module)
    reg.partial_fit(X, y)
    for name, array in reg.parameters_.items():
        if reset_after and name.startswith("hidden") and name.endswith(".bias"):
            continue  # of two biases that are added up, each takes the step
        assert_allclose(array, theirs.parameters_[name], rtol=0, atol=1e-12)
        assert not np.array_equal(array, before[name])


def test_unknown_tokens_padding_in_front_and_empty_sequences():
    texts = ["good plot", "bad", "the good the bad the plot", "bad bad plot good"] * 5
    vectorizer = SequenceVectorizer()
    ids = vectorizer.fit_transform(texts)
    clf = GRUClassifier(embedding_dim=4, bag=False, dtype="float64", max_iter=1, random_state=0)
    clf.fit(ids, ["yes", "no", "no", "yes"] * 5)
    module = to_torch(clf)
    some = [[2, 3], [99, 3], [], [4]]
    rows = [[0, 2, 3, 0], [0, 0, 99, 3], [0, 0, 0, 0], [4, 0, 0, 0]]
    p = module.predict_proba(torch.tensor(rows)).detach()
    empty = [np.array(row, int) for row in some]
    assert_allclose(clf.predict_proba(empty), p, rtol=0, atol=1e-12)
    numbers = GRURegressor(3, pooling=("last", "mean", "max", "attention"), dtype="float64")
    numbers.set_params(max_iter=1, random_state=0, reset_after=True)
    X = np.random.default_rng(0).normal(size=(20, 4, 2))
    numbers.fit(X, X[:, 0, 0])
    X[1], X[2, 2:] = np.nan, np.nan
    module = to_torch(numbers)
    y = module(torch.tensor(X))
    assert_allclose(numbers.predict(X), y.detach()[:, 0], rtol=0, atol=1e-12)
    y.sum().backward()  # an empty sequence leaves no NaN behind
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_the_module_is_saved_and_trained(tmp_path):
    rng = np.random.default_rng(0)
    X = torch.tensor(rng.normal(size=(60, 8, 2)), dtype=torch.float32)
    y = (X[:, :, 0].mean(1) > 0).long()
    clf = GRUClassifier(8, max_iter=1, n_convolutions=0, random_state=0)
    module = to_torch(clf.fit(X.numpy(), y.numpy()))
    torch.save(module, tmp_path / "module.pt")
    restored = torch.load(tmp_path / "module.pt", weights_only=False)
    assert_array_equal(restored(X).detach(), module(X).detach())
    assert_array_equal(pickle.loads(pickle.dumps(module))(X).detach(), module(X).detach())
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for _ in range(60):
        optimizer.zero_grad()
        loss_of(module(X)[:, 0], y.float()).backward()
        optimizer.step()
    assert from_torch(module).score(X.numpy(), y.numpy()) > 0.95 > clf.score(X.numpy(), y.numpy())


REFUSED = {
    "relu": (torch.nn.RNN(3, 4, nonlinearity="relu"), "expected nonlinearity='tanh', got 'relu'"),
    "projection": (torch.nn.LSTM(3, 4, proj_size=2), "weight_hr_l0 is a projection"),
    "activation": (torch.nn.Sequential(torch.nn.GRU(3, 4), torch.nn.ReLU()), "1 is of type ReLU"),
    "softmax": (torch.nn.Sequential(torch.nn.GRU(3, 4), torch.nn.Softmax(1)), "the state_dict"),
    "norm": (torch.nn.Sequential(torch.nn.GRU(3, 4), torch.nn.LayerNorm(4)), "type LayerNorm"),
    "cell": (torch.nn.Sequential(torch.nn.GRUCell(3, 4), torch.nn.Linear(4, 1)), "type GRUCell"),
    "padding": (
        torch.nn.Sequential(torch.nn.Embedding(9, 3, padding_idx=8), torch.nn.GRU(3, 4)),
        "expected padding_idx=0 or None, got 8",
    ),
    "norm of vectors": (
        torch.nn.Sequential(torch.nn.Embedding(9, 3, max_norm=1.0), torch.nn.GRU(3, 4)),
        "expected max_norm=None",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_refused_of_a_module(case):
    module, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        from_torch(module)


def test_what_a_module_of_ours_says_itself_is_not_said_otherwise():
    X = np.random.default_rng(0).normal(size=(20, 4, 2))
    module = to_torch(GRURegressor(3, pooling="mean", max_iter=1).fit(X, X[:, 0, 0]))
    from_torch(module, pooling="mean", alpha=0.5)
    for name, value in {"pooling": "max", "loss": "huber", "scaling": "robust"}.items():
        with pytest.raises(ValueError, match=f"{name}: the module itself says"):
            from_torch(module, **{name: value})
    with pytest.raises(ValueError, match="feature_mean: the network itself says it"):
        from_torch(module, feature_mean=0.0)


def test_bad_input_of_a_module():
    X = np.random.default_rng(0).normal(size=(20, 4, 2))
    module = to_torch(GRURegressor(3, max_iter=1).fit(X, X[:, 0, 0]))
    with pytest.raises(ValueError, match=r"x of shape \(n, n_steps, 2\), got \(20, 4, 3\)"):
        module(torch.zeros(20, 4, 3))
    with pytest.raises(AttributeError, match="predict_proba is of classes"):
        module.predict_proba(torch.zeros(20, 4, 2))


def test_half_precision_of_every_kind():
    net = Net("GRU", 1)
    exact = from_torch(net)
    X = [np.ones((3, 3))]
    for dtype in (torch.float16, torch.bfloat16):
        reg = from_torch(copy.deepcopy(net).to(dtype))
        assert reg.dtype == "float32"
        assert_allclose(reg.predict(X), exact.predict(X), rtol=0, atol=0.01)


def test_gaps_among_ids():
    X = np.array([[1, 5], [5, 1], [1, 9]] * 5)
    reg = GRURegressor(3, embedding_dim=2, bag=False, pooling="last", max_iter=1, dtype="float64")
    reg.fit(X, X.sum(axis=1))
    module = to_torch(reg)
    assert module.embedding.weight.shape == (10, 2)
    ids = np.array([[9, 5], [7, 2], [40, 1]])  # some of them unknown
    assert_allclose(module(torch.tensor(ids)).detach()[:, 0], reg.predict(ids), rtol=0, atol=1e-9)
    back = from_torch(module)
    assert_array_equal(back.predict(ids), reg.predict(ids))
    reg.fit(X * 10**8, X.sum(axis=1))
    with pytest.raises(ValueError, match="expected ids with fewer gaps"):
        to_torch(reg)


def run_examples(function, namespace):
    """Run the example of a docstring, also the lines that need another library."""
    source = function.__doc__.replace("# doctest: +SKIP", "")
    test = doctest.DocTestParser().get_doctest(source, namespace, function.__name__, None, 0)
    printed = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=printed.write)
    assert runner.summarize(verbose=False).failed == 0, printed.getvalue()
    assert len(test.examples) > 5


def test_the_example_of_to_torch():
    run_examples(to_torch, {})
