"""Robust scaling bears spikes that leave standard scaling nothing to read."""

import re

import numpy as np

from tests.examples.pictures import lines_of


def test_outliers(run_notebook):
    run = run_notebook("outliers")
    standard, robust = (
        [
            float(n)
            for n in re.search(rf'^scaling="{name}" +(.*)', run.printed, re.MULTILINE)[1].split()
        ]
        for name in ("standard", "robust")
    )
    assert min(standard[0], *robust) > 0.85
    assert min(robust) > standard[0] - 0.1
    assert max(standard[-2:]) < 0.65

    accuracies, read = run.figures
    (ax,) = accuracies.axes
    drawn = lines_of(ax)
    np.testing.assert_allclose(drawn['scaling="standard"'], standard, atol=6e-4)
    np.testing.assert_allclose(drawn['scaling="robust"'], robust, atol=6e-4)

    measured, standard, robust = (
        np.array([line.get_ydata() for line in ax.lines]) for ax in read.axes
    )
    spikes = np.abs(measured) > 1e5
    assert spikes.sum() == 1
    for channel, is_spike in enumerate(spikes):
        assert np.ptp(standard[channel, ~is_spike]) < 1e-3 < 1 < np.ptp(robust[channel, ~is_spike])
    assert np.abs(robust[spikes]) > 2.9
    assert np.abs(robust).max() <= 3
