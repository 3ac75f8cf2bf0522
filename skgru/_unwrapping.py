"""What stands inside of other estimators: in a search, or at the end of a pipeline."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgru._base import BaseNetwork


def best_of(estimator):
    """Return the best estimator of a fitted search; any other estimator is returned itself."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def unwrap(estimator):
    """Return the estimator inside of a fitted search, a pipeline, or both."""
    estimator = best_of(estimator)
    return unwrap(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator


def said_type(estimator):
    """Return what an estimator is that is not the one expected."""
    name = type(estimator).__name__
    is_search = hasattr(estimator, "refit") and hasattr(estimator, "scoring")
    return f"{name} that is not fitted, or with refit=False" if is_search else name


def network_and_inputs(estimator, X=None):
    """Return the fitted network inside of an estimator, and X as it reads it, if there is one.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If it is no network.
    """
    estimator = best_of(estimator)
    network = unwrap(estimator)
    if not isinstance(network, BaseNetwork):
        raise TypeError(
            "Expected a GRUClassifier, GRURegressor, MultimodalGRUClassifier or "
            "MultimodalGRURegressor, a Pipeline that ends with one, or a fitted search for one, "
            f"got {said_type(network)}."
        )
    check_is_fitted(network)
    while X is not None and isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = best_of(estimator.steps[-1][1])
    return network, X
