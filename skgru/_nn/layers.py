"""Layers around the recurrence: embedding, output gate, dense head.

Letters as in `cells`: S rows, B sequences, D inputs, H units.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

from skgru._nn.batch import Array
from skgru._nn.cells import glorot_uniform, sigmoid_


class Embedding:
    """A trainable vector for each of V tokens: x_t = E[token_t].

    Where several tokens make a step, their vectors lie side by side. A token of -1 is padding: its
    vector is 0.
    """

    def __init__(self, n_tokens: int, n_dimensions: int) -> None:
        self.n_tokens = n_tokens
        self.n_dimensions = n_dimensions

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        return {"weights": (self.n_tokens, self.n_dimensions)}

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw small uniform vectors; the unknown token, row 0, starts at zero: no information."""
        p["weights"][...] = rng.uniform(-0.05, 0.05, p["weights"].shape)
        p["weights"][0] = 0.0

    def forward(
        self, p: dict[str, Array], tokens: NDArray[np.integer]
    ) -> tuple[Array, NDArray[np.integer]]:
        """Look up (S,) or (S, k) row numbers; return their vectors, (S, k · D), and the cache."""
        x = p["weights"].take(tokens, axis=0)
        if tokens.ndim == 2:
            x[tokens < 0] = 0
            x = x.reshape(len(tokens), tokens.shape[1] * self.n_dimensions)
        return x, tokens

    def backward(self, dx: Array, cache: NDArray[np.integer], g: dict[str, Array]) -> None:
        """Add up the vectors of dx (S, k · D) by token."""
        tokens = cache.ravel()
        ones = (tokens >= 0).astype(dx.dtype)
        columns = np.arange(len(tokens) + 1)
        one_hot = sparse.csc_matrix(
            (ones, np.maximum(tokens, 0), columns), shape=(self.n_tokens, len(tokens))
        )
        g["weights"][...] = one_hot @ dx.reshape(len(tokens), self.n_dimensions)


class OutputGate:
    """An output gate after the recurrence.

    ``o_t = σ(W_o·x_t + U_o·h_t + b_o)`` and ``y_t = o_t ⊙ tanh(h_t)``. The gate reads h_t, not
    h_{t-1}: nothing flows back from it into the recurrence, so all steps are computed at once.
    """

    def __init__(self, n_inputs: int, n_units: int) -> None:
        self.n_inputs = n_inputs
        self.n_units = n_units

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        D, H = self.n_inputs, self.n_units
        return {
            "output_input_weights": (D, H),
            "output_state_weights": (H, H),
            "output_bias": (H,),
        }

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw Glorot weights and zero biases."""
        p["output_input_weights"][...] = glorot_uniform(rng, self.n_inputs, self.n_units)
        p["output_state_weights"][...] = glorot_uniform(rng, self.n_units, self.n_units)
        p["output_bias"][...] = 0.0

    def forward(
        self, p: dict[str, Array], x: Array, h: Array
    ) -> tuple[Array, tuple[Array, Array, Array, Array]]:
        """Gate the states h (S, H), given the inputs x (S, D); return y (S, H) and the cache."""
        o = x @ p["output_input_weights"]
        o += h @ p["output_state_weights"]
        o += p["output_bias"]
        o *= 0.5
        sigmoid_(o)
        tanh_h = np.tanh(h)
        return o * tanh_h, (x, h, o, tanh_h)

    def backward(
        self,
        p: dict[str, Array],
        dy: Array,
        cache: tuple[Array, Array, Array, Array],
        g: dict[str, Array],
    ) -> tuple[Array, Array]:
        """Return the gradients of x (S, D) and h (S, H); write those of the parameters to g."""
        x, h, o, tanh_h = cache
        da = dy * tanh_h * o * (1 - o)  # of the argument of σ
        g["output_input_weights"][...] = x.T @ da
        g["output_state_weights"][...] = h.T @ da
        g["output_bias"][...] = da.sum(axis=0)
        dx = da @ p["output_input_weights"].T
        dh = dy * o * (1 - tanh_h * tanh_h)
        dh += da @ p["output_state_weights"].T
        return dx, dh


class Dense:
    """An affine map: y = x·W + b."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the parameters' names and shapes."""
        return {"weights": (self.n_inputs, self.n_outputs), "bias": (self.n_outputs,)}

    def initialize(self, p: dict[str, Array], rng: RandomState) -> None:
        """Draw Glorot weights and zero biases."""
        p["weights"][...] = glorot_uniform(rng, self.n_inputs, self.n_outputs)
        p["bias"][...] = 0.0

    def forward(self, p: dict[str, Array], x: Array) -> tuple[Array, Array]:
        """Map x (B, D) to (B, K); return it and the cache."""
        return x @ p["weights"] + p["bias"], x

    def backward(self, p: dict[str, Array], dy: Array, cache: Array, g: dict[str, Array]) -> Array:
        """Return the gradient of x (B, D); write those of the parameters to g."""
        x = cache
        g["weights"][...] = x.T @ dy
        g["bias"][...] = dy.sum(axis=0)
        return dy @ p["weights"].T
