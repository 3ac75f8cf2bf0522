"""What stands inside of other estimators: in a search, or at the end of a pipeline."""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgru._base import BaseNetwork


def best_of(estimator: Any) -> Any:
    """Return the best estimator of a fitted search; any other estimator is returned itself."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def unwrap(estimator: Any) -> Any:
    """Return the estimator inside of a fitted search, a pipeline, or both."""
    estimator, _ = _taken_apart(estimator)
    return estimator


def steps_of(transformer: Any) -> list[Any]:
    """Return the transformers that a transformer consists of, in their order."""
    if not isinstance(transformer, Pipeline):
        return [] if transformer is None or isinstance(transformer, str) else [transformer]
    return [part for _, step in transformer.steps for part in steps_of(step)]


def network_and_transformers(estimator: Any) -> tuple[BaseNetwork, list[Any]]:
    """Return the fitted network inside of an estimator, and the transformers before it in order.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If it is no network.
    """
    network, transformers = _taken_apart(estimator)
    if not isinstance(network, BaseNetwork):
        _refuse(network)
    check_is_fitted(network)
    return network, transformers


def said_type(estimator: Any) -> str:
    """Return what an estimator is that is not the one expected."""
    name = type(estimator).__name__
    is_search = hasattr(estimator, "refit") and hasattr(estimator, "scoring")
    return f"{name} that is not fitted, or with refit=False" if is_search else name


def network_and_inputs(estimator: Any, X: Any = None) -> tuple[BaseNetwork, Any]:
    """Return the fitted network inside of an estimator, and X as it reads it, if there is one.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If it is no network.
    """
    network, transformers = network_and_transformers(estimator)
    return network, X if X is None else transformed(X, transformers)


def transformed(X: Any, transformers: list[Any]) -> Any:
    """Return X after the transformers, one after the other."""
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def _taken_apart(estimator: Any) -> tuple[Any, list[Any]]:
    """Return the estimator inside of searches and pipelines, and the transformers before it."""
    estimator = best_of(estimator)
    if not isinstance(estimator, Pipeline):
        return estimator, []
    *before, (_, last) = estimator.steps
    inside, transformers = _taken_apart(last)
    return inside, [*(part for _, step in before for part in steps_of(step)), *transformers]


def _refuse(estimator: Any) -> NoReturn:
    """Say that this is no network, and where there may be one.

    Raises
    ------
    NotFittedError
        If it is a search that has not been fitted.
    TypeError
        If it is anything else.
    """
    got, hint = type(estimator).__name__, ""
    if isinstance(estimator, type):
        got = f"the class {estimator.__name__}"
        hint = " Make an object of it, and fit that."
    elif isinstance(estimator, str):
        got = repr(estimator)
    elif hasattr(estimator, "refit"):
        if not hasattr(estimator, "cv_results_"):
            raise NotFittedError(
                f"This {got} instance is not fitted yet: call fit, then its best estimator is "
                "taken."
            )
        hint = " It has no best estimator: fit it with refit=True."
    elif hasattr(estimator, "networks_"):
        hint = " Its networks are in networks_, take one of them."
    raise TypeError(
        "Expected a GRUClassifier, GRURegressor, MultimodalGRUClassifier or "
        "MultimodalGRURegressor, a Pipeline that ends with one, or a fitted search for one, "
        f"got {got}.{hint}"
    )
