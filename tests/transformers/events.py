"""Events, their forms, and what is to be made of them, for the tests of SequenceAligner."""

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

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
