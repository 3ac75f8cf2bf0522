"""Fits as event files, read back by TensorBoard."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from skgru import GRUClassifier, GRUForecaster
from skgru.callbacks import TensorBoardLogger
from tests.datasets import ragged, rectangle, small
from tests.tracking.fits import RaiseAfter, fit_with_validation, steady

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def curves(folder):
    """Return the steps and the values of each scalar in the files of a folder."""
    events = EventAccumulator(str(folder)).Reload()
    scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    return {tag: ([e.step for e in of], [e.value for e in of]) for tag, of in scalars.items()}


def hyperparameters(folder):
    """Return what the table of hyperparameters has of a folder: them, and whether it has ended."""
    events = EventAccumulator(str(folder)).Reload()
    data = {}
    for tag, content in events.PluginTagToContent("hparams").items():
        data[tag.split("/")[1]] = HParamsPluginData.FromString(content)
    # Of several experiments TensorBoard would show the parameters of one; it makes one of all fits.
    assert "experiment" not in data
    found = data["session_start_info"].session_start_info.hparams
    values = {name: getattr(value, value.WhichOneof("kind")) for name, value in found.items()}
    return values, "session_end_info" in data


def folders(root):
    """Return the folders of fits: those that hold event files of their own."""
    files = root.rglob("events*")
    found = {file.parent.relative_to(root).as_posix() for file in files}
    return sorted(name for name in found if Path(name).name not in ("training", "validation"))


def single(values):
    return [np.float32(value) for value in values]


def test_a_fit_is_a_folder(tmp_path):
    logger = TensorBoardLogger(tmp_path / "runs" / "first")
    model = fit_with_validation(steady(GRUClassifier).set_callbacks(logger))
    assert model.loss_curve_ == fit_with_validation(steady(GRUClassifier)).loss_curve_
    epochs = [1, 2, 3, 4]
    assert curves(logger.folder / "training") == {
        "loss": (epochs, single(model.loss_curve_)),
        "learning_rate": (epochs, single([0.05] * 4)),
    }
    assert curves(logger.folder / "validation") == {
        "loss": (epochs, single(model.validation_loss_curve_)),
        "score": (epochs, single(model.validation_scores_)),
    }
    results = curves(logger.folder)
    assert results.pop("n_iter") == ([0], [4])
    best = single([model.best_validation_score_])
    assert results.pop("best_validation_score") == ([0], best)
    assert [*results] == ["fit_seconds"]
    values, has_ended = hyperparameters(logger.folder)
    assert values["learning_rate_init"] == 0.05
    assert values["solver"] == "adam"
    assert values["warm_start"] is False
    assert set(values) == set(model.get_params())
    assert has_ended


def test_training_goes_on_in_its_folder_and_another_one_has_its_own(tmp_path):
    X, y = ragged()
    model = steady(GRUClassifier, max_iter=2).set_callbacks(TensorBoardLogger(tmp_path))
    model.fit(X, y).partial_fit(X, y)
    steps, losses = curves(tmp_path / "training")["loss"]
    assert (steps, losses) == ([1, 2, 3], single(model.loss_curve_))
    model.fit(X, y)
    model.fit(X, y)
    assert folders(tmp_path) == [".", "fit-2", "fit-3"]
    assert curves(tmp_path / "training")["loss"][0] == [1, 2, 3]
    assert curves(tmp_path / "fit-3" / "training")["loss"] == ([1, 2], single(model.loss_curve_))


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_there_was_of_a_fit_is_in_the_files(tmp_path, error):
    logger = TensorBoardLogger(tmp_path)
    model = small(GRUClassifier).set_callbacks(logger, RaiseAfter(2, error))
    if error is KeyboardInterrupt:
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(*ragged())
    else:
        with pytest.raises(error):
            model.fit(*ragged())
    assert curves(tmp_path / "training")["loss"][0] == [1, 2]
    assert not hyperparameters(tmp_path)[1]
    assert not logger._sessions


def test_fits_of_a_search_have_folders_of_their_own(tmp_path):
    X, y = rectangle(n=40)
    pipeline = make_pipeline(StandardScaler(), steady(GRUClassifier, max_iter=2))
    search = GridSearchCV(pipeline, {"gruclassifier__alpha": [0.0, 0.1]}, cv=2, n_jobs=2)
    search.set_callbacks(TensorBoardLogger(tmp_path)).fit(X[:, :, 0], y)
    names = [f"search-0/candidate-split-evaluation-{i}" for i in range(4)]
    assert folders(tmp_path) == [".", "refit-with-best-params-1", *names]
    values = [hyperparameters(tmp_path / name) for name in names]
    assert [v["gruclassifier__alpha"] for v, _ in values] == [0, 0, 0.1, 0.1]
    assert all(has_ended for _, has_ended in values)
    refit = tmp_path / "refit-with-best-params-1" / "training"
    best = search.best_estimator_[-1].loss_curve_
    assert curves(refit)["loss"] == ([1, 2], single(best))
    assert curves(tmp_path)["best_score"] == ([0], single([search.best_score_]))
    # Each of them has its own, also in processes that know nothing of each other.
    model = steady(GRUClassifier).set_callbacks(TensorBoardLogger(tmp_path / "cv"))
    cross_validate(model, X, y, cv=3, n_jobs=2)
    assert folders(tmp_path / "cv") == [".", "fit-2", "fit-3"]


def test_a_forecaster_and_its_networks(tmp_path):
    forecaster = GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0)
    forecaster.set_callbacks(TensorBoardLogger(tmp_path)).fit(np.sin(np.arange(60.0)))
    found = folders(tmp_path)
    assert found[:2] == [".", "fit-network-0"]
    losses = [curves(tmp_path / name / "training")["loss"][1] for name in found[1:]]
    assert all(single(network.loss_curve_) in losses for network in forecaster.networks_)


def test_a_folder_is_that_of_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = small(GRUClassifier).set_callbacks(TensorBoardLogger("runs"))
    monkeypatch.chdir(tmp_path.parent)  # as a process may be elsewhere
    model.fit(*ragged())
    assert (tmp_path / "runs" / "training").exists()
