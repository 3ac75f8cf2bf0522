"""What stands inside of other estimators: in a search, or at the end of a pipeline."""

from sklearn.pipeline import Pipeline


def unwrap(estimator):
    """Return the estimator inside of fitted searches and of pipelines, however deep it lies."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator
