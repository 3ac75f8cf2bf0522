"""From sequences to time-major batches in the active-prefix layout."""

import numpy as np

from skgru._nn.batch import Arena, Batch

# Prediction goes through the data in chunks. Memory is bounded by numbers held per step.
_MAX_CHUNK_SEQUENCES = 256
_MAX_CHUNK_NUMBERS = 1 << 22

# Training cuts a batch into shards of at least so many numbers per step.
_SHARD_SIZE = 8192
_MIN_SHARD_UNITS = 128
_MAX_SHARDS = 4


def make_batch(sequences, indices, arena=None):
    """Gather some sequences into a batch.

    Parameters
    ----------
    sequences : Sequences
    indices : ndarray of shape (B,)
        Which sequences.
    arena : Arena, default=None
        Where the network's arrays will lie; those of an earlier batch are lost.

    Returns
    -------
    x : ndarray of shape (S, D), or (S,) for tokens
        Their steps in the layout of `batch`.
    batch : Batch
    order : ndarray of shape (B,)
        `indices`, in the order of the batch: longest first, ties as they came.
    """
    lengths = sequences.lengths_of(indices)
    by_length = np.argsort(-lengths, kind="stable")
    order = indices[by_length]
    batch = Batch(lengths[by_length], arena)
    rows = sequences.offsets[order][batch.sequence_of_row()] + batch.step_of_row()
    return sequences.values.take(rows, axis=0), batch, order


def chunks(lengths, numbers_per_step):
    """Yield index arrays that cover all sequences, those of similar length together.

    A chunk has at most 256 sequences, fewer where `numbers_per_step` times its steps would be
    more than a fixed budget of memory, and at least one.
    """
    max_steps = _MAX_CHUNK_NUMBERS // numbers_per_step
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        stop = start + max(1, min(_MAX_CHUNK_SEQUENCES, max_steps // longest))
        yield order[start:stop]
        start = stop


def shards(indices, lengths, n_units):
    """Cut a batch into parts that threads can work on, of about equal work.

    Their number depends on the sizes alone, never on the number of threads: so neither do sums
    over the shards. Below 128 units, or 64 sequences of 128, threads would wait for each other
    longer than they work.

    Parameters
    ----------
    indices : ndarray of shape (B,)
        Which sequences.
    lengths : ndarray of shape (B,)
        Their lengths.
    n_units : int
        Units of the widest layer.

    Returns
    -------
    list of ndarray
    """
    n_shards = min(_MAX_SHARDS, len(indices) * n_units // _SHARD_SIZE)
    if n_units < _MIN_SHARD_UNITS or n_shards < 2:
        return [indices]
    by_length = indices[np.argsort(-lengths, kind="stable")]
    return [by_length[i::n_shards] for i in range(n_shards)]


def run_network(network, parameters, sequences, prepare=None, map_=map):
    """Return the raw outputs (n, K) for all sequences, computed in chunks.

    Parameters
    ----------
    network : Network
    parameters : Parameters
    sequences : Sequences
    prepare : callable, default=None
        Makes the network's inputs of a chunk's values.
    map_ : callable, default=map
        Runs the chunks, maybe on threads; used where the network is wide enough to gain.
    """
    raw = np.empty((sequences.n_sequences, network.n_outputs), parameters.vector.dtype)
    arenas = []  # those not in use: there are as many as threads

    def run_chunk(indices):
        try:
            arena = arenas.pop()
        except IndexError:
            arena = Arena()
        x, batch, order = make_batch(sequences, indices, arena)
        x = prepare(x) if prepare else x
        raw[order], _ = network.forward(parameters, x, batch, need_cache=False)
        arenas.append(arena)

    if network.n_units_of_widest < _MIN_SHARD_UNITS:
        map_ = map
    for _ in map_(run_chunk, chunks(sequences.lengths, network.numbers_per_step_without_cache)):
        pass
    return raw
