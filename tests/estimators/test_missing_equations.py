"""The treatment of missing values against the documented equations, in plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru import GRUClassifier
from tests import naive
from tests.datasets import ragged, small
from tests.holes import ragged_with_holes, with_holes


def documented_probabilities(model, x, time_feature=None):
    """Return the probabilities of the classes for one sequence, as docs/network.md has them."""
    p = model.parameters_
    z = (x - model.feature_mean_) / model.feature_scale_
    if model.scaling == "robust":
        z = z / np.sqrt(1 + (z / 3) ** 2)
    stamps = np.arange(len(x)) if time_feature is None else x[:, time_feature]
    seen = naive.seen_by_each(z, stamps, bidirectional=model.bidirectional)
    seen = [(mask, values, delta / model.gap_scale_) for mask, values, delta in seen]
    if time_feature is not None:
        for _, values, delta in seen:
            values[:, time_feature] = np.log(1 + delta[:, time_feature])
    if model.missing == "indicator":
        ((mask, inputs, delta),) = seen
        if model.has_missing_:
            inputs = np.hstack([mask * inputs, mask, np.log(1 + delta)])
        gaps = None
    else:
        inputs, gaps = naive.observed_inputs(p, seen, reads_mask=model.has_missing_)
        gaps = gaps if "hidden_0.decay_weights" in p else None
    cells = ("gru",) * len(model.hidden_layer_sizes)
    y, _ = naive.stack(p, inputs, cells=cells, gaps=gaps, bidirectional=model.bidirectional)
    raw = naive.head(p, y, pooling="last", bidirectional=model.bidirectional)
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
        deltas.append(naive.seen(x, stamps)[2])
    model = small(GRUClassifier, time_feature=time_feature).fit(X, y)
    assert_allclose(model.gap_scale_, np.concatenate(deltas).mean(axis=0), rtol=1e-12)
