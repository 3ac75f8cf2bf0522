"""SciPy's L-BFGS-B on all samples at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from scipy import optimize

from skgru._engine.objective import Objective
from skgru._engine.observers import Observer, State
from skgru._nn.batch import Array


def minimize(
    objective: Objective, observers: Observer, *, max_iter: int, max_fun: int, tol: float
) -> str:
    """Train on all samples at once; the θ of the objective changes in place.

    Parameters
    ----------
    objective : Objective
    observers : Observer
        An iteration counts as an epoch, an evaluation as its batch.
    max_iter, max_fun : int
        Bounds of the iterations and of the evaluations of the loss.
    tol : float
        The largest component of the gradient at which the training counts as converged.

    Returns
    -------
    outcome : {"converged", "max_iter", "stopped", "interrupted", "diverged"}
        After "diverged", θ is that of the last iteration whose loss was finite.
    """
    theta = objective.theta
    accepted = theta.copy()
    state = State(theta, max_iter, 1, objective.n_sequences)
    n_done, is_ended = 0, False

    def evaluate(x: Array) -> tuple[float, Array]:
        theta[:] = x
        if state.epoch == n_done:
            state.epoch, state.batch = n_done + 1, 0
            state.score = state.validation_loss = None
            observers.on_epoch_begin(state)
        loss, gradient = objective.at_all()
        state.batch, state.loss = 1, loss
        observers.on_batch(state)
        return loss, gradient.astype(np.float64)

    def finish_iteration(intermediate_result: Any) -> None:
        nonlocal n_done, is_ended
        loss = float(intermediate_result.fun)
        if not np.isfinite(loss):
            raise StopIteration
        accepted[:] = theta[:] = intermediate_result.x
        n_done, state.loss = n_done + 1, loss
        is_ended = observers.on_epoch(state)
        if is_ended:
            raise StopIteration

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
            if n_done == 0:  # the start was a minimum already
                with suppress(StopIteration):
                    finish_iteration(result)
            outcome = observers.outcome if is_ended else "converged"
    theta[:] = accepted
    observers.on_end(outcome)
    return outcome
