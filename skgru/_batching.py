"""From sequences to time-major batches in the active-prefix layout."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skgru._nn.batch import ArenaPool, Batch, Piece
from skgru._nn.pieces import encode_pieces, pool_pieces
from skgru._sequences import Sequences, offsets_of

# Where all sequences are gone through, at most so many sequences and numbers are held at a time.
MAX_CHUNK_SEQUENCES = 256
_MAX_CHUNK_NUMBERS = 1 << 22
_MAX_PIECE_NUMBERS = 1 << 21
_NUMBERS_PER_VALUE = 16  # on the way to what is observed
MIN_PREDICTING_UNITS = 64  # in parts of so many units, threads gain

# Batches that share their sequences out by length.
_BATCHES_PER_WINDOW = 16

# Training cuts a batch into shards of at least so many numbers per step.
_SHARD_SIZE = 8192
MIN_SHARDED_UNITS = 128
_MAX_SHARDS = 4


class Gathered(NamedTuple):
    """Some steps of some sequences as a batch.

    Attributes
    ----------
    x : ndarray of shape (S, n columns), or (S,) or (S, n_joined) for tokens
        The network's inputs, in the layout of `batch`.
    batch : Batch
    order : ndarray of shape (B,)
        Which sequences, in the order of the batch: longest first, ties as they came.
    rows : ndarray of shape (S,)
        Where each step lies among all steps of all sequences.
    """

    x: np.ndarray
    batch: Batch
    order: np.ndarray
    rows: np.ndarray


class Steps:
    """The steps that a network reads: those of the sequences, or several of them joined to one.

    Joined steps are counted from the end; what is missing in front of the first one is padding.
    They are made batch by batch: nothing as large as the sequences is held beside them.

    Parameters
    ----------
    sequences : Sequences
    prepare : callable, default=None
        Makes the network's inputs of the values of some steps, which it may write over; None = they
        are the inputs.
    n_joined : int, default=1
    padding : ndarray of shape (n columns,), or number, default=0
    observe : callable, default=None
        Returns what is read in the place of the values, if other steps have a say in it; None = the
        values are read. ``observe(values, numbers, offsets, before)`` takes S successive steps of B
        sequences, one sequence after the other, each with at least one: their values, which it may
        write over, the number of each step in its sequence, where each sequence starts, (B + 1,),
        and what the call for the steps before has returned. It returns an array (S, n columns),
        and a tuple of arrays with a row for each sequence, for the steps that follow.
    n_appended : ndarray of shape (n,), default=None
        How many steps of padding follow each sequence; None = none.
    """

    def __init__(
        self, sequences, prepare=None, *, n_joined=1, padding=0, observe=None, n_appended=None
    ):
        self._sequences = sequences
        self._prepare = prepare
        self._n_joined = n_joined
        self._padding = padding
        self._observe = observe
        # Joints are counted from here.
        self._ends = sequences.offsets[1:]
        self.offsets = sequences.offsets
        if n_appended is not None:
            self._ends = self._ends + n_appended
        if n_joined > 1:
            self.offsets = offsets_of(-(-(self._ends - sequences.offsets[:-1]) // n_joined))

    # Told by the offsets alone, as of sequences.
    n_sequences = Sequences.n_sequences
    lengths = Sequences.lengths
    lengths_of = Sequences.lengths_of

    def with_joints_moved(self, rng):
        """Return the same steps joined elsewhere, at random for each sequence."""
        lengths = self._sequences.lengths
        drawn = rng.randint(self._n_joined, size=len(lengths))
        return Steps(
            self._sequences,
            self._prepare,
            n_joined=self._n_joined,
            padding=self._padding,
            observe=self._observe,
            n_appended=np.where(lengths > 0, drawn, 0),
        )

    def observed_once(self):
        """Return the same steps, which hold from now on what is observed of all sequences."""
        plain = Steps(self._sequences, observe=self._observe)
        read = None
        for indices in chunks(plain.lengths, _NUMBERS_PER_VALUE * self._sequences.values.shape[1]):
            x, _, _, rows = make_batch(plain, indices)
            if read is None:
                read = np.empty((len(self._sequences.values), x.shape[1]), x.dtype)
            read[rows] = x
        return Steps(
            Sequences(read, self._sequences.offsets),
            self._prepare,
            n_joined=self._n_joined,
            padding=self._padding,
        )

    def gather(self, indices, starts, lengths, arena=None, before=None):
        """Gather the steps ``starts[i]`` to ``starts[i] + lengths[i]`` of the sequences.

        Parameters
        ----------
        indices, starts, lengths : ndarray of shape (B,)
        arena : Arena, default=None
            Where the network's arrays will lie; those of an earlier batch are lost.
        before : tuple of ndarray, default=None
            What `observe` returned for the steps before, of these sequences.

        Returns
        -------
        Gathered
            `order` says which of the B sequences.
        after : tuple of ndarray or None
            What `observe` returned for the steps that follow.
        """
        order = np.argsort(-lengths, kind="stable")
        batch = Batch(lengths[order], arena)
        sequence, step = order[batch.sequence_of_row()], batch.step_of_row()
        rows = (self.offsets[indices] + starts)[sequence] + step
        k = self._n_joined
        values, offsets = self._sequences
        # The rows of the values that the steps begin and end with, and within which there are any.
        begin = self._ends[indices] - (self.lengths_of(indices) - starts) * k
        low, high = offsets[indices], offsets[indices + 1]
        after = None
        if self._observe:
            first = low
            low, high = np.maximum(low, begin), np.minimum(high, begin + lengths * k)
            window = offsets_of(high - low)
            taken = np.arange(window[-1]) + np.repeat(low - window[:-1], high - low)
            numbers = taken - np.repeat(first, high - low)
            values, after = self._observe(values[taken], numbers, np.unique(window), before)
            begin = begin - low + window[:-1]
            low, high = window[:-1], window[1:]
        taken = begin[sequence] + step * k
        if k == 1:
            x = batch.empty((len(taken), *values.shape[1:]), values.dtype)
            values.take(taken, axis=0, out=x, mode="clip")  # none is clipped; "raise" has a buffer
        else:
            taken = taken[:, None] + np.arange(k)
            is_padding = taken < low[sequence, None]
            is_padding |= taken >= high[sequence, None]
            dtype = np.result_type(values, self._padding)
            x = batch.empty((*taken.shape, *values.shape[1:]), dtype)
            x[...] = values.take(taken, axis=0, mode="clip")
            x[is_padding] = self._padding
            x = x.reshape(len(x), k * math.prod(values.shape[1:]))
        if self._prepare:
            x = self._prepare(x)
        return Gathered(x, batch, order, rows), after


def make_batch(steps, indices, arena=None):
    """Gather all steps of the sequences at `indices`.

    Parameters
    ----------
    steps : Steps
    indices : ndarray of shape (B,)
    arena : Arena, default=None
        Where the network's arrays will lie; those of an earlier batch are lost.

    Returns
    -------
    Gathered
    """
    lengths = steps.lengths_of(indices)
    gathered, _ = steps.gather(indices, np.zeros_like(lengths), lengths, arena)
    return gathered._replace(order=indices[gathered.order])


class SequencePieces:
    """Some sequences, cut into pieces of `n_steps`: the `Pieces` that `_nn.pieces` runs.

    Steps are counted from the end: the last piece of a sequence is whole, and its first one takes
    what is left. So the gradient of a last output always reaches back over `n_steps`.

    Parameters
    ----------
    steps : Steps
    indices : ndarray of shape (B,)
        Which sequences.
    n_steps : int
    arena : Arena
        Where the network's arrays will lie; those of an earlier piece are lost.
    """

    def __init__(self, steps, indices, n_steps, arena):
        self.lengths = steps.lengths_of(indices)
        self._steps = steps
        self._indices = indices
        self._n_steps = n_steps
        self._arena = arena
        self._before = [None]  # of each piece, what was observed before it, of all sequences

    def __len__(self):
        return -(-int(self.lengths.max(initial=0)) // self._n_steps)

    def __getitem__(self, i):
        n_left = (len(self) - 1 - i) * self._n_steps  # steps after this piece
        lengths = np.clip(self.lengths - n_left, 0, self._n_steps)
        positions = np.flatnonzero(lengths)
        lengths = lengths[positions]
        starts = self.lengths[positions] - n_left - lengths
        before = self._before[i]
        if before is not None:
            before = tuple(array[positions] for array in before)
        gathered, after = self._steps.gather(
            self._indices[positions], starts, lengths, self._arena, before
        )
        if i + 1 == len(self._before):
            self._before.append(after and tuple(self._of_all(array, positions) for array in after))
        x, batch, order, rows = gathered
        return x, Piece(batch, positions[order], n_left == 0, rows)

    def _of_all(self, array, positions):
        """Return an array with a row for each sequence, given those at some positions."""
        result = np.zeros((len(self.lengths), *array.shape[1:]), array.dtype)
        result[positions] = array
        return result


def batches_of_epoch(lengths, batch_size, rng, *, shuffle=True, group_by_length=False):
    """Yield the batches of an epoch, as index arrays.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
    batch_size : int
    rng : RandomState
    shuffle : bool, default=True
        If not, the batches hold the sequences as they come.
    group_by_length : bool, default=False
        Whether shuffled sequences are taken in windows of 16 batches: in a window, those of similar
        length share a batch, and the batches come in random order. So few steps are spent on a
        batch's longest sequences alone.
    """
    n = len(lengths)
    indices = rng.permutation(n) if shuffle else np.arange(n)
    if not (shuffle and group_by_length) or lengths.min() == lengths.max():
        yield from (indices[batch] for batch in gen_batches(n, batch_size))
        return
    for window in gen_batches(n, _BATCHES_PER_WINDOW * batch_size):
        by_length = indices[window]
        by_length = by_length[np.argsort(-lengths[by_length], kind="stable")]
        batches = [by_length[batch] for batch in gen_batches(len(by_length), batch_size)]
        for i in rng.permutation(len(batches)):
            yield batches[i]


def variance_explained_by_length(lengths, targets):
    """Return which share of the targets' variance lies between groups of similar length.

    It is Kelley's ε², the correlation ratio less what chance would give; about 0 if length tells
    nothing of the targets, 1 if it tells all.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
    targets : ndarray of shape (n, K), or (n,) for indices of classes
        A class counts as a target that is 1 or 0.

    Returns
    -------
    float
        1 if there are fewer than 16 sequences, too few to say.

    References
    ----------
    T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21(9), 1935.
    """
    n = len(lengths)
    n_groups = min(_BATCHES_PER_WINDOW, n // 8)
    if n_groups < 2:
        return 1.0
    groups = np.array_split(np.argsort(lengths, kind="stable"), n_groups)
    if targets.ndim == 1:
        shares = np.bincount(targets) / n
        total = n * (1 - shares @ shares)
        deviations = (
            np.bincount(targets[g], minlength=len(shares)) / len(g) - shares for g in groups
        )
    else:
        mean = targets.mean(axis=0)
        total = np.square(targets - mean).sum()
        deviations = ((targets[g] - mean).mean(axis=0) for g in groups)
    if total == 0:
        return 0.0
    between = sum(len(g) * np.square(d).sum() for g, d in zip(groups, deviations, strict=True))
    by_chance = (n_groups - 1) * (total - between) / (n - n_groups)
    return float((between - by_chance) / total)


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
        stop = start + max(1, min(MAX_CHUNK_SEQUENCES, max_steps // longest))
        yield order[start:stop]
        start = stop


def shards(indices, lengths, n_units):
    """Cut a batch into parts that threads can work on, of about equal work.

    Their number depends on the sizes alone, never on the number of threads: so neither do sums
    over the shards. Below 128 units, or 128 sequences of 128, threads would wait for each other
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
    if n_units < MIN_SHARDED_UNITS or n_shards < 2:
        return [indices]
    by_length = indices[np.argsort(-lengths, kind="stable")]
    return [by_length[i::n_shards] for i in range(n_shards)]


def run_network(network, parameters, steps, map_=map, *, part="raw", then=np.asarray):
    """Return what the network makes of all sequences.

    They run in chunks of similar length, and long ones in pieces: memory stays bounded.

    Parameters
    ----------
    network : Network
    parameters : Parameters
    steps : Steps
    map_ : callable, default=map
        Runs the chunks, maybe on threads.
    part : {"raw", "pooled", "steps"}, default="raw"
        What is returned: the outputs before the activation, what the head reads, or the top layer's
        outputs at every step.
    then : callable, default=np.asarray
        Given some rows of that part, returns an array with as many, which is returned in their
        place: so wide rows need not be held all at once.

    Returns
    -------
    ndarray of shape (n, K), (n, N) or (total steps, H)
        Without a pooling, "raw" and "pooled" have a row for each step too.
    """
    branch = network.only_branch
    per_step = network.reads_steps or part == "steps"
    width = {
        "raw": network.n_outputs,
        "pooled": network.head.n_inputs,
        "steps": branch.stack.n_outputs,
    }[part]
    n_rows = steps.offsets[-1] if per_step else steps.n_sequences
    # The head adds in double precision: in single, the last digits would depend on who else is in
    # the batch, and where classes or targets cancel out, those are what is left.
    dtype = np.float64 if part == "raw" else parameters.vector.dtype
    no_row = then(np.empty((0, width), dtype))
    result = np.empty((n_rows, *no_row.shape[1:]), no_row.dtype)
    arenas = ArenaPool()
    numbers_per_step = branch.numbers_per_step_without_cache
    lengths = steps.lengths
    longest = max(int(lengths.max(initial=0)), 1)
    if branch.bidirectional:  # it reads whole sequences only
        parts = chunks(lengths, numbers_per_step)
    else:
        by_length = np.argsort(-lengths, kind="stable")
        parts = [by_length[part] for part in gen_batches(len(by_length), MAX_CHUNK_SEQUENCES)]

    def run_part(indices):
        n_steps = longest
        if not branch.bidirectional:
            n_steps = max(_MAX_PIECE_NUMBERS // (len(indices) * numbers_per_step), 1)
        with arenas.lend() as arena:
            pieces = SequencePieces(steps, indices, n_steps, arena)
            if not per_step:
                pooled = pool_pieces(network, parameters, dict.fromkeys(network.branches, pieces))
                if part == "raw":
                    pooled, _ = network.read(parameters, pooled.astype(dtype))
                result[indices] = then(pooled)
                return
            for encoded in encode_pieces(branch, parameters, pieces):
                y = encoded.outputs.y
                if part == "raw":
                    y, _ = network.read(parameters, y.astype(dtype))
                result[encoded.piece.rows] = then(y)

    for _ in map_(run_part, parts):
        pass
    return result
