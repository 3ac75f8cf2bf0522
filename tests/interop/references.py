"""The equations of PyTorch and Keras as their documentation has them, a sequence at a time.

Nothing here knows our order of gates, nor our signs.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def torch_states(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the states h (n_steps, n_units) of a layer of PyTorch; its blocks say which."""
    n_units = weight_hh.shape[1]
    n_blocks = len(weight_hh) // n_units
    h, c, states = np.zeros(n_units), np.zeros(n_units), []
    for x_t in x:
        a = np.split(weight_ih @ x_t + bias_ih, n_blocks)
        b = np.split(weight_hh @ h + bias_hh, n_blocks)
        if n_blocks == 1:
            h = np.tanh(a[0] + b[0])
        elif n_blocks == 3:
            r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
            n = np.tanh(a[2] + r * b[2])
            h = (1 - z) * n + z * h
        else:
            i, f, o = (sigmoid(a[j] + b[j]) for j in (0, 1, 3))
            c = f * c + i * np.tanh(a[2] + b[2])
            h = o * np.tanh(c)
        states.append(h)
    return np.array(states)


def keras_states(x, kernel, recurrent_kernel, bias):
    """Return the states h (n_steps, n_units) of a layer of Keras; its blocks say which."""
    n_units = len(recurrent_kernel)
    n_blocks = recurrent_kernel.shape[1] // n_units
    U = np.split(recurrent_kernel, n_blocks, axis=1)
    input_bias, recurrent_bias = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    B = np.split(recurrent_bias, n_blocks)
    h, c, states = np.zeros(n_units), np.zeros(n_units), []
    for x_t in x:
        a = np.split(x_t @ kernel + input_bias, n_blocks)
        if n_blocks == 1:
            h = np.tanh(a[0] + h @ U[0])
        elif n_blocks == 3:
            z, r = (sigmoid(a[j] + h @ U[j] + B[j]) for j in (0, 1))
            if bias.ndim == 2:  # reset_after=True
                new = np.tanh(a[2] + r * (h @ U[2] + B[2]))
            else:
                new = np.tanh(a[2] + (r * h) @ U[2])
            h = z * h + (1 - z) * new
        else:
            i, f, o = (sigmoid(a[j] + h @ U[j]) for j in (0, 1, 3))
            c = f * c + i * np.tanh(a[2] + h @ U[2])
            h = o * np.tanh(c)
        states.append(h)
    return np.array(states)


def last_output(states_of, x, layers):
    """Return what a linear head reads of the last step, given the arrays of layers and directions.

    Parameters
    ----------
    states_of : callable
        One of the above.
    x : ndarray of shape (n_steps, n_features)
    layers : list of list of list of ndarray
        The arrays of each direction of each layer.
    """
    for directions in layers:
        onward = states_of(x, *directions[0])
        y, last = [onward], [onward[-1]]
        for arrays in directions[1:]:
            reverse = states_of(x[::-1], *arrays)
            y, last = [*y, reverse[::-1]], [*last, reverse[-1]]
        x = np.hstack(y)
    return np.concatenate(last)
