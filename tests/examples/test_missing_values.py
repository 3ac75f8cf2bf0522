"""Networks that have seen missing values bear more of them than one that has not."""

import re

import numpy as np
import pytest

from tests.examples.pictures import lines_of


def test_missing_values(run_notebook):
    run = run_notebook("missing_values")
    assert "400 sequences to train on, 200 to test; 50% missing" in run.printed
    scores = {
        name: float(re.search(rf"^{name} +accuracy (\d\.\d+)$", run.printed, re.MULTILINE)[1])
        for name in run.names["models"]
    }
    decay, indicator = 'missing="decay"', 'missing="indicator"'
    complete = scores["complete data"]
    assert complete > 0.85
    for way in (decay, indicator):
        assert complete >= scores[way] > 0.65
        assert scores[way] > scores["mean before"] - 0.06
    ways = (decay, indicator, "mean before")
    assert np.mean([scores[way] for way in ways]) > scores["last value before"]

    sequence, accuracies = run.figures
    for ax in sequence.axes:
        complete, rest = (line.get_ydata() for line in ax.lines)
        is_there = np.isfinite(rest)
        assert 0.2 < is_there.mean() < 0.8
        np.testing.assert_array_equal(rest[is_there], complete[is_there])

    drawn = lines_of(accuracies.axes[0])
    assert [*drawn] == [*scores]
    assert all(of_share[0] > of_share[-1] + 0.2 for of_share in drawn.values())
    assert drawn["complete data"][0] == pytest.approx(scores["complete data"], abs=5.1e-4)
    # Those who have seen missing values bear more of them.
    for way in ways:
        assert np.mean(drawn[way][4:]) > np.mean(drawn["complete data"][4:]) + 0.03
    assert np.mean(drawn[decay][4:]) > np.mean(drawn["last value before"][4:]) + 0.03
