"""Cells with random parameters, and sequences, states and gradients for them."""

import numpy as np
import pytest

from tests.kinds import FORMS, make_cell, naive_cell
from tests.parts import random_parameters

D, H = 3, 4
CELLS = {kind: make_cell(kind, D, H) for kind in FORMS}
NAIVE = {kind: naive_cell(kind) for kind in FORMS}
LENGTHS = pytest.mark.parametrize(
    "lengths",
    [[5, 3, 3, 1, 0, 0], [4, 4, 4], [1], [0, 0], [2, 0], [6, 5, 4, 3, 2, 1]],
    ids=lambda lengths: "-".join(map(str, lengths)),
)
INITIALS = pytest.mark.parametrize("with_initial", [False, True], ids=["zero", "initial"])


def random_sequences(lengths, rng):
    return [rng.normal(size=(n, D)) for n in lengths]


def problem(lengths, *, kind, with_initial=True, seed=0):
    """Return a cell with random parameters, and sequences and initial states for it."""
    rng = np.random.RandomState(seed)
    cell = CELLS[kind]
    p = random_parameters(cell, rng, 0.8)
    sequences = random_sequences(lengths, rng)
    initial = rng.normal(size=(len(lengths), cell.n_states)) if with_initial else None
    return cell, p, sequences, initial


def random_upstream(batch, rng):
    return rng.normal(size=(batch.n_rows, H)), rng.normal(size=(batch.n_sequences, H))


def decay_problem(lengths, *, kind, masked=False, with_initial=True, seed=0):
    """Return a problem's cell, parameters, sequences, and further arguments with a decay."""
    cell, p, sequences, initial = problem(lengths, kind=kind, with_initial=with_initial, seed=seed)
    rng = np.random.RandomState(seed + 2)
    decay = rng.uniform(0.1, 1, size=(sum(lengths), H))
    mask = rng.choice([0.0, 1.5], size=(len(lengths), H)) if masked else None
    return cell, p, sequences, {"initial": initial, "mask": mask, "decay": decay}
