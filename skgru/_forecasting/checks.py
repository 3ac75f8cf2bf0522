"""What forecasts need of series: one step, dates, and covariates that are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isclose

import numpy as np

from skgru._data.labels import say_stamp
from skgru._forecasting.roles import Columns
from skgru._forecasting.tracks import Track, said_of, seconds_of
from skgru._warnings import warn


class TooShortError(ValueError):
    """A series is shorter than the window; `n_steps` is what it has."""

    def __init__(self, window: int, track: Track) -> None:
        self.n_steps = len(track.values)
        super().__init__(
            f"Expected series of at least {window} steps (window), got {self.n_steps}"
            f"{said_of(track.key)}."
        )


def check_step(tracks: Iterable[Track], seconds: float | None) -> None:
    """Warn of series whose step is another than the one expected; without dates none tells."""
    if seconds is None:
        return
    for track in tracks:
        own = seconds_of([track])
        if own is not None and not isclose(own, seconds, rel_tol=0.01):
            warn(
                f"Expected steps of {seconds:g} seconds, as windows count steps whatever their "
                f"length, got some of {own:g} seconds{said_of(track.key)}: resample(…) of pandas "
                "brings series to one step."
            )
            return


def check_dates(tracks: Iterable[Track], cycles: Sequence[str]) -> None:
    """Refuse series without dates, where the cycles of the calendar are read."""
    for track in tracks if len(cycles) else []:
        if not track.clock.has_dates:
            raise ValueError(
                f"Expected dates of all series, as the cycles {list(cycles)} of the calendar are "
                f"read, got a series without{said_of(track.key)}: give it the index of dates, or "
                "take calendar=None for fit."
            )


def check_known(tracks: Sequence[Track], columns: Columns, n_steps: int) -> None:
    """Refuse forecasts of steps of which the covariates known in the future are not given."""
    for track in tracks if columns.known else []:
        n = len(track.values)
        rows = track.with_future(n_steps).covariates[n : n + n_steps, columns.known]
        lacking = np.flatnonzero(np.isnan(rows).all(axis=1))
        if len(lacking):
            step = track.end + int(lacking[0])
            label = f"step {lacking[0] + 1} of them"
            if track.clock.kind is not None:
                label = say_stamp(track.clock.stamps(step, step + 1)[0], track.clock.style)
            names = [columns.covariate_names[j] for j in columns.known]
            raise ValueError(
                f"Expected X with the covariates {names} for the {n_steps} steps to be forecast"
                f"{said_of(track.key)}, got none for {label}."
            )


def check_complete(tracks: Iterable[Track], columns: Columns) -> None:
    """Refuse missing covariates of the past."""
    for track in tracks:
        missing = np.isnan(track.covariates[: len(track.values)])
        if missing.any():
            step, j = np.argwhere(missing)[0]
            raise ValueError(
                f"missing='error': expected covariates without missing values, got one of "
                f"{columns.covariate_names[j]!r} in step {track.start + step}{said_of(track.key)}."
            )
