"""The outputs of a network for any number of sequences of any length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._budget import chunks, chunks_of_pieces, predicts_on_threads, steps_of_a_piece
from skgru._data.forms import Opened
from skgru._data.parsing import Parsed
from skgru._data.steps import SequencePieces, Steps
from skgru._engine.model import Model
from skgru._engine.threads import on_threads
from skgru._nn.batch import ArenaPool, Array
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.pieces import encode_pieces, pool_pieces

Values = NDArray[Any]


class Outputs(NamedTuple):
    """Outputs of the network for X.

    Attributes
    ----------
    values : ndarray of shape (n, ...) or (total steps, ...)
    parsed : Parsed
        X as sequences.
    offsets : ndarray of shape (n + 1,)
        Where the steps of each sequence start, as the network reads them.
    per_step : bool
        Whether the values are those of all steps.
    """

    values: Values
    parsed: Parsed
    offsets: NDArray[np.intp]
    per_step: bool

    def shaped(self, values: Values) -> Values:
        """Return values for each sequence, or of all steps (total steps, ...) in their shape.

        That is (n, T, ...) where the sequences have the same number of steps, else an object array
        of n arrays.
        """
        if not self.per_step:
            return values
        lengths = np.diff(self.offsets)
        if len(lengths) and (lengths == lengths[0]).all():
            return values.reshape(len(lengths), lengths[0], *values.shape[1:])
        ragged = np.empty(len(lengths), object)
        ragged[:] = np.split(values, self.offsets[1:-1])
        return ragged


def predict(
    model: Model,
    opened: Mapping[str, Opened],
    n_jobs: int | None,
    *,
    part: str = "raw",
    then: Callable[[Array], Values] = np.asarray,
) -> Outputs:
    """Return outputs of a model.

    Parameters
    ----------
    model : Model
    opened : mapping of str to Opened
        The samples, by the names of the inputs.
    n_jobs : int or None
        Threads, where the samples are many and the network is wide.
    part, then
        See `run_network`.
    """
    parsed = {name: model.inputs[name].parse(part) for name, part in opened.items()}
    sequences = {name: part.sequences for name, part in parsed.items()}
    steps = model.steps_of(sequences, model.theta.dtype)
    network = model.network
    shares = predicts_on_threads(network.n_units_of_widest, steps.n_sequences)
    values = on_threads(
        n_jobs if shares else 1,
        partial(run_network, network, model.parameters, steps, part=part, then=then),
    )
    (first, *_) = parsed.values()
    return Outputs(values, first, steps.offsets, model.per_step or part == "steps")


def run_network(
    network: Network,
    parameters: Parameters,
    steps: Steps,
    map_: Callable[..., Any] = map,
    *,
    part: str = "raw",
    then: Callable[[Array], NDArray[Any]] = np.asarray,
) -> NDArray[Any]:
    """Return the outputs of the network for all sequences.

    They run in chunks of similar length, and long ones in pieces: memory stays bounded.

    Parameters
    ----------
    network : Network
    parameters : Parameters
    steps : Steps
    map_ : callable, default=map
        Runs the chunks, maybe on threads.
    part : {"raw", "pooled", "steps"}, default="raw"
        Which outputs: those of the head before the activation, its inputs, or the top layer's at
        every step.
    then : callable, default=np.asarray
        Given some rows of that part, returns an array with as many, which is returned in their
        place: so wide rows need not be held all at once.

    Returns
    -------
    ndarray of shape (n, K), (n, N) or (total steps, H)
        Without a pooling, "raw" and "pooled" have a row for each step too.
    """
    per_step = network.pooling is None or part == "steps"
    width = {
        "raw": network.n_outputs,
        "pooled": network.head.n_inputs,
        "steps": network.stack.n_outputs,
    }[part]
    n_rows = steps.offsets[-1] if per_step else steps.n_sequences
    # The head adds in double precision: in single, the last digits would depend on who else is in
    # the batch, and where classes or targets cancel out, those are what is left.
    dtype = np.float64 if part == "raw" else parameters.vector.dtype
    no_row = then(np.empty((0, width), dtype))
    result = np.empty((n_rows, *no_row.shape[1:]), no_row.dtype)
    arenas = ArenaPool()
    numbers_per_step = network.numbers_per_step_without_cache
    lengths = steps.lengths
    longest = max(int(lengths.max(initial=0)), 1)
    if network.bidirectional:  # it reads whole sequences only
        parts = chunks(lengths, numbers_per_step)
    else:
        parts = chunks_of_pieces(lengths)

    def run_part(indices: NDArray[np.intp]) -> None:
        n_steps = longest
        if not network.bidirectional:
            n_steps = steps_of_a_piece(len(indices), numbers_per_step)
        with arenas.lend() as arena:
            pieces = SequencePieces(steps, indices, n_steps, arena)
            if not per_step:
                pooled = pool_pieces(network, parameters, pieces)
                if part == "raw":
                    pooled, _ = network.read(parameters, pooled.astype(dtype))
                result[indices] = then(pooled)
                return
            for encoded in encode_pieces(network, parameters, pieces):
                y = encoded.outputs.y
                if part == "raw":
                    y, _ = network.read(parameters, y.astype(dtype))
                result[encoded.piece.rows] = then(y)

    for _ in map_(run_part, parts):
        pass
    return result
