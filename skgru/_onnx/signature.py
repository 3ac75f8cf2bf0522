"""The inputs of a graph: their names, and X in their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgru._data.inputs import known
from skgru._data.parsing import Parsed
from skgru._data.sequences import Sequences
from skgru._data.table import Table, TableInput
from skgru._data.tokens import TokenInput
from skgru._engine.class_losses import LogLoss
from skgru._engine.model import Model, naming
from skgru._engine.number_losses import NumberLoss, PinballLoss
from skgru._onnx.outputs import labels_of
from skgru._onnx.table_graph import MISSING, as_texts

Shape = tuple[int | str, ...]  # a text stands for a length that may be any


class GraphValue(NamedTuple):
    """An input or an output of a graph.

    Attributes
    ----------
    name : str
    dtype : dtype
    shape : tuple of int and str
    """

    name: str
    dtype: Any
    shape: Shape


class BranchInputs(NamedTuple):
    """The inputs that a branch of the network has; None = it has no such input.

    Attributes
    ----------
    values : GraphValue or None
        Numbers or ids.
    categories : GraphValue or None
        Of a table, as texts.
    lengths : GraphValue or None
        Of a sparse matrix 1, or 0 for a sample without the branch.
    """

    values: GraphValue | None
    categories: GraphValue | None
    lengths: GraphValue | None

    @property
    def present(self) -> list[GraphValue]:
        """Those that there are."""
        return [part for part in self if part is not None]


def inputs_of(model: Model, *, lengths: bool) -> dict[str, BranchInputs]:
    """Return the inputs of the graph of a model, by the names of its branches.

    Parameters
    ----------
    model : Model
    lengths : bool
        Whether sequences have one of their lengths; those that came as a row of a table have none.
    """
    of_steps = model.network.step_branches
    return {
        name: _inputs_of(name, reader, lengths, name in of_steps)
        for name, reader in model.own_inputs.items()
    }


def outputs_of(model: Model) -> list[GraphValue]:
    """Return the outputs of the graph, in the same form."""
    shape: Shape = ("n_samples",)
    if model.per_step:
        shape = (*shape, "n_steps_out")
    loss = model.loss
    if isinstance(loss, LogLoss):
        n, dtype = len(loss.attributes["classes_"]), labels_of(loss).dtype
        of_labels = (*shape, n) if loss.is_multilabel else shape
        return [
            GraphValue("label", dtype, of_labels),
            GraphValue("probabilities", model.theta.dtype, (*shape, n)),
        ]
    assert isinstance(loss, NumberLoss)
    if not loss.is_one_dimensional:
        shape = (*shape, loss.n_outputs)
    has_quantiles = isinstance(loss, PinballLoss) and loss.n_raw > 1
    of_values = (*shape, loss.n_raw) if has_quantiles else shape
    found = [GraphValue("variable", np.float64, of_values)]
    return [*found, GraphValue("std", np.float64, shape)] if loss.has_std else found


def _inputs_of(branch: str, reader: Any, lengths: bool, has_outputs_of_steps: bool) -> BranchInputs:
    name, prefix = branch or "X", f"{branch}__" if branch else ""
    n_rows = "n_samples"
    of_lengths = GraphValue(f"{prefix}lengths", np.int64, (n_rows,))
    if isinstance(reader, TableInput):
        if reader.is_sparse:
            matrix = GraphValue(name, np.float64, (n_rows, known(reader.n_features)))
            return BranchInputs(matrix, None, of_lengths)
        n_numbers = sum(kind == "number" for kind in reader.kinds)
        n_others = len(reader.kinds) - n_numbers
        numbers = GraphValue(name, np.float64, (n_rows, n_numbers))
        categories = GraphValue(f"{prefix}categories", np.str_, (n_rows, n_others))
        return BranchInputs(numbers if n_numbers else None, categories if n_others else None, None)
    is_table = reader.n_columns is not None
    n_steps = "n_steps" if has_outputs_of_steps else f"{prefix}n_steps"
    if isinstance(reader, TokenInput):
        values = GraphValue(name, np.int64, (n_rows, n_steps))
    elif is_table:
        values = GraphValue(name, np.float64, (n_rows, reader.n_columns))
    else:
        values = GraphValue(name, np.float64, (n_rows, n_steps, reader.n_features))
    return BranchInputs(values, None, of_lengths if lengths and not is_table else None)


def values_for(
    model: Model, parsed: Mapping[str, Parsed], inputs: Mapping[str, BranchInputs]
) -> dict[str, NDArray[Any]]:
    """Return samples as the inputs of the graph, by their names."""
    found: dict[str, NDArray[Any]] = {}
    for branch, of_branch in inputs.items():
        reader, sequences = model.own_inputs[branch], parsed[branch].sequences
        if of_branch.lengths is not None:
            found[of_branch.lengths.name] = sequences.lengths.astype(np.int64)
        if isinstance(reader, TableInput):
            with naming(branch):
                found |= _of_table(reader, sequences, of_branch)
        elif of_branch.values is not None:
            found[of_branch.values.name] = _padded(reader, sequences)
    return found


def _padded(reader: Any, sequences: Sequences) -> NDArray[Any]:
    """Return sequences as one array, with NaN or 0 as padding."""
    lengths = sequences.lengths
    n, n_steps = len(lengths), int(lengths.max(initial=0))
    is_tokens = isinstance(reader, TokenInput)
    if reader.n_columns is not None:
        n_steps = max(n_steps, reader.n_columns // (1 if is_tokens else reader.n_features))
    shape = (n, n_steps) if is_tokens else (n, n_steps, reader.n_features)
    padded = np.zeros(shape, np.int64) if is_tokens else np.full(shape, np.nan)
    padded[np.arange(n_steps) < lengths[:, None]] = sequences.values[: sequences.offsets[-1]]
    return padded.reshape(n, -1) if reader.n_columns is not None else padded


def _of_table(
    reader: TableInput, sequences: Sequences, inputs: BranchInputs
) -> dict[str, NDArray[Any]]:
    """Return the rows of a table; those that are absent miss all cells."""
    table: Table = sequences.values  # type: ignore[assignment]
    present = sequences.lengths > 0
    if reader.is_sparse:
        rows = np.zeros((len(present), known(reader.n_features)))
        rows[present] = table.matrix.toarray()
        return {inputs.values.name: rows}  # type: ignore[union-attr]
    n = len(present)
    numbers, texts = np.full((n, 0), np.nan), np.full((n, 0), MISSING, object)
    for name, kind, cells in zip(reader.names, reader.kinds, table.columns, strict=True):
        if kind == "number":
            column = np.full((n, 1), np.nan)
            column[present, 0] = cells
            numbers = np.hstack([numbers, column])
        else:
            column = np.full((n, 1), MISSING, object)
            column[present, 0] = as_texts(cells.tolist(), name)
            texts = np.hstack([texts, column])
    has_cell = ~np.isnan(numbers).all(axis=1) | (texts != MISSING).any(axis=1)
    if (present & ~has_cell).any():
        raise ValueError(
            f"The transformer returned no value for sample {np.argmax(present & ~has_cell)}, which "
            "has some: in a graph of ONNX such a row is none. Expected a transformer that fills in "
            "missing values."
        )
    parts = (inputs.values, numbers), (inputs.categories, texts)
    return {part.name: cells for part, cells in parts if part is not None}
