"""make_rows: what became sequences comes back to the bit, and predictions find their rows."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru import make_rows, make_sequences
from tests.containers import objects
from tests.transformers.long_tables import (
    LIBRARIES,
    ROWS,
    TABLE,
    assert_same,
    cells_of,
    is_missing,
)

RUN, HOUR = ["b", "a", "b", "a", "b"], [3, 1, 1, 0, 2]
ZONE = dt.timezone(dt.timedelta(hours=5))
UNITS = ["s", "ms", "us", "ns"]
LARGE = [2**53 + 1, 2**62, -(2**63), 2**63 - 1, 0]
LARGE_OR_NONE = [2**53 + 1, None, -(2**63), 2**63 - 1, 0]
UNSIGNED = [2**53 + 1, 2**63, 2**64 - 1, 1, 0]
FLOATS = [1.5, np.nan, -0.0, np.inf, -np.inf]
TEXTS = ["x", None, "", "a\0", "x"]
DATE = dt.datetime(2024, 3, 31, 2, 30)

# Columns of NumPy, which pandas and dicts of arrays hold.
ARRAYS = {
    **{t: np.arange(5).astype(t) for t in ("i1", "i2", "i4", "u1", "u2", "u4", "f2", "c16", "?")},
    "i8": np.array(LARGE),
    "u8": np.array(UNSIGNED, "u8"),
    "f4": np.array(FLOATS, "f4"),
    "f8": np.array(FLOATS),
    "long double": np.array(FLOATS, "g") / 3,
    **{f"dates in {u}": np.array([1, 2, "NaT", -4, 5], f"M8[{u}]") for u in UNITS},
    **{f"durations in {u}": np.array([1, 2, "NaT", -4, 5], f"m8[{u}]") for u in UNITS},
    "texts": np.array(TEXTS, object),
    "bytes": np.array([b"x", b"\0", None, b"", b"x\0"], object),
    "mixed": np.array([1, "1", 2.5, None, True], object),
    "missing": np.array([None, np.nan, pd.NA, pd.NaT, 1], object),
    "ints": np.array([1, 2, 3, 2**70, 5], object),
    "Decimal": np.array([Decimal("1.10"), None, Decimal("NaN"), Decimal("3e400"), 0], object),
    "Fraction": np.array([Fraction(i, 3) for i in range(5)], object),
    "days": np.array([dt.date(2024, 3, day) for day in range(1, 6)], object),
    "dates of Python": np.array([DATE.replace(tzinfo=ZONE, day=day) for day in range(1, 6)]),
    "lists": objects([[1, 2], [3, 4], [5], [], [6]]),
    "arrays": objects([np.arange(2) + i for i in range(5)]),
    "dicts": objects([{"a": i} for i in range(5)]),
}
OF_NUMPY_ALONE = {
    "U": np.array(["x", "yy", "", "z", "x"]),
    "S": np.array([b"x", b"yy", b"", b"z", b"x"]),
    "D": np.array([1, 2, "NaT", -4, 5], "M8[D]"),
    "M": np.array([1, 2, "NaT", -4, 5], "M8[M]"),
    "structured": np.array([(i, i / 3) for i in range(5)], "i4,f8"),
}
OF_PANDAS = {
    "Int64": pd.array(LARGE_OR_NONE, "Int64"),
    "UInt64": pd.array([2**64 - 1, None, 1, 2, 3], "UInt64"),
    "Int8, none missing": pd.array([1, 2, 3, 4, 5], "Int8"),
    "boolean": pd.array([True, None, False, True, True], "boolean"),
    "Float32": pd.array([1.5, None, 2, 3, 4], "Float32"),
    **{f"zone, {u}": pd.to_datetime([DATE, None] * 2 + [DATE]).as_unit(u).tz_localize("Asia/Tokyo")
       for u in UNITS},
    "str": pd.array(TEXTS, "str"),
    "string": pd.array(TEXTS, "string[python]"),
    "string of Arrow": pd.array(TEXTS, "string[pyarrow]"),
    "categories": pd.Categorical(["x", None, "y", "x", "x"], ["y", "unused", "x"]),
    "ordered": pd.Categorical([2, None, 1, 2, 2], [3, 2, 1], ordered=True),
    "periods": pd.period_range("2020", periods=5, freq="M"),
    "intervals": pd.interval_range(0, 5),
    "sparse": pd.arrays.SparseArray([0, 0, 1, 0, 2]),
    "int64 of Arrow": pd.array(LARGE_OR_NONE, pd.ArrowDtype(pa.int64())),
    "dates of Arrow": pd.array([DATE, None] * 2 + [DATE], pd.ArrowDtype(pa.timestamp("ns", "UTC"))),
    "decimals of Arrow": pd.array([Decimal("1.1")] * 5, pd.ArrowDtype(pa.decimal128(9, 3))),
}  # fmt: skip
INTEGERS = [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32]
OF_POLARS = {
    **{str(t): pl.Series([1, None, 2, 3, 4], dtype=t) for t in INTEGERS},
    "Int64": pl.Series(LARGE_OR_NONE),
    "UInt64": pl.Series([2**64 - 1, None, 1, 2**63, 3], dtype=pl.UInt64),
    "Float32": pl.Series([*FLOATS[:-1], None], dtype=pl.Float32),
    "Float64": pl.Series([*FLOATS[:-1], None]),
    "Boolean": pl.Series([True, None, False, True, True]),
    "String": pl.Series(TEXTS),
    "Binary": pl.Series([b"x", None, b"", b"\0", b"x"]),
    "Categorical": pl.Series(["x", None, "", "z", "x"], dtype=pl.Categorical),
    "Enum": pl.Series(["x", None, "y", "y", "x"], dtype=pl.Enum(["y", "unused", "x"])),
    **{f"Datetime, {u}": pl.Series(LARGE_OR_NONE).cast(pl.Datetime(u)) for u in UNITS[1:]},
    **{
        f"zone, {u}": pl.Series([1, None, 2, 3, 4]).cast(pl.Datetime(u, "Asia/Tokyo"))
        for u in UNITS[1:]
    },
    **{f"Duration, {u}": pl.Series(LARGE_OR_NONE).cast(pl.Duration(u)) for u in UNITS[1:]},
    "Date": pl.Series([1, None, 2, 3, 4]).cast(pl.Date),
    "Time": pl.Series([1, None, 2, 3, 4]).cast(pl.Time),
    "Decimal": pl.Series([Decimal("1.1"), None, Decimal(2), Decimal(3), Decimal(4)]),
    "List": pl.Series([[1, 2], None, [], [3], [4]]),
    "Array": pl.Series([[1, 2]] * 5, dtype=pl.Array(pl.Int64, 2)),
    "Struct": pl.Series([{"a": i} for i in range(5)]),
    "Null": pl.Series([None] * 5),
}
OF_ARROW = {
    **{name: column.to_arrow() for name, column in OF_POLARS.items()},
    "seconds": pa.array([1, None, 2, 3, 4], pa.timestamp("s", "UTC")),
    "halves": pa.array(np.arange(5, dtype="f2")),
    "dictionary": pa.array(["x", None, "y", "x", "x"]).dictionary_encode(),
    "ordered": pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None, 1, 0], pa.int8()), pa.array([7, 3, 9]), ordered=True
    ),
    "chunks": pa.chunked_array([LARGE[:2], LARGE[2:]]),
    "fixed width": pa.array([b"ab"] * 5, pa.binary(2)),
    "large texts": pa.array(TEXTS, pa.large_string()),
    "wide decimals": pa.array([Decimal("1.1")] * 5, pa.decimal256(50, 3)),
}


def there_and_back(table, *names):
    return make_rows(make_sequences(table, *names), table, *names)


@pytest.mark.parametrize("cells", {**ARRAYS, **OF_PANDAS}.values(), ids={**ARRAYS, **OF_PANDAS})
def test_pandas(cells):
    kind = object if isinstance(cells, np.ndarray) and cells.dtype == object else None
    frame = pd.DataFrame({"run": RUN, "hour": HOUR, "cell": pd.Series(cells, dtype=kind)})
    frame.index = [7, 3, 3, 1, 0]
    back = there_and_back(frame, "run", "hour")
    assert back.dtypes.equals(frame.dtypes[1:])
    pd.testing.assert_frame_equal(back, frame[["hour", "cell"]], check_exact=True)
    if kind:
        assert list(map(type, back["cell"])) == list(map(type, frame["cell"]))
    elif isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        assert_array_equal(np.signbit(back["cell"]), np.signbit(frame["cell"]))


@pytest.mark.parametrize("cells", OF_POLARS.values(), ids=OF_POLARS)
def test_polars(cells):
    frame = pl.DataFrame([pl.Series("run", RUN), pl.Series("hour", HOUR), cells.alias("cell")])
    back = there_and_back(frame, "run", "hour")
    assert back.schema == frame.select("hour", "cell").schema
    assert back.equals(frame.select("hour", "cell"))


@pytest.mark.parametrize("cells", OF_ARROW.values(), ids=OF_ARROW)
def test_arrow(cells):
    table = pa.table({"run": RUN, "hour": HOUR, "cell": cells})
    back = there_and_back(table, "run", "hour")
    assert back.schema == table.select(["hour", "cell"]).schema
    if not pa.types.is_floating(cells.type):  # of which NaN is not equal to itself
        assert back["cell"].equals(table["cell"])
    else:
        assert str(back["cell"].to_pylist()) == str(table["cell"].to_pylist())


@pytest.mark.parametrize(
    "cells", {**ARRAYS, **OF_NUMPY_ALONE}.values(), ids={**ARRAYS, **OF_NUMPY_ALONE}
)
def test_arrays(cells):
    back = there_and_back({"run": RUN, "hour": HOUR, "cell": cells}, "run", "hour")
    assert list(back) == [0, 1]
    assert back[1].dtype == cells.dtype
    if cells.dtype == object:
        assert all(map(_is_same, back[1], cells))
    else:
        assert back[1].tobytes() == cells.tobytes() or cells.dtype.kind == "c" or cells.dtype == "g"
        assert_array_equal(back[1], cells)


def _is_same(cell, other):
    return cell is other or (type(cell) is type(other) and np.array_equal(cell, other))


LISTS = {
    "ints": [1, 2, 3, 4, 5],
    "large": UNSIGNED,
    "larger": [2**70, 2, 3, 4, 5],
    "beside a fraction": [2**53 + 1, 2.5, 3, 4, 5],
    "beside a missing one": LARGE_OR_NONE,
    "mixed": [1, "1", 2.5, None, True],
    "texts": TEXTS,
    "bytes": [b"a", b"", b"a\0", b"\0", b"a"],
    "dates": [DATE.replace(tzinfo=ZONE)] * 5,
    "Decimal": [Decimal("1.1")] * 5,
}


@pytest.mark.parametrize("cells", LISTS.values(), ids=LISTS)
def test_lists(cells):
    back = there_and_back({"run": RUN, "hour": HOUR, "cell": cells}, "run", "hour")
    assert_same(back[1].tolist(), cells)


KINDS = [
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=3),
    st.booleans(),
    st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)),
]


@given(st.data(), st.sampled_from(["pandas", "polars", "Arrow", "dict of lists"]))
def test_any_table(data, library):
    n = data.draw(st.integers(1, 9))

    def column(cells):
        return data.draw(st.lists(cells, min_size=n, max_size=n))

    content = {"run": column(st.sampled_from("abc")), "hour": column(st.integers(0, 3))}
    for j, kind in enumerate(data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))):
        content[f"c{j}"] = column(st.one_of(kind, st.none()))
    if library == "dict of lists":
        content["mixed"] = column(st.one_of(*KINDS, st.none()))
    table = LIBRARIES[library](content)
    time = data.draw(st.sampled_from(["hour", None]))
    back = there_and_back(table, "run", time)
    if library == "dict of lists":
        names = [name for name in content if name != "run"]
        for j, name in enumerate(names):
            assert_same(back[j].tolist(), content[name])
    elif library == "pandas":
        pd.testing.assert_frame_equal(back, table[back.columns], check_exact=True)
    elif library == "polars":
        assert back.equals(table.drop("run"))
    else:
        assert_same(
            [back[name].to_pylist() for name in back.column_names],
            [table[name].to_pylist() for name in back.column_names],
        )
        assert back.schema == table.drop_columns(["run"]).schema


# --- Predictions ---------------------------------------------------------------------------------

OWNERS = [0, 1, 0, 2, 1, 0]
STEPS = [[10, 20, 30], [40, 50], [60]]  # of each sample, in order of time
OF_ROWS = [30, 50, 10, 60, 40, 20]


def cells_of_rows(rows, table):
    """Return the cells of the result of make_rows, compared with its container and its index."""
    if isinstance(table, pd.DataFrame):
        assert rows.index.equals(table.index)
    if isinstance(rows, dict):
        return [column.tolist() for column in rows.values()]
    if isinstance(rows, pa.Table | pd.DataFrame | pl.DataFrame):
        return [cells_of(rows, name) for name in names_of(rows)]
    if hasattr(rows, "to_pylist"):
        return rows.to_pylist()
    return rows.tolist() if isinstance(rows, np.ndarray) else list(rows)


def names_of(rows):
    """Return the names of the columns."""
    if isinstance(rows, pa.Table):
        return rows.column_names
    return list(rows if isinstance(rows, dict) else rows.columns)


VALUES = {
    "ints": [7, 8, 9],
    "array": np.array([2**62 + 1, 8, 9]),
    "texts": np.array(["x", "y", "z"]),
    "objects": np.array(["x", "y", "z"], object),
    "booleans": np.array([True, False, True]),
    "floats": np.array([0.5, np.nan, 0.25], "f4"),
    "Series": pd.Series([7, 8, 9]),
    "categories": pd.Series(["x", "y", "x"], dtype="category"),
    "Index": pd.Index([7, 8, 9]),
    "column": np.array([[7], [8], [9]]),
    "polars": pl.Series([7, 8, 9]),
    "Arrow": pa.array([7, 8, 9]),
    "masked": np.ma.array([7.0, 8.0, 9.0], mask=[0, 1, 0]),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_a_value_of_each_sample(library, values):
    table = LIBRARIES[library](TABLE)
    rows = make_rows(values, table, "run", "hour")
    cells = values.to_pylist() if hasattr(values, "to_pylist") else values
    cells = np.ravel(cells).tolist() if np.ndim(cells) > 1 else np.ma.array(cells).tolist()
    assert_same(cells_of_rows(rows, table), [cells[owner] for owner in OWNERS])
    if library in ("pandas", "polars"):
        assert rows.name == "prediction"


STEP_VALUES = {
    "arrays": [np.array(steps) for steps in STEPS],
    "lists": STEPS,
    "objects": objects([np.array(steps) for steps in STEPS]),
    "columns": [np.array(steps)[:, None] for steps in STEPS],
    "Series": pd.Series([np.array(steps) for steps in STEPS]),
    "polars": pl.Series(STEPS),
    "Arrow": pa.array(STEPS),
    "Arrow in chunks": pa.chunked_array([STEPS[:1], STEPS[1:]]),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("values", STEP_VALUES.values(), ids=STEP_VALUES)
def test_a_value_of_each_step(library, values):
    table = LIBRARIES[library](TABLE)
    assert_same(cells_of_rows(make_rows(values, table, "run", "hour"), table), OF_ROWS)


@pytest.mark.parametrize("library", LIBRARIES)
def test_several_values(library):
    table = LIBRARIES[library](TABLE)
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    rows = make_rows(probabilities, table, "run", "hour")
    assert_same(cells_of_rows(rows, table), probabilities[OWNERS].T.tolist())
    assert names_of(rows) == ["prediction_0", "prediction_1"]
    steps = [np.column_stack([run, np.array(run) / 4]) for run in STEPS]
    for values in (steps, [run.tolist() for run in steps]):
        rows = make_rows(values, table, "run", "hour", name=["p", "q"])
        assert_same(
            cells_of_rows(rows, table), [[float(x) for x in OF_ROWS], [x / 4 for x in OF_ROWS]]
        )
    labels = np.array([["x", "y"], ["y", "y"], ["z", "x"]], object)
    rows = make_rows(labels, table, "run", "hour", name=("p", "q"))
    assert_same(cells_of_rows(rows, table), labels[OWNERS].T.tolist())
    assert names_of(rows) == ["p", "q"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_targets_come_back(library):
    table = LIBRARIES[library](TABLE)
    given = TABLE["colour"]
    _, y = make_sequences(table, "run", "hour", ["heat"], "colour", per_step=True)
    assert_same(cells_of_rows(make_rows(y, table, "run", "hour"), table), given)
    _, y = make_sequences(table, "run", "hour", ["heat"], "machine")
    rows = make_rows(y, table, "run", "hour")
    assert_same(cells_of_rows(rows, table), TABLE["machine"])
    if library in ("pandas", "polars"):
        assert rows.name == "machine"
    two = ["hour", "colour"]
    _, y = make_sequences(table, "run", "hour", ["heat"], two, per_step=True)
    rows = make_rows(y, table, "run", "hour")
    assert_same(cells_of_rows(rows, table), [TABLE[name] for name in two])


def test_arrays_of_one_length():
    table = {"run": [0, 1, 0, 1], "hour": [1, 1, 0, 0]}
    rows = make_rows(np.arange(12).reshape(2, 2, 3), table, "run", "hour")
    assert_same(
        [column.tolist() for column in rows.values()], [[3, 9, 0, 6], [4, 10, 1, 7], [5, 11, 2, 8]]
    )
    assert make_rows(list(np.arange(4).reshape(2, 2)), table, "run", "hour").tolist() == [
        1,
        3,
        0,
        2,
    ]
    frame = pd.DataFrame({"p": [1, 2], "q": [3, 4]})
    assert make_rows(frame, table, "run", "hour")["q"].tolist() == [3, 4, 3, 4]
    for values in (
        np.arange(4).reshape(2, 2),
        np.array([["x", "y"]] * 2, object),
        np.array([["x", "y"]] * 2),
    ):
        message = r"shape \(2, 2\), which may be either, as all samples have 2 rows: list\(values\)"
        with pytest.raises(ValueError, match=message):
            make_rows(values, table, "run", "hour")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("value", [2**60 + 1, 7, 0.5, "x", True], ids=str)
def test_rows_of_other_samples_are_missing(library, value):
    table = LIBRARIES[library](TABLE)
    for values in ([value, value], [[value], [value] * 2]):
        rows = cells_of_rows(make_rows(values, table, "run", "hour", samples=["c", "a"]), table)
        assert [is_missing(row) for row in rows] == [True, False, True, False, False, True]
        assert [rows[1], rows[3], rows[4]] == [value] * 3


def test_the_index_of_values_says_which_samples_they_are_of():
    for table in (LIBRARIES["pandas"](TABLE), TABLE):
        values = pd.Series([7, 8, 9], index=["c", "b", "a"], name="p")
        rows = make_rows(values, table, "run", "hour")
        assert list(rows) == [8, 9, 8, 7, 9, 8]
        rows = make_rows(values.to_frame(), table, "run", "hour")
        assert list(rows["p"]) == [8, 9, 8, 7, 9, 8]
        # A sample without rows has none to get.
        rows = make_rows(values.rename({"b": "z"}), table, "run", "hour")
        assert cells_of(pd.DataFrame({"p": rows}), "p")[3] == 7
    frame = LIBRARIES["pandas"](TABLE)
    X, y = make_sequences(frame, "run", "hour", target="colour", per_step=True)
    half = [2, 0]
    rows = make_rows(X.iloc[half], frame, "run", "hour")
    is_there = [run in ("b", "c") for run in TABLE["run"]]
    assert_same(cells_of(rows[is_there], "count"), [TABLE["count"][i] for i in (0, 2, 3, 5)])
    assert rows["count"].isna().tolist() == [not there for there in is_there]
    assert make_rows(y.iloc[half], frame, "run", "hour").isna().sum() == 2


def test_samples_without_rows():
    X = make_sequences(TABLE, "run", "hour", ["heat"], samples=["z", *ROWS])
    rows = make_rows(X, TABLE, "run", "hour", samples=["z", *ROWS])
    assert_same(rows[1].tolist(), TABLE["heat"])


def test_levels_of_the_index_and_names():
    frame = pd.DataFrame(TABLE).set_index(["run", "hour"])
    rows = make_rows([7, 8, 9], frame, name="p")
    assert rows.name == "p"
    assert rows.index.equals(frame.index)
    assert rows.tolist() == [7, 8, 7, 9, 8, 7]
    named = pl.Series("q", [7, 8, 9])
    assert make_rows(named, frame).name == "q"
    assert make_rows(np.ones((3, 2)), frame, name=["p", "q"]).columns.tolist() == ["p", "q"]
    rows = make_rows(pd.DataFrame({"p": [np.ones((len(run), 2)) for run in STEPS]}), frame)
    assert rows.columns.tolist() == ["p_0", "p_1"]


def test_the_values_are_not_shared():
    values = np.array([7.0, 8.0, 9.0])
    rows = make_rows(values, pd.DataFrame({"run": [0, 1, 2]}), "run")
    assert not np.shares_memory(rows.to_numpy(), values)


# --- What is refused -----------------------------------------------------------------------------

REFUSED = {
    "None": (None, TypeError, "Expected an array, a list, a Series .* as values, got a NoneType"),
    "a number": (5, TypeError, "as values, got an int"),
    "a string": ("abc", TypeError, "as values, got a string"),
    "a dict": ({"a": [1]}, TypeError, "as values, got a dict"),
    "a generator": ((i for i in range(3)), TypeError, "as values, got a generator"),
    "structured": (np.zeros(3, "i4,f8"), TypeError, "as values, got an array"),
    "too few": ([1, 2], ValueError, "of 3 samples, one for each in the table, got 2: samples=…"),
    "a step too many": ([[1] * 3] * 3, ValueError, "each of the 2 rows of sample 'a', got 3"),
    "a missing sequence": ([[1, 2, 3], None, [1]], ValueError, r"Sequence 1 is missing \(None\)"),
    "a value beside": ([5, [1, 2], [1]], ValueError, "Sequence 0 is an int, 5, expected an array"),
    "a missing one of pandas": (pd.Series([[1], None, [1]]), ValueError, "Sequence 1 is missing"),
    "a null": (pl.Series([[1], None, [1]]), ValueError, r"Sequence 1 is missing \(None\)"),
    "a null of Arrow": (pa.array([[1], [1], None]), ValueError, r"Sequence 2 is missing \(None\)"),
    "ragged": (
        [np.ones((3, 2)), np.ones((2, 3)), np.ones((1, 2))],
        ValueError,
        r"values at each step, but sequence 0 has shape \(3, 2\), sequence 1 \(2, 3\)",
    ),
    "other samples": (
        pd.Series([1], index=["q"]),
        ValueError,
        r"none of \['q'\] is among its runs",
    ),
    "other types": (pd.Series([1], index=[5]), ValueError, "of the type of those in column 'run'"),
    "twice": (pd.Series([1, 2], index=["a", "a"]), ValueError, "distinct samples, got 'a' 2 times"),
}


@pytest.mark.parametrize(("values", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_values_that_are_refused(values, kind, message):
    with pytest.raises(kind, match=message):
        make_rows(values, TABLE, "run", "hour")


def test_names_that_are_refused():
    values = np.ones((3, 2))
    with pytest.raises(ValueError, match="Expected 2 names in name, got 1"):
        make_rows(values, TABLE, "run", "hour", name="p")
    with pytest.raises(ValueError, match="Expected each column in name once, got 'p' 2 times"):
        make_rows(values, TABLE, "run", "hour", name=["p", "p"])
    with pytest.raises(ValueError, match="Expected sample to name columns of table"):
        make_rows(values, TABLE, "rum")


def test_an_index_of_pandas_says_the_samples_also_where_it_is_a_range():
    table = pd.DataFrame({"u": [0, 0, 1, 1, 2], "t": [0, 1, 0, 1, 0], "v": np.arange(5.0)})
    values = pd.Series([10, 11, 12])
    assert make_rows(values, table, "u", "t").tolist() == [10, 10, 11, 11, 12]
    for chosen in ([2, 1, 0], [1, 2], [2, 0]):
        part = values.iloc[chosen]
        found = make_rows(part, table, "u", "t")
        expected = [values[u] if u in chosen else None for u in table["u"]]
        assert [None if v is pd.NA else v for v in found.astype("Int64")] == expected
    X = make_sequences(table, "u", "t", ["v"], samples=range(2, -1, -1))
    found = make_rows(pd.Series([2, 1, 0], index=X.index), table, "u", "t")
    assert found.tolist() == [0, 0, 1, 1, 2]


def test_names_that_are_tuples_stay_so():
    columns = pd.MultiIndex.from_tuples([("p", "a"), ("p", "b")])
    values = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns)
    table = pd.DataFrame({"u": [0, 1, 0]})
    found = make_rows(values, table, "u")
    assert list(found) == list(columns)
    assert found.to_numpy().tolist() == [[1, 2], [3, 4], [1, 2]]
