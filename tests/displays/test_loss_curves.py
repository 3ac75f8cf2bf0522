"""The picture of the losses: what is drawn, of which estimators, and under which names."""

import sys

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUForecaster, GRURegressor, LossCurveDisplay, PerTimestep

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

SETTINGS = {"hidden_layer_sizes": 3, "max_iter": 4, "random_state": 0, "learning_rate": "cosine"}
X = np.random.RandomState(0).normal(size=(40, 5, 1))
Y = X.sum(axis=(1, 2))


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def plain():
    return GRURegressor(**SETTINGS, early_stopping=False).fit(X, Y)


@pytest.fixture(scope="module")
def validated():
    return GRURegressor(**SETTINGS, early_stopping=True).fit(X, Y)


def drawn(display):
    """Return what the lines show by their labels."""
    for line in display.lines_:
        assert line.axes is display.ax_
        np.testing.assert_array_equal(line.get_xdata(), 1 + np.arange(len(line.get_xdata())))
    return {line.get_label(): list(line.get_ydata()) for line in display.lines_}


def test_training_and_validation_are_drawn(validated):
    display = LossCurveDisplay.from_estimator(validated)
    assert drawn(display) == {
        "training": validated.loss_curve_,
        "validation": validated.validation_loss_curve_,
    }
    assert display.figure_ is display.ax_.figure
    assert [text.get_text() for text in display.ax_.get_legend().texts] == [*drawn(display)]


def test_without_validation_there_is_one_line(plain):
    display = LossCurveDisplay.from_estimator(plain, name="small", linewidth=3)
    assert drawn(display) == {"small": plain.loss_curve_}
    assert display.lines_[0].get_linewidth() == 3


def test_of_several_each_has_a_colour(plain, validated):
    display = LossCurveDisplay.from_estimators({"a": plain, "b": validated})
    assert drawn(display) == {
        "a, training": plain.loss_curve_,
        "b, training": validated.loss_curve_,
        "b, validation": validated.validation_loss_curve_,
    }
    a, b, held_out = display.lines_
    assert a.get_color() != b.get_color() == held_out.get_color()
    assert b.get_linestyle() != held_out.get_linestyle()
    lines = LossCurveDisplay({"b": [1.0, 2]}, {"b": [2.0, 3]}).plot(c="red", ls=":").lines_
    assert [(line.get_color(), line.get_linestyle()) for line in lines] == [("red", ":")] * 2


def test_searches_and_pipelines_are_opened(plain):
    pipeline = make_pipeline(PerTimestep(StandardScaler()), GRURegressor(**SETTINGS))
    search = GridSearchCV(pipeline, {"gruregressor__alpha": [0.1]}, cv=2).fit(X, Y)
    best = search.best_estimator_[-1].loss_curve_
    display = LossCurveDisplay.from_estimators([search, search.best_estimator_, plain])
    labels = [f"GRURegressor {i}" for i in (1, 2, 3)]
    assert drawn(display) == dict(zip(labels, [best, best, plain.loss_curve_], strict=True))


def test_axes_may_be_given_and_one_epoch_is_seen():
    _, ax = plt.subplots()
    display = LossCurveDisplay({"": [0.5]}).plot(ax)
    assert display.ax_ is ax
    assert display.lines_[0].get_marker() == "o"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_losses_of_unknown_epochs_are_not_drawn():
    settings = SETTINGS | {"learning_rate": "constant", "early_stopping": True}
    more = GRURegressor(**settings).fit(X, Y)
    more.set_params(early_stopping=False).partial_fit(X, Y)
    with pytest.warns(UserWarning, match="there are 4 of 5 epochs"):
        display = LossCurveDisplay.from_estimator(more)
    assert drawn(display) == {"training": more.loss_curve_}


def test_what_has_no_losses_is_refused():
    with pytest.raises(AttributeError, match="loss_curve_, got a GRURegressor"):
        LossCurveDisplay.from_estimator(make_pipeline(GRURegressor()))
    with pytest.raises(ValueError, match="at least one estimator"):
        LossCurveDisplay.from_estimators({})
    with pytest.raises(TypeError, match="got GRURegressor: from_estimator draws one"):
        LossCurveDisplay.from_estimators(GRURegressor())
    forecaster = GRUForecaster()
    forecaster.networks_ = []
    with pytest.raises(AttributeError, match="give its networks_ to from_estimators"):
        LossCurveDisplay.from_estimator(forecaster)


def test_a_label_may_be_given(plain):
    display = LossCurveDisplay.from_estimator(plain, label="mine")
    assert drawn(display) == {"mine": plain.loss_curve_}


def test_without_matplotlib_the_extra_is_named(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skgru\[plot\]"):
        LossCurveDisplay.from_estimator(plain)
