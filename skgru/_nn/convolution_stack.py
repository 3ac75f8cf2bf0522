"""The layers of a branch that reads whole sequences by random convolutions.

Letters: S rows (all steps of all sequences), B sequences, D inputs, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skgru._nn.batch import Array
from skgru._nn.convolutions import RandomConvolutions
from skgru._nn.feedforward import RowStack
from skgru._nn.layers import Dense
from skgru._nn.parameters import Parameters
from skgru._nn.part import OutputGradients, Run, StackInputGradients
from skgru._nn.recurrent import StackOutputs
from skgru._spec import ConvolutionSpec


class Features(NamedTuple):
    """The features of the sequences that have a step, in place of these: they are not trained."""

    values: Array  # (B', F)


class ConvolutionStack:
    """Random convolutions, and the linear layer above them, in the place of a recurrent `Stack`.

    Parameters
    ----------
    n_inputs : int
        D.
    spec : ConvolutionSpec
    prefix : str
        The start of its parts' names.
    n_raw : int
        The raw outputs of the network, which are those of the linear layer.

    Attributes
    ----------
    kernels : RandomConvolutions
    kernels_name : str
        Under which their numbers are found.
    n_outputs : int
    """

    def __init__(self, n_inputs: int, spec: ConvolutionSpec, prefix: str, n_raw: int) -> None:
        self.kernels = RandomConvolutions(n_inputs, spec.dilations, spec.n_thresholds)
        self.kernels_name = f"{prefix}kernels"
        self._rows = RowStack(self.kernels.n_outputs, (), prefix, n_raw)
        self.n_outputs = n_raw

    @property
    def layers(self) -> dict[str, Dense]:
        """The linear layer by its name."""
        return self._rows.layers

    def numbers_per_step(self, *, need_cache: bool) -> int:
        """Return about how many numbers a pass holds for each step of a sequence.

        Convolutions are computed block by block.
        """
        return self.kernels.n_inputs

    def initial_states(self, n_sequences: int, dtype: np.dtype) -> list[Array]:
        """Return the states of the layers: they have none."""
        return []

    def forward(
        self, p: Parameters, x: Array | Features, run: Run
    ) -> tuple[StackOutputs, list[Any]]:
        """Return the result for the inputs x (S, D), or for features, and the caches."""
        cache = None
        if isinstance(x, Features):
            features = x.values
        else:
            features, cache = self.kernels.forward(p.section(self.kernels_name), x, run)
        n = run.batch.active[0] if run.batch.active else 0
        outputs, caches = self._rows.forward(p, features[:n], run)
        return outputs, [cache, *caches]

    def backward(
        self,
        p: Parameters,
        dy: OutputGradients,
        cache: Sequence[Any],
        g: Parameters,
        run: Run,
    ) -> StackInputGradients:
        """Return the gradient of x (S, D), if asked for."""
        of_kernels, *of_rows = cache
        assert dy.dy_last is not None
        n = run.batch.active[0] if run.batch.active else 0
        d_rows = self._rows.backward(p, OutputGradients(dy.dy_last[:n], None), of_rows, g, run).dx
        d_features = None
        if d_rows is not None:
            d_features = np.zeros((run.batch.n_sequences, d_rows.shape[1]), d_rows.dtype)
            d_features[:n] = d_rows
        sections = p.section(self.kernels_name), g.section(self.kernels_name)
        dx = self.kernels.backward(sections[0], d_features, of_kernels, sections[1], run)
        return StackInputGradients(dx, None)
