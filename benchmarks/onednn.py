"""A recurrent layer of oneDNN, the library of native kernels that most others call on a CPU.

    pip install onednn-cpu-gomp onednn-devel-cpu-gomp

A C++ compiler (`c++`) makes the few lines of `onednn.cpp` into a library in a temporary folder,
which is loaded here. Linux only.
"""

import ctypes
import subprocess
import sys
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

# oneDNN's gates among those of skgru, in its order. Of the GRU's update gate it takes the negative:
# there it weighs the state before.
GATES = {"rnn": (0,), "gru": (0, 1, 2), "lstm": (1, 2, 3, 0)}


@cache
def load():
    """Return the compiled library; None if oneDNN is not installed here."""
    try:
        version("onednn-cpu-gomp"), version("onednn-devel-cpu-gomp")
    except PackageNotFoundError:
        return None
    folder = Path(sys.prefix)
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "onednn.so"
        include, library = folder / "include", folder / "lib"
        source = Path(__file__).with_name("onednn.cpp")
        flags = "-O2", "-std=c++17", "-fopenmp", "-shared", "-fPIC", f"-I{include}"
        links = str(library / "libdnnl.so.3"), f"-Wl,-rpath,{library}"
        subprocess.run(["c++", *flags, str(source), *links, "-o", str(path)], check=True)
        found = ctypes.CDLL(str(path))
    found.make_layer.restype = ctypes.c_void_p
    found.make_layer.argtypes = [ctypes.c_long] * 5 + [ctypes.c_void_p] * 5
    found.run.argtypes = [ctypes.c_void_p]
    found.last_state.argtypes = [ctypes.c_void_p] * 2
    return found


class Layer:
    """A layer with the weights of one of skgru's, in one thread.

    Parameters
    ----------
    cell : {'rnn', 'gru', 'lstm'}
    p : dict of ndarray
        Parameters of skgru's cell, of type float32.
    x : ndarray of shape (T, B, D)
    d_last : ndarray of shape (B, H)
        The gradient of the last states.
    """

    def __init__(self, cell, p, x, d_last):
        T, B, D = x.shape
        H = d_last.shape[1]
        gates = list(GATES[cell])
        weights = p["input_weights"].reshape(D, len(gates), H)[:, gates]
        recurrent = p["recurrent_weights"].reshape(H, len(gates), H)[:, gates]
        bias = p["bias"].reshape(len(gates), H)[gates]
        if cell == "gru":
            for array in (weights, recurrent, bias):
                array[..., 0, :] *= -1
        arrays = [
            np.ascontiguousarray(a, np.float32) for a in (x, weights, recurrent, bias, d_last)
        ]
        self._library, self._shape = load(), (B, H)
        self._layer = self._library.make_layer(
            len(gates), B, T, D, H, *(array.ctypes.data for array in arrays)
        )

    def __call__(self):
        """Run the forward and the backward pass."""
        self._library.run(self._layer)

    def last_states(self):
        """Return the states (B, H) after the last steps."""
        states = np.empty(self._shape, np.float32)
        self._library.last_state(self._layer, states.ctypes.data)
        return states
