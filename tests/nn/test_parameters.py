"""Named views into one flat vector."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._nn.parameters import Parameters, size_of

SHAPES = {"low.weights": (2, 3), "low.bias": (3,), "high.weights": (3, 1), "high.bias": (1,)}


def test_size_counts_the_numbers_of_all_arrays():
    assert size_of(SHAPES) == 6 + 3 + 3 + 1
    assert size_of({}) == 0
    assert size_of({"scalar": (), "nothing": (0, 4)}) == 1


def test_arrays_lie_in_the_vector_one_after_another_row_by_row():
    p = Parameters(SHAPES, np.arange(13.0))
    assert_array_equal(p["low.weights"], [[0, 1, 2], [3, 4, 5]])
    assert_array_equal(p["low.bias"], [6, 7, 8])
    assert_array_equal(p["high.weights"], [[9], [10], [11]])
    assert_array_equal(p["high.bias"], [12])


def test_writing_to_a_view_writes_to_the_vector_and_the_other_way_round():
    vector = np.zeros(13)
    p = Parameters(SHAPES, vector)
    assert p.vector is vector
    p["low.weights"][1, 2] = 5
    p.section("high")["weights"][...] = 7
    assert_array_equal(vector, [0, 0, 0, 0, 0, 5, 0, 0, 0, 7, 7, 7, 0])
    vector += 1
    assert_array_equal(p["low.bias"], 1)
    assert_array_equal(p.section("low")["bias"], 1)
    assert p["low.weights"][1, 2] == 6


def test_reads_as_a_mapping_in_the_order_of_the_shapes():
    p = Parameters(SHAPES, np.zeros(13))
    assert list(p) == list(SHAPES)
    assert len(p) == 4
    assert {name: array.shape for name, array in p.items()} == SHAPES
    assert "low.bias" in p
    assert "bias" not in p


def test_section_holds_the_arrays_of_one_part_under_their_short_names():
    p = Parameters(SHAPES, np.arange(13.0))
    assert list(p.section("low")) == ["weights", "bias"]
    assert p.section("low")["weights"] is p["low.weights"]
    with pytest.raises(KeyError):
        p.section("middle")


def test_the_last_dot_parts_a_name():
    p = Parameters({"a.b.c": (1,), "a.d": (1,), "a.b.e": (1,)}, np.arange(3.0))
    assert list(p.section("a.b")) == ["c", "e"]
    assert list(p.section("a")) == ["d"]
    assert_array_equal(p.section("a.b")["e"], 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_views_have_the_type_of_the_vector(dtype):
    p = Parameters(SHAPES, np.zeros(13, dtype))
    assert all(array.dtype == dtype for array in p.values())


@pytest.mark.parametrize("shape", [(12,), (14,), (13, 1), (1, 13), (0,)], ids=str)
def test_a_vector_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected a vector of shape \(13,\), got \("):
        Parameters(SHAPES, np.zeros(shape))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_the_views_of_a_copy_belong_to_its_own_vector(copied):
    original = Parameters({"a.b": (2,), "a.c": (1, 3)}, np.arange(5.0))
    other = copied(original)
    other["a.b"][:] = 7
    assert other.vector.tolist() == [7, 7, 2, 3, 4]
    assert original.vector.tolist() == [0, 1, 2, 3, 4]
