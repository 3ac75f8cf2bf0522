"""An estimator for each loss of the table, with targets that the loss takes."""

from skgru import GRUClassifier, GRURegressor
from skgru._engine.losses import LOSSES
from tests.datasets import small


def estimator_of(loss, **parameters):
    """Return a small estimator that trains for the loss of that name; y may be 0 and 1 for all."""
    if LOSSES[loss].has_classes:
        return small(GRUClassifier, **parameters)
    return small(GRURegressor, loss=loss, **parameters)
