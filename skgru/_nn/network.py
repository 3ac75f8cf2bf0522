"""The whole network: embedding (tokens only) → recurrent stack → pooling → dense head."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch
from skgru._nn.layers import Dense, Embedding, mean_backward, mean_forward
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.recurrent import Stack


class Network:
    """Layers and their wiring; the numbers live in `Parameters`.

    Parameters
    ----------
    n_inputs : int
        Features per step, or the dimensions of the embedding.
    hidden_layer_sizes : tuple of int
        Units of each hidden layer, from the bottom up.
    n_outputs : int
        K, the width of the head.
    n_tokens : int or None
        Rows of the embedding; None = numeric input.
    reset_after, output_gate : bool
        Form of the cells; see `cells.GRU` and `layers.OutputGate`.
    pooling : {"last", "mean"}
        What the head reads: the last output of each sequence, or the mean over its steps.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: tuple[int, ...],
        n_outputs: int,
        *,
        n_tokens: int | None = None,
        reset_after: bool = False,
        output_gate: bool = False,
        pooling: str = "last",
    ) -> None:
        self.embedding = Embedding(n_tokens, n_inputs) if n_tokens is not None else None
        self.stack = Stack(
            n_inputs, hidden_layer_sizes, reset_after=reset_after, output_gate=output_gate
        )
        self.pooling = pooling
        self.n_outputs = n_outputs
        self.n_units_of_widest = max(hidden_layer_sizes)
        # About how many numbers a pass holds for each step of each sequence.
        self.numbers_per_step = 2 * n_inputs + 6 * sum(hidden_layer_sizes)
        self.numbers_per_step_without_cache = n_inputs + (2 + output_gate) * sum(hidden_layer_sizes)
        self.head = Dense(self.stack.n_outputs, n_outputs)

        parts: dict[str, Any] = {**self.stack.layers, "head": self.head}
        shapes = {
            f"{part}.{name}": shape
            for part, layer in parts.items()
            for name, shape in layer.shapes().items()
        }
        weights = {name: shape for name, shape in shapes.items() if len(shape) == 2}
        biases = {name: shape for name, shape in shapes.items() if len(shape) == 1}
        self.shapes: dict[str, tuple[int, ...]] = weights | biases
        self.n_penalized = size_of(weights)  # θ[:n_penalized] is under the L2 penalty
        if self.embedding:
            parts["embedding"] = self.embedding
            self.shapes |= {f"embedding.{n}": shape for n, shape in self.embedding.shapes().items()}
        self._parts = parts

    def parameters(self, vector: Array) -> Parameters:
        """Return named views into a flat vector."""
        return Parameters(self.shapes, vector)

    def initialize(self, rng: RandomState, dtype: type[np.floating]) -> Array:
        """Draw a start vector θ; the draws do not depend on `dtype`."""
        theta = self.parameters(np.empty(size_of(self.shapes)))
        for name, part in self._parts.items():
            part.initialize(theta.section(name), rng)
        return theta.vector.astype(dtype)

    def forward(
        self, p: Parameters, x: Any, batch: Batch, *, need_cache: bool = True
    ) -> tuple[Array, Any]:
        """Run the network.

        Parameters
        ----------
        p : Parameters
        x : ndarray of shape (S, D), or of shape (S,) with rows of the embedding
            Inputs in the layout of `batch`.
        batch : Batch
        need_cache : bool
            Whether `backward` will follow; without, less memory is held.

        Returns
        -------
        raw : ndarray of shape (B, K)
            Outputs before the activation, in the order of the batch.
        cache : tuple
            What `backward` needs.
        """
        y, _, encode_cache = self.encode(p, x, batch, need_cache=need_cache)
        raw, head_cache = self.head.forward(p.section("head"), self.pool(y, batch))
        return raw, (encode_cache, head_cache)

    def backward(
        self,
        p: Parameters,
        d_raw: Array,
        batch: Batch,
        cache: Any,
        g: Parameters,
        *,
        need_dx: bool = False,
    ) -> Array | None:
        """Write the gradient of every parameter to g, given that of the raw outputs (B, K).

        Returns the gradient of the inputs (S, D) if asked for: with an embedding, of its vectors.
        """
        encode_cache, head_cache = cache
        d_pooled = self.head.backward(p.section("head"), d_raw, head_cache, g.section("head"))
        return self.encode_backward(p, d_pooled, batch, encode_cache, g, need_dx=need_dx)

    # --- The parts below the head ----------------------------------------------------------------

    def encode(
        self,
        p: Parameters,
        x: Any,
        batch: Batch,
        initial: list[Array] | None = None,
        *,
        need_cache: bool = True,
    ) -> tuple[Array, list[Array], Any]:
        """Run embedding and stack; return the outputs (B + S, H), final states and the cache."""
        tokens = None
        if self.embedding:
            x, tokens = self.embedding.forward(p.section("embedding"), x)
        y, final, stack_cache = self.stack.forward(p, x, batch, initial, need_cache=need_cache)
        return y, final, (tokens, stack_cache)

    def pool(self, y: Array, batch: Batch) -> Array:
        """Return what the head reads, (B, H), of the outputs (B + S, H)."""
        if self.pooling == "last":
            return batch.last(y)
        return mean_forward(y[batch.n_sequences :], batch)

    def encode_backward(
        self,
        p: Parameters,
        d_pooled: Array,
        batch: Batch,
        cache: Any,
        g: Parameters,
        *,
        need_dx: bool = False,
    ) -> Array | None:
        """Write the gradients of embedding and stack to g, given that of what the head reads."""
        tokens, stack_cache = cache
        dy = dy_last = None
        if self.pooling == "last":
            dy_last = d_pooled
        else:
            dy = mean_backward(d_pooled, batch)
        dx = self.stack.backward(
            p, dy, dy_last, batch, stack_cache, g, need_dx=need_dx or self.embedding is not None
        )
        if self.embedding and dx is not None:
            self.embedding.backward(dx, tokens, g.section("embedding"))
        return dx
