"""The example of two frequencies: both channels are needed, and prices count when they are told."""

import re

import numpy as np
import pytest

from tests.examples.pictures import bars_of


def test_mixed_frequency(run_notebook):
    run = run_notebook("mixed_frequency")
    rows = re.findall(r"^(output|price|output and price) +(\d+) +(0\.\d+)$", run.printed, re.M)
    assert {name: int(n) for name, n, _ in rows} == {
        "output": 96,
        "price": 4,
        "output and price": 96,
    }
    accuracy = {name: float(score) for name, _, score in rows}
    both = accuracy.pop("output and price")
    assert both > 0.85
    assert all(both > alone + 0.08 > 0.68 for alone in accuracy.values())

    plants, (bars,), panels = (figure.axes for figure in run.figures)
    outputs, prices, y = (run.names[name] for name in ("outputs", "prices", "y"))
    assert y[run.names["shown"]].tolist() == [False, True]
    for above, below, plant in zip(plants[:2], plants[2:], run.names["shown"], strict=True):
        output = above.lines[0].get_ydata()
        np.testing.assert_array_equal(output, outputs[plant])
        price = below.patches[0].get_data().values
        np.testing.assert_array_equal(price, prices[plant])
        earnings = output.reshape(4, 24).sum(axis=1) * price
        assert (earnings[2:].sum() > earnings[:2].sum()) == y[plant]
        assert (output[48:].sum() > output[:48].sum()) != y[plant]

    drawn = {"output and price": both} | accuracy
    assert bars_of(bars) == pytest.approx(drawn, abs=5e-4)

    mesh = next(ax.collections[0] for ax in panels if ax.get_xlabel() == "time [h]")
    output, price = np.asarray(mesh.get_array())
    assert np.flatnonzero(price).tolist() == [0, 24, 48, 72]  # when prices are told
    assert output.sum() + price.sum() > 0  # the plant that is surest to have earned more
    assert float(re.search(r"earned more: (\d\.\d+)", run.printed)[1]) > 0.9
