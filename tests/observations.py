"""Sequences with missing values, and plain loops over what was last seen of them."""

import numpy as np
from hypothesis import strategies as st

from skgru._data.sequences import Sequences, offsets_of


@st.composite
def observations(draw):
    """Return sequences with missing values, and times of their steps that do not decrease."""
    lengths = draw(st.lists(st.integers(0, 6), max_size=5))
    n_features = draw(st.integers(1, 3))
    share = draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.normal(size=(sum(lengths), n_features))
    values[rng.random(values.shape) < share] = np.nan
    # Quarters: sums and differences are exact, and some are zero.
    steps = [rng.integers(0, 4, length) / 4 for length in lengths]
    times = np.concatenate([np.zeros(0), *[rng.integers(-99, 99) + s.cumsum() for s in steps]])
    return Sequences(values, offsets_of(lengths)), times


def each(sequences, times):
    for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
        yield sequences.values[start:stop], times[start:stop]
