"""A fitted model as a graph: from the inputs of its branches to predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skgru._data.numbers import NumberInput
from skgru._data.random_kernels import ConvolutionReader
from skgru._data.table import TableInput
from skgru._data.tokens import TokenInput
from skgru._engine.class_losses import LogLoss
from skgru._engine.model import Model
from skgru._engine.number_losses import NumberLoss
from skgru._nn.branch import Branch
from skgru._nn.convolution_stack import ConvolutionStack
from skgru._nn.feedforward import RowStack
from skgru._nn.layers import Rectified
from skgru._nn.part import Arrays
from skgru._onnx.bag_graph import join_bag
from skgru._onnx.chain_graph import best_paths, log_marginals
from skgru._onnx.convolutions_graph import convolve
from skgru._onnx.fusion_graph import as_double, fuse
from skgru._onnx.graph import Graph, Name
from skgru._onnx.numbers_graph import read_numbers, trim_numbers
from skgru._onnx.outputs import classify, estimate, labels_of
from skgru._onnx.padded import Padded, PaddedSteps, at_least_one, is_present
from skgru._onnx.pooling_graph import pool
from skgru._onnx.recurrence import encode
from skgru._onnx.table_graph import presence_of_row, read_table
from skgru._onnx.tokens_graph import read_tokens, trim_tokens


class Given(NamedTuple):
    """The values of the graph that an input of the model has; None = there is no such value.

    Attributes
    ----------
    values, categories, lengths : str or None
        As those of `BranchInputs`.
    """

    values: Name | None
    categories: Name | None
    lengths: Name | None


def build(g: Graph, model: Model, given: Mapping[str, Given]) -> dict[str, Name]:
    """Return the predictions of a model by their names.

    Those of classes are "label" and "probabilities", those of numbers "variable", and with
    standard deviations "std".

    Parameters
    ----------
    g : Graph
    model : Model
    given : mapping of str to Given
        By the names of the inputs; numbers are in float64, ids and lengths in int64.
    """
    raw, lengths = _raw_outputs(g, model, given)
    if model.per_step and not model.loss.has_chain:
        raw = g.transpose(raw, 1, 0, 2)
    loss, dtype = model.loss, model.theta.dtype
    if not isinstance(loss, LogLoss):
        assert isinstance(loss, NumberLoss)
        return estimate(g, loss, raw)
    if not loss.has_chain:
        label, probabilities = classify(g, loss, raw, dtype)
    else:
        p = model.parameters.section("chain")
        tags = g.transpose(best_paths(g, p, raw, lengths), 1, 0)
        label = g.node("Gather", g.constant(labels_of(loss)), tags)
        raw = g.transpose(log_marginals(g, p, raw, lengths), 1, 0, 2)
        _, probabilities = classify(g, loss, raw, dtype)
    return {"label": label, "probabilities": probabilities}


def _raw_outputs(g: Graph, model: Model, given: Mapping[str, Given]) -> tuple[Name, Name]:
    """Return the raw outputs in float64, (N, K), or of all steps, (T, N, K), and their lengths."""
    network, p, dtype = model.network, model.parameters, model.theta.dtype
    parsed = {name: _parse(g, model.inputs[name], part) for name, part in given.items()}
    outputs, present, of_all = {}, {}, {}
    for name, branch in network.branches.items():
        source = parsed[model.source_of(name)]
        y, lengths = _branch(g, model, name, branch, source, dtype)
        of_all[name] = lengths
        outputs[name] = as_double(g, y, dtype)
        present[name] = is_present(g, lengths)  # (N, 1)
    if network.step_branches:
        of_steps = outputs[network.step_branches[0]]  # (T, N, H)
        for name, y in outputs.items():
            if name not in network.step_branches:
                y = g.unsqueeze(y, 0)
                shape = [g.size(of_steps, 0), g.size(y, 1), g.size(y, 2)]
                outputs[name] = g.node("Expand", y, g.concatenate(shape, 0))
            here = g.unsqueeze(present[name], 0)
            shape = [g.size(of_steps, 0), g.size(of_steps, 1), g.constant([1], np.int64)]
            present[name] = g.node("Expand", here, g.concatenate(shape, 0))
    wide = {name for name, branch in model.spec.branches if branch.is_wide}
    raw = fuse(g, network.fusion, model.spec.fusion, p, outputs, present, wide)
    if model.bag:
        tokens = {name: parsed[name].sequences for name in model.bag.tokens}
        raw = join_bag(g, model.bag, tokens, raw)  # type: ignore[arg-type]
    return raw, of_all[network.step_branch or next(iter(of_all))]


class _Parsed(NamedTuple):
    """An input whose padding is known: sequences, or rows with lengths of 1 or 0.

    There is a sequence of a step at least, where there is no sample, of padding alone.
    """

    sequences: Padded | None
    row: Given
    n_samples: Name  # (1,)

    def cut(self, g: Graph, x: Name, axis: int = 0) -> Name:
        """Return what belongs to samples."""
        return g.slice(x, g.constant([0], np.int64), self.n_samples, axis)


def _parse(g: Graph, reader: Any, given: Given) -> _Parsed:
    lengths = given.lengths
    if isinstance(reader, TableInput):
        if lengths is None:
            lengths = presence_of_row(g, given.values, given.categories)
        return _Parsed(None, given._replace(lengths=lengths), g.size(lengths, 0))
    assert given.values is not None
    n_samples = g.size(given.values, 0)
    if lengths is not None:
        lengths = at_least_one(g, lengths, 1, 0)
    if isinstance(reader, TokenInput):
        ids = at_least_one(g, given.values, 2, 0)
        return _Parsed(trim_tokens(g, ids, lengths), given, n_samples)
    is_table = reader.n_columns is not None
    values = at_least_one(g, given.values, 2 if is_table else 3, np.nan)
    if is_table:  # a step for each column, or for some of them
        n_steps = reader.n_columns // reader.n_features
        values = g.reshape(values, g.size(values, 0), n_steps, reader.n_features)
    return _Parsed(trim_numbers(g, values, lengths), given, n_samples)


def _branch(
    g: Graph, model: Model, name: str, branch: Branch, source: _Parsed, dtype: Any
) -> tuple[Name, Name]:
    """Return the outputs of a branch, (N, n) or (T, N, n), and the lengths of its sequences."""
    p, reader = model.parameters, model.inputs[name]
    own: Arrays = {}
    for part in branch.input_parts:
        own = p.section(part)
    if isinstance(reader, TableInput):
        return _rows(g, model, name, branch, source.row, own, dtype)
    assert source.sequences is not None
    steps = _read(g, source.sequences, reader, branch, own, dtype)
    lengths = source.cut(g, steps.lengths)
    if isinstance(branch.stack, ConvolutionStack):
        return source.cut(g, convolve(g, branch.stack, p, steps, dtype)), lengths
    assert not isinstance(branch.stack, RowStack)
    encoded = encode(g, branch.stack, p, steps, dtype)
    if branch.pooling is None:
        return source.cut(g, encoded.y, 1), lengths
    pooled = pool(g, branch.pooling, branch.pooling_section(p), encoded, steps, dtype)
    return source.cut(g, pooled), lengths


def _read(
    g: Graph, sequences: Padded, reader: Any, branch: Branch, own: Arrays, dtype: Any
) -> PaddedSteps:
    """Return the inputs of the stack of a branch."""
    if isinstance(reader, TokenInput):
        return read_tokens(g, sequences, reader, own, dtype)
    numbers = reader.numbers if isinstance(reader, ConvolutionReader) else reader
    assert isinstance(numbers, NumberInput)
    return read_numbers(g, sequences, numbers, branch.input, own, dtype)


def _rows(
    g: Graph, model: Model, name: str, branch: Branch, row: Given, own: Arrays, dtype: Any
) -> tuple[Name, Name]:
    """Return the outputs of a branch that reads rows of a table, zeros where there is none."""
    reader, p = model.inputs[name], model.parameters
    assert isinstance(reader, TableInput)
    assert row.lengths is not None
    if reader.is_sparse:
        assert row.values is not None
        y = g.cast(row.values, dtype)
    else:
        y = read_table(g, row.values, row.categories, reader, own, dtype)
    for layer_name, layer in branch.stack.layers.items():
        y = g.dense(y, p.section(layer_name), dtype)
        if isinstance(layer, Rectified):
            y = g.node("Relu", y)
    return g.where(is_present(g, row.lengths), y, g.constant(0, dtype)), row.lengths
