"""Each example runs on a small budget, and what it prints and draws is what it promises."""

import ast
import importlib.util
import itertools
import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from joblib import parallel_config

from skgru.metrics import count_invalid_transitions
from tests.processes import run_python

matplotlib.use("Agg")

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDING = """
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
"""


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def searches_on_threads():
    """Spare the time that further processes need to start."""
    with parallel_config("threading"):
        yield


@pytest.fixture(autouse=True)
def picture(monkeypatch):
    """Return a function that returns the only picture, which was shown in the end."""
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))

    def the_only_one():
        (figure,) = shown
        assert plt.get_fignums() == [figure.number]
        return figure

    yield the_only_one
    plt.close("all")


def bars_of(ax):
    """Return the widths of horizontal bars by their labels."""
    labels = [label.get_text() for label in ax.get_yticklabels()]
    return dict(zip(labels, [bar.get_width() for bar in ax.patches], strict=True))


def lines_of(ax):
    """Return what the lines of the legend show, by their labels."""
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    return {label: lines[label] for label in lines if not label.startswith("_")}


def test_examples_that_draw_say_so_and_end_alike():
    drawing = {}
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "matplotlib" in text:
            drawing[path.stem] = text
    assert len(drawing) == len([*EXAMPLES.glob("*.py")]) - 2
    for name, text in drawing.items():
        assert text.endswith(ENDING), name
        assert 'pip install "skgru[plot]"' in ast.get_docstring(ast.parse(text)), name


def number_after(text, label):
    return float(re.search(rf"{re.escape(label)}\D*?(\d+\.\d+)", text).group(1))


def test_two_sentences(capsys):
    load("two_sentences").main()
    printed = capsys.readouterr().out
    assert "'I love this movie': positive" in printed
    assert "'This is a terrible movie': negative" in printed
    label, first, second = re.search(
        r"'This is a great movie': (\w+) \(negative (\d\.\d+), positive (\d\.\d+)\)", printed
    ).groups()
    assert float(first) + float(second) == pytest.approx(1, abs=0.011)
    assert label == ("negative" if float(first) > float(second) else "positive")


def test_text_classification_on_the_docstrings_of_the_libraries(capsys, picture):
    example = load("text_classification")
    texts, labels = example.library_texts()
    assert len(set(texts)) == len(texts) > 1500
    assert {labels.count(library) > 300 for library in example.LIBRARIES} == {True}
    assert not any("numpy" in text.lower() or "sklearn" in text.lower() for text in texts)

    example.main(["--max-texts", "1200"])
    printed = capsys.readouterr().out
    majority = number_after(printed, "most frequent label")
    assert number_after(printed, "GRU ") > majority + 0.25
    assert number_after(printed, "bag of words") > majority + 0.25
    assert all(sentence in printed for sentence in example.TYPED_BY_HAND)
    assert re.search(r"random forest.*\n    numpy 0\.\d+, scipy 0\.\d+, sklearn \d\.\d+", printed)
    panels = [ax for ax in picture().axes if ax.axison]
    answers = [ax.get_title().split()[0] for ax in panels]
    assert answers[0] == "sklearn"
    assert {*answers} <= {*example.LIBRARIES}
    words = bars_of(panels[0])
    assert list(words)[:3] == ["fit", "random", "forest"]  # in the order of reading
    assert max(words, key=words.get) in {"fit", "forest", "training", "predict", "classes"}
    assert all(sum(bars_of(ax).values()) > 0 for ax in panels)  # they speak for the answer


def test_text_classification_on_a_file_of_ones_own(capsys, picture, tmp_path):
    rows = ['"warm, sunny and dry",fine', "rain and storm,bad", "sunny all day,fine"]
    rows += ["cold rain again,bad"]
    path = tmp_path / "weather.csv"
    path.write_text("\n".join(["text,label", *rows * 15]), encoding="utf-8-sig")
    load("text_classification").main(["--data", str(path)])
    printed = capsys.readouterr().out
    assert "60 texts: 30 fine, 30 bad" in printed
    assert number_after(printed, "GRU ") == 1.0
    assert number_after(printed, "most frequent label") == 0.5
    for ax in [ax for ax in picture().axes if ax.axison]:
        words, answer = bars_of(ax), ax.get_title().split()[0]
        telling = {"sunny", "warm", "dry"} if answer == "fine" else {"rain", "storm", "cold"}
        assert max(words, key=words.get) in telling


def test_text_classification_refuses_a_file_without_the_columns(tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_text("words,class\na,b\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"expected the columns text,label .* got 'words,class'"):
        load("text_classification").main(["--data", str(path)])


def test_text_classification_refuses_a_label_with_a_single_text(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("text,label\nsun,fine\nmore sun,fine\nrain,bad\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="at least two labels with at least two texts each"):
        load("text_classification").main(["--data", str(path)])


def test_grid_search(capsys, picture):
    load("grid_search").main(["--quick"])
    printed = capsys.readouterr().out
    assert number_after(printed, "in cross-validation:") > 0.95
    assert number_after(printed, "digits held out:") > 0.95
    matrix = [[int(n) for n in re.findall(r"\d+", line)] for line in printed.splitlines()[-10:]]
    assert [len(row) for row in matrix] == [10] * 10
    assert sum(map(sum, matrix)) == 360
    assert sum(matrix[i][i] for i in range(10)) > 0.95 * 360
    scores = [float(score) for score in re.findall(r"^(0\.\d+)  {", printed, re.MULTILINE)]
    figure = picture()
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), scores, atol=5e-5)
    wrong = [int(n) for ax in figure.axes[1:] for n in re.findall(r"\d", ax.get_title())]
    assert len(wrong) == 2 * min(6, 360 - sum(matrix[i][i] for i in range(10)))
    assert all(matrix[i][j] > 0 and i != j for i, j in zip(wrong[::2], wrong[1::2], strict=True))


def test_forecasting(capsys, picture):
    example = load("forecasting")
    example.main(["--hours", "1200", "--epochs", "2"])
    printed = capsys.readouterr().out
    first, *rest = [
        [float(n) for n in re.search(rf"^{name} +(.*)", printed, re.MULTILINE)[1].split()]
        for name in ("GRUForecaster", "persistence", "seasonal_naive")
    ]
    assert first[0] < 0.7 * min(errors[0] for errors in rest)
    assert 0.7 < first[4] <= 1  # covered by the bands of 90 %
    lower, upper, load_ahead = map(float, printed.splitlines()[-1].split()[-3:])
    assert lower < load_ahead < upper
    (ax,) = picture().axes
    lines = lines_of(ax)
    assert list(lines) == ["history", "forecast", "what came"]
    corners = ax.collections[0].get_paths()[0].vertices
    ends = [corners[corners[:, 0] == time, 1] for time in np.unique(corners[:, 0])]
    came = lines["what came"]
    np.testing.assert_array_equal(came[1:], example.make_series(1200)[0][-48:])
    is_within = [end.min() <= value <= end.max() for end, value in zip(ends, came, strict=True)]
    assert np.mean(is_within) > 0.7


def test_sequence_labelling(capsys, picture):
    load("sequence_labelling").main(["--epochs", "2", "--max-lines", "3000"])
    printed = capsys.readouterr().out
    assert "3000 lines to train on" in printed
    shares = {
        name: [float(n) for n in re.search(rf"^{name}(.*)", printed, re.MULTILINE)[1].split()]
        for name in ("network", "character alone")
    }
    assert shares["network"][0] > 0.9 > 0.7 > shares["character alone"][0]
    assert min(shares["network"][1:3]) > 0.8
    *_, line, labels = printed.splitlines()
    assert len(line) == len(labels)
    assert {"s", "#"} <= set(labels[2:]) <= set("#s0kn.")
    (ax,) = picture().axes
    underlined = {(int(x), round(y)) for x, y in (line.get_xydata()[0] for line in ax.lines)}
    shown = [(*text.get_position(), text.get_text(), text.get_color()) for text in ax.texts]
    assert 0 < len(underlined) < 0.2 * len(shown)
    quotes = [colour for *_, character, colour in shown if character in "'\""]
    assert quotes.count("C1") > 0.8 * len(quotes) > 0  # the colour of strings
    assert {(x, y) for x, y, *_ in shown} >= underlined


def test_tagging(capsys, picture):
    example = load("tagging")
    X, y = example.make_sentences(500, seed=0)
    assert count_invalid_transitions(y) == 0
    assert len({len(words) for words in X}) > 5
    pairs = zip(itertools.chain(*X), itertools.chain(*y), strict=True)
    tagged = {(word.lower(), tag) for word, tag in pairs}
    for word, tags in (("may", "O B-PER B-DATE"), ("reading", "O B-LOC B-ORG I-PER")):
        assert {(word, tag) for tag in tags.split()} <= tagged

    example.main(["--sentences", "400", "--epochs", "6"])
    printed = capsys.readouterr().out
    assert int(re.search(r"(\d+)% of the names .* new", printed)[1]) > 60
    assert number_after(printed, "\nwords, characters ") > number_after(printed, "\nwords ") > 0.6
    assert number_after(printed, "\ncharacters, a chain ") > number_after(printed, "\nwords ")
    assert re.search(r"^characters, a chain .* 0$", printed, re.MULTILINE)
    assert 0.1 < number_after(printed, "most frequent tag") < 0.35
    assert re.search(r"micro avg +0\.\d{3} .*\n(.*\n)*invalid transitions in y_pred: \d", printed)
    assert re.search(r"^  .*\[PER [\w ]+\]", printed, re.MULTILINE)
    shares = picture().axes[0].images[0].get_array()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (np.argmax(shares, axis=1) == np.arange(9)).all()
    shares = example.draw("", [["O", "B-PER"]], [["O", "O"]]).axes[0].images[0].get_array()
    assert shares[7].tolist() == [1] + [0] * 8  # a row for each tag in truth


def test_cells_compared(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a picture that is saved is not shown"))
    budget = ["--sequences", "500", "--steps", "10", "--epochs", "10"]
    load("cells_compared").main([*budget, "--picture", str(tmp_path / "cells.png")])
    assert (tmp_path / "cells.png").read_bytes().startswith(b"\x89PNG")
    rows = capsys.readouterr().out.splitlines()[1:]
    assert len(rows) == 6
    errors = {row[:18].strip(): float(row.split()[-1]) for row in rows}
    assert errors["GRU"] < 0.03
    assert all(error < 0.2 for error in errors.values())
    n_parameters = {row[:18].strip(): int(row.split()[-3]) for row in rows}
    assert n_parameters["LSTM"] == 4 * 32 * (2 + 32 + 1) + 33
    assert n_parameters["GRU"] == 3 * 32 * (2 + 32 + 1) + 33
    losses = lines_of(plt.gcf().axes[0])
    assert [*losses] == [*errors]
    assert max(losses, key=lambda name: losses[name][-1]) == "RNN"
    assert all(loss[-1] < 0.3 * loss[0] for loss in losses.values())


def test_missing_values(capsys, picture):
    load("missing_values").main(["--sequences", "300", "--epochs", "12"])
    printed = capsys.readouterr().out
    assert "200 sequences to train on, 100 to test; 50% missing" in printed
    complete = number_after(printed, "complete data        accuracy")
    assert complete > 0.8
    for way in ('missing="decay"', 'missing="indicator"'):
        assert complete >= number_after(printed, way) > 0.6
    accuracies = lines_of(picture().axes[0])
    assert all(of_share[0] > of_share[-1] + 0.2 for of_share in accuracies.values())
    # Those who have seen missing values bear more of them.
    assert accuracies['missing="decay"'][4:].mean() > accuracies["complete data"][4:].mean()


def test_larger_than_memory():
    # In a process of its own, as it limits its memory.
    path = EXAMPLES / "larger_than_memory.py"
    program = f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"
    options = ["--machines", "50000", "--epochs", "1", "--memory", "150"]
    printed = run_python(program, *options, flags=["-W", "error"])
    assert "153 MiB of series" in printed
    assert "49000 rows to train on, 12 words, 4 sites" in printed
    assert number_after(printed, "accuracy on the last 1000 rows") > 0.9
    if "memory limited to 150 MiB" in printed:
        assert "there is no memory for all of them at once" in printed


def test_irregular_events(capsys, picture):
    load("irregular_events").main(["--patients", "150", "--epochs", "8"])
    printed = capsys.readouterr().out
    assert "time, lactate, pulse, temperature" in printed
    assert number_after(printed, "accuracy with the times") > 0.8
    assert number_after(printed, "accuracy without the times") > 0.6
    above, below = picture().axes
    last = {"-": [], "--": []}
    for line in below.lines:
        last[line.get_linestyle()].append(line.get_ydata()[-1])
    assert np.mean(last["-"]) > 0.5 + np.mean(last["--"])
    assert len(above.lines) == len(below.lines) == 12


def test_mixed_frequency(capsys, picture):
    load("mixed_frequency").main(["--plants", "300", "--epochs", "10"])
    printed = capsys.readouterr().out
    both = number_after(printed, "output and price   96 steps   accuracy")
    assert both > 0.8
    for alone in ("output             96", "price               4"):
        assert both > number_after(printed, f"{alone} steps   accuracy") + 0.05
    mesh = next(ax.collections[0] for ax in picture().axes if ax.get_xlabel() == "hour")
    output, price = np.asarray(mesh.get_array())
    assert np.flatnonzero(price).tolist() == [0, 24, 48, 72]  # when prices are told
    assert output.sum() + price.sum() > 0  # the plant that is surest to have earned more


def test_outliers(capsys, picture):
    load("outliers").main(["--sequences", "450", "--epochs", "8"])
    printed = capsys.readouterr().out
    clean = number_after(printed, 'clean        scaling="robust"')
    assert clean > 0.9
    assert number_after(printed, 'with spikes  scaling="robust"') > clean - 0.1
    assert number_after(printed, 'with spikes  scaling="standard"') < 0.65
    measured, standard, robust = (
        np.array([line.get_ydata() for line in ax.lines]) for ax in picture().axes
    )
    spikes = np.abs(measured) > 1e5
    assert spikes.any()
    for channel, is_spike in enumerate(spikes):
        assert np.ptp(standard[channel, ~is_spike]) < 1e-3 < 1 < np.ptp(robust[channel, ~is_spike])
    assert np.abs(robust).max() <= 3


def test_high_dimensional(capsys, picture):
    load("high_dimensional").main(["--sequences", "90", "--epochs", "16"])
    printed = capsys.readouterr().out
    assert "1000 variables per step" in printed
    one, two = (number_after(printed, f"PCA to  {n} components: accuracy") for n in (1, 2))
    assert two > max(one, 0.7)
    assert number_after(printed, "all variables       : accuracy") > 0.7
    told, slope = picture().axes[0].collections[0].get_offsets().T
    assert len(told) == 1000
    assert np.corrcoef(told, slope)[0, 1] > 0.2


def test_everything_at_once(capsys, picture):
    example = load("everything_at_once")
    X, _ = example.make_pumps(300)
    assert X.notna().all(axis=1).mean() == pytest.approx(2 / 3)
    lengths = {name: X[name].dropna().map(len) for name in ("load", "temperature", "alarms")}
    assert all(of_column.nunique() > 2 for of_column in lengths.values())
    example.main(["--pumps", "300", "--epochs", "8"])
    printed = capsys.readouterr().out
    alone = [number_after(printed, f"{name:12s} alone") for name, *_ in example.BRANCHES]
    assert number_after(printed, "all together") > max(alone) + 0.02
    left, right = picture().axes
    np.testing.assert_allclose([*bars_of(left).values()], alone, atol=5e-4)
    falls = [bar.get_width() for bar in right.patches]
    assert falls[0] > 0.03  # without the note
    assert max(falls) > 0.05


def test_long_table(capsys, picture):
    load("long_table").main(["--runs", "160", "--epochs", "15"])
    printed = capsys.readouterr().out
    boosting = number_after(printed, "boosted summaries")
    assert number_after(printed, "readings and pump") > max(boosting, 0.8)
    assert number_after(printed, "state of each step") > 0.85
    n_rows, n_found = (int(re.search(rf"(\d+) rows {of}", printed)[1]) for of in ("of", "have"))
    assert 0.15 * n_rows < n_found < 0.35 * n_rows
    share = number_after(printed, "rows have a prediction, of which")
    assert share == number_after(printed, "state of each step")
    axes = picture().axes
    for ax in axes[4:7]:  # runs that wear out
        minutes, probability = ax.lines[0].get_data()
        (wear,) = ax.patches
        is_worn = minutes >= np.ravel(wear.get_xy())[0]
        assert probability[is_worn].mean() > probability[~is_worn].mean() + 0.2
    assert not axes[7].patches
    assert axes[7].lines[0].get_ydata().mean() < 0.5
