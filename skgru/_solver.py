"""The solvers, set up by an estimator's parameters."""

import warnings

import numpy as np

from skgru._batching import variance_explained_by_length
from skgru._nn.optimizers import SGD, Adam
from skgru._nn.schedules import Adaptive, Constant, Cosine, InverseScaling
from skgru._training import Patience, train_epochs, train_lbfgs

# Of the targets' variance, where group_by_length="auto".
_MAX_EXPLAINED_BY_LENGTH = 0.05


def solve(estimator, objective, history, validate, rng, incremental):
    """Run the solver; θ and history change in place; return the outcome."""
    if estimator.solver == "lbfgs":
        return train_lbfgs(
            objective,
            history,
            max_iter=estimator.max_iter,
            max_fun=estimator.max_fun,
            tol=estimator.tol,
            validate=validate,
            verbose=estimator.verbose,
        )
    epochs_done = len(history.loss_curve) if incremental else 0
    if incremental and estimator.learning_rate == "cosine" and epochs_done >= estimator.max_iter:
        warnings.warn(
            f"learning_rate='cosine' has come down to zero after max_iter={estimator.max_iter} "
            "epochs: this call of partial_fit changes nothing.",
            stacklevel=6,
        )
    optimizer = _make_optimizer(
        estimator, objective.theta, objective.network.n_penalized, incremental
    )
    outcome = train_epochs(
        objective,
        history,
        optimizer=optimizer,
        schedule=_make_schedule(estimator),
        batch_size=_resolve_batch_size(estimator, objective.n_sequences),
        max_iter=1 if incremental else estimator.max_iter,
        epochs_done=epochs_done,
        epochs_planned=estimator.max_iter,
        max_grad_norm=estimator.max_grad_norm,
        rng=rng,
        patience=Patience(estimator.tol, estimator.n_iter_no_change),
        shuffle=estimator.shuffle,
        group_by_length=_groups_by_length(estimator, objective),
        validate=validate,
        early_stopping=estimator.early_stopping,
        verbose=estimator.verbose,
    )
    if not incremental:
        estimator._optimizer_state = {}
    elif outcome != "diverged":
        estimator._optimizer_state = {estimator.solver: optimizer.state}
    return outcome


def _make_optimizer(estimator, theta, n_penalized, incremental):
    """Return the solver's optimizer; with `incremental` it goes on where it stopped."""
    state = estimator._optimizer_state.get(estimator.solver) if incremental else None
    if state is not None:
        state = {name: array.copy() for name, array in state.items()}
    if estimator.solver == "sgd":
        return SGD(
            theta, momentum=estimator.momentum, nesterov=estimator.nesterovs_momentum, state=state
        )
    return Adam(
        theta,
        beta_1=estimator.beta_1,
        beta_2=estimator.beta_2,
        epsilon=estimator.epsilon,
        weight_decay=estimator.weight_decay,
        n_decayed=n_penalized,
        state=state,
    )


def _make_schedule(estimator):
    if estimator.learning_rate == "invscaling":
        return InverseScaling(estimator.learning_rate_init, estimator.power_t)
    if estimator.learning_rate == "adaptive":
        return Adaptive(estimator.learning_rate_init)
    if estimator.learning_rate == "cosine":
        return Cosine(estimator.learning_rate_init, estimator.warmup_fraction)
    return Constant(estimator.learning_rate_init)


def _resolve_batch_size(estimator, n_samples):
    if estimator.batch_size == "auto":
        return min(32, n_samples)
    if estimator.batch_size > n_samples:
        warnings.warn(
            f"batch_size={estimator.batch_size} is larger than the {n_samples} samples to train "
            "on. It is going to be clipped.",
            stacklevel=7,
        )
    return min(estimator.batch_size, n_samples)


def _groups_by_length(estimator, objective):
    """Return whether batches hold sequences of similar length.

    If length told of the targets, such batches would hold similar targets too, and training
    would follow one group of them after the other.
    """
    if estimator.group_by_length != "auto":
        return estimator.group_by_length
    lengths = objective.sequences.lengths
    if objective.network.pooling is None:  # each step has a target
        lengths = np.repeat(lengths, lengths)
    return variance_explained_by_length(lengths, objective.targets) < _MAX_EXPLAINED_BY_LENGTH
