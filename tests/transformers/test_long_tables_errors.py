"""make_sequences: samples of any type stay apart, and what is no long table is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skgru import make_sequences
from tests.containers import objects
from tests.transformers.long_tables import LIBRARIES, TABLE

DAY = datetime(2024, 3, 31)
LARGE = 2**60

# Of each pair, no two are one sample.
APART = {
    "int64": np.array([LARGE, LARGE + 1]),
    "uint64": np.array([2**63, 2**63 + 1], np.uint64),
    "huge ints": np.array([2**100, 2**100 + 1], object),
    "an int and a text": np.array([1, "1"], object),
    "an int and bytes": np.array([b"1", "1"], object),
    "an int and a Decimal": np.array([LARGE + 1, Decimal(LARGE)], object),
    "texts": np.array(["a", "A"]),
    "bytes": np.array([b"a", b"b"]),
    "booleans": np.array([True, False]),
    "floats": np.array([0.1, 0.1 + 1e-16]),
    "dates in ns": np.array([LARGE, LARGE + 1], "M8[ns]"),
    "durations": np.array([LARGE, LARGE + 1], "m8[ns]"),
    "a date and its duration": np.array([DAY, DAY - datetime(1970, 1, 1)], object),
    "Timestamps": np.array([pd.Timestamp(LARGE), pd.Timestamp(LARGE + 1)], object),
    "tuples": objects([(LARGE, "a"), (LARGE + 1, "a")]),
    "nullable": pd.array([LARGE, LARGE + 1], "Int64"),
    "categories": pd.Categorical(["a", "b"], ["c", "b", "a"]),
    "categories of ints": pd.Categorical([LARGE, LARGE + 1]),
    "with a zone": pd.to_datetime([LARGE, LARGE + 1], utc=True),
    "str": pd.array(["a", "b"], "str"),
    "Arrow": pd.array([LARGE, LARGE + 1], pd.ArrowDtype(pa.int64())),
    "polars": pl.Series([LARGE, LARGE + 1]),
    "polars unsigned": pl.Series([2**63, 2**63 + 1], dtype=pl.UInt64),
    "polars texts": pl.Series(["a", "b"]),
    "polars categories": pl.Series(["a", "b"], dtype=pl.Categorical),
    "polars Enum": pl.Series(["b", "a"], dtype=pl.Enum(["a", "b", "c"])),
    "polars Boolean": pl.Series([True, False]),
    "polars Date": pl.Series([DAY.date(), DAY.date() + timedelta(1)]),
    "polars ns": pl.Series([LARGE, LARGE + 1]).cast(pl.Datetime("ns", "Asia/Tokyo")),
    "polars Decimal": pl.Series([Decimal("1.1"), Decimal("1.2")]),
    "polars Binary": pl.Series([b"a", b"b"]),
    "Arrow column": pa.array([LARGE, LARGE + 1]),
    "Arrow dictionary": pa.array(["a", "b"]).dictionary_encode(),
    "Arrow dates": pa.array([DAY.date(), DAY.date() + timedelta(1)]),
}


def tables_of(samples, **columns):
    """Return the samples as columns of all libraries that hold them."""
    kind = type(samples).__module__.partition(".")[0]
    if kind == "polars":
        return [pl.DataFrame({"run": samples, **columns})]
    if kind == "pyarrow":
        return [pa.table({"run": samples, **columns})]
    dtype = samples.dtype
    return [
        pd.DataFrame({"run": pd.Series(samples, dtype=dtype), **columns}),
        {"run": samples, **columns},
    ]


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_samples_stay_apart(pair):
    taken = {"polars": lambda rows: pair.gather(rows), "pyarrow": lambda rows: pair.take(rows)}
    take = taken.get(type(pair).__module__.partition(".")[0], lambda rows: pair[rows])
    rows = [1, 0, 1]
    for table in tables_of(
        take(pa.array(rows) if isinstance(pair, pa.Array) else rows), row=[0, 1, 2]
    ):
        X = make_sequences(table, "run")
        assert _rows(X) == [[0, 2], [1]]
        # As values that say which samples are asked for, they are the same.
        for k, expected in enumerate([[1], [0, 2]]):
            asked = take(pa.array([k]) if isinstance(pair, pa.Array) else [k])
            assert _rows(make_sequences(table, "run", samples=asked)) == [expected]
        if isinstance(table, pd.DataFrame):
            assert X.index.dtype == table["run"].dtype
            assert list(X.index) == [table["run"][0], table["run"][1]]


def _rows(X):
    if isinstance(X, np.ndarray):
        return [cell.tolist() for cell in X[:, 0]]
    return X["row"].to_pylist() if isinstance(X, pa.Table) else [list(cell) for cell in X["row"]]


EQUAL = {
    "dates of all kinds": (
        [DAY, pd.Timestamp(DAY), np.datetime64(DAY, "ns"), DAY.replace(tzinfo=UTC)],
        [date(2024, 3, 31)],
    ),
    "durations": ([timedelta(1), pd.Timedelta(1, "D"), np.timedelta64(86400, "s")], [timedelta(1)]),
    "numbers": ([1, 1.0, np.int8(1), Decimal(1)], np.array([1], "u8")),
    "texts": (pd.Categorical(["a", "a"]), pl.Series(["a"])),
}


@pytest.mark.parametrize(("cells", "samples"), EQUAL.values(), ids=EQUAL)
def test_equal_samples_are_one(cells, samples):
    cells = np.array(cells, object) if isinstance(cells, list) else cells
    content = {"run": cells, "row": list(range(len(cells)))}
    for table in (pd.DataFrame(content), content):
        assert _rows(make_sequences(table, "run")) == [content["row"]]
        assert _rows(make_sequences(table, "run", samples=samples)) == [content["row"]]


MISSING = {
    "NaN": np.array([1, np.nan, 2, np.nan]),
    "NaT": np.array(["2024", "NaT", "2025", "NaT"], "M8[s]"),
    "None": np.array(["a", None, "b", None], object),
    "NaN among texts": np.array(["a", np.nan, "b", np.nan], object),
    "NA": np.array(["a", pd.NA, "b", pd.NaT], object),
    "nullable": pd.array([1, None, 2, None], "Int64"),
    "str": pd.array(["a", None, "b", None], "str"),
    "categories": pd.Categorical(["a", None, "b", None]),
    "objects of Decimal": np.array([Decimal(1), Decimal("NaN"), None, 2], object)[[0, 1, 3, 2]],
    "polars": pl.Series(["a", None, "b", None]),
    "polars categories": pl.Series(["a", None, "b", None], dtype=pl.Categorical),
    "polars NaN": pl.Series([1.0, np.nan, 2.0, np.nan]),
    "polars all": pl.Series([1, None, 2, None]).cast(pl.Int8),
    "Arrow": pa.array(["a", None, "b", None]),
    "Arrow NaN": pa.array([1, np.nan, 2, np.nan]),
    "Arrow dictionary": pa.array(["a", None, "b", None]).dictionary_encode(),
    "Arrow chunks": pa.chunked_array([["a"], [None, "b", None]]),
}


@pytest.mark.parametrize("samples", MISSING.values(), ids=MISSING)
def test_missing_samples(samples):
    for table in tables_of(samples, row=[0, 1, 2, 3]):
        with pytest.raises(ValueError, match=r"in every row.*row 1") as caught:
            make_sequences(table, "run")
        assert "2 in all: fill them in, or leave those rows out" in str(caught.value)


TIMES = {
    "NaN": [0, np.nan, 1, 2],
    "NaT": pd.to_datetime(["2024", None, "2025", "2026"]),
    "None": np.array([0, None, 1, 2], object),
    "infinite": [0, np.inf, 1, 2],
    "nullable": pd.array([0, None, 1, 2], "Int64"),
    "text": ["0", "1", "2", "3"],
    "dates and numbers": np.array([DAY, 1, DAY, 2], object),
    "complex": np.array([0, 1j, 1, 2]),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_that_are_refused(times):
    content = {"run": ["a", "a", "b", "b"], "hour": times, "heat": [1.0, 2.0, 3.0, 4.0]}
    for table in (content, pd.DataFrame(content)):
        with pytest.raises((ValueError, TypeError), match=r"(?s)column 'hour'.*row [01]"):
            make_sequences(table, "run", "hour")


# --- What is no long table, or has not the columns -----------------------------------------------

FRAME = pd.DataFrame(TABLE)
POLARS = pl.DataFrame(TABLE)
ARROW = pa.table(TABLE)
NO_TABLES = {
    "GroupBy": (FRAME.groupby("run"), r"DataFrameGroupBy: give the table .* sample='…'"),
    "GroupBy of polars": (POLARS.group_by("run"), "GroupBy: give the table that was grouped"),
    "LazyFrame": (POLARS.lazy(), r"LazyFrame: call its collect\(\)"),
    "list": ([[1, 2], [3, 4]], "a table with one row per step, .* got a list"),
    "Series": (FRAME["heat"], "a table with one row per step, .* got a Series"),
    "Series of polars": (POLARS["heat"], "a table with one row per step, .* got a Series"),
    "column of Arrow": (ARROW["heat"], "a table with one row per step, .* got a ChunkedArray"),
    "None": (None, "a table with one row per step, .* got a NoneType"),
    "string": ("table.csv", "a table with one row per step, .* got a string"),
    "1-D array": (np.arange(3), r"one row per step, .* got an array of shape \(3,\)"),
    "3-D array": (np.zeros((2, 3, 4)), r"one row per step, .* got an array of shape \(2, 3, 4\)"),
    "no rows": (FRAME[:0], "a table with at least one row, got none"),
    "no rows of polars": (POLARS[:0], "a table with at least one row, got none"),
    "no rows of Arrow": (ARROW[:0], "a table with at least one row, got none"),
    "no columns": ({}, r"columns of table, which are \[\], got 'run'"),
    "twice": (FRAME[["run", "heat", "heat"]], "each column in table once, got 'heat' 2 times"),
    "twice in Arrow": (
        pa.Table.from_arrays([ARROW["run"], ARROW["heat"], ARROW["heat"]], ["run", "a", "a"]),
        "each column in table once, got 'a' 2 times",
    ),
    "unlike lengths": ({"run": [1, 2], "a": [1, 2, 3]}, r"one length.*\{'run': 2, 'a': 3\}"),
    "a scalar": ({"run": [1, 2], "a": 3}, "Column 'a': Expected an array or a list, got an int"),
    "a text": ({"run": [1, 2], "a": "xy"}, "Column 'a': Expected an array.*got a string"),
    "a set": ({"run": [1, 2], "a": {1, 2}}, "Column 'a': Expected an array.*got a set"),
    "columns in a column": (
        {"run": [1, 2], "a": np.zeros((2, 3))},
        r"in column 'a', got shape \(2, 3\): make columns of its columns",
    ),
    "lists of one length": ({"run": [1, 2], "a": [[1, 2], [3, 4]]}, r"'a', got shape \(2, 2\)"),
    "objects of polars": (
        pl.DataFrame({"run": [1], "a": pl.Series([object()], dtype=pl.Object)}),
        "'a' has type Object: cast it, or leave it out",
    ),
    "views of Arrow": (
        pa.table({"run": [1], "a": pa.array(["x"], pa.string_view())}),
        "'a' has type string_view: cast it, or leave it out",
    ),
    "lists as samples": (FRAME.assign(run=[[1, 2]] * 6), "every row of 'run': unhashable.*list"),
    "lists as samples of polars": (
        POLARS.with_columns(run=pl.Series([[1, 2]] * 6)),
        "a date in every row of 'run': unhashable",
    ),
    "three levels": (
        FRAME.set_index(["run", "hour", "colour"]),
        r"got the levels \['run', 'hour', 'colour'\].*reset_index\(\)",
    ),
}


@pytest.mark.parametrize(("table", "message"), NO_TABLES.values(), ids=NO_TABLES)
def test_tables_that_are_refused(table, message):
    with pytest.raises((ValueError, TypeError), match=f"(?s){message}"):
        make_sequences(table, "run")


COMPOSITE = r"name of one column as sample, got .*Make one column of several, such as .*ngroup\(\)"
REFUSED = {
    "no sample": ({}, r"Expected sample, the name of the column .* \['run', 'hour'"),
    "like another": ({"sample": "rum"}, r"which are \['run', .*got 'rum'. Did you mean 'run'\?"),
    "unlike any": (
        {"sample": "patient"},
        "got 'patient'. A table with a row per value, .* is for SequenceAligner",
    ),
    "time": ({"sample": "run", "time": "hours"}, "Expected time .* Did you mean 'hour'"),
    "columns": ({"sample": "run", "columns": ["heta"]}, "Expected columns .* Did you mean 'heat'"),
    "target": ({"sample": "run", "target": "fail"}, "Expected target .* Did you mean 'failed'"),
    "columns unlike any": (
        {"sample": "run", "columns": ["zz"]},
        "got 'zz'. A table with a row per",
    ),
    "static": ({"sample": "run", "static": "machin"}, "Expected static .*Did you mean 'machine'"),
    "an index": ({"sample": 0}, "got 0"),
    "a list": ({"sample": ["run", "hour"]}, COMPOSITE),
    "a tuple": ({"sample": ("run", "hour")}, COMPOSITE),
    "a column": ({"sample": FRAME["run"]}, COMPOSITE),
    "an array": ({"sample": np.array(["run"])}, COMPOSITE),
    "times": ({"sample": "run", "time": ["hour"]}, "name of one column as time, got"),
    "twice": ({"sample": "run", "columns": ["heat"] * 2}, "in columns once, got 'heat' 2 times"),
    "targets twice": ({"sample": "run", "target": ["heat"] * 2}, "in target once, got 'heat'"),
    "two uses": (
        {"sample": "run", "columns": ["machine"], "static": ["machine"]},
        r"in X \(the times, columns and static\) once, got 'machine' 2 times",
    ),
    "no columns": ({"sample": "run", "columns": []}, "a column to make sequences of, got none"),
    "changing": (
        {"sample": "run", "static": ["heat"]},
        "of 'heat' for each sample, but sample 'b' has 30.0 in row 0 and nan in row 2. "
        "|has 30.0 in row 0 and None in row 2. Columns that change belong in `columns`",
    ),
    "changing target": (
        {"sample": "run", "target": "colour"},
        "of 'colour' .* 'b' has 'red' in row 0 and 'blue' in row 2. With per_step=True",
    ),
    "samples of another type": (
        {"sample": "run", "samples": [1]},
        "samples of the type of those in column 'run', .* of type str, got 1 of type int",
    ),
    "samples twice": ({"sample": "run", "samples": ["a", "a"]}, "distinct samples, got 'a' 2"),
    "a missing sample": ({"sample": "run", "samples": ["a", None]}, "distinct samples, got None"),
    "one sample": ({"sample": "run", "samples": "a"}, "array-like of samples, got the string 'a'"),
    "no target": (
        {"sample": "run", "target": "machine", "samples": ["z", "a"]},
        "a row of each sample to find its target in, got none of sample 'z': leave the target out",
    ),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED)
def test_parameters_that_are_refused(given, message):
    for library in ("pandas", "polars", "Arrow", "dict of lists"):
        with pytest.raises((ValueError, TypeError), match=f"(?s){message}"):
            make_sequences(LIBRARIES[library](TABLE), **given)


def test_a_missing_value_beside_others_is_no_constant():
    for cells in ([1.0, np.nan], [None, "a"], [pd.NaT, DAY]):
        with pytest.raises(ValueError, match=r"one value of 'a' .*None.*row"):
            make_sequences(
                {"run": [0, 0], "a": np.array(cells, object)}, "run", columns="run", target="a"
            )
    for cells in ([np.nan, np.nan], np.array([None, np.nan], object), ["", ""]):
        _, y = make_sequences({"run": [0, 0], "a": cells}, "run", columns="run", target="a")
        assert len(y) == 1


def test_targets_that_cannot_be_compared():
    with pytest.raises(
        ValueError, match="cells of column 'tags' to compare: unhashable type: 'list'"
    ):
        make_sequences(FRAME.assign(tags=[["x"]] * 6), "run", target="tags")


def test_an_index_of_dates_beside_a_column_of_its_name():
    frame = FRAME.set_index(pd.date_range("2024", periods=6)).assign(time=range(6))
    with pytest.raises(ValueError, match=r"in X .* once, got 'time' 2 times"):
        make_sequences(frame, "run")
    assert "time" in make_sequences(frame, "run", with_time=False).columns


def test_columns_of_lists_are_left_where_they_are():
    frame = FRAME.assign(tags=[["x"], [], ["y", "z"], ["x"], ["x", "y"], ["z"]])
    X = make_sequences(frame, "run", "hour", ["tags"])
    assert [list(cell) for cell in X["tags"]] == [
        [["y", "z"], ["z"], ["x"]], [["x", "y"], []], [["x"]],
    ]  # fmt: skip


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_dates_with_a_zone_are_no_dates_without_one(make):
    days = [datetime(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 2)]
    zoned = [day.replace(tzinfo=timezone(timedelta(hours=8))) for day in days]
    for given, others in ((days, zoned), (zoned, days)):
        table = make({"day": given, "v": [1.0, 2.0, 3.0]})
        found = make_sequences(table, "day", columns=["v"], samples=given[1:])
        assert [len(run) for run in (found[:, 0] if make is dict else found["v"])] == [2, 1]
        with pytest.raises(ValueError, match=r"as the dates of column 'day' are, got dates with"):
            make_sequences(table, "day", columns=["v"], samples=others[1:])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"target": "air"},
            r"got 'air'. If the targets are in another table, leave target out: "
            r"y = other.set_index\('run'\).loc\[X.index, 'air'\]\.$",
        ),
        ({"target": ["air", "wet"]}, r"set_index\('run'\).loc\[X.index, \['air', 'wet'\]\]\.$"),
        (
            {"static": "sex"},
            r"If these are in another .*X.join\(other.set_index\('run'\)\)\.",
        ),
    ],
)
def test_what_is_in_another_table_is_told_how_to_take_it(given, message):
    with pytest.raises(ValueError, match=message):
        make_sequences(FRAME, "run", **given)
    with pytest.raises(ValueError, match=message):
        make_sequences(FRAME.set_index(["run", "hour"]), **given)


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_targets_in_another_table_of_a_library_without_an_index(make):
    said = r"leave target out and take a row for each sample, in the order of X's\.$"
    with pytest.raises(ValueError, match=said):
        make_sequences(make(FRAME), "run", target="air")


def test_the_remedies_of_what_is_in_another_table_are_true():
    X = make_sequences(FRAME[["run", "hour", "heat"]], "run", "hour")
    runs = FRAME["run"].drop_duplicates()[::-1]
    other = pd.DataFrame({"run": runs, "air": np.arange(len(runs))})
    y = other.set_index("run").loc[X.index, "air"]
    assert y.tolist() == [
        dict(zip(other["run"], other["air"], strict=True))[run] for run in X.index
    ]
    assert X.join(other.set_index("run"))["air"].tolist() == y.tolist()
