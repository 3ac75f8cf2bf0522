"""The network tells strings from comments, which a character alone does not."""

import re

import numpy as np
import pytest

LABELS = ["comment", "string", "number", "keyword", "name", "other"]


def test_sequence_labelling(run_notebook):
    run = run_notebook("sequence_labelling")
    shares = {
        name: [float(n) for n in re.search(rf"^{name}(.*)", run.printed, re.MULTILINE)[1].split()]
        for name in ("network", "character alone")
    }
    assert shares["network"][0] > 0.93 > 0.7 > shares["character alone"][0]
    assert min(shares["network"][1:3]) > 0.85  # comments and strings
    assert shares["network"][4] > 0.92 > 0.3 > shares["character alone"][4]  # keywords
    assert shares["network"][5] > 0.985  # names, which only both directions tell from keywords

    bars, source, probabilities = run.figures
    drawn = np.reshape([bar.get_height() for bar in bars.axes[0].patches], (2, 7))
    np.testing.assert_allclose(drawn, 100 * np.array([*shares.values()]), atol=0.06)

    (ax,) = source.axes
    underlined = {(int(x), round(y)) for x, y in (line.get_xydata()[0] for line in ax.lines)}
    shown = [(*text.get_position(), text.get_text(), text.get_color()) for text in ax.texts]
    assert 0 < len(underlined) < 0.2 * len(shown)
    quotes = [colour for *_, character, colour in shown if character in "'\""]
    assert quotes.count("C1") > 0.8 * len(quotes) > 0  # the colour of strings
    assert {(x, y) for x, y, *_ in shown} >= underlined

    (ax,) = probabilities.axes
    line = run.names["line"]
    assert "".join(label.get_text() for label in ax.get_xticklabels()) == line
    heights = np.reshape([bar.get_height() for bar in ax.patches], (len(LABELS), len(line)))
    assert heights.sum(axis=0) == pytest.approx(1, abs=1e-5)
    said = [LABELS[i] for i in heights.argmax(axis=0)]
    opened, closed, begin = line.index("'"), line.index("'", 8), line.index("#", 12)
    assert said[opened : closed + 1].count("string") > 0.8 * (closed + 1 - opened)
    assert said[begin:].count("comment") > 0.8 * (len(line) - begin)
