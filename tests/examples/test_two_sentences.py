"""The sentences of the training have their labels, and the words that tell are drawn."""

import re

import pytest

from tests.examples.pictures import bars_of


def test_two_sentences(run_notebook):
    run = run_notebook("two_sentences")
    assert "'I love this movie': positive" in run.printed
    assert "'This is a terrible movie': negative" in run.printed
    label, first, second = re.search(
        r"'This is a great movie': (\w+) \(negative (\d\.\d+), positive (\d\.\d+)\)", run.printed
    ).groups()
    assert float(first) + float(second) == pytest.approx(1, abs=0.011)
    assert label == ("negative" if float(first) > float(second) else "positive")

    (figure,) = run.figures
    panels = [ax for ax in figure.axes if ax.axison]
    assert len({ax.get_xlim() for ax in panels}) == 1
    love, terrible, great = map(bars_of, panels)
    assert [list(words) for words in (love, terrible, great)] == [
        ["love", "this", "movie"],
        ["this", "is", "terrible", "movie"],
        ["this", "is", "great", "movie"],
    ]
    assert max(love, key=love.get) == "love"
    assert min(terrible, key=terrible.get) == "terrible"
    assert min(great, key=great.get) == "is"
    assert great["great"] == 0
    shown = [float(ax.get_title().split()[1]) for ax in panels]
    assert shown == pytest.approx([*run.names["probabilities"][:, 1]], abs=0.0051)
