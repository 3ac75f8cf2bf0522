"""Random convolutions: how often each of many fixed kernels is found in a sequence.

A. Dempster, D. F. Schmidt and G. I. Webb, "MiniRocket: a very fast (almost) deterministic transform
for time series classification", KDD 2021 (arXiv 2012.08791). There a feature is the share of steps
at which a convolution exceeds a threshold; here the step of that count has a slope, so that
features have gradients.

Letters: S rows (all steps of all sequences), B sequences, D inputs, K kernels of a dilation, F
features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from skgru._nn.batch import Array, Batch, Indices
from skgru._nn.part import Arrays, Part, Run, Shapes

# Each kernel has so many taps, of which three weigh 2 and the others -1: so it does not see the
# level of a series.
N_TAPS = 9
PATTERNS = tuple(combinations(range(N_TAPS), 3))
N_KERNELS = len(PATTERNS)

_BLOCK_SIZE = 1 << 18  # numbers of the convolutions of some sequences


class ConvolutionCache(NamedTuple):
    """The cache of `RandomConvolutions`' forward pass, for `backward`."""

    x: Array  # (S, D)


class RandomConvolutions(Part[Run]):
    """Features of whole sequences, (B, F), by kernels that are not trained.

    ::

        c_t = Σ_j Σ_d weights[j, d] · x[t + (j − 4) · dilation, d]
        feature = mean over the steps of σ(c_t − threshold)

    Beyond the ends of a sequence x is 0. Weights and thresholds are in units of the slope. The
    features of one dilation lie side by side, and those of each threshold of all its kernels; they
    are read in units of their deviations in training. A sequence without a step has none: zeros.

    Parameters
    ----------
    n_inputs : int
        D.
    dilations : sequence of int
    n_thresholds : sequence of int
        How many each kernel of that dilation has.
    """

    def __init__(
        self, n_inputs: int, dilations: Sequence[int], n_thresholds: Sequence[int]
    ) -> None:
        self.n_inputs = n_inputs
        self.dilations = tuple(dilations)
        self.n_thresholds = tuple(n_thresholds)
        self.n_outputs = N_KERNELS * sum(n_thresholds)
        self._stops = np.cumsum([0, *(N_KERNELS * n for n in n_thresholds)]).tolist()

    def shapes(self) -> Shapes:
        """Return the names and shapes of its numbers, none of which is trained."""
        shapes: Shapes = {}
        for i, n in enumerate(self.n_thresholds):
            shapes[f"weights_{i}"] = (N_TAPS * self.n_inputs, N_KERNELS)
            shapes[f"thresholds_{i}"] = (n, N_KERNELS)
        return shapes | {"center": (self.n_outputs,), "scale": (self.n_outputs,)}

    def forward(self, p: Arrays, x: Array, run: Run) -> tuple[Array, ConvolutionCache]:
        """Return the features (B, F) of the sequences of x (S, D), and the cache."""
        y = np.zeros((run.batch.n_sequences, self.n_outputs), x.dtype)
        for block in _blocks(run.batch, self._widest):
            of_block = y[block.sequences]
            values = x[block.rows]
            for i, dilation in enumerate(self.dilations):
                c = self._convolved(p, i, block.taps(values, dilation))
                z = self._shares(p, i, c)
                means = np.add.reduceat(z, block.starts, axis=0) / block.lengths.astype(x.dtype)
                of_block[:, self._stops[i] : self._stops[i + 1]] = means
            y[block.sequences] = (of_block - p["center"]) / p["scale"]
        return y, ConvolutionCache(x)

    def backward(
        self, p: Arrays, dy: Array, cache: ConvolutionCache, g: Arrays, run: Run
    ) -> Array | None:
        """Return the gradient of x (S, D), if asked for; write zeros for what is not trained."""
        if run.need_g:
            for d in g.values():
                d[...] = 0
        if not run.need_dx:
            return None
        x = cache.x
        dx = np.zeros_like(x)
        dy = dy / p["scale"]
        for block in _blocks(run.batch, self._widest):
            values = x[block.rows]
            d_values = np.zeros_like(values)
            d_means = dy[block.sequences] / block.lengths.astype(x.dtype)
            for i, dilation in enumerate(self.dilations):
                c = self._convolved(p, i, block.taps(values, dilation))
                z = self._shares(p, i, c)
                dz = d_means[:, self._stops[i] : self._stops[i + 1]][block.sequence_of_row]
                dz *= z * (1 - z)
                dc = dz.reshape(len(dz), -1, N_KERNELS).sum(axis=1)
                d_taps = dc @ p[f"weights_{i}"].T
                block.add_taps(d_values, d_taps, dilation)
            dx[block.rows] = d_values
        return dx

    @property
    def _widest(self) -> int:
        return N_KERNELS * max(self.n_thresholds)

    def _convolved(self, p: Arrays, i: int, taps: Array) -> Array:
        """Return the convolutions of one dilation, (S', K)."""
        c: Array = taps @ p[f"weights_{i}"]
        return c

    def _shares(self, p: Arrays, i: int, c: Array) -> Array:
        """Return how far each convolution exceeds each of its thresholds, from 0 to 1."""
        z = c[:, None] - p[f"thresholds_{i}"]
        z *= 0.5
        np.tanh(z, out=z)
        z *= 0.5
        z += 0.5
        return z.reshape(len(c), -1)


def convolved(
    weights: Array, x: Array, batch: Batch, dilation: int
) -> Iterator[tuple[Indices, Array]]:
    """Yield the convolutions of some steps after others, (S', K), and whose steps they are.

    Parameters
    ----------
    weights : ndarray of shape (taps · D, K)
    x : ndarray of shape (S, D)
    batch : Batch
    dilation : int
    """
    for block in _blocks(batch, N_KERNELS):
        taps = block.taps(x[block.rows], dilation)
        yield block.sequence_of_row + block.sequences.start, taps @ weights


class _Block(NamedTuple):
    """Some sequences of a batch, one after the other.

    Attributes
    ----------
    sequences : slice
        Which ones of the batch.
    rows : ndarray of shape (S',)
        Where their steps lie in the batch.
    starts : ndarray of shape (B',)
        Where each begins among them.
    lengths : ndarray of shape (B', 1)
    """

    sequences: slice
    rows: Indices
    starts: Indices
    lengths: Indices

    @property
    def sequence_of_row(self) -> Indices:
        return np.repeat(np.arange(len(self.starts)), self.lengths[:, 0])

    def taps(self, values: Array, dilation: int) -> Array:
        """Return what each kernel reads at each step, (S', taps · D)."""
        S, D = values.shape
        taps = np.zeros((S, N_TAPS, D), values.dtype)
        for j, (there, here) in enumerate(self._moves(dilation)):
            taps[here, j] = values[there]
        return taps.reshape(S, N_TAPS * D)

    def add_taps(self, d_values: Array, d_taps: Array, dilation: int) -> None:
        """Add the gradients of what kernels read to those of the values."""
        d_taps = d_taps.reshape(len(d_values), N_TAPS, -1)
        for j, (there, here) in enumerate(self._moves(dilation)):
            d_values[there] += d_taps[here, j]

    def _moves(self, dilation: int) -> Iterator[tuple[Any, Any]]:
        """Yield, tap by tap, which rows are read, and from which."""
        S = len(self.rows)
        step = np.arange(S) - np.repeat(self.starts, self.lengths[:, 0])
        left = np.repeat(self.lengths[:, 0], self.lengths[:, 0]) - step
        for j in range(N_TAPS):
            offset = (j - N_TAPS // 2) * dilation
            here = np.flatnonzero((step + offset >= 0) & (offset < left))
            yield here + offset, here


def _blocks(batch: Batch, width: int) -> Iterator[_Block]:
    """Yield the sequences that have a step, so many at a time that arrays of a width fit."""
    n = int(np.count_nonzero(batch.lengths))
    starts = np.asarray(batch.starts, np.intp)
    first = 0
    ends = np.cumsum(batch.lengths[:n])
    while first < n:
        before = int(ends[first - 1]) if first else 0
        fits = np.searchsorted(ends, before + max(1, _BLOCK_SIZE // width), side="right")
        last = max(first + 1, int(fits))
        lengths = batch.lengths[first:last].astype(np.intp)
        begin = np.cumsum(lengths) - lengths
        sequence = np.repeat(np.arange(first, last), lengths)
        step = np.arange(int(lengths.sum())) - np.repeat(begin, lengths)
        yield _Block(slice(first, last), starts[step] + sequence, begin, lengths[:, None])
        first = last
