"""A network over sequences, whole or piece by piece: memory for one piece, whatever the length.

The sequences of each branch come as `Pieces`. Where there is one piece, its cache is kept for the
backward pass. Where there are several, the state is carried from piece to piece. The gradient is
not: it is cut where a piece begins (truncated back-propagation through time; Williams & Peng 1990,
"An efficient gradient-based algorithm for on-line training of recurrent network trajectories").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Piece
from skgru._nn.branch import Branch, BranchCache
from skgru._nn.dropout import Dropout, DropoutSource, FusionDropout, NetworkDropout
from skgru._nn.feedforward import drop
from skgru._nn.fusion import FusionCache, FusionInputs, Present
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.part import OutputGradients, Outputs, Run
from skgru._nn.pooling import Pooling, sum_over_steps

LossOf = Callable[[Array, Piece | None], tuple[float, Array]]


class Pieces(Protocol):
    """A sequence for each of N samples, cut: all pieces of a sequence, in order, are its steps.

    `pieces[i]` is the inputs x, (S, D) or (S,), of the i-th piece, and its `Piece`. It is used
    before the next one is asked for, and may be asked for twice. With several branches, the arrays
    of a branch's piece are still used while those of another branch are asked for: each branch
    needs an arena of its own. Those of the branches without a pooling are cut alike: the same
    steps of the same samples, in the same order.
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


def fusion_inputs(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    silent: Collection[str] = (),
) -> Iterator[tuple[Piece | None, FusionInputs]]:
    """Run all branches without a cache.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : mapping of str to Pieces
        The sequences of each branch, all of the same N samples in the same order.
    silent : collection of str, default=()
        Branches that are not run: their outputs are zeros.

    Yields
    ------
    piece : Piece or None
        Whose steps the inputs belong to; None = they belong to the N samples.
    inputs : FusionInputs
        Of the samples, once, or of the steps of one piece after the other.
    """
    present = are_present(pieces)
    outputs = {
        name: _zeros_of(branch, p, pieces[name])
        if name in silent
        else _pool(branch, branch.pooling, p, pieces[name])
        for name, branch in network.branches.items()
        if branch.pooling
    }
    if network.step_branch is None:
        yield None, FusionInputs(list(outputs.values()), present)
        return
    of_steps = [
        encode_pieces(network.branches[name], p, pieces[name]) for name in network.step_branches
    ]
    for encoded in zip(*of_steps, strict=True):
        outputs |= dict(zip(network.step_branches, (e.outputs.y for e in encoded), strict=True))
        piece = encoded[0].piece
        yield piece, _inputs_of_steps(network, outputs, present, piece)


def _zeros_of(branch: Branch, p: Parameters, pieces: Pieces) -> Array:
    """Return the pooled outputs of a branch that is silent, (N, n)."""
    return np.zeros((len(pieces.lengths), branch.n_outputs), p.vector.dtype)


def _pool(branch: Branch, pooling: Pooling, p: Parameters, pieces: Pieces) -> Array:
    """Return the pooled outputs of a branch, (N, n)."""
    account = pooling.open(pieces.lengths, p.vector.dtype)
    for encoded in encode_pieces(branch, p, pieces):
        pooling.read(branch.pooling_section(p), account, encoded.outputs, encoded.piece)
    return pooling.result(account)


def are_present(pieces: Mapping[str, Pieces]) -> Present:
    """Return which branches each sample has, (N, C): those whose sequence has a step."""
    return np.column_stack([of_branch.lengths > 0 for of_branch in pieces.values()])


def _inputs_of_steps(
    network: Network, outputs: Mapping[str, Array], present: Present, piece: Piece
) -> FusionInputs:
    """Return the inputs of the fusion at the steps of a piece, (S, …).

    Parameters
    ----------
    network : Network
    outputs : mapping of str to ndarray
        Those of each branch: of the piece's steps (S, n), or of the samples (N, n), which all
        steps of a sample have in common.
    present : ndarray of shape (N, C)
    piece : Piece
        Of the branches whose steps the head reads.
    """
    samples = piece.sample_of_row()
    of_steps = [
        outputs[name] if name in network.step_branches else outputs[name][samples]
        for name in network.branches
    ]
    return FusionInputs(of_steps, present[samples])


class BranchPass(ABC):
    """The passes of one branch over its pieces, forward when it is made.

    Attributes
    ----------
    outputs : ndarray of shape (N, n_outputs), or (S, n_outputs) without a pooling
        Its inputs of the fusion.
    """

    outputs: Array

    @abstractmethod
    def backward(
        self, d: Array, g: Parameters, *, need_dx: bool, need_g: bool = True
    ) -> Array | None:
        """Write the gradients of its parameters to g, given that of its outputs.

        Returns the gradient of the inputs, if asked for. Without `need_g`, g is room for those of
        some parameters, and means nothing.
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
        dropped = _of_piece(dropout, 0, self.piece)
        self._branch, self._p = branch, p
        self._run = Run(self.piece.batch, dropped, need_cache=need_cache, need_dx=False)
        (self._outputs, _), self._cache = branch.forward(p, x, self._run)
        self._account: dict[str, Any] = {}
        y = self._outputs.y
        if branch.pooling:
            self._account = branch.pooling.open(pieces.lengths, p.vector.dtype)
            section = branch.pooling_section(p)
            branch.pooling.read(section, self._account, self._outputs, self.piece)
            y = branch.pooling.result(self._account)
        self.outputs, self._mask = drop(y, branch.mask_of(dropped))

    def backward(
        self, d: Array, g: Parameters, *, need_dx: bool, need_g: bool = True
    ) -> Array | None:
        branch, p = self._branch, self._p
        d = d if self._mask is None else d * self._mask
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
        run = self._run
        if need_dx or not need_g:
            run = run._replace(need_dx=need_dx, need_g=need_g)
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
        dropped = dropout.of_piece(len(pieces)) if dropout else None
        y = self._pooling.result(self._account)
        self.outputs, self._mask = drop(y, branch.mask_of(dropped))

    def backward(self, d: Array, g: Parameters, *, need_dx: bool, need_g: bool = True) -> None:
        assert need_g
        assert not need_dx
        d = d if self._mask is None else d * self._mask
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


class SilentPass(BranchPass):
    """A branch that is not run: its outputs are zeros, and its parameters have no gradient."""

    def __init__(self, branch: Branch, p: Parameters, pieces: Pieces) -> None:
        self.outputs = _zeros_of(branch, p, pieces)

    def backward(self, d: Array, g: Parameters, *, need_dx: bool, need_g: bool = True) -> None:
        assert need_g
        assert not need_dx


class NetworkPass(NamedTuple):
    """A forward pass of the network, from which the backward pass goes on.

    Attributes
    ----------
    raw : ndarray of shape (N, K), or (S, K) without a pooling
        Outputs before the activation, in the order of the samples, or of the piece's rows.
    branches : dict of BranchPass
    fusion : FusionCache
    piece : Piece or None
        Whose steps the raw outputs belong to; None = they belong to the samples.
    """

    raw: Array
    branches: dict[str, BranchPass]
    fusion: FusionCache
    piece: Piece | None


def forward(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    dropout: NetworkDropout | None = None,
    *,
    need_cache: bool = True,
    silent: Collection[str] = (),
) -> NetworkPass:
    """Run the network; a branch without a pooling comes in one piece.

    Parameters
    ----------
    network : Network
    p : Parameters
    pieces : mapping of str to Pieces
        The sequences of each branch, all of the same N samples in the same order.
    dropout : NetworkDropout, optional
        In training.
    need_cache : bool, default=True
        Whether `backward` will follow; without, less memory is held.
    silent : collection of str, default=()
        Branches that are not run: their outputs are zeros.

    Returns
    -------
    NetworkPass
    """
    passes = _branch_passes(network, p, pieces, dropout, need_cache=need_cache, silent=silent)
    above = dropout.of_fusion() if dropout else None
    present = _present(pieces, above)
    piece = None
    if network.step_branch is None:
        inputs = FusionInputs([passed.outputs for passed in passes.values()], present)
    else:
        whole = passes[network.step_branch]
        assert isinstance(whole, WholePass)
        piece = whole.piece
        outputs = {name: passed.outputs for name, passed in passes.items()}
        inputs = _inputs_of_steps(network, outputs, present, piece)
    raw, cache = network.fusion.forward(p, inputs, above)
    return NetworkPass(raw, passes, cache, piece)


def _branch_passes(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    dropout: NetworkDropout | None,
    *,
    need_cache: bool,
    silent: Collection[str] = (),
    without: Collection[str] = (),
) -> dict[str, BranchPass]:
    """Run the branches, all but some, each over its pieces."""
    passes: dict[str, BranchPass] = {}
    for i, (name, branch) in enumerate(network.branches.items()):
        if name in without:
            continue
        own, source = pieces[name], dropout.of_branch(i) if dropout else None
        if name in silent:
            passes[name] = SilentPass(branch, p, own)
        elif len(own) == 1:
            passes[name] = WholePass(branch, p, own, source, need_cache=need_cache)
        else:
            passes[name] = CutPass(branch, p, own, source)
    return passes


def _present(pieces: Mapping[str, Pieces], above: FusionDropout | None) -> Present:
    """Return which branches of each sample are read."""
    present = are_present(pieces)
    return above.of_branches(present) if above else present


def backward(
    network: Network,
    p: Parameters,
    d_raw: Array,
    passed: NetworkPass,
    g: Parameters,
    *,
    need_dx: bool = False,
    need_g: bool = True,
) -> dict[str, Array | None]:
    """Write the gradient of every parameter to g, given that of the raw outputs.

    Returns the gradient of each branch's inputs (S, D), if asked for: with an embedding, of its
    vectors. Inputs in several pieces have none. Without `need_g`, g is room for the gradients of
    some parameters, and means nothing.
    """
    _clear(passed, g)
    return _backward(network, p, d_raw, passed, g, need_dx=need_dx, need_g=need_g)


def _clear(passed: NetworkPass, g: Parameters) -> None:
    """Set the gradients to zero, where a branch adds to them or has none."""
    if any(isinstance(of_branch, CutPass | SilentPass) for of_branch in passed.branches.values()):
        g.vector[...] = 0


def _backward(
    network: Network,
    p: Parameters,
    d_raw: Array,
    passed: NetworkPass,
    g: Parameters,
    *,
    need_dx: bool,
    need_g: bool = True,
) -> dict[str, Array | None]:
    """Do what `backward` does, with gradients that are cleared."""
    d_outputs = network.fusion.backward(p, d_raw, passed.fusion, g)
    of_branches = {}
    for (name, of_branch), d in zip(passed.branches.items(), d_outputs, strict=True):
        if passed.piece is not None and name not in network.step_branches:
            d = _by_sample(d, passed.piece, len(of_branch.outputs))
        of_branches[name] = of_branch.backward(d, g, need_dx=need_dx, need_g=need_g)
    return of_branches


def _by_sample(d: Array, piece: Piece, n_samples: int) -> Array:
    """Return the sums (N, n) over the steps of each sample, given rows of a piece's steps."""
    total = np.zeros((n_samples, d.shape[1]), d.dtype)
    total[piece.positions] = sum_over_steps(d, piece.batch)
    return total


def loss_and_gradient(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    loss_of: LossOf,
    g: Parameters,
    dropout: NetworkDropout | None = None,
    silent: Collection[str] = (),
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
        samples), returns their loss and its derivative; it may write to g the gradients of parts
        above the raw outputs.
    g : Parameters
    dropout : NetworkDropout, optional
        In training.
    silent : collection of str, default=()
        Branches that are not run: their outputs are zeros.

    Returns
    -------
    loss : float
    """
    if network.step_branch is not None and len(pieces[network.step_branch]) != 1:
        return _step_gradient(network, p, pieces, loss_of, g, dropout, silent)
    passed = forward(network, p, pieces, dropout, silent=silent)
    _clear(passed, g)
    loss, d_raw = loss_of(passed.raw, passed.piece)
    _backward(network, p, d_raw, passed, g, need_dx=False)
    return loss


def _step_gradient(
    network: Network,
    p: Parameters,
    pieces: Mapping[str, Pieces],
    loss_of: LossOf,
    g: Parameters,
    dropout: NetworkDropout | None,
    silent: Collection[str],
) -> float:
    """Do the same where each step of some branches has a loss of its own.

    One pass over their pieces is enough.
    """
    of_steps = [
        encode_pieces(
            branch, p, pieces[name], dropout.of_branch(i) if dropout else None, need_cache=True
        )
        for i, (name, branch) in enumerate(network.branches.items())
        if name in network.step_branches
    ]
    above = dropout.of_fusion() if dropout else None
    g.vector[...] = 0
    passes = _branch_passes(
        network,
        p,
        pieces,
        dropout,
        need_cache=True,
        silent=silent,
        without=network.step_branches,
    )
    outputs = {other: passed.outputs for other, passed in passes.items()}
    d_others = {other: np.zeros_like(y) for other, y in outputs.items()}
    present = _present(pieces, above)
    g_piece = network.parameters(np.zeros_like(g.vector))
    total = 0.0
    for of_piece in zip(*of_steps, strict=True):
        encoded = dict(zip(network.step_branches, of_piece, strict=True))
        piece = of_piece[0].piece
        masks: dict[str, Array | None] = {}
        for name, own in encoded.items():
            dropped = network.branches[name].mask_of(own.run.dropout)
            outputs[name], masks[name] = drop(own.outputs.y, dropped)
        inputs = _inputs_of_steps(network, outputs, present, piece)
        raw, cache = network.fusion.forward(p, inputs, above)
        loss, d_raw = loss_of(raw, piece)
        d_outputs = network.fusion.backward(p, d_raw, cache, g_piece)
        for (name, branch), d in zip(network.branches.items(), d_outputs, strict=True):
            if name not in encoded:
                d_others[name] += _by_sample(d, piece, len(d_others[name]))
                continue
            own, mask = encoded[name], masks[name]
            dy = OutputGradients(d if mask is None else d * mask, None)
            branch.backward(p, dy, own.cache, g_piece, own.run._replace(need_dx=False))
        g.vector += g_piece.vector
        total += loss
    for other, passed in passes.items():
        passed.backward(d_others[other], g, need_dx=False)
    return total
