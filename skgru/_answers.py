"""Predictions as values of JSON."""

from typing import Any

import numpy as np

from skgru._base import BaseNetwork
from skgru._classification import NetworkClassifier
from skgru._unwrapping import unwrap


class Answers:
    """What a fitted estimator can answer about samples.

    Parameters
    ----------
    estimator : object
        Fitted.

    Attributes
    ----------
    names : list of str
        Of the outputs: "predictions", and where the estimator has them "probabilities", "std".
    described : dict
        What they consist of: the classes, the quantiles.
    """

    def __init__(self, estimator):
        self._estimator = estimator
        network = unwrap(estimator)
        model = network._fitted_model() if isinstance(network, BaseNetwork) else None
        loss = model and model.loss
        self._has_std = getattr(loss, "has_std", False)
        # The likeliest class is what such a network predicts: it is asked once for both.
        self._is_likeliest = (
            isinstance(network, NetworkClassifier)
            and type(network).predict is NetworkClassifier.predict
            and not (loss.is_multilabel or loss.has_chain or model.per_step)
        )
        has_probabilities = hasattr(estimator, "predict_proba")
        self.names = [
            "predictions",
            *(["probabilities"] if has_probabilities else []),
            *(["std"] if self._has_std else []),
        ]
        self.described = {}
        if has_probabilities:
            self.described["classes"] = to_json(estimator.classes_)
        if getattr(loss, "n_raw", 1) > 1 and not self._has_std:
            self.described["quantiles"] = list(loss.quantiles)

    def of(self, X, outputs):
        """Return some outputs for X by their names.

        Parameters
        ----------
        X : array-like
        outputs : collection of str
            Some of `names`.
        """
        found = {}
        if "probabilities" in outputs:
            found["probabilities"] = self._estimator.predict_proba(X)
        if "std" in outputs:
            found["predictions"], found["std"] = self._estimator.predict(X, return_std=True)
        elif "predictions" in outputs and "probabilities" in outputs and self._is_likeliest:
            likeliest = found["probabilities"].argmax(axis=1)
            found["predictions"] = self._estimator.classes_[likeliest]
        elif "predictions" in outputs:
            found["predictions"] = self._estimator.predict(X)
        return {name: to_json(found[name]) for name in self.names if name in outputs}


def to_json(values: Any) -> Any:
    """Return predictions or labels as lists, numbers, truth values and strings."""
    if isinstance(values, list | tuple):
        return [to_json(value) for value in values]
    if isinstance(values, np.ndarray | np.generic):
        plain = values.dtype.kind in "biufU"
        return values.tolist() if plain else to_json(values.tolist())
    return values if isinstance(values, str | int | float | None) else str(values)
