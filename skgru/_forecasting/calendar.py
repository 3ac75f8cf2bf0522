"""What the dates of steps say: the seasons to look for, and features of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._forecasting.window import Array

# Seconds of the cycles of the calendar; a year is the mean one.
CYCLES = {"hour": 3_600, "day": 86_400, "week": 604_800, "year": 31_556_952}
# A cycle of fewer steps is no season, and one of more is too long for any series to show.
_MIN_STEPS, _MAX_STEPS = 2, 20_000
# Cycles that a series has to cover, for its calendar to be learned from it.
_MIN_CYCLES = 2


def seasons_of_calendar(seconds: float | None) -> list[int]:
    """Return the cycles of the calendar in steps of so many seconds; none without dates."""
    if seconds is None:
        return []
    steps = [round(cycle / seconds) for cycle in CYCLES.values()]
    return [n for n in steps if _MIN_STEPS <= n <= _MAX_STEPS]


def cycles_to_learn(seconds: float | None, n_steps: int) -> list[str]:
    """Return the cycles of the calendar that series of so many steps repeat often enough."""
    if seconds is None:
        return []
    return [
        name
        for name, cycle in CYCLES.items()
        if seconds * _MIN_STEPS <= cycle and n_steps * seconds >= _MIN_CYCLES * cycle
    ]


def calendar_features(times: NDArray[Any] | None, cycles: Sequence[str], n_steps: int) -> Array:
    """Return the sine and cosine of the place of each time in the cycles.

    Parameters
    ----------
    times : ndarray of datetime64 of shape (n_steps,) or None
        By the clock on the wall. None: all features are missing.
    cycles : sequence of str, of `CYCLES`
    n_steps : int

    Returns
    -------
    ndarray of shape (n_steps, 2 * n_cycles)
    """
    if times is None or not len(cycles):
        return np.full((n_steps, 2 * len(cycles)), np.nan)
    angles = 2 * np.pi * np.stack([_place(times, cycle) for cycle in cycles], axis=1)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def _place(times: NDArray[Any], cycle: str) -> Array:
    """Return the place of times in a cycle, from 0 to 1."""
    if cycle == "year":
        years = times.astype("M8[Y]")
        start = years.astype("M8[s]")
        length = (years + 1).astype("M8[s]") - start
        return np.asarray((times.astype("M8[s]") - start) / length)
    seconds = times.astype("M8[s]").astype(np.int64)
    if cycle == "week":
        seconds = seconds + 3 * CYCLES["day"]  # 1970 began on a Thursday, weeks do on Mondays
    return np.asarray(seconds % CYCLES[cycle] / CYCLES[cycle])
