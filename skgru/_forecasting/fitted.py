"""What a forecaster keeps of `fit`, and the forecasts from it: of its series, and of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skgru._data.clock import check_zones
from skgru._data.panel import Panel
from skgru._forecasting.ahead import forecast_ahead
from skgru._forecasting.ensemble import Ensemble
from skgru._forecasting.networks import Forecast
from skgru._forecasting.roles import Columns
from skgru._forecasting.static import StaticColumns
from skgru._forecasting.tracks import Track, add_future, make_sources, said_of, tracks_of, units_of
from skgru._forecasting.window import Array, Indices, Source, Windows
from skgru._saved import DamagedError, expect, expect_array, expect_numbers


class Query(NamedTuple):
    """Series whose future is asked for.

    Attributes
    ----------
    tracks : list of Track
    panel : Panel, the form in which forecasts go back
    units : list of ndarray of shape (n_targets,), what the values of each are divided by
    static : ndarray of shape (n_tracks, n_static)
    places : ndarray of shape (n_tracks,), which series of fit they are, -1 for others
    """

    tracks: list[Track]
    panel: Panel
    units: list[Array]
    static: Array
    places: Indices

    @property
    def owners(self) -> Indices:
        """The targets of the series of fit that the targets of the tracks are, -1 for others."""
        n_targets = len(self.units[0])
        own = self.places[:, np.newaxis] * n_targets + np.arange(n_targets)
        owners: Indices = np.where(self.places[:, np.newaxis] < 0, -1, own).ravel()
        return owners

    def only(self, i: int) -> Query:
        """Return one of the series."""
        panel = replace(self.panel, series=[self.panel.series[i]])
        places = self.places[[i]]
        return Query([self.tracks[i]], panel, [self.units[i]], self.static[[i]], places)

    def by_track(self, values: Array) -> list[Array]:
        """Return forecasts (n_tracks * n_targets, n_steps), one (n_steps, n_targets) per track.

        They are in the units of y then.
        """
        in_units = values * np.concatenate(self.units)[:, np.newaxis]
        return [part.T for part in np.split(in_units, len(self.tracks))]

    def give_back(
        self, parts: Sequence[Array], columns: Columns, endings: Sequence[str] | None = None
    ) -> Any:
        """Return what is forecast of each track, in the form that the series had."""
        ends = [track.end for track in self.tracks]
        return self.panel.give_back(parts, ends, columns.target_names, endings)


class FittedSeries(NamedTuple):
    """What a forecaster keeps of `fit`.

    Attributes
    ----------
    panel : Panel, labels and form of y alone
    tracks : list of Track, as many last steps of the series as forecasts read
    columns : Columns
    cycles : list of str, of the calendar
    seconds : float or None, the length of a step
    encoder : StaticColumns or None
    units : list of ndarray of shape (n_targets,)
    static : ndarray of shape (n_series, n_static)
    model : Ensemble
    """

    panel: Panel
    tracks: list[Track]
    columns: Columns
    cycles: list[str]
    seconds: float | None
    encoder: StaticColumns | None
    units: list[Array]
    static: Array
    model: Ensemble

    @property
    def state(self) -> dict[str, Any]:
        """It as plain values."""
        return {
            "panel": self.panel.state,
            "values": _joined([track.values for track in self.tracks]),
            "covariates": _joined([track.covariates for track in self.tracks]),
            "starts": np.array([track.start for track in self.tracks], np.intp),
            "columns": self.columns.state,
            "cycles": self.cycles,
            "seconds": self.seconds,
            "encoder": self.encoder and self.encoder.state,
            "units": np.array(self.units),
            "static": self.static,
            "model": self.model.state,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> FittedSeries:
        """Return what a forecaster keeps, of a `state`.

        Raises
        ------
        DamagedError
            If no fit has left it so.
        ImportError
            If a library is lacking whose labels or containers the series had.
        """
        try:
            return cls._of_state(state)
        except (DamagedError, ImportError):
            raise
        except Exception as error:  # whatever a value of another type leads to
            raise DamagedError(
                f"its values do not make a forecaster ({type(error).__name__}: {error})"
            ) from error

    @classmethod
    def _of_state(cls, state: Mapping[str, Any]) -> FittedSeries:
        panel, encoder = Panel.of_state(state["panel"]), state["encoder"]
        tracks = [
            Track(one.key, values, covariates, one.clock, int(start))
            for one, values, covariates, start in zip(
                panel.series,
                _apart(state["values"]),
                _apart(state["covariates"]),
                state["starts"],
                strict=True,
            )
        ]
        fitted = cls(
            panel,
            tracks,
            Columns.of_state(state["columns"]),
            state["cycles"],
            state["seconds"],
            encoder and StaticColumns.of_state(encoder),
            list(state["units"]),
            state["static"],
            Ensemble.of_state(state["model"]),
        )
        fitted._check()
        return fitted

    def _check(self) -> None:
        """Refuse parts that do not belong together."""
        n_series, n_targets = len(self.tracks), len(self.columns.targets)
        for track in self.tracks:
            n, n_covariates = len(track.values), self.columns.n_covariates
            expect_array(track.values, "the values of a series", (n, n_targets))
            expect_array(track.covariates, "covariates", (len(track.covariates), n_covariates))
            expect(len(track.covariates) >= n, f"covariates of {n} steps", len(track.covariates))
        expect_numbers(np.array(self.units), "units", (n_series, n_targets), least=0)
        expect_array(self.static, "static", (n_series, self.static.shape[1]))
        self.model.check_learned(len(self.columns.known), self.columns.n_covariates)

    def own(self, x: Panel | None, n_steps: int) -> Query:
        """Return the series of fit, of whose future x knows n_steps."""
        tracks = self.tracks
        if x is not None:
            tracks = add_future(tracks, self.panel, x, self.columns, n_steps)
        return Query(tracks, self.panel, self.units, self.static, np.arange(len(tracks)))

    def given(self, y: Panel, x: Panel | None, static: Any = None) -> Query:
        """Return other series, or more of the same.

        Raises
        ------
        ValueError
            If columns are not those of fit, or static is lacking or was none in fit.
        """
        tracks = tracks_of(y, x, self.columns)
        keys = [track.key for track in tracks]
        places = self._places(keys)
        own = units_of(tracks)
        units = [own[i] if k < 0 else self.units[k] for i, k in enumerate(places)]
        if self.encoder is None:
            if static is not None:
                raise ValueError("Expected no static, as fit was given none.")
            about = np.zeros((len(tracks), 0))
        elif static is not None:
            about = self.encoder.transform(static, keys)
        elif min(places) >= 0:
            about = self.static[places]
        else:
            raise ValueError(
                "Expected static for series that were not in fit, as fit was given it, got None."
            )
        return Query(tracks, y, units, about, np.array(places))

    def _places(self, keys: Sequence[Any]) -> list[int]:
        """Return which of the series of fit some are; -1 for others."""
        n = len(self.tracks)
        if None in keys:
            return list(range(n)) if len(keys) == n else [-1] * len(keys)
        places = {track.key: i for i, track in enumerate(self.tracks)}
        return [places.get(key, -1) for key in keys]

    def continued(self, y: Panel, x: Panel | None) -> tuple[Query, list[int]]:
        """Return the series of fit with what follows them, and how many steps that is of each.

        Raises
        ------
        ValueError
            If a series was not in fit, has labels of another kind, or begins before its end there.
        """
        following = self.given(y, x)
        tracks, n_new = [], []
        for later, place in zip(following.tracks, following.places, strict=True):
            if place < 0:
                raise ValueError(f"Expected series of fit in y, got another{said_of(later.key)}.")
            before = self.tracks[place]
            gap = _gap(before, later)
            if gap < 0:
                raise ValueError(
                    f"Expected y to follow the series of fit, got {-gap} steps of "
                    f"theirs{said_of(later.key)}."
                )
            tracks.append(before.followed_by(later, gap))
            n_new.append(tracks[-1].end - before.end)
        return following._replace(tracks=tracks), n_new

    def sources(self, query: Query, n_steps: int) -> list[Source]:
        """Return a source for each target of each series, with what is known of n_steps ahead."""
        tracks, _, units, static, _ = query
        return make_sources(tracks, units, static, self.columns, self.cycles, n_steps)

    def forecast(
        self, query: Query, origins: Sequence[Indices], n_steps: int
    ) -> tuple[Windows, Forecast]:
        """Return windows that end at some steps of each track, and forecasts of what follows."""
        of_targets = [steps for steps in origins for _ in self.columns.targets]
        return forecast_ahead(self.model, self.sources(query, n_steps), of_targets, n_steps)


def _gap(before: Track, later: Track) -> int:
    """Return how many steps lie between the end of a track and the start of what follows it."""
    clock, other = before.clock, later.clock
    if None in (clock.kind, other.kind):
        return 0
    if not clock.compares_with(other):
        raise ValueError(
            f"Expected {clock.kind} as labels of y{said_of(later.key)}, as in fit, got "
            f"{other.kind}."
        )
    check_zones(other, clock, "y", "fit")
    places = clock.places(other.stamps(0, len(later.values)), "the labels of y")
    if (np.diff(places) != 1).any():
        raise ValueError(
            f"Expected y at every step that follows the series of fit{said_of(later.key)}, got a "
            "longer step: asfreq(…) of pandas adds the steps that are left out."
        )
    return int(places[0]) - before.end


def _joined(parts: Sequence[Array]) -> dict[str, Any]:
    """Return arrays one after another, and how many rows each has."""
    return {
        "values": np.concatenate(parts),
        "lengths": np.array([len(part) for part in parts], np.intp),
    }


def _apart(state: Mapping[str, Any]) -> list[Array]:
    """Return the arrays that have been joined.

    Raises
    ------
    DamagedError
        If there are other rows than those.
    """
    values, ends = state["values"], np.cumsum([0, *state["lengths"]])
    expect(len(values) == ends[-1], f"{ends[-1]} rows of the series", len(values))
    return [values[start:stop] for start, stop in pairwise(ends)]
