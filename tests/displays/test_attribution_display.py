"""Contributions to a prediction, in a picture and in coloured text."""

import re
import sys
from html import escape

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
from skgru.inspection import AttributionDisplay, GateDisplay, attributions

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


def test_what_a_browser_or_a_terminal_would_obey_is_spelled_out():
    words = ["\u202eevil", "\ud800", "👩\u200d👧", "می\u200cروم", "e\u0301"]
    display = AttributionDisplay.from_attributions(np.arange(5.0), words)
    for text in (display._repr_html_(), display.ansi(), str(display)):
        assert r"\u202eevil" in text
        assert r"\ud800" in text
        assert not {"\u202e", "\ud800"} & set(text)
        assert all(word in text for word in words[2:])


def test_words_of_right_to_left_scripts_are_in_their_order():
    assert 'dir="auto"' in AttributionDisplay.from_attributions([1.0], ["שלום"])._repr_html_()


def test_columns_of_text_are_under_each_other_in_any_script():
    names = ["ab", "很好", "e\u0301e\u0301"]  # two columns, four, and two
    display = AttributionDisplay.from_attributions(np.zeros((1, 3)), np.zeros((1, 3)), names=names)
    assert display.ansi().splitlines()[:3] == ["  ab  ", "很好  ", "  e\u0301e\u0301  "]
    words = str(AttributionDisplay.from_attributions([3.0, 2.0, 1.0], names)).splitlines()[1:]
    assert words == ["  ab    +3", "  很好  +2", "  e\u0301e\u0301    +1"]


def test_of_many_features_the_strongest_are_shown(plt):
    values = np.zeros((300, 500))
    values[:, ::20] = np.arange(1, 26) / 100
    values[:, 499] = -1.0
    display = AttributionDisplay.from_attributions(values, values)
    html = display._repr_html_()
    assert html.count("<tr>") == 50
    assert "(450 weaker features are not shown)" in html
    assert len(html) < 2_000_000
    assert ">x499</th>" in html
    assert "(450 weaker features are not shown)" in display.ansi()
    assert "x499" in display.ansi()
    display.plot()
    labels = [label.get_text() for label in display.axes_[""].get_yticklabels()]
    assert len(labels) == 40
    assert labels[-1] == "x499"
    assert {f"x{20 * k}" for k in range(25)} < set(labels)
    assert "460 weaker" in display.axes_[""].get_xlabel()


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
        ({"a": np.zeros(1)}, {"a": ["x"]}, {"b": ["age"]}, r"of \['a'\], got \['b'\]"),
        ([0.0, np.nan], ["a", "b"], None, r"finite contributions, got nan at \[1\]"),
        ([[0.0, np.inf]], [[1, 2]], None, r"finite contributions, got inf at \[0, 1\]"),
        ([[1, 2], [3]], [[1, 2], [3]], None, "numbers in the contributions .*, got a list"),
        (np.zeros((1, 2)), [["a", "b"]], None, "numbers in X, .* got a list"),
    ],
)
def test_what_does_not_fit_is_refused(values, X, names, match):
    with pytest.raises(ValueError, match=match):
        AttributionDisplay.from_attributions(values, X, names=names)
    for X, message in (
        ("abc", "got a text"),
        ({"a", "b", "c"}, "in their order, got a set"),
        (None, "the 3 words or cells that contribute, in their order, got a NoneType"),
    ):
        with pytest.raises(TypeError, match=message):
            AttributionDisplay.from_attributions(np.zeros(3), X)
    with pytest.raises(TypeError, match="names to be a list, got the text 'abc'"):
        AttributionDisplay.from_attributions(np.zeros(3), list("xyz"), names="abc")


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
    for index in (4, -5, 1.0, True, "a", [1]):
        expected = rf"a position from 0 to 3 \(.*not named\), got {re.escape(repr(index))}\.$"
        with pytest.raises(ValueError, match=expected):
            AttributionDisplay.from_estimator(reg, padded, index=index)
    with pytest.raises(ValueError, match="at least one sample in X, got none"):
        AttributionDisplay.from_estimator(reg, padded[:0])
    for X, said in ((None, "a NoneType"), ({0: padded}, "a dict"), ("text", "a str")):
        with pytest.raises(TypeError, match=f"samples in a container, got {said}"):
            AttributionDisplay.from_estimator(reg, X)


@pytest.mark.parametrize("display", [AttributionDisplay, GateDisplay])
def test_a_label_in_place_of_a_position_is_told_with_its_position(display):
    X = pd.DataFrame({"a": [np.arange(3.0)] * 4}, index=["r7", "r8", "r9", 77])
    reg = GRURegressor(3, **SETTINGS).fit(X, np.arange(4.0))
    for label in ("r9", 77):
        said = rf"from 0 to 3 .*got {label!r}\. X.index.get_loc\({label!r}\) returns the position"
        with pytest.raises(ValueError, match=said):
            display.from_estimator(reg, X, index=label)
        display.from_estimator(reg, X, index=X.index.get_loc(label))
    with pytest.raises(ValueError, match=r"got 'x'\.$"):
        display.from_estimator(reg, X, index="x")
    with pytest.raises(ValueError, match=r"got 'r9'\.$"):
        display.from_estimator(reg, [*X["a"]], index="r9")


def shown_of(display):
    """Return what each way to show an explanation says of what it is about."""
    display.plot()
    display.figure_.canvas.draw()
    axes = [ax for ax in display.figure_.axes if "contribution" in ax.get_ylabel()]
    label = axes[0].get_ylabel() if axes else display.axes_[""].get_xlabel()
    return str(display).splitlines()[0], display.ansi(), display._repr_html_(), label


@pytest.mark.parametrize(
    ("y", "target", "said"),
    [
        (["negative", "positive"], None, "{predicted}"),
        (["negative", "positive"], "negative", "negative"),
        ([0, 1], None, "class {predicted}"),
        ([False, True], True, "class True"),
        (["<b>", "\n"], "<b>", "<b>"),
        ([[0, 1], [1, 0]], 1, "label 1"),
        ([0.5, 2.5], None, None),
        ([[0.5, 1.0], [2.5, 3.0]], 1, "output 1"),
    ],
)
def test_what_is_explained_is_said(plt, y, target, said):
    X, y = [np.arange(3.0)] * 10 + [-np.arange(4.0)] * 10, [y[0]] * 10 + [y[1]] * 10
    is_number = isinstance(np.ravel(y)[0], float)
    model = (GRURegressor if is_number else GRUClassifier)(3, **SETTINGS).fit(X, y)
    display = AttributionDisplay.from_estimator(model, X, index=12, target=target)
    said = said and said.format(predicted=model.predict(X[12:13])[0])
    assert display.target == said
    text, ansi, html, label = shown_of(display)
    head = f"{said}: " if said else ""
    assert text == f"{head}sum {display.panels[''].values.sum():+.4g}"
    assert ansi.splitlines()[-1] == text
    assert escape(f"{text}; the strongest") in html
    assert label == (f"contribution to {said}" if said else "contribution")


@pytest.mark.parametrize(
    ("model", "target", "said"),
    [
        (GRURegressor(3, loss="quantile", quantiles=[0.1, 0.9], **SETTINGS), 1, "quantile 1"),
        (
            GRURegressor(3, loss="quantile", quantiles=[0.1, 0.9], **SETTINGS),
            (0, 1),
            "output 0, quantile 1",
        ),
        (GRURegressor(3, pooling=None, **SETTINGS), (-1, None), "step -1"),
        (GRUClassifier(3, pooling=None, **SETTINGS), (2, "a"), "a, step 2"),
        (GRUClassifier(3, pooling=None, **SETTINGS), (2, None), "{predicted}, step 2"),
        (GRUClassifier(3, pooling=None, **SETTINGS), None, "the strongest class of each step"),
        (GRUClassifier(3, pooling=None, crf=True, **SETTINGS), (2, None), "the strongest class of"),
    ],
)
def test_the_quantile_and_the_step_that_are_explained_are_said(model, target, said):
    X = [np.arange(3.0)] * 10 + [-np.arange(4.0)] * 10
    if model.pooling is None:
        is_number = isinstance(model, GRURegressor)
        y = [x * 1.5 if is_number else np.where(x % 2 > 0, "a", "b") for x in X]
    else:
        y = np.column_stack([np.arange(20.0)] * (2 if isinstance(target, tuple) else 1))
        y = y if isinstance(target, tuple) else y.ravel()
    model.fit(X, y)
    shown = AttributionDisplay.from_estimator(model, X, index=3, target=target).target
    assert shown.startswith(
        said.format(predicted=model.predict(X[3:4])[0][2]) if "{" in said else said
    )


def test_who_computed_contributions_may_say_to_what():
    given = {"values": VALUES, "X": WORDS, "target": "a\nb"}
    assert str(AttributionDisplay.from_attributions(**given)).startswith(r"a\nb: sum +0.25")
    branches = {"values": {"v": VALUES}, "X": {"v": WORDS}, "target": "负"}
    assert str(AttributionDisplay.from_attributions(**branches)).startswith("负: sum +0.25")


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


def test_names_are_no_formulas(plt):
    words = [r"$\foo$", "a\nb", "$5 or $6", "\ud800"]
    for values, X, names in (
        (np.ones(4), words, None),
        (np.ones((2, 4)), np.ones((2, 4)), words),
        (np.ones((2, 1)), np.ones((2, 1)), words[:1]),
    ):
        three = {"$x": values}, {"$x": X}, {"$x": names}
        display = AttributionDisplay.from_attributions(*three[:2], names=three[2])
        display.plot()
        display.figure_.canvas.draw()
    display = AttributionDisplay.from_attributions(np.ones(4), words).plot()
    labels = [label.get_text() for label in display.axes_[""].get_yticklabels()]
    assert labels == [r"$\foo$", r"a\nb", "$5 or $6", r"\ud800"]


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
