"""One request: `predict` for a single sequence, beside the same network in PyTorch.

    python benchmarks/request.py [--rounds 5]

The sequence has 100 steps of 8 features, the network 64 units and 3 classes, in float32. A request
takes a NumPy array to a class label. PyTorch answers under `inference_mode`, with one thread and
with two, of which the faster counts; skgru is asked with a 3-D array of one sequence and with a
list of one array. Each answers many requests in a process of its own; the median counts.
"""

import argparse
import json
import statistics
import time
import warnings

import numpy as np
from workers import PLAIN, run_worker

N_STEPS, N_FEATURES, N_UNITS, N_CLASSES = 100, 8, 64, 3


def microseconds(request, n_calls):
    """Return the median of the calls, after some that do not count."""
    seconds = []
    for _ in range(n_calls + 20):
        start = time.perf_counter()
        request()
        seconds.append(time.perf_counter() - start)
    return 1e6 * statistics.median(seconds[20:])


def time_skgru(x, n_calls):
    """Return the microseconds for an array of one sequence, and for a list of one."""
    from skgru import GRUClassifier

    warnings.simplefilter("ignore")  # ConvergenceWarning: one epoch makes a model to ask
    X = np.random.default_rng(1).standard_normal((30, *x.shape)).astype(np.float32)
    y = np.arange(30) % N_CLASSES
    model = GRUClassifier(N_UNITS, max_iter=1, random_state=0, **PLAIN).fit(X, y)
    array = x[None]
    return [
        microseconds(lambda: model.predict(array), n_calls),
        microseconds(lambda: model.predict([x]), n_calls),
    ]


def time_torch(x, n_calls):
    """Return the microseconds for an array of one sequence."""
    import torch

    gru = torch.nn.GRU(N_FEATURES, N_UNITS, batch_first=True)
    head = torch.nn.Linear(N_UNITS, N_CLASSES)
    classes, array = np.arange(N_CLASSES), x[None]

    def predict():
        _, last_states = gru(torch.from_numpy(array))
        return classes[head(last_states[0]).argmax(axis=1).numpy()]

    with torch.inference_mode():
        return [microseconds(predict, n_calls)]


def measure(implementation, n_calls, n_threads=None, path=None):
    """Return the microseconds, measured in a process of its own."""
    worker = implementation, "--calls", n_calls
    return run_worker(__file__, *worker, n_threads=n_threads, path=path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000, help="requests per round")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        x = np.random.default_rng(0).standard_normal((N_STEPS, N_FEATURES)).astype(np.float32)
        run = {"skgru": time_skgru, "torch": time_torch}[options.worker]
        print(json.dumps(run(x, options.calls)))
        return

    rounds = []
    for _ in range(options.rounds):
        ours = measure("skgru", options.calls)
        theirs = min(measure("torch", options.calls, n)[0] for n in (1, 2))
        rounds.append((theirs, *ours))
    torch, *_ = np.median(rounds, axis=0)
    print(f"microseconds of a request, medians of {options.rounds} rounds")
    print(f"torch{torch:30.0f}")
    for column, form in enumerate(("3-D array of one sequence", "list of one array"), start=1):
        ours = statistics.median(row[column] for row in rounds)
        ratio = statistics.median(row[0] / row[column] for row in rounds)
        print(f"skgru, {form:25s}{ours:6.0f}   torch / skgru {ratio:.2f}")


if __name__ == "__main__":
    main()
