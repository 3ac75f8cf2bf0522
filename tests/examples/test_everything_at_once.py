"""The example of all sources: together they tell more than each alone, and each is worth some."""

import re

import numpy as np
import pytest

from tests.examples.pictures import bars_of


def test_everything_at_once(run_notebook):
    run = run_notebook("everything_at_once")
    X = run.names["X"]
    assert X.notna().all(axis=1).mean() == pytest.approx(2 / 3, abs=0.01)
    lengths = {name: X[name].dropna().map(len) for name in ("load", "temperature", "alarms")}
    assert all(of_column.nunique() > 2 for of_column in lengths.values())

    names = [name for name, *_ in run.names["BRANCHES"]]
    alone, together = run.names["scores"], run.names["together"]
    assert together > max(alone.values()) + 0.08
    assert alone["load"] < 0.62
    assert f"all together        accuracy {together:.3f}" in run.printed
    table = re.findall(r"^(\w+) +accuracy alone (.+), fall without it (.+)$", run.printed, re.M)
    assert [name for name, *_ in table] == names
    assert [float(accuracy) for _, accuracy, _ in table] == pytest.approx(
        [*alone.values()], abs=5e-4
    )

    sources, (left, right) = (figure.axes for figure in run.figures)
    load, temperature, alarms = sources
    pump = run.names["pump"]
    np.testing.assert_array_equal(load.lines[0].get_ydata(), pump["load"])
    np.testing.assert_array_equal(temperature.lines[0].get_ydata(), pump["temperature"])
    n_alarms = [len(stems.markerline.get_ydata()) for stems in alarms.containers]
    assert sum(n_alarms) == len(pump["alarms"])
    assert len(n_alarms) == pump["alarms"]["channel"].nunique()

    assert bars_of(left) == alone
    fall = dict(zip(names, [bar.get_width() for bar in right.patches], strict=True))
    assert [float(f) for *_, f in table] == pytest.approx([*fall.values()], abs=5e-4)
    assert fall["note"] > 0.05
    assert fall["pump"] > 0.05
    assert fall["load"] > 0.05  # with the make of the pump it tells something
