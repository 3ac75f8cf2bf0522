"""SequenceAligner: forms of events, samples, channels and aggregates."""

import math
import pickle
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skgru.alignment import SequenceAligner
from tests.transformers.events import (
    AGGREGATES,
    ALIGNED,
    EVENTS,
    FORMS,
    NAMES,
    align,
    assert_same,
    columns,
    naive_alignment,
)


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
