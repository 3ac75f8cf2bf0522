"""What an estimator's parameters say about its network, checked and in one form.

`estimator` is its `PlainParameters`.
"""

from dataclasses import fields
from numbers import Integral

from sklearn.utils import check_array

from skgru._hints import hint_at_value
from skgru._nn.network import Network
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._parameters import plain
from skgru._spec import BranchSpec, EncoderSpec, InputSpec, NetworkSpec

INPUT = "input"  # the name of the only branch
_OF_ENCODER = [field.name for field in fields(EncoderSpec)]


def check_options(estimator):
    """Refuse options that do not go together."""
    rates = (estimator.dropout, estimator.recurrent_dropout, estimator.token_dropout)
    if estimator.solver == "lbfgs" and any(rate not in ("auto", 0) for rate in rates):
        raise ValueError(
            "solver='lbfgs' needs a loss free of chance: expected dropout, recurrent_dropout "
            "and token_dropout of 0, or solver='adam' or 'sgd'."
        )
    if estimator.pooling is None and estimator.patch_size not in ("auto", 1):
        raise ValueError(
            "pooling=None reads every step, but patch_size joins steps: expected patch_size=1, "
            f"got {estimator.patch_size}."
        )


def check_tokens(estimator, reads_tokens):
    """Refuse options that do not go with what X holds."""
    if reads_tokens and estimator.time_feature is not None:
        raise ValueError(
            "Token sequences have no time stamps: expected time_feature=None, or for numeric input "
            f"embedding_dim=None, got time_feature={estimator.time_feature!r}."
        )


def _hint(estimator, name):
    return hint_at_value(name, getattr(estimator, name), estimator._parameter_constraints)


def check_pieces(structure, bptt_steps):
    """Refuse to cut sequences that are read in both directions."""
    if structure["bidirectional"] and bptt_steps is not None:
        raise ValueError(
            "bptt_steps cuts sequences into pieces, which bidirectional=True cannot read from "
            "their ends: expected bptt_steps=None or bidirectional=False."
        )


def hidden_sizes(estimator):
    """Return `hidden_layer_sizes` as a tuple of ints."""
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if not sizes or not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be at least one integer, each > 0, got {sizes}."
            f"{_hint(estimator, 'hidden_layer_sizes')}"
        )
    return tuple(int(size) for size in sizes)


def _cells(estimator):
    """Return `cell` as a tuple with one name for each hidden layer."""
    n_layers = len(hidden_sizes(estimator))
    if isinstance(estimator.cell, str):
        return (estimator.cell,) * n_layers
    cells = tuple(map(plain, estimator.cell))
    if len(cells) != n_layers or not all(cell in CELLS for cell in cells):
        raise ValueError(
            f"cell must be one of {sorted(CELLS)}, or one of them for each of the {n_layers} "
            f"hidden layers, got {estimator.cell!r}.{_hint(estimator, 'cell')}"
        )
    return cells


def _poolings(estimator):
    """Return `pooling` as a name, a tuple of names, "auto" or None."""
    if estimator.pooling is None or isinstance(estimator.pooling, str):
        return estimator.pooling
    poolings = tuple(map(plain, estimator.pooling))
    is_known = all(pooling in POOLINGS for pooling in poolings)
    if not poolings or not is_known or len(set(poolings)) < len(poolings):
        raise ValueError(
            f"pooling must be 'auto', one of {sorted(POOLINGS)}, or several different ones of "
            f"them, got {estimator.pooling!r}.{_hint(estimator, 'pooling')}"
        )
    return poolings


def read_embedding_matrix(estimator):
    """Return `embedding_matrix` as an array of a row per id, or None."""
    if estimator.embedding_matrix is None:
        return None
    matrix = check_array(
        estimator.embedding_matrix, input_name="embedding_matrix", ensure_min_samples=2
    )
    if estimator.embedding_dim is None:
        raise ValueError(
            "embedding_matrix embeds token ids, but embedding_dim=None has X read as numbers: "
            "expected embedding_dim='auto'."
        )
    if estimator.embedding_dim not in ("auto", matrix.shape[1]):
        raise ValueError(
            f"embedding_matrix of shape {matrix.shape} does not fit "
            f"embedding_dim={estimator.embedding_dim}, expected {estimator.embedding_dim} columns."
        )
    return matrix


def wanted_structure(estimator):
    """Return what the parameters say about the network, whatever the data: some say "auto"."""
    matrix = read_embedding_matrix(estimator)
    return {
        "hidden_layer_sizes": hidden_sizes(estimator),
        "patch_size": estimator.patch_size,
        "cells": _cells(estimator),
        "reset_after": estimator.reset_after,
        "output_gate": estimator.output_gate,
        "bidirectional": estimator.bidirectional,
        "pooling": _poolings(estimator),
        "embedding_dim": estimator.embedding_dim if matrix is None else matrix.shape[1],
        "missing": estimator.missing,
        "time_feature": estimator.time_feature,
    }


def make_network(
    structure, n_inputs, n_outputs, *, n_tokens=None, freeze_embedding=False, **observed
):
    """Return the network of a structure; `observed` are its options for missing values."""
    encoder = EncoderSpec(**{name: structure[name] for name in _OF_ENCODER})
    inputs = InputSpec(n_inputs, n_tokens, freeze_embedding, **observed)
    return Network(NetworkSpec(((INPUT, BranchSpec(inputs, encoder)),), n_outputs))
