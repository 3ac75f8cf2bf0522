"""The parts of other libraries that are not their stable face, each taken here alone.

Of scikit-learn, the names that its developer guide documents for third parties and that lie in its
private modules. Of pandas, polars and Arrow, which skgru does not import, the attributes by which
their containers are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "StrOptions",
    "check_sample_weight",
    "columns_of",
    "fit_context",
    "is_array",
    "is_grouped",
    "is_list",
    "names_of",
    "validate_parameter_constraints",
    "validate_params",
]


def names_of(table: Any) -> list[Any] | None:
    """Return the names of a table's columns as a list, None for anything else."""
    if isinstance(table, Mapping):
        return list(table)
    if isinstance(table, np.ndarray):
        return None if table.dtype.names is None else list(table.dtype.names)
    # Of the type, as pandas finds the labels of a Series as its attributes too.
    if hasattr(type(table), "column_names"):  # Arrow, where `columns` are the columns themselves
        return list(table.column_names)
    return list(table.columns) if hasattr(type(table), "columns") else None


def columns_of(table: Any) -> list[Any]:
    """Return the columns of a table, also those that share a name."""
    if hasattr(table, "iloc"):  # pandas
        return [table.iloc[:, j] for j in range(table.shape[1])]
    if hasattr(table, "get_columns"):  # polars
        return list(table.get_columns())
    if hasattr(type(table), "column_names"):  # Arrow
        return list(table.columns)
    names = names_of(table)
    assert names is not None  # a table has them
    return [table[name] for name in names]


def is_grouped(table: Any) -> bool:
    """Whether a container is a result of `groupby` of pandas or `group_by` of polars."""
    return type(table).__name__.endswith("GroupBy")


def is_array(cells: Any) -> bool:
    """Whether a container is opened as an array, and not cell by cell."""
    return any(hasattr(cells, name) for name in ("to_numpy", "__array__", "__dlpack__"))


def is_list(kind: type) -> bool:
    """Whether a type is one of iterables whose elements have an order."""
    return issubclass(kind, Iterable) and not issubclass(kind, str | bytes | Mapping | Set)
