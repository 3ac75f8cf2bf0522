"""All cells that there are, in each of their forms: a new one takes part in the tests by itself."""

from functools import partial

import pytest

from skgru._nn.recurrent import CELLS
from tests import naive

NAMES = list(CELLS)

# By a name for it: the cell's, and the options that are on
FORMS = {name: (name, {}) for name in NAMES} | {
    f"{name}-{option}": (name, {option: True})
    for name, cell in CELLS.items()
    for option in cell.options
}

KINDS = pytest.mark.parametrize("kind", list(FORMS))
CELL_NAMES = pytest.mark.parametrize("cell", NAMES)
GRU_KINDS = [kind for kind, (name, _) in FORMS.items() if name == "gru"]


def make_cell(kind, n_inputs, n_units):
    """Return the cell of that form."""
    name, options = FORMS[kind]
    return CELLS[name](n_inputs, n_units, **options)


def naive_cell(kind):
    """Return the naive equations of that form: the states for p, x and the state before."""
    name, options = FORMS[kind]
    return partial(naive.cell(name).states, **options)


def cells_of(kind, depth):
    """Return what networks and `naive.network` are told of the cells.

    A kind "mixed" has a layer of each cell, the second of the table at the bottom, and all options.
    """
    if kind == "mixed":
        options = {option: True for cell in CELLS.values() for option in cell.options}
        names = (NAMES[1:] + NAMES[:1]) * depth
        return {"cells": tuple(names[:depth]), **options}
    name, options = FORMS[kind]
    return {"cells": (name,) * depth, **options}
