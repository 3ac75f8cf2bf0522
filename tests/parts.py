"""Numbers for single parts of a network: random parameters, and a place for their gradients."""

import numpy as np


def random_parameters(part, rng, scale=1.0):
    return {name: rng.normal(0, scale, shape) for name, shape in part.shapes().items()}


def unwritten(part, dtype=np.float64):
    """Return a place for gradients in which no number is missing unnoticed."""
    return {name: np.full(shape, np.nan, dtype) for name, shape in part.shapes().items()}
