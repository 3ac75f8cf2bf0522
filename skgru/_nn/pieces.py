"""A network over sequences, whole or piece by piece: memory for one piece, whatever the length.

The sequences of each branch come as `Pieces`. Where there is one piece, its cache is kept for the
backward pass. Where there are several, the state is carried from piece to piece. The gradient is
not: it is cut where a piece begins (truncated back-propagation through time; Williams & Peng 1990,
"An efficient gradient-based algorithm for on-line training of recurrent network trajectories").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Piece
from skgru._nn.branch import Branch, BranchCache
from skgru._nn.dropout import Dropout, DropoutSource
from skgru._nn.layers import DenseCache
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.part import OutputGradients, Outputs, Run

LossOf = Callable[[Array, Piece | None], tuple[float, Array]]


class Pieces(Protocol):
    """A sequence for each of N samples, cut: all pieces of a sequence, in order, are its steps.

    `pieces[i]` is the inputs x, (S, D) or (S,), of the i-th piece, and its `Piece`. It is used
    before the next one is asked for, and may be asked for twice. With several branches, the arrays
    of a branch's piece are still used while those of another branch are asked for: each branch
    needs an arena of its own.
    """

    @property
    def lengths(self) -> NDArray[np.integer]:
        """Return (N,): the steps of all pieces of a sequence."""

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> tuple[Any, Piece]: ...


class OnePiece:
    """Whole sequences as `Pieces`.

    Parameters
    ----------
    x : ndarray
        The inputs.
    piece : Piece
    lengths : ndarray of shape (N,), default=None
        Of the sequences of all samples; None = those of the batch, which holds each sample's in the
        order of the samples.
    """

    def __init__(self, x: Any, piece: Piece, lengths: NDArray[np.integer] | None = None) -> None:
        self._x = x
        self._piece = piece
        self.lengths = piece.batch.lengths if lengths is None else lengths

    def __len__(self) -> int:
        return 1

    def __getitem__(self, i: int) -> tuple[Any, Piece]:
        return self._x, self._piece


class Encoded(NamedTuple):
    """A piece that has run below the pooling.

    Attributes
    ----------
    piece : Piece
    outputs : Outputs
        Those of the top layer.
    run : Run
        That of its forward pass.
    cache : BranchCache
        For its backward pass, if it was asked for.
    """

    piece: Piece
    outputs: Outputs
    run: Run
    cache: BranchCache


def encode_pieces(
    branch: Branch,
    p: Parameters,
    pieces: Pieces,
    dropout: DropoutSource | None = None,
    *,
    need_cache: bool = False,
) -> Iterator[Encoded]:
    """Run all pieces of a branch below its pooling, carrying the states.

    Parameters
    ----------
    branch : Branch
    p : Parameters
    pieces : Pieces
    dropout : DropoutSource, optional
        That of the branch.
    need_cache : bool, default=False
        Whether a piece's backward pass will follow, before the next piece is asked for.

    Yields
    ------
    Encoded
    """
    states = branch.stack.initial_states(len(pieces.lengths), p.vector.dtype)
    for i in range(len(pieces)):
        x, piece = pieces[i]
        initial = [state[piece.positions].copy() for state in states]
        run = Run(piece.batch, _of_piece(dropout, i, piece), initial, need_cache=need_cache)
        (outputs, finals), cache = branch.forward(p, x, run)
        for state, final in zip(states, finals, strict=True):
            state[piece.positions] = final
        yield Encoded(piece, outputs, run, cache)


def _of_piece(dropout: DropoutSource | None, i: int, piece: Piece) -> Dropout | None:
    """Return the dropout of the i-th piece, if there is any."""
    return dropout.of_piece(i, piece.positions) if dropout else None


def pool_pieces(network: Network, p: Parameters, pieces: Mapping[str, Pieces]) -> Array:
    """Return the pooled outputs of each sample, (N, n), from a network with poolings."""
    pooled = []
    for name, branch in network.branches.items():
        pooling = branch.pooling
        assert pooling
        account = pooling.open(pieces[name].lengths, p.vector.dtype)
        for encoded in encode_pieces(branch, p, pieces[name]):
            pooling.read(branch.pooling_section(p), account, encoded.outputs, encoded.piece)
        pooled.append(pooling.result(account))
    return network.side_by_side(pooled)


class BranchPass(ABC):
    """The passes of one branch over its pieces, forward when it is made.

    Attributes
    ----------
    pooled : ndarray of shape (N, n_outputs), or (S, n_outputs) without a pooling
        Its share of the head's inputs.
    dropout : Dropout or None
        That of the head's inputs, if it is the first branch.
    """

    pooled: Array
    dropout: Dropout | None = None

    @abstractmethod
    def backward(self, d: Array, g: Parameters, *, need_dx: bool) -> Array | None:
        """Write the gradients of its parameters to g, given that of `pooled`.

        Returns the gradient of the inputs, if asked for.
        """


class WholePass(BranchPass):
    """One piece, in a pass whose cache is kept; the gradients in g are replaced."""

    def __init__(
        self,
        branch: Branch,
        p: Parameters,
        pieces: Pieces,
        dropout: DropoutSource | None,
        *,
        need_cache: bool,
    ) -> None:
        x, self.piece = pieces[0]
        self.dropout = _of_piece(dropout, 0, self.piece)
        self._branch, self._p = branch, p
        self._run = Run(self.piece.batch, self.dropout, need_cache=need_cache, need_dx=False)
        (self._outputs, _), self._cache = branch.forward(p, x, self._run)
        self._account: dict[str, Any] = {}
        self.pooled = self._outputs.y
        if branch.pooling:
            self._account = branch.pooling.open(pieces.lengths, p.vector.dtype)
            section = branch.pooling_section(p)
            branch.pooling.read(section, self._account, self._outputs, self.piece)
            self.pooled = branch.pooling.result(self._account)

    def backward(self, d: Array, g: Parameters, *, need_dx: bool) -> Array | None:
        branch, p = self._branch, self._p
        d_outputs = OutputGradients(d, None)
        if branch.pooling:
            d_outputs = branch.pooling.backward(
                branch.pooling_section(p),
                d,
                self._account,
                self._outputs,
                self.piece,
                branch.pooling_section(g),
            )
        run = self._run._replace(need_dx=True) if need_dx else self._run
        return branch.backward(p, d_outputs, self._cache, g, run)


class CutPass(BranchPass):
    """Several pieces, each run once more for its cache; the gradients are added to those in g."""

    def __init__(
        self, branch: Branch, p: Parameters, pieces: Pieces, dropout: DropoutSource | None
    ) -> None:
        self._branch, self._p, self._pieces = branch, p, pieces
        assert branch.pooling
        self._pooling = branch.pooling
        self._account = branch.pooling.open(pieces.lengths, p.vector.dtype)
        self._dropout = dropout
        self._initials = []
        section = branch.pooling_section(p)
        for encoded in encode_pieces(branch, p, pieces, dropout):
            self._pooling.read(section, self._account, encoded.outputs, encoded.piece)
            self._initials.append(encoded.run.states)
        self.pooled = self._pooling.result(self._account)
        self.dropout = dropout.of_piece(len(pieces)) if dropout else None

    def backward(self, d: Array, g: Parameters, *, need_dx: bool) -> None:
        assert not need_dx
        branch, p, pieces = self._branch, self._p, self._pieces
        g_piece = Parameters(g.shapes, np.zeros_like(g.vector))
        # Where only the last outputs are read, no gradient reaches the other pieces.
        first = len(pieces) - 1 if self._pooling.reads_last_piece_only else 0
        for i in range(max(first, 0), len(pieces)):
            # Once more, now with the cache for the backward pass.
            x, piece = pieces[i]
            dropout = _of_piece(self._dropout, i, piece)
            run = Run(piece.batch, dropout, self._initials[i], need_dx=False)
            (outputs, _), cache = branch.forward(p, x, run)
            d_outputs = self._pooling.backward(
                branch.pooling_section(p),
                d,
                self._account,
                outputs,
                piece,
                branch.pooling_section(g_piece),
            )
            branch.backward(p, d_outputs, cache, g_piece, run)
            g.vector += g_piece.vector


class NetworkPass(NamedTuple):
    """A forward pass of the network, from which the backward pass goes on.

    Attributes
    ----------
    raw : ndarray of shape (N, K), or (S, K) without a pooling
        Outputs before the activation, in the order of the samples, or of the piece's rows.
    branches : dict of BranchPass
    head : DenseCache
    piece : Piece or None
        Whose steps the raw outputs belong to; None = they belong to the samples.
    """

    raw: Array
    branches: dict[str, BranchPass]
    head: DenseCache
    piece: Piece | None


def forward(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    dropout: DropoutSource | None = None,
    *,
    need_cache: bool = True,
) -> NetworkPass:
    """Run the network; without a pooling, over one piece only.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : mapping of str to Pieces
        The sequences of each branch, all of the same N samples in the same order.
    dropout : DropoutSource, optional
        That of the network, in training.
    need_cache : bool, default=True
        Whether `backward` will follow; without, less memory is held.

    Returns
    -------
    NetworkPass
    """
    branches: dict[str, BranchPass] = {}
    for i, (name, branch) in enumerate(network.branches.items()):
        own, source = pieces[name], dropout.of_branch(i) if dropout else None
        if len(own) == 1:
            branches[name] = WholePass(branch, p, own, source, need_cache=need_cache)
        else:
            branches[name] = CutPass(branch, p, own, source)
    passes = list(branches.values())
    pooled = network.side_by_side([of_branch.pooled for of_branch in passes])
    raw, cache = network.read(p, pooled, passes[0].dropout)
    piece = passes[0].piece if network.reads_steps and isinstance(passes[0], WholePass) else None
    return NetworkPass(raw, branches, cache, piece)


def backward(
    network: Network,
    p: Parameters,
    d_raw: Array,
    passed: NetworkPass,
    g: Parameters,
    *,
    need_dx: bool = False,
) -> dict[str, Array | None]:
    """Write the gradient of every parameter to g, given that of the raw outputs.

    Returns the gradient of each branch's inputs (S, D), if asked for: with an embedding, of its
    vectors. Inputs in several pieces have none.
    """
    if any(isinstance(of_branch, CutPass) for of_branch in passed.branches.values()):
        g.vector[...] = 0
    d_pooled = network.by_branch(network.read_backward(p, d_raw, passed.head, g))
    return {
        name: of_branch.backward(d_pooled[name], g, need_dx=need_dx)
        for name, of_branch in passed.branches.items()
    }


def loss_and_gradient(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    loss_of: LossOf,
    g: Parameters,
    dropout: DropoutSource | None = None,
) -> float:
    """Return the loss of sequences, and write its gradient to g: of those in pieces, the truncated.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : mapping of str to Pieces
        The sequences of each branch, all of the same N samples in the same order.
    loss_of : callable
        Given raw outputs, and the piece whose steps they belong to (None = they belong to the N
        samples), returns their loss and its derivative.
    g : Parameters
    dropout : DropoutSource, optional
        That of the network.

    Returns
    -------
    loss : float
    """
    if network.reads_steps:
        (own,) = pieces.values()
        if len(own) != 1:
            return _step_gradient(network, p, own, loss_of, g, dropout)
    passed = forward(network, p, pieces, dropout)
    loss, d_raw = loss_of(passed.raw, passed.piece)
    backward(network, p, d_raw, passed, g)
    return loss


def _step_gradient(
    network: Network,
    p: Parameters,
    pieces: Pieces,
    loss_of: LossOf,
    g: Parameters,
    dropout: DropoutSource | None,
) -> float:
    """Do the same where each step has a loss of its own: one pass over the pieces is enough."""
    branch = network.only_branch
    g.vector[...] = 0
    g_piece = network.parameters(np.zeros_like(g.vector))
    total = 0.0
    for piece, outputs, run, cache in encode_pieces(branch, p, pieces, dropout, need_cache=True):
        raw, head_cache = network.read(p, outputs.y, run.dropout)
        loss, d_raw = loss_of(raw, piece)
        dy = network.read_backward(p, d_raw, head_cache, g_piece)
        run = run._replace(need_dx=False)
        branch.backward(p, OutputGradients(dy, None), cache, g_piece, run)
        g.vector += g_piece.vector
        total += loss
    return total
