"""Missing values in all kinds of networks, from training to the prediction."""

import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor, PerTimestep, SequenceAligner
from tests.datasets import assert_same_model, output, pad, ragged, rectangle, small
from tests.holes import (
    ALL_ESTIMATORS,
    MISSING,
    SCALINGS,
    assert_finite,
    copies_of,
    ragged_with_holes,
    with_holes,
)
from tests.kinds import CELL_NAMES, NAMES

CONFIGURATIONS = [
    {},
    {"cell": "lstm", "dtype": "float64"},
    {"cell": "rnn", "pooling": "mean", "scaling": None},
    {"hidden_layer_sizes": (5, 4), "cell": ("lstm", "gru"), "pooling": "max"},
    {"bidirectional": True, "pooling": ("last", "attention")},
    {"bidirectional": True, "hidden_layer_sizes": (4, 3), "cell": "lstm", "patch_size": 2},
    {"patch_size": 3, "scaling": "robust"},
    {"reset_after": True, "output_gate": True, "pooling": ("mean", "max")},
    {"solver": "lbfgs"},
    {"solver": "sgd", "dropout": 0.2, "recurrent_dropout": 0.2},
    {"bptt_steps": 2, "hidden_layer_sizes": (4, 3)},
]


ALL_CONFIGURATIONS = pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)


# All kinds of networks


@ALL_CONFIGURATIONS
@MISSING
@ALL_ESTIMATORS
def test_every_network_trains_and_predicts_each_sequence_for_itself(
    estimator_class, missing, parameters
):
    X, y = ragged_with_holes()
    X[0] = np.full((3, 2), np.nan)  # nothing at all
    X[7][0] = np.nan  # a first step without any value
    X[8][:, 1] = np.nan  # a feature wholly missing in the sequence
    X[9] = np.array([[np.nan, 1.0]])
    X.append(np.empty((0, 2)))
    y = np.append(y, 0)
    before = copies_of(X)
    model = small(estimator_class, missing=missing, **parameters).fit(X, y)
    assert model.has_missing_
    assert_finite(model, X)
    together = output(model, X)
    order = np.random.default_rng(2).permutation(len(X))
    others = {
        "alone": np.concatenate([output(model, [x]) for x in X]),
        "in reverse": output(model, X[::-1])[::-1],
        "shuffled": output(model, [X[i] for i in order])[np.argsort(order)],
        "padded": output(model, pad(X, 8, np.nan)),
        "padded by 600": output(model, pad(X, 607, np.nan)),
        "padded alone": np.concatenate([output(model, pad([x], 30, np.nan)) for x in X]),
        "beside complete ones": output(model, [*X, *ragged(n_features=2)[0]])[: len(X)],
    }
    for name, p in others.items():
        assert_allclose(p, together, rtol=0, atol=1e-6, err_msg=name)
    assert_allclose(together[0], together[-1], rtol=0, atol=1e-6)  # NaN only: empty
    for x, x_before in zip(X, before, strict=True):
        assert_array_equal(x, x_before)


@ALL_CONFIGURATIONS
@MISSING
def test_padding_changes_nothing_in_training(missing, parameters):
    X, y = ragged_with_holes()
    model = small(GRUClassifier, missing=missing, **parameters).fit(X, y)
    padded = pad(X, 11, np.nan)
    of_padded = small(GRUClassifier, missing=missing, **parameters).fit(padded, y)
    assert_same_model(of_padded, model)
    for name in ("feature_mean_", "feature_scale_", "gap_scale_"):
        assert_array_equal(getattr(of_padded, name), getattr(model, name))
    assert_array_equal(of_padded.predict_proba(padded), model.predict_proba(X))


@CELL_NAMES
@pytest.mark.parametrize("bidirectional", [False, True])
@MISSING
@ALL_ESTIMATORS
def test_targets_at_every_step(estimator_class, missing, bidirectional, cell):
    X, _ = ragged_with_holes()
    y = [(np.nan_to_num(x).sum(axis=1) > 0).astype(int) for x in X]
    model = small(
        estimator_class, missing=missing, pooling=None, cell=cell, bidirectional=bidirectional
    ).fit(X, y)
    together = output(model, X)
    for x, of_x in zip(X, together, strict=True):
        assert len(of_x) == len(x)
        assert np.isfinite(of_x).all()
        alone = output(model, [x])[0]
        assert_allclose(np.asarray(alone, float), np.asarray(of_x, float), rtol=0, atol=1e-6)
    padded_y = [np.append(targets, [1, 1]) for targets in y]
    padded_X = [np.vstack([x, np.full((2, 2), np.nan)]) for x in X]
    again = clone(model).fit(padded_X, padded_y)
    assert_same_model(again, model)


@CELL_NAMES
@MISSING
def test_truncation_reaches_the_predictions_of_the_full_gradient(missing, cell):
    X, y = ragged_with_holes(longest=9)
    parameters = {
        "missing": missing,
        "cell": cell,
        "dtype": "float64",
        "hidden_layer_sizes": (4, 3),
    }
    full = small(GRUClassifier, **parameters).fit(X, y)
    whole = small(GRUClassifier, **parameters, bptt_steps=9).fit(X, y)
    assert_allclose(whole.predict_proba(X), full.predict_proba(X), rtol=0, atol=1e-10)
    cut = small(GRUClassifier, **parameters, bptt_steps=2).fit(X, y)
    assert_finite(cut, X)
    # The first loss is that of the same weights, however the gradient is cut.
    assert_allclose(
        small(GRUClassifier, **parameters, bptt_steps=2, max_iter=1, batch_size=24).fit(X, y).loss_,
        small(GRUClassifier, **parameters, max_iter=1, batch_size=24).fit(X, y).loss_,
        rtol=1e-10,
    )
    before = cut.predict_proba(X)
    assert_array_equal(cut.set_params(bptt_steps=None).predict_proba(X), before)


@MISSING
@CELL_NAMES
def test_float32_is_close_to_float64(cell, missing):
    X, y = ragged_with_holes()
    parameters = {"cell": cell, "missing": missing, "bidirectional": True}
    narrow = small(GRUClassifier, **parameters).fit(X, y)
    wide = small(GRUClassifier, **parameters, dtype="float64").fit(X, y)
    assert narrow.predict_proba(X).dtype == np.float32
    assert_allclose(narrow.predict_proba(X), wide.predict_proba(X), rtol=0, atol=1e-3)


# Features and sequences of which nothing is known


@SCALINGS
@MISSING
@pytest.mark.parametrize("more", [{}, {"patch_size": 2, "bidirectional": True}], ids=str)
def test_a_feature_never_seen_in_training_is_never_read(more, missing, scaling):
    X, y = rectangle(n_features=3)
    X[:, :, 1] = np.nan
    model = small(GRUClassifier, missing=missing, scaling=scaling, **more).fit(X, y)
    assert np.isnan(model.feature_mean_).tolist() == [False, True, False]
    assert_finite(model, X)
    expected = model.predict_proba(X)
    for value in (0.0, 1.0, -1e30):
        given = X.copy()
        given[:, :, 1] = value
        assert_array_equal(model.predict_proba(given), expected)
        given[::2, 1:3, 1] = np.nan
        assert_array_equal(model.predict_proba(given), expected)


@MISSING
def test_where_nothing_at_all_is_known(missing):
    X, y = np.full((8, 3, 2), np.nan), np.arange(8) % 2
    with pytest.raises(ValueError, match="X has no step: all sequences to train on are empty or"):
        small(GRUClassifier, missing=missing).fit(X, y)
    X[3, 1] = 1.0  # two steps in all
    model = small(GRUClassifier, missing=missing).fit(X, y)
    assert_finite(model, X)
    p = model.predict_proba(np.full((8, 3, 2), np.nan))
    assert_array_equal(p, model.predict_proba([np.empty((0, 2))] * 8))


@MISSING
def test_nan_only_is_an_empty_sequence_but_a_leading_gap_is_not(missing):
    X, y = ragged_with_holes()
    model = small(GRUClassifier, missing=missing, max_iter=20).fit(X, y)
    nan = np.full((4, 2), np.nan)
    x = np.array([[1.0, -1.0]])
    p = model.predict_proba([nan, nan[:0], nan[:1], x, np.vstack([nan, x]), np.vstack([x, nan])])
    assert_allclose(p[1:3], p[[0, 0]], rtol=0, atol=1e-7)
    assert_allclose(p[5], p[3], rtol=0, atol=1e-7)
    assert np.abs(p[4] - p[3]).max() > 1e-5


# NaN where training saw none


@MISSING
@SCALINGS
@pytest.mark.parametrize("more", [{}, {"patch_size": 2}, {"bidirectional": True}], ids=str)
def test_nan_where_training_saw_none_is_the_last_value_or_the_mean(more, scaling, missing):
    X, y = rectangle(n_features=2)
    X += [3.0, -2.0]
    parameters = {"dtype": "float64", "scaling": scaling, **more}
    model = small(GRUClassifier, missing=missing, max_iter=10, **parameters).fit(X, y)
    assert not model.has_missing_
    reference = small(GRUClassifier, missing="error", max_iter=10, **parameters).fit(X, y)
    assert_same_model(model, reference)
    assert_array_equal(model.gap_scale_, [1.0, 1.0])
    center = np.median(X, axis=(0, 1)) if scaling == "robust" else X.mean(axis=(0, 1))
    holed = with_holes(X, 0.4)
    expected = holed.copy()
    for x in expected:
        for t in range(len(x)):
            before = x[t - 1] if missing == "decay" and t > 0 else center
            x[t] = np.where(np.isnan(x[t]), before, x[t])
    atol = 0.01 if scaling == "robust" else 1e-10  # a median between two values is either's
    assert_allclose(
        model.predict_proba(holed), reference.predict_proba(expected), rtol=0, atol=atol
    )


@MISSING
@SCALINGS
def test_nan_in_other_rows_does_not_matter_where_training_saw_none(scaling, missing):
    X, y = rectangle(n_features=2)
    X = X * [1.0, 1e-6] + [1e3, 5.0]
    model = small(GRUClassifier, missing=missing, scaling=scaling, dtype="float64").fit(X, y)
    together = model.predict_proba(np.concatenate([X, with_holes(X)]))[: len(X)]
    assert_allclose(together, model.predict_proba(X), rtol=0, atol=1e-9)


@MISSING
def test_a_later_call_of_partial_fit_may_bring_nan(missing):
    X, y = ragged(n_features=2)
    holed = with_holes(X)
    model = small(GRUClassifier, missing=missing).partial_fit(X, y, classes=[0, 1])
    names = list(model.parameters_)
    model.partial_fit(holed, y).partial_fit(X, y)
    assert not model.has_missing_
    assert list(model.parameters_) == names
    assert_finite(model, holed)
    model = small(GRUClassifier, missing=missing).partial_fit(holed, y, classes=[0, 1])
    model.partial_fit(X, y)
    assert model.has_missing_
    assert_finite(model, holed)


@MISSING
@ALL_ESTIMATORS
def test_a_warm_start_goes_on(estimator_class, missing):
    X, y = ragged(n_features=2)
    holed = with_holes(X)
    for first, second in [(holed, X), (X, holed), (holed, holed)]:
        model = small(estimator_class, missing=missing, warm_start=True).fit(first, y)
        mean, gap_scale, had_missing = model.feature_mean_, model.gap_scale_, model.has_missing_
        before = model.t_
        model.fit(second, y)
        assert model.t_ > before
        assert model.has_missing_ == had_missing
        assert_array_equal(model.feature_mean_, mean)
        assert_array_equal(model.gap_scale_, gap_scale)
        assert_finite(model, holed)
    # Without it, everything is learned anew.
    model = small(estimator_class, missing=missing).fit(holed, y).fit(X, y)
    assert_same_model(model, small(estimator_class, missing=missing).fit(X, y))
    assert not model.has_missing_


def test_a_warm_start_with_another_treatment_is_refused():
    X, y = ragged_with_holes()
    model = small(GRUClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="the network that was fitted"):
        model.set_params(missing="indicator").fit(X, y)


@MISSING
@ALL_ESTIMATORS
def test_early_stopping_with_missing_values_in_the_validation_set(estimator_class, missing):
    X, y = ragged(n=30, n_features=2)
    holed = with_holes(X)
    for training in (X, holed):
        model = small(estimator_class, missing=missing, early_stopping=True, max_iter=4)
        model.fit(training, y, X_val=holed[:10], y_val=y[:10])
        assert len(model.validation_scores_) == 4
        assert np.isfinite(model.validation_scores_).all()
        assert model.best_validation_score_ == pytest.approx(
            model.score(holed[:10], y[:10]), abs=1e-6
        )
        model.fit(training, y)  # a part held out
        assert_finite(model, holed)


# Weights, chance, copies


@MISSING
@ALL_ESTIMATORS
@pytest.mark.filterwarnings("ignore:batch_size=400:UserWarning")
def test_a_weight_of_two_is_the_same_as_two_copies(estimator_class, missing):
    X, y = ragged_with_holes(n=20)
    counts = np.arange(20) % 4
    repeated = np.repeat(np.arange(20), counts)
    parameters = {
        "dtype": "float64",
        "batch_size": 400,
        "shuffle": False,
        "max_iter": 10,
        "missing": missing,
    }
    weighted = small(estimator_class, **parameters).fit(X, y, sample_weight=counts)
    copied = small(estimator_class, **parameters).fit([X[i] for i in repeated], y[repeated])
    for name in ("feature_mean_", "feature_scale_", "gap_scale_"):
        assert_allclose(getattr(weighted, name), getattr(copied, name), rtol=1e-12, err_msg=name)
    assert_allclose(output(weighted, X), output(copied, X), rtol=1e-9)
    assert_allclose(weighted.loss_curve_, copied.loss_curve_, rtol=1e-9)


@MISSING
@SCALINGS
def test_a_weight_of_zero_leaves_a_sample_out(scaling, missing):
    X, y = ragged_with_holes()
    weights = (np.arange(len(X)) % 3 > 0).astype(float)
    X[0] = np.array([[1e6, np.nan], [np.nan, np.nan], [np.nan, -1e6]])  # of no weight
    kept = np.flatnonzero(weights)
    parameters = {"missing": missing, "scaling": scaling}
    without = small(GRUClassifier, **parameters).fit([X[i] for i in kept], y[kept])
    with_zeros = small(GRUClassifier, **parameters).fit(X, y, sample_weight=weights)
    for name in ("feature_mean_", "feature_scale_", "gap_scale_"):
        assert_array_equal(getattr(with_zeros, name), getattr(without, name), err_msg=name)
    assert_same_model(with_zeros, without)
    complete = [np.nan_to_num(x) for x in X]
    complete[0][0] = np.nan
    assert not small(GRUClassifier).fit(complete, y, sample_weight=weights).has_missing_


@MISSING
@ALL_ESTIMATORS
@pytest.mark.parametrize("more", [{}, {"early_stopping": True}, {"solver": "lbfgs"}], ids=str)
def test_the_same_random_state_gives_the_same_model(more, estimator_class, missing):
    X, y = ragged_with_holes(n=40)
    parameters = {"missing": missing, "bidirectional": True, **more}
    a, b = (small(estimator_class, **parameters).fit(X, y) for _ in range(2))
    assert_same_model(a, b)
    assert_same_model(a.fit(X, y), b)
    assert_array_equal(output(a, X), output(b, X))


@MISSING
def test_the_number_of_threads_changes_no_bit(missing):
    X, y = rectangle(n=300, n_steps=4, n_features=2)
    X = with_holes(X)
    a, b = (
        small(
            GRUClassifier,
            hidden_layer_sizes=128,
            batch_size=150,
            max_iter=2,
            missing=missing,
            n_jobs=n_jobs,
        ).fit(X, y)
        for n_jobs in (1, 2)
    )
    assert_same_model(a, b)
    assert_array_equal(a.predict_proba(X), b.predict_proba(X))


@MISSING
def test_copies_predict_the_same(missing, tmp_path):
    X, y = ragged_with_holes()
    model = small(GRUClassifier, missing=missing, scaling="robust").fit(X, y)
    expected = model.predict_proba(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)
    joblib.dump(model, tmp_path / "model")
    assert_array_equal(joblib.load(tmp_path / "model").predict_proba(X), expected)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert_same_model(copy.fit(X, y), model)


# Zero is data


RUN = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("holes", [False, True])
@MISSING
@SCALINGS
@CELL_NAMES
def test_a_run_of_zeros_is_no_padding(cell, scaling, missing, holes):
    X, y = ragged(n_features=2)
    X = with_holes(X) if holes else X
    model = small(GRUClassifier, cell=cell, scaling=scaling, missing=missing, max_iter=20)
    model.fit(X, y)
    run = RUN.copy()
    if holes:
        run[1, 0] = np.nan
    shorter = run[:3]
    padded = np.vstack([shorter, np.full((2, 2), np.nan)])
    together = model.predict_proba(np.array([run, padded]))
    alone = [model.predict_proba([x]) for x in (run, shorter, padded)]
    assert_array_equal(alone[1], alone[2])
    assert_allclose(together, np.vstack([alone[0], alone[1]]), rtol=0, atol=1e-7)
    assert np.abs(alone[0] - alone[1]).max() > 1e-5  # far above rounding
    only_zeros = model.predict_proba([np.zeros((3, 2)), np.zeros((0, 2))])
    assert np.abs(only_zeros[0] - only_zeros[1]).max() > 1e-5


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@SCALINGS
@ALL_ESTIMATORS
def test_nothing_but_zeros_trains(estimator_class, scaling, solver, holes):
    X, y = [np.zeros((1 + i % 4, 2)) for i in range(16)], np.arange(16) % 4 // 2
    X = with_holes(X, 0.5) if holes else X
    for cell in NAMES:
        model = small(
            estimator_class, cell=cell, scaling=scaling, solver=solver, pooling=("last", "max")
        ).fit(X, y)
        assert_array_equal(model.feature_mean_, 0)
        assert_array_equal(model.feature_scale_, 1)
        assert_finite(model, X)


# Everything at once


def test_everything_at_once():
    rng = np.random.default_rng(0)
    n = 120
    y = np.arange(n) % 2
    X = []
    for label in y:
        length = rng.integers(4, 12)
        values = rng.normal(2 * label - 1, 1.0, size=(length, 2))
        values[rng.random(values.shape) < 0.25] = np.nan
        values[rng.random(values.shape) < 0.01] = 1e6
        X.append(np.column_stack([1e9 + rng.exponential(60, length).cumsum(), values]))
    X[0][:, 1:] = np.nan
    before = copies_of(X)
    pipeline = make_pipeline(
        PerTimestep(StandardScaler()),
        small(
            GRUClassifier,
            hidden_layer_sizes=(6, 5),
            bidirectional=True,
            early_stopping=True,
            validation_fraction=0.2,
            learning_rate_init=0.02,
            max_iter=12,
            time_feature=0,
        ),
    )
    grid = {
        "gruclassifier__missing": ["decay", "indicator"],
        "gruclassifier__scaling": ["standard", "robust"],
        "gruclassifier__cell": ["gru", "lstm"],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X[:80], y[:80])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    of_robust = search.cv_results_["param_gruclassifier__scaling"] == "robust"
    assert search.cv_results_["mean_test_score"][of_robust].min() > 0.7
    assert search.score(X[80:], y[80:]) > 0.8
    for x, x_before in zip(X, before, strict=True):
        assert_array_equal(x, x_before)


def test_a_regressor_reads_values_through_gaps():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(8, 2)) for _ in range(150)]
    for x in X:
        x[rng.integers(1, 6) :, 0] = np.nan  # the target is the value last seen
    y = np.array([x[~np.isnan(x[:, 0]), 0][-1] for x in X])
    model = GRURegressor(
        12, learning_rate="cosine", learning_rate_init=0.02, max_iter=40, random_state=0
    ).fit(X[:110], y[:110])
    assert model.score(X[110:], y[110:]) > 0.7


def test_aligned_events_are_cross_validated_as_they_are():
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    events = []
    for i, label in enumerate(y):
        start = rng.uniform(0, 1e6)
        for channel, level, mean_gap in [("pulse", 2 * label - 1, 10.0), ("oxygen", 0, 45.0)]:
            times = start + rng.exponential(mean_gap, rng.integers(2, 8)).cumsum()
            events += [(i, time, channel, rng.normal(level)) for time in times]
    X = SequenceAligner().fit_transform(events)
    assert np.isnan(np.concatenate(X)[:, 1:]).mean() > 0.4
    for missing in ("decay", "indicator"):
        parameters = {"missing": missing, "pooling": "mean", "max_iter": 20}
        model = small(GRUClassifier, time_feature=0, learning_rate_init=0.05, **parameters)
        assert cross_val_score(model, X, y, cv=3).mean() > 0.8


# What is learned


def learner(**parameters):
    defaults = {"hidden_layer_sizes": 12, "max_iter": 30, "learning_rate_init": 0.02}
    return small(GRUClassifier, **defaults | parameters)


@MISSING
def test_what_is_missing_can_be_what_tells(missing):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8, 2))
    y = np.arange(300) % 2
    for x, often in zip(X, y, strict=True):
        x[:-1, 0][rng.random(7) < (0.8 if often else 0.3)] = np.nan
    model = learner(missing=missing).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85
    blind = np.where(np.isnan(X), rng.normal(size=X.shape), X)
    assert learner().fit(blind[:200], y[:200]).score(blind[200:], y[200:]) < 0.7


@MISSING
@CELL_NAMES
def test_a_level_is_read_in_spite_of_gaps(cell, missing):
    rng = np.random.default_rng(0)
    level = rng.normal(size=300)
    X = 100 + 30 * (level[:, None, None] + rng.normal(0, 0.5, (300, 10, 2)))  # far from zero
    X[rng.random(X.shape) < 0.6] = np.nan
    y = (level > 0).astype(int)
    model = learner(missing=missing, cell=cell).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85


@MISSING
def test_a_step_without_any_value_is_a_step(missing):
    X, y = ragged_with_holes(n=40)
    X = [np.vstack([x, [[1.0, 1.0]]]) for x in X]
    nothing = np.full((1, 2), np.nan)
    in_front = [np.concatenate([nothing, x]) for x in X]
    inside = [np.concatenate([x[:-1], nothing, x[-1:]]) for x in X]
    model = learner(missing=missing).fit([*X, *in_front, *inside], np.tile(y, 3))
    p = model.predict_proba(X)
    for longer in (in_front, inside):
        assert np.abs(model.predict_proba(longer) - p).max() > 1e-3
    assert_array_equal(model.predict_proba([np.concatenate([x, nothing]) for x in X]), p)


def test_class_weights_leave_the_means_as_they_are():
    X, y = ragged_with_holes()
    a, b = (small(GRUClassifier, class_weight=w).fit(X, y) for w in ({0: 3.0, 1: 0.5}, None))
    assert_array_equal(a.feature_mean_, b.feature_mean_)
    assert_array_equal(a.gap_scale_, b.gap_scale_)
    assert np.abs(a.predict_proba(X) - b.predict_proba(X)).max() > 1e-3


def test_the_mean_is_in_front_of_what_is_no_whole_patch():
    X, y = ragged(n_features=2)
    X = [5 + x for x in X]
    model = small(GRUClassifier, scaling=None, patch_size=2, dtype="float64").fit(X, y)
    mean = np.concatenate(X).mean(axis=0)
    whole = [np.concatenate([[mean], x]) if len(x) % 2 else x for x in X]
    assert_allclose(model.predict_proba(X), model.predict_proba(whole), atol=1e-10)
