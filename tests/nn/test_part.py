"""The contract of the network's parts, kept by each of them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._nn.chain import Chain
from skgru._nn.feedforward import Wide
from skgru._nn.fusion import Absence, Gate
from skgru._nn.layers import Dense, Embedding, Numbers, OutputGate, Rectified
from skgru._nn.missing import ObservedInputs, StateDecay
from skgru._nn.part import InputPart, Part
from skgru._nn.recurrent import Bidirectional, HiddenLayer
from skgru._nn.rows import Categories, SparseRows
from tests.kinds import FORMS, make_cell
from tests.parts import random_parameters, unwritten

PARTS = {
    "numbers": Numbers(3),
    "embedding": Embedding(5, 3),
    "observed inputs": ObservedInputs(3, patch_size=2, n_directions=2, reads_mask=True),
    "state decay": StateDecay(3, 4),
    "output gate": OutputGate(3, 4),
    "dense": Dense(3, 2),
    "rectified": Rectified(3, 2),
    "categories": Categories(2, [(3, None), (4, 2)]),
    "sparse rows": SparseRows(3),
    "wide": Wide(3, 2),
    "absence": Absence(3),
    "gate": Gate(3, 2),
    "chain": Chain(3),
} | {kind: make_cell(kind, 3, 4) for kind in FORMS}
PARTS |= {
    f"layer of {kind}": HiddenLayer(make_cell(kind, 3, 4), output_gate=False, n_gaps=2)
    for kind in FORMS
}
PARTS["both directions"] = Bidirectional(
    *(HiddenLayer(make_cell("lstm", 3, 4), output_gate=False, n_gaps=None) for _ in range(2)),
    own_inputs=False,
)
EACH = pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))


class Nothing(Part):
    """The smallest part: it says no more than it has to."""

    def forward(self, p, x, run):
        return x, None

    def backward(self, p, dy, cache, g, run):
        return dy


def test_a_part_has_no_parameters_and_starts_them_at_zero_unless_it_says_so():
    assert Nothing().shapes() == {}
    p = {"weights": np.full((2, 3), np.nan), "bias": np.full(3, np.nan)}
    Nothing().initialize(p, np.random.RandomState(0))
    for array in p.values():
        assert_array_equal(array, 0)


@pytest.mark.parametrize("left_out", ["forward", "backward"])
def test_a_part_has_both_passes(left_out):
    passes = {name: getattr(Nothing, name) for name in ("forward", "backward")}
    del passes[left_out]
    with pytest.raises(TypeError, match=left_out):
        type("Half", (Part,), passes)()


@EACH
def test_start_values_fill_all_arrays_and_hang_on_the_random_state_alone(part):
    first, second = unwritten(part), random_parameters(part, np.random.RandomState(1))
    for p in (first, second):
        part.initialize(p, np.random.RandomState(0))
    for name in part.shapes():
        assert np.isfinite(first[name]).all()
        assert_array_equal(first[name], second[name], err_msg=name)


@EACH
def test_a_part_holds_no_numbers_of_its_own(part):
    """Its parameters are handed to it: so one part serves many vectors of them."""
    part.initialize(unwritten(part), np.random.RandomState(0))
    assert not any(isinstance(value, np.ndarray) for value in vars(part).values())


@EACH
def test_an_input_part_says_what_the_stack_reads(part):
    if isinstance(part, InputPart):
        assert part.n_outputs > 0
        assert part.numbers_per_step >= part.n_outputs or isinstance(part, SparseRows)
        assert (part.n_gaps is None) == (not isinstance(part, ObservedInputs))
