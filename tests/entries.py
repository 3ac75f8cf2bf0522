"""Every method of the estimators that reads X, y or weights."""

import copy

import numpy as np
from numpy.testing import assert_array_equal

from skgru import GRUClassifier
from tests.containers import (
    VALUES,
    WITH_MISSING,
    Y,
)
from tests.datasets import (
    ESTIMATORS,
    output,
    small,
)


def answers(X, y, w=None, estimator_class=GRUClassifier, **parameters):
    """Return what every entry makes of X, y and weights."""
    one, others = small(estimator_class, **parameters), small(estimator_class, **parameters)
    fitted = one.set_params(max_iter=1).fit(X, y, w, X_val=X, y_val=y, sample_weight_val=w)
    more = others.set_params(learning_rate="constant")
    first = {"classes": np.unique(Y)} if estimator_class is GRUClassifier else {}
    more.partial_fit(X, y, w, **first).partial_fit(X, y, w)
    return [
        *fitted.parameters_.values(),
        *more.parameters_.values(),
        fitted.validation_scores_,
        fitted.score(X, y, w),
        fitted.predict(X),
        output(fitted, X),
        fitted.transform(X),
        *fitted.transform_steps(X),
    ]


def assert_same_answers(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b, strict=True)


PLAIN = [np.array(v)[:, None] for v in VALUES[:3]]
FITTED = {name: None for name in ESTIMATORS}


def fitted(estimator_class):
    if FITTED[estimator_class] is None:
        FITTED[estimator_class] = small(estimator_class).fit(PLAIN, Y[:3])
    return FITTED[estimator_class]


X_ENTRIES = {
    "fit": lambda c, X: small(c).fit(X, Y[:3]),
    "partial_fit": lambda c, X: small(c).partial_fit(
        X, Y[:3], **({"classes": [0, 1]} if c is GRUClassifier else {})
    ),
    "continued": lambda c, X: (
        copy.deepcopy(fitted(c)).set_params(learning_rate="constant").partial_fit(X, Y[:3])
    ),
    "X_val": lambda c, X: small(c).fit(PLAIN, Y[:3], X_val=X, y_val=Y[:3]),
    "predict": lambda c, X: fitted(c).predict(X),
    "score": lambda c, X: fitted(c).score(X, Y[:3]),
    "transform": lambda c, X: fitted(c).transform(X),
    "transform_steps": lambda c, X: fitted(c).transform_steps(X),
}


MISSING_TARGETS = {
    name: make
    for name, make in WITH_MISSING.items()
    if not any(word in name for word in ("frame", "table", "column", "steps", "lists"))
}
SCORING = [[1.0, 2.0], [3.0], [1.0], [2.0, 2.0]]
ENTRIES_OF_Y = {
    "fit": lambda c, y: small(c).fit(SCORING, y),
    "partial_fit": lambda c, y: small(c).partial_fit(
        SCORING, y, **({"classes": [0, 1]} if c is GRUClassifier else {})
    ),
    "y_val": lambda c, y: small(c).fit(SCORING, Y, X_val=SCORING, y_val=y),
    "score": lambda c, y: fitted(c).score(SCORING, y),
}
