"""The gates of a layer along a sequence, in a picture and in text."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru.inspection import GateDisplay

SETTINGS = {"max_iter": 3, "random_state": 0, "learning_rate": "cosine"}
UPDATE = np.array([[0.0, 0.1], [0.75, 1.0], [0.0, 0.0]])
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän"


@pytest.fixture
def plt():
    pytest.importorskip("matplotlib").use("Agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def series(n=12, n_steps=5, n_features=2):
    return np.random.RandomState(0).normal(size=(n, n_steps, n_features))


# Text


def test_text_says_where_gates_are_open_and_what_is_left():
    decays = {"state": 1 - UPDATE, "input": [[1.0], [0.5], [0.25]]}
    display = GateDisplay({"update": UPDATE}, decays=decays, title="hidden_0 (gru)")
    assert str(display).splitlines() == [
        "hidden_0 (gru), 3 steps, 2 units",
        "update: mean 0.308, most open at step 1 (0.875), most shut at step 2 (0)",
        "state decay: mean 0.692, most is left at step 2 (1), least at step 1 (0.125)",
        "input decay: mean 0.583, most is left at step 0 (1), least at step 2 (0.25)",
    ]
    words = str(GateDisplay({"update": UPDATE}, inputs=["a", "\x1b[2J", "b"]))
    assert r"most open at '\x1b[2J' (step 1" in words
    assert str(GateDisplay({"update": [[0.5]]})) == "1 step, 1 unit\nupdate: mean 0.5"


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"gates": {}}, "one gate or decay at least"),
        ({"gates": {"update": [0.5]}}, r"shape \(n_steps, n_units\).*got shape \(1,\)"),
        ({"gates": {"update": np.zeros((0, 2))}}, r"got shape \(0, 2\)"),
        ({"gates": {"update": [[-1.0, 0.5]]}}, "from 0 to 1, got -1 to 0.5"),
        ({"gates": {"update": [[np.nan]]}}, "from 0 to 1, got nan"),
        ({"reset": [[0.5, 0.5]]}, "3 as of the gate 'update', got 1 of the gate 'reset'"),
        ({"reset": np.ones((3, 1))}, r"as many units of each gate.*\[1, 2\]"),
        ({"decays": {"z": UPDATE}}, r"'state' and 'input', got \['z'\]"),
        ({"decays": {"state": UPDATE[:, :1]}}, "as many units"),
        ({"decays": {"input": UPDATE}, "inputs": np.ones((3, 1))}, "each of 1 features, got 2"),
        ({"inputs": ["a", "b"]}, "inputs of 3 steps.*got 2"),
        ({"inputs": np.ones((3, 2, 2))}, r"\(n_steps, n_features\), got \(3, 2, 2\)"),
        ({"inputs": np.ones((3, 2)), "features": ["a"]}, "2 features.*got 1"),
        ({"inputs": ["a", "b", "c"], "features": ["a"]}, "numbers as inputs only"),
    ],
)
def test_what_does_not_fit_is_refused(given, match):
    gates = given.pop("gates", {"update": UPDATE})
    gates = gates | {name: given.pop(name) for name in ("reset",) if name in given}
    with pytest.raises(ValueError, match=match):
        GateDisplay(gates, **given)


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="gates to be a dict of arrays, got ndarray"):
        GateDisplay(UPDATE)
    with pytest.raises(TypeError, match="got a text"):
        GateDisplay({"update": UPDATE}, inputs="abc")


# Estimators


def test_each_form_of_a_series_has_the_gates_of_its_sample():
    X = series()
    reg = GRURegressor(4, **SETTINGS).fit(X, X[:, 0, 0])
    display = GateDisplay.from_estimator(reg, X, index=3)
    assert list(display.gates) == ["update", "reset"]
    assert display.decays == {}
    assert display.title == "hidden_0 (gru)"
    assert display.features == ["x0", "x1"]
    assert_array_equal(display.inputs, X[3])
    padded = np.concatenate([X, np.full((12, 2, 2), np.nan)], axis=1)
    search = GridSearchCV(make_pipeline(reg), {"gruregressor__alpha": [1e-4]}, cv=2)
    search.fit(X, X[:, 0, 0])
    for form in (list(X), padded):
        other = GateDisplay.from_estimator(reg, form, index=3 - 12)
        assert_array_equal(other.gates["update"], display.gates["update"])
        assert_array_equal(other.inputs, X[3])
    assert_array_equal(
        GateDisplay.from_estimator(search, X, index=3).gates["update"], display.gates["update"]
    )


def test_frames_have_names_and_missing_values_decays():
    X = [pd.DataFrame(x, columns=["pulse", "age"]) for x in series()]
    for x in X:
        x.iloc[2, 0] = np.nan
    reg = GRURegressor(3, **SETTINGS).fit(X, np.arange(12.0))
    display = GateDisplay.from_estimator(reg, X, index=1)
    assert display.features == ["pulse", "age"]
    assert {name: decay.shape for name, decay in display.decays.items()} == {
        "state": (5, 3),
        "input": (5, 2),
    }
    assert (display.decays["input"] == 1).sum() == 9
    assert display.decays["input"][2, 0] < 1
    assert np.isnan(display.inputs[2, 0])


def test_words_are_those_of_the_document():
    X = ["the good film", "the bad film", "the film"] * 8
    y = ["good" in x for x in X]
    clf = make_pipeline(
        SequenceVectorizer(), GRUClassifier((4, 3), bidirectional=True, embedding_dim=4, **SETTINGS)
    ).fit(X, y)
    X = [*X, "the strange film"]
    display = GateDisplay.from_estimator(clf, X, index=-1, layer=-1, direction="reverse")
    assert display.inputs == ["the", "strange", "film"]
    assert display.features is None
    assert display.title == "hidden_1, reverse (gru)"
    assert display.gates["reset"].shape == (3, 3)
    steps = [clf.steps[0], ("nothing", "passthrough"), clf.steps[1]]
    assert GateDisplay.from_estimator(Pipeline(steps), X, index=-1).inputs == display.inputs
    onward = GateDisplay.from_estimator(clf, X, index=-1, layer=1)
    assert np.abs(onward.gates["reset"] - display.gates["reset"]).max() > 1e-4


def two_branches():
    X = pd.DataFrame({"hr": [np.arange(4.0), np.arange(2.0)] * 10, "age": [50, 60] * 10})
    X["note"] = ["no pain", "pain"] * 10
    branches = [
        ("vitals", SeriesBranch(hidden_layer_sizes=4, cell="lstm"), "hr"),
        ("note", TokenBranch(SequenceVectorizer(), hidden_layer_sizes=3), "note"),
        ("patient", TableBranch(), ["age"]),
    ]
    return branches, X, [0, 1] * 10


def test_a_branch_is_chosen_by_its_name():
    branches, X, y = two_branches()
    clf = MultimodalGRUClassifier(branches, **SETTINGS).fit(X, y)
    vitals = GateDisplay.from_estimator(clf, X, index=2, branch="vitals")
    assert vitals.title.startswith("vitals.hidden_0")
    assert list(vitals.gates) == ["output", "input", "forget"]
    assert vitals.inputs.ravel().tolist() == [0, 1, 2, 3]
    assert vitals.features == ["hr"]
    note = GateDisplay.from_estimator(clf, X, index=2, branch="note")
    assert note.inputs == ["no", "pain"]
    assert note.gates["update"].shape == (2, 3)
    with pytest.raises(ValueError, match=r"\['vitals', 'note'\], got None"):
        GateDisplay.from_estimator(clf, X)
    with pytest.raises(ValueError, match=r"\['vitals', 'note'\], got 'pulse'"):
        GateDisplay.from_estimator(clf, X, branch="pulse")
    with pytest.raises(ValueError, match="got 'patient', whose rows of a table go through no gate"):
        GateDisplay.from_estimator(clf, X, branch="patient")
    X.at[4, "hr"] = None
    with pytest.raises(ValueError, match="none in sample 4, branch 'vitals'"):
        GateDisplay.from_estimator(clf, X, branch="vitals", index=4)
    alone = MultimodalGRUClassifier([branches[0], branches[2]], **SETTINGS).fit(X, y)
    assert_array_equal(GateDisplay.from_estimator(alone, X, index=2).inputs, vitals.inputs)


def test_what_is_not_there_is_refused():
    X = series()
    reg = GRURegressor((4, 3), **SETTINGS)
    with pytest.raises(NotFittedError):
        GateDisplay.from_estimator(reg, X)
    with pytest.raises(TypeError, match=r"Expected a GRUClassifier.*got Ridge"):
        GateDisplay.from_estimator(Ridge().fit(X[:, 0], X[:, 0, 0]), X)
    reg.fit(X, X[:, 0, 0])
    search = GridSearchCV(reg, {"alpha": [0]}, cv=2, refit=False)
    with pytest.raises(NotFittedError, match="GridSearchCV instance is not fitted"):
        GateDisplay.from_estimator(search, X)
    with pytest.raises(TypeError, match=r"fit it with refit=True"):
        GateDisplay.from_estimator(search.fit(X, X[:, 0, 0]), X)
    for samples in (None, "a day", np.float64(1), iter(X)):
        with pytest.raises(TypeError, match="Expected samples in a container, got "):
            GateDisplay.from_estimator(reg, samples)
    for index in (12, -13, 0.5, True, "a"):
        with pytest.raises(ValueError, match=f"from 0 to 11 .*got {index!r}"):
            GateDisplay.from_estimator(reg, X, index=index)
    for layer in (2, -3, "hidden_0", True):
        with pytest.raises(ValueError, match=f"one of 2 hidden layers.*got {layer!r}"):
            GateDisplay.from_estimator(reg, X, layer=layer)
    with pytest.raises(ValueError, match=r"one of \['forward'\].*got 'reverse'"):
        GateDisplay.from_estimator(reg, X, direction="reverse")
    with pytest.raises(ValueError, match="GRURegressor has no branches, got 'vitals'"):
        GateDisplay.from_estimator(reg, X, branch="vitals")
    with pytest.raises(ValueError, match=r"a step at least, got none in sample 1\."):
        GateDisplay.from_estimator(reg, [X[0], X[0][:0]], index=1)


def test_simple_cells_have_no_gates_but_may_decay():
    X = series()
    reg = GRURegressor(3, cell="rnn", **SETTINGS).fit(X, X[:, 0, 0])
    with pytest.raises(ValueError, match=r"layer with gates, got hidden_0.*cell='rnn'"):
        GateDisplay.from_estimator(reg, X)
    X[:, 1, 0] = np.nan
    display = GateDisplay.from_estimator(reg.fit(X, np.arange(12)), X)
    assert display.gates == {}
    assert list(display.decays) == ["state", "input"]


def test_the_update_gate_opens_at_the_step_to_remember():
    """One step is marked; the value there is to be remembered over all that follows."""
    rng = np.random.RandomState(0)
    X = np.zeros((600, 12, 2))
    X[:, :, 0] = rng.normal(size=(600, 12))
    marked = rng.randint(12, size=600)
    X[np.arange(600), marked, 1] = 1
    y = X[np.arange(600), marked, 0]
    at_mark = np.arange(12) == marked[:40, None]
    ratios = []
    for max_iter in (1, 30):
        reg = GRURegressor(
            1, bidirectional=False, max_iter=max_iter, learning_rate_init=0.05, random_state=0
        ).fit(X, y)
        displays = [GateDisplay.from_estimator(reg, X, index=i) for i in range(40)]
        update = np.array([display.gates["update"][:, 0] for display in displays])
        ratios.append(update[at_mark].mean() / update[~at_mark].mean())
    assert reg.score(X, y) > 0.9
    assert ratios[0] < 2  # with hardly any training
    assert ratios[1] > 2.2
    assert "most open at step" in str(displays[0])


# Pictures


def test_each_gate_has_a_map_and_the_mean_above_it(plt):
    rng = np.random.RandomState(0)
    update = rng.uniform(size=(1000, 3)) * [0.2, 1.0, 0.6]
    decays = {"state": 1 - update, "input": np.ones((1000, 2))}
    X = rng.normal(size=(1000, 2))
    X[10:20, 0] = np.nan
    display = GateDisplay(
        {"update": update}, decays=decays, inputs=X, features=["$a$", "b" * 40], title="hidden_0"
    ).plot()
    assert list(display.axes_) == [
        "inputs",
        *(
            f"{name}{more}"
            for name in ("update", "state decay", "input decay")
            for more in (" mean", "")
        ),
    ]
    display.figure_.canvas.draw()
    mesh = display.axes_["update"].collections[0]
    assert mesh.get_clim() == (0, 1)
    assert mesh.get_array().shape == (3, 400)
    # The unit that is most open is at the top, in all maps; a column is the mean of some steps.
    assert_allclose(mesh.get_array()[0, 0], update[:2, 1].mean())
    assert_allclose(mesh.get_array()[2, -1], update[997:, 0].mean())
    left = display.axes_["state decay"].collections[0].get_array()
    assert_allclose(left, 1 - mesh.get_array())
    (line,) = display.axes_["update mean"].lines
    assert_allclose(line.get_ydata(), update.mean(axis=1))
    assert display.axes_["update mean"].get_title(loc="left") == (
        "update gate: 1 replaces the state"
    )
    for name in ("inputs", "input decay"):
        labels = display.axes_[name].get_yticklabels()
        assert [label.get_text() for label in labels] == ["$a$", "b" * 23 + "…"]
        assert not labels[0].get_parse_math()
    drawn = [line.get_ydata() for line in display.axes_["inputs"].lines]
    drawn = [values for values in drawn if len(values) == 1000]
    assert_array_equal(np.isnan(drawn).T, np.isnan(X))
    left, right = display.axes_["inputs"].get_xlim()
    assert (left, right) == display.axes_["input decay"].get_xlim()


def overlaps(artists, renderer):
    boxes = [artist.get_window_extent(renderer) for artist in artists]
    return [(i, j) for j, b in enumerate(boxes) for i, a in enumerate(boxes[:j]) if a.overlaps(b)]


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("given", ["own figure", "grid", "constrained grid"])
def test_long_words_stand_above_their_steps_below_the_title(plt, given, style):
    words = ["$5", LONG_WORD, "was", "a", "b"] * 3
    gates = {name: np.full((15, 4), 0.5) for name in ("update", "reset")}
    display = GateDisplay(gates, inputs=words, title="hidden_0, forward (gru)")
    with plt.style.context(style):
        ax = None
        if given != "own figure":
            layout = "constrained" if given == "constrained grid" else None
            _, (ax, _) = plt.subplots(1, 2, figsize=(12, 6), layout=layout)
        display.plot(ax)
        display.figure_.canvas.draw()
    renderer = display.figure_.canvas.get_renderer()
    above = display.axes_["inputs"]
    texts = [text for text in above.texts if text.get_text()]
    assert [text.get_text()[:4] for text in texts] == [word[:4] for word in words]
    assert {text.get_rotation() for text in texts} == {90}
    assert [text.get_position()[0] for text in texts] == list(range(15))
    titles = [above._right_title, *(display.axes_[f"{n} mean"]._left_title for n in gates)]
    maps = [display.axes_[name] for name in display.axes_ if name != "inputs"]
    assert overlaps([*texts, *titles, *(axes.patch for axes in maps)], renderer) == []
    bounds = display.figure_.bbox
    for artist in [*texts, *titles]:
        box = artist.get_window_extent(renderer)
        assert bounds.x0 <= box.x0
        assert box.x1 <= bounds.x1
        assert box.y1 <= bounds.y1
    if ax is not None:
        assert max(axes.get_position().x1 for axes in display.axes_.values()) < 0.5


def test_few_words_are_written_side_by_side_and_many_are_not(plt):
    few = GateDisplay({"update": UPDATE}, inputs=["a", "fine", "day"]).plot()
    assert {text.get_rotation() for text in few.axes_["inputs"].texts} == {0}
    many = GateDisplay({"update": np.ones((41, 2))}, inputs=["a"] * 41).plot()
    assert list(many.axes_) == ["update mean", "update"]


@pytest.mark.parametrize("n_features", [1, 40])
def test_one_step_one_unit_and_many_features_are_drawn(plt, n_features):
    display = GateDisplay({"output": [[0.5]]}, inputs=np.ones((1, n_features))).plot()
    display.figure_.canvas.draw()
    assert display.axes_["output"].get_ylabel() == "1 unit"
    (point,) = display.axes_["output mean"].lines
    assert_array_equal(point.get_xydata(), [[0, 0.5]])
    assert (point.get_marker(), point.get_markevery()) == ("o", [0])
    label = display.axes_["inputs"].get_ylabel()
    assert label == ("x0" if n_features == 1 else "40 features")


@pytest.mark.parametrize("layout", ["none", "tight", "constrained"])
def test_by_any_layout_there_is_room_for_titles(plt, layout):
    figure, ax = plt.subplots(figsize=(6, 6), layout=layout)
    display = GateDisplay({"update": UPDATE, "reset": UPDATE}, inputs=UPDATE).plot(ax)
    figure.canvas.draw()
    axes, renderer = display.axes_, figure.canvas.get_renderer()
    for above, below in (("inputs", "update mean"), ("update", "reset mean")):
        title = axes[below]._left_title.get_window_extent(renderer)
        assert title.y1 <= axes[above].get_window_extent(renderer).y0


def test_axes_without_a_grid_are_refused(plt):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="place in a grid"):
        GateDisplay({"update": UPDATE}).plot(ax)


def test_only_the_picture_needs_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    X = series()
    display = GateDisplay.from_estimator(GRURegressor(3, **SETTINGS).fit(X, X[:, 0, 0]), X)
    assert "update" in str(display)
    with pytest.raises(ImportError, match=r"GateDisplay.plot.*skgru\[plot\]"):
        display.plot()
