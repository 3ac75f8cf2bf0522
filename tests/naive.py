"""The equations once more, as plainly as they can be written, to test the fast code against.

One sequence at a time, one gate at a time, one step at a time; sums over the units are the only
products. Nothing here knows of batches, and nothing is imported from skgru. Parameters are dicts
of arrays under the documented names; gate blocks lie in the documented order z, r, c::

    z_t = σ(W_z·x_t + U_z·h_{t-1} + b_z)
    r_t = σ(W_r·x_t + U_r·h_{t-1} + b_r)
    c_t = tanh(W_c·x_t + U_c·(r_t ⊙ h_{t-1}) + b_c)             reset before
    c_t = tanh(W_c·x_t + b_c + r_t ⊙ (U_c·h_{t-1} + b_u))       reset after
    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ c_t
    o_t = σ(W_o·x_t + U_o·h_t + b_o)                            only with an output gate
    y_t = o_t ⊙ tanh(h_t)                                       without one: y_t = h_t
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gates(packed):
    """Cut the last axis into its three blocks, z, r and c."""
    H = packed.shape[-1] // 3
    return packed[..., :H], packed[..., H : 2 * H], packed[..., 2 * H :]


def gru(p, x, h, *, reset_after):
    """Return the states (T, H) after each of the steps x (T, D), from the state h (H,) on."""
    W_z, W_r, W_c = gates(p["input_weights"])
    U_z, U_r, U_c = gates(p["recurrent_weights"])
    b_z, b_r, b_c = gates(p["bias"])
    states = np.zeros((len(x), len(h)))
    for t, x_t in enumerate(x):
        z = sigmoid(x_t @ W_z + h @ U_z + b_z)
        r = sigmoid(x_t @ W_r + h @ U_r + b_r)
        if reset_after:
            c = np.tanh(x_t @ W_c + b_c + r * (h @ U_c + p["recurrent_bias"]))
        else:
            c = np.tanh(x_t @ W_c + (r * h) @ U_c + b_c)
        h = (1 - z) * h + z * c
        states[t] = h
    return states


def hidden_layer(p, x, h, *, reset_after, output_gate):
    """Return the outputs (T, H) of a cell and the gate behind it."""
    states = gru(p, x, h, reset_after=reset_after)
    if not output_gate:
        return states
    y = np.zeros_like(states)
    for t, (x_t, h_t) in enumerate(zip(x, states, strict=True)):
        o = sigmoid(
            x_t @ p["output_input_weights"] + h_t @ p["output_state_weights"] + p["output_bias"]
        )
        y[t] = o * np.tanh(h_t)
    return y


def part_of(p, part):
    """Return the parameters of one part, keyed by what follows the dot."""
    prefix = part + "."
    return {name[len(prefix) :]: value for name, value in p.items() if name.startswith(prefix)}


def network(p, x, *, depth, reset_after, output_gate, pooling):
    """Return the raw outputs (K,) for one sequence: (T, D) numbers, or (T,) rows to embed."""
    if "embedding.weights" in p:
        x = np.array([p["embedding.weights"][token] for token in x])
    y = x
    for i in range(depth):
        layer = part_of(p, f"hidden_{i}")
        n_units = len(layer["recurrent_weights"])
        if len(x) == 0:
            y = np.zeros((0, n_units))
        else:
            y = hidden_layer(
                layer, y, np.zeros(n_units), reset_after=reset_after, output_gate=output_gate
            )
    pooled = np.zeros(y.shape[1])  # an empty sequence is read from the initial state, 0
    if len(y) and pooling == "last":
        pooled = y[-1]
    elif len(y) and pooling == "mean":
        pooled = sum(y) / len(y)
    return pooled @ p["head.weights"] + p["head.bias"]


# The layout of a batch: step 0 of all sequences, step 1 of those that have one, and so on.


def rows_of(lengths):
    """Return the (step, sequence) that each row of a batch holds."""
    return [(t, i) for t in range(max(lengths, default=0)) for i, n in enumerate(lengths) if t < n]


def pack(sequences):
    """Return the rows (S, ...) of a batch; the sequences must come longest first."""
    rows = rows_of([len(sequence) for sequence in sequences])
    packed = np.zeros((len(rows), *sequences[0].shape[1:]), sequences[0].dtype)
    for row, (t, i) in enumerate(rows):
        packed[row] = sequences[i][t]
    return packed


def unpack(rows, lengths):
    """Return one (T_i, ...) array for each sequence, from the rows of a batch."""
    sequences = [np.zeros((n, *rows.shape[1:])) for n in lengths]
    for row, (t, i) in zip(rows, rows_of(lengths), strict=True):
        sequences[i][t] = row
    return sequences
