"""`pooling=None`: a target for each step, and predictions of the same raggedness."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

from skgru import GRUClassifier, GRURegressor
from skgru._data.targets import parse_step_targets
from skgru._engine.batches import Order
from tests.datasets import (
    assert_same_model,
    pad,
    ragged,
    read_numbers,
    read_tokens,
    rectangle,
    small,
    token_sequences,
)
from tests.kinds import NAMES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def labelled(n=60, **how):
    """Return ragged X, and for each step whether the sum up to it is positive."""
    X, _ = ragged(n, **how)
    return X, [np.cumsum(x[:, 0]) > 0 for x in X]


def counting(**parameters):
    return GRUClassifier(
        **{"hidden_layer_sizes": 12, "max_iter": 60, "learning_rate_init": 0.02, "pooling": None}
        | {"random_state": 0}
        | parameters
    )


# Learning


@pytest.mark.parametrize("options", [{"bptt_steps": 3}, *({"cell": cell} for cell in NAMES)])
def test_a_running_sum_is_labelled_at_every_step(options):
    X, y = labelled(200)
    model = counting(**options).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.93
    for x, predicted, p in zip(X, model.predict(X), model.predict_proba(X), strict=True):
        assert predicted.shape == (len(x),)
        assert p.shape == (len(x), 2)
        assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


def test_what_comes_later_needs_both_directions():
    X, _ = ragged(200)
    y = [np.full(len(x), x[-1, 0] > 0) for x in X]
    one, both = (
        counting(bidirectional=b).fit(X[:120], y[:120]).score(X[120:], y[120:])
        for b in (False, True)
    )
    assert both > 0.95 > 0.85 > one


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression_at_every_step(n_outputs):
    X, _ = ragged(150, n_features=2)
    y = [500 + 100 * np.cumsum(x, axis=0)[:, :n_outputs] for x in X]
    if n_outputs == 1:
        y = [part[:, 0] for part in y]
    model = GRURegressor(
        16, pooling=None, max_iter=60, learning_rate_init=0.02, random_state=0
    ).fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.95
    for part, predicted in zip(y, model.predict(X), strict=True):
        assert predicted.shape == part.shape


def test_several_labels_at_every_step():
    X, _ = ragged(150, n_features=2)
    y = [(np.cumsum(x, axis=0) > 0).astype(int) for x in X]
    model = counting().fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.85
    assert_array_equal(
        np.concatenate(list(model.predict(X))), np.concatenate(list(model.predict_proba(X))) > 0.5
    )


# Forms


def test_every_form_of_the_targets_gives_the_same_model():
    X, _ = rectangle(30, n_features=2)
    y = np.cumsum(X[..., 0], axis=1) > 0
    expected = small(GRUClassifier, pooling=None).fit(X, y)
    assert expected.predict(X).shape == y.shape
    assert expected.predict_proba(X).shape == (*y.shape, 2)
    objects = np.empty(30, object)
    objects[:] = list(y)
    for form in (list(y), y.tolist(), objects, pd.Series(list(y)), tuple(y)):
        assert_same_model(small(GRUClassifier, pooling=None).fit(X, form), expected)
    strings = np.where(y, "up", "down")
    named = small(GRUClassifier, pooling=None).fit(X, strings)
    assert_array_equal(named.classes_, ["down", "up"])
    assert_array_equal(named.predict(X) == "up", expected.predict(X))


@pytest.mark.parametrize("fill", [0, np.nan])
def test_targets_of_padded_steps_may_be_given_and_do_not_matter(fill):
    X, y = labelled(30)
    y = [part.astype(float) for part in y]
    expected = small(GRUClassifier, pooling=None).fit(X, y)
    padded = pad(X, 10, np.nan)
    for targets in (y, pad(y, 10, fill)):
        model = small(GRUClassifier, pooling=None).fit(padded, targets)
        assert_same_model(model, expected)
        assert model.score(padded, targets) == expected.score(X, y)
    assert [len(part) for part in model.predict(padded)] == [len(x) for x in X]


def test_targets_of_tokens_padded_in_front():
    tokens, _ = token_sequences(20)
    y = [x % 2 for x in tokens]
    width = 10
    padded = np.zeros((20, width), int)
    targets = np.full((20, width), -1)
    for row, target, x, part in zip(padded, targets, tokens, y, strict=True):
        row[width - len(x) :] = x
        target[width - len(x) :] = part
    options = {"pooling": None, "embedding_dim": 3}
    assert_same_model(
        small(GRUClassifier, **options).fit(padded, targets),
        small(GRUClassifier, **options).fit(tokens, y),
    )
    assert_array_equal(parse_step_targets(targets, read_tokens(padded)), np.concatenate(y))


# Weights, folds, validation


def test_a_weight_of_two_is_the_sequence_twice_and_of_zero_none():
    X, y = labelled(12)
    weights = np.arange(12) % 3
    weighted = small(GRUClassifier, pooling=None, solver="lbfgs", max_iter=30, dtype="float64")
    twice = small(GRUClassifier, pooling=None, solver="lbfgs", max_iter=30, dtype="float64")
    repeated = np.repeat(np.arange(12), weights)
    weighted.fit(X, y, sample_weight=weights)
    twice.fit([X[i] for i in repeated], [y[i] for i in repeated])
    for a, b in zip(weighted.predict_proba(X), twice.predict_proba(X), strict=True):
        assert_allclose(a, b, atol=1e-5)
    assert weighted.score(X, y, sample_weight=weights) == pytest.approx(
        twice.score([X[i] for i in repeated], [y[i] for i in repeated])
    )


def test_every_step_counts_the_same():
    # One sequence of 9 steps that say 1 against three of one step that say 0.
    X = [np.zeros((9, 1)), *[np.zeros((1, 1))] * 3]
    y = [np.ones(9), *[np.zeros(1)] * 3]
    model = GRURegressor(
        1, pooling=None, solver="lbfgs", alpha=0, max_iter=200, random_state=0
    ).fit(X, y)
    first = model.predict(X)[0]
    # The first step of all sequences is the same: a quarter of them say 1.
    assert first[0] == pytest.approx(0.25, abs=0.02)
    assert first[1:] == pytest.approx(np.ones(8), abs=0.05)


def test_scores_are_those_of_all_steps_together():
    X, y = labelled(40)
    model = small(GRUClassifier, pooling=None).fit(X, y)
    together = np.concatenate(y), np.concatenate(list(model.predict(X)))
    assert model.score(X, y) == accuracy_score(*together)
    numbers = [np.cumsum(x[:, 0]) for x in X]
    reg = small(GRURegressor, pooling=None).fit(X, numbers)
    together = np.concatenate(numbers), np.concatenate(list(reg.predict(X)))
    assert reg.score(X, numbers) == pytest.approx(r2_score(*together), abs=1e-5)


def test_folds_grids_and_early_stopping():
    X, y = labelled(60)
    y = np.array([*y, None], object)[:-1]
    model = counting(max_iter=20)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.7
    predicted = cross_val_predict(model, X, y, cv=3)
    assert [len(part) for part in predicted] == [len(x) for x in X]
    search = GridSearchCV(model, {"cell": ["gru", "lstm"]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.6
    stopped = counting(early_stopping=True).fit(X, y)
    assert stopped.best_validation_score_ > 0.7
    given = counting(max_iter=3).fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    assert given.validation_scores_[-1] == pytest.approx(given.score(X[40:], y[40:]))


def test_balanced_classes_count_steps():
    X, _ = ragged(60)
    y = [(np.arange(len(x)) == 0).astype(int) for x in X]
    model = small(GRUClassifier, pooling=None, class_weight="balanced", max_iter=1).fit(X, y)
    counts = np.bincount(np.concatenate(y))
    loss = model._make_loss(model._settings).bind(
        {"classes": np.array([0, 1]), "is_multilabel": False}
    )
    _, factors = loss.encode(np.concatenate(y), np.ones(counts.sum()))
    assert_allclose(np.unique(factors), np.unique(counts.sum() / (2 * counts)))


def test_partial_fit():
    X, y = labelled(40)
    model = counting()
    for _ in range(30):
        model.partial_fit(X, y, classes=[False, True])
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("told", [True, False])
def test_length_may_tell_of_the_targets_of_steps(told, monkeypatch):
    X, _ = ragged(200, longest=40)
    grouped = []
    batches_of = Order.batches
    monkeypatch.setattr(
        Order,
        "batches",
        lambda self, *args: grouped.append(self.group_by_length) or batches_of(self, *args),
    )
    y = [np.full(len(x), len(x) > 25) if told else np.arange(len(x)) % 2 for x in X]
    small(GRUClassifier, pooling=None, max_iter=1).fit(X, y)
    assert grouped == [not told]


# What is fitted decides, not the parameters that are set afterwards


def test_scores_are_those_of_the_fitted_network():
    X, y = labelled(30)
    model = small(GRUClassifier, pooling=None).fit(X, y)
    score = model.score(X, y)
    assert model.set_params(pooling="last", hidden_layer_sizes="none").score(X, y) == score
    last = [x[-1, 0] for x in X]
    reg = small(GRURegressor, loss="quantile").fit(X, last)
    score = reg.score(X, last)
    assert reg.set_params(loss="squared_error", pooling=None).score(X, last) == score


def test_weights_of_a_score_have_one_number_for_each_sequence():
    X, y = labelled(30)
    model = small(GRUClassifier, pooling=None).fit(X, y)
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(29,\), expected \(30,\)"):
        model.score(X, y, sample_weight=np.ones(29))


# Errors


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda y: y[:-1], "y has targets for 29 sequences, but X has 30"),
        (lambda y: [*y[:4], y[4][:-1], *y[5:]], r"expected 5 targets for sequence 4, got 4"),
        (lambda y: [part[:, None, None] for part in y], r"\(n_steps,\) or \(n_steps, n_outputs\)"),
        (lambda y: [y[0][:, None], *y[1:]], "the same n_outputs"),
        (lambda y: [part[0] for part in y], "holds an array of shape"),
    ],
)
def test_targets_that_do_not_fit_are_refused(spoil, message):
    X, y = labelled(30)
    with pytest.raises(ValueError, match=message):
        small(GRUClassifier, pooling=None).fit(X, spoil(y))


def test_sequences_without_any_step_are_refused():
    with pytest.raises(ValueError, match="no step"):
        small(GRUClassifier, pooling=None).fit([np.zeros((0, 1))] * 3, [[], [], []])


def test_some_sequences_may_be_empty():
    X, y = labelled(30)
    X[3], y[3] = np.zeros((0, 1)), np.zeros(0, bool)
    model = small(GRUClassifier, pooling=None, batch_size=1).fit(X, y)
    assert [len(part) for part in model.predict(X)] == [len(x) for x in X]
    assert 0 <= model.score(X, y) <= 1


def test_patches_and_transform_need_a_pooling():
    X, y = labelled(30)
    with pytest.raises(ValueError, match="patch_size=1, got 2"):
        small(GRUClassifier, pooling=None, patch_size=2).fit(X, y)
    model = small(GRUClassifier, pooling=None).fit(X, y)
    with pytest.raises(ValueError, match="transform_steps"):
        model.transform(X)
    assert [part.shape for part in model.transform_steps(X)] == [(len(x), 4) for x in X]


def test_reading_keeps_the_targets_of_the_steps_that_remain():
    X = np.array([[1.0, np.nan, np.nan], [1.0, 2.0, np.nan]])
    read = read_numbers(X)
    assert_array_equal(parse_step_targets([[1, 2, 3], [4, 5, 6]], read), [1, 4, 5])
    assert_array_equal(parse_step_targets([[1], [4, 5]], read), [1, 4, 5])


def test_large_labels_beside_steps_without_one_stay_apart():
    base = 2**53
    X = [np.zeros((2, 1)), np.ones((3, 1)), np.ones((1, 1))]
    y = [np.array([base, base + 1]), np.array([0.0, np.nan, 1.0]), np.array([np.nan])]
    model = small(GRUClassifier, pooling=None).fit(X, y)
    assert model.classes_.tolist() == [0, 1, base, base + 1]
