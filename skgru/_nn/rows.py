"""Inputs of rows of a table: numbers and categories, or a sparse matrix.

Letters: S rows, D inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skgru._nn.batch import Array, Indices
from skgru._nn.layers import Numbers
from skgru._nn.part import Arrays, InputPart, Run, Shapes, StackInputGradients, StackInputs


class Rows(NamedTuple):
    """Rows of a table as the network reads them.

    Attributes
    ----------
    numbers : ndarray of shape (S, n_numbers)
    codes : ndarray of shape (S, n_columns)
        The categories of the other columns; 0 = unknown.
    """

    numbers: Array
    codes: NDArray[np.integer]


class Categories(InputPart):
    """Numbers, and categories one-hot or as trainable vectors, side by side.

    The unknown category, 0, is read as zeros by those that are one-hot, and has a vector that
    starts at zero.

    Parameters
    ----------
    n_numbers : int
    categories : sequence of (int, int or None)
        Of each categorical column, how many there are, the unknown one not counted, and the
        dimensions of their vectors; None = they are read one-hot.
    """

    name = "embedding"
    is_embedding = True

    def __init__(self, n_numbers: int, categories: Sequence[tuple[int, int | None]]) -> None:
        self._n_numbers = n_numbers
        self._categories = tuple(categories)
        widths = [n if n_dimensions is None else n_dimensions for n, n_dimensions in categories]
        self._stops = np.cumsum([n_numbers, *widths]).tolist()
        self.n_outputs = self.numbers_per_step = self._stops[-1]
        self.needs_dx = any(n_dimensions is not None for _, n_dimensions in categories)

    @property
    def value_columns(self) -> Indices:
        """The columns of the numbers, and behind them those of the categories."""
        columns = [np.arange(self._n_numbers)]
        for j, (start, stop) in enumerate(pairwise(self._stops)):
            columns.append(np.full(stop - start, self._n_numbers + j))
        return np.concatenate(columns)

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {
            f"weights_{j}": (n + 1, n_dimensions)
            for j, (n, n_dimensions) in enumerate(self._categories)
            if n_dimensions is not None
        }

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw vectors of about unit length; the unknown category starts at zero."""
        for weights in p.values():
            bound = np.sqrt(3 / weights.shape[1])
            weights[...] = rng.uniform(-bound, bound, weights.shape)
            weights[0] = 0.0

    def forward(self, p: Arrays, x: Rows, run: Run) -> tuple[StackInputs, NDArray[np.integer]]:
        """Return the inputs (S, D), and the cache, the categories."""
        y = np.zeros((len(x.numbers), self.n_outputs), x.numbers.dtype)
        y[:, : self._n_numbers] = x.numbers
        for j, (_, n_dimensions) in enumerate(self._categories):
            codes, of_column = x.codes[:, j], y[:, self._stops[j] : self._stops[j + 1]]
            if n_dimensions is None:
                is_known = np.flatnonzero(codes)
                of_column[is_known, codes[is_known] - 1] = 1
            else:
                of_column[...] = p[f"weights_{j}"].take(codes, axis=0)
        return StackInputs(y, None), x.codes

    def backward(
        self,
        p: Arrays,
        dy: StackInputGradients,
        cache: NDArray[np.integer],
        g: Arrays,
        run: Run,
    ) -> Array | None:
        """Add up the gradients of the vectors by category; return those of all inputs (S, D)."""
        for j, (_, n_dimensions) in enumerate(self._categories):
            if n_dimensions is not None and run.need_g:
                assert dy.dx is not None
                d_weights = g[f"weights_{j}"]
                d_weights[...] = 0
                np.add.at(d_weights, cache[:, j], dy.dx[:, self._stops[j] : self._stops[j + 1]])
        return dy.dx


class SparseRows(Numbers):
    """Rows of a sparse matrix (S, D), which are read as they are.

    Their gradient is that of the numbers which the matrix holds.
    """

    def __init__(self, n_inputs: int) -> None:
        super().__init__(n_inputs)
        self.numbers_per_step = 1  # most of the matrix is not there
