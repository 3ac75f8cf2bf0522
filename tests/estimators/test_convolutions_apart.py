"""Random convolutions that are fitted apart from the network, and joined to it."""

import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import RidgeClassifierCV

from skgru import GRUClassifier, GRURegressor
from skgru._data.random_kernels import features_of
from skgru._engine.convolutions_apart import joined, parted
from skgru._engine.model import parse_inputs
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._engine.observers import History
from skgru._engine.predict import run_network
from skgru._nn.convolutions import N_KERNELS
from skgru.inspection import attributions
from tests.estimators.test_checkpoints import assert_same_fit, broken_off, needs_callbacks
from tests.estimators.test_convolutions import bursts

FEW = 3 * N_KERNELS
OPTIONS = {"n_convolutions": FEW, "hidden_layer_sizes": 6, "max_iter": 3, "random_state": 0}
small = partial(GRUClassifier, **OPTIONS)
X, Y = bursts(120)
NEW, Y_NEW = bursts(30, seed=1)


def sequences(model, X):
    fitted = model._fitted_model()
    return {key: p.sequences for key, p in parse_inputs(fitted.own_inputs, model._open(X)).items()}


def factor(model):
    return model._fitted_model().beside["convolutions"].factor


def features(model, X):
    fitted = model._fitted_model()
    steps = fitted.beside["convolutions"].steps_of(sequences(model, X)[""], np.float64)
    stack = fitted.network.branches["convolutions"].stack
    p = fitted.parameters.section(stack.kernels_name)
    return features_of(stack.kernels, {name: a.astype(float) for name, a in p.items()}, steps)


def order(n=160, n_steps=60):
    """Return series with a step up and a step down, and which comes first."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(0, 0.3, (n, n_steps, 1)), np.arange(n) % 2
    for x, label in zip(X, y, strict=True):
        first, second = np.sort(rng.choice(n_steps // 6, 2, replace=False)) * 6
        for start, sign in zip((first, second), (1, -1), strict=True):
            x[start : start + 6, 0] += 2 * sign * (1 - 2 * label) * np.array([1, 1, 1, -1, -1, -1])
    return X, y


@pytest.mark.parametrize("n", [99, 100, 110, 111])
def test_only_where_there_are_enough_for_a_trial_and_few_enough_for_a_ridge(n, monkeypatch):
    monkeypatch.setattr("skgru._defaults._MOST_TO_FIT_APART", 110)
    model = small().fit(X[:n], Y[:n])
    assert (factor(model) is not None) == (100 <= n <= 110)
    # A part of a training has no trial.
    later = small(max_iter="auto").partial_fit(X, Y, classes=[0, 1]).partial_fit(X, Y)
    assert factor(later) is None


def test_features_that_cannot_be_held_are_trained_with_the_network(monkeypatch):
    monkeypatch.setattr("skgru._data.random_kernels._MOST_BYTES", 120 * FEW * 8 - 1)
    assert factor(small().fit(X, Y)) is None
    monkeypatch.setattr("skgru._data.random_kernels._MOST_BYTES", 120 * FEW * 8)
    assert factor(small().fit(X, Y)) is not None


@pytest.mark.parametrize("n_classes", [2, 3])
def test_they_are_the_ridge_regression_of_scikit_learn_and_the_network_that_was_trained(n_classes):
    y = np.arange(len(X)) % n_classes
    model = small(dtype="float64").fit(X, y)
    parts = parted(model._fitted_model(), "convolutions")
    ridge = RidgeClassifierCV(np.logspace(-3, 4, 15)).fit(features(model, X), y)
    decisions = ridge.decision_function(features(model, NEW)).reshape(len(NEW), -1)
    of_linear = parts.convolutions.raw(sequences(model, NEW))
    own = (of_linear / decisions)[0, 0]
    assert own > 0
    assert_allclose(of_linear, own * decisions, rtol=0, atol=1e-6 * own)
    # The same network as of a training that knows nothing of convolutions, times its factor.
    plain = small(dtype="float64", n_convolutions=0)
    steps = parts.steps_of(sequences(model, NEW), np.float64)
    of_network = run_network(parts.network, parts.parameters, steps)
    raw = factor(model) * of_network + of_linear
    assert_allclose(model._fitted_model().loss.activate(raw), proba(model, NEW), atol=1e-9)
    assert 0 < factor(model) <= 1
    assert len(parts.theta) == len(plain.fit(X, y)._fitted_model().theta)


def proba(model, X):
    """Return the probabilities as the loss has them."""
    p = model.predict_proba(X)
    return p[:, 1:] if p.shape[1] == 2 else p


def test_parting_and_joining_change_nothing():
    fitted = small(dtype="float64").fit(X, Y)._fitted_model()
    again = joined(parted(fitted, "convolutions"))
    assert again.spec == fitted.spec
    assert_allclose(again.theta, fitted.theta, rtol=1e-14)
    assert again.beside["convolutions"].factor == fitted.beside["convolutions"].factor


def test_what_the_recurrence_alone_knows_is_not_drowned():
    series, y = order()
    options = {"hidden_layer_sizes": 16, "max_iter": 40, "random_state": 0}
    kinds = {"n_convolutions": 1932}, {"n_convolutions": 0}
    scores = [
        GRUClassifier(**options, **kind).fit(series[:120], y[:120]).score(series[120:], y[120:])
        for kind in kinds
    ]
    assert min(scores) > 0.9


def test_targets_are_smoothed_as_without_them():
    assert small().fit(X, Y).auto_params_["label_smoothing"] == 0.05
    assert small().fit(X[:99], Y[:99]).auto_params_["label_smoothing"] == 0.02


@pytest.mark.filterwarnings("ignore:.*iterations")
def test_a_training_goes_on_with_the_network_alone():
    model = small(warm_start=True, learning_rate="constant").fit(X, Y)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict_proba(NEW), model.predict_proba(NEW))
    before = {name: values.copy() for name, values in model.parameters_.items()}
    for go_on in (lambda m: m.fit(X, Y), lambda m: m.partial_fit(X, Y)):
        assert_array_equal(go_on(loaded).predict_proba(NEW), go_on(model).predict_proba(NEW))
        for name, values in model.parameters_.items():
            is_apart = name.startswith("convolutions.")
            assert np.array_equal(values, before[name]) == is_apart, name
        assert factor(model) == factor(loaded)
        assert model.auto_params_["label_smoothing"] == 0.05


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_training_that_broke_off_goes_on_as_if_it_had_not(tmp_path, early_stopping):
    def make():
        return small(max_iter=6, warm_start=True, early_stopping=early_stopping)

    loaded = broken_off(make, 2, tmp_path, X, Y)
    assert np.isfinite(loaded.predict_proba(NEW)).all()
    assert_same_fit(loaded.fit(X, Y), make().fit(X, Y))


def test_what_is_held_out_is_new_to_both_and_scored_by_both():
    y = np.random.RandomState(0).randint(2, size=len(X))
    options = {"early_stopping": True, "validation_fraction": 0.4, "max_iter": 5}
    model = small(**options, n_convolutions=1932).fit(X, y)
    assert model.score(X, y) > 0.75
    assert max(model.validation_scores_) < 0.7
    given = small(max_iter=4, early_stopping=True).fit(X, Y, X_val=NEW, y_val=Y_NEW)
    assert given.score(NEW, Y_NEW) == pytest.approx(max(given.validation_scores_), abs=1e-6)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.filterwarnings("ignore:.*iterations")
def test_every_solver_trains_a_network_beside_them(solver):
    model = small(solver=solver).fit(X, Y)
    assert factor(model) is not None
    assert model.score(NEW, Y_NEW) > 0.7


@pytest.mark.parametrize("loss", NUMBER_LOSSES)
@pytest.mark.parametrize("n_targets", [1, 2])
def test_numbers_by_every_loss(loss, n_targets):
    def target(X):
        y = np.array([[np.abs(np.diff(x[:, 0])).mean(), x[:, 1].std()] for x in X])
        return y[:, 0] if n_targets == 1 else y

    make = partial(GRURegressor, **OPTIONS | {"loss": loss})
    without, found = (
        make(n_convolutions=n).fit(X, target(X)).score(NEW, target(NEW)) for n in (0, 1932)
    )
    assert found > max(0.1, without)


def test_several_labels_class_weights_and_empty_sequences():
    labels = np.column_stack([Y, 1 - Y, np.arange(len(Y)) % 3 == 0]).astype(int)
    found = small().fit(X, labels).predict_proba(NEW)
    assert (((found[:, 0] > 0.5) == Y_NEW) & ((found[:, 1] > 0.5) != Y_NEW)).mean() > 0.7
    plain, heavy = (
        small(class_weight=w).fit(X, Y).predict_proba(NEW)[:, 1] for w in (None, {1: 5})
    )
    assert heavy.mean() > plain.mean() + 0.05
    with_empty = [np.empty((0, 2)), *X[1:]]
    model = small().fit(with_empty, Y)
    parts = parted(model._fitted_model(), "convolutions")
    assert not parts.convolutions.raw(sequences(model, with_empty))[0].any()
    assert np.isfinite(model.predict_proba(with_empty)).all()


def test_samples_without_weight_are_not_there():
    weights = np.r_[np.ones(110), np.zeros(10)]
    weighted = small(shuffle=False).fit(X, Y, sample_weight=weights)
    without = small(shuffle=False).fit(X[:110], Y[:110])
    assert_array_equal(weighted.predict_proba(NEW), without.predict_proba(NEW))


def test_groups_are_not_parted_by_the_trial():
    # Copies of a series have one group each: else the trial would know all of its others by heart.
    copies = np.repeat(np.arange(60), 2)
    y = np.random.RandomState(0).randint(2, size=60)[copies]
    X_copies, options = [X[i] for i in copies], {"early_stopping": True, "max_iter": 20}
    by_group = small(**options).fit(X_copies, y, groups=copies)
    by_chance = small(**options).fit(X_copies, y)
    size = [np.abs(m.parameters_["convolutions.wide.weights"]).sum() for m in (by_group, by_chance)]
    assert size[0] < size[1]


def test_threads_do_not_count():
    one, two = (small(n_jobs=n, hidden_layer_sizes=128).fit(X, Y) for n in (1, 2))
    assert_array_equal(one.predict_proba(NEW), two.predict_proba(NEW))


def test_attributions_add_up():
    model = small(dtype="float64").fit(X, Y)
    found = attributions(model, NEW[:4], target=1)
    p = model.predict_proba([*NEW[:4], model.feature_mean_[None]])
    logits = np.log(p[:, 1] / p[:, 0])
    starts = model.predict_proba([np.broadcast_to(model.feature_mean_, x.shape) for x in NEW[:4]])
    change = logits[:4] - np.log(starts[:, 1] / starts[:, 0])
    assert_allclose([a.sum() for a in found], change, rtol=0.01, atol=1e-3)


def test_an_interrupted_training_has_them_and_an_interrupted_trial_nothing(monkeypatch):
    on_epoch, calls = History.on_epoch, []

    def interrupt(after):
        def noted(self, state):
            calls.append(state.epoch)
            if len(calls) == after:
                raise KeyboardInterrupt
            return on_epoch(self, state)

        calls.clear()
        monkeypatch.setattr(History, "on_epoch", noted)

    interrupt(6)  # the trial has four epochs
    with pytest.warns(UserWarning, match="interrupted"):
        model = small().fit(X, Y)
    assert factor(model) is not None
    assert model.n_iter_ < 3
    interrupt(1)
    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert not hasattr(model, "classes_")
