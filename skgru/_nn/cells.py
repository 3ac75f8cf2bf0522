"""Recurrent cells: the equations, forward and backward, over an active-prefix batch.

Letters, here and in the docstrings: S rows (all steps of all sequences), B sequences, D inputs,
H units; ``x`` (S, D) inputs, ``h`` states, ``W`` input weights, ``U`` recurrent weights, ``b``
biases, ``d`` the derivative of the loss with respect to what follows it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch

# An array as the operand of a small array costs half the time of a Python number.
_HALF = {np.dtype(t): np.array(0.5, t) for t in (np.float32, np.float64)}


def sigmoid_(a: Array) -> None:
    """Replace ``a``, which holds *half* the argument of σ, by σ(2a) = ½ + ½ tanh(a).

    The ½ is folded into the weights; tanh is vectorised and cannot overflow.
    """
    half = _HALF[a.dtype]
    np.tanh(a, a)
    np.multiply(a, half, a)
    np.add(a, half, a)


def glorot_uniform(rng: RandomState, n_in: int, n_out: int) -> Array:
    """Draw an (n_in, n_out) matrix (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_in, n_out))


def orthogonal(rng: RandomState, n: int) -> Array:
    """Draw an (n, n) orthogonal matrix, uniform over the group (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def by_gate(weights: Array) -> Array:
    """Return a (D, 3 H) matrix as a view of shape (3, D, H), a matrix for each gate."""
    return weights.reshape(len(weights), 3, -1).transpose(1, 0, 2)


class GRUCache(NamedTuple):
    """What `GRU.backward` needs of the forward pass; it uses the memory for its own results."""

    x: Array  # (S, D + 1): inputs, and a column of ones for the bias
    states: Array  # (B + S, H): initial states, then the state after each row's step
    gates: Array  # (3, S, H): update gates z, reset gates r, candidate states c
    recurrent: Array  # (S, H): r ⊙ h_{t-1}; with reset_after, U_c·h_{t-1} + b_u


class GRU:
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

    def __init__(self, n_inputs: int, n_units: int, *, reset_after: bool = False) -> None:
        self.n_inputs = n_inputs
        self.n_units = n_units
        self.reset_after = reset_after

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes; columns are the gates z, r, c in turn."""
        D, H = self.n_inputs, self.n_units
        shapes: dict[str, tuple[int, ...]] = {
            "input_weights": (D, 3 * H),
            "recurrent_weights": (H, 3 * H),
            "bias": (3 * H,),
        }
        if self.reset_after:
            shapes["recurrent_bias"] = (H,)
        return shapes

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw start values: Glorot input weights, orthogonal recurrent ones, zero biases."""
        D, H = self.n_inputs, self.n_units
        p["input_weights"][...] = np.hstack([glorot_uniform(rng, D, H) for _ in range(3)])
        p["recurrent_weights"][...] = np.hstack([orthogonal(rng, H) for _ in range(3)])
        p["bias"][...] = 0.0
        if self.reset_after:
            p["recurrent_bias"][...] = 0.0

    def forward(
        self,
        p: dict[str, Array],
        x: Array,
        batch: Batch,
        initial: Array | None = None,
        *,
        need_cache: bool = True,
    ) -> tuple[Array, GRUCache | None]:
        """Run the recurrence over all sequences.

        Parameters
        ----------
        p : dict of ndarray
            Parameters, as `shapes` lists them.
        x : ndarray of shape (S, D)
            Inputs, in the layout of `batch`.
        batch : Batch
        initial : ndarray of shape (B, H) or None
            State before the first step; None = 0.
        need_cache : bool
            Whether `backward` will follow. If not, only a block of steps' gates is held at a time.

        Returns
        -------
        states : ndarray of shape (B + S, H)
            Initial states, then the state after each row's step.
        cache : GRUCache or None
        """
        if batch.n_sequences == 1 and not need_cache:
            return self._forward_alone(p, x, batch, initial), None
        half = np.array([0.5, 0.5, 1.0], x.dtype).reshape(3, 1, 1)  # see sigmoid_
        Wb = by_gate(np.vstack([p["input_weights"], p["bias"]]))  # (3, D + 1, H)
        Wb = np.multiply(Wb, half, order="C")
        U = np.multiply(by_gate(p["recurrent_weights"]), half, order="C")  # (3, H, H)
        U_zr, U_c = U[:2], U[2]
        blocks = batch.blocks(self.n_units)
        n_kept = batch.n_rows
        if not need_cache:
            n_kept = max((rows.stop - rows.start for _, rows in blocks), default=0)
        x1 = batch.empty((n_kept, self.n_inputs + 1), x.dtype)
        x1[:, -1] = 1
        gates = batch.empty((3, n_kept, self.n_units), x.dtype)
        z_all, r_all, c_all = gates
        zr_all = gates[:2]
        recurrent = batch.empty((n_kept, self.n_units), x.dtype)
        states = batch.allocate_states(initial, self.n_units, x.dtype)
        before, after = states[: batch.n_sequences], states[batch.n_sequences :]
        product = np.empty((2, batch.n_sequences, self.n_units), x.dtype)

        for steps, block in blocks:
            offset = 0 if need_cache else block.start
            kept = slice(block.start - offset, block.stop - offset)
            x1[kept, :-1] = x[block]
            np.matmul(x1[kept], Wb, out=gates[:, kept])
            for t in steps:
                n, start = batch.active[t], batch.starts[t]
                h = before[:n]  # (n, H): the sequences that still run
                here = slice(start - offset, start - offset + n)
                zr, z, r, c = zr_all[:, here], z_all[here], r_all[here], c_all[here]
                recurrent_t, work = recurrent[here], product[:, :n]

                np.add(zr, np.matmul(h, U_zr, work), zr)
                sigmoid_(zr)
                if self.reset_after:
                    np.dot(h, U_c, recurrent_t)
                    np.add(recurrent_t, p["recurrent_bias"], recurrent_t)
                    np.add(c, np.multiply(r, recurrent_t, work[0]), c)
                else:
                    np.multiply(r, h, recurrent_t)
                    np.add(c, np.dot(recurrent_t, U_c, work[0]), c)
                np.tanh(c, c)
                # h_t = h_{t-1} + z ⊙ (c − h_{t-1})
                h_t = after[start : start + n]
                np.subtract(c, h, h_t)
                np.multiply(h_t, z, h_t)
                np.add(h_t, h, h_t)
                before = h_t
        return states, GRUCache(x1, states, gates, recurrent) if need_cache else None

    def _forward_alone(
        self, p: dict[str, Array], x: Array, batch: Batch, initial: Array | None
    ) -> Array:
        """Return the states (1 + T, H) of a single sequence.

        Each call of NumPy costs more than its arithmetic here, so there are as few as can be: gates
        lie side by side in vectors, which all steps share.
        """
        H = self.n_units
        half = np.repeat(np.array([0.5, 0.5, 1.0], x.dtype), H)  # see sigmoid_
        U = p["recurrent_weights"] * half
        U_zr, U_c = U[:, : 2 * H].copy(), U[:, 2 * H :].copy()
        a = x @ (p["input_weights"] * half)  # (T, 3 H)
        a += p["bias"] * half
        states = batch.allocate_states(initial, H, x.dtype)
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
        return states

    def backward(
        self,
        p: dict[str, Array],
        d_states: Array | None,
        d_last: Array | None,
        batch: Batch,
        cache: GRUCache,
        g: dict[str, Array],
        *,
        need_dx: bool = True,
    ) -> tuple[Array | None, Array]:
        """Propagate the loss gradient back through all steps.

        Parameters
        ----------
        p : dict of ndarray
            Parameters, as in `forward`.
        d_states : ndarray of shape (S, H) or None
            Gradient with respect to the state after each row's step; None = 0.
        d_last : ndarray of shape (B, H) or None
            Gradient with respect to each sequence's last state, on top; None = 0.
        batch, cache
            Those of the forward pass; the cache can be used once.
        g : dict of ndarray
            Where the gradients of the parameters are written.
        need_dx : bool
            Whether the gradient of the inputs is wanted.

        Returns
        -------
        dx : ndarray of shape (S, D), or None
        d_initial : ndarray of shape (B, H)
        """
        x1, states, gates, recurrent = cache
        W, U = by_gate(p["input_weights"]), by_gate(p["recurrent_weights"])
        U_T = np.ascontiguousarray(U.transpose(0, 2, 1))  # (3, H, H)
        U_zc_T, U_r_T, U_c_T = U_T[::2], U_T[1], U_T[2]
        h_previous = batch.previous(states)  # (S, H)
        d_gates = gates  # (3, S, H): gradients of the gates' arguments take the gates' place
        dq = batch.empty(recurrent.shape, x1.dtype) if self.reset_after else d_gates[2]
        dh_all = np.zeros((batch.n_sequences, self.n_units), x1.dtype)
        if d_last is not None:
            dh_all += d_last
        product = np.empty((3, *dh_all.shape), x1.dtype)
        dh_z_all, dh_r_all, dh_c_all = product
        dz_dc_all, dr_all = d_gates[::2], d_gates[1]

        for steps, block in reversed(batch.blocks(self.n_units)):
            # Factors that do not depend on the incoming gradient, for many steps at once.
            z, r, c = gates[:, block]
            r = r.copy()
            keep = 1 - z
            factor = np.empty((2, *z.shape), x1.dtype)
            d_update, d_candidate = factor
            np.subtract(c, h_previous[block], out=d_update)  # ∂h/∂(argument of the update gate)
            d_update *= z
            d_update *= keep
            np.square(c, out=d_candidate)  # ∂h/∂(argument of tanh)
            np.subtract(1, d_candidate, out=d_candidate)
            d_candidate *= z
            d_reset = 1 - r
            d_reset *= recurrent[block]
            if self.reset_after:
                d_reset *= r

            for t in reversed(steps):
                n = batch.active[t]
                rows = slice(batch.starts[t], batch.starts[t + 1])
                here = slice(rows.start - block.start, rows.stop - block.start)
                dh, dh_z, dh_r, dh_c = dh_all[:n], dh_z_all[:n], dh_r_all[:n], dh_c_all[:n]
                dz_dc, dr, work = dz_dc_all[:, rows], dr_all[rows], product[:, :n]
                if d_states is not None:
                    np.add(dh, d_states[rows], dh)
                np.multiply(dh, factor[:, here], dz_dc)
                np.multiply(dh, keep[here], dh)
                if self.reset_after:
                    dc, dq_t = dz_dc[1], dq[rows]
                    np.multiply(dc, d_reset[here], dr)
                    np.multiply(dc, r[here], dq_t)
                    np.matmul(d_gates[:2, rows], U_T[:2], work[:2])
                    np.dot(dq_t, U_c_T, dh_c)
                else:
                    np.matmul(dz_dc, U_zc_T, work[::2])  # of r ⊙ h_{t-1}: dh_c
                    np.multiply(dh_c, d_reset[here], dr)
                    np.dot(dr, U_r_T, dh_r)
                    np.multiply(dh_c, r[here], dh_c)
                np.add(dh, dh_z, dh)
                np.add(dh, dh_r, dh)
                np.add(dh, dh_c, dh)

        d_Wb = np.matmul(x1.T, d_gates)  # (3, D + 1, H)
        by_gate(g["input_weights"])[...] = d_Wb[:, :-1]
        g["bias"].reshape(3, -1)[...] = d_Wb[:, -1]
        d_U = by_gate(g["recurrent_weights"])
        np.matmul(h_previous.T, d_gates[:2], out=d_U[:2])
        np.matmul((h_previous if self.reset_after else recurrent).T, dq, out=d_U[2])
        if self.reset_after:
            g["recurrent_bias"][...] = np.ones(batch.n_rows, x1.dtype) @ dq  # a sum, by BLAS
        if not need_dx:
            return None, dh_all
        dx = d_gates[0] @ W[0].T
        dx += d_gates[1] @ W[1].T
        dx += d_gates[2] @ W[2].T
        return dx, dh_all
