"""`crf=True`: the tags of a sequence are decided together."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skgru import GRUClassifier
from tests import naive
from tests.datasets import assert_same_model, objects, pad, ragged, small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TAGS = np.array(["a", "b", "c"])
BIO = np.array(["B", "I", "O"])
BEGIN, INSIDE, OUTSIDE = range(3)


def wheel(n=80, seed=0):
    """Return sequences whose last step alone tells its tag; the tags before follow in a circle.

    A network that reads onward cannot know them, but what can follow what tells it.
    """
    rng = np.random.default_rng(seed)
    X, y = [], []
    for i in range(n):
        n_steps = 2 + i % 5
        last = rng.integers(3)
        x = np.zeros((n_steps, 3))
        x[-1, last] = 1
        X.append(x)
        y.append(TAGS[(last - np.arange(n_steps)[::-1]) % 3])
    return X, y


def bio(n=60, noise=1.0, seed=0):
    """Return noisy tags and what they are: an I never follows an O, nor comes first."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for i in range(n):
        tags = [rng.choice([BEGIN, OUTSIDE])]
        for _ in range(3 + i % 6):
            share = [0.3, 0, 0.7] if tags[-1] == OUTSIDE else [0.2, 0.6, 0.2]
            tags.append(rng.choice(3, p=share))
        X.append(np.eye(3)[tags] + rng.normal(0, noise, size=(len(tags), 3)))
        y.append(BIO[tags])
    return X, y


def n_invalid(predicted):
    return sum(
        int(((tags == "I") & (np.concatenate([["O"], tags[:-1]]) == "O")).sum())
        for tags in predicted
    )


def tagger(**parameters):
    return small(GRUClassifier, **{"pooling": None, "crf": True, "max_iter": 2} | parameters)


X, _ = ragged(30, n_features=2)
Y = [TAGS[(np.cumsum(x[:, 0]) > 0).astype(int) + (x[:, 1] > 0.5)] for x in X]


# Learning


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_what_follows_what_tells_the_tags(solver):
    rate = {"learning_rate_init": 0.05} if solver == "adam" else {}
    given = {"solver": solver, "max_iter": 60, **rate}
    Z, tags = wheel(120)
    model = tagger(**given).fit(Z[:80], tags[:80])
    assert model.score(Z[80:], tags[80:]) > 0.99
    assert tagger(crf=False, **given).fit(Z[:80], tags[:80]).score(Z[80:], tags[80:]) < 0.7
    transitions = model.parameters_["chain.transitions"]
    assert_array_equal(transitions.argmax(axis=1), [1, 2, 0])


def test_tags_that_are_not_known_are_summed_over():
    Z, tags = wheel(160)
    rng = np.random.default_rng(1)
    known = [np.where(rng.random(len(t)) < 0.6, t, None) for t in tags]
    model = tagger(max_iter=80, learning_rate_init=0.05).fit(Z[:120], known[:120])
    assert model.score(Z[120:], tags[120:]) > 0.99


def test_what_was_never_seen_is_not_predicted():
    Z, tags = bio(150, noise=1.5)
    free, strict = (
        tagger(max_iter=4, crf=crf).fit(Z[:50], tags[:50]).predict(Z[50:])
        for crf in (False, "strict")
    )
    assert n_invalid(tags) == 0
    assert n_invalid(free) > 10
    assert n_invalid(strict) == 0


# Equations


def test_predictions_are_those_of_all_paths():
    model = tagger().fit(X, Y)
    rng = np.random.default_rng(0)
    for name in ("transitions", "start", "end"):
        array = model.parameters_[f"chain.{name}"]
        array[...] = rng.normal(size=array.shape)
    p = {name: model.parameters_[f"chain.{name}"] for name in ("transitions", "start", "end")}
    head = model.parameters_["head.weights"], model.parameters_["head.bias"]
    given = zip(model.transform_steps(X), model.predict(X), model.predict_proba(X), strict=True)
    for outputs, predicted, probabilities in given:
        _, path, marginals = naive.chain(p, outputs @ head[0] + head[1], [None] * len(outputs))
        assert_array_equal(predicted, model.classes_[list(path)])
        assert_allclose(probabilities, marginals, atol=1e-6)
    log = np.concatenate(list(model.predict_log_proba(X)))
    assert_allclose(np.exp(log), np.concatenate(list(model.predict_proba(X))), rtol=1e-5)


def test_improbable_tags_have_finite_logarithms():
    model = tagger().fit(X, Y)
    model.parameters_["chain.transitions"][:, 1] = -500
    p, log = model.predict_proba(X)[5], model.predict_log_proba(X)[5]
    assert len(p) > 1
    assert_array_equal(p[1:, 1], 0)
    assert (log[1:, 1] < -400).all()
    assert np.isfinite(log).all()
    assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


def test_the_loss_is_that_of_all_paths():
    model = tagger(max_iter=1, alpha=0, batch_size=30, dropout=0, learning_rate_init=1e-12)
    model.fit(X, Y)
    zeros = {"transitions": np.zeros((3, 3)), "start": np.zeros(3), "end": np.zeros(3)}
    head = model.parameters_["head.weights"], model.parameters_["head.bias"]
    total = sum(
        naive.chain(zeros, outputs @ head[0] + head[1], np.searchsorted(TAGS, tags))[0]
        for outputs, tags in zip(model.transform_steps(X), Y, strict=True)
    )
    assert model.loss_ == pytest.approx(total / sum(map(len, Y)), rel=1e-5)


# Forms


def test_alone_and_padded_as_in_a_batch():
    model = tagger(bidirectional=True).fit(X, Y)
    padded = pad(X, 12, np.nan)
    assert_same_model(tagger(bidirectional=True).fit(padded, Y), model)
    predicted, p = model.predict(X), model.predict_proba(X)
    for i, x in enumerate(X):
        assert_array_equal(model.predict([x])[0], predicted[i])
        assert_allclose(model.predict_proba([x])[0], p[i], atol=1e-6)
        assert_array_equal(model.predict(padded)[i], predicted[i])


def test_sequences_of_one_step_and_of_none():
    Z, tags = [*X, np.zeros((0, 2)), np.ones((1, 2))], [*Y, np.array([], str), TAGS[:1]]
    model = tagger(batch_size=2).fit(Z, tags)
    assert [len(part) for part in model.predict(Z)] == [len(x) for x in Z]
    assert [part.shape for part in model.predict_proba(Z[-2:])] == [(0, 3), (1, 3)]
    assert_same_model(tagger(batch_size=2).fit(Z[:-2], tags[:-2]), tagger(batch_size=2).fit(X, Y))


def test_sequences_of_equal_length():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(20, 5, 2))
    model = tagger().fit(Z, Z[..., 0] > 0)
    assert model.n_outputs_ == 2  # each of two tags has a score
    assert model.predict(Z).shape == (20, 5)
    assert model.predict(Z).dtype == bool
    assert model.predict_proba(Z).shape == (20, 5, 2)


def test_long_sequences_are_read_in_pieces(monkeypatch):
    model = tagger().fit(X, Y)
    expected = np.concatenate(list(model.predict(X)))
    monkeypatch.setattr("skgru._budget._MAX_PIECE_NUMBERS", 64)
    monkeypatch.setattr("skgru._budget._MAX_CHUNK_NUMBERS", 64)
    assert_array_equal(np.concatenate(list(model.predict(X))), expected)


# Weights


def test_a_weight_of_two_is_the_sequence_twice():
    weights = np.arange(12) % 3
    repeated = np.repeat(np.arange(12), weights)
    exact = {"solver": "lbfgs", "max_iter": 20, "dtype": "float64"}
    weighted = tagger(**exact).fit(X[:12], Y[:12], sample_weight=weights)
    twice = tagger(**exact).fit([X[i] for i in repeated], [Y[i] for i in repeated])
    for a, b in zip(weighted.predict_proba(X), twice.predict_proba(X), strict=True):
        assert_allclose(a, b, atol=1e-4)


def test_a_step_of_weight_zero_has_no_target():
    drawn = [np.random.default_rng(i).random(len(x)) < 0.7 for i, x in enumerate(X)]
    weighted = tagger().fit(X, Y, sample_weight=objects([w.astype(float) for w in drawn]))
    missing = tagger().fit(X, [np.where(w, t, None) for w, t in zip(drawn, Y, strict=True)])
    assert_same_model(weighted, missing)
    weights = [np.where(np.arange(len(x)) == 1, 2.0, 1.0) for x in X]
    with pytest.raises(ValueError, match=r"the same weight.*got 1.0 and 2.0 in sequence 1\."):
        tagger().fit(X, Y, sample_weight=objects(weights))
    assert 0 <= weighted.score(X, Y, sample_weight=objects(weights)) <= 1


# The ways of training


def test_the_score_is_that_of_the_paths():
    Z, tags = wheel(60)
    model = tagger(max_iter=20, learning_rate_init=0.05)
    model.fit(Z[:40], tags[:40], X_val=Z[40:], y_val=tags[40:])
    predicted = np.concatenate(list(model.predict(Z[40:])))
    assert model.score(Z[40:], tags[40:]) == accuracy_score(np.concatenate(tags[40:]), predicted)
    assert model.best_validation_score_ == pytest.approx(model.score(Z[40:], tags[40:]))
    one_by_one = np.concatenate([p.argmax(axis=1) for p in model.predict_proba(Z[40:])])
    assert (model.classes_[one_by_one] == predicted).mean() > 0.9


def test_partial_fit_and_warm_start_go_on():
    Z, tags = wheel(60)
    model = tagger(learning_rate_init=0.05, learning_rate="constant")
    for _ in range(40):
        model.partial_fit(Z, tags, classes=TAGS)
    assert model.score(Z, tags) > 0.95
    loss = model.loss_
    assert model.set_params(warm_start=True, max_iter=5).fit(Z, tags).loss_ < loss
    with pytest.raises(ValueError, match="expected crf=True, but the parameters now ask for"):
        model.set_params(crf=False).fit(Z, tags)


def test_what_comes_later_is_permitted_from_then_on():
    Z = [np.zeros((2, 1))]
    model = tagger(crf="strict", learning_rate="constant", learning_rate_init=1e-6)

    def permitted():
        return model.parameters_["chain.transitions"] > -1

    model.partial_fit(Z, [["a", "b"]], classes=TAGS)
    assert_array_equal(np.argwhere(permitted()), [[0, 1]])
    assert_array_equal(model.parameters_["chain.start"] > -1, [True, False, False])
    assert_array_equal(model.parameters_["chain.end"] > -1, [False, True, False])
    model.partial_fit(Z, [["c", "b"]])
    assert_array_equal(np.argwhere(permitted()), [[0, 1], [2, 1]])
    model.partial_fit(Z, [[None, "a"]])  # any tag may come before
    assert_array_equal(np.argwhere(permitted()), [[0, 0], [0, 1], [1, 0], [2, 0], [2, 1]])
    assert (model.parameters_["chain.start"] > -1).all()


def test_a_refused_fit_leaves_what_is_permitted():
    Z = [np.zeros((2, 1))] * 3
    model = tagger(crf="strict").fit(Z, [["a", "b"]] * 3)
    before = model.parameters_["chain.transitions"].copy()
    with pytest.raises(ValueError, match="validation set is too small"):
        model.set_params(warm_start=True, early_stopping=True).fit(Z, [["b", "a"]] * 3)
    assert_array_equal(model.parameters_["chain.transitions"], before)


def test_copies_predict_the_same():
    model = tagger(crf="strict").fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_same_model(again, model)
    assert_array_equal(np.concatenate(again.predict(X)), np.concatenate(model.predict(X)))
    assert clone(model).set_params(crf=True).crf is True


# Errors


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"pooling": "last"},
            "decides the tags of all steps of a sequence together: expected pool",
        ),
        ({"bptt_steps": 3}, "expected bptt_steps=None or crf=False, got bptt_steps=3"),
        ({"crf": "strikt"}, "Did you mean crf='strict'"),
    ],
)
def test_what_a_chain_does_not_go_with(parameters, message):
    with pytest.raises(ValueError, match=message):
        tagger(**parameters).fit(X, Y)


def test_several_labels_are_refused():
    labels = [(x > 0).astype(int) for x in X]
    with pytest.raises(ValueError, match=r"one tag for each step.*got 2 labels"):
        tagger().fit(X, labels)


@pytest.mark.parametrize("given", [{"label_smoothing": 0.1}, {"class_weight": {"a": 2.0}}])
def test_what_has_no_effect_is_said(given):
    plain = tagger().fit(X, Y)
    (name,) = given
    with pytest.warns(UserWarning, match=f"without effect: {name}=.* of whole sequences"):
        model = tagger(**given).fit(X, Y)
    assert_same_model(model, plain)
    assert plain.auto_params_["label_smoothing"] == 0
