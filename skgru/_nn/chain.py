"""A linear-chain conditional random field above the raw outputs of the steps.

The raw outputs of a step score its tags; learned numbers score the transitions between the tags of
successive steps, and the first and the last tag (Lafferty et al. 2001, "Conditional random fields:
probabilistic models for segmenting and labeling sequence data"; above a recurrent network: Huang et
al. 2015, "Bidirectional LSTM-CRF models for sequence tagging"). The probability of a path, a tag
for each step of a sequence, is the exponential of its score, divided by the sum of those of all
paths.

All sums are taken in double precision, and of logarithms: of sequences of any length, and for
scores of any size, nothing overflows.

Letters: S rows (all steps of all sequences), B sequences, K tags.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._nn.batch import Array, Batch, Indices
from skgru._nn.part import Arrays, Part, Shapes

# A transition counts as at most so much below the one with the highest score: the exponential of
# it is still a number.
LARGEST_RANGE = 600.0
# The score of what is forbidden: no gradient moves it.
_NEVER = -1e4


class ChainInputs(NamedTuple):
    """The inputs of the chain.

    Attributes
    ----------
    raw : ndarray of shape (S, K)
        The raw outputs.
    tags : ndarray of int of shape (S,)
        The tag of each step.
    weights : ndarray of shape (S,)
        The weight of each step's sequence; 0 = the step has no tag, and may have any.
    """

    raw: Array
    tags: NDArray[Any]
    weights: Array


class Scores(NamedTuple):
    """The learned numbers of a chain, as `_sum_paths` takes them.

    Attributes
    ----------
    transitions : ndarray of shape (K, K)
        The exponentials of the scores from one tag (row) to the next (column), the largest 1.
    start, end : ndarray of shape (K,)
    largest : float
        The largest score of a transition.
    """

    transitions: Array
    start: Array
    end: Array
    largest: float

    @classmethod
    def of(cls, transitions: Array, start: Array, end: Array) -> Scores:
        """Return the scores, in double precision."""
        largest = float(transitions.max())
        below = np.maximum(transitions.astype(np.float64) - largest, -LARGEST_RANGE)
        return cls(np.exp(below), start.astype(np.float64), end.astype(np.float64), largest)


class Sums(NamedTuple):
    """The sums over all paths up to each step, of C chains side by side.

    Attributes
    ----------
    log : ndarray of shape (S, C, K)
        Logarithms of the shares of the tags, in the sum over the paths that end there; the largest
        is 0.
    shares : ndarray of shape (S, C, K)
        Their exponentials.
    carried : ndarray of shape (S, C, K)
        The sums over the tags before; of the first steps not set.
    ends : ndarray of shape (N, C, K)
        The shares of the last tags, for the N sequences that have a step; they add up to 1.
    """

    log: Array
    shares: Array
    carried: Array
    ends: Array


class ChainCache(NamedTuple):
    """The cache of `Chain`'s forward pass, for `backward`."""

    scores: Scores
    sums: Sums
    weights: Array  # (B,)
    dtype: np.dtype


class Chain(Part[Batch]):
    """Tags that are decided together: −log p of a sequence's tags, times its weight.

    Where the tag of a step is not known, p is the probability of all paths that hold the others.

    Parameters
    ----------
    n_tags : int
        K.
    """

    def __init__(self, n_tags: int) -> None:
        self.n_tags = n_tags

    def numbers_held(self, lengths: Indices) -> Indices:
        """Return about how many numbers are held for sequences of these lengths, in decoding."""
        held: Indices = lengths * (8 * self.n_tags) + 2 * self.n_tags**2
        return held

    def shapes(self) -> Shapes:
        """Return the parameters' names and shapes."""
        K = self.n_tags
        return {"transitions": (K, K), "start": (K,), "end": (K,)}

    def permit(
        self,
        p: Arrays,
        tags: NDArray[Any],
        known: NDArray[np.bool_],
        offsets: Indices,
        *,
        anew: bool,
    ) -> None:
        """Permit the transitions, first and last tags that some sequences have.

        Where steps have no tag, and no path of these leads through their sequence, it may have any.

        Parameters
        ----------
        p : dict of ndarray
            What was forbidden and is permitted now scores 0 from now on.
        tags : ndarray of int of shape (S,)
            Of all steps, one sequence after the other.
        known : ndarray of bool of shape (S,)
            Which steps have a tag; that of the others may be any.
        offsets : ndarray of shape (n + 1,)
            Where the steps of each sequence start.
        anew : bool
            Whether to forbid all else.
        """
        codes = np.where(known, tags, self.n_tags)
        found = _found(codes, offsets, self.n_tags)
        permitted = {name: shown[(slice(-1),) * shown.ndim] for name, shown in found.items()}
        if not anew:
            permitted = {name: shown | (p[name] > _NEVER / 2) for name, shown in permitted.items()}
        stuck = _without_path(permitted, codes, offsets, self.n_tags)
        if len(stuck):
            # Their tags are not known where no path of what others have shown leads: any may be.
            lengths = np.diff(offsets)[stuck]
            rows = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in stuck])
            own = _found(codes[rows], np.cumsum([0, *lengths]), self.n_tags)
            permitted = {name: shown | _of_any(own[name]) for name, shown in permitted.items()}
        for name, may_be in permitted.items():
            if anew:
                p[name][~may_be] = _NEVER
            else:
                p[name][may_be & (p[name] <= _NEVER / 2)] = 0

    def forward(self, p: Arrays, x: ChainInputs, run: Batch) -> tuple[Array, ChainCache]:
        """Return the loss of each sequence (B,), 0 for one without a step; and the cache."""
        scores = Scores.of(**p)
        # Two chains side by side: of all paths, and of those that hold the known tags.
        raw = np.repeat(x.raw[:, None].astype(np.float64), 2, axis=1)
        others = x.tags[:, None] != np.arange(self.n_tags)
        raw[:, 1][others & (x.weights > 0)[:, None]] = -np.inf
        total, sums = _sum_paths(scores, raw, run)
        weights = _largest_over_steps(x.weights, run)
        losses = weights * (total[:, 0] - total[:, 1])
        return losses, ChainCache(scores, sums, weights, x.raw.dtype)

    def backward(self, p: Arrays, dy: Array, cache: ChainCache, g: Arrays, run: Batch) -> Array:
        """Return the gradient of the raw outputs (S, K); write those of the parameters to g."""
        scores, sums, weights, dtype = cache
        shares, ratios = sums.shares, np.empty_like(sums.carried)
        d = np.empty_like(shares)  # the probability of each tag, times the derivative of the sum
        n_first = len(sums.ends)
        d_total = dy[:n_first] * weights[:n_first]
        d_ends = sums.ends * (d_total[:, None, None] * [[1.0], [-1.0]])
        backwards = np.ascontiguousarray(scores.transitions.T)
        n_next, following = 0, None
        for n, start in zip(run.active[::-1], run.starts[-2::-1], strict=True):
            rows = slice(start, start + n)
            d_rows = d[rows]
            d_rows[n_next:] = d_ends[n_next:n]
            if following is not None:
                onward = _times(following, backwards)
                np.multiply(onward, shares[rows][:n_next], out=d_rows[:n_next])
            n_next = n
            if start:
                following = ratios[rows]
                np.divide(d_rows, sums.carried[rows], out=following)
        K = self.n_tags
        before = shares[_previous_rows(run)].reshape(-1, K)
        g["transitions"][...] = scores.transitions * (before.T @ ratios[n_first:].reshape(-1, K))
        g["start"][...] = d[:n_first].sum(axis=(0, 1))
        g["end"][...] = d_ends.sum(axis=(0, 1))
        d_raw: Array = d.sum(axis=1).astype(dtype)
        return d_raw

    def log_marginals(self, p: Arrays, raw: Array, batch: Batch) -> Array:
        """Return the logarithms of each step's probabilities of tags, up to a constant, (S, K)."""
        raw = raw[:, None].astype(np.float64)
        transitions, start, end = p["transitions"], p["start"], p["end"]
        log = _sum_paths(Scores.of(transitions, start, end), raw, batch)[1].log
        log -= raw
        # From the other end: the sums over all paths from each step on.
        rows = batch.reversed_rows()
        backwards = Scores.of(transitions.T, end, start)
        log += _sum_paths(backwards, raw[rows], batch)[1].log[rows]
        return log[:, 0]

    def best_paths(self, p: Arrays, raw: Array, batch: Batch) -> Array:
        """Return 1 for the tags of each sequence's likeliest path and 0 for all others, (S, K).

        The path is that of Viterbi (1967, "Error bounds for convolutional codes and an
        asymptotically optimum decoding algorithm"); NaN where not all scores are finite.
        """
        transitions = p["transitions"].astype(np.float64)
        best = raw.astype(np.float64)  # the score of the best path to each tag
        starts, active = batch.starts, batch.active
        best[: starts[min(1, batch.n_steps)]] += p["start"]
        for t in range(1, batch.n_steps):
            before = best[starts[t - 1] : starts[t - 1] + active[t]]
            best[starts[t] : starts[t + 1]] += (before[:, :, None] + transitions).max(axis=1)
        best[batch.last_steps()] += p["end"]
        # Back from the best last tags, to the tag before from which the best path came.
        tags = best.argmax(axis=1)
        for t in range(batch.n_steps - 2, -1, -1):
            rows = slice(starts[t], starts[t] + active[t + 1])
            following = tags[starts[t + 1] : starts[t + 2]]
            tags[rows] = (best[rows] + transitions[:, following].T).argmax(axis=1)
        result = np.zeros((len(raw), self.n_tags))
        result[np.arange(len(raw)), tags] = 1
        result[~np.isfinite(raw).all(axis=1)] = np.nan
        return result


def _found(codes: Indices, offsets: Indices, n_tags: int) -> dict[str, NDArray[np.bool_]]:
    """Return which transitions, first and last tags occur; `n_tags` is a tag that is not known.

    They are of shape (K + 1, K + 1), (K + 1,) and (K + 1,).
    """
    n = n_tags + 1
    has_steps = offsets[1:] > offsets[:-1]
    first, last = offsets[:-1][has_steps], offsets[1:][has_steps] - 1
    before = np.delete(np.arange(len(codes)), last)
    pairs = np.bincount(codes[before] * n + codes[before + 1], minlength=n**2)
    return {
        "transitions": pairs.reshape(n, n) > 0,
        "start": np.bincount(codes[first], minlength=n) > 0,
        "end": np.bincount(codes[last], minlength=n) > 0,
    }


def _of_any(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which occur, if a tag that is not known may be any, without the row of that one."""
    if found.ndim > 1:
        found = found[:-1] | found[-1]
    return found[..., :-1] | found[..., -1:]


def _without_path(
    permitted: dict[str, NDArray[np.bool_]], codes: Indices, offsets: Indices, n_tags: int
) -> Indices:
    """Return the sequences that no path of permitted transitions leads through."""
    misses = np.concatenate([[0], np.cumsum(codes == n_tags)])
    incomplete = np.flatnonzero(misses[offsets[1:]] > misses[offsets[:-1]])
    lengths = np.diff(offsets)[incomplete]
    by_length = np.argsort(-lengths, kind="stable")
    incomplete, batch = incomplete[by_length], Batch(lengths[by_length])
    if not len(incomplete):
        return incomplete
    rows = offsets[incomplete][batch.sequence_of_row()] + batch.step_of_row()
    may_be = (codes[rows] == n_tags)[:, None] | (codes[rows][:, None] == np.arange(n_tags))
    transitions = permitted["transitions"].astype(np.float32)
    reached = may_be[: batch.active[0]] & permitted["start"]
    for t in range(1, batch.n_steps):
        n = batch.active[t]
        onward = reached[:n].astype(np.float32) @ transitions > 0
        reached[:n] = onward & may_be[batch.starts[t] : batch.starts[t + 1]]
    stuck: Indices = incomplete[~(reached & permitted["end"]).any(axis=1)]
    return stuck


def _times(rows: Array, matrix: Array) -> Array:
    """Return the products (N, C, K) of rows (N, C, K) with a matrix (K, K)."""
    result = np.empty_like(rows)
    np.matmul(rows.reshape(-1, len(matrix)), matrix, out=result.reshape(-1, len(matrix)))
    return result


def _previous_rows(batch: Batch) -> Indices:
    """Return, for each row but those of the first steps, that of the step before."""
    n_first = batch.active[0] if batch.active else 0
    n_before = np.repeat(np.asarray(batch.active[:-1], np.intp), batch.active[1:])
    rows: Indices = np.arange(n_first, batch.n_rows) - n_before
    return rows


def _sum_paths(scores: Scores, raw: Array, batch: Batch) -> tuple[Array, Sums]:
    """Return the logarithms of the sums over all paths, and the sums up to each step.

    Parameters
    ----------
    scores : Scores
    raw : ndarray of shape (S, C, K)
        Of C chains side by side; −inf = no path goes there.
    batch : Batch

    Returns
    -------
    total : ndarray of shape (B, C)
        0 for a sequence without a step.
    sums : Sums
    """
    log, shares, carried = np.empty_like(raw), np.empty_like(raw), np.empty_like(raw)
    total = np.zeros((batch.n_sequences, raw.shape[1], 1))
    before = None
    for n, start in zip(batch.active, batch.starts, strict=False):
        rows = slice(start, start + n)
        if before is None:
            np.add(raw[rows], scores.start, out=log[rows])
        else:
            carried[rows] = _times(before[:n], scores.transitions)
            np.log(carried[rows], out=log[rows])
            log[rows] += raw[rows]
        largest = log[rows].max(axis=2, keepdims=True)
        log[rows] -= largest
        np.exp(log[rows], out=shares[rows])
        total[:n] += largest
        before = shares[rows]
    last = batch.last_steps()
    n = len(last)
    log_ends = log[last] + scores.end
    largest = log_ends.max(axis=2, keepdims=True)
    ends = np.exp(log_ends - largest)
    of_ends = ends.sum(axis=2, keepdims=True)
    ends /= of_ends
    total[:n] += np.log(of_ends) + largest
    total[:n] += (batch.lengths[:n, None, None] - 1) * scores.largest
    return total[:, :, 0], Sums(log, shares, carried, ends)


def _largest_over_steps(values: Array, batch: Batch) -> Array:
    """Return the largest of a sequence's values (S,), 0 if it has none, (B,)."""
    largest = np.zeros(batch.n_sequences, values.dtype)
    for n, start in zip(batch.active, batch.starts, strict=False):
        np.maximum(largest[:n], values[start : start + n], out=largest[:n])
    return largest
