"""A step of a stream: the prediction after it, beside the same network in PyTorch and ONNX Runtime.

    python benchmarks/stream.py [--rounds 5]

A step has 8 features, the network 64 units and 3 classes, in float32; its state is carried from
step to step, of one sequence or of 100 at once. A step takes a NumPy array to class labels. PyTorch
answers under `inference_mode`, with one thread and with two, of which the faster counts; "predict"
is skgru's `predict` for all steps so far, of which there are 100. ONNX Runtime has a graph of layer
and head, from a step and the state before it to the label and the state after it, and one thread.
Each answers many steps in a process of its own; the median counts.
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


def time_onnx(x, n_calls):
    """Return the microseconds of a step of n sequences (n, D)."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    shapes = {
        "W": (1, 3 * N_UNITS, N_FEATURES),
        "R": (1, 3 * N_UNITS, N_UNITS),
        "B": (1, 6 * N_UNITS),
        "head": (N_UNITS, N_CLASSES),
        "bias": (N_CLASSES,),
    }
    weights = {n: 0.1 * rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
    weights["classes"] = np.arange(N_CLASSES)
    weights["axis"] = np.array([0])
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axis"], ["step"]),
        helper.make_node(
            "GRU", ["step", "W", "R", "B", "", "before"], ["", "after"], hidden_size=N_UNITS
        ),
        helper.make_node("Squeeze", ["after", "axis"], ["h"]),
        helper.make_node("Gemm", ["h", "head", "bias"], ["raw"]),
        helper.make_node("ArgMax", ["raw"], ["index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "index"], ["label"]),
    ]
    info, real = helper.make_tensor_value_info, TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "step",
        [info("x", real, (None, N_FEATURES)), info("before", real, (1, None, N_UNITS))],
        [info("label", TensorProto.INT64, (None,)), info("after", real, (1, None, N_UNITS))],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    state = np.zeros((1, len(x), N_UNITS), np.float32)

    def step():
        nonlocal state
        label, state = session.run(None, {"x": x, "before": state})
        return label

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
        run = {"skgru": time_skgru, "torch": time_torch, "onnx": time_onnx}[options.worker]
        print(json.dumps(run(x, options.calls)))
        return

    print(f"microseconds of a step, medians of {options.rounds} rounds")
    for n in N_SEQUENCES:

        def measure(implementation, n_threads=None, n=n):
            worker = implementation, "--calls", options.calls, "--sequences", n
            return run_worker(__file__, *worker, n_threads=n_threads)

        rounds = [
            (
                min(measure("torch", threads)[0] for threads in (1, 2)),
                *measure("onnx"),
                *measure("skgru"),
            )
            for _ in range(options.rounds)
        ]
        torch, onnx, ours, whole = np.median(rounds, axis=0)
        ratio = statistics.median(row[0] / row[2] for row in rounds)
        print(
            f"{n:4d} sequences: torch {torch:.0f}, ONNX Runtime {onnx:.0f}, skgru {ours:.0f}, "
            f"predict {whole:.0f}; torch / skgru {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
