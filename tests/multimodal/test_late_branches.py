"""Branches that take part in the last epochs only: those of tokens that are seldom seen."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skgru import MultimodalGRUClassifier, SeriesBranch, TableBranch, TokenBranch

N_EPOCHS = 5  # that make 10 updates


@pytest.fixture(autouse=True)
def updates(monkeypatch):
    """Have a max_iter of 'auto' mean a few epochs; return the function that says how many."""

    def make_as_many(n):
        monkeypatch.setattr("skgru._defaults._UPDATES", n)
        monkeypatch.setattr("skgru._defaults._UPDATES_OF_RARE_TOKENS", 2 * N_EPOCHS)

    make_as_many(2 * N_EPOCHS)
    return make_as_many


def make(n_tokens, n=60, seed=0):
    """Return texts of so many different tokens, series and ages, and two classes."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "note": pd.Series([rng.integers(2, n_tokens + 2, 6) for _ in range(n)], dtype=object),
            "pulse": pd.Series([rng.normal(size=4) for _ in range(n)], dtype=object),
            "age": rng.normal(size=n),
        }
    )
    return X, np.arange(n) % 2


def network(*names, note=None, **parameters):
    branches = {
        "note": TokenBranch(embedding_dim=3, hidden_layer_sizes=3, **(note or {})),
        "pulse": SeriesBranch(hidden_layer_sizes=3),
        "age": TableBranch(),
    }
    given = [(name, branches[name], [name] if name == "age" else name) for name in names]
    settings = {"random_state": 0, "hidden_layer_sizes": 3} | parameters
    return MultimodalGRUClassifier(given, **settings)


SELDOM, OFTEN = make(n_tokens=40), make(n_tokens=10)  # seen 9 and 36 times


def last_epochs(model, X, y):
    return model.fit(X, y).auto_params_["note__last_epochs"]


@pytest.mark.parametrize("beside", ["pulse", "age"])
def test_tokens_seldom_seen_join_for_the_last_two_epochs(beside):
    assert last_epochs(network("note", beside), *SELDOM) == 2
    assert last_epochs(network("note", beside), *OFTEN) == N_EPOCHS


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_rate": "constant"},
        {"early_stopping": True},
        {"solver": "lbfgs"},
        {"max_iter": 2},
        {"max_iter": 9},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_none_is_late_where_the_last_epochs_are_not_known(parameters):
    model = network("note", "age", **{"max_iter": N_EPOCHS} | parameters)
    assert last_epochs(model, *SELDOM) == model.max_iter
    X, y = SELDOM
    model = network("note", "age").partial_fit(X, y, classes=[0, 1])
    assert model.auto_params_["note__last_epochs"] == N_EPOCHS


def test_texts_alone_are_read_in_all_epochs():
    model = network("note").fit(*SELDOM)
    assert model.auto_params_["note__last_epochs"] == model.n_iter_


def test_epochs_are_those_that_the_other_branches_need(updates):
    updates(500)
    X, y = SELDOM
    of_table = network("age").fit(X, y).n_iter_
    assert network("note", "age").fit(X, y).n_iter_ == of_table
    assert network("note").fit(X, y).n_iter_ < of_table


@pytest.mark.parametrize("n_last", [1, 3, N_EPOCHS, 99, None])
def test_how_many_can_be_said(n_last):
    model = network("note", "age", note={"last_epochs": n_last}).fit(*OFTEN)
    whole = network("note", "age").fit(*OFTEN)
    is_late = n_last in (1, 3)
    same = np.array_equal(model.parameters_["head.weights"], whole.parameters_["head.weights"])
    assert same == (not is_late)


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_a_branch_is_as_it_was_drawn_until_it_joins(monkeypatch):
    X, y = SELDOM
    ended = []

    def stop(epoch):
        from skgru._engine.observers import History

        heard = History.on_epoch

        def on_epoch(self, state):
            heard(self, state)
            ended.append(state.epoch)
            return state.epoch == epoch

        monkeypatch.setattr(History, "on_epoch", on_epoch)

    stop(3)
    late = {"last_epochs": 2}
    before = network("note", "age", note=late).fit(X, y)
    others = network("note", "age", note={"last_epochs": 1}).fit(X, y)
    assert ended == [1, 2, 3] * 2
    names = [name for name in before.parameters_ if name.startswith("note.")]
    for name in names:
        assert_array_equal(before.parameters_[name], others.parameters_[name])
    assert not np.array_equal(before.parameters_["head.bias"], np.zeros(1))
    monkeypatch.undo()
    after = network("note", "age", note=late).fit(X, y)
    moved = [n for n in names if np.any(after.parameters_[n] != before.parameters_[n])]
    assert {"note.embedding.weights", "note.hidden_0.bias"} <= set(moved)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_is_named_where_it_has_no_effect():
    for parameters in ({"learning_rate": "constant"}, {"early_stopping": True}):
        model = network("note", "age", note={"last_epochs": 2}, max_iter=5, **parameters)
        with pytest.warns(UserWarning, match="note__last_epochs=2 .all branches take part"):
            model.fit(*OFTEN)


def test_a_step_branch_takes_part_in_all_epochs():
    X, y = SELDOM
    steps = [np.full(6, label) for label in y]
    model = network("note", "age", note={"pooling": None}).fit(X, steps)
    assert model.auto_params_["note__last_epochs"] == N_EPOCHS


def test_seldom_seen_texts_do_not_drown_the_other_branches(updates):
    """As many texts as are learned by heart, and a number that tells the class."""
    rng = np.random.default_rng(1)
    X, y = make(n_tokens=400, n=300)
    X["age"] = y + rng.normal(0, 0.7, len(y))
    fresh, truth = make(n_tokens=400, n=600, seed=2)
    fresh["age"] = truth + rng.normal(0, 0.7, len(truth))
    updates(600)
    settings = {"learning_rate_init": 0.02}
    alone = network("age", **settings).fit(X, y).score(fresh, truth)
    both = network("note", "age", **settings).fit(X, y).score(fresh, truth)
    always = network("note", "age", note={"last_epochs": None}, **settings)
    assert alone > 0.72
    assert both > alone - 0.03
    assert always.fit(X, y).score(fresh, truth) < both - 0.04


def test_the_training_does_not_end_before_each_branch_has_joined():
    """An age that tells the class at once leaves no loss long before the texts are read."""
    X, y = SELDOM
    X = X.assign(age=2.0 * y - 1)
    settings = {"max_iter": 60, "learning_rate_init": 0.1, "tol": 0.1, "n_iter_no_change": 2}
    assert network("age", **settings).fit(X, y).n_iter_ < 50
    model = network("note", "age", note={"last_epochs": 10}, **settings).fit(X, y)
    assert 50 < model.n_iter_ < 60
    assert np.any(model.parameters_["note.hidden_0.bias"] != 0)


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_a_branch_that_never_joined_says_nothing(monkeypatch, fusion):
    from skgru._engine.observers import History

    def interrupt(self, state):
        if state.epoch == 2:
            raise KeyboardInterrupt
        return False

    X, y = SELDOM
    other = X.assign(note=make(n_tokens=40, seed=5)[0]["note"])
    late = {"last_epochs": 2}
    whole = network("note", "age", note=late, fusion=fusion).fit(X, y)
    assert np.any(whole.predict_proba(other) != whole.predict_proba(X))
    monkeypatch.setattr(History, "on_epoch", interrupt)
    cut = network("note", "age", note=late, fusion=fusion).fit(X, y)
    assert_array_equal(cut.predict_proba(other), cut.predict_proba(X))
    assert np.any(cut.predict_proba(X.assign(age=-X["age"])) != cut.predict_proba(X))


# The trial


def needed(n=240, seed=0):
    """Return samples whose class is told by a word and the sign of a number together."""
    X, _ = make(n_tokens=100, n=n, seed=seed)
    rng = np.random.default_rng(seed)
    word, sign = rng.random((2, n)) < 0.5
    X["note"] = [np.append(ids, 200 + w) for ids, w in zip(X["note"], word, strict=True)]
    X["age"] = np.where(sign, 1, -1) * rng.uniform(0.5, 1.5, n)
    return X, (word ^ sign).astype(int)


def test_texts_that_are_needed_are_read_in_all_epochs(updates):
    updates(480)  # 60 epochs
    settings = {"learning_rate_init": 0.03, "hidden_layer_sizes": 16}
    (X, y), (fresh, truth) = needed(), needed(seed=1)
    model = network("note", "age", **settings).fit(X, y)
    assert model.auto_params_["note__last_epochs"] == 60
    assert model.score(fresh, truth) > 0.95
    late = network("note", "age", note={"last_epochs": 2}, **settings).fit(X, y)
    assert late.score(fresh, truth) < 0.65
    whole = network("note", "age", note={"last_epochs": None}, **settings).fit(X, y)
    assert whole.score(fresh, truth) > 0.95


def test_too_few_samples_for_a_trial_are_read_in_all_epochs():
    X, y = make(n_tokens=40, n=49)
    assert last_epochs(network("note", "age"), X, y) == N_EPOCHS
    assert last_epochs(network("note", "age"), *make(n_tokens=40, n=50)) == 2


def test_a_trial_says_nothing_and_changes_nothing(capsys):
    X, y = SELDOM
    model = network("note", "age", verbose=True).fit(X, y)
    assert capsys.readouterr().out.count(": epoch ") == N_EPOCHS
    assert len(model.loss_curve_) == model.n_iter_ == N_EPOCHS
    assert model.t_ == N_EPOCHS * len(y)
    again = network("note", "age").fit(X, y)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_those_from_outside_hear_nothing_of_a_trial(monkeypatch):
    from skgru._engine.fit import fit
    from skgru._engine.observers import Observer

    class Counts(Observer):
        n_begun = n_epochs = 0

        def on_begin(self, n_epochs, n_batches, now):
            self.n_begun += 1

        def on_epoch(self, state):
            self.n_epochs += 1
            return False

    counts = Counts()
    monkeypatch.setattr("skgru._base.fit", lambda r, m: fit(r._replace(observers=(counts,)), m))
    network("note", "age").fit(*SELDOM)
    assert (counts.n_begun, counts.n_epochs) == (1, N_EPOCHS)


def test_an_interrupted_trial_leaves_the_estimator_as_it_was(monkeypatch):
    from skgru._engine.observers import History

    def interrupt(self, state):
        raise KeyboardInterrupt

    monkeypatch.setattr(History, "on_epoch", interrupt)
    model = network("note", "age")
    with pytest.raises(KeyboardInterrupt):
        model.fit(*SELDOM)
    assert not hasattr(model, "branches_")


@pytest.mark.parametrize("early_stopping", [False, "auto"])
def test_a_class_with_one_sample_does_not_keep_a_trial_from_running(early_stopping):
    X, y = SELDOM
    y = np.where(np.arange(len(y)) == 7, 2, y)
    model = network("note", "age", early_stopping=early_stopping).fit(X, y)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.auto_params_["note__last_epochs"] in (2, N_EPOCHS)
