"""Integrated gradients of skgru, beside captum's of the same network in PyTorch.

    pip install torch==2.13.0 captum --extra-index-url https://download.pytorch.org/whl/cpu
    python benchmarks/explain.py [--rounds 5] [--threads 1]

A network of one layer (reset after, as PyTorch's GRU, or an LSTM) and a head for three classes is
fitted for an epoch and its weights are copied. Both explain the same samples for the same class,
from the same baseline, in float32: captum with its 50 points, in one batch and in batches of 256
and 1,024 points, of which the fastest counts; skgru with 50 points, and with as many as
completeness within 1 % needs, which is how it is used. They take turns; a ratio is of one round,
and the median counts. First the results of both are compared: the largest difference of a
contribution, as a share of the largest contribution of its sample.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import torch
from captum.attr import IntegratedGradients
from threadpoolctl import threadpool_limits
from workers import PLAIN

from skgru import GRUClassifier
from skgru.inspection import attributions

SIZES = [  # cell, samples, steps, features, units
    ("gru", 200, 24, 1, 32),
    ("gru", 100, 100, 6, 32),
    ("gru", 100, 100, 64, 64),
    ("gru", 50, 100, 64, 128),
    ("gru", 1, 100, 6, 32),
    ("lstm", 100, 100, 6, 32),
    ("lstm", 50, 100, 64, 128),
]
ORDER = {"gru": (1, 0, 2), "lstm": (1, 2, 3, 0)}  # PyTorch's gates among ours
N_POINTS, N_CLASSES = 50, 3


class Network(torch.nn.Module):
    """The same network, of scaled sequences."""

    def __init__(self, model, cell):
        super().__init__()
        p = {name: np.array(value) for name, value in model.parameters_.items()}
        n_features, n_units = len(p["hidden_0.input_weights"]), len(p["head.weights"])
        kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
        self.layer = kind(n_features, n_units, batch_first=True)
        self.head = torch.nn.Linear(n_units, N_CLASSES)

        def gates(name):
            blocks = np.split(p[f"hidden_0.{name}"], len(ORDER[cell]), axis=-1)
            if cell == "gru":
                blocks[0] = -blocks[0]  # our z weighs the candidate, theirs the state before
            return np.concatenate([blocks[i] for i in ORDER[cell]], axis=-1)

        bias = gates("bias")
        inner = np.zeros_like(bias)
        if cell == "gru":
            inner[-n_units:] = p["hidden_0.recurrent_bias"]
        arrays = {
            "layer.weight_ih_l0": gates("input_weights").T,
            "layer.weight_hh_l0": gates("recurrent_weights").T,
            "layer.bias_ih_l0": bias,
            "layer.bias_hh_l0": inner,
            "head.weight": p["head.weights"].T,
            "head.bias": p["head.bias"],
        }
        self.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


def make_runs(cell, n, T, D, H):
    """Return the functions that explain the same samples."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n + 30, T, D)).astype(np.float32)
    options = {"reset_after": True} if cell == "gru" else {}
    warnings.simplefilter("ignore")  # one epoch makes a model to explain
    model = GRUClassifier(H, cell=cell, max_iter=1, random_state=0, **PLAIN, **options)
    model.fit(X, np.arange(len(X)) % N_CLASSES)
    X = X[:n]
    scaled = torch.tensor((X - model.feature_mean_) / model.feature_scale_, dtype=torch.float32)
    explainer = IntegratedGradients(Network(model, cell).eval())

    def captum(batch_size):
        return explainer.attribute(
            scaled, target=1, n_steps=N_POINTS, internal_batch_size=batch_size
        ).numpy()

    runs = {f"captum {size}": lambda size=size: captum(size) for size in (None, 256, 1024)}
    runs["skgru"] = lambda: attributions(model, X, target=1, n_steps=N_POINTS, tol=1)
    runs["skgru auto"] = lambda: attributions(model, X, target=1)
    return runs


def measure(runs, n_rounds):
    """Return the seconds of each run in each round."""
    seconds = {name: [] for name in runs}
    for _ in range(n_rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: of_run[1:] for name, of_run in seconds.items()}  # the first warms up


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("cell     B    T   D    H   difference  captum ms/sample  skgru 50   skgru auto   faster")
    for size in SIZES:
        runs = make_runs(*size)
        theirs, ours = runs["captum None"](), np.array(runs["skgru"]())
        largest = np.abs(theirs).max(axis=(1, 2), keepdims=True)
        difference = np.max(np.abs(ours - theirs) / largest)
        assert difference < 1e-4, f"other contributions than captum's: {difference:.1e}"
        with threadpool_limits(arguments.threads, user_api="blas"):
            seconds = measure(runs, arguments.rounds)
        peers = [of_run for name, of_run in seconds.items() if name.startswith("captum")]
        peer = min(peers, key=statistics.median)
        medians = [peer, seconds["skgru"], seconds["skgru auto"]]
        medians = [1e3 * statistics.median(of_run) / size[1] for of_run in medians]
        ratios = [
            statistics.median(a / b for a, b in zip(peer, seconds[name], strict=True))
            for name in ("skgru", "skgru auto")
        ]
        cell, B, T, D, H = size
        print(
            f"{cell:4} {B:5} {T:4} {D:3} {H:4}   {difference:10.1e}  {medians[0]:16.2f}"
            f"  {medians[1]:8.2f}  {medians[2]:10.2f}   {ratios[0]:.1f} and {ratios[1]:.1f} times"
        )


if __name__ == "__main__":
    main()
