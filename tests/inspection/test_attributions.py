"""Attributions, held against predictions: sums, values put back, differences, a plain path."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru.inspection import attributions
from tests.inspection.samples import regressor, sequences

# What a network may be: each option of it is in one of these.
NETWORKS = {
    "last": {"pooling": "last", "bidirectional": False},
    "reset after, both directions": {"reset_after": True, "pooling": "attention"},
    "lstm, max": {"cell": "lstm", "pooling": "max"},
    "rnn, two layers": {"cell": "rnn", "hidden_layer_sizes": (4, 3), "pooling": "mean"},
    "gate, poolings": {"output_gate": True, "pooling": ("last", "attention", "max")},
    "patches": {"patch_size": 2, "pooling": "mean"},
    "robust": {"scaling": "robust", "bptt_steps": 2, "pooling": "last", "bidirectional": False},
    "unscaled": {"scaling": None},
    "two clocks": {"time_feature": 0, "pooling": "mean"},
    "clock, indicator": {"time_feature": 0, "missing": "indicator"},
}
HOLES = {
    "decay": {"pooling": "last", "bidirectional": False},
    "decay, both directions, patches": {"patch_size": 2, "pooling": "mean"},
    "indicator": {"missing": "indicator"},
    "indicator, patches, robust": {"missing": "indicator", "patch_size": 2, "scaling": "robust"},
    "decay, clock": {"time_feature": 0},
    "decay, unscaled": {"scaling": None, "cell": "lstm", "bidirectional": True},
}


def from_baseline(estimator, x, share=0.0):
    """Return a sample, moved on the line from its baseline."""
    start = np.broadcast_to(estimator.feature_mean_, x.shape).copy()
    if estimator.scaling is None:
        start[...] = estimator._fitted_model().inputs[""].fill
    start[np.isnan(x)] = np.nan
    if estimator.time_feature is not None:
        start[:, estimator.time_feature] = x[:, estimator.time_feature]
    return start + share * (x - start)


def without(x, index, value):
    """Return a copy of a sample with another value in one place."""
    other = x.copy()
    other[index] = value
    return other


def slopes(output, samples, is_kept):
    """Return central differences of the output by each value of the samples, (n, T, D)."""
    places = list(np.ndindex(samples[0].shape))
    step = 1e-4
    moved = [
        without(x, index, x[index] + sign * step)
        for x in samples
        for index in places
        for sign in (1, -1)
    ]
    high, low = output(moved).reshape(-1, 2).T
    found = ((high - low) / (2 * step)).reshape(len(samples), *samples[0].shape)
    return np.where(is_kept, 0, found)


def check(estimator, X, output, *, is_straight=True, **how):
    """Hold the attributions of X, by all methods, against the outputs for lists of samples."""
    integrated = attributions(estimator, X, tol=1e-3, **how)
    occluded = attributions(estimator, X, method="occlusion", **how)
    derived = attributions(estimator, X, method="gradient", **how)
    alone = attributions(estimator, X, tol=1e-3, batch_size=1, **how)
    assert_allclose(np.concatenate(alone), np.concatenate(integrated), atol=1e-9)
    for x, parts, changes, derivative in zip(X, integrated, occluded, derived, strict=True):
        assert parts.shape == changes.shape == derivative.shape == x.shape
        start = from_baseline(estimator, x)
        at_start, at_end = output([start, x])
        assert_allclose(parts.sum(), at_end - at_start, rtol=2e-3, atol=1e-3)
        is_kept = np.isnan(x)
        if estimator.time_feature is not None:
            is_kept[:, estimator.time_feature] = True
        others = output([without(x, i, start[i]) for i in np.ndindex(x.shape)])
        expected = np.where(is_kept, 0, at_end - others.reshape(x.shape))
        assert_allclose(changes, expected, atol=1e-9)
        (expected,) = slopes(output, [x], is_kept)
        assert_allclose(derivative, expected, rtol=1e-4, atol=1e-6)
        if is_straight:  # also in the units of X
            shares = (np.arange(60) + 0.5) / 60
            path = [from_baseline(estimator, x, share) for share in shares]
            mean = slopes(output, path, is_kept).mean(axis=0)
            expected = np.where(is_kept, 0, mean * (x - start))
            scale = max(0.1, np.abs(expected).max(initial=0))
            assert_allclose(parts, expected, atol=0.02 * scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_attributions_are_what_predictions_say(name):
    how = NETWORKS[name]
    X = sequences(clock="time_feature" in how)
    estimator = regressor(X, **how)
    check(
        estimator,
        X[2:5],
        estimator.predict,
        is_straight="robust" not in name,
    )


@pytest.mark.parametrize("name", HOLES)
def test_missing_values_count_toward_those_last_seen(name):
    how = HOLES[name]
    X = sequences(holes=True, clock="time_feature" in how)
    estimator = regressor(X, **how)
    check(
        estimator,
        X[2:5],
        estimator.predict,
        is_straight="robust" not in name,
    )


@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_values_may_be_missing_though_none_was_in_training(missing):
    estimator = regressor(sequences(), missing=missing)
    X = sequences(holes=True)[2:5]
    check(estimator, X, estimator.predict)
