"""Weights from and to Keras; of these, `to_keras` alone needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skgru._data.arrays import describe
from skgru._interop.cell_weights import cell_of, of_keras_arrays
from skgru._interop.fitted_estimator import make_estimator
from skgru._interop.keras_network import CELLS, LEAST_SCALE, POOLINGS, KerasNetwork
from skgru._interop.network_checks import (
    check_finite,
    check_layers,
    check_pooling,
    is_same,
    known_vectors,
    scales_of,
)
from skgru._interop.plain_network import (
    PlainLayer,
    PlainNetwork,
    network_inside,
    network_of,
    refuse_what_is_beyond,
)
from skgru._types import AnyEstimator, ArrayLike, Poolings
from skgru.classifier import GRUClassifier
from skgru.regressor import GRURegressor

if TYPE_CHECKING:
    from keras import Model
else:  # it need not be installed
    Model = Any

# Layers of which nothing is seen in predictions.
_WITHOUT_EFFECT = ("InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise")
# The only values of options of recurrent layers that we have.
_OPTIONS = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "go_backwards": False,
    "stateful": False,
}


def to_keras(estimator: AnyEstimator, *, mask_value: float | None = None) -> Model:
    """Return the network of a fitted estimator as a model of Keras, with the same predictions.

    It is a `keras.Sequential` of Keras' own layers, with any of its backends: `Embedding` with
    ``mask_zero=True`` or `Normalization`, `GRU`, `LSTM` or `SimpleRNN`, in `Bidirectional` if they
    read in both directions, `GlobalAveragePooling1D` or `GlobalMaxPooling1D`, `Dense`, and for
    numbers `Rescaling`. It can be trained further, once it is compiled, and saved. Several
    poolings, attention, and the maximum where there is padding make it a `keras.Model` of these
    layers and operations of `keras.ops`.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier` or `GRURegressor`; or a search for one, or a pipeline that ends
        with one: the model then reads what its transformers return.

    mask_value : float, default=None
        For numbers: steps all of whose values are this one are padding (`keras.layers.Masking`).
        It should be none that X holds. None: all sequences of a batch are of equal length. Of token
        ids 0 is padding.

    Returns
    -------
    model : keras.Sequential or keras.Model
        It reads (n, n_steps, n_features), numbers as they come, or ids (n, n_steps), and returns
        what `predict_proba` does, of two classes only the probability of the second, (n, 1); or
        what `predict` does, but always (n, n_targets). With ``pooling=None`` each step has outputs.

    Raises
    ------
    ImportError
        If Keras is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of these.
    ValueError
        If such a model cannot say all of the network: the error names the parameters to fit with.

    See Also
    --------
    from_keras : The way back.

    Notes
    -----
    An id beyond those that the estimator knows has no row of the embedding. With the mean or
    attention as `pooling` a sequence needs at least one step.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor
    >>> from skgru.interop import to_keras
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 12, 2)).astype("float32")
    >>> reg = GRURegressor(pooling="last", random_state=0).fit(X, X.sum(axis=(1, 2)))
    >>> model = to_keras(reg)  # doctest: +SKIP
    >>> y = model.predict(X, verbose=0)  # doctest: +SKIP
    >>> bool(np.allclose(y[:, 0], reg.predict(X), atol=1e-4))  # doctest: +SKIP
    True
    """
    model = network_inside(estimator)._fitted_model()
    refuse_what_is_beyond(model, "The model of Keras", _beyond_keras(model))
    network = network_of(model)
    has_tokens = network.embedding is not None
    if mask_value is not None and (has_tokens or not np.isfinite(mask_value)):
        expected = "None for tokens, whose padding is 0" if has_tokens else "a finite number"
        raise ValueError(f"mask_value: expected {expected}, got {mask_value!r}.")
    try:
        import keras
    except ImportError as error:
        raise ImportError(
            f"Expected Keras and one of its backends for to_keras, got: {error}. pip install "
            "'skgru[keras]' installs Keras; KERAS_BACKEND says which backend, such as 'torch'."
        ) from error
    return KerasNetwork(keras, network, model, mask_value).made()


def from_keras(
    network: Any,
    *,
    classes: ArrayLike | None = None,
    multilabel: bool = False,
    pooling: Poolings | None = "last",
    feature_mean: ArrayLike | None = None,
    feature_scale: ArrayLike | None = None,
    target_mean: ArrayLike | None = None,
    target_scale: ArrayLike | None = None,
    token_ids: ArrayLike | None = None,
    **parameters: Any,
) -> GRUClassifier | GRURegressor:
    """Return a fitted estimator that predicts what a network of Keras does.

    Parameters
    ----------
    network : keras.Model, or list of lists of ndarray
        A `keras.Sequential`, or another model whose layers follow one another: `Embedding`,
        `Masking`, `Normalization`, `Rescaling`, then one or more of `GRU`, `LSTM` and `SimpleRNN`,
        all of them in `Bidirectional` or none, then `GlobalAveragePooling1D` or
        `GlobalMaxPooling1D`, `Dense` and its activation, and for numbers another `Rescaling`; the
        recurrent layers and one `Dense` have to be there. Or, without Keras, the weights of these
        layers: ``[layer.get_weights() for layer in model.layers]``.

    classes : array-like of shape (n_classes,), default=None
        The labels of the classes, in the order of the model's outputs; the result is a
        `GRUClassifier` then. Of two classes there may be one output, that of the second.

    multilabel : bool, default=False
        Whether the outputs are several labels, each for itself.

    pooling : {'last', 'mean', 'max', 'attention'}, tuple of them or None, default='last'
        What the `Dense` layer reads of the top layer, as in the estimators; None: the outputs of
        every step. A chain of layers says it itself, weights do not. With attention there are two
        more `Dense` layers before the last one, as in the models that `to_keras` makes.

    feature_mean, feature_scale : float or array-like of shape (n_features,), default=None
        The network reads ``(X - feature_mean) / feature_scale``. None: what `Normalization` or
        `Rescaling` in a model say, else X as it is.

    target_mean, target_scale : float or array-like of shape (n_targets,), default=None
        The `Dense` layer returns ``(y - target_mean) / target_scale``. None: what a `Rescaling`
        above it says, else y itself.

    token_ids : array-like of int of shape (n_rows,), default=None
        The ids of X that the rows of the embedding stand for. None: their numbers; row 0 is that of
        padding then, as with ``mask_zero=True``.

    **parameters : dict
        Other parameters of the estimator, such as ``loss='poisson'`` or those of a training that
        goes on; those that the network says itself are set by it. For numbers `missing` is 'error',
        if nothing else is said. Of the weights of a GRU without biases, `reset_after` is needed.

    Returns
    -------
    estimator : GRUClassifier or GRURegressor
        As if its training had just ended with these weights: it predicts, goes on with
        `partial_fit` and ``warm_start=True``, and is cloned, pickled, and exported like any other.

    Raises
    ------
    ValueError, TypeError
        If the network has parts or options that the estimators do not have, or does not fit what
        is said of it.

    See Also
    --------
    to_keras : The way back.

    Notes
    -----
    Masked steps in Keras are what padding is in X: sequences of unequal length, token ids with
    zeros at the ends. Where a model has no mask, its sequences are of equal length.

    The weights alone do not tell of activations and options: they have to be Keras' own defaults.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru.interop import from_keras
    >>> rng = np.random.default_rng(0)
    >>> gru = [rng.normal(size=shape) for shape in [(2, 24), (8, 24), (2, 24)]]
    >>> dense = [rng.normal(size=(8, 1)), np.zeros(1)]
    >>> reg = from_keras([gru, dense])
    >>> reg.predict(rng.normal(size=(5, 12, 2))).shape
    (5,)
    """
    of_scales = {
        "feature_mean": feature_mean,
        "feature_scale": feature_scale,
        "target_mean": target_mean,
        "target_scale": target_scale,
    }
    if isinstance(network, (list, tuple)):
        found = _of_lists(network, parameters.get("reset_after"))
        found |= {
            "pooling": pooling if pooling is None or isinstance(pooling, str) else tuple(pooling)
        }
    elif hasattr(network, "layers") and hasattr(network, "get_weights"):
        found = _of_model(network)
        if pooling != "last" and not is_same(pooling, found["pooling"]):
            raise ValueError(
                f"pooling: the model itself says {found['pooling']!r}, expected nothing else, got "
                f"{pooling!r}."
            )
        parameters = _with_activation(found, classes, multilabel, parameters)
    else:
        raise TypeError(
            "Expected a model of Keras, or a list of the weights of its layers, "
            f"[layer.get_weights() for layer in model.layers], got {describe(network)}."
        )
    for name, value in found["scales"].items():
        if of_scales[name] is not None:
            raise ValueError(f"{name}: the model itself says it, expected None.")
        of_scales[name] = value
    return make_estimator(
        _plain(found, of_scales, token_ids),
        classes=classes,
        multilabel=multilabel,
        parameters=parameters,
    )


# --- To Keras -------------------------------------------------------------------------------------


def _beyond_keras(model):
    """Return parameters as a model of Keras needs them, and whether they are otherwise."""
    ((name, _),) = model.own_spec.branches
    part, loss = model.inputs[name], model.loss
    scaling, scale = getattr(part, "scaling", None), getattr(part, "scale", None)
    return [
        ("scaling='standard'", scaling == "robust"),
        (
            f"features whose deviation is above {LEAST_SCALE}",
            scaling is not None and (scale < LEAST_SCALE).any(),
        ),
        ("a loss of one number for each target", not loss.has_classes and loss.n_raw > 1),
    ]


# --- From the weights of layers -------------------------------------------------------------------


def _of_lists(network, reset_after):
    """Return what the weights of layers say of a network."""
    found = {"layers": [], "names": [], "dense": [], "embedding": None, "scales": {}}
    for i, arrays in enumerate(network):
        name = f"The weights of layer {i}"
        if not isinstance(arrays, (list, tuple)):
            raise TypeError(
                f"{name}: expected a list of arrays for each layer, [layer.get_weights() for layer "
                f"in model.layers], got {describe(arrays)}."
            )
        arrays = [np.asarray(array) for array in arrays]
        n_dims = [array.ndim for array in arrays]
        if not arrays:  # of a layer without weights
            continue
        if n_dims == [2] and not found["layers"] and found["embedding"] is None:
            found |= {"embedding": arrays[0], "has_padding": True}
        elif n_dims in ([2], [2, 1]):
            found["dense"].append((name, arrays))
        elif len(arrays) in (2, 3, 4, 6) and n_dims[:2] == [2, 2]:
            n_each = 3 if len(arrays) in (3, 6) else 2
            has_one = len(arrays) == n_each
            each = [arrays] if has_one else [arrays[:n_each], arrays[n_each:]]
            n_rows, n_columns = each[0][1].shape
            cell = cell_of(n_columns // n_rows) if n_rows and n_columns % n_rows == 0 else None
            if cell is None:
                raise ValueError(
                    f"{name}: expected 3 blocks of columns for a GRU, 4 for an LSTM, 1 for a "
                    f"SimpleRNN, got a recurrent kernel of shape {each[0][1].shape}."
                )
            if n_each == 2 and cell == "gru" and reset_after is None:
                raise ValueError(
                    f"{name}: a GRU without biases does not say where its reset gate acts: "
                    "expected reset_after=True (Keras' default) or False."
                )
            found["layers"].append(_layer(name, cell, each, bool(reset_after)))
            found["names"].append(name)
        else:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                f"{name} are those of no Embedding, GRU, LSTM, SimpleRNN, Bidirectional or Dense: "
                f"got arrays of shape {shapes}."
            )
    return found


def _layer(name, cell, each, reset_after):
    """Return a recurrent layer, given the weights of each direction: kernels, and maybe a bias."""
    shapes = {tuple(array.shape for array in arrays) for arrays in each}
    if len(shapes) > 1:
        raise ValueError(f"{name}: expected the same shapes in both directions, got {shapes}.")
    directions = []
    for kernel, recurrent_kernel, *biases in each:
        n_columns = recurrent_kernel.shape[1]
        shape = (2, n_columns) if cell == "gru" and reset_after else (n_columns,)
        bias = biases[0] if biases else np.zeros(shape, kernel.dtype)
        is_bias = bias.shape == (n_columns,) or (cell == "gru" and bias.shape == (2, n_columns))
        if kernel.ndim != 2 or kernel.shape[1] != n_columns or not is_bias:
            raise ValueError(
                f"{name}: expected a kernel and a bias of {n_columns} columns, as the recurrent "
                f"kernel has, got kernel of shape {kernel.shape} and bias of shape {bias.shape}."
            )
        directions.append(of_keras_arrays(cell, kernel, recurrent_kernel, bias))
    return PlainLayer(cell, tuple(directions))


# --- From a model ---------------------------------------------------------------------------------


def _of_model(network):
    """Return what a model says of a network."""
    found = {"layers": [], "names": [], "dense": [], "embedding": None, "scales": {}}
    found |= {"activation": "linear", "pooling": "last", "has_mask": False, "steps": None}
    layers = [x for x in network.layers if type(x).__name__ not in _WITHOUT_EFFECT]
    _check_chain(network)
    for layer in layers:
        kind = type(layer).__name__
        read = _READERS.get(kind)
        if read is None:
            raise ValueError(
                f"{layer.name} is of type {kind}, which skgru does not have: expected "
                f"{', '.join(_READERS)} and Dropout."
            )
        read(found, layer, kind)
    if found["steps"]:  # which the Dense layer reads one by one
        found["pooling"] = None
    return found


def _check_chain(network):
    """Refuse a model whose layers do not follow one another."""
    if type(network).__name__ == "Sequential":
        return
    try:
        pairs = zip(network.layers[:-1], network.layers[1:], strict=True)
        is_chain = all(above.input is below.output for below, above in pairs)
    except (AttributeError, ValueError):
        is_chain = False
    if not is_chain:
        raise ValueError(
            f"{network.name} is no chain of layers: expected a Sequential, or a model each of "
            "whose layers reads the one before it; or the weights of its layers, "
            "[layer.get_weights() for layer in model.layers], and the pooling."
        )


def _refuse_place(found, layer, *, before, what):
    if found[before]:
        raise ValueError(f"{layer.name}: expected {type(layer).__name__} before {what}.")


def _read_embedding(found, layer, kind):
    _refuse_place(found, layer, before="layers", what="the recurrent layers")
    (rows,) = layer.get_weights()
    found |= {"embedding": rows, "has_padding": layer.mask_zero}
    found["has_mask"] |= bool(layer.mask_zero)


def _read_masking(found, layer, kind):
    _refuse_place(found, layer, before="layers", what="the recurrent layers")
    found["has_mask"] = True


def _read_normalization(found, layer, kind):
    _refuse_place(found, layer, before="layers", what="the recurrent layers")
    _refuse_scales(found, layer, "feature")
    if layer.invert:
        raise ValueError(f"{layer.name}: expected invert=False, got True.")
    mean, variance = layer.input_mean, layer.input_variance
    if mean is None:
        mean, variance, *_ = layer.get_weights()
    scale = np.maximum(np.sqrt(np.asarray(variance, float)), LEAST_SCALE)
    found["scales"] |= {"feature_mean": np.squeeze(mean), "feature_scale": np.squeeze(scale)}


def _read_rescaling(found, layer, kind):
    scale, offset = np.asarray(layer.scale, float), np.asarray(layer.offset, float)
    if found["dense"]:
        _refuse_scales(found, layer, "target")
        found["scales"] |= {"target_mean": offset, "target_scale": scale}
        return
    _refuse_place(found, layer, before="layers", what="the recurrent layers, or after Dense")
    _refuse_scales(found, layer, "feature")
    found["scales"] |= {"feature_mean": -offset / scale, "feature_scale": 1 / scale}


def _refuse_scales(found, layer, what):
    if f"{what}_mean" in found["scales"]:
        raise ValueError(f"{layer.name}: expected one Normalization or Rescaling, got two.")


def _read_recurrent(found, layer, kind):
    _refuse_place(found, layer, before="dense", what="Dense")
    each = [layer]
    if kind == "Bidirectional":
        if layer.merge_mode != "concat":
            raise ValueError(
                f"{layer.name}: expected merge_mode='concat', got {layer.merge_mode!r}."
            )
        each = [layer.forward_layer, layer.backward_layer]
        kind = type(layer.forward_layer).__name__
        if kind not in CELLS or type(layer.backward_layer).__name__ != kind:
            raise ValueError(f"{layer.name}: expected a GRU, LSTM or SimpleRNN inside, got {kind}.")
    for reverse, of_direction in enumerate(each):
        config = of_direction.get_config()
        for option, value in (_OPTIONS | {"go_backwards": bool(reverse)}).items():
            if option in config and config[option] != value:
                raise ValueError(
                    f"{layer.name}: expected {option}={value!r}, got {config[option]!r}."
                )
    config = each[0].get_config()
    weights = [of_direction.get_weights() for of_direction in each]
    found["layers"].append(
        _layer(layer.name, CELLS[kind], weights, config.get("reset_after", False))
    )
    found["names"].append(layer.name)
    found["steps"] = config["return_sequences"]


def _read_pooling(found, layer, kind):
    _refuse_place(found, layer, before="dense", what="Dense")
    if kind == "GlobalMaxPooling1D" and found["has_mask"]:
        raise ValueError(
            f"{layer.name} reads padding as if it were steps, which no pooling of skgru does: "
            "expected no mask below it."
        )
    found |= {"pooling": POOLINGS[kind], "steps": False}


def _read_dense(found, layer, kind):
    if kind == "TimeDistributed":
        layer = layer.layer
        if type(layer).__name__ != "Dense":
            raise ValueError(f"{layer.name}: expected Dense in TimeDistributed.")
    found["dense"].append((layer.name, layer.get_weights()))
    _set_activation(found, layer.name, layer.get_config()["activation"])


def _read_activation(found, layer, kind):
    if kind == "Softmax":
        _set_activation(found, layer.name, "softmax")
    else:
        _set_activation(found, layer.name, layer.get_config()["activation"])


def _set_activation(found, name, activation):
    if not found["layers"]:
        raise ValueError(f"{name}: expected the recurrent layers before it.")
    if found["activation"] != "linear":
        raise ValueError(f"{name}: expected one activation, got {found['activation']} below it.")
    if activation not in ("linear", "softmax", "sigmoid", "exponential"):
        raise ValueError(
            f"{name}: expected the activation linear, softmax, sigmoid or exponential, got "
            f"{activation!r}."
        )
    found["activation"] = activation


_READERS = {
    "Embedding": _read_embedding,
    "Masking": _read_masking,
    "Normalization": _read_normalization,
    "Rescaling": _read_rescaling,
    **dict.fromkeys([*CELLS, "Bidirectional"], _read_recurrent),
    **dict.fromkeys(POOLINGS, _read_pooling),
    **dict.fromkeys(["Dense", "TimeDistributed"], _read_dense),
    **dict.fromkeys(["Activation", "Softmax"], _read_activation),
}


def _with_activation(found, classes, multilabel, parameters):
    """Return the parameters; refuse an activation that is not that of the estimator's outputs."""
    activation = found["activation"]
    n_outputs = found["dense"][-1][1][0].shape[1] if found["dense"] else 0
    if multilabel or (classes is not None and n_outputs == 1):
        expected, means = ("sigmoid", "linear"), "labels, or two classes with one output"
    elif classes is not None:
        expected, means = ("softmax", "linear"), "classes"
    else:
        expected, means = ("linear", "exponential"), "numbers (classes and multilabel say others)"
    if activation not in expected:
        raise ValueError(
            f"The outputs of {means} need the activation {' or '.join(expected)}, got "
            f"{activation!r}."
        )
    if activation == "exponential" and "loss" not in parameters:
        return parameters | {"loss": "poisson"}
    loss = parameters.get("loss", "squared_error")
    if classes is None and not multilabel and (loss == "poisson") != (activation == "exponential"):
        raise ValueError(f"loss={loss!r} does not go with the activation {activation!r}.")
    return parameters


# --- Common to both -------------------------------------------------------------------------------


def _plain(found, of_scales, token_ids):
    """Return the network, given what was found, and what is said of it."""
    layers, names, pooling = found["layers"], found["names"], found["pooling"]
    has_attention = "attention" in ((pooling,) if isinstance(pooling, str) else pooling or ())
    n_dense = 3 if has_attention else 1
    if not layers or len(found["dense"]) != n_dense:
        dense = ", ".join(name for name, _ in found["dense"]) or "none"
        raise ValueError(
            "Expected at least one GRU, LSTM or SimpleRNN and above it "
            f"{'three Dense layers' if has_attention else 'one Dense layer'}, got "
            f"{len(layers)} recurrent layers and these Dense ones: {dense}."
        )
    *below, (head, (weights, *biases)) = found["dense"]
    attention = _attention(below, layers[-1].n_outputs) if has_attention else {}
    bias = biases[0] if biases else np.zeros(weights.shape[1], weights.dtype)
    arrays = {f"{head} (kernel)": weights, f"{head} (bias)": bias}
    for name, layer in zip(names, layers, strict=True):
        arrays |= {f"{name} ({n})": array for p in layer.directions for n, array in p.items()}
    arrays |= {f"The attention ({name})": array for name, array in attention.items()}
    learned = {}
    if found["embedding"] is not None:
        arrays["The embedding"] = found["embedding"]
    check_finite(arrays)
    check_layers(layers, names)
    if found["embedding"] is not None:
        rows = found["embedding"]
        if rows.shape[1] != layers[0].n_inputs:
            raise ValueError(
                f"The embedding has vectors of {rows.shape[1]} dimensions, but {names[0]} reads "
                f"{layers[0].n_inputs}."
            )
        learned["embedding"], learned["token_ids"] = known_vectors(
            rows, token_ids, has_padding=found["has_padding"], hint="mask_zero=True"
        )
    elif token_ids is not None:
        raise ValueError("token_ids: the network has no embedding, expected None.")
    plain = PlainNetwork(
        tuple(layers),
        pooling,
        weights,
        bias,
        attention,
        **learned,
        **scales_of(of_scales, layers[0].n_inputs, has_tokens="embedding" in learned),
    )
    check_pooling(plain, head)
    return plain


def _attention(dense, n):
    """Return the weights of attention, given those of its two Dense layers."""
    shapes = [tuple(array.shape for array in arrays) for _, arrays in dense]
    if shapes != [((n, n), (n,)), ((n, 1),)]:
        raise ValueError(
            f"Attention: expected two Dense layers with weights of shape ({n}, {n}) and ({n},), "
            f"and ({n}, 1) without a bias, got {shapes}."
        )
    (_, (weights, bias)), (_, (score,)) = dense
    return {
        "attention_weights": weights,
        "attention_bias": bias,
        "attention_score": score[:, 0],
    }
