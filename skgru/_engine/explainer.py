"""Samples between a baseline and X: copies of them, run chunk by chunk, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from skgru._budget import chunks_of_copies, copies_at_once
from skgru._data.inputs import Line, Origins
from skgru._engine.bag_line import BagLine
from skgru._engine.explained import Explained, choose, of_copies
from skgru._engine.model import Model
from skgru._engine.opinion_pool import LinearOutputs
from skgru._engine.predict import run_network
from skgru._engine.readings import Readings, read_line
from skgru._nn.batch import ArenaPool, Array, Indices, Piece
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.pieces import OnePiece, backward, forward

Tick = Callable[[int], None]


class Attributions(NamedTuple):
    """What the values of X contribute.

    Attributes
    ----------
    values : dict of ndarray
        Of each branch, one after the other as in `Reader.origins`.
    origins : dict of Origins
    change : ndarray of shape (n,)
        The output for each sample less that for its baseline.
    error : ndarray of shape (n,)
        How far off it the sum over all values of a sample is.
    n_incomplete : int
        For how many samples that is more than is allowed.
    n_points : int
        How many points there were on a line, at most.
    """

    values: dict[str, Array]
    origins: dict[str, Origins]
    change: Array
    error: Array
    n_incomplete: int
    n_points: int


class Chunk:
    """Some samples that are run at once, and what they read.

    Parameters
    ----------
    indices : ndarray of shape (N,)
        The samples, the longest first.
    readings : dict of Readings
        By the names of the inputs.
    n_at_once : int
        How many copies of each may be run at once.
    above : Network
        Without its input parts.
    p : Parameters
    output : Explained
    bag : BagLine or None
    """

    def __init__(
        self,
        indices: Indices,
        readings: dict[str, Readings],
        n_at_once: int,
        above: Network,
        p: Parameters,
        output: Explained,
        bag: BagLine | None,
    ) -> None:
        self.indices, self.readings, self.n_at_once = indices, readings, n_at_once
        self.bag = bag
        self._above, self._p, self._output = above, p, output
        self._no_gradient = above.parameters(np.empty_like(p.vector))

    def outputs(
        self, pieces: Mapping[str, OnePiece], n: int, of_bag: LinearOutputs | None = None
    ) -> Array:
        """Return the outputs of n copies of each sample, (N, n).

        `of_bag` is that of a bag for each copy, (N · n, K), if there is one.
        """
        passed = forward(self._above, self._p, pieces, need_cache=False)
        raw = of_bag.join(passed.raw, slice(None)) if of_bag else passed.raw
        values, _ = self._output.of_rows(raw, self._rows(passed.piece, n))
        return of_copies(values, passed.piece, len(self.indices), n)

    def derivatives(
        self, pieces: Mapping[str, OnePiece], shares: Array
    ) -> tuple[Array, dict[str, Any], Array]:
        """Return the outputs of copies of each sample, (N, n), and their derivatives.

        Those are by what the copies read, by the names of the inputs; and by the raw outputs,
        (N · n, K), or with a target at each step of all of these.

        Parameters
        ----------
        pieces : mapping of str to OnePiece
        shares : ndarray of shape (N, n)
            Of its way where each copy is.
        """
        n = shares.shape[1]
        passed = forward(self._above, self._p, pieces)
        of_bag = self.bag.at(self.indices, shares) if self.bag else None
        raw = of_bag.join(passed.raw, slice(None)) if of_bag else passed.raw
        values, of_raw = self._output.of_rows(raw, self._rows(passed.piece, n))
        of_network = of_raw * of_bag.factor if of_bag else of_raw
        d_raw = of_network.astype(self._p.vector.dtype)
        g = self._no_gradient
        dx = backward(self._above, self._p, d_raw, passed, g, need_dx=True, need_g=False)
        return of_copies(values, passed.piece, len(self.indices), n), dx, of_raw

    def _rows(self, piece: Piece | None, n: int) -> Indices:
        """Return which row of all raw outputs each one of n copies is of."""
        if piece is None:
            return np.repeat(self.indices, n)
        rows = self.readings[str(self._above.step_branch)].piece.rows
        assert rows is not None
        return np.repeat(rows, n)


class Explainer:
    """Samples whose outputs are explained, and what is found of their values.

    Parameters
    ----------
    model : Model
    lines : mapping of str to Line
        From the baseline to the samples, by the names of the inputs.
    factors : mapping of str to Line
        Whose direction derivatives are multiplied by.
    origins : mapping of str to Origins
    target : object
        See `choose`.
    tick : callable
        Is told how many samples are done.
    bag : BagLine or None, default=None
        A bag beside the network.

    Attributes
    ----------
    n_samples : int
    n_done : int
        How many of them are, which a method counts.
    eps : float
        That of the network's numbers.
    output : Explained
    at_end : ndarray of shape (n,)
        The output of each sample.
    origins : dict of Origins
    readers : dict of list of str
        The inputs that read each X, by the name of the first of them.
    values : dict of ndarray
        What the values of each branch contribute, from 1 on, as `Readings.places` has them; there
        is none in the first place.
    """

    def __init__(
        self,
        model: Model,
        lines: Mapping[str, Line],
        factors: Mapping[str, Line],
        origins: Mapping[str, Origins],
        target: Any,
        tick: Tick,
        bag: BagLine | None = None,
    ) -> None:
        self._bag = bag
        self._network, self._p = model.network, model.parameters
        self.readers = {name: model.readers_of(name) for name in model.own_inputs}
        self._above = model.network.above_inputs()
        self._lines, self._factors, self.origins = lines, factors, dict(origins)
        self._tick = tick
        self.n_done = 0
        self.n_samples = next(iter(lines.values())).end.n_sequences
        ends = {name: line.end for name, line in lines.items()}
        raw = run_network(self._network, self._p, ends, linear=bag.at_end if bag else None)
        offsets = ends[self._network.step_branch or next(iter(ends))].offsets
        self.output = Explained(model.loss, choose(model, raw, offsets, target), self.n_samples)
        self.at_end = self.output.of_samples(raw)
        self.values = {name: np.zeros(o.bounds[-1] + 1) for name, o in origins.items()}
        self.eps = float(np.finfo(self._p.vector.dtype).eps)
        numbers = [
            line.end.lengths * self._network.branches[name].numbers_per_step
            for name, line in lines.items()
        ]
        self._sizes: Indices = np.sum(numbers, axis=0)
        self._arenas = ArenaPool(lines)

    def at_start(self) -> Array:
        """Return the output of each baseline, (n,)."""
        starts = {name: line.start for name, line in self._lines.items()}
        bag = self._bag.at_start if self._bag else None
        return self.output.of_samples(run_network(self._network, self._p, starts, linear=bag))

    def chunks(self, samples: Indices, n_copies: int, batch_size: int | None) -> Iterator[Indices]:
        """Yield which of some samples are run at a time, those of similar size together."""
        sizes = self._sizes[samples]
        if batch_size is None:
            yield from chunks_of_copies(sizes, n_copies)
            return
        order = np.argsort(-sizes, kind="stable")
        for start in range(0, len(order), batch_size):
            yield order[start : start + batch_size]

    def longest_first(self, samples: Indices) -> Indices:
        """Return the order in which a chunk has some samples."""
        lengths = next(iter(self._lines.values())).end.lengths_of(samples)
        order: Indices = np.argsort(-lengths, kind="stable")
        return order

    @contextmanager
    def chunk(self, indices: Indices) -> Iterator[Chunk]:
        """Lend memory for some samples, the longest first, and read them."""
        with self._arenas.lend() as arenas, np.errstate(over="ignore"):
            readings = {
                name: read_line(
                    self._network.branches[name],
                    self._p,
                    line,
                    self._factors[name],
                    self.origins[name],
                    indices,
                    arenas[name],
                )
                for name, line in self._lines.items()
            }
            n_at_once = copies_at_once(int(self._sizes[indices].sum()))
            yield Chunk(indices, readings, n_at_once, self._above, self._p, self.output, self._bag)

    def tick(self) -> None:
        """Tell how many samples are done."""
        self._tick(self.n_done)

    def result(self, change: Array, error: Array, n_incomplete: int, n_points: int) -> Attributions:
        """Return what was found; all samples are done. See `Attributions`."""
        self._tick(self.n_samples)
        values = {name: array[1:] for name, array in self.values.items()}
        return Attributions(values, self.origins, change, error, n_incomplete, n_points)
