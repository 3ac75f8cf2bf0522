"""Models that a version with another form of the fitted state has saved: refused, not misread."""

import importlib
import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skgru import GRUClassifier, GRURegressor
from skgru._estimator import InconsistentVersionWarning
from tests.datasets import ESTIMATORS, ragged, small


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_state_of_another_form_counts_as_not_fitted(estimator_class):
    X, y = ragged()
    model = small(estimator_class, alpha=0.5).set_output(transform="default").fit(X, y)
    state = model.__getstate__() | {"_skgru_version": "0.1.0", "_theta": np.zeros(3)}
    del state["_state"]
    loaded = estimator_class.__new__(estimator_class)
    with pytest.warns(InconsistentVersionWarning, match="from version 0.1.0"):
        loaded.__setstate__(state)
    assert loaded.get_params() == model.get_params()
    assert loaded._sklearn_output_config == model._sklearn_output_config
    with pytest.raises(NotFittedError):
        loaded.predict(X)
    fitted = [name for name in vars(loaded) if name.endswith("_") and not name.startswith("_")]
    assert fitted == []
    check_is_fitted(loaded.fit(X, y))


@pytest.mark.parametrize(
    ("module", "estimator_class"),
    [("_classifier", GRUClassifier), ("_regressor", GRURegressor)],
)
def test_the_places_that_older_models_name_are_found(module, estimator_class):
    found = importlib.import_module(f"skgru.{module}")
    assert getattr(found, estimator_class.__name__) is estimator_class
    name = f"cskgru.{module}\n{estimator_class.__name__}\n.".encode()
    assert pickle.loads(name) is estimator_class
