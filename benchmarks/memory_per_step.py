"""The memory of an update for each step of a batch: what a longer sequence costs.

    python benchmarks/memory_per_step.py [--units 64] [--steps 2000]

A batch of 16 sequences, one feature a step, is fitted for one epoch: of so many steps, and of twice
as many. Printed are the bytes by which the peaks differ, for each step of a sequence, of each cell,
in one direction and in both, of the last state and with three poolings, that read all states. X
itself, 4 bytes a step, is not counted. Linux only.
"""

import argparse
import gc
import json
import warnings

import numpy as np
from memory import memory, reset_peak
from workers import run_worker

N_SEQUENCES = 16
CELLS = "gru", "lstm", "rnn", "mingru"
POOLINGS = {"last": "last", "last, mean, max": ("last", "mean", "max")}
ONE, BOTH = "one direction", "both directions"


def work(cell, direction, pooling, n_steps, n_units):
    """Print the bytes that the peak of a fit lies above what the process held before."""
    from skgru import GRUClassifier

    warnings.simplefilter("ignore")  # the epochs are given
    X = np.random.default_rng(0).standard_normal((N_SEQUENCES, n_steps, 1), np.float32)
    y = np.arange(N_SEQUENCES) % 2
    model = GRUClassifier(
        n_units,
        cell=cell,
        bidirectional=direction == BOTH,
        pooling=POOLINGS[pooling],
        patch_size=1,
        n_convolutions=0,
        batch_size=N_SEQUENCES,
        max_iter=1,
        random_state=0,
    )
    model.fit(X[:, :50], y)  # what the libraries hold for themselves is there then
    gc.collect()
    reset_peak()
    before = memory("VmRSS")
    model.fit(X, y)
    print(json.dumps(memory("VmHWM") - before))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        cell, direction, pooling, n_steps, n_units = options.worker
        return work(cell, direction, pooling, int(n_steps), int(n_units))

    print(f"bytes for each step of a sequence, {options.units} units, single precision")
    print(f"{'':8s}{'':16s}" + "".join(f"{name:>17s}" for name in POOLINGS))
    for cell in CELLS:
        for direction in (ONE, BOTH):
            shown = []
            for pooling in POOLINGS:
                peaks = [
                    run_worker(__file__, cell, direction, pooling, n, options.units)
                    for n in (options.steps, 2 * options.steps)
                ]
                shown.append((peaks[1] - peaks[0]) / N_SEQUENCES / options.steps)
            figures = "".join(f"{figure:17.0f}" for figure in shown)
            print(f"{cell:8s}{direction:16s}{figures}", flush=True)


if __name__ == "__main__":
    main()
