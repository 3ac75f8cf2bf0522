"""The origins of a backtest: steps of an axis of time that all series share."""

from datetime import datetime
from numbers import Integral
from typing import NamedTuple

import numpy as np

from skgru._data.clock import Clock
from skgru._data.labels import read_labels, say_stamp
from skgru._data.panel import stamps_of
from skgru._data.times import cast, finest_unit_of
from skgru._forecasting.tracks import make_tracks
from skgru._forecasting.window import Shape, steps_to_fit
from skgru._settings import plain


class TimeAxis(NamedTuple):
    """The times of all series, one after another.

    Attributes
    ----------
    stamps : ndarray of shape (n_steps,)
    of_series : list of ndarray, the stamps of the steps of each series
    clock : Clock, of the first series; its labels are those of the axis
    """

    stamps: np.ndarray
    of_series: list[np.ndarray]
    clock: Clock

    @classmethod
    def of(cls, series):
        """Return the axis of series: their stamps, or the numbers of their steps without such."""
        stamps = stamps_of(series, "y")
        if stamps is None:
            if any(one.clock.kind is not None for one in series):
                raise ValueError(
                    "Expected labels of one kind in all series of y, got some without labels."
                )
            of_series = [np.arange(len(one.values)) for one in series]
            return cls(max(of_series, key=len), of_series, series[0].clock)
        return cls(np.unique(np.concatenate(stamps)), stamps, series[0].clock)

    @property
    def n_steps(self):
        return len(self.stamps)

    def ends(self, origins):
        """Return how many steps of each series are known at origins, (n_origins, n_series)."""
        known = [np.searchsorted(one, self.stamps[origins], side="right") for one in self.of_series]
        return np.stack(known, axis=1)

    def labels(self, origins):
        """Return the labels of origins."""
        return self.clock.wrap(self.stamps[origins])


def n_initial(initial, axis):
    """Return the number of steps before the first forecast."""
    value = plain(initial)
    if isinstance(value, bool) or value is None:
        raise ValueError(f"initial: expected a number of steps, a share or a label, got {value!r}.")
    if isinstance(value, float):
        if not 0 < value < 1:
            raise ValueError(f"initial: expected a share between 0 and 1, got {value!r}.")
        return int(np.floor(value * axis.n_steps + 1e-9))
    # A timedelta64 is an integer for NumPy, too.
    if isinstance(value, Integral) and not isinstance(value, np.timedelta64):
        return int(value)
    return _n_until(value, axis)


def _n_until(label, axis):
    """Return the number of steps until a label, its own included."""
    clock = axis.clock
    if not clock.has_dates and clock.kind != "durations":
        raise ValueError(
            f"initial: expected a number of steps or a share, as y has no dates, got {label!r}."
        )
    side = "right"
    if isinstance(label, str) and clock.has_dates:
        try:
            # All of a date in words, as in slices of pandas.
            stamps = np.array([np.datetime64(label) + 1]).astype("M8[us]")
        except ValueError as error:
            raise ValueError(f"initial: expected a date as 2024-06-30, got {label!r}.") from error
        stamps, side = clock.style.to_utc(stamps), "left"
    else:
        if hasattr(label, "to_timestamp"):  # a period, all of which counts
            label = label.to_timestamp(how="end")
        read = read_labels("initial", [label])
        is_date = read.kind == "dates"
        if is_date != clock.has_dates or read.kind == "numbers":
            kind = "durations" if clock.kind == "durations" else "dates"
            raise ValueError(f"initial: expected one of the {kind} of y, got {label!r}.")
        if getattr(label, "tzinfo", None) is not None and clock.style.zone is None:
            raise ValueError(
                f"initial: expected a date without a time zone, as y has none, got {label!r}."
            )
        is_local = isinstance(label, np.datetime64) or (
            isinstance(label, datetime) and label.tzinfo is None
        )
        stamps = clock.style.to_utc(read.stamps) if is_date and is_local else read.stamps
    unit = finest_unit_of(axis.stamps, stamps)
    n = int(np.searchsorted(cast(axis.stamps, unit), cast(stamps, unit)[0], side=side))
    if n == 0:
        first = say_stamp(axis.stamps[0], clock.style)
        raise ValueError(f"initial: expected a label of y, which begins at {first}, got {label!r}.")
    return n


def check_first(forecaster, data, axis, first, n, initial):
    """Refuse a first origin with too little before it, or after it."""
    if axis.n_steps - first - 1 < n:
        raise ValueError(
            f"Expected at least {n} steps of y after the first origin, those to be forecast, got "
            f"{max(axis.n_steps - first - 1, 0)} of {axis.n_steps}: take initial={initial!r} "
            "smaller."
        )
    ends = axis.ends(np.array([first]))[0] if first >= 0 else np.zeros(1)
    longest = int(max(ends))
    is_found = forecaster.window == "auto"
    shape = Shape(1 if is_found else int(forecaster.window), int(forecaster.horizon), 1)
    if is_found and longest:
        panel, of_x, _ = data.cut(np.flatnonzero(ends), ends[ends > 0])
        shape = forecaster._shape(make_tracks(*forecaster._open(panel, of_x)))
    if longest <= shape.window + shape.horizon:
        least = steps_to_fit(shape, is_found)
        raise ValueError(
            f"Expected initial to be at least {least} steps (window of "
            f"{least - shape.horizon - 1}, horizon of {shape.horizon}, and one more), got "
            f"{longest} of {axis.n_steps} with initial={initial!r}."
        )
