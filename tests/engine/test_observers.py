"""The observers of the training: patience, validation, best weights, history."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgru import GRUClassifier, GRURegressor
from skgru._engine.fit import fit
from skgru._engine.observers import (
    BestWeights,
    History,
    Observer,
    Observers,
    Patience,
    State,
    Validated,
    Validation,
)
from skgru._engine.solvers import SOLVERS
from skgru._nn.optimizers import Adam
from tests.datasets import ESTIMATORS, assert_same_model, flat, ragged, rectangle, small
from tests.training import RaiseAt, Recorder, validation_data

# Patience


def epochs_of(estimator_class, mlp_class, X, y, **parameters):
    """Return how many epochs the estimator and the multi-layer perceptron train."""
    shared = {"random_state": 0, "max_iter": 2000, "learning_rate_init": 0.001, **parameters}
    gru = small(estimator_class, **{"learning_rate": "constant"} | shared).fit(X, y)
    mlp = mlp_class(hidden_layer_sizes=4, **shared).fit(X[:, :, 0], y)
    assert len(gru.loss_curve_) == gru.n_iter_
    return gru.n_iter_, mlp.n_iter_


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"tol": 10.0, "n_iter_no_change": 3}, 5),
        ({"tol": 10.0, "n_iter_no_change": 1, "solver": "sgd"}, 3),
        ({"tol": 10.0, "n_iter_no_change": 4, "early_stopping": True}, 6),
        # From 0.001 five divisions until the rate is at most 1e-6, after 1 + 3 epochs, then 3 each.
        (
            {"tol": 10.0, "n_iter_no_change": 2, "solver": "sgd", "learning_rate": "adaptive"},
            1 + 3 * 6,
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("estimator_class", "mlp_class"), [(GRUClassifier, MLPClassifier), (GRURegressor, MLPRegressor)]
)
def test_patience_is_that_of_the_multi_layer_perceptron(
    estimator_class, mlp_class, parameters, expected
):
    X, y = rectangle(n=40)
    assert epochs_of(estimator_class, mlp_class, X, y, **parameters) == (expected, expected)


def test_infinite_patience():
    X, y = rectangle()
    model = small(GRUClassifier, tol=10.0, n_iter_no_change=np.inf, max_iter=30)
    with pytest.warns(UserWarning, match=r"tol=10\.0 \(there are no more epochs than n_iter"):
        model.fit(X, y)
    assert model.n_iter_ == 30


def test_an_improvement_of_less_than_tol_is_none():
    X, y = rectangle()
    # At such a rate the loss falls in each epoch, by very little.
    parameters = {"learning_rate": "constant", "learning_rate_init": 1e-6, "n_iter_no_change": 2}
    parameters |= {"dtype": "float64", "max_iter": 20}
    with pytest.warns(ConvergenceWarning):
        model = small(GRUClassifier, tol=0, **parameters).fit(X, y)
    assert (np.diff(model.loss_curve_) < 0).all()
    assert small(GRUClassifier, tol=1e-3, **parameters).fit(X, y).n_iter_ == 4


# Validation and the best weights


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_early_stopping_gives_the_weights_of_the_best_score(estimator_class, weighted):
    X, y, X_val, y_val = validation_data()
    weights = 1.0 + np.arange(30) % 4 if weighted else None
    model = small(
        estimator_class,
        early_stopping=True,
        learning_rate="constant",
        learning_rate_init=0.1,
        n_iter_no_change=5,
        max_iter=100,
    )
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    scores = model.validation_scores_
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ < 100
    assert scores[-1] < max(scores), "the last weights are the best: nothing is tested"
    assert_allclose(model.best_validation_score_, max(scores))
    assert_allclose(model.score(X_val, y_val, weights), max(scores), rtol=1e-5)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_early_stopping_with_a_part_of_the_training_data(estimator_class):
    X, y = ragged(n=60)
    parameters = {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "learning_rate": "constant",
        "learning_rate_init": 0.1,
        "n_iter_no_change": 5,
    }
    model = small(estimator_class, max_iter=100, **parameters).fit(X, y)
    assert model.t_ == model.n_iter_ * 42
    scores = model.validation_scores_
    best = int(np.flatnonzero(scores == np.max(scores))[-1])  # of equal ones the last
    assert best < model.n_iter_ - 1
    with pytest.warns(ConvergenceWarning):
        until_then = small(estimator_class, max_iter=best + 1, **parameters).fit(X, y)
    assert until_then.validation_scores_ == model.validation_scores_[: best + 1]
    assert_same_model(model, until_then)


def test_an_interrupt_of_early_stopping_restores_the_best_weights(monkeypatch):
    X, y, X_val, y_val = validation_data()
    parameters = {"learning_rate_init": 0.1, "max_iter": 50, "n_iter_no_change": 50}
    model = small(GRUClassifier, early_stopping=True, **parameters)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 20))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ == 19
    assert model.score(X_val, y_val) == model.best_validation_score_ > model.validation_scores_[0]
    assert model.best_validation_score_ > model.validation_scores_[-1]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_validation_data_alone_only_keep_the_scores(estimator_class, solver):
    X, y, X_val, y_val = validation_data()
    parameters = {"solver": solver, "max_iter": 8, "dtype": "float64", "early_stopping": False}
    plain = small(estimator_class, **parameters).fit(X, y)
    watched = small(estimator_class, **parameters)
    watched.fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_model(watched, plain)
    assert watched.loss_curve_ == plain.loss_curve_
    assert len(watched.validation_scores_) == watched.n_iter_
    assert_allclose(watched.validation_scores_[-1], watched.score(X_val, y_val))
    assert_allclose(watched.best_validation_score_, max(watched.validation_scores_))
    assert watched.best_loss_ == plain.best_loss_ == min(plain.loss_curve_)
    assert plain.validation_scores_ is None
    assert plain.best_validation_score_ is None


# Observers by themselves


def state_after(epoch, loss=0.5, score=None, theta=0.0, n_sequences=10):
    return State(np.array([theta]), 9, 3, n_sequences, epoch, 3, loss, score)


class HearsOfEpochs(Observer):
    """Hears of epochs alone; notes its name, and ends the training or not."""

    def __init__(self, name, heard, ends=False):
        self.name, self.heard, self.ends = name, heard, ends

    def on_epoch(self, state):
        self.heard.append(self.name)
        return self.ends

    def on_end(self, outcome):
        self.heard.append((self.name, outcome))


@pytest.mark.parametrize("ends", [(False, False), (True, False), (False, True), (True, True)])
def test_all_observers_hear_of_an_epoch_though_the_first_ends_the_training(ends):
    heard = []
    parts = [HearsOfEpochs(name, heard, end) for name, end in zip("ab", ends, strict=True)]
    observers = Observers(parts)
    assert observers.on_epoch(state_after(1)) == any(ends)
    observers.on_end("converged")
    assert heard == ["a", "b", ("a", "converged"), ("b", "converged")]


def test_those_that_care_for_batches_hear_of_them_in_their_order():
    first, second = Recorder(), Recorder()
    observers = Observers([first, History(), HearsOfEpochs("a", []), second])
    observers.on_batch(state_after(2, loss=0.25))
    assert first.heard == second.heard == [("batch", 2, 3, 0.25)]


def test_an_observer_may_do_nothing():
    observer = Observer()
    observer.on_batch(state_after(1))
    assert observer.on_epoch(state_after(1)) is False
    observer.on_end("max_iter")


def test_the_history_goes_on_from_calls_before():
    history = History(t=30, loss=0.75, loss_curve=[0.75], best_loss=0.75)
    assert not history.on_epoch(state_after(1, loss=0.5, score=0.6))
    assert not history.on_epoch(state_after(2, loss=0.625, score=0.4))
    assert (history.n_iter, history.t, history.loss) == (2, 50, 0.625)
    assert history.loss_curve == [0.75, 0.5, 0.625]
    assert history.validation_scores == [0.6, 0.4]
    assert (history.best_loss, history.best_validation_score) == (0.5, 0.6)
    assert not History().on_epoch(state_after(1))
    assert History().validation_scores == []


def test_the_validation_score_is_there_for_those_that_hear_next():
    scores, history = iter([Validated(2.0, 0.5), Validated(3.0, 0.25)]), History()
    observers = Observers([Validation(lambda: next(scores)), history])
    for epoch in (1, 2):
        state = state_after(epoch)
        assert not observers.on_epoch(state)
    assert state.score == 0.25
    assert history.validation_scores == [0.5, 0.25]
    assert history.validation_losses == [2.0, 3.0]


@pytest.mark.parametrize(
    ("scores", "best_before", "kept"),
    [
        ([0.1, 0.9, 0.5], -np.inf, 2),
        ([0.1, 0.9, 0.9, 0.5], -np.inf, 3),  # of equal scores the last
        ([0.1, 0.2], 0.9, 0),  # earlier calls were better
        ([np.nan, 0.2, np.nan], -np.inf, 2),
        ([np.nan, np.nan], -np.inf, 2),  # no number at all: the last
        ([np.nan, np.nan], 0.9, 0),
    ],
)
@pytest.mark.parametrize("outcome", ["converged", "max_iter", "interrupted", "diverged"])
def test_the_best_weights_come_back(scores, best_before, kept, outcome):
    theta, history = np.array([0.0]), History(best_validation_score=best_before)
    observers = Observers([BestWeights(history, theta), history])
    for epoch, score in enumerate(scores, 1):
        theta[:] = epoch
        state = state_after(epoch, score=score)
        state.theta = theta
        assert not observers.on_epoch(state)
    theta[:] = 99
    observers.on_end(outcome)
    assert theta[0] == (99 if outcome == "diverged" else kept)


def test_before_the_first_epoch_there_are_no_best_weights():
    theta = np.array([0.0])
    best = BestWeights(History(), theta)
    theta[:] = 99  # updates of an epoch that was interrupted
    best.on_end("interrupted")
    assert theta[0] == 99


def test_patience_counts_epochs_in_a_row_without_gain():
    gains = iter([True, False, False, True, False, False, False])
    patience = Patience(lambda state: next(gains), 2, lambda: True)
    assert [patience.on_epoch(state_after(i)) for i in range(7)] == [False] * 6 + [True]


def test_patience_starts_anew_where_it_is_not_the_end():
    ends = iter([False, False, True])
    patience = Patience(lambda state: False, 1, lambda: next(ends))
    assert [patience.on_epoch(state_after(i)) for i in range(6)] == [False] * 5 + [True]


def test_those_that_end_the_training_hear_of_an_epoch_before_the_history():
    # Told of after the history, no loss would be below the lowest one so far.
    X, y = rectangle()
    parameters = {"learning_rate": "constant", "learning_rate_init": 0.02, "dtype": "float64"}
    model = small(GRUClassifier, tol=1e-6, n_iter_no_change=1, max_iter=8, **parameters)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert (np.diff(model.loss_curve_) < -1e-6).all()
    assert model.n_iter_ == 8
    # The same of the score: nothing is above the highest one so far by `tol`.
    told = {"X_val": X, "y_val": y}
    parameters |= {"early_stopping": True, "n_iter_no_change": 1, "tol": 1e-9, "max_iter": 8}
    model = small(GRURegressor, **parameters)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, X[:, -1, 0], **told | {"y_val": X[:, -1, 0]})
    assert (np.diff(model.validation_scores_) > 0).all()
    assert model.n_iter_ == 8


# Observers from outside


class Watcher(Observer):
    """Notes the events, and after each epoch keeps what a fit would be that ended there."""

    outcome = "stopped"

    def __init__(self, ends_at=0):
        self.ends_at, self.heard, self.fitted = ends_at, [], []

    def on_begin(self, n_epochs, n_batches, now):
        self.now = now
        self.heard.append(("begin", n_epochs, n_batches))

    def on_epoch_begin(self, state):
        self.heard.append(("epoch begins", state.epoch, state.score))

    def on_batch(self, state):
        self.heard.append(("batch", state.epoch, state.batch))

    def on_epoch(self, state):
        self.heard.append(("epoch", state.epoch))
        self.fitted.append(self.now())
        return state.epoch == self.ends_at

    def on_end(self, outcome):
        self.heard.append(("end", outcome))


@pytest.fixture
def watch(monkeypatch):
    """Return a function that has the next fits watched, and what watches them."""

    def watch(**options):
        watcher = Watcher(**options)

        def watched(request, map_):
            return fit(request._replace(observers=(watcher,)), map_)

        monkeypatch.setattr("skgru._base.fit", watched)
        return watcher

    return watch


def test_what_is_heard_from_outside_and_when(watch):
    watcher = watch()
    small(GRUClassifier, max_iter=2, batch_size=10).fit(*ragged(n=20))
    expected = [("begin", 2, 2)]
    for i in (1, 2):
        expected += [("epoch begins", i, None), ("batch", i, 1), ("batch", i, 2), ("epoch", i)]
    assert watcher.heard == [*expected, ("end", "max_iter")]


def test_an_iteration_of_lbfgs_begins_before_its_evaluations(watch):
    watcher = watch()
    model = small(GRUClassifier, solver="lbfgs", max_iter=3).fit(*ragged())
    assert watcher.heard[0] == ("begin", 3, 1)
    of_epochs = [event[:2] for event in watcher.heard[1:-1] if event[0] != "batch"]
    assert of_epochs == [(w, i) for i in (1, 2, 3) for w in ("epoch begins", "epoch")]
    running = 0
    for what, epoch, *_ in watcher.heard[1:-1]:
        running = epoch if what == "epoch begins" else running
        assert epoch == running
    assert len(watcher.fitted) == model.n_iter_ == 3


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_state_now_is_that_of_a_fit_that_ends_there(watch, solver):
    X, y = ragged()
    rate = {} if solver == "lbfgs" else {"learning_rate": "constant"}
    rate["dtype"] = "float64"  # as in training
    model = small(GRUClassifier, solver=solver, max_iter=4, **rate)
    watcher = watch()
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    thetas = [fitted.model.theta for fitted in watcher.fitted]
    for epoch, fitted in enumerate(watcher.fitted, 1):
        watch()
        with pytest.warns(ConvergenceWarning):
            until = small(GRUClassifier, solver=solver, max_iter=epoch, **rate).fit(X, y)
        np.testing.assert_array_equal(fitted.model.theta, until._state["theta"], strict=True)
        assert fitted.history.loss_curve == until.loss_curve_
        assert fitted.history.n_iter == epoch
    assert not np.array_equal(thetas[0], thetas[1])
    # The training has nothing of it.
    for theta in thetas:
        theta[:] = 0
    assert flat(model).any()


def test_the_state_now_has_the_best_weights_where_the_training_stops_early(watch):
    X, y, X_val, y_val = validation_data()
    watcher = watch()
    parameters = {"early_stopping": True, "learning_rate": "constant", "learning_rate_init": 0.1}
    model = small(GRUClassifier, n_iter_no_change=5, max_iter=100, **parameters)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    scores = [fitted.history.best_validation_score for fitted in watcher.fitted]
    assert scores[-1] > model.validation_scores_[-1]
    np.testing.assert_array_equal(watcher.fitted[-1].model.theta, model._state["theta"])


def test_the_state_now_of_partial_fit_goes_on(watch):
    X, y = ragged()
    model = small(GRUClassifier).partial_fit(X, y, classes=[0, 1])
    watcher = watch()
    model.partial_fit(X, y)
    (fitted,) = watcher.fitted
    for name, array in model._state["optimizers"]["adam"].items():
        np.testing.assert_array_equal(fitted.optimizer_states["adam"][name], array)
        assert not np.shares_memory(fitted.optimizer_states["adam"][name], array)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_observer_from_outside_stops_the_training(watch, solver):
    watcher = watch(ends_at=2)
    model = small(GRUClassifier, solver=solver, max_iter=9).fit(*ragged())  # and nothing is warned
    assert model.n_iter_ == 2
    assert watcher.heard[-1] == ("end", "stopped")


def test_of_several_observers_that_end_the_training_the_first_names_the_outcome():
    for parts in ([Watcher(ends_at=1), Recorder(ends_at=1)], [Watcher(), Recorder(ends_at=1)]):
        for part in parts:
            part.on_begin(1, 1, lambda: None)
        observers = Observers(parts)
        assert observers.on_epoch(state_after(1))
        assert observers.outcome == ("stopped" if parts[0].ends_at else "converged")
