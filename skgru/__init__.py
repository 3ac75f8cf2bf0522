"""Gated recurrent networks for scikit-learn users, on NumPy, SciPy and scikit-learn alone."""

from skgru._classifier import GRUClassifier
from skgru._regressor import GRURegressor
from skgru.alignment import SequenceAligner
from skgru.per_timestep import PerTimestep
from skgru.text import SequenceVectorizer
from skgru.windows import make_windows

__version__ = "0.1.0"
__all__ = [
    "GRUClassifier",
    "GRURegressor",
    "PerTimestep",
    "SequenceAligner",
    "SequenceVectorizer",
    "make_windows",
]
