"""A network over long sequences, piece by piece: memory for one piece, whatever the length.

The state is carried from piece to piece. The gradient is not: it is cut where a piece begins
(truncated back-propagation through time; Williams & Peng 1990, "An efficient gradient-based
algorithm for on-line training of recurrent network trajectories").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Piece
from skgru._nn.dropout import Dropout
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.recurrent import Outputs

LossOf = Callable[[Array, Piece | None], tuple[float, Array]]
DropoutOf = Callable[[int, Piece | None], Dropout]


class Pieces(Protocol):
    """B sequences, cut: all pieces of a sequence, in order, are its steps.

    `pieces[i]` is the inputs x, (S, D) or (S,), of the i-th piece, and what they are. It is used
    before the next one is asked for, and may be asked for twice.
    """

    lengths: NDArray[np.integer]  # (B,): the steps of all pieces of a sequence

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> tuple[Any, Piece]: ...


class Encoded(NamedTuple):
    """A piece that has run below the pooling.

    Attributes
    ----------
    piece : Piece
    outputs : Outputs
        Those of the top layer.
    initial : list of ndarray of shape (B, n_states)
        Each layer's state before it.
    cache : tuple
        What `Network.encode_backward` needs, if it was asked for.
    dropout : Dropout or None
        What was left out.
    """

    piece: Piece
    outputs: Outputs
    initial: list[Array]
    cache: Any
    dropout: Dropout | None


def encode_pieces(
    network: Network,
    p: Parameters,
    pieces: Pieces,
    dropout_of: DropoutOf | None = None,
    *,
    need_cache: bool = False,
) -> Iterator[Encoded]:
    """Run all pieces below the pooling, carrying the states.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : Pieces
    dropout_of : callable, optional
        Given the number of a piece and the piece, returns what is left out.
    need_cache : bool
        Whether a piece's backward pass will follow, before the next piece is asked for.

    Yields
    ------
    Encoded
    """
    states = network.stack.initial_states(len(pieces.lengths), p.vector.dtype)
    for i in range(len(pieces)):
        x, piece = pieces[i]
        initial = [state[piece.positions] for state in states]
        dropout = dropout_of(i, piece) if dropout_of else None
        outputs, finals, cache = network.encode(
            p, x, piece.batch, initial, dropout=dropout, need_cache=need_cache
        )
        for state, final in zip(states, finals, strict=True):
            state[piece.positions] = final
        yield Encoded(piece, outputs, initial, cache, dropout)


def pool_pieces(network: Network, p: Parameters, pieces: Pieces) -> Array:
    """Return what the head of a network with a pooling reads of each sequence, (B, N)."""
    pooling = network.pooling
    assert pooling
    account = pooling.open(pieces.lengths, p.vector.dtype)
    for encoded in encode_pieces(network, p, pieces):
        pooling.read(network.pooling_section(p), account, encoded.outputs, encoded.piece)
    return pooling.result(account)


def truncated_gradient(
    network: Network,
    p: Parameters,
    pieces: Pieces,
    loss_of: LossOf,
    g: Parameters,
    dropout_of: DropoutOf | None = None,
) -> float:
    """Return the loss of sequences in pieces, and write its truncated gradient to g.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : Pieces
    loss_of : callable
        Given raw outputs, and the piece whose steps they belong to (None = they belong to the B
        sequences), returns their loss and its derivative.
    g : Parameters
    dropout_of : callable, optional
        Given the number of a piece and the piece, returns what is left out; for a head that reads
        all of them, given their number and None.

    Returns
    -------
    loss : float
    """
    g.vector[...] = 0
    if network.pooling is None:
        return _step_gradient(network, p, pieces, loss_of, g, dropout_of)
    pooling = network.pooling
    account = pooling.open(pieces.lengths, p.vector.dtype)
    initials = []
    for encoded in encode_pieces(network, p, pieces, dropout_of):
        pooling.read(network.pooling_section(p), account, encoded.outputs, encoded.piece)
        initials.append(encoded.initial)
    dropout = dropout_of(len(pieces), None) if dropout_of else None
    raw, read_cache = network.read(p, pooling.result(account), dropout)
    loss, d_raw = loss_of(raw, None)

    d_pooled = network.read_backward(p, d_raw, read_cache, g)
    g_piece = network.parameters(np.zeros_like(g.vector))
    # Where only the last outputs are read, no gradient reaches the other pieces.
    first = len(pieces) - 1 if pooling.reads_last_piece_only else 0
    for i in range(max(first, 0), len(pieces)):
        # Once more, now with what the backward pass needs.
        x, piece = pieces[i]
        dropout = dropout_of(i, piece) if dropout_of else None
        outputs, _, cache = network.encode(p, x, piece.batch, initials[i], dropout=dropout)
        d_outputs = pooling.backward(
            network.pooling_section(p),
            d_pooled,
            account,
            outputs,
            piece,
            network.pooling_section(g_piece),
        )
        network.encode_backward(p, *d_outputs, piece.batch, cache, g_piece)
        g.vector += g_piece.vector
    return loss


def _step_gradient(
    network: Network,
    p: Parameters,
    pieces: Pieces,
    loss_of: LossOf,
    g: Parameters,
    dropout_of: DropoutOf | None,
) -> float:
    """Do the same where each step has a loss of its own: one pass over the pieces is enough."""
    g_piece = network.parameters(np.zeros_like(g.vector))
    total = 0.0
    for piece, outputs, _, cache, dropout in encode_pieces(
        network, p, pieces, dropout_of, need_cache=True
    ):
        raw, read_cache = network.read(p, outputs.y, dropout)
        loss, d_raw = loss_of(raw, piece)
        dy = network.read_backward(p, d_raw, read_cache, g_piece)
        network.encode_backward(p, dy, None, piece.batch, cache, g_piece)
        g.vector += g_piece.vector
        total += loss
    return total
