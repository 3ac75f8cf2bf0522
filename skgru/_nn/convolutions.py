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
from typing import NamedTuple

import numpy as np

from skgru._nn.batch import Array, Batch, Indices
from skgru._nn.part import Arrays, Part, Run, Shapes

# Each kernel has so many taps, of which three weigh 2 and the others -1: so it does not see the
# level of a series.
N_TAPS = 9
PATTERNS = tuple(combinations(range(N_TAPS), 3))
N_KERNELS = len(PATTERNS)
_OFFSETS = np.arange(N_TAPS) - N_TAPS // 2

_BLOCK_SIZE = 1 << 18  # numbers that are made at once of the steps of some sequences


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

    def forward(self, p: Arrays, x: Array, run: Run) -> tuple[Array, Array]:
        """Return the features (B, F) of the sequences of x (S, D), and the cache, x."""
        y = np.zeros((run.batch.n_sequences, self.n_outputs), x.dtype)
        for block in _blocks(run.batch, self._widest, self.dilations[-1]):
            values, of_block = block.padded(x), y[block.sequences]
            for i, dilation in enumerate(self.dilations):
                z = self._tanh_of_half(p, i, block.taps(values, dilation))
                means = block.sums(z) / block.lengths.astype(x.dtype)
                of_block[:, self._stops[i] : self._stops[i + 1]] = (1 + means) / 2  # of σ
            of_block -= p["center"]
            of_block /= p["scale"]
        return y, x

    def backward(
        self, p: Arrays, dy: Array | None, cache: Array | None, g: Arrays, run: Run
    ) -> Array | None:
        """Return the gradient of x (S, D), if asked for; write zeros for what is not trained.

        Without that, neither the gradient of the features nor the cache is read.
        """
        if run.need_g:
            for d in g.values():
                d[...] = 0
        if not run.need_dx:
            return None
        assert dy is not None
        assert cache is not None
        x = cache
        dx = np.zeros_like(x)
        dy = dy / p["scale"]
        for block in _blocks(run.batch, self._widest, self.dilations[-1]):
            values = block.padded(x)
            d_values = np.zeros_like(values)
            d_means = dy[block.sequences] / block.lengths.astype(x.dtype)
            for i, dilation in enumerate(self.dilations):
                z = self._tanh_of_half(p, i, block.taps(values, dilation))
                dz = d_means[:, self._stops[i] : self._stops[i + 1]][block.sequence_of_row]
                dz *= (1 - z * z) / 4  # the derivative of σ
                dc = dz.reshape(len(dz), -1, N_KERNELS).sum(axis=1)
                block.add_taps(d_values, dc @ p[f"weights_{i}"].T, dilation)
            dx[block.rows] = d_values[block.places]
        return dx

    @property
    def _widest(self) -> int:
        return N_KERNELS * max(self.n_thresholds)

    def _tanh_of_half(self, p: Arrays, i: int, taps: Array) -> Array:
        """Return tanh((c − θ) / 2) = 2 σ(c − θ) − 1 of each kernel and threshold of a dilation.

        Its shape is (S', n_thresholds · K). So what turns it into σ is done to means, not to steps.
        """
        c = taps @ p[f"weights_{i}"]
        c /= 2
        z = c[:, None] - p[f"thresholds_{i}"] / 2
        np.tanh(z, out=z)
        shares: Array = z.reshape(len(c), -1)
        return shares


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
    for block in _blocks(batch, N_KERNELS, dilation):
        taps = block.taps(block.padded(x), dilation)
        yield block.sequence_of_row + block.sequences.start, taps @ weights


class _Block(NamedTuple):
    """Some sequences of a batch, one after the other, with room between them.

    Attributes
    ----------
    sequences : slice
        Which ones of the batch.
    rows : ndarray of shape (S',)
        Where their steps lie in the batch.
    places : ndarray of shape (S',)
        Where they lie with the room, which is as long as half a kernel.
    starts : ndarray of shape (B',)
        Where each sequence begins among the rows.
    lengths : ndarray of shape (B', 1)
    n_places : int
    """

    sequences: slice
    rows: Indices
    places: Indices
    starts: Indices
    lengths: Indices
    n_places: int

    @property
    def sequence_of_row(self) -> Indices:
        return np.repeat(np.arange(len(self.starts)), self.lengths[:, 0])

    def sums(self, z: Array) -> Array:
        """Return the sums of the rows (S', H) over the steps of each sequence, (B', H)."""
        ones = np.ones(int(self.lengths.max()), z.dtype)
        total = np.empty((len(self.starts), z.shape[1]), z.dtype)
        bounds = zip(self.starts.tolist(), self.lengths[:, 0].tolist(), strict=True)
        for of_sequence, (start, length) in zip(total, bounds, strict=True):
            np.matmul(ones[:length], z[start : start + length], out=of_sequence)
        return total

    def padded(self, x: Array) -> Array:
        """Return the values of the steps, and zeros in the room between them, (n_places, D)."""
        values = np.zeros((self.n_places, x.shape[1]), x.dtype)
        values[self.places] = x[self.rows]
        return values

    def taps(self, values: Array, dilation: int) -> Array:
        """Return what each kernel reads of padded values at each step, (S', taps · D)."""
        read = self.places[:, None] + dilation * _OFFSETS
        return values.take(read, axis=0).reshape(len(read), -1)

    def add_taps(self, d_values: Array, d_taps: Array, dilation: int) -> None:
        """Add the gradients of what kernels read to those of the padded values."""
        d_taps = d_taps.reshape(len(d_taps), N_TAPS, -1)
        for j, offset in enumerate(dilation * _OFFSETS):
            d_values[self.places + offset] += d_taps[:, j]


def _blocks(batch: Batch, width: int, dilation: int) -> Iterator[_Block]:
    """Yield the sequences that have a step, so many at a time that arrays of a width fit.

    Between them there is room for kernels of that dilation.
    """
    n = batch.active[0] if batch.active else 0
    starts = np.asarray(batch.starts, np.intp)
    ends = np.cumsum(batch.lengths[:n])
    room = dilation * (N_TAPS // 2)
    first = 0
    while first < n:
        before = int(ends[first - 1]) if first else 0
        fits = np.searchsorted(ends, before + max(1, _BLOCK_SIZE // width), side="right")
        last = max(first + 1, int(fits))
        lengths = batch.lengths[first:last].astype(np.intp)
        begin = np.cumsum(lengths) - lengths
        number = np.repeat(np.arange(last - first), lengths)
        among = np.arange(int(lengths.sum()))
        yield _Block(
            slice(first, last),
            starts[among - begin[number]] + first + number,
            among + room * (1 + number),
            begin,
            lengths[:, None],
            len(among) + room * (1 + last - first),
        )
        first = last
