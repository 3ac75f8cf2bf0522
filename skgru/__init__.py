"""Gated recurrent networks for scikit-learn users, on NumPy, SciPy and scikit-learn alone."""

from skgru._version import __version__ as __version__
from skgru.alignment import SequenceAligner
from skgru.classifier import GRUClassifier
from skgru.per_timestep import PerTimestep
from skgru.regressor import GRURegressor
from skgru.text import SequenceVectorizer
from skgru.windows import make_windows

__all__ = [
    "GRUClassifier",
    "GRURegressor",
    "PerTimestep",
    "SequenceAligner",
    "SequenceVectorizer",
    "make_windows",
]
