"""Covariates of series: their rows, on the clocks of the series that they belong to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skgru._data.clock import Clock, check_zones
from skgru._data.panel import Panel, Series, fill_grid
from skgru._nn.batch import Indices, Values


class Matched(NamedTuple):
    """Covariates of a series, on its clock.

    Attributes
    ----------
    values : ndarray of shape (n_steps, n_columns)
        Steps without a row are NaN.
    offset : int
        The step of the series that the first row is of.
    """

    values: Values
    offset: int


def match(y: Panel, x: Panel, *, ahead: bool = False) -> list[Matched]:
    """Return for each series of y the rows of x, on the clock of y.

    Rows belong together by the entity, where both have entities, and by the stamps, where both have
    stamps; else by their order. One x with stamps and without entities belongs to all series. An
    x without either, with as many rows as the table of y, has the same rows.

    Parameters
    ----------
    y : Panel
    x : Panel
        Opened with ``on_grid=False``, so that its stamps need no step of their own.
    ahead : bool, default=False
        Whether rows that have no stamps, or y none, follow those of y; if not, they are the same
        rows, and those beyond them follow.

    Raises
    ------
    ValueError
        If an entity is missing, a stamp lies off the clock of y, or rows cannot be told to belong.
    """
    first, n_rows = x.series[0], sum(len(one.rows) for one in y.series)
    are_both_dated = first.clock.has_dates and y.series[0].clock.has_dates
    if None not in {one.key for panel in (y, x) for one in panel.series}:
        partners = _by_key(y, x)
    elif len(x.series) == 1 and (len(y.series) == 1 or are_both_dated):
        partners = [first] * len(y.series)
    elif len(x.series) == 1 and len(first.values) == n_rows and not (ahead or y.is_list):
        return [_of_rows(one, first) for one in y.series]
    elif len(x.series) == len(y.series):
        partners = x.series
    else:
        raise ValueError(
            f"Expected {x.role} for {len(y.series)} series, one of each in the same order, or rows "
            f"with the entities of {y.role}, or one with dates for all, got {len(x.series)} series "
            f"of {len(first.values)} rows."
        )
    return [
        _match_one(one, other, y, x, ahead) for one, other in zip(y.series, partners, strict=True)
    ]


def _by_key(y: Panel, x: Panel) -> list[Series]:
    series = {one.key: one for one in x.series}
    for one in y.series:
        if one.key not in series:
            raise ValueError(
                f"Expected rows of each series of {y.role} in {x.role}, got none of {one.key!r}."
            )
    return [series[one.key] for one in y.series]


def _of_rows(one: Series, x: Series) -> Matched:
    """Return the rows of x that stand where the rows of a series stand in their container."""
    values = np.full((len(one.values), x.values.shape[1]), np.nan, x.values.dtype)
    values[one.places] = x.values[one.rows]
    return Matched(values, 0)


def _match_one(one: Series, x: Series, y_panel: Panel, x_panel: Panel, ahead: bool) -> Matched:
    clock, other = one.clock, x.clock
    where = x_panel.role if x.key is None else f"{x_panel.role}, of which {x.key!r}"
    given, n_rows = x.values[x.places], len(one.places)
    continues = _continue_count(clock, other)
    if ahead and None in (clock.kind, other.kind) and not continues:
        return Matched(given, len(one.values))
    if clock.kind is not None and not len(one.values):  # which has no stamp to count from
        return Matched(given[:0], 0)
    counts = other.kind == "numbers" and clock.has_dates and len(given) == n_rows and not ahead
    places: Indices
    if continues:
        places = other.stamps(0, len(x.values))[x.places].astype(np.intp)
    elif counts or None in (clock.kind, other.kind):
        # Rows beyond those of the series are its future.
        future = np.arange(max(0, len(given) - n_rows)) + len(one.values)
        places = np.concatenate([one.places, future])[: len(given)]
    elif clock.compares_with(other):
        check_zones(other, clock, where, y_panel.role)
        stamps = other.stamps(0, len(x.values))[x.places]
        places = clock.places(stamps, f"the times of {where}")
    else:
        raise ValueError(
            f"Expected {clock.kind} as the index of {where}, as {y_panel.role} has, got "
            f"{other.kind}: set_index(…) of pandas makes the dates the index."
        )
    if not len(places):
        return Matched(given, 0)
    offset = int(places[0])
    if len(places) == int(places[-1]) + 1 - offset:
        return Matched(given, offset)
    return Matched(fill_grid(given, places - offset), offset)


def _continue_count(clock: Clock, other: Clock) -> bool:
    """Whether labels are counted as those of a series with the default index are, from later on."""
    is_count = clock.kind is None and getattr(clock.style, "is_range", False)
    return is_count and other.kind == "numbers" and getattr(other.style, "is_range", False)
