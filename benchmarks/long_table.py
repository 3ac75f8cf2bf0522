"""Time and memory of `make_sequences` and `make_rows` for a long table.

    python benchmarks/long_table.py                            # 10 million rows, 100,000 samples
    python benchmarks/long_table.py --rows 1000000 --library polars --shuffled

Each measurement runs in a process of its own. The peak is what the call takes beside the table, as
a multiple of the table's own size: resident memory, so it counts the result too.
"""

import argparse
import gc
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

LIBRARIES = ("pandas", "polars", "arrow", "dict")


def columns(n_rows, n_samples, shuffled, texts):
    """Return a dict of columns: samples, times, four channels and one static column."""
    rng = np.random.default_rng(0)
    sample = np.sort(rng.integers(0, n_samples, n_rows))
    table = {"run_id": sample, "time": np.arange(n_rows)}
    table |= {f"channel_{j}": rng.normal(size=n_rows) for j in range(4)}
    table["age"] = sample % 90
    if shuffled:
        order = rng.permutation(n_rows)
        table = {name: column[order] for name, column in table.items()}
    if texts:
        table["run_id"] = np.char.add("run-", table["run_id"].astype(str)).astype(object)
    return table


def in_library(table, library):
    """Return a dict of columns as a table of a library."""
    if library == "pandas":
        import pandas as pd

        return pd.DataFrame(table)
    if library == "polars":
        import polars as pl

        return pl.DataFrame({n: c.tolist() if c.dtype == object else c for n, c in table.items()})
    if library == "arrow":
        import pyarrow as pa

        return pa.table(table)
    return table


def resident():
    """Return the resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


class Peak(threading.Thread):
    """The highest resident memory while a block runs."""

    def __enter__(self):
        gc.collect()
        self.start_bytes = self.peak_bytes = resident()
        self.ends = False
        self.start()
        return self

    def run(self):
        while not self.ends:
            self.peak_bytes = max(self.peak_bytes, resident())
            time.sleep(0.005)

    def __exit__(self, *_):
        self.ends = True
        self.join()


def measure(options):
    """Print the time and the memory of both calls."""
    from skgru import make_rows, make_sequences

    before = resident()
    made = columns(options.rows, options.samples, options.shuffled, options.texts)
    table = in_library(made, options.library)
    del made
    gc.collect()
    size = max(resident() - before, 1)
    with Peak() as peak:
        start = time.perf_counter()
        X = make_sequences(table, "run_id", "time", static=["age"])
        seconds = time.perf_counter() - start
    line = f"{options.library:8s} {seconds:8.1f} s {(peak.peak_bytes - before) / size:6.2f} x"
    values = np.arange(len(X) if options.library != "arrow" else X.num_rows)
    with Peak() as peak:
        start = time.perf_counter()
        make_rows(values, table, "run_id", "time")
        seconds = time.perf_counter() - start
    print(
        f"{line} {seconds:8.1f} s {(peak.peak_bytes - before) / size:6.2f} x   {size / 1e6:.0f} MB"
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--library", choices=LIBRARIES, default=None)
    parser.add_argument("--shuffled", action="store_true", help="rows in random order")
    parser.add_argument("--texts", action="store_true", help="samples are texts")
    options = parser.parse_args(argv)
    if options.library:
        measure(options)
        return
    print(f"{options.rows} rows of {options.samples} samples; all memory, table included")
    print("table    make_sequences  memory  make_rows  memory   size of the table")
    for library in LIBRARIES:
        flags = ["--shuffled"] * options.shuffled + ["--texts"] * options.texts
        sizes = ["--rows", str(options.rows), "--samples", str(options.samples)]
        subprocess.run([sys.executable, __file__, "--library", library, *sizes, *flags], check=True)


if __name__ == "__main__":
    main()
