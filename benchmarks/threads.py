"""The time of a fit on one thread and on two, with Python's lock and without it.

    python benchmarks/threads.py [WORKLOAD ...] [--rounds 7] [--python path/to/python3.14t]

The workloads are those of `against_peers.py`. Threads of one process take turns at Python itself,
which a lock guards, and compute side by side only within NumPy's calls. A free-threaded Python has
no such lock, unless ``PYTHON_GIL=1`` asks for it: where the interpreter is such a one, its fits are
timed with the lock and without. Printed are the medians of alternating rounds, and of the ratios
of a round: what a second thread brings.
"""

import argparse
import os
import statistics
import subprocess
import sys

from against_peers import WORKLOADS, measure


def locks(python):
    """Return the values of ``PYTHON_GIL`` that the interpreter knows: None, or "1" and "0"."""
    ask = "import sysconfig; print(sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
    return ["1", "0"] if int(answer) else [None]


def fit_seconds(name, python, lock, n_threads):
    """Return the seconds of a fit in a process of its own."""
    if lock is not None:
        os.environ["PYTHON_GIL"] = lock
    return measure("skgru", name, python, n_threads)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=["wide", "lstm"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", default=sys.executable, help="the interpreter, with skgru")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"expected workloads among {list(WORKLOADS)}, got {sorted(unknown)}")
    for name in options.workloads:
        cases = [(lock, n) for lock in locks(options.python) for n in (1, 2)]
        found = {case: [] for case in cases}
        for _ in range(options.rounds):
            for case in cases:
                found[case].append(fit_seconds(name, options.python, *case))
        print(name)
        for lock in locks(options.python):
            one, two = found[lock, 1], found[lock, 2]
            gain = statistics.median(a / b for a, b in zip(one, two, strict=True))
            print(
                f"  {'without the lock' if lock == '0' else 'with the lock':18}"
                f"one thread {statistics.median(one):6.3f} s   two {statistics.median(two):6.3f} s"
                f"   one / two {gain:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
