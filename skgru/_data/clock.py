"""The equally spaced times of a series, with labels for any step, the future too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skgru._data.frequencies import Listed, Step, step_of_state
from skgru._data.labels import RESAMPLE, Style, Zoned, say_stamp, style_of_state
from skgru._data.plain import of_plain, to_plain
from skgru._data.times import cast, finest_unit_of
from skgru._nn.batch import Indices, Values


@dataclass(frozen=True)
class Clock:
    """The times of the steps of a series.

    Parameters
    ----------
    first : datetime64, timedelta64, int or float
        The stamp of step 0.
    step : Step
    style : Style
    kind : str or None
        See `Labels`.
    """

    first: Any
    step: Step
    style: Style
    kind: str | None

    @property
    def has_dates(self) -> bool:
        """Whether steps have dates, or periods."""
        return self.kind not in (None, "durations", "numbers")

    def compares_with(self, other: Clock) -> bool:
        """Whether the labels of both are of one kind; dates and periods are."""
        return self.kind == other.kind or (self.has_dates and other.has_dates)

    @property
    def seconds(self) -> float | None:
        """The nominal length of a step in seconds: of a month 2629746. None without dates."""
        is_listed = isinstance(self.step, Listed)
        return None if is_listed or not self.has_dates else self.step.seconds(self._first)

    def labels(self, start: int, stop: int) -> Any:
        """Return the labels of steps, which may lie before the first or in the future."""
        return self.style.wrap(self.stamps(start, stop), self.step)

    def wrap(self, stamps: Values) -> Any:
        """Return stamps, which need not be equally spaced, as labels."""
        return stamps if self.kind in (None, "numbers") else self.style.wrap(stamps, self.step)

    def stamps(self, start: int, stop: int) -> Values:
        """Return the labels of steps as dates in UTC, durations or numbers of NumPy."""
        return self._at(np.arange(start, stop))

    def local_times(self, start: int, stop: int) -> Values | None:
        """Return the dates of steps by the clock on the wall, as datetime64[s]; None without."""
        if not self.has_dates:
            return None
        return self.style.to_local(self.stamps(start, stop)).astype("M8[s]")

    def places(self, stamps: Values, where: str = "labels") -> Indices:
        """Return the steps that stamps, of this clock's kind, stand for.

        Raises
        ------
        ValueError
            If one lies on no step.
        """
        places, is_on_grid = self._find(stamps)
        if not is_on_grid.all():
            i = int(np.argmin(is_on_grid))
            say = partial(say_stamp, style=self.style)
            near = (
                "" if isinstance(self.step, Listed) else f", near {say(self._at(places[[i]])[0])}"
            )
            raise ValueError(
                f"Expected {where} on the steps of the series, which begins at {say(self.first)}, "
                f"got {say(stamps[i])} in row {i}{near}: bring both to the same steps; {RESAMPLE}."
            )
        return places

    @property
    def _first(self) -> Any:
        """The time of step 0, by the calendar that the step goes by."""
        first = np.asarray([self.first])
        return (self.style.to_local(first) if self.step.is_local else first)[0]

    def _at(self, places: Indices) -> Values:
        times = self.step.times(self._first, places)
        wraps = (times < self._first) != (places < 0)
        if wraps.any():
            raise ValueError(
                f"Expected labels that 64 bits hold in their unit, got none for step "
                f"{places[np.argmax(wraps)]} of a series that begins at "
                f'{say_stamp(self.first, self.style)}: as_unit("us") of pandas holds later dates.'
            )
        return self.style.to_utc(times) if self.step.is_local else times

    def _find(self, stamps: Values) -> tuple[Indices, Values]:
        first = np.asarray([self._first])
        times = self.style.to_local(stamps) if self.step.is_local else stamps
        if times.dtype.kind in "mM":
            unit = finest_unit_of(first, times)
            first, times = cast(first, unit), cast(times, unit)
        places, is_on_grid = self.step.places(first[0], times)
        if self.step.is_local and self.style.zone is not None and not is_on_grid.all():
            # A time that a clock set forward leaves out has been moved to one that there is.
            others = np.flatnonzero(~is_on_grid)
            is_on_grid[others] = self._at(places[others]) == stamps[others]
        return places, is_on_grid


def check_zones(clock: Clock, other: Clock, where: str, of: str) -> None:
    """Refuse dates with a time zone where another container's have none, or the other way round.

    Parameters
    ----------
    clock, other : Clock
        Of the container, and of the one that it belongs to.
    where, of : str
        Their names in errors.
    """
    can_have_one = all(isinstance(one.style, Zoned) and one.has_dates for one in (clock, other))
    if can_have_one and (clock.style.zone is None) != (other.style.zone is None):
        wanted, got = (
            f"the time zone {one.style.zone}" if one.style.zone else "no time zone"
            for one in (other, clock)
        )
        raise ValueError(
            f"Expected dates of {wanted} in {where}, as in {of}, got dates of {got}: tz_localize, "
            "or tz_convert(<zone>) and tz_localize(None), of pandas make them alike."
        )


def state_of_clocks(clocks: Sequence[Clock]) -> dict[str, Any]:
    """Return clocks as plain values; those of one container share their style, and most a step."""
    styles = {id(clock.style): clock.style for clock in clocks}
    steps = {id(clock.step): clock.step for clock in clocks}
    return {
        "styles": [style.state for style in styles.values()],
        "steps": [step.state for step in steps.values()],
        "style_of": _places(styles, [clock.style for clock in clocks]),
        "step_of": _places(steps, [clock.step for clock in clocks]),
        "firsts": [to_plain(clock.first) for clock in clocks],
        "kinds": [clock.kind for clock in clocks],
    }


def _places(distinct: Mapping[int, Any], parts: Sequence[Any]) -> Indices:
    """Return where each of some objects stands among those that differ, by their ids."""
    place = {key: i for i, key in enumerate(distinct)}
    return np.array([place[id(part)] for part in parts], np.intp)


def clocks_of_state(state: Mapping[str, Any]) -> list[Clock]:
    """Return the clocks of a state."""
    styles = [style_of_state(style) for style in state["styles"]]
    steps = [step_of_state(step) for step in state["steps"]]
    parts = (state[name] for name in ("firsts", "step_of", "style_of", "kinds"))
    return [
        Clock(of_plain(first), steps[step], styles[style], kind)
        for first, step, style, kind in zip(*parts, strict=True)
    ]
