"""The weights of samples as those of their steps, without an array of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Indices


class StepWeights:
    """The weight of each step: that of its sample.

    An array of them can take more memory than the steps. This has as much of one as
    `mean_and_scale` and its like ask for: slices, other rows, the sum.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Of the samples.
    offsets : ndarray of shape (n + 1,)
        Sample i is the steps ``offsets[i]:offsets[i + 1]``.
    """

    def __init__(self, weights: Array, offsets: Indices) -> None:
        self._weights, self._offsets = weights, offsets

    def __len__(self) -> int:
        return int(self._offsets[-1])

    def sum(self) -> float:
        """Return the sum of the weights of all steps."""
        return float(self._weights @ np.diff(self._offsets))

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> Array:
        """Return the weights of some steps."""
        if not isinstance(rows, slice):
            sample = np.searchsorted(self._offsets, rows, side="right") - 1
            of_rows: Array = self._weights[sample]
            return of_rows
        start, stop, _ = rows.indices(len(self))
        first = max(np.searchsorted(self._offsets, start, side="right") - 1, 0)
        last = np.searchsorted(self._offsets, stop, side="left")
        bounds = np.clip(self._offsets[first : last + 1], start, stop)
        return np.repeat(self._weights[first:last], np.diff(bounds))
