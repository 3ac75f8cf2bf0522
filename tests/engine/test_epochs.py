"""Epochs of a first-order optimizer: what observers hear, interrupts, losses not finite."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skgru import GRURegressor
from skgru._engine.batches import Order
from skgru._engine.epochs import Descent, Diverged, Group, epochs, run
from skgru._engine.observers import Observer
from skgru._engine.solvers import SOLVERS
from skgru._nn.optimizers import SGD, Adam
from skgru._nn.schedules import Constant, Cosine
from tests.datasets import ESTIMATORS, assert_same_model, flat, output, ragged, rectangle, small
from tests.training import EXPLOSION, Bowl, RaiseAt, Recorder, started, step_of


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_norm_of_the_gradient_is_bounded(estimator_class):
    X, y = rectangle()
    model = started(estimator_class, X, y)
    free = step_of(model, X, y)
    norm = np.linalg.norm(free)
    for bound in (0.01, 1e-3):
        assert bound * 0.1 < norm
        bounded = step_of(model.set_params(max_grad_norm=bound), X, y)
        assert_allclose(np.linalg.norm(bounded), bound * 0.1, rtol=1e-9)
        assert_allclose(bounded / np.linalg.norm(bounded), free / norm, atol=1e-9)
    assert_allclose(step_of(model.set_params(max_grad_norm=1e3), X, y), free, rtol=1e-12)


# Interrupts


@pytest.mark.parametrize("at_update", [1, 2, 3, 8], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_an_interrupt_leaves_a_usable_model_and_a_warning(monkeypatch, estimator_class, at_update):
    X, y = ragged(n=30)
    model = small(estimator_class, batch_size=10, max_iter=20)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, at_update))
    with pytest.warns(UserWarning, match="Training interrupted by user") as record:
        assert model.fit(X, y) is model
    assert [warning.filename for warning in record] == [__file__]
    assert model.n_iter_ == len(model.loss_curve_) == (at_update - 1) // 3
    assert model.t_ == 30 * model.n_iter_
    assert np.isfinite(output(model, X)).all()
    monkeypatch.undo()
    assert model.partial_fit(X, y).loss_ < np.inf


def test_an_interrupt_keeps_the_updates_so_far(monkeypatch):
    X, y = ragged(n=30)
    parameters = {"learning_rate": "constant", "shuffle": False, "batch_size": 10}
    model = small(GRURegressor, max_iter=20, **parameters)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 7))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    monkeypatch.undo()
    with pytest.warns(ConvergenceWarning):
        expected = small(GRURegressor, max_iter=2, **parameters).fit(X, y)
    assert_same_model(model, expected)


def test_an_interrupt_of_partial_fit(monkeypatch):
    X, y = ragged(n=30)
    model = small(GRURegressor, batch_size=10).partial_fit(X, y)
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2))
    with pytest.warns(UserWarning, match="Training interrupted by user") as record:
        model.partial_fit(X, y)
    assert [warning.filename for warning in record] == [__file__]
    assert np.isfinite(model.partial_fit(X, y).predict(X)).all()


# Losses that are not finite


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_loss_that_is_not_finite(estimator_class, dtype):
    X, y = rectangle()
    rate = {"learning_rate_init": 1e200} if dtype == "float64" else {}
    model = small(estimator_class, **EXPLOSION | rate, dtype=dtype)
    with pytest.raises(ValueError, match="loss is no longer finite") as info:
        model.fit(X, y)
    for cause in ("learning_rate_init=1e+", "scaling='auto'", "max_grad_norm=None"):
        assert cause in str(info.value)
    assert np.isfinite(flat(model)).all()
    assert np.isfinite(output(model, X)).all()
    # No epoch was finished: the weights are the first ones.
    start = small(estimator_class, learning_rate_init=1e-30, max_iter=1, dtype=dtype).fit(X, y)
    assert_allclose(flat(model), flat(start), rtol=0, atol=1e-29)
    assert (model.n_iter_, model.t_, model.loss_curve_) == (0, 0, [])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_weights_go_back_to_those_of_the_last_finite_epoch(method):
    X, y = rectangle()
    model = small(GRURegressor, warm_start=True, max_iter=5, solver="sgd").fit(X, y)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match="loss is no longer finite"):
        getattr(model.set_params(**EXPLOSION), method)(X, y)
    assert_same_model(model, before)
    assert model.loss_curve_ == before.loss_curve_
    assert_array_equal(model.predict(X), before.predict(X))


@pytest.mark.parametrize("solver", [k for k, v in SOLVERS.items() if v.is_stochastic])
def test_training_can_go_on_after_a_loss_that_was_not_finite(solver):
    X, y = rectangle()
    model = small(GRURegressor, **EXPLOSION | {"solver": solver, "learning_rate_init": 0.01})
    model.partial_fit(X, y)
    with pytest.raises(ValueError, match="loss is no longer finite"):
        model.set_params(learning_rate_init=1e38).partial_fit(X, y)
    model.set_params(learning_rate_init=0.01)
    losses = [model.partial_fit(X, y).loss_ for _ in range(3)]
    assert losses[2] < losses[0]


# Epochs as a generator

CENTERS = np.arange(10.0)


def descent_of(bowl, rate=0.1, **others):
    """Return updates by plain gradient descent."""
    schedule = Constant(rate)
    counts = {"max_grad_norm": None, "n_updates": 0, "n_planned": 100, "n_seen": 0}
    return Descent([Group(SGD(bowl.theta, momentum=0))], schedule, **counts | others)


def start(bowl, recorder, n_epochs=3, batch_size=4, **options):
    """Return the generator of the epochs."""
    order = Order(batch_size, shuffle=False)
    descent = descent_of(bowl, **options)
    return epochs(bowl, order, descent, n_epochs, np.random.RandomState(0), recorder)


def by_hand(n_epochs, rate=0.1, batch_size=4):
    """Return θ and the losses of the batches of each epoch."""
    theta, thetas, losses = 0.0, [], []
    for _ in range(n_epochs):
        of_epoch = []
        for i in range(0, len(CENTERS), batch_size):
            distance = theta - CENTERS[i : i + batch_size]
            of_epoch.append(0.5 * np.square(distance).mean())
            theta -= rate * distance.mean()
        thetas.append(theta)
        losses.append(of_epoch)
    return thetas, losses


def test_observers_hear_of_every_update_and_of_every_epoch():
    bowl, recorder = Bowl(CENTERS), Recorder()
    assert run(start(bowl, recorder), recorder) == "max_iter"
    thetas, losses = by_hand(3)
    expected = []
    for epoch, of_batches in enumerate(losses, 1):
        expected += [("batch", epoch, batch, loss) for batch, loss in enumerate(of_batches, 1)]
        # Of the mean over the sequences, the last batch of 2 has less than those of 4.
        expected.append(("epoch", epoch, np.dot(of_batches, [0.4, 0.4, 0.2])))
    expected.append(("end", "max_iter"))
    assert [event[:-1] for event in recorder.heard] == [event[:-1] for event in expected]
    numbers = [[e[-1] for e in events[:-1]] for events in (recorder.heard, expected)]
    assert_allclose(*numbers, rtol=1e-12)
    assert_allclose(np.ravel(recorder.thetas), thetas, rtol=1e-12)
    assert_allclose(bowl.theta, thetas[-1:], rtol=1e-12)


def test_the_state_says_how_much_there_is_and_is_one_object():
    states = list(start(Bowl(CENTERS), Recorder(), n_epochs=2))
    assert states[0] is states[1]
    state = states[0]
    assert (state.n_epochs, state.n_batches, state.n_sequences) == (2, 3, 10)
    assert (state.epoch, state.batch, state.score) == (2, 3, None)


def test_an_observer_may_end_the_training_after_an_epoch():
    bowl, recorder = Bowl(CENTERS), Recorder(ends_at=2)
    assert run(start(bowl, recorder, n_epochs=9), recorder) == "converged"
    assert [epoch for epoch, _ in recorder.all_of("epoch")] == [1, 2]
    assert len(recorder.all_of("batch")) == 6
    assert recorder.heard[-1] == ("end", "converged")
    assert_allclose(bowl.theta, by_hand(2)[0][-1:], rtol=1e-12)


def test_no_score_is_left_of_the_epoch_before():
    states = start(Bowl(CENTERS), Recorder())
    for state in states:
        assert state.score is None
        state.score = 0.5


def test_updates_and_sequences_are_counted_for_the_schedule():
    class Spy(Constant):
        def rate(self, progress, n_samples_seen):
            asked.append((progress, n_samples_seen))
            return self.initial

    asked, bowl = [], Bowl(CENTERS)
    descent = descent_of(bowl, n_updates=3, n_planned=12, n_seen=10)
    descent.schedule = Spy(0.1)
    list(epochs(bowl, Order(4), descent, 2, np.random.RandomState(0), Observer()))
    assert_allclose([progress for progress, _ in asked], (np.arange(3, 9) + 0.5) / 12)
    assert [seen for _, seen in asked] == [10] * 3 + [20] * 3
    assert (descent.n_updates, descent.n_seen) == (9, 30)


def test_an_epoch_of_long_steps_is_bounded_by_the_norm():
    bowl = Bowl([100.0])
    list(start(bowl, Recorder(), n_epochs=5, batch_size=1, max_grad_norm=2.0))
    assert_allclose(bowl.theta, 5 * 0.1 * 2.0)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_closed_early_it_leaves_a_finite_theta(spoiled):
    bowl = Bowl(CENTERS)
    states = start(bowl, Recorder())
    next(states)
    after_one = bowl.theta.copy()
    states.close()
    assert_array_equal(bowl.theta, after_one)
    states = start(bowl, Recorder())
    next(states)
    after_two = bowl.theta.copy()
    bowl.theta[:] = spoiled
    states.close()
    assert_array_equal(bowl.theta, after_two)


@pytest.mark.parametrize("spoils", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_error_between_updates_leaves_a_finite_theta(error, spoils):
    def stop():
        updated.append(bowl.theta.copy())
        if spoils:
            bowl.theta[:] = np.nan
        raise error

    updated, bowl = [], Bowl(CENTERS)
    recorder = Recorder(on={5: stop})
    if error is KeyboardInterrupt:
        assert run(start(bowl, recorder), recorder) == "interrupted"
        assert recorder.heard[-1] == ("end", "interrupted")
    else:
        with pytest.raises(MemoryError):
            run(start(bowl, recorder), recorder)
        assert not recorder.all_of("end")
    # Updates since the last whole epoch are kept, if they are numbers.
    assert len(recorder.thetas) == 1
    assert updated[0] != recorder.thetas[0]
    assert_array_equal(bowl.theta, recorder.thetas[0] if spoils else updated[0])


@pytest.mark.parametrize("what", ["the loss", "the gradient", "theta"])
@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_what_is_not_finite_ends_the_training_after_the_epoch(what, spoiled):
    def spoil():
        if what == "the loss":
            bowl.extra = spoiled
        else:
            (bowl.centers if what == "the gradient" else bowl.theta)[:] = spoiled

    for as_generator in (True, False):
        bowl = Bowl(CENTERS)
        recorder = Recorder(on={6 if what == "theta" else 4: spoil})
        states = start(bowl, recorder)
        if as_generator:
            after_one = next(states).theta.copy()
            with pytest.raises(Diverged), np.errstate(invalid="ignore"):
                next(states)
        else:
            with np.errstate(invalid="ignore"):
                assert run(states, recorder) == "diverged"
            assert recorder.heard[-1] == ("end", "diverged")
            (after_one,) = recorder.thetas  # of the second epoch no one hears
        assert len(recorder.all_of("batch")) == 6
        assert_array_equal(bowl.theta, after_one)
        assert next(states, None) is None


# Groups of parameters

SCHEDULE = Cosine(0.1, 0.1)


def descent_in(groups, n_planned=20):
    return Descent(groups, SCHEDULE, None, n_updates=0, n_planned=n_planned, n_seen=0)


def descend(groups, theta, n_updates=20):
    """Return θ after updates with gradients of chance, and which branches were silent before."""
    theta, rng, silent = theta.copy(), np.random.default_rng(0), []
    descent = descent_in(groups)
    for _ in range(n_updates):
        silent.append(descent.silent)
        descent.step(theta, rng.normal(size=len(theta)))
    return theta, silent


@pytest.mark.parametrize("optimizer", [Adam, SGD])
def test_groups_from_the_start_are_as_one(optimizer):
    theta = np.arange(1.0, 7.0)
    whole, _ = descend([Group(optimizer(theta, n_decayed=4))], theta)
    first, second = np.array([0, 2, 5]), np.array([1, 3, 4])
    groups = [
        Group(optimizer(theta[first], n_decayed=2), first),
        Group(optimizer(theta[second], n_decayed=2), second),
    ]
    assert_array_equal(descend(groups, theta)[0], whole)


def test_a_late_group_has_a_schedule_and_an_optimizer_of_its_own():
    theta, late, rest = np.arange(1.0, 7.0), np.array([1, 4]), np.array([0, 2, 3, 5])
    groups = [Group(Adam(theta[rest]), rest), Group(Adam(theta[late]), late, 12, "note")]
    found, silent = descend(groups, theta)
    assert silent == [{"note"}] * 12 + [set()] * 8
    gradients = np.random.default_rng(0).normal(size=(20, 6))
    expected, optimizer = theta[late].copy(), Adam(theta[late])
    for i, gradient in enumerate(gradients[12:]):
        optimizer.step(expected, gradient[late], SCHEDULE.rate((i + 0.5) / 8, 0))
    assert_array_equal(found[late], expected)
    assert_array_equal(descend(groups[:1], theta)[0][late], theta[late])
