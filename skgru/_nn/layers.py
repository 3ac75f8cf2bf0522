"""Layers around the recurrence: inputs of numbers and of tokens, output gate, dense head.

Letters as in `cells`: S rows, B sequences, D inputs, H units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

from skgru._nn.batch import Array, Indices
from skgru._nn.cells import glorot_uniform, sigmoid_
from skgru._nn.part import (
    Arrays,
    InputPart,
    LayerRun,
    Part,
    Run,
    Shapes,
    StackInputGradients,
    StackInputs,
)

# The start values of the vectors of tokens lie between this and its negative.
EMBEDDING_BOUND = 0.05


class Numbers(InputPart):
    """Numbers (S, D), which are read as they are."""

    def __init__(self, n_inputs: int) -> None:
        self.n_outputs = self.numbers_per_step = n_inputs

    @property
    def value_columns(self) -> Indices:
        """All columns as they are."""
        return np.arange(self.n_outputs)

    def forward(self, p: Arrays, x: Array, run: Run) -> tuple[StackInputs, None]:
        """Return x."""
        return StackInputs(x, None), None

    def backward(
        self, p: Arrays, dy: StackInputGradients, cache: None, g: Arrays, run: Run
    ) -> Array | None:
        """Return the gradient of x."""
        return dy.dx


class Given(InputPart):
    """The result of another input part, which is read as it is.

    Parameters
    ----------
    part : InputPart
        The other one.
    """

    def __init__(self, part: InputPart) -> None:
        self.n_outputs = part.n_outputs
        self.n_gaps = part.n_gaps
        self.numbers_per_step = part.numbers_per_step

    @property
    def value_columns(self) -> Indices:
        """All columns as they are."""
        return np.arange(self.n_outputs)

    def forward(self, p: Arrays, x: StackInputs, run: Run) -> tuple[StackInputs, None]:
        """Return x."""
        return x, None

    def backward(
        self, p: Arrays, dy: StackInputGradients, cache: None, g: Arrays, run: Run
    ) -> Array | None:
        """Return the gradient of the numbers of x, without that of its gaps."""
        return dy.dx


class Embedding(InputPart):
    """A trainable vector for each of V tokens: x_t = E[token_t].

    Where several tokens make a patch, their vectors lie side by side. A token of -1 is padding: its
    vector is 0.

    Parameters
    ----------
    n_tokens, n_dimensions : int
        V, and the length of a vector.
    patch_size : int, default=1
        How many tokens make a patch.
    is_frozen : bool, default=False
        Whether the vectors stay as they are.
    """

    name = "embedding"
    is_embedding = True

    def __init__(
        self, n_tokens: int, n_dimensions: int, *, patch_size: int = 1, is_frozen: bool = False
    ) -> None:
        self.n_tokens = n_tokens
        self.n_dimensions = n_dimensions
        self.n_outputs = self.numbers_per_step = patch_size * n_dimensions
        self.needs_dx = not is_frozen

    @property
    def value_columns(self) -> Indices:
        """The token that each vector belongs to."""
        return np.arange(self.n_outputs) // self.n_dimensions

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {"weights": (self.n_tokens, self.n_dimensions)}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw small uniform vectors; the unknown token, row 0, starts at zero: no information."""
        p["weights"][...] = rng.uniform(-EMBEDDING_BOUND, EMBEDDING_BOUND, p["weights"].shape)
        p["weights"][0] = 0.0

    def forward(
        self, p: Arrays, x: NDArray[np.integer], run: Run
    ) -> tuple[StackInputs, NDArray[np.integer]]:
        """Look up (S,) or (S, k) row numbers; return their vectors, (S, k · D), and the cache."""
        tokens = run.dropout.of_tokens(x) if run.dropout else x
        vectors: Array = p["weights"].take(tokens, axis=0)
        if tokens.ndim == 2:
            vectors[tokens < 0] = 0
            vectors = vectors.reshape(len(tokens), tokens.shape[1] * self.n_dimensions)
        return StackInputs(vectors, None), tokens

    def backward(
        self, p: Arrays, dy: StackInputGradients, cache: NDArray[np.integer], g: Arrays, run: Run
    ) -> Array | None:
        """Add up the gradients of the vectors (S, k · D) by token, and return them."""
        dx = dy.dx
        if not run.need_g:
            return dx
        if dx is None or not self.needs_dx:
            g["weights"][...] = 0
            return dx
        tokens = cache.ravel()
        ones = (tokens >= 0).astype(dx.dtype)
        columns = np.arange(len(tokens) + 1)
        one_hot = sparse.csc_matrix(
            (ones, np.maximum(tokens, 0), columns), shape=(self.n_tokens, len(tokens))
        )
        g["weights"][...] = one_hot @ dx.reshape(len(tokens), self.n_dimensions)
        return dx


class GateInputs(NamedTuple):
    """The inputs of an output gate, or their gradients."""

    x: Array  # (S, D): the inputs of the cell
    h: Array  # (S, H): its states


class GateCache(NamedTuple):
    """The cache of `OutputGate`'s forward pass, for `backward`."""

    inputs: GateInputs
    o: Array  # (S, H): the gate
    tanh_h: Array  # (S, H)


class OutputGate(Part[LayerRun]):
    """An output gate after the recurrence.

    ``o_t = σ(W_o·x_t + U_o·h_t + b_o)`` and ``y_t = o_t ⊙ tanh(h_t)``. The gate reads h_t, not
    h_{t-1}: nothing flows back from it into the recurrence, so all steps are computed at once.
    """

    def __init__(self, n_inputs: int, n_units: int) -> None:
        self.n_inputs = n_inputs
        self.n_units = n_units

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        D, H = self.n_inputs, self.n_units
        return {
            "output_input_weights": (D, H),
            "output_state_weights": (H, H),
            "output_bias": (H,),
        }

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw Glorot weights and zero biases."""
        p["output_input_weights"][...] = glorot_uniform(rng, self.n_inputs, self.n_units)
        p["output_state_weights"][...] = glorot_uniform(rng, self.n_units, self.n_units)
        p["output_bias"][...] = 0.0

    def forward(self, p: Arrays, x: GateInputs, run: LayerRun) -> tuple[Array, GateCache]:
        """Gate the states; return y (S, H) and the cache."""
        o = x.x @ p["output_input_weights"]
        o += x.h @ p["output_state_weights"]
        o += p["output_bias"]
        o *= 0.5
        sigmoid_(o)
        tanh_h = np.tanh(x.h)
        return o * tanh_h, GateCache(x, o, tanh_h)

    def backward(
        self, p: Arrays, dy: Array, cache: GateCache, g: Arrays, run: LayerRun
    ) -> GateInputs:
        """Return the gradients of x (S, D) and h (S, H); write those of the parameters to g."""
        (x, h), o, tanh_h = cache
        da = dy * tanh_h * o * (1 - o)  # of the argument of σ
        if run.need_g:
            g["output_input_weights"][...] = x.T @ da
            g["output_state_weights"][...] = h.T @ da
            g["output_bias"][...] = da.sum(axis=0)
        dx = da @ p["output_input_weights"].T
        dh = dy * o * (1 - tanh_h * tanh_h)
        dh += da @ p["output_state_weights"].T
        return GateInputs(dx, dh)


class DenseRun(NamedTuple):
    """The shared arguments of a pass through a dense layer."""

    need_dx: bool = True  # whether the backward pass is to return the gradient of the inputs
    need_g: bool = True  # whether it is to write those of the parameters


_WITH_DX = DenseRun()


class Dense(Part[DenseRun]):
    """An affine map: y = x·W + b, of rows x that may be a sparse matrix."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {"weights": (self.n_inputs, self.n_outputs), "bias": (self.n_outputs,)}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw Glorot weights and zero biases."""
        p["weights"][...] = glorot_uniform(rng, self.n_inputs, self.n_outputs)
        p["bias"][...] = 0.0

    def forward(self, p: Arrays, x: Array, run: DenseRun = _WITH_DX) -> tuple[Array, Any]:
        """Map x (B, D) to (B, K); return it and the cache."""
        return x @ p["weights"] + p["bias"], x

    def backward(
        self, p: Arrays, dy: Array, cache: Any, g: Arrays, run: DenseRun = _WITH_DX
    ) -> Any:
        """Return the gradient of x (B, D), if asked for; write those of the parameters to g.

        Of a sparse matrix it is one of the numbers that x holds.
        """
        if run.need_g:
            g["weights"][...] = cache.T @ dy
            g["bias"][...] = dy.sum(axis=0)
        if not run.need_dx:
            return None
        return _gradient_of_sparse(cache, dy, p) if sparse.issparse(cache) else dy @ p["weights"].T


def _gradient_of_sparse(x: Any, dy: Array, p: Arrays) -> Any:
    """Return the gradient of the numbers that a sparse matrix x (B, D) holds, as a matrix."""
    x = sparse.csr_matrix(x)
    rows = np.repeat(np.arange(len(dy)), np.diff(x.indptr))
    data = np.einsum("ik,ik->i", dy[rows], p["weights"][x.indices])
    return sparse.csr_matrix((data, x.indices, x.indptr), x.shape)


class RectifiedCache(NamedTuple):
    """The cache of `Rectified`'s forward pass, for `backward`."""

    x: Any  # (B, D)
    y: Array  # (B, K)


class Rectified(Dense):
    """A dense layer of rectified linear units: y = max(0, x·W + b)."""

    def forward(
        self, p: Arrays, x: Array, run: DenseRun = _WITH_DX
    ) -> tuple[Array, RectifiedCache]:
        """Map x (B, D) to (B, K); return it and the cache."""
        y, _ = super().forward(p, x, run)
        np.maximum(y, 0, out=y)
        return y, RectifiedCache(x, y)

    def backward(
        self, p: Arrays, dy: Array, cache: RectifiedCache, g: Arrays, run: DenseRun = _WITH_DX
    ) -> Any:
        """Return the gradient of x (B, D), if asked for; write those of the parameters to g."""
        return super().backward(p, dy * (cache.y > 0), cache.x, g, run)
