"""Gated recurrent networks for scikit-learn users, on NumPy, SciPy and scikit-learn alone."""

from skgru._classifier import GRUClassifier
from skgru._regressor import GRURegressor
from skgru.text import SequenceVectorizer

__version__ = "0.1.0"
__all__ = ["GRUClassifier", "GRURegressor", "SequenceVectorizer"]
