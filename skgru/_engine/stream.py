"""A network along sequences whose steps come one at a time, with all that is known carried.

A patch is counted from the end of a sequence, and each step is an end. So with patches of k steps
there are k networks at work on a sequence, each begun a step after the other: a step ends a patch
of one of them, which has the state after the patch before.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._data.inputs import StepReader
from skgru._engine.model import Model
from skgru._nn.batch import Array, Batch, Indices, Piece
from skgru._nn.fusion import FusionInputs
from skgru._nn.part import Run


class Stepper:
    """The fitted network along n sequences.

    Parameters
    ----------
    model : Model
        Of one branch, which reads onward.
    n_sequences : int
    """

    def __init__(self, model: Model, n_sequences: int) -> None:
        ((self._name, reader),) = model.own_inputs.items()
        assert isinstance(reader, StepReader)
        self._reader = reader
        self._network, self._p = model.network, model.parameters
        self._branch = model.network.branches[self._name]
        self._n = n_sequences
        self._dtype = model.theta.dtype
        self._k = self._branch.patch_size
        self._batches: dict[int, Batch] = {}
        self._empty = self._nothing(n_sequences)
        self.state = self._nothing(n_sequences)

    def _nothing(self, n: int) -> dict[str, Any]:
        """Return the state of n sequences without a step.

        Of arrays with n · k rows, row i · k + j is that of the j-th network along sequence i.
        """
        branch, k = self._branch, self._k
        states = branch.stack.initial_states(n * k, self._dtype)
        account = {}
        if branch.pooling:
            account = branch.pooling.open(np.zeros(n * k, np.intp), self._dtype)
        return {
            "n_steps": np.zeros(n, np.intp),
            "carried": self._reader.nothing_carried(n),
            "rows": self._reader.padding_rows(n, k, self._dtype),
            "states": states,
            "account": account,
        }

    def reset(self, sequences: Indices) -> None:
        """Let sequences begin anew."""
        k = self._k
        of_networks = (sequences[:, None] * k + np.arange(k)).ravel()
        begun, new = self.state, self._empty
        for name in ("n_steps", "rows"):
            begun[name][sequences] = new[name][sequences]
        for array, empty in zip(begun["carried"], new["carried"], strict=True):
            array[sequences] = empty[sequences]
        for array, empty in zip(begun["states"], new["states"], strict=True):
            array[of_networks] = empty[of_networks]
        _copy_rows(begun["account"], new["account"], of_networks)

    def copied(self) -> dict[str, Any]:
        """Return a copy of the state: plain arrays."""
        return deepcopy(self.state)

    def step(self, values: NDArray[Any], sequences: Indices) -> Array:
        """Read a step of some sequences, each once; return the raw outputs there, (m, K).

        Parameters
        ----------
        values : ndarray of shape (m, D), or (m,) for tokens
        sequences : ndarray of shape (m,)
        """
        state, k = self.state, self._k
        numbers = state["n_steps"][sequences]
        before = tuple(array[sequences] for array in state["carried"])
        rows, after = self._reader.rows_of_step(values, numbers, before, self._dtype)
        for array, new in zip(state["carried"], after, strict=True):
            array[sequences] = new
        x = rows
        if k > 1:
            last = state["rows"]
            last[sequences, :-1] = last[sequences, 1:]
            last[sequences, -1] = rows
            x = last[sequences].reshape(len(rows), *self._patch_shape(rows))
        at = sequences * k + numbers % k
        initial = [layer[at] for layer in state["states"]]
        batch = self._batch(len(sequences))
        run = Run(batch, states=initial, need_cache=False)
        (outputs, finals), _ = self._branch.forward(self._p, x, run)
        for layer, final in zip(state["states"], finals, strict=True):
            layer[at] = final
        state["n_steps"][sequences] += 1
        if self._branch.pooling is None:
            return self._above(outputs.y, np.ones((len(sequences), 1), bool))
        pooling, section = self._branch.pooling, self._branch.pooling_section(self._p)
        pooling.lengthen(state["account"], at, numbers // k + 1)
        pooling.read(section, state["account"], outputs, Piece(batch, at, True))
        return self.raw(sequences)

    def raw(self, sequences: Indices) -> Array:
        """Return the raw outputs of sequences as far as they have come, (m, K)."""
        pooling, k = self._branch.pooling, self._k
        assert pooling is not None
        n_steps = self.state["n_steps"][sequences]
        at = sequences * k + np.maximum(n_steps - 1, 0) % k
        pooled = pooling.result(_rows_of(self.state["account"], at))
        return self._above(pooled, (n_steps > 0)[:, None])

    def _above(self, outputs: Array, present: NDArray[np.bool_]) -> Array:
        """Return the raw outputs of outputs of the branch, in double precision as in `predict`."""
        inputs = FusionInputs([outputs.astype(np.float64)], present)
        raw, _ = self._network.fusion.forward(self._p, inputs)
        return raw

    def _batch(self, n: int) -> Batch:
        """Return the layout of one step of n sequences."""
        if n not in self._batches:
            self._batches[n] = Batch(np.ones(n, np.intp))
        return self._batches[n]

    def _patch_shape(self, rows: NDArray[Any]) -> tuple[int, ...]:
        return (self._k,) if rows.ndim == 1 else (self._k * rows.shape[1],)


def _rows_of(account: dict[str, Any], rows: Indices) -> dict[str, Any]:
    """Return the rows of an account, and of those that it holds."""
    return {
        name: _rows_of(part, rows) if isinstance(part, dict) else part[rows]
        for name, part in account.items()
    }


def _copy_rows(account: dict[str, Any], other: dict[str, Any], rows: Indices) -> None:
    """Copy rows of another account into an account."""
    for name, part in account.items():
        if isinstance(part, dict):
            _copy_rows(part, other[name], rows)
        else:
            part[rows] = other[name][rows]
