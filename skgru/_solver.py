"""The solvers, set up by an estimator's parameters."""

import warnings

import numpy as np

from skgru._batching import variance_explained_by_length
from skgru._nn.optimizers import SGD, Adam
from skgru._nn.schedules import Adaptive, Constant, Cosine, InverseScaling
from skgru._parameters import PlainParameters
from skgru._training import Patience, train_epochs, train_lbfgs

# Of the epochs of a cosine, early stopping waits at least this share for a better score: what the
# high rates in their midst lead to says little of the end.
_PATIENCE_OF_COSINE = 0.2
# Of the targets' variance, where group_by_length="auto".
_MAX_EXPLAINED_BY_LENGTH = 0.05


def solve(estimator, plan, objective, history, validate, rng, incremental, group_by_length):
    """Run the solver as planned; θ and history change in place; return the outcome."""
    given = PlainParameters(estimator)
    if given.solver == "lbfgs":
        return train_lbfgs(
            objective,
            history,
            max_iter=plan.max_iter,
            max_fun=given.max_fun,
            tol=given.tol,
            validate=validate,
            verbose=given.verbose,
        )
    optimizer = _make_optimizer(given, objective.theta, objective.network.n_penalized, incremental)
    epochs_done = len(history.loss_curve) if incremental else 0
    outcome = train_epochs(
        objective,
        history,
        optimizer=optimizer,
        schedule=_make_schedule(given, plan.max_iter, incremental, epochs_done),
        batch_size=_clip_batch_size(given, plan.batch_size, objective.n_sequences),
        max_iter=1 if incremental else plan.max_iter,
        epochs_done=epochs_done,
        epochs_planned=plan.max_iter,
        max_grad_norm=given.max_grad_norm,
        rng=rng,
        patience=Patience(given.tol, patience(given.n_iter_no_change, given.learning_rate, plan)),
        shuffle=given.shuffle,
        group_by_length=group_by_length,
        validate=validate,
        early_stopping=plan.early_stopping,
        verbose=given.verbose,
    )
    if not incremental:
        estimator._optimizer_state = {}
    elif outcome != "diverged":
        estimator._optimizer_state = {given.solver: optimizer.state}
    return outcome


def patience(n_iter_no_change, learning_rate, plan):
    """Return how many epochs in a row may bring no gain."""
    if not (plan.early_stopping and learning_rate == "cosine"):
        return n_iter_no_change
    return max(n_iter_no_change, _PATIENCE_OF_COSINE * plan.max_iter)


def _make_optimizer(given, theta, n_penalized, incremental):
    """Return the solver's optimizer; with `incremental` it goes on where it stopped."""
    state = given._optimizer_state.get(given.solver) if incremental else None
    if state is not None:
        state = {name: array.copy() for name, array in state.items()}
    if given.solver == "sgd":
        return SGD(theta, momentum=given.momentum, nesterov=given.nesterovs_momentum, state=state)
    return Adam(
        theta,
        beta_1=given.beta_1,
        beta_2=given.beta_2,
        epsilon=given.epsilon,
        weight_decay=given.weight_decay,
        n_decayed=n_penalized,
        state=state,
    )


def _make_schedule(given, max_iter, incremental, epochs_done):
    """Return the schedule; a cosine over `max_iter` epochs, of which some are done."""
    initial = given.learning_rate_init
    if given.learning_rate == "invscaling":
        return InverseScaling(initial, given.power_t)
    if given.learning_rate == "adaptive":
        return Adaptive(initial)
    if given.learning_rate == "constant" or (incremental and given.max_iter == "auto"):
        return Constant(initial)
    if incremental and epochs_done >= max_iter:
        warnings.warn(
            f"learning_rate='cosine' has come down to zero after max_iter={max_iter} epochs: this "
            "call of partial_fit changes nothing.",
            stacklevel=8,
        )
    return Cosine(initial, given.warmup_fraction)


def _clip_batch_size(given, batch_size, n_samples):
    if batch_size > n_samples and given.batch_size != "auto":
        warnings.warn(
            f"batch_size={batch_size} is larger than the {n_samples} samples to train on. It is "
            "going to be clipped.",
            stacklevel=8,
        )
    return min(batch_size, n_samples)


def groups_by_length(given, objective):
    """Return whether batches hold sequences of similar length.

    If length told of the targets, such batches would hold similar targets too, and training
    would follow one group of them after the other.
    """
    if given.group_by_length != "auto":
        return given.group_by_length
    lengths = objective.steps.lengths
    if objective.network.reads_steps:  # each step has a target, or none and no weight
        lengths = np.repeat(lengths, lengths)
    counts = np.flatnonzero(objective.weights)
    explained = variance_explained_by_length(lengths[counts], objective.targets[counts])
    return explained < _MAX_EXPLAINED_BY_LENGTH
