"""A fitted estimator, made of the arrays of a network and of what is said of its outputs."""

import numpy as np

from skgru._data.numbers import NumberInput
from skgru._data.targets import as_targets
from skgru._data.tokens import TokenInput
from skgru._engine.model import Model, network_spec
from skgru._engine.observers import History
from skgru._engine.request import Fitted
from skgru._interop.network_checks import is_same, numbers_for_each
from skgru._interop.plain_network import PlainNetwork, parameters_of
from skgru._nn.network import Network
from skgru._nn.parameters import size_of
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
