"""A fitted estimator, made of the arrays of a network and of what is said of its outputs."""

import numpy as np

from skgru._data.arrays import describe
from skgru._data.ids import UNKNOWN
from skgru._data.numbers import NumberInput
from skgru._data.targets import as_targets
from skgru._data.tokens import TokenInput
from skgru._engine.model import Model, network_spec
from skgru._engine.observers import History
from skgru._engine.request import Fitted
from skgru._interop.plain_network import PlainNetwork, parameters_of
from skgru._nn.network import Network
from skgru._nn.parameters import size_of
from skgru._nn.pooling import POOLINGS
from skgru._options import wanted_encoder
from skgru._spec import EncoderSpec, FusionSpec
from skgru.classifier import GRUClassifier
from skgru.regressor import GRURegressor


def make_estimator(network, *, classes, multilabel, parameters):
    """Return an estimator that is fitted as if its training had ended with a network.

    Parameters
    ----------
    network : PlainNetwork
    classes : array-like of shape (n_classes,) or None
        Of the outputs of the head, in their order. Of two classes there may be one output, that of
        the second. None, and not `multilabel`: the outputs are numbers.
    multilabel : bool
        Whether each output is a label of its own.
    parameters : dict
        Of the estimator, which the network does not say.

    Raises
    ------
    ValueError, TypeError
        If they do not go together.
    """
    has_classes = classes is not None or multilabel
    kind = GRUClassifier if has_classes else GRURegressor
    estimator = kind(**_all_parameters(network, parameters))
    estimator._validate_params()
    settings = estimator._settings
    encoder = wanted_encoder(settings, EncoderSpec)
    part = _make_input(network, settings)
    loss = estimator._make_loss(settings)
    if has_classes:
        network, learned = _with_classes(network, loss, classes, multilabel)
    else:
        learned = _learned_of_numbers(network, loss.n_raw)
    loss = loss.bind(learned)
    spec = network_spec({"": part}, {"": encoder}, loss, FusionSpec())
    shapes, arrays = Network(spec).shapes, parameters_of(network)
    theta = np.empty(size_of(shapes), network.dtype)
    model = Model({"": part}, spec, loss, theta)
    for name, view in model.parameters.items():
        view[...] = arrays.pop(name)
    assert not arrays, f"the network has no place for {', '.join(arrays)}"
    # No training has led to it: the history is empty, and nothing was chosen for "auto".
    return estimator._fitted_copy(Fitted(model, History(), "converged", {}, {}, False, None))


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


# --- The parameters of the estimator --------------------------------------------------------------


def _all_parameters(network, parameters):
    """Return all parameters of the estimator; refuse those that the network says otherwise."""
    cells = tuple(layer.cell for layer in network.layers)
    has_tokens = network.embedding is not None
    said = {
        "hidden_layer_sizes": tuple(layer.n_units for layer in network.layers),
        "cell": cells[0] if len(set(cells)) == 1 else cells,
        "reset_after": "gru" in cells and not network.resets_before,
        "output_gate": False,
        "bidirectional": network.bidirectional,
        "pooling": network.pooling,
        "patch_size": 1,
        "embedding_dim": network.embedding.shape[1] if has_tokens else None,
        "dtype": network.dtype.name,
    }
    beyond = {
        "bag": False,
        "crf": False,
        "embedding_matrix": None,
        "n_convolutions": 0,
        "time_feature": None,
    }
    for name, value in (said | beyond).items():
        if name in parameters and not is_same(parameters[name], value):
            raise ValueError(
                f"{name}: the network itself says {value!r}, expected nothing else, got "
                f"{parameters[name]!r}."
            )
    others = {}
    if not has_tokens:
        is_scaled = network.feature_mean is not None
        # Their network would make NaN of NaN.
        others = {"scaling": "standard" if is_scaled else None, "missing": "error"}
    others |= parameters
    if not has_tokens:
        allowed = ("standard", "robust") if is_scaled else (None,)
        if others["scaling"] not in allowed:
            of_features = "with" if is_scaled else "without"
            raise ValueError(
                f"scaling: expected {' or '.join(map(repr, allowed))} {of_features} feature_mean "
                f"and feature_scale, got {others['scaling']!r}."
            )
    # Where "auto" would add something to the network in another fit.
    name = "bag" if has_tokens else "n_convolutions"
    return others | said | {name: beyond[name]}


# --- The input ------------------------------------------------------------------------------------


def _make_input(network, settings):
    """Return the input, as if it had learned from training data."""
    name = settings.estimator_name
    if network.embedding is not None:
        return TokenInput(
            name,
            n_features=1,
            embedding_dim=network.embedding.shape[1],
            freeze_embedding=settings.freeze_embedding,
            token_ids=network.token_ids,
        )
    n_features = network.layers[0].n_inputs
    mean, scale = np.zeros(n_features), np.ones(n_features)
    if network.feature_mean is not None:
        mean, scale = network.feature_mean, network.feature_scale
    return NumberInput(
        name,
        n_features=n_features,
        features_per_step=settings.features_per_step,
        scaling=settings.scaling,
        missing=settings.missing,
        center=mean,
        scale=scale,
        fill=mean.copy(),
        gap_scale=np.ones(n_features),
        is_bidirectional=network.bidirectional,
    )


# --- The outputs ----------------------------------------------------------------------------------


def _learned_of_numbers(network, n_raw):
    """Return what the loss of numbers has learned."""
    n_head = network.head_weights.shape[1]
    if n_head % n_raw:
        raise ValueError(
            f"The head has {n_head} outputs, but the loss makes each number of {n_raw}: expected "
            f"a multiple of {n_raw}."
        )
    n = n_head // n_raw
    mean, scale = np.zeros(n), np.ones(n)
    if network.target_mean is not None:
        mean = numbers_for_each("target_mean", network.target_mean, n)
    if network.target_scale is not None:
        scale = numbers_for_each("target_scale", network.target_scale, n)
    return {"mean": mean, "scale": scale, "is_one_dimensional": n == 1}


def _with_classes(network, loss, classes, multilabel):
    """Return the network with the head of a classifier, and what its loss has learned.

    The outputs of a classifier are in the order of its classes; two classes have one of them,
    since a softmax of two is a sigmoid of their difference.
    """
    n_head = network.head_weights.shape[1]
    if network.target_mean is not None or network.target_scale is not None:
        raise ValueError("target_mean and target_scale are of numbers: expected none with classes.")
    if multilabel:
        given = np.arange(n_head) if classes is None else np.asarray(classes)
        if not np.array_equal(given, np.arange(n_head)):
            raise ValueError(
                f"With multilabel=True the {n_head} outputs are labels, which are numbered: "
                f"expected classes=None, got {classes!r:.80}."
            )
        return network, {"classes": given, "is_multilabel": True}
    given = loss.check(as_targets(classes), "class {}".format)
    known, order = np.unique(given, return_index=True)
    if given.ndim != 1 or not 2 <= len(known) == len(given):
        raise ValueError(
            "classes: expected the labels of at least two classes, in the order of the outputs, "
            f"got {classes!r:.80}."
        )
    is_single = len(known) == 2 and n_head == 1
    if not is_single and n_head != len(known):
        outputs = "1 or 2" if len(known) == 2 else f"{len(known)}"
        raise ValueError(
            f"The head has {n_head} outputs, expected {outputs} for {len(known)} classes; several "
            "labels of a sample need multilabel=True."
        )
    weights, bias = network.head_weights, network.head_bias
    if len(known) == 2:
        if not is_single:
            weights, bias = weights[:, 1:] - weights[:, :1], bias[1:] - bias[:1]
        if order[0] == 1:  # the one that is first in the order of labels was given last
            weights, bias = -weights, -bias
    else:
        weights, bias = weights[:, order], bias[order]
    made = {"head_weights": weights, "head_bias": bias}
    learned = {"classes": known, "is_multilabel": False}
    return PlainNetwork(**(vars(network) | made)), learned
