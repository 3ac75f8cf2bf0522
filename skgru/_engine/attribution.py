"""Attributions: how much each value of X contributes to an output of the network.

The inputs of the stacks move on a straight line from those of a baseline to those of X: between
them, tokens and categories are vectors, and numbers are scaled. What the inputs of the stack
contribute is added up by the values of X that they come from, see `Input.origins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import roots_legendre

from skgru._budget import chunks_of_copies, copies_at_once, predicts_on_threads
from skgru._data.inputs import Line, Origins
from skgru._data.parsing import Parsed
from skgru._data.steps import StepsOfSamples
from skgru._engine.model import Model, naming
from skgru._engine.predict import run_network
from skgru._engine.threads import on_threads
from skgru._nn.batch import Arena, ArenaPool, Array, Indices, Piece
from skgru._nn.branch import Branch
from skgru._nn.parameters import Parameters
from skgru._nn.part import StackInputs
from skgru._nn.pieces import OnePiece, Pieces, backward, forward

# How many points a part of a line has, and all parts of it together before it is halved no more.
_POINTS, _MOST_POINTS = 8, 1024
# Of rounding: outputs are this many units of the last place off, at most.
_ROUNDING = 32
# Where the output changes less than this many units, sums are as exact as where it changes so much.
_SMALLEST_CHANGE = 0.1

Tick = Callable[[int], None]


class Attributions(NamedTuple):
    """What the values of X contribute.

    Attributes
    ----------
    values : dict of ndarray
        Of each branch, one after the other as in `Input.origins`.
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


class Stretches(NamedTuple):
    """Parts of the lines of some samples, from one share of the way to another.

    Attributes
    ----------
    samples : ndarray of shape (N,)
        Which sample's line it is, each time.
    starts, stops : ndarray of shape (N,)
    """

    samples: Indices
    starts: Array
    stops: Array

    def take(self, chosen: Indices) -> Stretches:
        """Return some of them."""
        return Stretches(self.samples[chosen], self.starts[chosen], self.stops[chosen])

    def halved(self) -> Stretches:
        """Return the halves of all."""
        middles = (self.starts + self.stops) / 2
        return Stretches(
            np.tile(self.samples, 2),
            np.concatenate([self.starts, middles]),
            np.concatenate([middles, self.stops]),
        )

    def at(self, nodes: Array) -> Array:
        """Return the shares of the way at some nodes from 0 to 1 of each, (N, n nodes)."""
        return self.starts[:, None] + (self.stops - self.starts)[:, None] * nodes


class Chosen(NamedTuple):
    """The output of each sample that is explained: the sum over some rows of raw outputs.

    Attributes
    ----------
    outputs : ndarray of shape (n rows,)
        The index of an output of each row; a row is a sample, or without a pooling a step.
    weights : ndarray of shape (n rows,)
        1 where a row counts, else 0.
    samples : ndarray of shape (n rows,)
        Which sample a row belongs to.
    """

    outputs: Indices
    weights: Array
    samples: Indices


def attribute(
    model: Model,
    parsed: Mapping[str, Parsed],
    baseline: Mapping[str, Any],
    target: Any,
    *,
    method: str,
    n_steps: int | None,
    tol: float,
    batch_size: int | None,
    n_jobs: int | None,
    tick: Tick,
) -> Attributions:
    """Return the contributions of the values of X to an output.

    Parameters
    ----------
    model : Model
    parsed : mapping of str to Parsed
        The samples, by the names of the inputs.
    baseline : mapping of str to object
        Of each input; see `Input.from_baseline`.
    target : object
        See `choose`.
    method : {"integrated_gradients", "gradient", "occlusion"}
    n_steps : int or None
        Points on the line; None = as many as a sample needs.
    tol : float
        The error of the sum of a sample, as a share of the change of the output.
    batch_size : int or None
        How many samples are run at a time; None = as many as memory is for.
    n_jobs : int or None
        Threads, where the samples are many and the network is wide.
    tick : callable
        Is told again and again how many samples are done.
    """
    lines, origins = {}, {}
    dtype = model.theta.dtype
    for name, part in model.inputs.items():
        sequences = parsed[name].sequences
        with naming(name):
            lines[name] = part.from_baseline(sequences, baseline.get(name), dtype)
            origins[name] = part.origins(sequences)
    factors = lines
    if method == "gradient":
        factors = {
            name: part.tangents(parsed[name].sequences, lines[name], dtype)
            for name, part in model.inputs.items()
        }
    explainer = Explainer(model, lines, factors, origins, target, tick)
    run: dict[str, Callable[..., Attributions]] = {
        "integrated_gradients": partial(explainer.integrate, n_steps=n_steps, tol=tol),
        "gradient": explainer.differentiate,
        "occlusion": explainer.occlude,
    }
    shares = predicts_on_threads(model.network.n_units_of_widest, explainer.n_samples)
    return on_threads(n_jobs if shares else 1, partial(run[method], batch_size=batch_size))


def choose(model: Model, raw: Array, offsets: Indices, target: Any) -> Chosen:
    """Return the output that is meant.

    Parameters
    ----------
    model : Model
    raw : ndarray of shape (n, K) or (total steps, K)
    offsets : ndarray of shape (n + 1,)
        Where the steps of each sample start, if it is the steps that have outputs.
    target : object
        The output, as `Loss.choose` takes it; of steps also (step, output). Without a step, all
        steps of a sample count.

    Raises
    ------
    ValueError
        If there is no such output or step.
    """
    if not model.per_step:
        n = len(raw)
        return Chosen(model.loss.choose(raw, target), np.ones(n), np.arange(n))
    lengths = np.diff(offsets)
    samples = np.repeat(np.arange(len(lengths)), lengths)
    weights = np.ones(len(raw))
    if isinstance(target, tuple) and len(target) == 2:
        step, target = target
        if not isinstance(step, int | np.integer) or isinstance(step, bool):
            raise ValueError(f"Expected (step, output) as target, the step an int, got {step!r}.")
        fewest = int(lengths.min())
        if not -fewest <= step < fewest:
            i = int(lengths.argmin())
            raise ValueError(
                f"Expected a step that all samples have as the first of target, got {step}, but "
                f"sample {i} has {fewest} steps: explain samples of other lengths one by one."
            )
        numbers = np.arange(len(raw)) - offsets[samples]
        weights = (numbers == (step if step >= 0 else lengths[samples] + step)).astype(float)
    return Chosen(model.loss.choose(raw, target), weights, samples)


class Readings(NamedTuple):
    """What some samples read in a branch, along the line.

    Attributes
    ----------
    start, end : ndarray of shape (S, C), or sparse matrix
        Inputs of the stack.
    gaps : ndarray or None
        Those of the stack, all along the line.
    factor : ndarray of shape (S, C), or (n held,) of a sparse matrix
        What a derivative is multiplied by.
    places : ndarray of the same shape
        1 + the place of the value, among those of all samples, that a number comes from; 0 = none.
    piece : Piece
    lengths : ndarray of shape (N,)
    arena : Arena
    """

    start: Any
    end: Any
    gaps: Array | None
    factor: Array
    places: Indices
    piece: Piece
    lengths: NDArray[np.integer]
    arena: Arena

    @property
    def is_sparse(self) -> bool:
        return bool(sparse.issparse(self.end))

    def samples_of_places(self) -> NDArray[np.integer]:
        """Return which of the samples each of `places` belongs to, in its shape."""
        rows = self.piece.sample_of_row()
        if self.is_sparse:
            return np.repeat(rows, np.diff(self.end.indptr))
        return np.broadcast_to(rows[:, None], self.places.shape)

    def at(self, shares: Array) -> OnePiece:
        """Return copies of the samples at shares of their ways, (N, n copies)."""
        P = shares.shape[1]
        shares = shares.astype(self.end.dtype)
        if self.is_sparse:  # it starts at 0
            x, numbers, copies = self._copies_of_sparse(P)
            x.data = self.end.data[numbers] * shares[self.samples_of_places()[numbers], copies]
            return self._copies(x, P)
        way = self.end - self.start
        x = way[:, None] * shares[self.piece.sample_of_row()][:, :, None]
        x += self.start[:, None]
        return self._copies(x.reshape(-1, way.shape[1]), P)

    def without(self, ranks: Indices, n: int) -> OnePiece:
        """Return n copies, the i-th of which has the start in place of numbers of rank i."""
        if self.is_sparse:
            x, numbers, copies = self._copies_of_sparse(n)
            x.data = np.where(ranks[numbers] == copies, 0, self.end.data[numbers])
            return self._copies(x, n)
        x = np.repeat(self.end[:, None], n, axis=1)
        rows, columns = np.nonzero((ranks >= 0) & (ranks < n))
        x[rows, ranks[rows, columns], columns] = self.start[rows, columns]
        return self._copies(x.reshape(-1, x.shape[2]), n)

    def weigh(self, dx: Any, weights: Array) -> Array:
        """Return the sum of the copies' derivatives, times their weights and the factor."""
        P = len(weights)
        if self.is_sparse:
            _, numbers, copies = self._copies_of_sparse(P)
            n_held = len(self.end.data)
            total = np.bincount(numbers, dx.data * weights[copies], minlength=n_held)
        else:
            S, C = self.factor.shape
            total = np.matmul(weights.astype(dx.dtype), dx.reshape(S, P, C))
        return total * self.factor

    def _copies(self, x: Any, n: int) -> OnePiece:
        gaps = None if self.gaps is None else np.repeat(self.gaps, n, axis=0)
        return OnePiece(
            StackInputs(x, gaps), self.piece.repeated(n, self.arena), np.repeat(self.lengths, n)
        )

    def _copies_of_sparse(self, n: int) -> tuple[Any, Indices, Indices]:
        """Return n copies of each row; of each number, which it is, and in which copy."""
        x, S = self.end, self.end.shape[0]
        numbered = sparse.csr_matrix((np.arange(len(x.data)), x.indices, x.indptr), x.shape)
        rows = np.repeat(np.arange(S), n)
        numbers = numbered[rows].data
        copies = np.repeat(np.tile(np.arange(n), S), np.diff(x.indptr)[rows])
        return x[rows], numbers, copies


class Explainer:
    """The attributions of samples, by each of the methods.

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

    Attributes
    ----------
    n_samples : int
    """

    def __init__(
        self,
        model: Model,
        lines: Mapping[str, Line],
        factors: Mapping[str, Line],
        origins: Mapping[str, Origins],
        target: Any,
        tick: Tick,
    ) -> None:
        self._model = model
        self._network = model.network
        self._above = model.network.above_inputs()
        self._p: Parameters = model.parameters
        self._lines, self._factors, self._origins = lines, factors, dict(origins)
        self._tick = tick
        self._n_done = 0
        first = next(iter(lines.values()))
        self.n_samples = first.end.n_sequences
        ends = {name: line.end for name, line in lines.items()}
        raw = run_network(self._network, self._p, ends)
        offsets = ends[self._network.step_branch or next(iter(ends))].offsets
        self._chosen = choose(model, raw, offsets, target)
        self._at_end = self._outputs(raw)
        self._values = {name: np.zeros(o.bounds[-1] + 1) for name, o in origins.items()}
        self._tentative = {name: np.zeros_like(values) for name, values in self._values.items()}
        numbers = [
            of_branch.end.lengths * self._network.branches[name].numbers_per_step
            for name, of_branch in lines.items()
        ]
        self._sizes: Indices = np.sum(numbers, axis=0)
        self._arenas = ArenaPool(lines)

    # --- The methods -----------------------------------------------------------------------------

    def integrate(
        self,
        map_: Callable[..., Any] = map,
        *,
        n_steps: int | None,
        tol: float,
        batch_size: int | None = None,
    ) -> Attributions:
        """Return integrated gradients, by Gauss and Legendre's rule.

        M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks", ICML 2017
        (arXiv 1703.01365). Without `n_steps`, the line is halved where the contributions along a
        part of it do not sum to the change of the output there: so kinks do not matter.
        """
        starts = {name: line.start for name, line in self._lines.items()}
        at_start = self._outputs(run_network(self._network, self._p, starts))
        change = self._at_end - at_start
        allowed = tol * np.maximum(np.abs(change), _SMALLEST_CHANGE * self._units())
        n_points = np.zeros(self.n_samples, np.intp)
        nodes, weights = roots_legendre(n_steps or _POINTS)
        nodes, weights = (1 + nodes) / 2, weights / 2
        # An error of rounding does not fall when a part is halved.
        size = np.maximum(np.maximum(np.abs(at_start), np.abs(self._at_end)), self._units())
        rounding = _ROUNDING * np.finfo(self._p.vector.dtype).eps * size
        every = np.arange(self.n_samples)
        pending = Stretches(every, np.zeros(self.n_samples), np.ones(self.n_samples))
        accepted = np.zeros(self.n_samples)  # the errors of parts that are exact enough
        is_first = True
        while len(pending.samples):
            counts = np.bincount(pending.samples, minlength=self.n_samples)
            n_points += counts * len(nodes)
            bound = np.maximum(allowed / np.maximum(2 * counts, 1), rounding)
            bound[counts == 1] = allowed[counts == 1]
            wrong = np.zeros(len(pending.samples))

            def run(
                chosen: Indices,
                stretches: Stretches = pending,
                bound: Array = bound,
                wrong: Array = wrong,
                is_first: bool = is_first,
            ) -> int:
                some = stretches.take(chosen)
                outputs = change[some.samples] if is_first else None
                wrong[chosen] = self._add_gradients(
                    some, nodes, weights, outputs, bound[some.samples]
                )
                return len(chosen) if is_first else 0

            # Later, parts of one sample may lie in several chunks: their order is kept.
            each = map_ if is_first else map
            for n in each(run, self._chunks(pending.samples, len(nodes), batch_size)):
                self._n_done += n
            is_first = False
            is_left = np.abs(wrong) > bound[pending.samples]
            accepted += _sums_of(wrong[~is_left], pending.samples[~is_left], self.n_samples)
            error = accepted + _sums_of(wrong[is_left], pending.samples[is_left], self.n_samples)
            is_done = (np.abs(error) <= allowed) | (n_points >= (n_steps or _MOST_POINTS))
            self._keep_tentative(is_done)
            accepted = np.where(is_done, error, accepted)
            is_left &= ~is_done[pending.samples]
            pending = pending.take(np.flatnonzero(is_left)).halved()
            self._n_done = self.n_samples - len(np.unique(pending.samples))
        error = np.abs(accepted)
        n_incomplete = int(np.count_nonzero(~(error <= allowed)))
        return self._result(change, error, n_incomplete, int(n_points.max()))

    def _keep_tentative(self, is_done: NDArray[np.bool_]) -> None:
        """Add the tentative values of the samples that are done, and forget the others."""
        for name, origins in self._origins.items():
            tentative = self._tentative[name]
            is_kept = np.repeat(is_done, np.diff(origins.bounds))
            self._values[name][1:][is_kept] += tentative[1:][is_kept]
            tentative[...] = 0

    def differentiate(
        self, map_: Callable[..., Any] = map, *, batch_size: int | None = None
    ) -> Attributions:
        """Return derivatives at X."""
        one = np.ones(1)

        def run(indices: Indices) -> None:
            nothing = np.zeros(len(indices))
            stretches = Stretches(indices, nothing, nothing + 1)
            self._add_gradients(stretches, one, one, nothing, nothing + np.inf)
            self._n_done += len(indices)

        for _ in map_(run, self._chunks(np.arange(self.n_samples), 1, batch_size)):
            pass
        return self._result(self._at_end, np.zeros(self.n_samples), 0, 1)

    def occlude(
        self, map_: Callable[..., Any] = map, *, batch_size: int | None = None
    ) -> Attributions:
        """Return the change of the output where one value after the other is put in place."""
        every = np.arange(self.n_samples)
        for _ in map_(self._occlude_some, self._chunks(every, _POINTS, batch_size)):
            pass
        return self._result(self._at_end, np.zeros(self.n_samples), 0, 1)

    def _result(
        self, change: Array, error: Array, n_incomplete: int, n_points: int
    ) -> Attributions:
        self._tick(self.n_samples)
        values = {name: array[1:] for name, array in self._values.items()}
        return Attributions(values, self._origins, change, error, n_incomplete, n_points)

    # --- Some samples at a time ------------------------------------------------------------------

    def _chunks(self, samples: Indices, n_copies: int, batch_size: int | None) -> Iterator[Indices]:
        """Yield which of some samples are run at a time, those of similar size together."""
        sizes = self._sizes[samples]
        if batch_size is None:
            yield from chunks_of_copies(sizes, n_copies)
            return
        order = np.argsort(-sizes, kind="stable")
        for start in range(0, len(order), batch_size):
            yield order[start : start + batch_size]

    def _read(self, indices: Indices, arenas: Mapping[str, Arena]) -> dict[str, Readings]:
        """Return what some samples read in each branch."""
        return {
            name: read_line(
                self._network.branches[name],
                self._p,
                line,
                self._factors[name],
                self._origins[name],
                indices,
                arenas[name],
            )
            for name, line in self._lines.items()
        }

    def _add_gradients(
        self,
        stretches: Stretches,
        nodes: Array,
        weights: Array,
        change: Array | None,
        bound: Array,
    ) -> Array:
        """Add what is contributed along parts of the line, by sums of gradients at points of it.

        Parameters
        ----------
        stretches : Stretches
        nodes, weights : ndarray of shape (n_points,)
            Of a rule of quadrature from 0 to 1.
        change : ndarray of shape (N,) or None
            Of the output along each part; None = it is found, too.
        bound : ndarray of shape (N,)
            How far off that the sum for a part may be to be added; else it is tentative.

        Returns
        -------
        wrong : ndarray of shape (N,)
            How much too high the sum is.
        """
        order = np.argsort(-self._first_lengths(stretches.samples), kind="stable")
        ordered = stretches.take(order)
        indices, N = ordered.samples, len(order)
        if change is None:  # at the ends of each part, too
            nodes, weights = np.append(nodes, [0, 1]), np.append(weights, [0, 0])
        shares = ordered.at(nodes)
        outputs = np.empty(shares.shape)
        n_at_once = copies_at_once(int(self._sizes[indices].sum()))
        with self._arenas.lend() as arenas, np.errstate(over="ignore"):
            readings = self._read(indices, arenas)
            g = self._network.parameters(np.empty_like(self._p.vector))
            total: dict[str, Any] = dict.fromkeys(readings, 0.0)
            for first in range(0, len(nodes), n_at_once):
                some = slice(first, first + n_at_once)
                n = len(nodes[some])
                pieces = {name: read.at(shares[:, some]) for name, read in readings.items()}
                passed = forward(self._above, self._p, pieces)
                values, d_raw = self._output(
                    passed.raw, self._rows(indices, passed.piece, readings, n)
                )
                outputs[:, some] = _of_copies(values, passed.piece, N, n)
                d_raw = d_raw.astype(self._p.vector.dtype)
                dx = backward(self._above, self._p, d_raw, passed, g, need_dx=True, need_g=False)
                for name, read in readings.items():
                    total[name] = total[name] + read.weigh(dx[name], weights[some])
                self._tick(self._n_done)
        widths = ordered.stops - ordered.starts
        sums = np.zeros(N)
        for name, read in readings.items():
            samples = read.samples_of_places()
            total[name] = np.asarray(total[name], float) * widths[samples]
            sums += _sums_of(total[name].ravel(), samples.ravel(), N)
        expected = outputs[:, -1] - outputs[:, -2] if change is None else change[order]
        wrong = sums - expected
        is_exact = np.abs(wrong) <= bound[order]
        for name, read in readings.items():
            kept = np.where(is_exact[read.samples_of_places()], read.places, 0)
            np.add.at(self._values[name], kept.ravel(), total[name].ravel())
            if not is_exact.all():
                kept = np.where(kept == 0, read.places, 0)
                np.add.at(self._tentative[name], kept.ravel(), total[name].ravel())
        in_order: Array = np.empty(N)
        in_order[order] = wrong
        return in_order

    def _occlude_some(self, indices: Indices) -> None:
        """Set the values of some samples to the change of the output without each of them."""
        indices = indices[np.argsort(-self._first_lengths(indices), kind="stable")]
        N = len(indices)
        with self._arenas.lend() as arenas, np.errstate(over="ignore"):
            readings = self._read(indices, arenas)
            # The values of a sample that may change something, of all branches, have ranks.
            ranks, places, n_of_samples = {}, [], np.zeros(N, np.intp)
            for name, read in readings.items():
                ranks[name], of_branch, counts = _ranks(read, n_of_samples)
                places.append((name, of_branch, n_of_samples.copy(), counts))
                n_of_samples += counts
            n_at_once = copies_at_once(int(self._sizes[indices].sum()))
            before = self._outputs_of_copies(indices, readings, None, 1)[:, 0]
            change = np.zeros((N, n_of_samples.max(initial=0)))
            for first in range(0, change.shape[1], n_at_once):
                n = min(n_at_once, change.shape[1] - first)
                some = {name: of_branch - first for name, of_branch in ranks.items()}
                after = self._outputs_of_copies(indices, readings, some, n)
                change[:, first : first + n] = before[:, None] - after
                self._tick(self._n_done)
        for name, of_branch, starts, counts in places:
            samples = np.repeat(np.arange(N), counts)
            within = np.arange(len(samples)) - np.repeat(np.cumsum(counts) - counts, counts)
            self._values[name][of_branch] = change[samples, starts[samples] + within]
        self._n_done += N

    def _outputs_of_copies(
        self,
        indices: Indices,
        readings: Mapping[str, Readings],
        ranks: Mapping[str, Indices] | None,
        n: int,
    ) -> Array:
        """Return the outputs of n copies of each sample, (N, n), without the values of ranks."""
        pieces = {
            name: read.at(np.ones((len(indices), n)))
            if ranks is None
            else read.without(ranks[name], n)
            for name, read in readings.items()
        }
        passed = forward(self._above, self._p, pieces, need_cache=False)
        rows = self._rows(indices, passed.piece, readings, n)
        values, _ = self._output(passed.raw, rows)
        return _of_copies(values, passed.piece, len(indices), n)

    def _first_lengths(self, indices: Indices) -> Indices:
        return next(iter(self._lines.values())).end.lengths_of(indices)

    def _rows(
        self, indices: Indices, piece: Piece | None, readings: Mapping[str, Readings], n: int
    ) -> Indices:
        """Return which row of all raw outputs each one of n copies is of."""
        if piece is None:
            return np.repeat(indices, n)
        rows = readings[str(self._network.step_branch)].piece.rows
        assert rows is not None
        return np.repeat(rows, n)

    # --- The output that is explained ------------------------------------------------------------

    def _output(self, raw: Array, rows: Indices) -> tuple[Array, Array]:
        """Return each row's share in the output, and its derivative."""
        values, d_raw = self._model.loss.output(raw.astype(np.float64), self._chosen.outputs[rows])
        weights = self._chosen.weights[rows]
        return values * weights, d_raw * weights[:, None]

    def _outputs(self, raw: Array) -> Array:
        """Return the output of each sample, given all raw outputs."""
        values, _ = self._output(raw, np.arange(len(raw)))
        return _sums_of(values, self._chosen.samples, self.n_samples)

    def _units(self) -> Array:
        """Return what counts as much in the output of each sample."""
        units = np.zeros(self.n_samples)
        np.maximum.at(units, self._chosen.samples, self._model.loss.unit(self._chosen.outputs))
        return units


def _of_copies(values: Array, piece: Piece | None, N: int, n: int) -> Array:
    """Return the output of n copies of each of N samples, (N, n), given those of all rows."""
    if piece is None:
        return values.reshape(N, n)
    return _sums_of(values, piece.sample_of_row(), N * n).reshape(N, n)


def _sums_of(values: Array, groups: NDArray[np.integer], n: int) -> Array:
    """Return the sums of the values of each of n groups."""
    total = np.zeros(n)
    np.add.at(total, groups, values)
    return total


def read_line(
    branch: Branch,
    p: Parameters,
    line: Line,
    factor: Line,
    origins: Origins,
    indices: Indices,
    arena: Arena,
) -> Readings:
    """Return what some samples read in a branch, whole; `arena` is for copies of them."""

    def read(steps: StepsOfSamples) -> tuple[StackInputs, Pieces]:
        own = steps.pieces(indices, None, Arena())
        x, piece = own[0]
        return branch.read(p, x, piece.batch), own

    end, whole = read(line.end)
    start, _ = read(line.start)
    first, last = start, end
    if factor is not line:
        first, _ = read(factor.start)
        last, _ = read(factor.end)
    x, piece = origins.steps.pieces(indices, None, Arena())[0]
    if sparse.issparse(end.x):
        factor_of_held, places = np.asarray(last.x.data), x.data.astype(np.intp)
        return Readings(start.x, end.x, None, factor_of_held, places, piece, whole.lengths, arena)
    columns = branch.input.value_columns
    x = x[:, None] if x.ndim == 1 else x
    moves = last.x - first.x
    are_values = (columns >= 0) & ((moves != 0) | (end.x != start.x))
    places = np.where(are_values, x[:, columns], 0).astype(np.intp)
    return Readings(start.x, end.x, end.gaps, moves, places, piece, whole.lengths, arena)


def _ranks(read: Readings, before: Indices) -> tuple[Indices, Indices, Indices]:
    """Return the ranks of numbers among the values of their samples, from `before` on.

    Numbers that are the same at both ends have rank -1. Also returned are the places of the values
    by sample and rank, and how many each of the samples has.
    """
    n = len(before)
    changes = read.end.data != 0 if read.is_sparse else read.end != read.start
    counted = changes & (read.places > 0)
    samples = read.samples_of_places()[counted]
    places, inverse = np.unique(read.places[counted], return_inverse=True)
    of_places = np.empty(len(places), np.intp)
    of_places[inverse] = samples
    order = np.argsort(of_places, kind="stable")
    counts = np.bincount(of_places, minlength=n)
    rank_of_places = np.empty(len(places), np.intp)
    rank_of_places[order] = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    rank_of_places += before[of_places]
    ranks: NDArray[Any] = np.full(read.places.shape, -1)
    ranks[counted] = rank_of_places[inverse]
    return ranks, places[order], counts
