"""Series, for the tests of make_windows."""

import numpy as np
import pandas as pd

DAYS = pd.date_range("2024-01-01", periods=20, freq="D")


def numbered(n_steps, n_features=1, start=0):
    """A series whose values tell their place: step · 10 + feature."""
    return np.add.outer(np.arange(start, start + n_steps) * 10.0, np.arange(n_features))
