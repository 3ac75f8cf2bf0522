"""`pooling=None`: a target for each step of one or several branches, others beside them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.model_selection import cross_val_score

from skgru import (
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
    _budget,
)
from tests.datasets import assert_same_model
from tests.multimodal.samples import (
    classifier,
    frame,
    regressor,
    series_branch,
    text_branch,
    with_cell,
    without,
)

X, _ = frame(40)
LABELS = [(np.cumsum(x) > 0).astype(int) for x in X["pulse"]]
FUSIONS = pytest.mark.parametrize("fusion", ["concat", "gated"])


def at_each_step():
    return [
        ("monitor", series_branch(pooling=None), ["pulse", "pressure"]),
        ("patient", TableBranch(), ["age", "ward"]),
    ]


@FUSIONS
def test_predictions_are_as_ragged_as_the_series(fusion):
    model = classifier(at_each_step(), fusion=fusion).fit(X, LABELS)
    predicted, p = model.predict(X), model.predict_proba(X)
    assert predicted.shape == p.shape == (40,)
    for i, labels in enumerate(LABELS):
        assert predicted[i].shape == labels.shape
        assert p[i].shape == (len(labels), 2)
        assert_array_equal(model.predict(X.iloc[[i]])[0], predicted[i])
        assert_allclose(model.predict_proba(X.iloc[[i]])[0], p[i], atol=1e-6)
    right = np.concatenate([a == b for a, b in zip(predicted, LABELS, strict=True)])
    assert model.score(X, LABELS) == pytest.approx(right.mean())
    with pytest.raises(ValueError, match="transform needs a pooling in each branch"):
        model.transform(X)


def test_series_of_equal_lengths():
    pulse = list(np.random.default_rng(0).normal(size=(40, 3)))
    given = [("p", series_branch(pooling=None), "pulse"), ("t", TableBranch(), ["age"])]
    Z = X.assign(pulse=pulse)
    model = classifier(given).fit(Z, np.array(pulse) > 0)
    assert [tags.shape for tags in model.predict(Z)] == [(3,)] * 40
    assert [p.shape for p in model.predict_proba(Z)] == [(3, 2)] * 40


@FUSIONS
def test_the_table_is_known_at_every_step(fusion):
    y = [np.where(age > 40, x, -x) > 0 for x, age in zip(X["pulse"], X["age"], strict=True)]
    given = at_each_step()
    parameters = {"max_iter": 60, "learning_rate_init": 0.05, "hidden_layer_sizes": 16}
    model = classifier(given, fusion=fusion, **parameters).fit(X, y)
    alone = classifier(given[:1], fusion=fusion, **parameters).fit(X, y)
    assert model.score(X, y) > 0.9 > alone.score(X, y) + 0.05


def test_tokens_with_targets():
    given = [("note", text_branch(pooling=None), "note"), ("patient", TableBranch(), ["age"])]
    ids = text_branch().transformer.fit_transform(X["note"])
    lengths = [len(np.trim_zeros(np.asarray(row), "b")) for row in ids]
    y = [np.arange(n) % 2 for n in lengths]
    model = classifier(given).fit(X, y)
    assert [len(part) for part in model.predict(X)] == lengths


def test_missing_targets_are_left_out():
    some = [np.where(np.arange(len(x)) == 0, np.nan, x) for x in X["pulse"]]
    model = regressor(at_each_step()).fit(X, some)
    weights = [(np.arange(len(x)) > 0).astype(float) for x in X["pulse"]]
    weighted = regressor(at_each_step()).fit(X, list(X["pulse"]), weights)
    assert_same_model(model, weighted)
    expected = model.score(X, list(X["pulse"]), weights)
    assert model.score(X, some) == pytest.approx(expected)
    labels = [np.array([None, *part[1:]], object) for part in LABELS]
    assert 0 <= classifier(at_each_step()).fit(X, labels).score(X, labels) <= 1


def test_weights_of_steps_and_of_samples():
    by_step = [np.full(len(x), 1.0 + i % 2) for i, x in enumerate(X["pulse"])]
    by_sample = 1.0 + np.arange(40) % 2
    models = [classifier(at_each_step()).fit(X, LABELS, w) for w in (by_step, by_sample)]
    assert_same_model(*models)
    scores = [models[0].score(X, LABELS, w) for w in (by_step, by_sample)]
    assert scores[0] == pytest.approx(scores[1])
    assert scores[0] != models[0].score(X, LABELS)


def test_samples_without_a_series_or_a_table():
    Z = without(X, ["pulse", "pressure"], rows=[1])
    Z = without(Z, ["age", "ward"], rows=[2, 3])
    y = [*LABELS]
    y[1] = np.array([], int)
    model = classifier(at_each_step(), fusion="gated").fit(Z, y)
    assert len(model.predict(Z)[1]) == 0
    assert np.isfinite(model.score(Z, y))
    nothing = without(X, ["age", "ward"])
    assert_array_equal(model.predict(nothing)[2], model.predict(Z)[2])


@pytest.mark.parametrize(
    "weights", [None, [np.ones(len(x)) for x in X["pulse"]]], ids=["", "weights"]
)
def test_early_stopping(weights):
    model = classifier(at_each_step(), early_stopping=True).fit(X, LABELS, weights)
    assert len(model.validation_scores_) == 3
    assert model.t_ == 36 * 3


def test_partial_fit_truncation_and_cross_validation():
    model = classifier(at_each_step(), learning_rate="constant", bptt_steps=2)
    model.partial_fit(X, LABELS, classes=[0, 1]).partial_fit(X, LABELS)
    assert model.t_ == 80
    base = classifier(at_each_step(), max_iter=1)
    scores = cross_val_score(base, X, LABELS, cv=2, error_score="raise")
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([part[:-1] for part in LABELS], r"expected (\d) targets for sequence \d, got \d"),
        (np.zeros(40), "holds an array of shape .* got a .*float.* for sequence 0"),
        (LABELS[:5], r"inconsistent numbers of samples: \[40, 5\]"),
    ],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_targets_that_do_not_fit_the_steps(y, message, early_stopping):
    with pytest.raises(ValueError, match=message):
        classifier(at_each_step(), early_stopping=early_stopping).fit(X, y)


# Several branches with the same steps

WORDS = [np.random.default_rng(i).choice(["so", "not"], len(x)) for i, x in enumerate(X["pulse"])]
Z = X.assign(words=[list(words) for words in WORDS])


def with_words(rest=(), of_words=None, **of_pulse):
    """Return branches of the pulse and of a word at each of its steps, and the others."""
    words = text_branch(**{"pooling": None} | (of_words or {}))
    pulse = series_branch(**{"pooling": None} | of_pulse)
    return [("pulse", pulse, "pulse"), *rest, ("words", words, "words")]


def turned():
    """Return whether the pulse is positive at each step; at those of "not", whether it is not."""
    return [(x > 0) ^ (words == "not") for x, words in zip(X["pulse"], WORDS, strict=True)]


@FUSIONS
def test_the_branches_are_read_together_at_each_step(fusion):
    parameters = {"max_iter": 80, "learning_rate_init": 0.05, "hidden_layer_sizes": 16}
    given, y = with_words(), turned()
    model = classifier(given, fusion=fusion, **parameters).fit(Z, y)
    assert model.score(Z, y) > 0.95
    for one in given:
        assert classifier([one], fusion=fusion, **parameters).fit(Z, y).score(Z, y) < 0.75


@pytest.mark.parametrize(
    ("of_words", "of_pulse"), [({}, {}), ({"bidirectional": True}, {}), ({}, {"cell": "lstm"})]
)
@FUSIONS
def test_a_sample_alone_is_predicted_as_in_the_batch_and_in_pieces(
    fusion, of_words, of_pulse, monkeypatch
):
    table = ("patient", TableBranch(), ["age", "ward"])
    model = classifier(with_words([table], of_words, **of_pulse), fusion=fusion).fit(Z, LABELS)
    p = model.predict_proba(Z)
    for i, of_sample in enumerate(p):
        assert of_sample.shape == (len(LABELS[i]), 2)
        assert_allclose(model.predict_proba(Z.iloc[[i]])[0], of_sample, atol=1e-6)
    for n_numbers in (1, 640):  # of the latter, alone the two would hold one step and two
        monkeypatch.setattr(_budget, "_MAX_PIECE_NUMBERS", n_numbers)
        for of_sample, found in zip(p, model.predict_proba(Z), strict=True):
            assert_allclose(found, of_sample, atol=1e-6)


def test_a_branch_with_a_pooling_may_stand_beside_them():
    pressure = ("pressure", series_branch(pooling="last"), "pressure")
    y = [np.full(len(x), x[-1] > 0) for x in X["pressure"]]
    parameters = {"max_iter": 60, "learning_rate_init": 0.05}
    model = classifier(with_words([pressure]), **parameters).fit(Z, y)
    assert model.score(Z, y) > 0.95 > classifier(with_words(), **parameters).fit(Z, y).score(Z, y)


def test_whether_the_other_branches_have_the_same_steps_is_to_be_said():
    given = with_words(of_words={"pooling": "auto"})
    message = "'pulse' has a target for each of its steps: .* got 'auto' in 'words'. Set it to None"
    with pytest.raises(ValueError, match=message):
        classifier(given).fit(Z, LABELS)


def test_samples_without_steps_and_branches_that_are_left_out():
    absent = without(Z, ["pulse", "words"], rows=[3, 4])
    absent = without(absent, ["pulse", "words"], [], rows=[5])
    y = [part if i not in (3, 4, 5) else part[:0] for i, part in enumerate(LABELS)]
    model = classifier(with_words(), fusion="gated", branch_dropout=0.4).fit(absent, y)
    assert [len(part) for part in model.predict(absent)] == [len(part) for part in y]
    for branch in ("pulse", "words"):  # learned, since the branches were left out at times
        assert model.parameters_[f"{branch}.absence.outputs"].any()


@pytest.mark.parametrize("column", ["pulse", "words"])
@pytest.mark.parametrize(
    "parameters", [{}, {"early_stopping": True}, {"sample_weight": np.arange(40) > 10}]
)
def test_other_numbers_of_steps_are_refused(column, parameters):
    fewer = with_cell(Z, 30, column, list(Z[column][30])[:-1])
    weights = parameters.pop("sample_weight", None)
    n = dict.fromkeys(["pulse", "words"], len(LABELS[30])) | {column: len(LABELS[30]) - 1}
    message = (
        f"the same number of steps in each of them, got {n['pulse']} in branch 'pulse' and "
        f"{n['words']} in branch 'words' of sample 30 "
    )
    for seed in range(2):  # one of them may hold the sample out
        refused = classifier(with_words(), **parameters | {"random_state": seed})
        with pytest.raises(ValueError, match=message):
            refused.fit(fewer, LABELS, weights)
        assert not hasattr(refused, "branches_")
    model = classifier(with_words()).fit(Z, LABELS)
    for call in (lambda: model.predict(fewer), lambda: model.score(fewer, LABELS)):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match=message):
        classifier(with_words()).fit(Z, LABELS, X_val=fewer, y_val=LABELS)
    with pytest.raises(ValueError, match=message):
        classifier(with_words()).partial_fit(Z, LABELS, classes=[0, 1]).partial_fit(fewer, LABELS)


@pytest.mark.parametrize("column", ["pulse", "words"])
def test_a_sample_with_only_one_of_the_branches_is_refused(column):
    lacking = without(Z, [column], rows=[7])
    n = dict.fromkeys(["pulse", "words"], len(LABELS[7])) | {column: 0}
    message = f"got {n['pulse']} in branch 'pulse' and {n['words']} in branch 'words' of sample 7"
    with pytest.raises(ValueError, match=message):
        classifier(with_words()).fit(lacking, LABELS)
    with pytest.raises(ValueError, match=message):
        classifier(with_words()).fit(Z, LABELS).predict(lacking)


def test_truncated_back_propagation():
    models = [
        classifier(with_words(), bptt_steps=bptt_steps, dropout=0).fit(Z, LABELS)
        for bptt_steps in (None, 5, 2)  # of at most 5 steps
    ]
    assert_same_model(*models[:2])
    assert models[2].loss_ == pytest.approx(models[0].loss_, rel=0.05)
    assert models[2].loss_ != models[0].loss_


def test_threads_change_nothing():
    given = with_words(of_words={"hidden_layer_sizes": 128}, hidden_layer_sizes=128)
    many = pd.concat([Z] * 8, ignore_index=True)
    models = [
        classifier(given, batch_size=256, n_jobs=n_jobs).fit(many, LABELS * 8) for n_jobs in (1, 2)
    ]
    assert_same_model(*models)
    for one, other in zip(*(model.predict_proba(many) for model in models), strict=True):
        assert_array_equal(one, other)


def test_missing_steps_in_one_of_two_series():
    holes = [np.where(np.arange(len(x)) == 0, np.nan, x) for x in X["pressure"]]
    given = [(name, series_branch(pooling=None), name) for name in ("pulse", "pressure")]
    model = regressor(given).fit(X.assign(pressure=holes), list(X["pulse"]))
    assert [len(part) for part in model.predict(X)] == [len(x) for x in X["pulse"]]


# Words and their characters


def characters(**parameters):
    """Return the branch of the characters of words: n-grams, hashed."""
    hashing = HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, 3), n_features=64, dtype=np.float32
    )
    return SeriesBranch(PerTimestep(hashing), hidden_layer_sizes=8, pooling=None, **parameters)


def sentences(n, stems, seed):
    """Return sentences with names and other rare words, told by their ends, and which are names."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        words = rng.choice(["the", "man", "saw", "today", "went", "."], rng.integers(3, 8))
        rare = rng.choice(stems, len(words))
        kind = rng.choice(3, len(words), p=[0.5, 0.25, 0.25])
        ends = np.array([["", ""], ["ov", "ova"], ["ing", "ed"]])[kind, rng.choice(2, len(words))]
        made.append((np.where(kind == 0, words, np.char.add(rare, ends)), kind == 1))
    return pd.DataFrame({"tokens": [list(x) for x, _ in made]}), [y.astype(int) for _, y in made]


def test_names_that_were_not_seen_are_known_by_their_characters():
    rng = np.random.default_rng(0)
    stems = np.array(["".join(rng.choice(list("bdfgklmnprstaeiou"), 4)) for _ in range(120)])
    X, y = sentences(150, stems[:60], 1)
    X_new, y_new = sentences(60, stems[60:], 2)
    words = TokenBranch(
        SequenceVectorizer(min_df=2), embedding_dim=8, hidden_layer_sizes=8, pooling=None
    )
    both = [("word", words, "tokens"), ("characters", characters(), "tokens")]
    parameters = {"max_iter": 8, "hidden_layer_sizes": 8, "random_state": 0, "label_smoothing": 0}
    model = MultimodalGRUClassifier(both, **parameters).fit(X, y)
    alone = MultimodalGRUClassifier(both[:1], **parameters).fit(X, y)
    assert model.score(X_new, y_new) > 0.93
    assert alone.score(X_new, y_new) < 0.8


# A chain of tags


@FUSIONS
def test_tags_that_are_decided_together(fusion):
    """The last step of the pulse tells its tag; those before alternate."""
    rng = np.random.default_rng(0)
    last = rng.integers(2, size=40)
    pulse = [
        np.append(np.zeros(len(x) - 1), 2.0 * b - 1) for x, b in zip(X["pulse"], last, strict=True)
    ]
    y = [(b + np.arange(len(x))[::-1]) % 2 for x, b in zip(pulse, last, strict=True)]
    Z = X.assign(pulse=pulse)
    parameters = {"fusion": fusion, "max_iter": 60, "learning_rate_init": 0.05}
    model = classifier(at_each_step(), crf="strict", **parameters).fit(Z, y)
    assert (
        model.score(Z, y)
        > 0.99
        > 0.8
        > classifier(at_each_step(), **parameters).fit(Z, y).score(Z, y)
    )
    assert model.parameters_["chain.transitions"].shape == (2, 2)
    with pytest.raises(ValueError, match=r"crf=True .* expected pooling=None"):
        classifier([("monitor", series_branch(), ["pulse"])], crf=True).fit(Z, last)
