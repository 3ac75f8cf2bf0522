"""Networks of all forms with random parameters, and sequences for them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st

from skgru._nn.batch import Batch
from skgru._nn.parameters import Parameters, size_of
from tests import kinds, naive
from tests.kinds import cells_of
from tests.passes import make_network

D, K, V = 3, 2, 6
WIDTHS = (3, 4, 2)  # of the first, second and third hidden layer
RAGGED = [5, 3, 3, 1, 0]

ALL_POOLINGS = ["last", "mean", "max", "attention", ("last", "mean", "max"), ("attention", "last")]
# What a test goes through on its own: pooling, None for outputs at every step, and tokens.
VARIANTS = list(product([*ALL_POOLINGS, None], [False, True]))

KINDS_AND_MIXED = pytest.mark.parametrize("kind", [*kinds.FORMS, "mixed"])
GATES = pytest.mark.parametrize("output_gate", [False, True], ids=["open", "gate"])
DIRECTIONS = pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
DEPTHS = pytest.mark.parametrize("depth", [1, 2, 3])
POOLINGS = pytest.mark.parametrize("pooling", ALL_POOLINGS, ids=str)
INPUTS = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
LENGTHS = pytest.mark.parametrize("lengths", [RAGGED, [3, 3, 3], [0, 0]], ids=str)
FORMS = {
    "kind": st.sampled_from([*kinds.FORMS, "mixed"]),
    "output_gate": st.booleans(),
    "bidirectional": st.booleans(),
    "pooling": st.sampled_from(ALL_POOLINGS),
    "tokens": st.booleans(),
    "depth": st.integers(1, 2),
}


def build(*, kind="gru", depth=2, tokens=False, n_outputs=K, **form):
    n_tokens = V if tokens else None
    return make_network(
        D, WIDTHS[:depth], n_outputs, n_tokens=n_tokens, **cells_of(kind, depth), **form
    )


def random_vector(shapes, rng):
    return Parameters(shapes, rng.normal(0, 0.7, size_of(shapes)))


def unwritten_vector(shapes):
    """Return a place for gradients in which no number is missing unnoticed."""
    return Parameters(shapes, np.full(size_of(shapes), np.nan))


def random_sequences(lengths, tokens, rng):
    if tokens:
        return [rng.randint(V, size=n) for n in lengths]
    return [rng.normal(size=(n, D)) for n in lengths]


def problem(lengths, *, tokens=False, seed=0, **form):
    """Return a network, random parameters, sequences, their rows and layout."""
    rng = np.random.RandomState(seed)
    network = build(tokens=tokens, **form)
    p = random_vector(network.shapes, rng)
    sequences = random_sequences(lengths, tokens, rng)
    return network, p, sequences, naive.pack(sequences), Batch(np.array(lengths))
