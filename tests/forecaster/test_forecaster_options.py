"""The options of the network: all reach it, and every choice among them forecasts."""

import re
from inspect import signature

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skgru import GRUForecaster
from skgru._forecasting.networks import MIN_UPDATES, WINDOW, WindowRegressor, make_regressor
from tests.forecaster.cheap import HORIZON, cheap, wave
from tests.forecaster.cheap import WINDOW as N_STEPS

N = 64
Y = wave(N)
SHORT = Y[:20]

OWN = ["window", "horizon", "target", "known", "series", "time", "season", "calendar"]
# Other values than the defaults, with the choices that they belong to.
CHANGED = {
    "hidden_layer_sizes": {"hidden_layer_sizes": (3, 2)},
    "loss": {"loss": "squared_error"},
    "quantiles": {"quantiles": [0.2, 0.5], "loss": "quantile"},
    "huber_delta": {"huber_delta": 2.0},
    "solver": {"solver": "sgd"},
    "alpha": {"alpha": 0.1},
    "batch_size": {"batch_size": 5},
    "learning_rate": {"learning_rate": "invscaling"},
    "learning_rate_init": {"learning_rate_init": 0.01},
    "power_t": {"power_t": 0.2, "learning_rate": "invscaling"},
    "max_iter": {"max_iter": 2},
    "shuffle": {"shuffle": False},
    "tol": {"tol": 0.1, "max_iter": 20},
    "verbose": {"verbose": 1},
    "momentum": {"momentum": 0.5, "solver": "sgd"},
    "nesterovs_momentum": {"nesterovs_momentum": False, "solver": "sgd"},
    "early_stopping": {"early_stopping": True, "validation_fraction": 0.4},
    "validation_fraction": {"early_stopping": True, "validation_fraction": 0.3},
    "beta_1": {"beta_1": 0.5},
    "beta_2": {"beta_2": 0.5},
    "epsilon": {"epsilon": 1e-3},
    "n_iter_no_change": {"n_iter_no_change": 2, "max_iter": 20},
    "max_fun": {"max_fun": 9, "solver": "lbfgs"},
    "cell": {"cell": "lstm"},
    "reset_after": {"reset_after": True},
    "output_gate": {"output_gate": True},
    "bidirectional": {"bidirectional": True},
    "pooling": {"pooling": ("last", "mean")},
    "patch_size": {"patch_size": 2},
    "shift_patches": {"shift_patches": True, "patch_size": 2},
    "scaling": {"scaling": "robust"},
    "missing": {"missing": "indicator"},
    "warmup_fraction": {"warmup_fraction": 0.5},
    "dropout": {"dropout": 0.1},
    "recurrent_dropout": {"recurrent_dropout": 0.2},
    "weight_decay": {"weight_decay": 0.2},
    "max_grad_norm": {"max_grad_norm": None},
    "n_jobs": {"n_jobs": 1},
    "dtype": {"dtype": "float64"},
}


def test_all_options_are_tried_below():
    options = [name for name in signature(GRUForecaster).parameters if name not in OWN]
    assert sorted(CHANGED) == sorted(set(options) - {"random_state"})


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_options_reach_the_network(name, capsys):
    parameters = CHANGED[name]
    for network in cheap(**parameters).fit(SHORT).networks_:
        given = network.get_params()
        key = f"{WINDOW}__{name}"
        assert given[key if key in given else name] == parameters[name]
    capsys.readouterr()


def test_the_networks_are_as_many_and_unlike():
    first, second = cheap().fit(SHORT).networks_
    assert first.get_params()["random_state"] != second.get_params()["random_state"]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_what_auto_stands_for(solver):
    options = GRUForecaster(solver=solver)._options()
    for n_windows, batch_size in ((20, 20), (800, 32), (40_000, 128)):
        given = make_regressor(options, n_windows, 16, 2, 1).get_params()
        assert given[f"{WINDOW}__patch_size"] == 2
        assert given[f"{WINDOW}__features_per_step"] == 2
        assert given[f"{WINDOW}__dropout"] == (0 if solver == "lbfgs" else 0.2)
        if solver == "lbfgs":
            assert (given["batch_size"], given["max_iter"]) == ("auto", "auto")
        else:
            n_updates = given["max_iter"] * -(-n_windows // batch_size)
            assert given["batch_size"] == batch_size
            assert given["max_iter"] == 4 or n_updates - n_windows / batch_size < MIN_UPDATES
            assert n_updates >= MIN_UPDATES


LOSSES = [
    {"loss": "squared_error"},
    {"loss": "absolute_error"},
    {"loss": "huber"},
    {"loss": "gaussian"},
    {"loss": "quantile", "quantiles": 0.9},
    {"loss": "quantile", "quantiles": [0.1, 0.9]},
    {"loss": "quantile", "quantiles": [0.1, 0.4, 0.8]},
]


@pytest.mark.parametrize("parameters", LOSSES)
@pytest.mark.parametrize("horizon", [1, 3])
def test_every_loss(parameters, horizon):
    forecaster = cheap(horizon=horizon, **parameters).fit(Y)
    assert forecaster.predict().shape == (horizon,)
    bands = forecaster.predict_interval(4)
    assert (bands[:, 0] < bands[:, 1]).all()
    assert np.abs(forecaster.predict() - wave(N + horizon)[N:]).max() < 1


def test_counts():
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.tile([0.2, 3.0, 6.0, 3.0], 15))
    forecaster = cheap(loss="poisson", season=4).fit(counts)
    assert np.isfinite(forecaster.predict(9)).all()
    with pytest.raises(ValueError, match="expected no values below 0 in y, got -2"):
        cheap(loss="poisson").fit(counts - 2)
    with pytest.raises(ValueError, match="expected no values below 0 in y, got -1"):
        forecaster.predict(y=counts - 1)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", ("lstm", "gru")])
def test_every_cell(cell):
    sizes = (3,) if isinstance(cell, str) else (3, 2)
    assert np.isfinite(cheap(cell=cell, hidden_layer_sizes=sizes).fit(SHORT).predict(5)).all()


def test_options_that_do_not_go_together():
    with pytest.raises(ValueError, match="each of the 1 hidden layers"):
        cheap(cell=("lstm", "gru")).fit(SHORT)


# Early stopping


def test_the_last_windows_tell_when_to_stop():
    """Those of a fifth, and none to train on whose steps ahead reach into theirs."""
    parameters = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 4}
    calls = []
    original = WindowRegressor.fit

    def fit(self, X, y, **held_out):
        calls.append((X, y, held_out))
        return original(self, X, y, **held_out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WindowRegressor, "fit", fit)
        forecaster = cheap(season=None, **parameters).fit(np.arange(58.0) ** 2)
    X, _, held_out = calls[-1]
    n_windows = 58 - N_STEPS - HORIZON + 1
    assert forecaster.n_windows_ == n_windows == 50
    assert len(held_out["X_val"]) == 10
    assert len(X) == 40 - HORIZON + 1
    assert len(forecaster.networks_[0].validation_scores_) == 4


def test_each_series_has_last_windows():
    y = [wave(40), wave(30, 1, level=3)]
    forecaster = cheap(early_stopping=True, validation_fraction=0.25, max_iter=3).fit(y)
    assert np.isfinite(np.concatenate(forecaster.predict())).all()


def test_the_best_weights_are_kept():
    """Noise is learned by heart: the last windows tell that it should not be."""
    noise = np.random.default_rng(0).normal(size=80)
    parameters = {"hidden_layer_sizes": 16, "dropout": 0, "learning_rate_init": 0.03}
    parameters |= {"max_iter": 60, "early_stopping": True, "validation_fraction": 0.3}
    network = cheap(**parameters, season=None).fit(noise).networks_[0]
    scores = network.validation_scores_
    assert network.best_validation_score_ == max(scores) > scores[-1]
    assert len(scores) < 60


def test_too_few_windows_to_hold_out():
    with pytest.raises(ValueError, match="early_stopping=True: expected at least two windows"):
        cheap(early_stopping=True).fit(Y[:14])


# Warnings


def said(record):
    return [(str(one.message), one.filename) for one in record]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "sgd", "weight_decay": 0.5}, "weight_decay=0.5 (it is of solver='adam')"),
        ({"power_t": 0.2}, "power_t=0.2 (it is of learning_rate='invscaling')"),
        ({"quantiles": 0.2}, "quantiles=0.2 (it is of loss='quantile')"),
        ({"shift_patches": True}, "shift_patches=True (there are no patches)"),
        ({"reset_after": True, "cell": "rnn"}, "reset_after=True (only cell='gru' has it)"),
        ({"validation_fraction": 0.2}, "validation_fraction=0.2 (nothing is held out)"),
    ],
)
def test_options_without_effect(parameters, message):
    with pytest.warns(UserWarning, match="without effect") as record:
        cheap(**parameters).fit(Y)
    assert said(record) == [(f"Parameters without effect: {message}.", __file__)]


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "sgd"},
        {"solver": "lbfgs"},
        {"learning_rate": "constant", "solver": "sgd", "learning_rate_init": 0.003},
        {"cell": "lstm"},
        {"early_stopping": True, "validation_fraction": 0.5},
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_defaults_are_no_choice_of_the_user(parameters):
    """Those of the forecaster are not those of the regressor; pytest makes errors of warnings."""
    cheap(**parameters).fit(SHORT)


def test_each_warning_once():
    with pytest.warns(UserWarning, match="clipped") as record:
        cheap(batch_size=40).fit(Y[:40])
    assert [filename for _, filename in said(record)] == [__file__]
    with pytest.warns(ConvergenceWarning, match=r"iterations \(2\)") as record:
        cheap(solver="lbfgs", max_iter=2).fit(Y)
    assert [filename for _, filename in said(record)] == [__file__]


def test_a_plain_fit_is_silent():
    """pytest makes errors of warnings; none is to come of NumPy either."""
    y = wave(90, level=3)
    for series in (y, [y, 10 * y], np.column_stack([y, y])):
        forecaster = GRUForecaster(horizon=2, max_iter=4, random_state=0).fit(series)
        forecaster.predict(5)
        forecaster.predict_interval()


def test_the_progress_is_printed(capsys):
    cheap(verbose=True).fit(SHORT)
    lines = capsys.readouterr().out.splitlines()
    network = r" \(fit-network \d+\)" if hasattr(GRUForecaster, "set_callbacks") else ""
    assert lines
    assert all(re.match(rf"GRUForecaster{network}: epoch 1/1  loss", line) for line in lines)


def test_one_quantile_is_that_share_of_what_comes():
    """Also where ridges, which know of none, have the most weight."""
    y = np.random.default_rng(0).normal(size=700)
    low, high = (
        cheap(window=12, horizon=1, loss="quantile", quantiles=level).fit(y[:500])
        for level in (0.1, 0.9)
    )
    for forecaster, level in ((low, 0.1), (high, 0.9)):
        assert forecaster.weights_["networks"] < 0.2
        found = np.array([forecaster.predict(y=y[:end])[0] for end in range(500, 700)])
        assert abs(np.mean(y[500:] < found) - level) < 0.08
        np.testing.assert_array_equal(
            forecaster.predict_quantiles(quantiles=level)[:, 0], forecaster.predict()
        )
    median = [f.predict_quantiles(quantiles=0.5)[0, 0] for f in (low, high)]
    assert abs(median[0] - median[1]) < 0.2
