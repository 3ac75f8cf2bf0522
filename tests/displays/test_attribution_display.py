"""Contributions to a prediction, in a picture and in coloured text."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru.inspection import AttributionDisplay, attributions

SETTINGS = {"max_iter": 3, "random_state": 0, "learning_rate": "cosine"}
WORDS = ["the", "plot", "很好", "<b>&", "Donaudampfschifffahrtsgesellschaftskapitän"]
VALUES = np.array([0.0, 0.5, 1.0, -0.25, -1.0])


@pytest.fixture
def plt():
    pytest.importorskip("matplotlib").use("Agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def opacities(html):
    return [
        (colour, float(opacity))
        for colour, opacity in re.findall(r"rgba\((\d+,\d+,\d+),([\d.]+)\)", html)
    ]


# Text


def test_html_has_each_word_escaped_in_its_colour():
    html = AttributionDisplay.from_attributions(VALUES, WORDS)._repr_html_()
    assert "<b>&</span>" not in html
    assert "&lt;b&gt;&amp;</span>" in html
    assert [w in html for w in (WORDS[2], WORDS[4])] == [True, True]
    red, blue = "214,69,65", "56,128,214"
    # Of "the" there is none; the last two are those of the legend.
    strong = 0.65
    assert opacities(html) == [
        (red, 0.33),
        (red, strong),
        (blue, 0.16),
        (blue, strong),
        (red, strong),
        (blue, strong),
    ]


def test_html_of_series_has_numbers_or_spans_of_steps():
    few = AttributionDisplay.from_attributions([[0.5], [0.0]], [[81.0], [90.0]], names=["a<b"])
    assert ">81</td>" in few._repr_html_()
    assert "a&lt;b" in few._repr_html_()
    many = np.zeros((1000, 2))
    many[500:505, 1] = 0.1
    html = AttributionDisplay.from_attributions(many, many)._repr_html_()
    assert html.count("<td") == 2 * 200
    assert 'title="steps 500–504: +0.5"' in html
    assert len(opacities(html)) == 1 + 2  # and the legend


def test_a_terminal_gets_dark_text_on_light_colours():
    text = AttributionDisplay.from_attributions(VALUES, WORDS).ansi()
    assert text.startswith("the \x1b[30;48;5;217mplot\x1b[0m \x1b[30;48;5;203m很好\x1b[0m ")
    assert "\x1b[30;48;5;189m<b>&\x1b[0m" in text
    assert text.endswith(f"\x1b[30;48;5;75m{WORDS[4]}\x1b[0m\nsum +0.25")


def test_words_do_not_command_a_terminal():
    display = AttributionDisplay.from_attributions([0.0, 1.0], ["\x1b[2J", "a\nb"])
    assert r"\x1b[2J" in display.ansi()
    assert "\x1b[2J" not in display.ansi() + str(display)
    assert r"a\nb" in str(display)


def test_plain_text_has_the_strongest():
    text = str(AttributionDisplay.from_attributions(np.arange(12.0), list("abcdefghijkl")))
    assert text.splitlines()[:2] == ["sum +66", "  l  +11"]
    assert text.splitlines()[-1] == "  (2 more)"


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_and_zeros_are_shown(plt, n):
    for values in (np.zeros(n), np.zeros((n, 2))):
        display = AttributionDisplay.from_attributions(values, values)
        display.plot()
        display.figure_.canvas.draw()
        assert "sum +0" in display.ansi()
        assert len(opacities(display._repr_html_())) == 2


@pytest.mark.parametrize(
    ("values", "X", "names", "match"),
    [
        (np.zeros((2, 2)), np.zeros((3, 2)), None, r"shape of its contributions, \(2, 2\)"),
        (np.zeros((2, 2)), np.zeros((2, 2)), ["a"], "2 elements of names"),
        (np.zeros(3), ["a", "b"], None, "3 elements of X"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), None, "of one sample"),
        ({"a": np.zeros(2)}, {"b": ["x", "y"]}, None, "X to be a dict by branch"),
        ({"a": np.zeros(1)}, {"a": ["x"]}, ["age"], "names to be a dict by branch"),
    ],
)
def test_what_does_not_fit_is_refused(values, X, names, match):
    with pytest.raises(ValueError, match=match):
        AttributionDisplay.from_attributions(values, X, names=names)
    with pytest.raises(TypeError, match="got a text"):
        AttributionDisplay.from_attributions(np.zeros(3), "abc")


# Estimators


def test_words_are_those_of_the_document_also_unknown_ones():
    X = ["the good film", "the bad film", "the film"] * 8
    y = ["good" in x for x in X]
    clf = make_pipeline(SequenceVectorizer(), GRUClassifier(4, **SETTINGS)).fit(X, y)
    search = GridSearchCV(clf, {"gruclassifier__alpha": [0.1]}, cv=2).fit(X, y)
    X = [*X, "the strange film"]
    display = AttributionDisplay.from_estimator(search, X, index=-1, target=True)
    assert display.panels[""].words == ["the", "strange", "film"]
    expected = attributions(search.best_estimator_, X[-1:], target=True)
    np.testing.assert_array_equal(display.panels[""].values, expected[0])


def test_series_have_their_names_and_no_padding():
    X = pd.DataFrame({"a": [np.arange(3.0)] * 4, "b": [np.array([1.0, np.nan, 2.0])] * 4})
    reg = GRURegressor(3, **SETTINGS).fit(X, np.arange(4.0))
    panel = AttributionDisplay.from_estimator(reg, X, index=2, method="gradient").panels[""]
    assert panel.features == ["a", "b"]
    np.testing.assert_array_equal(panel.inputs, np.column_stack([X["a"][0], X["b"][0]]))
    padded = np.arange(24.0).reshape(4, 3, 2)
    padded[:, 2] = np.nan
    reg.fit(padded, np.arange(4.0))
    panel = AttributionDisplay.from_estimator(reg, padded, index=1).panels[""]
    np.testing.assert_array_equal(panel.inputs, padded[1])
    assert panel.features == ["x0", "x1"]
    with pytest.raises(ValueError, match="one of 4 samples, got 4"):
        AttributionDisplay.from_estimator(reg, padded, index=4)


def test_branches_stand_side_by_side(plt):
    X = pd.DataFrame({"hr": [np.arange(4.0), np.arange(2.0)] * 10, "age": [50, 60] * 10})
    X["note"], X["kind"], X["more"] = ["no pain", "pain"] * 10, ["x", None] * 10, ["u v", "w"] * 10
    clf = MultimodalGRUClassifier(
        [
            ("vitals", SeriesBranch(), "hr"),
            ("note", TokenBranch(SequenceVectorizer()), "note"),
            ("patient", TableBranch(), ["age", "kind"]),
            ("more", TableBranch(TfidfVectorizer(token_pattern=r"\w")), "more"),
        ],
        **SETTINGS,
    ).fit(X, [0, 1] * 10)
    display = AttributionDisplay.from_estimator(clf, X, index=2, target=1)
    expected = attributions(clf, X[2:3], target=1)
    assert display.panels["vitals"].inputs.ravel().tolist() == [0, 1, 2, 3]
    assert display.panels["vitals"].features == ["hr"]
    assert display.panels["note"].words == ["no", "pain"]
    assert display.panels["patient"].words == ["age = 50", "kind = x"]
    np.testing.assert_array_equal(display.panels["patient"].values, expected["patient"][0])
    assert [w.split(" = ")[0] for w in display.panels["more"].words] == ["u", "v"]
    display.plot()
    assert list(display.axes_) == ["vitals", "note", "patient", "more"]
    tops = {axes.get_position().y0 for axes in display.axes_.values()}
    assert len(tops) == 1


# Pictures


def test_a_series_is_drawn_on_the_colours_of_its_contributions(plt):
    values, X = np.zeros((1000, 2)), np.cumsum(np.ones((1000, 2)), axis=0)
    X[10:20, 0] = X[30, 1] = np.nan
    values[600, 1] = -2.0
    display = AttributionDisplay.from_attributions(values, X, names=["a", "b" * 40]).plot()
    (ax,) = display.axes_.values()
    mesh = ax.collections[0]
    assert mesh.get_clim() == (-2.0, 2.0)
    assert mesh.get_array().shape == (2, 400)
    assert mesh.get_array().argmin() == 400 + 240
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b" * 23 + "…"]
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 1000]
    np.testing.assert_array_equal(np.isnan(drawn).T, np.isnan(X))
    # What contributes nothing is not painted: the colour of the style is seen.
    assert mesh.to_rgba(0.0)[3] == pytest.approx(0, abs=0.01)
    assert mesh.to_rgba(2.0)[3] > 0.8


def test_the_strongest_words_are_bars_in_the_order_of_reading(plt):
    (ax,) = (
        AttributionDisplay.from_attributions(VALUES, list("abcde")).plot(n_words=3).axes_.values()
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "c", "e"]
    assert [bar.get_width() for bar in ax.patches] == [0.5, 1.0, -1.0]
    low, high = ax.get_xlim()
    assert low == -high
    assert ax.get_title(loc="right") == "3 strongest of 5"


def test_axes_may_be_given(plt):
    figure, (left, _) = plt.subplots(1, 2)
    display = AttributionDisplay.from_attributions(VALUES, list("abcde")).plot(left)
    assert display.figure_ is figure
    (ax,) = display.axes_.values()
    assert ax.get_position().x1 < 0.5


def test_only_the_picture_needs_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    display = AttributionDisplay.from_attributions(VALUES, WORDS)
    assert display.ansi()
    assert display._repr_html_()
    with pytest.raises(ImportError, match=r"AttributionDisplay.plot.*skgru\[plot\]"):
        display.plot()
