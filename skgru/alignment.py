"""Turn events, one row per measurement, into sequences, the input of a recurrent network."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import timedelta
from itertools import pairwise
from numbers import Real
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skgru._callbacks import as_one_task
from skgru._compat import CallbackSupportMixin, StrOptions, fit_context, is_array, is_list, names_of
from skgru._data.arrays import check_not_deferred
from skgru._data.columns import Rows, check_finite, parse_times, parse_values, to_objects
from skgru._data.events import cells_of, columns_of_events, join_cells
from skgru._data.keys import (
    check_types_of_keys,
    distinct_keys,
    keys_as_array,
    number_keys,
    type_of_key,
)
from skgru._data.times import cast, finest_unit_of, in_seconds, to_ticks
from skgru._estimator import Estimator, hints_at_names
from skgru._types import Aggregate, ArrayLike, Column, Output

__all__ = ["SequenceAligner"]

# How to aggregate runs of values, each ordered by time: run i is the values from `starts[i]` on,
# `counts[i]` of them.
_AGGREGATES = {
    "mean": lambda values, starts, counts: np.add.reduceat(values, starts) / counts,
    "sum": lambda values, starts, counts: np.add.reduceat(values, starts),
    "min": lambda values, starts, counts: np.minimum.reduceat(values, starts),
    "max": lambda values, starts, counts: np.maximum.reduceat(values, starts),
    "first": lambda values, starts, counts: values[starts],
    "last": lambda values, starts, counts: values[starts + counts - 1],
    "count": lambda values, starts, counts: counts,
}
_LARGEST_GRID = 10**8


class SequenceAligner(
    CallbackSupportMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None
):
    """Align the channels of events, one row per measurement, to sequences.

    Databases of measurements hold a row for each: which sample (patient, machine, ...), when,
    which channel (quantity, sensor, ...) and the value. This transformer makes a sequence of the
    events of each sample: a row for each time at which any channel was measured or, with `freq`,
    for each bin of a regular grid; a column for the time, then one for each channel. A channel
    that has no value there is NaN.

    X is either one table of the events of all samples, or a column with a table for each sample.
    Rows of the latter are samples: it can be split, cross-validated and put into a pipeline.

    Parameters
    ----------
    sample : str or other hashable, default='sample'
        The name of the column that says which sample an event belongs to. Samples are strings,
        numbers, dates or anything else that is hashable. Whole numbers of any size stay apart, and
        so do dates to the nanosecond. In a table for each sample, there need not be such a column,
        and it is ignored.

    time : str or other hashable, default='time'
        The name of the column of times: numbers, or datetimes or durations, which become seconds
        (datetimes since 1970 in UTC; those without a time zone count as UTC). They are compared
        exactly, datetimes and durations in their finest unit and integers to 64 bits.

    channel : str or other hashable, default='channel'
        The name of the column of channels, the quantities measured: strings, numbers or anything
        else that is hashable, as of samples.

    value : str or other hashable, default='value'
        The name of the column of values: numbers or booleans.

    channels : array-like of shape (n_channels,), default=None
        The channels that become columns, in this order; of the type of those in the events. None
        takes those that have a value in `fit`, sorted.

    freq : float, str, datetime.timedelta or np.timedelta64, default=None
        The width of the bins of a regular grid: a number in the unit of the times (seconds, if they
        are datetimes or durations), or, for datetimes and durations, a duration or a string that
        ``pandas.Timedelta`` reads, such as '15min'. None makes a step of each time of a sample.

    aggregate : {'mean', 'sum', 'min', 'max', 'first', 'last', 'count'} or dict, default='mean'
        The summary of several values of a channel in one bin or, without `freq`, at one time.
        'first' and 'last' are by time, and by the order of the events where times are equal. A
        dict names it for single channels; for the others it is 'mean'. Where a channel has no
        value, 'count' gives 0 and the others NaN.

    handle_unknown : {'error', 'ignore'}, default='error'
        The treatment of events of channels that are not learned: an error, or leaving them out.
        With `channels` given, this holds in `fit` too.

    with_time : bool, default=True
        Whether the first column holds the time of each step.

    Attributes
    ----------
    channels_ : ndarray of shape (n_channels,)
        The channels in the order of their columns; dates as in `samples_`.

    samples_ : ndarray of shape (n_samples,)
        The samples seen in `fit` in order of their first event, the order in which
        `fit_transform` returns them unless it is told another. Datetimes are in UTC and without a
        time zone, and dates are datetimes. Where X had a table for each sample, their positions.

    See Also
    --------
    GRUClassifier : Classify sequences; ``time_feature=0`` tells it of the column of times.
    GRURegressor : Regression on sequences.
    make_sequences : Sequences of a table with a row for each step, a column for each channel.
    make_windows : Cut long series into windows and the values that follow them.

    Notes
    -----
    Channels of different frequencies, measured by clocks that know nothing of each other, are the
    normal case: nothing is resampled or interpolated unless asked for. A value measured once a
    day stands in one row among the hundreds of a value measured each minute. If that makes
    sequences too long, `freq` bounds their length: bin k reaches from k · freq up to but not
    including (k + 1) · freq, counted from time 0 (1970 for datetimes), the time of its step is its
    start, and all bins from the sample's first to its last event have a step. A number that
    rounding puts less than 1e-9 of a bin before the next bin belongs to that one.

    An event whose value is missing (None, NaN) says only that its sample exists: it makes no step,
    and its channel is not learned from it. A sample without any value is an empty sequence.

    The order of the events does not matter, save among those of one time.

    The column of times is float64, which tells seconds since 1970 to 0.25 µs, and whole numbers up
    to 2**53. Times that are closer remain steps of their own, with equal or nearly equal times.
    Count them from a start of the sample's own where their differences matter.

    A column with a table for each sample is a list, a tuple, an object array, a Series, or a frame
    or an array of this one column. An element holds the events of one sample: a DataFrame, an Arrow
    table, a structured array or a dict of columns, with the columns of time, channel and value; an
    array of shape (n_events, 3) or a list of such rows (or of a dict each). One that is missing
    (None, NaN) or empty is a sample without events. Columns of polars and Arrow may hold these as
    structs of lists or lists of structs. The types of times, channels and values are decided over
    all samples. The sequences are those of one table of the same events, in the order of the
    elements, so that `samples` has nothing to say and is refused.

    X is such a column if its first element that is neither missing nor empty is a table, or a list
    or an array whose first two elements are themselves rows. An element of plain cells is an
    event of one table: ``("ann", 0.0, "pulse", 71)``.

    Only the channels are learned. To align all events before a cross-validation over the
    sequences therefore leaks nothing, while splitting the rows of events would cut samples apart.

    In a pipeline, `samples` reaches `transform` and `fit_transform` by metadata routing: after
    ``sklearn.set_config(enable_metadata_routing=True)``, a pipeline that starts with
    ``SequenceAligner().set_transform_request(samples=True)`` takes ``fit(events, y, samples=ids)``,
    with `ids` in the order of `y`, and ``predict(events, samples=ids)``.

    Examples
    --------
    >>> from skgru import SequenceAligner
    >>> events = [
    ...     ("ann", 0.0, "pulse", 71),
    ...     ("bob", 0.0, "pulse", 60),
    ...     ("ann", 0.5, "pulse", 73),
    ...     ("ann", 0.5, "temperature", 36.6),
    ...     ("ann", 2.0, "temperature", 37.0),
    ... ]
    >>> aligner = SequenceAligner()
    >>> ann, bob = aligner.fit_transform(events)
    >>> ann
    array([[ 0. , 71. ,  nan],
           [ 0.5, 73. , 36.6],
           [ 2. ,  nan, 37. ]])
    >>> bob
    array([[ 0., 60., nan]])
    >>> aligner.get_feature_names_out()
    array(['time', 'pulse', 'temperature'], dtype=object)

    The samples that targets are known for, in the order of the targets:

    >>> [len(x) for x in aligner.transform(events, samples=["bob", "ann", "eve"])]
    [1, 3, 0]

    A column with a table for each sample, in which a third sample has no events:

    >>> import pandas as pd
    >>> table = pd.DataFrame(events, columns=["stay", "time", "channel", "value"])
    >>> of_stays = table.groupby("stay")[["time", "channel", "value"]]
    >>> stays = pd.Series(dict(iter(of_stays))).reindex(["bob", "ann", "eve"])
    >>> stays["ann"]
       time      channel  value
    0   0.0        pulse   71.0
    2   0.5        pulse   73.0
    3   0.5  temperature   36.6
    4   2.0  temperature   37.0
    >>> [len(x) for x in SequenceAligner().fit_transform(stays)]
    [1, 3, 0]

    A regular grid:

    >>> aligner = SequenceAligner(freq=1, aggregate={"pulse": "max"})
    >>> aligner.fit_transform(events)[0]
    array([[ 0. , 73. , 36.6],
           [ 1. ,  nan,  nan],
           [ 2. ,  nan, 37. ]])
    """

    _parameter_constraints: dict[str, Any] = {
        "sample": [Hashable],
        "time": [Hashable],
        "channel": [Hashable],
        "value": [Hashable],
        "channels": ["array-like", None],
        "freq": [
            timedelta,
            np.timedelta64,
            Real,
            str,
            None,
        ],
        "aggregate": [StrOptions(set(_AGGREGATES)), Mapping],
        "handle_unknown": [StrOptions({"error", "ignore"})],
        "with_time": ["boolean"],
    }

    @hints_at_names
    def __init__(
        self,
        *,
        sample: Column = "sample",
        time: Column = "time",
        channel: Column = "channel",
        value: Column = "value",
        channels: ArrayLike | None = None,
        freq: float | str | timedelta | np.timedelta64 | None = None,
        aggregate: Aggregate | Mapping[Any, Aggregate] = "mean",
        handle_unknown: Literal["error", "ignore"] = "error",
        with_time: bool = True,
    ) -> None:
        self.sample = sample
        self.time = time
        self.channel = channel
        self.value = value
        self.channels = channels
        self.freq = freq
        self.aggregate = aggregate
        self.handle_unknown = handle_unknown
        self.with_time = with_time

    @fit_context(prefer_skip_nested_validation=True)
    @as_one_task
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the channels.

        Parameters
        ----------
        X : DataFrame, dict of arrays, (n_events, 4) array-like, or column of n_samples tables
            The events: a pandas or polars DataFrame, an Arrow table, a structured array or a dict
            with the four columns named in the parameters (others are ignored), or rows of sample,
            time, channel and value. Times must be finite, values finite or missing; a masked cell
            is missing. Or a column with a table of events for each sample; see the Notes.

        y : None
            This parameter is ignored.

        Returns
        -------
        self : object
            Fitted aligner.

        Raises
        ------
        ValueError
            If a column is missing, a sample, time or channel is, a time or value is infinite or
            not a number, a sample or channel is a float of 2**53 or more, no channel is left, or
            `channels` are of another type than those of the events.
        """
        return self._learn(self._open(X))

    def _learn(self, table):
        events = self._parse(table)
        if self.channels is None:
            channels = _sorted_channels(events)
        else:
            channels = distinct_keys(self.channels, "channels")
            if not channels:
                raise ValueError("Expected at least one channel in channels, got none.")
            check_types_of_keys(channels, events.channels, "channels", self.channel)
            self._columns_of(events, channels)
        self._aggregates_of(channels)
        self._width_of_bins(events.ticks)

        self.channels_ = keys_as_array(channels)
        self.samples_ = keys_as_array(events.samples)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @as_one_task
    def fit_transform(self, X: ArrayLike, y: None = None, samples: ArrayLike | None = None) -> Any:
        """Learn the channels, and return the sequence of each sample.

        Parameters
        ----------
        X : DataFrame, dict of arrays, (n_events, 4) array-like, or column of n_samples tables
            The events, as in `fit`.

        y : None
            This parameter is ignored.

        samples : array-like of shape (n_samples,), default=None
            The samples to return, in this order, as in `transform`. The channels are learned from
            the events of all samples. None where X has a table for each sample.

        Returns
        -------
        X_new : list of n_samples ndarrays of shape (n_steps_i, n_columns)
            The sequences, as of `transform`.

        Raises
        ------
        ValueError
            As in `fit` and `transform`.
        """
        table = self._open(X, samples)
        return self._learn(table)._align(table, samples)

    def transform(self, X: ArrayLike, samples: ArrayLike | None = None) -> Any:
        """Return the sequence of each sample.

        Parameters
        ----------
        X : DataFrame, dict of arrays, (n_events, 4) array-like, or column of n_samples tables
            The events, as in `fit`.

        samples : array-like of shape (n_samples,), default=None
            The samples to return, in this order; of the type of those in X (the text "1" is not the
            number 1). One without events is an empty sequence; events of other
            samples are ignored. None returns all samples in order of their first event. Where X has
            a table for each sample, None is the only choice, and returns them in their order.

        Returns
        -------
        X_new : list of n_samples ndarrays of shape (n_steps_i, n_columns)
            Of each sample the steps in order of time: the time (unless ``with_time=False``), then
            the value of each channel, NaN where it has none.

        Raises
        ------
        ValueError
            As in `fit`, and if there are events of a channel that is not learned (unless
            ``handle_unknown='ignore'``), `samples` has one twice or one of another type than those
            of X or is given for a column of tables, or the grid of `freq` is too large.
        """
        check_is_fitted(self)
        return self._align(self._open(X, samples), samples)

    def _align(self, table, samples=None):
        events = self._parse(table, samples)
        channels = self.channels_.tolist()
        if not set(map(type_of_key, channels)) & set(map(type_of_key, events.channels)):
            check_types_of_keys(channels, events.channels, "channels", self.channel)
        columns = self._columns_of(events, channels)
        known = np.flatnonzero(columns >= 0)
        order = known[np.lexsort((events.ticks[known], events.sample_of[known]))]
        lengths, step_of, times = self._steps(
            events.sample_of[order], events.ticks[order], len(events.samples), len(channels)
        )
        aggregates = np.array(self._aggregates_of(channels))
        steps = np.full((len(times), len(channels)), np.nan)
        steps[:, aggregates == "count"] = 0
        _aggregate(step_of, columns[order], events.values[order], aggregates, out=steps)
        if self.with_time:
            steps = np.column_stack([times, steps])
        offsets = [0, *np.cumsum(lengths).tolist()]
        return [steps[start:end] for start, end in pairwise(offsets)]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Get output feature names for transformation.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, present here for API consistency by convention.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the columns of each sequence: that of the times (unless
            ``with_time=False``), then the channels.
        """
        check_is_fitted(self)
        names = [str(self.time)] if self.with_time else []
        return np.array([*names, *map(str, self.channels_.tolist())], dtype=object)

    def set_output(self, *, transform: Output = None) -> Self:
        """Do nothing: sequences come as a list of arrays, whatever is set.

        Parameters
        ----------
        transform : {'default', 'pandas', 'polars'}, default=None
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : object
            The aligner itself.
        """
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _open(self, X, samples=None):
        """Return X as one table of the events of all samples."""
        check_not_deferred(X, "the frame that was grouped")
        if names_of(X) is None and not is_array(X) and is_list(type(X)):
            X = list(X)  # of an iterator too
        names = [self.sample, self.time, self.channel, self.value]
        cells = cells_of(X, names)
        if cells is None:
            sample, *columns = columns_of_events(X, names)
            rows = Rows(np.arange(len(sample)))
            return _Table(*number_keys(sample, rows, self.sample), *columns, rows)
        if samples is not None:
            raise ValueError(
                "Expected samples=None, as each element of X holds the events of one sample, and "
                "the sequences are returned in their order: the ids of samples are those of one "
                "table of all events."
            )
        lengths, columns = join_cells(cells, names[1:])
        sample_of = np.repeat(np.arange(len(cells)), lengths)
        rows = Rows(np.arange(len(sample_of)), np.cumsum(lengths) - lengths)
        return _Table(list(range(len(cells))), sample_of, *columns, rows)

    def _parse(self, table, samples=None):
        """Return the checked events that have a value, of `samples` or of all."""
        sample_of = table.sample_of
        if samples is None:
            samples = table.samples
        else:
            samples = distinct_keys(samples, "samples")
            check_types_of_keys(samples, table.samples, "samples", self.sample)
            position = {sample: position for position, sample in enumerate(samples)}
            places = [position.get(sample, -1) for sample in table.samples]
            sample_of = np.array(places, np.intp)[sample_of]

        chosen = np.flatnonzero(sample_of >= 0)
        values = parse_values(table.value[chosen], table.rows[chosen], self.value)
        present = ~np.isnan(values)
        chosen, values = chosen[present], values[present]
        rows = table.rows[chosen]
        check_finite(values, values, rows, self.value)

        channels, channel_of = number_keys(table.channel[chosen], rows, self.channel)
        ticks = parse_times(table.time[chosen], rows, self.time)
        return _Events(samples, sample_of[chosen], ticks, channels, channel_of, values, rows)

    def _columns_of(self, events, channels):
        """Return for each event the place of its channel among `channels`, -1 if it has none."""
        place = {channel: place for place, channel in enumerate(channels)}
        places = np.array([place.get(channel, -1) for channel in events.channels], np.intp)
        columns = places[events.channel_of]
        if self.handle_unknown == "error" and (columns < 0).any():
            i = np.argmin(columns)
            where = "channels" if self.channels is not None else "fit"
            raise ValueError(
                f"Expected one of the {len(channels)} channels of {where}, got "
                f"{events.channels[events.channel_of[i]]!r} in {events.rows.name(i)}; "
                "handle_unknown='ignore' leaves such events out."
            )
        return columns

    def _aggregates_of(self, channels):
        """Return the name of the aggregate of each of the channels."""
        if isinstance(self.aggregate, str):
            return [self.aggregate] * len(channels)
        for channel, name in self.aggregate.items():
            if channel not in channels:
                raise ValueError(f"aggregate: expected channels of {channels}, got {channel!r}.")
            if name not in _AGGREGATES:
                raise ValueError(
                    f"aggregate: expected one of {list(_AGGREGATES)} for channel {channel!r}, got "
                    f"{name!r}."
                )
        return [self.aggregate.get(channel, "mean") for channel in channels]

    def _steps(self, sample_of, ticks, n_samples, n_channels):
        """Return the number of steps of each sample, the step of each event, and steps' times.

        The events are ordered by sample and time.
        """
        if self.freq is None:
            is_new = np.ones(len(ticks), dtype=bool)
            # Not by their seconds, of which float64 has too few digits.
            is_new[1:] = (np.diff(sample_of) > 0) | (ticks[1:] != ticks[:-1])
            lengths = np.bincount(sample_of[is_new], minlength=n_samples)
            return lengths, np.cumsum(is_new) - 1, in_seconds(ticks[is_new]).astype(np.float64)

        bins, freq = _to_bins(ticks, self._width_of_bins(ticks))
        filled, starts, counts = np.unique(sample_of, return_index=True, return_counts=True)
        lengths = np.zeros(n_samples)
        lengths[filled] = _differences(bins[starts + counts - 1], bins[starts]) + 1.0
        n_numbers = lengths.sum() * (n_channels + self.with_time)
        if not n_numbers <= _LARGEST_GRID:
            raise ValueError(
                f"freq={self.freq!r} makes a grid of {n_numbers:.0f} numbers, expected at most "
                f"{_LARGEST_GRID}: the longest sample has {lengths.max():.0f} steps."
            )
        lengths = lengths.astype(np.intp)
        offsets = np.cumsum(lengths) - lengths
        first = np.zeros(n_samples, bins.dtype)
        first[filled] = bins[starts]
        step_of = (bins - first[sample_of]).astype(np.intp) + offsets[sample_of]
        place = np.arange(lengths.sum()) - np.repeat(offsets, lengths)
        return lengths, step_of, (np.repeat(first, lengths) + place) * float(freq)

    def _width_of_bins(self, ticks):
        """Return `freq` as an int or a float, or as np.timedelta64 for times that are durations."""
        freq = self.freq
        if freq is None or (isinstance(freq, Real) and not isinstance(freq, np.timedelta64)):
            return freq if freq is None else _to_width(freq)
        try:
            if isinstance(freq, str):
                freq = _import_timedelta(freq)(freq)
            freq = to_ticks(to_objects([freq]))[0]
        except (AttributeError, OverflowError, ValueError) as error:  # AttributeError: NaT
            raise ValueError(
                f"freq: expected a fixed duration above 0, got {self.freq!r}: {error}"
            ) from error
        if not freq > np.timedelta64(0):
            raise ValueError(f"freq: expected a fixed duration above 0, got {self.freq!r}.")
        if ticks.dtype.kind != "m" and len(ticks):
            raise ValueError(
                f"freq: expected a number, as the times are numbers, got {self.freq!r}."
            )
        return freq


class _Table(NamedTuple):
    """The events of all samples.

    Attributes
    ----------
    samples : list of the distinct samples: their ids or, of a column of events, their positions
    sample_of : ndarray of int, the place of each event's sample in `samples`
    time, channel, value : ndarray, as they came
    rows : Rows, where each event stands in X
    """

    samples: list[Any]
    sample_of: np.ndarray
    time: np.ndarray
    channel: np.ndarray
    value: np.ndarray
    rows: Rows


class _Events(NamedTuple):
    """Columns of the events that have a value.

    Attributes
    ----------
    samples : list of the distinct samples, also of those without any value
    sample_of : ndarray of int, the place of each event's sample in `samples`
    ticks : ndarray of float64, integers, or timedelta64 since the epoch, the time of each event
    channels : list of the distinct channels
    channel_of : ndarray of int, the place of each event's channel in `channels`
    values : ndarray of float64
    rows : Rows, where each event stands in X
    """

    samples: list[Any]
    sample_of: np.ndarray
    ticks: np.ndarray
    channels: list[Any]
    channel_of: np.ndarray
    values: np.ndarray
    rows: Rows


def _aggregate(rows, columns, values, aggregates, out):
    """Write values, ordered by time, into their rows and columns of `out`."""
    cells = rows * out.shape[1] + columns
    order = np.argsort(cells, kind="stable")
    cells, columns, values = cells[order], columns[order], values[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(starts, append=len(cells))
    aggregate_of = aggregates[columns[starts]]
    for name in np.unique(aggregate_of):
        chosen = aggregate_of == name
        aggregated = _AGGREGATES[name](values, starts, counts)
        out.flat[cells[starts[chosen]]] = aggregated[chosen]


def _import_timedelta(freq):
    try:
        from pandas import Timedelta
    except ImportError as error:
        raise ImportError(
            f"freq={freq!r} needs pandas to be read, and it is not installed. Give a "
            "datetime.timedelta instead."
        ) from error
    return Timedelta


def _to_width(freq):
    """Return the width of bins as an int if it is whole, else as a float."""
    try:
        width = float(freq)
    except OverflowError:
        width = np.inf
    if not 0 < width < np.inf:
        raise ValueError(f"freq: expected a number above 0 that float64 holds, got {freq!r:.50}.")
    return int(freq) if width.is_integer() and width < 2**63 else width


def _to_bins(ticks, freq):
    """Return the bin of each time, and the width of bins in the unit of the output's times."""
    if isinstance(freq, np.timedelta64):
        if not len(ticks):
            return np.zeros(0, np.int64), 1
        unit = finest_unit_of(ticks, freq)
        freq = np.array([freq])
        return cast(ticks, unit) // cast(freq, unit), in_seconds(freq)[0]
    if ticks.dtype.kind in "iu" and isinstance(freq, int):
        return ticks // freq, freq
    with np.errstate(over="ignore", invalid="ignore"):  # found by the check of the size
        bins = in_seconds(ticks) / float(freq)
        # 0.3 / 0.1 < 3: let neither this division nor the sums in the times cost a bin.
        return np.floor(bins + np.maximum(1e-9, 4 * np.finfo(float).eps * np.abs(bins))), freq


def _differences(last, first):
    """Return last - first of bins, which is not below 0; of integers without an overflow."""
    if last.dtype.kind in "iu":
        return last.astype(np.uint64) - first.astype(np.uint64)
    with np.errstate(over="ignore", invalid="ignore"):
        return last - first


def _sorted_channels(events):
    """Return the channels in order."""
    if not events.channels:
        raise ValueError("Expected at least one event with a value to learn channels, got none.")
    try:
        return sorted(events.channels)
    except Exception as error:  # each type has its own
        raise ValueError(
            "Expected channels that can be sorted, such as strings only, got "
            f"{events.channels[:5]}. Give their order in the parameter channels."
        ) from error
