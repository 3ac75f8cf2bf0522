import math
import pickle
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skgru import GRUClassifier, alignment
from skgru.alignment import SequenceAligner

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
    "polars": lambda events: pl.DataFrame(columns(events)),
    "polars categories": lambda events: pl.DataFrame(columns(events)).with_columns(
        pl.col("sample", "channel").cast(pl.Categorical)
    ),
}


def assert_same(got, expected):
    assert isinstance(got, list)
    assert len(got) == len(expected)
    for sequence, expected_sequence in zip(got, expected, strict=True):
        assert sequence.dtype == np.float64
        np.testing.assert_allclose(sequence, expected_sequence, rtol=1e-12)
        assert sequence.shape == np.shape(expected_sequence)


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
        (0, "The 'freq' parameter"),
        (-1.0, "The 'freq' parameter"),
        (np.inf, "The 'freq' parameter"),
        (np.nan, "The 'freq' parameter"),
        ([1], "The 'freq' parameter"),
        ("often", "freq: expected a duration, got 'often'"),
        ("0h", "freq: expected a fixed duration above 0, got '0h'"),
        ("NaT", "freq: expected a duration"),
        (timedelta(-1), "freq: expected a fixed duration above 0"),
        (np.timedelta64(-1, "s"), "freq: expected a fixed duration above 0"),
        (np.timedelta64(1, "M"), "freq: expected a fixed duration above 0"),
    ],
)
def test_unusable_freq(freq, message):
    times = pd.to_datetime(["2024-01-01", "2024-01-02"])
    with pytest.raises(ValueError, match=message):
        SequenceAligner(freq=freq).fit(at(times))


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
    subprocess.run([sys.executable, "-c", code], check=True)


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
    message = f"Expected a number .*one-hot encode.* got '{texts[0]}' of type str in row 0"
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(X)


def test_text_among_values():
    events = [*EVENTS, ("ann", 1, "pulse", "high")]
    with pytest.raises(ValueError, match=r"column 'value', got 'high' of type str in row 7"):
        SequenceAligner().fit(events)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1j, "complex"), (pd.Timestamp(0), "Timestamp"), (np.timedelta64(1, "s"), "timedelta64")],
)
def test_values_that_are_no_numbers(value, kind):
    with pytest.raises(ValueError, match=f"Expected a number .* of type {kind} in row 7"):
        SequenceAligner().fit([*EVENTS, ("ann", 1, "pulse", value)])
    with pytest.raises(ValueError, match=r"Expected a number .* in row 0"):
        SequenceAligner().fit({**at([0, 1]), "value": np.array([value, value])})


@pytest.mark.parametrize(
    "time", ["2024-01-01", datetime(2024, 1, 1).time(), datetime(2024, 1, 1), timedelta(1), 1j]
)
def test_times_that_are_no_times_or_of_unlike_kinds(time):
    message = r"Expected a number, a datetime or a duration in column 'time', got .* in row [07]"
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
