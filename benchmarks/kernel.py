"""A recurrent layer's forward and backward pass, beside the least that its arithmetic could cost.

    python benchmarks/kernel.py [--rounds 7] [--cell {gru,lstm,mingru,rnn}]

The floor is the layer's matrix products (inputs and, but for minGRU, states into the gates,
gradients of the gates back into the states, and the weight gradients) and one tanh over the gates,
with nothing between them. GFLOP/s count the products alone.

If oneDNN is there (`onednn.py` says how), the same layer of it runs beside them, with the same
weights and inputs, and has to end in the same states; beside minGRU, which it does not have, its
GRU. It also makes the gradient of the inputs, which the others leave out.

All run in one thread, alternately, in float32; the ratios are medians of those of one round.
"""

import argparse
import sys
import time

import numpy as np
import onednn
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


def draw(rng, *shape):
    """Return numbers of mean 0 and variance 1."""
    return rng.standard_normal(shape).astype(np.float32)


def gigaflops(cell, B, T, D, H):
    """Return how many 10⁹ operations the matrix products of both passes need."""
    per_gate = 2 * D + 3 * H if CELLS[cell].reads_state else 2 * D
    return 2e-9 * B * T * CELLS[cell].n_gates * H * per_gate


def make_floor(rng, cell, B, T, D, H):
    """Return a function that does the products and the tanh."""
    G = CELLS[cell].n_gates
    x, h, d_gates = draw(rng, B * T, D), draw(rng, B * T, H), draw(rng, B * T, G * H)
    W, U, U_T = draw(rng, D, G * H), draw(rng, H, G * H), draw(rng, G * H, H)
    arguments = 0.3 * draw(rng, B * T, G * H)
    gates = np.empty_like(d_gates)
    step_gates, step_state = np.empty((B, G * H), np.float32), np.empty((B, H), np.float32)
    steps = [slice(t * B, (t + 1) * B) for t in range(T)] if CELLS[cell].reads_state else []

    def run():
        np.matmul(x, W, out=gates)
        for step in steps:
            np.matmul(h[step], U, out=step_gates)
        np.tanh(arguments, out=gates)
        for step in steps:
            np.matmul(d_gates[step], U_T, out=step_state)
        x.T @ d_gates
        if steps:
            h.T @ d_gates

    return run


class Layer:
    """A layer of skgru; a call runs its forward and its backward pass."""

    def __init__(self, rng, cell, B, T, D, H):
        self.cell = CELLS[cell](D, H)
        self.p = {name: np.empty(s, np.float32) for name, s in self.cell.shapes().items()}
        self.g = {name: np.empty_like(array) for name, array in self.p.items()}
        self.cell.initialize(self.p, np.random.RandomState(0))
        self.x, self.d_last = draw(rng, T, B, D), draw(rng, B, H)
        self.lengths = np.full(B, T)
        self.arena = Arena()

    def __call__(self):
        x = self.x.reshape(-1, self.x.shape[2])
        batch = Batch(self.lengths, self.arena)
        outputs, cache = self.cell.forward(self.p, x, LayerRun(batch))
        gradients = OutputGradients(None, self.d_last)
        run = LayerRun(batch, need_dx=False)
        self.last_states = outputs.final[:, : self.cell.n_units].copy()
        self.cell.backward(self.p, gradients, cache, self.g, run)


def make_layer(*arguments):
    """Return the function that is timed; `commits.py` calls that of either checkout."""
    return Layer(*arguments)


def make_peer(rng, layer, cell, size):
    """Return the layer of oneDNN, which was seen to end in the states of skgru's."""
    if cell == "mingru":
        cell, layer = "gru", make_layer(rng, "gru", *size)
    peer = onednn.Layer(cell, layer.p, layer.x, layer.d_last)
    peer(), layer()
    difference = np.abs(peer.last_states() - layer.last_states).max()
    if not difference < 1e-4:
        sys.exit(f"the states of oneDNN's {cell} differ by {difference}")
    return peer


def measure(runs, n_rounds):
    """Return the milliseconds (n_rounds, n) of functions that run alternately."""
    rounds = []
    for _ in range(n_rounds + 2):
        times = []
        for run in runs:
            start = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - start))
        rounds.append(times)
    return np.array(rounds[2:])  # the first two reach for memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cell", choices=CELLS, default="gru")
    options = parser.parse_args()
    rng, cell = np.random.default_rng(0), options.cell
    has_peer = onednn.load() is not None
    beside = f"{'oneDNN, ms':>13}{'ratio':>7}" if has_peer else ""
    print(f"{'B, T, D, H':20}{'floor, ms':>10}{'skgru, ms':>11}{'ratio':>7}{'GFLOP/s':>9}{beside}")
    for size in SIZES:
        layer = make_layer(rng, cell, *size)
        runs = [make_floor(rng, cell, *size), layer]
        if has_peer:
            runs.append(make_peer(rng, layer, cell, size))
        with threadpool_limits(1):
            times = measure(runs, options.rounds)
        floor, own, *other = np.median(times, axis=0)
        ratios = np.median(times[:, 1:2] / times, axis=0)
        speed = 1e3 * gigaflops(cell, *size) / own
        line = f"{floor:10.2f}{own:11.2f}{ratios[0]:7.2f}{speed:9.1f}"
        if has_peer:
            line += f"{other[0]:13.2f}{ratios[2]:7.2f}"
        print(f"{', '.join(map(str, size)):20}{line}", flush=True)


if __name__ == "__main__":
    main()
