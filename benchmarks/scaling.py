"""How the time of a fit grows: with the steps, the samples, the units, and unequal lengths.

    python benchmarks/scaling.py [--rounds 3] [steps samples units ragged large]

Each line is the time per step and sample (for `units`, per multiplication), divided by the median
of the lines it stands with; all 1 would be growth in proportion. Timed is one epoch, in batches of
32. Each case has run once before the rounds: its memory is then no longer new to the process, which
can cost as much as the first update.

`large` goes up to what is large for one machine, in processes of their own, once each: seconds
and megabytes (10⁶ bytes) beside the data of a fit of one epoch, for a tenth, a third and all of the
work, each divided by the work. Linux only.
"""

import argparse
import gc
import json
import statistics
import time
import warnings

import numpy as np
from memory import memory, reset_peak
from sklearn.exceptions import ConvergenceWarning
from workers import PLAIN, run_worker

from skgru import GRUClassifier, GRURegressor


def fit_seconds(X, n_units=64, batch_size=32):
    """Return the seconds of one epoch over the sequences X."""
    y = np.array([x[-1].mean() for x in X])
    model = GRURegressor(
        hidden_layer_sizes=n_units,
        batch_size=batch_size,
        max_iter=1,
        **PLAIN,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(X, y)
        return time.perf_counter() - start


def sequences(rng, lengths, n_features=4):
    return [rng.standard_normal((n, n_features)).astype(np.float32) for n in lengths]


def compare(title, cases, rounds):
    """Print the seconds per unit of work of each case, relative to the median of all.

    `cases` maps a name to (function that returns seconds, units of work).
    """
    per_work = {name: [] for name in cases}
    for run, _ in cases.values():
        run()
    for _ in range(rounds):
        for name, (run, work) in cases.items():
            per_work[name].append(run() / work)
    medians = {name: statistics.median(values) for name, values in per_work.items()}
    middle = statistics.median(medians.values())
    print(title)
    for name, value in medians.items():
        print(f"  {name:>24s}   {value / middle:.2f}", flush=True)
    print(f"  {'slowest / quickest':>24s}   {max(medians.values()) / min(medians.values()):.2f}")


def long_sequences(rng, n):
    """10 million steps of 10,000 sequences."""
    X = rng.standard_normal((n, 1000, 2), np.float32)
    return X, X[:, -1, 0], n * 1000


def short_sequences(rng, n):
    """1 million sequences of 5 steps."""
    X = rng.standard_normal((n, 5, 1), np.float32)
    return X, X[:, -1, 0], n


def many_classes(rng, n):
    """100,000 classes of one sample each; the work is samples times classes."""
    return rng.standard_normal((n, 3, 2), np.float32), np.arange(n), n * n


def many_words(rng, n):
    """1 million words, with an embedding of 8 dimensions, in 200,000 sequences of 5 tokens.

    There are as many sequences where the words are fewer.
    """
    X = 2 + rng.permutation(1_000_000).reshape(200_000, 5).astype(np.int32) % n
    return X, (X[:, 0] % 7).astype(float), n


def many_rows(rng, n):
    """A frame of 1 million rows of 10 columns."""
    import pandas as pd

    X = pd.DataFrame(rng.standard_normal((n, 10), np.float32), columns=list("abcdefghij"))
    return X, X["a"].to_numpy(), n


LARGE = {  # what is made, how many of it, what else is set
    "steps": (long_sequences, 10_000, {}),
    "sequences": (short_sequences, 1_000_000, {}),
    "classes": (many_classes, 100_000, {"batch_size": 100}),
    "words": (many_words, 1_000_000, {"embedding_dim": 8, "freeze_embedding": False}),
    "rows": (many_rows, 1_000_000, {}),
}


def work(name, n):
    """Print the seconds, the memory beside the data, and the work of a fit in this process."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    make, _, settings = LARGE[name]
    rng = np.random.default_rng(0)
    kind = GRUClassifier if name == "classes" else GRURegressor
    also = {"bag": False} if kind is GRUClassifier else {}
    model = kind(
        16,
        **{"batch_size": 1000, "max_iter": 1, **PLAIN, "n_convolutions": 0, **also, **settings},
        early_stopping=False,
        random_state=0,
    )
    X, y, _ = make(rng, 50)
    model.fit(X[:50], y[:50])  # what is loaded late
    X, y, units = make(rng, n)
    gc.collect()
    reset_peak()
    before, start = memory("VmRSS"), time.perf_counter()
    model.fit(X, y)
    print(json.dumps([time.perf_counter() - start, (memory("VmHWM") - before) / 1e6, units]))


def show_large():
    """Print what fits take for a tenth, a third and all of what is large."""
    print("fits of one epoch: seconds, MB beside the data; both for the work, over those of all")
    for name, (make, n, _) in LARGE.items():
        sizes = [n // 10, n // 3, n]
        found = np.array([run_worker(__file__, name, size) for size in sizes])
        ratios = found[:, :2] / found[:, 2:] / (found[-1, :2] / found[-1, 2])
        print(make.__doc__.splitlines()[0])
        for size, (seconds, megabytes, _), ratio in zip(sizes, found, ratios, strict=True):
            values = f"{seconds:8.1f} s {megabytes:8.0f} MB {ratio[0]:9.2f} {ratio[1]:6.2f}"
            print(f"  {size:>9d} {values}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    subjects = ("steps", "samples", "units", "ragged", "large")
    parser.add_argument("subjects", nargs="*", default=list(subjects), metavar="SUBJECT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(options.worker[0], int(options.worker[1]))
    if set(options.subjects) - set(subjects):
        parser.error(f"expected subjects among {subjects}, got {options.subjects}")
    rng = np.random.default_rng(0)
    total = 320_000  # steps of all sequences

    def case(lengths, work=None, **how):
        X = sequences(rng, lengths)
        return lambda: fit_seconds(X, **how), work or sum(lengths)

    fit_seconds(sequences(rng, [10] * 64))  # the first fit loads what is loaded late
    if "steps" in options.subjects:
        cases = {f"{T} steps": case([T] * (total // T)) for T in (50, 200, 1000, 5000)}
        compare("time per step and sample, batches of 32 sequences of", cases, options.rounds)
    if "samples" in options.subjects:
        cases = {f"{n} samples": case([20] * n) for n in (1000, 10_000, 100_000)}
        compare("time per step and sample, sequences of 20 steps,", cases, options.rounds)
    if "units" in options.subjects:
        cases = {
            f"{H} units": case([50] * 640, 32_000 * H * (H + 4), n_units=H)
            for H in (32, 64, 128, 256)
        }
        compare("time per multiplication, layers of", cases, options.rounds)
    if "ragged" in options.subjects:
        lengths = [int(n) for n in np.geomspace(5, 500, 3200)]
        mean = round(np.mean(lengths))
        cases = {"5 to 500 steps": case(lengths), f"all {mean} steps": case([mean] * 3200)}
        compare("time per step and sample, sequences of", cases, options.rounds)
    if "large" in options.subjects:
        show_large()


if __name__ == "__main__":
    main()
