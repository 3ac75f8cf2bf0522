"""Callbacks of scikit-learn that keep what a training comes to."""
