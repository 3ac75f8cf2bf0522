"""Bags of tokens, held against scikit-learn's tf-idf."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

import skgru._data.bag
from skgru._data.bag import BagOfTokens
from skgru._data.sequences import Sequences, offsets_of

TEXTS = [[2, 3, 2, 3, 4], [2, 3, 1, 4, 4], [5], [], [0, 4, 2, 3]]


def sequences(texts):
    values = np.concatenate([np.asarray(text, int) for text in texts])
    return Sequences(values, offsets_of([len(text) for text in texts]))


def learned(texts=TEXTS, weights=None, most_pairs=100):
    weights = np.ones(len(texts)) if weights is None else weights
    return BagOfTokens.learn(sequences(texts), weights, most_pairs)


def pairs(bag):
    first, second = np.divmod(bag.pairs, len(bag.token_ids))
    return list(zip(bag.token_ids[first], bag.token_ids[second], strict=True))


def test_rows_are_tf_idf_of_tokens_and_of_pairs_that_two_texts_hold():
    bag = learned()
    assert_array_equal(bag.token_ids, [2, 3, 4, 5])
    assert pairs(bag) == [(2, 3)]

    def terms(text):
        words = [str(i) for i in text if i > 1]
        return words + ["2 3" for pair in pairwise(text) if pair == (2, 3)]

    expected = TfidfVectorizer(
        analyzer=terms, sublinear_tf=True, vocabulary=["2", "3", "4", "5", "2 3"]
    )
    assert_allclose(bag.matrix(sequences(TEXTS)).toarray(), expected.fit_transform(TEXTS).toarray())


def test_unknown_tokens_padding_and_the_ends_of_texts_count_nothing():
    bag = learned()
    rows = bag.matrix(sequences([[2, 9, 3], [2], [3], [0, 1, 7]])).toarray()
    assert_allclose(rows[0], [2**-0.5, 2**-0.5, 0, 0, 0])
    assert_array_equal(rows[1:3], [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    assert_array_equal(rows[3], 0)


def test_a_weight_of_two_is_two_copies():
    weighted = learned(weights=np.array([2.0, 1, 1, 1, 1]))
    copied = learned([TEXTS[0], *TEXTS])
    assert_array_equal(weighted.pairs, copied.pairs)
    assert len(weighted.pairs) == 3  # those of the first text
    assert_allclose(weighted.idf, copied.idf)


def test_small_weights_leave_the_pairs_that_count():
    bag = learned(weights=np.full(len(TEXTS), 1e-3))
    assert pairs(bag) == pairs(learned())
    assert np.isfinite(bag.idf).all()


def test_the_most_frequent_pairs_are_kept():
    texts = [[2, 3, 4], [2, 3, 4], [2, 3]]
    assert pairs(learned(texts)) == [(2, 3), (3, 4)]
    assert pairs(learned(texts, most_pairs=1)) == [(2, 3)]
    assert pairs(learned(texts, most_pairs=0)) == []


@pytest.mark.parametrize("most", [1, 4, 7, 100])
def test_blocks_of_texts_make_the_same_rows(monkeypatch, most):
    bag, texts = learned(), sequences([*TEXTS, [], [3, 4], []])
    whole, weigh, sizes = bag.matrix(texts).toarray(), BagOfTokens.weigh, []
    monkeypatch.setattr(skgru._data.bag, "_MOST_AT_ONCE", most)

    def counted(self, block):
        sizes.append((block.n_sequences, len(block.values)))
        return weigh(self, block)

    monkeypatch.setattr(BagOfTokens, "weigh", counted)
    assert_array_equal(bag.matrix(texts).toarray(), whole)
    assert all(n == 1 or size <= most for n, size in sizes)


def test_tokens_share_what_their_text_comes_to():
    bag, texts = learned(), sequences([*TEXTS, [2, 3, 4, 2, 3]])
    weights = np.random.RandomState(0).normal(size=(bag.n_columns, 2))
    by_token = bag.by_token(texts, weights)
    sums = np.add.reduceat(np.vstack([by_token, [[0, 0]]]), texts.offsets[:-1])
    sums[texts.lengths == 0] = 0
    assert_allclose(sums, bag.matrix(texts) @ weights, atol=1e-12)
    first = by_token[texts.offsets[5] :]
    assert_allclose(first[:2], first[3:5])  # the same words in the same pair
    assert_array_equal(by_token[texts.values < 2], 0)


@pytest.mark.parametrize("texts", [[[1, 1], [0]], [[], [1]]])
def test_texts_of_which_nothing_is_known(texts):
    bag = learned(texts)
    assert bag.matrix(sequences(texts)).shape == (2, 0)
