"""How the time of a fit grows: with the steps, the samples, the units, and unequal lengths.

    python benchmarks/scaling.py [--rounds 3] [steps samples units ragged]

Each line is the time per step and sample (for `units`, per multiplication), divided by the median
of the lines it stands with; all 1 would be growth in proportion. Timed is one epoch, in batches of
32. Each case has run once before the rounds: its memory is then no longer new to the process, which
can cost as much as the first update.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from workers import PLAIN

from skgru import GRURegressor


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    subjects = ("steps", "samples", "units", "ragged")
    parser.add_argument("subjects", nargs="*", default=list(subjects), metavar="SUBJECT")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
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


if __name__ == "__main__":
    main()
