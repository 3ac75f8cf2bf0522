"""Frequencies: the step from each time of a series to the next.

Steps of days, months and business days go by the local calendar, those of hours and shorter ones,
and numbers, by equal differences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skgru._data.plain import of_plain, to_plain
from skgru._nn.batch import Indices, Values

DAY = np.timedelta64(1, "D")
_MONTH_SECONDS = 2_629_746.0  # a twelfth of 365.2425 days
_N_NOMINAL = 120  # steps; of months ten years, of business days 24 weeks


class Step(ABC):
    """The way from each time of a series to the next.

    Attributes
    ----------
    is_local : bool
        Whether it goes by the local calendar, else by UTC.
    """

    is_local = False

    @abstractmethod
    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places, counted from `first` at place 0."""

    @abstractmethod
    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, or the last before them, and whether each lies on the grid.

        `first`, which may be one for each of the times, and `times` have one type.
        """

    def seconds(self, first: Any) -> float:
        """Return the nominal length of a step of dates."""
        ends = self.times(first, np.array([0, _N_NOMINAL]))
        seconds = float((ends[1] - ends[0]) / np.timedelta64(1, "s")) / _N_NOMINAL
        n_months = round(seconds / _MONTH_SECONDS)
        is_of_months = n_months > 0 and abs(seconds / (n_months * _MONTH_SECONDS) - 1) < 1e-3
        return n_months * _MONTH_SECONDS if is_of_months else seconds

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas, None where there is none."""
        return None

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        parameters = {name: to_plain(value) for name, value in vars(self).items()}
        return {"kind": type(self).__name__, **parameters}


@dataclass(frozen=True)
class Fixed(Step):
    """Steps of equal differences.

    Parameters
    ----------
    delta : timedelta64, int or float
    is_local : bool, default=False
        Whether days are those of the calendar, of 23 to 25 hours.
    """

    delta: Any
    is_local: bool = False

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        times: Values = first + places * self.delta
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        ratios = (times - first) / self.delta if times.dtype.kind == "f" else None
        if ratios is None:
            since, delta = times - first, self.delta
            places = (since // delta).astype(np.intp)
            return places, since == places * delta
        places = np.round(ratios).astype(np.intp)
        digits = 4 * np.spacing(np.abs(times).max(initial=0)) / self.delta
        return places, np.abs(ratios - places) <= 1e-6 + digits

    def seconds(self, first: Any) -> float:
        """Return the length of a step."""
        return float(self.delta / np.timedelta64(1, "s"))

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        import pandas as pd

        if self.delta % DAY:
            return pd.tseries.frequencies.to_offset(pd.Timedelta(self.delta))
        n_days = int(self.delta // DAY)
        if n_days % 7 or first != first.astype("M8[D]"):
            return pd.offsets.Day(n_days)
        return pd.offsets.Week(
            n_days // 7, weekday=int((first.astype("M8[D]").astype(int) + 3) % 7)
        )


@dataclass(frozen=True)
class Months(Step):
    """Steps of whole months: a quarter has three, a year twelve.

    Parameters
    ----------
    n : int
    from_end : bool
        Whether times keep their distance to the end of the month, else to its start.
    given : DateOffset or None, default=None
        The offset of pandas that it stands for.
    """

    n: int
    from_end: bool
    given: Any = None
    is_local = True

    def _month(self, times: Any) -> Any:
        """Return the month on whose start the times depend."""
        return times.astype("M8[M]") + np.timedelta64(int(self.from_end), "M")

    def rest(self, times: Any) -> Any:
        """Return the distance of times to the start, or the end, of their month."""
        return times - self._month(times).astype(times.dtype)

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        months = self._month(first) + self.n * places.astype("m8[M]")
        times: Values = months.astype(first.dtype) + self.rest(first)
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        n_months = (self._month(times) - self._month(first)).astype(np.intp)
        is_on_grid = (n_months % self.n == 0) & (self.rest(times) == self.rest(first))
        return n_months // self.n, is_on_grid

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        if self.given is not None:
            return self.given
        import pandas as pd

        month, where = (
            int(first.astype("M8[M]").astype(int) % 12) + 1,
            "End" if self.from_end else "Begin",
        )
        if not (self.from_end or first.astype("M8[D]") == first.astype("M8[M]")):
            return None
        if self.n % 12 == 0:
            return getattr(pd.offsets, f"Year{where}")(self.n // 12, month=month)
        if self.n % 3 == 0:
            make, start = getattr(pd.offsets, f"Quarter{where}"), 10 if self.from_end else 1
            return make(self.n // 3, startingMonth=(month - 1) % 3 + start)
        return getattr(pd.offsets, f"Month{where}")(self.n)


@dataclass(frozen=True)
class BusinessDays(Step):
    """Steps of days, Monday to Friday.

    Parameters
    ----------
    n : int
    """

    n: int
    is_local = True

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        day = first.astype("M8[D]")
        days = np.busday_offset(day, self.n * places)
        times: Values = days.astype(first.dtype) + (first - day)
        return times

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        day, days = first.astype("M8[D]"), times.astype("M8[D]")
        n_days = np.busday_count(day, days)
        is_on_grid = np.is_busday(days) & (times - days == first - day) & (n_days % self.n == 0)
        return n_days // self.n, is_on_grid

    def offset(self, first: Any) -> Any:
        """Return the step as an offset of pandas."""
        import pandas as pd

        return pd.offsets.BusinessDay(self.n)


class _Ranged(Step):
    """Steps whose times a library makes, in a row."""

    @abstractmethod
    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times at places from `start`, of 0 or less, to `stop`, of 1 or more."""

    def times(self, first: Any, places: Indices) -> Values:
        """Return the times at places."""
        if not len(places):
            return np.asarray([first])[:0]
        start, stop = min(int(places.min()), 0), max(int(places.max()), 0) + 1
        return self.times_from(first, start, stop)[places - start]

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each lies on the grid."""
        if np.ndim(first):  # of several series, if they have one grid
            places, is_on_grid = self.places(first.min(), times)
            firsts, are_on_grid = self.places(first.min(), first)
            return places - firsts, is_on_grid & are_on_grid
        start, stop = 0, max(len(times), 1)
        grid = self.times_from(first, start, stop)
        while len(times) and grid[-1] < times.max():
            stop = 2 * stop
            grid = self.times_from(first, start, stop)
        while len(times) and grid[0] > times.min():
            start = 2 * start - 1
            grid = self.times_from(first, start, stop)
        places = np.searchsorted(grid, times, side="right") - 1
        return places + start, grid[places] == times


@dataclass(frozen=True)
class Offset(_Ranged):
    """Steps of any offset of pandas.

    Parameters
    ----------
    given : DateOffset
    """

    given: Any
    is_local = True

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times of a range."""
        import pandas as pd

        later = pd.date_range(first, periods=stop, freq=self.given).to_numpy()
        if start == 0:
            times: Values = later
            return times
        earlier = pd.date_range(end=first, periods=1 - start, freq=self.given).to_numpy()
        return np.concatenate([earlier[:-1], later])

    def offset(self, first: Any) -> Any:
        """Return the offset."""
        return self.given


@dataclass(frozen=True)
class PeriodStep(_Ranged):
    """Steps of periods of pandas.

    Parameters
    ----------
    freq : DateOffset
    """

    freq: Any

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the starts of a range of periods."""
        import pandas as pd

        period = pd.Period(first, self.freq) + start
        periods = pd.period_range(period, periods=stop - start, freq=self.freq)
        starts: Values = periods.to_timestamp(how="start").to_numpy()
        return starts


@dataclass(frozen=True)
class Listed(_Ranged):
    """Times without a step: a single one, or as irregular as they come.

    Parameters
    ----------
    stamps : ndarray
    """

    stamps: Values

    def times_from(self, first: Any, start: int, stop: int) -> Values:
        """Return the times that there are."""
        if start < 0 or stop > len(self.stamps):
            n = len(self.stamps)
            why = {0: "it has no stamp", 1: "a single stamp tells no step"}.get(
                n, "its stamps are not equally spaced"
            )
            raise ValueError(
                f"No label for step {start if start < 0 else stop - 1} of a series of {n}: {why}. "
                "asfreq(…) of pandas gives an index its frequency."
            )
        return self.stamps

    def places(self, first: Any, times: Values) -> tuple[Indices, Values]:
        """Return the places of times, and whether each is one of those."""
        places = np.searchsorted(self.stamps, times, side="right") - 1
        return places, self.stamps[places] == times


_STEPS: dict[str, type[Step]] = {
    kind.__name__: kind for kind in (Fixed, Months, BusinessDays, Offset, PeriodStep, Listed)
}


def step_of_state(state: Mapping[str, Any]) -> Step:
    """Return the step of a `state`."""
    parameters = {name: of_plain(value) for name, value in state.items()}
    return _STEPS[parameters.pop("kind")](**parameters)
