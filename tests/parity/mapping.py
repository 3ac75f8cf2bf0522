"""Weights of the same cell as PyTorch, Keras and ONNX hold them.

Ours lie in columns z, r, c, and our z weighs the candidate. Theirs weighs the old state, so their
z is 1 − ours, and since 1 − σ(a) = σ(−a), every block that leads to z changes its sign. That is
true of the gradients too.
"""

import numpy as np
import torch


def blocks(packed):
    """Cut the last axis into our three gates, z with the opposite sign."""
    z, r, c = np.split(packed, 3, axis=-1)
    return -z, r, c


def to_torch(p, layer=0):
    """Return our parameters as those of layer `layer` of `torch.nn.GRU`: rows r, z, n."""
    (W_z, W_r, W_c), (U_z, U_r, U_c) = blocks(p["input_weights"]), blocks(p["recurrent_weights"])
    b_z, b_r, b_c = blocks(p["bias"])
    # Only the sum of the two biases matters to r and z: any share does, so let it be an odd one.
    arrays = {
        "weight_ih": np.hstack([W_r, W_z, W_c]).T,
        "weight_hh": np.hstack([U_r, U_z, U_c]).T,
        "bias_ih": np.hstack([0.3 * b_r, 0.6 * b_z, b_c]),
        "bias_hh": np.hstack([0.7 * b_r, 0.4 * b_z, p["recurrent_bias"]]),
    }
    return {f"{name}_l{layer}": torch.tensor(value) for name, value in arrays.items()}


def gradient_to_torch(g, layer=0):
    """Return our gradient as PyTorch's: both its biases have the whole one of r and z."""
    (W_z, W_r, W_c), (U_z, U_r, U_c) = blocks(g["input_weights"]), blocks(g["recurrent_weights"])
    b_z, b_r, b_c = blocks(g["bias"])
    arrays = {
        "weight_ih": np.hstack([W_r, W_z, W_c]).T,
        "weight_hh": np.hstack([U_r, U_z, U_c]).T,
        "bias_ih": np.hstack([b_r, b_z, b_c]),
        "bias_hh": np.hstack([b_r, b_z, g["recurrent_bias"]]),
    }
    return {f"{name}_l{layer}": value for name, value in arrays.items()}


def to_keras(p):
    """Return our parameters as the list of weights of `keras.layers.GRU`: columns z, r, h."""
    bias = np.hstack(blocks(p["bias"]))
    if "recurrent_bias" in p:  # reset after: input biases, then recurrent ones
        recurrent = np.zeros_like(bias)
        recurrent[-len(p["recurrent_bias"]) :] = p["recurrent_bias"]
        bias = np.stack([bias, recurrent])
    return [
        np.hstack(blocks(p["input_weights"])),
        np.hstack(blocks(p["recurrent_weights"])),
        bias,
    ]


def to_onnx(p):
    """Return our parameters as the inputs W, R and B of ONNX's GRU, one direction."""
    recurrent_bias = np.zeros_like(p["bias"])
    if "recurrent_bias" in p:
        recurrent_bias[-len(p["recurrent_bias"]) :] = p["recurrent_bias"]
    return {
        "W": np.hstack(blocks(p["input_weights"])).T[np.newaxis],
        "R": np.hstack(blocks(p["recurrent_weights"])).T[np.newaxis],
        "B": np.hstack([*blocks(p["bias"]), recurrent_bias])[np.newaxis],
    }
