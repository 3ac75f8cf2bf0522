"""`pooling=None` in the one branch of sequences: a target for each step, tables beside it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import cross_val_score

from skgru import TableBranch
from tests.datasets import assert_same_model
from tests.multimodal.samples import (
    classifier,
    frame,
    regressor,
    series_branch,
    text_branch,
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
    assert model.predict(Z).shape == (40, 3)
    assert model.predict_proba(Z).shape == (40, 3, 2)


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


@pytest.mark.parametrize("pooling", [None, "last"])
def test_two_branches_of_sequences_are_refused(pooling):
    given = [*at_each_step(), ("other", series_branch(pooling=pooling), ["pulse"])]
    message = "'monitor' has a target for each of its steps, .*branches .'other'. do not share"
    with pytest.raises(ValueError, match=message):
        classifier(given).fit(X, LABELS)


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
