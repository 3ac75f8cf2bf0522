"""Fit, predict and memory: skgru beside the same network in PyTorch, skorch and Keras.

    python benchmarks/against_peers.py [WORKLOAD ...] [--rounds 3] [--peers PEER ...]
    python benchmarks/against_peers.py --python keras=path/to/another/environment/bin/python

All train embedding (text only) → one recurrent layer, a GRU but where the workload is called
lstm or rnn → last state → dense head with Adam for the same
number of epochs and the same batch size, in float32 on the CPU, each in a process of its own. skgru
runs as it is by default (it also scales the input and clips gradients), each peer with one thread
and with two. PyTorch runs on padded and on packed batches, Keras on the backend that KERAS_BACKEND
names. A peer that is not installed is left out.

Timed is what a user waits for: from the sequences to the fitted model, and the prediction of the
training set, which the peers then have padded already. Memory is the peak of the whole process,
imports included. The ratios are of one round: the least of all peers and numbers of threads, for
each quantity on its own, over skgru's. Linux and macOS only.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from typing import NamedTuple

import numpy as np
from peers import PACKAGES, PEERS
from workers import PLAIN, run_worker


class Workload(NamedTuple):
    """A data set to make, and how to train on it."""

    n_sequences: int
    lengths: tuple[int, int]
    n_features: int  # of numeric input; dimensions of the embedding for text
    n_tokens: int  # 0: numeric input
    n_units: int
    batch_size: int
    n_epochs: int
    n_classes: int  # 0: regression
    cell: str = "gru"


WORKLOADS = {
    "text": Workload(8000, (4, 56), 32, 8000, 64, 32, 2, 2),
    "ragged": Workload(600, (7, 120), 12, 0, 64, 32, 12, 9),
    "windows": Workload(8000, (24, 24), 1, 0, 32, 200, 10, 0),
    "small": Workload(300, (100, 100), 6, 0, 32, 16, 20, 4),
    "long": Workload(256, (1000, 1000), 4, 0, 64, 32, 1, 3),
    "wide": Workload(2000, (50, 50), 100, 0, 128, 128, 2, 5),
    "lstm": Workload(600, (7, 120), 12, 0, 64, 32, 12, 9, "lstm"),
    "rnn": Workload(600, (7, 120), 12, 0, 64, 32, 12, 9, "rnn"),
}

LIST_MISSING = """
import sys
from importlib.util import find_spec
print(*(package for package in sys.argv[1:] if find_spec(package) is None))
"""


def make_data(workload):
    """Return sequences, and targets that depend on them.

    The sequences are one array if they are equally long, else a list of arrays.
    """
    rng = np.random.default_rng(0)
    low, high = workload.lengths
    share = rng.beta(1.5, 3.5, workload.n_sequences)
    share[:2] = 0, 1
    lengths = np.rint(low + share * (high - low)).astype(int)
    if workload.n_tokens:
        ids = np.arange(2, workload.n_tokens)
        frequency = (1 / ids) / (1 / ids).sum()
        X = [rng.choice(ids, size=n, p=frequency) for n in lengths]
        key = np.array([np.mean(x % 7) for x in X])
    else:
        X = [_walk(rng, n, workload.n_features) for n in lengths]
        key = np.array([x[-5:].mean() for x in X])
    if low == high:
        X = np.stack(X)
    if not workload.n_classes:
        return X, key.astype(np.float32)
    edges = np.quantile(key, np.linspace(0, 1, workload.n_classes + 1)[1:-1])
    return X, np.searchsorted(edges, key)


def _walk(rng, n_steps, n_features):
    """Return random walks, scaled to variance 1 at every step."""
    walk = rng.standard_normal((n_steps, n_features)).cumsum(axis=0)
    return (walk / np.sqrt(np.arange(1, n_steps + 1))[:, None]).astype(np.float32)


def run_skgru(workload, X, y):
    """Return the seconds of fit and of predict."""
    from skgru import GRUClassifier, GRURegressor

    warnings.simplefilter("ignore")  # ConvergenceWarning: the epochs are given
    estimator = (GRUClassifier if workload.n_classes else GRURegressor)(
        hidden_layer_sizes=workload.n_units,
        cell=workload.cell,
        batch_size=workload.batch_size,
        max_iter=workload.n_epochs,
        n_iter_no_change=np.inf,
        learning_rate="constant",
        learning_rate_init=1e-3,
        weight_decay=0,
        **PLAIN,
        dropout=0,
        embedding_dim=workload.n_features if workload.n_tokens else None,
        bag=False,
        random_state=0,
    )
    start = time.perf_counter()
    estimator.fit(X, y)
    fitted = time.perf_counter()
    estimator.predict(X)
    return fitted - start, time.perf_counter() - fitted


def peak_memory():
    """Return the most memory that this process has held, in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def measure(implementation, name, python, n_threads=None, path=None):
    """Return seconds of fit, seconds of predict and MB of memory of a process of its own."""
    worker = implementation, name
    return np.array(run_worker(__file__, *worker, python=python, n_threads=n_threads, path=path))


def measure_best(peer, name, python):
    """Return the least of each quantity with one thread and with two."""
    return np.minimum(measure(peer, name, python, 1), measure(peer, name, python, 2))


def is_installed(peer, python):
    """Tell whether a peer's packages are there; if not, say which are missing."""
    command = [python, "-c", LIST_MISSING, *PACKAGES[peer]]
    missing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    if missing:
        print(f"{peer} is left out: {' and '.join(missing)} not installed")
    return not missing


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=INTERPRETER",
        help="where a peer, or skgru, is installed, if not here",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"expected workloads among {list(WORKLOADS)}, got {sorted(unknown)}")
    given = dict(pair.partition("=")[::2] for pair in options.python)
    options.pythons = dict.fromkeys(["skgru", *PEERS], sys.executable)
    if not (given.keys() <= options.pythons.keys() and all(given.values())):
        parser.error(f"expected --python PEER=INTERPRETER, got {options.python}")
    options.pythons |= given
    return options


def main():
    options = parse()
    if options.worker:
        workload = WORKLOADS[options.workloads[0]]
        run = {"skgru": run_skgru, **PEERS}[options.worker]
        print(json.dumps([*run(workload, *make_data(workload)), peak_memory()]))
        return

    pythons = options.pythons
    peers = [peer for peer in options.peers if is_installed(peer, pythons[peer])]
    if not peers:
        sys.exit("no peer is installed")
    print(f"medians of {options.rounds} rounds; ratios above 1: skgru needs less than any peer")
    fit_ratios = []
    for name in options.workloads:
        rounds = np.array(
            [
                [
                    measure("skgru", name, pythons["skgru"]),
                    *(measure_best(peer, name, pythons[peer]) for peer in peers),
                ]
                for _ in range(options.rounds)
            ]
        )
        print(name)
        for implementation, row in zip(["skgru", *peers], np.median(rounds, axis=0), strict=True):
            fit, predict, memory = row
            print(
                f"  {implementation:17s} fit {fit:7.3f} s   predict {predict:7.3f} s   "
                f"memory {memory:5.0f} MB"
            )
        fit, predict, memory = np.median(rounds[:, 1:].min(axis=1) / rounds[:, 0], axis=0)
        fit_ratios.append(fit)
        print(
            f"  best peer / skgru fit {fit:7.2f}     predict {predict:7.2f}     "
            f"memory {memory:5.2f}",
            flush=True,
        )
    print(f"fit, geometric mean of the ratios: {statistics.geometric_mean(fit_ratios):.2f}")


if __name__ == "__main__":
    main()
