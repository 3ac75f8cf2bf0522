"""`scaling="sequence"`: each sequence by its own mean and deviation, which are read as well."""

import pickle
import warnings

import numpy as np
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import estimator_checks

from skgru import (
    GRUClassifier,
    GRUForecaster,
    GRURegressor,
    MultimodalGRUClassifier,
    SeriesBranch,
    TableBranch,
)
from skgru.inspection import GateDisplay, attributions, permutation_importance
from tests.checks import id_of, run_check
from tests.datasets import ESTIMATORS, assert_same_model, output, pad, ragged, small

NAN = np.nan
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def magnitudes(n=24, n_features=2, longest=7, shortest=1, seed=0, least=1e-3):
    """Return sequences whose levels and magnitudes span orders, and their classes."""
    X, y = ragged(n, n_features, longest, shortest, seed)
    rng = np.random.default_rng(seed + 1)
    factors = 10 ** rng.uniform(np.log10(least), 2, (n, n_features))
    return [f * (x + rng.normal(size=n_features)) for x, f in zip(X, factors, strict=True)], y


def with_nan(X, seed=1):
    """Return copies with missing values, but for the first and the last step."""
    rng = np.random.default_rng(seed)
    holes = [x.copy() for x in X]
    for hole in holes:
        hole[1:-1][rng.random(hole[1:-1].shape) < 0.3] = NAN
    return holes


def widened(X, scaled=slice(None)):
    """Return X as the network reads it, by loops, where no sequence lacks a feature."""
    values = np.concatenate(X)[:, scaled]
    level, unit = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    means = np.array([np.nanmean(x[:, scaled], axis=0) for x in X])
    deviations = np.array([np.nanstd(x[:, scaled], axis=0) for x in X])
    least = np.min(np.where(deviations > 0, deviations, np.inf), axis=0)
    scales = np.hstack([(means - level) / unit, np.log(np.maximum(deviations, least) / unit)])
    scales = (scales - scales.mean(axis=0)) / np.maximum(scales.std(axis=0), 0.1)
    found = []
    for x, mean, deviation, own in zip(X, means, deviations, scales, strict=True):
        z = x.copy()
        z[:, scaled] = (x[:, scaled] - mean) / np.where(deviation > 0, deviation, 1)
        found.append(np.hstack([z, np.tile(own, (len(x), 1))]))
    return found


# What the network reads


@pytest.mark.parametrize("parameters", [{}, {"patch_size": 2}, {"bptt_steps": 2}], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_network_reads_what_can_be_computed_by_hand(estimator_class, parameters):
    X, y = magnitudes()
    X[3][:] = 5.0  # constant, as are sequences of one step
    options = {"dtype": "float64", "max_iter": 5} | parameters
    model = small(estimator_class, scaling="sequence", **options).fit(X, y)
    read = widened(X)
    if "patch_size" in options:
        read = [np.concatenate([np.zeros((len(x) % 2, 6)), x]) for x in read]
    reference = small(estimator_class, scaling=None, **options).fit(read, y)
    assert_allclose(output(model, X), output(reference, read), atol=1e-8)


@pytest.mark.parametrize("missing", ["decay", "indicator"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_is_missing_has_no_say_in_the_scale(missing, bidirectional):
    X, y = magnitudes(shortest=6, longest=6)
    X = with_nan(X)
    options = {"dtype": "float64", "missing": missing, "bidirectional": bidirectional}
    model = small(GRUClassifier, scaling="sequence", **options).fit(X, y)
    read = widened(X)
    reference = small(GRUClassifier, scaling=None, **options).fit(read, y)
    assert_allclose(model.predict_proba(X), reference.predict_proba(read), atol=1e-8)
    assert_allclose(model.gap_scale_, reference.gap_scale_[:2], rtol=1e-12)
    assert model.has_missing_


def test_stamps_have_no_scale():
    X, y = magnitudes(shortest=6, longest=6)
    rng = np.random.default_rng(3)
    X = [np.column_stack([x[:, 0], rng.integers(1, 5, 6).cumsum(), x[:, 1]]) for x in X]
    options = {"dtype": "float64", "time_feature": 1}
    model = small(GRUClassifier, scaling="sequence", **options).fit(X, y)
    read = widened(X, scaled=[0, 2])
    assert read[0].shape == (6, 7)
    reference = small(GRUClassifier, scaling=None, **options).fit(read, y)
    assert_allclose(model.predict_proba(X), reference.predict_proba(read), atol=1e-8)
    assert_allclose(model.feature_mean_[1], 0)
    assert_allclose(model.feature_scale_[1], model.gap_scale_[1])


def test_attributes_are_those_of_all_values():
    X, y = magnitudes()
    own = small(GRUClassifier, scaling="sequence").fit(X, y)
    standard = small(GRUClassifier, scaling="standard").fit(X, y)
    for name in ("feature_mean_", "feature_scale_", "gap_scale_"):
        assert_array_equal(getattr(own, name), getattr(standard, name), strict=True)
    assert own.n_features_in_ == 2
    assert own.parameters_["hidden_0.input_weights"].shape[0] == 6


@pytest.mark.parametrize("holes", [False, True])
def test_padding_company_and_forms_change_nothing(holes):
    X, y = magnitudes()
    if holes:
        X = with_nan(X)
        X[5][:, 1] = NAN  # no value of a feature at all
    X = [x.astype(np.float32) for x in X]
    model = small(GRUClassifier, scaling="sequence").fit(X, y)
    p = model.predict_proba(X)
    assert np.isfinite(p).all()
    padded = pad(X, 12, NAN)
    padded.flags.writeable = False
    same = small(GRUClassifier, scaling="sequence").fit(padded, y)
    assert_same_model(same, model)
    assert_array_equal(same.predict_proba(padded), p)
    for x, expected in zip(X, p, strict=True):
        assert_allclose(model.predict_proba([x])[0], expected, atol=1e-6)
    order = np.random.default_rng(0).permutation(len(X))
    assert_allclose(model.predict_proba([X[i] for i in order]), p[order], atol=1e-6)


def test_values_may_be_missing_though_none_was_in_training():
    X, y = magnitudes()
    model = small(GRUClassifier, scaling="sequence").fit(X, y)
    holes = with_nan(X)
    holes.append(np.array([[NAN, 1.0], [NAN, 2.0]]))  # no value of a feature
    p = model.predict_proba(holes)
    assert np.isfinite(p).all()
    assert_allclose(model.predict_proba(holes[-1:]), p[-1:], atol=1e-6)


def test_the_magnitude_of_a_sequence_does_not_change_what_is_told_by_its_form():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    form = np.sin(np.arange(12) * np.where(y, 1.0, 1.6)[:, None] + rng.uniform(0, 6, (120, 1)))
    X = (10 ** rng.uniform(-5, 2, (120, 1)) * form)[:, :, None]
    options = {"hidden_layer_sizes": 12, "max_iter": 40, "learning_rate_init": 0.02}
    scores = {
        scaling: small(GRUClassifier, scaling=scaling, **options).fit(X[:80], y[:80])
        for scaling in ("standard", "sequence", "auto")
    }
    scores = {scaling: model.score(X[80:], y[80:]) for scaling, model in scores.items()}
    assert scores["standard"] < 0.8 < 0.95 < scores["sequence"] == scores["auto"]


def test_the_scale_itself_is_read():
    rng = np.random.default_rng(0)
    factor, level = rng.uniform(0.5, 2, (2, 200, 1, 1))
    X = factor * rng.normal(size=(200, 24, 1)) + level
    for target in (np.log(factor), level):
        y = target.ravel()
        model = small(GRURegressor, scaling="sequence", max_iter=60, learning_rate_init=0.02)
        assert model.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.6


# Values of any size


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e100])
def test_any_unit_is_trained_alike(scale):
    X, y = magnitudes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = small(GRUClassifier, scaling="sequence").fit([x * scale for x in X], y)
        reference = small(GRUClassifier, scaling="sequence").fit(X, y)
    if scale > 1e-300:  # squares underflow there
        expected = reference.predict_proba(X)
        assert_allclose(model.predict_proba([x * scale for x in X]), expected, atol=1e-3)


def test_what_overflows_is_refused():
    X, y = magnitudes()
    spoiled = [x.copy() for x in X]
    spoiled[-1][0, 0] = 1e300
    with pytest.raises(ValueError, match="variance of X overflows"):
        small(GRUClassifier, scaling="sequence").fit(spoiled, y)
    model = small(GRUClassifier, scaling="sequence").fit(X, y)
    with pytest.raises(ValueError, match="too large for float32"):
        model.predict(spoiled)


# The parameter


def test_auto_is_said_and_kept(tmp_path):
    X, y = magnitudes(least=1e-5)
    model = small(GRUClassifier, scaling="auto").fit(X, y)
    assert model.auto_params_["scaling"] == "sequence"
    assert_same_model(model, small(GRUClassifier, scaling="sequence").fit(X, y))
    plain, _ = ragged(24, 2)
    assert small(GRUClassifier, scaling="auto").fit(plain, y).auto_params_["scaling"] == "standard"
    p = model.predict_proba(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), p)
    skops.io.dump(model, tmp_path / "model.skops")
    untrusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    assert all(name.startswith("skgru.") for name in untrusted)
    loaded = skops.io.load(tmp_path / "model.skops", trusted=untrusted)
    assert_array_equal(loaded.predict_proba(X), p)
    # Whatever is set afterwards.
    assert_array_equal(model.set_params(scaling="standard").predict_proba(X), p)


def test_steps_with_targets_are_not_told_of_later_ones_by_a_scale():
    X, classes = magnitudes(shortest=5, longest=5, least=1e-5)
    of_sequences = small(GRUClassifier, scaling="auto").fit(X, classes)
    assert of_sequences.auto_params_["scaling"] == "sequence"
    y = [(x[:, 0] > 0).astype(int) for x in X]
    options = {"pooling": None, "hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    model = GRUClassifier(**options).fit(X, y)
    assert model.auto_params_["scaling"] == "standard"
    other = [np.vstack([x[:3], 1 - x[3:]]) for x in X]
    for p, q in zip(model.predict_proba(X), model.predict_proba(other), strict=True):
        assert_array_equal(p[:3], q[:3])
    # Who asks for it has it.
    model = GRUClassifier(scaling="sequence", **options).fit(X, y)
    assert np.abs(model.predict_proba(X)[0][:3] - model.predict_proba(other)[0][:3]).max() > 1e-4


def test_training_goes_on_with_the_scale_that_was_learned():
    X, y = magnitudes(least=1e-5)
    others, _ = ragged(24, 2)  # of one magnitude
    model = small(GRUClassifier, scaling="auto", warm_start=True).fit(X, y)
    before = model.feature_scale_
    model.fit(others, y)
    assert_array_equal(model.feature_scale_, before)
    model.set_params(scaling="sequence").fit(others, y)
    with pytest.raises(
        ValueError, match=r"expected scaling='sequence', but .* for scaling='robust'"
    ):
        model.set_params(scaling="robust").fit(X, y)
    plain = small(GRUClassifier, warm_start=True, scaling="standard").fit(X, y)
    with pytest.raises(
        ValueError, match=r"expected scaling='standard', but .* for scaling='sequence'"
    ):
        plain.set_params(scaling="sequence").fit(X, y)
    partial = small(GRUClassifier, scaling="auto")
    for part in (X, others):
        partial.partial_fit(part, y, classes=[0, 1])
    assert np.isfinite(partial.predict_proba(X)).all()


@pytest.mark.parametrize(("n_features", "rate"), [(2, 0.0), (3, 0.2)])
def test_dropout_goes_by_the_features_of_x(n_features, rate):
    X, y = magnitudes(n_features=n_features)
    model = small(GRUClassifier, scaling="sequence", dropout="auto").fit(X, y)
    assert model.auto_params_["dropout"] == rate


def test_branches_have_it_and_what_scales_by_itself_refuses_it():
    X, y = magnitudes(shortest=5, longest=5, n_features=1)
    table = np.hstack([x.T for x in X]).reshape(24, 5)
    branches = [("series", SeriesBranch(scaling="sequence"), slice(0, 5))]
    model = MultimodalGRUClassifier(branches, max_iter=3, random_state=0).fit(table, y)
    (part,) = model._fitted_model().inputs.values()
    assert part.spec.n_inputs == 3
    for refusing in (GRUForecaster(scaling="sequence"), GRUForecaster(scaling="auto")):
        with pytest.raises(ValueError, match="The 'scaling' parameter of GRUForecaster"):
            refusing.fit(np.arange(60.0))
    with pytest.raises(ValueError, match=r"forecaster are scaled by themselves"):
        GRUForecaster(scaling="sequence").fit(np.arange(60.0))
    tables = [("table", TableBranch(scaling="sequence"), slice(0, 5)), branches[0]]
    with pytest.raises(ValueError, match="rows of a table are none"):
        MultimodalGRUClassifier([(n, b, c) for n, b, c in tables]).fit(table, y)


def checks_to_run():
    """Return the pairs of estimator and check."""
    options = {"scaling": "sequence", "features_per_step": 1, "hidden_layer_sizes": 8}
    options |= {"learning_rate_init": 0.03}
    estimators = [GRUClassifier(max_iter=20, **options), GRURegressor(max_iter=60, **options)]
    return [pair for e in estimators for pair in estimator_checks.estimator_checks_generator(e)]


@pytest.mark.parametrize(("estimator", "check"), checks_to_run(), ids=id_of)
def test_check_of_scikit_learn(estimator, check):
    run_check(estimator, check)


# Explanations


def regressor(X, **parameters):
    y = [np.nansum(x[-2:]) for x in X]
    options = {"dtype": "float64", "max_iter": 20, "scaling": "sequence"} | parameters
    return small(GRURegressor, **options).fit(X, y)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"patch_size": 2},
        {"missing": "indicator"},
        {"bidirectional": True},
        {"n_convolutions": 84},
    ],
    ids=str,
)
@pytest.mark.parametrize("holes", [False, True])
def test_contributions_sum_to_the_change_from_the_baseline(parameters, holes):
    X, _ = magnitudes(shortest=4)
    if holes:
        X = with_nan(X)
        X[3][:2, 0] = NAN  # from the start
        X[4][:, 1] = NAN
    model = regressor(X, **parameters)
    asked = [x for x in X if len(x) == 5] + X[3:5]
    found = attributions(model, asked, baseline=[0.5, -2.0], tol=1e-3)
    at_start = [np.where(np.isnan(x), NAN, [0.5, -2.0]) for x in asked]
    change = model.predict(asked) - model.predict(at_start)
    for x, parts, expected in zip(asked, found, change, strict=True):
        assert_allclose(parts.sum(), expected, rtol=2e-3, atol=2e-3)
        assert_array_equal(parts[np.isnan(x)], 0)
    # Without one: from the mean of the sequence, whose scale is the mean of all.
    for parts in attributions(model, asked):
        assert np.isfinite(parts).all()


def test_without_a_baseline_the_scale_contributes_as_well():
    X, _ = magnitudes(shortest=4)
    model = regressor(X)
    read = widened(X)
    reference = small(GRURegressor, dtype="float64", max_iter=20, scaling=None)
    reference.fit(read, [np.nansum(x[-2:]) for x in X])
    for method in ("integrated_gradients", "gradient"):
        found = attributions(model, X[:4], method=method)
        wide = attributions(reference, read[:4], method=method, baseline=0.0)
        for x, parts, by_hand in zip(X, found, wide, strict=False):
            expected = by_hand[:, :2] + by_hand[:, 2:4] + by_hand[:, 4:]
            if method == "gradient":  # the scale is held
                expected = by_hand[:, :2] / x.std(axis=0)
            assert_allclose(parts, expected, rtol=1e-6, atol=1e-8)


def test_gates_and_importance_are_of_the_features_of_x():
    X, y = magnitudes()
    X = with_nan(X)
    model = small(GRUClassifier, scaling="sequence").fit(X, y)
    display = GateDisplay.from_estimator(model, X, index=5)
    assert display.decays["input"].shape == X[5].shape
    assert_array_equal(display.decays["input"][~np.isnan(X[5])], 1)
    assert permutation_importance(model, X, y, n_repeats=1, random_state=0).names == ["x0", "x1"]
