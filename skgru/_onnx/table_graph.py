"""Inputs of rows of a table in a graph: numbers, and categories as texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._data.inputs import known
from skgru._data.table import TableInput
from skgru._nn.part import Arrays
from skgru._onnx.graph import ML, Graph, Name
from skgru._onnx.numbers_graph import scaled

# What stands for a category that is missing.
MISSING = ""


def as_texts(cells: Iterable[Any], column: str) -> list[str]:
    """Return categories of a column as texts: `MISSING` for None, a whole number without a point.

    Raises
    ------
    ValueError
        If one is the text that stands for a missing one.
    """
    texts = [_as_text(cell) for cell in cells]
    if any(text == MISSING and cell is not None for text, cell in zip(texts, cells, strict=True)):
        raise ValueError(
            f"Column {column!r} holds the category {MISSING!r}, which in a graph of ONNX stands "
            "for a missing one: expected None, or another text, in its place."
        )
    return texts


def _as_text(cell: Any) -> str:
    if cell is None:
        return MISSING
    # (Beside a missing number, whole ones are floats.)
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def presence_of_row(g: Graph, numbers: Name | None, categories: Name | None) -> Name:
    """Return which rows have any cell, as lengths (N,): 1 or 0."""
    parts = []
    if numbers is not None:
        parts.append(g.cast(g.node("Not", g.node("IsNaN", numbers)), np.int64))
    if categories is not None:
        codes = g.node(
            "LabelEncoder",
            categories,
            domain=ML,
            keys_strings=[MISSING],
            values_int64s=[0],
            default_int64=1,
        )
        parts.append(codes)
    return g.reduce("Max", g.concatenate(parts), 1)


def read_table(
    g: Graph,
    numbers: Name | None,
    categories: Name | None,
    reader: TableInput,
    p: Arrays,
    dtype: Any,
) -> Name:
    """Return the rows (N, D) as the layers of the branch read them.

    Parameters
    ----------
    g : Graph
    numbers : str or None
        Of an array (N, n_numbers) in float64; NaN where one is missing.
    categories : str or None
        Of an array (N, n) of texts; `MISSING` where one is missing.
    reader : TableInput
    p : dict of ndarray
        The vectors of categories.
    dtype : dtype
        Of the network.
    """
    columns = [] if numbers is None else _read_numbers(g, numbers, reader, dtype)
    names = [
        name for name, kind in zip(reader.names, reader.kinds, strict=True) if kind != "number"
    ]
    learned = zip(names, known(reader.categories), known(reader.miss_category), strict=True)
    for j, (name, of_column, misses) in enumerate(learned):
        assert categories is not None
        cells = g.squeeze(g.columns(categories, j, j + 1), 1)
        texts = as_texts(of_column.tolist(), name) + [MISSING] * misses
        codes = _codes(g, cells, texts)
        n = len(texts)
        vectors = p.get(f"weights_{j}")
        if vectors is None:  # one-hot, and zeros for a category that is not known
            vectors = np.vstack([np.zeros(n), np.eye(n)])
        columns.append(g.node("Gather", g.constant(vectors, dtype), codes, axis=0))
    return g.concatenate(columns)


def _read_numbers(g: Graph, numbers: Name, reader: TableInput, dtype: Any) -> list[Name]:
    """Return scaled numbers, 0 where they miss, and where they do; see `TableInput`."""
    center, scale, fill = known(reader.center), known(reader.scale), known(reader.fill)
    may_miss: NDArray[np.bool_] = known(reader.may_miss)
    values = numbers
    if not may_miss.all():
        is_filled = g.node("And", g.node("IsNaN", values), g.constant(~may_miss))
        values = g.where(is_filled, g.constant(fill, np.float64), values)
    z = scaled(g, values, center, scale, clips=reader.scaling == "robust")
    is_missing = g.node("IsNaN", z)
    z = g.cast(g.where(is_missing, g.constant(0.0), z), dtype)
    if not may_miss.any():
        return [z]
    return [z, g.take(g.cast(is_missing, dtype), np.flatnonzero(may_miss), 1)]


def _codes(g: Graph, cells: Name, texts: list[str]) -> Name:
    """Return the numbers of categories from 1 on, in the order of texts; 0 = unknown."""
    return g.node(
        "LabelEncoder",
        cells,
        domain=ML,
        keys_strings=texts,
        values_int64s=list(range(1, len(texts) + 1)),
        default_int64=0,
    )
