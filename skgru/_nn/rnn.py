"""The simple recurrent cell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skgru._nn.batch import Array
from skgru._nn.cells import Cell, CellGradients, CellOutputs, drop_vanished_
from skgru._nn.part import Arrays, LayerRun, OutputGradients


class RNNCache(NamedTuple):
    """The cache of `RNN`'s forward pass, for `backward`, which reuses its memory for results."""

    x: Array  # (S, D + 1): inputs, and a column of ones for the bias
    states: Array  # (B + S, H): initial states, then the state after each row's step
    gates: Array  # (1, S, H): memory for the gradients of the arguments of tanh
    mask: Array | None  # (B, H)
    decay: Array | None  # (S, H)
    decayed: Array  # (S, H): decay ⊙ h_{t-1}, if there is a decay


class RNN(Cell):
    """Simple recurrent cell (Elman 1990).

    ::

        h_t = tanh(W·x_t + U·h_{t-1} + b)
    """

    n_gates = 1
    sigmoid_gates = ()

    def _forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[CellOutputs, RNNCache | None]:
        """See `Cell.forward`."""
        batch, initial, mask, decay = run.batch, run.initial, run.mask, run.decay
        Wb, (U,) = self._weights(p)
        x1, gates = self._gate_arrays(batch, x.dtype, run.need_cache)
        (a_all,) = gates
        states = batch.allocate_states(initial, self.n_units, x.dtype)
        before, after = states[: batch.n_sequences], states[batch.n_sequences :]
        masked = np.empty_like(states[: batch.n_sequences])
        decayed = self._decayed_states(decay, batch, x.dtype)

        n = -1
        for steps, block, kept in self._blocks(x, batch, Wb, x1, gates):
            views = batch.by_step(a_all, steps, kept), batch.by_step(after, steps, block)
            for t, a, h_t in zip(steps, *views, strict=True):
                if batch.active[t] != n:  # the sequences that still run
                    n = batch.active[t]
                    before = before[:n]
                h = before  # (n, H)
                if decay is not None:
                    rows = slice(batch.starts[t], batch.starts[t] + n)
                    h = np.multiply(h, decay[rows], decayed[rows])
                read = h if mask is None else np.multiply(h, mask[:n], masked[:n])
                np.dot(read, U, h_t)
                np.add(h_t, a, h_t)
                np.tanh(h_t, h_t)
                before = h_t
        cache = RNNCache(x1, states, gates, mask, decay, decayed) if run.need_cache else None
        return CellOutputs(states, batch.last(states)), cache

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: RNNCache, g: Arrays, run: LayerRun
    ) -> CellGradients:
        """See `Cell.backward`."""
        batch, (d_states, d_last) = run.batch, dy
        x1, states, d_gates, mask, decay, decayed = cache
        (da_all,) = d_gates
        U_T = np.ascontiguousarray(p["recurrent_weights"].T)
        h_previous = batch.previous(states) if decay is None else decayed  # (S, H)
        d_decay = None if decay is None else batch.empty(decay.shape, x1.dtype)
        dh_all = np.zeros((batch.n_sequences, self.n_units), x1.dtype)
        if d_last is not None:
            dh_all += d_last

        n = -1
        room = np.empty((batch.most_rows(self.n_units), self.n_units), x1.dtype)
        for steps, block in reversed(batch.blocks(self.n_units)):
            here = slice(0, block.stop - block.start)
            # ∂h/∂(argument of tanh), for many steps at once
            factor = np.square(states[batch.n_sequences :][block], room[here])
            np.subtract(1, factor, factor)
            views = batch.by_step(da_all, steps, block), batch.by_step(factor, steps, here)
            for t, da, factor_t in zip(
                reversed(steps), *(view[::-1] for view in views), strict=True
            ):
                if batch.active[t] != n:
                    n = batch.active[t]
                    dh = dh_all[:n]
                rows = slice(batch.starts[t], batch.starts[t + 1])
                drop_vanished_(dh, t)
                if d_states is not None:
                    np.add(dh, d_states[rows], dh)
                np.multiply(dh, factor_t, da)
                np.dot(da, U_T, dh)
                if mask is not None:
                    np.multiply(dh, mask[:n], dh)
                if decay is not None and d_decay is not None:
                    d_decay[rows] = dh
                    np.multiply(dh, decay[rows], dh)

        if run.need_g:
            read = self._recurrent_inputs(h_previous, mask, batch)
            np.matmul(read.T, da_all, out=g["recurrent_weights"])
        if d_decay is not None:
            d_decay *= batch.previous(states)
        dx = self._input_gradients(p, x1, d_gates, g, run)
        return CellGradients(dx, dh_all, d_decay)
