"""The kinds of inputs: which one parameters and X ask for, and each of them as plain values."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._data.forms import open_form
from skgru._data.ids import as_tokens
from skgru._data.kinds import INPUTS, make_input, reader_of_state
from skgru._data.numbers import NumberInput
from skgru._data.steps import make_batch
from skgru._data.tokens import TokenInput
from tests.inputs import IDS, KINDS, NUMBERS, learned, settings

MARKED = as_tokens(np.array([2, 3, 4, 3]), np.array([0, 3, 4]))
PLAIN = (dict, str, int, float, bool, type(None), tuple, np.ndarray)


@pytest.mark.parametrize(
    ("parameters", "X", "kind"),
    [
        ({}, NUMBERS, NumberInput),
        ({}, IDS, NumberInput),
        ({}, MARKED, TokenInput),
        ({"embedding_dim": None}, MARKED, NumberInput),
        ({"embedding_dim": 3}, IDS, TokenInput),
        ({"embedding_dim": 3}, MARKED, TokenInput),
        ({"embedding_matrix": np.eye(10)}, IDS, TokenInput),
    ],
)
def test_parameters_choose_the_kind_and_where_they_do_not_the_mark(parameters, X, kind):
    part, _ = make_input(open_form(X), settings(**parameters))
    assert type(part) is kind


def test_a_matrix_and_numbers_exclude_each_other():
    of = settings(embedding_matrix=np.eye(10), embedding_dim=None)
    with pytest.raises(ValueError, match="embedding_dim=None has X read as numbers"):
        make_input(open_form(IDS), of)


@pytest.mark.parametrize("form", [{}, {"bidirectional": True, "patch_size": 2}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_an_input_made_of_its_state_reads_alike(kind, form):
    part, sequences = learned(kind, **form)
    again = reader_of_state(pickle.loads(pickle.dumps(part.state)))
    assert type(again) is type(part)
    assert again.spec == part.spec
    assert again.n_features_in == part.n_features_in
    assert again.says_features == part.says_features
    for name, value in part.attributes.items():
        assert_array_equal(again.attributes[name], value, strict=isinstance(value, np.ndarray))
    parsed, same = (one.parse(open_form(KINDS[kind][1])).sequences.values for one in (part, again))
    assert_array_equal(parsed, same, strict=True)
    indices = np.arange(sequences.n_sequences)
    read, same = (make_batch(one.steps_of(sequences, "float32"), indices) for one in (part, again))
    assert_array_equal(read.x, same.x, strict=True)
    assert len(read.x)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_made_of_plain_values_that_name_the_kind(kind):
    state = learned(kind)[0].state
    assert INPUTS[state["kind"]] is (TokenInput if "tokens" in kind else NumberInput)

    def check(value):
        assert type(value) in PLAIN, value
        if isinstance(value, np.ndarray):
            assert value.dtype.kind in "iuf"
        for part in value.values() if isinstance(value, dict) else ():
            check(part)
        for part in value if isinstance(value, tuple) else ():
            check(part)

    check(state)


def test_a_state_does_not_keep_the_matrix_that_the_network_has_learned_from():
    part, _ = learned("frozen tokens")
    assert part.matrix is not None
    assert "matrix" not in part.state
    assert reader_of_state(part.state).matrix is None
