"""What "auto" stands for, by the shape of the data, and that fits with it are sound."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUClassifier, GRURegressor
from skgru._defaults import DataShape, choose_convolutions
from skgru._engine.batches import Order
from skgru._spec import EncoderSpec, FeedForwardSpec
from tests.datasets import (
    ESTIMATORS,
    PLAIN,
    assert_same_model,
    output,
    ragged,
    rectangle,
    small,
    token_sequences,
)

ALL_ESTIMATORS = pytest.mark.parametrize("estimator_class", ESTIMATORS)


def auto(estimator_class, **parameters):
    """Return a small estimator that chooses all that it can, but the number of epochs."""
    defaults = {"hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
    return estimator_class(**defaults | parameters)


def chosen(X, y, estimator_class=GRUClassifier, **parameters):
    """Return what "auto" stands for on these data."""
    return auto(estimator_class, **parameters).fit(X, y).auto_params_


def as_given(model):
    """Return an unfitted copy of a fitted model in which nothing is "auto"."""
    return type(model)(**model.get_params() | model.auto_params_)


# --- What is chosen ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_steps", "patch_size"), [(1, 1), (24, 1), (59, 1), (61, 2), (150, 4), (427, 11)]
)
def test_patches_leave_about_forty_steps(n_steps, patch_size):
    assert chosen(*rectangle(n_steps=n_steps))["patch_size"] == patch_size


@pytest.mark.parametrize(
    ("n", "n_steps", "n_convolutions"),
    [(8, 18, 1932), (8, 17.9, 0), (4000, 20, 1932), (4001, 20, 0), (4, 62e3, 1932), (4, 63e3, 0)],
)
def test_random_convolutions_of_few_series_as_long_as_two_kernels(n, n_steps, n_convolutions):
    shape = DataShape(n, n_steps, 2, None, has_classes=True)
    encoder = EncoderSpec((8,), ("gru",))

    def chosen(shape, encoder=encoder, bptt_steps=None, incremental=False):
        return choose_convolutions(shape, encoder, bptt_steps=bptt_steps, incremental=incremental)

    assert chosen(shape) == n_convolutions
    assert chosen(shape._replace(has_classes=False)) == 0
    assert chosen(shape._replace(n_tokens=30)) == 0
    assert chosen(shape, FeedForwardSpec()) == 0
    assert chosen(shape, replace(encoder, pooling=None)) == 0
    assert chosen(shape, bptt_steps=5) == chosen(shape, incremental=True) == 0


def test_the_head_reads_what_was_asked_for():
    X, y = rectangle(n_steps=20)
    assert chosen(X, y)["n_convolutions"] == 1932
    assert chosen(X, y, pooling="last")["n_convolutions"] == 0
    assert chosen(X, y, GRURegressor)["n_convolutions"] == 0


def test_patches_go_by_the_mean_length():
    X = [np.ones(20), np.ones(220)] * 8
    assert chosen(X, [0, 1] * 8)["patch_size"] == 3
    weights = [1, 3] * 8  # as if the long ones came three times
    model = auto(GRUClassifier).fit(X, [0, 1] * 8, sample_weight=weights)
    assert model.auto_params_["patch_size"] == 4


def test_classes_are_told_from_both_directions_and_three_poolings():
    for n_features in (1, 3):
        settings = chosen(*ragged(n_features=n_features))
        assert settings["bidirectional"] is True
        assert settings["pooling"] == ("last", "mean", "max")


@pytest.mark.parametrize(("n_steps", "pooling"), [(24, "last"), (90, ("last", "mean", "max"))])
def test_numbers_are_told_from_the_end_and_in_long_series_from_all_steps(n_steps, pooling):
    settings = chosen(*rectangle(n_steps=n_steps), GRURegressor)
    assert settings["bidirectional"] is False
    assert settings["pooling"] == pooling


def test_tokens():
    settings = chosen(*token_sequences(longest=90), embedding_dim=2)
    assert settings["pooling"] == "max"
    assert settings["bidirectional"] is True
    assert settings["patch_size"] == 1
    assert settings["dropout"] == 0.3


@ALL_ESTIMATORS
def test_a_target_at_each_step_never_reads_what_comes_later(estimator_class):
    X = np.random.default_rng(0).normal(size=(12, 90, 3))
    model = auto(estimator_class, pooling=None).fit(X, [(x[:, 0] > 0).astype(int) for x in X])
    assert model.auto_params_["bidirectional"] is False
    assert model.auto_params_["patch_size"] == 1
    assert "pooling" not in model.auto_params_
    other = np.concatenate([X[:, :50], 1 - X[:, 50:]], axis=1)
    assert_array_equal(output(model, other)[:, :50], output(model, X)[:, :50])
    assert np.abs(output(model, other)[:, 50:] - output(model, X)[:, 50:]).max() > 1e-4


def test_truncated_gradients_read_onward_step_by_step():
    settings = chosen(*rectangle(n_steps=90), bptt_steps=20)
    assert settings["bidirectional"] is False
    assert settings["patch_size"] == 1


@pytest.mark.parametrize(("n_features", "dropout"), [(1, 0.0), (2, 0.0), (3, 0.2), (20, 0.2)])
def test_dropout_only_where_other_channels_stand_in(n_features, dropout):
    X, y = rectangle(n_features=n_features, n_steps=20)
    assert chosen(X, y)["dropout"] == dropout
    assert chosen(X, y, solver="lbfgs", max_iter=200)["dropout"] == 0


@pytest.mark.parametrize(
    ("n_steps", "n_convolutions", "label_smoothing"),
    [(30, "auto", 0.02), (30, 0, 0.05), (7, "auto", 0.05), (7, 84, 0.02)],
)
def test_targets_are_smoothed_less_beside_convolutions(n_steps, n_convolutions, label_smoothing):
    X, y = rectangle(n_steps=n_steps)
    settings = {"n_convolutions": n_convolutions}
    assert chosen(X, y, **settings)["label_smoothing"] == label_smoothing
    given = auto(GRUClassifier, label_smoothing=label_smoothing, **settings).fit(X, y)
    assert "label_smoothing" not in given.auto_params_
    assert_same_model(auto(GRUClassifier, **settings).fit(X, y), given)
    # A part of a training is without them, and goes on as it was.
    model = auto(GRUClassifier).partial_fit(X, y, classes=[0, 1])
    assert model.auto_params_["label_smoothing"] == 0.05
    assert model.partial_fit(X, y).auto_params_["label_smoothing"] == 0.05


@pytest.mark.parametrize("form", ["two", "three", "labels", "steps", "weights", "balanced"])
def test_predictions_of_smoothed_targets_are_right_on_average(form):
    # All samples are alike: the likeliest probabilities are the shares of the classes.
    n = {"two": [90, 10], "three": [70, 25, 5]}.get(form, [90, 10])
    y = np.repeat(np.arange(len(n)), n)
    X, weights, parameters, expected = np.ones((100, 2, 1)), None, {}, np.array(n) / 100
    if form == "labels":
        y, expected = np.column_stack([y, 1 - y, y]), np.array([0.1, 0.9, 0.1])
    if form == "steps":
        y, parameters = np.column_stack([y, y]), {"pooling": None, "bidirectional": False}
        X[:, 1] = 1
    if form == "weights":
        weights, expected = np.where(y, 3.0, 1.0), np.array([0.75, 0.25])
    if form == "balanced":
        parameters, expected = {"class_weight": "balanced"}, np.array([0.5, 0.5])
    model = small(
        GRUClassifier, solver="lbfgs", max_iter=200, label_smoothing=0.4, alpha=0, **parameters
    )
    p = np.reshape(model.fit(X, y, sample_weight=weights).predict_proba(X), (-1, len(expected)))
    assert_allclose(p, np.broadcast_to(expected, p.shape), atol=2e-3)


@pytest.mark.parametrize(
    ("n_features", "missing", "time_feature", "dropout"),
    [(20, 0.6, None, 0.5), (20, 0.4, None, 0.2), (12, 0.6, None, 0.2), (21, 0.51, 0, 0.5)],
)
def test_half_is_left_out_of_many_channels_most_of_which_are_missing(
    n_features, missing, time_feature, dropout
):
    X, y = rectangle(n=10, n_steps=40, n_features=n_features)
    if time_feature is not None:
        X[:, :, 0] = np.arange(40)
    flat = X[:, :, time_feature is not None :]  # a view
    is_missing = np.random.RandomState(0).permutation(flat.size) < missing * flat.size
    flat[is_missing.reshape(flat.shape)] = np.nan
    settings = chosen(X, y, time_feature=time_feature)
    assert settings["dropout"] == dropout
    is_sparse = dropout == 0.5
    assert settings["recurrent_dropout"] == (0.5 if is_sparse else 0)
    assert settings["bidirectional"] is not is_sparse
    of_all = chosen(X, y, time_feature=time_feature, solver="lbfgs", max_iter=200)
    assert of_all["dropout"] == of_all["recurrent_dropout"] == 0
    given = {"dropout": dropout, "recurrent_dropout": is_sparse / 2, "bidirectional": not is_sparse}
    models = [
        auto(GRUClassifier, time_feature=time_feature, **parameters).fit(X, y)
        for parameters in ({}, given)
    ]
    assert_same_model(*models)


@pytest.mark.parametrize(
    ("n", "parameters", "max_iter"),
    [
        (20, {}, 1000),
        (33, {}, 500),
        (320, {}, 100),
        (320, {"batch_size": 10}, 32),
        (40_000, {"early_stopping": False}, 2),
        (320, {"solver": "lbfgs"}, 200),
    ],
)
def test_epochs_for_a_thousand_updates(n, parameters, max_iter, monkeypatch):
    stop_after_an_epoch(monkeypatch)
    X, y = rectangle(n, n_steps=1)
    model = auto(GRUClassifier, max_iter="auto", **parameters)
    if parameters.get("solver") == "lbfgs":
        model.fit(X, y)
    else:
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(X, y)
    assert model.auto_params_["max_iter"] == max_iter


def test_words_that_never_occur_are_not_rare(monkeypatch):
    stop_after_an_epoch(monkeypatch)
    X, y = token_sequences(320, n_tokens=9)
    for n_rows in (11, 9000):
        with pytest.warns(UserWarning, match="interrupted"):
            settings = chosen(X, y, max_iter="auto", embedding_matrix=np.ones((n_rows, 2)))
        assert settings["max_iter"] == 100


@pytest.mark.parametrize(
    ("n_tokens", "is_frozen", "max_iter"), [(4000, False, 20), (9, False, 100), (4000, True, 100)]
)
def test_fewer_updates_where_tokens_are_rare(n_tokens, is_frozen, max_iter, monkeypatch):
    stop_after_an_epoch(monkeypatch)
    X, _ = token_sequences(320, n_tokens=n_tokens)
    y = np.arange(320) % 2
    parameters = {"freeze_embedding": is_frozen, "bag": False}  # (no trial before the fit)
    with pytest.warns(UserWarning, match="interrupted"):
        settings = chosen(X, y, max_iter="auto", embedding_dim=2, **parameters)
    assert settings["max_iter"] == max_iter


@pytest.mark.parametrize(
    ("n", "n_tokens", "max_iter"), [(6400, 9, 10), (6400, 100, 5), (16_000, 9, 6), (32_000, 9, 3)]
)
def test_more_epochs_where_tokens_are_letters(n, n_tokens, max_iter, monkeypatch):
    stop_after_an_epoch(monkeypatch)
    X, _ = token_sequences(n, n_tokens=n_tokens)
    parameters = {"bag": False, "early_stopping": False}
    with pytest.warns(UserWarning, match="interrupted"):
        settings = chosen(
            X, np.arange(n) % 2, max_iter="auto", embedding_dim=2, batch_size=32, **parameters
        )
    assert settings["max_iter"] == max_iter


def stop_after_an_epoch(monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("skgru._engine.observers.Patience.on_epoch", interrupt)


@pytest.mark.parametrize(("n", "stops"), [(9_999, False), (10_000, True)])
def test_early_stopping_by_size(n, stops):
    X, y = rectangle(n, n_steps=1)
    model = auto(GRUClassifier, batch_size=500).fit(X, y)
    assert model.auto_params_["early_stopping"] is stops
    assert (model.validation_scores_ is not None) is stops


def test_many_sequences_of_which_one_is_the_only_one_of_its_class():
    X, y = rectangle(10_000, n_steps=1)
    y[7] = 2
    model = auto(GRUClassifier, batch_size=500).fit(X, y)
    assert len(model.validation_scores_) == 2
    assert model.predict_proba(X[:1]).shape == (1, 3)
    with pytest.raises(ValueError, match="least populated class"):
        auto(GRUClassifier, early_stopping=True).fit(X, y)
    nothing = auto(GRUClassifier, batch_size=500, validation_fraction=0.0).fit(X, y)
    assert nothing.auto_params_["early_stopping"] is False


@ALL_ESTIMATORS
def test_a_validation_set_that_is_given_stops_early(estimator_class):
    X, y = ragged()
    model = auto(estimator_class, max_iter=4).fit(X, y, X_val=X, y_val=y)
    assert model.auto_params_["early_stopping"] is True
    assert model.best_loss_ is None
    best = max(model.validation_scores_)
    assert model.score(X, y) == pytest.approx(best, abs=1e-6)
    lbfgs = auto(estimator_class, solver="lbfgs", max_iter=200).fit(X, y, X_val=X, y_val=y)
    assert lbfgs.auto_params_["early_stopping"] is False


@ALL_ESTIMATORS
def test_only_what_is_auto_is_listed(estimator_class):
    X, y = ragged()
    of_classes = {"label_smoothing"} if estimator_class is GRUClassifier else set()
    assert set(auto(estimator_class).fit(X, y).auto_params_) == of_classes | {
        "batch_size", "early_stopping", "embedding_dim", "scaling", "bidirectional", "pooling",
        "patch_size", "n_convolutions", "dropout", "recurrent_dropout", "group_by_length",
    }  # fmt: skip
    given = PLAIN | {"batch_size": 5, "early_stopping": False, "group_by_length": False}
    given |= {"embedding_dim": None, "scaling": "standard", "n_convolutions": 0}
    given |= {"recurrent_dropout": 0}
    given |= dict.fromkeys(of_classes, 0)
    assert auto(estimator_class, **given).fit(X, y).auto_params_ == {}
    # An epoch of partial_fit is one epoch, whatever max_iter is.
    model = auto(estimator_class, max_iter="auto")
    model.partial_fit(X, y, **classes_of(model, "partial_fit"))
    assert "batch_size" in model.auto_params_
    assert "max_iter" not in model.auto_params_


def test_batches_by_length_unless_length_tells_of_the_target():
    X, y = ragged(n=240, longest=12)
    assert chosen(X, y)["group_by_length"] is True
    assert chosen(X, [len(x) > 6 for x in X])["group_by_length"] is False


def test_batch_and_epochs_go_by_what_is_left_to_train_on(monkeypatch):
    stop_after_an_epoch(monkeypatch)
    X, y = rectangle(33)
    with pytest.warns(UserWarning, match="interrupted"):
        settings = chosen(X, y, max_iter="auto", early_stopping=True)
    assert settings["batch_size"] == 29
    assert settings["max_iter"] == 1000


@pytest.mark.parametrize("pooling", [["last", "mean"], np.array(["last", "mean"]), ("max",)])
def test_poolings_in_any_container(pooling):
    X, y = ragged()
    model = auto(GRUClassifier, pooling=pooling).fit(X, y)
    assert "pooling" not in model.auto_params_
    assert_same_model(model, auto(GRUClassifier, pooling=tuple(map(str, pooling))).fit(X, y))


def test_truths_of_numpy():
    X, y = ragged()
    with pytest.raises(ValueError, match="expected bptt_steps=None or bidirectional=False"):
        auto(GRUClassifier, bidirectional=np.True_, bptt_steps=2).fit(X, y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        auto(GRUClassifier, early_stopping=np.True_).partial_fit(X, y, classes=[0, 1])
    given = {"bidirectional": np.True_, "patch_size": np.int64(2)}
    model = auto(GRUClassifier, **given, warm_start=True).fit(X, y)
    model.set_params(bidirectional=True, patch_size=2).fit(X, y)
    with pytest.raises(ValueError, match=r"expected patch_size=2, but .* patch_size=3"):
        model.set_params(patch_size=3).fit(X, y)


@pytest.mark.parametrize(
    "data",
    [
        rectangle(n_steps=90, n_features=3),
        ragged(longest=12, n_features=2),
        (token_sequences()),
    ],
    ids=["long", "ragged", "tokens"],
)
@ALL_ESTIMATORS
def test_the_same_model_if_given_what_was_chosen(estimator_class, data):
    X, y = data
    options = {"embedding_dim": 3} if np.ndim(X[0]) == 1 else {}
    model = auto(estimator_class, **options).fit(X, y)
    assert_same_model(as_given(model).fit(X, y), model)


# --- Fits that go on -----------------------------------------------------------------------------


def classes_of(model, method):
    """Return what `partial_fit` of a classifier has to be told in its first call."""
    return (
        {"classes": [0, 1]} if method == "partial_fit" and hasattr(model, "predict_proba") else {}
    )


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@ALL_ESTIMATORS
def test_what_was_chosen_for_the_network_stays_when_training_goes_on(estimator_class, method):
    X, y = rectangle(n_steps=90)
    X_long, y_long = rectangle(n_steps=400)
    model = auto(estimator_class, warm_start=True)
    for sequences, targets in ((X, y), (X_long, y_long)):
        getattr(model, method)(list(sequences), targets, **classes_of(model, method))
        assert model.auto_params_["patch_size"] == 2


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@ALL_ESTIMATORS
def test_each_epoch_has_its_own_order_when_training_goes_on(estimator_class, method, monkeypatch):
    orders = []

    def observe(self, lengths, rng):
        batches = list(batches_of(self, lengths, rng))
        orders.append(np.concatenate(batches).tolist())
        return batches

    batches_of = Order.batches
    monkeypatch.setattr(Order, "batches", observe)
    X, y = ragged()
    model = auto(estimator_class, warm_start=True, max_iter=4)
    for _ in range(4):
        getattr(model, method)(X, y, **classes_of(model, method))
    assert len(np.unique(orders, axis=0)) == len(orders) >= 4
    again = clone(model)
    for _ in range(4):
        getattr(again, method)(X, y, **classes_of(model, method))
    assert_same_model(again, model)


@ALL_ESTIMATORS
def test_what_was_chosen_may_be_given_when_training_goes_on(estimator_class):
    X, y = rectangle(n_steps=90)
    model = auto(estimator_class, warm_start=True).fit(X, y)
    model.set_params(**model.auto_params_).fit(X, y)
    assert model.auto_params_ == {}
    model.set_params(patch_size=3)
    with pytest.raises(ValueError, match=r"the network that was fitted: .*patch_size=2"):
        model.fit(X, y)
    assert model.set_params(patch_size="auto").fit(X, y).auto_params_ == {"patch_size": 2}


@ALL_ESTIMATORS
def test_pieces_of_what_is_read_in_both_directions(estimator_class):
    X, y = ragged(longest=12)
    model = auto(estimator_class, warm_start=True, bidirectional=True).fit(X, y)
    model.set_params(bidirectional="auto", bptt_steps=5)
    with pytest.raises(ValueError, match="cannot read from their ends"):
        model.fit(X, y)


@ALL_ESTIMATORS
def test_partial_fit_stays_at_the_first_rate(estimator_class):
    X, y = ragged()
    cosine, constant = (
        small(estimator_class, learning_rate=rate, max_iter="auto")
        for rate in ("cosine", "constant")
    )
    for _ in range(5):
        for model in (cosine, constant):
            model.partial_fit(X, y, **classes_of(model, "partial_fit"))
    assert_same_model(cosine, constant)


@ALL_ESTIMATORS
def test_a_chosen_model_survives_pickle(estimator_class):
    X, y = rectangle(n_steps=90, n_features=3)
    model = auto(estimator_class).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.auto_params_ == model.auto_params_
    assert_array_equal(output(copy, X), output(model, X))


# --- When training ends --------------------------------------------------------------------------


def test_the_cosine_runs_to_its_end_though_nothing_is_gained():
    X, y = ragged(seed=1)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=len(y))
    model = small(GRURegressor, max_iter=60, n_iter_no_change=1, tol=0.01).fit(X, noise)
    assert model.n_iter_ == 60
    other = small(GRURegressor, max_iter=60, n_iter_no_change=1, tol=0.01, learning_rate="constant")
    assert other.fit(X, noise).n_iter_ < 60


@ALL_ESTIMATORS
def test_early_stopping_waits_a_fifth_of_the_cosine(estimator_class):
    X, y = ragged(seed=1)
    noise = np.random.default_rng(0).permutation(y)
    parameters = {"max_iter": 100, "early_stopping": True, "tol": 0.02}
    model = small(estimator_class, **parameters).fit(X, noise)
    scores = np.array(model.validation_scores_)
    gained = np.flatnonzero(scores[1:] >= np.maximum.accumulate(scores)[:-1] + model.tol) + 1
    assert model.n_iter_ < 100
    assert model.n_iter_ == max(gained, default=0) + 1 + 21
    parameters |= {"n_iter_no_change": 2}
    with pytest.warns(UserWarning, match="n_iter_no_change=2 .early stopping waits a fifth"):
        assert_same_model(small(estimator_class, **parameters).fit(X, noise), model)
    other = small(estimator_class, **parameters, learning_rate="constant").fit(X, noise)
    assert other.n_iter_ < 21


@pytest.mark.parametrize(("label_smoothing", "lowest"), [(0, 0), ("auto", 0.11690), (0.4, 0.50040)])
def test_the_cosine_ends_when_no_loss_is_left(label_smoothing, lowest):
    X = np.repeat([-1.0, 1.0], 20)[:, None]
    y = X[:, 0] > 0
    parameters = {"max_iter": 500, "learning_rate_init": 0.05}
    smoothed = parameters | {"label_smoothing": label_smoothing}
    model = small(GRUClassifier, tol=0.05, **smoothed).fit(X, y)
    below = np.array(model.loss_curve_) < lowest + 0.05 + 1e-3  # and a penalty
    assert model.n_iter_ < 500
    assert below[-11:].all()
    assert small(GRUClassifier, tol=0, **smoothed).fit(X, y).n_iter_ == 500
    # The normal distribution's has no bound.
    model = small(GRURegressor, loss="gaussian", tol=0.05, **parameters).fit(X, X[:, 0])
    assert model.loss_ < 0
    assert model.n_iter_ == 500


def test_no_convergence_warning_by_default(recwarn):
    X, y = ragged()
    GRUClassifier(2, max_iter=1).fit(X, y)
    assert not [w for w in recwarn if issubclass(w.category, ConvergenceWarning)]
    with pytest.warns(ConvergenceWarning, match="iterations .2. reached"):
        GRUClassifier(2, max_iter=2, solver="lbfgs", tol=0).fit(X, y)
    for max_iter in ("auto", 50):
        with pytest.warns(ConvergenceWarning, match="evaluations .5. reached"):
            GRUClassifier(2, max_iter=max_iter, solver="lbfgs", max_fun=5, tol=0).fit(X, y)


# --- What the choice is for ----------------------------------------------------------------------


def order_of_bumps(n, rng):
    """Return noise of 430 steps with a bump and its mirror image; the class is which is first."""
    X, y = rng.normal(size=(n, 430)), np.arange(n) % 2
    bump = np.repeat([-3, 3], 10)
    for x, label in zip(X, y, strict=True):
        first, second = sorted(rng.choice(400, 2, replace=False))
        x[first : first + 20] += bump * (2 * label - 1)
        x[second : second + 20] -= bump * (2 * label - 1)
    return X, y


def test_long_series_with_local_events_are_told_apart_by_default():
    rng = np.random.default_rng(0)
    X, y = order_of_bumps(40, rng)
    X_test, y_test = order_of_bumps(200, rng)
    assert GRUClassifier(random_state=0).fit(X, y).score(X_test, y_test) > 0.9
    parameters = {"hidden_layer_sizes": 32, "max_iter": 200, "random_state": 0}
    model = GRUClassifier(**parameters, n_convolutions=0).fit(X, y)
    assert model.score(X_test, y_test) > 0.9
    # An epoch at a time, each with joints of its own, at a rate that stays.
    piecewise = GRUClassifier(**parameters)
    for _ in range(200):
        piecewise.partial_fit(X, y, classes=[0, 1])
    assert piecewise.score(X_test, y_test) > 0.9
    # Patches whose joints do not move learn the events by heart.
    model = GRUClassifier(**parameters, shift_patches=False).fit(X, y)
    assert model.score(X, y) == 1
    assert model.score(X_test, y_test) < 0.7
