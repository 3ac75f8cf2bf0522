"""A recurrent layer's forward and backward pass, beside the least that its arithmetic could cost.

    python benchmarks/kernel.py [--rounds 7] [--cell {gru,lstm,rnn}]

The floor is the layer's five matrix products (inputs and states into the gates, gradients of the
gates back into the states, and the two weight gradients) and one tanh over the gates, with nothing
between them. Both run in one thread, alternately, in float32, without the inputs' gradient.
"""

import argparse
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from skgru._nn.batch import Arena, Batch
from skgru._nn.part import LayerRun, OutputGradients
from skgru._nn.recurrent import CELLS

SIZES = [  # sequences, steps, inputs, units
    (16, 100, 6, 32),
    (32, 30, 32, 64),
    (200, 24, 1, 32),
    (64, 100, 64, 64),
    (128, 50, 100, 128),
    (128, 100, 100, 128),
    (32, 1000, 4, 64),
]


def make_floor(rng, G, B, T, D, H):
    """Return a function that does the products and the tanh for G gates."""

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    x, h, d_gates = draw(B * T, D), draw(B * T, H), draw(B * T, G * H)
    W, U, U_T = draw(D, G * H), draw(H, G * H), draw(G * H, H)
    arguments = 0.3 * draw(B * T, G * H)
    gates = np.empty_like(d_gates)
    step_gates, step_state = np.empty((B, G * H), np.float32), np.empty((B, H), np.float32)
    steps = [slice(t * B, (t + 1) * B) for t in range(T)]

    def run():
        np.matmul(x, W, out=gates)
        for step in steps:
            np.matmul(h[step], U, out=step_gates)
        np.tanh(arguments, out=gates)
        for step in steps:
            np.matmul(d_gates[step], U_T, out=step_state)
        x.T @ d_gates
        h.T @ d_gates

    return run


def make_layer(rng, cell, B, T, D, H):
    """Return a function that does the forward and the backward pass."""
    cell = CELLS[cell](D, H)
    p = {name: np.empty(shape, np.float32) for name, shape in cell.shapes().items()}
    g = {name: np.empty_like(array) for name, array in p.items()}
    cell.initialize(p, np.random.RandomState(0))
    x = rng.standard_normal((B * T, D)).astype(np.float32)
    d_last = rng.standard_normal((B, H)).astype(np.float32)
    arena = Arena()

    def run():
        batch = Batch(np.full(B, T), arena)
        _, cache = cell.forward(p, x, LayerRun(batch))
        cell.backward(p, OutputGradients(None, d_last), cache, g, LayerRun(batch, need_dx=False))

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cell", choices=CELLS, default="gru")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("medians over the rounds; the ratio is that of one round")
    with threadpool_limits(1):
        for size in SIZES:
            n_gates = CELLS[options.cell].n_gates
            runs = make_floor(rng, n_gates, *size), make_layer(rng, options.cell, *size)
            seconds = []
            for _ in range(options.rounds + 2):
                times = []
                for run in runs:
                    start = time.perf_counter()
                    run()
                    times.append(time.perf_counter() - start)
                seconds.append(times)
            seconds = seconds[2:]  # the first two reach for memory
            floor, layer = (
                statistics.median(column) * 1e3 for column in zip(*seconds, strict=True)
            )
            ratio = statistics.median(layer / floor for floor, layer in seconds)
            B, T, D, H = size
            print(
                f"B {B:4d}  T {T:4d}  D {D:4d}  H {H:4d}   floor {floor:6.2f} ms   "
                f"skgru {layer:6.2f} ms   ratio {ratio:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
