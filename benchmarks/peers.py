"""The network of `against_peers.py` in PyTorch, skorch and Keras.

Each function in PEERS takes a workload, its sequences and targets and returns the seconds of fit
and of predict. First uses that load modules for seconds (an optimizer, a backward pass) come before
the clock starts; what belongs to the model itself, such as tracing its graph, does not. How many
threads work is for environment variables to say. Each peer is imported inside its functions, so
that it can live in an environment of its own.
"""

import os
import time

import numpy as np

PREDICTED_AT_ONCE = 256  # sequences


def _lengths(X):
    return np.array([len(x) for x in X])


def _padded(X, lengths, value=0):
    """Return sequences as one array, filled up with `value` at the end."""
    first = np.asarray(X[0])
    padded = np.full((len(X), lengths.max(), *first.shape[1:]), value, first.dtype)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    return padded


def _torch_network(workload, packed=False):
    """Return the network, which reads a padded batch and the lengths of its sequences."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Identity()
            if workload.n_tokens:
                self.embed = nn.Embedding(workload.n_tokens, workload.n_features, padding_idx=0)
            layer = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[workload.cell]
            self.layer = layer(workload.n_features, workload.n_units, batch_first=True)
            self.head = nn.Linear(workload.n_units, workload.n_classes or 1)

        def forward(self, x, lengths):
            x = self.embed(x[:, : int(lengths.max())])
            if packed:
                x = nn.utils.rnn.pack_padded_sequence(
                    x, lengths, batch_first=True, enforce_sorted=False
                )
                last = self.layer(x)[1]
                return self.head((last[0] if workload.cell == "lstm" else last)[0])
            return self.head(self.layer(x)[0][torch.arange(len(x)), lengths - 1])

    torch.manual_seed(0)
    return Network()


def _warm_up_torch():
    import torch

    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 1)).sum().backward()
    optimizer.step()


def _warm_up_keras():
    import keras

    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    network.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    network.fit(np.zeros((1, 1)), np.zeros((1, 1)), verbose=0)
    network.predict(np.zeros((1, 1)), verbose=0)


def _run_torch(workload, X, y, packed):
    import torch
    from torch import nn

    _warm_up_torch()
    start = time.perf_counter()
    network = _torch_network(workload, packed)
    lengths = _lengths(X)
    data = torch.from_numpy(_padded(X, lengths))
    lengths = torch.from_numpy(lengths)
    targets = torch.from_numpy(y if workload.n_classes else y[:, None])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss() if workload.n_classes else nn.MSELoss()
    for _ in range(workload.n_epochs):
        for batch in torch.randperm(len(X)).split(workload.batch_size):
            optimizer.zero_grad()
            loss_of(network(data[batch], lengths[batch]), targets[batch]).backward()
            optimizer.step()
    fitted = time.perf_counter()
    with torch.inference_mode():
        parts = zip(data.split(PREDICTED_AT_ONCE), lengths.split(PREDICTED_AT_ONCE), strict=True)
        torch.cat([network(*part) for part in parts])
    return fitted - start, time.perf_counter() - fitted


def run_torch_padded(workload, X, y):
    """Batches are padded to their longest sequence."""
    return _run_torch(workload, X, y, packed=False)


def run_torch_packed(workload, X, y):
    """Batches go through `pack_padded_sequence`, which computes no step of padding."""
    return _run_torch(workload, X, y, packed=True)


def run_skorch(workload, X, y):
    """PyTorch's padded network as a scikit-learn estimator."""
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    _warm_up_torch()
    start = time.perf_counter()
    options = dict(
        module=_torch_network(workload),
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=workload.n_epochs,
        batch_size=workload.batch_size,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=PREDICTED_AT_ONCE,
        train_split=None,
        verbose=0,
    )
    if workload.n_classes:
        estimator = NeuralNetClassifier(criterion=torch.nn.CrossEntropyLoss, **options)
    else:
        estimator = NeuralNetRegressor(**options)
    lengths = _lengths(X)
    data = {"x": _padded(X, lengths), "lengths": lengths}
    estimator.fit(data, y if workload.n_classes else y[:, None])
    fitted = time.perf_counter()
    estimator.predict(data)
    return fitted - start, time.perf_counter() - fitted


def run_keras(workload, X, y):
    """Padded to the longest sequence of all, with a mask where lengths differ."""
    import keras

    _warm_up_keras()
    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    lengths = _lengths(X)
    padding = 0 if workload.n_tokens else -1000
    data = _padded(X, lengths, padding)
    network = keras.Sequential([keras.layers.Input(data.shape[1:], dtype=data.dtype.name)])
    if workload.n_tokens:
        network.add(keras.layers.Embedding(workload.n_tokens, workload.n_features, mask_zero=True))
    elif lengths.min() < lengths.max():
        network.add(keras.layers.Masking(padding))
    layer = {"gru": "GRU", "lstm": "LSTM", "rnn": "SimpleRNN"}[workload.cell]
    network.add(getattr(keras.layers, layer)(workload.n_units))
    if workload.n_classes:
        network.add(keras.layers.Dense(workload.n_classes, activation="softmax"))
    else:
        network.add(keras.layers.Dense(1))
    network.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy" if workload.n_classes else "mse",
    )
    network.fit(data, y, batch_size=workload.batch_size, epochs=workload.n_epochs, verbose=0)
    fitted = time.perf_counter()
    network.predict(data, batch_size=PREDICTED_AT_ONCE, verbose=0)
    return fitted - start, time.perf_counter() - fitted


PEERS = {
    "torch-padded": run_torch_padded,
    "torch-packed": run_torch_packed,
    "skorch": run_skorch,
    "keras": run_keras,
}
PACKAGES = {
    "torch-padded": ("torch",),
    "torch-packed": ("torch",),
    "skorch": ("torch", "skorch"),
    # A backend's name is that of its package. Keras reads the variable when it is imported.
    "keras": ("keras", os.environ.setdefault("KERAS_BACKEND", "tensorflow")),
}
