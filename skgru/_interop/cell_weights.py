"""Weights of a cell in the order and with the signs of PyTorch and Keras, and back.

Our GRU's columns are z, r, c, and our z weighs the candidate. Theirs weighs the old state, so their
z is 1 − ours, and since 1 − σ(a) = σ(−a), every block that leads to z changes its sign. Our LSTM's
columns are o, i, f, u; there only the order differs.

They have two biases, one beside the inputs and one beside the states, of which the sum matters; but
in a GRU with the reset gate after the product, those of the candidate are two.

The weights of a cell are a dict by the names of `skgru._nn.cells.Cell.shapes`.
"""

import numpy as np

from skgru._nn.recurrent import CELLS

# Which of our gates comes first, second, ... with them; a GRU's candidate is the last with all.
_TORCH = {"gru": (1, 0, 2), "lstm": (1, 2, 3, 0), "rnn": (0,)}  # r, z, n; i, f, g, o
_KERAS = {"gru": (0, 1, 2), "lstm": (1, 2, 3, 0), "rnn": (0,)}  # z, r, h; i, f, c, o
# The cells that they have.
COMMON = tuple(_TORCH)


def cell_of(n_blocks):
    """Return the cell that has as many blocks of columns; None = there is none."""
    return next((name for name in COMMON if CELLS[name].n_gates == n_blocks), None)


def to_torch_arrays(cell, p):
    """Return weight_ih, weight_hh, bias_ih and bias_hh of a layer in one direction.

    Of the biases that are added up, the second is 0.
    """
    bias, recurrent_bias = _two_biases(cell, p, _TORCH)
    weights = (p["input_weights"], p["recurrent_weights"])
    return [*(_theirs(cell, array, _TORCH).T for array in weights), bias, recurrent_bias]


def of_torch_arrays(cell, weight_ih, weight_hh, bias, recurrent_bias=None):
    """Return the weights of a cell, given those of PyTorch's.

    Without a second bias it is that of a GRU with the reset gate before the product.
    """
    biases = {"bias": _ours(cell, bias, _TORCH)}
    if recurrent_bias is not None:
        biases = _of_two_biases(cell, bias, recurrent_bias, _TORCH)
    return {
        "input_weights": _ours(cell, weight_ih.T, _TORCH),
        "recurrent_weights": _ours(cell, weight_hh.T, _TORCH),
        **biases,
    }


def to_keras_arrays(cell, p):
    """Return kernel, recurrent kernel and bias of a layer in one direction."""
    bias = _theirs(cell, p["bias"], _KERAS)
    if "recurrent_bias" in p:
        bias = np.stack(_two_biases(cell, p, _KERAS))
    weights = (p["input_weights"], p["recurrent_weights"])
    return [*(_theirs(cell, array, _KERAS) for array in weights), bias]


def of_keras_arrays(cell, kernel, recurrent_kernel, bias):
    """Return the weights of a cell, given those of Keras'.

    A bias of two rows is that of a GRU with the reset gate after the product.
    """
    biases = {"bias": _ours(cell, bias, _KERAS)}
    if bias.ndim == 2:
        biases = _of_two_biases(cell, *bias, _KERAS)
    return {
        "input_weights": _ours(cell, kernel, _KERAS),
        "recurrent_weights": _ours(cell, recurrent_kernel, _KERAS),
        **biases,
    }


def _theirs(cell, packed, order):
    """Return the blocks of the last axis in their order and with their signs."""
    blocks = np.split(packed, CELLS[cell].n_gates, axis=-1)
    if cell == "gru":
        blocks[0] = -blocks[0]
    return np.concatenate([blocks[i] for i in order[cell]], axis=-1)


def _ours(cell, packed, order):
    """Return the blocks of the last axis in our order and with our signs."""
    blocks = np.split(packed, CELLS[cell].n_gates, axis=-1)
    blocks = [blocks[order[cell].index(i)] for i in range(len(blocks))]
    if cell == "gru":
        blocks[0] = -blocks[0]
    return np.concatenate(blocks, axis=-1)


def _two_biases(cell, p, order):
    """Return the biases beside the inputs and beside the states."""
    bias = _theirs(cell, p["bias"], order)
    recurrent_bias = np.zeros_like(bias)
    if "recurrent_bias" in p:
        recurrent_bias[-len(p["recurrent_bias"]) :] = p["recurrent_bias"]
    return bias, recurrent_bias


def _of_two_biases(cell, bias, recurrent_bias, order):
    """Return our biases, given both of theirs."""
    total = bias + recurrent_bias
    if cell != "gru":
        return {"bias": _ours(cell, total, order)}
    n_units = len(bias) // CELLS[cell].n_gates
    total[-n_units:] = bias[-n_units:]
    return {"bias": _ours(cell, total, order), "recurrent_bias": recurrent_bias[-n_units:]}
