"""The state of a fitted estimator that was saved: checked, so that a damaged one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skgru._data.kinds import reader_of_state
from skgru._engine.losses import loss_of_state
from skgru._engine.model import Model
from skgru._nn.parameters import size_of
from skgru._saved import DamagedError, expect, expect_array, expect_numbers

# What a state has to hold: the model, and that with which a training goes on.
_HELD = "inputs", "encoders", "fusion", "loss", "theta", "bag", "optimizers", "progress"


def check_state(state: Any) -> None:
    """Refuse a state that no fit has left so.

    Raises
    ------
    DamagedError
        If values are missing, have another type or shape than the rest of them asks for, or are
        not finite where they have to be.
    """
    expect(isinstance(state, Mapping), "a dict as the fitted state", state)
    missing = [name for name in _HELD if name not in state]
    expect(not missing, f"a fitted state of {', '.join(_HELD)}", f"none of {', '.join(missing)}")
    try:
        for part in state["inputs"].values():
            reader_of_state(part).check_learned()
        loss_of_state(state["loss"]).check_learned()
        model = Model.of_state(state)  # the network hangs on what has been learned
        _check_model(model)
        _check_training(state, None if model.beside else model.theta.size)
    except DamagedError:
        raise
    except Exception as error:  # whatever a value of another type leads to
        raise DamagedError(
            f"its values do not make a model ({type(error).__name__}: {error})"
        ) from error


def _check_model(model: Model) -> None:
    for name in model.beside:
        source = model.source_of(name)
        expect(source in model.own_inputs, "convolutions beside an input", repr(source))
    theta = model.theta
    is_array = isinstance(theta, np.ndarray) and theta.dtype in (np.float32, np.float64)
    expect(is_array, "theta to be an array of single or double precision", theta)
    expect_numbers(theta, "theta", (size_of(model.network.shapes),))
    if model.bag is not None:
        unknown = [name for name in model.bag.tokens if name not in model.own_inputs]
        expect(not unknown, "a bag of the tokens of an input", repr(unknown))
        model.bag.check_learned(model.spec.n_outputs)


def _check_training(state: Mapping[str, Any], n_parameters: int | None) -> None:
    """Refuse what a training cannot go on with.

    Parameters
    ----------
    state : mapping
    n_parameters : int or None
        Of θ, if what is trained is all of it: convolutions are fitted apart.
    """
    for optimizer in state["optimizers"].values():
        _check_optimizers([optimizer], n_parameters)
    progress = state["progress"]
    if progress:
        theta = progress["theta"]
        expect_numbers(theta, "theta of the training", (theta.size,))
        _check_optimizers(progress["optimizers"], theta.size)
        if progress["best"] is not None:
            expect_numbers(progress["best"], "theta of the best epoch", theta.shape)


def _check_optimizers(states: Sequence[Mapping[str, Any]], n_parameters: int | None) -> None:
    """Refuse states of optimizers, of one for each group of parameters."""
    sizes = []
    for state in states:
        counts = [name for name, values in state.items() if np.ndim(values) == 0]
        arrays = {name: values for name, values in state.items() if name not in counts}
        expect(arrays, "arrays in the state of an optimizer", "none")
        size = next(iter(arrays.values())).size
        for name, values in arrays.items():
            expect_numbers(values, f"{name!r} of the optimizer", (size,))
        for name in counts:
            expect_array(state[name], f"{name!r} of the optimizer", (), "iu")
        sizes.append(size)
    is_all = n_parameters is None or sum(sizes) == n_parameters
    expect(is_all, f"an optimizer of {n_parameters} parameters", f"one of {sum(sizes)}")
