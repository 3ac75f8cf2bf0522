"""The callbacks of scikit-learn 1.9: tasks, fitted copies, the end, and what errors leave."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.fixes import parse_version

from skgru import (
    GRUClassifier,
    GRUForecaster,
    GRURegressor,
    PerTimestep,
    SequenceAligner,
    SequenceVectorizer,
)
from skgru._base import BaseNetwork
from skgru._engine.solvers import SOLVERS
from skgru._nn.optimizers import Adam
from tests.datasets import ESTIMATORS, assert_same_model, flat, output, ragged, rectangle, small
from tests.multimodal import samples
from tests.training import EXPLOSION, RaiseAt, assert_unchanged, state_of

KNOWS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_callbacks = pytest.mark.skipif(not KNOWS_CALLBACKS, reason="scikit-learn 1.9 has them first")

# One epoch is trained as the next one: no schedule is spread over all of them.
STEADY = {"learning_rate": "constant"}


class Events:
    """Notes all calls of its hooks.

    Parameters
    ----------
    stops_at : tuple of str and int, default=None
        The name and the number of the task after which it asks for the end.
    raises_at : str, default=None
        The hook that raises an error.
    """

    def __init__(self, stops_at=None, raises_at=None):
        self.stops_at, self.raises_at, self.heard, self.depth = stops_at, raises_at, [], 0

    def note(self, hook, context):
        self.heard.append((hook, context.task_name, context.task_id, context.max_subtasks))
        if hook == self.raises_at:
            raise RuntimeError("by the callback")

    def setup(self, estimator, context):
        self.note("setup", context)

    def teardown(self, estimator, context):
        self.note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self.note("begin", context)

    def on_fit_task_end(self, estimator, context):
        self.note("end", context)
        return (context.task_name, context.task_id) == self.stops_at

    def count(self, hook):
        return sum(event[0] == hook for event in self.heard)


class Copies(Events):
    """Keeps the fitted copies, and what else the hooks are given."""

    def __init__(self):
        super().__init__()
        self.copies, self.given = [], []

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.given.append((X, y, metadata))
        if context.task_name == "epoch":
            self.copies.append(fitted_estimator)


def test_they_are_there_where_scikit_learn_has_them():
    for estimator_class in (*ESTIMATORS, *samples.ESTIMATORS, GRUForecaster):
        assert hasattr(estimator_class, "set_callbacks") == KNOWS_CALLBACKS


# Tasks


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_is_a_task_and_so_is_each_epoch(solver):
    events = Events()
    model = small(GRUClassifier, solver=solver, max_iter=2).set_callbacks(events)
    if solver == "lbfgs":
        with pytest.warns(ConvergenceWarning):
            model.fit(*ragged())
    else:
        model.fit(*ragged())
    epochs = [(hook, "epoch", i, 0) for i in (0, 1) for hook in ("begin", "end")]
    fit = [("begin", "fit", 0, 2), *epochs, ("end", "fit", 0, 2)]
    assert events.heard == [("setup", "fit", 0, None), *fit, ("teardown", "fit", 0, 2)]


@needs_callbacks
def test_a_call_of_partial_fit_is_a_task_of_one_epoch():
    events = Events()
    model = small(GRURegressor).set_callbacks(events)
    X, y = ragged()
    model.partial_fit(X, y).partial_fit(X, y)
    assert [event[:3] for event in events.heard[: len(events.heard) // 2]] == [
        ("setup", "partial_fit", 0),
        ("begin", "partial_fit", 0),
        ("begin", "epoch", 0),
        ("end", "epoch", 0),
        ("end", "partial_fit", 0),
        ("teardown", "partial_fit", 0),
    ]
    assert events.heard[6:] == events.heard[:6]


@needs_callbacks
@pytest.mark.parametrize("n_batches", [100, 101, 250])
def test_a_long_epoch_has_a_hundred_parts(n_batches):
    events = Events()
    X, y = rectangle(n=n_batches, n_steps=1)
    model = small(GRURegressor, batch_size=1, max_iter=1).set_callbacks(events)
    model.fit(X, y)
    of_parts = [event for event in events.heard if event[1] == "batches"]
    n_parts = 0 if n_batches == 100 else 100
    assert of_parts == [
        (hook, "batches", i, 0) for i in range(n_parts) for hook in ("begin", "end")
    ]
    ended = [event for event in events.heard if event[:2] == ("end", "epoch")]
    assert ended == [("end", "epoch", 0, n_parts)]


# Fitted copies


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_copy_of_an_epoch_is_a_fit_that_ends_there(estimator_class, solver):
    X, y = ragged()
    copies, parameters = Copies(), {"solver": solver, "dtype": "float64"}
    parameters |= {} if solver == "lbfgs" else STEADY
    model = small(estimator_class, max_iter=3, **parameters).set_callbacks(copies)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    for epoch, fitted in enumerate(copies.copies, 1):
        with pytest.warns(ConvergenceWarning):
            until = small(estimator_class, max_iter=epoch, **parameters).fit(X, y)
        assert_same_model(fitted, until)
        assert_array_equal(output(fitted, X), output(until, X))
        assert fitted.loss_curve_ == until.loss_curve_
        assert (fitted.n_iter_, fitted.t_) == (epoch, until.t_)
    assert len(copies.copies) == 3
    # What is done to a copy is not done to the model.
    for array in copies.copies[-1].parameters_.values():
        array[...] = 0
    copies.copies[-1].loss_curve_.append(0.0)
    assert flat(model).any()
    assert len(model.loss_curve_) == 3


@needs_callbacks
def test_what_the_user_gave_is_handed_on_as_it_is():
    copies = Copies()
    X, y = ragged()
    model, weights = small(GRUClassifier).set_callbacks(copies), [1.0, 2.0] * 12
    model.fit(X, y, weights)
    for of_task in copies.given:
        assert of_task[0] is X
        assert of_task[1] is y
        assert list(of_task[2]) == ["sample_weight"]
        assert of_task[2]["sample_weight"] is weights
    copies.given.clear()
    model.fit(X, y)
    assert {metadata for *_, metadata in copies.given} == {None}


@needs_callbacks
def test_nothing_is_copied_that_no_callback_asks_for(monkeypatch):
    copied, attributes_of = [], BaseNetwork._attributes_of

    def spy(self, fitted):
        copied.append(fitted)
        return attributes_of(self, fitted)

    monkeypatch.setattr(BaseNetwork, "_attributes_of", spy)
    model = small(GRUClassifier, max_iter=3)
    model.fit(*ragged())
    model.set_callbacks(Events()).fit(*ragged())
    assert not copied
    model.set_callbacks(Events(), Copies(), Copies()).fit(*ragged())
    assert len(copied) == 3


@needs_callbacks
@pytest.mark.parametrize("estimator_class", samples.ESTIMATORS)
def test_estimators_of_several_inputs_have_fitted_copies_too(estimator_class):
    X, y = samples.frame()
    copies = Copies()
    model = samples.small(estimator_class, **STEADY).set_callbacks(copies)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert len(copies.copies) == model.n_iter_ == 3
    assert_same_model(copies.copies[-1], model)
    assert_array_equal(output(copies.copies[-1], X), output(model, X))
    assert np.any(output(copies.copies[0], X) != output(model, X))


# The end


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_stops_the_training_after_an_epoch(solver):
    events = Events(stops_at=("epoch", 1))
    model = small(GRUClassifier, solver=solver, max_iter=9).set_callbacks(events)
    model.fit(*ragged())  # without a warning
    assert model.n_iter_ == 2
    assert events.heard[-2:] == [("end", "fit", 0, 9), ("teardown", "fit", 0, 9)]


@needs_callbacks
def test_a_callback_that_would_end_an_epoch_ends_the_training_after_it():
    X, y = rectangle(n=120, n_steps=1)
    events = Events(stops_at=("batches", 3))
    model = small(GRURegressor, batch_size=1, max_iter=3).set_callbacks(events).fit(X, y)
    assert (model.n_iter_, model.t_) == (1, 120)


# Errors


@needs_callbacks
@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("what", ["nothing", "y", "the loss", "an interrupt", "an error"])
def test_what_is_set_up_is_torn_down_once(monkeypatch, what, method):
    X, y = rectangle()
    events = Events()
    parameters = EXPLOSION if what == "the loss" else {}
    model = small(GRURegressor, **parameters).set_callbacks(events)
    if what == "y":
        y = y[:-1]
    elif what.startswith("an"):
        error = KeyboardInterrupt if what == "an interrupt" else MemoryError
        monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 1, error))
    raised = {"y": ValueError, "the loss": ValueError, "an error": MemoryError}.get(what)
    if raised:
        with pytest.raises(raised):
            getattr(model, method)(X, y)
    else:
        getattr(model, method)(X, y)
    assert (events.count("setup"), events.count("teardown")) == (1, 1)
    assert events.heard[-1][0] == "teardown"
    assert not any("context" in name or "ctx" in name for name in vars(model))
    if what != "the loss":
        pickle.dumps(model)


@needs_callbacks
@pytest.mark.parametrize("hook", ["setup", "begin", "end", "teardown"])
def test_an_error_of_a_callback_ends_the_fit(hook):
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y)
    events, before = Events(raises_at=hook), state_of(model)
    model.set_callbacks(events)
    with pytest.raises(RuntimeError, match="by the callback"):
        model.fit(X, y)
    assert (events.count("setup"), events.count("teardown")) == (1, 1)
    del model._skl_callbacks
    if hook != "teardown":  # which comes when all is done
        assert_unchanged(model, before)


@needs_callbacks
def test_clones_have_the_callbacks_and_pickles_have_them_too():
    events = Events()
    clone(small(GRUClassifier).set_callbacks(events)).fit(*ragged())
    assert events.count("end") == 4
    model = pickle.loads(pickle.dumps(small(GRUClassifier).set_callbacks(events)))
    model.fit(*ragged())
    assert events.count("end") == 4


# Transformers in front of a network

EVENTS = {"sample": [0, 0, 1], "time": [0, 1, 0], "channel": ["a", "b", "a"], "value": [1.0, 2, 3]}
TRANSFORMERS = {
    "SequenceVectorizer": (SequenceVectorizer(), ["fine day", "dull day"]),
    "SequenceAligner": (SequenceAligner(), EVENTS),
    "PerTimestep": (PerTimestep(StandardScaler()), [np.ones((2, 1)), np.zeros((3, 1))]),
}


@needs_callbacks
@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_transformer_is_one_task(name, method):
    transformer, X = TRANSFORMERS[name]
    events = Events()
    transformer = clone(transformer).set_callbacks(events)
    getattr(transformer, method)(X)
    hooks = [(hook, task) for hook, task, *_ in events.heard]
    assert hooks == [("setup", "fit"), ("begin", "fit"), ("end", "fit"), ("teardown", "fit")]
    assert vars(clone(transformer).fit(X)).keys() == vars(transformer).keys()


@needs_callbacks
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_that_fails_tears_down(name):
    events = Events()
    transformer = clone(TRANSFORMERS[name][0]).set_callbacks(events)
    with pytest.raises((TypeError, ValueError)):
        transformer.fit(3)
    assert events.heard[-1][0] == "teardown"


# The callbacks of scikit-learn


def bars(monkeypatch):
    """Have the progress bars drawn into memory; return the function that gives the lines."""
    import rich.progress

    drawn = []
    stop = rich.progress.Progress.stop

    def keep(self):
        drawn.extend((task.description.strip(), task.finished) for task in self.tasks)
        stop(self)

    monkeypatch.setattr(rich.progress.Progress, "stop", keep)
    return drawn


@needs_callbacks
def test_the_progress_bar(monkeypatch):
    from sklearn.callback import ProgressBar

    drawn = bars(monkeypatch)
    X, y = rectangle(n=24)
    small(GRUClassifier).set_callbacks(ProgressBar()).fit(X, y)
    assert drawn == [("GRUClassifier - fit", True)]
    drawn.clear()
    pipeline = make_pipeline(FunctionTransformer(), small(GRUClassifier))
    with pytest.warns(UserWarning, match="FunctionTransformer does not support callbacks"):
        pipeline.set_callbacks(ProgressBar()).fit(X, y)
    assert [name.split(" | ")[-1] for name, _ in drawn] == [
        "Pipeline - fit",
        "GRUClassifier - fit #1",
    ]
    drawn.clear()
    # What comes from skgru warns of nothing.
    texts = make_pipeline(SequenceVectorizer(), small(GRUClassifier))
    texts.set_callbacks(ProgressBar()).fit(["fine day", "dull day"] * 12, y)
    assert [name.split(" | ")[-1] for name, _ in drawn] == [
        "Pipeline - fit",
        "SequenceVectorizer - fit #0",
        "GRUClassifier - fit #1",
    ]
    drawn.clear()
    # Its epochs are long.
    long = small(GRUClassifier, batch_size=1, max_iter=2).set_callbacks(ProgressBar())
    long.fit(*rectangle(n=101, n_steps=1))
    assert drawn[1:] == [("GRUClassifier - epoch #0", True), ("GRUClassifier - epoch #1", True)]


@needs_callbacks
def test_the_scoring_monitor():
    from sklearn.callback import ScoringMonitor

    X, y = ragged(n=40)
    monitor = ScoringMonitor(scoring="accuracy")
    model = small(GRUClassifier, learning_rate_init=0.05, **STEADY).set_callbacks(monitor)
    weights = np.linspace(0, 1, 40)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y, weights)
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows] == ["fit", "epoch", "epoch", "epoch"]
    expected = []
    for epoch in (3, 1, 2, 3):
        with pytest.warns(ConvergenceWarning):
            until = model.set_callbacks().set_params(max_iter=epoch).fit(X, y, weights)
        expected.append(until.score(X, y, weights))
    assert [row["accuracy"] for row in rows] == expected
    assert len(set(expected)) > 1


@needs_callbacks
def test_both_inside_a_search_with_two_processes(monkeypatch):
    from sklearn.callback import ProgressBar, ScoringMonitor

    drawn = bars(monkeypatch)
    X, y = rectangle(n=40)
    monitor = ScoringMonitor(scoring="neg_log_loss")
    model = small(GRUClassifier, max_iter=2).set_callbacks(monitor)
    search = GridSearchCV(make_pipeline(model), {"gruclassifier__alpha": [0, 1]}, cv=2, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    rows = monitor.get_logs().data
    # Two candidates, two splits and the best one: two epochs each, and the fits themselves.
    assert sum(row["task_name"] == "epoch" for row in rows) == 2 * (2 * 2 + 1)
    assert len(rows) == 3 * (2 * 2 + 1)
    assert all(np.isfinite(row["neg_log_loss"]) for row in rows)
    assert sum("GRUClassifier - fit" in name for name, _ in drawn) == 2 * 2 + 1
    assert all(finished for _, finished in drawn)


@needs_callbacks
def test_the_networks_of_a_forecaster_are_tasks(monkeypatch):
    from sklearn.callback import ProgressBar

    drawn, events = bars(monkeypatch), Events()
    forecaster = GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0)
    y = np.sin(np.arange(60.0))
    plain = forecaster.fit(y).predict(2)
    forecaster.set_callbacks(events, ProgressBar()).fit(y)
    assert_array_equal(forecaster.predict(2), plain)
    assert (events.count("setup"), events.count("teardown")) == (1, 1)
    networks = [event[2] for event in events.heard if event[:2] == ("end", "fit-network")]
    assert networks == list(range(len(networks)))
    assert len(networks) >= len(forecaster.networks_)
    assert drawn[0] == ("GRUForecaster - fit", True)
    assert len(drawn) == 1 + len(networks)
    assert drawn[1][0].endswith("WindowRegressor - fit #0")
    pickle.loads(pickle.dumps(forecaster.set_callbacks())).predict(2)
    assert not any("callback" in name for name in vars(forecaster.networks_[0]))
    with pytest.raises(ValueError, match=r"series|short|window"):
        forecaster.set_callbacks(events).fit(y[:3])
    assert (events.count("setup"), events.count("teardown")) == (2, 2)
