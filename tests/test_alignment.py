import math
import pickle
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skgru import GRUClassifier, alignment
from skgru.alignment import SequenceAligner
from tests.datasets import assert_same_sequences
from tests.processes import run_python

NAMES = ["sample", "time", "channel", "value"]
EVENTS = [
    ("bob", 3.0, "pulse", 60.0),
    ("ann", 0.5, "temp", 36.5),
    ("ann", 0.5, "pulse", 73.0),
    ("bob", 1.0, "temp", 37.0),
    ("ann", 0.0, "pulse", 71.0),
    ("eve", 9.0, "pulse", None),
    ("bob", 3.0, "pulse", 70.0),
]
ALIGNED = [
    [[1, np.nan, 37], [3, 65, np.nan]],
    [[0, 71, np.nan], [0.5, 73, 36.5]],
    np.empty((0, 3)),
]
AGGREGATES = {
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "count": len,
}


def columns(events):
    return dict(zip(NAMES, map(list, zip(*events, strict=True)), strict=True))


def as_strings_in_numpy(events):
    table = columns(events)
    return {
        "sample": np.array(table["sample"]),
        "time": np.array(table["time"]),
        "channel": np.array(table["channel"]),
        "value": np.array(table["value"], dtype=float),
    }


def shuffled_frame(events):
    frame = pd.DataFrame(columns(events)).assign(comment="unused")
    return frame[["value", "comment", "time", "sample", "channel"]].set_index(frame.index + 5)


FORMS = {
    "list of tuples": list,
    "object array": lambda events: np.array(events, dtype=object),
    "dict of lists": columns,
    "dict of arrays": as_strings_in_numpy,
    "dict of Series": lambda events: dict(pd.DataFrame(columns(events))),
    "pandas": lambda events: pd.DataFrame(columns(events)),
    "pandas, other order and index": shuffled_frame,
    "pandas nullable": lambda events: pd.DataFrame(columns(events)).convert_dtypes(),
    "pandas objects": lambda events: pd.DataFrame(columns(events)).astype(object),
    "pandas categories": lambda events: pd.DataFrame(columns(events)).astype(
        {"sample": "category", "channel": "category"}
    ),
    "pandas Arrow": lambda events: pd.DataFrame(columns(events)).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "rows of lists and arrays": lambda events: [
        np.array(event, dtype=object) if i % 2 else list(event) for i, event in enumerate(events)
    ],
    "structured array": lambda events: pd.DataFrame(columns(events)).to_records(index=False),
    "Arrow table": lambda events: pa.table(columns(events)),
    "Arrow batch": lambda events: pa.RecordBatch.from_pydict(columns(events)),
    "Arrow dictionaries": lambda events: pa.table(
        {
            name: pa.array(cells).dictionary_encode() if name in ("sample", "channel") else cells
            for name, cells in columns(events).items()
        }
    ),
    "masked array": lambda events: np.ma.array(
        [[cell or 0.0 for cell in event] for event in events],
        mask=[[cell is None for cell in event] for event in events],
        dtype=object,
    ),
    "dict of masked arrays": lambda events: {
        name: np.ma.array(
            [-1 if cell is None else cell for cell in cells], mask=[cell is None for cell in cells]
        )
        for name, cells in columns(events).items()
    },
    "rows with masked cells": lambda events: [
        tuple(np.ma.masked if cell is None else cell for cell in event) for event in events
    ],
    "polars": lambda events: pl.DataFrame(columns(events)),
    "polars categories": lambda events: pl.DataFrame(columns(events)).with_columns(
        pl.col("sample", "channel").cast(pl.Categorical)
    ),
}


def assert_same(got, expected):
    assert_same_sequences(got, expected, rtol=1e-12)
    assert all(sequence.dtype == np.float64 for sequence in got)


def align(events, **parameters):
    return SequenceAligner(**parameters).fit_transform(events)


def naive_alignment(events, channels, aggregate, bin_of=None, time_of_bin=None):
    """Return the sequences of all samples, reading one event after another."""
    by_sample = {}
    for sample, time, channel, value in sorted(events, key=lambda event: event[1]):
        cells = by_sample.setdefault(sample, defaultdict(list))
        if not math.isnan(value):
            cells[bin_of(time) if bin_of else time, channel].append(value)
    sequences = []
    for sample in dict.fromkeys(event[0] for event in events):
        cells = by_sample[sample]
        steps = sorted({step for step, _ in cells})
        if bin_of and steps:
            steps = range(steps[0], steps[-1] + 1)
        sequence = [
            [time_of_bin(step) if bin_of else step]
            + [
                AGGREGATES[aggregate](cells[step, channel])
                if (step, channel) in cells
                else (0 if aggregate == "count" else np.nan)
                for channel in channels
            ]
            for step in steps
        ]
        sequences.append(np.array(sequence).reshape(len(steps), 1 + len(channels)))
    return sequences


@given(
    events=st.lists(
        st.tuples(
            st.integers(0, 4),
            st.integers(-20, 20).map(lambda time: time / 4),
            st.sampled_from("cab"),
            st.sampled_from([np.nan, *range(-5, 6)]),
        ),
        max_size=60,
    ),
    aggregate=st.sampled_from(sorted(AGGREGATES)),
    freq=st.sampled_from([None, 0.5, 2]),
)
def test_against_a_transcription(events, aggregate, freq):
    grid = {}
    if freq:
        grid = dict(
            bin_of=lambda time: math.floor(time / freq), time_of_bin=lambda step: step * freq
        )
    expected = naive_alignment(events, "cab", aggregate, **grid)
    aligner = SequenceAligner(channels=list("cab"), aggregate=aggregate, freq=freq)
    assert_same(aligner.fit_transform(events), expected)


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("freq", [None, 2.0])
def test_many_events(aggregate, freq):
    rng = np.random.default_rng(0)
    n = 2000
    samples = rng.integers(0, 20, n)
    times = np.round(rng.normal(size=n) * 8) / 2
    channels = rng.choice(["x", "y", "z"], n)
    values = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    events = list(
        zip(samples.tolist(), times.tolist(), channels.tolist(), values.tolist(), strict=True)
    )
    grid = {}
    if freq:
        grid = dict(bin_of=lambda time: math.floor(time / 2), time_of_bin=lambda step: step * 2)
    expected = naive_alignment(events, "xyz", aggregate, **grid)
    frame = {"sample": samples, "time": times, "channel": channels, "value": values}
    got = align(frame, aggregate=aggregate, freq=freq)
    for sequence, expected_sequence in zip(got, expected, strict=True):
        np.testing.assert_allclose(sequence, expected_sequence, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_forms(form):
    aligner = SequenceAligner()
    X = FORMS[form](EVENTS)
    assert_same(aligner.fit_transform(X), ALIGNED)
    assert aligner.samples_.tolist() == ["bob", "ann", "eve"]
    assert aligner.channels_.tolist() == ["pulse", "temp"]
    assert aligner.channels_.dtype == aligner.samples_.dtype == object
    assert_same(aligner.transform(X, samples=["ann", "bob"]), ALIGNED[1::-1])


@pytest.mark.parametrize("form", FORMS)
def test_input_is_not_modified(form):
    X = FORMS[form](EVENTS)
    before = pickle.dumps(X)
    align(X, freq=1)
    if isinstance(X, pd.DataFrame):  # which remembers what was asked of it
        pd.testing.assert_frame_equal(X, pickle.loads(before))
    else:
        assert pickle.dumps(X) == before


def test_numeric_array():
    X = np.array([[7, 0.5, 2, 1.5], [3, 1, 1, 2], [7, 0, 2, np.nan]])
    aligner = SequenceAligner()
    assert_same(aligner.fit_transform(X), [[[0.5, np.nan, 1.5]], [[1, 2, np.nan]]])
    np.testing.assert_array_equal(aligner.samples_, [7, 3])
    np.testing.assert_array_equal(aligner.channels_, [1, 2])
    assert_same(aligner.transform(X, samples=[3]), [[[1, 2, np.nan]]])


def test_names_of_columns():
    frame = pd.DataFrame(EVENTS, columns=["patient", 0, ("a", "b"), "v"])
    aligner = SequenceAligner(sample="patient", time=0, channel=("a", "b"), value="v")
    assert_same(aligner.fit_transform(frame.astype({"v": float})), ALIGNED)
    assert aligner.get_feature_names_out().tolist() == ["0", "pulse", "temp"]


def test_samples_are_in_order_of_their_first_event():
    events = [(sample, 1, "a", 1) for sample in ["c", "a", "c", "b", "a"]]
    assert SequenceAligner().fit(events).samples_.tolist() == ["c", "a", "b"]


def test_ids_of_unlike_types():
    events = [("1", 0, "a", 1.0), (1, 0, "a", 2.0), ((1, "x"), 0, "a", 3.0)]
    aligner = SequenceAligner()
    assert_same(aligner.fit_transform(events), [[[0, 1]], [[0, 2]], [[0, 3]]])
    assert aligner.samples_.tolist() == ["1", 1, (1, "x")]
    assert_same(aligner.transform(events, samples=[(1, "x"), 1]), [[[0, 3]], [[0, 2]]])
    assert_same(aligner.transform(columns(events), samples=[1]), [[[0, 2]]])


@pytest.mark.parametrize(
    "days",
    [
        pd.to_datetime(["2024-01-02", "2024-01-01"]),
        np.array(["2024-01-02", "2024-01-01"], dtype="datetime64[D]"),
        np.array(["2024-01-02", "2024-01-01"], dtype="datetime64[ns]"),
        [datetime(2024, 1, 2), datetime(2024, 1, 1)],
        pl.Series([datetime(2024, 1, 2), datetime(2024, 1, 1)]),
    ],
)
def test_samples_that_are_datetimes(days):
    X = {"sample": days, "time": [0, 1], "channel": ["a", "a"], "value": [5, 6]}
    aligner = SequenceAligner().fit(X)
    for samples in [days, aligner.samples_, [pd.Timestamp("2024-01-02"), datetime(2024, 1, 1)]]:
        assert_same(aligner.transform(X, samples=samples), [[[0, 5]], [[1, 6]]])


def test_samples_in_transform():
    aligner = SequenceAligner().fit(EVENTS)
    for samples in (
        ["ann", "zoe", "bob"],
        np.array(["ann", "zoe", "bob"]),
        pd.Index(["ann", "zoe", "bob"]),
    ):
        got = aligner.transform(EVENTS, samples=samples)
        assert_same(got, [ALIGNED[1], np.empty((0, 3)), ALIGNED[0]])
    assert aligner.transform(EVENTS, samples=[]) == []


def test_events_of_samples_not_listed_are_ignored_whatever_they_are():
    aligner = SequenceAligner().fit(EVENTS)
    events = [*EVENTS, ("zoe", np.nan, "pulse", 1.0), ("zoe", 0, "?", 1), ("zoe", 0, "pulse", "?")]
    assert_same(aligner.transform(events, samples=["ann"]), ALIGNED[1:2])


@pytest.mark.parametrize("samples", [["ann", "bob", "ann"], ["ann", None], [1.0, np.nan]])
def test_samples_must_be_distinct(samples):
    with pytest.raises(ValueError, match="Expected distinct samples, got"):
        SequenceAligner().fit(EVENTS).transform(EVENTS, samples=samples)


def test_samples_must_not_be_a_string():
    with pytest.raises(ValueError, match="Expected an array-like of samples, got the string 'ann'"):
        SequenceAligner().fit(EVENTS).transform(EVENTS, samples="ann")


def test_an_event_without_value_says_only_that_its_sample_exists():
    events = [("a", 0, "x", 1), ("b", None, None, None), ("a", 5, "y", np.nan), ("c", 1, "y", None)]
    aligner = SequenceAligner()
    assert_same(aligner.fit_transform(events), [[[0, 1]], np.empty((0, 2)), np.empty((0, 2))])
    assert aligner.channels_.tolist() == ["x"]
    frame = pd.DataFrame(events, columns=NAMES)
    assert_same(align(frame, freq=1), [[[0, 1]], np.empty((0, 2)), np.empty((0, 2))])
    assert_same(
        align(pl.DataFrame(columns(events), strict=False)),
        [[[0, 1]], np.empty((0, 2)), np.empty((0, 2))],
    )


def test_no_events():
    aligner = SequenceAligner(freq=1).fit(EVENTS)
    for empty in (pd.DataFrame(columns=NAMES), [], {name: [] for name in NAMES}, np.empty((0, 4))):
        assert aligner.transform(empty) == []
        assert_same(aligner.transform(empty, samples=["ann"]), [np.empty((0, 3))])
        with pytest.raises(ValueError, match="Expected at least one event with a value"):
            SequenceAligner().fit(empty)
    fitted = SequenceAligner(channels=["a"]).fit([])
    assert_same(fitted.transform([("s", 1, "a", 2)]), [[[1, 2]]])


def test_without_time():
    for freq in (None, 1):
        with_time = align(EVENTS, freq=freq)
        got = SequenceAligner(freq=freq, with_time=False)
        assert_same(got.fit_transform(EVENTS), [sequence[:, 1:] for sequence in with_time])
        assert got.get_feature_names_out().tolist() == ["pulse", "temp"]


def test_given_channels():
    aligner = SequenceAligner(channels=np.array(["temp", "other", "pulse"]))
    expected = [np.insert(np.asarray(x), 2, np.nan, axis=1)[:, [0, 3, 2, 1]] for x in ALIGNED]
    assert_same(aligner.fit_transform(EVENTS), expected)
    assert aligner.get_feature_names_out().tolist() == ["time", "temp", "other", "pulse"]


def test_unknown_channels():
    aligner = SequenceAligner().fit(EVENTS)
    events = [*EVENTS, ("ann", 7, "weight", 60), ("fay", 7, "weight", 60)]
    message = r"Expected one of the 2 channels of fit, got 'weight' in row 7; handle_unknown='ign"
    with pytest.raises(ValueError, match=message):
        aligner.transform(events)
    aligner.set_params(handle_unknown="ignore")
    assert_same(aligner.transform(events), [*ALIGNED, np.empty((0, 3))])
    assert_same(aligner.set_params(freq=9).transform(events)[3:], [np.empty((0, 3))])


def test_unknown_channels_in_fit():
    aligner = SequenceAligner(channels=["temp"])
    with pytest.raises(ValueError, match="Expected one of the 1 channels of channels, got 'pulse'"):
        aligner.fit(EVENTS)
    aligner.set_params(handle_unknown="ignore")
    expected = [[[1, 37]], [[0.5, 36.5]], np.empty((0, 2))]
    assert_same(aligner.fit_transform(EVENTS), expected)
    assert aligner.samples_.tolist() == ["bob", "ann", "eve"]


def test_channels_that_do_not_sort():
    events = [("a", 0, "x", 1), ("a", 0, 3, 2)]
    with pytest.raises(ValueError, match=r"Expected channels that can be sorted.*\['x', 3\]"):
        SequenceAligner().fit(events)
    assert_same(align(events, channels=[3, "x"]), [[[0, 2, 1]]])


def test_aggregate_by_channel():
    events = [("s", time, channel, time) for time in [0, 1, 2, 5] for channel in "abc"]
    got = align(events, freq=3, aggregate={"a": "count", "c": "last"})
    assert_same(got, [[[0, 3, 1, 2], [3, 1, 5, 5]]])


def test_first_and_last_go_by_time_then_by_row():
    events = [("s", 2, "a", 1), ("s", 1, "a", 2), ("s", 2, "a", 3), ("s", 1, "a", 4)]
    assert_same(align(events, freq=10, aggregate="first"), [[[0, 2]]])
    assert_same(align(events, freq=10, aggregate="last"), [[[0, 3]]])
    assert_same(align(events, aggregate="first"), [[[1, 2], [2, 1]]])
    assert_same(align(events, aggregate="last"), [[[1, 4], [2, 3]]])


def test_values_of_all_kinds_of_numbers():
    for values in ([True, False], [Decimal(1), Decimal(0)], [np.True_, 0], [1, np.float32(0)]):
        events = [("s", i, "a", value) for i, value in enumerate(values)]
        assert_same(align(events), [[[0, 1], [1, 0]]])
    frame = pl.DataFrame({"sample": 1, "time": [0, 1], "channel": "a", "value": [True, None]})
    assert_same(align(frame), [[[0, 1]]])
    decimals = frame.with_columns(value=pl.Series([Decimal("1.5"), None]))
    assert_same(align(decimals), [[[0, 1.5]]])


# --- Times and grids ---------------------------------------------------------------------------

START = 1_704_067_200.0  # 2024-01-01 00:00 UTC
BERLIN = pd.Timestamp("2024-01-01 01:00", tz="Europe/Berlin")
DATETIMES = {
    "pandas": pd.Series(pd.to_datetime(["2024-01-01 00:00:00.0", "2024-01-01 01:30:00.5"])),
    "pandas, seconds": pd.Series(
        pd.to_datetime(["2024-01-01 00:00:00.0", "2024-01-01 01:30:00.5"])
    ).dt.as_unit("ms"),
    "pandas, zone": pd.Series([BERLIN, BERLIN + pd.Timedelta("1h30min0.5s")]),
    "pandas, objects": pd.Series([BERLIN, pd.Timestamp("2024-01-01 01:30:00.5")], dtype=object),
    "numpy": np.array(["2024-01-01T00:00", "2024-01-01T01:30:00.500"], dtype="datetime64"),
    "datetime": [datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30, 0, 500_000)],
    "datetime, zone": [
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 6, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=5))),
    ],
    "date": [date(2024, 1, 1), datetime(2024, 1, 1, 1, 30, 0, 500_000)],
    "polars": pl.Series([datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30, 0, 500_000)]),
    "polars, zone": pl.Series([datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30, 0, 500_000)])
    .dt.replace_time_zone("UTC")
    .dt.convert_time_zone("Europe/Berlin"),
}


def at(times):
    return {"sample": ["s", "s"], "time": times, "channel": ["a", "a"], "value": [1, 2]}


@pytest.mark.parametrize("kind", DATETIMES)
def test_datetimes_become_seconds(kind):
    times = DATETIMES[kind]
    assert_same(align(at(times)), [[[START, 1], [START + 5400.5, 2]]])
    hours = [[START, 1], [START + 3600, 2]]
    for freq in ("1h", "60min", timedelta(hours=1), np.timedelta64(1, "h"), pd.Timedelta("1h")):
        assert_same(align(at(times), freq=freq), [hours])
    assert_same(align(at(times), freq=3600), [hours])
    rows = np.array(list(zip("ss", times, "aa", [1, 2], strict=True)), dtype=object)
    assert_same(align(rows, freq="1h"), [hours])


def test_datetimes_of_pyarrow():
    times = DATETIMES["pandas, zone"]
    for kind in ("timestamp[us, tz=Europe/Berlin][pyarrow]", "timestamp[ms, tz=UTC][pyarrow]"):
        assert_same(align(at(times.astype(kind))), [[[START, 1], [START + 5400.5, 2]]])


@pytest.mark.parametrize(
    "times",
    [
        pd.to_timedelta(["0s", "90min"]),
        np.array([0, 90], dtype="timedelta64[m]"),
        [timedelta(0), timedelta(minutes=90)],
        np.array([np.timedelta64(0, "s"), pd.Timedelta("90min")], dtype=object),
        pl.Series([timedelta(0), timedelta(minutes=90)]),
    ],
)
def test_durations_become_seconds(times):
    assert_same(align(at(times)), [[[0, 1], [5400, 2]]])
    assert_same(align(at(times), freq="1h"), [[[0, 1], [3600, 2]]])


@pytest.mark.parametrize("freq", ["1D", "1h", "1ms"])
def test_bins_of_datetimes_are_exact(freq):
    width = pd.Timedelta(freq)
    noon = pd.Timestamp("2024-03-01 12:00")
    for time in (noon - pd.Timedelta("1us"), noon, noon + pd.Timedelta("1us")):
        X = at(pd.Series([time, time]))
        expected = time.floor(width).value / 1e9
        assert align(X, freq=freq)[0][:, 0].tolist() == [expected]


def test_bins_are_counted_from_zero_with_empty_ones_between():
    events = [("s", -2.5, "a", 1), ("s", 0.9, "a", 2), ("s", 1.0, "a", 3), ("t", 7.2, "a", 4)]
    expected = [[-3, 1], [-2, np.nan], [-1, np.nan], [0, 2], [1, 3]]
    assert_same(align(events, freq=1), [expected, [[7, 4]]])
    counts = [[-3, 1], [-2, 0], [-1, 0], [0, 1], [1, 1]]
    assert_same(align(events, freq=1, aggregate="count"), [counts, [[7, 1]]])


@pytest.mark.parametrize("freq", [0.1, 0.01, 1 / 3, 0.7, 1e-5, 1e6])
def test_rounding_costs_no_bin(freq):
    n = np.arange(-1000, 1000)
    for times in (n * freq, n / (1 / freq), np.cumsum(np.full(2000, freq)) - 1001 * freq):
        X = {"sample": 0 * n, "time": times, "channel": 0 * n, "value": n}
        np.testing.assert_array_equal(align(X, freq=freq)[0][:, 1], n)


@pytest.mark.parametrize("freq", [0.1, 0.7, 1e-3, 60.0])
def test_rounding_costs_no_bin_far_from_zero(freq):
    n = np.arange(-1000, 1000)
    times = (n + round(START / freq)) * freq
    for shaken in (np.nextafter(times, 0), times, np.nextafter(times, np.inf)):
        X = {"sample": 0 * n, "time": shaken, "channel": 0 * n, "value": n}
        np.testing.assert_array_equal(align(X, freq=freq)[0], np.column_stack([times, n]))


def test_time_shortly_before_a_bin_stays_out_of_it():
    events = [("s", 1 - 1e-6, "a", 1)]
    assert_same(align(events, freq=1), [[[0, 1]]])
    late = [("s", START - 1e-4, "a", 1)]
    assert_same(align(late, freq=3600.0), [[[START - 3600, 1]]])


@pytest.mark.parametrize("freq", [1e-8, 1e-300, 5e-324])
def test_too_large_a_grid(freq):
    aligner = SequenceAligner(freq=freq).fit(EVENTS)
    with pytest.raises(ValueError, match=r"freq=.* makes a grid of .* numbers, expected at most"):
        aligner.transform(EVENTS)


def test_largest_grid(monkeypatch):
    events = [("s", 0, "a", 1), ("s", 2, "b", 1), ("t", 0, "a", 1)]  # 4 steps, 3 columns
    monkeypatch.setattr(alignment, "_LARGEST_GRID", 12)
    assert [len(sequence) for sequence in align(events, freq=1)] == [3, 1]
    monkeypatch.setattr(alignment, "_LARGEST_GRID", 11)
    with pytest.raises(ValueError, match="freq=1 makes a grid of 12 numbers, expected at most 11"):
        align(events, freq=1)


def test_too_large_a_grid_of_datetimes():
    times = pd.to_datetime(["1990-01-01", "2020-01-01"])
    with pytest.raises(ValueError, match=r"freq='1us' makes a grid of"):
        align(at(times), freq="1us")
    assert len(align(at(times), freq="30D")[0]) == 366


def test_distant_single_time_makes_a_small_grid():
    assert_same(align([("s", 1e300, "a", 1)], freq=1), [[[1e300, 1]]])


def test_datetimes_of_distant_years():
    times = np.array(["9999-12-31", "9999-12-31"], dtype="datetime64[s]")
    seconds = (datetime(9999, 12, 31) - datetime(1970, 1, 1)).total_seconds()
    assert_same(align(at(times), freq=timedelta(days=1), aggregate="sum"), [[[seconds, 3]]])


@pytest.mark.parametrize(
    ("freq", "message"),
    [
        (0, "freq: expected a number above 0 that float64 holds"),
        (-1.0, "freq: expected a number above 0 that float64 holds"),
        (np.inf, "freq: expected a number above 0 that float64 holds"),
        (np.nan, "freq: expected a number above 0 that float64 holds"),
        ([1], "The 'freq' parameter"),
        ("often", "freq: expected a fixed duration above 0, got 'often'"),
        ("0h", "freq: expected a fixed duration above 0, got '0h'"),
        ("NaT", "freq: expected a fixed duration above 0, got 'NaT'"),
        (timedelta(-1), "freq: expected a fixed duration above 0"),
        (np.timedelta64(-1, "s"), "freq: expected a fixed duration above 0"),
        (np.timedelta64(1, "M"), "freq: expected a fixed duration above 0"),
        (np.timedelta64("NaT", "s"), "freq: expected a fixed duration above 0"),
        (timedelta.max, "freq: expected a fixed duration above 0"),
        ("100000000000000D", "freq: expected a fixed duration above 0"),
        pytest.param(10**400, "freq: expected a number .* holds, got 1000", id="large"),
        pytest.param(Fraction(1, 10**400), "freq: expected a number above 0", id="small"),
        (Decimal(1), "The 'freq' parameter"),
        (1j, "The 'freq' parameter"),
    ],
)
def test_unusable_freq(freq, message):
    times = pd.to_datetime(["2024-01-01", "2024-01-02"])
    with pytest.raises(ValueError, match=message):
        SequenceAligner(freq=freq).fit(at(times))


@pytest.mark.parametrize("freq", ["1h", timedelta(1), np.timedelta64(1, "s")])
def test_duration_as_freq_without_events(freq):
    aligner = SequenceAligner(channels=["a"], freq=freq).fit([])
    assert aligner.transform([]) == []
    assert_same(aligner.transform([], samples=["s"]), [np.empty((0, 2))])


@pytest.mark.parametrize(
    "freq",
    [
        2, 2.0, *(dtype(2) for dtype in (np.uint8, np.int8, np.int16, np.uint64, np.float16)),
        np.float32(2), np.longdouble(2), Fraction(4, 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [[0, 399], [0.0, 399.5], pd.to_datetime([0, 399], unit="s")])
def test_freq_of_any_type_of_numbers(freq, times):
    (sequence,) = align(at(times), freq=freq)
    np.testing.assert_array_equal(sequence[:, 0], np.arange(200) * 2)


@pytest.mark.parametrize("freq", ["1h", timedelta(1), np.timedelta64(1, "s")])
def test_duration_as_freq_of_numeric_times(freq):
    with pytest.raises(ValueError, match="freq: expected a number, as the times are numbers"):
        SequenceAligner(freq=freq).fit(EVENTS)


def test_freq_as_a_string_without_pandas():
    code = """
import sys
sys.modules["pandas"] = None
import numpy as np
from skgru.alignment import SequenceAligner
times = np.array(["2024-01-01T00", "2024-01-01T01"], dtype="datetime64[h]")
X = {"sample": [1, 1], "time": times, "channel": [1, 1], "value": [1, 2]}
assert len(SequenceAligner(freq=np.timedelta64(1, "h")).fit_transform(X)[0]) == 2
try:
    SequenceAligner(freq="1h").fit(X)
except ImportError as error:
    assert "freq='1h' needs pandas" in str(error), error
else:
    raise AssertionError
"""
    run_python(code)


# --- Exact times and ids -----------------------------------------------------------------------

TICKS = 1_700_000_000_000_000_000 + 100 * np.arange(6)  # ns, which float64 counts in steps of 256
FINE_TIMES = {
    "datetime64[ns]": TICKS.astype("M8[ns]"),
    "datetime64[100ns]": (TICKS // 100).astype("M8[100ns]"),
    "datetime64[ps]": (TICKS % 10**9 * 1000).astype("M8[ps]"),
    "datetime64[as]": (TICKS % 10**9 * 10**9).astype("M8[as]"),
    "timedelta64[ns]": TICKS.astype("m8[ns]"),
    "big-endian": TICKS.astype(">M8[ns]"),
    "pandas": pd.Series(TICKS.astype("M8[ns]")),
    "pandas, zone": pd.Series(TICKS.astype("M8[ns]")).dt.tz_localize("Asia/Tokyo"),
    "pandas, Arrow": pd.Series(TICKS.astype("M8[ns]")).astype("timestamp[ns, tz=UTC][pyarrow]"),
    "pandas durations": pd.Series(TICKS.astype("m8[ns]")),
    "Timestamps": [pd.Timestamp(tick) for tick in TICKS],
    "Timestamps, zone": [pd.Timestamp(tick, tz="Asia/Tokyo") for tick in TICKS],
    "Timedeltas": [pd.Timedelta(tick) for tick in TICKS],
    "datetime64 objects": list(TICKS.astype("M8[ns]")),
    "objects of two units": [*TICKS[:-1].astype("M8[ns]"), datetime(2024, 1, 1)],
    "objects of all kinds": [
        date(2020, 1, 1),
        datetime(2023, 1, 1, tzinfo=UTC),
        *TICKS[:2].astype("M8[ns]"),
        pd.Timestamp(TICKS[2], tz="Europe/Berlin"),
        np.datetime64("2024-01-01", "D"),
    ],
    "polars": pl.Series(TICKS).cast(pl.Datetime("ns")),
    "polars, zone": pl.Series(TICKS).cast(pl.Datetime("ns", "Asia/Tokyo")),
    "polars durations": pl.Series(TICKS).cast(pl.Duration("ns")),
    "Arrow": pa.array(TICKS).cast(pa.timestamp("ns")),
    "Arrow chunks, zone": pa.chunked_array([pa.array(TICKS).cast(pa.timestamp("ns", "UTC"))]),
    "masked": np.ma.array(TICKS.astype("M8[ns]"), mask=False),
    "int64": TICKS,
    "uint64": TICKS.astype(np.uint64) + np.uint64(2**63),
    "ints": TICKS.tolist(),
    "large ints": [2**63 - 3 + i for i in range(6)],
    "pandas ints": pd.Series(TICKS, dtype="Int64"),
    "polars ints": pl.Series(TICKS),
    "negative ints": -TICKS[::-1],
}


@pytest.mark.parametrize("kind", FINE_TIMES)
@pytest.mark.parametrize("as_rows", [False, True])
def test_times_closer_than_a_float_tells_are_steps_of_their_own(kind, as_rows):
    times = FINE_TIMES[kind]
    if as_rows and kind.startswith(("polars", "Arrow")):  # which cut them to microseconds
        times = pd.Series(times.to_numpy())
    X = {"sample": ["s"] * 6, "time": times, "channel": ["a"] * 6, "value": range(6)}
    if as_rows:
        X = list(zip(*[list(column) for column in X.values()], strict=True))
        X = X[::-1]
    (sequence,) = align(X)
    np.testing.assert_array_equal(sequence[:, 1], range(6))
    assert (np.diff(sequence[:, 0]) >= 0).all()


@pytest.mark.parametrize(
    ("times", "freq", "expected"),
    [
        (TICKS.astype("M8[ns]"), "100ns", [1, 1, 1, 1, 1, 1]),
        (TICKS.astype("M8[ns]"), np.timedelta64(200, "ns"), [2, 2, 2]),
        ([pd.Timestamp(tick) for tick in TICKS], "200ns", [2, 2, 2]),
        (TICKS, 200, [2, 2, 2]),
        (TICKS, np.float32(200), [2, 2, 2]),
        (TICKS.astype(np.uint64), np.uint8(200), [2, 2, 2]),
        (np.iinfo(np.int64).min + np.arange(6), 3, [2, 3, 1]),
        (np.iinfo(np.uint64).max - np.arange(6).astype(np.uint64), 3, [2, 3, 1]),
    ],
)
def test_bins_of_times_closer_than_a_float_tells(times, freq, expected):
    X = {"sample": ["s"] * 6, "time": times, "channel": ["a"] * 6, "value": range(6)}
    (sequence,) = align(X, freq=freq, aggregate="count")
    assert sequence[:, 1].tolist() == expected


def test_the_whole_range_of_times_is_no_overflow():
    ends = np.array([np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max])
    for times, freq in [(ends, 10**18), (ends.astype("m8[ns]"), np.timedelta64(10**18, "ns"))]:
        (sequence,) = align(at(times), freq=freq)
        np.testing.assert_array_equal(np.isfinite(sequence[:, 1]), [True, *[False] * 18, True])
        with pytest.raises(ValueError, match="makes a grid of"):
            align(at(times), freq=freq // 10**18)
    assert [len(sequence) for sequence in align(at(ends))] == [2]


@pytest.mark.parametrize("freq", ["1D", timedelta(days=1), np.timedelta64(1, "D"), 86400])
@pytest.mark.parametrize(
    "times",
    [
        np.array(["9999-12-30", "9999-12-31"], dtype="M8[us]"),
        [datetime(9999, 12, 30), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1)))],
        [date(1, 1, 1), datetime(1, 1, 2)],
        [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))), pd.Timestamp("0001-01-02")],
        [pd.Timestamp("2024-01-01"), date(2024, 1, 2)],
    ],
)
def test_bins_of_distant_years(times, freq):
    (sequence,) = align(at(times), freq=freq)
    np.testing.assert_array_equal(np.diff(sequence[:, 0]), 86400)
    np.testing.assert_array_equal(sequence[[0, -1], 1], [1, 2])
    assert len(sequence) in (2, 3)  # 3 where a time zone puts one of them into another day


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([pd.Timestamp(1), datetime(9999, 1, 1)], "64 bits hold as whole numbers of the unit 'ns'"),
        ([timedelta.max, timedelta(0)], "64 bits"),
        (np.array([10**16, 1], dtype="M8[D]"), "64 bits"),
        (np.array([1, 2], dtype="m8[M]"), "durations of a fixed length"),
        (np.array([1, 2], dtype="m8"), "durations of a fixed length"),
        ([np.timedelta64(1, "Y"), np.timedelta64(1, "D")], "durations of a fixed length"),
        ([2**60 + 1, 0.5], rf"exact in column 'time', got {2**60 + 1} in row 0"),
        ([1, 2**70 + 1], rf"exact in column 'time', got {2**70 + 1} in row 1"),
        ([10**400, 1], "row 0 is too large for float64"),
        ([1.5, -(10**400)], "row 1 is too large for float64"),
        ([Decimal("Infinity"), 1], "Expected finite numbers"),
        ([Decimal("NaN"), 1], "Expected finite numbers in column 'time', got NaN in row 0"),
        ([Decimal("sNaN"), datetime(2024, 1, 1)], "Expected numbers, got the date .* in row 1"),
        (pd.period_range("2024-01", periods=2, freq="M"), "Expected a number, a datetime or"),
        (
            np.ma.array([0, 1], mask=[0, 1]),
            "Expected finite numbers in column 'time', got .* row 1",
        ),
        ([0, np.ma.masked], "Expected finite numbers in column 'time', got .* in row 1"),
        (np.ma.array(["2024", "2025"], dtype="M8[s]", mask=[1, 0]), "got NaT in row 0"),
    ],
)
def test_times_that_no_type_holds(times, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(at(times))


@given(
    events=st.lists(
        st.tuples(
            st.integers(2**62, 2**62 + 3),
            st.integers(-(2**63) + 1, -(2**63) + 4) | st.integers(2**63 - 4, 2**63 - 1),
            st.integers(2**53, 2**53 + 2),
            st.sampled_from([math.nan, 1.0, 2.0, 3.0]),
        ),
        min_size=1,
        max_size=40,
    ),
    form=st.sampled_from(
        ["list of tuples", "dict of lists", "pandas", "pandas nullable", "pandas Arrow",
         "polars", "Arrow table", "structured array", "object array", "dates"]
    ),
)  # fmt: skip
def test_large_numbers_against_a_transcription(events, form):
    channels = sorted({event[2] for event in events})
    expected = naive_alignment(events, channels, "sum")
    table = columns(events)
    X = (
        table | {"time": np.array(table["time"], "M8[ns]")}
        if form == "dates"
        else FORMS[form](events)
    )
    got = SequenceAligner(channels=channels, aggregate="sum").fit_transform(X)
    assert [len(sequence) for sequence in got] == [len(sequence) for sequence in expected]
    for sequence, expected_sequence in zip(got, expected, strict=True):
        np.testing.assert_array_equal(sequence[:, 1:], expected_sequence[:, 1:])


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="an older polars")
@pytest.mark.parametrize("column", NAMES)
def test_columns_that_numpy_does_not_know_are_refused_by_name(column):
    X = {**at([0, 1]), column: pl.Series([1, 2], dtype=pl.Int128)}
    with pytest.raises(ValueError, match=f"column '{column}'.* could not be read as an array"):
        SequenceAligner().fit(X)


LARGE = 2**60
LARGE_IDS = {
    "int64": np.array([LARGE, LARGE + 1]),
    "uint64": np.array([2**63, 2**63 + 1], dtype=np.uint64),
    "ints": [LARGE, LARGE + 1],
    "ints beyond int64": [2**63 + 1, 1, 2**63],
    "int64 and uint64": [np.int64(LARGE), np.uint64(2**63), np.uint64(2**63 + 1)],
    "ints and a fraction": [LARGE, LARGE + 1, 1.5],
    "ints and a text": [LARGE, LARGE + 1, "1"],
    "huge ints": [2**100, 2**100 + 1],
    "tuples": [(LARGE, 1), (LARGE + 1, 1)],
    "objects": np.array([LARGE, LARGE + 1, 2.5], dtype=object),
    "pandas": pd.Series([LARGE, LARGE + 1]),
    "pandas unsigned": pd.Series([2**63, 2**63 + 1], dtype="uint64"),
    "pandas nullable": pd.Series([LARGE, LARGE + 1], dtype="Int64"),
    "pandas Arrow": pd.Series([LARGE, LARGE + 1], dtype="int64[pyarrow]"),
    "pandas categories": pd.Series([LARGE, LARGE + 1], dtype="category"),
    "polars": pl.Series([LARGE, LARGE + 1]),
    "polars unsigned": pl.Series([2**63, 2**63 + 1], dtype=pl.UInt64),
    "Arrow": pa.array([LARGE, LARGE + 1]),
    "datetime64[ns]": np.array([1000, 1001], dtype="M8[ns]"),
    "datetime64 objects": [np.datetime64(1000, "ns"), np.datetime64(1001, "ns")],
    "Timestamps": [pd.Timestamp(1000), pd.Timestamp(1001)],
    "Timestamps with a zone": pd.Series(pd.to_datetime([1000, 1001], utc=True)),
    "polars dates": pl.Series([1000, 1001]).cast(pl.Datetime("ns")),
    "durations": np.array([1000, 1001], dtype="m8[ns]"),
    "years": np.array([10**6, 10**6 + 1], dtype="M8[Y]"),
}


@pytest.mark.parametrize("column", ["sample", "channel"])
@pytest.mark.parametrize("kind", LARGE_IDS)
def test_ids_that_a_float_or_a_microsecond_does_not_tell_apart_stay_apart(column, kind):
    ids = LARGE_IDS[kind]
    n = len(ids)
    other = {"sample": "channel", "channel": "sample"}[column]
    X = {column: ids, other: ["x"] * n, "time": [0] * n, "value": range(n)}
    if column == "sample":
        aligner = SequenceAligner()
        assert_same(aligner.fit_transform(X), [[[0, i]] for i in range(n)])
        for samples in (aligner.samples_, ids):
            assert_same(aligner.transform(X, samples), [[[0, i]] for i in range(n)])
        assert_same(aligner.transform(X, aligner.samples_[[1]]), [[[0, 1]]])
    else:
        aligner = SequenceAligner(channels=ids)
        assert_same(aligner.fit_transform(X), [[[0, *range(n)]]])
        X["time"] = range(n)
        got = SequenceAligner(channels=aligner.channels_).fit_transform(X)[0][:, 1:]
        np.testing.assert_array_equal(np.isfinite(got), np.eye(n, dtype=bool))


def test_ids_are_the_same_wherever_they_come_from():
    days = {
        "dates": [date(2024, 1, 2), date(2024, 1, 1)],
        "datetimes": [datetime(2024, 1, 2), datetime(2024, 1, 1)],
        "with a zone": [
            datetime(2024, 1, d, 9, tzinfo=timezone(timedelta(hours=9))) for d in (2, 1)
        ],
        "datetime64 objects": [np.datetime64("2024-01-02"), np.datetime64("2024-01-01", "ns")],
        "NumPy": np.array(["2024-01-02", "2024-01-01"], dtype="M8[D]"),
        "pandas": pd.Series(pd.to_datetime(["2024-01-02", "2024-01-01"])),
        "pandas, zone": pd.to_datetime(["2024-01-02", "2024-01-01"]).tz_localize("UTC"),
        "polars": pl.Series([date(2024, 1, 2), date(2024, 1, 1)]),
        "Arrow": pa.array([date(2024, 1, 2), date(2024, 1, 1)]),
    }
    for ids in days.values():
        X = {"sample": ids, "time": [0, 1], "channel": ids, "value": [5, 6]}
        aligner = SequenceAligner().fit(X)
        for others in days.values():
            assert_same(aligner.transform(X, others), [[[0, np.nan, 5]], [[1, 6, np.nan]]])
            same = SequenceAligner(channels=others).fit({**X, "channel": others})
            assert_same(same.transform(X), [[[0, 5, np.nan]], [[1, np.nan, 6]]])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            np.array([2.0**53, 1.0]),
            r"only below 2\*\*53.*got 9007199254740992.0 as {} in row 0",
        ),
        ([1, 2.0**60], r"floats only below 2\*\*53.* as {} in row 1"),
        (np.array([1, 2**24], dtype=np.float32), r"below 2\*\*24.* as {} in row 1"),
        ([1.0, np.inf], "got inf as {} in row 1"),
        ([[1], [2]], "Expected a hashable {} in every row, got a list in row 0"),
        (
            [1, np.array(2)],
            "Expected a hashable {} in every row, got an array .* in row 1",
        ),
        ([1, (2, [3])], "Expected a hashable {} in every row, got a tuple in row 1"),
        ([1, np.ma.masked], "Expected a {} in every row, got None in row 1"),
        (np.ma.array([1, 2], mask=[0, 1]), "Expected a {} in every row, got (None|nan) in row 1"),
        (np.ma.array(["a", "b"], mask=[0, 1]), "Expected a {} in every row, got None in row 1"),
        (pd.Series([1, None], dtype="Int64"), "Expected a {} in every row, got .* in row 1"),
        (pd.Series(["a", None], dtype="category"), "Expected a {} in every row, got .* in row 1"),
        ([pd.NA, 1], "Expected a {} in every row, got <NA> in row 0"),
        ([1, pd.NaT], "Expected a {} in every row, got NaT in row 1"),
        ([1, Decimal("sNaN")], "Expected a hashable {} in every row, got a Decimal in row 1"),
        ([Decimal("NaN"), 1], "Expected a {} in every row, got .* in row 0"),
        ("ab", "Expected an array or a list as column '{}', got a string"),
        ({1, 2}, "Expected an array or a list as column '{}', got a set"),
        ({1: 2, 3: 4}, "Expected an array or a list as column '{}', got a dict"),
        (7, "Expected an array or a list as column '{}', got an int"),
    ],
)
@pytest.mark.parametrize("column", ["sample", "channel"])
def test_unusable_ids(ids, message, column):
    X = {"sample": [1, 2], "time": [0, 1], "channel": [1, 2], "value": [5, 6], column: ids}
    with pytest.raises(ValueError, match=message.replace("{}", column)):
        SequenceAligner().fit(X)


IDS = {
    "ints": [1, 2],
    "floats": [1.5, 2.0],
    "texts": ["1", "2"],
    "bytes": [b"1", b"2"],
    "datetimes": [datetime(2024, 1, 1), datetime(2024, 1, 2)],
    "durations": [timedelta(1), timedelta(2)],
    "tuples of texts": [("1", "x"), ("2", "x")],
    "tuples of ints": [(1, "x"), (2, "x")],
}


@pytest.mark.parametrize("asked", IDS)
@pytest.mark.parametrize("kind", IDS)
def test_ids_of_another_type_than_the_events_are_refused(kind, asked):
    X = {"sample": IDS[kind], "time": [0, 0], "channel": IDS[kind], "value": [3, 4]}
    aligner = SequenceAligner().fit(X)
    if kind == asked or {kind, asked} == {"ints", "floats"}:
        assert len(aligner.transform(X, IDS[asked])) == 2
        return
    for samples in (IDS[asked], [*IDS[kind], IDS[asked][0]], pd.Series(IDS[asked], dtype=object)):
        with pytest.raises(ValueError, match=r"Expected samples of the type .* 'sample'.*Convert"):
            aligner.transform(X, samples)
        with pytest.raises(ValueError, match=r"Expected samples of the type .* 'sample'.*Convert"):
            aligner.fit_transform(X, samples=samples)
    for handle in ("error", "ignore"):
        settings = dict(handle_unknown=handle)
        with pytest.raises(ValueError, match=r"Expected channels of the type .* 'channel'.*Conver"):
            SequenceAligner(channels=IDS[asked], **settings).fit(X)
        with pytest.raises(ValueError, match=r"Expected channels of the type .* 'channel'.*Conver"):
            aligner.set_params(**settings).transform({**X, "channel": IDS[asked]})


def test_unknown_samples_of_the_right_type_are_empty():
    aligner = SequenceAligner().fit(EVENTS)
    assert_same(aligner.transform(EVENTS, ["zoe", np.str_("yan")]), [np.empty((0, 3))] * 2)
    numbers = at([0, 1]) | {"sample": np.array([1, 2], np.uint8)}
    aligner = SequenceAligner().fit(numbers)
    for known in ([1, 2], [1.0, 2.0], [True, Decimal(2)], np.array([1, 2], np.float32)):
        assert [len(sequence) for sequence in aligner.transform(numbers, known)] == [1, 1]
    assert [len(sequence) for sequence in aligner.transform(numbers, [7, 8.5])] == [0, 0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (7, "as samples, got an int"),
        ({"ann", "bob"}, "as samples, got a set"),
        ({"ann": 1}, "as samples, got a dict"),
        (pd.DataFrame({"a": ["ann"]}), r"Expected one-dimensional"),
        ([["ann"]], "Expected hashable samples, got a list"),
        ([2.0**53], r"floats only below 2\*\*53"),
        ([np.ma.masked], "Expected distinct samples, got None"),
        ([pd.NA], "Expected distinct samples, got <NA>"),
    ],
)
def test_unusable_samples(samples, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(EVENTS).transform(EVENTS, samples)


# --- Errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["list of tuples", "pandas", "polars", "dict of lists"])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("sample", None, r"Expected a sample in every row, got None in row 2"),
        ("channel", None, r"Expected a channel in every row, got None in row 2"),
        ("time", None, r"Expected finite numbers in column 'time', got (nan|None) in row 2"),
        ("time", np.nan, r"Expected finite numbers in column 'time', got (nan|None) in row 2"),
        ("time", np.inf, r"Expected finite numbers in column 'time', got inf in row 2"),
        ("value", -np.inf, r"Expected finite numbers in column 'value', got -inf in row 2"),
    ],
)
def test_unusable_cells(form, column, value, message):
    events = [list(event) for event in EVENTS]
    events[2][NAMES.index(column)] = value
    message = message.replace("None in", "(None|nan) in")
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(FORMS[form](events))
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(EVENTS).transform(FORMS[form](events))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("channel", None),
        ("channel", "?"),
        ("time", np.inf),
        ("time", "?"),
        ("value", np.inf),
        ("value", "?"),
    ],
)
def test_rows_are_counted_in_all_events(column, cell):
    last = dict(zip(NAMES, ("ann", 1, "pulse", 1), strict=True)) | {column: cell}
    events = [*EVENTS, ("bob", 1, "pulse", None), tuple(last.values())]
    with pytest.raises(ValueError, match="in row 8"):
        SequenceAligner().fit(EVENTS).transform(events, samples=["ann"])


@pytest.mark.parametrize("make", [list, lambda c: np.array(c), pd.Series, pl.Series])
@pytest.mark.parametrize("texts", [["1", "high"], ["0.5", "2"]])
def test_text_instead_of_values(make, texts):
    X = {**at([0, 1]), "value": make(texts)}
    message = f"Expected a number .*one-hot encode.* got the text '{texts[0]}' in row 0"
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(X)


def test_text_among_values():
    events = [*EVENTS, ("ann", 1, "pulse", "high")]
    with pytest.raises(ValueError, match=r"column 'value': .* got the text 'high' in row 7"):
        SequenceAligner().fit(events)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1j, "Complex"), (pd.Timestamp(0), "date"), (np.timedelta64(1, "s"), "duration")],
)
def test_values_that_are_no_numbers(value, kind):
    with pytest.raises(ValueError, match=f"Expected a number .* {kind} .*row 7"):
        SequenceAligner().fit([*EVENTS, ("ann", 1, "pulse", value)])
    with pytest.raises(ValueError, match=r"Expected a number .*row 0"):
        SequenceAligner().fit({**at([0, 1]), "value": np.array([value, value])})


@pytest.mark.parametrize(
    "time", ["2024-01-01", datetime(2024, 1, 1).time(), datetime(2024, 1, 1), timedelta(1), 1j]
)
def test_times_that_are_no_times_or_of_unlike_kinds(time):
    message = r"Expected a number, a datetime or a duration in column 'time' .* row [07]"
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit([*EVENTS, ("ann", time, "pulse", 1)])


@pytest.mark.parametrize("kind", ["pandas", "pandas, zone", "numpy", "datetime", "polars, zone"])
def test_missing_datetime(kind):
    times = DATETIMES[kind]
    if kind.startswith("pandas"):
        times = pd.Series([times[0], pd.NaT])
    elif kind == "polars, zone":
        times = pl.concat([times[:1], pl.Series([None], dtype=times.dtype)])
    else:
        times = np.array([times[0], np.datetime64("NaT", "s") if kind == "numpy" else pd.NaT])
    with pytest.raises(ValueError, match=r"in column 'time', got (NaT|None) in row 1"):
        SequenceAligner().fit(at(times))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame(EVENTS, columns=["id", *NAMES[1:]]), r"columns \['sample', .*got \['id', 't"),
        (pl.DataFrame({"time": [1]}), r"Expected X to have the columns .* got \['time'\]"),
        ({"time": [1]}, r"Expected X to have the columns .* got \['time'\]"),
        ({**at([0, 1]), "value": [1]}, r"columns of one length in X, got lengths \[2, 2, 2, 1\]"),
        ({**at([0, 1]), "value": np.ones((2, 1))}, r"one-dimensional columns.* got shape \(2, 1\)"),
        (np.ones((5, 3)), r"\(n_events, 4\) .* got shape \(5, 3\)"),
        (np.ones(4), r"\(n_events, 4\) .* got shape \(4,\)"),
        (list(EVENTS[0]), "got a string as row 0"),
        ([*EVENTS, ("ann", 1)], r"\(n_events, 4\) .* got 2 cells in row 7"),
        ([*EVENTS, 5], r"\(n_events, 4\) .* got an int as row 7"),
        ([dict(zip(NAMES, event, strict=True)) for event in EVENTS], "got a dict as row 0"),
        ([(np.ones(2), 0, "a", 1), (np.ones(3), 0, "a", 1)], "hashable sample .* row 0"),
        ("events", "got a string"),
        (None, "got a NoneType"),
        (7, "got an int"),
        (
            pd.DataFrame(EVENTS, columns=NAMES).groupby("sample"),
            r"got a DataFrameGroupBy: give the frame that was grouped",
        ),
        (pl.DataFrame(columns(EVENTS)).group_by("sample"), "got a GroupBy: give the frame"),
        (pl.DataFrame(columns(EVENTS)).lazy(), r"got a LazyFrame: call its collect\(\)"),
        (
            pd.DataFrame(EVENTS, columns=NAMES).set_index(["sample", "time"]),
            r"Its index, \['sample', 'time'\], becomes columns by X.reset_index\(\)",
        ),
        (at([0, 1]) | {"value": [10**400, 1]}, "row 0 is too large for float64"),
        (at([0, 1]) | {"value": [0, "?"]}, "got the text '\\?' in row 1"),
        (at([0, 1]) | {"value": np.array([1j, 2])}, "Complex data not supported"),
        (at([0, 1]) | {"value": [1, [2]]}, "got a list, .* in row 1"),
        (at([0, 1]) | {"value": [[1], [2]]}, "got a list, .* in row 0"),
        (at([0, 1]) | {"value": "12"}, "as column 'value', got a string"),
        (at([0, 1]) | {"value": 1}, "as column 'value', got an int"),
        (np.array([["a", "0", "x", "1"]]), "got dtype <U1, in which times and values are strings"),
        (
            pd.concat([pd.DataFrame(EVENTS, columns=NAMES)] * 2, axis=1),
            "Expected one-dimensional columns",
        ),
    ],
)
def test_unusable_input(X, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(channels="pulse"), "The 'channels' parameter"),
        (dict(channels=["pulse", "temp", "pulse"]), "Expected distinct channels, got 'pulse' 2"),
        (dict(channels=[]), "Expected at least one channel in channels, got none"),
        (dict(channels=["pulse", None]), "Expected distinct channels, got None"),
        (dict(aggregate="median"), "The 'aggregate' parameter"),
        (dict(aggregate={"pulse": "median"}), r"expected one of \['mean'.*'pulse', got 'median'"),
        (
            dict(aggregate={"puls": "max"}),
            r"aggregate: expected channels of \['pulse', 'temp'\], got 'puls'",
        ),
        (dict(handle_unknown="drop"), "The 'handle_unknown' parameter"),
        (dict(with_time="no"), "The 'with_time' parameter"),
        (dict(sample=["a"]), "The 'sample' parameter"),
    ],
)
def test_unusable_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner(**parameters).fit(EVENTS)


def test_failed_fit_leaves_the_aligner_as_it_was():
    aligner = SequenceAligner().fit(EVENTS)
    with pytest.raises(ValueError, match="row 0"):
        aligner.fit([("s", np.inf, "new", 1)])
    assert_same(aligner.transform(EVENTS), ALIGNED)


# --- scikit-learn ------------------------------------------------------------------------------


def test_not_fitted():
    for method in ("transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(SequenceAligner(), method)(*[EVENTS] * (method == "transform"))


def test_clone_and_parameters():
    parameters = dict(
        sample="s", time="t", channel="c", value="v", channels=["a"], freq="1h",
        aggregate={"a": "max"}, handle_unknown="ignore", with_time=False,
    )  # fmt: skip
    aligner = SequenceAligner(**parameters)
    assert aligner.get_params() == parameters
    assert clone(aligner).get_params() == parameters


def test_pickle():
    aligner = SequenceAligner(freq=1, aggregate={"temp": "max"}).fit(EVENTS)
    loaded = pickle.loads(pickle.dumps(aligner))
    assert_same(loaded.transform(EVENTS), aligner.transform(EVENTS))


def test_set_output_does_nothing():
    aligner = SequenceAligner()
    assert aligner.set_output(transform="pandas") is aligner
    assert_same(aligner.fit_transform(EVENTS), ALIGNED)


def test_tags():
    tags = get_tags(SequenceAligner())
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string
    assert not tags.target_tags.required


def test_sequences_are_independent_of_each_other():
    bob, ann, _ = align(EVENTS)
    bob[:] = 0
    np.testing.assert_array_equal(ann, ALIGNED[1])


def test_classifier_of_aligned_sequences():
    rng = np.random.default_rng(0)
    n_samples, n_steps = 60, 8
    walks = rng.normal(size=(n_samples, n_steps, 2)).cumsum(axis=1)
    y = walks[:, -1, 0] > walks[:, -1, 1]
    sample, time, channel = np.indices(walks.shape).reshape(3, -1)
    events = pd.DataFrame(
        {"sample": sample, "time": time, "channel": channel, "value": walks.ravel()}
    ).sample(frac=1, random_state=0)
    aligner = SequenceAligner(with_time=False)
    X = aligner.fit(events).transform(events, samples=range(n_samples))
    np.testing.assert_array_equal(X, walks)
    model = GRUClassifier(
        8, max_iter=30, learning_rate="cosine", learning_rate_init=0.02, random_state=0
    )
    assert cross_val_score(model, X, y, cv=3).mean() > 0.8
    pipeline = make_pipeline(aligner, model).fit(events, y[aligner.samples_])
    assert pipeline.score(events, y[aligner.samples_]) > 0.8


# --- Metadata routing --------------------------------------------------------------------------


def shuffled_events():
    """Events of 30 samples, of which 24 are asked for in an order of their own, and their y."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.arange(100, 130))
    events = [(int(i), t, "a", float(i % 2) + 0.01 * t) for t in range(4) for i in ids]
    asked = rng.permutation(ids[:24])
    return events, asked, asked % 2


def test_samples_in_fit_transform():
    events, asked, _ = shuffled_events()
    aligner = SequenceAligner()
    got = aligner.fit_transform(events, samples=asked)
    assert_same(got, SequenceAligner().fit(events).transform(events, samples=asked))
    assert_same(aligner.fit_transform(events, None, asked), got)
    assert len(aligner.samples_) == 30


@pytest.mark.parametrize("is_cloned", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_samples_are_routed_through_a_pipeline(is_cloned, first):
    events, asked, y = shuffled_events()
    with config_context(enable_metadata_routing=True):
        steps = [SequenceAligner(with_time=False).set_transform_request(samples=True)]
        steps = [*([] if first else [FunctionTransformer()]), *steps]
        pipe = make_pipeline(*steps, GRUClassifier(4, max_iter=40, random_state=0))
        pipe = clone(pipe) if is_cloned else pipe
        pipe.fit(events, y, samples=asked)
        np.testing.assert_array_equal(pipe.predict(events, samples=asked), y)
        np.testing.assert_array_equal(pipe.predict(events, samples=asked[:5]), y[:5])
        assert pipe.score(events, y, samples=asked) == 1
        assert len(pipe.predict_proba(events)) == 30
        named = make_pipeline(
            SequenceAligner(with_time=False).set_transform_request(samples="patients"), pipe[-1]
        )
        named.fit(events, y, patients=asked)
        np.testing.assert_array_equal(named.predict(events, patients=asked), y)
        with pytest.raises(TypeError, match="samples"):
            named.fit(events, y, samples=asked)


def test_samples_in_a_pipeline_without_routing():
    events, asked, y = shuffled_events()
    pipe = make_pipeline(
        SequenceAligner(with_time=False), GRUClassifier(4, max_iter=40, random_state=0)
    )
    pipe.fit(events, y, sequencealigner__samples=asked)
    expected = pipe[-1].predict(pipe[0].transform(events, asked))
    np.testing.assert_array_equal(expected, y)
