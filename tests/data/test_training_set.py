"""Samples to train on: sequences, targets and weights that go together, those of weight 0 gone."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skgru._data.training_set import parse_samples
from tests.datasets import read_numbers, read_tokens

SERIES = [[[1.0], [2.0]], [[3.0]], [[4.0], [5.0], [6.0]], [[7.0]]]
WORDS = [[2, 3, 4], [5], [6], [7, 8]]
NAN = np.nan


class AsTheyAre:
    """Targets that are read and encoded as they are; `factors` may say 0 for some of them."""

    def __init__(self, dropped=()):
        self.dropped = dropped

    def check(self, y, where):
        assert not np.isnan(np.asarray(y, float)).any(), where((0,))
        return np.asarray(y)

    def encode(self, y, weights):
        assert len(y) == len(weights)
        return y[:, None] * 10, (~np.isin(y, self.dropped)).astype(float)


def of_sequences(y, weights=None, X=SERIES):
    return parse_samples({"input": read_numbers(X)}, y, weights, AsTheyAre(), step_branch=None)


def of_steps(y, weights=None):
    return parse_samples(
        {"input": read_numbers(SERIES)}, y, weights, AsTheyAre(), step_branch="input"
    )


def test_samples_of_weight_zero_are_left_out_of_every_input():
    parsed = {"series": read_numbers(SERIES), "words": read_tokens(WORDS)}
    samples = parse_samples(parsed, [10, 11, 12, 13], [2, 0, 1, 0], AsTheyAre(), step_branch=None)
    assert list(samples.sequences) == ["series", "words"]
    assert_array_equal(samples.sequences["series"].values, [[1], [2], [4], [5], [6]])
    assert_array_equal(samples.sequences["series"].lengths, [2, 3])
    assert_array_equal(samples.sequences["words"].values, [2, 3, 4, 6])
    assert_array_equal(samples.sequences["words"].lengths, [3, 1])
    for weights in (samples.weights, samples.target_weights, samples.label_weights):
        assert_array_equal(weights, [2, 1])
    assert_array_equal(samples.labels, [10, 12])


def test_without_weights_all_samples_have_the_same():
    samples = of_sequences([1, 2, 3, 4])
    assert_array_equal(samples.weights, np.ones(4))
    assert samples.sequences["input"].n_sequences == 4


def test_steps_without_a_target_have_the_weight_zero_and_their_sequence_stays():
    samples = of_steps([[1, NAN], [NAN], [NAN, 5, 6], [7]])
    # A sequence none of whose steps has a target is left out.
    assert_array_equal(samples.sequences["input"].values[:, 0], [1, 2, 4, 5, 6, 7])
    assert_array_equal(samples.target_weights, [1, 0, 0, 1, 1, 1])
    assert_array_equal(samples.present, [0, 3, 4, 5])
    assert_array_equal(samples.labels, [1, 5, 6, 7])
    assert_array_equal(samples.weights, np.ones(3))


def test_weights_of_steps_make_those_of_their_sequence():
    samples = of_steps([[1, 2], [3], [4, 5, 6], [7]], [[1, 3], [0], [2, 0, 4], [5]])
    assert_array_equal(samples.target_weights, [1, 3, 2, 0, 4, 5])
    assert_array_equal(samples.label_weights, [1, 3, 2, 4, 5])
    assert_array_equal(samples.weights, [2, 3, 5])  # the mean of those that count


@pytest.mark.parametrize("per_step", [False, True])
def test_encoded_targets_have_the_rows_of_the_samples(per_step):
    if per_step:
        samples = of_steps([[1, NAN], [3], [4, 5, NAN], [7]])
        expected, factors = [10, 0, 30, 40, 50, 0, 70], [1, 0, 1, 1, 1, 0, 1]
    else:
        samples = of_sequences([1, 2, 3, 4])
        expected, factors = [10, 20, 30, 40], [1, 1, 1, 1]
    encoded = samples.encoded(AsTheyAre())
    assert encoded.n_sequences == 4
    assert_array_equal(encoded.targets, np.array(expected)[:, None])
    assert_array_equal(encoded.loss_factors, factors)
    assert_array_equal(encoded.target_weights, samples.target_weights)


@pytest.mark.parametrize("per_step", [False, True])
def test_taken_samples_keep_what_belongs_to_them(per_step):
    y = [[1, 2], [3], [4, 5, 6], [7]] if per_step else [1, 2, 3, 4]
    samples = (of_steps if per_step else of_sequences)(y, [1, 2, 3, 4]).encoded(AsTheyAre())
    taken = samples.take(np.array([2, 0]))
    assert taken.n_sequences == 2
    assert_array_equal(taken.sequences["input"].values[:, 0], [4, 5, 6, 1, 2])
    assert_array_equal(taken.weights, [3, 1])
    rows = [4, 5, 6, 1, 2] if per_step else [3, 1]
    assert_array_equal(taken.targets[:, 0], np.array(rows) * 10)
    assert_array_equal(taken.target_weights, [3, 3, 3, 1, 1] if per_step else [3, 1])
    assert taken.step_branch == ("input" if per_step else None)


def test_both_inputs_of_a_sample_are_taken_together():
    parsed = {"series": read_numbers(SERIES), "words": read_tokens(WORDS)}
    samples = parse_samples(parsed, [1, 2, 3, 4], None, AsTheyAre(), step_branch=None)
    taken = samples.encoded(AsTheyAre()).take(np.array([3, 1]))
    assert_array_equal(taken.sequences["series"].values[:, 0], [7, 3])
    assert_array_equal(taken.sequences["words"].values, [7, 8, 5])


def test_factors_that_leave_no_sample_are_refused():
    samples = of_sequences([1, 1, 2, 2])
    assert_array_equal(samples.encoded(AsTheyAre(dropped=[1])).loss_factors, [0, 0, 1, 1])
    with pytest.raises(ValueError, match="class_weight leaves no sample to train on"):
        samples.encoded(AsTheyAre(dropped=[1, 2]))


def test_other_numbers_of_targets_than_of_sequences_are_refused():
    with pytest.raises(ValueError, match=r"samples: \[4, 3\] \(sequences of X, targets of y\)\.$"):
        of_sequences([1, 2, 3])
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(ValueError, match="one row per step is made into one row per sample"):
        of_sequences([1, 2, 3], X=table)
    with pytest.raises(ValueError, match=r"\[4, 5\] \(sequences of X, targets of y\)\.$"):
        of_sequences([1, 2, 3, 4, 5], X=table)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(ValueError, match="at least one non-zero number"):
        of_sequences([1, 2, 3, 4], [0, 0, 0, 0])
    parsed = {"series": read_numbers([[], [[1.0]]]), "words": read_tokens([[], [2]])}
    with pytest.raises(ValueError, match="X has no step"):
        parse_samples(parsed, [1, 2], [1, 0], AsTheyAre(), step_branch=None)
    parsed["words"] = read_tokens([[3], [2]])  # steps of one input are enough
    samples = parse_samples(parsed, [1, 2], [1, 0], AsTheyAre(), step_branch=None)
    assert_array_equal(samples.sequences["words"].values, [3])


def test_another_number_of_sequences_in_a_second_input_is_refused():
    parsed = {"series": read_numbers(SERIES), "words": read_tokens(WORDS[:3])}
    with pytest.raises(ValueError, match=r"samples: \[3, 4\] \(sequences of X, targets of y\)\.$"):
        parse_samples(parsed, [1, 2, 3, 4], None, AsTheyAre(), step_branch=None)
