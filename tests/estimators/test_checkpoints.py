"""Checkpoints: a training that goes on after loading is one that was never interrupted."""

import os
from functools import partial
from itertools import product

import joblib
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.fixes import parse_version

from skgru import GRUClassifier, GRURegressor
from skgru._nn.schedules import SCHEDULES
from skgru.callbacks import Checkpoint, MLflowLogger, TensorBoardLogger
from tests.datasets import assert_same_model, output, ragged, rectangle, small
from tests.multimodal import samples
from tests.multimodal.test_late_branches import SELDOM, network
from tests.training import validation_data

KNOWS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_callbacks = pytest.mark.skipif(not KNOWS_CALLBACKS, reason="scikit-learn 1.9 has them first")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Break:
    """Raises an error after some epoch."""

    def __init__(self, after, error=MemoryError):
        self.after, self.error = after, error

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and len(context.parent._children_map) == self.after:
            raise self.error


def broken_off(make, after, folder, *data, **options):
    """Return a model loaded from the last checkpoint of a training that broke off."""
    model = make().set_callbacks(Checkpoint(folder), Break(after))
    with pytest.raises(MemoryError):
        model.fit(*data, **options)
    assert not hasattr(model, "loss_")
    loaded = joblib.load(folder / "last.joblib")
    assert loaded.n_iter_ == after
    return loaded


def assert_same_fit(model, whole):
    """Assert that two trainings were the same, bit for bit."""
    assert_same_model(model, whole)
    names = [
        "loss_curve_",
        "validation_scores_",
        "validation_loss_curve_",
        "n_iter_",
        "t_",
        "loss_",
    ]
    for name in [*names, "best_loss_", "best_validation_score_", "auto_params_"]:
        assert getattr(model, name) == getattr(whole, name), name


# dropout, moved patches and batches draw at random; of float32 the training may be in float64.
OF_CHANCE = {"dropout": 0.3, "recurrent_dropout": 0.2, "patch_size": 2, "shift_patches": True}
OF_CHANCE |= {"batch_size": 10, "max_iter": 8, "warm_start": True}


@needs_callbacks
@pytest.mark.parametrize(
    ("solver", "learning_rate"), [*product(["adam"], SCHEDULES), ("sgd", "adaptive")]
)
def test_a_training_goes_on_as_if_it_had_not_been_interrupted(tmp_path, solver, learning_rate):
    def make():
        # Of no gain at all, "adaptive" divides its rate in each second epoch.
        patience = {"tol": 10.0, "n_iter_no_change": 1} if learning_rate == "adaptive" else {}
        options = {"solver": solver, "learning_rate": learning_rate, **patience}
        return small(GRUClassifier, **OF_CHANCE | options)

    X, y = ragged(n=34)
    whole = make().fit(X, y)
    assert whole.n_iter_ == 8
    for after in (1, 5):
        loaded = broken_off(make, after, tmp_path, X, y)
        assert_array_equal(loaded.predict(X), loaded.predict(X))
        assert_same_fit(loaded.fit(X, y), whole)
    # Having ended, it starts anew from its weights, as ever.
    assert_same_fit(loaded.fit(X, y), whole.fit(X, y))
    assert whole.n_iter_ == 8
    assert len(whole.loss_curve_) == 16


@needs_callbacks
@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_a_training_that_the_user_has_ended_can_go_on(tmp_path):
    X, y = ragged()
    make = partial(small, GRUClassifier, **OF_CHANCE)
    model = make().set_callbacks(Checkpoint(tmp_path), Break(3, KeyboardInterrupt)).fit(X, y)
    assert model.n_iter_ == 3
    assert_same_fit(joblib.load(tmp_path / "last.joblib").fit(X, y), make().fit(X, y))


@needs_callbacks
@pytest.mark.parametrize("validation", ["held out", "given", "loss"])
@pytest.mark.parametrize("random_state", [3, "instance"])
def test_it_stops_early_as_it_would_have(tmp_path, validation, random_state):
    def make():
        options = {"early_stopping": True, "n_iter_no_change": 4, "max_iter": 300}
        options |= {"learning_rate": "constant", "learning_rate_init": 0.1, "warm_start": True}
        if validation == "loss":
            options["scoring"] = "loss"
        seed = np.random.RandomState(5) if random_state == "instance" else random_state
        return small(GRUClassifier, random_state=seed, **options)

    X, y, X_val, y_val = validation_data()
    given = {"X_val": X_val, "y_val": y_val} if validation == "given" else {}
    whole = make().fit(X, y, **given)
    assert 5 < whole.n_iter_ < 300
    # In the last epoch but one, patience has almost run out, and the best weights are older.
    for after in (2, whole.n_iter_ - 1):
        loaded = broken_off(make, after, tmp_path, X, y, **given)
        assert_same_fit(loaded.fit(X, y, **given), whole)


@needs_callbacks
def test_of_a_training_in_double_precision_nothing_is_lost(tmp_path):
    def make():
        return small(GRURegressor, max_iter=6, warm_start=True)  # all samples in one batch

    X, y = ragged()
    loaded = broken_off(make, 3, tmp_path, X, y)
    assert loaded._state["theta"].dtype == np.float32
    assert loaded._state["progress"]["theta"].dtype == np.float64
    assert_same_fit(loaded.fit(X, y), make().fit(X, y))


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_several_inputs(tmp_path, early_stopping):
    def make():
        options = {"max_iter": 6, "warm_start": True, "early_stopping": early_stopping}
        return samples.classifier(batch_size=10, **options)

    X, y = samples.frame(n=40)
    assert_same_fit(broken_off(make, 3, tmp_path, X, y).fit(X, y), make().fit(X, y))


@needs_callbacks
def test_a_late_branch_joins_when_it_would_have(tmp_path, monkeypatch):
    def make():
        return network("note", "age").set_params(warm_start=True)

    for name in ("_UPDATES", "_UPDATES_OF_RARE_TOKENS"):
        monkeypatch.setattr(f"skgru._defaults.{name}", 10)  # of five epochs
    X, y = SELDOM
    whole = make().fit(X, y)
    assert whole.n_iter_ == 5
    assert whole.auto_params_["note__last_epochs"] == 2  # as a trial has decided
    for after in (2, 4):  # before it joins, and then
        assert_same_fit(broken_off(make, after, tmp_path, X, y).fit(X, y), whole)


@needs_callbacks
def test_partial_fit_goes_on(tmp_path):
    X, y = ragged()
    model = small(GRURegressor, dropout=0.3, batch_size=10).partial_fit(X, y)
    model.set_callbacks(Checkpoint(tmp_path)).partial_fit(X, y)
    loaded = joblib.load(tmp_path / "last.joblib")
    assert_same_fit(loaded, model)
    assert_same_fit(loaded.partial_fit(X, y), model.partial_fit(X, y))


@needs_callbacks
def test_lbfgs_starts_anew_from_its_weights(tmp_path):
    X, y = ragged()
    make = lambda: small(GRURegressor, solver="lbfgs", max_iter=4, warm_start=True)  # noqa: E731
    loaded = broken_off(make, 2, tmp_path, X, y)
    loss = loaded.loss_
    assert loaded.fit(X, y).n_iter_ == 4
    assert loaded.loss_ < loss


REFUSED = {
    "solver": ({"solver": "sgd"}, "expected solver='adam', got solver='sgd'"),
    "parameters": (
        {"batch_size": 5, "scoring": max, "learning_rate_init": 0.1},
        "batch_size='auto' and .*scoring=None, got .*batch_size=5 and .*scoring=builtins.max",
    ),
    "schedule": ({"max_iter": 9}, "expected max_iter=4, got max_iter=9"),
    "number": ({"X": ragged(n=20)[0], "y": ragged(n=20)[1]}, "expected 24 samples, got 20 samples"),
    "y": ({"y": ragged(seed=1)[1]}, "expected the samples, .* that it began with, got others"),
    "X": ({"X": ragged(seed=1)[0]}, "expected the samples, .* that it began with, got others"),
    "weight": ({"sample_weight": np.r_[2, np.ones(23)]}, "the samples, targets and weights"),
    "validation": (
        {"X_val": ragged(n=9)[0], "y_val": ragged(n=9)[1]},
        "expected 24 samples, got 24 and 9 validation samples",
    ),
}


@needs_callbacks
@pytest.mark.parametrize("change", REFUSED)
def test_another_training_is_refused(tmp_path, change):
    X, y = ragged()
    options = {"max_iter": 4, "warm_start": True, "batch_size": "auto"}
    loaded = broken_off(lambda: small(GRUClassifier, **options), 2, tmp_path, X, y)
    changed, message = REFUSED[change]
    parameters = {name: changed[name] for name in changed if name in loaded.get_params()}
    data = {"X": X, "y": y} | {name: changed[name] for name in changed if name not in parameters}
    beginning = "in the midst of a training, of which 2 epochs are done .*"
    with pytest.raises(ValueError, match=beginning + message):
        loaded.set_params(**parameters).fit(**data)
    loaded.set_params(warm_start=False, scoring=None)
    assert loaded.fit(**data).n_iter_ == loaded.max_iter


@needs_callbacks
def test_another_branch_is_refused(tmp_path):
    X, y = samples.frame()
    model = samples.classifier(max_iter=4, warm_start=True)
    loaded = broken_off(lambda: model, 2, tmp_path, X, y)
    with pytest.raises(ValueError, match=r"expected note__token_dropout=0\.0, got .*=0\.5"):
        loaded.set_params(note__token_dropout=0.5).fit(X, y)
    loaded.set_params(note__token_dropout=0.0)
    with pytest.raises(ValueError, match="got others"):
        loaded.fit(samples.with_cell(X, 3, "age", 99.0), y)


@needs_callbacks
def test_what_changes_nothing_may_change(tmp_path):
    X, y = rectangle()
    make = lambda: small(GRUClassifier, max_iter=4, warm_start=True)  # noqa: E731
    loaded = broken_off(make, 2, tmp_path, X, y).set_params(n_jobs=1, verbose=1)
    assert_same_fit(loaded.fit(list(np.asfortranarray(X)), y.tolist()), make().fit(X, y))


@needs_callbacks
def test_zeros_and_missing_values_are_the_same_by_any_sign(tmp_path):
    X, y = rectangle()
    X[0, 0, 0], X[1, 0, 0] = 0, np.nan
    make = partial(small, GRUClassifier, max_iter=4, warm_start=True, missing="decay")
    loaded = broken_off(make, 2, tmp_path, X, y)
    signed = np.where(X == 0, -0.0, np.where(np.isnan(X), -np.nan, X))
    assert_same_fit(loaded.fit(signed, y), make().fit(X, y))


@needs_callbacks
@pytest.mark.parametrize("ends", ["max_iter", "patience"])
def test_after_its_last_epoch_a_training_has_ended(tmp_path, ends):
    def make():
        patience = {"tol": 10.0, "n_iter_no_change": 2} if ends == "patience" else {}
        return small(GRUClassifier, max_iter=5, learning_rate="constant", **patience)

    X, y = ragged()
    whole = make().fit(X, y)
    assert whole.n_iter_ == (4 if ends == "patience" else 5)
    loaded = broken_off(make, whole.n_iter_, tmp_path, X, y)
    assert loaded._state["progress"] is None
    assert_same_fit(loaded, whole)


# The files


class InTurn:
    """A scorer that gives the scores that it was given, one after the other."""

    def __init__(self, scores):
        self._left = list(scores)

    def __call__(self, estimator, X, y):
        return self._left.pop(0)


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_best_state(tmp_path, early_stopping):
    X, y, X_val, y_val = validation_data()
    options = {"early_stopping": early_stopping, "learning_rate": "constant"}
    options |= {"learning_rate_init": 0.1, "max_iter": 12}
    model = small(GRUClassifier, **options).set_callbacks(Checkpoint(tmp_path))
    model.fit(X, y, X_val=X_val, y_val=y_val)
    best = joblib.load(tmp_path / "best.joblib")
    assert best.score(X_val, y_val) == max(model.validation_scores_)
    assert max(model.validation_scores_) > model.validation_scores_[-1]
    last = joblib.load(tmp_path / "last.joblib")
    assert_same_fit(last, model)
    assert best._state["progress"] is None
    assert last._state["progress"] is None
    assert not any("callback" in name for name in [*vars(best), *vars(last)])
    assert sorted(os.listdir(tmp_path)) == ["best.joblib", "last.joblib"]


@needs_callbacks
def test_without_a_validation_set_the_lowest_loss_is_the_best(tmp_path):
    X, y = ragged()
    options = {"learning_rate": "constant", "learning_rate_init": 5.0, "max_iter": 12}
    options["label_smoothing"] = 0
    model = small(GRUClassifier, **options).set_callbacks(Checkpoint(tmp_path)).fit(X, y)
    best = joblib.load(tmp_path / "best.joblib")
    assert best.n_iter_ == np.argmin(model.loss_curve_) + 1 < 12
    until = small(GRUClassifier, **options | {"max_iter": best.n_iter_}).fit(X, y)
    assert_array_equal(output(best, X), output(until, X))


@needs_callbacks
@pytest.mark.filterwarnings("ignore:The score of the validation set was not a number")
@pytest.mark.parametrize(
    ("scores", "n_best"),
    [([np.nan, 0.5, np.nan, 0.4], 2), ([0.5, np.nan, 0.5], 3), ([np.nan] * 3, 3)],
)
def test_a_score_that_is_no_number_is_not_the_best(tmp_path, scores, n_best):
    X, y = ragged()
    options = {"max_iter": len(scores), "early_stopping": False, "scoring": InTurn(scores)}
    model = small(GRUClassifier, **options)
    model.set_callbacks(Checkpoint(tmp_path)).fit(X, y, X_val=X, y_val=y)
    assert joblib.load(tmp_path / "best.joblib").n_iter_ == n_best


@needs_callbacks
def test_every_few_epochs(tmp_path):
    X, y = ragged()
    make = lambda: small(GRUClassifier, max_iter=9)  # noqa: E731
    with pytest.raises(MemoryError):
        make().set_callbacks(Checkpoint(tmp_path, every=3), Break(8)).fit(X, y)
    assert joblib.load(tmp_path / "last.joblib").n_iter_ == 6
    make().set_callbacks(Checkpoint(tmp_path, every=100)).fit(X, y)
    assert joblib.load(tmp_path / "last.joblib").n_iter_ == 9


@needs_callbacks
def test_a_file_is_whole_or_that_of_before(tmp_path, monkeypatch):
    X, y = ragged()
    model = small(GRUClassifier).set_callbacks(Checkpoint(tmp_path)).fit(X, y)
    before = (tmp_path / "last.joblib").read_bytes()

    def fail(value, file):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(joblib, "dump", fail)
    with pytest.raises(OSError, match="No space"):
        model.fit(X, y)
    assert (tmp_path / "last.joblib").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["best.joblib", "last.joblib"]


@needs_callbacks
def test_fits_of_a_search_have_folders_of_their_own(tmp_path):
    X, y = ragged(n=40)
    model = small(GRUClassifier, max_iter=2).set_callbacks(Checkpoint(tmp_path))
    search = GridSearchCV(make_pipeline(model), {"gruclassifier__alpha": [0, 1]}, cv=2)
    search.fit(X, y)
    files = sorted(tmp_path.rglob("last.joblib"))
    assert len(files) == 2 * 2 + 1
    refit = next(file for file in files if "refit" in str(file))
    assert_same_model(joblib.load(refit), search.best_estimator_[-1])


@needs_callbacks
def test_a_folder_is_that_of_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = small(GRUClassifier).set_callbacks(Checkpoint("states"))
    monkeypatch.chdir(tmp_path.parent)  # as a process may be elsewhere
    model.fit(*ragged())
    assert (tmp_path / "states" / "last.joblib").exists()
    with pytest.raises(TypeError, match="NoneType"):
        Checkpoint(None)


@needs_callbacks
def test_what_it_does_not_save():
    with pytest.raises(TypeError, match="expected one of its estimators, got LogisticRegression"):
        LogisticRegression().set_callbacks(Checkpoint("x")).fit([[0], [1]], [0, 1])
    for every in (0, 1.5, "2"):
        with pytest.raises(ValueError, match=f"every: expected .* 1 or more, got {every!r}"):
            Checkpoint("x", every=every)


@needs_callbacks
def test_a_folder_that_cannot_be_made_is_known_before_the_training(tmp_path):
    (tmp_path / "file").touch()
    model = small(GRUClassifier).set_callbacks(Break(1), Checkpoint(tmp_path / "file"))
    with pytest.raises(FileExistsError):
        model.fit(*ragged())


@pytest.mark.skipif(KNOWS_CALLBACKS, reason="scikit-learn has callbacks")
def test_before_scikit_learn_1_9_they_say_so():
    for make in (partial(Checkpoint, "x"), MLflowLogger, partial(TensorBoardLogger, "x")):
        with pytest.raises(ImportError, match=r"1\.9 or later"):
            make()
