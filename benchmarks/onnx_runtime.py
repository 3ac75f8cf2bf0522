"""`predict_proba`, and the graph of the same network in ONNX Runtime.

    python benchmarks/onnx_runtime.py [--rounds 5]

Series have 100 steps of 8 features, texts 100 tokens of 1,000; networks 64 units and 3 classes,
in float32. Both answer one sample, and 200 at once, with one thread and with two, of which the
faster counts, in a process of their own; the median counts. skgru checks its input, ONNX Runtime
does not. The largest difference of a probability stands beside.
"""

import argparse
import json
import statistics
import warnings

import numpy as np
from request import microseconds
from workers import PLAIN, run_worker

N_STEPS, N_FEATURES, N_UNITS, N_CLASSES, N_TOKENS = 100, 8, 64, 3, 1000
SIZES = (1, 200)
KINDS = {
    "GRU, last step": {},
    "LSTM, last step": {"cell": "lstm"},
    "both directions, three poolings": {"bidirectional": True, "pooling": ("last", "mean", "max")},
    "missing values": {"missing": "decay"},
    "random convolutions": {"n_convolutions": 500},
    "tokens": {"embedding_dim": 64},
    "tokens and bag": {"embedding_dim": 64, "bag": True},
    "double precision": {"dtype": "float64"},
}


def samples(kind, n):
    """Return n samples of a kind."""
    rng = np.random.default_rng(n)
    if kind.startswith("tokens"):
        return rng.integers(1, N_TOKENS, (n, N_STEPS))
    X = rng.standard_normal((n, N_STEPS, N_FEATURES))
    if kind == "missing values":
        X[rng.random(X.shape) < 0.3] = np.nan
    return X


def fitted(kind):
    """Return a network of a kind."""
    from skgru import GRUClassifier

    warnings.simplefilter("ignore")  # ConvergenceWarning: one epoch makes a model to ask
    options = PLAIN | {"n_convolutions": 0, "bag": False} | KINDS[kind]
    clf = GRUClassifier(N_UNITS, max_iter=1, random_state=0, **options)
    return clf.fit(samples(kind, 60), np.arange(60) % N_CLASSES)


def time_skgru(kind, X, n_threads, n_calls):
    """Return the microseconds of `predict_proba`."""
    clf = fitted(kind).set_params(n_jobs=n_threads)
    return [microseconds(lambda: clf.predict_proba(X), n_calls)]


def time_onnx(kind, X, n_threads, n_calls):
    """Return the microseconds of ONNX Runtime, and the largest difference."""
    import onnxruntime

    from skgru.interop import onnx_inputs, to_onnx

    clf = fitted(kind)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    content = to_onnx(clf).SerializeToString()
    session = onnxruntime.InferenceSession(content, options)
    inputs = onnx_inputs(clf, X)
    (p,) = session.run(["probabilities"], inputs)
    difference = float(np.abs(p - clf.predict_proba(X)).max())
    return [microseconds(lambda: session.run(["probabilities"], inputs), n_calls), difference]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300, help="requests per round")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        (kind,) = options.kinds
        n_calls = max(options.calls // (1 if options.size == 1 else 10), 10)
        run = {"skgru": time_skgru, "onnx": time_onnx}[options.worker]
        print(json.dumps(run(kind, samples(kind, options.size), options.threads, n_calls)))
        return

    print(f"microseconds, medians of {options.rounds} rounds; ONNX Runtime / skgru in brackets")
    for kind in options.kinds:
        line, difference = [], 0.0
        for n in SIZES:

            def measure(worker, n_threads, kind=kind, n=n):
                arguments = ["--calls", options.calls, "--kinds", kind, "--size", n]
                arguments += ["--threads", n_threads]
                return run_worker(__file__, worker, *arguments, n_threads=n_threads)

            rounds = []
            for _ in range(options.rounds):
                ours = min(measure("skgru", n_threads)[0] for n_threads in (1, 2))
                theirs = [measure("onnx", n_threads) for n_threads in (1, 2)]
                difference = max(difference, *(found for _, found in theirs))
                rounds.append((ours, min(microseconds for microseconds, _ in theirs)))
            skgru, onnx = np.median(rounds, axis=0)
            ratio = statistics.median(theirs / ours for ours, theirs in rounds)
            line.append(f"{n}: skgru {skgru:.0f}, ONNX Runtime {onnx:.0f} ({ratio:.2f})")
        print(f"{kind:32s}{'; '.join(line)}; difference {difference:.0e}", flush=True)


if __name__ == "__main__":
    main()
