"""Data on disk: mapped and not copied, or read batch by batch with statistics of all of it."""

import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from tests.datasets import assert_same_model, ragged, small
from tests.processes import json_of

# --- Mapped from files ---------------------------------------------------------------------------

# The memory that is the process's own is limited to what it has by now and `room` more: files that
# are mapped do not count. The first fit brings in what the libraries need for themselves.
FIT_WITH_LITTLE_ROOM = """
import json, resource, sys
import numpy as np
from skgru import GRUClassifier

path, form, room = json.loads(sys.argv[1])
X = np.load(path, mmap_mode="r")
n = len(X)
tokens = form == "tokens"
model = GRUClassifier(4, max_iter=1, batch_size=500, learning_rate="cosine", patch_size=10,
    n_convolutions=0, early_stopping=False, random_state=0, bag=False, bidirectional=False,
    features_per_step=4 if form == "2-D" else 1, **({"embedding_dim": 4} if tokens else {}))
y = np.arange(n) % 2
model.fit(X[:1000], y[:1000]).predict(X[:1000])
own = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")]
_, hard = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, (own[0] * 1024 + room, hard))
try:
    model.fit(X, y)
    print(json.dumps([X.nbytes, len(model.predict(X))]))
except MemoryError:
    print(json.dumps([X.nbytes, None]))
"""


def save_series(path, dtype, form):
    """Write 60,000 series of 50 steps of 4 features, block by block."""
    shape = (60_000, 50, 4) if form in ("3-D", "with holes") else (60_000, 200)
    X = np.lib.format.open_memmap(path, "w+", dtype, shape)
    rng = np.random.default_rng(0)
    for start in range(0, len(X), 10_000):
        block = rng.standard_normal((10_000, *X.shape[1:]), np.float32)
        if form == "with holes":
            block[rng.random(block.shape) < 0.2] = np.nan
            block[:, -1] = 0  # no step at the end is padding
        X[start : start + 10_000] = 2 + abs(1000 * block).astype(int) if form == "tokens" else block
    X.flush()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit what is one's own")
@pytest.mark.parametrize(
    ("dtype", "form"),
    [
        ("float32", "3-D"),
        ("float64", "3-D"),
        ("float32", "2-D"),
        ("float64", "with holes"),
        ("int64", "tokens"),
    ],
)
def test_arrays_mapped_from_a_file_are_not_copied(tmp_path, dtype, form):
    save_series(tmp_path / "X.npy", dtype, form)
    room = 36 << 20
    n_bytes, n_predicted = json_of(
        FIT_WITH_LITTLE_ROOM, json.dumps([str(tmp_path / "X.npy"), form, room])
    )
    assert n_predicted == 60_000
    assert n_bytes > room  # a copy would not have fitted in


def test_mapped_series_with_holes_make_the_same_model(tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(40, 9, 2))
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    np.save(tmp_path / "X.npy", X)
    y = np.arange(40) % 2
    expected = small(GRUClassifier, patch_size=1).fit(X, y)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_same_model(small(GRUClassifier, patch_size=1).fit(mapped, y), expected)
    monkeypatch.setattr("skgru._budget._MUCH", 0)  # what is made of the holes, anew for each batch
    assert_same_model(small(GRUClassifier, patch_size=1).fit(mapped, y), expected)


def mapped_arrow(path, table):
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def test_tables_of_arrow_from_disk(tmp_path):
    X, y = ragged(n=30, n_features=2)
    table = pa.table({name: [x[:, j] for x in X] for j, name in enumerate("ab")})
    in_memory, expected = small(GRUClassifier).fit(X, y), small(GRUClassifier).fit(table, y)
    assert_same_model(in_memory, expected)
    pq.write_table(table, tmp_path / "X.parquet")
    for read in (
        mapped_arrow(tmp_path / "X.arrow", table),
        pq.read_table(tmp_path / "X.parquet", memory_map=True),
    ):
        assert_same_model(small(GRUClassifier).fit(read, y), expected)
    batches = pq.ParquetFile(tmp_path / "X.parquet").iter_batches(batch_size=12)
    predicted = [expected.predict(pa.Table.from_batches([batch])) for batch in batches]
    assert list(map(len, predicted)) == [12, 12, 6]
    assert_array_equal(np.concatenate(predicted), in_memory.predict(X))


# --- Statistics from a first pass ----------------------------------------------------------------


def batches(n=60, n_batches=3, n_features=2):
    """Return batches of series that drift: those of the first say nothing of the others' scale."""
    X, y = ragged(n, n_features=n_features)
    X = [(1 + i / 5) * x + i for i, x in enumerate(X)]
    parts = np.array_split(np.arange(n), n_batches)
    return [([X[i] for i in part], y[part]) for part in parts]


@pytest.mark.parametrize("form", ["list", "padded", "2-D"])
def test_statistics_of_steps_batch_by_batch(form):
    def in_form(X):
        if form == "list":
            return X
        padded = np.full((len(X), 8, 2), np.nan)
        for row, x in zip(padded, X, strict=True):
            row[: len(x)] = x
        return padded if form == "padded" else padded.reshape(len(X), 16)

    scaler = PerTimestep(StandardScaler(), features_per_step=2)
    for X, _ in batches():
        assert scaler.partial_fit(in_form(X)) is scaler
    everything = [x for X, _ in batches() for x in X]
    at_once = PerTimestep(StandardScaler(), features_per_step=2).fit(in_form(everything))
    for name in ("mean_", "scale_", "n_samples_seen_"):
        expected = getattr(at_once.transformer_, name)
        assert_allclose(getattr(scaler.transformer_, name), expected, rtol=1e-12)
    # fit begins anew.
    again = scaler.fit(in_form(batches()[0][0])).transformer_
    assert again.n_samples_seen_ == sum(map(len, batches()[0][0]))


def test_statistics_with_weights_and_targets():
    scaler = PerTimestep(StandardScaler())
    for X, y in batches():
        scaler.partial_fit(X, y, sample_weight=1.0 + y)
    steps = np.concatenate([x for X, _ in batches() for x in X])
    weights = np.concatenate([np.repeat(1.0 + y, list(map(len, X))) for X, y in batches()])
    expected = StandardScaler().fit(steps, sample_weight=weights)
    assert_allclose(scaler.transformer_.mean_, expected.mean_, rtol=1e-12)


def test_partial_fit_refuses_other_features_and_stays_as_it_was():
    (first, _), (second, _), _ = batches()
    scaler = PerTimestep(StandardScaler()).partial_fit(first)
    seen = scaler.transformer_.n_samples_seen_
    with pytest.raises(ValueError, match="3 features per step"):
        scaler.partial_fit([np.ones((4, 3))])
    with pytest.raises(ValueError, match="infinity"):
        scaler.partial_fit([*second, np.array([[np.inf, 1.0]])])
    assert scaler.transformer_.n_samples_seen_ == seen
    assert not hasattr(PerTimestep(OneHotEncoder()), "partial_fit")


def test_a_network_on_the_statistics_of_all_batches():
    scaler = PerTimestep(StandardScaler())
    for X, _ in batches():
        scaler.partial_fit(X)
    network = small(GRUClassifier, scaling=None)
    for X, y in batches():
        network.partial_fit(scaler.transform(X), y, classes=[0, 1])
    model = make_pipeline(scaler, network)  # of fitted parts
    X, _ = batches()[1]
    assert_array_equal(model.predict_proba(X), network.predict_proba(scaler.transform(X)))
    assert_array_equal(network.feature_mean_, 0)


TEXTS = ["a good film", "good music", "bad film", "so very bad", "dull plot", "great music"] * 2
LABELS = ["good" in text or "great" in text for text in TEXTS]


@pytest.mark.parametrize("max_length", [None, 4])
def test_words_that_only_later_batches_hold_are_known(max_length):
    words = SequenceVectorizer(max_length=max_length).fit(iter(TEXTS))  # a pass over the texts
    network = small(GRUClassifier, embedding_dim=3, learning_rate_init=0.1)
    network.partial_fit(words.transform(TEXTS[:2]), LABELS[:2], classes=[False, True])
    assert_array_equal(network.token_ids_, [1, *sorted(words.vocabulary_.values())])
    before = network.parameters_["embedding.weights"].copy()
    network.partial_fit(words.transform(TEXTS[2:4]), LABELS[2:4])
    later = [words.vocabulary_[word] for word in ("bad", "very")]
    rows = np.searchsorted(network.token_ids_, later)
    assert (network.parameters_["embedding.weights"][rows] != before[rows]).any(axis=1).all()
    # fit knows the words that it has seen, and no other has a row.
    fitted = small(GRUClassifier, embedding_dim=3).fit(words.transform(TEXTS[1:3]), LABELS[1:3])
    assert len(fitted.token_ids_) < len(network.token_ids_)


def test_words_without_a_vector_that_only_later_batches_hold_are_known():
    words = SequenceVectorizer().fit(TEXTS)
    vectors = {"good": np.ones(3), "bad": -np.ones(3), "film": np.array([1.0, 2, 3])}
    network = small(GRUClassifier, embedding_matrix=vectors)
    network.partial_fit(words.transform(TEXTS[:3]), LABELS[:3], classes=[False, True])
    assert_array_equal(network.token_ids_, [1, *sorted(words.vocabulary_.values())])
    assert_array_equal(
        network.token_ids_[network.has_vector_], sorted(words.vocabulary_[w] for w in vectors)
    )


def test_plain_ids_that_only_later_batches_hold_have_rows_of_a_matrix():
    matrix = np.random.default_rng(0).uniform(-0.05, 0.05, size=(9, 3))
    network = small(GRUClassifier, embedding_matrix=matrix)
    network.partial_fit([[2, 3], [3]], [0, 1], classes=[0, 1])
    assert_array_equal(network.token_ids_, np.arange(1, 9))


def test_branches_with_the_statistics_of_all_batches():
    X, y = ragged(24)
    table = pd.DataFrame(
        {
            "text": [TEXTS[i % 12] for i in range(24)],
            "x": X,
            "age": np.arange(24.0) ** 2,
            "ward": ["A"] * 12 + ["B"] * 6 + ["C"] * 6,
        }
    )
    parts = [table[:12], table[12:18], table[18:]]
    words = SequenceVectorizer().fit(text for part in parts for text in part["text"])
    series, ages = PerTimestep(StandardScaler()), StandardScaler()
    for part in parts:
        series.partial_fit(part[["x"]])
        ages.partial_fit(part[["age"]])
    wards = OneHotEncoder(categories=[["A", "B", "C"]])
    model = MultimodalGRUClassifier(
        [
            ("text", TokenBranch(FrozenEstimator(words), embedding_dim=2), "text"),
            ("x", SeriesBranch(FrozenEstimator(series), scaling=None, hidden_layer_sizes=2), ["x"]),
            ("age", TableBranch(FrozenEstimator(ages), scaling=None), ["age"]),
            ("ward", TableBranch(wards), ["ward"]),
        ],
        learning_rate_init=0.01,
        random_state=0,
    )
    for part in parts:
        model.partial_fit(part, y[part.index], classes=[0, 1])
    branches = model.named_branches_
    assert len(branches["text"].token_ids_) == 1 + len(words.vocabulary_)
    assert branches["age"].transformer_.mean_ == table["age"].mean()
    assert_array_equal(branches["x"].feature_mean_, 0)
    assert branches["ward"].transformer_.categories_[0].tolist() == ["A", "B", "C"]


def test_training_goes_on_after_a_fit_to_a_sample():
    parts = batches()
    sample = [x for X, _ in parts for x in X[::4]]
    network = small(GRURegressor).fit(sample, np.concatenate([y[::4] for _, y in parts]))
    mean = network.feature_mean_.copy()
    network.set_params(max_iter=3 + len(parts))  # the rate comes down to zero in the last batch
    for X, y in parts:
        network.partial_fit(X, y)
    assert_allclose(mean, np.concatenate(sample).mean(axis=0), rtol=1e-6)
    assert_array_equal(network.feature_mean_, mean)
