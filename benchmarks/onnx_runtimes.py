"""`predict_proba`, and the graph of the same network in ONNX Runtime and in OpenVINO.

    python benchmarks/onnx_runtimes.py [--rounds 5] [--runtimes onnxruntime openvino]

Series have 100 steps of 8 features, texts 100 tokens of 1,000; networks 64 units and 3 classes,
in float32. All answer one sample, and 200 at once, with one thread and with two, of which the
faster counts, in a process of their own; the median counts. skgru checks its input, the others do
not. The largest difference of a probability stands beside. OpenVINO has no operator that looks a
token up: a graph that needs one is left out there.
"""

import argparse
import json
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
    """Return the microseconds of `predict_proba`, and no difference."""
    clf = fitted(kind).set_params(n_jobs=n_threads)
    return [microseconds(lambda: clf.predict_proba(X), n_calls), 0.0]


def time_graph(runtime, kind, X, n_threads, n_calls):
    """Return the microseconds of the graph, and the largest difference."""
    from skgru.interop import onnx_inputs, to_onnx

    clf = fitted(kind)
    run = RUNTIMES[runtime](to_onnx(clf).SerializeToString(), n_threads)
    inputs = onnx_inputs(clf, X)
    difference = float(np.abs(run(inputs) - clf.predict_proba(X)).max())
    return [microseconds(lambda: run(inputs), n_calls), difference]


def start_onnxruntime(content, n_threads):
    """Return a function from the inputs to the probabilities."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    session = onnxruntime.InferenceSession(content, options)
    return lambda inputs: session.run(["probabilities"], inputs)[0]


def start_openvino(content, n_threads):
    """Return a function from the inputs to the probabilities."""
    import openvino

    core = openvino.Core()
    options = {
        "INFERENCE_NUM_THREADS": n_threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = core.compile_model(core.read_model(content), "CPU", options)
    return lambda inputs: model(inputs)["probabilities"]


RUNTIMES = {"onnxruntime": start_onnxruntime, "openvino": start_openvino}
LEFT_OUT = {("openvino", "tokens and bag")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300, help="requests per round")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        (kind,) = options.kinds
        n_calls = max(options.calls // (1 if options.size == 1 else 10), 10)
        case = kind, samples(kind, options.size), options.threads, n_calls
        ours = options.worker == "skgru"
        print(json.dumps(time_skgru(*case) if ours else time_graph(options.worker, *case)))
        return

    print(f"microseconds, medians of {options.rounds} rounds; those over skgru's in brackets")
    for kind in options.kinds:
        workers = ["skgru", *(one for one in options.runtimes if (one, kind) not in LEFT_OUT)]
        print(kind)
        for n in SIZES:
            rounds = np.array(
                [
                    [best(worker, kind, n, options.calls) for worker in workers]
                    for _ in range(options.rounds)
                ]
            )
            print(f"  {n:3d}", describe(workers, rounds), flush=True)


def best(worker, kind, n, n_calls):
    """Return the microseconds with one thread or with two, and the largest difference."""
    arguments = ["--calls", n_calls, "--kinds", kind, "--size", n]
    found = np.array(
        [
            run_worker(__file__, worker, *arguments, "--threads", n_threads, n_threads=n_threads)
            for n_threads in (1, 2)
        ]
    )
    return found[:, 0].min(), found[:, 1].max()


def describe(workers, rounds):
    """Return the line of what rounds gave: (rounds, workers, 2)."""
    times, differences = rounds[..., 0], rounds[..., 1].max(axis=0)
    ratios = np.median(times / times[:, :1], axis=0)
    text = f"skgru {np.median(times[:, 0]):.0f}"
    for i, worker in enumerate(workers[1:], start=1):
        time = np.median(times[:, i])
        text += f"; {worker} {time:.0f} ({ratios[i]:.2f}), difference {differences[i]:.0e}"
    return text


if __name__ == "__main__":
    main()
