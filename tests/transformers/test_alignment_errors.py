"""SequenceAligner: events and parameters that are refused."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgru.alignment import SequenceAligner
from tests.transformers.events import (
    ALIGNED,
    DATETIMES,
    EVENTS,
    FORMS,
    NAMES,
    assert_same,
    at,
    columns,
)


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="an older polars")
@pytest.mark.parametrize("column", NAMES)
def test_columns_that_numpy_does_not_know_are_refused_by_name(column):
    X = {**at([0, 1]), column: pl.Series([1, 2], dtype=pl.Int128)}
    with pytest.raises(ValueError, match=f"column '{column}'.* could not be read as an array"):
        SequenceAligner().fit(X)


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
        (pl.DataFrame({"time": [1]}), "a column for each channel, is for make_sequences"),
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
