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


def sigmoid_(a: Array) -> None:
    """Replace ``a``, which holds *half* the argument of σ, by σ(2a) = ½ + ½ tanh(a).

    The ½ is folded into the weights; tanh is vectorised and cannot overflow.
    """
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5


def glorot_uniform(rng: RandomState, n_in: int, n_out: int) -> Array:
    """Draw an (n_in, n_out) matrix (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_in, n_out))


def orthogonal(rng: RandomState, n: int) -> Array:
    """Draw an (n, n) orthogonal matrix, uniform over the group (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


class GRUCache(NamedTuple):
    """What `GRU.backward` needs of the forward pass."""

    x: Array  # (S, D)
    states: Array  # (B + S, H): initial states, then the state after each row's step
    zr: Array  # (S, 2H): update and reset gates
    c: Array  # (S, H): candidate states
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
        self, p: dict[str, Array], x: Array, batch: Batch, initial: Array | None = None
    ) -> tuple[Array, GRUCache]:
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

        Returns
        -------
        states : ndarray of shape (B + S, H)
            Initial states, then the state after each row's step.
        cache : GRUCache
        """
        H = self.n_units
        W, U, b = p["input_weights"], p["recurrent_weights"], p["bias"]
        zr = x @ (0.5 * W[:, : 2 * H])  # (S, 2H), half the argument of σ: see sigmoid_
        zr += 0.5 * b[: 2 * H]
        c = x @ W[:, 2 * H :]  # (S, H)
        c += b[2 * H :]
        U_zr = 0.5 * U[:, : 2 * H]  # (H, 2H)
        U_c = np.ascontiguousarray(U[:, 2 * H :])  # (H, H)
        states = batch.allocate_states(initial, H, x.dtype)
        recurrent = np.empty_like(c)
        product_zr = np.empty((batch.n_sequences, 2 * H), x.dtype)
        product_c = np.empty((batch.n_sequences, H), x.dtype)

        for t, n in enumerate(batch.active):
            start, previous = batch.starts[t], batch.previous_start(t)
            h = states[previous : previous + n]  # (n, H)
            zr_t, c_t = zr[start : start + n], c[start : start + n]
            recurrent_t = recurrent[start : start + n]
            work = product_c[:n]

            zr_t += np.matmul(h, U_zr, out=product_zr[:n])
            sigmoid_(zr_t)
            z, r = zr_t[:, :H], zr_t[:, H:]
            if self.reset_after:
                np.matmul(h, U_c, out=recurrent_t)
                recurrent_t += p["recurrent_bias"]
                c_t += np.multiply(r, recurrent_t, out=work)
            else:
                np.multiply(r, h, out=recurrent_t)
                c_t += np.matmul(recurrent_t, U_c, out=work)
            np.tanh(c_t, out=c_t)
            # h_t = h_{t-1} + z ⊙ (c − h_{t-1})
            h_t = states[batch.n_sequences + start : batch.n_sequences + start + n]
            np.subtract(c_t, h, out=h_t)
            h_t *= z
            h_t += h
        return states, GRUCache(x, states, zr, c, recurrent)

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
            Those of the forward pass.
        g : dict of ndarray
            Where the gradients of the parameters are written.
        need_dx : bool
            Whether the gradient of the inputs is wanted.

        Returns
        -------
        dx : ndarray of shape (S, D), or None
        d_initial : ndarray of shape (B, H)
        """
        H = self.n_units
        W, U = p["input_weights"], p["recurrent_weights"]
        x, states, zr, c, recurrent = cache
        h_previous = batch.previous(states)  # (S, H)
        z, r = zr[:, :H], zr[:, H:]

        # Factors that do not depend on the incoming gradient, for all steps at once.
        keep = 1 - z
        d_candidate = z * (1 - c * c)  # ∂h/∂(argument of tanh)
        d_update = (c - h_previous) * z * keep  # ∂h/∂(argument of the update gate)
        d_reset = (recurrent if self.reset_after else h_previous) * r * (1 - r)
        r = np.ascontiguousarray(r)

        dzr = np.empty_like(zr)  # gradients of the gates' arguments
        dc = np.empty_like(c)
        dq = np.empty_like(c) if self.reset_after else dc  # of U_c's product
        dh_all = np.zeros((batch.n_sequences, H), x.dtype) if d_last is None else d_last.copy()
        work = np.empty_like(dh_all)
        U_zr_T = np.ascontiguousarray(U[:, : 2 * H].T)  # (2H, H)
        U_c_T = np.ascontiguousarray(U[:, 2 * H :].T)  # (H, H)

        for t in range(batch.n_steps - 1, -1, -1):
            n = batch.active[t]
            rows = slice(batch.starts[t], batch.starts[t + 1])
            dh, work_t, dzr_t, dc_t = dh_all[:n], work[:n], dzr[rows], dc[rows]
            if d_states is not None:
                dh += d_states[rows]
            np.multiply(dh, d_candidate[rows], out=dc_t)
            np.multiply(dh, d_update[rows], out=dzr_t[:, :H])
            dh *= keep[rows]
            if self.reset_after:
                np.multiply(dc_t, d_reset[rows], out=dzr_t[:, H:])
                np.multiply(dc_t, r[rows], out=dq[rows])
                dh += np.matmul(dq[rows], U_c_T, out=work_t)
            else:
                np.matmul(dc_t, U_c_T, out=work_t)  # gradient of r ⊙ h_{t-1}
                np.multiply(work_t, d_reset[rows], out=dzr_t[:, H:])
                work_t *= r[rows]
                dh += work_t
            dh += np.matmul(dzr_t, U_zr_T, out=work_t)

        g["input_weights"][:, : 2 * H] = x.T @ dzr
        g["input_weights"][:, 2 * H :] = x.T @ dc
        g["recurrent_weights"][:, : 2 * H] = h_previous.T @ dzr
        g["recurrent_weights"][:, 2 * H :] = (h_previous if self.reset_after else recurrent).T @ dq
        g["bias"][: 2 * H] = dzr.sum(axis=0)
        g["bias"][2 * H :] = dc.sum(axis=0)
        if self.reset_after:
            g["recurrent_bias"][...] = dq.sum(axis=0)
        if not need_dx:
            return None, dh_all
        dx = dzr @ W[:, : 2 * H].T
        dx += dc @ W[:, 2 * H :].T
        return dx, dh_all
