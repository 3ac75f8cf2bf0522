"""A network over long sequences, piece by piece: memory for one piece, whatever the length.

The state is carried from piece to piece. The gradient is not: it is cut where a piece begins
(truncated back-propagation through time; Williams & Peng 1990, "An efficient gradient-based
algorithm for on-line training of recurrent network trajectories").
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Batch
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters


class Piece(NamedTuple):
    """Some steps of those sequences that have them.

    Attributes
    ----------
    x : ndarray of shape (S, D) or (S,)
        The network's inputs, in the layout of `batch`.
    batch : Batch
    positions : ndarray of shape (batch.n_sequences,)
        Which of the B sequences these are.
    """

    x: Any
    batch: Batch
    positions: NDArray[np.integer]


class Pieces(Protocol):
    """B sequences, cut: all pieces of a sequence, in order, are its steps.

    A piece is used before the next one is asked for; it may be asked for twice.
    """

    lengths: NDArray[np.integer]  # (B,): the steps of all pieces of a sequence

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> Piece: ...


def forward_pieces(
    network: Network, p: Parameters, pieces: Pieces, *, need_cache: bool = True
) -> tuple[Array, Any]:
    """Run the network over all pieces.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : Pieces
    need_cache : bool
        Whether `backward_pieces` will follow: then the states before each piece are kept.

    Returns
    -------
    raw : ndarray of shape (B, K)
        Outputs before the activation.
    cache : tuple
    """
    n_sequences = len(pieces.lengths)
    dtype = p.vector.dtype
    states = network.stack.initial_states(n_sequences, dtype)
    pooled = np.zeros((n_sequences, network.stack.n_outputs), dtype)
    initials = []
    for i in range(len(pieces)):
        x, batch, positions = pieces[i]
        initial = [state[positions] for state in states]
        y, final, _ = network.encode(p, x, batch, initial, need_cache=False)
        for state, after in zip(states, final, strict=True):
            state[positions] = after
        if network.pooling == "last":
            pooled[positions] = network.pool(y, batch)
        else:  # a mean over all steps is the weighted mean of means over the pieces
            pooled[positions] += _share(pieces, batch, positions, dtype) * network.pool(y, batch)
        if need_cache:
            initials.append(initial)
    raw, head_cache = network.head.forward(p.section("head"), pooled)
    return raw, (initials, head_cache)


def backward_pieces(
    network: Network, p: Parameters, d_raw: Array, pieces: Pieces, cache: Any, g: Parameters
) -> None:
    """Write the truncated gradient of every parameter to g, given that of the raw outputs (B, K).

    Each piece runs once more, now with what its backward pass needs.
    """
    initials, head_cache = cache
    g.vector[...] = 0
    d_pooled = network.head.backward(p.section("head"), d_raw, head_cache, g.section("head"))
    g_piece = network.parameters(np.zeros_like(g.vector))
    # Where only the last outputs are read, no gradient reaches the other pieces.
    first = len(pieces) - 1 if network.pooling == "last" else 0
    for i in range(max(first, 0), len(pieces)):
        x, batch, positions = pieces[i]
        _, _, encode_cache = network.encode(p, x, batch, initials[i])
        d = d_pooled[positions]
        if network.pooling != "last":
            d *= _share(pieces, batch, positions, d.dtype)
        network.encode_backward(p, d, batch, encode_cache, g_piece)
        g.vector += g_piece.vector


def _share(pieces: Pieces, batch: Batch, positions: NDArray[np.integer], dtype: np.dtype) -> Array:
    """Return how much of each sequence a piece is, (batch.n_sequences, 1)."""
    share: Array = (batch.lengths / pieces.lengths[positions]).astype(dtype)[:, None]
    return share
