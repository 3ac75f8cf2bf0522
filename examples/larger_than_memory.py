"""Train on a file that is larger than the memory that the training may use.

    python examples/larger_than_memory.py

The program limits its own memory to 150 MiB beside what the libraries take (RLIMIT_DATA, which
Linux has; elsewhere it says that there is no limit) and writes a Parquet file of machines: for each
two series of 400 steps (lists of float32), a note and a site, 305 MiB of series in all. To hold all
of them at once is a MemoryError.

The first pass gathers what has to be known of all data: the scale of the series, the words of the
notes, the sites, how frequent the classes are. The second and third train on batches of rows; the
last group of rows is kept for the score. Statistics of the first pass are frozen in the branches of
the network, so that what comes out predicts on raw tables.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

# Arrow reads it when it is imported: its other allocators reserve 1 GiB that they may need later.
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"

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

N_STEPS, ROWS_OF_A_GROUP = 400, 1000
SERIES, CLASSES = ["current", "voltage"], ["runs", "worn"]
NOTES = ["all quiet", "hums a little", "new belt in spring", "bearing changed", "no remarks"]
SITES = ["north", "south", "east", "harbour"]


def make_rows(n, rng):
    """Return a table of n machines; worn ones swing faster, most of all in the harbour."""
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


def write(path, n, seed=0):
    """Write n machines, a group of rows at a time, and return the bytes of their series."""
    rng = np.random.default_rng(seed)
    schema = make_rows(1, rng).schema
    texts = ["note", "site", "state"]  # a dictionary of the numbers would take memory
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=texts) as writer:
        for start in range(0, n, ROWS_OF_A_GROUP):
            writer.write_table(make_rows(min(ROWS_OF_A_GROUP, n - start), rng))
    return n * N_STEPS * len(SERIES) * 4


def limit_memory(n_bytes):
    """Limit what the process may use beside what it has; return whether the system can do so."""
    if sys.platform != "linux":
        return False
    import resource

    status = Path("/proc/self/status").read_text()
    own = int(status.split("VmData:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (own + n_bytes, resource.RLIM_INFINITY))
    return True


def groups_of(file, columns=None):
    """Yield the groups of rows to train on, each a table."""
    for i in range(file.num_row_groups - 1):
        yield file.read_row_group(i, columns)


def network(words, scaler, sites, class_weight, n_calls):
    """Return the network, which has the statistics of all data in its branches."""
    notes = TokenBranch(FrozenEstimator(words), embedding_dim=8, hidden_layer_sizes=8)
    series = SeriesBranch(
        FrozenEstimator(scaler), scaling=None, hidden_layer_sizes=16, patch_size=20
    )
    return MultimodalGRUClassifier(
        [
            ("note", notes, "note"),
            ("series", series, SERIES),
            ("site", TableBranch(OneHotEncoder(categories=[sites])), ["site"]),
        ],
        batch_size=100,
        class_weight=class_weight,
        hidden_layer_sizes=16,
        max_iter=n_calls,  # an epoch of each call: so the learning rate comes down in the end
        random_state=0,
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--memory", type=int, default=150, help="MiB, beside the libraries")
    options = parser.parse_args(argv)
    pa.set_cpu_count(1)  # each thread would have memory of its own
    pa.set_io_thread_count(1)
    if limit_memory(options.memory * 2**20):
        print(f"memory limited to {options.memory} MiB beside the libraries")
    else:
        print("this system does not limit the memory of a process: only little of it is used")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machines.parquet"
        n_bytes = write(path, options.machines)
        print(f"{options.machines} machines, {n_bytes / 2**20:.0f} MiB of series")
        try:
            np.empty(n_bytes, np.uint8)
            print("there is memory for all of them at once")
        except MemoryError:
            print("there is no memory for all of them at once")

        # The first pass. A column of a Parquet file is read without the others.
        file = pq.ParquetFile(path)
        scaler, n_of_class, sites = PerTimestep(StandardScaler()), Counter(), set()
        for table in groups_of(file, [*SERIES, "site", "state"]):
            scaler.partial_fit(table.select(SERIES))
            n_of_class.update(table["state"].to_pylist())
            sites.update(table["site"].to_pylist())
        notes = (note for table in groups_of(file, ["note"]) for note in table["note"].to_pylist())
        words = SequenceVectorizer().fit(notes)
        n_rows = sum(n_of_class.values())
        class_weight = {name: n_rows / len(CLASSES) / n for name, n in n_of_class.items()}
        print(f"{n_rows} rows to train on, {len(words.vocabulary_)} words, {len(sites)} sites")

        # Two more, to train.
        n_groups = file.num_row_groups - 1
        model = network(words, scaler, sorted(sites), class_weight, options.epochs * n_groups)
        for epoch in range(options.epochs):
            for table in groups_of(file):
                model.partial_fit(table.drop(["state"]), table["state"], classes=CLASSES)
            print(f"epoch {epoch + 1}: loss {model.loss_:.3f}")

        test = file.read_row_group(n_groups)
        accuracy = model.score(test.drop(["state"]), test["state"])
        print(f"accuracy on the last {len(test)} rows {accuracy:.3f}")


if __name__ == "__main__":
    main()
