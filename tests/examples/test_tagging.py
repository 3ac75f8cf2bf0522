"""Characters and a chain help a tagger, and the neighbours of a word tell its tag."""

import itertools
import re

import numpy as np

from skgru.metrics import count_invalid_transitions


def test_tagging(run_notebook):
    run = run_notebook("tagging")
    X, y = (run.names[name] for name in "Xy")
    assert count_invalid_transitions(y) == 0
    assert len({len(words) for words in X}) > 5
    pairs = zip(itertools.chain(*X), itertools.chain(*y), strict=True)
    tagged = {(word.lower(), tag) for word, tag in pairs}
    for word, tags in (("may", "O B-PER B-DATE"), ("reading", "O B-LOC B-ORG I-PER")):
        assert {(word, tag) for tag in tags.split()} <= tagged

    assert int(re.search(r"(\d+)% of the names .* new", run.printed)[1]) > 60
    f1 = {
        name: [
            float(n) for n in re.search(rf"^{name} +(0.*)", run.printed, re.MULTILINE)[1].split()
        ]
        for name in ("most frequent tag", "words", "words, characters", "characters, a chain")
    }
    assert 0.1 < f1["most frequent tag"][0] < 0.35
    assert f1["words"][0] > 0.7
    assert f1["words, characters"][0] > f1["words"][0] + 0.02
    assert f1["characters, a chain"][0] > f1["words"][0] + 0.02
    assert f1["words"][-1] > 0 == f1["characters, a chain"][-1]  # invalid transitions
    assert re.search(
        r"micro avg +0\.\d{3} .*\n(.*\n)*invalid transitions in y_pred: 0", run.printed
    )
    assert re.search(r"^  .*\[PER [\w ]+\]", run.printed, re.MULTILINE)
    assert "[PER Florence] was born in [LOC Florence] on [DATE 3 May] ." in run.printed

    confusion, words = run.figures
    shares = confusion.axes[0].images[0].get_array()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (np.argmax(shares, axis=1) == np.arange(9)).all()

    panels = [ax for ax in words.axes if ax.axison]
    assert [ax.get_title() for ax in panels] == ["B-PER for word 1", "B-LOC for word 5"]
    for ax in panels:
        shown = [label.get_text() for label in ax.get_yticklabels()]
        assert shown == run.names["sentence"]
    widths = [[bar.get_width() for bar in ax.patches] for ax in panels]
    assert np.argmax(widths[1]) == shown.index("in")  # "in" speaks for a place
