"""The parameters of an estimator as numbers of Python, in whatever type they were given."""

import numpy as np


class PlainParameters:
    """A view of an estimator: its attributes, of which NumPy's scalars are Python's.

    A parameter search hands over numbers of NumPy. Calculating with them, small integers overflow,
    and numbers in single precision round others.

    Parameters
    ----------
    estimator : estimator
    """

    def __init__(self, estimator):
        self._estimator = estimator

    def __getattr__(self, name):
        return plain(getattr(self._estimator, name))


def plain(value):
    """Return a number, a truth or a string of NumPy as Python's, all else as it is."""
    if isinstance(value, np.floating):
        return float(value)
    # A timedelta64 is an integer for NumPy, too.
    is_plain = not isinstance(value, np.generic) or value.dtype.kind not in "biuU"
    return value if is_plain else value.item()
