"""The whole network: embedding or missing values → recurrent stack → pooling → dense head."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState

from skgru._nn.batch import Array, Batch, Piece
from skgru._nn.dropout import Dropout
from skgru._nn.layers import Dense, Embedding
from skgru._nn.missing import ObservedInputs
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pooling import Gradients, make_pooling
from skgru._nn.recurrent import Outputs, Stack


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
    freeze_embedding : bool, default=False
        Whether the vectors of the tokens stay as they are.
    decay : bool, default=False
        Whether inputs and states decay while a feature has not been seen; x then holds the columns
        of `missing.ObservedInputs`.
    reads_mask : bool, default=False
        Whether, with `decay`, the network also reads what was seen at all.
    patch_size : int, default=1
        How many steps of the sequences make one of the network.
    cells : tuple of {"gru", "lstm", "rnn"}, default=None
        Of each hidden layer; None = "gru" for all.
    reset_after, output_gate : bool
        Form of the cells; see `gru.GRU` and `layers.OutputGate`.
    bidirectional : bool
        Whether each hidden layer reads the sequences in both directions.
    pooling : {"last", "mean", "max", "attention"}, tuple of them, or None
        What the head reads; None = the outputs of every step, each for itself.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: tuple[int, ...],
        n_outputs: int,
        *,
        n_tokens: int | None = None,
        freeze_embedding: bool = False,
        decay: bool = False,
        reads_mask: bool = False,
        patch_size: int = 1,
        cells: tuple[str, ...] | None = None,
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool = False,
        pooling: str | tuple[str, ...] | None = "last",
    ) -> None:
        self.embedding = Embedding(n_tokens, n_inputs) if n_tokens is not None else None
        self.observed = None
        n_read = n_inputs * patch_size
        if decay:
            self.observed = ObservedInputs(
                n_inputs,
                patch_size=patch_size,
                n_directions=2 if bidirectional else 1,
                reads_mask=reads_mask,
            )
            n_read = self.observed.n_outputs
        self.stack = Stack(
            n_read,
            hidden_layer_sizes,
            cells,
            reset_after=reset_after,
            output_gate=output_gate,
            bidirectional=bidirectional,
            n_gaps=self.observed.n_features if self.observed else None,
        )
        self.freeze_embedding = freeze_embedding
        self.bidirectional = bidirectional
        self.pooling = None if pooling is None else make_pooling(pooling, self.stack.n_outputs)
        self.n_outputs = n_outputs
        self.patch_size = patch_size
        self.n_units_of_widest = max(hidden_layer_sizes)
        # About how many numbers a pass holds for each step of each sequence.
        width = sum(hidden_layer_sizes) * (2 if bidirectional else 1)
        n_columns = n_inputs * patch_size
        if self.observed:
            n_columns = 3 * self.observed.n_columns
        self.numbers_per_step = 2 * n_columns + (10 if decay else 7) * width
        self.numbers_per_step_without_cache = n_columns + (2 + output_gate + 3 * decay) * width
        n_read = self.pooling.n_outputs if self.pooling else self.stack.n_outputs
        self.head = Dense(n_read, n_outputs)

        parts: dict[str, Any] = {**self.stack.layers, "head": self.head}
        if self.pooling and self.pooling.shapes():
            parts["pooling"] = self.pooling
        if self.observed and self.observed.shapes():
            parts["inputs"] = self.observed
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
        self,
        p: Parameters,
        x: Any,
        batch: Batch,
        *,
        dropout: Dropout | None = None,
        need_cache: bool = True,
    ) -> tuple[Array, Any]:
        """Run the network.

        Parameters
        ----------
        p : Parameters
        x : ndarray of shape (S, D), or of shape (S,) or (S, patch_size) with rows of the embedding
            Inputs in the layout of `batch`; with `decay`, the columns of `missing.ObservedInputs`.
        batch : Batch
        dropout : Dropout or None
            What is left out, in training.
        need_cache : bool
            Whether `backward` will follow; without, less memory is held.

        Returns
        -------
        raw : ndarray of shape (B, K), or (S, K) without a pooling
            Outputs before the activation, in the order of the batch.
        cache : tuple
            What `backward` needs.
        """
        outputs, _, encode_cache = self.encode(p, x, batch, dropout=dropout, need_cache=need_cache)
        account, pooled = {}, outputs.y
        if self.pooling:
            account = self.pooling.open(batch.lengths, p.vector.dtype)
            self.pooling.read(self.pooling_section(p), account, outputs, Piece.whole(batch))
            pooled = self.pooling.result(account)
        raw, read_cache = self.read(p, pooled, dropout)
        return raw, (encode_cache, account, outputs, read_cache) if need_cache else None

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
        encode_cache, account, outputs, read_cache = cache
        d_pooled = self.read_backward(p, d_raw, read_cache, g)
        d_outputs = Gradients(d_pooled, None)
        if self.pooling:
            d_outputs = self.pooling.backward(
                self.pooling_section(p),
                d_pooled,
                account,
                outputs,
                Piece.whole(batch),
                self.pooling_section(g),
            )
        return self.encode_backward(p, *d_outputs, batch, encode_cache, g, need_dx=need_dx)

    def _inputs_section(self, p: Parameters) -> dict[str, Array]:
        """Return the arrays of the inputs' decay, which may have none."""
        return p.section("inputs") if self.observed and self.observed.shapes() else {}

    def pooling_section(self, p: Parameters) -> dict[str, Array]:
        """Return the arrays of the pooling, which may have none."""
        return p.section("pooling") if self.pooling and self.pooling.shapes() else {}

    # --- The part above the pooling --------------------------------------------------------------

    def read(
        self, p: Parameters, pooled: Array, dropout: Dropout | None = None
    ) -> tuple[Array, Any]:
        """Return the head's outputs (B, K) for what it reads, and the cache."""
        mask = dropout.of_inputs(pooled) if dropout else None
        raw, cache = self.head.forward(p.section("head"), pooled if mask is None else pooled * mask)
        return raw, (mask, cache)

    def read_backward(self, p: Parameters, d_raw: Array, cache: Any, g: Parameters) -> Array:
        """Return the gradient of what the head reads; write those of its parameters to g."""
        mask, head_cache = cache
        d = self.head.backward(p.section("head"), d_raw, head_cache, g.section("head"))
        return d if mask is None else d * mask

    # --- The parts below the pooling -------------------------------------------------------------

    def encode(
        self,
        p: Parameters,
        x: Any,
        batch: Batch,
        initial: list[Array] | None = None,
        *,
        dropout: Dropout | None = None,
        need_cache: bool = True,
    ) -> tuple[Outputs, list[Array], Any]:
        """Run embedding and stack; return the outputs, each layer's final state and the cache."""
        gaps = input_cache = None
        if self.embedding:
            x = dropout.of_tokens(x) if dropout else x
            x, input_cache = self.embedding.forward(p.section("embedding"), x)
        elif self.observed:
            x, gaps, input_cache = self.observed.forward(self._inputs_section(p), x)
        outputs, finals, caches = self.stack.forward(
            p, x, batch, initial, gaps=gaps, dropout=dropout, need_cache=need_cache
        )
        return outputs, finals, (input_cache, caches)

    def encode_backward(
        self,
        p: Parameters,
        dy: Array | None,
        dy_last: Array | None,
        batch: Batch,
        cache: Any,
        g: Parameters,
        *,
        need_dx: bool = False,
    ) -> Array | None:
        """Write the gradients of embedding and stack to g, given those of the outputs."""
        input_cache, caches = cache
        trains_embedding = self.embedding is not None and not self.freeze_embedding
        trains_inputs = self.observed is not None and self.observed.reads_mask
        dx, d_gaps = self.stack.backward(
            p,
            dy,
            dy_last,
            batch,
            caches,
            g,
            need_dx=need_dx or trains_embedding or trains_inputs,
            need_d_gaps=need_dx,
        )
        if self.embedding:
            of_embedding = g.section("embedding")
            if trains_embedding and dx is not None:
                self.embedding.backward(dx, input_cache, of_embedding)
            else:
                of_embedding["weights"][...] = 0
        if self.observed and dx is not None:
            dx = self.observed.backward(
                self._inputs_section(p),
                dx,
                d_gaps,
                input_cache,
                self._inputs_section(g),
                need_dx=need_dx,
            )
        return dx
