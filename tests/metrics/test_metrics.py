"""Entities of tagged sequences: found as conlleval finds them, or strictly, and scored."""

import itertools
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import classification_report, make_scorer, precision_recall_fscore_support
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer
from skgru.metrics import (
    Entity,
    count_invalid_transitions,
    entity_f1_score,
    entity_precision_recall_fscore_support,
    entity_precision_score,
    entity_recall_score,
    entity_report,
    find_entities,
)
from tests.containers import objects, pa

SCHEMES = {"BIO": "BI", "BIOES": "BIES", "BILOU": "BILU"}
AVERAGES = [None, "micro", "macro", "weighted"]


def tags_of(prefixes, types=("A", "B-b")):
    return ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in types)]


def random_tags(tags, n, seed=0):
    """Return n sequences of at most 8 tags."""
    rng = np.random.default_rng(seed)
    return [rng.choice(tags, size=rng.integers(9)).tolist() for _ in range(n)]


# Entities


def split(tag):
    """Return prefix and type of a tag as conlleval does; L and U as E and S."""
    prefix, _, kind = tag.partition("-")
    return {"L": "E", "U": "S"}.get(prefix, prefix), kind


def ends(before, after, type_before, type_after):
    """The function endOfChunk of conlleval."""
    ending = {"BB", "BO", "IB", "IO", "EE", "EI", "EO", "EB", "SE", "SI", "SO", "SB"}
    ending |= {"BS", "IS", "ES", "SS"}  # S is not conlleval's, but seqeval's
    return before + after in ending or (before != "O" and type_before != type_after)


def starts(before, after, type_before, type_after):
    """The function startOfChunk of conlleval."""
    starting = {"BB", "IB", "OB", "OI", "EE", "EI", "OE", "EB", "SB", "SI", "SE"}
    starting |= {f"{prefix}S" for prefix in "BIEOS"}
    return before + after in starting or (after != "O" and type_before != type_after)


def conlleval(tags):
    """Return the entities of a sequence step by step, as conlleval counts them."""
    found, start, before = [], None, ("O", "")
    for t, tag in enumerate([*tags, "O"]):
        after = split(tag)
        pairs = [*zip(before, after, strict=True)]
        if ends(*pairs[0], *pairs[1]):
            found.append((before[1], start, t))
        if starts(*pairs[0], *pairs[1]):
            start = t
        before = after
    return found


def well_formed(tags, scheme):
    """Return the spans that read as an entity of the scheme does."""
    found = []
    for start, stop in itertools.combinations(range(len(tags) + 1), 2):
        kind = split(tags[start])[1]
        inside = [f"I-{kind}"] * (stop - start - 1)
        if scheme == "BIO":
            is_one = tags[start:stop] == [f"B-{kind}", *inside]
            is_one = is_one and tags[stop : stop + 1] != [f"I-{kind}"]
        else:
            end, single = "ES" if scheme == "BIOES" else "LU"
            whole = [f"B-{kind}", *inside[1:], f"{end}-{kind}"] if inside else [f"{single}-{kind}"]
            is_one = tags[start:stop] == whole
        if is_one:
            found.append((kind, start, stop))
    return found


@pytest.mark.parametrize("prefixes", ["BI", "BIES", "BILU", "BIESLU"])
def test_leniently_entities_are_those_of_conlleval(prefixes):
    y = random_tags(tags_of(prefixes), 1500)
    assert find_entities(y) == [conlleval(tags) for tags in y]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_strictly_entities_are_the_spans_that_are_well_formed(scheme):
    y = random_tags(tags_of(SCHEMES[scheme]), 1500)
    assert find_entities(y, scheme=scheme) == [well_formed(tags, scheme) for tags in y]
    assert sum(map(len, find_entities(y))) > sum(map(len, find_entities(y, scheme=scheme))) > 500


def test_entities_have_names_and_tags_may_have_no_type():
    [first, second], nothing = find_entities([["B", "I", "O", "I"], []])
    assert (first.type, first.start, first.stop) == ("_", 0, 2)
    assert second == Entity("_", 3, 4)
    assert nothing == []
    assert type(first.start) is int


# Invalid transitions


def may_follow(before, after, scheme):
    """Whether a tag may follow another; O stands for the start and the end."""
    (a, type_a), (b, type_b) = split(before), split(after)
    if scheme == "BIO":
        return b != "I" or (a in "BI" and type_a == type_b)
    if a in "BI":
        return b in "IE" and type_a == type_b
    return b in "OBS"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_invalid_transitions_are_those_that_the_scheme_forbids(scheme):
    y = random_tags(tags_of(SCHEMES[scheme]), 300)
    pairs = [pair for tags in y for pair in itertools.pairwise(["O", *tags, "O"])]
    expected = sum(not may_follow(*pair, scheme) for pair in pairs)
    assert count_invalid_transitions(y, scheme=scheme) == expected > 300


def test_invalid_transitions_by_hand():
    assert count_invalid_transitions([]) == count_invalid_transitions([[], ["O"]]) == 0
    assert count_invalid_transitions([["B-A", "I-A", "I-B", "O", "I-A", "B-A"], ["I-A"]]) == 3
    bilou = [["B-A", "L-A", "U-A", "O"], ["B-A"], ["B-A", "O"], ["B-A", "I-A", "L-B"], ["I-A"]]
    assert count_invalid_transitions(bilou, scheme="BILOU") == 0 + 1 + 1 + 1 + 2


# Scores

TRUE = [["B-A", "I-A", "O", "B-B"], ["B-A", "O"], [], ["B-C", "I-C"]]
PRED = [["B-A", "I-A", "O", "B-C"], ["I-B", "O"], [], ["B-C", "O"]]
# Right: A 1 of 1, true 2; B 0 of 1, true 1; C 0 of 2, true 1.


def test_scores_by_hand():
    precision, recall, f1, support = entity_precision_recall_fscore_support(TRUE, PRED)
    assert_array_equal(precision, [1, 0, 0])
    assert_array_equal(recall, [0.5, 0, 0])
    assert_allclose(f1, [2 / 3, 0, 0])
    assert_array_equal(support, [2, 1, 1])
    assert support.dtype == np.int64
    assert entity_precision_score(TRUE, PRED) == 0.25
    assert entity_recall_score(TRUE, PRED) == 0.25
    assert entity_f1_score(TRUE, PRED) == pytest.approx(0.25)
    assert entity_f1_score(TRUE, PRED, average="macro") == pytest.approx(2 / 9)
    assert entity_f1_score(TRUE, PRED, average="weighted") == pytest.approx(1 / 3)
    assert entity_f1_score(TRUE, PRED, labels=["A"]) == pytest.approx(2 / 3)
    assert_allclose(entity_f1_score(TRUE, PRED, labels=["C", "A"], average=None), [0, 2 / 3])
    assert entity_precision_score(TRUE, PRED, scheme="BIO") == pytest.approx(1 / 3)
    assert entity_f1_score(TRUE, TRUE, scheme="BIO") == 1.0


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("zero_division", [0, 1.0, np.nan])
def test_scores_of_entities_of_one_step_are_those_of_scikit_learn(average, zero_division):
    types = ["A", "B", "C", "D"]
    for seed, n in itertools.product(range(3), (3, 12)):
        true, pred = np.random.default_rng(seed).choice(["O", *types], size=(2, n))
        y = [[["O" if tag == "O" else f"S-{tag}"] for tag in tags] for tags in (true, pred)]
        for beta, labels in ((1, types), (0.5, ["D", "B"])):
            options = {"average": average, "zero_division": zero_division, "beta": beta}
            found = entity_precision_recall_fscore_support(*y, labels=labels, **options)
            expected = precision_recall_fscore_support(true, pred, labels=labels, **options)
            for ours, theirs in zip(found[:3], expected[:3], strict=True):
                assert_allclose(ours, theirs)
            assert_array_equal(found[3], expected[3])


def test_scores_that_are_not_defined_are_warned_of():
    nothing = [["O", "O"]]
    for score, what in (
        (entity_precision_score, "Precision is ill-defined .* no predicted"),
        (entity_recall_score, "Recall is ill-defined .* no true"),
        (entity_f1_score, "F-score is ill-defined .* no true nor predicted"),
    ):
        with pytest.warns(UndefinedMetricWarning, match=what) as warned:
            assert score(nothing, nothing) == 0
        assert len(warned) == 1
        for average in ("micro", "macro", "weighted"):
            assert score(nothing, nothing, average=average, zero_division=1) == 1
            assert np.isnan(score([], [], average=average, zero_division=np.nan))
    assert all(len(part) == 0 for part in entity_precision_recall_fscore_support([], []))
    assert entity_recall_score([["B-A", "O"]], nothing) == 0  # defined
    with pytest.warns(UndefinedMetricWarning, match="Precision"):
        entity_precision_score([["B-A", "O"]], nothing)


# The report


def test_the_report_is_that_of_scikit_learn_and_the_invalid_transitions():
    types = ["A", "long type", "C"]
    true, pred = np.random.default_rng(0).choice(["O", *types], size=(2, 40))
    y = [[["O" if tag == "O" else f"B-{tag}"] for tag in tags] for tags in (true, pred)]
    expected = classification_report(true, pred, labels=types, digits=3).rstrip("\n")
    text = entity_report(*y, labels=types, digits=3)
    assert text == f"{expected}\n\ninvalid transitions in y_pred: 0\n"
    told = entity_report(*y, labels=types, output_dict=True)
    assert told.pop("invalid transitions") == {"y_true": 0, "y_pred": 0}
    assert told == classification_report(true, pred, labels=types, output_dict=True)


def test_the_report_counts_the_invalid_transitions_of_the_scheme():
    def invalid(y_true, y_pred, **options):
        report = entity_report(y_true, y_pred, output_dict=True, zero_division=0, **options)
        return report["invalid transitions"]

    assert invalid(TRUE, PRED) == {"y_true": 0, "y_pred": 1}
    assert invalid(TRUE, PRED, scheme="BIOES") == {"y_true": 4, "y_pred": 5}
    unended = [["B-A", "O"]]
    assert invalid(unended, unended) == {"y_true": 0, "y_pred": 0}
    assert invalid(unended, [["U-A", "O"]]) == {"y_true": 1, "y_pred": 0}
    text = entity_report(PRED, PRED)
    assert text.endswith("\n\ninvalid transitions in y_true: 1\ninvalid transitions in y_pred: 1\n")
    assert "y_true" not in entity_report(TRUE, PRED)
    assert re.search(
        r"weighted avg +0\.00 +0\.00 +0\.00 +0\n", entity_report([], [], zero_division=0)
    )


# Containers

FORMS = {
    "tuples": lambda y: tuple(map(tuple, y)),
    "arrays": lambda y: [np.array(tags, str) for tags in y],
    "objects of lists": objects,
    "objects of arrays": lambda y: objects([np.array(tags, object) for tags in y]),
    "Series of lists": lambda y: pd.Series(y, index=range(7, 7 + len(y))),
    "Series of arrays": lambda y: pd.Series([np.array(tags, str) for tags in y]),
    "Series of Series": lambda y: [pd.Series(tags, dtype="str") for tags in y],
    "categories": lambda y: [pd.Categorical(tags) for tags in y],
    "frame": lambda y: pd.DataFrame({"tags": y}),
    "polars": lambda y: pl.Series(y, dtype=pl.List(pl.String)),
    "polars frame": lambda y: pl.DataFrame({"tags": y}),
}
FORMS["Arrow"] = lambda y: pa.array(y, pa.list_(pa.string()))
FORMS["Arrow chunks"] = lambda y: pa.chunked_array([y[:2], y[2:]], pa.list_(pa.string()))


@pytest.mark.parametrize("form", FORMS)
def test_y_may_have_any_form(form):
    assert find_entities(FORMS[form](TRUE)) == find_entities(TRUE)
    found = entity_precision_recall_fscore_support(FORMS[form](TRUE), PRED)
    for ours, expected in zip(
        found, entity_precision_recall_fscore_support(TRUE, PRED), strict=True
    ):
        assert_array_equal(ours, expected)


def test_y_may_be_two_dimensional():
    y = [["B-A", "I-A", "O"], ["O", "B-B", "O"]]
    for form in (np.array(y), np.array(y, object), pl.Series(y, dtype=pl.Array(pl.String, 3))):
        assert find_entities(form) == find_entities(y)


# Errors


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ("B-A", TypeError, "list as y, got a string"),
        (None, TypeError, "got a NoneType"),
        (["B-A", "O"], TypeError, r"got a string as sequence 0: .* given as \[y\]"),
        ([["O"], None], TypeError, "got a NoneType as sequence 1"),
        (np.full((1, 2, 3), "O"), ValueError, r"array of shape \(2, 3\) as sequence 0 of y"),
        ([["O"], ["O", None]], TypeError, "got None at step 1 of sequence 1 of y"),
        ([["O", np.nan]], TypeError, "got nan at step 1 of sequence 0"),
        ([[], [1, 0]], TypeError, "got 1 at step 0 of sequence 1"),
        ([["O", b"O"]], TypeError, "got b'O' at step 1"),
        ([["O", ["O"]]], TypeError, "got .'O'. at step 1"),
        ([["O", "PER"]], ValueError, "got 'PER' at step 1 of sequence 0 of y"),
        ([["b-A"]], ValueError, "got 'b-A'"),
        ([["B-"]], ValueError, "got 'B-'"),
        ([["O-A"]], ValueError, "got 'O-A'"),
        ([["X-A"]], ValueError, "one of B-, I-, E-, S-, L-, U- with a type"),
        ([[""]], ValueError, "got ''"),
    ],
)
def test_what_is_no_tag_is_refused_by_its_place(y, error, message):
    with pytest.raises(error, match=message):
        find_entities(y)


def test_tags_of_another_scheme_are_refused_by_their_place():
    other = [["O"], ["O", "S-A"]]
    of_bio = r"tags of BIO, .* B-, I- with .*'S-A' at step 1 of sequence 1 of y_pred.*'BIOES'\?"
    with pytest.raises(ValueError, match=of_bio):
        entity_f1_score([["O"], ["O", "B-A"]], other, scheme="BIO")
    with pytest.raises(ValueError, match="'S-A' at step 1 of sequence 1 of y_true"):
        entity_report(other, other, scheme="BILOU")
    with pytest.raises(ValueError, match=r"got 'L-A' .* Did you mean scheme='BILOU'\?"):
        count_invalid_transitions([["L-A"]], scheme="BIOES")


@pytest.mark.parametrize(
    ("scheme", "meant"),
    [("IOB2", "'BIO'"), ("IOBES", "'BIOES'"), ("bilou", "'BILOU'"), ("IOB1", "None")],
)
def test_another_name_of_a_scheme_is_hinted_at(scheme, meant):
    message = rf"Expected scheme .* got '{scheme}'. Did you mean scheme={meant}\?"
    with pytest.raises(ValueError, match=message):
        find_entities(TRUE, scheme=scheme)
    with pytest.raises(ValueError, match=message):
        entity_f1_score(TRUE, PRED, scheme=scheme)


def test_invalid_transitions_need_a_scheme():
    with pytest.raises(ValueError, match=r"\['BIO', 'BIOES', 'BILOU'\], got None\.$"):
        count_invalid_transitions(TRUE, scheme=None)
    with pytest.raises(ValueError, match=r"got 'IOB1'\.$"):
        count_invalid_transitions(TRUE, scheme="IOB1")


def test_tags_of_other_steps_are_refused():
    with pytest.raises(ValueError, match="2 tags for sequence 1 in y_pred, as in y_true, got 1"):
        entity_f1_score([["O"], ["O", "O"]], [["O"], ["O"]])
    with pytest.raises(ValueError, match="2 sequences in y_pred, as in y_true, got 1"):
        entity_f1_score([["O"], ["O", "O"]], [["O"]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("A", "such as .* got 'A'"),
        ([], "such as"),
        ([1], "such as"),
        (["A", "A"], "each type once"),
        (["B-A"], r"got the tag 'B-A'. Did you mean 'A'\?"),
    ],
)
def test_labels_that_are_no_types_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        entity_f1_score(TRUE, PRED, labels=labels)


def test_averages_that_entities_do_not_have_are_refused():
    for average in ("binary", "samples"):
        with pytest.raises(ValueError, match="'average' parameter of entity_f1_score"):
            entity_f1_score(TRUE, PRED, average=average)


# Scorers


def test_scores_are_scorers_of_searches():
    words = [["Ann", "saw", "Bob"], ["in", "new", "York"], [], ["Bob"]] * 6
    tags = [["B-P", "O", "B-P"], ["O", "B-L", "I-L"], [], ["B-P"]] * 6
    model = make_pipeline(
        SequenceVectorizer(),
        GRUClassifier(4, pooling=None, max_iter=60, learning_rate_init=0.05, random_state=0),
    )
    f1 = make_scorer(entity_f1_score)
    expected = [
        entity_f1_score(
            tags[i::2], model.fit(words[1 - i :: 2], tags[1 - i :: 2]).predict(words[i::2])
        )
        for i in (0, 1)
    ]
    halves = [(np.arange(1 - i, 24, 2), np.arange(i, 24, 2)) for i in (0, 1)]
    assert_array_equal(cross_val_score(model, words, tags, scoring=f1, cv=halves), expected)
    assert all(0 < score < 1 for score in expected)
    arrays = [np.array(part, str) for part in tags]
    assert min(cross_val_score(model, words, arrays, scoring=f1, cv=2)) == 1
    several = {"f1": f1, "recall": make_scorer(entity_recall_score, average="macro")}
    found = cross_validate(model, words, pd.Series(tags), scoring=several, cv=KFold(2))
    assert_array_equal(found["test_f1"], found["test_recall"])
    search = GridSearchCV(
        model,
        {"gruclassifier__learning_rate_init": [1e-6, 0.05]},
        scoring=make_scorer(entity_f1_score, zero_division=0),
        cv=2,
    )
    assert search.fit(words, objects(arrays)).best_params_ == {
        "gruclassifier__learning_rate_init": 0.05
    }
    assert search.best_score_ == 1


@pytest.mark.parametrize("tag", ["I_PER", "b-PER", "I PER", "B-PER "])
def test_tags_that_are_nearly_some(tag):
    meant = tag[0].upper() + "-PER"
    with pytest.raises(ValueError, match=rf"got '{tag}' .* Did you mean '{meant}'\?"):
        find_entities([[tag]])
