"""Sequences of which values are missing, and what tests of them share."""

import numpy as np
import pytest

from tests.datasets import ESTIMATORS, output, ragged

MISSING = pytest.mark.parametrize("missing", ["decay", "indicator"])
SCALINGS = pytest.mark.parametrize("scaling", ["standard", "robust", None])
ALL_ESTIMATORS = pytest.mark.parametrize("estimator_class", ESTIMATORS)


def with_holes(X, share=0.3, seed=1):
    """Return sequences of which some values are missing, but none in the last step."""
    rng = np.random.default_rng(seed)
    holes = [rng.random(x.shape) < share for x in X]
    for h in holes:
        h[-1:] = False
    holed = [np.where(h, np.nan, x) for h, x in zip(holes, X, strict=True)]
    return np.array(holed) if isinstance(X, np.ndarray) else holed


def ragged_with_holes(n=24, n_features=2, **options):
    X, y = ragged(n=n, n_features=n_features, **options)
    return with_holes(X), y


def copies_of(X):
    return [x.copy() for x in X]


def assert_finite(model, X):
    assert np.isfinite(model.loss_curve_).all()
    assert all(np.isfinite(array).all() for array in model.parameters_.values())
    assert np.isfinite(output(model, X)).all()
