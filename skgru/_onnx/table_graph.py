"""Inputs of rows of a table in a graph: numbers, and categories as texts."""

from __future__ import annotations

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


def said_category(cell: Any) -> str:
    """Return a category as a text: `MISSING` for None."""
    return MISSING if cell is None else str(cell)


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
    names = zip(known(reader.categories), known(reader.miss_category), strict=True)
    for j, (of_column, misses) in enumerate(names):
        assert categories is not None
        cells = g.squeeze(g.columns(categories, j, j + 1), 1)
        codes = _codes(g, cells, of_column, misses)
        n = len(of_column) + misses
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


def _codes(g: Graph, cells: Name, categories: NDArray[Any], misses: bool) -> Name:
    """Return the numbers of categories from 1 on, a missing one last; 0 = unknown."""
    texts = [said_category(cell) for cell in categories.tolist()]
    if misses:
        texts.append(MISSING)
    return g.node(
        "LabelEncoder",
        cells,
        domain=ML,
        keys_strings=texts,
        values_int64s=list(range(1, len(texts) + 1)),
        default_int64=0,
    )
