"""Missing values: how inputs and states decay while a feature has not been seen (GRU-D).

Z. Che et al., "Recurrent neural networks for multivariate time series with missing values",
Scientific Reports 8, 2018 (arXiv 1606.01865). Letters: S rows (all steps of all sequences),
D features, H units; ``m`` the mask, 1 where a feature was seen; ``δ`` the time since each feature
was last seen before the step; ``γ`` the share that is left after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skgru._nn.batch import Array, Indices
from skgru._nn.part import (
    Arrays,
    InputPart,
    LayerRun,
    Part,
    Run,
    Shapes,
    StackInputGradients,
    StackInputs,
)


class StateDecay(Part[LayerRun]):
    """The share of each unit's state that is left before a step: γ = exp(−max(0, W·δ + b)), (S, H).

    Parameters
    ----------
    n_features : int
        D, of how many features the times since they were seen count.
    n_units : int
    """

    def __init__(self, n_features: int, n_units: int) -> None:
        self.n_features = n_features
        self.n_units = n_units

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        return {
            "decay_weights": (self.n_features, self.n_units),
            "decay_bias": (self.n_units,),
        }

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Draw weights around zero: at first one half of the units decays, the other does not."""
        bound = 1 / self.n_features
        p["decay_weights"][...] = rng.uniform(-bound, bound, p["decay_weights"].shape)
        p["decay_bias"][...] = 0.0

    def forward(self, p: Arrays, x: Array, run: LayerRun) -> tuple[Array, tuple[Array, Array]]:
        """Return γ (S, H) for δ (S, D), and the cache."""
        gaps = x
        decay = run.batch.empty((len(gaps), self.n_units), gaps.dtype)
        np.matmul(gaps, p["decay_weights"], out=decay)
        decay += p["decay_bias"]
        _exp_of_minus(decay)
        return decay, (gaps, decay)

    def backward(
        self, p: Arrays, dy: Array, cache: tuple[Array, Array], g: Arrays, run: LayerRun
    ) -> Array | None:
        """Return the gradient of δ (S, D), if needed; write those of the parameters to g."""
        gaps, decay = cache
        da = _exp_of_minus_backward(dy, decay)
        if run.need_g:
            g["decay_weights"][...] = gaps.T @ da
            g["decay_bias"][...] = da.sum(axis=0)
        if not run.need_d_gaps:
            return None
        d_gaps: Array = da @ p["decay_weights"].T
        return d_gaps


class ObservedInputs(InputPart):
    """The inputs of the recurrence, made of features of which some were not seen.

    Its own inputs are columns, side by side: m; the value of each feature last seen, at the step or
    before, in units in which the training mean is 0 (as is a feature never seen so far); and δ. For
    two directions there are values and δ of each; those of the reverse one are counted from the
    other end. A missing value decays from the one last seen towards the training mean, with
    weights w for each feature::

        γ = exp(−max(0, w ⊙ δ + b))
        x̂ = m ⊙ x + (1 − m) ⊙ γ ⊙ x_last

    Each direction reads x̂ and m. The inputs of a patch's steps lie
    side by side, and the steps' features count as features of their own.

    Parameters
    ----------
    n_features : int
        Of a step.
    patch_size : int
        How many steps make a patch.
    n_directions : {1, 2}
    reads_mask : bool
        If not, the values are read as they are, and m is not: nothing was missing in training.
    """

    def __init__(
        self, n_features: int, *, patch_size: int, n_directions: int, reads_mask: bool
    ) -> None:
        self.n_features = n_features * patch_size
        self.n_columns = (1 + 2 * n_directions) * self.n_features
        self.n_outputs = (2 if reads_mask else 1) * self.n_features  # of each direction
        self.n_gaps = self.n_features
        self.needs_dx = reads_mask
        self.numbers_per_step = 3 * self.n_columns  # its own, and those made of them on the way
        self.n_directions = n_directions
        self.reads_mask = reads_mask
        self._by_step = patch_size, 1 + 2 * n_directions, n_features
        self._by_group = 1 + 2 * n_directions, patch_size, n_features

    @property
    def value_columns(self) -> Indices:
        """Those of the values last seen, of each direction; the mask is none."""
        F, n = self.n_features, self.n_directions
        values = _swap(np.arange(self.n_columns)[None], self._by_step)[0, F : F + n * F]
        if not self.reads_mask:
            return values
        columns = np.full((n, 2, F), -1)
        columns[:, 0] = values.reshape(n, F)
        return columns.ravel()

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes: the directions one after the other."""
        if not self.reads_mask:
            return {}
        shape = (self.n_directions * self.n_features,)
        return {"decay_weights": shape, "decay_bias": shape}

    def initialize(self, p: Arrays, rng: RandomState) -> None:
        """Start with half of the value left after 1.4 times the mean δ."""
        p["decay_weights"][...] = 0.5
        p["decay_bias"][...] = 0.0

    def forward(self, p: Arrays, x: Array, run: Run) -> tuple[StackInputs, Any]:
        """Return the directions' inputs, side by side, with their δ (S, n · D); and the cache."""
        S, F, n = len(x), self.n_features, self.n_directions
        x = _swap(x, self._by_step)
        m, values, gaps = x[:, :F], x[:, F : F + n * F], x[:, F + n * F :]
        if not self.reads_mask:
            return StackInputs(values, gaps), None
        m = np.tile(m, n)
        decay = gaps * p["decay_weights"]
        decay += p["decay_bias"]
        _exp_of_minus(decay)
        share = decay * (1 - m)
        share += m
        y = np.empty((S, n, 2, F), x.dtype)
        y[:, :, 0] = (share * values).reshape(S, n, F)
        y[:, :, 1] = m.reshape(S, n, F)
        read = StackInputs(y.reshape(S, 2 * n * F), gaps)
        return read, (m, values, gaps, decay, share)

    def backward(
        self, p: Arrays, dy: StackInputGradients, cache: Any, g: Arrays, run: Run
    ) -> Array | None:
        """Return the gradient of its inputs, if needed; write those of the parameters to g.

        The gradient of δ is read for that of the inputs only.
        """
        d_values, d_gaps = dy
        if d_values is None:
            return None
        S, F, n = len(d_values), self.n_features, self.n_directions
        if self.reads_mask:
            m, values, gaps, decay, share = cache
            d_read = d_values.reshape(S, n, 2, F)
            dx = d_read[:, :, 0].reshape(S, n * F)
            d_share = dx * values
            da = _exp_of_minus_backward(d_share * (1 - m), decay)
            if run.need_g:
                g["decay_weights"][...] = (da * gaps).sum(axis=0)
                g["decay_bias"][...] = da.sum(axis=0)
        if not run.need_dx:
            return None
        assert d_gaps is not None
        d_mask = np.zeros((S, F), d_values.dtype)
        if self.reads_mask:
            d_mask = ((d_share * (1 - decay)).reshape(S, n, F) + d_read[:, :, 1]).sum(axis=1)
            d_values = dx * share
            d_gaps = d_gaps + da * p["decay_weights"]
        return _swap(np.hstack([d_mask, d_values, d_gaps]), self._by_group)

    def decay_of(self, cache: Any) -> Array | None:
        """See `InputPart.decay_of`: of the steps of a patch, one after the other."""
        share: Array | None = None if cache is None else cache[-1]
        return share


def _exp_of_minus(a: Array) -> None:
    """Replace a by exp(−max(0, a))."""
    np.maximum(a, 0, out=a)
    np.negative(a, out=a)
    np.exp(a, out=a)


def _exp_of_minus_backward(d: Array, result: Array) -> Array:
    """Return the gradient of a, given that of exp(−max(0, a)) and the result."""
    da: Array = d * result
    np.negative(da, out=da)
    np.copyto(da, 0, where=result == 1)  # where a ≤ 0
    return da


def _swap(x: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    """Exchange the first two of the three axes that lie in the columns of x."""
    return x.reshape(len(x), *shape).transpose(0, 2, 1, 3).reshape(x.shape)
