"""Contributions by gradients: summed up along the line from the baseline, or at X alone.

M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks", ICML 2017
(arXiv 1703.01365).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_legendre

from skgru._engine.explained import sums_of
from skgru._engine.explainer import Attributions, Chunk, Explainer
from skgru._nn.batch import Array, Indices

# How many points a part of a line has, and all parts of it together before it is halved no more.
_POINTS, _MOST_POINTS = 8, 1024
# Of rounding: outputs are this many units of the last place off, at most.
_ROUNDING = 32
# Where the output changes less than this many units, sums are as exact as where it changes so much.
_SMALLEST_CHANGE = 0.1


class Contributed(NamedTuple):
    """What values contribute along parts of the lines.

    Attributes
    ----------
    name : str
        Of their input.
    places : ndarray
        As in `Readings.places`.
    owners : ndarray of the same shape
        Which of the parts each is of.
    values : ndarray of the same shape
    """

    name: str
    places: Indices
    owners: NDArray[np.integer]
    values: Array


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

    @classmethod
    def whole(cls, samples: Indices) -> Stretches:
        """Return the whole line of each sample."""
        return cls(samples, np.zeros(len(samples)), np.ones(len(samples)))

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


def differentiate(
    explainer: Explainer, map_: Callable[..., Any] = map, *, batch_size: int | None = None
) -> Attributions:
    """Return derivatives at X; see `attribute`."""
    every, one = np.arange(explainer.n_samples), np.ones(1)

    def run(indices: Indices) -> None:
        indices = indices[explainer.longest_first(indices)]
        ends = Stretches.whole(indices)
        with explainer.chunk(indices) as chunk:
            total, _ = _sum_along(ends, one, one, chunk, explainer.tick)
            for part in total:
                _add_at(explainer.values[part.name], part.places, part.values)
        explainer.n_done += len(indices)

    for _ in map_(run, explainer.chunks(every, 1, batch_size)):
        pass
    return explainer.result(explainer.at_end, np.zeros(explainer.n_samples), 0, 1)


def integrate(
    explainer: Explainer,
    map_: Callable[..., Any] = map,
    *,
    n_steps: int | None,
    tol: float,
    batch_size: int | None = None,
) -> Attributions:
    """Return integrated gradients, by Gauss and Legendre's rule; see `attribute`.

    Without `n_steps`, the line is halved where the contributions along a part of it do not sum to
    the change of the output there: so kinks do not matter.
    """
    return _Integral(explainer, n_steps, tol).run(map_, batch_size)


class _Integral:
    """The integral along the line of each sample: see `integrate` for the parameters."""

    def __init__(self, explainer: Explainer, n_steps: int | None, tol: float) -> None:
        self._explainer = explainer
        at_start, at_end = explainer.at_start(), explainer.at_end
        units = explainer.output.units()
        self._change = at_end - at_start
        self._allowed = tol * np.maximum(np.abs(self._change), _SMALLEST_CHANGE * units)
        # An error of rounding does not fall when a part is halved.
        size = np.maximum(np.maximum(np.abs(at_start), np.abs(at_end)), units)
        self._rounding = _ROUNDING * explainer.eps * size
        nodes, weights = roots_legendre(n_steps or _POINTS)
        self._nodes, self._weights = (1 + nodes) / 2, weights / 2
        self._most_points = n_steps or _MOST_POINTS
        # Of the parts that are not exact enough to be kept, if halves of them can be better.
        self._tentative = {name: np.zeros_like(v) for name, v in explainer.values.items()}

    def run(self, map_: Callable[..., Any], batch_size: int | None) -> Attributions:
        """Halve the lines until the sums are as exact as is allowed, or there are many points."""
        explainer, n = self._explainer, self._explainer.n_samples
        n_points = np.zeros(n, np.intp)
        accepted = np.zeros(n)  # the errors of parts that are exact enough
        pending = Stretches.whole(np.arange(n))
        is_first = True
        while len(pending.samples):
            counts = np.bincount(pending.samples, minlength=n)
            n_points += counts * len(self._nodes)
            bound = np.maximum(self._allowed / np.maximum(2 * counts, 1), self._rounding)
            bound[counts == 1] = self._allowed[counts == 1]
            # Later, parts of one sample may lie in several chunks: their order is kept.
            each = map_ if is_first else map
            wrong = self._add_all(each, pending, bound, batch_size, is_whole=is_first)
            is_first = False
            is_left = np.abs(wrong) > bound[pending.samples]
            accepted += sums_of(wrong[~is_left], pending.samples[~is_left], n)
            error = accepted + sums_of(wrong[is_left], pending.samples[is_left], n)
            is_done = (np.abs(error) <= self._allowed) | (n_points >= self._most_points)
            self._keep_tentative(is_done)
            accepted = np.where(is_done, error, accepted)
            is_left &= ~is_done[pending.samples]
            pending = pending.take(np.flatnonzero(is_left)).halved()
            explainer.n_done = n - len(np.unique(pending.samples))
        error = np.abs(accepted)
        n_incomplete = int(np.count_nonzero(~(error <= self._allowed)))
        return explainer.result(self._change, error, n_incomplete, int(n_points.max()))

    def _add_all(
        self,
        map_: Callable[..., Any],
        stretches: Stretches,
        bound: Array,
        batch_size: int | None,
        *,
        is_whole: bool,
    ) -> Array:
        """Add what is contributed along parts of the lines; return how much too high each sum is.

        Parameters
        ----------
        map_ : callable
        stretches : Stretches
        bound : ndarray of shape (n,)
            How far off the sum for a part of each sample's line may be; else it is tentative.
        batch_size : int or None
        is_whole : bool
            Whether the parts are the lines of all samples.
        """
        wrong = np.zeros(len(stretches.samples))

        def run(chosen: Indices) -> int:
            some = stretches.take(chosen)
            change = self._change[some.samples] if is_whole else None
            wrong[chosen] = self._add(some, change, bound[some.samples])
            return len(chosen) if is_whole else 0

        chunks = self._explainer.chunks(stretches.samples, len(self._nodes), batch_size)
        for n in map_(run, chunks):
            self._explainer.n_done += n
        return wrong

    def _add(self, stretches: Stretches, change: Array | None, bound: Array) -> Array:
        """Do the same for a chunk of parts, given the change of the output along each, if known."""
        explainer, N = self._explainer, len(stretches.samples)
        order = explainer.longest_first(stretches.samples)
        ordered = stretches.take(order)
        nodes, weights = self._nodes, self._weights
        if change is None:  # the outputs at the ends of each part are needed, too
            nodes, weights = np.append(nodes, [0, 1]), np.append(weights, [0, 0])
        with explainer.chunk(ordered.samples) as chunk:
            total, outputs = _sum_along(ordered, nodes, weights, chunk, explainer.tick)
            sums = np.zeros(N)
            for part in total:
                sums += sums_of(part.values.ravel(), part.owners.ravel(), N)
            wrong = sums - (outputs[:, -1] - outputs[:, -2] if change is None else change[order])
            is_exact = np.abs(wrong) <= bound[order]
            for name, places, owners, values in total:
                are_exact = is_exact[owners]
                _add_at(explainer.values[name], np.where(are_exact, places, 0), values)
                if not is_exact.all():
                    _add_at(self._tentative[name], np.where(are_exact, 0, places), values)
        in_order: Array = np.empty(N)
        in_order[order] = wrong
        return in_order

    def _keep_tentative(self, is_done: NDArray[np.bool_]) -> None:
        """Add the tentative values of the samples that are done, and forget the others."""
        for name, origins in self._explainer.origins.items():
            tentative = self._tentative[name]
            is_kept = np.repeat(is_done, np.diff(origins.bounds))
            self._explainer.values[name][1:][is_kept] += tentative[1:][is_kept]
            tentative[...] = 0


def _sum_along(
    stretches: Stretches, nodes: Array, weights: Array, chunk: Chunk, tick: Callable[[], None]
) -> tuple[list[Contributed], Array]:
    """Return what is contributed along parts of the lines, and the outputs at their points.

    Parameters
    ----------
    stretches : Stretches
        Of the samples of the chunk.
    nodes, weights : ndarray of shape (n_points,)
        Of a rule of quadrature from 0 to 1.
    chunk : Chunk
    tick : callable
        Is called after some points.

    Returns
    -------
    total : list of Contributed
        By the inputs of the network, and by the tokens of a bag beside it.
    outputs : ndarray of shape (N, n_points)
    """
    shares = stretches.at(nodes)
    outputs = np.empty(shares.shape)
    sums: dict[str, Any] = dict.fromkeys(chunk.readings, 0.0)
    of_raw: Any = 0.0
    for first in range(0, len(nodes), chunk.n_at_once):
        some = slice(first, first + chunk.n_at_once)
        pieces = {name: read.at(shares[:, some]) for name, read in chunk.readings.items()}
        outputs[:, some], dx, d_raw = chunk.derivatives(pieces, shares[:, some])
        for name, read in chunk.readings.items():
            sums[name] = sums[name] + read.weigh(dx[name], weights[some])
        if chunk.bag:
            by_copy = d_raw.reshape(len(shares), -1, d_raw.shape[1])
            of_raw = of_raw + np.einsum("npk,p->nk", by_copy, weights[some])
        tick()
    widths = stretches.stops - stretches.starts
    total = []
    for name, read in chunk.readings.items():
        owners = read.samples_of_places()
        values = np.asarray(sums[name], float) * widths[owners]
        total.append(Contributed(name, read.places, owners, values))
    if chunk.bag:
        found = chunk.bag.weigh(chunk.indices, of_raw * widths[:, None])
        total += [Contributed(p.name, p.tokens + 1, p.owners, p.values) for p in found]
    return total, outputs


def _add_at(values: Array, places: Indices, added: Array) -> None:
    """Add numbers at places, of which some may be the same."""
    np.add.at(values, places.ravel(), added.ravel())
