"""The contract of inputs, kept by each kind: they do not change, and know what they learned of."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._data.forms import open_form
from tests.inputs import KINDS, NUMBERS, learned, met, settings
from tests.passes import encoder

EACH = pytest.mark.parametrize("kind", KINDS)


@EACH
def test_an_input_does_not_change_when_it_learns(kind):
    part, parsed, _ = met(kind)
    before = part.state
    weights = np.ones(parsed.sequences.n_sequences)
    after = part.learn(parsed.sequences, weights, encoder((4,), patch_size=2))
    assert after is not part
    assert part.state == before  # no array yet: nothing was learned
    assert part.patch_size == 1
    assert after.patch_size == 2
    with pytest.raises(FrozenInstanceError):
        part.n_features = 5


@EACH
def test_before_it_meets_x_an_input_knows_no_features(kind):
    part, _, of = met(kind)
    fresh = type(part).of(open_form(KINDS[kind][1]), of)
    assert fresh.n_features is None
    assert fresh.n_columns is None
    assert part.n_features == (1 if "tokens" in kind else 2)
    assert part.n_features_in == part.n_features  # a list of sequences has no columns


@EACH
def test_the_same_parameters_ask_for_the_same_input(kind):
    part, _ = learned(kind)
    assert part.differs(settings(**KINDS[kind][0])) is None


@pytest.mark.parametrize(
    ("kind", "changed", "then"),
    [
        ("numbers", {"missing": "indicator"}, "decay"),
        ("numbers", {"missing": "error"}, "decay"),
        ("indicators", {"missing": "decay"}, "indicator"),
        ("numbers", {"time_feature": 0}, None),
        ("stamps", {"time_feature": 1}, 0),
        ("stamps", {"time_feature": None}, 0),
        ("numbers", {"embedding_dim": 3}, None),
        ("tokens", {"embedding_dim": 4}, 3),
        ("tokens", {"embedding_dim": None}, 3),
        ("tokens", {"time_feature": 0}, None),
    ],
)
def test_the_parameter_that_asks_for_another_input_is_named(kind, changed, then):
    part, _ = learned(kind)
    ((name, now),) = changed.items()
    assert part.differs(settings(**KINDS[kind][0] | changed)) == (name, then, now)


def test_a_matrix_asks_numbers_for_another_input():
    part, _ = learned("numbers")
    matrix = np.eye(10)
    name, then, now = part.differs(settings(embedding_matrix=matrix))
    assert (name, then) == ("embedding_matrix", None)
    assert now is matrix


@pytest.mark.parametrize("changed", [{"scaling": None}, {"features_per_step": 2}], ids=str)
def test_other_parameters_ask_for_no_other_input(changed):
    assert learned("missing")[0].differs(settings(**changed)) is None


def test_only_tokens_can_be_frozen_later():
    part, _ = learned("tokens")
    frozen = part.with_settings(settings(embedding_dim=3, freeze_embedding=True))
    assert (part.spec.freeze_embedding, frozen.spec.freeze_embedding) == (False, True)
    part, _ = learned("numbers")
    assert part.with_settings(settings(freeze_embedding=True)) is part


@EACH
def test_other_features_than_those_that_were_learned_from_are_refused(kind):
    part, _ = learned(kind)
    with pytest.raises(ValueError, match="features per step"):
        part.parse(open_form([np.ones((3, 4), int), np.ones((2, 4), int)]))


@EACH
def test_only_tokens_have_start_values_a_count_and_dimensions(kind):
    part, sequences = learned(kind)
    if "tokens" not in kind:
        assert part.start_values({}) == {}
        assert part.count_tokens(sequences) is part.embedding_dim is None
        assert part.says_features
        return
    assert part.count_tokens(sequences) == 4  # with the unknown one
    assert not part.says_features
    if kind == "tokens":
        assert part.start_values({}) == {}
        assert part.embedding_dim == 3
        assert_array_equal(part.attributes["token_ids_"], [1, 2, 4, 9])
    else:
        assert_array_equal(part.start_values({})["embedding.weights"], np.eye(10)[1:])
        assert part.embedding_dim == 10
        assert_array_equal(part.attributes["token_ids_"], np.arange(1, 10))


def test_a_table_has_columns_and_does_not_say_what_a_step_is():
    of = settings(features_per_step=2)
    from_table, from_list = (
        part.meet(part.parse(opened))
        for opened in (open_form(np.ones((3, 4))), open_form(NUMBERS))
        for part in [type(learned("numbers")[0]).of(opened, of)]
    )
    assert (from_table.n_features_in, from_table.n_features) == (4, 2)
    assert (from_list.n_features_in, from_list.n_features) == (2, 2)
    assert not from_table.says_features
    assert not from_list.says_features  # it says no more than the parameter
    one = type(from_table).of(open_form(NUMBERS), settings())
    assert one.meet(one.parse(open_form(NUMBERS))).says_features
