"""The spacing of times: the step that the labels of series have in common, or what is irregular."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from skgru._data.frequencies import (
    DAY,
    BusinessDays,
    Fixed,
    Listed,
    Months,
    Offset,
    PeriodStep,
    Step,
)
from skgru._data.labels import RESAMPLE, Labels, PandasStyle, Style, say_stamp
from skgru._data.times import cast, finest_unit_of
from skgru._nn.batch import Indices, Values


def find_step(series: Sequence[Labels]) -> Step | Irregular:
    """Return the step that the labels of series have in common.

    The step is the most frequent one if all labels lie on its grid, which may have gaps. Of months,
    business days and equal differences it is the coarsest that fits.

    Parameters
    ----------
    series : list of Labels
        Of each series, ascending and distinct, of one style.

    Returns
    -------
    Step, or what is irregular
    """
    first = series[0]
    stamps = [labels.stamps for labels in series if len(labels.stamps)]
    if first.kind is None:
        return Fixed(1)
    if first.kind.startswith("period"):
        return PeriodStep(first.freq)
    if first.kind == "dates" and first.freq is not None:
        return _step_of_offset(first.freq)
    if all(len(one) < 2 for one in stamps):
        return Listed(stamps[0][:1] if stamps else first.stamps)
    pool = _Pool.of(stamps)
    local = pool._replace(times=first.style.to_local(pool.times))
    step: Step | None = None
    if first.kind == "dates":
        step = next(_calendar_steps(local, first.style), None)
    step = step or _fixed_step(pool)
    if step is None and first.kind == "dates" and isinstance(first.style, PandasStyle):
        step = _offset_of_pandas(local)
    return step or _first_odd(series, pool)


def place_all(series: Sequence[Labels], step: Step) -> list[Indices] | None:
    """Return the steps that the labels of series stand for, None if one may lie off its grid."""
    stamps = [labels.stamps for labels in series]
    if not all(map(len, stamps)):
        return None
    pool = _Pool.of(stamps)
    if step.is_local:
        pool = pool._replace(times=series[0].style.to_local(pool.times))
    if pool.times.dtype.kind in "mM":
        # Durations are of no finer unit than times, as they are differences of these.
        pool = pool._replace(times=cast(pool.times, finest_unit_of(pool.times)))
    places, is_on_grid = pool.places(step)
    return np.split(places, pool.starts[1:]) if is_on_grid.all() else None


class Irregular(NamedTuple):
    """Stamps that no step leads to.

    Attributes
    ----------
    series : int
        The series of the first of them.
    place : int
        Its place there.
    step : timedelta64, int or float
        The most frequent difference.
    """

    series: int
    place: int
    step: Any

    def tell(self, labels: Labels, where: str) -> str:
        """Return what is irregular, and the remedy."""
        stamps = labels.stamps[self.place - 1 : self.place + 1]
        before, odd = (say_stamp(stamp, labels.style) for stamp in stamps)
        step = _in_words(self.step) if self.step.dtype.kind == "m" else self.step
        return (
            f"Expected equally spaced stamps in {where}, where most are {step} apart, got {odd} "
            f"after {before}: {RESAMPLE}"
        )


def _in_words(step: Any) -> str:
    units = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
    for name, seconds in units.items():
        n = step / np.timedelta64(seconds, "s")
        if n == int(n):
            return f"{int(n)} {name if n != 1 else name[:-1]}"
    return str(step)


class _Pool(NamedTuple):
    """The times of several series, one after another.

    Attributes
    ----------
    times : ndarray of shape (n,)
    starts : ndarray of shape (n_series,)
        Where each series begins.
    """

    times: Values
    starts: Indices

    @classmethod
    def of(cls, series: Sequence[Values]) -> _Pool:
        """Return the pool of series, none of which is empty."""
        lengths = np.fromiter(map(len, series), np.intp, len(series))
        times = series[0] if len(series) == 1 else np.concatenate(series)
        return cls(times, np.cumsum(lengths) - lengths)

    @property
    def firsts(self) -> Values:
        """The first time of each series."""
        firsts: Values = self.times[self.starts]
        return firsts

    def differences(self, of_times: Values) -> Values:
        """Return the differences within each series of something that there is of each time."""
        return np.delete(np.diff(of_times), self.starts[1:] - 1)

    def places(self, step: Step) -> tuple[Indices, Values]:
        """Return the places of all times, each counted from the first of its series."""
        firsts = self.firsts
        if len(firsts) == 1:
            return step.places(firsts[0], self.times)
        lengths = np.diff(np.append(self.starts, len(self.times)))
        return step.places(np.repeat(firsts, lengths), self.times)

    def fits(self, step: Step) -> bool:
        """Whether all times lie on the grid of a step."""
        return bool(self.places(step)[1].all())


def _step_of_offset(freq: Any) -> Step:
    """Return the step of the frequency of an index."""
    import pandas as pd

    if isinstance(freq, pd.offsets.Day):  # whole days are those of the calendar
        return Fixed(np.timedelta64(freq.n, "D"), is_local=True)
    if isinstance(freq, pd.tseries.offsets.Tick):
        return Fixed(_coarse(pd.Timedelta(freq).to_timedelta64()))
    n_months = {"Month": 1, "Quarter": 3, "Year": 12}
    for name, n in n_months.items():
        for where in ("Begin", "End"):
            if type(freq) is getattr(pd.offsets, f"{name}{where}"):  # faster than those of pandas
                return Months(n * freq.n, where == "End", freq)
    return Offset(freq)


def _coarse(delta: Any) -> Any:
    """Return a duration in seconds if it is a whole number of them."""
    seconds = delta.astype("m8[s]")
    return seconds if seconds == delta else delta


def _most_frequent(differences: Values) -> Any:
    """Return the most frequent of differences, of several the smallest."""
    if (differences == differences[0]).all():
        return differences[0]
    if differences.dtype.kind == "f":
        differences = np.round(differences, int(9 - np.floor(np.log10(np.abs(differences).max()))))
    distinct, counts = np.unique(differences, return_counts=True)
    return distinct[np.argmax(counts)]


def _calendar_steps(pool: _Pool, style: Style) -> Iterator[Step]:
    """Yield the steps of the calendar on whose grids local times lie, the coarsest first."""
    head = pool.times[: min(9, *pool.starts[1:2].tolist(), len(pool.times))]
    for from_end in (True, False):
        month = Months(1, from_end)
        rests = month.rest(pool.firsts)
        is_possible = ((rests >= -DAY) & (rests < 28 * DAY)).all()
        # Most series fail at their first times already.
        if is_possible and (month.rest(head) == rests[0]).all():
            n = int(_most_frequent(pool.differences(pool.times.astype("M8[M]").astype(int))))
            if n > 0 and pool.fits(Months(n, from_end)):
                yield Months(n, from_end)
    seconds = _most_frequent(pool.differences(pool.times))
    if seconds % DAY:
        return
    n_days = int(seconds // DAY)
    if n_days < 5 and np.is_busday(head.astype("M8[D]")).all():
        days = pool.times.astype("M8[D]")
        if np.is_busday(days).all():
            counts = pool.differences(np.busday_count(days[0], days))
            n = int(_most_frequent(counts))
            spans_weekend = (counts != pool.differences(days).astype(int)).any()
            if 0 < n < 5 and spans_weekend and pool.fits(BusinessDays(n)):
                yield BusinessDays(n)
    if style.zone is not None:
        days_of_zone = Fixed(np.timedelta64(n_days, "D"), is_local=True)
        if pool.fits(days_of_zone):
            yield days_of_zone


def _fixed_step(pool: _Pool) -> Step | None:
    delta = _most_frequent(pool.differences(pool.times))
    step = Fixed(_coarse(delta) if delta.dtype.kind == "m" else delta.item())
    return step if pool.fits(step) else None


def _offset_of_pandas(pool: _Pool) -> Step | None:
    """Return the offset of pandas on whose grid local times lie, the coarsest."""
    import pandas as pd

    firsts = pd.DatetimeIndex(np.unique(pool.firsts))
    offsets, month = [], int(firsts[0].month)
    for where in ("End", "Begin"):
        offsets += [
            getattr(pd.offsets, f"BYear{where}")(month=month),
            getattr(pd.offsets, f"BQuarter{where}")(startingMonth=(month - 1) % 3 + 1),
            getattr(pd.offsets, f"BMonth{where}")(),
            getattr(pd.offsets, f"SemiMonth{where}")(),
        ]
    times = pd.DatetimeIndex(np.unique(pool.times))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3 announces another type of what it infers
        inferred = pd.infer_freq(times) if len(times) > 2 else None
    if inferred is not None:
        offsets.insert(0, pd.tseries.frequencies.to_offset(inferred))
    are_on = (offset for offset in offsets if all(map(offset.is_on_offset, firsts)))
    return next(filter(pool.fits, map(Offset, are_on)), None)


def _first_odd(series: Sequence[Labels], pool: _Pool) -> Irregular:
    step = _most_frequent(pool.differences(pool.times))
    for i, labels in enumerate(series):
        ratios = np.diff(labels.stamps) / step
        is_odd = np.abs(ratios - np.round(ratios)) > 1e-6
        if is_odd.any():
            return Irregular(i, int(np.argmax(is_odd)) + 1, step)
    # Small odds, of numbers, that add up.
    i = next(i for i, labels in enumerate(series) if len(labels.stamps) > 1)
    return Irregular(i, len(series[i].stamps) - 1, step)
