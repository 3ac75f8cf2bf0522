"""The network of an estimator as a model of Keras, which is handed over, not imported."""

import numpy as np

from skgru._interop.cell_weights import to_keras_arrays
from skgru._interop.plain_network import table_by_id

CELLS = {"GRU": "gru", "LSTM": "lstm", "SimpleRNN": "rnn"}
POOLINGS = {"GlobalAveragePooling1D": "mean", "GlobalMaxPooling1D": "max"}
# A Normalization does not divide by less.
LEAST_SCALE = 1e-7

_ACTIVATIONS = {"softmax": "softmax", "logistic": "sigmoid", "exp": "exponential"}
# Below all outputs of a layer, which lie between -1 and 1.
_BELOW_ALL = -2.0


class KerasNetwork:
    """A model of Keras in the making.

    Parameters
    ----------
    keras : module
    network : PlainNetwork
    model : Model
        The fitted one that it is of.
    mask_value : float or None
        See `skgru.interop.to_keras`.
    """

    def __init__(self, keras, network, model, mask_value):
        self._keras, self._network = keras, network
        self._loss, self._mask_value = model.loss, mask_value
        ((_, branch),) = model.own_spec.branches
        self._is_frozen = branch.input.freeze_embedding
        self._has_tokens = network.embedding is not None
        self._has_mask = self._has_tokens or mask_value is not None
        self._dtype = {"dtype": network.dtype.name}
        self._weights = []  # pairs of a layer and its arrays, to be set once it is built

    def made(self):
        """Return the model: a chain of layers, if it can be one."""
        network = self._network
        is_chain = network.pooling in ("last", "mean", "max", None)
        # A GlobalMaxPooling1D does not know which steps are padding.
        is_chain = is_chain and not (network.pooling == "max" and self._has_mask)
        inputs = self._inputs()
        if is_chain:
            layers = [*self._below(), *self._recurrent(), *self._pooling(), *self._above()]
            made = self._keras.Sequential([inputs, *layers])
        else:
            made = self._keras.Model(inputs, self._outputs(inputs))
        for layer, arrays in self._weights:
            layer.set_weights(arrays)
        return made

    # --- The layers ------------------------------------------------------------------------------

    def _layer(self, kind, *args, arrays=(), **options):
        """Return a layer, which will have these arrays as weights."""
        layer = getattr(self._keras.layers, kind)(*args, **options, **self._dtype)
        if len(arrays):
            self._weights.append((layer, arrays))
        return layer

    def _inputs(self):
        """Return the inputs."""
        if self._has_tokens:
            return self._keras.Input((None,), dtype="int32")
        return self._keras.Input((None, self._network.layers[0].n_inputs), **self._dtype)

    def _below(self):
        """Return the layers below the recurrent ones."""
        network = self._network
        if self._has_tokens:
            table = table_by_id(network.embedding, network.token_ids)
            options = {"mask_zero": True, "trainable": not self._is_frozen}
            return [self._layer("Embedding", *table.shape, arrays=[table], **options)]
        layers = []
        if self._mask_value is not None:
            layers.append(self._layer("Masking", self._mask_value))
        if network.feature_mean is not None:
            mean, variance = network.feature_mean, np.square(network.feature_scale)
            options = {"mean": mean.tolist(), "variance": variance.tolist()}
            layers.append(self._layer("Normalization", **options))
        return layers

    def _recurrent(self, *, with_state=False):
        """Return the recurrent layers; `with_state` the top one returns its last state too."""
        network = self._network
        return [
            self._recurrent_layer(layer, is_top=layer is network.layers[-1], with_state=with_state)
            for layer in network.layers
        ]

    def _recurrent_layer(self, layer, *, is_top, with_state):
        (kind,) = (kind for kind, cell in CELLS.items() if cell == layer.cell)
        options = {"return_sequences": not is_top or self._network.pooling != "last"}
        options["return_state"] = is_top and with_state
        if layer.cell == "gru":
            options["reset_after"] = "recurrent_bias" in layer.directions[0]
        made = getattr(self._keras.layers, kind)(layer.n_units, **options, **self._dtype)
        if len(layer.directions) == 2:
            made = self._keras.layers.Bidirectional(made, **self._dtype)
        arrays = [array for p in layer.directions for array in to_keras_arrays(layer.cell, p)]
        self._weights.append((made, arrays))
        return made

    def _pooling(self):
        """Return the layer of a pooling, if there is one for it."""
        pooling = self._network.pooling
        return [self._layer(kind) for kind, name in POOLINGS.items() if name == pooling]

    def _above(self):
        """Return the layers above the pooling."""
        network = self._network
        activation = _ACTIVATIONS.get(self._loss.out_activation, "linear")
        arrays = [network.head_weights, network.head_bias]
        layers = [self._layer("Dense", arrays[0].shape[1], activation=activation, arrays=arrays)]
        if network.target_mean is not None:
            scale, mean = network.target_scale.tolist(), network.target_mean.tolist()
            if len(scale) == 1:
                (scale,), (mean,) = scale, mean
            layers.append(self._layer("Rescaling", scale, mean))
        return layers

    # --- What is no chain ------------------------------------------------------------------------

    def _outputs(self, inputs):
        """Return the outputs for the inputs."""
        x = inputs
        for layer in self._below():
            x = layer(x)
        *below, top = self._recurrent(with_state=True)
        for layer in below:
            x = layer(x)
        y, *states = top(x)
        n_directions = len(self._network.layers[-1].directions)
        # Of each direction h, and of an LSTM c behind it.
        lasts = states[:: len(states) // n_directions]
        pooled = [
            part
            for name in self._network.poolings
            for part in (lasts if name == "last" else [self._pooled(name, y, self._mask(inputs))])
        ]
        x = pooled[0] if len(pooled) == 1 else self._layer("Concatenate")(pooled)
        for layer in self._above():
            x = layer(x)
        return x

    def _mask(self, inputs):
        """Return which steps are no padding, (n, n_steps, 1); None = all."""
        ops = self._keras.ops
        if self._has_tokens:
            return ops.expand_dims(ops.not_equal(inputs, 0), -1)
        if self._has_mask:
            return ops.any(ops.not_equal(inputs, self._mask_value), axis=-1, keepdims=True)
        return None

    def _pooled(self, name, y, mask):
        """Return the outputs of one pooling, given those of all steps."""
        ops = self._keras.ops
        if mask is None and name in POOLINGS.values():
            (layer,) = (self._layer(kind) for kind, other in POOLINGS.items() if other == name)
            return layer(y)
        if name == "mean":
            total = ops.sum(ops.where(mask, y, 0.0), axis=1)
            return total / ops.cast(ops.maximum(ops.sum(mask, axis=1), 1), y.dtype)
        if name == "max":
            largest = ops.max(ops.where(mask, y, _BELOW_ALL), axis=1)
            return ops.where(largest > _BELOW_ALL, largest, 0.0)  # of a sequence without a step
        p, n = self._network.attention, y.shape[-1]
        arrays = [p["attention_weights"], p["attention_bias"]]
        hidden = self._layer("Dense", n, activation="tanh", arrays=arrays)(y)
        arrays = [p["attention_score"][:, None]]
        scores = self._layer("Dense", 1, use_bias=False, arrays=arrays)(hidden)
        weights = self._layer("Softmax", axis=1)(scores, mask=mask)
        return ops.sum(weights * y, axis=1)
