"""The example of events: who reads the clock knows more, and knows it sooner."""

import re

import numpy as np
import pytest

from tests.examples.pictures import lines_of


def test_irregular_events(run_notebook):
    run = run_notebook("irregular_events")
    assert run.names["columns"] == ["time", "lactate", "pulse", "temperature"]
    for x in run.names["X"][:20]:
        assert (np.diff(x[:, 0]) > 0).all()
        assert not np.isnan(x[:, 1:]).all(axis=1).any()  # something was measured at each step
    timed, untimed = (
        float(re.search(rf"^accuracy {way} the times +(0\.\d+)$", run.printed, re.MULTILINE)[1])
        for way in ("with", "without")
    )
    assert timed > 0.87
    assert timed > untimed + 0.05 > 0.75

    (counted, by_clock), decisions, (right,) = (figure.axes for figure in run.figures)
    for ax in (counted, by_clock):
        assert [line.get_label() for line in ax.lines] == ["not at risk"] * 6 + ["at risk"] * 6

    assert [ax.get_title() for ax in decisions] == ["with the times", "without the times"]
    gaps = []
    for ax in decisions:
        calm, at_risk = lines_of(ax).values()
        assert at_risk[-1] > calm[-1] + 0.5
        assert len(ax.collections) == 2
        gaps.append(at_risk - calm)
    assert abs(gaps[0][0]) < 0.2  # nobody can know
    assert gaps[0].mean() > gaps[1].mean() + 0.1
    calm, at_risk = (band.get_paths()[0].vertices for band in decisions[0].collections)
    last_calm, last_at_risk = (ends[ends[:, 0] == 240, 1] for ends in (calm, at_risk))
    assert last_calm.max() < last_at_risk.min()  # the halves of both kinds are apart

    with_times, without = lines_of(right).values()
    assert with_times[-1] == pytest.approx(timed, abs=0.001)  # at the end all is known
    assert without[-1] == pytest.approx(untimed, abs=0.001)
    assert with_times[-1] > with_times[0] + 0.25
    assert with_times.mean() > without.mean() + 0.04
