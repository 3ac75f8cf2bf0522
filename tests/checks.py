"""scikit-learn's own checks of estimators: how they are run and named."""

from functools import partial
from unittest import SkipTest

import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
)

MLPS = {
    GRUClassifier: MLPClassifier,
    GRURegressor: MLPRegressor,
    MultimodalGRUClassifier: MLPClassifier,
    MultimodalGRURegressor: MLPRegressor,
}


def name_of(check):
    return check.func.__name__


def id_of(value):
    if not isinstance(value, partial):
        return repr(value)
    arguments = ",".join(f"{key}={setting}" for key, setting in value.keywords.items())
    return f"{name_of(value)}({arguments})"


def run_check(estimator, check):
    """Run a check; if it says that it cannot, it has to say so of the multi-layer perceptron."""
    try:
        check(estimator)
    except SkipTest:
        mlp_class = MLPS[type(estimator)]
        with pytest.raises(SkipTest):
            check.func(mlp_class.__name__, mlp_class(), **check.keywords)
