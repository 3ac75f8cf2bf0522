"""The place that models of version 0.1.0 name: `classifier` has the class."""

from skgru.classifier import GRUClassifier as GRUClassifier
