"""The treatment of missing values against the documented equations, in plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru import GRUClassifier
from tests.datasets import ragged, small
from tests.holes import ragged_with_holes, with_holes


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def delta_and_last(z, stamps):
    """Return δ and x_last of each step, for the steps in the order in which they are read."""
    delta, last = np.zeros(z.shape), np.zeros(z.shape)
    for d in range(z.shape[1]):
        seen_at, value = 0, 0.0
        for t in range(len(z)):
            delta[t, d] = abs(stamps[t] - stamps[seen_at])
            if not np.isnan(z[t, d]):
                seen_at, value = t, z[t, d]
            last[t, d] = value
    return delta, last


def gru_with_decay(p, prefix, inputs, delta):
    """Return h_t of all steps, of inputs in the order in which they are read."""
    W_z, W_r, W_c = np.split(p[f"{prefix}input_weights"], 3, axis=1)
    U_z, U_r, U_c = np.split(p[f"{prefix}recurrent_weights"], 3, axis=1)
    b_z, b_r, b_c = np.split(p[f"{prefix}bias"], 3)
    h, states = np.zeros(len(U_z)), []
    for x_t, delta_t in zip(inputs, delta, strict=True):
        if f"{prefix}decay_weights" in p:
            a = delta_t @ p[f"{prefix}decay_weights"] + p[f"{prefix}decay_bias"]
            h = np.exp(-np.maximum(0, a)) * h
        z = sigmoid(x_t @ W_z + h @ U_z + b_z)
        r = sigmoid(x_t @ W_r + h @ U_r + b_r)
        c = np.tanh(x_t @ W_c + (r * h) @ U_c + b_c)
        h = (1 - z) * h + z * c
        states.append(h)
    return np.array(states).reshape(len(inputs), len(h))


def documented_probabilities(model, x, time_feature=None):
    """Return the probabilities of the classes for one sequence, as docs/network.md has them."""
    p, n_features = model.parameters_, x.shape[1]
    n_layers = len(model.hidden_layer_sizes)
    z = (x - model.feature_mean_) / model.feature_scale_
    if model.scaling == "robust":
        z = z / np.sqrt(1 + (z / 3) ** 2)
    stamps = np.arange(len(x)) if time_feature is None else x[:, time_feature]
    y, gaps = [], []
    for i in range(2 if model.bidirectional else 1):
        order = slice(None, None, -1 if i else 1)
        z_read = z[order].copy()
        delta, last = delta_and_last(z_read, stamps[order])
        delta = delta / model.gap_scale_
        if time_feature is not None:
            z_read[:, time_feature] = last[:, time_feature] = np.log(1 + delta[:, time_feature])
        m = (~np.isnan(z_read)).astype(float)
        x_t = np.nan_to_num(z_read)
        if not model.has_missing_:
            inputs = last
        elif model.missing == "indicator":
            inputs = np.hstack([m * x_t, m, np.log(1 + delta)])
        else:
            own = slice(i * n_features, (i + 1) * n_features)
            w, b = p["inputs.decay_weights"][own], p["inputs.decay_bias"][own]
            gamma = np.exp(-np.maximum(0, w * delta + b))
            inputs = np.hstack([m * x_t + (1 - m) * gamma * last, m])
        y.append(inputs)
        gaps.append(delta)
    y_of_layer = None
    for layer in range(n_layers):
        outputs = []
        for i, delta in enumerate(gaps):
            order = slice(None, None, -1 if i else 1)
            inputs = y[i] if layer == 0 else y_of_layer[order]
            prefix = f"hidden_{layer}.reverse_" if i else f"hidden_{layer}."
            outputs.append(gru_with_decay(p, prefix, inputs, delta)[order])
        y_of_layer = np.hstack(outputs)
    H = model.hidden_layer_sizes[-1]
    read = np.zeros(y_of_layer.shape[1])
    if len(x):
        read = np.concatenate([y_of_layer[-1, :H], y_of_layer[0, H:]])
    raw = read @ p["head.weights"] + p["head.bias"]
    return np.exp(raw) / np.exp(raw).sum()


def stamped(X, seed=3):
    """Return the sequences with a feature in the middle that holds irregular time stamps."""
    rng = np.random.default_rng(seed)
    return [np.insert(x, 1, np.cumsum(rng.choice([0, 0.5, 1, 7], len(x))), axis=1) for x in X]


@pytest.mark.parametrize("scaling", ["standard", "robust"])
@pytest.mark.parametrize("time_feature", [None, 1])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("has_missing", [True, False])
def test_decay_is_the_documented_recurrence(has_missing, bidirectional, time_feature, scaling):
    X = ragged_with_holes()[0] if has_missing else ragged(n_features=2)[0]
    X = X if time_feature is None else stamped(X)
    model = small(
        GRUClassifier,
        hidden_layer_sizes=(4, 3),
        dtype="float64",
        bidirectional=bidirectional,
        time_feature=time_feature,
        scaling=scaling,
    ).fit(X, np.arange(len(X)) % 3)
    rng = np.random.default_rng(0)
    for array in model.parameters_.values():
        array[...] = rng.normal(size=array.shape)
    assert ("hidden_1.decay_weights" in model.parameters_) == (
        has_missing or time_feature is not None
    )
    holed = with_holes(X, 0.5, seed=9)
    if time_feature is not None:
        for x, given in zip(X, holed, strict=True):
            given[:, time_feature] = x[:, time_feature]
    to_predict = [*X, X[0][:0]]
    if has_missing or time_feature is not None:
        to_predict += holed
    expected = [documented_probabilities(model, x, time_feature) for x in to_predict]
    assert np.ptp(expected, axis=0).max() > 0.1
    assert_allclose(model.predict_proba(to_predict), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("time_feature", [None, 1])
@pytest.mark.parametrize("has_missing", [True, False])
def test_indicators_are_the_documented_inputs(has_missing, time_feature):
    X = ragged_with_holes()[0] if has_missing else ragged(n_features=2)[0]
    X = X if time_feature is None else stamped(X)
    model = small(
        GRUClassifier,
        hidden_layer_sizes=(4,),
        dtype="float64",
        missing="indicator",
        time_feature=time_feature,
    ).fit(X, np.arange(len(X)) % 3)
    rng = np.random.default_rng(0)
    for array in model.parameters_.values():
        array[...] = rng.normal(size=array.shape)
    assert not any("decay" in name for name in model.parameters_)
    expected = [documented_probabilities(model, x, time_feature) for x in X]
    assert_allclose(model.predict_proba(X), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("time_feature", [None, 1])
def test_the_unit_of_time_is_the_mean_over_all_steps(time_feature):
    X, y = ragged_with_holes()
    X = X if time_feature is None else stamped(X)
    deltas = []
    for x in X:
        stamps = np.arange(len(x)) if time_feature is None else x[:, time_feature]
        deltas.append(delta_and_last(x, stamps)[0])
    model = small(GRUClassifier, time_feature=time_feature).fit(X, y)
    assert_allclose(model.gap_scale_, np.concatenate(deltas).mean(axis=0), rtol=1e-12)
