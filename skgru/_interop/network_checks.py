"""Checks of what was found of a network of another library, and of what is said of it."""

import numpy as np

from skgru._data.arrays import describe
from skgru._data.ids import UNKNOWN
from skgru._nn.pooling import POOLINGS


def check_finite(arrays):
    """Refuse arrays that do not hold finite numbers.

    Parameters
    ----------
    arrays : dict of ndarray
        By their names in the error.

    Raises
    ------
    TypeError, ValueError
        If one does not.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name}: expected an array of numbers, got {array.dtype}.")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity: expected finite weights.")


def check_layers(layers, names):
    """Refuse layers that make no stack of ours.

    Parameters
    ----------
    layers : list of PlainLayer
    names : list of str
        Of the layers, in the error.

    Raises
    ------
    ValueError
        If directions or forms differ, or one does not read what the one below returns.
    """
    forms = {"recurrent_bias" in p for x in layers if x.cell == "gru" for p in x.directions}
    if len(forms) > 1:
        raise ValueError(
            "Expected all layers of GRU to have the reset gate after the product, or all before "
            f"it, got both: {', '.join(names)}."
        )
    n_directions = {len(layer.directions) for layer in layers}
    if len(n_directions) > 1:
        raise ValueError(
            "Expected all recurrent layers to read in one direction or all in both, got "
            + ", ".join(f"{n}: {len(x.directions)}" for n, x in zip(names, layers, strict=True))
            + "."
        )
    for below, above, name in zip(layers[:-1], layers[1:], names[1:], strict=True):
        if above.n_inputs != below.n_outputs:
            raise ValueError(
                f"{name} reads {above.n_inputs} numbers of a step, expected {below.n_outputs}, "
                "which the layer below returns."
            )


def known_vectors(rows, token_ids, *, has_padding, hint):
    """Return the vectors of tokens, and their ids, both as `PlainNetwork` has them.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        Of the embedding.
    token_ids : array-like of int of shape (n,) or None
        The ids that the rows stand for; None = their numbers, from 0 on.
    has_padding : bool
        Whether the first row, of id 0, is never read.
    hint : str
        What to do, where id 0 is a token.

    Raises
    ------
    ValueError, TypeError
        If ids are none, or a row of id 0 is that of a token.
    """
    if token_ids is None:
        token_ids = np.arange(len(rows))
        if not has_padding:
            raise ValueError(
                "Id 0 is padding, but row 0 of the embedding is that of a token: expected "
                f"{hint}, or token_ids, the ids from 1 on that its rows are to stand for, "
                f"such as np.arange(1, {len(rows) + 1}) with ids that are greater by one."
            )
    token_ids = np.asarray(token_ids)
    if token_ids.dtype.kind not in "iu" or token_ids.shape != (len(rows),):
        raise TypeError(
            f"token_ids: expected an id for each of the {len(rows)} rows of the embedding, "
            f"integers of shape ({len(rows)},), got {describe(token_ids)}."
        )
    if (token_ids < 0).any() or len(np.unique(token_ids)) < len(token_ids):
        raise ValueError("token_ids: expected different ids, none of them negative.")
    order = np.argsort(token_ids)
    order = order[token_ids[order] > 0]
    token_ids, rows = token_ids[order].astype(np.int64), rows[order]
    if UNKNOWN not in token_ids:  # unknown tokens have its vector: one that tells nothing
        token_ids = np.concatenate([[UNKNOWN], token_ids])
        rows = np.concatenate([np.zeros_like(rows, shape=(1, rows.shape[1])), rows])
    return rows, token_ids


def numbers_for_each(name, values, n):
    """Return a mean or a scale as an array, one number for each of n.

    Raises
    ------
    ValueError
        If there is none for each, or a scale is not above 0.
    """
    numbers = np.array(values, np.float64)
    if numbers.ndim == 0:
        numbers = np.full(n, numbers)
    if numbers.shape != (n,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected {n} finite numbers, got {describe(values)}.")
    if name.endswith("scale") and not (numbers > 0).all():
        raise ValueError(f"{name}: expected numbers above 0, got {numbers.min()}.")
    return numbers


def scales_of(of_scales, n_features, *, has_tokens):
    """Return the means and scales of a network as arrays: those of the features both, or none.

    Parameters
    ----------
    of_scales : dict
        Four of `PlainNetwork`, as they are given.
    n_features : int
    has_tokens : bool

    Raises
    ------
    ValueError
        If there is not a number for each feature.
    """
    mean, scale = of_scales["feature_mean"], of_scales["feature_scale"]
    of_targets = {name: of_scales[name] for name in ("target_mean", "target_scale")}
    if mean is None and scale is None:
        return of_targets
    if has_tokens:
        raise ValueError("feature_mean and feature_scale: tokens have none, expected None.")
    mean, scale = 0.0 if mean is None else mean, 1.0 if scale is None else scale
    return of_targets | {
        "feature_mean": numbers_for_each("feature_mean", mean, n_features),
        "feature_scale": numbers_for_each("feature_scale", scale, n_features),
    }


def is_same(a, b):
    """Whether two arguments, of which some may be arrays, are the same."""
    return np.array_equal(np.asarray(a, object), np.asarray(b, object))


def check_pooling(network, name):
    """Refuse a pooling that there is not, or a head that reads another number of columns.

    Raises
    ------
    ValueError
        If it is so.
    """
    if not set(network.poolings) <= set(POOLINGS) or network.pooling == ():
        raise ValueError(
            f"pooling: expected one of {', '.join(map(repr, POOLINGS))}, several of them or None, "
            f"got {network.pooling!r}."
        )
    n_top = network.layers[-1].n_outputs
    n_pooled = n_top * max(len(network.poolings), 1)
    n_read = len(network.head_weights)
    if n_read != n_pooled:
        raise ValueError(
            f"The head {name} reads {n_read} numbers, but with pooling={network.pooling!r} it has "
            f"{n_pooled}: expected another pooling."
        )
