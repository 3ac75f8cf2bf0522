"""Random convolutions beside the recurrence of the estimators."""

import pickle
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer, summary
from skgru._data.forms import open_form
from skgru._nn.convolutions import N_KERNELS, RandomConvolutions
from skgru.inspection import attributions

FEW = 3 * N_KERNELS
small = partial(GRUClassifier, n_convolutions=FEW, hidden_layer_sizes=6, max_iter=5, random_state=0)


def bursts(n=40, n_features=2, seed=0, height=3.0, lengths=(14, 30)):
    """Return ragged series, and whether there is a burst anywhere in the first channel."""
    rng = np.random.RandomState(seed)
    X, y = [], np.arange(n) % 2
    for has_burst in y:
        x = rng.normal(size=(rng.randint(*lengths), n_features))
        if has_burst:
            start = rng.randint(len(x) - 6)
            x[start : start + 6, 0] += height * np.array([1, -1, 1, -1, 1, -1])
        X.append(x)
    return X, y


def test_few_series_teach_a_shape_that_the_recurrence_does_not_learn_from_them():
    kind = {"n_features": 3, "height": 2.0, "lengths": (40, 80)}
    X, y = bursts(40, **kind)
    X_test, y_test = bursts(200, seed=1, **kind)
    options = {"hidden_layer_sizes": 16, "max_iter": 60, "random_state": 0}
    found = GRUClassifier(**options).fit(X, y)
    without = GRUClassifier(n_convolutions=0, **options).fit(X, y)
    assert found.auto_params_["n_convolutions"] == 23 * N_KERNELS
    assert found.score(X_test, y_test) > 0.75
    assert found.score(X_test, y_test) > without.score(X_test, y_test) + 0.1


def test_padding_and_the_others_of_a_batch_do_not_matter():
    X, y = bursts()
    model = small().fit(X, y)
    together = model.predict_proba(X)
    padded = np.full((len(X), 40, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    assert_array_equal(model.predict_proba(padded), together)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    assert_allclose(alone, together, rtol=0, atol=1e-5)


def test_features_computed_before_or_in_each_epoch_are_the_same(monkeypatch):
    X, y = bursts()
    make = partial(small, dtype="float64", shuffle=False)
    n_passes, forward = [], RandomConvolutions.forward

    def counted(*args):
        n_passes.append(1)
        return forward(*args)

    monkeypatch.setattr(RandomConvolutions, "forward", counted)
    before = make().fit(X, y)
    assert len(n_passes) == 2  # to learn what the features are, and to hold them
    monkeypatch.setattr("skgru._data.random_kernels._MOST_BYTES", 0)
    each = make().fit(X, y)
    assert len(n_passes) == 2 + 1 + 5 * 2  # epochs of two batches
    assert_allclose(each.loss_curve_, before.loss_curve_, rtol=1e-9)
    assert_allclose(each.predict_proba(X), before.predict_proba(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_a_missing_value_is_the_one_last_seen(missing):
    X, y = bursts()
    holes = [x.copy() for x in X]
    for x in holes:
        x[5:7, 0] = np.nan
    model = small(missing=missing).fit(holes, y)
    (own, beside) = model._fitted_model().inputs.values()
    with_holes = beside.steps_of(own.parse(open_form(holes)).sequences, float)
    filled = [x.copy() for x in X]
    for x in filled:
        x[5:7, 0] = x[4, 0]
    without = beside.steps_of(own.parse(open_form(filled)).sequences, float)
    every = np.arange(len(X))
    for a, b in zip(_gathered(with_holes, every), _gathered(without, every), strict=True):
        assert_array_equal(a, b)


def _gathered(steps, indices):
    return [
        steps.gather(i[None], np.zeros(1, int), steps.lengths_of(i[None]))[0].x for i in indices
    ]


def test_a_feature_without_a_value_is_not_read():
    X, y = bursts()
    for x in X:
        x[:, 1] = np.nan
    model = small().fit(X, y)
    for x in X:
        x[:, 1] = 1e6
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_weight_of_two_is_two_copies():
    X, y = bursts(20)
    X = [x[:14] for x in X]
    weights = np.random.RandomState(0).randint(0, 3, len(X))
    copies = np.repeat(np.arange(len(X)), weights)
    make = partial(small, shuffle=False)
    weighted = make().fit(X, y, sample_weight=weights)
    repeated = make().fit([X[i] for i in copies], y[copies])
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient", "occlusion"])
def test_attributions_count_what_the_convolutions_read(method):
    X, y = bursts()
    model = small(dtype="float64", max_iter=20).fit(X, y)
    some = X[:6]

    def output(X):
        p = model.predict_proba(X)
        return np.log(p[:, 1] / p[:, 0])

    found = attributions(model, some, method=method, target=1)
    assert [a.shape for a in found] == [x.shape for x in some]
    mean = model.feature_mean_
    if method == "integrated_gradients":
        change = output(some) - output([np.broadcast_to(mean, x.shape) for x in some])
        assert_allclose([a.sum() for a in found], change, rtol=0.01, atol=1e-3)
        return
    x, (t, d) = some[1], (7, 0)
    if method == "occlusion":
        without = x.copy()
        without[t, d] = mean[d]
        assert_allclose(found[1][t, d], output([x])[0] - output([without])[0], rtol=1e-6)
        return
    nearby = [x.copy(), x.copy()]
    nearby[0][t, d] += 1e-4
    nearby[1][t, d] -= 1e-4
    slope = np.subtract(*output(nearby)) / 2e-4
    assert_allclose(found[1][t, d], slope, rtol=1e-4)


def test_a_value_is_put_out_for_all_that_read_it():
    """An output that is no sum of what the two parts make tells whether both are without it."""
    X, y = bursts()
    options = {"loss": "poisson", "n_convolutions": FEW, "dtype": "float64"}
    model = GRURegressor(4, max_iter=20, random_state=0, **options).fit(X, 1 + 3 * y)
    without = X[1].copy()
    without[7, 0] = model.feature_mean_[0]
    (found,) = attributions(model, X[1:2], method="occlusion")
    change = model.predict(X[1:2]) - model.predict([without])
    assert_allclose(found[7, 0], change[0], rtol=1e-6)


def test_a_model_goes_through_pickles_and_goes_on():
    X, y = bursts()
    model = small(warm_start=True).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    kernels = model.parameters_["convolutions.kernels.thresholds_0"].copy()
    assert_array_equal(loaded.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X))
    assert_array_equal(model.parameters_["convolutions.kernels.thresholds_0"], kernels)


@pytest.mark.parametrize(("fitted", "asked"), [(FEW, 0), (N_KERNELS, 0), (0, FEW), (FEW, 2 * FEW)])
def test_a_training_does_not_go_on_with_another_number(fitted, asked):
    X, y = bursts()
    model = small(warm_start=True, n_convolutions=fitted).fit(X, y)
    with pytest.raises(ValueError, match=f"expected n_convolutions={fitted},.*tions={asked}"):
        model.set_params(n_convolutions=asked).fit(X, y)
    model.set_params(n_convolutions=fitted + 1 if fitted else "auto").fit(X, y)  # the same network


def test_epochs_one_by_one_have_none_unless_they_are_asked_for():
    X, y = bursts()
    plain = GRUClassifier(hidden_layer_sizes=6).partial_fit(X, y, classes=[0, 1])
    assert list(plain._fitted_model().inputs) == [""]
    asked = small(max_iter="auto").partial_fit(X, y, classes=[0, 1])
    losses = [asked.partial_fit(X, y).loss_ for _ in range(8)]
    assert losses[-1] < losses[0]
    assert list(asked._fitted_model().inputs) == ["", "convolutions"]


def test_every_solver_trains_the_layer_above_them():
    X, y = bursts()
    for solver in ("adam", "sgd", "lbfgs"):
        model = small(solver=solver, max_iter=3)
        stops = pytest.warns(match="iterations") if solver == "lbfgs" else nullcontext()
        with stops:
            model.fit(X, y)
        assert model.parameters_["convolutions.wide.weights"].any()


def test_numbers_are_predicted_with_them_too():
    X, _ = bursts(60)
    y = np.array([np.abs(np.diff(x[:, 0])).mean() for x in X])
    model = GRURegressor(n_convolutions=FEW, hidden_layer_sizes=4, random_state=0).fit(
        X[:40], y[:40]
    )
    assert model.score(X[40:], y[40:]) > 0.5


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"pooling": None}, "pooling=None"),
        ({"bptt_steps": 5, "bidirectional": False}, "bptt_steps=5"),
        ({"time_feature": 1}, "time_feature"),
    ],
)
def test_what_does_not_go_with_them_is_refused_and_never_chosen(options, fault):
    X, y = bursts()
    for x in X:
        x[:, 1] = np.arange(len(x))
    if options.get("pooling", "") is None:
        y = [np.full(len(x), i % 2) for i, x in enumerate(X)]
    with pytest.raises(ValueError, match=f"n_convolutions.*{fault}"):
        small(**options).fit(X, y)
    model = small(**options, n_convolutions="auto").fit(X, y)
    assert model.auto_params_["n_convolutions"] == 0


def test_tokens_have_none():
    X = [["a", "b", "c"] * 4, ["c", "b"] * 5]
    ids = SequenceVectorizer(analyzer=list).fit_transform(X)
    with pytest.raises(ValueError, match="n_convolutions=0 or 'auto' with tokens"):
        small(embedding_dim=3).fit(ids, [0, 1])


def test_outputs_for_other_estimators_are_those_of_the_recurrence(monkeypatch):
    X, y = bursts()
    model = small(bidirectional=False, pooling="last").fit(X, y)
    monkeypatch.delattr(RandomConvolutions, "forward")  # that takes no time
    assert model.transform(X).shape == (len(X), 6)
    assert len(model.get_feature_names_out()) == 6


def test_the_summary_names_them():
    X, y = bursts()
    layers = {layer[0]: layer for layer in summary(small().fit(X, y)).layers}
    assert layers["convolutions.kernels"][1] == "random convolutions"
    assert layers["convolutions.wide"][3] == FEW * 1 + 1
