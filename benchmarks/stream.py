"""A step of a stream: the prediction after it, beside the same network in PyTorch.

    python benchmarks/stream.py [--rounds 5]

A step has 8 features, the network 64 units and 3 classes, in float32; its state is carried from
step to step, of one sequence or of 100 at once. A step takes a NumPy array to class labels. PyTorch
answers under `inference_mode`, with one thread and with two, of which the faster counts; "predict"
is skgru's `predict` for all steps so far, of which there are 100. Each answers many steps in a
process of its own; the median counts.
"""

import argparse
import json
import statistics
import warnings

import numpy as np
from request import microseconds
from workers import PLAIN, run_worker

N_STEPS, N_FEATURES, N_UNITS, N_CLASSES = 100, 8, 64, 3
N_SEQUENCES = (1, 100)


def time_skgru(x, n_calls):
    """Return the microseconds of a step of n sequences (n, D), and of `predict` for all steps."""
    from skgru import GRUClassifier

    warnings.simplefilter("ignore")  # ConvergenceWarning: one epoch makes a model to ask
    X = np.random.default_rng(1).standard_normal((30, N_STEPS, N_FEATURES)).astype(np.float32)
    y = np.arange(30) % N_CLASSES
    model = GRUClassifier(N_UNITS, max_iter=1, random_state=0, n_convolutions=0, **PLAIN).fit(X, y)
    stream = model.stream(len(x))
    whole = np.repeat(x[:, None], N_STEPS, axis=1)
    return [
        microseconds(lambda: stream.step(x), n_calls),
        microseconds(lambda: model.predict(whole), max(n_calls // 20, 20)),
    ]


def time_torch(x, n_calls):
    """Return the microseconds of a step of n sequences (n, D)."""
    import torch

    gru = torch.nn.GRU(N_FEATURES, N_UNITS, batch_first=True)
    head = torch.nn.Linear(N_UNITS, N_CLASSES)
    classes, state = np.arange(N_CLASSES), None

    def step():
        nonlocal state
        _, state = gru(torch.from_numpy(x)[:, None], state)
        return classes[head(state[0]).argmax(axis=1).numpy()]

    with torch.inference_mode():
        return [microseconds(step, n_calls)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000, help="steps per round")
    parser.add_argument("--sequences", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        shape = options.sequences, N_FEATURES
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        run = {"skgru": time_skgru, "torch": time_torch}[options.worker]
        print(json.dumps(run(x, options.calls)))
        return

    print(f"microseconds of a step, medians of {options.rounds} rounds")
    for n in N_SEQUENCES:

        def measure(implementation, n_threads=None, n=n):
            worker = implementation, "--calls", options.calls, "--sequences", n
            return run_worker(__file__, *worker, n_threads=n_threads)

        rounds = [
            (min(measure("torch", threads)[0] for threads in (1, 2)), *measure("skgru"))
            for _ in range(options.rounds)
        ]
        torch, ours, whole = np.median(rounds, axis=0)
        ratio = statistics.median(row[0] / row[1] for row in rounds)
        print(
            f"{n:4d} sequences: torch {torch:.0f}, skgru {ours:.0f}, predict {whole:.0f}; "
            f"torch / skgru {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
