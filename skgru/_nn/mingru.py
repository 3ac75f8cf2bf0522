"""The minimal gated recurrent unit, whose gates do not read the state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array
from skgru._nn.cells import (
    Cell,
    CellGradients,
    CellOutputs,
    drop_vanished_,
    glorot_uniform,
    sigmoid_,
)
from skgru._nn.part import Arrays, LayerRun, OutputGradients, Shapes

# Steps over which the slowest unit averages at first.
_LONGEST_SPAN = 100


class MinGRUCache(NamedTuple):
    """The cache of `MinGRU`'s forward pass, for `backward`, which reuses its memory for results."""

    x: Array  # (S, D + 1): inputs, and a column of ones for the bias
    states: Array  # (B + S, H): initial states, then the state after each row's step
    gates: Array  # (2, S, H): update gates z, candidate states c
    decay: Array | None  # (S, H)


class MinGRU(Cell):
    """Minimal gated recurrent unit (Feng et al. 2024, arXiv 2410.01201), gate order z, c.

    ::

        z_t = σ(W_z·x_t + b_z)                  update gate
        c_t = tanh(W_c·x_t + b_c)               candidate state
        h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ c_t

    No gate reads the state: gates and candidates of all steps are computed at once, and the state
    is linear in the one before. (There the candidate is W_c·x_t + b_c itself; here it has a tanh,
    as in the other cells.)
    """

    n_gates = 2
    sigmoid_gates = ("update",)
    reads_state = False

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes; columns are the gates z, c in turn."""
        return {name: s for name, s in super().shapes().items() if name != "recurrent_weights"}

    def numbers_per_step(self, *, need_cache: bool, decays: bool) -> int:
        """Return about how many numbers a pass holds; the decay goes into the gate."""
        return super().numbers_per_step(need_cache=need_cache, decays=False)

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: Glorot input weights; biases that spread the spans of the units.

        With a bias of −log τ, a unit's state is a mean over about the last τ steps: from 1 to
        `_LONGEST_SPAN`, evenly on a logarithmic scale (as Tallec & Ollivier 2018, arXiv 1804.11188,
        draw those of other cells). A gate that sees no state cannot find out what was kept so far:
        with all spans alike, such a network learned slower and less well.
        """
        D, H = self.n_inputs, self.n_units
        p["input_weights"][...] = np.hstack([glorot_uniform(rng, D, H) for _ in range(2)])
        p["bias"][:H] = -np.linspace(0, np.log(_LONGEST_SPAN), H)
        p["bias"][H:] = 0.0

    def _forward(
        self, p: Arrays, x: Array, run: LayerRun
    ) -> tuple[CellOutputs, MinGRUCache | None]:
        """See `Cell.forward`; the mask of the run masks nothing, for no weights follow a state."""
        batch, decay = run.batch, run.decay
        Wb = self._input_weights(p)
        x1, gates = self._gate_arrays(batch, x.dtype, run.need_cache)
        z_all, c_all = gates
        states = batch.allocate_states(run.initial, self.n_units, x.dtype)
        before, after = states[: batch.n_sequences], states[batch.n_sequences :]
        scratch = np.empty((batch.n_sequences, self.n_units), x.dtype)
        room = np.empty((batch.most_rows(self.n_units), self.n_units), x.dtype)

        n = -1
        for steps, block, kept in self._blocks(x, batch, Wb, x1, gates):
            here = slice(0, block.stop - block.start)
            z, c = z_all[kept], c_all[kept]
            sigmoid_(z)
            np.tanh(c, c)
            keep = self._keep(z, decay, block, room[here])
            np.multiply(z, c, after[block])
            views = batch.by_step(keep, steps, here), batch.by_step(after, steps, block)
            for t, keep_t, h_t in zip(steps, *views, strict=True):
                if batch.active[t] != n:  # the sequences that still run
                    n = batch.active[t]
                    before, left = before[:n], scratch[:n]
                np.add(h_t, np.multiply(keep_t, before, left), h_t)
                before = h_t
        cache = MinGRUCache(x1, states, gates, decay) if run.need_cache else None
        return CellOutputs(states, batch.last(states)), cache

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: MinGRUCache, g: Arrays, run: LayerRun
    ) -> CellGradients:
        """See `Cell.backward`."""
        batch, (d_states, d_last) = run.batch, dy
        x1, states, gates, decay = cache
        d_decay = None if decay is None else batch.empty(decay.shape, x1.dtype)
        carried = np.zeros((batch.n_sequences, self.n_units), x1.dtype)
        if d_last is not None:
            carried += d_last
        previous = batch.previous(states)  # (S, H)

        n = -1
        room = np.empty((3, batch.most_rows(self.n_units), self.n_units), x1.dtype)
        for steps, block in reversed(batch.blocks(self.n_units)):
            here = slice(0, block.stop - block.start)
            dh, d_z, keep = room[:, here]  # dh: the gradient of the state after each step
            z, c = gates[:, block]
            self._keep(z, decay, block, keep)
            views = batch.by_step(dh, steps, here), batch.by_step(keep, steps, here)
            for t, dh_t, keep_t in zip(
                reversed(steps), *(view[::-1] for view in views), strict=True
            ):
                if batch.active[t] != n:
                    n = batch.active[t]
                    d = carried[:n]
                drop_vanished_(d, t)
                if d_states is None:
                    dh_t[...] = d
                else:
                    np.add(d, d_states[batch.starts[t] : batch.starts[t + 1]], dh_t)
                np.multiply(dh_t, keep_t, d)
            h = previous[block]
            if decay is not None and d_decay is not None:
                np.subtract(1, z, d_decay[block])
                d_decay[block] *= dh
                d_decay[block] *= h
                h = h * decay[block]
            # Of the arguments of tanh and of σ, in the place of the gates.
            np.subtract(c, h, d_z)
            d_z *= dh
            d_z *= z
            dh *= z
            np.square(c, c)
            np.subtract(1, c, c)
            np.multiply(dh, c, c)
            np.subtract(1, z, z)
            np.multiply(d_z, z, z)
        dx = self._input_gradients(p, x1, gates, g, run)
        return CellGradients(dx, carried, d_decay)

    def _keep(self, z: Array, decay: Array | None, block: slice, out: Array) -> Array:
        """Return how much of the state before is kept: 1 − z, times the decay if there is one."""
        np.subtract(1, z, out)
        if decay is not None:
            np.multiply(out, decay[block], out)
        return out
