"""make_sequences: every library's tables, columns of all uses, and the order of rows."""

import copy
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgru import make_sequences
from tests.transformers.long_tables import (
    LIBRARIES,
    NAMES,
    ROWS,
    TABLE,
    array_of,
    assert_same,
    cells_of,
    is_missing,
    of_runs,
)

CONTAINERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.Table}
SEQUENCES = ["hour", "heat", "count", "colour"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables(library):
    table = LIBRARIES[library](TABLE)
    X, y = make_sequences(table, "run", "hour", target="failed", static=["machine"])
    names = [*SEQUENCES, "machine"]
    assert type(X) is CONTAINERS.get(library.partition(" ")[0], np.ndarray)
    if isinstance(X, np.ndarray):
        assert X.shape == (3, 5)
    else:
        found = X.column_names if isinstance(X, pa.Table) else list(X.columns)
        assert found == names
    for name in SEQUENCES:
        assert_same(cells_of(X, name, names), of_runs(name))
    assert_same(cells_of(X, "machine", names), ["press", "lathe", "lathe"])
    assert np.asarray(y).tolist() == [True, False, False]
    if library == "pandas":
        assert X.index.equals(pd.Index(list(ROWS), name="run"))
        assert y.index.equals(X.index)
    if library in ("pandas", "polars"):
        assert y.name == "failed"


def test_arrays_name_their_columns_by_indices():
    run, hour, failed, machine = map(NAMES.index, ["run", "hour", "failed", "machine"])
    X, y = make_sequences(array_of(TABLE), run, hour, target=failed, static=[np.int64(machine)])
    for name in SEQUENCES:
        assert_same(cells_of(X, name, [*SEQUENCES, "machine"]), of_runs(name))
    assert X[:, 4].tolist() == ["press", "lathe", "lathe"]
    assert y.tolist() == [True, False, False]
    X = make_sequences(np.array([[1, 5, 8], [0, 6, 9], [1, 4, 7]], "f4"), 0, 1)
    assert X[0, 0].dtype == "f4"
    assert_same([x.tolist() for x in X[0]], [[4.0, 5.0], [7.0, 8.0]])


def assert_same_frames(X, expected):
    assert X.index.equals(expected.index)
    assert X.index.name == expected.index.name
    assert list(X.columns) == list(expected.columns)
    for name in X.columns:
        assert_same(cells_of(X, name), cells_of(expected, name))


@pytest.mark.parametrize("names", [["run", "hour"], ["hour", "run"]])
def test_levels_of_the_index(names):
    expected = make_sequences(pd.DataFrame(TABLE), "run", "hour")
    frame = pd.DataFrame(TABLE).set_index(names)
    sample = None if names[0] == "run" else "run"
    for time in (None, "hour"):
        assert_same_frames(make_sequences(frame, sample, time), expected)
    one = pd.DataFrame(TABLE).set_index("run")
    assert_same_frames(make_sequences(one, "run", "hour"), expected)


@pytest.mark.parametrize("dates", [pd.to_datetime, pd.to_timedelta])
def test_an_index_of_dates_or_durations_holds_the_times(dates):
    times = dates([30, 10, 5, 70, 0, 20])
    frame = pd.DataFrame(TABLE).drop(columns="hour").set_index(times)
    for name in ("when", None):
        X = make_sequences(frame.rename_axis(name), "run")
        assert X.columns[0] == (name or "time")
        assert list(X.iloc[0, 0]) == list(times[ROWS["b"]])
        assert_same(cells_of(X, "heat"), of_runs("heat"))
    assert "time" not in make_sequences(frame, "run", with_time=False).columns
    # Times that were named are those.
    assert "time" not in make_sequences(frame.assign(n=range(6)), "run", "n").columns


def test_levels_without_names():
    frame = pd.DataFrame(TABLE).set_index(["run", "hour"]).rename_axis([None, None])
    X = make_sequences(frame)
    assert X.index.name == "sample"
    assert_same(cells_of(X, "time"), of_runs("hour"))


def test_the_columns_that_were_asked_for():
    frame = pd.DataFrame(TABLE)
    asked = {
        "heat": ["hour", "heat"],
        ("count", "heat"): ["hour", "count", "heat"],
        "hour": ["hour"],
    }
    for columns, names in asked.items():
        assert list(make_sequences(frame, "run", "hour", columns).columns) == names
    X = make_sequences(frame, "run", "hour", frame.columns[[3]])
    assert list(X.columns) == ["hour", "count"]
    X = make_sequences(frame, "run", "hour", ["heat", "hour"], with_time=False)
    assert list(X.columns) == ["heat", "hour"]
    levels = pd.MultiIndex.from_product([["own"], NAMES])
    X = make_sequences(frame.set_axis(levels, axis=1), ("own", "run"), ("own", "hour"))
    assert ("own", "heat") in list(X.columns)


@pytest.mark.parametrize("library", LIBRARIES)
def test_rows_without_times_stay_in_their_order(library):
    X = make_sequences(LIBRARIES[library](TABLE), "run", columns=["heat"])
    runs = {run: sorted(rows) for run, rows in ROWS.items()}
    assert_same(cells_of(X, "heat", ["heat"]), of_runs("heat", runs=runs))


def test_rows_of_equal_times_stay_in_their_order():
    table = {"run": [1, 0, 1, 1, 0, 1], "hour": [2, 1, 0, 2, 1, 2], "step": [0, 1, 2, 3, 4, 5]}
    X = make_sequences(table, "run", "hour")
    assert_same([x.tolist() for x in X[:, 1]], [[2, 0, 3, 5], [1, 4]])


@pytest.mark.parametrize("time", [None, "hour"])
def test_many_rows_of_equal_times_stay_in_their_order(time):
    rng = np.random.default_rng(0)
    runs, hours = rng.integers(0, 5, 300), rng.integers(0, 2, 300)
    table = {"run": runs, "hour": hours, "row": np.arange(300)}
    X = make_sequences(table, "run", time, ["row"], samples=range(5), with_time=False)
    for run, (rows,) in enumerate(X):
        expected = np.flatnonzero(runs == run).tolist()
        assert rows.tolist() == sorted(expected, key=lambda i: hours[i] if time else 0)


LARGE = 2**62
TIMES = {
    "int64": np.array([LARGE + 1, LARGE, LARGE + 2]),
    "uint64": np.array([2**63 + 1, 2**63, 2**63 + 2], np.uint64),
    "ns": np.array([LARGE + 1, LARGE, LARGE + 2], "M8[ns]"),
    "durations": np.array([LARGE + 1, LARGE, LARGE + 2], "m8[ns]"),
    "with a zone": pd.to_datetime([1, 0, 2]).tz_localize("Europe/Berlin"),
    "nullable": pd.array([LARGE + 1, LARGE, LARGE + 2], "Int64"),
    "objects": np.array([2, 1.5, LARGE], object),
    "negative": np.array([-0.5, -np.finfo(float).max, 0]),
    "booleans": np.array([True, False, True]),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_are_compared_exactly(times):
    X = make_sequences({"run": [0, 0, 0], "t": times, "step": [1, 0, 2]}, "run", "t")
    assert X[0, 1].tolist() == [0, 1, 2]
    frame = pd.DataFrame({"run": [0, 0, 0], "t": times, "step": [1, 0, 2]})
    X = make_sequences(frame, "run", "t")
    assert list(X["step"][0]) == [0, 1, 2]
    assert X["t"][0].dtype == frame["t"].dtype


# --- Targets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_targets_of_steps(library):
    table = LIBRARIES[library](TABLE)
    X, y = make_sequences(table, "run", "hour", ["heat"], "colour", per_step=True)
    y = y.to_pylist() if hasattr(y, "to_pylist") else [run.tolist() for run in map(np.asarray, y)]
    assert_same(y, of_runs("colour"))
    assert_same(cells_of(X, "heat", ["hour", "heat"]), of_runs("heat"))


@pytest.mark.parametrize("library", LIBRARIES)
def test_several_targets(library):
    table = LIBRARIES[library](TABLE)
    X, y = make_sequences(table, "run", "hour", ["heat"], ["hour", "count"], per_step=True)
    for run, rows in zip(y, ROWS.values(), strict=True):
        assert run.shape == (len(rows), 2)
        # 2**60 + 1 is no float.
        assert run.tolist() == [[TABLE["hour"][row], TABLE["count"][row]] for row in rows]
        assert run.dtype == object
    _, y = make_sequences(table, "run", "hour", [], ["hour", "failed"], per_step=True)
    assert {run.dtype for run in y} == {np.dtype(float)}
    _, y = make_sequences(table, "run", "hour", ["heat"], ["machine", "failed"])
    assert type(y) is type(X)
    assert_same(cells_of(y, "machine", ["machine", "failed"]), ["press", "lathe", "lathe"])
    assert_same(cells_of(y, "failed", ["machine", "failed"]), [True, False, False])
    _, y = make_sequences(table, "run", "hour", ["heat"], ["machine"])
    assert y.shape == (3, 1)


def test_texts_beside_numbers_stay_what_they_are():
    _, y = make_sequences(TABLE, "run", "hour", ["heat"], ["hour", "colour"], per_step=True)
    assert_same(y[1].tolist(), [[0.0, "red"], [1.0, "blue"]])


# --- Samples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_samples_that_were_asked_for(library):
    table = LIBRARIES[library](TABLE)
    X, y = make_sequences(
        table, "run", "hour", ["heat"], "colour", per_step=True, static=["machine"],
        samples=["c", "z", "b"],
    )  # fmt: skip
    runs = {"c": ROWS["c"], "z": [], "b": ROWS["b"]}
    names = ["hour", "heat", "machine"]
    for name in ("hour", "heat"):
        assert_same(cells_of(X, name, names), of_runs(name, runs=runs))
    machines = cells_of(X, "machine", names)
    assert is_missing(machines[1])
    assert_same(machines, ["lathe", machines[1], "press"])
    assert [len(run) for run in y] == [1, 0, 3]
    if library == "pandas":
        assert list(X.index) == ["c", "z", "b"]
    X, y = make_sequences(table, "run", "hour", ["heat"], "machine", samples=["c", "b"])
    assert np.asarray(y).tolist() == ["lathe", "press"]
    X = make_sequences(table, "run", "hour", ["heat"], samples=["z"])
    assert_same(cells_of(X, "heat", names), [[]])
    assert len(make_sequences(table, "run", "hour", samples=[])) == 0


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "ages",
    [[2**60 + 1, 2**60], [True, False], [0.5, 1.5], [1, 2], list("xy")],
    ids=["large", "bool", "float", "int", "text"],
)
def test_values_of_samples_without_rows_are_missing_and_no_others_rounded(library, ages):
    table = LIBRARIES[library](
        {"run": [0, 1, 1], "heat": [1.0, 2.0, 3.0], "age": ages[:1] + ages[1:] * 2}
    )
    X = make_sequences(table, "run", static=["age"], samples=[1, 7, 0])
    cells = cells_of(X, "age", ["heat", "age"])
    assert is_missing(cells[1])
    assert [cells[0], cells[2]] == ages[::-1]


@pytest.mark.parametrize("library", ["pandas", "polars", "Arrow"])
def test_containers_of_samples(library):
    frame = LIBRARIES["pandas"](TABLE)
    samples = {"pandas": pd.Series, "polars": pl.Series, "Arrow": pa.array}[library](["c", "z"])
    assert list(make_sequences(frame, "run", "hour", samples=samples).index) == ["c", "z"]


def test_the_index_has_the_type_of_the_samples_in_the_table():
    for runs, asked in [
        (pd.Categorical(["a", "b"], ["b", "a", "c"]), ["b", "a"]),
        (np.array([1, 2], "i1"), [2, 1]),
        (pd.to_datetime(["2024", "2025"]).tz_localize("Asia/Tokyo"), None),
    ]:
        frame = pd.DataFrame({"run": runs, "heat": [0.0, 1.0]})
        samples = frame["run"][::-1].tolist() if asked is None else asked
        X = make_sequences(frame, "run", samples=samples)
        assert X.index.dtype == frame["run"].dtype
        assert list(X.index) == samples
        assert_same(cells_of(X, "heat"), [[1.0], [0.0]])


# --- Nothing but the rows ------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_sorted", [False, True])
def test_the_table_is_neither_modified_nor_shared(library, is_sorted):
    order = [row for rows in ROWS.values() for row in rows] if is_sorted else range(6)
    content = {name: [cells[row] for row in order] for name, cells in TABLE.items()}
    table = LIBRARIES[library](content)
    before = copy.deepcopy(table)
    X, y = make_sequences(table, "run", "hour", target="heat", static=["machine"], per_step=True)
    given = [np.asarray(table[name]) for name in ("heat", "hour", "count")]
    mine = [np.asarray(run) for run in y]
    if library not in ("polars", "Arrow", "Arrow in chunks"):  # whose arrays cannot be written to
        mine += [x for x in np.asarray(X)[:, :3].flat if isinstance(x, np.ndarray)]
        for array in mine:
            assert not any(np.shares_memory(array, other) for other in given)
            if array.flags.writeable:
                array[...] = 0
    for name in NAMES:
        assert_same(list(np.asarray(table[name])), list(np.asarray(before[name])))


@given(st.data())
def test_the_order_of_rows_does_not_matter_where_times_are_distinct(data):
    n = data.draw(st.integers(1, 12))
    runs = data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    hours = data.draw(st.lists(st.integers(-5, 99), min_size=n, max_size=n, unique=True))
    order = data.draw(st.permutations(range(n)))
    library = data.draw(st.sampled_from(["pandas", "polars", "Arrow", "dict of arrays"]))
    content = {"run": runs, "hour": hours, "row": list(range(n))}
    shuffled = {name: [cells[i] for i in order] for name, cells in content.items()}
    found = []
    for table in (content, shuffled):
        X, y = make_sequences(LIBRARIES[library](table), "run", "hour", target="run")
        cells = [cells_of(X, name, ["hour", "row"]) for name in ("hour", "row")]
        found.append(dict(zip(np.asarray(y).tolist(), zip(*cells, strict=True), strict=True)))
        assert list(found[-1]) == list(dict.fromkeys(table["run"]))
    assert found[0] == found[1]
    for run, (times, rows) in found[0].items():
        assert times == sorted(hours[i] for i in range(n) if runs[i] == run)
        assert [hours[row] for row in rows] == times


WITHOUT = """
import sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "polars", "pyarrow"):
            raise ImportError(name)


sys.meta_path.insert(0, Refuse())
import numpy as np
from skgru import GRUClassifier, PerTimestep, make_rows, make_sequences
from sklearn.preprocessing import OneHotEncoder

table = {"run": [0, 1, 0, 1], "hour": [1, 0, 0, 1], "heat": [1.0, 2.0, None, 4.0],
         "colour": ["red", "blue", "blue", "red"], "y": ["a", "b", "a", "b"]}
for given in (table, {name: np.array(cells) for name, cells in table.items()}):
    X, y = make_sequences(given, "run", "hour", ["heat"], "y")
    y_rows = make_rows(GRUClassifier(2, max_iter=1).fit(X, y).predict(X), given, "run", "hour")
    assert y_rows.shape == (4,)
    X = make_sequences(given, "run", "hour", ["colour"], samples=[1, 0, 5])
    assert PerTimestep(OneHotEncoder(sparse_output=False)).fit_transform(X)[0].shape == (2, 4)
    assert make_rows(X, given, "run", "hour", samples=[1, 0, 5])[1].tolist() == table["colour"]
X = make_sequences(np.array([[0, 1.0, 5], [0, 0.0, 4]]), 0, 1)
assert X[0, 1].tolist() == [4, 5]
"""


def test_no_other_library_is_needed():
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, cwd=".")


def test_an_object_array_of_cells_has_the_arrays_of_its_columns():
    X = make_sequences({"run": [0, 0], "a": np.array([1, 2], "i1")}, "run")
    assert X[0, 0].dtype == "i1"
    assert_array_equal(X[0, 0], [1, 2])
