"""
Larger than memory: training on a file, part by part
====================================================

A file does not have to fit into memory to be trained on. This one is a Parquet file of machines:
for each two series of 400 steps, a note and a site. A first pass gathers what has to be known of
all data: the scale of the series, the words of the notes, the sites, how frequent the classes are.
The second and third train on it, a group of rows at a time (``partial_fit``). What was gathered is
frozen in the branches of the network, so that what comes out predicts on raw tables.

The memory that all of this takes is measured as it goes: that of Python's and NumPy's objects, by
``tracemalloc``, and that of Arrow's tables, by Arrow itself.
"""

import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru import (
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)

# %%
# The file is written 250 machines at a time, which are its groups of rows. Worn machines
# swing faster, most of all in the harbour.

N_MACHINES, N_STEPS, ROWS_OF_A_GROUP = 12_000, 400, 250
SERIES, CLASSES = ["current", "voltage"], ["runs", "worn"]
NOTES = ["all quiet", "hums a little", "new belt in spring", "bearing changed", "no remarks"]
SITES = ["north", "south", "east", "harbour"]


def make_machines(n, rng):
    """Return a table of n machines."""
    site, worn = rng.integers(len(SITES), size=n), rng.random(n) < 0.3
    rate = 0.1 + 0.02 * worn * (1 + (site == 3)) + 0.005 * rng.standard_normal(n)
    angle = rate[:, None] * np.arange(N_STEPS) + rng.uniform(0, 6, n)[:, None]
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * N_STEPS)
    values = {
        "current": 5 + np.sin(angle) + 0.5 * rng.standard_normal(angle.shape),
        "voltage": 230 + 3 * np.cos(angle) + rng.standard_normal(angle.shape),
    }
    columns = {
        name: pa.ListArray.from_arrays(offsets, pa.array(x.astype(np.float32).ravel()))
        for name, x in values.items()
    }
    columns["note"] = pa.array(rng.choice(NOTES, n))
    columns["site"] = pa.array(np.array(SITES)[site])
    columns["state"] = pa.array(np.array(CLASSES)[worn.astype(int)])
    return pa.table(columns)


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "machines.parquet"
rng = np.random.default_rng(0)
with pq.ParquetWriter(path, make_machines(1, rng).schema) as writer:
    for _ in range(N_MACHINES // ROWS_OF_A_GROUP):
        writer.write_table(make_machines(ROWS_OF_A_GROUP, rng))
n_bytes = N_MACHINES * N_STEPS * len(SERIES) * 4
print(f"{N_MACHINES} machines, {n_bytes / 2**20:.0f} MiB of series")

# %%
# The groups are read one after the other; the last one is kept for the score. Each time that one
# has been worked on, what was held at most is noted.

tracemalloc.start()
used = []  # MiB, at most, while each group was worked on
file = pq.ParquetFile(path)
n_groups = file.num_row_groups - 1


def groups_to_train_on(columns=None):
    """Yield tables; note what memory they and all that is made of them take."""
    for i in range(n_groups):
        tracemalloc.reset_peak()
        table = file.read_row_group(i, columns, use_threads=False)
        yield table
        used.append((tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes()) / 2**20)


# %%
# The first pass. A column of a Parquet file is read without the others. The scaler of the steps
# learns group by group, and ``SequenceVectorizer`` takes a generator of texts.

scaler, n_of_class, sites = PerTimestep(StandardScaler()), Counter(), set()


def notes():
    for table in groups_to_train_on():
        scaler.partial_fit(table.select(SERIES))
        n_of_class.update(table["state"].to_pylist())
        sites.update(table["site"].to_pylist())
        yield from table["note"].to_pylist()


words = SequenceVectorizer().fit(notes())
n_rows = sum(n_of_class.values())
class_weight = {name: n_rows / len(CLASSES) / n for name, n in n_of_class.items()}
print(f"{n_rows} rows to train on, {len(words.vocabulary_)} words, {len(sites)} sites")

# %%
# Two more, to train. ``FrozenEstimator`` of scikit-learn keeps what the first pass has learned.
# ``max_iter`` is the number of calls: so the learning rate comes down in the last of them.

N_EPOCHS = 2

series = SeriesBranch(FrozenEstimator(scaler), scaling=None, hidden_layer_sizes=16, patch_size=20)
note = TokenBranch(FrozenEstimator(words), embedding_dim=8, hidden_layer_sizes=8)
model = MultimodalGRUClassifier(
    [
        ("note", note, "note"),
        ("series", series, SERIES),
        ("site", TableBranch(OneHotEncoder(categories=[sorted(sites)])), ["site"]),
    ],
    batch_size=125,
    class_weight=class_weight,
    hidden_layer_sizes=16,
    max_iter=N_EPOCHS * n_groups,
    random_state=0,
)
losses = []
for epoch in range(N_EPOCHS):
    for table in groups_to_train_on():
        model.partial_fit(table.drop(["state"]), table["state"], classes=CLASSES)
        losses.append(model.loss_)
        if len(losses) % 20 == 0:
            print(f"epoch {epoch + 1}, {len(losses)} groups: loss {model.loss_:.3f}")

test = file.read_row_group(n_groups)
accuracy = model.score(test.drop(["state"]), test["state"])
print(f"accuracy on the last {len(test)} rows {accuracy:.3f}")
print(f"{max(used):.0f} MiB held at most, of {n_bytes / 2**20:.0f} MiB of series")

tracemalloc.stop()
file.close()
folder.cleanup()

# %%
# The memory of the training depends on the size of a group, not on that of the file: it is the same
# in the first group and in the last one, and a longer file would only take longer. While all is
# gathered, what the vectorizer holds of each note adds up. Below, the loss of each group.

figure, (above, below) = plt.subplots(2, 1, figsize=(7, 4.5), layout="constrained", sharex=True)
above.plot(np.arange(1, len(used) + 1), used, label="held at most")
above.axhline(n_bytes / 2**20, color="C3", linestyle="--", label="all series at once")
above.set(ylabel="memory [MiB]", ylim=(0, None))
above.legend(loc="center right")
below.plot(np.arange(len(used) - len(losses), len(used)) + 1, losses, color="C1")
below.set(ylabel="loss", ylim=(0, None), xlabel="groups of rows read")
for i, name in enumerate(["gathering", *(f"epoch {epoch + 1}" for epoch in range(N_EPOCHS))]):
    for ax in (above, below):
        ax.axvline(i * n_groups + 0.5, color="0.5", linewidth=0.8)
    below.annotate(f" {name}", (i * n_groups + 0.5, 0), va="bottom")
plt.show()
