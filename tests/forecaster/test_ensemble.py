"""A fitted forecaster: its members, their weights, and what it may not read."""

import numpy as np
import pytest

from skgru._forecasting import ensemble
from skgru._forecasting.ensemble import fit_model, training_windows
from skgru._forecasting.members import Ridge, persistence, seasonal_naive
from skgru._forecasting.networks import Forecast, WindowNetwork
from skgru._forecasting.relative import Rule
from skgru._forecasting.window import Shape, Source, cut

SHAPE = Shape(window=16, horizon=3, season=4)
OPTIONS = {
    "loss": "huber",
    "quantiles": 0.5,
    "batch_size": "auto",
    "max_iter": 1,
    "solver": "adam",
    "learning_rate_init": 0.003,
    "hidden_layer_sizes": (4,),
    "cell": "gru",
    "reset_after": False,
    "output_gate": False,
    "bidirectional": "auto",
    "pooling": "auto",
    "patch_size": "auto",
    "shift_patches": False,
    "dropout": "auto",
    "recurrent_dropout": 0.0,
    "scaling": "standard",
    "missing": "decay",
    "early_stopping": False,
}


def make_source(n=140, seed=0):
    draws = np.random.default_rng(seed).normal(size=n)
    values = 9 + np.cumsum(draws) / 4 + np.sin(np.pi * np.arange(n) / 2)
    empty = np.zeros((n + 3, 0))
    return Source(values, empty, empty, empty, np.zeros(0))


def fit(sources, **options):
    return fit_model(sources, SHAPE, {**OPTIONS, **options}, np.random.RandomState(0))


@pytest.fixture(scope="module")
def fitted():
    return fit([make_source()])


def test_the_forecast_is_the_weighted_mean_of_the_members(fitted):
    windows = cut([make_source()], [np.arange(100, 110)], SHAPE)
    total, names = 0.0, []
    for name, weight, member in fitted.members:
        names.append(name)
        if isinstance(member, list):
            center = np.mean([network.forecast(windows).center for network in member], axis=0)
        else:
            center = member.predict(windows) if isinstance(member, Ridge) else member(windows)
        total = total + weight * center
    assert sum(weight for _, weight, _ in fitted.members) == pytest.approx(1)
    assert names[:2] == ["persistence", "seasonal_naive"]
    assert names[-1] == "networks"
    # Six rules, of positive values, and the four of them without a scale on the last steps.
    assert len(names) == 2 + 6 + 4 + 1
    np.testing.assert_allclose(fitted.forecast(windows).center, total)


def test_a_forecast_reads_nothing_that_comes_later(fitted):
    source = make_source()
    values = source.values.copy()
    values[111:] = 1e9
    one, other = (
        fitted.forecast(cut([s], [np.array([110])], SHAPE))
        for s in (source, source._replace(values=values))
    )
    np.testing.assert_array_equal(one.center, other.center)


def test_no_fold_is_fitted_to_what_it_judges():
    windows = training_windows([make_source(), make_source(90)], SHAPE, np.random.RandomState(0))
    folds = list(ensemble._folds(windows, SHAPE))
    assert len(folds) == 6
    judged = np.concatenate([fold.later for fold in folds])
    assert len(judged) == len(set(judged))
    for fold in folds:
        for owner in (0, 1):
            earlier, later = (
                windows.origins[part[windows.owners[part] == owner]]
                for part in (fold.earlier, fold.later)
            )
            # The last step ahead of the one is no step ahead of the other.
            assert earlier.max() + SHAPE.horizon <= later.min()


def test_weights_are_powers_of_the_errors_within_each_fold():
    windows = cut([make_source()], [np.arange(20, 60)], SHAPE)
    offsets = np.array([[0.1, 0.2, 0.1], [1.0, 3.0, 2.0]])  # folds, members
    held_out = [
        (windows, [Forecast(windows.ahead + offset, 1.0, 1.0) for offset in row]) for row in offsets
    ]
    held_out[0][1][-1] = None  # the networks are not judged in the first fold
    fitting = ensemble._Fitting(SHAPE, Rule(1, True, False, False), OPTIONS, [0, 1], [1, 2])
    relative = np.log(offsets**2)
    relative -= relative[:, :2].mean(axis=1, keepdims=True)
    mean = [relative[:, 0].mean(), relative[:, 1].mean(), relative[1, 2]]
    expected = np.exp(-4 * np.array(mean)) * [1, 1, 100 / 600]
    fitting = fitting._replace(simple=[persistence, seasonal_naive])
    np.testing.assert_allclose(fitting.weights(held_out, 100), expected / expected.sum())


def test_a_rule_has_to_gain_in_the_mean_of_the_folds_and_not_in_one():
    rules = ensemble._rules(OPTIONS, is_positive=False)
    assert rules[0] == Rule(1, True, False, False)
    # A fold of another regime has errors many times the others': a gain there is most of the sum.
    same, one_fold = np.array([0.2, 0.2, 1.2]), np.array([0.2, 0.2, 0.95])
    all_folds, barely = 0.8 * same, 0.85 * same
    assert ensemble._choose_rule(rules, [same, one_fold, same, same], False) == rules[0]
    assert ensemble._choose_rule(rules, [same, all_folds, same, same], False) == rules[1]
    # A level that returns has not to gain; what does not return has.
    better = 0.99 * same
    assert ensemble._choose_rule(rules, [same, same, better, same], True) == rules[2]
    assert ensemble._choose_rule(rules, [same, same, better, same], False) == rules[0]
    # The last rule differs in two things, and has to gain twice.
    assert ensemble._choose_rule(rules, [same, same, same, barely], False) == rules[0]


def test_levels_return_in_noise_and_not_where_series_drift_or_are_short():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 900))
    drift = np.cumsum(noise, axis=1)
    slow = np.sin(2 * np.pi * np.arange(900) / 600)

    def returns(*values):
        sources = [make_source()._replace(values=v) for v in values]
        ends = [np.arange(11, len(v) - 3) for v in values]
        return ensemble.levels_return(cut(sources, ends, Shape(12, 3, 1)))

    assert returns(noise[0])
    assert returns(*noise)
    assert not returns(drift[0])
    assert not returns(*drift)
    assert not returns(slow)
    assert not returns(np.zeros(900))
    # Series of other levels are not one that drifts.
    assert returns(*np.add(noise, [[0.0], [100.0], [-5.0]]))
    # One of the three drifts, and has nearly all the variance.
    assert not returns(noise[0], noise[1], drift[2])


def test_logarithms_are_for_positive_values_and_counts_stay_as_they_are():
    assert any(rule.is_log for rule in ensemble._rules(OPTIONS, is_positive=True))
    assert not any(rule.is_log for rule in ensemble._rules(OPTIONS, is_positive=False))
    counts = ensemble._rules({**OPTIONS, "loss": "poisson"}, is_positive=True)
    assert counts == [Rule(0, False, False, True)]


def test_of_many_windows_networks_forecast_alone(monkeypatch):
    monkeypatch.setattr(ensemble, "MANY_WINDOWS", 100)
    model = fit([make_source()])
    assert [(name, weight) for name, weight, _ in model.members] == [("networks", 1.0)]
    assert all(isinstance(network, WindowNetwork) for network in model.members[0].fitted)
    assert [network.rule.base_steps for network in model.members[0].fitted] == [1, 3]
    assert [network.rule.is_scaled for network in model.members[0].fitted] == [False, True]


def test_windows_of_a_stride_see_all_of_a_season():
    for n, most, season in ((100, 10, 4), (57_000, 10_000, 24), (5, 10, 7), (90, 10, 1)):
        stride = ensemble._stride(n, most, Shape(4, 1, season))
        assert -(-n // stride) <= most
        assert len(set(range(0, stride * season, stride)) | {0}) == season
        assert {i * stride % season for i in range(season)} == set(range(season))


def test_missing_values_and_short_series_are_forecast():
    source = make_source()
    values = source.values.copy()
    values[np.random.default_rng(0).choice(140, 20, replace=False)] = np.nan
    short = make_source(22)
    model = fit([source._replace(values=values), short])
    windows = cut([short], [np.array([21])], SHAPE)
    assert np.isfinite(model.forecast(windows).center).all()
    alone = fit([short])
    assert alone.calibration is None
    assert np.isfinite(alone.forecast(windows).center).all()


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_widths_are_those_of_the_networks(loss):
    model = fit(
        [make_source()], loss=loss, quantiles=(0.1, 0.5, 0.9) if loss == "quantile" else 0.5
    )
    windows = cut([make_source()], [np.arange(100, 110)], SHAPE)
    forecast = model.forecast(windows)
    assert (forecast.below > 0).all()
    assert (forecast.above > 0).all()
    assert len(np.unique(forecast.above)) > 10
    low, high = (model.calibration.quantile(forecast, windows.owners, q, 3) for q in (0.05, 0.95))
    assert (low < high).all()
