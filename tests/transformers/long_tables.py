"""Tables with one row per step, in all libraries, and what is to be made of them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

TABLE = {
    "run": ["b", "a", "b", "c", "a", "b"],
    "hour": [3.0, 1.0, 0.5, 7.0, 0.0, 2.0],
    "heat": [30.0, 11.0, np.nan, 70.0, 10.0, 20.0],
    "count": [2**60 + 1, 1, 2, 3, 4, 5],
    "colour": ["red", "blue", "blue", "red", "red", "green"],
    "machine": ["press", "lathe", "press", "lathe", "lathe", "press"],
    "failed": [True, False, True, False, False, True],
}
NAMES = list(TABLE)
# The rows of each sample in order of time; samples in order of their first row.
ROWS = {"b": [2, 5, 0], "a": [4, 1], "c": [3]}


def arrays_of(table):
    return {name: np.array(cells) for name, cells in table.items()}


def structured(table):
    arrays = arrays_of(table)
    rows = np.empty(len(table["run"]), [(name, array.dtype) for name, array in arrays.items()])
    for name, array in arrays.items():
        rows[name] = array
    return rows


def chunked(table):
    whole = pa.table(table)
    return pa.concat_tables([whole[:2], whole[2:3], whole[3:]])


LIBRARIES = {
    "pandas": lambda table: pd.DataFrame(table, index=range(9, 9 + len(table["run"]))),
    "polars": pl.DataFrame,
    "Arrow": pa.table,
    "Arrow in chunks": chunked,
    "dict of lists": dict,
    "dict of arrays": arrays_of,
    "dict of Series": lambda table: {name: pd.Series(cells) for name, cells in table.items()},
    "structured array": structured,
}


def array_of(table):
    """Return an array of objects, whose columns are named by their indices."""
    return np.array([np.array(cells, object) for cells in table.values()], object).T


def cells_of(X, name, names=()):
    """Return the cells of a column as lists; of an array by its place among the names."""
    if isinstance(X, np.ndarray):
        column = list(X[:, list(names).index(name)])
    else:
        column = X[name].to_pylist() if isinstance(X, pa.Table) else list(X[name])
    return [cell.tolist() if hasattr(cell, "tolist") else _as_list(cell) for cell in column]


def _as_list(cell):
    return cell.to_list() if hasattr(cell, "to_list") else cell


def of_runs(name, table=TABLE, runs=ROWS):
    """Return the cells that are to become sequences."""
    return [[table[name][row] for row in rows] for rows in runs.values()]


def assert_same(cells, expected):
    """Compare cells to the last bit, and their types; all missing ones count as equal."""
    assert len(cells) == len(expected)
    for cell, other in zip(cells, expected, strict=True):
        if isinstance(other, list):
            assert_same(cell, other)
        elif not (is_missing(cell) and is_missing(other)):
            assert type(cell) is type(other)
            assert cell == other


def is_missing(cell):
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell
