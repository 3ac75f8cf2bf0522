"""Fits as runs of MLflow, read back by MLflow's client."""

import mlflow
import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRUForecaster, GRURegressor
from skgru.callbacks import MLflowLogger
from tests.datasets import ragged, rectangle, small
from tests.multimodal import samples
from tests.tracking.fits import RaiseAfter, fit_with_validation, steady
from tests.training import EXPLOSION

pytestmark = [
    # MLflow's own.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(autouse=True)
def experiment(store, request, tmp_path, monkeypatch):
    """Give each test an experiment of its own; after it, no run may be active."""
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment(request.node.name)
    yield
    left = mlflow.active_run()
    mlflow.set_tracking_uri(before)
    assert left is None


def runs():
    """Return the runs of the experiment by their names."""
    found = mlflow.search_runs(output_format="list")
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found)
    return named


def only_run():
    (run,) = runs().values()
    return run


def curve(run, name):
    """Return the steps and the values of a metric."""
    metrics = mlflow.MlflowClient().get_metric_history(run.info.run_id, name)
    return [metric.step for metric in metrics], [metric.value for metric in metrics]


def parent_of(run):
    return run.data.tags.get("mlflow.parentRunId")


def statuses():
    return {name: run.info.status for name, run in runs().items()}


def test_a_fit_is_a_run():
    model = fit_with_validation(steady(GRUClassifier).set_callbacks(MLflowLogger()))
    run = only_run()
    assert (run.info.run_name, run.info.status) == ("GRUClassifier", "FINISHED")
    assert model.loss_curve_ == fit_with_validation(steady(GRUClassifier)).loss_curve_
    epochs = [1, 2, 3, 4]
    assert curve(run, "loss") == (epochs, model.loss_curve_)
    assert curve(run, "validation_loss") == (epochs, model.validation_loss_curve_)
    assert curve(run, "validation_score") == (epochs, model.validation_scores_)
    assert curve(run, "learning_rate") == (epochs, [0.05] * 4)
    results = {name: run.data.metrics[name] for name in ("n_iter", "best_validation_score")}
    assert results == {"n_iter": 4, "best_validation_score": model.best_validation_score_}
    assert "best_loss" not in run.data.metrics
    assert 0 < run.data.metrics["fit_seconds"] < 60
    expected = {name: str(value) for name, value in model.get_params().items()}
    assert run.data.params == expected
    assert expected["max_iter"] == "4"


def test_what_there_is_none_of_is_not_logged():
    model = small(GRURegressor, solver="lbfgs").set_callbacks(MLflowLogger()).fit(*ragged())
    run = only_run()
    assert set(run.data.metrics) == {"loss", "n_iter", "best_loss", "fit_seconds"}
    assert curve(run, "loss") == ([1, 2, 3], model.loss_curve_)
    assert run.data.metrics["best_loss"] == model.best_loss_


def test_the_rate_of_a_schedule():
    model = small(GRUClassifier, max_iter=20, learning_rate="cosine", warmup_fraction=0)
    model.set_callbacks(MLflowLogger()).fit(*ragged())
    _, rates = curve(only_run(), "learning_rate")
    expected = 0.005 * (1 + np.cos(np.pi * (np.arange(20) + 0.5) / 20)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_the_active_run_is_logged_to_and_stays_active():
    X, y = ragged()
    model = small(GRUClassifier).set_callbacks(MLflowLogger())
    with mlflow.start_run(run_name="mine") as mine:
        mlflow.log_param("alpha", "of the user")
        model.fit(X, y)
        assert mlflow.active_run().info.run_id == mine.info.run_id
        assert runs()["mine"].info.status == "RUNNING"
        model.set_params(max_iter=2).fit(X, y)  # has other parameters, and a curve of its own
    first, second = runs()["mine"], runs()["GRUClassifier"]
    assert (first.data.params["alpha"], first.data.params["max_iter"]) == ("of the user", "3")
    assert (parent_of(second), second.data.params["max_iter"]) == (mine.info.run_id, "2")
    assert curve(first, "loss")[0] == [1, 2, 3]
    assert curve(second, "loss") == ([1, 2], model.loss_curve_)


def test_training_goes_on_in_the_active_run():
    X, y = ragged()
    model = steady(GRUClassifier, max_iter=2, warm_start=True).set_callbacks(MLflowLogger())
    with mlflow.start_run():
        model.fit(X, y).fit(X, y)
        model.partial_fit(X, y)
    assert curve(only_run(), "loss") == ([1, 2, 3, 4, 5], model.loss_curve_)


@pytest.mark.parametrize(
    ("error", "status"), [(MemoryError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_fit_that_does_not_come_to_its_end(error, status):
    model = small(GRUClassifier).set_callbacks(MLflowLogger(), RaiseAfter(2, error))
    if error is KeyboardInterrupt:  # the network is fitted as far as it was
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(*ragged())
    else:
        with pytest.raises(error):
            model.fit(*ragged())
    run = only_run()
    assert run.info.status == status
    assert curve(run, "loss")[0] == [1, 2]


def test_a_fit_that_is_refused_or_diverges():
    X, y = ragged()
    model = small(GRUClassifier).set_callbacks(MLflowLogger())
    for data in ((X, y[:3]), (X, None)):
        with pytest.raises(ValueError, match="y"):
            model.fit(*data)
    with pytest.raises(ValueError, match="no longer finite"):
        model.set_params(**EXPLOSION).fit(X, y)
    found = mlflow.search_runs(output_format="list")
    assert [run.info.status for run in found] == ["FAILED"] * 3


def test_an_error_that_is_being_handled_is_not_that_of_the_fit():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        small(GRUClassifier).set_callbacks(MLflowLogger()).fit(*ragged())
    assert only_run().info.status == "FINISHED"


def test_an_error_of_mlflow_ends_the_run(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no server")

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", fail)
    with pytest.raises(OSError, match="no server"):
        small(GRUClassifier).set_callbacks(MLflowLogger()).fit(*ragged())
    assert only_run().info.status == "FAILED"


def search(model, grid, **options):
    return GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=2, **options)


def test_a_search_has_a_run_and_its_fits_have_nested_ones():
    X, y = rectangle(n=40)
    model = steady(GRUClassifier, max_iter=2)
    grid = {"gruclassifier__hidden_layer_sizes": [3, 5]}
    searched = search(model, grid, n_jobs=2).set_callbacks(MLflowLogger()).fit(X[:, :, 0], y)
    found = runs()
    whole = found.pop("GridSearchCV")
    assert parent_of(whole) is None
    assert whole.data.metrics["best_score"] == searched.best_score_
    assert whole.data.params["estimator__gruclassifier__max_iter"] == "2"
    assert whole.data.params["estimator"] == "Pipeline"
    names = [f"search-0 candidate-split-evaluation-{i}" for i in range(4)]
    assert sorted(found) == ["refit-with-best-params-1", *names]
    assert {parent_of(run) for run in found.values()} == {whole.info.run_id}
    assert set(statuses().values()) == {"FINISHED"}
    sizes = [found[name].data.params["gruclassifier__hidden_layer_sizes"] for name in names]
    assert sizes == ["3", "3", "5", "5"]
    best = searched.best_estimator_[-1].loss_curve_
    assert curve(found["refit-with-best-params-1"], "loss") == ([1, 2], best)
    curves = [curve(found[name], "loss") for name in names]
    assert all(steps == [1, 2] for steps, _ in curves)
    assert len({tuple(values) for _, values in curves}) == 4


def test_a_search_in_which_fits_fail():
    X, y = rectangle(n=40)
    grid = {"gruclassifier__learning_rate_init": [1e30, 0.01]}
    model = small(GRUClassifier, **EXPLOSION)
    searched = search(model, grid, n_jobs=2, error_score=-1).set_callbacks(MLflowLogger())
    with mlflow.start_run(run_name="mine"), pytest.warns(FitFailedWarning, match="2 fits failed"):
        searched.fit(X[:, :, 0], y)
    found = statuses()
    assert found.pop("mine") == "FINISHED"
    assert [found.pop(f"search-0 candidate-split-evaluation-{i}") for i in (0, 1)] == ["FAILED"] * 2
    assert list(found.values()) == ["FINISHED"] * 3


def test_a_search_that_is_interrupted():
    X, y = rectangle(n=40)
    model = small(GRUClassifier).set_callbacks(RaiseAfter(2, KeyboardInterrupt))
    searched = search(model, {"gruclassifier__alpha": [0, 1]}).set_callbacks(MLflowLogger())
    with pytest.raises(KeyboardInterrupt):
        searched.fit(X[:, :, 0], y)
    assert statuses() == {
        "GridSearchCV": "KILLED",
        "search-0 candidate-split-evaluation-0": "KILLED",
    }


def test_a_pipeline_and_its_network_are_one_fit():
    X, y = rectangle()
    pipeline = make_pipeline(StandardScaler(), small(GRUClassifier)).set_callbacks(MLflowLogger())
    pipeline.fit(X[:, :, 0], y)
    run = only_run()
    assert run.info.run_name == "Pipeline"
    assert curve(run, "loss") == ([1, 2, 3], pipeline[-1].loss_curve_)
    assert run.data.params["gruclassifier"] == "GRUClassifier"
    pipeline[-1].set_callbacks(MLflowLogger())
    with pytest.raises(TypeError, match="Register them directly on the meta-estimator"):
        pipeline.fit(X[:, :, 0], y)


def test_a_cross_validation_has_runs_of_its_own():
    X, y = rectangle(n=40)
    model = small(GRUClassifier).set_callbacks(MLflowLogger())
    with mlflow.start_run(run_name="mine") as mine:
        cross_validate(model, X, y, cv=2)
    found = runs()
    assert sorted(found) == ["GRUClassifier", "mine"]
    assert parent_of(found["GRUClassifier"]) == mine.info.run_id
    assert all(curve(run, "loss")[0] == [1, 2, 3] for run in found.values())


def test_two_loggers_leave_no_run_active():
    model = small(GRUClassifier).set_callbacks(MLflowLogger(), MLflowLogger()).fit(*ragged())
    found = mlflow.search_runs(output_format="list")
    first, second = sorted(found, key=lambda run: parent_of(run) is not None)
    assert mlflow.active_run() is None
    assert parent_of(second) == first.info.run_id
    assert [run.info.status for run in (first, second)] == ["FINISHED"] * 2
    assert curve(first, "loss") == curve(second, "loss") == ([1, 2, 3], model.loss_curve_)


def test_processes_log_to_the_experiment_of_now(request):
    X, y = rectangle(n=40)
    model = small(GRUClassifier).set_callbacks(MLflowLogger())
    cross_validate(model, X, y, cv=2, n_jobs=2)  # the processes stay, and know of this experiment
    mlflow.set_experiment(f"{request.node.name}, later")
    cross_validate(model, X, y, cv=2, n_jobs=2)
    assert len(mlflow.search_runs(output_format="list")) == 2


def test_a_forecaster_and_its_networks():
    forecaster = GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0)
    forecaster.set_callbacks(MLflowLogger()).fit(np.sin(np.arange(60.0)))
    found = runs()
    whole = found.pop("GRUForecaster")
    assert whole.data.params["window"] == "8"
    assert len(found) >= len(forecaster.networks_)
    assert all(parent_of(run) == whole.info.run_id for run in found.values())
    curves = [curve(run, "loss")[1] for run in found.values()]
    assert all(network.loss_curve_ in curves for network in forecaster.networks_)


def test_several_inputs_and_their_branches():
    X, y = samples.frame()
    model = samples.classifier().set_callbacks(MLflowLogger()).fit(X, y)
    run = only_run()
    assert curve(run, "loss")[1] == model.loss_curve_
    assert run.data.params["note"] == "TokenBranch"
    assert len(run.data.params) == len(model.get_params())


def test_parameters_that_mlflow_does_not_take_as_they_are():
    X, y = samples.frame()
    (note, *of_note), *others = samples.branches()
    given = [(f"{note} (free text)", *of_note), ("again", *of_note), *others]
    model = samples.classifier(given)
    model.set_params(class_weight={0: 1.0, 1: 2.0}).set_callbacks(MLflowLogger()).fit(X, y)
    params = only_run().data.params
    assert len(params) == len(model.get_params()) > 100  # more than a request takes
    assert params["note _free text_"] == "TokenBranch"
    assert params["class_weight"] == "{0: 1.0, 1: 2.0}"
    assert not any("\n" in value for value in params.values())


def test_long_parameters_are_cut():
    model = small(GRUClassifier, max_iter=1)
    weights = {i: 1.0 for i in range(100)}
    y = np.repeat(np.arange(100), 3)
    model.set_params(class_weight=weights).set_callbacks(MLflowLogger()).fit(y[:, None] / 99, y)
    said = only_run().data.params["class_weight"]
    assert said == str(weights)[:499] + "…"
