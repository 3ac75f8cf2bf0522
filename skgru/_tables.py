"""Tables as their columns: of pandas, polars or Arrow, mappings and structured arrays."""

from collections.abc import Mapping

import numpy as np

from skgru._cells import describe


def names_of(table):
    """Return the names of a table's columns as a list, None for anything else."""
    if isinstance(table, Mapping):
        return list(table)
    if isinstance(table, np.ndarray):
        return None if table.dtype.names is None else list(table.dtype.names)
    if hasattr(table, "column_names"):  # Arrow, where `columns` are the columns themselves
        return list(table.column_names)
    return list(table.columns) if hasattr(table, "columns") else None


def columns_of(table):
    """Return the columns of a table, also those that share a name."""
    if hasattr(table, "iloc"):  # pandas
        return [table.iloc[:, j] for j in range(table.shape[1])]
    if hasattr(table, "get_columns"):  # polars
        return table.get_columns()
    if hasattr(table, "column_names"):  # Arrow
        return list(table.columns)
    return [table[name] for name in names_of(table)]


def check_not_deferred(table):
    """Refuse what holds a table that is not computed, or not as one.

    Raises
    ------
    ValueError
        If it is a LazyFrame or what `groupby` returns.
    """
    kind = type(table).__name__
    if kind.endswith("GroupBy"):
        raise ValueError(
            f"Expected the data themselves, got {describe(table)}: give the frame that was "
            "grouped, or a list of its groups, [group for _, group in groups]."
        )
    if kind == "LazyFrame":
        raise ValueError("Expected the data themselves, got a LazyFrame: call its collect().")
