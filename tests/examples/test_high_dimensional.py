"""The example of many variables: two components are enough, one is not, and the network knows."""

import re

import numpy as np
import pytest


def test_high_dimensional(run_notebook):
    run = run_notebook("high_dimensional")
    assert "1000 variables per step" in run.printed
    table = re.findall(r"^(\w.+?) +(0\.\d{3}) +(\d+\.\d\d)$", run.printed, re.MULTILINE)
    accuracy = {name: float(score) for name, score, _ in table}
    assert [*accuracy] == ["PCA to 1", "PCA to 2", "PCA to 8", "all variables"]
    assert accuracy["PCA to 2"] > accuracy["PCA to 1"] + 0.1
    assert accuracy["PCA to 2"] > 0.85
    assert accuracy["all variables"] > 0.8

    (measured,), (ax,) = (figure.axes for figure in run.figures)
    for (name, score, seconds), bars in zip(table, measured.containers, strict=True):
        assert bars.get_label() == name
        assert bars.lines[0].get_xydata()[0] == pytest.approx(
            [float(seconds), float(score)], abs=0.006
        )
    told, slope = ax.collections[0].get_offsets().T
    assert len(told) == 1000
    correlation = np.corrcoef(told, slope)[0, 1]
    assert correlation > 0.3
    assert f"correlation: {correlation:.2f}" in run.printed
