"""Fit and predict: skgru beside the same network in PyTorch, each in a process of its own.

    python benchmarks/fit_against_torch.py [--rounds 3] [WORKLOAD ...]

Both train embedding (text only) → one GRU layer → last state → dense head with Adam for the same
number of epochs and the same batch size, in float32. PyTorch reads zero-padded batches, cut to
their longest sequence: on a CPU that is faster than packed sequences. It runs once with one thread
and once with two; the faster one counts. A ratio above 1 means that skgru is faster. Timed is what
a user waits for: from the data to the fitted model, and the prediction of the training set.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from typing import NamedTuple

import numpy as np


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


WORKLOADS = {
    "text": Workload(8000, (4, 56), 32, 8000, 64, 32, 2, 2),
    "ragged": Workload(600, (7, 120), 12, 0, 64, 32, 12, 9),
    "windows": Workload(8000, (24, 24), 1, 0, 32, 200, 10, 0),
    "long": Workload(256, (1000, 1000), 4, 0, 64, 32, 1, 3),
    "wide": Workload(2000, (50, 50), 100, 0, 128, 128, 2, 5),
}


def make_data(workload):
    """Return sequences, as a list of arrays, and targets that depend on them."""
    rng = np.random.default_rng(0)
    low, high = workload.lengths
    share = rng.beta(1.5, 3.5, workload.n_sequences)
    lengths = np.rint(low + share * (high - low)).astype(int)
    if workload.n_tokens:
        ids = np.arange(2, workload.n_tokens)
        frequency = (1 / ids) / (1 / ids).sum()
        X = [rng.choice(ids, size=n, p=frequency) for n in lengths]
        key = np.array([np.mean(x % 7) for x in X])
    else:
        X = [
            rng.standard_normal((n, workload.n_features)).cumsum(axis=0).astype(np.float32)
            for n in lengths
        ]
        key = np.array([x[-5:].mean() for x in X])
    if not workload.n_classes:
        return X, key.astype(np.float32)
    edges = np.quantile(key, np.linspace(0, 1, workload.n_classes + 1)[1:-1])
    return X, np.searchsorted(edges, key)


def run_skgru(workload, X, y):
    """Return the seconds of fit and of predict."""
    from skgru import GRUClassifier, GRURegressor

    warnings.simplefilter("ignore")  # ConvergenceWarning: the epochs are given
    estimator = (GRUClassifier if workload.n_classes else GRURegressor)(
        hidden_layer_sizes=workload.n_units,
        batch_size=workload.batch_size,
        max_iter=workload.n_epochs,
        n_iter_no_change=np.inf,
        learning_rate_init=1e-3,
        embedding_dim=workload.n_features if workload.n_tokens else None,
        random_state=0,
    )
    start = time.perf_counter()
    estimator.fit(X, y)
    fitted = time.perf_counter()
    estimator.predict(X)
    return fitted - start, time.perf_counter() - fitted


def run_torch(workload, X, y, n_threads):
    """Return the seconds of fit and of predict."""
    import torch
    from torch import nn

    torch.set_num_threads(n_threads)
    torch.manual_seed(0)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Identity()
            if workload.n_tokens:
                self.embed = nn.Embedding(workload.n_tokens, workload.n_features, padding_idx=0)
            self.gru = nn.GRU(workload.n_features, workload.n_units, batch_first=True)
            self.head = nn.Linear(workload.n_units, workload.n_classes or 1)

        def forward(self, x, lengths):
            states, _ = self.gru(self.embed(x))
            return self.head(states[torch.arange(len(x)), lengths - 1])

    # Torch's first optimizer and backward pass load for seconds; that is not the fit.
    warm = nn.Linear(1, 1)
    optimizer = torch.optim.Adam(warm.parameters())
    warm(torch.zeros(1, 1)).sum().backward()
    optimizer.step()

    start = time.perf_counter()
    lengths = torch.tensor([len(x) for x in X])
    longest = int(lengths.max())
    shape = (len(X), longest) if workload.n_tokens else (len(X), longest, workload.n_features)
    padded = np.zeros(shape, np.int64 if workload.n_tokens else np.float32)
    for i, x in enumerate(X):
        padded[i, : len(x)] = x
    data = torch.from_numpy(padded)
    targets = torch.from_numpy(y)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss() if workload.n_classes else nn.MSELoss()
    rng = np.random.default_rng(0)
    for _ in range(workload.n_epochs):
        order = rng.permutation(len(X))
        for first in range(0, len(X), workload.batch_size):
            batch = torch.from_numpy(order[first : first + workload.batch_size])
            optimizer.zero_grad()
            output = network(data[batch, : int(lengths[batch].max())], lengths[batch])
            if not workload.n_classes:
                output = output[:, 0]
            loss_of(output, targets[batch]).backward()
            optimizer.step()
    fitted = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(X), 256):
            part = slice(first, first + 256)
            network(data[part, : int(lengths[part].max())], lengths[part])
    return fitted - start, time.perf_counter() - fitted


def measure(name, implementation, n_threads):
    """Return the seconds of fit and predict, measured in a process of its own."""
    threads = {v: str(n_threads) for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    command = [sys.executable, __file__, "--worker", implementation, str(n_threads), name]
    done = subprocess.run(
        command, env=os.environ | threads, capture_output=True, text=True, check=True
    )
    return np.array(json.loads(done.stdout))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"expected workloads among {list(WORKLOADS)}, got {sorted(unknown)}")

    if options.worker:
        implementation, n_threads = options.worker
        workload = WORKLOADS[options.workloads[0]]
        X, y = make_data(workload)
        if implementation == "skgru":
            seconds = run_skgru(workload, X, y)
        else:
            seconds = run_torch(workload, X, y, int(n_threads))
        print(json.dumps(seconds))
        return

    print("seconds of torch / seconds of skgru, median over the rounds; above 1, skgru is faster")
    fit_ratios = []
    for name in options.workloads:
        ratios = []
        for _ in range(options.rounds):
            ours = measure(name, "skgru", 2)
            theirs = np.minimum(measure(name, "torch", 1), measure(name, "torch", 2))
            ratios.append(theirs / ours)
        fit, predict = np.median(ratios, axis=0)
        fit_ratios.append(fit)
        print(f"{name:10s} fit {fit:5.2f}   predict {predict:5.2f}", flush=True)
    print(f"fit, geometric mean: {statistics.geometric_mean(fit_ratios):.2f}")


if __name__ == "__main__":
    main()
