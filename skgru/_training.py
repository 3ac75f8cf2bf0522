"""Training: epochs of an optimizer, or L-BFGS, with history, early stopping and interruption."""

import time
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize

from skgru._batching import SequencePieces, batches_of_epoch, chunks, make_batch, shards
from skgru._nn.batch import ArenaPool, Piece
from skgru._nn.dropout import DropoutSource
from skgru._nn.optimizers import clip_norm
from skgru._nn.pieces import OnePiece, loss_and_gradient


@dataclass
class History:
    """What happened so far; the estimators show it as fitted attributes.

    Attributes
    ----------
    n_iter : int
        Finished epochs (L-BFGS: iterations) of the latest call.
    t : int
        Samples gone through, over all calls.
    loss : float
        Training loss of the last epoch.
    loss_curve, validation_scores : list of float
        One entry per epoch, over all calls.
    best_loss, best_validation_score : float
    """

    n_iter: int = 0
    t: int = 0
    loss: float = np.inf
    loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_loss: float = np.inf
    best_validation_score: float = -np.inf

    def add_epoch(self, loss, n_samples, tol):
        """Record an epoch; return whether its loss beats the best one by at least `tol`."""
        self.n_iter += 1
        self.t += n_samples
        self.loss = loss
        self.loss_curve.append(loss)
        gained = loss <= self.best_loss - tol
        self.best_loss = min(loss, self.best_loss)
        return gained

    def add_score(self, score, tol):
        """Record a validation score; return whether none beats it, and if it gains `tol`."""
        self.validation_scores.append(score)
        is_best = score >= self.best_validation_score
        gained = score >= self.best_validation_score + tol
        if is_best:
            self.best_validation_score = score
        return is_best, gained


class Objective:
    """The training loss as a function of θ.

    It is the weighted mean of the samples' losses, plus ½ · alpha · ‖weight matrices‖² divided by
    the number of samples, as in scikit-learn's multi-layer perceptron.

    Parameters
    ----------
    network : Network
    loss : Loss
    steps : Steps
        Of the sequences.
    targets : ndarray of shape (n, K) or (n,), or of all steps without a pooling
        As the loss wants them: numbers, or indices of classes.
    weights : ndarray of shape (n,) or (total steps,)
        Weight of each sample's loss; only ratios matter. A sample is a sequence, or without a
        pooling a step.
    alpha : float
    samples_per_sequence : float, default=1.0
        How many samples a sequence stands for on average, that is, the mean sample weight: what
        makes a weight of two the same as two copies.
    theta : ndarray
        Where to evaluate; changed in place by the optimizers.
    bptt_steps : int or None, default=None
        Over how many steps the gradient reaches back; None = all.
    dropout_rates : DropoutRates or None, default=None
    moves_joints : bool, default=False
        Whether each epoch joins the steps anew, with the joints elsewhere.
    map_ : callable, default=map
        Runs the shards of a batch, maybe on threads.
    """

    def __init__(
        self,
        network,
        loss,
        steps,
        targets,
        weights,
        *,
        alpha,
        samples_per_sequence,
        theta,
        bptt_steps=None,
        dropout_rates=None,
        moves_joints=False,
        map_=map,
    ):
        self.network = network
        self.loss = loss
        self.steps = steps
        self._moves_joints = moves_joints
        is_index = targets.dtype.kind == "i"
        self.targets = targets if is_index else targets.astype(theta.dtype, copy=False)
        self.weights = (weights / weights.mean()).astype(theta.dtype)
        self.alpha = alpha
        self.samples_per_sequence = samples_per_sequence
        self._targets_per_sequence = len(targets) / steps.n_sequences
        self.parameters = network.parameters(theta)
        self.bptt_steps = bptt_steps
        self._dropout_rates = dropout_rates if dropout_rates and any(dropout_rates) else None
        self._map = map_
        self._arenas = ArenaPool()
        self._gradients = [self._new_gradients()]  # of each shard; their sum comes to the first

    @property
    def theta(self):
        return self.parameters.vector

    @property
    def n_sequences(self):
        return self.steps.n_sequences

    def begin_epoch(self, rng):
        """Move the joints of the steps, if they are to move."""
        if self._moves_joints:
            self.steps = self.steps.with_joints_moved(rng)

    def at_batch(self, indices, rng):
        """Return the loss over some sequences and its gradient, which the next call reuses.

        `rng` draws what is left out (dropout).
        """
        seed = int(rng.randint(2**31 - 1)) if self._dropout_rates else None
        value = self._data_loss(indices, len(indices), seed)
        gradient = self._gradient
        value += self._add_penalty(gradient, len(indices))
        return value, gradient

    def at_all(self):
        """Return the loss over all sequences and its gradient."""
        value = 0.0
        total = np.zeros_like(self.theta)
        lengths = self.steps.lengths
        if self.bptt_steps:
            lengths = np.minimum(lengths, self.bptt_steps)
        for indices in chunks(lengths, self.network.only_branch.numbers_per_step):
            value += self._data_loss(indices, self.n_sequences)
            total += self._gradient
        value += self._add_penalty(total, self.n_sequences)
        return value, total

    @property
    def _gradient(self):
        return self._gradients[0].vector

    def _new_gradients(self):
        return self.network.parameters(np.empty_like(self.theta))

    def _data_loss(self, indices, n, seed=None):
        """Return the weighted losses of some sequences, divided by n; leave their gradient."""
        widest = self.network.only_branch.n_units_of_widest
        parts = shards(indices, self.steps.lengths_of(indices), widest)
        while len(self._gradients) < len(parts):
            self._gradients.append(self._new_gradients())
        n_targets = n * self._targets_per_sequence
        seeds = [None if seed is None else (seed, i) for i in range(len(parts))]
        losses = list(
            self._map(self._shard_loss, parts, [n_targets] * len(parts), seeds, self._gradients)
        )
        for gradients in self._gradients[1 : len(parts)]:
            self._gradient[...] += gradients.vector
        return sum(losses)

    def _shard_loss(self, indices, n, seed, gradients):
        """Return the loss of one shard, and write its gradient."""
        dropout = DropoutSource(self._dropout_rates, seed, len(indices)) if seed else None
        longest = self.steps.lengths_of(indices).max()
        # What NumPy does on overflow is a setting of each thread.
        with self._arenas.lend() as arena, np.errstate(over="ignore", invalid="ignore"):
            if self.bptt_steps and longest > self.bptt_steps:
                order = indices
                pieces = SequencePieces(self.steps, indices, self.bptt_steps, arena)
            else:
                x, batch, order, rows = make_batch(self.steps, indices, arena)
                pieces = OnePiece(x, Piece(batch, slice(None), True, rows))

            def loss_of(raw, piece):
                return self._loss_of(raw, order if piece is None else piece.rows, n)

            by_branch = dict.fromkeys(self.network.branches, pieces)
            return loss_and_gradient(
                self.network, self.parameters, by_branch, loss_of, gradients, dropout
            )

    def _loss_of(self, raw, indices, n):
        """Return the weighted losses of raw outputs, divided by n, and their gradient.

        `indices` says which sequences, or without a pooling which steps, the outputs belong to.
        """
        losses, d_raw = self.loss.loss_and_gradient(raw, self.targets[indices])
        weights = self.weights[indices] / n
        d_raw *= weights[:, None]
        return float(losses @ weights), d_raw

    def lowest(self, n):
        """Return what a batch of n sequences with no error at all has as its loss."""
        return self.loss.lowest + self._penalty(n)[0]

    def _add_penalty(self, gradient, n):
        """Return the L2 penalty and add its derivative to the gradient."""
        penalty, derivative = self._penalty(n)
        gradient[: self.network.n_penalized] += derivative
        return penalty

    def _penalty(self, n):
        """Return the L2 penalty and its derivative with respect to the weights."""
        if not self.alpha:
            return 0.0, 0.0
        weights = self.theta[: self.network.n_penalized]
        strength = self.alpha / (n * self.samples_per_sequence)
        return 0.5 * strength * float(weights @ weights), strength * weights


@dataclass
class Patience:
    """When to stop: no gain of more than `tol` in more than `n_iter_no_change` epochs in a row."""

    tol: float
    n_iter_no_change: float
    n_without_gain: int = 0

    def exhausted(self, gained):
        """Count an epoch; return whether patience ran out, and start anew if so."""
        self.n_without_gain = 0 if gained else self.n_without_gain + 1
        if self.n_without_gain <= self.n_iter_no_change:
            return False
        self.n_without_gain = 0
        return True


def train_epochs(
    objective,
    history,
    *,
    optimizer,
    schedule,
    batch_size,
    max_iter,
    epochs_done,
    epochs_planned,
    max_grad_norm,
    rng,
    patience,
    shuffle=True,
    group_by_length=False,
    validate=None,
    early_stopping=False,
    verbose=False,
):
    """Train with a first-order optimizer, changing the objective's θ and the history in place.

    Parameters
    ----------
    objective : Objective
    history : History
    optimizer : Optimizer
    schedule : Schedule
    batch_size, max_iter : int
    epochs_done, epochs_planned : int
        Where in the schedule this training starts, and over how many epochs it is spread.
    max_grad_norm : float or None
    rng : RandomState
        Shuffles the samples.
    patience : Patience
    shuffle, group_by_length : bool
        See `batches_of_epoch`.
    validate : callable or None
        Returns the validation score at the current θ.
    early_stopping : bool
        Whether the validation score, rather than the loss, ends the training, and the weights
        of the best score are restored, of equal ones the last.
    verbose : bool

    Returns
    -------
    outcome : {"converged", "max_iter", "interrupted", "diverged"}
        After "diverged", a loss or gradient that is not finite, θ is what it was after the last
        whole epoch.
    """
    history.n_iter = 0
    n = objective.n_sequences
    theta = objective.theta
    updates_per_epoch = -(-n // batch_size)
    planned_updates = updates_per_epoch * epochs_planned
    updates = updates_per_epoch * epochs_done
    last_finite = theta.copy()
    best = theta.copy()
    report = _Report(max_iter) if verbose else None
    outcome = "max_iter"
    try:
        for _ in range(max_iter):
            total = 0.0
            objective.begin_epoch(rng)
            batches = batches_of_epoch(
                objective.steps.lengths,
                batch_size,
                rng,
                shuffle=shuffle,
                group_by_length=group_by_length,
            )
            for indices in batches:
                loss, gradient = objective.at_batch(indices, rng)
                if max_grad_norm is not None:
                    clip_norm(gradient, max_grad_norm)
                rate = schedule.rate((updates + 0.5) / planned_updates, history.t)
                optimizer.step(theta, gradient, rate)
                updates += 1
                total += loss * len(indices)
            if not (np.isfinite(total) and np.isfinite(theta).all()):
                outcome = "diverged"
                break
            last_finite[:] = theta
            gained = history.add_epoch(total / n, n, patience.tol)
            if schedule.ends_training:  # the last epochs gain most: go on while there is any loss
                gained = history.loss > objective.lowest(batch_size) + patience.tol
            if validate is not None:
                is_best, gained_score = history.add_score(validate(), patience.tol)
                if is_best:
                    best[:] = theta
                if early_stopping:
                    gained = gained_score
            if report:
                report.line(history)
            if patience.exhausted(gained) and schedule.stalled():
                outcome = "converged"
                break
    except KeyboardInterrupt:
        outcome = "interrupted"
    if outcome == "diverged" or not np.isfinite(theta).all():
        theta[:] = last_finite
    elif early_stopping and history.n_iter:
        theta[:] = best
    return outcome


def train_lbfgs(objective, history, *, max_iter, max_fun, tol, validate=None, verbose=False):
    """Train with SciPy's L-BFGS-B on all samples at once.

    Parameters as in `train_epochs`; `max_fun` bounds the evaluations of the loss, and `tol` is
    the largest component of the gradient at which the training counts as converged.

    Returns
    -------
    outcome : {"converged", "max_iter", "interrupted", "diverged"}
    """
    history.n_iter = 0
    theta = objective.theta
    accepted = theta.copy()
    report = _Report(max_iter) if verbose else None

    def evaluate(x):
        theta[:] = x
        loss, gradient = objective.at_all()
        return loss, gradient.astype(np.float64)

    def finish_iteration(intermediate_result):
        if not np.isfinite(intermediate_result.fun):
            raise StopIteration
        accepted[:] = intermediate_result.x
        history.add_epoch(float(intermediate_result.fun), objective.n_sequences, tol)
        if validate is not None:
            theta[:] = accepted
            history.add_score(validate(), tol)
        if report:
            report.line(history)

    try:
        result = optimize.minimize(
            evaluate,
            theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=finish_iteration,
            options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
        )
    except KeyboardInterrupt:
        outcome = "interrupted"
    else:
        if not np.isfinite(result.fun):
            outcome = "diverged"
        elif result.status == 1:
            outcome = "max_iter"
        else:
            outcome = "converged"
            if history.n_iter == 0:  # the start was a minimum already
                history.add_epoch(float(result.fun), objective.n_sequences, tol)
    theta[:] = accepted
    return outcome


class _Report:
    """Prints a line per epoch."""

    def __init__(self, max_iter):
        self.max_iter = max_iter
        self.start = time.perf_counter()

    def line(self, history):
        seconds = (time.perf_counter() - self.start) / history.n_iter
        minutes, rest = divmod(round(seconds * (self.max_iter - history.n_iter)), 60)
        score = ""
        if history.validation_scores:
            score = f"  validation score {history.validation_scores[-1]:.4f}"
        print(
            f"Epoch {history.n_iter}/{self.max_iter}  loss {history.loss:.6f}{score}"
            f"  time left {minutes}:{rest:02d}"
        )
