"""Panels: one or many series, a row for each step of their clocks, and how they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skgru._data.clock import Clock, clocks_of_state, state_of_clocks
from skgru._data.containers import Form, Given, Many, form_of_state
from skgru._data.plain import of_plain, to_plain
from skgru._data.times import cast, finest_unit_of
from skgru._nn.batch import Indices, Values


class Series(NamedTuple):
    """One series on its grid.

    Attributes
    ----------
    key : hashable or None
        The entity, of a panel.
    values : ndarray of shape (n_steps, n_columns)
        Missing ones, and all of the steps that the index leaves out, are NaN.
    clock : Clock
    places : ndarray of shape (n_rows,)
        The step of each row that was given, ascending.
    rows : ndarray of shape (n_rows,)
        Where those stand in their container.
    """

    key: Any
    values: Values
    clock: Clock
    places: Indices
    rows: Indices


@dataclass(frozen=True)
class Panel:
    """Series, and how their container looked.

    Parameters
    ----------
    series : list of Series
    names : list or None
        Of the columns of values.
    form : Form
    role : str
        The container in errors.
    """

    series: list[Series]
    names: list[Any] | None
    form: Form
    role: str

    @property
    def labels_alone(self) -> Panel:
        """A panel that knows labels and form, and neither values nor rows."""
        none = np.empty(0, np.intp)
        series = [
            one._replace(values=np.empty((len(one.values), 0)), places=none, rows=none)
            for one in self.series
        ]
        return Panel(series, self.names, self.form, self.role)

    @property
    def state(self) -> dict[str, Any]:
        """Its labels and its form as plain values."""
        return {
            "keys": [to_plain(one.key) for one in self.series],
            "lengths": np.array([len(one.values) for one in self.series], np.intp),
            "clocks": state_of_clocks([one.clock for one in self.series]),
            "names": to_plain(self.names),
            "form": self.form.state,
            "role": self.role,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Panel:
        """Return the panel of a `state`, which knows labels and form alone."""
        none = np.empty(0, np.intp)
        parts = state["keys"], state["lengths"], clocks_of_state(state["clocks"])
        series = [
            Series(of_plain(key), np.empty((n, 0)), clock, none, none)
            for key, n, clock in zip(*parts, strict=True)
        ]
        return cls(series, of_plain(state["names"]), form_of_state(state["form"]), state["role"])

    @property
    def is_list(self) -> bool:
        """Whether it was a list of containers."""
        return isinstance(self.form, Many)

    def give_back(
        self,
        parts: Sequence[Values],
        starts: Sequence[int],
        names: Sequence[Any] | None = None,
        endings: Sequence[str] | None = None,
    ) -> Any:
        """Return values in the form in which the series came.

        Parameters
        ----------
        parts : list of ndarray of shape (n_i, n_values)
            Of each series.
        starts : list of int
            The step of the first row of each, which may lie in the future.
        names : list or None, default=None
            Of the columns; None = those of the series, where there are as many.
        endings : list of str or None, default=None
            Of the names, where there are several values for each column: ``<name>_<ending>``.

        Returns
        -------
        array, Series, DataFrame, table of Arrow, dict of arrays, or list of such
            One-dimensional if the series were and there is one value in each row.
        """
        n_each = 1 if endings is None else len(endings)
        parts = [part[:, np.newaxis] if part.ndim == 1 else part for part in map(np.asarray, parts)]
        n_values = parts[0].shape[1] // n_each if parts else 1
        if names is None and self.names is not None and len(self.names) == n_values:
            names = self.names
        clocks = [one.clock for one in self.series]
        given = Given(parts, clocks, list(starts), _listed(names), _listed(endings))
        return self.form.give_back(given)


def _listed(names: Sequence[Any] | None) -> list[Any] | None:
    return None if names is None else list(names)


def fill_grid(values: Values, places: Indices) -> Values:
    """Return rows at their places, from 0 to the last; between them rows of NaN."""
    filled = np.full((int(places[-1]) + 1, values.shape[1]), np.nan, values.dtype)
    filled[places] = values
    return filled


def stamps_of(series: Sequence[Series], what: str) -> list[Values] | None:
    """Return the stamps of the steps of each series, in one unit; None unless all have labels.

    Parameters
    ----------
    series : list of Series
    what : str
        Their name in errors.

    Raises
    ------
    ValueError
        If their labels are of several kinds.
    """
    kinds = list(dict.fromkeys(one.clock.kind for one in series))
    if None in kinds:
        return None
    if len(kinds) > 1:
        raise ValueError(f"Expected labels of one kind in all series of {what}, got {kinds}.")
    stamps = [one.clock.stamps(0, len(one.values)) for one in series]
    if stamps[0].dtype.kind in "mM":
        unit = finest_unit_of(*stamps)
        stamps = [cast(part, unit) for part in stamps]
    return stamps
