"""The network tells the libraries apart, and its words of the answers make sense."""

import re

import numpy as np

from tests.examples.pictures import bars_of

LIBRARIES = ["numpy", "scipy", "sklearn"]


def number_after(text, label):
    return float(re.search(rf"{re.escape(label)}\D*?(\d+\.\d+)", text).group(1))


def test_text_classification_on_the_docstrings_of_the_libraries(run_notebook):
    run = run_notebook("text_classification")
    texts, labels = run.names["texts"], run.names["labels"]
    assert len(set(texts)) == len(texts) > 1500
    assert {labels.count(library) > 300 for library in LIBRARIES} == {True}
    assert not any("numpy" in text.lower() or "sklearn" in text.lower() for text in texts)
    assert not set(run.names["train"]) & set(run.names["test"])

    majority = number_after(run.printed, "most frequent label")
    assert number_after(run.printed, "  GRU ") > majority + 0.3
    assert number_after(run.printed, "bag of words") > majority + 0.3
    assert all(sentence in run.printed for sentence in run.names["TYPED_BY_HAND"])
    said = r"random forest.*\n    numpy 0\.\d+, scipy 0\.\d+, sklearn \d\.\d+"
    assert re.search(said, run.printed)

    confusions, words = run.figures
    for ax in confusions.axes:
        shares = ax.images[0].get_array()
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert (np.argmax(shares, axis=1) == np.arange(3)).all()

    panels = [ax for ax in words.axes if ax.axison]
    answers = [ax.get_title().split()[0] for ax in panels]
    assert answers[0] == "sklearn"
    assert {*answers} <= {*LIBRARIES}
    of_words = bars_of(panels[0])
    assert list(of_words)[:3] == ["fit", "random", "forest"]  # in the order of reading
    telling = {"fit", "forest", "training", "predict", "classes"}
    assert max(of_words, key=of_words.get) in telling
    assert all(sum(bars_of(ax).values()) > 0 for ax in panels)  # they speak for the answer
