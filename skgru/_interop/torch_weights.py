"""Weights from and to PyTorch; of these, `to_torch` alone needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from skgru._data.arrays import describe
from skgru._interop.cell_weights import cell_of, of_torch_arrays
from skgru._interop.fitted_estimator import make_estimator
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
    from torch.nn import Module
else:  # it need not be installed
    Module = Any

_RECURRENT = re.compile(
    r"(.*?)(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh|bias)_l(\d+)(_reverse)?"
)
# What scales X and y, by the names of the arguments that say the same.
_SCALES = ("feature_mean", "feature_scale", "target_mean", "target_scale")
# Of `TorchNetwork`, and ours.
_ATTENTION = {
    "attention.hidden.weight": "attention_weights",
    "attention.hidden.bias": "attention_bias",
    "attention.score.weight": "attention_score",
}
# Modules of which nothing is seen in predictions.
_WITHOUT_EFFECT = ("Dropout", "Identity")


def to_torch(estimator: AnyEstimator) -> Module:
    """Return the network of a fitted estimator as a module of PyTorch, with the same predictions.

    The module consists of those of `torch.nn` (`Embedding`, `GRU`, `LSTM`, `RNN`, `Linear`), so its
    `state_dict()` has their names, and each part loads into a module of the same kind. It can be
    trained further and saved. Of a GRU that is so only with ``reset_after=True``, the form that
    `torch.nn.GRU` has; the other one, the default, is computed step by step, and its part of the
    state dict does not load into a `torch.nn.GRU`: it has one bias, ``bias_l0``.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier` or `GRURegressor`; or a search for one, or a pipeline that ends
        with one: the module then reads what its transformers return.

    Returns
    -------
    module : torch.nn.Module
        In evaluation mode, with the type of the estimator's `dtype`. It is called as
        ``module(x, lengths=None)``:

        - x : Tensor of shape (n, n_steps, n_features), or (n, n_steps) of token ids. Numbers as
          they come, not scaled: the module does it.
        - lengths : Tensor of shape (n,). None: as in skgru steps that are wholly NaN at the end of
          a sequence are padding, and zeros at both ends of token ids.

        For classes it returns logits, (n, n_outputs), of two classes one of them, and
        ``module.predict_proba(x, lengths)`` what the estimator's does. For numbers it returns the
        targets in their own unit, as `predict`, but always (n, n_targets); with
        ``loss='gaussian'`` mean and deviation. With ``pooling=None`` each step has outputs,
        (n, n_steps, ...), those of padding without a meaning.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of these.
    ValueError
        If a module cannot say all of the network: the error names the parameters to fit with.

    See Also
    --------
    from_torch : The way back.

    Notes
    -----
    In float64 the results are the same to rounding, about 1e-13; in float32 to about 1e-5,
    with the exponentials of ``loss='poisson'`` less.

    A missing value inside of a sequence, which the estimator fills if it was fitted without any,
    makes the results NaN. An id of a token that the estimator does not know is read as that of the
    unknown token, as the estimator does it; the rows of the embedding are numbered by the ids, with
    0 for padding. What concerns training only (dropout, penalties, the optimizer) is not part of
    it.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRUClassifier
    >>> from skgru.interop import to_torch
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 12, 2)).astype("float32")
    >>> y = np.where(X[:, :, 0].mean(axis=1) > 0, "up", "down")
    >>> clf = GRUClassifier(reset_after=True, n_convolutions=0, random_state=0).fit(X, y)
    >>> import torch  # doctest: +SKIP
    >>> module = to_torch(clf)  # doctest: +SKIP
    >>> p = module.predict_proba(torch.tensor(X)).detach().numpy()  # doctest: +SKIP
    >>> bool(np.allclose(p, clf.predict_proba(X), atol=1e-5))  # doctest: +SKIP
    True
    """
    model = network_inside(estimator)._fitted_model()
    refuse_what_is_beyond(model, "The module of PyTorch")
    try:
        from skgru._interop.torch_network import TorchNetwork
    except ImportError as error:
        raise ImportError(
            "Expected PyTorch for to_torch, got none: pip install 'skgru[torch]' installs it."
        ) from error
    return TorchNetwork(network_of(model), model).eval()


def from_torch(
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
    """Return a fitted estimator that predicts what a network of PyTorch does.

    The network has an embedding or reads numbers, has one or more layers of `torch.nn.GRU`,
    `torch.nn.LSTM` or `torch.nn.RNN` (with tanh), in one direction or both, and a `torch.nn.Linear`
    that reads their pooled outputs. Reading a state dict does not need PyTorch.

    Parameters
    ----------
    network : mapping of str to array-like, or torch.nn.Module
        A state dict, of tensors or arrays; or the module itself, of which more is known. The parts
        are recognized by names such as ``gru.weight_ih_l0`` and by their shapes, whatever prefix
        they have: the embedding has a matrix without a bias, and as many columns as the first layer
        reads, the head is the other matrix. What is no part of such a network is refused.

    classes : array-like of shape (n_classes,), default=None
        The labels of the classes, in the order of the head's outputs; the result is a
        `GRUClassifier` then. Several outputs are logits of a softmax; of two classes there may be
        one output, the logit of the second.

    multilabel : bool, default=False
        Whether the outputs are logits of several labels, each for itself.

    pooling : {'last', 'mean', 'max', 'attention'}, tuple of them or None, default='last'
        What the head reads of the top layer, as in the estimators; None: the outputs of every step.
        A state dict does not say it.

    feature_mean, feature_scale : float or array-like of shape (n_features,), default=None
        The network reads ``(X - feature_mean) / feature_scale``. None: X as it is.

    target_mean, target_scale : float or array-like of shape (n_targets,), default=None
        The head returns ``(y - target_mean) / target_scale``. None: y itself.

    token_ids : array-like of int of shape (n_rows,), default=None
        The ids of X that the rows of the embedding stand for. None: their numbers; row 0 is that of
        padding then, which is not read: expected are zeros, or ``padding_idx=0`` of the module.

    **parameters : dict
        Other parameters of the estimator, such as ``loss='poisson'`` or those of a training that
        goes on; those that the network says itself are set by it. For numbers `missing` is 'error',
        if nothing else is said.

    Returns
    -------
    estimator : GRUClassifier or GRURegressor
        As if its training had just ended with these weights: it predicts, goes on with
        `partial_fit` and ``warm_start=True``, and is cloned, pickled, and exported like any other.

    Raises
    ------
    ValueError, TypeError
        If the network has parts that the estimators do not have, or does not fit what is said of
        it.

    See Also
    --------
    to_torch : The way back. Of a module that it has made, nothing but ``parameters`` need be said.

    Notes
    -----
    Padding: `pack_padded_sequence` in PyTorch is what the estimators do with sequences of unequal
    length. A network that was trained to read its padding needs X with the padding as values.

    What lies in a `forward` is not seen, such as an activation between the parts: compare some
    predictions. Dropout has no part in predictions; set `dropout` for a training that goes on.

    Weights in half precision become float32, which has all of their values. Both biases of a layer
    are added up where their sum is all that counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru.interop import from_torch
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"weight_ih_l0": (24, 2), "weight_hh_l0": (24, 8)}
    >>> state = {f"gru.{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    >>> state |= {"gru.bias_ih_l0": np.zeros(24), "gru.bias_hh_l0": np.zeros(24)}
    >>> state |= {"fc.weight": rng.normal(size=(3, 8)), "fc.bias": np.zeros(3)}
    >>> clf = from_torch(state, classes=["low", "middle", "high"])
    >>> clf.predict_proba(rng.normal(size=(5, 12, 2))).shape
    (5, 3)
    """
    said = {
        "classes": classes,
        "multilabel": multilabel,
        "pooling": pooling,
        "token_ids": token_ids,
        **parameters,
    }
    of_scales = dict(
        zip(_SCALES, (feature_mean, feature_scale, target_mean, target_scale), strict=True)
    )
    arrays, kinds, has_padding = _read(network)
    if _is_ours(network):
        said = _said_by(network, said)
    state = {name: arrays.pop(name) for name in _SCALES if name in arrays}
    for name, array in state.items():
        if of_scales[name] is not None:
            raise ValueError(f"{name}: the network itself says it, expected None.")
        of_scales[name] = array
    names = {name: said.pop(name) for name in ("classes", "multilabel")}
    plain = _plain(
        arrays, kinds, has_padding, of_scales, said.pop("pooling"), said.pop("token_ids")
    )
    return make_estimator(plain, **names, parameters=said)


# --- What is given --------------------------------------------------------------------------------


def _is_ours(network):
    """Whether it is a module that `to_torch` has made."""
    return type(network).__module__ == "skgru._interop.torch_network"


def _said_by(network, said):
    """Return what is said of a module of ours, by itself and beside it."""
    of_module = network.settings
    nothing = {"classes": None, "multilabel": False, "pooling": "last", "token_ids": None}
    for name, value in of_module.items():
        given = said.get(name, value)
        is_said = name not in nothing or not is_same(given, nothing[name])
        if is_said and not is_same(given, value):
            raise ValueError(
                f"{name}: the module itself says {value!r}, expected nothing else, got {given!r}."
            )
    return said | of_module


def _read(network):
    """Return the arrays of a network by their names; of a module, the types of its parts too.

    Returns
    -------
    arrays : dict of ndarray
    kinds : dict of str
        The classes of modules by their names; None = it is a state dict.
    has_padding : bool or None
        Whether row 0 of the embedding is that of padding; None = its numbers say it.
    """
    if isinstance(network, Mapping):
        kinds, has_padding, state = None, None, network
    elif hasattr(network, "state_dict") and hasattr(network, "named_modules"):
        kinds, has_padding = _read_modules(network)
        state = network.state_dict()
    else:
        raise TypeError(
            "Expected a state dict of PyTorch, a dict of arrays, or a torch.nn.Module, got "
            f"{describe(network)}."
        )
    arrays = {name: _as_array(name, tensor) for name, tensor in state.items()}
    check_finite(arrays)
    return arrays, kinds, has_padding


def _as_array(name, tensor):
    """Return a tensor as an array, in single precision at least."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":  # NumPy has no such type
            tensor = tensor.float()
        tensor = tensor.numpy()
    array = np.asarray(tensor)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _read_modules(network):
    """Return the types of modules; refuse types and options that we do not have."""
    kinds, has_padding = {}, None
    for name, module in network.named_modules():
        kind = type(module).__name__
        if kind in ("GRU", "LSTM", "RNN") and getattr(module, "nonlinearity", "tanh") != "tanh":
            raise ValueError(
                f"{name or kind}: expected nonlinearity='tanh', got {module.nonlinearity!r}."
            )
        if kind == "Embedding":
            has_padding = _has_padding(name or kind, module)
        is_known = kind in ("Embedding", "GRU", "LSTM", "RNN", "Linear", "ResetBeforeGRU")
        is_silent = kind.startswith(_WITHOUT_EFFECT)
        if not any(True for _ in module.children()) and not is_known and not is_silent:
            raise ValueError(
                f"{name or kind} is of type {kind}: expected Embedding, GRU, LSTM, RNN, Linear and "
                "Dropout. (A softmax or sigmoid at the end is said by classes or multilabel: give "
                "the state_dict() of the network.)"
            )
        kinds[name] = kind
    return kinds, has_padding


def _has_padding(name, module):
    """Return whether row 0 of an embedding is that of padding, None if its numbers say it."""
    if module.max_norm is not None:
        raise ValueError(f"{name}: expected max_norm=None, got {module.max_norm}.")
    if module.padding_idx not in (None, 0):
        raise ValueError(f"{name}: expected padding_idx=0 or None, got {module.padding_idx}.")
    return True if module.padding_idx == 0 else None


# --- The parts ------------------------------------------------------------------------------------


def _plain(arrays, kinds, has_padding, of_scales, pooling, token_ids):
    """Return the network, given its arrays by the names of PyTorch, and what is said of it."""
    layers, names = _recurrent_layers(arrays)
    check_layers(layers, names)
    pooling = pooling if pooling is None or isinstance(pooling, str) else tuple(pooling)
    attention = _attention(arrays, pooling, layers[-1].n_outputs)
    modules = _other_modules(arrays)
    embedding = _name_of_embedding(modules, kinds, layers[0].n_inputs)
    heads = [name for name in modules if name != embedding]
    if len(heads) != 1:
        found = ", ".join(f"{n}.weight of shape {modules[n]['weight'].shape}" for n in heads)
        raise ValueError(
            "Expected one linear head above the recurrent layers (beside it an embedding of as "
            f"many columns as the first layer reads, {layers[0].n_inputs}), got {found or 'none'}."
        )
    (head,) = heads
    weights = modules[head]["weight"].T
    learned = {}
    if embedding is not None:
        rows = modules[embedding]["weight"]
        if rows.shape[1] != layers[0].n_inputs:
            raise ValueError(
                f"{embedding}.weight has vectors of {rows.shape[1]} dimensions, but {names[0]} "
                f"reads {layers[0].n_inputs}."
            )
        learned["embedding"], learned["token_ids"] = known_vectors(
            rows,
            token_ids,
            has_padding=not rows[0].any() if has_padding is None else has_padding,
            hint="padding_idx=0",
        )
    elif token_ids is not None:
        raise ValueError("token_ids: the network has no embedding, expected None.")
    plain = PlainNetwork(
        tuple(layers),
        pooling,
        weights,
        modules[head].get("bias", np.zeros(weights.shape[1], weights.dtype)),
        attention,
        **learned,
        **scales_of(of_scales, layers[0].n_inputs, has_tokens=embedding is not None),
    )
    check_pooling(plain, head)
    return plain


def _recurrent_layers(arrays):
    """Take the recurrent layers out of the arrays; return them from the bottom up, and names."""
    found = {}
    for name in list(arrays):
        match = _RECURRENT.fullmatch(name)
        if match is None:
            continue
        prefix, kind, number, reverse = match.groups()
        if kind == "weight_hr":
            raise ValueError(
                f"{name} is a projection of the states, which skgru does not have: expected "
                "proj_size=0."
            )
        cell = found.setdefault(prefix, {}).setdefault(int(number), {})
        cell.setdefault(bool(reverse), {})[kind] = arrays.pop(name)
    if not found:
        raise ValueError(
            "Expected the weights of a torch.nn.GRU, LSTM or RNN, with names such as "
            f"'gru.weight_ih_l0', got {', '.join(map(repr, arrays)) or 'nothing'}."
        )
    layers, names = [], []
    for prefix in _in_order(found):
        numbers = sorted(found[prefix])
        if numbers != list(range(len(numbers))):
            raise ValueError(f"{prefix}: expected layers 0, 1, …, got the weights of {numbers}.")
        for number in numbers:
            names.append(f"{prefix}weight_ih_l{number}")
            layers.append(_layer(found[prefix][number], f"{prefix}*_l{number}"))
    return layers, names


def _in_order(found):
    """Return the prefixes of recurrent modules in the order of their numbers."""
    if len(found) == 1:
        return list(found)
    # Those of `rnn.0.`, `rnn.1.` or `gru1.`, `gru2.`
    parts = {prefix: re.fullmatch(r"(.*?)(\d+)\.", prefix) for prefix in found}
    if not all(parts.values()) or len({match[1] for match in parts.values()}) > 1:
        raise ValueError(
            "The order of several recurrent modules is not said: expected one, or names that "
            f"differ by a number, such as 'gru1' and 'gru2', got {', '.join(map(repr, found))}."
        )
    return sorted(parts, key=lambda prefix: int(parts[prefix][2]))


def _layer(by_direction, name):
    """Return a layer, given its arrays by their kinds, by whether they are of the reverse."""
    if False not in by_direction:
        raise ValueError(f"{name}: expected the weights of the forward direction too.")
    cells, weights = set(), []
    for reverse in sorted(by_direction):
        of_direction = by_direction[reverse]
        said = f"{name}_reverse" if reverse else name
        weight_ih, weight_hh = (of_direction.pop(n, None) for n in ("weight_ih", "weight_hh"))
        if weight_ih is None or weight_hh is None or weight_ih.ndim != 2 or weight_hh.ndim != 2:
            raise ValueError(f"{said}: expected matrices weight_ih and weight_hh.")
        n_rows, n_units = weight_hh.shape
        cell = cell_of(n_rows // n_units) if n_units and n_rows % n_units == 0 else None
        if cell is None or len(weight_ih) != n_rows:
            raise ValueError(
                f"{said}: expected 3 blocks of rows for a GRU, 4 for an LSTM, 1 for a simple cell, "
                f"got weight_ih of shape {weight_ih.shape} and weight_hh of shape "
                f"{weight_hh.shape}."
            )
        nothing = np.zeros(n_rows, weight_hh.dtype)
        biases = [of_direction.get(n, nothing) for n in ("bias_ih", "bias_hh")]
        if cell == "gru" and "bias" in of_direction:  # of a `ResetBeforeGRU`
            biases = [of_direction.pop("bias")]
        unknown = [n for n in of_direction if len(biases) == 1 or n == "bias"]
        if unknown:
            raise ValueError(f"{said}: expected bias_ih and bias_hh alone, got {unknown} too.")
        if any(bias.shape != (n_rows,) for bias in biases):
            raise ValueError(
                f"{said}: expected biases of shape ({n_rows},), got "
                f"{' and '.join(str(bias.shape) for bias in biases)}."
            )
        cells.add((cell, weight_ih.shape))
        weights.append(of_torch_arrays(cell, weight_ih, weight_hh, *biases))
    if len(cells) > 1:
        raise ValueError(f"{name}: expected the same shapes in both directions, got {cells}.")
    return PlainLayer(cell, tuple(weights))


def _attention(arrays, pooling, n):
    """Take the arrays of a pooling with attention out of those of the network."""
    poolings = (pooling,) if isinstance(pooling, str) else (pooling or ())
    if "attention" not in poolings:
        return {}
    found = {}
    for name, ours in _ATTENTION.items():
        shape = {"attention_weights": (n, n), "attention_bias": (n,), "attention_score": (1, n)}
        array = arrays.pop(name, None)
        if array is None or array.shape != shape[ours]:
            raise ValueError(
                f"pooling={pooling!r}: expected {name} of shape {shape[ours]}, got "
                f"{'none' if array is None else array.shape}."
            )
        found[ours] = array[0] if ours == "attention_score" else array.T
    return found


def _other_modules(arrays):
    """Return the remaining arrays by their modules; refuse those that are no matrix and bias."""
    modules = {}
    for name, array in arrays.items():
        module, _, kind = name.rpartition(".")
        modules.setdefault(module, {})[kind] = array
    for module, parts in modules.items():
        weight = parts.get("weight", np.empty(0))
        is_known = set(parts) <= {"weight", "bias"} and weight.ndim == 2
        if not is_known or parts.get("bias", weight[:, 0]).shape != (len(weight),):
            found = ", ".join(
                f"{module}{'.' if module else ''}{kind} of shape {array.shape}"
                for kind, array in parts.items()
            )
            raise ValueError(
                f"The network has parts that skgru does not have: {found}. Expected an embedding, "
                "recurrent layers and one linear head."
            )
    return modules


def _name_of_embedding(modules, kinds, n_inputs):
    """Return the name of the embedding, None if there is none."""
    if kinds is not None:
        found = [name for name in modules if kinds.get(name) == "Embedding"]
    else:
        without_bias = [name for name, parts in modules.items() if "bias" not in parts]
        found = [name for name in without_bias if "emb" in name.lower()]
        if not found and len(modules) > 1:
            fits = [n for n in without_bias if modules[n]["weight"].shape[1] == n_inputs]
            found = fits if len(fits) == 1 else []
    if len(found) > 1:
        raise ValueError(f"Expected at most one embedding, got {', '.join(map(repr, found))}.")
    return found[0] if found else None
