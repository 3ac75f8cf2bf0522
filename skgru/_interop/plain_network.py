"""A network as arrays, between our estimators and those of other libraries."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from skgru._data.ids import UNKNOWN
from skgru._data.tokens import TokenInput
from skgru._interop.cell_weights import COMMON
from skgru._nn.recurrent import DIRECTIONS
from skgru._sequence import BaseGRU
from skgru._unwrapping import network_and_inputs

_REVERSE = "reverse_"
# So many numbers may an embedding have in rows of ids that are not known.
_MOST_IN_GAPS = 10_000_000


class PlainLayer(NamedTuple):
    """A recurrent layer.

    Attributes
    ----------
    cell : str
    directions : tuple of dict
        The weights of the cell that reads from the start, and of the one that reads from the end,
        if there is one; by the names of `skgru._nn.cells.Cell.shapes`.
    """

    cell: str
    directions: tuple[dict[str, Any], ...]

    @property
    def n_inputs(self):
        """How many numbers of a step it reads."""
        return len(self.directions[0]["input_weights"])

    @property
    def n_units(self):
        """The units of one direction."""
        return len(self.directions[0]["recurrent_weights"])

    @property
    def n_outputs(self):
        """How many numbers of a step the next layer reads."""
        return len(self.directions) * self.n_units


@dataclass(frozen=True, eq=False)
class PlainNetwork:
    """A network: an embedding or scaled numbers, recurrent layers, pooling, a linear head.

    Parameters
    ----------
    layers : tuple of PlainLayer
        From the bottom up.
    pooling : str, tuple of str or None
    head_weights : ndarray of shape (n_pooled, n_outputs)
    head_bias : ndarray of shape (n_outputs,)
    attention : dict
        The arrays of a pooling with attention, by the names of `AttentionPooling`.
    embedding : ndarray of shape (V, D) or None
        A vector for each of `token_ids`; None = numbers.
    token_ids : ndarray of shape (V,) or None
        Ascending, from 1 on: that of the unknown token.
    feature_mean, feature_scale : ndarray of shape (D,) or None
        (x − mean) / scale is read; None = x.
    target_mean, target_scale : ndarray of shape (K,) or None
        Of the targets, of which the head returns (y − mean) / scale; None = y.
    """

    layers: tuple[PlainLayer, ...]
    pooling: str | tuple[str, ...] | None
    head_weights: Any
    head_bias: Any
    attention: dict[str, Any] = field(default_factory=dict)
    embedding: Any = None
    token_ids: Any = None
    feature_mean: Any = None
    feature_scale: Any = None
    target_mean: Any = None
    target_scale: Any = None

    @property
    def dtype(self):
        """The type of the weights: float64 if some are, else float32."""
        arrays = [self.head_weights, self.layers[0].directions[0]["input_weights"]]
        return np.result_type(np.float32, *arrays)

    @property
    def poolings(self):
        """The poolings side by side; none of them, if each step has outputs."""
        return (self.pooling,) if isinstance(self.pooling, str) else (self.pooling or ())

    @property
    def bidirectional(self):
        """Whether it reads in both directions."""
        return len(self.layers[0].directions) == len(DIRECTIONS)

    @property
    def resets_before(self):
        """Whether a GRU's reset gate acts on the state before the product."""
        weights = [p for layer in self.layers if layer.cell == "gru" for p in layer.directions]
        return any("recurrent_bias" not in p for p in weights)


def network_inside(estimator):
    """Return the fitted `GRUClassifier` or `GRURegressor` inside of an estimator.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If there is none.
    """
    network, _ = network_and_inputs(estimator)
    if not isinstance(network, BaseGRU):
        raise TypeError(
            "Expected a GRUClassifier or GRURegressor, whose network reads one sequence, got "
            f"{type(network).__name__}."
        )
    return network


def network_of(model):
    """Return the network of a fitted model as arrays, which it shares with the model."""
    p = model.parameters
    ((_, part),) = model.inputs.items()
    branch = model.network.only_branch
    encoder, layers = branch.spec.encoder, []
    for name, cell in zip(branch.stack.layers, encoder.cells, strict=True):
        arrays = p.section(name)
        onward = {n: a for n, a in arrays.items() if not n.startswith(_REVERSE)}
        reverse = {n.removeprefix(_REVERSE): a for n, a in arrays.items() if n not in onward}
        layers.append(PlainLayer(cell, (onward, reverse) if reverse else (onward,)))
    learned = {}
    if isinstance(part, TokenInput):
        learned |= {"embedding": p["embedding.weights"], "token_ids": part.token_ids}
    elif part.scaling is not None:
        learned |= {"feature_mean": part.center, "feature_scale": part.scale}
    if not model.loss.has_classes:
        learned |= {"target_mean": model.loss.mean, "target_scale": model.loss.scale}
    return PlainNetwork(
        tuple(layers),
        encoder.pooling,
        p["head.weights"],
        p["head.bias"],
        branch.pooling_section(p),
        **learned,
    )


def parameters_of(network):
    """Return all parameters of a network by the names of `Network.shapes`, in any order."""
    arrays = {"head.weights": network.head_weights, "head.bias": network.head_bias}
    for i, layer in enumerate(network.layers):
        for prefix, p in zip(("", _REVERSE), layer.directions, strict=False):
            arrays |= {f"hidden_{i}.{prefix}{name}": array for name, array in p.items()}
    arrays |= {f"pooling.{name}": array for name, array in network.attention.items()}
    if network.embedding is not None:
        arrays["embedding.weights"] = network.embedding
    return arrays


def refuse_what_is_beyond(model, what, more=()):
    """Refuse a model of which the networks of a library cannot say all.

    Parameters
    ----------
    model : Model
    what : str
        Of the library, in the error.
    more : iterable of (str, bool)
        Further parameters, as they should be, and whether they are not.

    Raises
    ------
    ValueError
        If so, with the parameters that it would have to be fitted with.
    """
    ((name, branch),) = model.own_spec.branches
    part, encoder = model.inputs[name], branch.encoder
    has_gate = any("output_bias" in name for name in model.parameters)
    faults = [
        ("cell='gru'", not {*encoder.cells} <= {*COMMON}),
        ("n_convolutions=0", bool(model.beside)),
        ("bag=False", model.bag is not None),
        ("crf=False", model.loss.has_chain),
        ("output_gate=False", has_gate),
        ("patch_size=1", encoder.patch_size > 1),
        ("time_feature=None", getattr(part, "stamps", None) is not None),
        ("X without missing values", getattr(part, "has_missing", False)),
        ("scaling='standard'", getattr(part, "scaling", None) == "sequence"),
        *more,
    ]
    expected = [fault for fault, is_there in faults if is_there]
    if expected:
        raise ValueError(
            f"{what} cannot say all of this network: expected one that is fitted with "
            f"{', '.join(expected)}."
        )


def table_by_id(vectors, token_ids):
    """Return a row for each id from 0, padding, on; ids that are not known have that of 1.

    Raises
    ------
    ValueError
        If too few of the ids are known.
    """
    n_rows, n_dimensions = int(token_ids[-1]) + 1, vectors.shape[1]
    if (n_rows - len(token_ids)) * n_dimensions > _MOST_IN_GAPS:
        raise ValueError(
            "There would be a row of the embedding for each id up to the largest, "
            f"{n_rows - 1}, of which the network knows {len(token_ids)}: expected ids with fewer "
            "gaps."
        )
    table = np.tile(vectors[np.searchsorted(token_ids, UNKNOWN)], (n_rows, 1))
    table[token_ids] = vectors
    table[0] = 0
    return table
