"""Ctrl-C: what it ends, and what it leaves."""

import signal
import warnings

import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import GRUClassifier
from skgru._nn.optimizers import Adam
from tests.datasets import rectangle, small
from tests.training import RaiseAt

X, Y = rectangle(n=40)
X = X[:, :, 0]
GRID = {"alpha": [0, 1]}


class Counted(GRUClassifier):
    """Counts the fits that begin."""

    n_fits = 0

    def fit(self, X, y, **options):
        type(self).n_fits += 1
        return super().fit(X, y, **options)


@pytest.fixture
def model(monkeypatch):
    """Return an estimator, the first fit of which is interrupted in its second update."""

    class OfTest(Counted):
        pass

    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2))
    return small(OfTest)


@pytest.mark.parametrize(
    "run",
    [
        lambda model: GridSearchCV(model, GRID, cv=2).fit(X, Y),
        lambda model: GridSearchCV(make_pipeline(model), {}, cv=2).fit(X, Y),
        lambda model: cross_val_score(model, X, Y, cv=3),
        lambda model: learning_curve(model, X, Y, cv=3),
        lambda model: BaggingClassifier(model, 3).fit(X, Y),
        lambda model: OneVsRestClassifier(model).fit(X, [0, 1, 2, 3] * 10),
        lambda model: CalibratedClassifierCV(model, cv=2).fit(X, Y),
    ],
    ids=[
        "search",
        "pipeline",
        "cross-validation",
        "curve",
        "ensemble",
        "multiclass",
        "calibration",
    ],
)
def test_what_fits_several_models_is_stopped(model, run):
    with pytest.raises(KeyboardInterrupt):
        run(model)
    assert type(model).n_fits == 1


def test_a_fit_of_its_own_leaves_a_usable_model(model):
    pipeline = make_pipeline(FunctionTransformer(), model)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        pipeline.fit(X, Y)
    assert pipeline.predict(X).shape == Y.shape
    assert pipeline[-1].n_iter_ == 0


def test_the_best_model_of_a_search_is_part_of_it(monkeypatch):
    # 2 fits of 3 updates come first, then that of the best.
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 8))
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(small(GRUClassifier), {}, cv=2).fit(X, Y)


def test_a_loop_of_the_users_own_may_stop_too(model):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Training interrupted")
        with pytest.raises(UserWarning, match="interrupted"):
            _ = [model.fit(X, Y) for _ in range(3)]
    assert type(model).n_fits == 1
    assert model.predict(X).shape == Y.shape  # it stands nevertheless


def test_a_real_signal_stops_a_search(monkeypatch):
    step, n_steps = Adam.step, []

    def send(self, *args):
        n_steps.append(1)
        if len(n_steps) == 2:
            signal.raise_signal(signal.SIGINT)  # os.kill would end Python on Windows
        return step(self, *args)

    monkeypatch.setattr(Adam, "step", send)
    # Python leaves the signal to be ignored where a shell has started it in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            GridSearchCV(small(GRUClassifier), GRID, cv=2).fit(X, Y)
    finally:
        signal.signal(signal.SIGINT, before)
