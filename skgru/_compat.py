"""The parts of other libraries that are not their stable face, each taken here alone.

Of scikit-learn, the names that its developer guide documents for third parties and that lie in its
private modules. Of pandas, polars and Arrow, which skgru does not import, the attributes by which
their containers are known.

Of scikit-learn 1.9, its callbacks: before it, there is nothing in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn's mixin would; no callbacks can be set."""


if TYPE_CHECKING:
    # scikit-learn has no types, so that all that it decorates would lose its own.
    _Function = TypeVar("_Function", bound=Callable[..., Any])

    def available_if(check: Callable[[Any], bool]) -> Callable[[_Function], _Function]: ...

    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Function], _Function]: ...

    def validate_params(
        parameter_constraints: Mapping[str, Any], *, prefer_skip_nested_validation: bool
    ) -> Callable[[_Function], _Function]: ...

else:
    from sklearn.base import _fit_context as fit_context
    from sklearn.utils._param_validation import validate_params
    from sklearn.utils.metaestimators import available_if


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "StrOptions",
    "as_plain",
    "available_if",
    "check_sample_weight",
    "columns_of",
    "fields_of",
    "fit_context",
    "has_callbacks",
    "is_array",
    "is_grouped",
    "is_list",
    "names_of",
    "take",
    "validate_parameter_constraints",
    "validate_params",
]


def has_callbacks(estimator: Any) -> bool:
    """Whether an estimator has callbacks of scikit-learn, its own or those of one around it.

    There is no public way to ask. The attribute is the one that `sklearn.base.clone` passes on.
    """
    return bool(getattr(estimator, "_skl_callbacks", None))


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
    if isinstance(table, np.ndarray) and table.dtype.names is None:
        return list(table.T)
    if hasattr(table, "iloc"):  # pandas
        return [table.iloc[:, j] for j in range(table.shape[1])]
    if hasattr(table, "get_columns"):  # polars
        return list(table.get_columns())
    if hasattr(type(table), "column_names"):  # Arrow
        return list(table.columns)
    names = names_of(table)
    assert names is not None  # a table has them
    return [table[name] for name in names]


def fields_of(column: Any) -> Any:
    """Return the fields of a column of structs of polars as a DataFrame, None for anything else."""
    is_struct = hasattr(type(column), "struct") and str(column.dtype).startswith("Struct")
    return column.struct.unnest() if is_struct else None


def as_plain(column: Any) -> Any:
    """Return a column of pandas as an array, if it holds what NumPy holds; any other as it is.

    Times with a zone, of which pandas makes an object each, are then in UTC.
    """
    if not (hasattr(type(column), "iloc") and hasattr(type(column), "dtype")):
        return column
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column.to_numpy()
    if hasattr(dtype, "tz"):
        return column.to_numpy(dtype=f"M8[{dtype.unit}]")
    if hasattr(dtype, "pyarrow_dtype") and getattr(dtype.pyarrow_dtype, "tz", None) is not None:
        return column.dt.tz_convert(None)
    return column


def take(container: Any, key: Any, *, axis: int = 0) -> Any:
    """Return the rows or the columns at some indices, of any container that has them."""
    if axis == 1 and hasattr(type(container), "column_names"):  # Arrow
        return container.column(key) if isinstance(key, int) else container.select(key)
    return _safe_indexing(container, key, axis=axis)


def is_grouped(table: Any) -> bool:
    """Whether a container is a result of `groupby` of pandas or `group_by` of polars."""
    return type(table).__name__.endswith("GroupBy")


def is_array(cells: Any) -> bool:
    """Whether a container is opened as an array, and not cell by cell."""
    return any(hasattr(cells, name) for name in ("to_numpy", "__array__", "__dlpack__"))


def is_list(kind: type) -> bool:
    """Whether a type is one of iterables whose elements have an order."""
    return issubclass(kind, Iterable) and not issubclass(kind, str | bytes | Mapping | Set)
