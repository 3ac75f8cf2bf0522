"""Predictions in a graph: from raw outputs to labels and probabilities, or numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skgru._data.inputs import known
from skgru._engine.class_losses import LogLoss
from skgru._engine.number_losses import (
    AbsoluteError,
    GaussianLoss,
    Huber,
    NumberLoss,
    PinballLoss,
    PoissonDeviance,
    SquaredError,
)
from skgru._onnx.graph import Graph, Name

# By the kind of classes.
_TYPES_OF_LABELS = {"U": object, "i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}


def classify(g: Graph, loss: LogLoss, raw: Name, dtype: Any) -> tuple[Name, Name]:
    """Return labels (…) or (…, K), and probabilities (…, K), of raw outputs (…, K)."""
    is_binary = not loss.is_multilabel and loss.n_outputs == 1
    if is_binary:
        raw = g.concatenate([g.node("Neg", raw), raw])
    if is_binary or loss.is_multilabel:
        p = g.node("Sigmoid", raw)
    else:
        p = g.node("Softmax", raw, axis=-1)
    p = g.cast(p, dtype)
    if loss.is_multilabel:
        return g.cast(g.node("Greater", p, g.constant(0.5, dtype)), np.int64), p
    index = g.node("ArgMax", p, axis=-1, keepdims=0)
    return g.node("Gather", g.constant(labels_of(loss)), index), p


def labels_of(loss: LogLoss) -> Any:
    """Return the classes in a type that ONNX has; of several labels 0 and 1.

    Raises
    ------
    ValueError
        If there is no such type.
    """
    if loss.is_multilabel:
        return np.array([0, 1])
    classes = loss.attributes["classes_"]
    if classes.dtype.kind not in "iu":
        classes = np.array(classes.tolist())  # (Of large integers, that would be floats.)
    kind = classes.dtype.kind
    if kind not in _TYPES_OF_LABELS or (kind == "u" and classes.max() > np.iinfo(np.int64).max):
        raise ValueError(
            "Expected classes that are texts, numbers or truth values, for which ONNX has a type "
            f"(integers of at most 63 bits), got {classes.dtype}: {classes.tolist()!r:.60}."
        )
    return classes.astype(_TYPES_OF_LABELS[kind])


def estimate(g: Graph, loss: NumberLoss, raw: Name) -> dict[str, Name]:
    """Return the predictions in the unit of y, in float64, by their names.

    Parameters
    ----------
    g : Graph
    loss : NumberLoss
    raw : str
        Of an array (…, K · P), for K targets of P numbers each.

    Raises
    ------
    ValueError
        If the loss is of no kind that is known here.
    """
    if type(loss) not in ESTIMATES:
        raise ValueError(
            f"The loss {loss.name!r} has no graph of ONNX: expected one of "
            f"{', '.join(kind.name for kind in ESTIMATES)}."
        )
    K, P = loss.n_outputs, loss.n_raw
    mean, scale = known(loss.mean)[:, None], known(loss.scale)[:, None]
    shape = g.node("Shape", raw)
    shape = g.slice(shape, g.constant([0], np.int64), [-1], 0)
    shape = g.concatenate([shape, g.constant([K, P], np.int64)], 0)
    estimates, deviations = ESTIMATES[type(loss)](g, g.node("Reshape", raw, shape), P)
    y = g.node("Mul", estimates, g.constant(scale, np.float64))
    results = {"variable": g.node("Add", y, g.constant(mean, np.float64))}
    if deviations is not None:
        results["std"] = g.node("Mul", deviations, g.constant(scale, np.float64))
    has_several = isinstance(loss, PinballLoss) and P > 1
    axes = [-2] * loss.is_one_dimensional + [-1] * (not has_several)
    return {name: g.squeeze(x, *axes) if axes else x for name, x in results.items()}


def _as_it_is(g: Graph, raw: Name, n: int) -> tuple[Name, Name | None]:
    return raw, None


def _exponential(g: Graph, raw: Name, n: int) -> tuple[Name, Name | None]:
    return g.node("Exp", raw), None


def _quantiles(g: Graph, raw: Name, n: int) -> tuple[Name, Name | None]:
    parts = [g.columns(raw, 0, 1)]
    for i in range(1, n):
        parts.append(g.node("Add", parts[-1], _softplus(g, g.columns(raw, i, i + 1))))
    return g.concatenate(parts), None


def _mean_and_deviation(g: Graph, raw: Name, n: int) -> tuple[Name, Name | None]:
    deviations = _softplus(g, g.columns(raw, 1, 2))
    return g.columns(raw, 0, 1), g.node("Add", deviations, g.constant(GaussianLoss.FLOOR))


def _softplus(g: Graph, x: Name) -> Name:
    """Return log(1 + exp x), without overflow."""
    small = g.node("Exp", g.node("Neg", g.node("Abs", x)))
    log = g.node("Log", g.node("Add", g.constant(1.0), small))
    return g.node("Add", g.node("Relu", x), log)


# Of raw outputs (…, K, P), the estimates (…, K, Q) of scaled targets, and their deviations.
ESTIMATES: dict[type[NumberLoss], Callable[[Graph, Name, int], tuple[Name, Name | None]]] = {
    SquaredError: _as_it_is,
    AbsoluteError: _as_it_is,
    Huber: _as_it_is,
    PinballLoss: _quantiles,
    PoissonDeviance: _exponential,
    GaussianLoss: _mean_and_deviation,
}
