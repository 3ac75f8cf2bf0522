"""The example of the cells: those with gates learn the task, and the one without falls behind."""

import re

import numpy as np

from tests.examples.pictures import lines_of


def test_cells_compared(run_notebook):
    run = run_notebook("cells_compared")
    errors, models = run.names["errors"], run.names["models"]
    assert len(errors) == 8
    assert max(errors, key=errors.get) == "RNN"
    assert errors["RNN"] < 1 / 6
    assert max(errors, key=lambda name: errors[name] * (name != "RNN")) == "minGRU"
    assert errors["minGRU"] < 0.005
    assert all(error < 0.0015 for name, error in errors.items() if name not in ("RNN", "minGRU"))

    row = r"^(.+?) +(\d+) +\d+\.\d +(0\.\d+)$"
    rows = re.findall(row, run.printed, re.MULTILINE)
    assert {name: float(error) for name, _, error in rows} == {
        name: round(error, 5) for name, error in errors.items()
    }
    n_parameters = {name: int(n) for name, n, _ in rows}
    assert n_parameters["LSTM"] == 4 * 32 * (2 + 32 + 1) + 33
    assert n_parameters["minGRU"] == 2 * 32 * (2 + 1) + 33
    assert n_parameters["GRU"] == 3 * 32 * (2 + 32 + 1) + 33

    (ax,), (measured,) = (figure.axes for figure in run.figures)
    losses = lines_of(ax)
    assert [*losses] == [*errors]
    assert max(losses, key=lambda name: losses[name][-1]) == "RNN"
    assert all(loss[-1] < 0.3 * loss[0] for loss in losses.values())
    for (name, error), line in zip(errors.items(), measured.lines, strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xydata(), [[run.names["seconds"][name], error]])
        assert models[name].n_iter_ == len(losses[name])
