"""Learning-rate schedules: the rate of each update.

A schedule is told how far the training is; it knows neither optimizer nor estimator.
"""

from __future__ import annotations

import math
from typing import ClassVar, Protocol


class Schedule(Protocol):
    """The part of a schedule that the training needs."""

    ends_training: ClassVar[bool]

    def rate(self, progress: float, n_samples_seen: int) -> float:
        """Return the learning rate of the next update.

        `progress` is the share of all planned updates that is done, from 0 to 1;
        `n_samples_seen` is how many samples the finished epochs have gone through.
        """

    def stalled(self) -> bool:
        """React to training that no longer improves; return whether it should stop."""


class Constant:
    """The initial rate throughout."""

    parameters: ClassVar[tuple[str, ...]] = ()  # those of the estimators that it has
    ends_training: ClassVar[bool] = False  # whether it falls to zero over the planned updates
    changing: ClassVar[tuple[str, ...]] = ()  # what changes with the training, to go on from

    def __init__(self, initial: float) -> None:
        self.initial = initial

    def rate(self, progress: float, n_samples_seen: int) -> float:
        """Return the initial rate."""
        return self.initial

    def stalled(self) -> bool:
        """Stop."""
        return True


class InverseScaling(Constant):
    """η₀ / (t + 1)^power with t the samples seen, changed after each epoch."""

    parameters = ("power_t",)

    def __init__(self, initial: float, power_t: float) -> None:
        super().__init__(initial)
        self.power_t = power_t

    def rate(self, progress: float, n_samples_seen: int) -> float:
        """Return the rate for the running epoch."""
        return self.initial / float((n_samples_seen + 1) ** self.power_t)


class Adaptive(Constant):
    """The initial rate, divided by five each time the training stalls, down to 1e-6."""

    changing = ("current",)

    def __init__(self, initial: float) -> None:
        super().__init__(initial)
        self.current = initial

    def rate(self, progress: float, n_samples_seen: int) -> float:
        """Return the current rate."""
        return self.current

    def stalled(self) -> bool:
        """Stop once the rate is at most 1e-6; until then divide it by five."""
        if self.current <= 1e-6:
            return True
        self.current /= 5
        return False


class Cosine(Constant):
    """Linear warm-up from zero, then half a cosine down to zero (Loshchilov & Hutter 2017)."""

    parameters = ("warmup_fraction",)
    ends_training = True

    def __init__(self, initial: float, warmup_fraction: float) -> None:
        super().__init__(initial)
        self.warmup_fraction = warmup_fraction

    def rate(self, progress: float, n_samples_seen: int) -> float:
        """Return the rate at this share of all planned updates."""
        warmup = self.warmup_fraction
        if progress < warmup:
            return self.initial * progress / warmup
        if progress >= 1:
            return 0.0
        return self.initial * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


SCHEDULES: dict[str, type[Constant]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
}
