"""A network of readings and pump tells failures, and the state of each step, from a long table."""

import re

import numpy as np


def number_after(text, label):
    return float(re.search(rf"{re.escape(label)}\D*?(\d+\.\d+)", text).group(1))


def test_long_table(run_notebook):
    run = run_notebook("long_table")
    names = ["boosted summaries", "readings", "readings and pump"]
    scores = {name: number_after(run.printed, f"{name.ljust(18)} accuracy") for name in names}
    for name in names[1:]:
        assert scores[name] > max(scores["boosted summaries"] + 0.03, 0.88)
    assert number_after(run.printed, "state of each step") > 0.85
    n_rows, n_found = (int(re.search(rf"(\d+) rows {of}", run.printed)[1]) for of in ("of", "have"))
    assert 0.15 * n_rows < n_found < 0.35 * n_rows
    share = number_after(run.printed, "rows have a prediction, of which")
    assert share == number_after(run.printed, "state of each step")

    accuracies, steps = run.figures
    (ax,) = accuracies.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    np.testing.assert_allclose(
        [bar.get_width() for bar in ax.patches], [*scores.values()], atol=6e-4
    )
    points = [line.get_xdata() for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.mean(points, axis=1), [*scores.values()], atol=6e-4)

    above, below = steps.axes[:3], steps.axes[3:]
    for ax in above:
        assert sum(len(points.get_offsets()) for points in ax.collections) >= 20
    for ax in below[:2]:  # runs that wear out
        minutes, probability = ax.lines[0].get_data()
        (wear,) = ax.patches
        is_worn = minutes >= np.ravel(wear.get_xy())[0]
        assert probability[is_worn].mean() > probability[~is_worn].mean() + 0.2
    assert not below[2].patches
    assert below[2].lines[0].get_ydata().mean() < 0.5
