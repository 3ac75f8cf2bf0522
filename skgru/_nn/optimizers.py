"""First-order optimizers on a flat vector."""

from __future__ import annotations

import math
from typing import ClassVar, Protocol

import numpy as np
from scipy import linalg

from skgru._nn.batch import Array

# So many numbers go through the steps of an update at a time: they stay in the cache.
_BLOCK_SIZE = 1 << 18


class Optimizer(Protocol):
    """The part of an optimizer that the training needs.

    ``state`` maps names to plain arrays: all that a later call needs to go on. ``parameters`` are
    the keyword arguments that the estimators have as parameters.
    """

    parameters: ClassVar[tuple[str, ...]]
    state: dict[str, Array]

    def step(self, theta: Array, gradient: Array, learning_rate: float) -> None:
        """Update theta in place."""


def clip_norm(gradient: Array, max_norm: float) -> None:
    """Scale the gradient in place so that its Euclidean norm is at most `max_norm`.

    Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks".
    """
    with np.errstate(over="ignore"):
        norm = math.sqrt(np.dot(gradient, gradient))
    if not math.isfinite(norm):  # the squares overflow; BLAS's norm is slower, but scales them
        norm = float(linalg.norm(gradient, check_finite=False))
    if norm > max_norm:
        gradient *= max_norm / norm


class Adam:
    """Adam (Kingma & Ba 2015), bias corrections folded into the learning rate.

    With t counted from 1::

        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)

    Before that, decoupled weight decay λ shrinks the first `n_decayed` numbers of θ (Loshchilov &
    Hutter 2019, "Decoupled weight decay regularization")::

        θ ← (1 − η λ) θ

    The numbers of θ behind the first `n_moving` stay as they are; None = there are none.
    """

    parameters: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon", "weight_decay")

    def __init__(
        self,
        theta: Array,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        n_decayed: int = 0,
        n_moving: int | None = None,
        state: dict[str, Array] | None = None,
    ) -> None:
        self._moving = slice(n_moving)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.weight_decay, self.n_decayed = weight_decay, n_decayed
        self.state = state or {
            "m": np.zeros_like(theta),
            "v": np.zeros_like(theta),
            "t": np.zeros((), np.int64),
        }
        self._work = np.empty(min(len(theta), _BLOCK_SIZE), theta.dtype)

    def step(self, theta: Array, gradient: Array, learning_rate: float) -> None:
        """Update theta in place; the gradient is left as it is."""
        self.state["t"] += 1
        t = int(self.state["t"])
        rate = learning_rate * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        m, v = self.state["m"], self.state["v"]
        n_moving = len(theta[self._moving])
        for start in range(0, len(theta), _BLOCK_SIZE):
            if self.weight_decay and start < self.n_decayed:
                decayed = slice(start, min(start + _BLOCK_SIZE, self.n_decayed))
                theta[decayed] *= 1 - learning_rate * self.weight_decay
            some = slice(start, min(start + _BLOCK_SIZE, n_moving))
            self._move(theta[some], gradient[some], m[some], v[some], rate)

    def _move(self, theta: Array, gradient: Array, m: Array, v: Array, rate: float) -> None:
        """Update some of the numbers, and their moments, in place."""
        work = self._work[: len(theta)]
        m *= self.beta_1
        m += np.multiply(gradient, 1 - self.beta_1, out=work)
        v *= self.beta_2
        np.square(gradient, out=work)
        work *= 1 - self.beta_2
        v += work
        np.sqrt(v, out=work)
        work += self.epsilon
        np.divide(m, work, out=work)
        work *= rate
        theta -= work


class SGD:
    """Stochastic gradient descent with momentum.

    With the velocity u, ``u ← μ u − η g`` and ``θ ← θ + u``; with Nesterov's momentum
    ``θ ← θ + μ u − η g`` after the same update of u. There is no weight decay: `n_decayed` has no
    effect. The numbers of θ behind the first `n_moving` stay as they are; None = there are none.
    """

    parameters: ClassVar[tuple[str, ...]] = ("momentum", "nesterovs_momentum")

    def __init__(
        self,
        theta: Array,
        *,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        n_decayed: int = 0,
        n_moving: int | None = None,
        state: dict[str, Array] | None = None,
    ) -> None:
        self._moving = slice(n_moving)
        self.momentum, self.nesterovs_momentum = momentum, nesterovs_momentum
        self.state = state or {"velocity": np.zeros_like(theta)}

    def step(self, theta: Array, gradient: Array, learning_rate: float) -> None:
        """Update theta in place; the gradient is left as it is."""
        theta, velocity = theta[self._moving], self.state["velocity"][self._moving]
        descent = learning_rate * gradient[self._moving]
        velocity *= self.momentum
        velocity -= descent
        if self.nesterovs_momentum:
            theta += self.momentum * velocity
            theta -= descent
        else:
            theta += velocity


OPTIMIZERS: dict[str, type[Adam] | type[SGD]] = {"adam": Adam, "sgd": SGD}
