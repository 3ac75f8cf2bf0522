"""SequenceAligner: a column with a table of events for each sample."""

import pickle
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, MultimodalGRUClassifier, SeriesBranch, TableBranch
from skgru.alignment import SequenceAligner
from tests.transformers.events import AGGREGATES, ALIGNED, EVENTS, align

NAMES = ["time", "channel", "value"]
SAMPLES = ["bob", "ann", "eve", "zoe"]  # the last has no events
ROWS = [[event[1:] for event in EVENTS if event[0] == sample] for sample in SAMPLES]
EXPECTED = [*ALIGNED, np.empty((0, 3))]


def columns(rows):
    return {name: [row[j] for row in rows] for j, name in enumerate(NAMES)}


def frame(rows):
    return pd.DataFrame(columns(rows), columns=NAMES).astype({"value": float})


def objects(cells):
    array = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


def assert_equal(got, expected):
    assert isinstance(got, list)
    assert [x.shape for x in got] == [np.shape(x) for x in expected]
    for x, other in zip(got, expected, strict=True):
        assert x.dtype == np.float64
        np.testing.assert_array_equal(x, other)


def one_table(tables):
    """Return the events of all samples as one table, whose samples are their positions."""
    return [(i, *row) for i, rows in enumerate(tables) for row in rows]


def assert_as_one_table(cells, tables, **parameters):
    """Check the sequences of cells against those of one table of the same events."""
    aligner = SequenceAligner(**parameters).fit(one_table(tables))
    expected = aligner.transform(one_table(tables), samples=range(len(tables)))
    of_cells = SequenceAligner(**parameters)
    assert_equal(of_cells.fit_transform(cells), expected)
    assert of_cells.channels_.tolist() == aligner.channels_.tolist()
    assert of_cells.channels_.dtype == aligner.channels_.dtype
    assert_equal(aligner.transform(cells), expected)


# --- Forms ---------------------------------------------------------------------------------------

TABLES = {
    "pandas": frame,
    "pandas, other columns and index": lambda rows: (
        frame(rows).assign(sample="?", note=1)[["value", "note", "channel", "sample", "time"]]
    ).set_index(np.arange(len(rows)) + 5),
    "pandas nullable": lambda rows: frame(rows).convert_dtypes(),
    "pandas Arrow": lambda rows: frame(rows).convert_dtypes(dtype_backend="pyarrow"),
    "pandas categories": lambda rows: frame(rows).astype({"channel": "category"}),
    "polars": lambda rows: pl.DataFrame(frame(rows)),
    "Arrow table": lambda rows: pa.table(columns(rows)),
    "Arrow batch": lambda rows: pa.RecordBatch.from_pydict(columns(rows)),
    "dict of lists": columns,
    "dict of Series": lambda rows: dict(frame(rows)),
    "structured array": lambda rows: frame(rows).to_records(index=False),
    "object array": lambda rows: np.array(rows, dtype=object).reshape(-1, 3),
    "array of rows": objects,
    "Series of rows": lambda rows: pd.Series(objects(rows)),
    "tuples": list,
    "lists in a tuple": lambda rows: tuple(map(list, rows)),
    "arrays": lambda rows: [np.array(row, object) for row in rows],
    "dicts": lambda rows: frame(rows).to_dict("records"),
    "masked": lambda rows: [[np.ma.masked if x is None else x for x in row] for row in rows],
}

COLUMNS = {
    "list": list,
    "tuple": tuple,
    "array": objects,
    "masked array": lambda cells: np.ma.array(objects(cells), mask=[c is None for c in cells]),
    "array of one column": lambda cells: objects(cells)[:, None],
    "Series": lambda cells: pd.Series(objects(cells), index=[7, 7, 8, 9]),
    "DataFrame": lambda cells: pd.DataFrame({"events": objects(cells)}),
    "polars": lambda cells: pl.Series(list(cells), dtype=pl.Object),
}

NESTED = pl.Series([[dict(zip(NAMES, row, strict=True)) for row in rows] for rows in ROWS])
STRUCTS = pl.Series([*map(columns, ROWS[:3]), None])

WHOLE = {
    "polars lists of structs": NESTED,
    "polars structs of lists": STRUCTS,
    "polars frame": pl.DataFrame({"events": NESTED}),
    "Arrow lists": NESTED.to_arrow(),
    "Arrow structs": STRUCTS.to_arrow(),
    "Arrow chunks": pa.chunked_array([NESTED.to_arrow()]),
    "Arrow table": pa.table({"events": NESTED.to_arrow()}),
    "pandas Arrow": pd.Series(NESTED.to_pandas(use_pyarrow_extension_array=True)),
    "pandas Arrow frame": pd.DataFrame({0: STRUCTS.to_pandas(use_pyarrow_extension_array=True)}),
    "tables of all kinds": [frame(ROWS[0]), columns(ROWS[1]), ROWS[2], None],
}

FORMS = [(column, table) for column in COLUMNS for table in TABLES] + [(x, None) for x in WHOLE]


def make(column, table):
    if table is None:
        return WHOLE[column]
    return COLUMNS[column]([*map(TABLES[table], ROWS[:3]), None])


@pytest.mark.parametrize(("column", "table"), FORMS)
def test_forms(column, table):
    X = make(column, table)
    before = pickle.dumps(ROWS)
    aligner = SequenceAligner()
    assert_equal(aligner.fit_transform(X), EXPECTED)
    assert aligner.samples_.tolist() == [0, 1, 2, 3]
    assert aligner.channels_.tolist() == ["pulse", "temp"]
    assert_equal(SequenceAligner().fit(X).transform(X), EXPECTED)
    assert_equal(SequenceAligner().fit(EVENTS).transform(X), EXPECTED)
    assert pickle.dumps(ROWS) == before


@pytest.mark.parametrize("table", ["pandas", "polars", "dict of lists", "structured array"])
def test_input_is_not_modified(table):
    X = [*map(TABLES[table], ROWS[:3]), None]
    before = [TABLES[table](rows) for rows in ROWS[:3]]
    align(X, freq=1)
    for cell, other in zip(X, before, strict=False):
        assert str(cell) == str(other)


def test_names_of_columns():
    X = [cell.set_axis([0, ("a", "b"), "v"], axis=1) for cell in map(frame, ROWS)]
    aligner = SequenceAligner(sample="patient", time=0, channel=("a", "b"), value="v")
    assert_equal(aligner.fit_transform(X), EXPECTED)
    assert aligner.get_feature_names_out().tolist() == ["0", "pulse", "temp"]


@pytest.mark.parametrize(
    "parameters",
    [{"freq": 2, "aggregate": name} for name in AGGREGATES]
    + [{"with_time": False}, {"channels": ["temp", "other", "pulse"]}],
)
def test_parameters(parameters):
    assert_as_one_table(list(map(frame, ROWS)), ROWS, **parameters)


def test_samples_are_in_the_order_of_the_cells():
    order = [2, 1, 3, 0]
    got = align([ROWS[i] for i in order])
    assert_equal(got, [EXPECTED[i] for i in order])


def test_arrays_of_numbers():
    X = [np.array([[0.5, 2, 1.5], [0.5, 1, np.nan]]), np.array([[1, 1, 2]])]
    aligner = SequenceAligner()
    assert_equal(aligner.fit_transform(X), [[[0.5, np.nan, 1.5]], [[1, 2, np.nan]]])
    np.testing.assert_array_equal(aligner.channels_, [1, 2])


# --- One table, or one for each sample -----------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        [(("a", 1), 0, "x", 1.0)],
        [[("a", 1), 0, "x", 1.0]] * 4,
        [("abc", 0, "x", 1.0), ("abd", 0, "x", 1.0)],
        [np.array([7, 0, 1, 1.0])] * 3,
        np.array([[7, 0, 1, 1.0]] * 3),
    ],
)
def test_rows_of_sample_time_channel_and_value_are_one_table(events):
    aligner = SequenceAligner()
    aligner.fit(events)
    assert aligner.samples_.tolist() == list(dict.fromkeys(event[0] for event in events))


@pytest.mark.parametrize("n_events", [1, 2, 3, 4])
@pytest.mark.parametrize("n_samples", [1, 3, 4])
@pytest.mark.parametrize("table", ["tuples", "lists in a tuple", "arrays", "object array", "dicts"])
def test_rows_in_rows_are_cells(n_events, n_samples, table):
    rows = [(time, "a", time + 1) for time in range(n_events)]
    expected = [[[time, time + 1] for time in range(n_events)]] * n_samples
    assert_equal(align([TABLES[table](rows)] * n_samples), expected)


def test_an_iterator_is_read_once():
    assert_equal(align(iter(ROWS)), EXPECTED)
    assert_equal(align(iter(EVENTS)), ALIGNED)


# --- Samples without events ----------------------------------------------------------------------

EMPTY = {
    "None": None,
    "NaN": np.nan,
    "NA": pd.NA,
    "NaT": pd.NaT,
    "masked": np.ma.masked,
    "list": [],
    "tuple": (),
    "dict": {},
    "dict of lists": columns([]),
    "array": np.empty(0),
    "rows": np.empty((0, 3)),
    "pandas": pd.DataFrame(columns=NAMES),
    "pandas, no columns": pd.DataFrame(),
    "polars": pl.DataFrame(schema=NAMES),
    "polars, no columns": pl.DataFrame(),
    "polars structs": NESTED[0][:0],
    "Arrow": pa.table({name: pa.array([], pa.int32()) for name in NAMES}),
    "without values": [(1, "new", None), (None, None, np.nan)],
}


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("column", COLUMNS)
def test_samples_without_events(empty, column):
    cell = EMPTY[empty]
    X = COLUMNS[column]([cell, frame(ROWS[0]), cell, frame(ROWS[1])])
    nothing = np.empty((0, 3))
    expected = [nothing, ALIGNED[0], nothing, ALIGNED[1]]
    aligner = SequenceAligner()
    assert_equal(aligner.fit_transform(X), expected)
    assert_equal(aligner.transform(COLUMNS[column]([cell] * 4)), [nothing] * 4)
    with pytest.raises(ValueError, match="Expected at least one event with a value"):
        SequenceAligner().fit(COLUMNS[column]([cell] * 4))
    fitted = SequenceAligner(channels=["pulse"], freq=1).fit(COLUMNS[column]([cell] * 4))
    assert_equal(fitted.transform([cell] * 4), [np.empty((0, 2))] * 4)


@pytest.mark.parametrize(
    "X",
    [
        pd.Series([np.nan, np.nan]),
        pl.Series([None, None]),
        pl.Series([None, None], dtype=NESTED.dtype),
        pl.Series([None, None], dtype=STRUCTS.dtype),
        pa.nulls(2),
        np.full(2, np.nan),
        pd.DataFrame({"events": [np.nan, np.nan]}),
    ],
)
def test_columns_without_any_events(X):
    assert_equal(SequenceAligner().fit(EVENTS).transform(X), [np.empty((0, 3))] * 2)


# --- Types are decided over all samples ----------------------------------------------------------

LARGE = 2**60
TIMES = {
    "integers beside fractions": [[0, 2], [0.5, 1.5]],
    "large integers": [[LARGE, LARGE + 1], [1, LARGE + 1]],
    "of many sizes": [np.array([0, 2], np.int8), np.array([2**40], np.int64)],
    "signed and unsigned": [np.array([1, 2], np.int64), np.array([2**63], np.uint64)],
    "precisions": [np.array([0.5], np.float32), np.array([0.1, 0.2])],
    "truth values beside integers": [[True, False], np.array([2, 3])],
    "units": [np.array([1, 2], "M8[s]"), np.array([1, 2], "M8[ns]"), np.array([5], "M8[D]")],
    "durations": [np.array([1, 2], "m8[h]"), np.array([1, 2], "m8[us]")],
    "dates beside those of Python": [
        np.array([TICK := 1_700_000_000_000_000_001, TICK + 1], "M8[ns]"),
        [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2)],
        [date(2024, 1, 1)],
    ],
    "big-endian": [np.array([1, 2], ">i8"), np.array([3], "<i8")],
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_of_several_types(kind):
    cells = [
        {"time": times, "channel": ["a"] * len(times), "value": range(len(times))}
        for times in TIMES[kind]
    ]
    tables = [[(t, "a", i) for i, t in enumerate(times)] for times in TIMES[kind]]
    assert_as_one_table(cells, tables)
    if kind not in ("units", "durations", "big-endian"):  # of which polars has not all
        frames = [pl.DataFrame({**cell, "value": list(cell["value"])}) for cell in cells]
        assert_as_one_table(frames, tables)


@pytest.mark.parametrize("zones", [["Europe/Berlin"] * 2, ["Europe/Berlin", "Asia/Tokyo"]])
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("make", [frame, TABLES["polars"], TABLES["pandas Arrow"]])
def test_time_zones(zones, unit, make):
    stamps = [pd.Series(pd.to_datetime([1, 10**9 * i], utc=True)) for i in (1, 2)]
    cells = []
    for stamp, zone in zip(stamps, zones, strict=True):
        times = stamp.dt.as_unit(unit).dt.tz_convert(zone)
        cells.append(make([(time, "a", i) for i, time in enumerate(times)]))
    start = {"s": 0, "us": 0, "ns": 1e-9}[unit]
    assert_equal(align(cells), [[[start, 0], [1, 1]], [[start, 0], [2, 1]]])


def test_nanoseconds_in_nested_columns():
    times = np.array([1, 2], "M8[ns]")
    table = pl.DataFrame({"time": times, "channel": ["a", "a"], "value": [1, 2]})
    lists = table.select(pl.struct(NAMES).implode()).to_series()
    structs = table.select(pl.struct(pl.all().implode())).to_series()
    for X in (lists, structs, lists.to_arrow(), structs.to_arrow(), [table]):
        assert_equal(align(X), [[[1e-9, 1], [2e-9, 2]]])


def test_channels_of_several_types():
    cells = [{"time": [0], "channel": np.array([c]), "value": [1]} for c in (2**60, 2**60 + 1)]
    fraction = {"time": [0], "channel": np.array([0.5]), "value": [1]}
    aligner = SequenceAligner()
    aligner.fit([fraction, *cells])
    np.testing.assert_array_equal(aligner.transform(cells)[1], [[0, np.nan, np.nan, 1]])
    dates = [
        {"time": [0], "channel": np.array([0], f"M8[{unit}]"), "value": [1]} for unit in ("D", "ns")
    ]
    assert align([*dates])[1].shape == (1, 2)


@given(
    tables=st.lists(
        st.one_of(
            st.lists(
                st.tuples(times, st.sampled_from("cab"), st.sampled_from([None, 0.1, 0.2, 3, 7.0])),
                max_size=8,
            )
            for times in (
                st.integers(-3, 3),
                st.integers(2**62, 2**62 + 3),
                st.integers(-8, 8).map(lambda time: time / 4),
            )
        ),
        min_size=1,
        max_size=6,
    ),
    kinds=st.lists(
        st.sampled_from(["pandas", "polars", "dict of lists", "tuples", "structured array"]),
        min_size=6,
        max_size=6,
    ),
    aggregate=st.sampled_from(sorted(AGGREGATES)),
    freq=st.sampled_from([None, 2]),
)
@example([[(2**62 + 1, "a", 1.0)], [(0.5, "a", 1.0)]], ["pandas", "polars"], "mean", None)
@example([[(3, "a", 1.0)], [(0.5, "a", 3)], [(2, "b", None)]], ["pandas"] * 3, "sum", None)
def test_against_one_table(tables, kinds, aggregate, freq):
    cells = [TABLES[kind](rows) for kind, rows in zip(kinds, tables, strict=False)]
    aligner = SequenceAligner(channels=list("abc"), aggregate=aggregate, freq=freq)
    try:
        aligner.fit(one_table(tables))
        expected = aligner.transform(one_table(tables), samples=range(len(tables)))
    except ValueError as error:  # large integers beside fractions, or too large a grid
        words = str(error)[:20]
        with pytest.raises(ValueError, match=words):
            clone(aligner).fit_transform(cells)
    else:
        assert_equal(clone(aligner).fit_transform(cells), expected)


# --- Refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [*map(TABLES.get, ["pandas", "polars", "tuples", "dicts"])])
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((np.inf, "pulse", 1.0), "finite numbers in column 'time', got inf in row 1 of sample 2"),
        ((None, "pulse", 1.0), "finite numbers in column 'time', got .* in row 1 of sample 2"),
        ((1.0, None, 1.0), "Expected a channel in every row, got .* in row 1 of sample 2"),
        ((1.0, "pulse", -np.inf), "numbers in column 'value', got -inf in row 1 of sample 2"),
        ((1.0, "new", 1.0), "channels of fit, got 'new' in row 1 of sample 2"),
    ],
)
def test_unusable_cells_are_named(make, row, message):
    X = [None, make(ROWS[0]), make([(0.0, "pulse", None), row]), make(ROWS[1])]
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(EVENTS).transform(X)


def test_inexact_times_and_texts_are_named():
    mixed = [ROWS[0], [(2**60 + 1, "pulse", 1)]]
    with pytest.raises(ValueError, match=rf"'time', got {2**60 + 1} in row 0 of sample 1: beyond"):
        align(mixed)
    with pytest.raises(ValueError, match=r"column 'value': .*text 'high' in row 0 of sample 1"):
        align([ROWS[0], [(0, "pulse", "high")]])
    with pytest.raises(ValueError, match=r"column 'time' .*text '2024' in row 0 of sample 1"):
        align([ROWS[0], [("2024", "pulse", 1)]])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (frame([])[["time"]], r"the events to have the columns \['time', 'c.* got \['time'\]"),
        (
            frame(ROWS[0]).set_index("time"),
            r"index, \['time'\], becomes columns by reset_index\(\)",
        ),
        (
            {"time": [1]},
            r"columns \['time', 'channel', 'value'\], got \['time'\]. The parameters t",
        ),
        ({**columns(ROWS[0]), "value": [1]}, r"one length in the events, got lengths \[3, 3, 1\]"),
        ({**columns(ROWS[0]), "value": 1}, "an array or a list as column 'value', got an int"),
        ([("ann", *row) for row in ROWS[0]], r"time, channel and value, got 4 cells in row 0"),
        ([*ROWS[0], 5], "got an int as row 3"),
        (("ann", 0.0, "pulse", 71), "got a string as row 0"),
        ([*TABLES["dicts"](ROWS[0]), {"time": 1}], r"for each event, got \['time'\] in row 3"),
        ([*TABLES["dicts"](ROWS[0]), 5], "for each event, got 5 in row 3"),
        (np.ones((2, 4)), r"array of shape \(n_events, 3\) .* got shape \(2, 4\)"),
        (np.ones(3), r"got shape \(3,\)"),
        (np.array([["0", "a", "1"]]), "to be an array of numbers or objects"),
        ("events", "got a string"),
        (7, "got an int"),
        ({1, 2}, "got a set"),
        (pl.DataFrame(frame(ROWS[0])).lazy(), r"got a LazyFrame: call its collect\(\)"),
        (frame(ROWS[0]).groupby("channel"), "got a DataFrameGroupBy: give its events"),
    ],
)
def test_unusable_tables(cell, message):
    with pytest.raises(ValueError, match=f"(?s)^Sample 2: Expected .*{message}"):
        SequenceAligner().fit([None, ROWS[0], cell])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([(None, 0, "x", 1.0)], "Expected a sample in every row, got None in row 0"),
        ([{"time": 0.0, "channel": "a", "value": 1}], "got a dict as row 0"),
        (pd.Series([dict(zip(NAMES, ROWS[0][0], strict=True))]), r"got shape \(1,\)"),
        (ROWS[0], "got 3 cells in row 0"),
        (np.ones((2, 4, 3)), r"got shape \(2, 4, 3\)"),
        (np.ones((2, 1)), r"got shape \(2, 1\)"),
        (pd.DataFrame({"value": [np.nan]}), r"columns .*, got \['value'\]"),
        (pd.DataFrame({"a": objects(ROWS), "b": objects(ROWS)}), r"columns .*, got \['a', 'b'\]"),
        ({"ann": frame(ROWS[0])}, r"columns .*, got \['ann'\]"),
        ([("ann", frame(ROWS[0]))], "got 2 cells in row 0"),
        (pl.DataFrame(frame(ROWS[0])).lazy(), "LazyFrame"),
        ([pl.DataFrame(frame(ROWS[0])).lazy()], "got a LazyFrame as row 0"),
    ],
)
def test_what_is_no_column_of_tables_is_refused_as_one_table(X, message):
    with pytest.raises(ValueError, match=message):
        SequenceAligner().fit(X)


def test_samples_are_refused():
    aligner = SequenceAligner().fit(EVENTS)
    for method in (aligner.transform, clone(aligner).fit_transform):
        with pytest.raises(ValueError, match="Expected samples=None, as each element of X holds"):
            method(ROWS, samples=[0, 1])
    with pytest.raises(ValueError, match="samples=None"):
        aligner.fit_transform([[(0, "other", 1)]], samples=[0])
    assert aligner.channels_.tolist() == ["pulse", "temp"]  # it has not learned before it refused


def test_unknown_channels():
    X = [ROWS[0], [(7, "weight", 60.0)]]
    aligner = SequenceAligner().fit(ROWS)
    with pytest.raises(ValueError, match="got 'weight' in row 0 of sample 1; handle_unknown='ig"):
        aligner.transform(X)
    aligner.set_params(handle_unknown="ignore")
    assert_equal(aligner.transform(X), [EXPECTED[0], np.empty((0, 3))])
    numbers = [[(7, 3, 60.0)]]
    with pytest.raises(ValueError, match="of the type of those in column 'channel'"):
        aligner.transform(numbers)


# --- scikit-learn --------------------------------------------------------------------------------


def levels(n=24):
    """Return tables of events whose values tell of the class, and the classes."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    tables = [
        [(float(t), c, 3.0 * label + rng.normal()) for t in range(3) for c in "ab"] for label in y
    ]
    return tables, y


@pytest.mark.parametrize(
    "make",
    [
        list,
        lambda tables: pd.Series([frame(rows) for rows in tables]),
        lambda tables: objects([frame(rows) for rows in tables]),
        lambda tables: pd.DataFrame({"events": [frame(rows) for rows in tables]}),
        lambda tables: pl.Series([TABLES["dicts"](rows) for rows in tables]),
    ],
)
def test_cross_validation_of_a_pipeline(make):
    tables, y = levels()
    model = GRUClassifier(4, time_feature=0, solver="lbfgs", max_iter=10, random_state=0)
    pipe = make_pipeline(SequenceAligner(), model)
    scores = cross_val_score(pipe, make(tables), y, cv=2)
    np.testing.assert_array_equal(scores, cross_val_score(model, align(tables), y, cv=2))
    assert scores.mean() > 0.9


def test_pickle():
    aligner = SequenceAligner(freq=1).fit(ROWS)
    loaded = pickle.loads(pickle.dumps(aligner))
    assert_equal(loaded.transform(ROWS), aligner.transform(ROWS))
    assert_equal(loaded.transform(EVENTS), aligner.transform(EVENTS))


@pytest.mark.parametrize("columns", ["events", ["events"]])
@pytest.mark.parametrize("container", ["pandas", "polars", "array"])
def test_branch(columns, container):
    tables, y = levels()
    tables[3] = None
    ages = np.random.default_rng(1).normal(size=len(y))
    if container == "polars":
        cells = [rows and TABLES["dicts"](rows) for rows in tables]
        X = pl.DataFrame({"age": ages, "events": cells})
    else:
        X = pd.DataFrame({"age": ages, "events": [rows and frame(rows) for rows in tables]})
    aligned = pd.DataFrame({"age": ages, "events": align([rows or [] for rows in tables])})
    aligned.loc[3, "events"] = None
    static = ["age"]
    if container == "array":
        X, columns, static = X.to_numpy(), 1 if columns == "events" else [1], [0]
    branches = lambda transformer, events, static: [  # noqa: E731
        ("stay", SeriesBranch(transformer, time_feature=0, hidden_layer_sizes=(4,)), events),
        ("static", TableBranch(), static),
    ]
    parameters = {"solver": "lbfgs", "max_iter": 5, "random_state": 0}
    model = MultimodalGRUClassifier(branches(SequenceAligner(), columns, static), **parameters)
    other = MultimodalGRUClassifier(branches(None, "events", ["age"]), **parameters)
    proba = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(proba, other.fit(aligned, y).predict_proba(aligned))
    assert model.named_branches_.stay.transformer_.channels_.tolist() == ["a", "b"]
