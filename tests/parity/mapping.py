"""Weights of the same cells as PyTorch, Keras and ONNX hold them.

Our GRU's columns are z, r, c, and our z weighs the candidate. Theirs weighs the old state, so their
z is 1 − ours, and since 1 − σ(a) = σ(−a), every block that leads to z changes its sign. That is
true of the gradients too. Our LSTM's columns are o, i, f, u; there only the order differs.

`kind` is "gru", "lstm" or "rnn". The parameters of the layer that reads from the end are those
whose names begin with "reverse_".
"""

import numpy as np
import torch

from tests.naive import part_of

# Which of our gates comes first, second, ... with them
TORCH = {"gru": (1, 0, 2), "lstm": (1, 2, 3, 0), "rnn": (0,)}  # r, z, n; i, f, g, o
KERAS = {"gru": (0, 1, 2), "lstm": (1, 2, 3, 0), "rnn": (0,)}  # z, r, h; i, f, c, o
ONNX = {"gru": (0, 1, 2), "lstm": (1, 0, 2, 3), "rnn": (0,)}  # z, r, h; i, o, f, c


def reorder(kind, packed, order):
    """Return the blocks of the last axis in another library's order and sign."""
    blocks = np.split(packed, len(order[kind]), axis=-1)
    if kind == "gru":
        blocks[0] = -blocks[0]
    return np.hstack([blocks[i] for i in order[kind]])


def directions(p):
    """Return the parameters of each direction that there is, under their plain names."""
    reverse = part_of(p, "reverse", separator="_")
    onward = {name: value for name, value in p.items() if not name.startswith("reverse_")}
    return [onward, reverse] if reverse else [onward]


def torch_names(layer, reverse):
    """Return the names of input weights, recurrent weights and both biases in PyTorch."""
    suffix = f"_l{layer}" + ("_reverse" if reverse else "")
    return [name + suffix for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def to_torch(kind, p, layer=0):
    """Return our parameters as those of a layer of `torch.nn.GRU`, `LSTM` or `RNN`."""
    weights = {}
    for reverse, q in enumerate(directions(p)):
        bias = reorder(kind, q["bias"], TORCH)
        # Where only the sum of the two biases matters, any share does: let it be an odd one.
        share = np.linspace(0.2, 0.9, len(bias))
        bias_ih, bias_hh = share * bias, (1 - share) * bias
        if kind == "gru":
            n_units = len(q["recurrent_bias"])
            bias_ih[-n_units:], bias_hh[-n_units:] = bias[-n_units:], q["recurrent_bias"]
        arrays = [
            reorder(kind, q["input_weights"], TORCH).T,
            reorder(kind, q["recurrent_weights"], TORCH).T,
            bias_ih,
            bias_hh,
        ]
        names = torch_names(layer, reverse)
        weights |= {name: torch.tensor(a) for name, a in zip(names, arrays, strict=True)}
    return weights


def gradient_to_torch(kind, g, layer=0):
    """Return our gradient as PyTorch's: where the biases are added up, both have all of it."""
    gradients = {}
    for reverse, q in enumerate(directions(g)):
        bias_ih = reorder(kind, q["bias"], TORCH)
        bias_hh = bias_ih.copy()
        if kind == "gru":
            bias_hh[-len(q["recurrent_bias"]) :] = q["recurrent_bias"]
        arrays = [
            reorder(kind, q["input_weights"], TORCH).T,
            reorder(kind, q["recurrent_weights"], TORCH).T,
            bias_ih,
            bias_hh,
        ]
        gradients |= dict(zip(torch_names(layer, reverse), arrays, strict=True))
    return gradients


def to_keras(kind, p):
    """Return our parameters as the weights of `keras.layers.GRU`, `LSTM` or `SimpleRNN`.

    With both directions, as those of `keras.layers.Bidirectional` around it.
    """
    weights = []
    for q in directions(p):
        bias = reorder(kind, q["bias"], KERAS)
        if "recurrent_bias" in q:  # reset after: input biases, then recurrent ones
            recurrent = np.zeros_like(bias)
            recurrent[-len(q["recurrent_bias"]) :] = q["recurrent_bias"]
            bias = np.stack([bias, recurrent])
        weights += [
            reorder(kind, q["input_weights"], KERAS),
            reorder(kind, q["recurrent_weights"], KERAS),
            bias,
        ]
    return weights


def to_onnx(kind, p):
    """Return our parameters as the inputs W, R and B of ONNX's operators GRU, LSTM or RNN."""
    inputs = {"W": [], "R": [], "B": []}
    for q in directions(p):
        recurrent_bias = np.zeros_like(q["bias"])
        if "recurrent_bias" in q:
            recurrent_bias[-len(q["recurrent_bias"]) :] = q["recurrent_bias"]
        inputs["W"].append(reorder(kind, q["input_weights"], ONNX).T)
        inputs["R"].append(reorder(kind, q["recurrent_weights"], ONNX).T)
        inputs["B"].append(np.hstack([reorder(kind, q["bias"], ONNX), recurrent_bias]))
    return {name: np.stack(arrays) for name, arrays in inputs.items()}
