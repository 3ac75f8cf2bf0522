"""The gated recurrent unit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array
from skgru._nn.cells import Cell, CellGradients, CellOutputs, drop_vanished_, sigmoid_
from skgru._nn.part import Arrays, LayerRun, OutputGradients, Shapes


class GRUCache(NamedTuple):
    """The cache of `GRU`'s forward pass, for `backward`, which reuses its memory for results."""

    x: Array  # (S, D + 1): inputs, and a column of ones for the bias
    states: Array  # (B + S, H): initial states, then the state after each row's step
    gates: Array  # (3, S, H): update gates z, reset gates r, candidate states c
    recurrent: Array  # (S, H): r ⊙ h_{t-1}; with reset_after, U_c·h_{t-1} + b_u
    mask: Array | None  # (B, H)
    decay: Array | None  # (S, H)
    decayed: Array  # (S, H): decay ⊙ h_{t-1}, if there is a decay


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), gate order z, r, c.

    Reset before (``reset_after=False``)::

        z_t = σ(W_z·x_t + U_z·h_{t-1} + b_z)            update gate
        r_t = σ(W_r·x_t + U_r·h_{t-1} + b_r)            reset gate
        c_t = tanh(W_c·x_t + U_c·(r_t ⊙ h_{t-1}) + b_c) candidate state
        h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ c_t

    Reset after (cuDNN, Keras, PyTorch) has a bias of its own inside the reset product::

        c_t = tanh(W_c·x_t + b_c + r_t ⊙ (U_c·h_{t-1} + b_u))

    The update gate weighs the candidate: z here is 1 − z in PyTorch and Keras.
    """

    n_gates = 3
    sigmoid_gates = ("update", "reset")
    options = ("reset_after",)
    has_fast_path_alone = True
    n_kept_per_unit = 1  # `recurrent` of the cache

    def __init__(self, n_inputs: int, n_units: int, *, reset_after: bool = False) -> None:
        super().__init__(n_inputs, n_units)
        self.reset_after = reset_after

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes; columns are the gates z, r, c in turn."""
        own: Shapes = {"recurrent_bias": (self.n_units,)}
        return super().shapes() | (own if self.reset_after else {})

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: Glorot input weights, orthogonal recurrent ones, zero biases."""
        super().initialize(p, rng)
        if self.reset_after:
            p["recurrent_bias"][...] = 0.0

    def _forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[CellOutputs, GRUCache | None]:
        """See `Cell.forward`."""
        batch, initial, mask, decay = run.batch, run.initial, run.mask, run.decay
        Wb, U = self._weights(p)
        U_zr, U_c = U[:2], U[2]
        x1, gates = self._gate_arrays(batch, x.dtype, run.need_cache)
        z_all, r_all, c_all = gates
        zr_all = gates[:2]
        recurrent = batch.empty(z_all.shape, x.dtype)
        states = batch.allocate_states(initial, self.n_units, x.dtype)
        before, after = states[: batch.n_sequences], states[batch.n_sequences :]
        product = np.empty((2, batch.n_sequences, self.n_units), x.dtype)
        masked = np.empty_like(states[: batch.n_sequences])
        decayed = self._decayed_states(decay, batch, x.dtype)

        n = -1
        for steps, block, kept in self._blocks(x, batch, Wb, x1, gates):
            arrays = zr_all, z_all, r_all, c_all, recurrent
            views = [batch.by_step(array, steps, kept) for array in arrays]
            h_views = batch.by_step(after, steps, block)
            for t, zr, z, r, c, recurrent_t, h_t in zip(steps, *views, h_views, strict=True):
                if batch.active[t] != n:  # the sequences that still run
                    n = batch.active[t]
                    before, work = before[:n], product[:, :n]
                    work_0 = work[0]
                h = before  # (n, H)
                if decay is not None:
                    rows = slice(batch.starts[t], batch.starts[t] + n)
                    h = np.multiply(h, decay[rows], decayed[rows])
                read = h if mask is None else np.multiply(h, mask[:n], masked[:n])

                np.add(zr, np.matmul(read, U_zr, work), zr)
                sigmoid_(zr)
                if self.reset_after:
                    np.dot(read, U_c, recurrent_t)
                    np.add(recurrent_t, p["recurrent_bias"], recurrent_t)
                    np.add(c, np.multiply(r, recurrent_t, work_0), c)
                else:
                    np.multiply(r, read, recurrent_t)
                    np.add(c, np.dot(recurrent_t, U_c, work_0), c)
                np.tanh(c, c)
                # h_t = h_{t-1} + z ⊙ (c − h_{t-1})
                np.subtract(c, h, h_t)
                np.multiply(h_t, z, h_t)
                np.add(h_t, h, h_t)
                before = h_t
        cache = None
        if run.need_cache:
            cache = GRUCache(x1, states, gates, recurrent, mask, decay, decayed)
        return CellOutputs(states, batch.last(states)), cache

    def _forward_alone(self, p: Arrays, x: Array, run: LayerRun) -> CellOutputs:
        """See `Cell._forward_alone`.

        Each call of NumPy costs more than its arithmetic here, so there are as few as can be: gates
        lie side by side in vectors, which all steps share.
        """
        H = self.n_units
        half = np.repeat(np.array([0.5, 0.5, 1.0], x.dtype), H)  # see sigmoid_
        U = p["recurrent_weights"] * half
        U_zr, U_c = U[:, : 2 * H].copy(), U[:, 2 * H :].copy()
        a = x @ (p["input_weights"] * half)  # (T, 3 H)
        a += p["bias"] * half
        states = run.batch.allocate_states(run.initial, H, x.dtype)
        zr, c, q = np.empty(2 * H, x.dtype), np.empty(H, x.dtype), np.empty(H, x.dtype)
        z, r = zr[:H], zr[H:]
        h = states[0]
        for a_zr, a_c, h_t in zip(a[:, : 2 * H], a[:, 2 * H :], states[1:], strict=True):
            np.dot(h, U_zr, zr)
            np.add(zr, a_zr, zr)
            sigmoid_(zr)
            if self.reset_after:
                np.dot(h, U_c, q)
                np.add(q, p["recurrent_bias"], q)
                np.multiply(r, q, c)
            else:
                np.multiply(r, h, q)
                np.dot(q, U_c, c)
            np.add(c, a_c, c)
            np.tanh(c, c)
            np.subtract(c, h, c)  # as in forward: h + z ⊙ (c − h)
            np.multiply(c, z, c)
            np.add(h, c, h_t)
            h = h_t
        return CellOutputs(states, states[-1:])

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: GRUCache, g: Arrays, run: LayerRun
    ) -> CellGradients:
        """See `Cell.backward`."""
        batch, (d_states, d_last) = run.batch, dy
        x1, states, gates, recurrent, mask, decay, decayed = cache
        U = self._by_gate(p["recurrent_weights"])
        U_T = np.ascontiguousarray(U.transpose(0, 2, 1))  # (3, H, H)
        U_zc_T, U_r_T, U_c_T = U_T[::2], U_T[1], U_T[2]
        h_previous = batch.previous(states) if decay is None else decayed  # (S, H)
        d_decay = None if decay is None else batch.empty(decay.shape, x1.dtype)
        d_gates = gates  # (3, S, H): gradients of the gates' arguments take the gates' place
        dq = batch.empty(recurrent.shape, x1.dtype) if self.reset_after else d_gates[2]
        dh_all = np.zeros((batch.n_sequences, self.n_units), x1.dtype)
        if d_last is not None:
            dh_all += d_last
        product = np.empty((3, *dh_all.shape), x1.dtype)
        dh_z_all, dh_r_all, dh_c_all = product
        dz_dc_all, dr_all = d_gates[::2], d_gates[1]

        n = -1
        room = np.empty((5, batch.most_rows(self.n_units), self.n_units), x1.dtype)
        for steps, block in reversed(batch.blocks(self.n_units)):
            # Factors that do not depend on the incoming gradient, for many steps at once.
            here = slice(0, block.stop - block.start)
            z, r_t, c = gates[:, block]
            factor, (keep, r, d_reset) = room[:2, here], room[2:, here]
            d_update, d_candidate = factor
            r[...] = r_t
            np.subtract(1, z, keep)
            np.subtract(c, h_previous[block], d_update)  # ∂h/∂(argument of the update gate)
            d_update *= z
            d_update *= keep
            np.square(c, d_candidate)  # ∂h/∂(argument of tanh)
            np.subtract(1, d_candidate, d_candidate)
            d_candidate *= z
            np.subtract(1, r, d_reset)
            d_reset *= recurrent[block]
            if self.reset_after:
                d_reset *= r

            views = [
                *(batch.by_step(array, steps, block) for array in (dz_dc_all, dr_all)),
                *(batch.by_step(array, steps, here) for array in (factor, keep, d_reset, r)),
            ]
            views = [view[::-1] for view in views]
            for t, dz_dc, dr, factor_t, keep_t, d_reset_t, r_t in zip(
                reversed(steps), *views, strict=True
            ):
                if batch.active[t] != n:
                    n = batch.active[t]
                    dh, dh_z, dh_r, dh_c = dh_all[:n], dh_z_all[:n], dh_r_all[:n], dh_c_all[:n]
                    work = product[:, :n]
                    of_both = work[:2] if self.reset_after else work[::2]
                drop_vanished_(dh, t)
                if d_states is not None:
                    np.add(dh, d_states[batch.starts[t] : batch.starts[t + 1]], dh)
                np.multiply(dh, factor_t, dz_dc)
                np.multiply(dh, keep_t, dh)
                if self.reset_after:
                    rows = slice(batch.starts[t], batch.starts[t + 1])
                    dc, dq_t = dz_dc[1], dq[rows]
                    np.multiply(dc, d_reset_t, dr)
                    np.multiply(dc, r_t, dq_t)
                    np.matmul(d_gates[:2, rows], U_T[:2], of_both)
                    np.dot(dq_t, U_c_T, dh_c)
                else:
                    np.matmul(dz_dc, U_zc_T, of_both)  # of r ⊙ h_{t-1}: dh_c
                    np.multiply(dh_c, d_reset_t, dr)
                    np.dot(dr, U_r_T, dh_r)
                    np.multiply(dh_c, r_t, dh_c)
                if mask is not None:
                    np.multiply(work, mask[:n], work)
                np.add(dh, dh_z, dh)
                np.add(dh, dh_r, dh)
                np.add(dh, dh_c, dh)
                if decay is not None and d_decay is not None:
                    rows = slice(batch.starts[t], batch.starts[t + 1])
                    d_decay[rows] = dh
                    np.multiply(dh, decay[rows], dh)

        if run.need_g:
            d_U = self._by_gate(g["recurrent_weights"])
            read = self._recurrent_inputs(h_previous, mask, batch)
            np.matmul(read.T, d_gates[:2], out=d_U[:2])
            np.matmul((read if self.reset_after else recurrent).T, dq, out=d_U[2])
            if self.reset_after:
                g["recurrent_bias"][...] = np.ones(batch.n_rows, x1.dtype) @ dq  # a sum, by BLAS
        if d_decay is not None:
            d_decay *= batch.previous(states)
        dx = self._input_gradients(p, x1, d_gates, g, run)
        return CellGradients(dx, dh_all, d_decay)
