"""Two checkouts of skgru: the time and the memory of this one beside those of another.

    python benchmarks/commits.py OTHER_CHECKOUT [--runs 7] [--only text ragged ... kernel request]

Measured are fit, predict and peak memory of networks with equal work (the workloads of
`against_peers.py`, whose epochs are given), a layer's forward and backward pass (`kernel.py`) and
the prediction of one sequence (`request.py`). The runs alternate, each in a process of its own,
with either checkout first by turns. All but the kernel's are this checkout's benchmarks, with
either skgru; the kernel is timed by each checkout's own `kernel.py`, which knows the names of the
parts there.

The ratios are this checkout's over the other's: of the medians, and of the least values, which a
busy machine disturbs less. Above 1, this one needs more. A checkout beside itself shows how far
from 1 is chance. Linux and macOS only.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import against_peers
import numpy as np
import request

FITS = ("text", "ragged", "small", "windows")
KERNEL_SIZES = [  # sequences, steps, inputs, units
    (16, 100, 6, 32),
    (32, 30, 32, 64),
    (200, 24, 1, 32),
    (64, 100, 64, 64),
    (128, 50, 100, 128),
]
N_PASSES = 40
N_REQUESTS = 1000

HERE = Path(__file__).resolve().parents[1]

WHERE = "import skgru; print(skgru.__file__)"
KERNEL = """
import json, statistics, sys, time
import numpy as np
from threadpoolctl import threadpool_limits
from kernel import make_layer

sizes, n_passes = json.loads(sys.argv[1])
medians = []
with threadpool_limits(1):
    for size in sizes:
        run = make_layer(np.random.default_rng(0), "gru", *size)
        seconds = []
        for _ in range(n_passes + 2):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        medians.append(1e3 * statistics.median(seconds[2:]))  # the first two reach for memory
print(json.dumps(medians))
"""


def run_program(program, paths, *arguments):
    """Return what a program prints that imports from some folders first, and not from here."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-P", "-c", program, *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def check_checkout(checkout):
    """Make sure that this checkout's skgru is what is measured; compile it, once for all runs."""
    found = Path(run_program(WHERE, [checkout]).strip()).resolve()
    if not found.is_relative_to(checkout):
        sys.exit(f"expected skgru in {checkout}, found {found}")


def measure(name, checkout):
    """Return the quantities of a name, as UNITS has them, of one process."""
    if name == "kernel":
        paths = [checkout, checkout / "benchmarks"]
        return json.loads(run_program(KERNEL, paths, json.dumps([KERNEL_SIZES, N_PASSES])))
    if name == "request":
        return request.measure("skgru", N_REQUESTS, path=str(checkout))
    return against_peers.measure("skgru", name, sys.executable, path=str(checkout))


UNITS = dict.fromkeys(FITS, ("fit, s", "predict, s", "memory, MB")) | {
    "kernel": tuple("B {} T {} D {} H {}, ms".format(*size) for size in KERNEL_SIZES),
    "request": ("3-D array, µs", "list, µs"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, metavar="OTHER_CHECKOUT")
    parser.add_argument("--runs", type=int, default=7, help="of each checkout")
    parser.add_argument("--only", nargs="+", choices=UNITS, default=list(UNITS))
    options = parser.parse_args()
    checkouts = [HERE, options.other.resolve()]
    for checkout in checkouts:
        check_checkout(checkout)

    print(f"{options.runs} runs of each; ratios above 1: this checkout needs more")
    print(f"{'':34s}{'this':>10s}{'other':>10s}   ratio of medians   of the least")
    for name in options.only:
        runs = [[], []]
        for i in range(options.runs):
            for which in (0, 1) if i % 2 == 0 else (1, 0):
                runs[which].append(measure(name, checkouts[which]))
        runs = np.array(runs)
        medians, least = np.median(runs, axis=1), runs.min(axis=1)
        for unit, median, low in zip(UNITS[name], medians.T, least.T, strict=True):
            print(
                f"{name + ' ' + unit:34s}{median[0]:10.4g}{median[1]:10.4g}"
                f"{median[0] / median[1]:19.3f}{low[0] / low[1]:15.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
