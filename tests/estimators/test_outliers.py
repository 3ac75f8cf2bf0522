"""Outliers: `scaling="robust"`, and training that stays finite whatever the spikes."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import RobustScaler
from sklearn.utils import estimator_checks

from skgru import GRUClassifier, GRURegressor
from tests.checks import id_of, run_check
from tests.datasets import ESTIMATORS, assert_same_model, output, pad, ragged, small
from tests.kinds import NAMES

NAN = np.nan
CELLS = [
    *({"cell": cell} for cell in NAMES),
    {"cell": "gru", "reset_after": True, "output_gate": True},
    {"bidirectional": True, "pooling": "attention", "hidden_layer_sizes": (4, 3)},
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def spoiled(X, size, share=0.01, seed=2):
    """Return copies with spikes of either sign, at least one, and none of them missing."""
    rng = np.random.default_rng(seed)
    X = [x.copy() for x in X]
    for x in X:
        spikes = (rng.random(x.shape) < share) & ~np.isnan(x)
        x[spikes] = size * rng.choice([-1.0, 1.0], spikes.sum())
    X[0][0, 0] = size
    return X


def with_nan(X, share=0.3, seed=1):
    rng = np.random.default_rng(seed)
    X = [x.copy() for x in X]
    for x in X:
        x[rng.random(x.shape) < share] = NAN
    return X


def by_hand(X):
    """Return X as the network reads it with robust scaling, where nothing is missing."""
    values = np.concatenate(X)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    z = [(x - middle) / (high - low) for x in X]
    return [a / np.sqrt(1 + (a / 3) ** 2) for a in z]


# What robust scaling is


@pytest.mark.parametrize("parameters", [{}, {"patch_size": 2}, {"bidirectional": True}], ids=str)
def test_the_network_reads_what_can_be_computed_by_hand(parameters):
    X, y = ragged(30, n_features=2)
    X = [50 + 7 * x for x in spoiled(X, 100.0, share=0.1)]
    options = {"dtype": "float64", "max_iter": 5} | parameters
    model = small(GRUClassifier, scaling="robust", **options).fit(X, y)
    read = by_hand(X)
    if "patch_size" in options:  # the median, in front of what is no whole patch
        read = [np.concatenate([np.zeros((len(x) % 2, 2)), x]) for x in read]
    reference = small(GRUClassifier, scaling=None, **options).fit(read, y)
    assert_allclose(model.predict_proba(X), reference.predict_proba(read), atol=1e-10)


def test_center_and_scale_are_those_of_robust_scaler():
    rng = np.random.default_rng(0)
    X = [rng.standard_t(2, (n, 3)) * [1, 100, 1e-3] for n in (5, 40, 20, 36)]  # 4 · 25 + 1 steps
    scaler = RobustScaler().fit(np.concatenate(X))
    model = small(GRUClassifier, scaling="robust").fit(X, [0, 1, 0, 1])
    assert_allclose(model.feature_mean_, scaler.center_, rtol=1e-12)
    assert_allclose(model.feature_scale_, scaler.scale_, rtol=1e-12)


def test_missing_values_and_constants_and_rare_values():
    n = 1000
    rng = np.random.default_rng(0)
    values = np.zeros((n, 5))
    values[:, 0] = np.where(rng.random(n) < 0.4, NAN, rng.normal(5.0, 2.0, n))
    values[:, 1] = 3.0
    values[::5, 2] = 12.0  # 80 % zeros
    values[:, 3] = NAN
    values[7, 4] = 1e6
    X = values.reshape(100, 10, 5)
    model = small(GRUClassifier, scaling="robust").fit(X, np.arange(100) % 2)
    seen = values[~np.isnan(values[:, 0]), 0]
    low, middle, high = np.quantile(seen, [0.25, 0.5, 0.75], method="inverted_cdf")
    assert_array_equal(model.feature_mean_, [middle, 3, 0, NAN, 0])
    assert_allclose(model.feature_scale_, [high - low, 1, 12, NAN, 1e6])
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.filterwarnings("ignore:batch_size=21:UserWarning")
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_weights_are_repetitions(estimator_class):
    X, y = ragged(21, n_features=2)
    X = with_nan(spoiled(X, 50.0, share=0.1))
    counts = np.arange(21) % 4
    repeated = np.repeat(np.arange(21), counts)
    options = {"scaling": "robust", "dtype": "float64", "batch_size": 21, "shuffle": False}
    weighted = small(estimator_class, **options).fit(X, y, sample_weight=counts)
    copied = small(estimator_class, **options).fit([X[i] for i in repeated], y[repeated])
    for name in ("feature_mean_", "feature_scale_"):
        assert_array_equal(getattr(weighted, name), getattr(copied, name))
    assert_allclose(weighted.gap_scale_, copied.gap_scale_, rtol=1e-12)
    without = small(estimator_class, **options | {"batch_size": 8})
    without.fit([X[i] for i in np.flatnonzero(counts)], y[counts > 0], counts[counts > 0])
    again = small(estimator_class, **options | {"batch_size": 8}).fit(X, y, counts)
    assert_same_model(again, without)


def test_padding_and_forms_change_nothing():
    X, y = ragged(24, n_features=2)
    X = spoiled(X, 1e4, share=0.05)
    model = small(GRUClassifier, scaling="robust").fit(X, y)
    padded = pad(X, 12, NAN)
    padded.flags.writeable = False
    same = small(GRUClassifier, scaling="robust").fit(padded, y)
    assert_same_model(same, model)
    assert_array_equal(same.predict_proba(padded), model.predict_proba(X))
    # The scaling that was fitted stays, whatever is set afterwards.
    p = model.predict_proba(X)
    assert_array_equal(model.set_params(scaling="standard").predict_proba(X), p)


def test_robust_scaling_of_tokens_is_no_scaling():
    X, y = [[2, 3], [3], [4, 2, 2], [5]], [0, 1, 0, 1]
    a, b = (small(GRUClassifier, embedding_dim=2, scaling=s) for s in ("robust", "auto"))
    with pytest.warns(UserWarning, match="scaling='robust' .X holds tokens"):
        a.fit(X, y)
    assert_same_model(a, b.fit(X, y))


@pytest.mark.parametrize("value", ["minmax", "Robust", True, 1])
def test_other_scalings_are_refused(value):
    with pytest.raises(ValueError, match="'scaling' parameter"):
        GRUClassifier(scaling=value).fit([[1.0], [2.0]], [0, 1])


def checks_to_run():
    """Return the pairs of estimator and check.

    Two options that have nothing to do with each other go through them together, each of which may
    make a check fail: robust scaling, and refusing what is missing.
    """
    options = {"scaling": "robust", "missing": "error", "hidden_layer_sizes": 8}
    options |= {"learning_rate_init": 0.03}
    estimators = [GRUClassifier(max_iter=20, **options), GRURegressor(max_iter=60, **options)]
    return [pair for e in estimators for pair in estimator_checks.estimator_checks_generator(e)]


@pytest.mark.parametrize(("estimator", "check"), checks_to_run(), ids=id_of)
def test_check_of_scikit_learn(estimator, check):
    run_check(estimator, check)


# Fewer iterations of L-BFGS than in `test_estimator_checks.py`: within some dozens of them its line
# search makes much of a rounding error, and so of the order of the samples, whatever the scaling.
@pytest.mark.parametrize(
    "parameters", [{"solver": "lbfgs", "max_iter": 10}, {"dtype": "float64", "max_iter": 200}]
)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_check_of_sample_weights(estimator_class, parameters):
    estimator = estimator_class(**{"scaling": "robust", "hidden_layer_sizes": 8} | parameters)
    check = estimator_checks.check_sample_weight_equivalence_on_dense_data
    check(estimator_class.__name__, estimator)


# Spikes never make anything that is not finite; warnings are errors


def check_finite(X, y, estimator_class=GRUClassifier, **parameters):
    model = small(estimator_class, **parameters).fit(X, y)
    assert np.isfinite(model.loss_curve_).all()
    assert all(np.isfinite(array).all() for array in model.parameters_.values())
    assert np.isfinite(output(model, X)).all()
    return model


@pytest.mark.parametrize("size", [1e6, 1e30])
@pytest.mark.parametrize("scaling", ["standard", "robust", None])
@pytest.mark.parametrize("missing", [False, "decay", "indicator"])
@pytest.mark.parametrize("parameters", CELLS, ids=str)
def test_spikes_train(parameters, missing, scaling, size):
    X, y = ragged(40, n_features=2)
    parameters = parameters | {"scaling": scaling}
    if missing:
        X, parameters = with_nan(X), parameters | {"missing": missing}
    X = spoiled(X, size)
    for further in ({}, {"dtype": "float64"}, {"max_grad_norm": None, "solver": "sgd"}):
        check_finite(X, y, max_iter=2, **parameters | further)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("parameters", CELLS, ids=str)
def test_spikes_as_large_as_double_precision_allows_train_if_they_are_clipped(
    parameters, missing, dtype
):
    X, y = ragged(40, n_features=2)
    X = spoiled(with_nan(X) if missing else X, 1e300)
    check_finite(X, y, scaling="robust", dtype=dtype, **parameters)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6])
def test_the_unit_of_the_feature_does_not_matter_to_the_largest_spikes(unit):
    X, y = ragged(40, n_features=2)
    X = spoiled([x * unit for x in X], 1e300)
    check_finite(X, y, scaling="robust")


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("parameters", CELLS, ids=str)
def test_the_largest_spikes_train_unscaled_in_double_precision(parameters, missing):
    X, y = ragged(40, n_features=2)
    X = spoiled(with_nan(X) if missing else X, 1e300)
    check_finite(X, y, scaling=None, dtype="float64", **parameters)


def test_spikes_that_overflow_are_refused_with_what_to_do():
    X, y = ragged(40, n_features=2)
    X = spoiled(X, 1e300)
    with pytest.raises(ValueError, match="variance of X overflows"):
        small(GRUClassifier).fit(X, y)
    with pytest.raises(ValueError, match="too large for float32"):
        small(GRUClassifier, scaling=None).fit(X, y)


@pytest.mark.parametrize("scaling", ["standard", "robust", None])
@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_spikes_only_in_a_prediction(missing, scaling):
    X, y = ragged(40, n_features=2)
    for training in (X, with_nan(X)):
        model = small(GRUClassifier, scaling=scaling, missing=missing).fit(training, y)
        for size in (1e6, 1e30):
            p = model.predict_proba(spoiled(training, size))
            assert np.isfinite(p).all()


@pytest.mark.parametrize("scaling", ["standard", "robust", None])
@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_a_spike_in_training_lets_no_other_row_change_a_prediction(missing, scaling):
    X, y = ragged(40, n_features=2)
    training = [x.copy() for x in X]
    training[0][0] = 1e20  # the mean is far off
    model = small(GRUClassifier, scaling=scaling, missing=missing, dtype="float64", max_iter=10)
    model.fit(training, y)
    assert not model.has_missing_
    p = model.predict_proba(X)
    with_company = model.predict_proba([*X, np.array([[NAN, 1.0], [1.0, 1.0]])])
    assert_allclose(with_company[:-1], p, rtol=0, atol=1e-10)


def test_spikes_in_the_time_since_the_step_before():
    X, y = ragged(40, n_features=2, shortest=3)
    for i, x in enumerate(X):
        x[:, 0] = np.arange(len(x))
        if i % 7 == 0:
            x[-1, 0] = 1e15
    for missing in ("decay", "indicator"):
        check_finite(X, y, time_feature=0, missing=missing)
        check_finite(with_nan_but_first(X), y, time_feature=0, missing=missing)


def with_nan_but_first(X):
    holes = with_nan(X)
    for hole, x in zip(holes, X, strict=True):
        hole[:, 0] = x[:, 0]
    return holes


@pytest.mark.parametrize("scaling", ["standard", "robust", None])
def test_spikes_with_lbfgs_and_in_regression(scaling):
    X, y = ragged(40, n_features=2)
    holes = with_nan(X)
    for spikes in (spoiled(X, 1e6), spoiled(holes, 1e6)):
        check_finite(spikes, y, scaling=scaling, solver="lbfgs", max_iter=5)
        check_finite(spikes, y, GRURegressor, scaling=scaling)
        check_finite(spikes, y, scaling=scaling, patch_size=2, bptt_steps=2)


def test_float32_input():
    X, y = ragged(40, n_features=2)
    X = [x.astype(np.float32) for x in spoiled(X, 1e38)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_finite(X, y, scaling="robust")
        check_finite(X, y)


# What they cost


def task(n=400, seed=0):
    """Return sequences, and whether their level is above zero."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=n)
    X = level[:, None, None] + rng.normal(0, 1.0, (n, 10, 2))
    return list(3 + 2 * X), (level > 0).astype(int)


def learner(**parameters):
    defaults = {"hidden_layer_sizes": 12, "max_iter": 20, "learning_rate_init": 0.02}
    return small(GRUClassifier, **defaults | parameters)


@pytest.mark.parametrize("size", [1e6, 1e30, 1e300])
@pytest.mark.parametrize("parameters", [{"cell": cell} for cell in NAMES], ids=str)
def test_with_robust_scaling_spikes_cost_little(parameters, size):
    X, y = task()
    spikes = spoiled(X, size)
    clean = learner(scaling="robust", **parameters).fit(X[:300], y[:300])
    model = learner(scaling="robust", **parameters).fit(spikes[:300], y[:300])
    assert clean.score(X[300:], y[300:]) > 0.85
    assert model.score(spikes[300:], y[300:]) > clean.score(X[300:], y[300:]) - 0.06
    assert model.score(X[300:], y[300:]) > clean.score(X[300:], y[300:]) - 0.05


def test_with_robust_scaling_spikes_cost_little_where_values_are_missing():
    X, y = task()
    holes = with_nan(X)
    spikes = spoiled(holes, 1e6)
    clean = learner(scaling="robust").fit(holes[:300], y[:300])
    model = learner(scaling="robust").fit(spikes[:300], y[:300])
    assert clean.score(holes[300:], y[300:]) > 0.8
    assert model.score(spikes[300:], y[300:]) > clean.score(holes[300:], y[300:]) - 0.06


def test_standard_scaling_loses_what_robust_scaling_keeps():
    X, y = task()
    spikes = spoiled(X, 1e6)
    robust, standard = (
        learner(scaling=s).fit(spikes[:300], y[:300]).score(spikes[300:], y[300:])
        for s in ("robust", "standard")
    )
    assert robust > 0.8 > 0.75 > standard


def test_a_feature_of_zeros_and_spikes_tells_by_its_spikes():
    rng = np.random.default_rng(0)
    X = np.zeros((300, 10, 1))
    y = np.arange(300) % 2
    X[np.arange(300), rng.integers(0, 10, 300), 0] = np.where(y, 20.0, 10.0)  # 90 % zeros
    model = learner(scaling="robust", max_iter=40).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9
