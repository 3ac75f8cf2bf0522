"""The gates of a recurrent layer, and what is left of states and values, along sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skgru._budget import chunks, chunks_of_pieces, steps_of_a_piece
from skgru._data.sequences import Sequences
from skgru._data.steps import StepsOfSamples
from skgru._engine.model import Model, naming
from skgru._engine.threads import on_threads
from skgru._nn.batch import Arena, Array, Indices
from skgru._nn.branch import Branch
from skgru._nn.pieces import Encoded, encode_pieces
from skgru._nn.recurrent import DIRECTIONS, Stack


class SequenceGates(NamedTuple):
    """The gates of a layer along one sequence.

    Attributes
    ----------
    gates : dict of ndarray of shape (n_steps, H)
        From 0, shut, to 1, open; by their names.
    decays : dict of ndarray
        ``"state"`` (n_steps, H) is the share of the state that was left before each step, and
        ``"input"`` (n_steps, n_features) the share of the value last seen that the lowest layer
        read, 1 where one was seen; as far as they decay.
    """

    gates: dict[str, Array]
    decays: dict[str, Array]


def gates_along(
    model: Model, sequences: Sequences, name: str, layer: int, direction: str
) -> list[SequenceGates]:
    """Return the gates of a layer along each sequence; those of a patch at each of its steps.

    Parameters
    ----------
    model : Model
    sequences : Sequences
        Of one branch, with a step at least.
    name : str
        That of the branch, which has a recurrent stack.
    layer : int
        From the bottom up.
    direction : str
        One of `DIRECTIONS` that the layer has.
    """
    with naming(name):
        steps = model.inputs[name].steps_of(sequences, model.theta.dtype)
        return on_threads(1, partial(_gates_along, model, sequences, steps, name, layer, direction))


def _gates_along(
    model: Model,
    sequences: Sequences,
    steps: StepsOfSamples,
    name: str,
    layer: int,
    direction: str,
    map_: Callable[..., Any],
) -> list[SequenceGates]:
    """Do what `gates_along` does, given the steps that the network reads."""
    branch = model.network.branches[name]
    which = DIRECTIONS.index(direction)
    found: dict[tuple[str, str], Array] = {}
    for encoded in _encoded(branch, model, steps):
        for key, array in _arrays_of(branch, encoded, layer, which):
            if key not in found:
                found[key] = np.empty((steps.offsets[-1], array.shape[1]), array.dtype)
            found[key][encoded.piece.rows] = array
    k = branch.patch_size
    result = []
    bounds = pairwise(steps.offsets.tolist())
    for (start, stop), n in zip(bounds, sequences.lengths.tolist(), strict=True):
        own = SequenceGates({}, {})
        for (field, kind), array in found.items():
            if (field, kind) == ("decays", "input"):  # each step of a patch has its own
                of_steps = array[start:stop].reshape(k * (stop - start), array.shape[1] // k)
                n_features = model.own_inputs[name].n_features
                of_steps = of_steps[:, :n_features]  # their scale may follow
            else:
                of_steps = np.repeat(array[start:stop], k, axis=0)
            # Patches are counted from the end.
            getattr(own, field)[kind] = of_steps[len(of_steps) - n :]
        result.append(own)
    return result


def _encoded(branch: Branch, model: Model, steps: StepsOfSamples) -> Iterator[Encoded]:
    """Run all sequences below the pooling, with a cache that holds until the next piece."""
    n_numbers = branch.numbers_per_step
    arena = Arena()
    whole: Iterable[Indices] = chunks(steps.lengths * n_numbers)
    for indices in whole if branch.bidirectional else chunks_of_pieces(steps.lengths):
        n = None if branch.bidirectional else steps_of_a_piece(len(indices), n_numbers)
        pieces = steps.pieces(indices, n, arena)
        yield from encode_pieces(branch, model.parameters, pieces, need_cache=True)


def _arrays_of(
    branch: Branch, encoded: Encoded, layer: int, which: int
) -> Iterator[tuple[tuple[str, str], Array]]:
    """Yield the arrays of a piece, with the field and the key that they will have."""
    assert isinstance(branch.stack, Stack)
    layer_gates = branch.stack.gates_of(encoded.cache.stack)[layer][which]
    for name, gate in layer_gates.gates.items():
        yield ("gates", name), gate
    if layer_gates.decay is not None:
        yield ("decays", "state"), layer_gates.decay
    share = branch.input.decay_of(encoded.cache.input)
    if share is not None and layer == 0:
        n_directions = 2 if branch.bidirectional else 1
        yield ("decays", "input"), np.split(share, n_directions, axis=1)[which]
