"""Long short-term memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array
from skgru._nn.cells import Cell, CellGradients, CellOutputs, drop_vanished_, sigmoid_
from skgru._nn.part import Arrays, LayerRun, OutputGradients


class LSTMCache(NamedTuple):
    """The cache of `LSTM`'s forward pass, for `backward`, which reuses its memory for results."""

    x: Array  # (S, D + 1): inputs, and a column of ones for the bias
    states: Array  # (B + S, H): initial h, then h after each row's step
    memory: Array  # (B + S, H): the same for c
    gates: Array  # (4, S, H): output gates o, input gates i, forget gates f, candidates u
    mask: Array | None  # (B, H)
    decay: Array | None  # (S, H)
    decayed: Array  # (S, H): decay ⊙ h_{t-1}, if there is a decay
    decayed_memory: Array  # (S, H): decay ⊙ c_{t-1}


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000), order o, i, f, u.

    ::

        o_t = σ(W_o·x_t + U_o·h_{t-1} + b_o)      output gate
        i_t = σ(W_i·x_t + U_i·h_{t-1} + b_i)      input gate
        f_t = σ(W_f·x_t + U_f·h_{t-1} + b_f)      forget gate
        u_t = tanh(W_u·x_t + U_u·h_{t-1} + b_u)   candidate
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ u_t           memory
        h_t = o_t ⊙ tanh(c_t)

    The state is h and c side by side. The bias of the forget gate starts at 1 (Jozefowicz et al.
    2015).
    """

    n_gates = 4
    sigmoid_gates = ("output", "input", "forget")
    may_have_output_gate = False  # it has one of its own
    n_states_per_unit = 2

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw start values: as in the other cells, but 1 for the forget gate's bias."""
        super().initialize(p, rng)
        p["bias"].reshape(self.n_gates, -1)[2] = 1.0

    def _forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[CellOutputs, LSTMCache | None]:
        """See `Cell.forward`."""
        batch, initial, mask, decay = run.batch, run.initial, run.mask, run.decay
        H, B = self.n_units, batch.n_sequences
        Wb, U = self._weights(p)
        x1, gates = self._gate_arrays(batch, x.dtype, run.need_cache)
        o_all, i_all, f_all, u_all = gates
        oif_all = gates[:3]
        h_0, c_0 = (None, None) if initial is None else (initial[:, :H], initial[:, H:])
        states = batch.allocate_states(h_0, H, x.dtype)
        memory = batch.allocate_states(c_0, H, x.dtype)
        h_before, h_after = states[:B], states[B:]
        c_before, c_after = memory[:B], memory[B:]
        product = np.empty((4, B, H), x.dtype)
        masked = np.empty_like(states[: batch.n_sequences])
        decayed = self._decayed_states(decay, batch, x.dtype)
        decayed_memory = self._decayed_states(decay, batch, x.dtype)

        n = -1
        for steps, block, kept in self._blocks(x, batch, Wb, x1, gates):
            arrays = gates, oif_all, o_all, i_all, f_all, u_all
            views = [
                *(batch.by_step(array, steps, kept) for array in arrays),
                *(batch.by_step(array, steps, block) for array in (h_after, c_after)),
            ]
            for t, a, oif, o, i, f, u, h_t, c_t in zip(steps, *views, strict=True):
                if batch.active[t] != n:  # the sequences that still run
                    n = batch.active[t]
                    h_before, c_before, work = h_before[:n], c_before[:n], product[:, :n]
                    scratch = work[0]
                h, c = h_before, c_before  # (n, H)
                if decay is not None:
                    rows = slice(batch.starts[t], batch.starts[t] + n)
                    h = np.multiply(h, decay[rows], decayed[rows])
                    c = np.multiply(c, decay[rows], decayed_memory[rows])
                read = h if mask is None else np.multiply(h, mask[:n], masked[:n])

                np.add(a, np.matmul(read, U, work), a)
                sigmoid_(oif)
                np.tanh(u, u)
                np.multiply(f, c, c_t)
                np.add(c_t, np.multiply(i, u, scratch), c_t)
                np.tanh(c_t, h_t)
                np.multiply(o, h_t, h_t)
                h_before, c_before = h_t, c_t
        final = np.hstack([batch.last(states), batch.last(memory)])
        cache = None
        if run.need_cache:
            cache = LSTMCache(x1, states, memory, gates, mask, decay, decayed, decayed_memory)
        return CellOutputs(states, final), cache

    def backward(
        self, p: Arrays, dy: OutputGradients, cache: LSTMCache, g: Arrays, run: LayerRun
    ) -> CellGradients:
        """See `Cell.backward`."""
        batch, (d_states, d_last) = run.batch, dy
        x1, states, memory, gates, mask, decay, decayed, decayed_memory = cache
        H, B = self.n_units, batch.n_sequences
        U = self._by_gate(p["recurrent_weights"])
        U_T = np.ascontiguousarray(U.transpose(0, 2, 1))  # (4, H, H)
        h_undecayed, c_undecayed = batch.previous(states), batch.previous(memory)  # (S, H)
        h_previous, c_previous, d_decay = h_undecayed, c_undecayed, None
        if decay is not None:
            h_previous, c_previous = decayed, decayed_memory
            d_decay = batch.empty(decay.shape, x1.dtype)
        d_gates = gates  # gradients of the gates' arguments take the gates' place
        do_all, d_ifu_all = d_gates[0], d_gates[1:]
        d_state = np.zeros((B, 2 * H), x1.dtype)
        dh_all, dc_all = np.zeros((2, B, H), x1.dtype)
        if d_last is not None:
            dh_all += d_last
        product = np.empty((4, B, H), x1.dtype)

        n = -1
        room = np.empty((6, batch.most_rows(H), H), x1.dtype)
        for steps, block in reversed(batch.blocks(H)):
            # Factors that do not depend on the incoming gradient, for many steps at once.
            here = slice(0, block.stop - block.start)
            o, i, f_t, u = gates[:, block]
            factor, (f, d_output, d_memory) = room[:3, here], room[3:, here]
            f[...] = f_t
            tanh_c = np.tanh(memory[B:][block], d_memory)
            np.subtract(1, o, d_output)  # ∂h/∂(argument of the output gate)
            d_output *= o
            d_output *= tanh_c
            np.square(tanh_c, d_memory)  # ∂h/∂c
            np.subtract(1, d_memory, d_memory)
            d_memory *= o
            d_input, d_forget, d_candidate = factor  # ∂c/∂(arguments of i, f, u)
            np.subtract(1, i, d_input)
            d_input *= i
            d_input *= u
            np.subtract(1, f, d_forget)
            d_forget *= f
            d_forget *= c_previous[block]
            np.square(u, d_candidate)
            np.subtract(1, d_candidate, d_candidate)
            d_candidate *= i

            views = [
                *(batch.by_step(array, steps, block) for array in (d_gates, do_all, d_ifu_all)),
                *(batch.by_step(array, steps, here) for array in (d_output, d_memory, factor, f)),
            ]
            views = [view[::-1] for view in views]
            for t, d_gates_t, do, d_ifu, d_output_t, d_memory_t, factor_t, f_t in zip(
                reversed(steps), *views, strict=True
            ):
                if batch.active[t] != n:
                    n = batch.active[t]
                    dh, dc, work = dh_all[:n], dc_all[:n], product[:, :n]
                    scratch = work[0]
                rows = slice(batch.starts[t], batch.starts[t + 1])
                drop_vanished_(dh, t)
                drop_vanished_(dc, t)
                if d_states is not None:
                    np.add(dh, d_states[rows], dh)
                np.multiply(dh, d_output_t, do)
                np.add(dc, np.multiply(dh, d_memory_t, scratch), dc)
                np.multiply(dc, factor_t, d_ifu)
                np.multiply(dc, f_t, dc)
                np.matmul(d_gates_t, U_T, work)
                np.add.reduce(work, axis=0, out=dh)
                if mask is not None:
                    np.multiply(dh, mask[:n], dh)
                if decay is not None and d_decay is not None:
                    np.multiply(dh, h_undecayed[rows], d_decay[rows])
                    d_decay[rows] += dc * c_undecayed[rows]
                    np.multiply(dh, decay[rows], dh)
                    np.multiply(dc, decay[rows], dc)

        if run.need_g:
            read = self._recurrent_inputs(h_previous, mask, batch)
            np.matmul(read.T, d_gates, out=self._by_gate(g["recurrent_weights"]))
        d_state[:, :H], d_state[:, H:] = dh_all, dc_all
        dx = self._input_gradients(p, x1, d_gates, g, run)
        return CellGradients(dx, d_state, d_decay)
