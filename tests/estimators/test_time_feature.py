"""`time_feature`: what the network reads of time, of which feature, and what it learns of it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor
from tests.datasets import assert_same_model, output, pad, small, token_sequences
from tests.kinds import NAMES
from tests.stamps import MODES, NAN, STAMP, fitted, nested, stamped, with_holes, with_stamps

CONFIGURATIONS = [
    {},
    {"missing": "indicator"},
    {"missing": "error", "cell": "lstm", "scaling": "robust"},
    {"cell": "rnn", "hidden_layer_sizes": (4, 3), "scaling": None, "pooling": "mean"},
    {"bidirectional": True, "pooling": ("last", "attention")},
    {"patch_size": 2, "cell": "lstm"},
    {"solver": "lbfgs", "dtype": "float64", "max_iter": 5, "tol": 1e-9},
    {"bptt_steps": 2, "output_gate": True},
]


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def for_mode(X, parameters):
    return X if parameters.get("missing") == "error" else with_holes(X)


# What must not matter


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_only_the_differences_of_the_stamps_matter(parameters):
    X, y = stamped()
    X = for_mode(X, parameters)
    model = fitted(X, y, **parameters)
    p = model.predict_proba(X)
    for shift in (-1.5e9, 4096.0):
        shifted = with_stamps(X, lambda s, shift=shift: s + shift)
        assert_array_equal(model.predict_proba(shifted), p)
        assert_same_model(fitted(shifted, y, **parameters), model)
    each = [x + np.array([0, 1000.0 * i, 0]) for i, x in enumerate(X)]  # of each, another one
    assert_array_equal(model.predict_proba(each), p)
    assert_same_model(fitted(each, y, **parameters), model)
    assert np.abs(model.predict_proba(with_stamps(X, lambda s: 3 * s)) - p).max() > 1e-4


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_the_unit_of_the_stamps_does_not_matter(parameters):
    X, y = stamped()
    X = for_mode(X, parameters)
    model = fitted(X, y, **parameters)
    p = model.predict_proba(X)
    for unit in (2.0**-10, 2.0**20):
        other = with_stamps(X, lambda s, unit=unit: s * unit)
        same = fitted(other, y, **parameters)
        assert_same_model(same, model)
        assert_array_equal(same.predict_proba(other), p)
        assert_array_equal(same.gap_scale_, model.gap_scale_ * unit)
    hours = with_stamps(X, lambda s: s / 3600)
    assert_allclose(fitted(hours, y, **parameters).predict_proba(hours), p, rtol=0, atol=1e-5)


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_padding_company_and_order_do_not_matter(parameters):
    X, y = stamped(40, shortest=1)
    X = [*for_mode(X, parameters), np.empty((0, 3))]
    y = [*y, 1]
    model = fitted(X, y, **parameters)
    together = model.predict_proba(X)
    assert np.isfinite(model.loss_curve_).all()
    assert np.ptp(together[:, 0]) > 0.05
    order = np.random.default_rng(0).permutation(len(X))
    others = {
        "alone": np.concatenate([model.predict_proba([x]) for x in X]),
        "padded": model.predict_proba(pad(X, 60, NAN)),
        "shuffled": model.predict_proba([X[i] for i in order])[np.argsort(order)],
        "with a slow one": model.predict_proba([*X, np.array([[9, 0, 9], [9, 1e12, 9.0]])])[:-1],
    }
    for name, p in others.items():
        assert_allclose(p, together, rtol=0, atol=1e-6, err_msg=name)
    assert_same_model(fitted(pad(X, 20, NAN), y, **parameters), model)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stamps_of_this_century_are_as_precise_as_those_from_zero(dtype):
    X, y = stamped(30)
    X = with_stamps(X, lambda s: (s - s[0]) / 4096)  # well below a second
    late = with_stamps(X, lambda s: s + 2.0**31)
    a, b = (fitted(Z, y, dtype=dtype) for Z in (X, late))
    assert_same_model(a, b)


def test_the_stamps_are_left_as_they_are():
    X, y = stamped()
    X = pad(with_holes(X), 8, NAN)
    X.flags.writeable = False
    before = X.tobytes()
    for missing in ("decay", "indicator"):
        fitted(X, y, missing=missing, bidirectional=True).predict(X)
    assert X.tobytes() == before
    cells = [x.astype(object) for x in stamped()[0]]
    for x in cells:
        x[:, STAMP] = [pd.Timestamp(s, unit="s") for s in x[:, STAMP]]
    copies = [x.copy() for x in cells]
    fitted(cells, y).predict(cells)
    for x, copied in zip(cells, copies, strict=True):
        assert_array_equal(x, copied)


# What the network reads


@pytest.mark.parametrize("missing", MODES)
def test_the_time_between_steps_is_read_in_the_place_of_the_stamps(missing):
    # Nothing is missing: by hand the network reads the logarithm of the time since the step before.
    X, y = stamped()
    model = fitted(X, y, missing=missing, dtype="float64")
    gaps = [np.diff(x[:, STAMP], prepend=x[0, STAMP]) for x in X]
    mean = np.concatenate(gaps).mean()
    assert_allclose(model.gap_scale_, mean, rtol=1e-12)
    assert not model.has_missing_
    if missing == "decay":  # states decay too
        assert "hidden_0.decay_weights" in model.parameters_
        assert "inputs.decay_weights" not in model.parameters_
        return
    values = np.concatenate(X)
    center, scale = values.mean(axis=0), values.std(axis=0)
    by_hand = []
    for x, gap in zip(X, gaps, strict=True):
        z = (x - center) / scale
        z[:, STAMP] = np.log1p(gap / mean)
        by_hand.append(z)
    reference = fitted(by_hand, y, time_feature=None, scaling=None, dtype="float64")
    assert_allclose(model.predict_proba(X), reference.predict_proba(by_hand), rtol=0, atol=1e-9)


def test_the_mean_times_since_each_feature_was_last_seen():
    X = [np.array([[1, 10, NAN], [NAN, 13, 5], [2, 14, NAN]]), np.array([[NAN, 0, 1], [7, 8, 2.0]])]
    model = small(GRUClassifier, time_feature=1).fit(X, [0, 1])
    # Since the first step where nothing was seen before, and before the step that is asked about.
    expected = [(0 + 3 + 4 + 0 + 8) / 5, (0 + 3 + 1 + 0 + 8) / 5, (0 + 3 + 1 + 0 + 8) / 5]
    assert_allclose(model.gap_scale_, expected, rtol=1e-12)
    steps = small(GRUClassifier).fit(X, [0, 1])
    assert_allclose(steps.gap_scale_, [(0 + 1 + 2 + 0 + 1) / 5, 3 / 5, 3 / 5], rtol=1e-12)


@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_a_step_that_has_a_time_stamp_only_is_a_step(missing):
    X, y = stamped()
    X = with_holes(X)
    for x in X:
        x[-1, [0, 2]] = NAN
    model = fitted(X, y, missing=missing)
    shorter = [x[:-1] for x in X]
    p = model.predict_proba(X)
    assert np.isfinite(p).all()
    assert np.abs(p - model.predict_proba(shorter)).max() > 1e-4
    assert [len(h) for h in model.transform_steps(X)] == [len(x) for x in X]


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_stamps_alone_are_enough(parameters):
    X, y = stamped()
    alone = [x[:, [STAMP]] for x in X]
    model = fitted(alone, y, **parameters | {"time_feature": 0})
    assert np.isfinite(model.loss_curve_).all()
    assert_array_equal(model.feature_mean_, 0)
    flat = [x[:, 0] for x in alone]
    assert_same_model(fitted(flat, y, **parameters | {"time_feature": -1}), model)


@pytest.mark.parametrize("missing", MODES)
def test_equal_stamps_and_single_steps_train(missing):
    X, y = stamped()
    same_times = with_stamps(X, lambda s: np.full_like(s, s[0]))
    model = fitted(same_times, y, missing=missing)
    assert np.isfinite(model.loss_curve_).all()
    assert_array_equal(model.gap_scale_, 1)
    assert np.isfinite(model.predict_proba(X)).all()  # of which times go on
    single = [x[:1] for x in X]
    model = fitted(single, y, missing=missing)
    assert np.isfinite(model.predict_proba(X)).all()
    partly = with_stamps(X, lambda s: np.maximum.accumulate(s - s % 4096))
    assert np.isfinite(fitted(partly, y, missing=missing).loss_curve_).all()


@pytest.mark.parametrize("missing", MODES)
def test_where_training_saw_none_missing_values_are_filled(missing):
    X, y = stamped()
    model = fitted(X, y, missing=missing, dtype="float64")
    holes = with_holes(X)
    if missing == "error":
        with pytest.raises(ValueError, match="NaN"):
            model.predict(holes)
        return
    p = model.predict_proba(holes)
    assert np.isfinite(p).all()
    assert_allclose(np.concatenate([model.predict_proba([x]) for x in holes]), p, atol=1e-10)
    if missing == "indicator":
        filled = [np.where(np.isnan(x), model.feature_mean_, x) for x in holes]
        assert_allclose(model.predict_proba(filled), p, rtol=0, atol=1e-10)


# Which feature


@pytest.mark.parametrize("missing", MODES)
def test_an_index_counts_from_either_end(missing):
    X, y = stamped()
    model = fitted(X, y, missing=missing)
    same = fitted(X, y, missing=missing, time_feature=STAMP - 3)
    assert_same_model(same, model)
    assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    assert same.time_feature == STAMP - 3
    assert_same_model(same.fit(X, y), model)


@pytest.mark.parametrize("time_feature", [3, -4, 100])
def test_an_index_of_no_feature_is_refused(time_feature):
    X, y = stamped()
    for form in (X, pad(X, 8, NAN)):
        with pytest.raises(ValueError, match=f"time_feature .*-3 and below 3, got {time_feature}"):
            small(GRUClassifier, time_feature=time_feature).fit(form, y)
    with pytest.raises(ValueError, match="time_feature"):
        small(GRUClassifier, time_feature=1).fit(np.ones((4, 6)), [0, 1, 0, 1])


@pytest.mark.parametrize("time_feature", ["when", ""])
def test_a_name_of_no_column_is_refused(time_feature):
    X, y = stamped()
    for form in (X, nested(X, pd), nested(X, pl)):
        with pytest.raises(ValueError, match=f"a column time_feature='{time_feature}'"):
            small(GRUClassifier, time_feature=time_feature).fit(form, y)
    with pytest.raises(ValueError, match=r"columns of X are \['a', 'time', 'b'\]"):
        small(GRUClassifier, time_feature=time_feature).fit(nested(X, pd), y)


@pytest.mark.parametrize("time_feature", [1.0, [0], (1,)])
def test_other_values_are_refused(time_feature):
    X, y = stamped()
    with pytest.raises(ValueError, match="'time_feature' parameter"):
        GRUClassifier(time_feature=time_feature).fit(X, y)


@pytest.mark.parametrize(
    "parameters", [{"embedding_dim": 2}, {"embedding_matrix": np.ones((9, 2))}]
)
@pytest.mark.parametrize("time_feature", [0, "time"])
def test_tokens_have_no_time_stamps(parameters, time_feature):
    X, y = token_sequences()
    with pytest.raises(ValueError, match="Token sequences have no time stamps"):
        small(GRUClassifier, time_feature=time_feature, **parameters).fit(X, y)


def test_too_few_features_in_a_prediction_are_named_as_such():
    X, y = stamped()
    model = fitted(X, y)
    with pytest.raises(ValueError, match=r"1 features per step.* expecting 3 features"):
        model.predict([x[:, :1] for x in X])


# What is learned of time


def clocks(n=300, n_features=1, seed=0):
    """Return sequences of like values, and whether their clock is the fast one."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 8, n_features + 1))
    X[:, :, 0] = rng.exponential(np.where(y, 60.0, 600.0)[:, None], (n, 8)).cumsum(axis=1)
    return X, y


def learner(**parameters):
    defaults = {"hidden_layer_sizes": 8, "max_iter": 20, "learning_rate_init": 0.02}
    return small(GRUClassifier, **defaults | parameters)


@pytest.mark.parametrize(
    "parameters", [*({"cell": cell} for cell in NAMES), {"bidirectional": True}], ids=str
)
@pytest.mark.parametrize("missing", MODES)
def test_what_only_the_clock_tells_is_learned(missing, parameters):
    X, y = clocks()
    if missing != "error":
        X[:, :, 1][np.random.default_rng(1).random((300, 8)) < 0.3] = NAN
    model = learner(time_feature=0, missing=missing, **parameters).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9


def test_without_the_clock_there_is_nothing_to_learn():
    X, y = clocks()
    blind = learner().fit(X[:200, :, 1:], y[:200])
    assert blind.score(X[200:, :, 1:], y[200:]) < 0.65
    alone = learner(time_feature=0).fit(X[:200, :, :1], y[:200])
    assert alone.score(X[200:, :, :1], y[200:]) > 0.9


def test_times_of_sequences_that_start_anywhere_are_learned():
    X, y = clocks()
    X[:, :, 0] += np.random.default_rng(1).uniform(0, 1e9, (300, 1))
    model = learner(time_feature=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9
    raw = learner().fit(X[:200], y[:200])
    assert raw.score(X[200:], y[200:]) < 0.65


def test_regression_on_time():
    rng = np.random.default_rng(0)
    pace = rng.uniform(0.5, 2.0, 400)
    X = rng.normal(size=(400, 8, 2))
    X[:, :, 1] = rng.exponential(pace[:, None], (400, 8)).cumsum(axis=1)
    y = X[:, -1, 1] - X[:, 0, 1]
    model = small(
        GRURegressor, hidden_layer_sizes=16, max_iter=40, learning_rate_init=0.02, time_feature=1
    ).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.85
    assert output(model, X).shape == (400,)
