"""The entities and the scores of tagged sequences: those of seqeval."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from seqeval.metrics import classification_report, sequence_labeling, v1
from seqeval.scheme import BILOU, IOB2, IOBES, Entities

from skgru.metrics import entity_precision_recall_fscore_support, entity_report, find_entities

SCHEMES = {"BIO": IOB2, "BIOES": IOBES, "BILOU": BILOU}
# seqeval's default mode knows no L and U.
MODES = [(prefixes, None) for prefixes in ("BIO", "BIOES")]
MODES += [(prefixes, prefixes) for prefixes in SCHEMES]
EACH_MODE = pytest.mark.parametrize(("prefixes", "scheme"), MODES)
AVERAGES = [None, "micro", "macro", "weighted"]


def random_tags(prefixes, n, seed):
    """Return n sequences of true and of predicted tags, which agree at many steps."""
    rng = np.random.default_rng(seed)
    inside = [prefix for prefix in prefixes if prefix != "O"]
    tags = ["O", *(f"{prefix}-{kind}" for prefix in inside for kind in ("PER", "LOC", "X-y"))]
    true = [rng.choice(tags, size=rng.integers(12)) for _ in range(n)]
    pred = [np.where(rng.random(len(y)) < 0.8, y, rng.choice(tags, len(y))) for y in true]
    return [y.tolist() for y in true], [y.tolist() for y in pred]


def spans(entities):
    return [tuple(entity) for entity in entities]


@EACH_MODE
def test_the_entities_are_the_same(prefixes, scheme):
    y, _ = random_tags(prefixes, 1000, seed=0)
    if scheme is None:
        expected = [
            [(kind, first, last + 1) for kind, first, last in sequence_labeling.get_entities(tags)]
            for tags in y
        ]
    else:
        expected = [
            [(found.tag, found.start, found.end) for found in entities]
            for entities in Entities(y, SCHEMES[scheme]).entities
        ]
    assert list(map(spans, find_entities(y, scheme=scheme))) == expected


@EACH_MODE
@pytest.mark.parametrize("average", AVERAGES)
def test_the_scores_are_the_same(prefixes, scheme, average):
    for seed in range(5):
        y = random_tags(prefixes, 40, seed)
        for options in ({}, {"beta": 2.0}, {"zero_division": 1}):
            options = {"average": average, "zero_division": 0, **options}
            theirs = sequence_labeling if scheme is None else v1
            strict = {} if scheme is None else {"scheme": SCHEMES[scheme]}
            expected = theirs.precision_recall_fscore_support(*y, **options, **strict)
            found = entity_precision_recall_fscore_support(*y, scheme=scheme, **options)
            for part, of_seqeval in zip(found[:3], expected[:3], strict=True):
                assert_allclose(part, of_seqeval, rtol=1e-12)
            if average is None:
                assert_array_equal(found[3], expected[3])


@EACH_MODE
def test_the_report_has_the_same_figures(prefixes, scheme):
    y = random_tags(prefixes, 200, seed=0)
    strict = {} if scheme is None else {"mode": "strict", "scheme": SCHEMES[scheme]}
    expected = classification_report(*y, output_dict=True, **strict)
    found = entity_report(*y, scheme=scheme, output_dict=True)
    assert found.pop("invalid transitions")["y_true"] > 0
    assert found.keys() == expected.keys()
    for name, scores in expected.items():
        assert found[name] == pytest.approx(scores)
