"""The outputs of a network for any number of sequences of any length."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial, reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._budget import chunks, chunks_of_pieces, predicts_on_threads, steps_of_a_piece
from skgru._data.forms import Opened
from skgru._data.parsing import Parsed
from skgru._data.steps import StepsOfSamples
from skgru._data.training_set import check_same_steps
from skgru._engine.model import Model, parse_inputs
from skgru._engine.opinion_pool import LinearOutputs
from skgru._engine.threads import on_threads
from skgru._nn.batch import ArenaPool, Array, Batch, Indices, Values
from skgru._nn.branch import Branch
from skgru._nn.chain import Chain
from skgru._nn.fusion import FusionInputs
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._nn.part import Arrays
from skgru._nn.pieces import encode_pieces, fusion_inputs

OfChain = Callable[[Chain, Arrays, Array, Batch], Array]
Seen = Callable[[Array, Any, Batch | None], None]


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
    is_rectangle : bool
        Whether the container of X gives all sequences the same number of steps.
    """

    values: Values
    parsed: Parsed
    offsets: NDArray[np.intp]
    per_step: bool
    is_rectangle: bool

    def shaped(self, values: Values) -> Values:
        """Return values for each sequence, or of all steps (total steps, ...) in their shape.

        That is (n, T, ...) of a rectangle without padding, else an object array of n arrays: lists
        of sequences have it always, as those of equal lengths are so by chance.
        """
        if not self.per_step:
            return values
        lengths = np.diff(self.offsets)
        if self.is_rectangle and len(lengths) and (lengths == lengths[0]).all():
            return values.reshape(len(lengths), lengths[0], *values.shape[1:])
        ragged = np.empty(len(lengths), object)
        for i, (start, stop) in enumerate(pairwise(self.offsets.tolist())):
            ragged[i] = values[start:stop]
        return ragged


def predict(
    model: Model,
    opened: Mapping[str, Opened],
    n_jobs: int | None,
    *,
    part: str = "raw",
    then: Callable[[Array], Values] = np.asarray,
    of_chain: OfChain | None = None,
) -> Outputs:
    """Return outputs of a model.

    Parameters
    ----------
    model : Model
    opened : mapping of str to Opened
        The samples, by the names of the inputs.
    n_jobs : int or None
        Threads, where the samples are many and the network is wide.
    part, then, of_chain
        See `run_network`.
    """
    parsed = parse_inputs(model.own_inputs, opened)
    return predict_parsed(model, opened, parsed, n_jobs, part=part, then=then, of_chain=of_chain)


def predict_parsed(
    model: Model,
    opened: Mapping[str, Opened],
    parsed: Mapping[str, Parsed],
    n_jobs: int | None,
    *,
    part: str = "raw",
    then: Callable[[Array], Values] = np.asarray,
    of_chain: OfChain | None = None,
) -> Outputs:
    """Return the same of samples that are sequences already.

    Parameters
    ----------
    model, opened, n_jobs, part, then, of_chain
        As in `predict`; the containers of what is opened are those of the outputs.
    parsed : mapping of str to Parsed
        The samples, by the names of the inputs.
    """
    check_same_steps(parsed, model.network.step_branches)
    sequences = {name: given.sequences for name, given in parsed.items()}
    steps = model.steps_of(sequences, model.theta.dtype)
    network = model.network
    name = network.step_branch or next(iter(steps))
    shares = predicts_on_threads(network.n_units_of_widest, steps[name].n_sequences)
    # Only raw outputs are made of what stands beside the branches, and beside the network.
    silent = () if part == "raw" else tuple(model.beside)
    linear = model.linear_outputs(sequences) if part == "raw" else None
    run = partial(
        run_network, part=part, then=then, of_chain=of_chain, silent=silent, linear=linear
    )
    values = on_threads(n_jobs if shares else 1, partial(run, network, model.parameters, steps))
    per_step = model.per_step or part == "steps"
    is_rectangle = per_step and opened[name].is_rectangle
    return Outputs(values, parsed[name], steps[name].offsets, per_step, is_rectangle)


def run_network(
    network: Network,
    parameters: Parameters,
    steps: Mapping[str, StepsOfSamples],
    map_: Callable[..., Any] = map,
    *,
    part: str = "raw",
    then: Callable[[Array], Values] = np.asarray,
    of_chain: OfChain | None = None,
    silent: Collection[str] = (),
    seen: Seen | None = None,
    linear: LinearOutputs | None = None,
) -> Values:
    """Return the outputs of the network for all samples.

    They run in chunks of similar length, and long ones in pieces: memory stays bounded.

    Parameters
    ----------
    network : Network
    parameters : Parameters
    steps : mapping of str to Steps
        Of the sequences of each branch.
    map_ : callable, default=map
        Runs the chunks, maybe on threads.
    part : {"raw", "pooled", "steps"}, default="raw"
        Which outputs: those of the head before the activation, those of the branches that the
        head reads and their weights, if they have any, or the top layer's at every step.
    then : callable, default=np.asarray
        Given some rows of that part, returns an array with as many, which is returned in their
        place: so wide rows need not be held all at once.
    of_chain : callable, default=None
        Where the network has a chain, the method of it whose result takes the place of the raw
        outputs, which are held for all samples; None = the raw outputs themselves.
    silent : collection of str, default=()
        Branches that are not run: their outputs are zeros.
    seen : callable, default=None
        Called with the raw outputs of some rows, the rows, and None; with `of_chain` with those of
        whole sequences, and their batch. So what is computed once serves `then` and this.
    linear : LinearOutputs, default=None
        What is joined to the raw outputs of the samples.

    Returns
    -------
    ndarray of shape (n, K), (n, N) or (total steps, H)
        Without a pooling, "raw" and "pooled" have a row for each step too.
    """
    if network.chain and network.step_branch is not None and of_chain:
        raw = run_network(network, parameters, steps, map_, silent=silent)
        section = parameters.section("chain")
        for batch, rows in _whole_sequences(steps[network.step_branch].offsets, network.chain):
            if seen:
                seen(raw[rows], rows, batch)
            raw[rows] = of_chain(network.chain, section, raw[rows], batch)
        return then(raw)
    per_step = network.reads_steps or part == "steps"
    step_branch = network.step_branch or next(iter(steps))
    own = steps[step_branch]
    width = {"raw": network.n_outputs, "pooled": network.fusion.n_joined}.get(part)
    if width is None:
        width = network.branches[step_branch].stack.n_outputs
    n_rows = own.offsets[-1] if per_step else own.n_sequences
    # The head adds in double precision: in single, the last digits would depend on who else is in
    # the batch, and where classes or targets cancel out, those alone are left.
    dtype = np.dtype(np.float64) if part == "raw" else parameters.vector.dtype
    no_row = then(np.empty((0, width), dtype))
    result = np.empty((n_rows, *no_row.shape[1:]), no_row.dtype)
    pool = ArenaPool(steps)

    def above(inputs: FusionInputs, rows: Any) -> Values:
        if part == "pooled":
            return then(network.fusion.join(parameters, inputs))
        outputs = [y.astype(dtype) for y in inputs.outputs]
        raw, _ = network.fusion.forward(parameters, FusionInputs(outputs, inputs.present))
        if linear:
            raw = linear.join(raw, rows)
        if seen:
            seen(raw, rows, None)
        return then(raw)

    def run_chunk(indices: Indices) -> None:
        with pool.lend() as arenas:
            pieces = {
                name: of_branch.pieces(
                    indices, _steps_at_once(network, name, of_branch, indices), arenas[name]
                )
                for name, of_branch in steps.items()
            }
            if part == "steps":
                branch = network.branches[step_branch]
                for encoded in encode_pieces(branch, parameters, pieces[step_branch]):
                    result[encoded.piece.rows] = then(encoded.outputs.y)
                return
            for piece, inputs in fusion_inputs(network, parameters, pieces, silent):
                rows = indices if piece is None else piece.rows
                result[rows] = above(inputs, rows)

    for _ in map_(run_chunk, _chunks(network, steps)):
        pass
    return result


def _whole_sequences(offsets: Indices, chain: Chain) -> Iterator[tuple[Batch, Indices]]:
    """Yield batches that cover all sequences, and the rows of their steps among all steps.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,)
        Where the steps of each sequence start.
    chain : Chain
        What will read them: it says how many numbers it holds.
    """
    lengths = np.diff(offsets)
    for indices in chunks(chain.numbers_held(lengths)):
        batch = Batch(lengths[indices])
        yield batch, offsets[indices][batch.sequence_of_row()] + batch.step_of_row()


def _chunks(network: Network, steps: Mapping[str, StepsOfSamples]) -> Iterator[Indices]:
    """Return the samples that are held at a time: fewer where sequences are read as a whole."""
    whole = [
        of_branch.lengths * network.branches[name].numbers_per_step_without_cache
        for name, of_branch in steps.items()
        if _is_read_whole(network, name)
    ]
    if whole:
        return chunks(reduce(np.add, whole))
    return chunks_of_pieces(reduce(np.add, [of_branch.lengths for of_branch in steps.values()]))


def _cut_alike(network: Network, name: str) -> list[Branch]:
    """Return the branches whose sequences are cut as those of a branch: it, and those beside it."""
    names = network.step_branches if name in network.step_branches else (name,)
    return [network.branches[other] for other in names]


def _is_read_whole(network: Network, name: str) -> bool:
    """Whether the sequences of a branch come in one piece: from their ends none can be cut."""
    return any(branch.bidirectional for branch in _cut_alike(network, name))


def _steps_at_once(network: Network, name: str, steps: StepsOfSamples, indices: Indices) -> int:
    """Return how many steps of the sequences at `indices` a branch reads at once."""
    if _is_read_whole(network, name):
        return max(int(steps.lengths_of(indices).max(initial=0)), 1)
    numbers = [branch.numbers_per_step_without_cache for branch in _cut_alike(network, name)]
    return steps_of_a_piece(len(indices), sum(numbers))
